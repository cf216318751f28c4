/*
 * Credit put aside, and what time takes back (rules M6, M7, M9, M10), as decisions. See decide.h for their shape.
 */
#include "core/decide.h"

#include <stddef.h>

int crd__hold_lapsed(const crd_hold_record *hold, int64_t instant) {
    return hold->state == CRD_HOLD_HELD && hold->lapses_at != 0 && hold->lapses_at <= instant;
}

int crd__credit_expired(const crd_credit_record *credit, int32_t date) {
    return credit->expires != 0 && date >= credit->expires;
}

int32_t crd__day_entered(const crd_credit_record *credit, const crd__when *when, int32_t day) {
    return CRD__MAX(CRD__MAX(day, credit->last_date), when->closed_through + 1);
}

void crd__decide_expire(const crd_credit_record *credit, const crd__when *when, int32_t date, crd__decision *out) {
    int64_t available = crd__credit_available(credit);
    if (!crd__credit_expired(credit, date) || available == 0) return;
    crd__decide_move(out, CRD_ENTRY_EXPIRE, crd__day_entered(credit, when, credit->expires), available);
    out->moves[out->count - 1].flags = CRD_ENTRY_CONSEQUENCE;
}

void crd__decide_lapse(const crd_credit_record *credit, const crd_hold_record *hold, const crd__when *when,
                       crd__decision *out) {
    int32_t day = crd__day_entered(credit, when, hold->lapses_on);
    crd__decide_expire(credit, when, day, out);
    crd__decide_move(out, CRD_ENTRY_LAPSE, day, hold->amount);
    out->moves[out->count - 1].flags = CRD_ENTRY_CONSEQUENCE;
}

static crd_status hold_refuse_state(crd__refusal *why, uint32_t kind, const char *id, int64_t limit, uint32_t state) {
    return crd__refuse(why, CRD_E_STATE, kind, id, limit, state);
}

/* The dates of all that is touched; NULL is not. */
static crd_status decide_dates(const crd__when *when, const crd_credit_record *credit,
                               const crd_invoice_record *invoice, int32_t *date, crd__refusal *why) {
    crd_status status;
    *date = when->date;
    status = crd__decide_date(when, CRD_KIND_CREDIT, credit->id, credit->last_date, date, why);
    if (status == CRD_OK && invoice != NULL)
        status = crd__decide_date(when, CRD_KIND_INVOICE, invoice->id, invoice->last_date, date, why);
    return status;
}

/* Bounded by what the credit has, then by what the invoice takes; `all` is what amount 0 asks for. */
static crd_status hold_decide_amount(const crd__hold_command *command, int64_t all, crd__refusal *has,
                                     const crd_invoice_record *invoice, int64_t takes, int64_t *amount,
                                     crd__refusal *why) {
    int64_t bound = invoice != NULL ? CRD__MIN(has->limit, takes) : has->limit;
    *amount = command->amount != 0 ? command->amount : all;
    if (command->clamp && *amount > bound) *amount = bound;
    if (*amount == 0) return crd__refuse(why, CRD_E_NOTHING, has->subject_kind, has->subject, has->limit, 0);
    if (*amount > has->limit)
        return crd__refuse(why, CRD_E_CREDIT_AMOUNT, has->subject_kind, has->subject, has->limit, *amount);
    if (*amount > bound)
        return crd__refuse(why, CRD_E_INVOICE_AMOUNT, CRD_KIND_INVOICE, invoice->id, bound, *amount);
    return CRD_OK;
}

static crd_status refuse_kind(const crd_credit_record *credit, const crd_invoice_record *invoice, crd__refusal *why) {
    if (credit->pays_kinds == 0 || (invoice != NULL && (credit->pays_kinds >> invoice->kind & 1))) return CRD_OK;
    return crd__refuse(why, CRD_E_RESTRICTED, CRD_KIND_CREDIT, credit->id, credit->pays_kinds,
                       invoice != NULL ? invoice->kind : 0);
}

crd_status crd__decide_hold(const crd_credit_record *credit, const crd_invoice_record *draft,
                            const crd__hold_command *command, crd__decision *out, crd__refusal *why) {
    int64_t amount = 0, due = draft != NULL ? draft->total - draft->allocated : 0;
    int32_t date;
    crd__refusal has;
    crd_status status;
    if (credit->state != CRD_CREDIT_ACTIVE)
        return hold_refuse_state(why, CRD_KIND_CREDIT, credit->id, credit->remaining, credit->state);
    if (draft != NULL && draft->state != CRD_INVOICE_DRAFT)
        return hold_refuse_state(why, CRD_KIND_INVOICE, draft->id, draft->open, draft->state);
    status = decide_dates(&command->when, credit, draft, &date, why);
    if (status != CRD_OK) return status;
    if (!crd__credit_usable(credit, date))
        return crd__refuse(why, CRD_E_EXPIRED, CRD_KIND_CREDIT, credit->id,
                           date < credit->effective ? credit->effective : credit->expires, date);
    if (draft != NULL && refuse_kind(credit, draft, why) != CRD_OK) return why->code;
    (void)crd__refuse(&has, CRD_OK, CRD_KIND_CREDIT, credit->id, crd__credit_available(credit), 0);
    status = hold_decide_amount(command, has.limit, &has, draft, due, &amount, why);
    if (status == CRD_OK) crd__decide_move(out, CRD_ENTRY_HOLD, date, amount);
    return status;
}

crd_status crd__decide_release(const crd_hold_record *hold, const crd_credit_record *credit,
                               const crd_invoice_record *draft, const crd__hold_command *command, crd__decision *out,
                               crd__refusal *why) {
    int64_t amount = 0;
    int32_t date;
    crd__refusal has;
    crd_status status;
    if (hold->state != CRD_HOLD_HELD)
        return crd__refuse(why, CRD_E_NOTHING, CRD_KIND_HOLD, hold->id, 0, command->amount);
    status = decide_dates(&command->when, credit, draft, &date, why);
    if (status != CRD_OK) return status;
    (void)crd__refuse(&has, CRD_OK, CRD_KIND_HOLD, hold->id, hold->amount, 0);
    status = hold_decide_amount(command, hold->amount, &has, NULL, 0, &amount, why);
    if (status != CRD_OK) return status;
    crd__decide_move(out, CRD_ENTRY_RELEASE, date, amount);
    if (command->stays || !crd__credit_expired(credit, date)) return CRD_OK;
    crd__decide_move(out, CRD_ENTRY_EXPIRE, date, amount);
    out->moves[out->count - 1].flags = CRD_ENTRY_CONSEQUENCE;
    return CRD_OK;
}

/* Not whether the credit is usable: what was put aside in time may be used until it lapses (rule M10). */
crd_status crd__decide_capture(const crd_hold_record *hold, const crd_credit_record *credit,
                               const crd_invoice_record *invoice, const crd__hold_command *command,
                               crd__decision *out, crd__refusal *why) {
    int64_t amount = 0;
    int32_t date;
    crd__refusal has;
    crd_status status;
    if (hold->state != CRD_HOLD_HELD || hold->invoice[0] != '\0')
        return hold_refuse_state(why, CRD_KIND_HOLD, hold->id, hold->amount, hold->state);
    if (invoice != NULL && invoice->state != CRD_INVOICE_OPEN)
        return hold_refuse_state(why, CRD_KIND_INVOICE, invoice->id, invoice->open, invoice->state);
    status = decide_dates(&command->when, credit, invoice, &date, why);
    if (status != CRD_OK) return status;
    if (refuse_kind(credit, invoice, why) != CRD_OK) return why->code;
    (void)crd__refuse(&has, CRD_OK, CRD_KIND_HOLD, hold->id, hold->amount, 0);
    status = hold_decide_amount(command, hold->amount, &has, invoice, invoice != NULL ? invoice->open : 0,
                                &amount, why);
    if (status != CRD_OK) return status;
    crd__decide_move(out, CRD_ENTRY_CAPTURE, date, amount);
    crd__decide_move(out, CRD_ENTRY_APPLY, date, amount);
    return CRD_OK;
}
