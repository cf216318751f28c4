/*
 * Request keys (R61, M16): a command with a key happens once, whoever sends it again and whatever comes with it.
 * Walks every command of the scene.
 */
#include "support/scene.h"

#include <stdio.h>
#include <string.h>

#define EACH(c) for (const scene_command *c = scene_commands; c < scene_commands + scene_command_count; c++)

START_TEST(R61_M16_the_same_key_gives_the_first_result_and_changes_nothing) {
    EACH(c) {
        world *w = world_open(_i);
        scene s;
        crd_result first = result_block(), again = result_block();
        book *b;
        const crd_request_record *request;
        scene_fill(w);
        s = scene_open(w->ledger);
        ENDS(w->ledger, c->run(&s, keyed(2, "key 1"), 0, &first), CRD_OK);
        world_check(w);
        ck_assert_uint_eq(first.repeated, 0);
        if (!c->creates) ck_assert_int_eq(first.amount, c->amount);
        world_remember(w);
        ENDS(w->ledger, c->run(&s, keyed(2, "key 1"), 0, &again), CRD_OK);
        world_same(w, c->name);
        if (!c->creates) {
            ck_assert_msg(again.repeated == 1, "%s: not told as repeated", c->name);
            ck_assert_int_eq(again.first_seq, first.first_seq);
            ck_assert_int_eq(again.last_seq, first.last_seq);
            ck_assert_int_eq(again.amount, first.amount);
        }
        b = world_book(w);
        request = book_request(b, c->code == CRD_COMMAND_CUSTOMER_ADD ? "c3" : "c1", "key 1");
        ck_assert_msg(request != NULL, "%s: no request record", c->name);
        ck_assert_uint_eq(request->command, c->code);
        if (!c->creates) {
            ck_assert_int_eq(request->first_seq, first.first_seq);
            ck_assert_int_eq(request->last_seq, first.last_seq);
            ck_assert_int_eq(request->result, first.amount);
        }
        book_free(b);
        scene_close(&s);
        world_close(w);
    }
}
END_TEST

START_TEST(R61_M16_a_key_with_other_content_is_refused_naming_the_field) {
    EACH(c) {
        world *w = world_open(_i);
        scene s;
        crd_result r = result_block();
        scene_fill(w);
        s = scene_open(w->ledger);
        ENDS(w->ledger, c->run(&s, keyed(2, "key 1"), 0, &r), CRD_OK);
        world_remember(w);
        ENDS(w->ledger, c->run(&s, keyed(2, "key 1"), 1, &r), CRD_E_KEY_REUSED);
        ck_assert_msg(strcmp(crd_ledger_error(w->ledger)->field, c->field) == 0, "%s: names %s, not %s", c->name,
                      crd_ledger_error(w->ledger)->field, c->field);
        world_same(w, c->name);
        /* another business date, given */
        ENDS(w->ledger, c->run(&s, keyed(3, "key 1"), 0, &r), CRD_E_KEY_REUSED);
        ck_assert_str_eq(crd_ledger_error(w->ledger)->field, "request.business_date");
        world_same(w, c->name);
        scene_close(&s);
        world_close(w);
    }
}
END_TEST

START_TEST(R61_M16_instant_actor_and_note_are_no_content) {
    EACH(c) {
        world *w = world_open(_i);
        scene s;
        crd_request r = *keyed(2, "key 1");
        crd_result first = result_block(), again = result_block();
        scene_fill(w);
        s = scene_open(w->ledger);
        r.business_date = 0;
        r.instant = w->hooks.clock(NULL) + INT64_C(2) * 86400000000;
        ENDS(w->ledger, c->run(&s, &r, 0, &first), CRD_OK);
        world_remember(w);
        r.actor = "somebody else";
        r.note = "second try";
        r.instant += INT64_C(30) * 86400000000;
        ENDS(w->ledger, c->run(&s, &r, 0, &again), CRD_OK);
        world_same(w, c->name);
        /* nor is a date that was not given the same as one that was */
        r.business_date = DAY(1);
        ENDS(w->ledger, c->run(&s, &r, 0, &again), CRD_E_KEY_REUSED);
        world_same(w, c->name);
        scene_close(&s);
        world_close(w);
    }
}
END_TEST

START_TEST(R61_M16_a_key_is_looked_at_before_the_state_and_by_another_process) {
    EACH(c) {
        world *w = world_open(_i);
        scene s, t;
        crd_ledger *rival;
        crd_result first = result_block(), again = result_block();
        scene_fill(w);
        rival = world_rival(w);
        s = scene_open(w->ledger);
        t = scene_open(rival); /* its handles will be stale */
        ENDS(w->ledger, c->run(&s, keyed(2, "key 1"), 0, &first), CRD_OK);
        world_remember(w);
        ENDS(rival, c->run(&t, keyed(2, "key 1"), 0, &again), CRD_OK);
        world_same(w, c->name);
        if (!c->creates) {
            ck_assert_msg(again.repeated == 1, "%s: not told as repeated", c->name);
            ck_assert_int_eq(again.first_seq, first.first_seq);
            ck_assert_int_eq(again.amount, first.amount);
        }
        /* the first result once more when the command would be refused by now: the documents are gone */
        ENDS(w->ledger, scene_refresh(&s), CRD_OK);
        if (crd_credit_get(s.k)->state == CRD_CREDIT_ACTIVE) OK(w, crd_credit_void(w->ledger, on(2), s.k, 0, 0, NULL));
        ENDS(w->ledger, c->run(&s, keyed(2, "key 1"), 0, &again), CRD_OK);
        world_check(w);
        scene_close(&s);
        scene_close(&t);
        world_close(w);
    }
}
END_TEST

START_TEST(M16_a_refused_command_does_not_use_its_key) {
    world *w = world_open(_i);
    scene s;
    crd_result r = result_block();
    scene_fill(w);
    s = scene_open(w->ledger);
    REFUSED(w, try_apply(w->ledger, s.k, s.i, 501, 0, keyed(2, "pay"), &r), CRD_E_INVOICE_AMOUNT);
    OK(w, try_apply(w->ledger, s.k, s.i, 500, 0, keyed(2, "pay"), &r));
    ck_assert_uint_eq(r.repeated, 0);
    world_check(w);
    scene_close(&s);
    world_close(w);
}
END_TEST

START_TEST(M16_a_key_is_per_customer_and_of_one_command) {
    world *w = world_open(_i);
    scene s;
    crd_result r = result_block();
    crd_credit *other;
    crd_credit_terms t = credit_terms("K", CRD_CREDIT_MEMO, 5);
    scene_fill(w);
    s = scene_open(w->ledger);
    OK(w, try_apply(w->ledger, s.k, s.i, 1, 0, keyed(2, "x"), &r));
    /* the same key, another command */
    REFUSED(w, crd_credit_void(w->ledger, keyed(2, "x"), s.k, 0, 0, &r), CRD_E_KEY_REUSED);
    FIELD(w, "command");
    OK(w, scene_refresh(&s));
    /* another customer's key of the same name */
    OK(w, crd_credit_issue(w->ledger, keyed(2, "x"), "c2", &t, &other));
    world_check(w);
    /* without a key the same command happens twice */
    OK(w, try_apply(w->ledger, s.k, s.i, 1, 0, on(2), &r));
    OK(w, try_apply(w->ledger, s.k, s.i, 1, 0, on(2), &r));
    ck_assert_int_eq(stored_credit(w, "c1", "K").applied, 103);
    crd_credit_free(other);
    scene_close(&s);
    world_close(w);
}
END_TEST

START_TEST(R61_handles_are_fresh_after_a_repeated_command) {
    EACH(c) {
        world *w = world_open(_i);
        scene s;
        crd_result r = result_block();
        scene_fill(w);
        s = scene_open(w->ledger);
        ENDS(w->ledger, c->run(&s, keyed(2, "key 1"), 0, &r), CRD_OK);
        ENDS(w->ledger, c->run(&s, keyed(2, "key 1"), 0, &r), CRD_OK);
        ENDS(w->ledger, try_apply(w->ledger, s.k, s.i, 1, 0, on(2), &r), CRD_OK);
        world_check(w);
        scene_close(&s);
        world_close(w);
    }
}
END_TEST

START_TEST(R61_handles_are_as_they_were_after_a_key_was_refused) {
    EACH(c) {
        world *w = world_open(_i);
        scene s;
        crd_result r = result_block();
        scene_fill(w);
        s = scene_open(w->ledger);
        ENDS(w->ledger, c->run(&s, keyed(2, "key 1"), 0, &r), CRD_OK);
        ENDS(w->ledger, c->run(&s, keyed(2, "key 1"), 1, &r), CRD_E_KEY_REUSED);
        ENDS(w->ledger, try_apply(w->ledger, s.k, s.i, 1, 0, on(2), &r), CRD_OK);
        world_check(w);
        scene_close(&s);
        world_close(w);
    }
}
END_TEST

static int32_t CRD_CALL refuse_all(void *ctx, const crd_operation *operation) {
    (void)operation;
    return *(int *)ctx;
}

START_TEST(R61_M16_a_repeated_key_is_answered_before_permission_feature_period_and_date) {
    int refuse = 0;
    crd_hooks hooks;
    crd_settings settings;
    world *w;
    scene s;
    crd_result r = result_block();
    memset(&hooks, 0, sizeof hooks);
    memset(&settings, 0, sizeof settings);
    settings.struct_size = sizeof settings;
    hooks.ctx = &refuse;
    hooks.authorize = refuse_all;
    w = world_open_with(_i, NULL, NULL, &hooks);
    scene_fill(w);
    s = scene_open(w->ledger);
    OK(w, try_apply(w->ledger, s.k, s.i, 10, 0, keyed(2, "x"), &r));
    apply(w, s.k, s.i, 1, 9);
    world_remember(w);
    refuse = 1;
    OK(w, try_apply(w->ledger, s.k, s.i, 10, 0, keyed(2, "x"), &r));
    ck_assert_uint_eq(r.repeated, 1);
    ck_assert_int_eq(crd_ledger_error(w->ledger)->code, CRD_OK);
    refuse = 0;
    settings.feature_off = 1;
    OK(w, crd_ledger_configure(w->ledger, &settings));
    OK(w, try_apply(w->ledger, s.k, s.i, 10, 0, keyed(2, "x"), &r));
    settings.feature_off = 0;
    settings.closed_through = DAY(100);
    OK(w, crd_ledger_configure(w->ledger, &settings));
    OK(w, try_apply(w->ledger, s.k, s.i, 10, 0, keyed(2, "x"), &r));
    settings.closed_through = 0;
    OK(w, crd_ledger_configure(w->ledger, &settings));
    OK(w, try_apply(w->ledger, s.k, s.i, 10, 0, keyed(2, "x"), &r)); /* its date is too early by now */
    ck_assert_uint_eq(r.repeated, 1);
    world_same(w, "a repeated command");
    scene_close(&s);
    world_close(w);
}
END_TEST

START_TEST(M16_a_key_that_is_no_key_is_refused) {
    static const char long_key[] = "0123456789012345678901234567890123456789012345678901234567890123"; /* 64 bytes */
    static const char *const bad[] = {"", "~x", "a\nb", "\xff", "\xc3", long_key};
    world *w = world_open(_i);
    scene s;
    scene_fill(w);
    s = scene_open(w->ledger);
    for (size_t n = 0; n < sizeof bad / sizeof bad[0]; n++) {
        REFUSED(w, try_apply(w->ledger, s.k, s.i, 1, 0, keyed(2, bad[n]), NULL), CRD_E_ARGUMENT);
        FIELD(w, "request.key");
    }
    OK(w, try_apply(w->ledger, s.k, s.i, 1, 0, keyed(2, long_key + 1), NULL)); /* 63 are allowed */
    world_check(w);
    scene_close(&s);
    world_close(w);
}
END_TEST

START_TEST(R61_a_key_inside_a_unit_belongs_to_its_command) {
    world *w = world_open(_i);
    scene s;
    crd_result r = result_block();
    scene_fill(w);
    s = scene_open(w->ledger);
    OK(w, crd_unit_begin(w->ledger));
    OK(w, try_apply(w->ledger, s.k, s.i, 10, 0, keyed(2, "a"), &r));
    ck_assert_uint_eq(r.repeated, 0);
    OK(w, try_apply(w->ledger, s.k, s.i, 20, 0, keyed(2, "b"), &r));
    /* twice in one unit */
    OK(w, try_apply(w->ledger, s.k, s.i, 10, 0, keyed(2, "a"), &r));
    ck_assert_uint_eq(r.repeated, 1);
    ck_assert_int_eq(r.amount, 10);
    ENDS(w->ledger, try_apply(w->ledger, s.k, s.i, 11, 0, keyed(2, "a"), &r), CRD_E_KEY_REUSED);
    FIELD(w, "terms.amount");
    OK(w, crd_unit_commit(w->ledger));
    world_check(w);
    ck_assert_int_eq(stored_credit(w, "c1", "K").applied, 130);
    /* and in the next one */
    OK(w, crd_unit_begin(w->ledger));
    OK(w, try_apply(w->ledger, s.k, s.i, 10, 0, keyed(2, "a"), &r));
    ck_assert_uint_eq(r.repeated, 1);
    OK(w, try_apply(w->ledger, s.k, s.i, 5, 0, keyed(2, "c"), &r));
    OK(w, crd_unit_commit(w->ledger));
    ck_assert_int_eq(stored_credit(w, "c1", "K").applied, 135);
    /* a unit given up leaves its keys unused */
    OK(w, crd_unit_begin(w->ledger));
    OK(w, try_apply(w->ledger, s.k, s.i, 7, 0, keyed(2, "d"), &r));
    OK(w, crd_unit_rollback(w->ledger));
    OK(w, try_apply(w->ledger, s.k, s.i, 8, 0, keyed(2, "d"), &r));
    ck_assert_uint_eq(r.repeated, 0);
    world_check(w);
    scene_close(&s);
    world_close(w);
}
END_TEST

static Suite *make(void) {
    Suite *s = suite_create("requests");
    TCase *t = tcase_create("requests");
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, R61_M16_the_same_key_gives_the_first_result_and_changes_nothing, 0, STORES);
    tcase_add_loop_test(t, R61_M16_a_key_with_other_content_is_refused_naming_the_field, 0, STORES);
    tcase_add_loop_test(t, R61_M16_instant_actor_and_note_are_no_content, 0, STORES);
    tcase_add_loop_test(t, R61_M16_a_key_is_looked_at_before_the_state_and_by_another_process, 0, STORES);
    tcase_add_loop_test(t, M16_a_refused_command_does_not_use_its_key, 0, STORES);
    tcase_add_loop_test(t, M16_a_key_is_per_customer_and_of_one_command, 0, STORES);
    tcase_add_loop_test(t, R61_handles_are_fresh_after_a_repeated_command, 0, STORES);
    tcase_add_loop_test(t, R61_handles_are_as_they_were_after_a_key_was_refused, 0, STORES);
    tcase_add_loop_test(t, R61_M16_a_repeated_key_is_answered_before_permission_feature_period_and_date, 0, STORES);
    tcase_add_loop_test(t, M16_a_key_that_is_no_key_is_refused, 0, STORES);
    tcase_add_loop_test(t, R61_a_key_inside_a_unit_belongs_to_its_command, 0, STORES);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return world_main(make);
}
