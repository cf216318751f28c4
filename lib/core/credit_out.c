/*
 * What leaves a credit other than to an invoice: refund, transfer, adjustment, deletion (rules M4, M6, M7, M10, M11), as
 * decisions. See decide.h for their shape.
 *
 * Whatever takes money out reaches what is available, usable yet or not, and never what is held, allocated or expired.
 */
#include "core/decide.h"
#include "core/money.h"

#include <stddef.h>

static crd_status credit_out_refuse(crd__refusal *why, crd_status code, const crd_credit_record *credit, int64_t limit,
                                    int64_t given) {
    return crd__refuse(why, code, CRD_KIND_CREDIT, credit->id, limit, given);
}

static crd_status refuse_expired(crd__refusal *why, const crd_credit_record *credit, int32_t date) {
    return credit_out_refuse(why, CRD_E_EXPIRED, credit, credit->expires, date);
}

static int has_expired(const crd_credit_record *credit, int32_t date) {
    return credit->expires != 0 && date >= credit->expires;
}

/* What refund and transfer have in common once the credit may be drawn on at all. */
static crd_status take_out(const crd_credit_record *credit, const crd__out_command *command, uint32_t type,
                           crd__decision *out, crd__refusal *why) {
    int64_t available = crd__credit_available(credit);
    int64_t amount = command->amount != 0 ? command->amount : available;
    int32_t date = command->when.date;
    crd_status status = crd__decide_date(&command->when, CRD_KIND_CREDIT, credit->id, credit->last_date, &date, why);
    if (status != CRD_OK) return status;
    if (has_expired(credit, date)) return refuse_expired(why, credit, date);
    if (available == 0)
        return credit_out_refuse(why, CRD_E_IN_USE, credit, credit->held + credit->allocated, command->amount);
    if (amount > available) return credit_out_refuse(why, CRD_E_CREDIT_AMOUNT, credit, available, amount);
    crd__decide_move(out, type, date, amount);
    return CRD_OK;
}

static crd_status credit_out_refuse_state(const crd_credit_record *credit, crd__refusal *why) {
    return credit_out_refuse(why, CRD_E_STATE, credit, credit->remaining, credit->state);
}

/* By class, unless the credit says otherwise. */
static int refundable(const crd_credit_record *credit) {
    uint32_t counts_as = crd__credit_counts_as(credit);
    if (credit->flags & CRD_FLAG_NON_REFUNDABLE) return 0;
    return (credit->flags & CRD_FLAG_REFUNDABLE) || counts_as == CRD_CLASS_CASH || counts_as == CRD_CLASS_MEMO;
}

crd_status crd__decide_refund(const crd_credit_record *credit, const crd__out_command *command, crd__decision *out,
                              crd__refusal *why) {
    if (credit->state != CRD_CREDIT_ACTIVE) return credit_out_refuse_state(credit, why);
    if (!command->override && !refundable(credit))
        return credit_out_refuse(why, CRD_E_NOT_REFUNDABLE, credit, crd__credit_counts_as(credit), command->amount);
    return take_out(credit, command, CRD_ENTRY_REFUND, out, why);
}

crd_status crd__decide_give_back(const crd_credit_record *credit, const crd__give_back_command *command,
                                 crd__decision *out, crd__refusal *why) {
    int32_t date = command->when.date;
    crd_status status;
    if (command->left == 0) return credit_out_refuse(why, CRD_E_NOTHING, credit, 0, 0);
    status = crd__decide_date(&command->when, CRD_KIND_CREDIT, credit->id, credit->last_date, &date, why);
    if (status == CRD_OK)
        crd__decide_money_back(credit, &command->when, command->type, date, command->left, command->seq, out);
    return status;
}

/* ---- transfer ---- */

crd_status crd__decide_transfer(const crd_credit_record *credit, const crd__out_command *command, crd__decision *out,
                                crd__refusal *why) {
    if (credit->state != CRD_CREDIT_ACTIVE) return credit_out_refuse_state(credit, why);
    return take_out(credit, command, CRD_ENTRY_TRANSFER, out, why);
}

/* It is the same money: class, dates, expiry, restrictions and origin stay. What only means something with the first
 * customer stays behind: the receipt, the lines, the invoice it prefers. */
void crd__transferred_credit(const crd_credit_record *credit, int64_t amount, crd_credit_record *out) {
    const uint32_t kept = CRD_FLAG_RESERVED | CRD_FLAG_NON_REFUNDABLE | CRD_FLAG_REFUNDABLE | CRD_FLAG_OPENING;
    *out = *credit;
    out->flags = (credit->flags & kept) | CRD_FLAG_TRANSFERRED_IN;
    out->state = CRD_CREDIT_ACTIVE;
    out->cause = CRD_CAUSE_NONE;
    out->original = out->remaining = amount;
    out->tax = crd__tax_part(credit->tax, credit->transferred + amount, credit->original) -
               crd__tax_part(credit->tax, credit->transferred, credit->original);
    out->held = out->allocated = 0;
    out->applied = out->applied_outside = out->applied_by_receipt = 0;
    out->refunded = out->voided = out->reversed = out->reversed_own = out->expired = 0;
    out->adjusted = out->transferred = out->deleted = 0;
    out->opening_original = out->opening_used = 0;
    out->line_count = 0;
    for (size_t i = 0; i < sizeof out->lines_digest; i++) out->lines_digest[i] = 0;
    out->receipt = out->prefers = "";
}

crd_status crd__decide_untransfer(const crd_credit_record *credit, const crd_credit_record *there,
                                  const crd__untransfer_command *command, crd__decision *out_there,
                                  crd__decision *out, crd__refusal *why) {
    int64_t available = CRD__MIN(command->left, crd__credit_available(there));
    int64_t amount = command->amount != 0 ? command->amount : available;
    int32_t date = command->when.date;
    crd_status status;
    if (command->left == 0) return credit_out_refuse(why, CRD_E_NOTHING, credit, 0, command->amount);
    status = crd__decide_date(&command->when, CRD_KIND_CREDIT, credit->id, credit->last_date, &date, why);
    if (status == CRD_OK)
        status = crd__decide_date(&command->when, CRD_KIND_CREDIT, there->id, there->last_date, &date, why);
    if (status != CRD_OK) return status;
    if (has_expired(there, date) && available > 0) return refuse_expired(why, there, date);
    if (amount == 0 || amount > available)
        return credit_out_refuse(why, CRD_E_CREDIT_AMOUNT, there, available, amount != 0 ? amount : command->left);
    crd__decide_move(out_there, CRD_ENTRY_TRANSFER, date, amount);
    out_there->moves[0].flags = CRD_ENTRY_CONSEQUENCE;
    crd__decide_money_back(credit, &command->when, CRD_ENTRY_UNTRANSFER, date, amount, command->seq, out);
    return CRD_OK;
}

/* ---- adjust ---- */

int64_t crd__adjustable(const crd_credit_record *credit, int32_t date) {
    return crd__credit_usable(credit, date) ? crd__credit_available(credit) : 0;
}

crd_status crd__decide_adjust(const crd_credit_record *const *credits, uint64_t count,
                              const crd__adjust_command *command, int64_t *before, crd__refusal *why) {
    const crd__when *when = &command->when;
    const crd_credit_record *last = NULL;
    *before = 0;
    if (when->date <= when->closed_through)
        return crd__refuse(why, CRD_E_CLOSED, CRD_KIND_ACCOUNT, command->currency, when->closed_through, when->date);
    for (uint64_t i = 0; i < count; i++) {
        const crd_credit_record *credit = credits[i];
        if (!crd__credit_usable(credit, when->date)) continue;
        if (last == NULL || credit->last_date > last->last_date) last = credit;
        if (!crd__add(*before, crd__adjustable(credit, when->date), before))
            return crd__refuse(why, CRD_E_OVERFLOW, CRD_KIND_ACCOUNT, command->currency, 0, 0);
    }
    if (last != NULL && when->date < last->last_date)
        return credit_out_refuse(why, CRD_E_DATE, last, last->last_date, when->date);
    if (command->target < 0)
        return crd__refuse(why, CRD_E_BELOW_ZERO, CRD_KIND_ACCOUNT, command->currency, 0, command->target);
    return CRD_OK;
}

crd_status crd__decide_take_back(const crd_credit_record *credit, const crd__take_back_command *command,
                                 crd__decision *out, crd__refusal *why) {
    int64_t available = crd__credit_available(credit);
    int32_t date = command->when.date;
    crd_status status;
    if (command->undone) return credit_out_refuse(why, CRD_E_NOTHING, credit, 0, 0);
    status = crd__decide_date(&command->when, CRD_KIND_CREDIT, credit->id, credit->last_date, &date, why);
    if (status != CRD_OK) return status;
    if (has_expired(credit, date)) return refuse_expired(why, credit, date);
    if (available < command->amount)
        return credit_out_refuse(why, CRD_E_CREDIT_AMOUNT, credit, available, command->amount);
    crd__decide_move(out, CRD_ENTRY_ADJUST_PIECE, date, command->amount);
    out->moves[0].undoes = command->seq;
    return CRD_OK;
}

/* ---- delete ---- */

crd_status crd__decide_may_delete(const crd_credit_record *credit, const crd_receipt_record *receipt,
                                  const crd__delete_command *command, crd__refusal *why) {
    int64_t in_use = credit->held + credit->allocated + (command->cascade ? 0 : credit->applied);
    int mixed = receipt != NULL && receipt->applied > credit->applied_by_receipt;
    int32_t date = command->when.date;
    int32_t last_day = command->window < CRD_DATE_MAX - credit->issued ? credit->issued + command->window : CRD_DATE_MAX;
    crd_status status;
    if (credit->flags & CRD_FLAG_DELETED) return credit_out_refuse(why, CRD_E_NOTHING, credit, 0, 0);
    if (command->moved || mixed || (credit->flags & (CRD_FLAG_OWN_DOCUMENT | CRD_FLAG_TRANSFERRED_IN))) {
        (void)credit_out_refuse_state(credit, why);
        if (credit->flags & CRD_FLAG_OWN_DOCUMENT)
            why->hint = "; the library made it: undo its cause";
        else
            why->hint = mixed ? "; its receipt applied other credits as well: undo the receipt"
                                       : "; money moved that no deletion brings back: void what is left";
        return CRD_E_STATE;
    }
    if (credit->issued <= command->when.closed_through) {
        (void)credit_out_refuse(why, CRD_E_CLOSED, credit, command->when.closed_through, credit->issued);
        why->hint = "; in the open period void or refund it, or adjust the balance";
        return CRD_E_CLOSED;
    }
    status = crd__decide_date(&command->when, CRD_KIND_CREDIT, credit->id, credit->last_date, &date, why);
    if (status != CRD_OK) return status;
    if (date > last_day) {
        (void)credit_out_refuse(why, CRD_E_WINDOW, credit, last_day, date);
        why->hint = "; void or refund it instead";
        return CRD_E_WINDOW;
    }
    if (has_expired(credit, date)) return refuse_expired(why, credit, date);
    if (receipt != NULL && !command->cascade) in_use += receipt->written_off;
    if (in_use > 0) return credit_out_refuse(why, CRD_E_IN_USE, credit, in_use, 0);
    return CRD_OK;
}

void crd__decide_delete(const crd_credit_record *credit, const crd__when *when, crd__decision *out) {
    crd__decide_move(out, CRD_ENTRY_DELETE, when->date, credit->remaining);
}
