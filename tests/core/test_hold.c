/*
 * Decisions about credit put aside, and about what time takes back.
 */
#include "core/decide.h"
#include "core/record.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static crd_credit_record credit;
static crd_invoice_record invoice;
static crd_hold_record hold;
static crd__decision decision;
static crd__refusal why;

/* A credit of 100 issued on 100, 30 of it held; an open invoice of 50. */
static void setup(void) {
    crd__record_clear(CRD_KIND_CREDIT, &credit);
    crd__record_clear(CRD_KIND_INVOICE, &invoice);
    crd__record_clear(CRD_KIND_HOLD, &hold);
    credit.id = "K";
    credit.credit_class = CRD_CLASS_MEMO;
    credit.kind = CRD_CREDIT_MEMO;
    credit.state = CRD_CREDIT_ACTIVE;
    credit.issued = credit.effective = credit.last_date = 100;
    credit.original = credit.remaining = 100;
    credit.held = 30;
    invoice.id = "I";
    invoice.kind = CRD_INVOICE_INVOICE;
    invoice.state = CRD_INVOICE_OPEN;
    invoice.total = invoice.open = 50;
    invoice.last_date = 100;
    hold.id = "h";
    hold.credit = "K";
    hold.state = CRD_HOLD_HELD;
    hold.amount = 30;
    hold.lapses_at = 1000;
    hold.lapses_on = 120;
    memset(&decision, 0, sizeof decision);
}

static crd__hold_command asking(int64_t amount, int32_t date) {
    crd__hold_command ask;
    memset(&ask, 0, sizeof ask);
    ask.when.date = date;
    ask.when.direct = 1;
    ask.amount = amount;
    memset(&decision, 0, sizeof decision);
    return ask;
}

static void expect_move(uint32_t n, uint32_t type, int64_t amount, int32_t date) {
    ck_assert_uint_lt(n, decision.count);
    ck_assert_uint_eq(decision.moves[n].type, type);
    ck_assert_int_eq(decision.moves[n].amount, amount);
    ck_assert_int_eq(decision.moves[n].date, date);
}

START_TEST(M10_a_hold_lapses_at_its_instant) {
    ck_assert_int_eq(crd__hold_lapsed(&hold, 999), 0);
    ck_assert_int_eq(crd__hold_lapsed(&hold, 1000), 1);
    hold.state = CRD_HOLD_RELEASED;
    ck_assert_int_eq(crd__hold_lapsed(&hold, 1000), 0);
    hold.state = CRD_HOLD_HELD;
    hold.lapses_at = 0;
    ck_assert_int_eq(crd__hold_lapsed(&hold, INT64_MAX), 0);
}
END_TEST

START_TEST(M6_M7_what_time_took_back_is_dated_its_day_or_later) {
    crd__when when = {130, 0, 1, 0};
    ck_assert_int_eq(crd__day_entered(&credit, &when, 110), 110);
    credit.last_date = 115;
    ck_assert_int_eq(crd__day_entered(&credit, &when, 110), 115);
    when.closed_through = 119;
    ck_assert_int_eq(crd__day_entered(&credit, &when, 110), 120);
}
END_TEST

START_TEST(M7_expiry_takes_only_what_is_neither_held_nor_allocated) {
    crd__when when = {130, 0, 1, 0};
    crd__decide_expire(&credit, &when, 130, &decision);
    ck_assert_uint_eq(decision.count, 0);
    credit.expires = 110;
    crd__decide_expire(&credit, &when, 109, &decision);
    ck_assert_uint_eq(decision.count, 0);
    credit.allocated = 20;
    crd__decide_expire(&credit, &when, 110, &decision);
    ck_assert_uint_eq(decision.count, 1);
    expect_move(0, CRD_ENTRY_EXPIRE, 50, 110);
    ck_assert_uint_eq(decision.moves[0].flags, CRD_ENTRY_CONSEQUENCE);
    decision.count = 0;
    credit.held = 80;
    crd__decide_expire(&credit, &when, 130, &decision);
    ck_assert_uint_eq(decision.count, 0);
}
END_TEST

START_TEST(M7_what_expired_before_a_lapse_is_entered_before_it) {
    crd__when when = {130, 0, 1, 0};
    crd__decide_lapse(&credit, &hold, &when, &decision);
    ck_assert_uint_eq(decision.count, 1);
    expect_move(0, CRD_ENTRY_LAPSE, 30, 120);
    decision.count = 0;
    credit.expires = 110;
    crd__decide_lapse(&credit, &hold, &when, &decision);
    ck_assert_uint_eq(decision.count, 2);
    expect_move(0, CRD_ENTRY_EXPIRE, 70, 110);
    expect_move(1, CRD_ENTRY_LAPSE, 30, 120);
    decision.count = 0;
    credit.expires = 125; /* the lapse comes first */
    crd__decide_lapse(&credit, &hold, &when, &decision);
    ck_assert_uint_eq(decision.count, 1);
    expect_move(0, CRD_ENTRY_LAPSE, 30, 120);
}
END_TEST

START_TEST(R65_a_hold_takes_at_most_what_is_available_of_usable_credit) {
    crd__hold_command ask = asking(70, 105);
    ck_assert_int_eq(crd__decide_hold(&credit, NULL, &ask, &decision, &why), CRD_OK);
    expect_move(0, CRD_ENTRY_HOLD, 70, 105);
    ask = asking(71, 105);
    ck_assert_int_eq(crd__decide_hold(&credit, NULL, &ask, &decision, &why), CRD_E_CREDIT_AMOUNT);
    ck_assert_int_eq(why.limit, 70);
    ask.clamp = 1;
    ck_assert_int_eq(crd__decide_hold(&credit, NULL, &ask, &decision, &why), CRD_OK);
    expect_move(0, CRD_ENTRY_HOLD, 70, 105);
    ask = asking(1, 99);
    ck_assert_int_eq(crd__decide_hold(&credit, NULL, &ask, &decision, &why), CRD_E_DATE);
    credit.effective = 106;
    ask = asking(1, 105);
    ck_assert_int_eq(crd__decide_hold(&credit, NULL, &ask, &decision, &why), CRD_E_EXPIRED);
    ck_assert_int_eq(why.limit, 106);
    credit.effective = 100;
    credit.expires = 105;
    ck_assert_int_eq(crd__decide_hold(&credit, NULL, &ask, &decision, &why), CRD_E_EXPIRED);
    credit.state = CRD_CREDIT_SPENT;
    ck_assert_int_eq(crd__decide_hold(&credit, NULL, &ask, &decision, &why), CRD_E_STATE);
}
END_TEST

START_TEST(R37_an_allocation_takes_at_most_what_the_draft_has_due) {
    crd__hold_command ask = asking(41, 105);
    ck_assert_int_eq(crd__decide_hold(&credit, &invoice, &ask, &decision, &why), CRD_E_STATE);
    ck_assert_uint_eq(why.subject_kind, CRD_KIND_INVOICE);
    invoice.state = CRD_INVOICE_DRAFT;
    invoice.open = 0;
    invoice.allocated = 10;
    ck_assert_int_eq(crd__decide_hold(&credit, &invoice, &ask, &decision, &why), CRD_E_INVOICE_AMOUNT);
    ck_assert_int_eq(why.limit, 40);
    ask = asking(40, 105);
    ck_assert_int_eq(crd__decide_hold(&credit, &invoice, &ask, &decision, &why), CRD_OK);
    expect_move(0, CRD_ENTRY_HOLD, 40, 105);
    credit.pays_kinds = 1u << CRD_INVOICE_FEE;
    ck_assert_int_eq(crd__decide_hold(&credit, &invoice, &ask, &decision, &why), CRD_E_RESTRICTED);
    ck_assert_int_eq(crd__decide_hold(&credit, NULL, &ask, &decision, &why), CRD_OK); /* a hold is of no kind yet */
}
END_TEST

START_TEST(M10_what_is_released_of_expired_credit_expires_that_day) {
    crd__hold_command ask = asking(0, 112);
    ck_assert_int_eq(crd__decide_release(&hold, &credit, NULL, &ask, &decision, &why), CRD_OK);
    ck_assert_uint_eq(decision.count, 1);
    expect_move(0, CRD_ENTRY_RELEASE, 30, 112);
    credit.expires = 112;
    ask = asking(5, 112);
    ck_assert_int_eq(crd__decide_release(&hold, &credit, NULL, &ask, &decision, &why), CRD_OK);
    ck_assert_uint_eq(decision.count, 2);
    expect_move(1, CRD_ENTRY_EXPIRE, 5, 112);
    ask = asking(5, 112);
    ask.stays = 1; /* a reversal takes it back itself */
    ck_assert_int_eq(crd__decide_release(&hold, &credit, NULL, &ask, &decision, &why), CRD_OK);
    ck_assert_uint_eq(decision.count, 1);
    ask = asking(31, 112);
    ck_assert_int_eq(crd__decide_release(&hold, &credit, NULL, &ask, &decision, &why), CRD_E_CREDIT_AMOUNT);
    ck_assert_int_eq(why.limit, 30);
    ck_assert_uint_eq(why.subject_kind, CRD_KIND_HOLD);
    invoice.last_date = 130;
    ask = asking(0, 112);
    ck_assert_int_eq(crd__decide_release(&hold, &credit, &invoice, &ask, &decision, &why), CRD_E_DATE);
    ask.when.direct = 0;
    ck_assert_int_eq(crd__decide_release(&hold, &credit, &invoice, &ask, &decision, &why), CRD_OK);
    expect_move(0, CRD_ENTRY_RELEASE, 30, 130);
    hold.state = CRD_HOLD_LAPSED;
    ck_assert_int_eq(crd__decide_release(&hold, &credit, NULL, &ask, &decision, &why), CRD_E_NOTHING);
    ck_assert_int_eq(why.limit, 0);
    ck_assert_int_eq(why.given, ask.amount);
}
END_TEST

START_TEST(M10_a_capture_needs_the_hold_not_usable_credit) {
    crd__hold_command ask = asking(0, 112);
    credit.expires = 105;
    ck_assert_int_eq(crd__decide_capture(&hold, &credit, &invoice, &ask, &decision, &why), CRD_OK);
    ck_assert_uint_eq(decision.count, 2);
    expect_move(0, CRD_ENTRY_CAPTURE, 30, 112);
    expect_move(1, CRD_ENTRY_APPLY, 30, 112);
    ask = asking(12, 112);
    ck_assert_int_eq(crd__decide_capture(&hold, &credit, NULL, &ask, &decision, &why), CRD_OK);
    expect_move(1, CRD_ENTRY_APPLY, 12, 112);
    invoice.open = 20;
    invoice.applied = 30;
    ask = asking(0, 112);
    ck_assert_int_eq(crd__decide_capture(&hold, &credit, &invoice, &ask, &decision, &why), CRD_E_INVOICE_AMOUNT);
    ck_assert_int_eq(why.limit, 20);
    ask.clamp = 1;
    ck_assert_int_eq(crd__decide_capture(&hold, &credit, &invoice, &ask, &decision, &why), CRD_OK);
    expect_move(0, CRD_ENTRY_CAPTURE, 20, 112);
    ask = asking(31, 112);
    ck_assert_int_eq(crd__decide_capture(&hold, &credit, &invoice, &ask, &decision, &why), CRD_E_CREDIT_AMOUNT);
    ask = asking(1, 112);
    ask.when.closed_through = 112;
    ck_assert_int_eq(crd__decide_capture(&hold, &credit, &invoice, &ask, &decision, &why), CRD_E_CLOSED);
    invoice.state = CRD_INVOICE_PAID;
    ck_assert_int_eq(crd__decide_capture(&hold, &credit, &invoice, &ask, &decision, &why), CRD_E_STATE);
    ck_assert_uint_eq(why.subject_kind, CRD_KIND_INVOICE);
    hold.invoice = "D"; /* an allocation becomes an application by posting only */
    ck_assert_int_eq(crd__decide_capture(&hold, &credit, NULL, &ask, &decision, &why), CRD_E_STATE);
    ck_assert_uint_eq(why.subject_kind, CRD_KIND_HOLD);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("hold");
    TCase *tests = tcase_create("hold");
    SRunner *runner;
    int failed;
    tcase_add_checked_fixture(tests, setup, NULL);
    tcase_add_test(tests, M10_a_hold_lapses_at_its_instant);
    tcase_add_test(tests, M6_M7_what_time_took_back_is_dated_its_day_or_later);
    tcase_add_test(tests, M7_expiry_takes_only_what_is_neither_held_nor_allocated);
    tcase_add_test(tests, M7_what_expired_before_a_lapse_is_entered_before_it);
    tcase_add_test(tests, R65_a_hold_takes_at_most_what_is_available_of_usable_credit);
    tcase_add_test(tests, R37_an_allocation_takes_at_most_what_the_draft_has_due);
    tcase_add_test(tests, M10_what_is_released_of_expired_credit_expires_that_day);
    tcase_add_test(tests, M10_a_capture_needs_the_hold_not_usable_credit);
    suite_add_tcase(suite, tests);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
