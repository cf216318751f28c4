/*
 * Random commands about documents.
 */
#ifndef MODEL_DOCUMENT_GENERATE_H
#define MODEL_DOCUMENT_GENERATE_H

#include "model/generate.h"

/* Any invoice that was sent, rather one that something was done to. */
static int pick_sent(generator *g, const model *m, command *c) {
    int v = below(&g->state, m->invoice_count);
    for (int tries = 0; tries < 6 && m->invoice_count > 0; tries++) {
        invoice_now n = invoice_figures(m, v);
        if (n.applied > 0 || (n.state == CRD_INVOICE_OPEN && one_in(&g->state, 3))) break;
        v = below(&g->state, m->invoice_count);
    }
    if (m->invoice_count == 0 || one_in(&g->state, 60)) {
        strcpy(c->invoice, "I?");
        return -1;
    }
    c->who = m->invoices[v].who;
    c->cur = m->invoices[v].cur;
    memcpy(c->invoice, m->invoices[v].id, sizeof c->invoice);
    return v;
}

static void generate_revise(generator *g, const model *m, command *c) {
    int v = pick_sent(g, m, c);
    c->amount = some_total(&g->state);
    if (v >= 0) {
        invoice_now n = invoice_figures(m, v);
        int64_t figures[4];
        figures[0] = n.as.total;
        figures[1] = n.applied;
        figures[2] = n.applied + n.written_off;
        figures[3] = n.allocated;
        if (!one_in(&g->state, 6)) c->amount = some_amount(&g->state, figures[below(&g->state, 4)]);
    }
    if (one_in(&g->state, 4)) c->due = DAY(g->day + below(&g->state, 12) - 4);
    if (one_in(&g->state, 8)) c->flags = (uint32_t)(1 + below(&g->state, 3));
}

static void generate_return(generator *g, const model *m, command *c) {
    int v = pick_sent(g, m, c);
    invoice_now n;
    memset(&n, 0, sizeof n);
    if (v >= 0) n = invoice_figures(m, v);
    some_id(g, 'K', c->serial, c->credit);
    c->kind = one_in(&g->state, 20) ? CRD_CREDIT_GOODWILL
                                    : CRD_CREDIT_MEMO + (uint32_t)below(&g->state, 4);
    c->amount = some_amount(&g->state, n.as.total - n.returned);
    if (one_in(&g->state, 6)) c->expires = DAY(g->day + below(&g->state, 12));
    if (one_in(&g->state, 30)) c->cur = below(&g->state, CUR + 1);
    if (one_in(&g->state, 60)) c->invoice[0] = '\0';
}

static void generate_document_command(generator *g, const model *m, command *c) {
    int choice = below(&g->state, 10);
    if (choice < 5) {
        c->type = DO_REVISE;
        generate_revise(g, m, c);
    } else if (choice < 8) {
        c->type = DO_RETURN;
        generate_return(g, m, c);
    } else {
        c->type = DO_REVERSE_INVOICE;
        pick_sent(g, m, c);
        some_id(g, 'K', c->serial, c->credit);
    }
}

#endif
