/*
 * What a journal entry does. See fold.h.
 *
 * Invariants:
 * 1. Every amount that leaves one field of a document enters another field of the same document, so the identities of
 *    rule M1 hold after each entry; both are checked before the fold says CRD_OK.
 * 2. An account's totals are sums over its documents. They are kept by taking a document's share out before it
 *    changes and putting the new share in afterwards (`leave`, `enter`), so no entry type needs a rule of its own.
 */
#include "core/fold.h"

#include "core/decide.h"
#include "core/money.h"

#include <stddef.h>

static int is_cash(const crd_credit_record *c) {
    return crd__credit_counts_as(c) == CRD_CLASS_CASH;
}

/* Usability turns later than the day of issue: such credit is in `available` only once `turns_on` has passed. */
static int effective_at_issue(const crd_credit_record *c) {
    return c->effective <= c->issued;
}

/* What came from another customer or an older system was not issued here (rules M4, M10). */
static int counts_as_issued(const crd_credit_record *c) {
    return !(c->flags & (CRD_FLAG_DELETED | CRD_FLAG_TRANSFERRED_IN)) && c->credit_class != CRD_CLASS_OPENING;
}

static void leave_credit(crd_account_record *a, const crd_credit_record *c) {
    a->open_credits -= c->remaining > 0;
    a->credit_remaining -= c->remaining;
    a->credit_held -= c->held;
    a->credit_allocated -= c->allocated;
    a->applied -= c->applied - c->applied_by_receipt;
    if (is_cash(c)) a->cash_remaining -= c->remaining;
    if (effective_at_issue(c)) a->available -= crd__credit_available(c);
    if (counts_as_issued(c)) {
        a->credits_issued -= 1;
        a->issued -= crd__credit_credited(c);
    }
}

static void turn(crd_account_record *a, int32_t date) {
    if (date != 0 && (a->turns_on == 0 || date < a->turns_on)) a->turns_on = date;
}

/* Only what is issued or received can make a total grow beyond 64 bits; all else moves within the sums checked then. */
static crd_status enter_credit(crd_account_record *a, const crd_credit_record *c) {
    a->open_credits += c->remaining > 0;
    if (!crd__add(a->credit_remaining, c->remaining, &a->credit_remaining)) return CRD_E_OVERFLOW;
    if (!crd__add(a->applied, c->applied - c->applied_by_receipt, &a->applied)) return CRD_E_OVERFLOW;
    a->credit_held += c->held;
    a->credit_allocated += c->allocated;
    if (is_cash(c)) a->cash_remaining += c->remaining;
    if (effective_at_issue(c)) a->available += crd__credit_available(c);
    if (counts_as_issued(c)) {
        a->credits_issued += 1;
        if (!crd__add(a->issued, crd__credit_credited(c), &a->issued)) return CRD_E_OVERFLOW;
    }
    if (c->remaining > 0) {
        turn(a, c->expires);
        if (effective_at_issue(c))
            a->usable_from = CRD__MAX(a->usable_from, c->effective);
        else
            turn(a, c->effective);
    }
    return crd__credit_check(c) ? CRD_OK : CRD_E_CORRUPT;
}

static void leave_invoice(crd_account_record *a, const crd_invoice_record *i) {
    a->open_invoices -= i->open > 0;
    a->invoice_open -= i->open;
}

static crd_status enter_invoice(crd_account_record *a, const crd_invoice_record *i) {
    a->open_invoices += i->open > 0;
    if (!crd__add(a->invoice_open, i->open, &a->invoice_open)) return CRD_E_OVERFLOW;
    return crd__invoice_check(i) ? CRD_OK : CRD_E_CORRUPT;
}

/* At remaining 0 the state is named by what took the last of it (rule M5). */
static void name_credit(crd_credit_record *c, uint32_t cause) {
    int voided = cause == CRD_CAUSE_VOIDED || cause == CRD_CAUSE_EXPIRED || cause == CRD_CAUSE_REVERSED ||
                 cause == CRD_CAUSE_DELETED;
    if (c->remaining > 0) {
        c->state = CRD_CREDIT_ACTIVE;
        c->cause = CRD_CAUSE_NONE;
    } else {
        c->state = voided ? CRD_CREDIT_VOIDED : CRD_CREDIT_SPENT;
        c->cause = cause;
    }
}

/* Only bad debt leaves an invoice WrittenOff; tolerance and discount leave it Paid (rule M5). */
static void name_invoice(crd_invoice_record *i, uint32_t cause) {
    if (i->state == CRD_INVOICE_DRAFT || i->state == CRD_INVOICE_CANCELLED || i->state == CRD_INVOICE_VOIDED) return;
    if (i->open > 0) {
        i->state = CRD_INVOICE_OPEN;
        i->cause = CRD_CAUSE_NONE;
    } else {
        i->state = cause == CRD_CAUSE_WRITTEN_OFF ? CRD_INVOICE_WRITTEN_OFF : CRD_INVOICE_PAID;
        i->cause = cause;
    }
}

/* Moves `amount` from the credit's remainder to one of its columns, or back when it is negative. */
static void fold_take(crd_credit_record *c, int64_t *column, int64_t amount, uint32_t cause) {
    c->remaining -= amount;
    *column += amount;
    name_credit(c, cause);
}

static void touch_credit(const crd_entry_record *e, crd_credit_record *c) {
    c->last_seq = e->seq;
    c->last_date = CRD__MAX(c->last_date, e->business_date);
}

static void touch_invoice(const crd_entry_record *e, crd_invoice_record *i) {
    i->last_seq = e->seq;
    i->last_date = CRD__MAX(i->last_date, e->business_date);
}

static void touch_receipt(const crd_entry_record *e, crd_receipt_record *r) {
    r->last_seq = e->seq;
    r->last_date = CRD__MAX(r->last_date, e->business_date);
    if (e->flags & CRD_ENTRY_POSTS_RECEIPT) r->posted_seq = e->seq;
}

static void touch_hold(const crd_entry_record *e, crd_hold_record *h) {
    h->last_seq = e->seq;
    h->last_date = CRD__MAX(h->last_date, e->business_date);
}

/* An application and its undoing: the same sums, one way or the other. */
static void fold_apply(const crd_entry_record *e, const crd__records *r, int64_t amount) {
    fold_take(r->credit, &r->credit->applied, amount, CRD_CAUSE_APPLIED);
    if (e->flags & CRD_ENTRY_BY_OWN_RECEIPT) r->credit->applied_by_receipt += amount;
    if (r->invoice != NULL) {
        r->invoice->open -= amount;
        r->invoice->applied += amount;
        name_invoice(r->invoice, CRD_CAUSE_APPLIED);
    } else {
        r->credit->applied_outside += amount;
    }
    if (r->receipt != NULL) r->receipt->applied += amount;
}

/* What is voided or deleted of a memo for a return is not returned any more, nor its share of the tax (rule M12). */
static void fold_give_up(const crd_entry_record *e, const crd__records *r, int64_t *column, uint32_t cause) {
    const crd_credit_record *c = r->credit;
    int64_t before = c->voided + c->deleted;
    fold_take(r->credit, column, e->amount, cause);
    if (r->invoice == NULL) return;
    r->invoice->returned -= e->amount;
    r->invoice->returned_tax -= crd__tax_part(c->tax, c->voided + c->deleted, c->original) -
                                crd__tax_part(c->tax, before, c->original);
}

static void fold_reverse(const crd_entry_record *e, crd_credit_record *c) {
    fold_take(c, &c->reversed, e->amount, CRD_CAUSE_REVERSED);
    if (e->flags & CRD_ENTRY_BY_OWN_RECEIPT) c->reversed_own += e->amount;
}

/* Attributes a host may change after issue; amounts, dates of issue and origin stay. */
static crd_status change_credit(const crd__records *r) {
    const crd_credit_record *to = r->image;
    crd_credit_record *c = r->credit;
    if (to == NULL) return CRD_E_CORRUPT;
    c->flags = to->flags;
    c->expires = to->expires;
    c->effective = to->effective;
    c->priority = to->priority;
    c->pays_kinds = to->pays_kinds;
    c->prefers = to->prefers;
    c->source = to->source;
    c->reason = to->reason;
    c->notes = to->notes;
    c->reference = to->reference;
    return CRD_OK;
}

static crd_status fold_credit(const crd_entry_record *e, const crd__records *r) {
    crd_credit_record *c = r->credit;
    switch (e->type) {
    case CRD_ENTRY_APPLY: fold_apply(e, r, e->amount); return CRD_OK;
    case CRD_ENTRY_UNAPPLY: fold_apply(e, r, -e->amount); return CRD_OK;
    case CRD_ENTRY_VOID: fold_give_up(e, r, &c->voided, CRD_CAUSE_VOIDED); return CRD_OK;
    case CRD_ENTRY_DELETE:
        c->flags |= CRD_FLAG_DELETED;
        fold_give_up(e, r, &c->deleted, CRD_CAUSE_DELETED);
        return CRD_OK;
    case CRD_ENTRY_EXPIRE: fold_take(c, &c->expired, e->amount, CRD_CAUSE_EXPIRED); return CRD_OK;
    case CRD_ENTRY_REVERSE: fold_reverse(e, c); return CRD_OK;
    case CRD_ENTRY_REFUND: fold_take(c, &c->refunded, e->amount, CRD_CAUSE_REFUNDED); return CRD_OK;
    case CRD_ENTRY_UNREFUND: fold_take(c, &c->refunded, -e->amount, CRD_CAUSE_REFUNDED); return CRD_OK;
    case CRD_ENTRY_ADJUST_PIECE: fold_take(c, &c->adjusted, e->amount, CRD_CAUSE_ADJUSTED); return CRD_OK;
    case CRD_ENTRY_UNADJUST: fold_take(c, &c->adjusted, -e->amount, CRD_CAUSE_ADJUSTED); return CRD_OK;
    case CRD_ENTRY_TRANSFER: fold_take(c, &c->transferred, e->amount, CRD_CAUSE_TRANSFERRED); return CRD_OK;
    case CRD_ENTRY_UNTRANSFER: fold_take(c, &c->transferred, -e->amount, CRD_CAUSE_TRANSFERRED); return CRD_OK;
    case CRD_ENTRY_CREDIT_CHANGE: return change_credit(r);
    default: return CRD_E_CORRUPT;
    }
}

/* A new total: of a posted invoice the difference is open, which what was settled must leave room for (rule M12). The
 * entry says what settled the invoice if nothing is open then. */
static crd_status fold_revise(const crd_entry_record *e, const crd__records *r) {
    const crd_invoice_record *to = r->image;
    crd_invoice_record *i = r->invoice;
    if (to == NULL) return CRD_E_CORRUPT;
    if (i->state != CRD_INVOICE_DRAFT) i->open += to->total - i->total;
    i->total = to->total;
    i->tax = to->tax;
    i->due = to->due;
    i->flags = to->flags;
    i->line_count = to->line_count;
    for (size_t n = 0; n < sizeof i->lines_digest; n++) i->lines_digest[n] = to->lines_digest[n];
    i->reference = to->reference;
    i->text = to->text;
    i->revision += 1;
    name_invoice(i, e->cause);
    return CRD_OK;
}

static void fold_write_off(const crd_entry_record *e, const crd__records *r, int64_t amount) {
    r->invoice->open -= amount;
    r->invoice->written_off += amount;
    name_invoice(r->invoice, e->cause);
    if (r->receipt != NULL) r->receipt->written_off += amount;
}

static crd_status fold_invoice(const crd_entry_record *e, const crd__records *r) {
    crd_invoice_record *i = r->invoice;
    switch (e->type) {
    case CRD_ENTRY_SEND:
        i->state = CRD_INVOICE_OPEN;
        i->issued = e->business_date;
        i->issued_at = e->instant;
        i->open = i->total;
        name_invoice(i, CRD_CAUSE_NONE);
        return CRD_OK;
    case CRD_ENTRY_INVOICE_VOID:
        i->state = i->state == CRD_INVOICE_DRAFT ? CRD_INVOICE_CANCELLED : CRD_INVOICE_VOIDED;
        i->cause = i->state == CRD_INVOICE_VOIDED ? CRD_CAUSE_VOIDED : CRD_CAUSE_CANCELLED;
        i->cancelled += i->open;
        i->open = 0;
        return CRD_OK;
    case CRD_ENTRY_CUT:
        i->cancelled += e->amount;
        i->open -= e->amount;
        name_invoice(i, CRD_CAUSE_CANCELLED);
        return CRD_OK;
    case CRD_ENTRY_REVISE: return fold_revise(e, r);
    case CRD_ENTRY_WRITE_OFF: fold_write_off(e, r, e->amount); return CRD_OK;
    case CRD_ENTRY_UNWRITE_OFF: fold_write_off(e, r, -e->amount); return CRD_OK;
    default: return CRD_E_CORRUPT;
    }
}

/* A memo that names its invoice is a return, or the invoice's other half (rule M12). */
static crd_status fold_issue(const crd_entry_record *e, const crd__records *r) {
    if (r->credit == NULL || r->credit->first_seq != e->seq) return CRD_E_CORRUPT;
    touch_credit(e, r->credit);
    if (r->receipt != NULL) touch_receipt(e, r->receipt);
    if (r->invoice != NULL) {
        leave_invoice(r->account, r->invoice);
        if (!crd__add(r->invoice->returned, r->credit->original, &r->invoice->returned)) return CRD_E_OVERFLOW;
        r->invoice->returned_tax += r->credit->tax;
        if (r->credit->kind == CRD_CREDIT_REVERSED_INVOICE) {
            r->invoice->flags |= CRD_FLAG_REVERSED;
            r->invoice->reversed_by = r->credit->id;
        }
        touch_invoice(e, r->invoice);
        if (enter_invoice(r->account, r->invoice) != CRD_OK) return CRD_E_CORRUPT;
    }
    return enter_credit(r->account, r->credit);
}

static crd_status fold_customer(const crd_entry_record *e, const crd__records *r) {
    const crd_customer_record *to = r->image;
    crd_customer_record *c = r->customer;
    if (c == NULL) return CRD_E_CORRUPT;
    if (to != NULL) {
        c->switches = to->switches;
        c->name = to->name;
        c->category = to->category;
        c->location = to->location;
        c->parent = to->parent;
        c->last_seq = e->seq;
    }
    r->account->switches = c->switches;
    return c->last_seq == e->seq ? CRD_OK : CRD_E_CORRUPT;
}

/* Entries that create a document: the image is the document, the fold only counts it in. */
static crd_status fold_image(const crd_entry_record *e, const crd__records *r) {
    switch (e->type) {
    case CRD_ENTRY_CUSTOMER: return fold_customer(e, r);
    case CRD_ENTRY_RECEIPT:
        if (r->receipt == NULL) return CRD_E_CORRUPT;
        touch_receipt(e, r->receipt);
        return r->receipt->first_seq == e->seq ? CRD_OK : CRD_E_CORRUPT;
    case CRD_ENTRY_ISSUE: return fold_issue(e, r);
    case CRD_ENTRY_INVOICE:
        if (r->invoice == NULL || r->invoice->first_seq != e->seq) return CRD_E_CORRUPT;
        touch_invoice(e, r->invoice);
        return enter_invoice(r->account, r->invoice);
    default: return CRD_E_CORRUPT;
    }
}

/* Entries that end a receipt; what its money did is taken back by entries of its own. Money that returns later goes the
 * same way, so its credit is marked too (rules M8, M13). */
static crd_status fold_receipt(const crd_entry_record *e, const crd__records *r) {
    if (r->receipt == NULL) return CRD_E_CORRUPT;
    switch (e->type) {
    case CRD_ENTRY_RECEIPT_UNDO:
        r->receipt->state = CRD_RECEIPT_UNDONE;
        r->receipt->cause = CRD_CAUSE_UNDONE;
        break;
    case CRD_ENTRY_RECEIPT_REVERSE:
        r->receipt->state = CRD_RECEIPT_REVERSED;
        r->receipt->cause = CRD_CAUSE_REVERSED;
        r->receipt->flags |= CRD_FLAG_REVERSED;
        break;
    default:
        r->receipt->state = CRD_RECEIPT_DELETED;
        r->receipt->cause = CRD_CAUSE_DELETED;
        r->receipt->flags |= CRD_FLAG_DELETED;
        break;
    }
    touch_receipt(e, r->receipt);
    if (r->credit != NULL) {
        if (e->type != CRD_ENTRY_RECEIPT_DELETE) r->credit->flags |= CRD_FLAG_REVERSED;
        touch_credit(e, r->credit);
    }
    if (e->type == CRD_ENTRY_RECEIPT_REVERSE) return CRD_OK; /* credits used on the same receipt stay applied */
    return r->receipt->applied == 0 && r->receipt->written_off == 0 ? CRD_OK : CRD_E_CORRUPT;
}

static crd_status fold_move(crd_entry_record *e, const crd__records *r, int wants_credit) {
    crd_status status;
    if (e->amount < 0 || (wants_credit ? r->credit == NULL : r->invoice == NULL)) return CRD_E_CORRUPT;
    if (r->credit != NULL) leave_credit(r->account, r->credit);
    if (r->invoice != NULL) leave_invoice(r->account, r->invoice);
    status = wants_credit ? fold_credit(e, r) : fold_invoice(e, r);
    if (r->credit != NULL) {
        touch_credit(e, r->credit);
        if (status == CRD_OK) status = enter_credit(r->account, r->credit);
        e->credit_after = r->credit->remaining;
    }
    if (r->invoice != NULL) {
        touch_invoice(e, r->invoice);
        if (status == CRD_OK) status = enter_invoice(r->account, r->invoice);
        e->invoice_after = r->invoice->open;
    }
    if (r->receipt != NULL) {
        touch_receipt(e, r->receipt);
        if (r->receipt->applied < 0 || r->receipt->written_off < 0) status = CRD_E_CORRUPT;
    }
    if (r->hold != NULL) touch_hold(e, r->hold); /* the application of what was captured names it */
    return status;
}

/* ---- holds ---- */

/* Puts `amount` of the credit aside, or gives it back when it is negative: for a draft it is allocated. */
static void put_aside(const crd__records *r, int64_t amount) {
    if (r->hold->invoice[0] != '\0') {
        r->credit->allocated += amount;
        r->invoice->allocated += amount;
    } else {
        r->credit->held += amount;
    }
}

static void end_hold(const crd_entry_record *e, crd_hold_record *h) {
    static const struct {
        uint32_t state, cause;
    } ends[] = {{CRD_HOLD_RELEASED, CRD_CAUSE_NONE}, {CRD_HOLD_LAPSED, CRD_CAUSE_EXPIRED},
                {CRD_HOLD_CAPTURED, CRD_CAUSE_APPLIED}};
    h->amount -= e->amount;
    if (e->type == CRD_ENTRY_CAPTURE)
        h->captured += e->amount;
    else
        h->released += e->amount;
    if (h->amount > 0) return;
    h->state = ends[e->type - CRD_ENTRY_RELEASE].state;
    h->cause = ends[e->type - CRD_ENTRY_RELEASE].cause;
}

static crd_status fold_hold(crd_entry_record *e, const crd__records *r) {
    crd_hold_record *h = r->hold;
    crd_status status;
    if (e->amount < 0 || h == NULL || r->credit == NULL || (h->invoice[0] != '\0') != (r->invoice != NULL))
        return CRD_E_CORRUPT;
    if (e->type == CRD_ENTRY_HOLD && (h->first_seq != e->seq || h->amount != e->amount)) return CRD_E_CORRUPT;
    leave_credit(r->account, r->credit);
    put_aside(r, e->type == CRD_ENTRY_HOLD ? e->amount : -e->amount);
    if (e->type != CRD_ENTRY_HOLD) end_hold(e, h);
    touch_hold(e, h);
    if (h->lapses_at != 0 && (r->account->lapses_at == 0 || h->lapses_at < r->account->lapses_at))
        r->account->lapses_at = h->lapses_at;
    touch_credit(e, r->credit);
    status = enter_credit(r->account, r->credit);
    e->credit_after = r->credit->remaining;
    if (r->invoice != NULL) {
        touch_invoice(e, r->invoice);
        if (!crd__invoice_check(r->invoice)) status = CRD_E_CORRUPT;
        e->invoice_after = r->invoice->open;
    }
    return h->amount >= 0 ? status : CRD_E_CORRUPT;
}

crd_status crd__fold(crd_entry_record *e, const crd__records *r) {
    switch (e->type) {
    case CRD_ENTRY_CUSTOMER:
    case CRD_ENTRY_RECEIPT:
    case CRD_ENTRY_ISSUE:
    case CRD_ENTRY_INVOICE: return fold_image(e, r);
    case CRD_ENTRY_RECEIPT_UNDO:
    case CRD_ENTRY_RECEIPT_REVERSE:
    case CRD_ENTRY_RECEIPT_DELETE: return fold_receipt(e, r);
    case CRD_ENTRY_SWITCHES: r->account->switches = (uint32_t)e->amount; return CRD_OK;
    case CRD_ENTRY_ADJUST: return e->amount >= 0 ? CRD_OK : CRD_E_CORRUPT; /* its pieces, or its credit, follow */
    case CRD_ENTRY_HOLD:
    case CRD_ENTRY_RELEASE:
    case CRD_ENTRY_LAPSE:
    case CRD_ENTRY_CAPTURE: return fold_hold(e, r);
    case CRD_ENTRY_SEND:
    case CRD_ENTRY_REVISE:
    case CRD_ENTRY_INVOICE_VOID:
    case CRD_ENTRY_WRITE_OFF:
    case CRD_ENTRY_UNWRITE_OFF:
    case CRD_ENTRY_CUT: return fold_move(e, r, 0);
    default: return fold_move(e, r, 1);
    }
}

void crd__fold_account(const crd_entry_record *e, crd_account_record *a) {
    a->last_seq = e->seq;
    a->last_instant = e->instant;
    a->last_date = CRD__MAX(a->last_date, e->business_date);
    for (int i = 0; i < 32; i++) a->last_hash[i] = e->hash[i];
    a->version = crd_entry_version(e->hash);
    if (a->open_credits == 0) a->turns_on = a->usable_from = 0; /* what is left of the past concerns nobody any more */
    if (a->credit_held == 0) a->lapses_at = 0;
}

int crd__account_check(const crd_account_record *a) {
    return a->version > 0 && a->last_seq > 0 && a->acknowledged_seq >= 0 && a->acknowledged_seq <= a->last_seq &&
           a->open_credits >= 0 && a->open_invoices >= 0 && a->credit_remaining >= 0 && a->credit_held >= 0 &&
           a->credit_allocated >= 0 && a->credit_held <= a->credit_remaining &&
           a->credit_allocated <= a->credit_remaining - a->credit_held && a->cash_remaining >= 0 &&
           a->cash_remaining <= a->credit_remaining && a->available >= 0 && a->invoice_open >= 0 &&
           a->available <= a->credit_remaining - a->credit_held - a->credit_allocated &&
           a->credits_issued >= 0 && a->issued >= 0 && a->applied >= 0 &&
           (a->open_credits > 0) == (a->credit_remaining > 0) && (a->open_invoices > 0) == (a->invoice_open > 0);
}
