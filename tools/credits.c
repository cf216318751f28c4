/*
 * credits: look into a book that libcredit keeps in SQLite or PostgreSQL, and reconcile it. See credits(1).
 *
 * An ordinary user of the library: public headers only. What it prints is sheets (sheet.h), whose columns come from the
 * reports and records themselves (columns.h).
 *
 * Invariants:
 * 1. A book is opened read only first. A command that writes opens it again, after that has shown that it is a book of
 *    this version: no command makes a file or a table, or changes one that is there.
 * 2. Options are a table: each has a name, and each command a set of those that mean something to it. Another is
 *    refused, not ignored.
 * 3. What was refused is said on stderr, in the words of the library or the storage; exit statuses are EXIT_….
 */
#include <credit.h>
#ifndef CREDIT_NO_SQLITE
#include <credit/sqlite.h>
#endif
#ifndef CREDIT_NO_POSTGRES
#include <credit/postgres.h>
#endif

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "columns.h"
#include "sheet.h"

enum { EXIT_FINE, EXIT_REFUSED, EXIT_USAGE, EXIT_DAMAGED };

/* ---- options */

enum option {
    STORE, SCHEMA, EXPONENT, JSON, HELP, VERSION, /* of every command */
    AS_OF, KNOWN_AT, FROM, CUSTOMER, CURRENCY, CREDIT, INVOICE, RECEIPT, HOLD, STATE, SOURCE, METHOD, BY, BUCKET,
    COLUMN, CASH, POST, EXPECT, ACTOR, NOTE, CLOSED, OPTIONS
};
#define BIT(option) (UINT32_C(1) << (option))
#define GENERAL (BIT(AS_OF) - 1)
#define WRITING (BIT(AS_OF) | BIT(ACTOR) | BIT(NOTE) | BIT(CLOSED))

static const struct {
    const char *name;
    enum option option;
    int valued;
} option_names[] = {
    {"--store", STORE, 1},       {"--schema", SCHEMA, 1},
    {"--exponent", EXPONENT, 1}, {"--json", JSON, 0},
    {"--help", HELP, 0},         {"--version", VERSION, 0},
    {"--as-of", AS_OF, 1},       {"--to", AS_OF, 1},
    {"--known-at", KNOWN_AT, 1}, {"--from", FROM, 1},
    {"--customer", CUSTOMER, 1}, {"--currency", CURRENCY, 1},
    {"--credit", CREDIT, 1},     {"--invoice", INVOICE, 1},
    {"--receipt", RECEIPT, 1},   {"--hold", HOLD, 1},
    {"--state", STATE, 1},       {"--source", SOURCE, 1},
    {"--method", METHOD, 1},     {"--by", BY, 1},
    {"--buckets", BUCKET, 1},    {"--columns", COLUMN, 1},
    {"--cash", CASH, 0},         {"--post", POST, 0},
    {"--expect", EXPECT, 1},     {"--actor", ACTOR, 1},
    {"--note", NOTE, 1},         {"--closed-through", CLOSED, 1},
};

#define WORDS 6
#define CURRENCIES 16

struct job {
    const char *option[OPTIONS]; /* its value, "" of one without; NULL: not given */
    const char *word[WORDS + 1]; /* what is no option: the command, and what it is about */
    int words;
    int32_t as_of; /* 0: not given */
    crd_currency currency[CURRENCIES];
    char code[CURRENCIES][4];
    uint64_t currencies;
    crd_ledger *ledger;
#ifndef CREDIT_NO_SQLITE
    crd_sqlite *sqlite;
#endif
#ifndef CREDIT_NO_POSTGRES
    crd_postgres *postgres;
#endif
};

static int say(int result, const char *format, ...) {
    va_list arguments;
    fflush(stdout);
    fputs("credits: ", stderr);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputs(result == EXIT_USAGE ? " (credits help tells more)\n" : "\n", stderr);
    return result;
}

/* The library's own words for its last refusal. */
static int refused(struct job *job) {
    const crd_error *error = crd_ledger_error(job->ledger);
    return say(EXIT_REFUSED, "%s (%s)", error->message, crd_status_name(error->code));
}

static int read_option(struct job *job, char **argv, int *at) {
    const char *name = argv[*at], *equals = strchr(name, '=');
    size_t size = equals != NULL ? (size_t)(equals - name) : strlen(name);
    for (size_t i = 0; i < sizeof option_names / sizeof *option_names; i++) {
        enum option option = option_names[i].option;
        if (strlen(option_names[i].name) != size || strncmp(option_names[i].name, name, size) != 0) continue;
        if (job->option[option] != NULL) return say(EXIT_USAGE, "%s is given twice", option_names[i].name);
        if (!option_names[i].valued && equals != NULL)
            return say(EXIT_USAGE, "%s takes no value", option_names[i].name);
        if (!option_names[i].valued)
            job->option[option] = "";
        else if ((job->option[option] = equals != NULL ? equals + 1 : argv[++*at]) == NULL)
            return say(EXIT_USAGE, "a value is missing after %s", name);
        return EXIT_FINE;
    }
    return say(EXIT_USAGE, "there is no option %s", name);
}

static int read_arguments(struct job *job, char **argv) {
    int only_words = 0, result;
    for (int at = 1; argv[at] != NULL; at++) {
        if (!only_words && strcmp(argv[at], "--") == 0) {
            only_words = 1;
        } else if (!only_words && argv[at][0] == '-' && argv[at][1] != '\0') {
            if ((result = read_option(job, argv, &at)) != EXIT_FINE) return result;
        } else {
            if (job->words == WORDS) return say(EXIT_USAGE, "%s is one word too many", argv[at]);
            job->word[job->words++] = argv[at];
        }
    }
    return EXIT_FINE;
}

static int read_date(const struct job *job, enum option option, int32_t *out) {
    *out = CRD_DATE_NONE;
    if (job->option[option] == NULL || crd_date_from_text(job->option[option], out) == CRD_OK) return EXIT_FINE;
    return say(EXIT_USAGE, "%s is no date such as 2026-11-23", job->option[option]);
}

/* An instant as crd_instant_to_text() writes it, with or without the fraction. */
static int read_instant(const struct job *job, int64_t *out) {
    const char *text = job->option[KNOWN_AT], *end = text + 19;
    char day[11] = "", again[CRD_INSTANT_TEXT] = "";
    int32_t date;
    int64_t micros = 0, unit = 100000;
    *out = 0;
    if (text == NULL) return EXIT_FINE;
    if (strlen(text) >= 20 && strlen(text) <= 27) {
        memcpy(day, text, 10);
        if (*end == '.')
            for (end++; *end >= '0' && *end <= '9'; end++, unit /= 10) micros += (*end - '0') * unit;
        if (crd_date_from_text(day, &date) == CRD_OK)
            *out = date * INT64_C(86400000000) + micros +
                   ((text[11] - '0') * INT64_C(36000) + (text[12] - '0') * INT64_C(3600) +
                    (text[14] - '0') * INT64_C(600) + (text[15] - '0') * INT64_C(60) + (text[17] - '0') * INT64_C(10) +
                    (text[18] - '0')) *
                       1000000;
        crd_instant_to_text(*out, again, sizeof again);
        if (strncmp(again, text, 19) == 0 && strcmp(end, "Z") == 0) return EXIT_FINE;
    }
    return say(EXIT_USAGE, "%s is no instant such as 2026-11-23T00:53:37Z", text);
}

/* CODE=N,…: currencies of the host's own. */
static int read_currencies(struct job *job) {
    const char *list = job->option[EXPONENT];
    while (list != NULL && *list != '\0') {
        crd_currency *currency = &job->currency[job->currencies];
        if (job->currencies == CURRENCIES || strlen(list) < 5 || list[3] != '=' || list[4] < '0' || list[4] > '9' ||
            (list[5] != ',' && list[5] != '\0'))
            return say(EXIT_USAGE, "%s is no list of currencies and their decimals such as BGN=2,XYZ=0",
                       job->option[EXPONENT]);
        memcpy(job->code[job->currencies], list, 3);
        currency->struct_size = sizeof *currency;
        currency->code = job->code[job->currencies++];
        currency->exponent = list[4] - '0';
        list += list[5] == ',' ? 6 : 5;
    }
    return EXIT_FINE;
}

/* ---- the book */

static int64_t CRD_CALL clock_of_system(void *ctx) {
    (void)ctx;
    return (int64_t)time(NULL) * 1000000;
}

/* Where the day begins here, in minutes east of UTC. */
static int32_t utc_offset(void) {
    time_t now = time(NULL);
    struct tm here = *localtime(&now), there = *gmtime(&now);
    int days = here.tm_year != there.tm_year ? here.tm_year - there.tm_year : here.tm_yday - there.tm_yday;
    return (int32_t)((days * 24 + here.tm_hour - there.tm_hour) * 60 + here.tm_min - there.tm_min);
}

static const crd_storage *open_sqlite(struct job *job, const char *path, int writes) {
#ifdef CREDIT_NO_SQLITE
    (void)job, (void)path, (void)writes;
    say(EXIT_REFUSED, "this program was built without SQLite");
    return NULL;
#else
    FILE *file = fopen(path, "rb"); /* SQLite has the same words for every file that it cannot open */
    crd_status status;
    if (file == NULL) {
        say(EXIT_REFUSED, "%s: %s", path, strerror(errno));
        return NULL;
    }
    fclose(file);
    status = crd_sqlite_open(path, CRD_SQLITE_READ_ONLY, &job->sqlite);
    if (status == CRD_OK && writes) {
        crd_sqlite_close(job->sqlite);
        status = crd_sqlite_open(path, 0, &job->sqlite);
    }
    if (status == CRD_OK) return crd_sqlite_storage(job->sqlite);
    say(EXIT_REFUSED, "%s: %s (%s)", path,
        job->sqlite != NULL ? crd_sqlite_message(job->sqlite) : crd_status_text(status), crd_status_name(status));
    return NULL;
#endif
}

static const crd_storage *open_postgres(struct job *job, const char *conninfo, int writes) {
#ifdef CREDIT_NO_POSTGRES
    (void)job, (void)conninfo, (void)writes;
    say(EXIT_REFUSED, "this program was built without PostgreSQL");
    return NULL;
#else
    crd_postgres_options options = {.struct_size = sizeof options, .schema = job->option[SCHEMA]};
    crd_status status;
    options.flags = writes ? CRD_POSTGRES_NO_DDL : CRD_POSTGRES_READ_ONLY;
    status = crd_postgres_open(conninfo, &options, &job->postgres);
    if (status == CRD_OK) return crd_postgres_storage(job->postgres);
    say(EXIT_REFUSED, "%s (%s)", job->postgres != NULL ? crd_postgres_message(job->postgres) : crd_status_text(status),
        crd_status_name(status));
    return NULL;
#endif
}

static int open_book(struct job *job, int writes) {
    const char *store = job->option[STORE] != NULL ? job->option[STORE] : getenv("CREDITS_STORE");
    const crd_currency *currencies[CURRENCIES];
    crd_hooks hooks = {.struct_size = sizeof hooks, .clock = clock_of_system};
    crd_settings settings = {.struct_size = sizeof settings, .utc_offset_minutes = utc_offset()};
    crd_ledger_options options = {.struct_size = sizeof options,
                                  .hooks = &hooks,
                                  .settings = &settings,
                                  .currencies = currencies,
                                  .currency_count = job->currencies};
    crd_status status;
    if (store == NULL) return say(EXIT_USAGE, "which book? --store sqlite:PATH or postgres:CONNINFO");
    if (read_date(job, CLOSED, &settings.closed_through) != EXIT_FINE) return EXIT_USAGE;
    if (strncmp(store, "sqlite:", 7) == 0 && store[7] != '\0')
        options.storage = open_sqlite(job, store + 7, writes);
    else if (strncmp(store, "postgres:", 9) == 0)
        options.storage = open_postgres(job, store + 9, writes);
    else
        return say(EXIT_USAGE, "%s is no book: sqlite:PATH or postgres:CONNINFO", store);
    if (options.storage == NULL) return EXIT_REFUSED;
    for (uint64_t i = 0; i < job->currencies; i++) currencies[i] = &job->currency[i];
    status = crd_ledger_open(&options, &job->ledger);
    if (status == CRD_OK) return EXIT_FINE;
    return say(status == CRD_E_CURRENCY ? EXIT_USAGE : EXIT_REFUSED, "%s (%s)", crd_status_text(status),
               crd_status_name(status));
}

static void close_book(struct job *job) {
    crd_ledger_close(job->ledger);
#ifndef CREDIT_NO_SQLITE
    crd_sqlite_close(job->sqlite);
#endif
#ifndef CREDIT_NO_POSTGRES
    crd_postgres_close(job->postgres);
#endif
}

/* Who asks, for a command that writes. */
static int request_of(const struct job *job, crd_request *out) {
    crd_request request = {.struct_size = sizeof request, .note = job->option[NOTE], .business_date = job->as_of};
    request.actor = job->option[ACTOR];
    if (request.actor == NULL) request.actor = getenv("LOGNAME");
    if (request.actor == NULL) request.actor = getenv("USER");
    *out = request;
    return request.actor != NULL ? EXIT_FINE : say(EXIT_USAGE, "who asks? --actor NAME");
}

/* ---- cells */

#define HEADS(list) list, sizeof list / sizeof *list

static void text_cell(struct sheet *sheet, const char *text) {
    sheet_cell(sheet, SHEET_TEXT, text != NULL && *text != '\0' ? text : NULL);
}

static void number_cell(struct sheet *sheet, int64_t number) {
    char text[24];
    snprintf(text, sizeof text, "%" PRId64, number);
    sheet_cell(sheet, SHEET_NUMBER, text);
}

static void date_cell(struct sheet *sheet, int32_t date) {
    char text[CRD_DATE_TEXT];
    crd_date_to_text(date, text, sizeof text);
    text_cell(sheet, text);
}

static void amount_cell(struct sheet *sheet, int64_t amount, int32_t exponent) {
    char text[CRD_MONEY_TEXT];
    crd_money_format(amount, exponent, text, sizeof text);
    sheet_cell(sheet, SHEET_AMOUNT, text);
}

/* ---- verify */

static int32_t CRD_CALL found(void *ctx, const crd_finding *finding) {
    struct sheet *sheet = ctx;
    text_cell(sheet, finding->customer);
    text_cell(sheet, finding->currency);
    text_cell(sheet, crd_kind_name(finding->kind));
    text_cell(sheet, finding->id);
    number_cell(sheet, finding->seq);
    text_cell(sheet, finding->field);
    number_cell(sheet, finding->stored);
    number_cell(sheet, finding->expected);
    text_cell(sheet, finding->message);
    return 0;
}

static int run_verify(struct job *job) {
    static const char *const heads[] = {"customer", "currency", "kind",     "id",     "seq",
                                        "field",    "stored",   "expected", "message"};
    static const char *const counts[] = {"accounts", "records", "entries", "findings"};
    struct sheet sheet;
    crd_verify_spec spec = {
        .struct_size = sizeof spec, .customer = job->option[CUSTOMER], .ctx = &sheet, .found = found};
    crd_verify_result result = {.struct_size = sizeof result};
    int json = job->option[JSON] != NULL;
    crd_status status;
    sheet_begin(&sheet, json, HEADS(heads));
    status = crd_ledger_verify(job->ledger, &spec, &result);
    sheet_end(&sheet);
    if (status != CRD_OK && (status != CRD_E_CORRUPT || result.findings == 0)) {
        refused(job);
        return status == CRD_E_CORRUPT || status == CRD_E_CONTRACT ? EXIT_DAMAGED : EXIT_REFUSED;
    }
    sheet_begin(&sheet, json, HEADS(counts));
    number_cell(&sheet, (int64_t)result.accounts);
    number_cell(&sheet, (int64_t)result.records);
    number_cell(&sheet, (int64_t)result.entries);
    number_cell(&sheet, (int64_t)result.findings);
    sheet_end(&sheet);
    return result.findings == 0 ? EXIT_FINE : EXIT_DAMAGED;
}

/* ---- reports */

static int print_report(struct job *job, const crd_report_spec *spec, const struct columns *columns) {
    const crd_row *row = NULL;
    crd_report *report = NULL;
    struct sheet sheet;
    crd_status status = crd_report_open(job->ledger, spec, &report);
    sheet_begin(&sheet, job->option[JSON] != NULL, columns->heads, columns->count);
    while (status == CRD_OK && (status = crd_report_next(report, &row)) == CRD_OK && row != NULL && !ferror(stdout))
        status = columns_put(columns, job->ledger, row, &sheet);
    sheet_end(&sheet);
    if (status != CRD_OK) refused(job);
    crd_report_close(report);
    return status == CRD_OK ? EXIT_FINE : EXIT_REFUSED;
}

/* The numbers of a list of words, as a set. */
static int read_states(const struct job *job, const struct report_kind *kind, uint32_t *out) {
    const char *list = job->option[STATE];
    uint32_t record = 0;
    while (record < CRD_KIND_COUNT && !(kind->records >> record & 1)) record++;
    if (kind->report == CRD_REPORT_TOTALS) record = CRD_KIND_CREDIT;
    for (*out = 0; list != NULL; list = list[strcspn(list, ",")] == ',' ? list + strcspn(list, ",") + 1 : NULL) {
        uint32_t state = number_of(record, "state", list, strcspn(list, ","));
        if (state == 0) return say(EXIT_USAGE, "%s is no state that %s can be listed by", list, kind->name);
        *out |= UINT32_C(1) << state;
    }
    return EXIT_FINE;
}

static int read_by(const struct job *job, uint32_t *out) {
    const char *list = job->option[BY];
    for (*out = 0; list != NULL; list = list[strcspn(list, ",")] == ',' ? list + strcspn(list, ",") + 1 : NULL) {
        uint32_t bit = by_named(list, strcspn(list, ","));
        if (bit == 0) return say(EXIT_USAGE, "%s is none of customer, class, source, state, day, method", list);
        *out |= bit;
    }
    return EXIT_FINE;
}

static int read_buckets(const struct job *job, int32_t *days, uint64_t *count) {
    const char *list = job->option[BUCKET] != NULL ? job->option[BUCKET] : "0,30,60,90";
    char *end;
    for (*count = 0;; list = end + 1) {
        long number = strtol(list, &end, 10);
        if (end == list || (*end != ',' && *end != '\0') || *count == CRD_AGING_MAX_BOUNDS || number < 0 ||
            number > CRD_DATE_MAX)
            return say(EXIT_USAGE, "%s is no list of days such as 0,30,60,90", job->option[BUCKET]);
        days[(*count)++] = (int32_t)number;
        if (*end == '\0') return EXIT_FINE;
    }
}

/* The document a history or its lines are asked of. */
static int read_document(const struct job *job, crd_report_spec *spec) {
    static const struct {
        enum option option;
        uint32_t kind;
    } documents[] = {
        {CREDIT, CRD_KIND_CREDIT}, {INVOICE, CRD_KIND_INVOICE}, {RECEIPT, CRD_KIND_RECEIPT}, {HOLD, CRD_KIND_HOLD}};
    for (size_t i = 0; i < sizeof documents / sizeof *documents; i++) {
        if (job->option[documents[i].option] == NULL) continue;
        if (spec->id != NULL) return say(EXIT_USAGE, "only one of --credit, --invoice, --receipt and --hold");
        spec->kind = documents[i].kind;
        spec->id = job->option[documents[i].option];
    }
    if (spec->report == CRD_REPORT_HISTORY && spec->id == NULL && spec->currency == NULL)
        spec->kind = CRD_KIND_CUSTOMER;
    return EXIT_FINE;
}

static int run_report(struct job *job) {
    int32_t days[CRD_AGING_MAX_BOUNDS];
    struct columns columns = {.count = 0};
    const struct report_kind *kind;
    const char *wrong;
    crd_report_spec spec = {.struct_size = sizeof spec,
                            .date = job->as_of,
                            .customer = job->option[CUSTOMER],
                            .currency = job->option[CURRENCY],
                            .source = job->option[SOURCE],
                            .method = job->option[METHOD]};
    if (read_by(job, &spec.by) != EXIT_FINE) return EXIT_USAGE;
    kind = report_kind_named(job->word[1], spec.by);
    if (kind == NULL) return say(EXIT_USAGE, "there is no report %s", job->word[1]);
    spec.report = kind->report;
    if (read_date(job, FROM, &spec.date_from) != EXIT_FINE || read_instant(job, &spec.known_at) != EXIT_FINE ||
        read_states(job, kind, &spec.states) != EXIT_FINE || read_document(job, &spec) != EXIT_FINE)
        return EXIT_USAGE;
    if (kind->report == CRD_REPORT_AGING) {
        if (read_buckets(job, days, &spec.bucket_count) != EXIT_FINE) return EXIT_USAGE;
        spec.bucket_days = days;
        columns_name_buckets(&columns, days, (size_t)spec.bucket_count);
    }
    wrong = columns_resolve(&columns, kind, spec.by, job->option[COLUMN] != NULL ? job->option[COLUMN] : kind->columns);
    if (wrong != NULL) return say(EXIT_USAGE, "%s has no column %s", kind->name, wrong);
    return print_report(job, &spec, &columns);
}

static int run_balance(struct job *job) {
    static const char *const heads[] = {"customer",  "currency", "balance",   "outstanding", "credit",
                                        "available", "held",     "allocated", "unearned"};
    crd_report_spec spec = {.struct_size = sizeof spec,
                            .report = CRD_REPORT_ACCOUNTS,
                            .customer = job->word[1],
                            .currency = job->option[CURRENCY]};
    crd_balance balance = {.struct_size = sizeof balance};
    const crd_row *row = NULL;
    crd_report *report = NULL;
    struct sheet sheet;
    int32_t exponent;
    crd_status status = crd_report_open(job->ledger, &spec, &report);
    sheet_begin(&sheet, job->option[JSON] != NULL, HEADS(heads));
    while (status == CRD_OK && (status = crd_report_next(report, &row)) == CRD_OK && row != NULL && !ferror(stdout)) {
        status = crd_customer_balance(job->ledger, row->customer, row->currency, 0, &balance);
        if (status == CRD_OK) status = crd_ledger_exponent(job->ledger, row->currency, &exponent);
        if (status != CRD_OK) break;
        text_cell(&sheet, row->customer);
        text_cell(&sheet, row->currency);
        amount_cell(&sheet, balance.balance, exponent);
        amount_cell(&sheet, balance.outstanding, exponent);
        amount_cell(&sheet, balance.credit, exponent);
        amount_cell(&sheet, balance.available, exponent);
        amount_cell(&sheet, balance.held, exponent);
        amount_cell(&sheet, balance.allocated, exponent);
        amount_cell(&sheet, balance.unearned, exponent);
    }
    sheet_end(&sheet);
    if (status != CRD_OK) refused(job);
    crd_report_close(report);
    return status == CRD_OK ? EXIT_FINE : EXIT_REFUSED;
}

/* ---- reconcile */

/* What a plan proposes, as one number: accounts as they are, and every application. FNV-1a: it tells plans apart, and
 * proves nothing; that nothing moved between plan and commit, the versions in the plan prove. */
static void mix(uint64_t *digest, const void *data, size_t size) {
    for (const unsigned char *byte = data; size > 0; byte++, size--)
        *digest = (*digest ^ *byte) * UINT64_C(0x100000001b3);
}

static void mix_account(uint64_t *digest, const crd_plan_account *account) {
    mix(digest, account->account->customer, strlen(account->account->customer) + 1);
    mix(digest, account->account->currency, strlen(account->account->currency) + 1);
    mix(digest, &account->account->version, sizeof account->account->version);
    for (uint64_t i = 0; i < account->application_count; i++) {
        const crd_plan_application *application = account->applications[i];
        mix(digest, &application->business_date, sizeof application->business_date);
        mix(digest, &application->amount, sizeof application->amount);
        mix(digest, application->credit->id, strlen(application->credit->id) + 1);
        mix(digest, application->invoice->id, strlen(application->invoice->id) + 1);
    }
}

static void plan_row(struct sheet *sheet, const crd_plan_account *account, const char *what,
                     const crd_credit_record *credit, const crd_invoice_record *invoice, int32_t date, int64_t amount,
                     int32_t exponent, const char *because) {
    text_cell(sheet, account->account->customer);
    text_cell(sheet, account->account->currency);
    text_cell(sheet, what);
    text_cell(sheet, credit != NULL ? credit->id : NULL);
    text_cell(sheet, invoice != NULL ? invoice->id : NULL);
    date_cell(sheet, date);
    amount_cell(sheet, amount, exponent);
    text_cell(sheet, because);
}

/* An account of a plan: what would be applied, then what would stay open, and why. */
static void plan_rows(struct sheet *sheet, const crd_plan_account *account, int32_t exponent) {
    for (uint64_t i = 0; i < account->application_count; i++) {
        const crd_plan_application *a = account->applications[i];
        plan_row(sheet, account, "apply", a->credit, a->invoice, a->business_date, a->amount, exponent, NULL);
    }
    for (uint64_t i = 0; i < account->item_count; i++) {
        const crd_plan_item *item = account->items[i];
        int64_t left = item->left_out == CRD_LEFT_DRAFT ? item->invoice->total - item->invoice->allocated
                                                        : item->open - item->proposed;
        if (left > 0)
            plan_row(sheet, account, "leave", item->credit, item->invoice, 0, left, exponent,
                     crd_left_text(item->left_out));
    }
}

/* Walks the plan, shows it, and counts its applications. */
static crd_status show_plan(struct job *job, crd_plan *plan, uint64_t *applications, uint64_t *digest) {
    static const char *const heads[] = {"customer", "currency", "what",   "credit",
                                        "invoice",  "date",     "amount", "because"};
    const crd_plan_account *account = NULL;
    struct sheet sheet;
    int32_t exponent;
    crd_status status;
    sheet_begin(&sheet, job->option[JSON] != NULL, HEADS(heads));
    while ((status = crd_plan_next(plan, &account)) == CRD_OK && account != NULL) {
        status = crd_ledger_exponent(job->ledger, account->account->currency, &exponent);
        if (status != CRD_OK) break;
        plan_rows(&sheet, account, exponent);
        mix_account(digest, account);
        *applications += account->application_count;
    }
    sheet_end(&sheet);
    return status;
}

/* Which accounts were posted, with what receipt; and which were not, because another writer came first. */
static crd_status show_posted(struct job *job, crd_plan *plan) {
    static const char *const heads[] = {"customer", "currency", "outcome", "receipt", "amount"};
    const crd_plan_account *account = NULL;
    struct sheet sheet;
    int32_t exponent;
    crd_status status = crd_plan_rewind(plan);
    sheet_begin(&sheet, job->option[JSON] != NULL, HEADS(heads));
    while (status == CRD_OK && (status = crd_plan_next(plan, &account)) == CRD_OK && account != NULL) {
        int conflicted = account->state == CRD_PLAN_CONFLICTED;
        if (account->state != CRD_PLAN_POSTED && !conflicted) continue;
        status = crd_ledger_exponent(job->ledger, account->account->currency, &exponent);
        text_cell(&sheet, account->account->customer);
        text_cell(&sheet, account->account->currency);
        text_cell(&sheet, conflicted ? "conflicted" : "posted");
        text_cell(&sheet, account->receipt);
        amount_cell(&sheet, conflicted && *account->receipt == '\0' ? 0 : account->applied, exponent);
    }
    sheet_end(&sheet);
    return status;
}

static int post_plan(struct job *job, crd_plan *plan, const crd_request *request, uint64_t digest) {
    crd_plan_result result = {.struct_size = sizeof result};
    char text[17];
    crd_status status;
    snprintf(text, sizeof text, "%016" PRIx64, digest);
    if (job->option[EXPECT] != NULL && strcmp(job->option[EXPECT], text) != 0)
        return say(EXIT_REFUSED, "the plan is %s now, not %s: something changed. Nothing was posted", text,
                   job->option[EXPECT]);
    status = crd_plan_commit(plan, request, &result);
    if (status != CRD_OK) refused(job);
    if (show_posted(job, plan) != CRD_OK) return refused(job);
    if (result.conflicted > 0)
        say(EXIT_REFUSED, "%" PRIu64 " accounts were changed by another writer: nothing (more) was posted there",
            result.conflicted);
    return status == CRD_OK && result.conflicted == 0 ? EXIT_FINE : EXIT_REFUSED;
}

static int run_reconcile(struct job *job) {
    static const char *const heads[] = {"plan", "applications"};
    const char *customer = job->option[CUSTOMER];
    crd_plan_spec spec = {.struct_size = sizeof spec,
                          .date = job->as_of,
                          .currency = job->option[CURRENCY],
                          .customers = &customer,
                          .customer_count = customer != NULL,
                          .flags = job->option[CASH] != NULL ? CRD_PLAN_USE_CASH : 0};
    int posts = job->option[POST] != NULL, result = EXIT_FINE;
    uint64_t digest = UINT64_C(0xcbf29ce484222325), applications = 0;
    crd_request request;
    crd_plan *plan = NULL;
    char text[17];
    if (!posts && job->option[EXPECT] != NULL) return say(EXIT_USAGE, "--expect is for --post");
    if (posts && request_of(job, &request) != EXIT_FINE) return EXIT_USAGE;
    if (crd_plan_open(job->ledger, &spec, &plan) != CRD_OK || show_plan(job, plan, &applications, &digest) != CRD_OK) {
        refused(job);
        crd_plan_close(plan);
        return EXIT_REFUSED;
    }
    snprintf(text, sizeof text, "%016" PRIx64, digest);
    if (posts) {
        result = post_plan(job, plan, &request, digest);
    } else if (job->option[JSON] != NULL) {
        struct sheet sheet;
        sheet_begin(&sheet, 1, HEADS(heads));
        text_cell(&sheet, text);
        number_cell(&sheet, (int64_t)applications);
        sheet_end(&sheet);
    } else if (applications > 0) {
        printf("Nothing was posted. To post just this: --post --expect %s\n", text);
    } else {
        printf("There is nothing to apply.\n");
    }
    crd_plan_close(plan);
    return result;
}

/* ---- the other commands */

static int run_sweep(struct job *job) {
    static const char *const heads[] = {"accounts", "expired", "lapsed"};
    crd_sweep_spec spec = {.struct_size = sizeof spec, .customer = job->option[CUSTOMER]};
    crd_sweep_result result = {.struct_size = sizeof result};
    crd_request request;
    struct sheet sheet;
    if (request_of(job, &request) != EXIT_FINE) return EXIT_USAGE;
    if (crd_sweep(job->ledger, &request, &spec, &result) != CRD_OK) return refused(job);
    sheet_begin(&sheet, job->option[JSON] != NULL, HEADS(heads));
    number_cell(&sheet, (int64_t)result.accounts);
    number_cell(&sheet, (int64_t)result.expired);
    number_cell(&sheet, (int64_t)result.lapsed);
    sheet_end(&sheet);
    if (result.conflicted == 0) return EXIT_FINE;
    return say(EXIT_REFUSED, "%" PRIu64 " accounts were changed by another writer: sweep again", result.conflicted);
}

/* Undoes an entry of the journal: undo CUSTOMER CURRENCY SEQ. */
static int run_undo(struct job *job) {
    static const char *const heads[] = {"customer", "currency", "seq", "undone"};
    crd_result result = {.struct_size = sizeof result};
    crd_request request;
    struct sheet sheet;
    int32_t exponent;
    char *end;
    long long seq = strtoll(job->word[3], &end, 10);
    if (*end != '\0' || seq < 1) return say(EXIT_USAGE, "%s is no number of an entry", job->word[3]);
    if (request_of(job, &request) != EXIT_FINE) return EXIT_USAGE;
    if (crd_ledger_exponent(job->ledger, job->word[2], &exponent) != CRD_OK ||
        crd_undo(job->ledger, &request, job->word[1], job->word[2], seq, 0, &result) != CRD_OK)
        return refused(job);
    sheet_begin(&sheet, job->option[JSON] != NULL, HEADS(heads));
    text_cell(&sheet, job->word[1]);
    text_cell(&sheet, job->word[2]);
    number_cell(&sheet, seq);
    amount_cell(&sheet, result.amount, exponent);
    sheet_end(&sheet);
    return EXIT_FINE;
}

static int32_t CRD_CALL write_text(void *ctx, const char *text, uint64_t size) {
    (void)ctx;
    return fwrite(text, 1, (size_t)size, stdout) != size;
}

static int run_export(struct job *job) {
    static const char *const formats[] = {"hledger", "ledger", "beancount"};
    crd_posting_spec spec = {.struct_size = sizeof spec,
                             .customer = job->option[CUSTOMER],
                             .currency = job->option[CURRENCY],
                             .date_to = job->as_of};
    uint32_t format = 0;
    while (format < 3 && strcmp(formats[format], job->word[1]) != 0) format++;
    if (format == 3) return say(EXIT_USAGE, "%s is none of hledger, ledger, beancount", job->word[1]);
    if (job->option[JSON] != NULL) return say(EXIT_USAGE, "an export has a format of its own");
    if (read_date(job, FROM, &spec.date_from) != EXIT_FINE) return EXIT_USAGE;
    if (crd_postings_export(job->ledger, &spec, CRD_EXPORT_HLEDGER + format, write_text, NULL) == CRD_OK)
        return EXIT_FINE;
    return ferror(stdout) ? EXIT_FINE : refused(job); /* finish() tells of a text that cannot be written */
}

static int run_help(struct job *job) {
    (void)job;
    fputs("usage: credits [--store sqlite:PATH | postgres:CONNINFO] [--json] COMMAND …\n\n"
          "  verify [--customer C]           replay the journal, and name what does not agree with it\n"
          "  balance [CUSTOMER]              what is owed, and what credit there is, today\n"
          "  report KIND …                   one of the reports below, as of any day, as known at any instant\n"
          "  reconcile [--cash] [--post] …   what credit would pay; with --post, pay it\n"
          "  undo CUSTOMER CURRENCY SEQ      take back what one entry of the journal did, such as a receipt\n"
          "  sweep                           enter what expired and lapsed\n"
          "  export hledger|ledger|beancount postings for a general ledger\n"
          "  help, version\n\nReports:",
          stdout);
    for (const struct report_kind *kind = report_kinds; kind->name != NULL; kind++)
        if (kind == report_kinds || strcmp(kind->name, kind[-1].name) != 0) printf(" %s", kind->name);
    fputs("\n\n  --customer C  --currency EUR  --from DATE  --to DATE  --known-at INSTANT  --columns a,b,…\n"
          "  --credit|--invoice|--receipt|--hold ID  --state s,…  --source S  --method M  --by customer,…\n"
          "  --buckets 0,30,60,90\n\n"
          "Only reconcile --post, undo and sweep change a book. credits(1) tells all of it.\n",
          stdout);
    return EXIT_FINE;
}

static int run_version(struct job *job) {
    (void)job;
    printf("credits %s", crd_version_text());
#ifndef CREDIT_NO_SQLITE
    fputs(", sqlite", stdout);
#endif
#ifndef CREDIT_NO_POSTGRES
    fputs(", postgres", stdout);
#endif
    putchar('\n');
    return EXIT_FINE;
}

static const struct command {
    const char *name;
    int (*run)(struct job *job);
    int least, most;  /* words behind it */
    int book, writes; /* whether it opens one; and for writing: 2: if --post is given */
    uint32_t options;
} commands[] = {
    {"verify", run_verify, 0, 0, 1, 0, BIT(CUSTOMER)},
    {"balance", run_balance, 0, 1, 1, 0, BIT(CURRENCY)},
    {"report", run_report, 1, 1, 1, 0, BIT(CASH) - BIT(AS_OF)},
    {"reconcile", run_reconcile, 0, 0, 1, 2,
     WRITING | BIT(CUSTOMER) | BIT(CURRENCY) | BIT(CASH) | BIT(POST) | BIT(EXPECT)},
    {"undo", run_undo, 3, 3, 1, 1, WRITING},
    {"sweep", run_sweep, 0, 0, 1, 1, WRITING | BIT(CUSTOMER)},
    {"export", run_export, 1, 1, 1, 0, BIT(CUSTOMER) | BIT(CURRENCY) | BIT(FROM) | BIT(AS_OF)},
    {"help", run_help, 0, WORDS, 0, 0, ~UINT32_C(0)},
    {"version", run_version, 0, 0, 0, 0, ~UINT32_C(0)},
};

static int run(struct job *job) {
    const char *name = job->option[HELP] != NULL ? "help" : job->option[VERSION] != NULL ? "version" : job->word[0];
    const struct command *command = commands, *end = commands + sizeof commands / sizeof *commands;
    int result, words = job->words - (name == job->word[0]);
    if (name == NULL) return say(EXIT_USAGE, "which command?");
    while (command < end && strcmp(command->name, name) != 0) command++;
    if (command == end) return say(EXIT_USAGE, "there is no command %s", name);
    if (words < command->least) return say(EXIT_USAGE, "%s needs more than that", name);
    if (words > command->most && command->book)
        return say(EXIT_USAGE, "%s is one word too many", job->word[command->most + 1]);
    for (size_t i = 0; i < sizeof option_names / sizeof *option_names; i++)
        if (job->option[option_names[i].option] != NULL &&
            !((command->options | GENERAL) >> option_names[i].option & 1))
            return say(EXIT_USAGE, "%s means nothing to %s", option_names[i].name, name);
    if ((result = read_date(job, AS_OF, &job->as_of)) != EXIT_FINE || (result = read_currencies(job)) != EXIT_FINE)
        return result;
    if (command->book)
        result = open_book(job, command->writes == 1 || (command->writes == 2 && job->option[POST] != NULL));
    return result == EXIT_FINE ? command->run(job) : result;
}

int main(int argc, char **argv) {
    struct job job;
    int result;
    (void)argc;
    memset(&job, 0, sizeof job);
#ifdef SIGPIPE
    signal(SIGPIPE, SIG_IGN); /* a reader that has seen enough must not keep the book from being closed */
#endif
    result = read_arguments(&job, argv);
    if (result == EXIT_FINE) result = run(&job);
    close_book(&job);
    if ((fflush(stdout) != 0 || ferror(stdout)) && result == EXIT_FINE)
        result = say(EXIT_REFUSED, "the output: %s", strerror(errno));
    return result;
}
