/*
 * Hearing of everything (R45): events after the write that kept them, and the entries that were not acknowledged, for
 * hosts that crash between the two or write in transactions of their own.
 */
#include "support/world.h"

#include <stdio.h>
#include <string.h>

/* The unacknowledged entries, as "c1 EUR 3 apply; …". */
static const char *unseen(crd_ledger *ledger, const char *who, const char *currency) {
    static char text[4000];
    crd_report_spec spec;
    crd_report *report = NULL;
    const crd_row *row = NULL;
    memset(&spec, 0, sizeof spec);
    spec.struct_size = sizeof spec;
    spec.report = CRD_REPORT_UNACKNOWLEDGED;
    spec.customer = who;
    spec.currency = currency;
    text[0] = '\0';
    ENDS(ledger, crd_report_open(ledger, &spec, &report), CRD_OK);
    for (;;) {
        size_t length = strlen(text);
        ENDS(ledger, crd_report_next(report, &row), CRD_OK);
        if (row == NULL) break;
        ck_assert_ptr_nonnull(row->entry);
        ck_assert_ptr_nonnull(row->account);
        ck_assert_int_gt(row->entry->seq, row->account->acknowledged_seq);
        snprintf(text + length, sizeof text - length, "%s%s%s%s %d %s", length > 0 ? "; " : "", row->customer,
                 row->currency[0] != '\0' ? " " : "", row->currency, (int)row->entry->seq,
                 crd_entry_name(row->entry->type));
    }
    crd_report_close(report);
    return text;
}

static int64_t acknowledged(world *w, const char *who, const char *currency) {
    book *b = world_book(w);
    int64_t seq = book_account(b, who, currency)->acknowledged_seq;
    book_free(b);
    return seq;
}

START_TEST(R45_what_is_not_acknowledged_is_told_until_it_is) {
    world *w = world_open(_i);
    crd_credit *k;
    crd_invoice *i;
    customer(w, "c1");
    customer(w, "c2");
    k = memo(w, "c1", "K", 100, 0);
    i = invoice(w, "c1", "I", 30, 0, 30);
    ck_assert_str_eq(unseen(w->ledger, NULL, NULL), "c1 1 customer; c1 EUR 1 issue; c1 EUR 2 invoice; c2 1 customer");
    ck_assert_str_eq(unseen(w->ledger, "c1", "EUR"), "c1 EUR 1 issue; c1 EUR 2 invoice");
    OK(w, crd_acknowledge(w->ledger, "c1", "", 1));
    OK(w, crd_acknowledge(w->ledger, "c2", "", 1));
    OK(w, crd_acknowledge(w->ledger, "c1", "EUR", 1));
    world_check(w);
    ck_assert_int_eq(acknowledged(w, "c1", "EUR"), 1);
    ck_assert_str_eq(unseen(w->ledger, NULL, NULL), "c1 EUR 2 invoice");
    OK(w, crd_acknowledge(w->ledger, "c1", "EUR", 2));
    ck_assert_str_eq(unseen(w->ledger, NULL, NULL), "");
    /* the mark stays when the handles go on, and what comes is told */
    apply(w, k, i, 10, 1);
    ck_assert_int_eq(acknowledged(w, "c1", "EUR"), 2);
    ck_assert_str_eq(unseen(w->ledger, NULL, NULL), "c1 EUR 3 apply");
    /* again, and earlier ones, change nothing */
    world_remember(w);
    OK(w, crd_acknowledge(w->ledger, "c1", "EUR", 1));
    OK(w, crd_acknowledge(w->ledger, "c1", "EUR", 2));
    world_same(w, "acknowledged before");
    crd_credit_free(k);
    crd_invoice_free(i);
    world_close(w);
}
END_TEST

START_TEST(R45_only_entries_that_exist_can_be_acknowledged) {
    world *w = world_open(_i);
    crd_settings settings;
    customer(w, "c1");
    crd_credit_free(memo(w, "c1", "K", 100, 0));
    REFUSED(w, crd_acknowledge(w->ledger, "c1", "EUR", 2), CRD_E_NOT_FOUND);
    REFUSED(w, crd_acknowledge(w->ledger, "c1", "USD", 1), CRD_E_NOT_FOUND);
    REFUSED(w, crd_acknowledge(w->ledger, "c9", "EUR", 1), CRD_E_NOT_FOUND);
    REFUSED(w, crd_acknowledge(w->ledger, "c1", "EUR", 0), CRD_E_ARGUMENT);
    FIELD(w, "seq");
    REFUSED(w, crd_acknowledge(w->ledger, NULL, "EUR", 1), CRD_E_ARGUMENT);
    REFUSED(w, crd_acknowledge(w->ledger, "c1", NULL, 1), CRD_E_ARGUMENT);
    REFUSED(w, crd_acknowledge(w->ledger, "c1", "EURO", 1), CRD_E_CURRENCY);
    ck_assert_int_eq(crd_acknowledge(NULL, "c1", "EUR", 1), CRD_E_ARGUMENT);
    OK(w, crd_unit_begin(w->ledger));
    REFUSED(w, crd_acknowledge(w->ledger, "c1", "EUR", 1), CRD_E_UNIT);
    OK(w, crd_unit_rollback(w->ledger));
    memset(&settings, 0, sizeof settings);
    settings.struct_size = sizeof settings;
    settings.feature_off = 1;
    OK(w, crd_ledger_configure(w->ledger, &settings));
    OK(w, crd_acknowledge(w->ledger, "c1", "EUR", 1));
    world_close(w);
}
END_TEST

static struct {
    uint32_t command;
    int refuse;
} guard;
static int32_t CRD_CALL authorize(void *ctx, const crd_operation *operation) {
    (void)ctx;
    guard.command = operation->command;
    ck_assert_ptr_nonnull(operation->actor);
    return guard.refuse;
}

START_TEST(R30_R45_acknowledging_asks_too) {
    crd_hooks hooks;
    world *w;
    memset(&hooks, 0, sizeof hooks);
    hooks.authorize = authorize;
    memset(&guard, 0, sizeof guard);
    w = world_open_with(_i, NULL, NULL, &hooks);
    customer(w, "c1");
    guard.refuse = 1;
    REFUSED(w, crd_acknowledge(w->ledger, "c1", "", 1), CRD_E_DENIED);
    ck_assert_uint_eq(guard.command, CRD_COMMAND_ACKNOWLEDGE);
    world_close(w);
}
END_TEST

static struct {
    crd_ledger *ledger;
    int times;
} rival;
static void rival_issues(void *ctx, shim *s) {
    crd_credit_terms t = credit_terms(NULL, CRD_CREDIT_MEMO, 1);
    (void)ctx;
    if (rival.times-- == 0) s->before_write = NULL;
    ENDS(rival.ledger, crd_credit_issue(rival.ledger, on(1), "c1", &t, NULL), CRD_OK);
}

START_TEST(R45_R32_a_rival_costs_another_try) {
    world *w = world_open(_i);
    customer(w, "c1");
    crd_credit_free(memo(w, "c1", "K", 100, 0));
    rival.ledger = world_rival(w);
    rival.times = 1;
    w->shim.before_write = rival_issues;
    OK(w, crd_acknowledge(w->ledger, "c1", "EUR", 1));
    world_check(w);
    ck_assert_int_eq(acknowledged(w, "c1", "EUR"), 1);
    ck_assert_str_eq(unseen(w->ledger, "c1", "EUR"), "c1 EUR 2 issue; c1 EUR 3 issue");
    rival.times = 100;
    w->shim.before_write = rival_issues;
    ENDS(w->ledger, crd_acknowledge(w->ledger, "c1", "EUR", 2), CRD_E_CONFLICT);
    w->shim.before_write = NULL;
    ck_assert_int_eq(acknowledged(w, "c1", "EUR"), 1);
    world_close(w);
}
END_TEST

/* Another process's snapshot has the old mark: it may come back, so an entry is told twice, but none is missed. */
START_TEST(R45_a_mark_that_another_writer_puts_back_repeats_and_misses_nothing) {
    world *w = world_open(_i);
    crd_credit *k;
    crd_ledger *other;
    crd_result r = result_block();
    customer(w, "c1");
    crd_credit_free(memo(w, "c1", "K", 100, 0));
    other = world_rival(w);
    k = find_credit(other, "c1", "K");
    OK(w, crd_acknowledge(w->ledger, "c1", "EUR", 1));
    ENDS(other, try_apply(other, k, NULL, 5, 0, on(1), &r), CRD_OK); /* decided on what it had read */
    world_check(w);
    ck_assert_int_le(acknowledged(w, "c1", "EUR"), 1);
    ck_assert_ptr_nonnull(strstr(unseen(w->ledger, "c1", "EUR"), "c1 EUR 2 apply"));
    /* whoever reads again goes on with the mark */
    OK(w, crd_acknowledge(w->ledger, "c1", "EUR", 2));
    ENDS(other, crd_credit_refresh(k), CRD_OK);
    ENDS(other, try_apply(other, k, NULL, 5, 0, on(1), &r), CRD_OK);
    ck_assert_int_eq(acknowledged(w, "c1", "EUR"), 2);
    crd_credit_free(k);
    world_close(w);
}
END_TEST

START_TEST(R45_failures_of_the_storage) {
    static const struct {
        int fault;
        crd_status status;
    } cases[] = {{SHIM_FAILED, CRD_E_STORAGE}, {SHIM_UNKNOWN_KEPT, CRD_OK}, {SHIM_UNKNOWN_LOST, CRD_OK},
                 {SHIM_UNTOUCHED, CRD_OK}};
    for (size_t n = 0; n < sizeof cases / sizeof cases[0]; n++) {
        world *w = world_open(_i);
        customer(w, "c1");
        shim_reset(&w->shim);
        w->shim.fail_at = 2; /* the write behind the read */
        w->shim.fault = cases[n].fault;
        ENDS(w->ledger, crd_acknowledge(w->ledger, "c1", "", 1), cases[n].status);
        shim_reset(&w->shim);
        ck_assert_int_eq(acknowledged(w, "c1", ""), cases[n].status == CRD_OK);
        OK(w, crd_acknowledge(w->ledger, "c1", "", 1));
        world_check(w);
        world_close(w);
    }
}
END_TEST

START_TEST(R45_many_accounts_come_page_by_page) {
    world *w = world_open(_i);
    crd_report_spec spec;
    crd_report *report = NULL;
    const crd_row *row = NULL;
    char last[16] = "", who[16];
    int rows = 0;
    w->careless = 1;
    for (int n = 0; n < 600; n++) {
        snprintf(who, sizeof who, "c%03d", n);
        customer(w, who);
        if (n % 5 == 0) OK(w, crd_acknowledge(w->ledger, who, "", 1));
    }
    memset(&spec, 0, sizeof spec);
    spec.struct_size = sizeof spec;
    spec.report = CRD_REPORT_UNACKNOWLEDGED;
    OK(w, crd_report_open(w->ledger, &spec, &report));
    for (;; rows++) {
        OK(w, crd_report_next(report, &row));
        if (row == NULL) break;
        ck_assert_int_gt(strcmp(row->customer, last), 0);
        snprintf(last, sizeof last, "%s", row->customer);
    }
    ck_assert_int_eq(rows, 480);
    crd_report_close(report);
    spec.kind = CRD_KIND_CREDIT;
    ENDS(w->ledger, crd_report_open(w->ledger, &spec, &report), CRD_E_ARGUMENT);
    world_close(w);
}
END_TEST

/* ---- events ---- */

static struct {
    char seen[64][80];
    int count, lines;
    int64_t quantity;
} told;
static void CRD_CALL event(void *ctx, const crd_event *e) {
    (void)ctx;
    snprintf(told.seen[told.count++ % 64], sizeof told.seen[0], "%s %s %d", e->entry->customer, e->entry->currency,
             (int)e->entry->seq);
    told.lines += (int)e->line_count;
    for (uint64_t i = 0; i < e->line_count; i++) told.quantity += e->lines[i]->quantity;
}

static world *open_hooked(int store) {
    crd_hooks hooks;
    memset(&hooks, 0, sizeof hooks);
    hooks.event = event;
    memset(&told, 0, sizeof told);
    return world_open_with(store, NULL, NULL, &hooks);
}

/* A credit invoice moves stock: its lines come with the event, negated. */
START_TEST(R45_the_lines_of_a_credit_invoice_come_with_its_event) {
    world *w = open_hooked(_i);
    crd_credit_terms t = credit_terms("M", CRD_CREDIT_MEMO, 50);
    crd_line_terms line;
    const crd_line_terms *lines[1];
    customer(w, "c1");
    memset(&line, 0, sizeof line);
    line.struct_size = sizeof line;
    line.sku = "seed";
    line.quantity = 3000;
    line.amount = 50;
    lines[0] = &line;
    t.lines = lines;
    t.line_count = 1;
    OK(w, crd_credit_issue(w->ledger, on(1), "c1", &t, NULL));
    ck_assert_int_eq(told.lines, 1);
    ck_assert_int_eq(told.quantity, -3000);
    world_check(w);
    world_close(w);
}
END_TEST

/* Bulk, switches, raises: every entry is told once, and is what the journal has. */
START_TEST(R45_every_entry_that_is_kept_is_told_and_none_else) {
    world *w = open_hooked(_i);
    crd_customer *c = NULL;
    crd_customer_change_terms change;
    crd_credit_terms t[3];
    crd_bulk_row rows[3];
    const crd_bulk_row *list[3];
    book *b;
    customer(w, "c1");
    memset(rows, 0, sizeof rows);
    for (size_t i = 0; i < 3; i++) {
        t[i] = credit_terms(NULL, i == 1 ? CRD_CREDIT_DEPOSIT : CRD_CREDIT_MEMO, 10);
        rows[i].struct_size = sizeof rows[i];
        rows[i].customer = i == 2 ? "nobody" : "c1";
        rows[i].terms = &t[i];
        list[i] = &rows[i];
    }
    OK(w, crd_credit_issue_many(w->ledger, on(1), list, 3, 0, NULL, NULL));
    ck_assert_int_eq(told.count, 4);
    ENDS(w->ledger, crd_credit_issue_many(w->ledger, on(1), list, 3, CRD_BULK_ALL_OR_NOTHING, NULL, NULL),
         CRD_E_NOT_FOUND);
    ck_assert_int_eq(told.count, 4);
    OK(w, crd_customer_find(w->ledger, "c1", &c));
    memset(&change, 0, sizeof change);
    change.struct_size = sizeof change;
    change.set = CRD_SWITCH_AUTO_APPLY_OFF;
    OK(w, crd_customer_change(w->ledger, on(1), c, &change, NULL));
    ck_assert_int_eq(told.count, 6);
    ck_assert_str_eq(told.seen[4], "c1  2");
    ck_assert_str_eq(told.seen[5], "c1 EUR 4");
    b = world_book(w);
    ck_assert_uint_eq(book_count(b, CRD_KIND_ENTRY), 6);
    book_free(b);
    crd_customer_free(c);
    world_close(w);
}
END_TEST

#ifndef CREDIT_NO_SQLITE
#include <credit/sqlite.h>
#include <sqlite3.h>

/* Inside the host's own transaction nothing is told, for it may roll back; after the commit the entries are there to be
 * read, and after a rollback they are not. */
START_TEST(R45_R64_in_a_joined_transaction_nothing_is_told_and_the_entries_are_there_to_catch_up) {
    sqlite3 *db = NULL;
    crd_sqlite *storage = NULL;
    crd_ledger_options options;
    crd_ledger *ledger = NULL;
    crd_hooks hooks;
    crd_credit_terms t = credit_terms("K", CRD_CREDIT_MEMO, 10);
    memset(&hooks, 0, sizeof hooks);
    memset(&told, 0, sizeof told);
    hooks.struct_size = sizeof hooks;
    hooks.event = event;
    ck_assert_int_eq(sqlite3_open(":memory:", &db), SQLITE_OK);
    ck_assert_int_eq(crd_sqlite_attach(db, 0, &storage), CRD_OK);
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    options.storage = crd_sqlite_storage(storage);
    options.hooks = &hooks;
    ck_assert_int_eq(crd_ledger_open(&options, &ledger), CRD_OK);
    {
        crd_request r = *on(0);
        r.instant = noon(0);
        ENDS(ledger, crd_customer_add(ledger, &r, "c1", NULL, NULL), CRD_OK);
        ck_assert_int_eq(told.count, 1);
        ck_assert_int_eq(sqlite3_exec(db, "BEGIN", NULL, NULL, NULL), SQLITE_OK);
        ENDS(ledger, crd_credit_issue(ledger, &r, "c1", &t, NULL), CRD_OK);
        ENDS(ledger, crd_acknowledge(ledger, "c1", "", 1), CRD_E_UNIT); /* it would come back after a rollback */
        ck_assert_int_eq(told.count, 1);
        ck_assert_int_eq(sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
        ck_assert_str_eq(unseen(ledger, NULL, NULL), "c1 1 customer");
        ck_assert_int_eq(sqlite3_exec(db, "BEGIN", NULL, NULL, NULL), SQLITE_OK);
        ENDS(ledger, crd_credit_issue(ledger, &r, "c1", &t, NULL), CRD_OK);
        ck_assert_int_eq(sqlite3_exec(db, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
        ck_assert_int_eq(told.count, 1);
        ck_assert_str_eq(unseen(ledger, NULL, NULL), "c1 1 customer; c1 EUR 1 issue");
        ENDS(ledger, crd_acknowledge(ledger, "c1", "EUR", 1), CRD_OK);
        ck_assert_str_eq(unseen(ledger, NULL, NULL), "c1 1 customer");
    }
    crd_ledger_close(ledger);
    crd_sqlite_close(storage);
    sqlite3_close(db);
}
END_TEST
#endif

static Suite *make(void) {
    Suite *s = suite_create("events");
    TCase *t = tcase_create("events");
    tcase_add_loop_test(t, R45_what_is_not_acknowledged_is_told_until_it_is, 0, STORES);
    tcase_add_loop_test(t, R45_only_entries_that_exist_can_be_acknowledged, 0, STORES);
    tcase_add_loop_test(t, R30_R45_acknowledging_asks_too, 0, STORES);
    tcase_add_loop_test(t, R45_R32_a_rival_costs_another_try, 0, STORES);
    tcase_add_loop_test(t, R45_a_mark_that_another_writer_puts_back_repeats_and_misses_nothing, 0, STORES);
    tcase_add_loop_test(t, R45_failures_of_the_storage, 0, STORES);
    tcase_add_loop_test(t, R45_many_accounts_come_page_by_page, 0, STORES);
    tcase_add_loop_test(t, R45_the_lines_of_a_credit_invoice_come_with_its_event, 0, STORES);
    tcase_add_loop_test(t, R45_every_entry_that_is_kept_is_told_and_none_else, 0, STORES);
#ifndef CREDIT_NO_SQLITE
    tcase_add_test(t, R45_R64_in_a_joined_transaction_nothing_is_told_and_the_entries_are_there_to_catch_up);
#endif
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return world_main(make);
}
