/*
 * Reconcile in memory: ours through the public API, and what one would write by hand (goal P2).
 *
 * Shared by bench_memory.c, which measures the library as it is, and bench_memory_nohash.c, which measures it with
 * the journal's hash taken out.
 */
#ifndef BENCH_MEMORY_WORK_H
#define BENCH_MEMORY_WORK_H

#include "work.h"

/* A new book W(customers, each, each) in memory, to be freed with crd_memory_free(). */
crd_memory *bench_memory_book(uint32_t customers, uint32_t each);

/* Reconciles a book by hand and through the library, in nanoseconds per application. Ends the program unless both
 * found the same applications. Returns their number. */
uint64_t bench_reconcile_pair(crd_memory *book, double *ours, double *theirs);

#endif
