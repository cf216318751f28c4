/*
 * Words for how an invoice changes: lines, revision, return, reversal, write-off. Beside world.h.
 */
#ifndef TEST_CHANGE_H
#define TEST_CHANGE_H

#include "support/world.h"

#include <string.h>

static inline crd_line_terms line_terms(const char *sku, int64_t quantity, int64_t amount) {
    crd_line_terms l;
    memset(&l, 0, sizeof l);
    l.struct_size = sizeof l;
    l.sku = sku;
    l.text = "in words";
    l.quantity = quantity * 1000;
    l.unit_price = quantity > 0 ? amount * 1000 / quantity : 0;
    l.amount = amount;
    return l;
}

static inline crd_revise_terms revise_terms(int64_t total) {
    crd_revise_terms t;
    memset(&t, 0, sizeof t);
    t.struct_size = sizeof t;
    t.total = total;
    return t;
}

/* An invoice of three lines: 5 of A for 500, 2 of B for 300, 1 of C for 200. */
static inline crd_invoice *lined_invoice(world *w, const char *who, const char *id, int day) {
    crd_line_terms l[3] = {line_terms("A", 5, 500), line_terms("B", 2, 300), line_terms("C", 1, 200)};
    const crd_line_terms *list[3] = {&l[0], &l[1], &l[2]};
    crd_invoice_terms t = invoice_terms(id, 1000);
    crd_invoice *out = NULL;
    t.lines = list;
    t.line_count = 3;
    OK(w, crd_invoice_enter(w->ledger, on(day), who, &t, &out));
    if (!w->careless) world_check(w);
    return out;
}

static inline crd_credit_terms return_terms(const char *id, const char *invoice, int64_t amount) {
    crd_credit_terms t = credit_terms(id, CRD_CREDIT_MEMO, amount);
    t.flags = CRD_ISSUE_RETURN;
    t.origin = invoice;
    return t;
}

static inline crd_credit *give_back(world *w, const char *who, const char *id, const char *invoice, int64_t amount,
                                    int day) {
    crd_credit_terms t = return_terms(id, invoice, amount);
    crd_credit *out = NULL;
    OK(w, crd_credit_issue(w->ledger, on(day), who, &t, &out));
    if (!w->careless) world_check(w);
    return out;
}

static inline crd_result revise(world *w, crd_invoice *invoice, int64_t total, int day) {
    crd_revise_terms t = revise_terms(total);
    crd_result r = result_block();
    OK(w, crd_invoice_revise(w->ledger, on(day), invoice, &t, &r));
    if (!w->careless) world_check(w);
    return r;
}

static inline int64_t write_off(world *w, crd_invoice *invoice, int64_t amount, uint32_t cause, int day) {
    crd_result r = result_block();
    OK(w, crd_invoice_write_off(w->ledger, on(day), invoice, amount, cause, &r));
    if (!w->careless) world_check(w);
    return r.first_seq;
}

#endif
