/*
 * Another amount for an application that exists (rules M3, M8), as a decision. See decide.h.
 *
 * Less is an unapplication of the difference. More is a further application of the same pair, within the same receipt and
 * with the same flags, that names the first: so a receipt's own line, raised, stays its own line.
 */
#include "core/decide.h"

#include <stddef.h>

/* The receipt's part of it, once credit and invoice are known to be in the right state; for crd__decide_apply() knows no
 * receipt. */
static crd_status receipt_allows(const crd_receipt_record *receipt, const crd__reapply_command *command,
                                 crd__refusal *why) {
    int32_t date = command->when.date;
    if (receipt->state != CRD_RECEIPT_POSTED)
        return crd__refuse(why, CRD_E_STATE, CRD_KIND_RECEIPT, receipt->id, 0, receipt->state);
    return crd__decide_date(&command->when, CRD_KIND_RECEIPT, receipt->id, receipt->last_date, &date, why);
}

crd_status crd__decide_reapply(const crd_credit_record *credit, const crd_invoice_record *invoice,
                               const crd_receipt_record *receipt, const crd__reapply_command *command, int64_t *lower,
                               crd__decision *out, crd__refusal *why) {
    int usable = credit->state == CRD_CREDIT_ACTIVE && (invoice == NULL || invoice->state == CRD_INVOICE_OPEN);
    crd__apply_command ask;
    crd_status status = CRD_OK;
    *lower = 0;
    if (command->left == 0) return crd__refuse(why, CRD_E_NOTHING, CRD_KIND_CREDIT, credit->id, 0, command->amount);
    if (command->amount <= command->left) {
        *lower = command->left - command->amount;
        return CRD_OK;
    }
    if (usable && receipt != NULL) status = receipt_allows(receipt, command, why);
    if (status != CRD_OK) return status;
    ask.when = command->when;
    ask.amount = command->amount - command->left;
    ask.clamp = 0;
    status = crd__decide_apply(credit, invoice, &ask, out, why);
    if (status == CRD_E_CREDIT_AMOUNT || status == CRD_E_INVOICE_AMOUNT) {
        why->limit += command->left; /* both figures are of the whole application */
        why->given = command->amount;
    }
    if (status != CRD_OK) return status;
    out->moves[0].undoes = command->seq;
    out->moves[0].flags = command->flags & CRD_ENTRY_BY_OWN_RECEIPT;
    return CRD_OK;
}
