/*
 * Random commands about credits.
 */
#ifndef MODEL_CREDIT_GENERATE_H
#define MODEL_CREDIT_GENERATE_H

#include "model/generate.h"

/* Mostly nothing: the customer and the ledger decide. */
static uint32_t some_apply(generator *g) {
    static const uint32_t choices[] = {CRD_ISSUE_APPLY, CRD_ISSUE_NO_APPLY, CRD_ISSUE_APPLY | CRD_ISSUE_NO_APPLY};
    if (!one_in(&g->state, 6)) return 0;
    return choices[one_in(&g->state, 20) ? 2 : below(&g->state, 2)];
}

/* An application to change: rather one with something left. */
static void generate_change(generator *g, const model *m, command *c) {
    int at = -1, seen = 0;
    for (int i = 0; i < m->event_count; i++) {
        if (m->events[i].type != CRD_ENTRY_APPLY && !one_in(&g->state, 200)) continue;
        if (application_left(m, i) > 0 && one_in(&g->state, ++seen)) at = i;
    }
    c->target = -1;
    c->nth = below(&g->state, 40) - 1;
    if (at < 0) return;
    c->who = m->events[at].who;
    c->cur = m->events[at].cur;
    c->target = m->events[at].serial;
    c->nth = 0;
    for (int i = 0; i < at; i++) c->nth += m->events[i].serial == c->target;
    c->amount = some_amount(&g->state, application_left(m, at));
    if (one_in(&g->state, 2) && c->amount > 0 && c->amount < CRD_MAX_AMOUNT / 2) c->amount += c->amount / 4;
}

static void generate_credit_command(generator *g, const model *m, command *c) {
    static const int types[] = {DO_TRANSFER, DO_TRANSFER, DO_ADJUST, DO_ADJUST, DO_DELETE, DO_DELETE,
                                DO_SWEEP,    DO_CHANGE_APPLICATION, DO_CHANGE_APPLICATION, DO_SWITCHES, DO_BULK};
    int k;
    c->type = types[below(&g->state, 11)];
    if (m->credit_count == 0 && !one_in(&g->state, 8)) c->type = DO_BULK; /* the others need one */
    if (m->event_count < 8 && c->type == DO_CHANGE_APPLICATION) c->type = DO_ADJUST;
    switch (c->type) {
    case DO_TRANSFER:
    case DO_DELETE:
        pick_credit(g, m, c);
        k = find_m_credit(m, c->who, c->credit);
        if (c->type == DO_TRANSFER) {
            c->other_who = one_in(&g->state, 30) ? WHO : below(&g->state, WHO);
            some_id(g, 'K', c->serial, c->made);
            if (one_in(&g->state, 2)) c->amount = some_amount(&g->state, k < 0 ? 1 : credit_figures(m, k).remaining);
            break;
        }
        for (int i = 0; i < 6 && k >= 0 && m->credits[k].issued < DAY(g->day) - m->delete_window; i++) {
            pick_credit(g, m, c);
            k = find_m_credit(m, c->who, c->credit);
        }
        if (k >= 0 && one_in(&g->state, 2)) c->date = m->credits[k].issued;
        c->flags = one_in(&g->state, 2) ? CRD_DELETE_CASCADE : 0;
        break;
    case DO_ADJUST:
        some_id(g, 'K', c->serial, c->made);
        c->amount = some_amount(&g->state, c->who < WHO ? available_in(m, c->who, c->cur, c->date) : 10);
        if (one_in(&g->state, 3) && c->amount > 0 && c->amount < 100000) c->amount *= 2;
        break;
    case DO_SWEEP: c->mode = one_in(&g->state, 3) ? 1 : 0; break;
    case DO_CHANGE_APPLICATION: generate_change(g, m, c); break;
    case DO_SWITCHES:
        c->kind = one_in(&g->state, 2) ? 1u << below(&g->state, 3) : 0;
        c->pays = c->kind == 0 || one_in(&g->state, 4) ? 1u << below(&g->state, 3) : 0;
        if (c->who < WHO && (m->switches[c->who] & CRD_SWITCH_FEATURE_OFF)) c->kind = 0, c->pays = 1;
        break;
    default:
        c->type = DO_CREDIT;
        generate_credit(g, m, c);
        c->type = DO_BULK;
        c->mode = one_in(&g->state, 2) ? CRD_BULK_ALL_OR_NOTHING : 0;
        c->nth = below(&g->state, 3);
        break;
    }
}

/* Settings: a period closed, and now and then the feature off, which the next commands undo. */
static void generate_settings(generator *g, command *c) {
    c->type = DO_CLOSE;
    c->date = one_in(&g->state, 3) ? 0 : DAY(g->day - below(&g->state, 10) - 2);
    if (one_in(&g->state, 40)) c->date = CRD_DATE_MAX + 1;
    c->mode = (one_in(&g->state, 6) ? 1u : 0u) | (one_in(&g->state, 3) ? 2u : 0u);
    c->amount = one_in(&g->state, 2) ? below(&g->state, 8) : 0;
}

#endif
