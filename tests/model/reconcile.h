/*
 * The model's reconcile (rules M6, M14, M15), and the one entrance to all of its commands.
 */
#ifndef MODEL_RECONCILE_H
#define MODEL_RECONCILE_H

#include "model/receipt_commands.h"

#define NO_RECEIPT (-2)

/* One account's run, as it is worked out. */
typedef struct m_run {
    int32_t date;
    int receipt; /* −1 until there is something to apply; NO_RECEIPT when it applies by itself */
    int64_t applied;
} m_run;

static int credit_takes_part(const model *m, int k, uint32_t flags, int32_t date) {
    const m_credit *c = &m->credits[k];
    if (credit_figures(m, k).remaining == 0 || (c->flags & CRD_FLAG_RESERVED)) return 0;
    if (is_cash(c) && !(flags & CRD_PLAN_USE_CASH)) return 0;
    return c->issued <= date && c->effective <= date && !is_past(c, date);
}

static int invoice_takes_part(const model *m, int v, int32_t date) {
    invoice_now n = invoice_figures(m, v);
    return n.state == CRD_INVOICE_OPEN && !n.as.disputed && n.issued <= date;
}

/* By date, then sequence. */
static int credit_before(const model *m, int a, int b) {
    if (m->credits[a].issued != m->credits[b].issued) return m->credits[a].issued < m->credits[b].issued;
    return credit_figures(m, a).first_seq < credit_figures(m, b).first_seq;
}

/* Finance charges first, then by due date (missing counts as issue date), issue date, sequence. */
static int invoice_before(const model *m, int a, int b) {
    const m_invoice *va = &m->invoices[a], *vb = &m->invoices[b];
    invoice_now na = invoice_figures(m, a), nb = invoice_figures(m, b);
    int fa = va->kind == CRD_INVOICE_FINANCE_CHARGE, fb = vb->kind == CRD_INVOICE_FINANCE_CHARGE;
    int32_t da = na.as.due != 0 ? na.as.due : na.issued, db = nb.as.due != 0 ? nb.as.due : nb.issued;
    if (fa != fb) return fa;
    if (da != db) return da < db;
    if (na.issued != nb.issued) return na.issued < nb.issued;
    return na.first_seq < nb.first_seq;
}

/* As much of the credit on the invoice as goes; nothing when the pair would be dated past the expiry. */
static void pay(model *m, m_run *run, int k, int v) {
    const m_credit *c = &m->credits[k];
    int before = m->event_count, swept;
    invoice_now vn = invoice_figures(m, v);
    credit_now kn;
    int64_t amount;
    int32_t date;
    if (c->pays != 0 && !(c->pays >> m->invoices[v].kind & 1u)) return;
    sweep(m, k, run->date); /* to see what is there; the receipt comes before it */
    kn = credit_figures(m, k);
    swept = m->event_count > before;
    amount = smaller(available_of(&kn), vn.open);
    date = later(run->date, later(kn.last_date, vn.last_date));
    if (swept) m->event_count = before;
    if (amount == 0 || is_past(c, date)) return;
    if (run->receipt == -1) run->receipt = add_receipt(m, c->who, c->cur, "", 0, run->date);
    if (swept) sweep(m, k, run->date);
    add_event(m, c->who, c->cur, CRD_ENTRY_APPLY, k, v, amount, date)->receipt = run->receipt < 0 ? -1 : run->receipt;
    run->applied++;
}

/* Of all credits and invoices of the account, or of one (the other is −1). */
static int64_t run_account(model *m, int who, int cur, uint32_t flags, m_run run, int credit, int invoice) {
    int credits[MAX_DOCUMENTS], invoices[MAX_DOCUMENTS], nk = 0, nv = 0;
    int32_t date = run.date;
    for (int i = 0; i < m->credit_count; i++) {
        int at = nk;
        if (credit >= 0 && i != credit) continue;
        if (m->credits[i].who != who || m->credits[i].cur != cur || !credit_takes_part(m, i, flags, date)) continue;
        for (; at > 0 && credit_before(m, i, credits[at - 1]); at--) credits[at] = credits[at - 1];
        credits[at] = i;
        nk++;
    }
    for (int i = 0; i < m->invoice_count; i++) {
        int at = nv;
        if (invoice >= 0 && i != invoice) continue;
        if (m->invoices[i].who != who || m->invoices[i].cur != cur || !invoice_takes_part(m, i, date)) continue;
        for (; at > 0 && invoice_before(m, i, invoices[at - 1]); at--) invoices[at] = invoices[at - 1];
        invoices[at] = i;
        nv++;
    }
    for (int i = 0; i < nk; i++) {
        const char *named = m->credits[credits[i]].prefers;
        for (int j = 0; j < nv; j++)
            if (strcmp(m->invoices[invoices[j]].id, named) == 0) pay(m, &run, credits[i], invoices[j]);
        for (int j = 0; j < nv; j++) pay(m, &run, credits[i], invoices[j]);
    }
    return run.applied;
}

/* The amount of the answer is the number of applications. */
static m_answer do_reconcile(model *m, const command *c) {
    const m_run run = {c->date, -1, 0};
    int64_t applications = 0;
    if (bad_date(c->date)) return refuse(CRD_E_ARGUMENT);
    if (m->feature_off) return refuse(CRD_E_DISABLED);
    if (in_closed(m, c->date)) return refuse(CRD_E_CLOSED);
    for (int who = 0; who < WHO; who++)
        for (int cur = 0; cur < CUR && !is_off(m, who); cur++)
            applications += run_account(m, who, cur, c->flags, run, -1, -1);
    return answer(CRD_OK, applications);
}

static m_answer credit_command(model *m, const command *c);
static m_answer do_close(model *m, const command *c);

static m_answer model_try(model *m, const command *c) {
    switch (c->type) {
    case DO_CUSTOMER: return do_customer(m, c);
    case DO_CREDIT: return do_credit(m, c);
    case DO_INVOICE: return do_invoice(m, c);
    case DO_APPLY: return do_apply(m, c);
    case DO_VOID_CREDIT: return do_void_credit(m, c);
    case DO_UNDO: return do_undo(m, c);
    case DO_SEND: return do_send(m, c);
    case DO_VOID_INVOICE: return do_void_invoice(m, c);
    case DO_RECONCILE: return do_reconcile(m, c);
    case DO_REFUND: return do_refund(m, c);
    case DO_WRITE_OFF: return do_write_off(m, c);
    case DO_HOLD: return do_hold(m, c);
    case DO_CAPTURE: return do_capture(m, c);
    case DO_RELEASE: return do_release(m, c);
    case DO_REVISE: return do_revise(m, c);
    case DO_RETURN: return do_return(m, c);
    case DO_REVERSE_INVOICE: return do_reverse_invoice(m, c);
    case DO_RECEIPT: return do_receipt(m, c);
    case DO_BOUNCE: return do_bounce(m, c);
    case DO_CHANGE_CUSTOMER: return do_change_customer(m, c);
    case DO_CLOSE: return do_close(m, c);
    default: return credit_command(m, c);
    }
}

/* A command that is refused leaves nothing, not even what it found to have lapsed. */
static m_answer model_do(model *m, const command *c) {
    int events = m->event_count, credits = m->credit_count, receipts = m->receipt_count;
    int invoices = m->invoice_count, holds = m->hold_count;
    m_answer a;
    m->serial = c->serial;
    m->now = noon_of(c->at);
    m->override = c->override;
    m->overflow = 0;
    if (c->amount > CRD_MAX_AMOUNT / 1000) m->great = 1;
    a = model_try(m, c);
    if (a.status == CRD_OK && overflows(m)) a = refuse(CRD_E_OVERFLOW);
    if (a.status == CRD_OK) return a;
    m->event_count = events;
    m->credit_count = credits;
    m->receipt_count = receipts;
    m->invoice_count = invoices;
    m->hold_count = holds;
    return a;
}

#include "model/credit_commands.h"

#endif
