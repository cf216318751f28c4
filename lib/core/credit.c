/*
 * The state machine of a credit (rules M1, M4, M5, M7, M8, M10), as decisions. See decide.h for their shape.
 */
#include "core/decide.h"
#include "core/money.h"

#include <stddef.h>

static const struct {
    uint32_t credit_class;
    const char *source;
} kinds[] = {
    {0, ""},
    {CRD_CLASS_CASH, "prepayment"}, /* a payment that applies nothing: rule M3 */
    {CRD_CLASS_CASH, "prepayment"},
    {CRD_CLASS_CASH, "deposit"},
    {CRD_CLASS_CASH, "overpayment"},
    {CRD_CLASS_CASH, "unapplied cash"},
    {CRD_CLASS_MEMO, "credit memo"},
    {CRD_CLASS_MEMO, "service credit"},
    {CRD_CLASS_MEMO, "allowance"},
    {CRD_CLASS_MEMO, "refund"},
    {CRD_CLASS_MEMO, "reversed invoice"},
    {CRD_CLASS_PROMISE, "goodwill"},
    {CRD_CLASS_PROMISE, "promotion"},
    {CRD_CLASS_PROMISE, "loyalty"},
    {CRD_CLASS_PROMISE, "referral"},
    {CRD_CLASS_ADJUSTMENT, "adjustment"},
    {CRD_CLASS_OPENING, "opening balance"},
};

uint32_t crd__credit_class(uint32_t kind) {
    return kind < sizeof kinds / sizeof kinds[0] ? kinds[kind].credit_class : 0;
}

const char *crd__credit_source(uint32_t kind) {
    return kind < sizeof kinds / sizeof kinds[0] ? kinds[kind].source : "";
}

uint32_t crd__credit_counts_as(const crd_credit_record *credit) {
    if (credit->credit_class == CRD_CLASS_OPENING) return crd__credit_class(credit->stands_for);
    return credit->credit_class;
}

int64_t crd__credit_available(const crd_credit_record *credit) {
    return credit->remaining - credit->held - credit->allocated;
}

int64_t crd__credit_credited(const crd_credit_record *credit) {
    return credit->original - credit->applied_by_receipt - credit->reversed_own;
}

int crd__credit_usable(const crd_credit_record *credit, int32_t date) {
    return credit->effective <= date && (credit->expires == 0 || date < credit->expires);
}

int crd__credit_check(const crd_credit_record *c) {
    const int64_t parts[] = {c->remaining, c->applied,  c->refunded,    c->voided, c->reversed,
                             c->expired,   c->adjusted, c->transferred, c->deleted};
    int64_t sum = 0;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        if (parts[i] < 0 || !crd__add(sum, parts[i], &sum)) return 0;
    if (sum != c->original || c->original < 0) return 0;
    if (c->held < 0 || c->allocated < 0 || c->held > c->remaining || c->allocated > c->remaining - c->held) return 0;
    if (c->applied_outside < 0 || c->applied_by_receipt < 0 || c->applied_outside > c->applied ||
        c->applied_by_receipt > c->applied || c->reversed_own < 0 || c->reversed_own > c->reversed)
        return 0;
    if (c->remaining > 0) return c->state == CRD_CREDIT_ACTIVE;
    return c->state == CRD_CREDIT_SPENT || c->state == CRD_CREDIT_VOIDED;
}

crd_status crd__refuse(crd__refusal *why, crd_status code, uint32_t kind, const char *subject, int64_t limit,
                       int64_t given) {
    why->code = code;
    why->subject_kind = kind;
    why->subject = subject;
    why->field = "";
    why->hint = "";
    why->limit = limit;
    why->given = given;
    return code;
}

void crd__decide_move(crd__decision *out, uint32_t type, int32_t date, int64_t amount) {
    crd__move *move = &out->moves[out->count++];
    move->type = type;
    move->flags = 0;
    move->cause = CRD_CAUSE_NONE;
    move->date = date;
    move->amount = amount;
    move->undoes = 0;
}

crd_status crd__decide_date(const crd__when *when, uint32_t kind, const char *id, int32_t last, int32_t *date,
                            crd__refusal *why) {
    int32_t asked = when->asked != 0 ? when->asked : *date;
    if (!when->direct) *date = CRD__MAX(*date, last);
    if (asked <= when->closed_through) return crd__refuse(why, CRD_E_CLOSED, kind, id, when->closed_through, asked);
    if (*date < last) return crd__refuse(why, CRD_E_DATE, kind, id, last, *date);
    return CRD_OK;
}

crd_status crd__decide_issue(const crd_credit_record *credit, const crd__when *when, crd__refusal *why) {
    if (when->date <= when->closed_through)
        return crd__refuse(why, CRD_E_CLOSED, CRD_KIND_CREDIT, credit->id, when->closed_through, when->date);
    if (credit->expires != 0 && credit->expires <= CRD__MAX(credit->effective, credit->issued))
        return crd__refuse(why, CRD_E_DATE, CRD_KIND_CREDIT, credit->id,
                           CRD__MAX(credit->effective, credit->issued) + 1, credit->expires);
    return CRD_OK;
}

/* Figures for a refusal: both of what the credit has and what the invoice has open are told, one per code. */
static crd_status credit_decide_amount(const crd_credit_record *credit, const crd_invoice_record *invoice,
                                       const crd__apply_command *command, int64_t *amount, crd__refusal *why) {
    int64_t available = crd__credit_available(credit);
    int64_t bound = invoice != NULL ? CRD__MIN(available, invoice->open) : available;
    *amount = command->amount;
    if (command->clamp) {
        if (*amount == 0 || *amount > bound) *amount = bound;
        if (*amount == 0)
            return crd__refuse(why, CRD_E_NOTHING, CRD_KIND_CREDIT, credit->id, available, command->amount);
        return CRD_OK;
    }
    if (*amount > available)
        return crd__refuse(why, CRD_E_CREDIT_AMOUNT, CRD_KIND_CREDIT, credit->id, available, *amount);
    if (*amount > bound)
        return crd__refuse(why, CRD_E_INVOICE_AMOUNT, CRD_KIND_INVOICE, invoice->id, bound, *amount);
    return CRD_OK;
}

crd_status crd__decide_apply(const crd_credit_record *credit, const crd_invoice_record *invoice,
                             const crd__apply_command *command, crd__decision *out, crd__refusal *why) {
    int32_t date = command->when.date;
    int64_t amount = 0;
    crd_status status;
    if (credit->state != CRD_CREDIT_ACTIVE)
        return crd__refuse(why, CRD_E_STATE, CRD_KIND_CREDIT, credit->id, credit->remaining, credit->state);
    if (invoice != NULL && invoice->state != CRD_INVOICE_OPEN)
        return crd__refuse(why, CRD_E_STATE, CRD_KIND_INVOICE, invoice->id, invoice->open, invoice->state);
    status = crd__decide_date(&command->when, CRD_KIND_CREDIT, credit->id, credit->last_date, &date, why);
    if (status == CRD_OK && invoice != NULL)
        status = crd__decide_date(&command->when, CRD_KIND_INVOICE, invoice->id, invoice->last_date, &date, why);
    if (status != CRD_OK) return status;
    if (!crd__credit_usable(credit, date))
        return crd__refuse(why, CRD_E_EXPIRED, CRD_KIND_CREDIT, credit->id,
                           date < credit->effective ? credit->effective : credit->expires, date);
    if (credit->pays_kinds != 0 && (invoice == NULL || !(credit->pays_kinds >> invoice->kind & 1)))
        return crd__refuse(why, CRD_E_RESTRICTED, CRD_KIND_CREDIT, credit->id, credit->pays_kinds,
                           invoice != NULL ? invoice->kind : 0);
    status = credit_decide_amount(credit, invoice, command, &amount, why);
    if (status == CRD_OK) crd__decide_move(out, CRD_ENTRY_APPLY, date, amount);
    return status;
}

/* Where money goes that returns to a credit: by the first that fits (rule M8). 0: it is available again. */
static uint32_t returns_as(const crd_credit_record *credit, int32_t date) {
    uint32_t counts_as = crd__credit_counts_as(credit);
    if (credit->flags & CRD_FLAG_DELETED) return CRD_ENTRY_DELETE;
    if (credit->flags & CRD_FLAG_REVERSED) return CRD_ENTRY_REVERSE;
    if (credit->expires != 0 && date >= credit->expires) return CRD_ENTRY_EXPIRE;
    if (credit->state == CRD_CREDIT_VOIDED && credit->cause == CRD_CAUSE_VOIDED &&
        (counts_as == CRD_CLASS_PROMISE || counts_as == CRD_CLASS_ADJUSTMENT))
        return CRD_ENTRY_VOID;
    return 0;
}

int crd__returns_usable(const crd_credit_record *credit, int32_t date) {
    return returns_as(credit, date) == 0 && crd__credit_usable(credit, date);
}

void crd__decide_money_back(const crd_credit_record *credit, const crd__when *when, uint32_t type, int32_t date,
                            int64_t amount, int64_t seq, crd__decision *out) {
    uint32_t follows = returns_as(credit, date);
    crd__decide_expire(credit, when, date, out);
    crd__decide_move(out, type, date, amount);
    out->moves[out->count - 1].undoes = seq;
    if (follows == 0) return;
    crd__decide_move(out, follows, date, amount);
    out->moves[out->count - 1].flags = CRD_ENTRY_CONSEQUENCE;
}

crd_status crd__decide_unapply(const crd_credit_record *credit, const crd_invoice_record *invoice,
                               const crd_receipt_record *receipt, const crd__unapply_command *command,
                               crd__decision *out, crd__refusal *why) {
    int32_t date = command->when.date;
    int64_t amount = command->amount != 0 ? command->amount : command->left;
    uint32_t follows;
    crd_status status;
    if (credit->kind == CRD_CREDIT_REVERSED_INVOICE && (credit->flags & CRD_FLAG_OWN_DOCUMENT)) {
        (void)crd__refuse(why, CRD_E_STATE, CRD_KIND_CREDIT, credit->id, credit->remaining, credit->state);
        why->hint = "; it reversed its invoice, which is never undone: send a new invoice";
        return CRD_E_STATE;
    }
    if (command->left == 0)
        return crd__refuse(why, CRD_E_NOTHING, CRD_KIND_CREDIT, credit->id, 0, command->amount);
    status = crd__decide_date(&command->when, CRD_KIND_CREDIT, credit->id, credit->last_date, &date, why);
    if (status == CRD_OK && invoice != NULL)
        status = crd__decide_date(&command->when, CRD_KIND_INVOICE, invoice->id, invoice->last_date, &date, why);
    if (status == CRD_OK && receipt != NULL)
        status = crd__decide_date(&command->when, CRD_KIND_RECEIPT, receipt->id, receipt->last_date, &date, why);
    if (status != CRD_OK) return status;
    if (amount > command->left)
        return crd__refuse(why, CRD_E_CREDIT_AMOUNT, CRD_KIND_CREDIT, credit->id, command->left, amount);
    follows = returns_as(credit, date);
    crd__decide_expire(credit, &command->when, date, out); /* a raised date may have reached its expiry */
    crd__decide_move(out, CRD_ENTRY_UNAPPLY, date, amount);
    out->moves[out->count - 1].undoes = command->seq;
    if (command->own_receipt) out->moves[out->count - 1].flags |= CRD_ENTRY_BY_OWN_RECEIPT;
    if (follows != 0) {
        crd__decide_move(out, follows, date, amount);
        out->moves[out->count - 1].flags = CRD_ENTRY_CONSEQUENCE;
    }
    return CRD_OK;
}

crd_status crd__decide_void(const crd_credit_record *credit, const crd__void_command *command, crd__decision *out,
                            crd__refusal *why) {
    int64_t available = crd__credit_available(credit);
    int64_t amount = command->amount != 0 ? command->amount : available;
    const crd_invoice_record *of = command->returns;
    int32_t date = command->when.date;
    crd_status status;
    if (credit->state == CRD_CREDIT_VOIDED || (credit->flags & CRD_FLAG_OWN_DOCUMENT))
        return crd__refuse(why, CRD_E_STATE, CRD_KIND_CREDIT, credit->id, credit->remaining, credit->state);
    if (credit->remaining == 0)
        return crd__refuse(why, CRD_E_NOTHING, CRD_KIND_CREDIT, credit->id, 0, command->amount);
    status = crd__decide_date(&command->when, CRD_KIND_CREDIT, credit->id, credit->last_date, &date, why);
    if (status == CRD_OK && of != NULL)
        status = crd__decide_date(&command->when, CRD_KIND_INVOICE, of->id, of->last_date, &date, why);
    if (status != CRD_OK) return status;
    if (credit->expires != 0 && date >= credit->expires) /* what is left has expired, swept or not (rule M7) */
        return crd__refuse(why, CRD_E_EXPIRED, CRD_KIND_CREDIT, credit->id, credit->expires, date);
    if (available == 0)
        return crd__refuse(why, CRD_E_IN_USE, CRD_KIND_CREDIT, credit->id, credit->held + credit->allocated,
                           command->amount);
    if (amount > available)
        return crd__refuse(why, CRD_E_CREDIT_AMOUNT, CRD_KIND_CREDIT, credit->id, available, amount);
    crd__decide_move(out, CRD_ENTRY_VOID, date, amount);
    return CRD_OK;
}
