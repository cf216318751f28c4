/*
 * reconcile_csv: reads open items from a CSV file, reconciles them, and shows what an office wants to see.
 *
 *     reconcile_csv [--json] [--all] [--store memory|sqlite:PATH] [--as-of DATE] [--skip-bad]
 *                   [--applications FILE] FILE
 *
 * It goes through four steps:
 *
 *   check    every row of the file, against the columns' rules, the other rows and the book there is. One bad
 *            row and nothing is kept, unless --skip-bad was given. This step is open_items.h.
 *   keep     the documents that the book does not have yet, in units of work, dated the day they were issued.
 *   run      a reconcile plan: looked at (the prescan), then posted, then walked again for what it did.
 *   show     the outcome, as tables for people or as JSON for programs.
 *
 * Nothing is dated by the clock: the same file always gives the same documents. A file that was kept before,
 * whole or in part, is found in the book document by document, so that a second import only adds what is
 * missing. That is why the program needs no request keys, and why a run that was broken off is resumed by
 * running it again.
 */
#include <credit.h>
#ifndef CREDIT_NO_SQLITE
#include <credit/sqlite.h>
#endif

#include "open_items.h"
#include "table.h"

#define NAME "reconcile_csv"
#define UNIT_ACCOUNTS (CRD_MAX_ACCOUNTS - 2)  /* a document concerns two: the customer's, its currency's */
#define UNIT_DOCUMENTS (CRD_MAX_CHANGES / 16) /* a document is a handful of records */
#define DAY INT64_C(86400000000)

struct figure {
    int64_t count;
    int64_t amount;
};

/* What there is to tell of one currency. */
struct outcome {
    const char *code;
    int32_t exponent;
    struct figure prescan[SIDES]; /* open before the run */
    struct figure proposed;       /* applications of the plan */
    struct figure left[SIDES][CRD_LEFT_SKIPPED + 1]; /* not used whole, by reason */
    struct figure posted;         /* applications of the run */
    int64_t aging[2][CRD_AGING_BUCKETS]; /* before and after the run */
    int64_t customers;            /* from here on: the book after the run */
    struct figure all[SIDES];     /* documents, and what is open of them */
    int64_t closed[SIDES];        /* spent, paid */
    int64_t partly[SIDES];
    struct table accounts, applied, open;
};

struct job {
    struct open_items file;
    const char *store, *applications_path;
    int json, all, skip_bad;
    int32_t as_of;
    unsigned long added, customers_added;
    crd_memory *memory;
#ifndef CREDIT_NO_SQLITE
    crd_sqlite *sqlite;
#endif
    crd_ledger *ledger;
    FILE *applications;
    int after;         /* 0 before the run, 1 after */
    uint64_t accounts; /* of the plan */
    unsigned tenths;   /* of the progress shown */
};

/* Reports the last error of the ledger, and what was tried. */
static void fail_ledger(struct job *job, const char *what) {
    const crd_error *error = crd_ledger_error(job->ledger);

    fflush(stdout);
    fprintf(stderr, NAME ": %s: %s (%s)%s%s\n", what, error->message, crd_status_name(error->code),
            *error->host_text ? ": " : "", error->host_text);
    fprintf(stderr, NAME ": what was kept before stays kept; run again to go on\n");
    exit(1);
}

/* Adds to a sum that was proved not to overflow, by check_item() or the library. */
static void add(struct figure *figure, int64_t amount) {
    figure->count++;
    figure->amount += amount;
}

/* ---- The book */

typedef void visit_row(struct job *job, const crd_row *row);

static void each_row(struct job *job, uint32_t what, uint32_t states, visit_row *visit) {
    crd_report_spec spec;
    crd_report *report;
    const crd_row *row;

    memset(&spec, 0, sizeof spec);
    spec.struct_size = sizeof spec;
    spec.report = what;
    spec.states = states;
    if (what == CRD_REPORT_AGING) spec.date = job->as_of; /* the others show everything as it stands */
    if (crd_report_open(job->ledger, &spec, &report) != CRD_OK)
        fail_ledger(job, "reading the book");
    do {
        if (crd_report_next(report, &row) != CRD_OK)
            fail_ledger(job, "reading the book");
        if (row)
            visit(job, row);
    } while (row);
    crd_report_close(report);
}

/* What there is to tell of a currency: made when the book turns out to have it. */
static struct outcome *outcome_of(struct job *job, const char *code) {
    static const char *const accounts[] = {"Customer",  ">Credit",      ">Invoices",
                                           ">To apply", ">Credit left", ">Still open", NULL};
    static const char *const applied[] = {"Customer", "Credit", "Kind",    "Invoice",
                                          "Kind",     "Dated",  ">Amount", NULL};
    static const char *const open[] = {"Customer", "Document", "Kind",    "Issued",
                                       "Due",      ">Open",    "Because", NULL};
    struct currency *currency = currency_of(&job->file, code);
    struct outcome *outcome;

    if (!currency)
        give_up("the book has a currency that this program does not know", code);
    if (currency->outcome)
        return currency->outcome;
    outcome = currency->outcome = grow(NULL, sizeof *outcome);
    memset(outcome, 0, sizeof *outcome);
    outcome->code = currency->code;
    outcome->exponent = currency->exponent;
    table_begin(&outcome->accounts, job->all, accounts);
    table_begin(&outcome->applied, job->all, applied);
    table_begin(&outcome->open, job->all, open);
    return outcome;
}

/* The next currency that the book has, by code, for an `at` that begins with 0. NULL after the last. */
static struct outcome *next_outcome(const struct job *job, size_t *at) {
    while (*at < job->file.currency_count)
        if (job->file.currencies[(*at)++]->outcome)
            return job->file.currencies[*at - 1]->outcome;
    return NULL;
}

static uint16_t kind_of(uint32_t side, uint32_t kind, int draft) {
    uint16_t i;

    if (draft)
        return ORDER;
    for (i = 0; i < KINDS; i++)
        if (kinds[i].side == side && kinds[i].kind == kind)
            return i;
    return KINDS;
}

static int is_draft(const crd_invoice_record *invoice) {
    return invoice->state == CRD_INVOICE_DRAFT || invoice->state == CRD_INVOICE_CANCELLED;
}

static const char *words(const crd_credit_record *credit, const crd_invoice_record *invoice) {
    uint16_t kind = credit ? kind_of(CRD_KIND_CREDIT, credit->kind, 0)
                           : kind_of(CRD_KIND_INVOICE, invoice->kind, is_draft(invoice));

    return kind < KINDS ? kinds[kind].words : "other";
}

static void visit_customer(struct job *job, const crd_row *row) {
    struct item item;

    memset(&item, 0, sizeof item);
    item.customer = pool_text(&job->file.pool, row->customer);
    item.document = "";
    item.side = CRD_KIND_CUSTOMER;
    index_add(&job->file, &item);
}

/* Takes a document of the book in, so that a row about it is recognised. */
static void visit_known(struct job *job, const crd_row *row) {
    struct currency *currency = currency_of(&job->file, outcome_of(job, row->currency)->code);
    struct item item;
    int64_t *sum;

    memset(&item, 0, sizeof item);
    item.customer = pool_text(&job->file.pool, row->customer);
    item.document = pool_text(&job->file.pool, row->id);
    item.currency = currency->code;
    if (row->credit) {
        item.side = CRD_KIND_CREDIT;
        item.kind = kind_of(CRD_KIND_CREDIT, row->credit->kind, 0);
        item.amount = row->credit->original;
        item.issued = row->credit->issued;
    } else {
        item.side = CRD_KIND_INVOICE;
        item.kind = kind_of(CRD_KIND_INVOICE, row->invoice->kind, is_draft(row->invoice));
        item.amount = row->invoice->total;
        item.issued = row->invoice->issued;
        item.due = row->invoice->due;
    }
    sum = &currency->sums[row->credit ? CREDITS : INVOICES];
    if (item.kind != ORDER && *sum > INT64_MAX - item.amount)
        give_up("the book adds up to more than 64 bits hold", NULL);
    if (item.kind != ORDER)
        *sum += item.amount;
    if (item.issued > job->file.latest)
        job->file.latest = item.issued;
    index_add(&job->file, &item);
}

static void visit_aging(struct job *job, const crd_row *row) {
    int64_t *aging = outcome_of(job, row->currency)->aging[job->after];
    uint64_t i;

    for (i = 0; i < row->bucket_count && i < CRD_AGING_BUCKETS; i++)
        aging[i] += row->buckets[i];
}

/* Counts a document of the book after the run. Drafts, and what was voided since, count nowhere. */
static void visit_outcome(struct job *job, const crd_row *row) {
    struct outcome *outcome = outcome_of(job, row->currency);
    int side = row->credit ? CREDITS : INVOICES;
    int64_t face = row->credit ? row->credit->original : row->invoice->total;
    int64_t open = row->credit ? row->credit->remaining : row->invoice->open;
    struct item account;

    if (row->credit ? row->credit->state == CRD_CREDIT_VOIDED
                    : is_draft(row->invoice) || row->invoice->state == CRD_INVOICE_VOIDED)
        return;
    add(&outcome->all[side], open);
    if (open == 0)
        outcome->closed[side]++;
    else if (open < face)
        outcome->partly[side]++;
    memset(&account, 0, sizeof account);
    account.customer = row->customer;
    account.document = outcome->code;
    account.side = CRD_KIND_ACCOUNT;
    if (!index_find(&job->file.index, &account)) {
        account.customer = pool_text(&job->file.pool, row->customer);
        index_add(&job->file, &account);
        outcome->customers++;
    }
}

/* 1 if there is a book to compare the file with before anything is made. */
static int book_exists(const struct job *job) {
    FILE *file = strncmp(job->store, "sqlite:", 7) == 0 ? fopen(job->store + 7, "rb") : NULL;

    if (file)
        fclose(file);
    return file != NULL;
}

static void open_book(struct job *job) {
    const crd_storage *storage = NULL;
    crd_ledger_options options;

    if (strcmp(job->store, "memory") == 0) {
        if (crd_memory_new(NULL, &job->memory) != CRD_OK)
            give_up("out of memory", NULL);
        storage = crd_memory_storage(job->memory);
    } else {
#ifdef CREDIT_NO_SQLITE
        give_up(job->store, "this program was built without SQLite");
#else
        if (crd_sqlite_open(job->store + 7, 0, &job->sqlite) != CRD_OK)
            give_up(job->store, job->sqlite ? crd_sqlite_message(job->sqlite) : "cannot be opened");
        storage = crd_sqlite_storage(job->sqlite);
#endif
    }
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    options.storage = storage;
    if (crd_ledger_open(&options, &job->ledger) != CRD_OK)
        give_up(job->store, "the ledger cannot be opened");
}

static void load_book(struct job *job) {
    each_row(job, CRD_REPORT_CUSTOMERS, 0, visit_customer);
    each_row(job, CRD_REPORT_CREDITS, 0, visit_known);
    each_row(job, CRD_REPORT_INVOICES, 0, visit_known);
}

static void close_book(struct job *job) {
    crd_ledger_close(job->ledger);
    crd_memory_free(job->memory);
#ifndef CREDIT_NO_SQLITE
    crd_sqlite_close(job->sqlite);
#endif
}

/* ---- Keep */

/* A request dated that day, at noon, so that the same file always gives the same book. */
static crd_request request_on(int32_t date) {
    crd_request request;

    memset(&request, 0, sizeof request);
    request.struct_size = sizeof request;
    request.actor = NAME;
    request.instant = date * DAY + DAY / 2;
    request.business_date = date;
    return request;
}

/* Shows how far a step got, in one line: "10 % 20 % …". */
static void progress(struct job *job, uint64_t done, uint64_t all) {
    if (job->json || all == 0)
        return;
    for (; job->tenths < 10 && done * 10 >= all * (job->tenths + 1); job->tenths++)
        printf(" %u %%", (job->tenths + 1) * 10);
    fflush(stdout);
}

static void progress_begin(struct job *job, const char *what) {
    job->tenths = 0;
    if (!job->json)
        printf("%s", what);
}

static crd_status keep_credit(struct job *job, const crd_request *request, const struct item *item) {
    const struct kind *kind = &kinds[item->kind];
    crd_credit_terms terms;

    memset(&terms, 0, sizeof terms);
    terms.struct_size = sizeof terms;
    terms.kind = kind->kind;
    terms.currency = item->currency;
    terms.id = item->document;
    terms.amount = item->amount;
    terms.flags = kind->flags;
    if (kind->kind == CRD_CREDIT_PAYMENT || kind->kind == CRD_CREDIT_DEPOSIT)
        terms.method = "imported";
    else
        terms.reason = kind->words;
    return crd_credit_issue(job->ledger, request, item->customer, &terms, NULL);
}

static crd_status keep_invoice(struct job *job, const crd_request *request, const struct item *item) {
    crd_invoice_terms terms;

    memset(&terms, 0, sizeof terms);
    terms.struct_size = sizeof terms;
    terms.kind = kinds[item->kind].kind;
    terms.currency = item->currency;
    terms.id = item->document;
    terms.total = item->amount;
    terms.flags = kinds[item->kind].flags;
    terms.due = item->due;
    return crd_invoice_enter(job->ledger, request, item->customer, &terms, NULL);
}

/* Adds a document, after its customer if that is new. */
static crd_status keep_item(struct job *job, const struct item *item) {
    crd_request request = request_on(item->issued);
    struct item customer;
    crd_status status;

    memset(&customer, 0, sizeof customer);
    customer.customer = item->customer;
    customer.document = "";
    customer.side = CRD_KIND_CUSTOMER;
    if (index_add(&job->file, &customer)) {
        status = crd_customer_add(job->ledger, &request, item->customer, NULL, NULL);
        if (status != CRD_OK)
            return status;
        job->customers_added++;
    }
    if (item->side == CRD_KIND_CREDIT)
        return keep_credit(job, &request, item);
    return keep_invoice(job, &request, item);
}

/* By customer, so that a unit concerns few accounts; within one in the order of the file, which becomes their
 * sequence and so the last key of the order of allocation. */
static int by_customer(const void *a, const void *b) {
    const struct item *x = *(const struct item *const *)a, *y = *(const struct item *const *)b;
    int order = strcmp(x->customer, y->customer);

    return order ? order : x->line < y->line ? -1 : x->line > y->line;
}

static void keep_items(struct job *job) {
    const struct item *last = NULL;
    size_t i, accounts = 0, documents = 0;
    char what[200];

    if (job->file.item_count > 0)
        qsort(job->file.items, job->file.item_count, sizeof(struct item *), by_customer);
    progress_begin(job, "Keeping:");
    for (i = 0; i < job->file.item_count; i++) {
        const struct item *item = job->file.items[i];

        if (documents == 0 && crd_unit_begin(job->ledger) != CRD_OK)
            fail_ledger(job, "keeping documents");
        if (documents == 0 || strcmp(last->customer, item->customer) != 0 || last->currency != item->currency)
            accounts += 2;
        last = item;
        if (keep_item(job, item) != CRD_OK) {
            snprintf(what, sizeof what, "line %lu, %s of customer %s", (unsigned long)item->line,
                     item->document, item->customer);
            fail_ledger(job, what);
        }
        if (++documents < UNIT_DOCUMENTS && accounts < UNIT_ACCOUNTS && i + 1 < job->file.item_count)
            continue;
        if (crd_unit_commit(job->ledger) != CRD_OK)
            fail_ledger(job, "keeping documents");
        job->added += documents;
        accounts = documents = 0;
        progress(job, i + 1, job->file.item_count);
    }
    if (!job->json)
        printf("%s\nNew in the book: %lu documents, %lu customers\n",
               job->file.item_count ? "" : " nothing is new", job->added, job->customers_added);
}

/* ---- Run */

/* An amount for people: 1234567 with two decimals is 12,345.67. */
static const char *money(int64_t amount, int32_t exponent, char *out) {
    char plain[CRD_MONEY_TEXT];
    size_t from = 0, to = 0, whole;

    if (crd_money_format(amount, exponent, plain, sizeof plain) != CRD_OK)
        give_up("an amount cannot be written", NULL);
    if (plain[0] == '-')
        out[to++] = plain[from++];
    whole = from + strcspn(plain + from, ".");
    while (plain[from]) {
        out[to++] = plain[from++];
        if (from < whole && (whole - from) % 3 == 0)
            out[to++] = ',';
    }
    out[to] = '\0';
    return out;
}
#define MONEY (CRD_MONEY_TEXT + 8) /* bytes that hold any: with its commas */

static const char *number(int64_t count, char *out) {
    snprintf(out, 24, "%lld", (long long)count);
    return out;
}

static const char *day(int32_t date, char *out) {
    if (crd_date_to_text(date, out, CRD_DATE_TEXT) != CRD_OK)
        give_up("a date cannot be written", NULL);
    return out;
}

static void put(struct table *table, const char *const *cells) {
    if (table_row(table, cells) != 0)
        give_up("out of memory", NULL);
}

typedef void visit_account(struct job *job, struct outcome *outcome, const crd_plan_account *account);

static void each_account(struct job *job, crd_plan *plan, visit_account *visit) {
    const crd_plan_account *account;

    do {
        if (crd_plan_next(plan, &account) != CRD_OK)
            fail_ledger(job, "planning");
        if (account)
            visit(job, outcome_of(job, account->account->currency), account);
    } while (account);
}

/* Before anything is posted: what is open, what would be applied, and what takes no part. */
static void visit_proposed(struct job *job, struct outcome *outcome, const crd_plan_account *account) {
    struct figure open[SIDES] = {{0, 0}, {0, 0}};
    char amounts[5][MONEY];
    const char *cells[6];
    uint64_t i;

    job->accounts++;
    for (i = 0; i < account->item_count; i++) {
        const crd_plan_item *item = account->items[i];
        int side = item->credit ? CREDITS : INVOICES;

        if (item->left_out == CRD_LEFT_DRAFT)
            continue; /* all drafts are counted by visit_draft() */
        add(&open[side], item->open);
        add(&outcome->prescan[side], item->open);
        if (item->left_out <= CRD_LEFT_SKIPPED && item->open > item->proposed)
            add(&outcome->left[side][item->left_out], item->open - item->proposed);
    }
    outcome->proposed.count += (int64_t)account->application_count;
    outcome->proposed.amount += account->applied;
    if (account->application_count == 0 || job->json)
        return;
    cells[0] = account->account->customer;
    cells[1] = money(open[CREDITS].amount, outcome->exponent, amounts[0]);
    cells[2] = money(open[INVOICES].amount, outcome->exponent, amounts[1]);
    cells[3] = money(account->applied, outcome->exponent, amounts[2]);
    cells[4] = money(open[CREDITS].amount - account->applied, outcome->exponent, amounts[3]);
    cells[5] = money(open[INVOICES].amount - account->applied, outcome->exponent, amounts[4]);
    put(&outcome->accounts, cells);
}

static void put_applied(struct outcome *outcome, const crd_plan_application *application) {
    char amount[MONEY], date[CRD_DATE_TEXT];
    const char *cells[7];

    cells[0] = application->credit->customer;
    cells[1] = application->credit->id;
    cells[2] = words(application->credit, NULL);
    cells[3] = application->invoice->id;
    cells[4] = words(NULL, application->invoice);
    cells[5] = day(application->business_date, date);
    cells[6] = money(application->amount, outcome->exponent, amount);
    put(&outcome->applied, cells);
}

static void put_open(struct outcome *outcome, const crd_credit_record *credit,
                     const crd_invoice_record *invoice, int64_t rest, const char *why) {
    char amount[MONEY], issued[CRD_DATE_TEXT], due[CRD_DATE_TEXT];
    const char *cells[7];

    cells[0] = credit ? credit->customer : invoice->customer;
    cells[1] = credit ? credit->id : invoice->id;
    cells[2] = words(credit, invoice);
    cells[3] = day(credit ? credit->issued : invoice->issued, issued);
    cells[4] = day(credit ? CRD_DATE_NONE : invoice->due, due);
    cells[5] = money(rest, outcome->exponent, amount);
    cells[6] = why;
    put(&outcome->open, cells);
}

/* After the run: what was applied to what, and what is left. */
static void visit_posted(struct job *job, struct outcome *outcome, const crd_plan_account *account) {
    int posted = account->state == CRD_PLAN_POSTED;
    uint64_t i;

    for (i = 0; posted && i < account->application_count; i++) {
        const crd_plan_application *application = account->applications[i];

        add(&outcome->posted, application->amount);
        if (!job->json)
            put_applied(outcome, application);
        if (!job->applications)
            continue;
        csv_put(job->applications, application->credit->customer);
        putc(',', job->applications);
        csv_put(job->applications, application->credit->id);
        putc(',', job->applications);
        csv_put(job->applications, application->invoice->id);
        fprintf(job->applications, ",%lld\n", (long long)application->amount);
    }
    for (i = 0; !job->json && i < account->item_count; i++) {
        const crd_plan_item *item = account->items[i];
        int64_t rest = item->open - (posted ? item->proposed : 0);

        if (rest > 0 && item->left_out != CRD_LEFT_DRAFT)
            put_open(outcome, item->credit, item->invoice, rest,
                     item->left_out ? crd_left_text(item->left_out) : "the run did not get to it");
    }
}

/* Orders take no part in a run, and one whose customer has nothing else open is not even in its plan. */
static void visit_draft(struct job *job, const crd_row *row) {
    struct outcome *outcome = outcome_of(job, row->currency);

    if (job->after)
        put_open(outcome, NULL, row->invoice, row->invoice->total, crd_left_text(CRD_LEFT_DRAFT));
    else
        add(&outcome->left[INVOICES][CRD_LEFT_DRAFT], row->invoice->total);
}

static int32_t CRD_CALL on_progress(void *ctx, const crd_progress *done) {
    struct job *job = ctx;

    progress(job, done->accounts, job->accounts);
    return 0;
}

static void show_prescan(struct job *job);

/* Plans, shows the plan, posts it, and walks it again. Returns 1 if all that was planned was posted. */
static int run(struct job *job) {
    crd_request request = request_on(job->as_of);
    crd_plan_spec spec;
    crd_plan_result result;
    crd_plan *plan;
    int complete;

    memset(&spec, 0, sizeof spec);
    spec.struct_size = sizeof spec;
    spec.flags = CRD_PLAN_USE_CASH | (job->json ? 0 : CRD_PLAN_ALL_OPEN); /* JSON lists no rest */
    spec.date = job->as_of;
    spec.ctx = job;
    spec.progress = on_progress;
    if (crd_plan_open(job->ledger, &spec, &plan) != CRD_OK)
        fail_ledger(job, "planning");
    each_account(job, plan, visit_proposed);
    if (!job->json)
        show_prescan(job);
    progress_begin(job, "\nPosting:");
    memset(&result, 0, sizeof result);
    result.struct_size = sizeof result;
    complete = crd_plan_commit(plan, &request, &result) == CRD_OK;
    if (!complete)
        fprintf(stderr, NAME ": posting: %s; run again to go on\n", crd_ledger_error(job->ledger)->message);
    else
        progress(job, job->accounts, job->accounts);
    if (!job->json)
        printf("%s\nPosted: %llu accounts with %llu receipts and %llu applications\n",
               job->accounts ? "" : " nothing to do", (unsigned long long)result.posted,
               (unsigned long long)result.receipts, (unsigned long long)result.applications);
    if (complete && result.conflicted > 0) {
        fprintf(stderr, NAME ": %lu accounts were changed by another program meanwhile; run again for them\n",
                (unsigned long)result.conflicted);
        complete = 0;
    }
    if (crd_plan_rewind(plan) != CRD_OK)
        fail_ledger(job, "planning");
    each_account(job, plan, visit_posted);
    crd_plan_close(plan);
    return complete;
}

/* ---- Show */

static void show_table(struct table *table) {
    if (table->rows == 0)
        printf("  nothing\n");
    else
        table_print(stdout, table);
    table_free(table);
}

/* Left out, or not used whole: how much of what for which reason. */
static void show_reasons(const struct outcome *outcome) {
    static const char *const heads[] = {"Stays open because", ">Credits", ">Amount",
                                        ">Invoices",          ">Amount",  NULL};
    char counts[SIDES][24], amounts[SIDES][MONEY];
    const char *cells[5];
    struct table table;
    uint32_t why;
    int side;

    table_begin(&table, 1, heads);
    for (why = 0; why <= CRD_LEFT_SKIPPED; why++) {
        if (outcome->left[CREDITS][why].count + outcome->left[INVOICES][why].count == 0)
            continue;
        cells[0] = crd_left_text(why);
        for (side = 0; side < SIDES; side++) {
            cells[1 + 2 * side] = number(outcome->left[side][why].count, counts[side]);
            cells[2 + 2 * side] = money(outcome->left[side][why].amount, outcome->exponent, amounts[side]);
        }
        put(&table, cells);
    }
    if (table.rows > 0) {
        putchar('\n');
        table_print(stdout, &table);
    }
    table_free(&table);
}

static void show_prescan(struct job *job) {
    static const char *const heads[] = {"",      ">Credits",      ">Open",     ">Invoices",
                                        ">Open", ">Applications", ">To apply", NULL};
    char date[CRD_DATE_TEXT];
    struct outcome *c;
    struct table table;
    size_t at = 0;

    table_begin(&table, 1, heads);
    while ((c = next_outcome(job, &at)) != NULL) {
        const struct figure *figures[3];
        char counts[3][24], amounts[3][MONEY];
        const char *cells[7];
        int i;

        figures[0] = &c->prescan[CREDITS];
        figures[1] = &c->prescan[INVOICES];
        figures[2] = &c->proposed;
        cells[0] = c->code;
        for (i = 0; i < 3; i++) {
            cells[1 + 2 * i] = number(figures[i]->count, counts[i]);
            cells[2 + 2 * i] = money(figures[i]->amount, c->exponent, amounts[i]);
        }
        put(&table, cells);
    }
    printf("\nPRESCAN as of %s: what the run would do\n", day(job->as_of, date));
    show_table(&table);
    at = 0;
    while ((c = next_outcome(job, &at)) != NULL) {
        printf("\n%s: what would be applied, by customer\n", c->code);
        show_table(&c->accounts);
        show_reasons(c);
    }
}

static void show_aging(const struct outcome *outcome) {
    static const char *const heads[] = {"",          ">Not due",        ">1–30 days",   ">31–60",   ">61–90",
                                        ">Over 90", ">Unapplied cash", ">Other credit", ">Balance", NULL};
    static const char *const when[2] = {"before", "after"};
    char amounts[CRD_AGING_BUCKETS + 1][MONEY];
    const char *cells[CRD_AGING_BUCKETS + 2];
    struct table table;
    int after, i;

    table_begin(&table, 1, heads);
    for (after = 0; after < 2; after++) {
        int64_t balance = 0;

        cells[0] = when[after];
        for (i = 0; i < CRD_AGING_BUCKETS; i++) {
            balance += outcome->aging[after][i];
            cells[1 + i] = money(outcome->aging[after][i], outcome->exponent, amounts[i]);
        }
        cells[1 + i] = money(balance, outcome->exponent, amounts[i]);
        put(&table, cells);
    }
    show_table(&table);
}

static void show_book(const struct job *job) {
    static const char *const heads[] = {"",      ">Customers", ">Invoices", ">Paid",   ">Partly",
                                        ">Open", ">Credits",   ">Spent",    ">Partly", ">Remaining",
                                        NULL};
    const struct outcome *c;
    struct table table;
    size_t at = 0;

    table_begin(&table, 1, heads);
    while ((c = next_outcome(job, &at)) != NULL) {
        char counts[7][24], amounts[SIDES][MONEY];
        const char *cells[10];
        int side, i = 0, n = 0;

        cells[i++] = c->code;
        cells[i++] = number(c->customers, counts[n++]);
        for (side = INVOICES; side >= CREDITS; side--) {
            cells[i++] = number(c->all[side].count, counts[n++]);
            cells[i++] = number(c->closed[side], counts[n++]);
            cells[i++] = number(c->partly[side], counts[n++]);
            cells[i++] = money(c->all[side].amount, c->exponent, amounts[side]);
        }
        put(&table, cells);
    }
    show_table(&table);
}

static void show_outcome(struct job *job) {
    char date[CRD_DATE_TEXT], amount[MONEY];
    struct outcome *c;
    size_t at = 0;

    while ((c = next_outcome(job, &at)) != NULL) {
        printf("\n%s: APPLIED %s, in this order\n", c->code, money(c->posted.amount, c->exponent, amount));
        show_table(&c->applied);
        printf("\n%s: LEFT OPEN\n", c->code);
        show_table(&c->open);
        printf("\n%s: AGING as of %s, before and after\n", c->code, day(job->as_of, date));
        show_aging(c);
    }
    printf("\nTHE BOOK after the run\n");
    show_book(job);
}

static void print_json(const struct job *job) {
    static const struct outcome none;
    const struct outcome *c;
    size_t at = 0, count = 0;
    const char *between = "";

    while (next_outcome(job, &at))
        count++;
    at = 0;
    fputs(count > 1 ? "[" : "", stdout);
    for (c = next_outcome(job, &at), c = c ? c : &none; c; c = next_outcome(job, &at)) {
        printf("%s{", between);
        between = ",\n";
        if (count > 1)
            printf("\"currency\":\"%s\",", c->code);
        printf("\"customers\":%lld,\"invoices\":%lld,\"credits\":%lld,"
               "\"applications\":%lld,\"applied_minor\":%lld,"
               "\"invoices_paid\":%lld,\"invoices_partly_paid\":%lld,\"credits_spent\":%lld,"
               "\"credits_partly_spent\":%lld,\"credit_remaining_minor\":%lld,\"invoice_open_minor\":%lld}",
               (long long)c->customers, (long long)c->all[INVOICES].count, (long long)c->all[CREDITS].count,
               (long long)c->posted.count, (long long)c->posted.amount, (long long)c->closed[INVOICES],
               (long long)c->partly[INVOICES], (long long)c->closed[CREDITS], (long long)c->partly[CREDITS],
               (long long)c->all[CREDITS].amount, (long long)c->all[INVOICES].amount);
    }
    fputs(count > 1 ? "]\n" : "\n", stdout);
}

/* ---- All of it */

static void usage(FILE *file) {
    fputs("usage: " NAME " [OPTION]… FILE\n"
          "Reconciles the open items of a CSV file with the columns customer, document, kind, issued, due,\n"
          "currency and amount_minor.\n"
          "  --store memory|sqlite:PATH  where the book is kept (memory)\n"
          "  --as-of DATE                date of the run and of the aging (the latest issued in the file)\n"
          "  --applications FILE         write customer,credit,invoice,amount_minor there, in order\n"
          "  --skip-bad                  leave bad rows out; without it one bad row stops everything\n"
          "  --json                      print the outcome as JSON and nothing else\n"
          "  --all                       show long lists whole\n",
          file);
}

static void bad_usage(const char *what, const char *which) {
    fprintf(stderr, NAME ": %s %s\n", what, which);
    usage(stderr);
    exit(2);
}

static void read_options(struct job *job, int argc, char **argv) {
    int i;

    job->store = "memory";
    for (i = 1; i < argc; i++) {
        const char *option = argv[i];
        int valued = strcmp(option, "--store") == 0 || strcmp(option, "--as-of") == 0
                     || strcmp(option, "--applications") == 0;

        if (valued && i + 1 == argc)
            bad_usage("a value is missing after", option);
        if (strcmp(option, "--help") == 0) {
            usage(stdout);
            exit(0);
        } else if (strcmp(option, "--json") == 0) {
            job->json = 1;
        } else if (strcmp(option, "--all") == 0) {
            job->all = 1;
        } else if (strcmp(option, "--skip-bad") == 0) {
            job->skip_bad = 1;
        } else if (strcmp(option, "--store") == 0) {
            job->store = argv[++i];
        } else if (strcmp(option, "--applications") == 0) {
            job->applications_path = argv[++i];
        } else if (strcmp(option, "--as-of") == 0) {
            if (crd_date_from_text(argv[++i], &job->as_of) != CRD_OK)
                bad_usage("not a date (YYYY-MM-DD):", argv[i]);
        } else if (option[0] == '-' || job->file.path) {
            bad_usage("unexpected argument", option);
        } else {
            job->file.path = option;
        }
    }
    if (!job->file.path)
        bad_usage("a FILE is missing", "");
    if (strcmp(job->store, "memory") != 0 && (strncmp(job->store, "sqlite:", 7) != 0 || !job->store[7]))
        bad_usage("--store is memory or sqlite:PATH, not", job->store);
}

static void free_job(struct job *job) {
    struct outcome *outcome;
    size_t at = 0;

    while ((outcome = next_outcome(job, &at)) != NULL) {
        table_free(&outcome->accounts);
        table_free(&outcome->applied);
        table_free(&outcome->open);
        free(outcome);
    }
    open_items_free(&job->file);
}

int main(int argc, char **argv) {
    struct job job;
    int complete = 1;

    memset(&job, 0, sizeof job);
    read_options(&job, argc, argv);
    if (strcmp(job.store, "memory") == 0 || book_exists(&job)) {
        open_book(&job);
        load_book(&job);
    }
    open_items_read(&job.file);
    if (job.file.bad > 0 && !job.skip_bad) {
        fprintf(stderr, "%s: %lu of %lu rows are bad; nothing was kept\n", job.file.path, job.file.bad,
                job.file.rows);
        close_book(&job);
        free_job(&job);
        return 1;
    }
    if (job.applications_path && !(job.applications = fopen(job.applications_path, "w")))
        give_up(job.applications_path, strerror(errno));
    if (job.applications)
        fputs("customer,credit,invoice,amount_minor\n", job.applications);
    if (!job.ledger)
        open_book(&job);
    if (!job.json)
        printf("%s: rows: %lu, of which repeat others: %lu, are bad and left out: %lu\n", job.file.path,
               job.file.rows, job.file.repeated, job.file.bad);
    keep_items(&job);
    if (job.as_of == 0)
        job.as_of = job.file.latest;
    if (job.as_of > 0) {
        each_row(&job, CRD_REPORT_AGING, 0, visit_aging);
        if (!job.json)
            each_row(&job, CRD_REPORT_INVOICES, 1u << CRD_INVOICE_DRAFT, visit_draft);
        complete = run(&job);
        job.after = 1;
        if (!job.json)
            each_row(&job, CRD_REPORT_INVOICES, 1u << CRD_INVOICE_DRAFT, visit_draft);
        each_row(&job, CRD_REPORT_AGING, 0, visit_aging);
    }
    each_row(&job, CRD_REPORT_CREDITS, 0, visit_outcome);
    each_row(&job, CRD_REPORT_INVOICES, 0, visit_outcome);
    if (job.json)
        print_json(&job);
    else
        show_outcome(&job);
    close_book(&job);
    if (job.applications && fclose(job.applications) != 0)
        give_up(job.applications_path, strerror(errno));
    free_job(&job);
    if (fflush(stdout) != 0 || ferror(stdout))
        give_up("writing the outcome", strerror(errno));
    return complete ? 0 : 1;
}
