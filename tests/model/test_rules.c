/*
 * A naive model of the rules against the library: random commands sent to both, and after each the same status,
 * the same documents, handles, entries and balances; the identities of rule M1 every few commands, and
 * crd_ledger_verify() at the end of every world. Then properties that hold between worlds, whatever the figures are.
 *
 * CREDIT_TEST_SEED=n runs the world of that seed only; CREDIT_TEST_LONG=1 runs a million commands, with
 * CREDIT_TEST_FROM=n those of the seeds after n. When a world
 * differs, its commands are taken out, in chunks and then singly, as long as it still differs, and what is left is
 * printed.
 */
#include "model/compare.h"
#include "model/properties.h"
#include "model/tally.h"

#include <stdlib.h>

/* Commands of a world: most are short, so that a difference is found near its cause. */
static int length_of(uint64_t seed) {
    return seed % 8 == 0 ? 160 : 40;
}

/* Makes up a world's commands while they run. Returns how many there are; d->difference tells how it ended. */
static int run_random(drive *d, uint64_t seed, command *commands, int length) {
    generator g = generator_of(seed);
    int count = 0;
    while (count < length && !model_is_full(&d->m)) {
        commands[count] = generate(&g, &d->m, count);
        count++;
        if (!drive_step(d, &commands[count - 1])) return count;
        tally_answer(&commands[count - 1], d->answered);
        if (count % 16 == 0) compare_identities(d);
    }
    tally_world(&d->m);
    drive_end(d);
    return count;
}

static int world_of_seed(int store, uint64_t seed) {
    int length = length_of(seed), count;
    command *commands = calloc((size_t)length, sizeof *commands);
    drive *d = drive_open(store);
    if (commands == NULL) abort();
    count = run_random(d, seed, commands, length);
    if (d->difference[0] != '\0') {
        shrink(commands, count, store, seed, d->difference);
        ck_abort_msg("model and library differ, CREDIT_TEST_SEED=%llu: %s", (unsigned long long)seed, d->difference);
    }
    drive_close(d);
    free(commands);
    return count;
}

static int is_long(void) {
    const char *asked = getenv("CREDIT_TEST_LONG");
    return asked != NULL && asked[0] != '\0' && strcmp(asked, "0") != 0;
}

START_TEST(M1_M5_M6_M7_M8_M12_M14_M15_M16_R46_random_commands_agree_with_the_model) {
    const char *one = getenv("CREDIT_TEST_SEED"), *from = getenv("CREDIT_TEST_FROM");
    int64_t wanted = _i == STORE_MEMORY ? 24000 : 1000, done = 0;
    uint64_t first = from != NULL ? strtoull(from, NULL, 10) : 0, seed = first;
    if (is_long()) wanted = _i == STORE_MEMORY ? 950000 : 50000;
    if (one != NULL && one[0] != '\0') {
        world_of_seed(_i, strtoull(one, NULL, 10));
        return;
    }
    while (done < wanted) {
        seed++;
        done += world_of_seed(_i, seed);
    }
    printf("DID %lld commands against the rules, over %s, seeds %llu to %llu\n", (long long)done,
           _i == STORE_MEMORY ? "memory" : "SQLite", (unsigned long long)first + 1, (unsigned long long)seed);
    if (is_long()) tally_print(stdout);
    fflush(stdout);
    if (_i == STORE_MEMORY && tally_missing() != NULL) ck_abort_msg("not tried: %s", tally_missing());
}
END_TEST

/* A receipt of two applications, X to A on the 20th and Y to B on the 5th. */
static void fill_receipt(world *w, crd_credit **y, crd_invoice **b) {
    crd_credit *x;
    customer(w, "c1");
    x = memo(w, "c1", "X", 10, 0);                                  /* 1 */
    *y = memo(w, "c1", "Y", 10, 1);                                 /* 2 */
    crd_invoice_free(invoice(w, "c1", "A", 9, 0, 1));               /* 3 */
    *b = invoice(w, "c1", "B", 10, 0, 2);                           /* 4 */
    apply(w, x, NULL, 1, 20);                                       /* 5 */
    ck_assert_uint_eq(reconcile(w, 0, 5).applications, 2);          /* 6, 7, 8 */
    ck_assert_int_eq(stored_credit(w, "c1", "X").last_date, DAY(20));
    ck_assert_int_eq(stored_credit(w, "c1", "Y").last_date, DAY(5));
    crd_credit_free(x);
}

START_TEST(M6_an_undo_is_not_dated_before_the_last_entry_of_its_receipt) {
    world *w = world_open(_i);
    crd_credit *y;
    crd_invoice *b;
    fill_receipt(w, &y, &b);
    REFUSED(w, try_undo(w->ledger, "c1", 8, 0, on(6), NULL), CRD_E_DATE);
    FIGURES(w, DAY(20), DAY(6));
    ck_assert_int_eq(undo(w, "c1", 8, 0, 20), 10);
    crd_credit_free(y);
    crd_invoice_free(b);
    world_close(w);
}
END_TEST

START_TEST(M6_M12_voiding_follows_the_latest_date_of_each_receipt) {
    world *w = world_open(_i);
    crd_credit *y;
    crd_invoice *b;
    fill_receipt(w, &y, &b);
    void_invoice(w, b, 6);
    ck_assert_int_eq(stored_invoice(w, "c1", "B").last_date, DAY(20));
    ck_assert_int_eq(stored_credit(w, "c1", "Y").last_date, DAY(20));
    crd_credit_free(y);
    crd_invoice_free(b);
    world_close(w);
}
END_TEST

/* Entered in error on the 10th, at an instant when a hold of X had lapsed on the 14th: that is entered first, and moves
 * X's last day. So all of the undo is dated the 14th: X, Y, and the receipt. */
START_TEST(M6_an_undo_takes_one_date_also_when_a_hold_had_lapsed_later) {
    world *w = world_open(_i);
    crd_credit *x, *y;
    crd_request request;
    customer(w, "c1");
    x = memo(w, "c1", "X", 10, 0);                       /* 1 */
    y = memo(w, "c1", "Y", 10, 1);                       /* 2 */
    crd_invoice_free(invoice(w, "c1", "A", 20, 2, 3));   /* 3 */
    hold_credit(w, x, NULL, "H", 1, 4, 14);              /* 4 */
    ck_assert_uint_eq(reconcile(w, 0, 10).applications, 2); /* 5, 6, 7 */
    request = *on(10);
    request.instant = noon(16);
    OK(w, try_undo(w->ledger, "c1", 5, 0, &request, NULL));
    ck_assert_int_eq(stored_credit(w, "c1", "X").last_date, DAY(14));
    ck_assert_int_eq(stored_credit(w, "c1", "Y").last_date, DAY(14));
    ck_assert_int_eq(stored_invoice(w, "c1", "A").last_date, DAY(14));
    crd_credit_free(x);
    crd_credit_free(y);
    world_close(w);
}
END_TEST

/* Asked for on the 25th, after the 28th was closed: it would be dated the 30th, the receipt's last day, and so it was done
 * when something had happened there, but refused when not. What counts is the day that is asked for. */
START_TEST(M6_a_cascade_asked_for_in_a_closed_period_is_refused_whatever_its_date_would_be) {
    world *w = world_open(_i);
    crd_settings settings;
    crd_credit *x;
    customer(w, "c1");
    x = cash(w, "c1", "X", 10, 20);                         /* 1, 2 */
    apply(w, x, NULL, 4, 30);                               /* 3 */
    memset(&settings, 0, sizeof settings);
    settings.struct_size = sizeof settings;
    settings.closed_through = DAY(28);
    OK(w, crd_ledger_configure(w->ledger, &settings));
    REFUSED(w, try_undo(w->ledger, "c1", 1, 0, on(25), NULL), CRD_E_CLOSED);
    FIGURES(w, DAY(28), DAY(25));
    OK(w, try_undo(w->ledger, "c1", 1, 0, on(29), NULL));
    ck_assert_int_eq(stored_credit(w, "c1", "X").last_date, DAY(30));
    crd_credit_free(x);
    world_close(w);
}
END_TEST

static uint64_t seeds(int store) {
    return store == STORE_MEMORY ? is_long() ? 2000 : 100 : 10;
}

START_TEST(M8_to_apply_an_amount_is_to_apply_its_parts) {
    int tried = 0;
    for (uint64_t seed = 1; seed <= seeds(_i); seed++) tried += whole_is_parts(_i, seed);
    ck_assert_int_gt(tried, 0);
}
END_TEST

START_TEST(M8_to_do_and_undo_changes_no_figure) {
    int tried = 0;
    for (uint64_t seed = 1; seed <= seeds(_i); seed++) tried += do_and_undo(_i, seed);
    ck_assert_int_gt(tried, 0);
}
END_TEST

START_TEST(R46_to_reconcile_twice_is_to_reconcile_once) {
    for (uint64_t seed = 1; seed <= seeds(_i); seed++) twice_is_once(_i, seed);
}
END_TEST

START_TEST(M15_order_of_entry_is_irrelevant_where_all_dates_differ) {
    for (uint64_t seed = 1; seed <= seeds(_i); seed++) order_is_irrelevant(_i, seed);
}
END_TEST

static Suite *make(void) {
    Suite *s = suite_create("rules");
    TCase *t = tcase_create("random");
    tcase_set_timeout(t, is_long() ? 7200 : 240);
    tcase_add_loop_test(t, M1_M5_M6_M7_M8_M12_M14_M15_M16_R46_random_commands_agree_with_the_model, 0, STORES);
    tcase_add_loop_test(t, M6_an_undo_is_not_dated_before_the_last_entry_of_its_receipt, 0, STORES);
    tcase_add_loop_test(t, M6_M12_voiding_follows_the_latest_date_of_each_receipt, 0, STORES);
    tcase_add_loop_test(t, M6_an_undo_takes_one_date_also_when_a_hold_had_lapsed_later, 0, STORES);
    tcase_add_loop_test(t, M6_a_cascade_asked_for_in_a_closed_period_is_refused_whatever_its_date_would_be, 0, STORES);
    tcase_add_loop_test(t, M8_to_apply_an_amount_is_to_apply_its_parts, 0, STORES);
    tcase_add_loop_test(t, M8_to_do_and_undo_changes_no_figure, 0, STORES);
    tcase_add_loop_test(t, R46_to_reconcile_twice_is_to_reconcile_once, 0, STORES);
    tcase_add_loop_test(t, M15_order_of_entry_is_irrelevant_where_all_dates_differ, 0, STORES);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return world_main(make);
}
