/*
 * Orders: credit allocated to drafts, what posting and cancelling make of it (rule M9).
 */
#include "support/world.h"

#include <stdio.h>
#include <string.h>

static crd_invoice *draft(world *w, const char *id, int64_t total, int day) {
    return invoice_as(w, "c1", id, CRD_INVOICE_INVOICE, total, day, 30, CRD_INVOICE_AS_DRAFT);
}

static crd_status try_allocate(world *w, crd_credit *k, crd_invoice *d, const char *id, int64_t amount, int day) {
    crd_hold_terms t = hold_terms(id, amount, 0);
    return crd_credit_hold(w->ledger, on(day), k, d, &t, NULL);
}

static void allocate(world *w, crd_credit *k, crd_invoice *d, const char *id, int64_t amount, int day) {
    hold_credit(w, k, d, id, amount, day, 0);
}

/* The entries of an account from one on: type amount of credit @day. */
static const char *journal(world *w, int64_t from) {
    static char text[1500];
    book *b = world_book(w);
    const crd_entry_record *e;
    text[0] = '\0';
    for (int64_t seq = from; (e = book_entry(b, "c1", "EUR", seq)) != NULL; seq++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s %lld%s%s@%d", seq > from ? ", " : "",
                 crd_entry_name(e->type), (long long)e->amount, e->credit[0] != '\0' ? " " : "", e->credit,
                 (int)(e->business_date - DAY_ZERO));
    book_free(b);
    return text;
}

static crd_hold_record stored_hold(world *w, const char *id) {
    book *b = world_book(w);
    crd_hold_record copy;
    ck_assert_ptr_nonnull(book_hold(b, "c1", id));
    copy = *book_hold(b, "c1", id);
    book_free(b);
    return copy;
}

START_TEST(R37_M9_an_allocation_moves_neither_balance_nor_remainder) {
    world *w = world_open(_i);
    crd_credit *k;
    crd_invoice *d;
    crd_balance b;
    customer(w, "c1");
    k = cash(w, "c1", "K", 100, 0);
    d = draft(w, "D", 70, 0);
    allocate(w, k, d, "a", 60, 1);
    b = balance_of(w->ledger, "c1", "EUR", 1);
    ck_assert_int_eq(b.balance, -100);
    ck_assert_int_eq(b.credit, 100);
    ck_assert_int_eq(b.available, 40);
    ck_assert_int_eq(b.allocated, 60);
    ck_assert_int_eq(b.held, 0);
    ck_assert_int_eq(b.unearned, 100);
    ck_assert_int_eq(stored_credit(w, "c1", "K").remaining, 100);
    ck_assert_int_eq(stored_credit(w, "c1", "K").allocated, 60);
    ck_assert_int_eq(stored_invoice(w, "c1", "D").allocated, 60); /* due: 70 − 60 */
    ck_assert_int_eq(stored_invoice(w, "c1", "D").open, 0);
    ck_assert_int_eq(crd_invoice_get(d)->allocated, 60);
    REFUSED(w, try_apply(w->ledger, k, NULL, 41, 0, on(1), NULL), CRD_E_CREDIT_AMOUNT);
    /* one per credit and draft */
    REFUSED(w, try_allocate(w, k, d, "b", 5, 1), CRD_E_EXISTS);
    SUBJECT(w, CRD_KIND_HOLD, "a");
    crd_credit_free(k);
    crd_invoice_free(d);
    world_close(w);
}
END_TEST

START_TEST(R37_allocating_is_bounded_by_what_the_draft_has_due) {
    world *w = world_open(_i);
    crd_credit *k, *m, *abroad = NULL;
    crd_credit_terms t = credit_terms("Y", CRD_CREDIT_MEMO, 100);
    crd_invoice *d, *i;
    crd_hold *a;
    customer(w, "c1");
    k = memo(w, "c1", "K", 100, 0);
    m = memo(w, "c1", "M", 100, 0);
    t.currency = "JPY";
    OK(w, crd_credit_issue(w->ledger, on(0), "c1", &t, &abroad));
    d = draft(w, "D", 70, 0);
    i = invoice(w, "c1", "I", 70, 0, 30);
    allocate(w, k, d, "a", 60, 1);
    REFUSED(w, try_allocate(w, m, d, "b", 11, 1), CRD_E_INVOICE_AMOUNT);
    FIGURES(w, 10, 11);
    REFUSED(w, try_allocate(w, m, i, "b", 5, 1), CRD_E_STATE); /* posted: apply instead */
    REFUSED(w, try_allocate(w, abroad, d, "b", 5, 1), CRD_E_CURRENCY);
    allocate(w, m, d, "b", 10, 1);
    /* an allocation is not captured by hand, and the draft takes no application */
    a = find_hold(w->ledger, "c1", "a");
    {
        crd_apply_terms terms;
        memset(&terms, 0, sizeof terms);
        terms.struct_size = sizeof terms;
        REFUSED(w, crd_hold_capture(w->ledger, on(1), a, i, &terms, NULL), CRD_E_STATE);
    }
    REFUSED(w, try_apply(w->ledger, k, d, 5, 0, on(1), NULL), CRD_E_STATE);
    OK(w, crd_hold_release(w->ledger, on(2), a, 20, NULL));
    world_check(w);
    ck_assert_int_eq(stored_invoice(w, "c1", "D").allocated, 50);
    OK(w, crd_hold_release(w->ledger, on(2), a, 0, NULL));
    world_check(w);
    allocate(w, k, d, "c", 60, 2); /* again, now that it is free */
    crd_hold_free(a);
    crd_credit_free(k);
    crd_credit_free(m);
    crd_credit_free(abroad);
    crd_invoice_free(d);
    crd_invoice_free(i);
    world_close(w);
}
END_TEST

START_TEST(R37_a_reserved_deposit_is_used_by_hand_only) {
    world *w = world_open(_i);
    crd_credit_terms t = credit_terms("P", CRD_CREDIT_DEPOSIT, 100);
    crd_credit *p = NULL;
    crd_invoice *d;
    customer(w, "c1");
    t.flags = CRD_FLAG_RESERVED | CRD_ISSUE_APPLY;
    crd_invoice_free(invoice(w, "c1", "I", 50, 0, 30));
    OK(w, crd_credit_issue(w->ledger, on(0), "c1", &t, &p));
    ck_assert_int_eq(crd_credit_get(p)->remaining, 100); /* not applied, although asked */
    ck_assert_uint_eq(crd_credit_get(p)->flags, CRD_FLAG_RESERVED);
    ck_assert_uint_eq(reconcile(w, CRD_PLAN_USE_CASH, 1).applications, 0);
    d = draft(w, "D", 70, 1);
    allocate(w, p, d, NULL, 70, 1);
    send_invoice(w, d, 2);
    ck_assert_uint_eq(stored_invoice(w, "c1", "D").state, CRD_INVOICE_PAID);
    ck_assert_int_eq(stored_credit(w, "c1", "P").remaining, 30);
    crd_credit_free(p);
    crd_invoice_free(d);
    world_close(w);
}
END_TEST

/* Museum 23: The same for what was allocated to an order that is posted. Naive rule: a save per allocation. */
START_TEST(R37_museum_23_posting_applies_every_allocation_in_one_commit_oldest_first) {
    world *w = world_open(_i);
    crd_credit *a, *b, *c;
    crd_invoice *d;
    crd_result r = result_block();
    customer(w, "c1");
    a = memo(w, "c1", "A", 40, 0);
    b = memo(w, "c1", "B", 40, 0);
    c = cash(w, "c1", "C", 40, 0); /* with its receipt: entries 3 and 4 */
    d = draft(w, "D", 100, 0);
    allocate(w, b, d, "hb", 40, 1);
    allocate(w, c, d, "hc", 30, 1);
    allocate(w, a, d, "ha", 20, 1);
    w->careless = 1;
    shim_reset(&w->shim);
    OK(w, crd_invoice_send(w->ledger, on(5), d, 0, &r));
    ck_assert_uint_eq(w->shim.writes, 1);
    world_check(w);
    ck_assert_int_eq(r.amount, 100);
    ck_assert_str_eq(journal(w, 9), "capture 40 B@5, capture 30 C@5, capture 20 A@5, send 100@5, apply 40 B@5, "
                                    "apply 30 C@5, apply 20 A@5");
    ck_assert_int_eq(stored_invoice(w, "c1", "D").open, 10);
    ck_assert_int_eq(stored_invoice(w, "c1", "D").allocated, 0);
    ck_assert_int_eq(stored_invoice(w, "c1", "D").issued, DAY(5));
    ck_assert_uint_eq(stored_hold(w, "hb").state, CRD_HOLD_CAPTURED);
    ck_assert_int_eq(stored_hold(w, "hb").captured, 40);
    /* none of it can be used again */
    REFUSED(w, try_apply(w->ledger, b, NULL, 1, 0, on(5), NULL), CRD_E_STATE);
    REFUSED(w, try_apply(w->ledger, a, NULL, 21, 0, on(5), NULL), CRD_E_CREDIT_AMOUNT);
    REFUSED(w, try_apply(w->ledger, c, NULL, 11, 0, on(5), NULL), CRD_E_CREDIT_AMOUNT);
    crd_credit_free(a);
    crd_credit_free(b);
    crd_credit_free(c);
    crd_invoice_free(d);
    world_close(w);
}
END_TEST

START_TEST(M6_M9_an_application_of_a_posting_takes_the_later_date_of_its_credit) {
    world *w = world_open(_i);
    crd_credit *k;
    crd_invoice *d;
    customer(w, "c1");
    k = promise(w, "c1", "K", 100, 0, 8);
    d = draft(w, "D", 60, 0);
    allocate(w, k, d, NULL, 60, 1);
    apply(w, k, NULL, 10, 6);
    send_invoice(w, d, 5);
    ck_assert_str_eq(journal(w, 5), "capture 60 K@5, send 60@5, apply 60 K@6");
    ck_assert_int_eq(stored_invoice(w, "c1", "D").issued, DAY(5));
    ck_assert_int_eq(stored_invoice(w, "c1", "D").last_date, DAY(6));
    crd_credit_free(k);
    crd_invoice_free(d);
    world_close(w);
}
END_TEST

START_TEST(M9_M10_an_allocation_of_expired_credit_is_posted_and_what_is_released_expires) {
    world *w = world_open(_i);
    crd_credit *k;
    crd_invoice *d, *e;
    customer(w, "c1");
    k = promise(w, "c1", "K", 100, 0, 8);
    d = draft(w, "D", 60, 0);
    e = draft(w, "E", 60, 0);
    allocate(w, k, d, "ad", 50, 1);
    allocate(w, k, e, "ae", 30, 1);
    send_invoice(w, d, 12);
    ck_assert_str_eq(journal(w, 6), "expire 20 K@8, capture 50 K@12, send 60@12, apply 50 K@12");
    void_invoice(w, e, 15);
    ck_assert_str_eq(journal(w, 10), "release 30 K@15, expire 30 K@15, invoice_void 0@15");
    ck_assert_uint_eq(stored_invoice(w, "c1", "E").state, CRD_INVOICE_CANCELLED);
    ck_assert_uint_eq(stored_hold(w, "ae").state, CRD_HOLD_RELEASED);
    ck_assert_int_eq(stored_credit(w, "c1", "K").expired, 50);
    ck_assert_int_eq(stored_credit(w, "c1", "K").applied, 50);
    crd_credit_free(k);
    crd_invoice_free(d);
    crd_invoice_free(e);
    world_close(w);
}
END_TEST

/* Museum 14: The deposit laid aside for an order stayed there after the order was cancelled. Naive rule: cancelling
 * changes the order's state only. */
START_TEST(R37_museum_14_a_cancelled_order_gives_its_credit_back) {
    world *w = world_open(_i);
    crd_credit *a, *b;
    crd_invoice *d;
    crd_result r = result_block();
    crd_balance sum;
    customer(w, "c1");
    a = memo(w, "c1", "A", 40, 0);
    b = memo(w, "c1", "B", 40, 0);
    d = draft(w, "D", 100, 0);
    allocate(w, a, d, "ha", 40, 1);
    allocate(w, b, d, "hb", 15, 1);
    apply(w, b, NULL, 5, 9);
    OK(w, crd_invoice_void(w->ledger, on(2), d, 0, &r)); /* one date for all, the latest: B was used on the 9th */
    world_check(w);
    ck_assert_int_eq(r.amount, 55);
    ck_assert_str_eq(journal(w, 7), "release 15 B@9, release 40 A@9, invoice_void 0@9");
    ck_assert_uint_eq(stored_invoice(w, "c1", "D").state, CRD_INVOICE_CANCELLED);
    ck_assert_int_eq(stored_invoice(w, "c1", "D").allocated, 0);
    sum = balance_of(w->ledger, "c1", "EUR", 9);
    ck_assert_int_eq(sum.available, 75);
    ck_assert_int_eq(sum.allocated, 0);
    apply(w, a, NULL, 40, 9);
    crd_credit_free(a);
    crd_credit_free(b);
    crd_invoice_free(d);
    world_close(w);
}
END_TEST

START_TEST(M9_a_draft_revised_below_its_allocations_releases_them_newest_first) {
    world *w = world_open(_i);
    crd_credit *a, *b, *c;
    crd_invoice *d;
    crd_revise_terms t;
    crd_result r = result_block();
    customer(w, "c1");
    a = memo(w, "c1", "A", 40, 0);
    b = promise(w, "c1", "B", 40, 0, 4);
    c = memo(w, "c1", "C", 40, 0);
    d = draft(w, "D", 100, 0);
    allocate(w, a, d, "ha", 40, 1);
    allocate(w, b, d, "hb", 30, 1);
    allocate(w, c, d, "hc", 20, 1);
    memset(&t, 0, sizeof t);
    t.struct_size = sizeof t;
    t.reason = "fewer pieces";
    t.total = 95;
    OK(w, crd_invoice_revise(w->ledger, on(2), d, &t, &r));
    world_check(w);
    ck_assert_int_eq(stored_invoice(w, "c1", "D").allocated, 90); /* they fit */
    t.total = 55;
    OK(w, crd_invoice_revise(w->ledger, on(6), d, &t, &r));
    world_check(w);
    /* C whole, then part of B, which has expired; what was left of B expired on its day */
    ck_assert_str_eq(journal(w, 9), "expire 10 B@4, release 20 C@6, release 15 B@6, expire 15 B@6, revise 40@6");
    ck_assert_int_eq(stored_invoice(w, "c1", "D").allocated, 55);
    ck_assert_int_eq(stored_invoice(w, "c1", "D").total, 55);
    ck_assert_int_eq(stored_hold(w, "hb").amount, 15);
    ck_assert_uint_eq(stored_hold(w, "hc").state, CRD_HOLD_RELEASED);
    send_invoice(w, d, 7);
    ck_assert_uint_eq(stored_invoice(w, "c1", "D").state, CRD_INVOICE_PAID);
    crd_credit_free(a);
    crd_credit_free(b);
    crd_credit_free(c);
    crd_invoice_free(d);
    world_close(w);
}
END_TEST

START_TEST(M10_voiding_with_release_reaches_what_is_held_and_allocated) {
    world *w = world_open(_i);
    crd_credit *k;
    crd_invoice *d;
    crd_result r = result_block();
    customer(w, "c1");
    k = memo(w, "c1", "K", 100, 0);
    d = draft(w, "D", 70, 0);
    hold_credit(w, k, NULL, "h", 10, 1, 50);
    allocate(w, k, d, "a", 60, 1);
    apply(w, k, NULL, 20, 2);
    void_credit(w, k, 0, 2);
    REFUSED(w, crd_credit_void(w->ledger, on(2), k, 0, 0, &r), CRD_E_IN_USE);
    FIGURES(w, 70, 0);
    REFUSED(w, crd_credit_void(w->ledger, on(1), k, 0, CRD_VOID_RELEASE, &r), CRD_E_DATE);
    REFUSED(w, crd_credit_void(w->ledger, on(2), k, 71, CRD_VOID_RELEASE, &r), CRD_E_CREDIT_AMOUNT);
    REFUSED(w, crd_credit_void(w->ledger, on(2), k, 0, 4, &r), CRD_E_ARGUMENT);
    {
        crd_credit *other = memo(w, "c1", "O", 5, 2);
        allocate(w, other, d, "o", 5, 8); /* the draft was touched on the 8th: one date, the latest */
        crd_credit_free(other);
    }
    OK(w, crd_credit_void(w->ledger, on(3), k, 0, CRD_VOID_RELEASE, &r));
    world_check(w);
    ck_assert_int_eq(r.amount, 70);
    ck_assert_str_eq(journal(w, 9), "release 60 K@8, release 10 K@8, void 70 K@8");
    ck_assert_uint_eq(stored_credit(w, "c1", "K").state, CRD_CREDIT_VOIDED);
    ck_assert_int_eq(stored_credit(w, "c1", "K").voided, 80);
    ck_assert_int_eq(stored_invoice(w, "c1", "D").allocated, 5);
    crd_credit_free(k);
    crd_invoice_free(d);
    world_close(w);
}
END_TEST

START_TEST(R37_a_voided_posted_order_gives_its_credit_back) {
    world *w = world_open(_i);
    crd_credit *k;
    crd_invoice *d;
    customer(w, "c1");
    k = memo(w, "c1", "K", 100, 0);
    d = draft(w, "D", 60, 0);
    allocate(w, k, d, NULL, 60, 1);
    send_invoice(w, d, 2);
    void_invoice(w, d, 3);
    ck_assert_int_eq(stored_credit(w, "c1", "K").remaining, 100);
    ck_assert_int_eq(stored_credit(w, "c1", "K").allocated, 0);
    apply(w, k, NULL, 100, 3);
    crd_credit_free(k);
    crd_invoice_free(d);
    world_close(w);
}
END_TEST

START_TEST(R37_R64_allocate_and_post_in_one_unit) {
    world *w = world_open(_i);
    crd_credit *k;
    crd_invoice *d;
    customer(w, "c1");
    k = memo(w, "c1", "K", 100, 0);
    d = draft(w, "D", 60, 0);
    world_remember(w);
    for (int keep = 0; keep < 2; keep++) {
        OK(w, crd_unit_begin(w->ledger));
        OK(w, try_allocate(w, k, d, "a", 50, 1));
        OK(w, crd_invoice_send(w->ledger, on(1), d, 0, NULL));
        ck_assert_int_eq(crd_invoice_get(d)->open, 10);
        if (keep) {
            OK(w, crd_unit_commit(w->ledger));
        } else {
            OK(w, crd_unit_rollback(w->ledger));
            world_same(w, "a unit given up");
        }
    }
    world_check(w);
    ck_assert_int_eq(stored_credit(w, "c1", "K").remaining, 50);
    crd_credit_free(k);
    crd_invoice_free(d);
    world_close(w);
}
END_TEST

START_TEST(R37_a_host_that_just_started_posts_and_cancels_what_another_allocated) {
    world *w = world_open(_i);
    crd_credit *k;
    crd_invoice *d, *e, *there;
    crd_ledger *rival;
    customer(w, "c1");
    k = memo(w, "c1", "K", 100, 0);
    d = draft(w, "D", 60, 0);
    e = draft(w, "E", 60, 0);
    allocate(w, k, d, NULL, 50, 1);
    allocate(w, k, e, NULL, 50, 1);
    rival = world_rival(w); /* it knows neither holds nor credit */
    there = find_invoice(rival, "c1", "D");
    ENDS(rival, crd_invoice_send(rival, on(2), there, 0, NULL), CRD_OK);
    crd_invoice_free(there);
    there = find_invoice(rival, "c1", "E");
    ENDS(rival, crd_invoice_void(rival, on(2), there, 0, NULL), CRD_OK);
    crd_invoice_free(there);
    world_check(w);
    ck_assert_int_eq(stored_invoice(w, "c1", "D").open, 10);
    ck_assert_int_eq(stored_credit(w, "c1", "K").remaining, 50);
    ck_assert_int_eq(stored_credit(w, "c1", "K").allocated, 0);
    crd_credit_free(k);
    crd_invoice_free(d);
    crd_invoice_free(e);
    world_close(w);
}
END_TEST

/* A payment that is pending is an order of its own at most: it is no credit until the money is received. */
START_TEST(museum_32_what_has_not_arrived_is_no_credit) {
    world *w = world_open(_i);
    crd_invoice *d;
    crd_balance b;
    crd_credit_terms t = credit_terms("P", CRD_CREDIT_PREPAYMENT, 0);
    customer(w, "c1");
    d = draft(w, "D", 60, 0); /* waits for its deposit */
    REFUSED(w, crd_credit_issue(w->ledger, on(1), "c1", &t, NULL), CRD_E_ARGUMENT); /* nothing received, no credit */
    b = balance_of(w->ledger, "c1", "EUR", 1);
    ck_assert_int_eq(b.available, 0);
    ck_assert_int_eq(b.balance, 0);
    void_invoice(w, d, 2); /* the deposit never came */
    b = balance_of(w->ledger, "c1", "EUR", 2);
    ck_assert_int_eq(b.available, 0);
    ck_assert_int_eq(b.credit, 0);
    ck_assert_int_eq(b.issued, 0);
    crd_invoice_free(d);
    world_close(w);
}
END_TEST

static Suite *make(void) {
    Suite *s = suite_create("orders");
    TCase *t = tcase_create("orders");
    tcase_add_loop_test(t, R37_M9_an_allocation_moves_neither_balance_nor_remainder, 0, STORES);
    tcase_add_loop_test(t, R37_allocating_is_bounded_by_what_the_draft_has_due, 0, STORES);
    tcase_add_loop_test(t, R37_a_reserved_deposit_is_used_by_hand_only, 0, STORES);
    tcase_add_loop_test(t, R37_museum_23_posting_applies_every_allocation_in_one_commit_oldest_first, 0, STORES);
    tcase_add_loop_test(t, M6_M9_an_application_of_a_posting_takes_the_later_date_of_its_credit, 0, STORES);
    tcase_add_loop_test(t, M9_M10_an_allocation_of_expired_credit_is_posted_and_what_is_released_expires, 0, STORES);
    tcase_add_loop_test(t, R37_museum_14_a_cancelled_order_gives_its_credit_back, 0, STORES);
    tcase_add_loop_test(t, M9_a_draft_revised_below_its_allocations_releases_them_newest_first, 0, STORES);
    tcase_add_loop_test(t, M10_voiding_with_release_reaches_what_is_held_and_allocated, 0, STORES);
    tcase_add_loop_test(t, R37_a_voided_posted_order_gives_its_credit_back, 0, STORES);
    tcase_add_loop_test(t, R37_R64_allocate_and_post_in_one_unit, 0, STORES);
    tcase_add_loop_test(t, R37_a_host_that_just_started_posts_and_cancels_what_another_allocated, 0, STORES);
    tcase_add_loop_test(t, museum_32_what_has_not_arrived_is_no_credit, 0, STORES);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return world_main(make);
}
