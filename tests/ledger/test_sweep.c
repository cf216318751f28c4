/*
 * The sweep: every lapse and expiry due, on its day, once; nothing in a closed period; also while the feature is off.
 */
#include "support/world.h"

#include <stdio.h>
#include <string.h>

static crd_sweep_result sweep_block(void) {
    crd_sweep_result r;
    memset(&r, 0, sizeof r);
    r.struct_size = sizeof r;
    return r;
}

static crd_sweep_result sweep(world *w, int day) {
    crd_sweep_result r = sweep_block();
    OK(w, crd_sweep(w->ledger, at_noon(day), NULL, &r));
    if (!w->careless) world_check(w);
    return r;
}

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

static void close_through(world *w, int day, uint32_t feature_off) {
    crd_settings settings;
    memset(&settings, 0, sizeof settings);
    settings.struct_size = sizeof settings;
    settings.closed_through = day > 0 ? DAY(day) : 0;
    settings.feature_off = feature_off;
    OK(w, crd_ledger_configure(w->ledger, &settings));
}

START_TEST(R35_expired_credit_leaves_the_balance_with_an_entry_that_says_so) {
    world *w = world_open(_i);
    crd_credit *k;
    crd_sweep_result r;
    book *b;
    customer(w, "c1");
    k = promise(w, "c1", "K", 100, 0, 10);
    crd_credit_free(promise(w, "c1", "L", 30, 0, 20));
    crd_credit_free(memo(w, "c1", "M", 7, 0));
    apply(w, k, NULL, 25, 1);
    ck_assert_uint_eq(sweep(w, 9).accounts, 0);
    r = sweep(w, 12);
    ck_assert_uint_eq(r.accounts, 1);
    ck_assert_uint_eq(r.expired, 1);
    ck_assert_int_eq(r.expired_amount, 75);
    ck_assert_uint_eq(r.lapsed, 0);
    ck_assert_str_eq(journal(w, "c1", 5), "expire 75@10"); /* its day, not the sweep's */
    b = world_book(w);
    ck_assert_str_eq(book_entry(b, "c1", "EUR", 5)->credit, "K");
    ck_assert_uint_eq(book_entry(b, "c1", "EUR", 5)->flags, CRD_ENTRY_CONSEQUENCE | CRD_ENTRY_AUTOMATIC);
    ck_assert_str_eq(book_entry(b, "c1", "EUR", 5)->actor, "clerk");
    ck_assert_int_eq(book_credit(b, "c1", "K")->expired, 75);
    ck_assert_uint_eq(book_credit(b, "c1", "K")->state, CRD_CREDIT_VOIDED);
    ck_assert_uint_eq(book_credit(b, "c1", "K")->cause, CRD_CAUSE_EXPIRED);
    book_free(b);
    ck_assert_uint_eq(crd_credit_get(k)->state, CRD_CREDIT_VOIDED); /* handles follow */
    ck_assert_int_eq(balance_of(w->ledger, "c1", "EUR", 12).available, 37);
    world_remember(w);
    r = sweep(w, 12); /* twice is once */
    ck_assert_uint_eq(r.accounts + r.expired + r.lapsed + r.conflicted, 0);
    world_same(w, "a second sweep");
    REFUSED(w, try_apply(w->ledger, k, NULL, 1, 0, on(12), NULL), CRD_E_STATE);
    crd_credit_free(k);
    world_close(w);
}
END_TEST

/* The journal is the same over any storage, whatever the order in which it emits records. */
START_TEST(R35_a_sweep_enters_the_oldest_credit_first) {
    world *w = world_open(_i);
    static const char *const ids[] = {"M", "Z", "A", "Q", "B"};
    customer(w, "c1");
    for (int n = 0; n < 5; n++) crd_credit_free(promise(w, "c1", ids[n], n + 1, 0, 9 - n));
    sweep(w, 12);
    ck_assert_str_eq(journal(w, "c1", 6), "expire 1@9, expire 2@8, expire 3@7, expire 4@6, expire 5@5");
    world_close(w);
}
END_TEST

START_TEST(R35_M6_an_expiry_is_dated_the_last_entry_of_its_credit_if_that_is_later) {
    world *w = world_open(_i);
    crd_credit *k;
    crd_hold_terms t = hold_terms("h", 20, 15);
    customer(w, "c1");
    k = promise(w, "c1", "K", 100, 0, 10);
    OK(w, crd_credit_hold(w->ledger, at_noon(1), k, NULL, &t, NULL));
    sweep(w, 11);
    ck_assert_str_eq(journal(w, "c1", 3), "expire 80@10");
    {
        crd_hold *h = find_hold(w->ledger, "c1", "h");
        OK(w, crd_hold_release(w->ledger, at_noon(12), h, 5, NULL));
        world_check(w);
        crd_hold_free(h);
    }
    ck_assert_uint_eq(sweep(w, 14).lapsed, 0);
    ck_assert_int_eq(sweep(w, 30).lapsed_amount, 15);
    ck_assert_str_eq(journal(w, "c1", 4), "release 5@12, expire 5@12, lapse 15@15, expire 15@15");
    crd_credit_free(k);
    world_close(w);
}
END_TEST

/* One customer is swept every day, the other never: no figure and no later entry differs. */
START_TEST(M7_swept_daily_or_never_gives_the_same_book) {
    world *w = world_open(_i);
    static const char *const who[] = {"c1", "c2"};
    crd_sweep_spec spec;
    memset(&spec, 0, sizeof spec);
    spec.struct_size = sizeof spec;
    spec.customer = "c1";
    for (int n = 0; n < 2; n++) {
        crd_hold_terms t = hold_terms("h", 30, 20), early = hold_terms("early", 9, 5);
        crd_credit *k;
        customer(w, who[n]);
        k = promise(w, who[n], "K", 100, 0, 10);
        apply(w, k, NULL, 10, 0);
        OK(w, crd_credit_hold(w->ledger, on(1), k, NULL, &t, NULL));
        OK(w, crd_credit_hold(w->ledger, on(1), k, NULL, &early, NULL));
        crd_credit_free(k);
    }
    for (int day = 2; day < 26; day++) {
        crd_balance a, b;
        OK(w, crd_sweep(w->ledger, at_noon(day), &spec, NULL));
        a = balance_of(w->ledger, "c1", "EUR", day + 1); /* the clock stands still: dates tell what lapsed */
        b = balance_of(w->ledger, "c2", "EUR", day + 1);
        if (day == 4 || day == 9 || day == 19) continue; /* due on the day that is asked about, but not swept yet */
        a.version = b.version = 0;
        ck_assert_msg(memcmp(&a, &b, sizeof a) == 0, "day %d: credit %lld and %lld, available %lld and %lld", day,
                      (long long)a.credit, (long long)b.credit, (long long)a.available, (long long)b.available);
    }
    for (int n = 0; n < 2; n++) OK(w, crd_undo(w->ledger, at_noon(26), who[n], "EUR", 2, 4, NULL));
    world_check(w);
    {
        char first[1000];
        snprintf(first, sizeof first, "%s", journal(w, "c1", 1));
        ck_assert_str_eq(first, journal(w, "c2", 1));
        ck_assert_ptr_nonnull(strstr(first, "lapse 9@5, expire 60@10, lapse 30@20, expire 30@20, unapply 4@26"));
    }
    world_close(w);
}
END_TEST

START_TEST(R78_M6_nothing_expires_inside_a_closed_period) {
    world *w = world_open(_i);
    crd_credit_terms t = credit_terms("K", CRD_CREDIT_GOODWILL, 100);
    customer(w, "c1");
    t.expires = DAY(10);
    OK(w, crd_credit_issue(w->ledger, on(0), "c1", &t, NULL));
    close_through(w, 20, 0); /* closed without a sweep first */
    REFUSED(w, crd_sweep(w->ledger, at_noon(20), NULL, NULL), CRD_E_CLOSED);
    FIGURES(w, DAY(20), DAY(20));
    sweep(w, 25);
    ck_assert_str_eq(journal(w, "c1", 2), "expire 100@21");
    world_close(w);
}
END_TEST

START_TEST(R78_a_period_is_swept_with_its_last_day_and_then_closed) {
    world *w = world_open(_i);
    crd_request last = *at_noon(22); /* done on the 22nd for the period that ended on the 20th */
    customer(w, "c1");
    crd_credit_free(promise(w, "c1", "K", 100, 0, 10));
    crd_credit_free(promise(w, "c1", "L", 50, 0, 21));
    last.business_date = DAY(20);
    OK(w, crd_sweep(w->ledger, &last, NULL, NULL));
    close_through(w, 20, 0);
    ck_assert_str_eq(journal(w, "c1", 3), "expire 100@10");
    sweep(w, 22);
    ck_assert_str_eq(journal(w, "c1", 3), "expire 100@10, expire 50@21");
    world_close(w);
}
END_TEST

START_TEST(R33_R35_expiry_works_while_the_feature_is_off) {
    world *w = world_open(_i);
    crd_credit *k;
    customer(w, "c1");
    k = promise(w, "c1", "K", 100, 0, 10);
    close_through(w, 0, 1);
    REFUSED(w, crd_credit_void(w->ledger, on(1), k, 0, 0, NULL), CRD_E_DISABLED);
    ck_assert_uint_eq(sweep(w, 12).expired, 1);
    crd_credit_free(k);
    world_close(w);
}
END_TEST

static int asked;

static int32_t CRD_CALL stop_at_second(void *ctx, const crd_progress *progress) {
    (void)ctx;
    (void)progress;
    return ++asked == 2;
}

START_TEST(R70_a_sweep_is_stopped_between_accounts_keeping_what_was_entered) {
    world *w = world_open(_i);
    crd_sweep_spec spec;
    crd_sweep_result r = sweep_block();
    char who[8];
    w->careless = 1;
    for (int n = 0; n < 4; n++) {
        snprintf(who, sizeof who, "c%d", n);
        customer(w, who);
        crd_credit_free(promise(w, who, "K", 100, 0, 10));
    }
    memset(&spec, 0, sizeof spec);
    spec.struct_size = sizeof spec;
    spec.progress = stop_at_second;
    asked = 0;
    ENDS(w->ledger, crd_sweep(w->ledger, at_noon(11), &spec, &r), CRD_E_CANCELLED);
    world_check(w);
    ck_assert_uint_eq(r.accounts, 1);
    ck_assert_uint_eq(r.expired, 1);
    ck_assert_uint_eq(stored_credit(w, "c0", "K").state, CRD_CREDIT_VOIDED);
    ck_assert_uint_eq(stored_credit(w, "c1", "K").state, CRD_CREDIT_ACTIVE);
    ck_assert_uint_eq(sweep(w, 11).accounts, 3);
    world_check(w);
    world_close(w);
}
END_TEST

static void rival_voids(void *ctx, shim *s) {
    crd_ledger *rival = ctx;
    crd_credit *k = find_credit(rival, "c1", "M");
    s->before_write = NULL;
    ENDS(rival, crd_credit_void(rival, on(2), k, 1, 0, NULL), CRD_OK);
    crd_credit_free(k);
}

START_TEST(R35_R32_an_account_that_another_writer_changed_is_left_for_the_next_sweep) {
    world *w = world_open(_i);
    crd_credit *k;
    crd_sweep_result r;
    for (int n = 1; n < 4; n++) {
        char who[8];
        snprintf(who, sizeof who, "c%d", n);
        customer(w, who);
        crd_credit_free(promise(w, who, "K", 100, 0, 10));
        crd_credit_free(memo(w, who, "M", 5, 0));
    }
    k = find_credit(w->ledger, "c1", "M");
    w->shim.ctx = world_rival(w);
    w->shim.before_write = rival_voids;
    r = sweep(w, 12);
    ck_assert_uint_eq(r.accounts, 2);
    ck_assert_uint_eq(r.conflicted, 1);
    ck_assert_uint_eq(r.expired, 2);
    ck_assert_int_eq(r.expired_amount, 200);
    ck_assert_uint_eq(stored_credit(w, "c1", "K").state, CRD_CREDIT_ACTIVE);
    ENDS(w->ledger, crd_credit_void(w->ledger, on(12), k, 1, 0, NULL), CRD_E_CONFLICT); /* its handle is old */
    r = sweep(w, 12);
    ck_assert_uint_eq(r.accounts, 1);
    ck_assert_uint_eq(r.conflicted, 0);
    crd_credit_free(k);
    world_close(w);
}
END_TEST

START_TEST(R35_a_sweep_of_many_pages_and_of_nothing_due_is_cheap) {
    world *w = world_open(_i);
    const int count = CRD_MAX_ACCOUNTS + 40;
    crd_sweep_result r;
    w->careless = 1;
    for (int from = 0; from < count; from += 266) {
        OK(w, crd_unit_begin(w->ledger));
        for (int n = from; n < from + 266 && n < count; n++) {
            char who[16];
            snprintf(who, sizeof who, "c%05d", n);
            customer(w, who);
            crd_credit_free(promise(w, who, "K", 100, 0, 10));
        }
        OK(w, crd_unit_commit(w->ledger));
    }
    shim_reset(&w->shim);
    r = sweep(w, 5);
    ck_assert_uint_eq(r.expired, 0);
    ck_assert_uint_eq(w->shim.reads, 2); /* accounts only, a page at a time */
    ck_assert_uint_eq(w->shim.writes, 0);
    r = sweep(w, 10);
    ck_assert_uint_eq(r.accounts, count);
    ck_assert_uint_eq(r.expired, count);
    ck_assert_uint_eq(w->shim.writes, 2);
    OK(w, crd_ledger_verify(w->ledger, NULL, NULL));
    shim_reset(&w->shim);
    ck_assert_uint_eq(sweep(w, 11).accounts, 0);
    ck_assert_uint_eq(w->shim.writes, 0);
    world_close(w);
}
END_TEST

START_TEST(R35_what_a_sweep_does_not_take_is_refused) {
    world *w = world_open(_i);
    crd_sweep_spec spec;
    customer(w, "c1");
    crd_credit_free(promise(w, "c1", "K", 100, 0, 10));
    memset(&spec, 0, sizeof spec);
    spec.struct_size = sizeof spec;
    spec.reserved = 1;
    REFUSED(w, crd_sweep(w->ledger, at_noon(11), &spec, NULL), CRD_E_ARGUMENT);
    FIELD(w, "spec.reserved");
    REFUSED(w, crd_sweep(w->ledger, keyed(11, "key"), NULL, NULL), CRD_E_ARGUMENT);
    FIELD(w, "request.key");
    REFUSED(w, crd_sweep(w->ledger, NULL, NULL, NULL), CRD_E_ARGUMENT);
    OK(w, crd_unit_begin(w->ledger));
    ENDS(w->ledger, crd_sweep(w->ledger, at_noon(11), NULL, NULL), CRD_E_UNIT);
    OK(w, crd_unit_rollback(w->ledger));
    ck_assert_int_eq(crd_sweep(NULL, at_noon(11), NULL, NULL), CRD_E_ARGUMENT);
    world_close(w);
}
END_TEST

static Suite *make(void) {
    Suite *s = suite_create("sweep");
    TCase *t = tcase_create("sweep");
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, R35_expired_credit_leaves_the_balance_with_an_entry_that_says_so, 0, STORES);
    tcase_add_loop_test(t, R35_a_sweep_enters_the_oldest_credit_first, 0, STORES);
    tcase_add_loop_test(t, R35_M6_an_expiry_is_dated_the_last_entry_of_its_credit_if_that_is_later, 0, STORES);
    tcase_add_loop_test(t, M7_swept_daily_or_never_gives_the_same_book, 0, STORES);
    tcase_add_loop_test(t, R78_M6_nothing_expires_inside_a_closed_period, 0, STORES);
    tcase_add_loop_test(t, R78_a_period_is_swept_with_its_last_day_and_then_closed, 0, STORES);
    tcase_add_loop_test(t, R33_R35_expiry_works_while_the_feature_is_off, 0, STORES);
    tcase_add_loop_test(t, R70_a_sweep_is_stopped_between_accounts_keeping_what_was_entered, 0, STORES);
    tcase_add_loop_test(t, R35_R32_an_account_that_another_writer_changed_is_left_for_the_next_sweep, 0, STORES);
    tcase_add_loop_test(t, R35_a_sweep_of_many_pages_and_of_nothing_due_is_cheap, 0, STORES);
    tcase_add_loop_test(t, R35_what_a_sweep_does_not_take_is_refused, 0, STORES);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return world_main(make);
}
