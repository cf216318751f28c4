/*
 * Rule M17. See posting.h.
 *
 * Which entry of a chain posts what: an entry posts what it alone does to the records, and the sum over the chain is
 * what the rule says. A bounced payment is UNAPPLY (receivable / deposits), REVERSE (deposits / bank), the debit memo's
 * INVOICE (receivable / bank) and RECEIPT_REVERSE (what had expired, been voided or adjusted / bank): the bank gives
 * back the whole payment. So it is with one entered in error, which ends with RECEIPT_UNDO. The entries RECEIPT and ADJUST
 * post nothing, what they cause does.
 */
#include "core/posting.h"

#include "core/decide.h"

#include <stddef.h>

typedef struct poster {
    crd__leg *legs;
    uint32_t count;
} poster;

static void leg(poster *p, uint32_t role, int64_t amount) {
    if (amount == 0) return;
    p->legs[p->count].role = role;
    p->legs[p->count].other = 0;
    p->legs[p->count].amount = amount;
    p->count++;
}

static void pair(poster *p, uint32_t debit, uint32_t credit, int64_t amount) {
    leg(p, debit, amount);
    leg(p, credit, -amount);
}

/* `of` against `income`, of which `tax` goes to the tax account instead; mirrored when the amounts are negative. */
static void with_tax(poster *p, uint32_t of, uint32_t income, int64_t amount, int64_t tax) {
    leg(p, of, amount);
    leg(p, income, tax - amount);
    leg(p, CRD_GL_TAX, -tax);
}

static uint32_t liability(const crd_credit_record *c) {
    return crd__credit_counts_as(c) == CRD_CLASS_CASH ? CRD_GL_DEPOSITS : CRD_GL_CREDITS;
}

/* Where a credit of a class comes from, and goes back to when it is deleted. */
static uint32_t source(const crd_credit_record *c) {
    switch (c->credit_class) {
    case CRD_CLASS_CASH: return CRD_GL_BANK;
    case CRD_CLASS_MEMO: return CRD_GL_RETURNS;
    case CRD_CLASS_PROMISE: return CRD_GL_PROMOTION;
    case CRD_CLASS_ADJUSTMENT: return CRD_GL_ADJUSTMENT;
    default: return CRD_GL_OPENING;
    }
}

static uint32_t voids_to(const crd_credit_record *c) {
    return c->credit_class == CRD_CLASS_CASH ? CRD_GL_BREAKAGE : source(c);
}

static uint32_t expires_to(const crd_credit_record *c) {
    return c->credit_class == CRD_CLASS_PROMISE || c->credit_class == CRD_CLASS_ADJUSTMENT ? source(c)
                                                                                           : CRD_GL_BREAKAGE;
}

/* Tax is split by largest remainder, a tie going to the part that moves (rule M12). Taken as the difference of two such
 * splits, the tax of several parts adds up exactly. */
static int64_t tax_moved(int64_t tax, int64_t gone, int64_t amount, int64_t whole) {
    return crd__tax_part(tax, gone, whole) - crd__tax_part(tax, gone - amount, whole);
}

/* Only a memo has its tax in the postings: no other class was issued with any. */
static void posting_give_up(poster *p, const crd_credit_record *c, int64_t amount, uint32_t to) {
    int64_t tax = c->credit_class == CRD_CLASS_MEMO ? tax_moved(c->tax, c->voided + c->deleted, amount, c->original) : 0;
    with_tax(p, liability(c), to, amount, tax);
}

static void posting_issue(poster *p, const crd_credit_record *c) {
    with_tax(p, liability(c), source(c), -c->original, c->credit_class == CRD_CLASS_MEMO ? -c->tax : 0);
}

/* Both ends of a transfer have the same class, so the same account. */
static void posting_transfer(poster *p, const crd_credit_record *c, int64_t amount, int takes) {
    pair(p, liability(c), liability(c), amount);
    if (p->count == 2) p->legs[takes ? 0 : 1].other = 1;
}

/* The debit memo that the library makes when a payment bounces: what was paid out of it is owed. */
static int is_own(const crd_invoice_record *i) {
    return i->kind == CRD_INVOICE_DEBIT_MEMO && (i->flags & CRD_FLAG_OWN_DOCUMENT) != 0;
}

static uint32_t income(const crd_invoice_record *i) {
    if (is_own(i)) return CRD_GL_BANK;
    if (i->flags & CRD_FLAG_OPENING) return CRD_GL_OPENING;
    switch (i->kind) {
    case CRD_INVOICE_FINANCE_CHARGE:
    case CRD_INVOICE_FEE: return CRD_GL_CHARGES;
    case CRD_INVOICE_DEBIT_MEMO: return CRD_GL_DEBIT_MEMO;
    default: return CRD_GL_SALES;
    }
}

/* Tax of an opening balance was posted by the older system. */
static int64_t taxed(const crd_invoice_record *i, int64_t tax) {
    return is_own(i) || (i->flags & CRD_FLAG_OPENING) ? 0 : tax;
}

static void post_invoice(poster *p, const crd_invoice_record *i) {
    if (i->state == CRD_INVOICE_DRAFT) return;
    with_tax(p, CRD_GL_RECEIVABLE, income(i), i->total, taxed(i, i->tax));
}

static void posting_void_invoice(poster *p, const crd_invoice_record *i, int64_t amount) {
    if (i->state != CRD_INVOICE_VOIDED) return; /* a draft was given up */
    with_tax(p, CRD_GL_RECEIVABLE, income(i), -amount, -tax_moved(taxed(i, i->tax), i->cancelled, amount, i->total));
}

static void posting_revise(poster *p, const crd__posted *posted) {
    const crd_invoice_record *i = posted->invoice;
    int64_t more = i->total - posted->total_before;
    if (i->state == CRD_INVOICE_DRAFT) return;
    if (more < 0)
        with_tax(p, CRD_GL_RECEIVABLE, CRD_GL_RETURNS, more, i->tax - posted->tax_before);
    else
        with_tax(p, CRD_GL_RECEIVABLE, income(i), more, taxed(i, i->tax - posted->tax_before));
}

static uint32_t loss(uint32_t cause) {
    if (cause == CRD_CAUSE_TOLERANCE) return CRD_GL_SMALL;
    return cause == CRD_CAUSE_DISCOUNT ? CRD_GL_DISCOUNT : CRD_GL_BAD_DEBT;
}

static void post_of_invoice(poster *p, const crd__posted *posted) {
    const crd_entry_record *e = posted->entry;
    const crd_invoice_record *i = posted->invoice;
    if (i == NULL) return;
    switch (e->type) {
    case CRD_ENTRY_INVOICE:
    case CRD_ENTRY_SEND: post_invoice(p, i); return;
    case CRD_ENTRY_REVISE: posting_revise(p, posted); return;
    case CRD_ENTRY_INVOICE_VOID: posting_void_invoice(p, i, e->amount); return;
    case CRD_ENTRY_WRITE_OFF: pair(p, loss(e->cause), CRD_GL_RECEIVABLE, e->amount); return;
    case CRD_ENTRY_UNWRITE_OFF: pair(p, loss(e->cause), CRD_GL_RECEIVABLE, -e->amount); return;
    default: return;
    }
}

/* What of a payment that bounced, or never was, had become income: its money is gone from the bank all the same. */
static void bounce(poster *p, const crd_credit_record *c) {
    leg(p, CRD_GL_BREAKAGE, c->expired + c->voided);
    leg(p, CRD_GL_ADJUSTMENT, c->adjusted);
    leg(p, CRD_GL_BANK, -(c->expired + c->voided + c->adjusted));
}

/* The bank takes what was left when a payment bounces. What returns to it later, because something is undone, goes
 * where it was charged then: to the customer by the debit memo, which is now cut by as much, or, when it had been
 * adjusted away, to adjustments. */
static uint32_t reverses_to(const crd_credit_record *c, uint32_t previous) {
    if (!(c->flags & CRD_FLAG_REVERSED)) return CRD_GL_BANK;
    return previous == CRD_ENTRY_UNADJUST ? CRD_GL_ADJUSTMENT : CRD_GL_RECEIVABLE;
}

static void post_of_credit(poster *p, const crd__posted *posted) {
    const crd_entry_record *e = posted->entry;
    const crd_credit_record *c = posted->credit;
    uint32_t used = e->invoice[0] != '\0' ? CRD_GL_RECEIVABLE : CRD_GL_OUTSIDE;
    int in = (c->flags & CRD_FLAG_TRANSFERRED_IN) != 0;
    switch (e->type) {
    case CRD_ENTRY_ISSUE:
        if (!in)
            posting_issue(p, c);
        else if (posted->both_ends)
            posting_transfer(p, c, e->amount, 1);
        return;
    case CRD_ENTRY_APPLY: pair(p, liability(c), used, e->amount); return;
    case CRD_ENTRY_UNAPPLY: pair(p, liability(c), used, -e->amount); return;
    case CRD_ENTRY_REFUND: pair(p, liability(c), CRD_GL_BANK, e->amount); return;
    case CRD_ENTRY_UNREFUND: pair(p, liability(c), CRD_GL_BANK, -e->amount); return;
    case CRD_ENTRY_VOID: posting_give_up(p, c, e->amount, voids_to(c)); return;
    case CRD_ENTRY_DELETE: posting_give_up(p, c, e->amount, source(c)); return;
    case CRD_ENTRY_EXPIRE: pair(p, liability(c), expires_to(c), e->amount); return;
    case CRD_ENTRY_ADJUST_PIECE: pair(p, liability(c), CRD_GL_ADJUSTMENT, e->amount); return;
    case CRD_ENTRY_UNADJUST: pair(p, liability(c), CRD_GL_ADJUSTMENT, -e->amount); return;
    case CRD_ENTRY_REVERSE: pair(p, liability(c), reverses_to(c, posted->previous), e->amount); return;
    case CRD_ENTRY_RECEIPT_UNDO:
    case CRD_ENTRY_RECEIPT_REVERSE: bounce(p, c); return;
    case CRD_ENTRY_TRANSFER: posting_transfer(p, c, e->amount, 0); return;
    case CRD_ENTRY_UNTRANSFER:
        if (posted->both_ends) posting_transfer(p, c, e->amount, 1);
        return;
    default: return;
    }
}

uint32_t crd__post(const crd__posted *posted, crd__leg *legs) {
    poster p;
    p.legs = legs;
    p.count = 0;
    switch (posted->entry->type) {
    case CRD_ENTRY_INVOICE:
    case CRD_ENTRY_SEND:
    case CRD_ENTRY_REVISE:
    case CRD_ENTRY_INVOICE_VOID:
    case CRD_ENTRY_WRITE_OFF:
    case CRD_ENTRY_UNWRITE_OFF: post_of_invoice(&p, posted); break;
    default:
        if (posted->credit != NULL) post_of_credit(&p, posted);
        break;
    }
    return p.count;
}
