/*
 * Credits: issue, apply, void.
 */
#include "ledger/ledger.h"

#include <string.h>

static crd_status check_labels(crd_ledger *ledger, const crd_credit_terms *t) {
    crd_status status = crd__check_label(ledger, "terms.prefers", t->prefers);
    if (status == CRD_OK) status = crd__check_label(ledger, "terms.origin", t->origin);
    if (status == CRD_OK) status = crd__check_label(ledger, "terms.source", t->source);
    if (status == CRD_OK) status = crd__check_label(ledger, "terms.method", t->method);
    if (status == CRD_OK) status = crd__check_text(ledger, "terms.reason", t->reason);
    if (status == CRD_OK) status = crd__check_text(ledger, "terms.notes", t->notes);
    if (status == CRD_OK) status = crd__check_text(ledger, "terms.payment_info", t->payment_info);
    if (status == CRD_OK) status = crd__check_text(ledger, "terms.reference", t->reference);
    return status;
}

/* Money or promise, as what an opening credit stands for. */
static uint32_t counts_as(const crd_credit_terms *t) {
    return crd__credit_class(t->kind == CRD_CREDIT_OPENING ? t->stands_for : t->kind);
}

static crd_status check_opening(crd_ledger *ledger, const crd_credit_terms *t) {
    uint32_t stands_for = crd__credit_class(t->stands_for);
    crd_status status;
    if (t->reserved2 != 0) return crd__fail_argument(ledger, "terms.reserved2", "must be 0");
    if (t->kind != CRD_CREDIT_OPENING) {
        if (t->stands_for == 0 && t->opening_original == 0 && t->opening_used == 0) return CRD_OK;
        return crd__fail_argument(ledger, "terms.stands_for", "only an opening credit stands for another kind");
    }
    if (stands_for == 0 || stands_for == CRD_CLASS_OPENING)
        return crd__fail_argument(ledger, "terms.stands_for", "must be the kind that the opening credit stands for");
    status = crd__check_amount(ledger, "terms.opening_original", t->opening_original, 0);
    if (status == CRD_OK) status = crd__check_amount(ledger, "terms.opening_used", t->opening_used, 0);
    if (status == CRD_OK && t->opening_used > t->opening_original)
        status = crd__fail_argument(ledger, "terms.opening_used", "must not exceed opening_original");
    return status;
}

static crd_status credits_check_terms(crd_ledger *ledger, const crd_credit_terms *t) {
    uint32_t credit_class = crd__credit_class(t->kind);
    crd_status status = CRD_OK;
    if (credit_class == 0) return crd__fail_argument(ledger, "terms.kind", "is not a kind of credit");
    if (check_opening(ledger, t) != CRD_OK) return CRD_E_ARGUMENT;
    if (t->id != NULL) status = crd__check_id(ledger, "terms.id", t->id);
    if (status == CRD_OK && t->receipt != NULL) status = crd__check_id(ledger, "terms.receipt", t->receipt);
    if (status == CRD_OK) status = crd__check_amount(ledger, "terms.amount", t->amount, 1);
    if (status == CRD_OK) status = crd__check_date_field(ledger, "terms.effective", t->effective);
    if (status == CRD_OK) status = crd__check_date_field(ledger, "terms.expires", t->expires);
    if (status == CRD_OK) status = check_labels(ledger, t);
    if (status != CRD_OK) return status;
    if (t->flags & ~(uint32_t)(CRD_FLAG_RESERVED | CRD_FLAG_NON_REFUNDABLE | CRD_FLAG_REFUNDABLE | CRD_ISSUE_RETURN |
                                CRD__AUTO_FLAGS))
        return crd__fail_argument(ledger, "terms.flags", "has an unknown flag");
    if (crd__check_auto_flags(ledger, "terms.flags", t->flags) != CRD_OK) return CRD_E_ARGUMENT;
    if ((t->flags & CRD_FLAG_NON_REFUNDABLE) && (t->flags & CRD_FLAG_REFUNDABLE))
        return crd__fail_argument(ledger, "terms.flags", "says both refundable and not");
    if (t->pays_kinds & ~(uint32_t)(1u << CRD_INVOICE_INVOICE | 1u << CRD_INVOICE_FINANCE_CHARGE |
                                    1u << CRD_INVOICE_DEBIT_MEMO | 1u << CRD_INVOICE_FEE))
        return crd__fail_argument(ledger, "terms.pays_kinds", "has an unknown kind of invoice");
    if (t->tax < 0 || t->tax > t->amount) return crd__fail_argument(ledger, "terms.tax", "must lie between 0 and amount");
    if (t->reserved != 0) return crd__fail_argument(ledger, "terms.reserved", "must be 0");
    if ((t->flags & CRD_ISSUE_RETURN) && (credit_class != CRD_CLASS_MEMO || t->kind == CRD_CREDIT_REVERSED_INVOICE))
        return crd__fail_argument(ledger, "terms.kind", "a return is a credit memo");
    if ((t->flags & CRD_ISSUE_RETURN) && crd__or_empty(t->origin)[0] == '\0')
        return crd__fail_argument(ledger, "terms.origin", "must be the invoice that is returned");
    if (t->line_count > 0 && credit_class != CRD_CLASS_MEMO)
        return crd__fail_argument(ledger, "terms.lines", "only a credit memo has lines");
    if (credit_class == CRD_CLASS_CASH) return CRD_OK;
    if (t->receipt != NULL)
        return crd__fail_argument(ledger, "terms.receipt", "only money received has a receipt");
    if (counts_as(t) == CRD_CLASS_CASH) return CRD_OK;
    if (t->reason == NULL || t->reason[0] == '\0')
        return crd__fail_argument(ledger, "terms.reason", "must be given; it is shown to the customer");
    if (crd__or_empty(t->method)[0] != '\0' || crd__or_empty(t->payment_info)[0] != '\0')
        return crd__fail_argument(ledger, "terms.method", "only money received has a method and payment info");
    return CRD_OK;
}

static void credits_arguments(crd__command *command, const char *customer, const crd_credit_terms *t) {
    crd__argument_text(command, "customer", customer);
    crd__argument_number(command, "terms.kind", t->kind);
    crd__argument_text(command, "terms.currency", t->currency);
    crd__argument_text(command, "terms.id", t->id);
    crd__argument_number(command, "terms.amount", t->amount);
    crd__argument_number(command, "terms.flags", t->flags);
    crd__argument_number(command, "terms.effective", t->effective);
    crd__argument_number(command, "terms.expires", t->expires);
    crd__argument_number(command, "terms.priority", t->priority);
    crd__argument_number(command, "terms.pays_kinds", t->pays_kinds);
    crd__argument_number(command, "terms.tax", t->tax);
    crd__argument_text(command, "terms.prefers", t->prefers);
    crd__argument_text(command, "terms.origin", t->origin);
    crd__argument_text(command, "terms.source", t->source);
    crd__argument_text(command, "terms.reason", t->reason);
    crd__argument_text(command, "terms.notes", t->notes);
    crd__argument_text(command, "terms.method", t->method);
    crd__argument_text(command, "terms.payment_info", t->payment_info);
    crd__argument_text(command, "terms.reference", t->reference);
    crd__argument_text(command, "terms.receipt", t->receipt);
    crd__argument_number(command, "terms.stands_for", t->stands_for);
    crd__argument_number(command, "terms.opening_original", t->opening_original);
    crd__argument_number(command, "terms.opening_used", t->opening_used);
}

static crd_status take_lines(crd_ledger *ledger, const crd_credit_terms *t, crd_line_terms **lines) {
    int64_t sum = 0;
    crd_status status = crd__take_lines(ledger, "terms.lines", t->lines, t->line_count, lines, &sum);
    if (status == CRD_OK && t->line_count > 0 && sum != t->amount)
        status = crd__fail_argument(ledger, "terms.amount", "must be the sum of the lines");
    return status;
}

static void credits_fill(const crd__command *command, const crd_credit_terms *t, const char *customer,
                         crd_credit_record *c) {
    int cash = crd__credit_class(t->kind) == CRD_CLASS_CASH;
    crd__record_clear(CRD_KIND_CREDIT, c);
    c->customer = customer;
    c->currency = t->currency;
    c->flags = t->flags & ~CRD__AUTO_FLAGS;
    c->credit_class = crd__credit_class(t->kind);
    c->kind = t->kind;
    c->state = CRD_CREDIT_ACTIVE;
    c->issued = c->last_date = command->date;
    c->effective = t->effective != CRD_DATE_NONE ? t->effective : command->date;
    c->expires = t->expires;
    c->original = c->remaining = t->amount;
    c->tax = t->tax;
    c->priority = t->priority;
    c->pays_kinds = t->pays_kinds;
    c->prefers = crd__or_empty(t->prefers);
    c->origin = crd__or_empty(t->origin);
    c->source = crd__or_empty(t->source)[0] != '\0' ? t->source : crd__credit_source(t->kind);
    c->reason = crd__or_empty(t->reason);
    c->notes = crd__or_empty(t->notes);
    c->method = crd__or_empty(t->method);
    if (cash && c->method[0] == '\0') c->method = "cash";
    if (t->kind == CRD_CREDIT_OPENING) c->flags |= CRD_FLAG_OPENING;
    c->stands_for = t->stands_for;
    c->opening_original = t->opening_original;
    c->opening_used = t->opening_used;
    c->payment_info = crd__or_empty(t->payment_info);
    c->reference = crd__or_empty(t->reference);
}

/* Money received is a receipt whose whole amount becomes the credit (rule M3). */
static crd_status credits_write_receipt(crd__command *command, crd__concerned *on, const crd_credit_record *credit,
                                        const char *id) {
    crd_receipt_record r;
    crd_entry_record entry;
    crd__doc *doc;
    int64_t seq = on->account->record.last_seq + 1;
    crd__record_clear(CRD_KIND_RECEIPT, &r);
    r.customer = credit->customer;
    r.currency = credit->currency;
    r.id = id;
    r.first_seq = r.last_seq = r.posted_seq = seq;
    r.state = CRD_RECEIPT_POSTED;
    r.received = r.last_date = command->date;
    r.received_at = CRD__MAX(command->instant, on->account->record.last_instant);
    r.amount = credit->original;
    r.credit = credit->id;
    r.method = credit->method;
    r.payment_info = credit->payment_info;
    r.reference = credit->reference;
    crd__entry_clear(&entry, CRD_ENTRY_RECEIPT, command->date);
    entry.amount = r.amount;
    entry.flags = CRD_ENTRY_POSTS_RECEIPT;
    return crd__write_document(command, on, CRD_KIND_RECEIPT, &r, &entry, &doc);
}

static crd_status credits_issue(crd__command *command, const char *customer, const crd_credit_terms *t,
                                crd_line_terms *terms, crd__doc **doc) {
    crd_ledger *ledger = command->ledger;
    int cash = crd__credit_class(t->kind) == CRD_CLASS_CASH;
    crd__when when = crd__command_when(command, 1);
    crd__lines lines = {NULL, 0};
    crd_credit_record c;
    crd_entry_record entry;
    crd__concerned on;
    crd__refusal why;
    crd_status status;
    memset(&on, 0, sizeof on);
    if (t->flags & CRD_ISSUE_RETURN) { /* it must exist, before an id can be taken (rule M16) */
        status = crd__command_account(command, customer, t->currency, CRD_KIND_CREDIT, NULL, &on.account);
        if (status == CRD_OK) status = crd__returned_invoice(command, on.account, t->origin, &on.invoice);
        if (status != CRD_OK) return status;
    }
    status = crd__command_account(command, customer, t->currency, CRD_KIND_CREDIT, t->id, &on.account);
    if (status == CRD_OK && cash && t->receipt != NULL)
        status = crd__command_account(command, customer, t->currency, CRD_KIND_RECEIPT, t->receipt, &on.account);
    if (status != CRD_OK) return status;
    credits_fill(command, t, customer, &c);
    c.first_seq = c.last_seq = on.account->record.last_seq + 1 + cash;
    c.id = t->id != NULL ? t->id : crd__derive_id(command, on.account, c.first_seq);
    if (cash) c.receipt = t->receipt != NULL ? t->receipt : crd__derive_id(command, on.account, c.first_seq - 1);
    if (c.id == NULL || c.receipt == NULL) return crd__fail(ledger, CRD_E_NOMEM, NULL);
    c.issued_at = CRD__MAX(command->instant, on.account->record.last_instant);
    c.line_count = (uint32_t)t->line_count;
    if (t->flags & CRD_ISSUE_RETURN)
        status = crd__return_of(command, on.invoice, &c, terms, t->line_count);
    if (status != CRD_OK) return status;
    if (crd__decide_issue(&c, &when, &why) != CRD_OK) return crd__fail_refusal(ledger, &why, customer, t->currency);
    if (cash) status = credits_write_receipt(command, &on, &c, c.receipt);
    if (status != CRD_OK) return status;
    crd__entry_clear(&entry, CRD_ENTRY_ISSUE, command->date);
    entry.amount = c.original;
    entry.credit_after = c.remaining;
    if (cash) entry.flags = CRD_ENTRY_POSTS_RECEIPT;
    if (on.invoice != NULL) entry.invoice_after = ((const crd_invoice_record *)on.invoice->record)->open;
    status = crd__add_lines(command, on.account, CRD_KIND_CREDIT, c.id, terms, t->line_count, 0, &lines);
    if (status == CRD_OK) status = crd__write_lines(command, &on, &lines, c.first_seq, c.lines_digest);
    if (status == CRD_OK) status = crd__write_document(command, &on, CRD_KIND_CREDIT, &c, &entry, doc);
    if (status == CRD_OK) command->created_id = crd__doc_id(*doc);
    command->result.amount = c.original;
    return status == CRD_OK ? crd__auto_apply(command, *doc, t->flags) : status;
}

crd_status crd__issue(crd__command *command, const char *customer, const crd_credit_terms *terms, crd__doc **doc) {
    crd_ledger *ledger = command->ledger;
    crd_credit_terms t;
    crd_line_terms *lines = NULL;
    crd_status status = crd__check_id(ledger, "customer", customer);
    if (status == CRD_OK) status = crd__take_struct(ledger, "terms", &t, sizeof t, sizeof t, terms);
    if (status == CRD_OK) status = credits_check_terms(ledger, &t);
    if (status == CRD_OK) status = take_lines(ledger, &t, &lines);
    if (status == CRD_OK) status = crd__check_currency(ledger, t.currency);
    if (status == CRD_OK) {
        credits_arguments(command, customer, &t);
        command->flags = t.flags;
        crd__argument_lines(command, "terms.lines", lines, t.line_count, NULL, 0);
        command->created_kind = CRD_KIND_CREDIT;
        status = crd__command_allow(command, customer, t.currency, t.id, t.amount);
    }
    return status == CRD_OK && !command->answered ? credits_issue(command, customer, &t, lines, doc) : status;
}

static crd_status issue_once(crd_ledger *ledger, const crd_request *request, const char *customer,
                             const crd_credit_terms *terms, crd_credit **out) {
    crd__command command;
    crd__doc *doc = NULL;
    crd_status status;
    if (out != NULL) *out = NULL;
    status = crd__command_begin(ledger, request, CRD_COMMAND_CREDIT_ISSUE, &command);
    if (status != CRD_OK) return status;
    status = crd__issue(&command, customer, terms, &doc);
    return crd__command_create(&command, status, CRD_KIND_CREDIT, doc, customer, (crd__handle **)(void *)out);
}

crd_status crd_credit_issue(crd_ledger *ledger, const crd_request *request, const char *customer,
                            const crd_credit_terms *terms, crd_credit **out) {
    crd_status status;
    uint32_t tries = 0;
    do status = issue_once(ledger, request, customer, terms, out);
    while (crd__again(ledger, status, &tries));
    return status;
}

crd_status crd_credit_find(crd_ledger *ledger, const char *customer, const char *id, crd_credit **out) {
    return crd__handle_find(ledger, CRD_KIND_CREDIT, customer, id, (crd__handle **)(void *)out);
}

const crd_credit_record *crd_credit_get(const crd_credit *credit) {
    return credit != NULL ? credit->handle.doc->record : NULL;
}

crd_status crd_credit_refresh(crd_credit *credit) {
    return crd__handle_refresh(credit != NULL ? &credit->handle : NULL);
}

void crd_credit_free(crd_credit *credit) {
    crd__handle_free(credit != NULL ? &credit->handle : NULL);
}

/* ---- apply ---- */

crd_status crd__same_account(crd_ledger *ledger, const crd__doc *credit, const crd__doc *invoice) {
    const crd_account_record *a = &credit->account->record, *b = &invoice->account->record;
    if (strcmp(a->customer, b->customer) != 0)
        return crd__fail_subject(ledger, CRD_E_CUSTOMER, CRD_KIND_INVOICE, b->customer, crd__doc_id(invoice), NULL);
    if (strcmp(a->currency, b->currency) != 0)
        return crd__fail_subject(ledger, CRD_E_CURRENCY, CRD_KIND_INVOICE, b->customer, crd__doc_id(invoice),
                                 "a credit only pays invoices of its own currency");
    return CRD_OK;
}

static crd_status credits_apply(crd__command *command, crd__doc *credit, crd__doc *invoice, const crd_apply_terms *t) {
    crd_ledger *ledger = command->ledger;
    const crd_account_record *account = &credit->account->record;
    crd__apply_command ask;
    crd__decision decision;
    crd__refusal why;
    crd__concerned on;
    crd_status status = credit->account->live ? crd__command_feature(command, credit->account) : CRD_OK;
    if (status == CRD_OK && invoice != NULL) status = crd__same_account(ledger, credit, invoice);
    if (status == CRD_OK) status = crd__command_fresh(command, credit->account);
    if (status == CRD_OK && invoice != NULL) status = crd__command_fresh(command, invoice->account);
    ask.when = crd__command_when(command, 1);
    if (status == CRD_OK) status = crd__enter_lapsed_before_use(command, credit, &ask.when);
    if (status != CRD_OK) return status;
    memset(&decision, 0, sizeof decision);
    ask.amount = t->amount;
    ask.clamp = (t->flags & CRD_APPLY_CLAMP) != 0;
    if (crd__decide_apply(credit->record, invoice != NULL ? invoice->record : NULL, &ask, &decision, &why) != CRD_OK)
        return crd__fail_refusal(ledger, &why, account->customer, account->currency);
    memset(&on, 0, sizeof on);
    on.account = credit->account;
    on.credit = credit;
    on.invoice = invoice;
    command->result.amount = decision.moves[0].amount;
    command->result.first_seq = credit->account->record.last_seq + 1; /* the application, also when a lapse came first */
    return crd__write_moves(command, &on, &decision, t->reference, 0);
}

static crd_status check_apply(crd__command *command, crd_credit *credit, crd_invoice *invoice,
                              const crd_apply_terms *from, crd_apply_terms *t) {
    crd_ledger *ledger = command->ledger;
    crd_status status = crd__take_struct(ledger, "terms", t, sizeof *t, sizeof *t, from);
    if (status != CRD_OK) return status;
    if (t->flags & ~CRD_APPLY_CLAMP) return crd__fail_argument(ledger, "terms.flags", "has an unknown flag");
    status = crd__check_amount(ledger, "terms.amount", t->amount, t->flags & CRD_APPLY_CLAMP ? 0 : 1);
    if (status == CRD_OK) status = crd__check_text(ledger, "terms.reference", t->reference);
    if (status == CRD_OK) status = crd__command_handle(command, credit != NULL ? &credit->handle : NULL, "credit");
    if (status == CRD_OK && invoice != NULL) status = crd__command_handle(command, &invoice->handle, "invoice");
    return status;
}

crd_status crd_credit_apply(crd_ledger *ledger, const crd_request *request, crd_credit *credit, crd_invoice *invoice,
                            const crd_apply_terms *terms, crd_result *out) {
    crd__command command;
    crd_apply_terms t;
    crd_status status = crd__command_begin(ledger, request, CRD_COMMAND_CREDIT_APPLY, &command);
    if (status != CRD_OK) return status;
    status = check_apply(&command, credit, invoice, terms, &t);
    if (status == CRD_OK) {
        crd__doc *doc = credit->handle.doc, *to = invoice != NULL ? invoice->handle.doc : NULL;
        const crd_account_record *account = &doc->account->record;
        crd__argument_text(&command, "credit", crd__doc_id(doc));
        crd__argument_text(&command, "invoice", to != NULL ? crd__doc_id(to) : "");
        crd__argument_number(&command, "terms.amount", t.amount);
        crd__argument_number(&command, "terms.flags", t.flags);
        crd__argument_text(&command, "terms.reference", t.reference);
        command.flags = t.flags;
        status = crd__command_allow(&command, account->customer, account->currency, crd__doc_id(doc),
                                    t.amount != 0 ? t.amount : crd__command_all(&command, doc, to));
        if (status == CRD_OK && !command.answered) status = credits_apply(&command, doc, to, &t);
    }
    return crd__command_finish(&command, status, out);
}

/* ---- void ---- */

/* What is held or allocated becomes available first; whatever else refuses the void comes before that. */
static crd_status release_first(crd__command *command, crd__doc *doc, crd__void_command *ask) {
    const crd_account_record *account = &doc->account->record;
    crd_credit_record free = *(const crd_credit_record *)doc->record;
    crd__decision decision;
    crd__refusal why;
    memset(&decision, 0, sizeof decision);
    free.held = free.allocated = 0;
    if (crd__decide_void(&free, ask, &decision, &why) != CRD_OK)
        return crd__fail_refusal(command->ledger, &why, account->customer, account->currency);
    return crd__release_holds(command, doc, &ask->when);
}

static crd_status void_credit(crd__command *command, crd__doc *doc, int64_t amount, uint32_t flags) {
    const crd_account_record *account = &doc->account->record;
    crd__void_command ask;
    crd__decision decision;
    crd__refusal why;
    crd__concerned on;
    crd__doc *invoice = NULL;
    crd_status status = crd__command_fresh(command, doc->account);
    if (status == CRD_OK) status = crd__command_feature(command, doc->account);
    ask.when = crd__command_when(command, 1);
    if (status == CRD_OK) status = crd__memo_invoice(command, doc, &invoice);
    if (status == CRD_OK) status = crd__enter_lapsed_before_use(command, doc, &ask.when);
    ask.amount = amount;
    ask.returns = invoice != NULL ? invoice->record : NULL;
    if (status == CRD_OK && (flags & CRD_VOID_RELEASE)) status = release_first(command, doc, &ask);
    if (status != CRD_OK) return status;
    memset(&decision, 0, sizeof decision);
    if (crd__decide_void(doc->record, &ask, &decision, &why) != CRD_OK)
        return crd__fail_refusal(command->ledger, &why, account->customer, account->currency);
    memset(&on, 0, sizeof on);
    on.account = doc->account;
    on.credit = doc;
    on.invoice = invoice;
    command->result.amount = decision.moves[0].amount;
    return crd__write_moves(command, &on, &decision, NULL, 0);
}

static int64_t all_voided(const crd__command *command, const crd__doc *doc, uint32_t flags) {
    if (flags & CRD_VOID_RELEASE) return ((const crd_credit_record *)doc->record)->remaining;
    return crd__command_all(command, doc, NULL);
}

crd_status crd_credit_void(crd_ledger *ledger, const crd_request *request, crd_credit *credit, int64_t amount,
                           uint32_t flags, crd_result *out) {
    crd__command command;
    crd_status status = crd__command_begin(ledger, request, CRD_COMMAND_CREDIT_VOID, &command);
    if (status != CRD_OK) return status;
    status = crd__check_amount(ledger, "amount", amount, 0);
    if (status == CRD_OK && (flags & ~CRD_VOID_RELEASE)) status = crd__fail_argument(ledger, "flags", "has an unknown flag");
    if (status == CRD_OK) status = crd__command_handle(&command, credit != NULL ? &credit->handle : NULL, "credit");
    if (status == CRD_OK) {
        crd__doc *doc = credit->handle.doc;
        const crd_account_record *account = &doc->account->record;
        crd__argument_text(&command, "credit", crd__doc_id(doc));
        crd__argument_number(&command, "amount", amount);
        crd__argument_number(&command, "flags", flags);
        command.flags = flags;
        status = crd__command_allow(&command, account->customer, account->currency, crd__doc_id(doc),
                                    amount != 0 ? amount : all_voided(&command, doc, flags));
        if (status == CRD_OK && !command.answered) status = void_credit(&command, doc, amount, flags);
    }
    return crd__command_finish(&command, status, out);
}
