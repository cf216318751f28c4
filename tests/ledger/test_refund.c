/*
 * Refund: what may be paid out and how much of it, and the way back when the payment failed.
 */
#include "support/world.h"

#include <string.h>

static crd_refund_terms terms(int64_t amount, uint32_t flags) {
    crd_refund_terms t;
    memset(&t, 0, sizeof t);
    t.struct_size = sizeof t;
    t.amount = amount;
    t.flags = flags;
    return t;
}

static crd_status try_refund(world *w, crd_credit *c, int64_t amount, uint32_t flags, int day, crd_result *out) {
    crd_refund_terms t = terms(amount, flags);
    return crd_credit_refund(w->ledger, on(day), c, &t, out);
}

static int64_t refund(world *w, crd_credit *c, int64_t amount, int day) {
    crd_result r = result_block();
    OK(w, try_refund(w, c, amount, 0, day, &r));
    world_check(w);
    return r.first_seq;
}

START_TEST(R20_M10_a_refund_lowers_the_credit_by_exactly_its_amount) {
    world *w = world_open(_i);
    crd_refund_terms t = terms(300, 0);
    crd_result r = result_block();
    crd_credit *p;
    book *b;
    const crd_entry_record *e;
    customer(w, "c1");
    p = cash(w, "c1", "P", 1000, 0); /* 1, 2 */
    t.method = "wire";
    t.reference = "W-77";
    OK(w, crd_credit_refund(w->ledger, on(1), p, &t, &r));
    world_check(w);
    ck_assert_int_eq(r.amount, 300);
    ck_assert_int_eq(r.first_seq, 3);
    ck_assert_int_eq(r.last_seq, 3);
    b = world_book(w);
    e = book_entry(b, "c1", "EUR", 3);
    ck_assert_uint_eq(e->type, CRD_ENTRY_REFUND);
    ck_assert_int_eq(e->amount, 300);
    ck_assert_int_eq(e->credit_after, 700);
    ck_assert_str_eq(e->method, "wire");
    ck_assert_str_eq(e->reference, "W-77");
    ck_assert_int_eq(book_credit(b, "c1", "P")->refunded, 300);
    ck_assert_int_eq(book_credit(b, "c1", "P")->remaining, 700);
    ck_assert_int_eq(book_account(b, "c1", "EUR")->credit_remaining, 700);
    ck_assert_int_eq(book_account(b, "c1", "EUR")->cash_remaining, 700);
    ck_assert_int_eq(book_account(b, "c1", "EUR")->issued, 1000);
    book_free(b);
    ck_assert_int_eq(balance_of(w->ledger, "c1", "EUR", 1).available, 700);
    refund(w, p, 0, 1); /* all that is left */
    ck_assert_int_eq(crd_credit_get(p)->refunded, 1000);
    ck_assert_uint_eq(crd_credit_get(p)->state, CRD_CREDIT_SPENT);
    ck_assert_uint_eq(crd_credit_get(p)->cause, CRD_CAUSE_REFUNDED);
    b = world_book(w);
    ck_assert_str_eq(book_entry(b, "c1", "EUR", 4)->method, "cash"); /* as it was received */
    book_free(b);
    crd_credit_free(p);
    world_close(w);
}
END_TEST

START_TEST(R66_M4_class_and_flags_decide_what_is_refundable) {
    static const struct {
        uint32_t kind, stands_for, flags;
        int yes;
    } cases[] = {
        {CRD_CREDIT_DEPOSIT, 0, 0, 1},
        {CRD_CREDIT_DEPOSIT, 0, CRD_FLAG_NON_REFUNDABLE, 0},
        {CRD_CREDIT_MEMO, 0, 0, 1},
        {CRD_CREDIT_REFUND_OWED, 0, 0, 1},
        {CRD_CREDIT_MEMO, 0, CRD_FLAG_NON_REFUNDABLE, 0},
        {CRD_CREDIT_GOODWILL, 0, 0, 0},
        {CRD_CREDIT_GOODWILL, 0, CRD_FLAG_REFUNDABLE, 1},
        {CRD_CREDIT_ADJUSTMENT, 0, 0, 0},
        {CRD_CREDIT_ADJUSTMENT, 0, CRD_FLAG_REFUNDABLE, 1},
        {CRD_CREDIT_OPENING, CRD_CREDIT_PAYMENT, 0, 1},
        {CRD_CREDIT_OPENING, CRD_CREDIT_MEMO, 0, 1},
        {CRD_CREDIT_OPENING, CRD_CREDIT_LOYALTY, 0, 0},
        {CRD_CREDIT_OPENING, CRD_CREDIT_ADJUSTMENT, 0, 0},
    };
    world *w = world_open(_i);
    customer(w, "c1");
    for (size_t n = 0; n < sizeof cases / sizeof cases[0]; n++) {
        crd_credit_terms t = credit_terms(NULL, cases[n].kind, 100);
        crd_result r = result_block();
        crd_credit *c = NULL;
        t.flags = cases[n].flags;
        t.stands_for = cases[n].stands_for;
        OK(w, crd_credit_issue(w->ledger, on(0), "c1", &t, &c));
        if (cases[n].yes) {
            OK(w, try_refund(w, c, 40, 0, 1, &r));
        } else {
            REFUSED(w, try_refund(w, c, 40, 0, 1, &r), CRD_E_NOT_REFUNDABLE);
            SUBJECT(w, CRD_KIND_CREDIT, crd_credit_get(c)->id);
            OK(w, try_refund(w, c, 40, CRD_REFUND_OVERRIDE, 1, &r));
        }
        world_check(w);
        ck_assert_int_eq(r.amount, 40);
        ck_assert_int_eq(crd_credit_get(c)->refunded, 40);
        ck_assert_int_eq(crd_credit_get(c)->remaining, 60);
        crd_credit_free(c);
    }
    world_close(w);
}
END_TEST

static uint32_t asked_flags;
static int32_t CRD_CALL no_override(void *ctx, const crd_operation *operation) {
    (void)ctx;
    asked_flags = operation->flags;
    return operation->command == CRD_COMMAND_CREDIT_REFUND && (operation->flags & CRD_REFUND_OVERRIDE) != 0;
}

START_TEST(R30_R66_the_override_is_a_right_of_its_own) {
    crd_hooks hooks;
    world *w;
    crd_credit *p, *c;
    memset(&hooks, 0, sizeof hooks);
    hooks.struct_size = sizeof hooks;
    hooks.authorize = no_override;
    w = world_open_with(_i, NULL, NULL, &hooks);
    customer(w, "c1");
    p = promise(w, "c1", "P", 100, 0, 50);
    c = cash(w, "c1", "C", 100, 0);
    REFUSED(w, try_refund(w, p, 10, CRD_REFUND_OVERRIDE, 1, NULL), CRD_E_DENIED);
    REFUSED(w, try_refund(w, c, 10, CRD_REFUND_OVERRIDE, 1, NULL), CRD_E_DENIED);
    REFUSED(w, try_refund(w, p, 10, 0, 1, NULL), CRD_E_NOT_REFUNDABLE);
    refund(w, c, 10, 1);
    ck_assert_uint_eq(asked_flags, 0);
    crd_credit_free(p);
    crd_credit_free(c);
    world_close(w);
}
END_TEST

START_TEST(R31_M16_a_refund_is_refused_in_order_with_the_figures) {
    world *w = world_open(_i);
    crd_settings s;
    crd_credit *p, *gone, *good;
    customer(w, "c1");
    p = cash(w, "c1", "P", 1000, 5);
    gone = cash(w, "c1", "G", 50, 5);
    good = promise(w, "c1", "X", 70, 5, 20);
    refund(w, gone, 0, 6);
    REFUSED(w, try_refund(w, gone, 0, 0, 6, NULL), CRD_E_STATE);
    FIGURES(w, 0, CRD_CREDIT_SPENT);
    REFUSED(w, try_refund(w, p, 1001, 0, 6, NULL), CRD_E_CREDIT_AMOUNT);
    FIGURES(w, 1000, 1001);
    REFUSED(w, try_refund(w, p, 1, 0, 4, NULL), CRD_E_DATE);
    FIGURES(w, DAY(5), DAY(4));
    REFUSED(w, try_refund(w, good, 1, CRD_REFUND_OVERRIDE, 20, NULL), CRD_E_EXPIRED); /* nothing is available */
    FIGURES(w, DAY(20), DAY(20));
    REFUSED(w, try_refund(w, good, 1, 0, 4, NULL), CRD_E_NOT_REFUNDABLE); /* state comes before date */
    REFUSED(w, try_refund(w, p, -1, 0, 6, NULL), CRD_E_ARGUMENT);
    FIELD(w, "terms.amount");
    REFUSED(w, try_refund(w, p, 1, 2, 6, NULL), CRD_E_ARGUMENT);
    FIELD(w, "terms.flags");
    REFUSED(w, try_refund(w, NULL, 1, 0, 6, NULL), CRD_E_ARGUMENT);
    FIELD(w, "credit");
    REFUSED(w, crd_credit_refund(w->ledger, on(6), p, NULL, NULL), CRD_E_ARGUMENT);
    memset(&s, 0, sizeof s);
    s.struct_size = sizeof s;
    s.closed_through = DAY(7);
    OK(w, crd_ledger_configure(w->ledger, &s));
    REFUSED(w, try_refund(w, p, 1, 0, 7, NULL), CRD_E_CLOSED);
    FIGURES(w, DAY(7), DAY(7));
    refund(w, p, 1, 8);
    crd_credit_free(p);
    crd_credit_free(gone);
    crd_credit_free(good);
    world_close(w);
}
END_TEST

START_TEST(M7_credit_not_yet_effective_can_be_refunded) {
    world *w = world_open(_i);
    crd_credit_terms t = credit_terms("M", CRD_CREDIT_MEMO, 100);
    crd_credit *m = NULL;
    customer(w, "c1");
    t.effective = DAY(30);
    OK(w, crd_credit_issue(w->ledger, on(0), "c1", &t, &m));
    refund(w, m, 100, 1);
    ck_assert_int_eq(stored_credit(w, "c1", "M").refunded, 100);
    crd_credit_free(m);
    world_close(w);
}
END_TEST

/* Museum 38: a refund and an application each drew on one credit as if the other were not there. */
START_TEST(R76_museum_38_refund_and_application_come_out_of_one_remainder) {
    world *w = world_open(_i);
    crd_credit *p;
    crd_invoice *i;
    customer(w, "c1");
    p = cash(w, "c1", "P", 1000, 0);
    i = invoice(w, "c1", "I", 900, 0, 30);
    apply(w, p, i, 600, 1);
    REFUSED(w, try_refund(w, p, 401, 0, 1, NULL), CRD_E_CREDIT_AMOUNT);
    FIGURES(w, 400, 401);
    refund(w, p, 300, 1);
    REFUSED(w, try_apply(w->ledger, p, i, 101, 0, on(1), NULL), CRD_E_CREDIT_AMOUNT);
    FIGURES(w, 100, 101);
    apply(w, p, i, 100, 1);
    ck_assert_int_eq(crd_credit_get(p)->applied, 700);
    ck_assert_int_eq(crd_credit_get(p)->refunded, 300);
    ck_assert_int_eq(crd_credit_get(p)->remaining, 0);
    ck_assert_int_eq(stored_invoice(w, "c1", "I").open, 200);
    crd_credit_free(p);
    crd_invoice_free(i);
    world_close(w);
}
END_TEST

/* Museum 24: the surplus of a payment is a credit, and can be paid back or used. */
START_TEST(R76_museum_24_a_surplus_is_credit_and_can_be_paid_back) {
    world *w = world_open(_i);
    crd_credit *p;
    crd_invoice *i;
    customer(w, "c1");
    i = invoice(w, "c1", "I", 100, 0, 30);
    p = cash(w, "c1", "P", 130, 0);
    apply(w, p, i, 100, 0);
    ck_assert_int_eq(balance_of(w->ledger, "c1", "EUR", 0).available, 30);
    refund(w, p, 0, 1);
    ck_assert_int_eq(crd_credit_get(p)->refunded, 30);
    ck_assert_int_eq(balance_of(w->ledger, "c1", "EUR", 1).available, 0);
    ck_assert_int_eq(stored_invoice(w, "c1", "I").open, 0);
    crd_credit_free(p);
    crd_invoice_free(i);
    world_close(w);
}
END_TEST

START_TEST(R81_a_refund_is_undone_whole_and_once) {
    world *w = world_open(_i);
    crd_result r = result_block();
    crd_credit *p;
    int64_t seq;
    book *b;
    customer(w, "c1");
    p = cash(w, "c1", "P", 1000, 0);
    seq = refund(w, p, 1000, 2);
    ck_assert_uint_eq(crd_credit_get(p)->state, CRD_CREDIT_SPENT);
    REFUSED(w, try_undo(w->ledger, "c1", seq, 400, on(3), &r), CRD_E_ARGUMENT);
    FIELD(w, "amount");
    OK(w, try_undo(w->ledger, "c1", seq, 0, on(3), &r));
    world_check(w);
    ck_assert_int_eq(r.amount, 1000);
    b = world_book(w);
    ck_assert_uint_eq(book_entry(b, "c1", "EUR", r.first_seq)->type, CRD_ENTRY_UNREFUND);
    ck_assert_int_eq(book_entry(b, "c1", "EUR", r.first_seq)->undoes, seq);
    ck_assert_int_eq(r.last_seq, r.first_seq);
    book_free(b);
    ck_assert_int_eq(crd_credit_get(p)->remaining, 1000);
    ck_assert_int_eq(crd_credit_get(p)->refunded, 0);
    ck_assert_uint_eq(crd_credit_get(p)->state, CRD_CREDIT_ACTIVE);
    REFUSED(w, try_undo(w->ledger, "c1", seq, 0, on(3), &r), CRD_E_NOTHING);
    REFUSED(w, try_undo(w->ledger, "c1", seq + 1, 0, on(3), &r), CRD_E_STATE); /* an undo is not undone */
    crd_credit_free(p);
    world_close(w);
}
END_TEST

/* An undo takes the latest date of what it touches, except in a closed period. */
START_TEST(M6_R81_undoing_a_refund_is_dated_the_last_entry_of_the_credit) {
    world *w = world_open(_i);
    crd_settings s;
    crd_result r = result_block();
    crd_credit *p;
    int64_t seq;
    book *b;
    customer(w, "c1");
    p = cash(w, "c1", "P", 1000, 0);
    seq = refund(w, p, 100, 2);
    refund(w, p, 100, 9);
    OK(w, try_undo(w->ledger, "c1", seq, 0, on(3), &r));
    world_check(w);
    b = world_book(w);
    ck_assert_int_eq(book_entry(b, "c1", "EUR", r.first_seq)->business_date, DAY(9));
    book_free(b);
    memset(&s, 0, sizeof s);
    s.struct_size = sizeof s;
    s.closed_through = DAY(10);
    OK(w, crd_ledger_configure(w->ledger, &s));
    REFUSED(w, try_undo(w->ledger, "c1", seq + 1, 0, on(10), &r), CRD_E_CLOSED);
    crd_credit_free(p);
    world_close(w);
}
END_TEST

START_TEST(M8_money_of_a_failed_refund_returns_by_the_state_of_its_credit) {
    world *w = world_open(_i);
    crd_credit *expires, *voided, *memoed;
    crd_result r = result_block();
    int64_t a, b, c;
    customer(w, "c1");
    expires = promise(w, "c1", "X", 100, 0, 20);
    voided = promise(w, "c1", "V", 100, 0, 90);
    memoed = memo(w, "c1", "M", 100, 0);
    OK(w, try_refund(w, expires, 60, CRD_REFUND_OVERRIDE, 1, &r));
    a = r.first_seq;
    OK(w, try_refund(w, voided, 60, CRD_REFUND_OVERRIDE, 1, &r));
    b = r.first_seq;
    c = refund(w, memoed, 60, 1);
    void_credit(w, voided, 0, 2);
    void_credit(w, memoed, 0, 2);
    undo(w, "c1", a, 0, 25);
    ck_assert_int_eq(crd_credit_get(expires)->expired, 100);
    ck_assert_uint_eq(crd_credit_get(expires)->cause, CRD_CAUSE_EXPIRED);
    undo(w, "c1", b, 0, 25);
    ck_assert_int_eq(crd_credit_get(voided)->voided, 100);
    ck_assert_uint_eq(crd_credit_get(voided)->state, CRD_CREDIT_VOIDED);
    undo(w, "c1", c, 0, 25);
    ck_assert_int_eq(crd_credit_get(memoed)->remaining, 60);
    ck_assert_int_eq(crd_credit_get(memoed)->voided, 40);
    ck_assert_uint_eq(crd_credit_get(memoed)->state, CRD_CREDIT_ACTIVE);
    crd_credit_free(expires);
    crd_credit_free(voided);
    crd_credit_free(memoed);
    world_close(w);
}
END_TEST

/* A caller's texts may be gone when the unit is committed. */
START_TEST(R64_texts_of_a_refund_are_kept_with_the_unit) {
    world *w = world_open(_i);
    crd_refund_terms t = terms(10, 0);
    char method[8] = "card", reference[8] = "R-1";
    crd_credit *p;
    book *b;
    customer(w, "c1");
    p = cash(w, "c1", "P", 100, 0); /* 1, 2 */
    t.method = method;
    t.reference = reference;
    OK(w, crd_unit_begin(w->ledger));
    OK(w, crd_credit_refund(w->ledger, on(1), p, &t, NULL));
    memset(method, 'x', 4);
    memset(reference, 'x', 3);
    OK(w, crd_unit_commit(w->ledger));
    world_check(w);
    b = world_book(w);
    ck_assert_str_eq(book_entry(b, "c1", "EUR", 3)->method, "card");
    ck_assert_str_eq(book_entry(b, "c1", "EUR", 3)->reference, "R-1");
    book_free(b);
    crd_credit_free(p);
    world_close(w);
}
END_TEST

/* Museum 16: a failure and a void together gave back twice what had been drawn. */
START_TEST(museum_16_a_failed_refund_and_a_void_do_not_double_the_money) {
    world *w = world_open(_i);
    crd_credit *p;
    int64_t seq;
    customer(w, "c1");
    p = cash(w, "c1", "P", 100, 0);
    seq = refund(w, p, 70, 1);
    void_credit(w, p, 0, 2);
    undo(w, "c1", seq, 0, 3);
    REFUSED(w, try_undo(w->ledger, "c1", seq, 0, on(3), NULL), CRD_E_NOTHING);
    ck_assert_int_eq(crd_credit_get(p)->remaining, 70);
    ck_assert_int_eq(crd_credit_get(p)->voided, 30);
    ck_assert_int_eq(balance_of(w->ledger, "c1", "EUR", 3).available, 70);
    crd_credit_free(p);
    world_close(w);
}
END_TEST

static Suite *make(void) {
    Suite *s = suite_create("refund");
    TCase *t = tcase_create("refund");
    tcase_add_loop_test(t, R20_M10_a_refund_lowers_the_credit_by_exactly_its_amount, 0, STORES);
    tcase_add_loop_test(t, R66_M4_class_and_flags_decide_what_is_refundable, 0, STORES);
    tcase_add_loop_test(t, R30_R66_the_override_is_a_right_of_its_own, 0, STORES);
    tcase_add_loop_test(t, R31_M16_a_refund_is_refused_in_order_with_the_figures, 0, STORES);
    tcase_add_loop_test(t, M7_credit_not_yet_effective_can_be_refunded, 0, STORES);
    tcase_add_loop_test(t, R76_museum_38_refund_and_application_come_out_of_one_remainder, 0, STORES);
    tcase_add_loop_test(t, R76_museum_24_a_surplus_is_credit_and_can_be_paid_back, 0, STORES);
    tcase_add_loop_test(t, R81_a_refund_is_undone_whole_and_once, 0, STORES);
    tcase_add_loop_test(t, M6_R81_undoing_a_refund_is_dated_the_last_entry_of_the_credit, 0, STORES);
    tcase_add_loop_test(t, M8_money_of_a_failed_refund_returns_by_the_state_of_its_credit, 0, STORES);
    tcase_add_loop_test(t, R64_texts_of_a_refund_are_kept_with_the_unit, 0, STORES);
    tcase_add_loop_test(t, museum_16_a_failed_refund_and_a_void_do_not_double_the_money, 0, STORES);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return world_main(make);
}
