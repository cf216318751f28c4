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

/* Lines of what there is, mostly of amounts that can be, and a receipt that mostly comes out even. */
static void generate_receipt(generator *g, const model *m, command *c) {
    int lines = below(&g->state, MAX_LINES + 1);
    some_id(g, 'R', c->serial, c->receipt);
    for (int i = 0; i < lines; i++) {
        m_line *l = &c->lines[c->line_count++];
        command pick = *c;
        int64_t figure = 1;
        int what = below(&g->state, 8); /* pays, uses, both, discount */
        if (what != 4 && what != 5) {
            int v;
            pick.invoice[0] = '\0';
            pick_invoice(g, m, &pick, c->who, c->cur);
            memcpy(l->invoice, pick.invoice, sizeof l->invoice);
            v = find_m_invoice(m, pick.other_who, pick.invoice);
            if (v >= 0) figure = invoice_figures(m, v).open;
        }
        if (what >= 4 && what < 7) {
            int k = below(&g->state, m->credit_count);
            for (int tries = 0; tries < 12 && m->credit_count > 0; tries++) {
                if (m->credits[k].who == c->who && m->credits[k].cur == c->cur && credit_figures(m, k).remaining > 0)
                    break;
                k = below(&g->state, m->credit_count);
            }
            if (m->credit_count > 0) {
                credit_now n = credit_figures(m, k);
                memcpy(l->credit, m->credits[k].id, sizeof l->credit);
                figure = what == 6 ? smaller(figure, available_of(&n)) : available_of(&n);
            }
        }
        if (what == 7) l->kind = (uint32_t)(1 + below(&g->state, 2));
        l->amount = some_amount(&g->state, what == 7 ? 1 + figure / 8 : figure);
        if (l->amount < 1) l->amount = one_in(&g->state, 10) ? 0 : 1;
        if (l->amount > CRD_MAX_AMOUNT / (lines > 1 ? 8 : 1)) l->amount = CRD_MAX_AMOUNT / 8; /* sums stay in 64 bits */
    }
    for (int i = 0; i < c->line_count; i++) {
        const m_line *l = &c->lines[i];
        if (l->kind != CRD_RECEIPT_PAYS || (l->credit[0] != '\0' && l->invoice[0] != '\0')) continue;
        c->amount += l->credit[0] == '\0' ? l->amount : -l->amount;
    }
    if (one_in(&g->state, 3)) c->flags |= CRD_RECEIPT_EXCESS_TO_CREDIT;
    if (one_in(&g->state, 4)) c->flags |= CRD_RECEIPT_DISTRIBUTE;
    if (c->amount < 0 && !one_in(&g->state, 10)) c->amount = 0;
    if (c->flags != 0 && !one_in(&g->state, 3) && c->amount < 100000) c->amount += some_total(&g->state);
    else if (one_in(&g->state, 30)) c->amount = some_total(&g->state);
    if (c->amount == 0) return;
    some_id(g, 'K', c->serial, c->credit);
    if (one_in(&g->state, 3)) c->kind = (uint32_t)below(&g->state, 6);
    if (one_in(&g->state, 8)) c->expires = DAY(g->day + below(&g->state, 12));
}

static void generate_bounce(generator *g, const model *m, command *c) {
    int r = below(&g->state, m->receipt_count);
    strcpy(c->receipt, "R?");
    if (m->receipt_count == 0 || one_in(&g->state, 60)) return;
    for (int tries = 0; tries < 4 && (m->receipts[r].amount == 0 || receipt_figures(m, r).state != CRD_RECEIPT_POSTED); tries++)
        r = below(&g->state, m->receipt_count);
    c->who = m->receipts[r].who;
    memcpy(c->receipt, m->receipts[r].id, sizeof c->receipt);
    if (one_in(&g->state, 4)) c->flags = CRD_REVERSE_STRICT;
    if (one_in(&g->state, 2)) some_id(g, 'D', c->serial, c->invoice);
    if (!one_in(&g->state, 4)) return;
    c->fee = some_amount(&g->state, 7);
    if (one_in(&g->state, 2)) some_id(g, 'F', c->serial, c->fee_id);
    if (one_in(&g->state, 10)) memcpy(c->fee_id, c->invoice, sizeof c->fee_id);
}

static void generate_document_command(generator *g, const model *m, command *c) {
    int choice = below(&g->state, 22) - 8;
    if (choice < 0) choice = 9;
    if (choice < 5) {
        c->type = DO_REVISE;
        generate_revise(g, m, c);
    } else if (choice < 8) {
        c->type = DO_RETURN;
        generate_return(g, m, c);
    } else if (choice < 9) {
        c->type = DO_REVERSE_INVOICE;
        pick_sent(g, m, c);
        some_id(g, 'K', c->serial, c->credit);
    } else if (choice > 9) {
        c->type = DO_BOUNCE;
        generate_bounce(g, m, c);
    } else {
        c->type = DO_RECEIPT;
        generate_receipt(g, m, c);
    }
}

#endif
