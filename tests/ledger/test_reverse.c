/*
 * Money taken back: payments that bounced, and receipts entered in error, over every storage (rules M3, M8, M13, M14).
 */
#include "support/paying.h"

#include <string.h>

static void credit_is(world *w, const char *id, int64_t remaining, int64_t applied, int64_t reversed, uint32_t state) {
    crd_credit_record c = stored_credit(w, "c1", id);
    ck_assert_int_eq(c.remaining, remaining);
    ck_assert_int_eq(c.applied, applied);
    ck_assert_int_eq(c.reversed, reversed);
    ck_assert_uint_eq(c.state, state);
}

static void open_is(world *w, const char *id, int64_t open, uint32_t state) {
    crd_invoice_record i = stored_invoice(w, "c1", id);
    ck_assert_int_eq(i.open, open);
    ck_assert_uint_eq(i.state, state);
}

static int64_t balance(world *w, int day) {
    return balance_of(w->ledger, "c1", "EUR", day).balance;
}

/* c1 with A 100 and B 50, and a payment P of 120, receipt R, of which 100 paid A and `on_b` paid B by hand. */
static world *paid(int store, int64_t on_b) {
    world *w = world_open(store);
    paying *p = with(pays(receive("R", 120), "A", 100), CRD_RECEIPT_EXCESS_TO_CREDIT);
    crd_credit *c;
    crd_invoice *b;
    customer(w, "c1");
    crd_invoice_free(invoice(w, "c1", "A", 100, 0, 10));
    b = invoice(w, "c1", "B", 50, 0, 5);
    p->terms.credit = "P";
    enter(w, "c1", p, 1);
    c = find_credit(w->ledger, "c1", "P");
    if (on_b > 0) apply(w, c, b, on_b, 2);
    crd_credit_free(c);
    crd_invoice_free(b);
    return w;
}

/* What of a payment was ever left to be used. */
static int64_t credited(world *w, const char *id) {
    crd_credit_record c = stored_credit(w, "c1", id);
    return c.original - c.applied_by_receipt - c.reversed_own;
}

START_TEST(R21_a_bounce_reopens_every_invoice_wherever_its_money_went) {
    world *w = paid(_i, 20);
    crd_result r;
    crd_receipt_record receipt;
    ck_assert_int_eq(balance(w, 2), 30);
    r = reverse(w, "c1", "R", 9);
    ck_assert_int_eq(r.amount, 120);
    open_is(w, "A", 100, CRD_INVOICE_OPEN);
    open_is(w, "B", 50, CRD_INVOICE_OPEN);
    credit_is(w, "P", 0, 0, 120, CRD_CREDIT_VOIDED);
    ck_assert_uint_eq(stored_credit(w, "c1", "P").cause, CRD_CAUSE_REVERSED);
    ck_assert_uint_eq(stored_credit(w, "c1", "P").flags & CRD_FLAG_REVERSED, CRD_FLAG_REVERSED);
    ck_assert_int_eq(stored_credit(w, "c1", "P").reversed_own, 100);
    ck_assert_int_eq(credited(w, "P"), 20);
    receipt = stored_receipt(w, "c1", "R");
    ck_assert_uint_eq(receipt.state, CRD_RECEIPT_REVERSED);
    ck_assert_uint_eq(receipt.cause, CRD_CAUSE_REVERSED);
    ck_assert_int_eq(receipt.applied, 0);
    ck_assert_int_eq(receipt.last_date, DAY(9));
    ck_assert_int_eq(balance(w, 9), 150);
    ck_assert_int_eq(balance_of(w->ledger, "c1", "EUR", 9).available, 0);
    world_close(w);
}
END_TEST

START_TEST(M13_a_bounce_goes_newest_first_and_names_every_document) {
    world *w = paid(_i, 20);
    crd_result r = reverse(w, "c1", "R", 9);
    book *b = world_book(w);
    const struct {
        uint32_t type, flags;
        const char *credit, *invoice, *receipt;
        int64_t amount;
    } expected[] = {
        {CRD_ENTRY_UNAPPLY, CRD_ENTRY_CONSEQUENCE, "P", "B", "", 20},
        {CRD_ENTRY_REVERSE, CRD_ENTRY_CONSEQUENCE, "P", "", "", 20},
        {CRD_ENTRY_UNAPPLY, CRD_ENTRY_CONSEQUENCE | CRD_ENTRY_BY_OWN_RECEIPT, "P", "A", "R", 100},
        {CRD_ENTRY_REVERSE, CRD_ENTRY_CONSEQUENCE | CRD_ENTRY_BY_OWN_RECEIPT, "P", "", "", 100},
        {CRD_ENTRY_RECEIPT_REVERSE, 0, "P", "", "R", 120},
    };
    ck_assert_int_eq(r.last_seq - r.first_seq, 4);
    for (int i = 0; i < 5; i++) {
        const crd_entry_record *e = book_entry(b, "c1", "EUR", r.first_seq + i);
        ck_assert_uint_eq(e->type, expected[i].type);
        ck_assert_uint_eq(e->flags, expected[i].flags);
        ck_assert_str_eq(e->credit, expected[i].credit);
        ck_assert_str_eq(e->invoice, expected[i].invoice);
        ck_assert_str_eq(e->receipt, expected[i].receipt);
        ck_assert_int_eq(e->amount, expected[i].amount);
        ck_assert_int_eq(e->business_date, DAY(9));
    }
    book_free(b);
    world_close(w);
}
END_TEST

START_TEST(R20_a_reversal_takes_all_that_was_left_of_the_payment) {
    world *w = world_open(_i);
    paying *p = with(receive("R", 80), CRD_RECEIPT_EXCESS_TO_CREDIT);
    customer(w, "c1");
    p->terms.credit = "P";
    enter(w, "c1", p, 1);
    ck_assert_int_eq(reverse(w, "c1", "R", 2).amount, 80);
    credit_is(w, "P", 0, 0, 80, CRD_CREDIT_VOIDED);
    ck_assert_int_eq(balance(w, 2), 0);
    /* a cash credit that was issued came with a receipt, and can bounce too */
    crd_credit_free(cash(w, "c1", "Q", 30, 3));
    {
        book *b = world_book(w);
        char id[64];
        strcpy(id, book_credit(b, "c1", "Q")->receipt);
        book_free(b);
        ck_assert_int_eq(reverse(w, "c1", id, 4).amount, 30);
    }
    credit_is(w, "Q", 0, 0, 30, CRD_CREDIT_VOIDED);
    world_close(w);
}
END_TEST

START_TEST(M13_a_second_reversal_is_refused) {
    world *w = paid(_i, 0);
    crd_receipt *zero;
    reverse(w, "c1", "R", 2);
    REFUSED(w, try_reverse(w->ledger, on(3), "c1", "R", 0, NULL), CRD_E_NOTHING);
    REFUSED(w, try_undo(w->ledger, "c1", 3, 0, on(3), NULL), CRD_E_NOTHING);
    /* a receipt that brought no money cannot bounce; one that was undone did not happen */
    crd_credit_free(memo(w, "c1", "K", 40, 0));
    enter(w, "c1", pair(receive("Z", 0), "K", "A", 40), 3);
    REFUSED(w, try_reverse(w->ledger, on(3), "c1", "Z", 0, NULL), CRD_E_NOTHING);
    zero = find_receipt(w->ledger, "c1", "Z");
    undo(w, "c1", crd_receipt_get(zero)->first_seq, 0, 4);
    REFUSED(w, try_reverse(w->ledger, on(4), "c1", "Z", 0, NULL), CRD_E_STATE);
    crd_receipt_free(zero);
    world_close(w);
}
END_TEST

START_TEST(R73_strict_refuses_what_is_used_elsewhere) {
    world *w = paid(_i, 20);
    crd_credit *p;
    REFUSED(w, try_reverse(w->ledger, on(3), "c1", "R", CRD_REVERSE_STRICT, NULL), CRD_E_IN_USE);
    FIGURES(w, 20, 0);
    SUBJECT(w, CRD_KIND_CREDIT, "P");
    world_close(w);
    /* outside is elsewhere; its own lines, and what is left, are not */
    w = paid(_i, 0);
    p = find_credit(w->ledger, "c1", "P");
    {
        int64_t seq = apply(w, p, NULL, 5, 2);
        REFUSED(w, try_reverse(w->ledger, on(3), "c1", "R", CRD_REVERSE_STRICT, NULL), CRD_E_IN_USE);
        FIGURES(w, 5, 0);
        undo(w, "c1", seq, 0, 3);
    }
    OK(w, try_reverse(w->ledger, on(3), "c1", "R", CRD_REVERSE_STRICT, NULL));
    world_check(w);
    open_is(w, "A", 100, CRD_INVOICE_OPEN);
    crd_credit_free(p);
    world_close(w);
}
END_TEST

START_TEST(M13_outside_applications_are_unwound_too) {
    world *w = paid(_i, 0);
    crd_credit *p = find_credit(w->ledger, "c1", "P");
    apply(w, p, NULL, 15, 2);
    ck_assert_int_eq(reverse(w, "c1", "R", 3).amount, 120);
    credit_is(w, "P", 0, 0, 120, CRD_CREDIT_VOIDED);
    ck_assert_int_eq(stored_credit(w, "c1", "P").applied_outside, 0);
    crd_credit_free(p);
    world_close(w);
}
END_TEST

START_TEST(M13_credits_used_on_the_same_receipt_stay_applied) {
    world *w = world_open(_i);
    paying *p;
    customer(w, "c1");
    crd_invoice_free(invoice(w, "c1", "A", 100, 0, 10));
    crd_credit_free(memo(w, "c1", "K", 40, 0));
    p = uses(pays(receive("R", 60), "A", 100), "K", 40);
    p->terms.credit = "P";
    enter(w, "c1", p, 1);
    ck_assert_int_eq(reverse(w, "c1", "R", 2).amount, 60);
    open_is(w, "A", 60, CRD_INVOICE_OPEN);
    credit_is(w, "K", 0, 40, 0, CRD_CREDIT_SPENT);
    ck_assert_int_eq(stored_receipt(w, "c1", "R").applied, 40);
    world_close(w);
}
END_TEST

START_TEST(M13_discounts_of_the_receipts_undone_go_with_them) {
    world *w = world_open(_i);
    paying *p;
    customer(w, "c1");
    crd_invoice_free(invoice(w, "c1", "A", 100, 0, 10));
    crd_invoice_free(invoice(w, "c1", "B", 100, 0, 10));
    crd_invoice_free(invoice(w, "c1", "C", 100, 0, 10));
    crd_credit_free(memo(w, "c1", "K", 200, 0));
    /* A is paid by the money, B by the credit; each with a discount. The surplus of 20 pays C later, with another */
    p = with(pair(discount(discount(pays(receive("R", 118), "A", 98), "A", 2), "B", 3), "K", "B", 97),
             CRD_RECEIPT_EXCESS_TO_CREDIT);
    p->terms.credit = "P";
    enter(w, "c1", p, 1);
    enter(w, "c1", discount(pair(pair(receive("S", 0), "P", "C", 20), "K", "C", 75), "C", 5), 2);
    open_is(w, "C", 0, CRD_INVOICE_PAID);
    reverse(w, "c1", "R", 3);
    open_is(w, "A", 100, CRD_INVOICE_OPEN);
    open_is(w, "B", 0, CRD_INVOICE_PAID);
    open_is(w, "C", 25, CRD_INVOICE_OPEN); /* 20 of the payment and the 5 that came with it */
    ck_assert_int_eq(stored_invoice(w, "c1", "A").written_off, 0);
    ck_assert_int_eq(stored_invoice(w, "c1", "B").written_off, 3);
    ck_assert_int_eq(stored_receipt(w, "c1", "R").written_off, 3);
    ck_assert_int_eq(stored_receipt(w, "c1", "S").written_off, 0);
    ck_assert_int_eq(stored_receipt(w, "c1", "S").applied, 75);
    world_close(w);
}
END_TEST

START_TEST(M13_what_had_expired_or_been_voided_stays_in_its_column) {
    world *w = world_open(_i);
    paying *p = with(pays(receive("R", 120), "A", 90), CRD_RECEIPT_EXCESS_TO_CREDIT);
    crd_credit *c;
    customer(w, "c1");
    crd_invoice_free(invoice(w, "c1", "A", 100, 0, 10));
    p->terms.credit = "P";
    p->terms.credit_expires = DAY(10);
    enter(w, "c1", p, 1);
    c = find_credit(w->ledger, "c1", "P");
    void_credit(w, c, 8, 2);
    /* 22 expired on day 10, though nobody entered it; what its lines paid is reversed, not expired */
    ck_assert_int_eq(reverse(w, "c1", "R", 30).amount, 90);
    credit_is(w, "P", 0, 0, 90, CRD_CREDIT_VOIDED);
    ck_assert_int_eq(stored_credit(w, "c1", "P").expired, 22);
    ck_assert_int_eq(stored_credit(w, "c1", "P").voided, 8);
    ck_assert_int_eq(credited(w, "P"), 30);
    open_is(w, "A", 100, CRD_INVOICE_OPEN);
    crd_credit_free(c);
    world_close(w);
}
END_TEST

START_TEST(M13_a_bounce_takes_one_date_the_latest_of_all_it_touches) {
    world *w = paid(_i, 0);
    crd_invoice *b = find_invoice(w->ledger, "c1", "B");
    crd_credit *k = memo(w, "c1", "K", 10, 0), *p = find_credit(w->ledger, "c1", "P");
    crd_settings s;
    crd_result r = result_block();
    book *all;
    apply(w, p, b, 20, 5);
    apply(w, k, b, 10, 25); /* B was touched on day 25 */
    r = reverse(w, "c1", "R", 9);
    all = world_book(w);
    for (int64_t seq = r.first_seq; seq <= r.last_seq; seq++)
        ck_assert_int_eq(book_entry(all, "c1", "EUR", seq)->business_date, DAY(25));
    book_free(all);
    crd_credit_free(k);
    crd_credit_free(p);
    crd_invoice_free(b);
    world_close(w);
    /* a closed period refuses */
    w = paid(_i, 0);
    memset(&s, 0, sizeof s);
    s.struct_size = sizeof s;
    s.closed_through = DAY(8);
    OK(w, crd_ledger_configure(w->ledger, &s));
    REFUSED(w, try_reverse(w->ledger, on(8), "c1", "R", 0, NULL), CRD_E_CLOSED);
    FIGURES(w, DAY(8), DAY(8));
    reverse(w, "c1", "R", 9);
    world_close(w);
}
END_TEST

START_TEST(R83_a_bounce_can_cost_a_fee) {
    world *w = paid(_i, 0);
    crd_receipt *r = find_receipt(w->ledger, "c1", "R");
    crd_reverse_terms t;
    crd_invoice_record fee;
    book *b;
    memset(&t, 0, sizeof t);
    t.struct_size = sizeof t;
    t.fee = 7;
    t.fee_id = "B";
    t.reason = "returned unpaid";
    REFUSED(w, crd_receipt_reverse(w->ledger, on(9), r, &t, NULL), CRD_E_EXISTS);
    SUBJECT(w, CRD_KIND_INVOICE, "B");
    t.fee = -1;
    REFUSED(w, crd_receipt_reverse(w->ledger, on(9), r, &t, NULL), CRD_E_ARGUMENT);
    FIELD(w, "terms.fee");
    t.fee = 0;
    REFUSED(w, crd_receipt_reverse(w->ledger, on(9), r, &t, NULL), CRD_E_ARGUMENT);
    t.fee = 7;
    t.debit_memo = t.fee_id = "X";
    REFUSED(w, crd_receipt_reverse(w->ledger, on(9), r, &t, NULL), CRD_E_ARGUMENT);
    FIELD(w, "terms.fee_id");
    t.debit_memo = NULL;
    t.flags = 8;
    REFUSED(w, crd_receipt_reverse(w->ledger, on(9), r, &t, NULL), CRD_E_ARGUMENT);
    t.flags = 0;
    t.fee_id = "F";
    OK(w, crd_receipt_reverse(w->ledger, on(9), r, &t, NULL));
    world_check(w);
    fee = stored_invoice(w, "c1", "F");
    ck_assert_uint_eq(fee.kind, CRD_INVOICE_FEE);
    ck_assert_uint_eq(fee.state, CRD_INVOICE_OPEN);
    ck_assert_uint_eq(fee.flags, 0);
    ck_assert_int_eq(fee.open, 7);
    ck_assert_int_eq(fee.issued, DAY(9));
    b = world_book(w);
    ck_assert_str_eq(book_invoice(b, "c1", "F")->text, "returned unpaid");
    ck_assert_str_eq(book_invoice(b, "c1", "F")->origin, "R");
    book_free(b);
    ck_assert_int_eq(balance(w, 9), 157);
    crd_receipt_free(r);
    world_close(w);
}
END_TEST

START_TEST(R33_a_bounce_is_entered_while_the_feature_is_off) {
    world *w = paid(_i, 0);
    crd_settings s;
    memset(&s, 0, sizeof s);
    s.struct_size = sizeof s;
    s.feature_off = 1;
    OK(w, crd_ledger_configure(w->ledger, &s));
    REFUSED(w, try_enter(w->ledger, on(9), "c1", with(receive("R2", 1), 2), NULL), CRD_E_DISABLED);
    reverse(w, "c1", "R", 9);
    open_is(w, "A", 100, CRD_INVOICE_OPEN);
    world_close(w);
}
END_TEST

START_TEST(R61_a_bounce_asked_again_is_the_first_one) {
    world *w = paid(_i, 0);
    crd_result r = result_block(), s = result_block();
    OK(w, try_reverse(w->ledger, keyed(9, "k"), "c1", "R", 0, &r));
    world_remember(w);
    OK(w, try_reverse(w->ledger, keyed(9, "k"), "c1", "R", 0, &s));
    world_same(w, "a repeated bounce");
    ck_assert_uint_eq(s.repeated, 1);
    ck_assert_int_eq(s.amount, 120);
    ck_assert_int_eq(s.first_seq, r.first_seq);
    REFUSED(w, try_reverse(w->ledger, keyed(9, "k"), "c1", "R", CRD_REVERSE_STRICT, NULL), CRD_E_KEY_REUSED);
    FIELD(w, "terms.flags");
    world_close(w);
}
END_TEST

/* ---- entered in error ---- */

START_TEST(R81_a_receipt_entered_in_error_is_undone_whole_its_credits_too) {
    world *w = world_open(_i);
    paying *p;
    crd_result r, u = result_block();
    crd_credit *c;
    crd_invoice *b;
    customer(w, "c1");
    crd_invoice_free(invoice(w, "c1", "A", 100, 0, 10));
    b = invoice(w, "c1", "B", 50, 0, 10);
    crd_credit_free(memo(w, "c1", "K", 40, 0));
    p = with(discount(uses(pays(receive("R", 90), "A", 97), "K", 40), "A", 3), CRD_RECEIPT_EXCESS_TO_CREDIT);
    p->terms.credit = "P";
    r = enter(w, "c1", p, 1);
    c = find_credit(w->ledger, "c1", "P");
    apply(w, c, b, 20, 2); /* 13 of the surplus of 33 are left */
    REFUSED(w, try_undo(w->ledger, "c1", r.first_seq, 5, on(3), NULL), CRD_E_ARGUMENT);
    OK(w, try_undo(w->ledger, "c1", r.first_seq, 0, on(3), &u));
    world_check(w);
    ck_assert_int_eq(u.amount, 90);
    open_is(w, "A", 100, CRD_INVOICE_OPEN);
    open_is(w, "B", 50, CRD_INVOICE_OPEN);
    credit_is(w, "K", 40, 0, 0, CRD_CREDIT_ACTIVE);
    credit_is(w, "P", 0, 0, 90, CRD_CREDIT_VOIDED);
    ck_assert_int_eq(stored_invoice(w, "c1", "A").written_off, 0);
    ck_assert_uint_eq(stored_receipt(w, "c1", "R").state, CRD_RECEIPT_UNDONE);
    ck_assert_int_eq(stored_receipt(w, "c1", "R").applied, 0);
    ck_assert_int_eq(balance(w, 3), 110);
    REFUSED(w, try_undo(w->ledger, "c1", r.first_seq, 0, on(3), &u), CRD_E_NOTHING);
    REFUSED(w, try_reverse(w->ledger, on(3), "c1", "R", 0, NULL), CRD_E_STATE);
    crd_credit_free(c);
    crd_invoice_free(b);
    world_close(w);
}
END_TEST

/* ---- museum ---- */

/* Museum 07: A cancelled payment was still in the list of receivables. Naive rule: cancelling marks the payment,
 * and leaves its links. */
START_TEST(museum_07_a_payment_taken_back_leaves_no_link_behind) {
    world *w = paid(_i, 20);
    crd_balance b;
    reverse(w, "c1", "R", 9);
    b = balance_of(w->ledger, "c1", "EUR", 9);
    ck_assert_int_eq(b.balance, 150);
    ck_assert_int_eq(b.available, 0);
    ck_assert_int_eq(stored_invoice(w, "c1", "A").applied, 0);
    ck_assert_int_eq(stored_invoice(w, "c1", "B").applied, 0);
    ck_assert_int_eq(stored_credit(w, "c1", "P").applied_by_receipt, 0);
    world_close(w);
}
END_TEST

/* Museum 12: A payment that was taken back was still counted in a balance. Naive rule: a stored balance that is
 * added to, and not always subtracted from. */
START_TEST(museum_12_a_payment_taken_back_counts_nowhere) {
    world *w = paid(_i, 0);
    book *b;
    undo(w, "c1", 3, 0, 2);
    b = world_book(w);
    ck_assert_int_eq(book_account(b, "c1", "EUR")->applied, 0);
    ck_assert_int_eq(book_account(b, "c1", "EUR")->credit_remaining, 0);
    ck_assert_int_eq(book_account(b, "c1", "EUR")->cash_remaining, 0);
    ck_assert_int_eq(book_account(b, "c1", "EUR")->open_credits, 0);
    ck_assert_int_eq(book_account(b, "c1", "EUR")->invoice_open, 150);
    book_free(b);
    world_close(w);
}
END_TEST

/* Museum 16: A payment failed after part of it had been taken back already. Naive rule: a failure gives back the
 * whole amount. */
START_TEST(museum_16_a_failed_payment_returns_only_what_was_drawn) {
    world *w = paid(_i, 0);
    crd_credit *c = find_credit(w->ledger, "c1", "P");
    void_credit(w, c, 20, 2);
    ck_assert_int_eq(reverse(w, "c1", "R", 3).amount, 100);
    credit_is(w, "P", 0, 0, 100, CRD_CREDIT_VOIDED);
    ck_assert_int_eq(balance(w, 3), 150);
    REFUSED(w, crd_credit_void(w->ledger, on(4), c, 0, 0, NULL), CRD_E_STATE);
    crd_credit_free(c);
    world_close(w);
}
END_TEST

/* Museum 19: Overpayments could be entered, but using and reversing them never worked. Naive rule: a record of its
 * own kind, for which half of the commands were not written. */
START_TEST(museum_19_an_overpayment_can_be_used_unused_and_reversed) {
    world *w = paid(_i, 0);
    crd_credit *c = find_credit(w->ledger, "c1", "P");
    crd_invoice *b = find_invoice(w->ledger, "c1", "B");
    int64_t seq = apply(w, c, b, 20, 2);
    undo(w, "c1", seq, 0, 3);
    seq = apply(w, c, b, 15, 4);
    undo(w, "c1", seq, 5, 5);
    credit_is(w, "P", 10, 110, 0, CRD_CREDIT_ACTIVE);
    ck_assert_int_eq(reverse(w, "c1", "R", 6).amount, 120);
    open_is(w, "B", 50, CRD_INVOICE_OPEN);
    credit_is(w, "P", 0, 0, 120, CRD_CREDIT_VOIDED);
    crd_credit_free(c);
    crd_invoice_free(b);
    world_close(w);
}
END_TEST

/* Museum 29: Deleting a payment lost the terms under which its invoice was due. Naive rule: the payment overwrites
 * the invoice's terms, and its deletion clears them. */
START_TEST(museum_29_what_a_payment_settled_is_owed_again_on_its_own_terms) {
    world *w = paid(_i, 0);
    crd_invoice_record before = stored_invoice(w, "c1", "A"), after;
    undo(w, "c1", 3, 0, 2);
    after = stored_invoice(w, "c1", "A");
    ck_assert_int_eq(after.due, before.due);
    ck_assert_int_eq(after.issued, before.issued);
    ck_assert_int_eq(after.total, before.total);
    ck_assert_int_eq(after.open, 100);
    world_close(w);
}
END_TEST

/* ---- with refunds, transfers, revisions, holds ---- */

static int64_t refund(world *w, const char *id, int64_t amount, int day) {
    crd_refund_terms t;
    crd_result r = result_block();
    crd_credit *c = find_credit(w->ledger, "c1", id);
    memset(&t, 0, sizeof t);
    t.struct_size = sizeof t;
    t.amount = amount;
    OK(w, crd_credit_refund(w->ledger, on(day), c, &t, &r));
    world_check(w);
    crd_credit_free(c);
    return r.first_seq;
}

static int64_t transfer(world *w, const char *id, const char *to, int64_t amount, int day) {
    crd_transfer_terms t;
    crd_result r = result_block();
    crd_credit *c = find_credit(w->ledger, "c1", id);
    memset(&t, 0, sizeof t);
    t.struct_size = sizeof t;
    t.customer = to;
    t.amount = amount;
    t.id = "there";
    OK(w, crd_credit_transfer(w->ledger, on(day), c, &t, NULL, &r));
    world_check(w);
    crd_credit_free(c);
    return r.first_seq;
}

static void revise(world *w, const char *id, int64_t total, int day) {
    crd_revise_terms t;
    crd_invoice *i = find_invoice(w->ledger, "c1", id);
    memset(&t, 0, sizeof t);
    t.struct_size = sizeof t;
    t.total = total;
    OK(w, crd_invoice_revise(w->ledger, on(day), i, &t, NULL));
    world_check(w);
    crd_invoice_free(i);
}

static void reverse_as(world *w, const char *id, const char *debit_memo, int day, crd_result *out) {
    crd_reverse_terms t;
    crd_receipt *r = find_receipt(w->ledger, "c1", id);
    memset(&t, 0, sizeof t);
    t.struct_size = sizeof t;
    t.debit_memo = debit_memo;
    t.reason = "no funds";
    OK(w, crd_receipt_reverse(w->ledger, on(day), r, &t, out));
    world_check(w);
    crd_receipt_free(r);
}

/* The example of rule M13, figure by figure: P 120, A 100, 20 applied to B 50, A revised to 90, 5 refunded, 5 expired. */
static world *example(int store) {
    world *w = world_open(store);
    paying *p = with(pays(receive("R", 120), "A", 100), CRD_RECEIPT_EXCESS_TO_CREDIT);
    crd_credit *c;
    crd_invoice *b;
    customer(w, "c1");
    crd_invoice_free(invoice(w, "c1", "A", 100, 0, 10));
    b = invoice(w, "c1", "B", 50, 0, 5);
    p->terms.credit = "P";
    p->terms.credit_expires = DAY(10);
    enter(w, "c1", p, 1);
    c = find_credit(w->ledger, "c1", "P");
    apply(w, c, b, 20, 2);
    revise(w, "A", 90, 3);
    ck_assert_int_eq(credited(w, "P"), 30);
    refund(w, "P", 5, 4);
    crd_credit_free(c);
    crd_invoice_free(b);
    return w;
}

START_TEST(M13_R73_the_example_of_the_rule_figure_by_figure) {
    world *w = example(_i);
    crd_result r = result_block();
    crd_credit_record p;
    crd_invoice_record memo;
    book *b;
    REFUSED(w, try_reverse(w->ledger, on(20), "c1", "R", CRD_REVERSE_STRICT, NULL), CRD_E_IN_USE);
    FIGURES(w, 25, 0);
    reverse_as(w, "R", "DM", 20, &r); /* the 5 left expired on day 10 */
    ck_assert_int_eq(r.amount, 110);
    open_is(w, "A", 90, CRD_INVOICE_OPEN);
    open_is(w, "B", 50, CRD_INVOICE_OPEN);
    memo = stored_invoice(w, "c1", "DM");
    ck_assert_int_eq(memo.open, 5);
    ck_assert_int_eq(memo.total, 5);
    ck_assert_uint_eq(memo.kind, CRD_INVOICE_DEBIT_MEMO);
    ck_assert_uint_eq(memo.flags, CRD_FLAG_OWN_DOCUMENT);
    ck_assert_int_eq(memo.issued, DAY(20));
    p = stored_credit(w, "c1", "P");
    ck_assert_int_eq(p.reversed, 110);
    ck_assert_int_eq(p.reversed_own, 90);
    ck_assert_int_eq(p.expired, 5);
    ck_assert_int_eq(p.refunded, 5);
    ck_assert_int_eq(p.remaining, 0);
    ck_assert_int_eq(p.applied, 0);
    ck_assert_int_eq(credited(w, "P"), 30);
    ck_assert_int_eq(p.refunded + p.expired + (p.reversed - p.reversed_own), 30);
    ck_assert_int_eq(balance(w, 20), 145);
    b = world_book(w);
    ck_assert_str_eq(book_invoice(b, "c1", "DM")->origin, "R");
    ck_assert_str_eq(book_invoice(b, "c1", "DM")->text, "no funds");
    book_free(b);
    world_close(w);
}
END_TEST

START_TEST(R81_M13_a_failed_refund_of_a_bounced_payment_cuts_the_debit_memo) {
    world *w = paid(_i, 0);
    int64_t first = refund(w, "P", 5, 2), second = refund(w, "P", 15, 3);
    crd_credit *k;
    crd_invoice *dm;
    crd_invoice_record cut;
    crd_result r = result_block();
    reverse_as(w, "R", NULL, 4, &r);
    ck_assert_int_eq(r.amount, 100);
    {
        book *b = world_book(w);
        const char *id = NULL;
        for (size_t i = 0; i < b->count; i++)
            if (b->items[i].kind == CRD_KIND_INVOICE &&
                ((const crd_invoice_record *)b->items[i].record)->kind == CRD_INVOICE_DEBIT_MEMO)
                id = ((const crd_invoice_record *)b->items[i].record)->id;
        ck_assert_ptr_nonnull(id);
        dm = find_invoice(w->ledger, "c1", id);
        book_free(b);
    }
    ck_assert_int_eq(crd_invoice_get(dm)->open, 20);
    /* 12 of it were paid by a memo, 4 written off, 4 are open; 15 come back */
    k = memo(w, "c1", "K", 12, 4);
    apply(w, k, dm, 12, 6);
    OK(w, crd_invoice_write_off(w->ledger, on(7), dm, 4, CRD_CAUSE_WRITTEN_OFF, NULL));
    ck_assert_int_eq(undo(w, "c1", second, 0, 5), 15);
    cut = stored_invoice(w, "c1", crd_invoice_get(dm)->id);
    ck_assert_int_eq(cut.total, 20);
    ck_assert_int_eq(cut.cancelled, 15);
    ck_assert_int_eq(cut.applied, 5);
    ck_assert_int_eq(cut.written_off, 0);
    ck_assert_int_eq(cut.open, 0);
    ck_assert_int_eq(cut.last_date, DAY(7));
    ck_assert_int_eq(stored_credit(w, "c1", "K").remaining, 7);
    credit_is(w, "P", 0, 0, 115, CRD_CREDIT_VOIDED);
    ck_assert_int_eq(stored_credit(w, "c1", "P").last_date, DAY(7)); /* one date for all */
    ck_assert_int_eq(undo(w, "c1", first, 0, 8), 5);
    cut = stored_invoice(w, "c1", crd_invoice_get(dm)->id);
    ck_assert_int_eq(cut.cancelled, 20);
    ck_assert_int_eq(cut.applied, 0);
    credit_is(w, "P", 0, 0, 120, CRD_CREDIT_VOIDED);
    ck_assert_int_eq(stored_credit(w, "c1", "K").remaining, 12);
    ck_assert_int_eq(balance(w, 8), 150 - 12);
    crd_credit_free(k);
    crd_invoice_free(dm);
    world_close(w);
}
END_TEST

START_TEST(R81_M13_a_transfer_of_a_bounced_payment_comes_back_and_cuts_the_debit_memo) {
    world *w = paid(_i, 0);
    int64_t seq;
    crd_result r = result_block();
    customer(w, "c2");
    seq = transfer(w, "P", "c2", 20, 2);
    REFUSED(w, try_reverse(w->ledger, on(3), "c1", "R", CRD_REVERSE_STRICT, NULL), CRD_E_IN_USE);
    reverse_as(w, "R", "DM", 3, &r);
    ck_assert_int_eq(r.amount, 100);
    ck_assert_int_eq(stored_credit(w, "c2", "there").remaining, 20); /* the other customer keeps it */
    open_is(w, "DM", 20, CRD_INVOICE_OPEN);
    ck_assert_int_eq(undo(w, "c1", seq, 8, 4), 8);
    ck_assert_int_eq(stored_credit(w, "c2", "there").remaining, 12);
    open_is(w, "DM", 12, CRD_INVOICE_OPEN);
    ck_assert_int_eq(stored_invoice(w, "c1", "DM").cancelled, 8);
    credit_is(w, "P", 0, 0, 108, CRD_CREDIT_VOIDED);
    ck_assert_int_eq(undo(w, "c1", seq, 0, 4), 12);
    open_is(w, "DM", 0, CRD_INVOICE_PAID);
    credit_is(w, "P", 0, 0, 120, CRD_CREDIT_VOIDED);
    ck_assert_int_eq(balance(w, 4), 150);
    world_close(w);
}
END_TEST

START_TEST(M13_a_bounce_releases_holds_and_allocations) {
    world *w = paid(_i, 0);
    crd_credit *p = find_credit(w->ledger, "c1", "P");
    crd_invoice *draft = invoice_as(w, "c1", "order", CRD_INVOICE_INVOICE, 70, 0, 5, CRD_INVOICE_AS_DRAFT);
    hold_credit(w, p, NULL, "h", 6, 2, 30);
    hold_credit(w, p, draft, "a", 9, 3, 0);
    REFUSED(w, try_reverse(w->ledger, on(4), "c1", "R", CRD_REVERSE_STRICT, NULL), CRD_E_IN_USE);
    FIGURES(w, 15, 0);
    ck_assert_int_eq(reverse(w, "c1", "R", 4).amount, 120);
    credit_is(w, "P", 0, 0, 120, CRD_CREDIT_VOIDED);
    ck_assert_int_eq(stored_credit(w, "c1", "P").held, 0);
    ck_assert_int_eq(stored_credit(w, "c1", "P").allocated, 0);
    ck_assert_int_eq(stored_invoice(w, "c1", "order").allocated, 0);
    crd_credit_free(p);
    crd_invoice_free(draft);
    world_close(w);
}
END_TEST

START_TEST(M13_what_is_held_past_its_expiry_is_reversed_what_lapsed_has_expired) {
    world *w = world_open(_i);
    paying *t = with(receive("R", 30), CRD_RECEIPT_EXCESS_TO_CREDIT);
    crd_credit *p;
    customer(w, "c1");
    t->terms.credit = "P";
    t->terms.credit_expires = DAY(10);
    enter(w, "c1", t, 1);
    p = find_credit(w->ledger, "c1", "P");
    hold_credit(w, p, NULL, "h", 6, 2, 30);
    ck_assert_int_eq(reverse(w, "c1", "R", 20).amount, 6);
    credit_is(w, "P", 0, 0, 6, CRD_CREDIT_VOIDED);
    ck_assert_int_eq(stored_credit(w, "c1", "P").expired, 24);
    crd_credit_free(p);
    world_close(w);
}
END_TEST

START_TEST(M10_R73_strict_does_not_count_a_hold_that_has_lapsed) {
    world *w = world_open(_i);
    paying *t = with(receive("R", 30), CRD_RECEIPT_EXCESS_TO_CREDIT);
    crd_credit *p;
    customer(w, "c1");
    t->terms.credit = "P";
    enter(w, "c1", t, 1);
    p = find_credit(w->ledger, "c1", "P");
    hold_credit(w, p, NULL, "h", 6, 2, 9);
    REFUSED(w, try_reverse(w->ledger, at_noon(8), "c1", "R", CRD_REVERSE_STRICT, NULL), CRD_E_IN_USE);
    FIGURES(w, 6, 0);
    OK(w, try_reverse(w->ledger, at_noon(9), "c1", "R", CRD_REVERSE_STRICT, NULL));
    world_check(w);
    credit_is(w, "P", 0, 0, 30, CRD_CREDIT_VOIDED);
    crd_credit_free(p);
    world_close(w);
}
END_TEST

START_TEST(M14_a_receipt_whose_money_was_paid_out_cannot_be_undone) {
    world *w = paid(_i, 0);
    int64_t seq = refund(w, "P", 5, 2);
    REFUSED(w, try_undo(w->ledger, "c1", 3, 0, on(3), NULL), CRD_E_IN_USE);
    FIGURES(w, 5, 0);
    undo(w, "c1", seq, 0, 3);
    undo(w, "c1", 3, 0, 3);
    credit_is(w, "P", 0, 0, 120, CRD_CREDIT_VOIDED);
    open_is(w, "A", 100, CRD_INVOICE_OPEN);
    world_close(w);
}
END_TEST

START_TEST(R41_M3_credited_is_what_the_own_receipt_does_not_apply) {
    world *w = paid(_i, 0);
    crd_credit *p = find_credit(w->ledger, "c1", "P");
    crd_invoice *b = find_invoice(w->ledger, "c1", "B");
    crd_receipt_record r = stored_receipt(w, "c1", "R");
    int64_t seq;
    ck_assert_int_eq(credited(w, "P"), 20);
    revise(w, "A", 90, 2);
    ck_assert_int_eq(credited(w, "P"), 30);
    /* the receipt's own line is raised again: 20; an ordinary application is a use of it, and leaves 30 */
    revise(w, "A", 100, 3);
    OK(w, crd_application_change(w->ledger, on(3), "c1", "EUR", r.posted_seq, 100, NULL));
    world_check(w);
    ck_assert_int_eq(credited(w, "P"), 20);
    ck_assert_int_eq(stored_receipt(w, "c1", "R").applied, 100);
    revise(w, "A", 90, 4);
    ck_assert_int_eq(credited(w, "P"), 30);
    seq = apply(w, p, b, 10, 5);
    ck_assert_int_eq(credited(w, "P"), 30);
    ck_assert_int_eq(stored_credit(w, "c1", "P").applied - stored_credit(w, "c1", "P").applied_by_receipt, 10);
    ck_assert_int_gt(seq, 0);
    ck_assert_int_eq(reverse(w, "c1", "R", 6).amount, 120);
    ck_assert_int_eq(credited(w, "P"), 30);
    credit_is(w, "P", 0, 0, 120, CRD_CREDIT_VOIDED);
    crd_credit_free(p);
    crd_invoice_free(b);
    world_close(w);
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("reverse");
    TCase *t = tcase_create("reverse");
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, R21_a_bounce_reopens_every_invoice_wherever_its_money_went, 0, STORES);
    tcase_add_loop_test(t, M13_a_bounce_goes_newest_first_and_names_every_document, 0, STORES);
    tcase_add_loop_test(t, R20_a_reversal_takes_all_that_was_left_of_the_payment, 0, STORES);
    tcase_add_loop_test(t, M13_a_second_reversal_is_refused, 0, STORES);
    tcase_add_loop_test(t, R73_strict_refuses_what_is_used_elsewhere, 0, STORES);
    tcase_add_loop_test(t, M13_outside_applications_are_unwound_too, 0, STORES);
    tcase_add_loop_test(t, M13_credits_used_on_the_same_receipt_stay_applied, 0, STORES);
    tcase_add_loop_test(t, M13_discounts_of_the_receipts_undone_go_with_them, 0, STORES);
    tcase_add_loop_test(t, M13_what_had_expired_or_been_voided_stays_in_its_column, 0, STORES);
    tcase_add_loop_test(t, M13_a_bounce_takes_one_date_the_latest_of_all_it_touches, 0, STORES);
    tcase_add_loop_test(t, R83_a_bounce_can_cost_a_fee, 0, STORES);
    tcase_add_loop_test(t, R33_a_bounce_is_entered_while_the_feature_is_off, 0, STORES);
    tcase_add_loop_test(t, R61_a_bounce_asked_again_is_the_first_one, 0, STORES);
    tcase_add_loop_test(t, R81_a_receipt_entered_in_error_is_undone_whole_its_credits_too, 0, STORES);
    tcase_add_loop_test(t, museum_07_a_payment_taken_back_leaves_no_link_behind, 0, STORES);
    tcase_add_loop_test(t, museum_12_a_payment_taken_back_counts_nowhere, 0, STORES);
    tcase_add_loop_test(t, museum_16_a_failed_payment_returns_only_what_was_drawn, 0, STORES);
    tcase_add_loop_test(t, museum_19_an_overpayment_can_be_used_unused_and_reversed, 0, STORES);
    tcase_add_loop_test(t, museum_29_what_a_payment_settled_is_owed_again_on_its_own_terms, 0, STORES);
    tcase_add_loop_test(t, M13_R73_the_example_of_the_rule_figure_by_figure, 0, STORES);
    tcase_add_loop_test(t, R81_M13_a_failed_refund_of_a_bounced_payment_cuts_the_debit_memo, 0, STORES);
    tcase_add_loop_test(t, R81_M13_a_transfer_of_a_bounced_payment_comes_back_and_cuts_the_debit_memo, 0, STORES);
    tcase_add_loop_test(t, M13_a_bounce_releases_holds_and_allocations, 0, STORES);
    tcase_add_loop_test(t, M13_what_is_held_past_its_expiry_is_reversed_what_lapsed_has_expired, 0, STORES);
    tcase_add_loop_test(t, M10_R73_strict_does_not_count_a_hold_that_has_lapsed, 0, STORES);
    tcase_add_loop_test(t, M14_a_receipt_whose_money_was_paid_out_cannot_be_undone, 0, STORES);
    tcase_add_loop_test(t, R41_M3_credited_is_what_the_own_receipt_does_not_apply, 0, STORES);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return world_main(suite);
}
