/*
 * Applying a credit to an invoice, or outside: every reason to refuse it, and applying a part, all, or what is
 * possible.
 */
#include "support/world.h"

#include <string.h>

START_TEST(R25_part_of_a_credit_is_applied_to_an_invoice) {
    world *w = world_open(_i);
    crd_credit *k;
    crd_invoice *i;
    crd_result r = result_block();
    book *b;
    const crd_entry_record *e;
    customer(w, "c1");
    k = memo(w, "c1", "K", 1000, 0);
    i = invoice(w, "c1", "I", 700, 0, 30);
    OK(w, try_apply(w->ledger, k, i, 250, 0, on(1), &r));
    world_check(w);
    ck_assert_int_eq(r.amount, 250);
    ck_assert_int_eq(r.first_seq, 3);
    ck_assert_int_eq(r.last_seq, 3);
    b = world_book(w);
    e = book_entry(b, "c1", "EUR", 3);
    ck_assert_uint_eq(e->type, CRD_ENTRY_APPLY);
    ck_assert_str_eq(e->credit, "K");
    ck_assert_str_eq(e->invoice, "I");
    ck_assert_str_eq(e->receipt, "");
    ck_assert_int_eq(e->amount, 250);
    ck_assert_int_eq(e->credit_after, 750);
    ck_assert_int_eq(e->invoice_after, 450);
    ck_assert_int_eq(e->business_date, DAY(1));
    ck_assert_int_eq(book_credit(b, "c1", "K")->remaining, 750);
    ck_assert_int_eq(book_credit(b, "c1", "K")->applied, 250);
    ck_assert_int_eq(book_credit(b, "c1", "K")->applied_outside, 0);
    ck_assert_int_eq(book_credit(b, "c1", "K")->last_date, DAY(1));
    ck_assert_int_eq(book_invoice(b, "c1", "I")->open, 450);
    ck_assert_int_eq(book_invoice(b, "c1", "I")->applied, 250);
    ck_assert_uint_eq(book_invoice(b, "c1", "I")->state, CRD_INVOICE_OPEN);
    ck_assert_int_eq(book_account(b, "c1", "EUR")->applied, 250);
    book_free(b);
    ck_assert_int_eq(crd_credit_get(k)->remaining, 750);
    ck_assert_int_eq(crd_invoice_get(i)->open, 450);
    crd_credit_free(k);
    crd_invoice_free(i);
    world_close(w);
}
END_TEST

START_TEST(R25_M8_a_credit_is_used_outside_with_a_reference_or_a_note) {
    world *w = world_open(_i);
    crd_credit *k;
    crd_result r = result_block();
    crd_apply_terms t;
    crd_request q = *on(1);
    book *b;
    customer(w, "c1");
    k = promise(w, "c1", "K", 1000, 0, 100);
    memset(&t, 0, sizeof t);
    t.struct_size = sizeof t;
    t.amount = 300;
    t.reference = "web shop order 77";
    q.note = "paid by coupon";
    OK(w, crd_credit_apply(w->ledger, &q, k, NULL, &t, &r));
    world_check(w);
    b = world_book(w);
    ck_assert_str_eq(book_entry(b, "c1", "EUR", r.first_seq)->reference, "web shop order 77");
    ck_assert_str_eq(book_entry(b, "c1", "EUR", r.first_seq)->note, "paid by coupon");
    ck_assert_str_eq(book_entry(b, "c1", "EUR", r.first_seq)->invoice, "");
    ck_assert_int_eq(book_credit(b, "c1", "K")->applied_outside, 300);
    ck_assert_int_eq(book_credit(b, "c1", "K")->applied, 300);
    ck_assert_int_eq(book_credit(b, "c1", "K")->remaining, 700);
    book_free(b);
    ck_assert_int_eq(balance_of(w->ledger, "c1", "EUR", 1).balance, -700); /* the one application that moves it */
    ck_assert_int_eq(undo(w, "c1", r.first_seq, 100, 2), 100);
    ck_assert_int_eq(stored_credit(w, "c1", "K").applied_outside, 200);
    apply(w, k, NULL, 1, 2); /* neither reference nor note */
    crd_credit_free(k);
    world_close(w);
}
END_TEST

START_TEST(R31_M8_amounts_above_the_remainder_or_the_open_amount_are_refused_with_figures) {
    world *w = world_open(_i);
    crd_credit *k;
    crd_invoice *small, *big;
    crd_result r = result_block();
    customer(w, "c1");
    k = memo(w, "c1", "K", 100, 0);
    small = invoice(w, "c1", "S", 60, 0, 30);
    big = invoice(w, "c1", "B", 500, 0, 30);
    REFUSED(w, try_apply(w->ledger, k, big, 101, 0, on(0), &r), CRD_E_CREDIT_AMOUNT);
    FIGURES(w, 100, 101);
    SUBJECT(w, CRD_KIND_CREDIT, "K");
    ck_assert_str_eq(crd_ledger_error(w->ledger)->currency, "EUR");
    ck_assert_int_eq(r.amount, 0);
    REFUSED(w, try_apply(w->ledger, k, small, 61, 0, on(0), &r), CRD_E_INVOICE_AMOUNT);
    FIGURES(w, 60, 61);
    SUBJECT(w, CRD_KIND_INVOICE, "S");
    REFUSED(w, try_apply(w->ledger, k, small, 101, 0, on(0), &r), CRD_E_CREDIT_AMOUNT); /* credit, then invoice */
    REFUSED(w, try_apply(w->ledger, k, NULL, 101, 0, on(0), &r), CRD_E_CREDIT_AMOUNT);
    REFUSED(w, try_apply(w->ledger, k, small, INT64_MAX, 0, on(0), &r), CRD_E_ARGUMENT);
    REFUSED(w, try_apply(w->ledger, k, small, CRD_MAX_AMOUNT, 0, on(0), &r), CRD_E_CREDIT_AMOUNT);
    apply(w, k, small, 60, 0);
    apply(w, k, big, 40, 0);
    REFUSED(w, try_apply(w->ledger, k, big, 1, 0, on(0), &r), CRD_E_STATE); /* Spent */
    FIGURES(w, 0, CRD_CREDIT_SPENT);
    SUBJECT(w, CRD_KIND_CREDIT, "K");
    crd_credit_free(k);
    k = memo(w, "c1", "K2", 100, 0);
    REFUSED(w, try_apply(w->ledger, k, small, 1, 0, on(0), &r), CRD_E_STATE); /* Paid */
    FIGURES(w, 0, CRD_INVOICE_PAID);
    SUBJECT(w, CRD_KIND_INVOICE, "S");
    void_credit(w, k, 0, 0);
    REFUSED(w, try_apply(w->ledger, k, big, 1, 0, on(0), &r), CRD_E_STATE);
    FIGURES(w, 0, CRD_CREDIT_VOIDED);
    crd_credit_free(k);
    crd_invoice_free(small);
    crd_invoice_free(big);
    world_close(w);
}
END_TEST

START_TEST(R40_an_over_application_is_reduced_when_asked) {
    world *w = world_open(_i);
    crd_credit *k, *rest;
    crd_invoice *i, *j;
    crd_result r = result_block();
    customer(w, "c1");
    k = memo(w, "c1", "K", 100, 0);
    rest = memo(w, "c1", "R", 7, 0);
    i = invoice(w, "c1", "I", 60, 0, 30);
    j = invoice(w, "c1", "J", 500, 0, 30);
    OK(w, try_apply(w->ledger, k, i, 1000, CRD_APPLY_CLAMP, on(0), &r));
    world_check(w);
    ck_assert_int_eq(r.amount, 60);
    OK(w, try_apply(w->ledger, k, j, 10, CRD_APPLY_CLAMP, on(0), &r)); /* fits: as asked */
    ck_assert_int_eq(r.amount, 10);
    OK(w, try_apply(w->ledger, k, j, 0, CRD_APPLY_CLAMP, on(0), &r)); /* all that is possible */
    world_check(w);
    ck_assert_int_eq(r.amount, 30);
    OK(w, try_apply(w->ledger, rest, NULL, 0, CRD_APPLY_CLAMP, on(0), &r));
    ck_assert_int_eq(r.amount, 7);
    REFUSED(w, try_apply(w->ledger, k, j, 0, 0, on(0), &r), CRD_E_ARGUMENT); /* 0 only with the flag */
    FIELD(w, "terms.amount");
    REFUSED(w, try_apply(w->ledger, k, j, 0, CRD_APPLY_CLAMP, on(0), &r), CRD_E_STATE); /* no clamp out of a state */
    ck_assert_int_eq(stored_invoice(w, "c1", "J").open, 460);
    crd_credit_free(k);
    crd_credit_free(rest);
    crd_invoice_free(i);
    crd_invoice_free(j);
    world_close(w);
}
END_TEST

START_TEST(R60_M2_a_credit_pays_only_its_own_customer_and_currency) {
    world *w = world_open(_i);
    crd_credit *k, *dollars = NULL;
    crd_invoice *other, *own, *yen = NULL;
    crd_credit_terms t = credit_terms("D", CRD_CREDIT_MEMO, 100);
    crd_invoice_terms it = invoice_terms("Y", 100);
    customer(w, "c1");
    customer(w, "c2");
    k = memo(w, "c1", "K", 100, 0);
    own = invoice(w, "c1", "I", 100, 0, 30);
    other = invoice(w, "c2", "I", 100, 0, 30);
    t.currency = "USD";
    it.currency = "JPY";
    OK(w, crd_credit_issue(w->ledger, on(0), "c1", &t, &dollars));
    OK(w, crd_invoice_enter(w->ledger, on(0), "c1", &it, &yen));
    REFUSED(w, try_apply(w->ledger, k, other, 1, 0, on(0), NULL), CRD_E_CUSTOMER);
    REFUSED(w, try_apply(w->ledger, dollars, own, 1, 0, on(0), NULL), CRD_E_CURRENCY);
    REFUSED(w, try_apply(w->ledger, k, yen, 1, 0, on(0), NULL), CRD_E_CURRENCY);
    /* customer before currency before amount: rule M16 */
    REFUSED(w, try_apply(w->ledger, dollars, other, 10000, 0, on(0), NULL), CRD_E_CUSTOMER);
    REFUSED(w, try_apply(w->ledger, dollars, own, 10000, 0, on(0), NULL), CRD_E_CURRENCY);
    apply(w, k, own, 1, 0);
    crd_credit_free(k);
    crd_credit_free(dollars);
    crd_invoice_free(other);
    crd_invoice_free(own);
    crd_invoice_free(yen);
    world_close(w);
}
END_TEST

START_TEST(M6_M7_apply_is_refused_before_the_last_entry_and_outside_the_days_of_use) {
    world *w = world_open(_i);
    crd_credit *k, *goodwill, *later = NULL;
    crd_credit_terms t = credit_terms("L", CRD_CREDIT_PROMOTIONAL, 100);
    crd_invoice *i, *young;
    customer(w, "c1");
    k = memo(w, "c1", "K", 100, 0);
    goodwill = promise(w, "c1", "G", 100, 0, 10);
    t.effective = DAY(5);
    OK(w, crd_credit_issue(w->ledger, on(0), "c1", &t, &later));
    i = invoice(w, "c1", "I", 1000, 0, 30);
    young = invoice(w, "c1", "Y", 1000, 4, 30);
    REFUSED(w, try_apply(w->ledger, k, i, 1, 0, on(-1), NULL), CRD_E_DATE);
    FIGURES(w, DAY(0), DAY(-1));
    SUBJECT(w, CRD_KIND_CREDIT, "K");
    REFUSED(w, try_apply(w->ledger, k, young, 1, 0, on(3), NULL), CRD_E_DATE);
    FIGURES(w, DAY(4), DAY(3));
    SUBJECT(w, CRD_KIND_INVOICE, "Y");
    REFUSED(w, try_apply(w->ledger, later, i, 1, 0, on(4), NULL), CRD_E_EXPIRED);
    FIGURES(w, DAY(5), DAY(4));
    REFUSED(w, try_apply(w->ledger, goodwill, i, 1, 0, on(10), NULL), CRD_E_EXPIRED);
    FIGURES(w, DAY(10), DAY(10));
    SUBJECT(w, CRD_KIND_CREDIT, "G");
    apply(w, goodwill, i, 1, 9); /* the last day */
    apply(w, later, i, 1, 9);
    REFUSED(w, try_apply(w->ledger, k, i, 1, 0, on(8), NULL), CRD_E_DATE); /* the invoice moved on the 9th */
    apply(w, k, i, 1, 9);
    crd_credit_free(k);
    crd_credit_free(goodwill);
    crd_credit_free(later);
    crd_invoice_free(i);
    crd_invoice_free(young);
    world_close(w);
}
END_TEST

START_TEST(M6_a_closed_period_takes_no_application) {
    world *w = world_open(_i);
    crd_settings s;
    crd_credit *k;
    crd_invoice *i;
    int64_t seq;
    memset(&s, 0, sizeof s);
    s.struct_size = sizeof s;
    customer(w, "c1");
    k = memo(w, "c1", "K", 100, 0);
    i = invoice(w, "c1", "I", 1000, 0, 30);
    seq = apply(w, k, i, 10, 1);
    s.closed_through = DAY(10);
    OK(w, crd_ledger_configure(w->ledger, &s));
    REFUSED(w, try_apply(w->ledger, k, i, 1, 0, on(10), NULL), CRD_E_CLOSED);
    FIGURES(w, DAY(10), DAY(10));
    REFUSED(w, try_undo(w->ledger, "c1", seq, 0, on(10), NULL), CRD_E_CLOSED);
    ck_assert_int_eq(undo(w, "c1", seq, 0, 11), 10); /* dated in the open */
    crd_credit_free(k);
    crd_invoice_free(i);
    world_close(w);
}
END_TEST

START_TEST(R66_a_restricted_credit_pays_only_its_kinds) {
    world *w = world_open(_i);
    crd_credit *k = NULL;
    crd_credit_terms t = credit_terms("K", CRD_CREDIT_PROMOTIONAL, 100);
    crd_invoice *i, *charge;
    customer(w, "c1");
    t.pays_kinds = 1u << CRD_INVOICE_FINANCE_CHARGE;
    OK(w, crd_credit_issue(w->ledger, on(0), "c1", &t, &k));
    i = invoice(w, "c1", "I", 100, 0, 30);
    charge = invoice_as(w, "c1", "F", CRD_INVOICE_FINANCE_CHARGE, 100, 0, 30, 0);
    REFUSED(w, try_apply(w->ledger, k, i, 1, 0, on(0), NULL), CRD_E_RESTRICTED);
    REFUSED(w, try_apply(w->ledger, k, NULL, 1, 0, on(0), NULL), CRD_E_RESTRICTED);
    apply(w, k, charge, 1, 0);
    crd_credit_free(k);
    crd_invoice_free(i);
    crd_invoice_free(charge);
    world_close(w);
}
END_TEST

START_TEST(R38_the_balance_due_is_recalculated_after_each_of_many_credits) {
    world *w = world_open(_i);
    crd_invoice *i;
    int64_t due = 1000;
    customer(w, "c1");
    i = invoice(w, "c1", "I", due, 0, 30);
    for (int n = 1; n <= 8; n++) {
        crd_credit *k = memo(w, "c1", NULL, 10 * n, 0);
        due -= 10 * n;
        apply(w, k, i, 10 * n, 0);
        ck_assert_int_eq(crd_invoice_get(i)->open, due);
        ck_assert_int_eq(balance_of(w->ledger, "c1", "EUR", 0).outstanding, due);
        crd_credit_free(k);
    }
    crd_invoice_free(i);
    world_close(w);
}
END_TEST

START_TEST(R39_R53_one_credit_is_spread_by_hand_over_open_invoices) {
    static const int64_t totals[] = {300, 500, 400};
    world *w = world_open(_i);
    crd_credit *k;
    crd_invoice *i[3];
    crd_result r = result_block();
    customer(w, "c1");
    k = memo(w, "c1", "K", 1000, 0);
    for (int n = 0; n < 3; n++) i[n] = invoice(w, "c1", NULL, totals[n], 0, 30);
    for (int n = 0; n < 3; n++) {
        OK(w, try_apply(w->ledger, k, i[n], 0, CRD_APPLY_CLAMP, on(0), &r));
        world_check(w);
        ck_assert_int_eq(r.amount, n < 2 ? totals[n] : 200);
    }
    ck_assert_int_eq(crd_invoice_get(i[2])->open, 200); /* less than the invoices: part stays due */
    ck_assert_uint_eq(crd_credit_get(k)->state, CRD_CREDIT_SPENT);
    for (int n = 0; n < 3; n++) crd_invoice_free(i[n]);
    crd_credit_free(k);
    world_close(w);
}
END_TEST

START_TEST(metamorphic_apply_10_is_apply_4_and_apply_6) {
    world *w = world_open(_i);
    static const char *const who[] = {"whole", "parts"};
    crd_credit_record c[2];
    crd_invoice_record v[2];
    for (int n = 0; n < 2; n++) {
        crd_credit *k;
        crd_invoice *i;
        customer(w, who[n]);
        k = memo(w, who[n], "K", 25, 0);
        i = invoice(w, who[n], "I", 17, 0, 30);
        if (n == 0) {
            apply(w, k, i, 10, 1);
        } else {
            apply(w, k, i, 4, 1);
            apply(w, k, i, 6, 1);
        }
        c[n] = stored_credit(w, who[n], "K");
        v[n] = stored_invoice(w, who[n], "I");
        crd_credit_free(k);
        crd_invoice_free(i);
    }
    ck_assert_int_eq(c[0].remaining, c[1].remaining);
    ck_assert_int_eq(c[0].applied, c[1].applied);
    ck_assert_int_eq(v[0].open, v[1].open);
    ck_assert_int_eq(v[0].applied, v[1].applied);
    ck_assert_uint_eq(v[0].state, v[1].state);
    ck_assert_int_eq(balance_of(w->ledger, "whole", "EUR", 1).balance,
                     balance_of(w->ledger, "parts", "EUR", 1).balance);
    world_close(w);
}
END_TEST

START_TEST(metamorphic_do_and_undo_leave_every_figure_as_before) {
    world *w = world_open(_i);
    crd_credit *k;
    crd_invoice *i;
    crd_credit_record before, after;
    crd_invoice_record was, is;
    customer(w, "c1");
    k = cash(w, "c1", "K", 25, 0);
    i = invoice(w, "c1", "I", 17, 0, 30);
    apply(w, k, i, 3, 0);
    before = stored_credit(w, "c1", "K");
    was = stored_invoice(w, "c1", "I");
    undo(w, "c1", apply(w, k, i, 14, 0), 0, 0);
    undo(w, "c1", apply(w, k, NULL, 22, 0), 0, 0);
    after = stored_credit(w, "c1", "K");
    is = stored_invoice(w, "c1", "I");
    ck_assert_int_eq(after.remaining, before.remaining);
    ck_assert_int_eq(after.applied, before.applied);
    ck_assert_int_eq(after.applied_outside, before.applied_outside);
    ck_assert_uint_eq(after.state, before.state);
    ck_assert_uint_eq(after.cause, before.cause);
    ck_assert_int_eq(is.open, was.open);
    ck_assert_int_eq(is.applied, was.applied);
    ck_assert_uint_eq(is.state, was.state);
    ck_assert_uint_eq(is.cause, was.cause);
    crd_credit_free(k);
    crd_invoice_free(i);
    world_close(w);
}
END_TEST

static Suite *make(void) {
    Suite *s = suite_create("apply");
    TCase *t = tcase_create("apply");
    tcase_add_loop_test(t, R25_part_of_a_credit_is_applied_to_an_invoice, FIRST_STORE, STORES);
    tcase_add_loop_test(t, R25_M8_a_credit_is_used_outside_with_a_reference_or_a_note, FIRST_STORE, STORES);
    tcase_add_loop_test(t, R31_M8_amounts_above_the_remainder_or_the_open_amount_are_refused_with_figures, FIRST_STORE,
                        STORES);
    tcase_add_loop_test(t, R40_an_over_application_is_reduced_when_asked, FIRST_STORE, STORES);
    tcase_add_loop_test(t, R60_M2_a_credit_pays_only_its_own_customer_and_currency, FIRST_STORE, STORES);
    tcase_add_loop_test(t, M6_M7_apply_is_refused_before_the_last_entry_and_outside_the_days_of_use, FIRST_STORE,
                        STORES);
    tcase_add_loop_test(t, M6_a_closed_period_takes_no_application, FIRST_STORE, STORES);
    tcase_add_loop_test(t, R66_a_restricted_credit_pays_only_its_kinds, FIRST_STORE, STORES);
    tcase_add_loop_test(t, R38_the_balance_due_is_recalculated_after_each_of_many_credits, FIRST_STORE, STORES);
    tcase_add_loop_test(t, R39_R53_one_credit_is_spread_by_hand_over_open_invoices, FIRST_STORE, STORES);
    tcase_add_loop_test(t, metamorphic_apply_10_is_apply_4_and_apply_6, FIRST_STORE, STORES);
    tcase_add_loop_test(t, metamorphic_do_and_undo_leave_every_figure_as_before, FIRST_STORE, STORES);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return world_main(make);
}
