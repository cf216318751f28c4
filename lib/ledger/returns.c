/*
 * Returns: credit memos that give (part of) an invoice back (rule M12).
 *
 * 1. What was returned of an invoice is a figure of its record: the memo's ISSUE entry concerns the invoice and adds to
 *    it, and voiding or deleting the memo concerns it too and takes that off again.
 * 2. What was returned of a line is no figure of any record: it is summed over the lines of the invoice's memos, of
 *    which each names the line it returns. A memo counts until all of it was voided or deleted.
 */
#include "core/money.h"
#include "ledger/ledger.h"

#include <string.h>

/* The number in "invoice/number"; 0 when the origin is not one of this invoice. */
static int64_t origin_number(const char *origin, const char *invoice) {
    size_t length = strlen(invoice);
    int64_t number = 0;
    if (strncmp(origin, invoice, length) != 0 || origin[length] != '/' || origin[length + 1] == '0') return 0;
    for (origin += length + 1; *origin >= '0' && *origin <= '9'; origin++) {
        if (number > CRD_MAX_CHANGES) return 0;
        number = 10 * number + (*origin - '0');
    }
    return *origin == '\0' ? number : 0;
}

char *crd__line_origin(crd__command *command, const char *invoice, int64_t number) {
    size_t length = strlen(invoice);
    char *text = crd__arena_take(&command->ledger->unit.arena, length + 24);
    char digits[24];
    size_t at = sizeof digits - 1;
    if (text == NULL) return NULL;
    digits[at] = '\0';
    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    digits[--at] = '/';
    memcpy(text, invoice, length);
    memcpy(text + length, digits + at, sizeof digits - at);
    return text;
}

static crd__line *line_of(const crd__lines *lines, const char *origin, const char *invoice) {
    int64_t number = origin_number(origin, invoice);
    return number >= 1 && (uint64_t)number <= lines->count ? &lines->items[number - 1] : NULL;
}

static int counts(const crd_credit_record *memo) {
    return memo->voided + memo->deleted < memo->original;
}

crd_status crd__line_returns(crd__command *command, crd__doc *invoice, crd__lines *lines) {
    crd_ledger *ledger = command->ledger;
    crd__application *list;
    uint64_t count;
    crd_status status;
    if (lines->count == 0 || ((const crd_invoice_record *)invoice->record)->returned == 0) return CRD_OK;
    status = crd__deeds(ledger, invoice->account, invoice, 0, CRD__BIT(CRD_ENTRY_ISSUE), &list, &count);
    if (status == CRD_OK) status = crd__load_named(ledger, invoice->account, list, count);
    for (uint64_t i = 0; status == CRD_OK && i < count; i++) {
        const crd__doc *memo = crd__doc_find(invoice->account, CRD_KIND_CREDIT, list[i].credit);
        crd__lines own;
        if (memo == NULL) return crd__fail(ledger, CRD_E_CORRUPT, "the journal names a credit that is not stored");
        if (!counts(memo->record)) continue;
        status = crd__read_lines(command, memo, &own);
        for (uint64_t n = 0; status == CRD_OK && n < own.count; n++) {
            const crd_line_record *back = &own.items[n].record;
            crd__line *line = line_of(lines, back->origin, crd__doc_id(invoice));
            if (line == NULL) continue;
            line->returned_quantity -= back->quantity; /* they are stored negated */
            line->returned_amount -= back->amount;
            line->returned_tax -= back->tax;
        }
    }
    return status;
}

static crd_status load_invoice(crd__command *command, crd__account *account, const char *id, crd__doc **out) {
    crd__application named;
    crd_status status;
    memset(&named, 0, sizeof named);
    named.credit = named.receipt = "";
    named.invoice = id;
    status = crd__load_named(command->ledger, account, &named, 1);
    *out = status == CRD_OK ? crd__doc_find(account, CRD_KIND_INVOICE, id) : NULL;
    return status;
}

crd_status crd__memo_invoice(crd__command *command, const crd__doc *credit, crd__doc **invoice) {
    const crd_credit_record *c = credit->record;
    crd_status status;
    *invoice = NULL;
    if (!(c->flags & CRD_FLAG_RETURN) || (c->flags & CRD_FLAG_TRANSFERRED_IN)) return CRD_OK;
    status = load_invoice(command, credit->account, c->origin, invoice);
    if (status == CRD_OK && *invoice == NULL)
        status = crd__fail_subject(command->ledger, CRD_E_CORRUPT, CRD_KIND_INVOICE, c->customer, c->origin,
                                   "a memo returns it, but it is not stored");
    return status;
}

/* One line that comes back: no more of it than was sold and not returned yet. Its tax, left out, is the share. */
static crd_status return_line(crd_ledger *ledger, crd__doc *invoice, const crd__lines *sold, crd_line_terms *back) {
    crd__line *line;
    crd__refusal why;
    int64_t quantity, amount;
    if (back->origin[0] == '\0') return CRD_OK;
    if (origin_number(back->origin, crd__doc_id(invoice)) == 0)
        return crd__fail_argument(ledger, "lines.origin", "must be the invoice, a slash and the number of its line");
    line = line_of(sold, back->origin, crd__doc_id(invoice));
    if (line == NULL || line->record.ended_in != 0)
        return crd__fail_subject(ledger, CRD_E_NOT_FOUND, CRD_KIND_LINE, invoice->account->record.customer,
                                 back->origin, NULL);
    quantity = line->record.quantity - line->returned_quantity;
    amount = line->record.amount - line->returned_amount;
    (void)crd__refuse(&why, CRD_E_RETURNED, CRD_KIND_LINE, back->origin, quantity, back->quantity);
    why.field = "quantity";
    if (back->quantity > quantity) return crd__refused(ledger, &why, invoice->account);
    (void)crd__refuse(&why, CRD_E_RETURNED, CRD_KIND_LINE, back->origin, amount, back->amount);
    why.field = "amount";
    if (back->amount > amount) return crd__refused(ledger, &why, invoice->account);
    if (back->tax == 0 && line->record.tax > line->returned_tax)
        back->tax = CRD__MIN(back->amount,
                             crd__tax_part(line->record.tax - line->returned_tax, back->amount, amount));
    line->returned_quantity += back->quantity;
    line->returned_amount += back->amount;
    line->returned_tax += back->tax;
    return CRD_OK;
}

crd_status crd__returned_invoice(crd__command *command, crd__account *account, const char *id, crd__doc **invoice) {
    crd_status status = load_invoice(command, account, id, invoice);
    if (status == CRD_OK && *invoice == NULL)
        status = crd__fail_subject(command->ledger, CRD_E_NOT_FOUND, CRD_KIND_INVOICE, account->record.customer, id,
                                   NULL);
    return status;
}

crd_status crd__return_of(crd__command *command, crd__doc *invoice, crd_credit_record *memo, crd_line_terms *lines,
                          uint64_t count) {
    crd_ledger *ledger = command->ledger;
    crd__when when = crd__command_when(command, 1);
    crd__lines sold = {NULL, 0};
    crd__refusal why;
    int64_t tax = 0;
    int taxed = 0;
    crd_status status = CRD_OK;
    /* state and date of both, then how much (rule M16) */
    if (crd__decide_return(invoice->record, &when, 0, &why) != CRD_OK ||
        crd__decide_issue(memo, &when, &why) != CRD_OK ||
        crd__decide_return(invoice->record, &when, memo->original, &why) != CRD_OK)
        return crd__refused(ledger, &why, invoice->account);
    if (count > 0) status = crd__read_lines(command, invoice, &sold);
    if (status == CRD_OK) status = crd__line_returns(command, invoice, &sold);
    for (uint64_t i = 0; status == CRD_OK && i < sold.count; i++) taxed |= sold.items[i].record.tax != 0;
    for (uint64_t i = 0; status == CRD_OK && i < count; i++) {
        status = return_line(ledger, invoice, &sold, &lines[i]);
        tax += lines[i].tax;
    }
    if (status == CRD_OK && memo->tax == 0)
        memo->tax = taxed ? tax : crd__return_tax(invoice->record, memo->original);
    return status;
}
