/*
 * What the ledger's benchmarks share: the book W(C,K,N), time, and how a goal is reported.
 *
 * The book: C customers with K credits and N invoices each, arriving interleaved over the customers; amounts of 1 to
 * 100000 cents, dates within 3650 days, one invoice in eight a finance charge; a fixed seed.
 */
#ifndef BENCH_WORK_H
#define BENCH_WORK_H

#include <credit.h>

#define ROUNDS 5
#define FIRST_DATE 10000
#define RUN_DATE (FIRST_DATE + 3650)
#define INSTANT INT64_C(1700000000000000)

double bench_now(void); /* nanoseconds */
void bench_check(crd_ledger *ledger, crd_status status, const char *what); /* ends the program on an error */
void bench_fail(const char *what);
void *bench_take(uint64_t size);
crd_request bench_request(void);
crd_ledger *bench_open(const crd_storage *storage, const crd_allocator *allocator);
void bench_fill(crd_ledger *ledger, uint32_t customers, uint32_t credits, uint32_t invoices);
void bench_reconcile(crd_ledger *ledger, crd_plan_result *out);
void bench_customer(char *out, uint32_t number); /* id of a customer; 16 bytes */
/* Size of the work: C = documents / 20, from BENCH_DOCUMENTS, or what is given. */
uint32_t bench_customers(uint32_t documents);
double bench_median(double *figures, int count);
/* Prints name, ours, reference and ratio, and appends them to the file that BENCH_JSON names. */
void bench_report(const char *name, double ours, double reference, const char *unit);

#endif
