/*
 * The core's decisions about how an invoice changes, on records alone.
 */
#include "core/decide.h"
#include "core/record.h"

#include <credit/ledger.h>

#include <check.h>
#include <stdlib.h>
#include <string.h>

static crd_invoice_record invoice;
static crd__refusal why;
static crd__decision decision;

static void setup(void) {
    crd__record_clear(CRD_KIND_INVOICE, &invoice);
    memset(&decision, 0, sizeof decision);
    invoice.id = "I";
    invoice.kind = CRD_INVOICE_INVOICE;
    invoice.state = CRD_INVOICE_OPEN;
    invoice.issued = invoice.last_date = 100;
    invoice.total = 1000;
    invoice.open = 400;
    invoice.applied = 500;
    invoice.written_off = 100;
}

static crd__when at(int32_t date) {
    crd__when when = {0, 50, 1, 0};
    when.date = date;
    return when;
}

START_TEST(M12_the_tax_of_a_part_is_its_share_a_tie_going_to_it) {
    static const struct {
        int64_t tax, part, whole, expected;
    } of[] = {{19, 119, 119, 19}, {19, 0, 119, 0},  {1, 1, 2, 1},   {1, 1, 3, 0}, {1, 2, 3, 1},
              {0, 50, 100, 0},    {10, 1, 20, 1},   {10, 1, 21, 0}, {7, 5, 10, 4},
              {CRD_MAX_AMOUNT, CRD_MAX_AMOUNT / 2, CRD_MAX_AMOUNT, CRD_MAX_AMOUNT / 2}, {5, 0, 0, 0}};
    for (size_t i = 0; i < sizeof of / sizeof of[0]; i++)
        ck_assert_int_eq(crd__tax_part(of[i].tax, of[i].part, of[i].whole), of[i].expected);
}
END_TEST

START_TEST(M12_parts_of_the_tax_sum_to_it_however_it_is_returned) {
    for (int64_t tax = 0; tax <= 9; tax++)
        for (int64_t first = 1; first <= 12; first++) {
            int64_t taken;
            setup();
            invoice.total = 12;
            invoice.tax = tax;
            while (invoice.returned < invoice.total) {
                int64_t amount = CRD__MIN(first, invoice.total - invoice.returned);
                taken = crd__return_tax(&invoice, amount);
                ck_assert_int_ge(taken, 0);
                ck_assert_int_le(taken, amount);
                invoice.returned += amount;
                invoice.returned_tax += taken;
            }
            ck_assert_int_eq(invoice.returned_tax, tax);
        }
}
END_TEST

START_TEST(M12_write_offs_are_freed_first_then_the_newest_own_memos_last) {
    crd__settled list[] = {{10, 0, CRD__RANK_OWN_MEMO}, {20, 0, CRD__RANK_APPLIED}, {30, 0, CRD__RANK_WRITE_OFF},
                           {40, 0, CRD__RANK_OWN_MEMO}, {50, 0, CRD__RANK_APPLIED}, {60, 0, CRD__RANK_WRITE_OFF}};
    static const struct {
        int64_t need;
        int enough;
        int64_t takes[6];
    } cases[] = {{0, 1, {0, 0, 0, 0, 0, 0}},       {59, 1, {0, 0, 0, 0, 0, 59}},      {61, 1, {0, 0, 1, 0, 0, 60}},
                 {91, 1, {0, 0, 30, 0, 1, 60}},    {141, 1, {0, 1, 30, 0, 50, 60}},   {161, 1, {0, 20, 30, 1, 50, 60}},
                 {201, 1, {1, 20, 30, 40, 50, 60}}, {210, 1, {10, 20, 30, 40, 50, 60}}, {211, 0, {10, 20, 30, 40, 50, 60}}};
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
        ck_assert_int_eq(crd__decide_free(list, 6, cases[c].need), cases[c].enough);
        for (int i = 0; i < 6; i++) ck_assert_int_eq(list[i].take, cases[c].takes[i]);
    }
}
END_TEST

static crd_status may_revise(int64_t total, int32_t date, int removes, uint32_t policy, int64_t *need,
                             uint32_t *warnings) {
    crd__revise_command command;
    command.when = at(date);
    command.total = total;
    command.removes = removes;
    command.line_policy = policy;
    *need = -1;
    *warnings = 0;
    return crd__decide_may_revise(&invoice, &command, need, warnings, &why);
}

START_TEST(M12_what_a_revision_needs_and_why_it_is_refused) {
    int64_t need;
    uint32_t warnings;
    ck_assert_int_eq(may_revise(600, 100, 0, 0, &need, &warnings), CRD_OK);
    ck_assert_int_eq(need, 0);
    ck_assert_int_eq(may_revise(599, 100, 0, 0, &need, &warnings), CRD_OK);
    ck_assert_int_eq(need, 1);
    ck_assert_int_eq(may_revise(0, 100, 0, 0, &need, &warnings), CRD_OK);
    ck_assert_int_eq(need, 600);
    ck_assert_int_eq(may_revise(2000, 50, 0, 0, &need, &warnings), CRD_E_CLOSED);
    ck_assert_int_eq(may_revise(2000, 99, 0, 0, &need, &warnings), CRD_E_DATE);
    invoice.returned = 300;
    ck_assert_int_eq(may_revise(299, 100, 0, 0, &need, &warnings), CRD_E_RETURNED);
    ck_assert_int_eq(why.limit, 300);
    ck_assert_int_eq(why.given, 299);
    ck_assert_int_eq(may_revise(300, 100, 0, 0, &need, &warnings), CRD_OK);
    invoice.flags = CRD_FLAG_REVERSED;
    ck_assert_int_eq(may_revise(2000, 99, 0, 0, &need, &warnings), CRD_E_RETURNED);
    invoice.flags = CRD_FLAG_OWN_DOCUMENT;
    ck_assert_int_eq(may_revise(2000, 99, 0, 0, &need, &warnings), CRD_E_STATE);
    invoice.flags = 0;
    invoice.state = CRD_INVOICE_VOIDED;
    ck_assert_int_eq(may_revise(2000, 99, 0, 0, &need, &warnings), CRD_E_STATE);
    invoice.state = CRD_INVOICE_CANCELLED;
    ck_assert_int_eq(may_revise(2000, 99, 0, 0, &need, &warnings), CRD_E_STATE);
}
END_TEST

START_TEST(R17_the_policy_on_lines_holds_after_the_day_of_the_sale) {
    int64_t need;
    uint32_t warnings;
    ck_assert_int_eq(may_revise(600, 100, 1, CRD_LINES_REFUSE, &need, &warnings), CRD_OK);
    ck_assert_int_eq(may_revise(600, 101, 0, CRD_LINES_REFUSE, &need, &warnings), CRD_OK);
    ck_assert_uint_eq(warnings, 0);
    ck_assert_int_eq(may_revise(600, 101, 1, CRD_LINES_REFUSE, &need, &warnings), CRD_E_WINDOW);
    ck_assert_int_eq(why.limit, 100);
    ck_assert_int_eq(why.given, 101);
    ck_assert_int_eq(may_revise(600, 101, 1, CRD_LINES_WARN, &need, &warnings), CRD_OK);
    ck_assert_uint_eq(warnings, CRD_WARN_LINE_REMOVED);
    ck_assert_int_eq(may_revise(600, 101, 1, CRD_LINES_ALLOW, &need, &warnings), CRD_OK);
    ck_assert_uint_eq(warnings, 0);
    invoice.state = CRD_INVOICE_DRAFT; /* nothing was sold yet */
    invoice.open = invoice.applied = invoice.written_off = 0;
    ck_assert_int_eq(may_revise(600, 101, 1, CRD_LINES_REFUSE, &need, &warnings), CRD_OK);
    ck_assert_int_eq(need, 0);
}
END_TEST

START_TEST(M5_what_settled_a_revised_invoice) {
    ck_assert_uint_eq(crd__revised_cause(&invoice, CRD_CAUSE_WRITTEN_OFF), CRD_CAUSE_WRITTEN_OFF);
    ck_assert_uint_eq(crd__revised_cause(&invoice, CRD_CAUSE_DISCOUNT), CRD_CAUSE_DISCOUNT);
    invoice.written_off = 0;
    ck_assert_uint_eq(crd__revised_cause(&invoice, CRD_CAUSE_NONE), CRD_CAUSE_APPLIED);
    invoice.applied = 0;
    ck_assert_uint_eq(crd__revised_cause(&invoice, CRD_CAUSE_NONE), CRD_CAUSE_NONE);
}
END_TEST

START_TEST(M12_write_off_and_its_undo_are_bounded) {
    crd__write_off_command command;
    memset(&command, 0, sizeof command);
    command.when = at(100);
    command.cause = CRD_CAUSE_TOLERANCE;
    ck_assert_int_eq(crd__decide_write_off(&invoice, &command, &decision, &why), CRD_OK);
    ck_assert_int_eq(decision.moves[0].amount, 400);
    ck_assert_uint_eq(decision.moves[0].type, CRD_ENTRY_WRITE_OFF);
    ck_assert_uint_eq(decision.moves[0].cause, CRD_CAUSE_TOLERANCE);
    command.amount = 401;
    ck_assert_int_eq(crd__decide_write_off(&invoice, &command, &decision, &why), CRD_E_INVOICE_AMOUNT);
    command.when = at(99);
    ck_assert_int_eq(crd__decide_write_off(&invoice, &command, &decision, &why), CRD_E_DATE);
    invoice.state = CRD_INVOICE_PAID;
    ck_assert_int_eq(crd__decide_write_off(&invoice, &command, &decision, &why), CRD_E_STATE);
    memset(&decision, 0, sizeof decision);
    command.when = at(100);
    command.seq = 7;
    command.left = 60;
    command.amount = 61;
    ck_assert_int_eq(crd__decide_unwrite_off(&invoice, NULL, &command, &decision, &why), CRD_E_INVOICE_AMOUNT);
    command.amount = 0;
    ck_assert_int_eq(crd__decide_unwrite_off(&invoice, NULL, &command, &decision, &why), CRD_OK);
    ck_assert_int_eq(decision.moves[0].amount, 60);
    ck_assert_int_eq(decision.moves[0].undoes, 7);
    command.left = 0;
    ck_assert_int_eq(crd__decide_unwrite_off(&invoice, NULL, &command, &decision, &why), CRD_E_NOTHING);
}
END_TEST

START_TEST(M6_undoing_a_write_off_follows_its_receipt) {
    crd__write_off_command command;
    crd_receipt_record receipt;
    crd__record_clear(CRD_KIND_RECEIPT, &receipt);
    receipt.id = "R";
    receipt.last_date = 120;
    memset(&command, 0, sizeof command);
    command.when = at(110);
    command.left = 60;
    ck_assert_int_eq(crd__decide_unwrite_off(&invoice, &receipt, &command, &decision, &why), CRD_E_DATE);
    ck_assert_uint_eq(why.subject_kind, CRD_KIND_RECEIPT);
    command.when.direct = 0;
    ck_assert_int_eq(crd__decide_unwrite_off(&invoice, &receipt, &command, &decision, &why), CRD_OK);
    ck_assert_int_eq(decision.moves[0].date, 120);
}
END_TEST

START_TEST(M12_no_more_is_returned_or_reversed_than_was_sold) {
    crd__when when = at(100), early = at(99);
    int64_t amount = 0;
    invoice.returned = 300;
    ck_assert_int_eq(crd__decide_return(&invoice, &when, 700, &why), CRD_OK);
    ck_assert_int_eq(crd__decide_return(&invoice, &when, 701, &why), CRD_E_RETURNED);
    ck_assert_int_eq(why.limit, 700);
    ck_assert_int_eq(crd__decide_return(&invoice, &early, 701, &why), CRD_E_DATE);
    ck_assert_int_eq(crd__decide_may_reverse(&invoice, &when, &amount, &why), CRD_OK);
    ck_assert_int_eq(amount, 700);
    invoice.returned = 1000;
    ck_assert_int_eq(crd__decide_may_reverse(&invoice, &when, &amount, &why), CRD_E_NOTHING);
    invoice.returned = 300;
    invoice.flags = CRD_FLAG_REVERSED;
    ck_assert_int_eq(crd__decide_may_reverse(&invoice, &early, &amount, &why), CRD_E_NOTHING);
    invoice.flags = CRD_FLAG_OWN_DOCUMENT;
    ck_assert_int_eq(crd__decide_may_reverse(&invoice, &when, &amount, &why), CRD_E_STATE);
    ck_assert_int_eq(crd__decide_return(&invoice, &when, 1, &why), CRD_E_STATE);
    ck_assert_int_eq(crd__decide_may_void(&invoice, &when, &why), CRD_E_STATE);
    invoice.flags = 0;
    ck_assert_int_eq(crd__decide_may_void(&invoice, &when, &why), CRD_E_RETURNED);
    invoice.state = CRD_INVOICE_DRAFT;
    ck_assert_int_eq(crd__decide_may_reverse(&invoice, &when, &amount, &why), CRD_E_STATE);
    ck_assert_int_eq(crd__decide_return(&invoice, &when, 1, &why), CRD_E_STATE);
}
END_TEST

int main(void) {
    Suite *s = suite_create("invoice changes");
    TCase *t = tcase_create("invoice changes");
    SRunner *runner;
    int failed;
    tcase_add_checked_fixture(t, setup, NULL);
    tcase_add_test(t, M12_the_tax_of_a_part_is_its_share_a_tie_going_to_it);
    tcase_add_test(t, M12_parts_of_the_tax_sum_to_it_however_it_is_returned);
    tcase_add_test(t, M12_write_offs_are_freed_first_then_the_newest_own_memos_last);
    tcase_add_test(t, M12_what_a_revision_needs_and_why_it_is_refused);
    tcase_add_test(t, R17_the_policy_on_lines_holds_after_the_day_of_the_sale);
    tcase_add_test(t, M5_what_settled_a_revised_invoice);
    tcase_add_test(t, M12_write_off_and_its_undo_are_bounded);
    tcase_add_test(t, M6_undoing_a_write_off_follows_its_receipt);
    tcase_add_test(t, M12_no_more_is_returned_or_reversed_than_was_sold);
    suite_add_tcase(s, t);
    runner = srunner_create(s);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
