/*
 * Adjust: available credit is set to a figure, by an entry that says from what to what, and back again.
 */
#include "support/world.h"

#include <string.h>

static crd_adjust_terms terms(int64_t target) {
    crd_adjust_terms t;
    memset(&t, 0, sizeof t);
    t.struct_size = sizeof t;
    t.target = target;
    return t;
}

static crd_status try_adjust(world *w, int64_t target, int day, crd_result *out) {
    crd_adjust_terms t = terms(target);
    return crd_credit_adjust(w->ledger, on(day), "c1", "EUR", &t, out);
}

static crd_result adjust(world *w, int64_t target, int day) {
    crd_result r = result_block();
    OK(w, try_adjust(w, target, day, &r));
    world_check(w);
    return r;
}

static int64_t available(world *w, int day) {
    return balance_of(w->ledger, "c1", "EUR", day).available;
}

START_TEST(R7_M10_upward_is_one_entry_and_a_credit_of_class_adjustment) {
    world *w = world_open(_i);
    crd_adjust_terms t = terms(7500);
    crd_result r = result_block();
    const crd_entry_record *e;
    const crd_credit_record *c;
    book *b;
    customer(w, "c1");
    crd_credit_free(memo(w, "c1", "K", 5000, 0)); /* 1 */
    t.method = "check";
    t.reason = "as agreed";
    t.id = "A1";
    t.source = "correction";
    t.notes = "see ticket";
    OK(w, crd_credit_adjust(w->ledger, on(1), "c1", "EUR", &t, &r));
    world_check(w);
    ck_assert_int_eq(r.amount, 2500);
    ck_assert_int_eq(r.first_seq, 2);
    ck_assert_int_eq(r.last_seq, 3);
    b = world_book(w);
    e = book_entry(b, "c1", "EUR", 2);
    ck_assert_uint_eq(e->type, CRD_ENTRY_ADJUST);
    ck_assert_int_eq(e->amount, 2500);
    ck_assert_int_eq(e->figure_before, 5000);
    ck_assert_int_eq(e->figure_after, 7500);
    ck_assert_str_eq(e->method, "check");
    ck_assert_str_eq(e->reference, "as agreed");
    ck_assert_str_eq(e->actor, on(0)->actor); /* R9: who */
    ck_assert_str_eq(e->credit, "");
    e = book_entry(b, "c1", "EUR", 3);
    ck_assert_uint_eq(e->type, CRD_ENTRY_ISSUE);
    ck_assert_int_eq(e->undoes, 2);
    c = book_credit(b, "c1", "A1");
    ck_assert_uint_eq(c->credit_class, CRD_CLASS_ADJUSTMENT);
    ck_assert_uint_eq(c->kind, CRD_CREDIT_ADJUSTMENT);
    ck_assert_int_eq(c->original, 2500);
    ck_assert_int_eq(c->issued, DAY(1));
    ck_assert_int_eq(c->effective, DAY(1));
    ck_assert_str_eq(c->source, "correction");
    ck_assert_str_eq(c->reason, "as agreed");
    ck_assert_str_eq(c->notes, "see ticket");
    ck_assert_str_eq(c->receipt, "");
    ck_assert_uint_eq(book_count(b, CRD_KIND_RECEIPT), 0); /* it never touches takings */
    book_free(b);
    ck_assert_int_eq(available(w, 1), 7500);
    world_close(w);
}
END_TEST

START_TEST(R7_M10_downward_pieces_come_in_spending_order_and_name_the_entry) {
    world *w = world_open(_i);
    crd_result r;
    crd_credit *old, *newer;
    const crd_entry_record *e;
    book *b;
    customer(w, "c1");
    newer = memo(w, "c1", "A", 300, 3);
    old = cash(w, "c1", "Z", 200, 1);
    crd_credit_free(promise(w, "c1", "P", 500, 4, 90));
    ck_assert_int_eq(available(w, 5), 1000);
    r = adjust(w, 650, 5);
    ck_assert_int_eq(r.amount, -350);
    ck_assert_int_eq(r.last_seq - r.first_seq, 2);
    b = world_book(w);
    e = book_entry(b, "c1", "EUR", r.first_seq);
    ck_assert_uint_eq(e->type, CRD_ENTRY_ADJUST);
    ck_assert_int_eq(e->amount, 350);
    ck_assert_int_eq(e->figure_before, 1000);
    ck_assert_int_eq(e->figure_after, 650);
    ck_assert_str_eq(e->method, "cash");
    e = book_entry(b, "c1", "EUR", r.first_seq + 1);
    ck_assert_uint_eq(e->type, CRD_ENTRY_ADJUST_PIECE);
    ck_assert_str_eq(e->credit, "Z");
    ck_assert_int_eq(e->amount, 200);
    ck_assert_int_eq(e->undoes, r.first_seq);
    e = book_entry(b, "c1", "EUR", r.first_seq + 2);
    ck_assert_str_eq(e->credit, "A");
    ck_assert_int_eq(e->amount, 150);
    ck_assert_int_eq(e->undoes, r.first_seq);
    ck_assert_uint_eq(book_credit(b, "c1", "Z")->cause, CRD_CAUSE_ADJUSTED);
    ck_assert_uint_eq(book_credit(b, "c1", "Z")->state, CRD_CREDIT_SPENT);
    ck_assert_int_eq(book_credit(b, "c1", "Z")->adjusted, 200);
    ck_assert_int_eq(book_credit(b, "c1", "P")->adjusted, 0);
    book_free(b);
    ck_assert_int_eq(available(w, 5), 650);
    ck_assert_int_eq(crd_credit_get(old)->remaining, 0); /* handles follow */
    ck_assert_int_eq(crd_credit_get(newer)->remaining, 150);
    crd_credit_free(old);
    crd_credit_free(newer);
    world_close(w);
}
END_TEST

START_TEST(R7_M15_the_ledgers_order_decides_what_is_taken_first) {
    static const uint32_t orders[][3] = {{CRD_ORDER_EXPIRY, 0, 0}, {CRD_ORDER_CLASS, CRD_ORDER_DATE, 0},
                                         {CRD_ORDER_PRIORITY, CRD_ORDER_DATE, 0}, {0, 0, 0}};
    static const char *const first[] = {"X", "X", "C", "M"};
    for (size_t n = 0; n < 4; n++) {
        world *w = world_open(_i);
        crd_credit_terms t = credit_terms("C", CRD_CREDIT_PREPAYMENT, 100);
        crd_settings s;
        crd_result r;
        book *b;
        memset(&s, 0, sizeof s);
        s.struct_size = sizeof s;
        memcpy(s.credit_order, orders[n], sizeof orders[n]);
        OK(w, crd_ledger_configure(w->ledger, &s));
        customer(w, "c1");
        crd_credit_free(memo(w, "c1", "M", 100, 0));
        t.priority = -1;
        OK(w, crd_credit_issue(w->ledger, on(1), "c1", &t, NULL));
        crd_credit_free(promise(w, "c1", "X", 100, 2, 50));
        r = adjust(w, 250, 3);
        b = world_book(w);
        ck_assert_str_eq(book_entry(b, "c1", "EUR", r.last_seq)->credit, first[n]);
        book_free(b);
        world_close(w);
    }
}
END_TEST

START_TEST(M10_reserved_counts_and_held_expired_or_future_credit_does_not) {
    world *w = world_open(_i);
    crd_credit_terms t = credit_terms("R", CRD_CREDIT_DEPOSIT, 100);
    crd_hold_terms h;
    crd_credit *held;
    crd_result r;
    book *b;
    customer(w, "c1");
    t.flags = CRD_FLAG_RESERVED;
    OK(w, crd_credit_issue(w->ledger, on(0), "c1", &t, NULL));
    t = credit_terms("F", CRD_CREDIT_MEMO, 1000);
    t.effective = DAY(20);
    OK(w, crd_credit_issue(w->ledger, on(0), "c1", &t, NULL));
    crd_credit_free(promise(w, "c1", "X", 500, 0, 10)); /* expired by then, and not swept */
    held = memo(w, "c1", "H", 60, 0);
    memset(&h, 0, sizeof h);
    h.struct_size = sizeof h;
    h.amount = 40;
    OK(w, crd_credit_hold(w->ledger, on(1), held, NULL, &h, NULL));
    r = adjust(w, 120, 12);
    ck_assert_int_eq(r.amount, 0); /* 100 reserved, 20 not held */
    r = adjust(w, 0, 12);
    ck_assert_int_eq(r.amount, -120);
    b = world_book(w);
    ck_assert_int_eq(book_credit(b, "c1", "R")->adjusted, 100);
    ck_assert_int_eq(book_credit(b, "c1", "H")->adjusted, 20);
    ck_assert_int_eq(book_credit(b, "c1", "H")->held, 40);
    ck_assert_int_eq(book_credit(b, "c1", "F")->remaining, 1000);
    ck_assert_int_eq(book_credit(b, "c1", "X")->remaining, 500);
    book_free(b);
    crd_credit_free(held);
    world_close(w);
}
END_TEST

START_TEST(M7_a_hold_past_its_instant_counts_as_available) {
    world *w = world_open(_i);
    crd_hold_terms h;
    crd_credit *held;
    crd_result r;
    book *b;
    customer(w, "c1");
    held = memo(w, "c1", "H", 60, 0);
    memset(&h, 0, sizeof h);
    h.struct_size = sizeof h;
    h.amount = 40;
    h.lapses_at = on(0)->instant != 0 ? on(0)->instant : (int64_t)DAY(0) * INT64_C(86400000000) + INT64_C(43200000001);
    OK(w, crd_credit_hold(w->ledger, on(0), held, NULL, &h, NULL));
    {
        crd_request later = *on(1);
        crd_adjust_terms t = terms(50);
        r = result_block();
        later.instant = h.lapses_at + 1;
        OK(w, crd_credit_adjust(w->ledger, &later, "c1", "EUR", &t, &r));
    }
    world_check(w);
    ck_assert_int_eq(r.amount, -10);
    b = world_book(w);
    ck_assert_uint_eq(book_entry(b, "c1", "EUR", r.first_seq)->type, CRD_ENTRY_ADJUST);
    ck_assert_uint_eq(book_entry(b, "c1", "EUR", r.first_seq - 1)->type, CRD_ENTRY_LAPSE);
    ck_assert_int_eq(book_entry(b, "c1", "EUR", r.first_seq)->figure_before, 60);
    ck_assert_int_eq(book_credit(b, "c1", "H")->remaining, 50);
    ck_assert_int_eq(book_credit(b, "c1", "H")->held, 0);
    book_free(b);
    crd_credit_free(held);
    world_close(w);
}
END_TEST

START_TEST(M10_no_difference_writes_nothing) {
    world *w = world_open(_i);
    crd_adjust_terms t = terms(500);
    crd_result r;
    customer(w, "c1");
    crd_credit_free(memo(w, "c1", "K", 500, 0));
    world_remember(w);
    r = adjust(w, 500, 1);
    ck_assert_int_eq(r.amount, 0);
    ck_assert_int_eq(r.first_seq, 0);
    ck_assert_int_eq(r.last_seq, 0);
    OK(w, crd_credit_adjust(w->ledger, keyed(1, "same"), "c1", "EUR", &t, &r));
    t = terms(0); /* an account that does not exist has nothing */
    OK(w, crd_credit_adjust(w->ledger, on(1), "c1", "JPY", &t, &r));
    ck_assert_int_eq(r.amount, 0);
    world_same(w, "no difference");
    t = terms(20);
    OK(w, crd_credit_adjust(w->ledger, on(1), "c1", "JPY", &t, &r));
    world_check(w);
    ck_assert_int_eq(r.first_seq, 1);
    ck_assert_int_eq(balance_of(w->ledger, "c1", "JPY", 1).available, 20);
    world_close(w);
}
END_TEST

START_TEST(R8_R7_M16_a_figure_below_zero_is_refused_with_the_smallest) {
    world *w = world_open(_i);
    crd_adjust_terms t = terms(1);
    crd_settings s;
    crd_credit *k;
    customer(w, "c1");
    k = memo(w, "c1", "K", 500, 0);
    void_credit(w, k, 1, 3);
    crd_credit_free(k);
    REFUSED(w, try_adjust(w, -1, 3, NULL), CRD_E_BELOW_ZERO);
    FIGURES(w, 0, -1);
    REFUSED(w, try_adjust(w, INT64_MIN, 3, NULL), CRD_E_BELOW_ZERO);
    REFUSED(w, try_adjust(w, CRD_MAX_AMOUNT + 1, 3, NULL), CRD_E_ARGUMENT);
    FIELD(w, "terms.target");
    REFUSED(w, try_adjust(w, 1, 2, NULL), CRD_E_DATE);
    FIGURES(w, DAY(3), DAY(2));
    REFUSED(w, crd_credit_adjust(w->ledger, on(3), "nobody", "EUR", &t, NULL), CRD_E_NOT_FOUND);
    REFUSED(w, crd_credit_adjust(w->ledger, on(3), NULL, "EUR", &t, NULL), CRD_E_ARGUMENT);
    REFUSED(w, crd_credit_adjust(w->ledger, on(3), "c1", "XXZ", &t, NULL), CRD_E_CURRENCY);
    REFUSED(w, crd_credit_adjust(w->ledger, on(3), "c1", "EUR", NULL, NULL), CRD_E_ARGUMENT);
    t.flags = 1;
    REFUSED(w, crd_credit_adjust(w->ledger, on(3), "c1", "EUR", &t, NULL), CRD_E_ARGUMENT);
    FIELD(w, "terms.flags");
    t.flags = 0;
    t.id = "K";
    REFUSED(w, crd_credit_adjust(w->ledger, on(3), "c1", "EUR", &t, NULL), CRD_E_EXISTS);
    memset(&s, 0, sizeof s);
    s.struct_size = sizeof s;
    s.closed_through = DAY(4);
    OK(w, crd_ledger_configure(w->ledger, &s));
    REFUSED(w, try_adjust(w, -1, 4, NULL), CRD_E_CLOSED); /* before the amount */
    adjust(w, 0, 5);
    world_close(w);
}
END_TEST

/* What was usable on the date and is used up since still bounds it: the figure of that day was another one. */
START_TEST(M6_the_date_is_bounded_by_every_credit_usable_on_it) {
    world *w = world_open(_i);
    crd_credit *k, *expired;
    customer(w, "c1");
    k = memo(w, "c1", "K", 500, 0);
    expired = promise(w, "c1", "X", 100, 0, 3);
    void_credit(w, k, 0, 8);
    REFUSED(w, try_adjust(w, 10, 7, NULL), CRD_E_DATE);
    FIGURES(w, DAY(8), DAY(7));
    SUBJECT(w, CRD_KIND_CREDIT, "K");
    adjust(w, 10, 8);
    crd_credit_free(k);
    crd_credit_free(expired);
    world_close(w);
}
END_TEST

START_TEST(R61_an_adjustment_happens_once_under_its_key) {
    world *w = world_open(_i);
    crd_adjust_terms t = terms(75);
    crd_result r = result_block();
    customer(w, "c1");
    OK(w, crd_credit_adjust(w->ledger, keyed(1, "a"), "c1", "EUR", &t, &r));
    OK(w, crd_credit_adjust(w->ledger, keyed(1, "a"), "c1", "EUR", &t, &r)); /* there is no difference now */
    ck_assert_uint_eq(r.repeated, 1);
    ck_assert_int_eq(r.amount, 75);
    crd_credit_free(memo(w, "c1", "K", 500, 1));
    OK(w, crd_credit_adjust(w->ledger, keyed(1, "a"), "c1", "EUR", &t, &r));
    ck_assert_uint_eq(r.repeated, 1);
    ck_assert_int_eq(r.amount, 75);
    ck_assert_int_eq(available(w, 1), 575);
    t.target = 74;
    REFUSED(w, crd_credit_adjust(w->ledger, keyed(1, "a"), "c1", "EUR", &t, &r), CRD_E_KEY_REUSED);
    FIELD(w, "terms.target");
    world_close(w);
}
END_TEST

/* Museum 36: there was no way back from a mistaken adjustment. Adjusting up again would turn cash into another class. */
START_TEST(museum_36_a_downward_adjustment_is_taken_back_whole_and_once) {
    world *w = world_open(_i);
    crd_result r, u = result_block();
    crd_credit *p, *x;
    const crd_entry_record *e;
    book *b;
    customer(w, "c1");
    p = cash(w, "c1", "P", 300, 0);
    x = promise(w, "c1", "X", 200, 1, 20);
    r = adjust(w, 100, 5); /* 300 of P, 100 of X */
    REFUSED(w, try_undo(w->ledger, "c1", r.first_seq, 1, on(6), &u), CRD_E_ARGUMENT);
    REFUSED(w, try_undo(w->ledger, "c1", r.last_seq, 0, on(6), &u), CRD_E_STATE); /* a piece alone */
    OK(w, try_undo(w->ledger, "c1", r.first_seq, 0, on(6), &u));
    world_check(w);
    ck_assert_int_eq(u.amount, 400);
    ck_assert_int_eq(u.last_seq - u.first_seq, 2);
    b = world_book(w);
    e = book_entry(b, "c1", "EUR", u.first_seq);
    ck_assert_uint_eq(e->type, CRD_ENTRY_ADJUST);
    ck_assert_int_eq(e->undoes, r.first_seq);
    ck_assert_int_eq(e->figure_before, 100);
    ck_assert_int_eq(e->figure_after, 500);
    e = book_entry(b, "c1", "EUR", u.first_seq + 1);
    ck_assert_uint_eq(e->type, CRD_ENTRY_UNADJUST);
    ck_assert_str_eq(crd_entry_name(e->type), "unadjust");
    ck_assert_int_eq(e->undoes, r.first_seq + 1);
    ck_assert_int_eq(e->credit_after, 300);
    ck_assert_int_eq(book_credit(b, "c1", "P")->remaining, 300);
    ck_assert_int_eq(book_credit(b, "c1", "P")->adjusted, 0);
    ck_assert_uint_eq(book_credit(b, "c1", "P")->state, CRD_CREDIT_ACTIVE);
    ck_assert_int_eq(book_account(b, "c1", "EUR")->cash_remaining, 300);
    book_free(b);
    ck_assert_int_eq(available(w, 6), 500);
    REFUSED(w, try_undo(w->ledger, "c1", u.first_seq, 0, on(6), NULL), CRD_E_STATE);
    REFUSED(w, try_undo(w->ledger, "c1", r.first_seq, 0, on(6), &u), CRD_E_NOTHING);
    /* what expired meanwhile comes back expired, and the figures say so */
    r = adjust(w, 0, 7);
    OK(w, try_undo(w->ledger, "c1", r.first_seq, 0, on(20), &u));
    world_check(w);
    ck_assert_int_eq(u.amount, 500);
    b = world_book(w);
    ck_assert_int_eq(book_entry(b, "c1", "EUR", u.first_seq)->figure_before, 0);
    ck_assert_int_eq(book_entry(b, "c1", "EUR", u.first_seq)->figure_after, 300);
    ck_assert_int_eq(book_credit(b, "c1", "X")->expired, 200);
    book_free(b);
    ck_assert_int_eq(available(w, 20), 300);
    crd_credit_free(p);
    crd_credit_free(x);
    world_close(w);
}
END_TEST

/* Museum 36: The same for an adjustment upward, of which part may be used by then. Naive rule: adjust down again. */
START_TEST(museum_36_an_upward_adjustment_is_taken_back_while_unused) {
    world *w = world_open(_i);
    crd_adjust_terms t = terms(75);
    crd_result r = result_block(), u = result_block();
    crd_credit *a;
    crd_invoice *i;
    int64_t seq;
    book *b;
    customer(w, "c1");
    t.id = "A";
    OK(w, crd_credit_adjust(w->ledger, on(1), "c1", "EUR", &t, &r));
    i = invoice(w, "c1", "I", 40, 1, 30);
    a = find_credit(w->ledger, "c1", "A");
    seq = apply(w, a, i, 40, 2);
    REFUSED(w, try_undo(w->ledger, "c1", r.first_seq, 0, on(3), &u), CRD_E_CREDIT_AMOUNT);
    FIGURES(w, 35, 75);
    undo(w, "c1", seq, 0, 4);
    OK(w, try_undo(w->ledger, "c1", r.first_seq, 0, on(3), &u)); /* dated the day the credit was last touched */
    world_check(w);
    ck_assert_int_eq(u.amount, 75);
    b = world_book(w);
    ck_assert_uint_eq(book_entry(b, "c1", "EUR", u.first_seq)->type, CRD_ENTRY_ADJUST);
    ck_assert_int_eq(book_entry(b, "c1", "EUR", u.first_seq)->business_date, DAY(4));
    ck_assert_int_eq(book_entry(b, "c1", "EUR", u.first_seq)->figure_before, 75);
    ck_assert_int_eq(book_entry(b, "c1", "EUR", u.first_seq)->figure_after, 0);
    ck_assert_uint_eq(book_entry(b, "c1", "EUR", u.last_seq)->type, CRD_ENTRY_ADJUST_PIECE);
    ck_assert_int_eq(book_entry(b, "c1", "EUR", u.last_seq)->undoes, r.first_seq);
    ck_assert_int_eq(book_credit(b, "c1", "A")->adjusted, 75);
    book_free(b);
    REFUSED(w, try_undo(w->ledger, "c1", r.first_seq, 0, on(4), &u), CRD_E_NOTHING);
    ck_assert_int_eq(available(w, 4), 0);
    crd_credit_free(a);
    crd_invoice_free(i);
    world_close(w);
}
END_TEST

/* A hold of another credit has lapsed, which is not entered: the figure is the one it would be if it were. */
START_TEST(M7_M10_museum_36_the_figures_of_an_undo_leave_out_a_hold_that_has_lapsed) {
    world *w = world_open(_i);
    crd_adjust_terms t = terms(42);
    crd_result r = result_block(), u = result_block();
    crd_credit *held;
    const crd_entry_record *e;
    book *b;
    customer(w, "c1");
    held = memo(w, "c1", "H", 100, 0);
    hold_credit(w, held, NULL, "L", 60, 0, 5);
    OK(w, crd_credit_adjust(w->ledger, at_noon(1), "c1", "EUR", &t, &r)); /* 2 more */
    OK(w, try_undo(w->ledger, "c1", r.first_seq, 0, at_noon(5), &u));
    world_check(w);
    b = world_book(w);
    e = book_entry(b, "c1", "EUR", u.first_seq);
    ck_assert_int_eq(e->figure_before, 102);
    ck_assert_int_eq(e->figure_after, 100);
    ck_assert_int_eq(book_credit(b, "c1", "H")->held, 60);
    book_free(b);
    crd_credit_free(held);
    world_close(w);
}
END_TEST

/* More pieces than one look into the journal finds, in a unit that is still open, and what came after. */
START_TEST(R64_museum_36_an_adjustment_of_many_pieces_is_undone_in_its_unit) {
    world *w = world_open(_i);
    crd_result r = result_block(), u = result_block();
    w->careless = 1;
    customer(w, "c1");
    for (int n = 0; n < 150; n++) crd_credit_free(memo(w, "c1", NULL, 10, 0));
    w->careless = 0;
    OK(w, crd_unit_begin(w->ledger));
    OK(w, try_adjust(w, 5, 1, &r));
    ck_assert_int_eq(r.last_seq - r.first_seq, 150);
    OK(w, try_adjust(w, 500, 1, NULL));
    OK(w, try_undo(w->ledger, "c1", r.first_seq, 0, on(1), &u));
    ck_assert_int_eq(u.amount, 1495);
    OK(w, crd_unit_commit(w->ledger));
    world_check(w);
    ck_assert_int_eq(available(w, 1), 1995);
    REFUSED(w, try_undo(w->ledger, "c1", r.first_seq, 0, on(1), &u), CRD_E_NOTHING);
    r = adjust(w, 1, 2);
    ck_assert_int_eq(undo(w, "c1", r.first_seq, 0, 2), 1994);
    ck_assert_int_eq(available(w, 2), 1995);
    world_close(w);
}
END_TEST

/* Museum 35: what was paid in first is drawn first, and each piece names its origin. */
START_TEST(museum_35_pieces_are_drawn_first_in_first_out) {
    world *w = world_open(_i);
    crd_result r;
    book *b;
    static const char *const names[] = {"Z", "M", "A"};
    customer(w, "c1");
    for (int n = 0; n < 3; n++) crd_credit_free(cash(w, "c1", names[n], 100, n));
    r = adjust(w, 50, 5);
    b = world_book(w);
    for (int n = 0; n < 3; n++) {
        const crd_entry_record *e = book_entry(b, "c1", "EUR", r.first_seq + 1 + n);
        ck_assert_str_eq(e->credit, names[n]);
        ck_assert_int_eq(e->amount, n < 2 ? 100 : 50);
        ck_assert_int_eq(e->undoes, r.first_seq);
    }
    book_free(b);
    world_close(w);
}
END_TEST

static Suite *make(void) {
    Suite *s = suite_create("adjust");
    TCase *t = tcase_create("adjust");
    tcase_add_loop_test(t, R7_M10_upward_is_one_entry_and_a_credit_of_class_adjustment, 0, STORES);
    tcase_add_loop_test(t, R7_M10_downward_pieces_come_in_spending_order_and_name_the_entry, 0, STORES);
    tcase_add_loop_test(t, R7_M15_the_ledgers_order_decides_what_is_taken_first, 0, STORES);
    tcase_add_loop_test(t, M10_reserved_counts_and_held_expired_or_future_credit_does_not, 0, STORES);
    tcase_add_loop_test(t, M7_a_hold_past_its_instant_counts_as_available, 0, STORES);
    tcase_add_loop_test(t, M10_no_difference_writes_nothing, 0, STORES);
    tcase_add_loop_test(t, R8_R7_M16_a_figure_below_zero_is_refused_with_the_smallest, 0, STORES);
    tcase_add_loop_test(t, M6_the_date_is_bounded_by_every_credit_usable_on_it, 0, STORES);
    tcase_add_loop_test(t, R61_an_adjustment_happens_once_under_its_key, 0, STORES);
    tcase_add_loop_test(t, museum_36_a_downward_adjustment_is_taken_back_whole_and_once, 0, STORES);
    tcase_add_loop_test(t, museum_36_an_upward_adjustment_is_taken_back_while_unused, 0, STORES);
    tcase_add_loop_test(t, M7_M10_museum_36_the_figures_of_an_undo_leave_out_a_hold_that_has_lapsed, 0, STORES);
    tcase_add_loop_test(t, R64_museum_36_an_adjustment_of_many_pieces_is_undone_in_its_unit, 0, STORES);
    tcase_add_loop_test(t, museum_35_pieces_are_drawn_first_in_first_out, 0, STORES);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return world_main(make);
}
