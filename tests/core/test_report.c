/*
 * What the rules of money say about figures of reports.
 */
#include "core/decide.h"
#include "core/report.h"

#include "core/record.h"

#include <check.h>
#include <stdlib.h>

static crd_entry_record entry(uint32_t type, int64_t amount, uint32_t flags) {
    crd_entry_record e;
    crd__record_clear(CRD_KIND_ENTRY, &e);
    e.type = type;
    e.amount = amount;
    e.flags = flags;
    return e;
}

static crd_credit_record credit(uint32_t credit_class, int64_t original) {
    crd_credit_record c;
    crd__record_clear(CRD_KIND_CREDIT, &c);
    c.credit_class = credit_class;
    c.original = c.remaining = original;
    c.state = CRD_CREDIT_ACTIVE;
    return c;
}

/* Rule M13's example: P 120 on A 100, 20 on B 50, A revised to 90, 5 refunded, 5 expired, then the payment bounces. */
START_TEST(M3_M13_a_reversal_does_not_raise_what_a_payment_credited) {
    crd_credit_record p = credit(CRD_CLASS_CASH, 120);
    p.applied = p.applied_by_receipt = 100;
    p.remaining = 20;
    ck_assert_int_eq(crd__credit_credited(&p), 20);
    p.applied = 120;
    p.remaining = 0;
    ck_assert_int_eq(crd__credit_applied(&p), 20);
    p.applied_by_receipt = 90; /* revised */
    p.applied = 110;
    p.refunded = 5;
    p.expired = 5;
    ck_assert_int_eq(crd__credit_credited(&p), 30);
    ck_assert_int_eq(crd__credit_applied(&p), 20);
    p.applied = p.applied_by_receipt = 0; /* bounced */
    p.reversed = 110;
    p.reversed_own = 90;
    ck_assert_int_eq(crd__credit_credited(&p), 30);
    ck_assert_int_eq(crd__credit_applied(&p), 0);
}
END_TEST

START_TEST(R79_M3_a_roll_forward_of_that_payment_ties) {
    const uint32_t own = CRD_ENTRY_BY_OWN_RECEIPT;
    const crd_entry_record entries[] = {
        entry(CRD_ENTRY_ISSUE, 120, 0),      entry(CRD_ENTRY_APPLY, 100, own),  entry(CRD_ENTRY_APPLY, 20, 0),
        entry(CRD_ENTRY_UNAPPLY, 10, own),   entry(CRD_ENTRY_REFUND, 5, 0),     entry(CRD_ENTRY_EXPIRE, 5, 0),
        entry(CRD_ENTRY_UNAPPLY, 20, 0),     entry(CRD_ENTRY_REVERSE, 20, 0),   entry(CRD_ENTRY_UNAPPLY, 90, own),
        entry(CRD_ENTRY_REVERSE, 90, own),   entry(CRD_ENTRY_RECEIPT_REVERSE, 120, 0),
    };
    const int64_t expected[CRD_ROLL_FIGURES] = {0, 30, 0, 20, 5, 0, 5, 0, 20, 0, 20, 0};
    crd_credit_record p = credit(CRD_CLASS_CASH, 120);
    int64_t figures[CRD_ROLL_FIGURES + 1] = {0};
    for (size_t i = 0; i < sizeof entries / sizeof entries[0]; i++) {
        int64_t amount;
        uint32_t figure = crd__roll(&entries[i], &p, &amount);
        figures[figure] += amount;
    }
    for (int i = 0; i < CRD_ROLL_FIGURES; i++) ck_assert_int_eq(figures[i], expected[i]);
    /* opening + issued + in − … + returned = closing */
    ck_assert_int_eq(0 + 30 + 0 - 20 - 5 - 0 - 5 - 0 - 20 - 0 + 20, 0);
}
END_TEST

START_TEST(R79_what_came_in_is_not_issued) {
    crd_entry_record e = entry(CRD_ENTRY_ISSUE, 10, 0);
    crd_credit_record c = credit(CRD_CLASS_OPENING, 10);
    int64_t amount;
    ck_assert_uint_eq(crd__roll(&e, &c, &amount), CRD_ROLL_IN);
    c.credit_class = CRD_CLASS_MEMO;
    ck_assert_uint_eq(crd__roll(&e, &c, &amount), CRD_ROLL_ISSUED);
    c.flags = CRD_FLAG_TRANSFERRED_IN;
    ck_assert_uint_eq(crd__roll(&e, &c, &amount), CRD_ROLL_IN);
    e.type = CRD_ENTRY_TRANSFER;
    ck_assert_uint_eq(crd__roll(&e, &c, &amount), CRD_ROLL_OUT);
    e.type = CRD_ENTRY_UNTRANSFER;
    ck_assert_uint_eq(crd__roll(&e, &c, &amount), CRD_ROLL_RETURNED);
    e.type = CRD_ENTRY_CREDIT_CHANGE;
    ck_assert_uint_eq(crd__roll(&e, &c, &amount), CRD_ROLL_FIGURES);
}
END_TEST

START_TEST(R6_M4_what_is_revenue) {
    static const struct {
        uint32_t credit_class, stands_for, kind, flags;
        int64_t amount;
        uint32_t figure;
    } cases[] = {
        {CRD_CLASS_CASH, 0, CRD_INVOICE_INVOICE, 0, 7, CRD_REVENUE_INVOICES},
        {CRD_CLASS_CASH, 0, CRD_INVOICE_FEE, 0, 7, CRD_REVENUE_INVOICES},
        {CRD_CLASS_CASH, 0, CRD_INVOICE_FINANCE_CHARGE, 0, 7, CRD_REVENUE_FINANCE},
        {CRD_CLASS_CASH, 0, CRD_INVOICE_DEBIT_MEMO, 0, 7, CRD_REVENUE_INVOICES},
        {CRD_CLASS_CASH, 0, CRD_INVOICE_DEBIT_MEMO, CRD_FLAG_OWN_DOCUMENT, 0, 0},
        {CRD_CLASS_OPENING, CRD_CREDIT_PREPAYMENT, CRD_INVOICE_INVOICE, 0, 7, CRD_REVENUE_INVOICES},
        {CRD_CLASS_OPENING, CRD_CREDIT_MEMO, CRD_INVOICE_INVOICE, 0, 0, 0},
        {CRD_CLASS_MEMO, 0, CRD_INVOICE_INVOICE, 0, 0, 0},
        {CRD_CLASS_PROMISE, 0, CRD_INVOICE_INVOICE, 0, 0, 0},
        {CRD_CLASS_ADJUSTMENT, 0, CRD_INVOICE_INVOICE, 0, 0, 0},
    };
    crd_entry_record e = entry(CRD_ENTRY_APPLY, 7, 0);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        crd_credit_record c = credit(cases[i].credit_class, 7);
        crd_invoice_record v;
        uint32_t figure = 0;
        crd__record_clear(CRD_KIND_INVOICE, &v);
        c.stands_for = cases[i].stands_for;
        v.kind = cases[i].kind;
        v.flags = cases[i].flags;
        e.type = CRD_ENTRY_APPLY;
        ck_assert_int_eq(crd__revenue(&e, &c, &v, &figure), cases[i].amount);
        ck_assert_uint_eq(figure, cases[i].figure);
        ck_assert_int_eq(crd__revenue(&e, &c, NULL, &figure), 0); /* outside */
        e.type = CRD_ENTRY_UNAPPLY;
        ck_assert_int_eq(crd__revenue(&e, &c, &v, &figure), -cases[i].amount);
        e.type = CRD_ENTRY_REFUND;
        ck_assert_int_eq(crd__revenue(&e, &c, &v, &figure), 0);
    }
}
END_TEST

START_TEST(R80_M17_takings_are_receipts_refunds_and_reversals) {
    static const struct {
        uint32_t type, figure;
        int64_t amount;
    } cases[] = {
        {CRD_ENTRY_RECEIPT, CRD_TAKINGS_RECEIVED, 50},      {CRD_ENTRY_RECEIPT_UNDO, CRD_TAKINGS_REVERSED, -50},
        {CRD_ENTRY_RECEIPT_REVERSE, CRD_TAKINGS_REVERSED, -50}, {CRD_ENTRY_REFUND, CRD_TAKINGS_REFUNDED, -9},
        {CRD_ENTRY_UNREFUND, CRD_TAKINGS_REFUNDED, 9},      {CRD_ENTRY_ADJUST, CRD_TAKINGS_FIGURES, 0},
        {CRD_ENTRY_TRANSFER, CRD_TAKINGS_FIGURES, 0},       {CRD_ENTRY_REVERSE, CRD_TAKINGS_FIGURES, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        crd_entry_record e = entry(cases[i].type, 9, 0);
        crd_receipt_record r;
        int64_t amount = -1;
        crd__record_clear(CRD_KIND_RECEIPT, &r);
        r.amount = 50;
        ck_assert_uint_eq(crd__takings(&e, &r, &amount), cases[i].figure);
        ck_assert_int_eq(amount, cases[i].amount);
        r.flags = CRD_FLAG_OPENING;
        (void)crd__takings(&e, &r, &amount);
        ck_assert_int_eq(amount, cases[i].figure == CRD_TAKINGS_REFUNDED ? cases[i].amount : 0);
    }
}
END_TEST

START_TEST(M7_what_is_past_its_expiry_is_expired_but_what_is_held) {
    crd_credit_record c = credit(CRD_CLASS_PROMISE, 100);
    c.expires = 50;
    c.held = 20;
    c.allocated = 5;
    ck_assert_int_eq(crd__credit_lapsed(&c, 49), 0);
    ck_assert_int_eq(crd__credit_lapsed(&c, 50), 75);
    ck_assert_int_eq(crd__credit_lapsed(&c, 0), 0);
    ck_assert_uint_eq(crd__credit_state(&c, 50), CRD_CREDIT_ACTIVE);
    c.held = c.allocated = 0;
    ck_assert_uint_eq(crd__credit_state(&c, 49), CRD_CREDIT_ACTIVE);
    ck_assert_uint_eq(crd__credit_state(&c, 50), CRD_CREDIT_VOIDED);
}
END_TEST

START_TEST(R69_buckets_have_no_gap_and_no_overlap) {
    static const int32_t days[] = {0, 30, 60, 90};
    crd_invoice_record v;
    uint64_t last = 0;
    crd__record_clear(CRD_KIND_INVOICE, &v);
    v.issued = 10;
    v.due = 1000;
    for (int32_t date = 900; date < 1200; date++) {
        uint64_t bucket = crd__aging_bucket(&v, date, days, 4);
        ck_assert_uint_ge(bucket, last);
        ck_assert_uint_le(bucket, last + 1);
        ck_assert_uint_eq(bucket, date <= 1000 ? 0 : date <= 1030 ? 1 : date <= 1060 ? 2 : date <= 1090 ? 3 : 4);
        last = bucket;
    }
    v.due = 0;
    ck_assert_int_eq(crd__invoice_due(&v), 10);
    v.due = INT32_MAX;
    ck_assert_uint_eq(crd__aging_bucket(&v, INT32_MIN, days, 4), 0);
}
END_TEST

int main(void) {
    Suite *s = suite_create("core report");
    TCase *t = tcase_create("core report");
    SRunner *runner;
    int failed;
    tcase_add_test(t, M3_M13_a_reversal_does_not_raise_what_a_payment_credited);
    tcase_add_test(t, R79_M3_a_roll_forward_of_that_payment_ties);
    tcase_add_test(t, R79_what_came_in_is_not_issued);
    tcase_add_test(t, R6_M4_what_is_revenue);
    tcase_add_test(t, R80_M17_takings_are_receipts_refunds_and_reversals);
    tcase_add_test(t, M7_what_is_past_its_expiry_is_expired_but_what_is_held);
    tcase_add_test(t, R69_buckets_have_no_gap_and_no_overlap);
    suite_add_tcase(s, t);
    runner = srunner_create(s);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
