/*
 * Reconcile in memory: ours through the public API, and what one would write by hand (goal P2).
 *
 * Shared by bench_memory.c, which measures the library as it is, and bench_memory_nohash.c, which measures it with
 * the journal's hash taken out.
 */
#ifndef BENCH_MEMORY_WORK_H
#define BENCH_MEMORY_WORK_H

#include "work.h"

/* One document, as a program without the library would hold it: as small as it gets, since qsort() moves it about. */
typedef struct bench_document {
    uint32_t customer;
    int32_t is_plain; /* invoices: 0 for a finance charge; credits: 0 */
    int32_t date;
    uint32_t number; /* by arrival over both sides; the digits of its id */
    int64_t amount;
} bench_document;

/* The documents of a book in the order of their arrival, read from the book itself. */
typedef struct bench_documents {
    uint32_t customers;
    uint64_t count[2]; /* credits, invoices */
    bench_document *list[2];
} bench_documents;

/* What a run took and found. */
typedef struct bench_run {
    double nanoseconds; /* per application */
    uint64_t applications;
    uint64_t hash; /* of (credit, invoice, amount) in their order */
} bench_run;

/* A new book W(customers, each, each) in memory, to be freed with crd_memory_free(). */
crd_memory *bench_memory_book(uint32_t customers, uint32_t each);

void bench_read_documents(crd_memory *book, bench_documents *out);
void bench_free_documents(bench_documents *documents);

/* Sorted structs and two fingers, writing applications and balances. */
bench_run bench_reconcile_by_hand(const bench_documents *documents);

/* Reconciles the book, and then reads from its journal what was applied. */
bench_run bench_reconcile_memory(crd_memory *book);

/* Ends the program unless both did the same. */
void bench_same(const bench_run *ours, const bench_run *theirs);

#endif
