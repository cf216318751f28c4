/*
 * Writes the postings of a book in an SQLite file as text: what hledger, Ledger or Beancount read, or the balance of
 * every account.
 *
 *     gl_export hledger|ledger|beancount|balances FILE [CUSTOMER]
 */
#include <credit.h>
#ifndef CREDIT_NO_SQLITE
#include <credit/sqlite.h>
#endif

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int give_up(const char *what, const char *why) {
    fprintf(stderr, "gl_export: %s: %s\n", what, why);
    return EXIT_FAILURE;
}

static int32_t CRD_CALL print_text(void *ctx, const char *text, uint64_t size) {
    (void)ctx;
    return fwrite(text, 1, (size_t)size, stdout) != size;
}

#define SUMS 1000 /* accounts times currencies */
typedef struct sum {
    uint32_t role;
    char currency[4];
    int64_t amount;
} sum;

/* A line per account and currency: account, amount and currency, separated by tabs. Names are the library's. */
static crd_status print_balances(crd_ledger *ledger, const crd_posting_spec *spec) {
    static sum sums[SUMS];
    const char *names[CRD_GL_ROLES] = {NULL};
    static char text[CRD_GL_ROLES][64];
    size_t count = 0;
    crd_postings *postings = NULL;
    const crd_posting *p = NULL;
    crd_status status = crd_postings_open(ledger, spec, &postings);
    while (status == CRD_OK && (status = crd_postings_next(postings, &p)) == CRD_OK && p != NULL) {
        size_t at = 0;
        while (at < count && (sums[at].role != p->role || strcmp(sums[at].currency, p->currency) != 0)) at++;
        if (at == SUMS) break;
        if (at == count) {
            sums[count].role = p->role;
            memcpy(sums[count++].currency, p->currency, 4);
        }
        sums[at].amount += p->amount;
        if (names[p->role] == NULL) {
            snprintf(text[p->role], sizeof text[0], "%s", p->account);
            names[p->role] = text[p->role];
        }
    }
    crd_postings_close(postings);
    for (size_t at = 0; status == CRD_OK && at < count; at++) {
        char amount[CRD_MONEY_TEXT];
        int32_t exponent;
        status = crd_ledger_exponent(ledger, sums[at].currency, &exponent);
        if (status == CRD_OK) status = crd_money_format(sums[at].amount, exponent, amount, sizeof amount);
        if (status == CRD_OK) printf("%s\t%s\t%s\n", names[sums[at].role], amount, sums[at].currency);
    }
    return status;
}

static int export(const crd_storage *storage, const char *path, const char *customer, uint32_t format) {
    crd_posting_spec spec = {.struct_size = sizeof spec, .customer = customer};
    crd_ledger_options options = {.struct_size = sizeof options, .storage = storage};
    crd_ledger *ledger = NULL;
    crd_status status = crd_ledger_open(&options, &ledger);
    if (status == CRD_OK && format == 0) status = print_balances(ledger, &spec);
    if (status == CRD_OK && format != 0) status = crd_postings_export(ledger, &spec, format, print_text, NULL);
    if (status == CRD_OK && fflush(stdout) != 0) status = CRD_E_CANCELLED;
    if (status != CRD_OK) give_up(path, ledger != NULL ? crd_ledger_error(ledger)->message : crd_status_text(status));
    crd_ledger_close(ledger);
    return status == CRD_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int export_file(const char *path, const char *customer, uint32_t format) {
    FILE *file = fopen(path, "rb"); /* a book that is not there is not to be made */
    int result = EXIT_FAILURE;
    if (file == NULL) return give_up(path, "cannot be read");
    fclose(file);
#ifdef CREDIT_NO_SQLITE
    (void)export;
    give_up(path, "this program was built without SQLite");
    (void)customer, (void)format;
#else
    crd_sqlite *sqlite = NULL;
    if (crd_sqlite_open(path, 0, &sqlite) == CRD_OK)
        result = export(crd_sqlite_storage(sqlite), path, customer, format);
    else
        give_up(path, sqlite != NULL ? crd_sqlite_message(sqlite) : "cannot be opened");
    crd_sqlite_close(sqlite);
#endif
    return result;
}

int main(int argc, char **argv) {
    static const char *const formats[] = {"balances", "hledger", "ledger", "beancount"};
    uint32_t format = 0;
    while (argc >= 3 && format < 4 && strcmp(argv[1], formats[format]) != 0) format++;
    if (argc < 3 || argc > 4 || format == 4) {
        fprintf(stderr, "usage: gl_export hledger|ledger|beancount|balances FILE [CUSTOMER]\n");
        return 2;
    }
    return export_file(argv[2], argc == 4 ? argv[3] : NULL, format);
}
