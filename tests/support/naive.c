/*
 * See naive.h.
 */
#include "support/naive.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- what happened, added up ---- */

static int is_cash(uint32_t kind) {
    return kind >= CRD_CREDIT_PAYMENT && kind <= CRD_CREDIT_UNAPPLIED_CASH;
}

static int may_be_lost(uint32_t kind) { /* promise and adjustment, rule M8 */
    return kind >= CRD_CREDIT_GOODWILL && kind <= CRD_CREDIT_ADJUSTMENT;
}

naive_credit_figures naive_credit_now(const naive *m, int credit) {
    naive_credit_figures f;
    memset(&f, 0, sizeof f);
    f.remaining = m->credits[credit].original;
    f.state = CRD_CREDIT_ACTIVE;
    for (int n = 0; n < m->event_count; n++) {
        const naive_event *e = &m->events[n];
        int64_t moved = 0;
        uint32_t state = CRD_CREDIT_VOIDED, cause = CRD_CAUSE_NONE;
        if (e->credit != credit) continue;
        if (f.first_seq == 0) f.first_seq = e->seq;
        f.last_seq = e->seq;
        if (e->date > f.last_date) f.last_date = e->date;
        switch (e->type) {
        case CRD_ENTRY_APPLY:
        case CRD_ENTRY_UNAPPLY:
            moved = e->type == CRD_ENTRY_APPLY ? e->amount : -e->amount;
            f.applied += moved;
            if (e->invoice == NONE) f.outside += moved;
            state = CRD_CREDIT_SPENT;
            cause = CRD_CAUSE_APPLIED;
            break;
        case CRD_ENTRY_VOID:
            moved = e->amount;
            f.voided += moved;
            cause = CRD_CAUSE_VOIDED;
            break;
        case CRD_ENTRY_EXPIRE:
            moved = e->amount;
            f.expired += moved;
            cause = CRD_CAUSE_EXPIRED;
            break;
        case CRD_ENTRY_REVERSE:
            moved = e->amount;
            f.reversed += moved;
            cause = CRD_CAUSE_REVERSED;
            break;
        default: continue;
        }
        f.remaining -= moved;
        f.state = f.remaining > 0 ? CRD_CREDIT_ACTIVE : state; /* named by what took the last of it */
        f.cause = f.remaining > 0 ? CRD_CAUSE_NONE : cause;
    }
    return f;
}

naive_invoice_figures naive_invoice_now(const naive *m, int invoice) {
    const naive_invoice *i = &m->invoices[invoice];
    naive_invoice_figures f;
    int posted = !i->draft, voided = 0;
    memset(&f, 0, sizeof f);
    f.issued = i->entered;
    for (int n = 0; n < m->event_count; n++) {
        const naive_event *e = &m->events[n];
        if (e->invoice != invoice) continue;
        if (f.first_seq == 0) f.first_seq = e->seq;
        f.last_seq = e->seq;
        if (e->date > f.last_date) f.last_date = e->date;
        if (e->type == CRD_ENTRY_APPLY) {
            f.applied += e->amount;
            f.cause = CRD_CAUSE_APPLIED;
        }
        if (e->type == CRD_ENTRY_UNAPPLY) f.applied -= e->amount;
        if (e->type == CRD_ENTRY_SEND) {
            posted = 1;
            f.issued = e->date;
        }
        if (e->type == CRD_ENTRY_INVOICE_VOID) voided = 1;
    }
    if (posted && !voided) f.open = i->total - f.applied;
    if (posted && voided) f.cancelled = i->total - f.applied;
    if (voided) {
        f.state = posted ? CRD_INVOICE_VOIDED : CRD_INVOICE_CANCELLED;
        f.cause = posted ? CRD_CAUSE_VOIDED : CRD_CAUSE_CANCELLED;
    } else if (!posted) {
        f.state = CRD_INVOICE_DRAFT;
        f.cause = CRD_CAUSE_NONE;
    } else {
        f.state = f.open > 0 ? CRD_INVOICE_OPEN : CRD_INVOICE_PAID;
        if (f.open > 0) f.cause = CRD_CAUSE_NONE;
    }
    return f;
}

static const naive_event *event_at(const naive *m, int account, int64_t seq) {
    for (int n = 0; n < m->event_count; n++)
        if (m->events[n].account == account && m->events[n].seq == seq) return &m->events[n];
    return NULL;
}

int64_t naive_left(const naive *m, int account, int64_t seq) {
    int64_t left = 0;
    for (int n = 0; n < m->event_count; n++) {
        const naive_event *e = &m->events[n];
        if (e->account != account) continue;
        if (e->seq == seq && e->type == CRD_ENTRY_APPLY) left += e->amount;
        if (e->undoes == seq && e->type == CRD_ENTRY_UNAPPLY) left -= e->amount;
    }
    return left;
}

int64_t naive_receipt_applied(const naive *m, int receipt) {
    int64_t applied = 0;
    for (int n = 0; n < m->event_count; n++) {
        const naive_event *e = &m->events[n];
        if (e->receipt != receipt) continue;
        if (e->type == CRD_ENTRY_APPLY) applied += e->amount;
        if (e->type == CRD_ENTRY_UNAPPLY) applied -= e->amount;
    }
    return applied;
}

int naive_receipt_undone(const naive *m, int receipt) {
    for (int n = 0; n < m->event_count; n++)
        if (m->events[n].receipt == receipt && m->events[n].type == CRD_ENTRY_RECEIPT_UNDO) return 1;
    return 0;
}

static int32_t receipt_last_date(const naive *m, int receipt) {
    int32_t last = 0;
    for (int n = 0; n < m->event_count; n++)
        if (m->events[n].receipt == receipt && m->events[n].date > last) last = m->events[n].date;
    return last;
}

int64_t naive_last_seq(const naive *m, int account) {
    int64_t last = 0;
    for (int n = 0; n < m->event_count; n++) last += m->events[n].account == account;
    return last;
}

static int usable(const naive_credit *c, int32_t date) {
    return c->effective <= date && (c->expires == 0 || date < c->expires);
}

naive_balance naive_balance_on(const naive *m, int account, int32_t date) {
    naive_balance b;
    memset(&b, 0, sizeof b);
    for (int n = 0; n < m->invoice_count; n++)
        if (m->invoices[n].account == account) b.outstanding += naive_invoice_now(m, n).open;
    for (int n = 0; n < m->credit_count; n++) {
        const naive_credit *c = &m->credits[n];
        naive_credit_figures f;
        if (c->account != account) continue;
        f = naive_credit_now(m, n);
        if (c->expires == 0 || date < c->expires) b.credit += f.remaining;
        if (usable(c, date)) b.available += f.remaining;
        if (is_cash(c->kind) && (c->expires == 0 || date < c->expires)) b.unearned += f.remaining;
        b.issued += c->original;
        b.applied += f.applied;
    }
    return b;
}

/* ---- answers ---- */

static naive_answer answer(crd_status status) {
    naive_answer a;
    memset(&a, 0, sizeof a);
    a.status = status;
    a.document = NONE;
    return a;
}

static naive_answer refuse(crd_status status, int64_t limit, int64_t given) {
    naive_answer a = answer(status);
    a.has_figures = 1;
    a.limit = limit;
    a.given = given;
    return a;
}

static int64_t happen(naive *m, int account, uint32_t type, int credit, int invoice, int receipt, int64_t amount,
                      int32_t date, int64_t undoes) {
    naive_event *e = &m->events[m->event_count];
    int64_t seq = naive_last_seq(m, account) + 1;
    if (m->event_count == NAIVE_EVENTS) abort();
    e->account = account;
    e->seq = seq;
    e->type = type;
    e->credit = credit;
    e->invoice = invoice;
    e->receipt = receipt;
    e->amount = amount;
    e->date = date;
    e->undoes = undoes;
    m->event_count++;
    return seq;
}

static int too_much(int64_t a, int64_t b) {
    return a > INT64_MAX - b;
}

static int32_t later(int32_t a, int32_t b) {
    return a > b ? a : b;
}

/* ---- commands ---- */

naive_answer naive_issue(naive *m, const naive_credit *terms, int32_t date) {
    naive_credit c = *terms;
    naive_balance b = naive_balance_on(m, c.account, 0);
    naive_answer a = answer(CRD_OK);
    int receipt = NONE;
    if (c.original < 1 || c.original > CRD_MAX_AMOUNT)
        return refuse(CRD_E_ARGUMENT, c.original < 1 ? 1 : CRD_MAX_AMOUNT, c.original);
    for (int n = 0; n < m->credit_count; n++)
        if (m->credits[n].account / 2 == c.account / 2 && strcmp(m->credits[n].id, c.id) == 0)
            return answer(CRD_E_EXISTS);
    c.issued = date;
    if (c.effective == 0) c.effective = date;
    if (date <= m->closed_through) return refuse(CRD_E_CLOSED, m->closed_through, date);
    if (c.expires != 0 && c.expires <= later(c.effective, date))
        return refuse(CRD_E_DATE, later(c.effective, date) + 1, c.expires);
    if (too_much(b.issued, c.original)) return answer(CRD_E_OVERFLOW);
    if (is_cash(c.kind)) {
        receipt = m->receipt_count++;
        m->receipts[receipt].account = c.account;
        m->receipts[receipt].amount = c.original;
        m->receipts[receipt].date = date;
        (void)happen(m, c.account, CRD_ENTRY_RECEIPT, NONE, NONE, receipt, c.original, date, 0);
    }
    a.document = m->credit_count++;
    m->credits[a.document] = c;
    a.first_seq = happen(m, c.account, CRD_ENTRY_ISSUE, a.document, NONE, receipt, c.original, date, 0);
    return a;
}

static int64_t all_open(const naive *m, int account) {
    return naive_balance_on(m, account, 0).outstanding;
}

naive_answer naive_enter(naive *m, const naive_invoice *terms, int32_t date) {
    naive_invoice i = *terms;
    naive_answer a = answer(CRD_OK);
    if (i.total < 0 || i.total > CRD_MAX_AMOUNT)
        return refuse(CRD_E_ARGUMENT, i.total < 0 ? 0 : CRD_MAX_AMOUNT, i.total);
    for (int n = 0; n < m->invoice_count; n++)
        if (m->invoices[n].account / 2 == i.account / 2 && strcmp(m->invoices[n].id, i.id) == 0)
            return answer(CRD_E_EXISTS);
    if (date <= m->closed_through) return refuse(CRD_E_CLOSED, m->closed_through, date);
    if (!i.draft && too_much(all_open(m, i.account), i.total)) return answer(CRD_E_OVERFLOW);
    i.entered = date;
    a.document = m->invoice_count++;
    m->invoices[a.document] = i;
    a.first_seq = happen(m, i.account, CRD_ENTRY_INVOICE, NONE, a.document, NONE, i.total, date, 0);
    return a;
}

naive_answer naive_apply(naive *m, int credit, int invoice, int64_t amount, int clamp, int32_t date) {
    const naive_credit *c = &m->credits[credit];
    const naive_invoice *i = invoice != NONE ? &m->invoices[invoice] : NULL;
    naive_credit_figures cf = naive_credit_now(m, credit);
    naive_invoice_figures vf;
    naive_answer a = answer(CRD_OK);
    int64_t bound = cf.remaining;
    memset(&vf, 0, sizeof vf);
    if (amount < (clamp ? 0 : 1) || amount > CRD_MAX_AMOUNT)
        return refuse(CRD_E_ARGUMENT, amount > 0 ? CRD_MAX_AMOUNT : clamp ? 0 : 1, amount);
    if (i != NULL && i->account / 2 != c->account / 2) return answer(CRD_E_CUSTOMER);
    if (i != NULL && i->account != c->account) return answer(CRD_E_CURRENCY);
    if (i != NULL) vf = naive_invoice_now(m, invoice);
    if (cf.state != CRD_CREDIT_ACTIVE) return refuse(CRD_E_STATE, cf.remaining, cf.state);
    if (i != NULL && vf.state != CRD_INVOICE_OPEN) return refuse(CRD_E_STATE, vf.open, vf.state);
    if (date <= m->closed_through) return refuse(CRD_E_CLOSED, m->closed_through, date);
    if (date < cf.last_date) return refuse(CRD_E_DATE, cf.last_date, date);
    if (i != NULL && date < vf.last_date) return refuse(CRD_E_DATE, vf.last_date, date);
    if (!usable(c, date)) return refuse(CRD_E_EXPIRED, date < c->effective ? c->effective : c->expires, date);
    if (c->pays_kinds != 0 && (i == NULL || !(c->pays_kinds >> i->kind & 1))) return answer(CRD_E_RESTRICTED);
    if (i != NULL && vf.open < bound) bound = vf.open;
    if (clamp && (amount == 0 || amount > bound)) amount = bound;
    if (amount > cf.remaining) return refuse(CRD_E_CREDIT_AMOUNT, cf.remaining, amount);
    if (i != NULL && amount > vf.open) return refuse(CRD_E_INVOICE_AMOUNT, vf.open, amount);
    a.amount = amount;
    a.first_seq = happen(m, c->account, CRD_ENTRY_APPLY, credit, invoice, NONE, amount, date, 0);
    return a;
}

naive_answer naive_void(naive *m, int credit, int64_t amount, int32_t date) {
    const naive_credit *c = &m->credits[credit];
    naive_credit_figures f = naive_credit_now(m, credit);
    naive_answer a = answer(CRD_OK);
    if (amount < 0 || amount > CRD_MAX_AMOUNT)
        return refuse(CRD_E_ARGUMENT, amount < 0 ? 0 : CRD_MAX_AMOUNT, amount);
    if (f.state == CRD_CREDIT_VOIDED) return refuse(CRD_E_STATE, 0, f.state);
    if (f.remaining == 0) return answer(CRD_E_NOTHING);
    if (date <= m->closed_through) return refuse(CRD_E_CLOSED, m->closed_through, date);
    if (date < f.last_date) return refuse(CRD_E_DATE, f.last_date, date);
    if (c->expires != 0 && date >= c->expires) return refuse(CRD_E_EXPIRED, c->expires, date);
    if (amount > f.remaining) return refuse(CRD_E_CREDIT_AMOUNT, f.remaining, amount);
    a.amount = amount != 0 ? amount : f.remaining;
    a.first_seq = happen(m, c->account, CRD_ENTRY_VOID, credit, NONE, NONE, a.amount, date, 0);
    return a;
}

naive_answer naive_send(naive *m, int invoice, int32_t date) {
    const naive_invoice *i = &m->invoices[invoice];
    naive_invoice_figures f = naive_invoice_now(m, invoice);
    naive_answer a = answer(CRD_OK);
    if (f.state != CRD_INVOICE_DRAFT) return refuse(CRD_E_STATE, f.open, f.state);
    if (date <= m->closed_through) return refuse(CRD_E_CLOSED, m->closed_through, date);
    if (date < f.last_date) return refuse(CRD_E_DATE, f.last_date, date);
    if (too_much(all_open(m, i->account), i->total)) return answer(CRD_E_OVERFLOW);
    a.amount = i->total;
    a.first_seq = happen(m, i->account, CRD_ENTRY_SEND, NONE, invoice, NONE, i->total, date, 0);
    return a;
}

/* What had expired unnoticed is entered before a command touches the credit (M7). */
static void enter_expired(naive *m, int credit, int32_t date) {
    const naive_credit *c = &m->credits[credit];
    naive_credit_figures f = naive_credit_now(m, credit);
    if (c->expires != 0 && date >= c->expires && f.remaining > 0)
        (void)happen(m, c->account, CRD_ENTRY_EXPIRE, credit, NONE, NONE, f.remaining,
                     later(later(c->expires, f.last_date), m->closed_through + 1), 0);
}

/* Money returns to its credit: what had expired unnoticed is entered first; then, by the first that fits, it expires at
 * once, is voided at once, or is available again. */
static int64_t give_back(naive *m, int64_t seq, int account, int64_t amount, int32_t date) {
    const naive_event e = *event_at(m, account, seq);
    const naive_credit *c = &m->credits[e.credit];
    naive_credit_figures f = naive_credit_now(m, e.credit);
    int expired = c->expires != 0 && date >= c->expires;
    int lost = f.state == CRD_CREDIT_VOIDED && f.cause == CRD_CAUSE_VOIDED && may_be_lost(c->kind);
    int64_t first = naive_last_seq(m, account) + 1;
    enter_expired(m, e.credit, date);
    (void)happen(m, account, CRD_ENTRY_UNAPPLY, e.credit, e.invoice, e.receipt, amount, date, seq);
    if (expired)
        (void)happen(m, account, CRD_ENTRY_EXPIRE, e.credit, NONE, NONE, amount, date, 0);
    else if (lost)
        (void)happen(m, account, CRD_ENTRY_VOID, e.credit, NONE, NONE, amount, date, 0);
    return first;
}

/* The credit that a receipt's money became, or NONE. */
static int own_money(const naive *m, int receipt) {
    for (int n = 0; n < m->event_count; n++)
        if (receipt != NONE && m->events[n].type == CRD_ENTRY_ISSUE && m->events[n].receipt == receipt)
            return m->events[n].credit;
    return NONE;
}

/* An application of a document: of an invoice; or on a receipt, and what the receipt's own money did elsewhere. */
static int belongs(const naive *m, const naive_event *e, int account, int invoice, int receipt) {
    int own = own_money(m, receipt);
    if (e->account != account || e->type != CRD_ENTRY_APPLY || naive_left(m, account, e->seq) == 0) return 0;
    if (invoice != NONE && e->invoice != invoice) return 0;
    return receipt == NONE || e->receipt == receipt || (own != NONE && e->credit == own);
}

/* The latest date of all documents that the applications of a document touch: a cascade takes one date. */
static int32_t latest(const naive *m, int account, int invoice, int receipt, int32_t date) {
    for (int n = 0; n < m->event_count; n++) {
        const naive_event *e = &m->events[n];
        if (!belongs(m, e, account, invoice, receipt)) continue;
        date = later(date, naive_credit_now(m, e->credit).last_date);
        if (e->invoice != NONE) date = later(date, naive_invoice_now(m, e->invoice).last_date);
        if (e->receipt != NONE) date = later(date, receipt_last_date(m, e->receipt));
    }
    return date;
}

/* Own money of a receipt goes straight to reversed, whatever its expiry or state (M13). */
static void reverse_money(naive *m, const naive_event *e, int64_t left, int32_t date) {
    (void)happen(m, e->account, CRD_ENTRY_UNAPPLY, e->credit, e->invoice, e->receipt, left, date, e->seq);
    (void)happen(m, e->account, CRD_ENTRY_REVERSE, e->credit, NONE, NONE, left, date, 0);
}

static int64_t give_all_back(naive *m, int account, int invoice, int receipt, int32_t date) {
    int64_t total = 0;
    int own = own_money(m, receipt);
    for (int n = m->event_count - 1; n >= 0; n--) { /* newest first */
        const naive_event e = m->events[n];
        int64_t left;
        if (!belongs(m, &e, account, invoice, receipt)) continue;
        left = naive_left(m, account, e.seq);
        if (own != NONE && e.credit == own) reverse_money(m, &e, left, date);
        else (void)give_back(m, e.seq, account, left, date);
        total += left;
    }
    return total;
}

naive_answer naive_void_invoice(naive *m, int invoice, int strict, int32_t date) {
    const naive_invoice *i = &m->invoices[invoice];
    naive_invoice_figures f = naive_invoice_now(m, invoice);
    naive_answer a = answer(CRD_OK);
    int64_t cash = 0;
    if (f.state == CRD_INVOICE_VOIDED || f.state == CRD_INVOICE_CANCELLED) return refuse(CRD_E_STATE, 0, f.state);
    if (f.state != CRD_INVOICE_DRAFT && f.issued <= m->closed_through)
        return refuse(CRD_E_CLOSED, m->closed_through, f.issued);
    if (date <= m->closed_through) return refuse(CRD_E_CLOSED, m->closed_through, date);
    if (date < f.last_date) return refuse(CRD_E_DATE, f.last_date, date);
    for (int n = 0; n < m->event_count; n++)
        if (m->events[n].invoice == invoice && m->events[n].type == CRD_ENTRY_APPLY &&
            is_cash(m->credits[m->events[n].credit].kind))
            cash += naive_left(m, i->account, m->events[n].seq);
    if (strict && cash > 0) {
        a = answer(CRD_E_IN_USE);
        a.limit = cash;
        return a;
    }
    if (too_much(all_open(m, i->account), f.applied)) return answer(CRD_E_OVERFLOW); /* on the way */
    date = latest(m, i->account, invoice, NONE, date);
    a.first_seq = naive_last_seq(m, i->account) + 1;
    a.amount = give_all_back(m, i->account, invoice, NONE, date);
    (void)happen(m, i->account, CRD_ENTRY_INVOICE_VOID, NONE, invoice, NONE, naive_invoice_now(m, invoice).open, date,
                 0);
    return a;
}

/* A receipt entered in error is undone whole: all its applications, and what its own money did elsewhere (M13, M14). */
static naive_answer undo_receipt(naive *m, int account, int64_t seq, int receipt, int64_t amount, int32_t date) {
    int own = own_money(m, receipt);
    naive_answer a = answer(CRD_OK);
    int64_t opened = 0;
    if (amount != 0) return answer(CRD_E_ARGUMENT);
    if (naive_receipt_undone(m, receipt)) return answer(CRD_E_NOTHING);
    date = latest(m, account, NONE, receipt, later(date, receipt_last_date(m, receipt)));
    if (own != NONE) date = later(date, naive_credit_now(m, own).last_date);
    if (date <= m->closed_through) return answer(CRD_E_CLOSED);
    for (int n = 0; n < m->event_count; n++)
        if (belongs(m, &m->events[n], account, NONE, receipt) && m->events[n].invoice != NONE)
            opened += naive_left(m, account, m->events[n].seq);
    if (too_much(all_open(m, account), opened)) return answer(CRD_E_OVERFLOW);
    a.first_seq = naive_last_seq(m, account) + 1;
    if (own != NONE) enter_expired(m, own, date);
    a.amount = give_all_back(m, account, NONE, receipt, date);
    if (own != NONE) {
        int64_t rest = naive_credit_now(m, own).remaining;
        if (rest > 0) (void)happen(m, account, CRD_ENTRY_REVERSE, own, NONE, NONE, rest, date, 0);
        a.amount = m->receipts[receipt].amount;
    }
    (void)happen(m, account, CRD_ENTRY_RECEIPT_UNDO, own, NONE, receipt, a.amount, date, seq);
    return a;
}

naive_answer naive_undo(naive *m, int account, int64_t seq, int64_t amount, int32_t date) {
    const naive_event *e = event_at(m, account, seq);
    naive_answer a = answer(CRD_OK);
    naive_credit_figures c;
    int64_t left;
    if (seq < 1) return answer(CRD_E_ARGUMENT);
    if (amount < 0 || amount > CRD_MAX_AMOUNT)
        return refuse(CRD_E_ARGUMENT, amount < 0 ? 0 : CRD_MAX_AMOUNT, amount);
    if (e == NULL) return answer(CRD_E_NOT_FOUND);
    if (e->type == CRD_ENTRY_RECEIPT) return undo_receipt(m, account, seq, e->receipt, amount, date);
    if (e->type != CRD_ENTRY_APPLY) return answer(CRD_E_STATE);
    left = naive_left(m, account, seq);
    c = naive_credit_now(m, e->credit);
    if (left == 0) return answer(CRD_E_NOTHING);
    if (date <= m->closed_through) return refuse(CRD_E_CLOSED, m->closed_through, date);
    if (date < c.last_date) return refuse(CRD_E_DATE, c.last_date, date);
    if (e->invoice != NONE && date < naive_invoice_now(m, e->invoice).last_date)
        return refuse(CRD_E_DATE, naive_invoice_now(m, e->invoice).last_date, date);
    if (e->receipt != NONE && date < receipt_last_date(m, e->receipt))
        return refuse(CRD_E_DATE, receipt_last_date(m, e->receipt), date);
    if (amount > left) return refuse(CRD_E_CREDIT_AMOUNT, left, amount);
    a.amount = amount != 0 ? amount : left;
    if (e->invoice != NONE && too_much(all_open(m, account), a.amount)) return answer(CRD_E_OVERFLOW);
    a.first_seq = give_back(m, seq, account, a.amount, date);
    return a;
}

/* ---- reconcile ---- */

static int credit_before(const naive *m, int a, int b) {
    const naive_credit *x = &m->credits[a], *y = &m->credits[b];
    if (x->issued != y->issued) return x->issued < y->issued;
    return naive_credit_now(m, a).first_seq < naive_credit_now(m, b).first_seq;
}

static int invoice_before(const naive *m, int a, int b) {
    const naive_invoice *x = &m->invoices[a], *y = &m->invoices[b];
    naive_invoice_figures fx = naive_invoice_now(m, a), fy = naive_invoice_now(m, b);
    int charge_x = x->kind == CRD_INVOICE_FINANCE_CHARGE, charge_y = y->kind == CRD_INVOICE_FINANCE_CHARGE;
    int32_t due_x = x->due != 0 ? x->due : fx.issued, due_y = y->due != 0 ? y->due : fy.issued;
    if (charge_x != charge_y) return charge_x;
    if (due_x != due_y) return due_x < due_y;
    if (fx.issued != fy.issued) return fx.issued < fy.issued;
    return fx.first_seq < fy.first_seq;
}

static void insert(const naive *m, int *list, int *count, int item, int (*before)(const naive *, int, int)) {
    int at = (*count)++;
    while (at > 0 && before(m, item, list[at - 1])) {
        list[at] = list[at - 1];
        at--;
    }
    list[at] = item;
}

/* One pair: at most one application, dated the latest of the run and its two documents; a pair that would be dated on
 * or after the credit's expiry is left out. */
static void pay(naive *m, int credit, int invoice, int receipt, int32_t date, naive_answer *a) {
    const naive_credit *c = &m->credits[credit];
    naive_credit_figures cf = naive_credit_now(m, credit);
    naive_invoice_figures vf = naive_invoice_now(m, invoice);
    int64_t amount = cf.remaining < vf.open ? cf.remaining : vf.open;
    int32_t day = later(date, later(cf.last_date, vf.last_date));
    if (amount == 0) return;
    if (c->pays_kinds != 0 && !(c->pays_kinds >> m->invoices[invoice].kind & 1)) return;
    if (c->expires != 0 && day >= c->expires) return;
    (void)happen(m, c->account, CRD_ENTRY_APPLY, credit, invoice, receipt, amount, day, 0);
    a->applications++;
}

static void reconcile_account(naive *m, int account, int use_cash, int32_t date, naive_answer *a) {
    int credits[NAIVE_DOCUMENTS], invoices[NAIVE_DOCUMENTS], credit_count = 0, invoice_count = 0;
    int before = m->event_count, receipt = m->receipt_count;
    uint64_t applications = a->applications;
    for (int n = 0; n < m->credit_count; n++) {
        const naive_credit *c = &m->credits[n];
        if (c->account != account || naive_credit_now(m, n).remaining == 0) continue;
        if (c->issued > date || !usable(c, date) || (c->flags & CRD_FLAG_RESERVED)) continue;
        if (is_cash(c->kind) && !use_cash) continue;
        insert(m, credits, &credit_count, n, credit_before);
    }
    for (int n = 0; n < m->invoice_count; n++) {
        naive_invoice_figures f = naive_invoice_now(m, n);
        if (m->invoices[n].account != account || f.open == 0 || m->invoices[n].disputed || f.issued > date) continue;
        insert(m, invoices, &invoice_count, n, invoice_before);
    }
    m->receipts[receipt].account = account;
    m->receipts[receipt].amount = 0;
    m->receipts[receipt].date = date;
    (void)happen(m, account, CRD_ENTRY_RECEIPT, NONE, NONE, receipt, 0, date, 0);
    m->receipt_count++;
    for (int n = 0; n < credit_count; n++) {
        for (int k = 0; k < invoice_count; k++)
            if (strcmp(m->invoices[invoices[k]].id, m->credits[credits[n]].prefers) == 0)
                pay(m, credits[n], invoices[k], receipt, date, a);
        for (int k = 0; k < invoice_count; k++) pay(m, credits[n], invoices[k], receipt, date, a);
    }
    if (a->applications == applications) { /* nothing to apply: no receipt */
        m->event_count = before;
        m->receipt_count--;
        return;
    }
    a->posted++;
}

naive_answer naive_reconcile(naive *m, int customer, int use_cash, int32_t date) {
    naive_answer a = answer(CRD_OK);
    if (date <= m->closed_through) return refuse(CRD_E_CLOSED, m->closed_through, date);
    for (int account = 0; account < NAIVE_ACCOUNTS; account++)
        if (customer == NONE || account / 2 == customer) reconcile_account(m, account, use_cash, date, &a);
    return a;
}
