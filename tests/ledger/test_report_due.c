/*
 * Reports on what is owed: aging with bounds of one's own, overdue, due after credit; and the history of a document, an
 * account or a customer, cut by date and by what was known.
 */
#include "support/rows.h"
#include "support/scene.h"

#include <stdlib.h>
#include <string.h>

/* Museum 25: Buckets of the host's own had a gap between two bounds. Naive rule: from > a and < b, for each column
 * by itself. */
START_TEST(R69_museum_25_own_buckets_are_a_partition_too) {
    static const int32_t bounds[] = {-7, 0, 14};
    world *w = world_open(_i);
    crd_report_spec spec = report_spec(CRD_REPORT_AGING, 0, DAY(100), 0);
    cursor c;
    int64_t sum = 0;
    customer(w, "c1");
    crd_invoice_free(invoice(w, "c1", "far", 1, 0, 108)); /* due in 8 days: not overdue by more than −7 */
    crd_invoice_free(invoice(w, "c1", "near", 10, 0, 107));
    crd_invoice_free(invoice(w, "c1", "soon", 100, 0, 106));
    crd_invoice_free(invoice(w, "c1", "today", 1000, 0, 100));
    crd_invoice_free(invoice(w, "c1", "14", 10000, 0, 86));
    crd_invoice_free(invoice(w, "c1", "15", 100000, 0, 85));
    crd_credit_free(cash(w, "c1", "P", 7, 0));
    crd_credit_free(memo(w, "c1", "M", 5, 0));
    spec.bucket_days = bounds;
    spec.bucket_count = 3;
    c = cursor_open(w, &spec);
    ck_assert_uint_eq(cursor_next(&c)->bucket_count, 6);
    ck_assert_int_eq(c.row->buckets[0], 11);
    ck_assert_int_eq(c.row->buckets[1], 1100);
    ck_assert_int_eq(c.row->buckets[2], 10000);
    ck_assert_int_eq(c.row->buckets[3], 100000);
    ck_assert_int_eq(c.row->buckets[4], -7);
    ck_assert_int_eq(c.row->buckets[5], -5);
    for (int n = 0; n < 6; n++) sum += c.row->buckets[n];
    ck_assert_int_eq(c.row->amount, sum);
    cursor_end(&c);
    world_close(w);
}
END_TEST

START_TEST(R62_R69_aging_as_of_a_day_before_the_payment) {
    world *w = world_open(_i);
    crd_report_spec spec = report_spec(CRD_REPORT_AGING, 0, DAY(40), 0);
    crd_invoice *i;
    crd_credit *m;
    cursor c;
    customer(w, "c1");
    customer(w, "c2");
    i = invoice(w, "c1", "I", 100, 0, 10);
    m = memo(w, "c1", "M", 100, 50);
    apply(w, m, i, 100, 50);
    crd_invoice_free(invoice(w, "c2", "J", 60, 45, 60));
    crd_credit_free(m);
    crd_invoice_free(i);
    c = cursor_open(w, &spec); /* nothing of c1 is open today, nothing of c2 was there then */
    ck_assert_int_eq(cursor_next(&c)->buckets[CRD_AGING_1_30], 100);
    ck_assert_str_eq(c.row->customer, "c1");
    cursor_end(&c);
    spec.date = DAY(50);
    c = cursor_open(w, &spec);
    ck_assert_int_eq(cursor_next(&c)->buckets[CRD_AGING_CURRENT], 60);
    cursor_end(&c);
    world_close(w);
}
END_TEST

START_TEST(R54_overdue_per_customer) {
    world *w = world_open(_i);
    crd_report_spec spec = report_spec(CRD_REPORT_OVERDUE, 0, DAY(20), 0);
    cursor c;
    customer(w, "c1");
    customer(w, "c2");
    crd_invoice_free(invoice(w, "c1", "A", 100, 0, 10));
    crd_invoice_free(invoice(w, "c1", "B", 50, 0, 19));
    crd_invoice_free(invoice(w, "c1", "C", 30, 0, 20));
    crd_invoice_free(invoice(w, "c2", "D", 30, 0, 20));
    crd_credit_free(memo(w, "c1", "M", 20, 0));
    c = cursor_open(w, &spec);
    FIGURES_ARE(cursor_next(&c), 180, 150, 20, 160, 130);
    ck_assert_int_eq(c.row->amount, 150);
    ck_assert_int_eq(c.row->date, DAY(10));
    cursor_end(&c);
    world_close(w);
}
END_TEST

/* Museum 39: A customer was reminded though credit covered the debt. Naive rule: remind of what is open and
 * overdue. */
START_TEST(R74_museum_39_no_reminder_where_credit_covers_the_debt) {
    world *w = world_open(_i);
    crd_report_spec spec = report_spec(CRD_REPORT_DUE_AFTER_CREDIT, 0, DAY(30), 0);
    crd_credit_terms t;
    cursor c;
    customer(w, "c1");
    customer(w, "c2");
    customer(w, "c3");
    crd_invoice_free(invoice(w, "c1", "A", 100, 0, 10));
    crd_credit_free(cash(w, "c1", "P", 130, 5));
    /* restricted, reserved, not yet effective, expired, later and disputed: reconcile would leave them out */
    crd_invoice_free(invoice(w, "c2", "B", 100, 0, 10));
    crd_invoice_free(invoice_as(w, "c2", "X", CRD_INVOICE_INVOICE, 40, 0, 20, CRD_INVOICE_AS_DISPUTED));
    t = credit_terms("fee only", CRD_CREDIT_MEMO, 500);
    t.pays_kinds = 1u << CRD_INVOICE_FEE;
    OK(w, crd_credit_issue(w->ledger, on(0), "c2", &t, NULL));
    t = credit_terms("reserved", CRD_CREDIT_MEMO, 500);
    t.flags = CRD_FLAG_RESERVED;
    OK(w, crd_credit_issue(w->ledger, on(0), "c2", &t, NULL));
    t = credit_terms("later", CRD_CREDIT_MEMO, 500);
    t.effective = DAY(31);
    OK(w, crd_credit_issue(w->ledger, on(0), "c2", &t, NULL));
    crd_credit_free(promise(w, "c2", "expired", 500, 0, 30));
    crd_credit_free(memo(w, "c2", "tomorrow", 500, 31));
    crd_credit_free(memo(w, "c2", "M", 15, 0));
    crd_credit_free(memo(w, "c3", "M", 15, 0)); /* owes nothing */
    c = cursor_open(w, &spec);
    FIGURES_ARE(cursor_next(&c), 100, 100, 100, 0, 0);
    ck_assert_str_eq(c.row->customer, "c1");
    ck_assert_int_eq(c.row->amount, 0);
    FIGURES_ARE(cursor_next(&c), 140, 140, 15, 125, 125);
    ck_assert_str_eq(c.row->customer, "c2");
    ck_assert_int_eq(c.row->amount, 125);
    ck_assert_int_eq(c.row->date, DAY(10));
    cursor_end(&c);
    /* and a reconcile of that date with cash says the same */
    reconcile(w, CRD_PLAN_USE_CASH, 30);
    ck_assert_int_eq(stored_invoice(w, "c1", "A").open, 0);
    ck_assert_int_eq(stored_invoice(w, "c2", "B").open, 85);
    ck_assert_int_eq(stored_invoice(w, "c2", "X").open, 40);
    world_close(w);
}
END_TEST

START_TEST(R11_R36_lists_without_a_date_show_what_is_stored) {
    world *w = world_open(_i);
    crd_report_spec spec = report_spec(CRD_REPORT_OPEN_ITEMS, 0, 0, 0);
    cursor c;
    customer(w, "c1");
    crd_credit_free(promise(w, "c1", "G", 30, 0, 20));
    crd_invoice_free(invoice(w, "c1", "I", 100, 500, 510)); /* dated well after the clock */
    c = cursor_open(w, &spec);
    ck_assert_int_eq(cursor_next(&c)->amount, -30);
    ck_assert_int_eq(cursor_next(&c)->amount, 100);
    cursor_end(&c);
    spec.report = CRD_REPORT_ACCOUNTS;
    c = cursor_open(w, &spec);
    ck_assert_int_eq(cursor_next(&c)->amount, 70);
    cursor_end(&c);
    spec.date = DAY(20);
    c = cursor_open(w, &spec);
    ck_assert_int_eq(cursor_next(&c)->amount, 0);
    ck_assert_int_eq(c.row->expired, 30);
    cursor_end(&c);
    spec.date = DAY(500);
    c = cursor_open(w, &spec);
    ck_assert_int_eq(cursor_next(&c)->amount, 100);
    cursor_end(&c);
    world_close(w);
}
END_TEST

static int rows_of(world *w, const crd_report_spec *spec) {
    cursor c = cursor_open(w, spec);
    int count = 0;
    while (cursor_next(&c) != NULL) count++;
    crd_report_close(c.report);
    return count;
}

START_TEST(R27_R62_history_by_date_and_by_what_was_known) {
    world *w = world_open(_i);
    crd_report_spec spec = report_spec(CRD_REPORT_HISTORY, 0, 0, 0);
    crd_credit_terms t = credit_terms("K", CRD_CREDIT_MEMO, 100);
    crd_credit *k = NULL;
    crd_request r = *on(0);
    cursor c;
    r.instant = INT64_C(86400000000) * DAY_ZERO;
    OK(w, crd_customer_add(w->ledger, &r, "c1", NULL, NULL));
    OK(w, crd_credit_issue(w->ledger, &r, "c1", &t, &k));
    for (int day = 1; day <= 5; day++) {
        crd_request at = *on(day);
        at.instant = r.instant + day;
        OK(w, try_apply(w->ledger, k, NULL, day, 0, &at, NULL));
    }
    crd_credit_free(k);
    t = credit_terms("L", CRD_CREDIT_MEMO, 50);
    t.currency = "JPY";
    r.instant += 10;
    OK(w, crd_credit_issue(w->ledger, &r, "c1", &t, NULL));
    spec.customer = "c1";
    spec.kind = CRD_KIND_CREDIT;
    spec.id = "K";
    ck_assert_int_eq(rows_of(w, &spec), 6);
    spec.date = DAY(3);
    ck_assert_int_eq(rows_of(w, &spec), 4);
    spec.date_from = DAY(2);
    ck_assert_int_eq(rows_of(w, &spec), 2);
    spec.date = 0;
    ck_assert_int_eq(rows_of(w, &spec), 4);
    spec.known_at = INT64_C(86400000000) * DAY_ZERO + 4;
    ck_assert_int_eq(rows_of(w, &spec), 3);
    /* of the customer: its own journal, then each account's */
    spec = report_spec(CRD_REPORT_HISTORY, 0, 0, 0);
    spec.customer = "c1";
    spec.kind = CRD_KIND_CUSTOMER;
    c = cursor_open(w, &spec);
    ck_assert_str_eq(cursor_next(&c)->currency, "");
    for (int n = 0; n < 6; n++) ck_assert_str_eq(cursor_next(&c)->currency, "EUR");
    ck_assert_str_eq(cursor_next(&c)->currency, "JPY");
    cursor_end(&c);
    spec.known_at = INT64_C(86400000000) * DAY_ZERO + 2;
    ck_assert_int_eq(rows_of(w, &spec), 4);
    world_close(w);
}
END_TEST

static void prescan_customer(world *w, const char *id, const char *name) {
    crd_customer_terms t = {.struct_size = sizeof t, .name = name};
    OK(w, crd_customer_add(w->ledger, at_noon(0), id, &t, NULL));
}

static const crd_row *prescan_row(cursor *c, const char *customer, const char *id, int64_t amount, int date) {
    const crd_row *row = cursor_next(c);
    ck_assert_ptr_nonnull(row);
    ck_assert_str_eq(row->customer, customer);
    ck_assert_str_eq(row->id, id);
    ck_assert_int_eq(row->amount, amount);
    ck_assert_int_eq(row->date, DAY(date));
    return row;
}

/* Credits first and negative, in the order of use, then invoices in the order of payment; what a plan shows, item by item. */
START_TEST(R51_a_prescan_is_grouped_and_sorted_as_the_preview) {
    world *w = world_open(_i);
    crd_report_spec spec = report_spec(CRD_REPORT_PRESCAN, 0, DAY(20), 0);
    crd_plan_spec plan_spec = {.struct_size = sizeof plan_spec, .date = DAY(20)};
    crd_customer_change_terms off = {.struct_size = sizeof off, .set = CRD_SWITCH_FEATURE_OFF};
    crd_customer *cramer = NULL;
    const crd_plan_account *a = NULL;
    const crd_row *row;
    crd_plan *plan = NULL;
    uint64_t items = 0;
    cursor c;
    prescan_customer(w, "c1", "Adler");
    prescan_customer(w, "c2", "Birke");
    prescan_customer(w, "c3", "Cramer");
    prescan_customer(w, "c4", "Dorn");
    crd_invoice_free(invoice(w, "c2", "I", 70, 0, 9));
    crd_credit_free(cash(w, "c2", "P", 30, 5));
    crd_invoice_free(invoice(w, "c1", "late", 100, 1, 12));
    crd_invoice_free(invoice(w, "c1", "soon", 50, 2, 8));
    crd_invoice_free(invoice_as(w, "c1", "charge", CRD_INVOICE_FINANCE_CHARGE, 3, 3, 15, 0));
    crd_invoice_free(invoice_as(w, "c1", "draft", CRD_INVOICE_INVOICE, 9, 3, 15, CRD_INVOICE_AS_DRAFT));
    crd_credit_free(memo(w, "c1", "younger", 40, 4));
    crd_credit_free(memo(w, "c1", "older", 20, 3));
    crd_invoice_free(invoice(w, "c3", "I", 70, 0, 9));
    crd_credit_free(memo(w, "c3", "M", 20, 3));
    OK(w, crd_customer_find(w->ledger, "c3", &cramer));
    OK(w, crd_customer_change(w->ledger, on(6), cramer, &off, NULL));
    crd_customer_free(cramer);
    crd_invoice_free(invoice(w, "c4", "I", 70, 0, 9)); /* no credit: nothing to reconcile */
    c = cursor_open(w, &spec);
    ck_assert_str_eq(prescan_row(&c, "c1", "older", -20, 3)->customer_record->name, "Adler");
    ck_assert_int_eq(prescan_row(&c, "c1", "younger", -40, 4)->credit->kind, CRD_CREDIT_MEMO);
    prescan_row(&c, "c1", "charge", 3, 15);
    prescan_row(&c, "c1", "soon", 50, 8);
    prescan_row(&c, "c1", "late", 100, 12);
    prescan_row(&c, "c1", "draft", 0, 15);
    ck_assert_int_eq(prescan_row(&c, "c2", "P", -30, 5)->credit_class, CRD_CLASS_CASH);
    ck_assert_int_eq(prescan_row(&c, "c2", "I", 70, 9)->invoice->total, 70);
    cursor_end(&c);
    c = cursor_open(w, &spec);
    OK(w, crd_plan_open(w->ledger, &plan_spec, &plan));
    while (crd_plan_next(plan, &a) == CRD_OK && a != NULL)
        for (uint64_t i = 0; i < a->item_count; i++, items++) {
            const crd_plan_item *item = a->items[i];
            row = cursor_next(&c);
            ck_assert_str_eq(row->customer, a->account->customer);
            ck_assert_str_eq(row->id, item->credit != NULL ? item->credit->id : item->invoice->id);
            ck_assert_int_eq(row->amount, item->credit != NULL ? -item->open : item->open);
        }
    ck_assert_uint_eq(items, 8);
    cursor_end(&c);
    crd_plan_close(plan);
    world_close(w);
}
END_TEST

/* What was printed on a day is printed again after a run, an invoice dated back and a change of name. */
START_TEST(R51_R62_a_prescan_as_of_a_past_moment) {
    world *w = world_open(_i);
    crd_report_spec then = report_spec(CRD_REPORT_PRESCAN, 0, DAY(20), noon(20));
    crd_customer_change_terms renamed = {.struct_size = sizeof renamed, .name = "Adler & Co"};
    crd_plan_spec plan = {.struct_size = sizeof plan, .flags = CRD_PLAN_USE_CASH, .date = DAY(21)};
    crd_invoice_terms late = invoice_terms("K", 8);
    crd_request back = *on(18);
    crd_customer *adler = NULL;
    char *printed, *again;
    cursor c;
    prescan_customer(w, "c1", "Adler");
    crd_invoice_free(invoice(w, "c1", "I", 70, 10, 15));
    crd_credit_free(memo(w, "c1", "M", 30, 12));
    printed = report_text(w->ledger, &then);
    ck_assert_ptr_nonnull(strstr(printed, "name=Adler"));
    ck_assert_ptr_nonnull(strstr(printed, "amount=-30"));
    OK(w, crd_reconcile(w->ledger, at_noon(21), &plan, NULL));
    back.instant = noon(22);
    late.due = DAY(19);
    OK(w, crd_invoice_enter(w->ledger, &back, "c1", &late, NULL));
    OK(w, crd_customer_find(w->ledger, "c1", &adler));
    OK(w, crd_customer_change(w->ledger, at_noon(23), adler, &renamed, NULL));
    crd_customer_free(adler);
    again = report_text(w->ledger, &then);
    same_text(again, printed, "after the run, and before", 20);
    free(printed);
    free(again);
    then.known_at = 0; /* as known now */
    c = cursor_open(w, &then);
    ck_assert_str_eq(prescan_row(&c, "c1", "M", -30, 12)->customer_record->name, "Adler & Co");
    prescan_row(&c, "c1", "I", 70, 15);
    prescan_row(&c, "c1", "K", 8, 19);
    cursor_end(&c);
    then.date = DAY(23); /* the memo is spent: nothing to reconcile */
    c = cursor_open(w, &then);
    cursor_end(&c);
    world_close(w);
}
END_TEST

START_TEST(R62_a_spec_that_makes_no_sense_is_refused) {
    static const int32_t bad_bounds[] = {0, 30, 30}, many[CRD_AGING_MAX_BOUNDS + 1] = {0};
    world *w = world_open(_i);
    crd_report *report = NULL;
    crd_report_spec spec;
    scene_fill(w);
    spec = report_spec(CRD_REPORT_PRESCAN + 1, 0, DAY(1), 0);
    REFUSED(w, crd_report_open(w->ledger, &spec, &report), CRD_E_ARGUMENT);
    FIELD(w, "spec.report");
    spec = report_spec(CRD_REPORT_STATEMENT, DAY(2), DAY(1), 0);
    REFUSED(w, crd_report_open(w->ledger, &spec, &report), CRD_E_ARGUMENT);
    FIELD(w, "spec.date_from");
    spec = report_spec(CRD_REPORT_AGING, DAY(0), DAY(1), 0);
    REFUSED(w, crd_report_open(w->ledger, &spec, &report), CRD_E_ARGUMENT);
    FIELD(w, "spec.date_from");
    spec = report_spec(CRD_REPORT_AGING, 0, DAY(1), -1);
    REFUSED(w, crd_report_open(w->ledger, &spec, &report), CRD_E_ARGUMENT);
    FIELD(w, "spec.known_at");
    spec = report_spec(CRD_REPORT_AGING, 0, -5, 0);
    REFUSED(w, crd_report_open(w->ledger, &spec, &report), CRD_E_ARGUMENT);
    FIELD(w, "spec.date");
    spec = report_spec(CRD_REPORT_AGING, 0, DAY(1), 0);
    spec.bucket_days = bad_bounds;
    REFUSED(w, crd_report_open(w->ledger, &spec, &report), CRD_E_ARGUMENT);
    FIELD(w, "spec.bucket_days");
    spec.bucket_count = 3;
    REFUSED(w, crd_report_open(w->ledger, &spec, &report), CRD_E_ARGUMENT);
    FIELD(w, "spec.bucket_days");
    spec.bucket_days = many;
    spec.bucket_count = CRD_AGING_MAX_BOUNDS + 1;
    REFUSED(w, crd_report_open(w->ledger, &spec, &report), CRD_E_ARGUMENT);
    FIELD(w, "spec.bucket_count");
    spec = report_spec(CRD_REPORT_REVENUE, 0, DAY(1), 0);
    spec.by = CRD_BY_METHOD;
    REFUSED(w, crd_report_open(w->ledger, &spec, &report), CRD_E_ARGUMENT);
    FIELD(w, "spec.by");
    world_close(w);
}
END_TEST

/* ---- faults ---- */

static world *busy_world(int store, const crd_allocator *allocator) {
    world *w = world_open_with(store, allocator, NULL, NULL);
    crd_credit *k, *p;
    crd_invoice *i;
    int64_t seq;
    w->careless = 1;
    customer(w, "c1");
    customer(w, "c2");
    i = invoice(w, "c1", "I", 100, 1, 11);
    k = memo(w, "c1", "K", 50, 0);
    p = cash(w, "c2", "P", 50, 0);
    crd_credit_free(promise(w, "c1", "G", 20, 3, 9));
    seq = apply(w, k, i, 30, 2);
    undo(w, "c1", seq, 10, 4);
    void_credit(w, p, 5, 6);
    crd_credit_free(k);
    crd_credit_free(p);
    crd_invoice_free(i);
    return w;
}

START_TEST(R62_allocation_n_fails_in_every_report) {
    shim_memory memory;
    char *right, *got = NULL;
    world *w;
    shim_memory_init(&memory);
    w = busy_world(_i, &memory.table);
    right = all_reports(w->ledger, DAY(2), DAY(_i ? 4 : 5), 0);
    for (unsigned long n = 1;; n++) {
        long blocks = memory.blocks;
        crd_status status;
        memory.calls = memory.fired = 0;
        memory.fail_at = n;
        status = try_all_reports(w->ledger, DAY(2), DAY(_i ? 4 : 5), &got);
        memory.fail_at = 0;
        if (status == CRD_OK && memory.fired == 0) break;
        if (status != CRD_OK) ck_assert_int_eq(status, CRD_E_NOMEM);
        if (status == CRD_OK) same_text(got, right, "after an allocation failed, and before", (int)n);
        free(got);
        ck_assert_int_le(memory.blocks, blocks + 4); /* the scratch arena may have grown */
    }
    same_text(got, right, "after every allocation failed once, and before", 0);
    free(got);
    free(right);
    world_close(w);
    ck_assert_int_eq(memory.blocks, 0);
}
END_TEST

START_TEST(R62_read_n_fails_in_every_report) {
    world *w = busy_world(_i, NULL);
    char *right = all_reports(w->ledger, DAY(2), DAY(5), 0);
    char *got = NULL;
    for (unsigned long n = 1;; n++) {
        crd_status status;
        shim_reset(&w->shim);
        w->shim.fail_at = n;
        w->shim.fault = n % 2 ? SHIM_FAILED : SHIM_UNTOUCHED;
        status = try_all_reports(w->ledger, DAY(2), DAY(5), &got);
        if (w->shim.fired == 0) break;
        ck_assert_int_eq(status, CRD_E_STORAGE);
        free(got);
    }
    same_text(got, right, "after every read failed once, and before", 0);
    free(got);
    free(right);
    world_close(w);
}
END_TEST

START_TEST(R62_a_report_that_failed_gives_no_more_rows) {
    world *w = busy_world(_i, NULL);
    crd_report_spec spec = report_spec(CRD_REPORT_STATEMENT, 0, DAY(5), 0);
    crd_report *report = NULL;
    const crd_row *row = NULL;
    OK(w, crd_report_open(w->ledger, &spec, &report));
    shim_reset(&w->shim);
    w->shim.fail_at = 2;
    w->shim.fault = SHIM_FAILED;
    ENDS(w->ledger, crd_report_next(report, &row), CRD_E_STORAGE);
    shim_reset(&w->shim);
    ENDS(w->ledger, crd_report_next(report, &row), CRD_E_STORAGE);
    ck_assert_ptr_null(row);
    crd_report_close(report);
    world_close(w);
}
END_TEST

static Suite *make(void) {
    Suite *s = suite_create("report due");
    TCase *t = tcase_create("report due");
    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, R69_museum_25_own_buckets_are_a_partition_too, 0, STORES);
    tcase_add_loop_test(t, R62_R69_aging_as_of_a_day_before_the_payment, 0, STORES);
    tcase_add_loop_test(t, R54_overdue_per_customer, 0, STORES);
    tcase_add_loop_test(t, R74_museum_39_no_reminder_where_credit_covers_the_debt, 0, STORES);
    tcase_add_loop_test(t, R11_R36_lists_without_a_date_show_what_is_stored, 0, STORES);
    tcase_add_loop_test(t, R27_R62_history_by_date_and_by_what_was_known, 0, STORES);
    tcase_add_loop_test(t, R51_a_prescan_is_grouped_and_sorted_as_the_preview, 0, STORES);
    tcase_add_loop_test(t, R51_R62_a_prescan_as_of_a_past_moment, 0, STORES);
    tcase_add_loop_test(t, R62_a_spec_that_makes_no_sense_is_refused, 0, STORES);
    tcase_add_loop_test(t, R62_allocation_n_fails_in_every_report, 0, STORES);
    tcase_add_loop_test(t, R62_read_n_fails_in_every_report, 0, STORES);
    tcase_add_loop_test(t, R62_a_report_that_failed_gives_no_more_rows, 0, STORES);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return world_main(make);
}
