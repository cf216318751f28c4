/*
 * A book to apply in: in each account one large credit and one large invoice, both of the same id.
 */
#ifndef BENCH_PAIRS_H
#define BENCH_PAIRS_H

#include "work.h"

#define BENCH_PAIR_ID "D00000001"
#define BENCH_PAIR_AMOUNT 100000000

void bench_fill_pairs(crd_ledger *ledger, uint32_t count);

#endif
