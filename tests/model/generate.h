/*
 * Random commands with a taste for edges: chosen while looking at the model, so that most of them mean something.
 */
#ifndef MODEL_GENERATE_H
#define MODEL_GENERATE_H

#include "model/reconcile.h"
#include "support/world.h"

/* SplitMix64 (Steele, Lea, Flood 2014): a counter, well mixed. */
static uint64_t random_bits(uint64_t *state) {
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static int below(uint64_t *state, int bound) {
    return bound < 1 ? 0 : (int)(random_bits(state) % (uint64_t)bound);
}

static int one_in(uint64_t *state, int n) {
    return below(state, n) == 0;
}

/* An amount near a figure that matters; now and then one that no amount can be. */
static int64_t some_amount(uint64_t *state, int64_t figure) {
    static const int64_t wild[] = {INT64_MIN,      INT64_MIN + 1,      -1,       -2,           INT64_MAX,
                                   CRD_MAX_AMOUNT, CRD_MAX_AMOUNT + 1, INT64_MAX - 1, CRD_MAX_AMOUNT - 1};
    switch (below(state, 16)) {
    case 0: return 0;
    case 1: return 1;
    case 2: return 2;
    case 3:
    case 4:
    case 5: return figure;
    case 6: return figure > 0 ? figure - 1 : 0;
    case 7: return figure < INT64_MAX ? figure + 1 : figure;
    case 8: return one_in(state, 3) ? wild[below(state, 9)] : figure;
    default: return 1 + (int64_t)(random_bits(state) % (uint64_t)(figure > 1 ? figure : 1));
    }
}

/* Of a new document: small enough to be used up, or so great that sums leave 64 bits. */
static int64_t some_total(uint64_t *state) {
    if (one_in(state, 40)) return CRD_MAX_AMOUNT - below(state, 3);
    if (one_in(state, 40)) return CRD_MAX_AMOUNT / 2;
    return some_amount(state, one_in(state, 3) ? 10 : 1000);
}

/* Days move on slowly, with steps back. */
static int32_t some_date(uint64_t *state, int day) {
    if (one_in(state, 300)) {
        static const int32_t wild[] = {CRD_DATE_MAX + 1, -1, INT32_MAX, INT32_MIN, CRD_DATE_MAX};
        return wild[below(state, 5)];
    }
    if (one_in(state, 5)) return DAY(day - below(state, 12));
    if (one_in(state, 8)) return DAY(day + below(state, 12));
    return DAY(day);
}

typedef struct generator {
    uint64_t state;
    int day;
    int whos, curs; /* how many this world uses */
    int rich; /* here sums leave 64 bits soon */
} generator;

static uint32_t some_apply(generator *g);
static void generate_credit_command(generator *g, const model *m, command *c);
static void generate_settings(generator *g, command *c);

static int some_who(generator *g) {
    return one_in(&g->state, 60) ? WHO : below(&g->state, g->whos);
}

static int some_cur(generator *g) {
    return one_in(&g->state, 60) ? CUR : below(&g->state, g->curs);
}

static void pick_credit(generator *g, const model *m, command *c) {
    int k = below(&g->state, m->credit_count);
    if (m->credit_count == 0 || one_in(&g->state, 60)) {
        strcpy(c->credit, "K?");
        return;
    }
    /* rather one with something left */
    for (int tries = 0; tries < 3 && credit_figures(m, k).remaining == 0; tries++)
        k = below(&g->state, m->credit_count);
    c->who = m->credits[k].who;
    memcpy(c->credit, m->credits[k].id, sizeof c->credit);
}

/* Rather an invoice that is open, of that account; any when who is −1. */
static void pick_invoice(generator *g, const model *m, command *c, int who, int cur) {
    int v = below(&g->state, m->invoice_count);
    if (m->invoice_count == 0 || one_in(&g->state, 60)) {
        strcpy(c->invoice, "I?");
        c->other_who = c->who;
        return;
    }
    for (int tries = 0; tries < 12 && who >= 0; tries++) {
        if (m->invoices[v].who == who && m->invoices[v].cur == cur && invoice_figures(m, v).open > 0) break;
        v = below(&g->state, m->invoice_count);
    }
    c->other_who = m->invoices[v].who;
    memcpy(c->invoice, m->invoices[v].id, sizeof c->invoice);
}

static void some_id(generator *g, char letter, int serial, char *out) {
    if (one_in(&g->state, 25)) out[0] = '\0';
    else if (one_in(&g->state, 20)) snprintf(out, ID_ROOM, "%c%d", letter, below(&g->state, serial + 1));
    else snprintf(out, ID_ROOM, "%c%d", letter, serial);
}

static void generate_credit(generator *g, const model *m, command *c) {
    static const uint32_t kinds[] = {CRD_CREDIT_MEMO, CRD_CREDIT_MEMO, CRD_CREDIT_GOODWILL, CRD_CREDIT_PROMOTIONAL,
                                     CRD_CREDIT_PREPAYMENT, CRD_CREDIT_ADJUSTMENT};
    some_id(g, 'K', c->serial, c->credit);
    c->kind = one_in(&g->state, 3) ? 1 + (uint32_t)below(&g->state, 16) : kinds[below(&g->state, 6)];
    if (c->kind == CRD_CREDIT_REVERSED_INVOICE) c->kind = CRD_CREDIT_SERVICE;
    if ((c->kind == CRD_CREDIT_OPENING) != one_in(&g->state, 100)) c->stands_for = kinds[below(&g->state, 6)];
    c->apply = some_apply(g);
    c->amount = g->rich && !one_in(&g->state, 4) ? CRD_MAX_AMOUNT - below(&g->state, 3) : some_total(&g->state);
    c->flags = one_in(&g->state, 8) ? CRD_FLAG_RESERVED : 0;
    if (one_in(&g->state, 12)) c->flags |= one_in(&g->state, 2) ? CRD_FLAG_REFUNDABLE : CRD_FLAG_NON_REFUNDABLE;
    if (one_in(&g->state, 6)) c->effective = DAY(g->day + below(&g->state, 8) - 2);
    if (one_in(&g->state, 3)) c->expires = DAY(g->day + below(&g->state, 12));
    if (one_in(&g->state, 6)) c->pays = (uint32_t)(1 + below(&g->state, 15)) << CRD_INVOICE_INVOICE;
    if (one_in(&g->state, 4)) {
        command other;
        memset(&other, 0, sizeof other);
        pick_invoice(g, m, &other, c->who, c->cur);
        memcpy(c->prefers, other.invoice, sizeof c->prefers);
    }
}

/* Lines that sum to the total, but now and then. */
static void generate_lines(generator *g, command *c) {
    int count = 1 + below(&g->state, 3);
    int64_t left = c->amount;
    if (c->amount < 0 || c->amount > CRD_MAX_AMOUNT) return;
    for (int i = 0; i < count; i++) {
        int64_t part = i == count - 1 ? left : left > 0 ? (int64_t)(random_bits(&g->state) % (uint64_t)left) : 0;
        c->lines[i].amount = part;
        c->lines[i].quantity = 1000 * (1 + below(&g->state, 3));
        left -= part;
    }
    c->line_count = count;
    if (one_in(&g->state, 20) && c->amount > 0) c->amount--;
}

static void generate_invoice(generator *g, command *c) {
    some_id(g, 'I', c->serial, c->invoice);
    c->kind = one_in(&g->state, 3) ? 1 + (uint32_t)below(&g->state, 4) : CRD_INVOICE_INVOICE;
    c->apply = some_apply(g);
    c->amount = g->rich && !one_in(&g->state, 4) ? CRD_MAX_AMOUNT - below(&g->state, 3) : some_total(&g->state);
    if (one_in(&g->state, 6)) c->flags |= CRD_INVOICE_AS_DRAFT;
    if (one_in(&g->state, 10)) c->flags |= CRD_INVOICE_AS_DISPUTED;
    if (one_in(&g->state, 12)) c->flags |= CRD_INVOICE_AS_OPENING;
    if (one_in(&g->state, 2)) c->due = DAY(g->day + below(&g->state, 12) - 4);
    if (one_in(&g->state, 3)) generate_lines(g, c);
}

static void generate_apply(generator *g, const model *m, command *c) {
    int64_t figure = 1;
    int k, v;
    pick_credit(g, m, c);
    k = find_m_credit(m, c->who, c->credit);
    if (!one_in(&g->state, 8))
        pick_invoice(g, m, c, k < 0 || one_in(&g->state, 20) ? -1 : c->who, k < 0 ? 0 : m->credits[k].cur);
    v = c->invoice[0] != '\0' ? find_m_invoice(m, c->other_who, c->invoice) : -1;
    if (k >= 0) figure = credit_figures(m, k).remaining;
    if (v >= 0 && one_in(&g->state, 2)) figure = invoice_figures(m, v).open;
    if (k >= 0 && v >= 0 && one_in(&g->state, 2))
        figure = smaller(credit_figures(m, k).remaining, invoice_figures(m, v).open);
    c->amount = some_amount(&g->state, figure);
    if (one_in(&g->state, 4)) c->flags = CRD_APPLY_CLAMP;
    if (c->flags && one_in(&g->state, 3)) c->amount = 0;
}

/* Something paid out or transferred of a payment that bounced since, which a debit memo charges; or -1. */
static int some_charged(generator *g, const model *m) {
    int at = -1, seen = 0;
    for (int i = 0; i < m->event_count; i++)
        if ((m->events[i].type == CRD_ENTRY_REFUND || m->events[i].type == CRD_ENTRY_TRANSFER) &&
            credit_figures(m, m->events[i].credit).taken_back && application_left(m, i) > 0 && one_in(&g->state, ++seen))
            at = i;
    return at;
}

static void generate_undo(generator *g, const model *m, command *c) {
    int at = -1;
    c->target = -1;
    c->nth = below(&g->state, 40) - 1;
    if (m->event_count == 0) return;
    if (one_in(&g->state, 3)) at = some_charged(g, m);
    for (int tries = at >= 0 ? 20 : 0; tries < 20; tries++) {
        const m_event *e;
        at = below(&g->state, m->event_count);
        e = &m->events[at];
        if (one_in(&g->state, 30)) break;
        if ((e->type == CRD_ENTRY_APPLY || e->type == CRD_ENTRY_REFUND || e->type == CRD_ENTRY_WRITE_OFF ||
             e->type == CRD_ENTRY_TRANSFER || e->type == CRD_ENTRY_ADJUST) &&
            (application_left(m, at) > 0 || one_in(&g->state, 10)))
            break;
        if (e->type == CRD_ENTRY_RECEIPT && (e->amount == 0 || one_in(&g->state, 3))) break;
    }
    c->who = m->events[at].who;
    c->cur = m->events[at].cur;
    if (one_in(&g->state, 40)) c->cur = below(&g->state, CUR + 1);
    if (one_in(&g->state, 40)) return;
    c->target = m->events[at].serial;
    c->nth = 0;
    for (int i = 0; i < at; i++) c->nth += m->events[i].serial == c->target;
    if (m->events[at].type != CRD_ENTRY_RECEIPT && m->events[at].type != CRD_ENTRY_ADJUST &&
        !one_in(&g->state, m->events[at].type == CRD_ENTRY_REFUND ? 1 : 3))
        c->amount = some_amount(&g->state, application_left(m, at));
    else if (one_in(&g->state, 20)) c->amount = 1;
}

static void generate_on_invoice(generator *g, const model *m, command *c) {
    int v;
    pick_invoice(g, m, c, -1, 0);
    for (int tries = 0; tries < 8 && c->type == DO_SEND; tries++) {
        v = find_m_invoice(m, c->other_who, c->invoice);
        if (v >= 0 && invoice_figures(m, v).state == CRD_INVOICE_DRAFT) break;
        pick_invoice(g, m, c, -1, 0);
    }
    c->who = c->other_who;
    if (c->type == DO_SEND) c->apply = some_apply(g);
    if (c->type == DO_SEND) return;
    c->flags = one_in(&g->state, 3) ? CRD_VOID_STRICT : 0;
}

static void generate_hold(generator *g, const model *m, command *c) {
    int k, v = -1;
    int64_t figure = 1;
    pick_credit(g, m, c);
    k = find_m_credit(m, c->who, c->credit);
    if (k >= 0) {
        credit_now n = credit_figures(m, k);
        figure = available_of(&n);
    }
    some_id(g, 'H', c->serial, c->hold);
    for (int i = 0; i < m->invoice_count && k >= 0 && one_in(&g->state, 2); i++)
        if (m->invoices[i].who == c->who && invoice_figures(m, i).state == CRD_INVOICE_DRAFT) v = i;
    c->other_who = c->who;
    if (v >= 0) {
        memcpy(c->invoice, m->invoices[v].id, sizeof c->invoice);
        if (one_in(&g->state, 2)) figure = invoice_figures(m, v).as.total - invoice_figures(m, v).allocated;
    } else if (one_in(&g->state, 30)) {
        pick_invoice(g, m, c, c->who, c->cur);
    }
    if (v < 0 && one_in(&g->state, 2)) c->lapses = DAY(g->day + below(&g->state, 6));
    c->amount = some_amount(&g->state, figure);
    if (one_in(&g->state, 4)) c->flags = CRD_APPLY_CLAMP;
}

static void generate_on_hold(generator *g, const model *m, command *c) {
    int h = below(&g->state, m->hold_count);
    strcpy(c->hold, "H?");
    if (m->hold_count == 0) return;
    for (int tries = 0; tries < 4 && hold_figures(m, h).amount == 0; tries++) h = below(&g->state, m->hold_count);
    memcpy(c->hold, m->holds[h].id, sizeof c->hold);
    c->who = c->other_who = m->holds[h].who;
    if (c->type == DO_CAPTURE && !one_in(&g->state, 6)) pick_invoice(g, m, c, c->who, m->holds[h].cur);
    if (one_in(&g->state, 2)) c->amount = some_amount(&g->state, hold_figures(m, h).amount);
    if (c->type == DO_CAPTURE && one_in(&g->state, 3)) c->flags = CRD_APPLY_CLAMP;
}

static void generate_write_off(generator *g, const model *m, command *c) {
    static const uint32_t causes[] = {0, CRD_CAUSE_WRITTEN_OFF, CRD_CAUSE_TOLERANCE, CRD_CAUSE_DISCOUNT};
    int v;
    pick_invoice(g, m, c, c->who < WHO ? c->who : 0, c->cur);
    c->who = c->other_who;
    v = find_m_invoice(m, c->who, c->invoice);
    c->kind = one_in(&g->state, 40) ? CRD_CAUSE_VOIDED : causes[below(&g->state, 4)];
    if (!one_in(&g->state, 4)) c->amount = some_amount(&g->state, v < 0 ? 1 : invoice_figures(m, v).open);
}

static void generate_document_command(generator *g, const model *m, command *c);

static command generate(generator *g, const model *m, int serial) {
    int choice = below(&g->state, 100), at;
    command c;
    memset(&c, 0, sizeof c);
    c.serial = serial;
    c.target = -1;
    c.fresh = one_in(&g->state, 4) ? 1 + below(&g->state, 2) : 0;
    if (one_in(&g->state, 4)) g->day += below(&g->state, 3);
    c.date = some_date(&g->state, g->day);
    c.at = DAY(g->day);
    c.who = some_who(g);
    c.cur = some_cur(g);
    if (serial < g->whos || choice == 0) {
        c.type = DO_CUSTOMER;
        c.who = serial < g->whos ? serial : below(&g->state, WHO);
        if (serial < g->whos) c.date = DAY(0);
    } else if (m->feature_off && one_in(&g->state, 3)) {
        generate_settings(g, &c);
    } else if (one_in(&g->state, 6)) {
        generate_document_command(g, m, &c);
    } else if (one_in(&g->state, 5)) {
        generate_credit_command(g, m, &c);
    } else if (choice < 22) {
        c.type = DO_CREDIT;
        generate_credit(g, m, &c);
    } else if (choice < 42) {
        c.type = DO_INVOICE;
        generate_invoice(g, &c);
    } else if (choice < 47) {
        c.type = DO_HOLD;
        generate_hold(g, m, &c);
    } else if (choice < 50) {
        c.type = one_in(&g->state, 3) ? DO_RELEASE : DO_CAPTURE;
        generate_on_hold(g, m, &c);
    } else if (choice < 62) {
        c.type = DO_APPLY;
        generate_apply(g, m, &c);
    } else if (choice < 68) {
        c.type = choice < 64 ? DO_REFUND : DO_VOID_CREDIT;
        if (c.type == DO_VOID_CREDIT && one_in(&g->state, 3)) c.flags = CRD_VOID_RELEASE;
        if (c.type == DO_REFUND && one_in(&g->state, 4)) c.flags = CRD_REFUND_OVERRIDE;
        pick_credit(g, m, &c);
        at = find_m_credit(m, c.who, c.credit);
        if (one_in(&g->state, 2)) c.amount = some_amount(&g->state, at < 0 ? 1 : credit_figures(m, at).remaining);
    } else if (choice < 72) {
        c.type = DO_WRITE_OFF;
        generate_write_off(g, m, &c);
    } else if (choice < 84) {
        c.type = DO_UNDO;
        generate_undo(g, m, &c);
    } else if (choice < 90) {
        c.type = choice < 87 ? DO_SEND : DO_VOID_INVOICE;
        generate_on_invoice(g, m, &c);
    } else if (choice < 98) {
        c.type = DO_RECONCILE;
        c.flags = one_in(&g->state, 2) ? CRD_PLAN_USE_CASH : 0;
    } else {
        generate_settings(g, &c);
    }
    if (m->closed != 0 && one_in(&g->state, 8)) c.override = 1;
    return c;
}

static generator generator_of(uint64_t seed) {
    generator g;
    memset(&g, 0, sizeof g);
    g.state = seed;
    g.whos = 1 + below(&g.state, WHO);
    g.curs = 1 + below(&g.state, CUR);
    g.rich = one_in(&g.state, 25);
    return g;
}

#include "model/document_generate.h"
#include "model/credit_generate.h"

#endif
