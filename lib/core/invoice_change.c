/*
 * How an invoice changes after it was entered: written off, revised, returned, reversed (rule M12), as decisions. See
 * decide.h for their shape.
 *
 * What was settled makes room in one order, whatever asks for it: write-offs first, then applications, the newest
 * first. So a customer's credit is the last thing that moves, and what moves of it is what came last.
 */
#include "core/decide.h"
#include "core/money.h"

#include <credit/ledger.h>

#include <stddef.h>

int64_t crd__tax_part(int64_t tax, int64_t part, int64_t whole) {
    int64_t weights[2], parts[2];
    weights[0] = part;
    weights[1] = whole - part;
    if (crd_money_split(tax, weights, 2, parts) != CRD_OK) return 0;
    return parts[0];
}

int crd__decide_free(crd__settled *list, uint64_t count, int64_t need) {
    for (uint64_t i = 0; i < count; i++) list[i].take = 0;
    for (uint32_t rank = 0; need > 0 && rank < CRD__RANKS; rank++)
        for (uint64_t i = count; need > 0 && i-- > 0;) {
            if (list[i].rank != rank) continue;
            list[i].take = CRD__MIN(list[i].left, need);
            need -= list[i].take;
        }
    return need <= 0;
}

static crd_status invoice_change_refuse(crd__refusal *why, crd_status code, const crd_invoice_record *invoice,
                                        int64_t limit, int64_t given) {
    return crd__refuse(why, code, CRD_KIND_INVOICE, invoice->id, limit, given);
}

/* ---- write-off ---- */

crd_status crd__decide_write_off(const crd_invoice_record *invoice, const crd__write_off_command *command,
                                 crd__decision *out, crd__refusal *why) {
    int64_t amount = command->amount != 0 ? command->amount : invoice->open;
    int32_t date = command->when.date;
    crd_status status;
    if (invoice->state != CRD_INVOICE_OPEN)
        return invoice_change_refuse(why, CRD_E_STATE, invoice, invoice->open, invoice->state);
    status = crd__decide_date(&command->when, CRD_KIND_INVOICE, invoice->id, invoice->last_date, &date, why);
    if (status != CRD_OK) return status;
    if (amount > invoice->open) return invoice_change_refuse(why, CRD_E_INVOICE_AMOUNT, invoice, invoice->open, amount);
    crd__decide_move(out, CRD_ENTRY_WRITE_OFF, date, amount);
    out->moves[out->count - 1].cause = command->cause;
    return CRD_OK;
}

crd_status crd__decide_unwrite_off(const crd_invoice_record *invoice, const crd_receipt_record *receipt,
                                   const crd__write_off_command *command, crd__decision *out, crd__refusal *why) {
    int64_t amount = command->amount != 0 ? command->amount : command->left;
    int32_t date = command->when.date;
    crd_status status;
    if (command->left == 0) return invoice_change_refuse(why, CRD_E_NOTHING, invoice, 0, command->amount);
    status = crd__decide_date(&command->when, CRD_KIND_INVOICE, invoice->id, invoice->last_date, &date, why);
    if (status == CRD_OK && receipt != NULL)
        status = crd__decide_date(&command->when, CRD_KIND_RECEIPT, receipt->id, receipt->last_date, &date, why);
    if (status != CRD_OK) return status;
    if (amount > command->left) return invoice_change_refuse(why, CRD_E_INVOICE_AMOUNT, invoice, command->left, amount);
    crd__decide_move(out, CRD_ENTRY_UNWRITE_OFF, date, amount);
    out->moves[out->count - 1].undoes = command->seq;
    out->moves[out->count - 1].cause = command->cause;
    return CRD_OK;
}

/* ---- revise ---- */

static int is_posted(const crd_invoice_record *invoice) {
    return invoice->state == CRD_INVOICE_OPEN || invoice->state == CRD_INVOICE_PAID ||
           invoice->state == CRD_INVOICE_WRITTEN_OFF;
}

const char *crd_warning_text(uint32_t warnings) {
    if (warnings & CRD_WARN_LINE_REMOVED)
        return "a line was removed after the day of the sale; a return, entered as a credit memo that names the "
               "invoice, would leave the sale as it was and have a day of its own";
    return warnings == 0 ? "nothing to warn of" : "?";
}

/* A line of a sale that is over: taking it off hides a return, so the policy decides (R17). */
static crd_status decide_window(const crd_invoice_record *invoice, const crd__revise_command *command, int32_t date,
                                uint32_t *warnings, crd__refusal *why) {
    if (!command->removes || !is_posted(invoice) || date <= invoice->issued ||
        command->line_policy == CRD_LINES_ALLOW)
        return CRD_OK;
    if (command->line_policy == CRD_LINES_REFUSE) {
        (void)invoice_change_refuse(why, CRD_E_WINDOW, invoice, invoice->issued, date);
        why->hint = "; issue a credit memo for the return instead";
        return CRD_E_WINDOW;
    }
    *warnings |= CRD_WARN_LINE_REMOVED;
    return CRD_OK;
}

crd_status crd__decide_may_revise(const crd_invoice_record *invoice, const crd__revise_command *command, int64_t *need,
                                  uint32_t *warnings, crd__refusal *why) {
    int draft = invoice->state == CRD_INVOICE_DRAFT;
    int32_t date = command->when.date;
    crd_status status;
    if ((!draft && !is_posted(invoice)) || (invoice->flags & CRD_FLAG_OWN_DOCUMENT))
        return invoice_change_refuse(why, CRD_E_STATE, invoice, invoice->open, invoice->state);
    if (invoice->flags & CRD_FLAG_REVERSED)
        return invoice_change_refuse(why, CRD_E_RETURNED, invoice, invoice->returned, command->total);
    status = crd__decide_date(&command->when, CRD_KIND_INVOICE, invoice->id, invoice->last_date, &date, why);
    if (status == CRD_OK) status = decide_window(invoice, command, date, warnings, why);
    if (status != CRD_OK) return status;
    if (command->total < invoice->returned)
        return invoice_change_refuse(why, CRD_E_RETURNED, invoice, invoice->returned, command->total);
    *need = draft ? 0 : CRD__MAX(0, invoice->applied + invoice->written_off - command->total);
    return CRD_OK;
}

uint32_t crd__revised_cause(const crd_invoice_record *invoice, uint32_t newest) {
    if (invoice->written_off > 0) return newest;
    return invoice->applied > 0 ? CRD_CAUSE_APPLIED : CRD_CAUSE_NONE;
}

/* ---- returns and reversal ---- */

crd_status crd__decide_return(const crd_invoice_record *invoice, const crd__when *when, int64_t amount,
                              crd__refusal *why) {
    int64_t left = CRD__MAX(0, invoice->total - invoice->returned);
    int32_t date = when->date;
    crd_status status;
    if (!is_posted(invoice) || (invoice->flags & CRD_FLAG_OWN_DOCUMENT))
        return invoice_change_refuse(why, CRD_E_STATE, invoice, invoice->open, invoice->state);
    status = crd__decide_date(when, CRD_KIND_INVOICE, invoice->id, invoice->last_date, &date, why);
    if (status != CRD_OK) return status;
    if (amount > left) return invoice_change_refuse(why, CRD_E_RETURNED, invoice, left, amount);
    return CRD_OK;
}

int64_t crd__return_tax(const crd_invoice_record *invoice, int64_t amount) {
    int64_t tax = CRD__MAX(0, invoice->tax - invoice->returned_tax);
    return CRD__MIN(amount, crd__tax_part(tax, amount, invoice->total - invoice->returned));
}

crd_status crd__decide_may_reverse(const crd_invoice_record *invoice, const crd__when *when, int64_t *amount,
                                   crd__refusal *why) {
    int32_t date = when->date;
    crd_status status;
    if (!is_posted(invoice) || (invoice->flags & CRD_FLAG_OWN_DOCUMENT))
        return invoice_change_refuse(why, CRD_E_STATE, invoice, invoice->open, invoice->state);
    *amount = CRD__MAX(0, invoice->total - invoice->returned);
    if ((invoice->flags & CRD_FLAG_REVERSED) || *amount == 0)
        return invoice_change_refuse(why, CRD_E_NOTHING, invoice, 0, invoice->returned);
    status = crd__decide_date(when, CRD_KIND_INVOICE, invoice->id, invoice->last_date, &date, why);
    return status;
}
