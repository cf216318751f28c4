/*
 * See ties.h.
 */
#include "support/ties.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char problem[400];

typedef struct side {
    const char *customer, *currency; /* of the book's account record */
    int64_t by_role[CRD_GL_ROLES];
} side;

static int same(const char *a, const char *b) {
    return strcmp(a, b) == 0;
}

/* Modulo 2^64: totals of random books leave 64 bits, and what is equal stays so. */
static void add_to(int64_t *total, int64_t amount) {
    *total = (int64_t)((uint64_t)*total + (uint64_t)amount);
}

static side *find_side(side *sides, size_t count, const char *customer, const char *currency) {
    for (size_t i = 0; i < count; i++)
        if (same(sides[i].customer, customer) && same(sides[i].currency, currency)) return &sides[i];
    return NULL;
}

/* Sums the postings; each entry's must come in one row and sum to zero. */
static const char *add_postings(crd_ledger *ledger, side *sides, size_t count) {
    crd_posting_spec spec;
    crd_postings *postings = NULL;
    const crd_posting *p = NULL;
    int64_t sum = 0;
    char at[120] = "";
    crd_status status;
    memset(&spec, 0, sizeof spec);
    spec.struct_size = sizeof spec;
    status = crd_postings_open(ledger, &spec, &postings);
    while (status == CRD_OK && (status = crd_postings_next(postings, &p)) == CRD_OK) {
        side *s;
        if ((p == NULL || p->number == 0) && sum != 0) {
            snprintf(problem, sizeof problem, "the postings of %s are %lld apart", at, (long long)sum);
            break;
        }
        if (p == NULL) break;
        snprintf(at, sizeof at, "%.60s %s entry %lld", p->entry->customer, p->currency, (long long)p->entry->seq);
        s = find_side(sides, count, p->customer, p->currency);
        if (s == NULL || p->role >= CRD_GL_ROLES || p->amount == 0) {
            snprintf(problem, sizeof problem, "%s posts nothing, or for nobody", at);
            break;
        }
        add_to(&sum, p->amount);
        add_to(&s->by_role[p->role], p->amount);
    }
    if (status != CRD_OK)
        snprintf(problem, sizeof problem, "the postings cannot be read: %s", crd_ledger_error(ledger)->message);
    crd_postings_close(postings);
    return problem[0] != '\0' ? problem : NULL;
}

/* What the records say, with the signs of the general ledger. */
static void expect(const book *b, const side *s, int64_t *out) {
    memset(out, 0, CRD_GL_ROLES * sizeof *out);
    for (size_t i = 0; i < b->count; i++) {
        const crd_credit_record *c = b->items[i].record;
        const crd_invoice_record *v = b->items[i].record;
        const crd_receipt_record *r = b->items[i].record;
        if (b->items[i].kind == CRD_KIND_CREDIT && same(c->customer, s->customer) && same(c->currency, s->currency)) {
            int cash = c->credit_class == CRD_CLASS_CASH ||
                       (c->credit_class == CRD_CLASS_OPENING && c->stands_for >= CRD_CREDIT_PAYMENT &&
                        c->stands_for <= CRD_CREDIT_UNAPPLIED_CASH);
            add_to(&out[cash ? CRD_GL_DEPOSITS : CRD_GL_CREDITS], -c->remaining);
            add_to(&out[CRD_GL_BANK], -c->refunded);
            add_to(&out[CRD_GL_OUTSIDE], -c->applied_outside);
        }
        if (b->items[i].kind == CRD_KIND_INVOICE && same(v->customer, s->customer) && same(v->currency, s->currency)) {
            add_to(&out[CRD_GL_RECEIVABLE], v->open); /* 0 of a draft */
            add_to(&out[CRD_GL_BAD_DEBT], v->written_off);
        }
        if (b->items[i].kind == CRD_KIND_RECEIPT && same(r->customer, s->customer) && same(r->currency, s->currency) &&
            r->state == CRD_RECEIPT_POSTED)
            add_to(&out[CRD_GL_BANK], r->amount);
    }
}

static const char *compare(const book *b, const side *s) {
    static const struct {
        uint32_t role;
        const char *name;
    } tied[] = {{CRD_GL_RECEIVABLE, "receivable"}, {CRD_GL_DEPOSITS, "deposits"}, {CRD_GL_CREDITS, "credits"},
                {CRD_GL_BANK, "bank"}, {CRD_GL_OUTSIDE, "outside"}, {CRD_GL_BAD_DEBT, "losses"}};
    int64_t expected[CRD_GL_ROLES];
    expect(b, s, expected);
    for (size_t i = 0; i < sizeof tied / sizeof tied[0]; i++) {
        uint32_t role = tied[i].role;
        int64_t found = s->by_role[role];
        if (role == CRD_GL_BAD_DEBT) {
            add_to(&found, s->by_role[CRD_GL_SMALL]);
            add_to(&found, s->by_role[CRD_GL_DISCOUNT]);
        }
        if (found == expected[role]) continue;
        snprintf(problem, sizeof problem, "%.60s %s: %s is posted as %lld, the records say %lld", s->customer,
                 s->currency, tied[i].name, (long long)found, (long long)expected[role]);
        return problem;
    }
    return NULL;
}

/* ---- after every command ---- */

#define DOCUMENTS 4000

/* What the entries so far say is left of each document, by its number in the book. */
typedef struct past {
    const book *b;
    const side *s;
    int64_t left[DOCUMENTS];
    int64_t open, remaining; /* sums */
} past;

static void set_left(past *k, uint32_t kind, const char *id, int64_t left) {
    for (size_t i = 0; id[0] != '\0' && i < k->b->count && i < DOCUMENTS; i++) {
        const crd_credit_record *c = k->b->items[i].record;
        const crd_invoice_record *v = k->b->items[i].record;
        int found = k->b->items[i].kind != kind        ? 0
                    : kind == CRD_KIND_CREDIT ? same(c->id, id) && same(c->customer, k->s->customer)
                                              : same(v->id, id) && same(v->customer, k->s->customer);
        if (!found) continue;
        *(kind == CRD_KIND_CREDIT ? &k->remaining : &k->open) += left - k->left[i];
        k->left[i] = left;
    }
}

static void see_entry(past *k, const crd_entry_record *e) {
    char texts[8000];
    crd_credit_record c;
    crd_invoice_record v;
    memset(&c, 0, sizeof c);
    memset(&v, 0, sizeof v);
    c.struct_size = sizeof c;
    v.struct_size = sizeof v;
    switch (e->type) {
    case CRD_ENTRY_ISSUE:
        if (crd_record_decode(CRD_KIND_CREDIT, e->image, e->image_size, &c, texts, sizeof texts) != CRD_OK) abort();
        set_left(k, CRD_KIND_CREDIT, e->credit, c.original);
        return;
    case CRD_ENTRY_INVOICE:
        if (crd_record_decode(CRD_KIND_INVOICE, e->image, e->image_size, &v, texts, sizeof texts) != CRD_OK) abort();
        set_left(k, CRD_KIND_INVOICE, e->invoice, v.state == CRD_INVOICE_DRAFT ? 0 : v.total);
        return;
    case CRD_ENTRY_RECEIPT:
    case CRD_ENTRY_RECEIPT_UNDO:
    case CRD_ENTRY_RECEIPT_REVERSE:
    case CRD_ENTRY_RECEIPT_DELETE:
    case CRD_ENTRY_ADJUST:
    case CRD_ENTRY_CUSTOMER:
    case CRD_ENTRY_SWITCHES: return;
    default:
        set_left(k, CRD_KIND_CREDIT, e->credit, e->credit_after);
        set_left(k, CRD_KIND_INVOICE, e->invoice, e->invoice_after);
    }
}

static const char *agree(const past *k, int64_t seq, int64_t receivable, int64_t credit) {
    if (receivable == k->open && -credit == k->remaining) return NULL;
    snprintf(problem, sizeof problem, "%.60s %s after entry %lld: receivable %lld, open %lld; credit %lld, remaining %lld",
             k->s->customer, k->s->currency, (long long)seq, (long long)receivable, (long long)k->open,
             (long long)credit, (long long)k->remaining);
    return problem;
}

/* Walks the journal of one account and its postings side by side. */
static const char *walk(crd_ledger *ledger, const book *b, const side *s) {
    const crd_account_record *a = book_account(b, s->customer, s->currency);
    past *k = calloc(1, sizeof *k);
    crd_posting_spec spec;
    crd_postings *postings = NULL;
    const crd_posting *p = NULL;
    int64_t receivable = 0, credit = 0;
    const char *found = NULL;
    if (k == NULL) abort();
    k->b = b;
    k->s = s;
    memset(&spec, 0, sizeof spec);
    spec.struct_size = sizeof spec;
    spec.customer = s->customer;
    spec.currency = s->currency;
    if (crd_postings_open(ledger, &spec, &postings) != CRD_OK || crd_postings_next(postings, &p) != CRD_OK) {
        found = crd_ledger_error(ledger)->message;
    }
    for (int64_t seq = 1; found == NULL && seq <= a->last_seq; seq++) {
        const crd_entry_record *e = book_entry(b, s->customer, s->currency, seq);
        const crd_entry_record *next = book_entry(b, s->customer, s->currency, seq + 1);
        see_entry(k, e);
        while (p != NULL && p->entry->seq == seq) {
            if (same(p->customer, s->customer)) {
                if (p->role == CRD_GL_RECEIVABLE) receivable += p->amount;
                if (p->role == CRD_GL_DEPOSITS || p->role == CRD_GL_CREDITS) credit += p->amount;
            }
            if (crd_postings_next(postings, &p) != CRD_OK) abort();
        }
        if (next == NULL || next->writer != e->writer || next->command != e->command)
            found = agree(k, seq, receivable, credit);
    }
    crd_postings_close(postings);
    free(k);
    return found;
}

const char *ties_problem(crd_ledger *ledger, const book *b) {
    side *sides = calloc(b->count + 1, sizeof *sides);
    size_t count = 0;
    const char *found;
    if (sides == NULL) abort();
    problem[0] = '\0';
    for (size_t i = 0; i < b->count; i++) {
        const crd_account_record *a = b->items[i].record;
        if (b->items[i].kind != CRD_KIND_ACCOUNT || a->currency[0] == '\0') continue;
        sides[count].customer = a->customer;
        sides[count++].currency = a->currency;
    }
    found = add_postings(ledger, sides, count);
    for (size_t i = 0; found == NULL && i < count; i++) found = compare(b, &sides[i]);
    for (size_t i = 0; found == NULL && i < count && b->count < DOCUMENTS; i++) found = walk(ledger, b, &sides[i]);
    free(sides);
    return found;
}
