/*
 * What the model does with the commands about documents: invoices revised, returned and reversed as documents of their
 * own (rule M12). As in commands.h: first the refusals in the order of rule M16, then the events.
 */
#ifndef MODEL_DOCUMENT_COMMANDS_H
#define MODEL_DOCUMENT_COMMANDS_H

#include "model/commands.h"

/* ---- customers ---- */

#define NAMES 3
static const char *const customer_names[NAMES] = {"", "North", "South"};

/* Of the kind of name that the command says; one that it has already makes no entry. */
static m_answer do_change_customer(model *m, const command *c) {
    if (c->who >= WHO || !m->known[c->who]) return refuse(CRD_E_NOT_FOUND);
    if (bad_date(c->date)) return refuse(CRD_E_ARGUMENT);
    if (is_off(m, c->who)) return refuse(CRD_E_DISABLED);
    if (in_closed(m, c->date)) return refuse(CRD_E_CLOSED);
    m->known[c->who] += m->named[c->who] != (int)c->kind;
    m->named[c->who] = (int)c->kind;
    return answer(CRD_OK, 0);
}

/* ---- what has to be freed of an invoice ---- */

/* Write-offs and applications, and how much of each is undone, in that order. */
typedef struct m_freed {
    int count, events[MAX_EVENTS];
    int64_t amounts[MAX_EVENTS];
    int64_t applied; /* the sum of the applications */
    int32_t date;    /* the latest of all that is touched (rule M6) */
} m_freed;

enum { ANY_CREDIT, OTHER_CREDIT, OWN_MEMO };

/* Newest first until `needed` is reached. Returns what is needed still. */
static int64_t free_newest(const model *m, int v, uint32_t type, int whose, int64_t needed, m_freed *f) {
    for (int i = m->event_count - 1; i >= 0 && needed > 0; i--) {
        const m_event *e = &m->events[i];
        int64_t amount = smaller(left_on(m, i, type, v), needed);
        if (amount == 0) continue;
        if (whose != ANY_CREDIT && (returned_by(m, e->credit) == v) != (whose == OWN_MEMO)) continue;
        f->events[f->count] = i;
        f->amounts[f->count++] = amount;
        needed -= amount;
        if (e->receipt >= 0) f->date = later(f->date, receipt_figures(m, e->receipt).last_date);
        if (type != CRD_ENTRY_APPLY) continue;
        f->date = later(f->date, touched(m, e));
        f->applied += amount;
    }
    return needed;
}

/* Rule M12: write-offs first, then applications; where asked, those of the invoice's own memos last. */
static void plan_freed(const model *m, int v, int64_t needed, int memos_last, int32_t date, m_freed *f) {
    f->count = 0;
    f->applied = 0;
    f->date = date;
    needed = free_newest(m, v, CRD_ENTRY_WRITE_OFF, ANY_CREDIT, needed, f);
    needed = free_newest(m, v, CRD_ENTRY_APPLY, memos_last ? OTHER_CREDIT : ANY_CREDIT, needed, f);
    if (memos_last) (void)free_newest(m, v, CRD_ENTRY_APPLY, OWN_MEMO, needed, f);
}

static int64_t sum_freed(const m_freed *f) {
    int64_t sum = 0;
    for (int i = 0; i < f->count; i++) sum += f->amounts[i];
    return sum;
}

static void free_planned(model *m, const m_freed *f) {
    for (int i = 0; i < f->count; i++) {
        if (m->events[f->events[i]].type == CRD_ENTRY_WRITE_OFF) unwrite_off(m, f->events[i], f->amounts[i], f->date);
        else give_back(m, f->events[i], f->amounts[i], f->date);
    }
}

/* ---- lines ---- */

static int is_line(const model *m, int v, int line) {
    for (int i = 0; i < m->event_count; i++)
        if (m->events[i].type == CRD_ENTRY_REVISE && m->events[i].invoice == v && m->events[i].line == line) return 0;
    return line >= 1 && line <= m->invoices[v].line_count;
}

/* What came back of a line, by memos that stand; one that is voided in part counts in full. */
static int64_t line_returned(const model *m, int v, int line, int64_t *quantity) {
    int64_t amount = 0;
    *quantity = 0;
    for (int i = 0; i < m->event_count; i++) {
        const m_event *e = &m->events[i];
        credit_now n;
        if (e->type != CRD_ENTRY_ISSUE || e->invoice != v || e->line != line) continue;
        n = credit_figures(m, e->credit);
        if (n.voided + n.deleted == e->amount) continue;
        amount += e->amount;
        *quantity += e->quantity;
    }
    return amount;
}

static int64_t lines_left(const model *m, int v, int without) {
    int64_t sum = 0;
    for (int line = 1; line <= m->invoices[v].line_count; line++)
        if (line != without && is_line(m, v, line)) sum += m->invoices[v].line_amounts[line - 1];
    return sum;
}

/* No more of a line than was sold. */
static crd_status may_return_line(const model *m, int v, const command *c) {
    int64_t amount, quantity;
    if (c->line == 0) return CRD_OK;
    if (!is_line(m, v, c->line)) return CRD_E_NOT_FOUND;
    amount = m->invoices[v].line_amounts[c->line - 1] - line_returned(m, v, c->line, &quantity);
    quantity = m->invoices[v].line_quantities[c->line - 1] - quantity;
    return c->quantity > quantity || c->amount > amount ? CRD_E_RETURNED : CRD_OK;
}

/* ---- revising ---- */

static int64_t difference(int64_t a, int64_t b) {
    return a > b ? a - b : b - a;
}

static m_answer do_revise(model *m, const command *c) {
    int v = find_m_invoice(m, c->who, c->invoice), draft;
    int disputes = (c->flags & CRD_REVISE_DISPUTED) != 0, settles = (c->flags & CRD_REVISE_UNDISPUTED) != 0;
    int64_t back, moved, quantity;
    m_terms as;
    m_event *e;
    m_freed f;
    invoice_now n;
    if (v < 0) return refuse(CRD_E_NOT_FOUND);
    if (bad_date(c->date) || c->amount < 0 || c->amount > CRD_MAX_AMOUNT) return refuse(CRD_E_ARGUMENT);
    if (disputes && settles) return refuse(CRD_E_ARGUMENT);
    if (is_off(m, c->who)) return refuse(CRD_E_DISABLED);
    if (c->line > 0 && !is_line(m, v, c->line)) return refuse(CRD_E_NOT_FOUND);
    if (m->invoices[v].line_count > 0 && c->amount != lines_left(m, v, c->line)) return refuse(CRD_E_ARGUMENT);
    n = invoice_figures(m, v);
    draft = n.state == CRD_INVOICE_DRAFT;
    if (n.state == CRD_INVOICE_VOIDED || n.state == CRD_INVOICE_CANCELLED || m->invoices[v].own)
        return refuse(CRD_E_STATE);
    if (n.reversed) return refuse(CRD_E_RETURNED);
    as = n.as;
    as.total = c->amount;
    if (c->due != 0) as.due = c->due;
    if (disputes || settles) as.disputed = disputes;
    if (in_closed(m, c->date)) return refuse(CRD_E_CLOSED);
    if (c->date < n.last_date) return refuse(CRD_E_DATE);
    if (as.total < n.returned) return refuse(CRD_E_RETURNED);
    if (c->line > 0 && line_returned(m, v, c->line, &quantity) + quantity > 0) return refuse(CRD_E_RETURNED);
    if (as.total == n.as.total && as.due == n.as.due && as.disputed == n.as.disputed && c->line == 0)
        return refuse(CRD_E_NOTHING);
    plan_freed(m, v, n.applied + n.written_off - as.total, 0, c->date, &f);
    if (!draft && (!sum_fits(m, c->who, m->invoices[v].cur, sum_freed(&f)) || /* on the way, and in the end */
                   !sum_fits(m, c->who, m->invoices[v].cur, as.total - n.as.total + sum_freed(&f))))
        return refuse(CRD_E_OVERFLOW);
    back = f.applied;
    free_planned(m, &f);
    if (draft) back = release_draft(m, v, as.total, &f.date);
    moved = difference(as.total, n.as.total);
    e = add_event(m, c->who, m->invoices[v].cur, CRD_ENTRY_REVISE, -1, v, moved, f.date);
    e->as = as;
    e->line = c->line;
    return answer(CRD_OK, back);
}

/* ---- memos of an invoice ---- */

static int add_memo(model *m, const command *c, int cur, uint32_t kind, uint32_t flags, int64_t amount, int32_t date) {
    m_credit *k = &m->credits[m->credit_count];
    memset(k, 0, sizeof *k);
    k->who = c->who;
    k->cur = cur;
    k->kind = kind;
    k->flags = flags;
    k->original = amount;
    k->issued = date;
    k->effective = date;
    if (c->credit[0] != '\0') memcpy(k->id, c->credit, sizeof k->id);
    else snprintf(k->id, sizeof k->id, "~%s%lld", cur_names[cur], (long long)next_seq(m, c->who, cur));
    return m->credit_count++;
}

/* A memo that names the invoice it returns. Never more than was sold. */
static m_answer do_return(model *m, const command *c) {
    int v = c->who < WHO ? find_m_invoice(m, c->who, c->invoice) : -1;
    invoice_now n;
    crd_status status;
    m_event *e;
    if (bad_date(c->date) || c->amount < 1 || c->amount > CRD_MAX_AMOUNT) return refuse(CRD_E_ARGUMENT);
    if (class_of(c->kind) != CRD_CLASS_MEMO || c->invoice[0] == '\0') return refuse(CRD_E_ARGUMENT);
    if (c->cur >= CUR) return refuse(CRD_E_CURRENCY);
    if (is_off(m, c->who)) return refuse(CRD_E_DISABLED);
    if (c->who >= WHO || !m->known[c->who]) return refuse(CRD_E_NOT_FOUND);
    if (v < 0 || m->invoices[v].cur != c->cur) return refuse(CRD_E_NOT_FOUND);
    if (c->credit[0] != '\0' && find_m_credit(m, c->who, c->credit) >= 0) return refuse(CRD_E_EXISTS);
    n = invoice_figures(m, v);
    if (n.state == CRD_INVOICE_DRAFT || n.state == CRD_INVOICE_VOIDED || n.state == CRD_INVOICE_CANCELLED)
        return refuse(CRD_E_STATE);
    if (m->invoices[v].own) return refuse(CRD_E_STATE);
    if (in_closed(m, c->date)) return refuse(CRD_E_CLOSED);
    if (c->date < n.last_date || (c->expires != 0 && c->expires <= c->date)) return refuse(CRD_E_DATE);
    if (c->amount > n.as.total - n.returned) return refuse(CRD_E_RETURNED);
    status = may_return_line(m, v, c);
    if (status != CRD_OK) return refuse(status);
    m->credits[add_memo(m, c, c->cur, c->kind, CRD_FLAG_RETURN, c->amount, c->date)].expires = c->expires;
    e = add_event(m, c->who, c->cur, CRD_ENTRY_ISSUE, m->credit_count - 1, v, c->amount, c->date);
    e->line = c->line;
    e->quantity = c->quantity;
    if (applies_at_once(m, c)) use_credit(m, m->credit_count - 1, c->date);
    return answer(CRD_OK, 0);
}

/* Once: a memo of all that was not returned yet, applied in full. */
static m_answer do_reverse_invoice(model *m, const command *c) {
    int v = find_m_invoice(m, c->who, c->invoice), k, cur;
    int64_t amount;
    m_freed f;
    invoice_now n;
    if (v < 0) return refuse(CRD_E_NOT_FOUND);
    if (bad_date(c->date)) return refuse(CRD_E_ARGUMENT);
    if (is_off(m, c->who)) return refuse(CRD_E_DISABLED);
    if (c->credit[0] != '\0' && find_m_credit(m, c->who, c->credit) >= 0) return refuse(CRD_E_EXISTS);
    n = invoice_figures(m, v);
    cur = m->invoices[v].cur;
    if (n.state == CRD_INVOICE_DRAFT || n.state == CRD_INVOICE_VOIDED || n.state == CRD_INVOICE_CANCELLED)
        return refuse(CRD_E_STATE);
    if (m->invoices[v].own) return refuse(CRD_E_STATE);
    amount = n.as.total - n.returned;
    if (n.reversed || amount == 0) return refuse(CRD_E_NOTHING);
    if (in_closed(m, c->date)) return refuse(CRD_E_CLOSED);
    if (c->date < n.last_date) return refuse(CRD_E_DATE);
    plan_freed(m, v, amount - n.open, 1, c->date, &f);
    if (!sum_fits(m, c->who, cur, sum_freed(&f))) return refuse(CRD_E_OVERFLOW);
    free_planned(m, &f);
    k = add_memo(m, c, cur, CRD_CREDIT_REVERSED_INVOICE, CRD_FLAG_RETURN | CRD_FLAG_OWN_DOCUMENT, amount, f.date);
    memcpy(m->credits[k].prefers, c->invoice, sizeof m->credits[k].prefers);
    add_event(m, c->who, cur, CRD_ENTRY_ISSUE, k, v, amount, f.date);
    add_event(m, c->who, cur, CRD_ENTRY_APPLY, k, v, amount, f.date);
    return answer(CRD_OK, 0);
}

#endif
