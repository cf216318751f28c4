/*
 * Two writers (R32): whoever comes second is told, refreshes, looks, and decides again; handles of one account stay
 * valid together. Walks every command of the scene.
 */
#include "support/scene.h"

#include <string.h>

#define EACH(c) for (const scene_command *c = scene_commands; c < scene_commands + scene_command_count; c++)

/* Commands that read their account themselves decide on what they read; the others on their handles. */
static int by_handles(const scene_command *c) {
    return c->code == CRD_COMMAND_CREDIT_APPLY || c->code == CRD_COMMAND_CREDIT_VOID ||
           c->code == CRD_COMMAND_INVOICE_SEND || c->code == CRD_COMMAND_INVOICE_VOID || c->code == CRD_COMMAND_HOLD ||
           c->code == CRD_COMMAND_CAPTURE || c->code == CRD_COMMAND_RELEASE ||
           c->code == CRD_COMMAND_INVOICE_REVISE || c->code == CRD_COMMAND_INVOICE_REVERSE ||
           c->code == CRD_COMMAND_WRITE_OFF || c->code == CRD_COMMAND_CREDIT_REFUND ||
           c->code == CRD_COMMAND_CREDIT_TRANSFER || c->code == CRD_COMMAND_RECEIPT_REVERSE ||
           c->code == CRD_COMMAND_CREDIT_DELETE;
}

START_TEST(R32_the_second_writer_is_told_refreshes_and_succeeds) {
    EACH(c) {
        world *w = world_open(_i);
        scene s, t;
        crd_ledger *rival;
        crd_result r = result_block();
        if (!by_handles(c)) {
            world_close(w);
            continue;
        }
        scene_fill(w);
        rival = world_rival(w);
        s = scene_open(w->ledger);
        t = scene_open(rival);
        ENDS(rival, try_apply(rival, t.k, t.i, 1, 0, on(2), &r), CRD_OK);
        world_remember(w);
        ENDS(w->ledger, c->run(&s, on(2), 0, &r), CRD_E_CONFLICT);
        ck_assert_uint_eq(crd_ledger_error(w->ledger)->subject_kind, CRD_KIND_ACCOUNT);
        ck_assert_str_eq(crd_ledger_error(w->ledger)->customer, "c1");
        ck_assert_int_eq(crd_status_is_transient(CRD_E_CONFLICT), 1);
        world_same(w, c->name);
        /* it stays a conflict until somebody looks */
        ENDS(w->ledger, c->run(&s, on(2), 0, &r), CRD_E_CONFLICT);
        world_same(w, c->name);
        ck_assert_int_eq(crd_credit_get(s.k)->remaining, 900); /* the handle shows what it showed */
        OK(w, scene_refresh(&s));
        ck_assert_int_eq(crd_credit_get(s.k)->remaining, 899); /* the latest balance */
        ck_assert_int_eq(crd_invoice_get(s.i)->open, 499);
        ENDS(w->ledger, c->run(&s, on(2), 0, &r), CRD_OK);
        world_check(w);
        scene_close(&s);
        scene_close(&t);
        world_close(w);
    }
}
END_TEST

/* The rival comes between the library's read and its write. */
static void rival_applies(void *ctx, shim *s) {
    scene *t = ctx;
    crd_result r = result_block();
    s->before_write = NULL;
    ENDS(t->ledger, try_apply(t->ledger, t->k, t->i, 1, 0, on(2), &r), CRD_OK);
}

START_TEST(R32_a_writer_in_between_read_and_write_is_a_conflict_and_then_the_same_call_succeeds) {
    EACH(c) {
        world *w = world_open(_i);
        scene s, t;
        crd_result r = result_block();
        /* Who gave no handle looked at no figure: it is tried again. A customer's name is guarded by nothing K moves. */
        int again = !by_handles(c) && strcmp(c->name, "switch a customer") != 0;
        scene_fill(w);
        world_rival(w);
        s = scene_open(w->ledger);
        t = scene_open(w->rivals[0]);
        w->shim.ctx = &t;
        w->shim.before_write = rival_applies;
        ENDS(w->ledger, c->run(&s, keyed(2, "key"), 0, &r), again ? CRD_OK : CRD_E_CONFLICT);
        world_check(w);
        ck_assert(w->shim.before_write == NULL); /* the rival was there */
        if (!again) {
            ck_assert_int_eq(stored_credit(w, "c1", "K").applied, 101);
            if (by_handles(c) || c->code == CRD_COMMAND_CUSTOMER_CHANGE) OK(w, scene_refresh(&s));
            ENDS(w->ledger, c->run(&s, keyed(2, "key"), 0, &r), CRD_OK);
            ck_assert_uint_eq(r.repeated, 0);
            world_check(w);
        }
        scene_close(&s);
        scene_close(&t);
        world_close(w);
    }
}
END_TEST

/* The rival comes in between every time: the command gives up, and nothing of it is kept. */
static void rival_applies_always(void *ctx, shim *s) {
    scene *t = ctx;
    crd_result r = result_block();
    (void)s;
    ENDS(t->ledger, try_apply(t->ledger, t->k, t->i, 1, 0, on(2), &r), CRD_OK);
}

START_TEST(R32_a_command_that_always_loses_gives_up_as_a_conflict) {
    world *w = world_open(_i);
    scene t;
    crd_credit_terms terms = credit_terms("late", CRD_CREDIT_MEMO, 7);
    scene_fill(w);
    world_rival(w);
    t = scene_open(w->rivals[0]);
    w->shim.ctx = &t;
    w->shim.before_write = rival_applies_always;
    shim_reset(&w->shim);
    ENDS(w->ledger, crd_credit_issue(w->ledger, on(2), "c1", &terms, NULL), CRD_E_CONFLICT);
    ck_assert_uint_gt(w->shim.writes, 1);
    ck_assert_uint_eq(w->shim.writes, w->shim.reads);
    ck_assert_int_eq(stored_credit(w, "c1", "K").applied, 100 + (int64_t)w->shim.writes);
    world_check(w);
    /* in a unit of the host's nothing is tried again: it stands on what it has read */
    OK(w, crd_unit_begin(w->ledger));
    OK(w, crd_credit_issue(w->ledger, on(2), "c1", &terms, NULL));
    shim_reset(&w->shim);
    ENDS(w->ledger, crd_unit_commit(w->ledger), CRD_E_CONFLICT);
    ck_assert_uint_eq(w->shim.writes, 1);
    w->shim.before_write = NULL;
    world_check(w);
    scene_close(&t);
    world_close(w);
}
END_TEST

START_TEST(R32_siblings_stay_valid_and_one_refresh_is_enough_for_each) {
    world *w = world_open(_i);
    scene s, t;
    crd_ledger *rival;
    crd_credit *second;
    crd_result r = result_block();
    scene_fill(w);
    rival = world_rival(w);
    s = scene_open(w->ledger);
    second = find_credit(w->ledger, "c1", "K"); /* another handle to the same record */
    apply(w, s.k, s.i, 10, 2);
    ck_assert_int_eq(crd_credit_get(second)->remaining, 890);
    apply(w, second, s.j, 20, 2);
    ck_assert_int_eq(crd_credit_get(s.k)->remaining, 870);
    void_credit(w, s.p, 0, 2);
    apply(w, s.k, s.i, 1, 2);
    t = scene_open(rival);
    ENDS(rival, try_apply(rival, t.k, t.i, 5, 0, on(2), &r), CRD_OK);
    /* refreshing one does not move the others: they show what they showed, and stay stale until refreshed */
    ENDS(w->ledger, try_apply(w->ledger, s.k, s.i, 1, 0, on(2), &r), CRD_E_CONFLICT);
    OK(w, crd_credit_refresh(s.k));
    ck_assert_int_eq(crd_credit_get(s.k)->remaining, 864);
    ck_assert_int_eq(crd_credit_get(second)->remaining, 869);
    ENDS(w->ledger, try_apply(w->ledger, s.k, s.i, 1, 0, on(2), &r), CRD_E_CONFLICT);
    OK(w, crd_invoice_refresh(s.i));
    apply(w, s.k, s.i, 1, 2);
    ENDS(w->ledger, try_apply(w->ledger, second, NULL, 1, 0, on(2), &r), CRD_E_CONFLICT);
    OK(w, crd_credit_refresh(second));
    apply(w, second, NULL, 1, 2);
    crd_credit_free(second);
    scene_close(&s);
    scene_close(&t);
    world_close(w);
}
END_TEST

START_TEST(R32_another_customer_and_currency_are_no_conflict) {
    world *w = world_open(_i);
    scene s;
    crd_ledger *rival;
    crd_credit_terms t = credit_terms("other", CRD_CREDIT_MEMO, 5);
    scene_fill(w);
    rival = world_rival(w);
    s = scene_open(w->ledger);
    ENDS(rival, crd_credit_issue(rival, on(2), "c2", &t, NULL), CRD_OK);
    t.currency = "JPY";
    ENDS(rival, crd_credit_issue(rival, on(2), "c1", &t, NULL), CRD_OK);
    apply(w, s.k, s.i, 10, 2);
    scene_close(&s);
    world_close(w);
}
END_TEST

/* Two rivals make the same new account at once. */
static void rival_issues_yen(void *ctx, shim *s) {
    crd_ledger *rival = ctx;
    crd_credit_terms t = credit_terms("theirs", CRD_CREDIT_MEMO, 5);
    s->before_write = NULL;
    t.currency = "JPY";
    ENDS(rival, crd_credit_issue(rival, on(2), "c1", &t, NULL), CRD_OK);
}

START_TEST(R32_two_writers_make_the_same_new_account) {
    world *w = world_open(_i);
    scene s;
    crd_credit_terms t = credit_terms("ours", CRD_CREDIT_MEMO, 7);
    scene_fill(w);
    world_rival(w);
    s = scene_open(w->ledger);
    t.currency = "JPY";
    w->shim.ctx = w->rivals[0];
    w->shim.before_write = rival_issues_yen;
    OK(w, crd_credit_issue(w->ledger, on(2), "c1", &t, NULL)); /* reads anew by itself */
    world_check(w);
    ck_assert_int_eq(balance_of(w->ledger, "c1", "JPY", 2).available, 12);
    scene_close(&s);
    world_close(w);
}
END_TEST

static void rival_adds_customer(void *ctx, shim *s) {
    crd_ledger *rival = ctx;
    s->before_write = NULL;
    ENDS(rival, crd_customer_add(rival, on(2), "c3", NULL, NULL), CRD_OK);
}

START_TEST(R32_two_writers_add_the_same_customer) {
    world *w = world_open(_i);
    scene_fill(w);
    world_rival(w);
    w->shim.ctx = w->rivals[0];
    w->shim.before_write = rival_adds_customer;
    ENDS(w->ledger, crd_customer_add(w->ledger, on(2), "c3", NULL, NULL), CRD_E_EXISTS);
    world_check(w);
    world_close(w);
}
END_TEST

static void rival_issues_same_id(void *ctx, shim *s) {
    crd_ledger *rival = ctx;
    crd_credit_terms t = credit_terms("same", CRD_CREDIT_MEMO, 5);
    s->before_write = NULL;
    t.currency = "USD"; /* another account, so no guard notices */
    ENDS(rival, crd_credit_issue(rival, on(2), "c1", &t, NULL), CRD_OK);
}

START_TEST(R32_two_writers_issue_credits_of_one_id_in_two_currencies) {
    world *w = world_open(_i);
    crd_credit_terms t = credit_terms("same", CRD_CREDIT_MEMO, 7);
    scene_fill(w);
    world_rival(w);
    w->shim.ctx = w->rivals[0];
    w->shim.before_write = rival_issues_same_id;
    ENDS(w->ledger, crd_credit_issue(w->ledger, on(2), "c1", &t, NULL), CRD_E_EXISTS);
    SUBJECT(w, CRD_KIND_CREDIT, "same");
    world_check(w);
    world_close(w);
}
END_TEST

/* Museum 17, 33: Several tills redeemed one gift balance at once, each after it had looked. Naive rule: look, then
 * subtract. */
START_TEST(museum_17_33_one_credit_redeemed_at_several_tills_is_spent_once) {
    world *w = world_open(_i);
    crd_credit *k, *tills[3];
    crd_invoice *i[3];
    int redeemed = 0;
    customer(w, "c1");
    k = memo(w, "c1", "gift", 100, 0);
    for (int n = 0; n < 3; n++) crd_invoice_free(invoice(w, "c1", NULL, 100, 0, 30));
    for (int n = 0; n < 3; n++) {
        static const char *const ids[] = {"~EUR2", "~EUR3", "~EUR4"};
        crd_ledger *till = world_rival(w);
        tills[n] = find_credit(till, "c1", "gift");
        i[n] = find_invoice(till, "c1", ids[n]);
        /* the naive rule, "what I read is what there is", would sell three times 100 */
        ck_assert_int_eq(crd_credit_get(tills[n])->remaining, 100);
    }
    for (int n = 0; n < 3; n++)
        redeemed += try_apply(w->rivals[n], tills[n], i[n], 100, 0, on(1), NULL) == CRD_OK;
    ck_assert_int_eq(redeemed, 1);
    world_check(w);
    ck_assert_int_eq(stored_credit(w, "c1", "gift").applied, 100);
    for (int n = 0; n < 3; n++) {
        crd_credit_free(tills[n]);
        crd_invoice_free(i[n]);
    }
    crd_credit_free(k);
    world_close(w);
}
END_TEST

static Suite *make(void) {
    Suite *s = suite_create("conflict");
    TCase *t = tcase_create("conflict");
    tcase_set_timeout(t, 60); /* every command, over a file */
    tcase_add_loop_test(t, R32_the_second_writer_is_told_refreshes_and_succeeds, FIRST_STORE, STORES);
    tcase_add_loop_test(t, R32_a_writer_in_between_read_and_write_is_a_conflict_and_then_the_same_call_succeeds, 0,
                        STORES);
    tcase_add_loop_test(t, R32_a_command_that_always_loses_gives_up_as_a_conflict, FIRST_STORE, STORES);
    tcase_add_loop_test(t, R32_siblings_stay_valid_and_one_refresh_is_enough_for_each, FIRST_STORE, STORES);
    tcase_add_loop_test(t, R32_another_customer_and_currency_are_no_conflict, FIRST_STORE, STORES);
    tcase_add_loop_test(t, R32_two_writers_make_the_same_new_account, FIRST_STORE, STORES);
    tcase_add_loop_test(t, R32_two_writers_add_the_same_customer, FIRST_STORE, STORES);
    tcase_add_loop_test(t, R32_two_writers_issue_credits_of_one_id_in_two_currencies, FIRST_STORE, STORES);
    tcase_add_loop_test(t, museum_17_33_one_credit_redeemed_at_several_tills_is_spent_once, FIRST_STORE, STORES);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return world_main(make);
}
