/*
 * What must hold between two worlds, or two moments of one, whatever the figures are. No model is needed for these;
 * it only makes up the past in which they are tried, and knows who could pay whom.
 */
#ifndef MODEL_PROPERTIES_H
#define MODEL_PROPERTIES_H

#include "model/compare.h"
#include "model/generate.h"

/* Amounts and states of every document, by customer and id; nothing of sequences or dates. To be freed. */
static char *figures(const world *w) {
    book *b = world_book(w);
    size_t room = 200 * (b->count + 1), used = 0;
    char *text = calloc(1, room);
    if (text == NULL) abort();
    for (size_t i = 0; i < b->count; i++) {
        const crd_credit_record *c = b->items[i].record;
        const crd_invoice_record *v = b->items[i].record;
        if (b->items[i].kind == CRD_KIND_CREDIT)
            used += (size_t)snprintf(text + used, room - used, "%.9s %.24s %lld %lld %lld %lld %lld %u %u\n",
                                     c->customer, c->id, (long long)c->remaining, (long long)c->applied,
                                     (long long)c->applied_outside, (long long)c->voided, (long long)c->expired,
                                     (unsigned)c->state, (unsigned)c->cause);
        if (b->items[i].kind == CRD_KIND_INVOICE)
            used += (size_t)snprintf(text + used, room - used, "%.9s %.24s %lld %lld %lld %u %u\n", v->customer, v->id,
                                     (long long)v->open, (long long)v->applied, (long long)v->cancelled,
                                     (unsigned)v->state, (unsigned)v->cause);
    }
    book_free(b);
    return text;
}

static void same_figures(char *a, char *b, uint64_t seed) {
    ck_assert_msg(strcmp(a, b) == 0, "seed %llu: it is\n%s\ninstead of\n%s", (unsigned long long)seed, a, b);
    free(a);
    free(b);
}

/* A world with a past of `length` random commands, the same for the same seed, and the feature on. */
static drive *past(int store, uint64_t seed, int length) {
    generator g = generator_of(seed);
    drive *d = drive_open(store);
    for (int i = 0; i < length; i++) {
        command c = generate(&g, &d->m, i);
        ck_assert_msg(drive_step(d, &c), "seed %llu: %s", (unsigned long long)seed, d->difference);
    }
    if (d->m.feature_off) {
        command c;
        memset(&c, 0, sizeof c);
        c.type = DO_CLOSE;
        ck_assert_msg(drive_step(d, &c), "seed %llu: %s", (unsigned long long)seed, d->difference);
    }
    return d;
}

/* A credit and an invoice of which at least 2 may be applied; 0 when there are none. */
static int find_pair(const model *m, command *c) {
    memset(c, 0, sizeof *c);
    c->type = DO_APPLY;
    c->serial = 1000;
    c->at = DAY(400);
    for (int k = 0; k < m->credit_count; k++)
        for (int v = 0; v < m->invoice_count; v++) {
            const m_credit *credit = &m->credits[k];
            const m_invoice *invoice = &m->invoices[v];
            credit_now kn = credit_figures(m, k);
            invoice_now vn = invoice_figures(m, v);
            int32_t date = later(later(kn.last_date, vn.last_date), later(credit->effective, m->closed + 1));
            if (credit->who != invoice->who || credit->cur != invoice->cur || vn.state != CRD_INVOICE_OPEN) continue;
            if (is_off(m, credit->who)) continue;
            if (credit->pays != 0 && !(credit->pays >> invoice->kind & 1u)) continue;
            if (is_past(credit, date) || bad_date(date) || smaller(available_of(&kn), vn.open) < 2) continue;
            c->who = c->other_who = credit->who;
            c->cur = credit->cur;
            memcpy(c->credit, credit->id, sizeof c->credit);
            memcpy(c->invoice, invoice->id, sizeof c->invoice);
            c->date = date;
            c->amount = smaller(available_of(&kn), vn.open);
            return 1;
        }
    return 0;
}

static void must(drive *d, const command *c) {
    ck_assert_msg(drive_step(d, c), "%s", d->difference);
}

/* Returns 1 when the past had a pair to try it on. */
static int whole_is_parts(int store, uint64_t seed) {
    drive *whole = past(store, seed, 30), *parts = past(store, seed, 30);
    command c;
    int found = find_pair(&whole->m, &c);
    if (found) {
        int64_t amount = c.amount, first = 1 + (int64_t)(seed % (uint64_t)(amount - 1));
        must(whole, &c);
        c.amount = first;
        must(parts, &c);
        c.amount = amount - first;
        must(parts, &c);
        same_figures(figures(parts->w), figures(whole->w), seed);
    }
    drive_close(whole);
    drive_close(parts);
    return found;
}

static int do_and_undo(int store, uint64_t seed) {
    drive *d = past(store, seed, 30);
    command c;
    int found = find_pair(&d->m, &c);
    if (found) {
        char *before = figures(d->w);
        must(d, &c);
        c.type = DO_UNDO;
        c.target = c.serial;
        c.nth = 0; /* what had lapsed is entered before the application */
        for (int i = 0; i < d->m.event_count; i++)
            if (d->m.events[i].serial == c.serial && d->m.events[i].type != CRD_ENTRY_APPLY) c.nth++;
        c.amount = 0;
        must(d, &c);
        same_figures(figures(d->w), before, seed);
    }
    drive_close(d);
    return found;
}

static void twice_is_once(int store, uint64_t seed) {
    drive *d = past(store, seed, 30);
    char *once;
    d->w->careless = 1;
    (void)reconcile(d->w, CRD_PLAN_USE_CASH, 70);
    once = figures(d->w);
    ck_assert_uint_eq(reconcile(d->w, CRD_PLAN_USE_CASH, 70).applications, 0);
    same_figures(figures(d->w), once, seed);
    drive_close(d);
}

#define OPEN_ITEMS 12

/* The same items, each of its own day, entered in two orders. */
static void order_is_irrelevant(int store, uint64_t seed) {
    char *found[2];
    for (int n = 0; n < 2; n++) {
        uint64_t state = seed;
        int order[OPEN_ITEMS];
        int64_t amounts[OPEN_ITEMS];
        world *w = world_open(store);
        w->careless = 1;
        customer(w, "c0");
        for (int i = 0; i < OPEN_ITEMS; i++) {
            amounts[i] = 1 + below(&state, 100);
            order[i] = i;
        }
        for (int i = OPEN_ITEMS - 1; i > 0 && n == 1; i--) {
            int j = below(&state, i + 1), kept = order[i];
            order[i] = order[j];
            order[j] = kept;
        }
        for (int i = 0; i < OPEN_ITEMS; i++) {
            char id[8];
            int item = order[i];
            snprintf(id, sizeof id, "D%d", item);
            if (item % 2) crd_credit_free(credit(w, "c0", id, item % 3 ? CRD_CREDIT_MEMO : CRD_CREDIT_DEPOSIT,
                                                 amounts[item], item));
            else crd_invoice_free(invoice(w, "c0", id, amounts[item], item, 30 - item));
        }
        (void)reconcile(w, CRD_PLAN_USE_CASH, 40);
        world_check(w);
        found[n] = figures(w);
        world_close(w);
    }
    same_figures(found[1], found[0], seed);
}

#endif
