/*
 * One customer's reconcile (goals P8, P9), on the storage that STORE names: how many calls of the storage it takes, and
 * what it costs in a large book, held against a small one. Each customer has ten credits and ten invoices in either.
 *
 * The small book has 10^4 documents, the large one 10^6; with BENCH_LONG in the environment 10^7. BENCH_DOCUMENTS says
 * another size of the small one; the large one is a hundred times that, or a thousand. Small and large take turns.
 */
#define _XOPEN_SOURCE 700

#include "work.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef CREDIT_NO_SQLITE
#include <credit/sqlite.h>
#endif
#ifndef CREDIT_NO_POSTGRES
#include <credit/postgres.h>
#include <libpq-fe.h>
#endif

#define CUSTOMERS 200 /* reconciled in each book, spread over it */

/* A book and the calls that were made on it. */
typedef struct book {
    const char *store, *name;
    char path[600];
    void *handle;
    const crd_storage *inner;
    crd_storage counted;
    crd_ledger *ledger;
    uint32_t customers;
    uint64_t reads, writes;
} book;

static void CRD_CALL count_read(void *ctx, const crd_query *query, crd_emit emit, void *sink, crd_read_result *out) {
    book *b = ctx;
    b->reads++;
    b->inner->read(b->inner->ctx, query, emit, sink, out);
}

static void CRD_CALL count_write(void *ctx, const crd_batch *batch, crd_write_result *out) {
    book *b = ctx;
    b->writes++;
    b->inner->write(b->inner->ctx, batch, out);
}

static uint32_t CRD_CALL inner_flags(void *ctx) {
    const book *b = ctx;
    return b->inner->flags_now != NULL ? b->inner->flags_now(b->inner->ctx) : b->inner->flags;
}

static uint64_t CRD_CALL inner_writer(void *ctx) {
    const book *b = ctx;
    return b->inner->new_writer(b->inner->ctx);
}

/* ---- where it lies ---- */

#ifndef CREDIT_NO_SQLITE
static void remove_file(const book *b) {
    static const char *const ends[] = {"", "-wal", "-shm"};
    char name[700];
    for (size_t i = 0; i < 3; i++) {
        snprintf(name, sizeof name, "%s%s", b->path, ends[i]);
        (void)remove(name);
    }
}

static void open_sqlite(book *b) {
    const char *scratch = getenv("BENCH_DIR");
    crd_sqlite *sqlite = NULL;
    snprintf(b->path, sizeof b->path, "%s/bench-one-%s.db", scratch != NULL ? scratch : "build", b->name);
    remove_file(b);
    if (crd_sqlite_open(b->path, 0, &sqlite) != CRD_OK) bench_fail("cannot make the book");
    b->inner = crd_sqlite_storage(sqlite);
    b->handle = sqlite;
}
#endif

#ifndef CREDIT_NO_POSTGRES
static void by_hand(const char *sql, const char *name) {
    PGconn *conn = PQconnectdb(getenv("CREDIT_TEST_CONNINFO"));
    char statement[200];
    snprintf(statement, sizeof statement, sql, name);
    PQclear(PQexec(conn, "SET client_min_messages = error"));
    PQclear(PQexec(conn, statement));
    PQfinish(conn);
}

static void open_postgres(book *b) {
    crd_postgres *postgres = NULL;
    crd_postgres_options options;
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    options.schema = b->name;
    by_hand("DROP SCHEMA IF EXISTS %s CASCADE", b->name);
    if (crd_postgres_open(getenv("CREDIT_TEST_CONNINFO"), &options, &postgres) != CRD_OK)
        bench_fail("cannot make the book");
    b->inner = crd_postgres_storage(postgres);
    b->handle = postgres;
}
#endif

static void open_memory(book *b) {
    crd_memory *memory = NULL;
    if (crd_memory_new(NULL, &memory) != CRD_OK) bench_fail("out of memory");
    b->inner = crd_memory_storage(memory);
    b->handle = memory;
}

/* Filled, and with the ledger open. */
static void make(book *b, const char *store, const char *name, uint32_t customers) {
    memset(b, 0, sizeof *b);
    b->store = store;
    b->name = name;
    b->customers = customers;
    if (strcmp(store, "memory") == 0) open_memory(b);
#ifndef CREDIT_NO_SQLITE
    if (strcmp(store, "sqlite") == 0) open_sqlite(b);
#endif
#ifndef CREDIT_NO_POSTGRES
    if (strcmp(store, "postgres") == 0) open_postgres(b);
#endif
    b->counted = *b->inner;
    b->counted.ctx = b;
    b->counted.read = count_read;
    b->counted.write = count_write;
    b->counted.close = NULL;
    b->counted.flags_now = inner_flags;
    b->counted.new_writer = b->inner->new_writer != NULL ? inner_writer : NULL;
    b->ledger = bench_open(&b->counted, NULL);
    bench_fill(b->ledger, customers, 10, 10);
#ifndef CREDIT_NO_POSTGRES
    if (strcmp(store, "postgres") == 0)
        for (size_t n = 0; n < 4; n++) {
            static const char *const tables[] = {"account", "credit", "invoice", "entry"};
            char sql[100];
            snprintf(sql, sizeof sql, "VACUUM ANALYZE %%s.crd_%s", tables[n]);
            by_hand(sql, name);
        }
#endif
    b->reads = b->writes = 0;
}

static void drop(book *b) {
    crd_ledger_close(b->ledger);
    if (strcmp(b->store, "memory") == 0) crd_memory_free(b->handle);
#ifndef CREDIT_NO_SQLITE
    if (strcmp(b->store, "sqlite") == 0) {
        crd_sqlite_close(b->handle);
        remove_file(b);
    }
#endif
#ifndef CREDIT_NO_POSTGRES
    if (strcmp(b->store, "postgres") == 0) {
        crd_postgres_close(b->handle);
        by_hand("DROP SCHEMA IF EXISTS %s CASCADE", b->name);
    }
#endif
}

/* ---- one customer ---- */

static double reconcile_one(book *b, uint32_t number) {
    char id[16];
    const char *customers[1] = {id};
    crd_request request = bench_request();
    crd_plan_result result;
    crd_plan_spec spec;
    double start;
    memset(&spec, 0, sizeof spec);
    memset(&result, 0, sizeof result);
    spec.struct_size = sizeof spec;
    result.struct_size = sizeof result;
    spec.flags = CRD_PLAN_USE_CASH;
    spec.date = RUN_DATE;
    spec.customers = customers;
    spec.customer_count = 1;
    bench_customer(id, number);
    start = bench_now();
    bench_check(b->ledger, crd_reconcile(b->ledger, &request, &spec, &result), "reconcile");
    start = bench_now() - start;
    if (result.posted != 1) bench_fail("a customer had nothing to reconcile");
    return start / 1000;
}

int main(void) {
    static double small_took[CUSTOMERS], large_took[CUSTOMERS];
    const char *store = getenv("STORE"), *only = getenv("BENCH_ONLY");
    uint32_t customers = bench_customers(10000), times = getenv("BENCH_LONG") != NULL ? 1000 : 100;
    char title[100];
    book small, large;
    if (only != NULL && strcmp(only, "one") != 0) return 0;
    if (store == NULL || store[0] == '\0') store = "memory";
    if (strcmp(store, "postgres") == 0 && getenv("CREDIT_TEST_CONNINFO") == NULL) return 0; /* bench_postgres says so */
    if (customers < CUSTOMERS) customers = CUSTOMERS;
    make(&small, store, "bench_small", customers);
    make(&large, store, "bench_large", customers * times);
    for (uint32_t i = 0; i < CUSTOMERS; i++) {
        small_took[i] = reconcile_one(&small, i * (small.customers / CUSTOMERS));
        large_took[i] = reconcile_one(&large, i * (large.customers / CUSTOMERS));
    }
    bench_report("P8 reads per customer's reconcile, goal", (double)large.reads / CUSTOMERS, 1, "calls");
    bench_report("P8 writes per customer's reconcile, goal", (double)large.writes / CUSTOMERS, 1, "calls");
    snprintf(title, sizeof title, "P9 one customer, in a book %u times as large", (unsigned)times);
    bench_report(title, bench_median(large_took, CUSTOMERS), bench_median(small_took, CUSTOMERS), "us/customer");
    drop(&small);
    drop(&large);
    return 0;
}
