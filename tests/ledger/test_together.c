/*
 * Rules that meet: what one of them leaves behind is what the next one finds. Every figure was worked out on paper.
 */
#include "support/change.h"
#include "support/paying.h"

#include <string.h>

static int64_t refund(world *w, crd_credit *credit, int64_t amount, int day) {
    crd_refund_terms t;
    crd_result r = result_block();
    memset(&t, 0, sizeof t);
    t.struct_size = sizeof t;
    t.amount = amount;
    OK(w, crd_credit_refund(w->ledger, on(day), credit, &t, &r));
    world_check(w);
    return r.first_seq;
}

static int64_t transfer(world *w, crd_credit *credit, const char *to, const char *id, int64_t amount, int day) {
    crd_transfer_terms t;
    crd_result r = result_block();
    memset(&t, 0, sizeof t);
    t.struct_size = sizeof t;
    t.customer = to;
    t.id = id;
    t.amount = amount;
    OK(w, crd_credit_transfer(w->ledger, on(day), credit, &t, NULL, &r));
    world_check(w);
    return r.first_seq;
}

static void change_to(world *w, int64_t seq, int64_t amount, int day) {
    OK(w, crd_application_change(w->ledger, on(day), "c1", "EUR", seq, amount, NULL));
    world_check(w);
}

static void is_invoice(world *w, const char *id, int64_t open, int64_t applied, int64_t written_off, int64_t cancelled) {
    crd_invoice_record i = stored_invoice(w, "c1", id);
    ck_assert_msg(i.open == open && i.applied == applied && i.written_off == written_off && i.cancelled == cancelled,
                  "%s: open %lld, applied %lld, written off %lld, cancelled %lld", id, (long long)i.open,
                  (long long)i.applied, (long long)i.written_off, (long long)i.cancelled);
}

/* 120 pay A (105) with 5 of discount, and leave 20, which pay of B. A goes down to 90: first the discount goes, then 10 of
 * the application. In dollars, another payment of the same number of units must not notice. */
START_TEST(M12_M13_a_revision_below_payment_and_discount_and_then_a_bounce) {
    world *w = world_open(_i);
    crd_credit *p;
    crd_invoice *a, *b;
    paying *e = discount(pays(receive("R", 120), "A", 100), "A", 5);
    crd_credit_terms dollars = credit_terms("D", CRD_CREDIT_PREPAYMENT, 120);
    crd_result r = result_block();
    crd_credit_record left;
    customer(w, "c1");
    dollars.currency = "USD";
    OK(w, crd_credit_issue(w->ledger, on(0), "c1", &dollars, NULL));
    a = invoice(w, "c1", "A", 105, 0, 30);
    b = invoice(w, "c1", "B", 50, 0, 30);
    e->terms.credit = "P";
    enter(w, "c1", with(e, CRD_RECEIPT_EXCESS_TO_CREDIT), 1);
    p = find_credit(w->ledger, "c1", "P");
    OK(w, crd_invoice_refresh(a));
    OK(w, crd_invoice_refresh(b));
    apply(w, p, b, 20, 2);
    is_invoice(w, "A", 0, 100, 5, 0);
    r = revise(w, a, 90, 3);
    ck_assert_int_eq(r.amount, 10);
    is_invoice(w, "A", 0, 90, 0, 0);
    ck_assert_int_eq(stored_receipt(w, "c1", "R").written_off, 0);
    ck_assert_int_eq(stored_credit(w, "c1", "P").remaining, 10);
    r = reverse(w, "c1", "R", 4);
    ck_assert_int_eq(r.amount, 120);
    is_invoice(w, "A", 90, 0, 0, 0);
    is_invoice(w, "B", 50, 0, 0, 0);
    left = stored_credit(w, "c1", "P");
    ck_assert_int_eq(left.reversed, 120);
    ck_assert_int_eq(left.reversed_own, 90);
    ck_assert_int_eq(balance_of(w->ledger, "c1", "EUR", 4).balance, 140);
    ck_assert_int_eq(balance_of(w->ledger, "c1", "USD", 4).balance, -120);
    crd_credit_free(p);
    crd_invoice_free(a);
    crd_invoice_free(b);
    world_close(w);
}
END_TEST

/* 100 received; 30 refunded, 20 moved to c2; bounced: a debit memo of 50, of which a memo pays 30 and 10 are written off.
 * What comes back to the payment afterwards cuts the debit memo: write-offs go first, then what paid it. */
START_TEST(M13_M14_the_debit_memo_is_cut_by_what_comes_back_whatever_settled_it) {
    world *w = world_open(_i);
    crd_credit *p, *c;
    crd_invoice *memo_owed;
    int64_t refunded, moved;
    crd_reverse_terms t;
    crd_receipt *receipt;
    customer(w, "c1");
    customer(w, "c2");
    p = cash(w, "c1", "P", 100, 0);
    c = memo(w, "c1", "C", 30, 0);
    refunded = refund(w, p, 30, 1);
    moved = transfer(w, p, "c2", "T", 20, 1);
    memset(&t, 0, sizeof t);
    t.struct_size = sizeof t;
    t.debit_memo = "DM";
    receipt = find_receipt(w->ledger, "c1", crd_credit_get(p)->receipt);
    OK(w, crd_receipt_reverse(w->ledger, on(2), receipt, &t, NULL));
    world_check(w);
    is_invoice(w, "DM", 50, 0, 0, 0);
    ck_assert_int_eq(stored_credit(w, "c1", "P").reversed, 50);
    memo_owed = find_invoice(w->ledger, "c1", "DM");
    OK(w, crd_credit_refresh(c));
    apply(w, c, memo_owed, 30, 3);
    write_off(w, memo_owed, 10, 0, 4);
    is_invoice(w, "DM", 10, 30, 10, 0);
    undo(w, "c1", refunded, 0, 5); /* 30 are cut: 10 open, 10 of the write-off, 10 of what C paid */
    is_invoice(w, "DM", 0, 20, 0, 30);
    ck_assert_int_eq(stored_credit(w, "c1", "C").remaining, 10);
    ck_assert_int_eq(stored_credit(w, "c1", "P").reversed, 80);
    undo(w, "c1", moved, 5, 6); /* a part of the transfer */
    is_invoice(w, "DM", 0, 15, 0, 35);
    undo(w, "c1", moved, 0, 7);
    is_invoice(w, "DM", 0, 0, 0, 50);
    ck_assert_int_eq(stored_credit(w, "c1", "P").reversed, 100);
    ck_assert_int_eq(stored_credit(w, "c2", "T").remaining, 0);
    ck_assert_int_eq(balance_of(w->ledger, "c1", "EUR", 7).balance, -30);
    REFUSED(w, try_undo(w->ledger, "c1", moved, 0, on(8), NULL), CRD_E_NOTHING);
    crd_receipt_free(receipt);
    crd_invoice_free(memo_owed);
    crd_credit_free(p);
    crd_credit_free(c);
    world_close(w);
}
END_TEST

/* A payment that pays on another payment's receipt, with a discount that depends on both. */
START_TEST(M13_M14_a_bounce_reaches_into_the_receipt_of_another_payment) {
    world *w = world_open(_i);
    crd_credit *p;
    paying *e = discount(pays(uses(receive("R2", 40), "P", 60), "I", 100), "I", 5);
    crd_result second;
    customer(w, "c1");
    p = cash(w, "c1", "P", 60, 0);
    crd_invoice_free(invoice(w, "c1", "I", 105, 0, 30));
    e->terms.credit = "Q";
    second = enter(w, "c1", e, 1);
    is_invoice(w, "I", 0, 100, 5, 0);
    reverse(w, "c1", crd_credit_get(p)->receipt, 2);
    is_invoice(w, "I", 65, 40, 0, 0);
    ck_assert_int_eq(stored_receipt(w, "c1", "R2").applied, 40);
    ck_assert_int_eq(stored_receipt(w, "c1", "R2").written_off, 0);
    undo(w, "c1", second.first_seq, 0, 3);
    is_invoice(w, "I", 105, 0, 0, 0);
    ck_assert_int_eq(stored_credit(w, "c1", "Q").reversed, 40);
    ck_assert_int_eq(balance_of(w->ledger, "c1", "EUR", 3).balance, 105);
    crd_credit_free(p);
    world_close(w);
}
END_TEST

/* Raised, lowered, raised again: an application of many entries goes as one, and leaves nothing behind. */
START_TEST(M8_M11_a_mistake_whose_application_was_changed_goes_whole) {
    world *w = world_open(_i);
    crd_credit *x;
    crd_invoice *i;
    int64_t seq;
    customer(w, "c1");
    i = invoice(w, "c1", "I", 50, 0, 30);
    x = cash(w, "c1", "X", 25, 2);
    seq = apply(w, x, i, 10, 2);
    change_to(w, seq, 20, 2);
    change_to(w, seq, 5, 2);
    change_to(w, seq, 25, 2);
    is_invoice(w, "I", 25, 25, 0, 0);
    OK(w, crd_credit_refresh(x));
    REFUSED(w, crd_credit_delete(w->ledger, on(2), x, 0, NULL), CRD_E_IN_USE);
    FIGURES(w, 25, 0);
    OK(w, crd_credit_delete(w->ledger, on(2), x, CRD_DELETE_CASCADE, NULL));
    world_check(w);
    is_invoice(w, "I", 50, 0, 0, 0);
    ck_assert_int_eq(stored_credit(w, "c1", "X").deleted, 25);
    ck_assert_int_eq(balance_of(w->ledger, "c1", "EUR", 2).balance, 50);
    ck_assert_int_eq(balance_of(w->ledger, "c1", "EUR", 2).issued, 0);
    crd_invoice_free(i);
    crd_credit_free(x);
    world_close(w);
}
END_TEST

/* 100 that expire on day 10, 60 of them held until day 20: what the hold kept alive ends by four ways. */
START_TEST(M8_M10_what_a_hold_kept_from_expiring_expires_by_whichever_way_it_ends) {
    world *w = world_open(_i);
    crd_credit *p;
    crd_hold *h;
    crd_invoice *i;
    crd_apply_terms part;
    crd_credit_record r;
    int64_t captured;
    crd_result done = result_block();
    customer(w, "c1");
    p = promise(w, "c1", "P", 100, 0, 10);
    i = invoice(w, "c1", "I", 80, 0, 30);
    hold_credit(w, p, NULL, "h", 60, 1, 20);
    h = find_hold(w->ledger, "c1", "h");
    memset(&part, 0, sizeof part);
    part.struct_size = sizeof part;
    part.amount = 25;
    OK(w, crd_hold_capture(w->ledger, at_noon(12), h, i, &part, &done));
    world_check(w);
    captured = done.last_seq;
    r = stored_credit(w, "c1", "P");
    ck_assert_int_eq(r.expired, 40); /* entered first, on day 10 */
    ck_assert_int_eq(r.held, 35);
    ck_assert_int_eq(r.applied, 25);
    OK(w, crd_hold_release(w->ledger, at_noon(13), h, 10, NULL));
    world_check(w);
    ck_assert_int_eq(stored_credit(w, "c1", "P").expired, 50);
    OK(w, try_undo(w->ledger, "c1", captured, 5, at_noon(15), NULL));
    world_check(w);
    ck_assert_int_eq(stored_credit(w, "c1", "P").expired, 55);
    ck_assert_int_eq(balance_of(w->ledger, "c1", "EUR", 15).available, 0);
    ck_assert_int_eq(balance_of(w->ledger, "c1", "EUR", 15).held, 25);
    OK(w, crd_sweep(w->ledger, at_noon(21), NULL, NULL));
    world_check(w);
    r = stored_credit(w, "c1", "P");
    ck_assert_int_eq(r.expired, 80);
    ck_assert_int_eq(r.applied, 20);
    ck_assert_uint_eq(r.state, CRD_CREDIT_VOIDED);
    ck_assert_int_eq(stored_invoice(w, "c1", "I").open, 60);
    crd_hold_free(h);
    crd_invoice_free(i);
    crd_credit_free(p);
    world_close(w);
}
END_TEST

/* c1 to c2 to c3: each end gives back what it still has, and the first gets no more than the second has. */
START_TEST(M10_M14_a_chain_of_transfers_comes_back_link_by_link) {
    world *w = world_open(_i);
    crd_credit *k, *t;
    int64_t first, second;
    customer(w, "c1");
    customer(w, "c2");
    customer(w, "c3");
    k = memo(w, "c1", "K", 100, 0);
    first = transfer(w, k, "c2", "T", 80, 1);
    t = find_credit(w->ledger, "c2", "T");
    second = transfer(w, t, "c3", "U", 50, 2);
    REFUSED(w, try_undo(w->ledger, "c1", first, 31, on(3), NULL), CRD_E_CREDIT_AMOUNT);
    FIGURES(w, 30, 31);
    undo(w, "c1", first, 0, 3); /* what is there: 30 */
    ck_assert_int_eq(stored_credit(w, "c1", "K").remaining, 50);
    REFUSED(w, try_undo(w->ledger, "c1", first, 0, on(3), NULL), CRD_E_CREDIT_AMOUNT);
    FIGURES(w, 0, 50);
    undo(w, "c2", second, 0, 4);
    undo(w, "c1", first, 0, 5);
    ck_assert_int_eq(stored_credit(w, "c1", "K").remaining, 100);
    ck_assert_int_eq(stored_credit(w, "c1", "K").transferred, 0);
    ck_assert_int_eq(stored_credit(w, "c2", "T").remaining, 0);
    ck_assert_int_eq(stored_credit(w, "c3", "U").remaining, 0);
    crd_credit_free(k);
    crd_credit_free(t);
    world_close(w);
}
END_TEST

static Suite *make(void) {
    Suite *s = suite_create("together");
    TCase *t = tcase_create("together");
    tcase_set_timeout(t, 30);
    tcase_add_loop_test(t, M12_M13_a_revision_below_payment_and_discount_and_then_a_bounce, 0, STORES);
    tcase_add_loop_test(t, M13_M14_the_debit_memo_is_cut_by_what_comes_back_whatever_settled_it, 0, STORES);
    tcase_add_loop_test(t, M13_M14_a_bounce_reaches_into_the_receipt_of_another_payment, 0, STORES);
    tcase_add_loop_test(t, M8_M11_a_mistake_whose_application_was_changed_goes_whole, 0, STORES);
    tcase_add_loop_test(t, M8_M10_what_a_hold_kept_from_expiring_expires_by_whichever_way_it_ends, 0, STORES);
    tcase_add_loop_test(t, M10_M14_a_chain_of_transfers_comes_back_link_by_link, 0, STORES);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return world_main(make);
}
