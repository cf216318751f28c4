/*
 * What the model does with the commands about credits: moved to another customer, adjusted, deleted, swept, issued in
 * bulk, applied by themselves; applications that change; and what may switch all that off.
 */
#ifndef MODEL_CREDIT_COMMANDS_H
#define MODEL_CREDIT_COMMANDS_H

#include "model/reconcile.h"

/* ---- switches and settings ---- */

/* Rule M16: while the feature is off, for the ledger or the customer, everything else is refused. */
static int is_off(const model *m, int who) {
    return m->feature_off || (who < WHO && m->known[who] && (m->switches[who] & CRD_SWITCH_FEATURE_OFF));
}

static m_answer do_close(model *m, const command *c) {
    if (c->date != 0 && bad_date(c->date)) return refuse(CRD_E_ARGUMENT);
    m->closed = c->date;
    m->feature_off = (c->mode & 1) != 0;
    m->auto_apply = (c->mode & 2) != 0;
    m->delete_window = (int32_t)c->amount;
    return answer(CRD_OK, 0);
}

/* The accounts of the customer take the switches over, each with an entry. */
static m_answer do_switches(model *m, const command *c) {
    uint32_t to;
    if (c->who >= WHO || !m->known[c->who]) return refuse(CRD_E_NOT_FOUND);
    to = (m->switches[c->who] & ~c->pays) | c->kind;
    if (c->kind & CRD_SWITCH_AUTO_APPLY_ON) to &= ~CRD_SWITCH_AUTO_APPLY_OFF;
    if (c->kind & CRD_SWITCH_AUTO_APPLY_OFF) to &= ~CRD_SWITCH_AUTO_APPLY_ON;
    if (bad_date(c->date)) return refuse(CRD_E_ARGUMENT);
    if ((c->kind & c->pays) || (~c->kind & 6) == 0) return refuse(CRD_E_ARGUMENT);
    if (m->feature_off || (is_off(m, c->who) && (to & CRD_SWITCH_FEATURE_OFF))) return refuse(CRD_E_DISABLED);
    if (in_closed(m, c->date)) return refuse(CRD_E_CLOSED);
    for (int cur = 0; cur < CUR && to != m->switches[c->who]; cur++)
        if (last_seq(m, c->who, cur) > 0) add_event(m, c->who, cur, CRD_ENTRY_SWITCHES, -1, -1, to, c->date);
    m->known[c->who] += to != m->switches[c->who];
    m->switches[c->who] = to;
    return answer(CRD_OK, 0);
}

/* ---- applied by themselves (rules M6, M7, M14) ---- */

/* The call decides, then the customer, then the ledger. */
static int applies_at_once(const model *m, const command *c) {
    if (c->apply != 0) return (c->apply & CRD_ISSUE_APPLY) != 0;
    if (m->switches[c->who] & CRD_SWITCH_AUTO_APPLY_ON) return 1;
    if (m->switches[c->who] & CRD_SWITCH_AUTO_APPLY_OFF) return 0;
    return m->auto_apply;
}

static void use_credit(model *m, int k, int32_t date) {
    const m_run run = {date, NO_RECEIPT, 0};
    run_account(m, m->credits[k].who, m->credits[k].cur, CRD_PLAN_USE_CASH, run, k, -1);
}

static void pay_invoice(model *m, int v, int32_t date) {
    const m_run run = {date, NO_RECEIPT, 0};
    run_account(m, m->invoices[v].who, m->invoices[v].cur, CRD_PLAN_USE_CASH, run, -1, v);
}

/* ---- what is put aside ---- */

/* Newest first, all on one date, the latest of the drafts concerned, which is returned. */
static int32_t release_all(model *m, int k, int32_t date) {
    for (int i = 0; i < m->hold_count; i++)
        if (m->holds[i].credit == k && m->holds[i].draft >= 0 && hold_figures(m, i).amount > 0)
            date = later(date, invoice_figures(m, m->holds[i].draft).last_date);
    for (int i = m->hold_count - 1; i >= 0; i--)
        if (m->holds[i].credit == k && hold_figures(m, i).amount > 0)
            release(m, i, hold_figures(m, i).amount, date, 0);
    return date;
}

/* ---- transfer (rules M10, M14) ---- */

/* The credit there: the same money, with all that was agreed about it. */
static void arrive(model *m, const command *c, int k, int64_t amount) {
    int index = m->credit_count, cur = m->credits[k].cur;
    m_credit *there = &m->credits[index];
    *there = m->credits[k];
    there->who = c->other_who;
    there->original = amount;
    there->flags = (there->flags & ~CRD_FLAG_RETURN) | CRD_FLAG_TRANSFERRED_IN; /* it returned an invoice of another */
    there->made = 0;
    there->prefers[0] = '\0'; /* an invoice of another customer */
    if (c->made[0] != '\0') memcpy(there->id, c->made, sizeof there->id);
    else snprintf(there->id, sizeof there->id, "~%s%lld", cur_names[cur], (long long)next_seq(m, there->who, cur));
    add_event(m, c->who, cur, CRD_ENTRY_TRANSFER, k, -1, amount, c->date)->other = index;
    m->credit_count++;
    add_event(m, c->other_who, cur, CRD_ENTRY_ISSUE, index, -1, amount, c->date)->other = k;
}

static m_answer do_transfer(model *m, const command *c) {
    int k = find_m_credit(m, c->who, c->credit);
    int64_t amount;
    credit_now n;
    if (k < 0) return refuse(CRD_E_NOT_FOUND);
    if (bad_date(c->date) || c->amount < 0 || c->amount > CRD_MAX_AMOUNT) return refuse(CRD_E_ARGUMENT);
    if (c->other_who == c->who) return refuse(CRD_E_ARGUMENT);
    if (is_off(m, c->who) || is_off(m, c->other_who)) return refuse(CRD_E_DISABLED);
    if (c->other_who >= WHO || !m->known[c->other_who]) return refuse(CRD_E_NOT_FOUND);
    if (c->made[0] != '\0' && find_m_credit(m, c->other_who, c->made) >= 0) return refuse(CRD_E_EXISTS);
    sweep_before_use(m, k, c->date);
    n = credit_figures(m, k);
    if (n.state != CRD_CREDIT_ACTIVE) return refuse(CRD_E_STATE);
    if (in_closed(m, c->date)) return refuse(CRD_E_CLOSED);
    if (c->date < n.last_date) return refuse(CRD_E_DATE);
    if (is_past(&m->credits[k], c->date)) return refuse(CRD_E_EXPIRED);
    amount = c->amount > 0 ? c->amount : available_of(&n);
    if (available_of(&n) == 0) return refuse(CRD_E_IN_USE);
    if (amount > available_of(&n)) return refuse(CRD_E_CREDIT_AMOUNT);
    arrive(m, c, k, amount);
    return answer(CRD_OK, amount);
}

/* As far as it is available there; on the latest date of both; and back by M8. The way back is not undone. */
static m_answer undo_transfer(model *m, int event, const command *c) {
    int k = m->events[event].credit, there = m->events[event].other;
    int64_t left = application_left(m, event), bound, amount;
    int32_t date = later(c->date, later(last_once_swept(m, k), last_once_swept(m, there)));
    credit_now n;
    m_event *back;
    m_freed f;
    int memo;
    if (m->events[event].returns) return refuse(CRD_E_STATE);
    if (is_off(m, m->credits[there].who)) return refuse(CRD_E_DISABLED);
    if (left == 0) return refuse(CRD_E_NOTHING);
    if (in_closed(m, c->date)) return refuse(CRD_E_CLOSED);
    sweep_before_use(m, there, c->date);
    sweep(m, k, c->date);
    n = credit_figures(m, there);
    bound = smaller(left, available_of(&n));
    amount = c->amount > 0 ? c->amount : bound;
    if (is_past(&m->credits[there], date) && bound > 0) return refuse(CRD_E_EXPIRED);
    if (amount == 0 || amount > bound) return refuse(CRD_E_CREDIT_AMOUNT);
    memo = debit_memo_of(m, k);
    if (memo >= 0) { /* of a payment that bounced meanwhile: what comes back is not owed for any more */
        plan_cut(m, memo, amount, date, &f);
        date = f.date;
        if (is_past(&m->credits[there], date)) return refuse(CRD_E_EXPIRED); /* by the day that all of it takes */
        cut(m, memo, amount, &f);
    }
    back = add_event(m, m->credits[there].who, m->credits[there].cur, CRD_ENTRY_TRANSFER, there, -1, amount, date);
    back->other = k;
    back->returns = 1;
    give_back(m, event, amount, date);
    return answer(CRD_OK, amount);
}

/* ---- adjust (rule M10) ---- */

static int is_usable(const m_credit *c, int32_t date) {
    return date >= c->effective && !is_past(c, date);
}

/* What is available of the usable credits, reserved ones too; a hold past its instant does not count. */
static int64_t available_in(const model *m, int who, int cur, int32_t date) {
    int64_t sum = 0;
    for (int i = 0; i < m->credit_count; i++) {
        credit_now n;
        if (m->credits[i].who != who || m->credits[i].cur != cur || !is_usable(&m->credits[i], date)) continue;
        n = credit_figures(m, i);
        sum += available_of(&n);
        for (int h = 0; h < m->hold_count; h++)
            if (m->holds[h].credit == i && m->holds[h].lapses != 0 &&
                noon_of(m->holds[h].lapses) <= instant_of(m, who, cur))
                sum += hold_figures(m, h).amount;
    }
    return sum;
}

static m_event *add_adjust(model *m, int who, int cur, int64_t amount, int32_t date, int64_t before, int64_t after) {
    m_event *e = add_event(m, who, cur, CRD_ENTRY_ADJUST, -1, -1, amount, date);
    e->figure_before = before;
    e->figure_after = after;
    return e;
}

static void adjust_up(model *m, const command *c, int64_t amount) {
    int adjust = m->event_count - 1, index = m->credit_count;
    m_credit *k = &m->credits[index];
    memset(k, 0, sizeof *k);
    k->who = c->who;
    k->cur = c->cur;
    name_document(m, c, c->made, k->id, sizeof k->id);
    k->kind = CRD_CREDIT_ADJUSTMENT;
    k->original = amount;
    k->issued = k->effective = c->date;
    k->made = 1;
    m->credit_count++;
    add_event(m, c->who, c->cur, CRD_ENTRY_ISSUE, index, -1, amount, c->date)->undoes = adjust;
}

/* The usable credits in spending order; how many. */
static int usable_in_order(const model *m, const command *c, int *order) {
    int count = 0;
    for (int i = 0; i < m->credit_count; i++) {
        int at = count;
        if (m->credits[i].who != c->who || m->credits[i].cur != c->cur || !is_usable(&m->credits[i], c->date)) continue;
        for (; at > 0 && credit_before(m, i, order[at - 1]); at--) order[at] = order[at - 1];
        order[at] = i;
        count++;
    }
    return count;
}

static void adjust_down(model *m, const command *c, int64_t amount) {
    int adjust = m->event_count - 1, order[MAX_DOCUMENTS], count = usable_in_order(m, c, order);
    for (int i = 0; i < count && amount > 0; i++) {
        credit_now n = credit_figures(m, order[i]);
        int64_t piece = smaller(amount, available_of(&n));
        if (piece == 0) continue;
        add_event(m, c->who, c->cur, CRD_ENTRY_ADJUST_PIECE, order[i], -1, piece, c->date)->undoes = adjust;
        amount -= piece;
    }
}

static m_answer do_adjust(model *m, const command *c) {
    int64_t before, more;
    int count = m->event_count, usable, order[MAX_DOCUMENTS];
    if (bad_date(c->date) || c->amount > CRD_MAX_AMOUNT) return refuse(CRD_E_ARGUMENT);
    if (c->cur >= CUR) return refuse(CRD_E_CURRENCY);
    if (is_off(m, c->who)) return refuse(CRD_E_DISABLED);
    if (c->who >= WHO || !m->known[c->who]) return refuse(CRD_E_NOT_FOUND);
    if (c->made[0] != '\0' && find_m_credit(m, c->who, c->made) >= 0) return refuse(CRD_E_EXISTS);
    if (in_closed(m, c->date)) return refuse(CRD_E_CLOSED);
    usable = usable_in_order(m, c, order);
    for (int i = 0; i < usable; i++) sweep(m, order[i], c->date);
    for (int i = 0; i < usable; i++)
        if (credit_figures(m, order[i]).last_date > c->date) return refuse(CRD_E_DATE);
    if (c->amount < 0) return refuse(CRD_E_BELOW_ZERO);
    before = available_in(m, c->who, c->cur, c->date);
    more = c->amount - before;
    if (more == 0) m->event_count = count; /* no entry, of no lapse either */
    else add_adjust(m, c->who, c->cur, more > 0 ? more : -more, c->date, before, c->amount);
    if (more > 0) adjust_up(m, c, more);
    if (more < 0) adjust_down(m, c, -more);
    return answer(CRD_OK, more);
}

/* Whole, on the latest date of all it touches; of an upward one the credit it made must still be there. */
static m_answer undo_adjust(model *m, int event, const command *c) {
    const m_event done = m->events[event];
    int count = m->event_count, again, up = 0;
    int32_t date = c->date;
    if (c->amount != 0) return refuse(CRD_E_ARGUMENT);
    if (done.undoes >= 0) return refuse(CRD_E_STATE);
    for (int i = event + 1; i < count; i++) {
        if (m->events[i].undoes != event) continue;
        if (m->events[i].type == CRD_ENTRY_ADJUST) return refuse(CRD_E_NOTHING);
        date = later(date, last_once_swept(m, m->events[i].credit));
        if (m->events[i].type == CRD_ENTRY_ISSUE) up = 1;
    }
    if (in_closed(m, c->date)) return refuse(CRD_E_CLOSED);
    for (int i = event + 1; i < count; i++)
        if (m->events[i].undoes == event) sweep(m, m->events[i].credit, date);
    again = m->event_count;
    add_adjust(m, done.who, done.cur, done.amount, date, available_in(m, done.who, done.cur, date), 0)->undoes = event;
    for (int i = event + 1; i < count; i++) {
        const m_event piece = m->events[i];
        credit_now n;
        if (piece.undoes != event) continue;
        n = credit_figures(m, piece.credit);
        if (up && available_of(&n) < piece.amount) return refuse(CRD_E_CREDIT_AMOUNT);
        if (!up) give_back(m, i, piece.amount, date);
        else add_event(m, done.who, done.cur, CRD_ENTRY_ADJUST_PIECE, piece.credit, -1, piece.amount, date)->undoes = event;
    }
    m->events[again].figure_after = available_in(m, done.who, done.cur, date);
    return answer(CRD_OK, done.amount);
}

/* ---- delete (rule M11) ---- */

static int moved_for_good(const model *m, int k) {
    if (m->credits[k].made || (m->credits[k].flags & (CRD_FLAG_TRANSFERRED_IN | CRD_FLAG_OWN_DOCUMENT))) return 1;
    for (int i = 0; i < m->event_count; i++) {
        uint32_t type = m->events[i].type;
        if (m->events[i].credit != k) continue;
        if (type == CRD_ENTRY_REFUND || type == CRD_ENTRY_TRANSFER || type == CRD_ENTRY_ADJUST_PIECE ||
            type == CRD_ENTRY_VOID || type == CRD_ENTRY_EXPIRE || type == CRD_ENTRY_REVERSE)
            return 1;
    }
    return 0;
}

/* The receipt that brought the credit, or -1. */
static int receipt_of(const model *m, int k) {
    for (int i = 0; i < m->event_count; i++)
        if (m->events[i].credit == k && m->events[i].type == CRD_ENTRY_ISSUE) return m->events[i].receipt;
    return -1;
}

/* Its applications, and the write-offs of the receipt that brought it. */
static int goes_with(const model *m, int i, int k, int receipt) {
    const m_event *e = &m->events[i];
    if (application_left(m, i) == 0) return 0;
    return (e->type == CRD_ENTRY_APPLY && e->credit == k) ||
           (e->type == CRD_ENTRY_WRITE_OFF && receipt >= 0 && e->receipt == receipt);
}

/* While other credits are applied on it, a receipt is not deleted but undone. */
static int applies_others(const model *m, int receipt, int k) {
    for (int i = 0; i < m->event_count && receipt >= 0; i++) {
        const m_event *e = &m->events[i];
        if (e->receipt == receipt && e->type == CRD_ENTRY_APPLY && e->credit != k && application_left(m, i) > 0) return 1;
    }
    return 0;
}

static m_answer do_delete(model *m, const command *c) {
    int k = find_m_credit(m, c->who, c->credit), v = k < 0 ? -1 : returned_by(m, k), receipt, count;
    int64_t opened = 0;
    int32_t date = c->date;
    credit_now n;
    if (k < 0) return refuse(CRD_E_NOT_FOUND);
    if (bad_date(c->date)) return refuse(CRD_E_ARGUMENT);
    if (is_off(m, c->who)) return refuse(CRD_E_DISABLED);
    sweep_before_use(m, k, c->date);
    n = credit_figures(m, k);
    if (n.deleted > 0) return refuse(CRD_E_NOTHING);
    receipt = receipt_of(m, k);
    if (moved_for_good(m, k) || applies_others(m, receipt, k)) return refuse(CRD_E_STATE);
    if (in_closed(m, m->credits[k].issued) || in_closed(m, c->date)) return refuse(CRD_E_CLOSED);
    date = later(date, n.last_date);
    if (v >= 0) date = later(date, invoice_figures(m, v).last_date);
    if (receipt >= 0) date = later(date, receipt_figures(m, receipt).last_date);
    count = m->event_count;
    for (int i = 0; i < count; i++) {
        const m_event *e = &m->events[i];
        if (!goes_with(m, i, k, receipt)) continue;
        if (e->credit >= 0) date = later(date, touched(m, e));
        if (e->invoice < 0) continue;
        date = later(date, invoice_figures(m, e->invoice).last_date);
        opened += application_left(m, i);
    }
    if (date > m->credits[k].issued + m->delete_window) return refuse(CRD_E_WINDOW);
    if (is_past(&m->credits[k], date)) return refuse(CRD_E_EXPIRED);
    if (n.held + n.allocated > 0) return refuse(CRD_E_IN_USE);
    if (receipt >= 0) n.applied += receipt_figures(m, receipt).written_off; /* what it did beside, goes on request only */
    if (n.applied > 0 && !(c->flags & CRD_DELETE_CASCADE)) return refuse(CRD_E_IN_USE);
    if (!sum_fits(m, c->who, m->credits[k].cur, opened)) return refuse(CRD_E_OVERFLOW);
    for (int i = count - 1; i >= 0; i--)
        if (m->events[i].type == CRD_ENTRY_WRITE_OFF && goes_with(m, i, k, receipt))
            unwrite_off(m, i, application_left(m, i), date);
    for (int i = count - 1; i >= 0; i--)
        if (goes_with(m, i, k, receipt)) give_back(m, i, application_left(m, i), date);
    add_event(m, c->who, m->credits[k].cur, CRD_ENTRY_DELETE, k, v, m->credits[k].original, date);
    if (receipt >= 0)
        add_event(m, c->who, m->credits[k].cur, CRD_ENTRY_RECEIPT_DELETE, -1, -1, m->receipts[receipt].amount, date)
            ->receipt = receipt;
    return answer(CRD_OK, m->credits[k].original);
}

/* ---- sweep (rules M6, M7) ---- */

/* Account by account, the oldest credit first. Works while the feature is off. */
static m_answer do_sweep(model *m, const command *c) {
    int64_t before = m->event_count;
    if (bad_date(c->date) || c->override) return refuse(CRD_E_ARGUMENT);
    if (in_closed(m, c->date)) return refuse(CRD_E_CLOSED);
    for (int i = 0; i < m->credit_count; i++)
        if (!c->mode || m->credits[i].who == c->who) sweep(m, i, c->date);
    return answer(CRD_OK, m->event_count - before);
}

/* ---- another amount for an application (rules M3, M8) ---- */

/* All of one pair: the first application, and those that raised it. */
static int is_part(const model *m, int event, int first) {
    return m->events[event].type == CRD_ENTRY_APPLY && (event == first || m->events[event].undoes == first);
}

static m_answer lower(model *m, int first, int64_t amount, const command *c) {
    const m_event e = m->events[first];
    int32_t last = touched(m, &e);
    if (e.invoice >= 0) last = later(last, invoice_figures(m, e.invoice).last_date);
    if (m->credits[e.credit].kind == CRD_CREDIT_REVERSED_INVOICE) return refuse(CRD_E_STATE);
    if (in_closed(m, c->date)) return refuse(CRD_E_CLOSED);
    if (c->date < last) return refuse(CRD_E_DATE);
    if (e.invoice >= 0 && !sum_fits(m, c->who, c->cur, amount)) return refuse(CRD_E_OVERFLOW);
    for (int i = m->event_count - 1; i >= 0 && amount > 0; i--) {
        int64_t part = is_part(m, i, first) ? smaller(amount, application_left(m, i)) : 0;
        if (part > 0) give_back(m, i, part, c->date);
        amount -= part;
    }
    return answer(CRD_OK, c->amount);
}

static m_answer raise_by(model *m, int first, int64_t amount, const command *c) {
    const m_event e = m->events[first];
    const m_credit *k = &m->credits[e.credit];
    credit_now kn;
    invoice_now vn;
    m_event *more;
    memset(&vn, 0, sizeof vn);
    sweep_before_use(m, e.credit, c->date);
    kn = credit_figures(m, e.credit);
    if (e.invoice >= 0) vn = invoice_figures(m, e.invoice);
    if (e.receipt >= 0 && receipt_figures(m, e.receipt).state != CRD_RECEIPT_POSTED) return refuse(CRD_E_STATE);
    if (kn.state != CRD_CREDIT_ACTIVE || (e.invoice >= 0 && vn.state != CRD_INVOICE_OPEN)) return refuse(CRD_E_STATE);
    if (in_closed(m, c->date)) return refuse(CRD_E_CLOSED);
    if (c->date < kn.last_date || c->date < vn.last_date) return refuse(CRD_E_DATE);
    if (e.receipt >= 0 && c->date < receipt_figures(m, e.receipt).last_date) return refuse(CRD_E_DATE);
    if (!is_usable(k, c->date)) return refuse(CRD_E_EXPIRED);
    if (k->pays != 0 && (e.invoice < 0 || !(k->pays >> m->invoices[e.invoice].kind & 1u)))
        return refuse(CRD_E_RESTRICTED);
    if (amount > available_of(&kn)) return refuse(CRD_E_CREDIT_AMOUNT);
    if (e.invoice >= 0 && amount > vn.open) return refuse(CRD_E_INVOICE_AMOUNT);
    more = add_event(m, e.who, e.cur, CRD_ENTRY_APPLY, e.credit, e.invoice, amount, c->date);
    more->receipt = e.receipt;
    more->own = e.own;
    more->undoes = first;
    return answer(CRD_OK, c->amount);
}

static m_answer do_change_application(model *m, const command *c) {
    int64_t seq = undo_seq(m, c), left = 0;
    int event, first;
    if (bad_date(c->date)) return refuse(CRD_E_ARGUMENT);
    if (c->cur >= CUR) return refuse(CRD_E_CURRENCY);
    if (seq < 1 || c->amount < 0 || c->amount > CRD_MAX_AMOUNT) return refuse(CRD_E_ARGUMENT);
    if (m->feature_off) return refuse(CRD_E_DISABLED);
    if (c->who >= WHO || last_seq(m, c->who, c->cur) == 0) return refuse(CRD_E_NOT_FOUND); /* no such account */
    if (is_off(m, c->who)) return refuse(CRD_E_DISABLED);
    event = find_m_event(m, c->who, c->cur, seq);
    if (event < 0 || m->events[event].type != CRD_ENTRY_APPLY) return refuse(CRD_E_NOT_FOUND);
    first = m->events[event].undoes >= 0 ? m->events[event].undoes : event;
    for (int i = 0; i < m->event_count; i++)
        if (is_part(m, i, first)) left += application_left(m, i);
    if (left == 0) return refuse(CRD_E_NOTHING);
    if (c->amount < left) return lower(m, first, left - c->amount, c);
    return c->amount > left ? raise_by(m, first, c->amount - left, c) : answer(CRD_OK, left);
}

/* ---- many at once ---- */

/* Row `i` of a bulk issue, made from the command: other customers, other amounts, ids of their own. */
static command bulk_row(const command *c, int i) {
    command row = *c;
    row.type = DO_CREDIT;
    row.who = (c->who + i * c->nth) % (WHO + 1);
    row.amount = i == 0 ? c->amount : c->amount / (i + 1);
    if (c->credit[0] != '\0' && i > 0) snprintf(row.credit, sizeof row.credit, "%.12sb%d", c->credit, i % 3);
    return row;
}

/* Each row is a command of its own and sees those before it. The amount is the number of those kept. */
static m_answer do_bulk(model *m, const command *c) {
    int64_t kept = 0;
    for (int i = 0; i < BULK_ROWS; i++) {
        int events = m->event_count, credits = m->credit_count, receipts = m->receipt_count;
        command row = bulk_row(c, i);
        m->overflow = 0;
        m->rows[i] = do_credit(m, &row).status;
        if (m->rows[i] == CRD_OK && overflows(m)) m->rows[i] = CRD_E_OVERFLOW;
        if (m->rows[i] == CRD_OK) {
            kept++;
            continue;
        }
        if (c->mode & CRD_BULK_ALL_OR_NOTHING) return refuse(m->rows[i]);
        m->event_count = events;
        m->credit_count = credits;
        m->receipt_count = receipts;
        m->overflow = 0;
    }
    return answer(CRD_OK, kept);
}

static m_answer credit_command(model *m, const command *c) {
    switch (c->type) {
    case DO_TRANSFER: return do_transfer(m, c);
    case DO_ADJUST: return do_adjust(m, c);
    case DO_DELETE: return do_delete(m, c);
    case DO_SWEEP: return do_sweep(m, c);
    case DO_CHANGE_APPLICATION: return do_change_application(m, c);
    case DO_SWITCHES: return do_switches(m, c);
    default: return do_bulk(m, c);
    }
}

#endif
