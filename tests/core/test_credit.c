/*
 * The core's decisions about a credit, on records alone: no ledger, no storage.
 */
#include "core/decide.h"
#include "core/record.h"

#include <check.h>
#include <stdlib.h>

static crd_credit_record credit;

static void setup(void) {
    crd__record_clear(CRD_KIND_CREDIT, &credit);
    credit.id = "K";
    credit.kind = CRD_CREDIT_MEMO;
    credit.credit_class = CRD_CLASS_MEMO;
    credit.state = CRD_CREDIT_ACTIVE;
    credit.issued = credit.effective = credit.last_date = 100;
    credit.original = credit.remaining = 50;
}

/* The table of rule M4, written down a second time. */
START_TEST(M4_every_kind_has_its_class) {
    static const uint32_t classes[] = {
        0,
        CRD_CLASS_CASH, /* payment, prepayment, deposit, overpayment, unapplied cash */
        CRD_CLASS_CASH,    CRD_CLASS_CASH,    CRD_CLASS_CASH,    CRD_CLASS_CASH,
        CRD_CLASS_MEMO, /* memo, service, allowance, refund owed, reversed invoice */
        CRD_CLASS_MEMO,    CRD_CLASS_MEMO,    CRD_CLASS_MEMO,    CRD_CLASS_MEMO,
        CRD_CLASS_PROMISE, /* goodwill, promotional, loyalty, referral */
        CRD_CLASS_PROMISE, CRD_CLASS_PROMISE, CRD_CLASS_PROMISE,
        CRD_CLASS_ADJUSTMENT,
        CRD_CLASS_OPENING,
        0,
    };
    for (uint32_t kind = 0; kind < sizeof classes / sizeof classes[0]; kind++) {
        ck_assert_uint_eq(crd__credit_class(kind), classes[kind]);
        ck_assert_int_eq(crd__credit_source(kind)[0] != '\0', classes[kind] != 0);
    }
}
END_TEST

START_TEST(M4_an_opening_credit_counts_as_what_it_stands_for) {
    credit.credit_class = CRD_CLASS_OPENING;
    credit.kind = CRD_CREDIT_OPENING;
    credit.stands_for = CRD_CREDIT_DEPOSIT;
    ck_assert_uint_eq(crd__credit_counts_as(&credit), CRD_CLASS_CASH);
    credit.stands_for = CRD_CREDIT_LOYALTY;
    ck_assert_uint_eq(crd__credit_counts_as(&credit), CRD_CLASS_PROMISE);
}
END_TEST

START_TEST(M1_a_credit_whose_columns_do_not_add_up_is_noticed) {
    int64_t *const columns[] = {&credit.applied, &credit.refunded, &credit.voided,      &credit.reversed,
                                &credit.expired, &credit.adjusted, &credit.transferred, &credit.deleted};
    ck_assert_int_eq(crd__credit_check(&credit), 1);
    for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++) {
        *columns[i] = 10;
        ck_assert_int_eq(crd__credit_check(&credit), 0); /* 60 of 50 */
        credit.remaining = 40;
        ck_assert_int_eq(crd__credit_check(&credit), 1);
        credit.remaining = 50;
        *columns[i] = -10;
        credit.original = 40;
        ck_assert_int_eq(crd__credit_check(&credit), 0); /* negative nowhere */
        credit.original = 50;
        *columns[i] = 0;
    }
    credit.held = 30;
    credit.allocated = 21;
    ck_assert_int_eq(crd__credit_check(&credit), 0); /* available = -1 */
    credit.allocated = 20;
    ck_assert_int_eq(crd__credit_check(&credit), 1);
}
END_TEST

START_TEST(M5_the_state_agrees_with_the_remainder) {
    credit.state = CRD_CREDIT_SPENT;
    ck_assert_int_eq(crd__credit_check(&credit), 0);
    credit.remaining = 0;
    credit.applied = 50;
    ck_assert_int_eq(crd__credit_check(&credit), 1);
    credit.state = CRD_CREDIT_ACTIVE;
    ck_assert_int_eq(crd__credit_check(&credit), 0);
}
END_TEST

static crd_status unapply(int32_t date, crd__decision *out) {
    crd__unapply_command ask = {{0, 0, 1, 0}, 7, 20, 0, 0};
    crd__refusal why;
    ask.when.date = date;
    out->count = 0;
    return crd__decide_unapply(&credit, NULL, NULL, &ask, out, &why);
}

START_TEST(M12_the_application_of_a_reversed_invoices_memo_is_not_undone) {
    crd__decision decision;
    credit.kind = CRD_CREDIT_REVERSED_INVOICE;
    credit.credit_class = CRD_CLASS_MEMO;
    credit.flags = CRD_FLAG_OWN_DOCUMENT | CRD_FLAG_RETURN;
    ck_assert_int_eq(unapply(200, &decision), CRD_E_STATE);
    credit.flags = CRD_FLAG_TRANSFERRED_IN; /* money of one, elsewhere, is money like any other */
    ck_assert_int_eq(unapply(200, &decision), CRD_OK);
}
END_TEST

/* Where money goes that returns, by the first that fits. */
START_TEST(M8_money_returns_by_the_first_rule_that_fits) {
    static const struct {
        uint32_t flags, credit_class, state, cause;
        int32_t expires;
        uint32_t follows;
    } cases[] = {
        {CRD_FLAG_DELETED | CRD_FLAG_REVERSED, CRD_CLASS_PROMISE, CRD_CREDIT_VOIDED, CRD_CAUSE_VOIDED, 101, CRD_ENTRY_DELETE},
        {CRD_FLAG_REVERSED, CRD_CLASS_CASH, CRD_CREDIT_VOIDED, CRD_CAUSE_VOIDED, 101, CRD_ENTRY_REVERSE},
        {0, CRD_CLASS_PROMISE, CRD_CREDIT_VOIDED, CRD_CAUSE_VOIDED, 101, CRD_ENTRY_EXPIRE},
        {0, CRD_CLASS_PROMISE, CRD_CREDIT_VOIDED, CRD_CAUSE_VOIDED, 0, CRD_ENTRY_VOID},
        {0, CRD_CLASS_ADJUSTMENT, CRD_CREDIT_VOIDED, CRD_CAUSE_VOIDED, 0, CRD_ENTRY_VOID},
        {0, CRD_CLASS_MEMO, CRD_CREDIT_VOIDED, CRD_CAUSE_VOIDED, 0, 0},
        {0, CRD_CLASS_CASH, CRD_CREDIT_VOIDED, CRD_CAUSE_VOIDED, 0, 0},
        {0, CRD_CLASS_PROMISE, CRD_CREDIT_SPENT, CRD_CAUSE_APPLIED, 0, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        crd__decision decision;
        credit.flags = cases[i].flags;
        credit.credit_class = cases[i].credit_class;
        credit.state = cases[i].state;
        credit.cause = cases[i].cause;
        credit.expires = cases[i].expires;
        credit.remaining = 0;
        credit.applied = 50;
        ck_assert_int_eq(unapply(110, &decision), CRD_OK);
        ck_assert_uint_eq(decision.count, cases[i].follows != 0 ? 2 : 1);
        ck_assert_uint_eq(decision.moves[0].type, CRD_ENTRY_UNAPPLY);
        ck_assert_int_eq(decision.moves[0].amount, 20);
        if (cases[i].follows == 0) continue;
        ck_assert_uint_eq(decision.moves[1].type, cases[i].follows);
        ck_assert_int_eq(decision.moves[1].amount, 20);
    }
}
END_TEST

START_TEST(M7_what_expired_unnoticed_is_entered_first_on_its_day) {
    crd__decision decision;
    credit.expires = 105;
    credit.remaining = 30;
    credit.applied = 20;
    ck_assert_int_eq(unapply(110, &decision), CRD_OK);
    ck_assert_uint_eq(decision.count, 3);
    ck_assert_uint_eq(decision.moves[0].type, CRD_ENTRY_EXPIRE);
    ck_assert_int_eq(decision.moves[0].amount, 30);
    ck_assert_int_eq(decision.moves[0].date, 105);
    ck_assert_uint_eq(decision.moves[1].type, CRD_ENTRY_UNAPPLY);
    ck_assert_uint_eq(decision.moves[2].type, CRD_ENTRY_EXPIRE);
    ck_assert_int_eq(decision.moves[2].date, 110);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("credit");
    TCase *tests = tcase_create("credit");
    SRunner *runner;
    int failed;
    tcase_add_checked_fixture(tests, setup, NULL);
    tcase_add_test(tests, M4_every_kind_has_its_class);
    tcase_add_test(tests, M4_an_opening_credit_counts_as_what_it_stands_for);
    tcase_add_test(tests, M1_a_credit_whose_columns_do_not_add_up_is_noticed);
    tcase_add_test(tests, M5_the_state_agrees_with_the_remainder);
    tcase_add_test(tests, M12_the_application_of_a_reversed_invoices_memo_is_not_undone);
    tcase_add_test(tests, M8_money_returns_by_the_first_rule_that_fits);
    tcase_add_test(tests, M7_what_expired_unnoticed_is_entered_first_on_its_day);
    suite_add_tcase(suite, tests);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
