/*
 * Opening balances: credits of an older system, brought in with what is open of them.
 */
#include "support/world.h"

#include <string.h>

static crd_credit_terms terms(const char *id, uint32_t stands_for, int64_t amount) {
    crd_credit_terms t = credit_terms(id, CRD_CREDIT_OPENING, amount);
    t.stands_for = stands_for;
    return t;
}

START_TEST(R77_M4_an_opening_credit_is_neither_issued_nor_taken_in) {
    world *w = world_open(_i);
    crd_credit_terms t = terms("OLD-7", CRD_CREDIT_DEPOSIT, 700);
    crd_credit *k = NULL;
    const crd_credit_record *c;
    book *b;
    customer(w, "c1");
    t.opening_original = 1000;
    t.opening_used = 300;
    t.reason = NULL;
    t.method = "check";
    t.payment_info = "4711";
    OK(w, crd_credit_issue(w->ledger, on(0), "c1", &t, &k));
    world_check(w);
    b = world_book(w);
    c = book_credit(b, "c1", "OLD-7");
    ck_assert_uint_eq(c->credit_class, CRD_CLASS_OPENING);
    ck_assert_uint_eq(c->kind, CRD_CREDIT_OPENING);
    ck_assert_uint_eq(c->stands_for, CRD_CREDIT_DEPOSIT);
    ck_assert_uint_eq(c->flags, CRD_FLAG_OPENING);
    ck_assert_int_eq(c->original, 700);
    ck_assert_int_eq(c->remaining, 700);
    ck_assert_int_eq(c->opening_original, 1000);
    ck_assert_int_eq(c->opening_used, 300);
    ck_assert_str_eq(c->receipt, "");
    ck_assert_str_eq(c->method, "check");
    ck_assert_str_eq(c->payment_info, "4711");
    ck_assert_str_eq(c->source, "opening balance");
    ck_assert_uint_eq(book_count(b, CRD_KIND_RECEIPT), 0);
    ck_assert_uint_eq(book_entry(b, "c1", "EUR", 1)->type, CRD_ENTRY_ISSUE);
    ck_assert_int_eq(book_account(b, "c1", "EUR")->issued, 0);
    ck_assert_int_eq(book_account(b, "c1", "EUR")->credits_issued, 0);
    ck_assert_int_eq(book_account(b, "c1", "EUR")->credit_remaining, 700);
    ck_assert_int_eq(book_account(b, "c1", "EUR")->cash_remaining, 700); /* unearned, like cash */
    book_free(b);
    ck_assert_int_eq(balance_of(w->ledger, "c1", "EUR", 0).unearned, 700);
    ck_assert_int_eq(balance_of(w->ledger, "c1", "EUR", 0).issued, 0);
    crd_credit_free(k);
    world_close(w);
}
END_TEST

START_TEST(R77_M4_it_is_used_as_what_it_stands_for) {
    world *w = world_open(_i);
    crd_credit_terms cash_terms = terms("C", CRD_CREDIT_PAYMENT, 100), memo_terms = terms("M", CRD_CREDIT_MEMO, 100);
    crd_credit *c = NULL, *m = NULL;
    crd_invoice *i;
    crd_refund_terms refund;
    customer(w, "c1");
    OK(w, crd_credit_issue(w->ledger, on(0), "c1", &cash_terms, &c));
    OK(w, crd_credit_issue(w->ledger, on(0), "c1", &memo_terms, &m));
    i = invoice(w, "c1", "I", 250, 0, 30);
    /* reconcile takes cash only when it is selected */
    ck_assert_uint_eq(reconcile(w, 0, 1).applications, 1);
    ck_assert_int_eq(stored_credit(w, "c1", "M").applied, 100);
    ck_assert_int_eq(stored_credit(w, "c1", "C").applied, 0);
    ck_assert_uint_eq(reconcile(w, CRD_PLAN_USE_CASH, 1).applications, 1);
    ck_assert_int_eq(stored_credit(w, "c1", "C").applied, 100);
    memset(&refund, 0, sizeof refund);
    refund.struct_size = sizeof refund;
    OK(w, crd_credit_refresh(c));
    REFUSED(w, crd_credit_refund(w->ledger, on(2), c, &refund, NULL), CRD_E_STATE);
    crd_credit_free(c);
    crd_credit_free(m);
    crd_invoice_free(i);
    world_close(w);
}
END_TEST

/* A refund, a transfer, a deletion: what there is to an opening credit works as for any. */
START_TEST(R77_M10_M11_it_moves_like_any_credit) {
    world *w = world_open(_i);
    crd_credit_terms t = terms("O", CRD_CREDIT_MEMO, 100);
    crd_credit *o = NULL, *there = NULL;
    crd_transfer_terms transfer;
    book *b;
    customer(w, "c1");
    customer(w, "c2");
    t.opening_original = 900;
    OK(w, crd_credit_issue(w->ledger, on(0), "c1", &t, &o));
    memset(&transfer, 0, sizeof transfer);
    transfer.struct_size = sizeof transfer;
    transfer.customer = "c2";
    transfer.amount = 40;
    OK(w, crd_credit_transfer(w->ledger, on(1), o, &transfer, &there, NULL));
    world_check(w);
    ck_assert_uint_eq(crd_credit_get(there)->flags, CRD_FLAG_OPENING | CRD_FLAG_TRANSFERRED_IN);
    ck_assert_uint_eq(crd_credit_get(there)->stands_for, CRD_CREDIT_MEMO);
    ck_assert_int_eq(crd_credit_get(there)->opening_original, 0); /* told where it was brought in */
    crd_credit_free(o);
    t.id = "wrong";
    OK(w, crd_credit_issue(w->ledger, on(1), "c1", &t, &o));
    OK(w, crd_credit_delete(w->ledger, on(1), o, 0, NULL));
    world_check(w);
    b = world_book(w);
    ck_assert_int_eq(book_account(b, "c1", "EUR")->issued, 0);
    ck_assert_int_eq(book_account(b, "c1", "EUR")->credit_remaining, 60);
    book_free(b);
    crd_credit_free(o);
    crd_credit_free(there);
    world_close(w);
}
END_TEST

START_TEST(R77_M16_what_an_opening_credit_stands_for_is_checked) {
    static const uint32_t bad[] = {0, CRD_CREDIT_OPENING, 17, 0xffffffffu};
    world *w = world_open(_i);
    crd_credit_terms t;
    customer(w, "c1");
    for (size_t n = 0; n < sizeof bad / sizeof bad[0]; n++) {
        t = terms("O", bad[n], 100);
        REFUSED(w, crd_credit_issue(w->ledger, on(0), "c1", &t, NULL), CRD_E_ARGUMENT);
        FIELD(w, "terms.stands_for");
    }
    t = credit_terms("O", CRD_CREDIT_MEMO, 100);
    t.stands_for = CRD_CREDIT_MEMO;
    REFUSED(w, crd_credit_issue(w->ledger, on(0), "c1", &t, NULL), CRD_E_ARGUMENT);
    FIELD(w, "terms.stands_for");
    t = credit_terms("O", CRD_CREDIT_MEMO, 100);
    t.opening_used = 1;
    REFUSED(w, crd_credit_issue(w->ledger, on(0), "c1", &t, NULL), CRD_E_ARGUMENT);
    t = terms("O", CRD_CREDIT_MEMO, 100);
    t.opening_original = -1;
    REFUSED(w, crd_credit_issue(w->ledger, on(0), "c1", &t, NULL), CRD_E_ARGUMENT);
    FIELD(w, "terms.opening_original");
    t = terms("O", CRD_CREDIT_MEMO, 100);
    t.opening_used = -1;
    REFUSED(w, crd_credit_issue(w->ledger, on(0), "c1", &t, NULL), CRD_E_ARGUMENT);
    FIELD(w, "terms.opening_used");
    t.opening_original = 100;
    t.opening_used = 101;
    REFUSED(w, crd_credit_issue(w->ledger, on(0), "c1", &t, NULL), CRD_E_ARGUMENT);
    FIELD(w, "terms.opening_used");
    t = terms("O", CRD_CREDIT_PAYMENT, 100);
    t.receipt = "R";
    REFUSED(w, crd_credit_issue(w->ledger, on(0), "c1", &t, NULL), CRD_E_ARGUMENT);
    FIELD(w, "terms.receipt");
    t = terms("O", CRD_CREDIT_MEMO, 100);
    t.method = "cash";
    REFUSED(w, crd_credit_issue(w->ledger, on(0), "c1", &t, NULL), CRD_E_ARGUMENT);
    FIELD(w, "terms.method");
    t = terms("O", CRD_CREDIT_GOODWILL, 100);
    t.reason = NULL;
    REFUSED(w, crd_credit_issue(w->ledger, on(0), "c1", &t, NULL), CRD_E_ARGUMENT);
    FIELD(w, "terms.reason");
    t = terms("O", CRD_CREDIT_GOODWILL, 100);
    t.reserved2 = 1;
    REFUSED(w, crd_credit_issue(w->ledger, on(0), "c1", &t, NULL), CRD_E_ARGUMENT);
    FIELD(w, "terms.reserved2");
    t = credit_terms("O", CRD_CREDIT_GOODWILL, 100);
    t.flags = CRD_FLAG_REFUNDABLE | CRD_FLAG_NON_REFUNDABLE;
    REFUSED(w, crd_credit_issue(w->ledger, on(0), "c1", &t, NULL), CRD_E_ARGUMENT);
    FIELD(w, "terms.flags");
    world_close(w);
}
END_TEST

static Suite *make(void) {
    Suite *s = suite_create("opening");
    TCase *t = tcase_create("opening");
    tcase_add_loop_test(t, R77_M4_an_opening_credit_is_neither_issued_nor_taken_in, 0, STORES);
    tcase_add_loop_test(t, R77_M4_it_is_used_as_what_it_stands_for, 0, STORES);
    tcase_add_loop_test(t, R77_M10_M11_it_moves_like_any_credit, 0, STORES);
    tcase_add_loop_test(t, R77_M16_what_an_opening_credit_stands_for_is_checked, 0, STORES);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return world_main(make);
}
