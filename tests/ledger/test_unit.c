/*
 * The unit of work (R64): several commands kept together or not at all, on the library's own storage and inside a
 * transaction of the host's.
 */
#include "support/scene.h"

#include <string.h>

#ifndef CREDIT_NO_SQLITE
#include <credit/sqlite.h>
#include <sqlite3.h>
#endif

START_TEST(R64_several_commands_are_kept_in_one_write) {
    world *w = world_open(_i);
    scene s;
    crd_credit *k = NULL;
    crd_invoice *i = NULL;
    crd_credit_terms kt = credit_terms("new", CRD_CREDIT_MEMO, 80);
    crd_invoice_terms it = invoice_terms("new", 100);
    crd_result r = result_block();
    scene_fill(w);
    s = scene_open(w->ledger);
    world_remember(w);
    shim_reset(&w->shim);
    OK(w, crd_unit_begin(w->ledger));
    OK(w, crd_credit_issue(w->ledger, on(2), "c1", &kt, &k));
    OK(w, crd_invoice_enter(w->ledger, on(2), "c1", &it, &i));
    OK(w, try_apply(w->ledger, k, i, 80, 0, on(2), &r));
    ck_assert_int_eq(crd_invoice_get(i)->open, 20); /* shown at once */
    ck_assert_uint_eq(crd_credit_get(k)->state, CRD_CREDIT_SPENT);
    OK(w, try_apply(w->ledger, s.k, i, 20, 0, on(2), &r));
    OK(w, crd_undo(w->ledger, on(2), "c1", "EUR", r.first_seq, 5, &r)); /* an entry of this unit */
    ck_assert_int_eq(r.amount, 5);
    OK(w, crd_undo(w->ledger, on(2), "c1", "EUR", s.applied_seq, 0, &r)); /* and an old one */
    ck_assert_int_eq(r.amount, 100);
    OK(w, crd_invoice_void(w->ledger, on(2), s.j, 0, &r));
    OK(w, crd_customer_add(w->ledger, on(2), "c9", NULL, NULL));
    kt.id = "for c9";
    kt.currency = "USD";
    OK(w, crd_credit_issue(w->ledger, on(2), "c9", &kt, NULL)); /* of a customer of this unit */
    world_same(w, "an open unit"); /* nothing is kept yet */
    ck_assert_uint_eq(w->shim.writes, 0);
    OK(w, crd_unit_commit(w->ledger));
    ck_assert_uint_eq(w->shim.writes, 1);
    world_check(w);
    ck_assert_int_eq(stored_invoice(w, "c1", "new").open, 5);
    ck_assert_int_eq(stored_credit(w, "c1", "K").remaining, 985);
    ck_assert_int_eq(stored_credit(w, "c9", "for c9").remaining, 80);
    ck_assert_uint_eq(stored_invoice(w, "c1", "J").state, CRD_INVOICE_VOIDED);
    apply(w, s.k, i, 5, 2); /* the handles go on */
    crd_credit_free(k);
    crd_invoice_free(i);
    scene_close(&s);
    world_close(w);
}
END_TEST

START_TEST(R64_a_unit_given_up_leaves_handles_and_book_as_they_were) {
    world *w = world_open(_i);
    scene s;
    crd_credit *k = NULL;
    crd_credit_terms kt = credit_terms("new", CRD_CREDIT_MEMO, 80);
    crd_result r = result_block();
    scene_fill(w);
    s = scene_open(w->ledger);
    world_remember(w);
    OK(w, crd_unit_begin(w->ledger));
    for (size_t n = 0; n < scene_command_count; n++) {
        const scene_command *c = &scene_commands[n];
        if (c->run == scene_commands[5].run) continue; /* J is paid by then */
        if (strcmp(c->name, "cancel a draft") == 0) continue; /* it is sent by then */
        if (strcmp(c->name, "undo an application") == 0) continue;
        if (strcmp(c->name, "allocate") == 0) continue; /* nor is there a draft any more */
        if (strcmp(c->name, "reverse a payment strictly") == 0) continue; /* it is reversed by then */
        ENDS(w->ledger, c->run(&s, on(2), 0, &r), CRD_OK);
    }
    OK(w, crd_credit_issue(w->ledger, on(2), "c1", &kt, &k));
    ck_assert_int_eq(crd_credit_get(k)->remaining, 80);
    OK(w, crd_unit_rollback(w->ledger));
    world_same(w, "a unit given up");
    ck_assert_int_eq(crd_credit_get(s.k)->remaining, 900);
    ck_assert_int_eq(crd_credit_get(s.p)->remaining, 400);
    ck_assert_uint_eq(crd_credit_get(s.p)->state, CRD_CREDIT_ACTIVE);
    ck_assert_int_eq(crd_invoice_get(s.i)->open, 500);
    ck_assert_int_eq(crd_invoice_get(s.j)->open, 200);
    ck_assert_uint_eq(crd_invoice_get(s.draft)->state, CRD_INVOICE_DRAFT);
    /* what it created is gone: using it is refused, by a reason */
    ENDS(w->ledger, try_apply(w->ledger, k, s.i, 1, 0, on(2), &r), CRD_E_NOT_FOUND);
    ENDS(w->ledger, crd_credit_refresh(k), CRD_E_NOT_FOUND);
    ck_assert_ptr_nonnull(crd_credit_get(k)); /* never NULL for a handle */
    crd_credit_free(k);
    /* old handles are still good */
    apply(w, s.k, s.i, 1, 2);
    OK(w, crd_credit_issue(w->ledger, on(2), "c1", &kt, NULL)); /* its id was never used */
    world_check(w);
    scene_close(&s);
    world_close(w);
}
END_TEST

START_TEST(R64_a_refused_command_leaves_the_unit_as_it_was_before_it) {
    world *w = world_open(_i);
    scene s;
    crd_result r = result_block();
    crd_credit_terms t = credit_terms("K", CRD_CREDIT_MEMO, 80);
    crd_customer_terms unknown;
    scene_fill(w);
    s = scene_open(w->ledger);
    OK(w, crd_unit_begin(w->ledger));
    OK(w, try_apply(w->ledger, s.k, s.i, 10, 0, on(2), &r));
    ENDS(w->ledger, try_apply(w->ledger, s.k, s.i, 491, 0, on(2), &r), CRD_E_INVOICE_AMOUNT);
    ck_assert_int_eq(crd_ledger_error(w->ledger)->limit, 490);
    ENDS(w->ledger, try_apply(w->ledger, s.k, s.i, 1, 0, on(1), &r), CRD_E_DATE);
    ENDS(w->ledger, crd_credit_issue(w->ledger, on(2), "c1", &t, NULL), CRD_E_EXISTS);
    ENDS(w->ledger, crd_credit_issue(w->ledger, on(2), "nobody", &t, NULL), CRD_E_NOT_FOUND);
    t.id = "abroad";
    t.currency = "JPY";
    t.expires = DAY(1);
    ENDS(w->ledger, crd_credit_issue(w->ledger, on(2), "c1", &t, NULL), CRD_E_DATE); /* after making an account */
    memset(&unknown, 0, sizeof unknown);
    unknown.struct_size = sizeof unknown;
    unknown.switches = 0x4000u;
    ENDS(w->ledger, crd_customer_add(w->ledger, on(2), "c8", &unknown, NULL), CRD_E_ARGUMENT);
    ENDS(w->ledger, try_undo(w->ledger, "c1", s.applied_seq, 101, on(2), &r), CRD_E_CREDIT_AMOUNT);
    ck_assert_int_eq(crd_credit_get(s.k)->remaining, 890);
    OK(w, try_apply(w->ledger, s.k, s.i, 20, 0, on(2), &r));
    OK(w, crd_unit_commit(w->ledger));
    world_check(w);
    ck_assert_int_eq(stored_credit(w, "c1", "K").applied, 130);
    ck_assert_int_eq(balance_of(w->ledger, "c1", "JPY", 2).version, 0);
    scene_close(&s);
    world_close(w);
}
END_TEST

START_TEST(R64_M16_an_id_taken_within_the_unit_is_refused_in_every_currency) {
    world *w = world_open(_i);
    crd_credit_terms k = credit_terms("same", CRD_CREDIT_PREPAYMENT, 5);
    crd_invoice_terms i = invoice_terms("same", 5);
    customer(w, "c1");
    k.receipt = "same";
    OK(w, crd_unit_begin(w->ledger));
    OK(w, crd_credit_issue(w->ledger, on(0), "c1", &k, NULL));
    OK(w, crd_invoice_enter(w->ledger, on(0), "c1", &i, NULL)); /* of another kind */
    ENDS(w->ledger, crd_credit_issue(w->ledger, on(0), "c1", &k, NULL), CRD_E_EXISTS);
    k.currency = i.currency = "JPY";
    ENDS(w->ledger, crd_credit_issue(w->ledger, on(0), "c1", &k, NULL), CRD_E_EXISTS);
    SUBJECT(w, CRD_KIND_CREDIT, "same");
    ENDS(w->ledger, crd_invoice_enter(w->ledger, on(0), "c1", &i, NULL), CRD_E_EXISTS);
    SUBJECT(w, CRD_KIND_INVOICE, "same");
    k.id = "another";
    ENDS(w->ledger, crd_credit_issue(w->ledger, on(0), "c1", &k, NULL), CRD_E_EXISTS);
    SUBJECT(w, CRD_KIND_RECEIPT, "same");
    OK(w, crd_unit_commit(w->ledger));
    world_check(w);
    world_close(w);
}
END_TEST

START_TEST(R64_units_do_not_nest_and_end_once) {
    world *w = world_open(_i);
    scene s;
    crd_plan_spec spec = plan_spec(0, 2);
    scene_fill(w);
    s = scene_open(w->ledger);
    ENDS(w->ledger, crd_unit_commit(w->ledger), CRD_E_UNIT);
    ENDS(w->ledger, crd_unit_rollback(w->ledger), CRD_E_UNIT);
    OK(w, crd_unit_begin(w->ledger));
    ENDS(w->ledger, crd_unit_begin(w->ledger), CRD_E_UNIT);
    ENDS(w->ledger, crd_reconcile(w->ledger, on(2), &spec, NULL), CRD_E_UNIT);
    ENDS(w->ledger, crd_ledger_verify(w->ledger, NULL, NULL), CRD_E_UNIT);
    OK(w, try_apply(w->ledger, s.k, s.i, 10, 0, on(2), NULL));
    ENDS(w->ledger, crd_credit_refresh(s.k), CRD_E_UNIT);
    OK(w, crd_unit_commit(w->ledger));
    ENDS(w->ledger, crd_unit_commit(w->ledger), CRD_E_UNIT);
    /* an empty unit is one too, and writes nothing */
    shim_reset(&w->shim);
    OK(w, crd_unit_begin(w->ledger));
    OK(w, crd_unit_commit(w->ledger));
    ck_assert_uint_eq(w->shim.writes, 0);
    world_check(w);
    scene_close(&s);
    world_close(w);
}
END_TEST

START_TEST(R64_closing_the_ledger_gives_an_open_unit_up) {
    world *w = world_open(_i);
    crd_ledger *rival;
    scene s;
    scene_fill(w);
    rival = world_rival(w);
    s = scene_open(rival);
    world_remember(w);
    ENDS(rival, crd_unit_begin(rival), CRD_OK);
    ENDS(rival, try_apply(rival, s.k, s.i, 10, 0, on(2), NULL), CRD_OK);
    scene_close(&s);
    crd_ledger_close(rival);
    w->rival_count--;
    world_same(w, "closing");
    world_close(w);
}
END_TEST

START_TEST(R32_R64_a_conflict_at_the_end_gives_the_whole_unit_up) {
    world *w = world_open(_i);
    scene s, t;
    crd_ledger *rival;
    crd_result r = result_block();
    scene_fill(w);
    rival = world_rival(w);
    s = scene_open(w->ledger);
    t = scene_open(rival);
    OK(w, crd_unit_begin(w->ledger));
    OK(w, try_apply(w->ledger, s.k, s.i, 10, 0, on(2), &r));
    OK(w, try_apply(w->ledger, s.p, s.i, 10, 0, on(2), &r));
    ENDS(rival, try_apply(rival, t.p, t.j, 1, 0, on(2), &r), CRD_OK);
    world_remember(w);
    ENDS(w->ledger, crd_unit_commit(w->ledger), CRD_E_CONFLICT);
    world_same(w, "a conflicting unit");
    ck_assert_int_eq(crd_credit_get(s.k)->remaining, 900); /* what it showed before the unit */
    ENDS(w->ledger, crd_unit_commit(w->ledger), CRD_E_UNIT); /* whatever it returns, the unit is over */
    OK(w, scene_refresh(&s));
    OK(w, crd_unit_begin(w->ledger));
    OK(w, try_apply(w->ledger, s.k, s.i, 10, 0, on(2), &r));
    OK(w, crd_unit_commit(w->ledger));
    world_check(w);
    scene_close(&s);
    scene_close(&t);
    world_close(w);
}
END_TEST

#ifndef CREDIT_NO_SQLITE
static void exec(sqlite3 *db, const char *sql) {
    char *text = NULL;
    int code = sqlite3_exec(db, sql, NULL, NULL, &text);
    ck_assert_msg(code == SQLITE_OK, "%s: %s", sql, text != NULL ? text : "");
}

static int events;
static void CRD_CALL count_event(void *ctx, const crd_event *event) {
    (void)ctx;
    (void)event;
    events++;
}

START_TEST(R64_commands_take_part_in_the_hosts_own_transaction) {
    world *w = world_open(STORE_SQLITE);
    sqlite3 *db = NULL;
    crd_sqlite *attached = NULL;
    crd_ledger_options options;
    crd_hooks hooks = w->hooks;
    crd_ledger *ledger = NULL;
    crd_result r = result_block();
    scene s;
    scene_fill(w);
    ck_assert_int_eq(sqlite3_open(w->path, &db), SQLITE_OK);
    exec(db, "CREATE TABLE orders (id TEXT)");
    ck_assert_int_eq(crd_sqlite_attach(db, 0, &attached), CRD_OK);
    hooks.event = count_event;
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    options.storage = crd_sqlite_storage(attached);
    options.hooks = &hooks;
    ck_assert_int_eq(crd_ledger_open(&options, &ledger), CRD_OK);
    s = scene_open(ledger);

    /* kept with the host's own row */
    exec(db, "BEGIN; INSERT INTO orders VALUES ('one')");
    ENDS(ledger, try_apply(ledger, s.k, s.i, 10, 0, on(2), &r), CRD_OK);
    ENDS(ledger, try_apply(ledger, s.k, s.i, 11, 0, on(2), &r), CRD_OK);
    exec(db, "COMMIT");
    world_check(w);
    ck_assert_int_eq(stored_credit(w, "c1", "K").applied, 121);
    ck_assert_int_eq(events, 0); /* the host might have rolled back */

    /* outside of a transaction a write is one of its own, and told */
    ENDS(ledger, try_apply(ledger, s.k, s.i, 1, 0, on(2), &r), CRD_OK);
    ck_assert_int_eq(events, 1);

    /* lost with it */
    world_remember(w);
    exec(db, "BEGIN; INSERT INTO orders VALUES ('two')");
    ENDS(ledger, try_apply(ledger, s.k, s.i, 100, 0, on(2), &r), CRD_OK);
    ENDS(ledger, crd_credit_void(ledger, on(2), s.p, 0, 0, &r), CRD_OK);
    exec(db, "ROLLBACK");
    world_same(w, "the host's rollback");
    /* handles are left stale: the next command conflicts, refresh reloads */
    ENDS(ledger, try_apply(ledger, s.k, s.i, 100, 0, on(2), &r), CRD_E_CONFLICT);
    ENDS(ledger, scene_refresh(&s), CRD_OK);
    ck_assert_int_eq(crd_credit_get(s.k)->applied, 122);
    ck_assert_int_eq(crd_credit_get(s.p)->remaining, 400);
    ENDS(ledger, try_apply(ledger, s.k, s.i, 100, 0, on(2), &r), CRD_OK);
    world_check(w);

    /* documents that only the lost transaction had */
    exec(db, "BEGIN");
    {
        crd_credit_terms t = credit_terms("ghost", CRD_CREDIT_MEMO, 5);
        crd_credit *ghost = NULL;
        ENDS(ledger, crd_credit_issue(ledger, on(2), "c2", &t, &ghost), CRD_OK);
        exec(db, "ROLLBACK");
        ENDS(ledger, try_apply(ledger, ghost, NULL, 1, 0, on(2), &r), CRD_E_CONFLICT);
        ENDS(ledger, crd_credit_refresh(ghost), CRD_E_NOT_FOUND);
        ENDS(ledger, crd_credit_issue(ledger, on(2), "c2", &t, NULL), CRD_OK);
        crd_credit_free(ghost);
    }
    exec(db, "BEGIN");
    ENDS(ledger, crd_customer_add(ledger, on(2), "c7", NULL, NULL), CRD_OK);
    exec(db, "ROLLBACK");
    {
        crd_credit_terms t = credit_terms("x", CRD_CREDIT_MEMO, 5);
        ENDS(ledger, crd_credit_issue(ledger, on(2), "c7", &t, NULL), CRD_E_NOT_FOUND);
    }
    ENDS(ledger, crd_customer_add(ledger, on(2), "c7", NULL, NULL), CRD_OK);
    world_check(w);

    scene_close(&s);
    crd_ledger_close(ledger);
    crd_sqlite_close(attached);
    sqlite3_close(db);
    world_close(w);
}
END_TEST
#endif

static Suite *make(void) {
    Suite *s = suite_create("unit");
    TCase *t = tcase_create("unit");
    tcase_add_loop_test(t, R64_several_commands_are_kept_in_one_write, 0, STORES);
    tcase_add_loop_test(t, R64_a_unit_given_up_leaves_handles_and_book_as_they_were, 0, STORES);
    tcase_add_loop_test(t, R64_a_refused_command_leaves_the_unit_as_it_was_before_it, 0, STORES);
    tcase_add_loop_test(t, R64_M16_an_id_taken_within_the_unit_is_refused_in_every_currency, 0, STORES);
    tcase_add_loop_test(t, R64_units_do_not_nest_and_end_once, 0, STORES);
    tcase_add_loop_test(t, R64_closing_the_ledger_gives_an_open_unit_up, 0, STORES);
    tcase_add_loop_test(t, R32_R64_a_conflict_at_the_end_gives_the_whole_unit_up, 0, STORES);
#ifndef CREDIT_NO_SQLITE
    tcase_add_test(t, R64_commands_take_part_in_the_hosts_own_transaction);
#endif
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return world_main(make);
}
