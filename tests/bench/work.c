/*
 * The book W(C,K,N), time, and the report. See work.h.
 */
#define _POSIX_C_SOURCE 200809L

#include "work.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define UNIT 500 /* documents in one unit while filling: twice as many accounts are guarded */

double bench_now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

void bench_fail(const char *what) {
    fprintf(stderr, "bench: %s\n", what);
    exit(EXIT_FAILURE);
}

void bench_check(crd_ledger *ledger, crd_status status, const char *what) {
    if (status == CRD_OK) return;
    fprintf(stderr, "bench: %s: %s: %s\n", what, crd_status_name(status), crd_ledger_error(ledger)->message);
    exit(EXIT_FAILURE);
}

void *bench_take(uint64_t size) {
    void *block = malloc((size_t)size);
    if (block == NULL) bench_fail("out of memory");
    return block;
}

crd_request bench_request(void) {
    crd_request request;
    memset(&request, 0, sizeof request);
    request.struct_size = sizeof request;
    request.actor = "bench";
    request.instant = INSTANT;
    return request;
}

crd_ledger *bench_open(const crd_storage *storage, const crd_allocator *allocator) {
    crd_ledger_options options;
    crd_ledger *ledger = NULL;
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    options.storage = storage;
    options.allocator = allocator;
    if (crd_ledger_open(&options, &ledger) != CRD_OK) bench_fail("the ledger does not open");
    return ledger;
}

void bench_customer(char *out, uint32_t number) {
    snprintf(out, 16, "C%07u", (unsigned)number);
}

static uint64_t lcg;

static uint32_t draw(uint32_t bound) {
    lcg = lcg * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)((lcg >> 32) % bound);
}

static void add_customers(crd_ledger *ledger, uint32_t customers) {
    crd_request request = bench_request();
    char id[16];
    for (uint32_t c = 0; c < customers; c++) {
        if (c % UNIT == 0) bench_check(ledger, crd_unit_begin(ledger), "begin");
        bench_customer(id, c);
        bench_check(ledger, crd_customer_add(ledger, &request, id, NULL, NULL), "customer");
        if (c % UNIT == UNIT - 1 || c == customers - 1) bench_check(ledger, crd_unit_commit(ledger), "commit");
    }
}

static void add_document(crd_ledger *ledger, const char *customer, uint32_t number, int is_credit) {
    crd_request request = bench_request();
    char id[16];
    int64_t amount = 1 + draw(100000);
    request.business_date = FIRST_DATE + (int32_t)draw(3650);
    snprintf(id, sizeof id, "D%08u", (unsigned)number);
    if (is_credit) {
        crd_credit_terms terms;
        memset(&terms, 0, sizeof terms);
        terms.struct_size = sizeof terms;
        terms.kind = CRD_CREDIT_MEMO;
        terms.currency = "EUR";
        terms.id = id;
        terms.amount = amount;
        terms.reason = "return";
        bench_check(ledger, crd_credit_issue(ledger, &request, customer, &terms, NULL), "issue");
    } else {
        crd_invoice_terms terms;
        memset(&terms, 0, sizeof terms);
        terms.struct_size = sizeof terms;
        terms.kind = draw(8) == 0 ? CRD_INVOICE_FINANCE_CHARGE : CRD_INVOICE_INVOICE;
        terms.currency = "EUR";
        terms.id = id;
        terms.total = amount;
        terms.due = request.business_date + 30;
        bench_check(ledger, crd_invoice_enter(ledger, &request, customer, &terms, NULL), "invoice");
    }
}

void bench_fill(crd_ledger *ledger, uint32_t customers, uint32_t credits, uint32_t invoices) {
    uint32_t given = 0, number = 0;
    char customer[16];
    lcg = 42;
    add_customers(ledger, customers);
    for (uint32_t round = 0; round < credits + invoices; round++) {
        int is_credit = (uint64_t)given * (credits + invoices) < (uint64_t)round * credits || invoices == 0;
        if (round == 0) is_credit = credits > 0;
        if (given == credits) is_credit = 0;
        if (round - given == invoices) is_credit = 1;
        given += (uint32_t)is_credit;
        for (uint32_t c = 0; c < customers; c++, number++) {
            if (number % UNIT == 0) bench_check(ledger, crd_unit_begin(ledger), "begin");
            bench_customer(customer, c);
            add_document(ledger, customer, number, is_credit);
            if (number % UNIT == UNIT - 1) bench_check(ledger, crd_unit_commit(ledger), "commit");
        }
    }
    if (number % UNIT != 0) bench_check(ledger, crd_unit_commit(ledger), "commit");
}

void bench_reconcile(crd_ledger *ledger, crd_plan_result *out) {
    crd_request request = bench_request();
    crd_plan_spec spec;
    memset(&spec, 0, sizeof spec);
    spec.struct_size = sizeof spec;
    spec.flags = CRD_PLAN_USE_CASH;
    spec.date = RUN_DATE;
    memset(out, 0, sizeof *out);
    out->struct_size = sizeof *out;
    bench_check(ledger, crd_reconcile(ledger, &request, &spec, out), "reconcile");
}

uint32_t bench_customers(uint32_t documents) {
    const char *given = getenv("BENCH_DOCUMENTS");
    if (given != NULL && atol(given) >= 20) documents = (uint32_t)atol(given);
    return documents / 20;
}

static int compare(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

double bench_median(double *figures, int count) {
    qsort(figures, (size_t)count, sizeof *figures, compare);
    return figures[count / 2];
}

void bench_report(const char *name, double ours, double reference, const char *unit) {
    const char *path = getenv("BENCH_JSON");
    FILE *file = path != NULL ? fopen(path, "a") : NULL;
    double ratio = reference > 0 ? ours / reference : 0;
    printf("%-44s %12.1f %12.1f %-16s %6.3f\n", name, ours, reference, unit, ratio);
    fflush(stdout);
    if (path != NULL && file == NULL) bench_fail("BENCH_JSON cannot be written");
    if (file == NULL) return;
    fprintf(file, "{\"name\":\"%s\",\"ours\":%.3f,\"reference\":%.3f,\"unit\":\"%s\",\"ratio\":%.4f}\n", name, ours,
            reference, unit, ratio);
    fclose(file);
}
