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

static int counts_as_issued(const crd_credit_record *c) {
    return !(c->flags & (CRD_FLAG_DELETED | CRD_FLAG_TRANSFERRED_IN));
}

static void leave_credit(crd_account_record *a, const crd_credit_record *c) {
    a->open_credits -= c->remaining > 0;
    a->credit_remaining -= c->remaining;
    a->credit_held -= c->held;
    a->credit_allocated -= c->allocated;
    a->applied -= c->applied;
    if (is_cash(c)) a->cash_remaining -= c->remaining;
    if (effective_at_issue(c)) a->available -= crd__credit_available(c);
    if (counts_as_issued(c)) {
        a->credits_issued -= 1;
        a->issued -= c->original;
    }
}

static void turn(crd_account_record *a, int32_t date) {
    if (date != 0 && (a->turns_on == 0 || date < a->turns_on)) a->turns_on = date;
}

/* Only what is issued or received can make a total grow beyond 64 bits; all else moves within the sums checked then. */
static crd_status enter_credit(crd_account_record *a, const crd_credit_record *c) {
    a->open_credits += c->remaining > 0;
    if (!crd__add(a->credit_remaining, c->remaining, &a->credit_remaining)) return CRD_E_OVERFLOW;
    if (!crd__add(a->applied, c->applied, &a->applied)) return CRD_E_OVERFLOW;
    a->credit_held += c->held;
    a->credit_allocated += c->allocated;
    if (is_cash(c)) a->cash_remaining += c->remaining;
    if (effective_at_issue(c)) a->available += crd__credit_available(c);
    if (counts_as_issued(c)) {
        a->credits_issued += 1;
        if (!crd__add(a->issued, c->original, &a->issued)) return CRD_E_OVERFLOW;
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

static void name_invoice(crd_invoice_record *i, uint32_t cause) {
    if (i->state == CRD_INVOICE_DRAFT || i->state == CRD_INVOICE_CANCELLED || i->state == CRD_INVOICE_VOIDED) return;
    i->state = i->open > 0 ? CRD_INVOICE_OPEN : CRD_INVOICE_PAID;
    i->cause = i->open > 0 ? CRD_CAUSE_NONE : cause;
}

/* Moves `amount` from the credit's remainder to one of its columns, or back when it is negative. */
static void take(crd_credit_record *c, int64_t *column, int64_t amount, uint32_t cause) {
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

/* An application and its undoing: the same sums, one way or the other. */
static void apply(const crd_entry_record *e, const crd__records *r, int64_t amount) {
    take(r->credit, &r->credit->applied, amount, CRD_CAUSE_APPLIED);
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

static crd_status fold_credit(const crd_entry_record *e, const crd__records *r) {
    crd_credit_record *c = r->credit;
    switch (e->type) {
    case CRD_ENTRY_APPLY: apply(e, r, e->amount); return CRD_OK;
    case CRD_ENTRY_UNAPPLY: apply(e, r, -e->amount); return CRD_OK;
    case CRD_ENTRY_VOID: take(c, &c->voided, e->amount, CRD_CAUSE_VOIDED); return CRD_OK;
    case CRD_ENTRY_EXPIRE: take(c, &c->expired, e->amount, CRD_CAUSE_EXPIRED); return CRD_OK;
    case CRD_ENTRY_REVERSE: take(c, &c->reversed, e->amount, CRD_CAUSE_REVERSED); return CRD_OK;
    case CRD_ENTRY_DELETE: take(c, &c->deleted, e->amount, CRD_CAUSE_DELETED); return CRD_OK;
    default: return CRD_E_CORRUPT;
    }
}

static crd_status fold_invoice(const crd_entry_record *e, crd_invoice_record *i) {
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
    default: return CRD_E_CORRUPT;
    }
}

/* Entries that create a document: the image is the document, the fold only counts it in. */
static crd_status fold_image(const crd_entry_record *e, const crd__records *r) {
    switch (e->type) {
    case CRD_ENTRY_CUSTOMER:
        if (r->customer == NULL) return CRD_E_CORRUPT;
        r->account->switches = r->customer->switches;
        return r->customer->last_seq == e->seq ? CRD_OK : CRD_E_CORRUPT;
    case CRD_ENTRY_RECEIPT:
        if (r->receipt == NULL) return CRD_E_CORRUPT;
        touch_receipt(e, r->receipt);
        return r->receipt->first_seq == e->seq ? CRD_OK : CRD_E_CORRUPT;
    case CRD_ENTRY_ISSUE:
        if (r->credit == NULL || r->credit->first_seq != e->seq) return CRD_E_CORRUPT;
        touch_credit(e, r->credit);
        if (r->receipt != NULL) touch_receipt(e, r->receipt);
        return enter_credit(r->account, r->credit);
    case CRD_ENTRY_INVOICE:
        if (r->invoice == NULL || r->invoice->first_seq != e->seq) return CRD_E_CORRUPT;
        touch_invoice(e, r->invoice);
        return enter_invoice(r->account, r->invoice);
    default: return CRD_E_CORRUPT;
    }
}

/* Entries that concern the whole receipt; what its money did has entries of its own. */
static crd_status fold_receipt(const crd_entry_record *e, const crd__records *r) {
    if (r->receipt == NULL) return CRD_E_CORRUPT;
    r->receipt->state = CRD_RECEIPT_UNDONE;
    r->receipt->cause = CRD_CAUSE_UNDONE;
    touch_receipt(e, r->receipt);
    return r->receipt->applied == 0 && r->receipt->amount == 0 ? CRD_OK : CRD_E_CORRUPT;
}

static crd_status fold_move(crd_entry_record *e, const crd__records *r, int wants_credit) {
    crd_status status;
    if (e->amount < 0 || (wants_credit ? r->credit == NULL : r->invoice == NULL)) return CRD_E_CORRUPT;
    if (r->credit != NULL) leave_credit(r->account, r->credit);
    if (r->invoice != NULL) leave_invoice(r->account, r->invoice);
    status = wants_credit ? fold_credit(e, r) : fold_invoice(e, r->invoice);
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
        if (r->receipt->applied < 0) status = CRD_E_CORRUPT;
    }
    return status;
}

crd_status crd__fold(crd_entry_record *e, const crd__records *r) {
    switch (e->type) {
    case CRD_ENTRY_CUSTOMER:
    case CRD_ENTRY_RECEIPT:
    case CRD_ENTRY_ISSUE:
    case CRD_ENTRY_INVOICE: return fold_image(e, r);
    case CRD_ENTRY_RECEIPT_UNDO: return fold_receipt(e, r);
    case CRD_ENTRY_SWITCHES: r->account->switches = (uint32_t)e->amount; return CRD_OK;
    case CRD_ENTRY_SEND:
    case CRD_ENTRY_INVOICE_VOID: return fold_move(e, r, 0);
    default: return fold_move(e, r, 1);
    }
}

void crd__fold_account(const crd_entry_record *e, crd_account_record *a) {
    a->last_seq = e->seq;
    a->last_instant = e->instant;
    for (int i = 0; i < 32; i++) a->last_hash[i] = e->hash[i];
    a->version = crd_entry_version(e->hash);
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
