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
    if (v < 0 || m->invoices[v].line_count == 0 || one_in(&g->state, 10)) return;
    if (one_in(&g->state, 2)) c->line = 1 + below(&g->state, m->invoices[v].line_count + one_in(&g->state, 10));
    c->amount = lines_left(m, v, c->line);
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
    if (v >= 0 && m->invoices[v].line_count > 0 && one_in(&g->state, 2)) {
        int64_t quantity, left;
        c->line = 1 + below(&g->state, m->invoices[v].line_count);
        left = m->invoices[v].line_amounts[c->line - 1] - line_returned(m, v, c->line, &quantity);
        c->amount = some_amount(&g->state, left);
        c->quantity = 1000 * (1 + below(&g->state, 2));
    }
    if (one_in(&g->state, 30)) c->cur = below(&g->state, CUR + 1);
    if (one_in(&g->state, 60)) c->invoice[0] = '\0';
}

/* What lines before this one leave of a figure of that document. */
static int64_t left_of(const command *c, int is_credit, const char *id, int64_t figure) {
    for (int i = 0; i < c->line_count; i++)
        if (c->lines[i].amount > 0 && strcmp(is_credit ? c->lines[i].credit : c->lines[i].invoice, id) == 0)
            figure -= c->lines[i].amount;
    return figure;
}

static int64_t put_invoice(generator *g, const model *m, const command *c, m_line *l) {
    command pick = *c;
    int v;
    pick_invoice(g, m, &pick, c->who, c->cur);
    memcpy(l->invoice, pick.invoice, sizeof l->invoice);
    v = find_m_invoice(m, pick.other_who, pick.invoice);
    if (v < 0 || m->invoices[v].who != c->who || m->invoices[v].cur != c->cur) return 0;
    return left_of(c, 0, l->invoice, invoice_figures(m, v).open);
}

static int64_t put_credit(generator *g, const model *m, const command *c, m_line *l) {
    int k = below(&g->state, m->credit_count);
    credit_now n;
    if (m->credit_count == 0) return 0;
    for (int tries = 0; tries < 20; tries++, k = below(&g->state, m->credit_count)) {
        const m_credit *credit = &m->credits[k];
        n = credit_figures(m, k);
        if (credit->who == c->who && credit->cur == c->cur && available_of(&n) > 0 && !is_past(credit, c->date)) break;
    }
    n = credit_figures(m, k);
    if (m->credits[k].who != c->who || m->credits[k].cur != c->cur) n.remaining = 0;
    memcpy(l->credit, m->credits[k].id, sizeof l->credit);
    return left_of(c, 1, l->credit, available_of(&n));
}

/* A line of what there is; mostly of an amount that can be. */
static void generate_line(generator *g, const model *m, command *c, int64_t *even) {
    m_line *l = &c->lines[c->line_count];
    int what = below(&g->state, 8); /* pays, uses, both, or writes off */
    int64_t figure = CRD_MAX_AMOUNT / MAX_LINES;
    memset(l, 0, sizeof *l);
    if (what < 4 || what > 5) figure = smaller(figure, put_invoice(g, m, c, l));
    if (what > 3 && what < 7) figure = smaller(figure, put_credit(g, m, c, l));
    if ((what == 4 || what == 5) && !one_in(&g->state, 20)) figure = smaller(figure, *even); /* no more than is paid */
    if (what == 7) figure = 1 + figure / 8;
    if (what == 7 && c->line_count > 0 && !one_in(&g->state, 8)) /* of one that is paid */
        memcpy(l->invoice, c->lines[0].invoice, sizeof l->invoice);
    if (figure < 1 && !one_in(&g->state, 20)) return;
    l->kind = what == 7 ? (uint32_t)(1 + below(&g->state, 2)) : CRD_RECEIPT_PAYS;
    l->amount = one_in(&g->state, 8) ? some_amount(&g->state, figure) : figure - below(&g->state, 2) * (figure / 2);
    if (l->amount > CRD_MAX_AMOUNT / MAX_LINES) l->amount = CRD_MAX_AMOUNT / MAX_LINES; /* sums stay in 64 bits */
    if (what < 4) *even += l->amount > 0 ? l->amount : 0;
    if (what == 4 || what == 5) *even -= l->amount > 0 ? l->amount : 0;
    c->line_count++;
}

/* A receipt that mostly comes out even. */
static void generate_receipt(generator *g, const model *m, command *c) {
    int lines = below(&g->state, MAX_LINES + 1);
    int64_t even = 0;
    some_id(g, 'R', c->serial, c->receipt);
    for (int i = 0; i < lines; i++) generate_line(g, m, c, &even);
    c->amount = even < 0 && !one_in(&g->state, 10) ? 0 : even;
    if (one_in(&g->state, 3) || (c->line_count == 0 && !one_in(&g->state, 10)))
        c->flags |= CRD_RECEIPT_EXCESS_TO_CREDIT;
    if (one_in(&g->state, 4)) c->flags |= CRD_RECEIPT_DISTRIBUTE;
    if (c->flags != 0 && (c->line_count == 0 || !one_in(&g->state, 3)))
        c->amount += some_amount(&g->state, one_in(&g->state, 3) ? 10 : 1000) % 1000000;
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
    for (int tries = 0; tries < 4; tries++) {
        if (m->receipts[r].amount > 0 && receipt_figures(m, r).state == CRD_RECEIPT_POSTED) break;
        r = below(&g->state, m->receipt_count);
    }
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
    int choice = below(&g->state, 23) - 8;
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
    } else if (choice == 14) {
        c->type = DO_CHANGE_CUSTOMER;
        c->kind = (uint32_t)below(&g->state, NAMES);
    } else if (choice > 9) {
        c->type = DO_BOUNCE;
        generate_bounce(g, m, c);
    } else {
        c->type = DO_RECEIPT;
        generate_receipt(g, m, c);
    }
}

#endif
