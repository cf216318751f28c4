/*
 * Holds: put aside, capture, release, lapse. Time is the request's: at_noon() gives a day and its instant.
 */
#include "support/world.h"

#include <stdio.h>
#include <string.h>

static int64_t clock_at;

static int64_t CRD_CALL movable_clock(void *ctx) {
    (void)ctx;
    return clock_at;
}

/* A world whose clock stands where the test puts it. */
static world *open_at(int store, int day) {
    crd_hooks hooks;
    memset(&hooks, 0, sizeof hooks);
    hooks.struct_size = sizeof hooks;
    hooks.clock = movable_clock;
    clock_at = noon(day);
    return world_open_with(store, NULL, NULL, &hooks);
}

static crd_status try_hold(world *w, crd_credit *k, const crd_hold_terms *t, const crd_request *request,
                           crd_hold **out) {
    return crd_credit_hold(w->ledger, request, k, NULL, t, out);
}

static crd_hold *held(world *w, crd_credit *k, const char *id, int64_t amount, int day, int lapses) {
    crd_hold_terms t = hold_terms(id, amount, lapses);
    crd_hold *out = NULL;
    OK(w, try_hold(w, k, &t, at_noon(day), &out));
    world_check(w);
    return out;
}

static crd_status try_capture(world *w, crd_hold *h, crd_invoice *i, int64_t amount, uint32_t flags,
                              const crd_request *request, crd_result *out) {
    crd_apply_terms t;
    memset(&t, 0, sizeof t);
    t.struct_size = sizeof t;
    t.amount = amount;
    t.flags = flags;
    t.reference = "basket 9";
    return crd_hold_capture(w->ledger, request, h, i, &t, out);
}

/* The entries of an account from one on, as a line of text: type amount@day. */
static const char *journal(world *w, const char *who, int64_t from) {
    static char text[1000];
    book *b = world_book(w);
    const crd_entry_record *e;
    text[0] = '\0';
    for (int64_t seq = from; (e = book_entry(b, who, "EUR", seq)) != NULL; seq++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s %lld@%d", seq > from ? ", " : "",
                 crd_entry_name(e->type), (long long)e->amount, (int)(e->business_date - DAY_ZERO));
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

/* A client that got no answer sends it again, perhaps only after the hold would have lapsed. */
START_TEST(R61_R65_M16_a_hold_sent_again_after_it_lapsed_is_the_first_one) {
    world *w = world_open(_i);
    crd_credit *k;
    crd_hold *h = NULL;
    crd_hold_terms t = hold_terms("h", 40, 3);
    crd_request late = *at_noon(5);
    customer(w, "c1");
    k = memo(w, "c1", "K", 100, 0);
    OK(w, try_hold(w, k, &t, keyed(1, "k"), NULL));
    world_remember(w);
    late.key = "k";
    late.business_date = DAY(1);
    for (int unit = 0; unit < 2; unit++) {
        if (unit) OK(w, crd_unit_begin(w->ledger));
        OK(w, try_hold(w, k, &t, &late, &h));
        ck_assert_str_eq(crd_hold_get(h)->id, "h");
        crd_hold_free(h);
        if (unit) OK(w, crd_unit_commit(w->ledger));
    }
    world_same(w, "the same hold again");
    /* under no key, another, or with other content it is what it looks like */
    late.key = NULL;
    REFUSED(w, try_hold(w, k, &t, &late, NULL), CRD_E_ARGUMENT);
    FIELD(w, "terms.lapses_at");
    late.key = "other";
    REFUSED(w, try_hold(w, k, &t, &late, NULL), CRD_E_ARGUMENT);
    late.key = "k";
    t.amount = 41;
    REFUSED(w, try_hold(w, k, &t, &late, NULL), CRD_E_ARGUMENT);
    FIELD(w, "terms.lapses_at");
    crd_credit_free(k);
    world_close(w);
}
END_TEST

START_TEST(R65_a_hold_lowers_what_is_available_and_nothing_else) {
    world *w = world_open(_i);
    crd_credit *k;
    crd_hold *h;
    crd_balance b;
    crd_credit_record r;
    book *all;
    customer(w, "c1");
    k = memo(w, "c1", "K", 100, 0);
    h = held(w, k, "h", 40, 1, 10);
    r = stored_credit(w, "c1", "K");
    ck_assert_int_eq(r.remaining, 100);
    ck_assert_int_eq(r.held, 40);
    ck_assert_int_eq(crd_credit_get(k)->held, 40); /* the handle follows */
    b = balance_of(w->ledger, "c1", "EUR", 1);
    ck_assert_int_eq(b.credit, 100);
    ck_assert_int_eq(b.available, 60);
    ck_assert_int_eq(b.held, 40);
    ck_assert_int_eq(b.balance, -100);
    all = world_book(w);
    ck_assert_str_eq(book_hold(all, "c1", "h")->credit, "K");
    ck_assert_str_eq(book_hold(all, "c1", "h")->invoice, "");
    ck_assert_int_eq(book_hold(all, "c1", "h")->amount, 40);
    ck_assert_int_eq(book_hold(all, "c1", "h")->lapses_at, noon(10));
    ck_assert_int_eq(book_hold(all, "c1", "h")->lapses_on, DAY(10));
    ck_assert_int_eq(book_hold(all, "c1", "h")->held_on, DAY(1));
    ck_assert_uint_eq(book_hold(all, "c1", "h")->state, CRD_HOLD_HELD);
    ck_assert_str_eq(book_entry(all, "c1", "EUR", 2)->hold, "h");
    ck_assert_str_eq(book_entry(all, "c1", "EUR", 2)->credit, "K");
    ck_assert_int_eq(book_entry(all, "c1", "EUR", 2)->credit_after, 100);
    book_free(all);
    REFUSED(w, try_apply(w->ledger, k, NULL, 61, 0, on(1), NULL), CRD_E_CREDIT_AMOUNT);
    FIGURES(w, 60, 61);
    REFUSED(w, crd_credit_void(w->ledger, on(1), k, 61, 0, NULL), CRD_E_CREDIT_AMOUNT);
    apply(w, k, NULL, 60, 1);
    REFUSED(w, crd_credit_void(w->ledger, on(1), k, 0, 0, NULL), CRD_E_IN_USE);
    FIGURES(w, 40, 0);
    crd_hold_free(h);
    crd_credit_free(k);
    world_close(w);
}
END_TEST

START_TEST(R65_M10_after_a_partial_capture_the_rest_stays_held) {
    world *w = world_open(_i);
    crd_credit *k;
    crd_invoice *i;
    crd_hold *h;
    crd_result r = result_block();
    book *all;
    customer(w, "c1");
    k = memo(w, "c1", "K", 100, 0);
    i = invoice(w, "c1", "I", 70, 0, 30);
    h = held(w, k, "h", 40, 1, 10);
    OK(w, try_capture(w, h, i, 15, 0, on(2), &r));
    world_check(w);
    ck_assert_int_eq(r.amount, 15);
    ck_assert_str_eq(journal(w, "c1", 4), "capture 15@2, apply 15@2");
    all = world_book(w);
    ck_assert_int_eq(book_credit(all, "c1", "K")->remaining, 85);
    ck_assert_int_eq(book_credit(all, "c1", "K")->applied, 15);
    ck_assert_int_eq(book_credit(all, "c1", "K")->held, 25);
    ck_assert_int_eq(book_invoice(all, "c1", "I")->open, 55);
    ck_assert_int_eq(book_hold(all, "c1", "h")->amount, 25);
    ck_assert_int_eq(book_hold(all, "c1", "h")->captured, 15);
    ck_assert_uint_eq(book_hold(all, "c1", "h")->state, CRD_HOLD_HELD);
    ck_assert_str_eq(book_entry(all, "c1", "EUR", 5)->hold, "h");
    ck_assert_str_eq(book_entry(all, "c1", "EUR", 5)->reference, "basket 9");
    book_free(all);
    OK(w, try_capture(w, h, NULL, 5, 0, on(2), &r)); /* outside */
    world_check(w);
    ck_assert_int_eq(stored_credit(w, "c1", "K").applied_outside, 5);
    REFUSED(w, try_capture(w, h, i, 21, 0, on(2), &r), CRD_E_CREDIT_AMOUNT);
    FIGURES(w, 20, 21);
    SUBJECT(w, CRD_KIND_HOLD, "h");
    OK(w, try_capture(w, h, i, 0, 0, on(3), &r)); /* all that is left */
    world_check(w);
    ck_assert_int_eq(r.amount, 20);
    ck_assert_uint_eq(stored_hold(w, "h").state, CRD_HOLD_CAPTURED);
    ck_assert_int_eq(stored_invoice(w, "c1", "I").open, 35);
    REFUSED(w, try_capture(w, h, i, 1, 0, on(3), &r), CRD_E_STATE);
    REFUSED(w, crd_hold_release(w->ledger, on(3), h, 0, &r), CRD_E_NOTHING);
    /* the capture is undone as any application: the money returns to the credit, the hold stays captured */
    ck_assert_int_eq(undo(w, "c1", 9, 0, 4), 20);
    ck_assert_int_eq(stored_credit(w, "c1", "K").held, 0);
    ck_assert_int_eq(stored_credit(w, "c1", "K").remaining, 80);
    ck_assert_uint_eq(stored_hold(w, "h").state, CRD_HOLD_CAPTURED);
    crd_hold_free(h);
    crd_invoice_free(i);
    crd_credit_free(k);
    world_close(w);
}
END_TEST

START_TEST(R65_a_capture_is_clamped_to_what_is_held_and_open) {
    world *w = world_open(_i);
    crd_credit *k;
    crd_invoice *i;
    crd_hold *h;
    crd_result r = result_block();
    customer(w, "c1");
    k = memo(w, "c1", "K", 100, 0);
    i = invoice(w, "c1", "I", 30, 0, 30);
    h = held(w, k, "h", 40, 1, 0);
    REFUSED(w, try_capture(w, h, i, 0, 0, on(1), &r), CRD_E_INVOICE_AMOUNT);
    FIGURES(w, 30, 40);
    OK(w, try_capture(w, h, i, 99, CRD_APPLY_CLAMP, on(1), &r));
    ck_assert_int_eq(r.amount, 30);
    world_check(w);
    REFUSED(w, try_capture(w, h, i, 99, CRD_APPLY_CLAMP, on(1), &r), CRD_E_STATE); /* paid */
    SUBJECT(w, CRD_KIND_INVOICE, "I");
    ck_assert_int_eq(stored_hold(w, "h").amount, 10); /* it never lapses */
    crd_hold_free(h);
    crd_invoice_free(i);
    crd_credit_free(k);
    world_close(w);
}
END_TEST

START_TEST(R65_what_is_released_is_available_again) {
    world *w = world_open(_i);
    crd_credit *k;
    crd_hold *h;
    crd_result r = result_block();
    customer(w, "c1");
    k = memo(w, "c1", "K", 100, 0);
    h = held(w, k, "h", 40, 1, 10);
    REFUSED(w, crd_hold_release(w->ledger, on(0), h, 0, &r), CRD_E_DATE);
    REFUSED(w, crd_hold_release(w->ledger, on(2), h, 41, &r), CRD_E_CREDIT_AMOUNT);
    FIGURES(w, 40, 41);
    OK(w, crd_hold_release(w->ledger, on(2), h, 30, &r));
    world_check(w);
    ck_assert_int_eq(r.amount, 30);
    ck_assert_int_eq(stored_credit(w, "c1", "K").held, 10);
    OK(w, crd_hold_release(w->ledger, on(2), h, 0, &r));
    world_check(w);
    ck_assert_int_eq(r.amount, 10);
    ck_assert_uint_eq(stored_hold(w, "h").state, CRD_HOLD_RELEASED);
    ck_assert_int_eq(stored_hold(w, "h").released, 40);
    REFUSED(w, crd_hold_release(w->ledger, on(2), h, 0, &r), CRD_E_NOTHING);
    apply(w, k, NULL, 100, 2);
    crd_hold_free(h);
    crd_credit_free(k);
    world_close(w);
}
END_TEST

START_TEST(R65_a_hold_is_refused_for_the_first_reason) {
    world *w = world_open(_i);
    crd_credit *k, *goodwill, *spent;
    crd_hold_terms t = hold_terms("h", 40, 10);
    crd_hold *h = NULL;
    crd_settings settings;
    customer(w, "c1");
    k = memo(w, "c1", "K", 100, 2);
    goodwill = promise(w, "c1", "G", 100, 2, 8);
    spent = memo(w, "c1", "S", 10, 2);
    apply(w, spent, NULL, 10, 2);
    t.amount = 101;
    REFUSED(w, try_hold(w, k, &t, on(2), &h), CRD_E_CREDIT_AMOUNT);
    FIGURES(w, 100, 101);
    t.flags = CRD_APPLY_CLAMP;
    OK(w, try_hold(w, k, &t, on(2), &h));
    world_check(w);
    ck_assert_int_eq(crd_hold_get(h)->amount, 100);
    ck_assert_str_eq(crd_hold_get(h)->id, "h");
    REFUSED(w, try_hold(w, k, &t, on(2), NULL), CRD_E_EXISTS);
    SUBJECT(w, CRD_KIND_HOLD, "h");
    t.id = NULL;
    REFUSED(w, try_hold(w, k, &t, on(2), NULL), CRD_E_NOTHING);
    t.flags = 0;
    REFUSED(w, try_hold(w, spent, &t, on(2), NULL), CRD_E_STATE);
    t.amount = 10;
    REFUSED(w, try_hold(w, goodwill, &t, on(1), NULL), CRD_E_DATE);
    REFUSED(w, try_hold(w, goodwill, &t, on(8), NULL), CRD_E_EXPIRED);
    FIGURES(w, DAY(8), DAY(8));
    memset(&settings, 0, sizeof settings);
    settings.struct_size = sizeof settings;
    settings.closed_through = DAY(3);
    OK(w, crd_ledger_configure(w->ledger, &settings));
    REFUSED(w, try_hold(w, goodwill, &t, on(3), NULL), CRD_E_CLOSED);
    settings.closed_through = 0;
    settings.feature_off = 1;
    OK(w, crd_ledger_configure(w->ledger, &settings));
    REFUSED(w, try_hold(w, goodwill, &t, on(3), NULL), CRD_E_DISABLED);
    crd_hold_free(h);
    crd_credit_free(k);
    crd_credit_free(goodwill);
    crd_credit_free(spent);
    world_close(w);
}
END_TEST

START_TEST(R65_terms_of_a_hold_that_make_no_sense_are_refused) {
    world *w = world_open(_i);
    crd_credit *k;
    crd_invoice *draft;
    crd_hold_terms t;
    customer(w, "c1");
    k = memo(w, "c1", "K", 100, 0);
    draft = invoice_as(w, "c1", "D", CRD_INVOICE_INVOICE, 50, 0, 30, CRD_INVOICE_AS_DRAFT);
    t = hold_terms("h", 0, 10);
    REFUSED(w, try_hold(w, k, &t, on(1), NULL), CRD_E_ARGUMENT);
    FIELD(w, "terms.amount");
    t = hold_terms("~h", 1, 10);
    REFUSED(w, try_hold(w, k, &t, on(1), NULL), CRD_E_ARGUMENT);
    FIELD(w, "terms.id");
    t = hold_terms("h", 1, 10);
    t.flags = 2;
    REFUSED(w, try_hold(w, k, &t, on(1), NULL), CRD_E_ARGUMENT);
    FIELD(w, "terms.flags");
    t = hold_terms("h", 1, 10);
    t.lapses_on = DAY(12);
    REFUSED(w, try_hold(w, k, &t, on(1), NULL), CRD_E_ARGUMENT);
    FIELD(w, "terms.lapses_on");
    t = hold_terms("h", 1, 0);
    t.lapses_on = DAY(12);
    REFUSED(w, try_hold(w, k, &t, on(1), NULL), CRD_E_ARGUMENT);
    t = hold_terms("h", 1, 0);
    t.lapses_at = noon(1);
    REFUSED(w, try_hold(w, k, &t, at_noon(1), NULL), CRD_E_ARGUMENT);
    FIELD(w, "terms.lapses_at");
    REFUSED(w, crd_credit_hold(w->ledger, on(1), k, draft, &t, NULL), CRD_E_ARGUMENT);
    FIELD(w, "terms.lapses_at");
    REFUSED(w, try_hold(w, k, NULL, on(1), NULL), CRD_E_ARGUMENT);
    REFUSED(w, try_hold(w, NULL, &t, on(1), NULL), CRD_E_ARGUMENT);
    REFUSED(w, crd_hold_release(w->ledger, on(1), NULL, 0, NULL), CRD_E_ARGUMENT);
    REFUSED(w, try_capture(w, NULL, NULL, 0, 0, on(1), NULL), CRD_E_ARGUMENT);
    ck_assert_ptr_null(crd_hold_get(NULL));
    crd_hold_free(NULL);
    crd_credit_free(k);
    crd_invoice_free(draft);
    world_close(w);
}
END_TEST

START_TEST(M10_a_hold_on_expired_credit_is_captured_until_it_lapses_and_then_expires) {
    world *w = world_open(_i);
    crd_credit *k;
    crd_invoice *i;
    crd_hold *h;
    crd_result r = result_block();
    customer(w, "c1");
    k = promise(w, "c1", "K", 100, 0, 10);
    i = invoice(w, "c1", "I", 70, 0, 30);
    h = held(w, k, "h", 30, 1, 20);
    OK(w, try_capture(w, h, i, 12, 0, at_noon(15), &r)); /* what was not held had expired on the 10th */
    world_check(w);
    ck_assert_int_eq(r.amount, 12);
    ck_assert_str_eq(journal(w, "c1", 4), "expire 70@10, capture 12@15, apply 12@15");
    REFUSED(w, try_capture(w, h, i, 1, 0, at_noon(20), &r), CRD_E_STATE); /* its instant */
    REFUSED(w, crd_hold_release(w->ledger, at_noon(21), h, 0, &r), CRD_E_NOTHING);
    /* the next command that touches the credit enters both */
    ck_assert_int_eq(undo(w, "c1", 6, 2, 25), 2);
    ck_assert_str_eq(journal(w, "c1", 7), "unapply 2@25, expire 2@25"); /* the clock stands at day 0 */
    OK(w, crd_undo(w->ledger, at_noon(26), "c1", "EUR", 6, 3, &r));
    world_check(w);
    ck_assert_str_eq(journal(w, "c1", 9), "lapse 18@25, expire 18@25, unapply 3@26, expire 3@26");
    ck_assert_uint_eq(stored_hold(w, "h").state, CRD_HOLD_LAPSED);
    ck_assert_int_eq(stored_credit(w, "c1", "K").expired, 93);
    ck_assert_int_eq(stored_credit(w, "c1", "K").applied, 7);
    ck_assert_uint_eq(stored_credit(w, "c1", "K").state, CRD_CREDIT_VOIDED);
    crd_hold_free(h);
    crd_invoice_free(i);
    crd_credit_free(k);
    world_close(w);
}
END_TEST

START_TEST(M7_lapse_and_expiry_are_entered_in_the_order_of_their_days) {
    world *w = world_open(_i);
    crd_credit *k;
    crd_hold *h;
    int64_t seq;
    customer(w, "c1");
    k = promise(w, "c1", "K", 100, 0, 10);
    seq = apply(w, k, NULL, 10, 0);
    h = held(w, k, "late", 30, 1, 20);
    crd_hold_free(held(w, k, "early", 5, 1, 4));
    crd_hold_free(held(w, k, "middle", 7, 1, 12));
    OK(w, crd_undo(w->ledger, at_noon(25), "c1", "EUR", seq, 0, NULL));
    world_check(w);
    /* 48 free and 5 of the early hold expire with the credit; the others when they lapse */
    ck_assert_str_eq(journal(w, "c1", 6), "lapse 5@4, expire 53@10, lapse 7@12, expire 7@12, lapse 30@20, "
                                          "expire 30@20, unapply 10@25, expire 10@25");
    ck_assert_uint_eq(crd_hold_get(h)->state, CRD_HOLD_LAPSED); /* its handle followed */
    crd_hold_free(h);
    crd_credit_free(k);
    world_close(w);
}
END_TEST

START_TEST(M10_a_hold_past_its_instant_does_not_count_when_credit_is_used) {
    world *w = world_open(_i);
    crd_credit *k;
    crd_hold *h;
    crd_result r = result_block();
    customer(w, "c1");
    k = memo(w, "c1", "K", 100, 0);
    h = held(w, k, "h", 40, 1, 5);
    REFUSED(w, try_apply(w->ledger, k, NULL, 61, 0, at_noon(4), NULL), CRD_E_CREDIT_AMOUNT);
    OK(w, try_apply(w->ledger, k, NULL, 61, 0, at_noon(6), &r));
    world_check(w);
    ck_assert_str_eq(journal(w, "c1", 3), "lapse 40@5, apply 61@6");
    ck_assert_int_eq(r.first_seq, 4); /* what crd_undo() takes */
    ck_assert_int_eq(undo(w, "c1", r.first_seq, 0, 6), 61);
    crd_hold_free(held(w, k, "h2", 100, 6, 8));
    /* backdated: the lapse is of a later day than the command asks for, as if it had been swept */
    REFUSED(w, try_apply(w->ledger, k, NULL, 1, 0, at_noon(5), NULL), CRD_E_DATE);
    {
        crd_request late = *on(7);
        late.instant = noon(9);
        REFUSED(w, try_apply(w->ledger, k, NULL, 1, 0, &late, NULL), CRD_E_DATE);
        FIGURES(w, DAY(8), DAY(7));
    }
    OK(w, crd_credit_void(w->ledger, at_noon(9), k, 0, 0, &r)); /* void reaches it too */
    world_check(w);
    ck_assert_int_eq(r.amount, 100);
    crd_hold_free(h);
    crd_credit_free(k);
    world_close(w);
}
END_TEST

START_TEST(M10_a_lapse_is_never_entered_in_a_closed_period) {
    world *w = world_open(_i);
    crd_credit *k;
    crd_settings settings;
    customer(w, "c1");
    k = memo(w, "c1", "K", 100, 0);
    crd_hold_free(held(w, k, "h", 40, 1, 5));
    memset(&settings, 0, sizeof settings);
    settings.struct_size = sizeof settings;
    settings.closed_through = DAY(7);
    OK(w, crd_ledger_configure(w->ledger, &settings));
    OK(w, try_apply(w->ledger, k, NULL, 100, 0, at_noon(9), NULL));
    world_check(w);
    ck_assert_str_eq(journal(w, "c1", 3), "lapse 40@8, apply 100@9");
    crd_credit_free(k);
    world_close(w);
}
END_TEST

START_TEST(M7_a_lapsed_hold_counts_in_no_balance_entered_or_not) {
    world *w = open_at(_i, 0);
    crd_credit *k, *g;
    crd_balance b;
    customer(w, "c1");
    k = memo(w, "c1", "K", 100, 0);
    g = promise(w, "c1", "G", 50, 0, 10);
    crd_hold_free(held(w, k, "h", 40, 1, 5));
    crd_hold_free(held(w, g, "g", 20, 1, 12));
    clock_at = noon(4);
    b = balance_of(w->ledger, "c1", "EUR", 4);
    ck_assert_int_eq(b.available, 90);
    ck_assert_int_eq(b.held, 60);
    b = balance_of(w->ledger, "c1", "EUR", 6); /* what will be on the 6th */
    ck_assert_int_eq(b.available, 130);
    clock_at = noon(5);
    b = balance_of(w->ledger, "c1", "EUR", 5);
    ck_assert_int_eq(b.available, 130);
    ck_assert_int_eq(b.held, 20);
    ck_assert_int_eq(b.credit, 150);
    clock_at = noon(11);
    b = balance_of(w->ledger, "c1", "EUR", 11);
    ck_assert_int_eq(b.available, 100);
    ck_assert_int_eq(b.credit, 120); /* 30 of G expired, 20 are held */
    ck_assert_int_eq(b.active_credits, 2);
    clock_at = noon(13);
    for (int swept = 0; swept < 2; swept++) {
        b = balance_of(w->ledger, "c1", "EUR", 13);
        ck_assert_int_eq(b.available, 100);
        ck_assert_int_eq(b.credit, 100);
        ck_assert_int_eq(b.balance, -100);
        ck_assert_int_eq(b.held, 0);
        ck_assert_int_eq(b.active_credits, 1);
        OK(w, crd_sweep(w->ledger, at_noon(13), NULL, NULL));
        world_check(w);
    }
    crd_credit_free(k);
    crd_credit_free(g);
    world_close(w);
}
END_TEST

static int64_t aged(world *w, int day) {
    crd_report_spec spec;
    crd_report *report = NULL;
    const crd_row *row = NULL;
    int64_t sum;
    memset(&spec, 0, sizeof spec);
    spec.struct_size = sizeof spec;
    spec.report = CRD_REPORT_AGING;
    spec.date = DAY(day);
    OK(w, crd_report_open(w->ledger, &spec, &report));
    OK(w, crd_report_next(report, &row));
    ck_assert_ptr_nonnull(row);
    sum = row->amount;
    crd_report_close(report);
    return sum;
}

START_TEST(M7_aging_leaves_out_what_lapsed_and_expired_entered_or_not) {
    world *w = open_at(_i, 0);
    crd_credit *g;
    customer(w, "c1");
    crd_credit_free(memo(w, "c1", "K", 5, 0));
    g = promise(w, "c1", "G", 50, 0, 10);
    crd_hold_free(held(w, g, "g", 20, 1, 12));
    ck_assert_int_eq(aged(w, 9), -55);
    ck_assert_int_eq(aged(w, 11), -25);
    clock_at = noon(13);
    ck_assert_int_eq(aged(w, 13), -5);
    OK(w, crd_sweep(w->ledger, at_noon(13), NULL, NULL));
    ck_assert_int_eq(aged(w, 13), -5);
    crd_credit_free(g);
    world_close(w);
}
END_TEST

START_TEST(M7_reconcile_uses_what_lapsed_and_enters_it_first) {
    world *w = world_open(_i);
    crd_credit *k, *g;
    crd_plan_spec spec = plan_spec(0, 6);
    crd_plan_result r = plan_result_block();
    customer(w, "c1");
    k = memo(w, "c1", "K", 100, 0);
    g = promise(w, "c1", "G", 50, 0, 5); /* expires before its hold lapses */
    crd_invoice_free(invoice(w, "c1", "I", 90, 0, 30));
    crd_invoice_free(invoice(w, "c1", "J", 90, 0, 40));
    crd_hold_free(held(w, k, "h", 40, 1, 5));
    crd_hold_free(held(w, k, "later", 3, 1, 50));
    crd_hold_free(held(w, g, "g", 50, 1, 6));
    OK(w, crd_reconcile(w->ledger, at_noon(6), &spec, &r));
    world_check(w);
    ck_assert_uint_eq(r.applications, 2);
    ck_assert_str_eq(journal(w, "c1", 8), "receipt 0@6, lapse 40@5, apply 90@6, apply 7@6");
    ck_assert_int_eq(crd_credit_get(k)->remaining, 3); /* handles follow */
    OK(w, crd_reconcile(w->ledger, at_noon(6), &spec, &r));
    ck_assert_uint_eq(r.posted, 0);
    crd_credit_free(k);
    crd_credit_free(g);
    world_close(w);
}
END_TEST

START_TEST(P8_a_hold_that_cannot_have_lapsed_costs_no_read) {
    world *w = world_open(_i);
    crd_credit *k;
    crd_invoice *i;
    crd_hold *h;
    customer(w, "c1");
    k = memo(w, "c1", "K", 100, 0);
    i = invoice(w, "c1", "I", 70, 0, 30);
    h = held(w, k, "h", 40, 1, 50);
    w->careless = 1;
    shim_reset(&w->shim);
    apply(w, k, i, 10, 2);
    OK(w, try_capture(w, h, i, 10, 0, on(2), NULL));
    OK(w, crd_hold_release(w->ledger, on(2), h, 10, NULL));
    void_credit(w, k, 1, 2);
    ck_assert_uint_eq(w->shim.reads, 0);
    ck_assert_uint_eq(w->shim.writes, 4);
    OK(w, try_apply(w->ledger, k, i, 1, 0, at_noon(51), NULL)); /* one read to find what lapsed */
    ck_assert_uint_eq(w->shim.reads, 1);
    OK(w, try_apply(w->ledger, k, i, 1, 0, at_noon(52), NULL));
    ck_assert_uint_eq(w->shim.reads, 1); /* nothing is held any more */
    world_check(w);
    crd_hold_free(h);
    crd_invoice_free(i);
    crd_credit_free(k);
    world_close(w);
}
END_TEST

START_TEST(R65_a_refused_command_leaves_a_lapse_unentered) {
    world *w = world_open(_i);
    crd_credit *k;
    crd_hold *h;
    customer(w, "c1");
    k = memo(w, "c1", "K", 100, 0);
    h = held(w, k, "h", 40, 1, 5);
    REFUSED(w, try_apply(w->ledger, k, NULL, 101, 0, at_noon(6), NULL), CRD_E_CREDIT_AMOUNT);
    FIGURES(w, 100, 101); /* the figure is right all the same */
    ck_assert_uint_eq(crd_hold_get(h)->state, CRD_HOLD_HELD);
    ck_assert_int_eq(crd_credit_get(k)->held, 40);
    OK(w, crd_unit_begin(w->ledger));
    OK(w, try_apply(w->ledger, k, NULL, 100, 0, at_noon(6), NULL));
    ck_assert_uint_eq(crd_hold_get(h)->state, CRD_HOLD_LAPSED);
    OK(w, crd_unit_rollback(w->ledger));
    ck_assert_uint_eq(crd_hold_get(h)->state, CRD_HOLD_HELD);
    world_check(w);
    crd_hold_free(h);
    crd_credit_free(k);
    world_close(w);
}
END_TEST

START_TEST(R65_R66_a_restricted_credit_is_captured_for_its_kinds_only) {
    world *w = world_open(_i);
    crd_credit_terms t = credit_terms("K", CRD_CREDIT_MEMO, 100);
    crd_credit *k = NULL;
    crd_invoice *i, *draft;
    crd_hold_terms terms = hold_terms(NULL, 10, 0);
    crd_hold *h;
    customer(w, "c1");
    t.pays_kinds = 1u << CRD_INVOICE_FEE;
    OK(w, crd_credit_issue(w->ledger, on(0), "c1", &t, &k));
    i = invoice(w, "c1", "I", 70, 0, 30);
    draft = invoice_as(w, "c1", "D", CRD_INVOICE_INVOICE, 50, 0, 30, CRD_INVOICE_AS_DRAFT);
    h = held(w, k, "h", 40, 1, 0);
    REFUSED(w, try_capture(w, h, i, 10, 0, on(1), NULL), CRD_E_RESTRICTED);
    REFUSED(w, try_capture(w, h, NULL, 10, 0, on(1), NULL), CRD_E_RESTRICTED);
    REFUSED(w, crd_credit_hold(w->ledger, on(1), k, draft, &terms, NULL), CRD_E_RESTRICTED);
    crd_hold_free(h);
    crd_credit_free(k);
    crd_invoice_free(i);
    crd_invoice_free(draft);
    world_close(w);
}
END_TEST

START_TEST(R65_R32_a_hold_by_another_writer_is_a_conflict) {
    world *w = world_open(_i);
    crd_credit *k, *there;
    crd_hold *h, *same;
    crd_hold_terms t = hold_terms(NULL, 70, 9);
    crd_ledger *rival;
    customer(w, "c1");
    k = memo(w, "c1", "K", 100, 0);
    rival = world_rival(w);
    there = find_credit(rival, "c1", "K");
    h = held(w, k, "h", 40, 1, 9);
    ENDS(rival, crd_credit_hold(rival, on(1), there, NULL, &t, NULL), CRD_E_CONFLICT);
    ENDS(rival, crd_credit_refresh(there), CRD_OK);
    ENDS(rival, crd_credit_hold(rival, on(1), there, NULL, &t, NULL), CRD_E_CREDIT_AMOUNT);
    same = find_hold(rival, "c1", "h");
    ENDS(rival, crd_hold_release(rival, on(1), same, 0, NULL), CRD_OK);
    ENDS(w->ledger, try_capture(w, h, NULL, 40, 0, on(1), NULL), CRD_E_CONFLICT);
    OK(w, crd_hold_refresh(h));
    ENDS(w->ledger, try_capture(w, h, NULL, 40, 0, on(1), NULL), CRD_E_STATE);
    world_check(w);
    crd_hold_free(h);
    crd_hold_free(same);
    crd_credit_free(k);
    crd_credit_free(there);
    world_close(w);
}
END_TEST

/* Museum 26: The same while part of the grant is held. Naive rule: a void takes the amount of the grant. */
START_TEST(museum_26_voiding_a_grant_leaves_the_balance_its_entries_give) {
    world *w = world_open(_i);
    crd_credit *a, *b;
    crd_balance sum;
    customer(w, "c1");
    a = promise(w, "c1", "A", 100, 0, 50);
    b = promise(w, "c1", "B", 100, 1, 60);
    apply(w, a, NULL, 30, 2);
    crd_hold_free(held(w, a, "h", 20, 2, 8));
    void_credit(w, a, 0, 3); /* 50: neither what was used nor what is held */
    sum = balance_of(w->ledger, "c1", "EUR", 3);
    ck_assert_int_eq(sum.credit, 120);
    ck_assert_int_eq(sum.available, 100);
    ck_assert_uint_eq(stored_credit(w, "c1", "A").state, CRD_CREDIT_ACTIVE);
    OK(w, crd_credit_void(w->ledger, at_noon(9), a, 0, 0, NULL)); /* the hold has lapsed */
    world_check(w);
    sum = balance_of(w->ledger, "c1", "EUR", 9);
    ck_assert_int_eq(sum.credit, 100);
    ck_assert_int_eq(sum.available, 100);
    ck_assert_int_eq(stored_credit(w, "c1", "A").voided, 70);
    ck_assert_uint_eq(stored_credit(w, "c1", "A").state, CRD_CREDIT_VOIDED);
    crd_credit_free(a);
    crd_credit_free(b);
    world_close(w);
}
END_TEST

static Suite *make(void) {
    Suite *s = suite_create("holds");
    TCase *t = tcase_create("holds");
    tcase_add_loop_test(t, R61_R65_M16_a_hold_sent_again_after_it_lapsed_is_the_first_one, 0, STORES);
    tcase_add_loop_test(t, R65_a_hold_lowers_what_is_available_and_nothing_else, 0, STORES);
    tcase_add_loop_test(t, R65_M10_after_a_partial_capture_the_rest_stays_held, 0, STORES);
    tcase_add_loop_test(t, R65_a_capture_is_clamped_to_what_is_held_and_open, 0, STORES);
    tcase_add_loop_test(t, R65_what_is_released_is_available_again, 0, STORES);
    tcase_add_loop_test(t, R65_a_hold_is_refused_for_the_first_reason, 0, STORES);
    tcase_add_loop_test(t, R65_terms_of_a_hold_that_make_no_sense_are_refused, 0, STORES);
    tcase_add_loop_test(t, M10_a_hold_on_expired_credit_is_captured_until_it_lapses_and_then_expires, 0, STORES);
    tcase_add_loop_test(t, M7_lapse_and_expiry_are_entered_in_the_order_of_their_days, 0, STORES);
    tcase_add_loop_test(t, M10_a_hold_past_its_instant_does_not_count_when_credit_is_used, 0, STORES);
    tcase_add_loop_test(t, M10_a_lapse_is_never_entered_in_a_closed_period, 0, STORES);
    tcase_add_loop_test(t, M7_a_lapsed_hold_counts_in_no_balance_entered_or_not, 0, STORES);
    tcase_add_loop_test(t, M7_aging_leaves_out_what_lapsed_and_expired_entered_or_not, 0, STORES);
    tcase_add_loop_test(t, M7_reconcile_uses_what_lapsed_and_enters_it_first, 0, STORES);
    tcase_add_loop_test(t, P8_a_hold_that_cannot_have_lapsed_costs_no_read, 0, STORES);
    tcase_add_loop_test(t, R65_a_refused_command_leaves_a_lapse_unentered, 0, STORES);
    tcase_add_loop_test(t, R65_R66_a_restricted_credit_is_captured_for_its_kinds_only, 0, STORES);
    tcase_add_loop_test(t, R65_R32_a_hold_by_another_writer_is_a_conflict, 0, STORES);
    tcase_add_loop_test(t, museum_26_voiding_a_grant_leaves_the_balance_its_entries_give, 0, STORES);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return world_main(make);
}
