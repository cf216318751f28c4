/*
 * What leaves a credit other than to an invoice, decided on records alone: every refusal with its figures, and the last
 * amount and the last day that are not refused.
 */
#include "core/decide.h"
#include "core/record.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static crd_credit_record credit, there;
static crd_receipt_record receipt;
static crd__decision decision, away;
static crd__refusal why;

static void setup_credit(crd_credit_record *c, const char *id) {
    crd__record_clear(CRD_KIND_CREDIT, c);
    c->id = id;
    c->kind = CRD_CREDIT_MEMO;
    c->credit_class = CRD_CLASS_MEMO;
    c->state = CRD_CREDIT_ACTIVE;
    c->issued = c->effective = c->last_date = 100;
    c->original = c->remaining = 50;
}

static void setup(void) {
    setup_credit(&credit, "K");
    setup_credit(&there, "there");
    crd__record_clear(CRD_KIND_RECEIPT, &receipt);
    receipt.id = "R";
    memset(&decision, 0, sizeof decision);
    memset(&away, 0, sizeof away);
    memset(&why, 0, sizeof why);
}

static crd__when at(int32_t date, int direct) {
    crd__when when;
    memset(&when, 0, sizeof when);
    when.date = date;
    when.closed_through = 90;
    when.direct = direct;
    return when;
}

#define REFUSES(call, code_, subject_, limit_, given_)                                                                 \
    do {                                                                                                               \
        memset(&why, 0, sizeof why);                                                                                   \
        decision.count = away.count = 0;                                                                               \
        ck_assert_int_eq(call, code_);                                                                                 \
        ck_assert_int_eq(why.code, code_);                                                                             \
        ck_assert_str_eq(why.subject, subject_);                                                                       \
        ck_assert_int_eq(why.limit, limit_);                                                                           \
        ck_assert_int_eq(why.given, given_);                                                                           \
        ck_assert_uint_eq(decision.count, 0);                                                                          \
        ck_assert_uint_eq(away.count, 0);                                                                              \
    } while (0)
#define MOVES(call, type_, date_, amount_)                                                                             \
    do {                                                                                                               \
        decision.count = away.count = 0;                                                                               \
        ck_assert_int_eq(call, CRD_OK);                                                                                \
        ck_assert_uint_ge(decision.count, 1);                                                                          \
        ck_assert_uint_eq(decision.moves[0].type, type_);                                                              \
        ck_assert_int_eq(decision.moves[0].date, date_);                                                               \
        ck_assert_int_eq(decision.moves[0].amount, amount_);                                                           \
    } while (0)

static crd_status out_of(int transfer, int32_t date, int64_t amount, int override) {
    crd__out_command ask;
    memset(&ask, 0, sizeof ask);
    ask.when = at(date, 1);
    ask.amount = amount;
    ask.override = override;
    return transfer ? crd__decide_transfer(&credit, &ask, &decision, &why)
                    : crd__decide_refund(&credit, &ask, &decision, &why);
}

/* _i: 0 refund, 1 transfer */
START_TEST(R20_R67_M10_refund_and_transfer_reach_what_is_available) {
    uint32_t type = _i ? CRD_ENTRY_TRANSFER : CRD_ENTRY_REFUND;
    credit.held = 5;
    credit.allocated = 7;
    MOVES(out_of(_i, 100, 0, 0), type, 100, 38);
    MOVES(out_of(_i, 100, 38, 0), type, 100, 38);
    REFUSES(out_of(_i, 100, 39, 0), CRD_E_CREDIT_AMOUNT, "K", 38, 39);
    REFUSES(out_of(_i, 100, CRD_MAX_AMOUNT, 0), CRD_E_CREDIT_AMOUNT, "K", 38, CRD_MAX_AMOUNT);
    REFUSES(out_of(_i, 99, 1, 0), CRD_E_DATE, "K", 100, 99);
    REFUSES(out_of(_i, 90, 1, 0), CRD_E_CLOSED, "K", 90, 90); /* comes before the date and the amount */
    credit.expires = 110;
    MOVES(out_of(_i, 109, 0, 0), type, 109, 38);
    REFUSES(out_of(_i, 110, 39, 0), CRD_E_EXPIRED, "K", 110, 110);
    credit.expires = 0;
    credit.effective = 200; /* not usable yet: reached all the same */
    MOVES(out_of(_i, 100, 0, 0), type, 100, 38);
    credit.held = 43;
    REFUSES(out_of(_i, 100, 0, 0), CRD_E_IN_USE, "K", 50, 0);
    REFUSES(out_of(_i, 100, 1, 0), CRD_E_IN_USE, "K", 50, 1);
    credit.state = CRD_CREDIT_SPENT;
    credit.remaining = credit.held = credit.allocated = 0;
    REFUSES(out_of(_i, 90, 1, 0), CRD_E_STATE, "K", 0, CRD_CREDIT_SPENT); /* the state comes first of all */
    credit.state = CRD_CREDIT_VOIDED;
    REFUSES(out_of(_i, 100, 1, 1), CRD_E_STATE, "K", 0, CRD_CREDIT_VOIDED);
}
END_TEST

START_TEST(M4_what_is_refundable) {
    static const struct {
        uint32_t credit_class, stands_for, flags;
        int refundable;
    } cases[] = {
        {CRD_CLASS_CASH, 0, 0, 1},
        {CRD_CLASS_MEMO, 0, 0, 1},
        {CRD_CLASS_PROMISE, 0, 0, 0},
        {CRD_CLASS_ADJUSTMENT, 0, 0, 0},
        {CRD_CLASS_OPENING, CRD_CREDIT_DEPOSIT, 0, 1},
        {CRD_CLASS_OPENING, CRD_CREDIT_MEMO, 0, 1},
        {CRD_CLASS_OPENING, CRD_CREDIT_LOYALTY, 0, 0},
        {CRD_CLASS_CASH, 0, CRD_FLAG_NON_REFUNDABLE, 0},
        {CRD_CLASS_PROMISE, 0, CRD_FLAG_REFUNDABLE, 1},
        {CRD_CLASS_ADJUSTMENT, 0, CRD_FLAG_REFUNDABLE, 1},
        {CRD_CLASS_MEMO, 0, CRD_FLAG_NON_REFUNDABLE | CRD_FLAG_REFUNDABLE, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint32_t counts_as = cases[i].credit_class;
        credit.credit_class = cases[i].credit_class;
        credit.stands_for = cases[i].stands_for;
        credit.flags = cases[i].flags;
        if (counts_as == CRD_CLASS_OPENING) counts_as = crd__credit_class(cases[i].stands_for);
        if (cases[i].refundable)
            MOVES(out_of(0, 100, 0, 0), CRD_ENTRY_REFUND, 100, 50);
        else /* before the date */
            REFUSES(out_of(0, 90, 7, 0), CRD_E_NOT_REFUNDABLE, "K", counts_as, 7);
        MOVES(out_of(0, 100, 0, 1), CRD_ENTRY_REFUND, 100, 50);
        MOVES(out_of(1, 100, 0, 0), CRD_ENTRY_TRANSFER, 100, 50); /* it stays what it is, so it may go */
    }
}
END_TEST

static crd_status give_back(int32_t date, int direct, int64_t left) {
    crd__give_back_command ask;
    memset(&ask, 0, sizeof ask);
    ask.when = at(date, direct);
    ask.type = CRD_ENTRY_UNREFUND;
    ask.seq = 7;
    ask.left = left;
    return crd__decide_give_back(&credit, &ask, &decision, &why);
}

START_TEST(R81_M14_a_refund_is_given_back_whole_and_once) {
    credit.refunded = 50;
    credit.remaining = 0;
    credit.state = CRD_CREDIT_SPENT;
    MOVES(give_back(100, 1, 20), CRD_ENTRY_UNREFUND, 100, 20);
    ck_assert_int_eq(decision.moves[0].undoes, 7);
    ck_assert_uint_eq(decision.count, 1);
    REFUSES(give_back(90, 1, 0), CRD_E_NOTHING, "K", 0, 0); /* there is nothing to date */
    REFUSES(give_back(90, 1, 20), CRD_E_CLOSED, "K", 90, 90);
    REFUSES(give_back(99, 1, 20), CRD_E_DATE, "K", 100, 99);
    MOVES(give_back(99, 0, 20), CRD_ENTRY_UNREFUND, 100, 20); /* one of a cascade is raised */
    credit.expires = 105;
    MOVES(give_back(105, 1, 20), CRD_ENTRY_UNREFUND, 105, 20);
    ck_assert_uint_eq(decision.count, 2);
    ck_assert_uint_eq(decision.moves[1].type, CRD_ENTRY_EXPIRE);
    ck_assert_uint_eq(decision.moves[1].flags, CRD_ENTRY_CONSEQUENCE);
}
END_TEST

START_TEST(M8_money_that_returns_is_usable_when_nothing_takes_it_at_once) {
    ck_assert_int_eq(crd__returns_usable(&credit, 100), 1);
    ck_assert_int_eq(crd__returns_usable(&credit, 99), 0); /* not effective yet */
    credit.expires = 110;
    ck_assert_int_eq(crd__returns_usable(&credit, 109), 1);
    ck_assert_int_eq(crd__returns_usable(&credit, 110), 0);
    credit.expires = 0;
    credit.flags = CRD_FLAG_REVERSED;
    ck_assert_int_eq(crd__returns_usable(&credit, 100), 0);
}
END_TEST

/* ---- transfer ---- */

START_TEST(R67_M10_the_credit_there_is_the_same_money) {
    crd_credit_record made;
    credit.flags = CRD_FLAG_RESERVED | CRD_FLAG_RETURN | CRD_FLAG_NON_REFUNDABLE;
    credit.kind = CRD_CREDIT_ALLOWANCE;
    credit.original = 60;
    credit.tax = 10;
    credit.transferred = 10;
    credit.voided = 3;
    credit.expires = 400;
    credit.pays_kinds = 2;
    credit.receipt = "R";
    credit.prefers = "I";
    credit.origin = "sale";
    credit.line_count = 3;
    credit.lines_digest[5] = 9;
    crd__transferred_credit(&credit, 20, &made);
    ck_assert_uint_eq(made.flags, CRD_FLAG_RESERVED | CRD_FLAG_NON_REFUNDABLE | CRD_FLAG_TRANSFERRED_IN);
    ck_assert_uint_eq(made.kind, CRD_CREDIT_ALLOWANCE);
    ck_assert_int_eq(made.original, 20);
    ck_assert_int_eq(made.remaining, 20);
    ck_assert_int_eq(made.tax, 3); /* of 30 there are 5 gone, of 10 there were 2 (1.67) */
    ck_assert_int_eq(made.voided + made.transferred + made.held + made.applied, 0);
    ck_assert_int_eq(made.expires, 400);
    ck_assert_uint_eq(made.pays_kinds, 2);
    ck_assert_str_eq(made.receipt, "");
    ck_assert_str_eq(made.prefers, "");
    ck_assert_str_eq(made.origin, "sale");
    ck_assert_uint_eq(made.line_count, 0);
    ck_assert_uint_eq(made.lines_digest[5], 0);
    ck_assert_int_eq(crd__credit_check(&made), 1);
}
END_TEST

static crd_status back(int32_t date, int64_t left, int64_t amount) {
    crd__untransfer_command ask;
    memset(&ask, 0, sizeof ask);
    ask.when = at(date, 1);
    ask.seq = 7;
    ask.left = left;
    ask.amount = amount;
    return crd__decide_untransfer(&credit, &there, &ask, &away, &decision, &why);
}

START_TEST(R81_M14_a_transfer_comes_back_as_far_as_it_is_available_there) {
    credit.remaining = 0;
    credit.transferred = 50;
    credit.state = CRD_CREDIT_SPENT;
    there.held = 10;
    MOVES(back(100, 50, 0), CRD_ENTRY_UNTRANSFER, 100, 40);
    ck_assert_uint_eq(away.count, 1);
    ck_assert_uint_eq(away.moves[0].type, CRD_ENTRY_TRANSFER);
    ck_assert_uint_eq(away.moves[0].flags, CRD_ENTRY_CONSEQUENCE);
    ck_assert_int_eq(away.moves[0].amount, 40);
    MOVES(back(100, 30, 0), CRD_ENTRY_UNTRANSFER, 100, 30); /* never more than is left of it */
    MOVES(back(100, 50, 40), CRD_ENTRY_UNTRANSFER, 100, 40);
    REFUSES(back(100, 50, 41), CRD_E_CREDIT_AMOUNT, "there", 40, 41);
    REFUSES(back(100, 30, 31), CRD_E_CREDIT_AMOUNT, "there", 30, 31);
    REFUSES(back(90, 0, 5), CRD_E_NOTHING, "K", 0, 5);
    REFUSES(back(90, 50, 5), CRD_E_CLOSED, "K", 90, 90);
    REFUSES(back(99, 50, 5), CRD_E_DATE, "K", 100, 99);
    there.last_date = 104;
    REFUSES(back(103, 50, 5), CRD_E_DATE, "there", 104, 103);
    there.expires = 110;
    MOVES(back(109, 50, 5), CRD_ENTRY_UNTRANSFER, 109, 5);
    REFUSES(back(110, 50, 5), CRD_E_EXPIRED, "there", 110, 110);
    there.held = 50; /* what is held has not expired; nor is it available */
    REFUSES(back(110, 50, 0), CRD_E_CREDIT_AMOUNT, "there", 0, 50);
    REFUSES(back(110, 50, 5), CRD_E_CREDIT_AMOUNT, "there", 0, 5);
}
END_TEST

/* ---- adjust ---- */

static crd_status adjust(int32_t date, int64_t target, int64_t *before) {
    const crd_credit_record *list[2];
    crd__adjust_command ask;
    list[0] = &credit;
    list[1] = &there;
    memset(&ask, 0, sizeof ask);
    ask.when = at(date, 1);
    ask.currency = "EUR";
    ask.target = target;
    return crd__decide_adjust(list, 2, &ask, before, &why);
}

START_TEST(R7_R8_M10_what_an_adjustment_counts_and_refuses) {
    int64_t before = -1;
    credit.held = 10;
    credit.flags = CRD_FLAG_RESERVED; /* counts too */
    there.allocated = 5;
    ck_assert_int_eq(adjust(100, 0, &before), CRD_OK);
    ck_assert_int_eq(before, 40 + 45);
    REFUSES(adjust(90, -1, &before), CRD_E_CLOSED, "EUR", 90, 90);
    credit.last_date = 103;
    there.last_date = 107;
    REFUSES(adjust(106, -1, &before), CRD_E_DATE, "there", 107, 106);
    there.expires = 106; /* what is not usable on that day is left alone, and has no say */
    REFUSES(adjust(106, -1, &before), CRD_E_BELOW_ZERO, "EUR", 0, -1);
    ck_assert_int_eq(adjust(106, CRD_MAX_AMOUNT, &before), CRD_OK);
    ck_assert_int_eq(before, 40);
    there.expires = 0;
    there.effective = 107;
    ck_assert_int_eq(adjust(106, 0, &before), CRD_OK);
    ck_assert_int_eq(before, 40);
    ck_assert_int_eq(crd__adjustable(&there, 106), 0);
    ck_assert_int_eq(crd__adjustable(&there, 107), 45);
    credit.remaining = credit.original = INT64_MAX; /* no book has it: sums are kept within 64 bits */
    credit.held = 0;
    REFUSES(adjust(107, 0, &before), CRD_E_OVERFLOW, "EUR", 0, 0);
}
END_TEST

static crd_status take_back(int32_t date, int64_t amount, int undone) {
    crd__take_back_command ask;
    memset(&ask, 0, sizeof ask);
    ask.when = at(date, 1);
    ask.seq = 7;
    ask.amount = amount;
    ask.undone = undone;
    return crd__decide_take_back(&credit, &ask, &decision, &why);
}

START_TEST(R7_M14_an_adjustment_upward_is_taken_back_while_all_of_it_is_there) {
    MOVES(take_back(100, 50, 0), CRD_ENTRY_ADJUST_PIECE, 100, 50);
    ck_assert_int_eq(decision.moves[0].undoes, 7);
    REFUSES(take_back(90, 50, 1), CRD_E_NOTHING, "K", 0, 0);
    REFUSES(take_back(90, 50, 0), CRD_E_CLOSED, "K", 90, 90);
    REFUSES(take_back(99, 50, 0), CRD_E_DATE, "K", 100, 99);
    credit.held = 1;
    REFUSES(take_back(100, 50, 0), CRD_E_CREDIT_AMOUNT, "K", 49, 50);
    credit.expires = 101;
    REFUSES(take_back(101, 50, 0), CRD_E_EXPIRED, "K", 101, 101);
}
END_TEST

/* ---- delete ---- */

static crd_status may_delete(int32_t date, int32_t window, int cascade, int moved, int with_receipt) {
    crd__delete_command ask;
    memset(&ask, 0, sizeof ask);
    ask.when = at(date, 1);
    ask.window = window;
    ask.cascade = cascade;
    ask.moved = moved;
    return crd__decide_may_delete(&credit, with_receipt ? &receipt : NULL, &ask, &why);
}

START_TEST(R29_M11_a_mistake_is_deleted_within_its_window_and_never_in_a_closed_period) {
    ck_assert_int_eq(may_delete(100, 0, 0, 0, 0), CRD_OK);
    REFUSES(may_delete(101, 0, 0, 0, 0), CRD_E_WINDOW, "K", 100, 101);
    ck_assert_str_ne(why.hint, "");
    ck_assert_int_eq(may_delete(103, 3, 0, 0, 0), CRD_OK);
    REFUSES(may_delete(104, 3, 0, 0, 0), CRD_E_WINDOW, "K", 103, 104);
    ck_assert_int_eq(may_delete(CRD_DATE_MAX, INT32_MAX, 0, 0, 0), CRD_OK); /* the last day there is */
    REFUSES(may_delete(99, 0, 0, 0, 0), CRD_E_DATE, "K", 100, 99);
    credit.issued = 90;
    REFUSES(may_delete(100, 0, 0, 0, 0), CRD_E_CLOSED, "K", 90, 90); /* before its window */
    ck_assert_str_ne(why.hint, "");
    credit.issued = 91;
    REFUSES(may_delete(90, 20, 0, 0, 0), CRD_E_CLOSED, "K", 90, 90); /* nor is the deletion dated there */
    credit.issued = 100;
    credit.expires = 102;
    ck_assert_int_eq(may_delete(101, 9, 0, 0, 0), CRD_OK);
    REFUSES(may_delete(102, 9, 0, 0, 0), CRD_E_EXPIRED, "K", 102, 102);
}
END_TEST

START_TEST(R29_M11_a_mistake_is_not_deleted_while_it_is_in_use) {
    credit.applied = 10;
    credit.remaining = 40;
    REFUSES(may_delete(100, 0, 0, 0, 0), CRD_E_IN_USE, "K", 10, 0);
    ck_assert_int_eq(may_delete(100, 0, 1, 0, 0), CRD_OK);
    credit.held = 3;
    credit.allocated = 4;
    REFUSES(may_delete(100, 0, 0, 0, 0), CRD_E_IN_USE, "K", 17, 0);
    REFUSES(may_delete(100, 0, 1, 0, 0), CRD_E_IN_USE, "K", 7, 0); /* a cascade undoes applications only */
    credit.held = credit.allocated = 0;
    credit.applied_by_receipt = 10;
    receipt.applied = 10;
    receipt.written_off = 2;
    REFUSES(may_delete(100, 0, 0, 0, 1), CRD_E_IN_USE, "K", 12, 0);
    ck_assert_int_eq(may_delete(100, 0, 1, 0, 1), CRD_OK);
    receipt.applied = 11; /* 1 of another credit */
    REFUSES(may_delete(100, 0, 1, 0, 1), CRD_E_STATE, "K", 40, CRD_CREDIT_ACTIVE);
    ck_assert_ptr_nonnull(strstr(why.hint, "undo the receipt"));
}
END_TEST

START_TEST(M11_what_is_refused_for_ever_comes_before_the_rest) {
    REFUSES(may_delete(90, 0, 1, 1, 0), CRD_E_STATE, "K", 50, CRD_CREDIT_ACTIVE);
    ck_assert_ptr_nonnull(strstr(why.hint, "void what is left"));
    credit.flags = CRD_FLAG_TRANSFERRED_IN;
    REFUSES(may_delete(90, 0, 1, 0, 0), CRD_E_STATE, "K", 50, CRD_CREDIT_ACTIVE);
    credit.flags = CRD_FLAG_OWN_DOCUMENT;
    REFUSES(may_delete(90, 0, 1, 0, 0), CRD_E_STATE, "K", 50, CRD_CREDIT_ACTIVE);
    ck_assert_ptr_nonnull(strstr(why.hint, "undo its cause"));
    credit.flags = CRD_FLAG_DELETED;
    REFUSES(may_delete(90, 0, 1, 1, 0), CRD_E_NOTHING, "K", 0, 0);
}
END_TEST

START_TEST(M11_deleted_is_all_of_it) {
    crd__when when = at(105, 0);
    decision.count = 0;
    crd__decide_delete(&credit, &when, &decision);
    ck_assert_uint_eq(decision.count, 1);
    ck_assert_uint_eq(decision.moves[0].type, CRD_ENTRY_DELETE);
    ck_assert_int_eq(decision.moves[0].date, 105);
    ck_assert_int_eq(decision.moves[0].amount, 50);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("credit out");
    TCase *tests = tcase_create("credit out");
    SRunner *runner;
    int failed;
    tcase_add_checked_fixture(tests, setup, NULL);
    tcase_add_loop_test(tests, R20_R67_M10_refund_and_transfer_reach_what_is_available, 0, 2);
    tcase_add_test(tests, M4_what_is_refundable);
    tcase_add_test(tests, R81_M14_a_refund_is_given_back_whole_and_once);
    tcase_add_test(tests, M8_money_that_returns_is_usable_when_nothing_takes_it_at_once);
    tcase_add_test(tests, R67_M10_the_credit_there_is_the_same_money);
    tcase_add_test(tests, R81_M14_a_transfer_comes_back_as_far_as_it_is_available_there);
    tcase_add_test(tests, R7_R8_M10_what_an_adjustment_counts_and_refuses);
    tcase_add_test(tests, R7_M14_an_adjustment_upward_is_taken_back_while_all_of_it_is_there);
    tcase_add_test(tests, R29_M11_a_mistake_is_deleted_within_its_window_and_never_in_a_closed_period);
    tcase_add_test(tests, R29_M11_a_mistake_is_not_deleted_while_it_is_in_use);
    tcase_add_test(tests, M11_what_is_refused_for_ever_comes_before_the_rest);
    tcase_add_test(tests, M11_deleted_is_all_of_it);
    suite_add_tcase(suite, tests);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
