/*
 * Reversing an invoice as its own document: a credit memo of all that was not returned yet, applied to it in full
 * (rule M12). The invoice stays in the books as it was sold, and so does the day on which it was taken back.
 */
#include "ledger/ledger.h"

#include <string.h>

/* The memo has the invoice's lines, less what was returned of them, where these make up its amount: what was returned
 * without naming lines cannot be told from them. */
static crd_status reversed_lines(crd__command *command, crd__doc *doc, int64_t amount, crd_line_terms **out,
                                 uint64_t *count) {
    crd_ledger *ledger = command->ledger;
    const crd_invoice_record *invoice = doc->record;
    crd__lines lines = {NULL, 0};
    int64_t sum = 0;
    crd_status status = crd__read_lines(command, doc, &lines);
    *count = 0;
    if (status == CRD_OK) status = crd__line_returns(command, doc, &lines);
    if (status != CRD_OK || lines.count == 0) return status;
    *out = crd__arena_take(&ledger->unit.arena, lines.count * sizeof **out);
    if (*out == NULL) return crd__fail(ledger, CRD_E_NOMEM, NULL);
    for (uint64_t i = 0; i < lines.count; i++) {
        const crd__line *from = &lines.items[i];
        crd_line_terms *to = &(*out)[*count];
        char *origin;
        if (from->record.ended_in != 0 || from->record.quantity <= from->returned_quantity) continue;
        origin = crd__line_origin(command, invoice->id, from->record.number);
        if (origin == NULL) return crd__fail(ledger, CRD_E_NOMEM, NULL);
        memset(to, 0, sizeof *to);
        to->sku = from->record.sku;
        to->text = from->record.text;
        to->quantity = from->record.quantity - from->returned_quantity;
        to->unit_price = from->record.unit_price;
        to->amount = from->record.amount - from->returned_amount;
        to->tax = CRD__MIN(to->amount, CRD__MAX(0, from->record.tax - from->returned_tax));
        to->origin = origin;
        sum += to->amount; /* at most the invoice's total */
        (*count)++;
    }
    if (sum != amount) *count = 0;
    return CRD_OK;
}

static void invoice_reverse_fill(const crd__command *command, const crd_invoice_record *invoice,
                                 const crd_invoice_reverse_terms *t, int64_t amount, int32_t date,
                                 crd_credit_record *c) {
    crd__record_clear(CRD_KIND_CREDIT, c);
    c->customer = invoice->customer;
    c->currency = invoice->currency;
    c->flags = CRD_FLAG_OWN_DOCUMENT | CRD_FLAG_RETURN;
    c->credit_class = CRD_CLASS_MEMO;
    c->kind = CRD_CREDIT_REVERSED_INVOICE;
    c->state = CRD_CREDIT_ACTIVE;
    c->issued = c->effective = c->last_date = date;
    c->original = c->remaining = amount;
    c->tax = CRD__MIN(amount, CRD__MAX(0, invoice->tax - invoice->returned_tax));
    c->prefers = c->origin = invoice->id;
    c->source = crd__credit_source(c->kind);
    c->reason = crd__or_empty(t->reason)[0] != '\0' ? t->reason : "invoice reversed";
    c->issued_at = command->instant;
}

static crd_status issue_memo(crd__command *command, crd__concerned *on, const crd_invoice_reverse_terms *t,
                             int64_t amount, int32_t date, crd__doc **memo) {
    const crd_account_record *account = &on->account->record;
    const crd_invoice_record *invoice = on->invoice->record;
    crd_line_terms *terms = NULL;
    crd__lines lines = {NULL, 0};
    uint64_t count = 0;
    crd_credit_record c;
    crd_entry_record entry;
    crd_status status = reversed_lines(command, on->invoice, amount, &terms, &count);
    if (status != CRD_OK) return status;
    invoice_reverse_fill(command, invoice, t, amount, date, &c);
    c.first_seq = c.last_seq = account->last_seq + 1;
    c.issued_at = CRD__MAX(command->instant, account->last_instant);
    c.line_count = (uint32_t)count;
    c.id = t->id != NULL ? t->id : crd__derive_id(command, on->account, c.first_seq);
    if (c.id == NULL) return crd__fail(command->ledger, CRD_E_NOMEM, NULL);
    crd__entry_clear(&entry, CRD_ENTRY_ISSUE, date);
    entry.amount = entry.credit_after = amount;
    entry.invoice_after = invoice->open;
    status = crd__add_lines(command, on->account, CRD_KIND_CREDIT, c.id, terms, count, 0, &lines);
    if (status == CRD_OK) status = crd__write_lines(command, on, &lines, c.first_seq, c.lines_digest);
    if (status == CRD_OK) status = crd__write_document(command, on, CRD_KIND_CREDIT, &c, &entry, memo);
    if (status == CRD_OK) command->created_id = crd__doc_id(*memo);
    return status;
}

static crd_status apply_memo(crd__command *command, crd__concerned *on, int64_t amount, const crd__when *when) {
    crd__apply_command ask;
    crd__decision decision;
    crd__refusal why;
    memset(&decision, 0, sizeof decision);
    ask.when = *when;
    ask.amount = amount;
    ask.clamp = 0;
    on->lines = NULL;
    on->line_count = 0;
    if (crd__decide_apply(on->credit->record, on->invoice->record, &ask, &decision, &why) != CRD_OK)
        return crd__refused(command->ledger, &why, on->invoice->account);
    return crd__write_moves(command, on, &decision, NULL, CRD_ENTRY_CONSEQUENCE);
}

static crd_status reverse_invoice(crd__command *command, crd__doc *doc, const crd_invoice_reverse_terms *t,
                                  crd__doc **memo) {
    crd_ledger *ledger = command->ledger;
    const crd_invoice_record *invoice = doc->record;
    crd__when when = crd__command_when(command, 1);
    crd__concerned on;
    crd__refusal why;
    int64_t amount = 0;
    crd_status status = crd__command_fresh(command, doc->account);
    memset(&on, 0, sizeof on);
    if (status == CRD_OK)
        status = crd__command_account(command, invoice->customer, invoice->currency, CRD_KIND_CREDIT, t->id,
                                      &on.account);
    if (status == CRD_OK) status = crd__command_fresh(command, doc->account); /* what was read may be newer */
    if (status != CRD_OK) return status;
    on.invoice = doc;
    if (crd__decide_may_reverse(invoice, &when, &amount, &why) != CRD_OK)
        return crd__refused(ledger, &why, doc->account);
    status = crd__free_settled(command, doc, amount - invoice->open, CRD__OWN_MEMOS_LAST, &when, NULL);
    if (status == CRD_OK) status = issue_memo(command, &on, t, amount, when.date, memo);
    if (status == CRD_OK) status = apply_memo(command, &on, amount, &when);
    command->result.amount = amount;
    return status;
}

static crd_status invoice_reverse_check_terms(crd_ledger *ledger, const crd_invoice_reverse_terms *from,
                                              crd_invoice_reverse_terms *t) {
    crd_status status = CRD_OK;
    memset(t, 0, sizeof *t);
    if (from != NULL) status = crd__take_struct(ledger, "terms", t, sizeof *t, sizeof *t, from);
    if (status == CRD_OK && t->reserved != 0) status = crd__fail_argument(ledger, "terms.reserved", "must be 0");
    if (status == CRD_OK && t->id != NULL) status = crd__check_id(ledger, "terms.id", t->id);
    if (status == CRD_OK) status = crd__check_text(ledger, "terms.reason", t->reason);
    return status;
}

crd_status crd_invoice_reverse(crd_ledger *ledger, const crd_request *request, crd_invoice *invoice,
                               const crd_invoice_reverse_terms *terms, crd_credit **out) {
    crd__command command;
    crd_invoice_reverse_terms t;
    crd__doc *memo = NULL;
    const char *customer = NULL;
    crd_status status;
    if (out != NULL) *out = NULL;
    status = crd__command_begin(ledger, request, CRD_COMMAND_INVOICE_REVERSE, &command);
    if (status != CRD_OK) return status;
    status = invoice_reverse_check_terms(ledger, terms, &t);
    if (status == CRD_OK) status = crd__command_handle(&command, invoice != NULL ? &invoice->handle : NULL, "invoice");
    if (status == CRD_OK) {
        crd__doc *doc = invoice->handle.doc;
        const crd_account_record *account = &doc->account->record;
        customer = account->customer;
        crd__argument_text(&command, "invoice", crd__doc_id(doc));
        crd__argument_text(&command, "terms.id", t.id);
        crd__argument_text(&command, "terms.reason", t.reason);
        command.created_kind = CRD_KIND_CREDIT;
        status = crd__command_allow(&command, customer, account->currency, crd__doc_id(doc),
                                    CRD__MAX(0, ((const crd_invoice_record *)doc->record)->total -
                                                    ((const crd_invoice_record *)doc->record)->returned));
        if (status == CRD_OK && !command.answered) status = reverse_invoice(&command, doc, &t, &memo);
    }
    return crd__command_create(&command, status, CRD_KIND_CREDIT, memo, customer, (crd__handle **)(void *)out);
}
