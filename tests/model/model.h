/*
 * The rules of money a second time, in the most naive way: a list of events, and every figure added up anew from the
 * first event whenever it is asked for. Written from the rules, not from the library, with which it shares nothing but
 * the numbers of the public headers; so where the two disagree, one of them is wrong.
 *
 * Terms:
 *   event   what the library calls a journal entry; the model predicts each of them, with its sequence
 *   serial  the number of the command (commands.h) that an event came from
 *   who     index of a customer; cur, of a currency. An account is one of each.
 *
 * Invariants:
 *   1. Documents and events are only appended; an index stays valid, and a copy of the struct is a snapshot.
 *   2. Nothing here allocates; worlds are small (the bounds below) and a full one takes no more commands.
 */
#ifndef MODEL_MODEL_H
#define MODEL_MODEL_H

#include <credit.h>

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define WHO 3         /* customers there may be; any other index is one that never exists */
#define CUR 2         /* currencies; index 2 is one that the library does not know */
#define ID_ROOM 24
#define MAX_DOCUMENTS 150
#define BULK_ROWS 4
#define MAX_EVENTS 3000

static const char *const who_names[] = {"c0", "c1", "c2", "c9"};
static const char *const cur_names[] = {"EUR", "JPY", "QQQ"};

#define MAX_LINES 5

typedef struct m_terms {
    int64_t total;
    int32_t due;
    int disputed;
} m_terms;

typedef struct m_event {
    int who, cur;
    int64_t seq;
    uint32_t type;                /* CRD_ENTRY_… */
    int credit, invoice, receipt, hold; /* indices, −1 for none */
    int64_t amount;
    uint32_t cause; /* of a write-off */
    int other;      /* TRANSFER, UNTRANSFER, ISSUE of what came by transfer: the credit at the other end; -1 for none */
    int returns;    /* TRANSFER: it undid one */
    int64_t figure_before, figure_after; /* ADJUST: what was available, and was to be */
    int32_t date;
    int undoes; /* index of an event, −1 for none */
    int64_t instant; /* never earlier than the account's last */
    int serial;
    int own;    /* moves a payment's money within its own receipt (rule M3) */
    int line;   /* ISSUE: the line that comes back; REVISE: the one that is no more; 0 for none */
    int64_t quantity;
    m_terms as; /* INVOICE, REVISE: how the invoice is from then on */
} m_event;

typedef struct m_credit {
    int who, cur;
    char id[ID_ROOM], prefers[ID_ROOM];
    uint32_t kind, stands_for, flags, pays;
    int made; /* by the library, for an adjustment */
    int64_t original;
    int32_t issued, effective, expires;
} m_credit;

typedef struct m_invoice {
    int who, cur;
    char id[ID_ROOM];
    uint32_t kind;
    int draft; /* as entered */
    int opening, own; /* from an older system; the library's own document */
    int receipt; /* that was reversed, of a debit memo or fee; -1 for none */
    int line_count; /* as entered */
    int64_t line_amounts[MAX_LINES], line_quantities[MAX_LINES];
} m_invoice;

typedef struct m_receipt {
    int who, cur;
    char id[ID_ROOM];
    int64_t amount;
} m_receipt;

typedef struct m_hold {
    int who, cur, credit, draft; /* draft: −1 for none */
    char id[ID_ROOM];
    int32_t lapses; /* at noon of that day; 0: never */
} m_hold;

typedef struct model {
    int known[WHO]; /* customers that were added: the number of entries in their own journal */
    int named[WHO]; /* index of their names */
    int32_t closed; /* closed-through date, 0 for none */
    int serial;     /* of the command that is at work */
    int64_t now;    /* its instant */
    int override;   /* for it, no period is closed */
    int great;      /* amounts were entered that may take a sum beyond 64 bits … */
    int overflow;   /* … and one was, by an event of this command */
    crd_status rows[BULK_ROWS]; /* what became of the rows of a bulk issue */
    int feature_off, auto_apply; /* settings of the ledger */
    int32_t delete_window;
    uint32_t switches[WHO];
    m_credit credits[MAX_DOCUMENTS];
    m_invoice invoices[MAX_DOCUMENTS];
    m_receipt receipts[MAX_DOCUMENTS];
    m_hold holds[MAX_DOCUMENTS];
    m_event events[MAX_EVENTS];
    int credit_count, invoice_count, receipt_count, hold_count, event_count;
} model;

/* What a command answers. */
typedef struct m_answer {
    crd_status status;
    int64_t amount; /* what the result block says */
} m_answer;

typedef struct credit_now {
    int64_t by_receipt, reversed_own; /* the part of applied and of reversed that its own receipt applies, or did */
    int64_t remaining, applied, outside, voided, expired, reversed, refunded, held, allocated;
    int taken_back; /* its receipt was undone or reversed */
    int64_t adjusted, transferred, deleted;
    uint32_t state, cause;
    int32_t last_date;
    int64_t first_seq, last_seq;
} credit_now;

typedef struct invoice_now {
    m_terms as;
    int64_t open, applied, written_off, cancelled, allocated, returned;
    int reversed;
    uint32_t state, cause;
    int32_t issued, last_date;
    int64_t first_seq, last_seq;
} invoice_now;

typedef struct hold_now {
    int64_t amount, captured, released;
    uint32_t state;
    int32_t last_date;
    int64_t first_seq, last_seq;
} hold_now;

typedef struct receipt_now {
    int64_t applied, written_off;
    uint32_t state;
    int32_t last_date;
    int64_t first_seq, last_seq;
} receipt_now;

static int64_t smaller(int64_t a, int64_t b) {
    return a < b ? a : b;
}

static int32_t later(int32_t a, int32_t b) {
    return a > b ? a : b;
}

/* Rule M4. */
static uint32_t class_of(uint32_t kind) {
    if (kind <= CRD_CREDIT_UNAPPLIED_CASH) return CRD_CLASS_CASH;
    if (kind <= CRD_CREDIT_REVERSED_INVOICE) return CRD_CLASS_MEMO;
    if (kind <= CRD_CREDIT_REFERRAL) return CRD_CLASS_PROMISE;
    return kind == CRD_CREDIT_OPENING ? CRD_CLASS_OPENING : CRD_CLASS_ADJUSTMENT;
}

/* An opening credit counts as the class it stands for. */
static uint32_t counts_as(const m_credit *c) {
    return class_of(c->kind == CRD_CREDIT_OPENING ? c->stands_for : c->kind);
}

static int is_cash(const m_credit *c) {
    return counts_as(c) == CRD_CLASS_CASH;
}

/* ---- figures: everything from the first event on ---- */

/* What an event takes from the remainder of its credit (or, below 0, gives back), into which column, and what the
 * credit is called when it took the last of it (rule M5). */
static int64_t taken(const m_event *e, credit_now *n, int64_t **column, uint32_t *cause) {
    switch (e->type) {
    case CRD_ENTRY_APPLY: *column = &n->applied, *cause = CRD_CAUSE_APPLIED; return e->amount;
    case CRD_ENTRY_UNAPPLY: *column = &n->applied, *cause = CRD_CAUSE_APPLIED; return -e->amount;
    case CRD_ENTRY_VOID: *column = &n->voided, *cause = CRD_CAUSE_VOIDED; return e->amount;
    case CRD_ENTRY_EXPIRE: *column = &n->expired, *cause = CRD_CAUSE_EXPIRED; return e->amount;
    case CRD_ENTRY_REVERSE: *column = &n->reversed, *cause = CRD_CAUSE_REVERSED; return e->amount;
    case CRD_ENTRY_REFUND: *column = &n->refunded, *cause = CRD_CAUSE_REFUNDED; return e->amount;
    case CRD_ENTRY_UNREFUND: *column = &n->refunded, *cause = CRD_CAUSE_REFUNDED; return -e->amount;
    case CRD_ENTRY_ADJUST_PIECE: *column = &n->adjusted, *cause = CRD_CAUSE_ADJUSTED; return e->amount;
    case CRD_ENTRY_UNADJUST: *column = &n->adjusted, *cause = CRD_CAUSE_ADJUSTED; return -e->amount;
    case CRD_ENTRY_TRANSFER: *column = &n->transferred, *cause = CRD_CAUSE_TRANSFERRED; return e->amount;
    case CRD_ENTRY_UNTRANSFER: *column = &n->transferred, *cause = CRD_CAUSE_TRANSFERRED; return -e->amount;
    case CRD_ENTRY_DELETE: *column = &n->deleted, *cause = CRD_CAUSE_DELETED; return e->amount;
    default: *column = NULL; return 0;
    }
}

/* What an event puts aside of its credit, or gives back; 0 for one that does neither. */
static int64_t put_aside(const m_event *e) {
    if (e->type == CRD_ENTRY_HOLD) return e->amount;
    if (e->type == CRD_ENTRY_RELEASE || e->type == CRD_ENTRY_LAPSE || e->type == CRD_ENTRY_CAPTURE) return -e->amount;
    return 0;
}

static int ends_credit(uint32_t cause) {
    return cause == CRD_CAUSE_VOIDED || cause == CRD_CAUSE_EXPIRED || cause == CRD_CAUSE_REVERSED ||
           cause == CRD_CAUSE_DELETED;
}

static credit_now credit_figures(const model *m, int index) {
    credit_now n;
    memset(&n, 0, sizeof n);
    for (int i = 0; i < m->event_count; i++) {
        const m_event *e = &m->events[i];
        int64_t *column, amount;
        uint32_t cause = CRD_CAUSE_NONE;
        if (e->credit != index) continue;
        if (n.first_seq == 0) n.first_seq = e->seq;
        n.last_seq = e->seq;
        n.last_date = later(n.last_date, e->date);
        if (e->invoice < 0) n.held += put_aside(e);
        else n.allocated += put_aside(e);
        if (e->type == CRD_ENTRY_ISSUE) n.remaining = e->amount, n.state = CRD_CREDIT_ACTIVE;
        if (e->type == CRD_ENTRY_RECEIPT_UNDO || e->type == CRD_ENTRY_RECEIPT_REVERSE) n.taken_back = 1;
        amount = taken(e, &n, &column, &cause);
        if (column == NULL) continue;
        n.remaining -= amount;
        *column += amount;
        if (column == &n.applied && e->invoice < 0) n.outside += amount;
        if (column == &n.applied && e->own) n.by_receipt += amount;
        if (column == &n.reversed && e->own) n.reversed_own += amount;
        n.state = n.remaining > 0 ? CRD_CREDIT_ACTIVE : ends_credit(cause) ? CRD_CREDIT_VOIDED : CRD_CREDIT_SPENT;
        n.cause = n.remaining > 0 ? CRD_CAUSE_NONE : cause;
    }
    return n;
}

/* What is left of an application, refund or write-off, behind the event of that number. A further application that
 * raises it names it too. */
static int64_t left_behind(const model *m, int event, int last) {
    int64_t left = m->events[event].amount;
    for (int i = event + 1; i <= last; i++)
        if (m->events[i].undoes == event && m->events[i].type != CRD_ENTRY_APPLY) left -= m->events[i].amount;
    return left;
}

/* A revision that leaves nothing open: the state is named by what settled the last of it and still stands (rule M5). */
static uint32_t settled_last(const model *m, int invoice, int last) {
    for (int i = last; i >= 0; i--) {
        const m_event *e = &m->events[i];
        if (e->invoice != invoice || (e->type != CRD_ENTRY_APPLY && e->type != CRD_ENTRY_WRITE_OFF)) continue;
        if (left_behind(m, i, last) > 0) return e->type == CRD_ENTRY_APPLY ? CRD_CAUSE_APPLIED : e->cause;
    }
    return CRD_CAUSE_NONE;
}

static invoice_now invoice_figures(const model *m, int index) {
    const m_invoice *v = &m->invoices[index];
    invoice_now n;
    memset(&n, 0, sizeof n);
    for (int i = 0; i < m->event_count; i++) {
        const m_event *e = &m->events[i];
        if (e->invoice != index) continue;
        if (n.first_seq == 0) n.first_seq = e->seq;
        n.last_seq = e->seq;
        n.last_date = later(n.last_date, e->date);
        if (e->type == CRD_ENTRY_INVOICE || e->type == CRD_ENTRY_SEND) n.issued = e->date;
        if (e->type == CRD_ENTRY_REVISE && n.state != CRD_INVOICE_DRAFT) n.open += e->as.total - n.as.total;
        if (e->type == CRD_ENTRY_INVOICE || e->type == CRD_ENTRY_REVISE) n.as = e->as;
        if (e->type == CRD_ENTRY_SEND || (e->type == CRD_ENTRY_INVOICE && !v->draft)) n.open = n.as.total;
        if (e->type == CRD_ENTRY_INVOICE && v->draft) n.state = CRD_INVOICE_DRAFT;
        if (e->type == CRD_ENTRY_APPLY) n.open -= e->amount, n.applied += e->amount;
        if (e->type == CRD_ENTRY_UNAPPLY) n.open += e->amount, n.applied -= e->amount;
        if (e->type == CRD_ENTRY_WRITE_OFF) n.open -= e->amount, n.written_off += e->amount;
        if (e->type == CRD_ENTRY_UNWRITE_OFF) n.open += e->amount, n.written_off -= e->amount;
        if (e->type == CRD_ENTRY_CUT) n.open -= e->amount, n.cancelled += e->amount;
        if (e->type == CRD_ENTRY_ISSUE) n.returned += e->amount; /* a memo of this invoice */
        if (e->type == CRD_ENTRY_ISSUE && m->credits[e->credit].kind == CRD_CREDIT_REVERSED_INVOICE) n.reversed = 1;
        if (e->type == CRD_ENTRY_VOID || e->type == CRD_ENTRY_DELETE) n.returned -= e->amount;
        n.allocated += put_aside(e);
        if (put_aside(e) != 0 || (e->type == CRD_ENTRY_REVISE && n.state == CRD_INVOICE_DRAFT)) continue;
        if (e->type == CRD_ENTRY_INVOICE_VOID) {
            n.cancelled = n.open;
            n.cause = n.state == CRD_INVOICE_DRAFT ? CRD_CAUSE_CANCELLED : CRD_CAUSE_VOIDED;
            n.state = n.state == CRD_INVOICE_DRAFT ? CRD_INVOICE_CANCELLED : CRD_INVOICE_VOIDED;
            n.open = 0;
        } else if (e->type != CRD_ENTRY_INVOICE || !v->draft) {
            n.cause = n.open > 0                          ? CRD_CAUSE_NONE
                      : e->type == CRD_ENTRY_APPLY     ? CRD_CAUSE_APPLIED
                      : e->type == CRD_ENTRY_WRITE_OFF ? e->cause
                      : e->type == CRD_ENTRY_CUT       ? CRD_CAUSE_CANCELLED
                      : e->type == CRD_ENTRY_REVISE    ? settled_last(m, index, i)
                                                       : n.cause;
            n.state = n.open > 0                             ? CRD_INVOICE_OPEN
                      : n.cause == CRD_CAUSE_WRITTEN_OFF ? CRD_INVOICE_WRITTEN_OFF
                                                         : CRD_INVOICE_PAID;
        }
    }
    return n;
}

static hold_now hold_figures(const model *m, int index) {
    hold_now n;
    memset(&n, 0, sizeof n);
    for (int i = 0; i < m->event_count; i++) {
        const m_event *e = &m->events[i];
        if (e->hold != index) continue;
        if (n.first_seq == 0) n.first_seq = e->seq;
        n.last_seq = e->seq;
        n.last_date = later(n.last_date, e->date);
        if (put_aside(e) == 0) continue;
        n.amount += put_aside(e);
        if (e->type == CRD_ENTRY_CAPTURE) n.captured += e->amount;
        if (e->type == CRD_ENTRY_RELEASE || e->type == CRD_ENTRY_LAPSE) n.released += e->amount;
        n.state = n.amount > 0                    ? CRD_HOLD_HELD
                  : e->type == CRD_ENTRY_LAPSE ? CRD_HOLD_LAPSED
                  : e->type == CRD_ENTRY_CAPTURE ? CRD_HOLD_CAPTURED
                                                 : CRD_HOLD_RELEASED;
    }
    return n;
}

static int64_t available_of(const credit_now *n) {
    return n->remaining - n->held - n->allocated;
}

/* What of a credit is still put aside on a date, for one who only looks (rule M7). */
static int64_t aside_on(const model *m, int credit, int allocated, int32_t date) {
    int64_t sum = 0;
    for (int i = 0; i < m->hold_count; i++)
        if (m->holds[i].credit == credit && (m->holds[i].draft >= 0) == allocated && (m->holds[i].lapses == 0 || m->holds[i].lapses >= date))
            sum += hold_figures(m, i).amount;
    return sum;
}

static receipt_now receipt_figures(const model *m, int index) {
    receipt_now n;
    memset(&n, 0, sizeof n);
    n.state = CRD_RECEIPT_POSTED;
    for (int i = 0; i < m->event_count; i++) {
        const m_event *e = &m->events[i];
        if (e->receipt != index) continue;
        if (n.first_seq == 0) n.first_seq = e->seq;
        n.last_seq = e->seq;
        n.last_date = later(n.last_date, e->date);
        if (e->type == CRD_ENTRY_APPLY) n.applied += e->amount;
        if (e->type == CRD_ENTRY_UNAPPLY) n.applied -= e->amount;
        if (e->type == CRD_ENTRY_WRITE_OFF) n.written_off += e->amount;
        if (e->type == CRD_ENTRY_UNWRITE_OFF) n.written_off -= e->amount;
        if (e->type == CRD_ENTRY_RECEIPT_UNDO) n.state = CRD_RECEIPT_UNDONE;
        if (e->type == CRD_ENTRY_RECEIPT_REVERSE) n.state = CRD_RECEIPT_REVERSED;
        if (e->type == CRD_ENTRY_RECEIPT_DELETE) n.state = CRD_RECEIPT_DELETED;
    }
    return n;
}

static int64_t application_left(const model *m, int event) {
    return left_behind(m, event, m->event_count - 1);
}

/* The invoice that a memo returns, or -1. */
static int returned_by(const model *m, int credit) {
    for (int i = 0; i < m->event_count; i++)
        if (m->events[i].type == CRD_ENTRY_ISSUE && m->events[i].credit == credit) return m->events[i].invoice;
    return -1;
}

static int64_t last_seq(const model *m, int who, int cur) {
    int64_t seq = 0;
    for (int i = 0; i < m->event_count; i++)
        if (m->events[i].who == who && m->events[i].cur == cur) seq = m->events[i].seq;
    return seq;
}

/* What counts as issued: neither what was brought in or came by transfer, nor what was a mistake, nor (rule M3) what a
 * payment's own receipt applies, or did when it was taken back. */
static int64_t issued_of(const m_credit *c, const credit_now *n) {
    if (c->kind == CRD_CREDIT_OPENING || (c->flags & CRD_FLAG_TRANSFERRED_IN) || n->deleted > 0) return 0;
    return c->original - n->by_receipt - n->reversed_own;
}

/* The first entry of an account tells the customer's switches, when there are any. */
static int opens_with_switches(const model *m, int who, int cur) {
    return last_seq(m, who, cur) == 0 && m->switches[who] != 0;
}

static int64_t next_seq(const model *m, int who, int cur) {
    return last_seq(m, who, cur) + 1 + opens_with_switches(m, who, cur);
}

static crd_balance balance_figures(const model *m, int who, int cur, int32_t date) {
    crd_balance b;
    memset(&b, 0, sizeof b);
    for (int i = 0; i < m->invoice_count; i++)
        if (m->invoices[i].who == who && m->invoices[i].cur == cur) b.outstanding += invoice_figures(m, i).open;
    for (int i = 0; i < m->credit_count; i++) {
        const m_credit *c = &m->credits[i];
        credit_now n;
        int expired = c->expires != 0 && date >= c->expires;
        if (c->who != who || c->cur != cur) continue;
        n = credit_figures(m, i);
        b.issued += issued_of(c, &n);
        b.applied += n.applied - n.by_receipt;
        n.held = aside_on(m, i, 0, date);
        n.allocated = aside_on(m, i, 1, date);
        b.held += n.held;
        b.allocated += n.allocated;
        if (expired) n.remaining = n.held + n.allocated; /* all else is gone, swept or not */
        if (is_cash(c)) b.unearned += n.remaining;
        if (n.remaining > 0) b.active_credits++;
        b.credit += n.remaining;
        if (!expired && date >= c->effective) b.available += available_of(&n);
    }
    b.balance = b.outstanding - b.credit;
    return b;
}

/* ---- looking up ---- */

static int find_m_credit(const model *m, int who, const char *id) {
    for (int i = 0; i < m->credit_count; i++)
        if (m->credits[i].who == who && strcmp(m->credits[i].id, id) == 0) return i;
    return -1;
}

static int find_m_invoice(const model *m, int who, const char *id) {
    for (int i = 0; i < m->invoice_count; i++)
        if (m->invoices[i].who == who && strcmp(m->invoices[i].id, id) == 0) return i;
    return -1;
}

static int find_m_receipt(const model *m, int who, const char *id) {
    for (int i = 0; i < m->receipt_count; i++)
        if (m->receipts[i].who == who && strcmp(m->receipts[i].id, id) == 0) return i;
    return -1;
}

static int find_m_hold(const model *m, int who, const char *id) {
    for (int i = 0; i < m->hold_count; i++)
        if (m->holds[i].who == who && strcmp(m->holds[i].id, id) == 0) return i;
    return -1;
}

static int find_m_event(const model *m, int who, int cur, int64_t seq) {
    for (int i = 0; i < m->event_count; i++)
        if (m->events[i].who == who && m->events[i].cur == cur && m->events[i].seq == seq) return i;
    return -1;
}

static int model_is_full(const model *m) {
    return m->credit_count > MAX_DOCUMENTS - 10 || m->invoice_count > MAX_DOCUMENTS - 10 ||
           m->receipt_count > MAX_DOCUMENTS - 10 || m->hold_count > MAX_DOCUMENTS - 10 ||
           m->event_count > MAX_EVENTS - 600;
}

static int adds_up(int64_t *sum, int64_t part) {
    if (part > INT64_MAX - *sum) return 0;
    *sum += part;
    return 1;
}

/* What an account adds up of its credits stays within 64 bits, after each event. */
static int totals_fit(const model *m, int who, int cur) {
    int64_t issued = 0, remaining = 0, applied = 0;
    for (int i = 0; i < m->credit_count; i++) {
        credit_now n;
        if (m->credits[i].who != who || m->credits[i].cur != cur) continue;
        n = credit_figures(m, i);
        if (n.first_seq == 0) continue; /* not issued yet */
        if (!adds_up(&issued, issued_of(&m->credits[i], &n)) || !adds_up(&remaining, n.remaining) ||
            !adds_up(&applied, n.applied - n.by_receipt))
            return 0;
    }
    return 1;
}

/* Whether an event of this command took a sum beyond 64 bits; asked before each next one, and at the end. */
static int overflows(model *m) {
    if (m->great && m->event_count > 0) {
        const m_event *last = &m->events[m->event_count - 1];
        if (!totals_fit(m, last->who, last->cur)) m->overflow = 1;
    }
    return m->overflow;
}

/* An earlier instant is raised to the account's last one (rule M6). */
static int64_t instant_of(const model *m, int who, int cur) {
    int64_t instant = m->now;
    for (int i = 0; i < m->event_count; i++)
        if (m->events[i].who == who && m->events[i].cur == cur && m->events[i].instant > instant)
            instant = m->events[i].instant;
    return instant;
}

static m_event *add_event(model *m, int who, int cur, uint32_t type, int credit, int invoice, int64_t amount,
                          int32_t date) {
    m_event *e;
    (void)overflows(m);
    if (type != CRD_ENTRY_SWITCHES && opens_with_switches(m, who, cur))
        add_event(m, who, cur, CRD_ENTRY_SWITCHES, -1, -1, m->switches[who], date);
    e = &m->events[m->event_count];
    e->who = who;
    e->cur = cur;
    e->seq = last_seq(m, who, cur) + 1;
    e->type = type;
    e->credit = credit;
    e->invoice = invoice;
    e->receipt = e->hold = e->other = -1;
    e->figure_before = e->figure_after = 0;
    e->returns = 0;
    e->instant = instant_of(m, who, cur);
    e->amount = amount;
    e->cause = CRD_CAUSE_NONE;
    e->date = date;
    e->undoes = -1;
    e->serial = m->serial;
    e->own = 0;
    e->line = 0;
    e->quantity = 0;
    memset(&e->as, 0, sizeof e->as);
    m->event_count++;
    return e;
}

#endif
