/*
 * Reports: aging, lists, histories, paging.
 */
#include "support/rows.h"
#include "support/scene.h"

#include <stdio.h>
#include <string.h>

static crd_report *report_open(crd_ledger *ledger, uint32_t what, const char *who, int day) {
    crd_report_spec spec;
    crd_report *report = NULL;
    memset(&spec, 0, sizeof spec);
    spec.struct_size = sizeof spec;
    spec.report = what;
    spec.customer = who;
    spec.date = DAY(day);
    ENDS(ledger, crd_report_open(ledger, &spec, &report), CRD_OK);
    return report;
}

static const crd_row *row_next(crd_ledger *ledger, crd_report *report) {
    const crd_row *row = NULL;
    ENDS(ledger, crd_report_next(report, &row), CRD_OK);
    return row;
}

START_TEST(R69_aging_is_a_partition_that_sums_to_the_balance) {
    static const struct {
        const char *id;
        int due; /* days before the 200th */
        int64_t total;
        int bucket;
    } invoices[] = {
        {"future", -30, 1, CRD_AGING_CURRENT}, {"today", 0, 10, CRD_AGING_CURRENT},
        {"one", 1, 100, CRD_AGING_1_30},       {"thirty", 30, 1000, CRD_AGING_1_30},
        {"31", 31, 10000, CRD_AGING_31_60},    {"sixty", 60, 100000, CRD_AGING_31_60},
        {"61", 61, 1000000, CRD_AGING_61_90},  {"ninety", 90, 10000000, CRD_AGING_61_90},
        {"91", 91, 100000000, CRD_AGING_OVER_90},
    };
    static const int64_t expected[] = {11, 1100, 110000, 11000000, 100000000, -7000, -500};
    world *w = world_open(_i);
    crd_report *report;
    const crd_row *row;
    int64_t sum = 0;
    w->careless = 1;
    customer(w, "c1");
    customer(w, "c2");
    for (size_t n = 0; n < sizeof invoices / sizeof invoices[0]; n++)
        crd_invoice_free(invoice(w, "c1", invoices[n].id, invoices[n].total, 0, 200 - invoices[n].due));
    crd_invoice_free(invoice_as(w, "c1", "draft", CRD_INVOICE_INVOICE, 5, 0, 10, CRD_INVOICE_AS_DRAFT));
    crd_credit_free(cash(w, "c1", "money", 7000, 0));
    crd_credit_free(memo(w, "c1", "memo", 400, 0));
    crd_credit_free(promise(w, "c1", "promise", 100, 0, 300));
    crd_credit_free(promise(w, "c1", "expired", 9999, 0, 200));
    world_check(w);
    report = report_open(w->ledger, CRD_REPORT_AGING, NULL, 200);
    row = row_next(w->ledger, report);
    ck_assert_str_eq(row->customer, "c1");
    ck_assert_uint_eq(row->bucket_count, CRD_AGING_BUCKETS);
    for (int n = 0; n < CRD_AGING_BUCKETS; n++) {
        ck_assert_int_eq(row->buckets[n], expected[n]);
        sum += row->buckets[n];
    }
    ck_assert_int_eq(row->amount, sum);
    ck_assert_ptr_null(row_next(w->ledger, report));
    crd_report_close(report);
    ck_assert_int_eq(sum, balance_of(w->ledger, "c1", "EUR", 200).balance);
    /* on every other day too */
    for (int day = 0; day <= 400; day += 20) {
        report = report_open(w->ledger, CRD_REPORT_AGING, "c1", day);
        row = row_next(w->ledger, report);
        ck_assert_int_eq(row->amount, balance_of(w->ledger, "c1", "EUR", day).balance);
        crd_report_close(report);
    }
    world_close(w);
}
END_TEST

START_TEST(R69_without_a_due_date_the_issue_date_ages) {
    world *w = world_open(_i);
    crd_invoice_terms t = invoice_terms("I", 100);
    crd_report *report;
    customer(w, "c1");
    OK(w, crd_invoice_enter(w->ledger, on(0), "c1", &t, NULL));
    report = report_open(w->ledger, CRD_REPORT_AGING, NULL, 31);
    ck_assert_int_eq(row_next(w->ledger, report)->buckets[CRD_AGING_31_60], 100);
    crd_report_close(report);
    world_close(w);
}
END_TEST

START_TEST(R11_accounts_side_by_side_and_many_pages_in_order) {
    world *w = world_open(_i);
    crd_report *report;
    const crd_row *row;
    char before[16] = "";
    int count = 0;
    w->careless = 1;
    OK(w, crd_unit_begin(w->ledger));
    for (int n = 0; n < 600; n++) {
        char who[16];
        if (n % 200 == 199) { /* a unit has its bounds */
            OK(w, crd_unit_commit(w->ledger));
            OK(w, crd_unit_begin(w->ledger));
        }
        snprintf(who, sizeof who, "c%04d", (n * 7) % 600);
        customer(w, who);
        crd_credit_free(memo(w, who, "K", 100 + n, 0));
        crd_invoice_free(invoice(w, who, "I", 50, 0, 30));
    }
    OK(w, crd_unit_commit(w->ledger));
    report = report_open(w->ledger, CRD_REPORT_ACCOUNTS, NULL, 0);
    while ((row = row_next(w->ledger, report)) != NULL) {
        ck_assert_int_lt(strcmp(before, row->customer), 0);
        snprintf(before, sizeof before, "%s", row->customer);
        ck_assert_int_eq(row->amount, 50 - row->account->credit_remaining);
        count++;
    }
    ck_assert_ptr_null(row_next(w->ledger, report)); /* and it stays at its end */
    crd_report_close(report);
    ck_assert_int_eq(count, 600);
    count = 0;
    report = report_open(w->ledger, CRD_REPORT_CUSTOMERS, NULL, 0);
    while ((row = row_next(w->ledger, report)) != NULL) {
        ck_assert_ptr_nonnull(row->customer_record);
        count++;
    }
    crd_report_close(report);
    ck_assert_int_eq(count, 600);
    count = 0;
    report = report_open(w->ledger, CRD_REPORT_OPEN_ITEMS, NULL, 0);
    while (row_next(w->ledger, report) != NULL) count++;
    crd_report_close(report);
    ck_assert_int_eq(count, 1200);
    world_close(w);
}
END_TEST

START_TEST(R9_the_journal_of_an_account_is_complete_and_in_order) {
    world *w = world_open(_i);
    crd_report_spec spec;
    crd_report *report = NULL;
    const crd_row *row;
    int64_t seq = 0;
    book *b;
    scene_fill_base(w);
    b = world_book(w);
    memset(&spec, 0, sizeof spec);
    spec.struct_size = sizeof spec;
    spec.report = CRD_REPORT_HISTORY;
    spec.customer = "c1";
    spec.currency = "EUR";
    OK(w, crd_report_open(w->ledger, &spec, &report));
    while ((row = row_next(w->ledger, report)) != NULL) {
        const crd_entry_record *e = book_entry(b, "c1", "EUR", ++seq);
        ck_assert_int_eq(row->entry->seq, seq);
        ck_assert_int_eq(memcmp(row->entry->hash, e->hash, 32), 0);
        ck_assert_str_eq(row->entry->actor, "clerk");
    }
    crd_report_close(report);
    ck_assert_int_eq(seq, book_account(b, "c1", "EUR")->last_seq);
    spec.currency = "";
    OK(w, crd_report_open(w->ledger, &spec, &report));
    ck_assert_uint_eq(row_next(w->ledger, report)->entry->type, CRD_ENTRY_CUSTOMER);
    ck_assert_ptr_null(row_next(w->ledger, report));
    crd_report_close(report);
    /* of an invoice, of a receipt */
    spec.currency = NULL;
    spec.kind = CRD_KIND_INVOICE;
    spec.id = "J";
    OK(w, crd_report_open(w->ledger, &spec, &report));
    ck_assert_uint_eq(row_next(w->ledger, report)->entry->type, CRD_ENTRY_INVOICE);
    ck_assert_uint_eq(row_next(w->ledger, report)->entry->type, CRD_ENTRY_APPLY);
    ck_assert_ptr_null(row_next(w->ledger, report));
    crd_report_close(report);
    spec.kind = CRD_KIND_RECEIPT;
    spec.id = "~EUR9";
    OK(w, crd_report_open(w->ledger, &spec, &report));
    ck_assert_uint_eq(row_next(w->ledger, report)->entry->type, CRD_ENTRY_RECEIPT);
    ck_assert_uint_eq(row_next(w->ledger, report)->entry->type, CRD_ENTRY_APPLY);
    ck_assert_ptr_null(row_next(w->ledger, report));
    crd_report_close(report);
    book_free(b);
    world_close(w);
}
END_TEST

START_TEST(R36_a_report_on_an_unknown_customer_says_so) {
    static const uint32_t reports[] = {CRD_REPORT_ACCOUNTS, CRD_REPORT_CREDITS,    CRD_REPORT_INVOICES,
                                       CRD_REPORT_RECEIPTS, CRD_REPORT_OPEN_ITEMS, CRD_REPORT_AGING};
    world *w = world_open(_i);
    scene_fill_base(w);
    for (size_t n = 0; n < sizeof reports / sizeof reports[0]; n++) {
        crd_report_spec spec;
        crd_report *report = NULL;
        crd_status status;
        memset(&spec, 0, sizeof spec);
        spec.struct_size = sizeof spec;
        spec.report = reports[n];
        spec.customer = "nobody";
        status = crd_report_open(w->ledger, &spec, &report);
        crd_report_close(report);
        ck_assert_msg(status == CRD_E_NOT_FOUND, "report %u: %s", reports[n], crd_status_name(status));
    }
    world_close(w);
}
END_TEST

/* Of the scene's payment Q, 90 of which 60 went to an invoice at once, 30 count as issued (rule M3). */
START_TEST(R23_M3_totals_per_customer) {
    world *w = world_open(_i);
    crd_report_spec spec = report_spec(CRD_REPORT_TOTALS, 0, DAY(2), 0);
    cursor c;
    crd_balance b;
    scene_fill_base(w);
    spec.by = CRD_BY_CUSTOMER;
    spec.customer = "c1";
    spec.currency = "EUR";
    c = cursor_open(w, &spec);
    ck_assert_ptr_nonnull(cursor_next(&c));
    ck_assert_int_eq(c.row->figures[CRD_TOTALS_ISSUED], 1450 + 30);
    ck_assert_int_eq(c.row->figures[CRD_TOTALS_APPLIED], 150);
    ck_assert_int_eq(c.row->figures[CRD_TOTALS_ACTIVE], 3);
    ck_assert_int_eq(c.row->figures[CRD_TOTALS_BALANCE], 1300 + 30);
    cursor_end(&c);
    b = balance_of(w->ledger, "c1", "EUR", 2);
    ck_assert_int_eq(b.issued, 1450 + 30);
    ck_assert_int_eq(b.applied, 150);
    ck_assert_int_eq(b.active_credits, 3);
    ck_assert_int_eq(b.credit, 1330);
    world_close(w);
}
END_TEST

static Suite *make(void) {
    Suite *s = suite_create("report");
    TCase *t = tcase_create("report");
    tcase_add_loop_test(t, R69_aging_is_a_partition_that_sums_to_the_balance, 0, STORES);
    tcase_add_loop_test(t, R69_without_a_due_date_the_issue_date_ages, 0, STORES);
    tcase_add_loop_test(t, R11_accounts_side_by_side_and_many_pages_in_order, 0, STORES);
    tcase_add_loop_test(t, R9_the_journal_of_an_account_is_complete_and_in_order, 0, STORES);
    tcase_add_loop_test(t, R36_a_report_on_an_unknown_customer_says_so, 0, STORES);
    tcase_add_loop_test(t, R23_M3_totals_per_customer, 0, STORES);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return world_main(make);
}
