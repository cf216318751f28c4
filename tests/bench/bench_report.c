/*
 * Reports (goal P10): the aging of 10^6 open items in memory, against the 0.5 s it may take; and statements on SQLite,
 * against hand-written SQL on the same file.
 *
 * The statement by hand is what one would write for these tables: one query for the entries of the account up to the
 * last day, with the documents they name, and one for credit that has expired by then; it keeps the texts and figures
 * of its rows, and adds up the balance before the first day. All must come to the same rows and the same balance. There
 * are two: *needed columns* reads what it prints; *whole rows* reads every column of the entries and the documents, as
 * the contract with a storage does, so that a row may carry its records.
 */
#include "work.h"

#ifndef CREDIT_NO_SQLITE
#include <credit/sqlite.h>
#include <sqlite3.h>
#endif

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- aging, in memory ---- */

static double age(crd_ledger *ledger, int32_t date, uint64_t *rows) {
    crd_report_spec spec;
    crd_report *report = NULL;
    const crd_row *row;
    int64_t balance = 0;
    double start = bench_now();
    memset(&spec, 0, sizeof spec);
    spec.struct_size = sizeof spec;
    spec.report = CRD_REPORT_AGING;
    spec.date = date;
    *rows = 0;
    bench_check(ledger, crd_report_open(ledger, &spec, &report), "aging");
    for (;;) {
        bench_check(ledger, crd_report_next(report, &row), "aging");
        if (row == NULL) break;
        balance += row->amount;
        *rows += 1;
    }
    crd_report_close(report);
    if (balance == 0) bench_fail("nothing has aged");
    return bench_now() - start;
}

static void bench_aging(void) {
    uint32_t customers = bench_customers(1000000);
    crd_memory *memory = NULL;
    crd_ledger *ledger;
    double ours[ROUNDS];
    uint64_t rows;
    if (crd_memory_new(NULL, &memory) != CRD_OK) bench_fail("no memory");
    ledger = bench_open(crd_memory_storage(memory), NULL);
    bench_fill(ledger, customers, 10, 10);
    for (int round = 0; round < ROUNDS; round++) {
        ours[round] = age(ledger, RUN_DATE, &rows) / 1e6;
        if (rows != customers) bench_fail("an account is missing");
    }
    bench_report("P10 aging in memory, 10^6 open items", bench_median(ours, ROUNDS), 500.0 * customers / 50000, "ms");
    crd_ledger_close(ledger);
    crd_memory_free(memory);
}

/* ---- statements, on SQLite ---- */

#ifndef CREDIT_NO_SQLITE
#define FROM_DATE (FIRST_DATE + 3000)
#define TO_DATE (FIRST_DATE + 3600)

typedef struct statement {
    uint64_t rows;
    int64_t opening, closing;
    uint64_t bytes; /* of what is to be printed */
} statement;

static uint64_t length(const char *text) {
    return text != NULL ? strlen(text) : 0;
}

static void ours(crd_ledger *ledger, const char *customer, statement *out) {
    crd_report_spec spec;
    crd_report *report = NULL;
    const crd_row *row;
    memset(&spec, 0, sizeof spec);
    spec.struct_size = sizeof spec;
    spec.report = CRD_REPORT_STATEMENT;
    spec.customer = customer;
    spec.currency = "EUR";
    spec.date_from = FROM_DATE;
    spec.date = TO_DATE;
    bench_check(ledger, crd_report_open(ledger, &spec, &report), "statement");
    for (;;) {
        bench_check(ledger, crd_report_next(report, &row), "statement");
        if (row == NULL) break;
        if (row->line == CRD_LINE_OPENING) out->opening += row->balance;
        if (row->line == CRD_LINE_CLOSING) out->closing += row->balance;
        if (row->entry == NULL) continue;
        out->rows++;
        out->bytes += length(row->id) + length(row->entry->note) +
                      (row->credit != NULL ? length(row->credit->reason) + length(row->credit->reference) : 0) +
                      (row->invoice != NULL ? length(row->invoice->text) + length(row->invoice->reference) : 0);
    }
    crd_report_close(report);
}

static sqlite3 *db;
static sqlite3_stmt *entries, *expired, *whole_entries, *whole_credits, *whole_invoices;

static sqlite3_stmt *prepare(const char *sql) {
    sqlite3_stmt *made;
    if (sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, &made, NULL) != SQLITE_OK)
        bench_fail(sqlite3_errmsg(db));
    return made;
}

/* What an entry moves the balance by. The book has memos, invoices and applications between them. */
static int64_t moves(sqlite3_stmt *row) {
    int64_t amount = sqlite3_column_int64(row, 3);
    switch (sqlite3_column_int(row, 1)) {
    case CRD_ENTRY_ISSUE: return -amount;
    case CRD_ENTRY_INVOICE: return amount;
    case CRD_ENTRY_VOID:
    case CRD_ENTRY_EXPIRE: return amount;
    default: return 0;
    }
}

static void theirs(const char *customer, statement *out) {
    static char id[64], text[1024];
    int64_t balance = 0;
    int opened = 0;
    sqlite3_bind_text(entries, 1, customer, -1, SQLITE_STATIC);
    sqlite3_bind_int(entries, 2, TO_DATE);
    while (sqlite3_step(entries) == SQLITE_ROW) {
        int32_t date = sqlite3_column_int(entries, 2);
        int64_t amount = moves(entries);
        if (amount == 0) continue;
        if (date >= FROM_DATE) {
            if (!opened) out->opening += balance;
            opened = 1;
            out->rows++;
            for (int column = 4; column < 11; column++) {
                const unsigned char *value = sqlite3_column_text(entries, column);
                int size = sqlite3_column_bytes(entries, column);
                if (value == NULL || size >= (int)sizeof text) continue;
                memcpy(column < 6 ? id : text, value, (size_t)size < sizeof id || column >= 6 ? (size_t)size : 0);
                out->bytes += column == 5 && sqlite3_column_bytes(entries, 4) > 0 ? 0 : (uint64_t)size;
            }
        }
        balance += amount;
    }
    if (!opened) out->opening += balance;
    sqlite3_reset(entries);
    sqlite3_bind_text(expired, 1, customer, -1, SQLITE_STATIC);
    sqlite3_bind_int(expired, 2, TO_DATE);
    while (sqlite3_step(expired) == SQLITE_ROW) balance += sqlite3_column_int64(expired, 1);
    sqlite3_reset(expired);
    out->closing += balance;
}

/* Every column of every row, each as what it is. */
static uint64_t read_whole(sqlite3_stmt *rows, const char *customer) {
    static char kept[1 << 16];
    uint64_t seen = 0;
    sqlite3_bind_text(rows, 1, customer, -1, SQLITE_STATIC);
    while (sqlite3_step(rows) == SQLITE_ROW) {
        int columns = sqlite3_column_count(rows);
        size_t at = 0;
        seen++;
        for (int i = 0; i < columns; i++) {
            int type = sqlite3_column_type(rows, i);
            int64_t number = type == SQLITE_INTEGER ? sqlite3_column_int64(rows, i) : 0;
            const void *from = type == SQLITE_TEXT ? sqlite3_column_text(rows, i)
                               : type == SQLITE_BLOB ? sqlite3_column_blob(rows, i) : (const void *)&number;
            size_t size = type == SQLITE_INTEGER ? sizeof number : (size_t)sqlite3_column_bytes(rows, i);
            if (from == NULL || at + size > sizeof kept) continue;
            memcpy(kept + at, from, size);
            at += size;
        }
    }
    sqlite3_reset(rows);
    return seen;
}

static void bench_statements(void) {
    enum { CUSTOMERS = 1000 };
    char path[600], customer[16];
    const char *scratch = getenv("BENCH_DIR");
    static const char *const ends[] = {"", "-wal", "-shm"};
    crd_sqlite *storage = NULL;
    crd_ledger *ledger;
    crd_plan_result run;
    double mine[ROUNDS], hand[ROUNDS], whole[ROUNDS], median;
    statement a, b;
    snprintf(path, sizeof path, "%s/statement.%ld.db", scratch != NULL ? scratch : "build", (long)getpid());
    if (crd_sqlite_open(path, 0, &storage) != CRD_OK) bench_fail("cannot open the book");
    ledger = bench_open(crd_sqlite_storage(storage), NULL);
    bench_fill(ledger, CUSTOMERS, 10, 10);
    bench_reconcile(ledger, &run);
    if (sqlite3_open(path, &db) != SQLITE_OK) bench_fail("cannot open the book");
    entries = prepare("SELECT e.seq, e.type, e.business_date, e.amount, e.credit, e.invoice, e.note,"
                      " c.reason, c.reference, i.text, i.reference FROM crd_entry e"
                      " LEFT JOIN crd_credit c ON c.customer = e.customer AND c.id = e.credit"
                      " LEFT JOIN crd_invoice i ON i.customer = e.customer AND i.id = e.invoice"
                      " WHERE e.customer = ? AND e.currency = 'EUR' AND e.business_date <= ?"
                      " ORDER BY e.business_date, e.seq");
    expired = prepare("SELECT id, remaining - held - allocated FROM crd_credit"
                      " WHERE customer = ? AND currency = 'EUR' AND remaining > 0 AND expires <> 0 AND expires <= ?");
    whole_entries = prepare("SELECT * FROM crd_entry WHERE customer = ? AND currency = 'EUR' ORDER BY seq");
    whole_credits = prepare("SELECT * FROM crd_credit WHERE customer = ? AND currency = 'EUR'");
    whole_invoices = prepare("SELECT * FROM crd_invoice WHERE customer = ? AND currency = 'EUR'");
    for (int round = 0; round < ROUNDS; round++) {
        double start = bench_now();
        memset(&a, 0, sizeof a);
        memset(&b, 0, sizeof b);
        for (uint32_t c = 0; c < CUSTOMERS; c++) {
            bench_customer(customer, c);
            ours(ledger, customer, &a);
        }
        mine[round] = (bench_now() - start) / CUSTOMERS / 1000;
        start = bench_now();
        for (uint32_t c = 0; c < CUSTOMERS; c++) {
            bench_customer(customer, c);
            theirs(customer, &b);
        }
        hand[round] = (bench_now() - start) / CUSTOMERS / 1000;
        start = bench_now();
        for (uint32_t c = 0; c < CUSTOMERS; c++) {
            bench_customer(customer, c);
            if (read_whole(whole_entries, customer) < read_whole(whole_credits, customer) + read_whole(whole_invoices, customer))
                bench_fail("entries are missing");
        }
        whole[round] = (bench_now() - start) / CUSTOMERS / 1000;
        if (a.rows != b.rows || a.opening != b.opening || a.closing != b.closing || a.bytes != b.bytes) {
            printf("rows %lu %lu opening %ld %ld closing %ld %ld bytes %lu %lu\n", (unsigned long)a.rows,
                   (unsigned long)b.rows, (long)a.opening, (long)b.opening, (long)a.closing, (long)b.closing,
                   (unsigned long)a.bytes, (unsigned long)b.bytes);
            bench_fail("the statements differ");
        }
    }
    median = bench_median(mine, ROUNDS);
    bench_report("P10 statement on SQLite, whole rows", median, bench_median(whole, ROUNDS), "us/statement");
    bench_report("P10 statement on SQLite, needed columns", median, bench_median(hand, ROUNDS), "us/statement");
    sqlite3_finalize(whole_entries);
    sqlite3_finalize(whole_credits);
    sqlite3_finalize(whole_invoices);
    sqlite3_finalize(entries);
    sqlite3_finalize(expired);
    sqlite3_close(db);
    crd_ledger_close(ledger);
    crd_sqlite_close(storage);
    for (size_t n = 0; n < 3; n++) {
        char name[620];
        snprintf(name, sizeof name, "%s%s", path, ends[n]);
        (void)remove(name);
    }
}
#endif

int main(void) {
    const char *store = getenv("STORE");
    int all = store == NULL || store[0] == '\0';
    if (all || strcmp(store, "memory") == 0) bench_aging();
#ifndef CREDIT_NO_SQLITE
    if (all || strcmp(store, "sqlite") == 0) bench_statements();
#endif
    return 0;
}
