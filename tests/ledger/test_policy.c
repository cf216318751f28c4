/*
 * What a host may allow and switch off: customers that change (R33), the rights of M6's closed period (R78), permission
 * for every command (R30). Walks the scene where something has to hold for all commands.
 */
#include "support/scene.h"

#include <stdio.h>
#include <string.h>

#define EACH(c) for (const scene_command *c = scene_commands; c < scene_commands + scene_command_count; c++)

static crd_customer *find_customer(crd_ledger *ledger, const char *id) {
    crd_customer *out = NULL;
    ENDS(ledger, crd_customer_find(ledger, id, &out), CRD_OK);
    return out;
}

static crd_customer_change_terms change_of(uint32_t set, uint32_t clear) {
    crd_customer_change_terms t;
    memset(&t, 0, sizeof t);
    t.struct_size = sizeof t;
    t.set = set;
    t.clear = clear;
    return t;
}

static crd_status try_switch(crd_ledger *ledger, crd_customer *c, uint32_t set, uint32_t clear, int day, crd_result *r) {
    crd_customer_change_terms t = change_of(set, clear);
    return crd_customer_change(ledger, on(day), c, &t, r);
}

static uint32_t switches_of(world *w, const char *id, const char *currency) {
    book *b = world_book(w);
    uint32_t switches = book_account(b, id, currency)->switches;
    book_free(b);
    return switches;
}

static crd_status issue_in(world *w, const char *who, const char *id, const char *currency, int day) {
    crd_credit_terms t = credit_terms(id, CRD_CREDIT_MEMO, 100);
    t.currency = currency;
    return crd_credit_issue(w->ledger, on(day), who, &t, NULL);
}

/* ---- customers ---- */

START_TEST(R33_a_change_of_switches_reaches_every_account_in_one_write) {
    world *w = world_open(_i);
    crd_customer *c;
    crd_result r = result_block();
    book *b;
    customer(w, "c1");
    OK(w, issue_in(w, "c1", "E", "EUR", 0));
    OK(w, issue_in(w, "c1", "U", "USD", 0));
    c = find_customer(w->ledger, "c1");
    shim_reset(&w->shim);
    OK(w, try_switch(w->ledger, c, CRD_SWITCH_FEATURE_OFF, 0, 1, &r));
    ck_assert_uint_eq(w->shim.reads, 1);
    ck_assert_uint_eq(w->shim.writes, 1);
    world_check(w);
    ck_assert_int_eq(r.first_seq, 2);
    ck_assert_int_eq(r.last_seq, 2);
    ck_assert_uint_eq(crd_customer_get(c)->switches, CRD_SWITCH_FEATURE_OFF);
    ck_assert_uint_eq(switches_of(w, "c1", ""), CRD_SWITCH_FEATURE_OFF);
    ck_assert_uint_eq(switches_of(w, "c1", "EUR"), CRD_SWITCH_FEATURE_OFF);
    ck_assert_uint_eq(switches_of(w, "c1", "USD"), CRD_SWITCH_FEATURE_OFF);
    b = world_book(w);
    ck_assert_uint_eq(book_customer(b, "c1")->switches, CRD_SWITCH_FEATURE_OFF);
    ck_assert_uint_eq(book_entry(b, "c1", "EUR", 2)->type, CRD_ENTRY_SWITCHES);
    ck_assert_int_eq(book_entry(b, "c1", "EUR", 2)->amount, CRD_SWITCH_FEATURE_OFF);
    ck_assert_str_eq(book_entry(b, "c1", "EUR", 2)->actor, "clerk");
    book_free(b);
    /* refused in every currency, old and new; only switching it on again is not */
    REFUSED(w, issue_in(w, "c1", "E2", "EUR", 2), CRD_E_DISABLED);
    REFUSED(w, issue_in(w, "c1", "G", "GBP", 2), CRD_E_DISABLED);
    REFUSED(w, try_switch(w->ledger, c, CRD_SWITCH_AUTO_APPLY_ON, 0, 2, &r), CRD_E_DISABLED);
    OK(w, try_switch(w->ledger, c, 0, CRD_SWITCH_FEATURE_OFF, 2, &r));
    world_check(w);
    ck_assert_uint_eq(switches_of(w, "c1", "USD"), 0);
    OK(w, issue_in(w, "c1", "E2", "EUR", 2));
    OK(w, issue_in(w, "c1", "G", "GBP", 2));
    crd_customer_free(c);
    world_close(w);
}
END_TEST

START_TEST(R33_the_same_switches_again_write_nothing) {
    world *w = world_open(_i);
    crd_customer *c;
    crd_customer_change_terms t = change_of(0, 0);
    crd_result r = result_block();
    customer(w, "c1");
    c = find_customer(w->ledger, "c1");
    OK(w, try_switch(w->ledger, c, CRD_SWITCH_AUTO_APPLY_ON, 0, 1, &r));
    world_remember(w);
    OK(w, try_switch(w->ledger, c, CRD_SWITCH_AUTO_APPLY_ON, CRD_SWITCH_FEATURE_OFF, 1, &r));
    ck_assert_int_eq(r.last_seq, 0);
    t.name = "";
    OK(w, crd_customer_change(w->ledger, on(1), c, &t, &r));
    world_same(w, "nothing to change");
    /* on and off are two sides of one switch */
    OK(w, try_switch(w->ledger, c, CRD_SWITCH_AUTO_APPLY_OFF, 0, 1, &r));
    ck_assert_uint_eq(crd_customer_get(c)->switches, CRD_SWITCH_AUTO_APPLY_OFF);
    crd_customer_free(c);
    world_close(w);
}
END_TEST

START_TEST(R33_texts_that_are_not_given_stay_and_empty_ones_clear) {
    world *w = world_open(_i);
    crd_customer *c, *d;
    crd_customer_terms made;
    crd_customer_change_terms t = change_of(0, 0);
    crd_result r = result_block();
    const crd_customer_record *record;
    memset(&made, 0, sizeof made);
    made.struct_size = sizeof made;
    made.name = "Acme";
    made.category = "retail";
    made.location = "north";
    made.parent = "head";
    OK(w, crd_customer_add(w->ledger, on(0), "c1", &made, &c));
    t.name = "Acme & Sons";
    t.location = "";
    OK(w, crd_customer_change(w->ledger, on(1), c, &t, &r));
    world_check(w);
    d = find_customer(w->ledger, "c1");
    for (int i = 0; i < 2; i++) {
        record = crd_customer_get(i == 0 ? c : d);
        ck_assert_str_eq(record->name, "Acme & Sons");
        ck_assert_str_eq(record->category, "retail");
        ck_assert_str_eq(record->location, "");
        ck_assert_str_eq(record->parent, "head");
        ck_assert_int_eq(record->first_seq, 1);
        ck_assert_int_eq(record->last_seq, 2);
    }
    REFUSED(w, crd_customer_change(w->ledger, on(1), c, NULL, &r), CRD_E_ARGUMENT);
    REFUSED(w, crd_customer_change(w->ledger, on(1), NULL, &t, &r), CRD_E_ARGUMENT);
    REFUSED(w, try_switch(w->ledger, c, 8, 0, 1, &r), CRD_E_ARGUMENT);
    FIELD(w, "change.set");
    REFUSED(w, try_switch(w->ledger, c, 0, 8, 1, &r), CRD_E_ARGUMENT);
    FIELD(w, "change.clear");
    REFUSED(w, try_switch(w->ledger, c, 1, 1, 1, &r), CRD_E_ARGUMENT);
    REFUSED(w, try_switch(w->ledger, c, 6, 0, 1, &r), CRD_E_ARGUMENT);
    t.category = "a category may not be longer than an id, which is what sixty-three bytes are";
    REFUSED(w, crd_customer_change(w->ledger, on(1), c, &t, &r), CRD_E_ARGUMENT);
    FIELD(w, "change.category");
    crd_customer_free(c);
    crd_customer_free(d);
    world_close(w);
}
END_TEST

/* A rival makes an account while the switches change: it must not come out with the old ones. */
static void rival_issues(void *ctx, shim *s) {
    crd_ledger *rival = ctx;
    crd_credit_terms t = credit_terms("R", CRD_CREDIT_MEMO, 10);
    s->before_write = NULL;
    t.currency = "CHF";
    ENDS(rival, crd_credit_issue(rival, on(1), "c1", &t, NULL), CRD_OK);
}
static void rival_switches(void *ctx, shim *s) {
    crd_ledger *rival = ctx;
    crd_customer *c = find_customer(rival, "c1");
    s->before_write = NULL;
    ENDS(rival, try_switch(rival, c, CRD_SWITCH_FEATURE_OFF, 0, 1, NULL), CRD_OK);
    crd_customer_free(c);
}

START_TEST(R33_an_account_made_meanwhile_obeys_the_switches) {
    world *w = world_open(_i);
    crd_customer *c;
    crd_result r = result_block();
    customer(w, "c1");
    OK(w, issue_in(w, "c1", "E", "EUR", 0));
    c = find_customer(w->ledger, "c1");
    w->shim.ctx = world_rival(w);
    /* the new account comes first: it was not seen, but the change is sure that there is none */
    w->shim.before_write = rival_issues;
    ENDS(w->ledger, try_switch(w->ledger, c, CRD_SWITCH_FEATURE_OFF, 0, 1, &r), CRD_E_CONFLICT);
    ck_assert_str_eq(crd_ledger_error(w->ledger)->customer, "c1");
    OK(w, crd_customer_refresh(c));
    OK(w, try_switch(w->ledger, c, CRD_SWITCH_FEATURE_OFF, 0, 1, &r));
    world_check(w);
    ck_assert_uint_eq(switches_of(w, "c1", "CHF"), switches_of(w, "c1", ""));
    ck_assert_uint_eq(switches_of(w, "c1", "CHF"), switches_of(w, "c1", "EUR"));
    OK(w, crd_customer_refresh(c));
    OK(w, try_switch(w->ledger, c, 0, CRD_SWITCH_FEATURE_OFF, 1, &r));
    /* the switches come first */
    w->shim.before_write = rival_switches;
    ENDS(w->ledger, issue_in(w, "c1", "J", "JPY", 1), CRD_E_DISABLED); /* tried again, it sees them */
    world_check(w);
    crd_customer_free(c);
    world_close(w);
}
END_TEST

START_TEST(R33_a_unit_that_made_an_account_switches_it_too) {
    world *w = world_open(_i);
    crd_customer *c, *n = NULL;
    crd_result r = result_block();
    customer(w, "c1");
    c = find_customer(w->ledger, "c1");
    OK(w, crd_unit_begin(w->ledger));
    OK(w, issue_in(w, "c1", "E", "EUR", 1));
    OK(w, try_switch(w->ledger, c, CRD_SWITCH_AUTO_APPLY_OFF, 0, 1, &r));
    OK(w, issue_in(w, "c1", "U", "USD", 1));
    OK(w, crd_customer_add(w->ledger, on(1), "c2", NULL, &n));
    OK(w, try_switch(w->ledger, n, CRD_SWITCH_FEATURE_OFF, 0, 1, &r));
    ENDS(w->ledger, issue_in(w, "c2", "E", "EUR", 1), CRD_E_DISABLED);
    OK(w, crd_unit_commit(w->ledger));
    world_check(w);
    ck_assert_uint_eq(switches_of(w, "c1", "EUR"), CRD_SWITCH_AUTO_APPLY_OFF);
    ck_assert_uint_eq(switches_of(w, "c1", "USD"), CRD_SWITCH_AUTO_APPLY_OFF);
    ck_assert_uint_eq(switches_of(w, "c2", ""), CRD_SWITCH_FEATURE_OFF);
    crd_customer_free(c);
    crd_customer_free(n);
    world_close(w);
}
END_TEST

START_TEST(R33_while_a_customer_is_off_every_command_on_it_is_refused_and_reading_is_not) {
    EACH(c) {
        world *w = world_open(_i);
        scene s;
        crd_result r = result_block();
        crd_plan_spec spec = plan_spec(0, 2);
        crd_plan_result done = plan_result_block();
        int bounce = c->code == CRD_COMMAND_RECEIPT_REVERSE; /* the bank does not ask: it works all the same */
        int elsewhere = c->code == CRD_COMMAND_CUSTOMER_ADD || bounce;
        w->careless = 1;
        scene_fill(w);
        s = scene_open(w->ledger);
        OK(w, try_switch(w->ledger, s.c, CRD_SWITCH_FEATURE_OFF, 0, 2, &r));
        if (!elsewhere) {
            REFUSED(w, c->run(&s, on(2), 0, &r), CRD_E_DISABLED);
            SUBJECT(w, CRD_KIND_CUSTOMER, "c1");
        }
        if (c == scene_commands) {
            OK(w, crd_reconcile(w->ledger, on(2), &spec, &done));
            ck_assert_uint_eq(done.posted, 0);
            ck_assert_int_eq(balance_of(w->ledger, "c1", "EUR", 2).outstanding, 700);
            OK(w, crd_sweep(w->ledger, on(200), NULL, NULL)); /* the promise expires all the same */
            ck_assert_int_eq(stored_credit(w, "c1", "P").expired, 400);
        }
        OK(w, try_switch(w->ledger, s.c, 0, CRD_SWITCH_FEATURE_OFF, 2, &r));
        if (c != scene_commands || bounce) ENDS(w->ledger, c->run(&s, on(2), 0, &r), CRD_OK);
        world_check(w);
        scene_close(&s);
        world_close(w);
    }
}
END_TEST

/* ---- closed periods ---- */

static struct {
    int asked, refuse_override;
    uint32_t flags;
} guard;

static int32_t CRD_CALL authorize(void *ctx, const crd_operation *operation) {
    (void)ctx;
    guard.asked++;
    guard.flags = operation->request_flags;
    return guard.refuse_override && (operation->request_flags & CRD_REQUEST_OVERRIDE_CLOSED);
}

static const crd_request *overriding(int day, const char *key) {
    crd_request *r = (crd_request *)(uintptr_t)keyed(day, key);
    r->flags = CRD_REQUEST_OVERRIDE_CLOSED;
    return r;
}

static world *open_guarded(int store) {
    crd_hooks hooks;
    memset(&hooks, 0, sizeof hooks);
    hooks.authorize = authorize;
    memset(&guard, 0, sizeof guard);
    return world_open_with(store, NULL, NULL, &hooks);
}

static void close_through(world *w, int day) {
    crd_settings settings;
    memset(&settings, 0, sizeof settings);
    settings.struct_size = sizeof settings;
    settings.closed_through = DAY(day);
    OK(w, crd_ledger_configure(w->ledger, &settings));
}

/* Before existence, duplicate, customer, currency; but not before the arguments. */
START_TEST(R33_M16_off_is_said_before_anything_is_looked_for) {
    world *w = world_open(_i);
    crd_customer *c;
    crd_credit *k;
    crd_invoice *i, *yen;
    crd_hold *h;
    crd_transfer_terms to;
    crd_apply_terms all;
    crd_invoice_terms t = invoice_terms("Y", 5);
    crd_plan_spec spec = plan_spec(0, 1);
    crd_settings off;
    customer(w, "c1");
    customer(w, "c2");
    k = memo(w, "c1", "K", 10, 0);
    i = invoice(w, "c2", "I", 10, 0, 0);
    t.currency = "JPY";
    OK(w, crd_invoice_enter(w->ledger, on(0), "c1", &t, &yen));
    hold_credit(w, k, NULL, "H", 3, 0, 0);
    h = find_hold(w->ledger, "c1", "H");
    c = find_customer(w->ledger, "c1");
    OK(w, try_switch(w->ledger, c, CRD_SWITCH_FEATURE_OFF, 0, 0, NULL));
    memset(&to, 0, sizeof to);
    to.struct_size = sizeof to;
    to.customer = "nobody";
    memset(&all, 0, sizeof all);
    all.struct_size = sizeof all;
    REFUSED(w, crd_credit_transfer(w->ledger, on(1), k, &to, NULL, NULL), CRD_E_DISABLED);
    REFUSED(w, issue_in(w, "c1", "K", "EUR", 1), CRD_E_DISABLED);
    REFUSED(w, try_apply(w->ledger, k, i, 1, 0, on(1), NULL), CRD_E_DISABLED);
    REFUSED(w, try_apply(w->ledger, k, yen, 1, 0, on(1), NULL), CRD_E_DISABLED);
    REFUSED(w, crd_hold_capture(w->ledger, on(1), h, yen, &all, NULL), CRD_E_DISABLED);
    REFUSED(w, try_undo(w->ledger, "c1", 99, 0, on(1), NULL), CRD_E_DISABLED);
    REFUSED(w, crd_application_change(w->ledger, on(1), "c1", "EUR", 99, 1, NULL), CRD_E_DISABLED);
    memset(&off, 0, sizeof off);
    off.struct_size = sizeof off;
    off.feature_off = 1;
    OK(w, crd_ledger_configure(w->ledger, &off));
    spec.date = CRD_DATE_MAX + 1;
    REFUSED(w, crd_reconcile(w->ledger, on(1), &spec, NULL), CRD_E_ARGUMENT);
    spec.date = DAY(1);
    REFUSED(w, crd_reconcile(w->ledger, on(1), &spec, NULL), CRD_E_DISABLED);
    crd_hold_free(h);
    crd_invoice_free(i);
    crd_invoice_free(yen);
    crd_credit_free(k);
    crd_customer_free(c);
    world_close(w);
}
END_TEST

START_TEST(R78_M6_no_command_is_dated_in_a_closed_period_without_the_right_to) {
    EACH(c) {
        world *w = open_guarded(_i);
        scene s;
        crd_result r = result_block();
        w->careless = 1;
        scene_fill(w);
        s = scene_open(w->ledger);
        close_through(w, 2);
        REFUSED(w, c->run(&s, on(2), 0, &r), CRD_E_CLOSED);
        ck_assert_int_eq(crd_ledger_error(w->ledger)->limit, DAY(2));
        ck_assert_int_le(crd_ledger_error(w->ledger)->given, DAY(2));
        ck_assert_uint_eq(guard.flags, 0);
        guard.refuse_override = 1;
        REFUSED(w, c->run(&s, overriding(2, NULL), 0, &r), CRD_E_DENIED);
        guard.refuse_override = 0;
        guard.asked = 0;
        ENDS(w->ledger, c->run(&s, overriding(2, "key"), 0, &r), CRD_OK);
        ck_assert_int_eq(guard.asked, 1);
        ck_assert_uint_eq(guard.flags, CRD_REQUEST_OVERRIDE_CLOSED);
        if (!c->creates) ck_assert_int_eq(r.amount, c->amount);
        world_check(w);
        /* the right is no content: the same command without it is the same */
        world_remember(w);
        ENDS(w->ledger, c->run(&s, keyed(2, "key"), 0, &r), CRD_OK);
        world_same(w, c->name);
        scene_close(&s);
        world_close(w);
    }
}
END_TEST

START_TEST(R78_M6_the_day_after_the_close_is_open) {
    EACH(c) {
        world *w = world_open(_i);
        scene s;
        crd_result r = result_block();
        w->careless = 1;
        scene_fill(w);
        s = scene_open(w->ledger);
        close_through(w, 2);
        /* It would take the sale, or the credit, out of a closed period. */
        if (strcmp(c->name, "void an invoice") == 0 || c->code == CRD_COMMAND_CREDIT_DELETE) {
            REFUSED(w, c->run(&s, on(3), 0, &r), CRD_E_CLOSED);
            if (c->code == CRD_COMMAND_CREDIT_DELETE) /* nor is it a mistake of that day any more */
                REFUSED(w, c->run(&s, overriding(3, NULL), 0, &r), CRD_E_WINDOW);
            else
                OK(w, c->run(&s, overriding(3, NULL), 0, &r));
        } else {
            ENDS(w->ledger, c->run(&s, on(3), 0, &r), CRD_OK);
        }
        world_check(w);
        scene_close(&s);
        world_close(w);
    }
}
END_TEST

START_TEST(R78_a_run_needs_the_right_too_and_a_sweep_has_no_use_for_it) {
    world *w = open_guarded(_i);
    scene s;
    crd_plan_spec spec = plan_spec(0, 2);
    crd_plan_result r = plan_result_block();
    scene_fill(w);
    s = scene_open(w->ledger);
    close_through(w, 2);
    REFUSED(w, crd_reconcile(w->ledger, on(2), &spec, &r), CRD_E_CLOSED);
    guard.refuse_override = 1;
    REFUSED(w, crd_reconcile(w->ledger, overriding(2, NULL), &spec, &r), CRD_E_DENIED);
    guard.refuse_override = 0;
    OK(w, crd_reconcile(w->ledger, overriding(2, NULL), &spec, &r));
    ck_assert_uint_eq(r.posted, 1);
    world_check(w);
    REFUSED(w, crd_sweep(w->ledger, overriding(2, NULL), NULL, NULL), CRD_E_ARGUMENT);
    FIELD(w, "request.flags");
    {
        crd_request odd = *on(2);
        odd.flags = 2;
        REFUSED(w, try_apply(w->ledger, s.k, s.i, 1, 0, &odd, NULL), CRD_E_ARGUMENT);
        FIELD(w, "request.flags");
    }
    scene_close(&s);
    world_close(w);
}
END_TEST

/* An expired credit that a command of the closed period touches expires in it: the period is open for that command. */
START_TEST(R78_M7_what_expired_is_entered_on_its_day_for_a_command_that_overrides) {
    world *w = world_open(_i);
    crd_credit *p;
    crd_invoice *i;
    int64_t seq;
    crd_result r = result_block();
    customer(w, "c1");
    p = promise(w, "c1", "P", 100, 0, 10);
    i = invoice(w, "c1", "I", 60, 0, 30);
    seq = apply(w, p, i, 60, 1);
    close_through(w, 15);
    OK(w, try_undo(w->ledger, "c1", seq, 0, overriding(12, NULL), &r));
    world_check(w);
    ck_assert_int_eq(stored_credit(w, "c1", "P").expired, 100);
    ck_assert_int_eq(stored_credit(w, "c1", "P").last_date, DAY(12));
    crd_credit_free(p);
    crd_invoice_free(i);
    world_close(w);
}
END_TEST

static Suite *make(void) {
    Suite *s = suite_create("policy");
    TCase *t = tcase_create("policy");
    tcase_set_timeout(t, 60); /* the scene is long, and the machine may be busy */
    tcase_add_loop_test(t, R33_a_change_of_switches_reaches_every_account_in_one_write, 0, STORES);
    tcase_add_loop_test(t, R33_the_same_switches_again_write_nothing, 0, STORES);
    tcase_add_loop_test(t, R33_texts_that_are_not_given_stay_and_empty_ones_clear, 0, STORES);
    tcase_add_loop_test(t, R33_an_account_made_meanwhile_obeys_the_switches, 0, STORES);
    tcase_add_loop_test(t, R33_a_unit_that_made_an_account_switches_it_too, 0, STORES);
    tcase_add_loop_test(t, R33_while_a_customer_is_off_every_command_on_it_is_refused_and_reading_is_not, 0, STORES);
    tcase_add_loop_test(t, R33_M16_off_is_said_before_anything_is_looked_for, 0, STORES);
    tcase_add_loop_test(t, R78_M6_no_command_is_dated_in_a_closed_period_without_the_right_to, 0, STORES);
    tcase_add_loop_test(t, R78_M6_the_day_after_the_close_is_open, 0, STORES);
    tcase_add_loop_test(t, R78_a_run_needs_the_right_too_and_a_sweep_has_no_use_for_it, 0, STORES);
    tcase_add_loop_test(t, R78_M7_what_expired_is_entered_on_its_day_for_a_command_that_overrides, 0, STORES);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return world_main(make);
}
