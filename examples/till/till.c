/*
 * A till that takes returned goods and store credit, with the library vendored as two files and its own journal.
 *
 *   till FILE [LINES]     commands, one a line, from LINES or the standard input:
 *
 *     day 2026-11-23
 *     customer C NAME              opens an account for a customer
 *     sale NUMBER C CENTS          sells on account
 *     cash NUMBER C CENTS          takes money, which pays the oldest sales
 *     return NUMBER C CENTS WHY    takes goods back for store credit
 *     use CREDIT SALE C CENTS      pays a sale with store credit
 *     show C                       what they owe and what credit they have
 *
 * Each line is sent with a request key made of its number: after a power cut the same lines are simply sent again.
 */
#include "journal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CURRENCY "EUR"

typedef struct till {
    crd_ledger *ledger;
    crd_request by;
    char key[32];
} till;

static crd_status sale(till *t, const char *number, const char *customer, int64_t cents) {
    crd_invoice_terms terms;
    memset(&terms, 0, sizeof terms);
    terms.struct_size = sizeof terms;
    terms.kind = CRD_INVOICE_INVOICE;
    terms.currency = CURRENCY;
    terms.id = number;
    terms.total = cents;
    return crd_invoice_enter(t->ledger, &t->by, customer, &terms, NULL);
}

static crd_status take_cash(till *t, const char *number, const char *customer, int64_t cents) {
    crd_receipt_terms terms;
    memset(&terms, 0, sizeof terms);
    terms.struct_size = sizeof terms;
    terms.currency = CURRENCY;
    terms.id = number;
    terms.amount = cents;
    terms.flags = CRD_RECEIPT_DISTRIBUTE | CRD_RECEIPT_EXCESS_TO_CREDIT;
    return crd_receipt_enter(t->ledger, &t->by, customer, &terms, NULL, NULL);
}

static crd_status take_back(till *t, const char *number, const char *customer, int64_t cents, const char *why) {
    crd_credit_terms terms;
    memset(&terms, 0, sizeof terms);
    terms.struct_size = sizeof terms;
    terms.kind = CRD_CREDIT_MEMO;
    terms.currency = CURRENCY;
    terms.id = number;
    terms.amount = cents;
    terms.reason = why;
    return crd_credit_issue(t->ledger, &t->by, customer, &terms, NULL);
}

static crd_status use(till *t, const char *credit_id, const char *sale_id, const char *customer, int64_t cents) {
    crd_apply_terms terms;
    crd_credit *credit = NULL;
    crd_invoice *invoice = NULL;
    crd_status status = crd_credit_find(t->ledger, customer, credit_id, &credit);
    memset(&terms, 0, sizeof terms);
    terms.struct_size = sizeof terms;
    terms.amount = cents;
    if (status == CRD_OK) status = crd_invoice_find(t->ledger, customer, sale_id, &invoice);
    if (status == CRD_OK) status = crd_credit_apply(t->ledger, &t->by, credit, invoice, &terms, NULL);
    crd_credit_free(credit);
    crd_invoice_free(invoice);
    return status;
}

static crd_status show(till *t, const char *customer) {
    crd_balance balance;
    crd_status status;
    memset(&balance, 0, sizeof balance);
    balance.struct_size = sizeof balance;
    status = crd_customer_balance(t->ledger, customer, CURRENCY, t->by.business_date, &balance);
    if (status == CRD_OK)
        printf("%s owes %lld, has credit of %lld\n", customer, (long long)balance.outstanding,
               (long long)balance.available);
    return status;
}

/* One line; a refusal is told and the till goes on. */
static crd_status obey(till *t, char *line) {
    char a[64], b[64], c[64], text[200] = "";
    long long cents;
    if (sscanf(line, "day %63s", a) == 1) {
        crd_status status = crd_date_from_text(a, &t->by.business_date);
        t->by.instant = ((int64_t)t->by.business_date * 86400 + 43200) * 1000000;
        return status;
    }
    if (sscanf(line, "customer %63s %199[^\n]", a, text) >= 1) {
        crd_customer_terms terms;
        memset(&terms, 0, sizeof terms);
        terms.struct_size = sizeof terms;
        terms.name = text;
        return crd_customer_add(t->ledger, &t->by, a, &terms, NULL);
    }
    if (sscanf(line, "sale %63s %63s %lld", a, b, &cents) == 3) return sale(t, a, b, cents);
    if (sscanf(line, "cash %63s %63s %lld", a, b, &cents) == 3) return take_cash(t, a, b, cents);
    if (sscanf(line, "return %63s %63s %lld %199[^\n]", a, b, &cents, text) == 4) return take_back(t, a, b, cents, text);
    if (sscanf(line, "use %63s %63s %63s %lld", a, b, c, &cents) == 4) return use(t, a, b, c, cents);
    if (sscanf(line, "show %63s", a) == 1) return show(t, a);
    printf("not understood: %s", line);
    return CRD_OK;
}

static int work(crd_ledger *ledger, FILE *lines) {
    till t;
    char line[400];
    int number = 0;
    memset(&t, 0, sizeof t);
    t.ledger = ledger;
    t.by.struct_size = sizeof t.by;
    t.by.actor = "till 1";
    t.by.key = t.key;
    while (fgets(line, sizeof line, lines) != NULL) {
        snprintf(t.key, sizeof t.key, "line %d", ++number);
        if (line[0] != '\n' && obey(&t, line) != CRD_OK)
            printf("line %d refused: %s\n", number, crd_ledger_error(ledger)->message);
    }
    return crd_ledger_verify(ledger, NULL, NULL) == CRD_OK ? 0 : 1;
}

int main(int argc, char **argv) {
    const char *why = NULL, *cut = getenv("TILL_CUT");
    journal *j = argc > 1 ? journal_open(argv[1], &why) : NULL;
    FILE *lines = j != NULL && argc > 2 ? fopen(argv[2], "r") : stdin;
    crd_ledger_options options;
    crd_ledger *ledger = NULL;
    int status = 1;
    if (cut != NULL) journal_cut = atol(cut);
    if (j == NULL || lines == NULL) {
        if (j == NULL && argc > 1) fprintf(stderr, "till: %s %s\n", argv[1], why);
        else fprintf(stderr, "usage: till FILE [LINES]\n");
        journal_close(j);
        return 2;
    }
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    options.storage = journal_storage(j);
    if (crd_ledger_open(&options, &ledger) == CRD_OK) status = work(ledger, lines);
    crd_ledger_close(ledger);
    journal_close(j);
    if (lines != stdin) fclose(lines);
    return status;
}
