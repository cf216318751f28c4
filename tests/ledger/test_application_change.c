/*
 * Another amount for an application that exists (R41): less, more, nothing; bounds; receipts; several times over.
 */
#include "support/paying.h"
#include "support/world.h"

#include <stdio.h>
#include <string.h>

static crd_status try_change(world *w, int64_t seq, int64_t amount, int day, crd_result *out) {
    return crd_application_change(w->ledger, on(day), "c1", "EUR", seq, amount, out);
}

static crd_result change(world *w, int64_t seq, int64_t amount, int day) {
    crd_result r = result_block();
    OK(w, try_change(w, seq, amount, day, &r));
    world_check(w);
    ck_assert_int_eq(r.amount, amount);
    return r;
}

static const crd_entry_record *entry(book *b, int64_t seq) {
    const crd_entry_record *e = book_entry(b, "c1", "EUR", seq);
    ck_assert_ptr_nonnull(e);
    return e;
}

START_TEST(R41_less_returns_to_the_credit_and_the_invoice_is_open_by_it) {
    world *w = world_open(_i);
    crd_credit *k;
    crd_invoice *i;
    crd_result r;
    int64_t seq;
    book *b;
    customer(w, "c1");
    k = memo(w, "c1", "K", 100, 0);
    i = invoice(w, "c1", "I", 80, 0, 30);
    seq = apply(w, k, i, 80, 1);
    ck_assert_uint_eq(crd_invoice_get(i)->state, CRD_INVOICE_PAID);
    r = change(w, seq, 50, 2);
    ck_assert_int_eq(r.first_seq, seq + 1);
    ck_assert_int_eq(stored_credit(w, "c1", "K").remaining, 50);
    ck_assert_int_eq(stored_invoice(w, "c1", "I").open, 30);
    ck_assert_uint_eq(stored_invoice(w, "c1", "I").state, CRD_INVOICE_OPEN);
    b = world_book(w);
    ck_assert_uint_eq(entry(b, seq + 1)->type, CRD_ENTRY_UNAPPLY);
    ck_assert_int_eq(entry(b, seq + 1)->undoes, seq);
    ck_assert_int_eq(entry(b, seq + 1)->amount, 30);
    book_free(b);
    /* to nothing; then there is nothing to change any more, neither up nor down */
    change(w, seq, 0, 3);
    ck_assert_int_eq(stored_credit(w, "c1", "K").remaining, 100);
    REFUSED(w, try_change(w, seq, 0, 4, NULL), CRD_E_NOTHING);
    REFUSED(w, try_change(w, seq, 10, 4, NULL), CRD_E_NOTHING);
    crd_credit_free(k);
    crd_invoice_free(i);
    world_close(w);
}
END_TEST

START_TEST(R41_more_is_a_further_application_and_both_are_changed_as_one) {
    world *w = world_open(_i);
    crd_credit *k;
    crd_invoice *i;
    crd_result r;
    int64_t seq;
    book *b;
    customer(w, "c1");
    k = memo(w, "c1", "K", 100, 0);
    i = invoice(w, "c1", "I", 80, 0, 30);
    seq = apply(w, k, i, 20, 1);
    r = change(w, seq, 50, 2);
    ck_assert_int_eq(r.first_seq, seq + 1);
    ck_assert_int_eq(stored_credit(w, "c1", "K").applied, 50);
    ck_assert_int_eq(stored_invoice(w, "c1", "I").open, 30);
    b = world_book(w);
    ck_assert_uint_eq(entry(b, seq + 1)->type, CRD_ENTRY_APPLY);
    ck_assert_int_eq(entry(b, seq + 1)->amount, 30);
    ck_assert_int_eq(entry(b, seq + 1)->undoes, seq); /* the application it raises */
    book_free(b);
    /* as it is already: nothing is written */
    world_remember(w);
    r = change(w, seq, 50, 3);
    ck_assert_int_eq(r.last_seq, 0);
    world_same(w, "the same amount");
    /* the raise is known by either number; lowering takes the newest part first */
    change(w, seq + 1, 70, 3);
    change(w, seq, 15, 4);
    ck_assert_int_eq(stored_credit(w, "c1", "K").applied, 15);
    REFUSED(w, try_undo(w->ledger, "c1", seq + 1, 0, on(4), NULL), CRD_E_NOTHING);
    REFUSED(w, try_undo(w->ledger, "c1", seq, 16, on(4), NULL), CRD_E_CREDIT_AMOUNT);
    undo(w, "c1", seq, 15, 4);
    ck_assert_int_eq(stored_credit(w, "c1", "K").remaining, 100);
    crd_credit_free(k);
    crd_invoice_free(i);
    world_close(w);
}
END_TEST

START_TEST(R41_R31_it_is_bounded_by_what_is_available_and_open_and_says_the_most) {
    world *w = world_open(_i);
    crd_credit *k, *l;
    crd_invoice *i, *j;
    int64_t seq, second;
    customer(w, "c1");
    k = memo(w, "c1", "K", 100, 0);
    l = memo(w, "c1", "L", 500, 0);
    i = invoice(w, "c1", "I", 200, 0, 30);
    j = invoice(w, "c1", "J", 60, 0, 30);
    seq = apply(w, k, i, 40, 1);
    second = apply(w, l, j, 30, 1);
    REFUSED(w, try_change(w, seq, 101, 2, NULL), CRD_E_CREDIT_AMOUNT);
    FIGURES(w, 100, 101);
    SUBJECT(w, CRD_KIND_CREDIT, "K");
    REFUSED(w, try_change(w, second, 61, 2, NULL), CRD_E_INVOICE_AMOUNT);
    FIGURES(w, 60, 61);
    SUBJECT(w, CRD_KIND_INVOICE, "J");
    change(w, seq, 100, 2);
    change(w, second, 60, 2);
    REFUSED(w, try_change(w, seq, 101, 2, NULL), CRD_E_STATE); /* Spent */
    FIGURES(w, 0, CRD_CREDIT_SPENT);
    REFUSED(w, try_change(w, second, 61, 2, NULL), CRD_E_STATE); /* Paid */
    REFUSED(w, try_change(w, second, -1, 2, NULL), CRD_E_ARGUMENT);
    FIELD(w, "amount");
    REFUSED(w, try_change(w, 0, 1, 2, NULL), CRD_E_ARGUMENT);
    REFUSED(w, try_change(w, 1, 1, 2, NULL), CRD_E_NOT_FOUND); /* an issue is no application */
    REFUSED(w, try_change(w, 99, 1, 2, NULL), CRD_E_NOT_FOUND);
    REFUSED(w, crd_application_change(w->ledger, on(2), "c1", "USD", seq, 1, NULL), CRD_E_NOT_FOUND);
    REFUSED(w, crd_application_change(w->ledger, on(2), "nobody", "EUR", seq, 1, NULL), CRD_E_NOT_FOUND);
    /* dated before the last entry of what it touches */
    REFUSED(w, try_change(w, seq, 10, 1, NULL), CRD_E_DATE);
    crd_credit_free(k);
    crd_credit_free(l);
    crd_invoice_free(i);
    crd_invoice_free(j);
    world_close(w);
}
END_TEST

START_TEST(R41_M8_an_expired_credit_is_not_raised_and_what_returns_to_it_expires) {
    world *w = world_open(_i);
    crd_credit *p;
    crd_invoice *i;
    int64_t seq;
    customer(w, "c1");
    p = promise(w, "c1", "P", 100, 0, 10);
    i = invoice(w, "c1", "I", 200, 0, 30);
    seq = apply(w, p, i, 60, 1);
    REFUSED(w, try_change(w, seq, 61, 10, NULL), CRD_E_EXPIRED);
    change(w, seq, 45, 12);
    ck_assert_int_eq(stored_credit(w, "c1", "P").expired, 55);
    ck_assert_int_eq(stored_credit(w, "c1", "P").applied, 45);
    ck_assert_int_eq(stored_credit(w, "c1", "P").remaining, 0);
    crd_credit_free(p);
    crd_invoice_free(i);
    world_close(w);
}
END_TEST

START_TEST(R41_R25_an_outside_application_too) {
    world *w = world_open(_i);
    crd_credit *k;
    crd_result r = result_block();
    customer(w, "c1");
    k = memo(w, "c1", "K", 100, 0);
    OK(w, try_apply(w->ledger, k, NULL, 30, 0, on(1), &r));
    change(w, r.first_seq, 80, 2);
    ck_assert_int_eq(stored_credit(w, "c1", "K").applied_outside, 80);
    change(w, r.first_seq, 10, 2);
    ck_assert_int_eq(stored_credit(w, "c1", "K").applied_outside, 10);
    crd_credit_free(k);
    world_close(w);
}
END_TEST

/* Within a receipt it stays within it, and the receipt can still be undone whole. */
START_TEST(R41_M14_within_a_receipt_it_stays_within_it) {
    world *w = world_open(_i);
    crd_credit *k;
    crd_invoice *i;
    book *b;
    int64_t receipt, seq = 0;
    const char *id = NULL;
    char copy[64];
    customer(w, "c1");
    k = memo(w, "c1", "K", 100, 0);
    i = invoice(w, "c1", "I", 60, 0, 30);
    ck_assert_uint_eq(reconcile(w, 0, 1).applications, 1);
    receipt = 3;
    seq = 4;
    change(w, seq, 25, 2);
    change(w, seq, 55, 3);
    b = world_book(w);
    id = entry(b, seq)->receipt;
    strncpy(copy, id, sizeof copy - 1);
    copy[sizeof copy - 1] = '\0';
    ck_assert_int_eq(book_receipt(b, "c1", id)->applied, 55);
    ck_assert_str_eq(entry(b, seq + 2)->receipt, id);
    ck_assert_uint_eq(entry(b, seq + 2)->flags & CRD_ENTRY_POSTS_RECEIPT, 0);
    book_free(b);
    ck_assert_int_eq(undo(w, "c1", receipt, 0, 4), 55);
    ck_assert_int_eq(stored_credit(w, "c1", "K").remaining, 100);
    REFUSED(w, try_change(w, seq, 5, 5, NULL), CRD_E_NOTHING);
    crd_credit_free(k);
    crd_invoice_free(i);
    world_close(w);
}
END_TEST

/* The application of an open unit, and of handles that are not refreshed. */
START_TEST(R41_R64_in_a_unit_and_beside_handles) {
    world *w = world_open(_i);
    crd_credit *k;
    crd_invoice *i;
    crd_result r = result_block();
    customer(w, "c1");
    k = memo(w, "c1", "K", 100, 0);
    i = invoice(w, "c1", "I", 60, 0, 30);
    OK(w, crd_unit_begin(w->ledger));
    OK(w, try_apply(w->ledger, k, i, 10, 0, on(1), &r));
    OK(w, try_change(w, r.first_seq, 40, 1, NULL));
    OK(w, try_change(w, r.first_seq, 35, 1, NULL));
    ck_assert_int_eq(crd_credit_get(k)->applied, 35);
    OK(w, crd_unit_commit(w->ledger));
    world_check(w);
    ck_assert_int_eq(crd_invoice_get(i)->open, 25);
    apply(w, k, i, 5, 1); /* the handles are fresh */
    change(w, r.first_seq, 30, 1);
    ck_assert_int_eq(stored_invoice(w, "c1", "I").open, 25);
    crd_credit_free(k);
    crd_invoice_free(i);
    world_close(w);
}
END_TEST

/* A payment of 120 for A of 100: 20 is credited; lowered to 90 it is 30, and the receipt's own line raised again makes it
 * 20, while an ordinary application leaves 30. */
START_TEST(R41_M3_a_receipts_own_line_raised_is_its_own_again) {
    world *w = world_open(_i);
    crd_credit *p;
    crd_invoice *a;
    crd_credit_record c;
    char id[64];
    int64_t seq = 0;
    book *b;
    customer(w, "c1");
    a = invoice(w, "c1", "A", 100, 0, 30);
    OK(w, try_enter(w->ledger, on(1), "c1", with(pays(receive("R", 120), "A", 100), CRD_RECEIPT_EXCESS_TO_CREDIT), NULL));
    world_check(w);
    b = world_book(w);
    for (int64_t n = 1; book_entry(b, "c1", "EUR", n) != NULL; n++)
        if (entry(b, n)->type == CRD_ENTRY_APPLY) seq = n;
    ck_assert_int_gt(seq, 0);
    snprintf(id, sizeof id, "%s", entry(b, seq)->credit);
    book_free(b);
    change(w, seq, 90, 2);
    c = stored_credit(w, "c1", id);
    ck_assert_int_eq(c.original - c.applied_by_receipt, 30);
    change(w, seq, 100, 3);
    c = stored_credit(w, "c1", id);
    ck_assert_int_eq(c.original - c.applied_by_receipt, 20);
    ck_assert_int_eq(c.applied, 100);
    change(w, seq, 90, 4);
    OK(w, crd_invoice_refresh(a));
    p = find_credit(w->ledger, "c1", id);
    apply(w, p, a, 10, 5);
    c = stored_credit(w, "c1", id);
    ck_assert_int_eq(c.original - c.applied_by_receipt, 30);
    ck_assert_int_eq(c.applied, 100);
    crd_credit_free(p);
    crd_invoice_free(a);
    world_close(w);
}
END_TEST

static Suite *make(void) {
    Suite *s = suite_create("application change");
    TCase *t = tcase_create("application change");
    tcase_add_loop_test(t, R41_less_returns_to_the_credit_and_the_invoice_is_open_by_it, 0, STORES);
    tcase_add_loop_test(t, R41_more_is_a_further_application_and_both_are_changed_as_one, 0, STORES);
    tcase_add_loop_test(t, R41_R31_it_is_bounded_by_what_is_available_and_open_and_says_the_most, 0, STORES);
    tcase_add_loop_test(t, R41_M8_an_expired_credit_is_not_raised_and_what_returns_to_it_expires, 0, STORES);
    tcase_add_loop_test(t, R41_R25_an_outside_application_too, 0, STORES);
    tcase_add_loop_test(t, R41_M14_within_a_receipt_it_stays_within_it, 0, STORES);
    tcase_add_loop_test(t, R41_R64_in_a_unit_and_beside_handles, 0, STORES);
    tcase_add_loop_test(t, R41_M3_a_receipts_own_line_raised_is_its_own_again, 0, STORES);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return world_main(make);
}
