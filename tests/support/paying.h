/*
 * Words for receipts: one as it is written on paper, a line after the other.
 */
#ifndef TEST_PAYING_H
#define TEST_PAYING_H

#include "support/world.h"

#define PAYING_LINES 12

typedef struct paying {
    crd_receipt_terms terms;
    crd_receipt_line line[PAYING_LINES];
    const crd_receipt_line *lines[PAYING_LINES];
} paying;

/* A receipt of an amount in EUR; its lines follow, each in the place of the last. */
paying *receive(const char *id, int64_t amount);
paying *pays(paying *p, const char *invoice, int64_t amount);
paying *uses(paying *p, const char *credit, int64_t amount);
paying *pair(paying *p, const char *credit, const char *invoice, int64_t amount);
paying *discount(paying *p, const char *invoice, int64_t amount);
paying *with(paying *p, uint32_t flags);
crd_status try_enter(crd_ledger *ledger, const crd_request *request, const char *customer, const paying *p,
                     crd_result *out);
/* Enters it, checks the book, gives the range of entries and what was applied. */
crd_result enter(world *w, const char *customer, const paying *p, int day);

crd_receipt *find_receipt(crd_ledger *ledger, const char *customer, const char *id);
crd_status try_reverse(crd_ledger *ledger, const crd_request *request, const char *customer, const char *id,
                       uint32_t flags, crd_result *out);
crd_result reverse(world *w, const char *customer, const char *id, int day);
crd_receipt_record stored_receipt(world *w, const char *customer, const char *id);

#endif
