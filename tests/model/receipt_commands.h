/*
 * What the model does with the commands about receipts (rules M13, M14): one is entered with its lines, or its payment
 * bounces. As in commands.h: first the refusals in the order of rule M16, then the events.
 */
#ifndef MODEL_RECEIPT_COMMANDS_H
#define MODEL_RECEIPT_COMMANDS_H

#include "model/document_commands.h"

static int credit_before(const model *m, int a, int b);  /* rule M15: reconcile.h */
static int invoice_before(const model *m, int a, int b);

/* ---- which credit pays which invoice ---- */

#define MAX_PAIRS (MAX_DOCUMENTS + 2 * MAX_LINES)

/* A receipt as it is worked out. Its own money is the credit of index OWN_MONEY. */
#define OWN_MONEY (MAX_DOCUMENTS - 1)
typedef struct m_sheet {
    int32_t date, expires; /* expires: what stays of its own money */
    int64_t to_use[MAX_DOCUMENTS], to_pay[MAX_DOCUMENTS]; /* of the lines with one document only: what is left */
    int64_t asked_use[MAX_DOCUMENTS], asked_pay[MAX_DOCUMENTS]; /* all that lines want of a document */
    int64_t paid[MAX_DOCUMENTS];
    int32_t credit_last[MAX_DOCUMENTS], invoice_last[MAX_DOCUMENTS];
    int count, credits[MAX_PAIRS], invoices[MAX_PAIRS];
    int64_t amounts[MAX_PAIRS];
    int32_t dates[MAX_PAIRS];
} m_sheet;

/* Rule M6: a pair takes the latest date of the two. Is that past the credit's expiry? */
static int is_late(const model *m, const m_sheet *s, int k, int v) {
    int32_t expires = k == OWN_MONEY ? s->expires : m->credits[k].expires;
    return expires != 0 && later(s->date, later(s->credit_last[k], s->invoice_last[v])) >= expires;
}

static int is_restricted(const model *m, int k, int v) {
    return m->credits[k].pays != 0 && !(m->credits[k].pays >> m->invoices[v].kind & 1u);
}

/* Why that credit may not pay that invoice in this receipt, or CRD_OK. */
static crd_status obstacle(const model *m, const m_sheet *s, int k, int v) {
    int32_t date = later(s->date, later(s->credit_last[k], s->invoice_last[v]));
    if (is_late(m, s, k, v) || date < m->credits[k].effective) return CRD_E_EXPIRED;
    return is_restricted(m, k, v) ? CRD_E_RESTRICTED : CRD_OK;
}

static void put_pair(m_sheet *s, int k, int v, int64_t amount) {
    int at = s->count;
    int32_t date = later(s->date, later(s->credit_last[k], s->invoice_last[v]));
    if (amount == 0) return;
    s->count++;
    s->credits[at] = k;
    s->invoices[at] = v;
    s->amounts[at] = amount;
    s->dates[at] = s->credit_last[k] = s->invoice_last[v] = date;
    s->paid[v] += amount;
}

/* Indices of what is wanted, in the ledger's order (rule M15). */
typedef int comes_before(const model *m, int a, int b);

static int in_order(const model *m, const int64_t *wanted, int count, comes_before *before, int *out) {
    int n = 0;
    for (int i = 0; i < count; i++) {
        int at = n;
        if (wanted[i] == 0) continue;
        for (; at > 0 && before(m, i, out[at - 1]); at--) out[at] = out[at - 1];
        out[at] = i;
        n++;
    }
    return n;
}

/* As much of a credit on the lines of an invoice as goes; what it would be too late for is left to others (rule M6). */
static crd_status use_on(const model *m, m_sheet *s, int k, int v) {
    int64_t amount = smaller(s->to_use[k], s->to_pay[v]);
    if (amount == 0 || is_late(m, s, k, v) || is_restricted(m, k, v)) return CRD_OK;
    if (obstacle(m, s, k, v) != CRD_OK) return CRD_E_EXPIRED; /* not usable yet */
    put_pair(s, k, v, amount);
    s->to_use[k] -= amount;
    s->to_pay[v] -= amount;
    return CRD_OK;
}

/* Rule M14: credit by credit over the lines, the invoice that a memo names first. A credit that is left over is refused
 * for its restriction, where one is in the way, or else because it would have expired. */
static crd_status meet(const model *m, m_sheet *s) {
    int credits[MAX_DOCUMENTS], invoices[MAX_DOCUMENTS];
    int nk = in_order(m, s->to_use, m->credit_count, credit_before, credits);
    int nv = in_order(m, s->to_pay, m->invoice_count, invoice_before, invoices);
    crd_status status = CRD_OK;
    for (int i = 0; i < nk; i++) {
        const char *named = m->credits[credits[i]].prefers;
        for (int j = 0; status == CRD_OK && j < nv; j++)
            if (strcmp(m->invoices[invoices[j]].id, named) == 0) status = use_on(m, s, credits[i], invoices[j]);
        for (int j = 0; status == CRD_OK && j < nv; j++) status = use_on(m, s, credits[i], invoices[j]);
    }
    for (int i = 0; status == CRD_OK && i < nk; i++) {
        if (s->to_use[credits[i]] > 0) status = CRD_E_EXPIRED;
        for (int j = 0; status != CRD_OK && j < nv; j++)
            if (s->to_pay[invoices[j]] > 0 && is_restricted(m, credits[i], invoices[j])) return CRD_E_RESTRICTED;
    }
    return status;
}

/* Own money pays what the lines ask for still and, where it is distributed, whatever is open, in the ledger's order. */
static crd_status pay_own(const model *m, const command *c, m_sheet *s, int64_t *left) {
    int64_t wanted[MAX_DOCUMENTS], more[MAX_DOCUMENTS];
    int invoices[MAX_DOCUMENTS], nv;
    for (int v = 0; v < m->invoice_count; v++) {
        invoice_now n = invoice_figures(m, v);
        int here = m->invoices[v].who == c->who && m->invoices[v].cur == c->cur && !is_late(m, s, OWN_MONEY, v);
        int takes = n.state == CRD_INVOICE_OPEN && !n.as.disputed && n.issued <= s->date;
        more[v] = (c->flags & CRD_RECEIPT_DISTRIBUTE) && here && takes ? n.open - s->asked_pay[v] : 0;
        wanted[v] = s->to_pay[v] + more[v];
    }
    nv = in_order(m, wanted, m->invoice_count, invoice_before, invoices);
    for (int j = 0; j < nv; j++) {
        int v = invoices[j];
        int64_t part = smaller(*left, more[v]);
        if (s->to_pay[v] > 0 && is_late(m, s, OWN_MONEY, v)) return CRD_E_EXPIRED;
        put_pair(s, OWN_MONEY, v, s->to_pay[v] + part);
        *left -= part;
    }
    return CRD_OK;
}

/* ---- entering ---- */

static int bad_line(const command *c, const m_line *l) {
    if (l->amount < 1 || l->amount > CRD_MAX_AMOUNT || (l->invoice[0] == '\0' && l->credit[0] == '\0')) return 1;
    if (l->credit[0] != '\0' && c->credit[0] != '\0' && strcmp(l->credit, c->credit) == 0) return 1;
    if (l->kind != CRD_RECEIPT_PAYS && (l->credit[0] != '\0' || l->invoice[0] == '\0')) return 1;
    return l->kind > CRD_RECEIPT_TOLERANCE;
}

static crd_status receipt_arguments(const model *m, const command *c) {
    if (bad_date(c->date) || c->amount < 0 || c->amount > CRD_MAX_AMOUNT) return CRD_E_ARGUMENT;
    if (c->amount == 0 && (c->line_count == 0 || c->credit[0] != '\0')) return CRD_E_ARGUMENT;
    for (int i = 0; i < c->line_count; i++)
        if (bad_line(c, &c->lines[i])) return CRD_E_ARGUMENT;
    if (c->cur >= CUR) return CRD_E_CURRENCY;
    if (is_off(m, c->who)) return CRD_E_DISABLED;
    if (c->who >= WHO || !m->known[c->who]) return CRD_E_NOT_FOUND;
    for (int i = 0; i < c->line_count; i++) {
        const m_line *l = &c->lines[i];
        if (l->invoice[0] != '\0' && find_m_invoice(m, c->who, l->invoice) < 0) return CRD_E_NOT_FOUND;
        if (l->credit[0] != '\0' && find_m_credit(m, c->who, l->credit) < 0) return CRD_E_NOT_FOUND;
    }
    if (c->receipt[0] != '\0' && find_m_receipt(m, c->who, c->receipt) >= 0) return CRD_E_EXISTS;
    if (c->credit[0] != '\0' && find_m_credit(m, c->who, c->credit) >= 0) return CRD_E_EXISTS;
    return CRD_OK;
}

/* What has lapsed of the credits is entered first (rule M7): by id, one after the other. */
static void sweep_named(model *m, const command *c) {
    const char *last = "";
    for (;;) {
        const char *next = NULL;
        for (int i = 0; i < c->line_count; i++) {
            const char *id = c->lines[i].credit;
            if (strcmp(id, last) > 0 && (next == NULL || strcmp(id, next) < 0)) next = id;
        }
        if (next == NULL) return;
        sweep_before_use(m, find_m_credit(m, c->who, next), c->date);
        last = next;
    }
}

/* What the documents on the lines are, and what is wanted of each. */
static crd_status receipt_documents(model *m, const command *c, m_sheet *s) {
    crd_status status = CRD_OK;
    for (int i = 0; i < c->line_count; i++) {
        const m_line *l = &c->lines[i];
        int v = l->invoice[0] != '\0' ? find_m_invoice(m, c->who, l->invoice) : -1;
        int k = l->credit[0] != '\0' ? find_m_credit(m, c->who, l->credit) : -1;
        if ((v >= 0 && m->invoices[v].cur != c->cur) || (k >= 0 && m->credits[k].cur != c->cur)) return CRD_E_CURRENCY;
    }
    sweep_named(m, c);
    for (int i = 0; i < c->line_count; i++) {
        const m_line *l = &c->lines[i];
        int v = l->invoice[0] != '\0' ? find_m_invoice(m, c->who, l->invoice) : -1;
        int k = l->credit[0] != '\0' ? find_m_credit(m, c->who, l->credit) : -1;
        if (v >= 0 && invoice_figures(m, v).state != CRD_INVOICE_OPEN) status = CRD_E_STATE;
        if (k >= 0 && credit_figures(m, k).state != CRD_CREDIT_ACTIVE) status = CRD_E_STATE;
        if (v >= 0 && l->kind == CRD_RECEIPT_PAYS && k < 0) s->to_pay[v] += l->amount;
        if (k >= 0 && v < 0) s->to_use[k] += l->amount;
        if (v >= 0) s->asked_pay[v] += l->amount;
        if (k >= 0) s->asked_use[k] += l->amount;
    }
    return status;
}

static crd_status receipt_amounts(const model *m, const m_sheet *s) {
    for (int k = 0; k < m->credit_count; k++) {
        credit_now n = credit_figures(m, k);
        if (s->asked_use[k] > 0 && s->asked_use[k] > available_of(&n)) return CRD_E_CREDIT_AMOUNT;
    }
    for (int v = 0; v < m->invoice_count; v++)
        if (s->asked_pay[v] > 0 && s->asked_pay[v] > invoice_figures(m, v).open) return CRD_E_INVOICE_AMOUNT;
    return CRD_OK;
}

static crd_status put_named_pairs(const model *m, const command *c, m_sheet *s) {
    for (int i = 0; i < c->line_count; i++) {
        const m_line *l = &c->lines[i];
        int v = find_m_invoice(m, c->who, l->invoice), k = find_m_credit(m, c->who, l->credit);
        crd_status status;
        if (l->invoice[0] == '\0' || l->credit[0] == '\0') continue;
        status = obstacle(m, s, k, v);
        if (status != CRD_OK) return status;
        put_pair(s, k, v, l->amount);
    }
    return CRD_OK;
}

/* Pairs stand; then the lines meet; then what they leave is distributed, goes to credit, or is refused. */
static crd_status work_out(const model *m, const command *c, m_sheet *s) {
    int64_t used = 0, paid = 0, left;
    crd_status status;
    for (int k = 0; k < m->credit_count; k++) used += s->to_use[k];
    for (int v = 0; v < m->invoice_count; v++) paid += s->to_pay[v];
    left = c->amount - (paid - used);
    if (used > paid || left < 0) return CRD_E_DISTRIBUTION;
    status = meet(m, s);
    if (status != CRD_OK) return status;
    status = pay_own(m, c, s, &left);
    if (status != CRD_OK) return status;
    if (left > 0 && !(c->flags & CRD_RECEIPT_EXCESS_TO_CREDIT)) return CRD_E_DISTRIBUTION;
    for (int i = 0; i < c->line_count; i++)
        if (c->lines[i].kind != CRD_RECEIPT_PAYS && s->paid[find_m_invoice(m, c->who, c->lines[i].invoice)] == 0)
            return CRD_E_NOTHING;
    return CRD_OK;
}

static m_answer enter_receipt(model *m, const command *c, const m_sheet *s) {
    int receipt = add_receipt(m, c->who, c->cur, c->receipt, c->amount, c->date), own = -1;
    int64_t applied = 0;
    m_event *e;
    if (c->amount > 0) {
        own = add_memo(m, c, c->cur, c->kind != 0 ? c->kind : CRD_CREDIT_PAYMENT, 0, c->amount, c->date);
        m->credits[own].expires = c->expires;
        add_event(m, c->who, c->cur, CRD_ENTRY_ISSUE, own, -1, c->amount, c->date)->receipt = receipt;
    }
    for (int i = 0; i < s->count; i++) {
        int k = s->credits[i] == OWN_MONEY ? own : s->credits[i];
        e = add_event(m, c->who, c->cur, CRD_ENTRY_APPLY, k, s->invoices[i], s->amounts[i], s->dates[i]);
        e->receipt = receipt;
        e->own = k == own;
        applied += s->amounts[i];
    }
    for (int i = 0; i < c->line_count; i++) {
        const m_line *l = &c->lines[i];
        int v = find_m_invoice(m, c->who, l->invoice);
        if (l->kind == CRD_RECEIPT_PAYS) continue;
        e = add_event(m, c->who, c->cur, CRD_ENTRY_WRITE_OFF, -1, v, l->amount,
                      later(c->date, invoice_figures(m, v).last_date));
        e->receipt = receipt;
        e->cause = l->kind == CRD_RECEIPT_DISCOUNT ? CRD_CAUSE_DISCOUNT : CRD_CAUSE_TOLERANCE;
    }
    if (own >= 0 && applies_at_once(m, c)) use_credit(m, own, c->date);
    return answer(CRD_OK, applied);
}

static m_answer do_receipt(model *m, const command *c) {
    m_sheet s;
    crd_status status = receipt_arguments(m, c);
    if (status != CRD_OK) return refuse(status);
    memset(&s, 0, sizeof s);
    s.date = c->date;
    s.expires = c->expires;
    status = receipt_documents(m, c, &s);
    for (int k = 0; k < m->credit_count; k++) s.credit_last[k] = credit_figures(m, k).last_date;
    for (int v = 0; v < m->invoice_count; v++) s.invoice_last[v] = invoice_figures(m, v).last_date;
    if (status != CRD_OK) return refuse(status);
    if (in_closed(m, c->date)) return refuse(CRD_E_CLOSED);
    if (c->expires != 0 && c->expires <= c->date) return refuse(CRD_E_DATE);
    for (int k = 0; k < m->credit_count; k++)
        if (s.asked_use[k] > 0 && is_past(&m->credits[k], later(c->date, s.credit_last[k])))
            return refuse(CRD_E_EXPIRED);
    status = put_named_pairs(m, c, &s);
    if (status == CRD_OK) status = receipt_amounts(m, &s);
    if (status == CRD_OK) status = work_out(m, c, &s);
    if (status != CRD_OK) return refuse(status);
    return enter_receipt(m, c, &s);
}

/* ---- a payment that bounced ---- */

static int add_charge(model *m, const command *c, int cur, uint32_t kind, const char *id, int receipt, int64_t amount,
                      int32_t date) {
    m_invoice *v = &m->invoices[m->invoice_count];
    m_event *e;
    memset(v, 0, sizeof *v);
    v->who = c->who;
    v->cur = cur;
    v->kind = kind;
    v->own = kind == CRD_INVOICE_DEBIT_MEMO;
    v->receipt = receipt;
    if (id[0] != '\0') snprintf(v->id, sizeof v->id, "%s", id);
    else snprintf(v->id, sizeof v->id, "~%s%lld", cur_names[cur], (long long)next_seq(m, c->who, cur));
    e = add_event(m, c->who, cur, CRD_ENTRY_INVOICE, -1, m->invoice_count, amount, date);
    e->as.total = amount;
    if (v->own) e->receipt = receipt;
    return m->invoice_count++;
}

/* Rule M13: what its own money did is undone wherever it went; what was paid out is owed again, by a debit memo. */
static m_answer do_bounce(model *m, const command *c) {
    int r = find_m_receipt(m, c->who, c->receipt), cur, own;
    m_undoing u;
    m_event *e;
    credit_now n;
    memset(&n, 0, sizeof n);
    if (r < 0) return refuse(CRD_E_NOT_FOUND);
    if (bad_date(c->date) || c->fee < 0 || c->fee > CRD_MAX_AMOUNT) return refuse(CRD_E_ARGUMENT);
    if (c->fee_id[0] != '\0' && (c->fee == 0 || strcmp(c->fee_id, c->invoice) == 0)) return refuse(CRD_E_ARGUMENT);
    if (c->fee_id[0] != '\0' && find_m_invoice(m, c->who, c->fee_id) >= 0) return refuse(CRD_E_EXISTS);
    if (c->invoice[0] != '\0' && find_m_invoice(m, c->who, c->invoice) >= 0) return refuse(CRD_E_EXISTS);
    own = credit_of_receipt(m, r);
    cur = m->receipts[r].cur;
    if (receipt_figures(m, r).state == CRD_RECEIPT_UNDONE) return refuse(CRD_E_STATE);
    if (receipt_figures(m, r).state == CRD_RECEIPT_DELETED) return refuse(CRD_E_STATE);
    if (receipt_figures(m, r).state != CRD_RECEIPT_POSTED || own < 0) return refuse(CRD_E_NOTHING);
    plan_undoing(m, r, 0, c->date, &u);
    if (in_closed(m, c->date)) return refuse(CRD_E_CLOSED);
    sweep(m, own, u.date);
    n = credit_figures(m, own);
    if ((c->flags & CRD_REVERSE_STRICT) &&
        n.applied - n.by_receipt + n.refunded + n.transferred + n.held + n.allocated > 0)
        return refuse(CRD_E_IN_USE);
    if (!sum_fits(m, c->who, cur, u.opened)) return refuse(CRD_E_OVERFLOW);
    undo_planned(m, &u);
    if (!sum_fits(m, c->who, cur, n.refunded + n.transferred)) return refuse(CRD_E_OVERFLOW);
    if (n.refunded + n.transferred > 0)
        add_charge(m, c, cur, CRD_INVOICE_DEBIT_MEMO, c->invoice, r, n.refunded + n.transferred, u.date);
    if (!sum_fits(m, c->who, cur, c->fee)) return refuse(CRD_E_OVERFLOW);
    if (c->fee > 0) add_charge(m, c, cur, CRD_INVOICE_FEE, c->fee_id, r, c->fee, u.date);
    e = add_event(m, c->who, cur, CRD_ENTRY_RECEIPT_REVERSE, own, -1, m->receipts[r].amount, u.date);
    e->receipt = r;
    for (e->undoes = 0; m->events[e->undoes].receipt != r;) e->undoes++;
    return answer(CRD_OK, u.returned);
}

/* The debit memo of a payment that was taken back, or -1. */
static int debit_memo_of(const model *m, int credit) {
    for (int v = 0; v < m->invoice_count && credit_figures(m, credit).taken_back; v++)
        if (m->invoices[v].own && credit_of_receipt(m, m->invoices[v].receipt) == credit) return v;
    return -1;
}

/* Rule M13: what comes back of what was paid out cuts the debit memo; what settled that part of it is freed. */
static void plan_cut(const model *m, int memo, int64_t amount, int32_t date, m_freed *f) {
    invoice_now n = invoice_figures(m, memo);
    plan_freed(m, memo, amount - n.open, 0, later(date, n.last_date), f);
}

static void cut(model *m, int memo, int64_t amount, const m_freed *f) {
    const m_invoice *v = &m->invoices[memo];
    free_planned(m, f);
    add_event(m, v->who, v->cur, CRD_ENTRY_CUT, -1, memo, amount, f->date);
}

/* Rules M6, M14: whole, and on the latest date of what it touches. */
static m_answer undo_refund(model *m, int event, const command *c) {
    int credit = m->events[event].credit, memo = debit_memo_of(m, credit);
    int64_t left = application_left(m, event);
    m_freed f;
    f.date = later(c->date, last_once_swept(m, credit));
    f.count = 0;
    if (c->amount != 0) return refuse(CRD_E_ARGUMENT);
    if (left == 0) return refuse(CRD_E_NOTHING);
    if (in_closed(m, c->date)) return refuse(CRD_E_CLOSED);
    if (memo >= 0) plan_cut(m, memo, left, f.date, &f);
    if (!sum_fits(m, c->who, c->cur, sum_freed(&f))) return refuse(CRD_E_OVERFLOW);
    if (memo >= 0) cut(m, memo, left, &f);
    give_back(m, event, left, f.date);
    return answer(CRD_OK, left);
}

#endif
