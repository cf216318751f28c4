/*
 * A small host, such as the first one somebody writes: a book with one customer, one credit, one invoice; applied and
 * verified. C99 and C++11. Built against installed trees by tests/build/install.sh and make consumers; CONSUMER_… say
 * which of the libraries beside libcredit to use as well. Prints one line; exit status 1 when something is wrong.
 */
#include <credit.h>

#include <stdio.h>
#include <string.h>

#ifdef CONSUMER_SQLITE
#ifndef CRD_WITH_SQLITE /* of the amalgamation, whose credit.h has it */
#include <credit/sqlite.h>
#endif
#endif

#ifdef CONSUMER_POSTGRES
#include <credit/postgres.h>
#endif

#ifdef CONSUMER_TESTKIT
#include <credit/testkit.h>
#endif

/* What the customer owes in the end; -1: a call failed. */
static int keep_book(const crd_storage *storage) {
    crd_ledger_options options;
    crd_request by;
    crd_credit_terms memo;
    crd_invoice_terms bill;
    crd_apply_terms all;
    crd_ledger *ledger = NULL;
    crd_credit *credit = NULL;
    crd_invoice *invoice = NULL;
    int owes = -1;

    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    options.storage = storage;
    memset(&by, 0, sizeof by);
    by.struct_size = sizeof by;
    by.actor = "till 1";
    by.instant = INT64_C(1795420417000000);
    memset(&memo, 0, sizeof memo);
    memo.struct_size = sizeof memo;
    memo.kind = CRD_CREDIT_MEMO;
    memo.currency = "EUR";
    memo.amount = 4500;
    memo.reason = "two chairs returned";
    memset(&bill, 0, sizeof bill);
    bill.struct_size = sizeof bill;
    bill.kind = CRD_INVOICE_INVOICE;
    bill.currency = "EUR";
    bill.total = 12000;
    memset(&all, 0, sizeof all);
    all.struct_size = sizeof all;
    all.flags = CRD_APPLY_CLAMP;

    if (crd_ledger_open(&options, &ledger) == CRD_OK && crd_customer_add(ledger, &by, "ACME", NULL, NULL) == CRD_OK &&
        crd_credit_issue(ledger, &by, "ACME", &memo, &credit) == CRD_OK &&
        crd_invoice_enter(ledger, &by, "ACME", &bill, &invoice) == CRD_OK &&
        crd_credit_apply(ledger, &by, credit, invoice, &all, NULL) == CRD_OK &&
        crd_ledger_verify(ledger, NULL, NULL) == CRD_OK) {
        owes = (int)crd_invoice_get(invoice)->open;
    }
    crd_credit_free(credit);
    crd_invoice_free(invoice);
    crd_ledger_close(ledger);
    return owes;
}

static int failed(const char *what) {
    printf("consumer: %s\n", what);
    return 1;
}

int main(void) {
    crd_memory *memory = NULL;
    int owes;

    if (crd_version() != CRD_VERSION) return failed("headers and library are of two versions");
    if (crd_memory_new(NULL, &memory) != CRD_OK) return failed("no storage in memory");
    owes = keep_book(crd_memory_storage(memory));
    crd_memory_free(memory);
    printf("libcredit %s: ACME still owes %d cents", crd_version_text(), owes);
#ifdef CONSUMER_SQLITE
    {
        crd_sqlite *file = NULL;
        if (crd_sqlite_open(":memory:", 0, &file) != CRD_OK) return failed("no storage in SQLite");
        printf(", sqlite %d", keep_book(crd_sqlite_storage(file)));
        crd_sqlite_close(file);
    }
#endif
#ifdef CONSUMER_POSTGRES
    {
        crd_postgres *server = NULL; /* there is none, and that is for libpq to say */
        if (crd_postgres_open("host=/nowhere", NULL, &server) != CRD_E_STORAGE) return failed("a server at nowhere");
        printf(", postgres asked");
        crd_postgres_close(server);
    }
#endif
#ifdef CONSUMER_TESTKIT
    {
        crd_audit *audit = NULL;
        if (crd_memory_new(NULL, &memory) != CRD_OK ||
            crd_audit_new(crd_memory_storage(memory), CRD_AUDIT_READ_BACK, NULL, NULL, NULL, &audit) != CRD_OK) {
            return failed("no audit");
        }
        printf(", audited %d, %d findings", keep_book(crd_audit_storage(audit)), (int)crd_audit_findings(audit));
        crd_audit_free(audit);
        crd_memory_free(memory);
    }
#endif
    printf("\n");
    return owes == 7500 ? 0 : 1;
}
