/*
 * Commands as data, and what the model does with each: first the refusals in the order of rule M16, then the events.
 *
 * A command names documents by id and entries by the serial of the command that made them, so that it means the same,
 * or something that does not exist, when commands before it are taken out of a list.
 */
#ifndef MODEL_COMMANDS_H
#define MODEL_COMMANDS_H

#include "model/model.h"

struct command;
static m_answer undo_transfer(model *m, int event, const struct command *c);
static m_answer undo_adjust(model *m, int event, const struct command *c);
static int is_off(const model *m, int who);
static int32_t release_all(model *m, int k, int32_t date);
static int applies_at_once(const model *m, const struct command *c);
static void use_credit(model *m, int k, int32_t date);
static void pay_invoice(model *m, int v, int32_t date);

enum {
    DO_CUSTOMER,
    DO_CREDIT,
    DO_INVOICE,
    DO_APPLY,
    DO_VOID_CREDIT,
    DO_UNDO,
    DO_SEND,
    DO_VOID_INVOICE,
    DO_RECONCILE,
    DO_CLOSE,
    DO_REFUND,
    DO_WRITE_OFF,
    DO_HOLD,
    DO_CAPTURE,
    DO_RELEASE,
    DO_REVISE,
    DO_RETURN,
    DO_REVERSE_INVOICE,
    DO_RECEIPT,
    DO_BOUNCE,
    DO_CHANGE_CUSTOMER,
    DO_TRANSFER, /* credit_commands.h, from here */
    DO_ADJUST,
    DO_DELETE,
    DO_SWEEP,
    DO_CHANGE_APPLICATION,
    DO_SWITCHES,
    DO_BULK,
    DO_COMMANDS
};

typedef struct m_line {
    char invoice[ID_ROOM], credit[ID_ROOM]; /* "": none */
    int64_t amount, quantity; /* quantity: of an invoice's line */
    uint32_t kind;
} m_line;

typedef struct command {
    int serial, type, who, cur;
    int other_who; /* apply: customer of the invoice; transfer: who receives */
    int fresh;     /* 1: use a newly read handle, not the one kept since the document was made; 2: that, refreshed */
    char credit[ID_ROOM], invoice[ID_ROOM]; /* "": none, or derived */
    char prefers[ID_ROOM], hold[ID_ROOM];
    char made[ID_ROOM];  /* credit that a transfer or an adjustment makes */
    uint32_t stands_for; /* of an opening credit */
    uint32_t apply;      /* CRD_ISSUE_APPLY, CRD_ISSUE_NO_APPLY: of a new credit or invoice */
    int override;        /* the request's right to a closed period */
    uint32_t mode;       /* bulk: CRD_BULK_…; sweep: 1 for that customer only; settings: 1 feature off, 2 auto-apply */
    uint32_t kind, flags, pays; /* kind: of a document; the cause of a write-off */
    int64_t amount;
    int32_t date, effective, expires, due, lapses;
    int32_t at;        /* its instant: noon of that day */
    char receipt[ID_ROOM], fee_id[ID_ROOM];
    int64_t fee;
    m_line lines[MAX_LINES];
    int line_count;
    int line; /* of an invoice: return, revise; 0 for none */
    int64_t quantity;
    int target, nth; /* undo: the nth event of that command; target −1: the bare number nth as seq */
} command;

static m_answer answer(crd_status status, int64_t amount) {
    m_answer a;
    a.status = status;
    a.amount = amount;
    return a;
}

static m_answer refuse(crd_status status) {
    return answer(status, 0);
}

static int bad_date(int32_t date) {
    return date < CRD_DATE_MIN || date > CRD_DATE_MAX;
}

static int64_t noon_of(int32_t day) {
    return (int64_t)day * INT64_C(86400000000) + INT64_C(43200000000);
}

static int in_closed(const model *m, int32_t date) {
    return m->closed != 0 && !m->override && date <= m->closed;
}

static int is_past(const m_credit *c, int32_t date) {
    return c->expires != 0 && date >= c->expires;
}

/* What is open stays within 64 bits, also on the way. */
static int sum_fits(const model *m, int who, int cur, int64_t more) {
    for (int i = 0; i < m->invoice_count; i++) {
        int64_t part = m->invoices[i].who == who && m->invoices[i].cur == cur ? invoice_figures(m, i).open : 0;
        if (more > 0 && part > INT64_MAX - more) return 0;
        more += part;
    }
    return 1;
}

/* ---- documents ---- */

static m_answer do_customer(model *m, const command *c) {
    if (bad_date(c->date)) return refuse(CRD_E_ARGUMENT);
    if (m->feature_off) return refuse(CRD_E_DISABLED); /* it has no switches of its own yet */
    if (m->known[c->who]) return refuse(CRD_E_EXISTS);
    if (in_closed(m, c->date)) return refuse(CRD_E_CLOSED);
    m->known[c->who] = 1;
    return answer(CRD_OK, 0);
}

static void name_document(const model *m, const command *c, const char *id, char *out, size_t size) {
    if (id[0] != '\0') snprintf(out, size, "%s", id);
    else snprintf(out, size, "~%s%lld", cur_names[c->cur], (long long)next_seq(m, c->who, c->cur));
}

static int add_receipt(model *m, int who, int cur, const char *id, int64_t amount, int32_t date) {
    m_receipt *r = &m->receipts[m->receipt_count];
    r->who = who;
    r->cur = cur;
    r->amount = amount;
    if (id[0] != '\0') snprintf(r->id, sizeof r->id, "%s", id);
    else snprintf(r->id, sizeof r->id, "~%s%lld", cur_names[cur], (long long)next_seq(m, who, cur));
    add_event(m, who, cur, CRD_ENTRY_RECEIPT, -1, -1, amount, date)->receipt = m->receipt_count;
    return m->receipt_count++;
}

static m_answer do_credit(model *m, const command *c) {
    m_credit *k = &m->credits[m->credit_count];
    int index = m->credit_count, receipt = -1;
    int32_t effective = c->effective != 0 ? c->effective : c->date;
    if (bad_date(c->date) || c->amount < 1 || c->amount > CRD_MAX_AMOUNT) return refuse(CRD_E_ARGUMENT);
    if ((c->kind == CRD_CREDIT_OPENING) != (c->stands_for != 0)) return refuse(CRD_E_ARGUMENT);
    if (c->apply == (CRD_ISSUE_APPLY | CRD_ISSUE_NO_APPLY)) return refuse(CRD_E_ARGUMENT);
    if (c->cur >= CUR) return refuse(CRD_E_CURRENCY); /* no currency at all: looked at with the arguments */
    if (is_off(m, c->who)) return refuse(CRD_E_DISABLED);
    if (c->who >= WHO || !m->known[c->who]) return refuse(CRD_E_NOT_FOUND);
    if (c->credit[0] != '\0' && find_m_credit(m, c->who, c->credit) >= 0) return refuse(CRD_E_EXISTS);
    if (in_closed(m, c->date)) return refuse(CRD_E_CLOSED);
    if (c->expires != 0 && c->expires <= later(effective, c->date)) return refuse(CRD_E_DATE);
    memset(k, 0, sizeof *k);
    k->who = c->who;
    k->cur = c->cur;
    k->kind = c->kind;
    k->stands_for = c->stands_for;
    k->flags = c->flags | (c->kind == CRD_CREDIT_OPENING ? CRD_FLAG_OPENING : 0u);
    k->pays = c->pays;
    k->original = c->amount;
    k->issued = c->date;
    k->effective = effective;
    k->expires = c->expires;
    memcpy(k->prefers, c->prefers, sizeof k->prefers);
    if (class_of(c->kind) == CRD_CLASS_CASH) /* rule M3: money comes with a receipt */
        receipt = add_receipt(m, c->who, c->cur, "", c->amount, c->date);
    name_document(m, c, c->credit, k->id, sizeof k->id);
    m->credit_count++;
    add_event(m, c->who, c->cur, CRD_ENTRY_ISSUE, index, -1, c->amount, c->date)->receipt = receipt;
    if (overflows(m)) return refuse(CRD_E_OVERFLOW);
    if (applies_at_once(m, c)) use_credit(m, index, c->date);
    return answer(CRD_OK, 0);
}

static m_answer do_invoice(model *m, const command *c) {
    m_invoice *v = &m->invoices[m->invoice_count];
    m_event *e;
    int draft = (c->flags & CRD_INVOICE_AS_DRAFT) != 0;
    int64_t sum = 0;
    if (draft && (c->flags & CRD_INVOICE_AS_OPENING)) return refuse(CRD_E_ARGUMENT);
    for (int i = 0; i < c->line_count; i++) sum += c->lines[i].amount;
    if (c->line_count > 0 && sum != c->amount) return refuse(CRD_E_ARGUMENT);
    if (bad_date(c->date) || c->amount < 0 || c->amount > CRD_MAX_AMOUNT) return refuse(CRD_E_ARGUMENT);
    if (c->apply == (CRD_INVOICE_APPLY | CRD_INVOICE_NO_APPLY)) return refuse(CRD_E_ARGUMENT);
    if (c->cur >= CUR) return refuse(CRD_E_CURRENCY); /* no currency at all: looked at with the arguments */
    if (is_off(m, c->who)) return refuse(CRD_E_DISABLED);
    if (c->who >= WHO || !m->known[c->who]) return refuse(CRD_E_NOT_FOUND);
    if (c->invoice[0] != '\0' && find_m_invoice(m, c->who, c->invoice) >= 0) return refuse(CRD_E_EXISTS);
    if (in_closed(m, c->date)) return refuse(CRD_E_CLOSED);
    if (!draft && !sum_fits(m, c->who, c->cur, c->amount)) return refuse(CRD_E_OVERFLOW);
    memset(v, 0, sizeof *v);
    v->who = c->who;
    v->cur = c->cur;
    v->kind = c->kind;
    v->draft = draft;
    v->opening = (c->flags & CRD_INVOICE_AS_OPENING) != 0;
    v->receipt = -1;
    v->line_count = c->line_count;
    for (int i = 0; i < c->line_count; i++) {
        v->line_amounts[i] = c->lines[i].amount;
        v->line_quantities[i] = c->lines[i].quantity;
    }
    name_document(m, c, c->invoice, v->id, sizeof v->id);
    e = add_event(m, c->who, c->cur, CRD_ENTRY_INVOICE, -1, m->invoice_count++, c->amount, c->date);
    e->as.total = c->amount;
    e->as.due = c->due;
    e->as.disputed = (c->flags & CRD_INVOICE_AS_DISPUTED) != 0;
    if (!draft && applies_at_once(m, c)) pay_invoice(m, m->invoice_count - 1, c->date);
    return answer(CRD_OK, 0);
}

/* ---- what time takes back ---- */

static int32_t day_entered(const model *m, int k, int32_t day) {
    day = later(day, credit_figures(m, k).last_date);
    return in_closed(m, day) ? m->closed + 1 : day;
}

static void expire(model *m, int k, int32_t date) {
    const m_credit *c = &m->credits[k];
    credit_now n = credit_figures(m, k);
    if (is_past(c, date) && available_of(&n) > 0)
        add_event(m, c->who, c->cur, CRD_ENTRY_EXPIRE, k, -1, available_of(&n), day_entered(m, k, c->expires));
}

static m_event *end_hold(model *m, int h, uint32_t type, int64_t amount, int32_t date) {
    const m_hold *hold = &m->holds[h];
    m_event *e = add_event(m, hold->who, hold->cur, type, hold->credit, hold->draft, amount, date);
    e->hold = h;
    return e;
}

/* The hold of the credit that has lapsed first of those not entered yet, or -1. */
static int next_lapsed(const model *m, int k) {
    int64_t instant = instant_of(m, m->credits[k].who, m->credits[k].cur);
    int found = -1;
    for (int i = 0; i < m->hold_count; i++) {
        const m_hold *h = &m->holds[i];
        if (h->credit != k || h->lapses == 0 || noon_of(h->lapses) > instant) continue;
        if (hold_figures(m, i).amount > 0 && (found < 0 || h->lapses < m->holds[found].lapses)) found = i;
    }
    return found;
}

/* Rule M7: what has lapsed or expired is entered first, on its day or on that of the credit's last entry; nothing
 * expires inside a closed period (rule M6). */
static void sweep(model *m, int k, int32_t date) {
    for (int h = next_lapsed(m, k); h >= 0; h = next_lapsed(m, k)) {
        int32_t day = day_entered(m, k, m->holds[h].lapses);
        expire(m, k, day);
        end_hold(m, h, CRD_ENTRY_LAPSE, hold_figures(m, h).amount, day);
    }
    expire(m, k, later(date, credit_figures(m, k).last_date));
}

/* Of a command that is refused when the credit has expired. */
static void sweep_before_use(model *m, int k, int32_t date) {
    if (!is_past(&m->credits[k], date)) sweep(m, k, date);
}

/* ---- applying ---- */

static m_answer do_apply(model *m, const command *c) {
    int k = find_m_credit(m, c->who, c->credit);
    int v = c->invoice[0] != '\0' ? find_m_invoice(m, c->other_who, c->invoice) : -1;
    int clamp = (c->flags & CRD_APPLY_CLAMP) != 0;
    int64_t amount = c->amount;
    const m_credit *credit = &m->credits[k < 0 ? 0 : k];
    credit_now kn;
    invoice_now vn;
    memset(&vn, 0, sizeof vn);
    if (k < 0 || (c->invoice[0] != '\0' && v < 0)) return refuse(CRD_E_NOT_FOUND);
    if (bad_date(c->date) || amount < (clamp ? 0 : 1) || amount > CRD_MAX_AMOUNT) return refuse(CRD_E_ARGUMENT);
    if (is_off(m, c->who)) return refuse(CRD_E_DISABLED);
    if (v >= 0 && m->invoices[v].who != credit->who) return refuse(CRD_E_CUSTOMER);
    if (v >= 0 && m->invoices[v].cur != credit->cur) return refuse(CRD_E_CURRENCY);
    sweep_before_use(m, k, c->date);
    kn = credit_figures(m, k);
    if (v >= 0) vn = invoice_figures(m, v);
    if (kn.state != CRD_CREDIT_ACTIVE) return refuse(CRD_E_STATE);
    if (v >= 0 && vn.state != CRD_INVOICE_OPEN) return refuse(CRD_E_STATE);
    if (in_closed(m, c->date)) return refuse(CRD_E_CLOSED);
    if (c->date < kn.last_date || (v >= 0 && c->date < vn.last_date)) return refuse(CRD_E_DATE);
    if (is_past(credit, c->date) || c->date < credit->effective) return refuse(CRD_E_EXPIRED);
    if (credit->pays != 0 && (v < 0 || !(credit->pays >> m->invoices[v].kind & 1u))) return refuse(CRD_E_RESTRICTED);
    if (clamp) {
        if (amount == 0) amount = CRD_MAX_AMOUNT;
        amount = smaller(amount, available_of(&kn));
        if (v >= 0) amount = smaller(amount, vn.open);
        if (amount == 0) return refuse(CRD_E_NOTHING);
    }
    if (amount > available_of(&kn)) return refuse(CRD_E_CREDIT_AMOUNT);
    if (v >= 0 && amount > vn.open) return refuse(CRD_E_INVOICE_AMOUNT);
    add_event(m, credit->who, credit->cur, CRD_ENTRY_APPLY, k, v, amount, c->date);
    return answer(CRD_OK, amount);
}

/* Rule M8: an application or a refund is taken back, and the money goes where the state of its credit sends it. */
static void give_back(model *m, int event, int64_t amount, int32_t date) {
    const m_event done = m->events[event];
    const m_credit *c = &m->credits[done.credit];
    int revocable = counts_as(c) == CRD_CLASS_PROMISE || counts_as(c) == CRD_CLASS_ADJUSTMENT;
    credit_now n;
    m_event *back;
    sweep(m, done.credit, date);
    n = credit_figures(m, done.credit);
    back = add_event(m, done.who, done.cur,
                     done.type == CRD_ENTRY_REFUND         ? CRD_ENTRY_UNREFUND
                     : done.type == CRD_ENTRY_TRANSFER     ? CRD_ENTRY_UNTRANSFER
                     : done.type == CRD_ENTRY_ADJUST_PIECE ? CRD_ENTRY_UNADJUST
                                                           : CRD_ENTRY_UNAPPLY,
                     done.credit, done.invoice, amount, date);
    back->receipt = done.receipt;
    back->other = done.other;
    back->undoes = event;
    back->own = done.own;
    if (n.taken_back)
        add_event(m, done.who, done.cur, CRD_ENTRY_REVERSE, done.credit, -1, amount, date)->own = done.own;
    else if (is_past(c, date)) add_event(m, done.who, done.cur, CRD_ENTRY_EXPIRE, done.credit, -1, amount, date);
    else if (n.state == CRD_CREDIT_VOIDED && n.cause == CRD_CAUSE_VOIDED && revocable)
        add_event(m, done.who, done.cur, CRD_ENTRY_VOID, done.credit, -1, amount, date);
}

/* The last day of a credit once what has lapsed of it is entered, which may be later than the business date. */
static int32_t last_once_swept(const model *m, int k) {
    int64_t instant = instant_of(m, m->credits[k].who, m->credits[k].cur);
    int32_t date = credit_figures(m, k).last_date;
    for (int i = 0; i < m->hold_count; i++) {
        const m_hold *h = &m->holds[i];
        if (h->credit == k && h->lapses != 0 && noon_of(h->lapses) <= instant && hold_figures(m, i).amount > 0)
            date = later(date, h->lapses);
    }
    return date;
}

/* The last day of what an application touches beside the invoice, which its caller looks at. */
static int32_t touched(const model *m, const m_event *e) {
    int32_t date = last_once_swept(m, e->credit);
    if (e->receipt >= 0) date = later(date, receipt_figures(m, e->receipt).last_date);
    return date;
}

static m_answer do_void_credit(model *m, const command *c) {
    int k = find_m_credit(m, c->who, c->credit), v = k < 0 ? -1 : returned_by(m, k);
    int32_t date = c->date;
    int64_t amount;
    credit_now n;
    if (k < 0) return refuse(CRD_E_NOT_FOUND);
    if (bad_date(c->date) || c->amount < 0 || c->amount > CRD_MAX_AMOUNT) return refuse(CRD_E_ARGUMENT);
    if (is_off(m, c->who)) return refuse(CRD_E_DISABLED);
    sweep_before_use(m, k, c->date);
    n = credit_figures(m, k);
    if (n.state == CRD_CREDIT_VOIDED || m->credits[k].kind == CRD_CREDIT_REVERSED_INVOICE) return refuse(CRD_E_STATE);
    if (n.remaining == 0) return refuse(CRD_E_NOTHING);
    if (in_closed(m, c->date)) return refuse(CRD_E_CLOSED);
    if (c->date < n.last_date || (v >= 0 && c->date < invoice_figures(m, v).last_date)) return refuse(CRD_E_DATE);
    if (is_past(&m->credits[k], c->date)) return refuse(CRD_E_EXPIRED);
    if (c->flags & CRD_VOID_RELEASE) date = release_all(m, k, c->date);
    n = credit_figures(m, k);
    amount = c->amount > 0 ? c->amount : available_of(&n);
    if (available_of(&n) == 0) return refuse(CRD_E_IN_USE);
    if (amount > available_of(&n)) return refuse(CRD_E_CREDIT_AMOUNT);
    add_event(m, c->who, m->credits[k].cur, CRD_ENTRY_VOID, k, v, amount, date);
    return answer(CRD_OK, amount);
}

/* Rule M4: by class, unless the credit says otherwise. */
static int is_refundable(const m_credit *c) {
    if (c->flags & CRD_FLAG_NON_REFUNDABLE) return 0;
    return (c->flags & CRD_FLAG_REFUNDABLE) || is_cash(c) || counts_as(c) == CRD_CLASS_MEMO;
}

static m_answer do_refund(model *m, const command *c) {
    int k = find_m_credit(m, c->who, c->credit);
    int64_t amount;
    credit_now n;
    if (k < 0) return refuse(CRD_E_NOT_FOUND);
    if (bad_date(c->date) || c->amount < 0 || c->amount > CRD_MAX_AMOUNT) return refuse(CRD_E_ARGUMENT);
    if (is_off(m, c->who)) return refuse(CRD_E_DISABLED);
    sweep_before_use(m, k, c->date);
    n = credit_figures(m, k);
    if (n.state != CRD_CREDIT_ACTIVE) return refuse(CRD_E_STATE);
    if (!(c->flags & CRD_REFUND_OVERRIDE) && !is_refundable(&m->credits[k])) return refuse(CRD_E_NOT_REFUNDABLE);
    if (in_closed(m, c->date)) return refuse(CRD_E_CLOSED);
    if (c->date < n.last_date) return refuse(CRD_E_DATE);
    if (is_past(&m->credits[k], c->date)) return refuse(CRD_E_EXPIRED);
    amount = c->amount > 0 ? c->amount : available_of(&n);
    if (available_of(&n) == 0) return refuse(CRD_E_IN_USE);
    if (amount > available_of(&n)) return refuse(CRD_E_CREDIT_AMOUNT);
    add_event(m, c->who, m->credits[k].cur, CRD_ENTRY_REFUND, k, -1, amount, c->date);
    return answer(CRD_OK, amount);
}

static m_answer do_write_off(model *m, const command *c) {
    int v = find_m_invoice(m, c->who, c->invoice);
    uint32_t cause = c->kind != 0 ? c->kind : CRD_CAUSE_WRITTEN_OFF;
    invoice_now n;
    if (v < 0) return refuse(CRD_E_NOT_FOUND);
    if (bad_date(c->date) || c->amount < 0 || c->amount > CRD_MAX_AMOUNT) return refuse(CRD_E_ARGUMENT);
    if (cause != CRD_CAUSE_WRITTEN_OFF && cause != CRD_CAUSE_TOLERANCE && cause != CRD_CAUSE_DISCOUNT)
        return refuse(CRD_E_ARGUMENT);
    if (is_off(m, c->who)) return refuse(CRD_E_DISABLED);
    n = invoice_figures(m, v);
    if (n.state != CRD_INVOICE_OPEN) return refuse(CRD_E_STATE);
    if (in_closed(m, c->date)) return refuse(CRD_E_CLOSED);
    if (c->date < n.last_date) return refuse(CRD_E_DATE);
    if (c->amount > n.open) return refuse(CRD_E_INVOICE_AMOUNT);
    if (c->amount > 0) n.open = c->amount;
    add_event(m, c->who, m->invoices[v].cur, CRD_ENTRY_WRITE_OFF, -1, v, n.open, c->date)->cause = cause;
    return answer(CRD_OK, n.open);
}

static void unwrite_off(model *m, int event, int64_t amount, int32_t date) {
    const m_event done = m->events[event];
    m_event *back = add_event(m, done.who, done.cur, CRD_ENTRY_UNWRITE_OFF, -1, done.invoice, amount, date);
    back->receipt = done.receipt;
    back->undoes = event;
    back->cause = done.cause;
}

/* What is left of an event of that type on that invoice, or 0. */
static int64_t left_on(const model *m, int event, uint32_t type, int v) {
    return m->events[event].type == type && m->events[event].invoice == v ? application_left(m, event) : 0;
}

/* ---- putting aside ---- */

static m_answer do_hold(model *m, const command *c) {
    int k = find_m_credit(m, c->who, c->credit), index = m->hold_count;
    int v = c->invoice[0] != '\0' ? find_m_invoice(m, c->other_who, c->invoice) : -1;
    int clamp = (c->flags & CRD_APPLY_CLAMP) != 0;
    int64_t amount = c->amount, bound;
    m_hold *h = &m->holds[index];
    credit_now kn;
    invoice_now vn;
    if (k < 0 || (c->invoice[0] != '\0' && v < 0)) return refuse(CRD_E_NOT_FOUND);
    if (bad_date(c->date) || amount < (clamp ? 0 : 1) || amount > CRD_MAX_AMOUNT) return refuse(CRD_E_ARGUMENT);
    if (c->lapses != 0 && (v >= 0 || c->lapses <= c->at)) return refuse(CRD_E_ARGUMENT);
    if (is_off(m, c->who)) return refuse(CRD_E_DISABLED);
    if (c->hold[0] != '\0' && find_m_hold(m, c->who, c->hold) >= 0) return refuse(CRD_E_EXISTS);
    if (v >= 0 && m->invoices[v].who != c->who) return refuse(CRD_E_CUSTOMER);
    if (v >= 0 && m->invoices[v].cur != m->credits[k].cur) return refuse(CRD_E_CURRENCY);
    for (int i = 0; i < m->hold_count && v >= 0; i++)
        if (m->holds[i].credit == k && m->holds[i].draft == v && hold_figures(m, i).amount > 0)
            return refuse(CRD_E_EXISTS);
    sweep_before_use(m, k, c->date);
    kn = credit_figures(m, k);
    if (kn.state != CRD_CREDIT_ACTIVE) return refuse(CRD_E_STATE);
    if (v >= 0) vn = invoice_figures(m, v);
    else memset(&vn, 0, sizeof vn);
    if (v >= 0 && vn.state != CRD_INVOICE_DRAFT) return refuse(CRD_E_STATE);
    if (in_closed(m, c->date)) return refuse(CRD_E_CLOSED);
    if (c->date < kn.last_date || c->date < vn.last_date) return refuse(CRD_E_DATE);
    if (is_past(&m->credits[k], c->date) || c->date < m->credits[k].effective) return refuse(CRD_E_EXPIRED);
    if (v >= 0 && m->credits[k].pays != 0 && !(m->credits[k].pays >> m->invoices[v].kind & 1u))
        return refuse(CRD_E_RESTRICTED);
    bound = available_of(&kn);
    if (v >= 0) bound = smaller(bound, vn.as.total - vn.allocated);
    if (clamp && (amount == 0 || amount > bound)) amount = bound;
    if (amount == 0) return refuse(CRD_E_NOTHING);
    if (amount > available_of(&kn)) return refuse(CRD_E_CREDIT_AMOUNT);
    if (amount > bound) return refuse(CRD_E_INVOICE_AMOUNT);
    memset(h, 0, sizeof *h);
    h->who = c->who;
    h->cur = m->credits[k].cur;
    h->credit = k;
    h->draft = v;
    h->lapses = c->lapses;
    if (c->hold[0] != '\0') memcpy(h->id, c->hold, sizeof h->id);
    else snprintf(h->id, sizeof h->id, "~%s%lld", cur_names[h->cur], (long long)last_seq(m, h->who, h->cur) + 1);
    m->hold_count++;
    end_hold(m, index, CRD_ENTRY_HOLD, amount, c->date);
    return answer(CRD_OK, amount);
}

/* Rule M10: also of credit that has expired meanwhile. */
static m_answer do_capture(model *m, const command *c) {
    int h = find_m_hold(m, c->who, c->hold);
    int v = c->invoice[0] != '\0' ? find_m_invoice(m, c->other_who, c->invoice) : -1;
    int64_t amount = c->amount, bound;
    const m_credit *credit;
    hold_now hn;
    invoice_now vn;
    int k;
    if (h < 0 || (c->invoice[0] != '\0' && v < 0)) return refuse(CRD_E_NOT_FOUND);
    if (bad_date(c->date) || amount < 0 || amount > CRD_MAX_AMOUNT) return refuse(CRD_E_ARGUMENT);
    if (is_off(m, c->who)) return refuse(CRD_E_DISABLED);
    if (v >= 0 && m->invoices[v].who != c->who) return refuse(CRD_E_CUSTOMER);
    if (v >= 0 && m->invoices[v].cur != m->holds[h].cur) return refuse(CRD_E_CURRENCY);
    k = m->holds[h].credit;
    credit = &m->credits[k];
    sweep(m, k, c->date);
    hn = hold_figures(m, h);
    memset(&vn, 0, sizeof vn);
    if (v >= 0) vn = invoice_figures(m, v);
    if (v >= 0 && vn.state != CRD_INVOICE_OPEN) bound = 0;
    else bound = v >= 0 ? smaller(hn.amount, vn.open) : hn.amount;
    if (hn.state != CRD_HOLD_HELD || m->holds[h].draft >= 0) return refuse(CRD_E_STATE);
    if (v >= 0 && vn.state != CRD_INVOICE_OPEN) return refuse(CRD_E_STATE);
    if (in_closed(m, c->date)) return refuse(CRD_E_CLOSED);
    if (c->date < credit_figures(m, k).last_date || c->date < vn.last_date) return refuse(CRD_E_DATE);
    if (credit->pays != 0 && (v < 0 || !(credit->pays >> m->invoices[v].kind & 1u))) return refuse(CRD_E_RESTRICTED);
    if (amount == 0) amount = hn.amount;
    if (c->flags & CRD_APPLY_CLAMP) amount = smaller(amount, bound);
    if (amount > hn.amount) return refuse(CRD_E_CREDIT_AMOUNT);
    if (amount > bound) return refuse(CRD_E_INVOICE_AMOUNT);
    end_hold(m, h, CRD_ENTRY_CAPTURE, amount, c->date)->invoice = -1;
    add_event(m, c->who, credit->cur, CRD_ENTRY_APPLY, k, v, amount, c->date)->hold = h;
    return answer(CRD_OK, amount);
}

static void release(model *m, int h, int64_t amount, int32_t date, int expires) {
    int k = m->holds[h].credit;
    end_hold(m, h, CRD_ENTRY_RELEASE, amount, date);
    if (expires && is_past(&m->credits[k], date))
        add_event(m, m->credits[k].who, m->credits[k].cur, CRD_ENTRY_EXPIRE, k, -1, amount, date);
}

static m_answer do_release(model *m, const command *c) {
    int h = find_m_hold(m, c->who, c->hold), draft;
    int64_t amount;
    hold_now hn;
    if (h < 0) return refuse(CRD_E_NOT_FOUND);
    if (bad_date(c->date) || c->amount < 0 || c->amount > CRD_MAX_AMOUNT) return refuse(CRD_E_ARGUMENT);
    if (is_off(m, c->who)) return refuse(CRD_E_DISABLED);
    sweep(m, m->holds[h].credit, c->date);
    hn = hold_figures(m, h);
    draft = m->holds[h].draft;
    amount = c->amount > 0 ? c->amount : hn.amount;
    if (hn.state != CRD_HOLD_HELD) return refuse(CRD_E_NOTHING);
    if (in_closed(m, c->date)) return refuse(CRD_E_CLOSED);
    if (c->date < credit_figures(m, m->holds[h].credit).last_date) return refuse(CRD_E_DATE);
    if (draft >= 0 && c->date < invoice_figures(m, draft).last_date) return refuse(CRD_E_DATE);
    if (amount > hn.amount) return refuse(CRD_E_CREDIT_AMOUNT);
    release(m, h, amount, c->date, 1);
    return answer(CRD_OK, amount);
}

/* Rule M9: each allocation becomes an application dated the posting or later (rule M6), oldest first. */
static m_answer do_send(model *m, const command *c) {
    int v = find_m_invoice(m, c->who, c->invoice), count = m->hold_count;
    int64_t aside[MAX_DOCUMENTS];
    invoice_now n;
    if (v < 0) return refuse(CRD_E_NOT_FOUND);
    if (bad_date(c->date)) return refuse(CRD_E_ARGUMENT);
    if (c->apply == (CRD_INVOICE_APPLY | CRD_INVOICE_NO_APPLY)) return refuse(CRD_E_ARGUMENT);
    if (is_off(m, c->who)) return refuse(CRD_E_DISABLED);
    n = invoice_figures(m, v);
    if (n.state != CRD_INVOICE_DRAFT) return refuse(CRD_E_STATE);
    if (in_closed(m, c->date)) return refuse(CRD_E_CLOSED);
    if (c->date < n.last_date) return refuse(CRD_E_DATE);
    if (!sum_fits(m, c->who, m->invoices[v].cur, n.as.total)) return refuse(CRD_E_OVERFLOW);
    for (int i = 0; i < count; i++) aside[i] = m->holds[i].draft == v ? hold_figures(m, i).amount : 0;
    for (int i = 0; i < count; i++)
        if (aside[i] > 0) sweep(m, m->holds[i].credit, c->date);
    for (int i = 0; i < count; i++)
        if (aside[i] > 0) end_hold(m, i, CRD_ENTRY_CAPTURE, aside[i], c->date);
    add_event(m, c->who, m->invoices[v].cur, CRD_ENTRY_SEND, -1, v, n.as.total, c->date);
    for (int i = 0; i < count; i++) {
        int32_t day = c->date;
        if (aside[i] == 0) continue;
        day = later(day, later(credit_figures(m, m->holds[i].credit).last_date, invoice_figures(m, v).last_date));
        end_hold(m, i, CRD_ENTRY_APPLY, aside[i], day);
    }
    if (applies_at_once(m, c)) pay_invoice(m, v, c->date);
    return answer(CRD_OK, n.as.total);
}

/* Rule M9: allocations of a draft are released, newest first, on one date, until no more than `keep` is left. Returns how
 * much. */
static int64_t release_draft(model *m, int v, int64_t keep, int32_t *date) {
    int64_t amounts[MAX_DOCUMENTS], over = invoice_figures(m, v).allocated - keep, sum = 0;
    for (int i = m->hold_count - 1; i >= 0; i--) {
        amounts[i] = m->holds[i].draft == v && over > 0 ? smaller(over, hold_figures(m, i).amount) : 0;
        if (amounts[i] > 0) *date = later(*date, last_once_swept(m, m->holds[i].credit));
        over -= amounts[i];
        sum += amounts[i];
    }
    for (int i = 0; i < m->hold_count; i++)
        if (amounts[i] > 0) sweep(m, m->holds[i].credit, *date);
    for (int i = m->hold_count - 1; i >= 0; i--)
        if (amounts[i] > 0) release(m, i, amounts[i], *date, 1);
    return sum;
}

/* Rule M12: write-offs first, then applications, newest first, all on one date (rule M6). */
static m_answer do_void_invoice(model *m, const command *c) {
    int v = find_m_invoice(m, c->who, c->invoice), count = m->event_count;
    int32_t date = c->date;
    int64_t returned = 0, cash = 0;
    invoice_now n;
    if (v < 0) return refuse(CRD_E_NOT_FOUND);
    if (bad_date(c->date)) return refuse(CRD_E_ARGUMENT);
    if (is_off(m, c->who)) return refuse(CRD_E_DISABLED);
    n = invoice_figures(m, v);
    if (n.state == CRD_INVOICE_VOIDED || n.state == CRD_INVOICE_CANCELLED) return refuse(CRD_E_STATE);
    if (m->invoices[v].own) return refuse(CRD_E_STATE);
    if (n.returned > 0) return refuse(CRD_E_RETURNED);
    for (int i = 0; i < count; i++) {
        const m_event *e = &m->events[i];
        int64_t left = e->type == CRD_ENTRY_APPLY && e->invoice == v ? application_left(m, i) : 0;
        if (left == 0) continue;
        date = later(date, touched(m, e));
        if (is_cash(&m->credits[e->credit])) cash += left;
    }
    if (in_closed(m, c->date)) return refuse(CRD_E_CLOSED);
    if (n.state != CRD_INVOICE_DRAFT && in_closed(m, n.issued)) return refuse(CRD_E_CLOSED);
    if (c->date < n.last_date) return refuse(CRD_E_DATE);
    if ((c->flags & CRD_VOID_STRICT) && cash > 0) return refuse(CRD_E_IN_USE);
    if (!sum_fits(m, c->who, m->invoices[v].cur, n.applied + n.written_off)) return refuse(CRD_E_OVERFLOW);
    returned += release_draft(m, v, 0, &date);
    for (int i = count - 1; i >= 0; i--) {
        int64_t left = left_on(m, i, CRD_ENTRY_WRITE_OFF, v);
        if (left > 0) unwrite_off(m, i, left, date);
    }
    for (int i = count - 1; i >= 0; i--) {
        int64_t left = left_on(m, i, CRD_ENTRY_APPLY, v);
        if (left == 0) continue;
        give_back(m, i, left, date);
        returned += left;
    }
    n = invoice_figures(m, v);
    add_event(m, c->who, m->invoices[v].cur, CRD_ENTRY_INVOICE_VOID, -1, v, n.open, date);
    return answer(CRD_OK, returned);
}

/* ---- taking back ---- */

/* The credit that the money of a receipt became, or -1. */
static int credit_of_receipt(const model *m, int receipt) {
    for (int i = 0; i < m->event_count; i++)
        if (m->events[i].type == CRD_ENTRY_ISSUE && m->events[i].receipt == receipt) return m->events[i].credit;
    return -1;
}

/* What goes when a receipt is undone whole, or when its payment bounces (rules M13, M14). */
typedef struct m_undoing {
    int receipt, own, whole; /* own: the credit its money became, or -1 */
    int marked[MAX_EVENTS];  /* these applications and write-offs */
    int32_t date;            /* the latest of all that is touched */
    int64_t opened, returned;
} m_undoing;

/* Whatever its own money did; and when it is undone whole, all else on it. */
static int application_goes(const model *m, int i, const m_undoing *u) {
    const m_event *e = &m->events[i];
    if (e->type != CRD_ENTRY_APPLY || application_left(m, i) == 0) return 0;
    return (u->own >= 0 && e->credit == u->own) || (u->whole && e->receipt == u->receipt);
}

/* Of the receipts whose applications go, the write-offs on those invoices. */
static int write_off_goes(const model *m, int i, const m_undoing *u) {
    const m_event *e = &m->events[i];
    if (e->type != CRD_ENTRY_WRITE_OFF || e->receipt < 0 || application_left(m, i) == 0) return 0;
    if (u->whole && e->receipt == u->receipt) return 1;
    for (int j = 0; j < m->event_count; j++)
        if (m->events[j].receipt == e->receipt && m->events[j].invoice == e->invoice && application_goes(m, j, u))
            return 1;
    return 0;
}

static void plan_undoing(const model *m, int receipt, int whole, int32_t date, m_undoing *u) {
    memset(u, 0, sizeof *u);
    u->receipt = receipt;
    u->whole = whole;
    u->own = credit_of_receipt(m, receipt);
    u->date = later(date, receipt_figures(m, receipt).last_date);
    if (u->own >= 0) u->date = later(u->date, last_once_swept(m, u->own));
    for (int i = 0; i < m->event_count; i++) {
        const m_event *e = &m->events[i];
        u->marked[i] = application_goes(m, i, u) || write_off_goes(m, i, u);
        if (!u->marked[i]) continue;
        if (e->credit >= 0) u->date = later(u->date, touched(m, e));
        if (e->receipt >= 0) u->date = later(u->date, receipt_figures(m, e->receipt).last_date);
        if (e->invoice < 0) continue;
        u->date = later(u->date, invoice_figures(m, e->invoice).last_date);
        u->opened += application_left(m, i);
    }
    for (int i = 0; i < m->hold_count; i++)
        if (u->own >= 0 && m->holds[i].credit == u->own && m->holds[i].draft >= 0 && hold_figures(m, i).amount > 0)
            u->date = later(u->date, invoice_figures(m, m->holds[i].draft).last_date);
}

static int64_t reverse_money(model *m, int own, int64_t amount, int32_t date, int by_receipt) {
    const m_credit *c = &m->credits[own];
    if (amount > 0) add_event(m, c->who, c->cur, CRD_ENTRY_REVERSE, own, -1, amount, date)->own = by_receipt;
    return amount;
}

/* Write-offs first, each newest first. Other credits get their money back by rule M8; its own money is reversed. */
static void undo_planned(model *m, m_undoing *u) {
    int own = u->own, count = m->event_count;
    if (own >= 0) {
        sweep(m, own, u->date);
        u->date = release_all(m, own, u->date);
    }
    for (int i = count - 1; i >= 0; i--)
        if (u->marked[i] && m->events[i].type == CRD_ENTRY_WRITE_OFF)
            unwrite_off(m, i, application_left(m, i), u->date);
    for (int i = count - 1; i >= 0; i--) {
        m_event done = m->events[i], *back;
        int64_t left = u->marked[i] ? application_left(m, i) : 0;
        if (left == 0) continue;
        u->returned += left;
        if (done.credit != own) {
            give_back(m, i, left, u->date);
            continue;
        }
        back = add_event(m, done.who, done.cur, CRD_ENTRY_UNAPPLY, own, done.invoice, left, u->date);
        back->receipt = done.receipt;
        back->undoes = i;
        back->own = done.own;
        (void)reverse_money(m, own, left, u->date, done.own);
    }
    if (own >= 0) u->returned += reverse_money(m, own, credit_figures(m, own).remaining, u->date, 0);
}

/* Entered in error: undone whole, its credits too. */
static m_answer undo_receipt(model *m, int event, const command *c) {
    int receipt = m->events[event].receipt;
    m_undoing u;
    m_event *last;
    if (c->amount != 0) return refuse(CRD_E_ARGUMENT);
    if (receipt_figures(m, receipt).state != CRD_RECEIPT_POSTED) return refuse(CRD_E_NOTHING);
    plan_undoing(m, receipt, 1, c->date, &u);
    if (in_closed(m, c->date)) return refuse(CRD_E_CLOSED);
    if (u.own >= 0 && credit_figures(m, u.own).refunded + credit_figures(m, u.own).transferred > 0)
        return refuse(CRD_E_IN_USE);
    if (!sum_fits(m, c->who, c->cur, u.opened)) return refuse(CRD_E_OVERFLOW);
    undo_planned(m, &u);
    if (u.own >= 0) u.returned = m->receipts[receipt].amount;
    last = add_event(m, c->who, c->cur, CRD_ENTRY_RECEIPT_UNDO, u.own, -1, u.returned, u.date);
    last->receipt = receipt;
    last->undoes = event;
    return answer(CRD_OK, u.returned);
}

/* The seq an undo means: the nth event of its target, or the bare number. */
static int64_t undo_seq(const model *m, const command *c) {
    int nth = c->nth;
    if (c->target < 0) return c->nth;
    for (int i = 0; i < m->event_count; i++)
        if (m->events[i].serial == c->target && nth-- == 0) return m->events[i].seq;
    return 1000000;
}

static m_answer undo_application(model *m, int event, const command *c) {
    const m_event *e = &m->events[event];
    int64_t left = application_left(m, event), amount = c->amount > 0 ? c->amount : left;
    int32_t last = touched(m, e);
    if (m->credits[e->credit].kind == CRD_CREDIT_REVERSED_INVOICE) return refuse(CRD_E_STATE); /* rule M12: never undone */
    if (left == 0) return refuse(CRD_E_NOTHING);
    if (in_closed(m, c->date)) return refuse(CRD_E_CLOSED);
    if (e->invoice >= 0) last = later(last, invoice_figures(m, e->invoice).last_date);
    if (c->date < last) return refuse(CRD_E_DATE);
    if (c->amount > left) return refuse(CRD_E_CREDIT_AMOUNT);
    if (e->invoice >= 0 && !sum_fits(m, c->who, c->cur, amount)) return refuse(CRD_E_OVERFLOW);
    give_back(m, event, amount, c->date);
    return answer(CRD_OK, amount);
}

static m_answer undo_refund(model *m, int event, const command *c); /* receipt_commands.h */

/* Direct, as a write-off is (rule M6). */
static m_answer undo_write_off(model *m, int event, const command *c) {
    const m_event *e = &m->events[event];
    int64_t left = application_left(m, event), amount = c->amount > 0 ? c->amount : left;
    if (left == 0) return refuse(CRD_E_NOTHING);
    if (in_closed(m, c->date)) return refuse(CRD_E_CLOSED);
    if (c->date < invoice_figures(m, e->invoice).last_date) return refuse(CRD_E_DATE);
    if (e->receipt >= 0 && c->date < receipt_figures(m, e->receipt).last_date) return refuse(CRD_E_DATE);
    if (c->amount > left) return refuse(CRD_E_INVOICE_AMOUNT);
    if (!sum_fits(m, c->who, c->cur, amount)) return refuse(CRD_E_OVERFLOW);
    unwrite_off(m, event, amount, c->date);
    return answer(CRD_OK, amount);
}

static m_answer do_undo(model *m, const command *c) {
    int64_t seq = undo_seq(m, c);
    int event;
    if (bad_date(c->date)) return refuse(CRD_E_ARGUMENT);
    if (c->cur >= CUR) return refuse(CRD_E_CURRENCY); /* no currency at all: looked at with the arguments */
    if (seq < 1 || c->amount < 0 || c->amount > CRD_MAX_AMOUNT) return refuse(CRD_E_ARGUMENT);
    if (m->feature_off) return refuse(CRD_E_DISABLED);
    if (c->who >= WHO || last_seq(m, c->who, c->cur) == 0) return refuse(CRD_E_NOT_FOUND); /* no such account */
    if (is_off(m, c->who)) return refuse(CRD_E_DISABLED);
    event = find_m_event(m, c->who, c->cur, seq);
    if (event < 0) return refuse(CRD_E_NOT_FOUND);
    switch (m->events[event].type) {
    case CRD_ENTRY_RECEIPT: return undo_receipt(m, event, c);
    case CRD_ENTRY_APPLY: return undo_application(m, event, c);
    case CRD_ENTRY_REFUND: return undo_refund(m, event, c);
    case CRD_ENTRY_WRITE_OFF: return undo_write_off(m, event, c);
    case CRD_ENTRY_TRANSFER: return undo_transfer(m, event, c);
    case CRD_ENTRY_ADJUST: return undo_adjust(m, event, c);
    default: return refuse(CRD_E_STATE);
    }
}

#endif
