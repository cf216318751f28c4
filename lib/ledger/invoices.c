/*
 * Invoices: enter, send, void.
 */
#include "ledger/ledger.h"

#include <string.h>

static crd_status invoices_check_terms(crd_ledger *ledger, const crd_invoice_terms *t) {
    crd_status status = CRD_OK;
    if (t->kind < CRD_INVOICE_INVOICE || t->kind > CRD_INVOICE_FEE)
        return crd__fail_argument(ledger, "terms.kind", "is not a kind of invoice");
    if (t->flags & ~(uint32_t)(CRD_INVOICE_AS_DRAFT | CRD_INVOICE_AS_DISPUTED | CRD_INVOICE_AS_OPENING | CRD__AUTO_FLAGS))
        return crd__fail_argument(ledger, "terms.flags", "has an unknown flag");
    if (crd__check_auto_flags(ledger, "terms.flags", t->flags) != CRD_OK) return CRD_E_ARGUMENT;
    if ((t->flags & CRD_INVOICE_AS_DRAFT) && (t->flags & CRD_INVOICE_AS_OPENING))
        return crd__fail_argument(ledger, "terms.flags", "an opening balance is no draft");
    if (!(t->flags & CRD_INVOICE_AS_OPENING) && (t->opening_total != 0 || t->opening_used != 0))
        return crd__fail_argument(ledger, "terms.opening_total", "is for opening balances only");
    if (t->id != NULL) status = crd__check_id(ledger, "terms.id", t->id);
    if (status == CRD_OK) status = crd__check_amount(ledger, "terms.total", t->total, 0);
    if (status == CRD_OK) status = crd__check_amount(ledger, "terms.opening_total", t->opening_total, 0);
    if (status == CRD_OK) status = crd__check_amount(ledger, "terms.opening_used", t->opening_used, 0);
    if (status == CRD_OK) status = crd__check_date_field(ledger, "terms.due", t->due);
    if (status == CRD_OK) status = crd__check_text(ledger, "terms.reference", t->reference);
    if (status == CRD_OK) status = crd__check_text(ledger, "terms.text", t->text);
    if (status != CRD_OK) return status;
    if (t->tax < 0 || t->tax > t->total) return crd__fail_argument(ledger, "terms.tax", "must lie between 0 and total");
    if (t->opening_used > t->opening_total)
        return crd__fail_argument(ledger, "terms.opening_used", "must not exceed opening_total");
    return CRD_OK;
}

static void invoices_fill(const crd__command *command, const crd_invoice_terms *t, const char *customer,
                          crd_invoice_record *i) {
    int draft = (t->flags & CRD_INVOICE_AS_DRAFT) != 0;
    crd__record_clear(CRD_KIND_INVOICE, i);
    i->customer = customer;
    i->currency = t->currency;
    i->kind = t->kind;
    i->state = draft ? CRD_INVOICE_DRAFT : t->total > 0 ? CRD_INVOICE_OPEN : CRD_INVOICE_PAID;
    i->flags = t->flags & CRD_INVOICE_AS_DISPUTED ? CRD_FLAG_DISPUTED : 0;
    if (t->flags & CRD_INVOICE_AS_OPENING) i->flags |= CRD_FLAG_OPENING;
    i->opening_total = t->opening_total;
    i->opening_used = t->opening_used;
    i->line_count = (uint32_t)t->line_count;
    i->issued = i->last_date = command->date;
    i->due = t->due;
    i->total = t->total;
    i->open = draft ? 0 : t->total;
    i->tax = t->tax;
    i->reference = crd__or_empty(t->reference);
    i->text = crd__or_empty(t->text);
}

static crd_status invoices_enter(crd__command *command, const char *customer, const crd_invoice_terms *t,
                                 const crd_line_terms *terms, crd__doc **doc) {
    crd_ledger *ledger = command->ledger;
    crd__when when = crd__command_when(command, 1);
    crd__lines lines = {NULL, 0};
    crd_invoice_record i;
    crd_entry_record entry;
    crd__concerned on;
    crd__refusal why;
    crd_status status;
    memset(&on, 0, sizeof on);
    status = crd__command_account(command, customer, t->currency, CRD_KIND_INVOICE, t->id, &on.account);
    if (status != CRD_OK) return status;
    invoices_fill(command, t, customer, &i);
    i.first_seq = i.last_seq = on.account->record.last_seq + 1;
    i.id = t->id != NULL ? t->id : crd__derive_id(command, on.account, i.first_seq);
    if (i.id == NULL) return crd__fail(ledger, CRD_E_NOMEM, NULL);
    i.issued_at = CRD__MAX(command->instant, on.account->record.last_instant);
    if (crd__decide_enter(&i, &when, &why) != CRD_OK) return crd__fail_refusal(ledger, &why, customer, t->currency);
    crd__entry_clear(&entry, CRD_ENTRY_INVOICE, command->date);
    entry.amount = i.total;
    entry.invoice_after = i.open;
    status = crd__add_lines(command, on.account, CRD_KIND_INVOICE, i.id, terms, t->line_count, 0, &lines);
    if (status == CRD_OK) status = crd__write_lines(command, &on, &lines, i.first_seq, i.lines_digest);
    if (status == CRD_OK) status = crd__write_document(command, &on, CRD_KIND_INVOICE, &i, &entry, doc);
    if (status == CRD_OK) command->created_id = crd__doc_id(*doc);
    command->result.amount = i.total;
    return status == CRD_OK ? crd__auto_apply(command, *doc, t->flags) : status;
}

static crd_status enter_invoice_once(crd_ledger *ledger, const crd_request *request, const char *customer,
                                     const crd_invoice_terms *terms, crd_invoice **out) {
    crd__command command;
    crd_invoice_terms t;
    crd_line_terms *lines = NULL;
    int64_t sum = 0;
    crd__doc *doc = NULL;
    crd_status status;
    if (out != NULL) *out = NULL;
    status = crd__command_begin(ledger, request, CRD_COMMAND_INVOICE_ENTER, &command);
    if (status != CRD_OK) return status;
    status = crd__check_id(ledger, "customer", customer);
    if (status == CRD_OK) status = crd__take_struct(ledger, "terms", &t, sizeof t, sizeof t, terms);
    if (status == CRD_OK) status = invoices_check_terms(ledger, &t);
    if (status == CRD_OK) status = crd__take_lines(ledger, "terms.lines", t.lines, t.line_count, &lines, &sum);
    if (status == CRD_OK && t.line_count > 0 && sum != t.total)
        status = crd__fail_argument(ledger, "terms.total", "must be the sum of the lines");
    if (status == CRD_OK) status = crd__check_currency(ledger, t.currency);
    if (status == CRD_OK) {
        crd__argument_text(&command, "customer", customer);
        crd__argument_number(&command, "terms.kind", t.kind);
        crd__argument_text(&command, "terms.currency", t.currency);
        crd__argument_text(&command, "terms.id", t.id);
        crd__argument_number(&command, "terms.total", t.total);
        crd__argument_number(&command, "terms.flags", t.flags);
        crd__argument_number(&command, "terms.due", t.due);
        crd__argument_number(&command, "terms.tax", t.tax);
        crd__argument_text(&command, "terms.reference", t.reference);
        crd__argument_text(&command, "terms.text", t.text);
        crd__argument_lines(&command, "terms.lines", lines, t.line_count, NULL, 0);
        crd__argument_number(&command, "terms.opening_total", t.opening_total);
        crd__argument_number(&command, "terms.opening_used", t.opening_used);
        command.created_kind = CRD_KIND_INVOICE;
        command.flags = t.flags;
        status = crd__command_allow(&command, customer, t.currency, t.id, t.total);
    }
    if (status == CRD_OK && !command.answered) status = invoices_enter(&command, customer, &t, lines, &doc);
    return crd__command_create(&command, status, CRD_KIND_INVOICE, doc, customer, (crd__handle **)(void *)out);
}

crd_status crd_invoice_enter(crd_ledger *ledger, const crd_request *request, const char *customer,
                             const crd_invoice_terms *terms, crd_invoice **out) {
    crd_status status;
    uint32_t tries = 0;
    do status = enter_invoice_once(ledger, request, customer, terms, out);
    while (crd__again(ledger, status, &tries));
    return status;
}

crd_status crd_invoice_find(crd_ledger *ledger, const char *customer, const char *id, crd_invoice **out) {
    return crd__handle_find(ledger, CRD_KIND_INVOICE, customer, id, (crd__handle **)(void *)out);
}

const crd_invoice_record *crd_invoice_get(const crd_invoice *invoice) {
    return invoice != NULL ? invoice->handle.doc->record : NULL;
}

crd_status crd_invoice_refresh(crd_invoice *invoice) {
    return crd__handle_refresh(invoice != NULL ? &invoice->handle : NULL);
}

void crd_invoice_free(crd_invoice *invoice) {
    crd__handle_free(invoice != NULL ? &invoice->handle : NULL);
}

static void invoices_concern(crd__concerned *on, crd__doc *invoice) {
    memset(on, 0, sizeof *on);
    on->account = invoice->account;
    on->invoice = invoice;
}

static crd_status send(crd__command *command, crd__doc *doc, uint32_t flags) {
    crd__when when = crd__command_when(command, 1);
    crd__decision decision;
    crd__refusal why;
    crd_status status = crd__command_fresh(command, doc->account);
    if (status == CRD_OK) status = crd__command_feature(command, doc->account);
    if (status != CRD_OK) return status;
    memset(&decision, 0, sizeof decision);
    if (crd__decide_send(doc->record, &when, &decision, &why) != CRD_OK)
        return crd__refused(command->ledger, &why, doc->account);
    command->result.amount = decision.moves[0].amount;
    status = crd__post_draft(command, doc, &decision);
    return status == CRD_OK ? crd__auto_apply(command, doc, flags) : status;
}

crd_status crd_invoice_send(crd_ledger *ledger, const crd_request *request, crd_invoice *invoice, uint32_t flags,
                            crd_result *out) {
    crd__command command;
    crd_status status = crd__command_begin(ledger, request, CRD_COMMAND_INVOICE_SEND, &command);
    if (status != CRD_OK) return status;
    status = crd__command_handle(&command, invoice != NULL ? &invoice->handle : NULL, "invoice");
    if (status == CRD_OK && (flags & ~CRD__AUTO_FLAGS)) status = crd__fail_argument(ledger, "flags", "has an unknown flag");
    if (status == CRD_OK) status = crd__check_auto_flags(ledger, "flags", flags);
    if (status == CRD_OK) {
        crd__doc *doc = invoice->handle.doc;
        const crd_account_record *account = &doc->account->record;
        crd__argument_text(&command, "invoice", crd__doc_id(doc));
        crd__argument_number(&command, "flags", flags);
        command.flags = flags;
        status = crd__command_allow(&command, account->customer, account->currency, crd__doc_id(doc),
                                    ((const crd_invoice_record *)doc->record)->total);
        if (status == CRD_OK && !command.answered) status = send(&command, doc, flags);
    }
    return crd__command_finish(&command, status, out);
}

/* Strict: an invoice with cash on it is not voided. */
static crd_status refuse_cash(crd_ledger *ledger, const crd__doc *invoice, const crd__application *list,
                              uint64_t count) {
    int64_t cash = 0;
    crd__refusal why;
    for (uint64_t i = 0; i < count; i++) {
        const crd__doc *credit = crd__doc_find(invoice->account, CRD_KIND_CREDIT, list[i].credit);
        if (credit != NULL && crd__credit_counts_as(credit->record) == CRD_CLASS_CASH) cash += list[i].left;
    }
    if (cash == 0) return CRD_OK;
    (void)crd__refuse(&why, CRD_E_IN_USE, CRD_KIND_INVOICE, crd__doc_id(invoice), cash, 0);
    return crd__refused(ledger, &why, invoice->account);
}

static crd_status invoices_void_invoice(crd__command *command, crd__doc *doc, uint32_t flags) {
    crd_ledger *ledger = command->ledger;
    const crd_invoice_record *record = doc->record;
    crd__when when = crd__command_when(command, 1);
    crd__application *list = NULL;
    uint64_t count = 0;
    crd__decision decision;
    crd__refusal why;
    crd__concerned on;
    crd_status status = crd__command_fresh(command, doc->account);
    if (status == CRD_OK) status = crd__command_feature(command, doc->account);
    if (status != CRD_OK) return status;
    if (crd__decide_may_void(doc->record, &when, &why) != CRD_OK) return crd__refused(ledger, &why, doc->account);
    if (record->applied > 0 && (flags & CRD_VOID_STRICT)) {
        status = crd__applications(ledger, doc->account, doc, 0, &list, &count);
        if (status == CRD_OK) status = crd__load_named(ledger, doc->account, list, count);
        if (status == CRD_OK) status = refuse_cash(ledger, doc, list, count);
    }
    if (status == CRD_OK && record->state == CRD_INVOICE_DRAFT)
        status = crd__fit_allocations(command, doc, 0, &when);
    if (status == CRD_OK) /* the invoice's own date was checked; all that is undone with it takes one date */
        status = crd__free_settled(command, doc, record->applied + record->written_off, 0, &when,
                                   &command->result.amount);
    if (status != CRD_OK) return status;
    memset(&decision, 0, sizeof decision);
    if (crd__decide_invoice_void(doc->record, &when, &decision, &why) != CRD_OK)
        return crd__refused(ledger, &why, doc->account);
    invoices_concern(&on, doc);
    return crd__write_moves(command, &on, &decision, NULL, 0);
}

crd_status crd_invoice_void(crd_ledger *ledger, const crd_request *request, crd_invoice *invoice, uint32_t flags,
                            crd_result *out) {
    crd__command command;
    crd_status status = crd__command_begin(ledger, request, CRD_COMMAND_INVOICE_VOID, &command);
    if (status != CRD_OK) return status;
    status = crd__command_handle(&command, invoice != NULL ? &invoice->handle : NULL, "invoice");
    if (status == CRD_OK && (flags & ~CRD_VOID_STRICT)) status = crd__fail_argument(ledger, "flags", "has an unknown flag");
    if (status == CRD_OK) {
        crd__doc *doc = invoice->handle.doc;
        const crd_account_record *account = &doc->account->record;
        crd__argument_text(&command, "invoice", crd__doc_id(doc));
        crd__argument_number(&command, "flags", flags);
        command.flags = flags;
        status = crd__command_allow(&command, account->customer, account->currency, crd__doc_id(doc),
                                    ((const crd_invoice_record *)doc->record)->total);
        if (status == CRD_OK && !command.answered) status = invoices_void_invoice(&command, doc, flags);
    }
    return crd__command_finish(&command, status, out);
}
