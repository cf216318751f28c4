/*
 * Callbacks of the host: authorize, events, clock; re-entry; switches that turn the feature off.
 */
#include "support/scene.h"

#include <stdio.h>
#include <string.h>

#define EACH(c) for (const scene_command *c = scene_commands; c < scene_commands + scene_command_count; c++)

static struct {
    int asked, refuse;
    crd_operation last;
    char actor[64], customer[64], currency[8], subject[64];
} guard;

static int32_t CRD_CALL authorize(void *ctx, const crd_operation *operation) {
    (void)ctx;
    guard.asked++;
    guard.last = *operation;
    snprintf(guard.actor, sizeof guard.actor, "%s", operation->actor);
    snprintf(guard.customer, sizeof guard.customer, "%s", operation->customer);
    snprintf(guard.currency, sizeof guard.currency, "%s", operation->currency);
    snprintf(guard.subject, sizeof guard.subject, "%s", operation->subject != NULL ? operation->subject : "NULL");
    return guard.refuse;
}

START_TEST(R30_authorize_is_asked_once_per_command_and_may_refuse_it) {
    EACH(c) {
        crd_hooks hooks;
        world *w;
        scene s;
        crd_result r = result_block();
        memset(&hooks, 0, sizeof hooks);
        hooks.authorize = authorize;
        memset(&guard, 0, sizeof guard);
        w = world_open_with(_i, NULL, NULL, &hooks);
        scene_fill(w);
        s = scene_open(w->ledger);
        guard.asked = 0;
        guard.refuse = 1;
        REFUSED(w, c->run(&s, on(2), 0, &r), CRD_E_DENIED);
        ck_assert_msg(guard.asked == 1, "%s: asked %d times", c->name, guard.asked);
        ck_assert_uint_eq(guard.last.command, c->code);
        ck_assert_str_eq(guard.actor, "clerk");
        ck_assert_str_eq(guard.customer, c->code == CRD_COMMAND_CUSTOMER_ADD ? "c3" : "c1");
        ck_assert_str_ne(guard.subject, "NULL");
        guard.refuse = 0;
        ENDS(w->ledger, c->run(&s, on(2), 0, &r), CRD_OK);
        world_check(w);
        scene_close(&s);
        world_close(w);
    }
}
END_TEST

#define TOLD(call, amount_, flags_)                                                                                    \
    do {                                                                                                               \
        REFUSED(w, call, CRD_E_DENIED);                                                                                \
        ck_assert_msg(guard.last.amount == (amount_), "%s: told %lld", #call, (long long)guard.last.amount);           \
        ck_assert_msg(guard.last.flags == (flags_), "%s: told flags %x", #call, (unsigned)guard.last.flags);           \
    } while (0)

/* Who may pay out 50 may not pay out 860 by saying "all". */
START_TEST(R30_authorize_is_told_what_all_comes_to_and_the_flags_of_the_call) {
    crd_hooks hooks;
    world *w;
    scene s;
    crd_refund_terms refund;
    crd_transfer_terms transfer;
    crd_apply_terms all;
    crd_hold_terms hold = hold_terms(NULL, 0, 0);
    crd_reverse_terms strict;
    crd_credit_terms issue = credit_terms("new", CRD_CREDIT_MEMO, 7);
    crd_invoice_terms sale = invoice_terms("new", 9);
    crd_request late = *at_noon(600);
    memset(&hooks, 0, sizeof hooks);
    memset(&guard, 0, sizeof guard);
    memset(&refund, 0, sizeof refund);
    memset(&transfer, 0, sizeof transfer);
    memset(&all, 0, sizeof all);
    memset(&strict, 0, sizeof strict);
    hooks.authorize = authorize;
    w = world_open_with(_i, NULL, NULL, &hooks);
    scene_fill(w);
    s = scene_open(w->ledger);
    guard.refuse = 1;
    refund.struct_size = sizeof refund;
    transfer.struct_size = sizeof transfer;
    transfer.customer = "c2";
    all.struct_size = sizeof all;
    all.flags = hold.flags = CRD_APPLY_CLAMP;
    strict.struct_size = sizeof strict;
    strict.flags = CRD_REVERSE_STRICT;
    TOLD(crd_credit_refund(w->ledger, on(2), s.k, &refund, NULL), 860, 0);
    refund.amount = 5;
    refund.flags = CRD_REFUND_OVERRIDE;
    TOLD(crd_credit_refund(w->ledger, on(2), s.k, &refund, NULL), 5, CRD_REFUND_OVERRIDE);
    refund.amount = 0; /* the hold of 40 has lapsed by then, entered or not */
    TOLD(crd_credit_refund(w->ledger, &late, s.k, &refund, NULL), 900, CRD_REFUND_OVERRIDE);
    TOLD(crd_credit_transfer(w->ledger, on(2), s.k, &transfer, NULL, NULL), 860, 0);
    TOLD(crd_credit_void(w->ledger, on(2), s.k, 0, 0, NULL), 860, 0);
    TOLD(crd_credit_void(w->ledger, on(2), s.k, 0, CRD_VOID_RELEASE, NULL), 900, CRD_VOID_RELEASE);
    TOLD(crd_credit_void(w->ledger, on(2), s.k, 3, 0, NULL), 3, 0);
    TOLD(crd_credit_apply(w->ledger, on(2), s.k, s.i, &all, NULL), 500, CRD_APPLY_CLAMP);
    TOLD(crd_credit_apply(w->ledger, on(2), s.p, s.i, &all, NULL), 400, CRD_APPLY_CLAMP);
    TOLD(crd_credit_apply(w->ledger, on(2), s.k, NULL, &all, NULL), 860, CRD_APPLY_CLAMP);
    TOLD(crd_credit_hold(w->ledger, on(2), s.k, NULL, &hold, NULL), 860, CRD_APPLY_CLAMP);
    TOLD(crd_credit_hold(w->ledger, on(2), s.k, s.draft, &hold, NULL), 200, CRD_APPLY_CLAMP);
    all.flags = 0;
    TOLD(crd_hold_capture(w->ledger, on(2), s.held, NULL, &all, NULL), 40, 0);
    TOLD(crd_hold_release(w->ledger, on(2), s.held, 0, NULL), 40, 0);
    TOLD(crd_credit_delete(w->ledger, on(2), s.x, CRD_DELETE_CASCADE, NULL), 25, CRD_DELETE_CASCADE);
    TOLD(crd_invoice_write_off(w->ledger, on(2), s.j, 0, 0, NULL), 200, 0);
    TOLD(crd_invoice_void(w->ledger, on(2), s.j, CRD_VOID_STRICT, NULL), 300, CRD_VOID_STRICT);
    TOLD(crd_invoice_send(w->ledger, on(2), s.draft, CRD_INVOICE_APPLY, NULL), 200, CRD_INVOICE_APPLY);
    TOLD(crd_invoice_reverse(w->ledger, on(2), s.j, NULL, NULL), 300, 0);
    TOLD(crd_receipt_reverse(w->ledger, on(2), s.paid, &strict, NULL), 90, CRD_REVERSE_STRICT);
    issue.flags = CRD_ISSUE_NO_APPLY;
    TOLD(crd_credit_issue(w->ledger, on(2), "c1", &issue, NULL), 7, CRD_ISSUE_NO_APPLY);
    sale.flags = CRD_INVOICE_AS_DISPUTED;
    TOLD(crd_invoice_enter(w->ledger, on(2), "c1", &sale, NULL), 9, CRD_INVOICE_AS_DISPUTED);
    scene_close(&s);
    world_close(w);
}
END_TEST

START_TEST(R30_reconcile_asks_too_and_reading_does_not) {
    crd_hooks hooks;
    world *w;
    scene s;
    crd_plan_spec spec = plan_spec(0, 2);
    memset(&hooks, 0, sizeof hooks);
    hooks.authorize = authorize;
    memset(&guard, 0, sizeof guard);
    w = world_open_with(_i, NULL, NULL, &hooks);
    scene_fill(w);
    guard.refuse = 1;
    guard.asked = 0;
    s = scene_open(w->ledger);
    (void)balance_of(w->ledger, "c1", "EUR", 0);
    OK(w, crd_ledger_verify(w->ledger, NULL, NULL));
    ck_assert_int_eq(guard.asked, 0);
    REFUSED(w, crd_reconcile(w->ledger, on(2), &spec, NULL), CRD_E_DENIED);
    ck_assert_uint_eq(guard.last.command, CRD_COMMAND_RECONCILE);
    scene_close(&s);
    world_close(w);
}
END_TEST

START_TEST(R30_without_a_hook_everything_or_nothing_is_allowed) {
    world *w = world_open(_i);
    crd_ledger_options options;
    crd_ledger *strict = NULL;
    scene s;
    crd_result r = result_block();
    scene_fill(w);
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    options.storage = world_storage(w);
    options.hooks = &w->hooks;
    options.flags = CRD_LEDGER_DENY;
    ck_assert_int_eq(crd_ledger_open(&options, &strict), CRD_OK);
    s = scene_open(strict);
    world_remember(w);
    EACH(c) {
        ENDS(strict, c->run(&s, on(2), 0, &r), CRD_E_DENIED);
        world_same(w, c->name);
    }
    ENDS(strict, crd_ledger_verify(strict, NULL, NULL), CRD_OK);
    scene_close(&s);
    crd_ledger_close(strict);
    world_close(w);
}
END_TEST

START_TEST(M16_arguments_are_looked_at_before_permission_and_permission_before_the_rest) {
    crd_hooks hooks;
    crd_settings settings;
    world *w;
    scene s;
    memset(&hooks, 0, sizeof hooks);
    hooks.authorize = authorize;
    memset(&guard, 0, sizeof guard);
    w = world_open_with(_i, NULL, NULL, &hooks);
    scene_fill(w);
    s = scene_open(w->ledger);
    OK(w, try_apply(w->ledger, s.k, s.i, 1, 0, keyed(2, "x"), NULL));
    guard.refuse = 1;
    REFUSED(w, try_apply(w->ledger, s.k, s.i, -1, 0, on(2), NULL), CRD_E_ARGUMENT);
    memset(&settings, 0, sizeof settings);
    settings.struct_size = sizeof settings;
    settings.feature_off = 1;
    OK(w, crd_ledger_configure(w->ledger, &settings));
    REFUSED(w, try_apply(w->ledger, s.k, s.i, 9999, 0, on(2), NULL), CRD_E_DENIED);
    /* whose key is used for something else is not told so, but that he may not; off comes before the key as well */
    REFUSED(w, try_apply(w->ledger, s.k, s.i, 2, 0, keyed(2, "x"), NULL), CRD_E_DENIED);
    guard.refuse = 0;
    REFUSED(w, try_apply(w->ledger, s.k, s.i, 2, 0, keyed(2, "x"), NULL), CRD_E_DISABLED);
    OK(w, crd_unit_begin(w->ledger));
    ENDS(w->ledger, try_apply(w->ledger, s.k, s.i, 2, 0, keyed(2, "x"), NULL), CRD_E_DISABLED);
    guard.refuse = 1;
    ENDS(w->ledger, try_apply(w->ledger, s.k, s.i, 2, 0, keyed(2, "x"), NULL), CRD_E_DENIED);
    guard.refuse = 0;
    settings.feature_off = 0;
    OK(w, crd_ledger_configure(w->ledger, &settings));
    ENDS(w->ledger, try_apply(w->ledger, s.k, s.i, 2, 0, keyed(2, "x"), NULL), CRD_E_KEY_REUSED);
    FIELD(w, "terms.amount");
    ENDS(w->ledger, try_apply(w->ledger, s.k, s.i, 9999, 0, keyed(2, "x"), NULL), CRD_E_KEY_REUSED);
    OK(w, crd_unit_commit(w->ledger));
    settings.feature_off = 1;
    OK(w, crd_ledger_configure(w->ledger, &settings));
    REFUSED(w, try_apply(w->ledger, s.k, s.i, 9999, 0, on(2), NULL), CRD_E_DISABLED);
    scene_close(&s);
    world_close(w);
}
END_TEST

/* ---- events ---- */

static struct {
    int count;
    uint32_t type[64];
    int64_t seq[64];
    int64_t last_seq, remaining, open;
    int has_credit, has_invoice, has_receipt;
} told;

static void CRD_CALL event(void *ctx, const crd_event *e) {
    (void)ctx;
    if (told.count < 64) {
        told.type[told.count] = e->entry->type;
        told.seq[told.count] = e->entry->seq;
    }
    told.count++;
    told.last_seq = e->account->last_seq;
    told.has_credit = e->credit != NULL;
    told.has_invoice = e->invoice != NULL;
    told.has_receipt = e->receipt != NULL;
    told.remaining = e->credit != NULL ? e->credit->remaining : -1;
    told.open = e->invoice != NULL ? e->invoice->open : -1;
}

START_TEST(R9_every_entry_is_told_once_in_order_after_it_was_kept) {
    crd_hooks hooks;
    world *w;
    scene s;
    crd_result r = result_block();
    memset(&hooks, 0, sizeof hooks);
    hooks.event = event;
    w = world_open_with(_i, NULL, NULL, &hooks);
    scene_fill(w);
    s = scene_open(w->ledger);
    memset(&told, 0, sizeof told);
    OK(w, try_apply(w->ledger, s.k, s.i, 100, 0, on(2), &r));
    ck_assert_int_eq(told.count, 1);
    ck_assert_uint_eq(told.type[0], CRD_ENTRY_APPLY);
    ck_assert_int_eq(told.seq[0], r.first_seq);
    ck_assert_int_eq(told.last_seq, r.last_seq);
    ck_assert_int_eq(told.remaining, 800);
    ck_assert_int_eq(told.open, 400);
    ck_assert_int_eq(told.has_receipt, 0);
    memset(&told, 0, sizeof told);
    OK(w, crd_invoice_void(w->ledger, on(2), s.i, 0, &r));
    ck_assert_int_eq(told.count, 2);
    ck_assert_uint_eq(told.type[0], CRD_ENTRY_UNAPPLY);
    ck_assert_uint_eq(told.type[1], CRD_ENTRY_INVOICE_VOID);
    /* refused, repeated, rolled back: nothing is told */
    memset(&told, 0, sizeof told);
    ENDS(w->ledger, crd_invoice_void(w->ledger, on(2), s.i, 0, &r), CRD_E_STATE);
    OK(w, crd_unit_begin(w->ledger));
    OK(w, try_apply(w->ledger, s.k, s.j, 1, 0, keyed(2, "x"), &r));
    ck_assert_int_eq(told.count, 0);
    OK(w, crd_unit_rollback(w->ledger));
    ck_assert_int_eq(told.count, 0);
    OK(w, try_apply(w->ledger, s.k, s.j, 1, 0, keyed(2, "x"), &r));
    OK(w, try_apply(w->ledger, s.k, s.j, 1, 0, keyed(2, "x"), &r));
    ck_assert_uint_eq(r.repeated, 1);
    ck_assert_int_eq(told.count, 1);
    /* a write that fails tells nothing; one that was unknown and found to be kept tells once */
    OK(w, scene_refresh(&s));
    memset(&told, 0, sizeof told);
    shim_reset(&w->shim);
    w->shim.fail_at = 1;
    w->shim.fault = SHIM_FAILED;
    ENDS(w->ledger, try_apply(w->ledger, s.k, s.j, 1, 0, on(2), &r), CRD_E_STORAGE);
    ck_assert_int_eq(told.count, 0);
    shim_reset(&w->shim);
    w->shim.fail_at = 1;
    w->shim.fault = SHIM_UNKNOWN_KEPT;
    OK(w, try_apply(w->ledger, s.k, s.j, 1, 0, on(2), &r));
    ck_assert_int_eq(told.count, 1);
    world_check(w);
    scene_close(&s);
    world_close(w);
}
END_TEST

START_TEST(R9_a_reconcile_tells_receipt_and_applications) {
    crd_hooks hooks;
    world *w;
    memset(&hooks, 0, sizeof hooks);
    hooks.event = event;
    w = world_open_with(_i, NULL, NULL, &hooks);
    scene_fill(w);
    memset(&told, 0, sizeof told);
    ck_assert_uint_eq(reconcile(w, 0, 2).applications, 2); /* K pays I 500 and the 200 that J has open */
    ck_assert_int_eq(told.count, 3);
    ck_assert_uint_eq(told.type[0], CRD_ENTRY_RECEIPT);
    ck_assert_uint_eq(told.type[1], CRD_ENTRY_APPLY);
    ck_assert_uint_eq(told.type[2], CRD_ENTRY_APPLY);
    ck_assert_int_eq(told.seq[1], told.seq[0] + 1);
    ck_assert_int_eq(told.has_receipt, 1);
    world_close(w);
}
END_TEST

/* ---- re-entry ---- */

static struct {
    crd_ledger *ledger;
    scene *s;
    int tried;
} inside;

static void try_everything(void) {
    crd_result r = result_block();
    crd_plan_spec spec = plan_spec(0, 2);
    crd_plan *plan = NULL;
    crd_balance b;
    crd_credit *k = NULL;
    if (inside.ledger == NULL) return;
    inside.tried++;
    EACH(c) ck_assert_int_eq(c->run(inside.s, on(2), 0, &r), CRD_E_BUSY);
    ck_assert_int_eq(crd_unit_begin(inside.ledger), CRD_E_BUSY);
    ck_assert_int_eq(crd_unit_commit(inside.ledger), CRD_E_BUSY);
    ck_assert_int_eq(crd_unit_rollback(inside.ledger), CRD_E_BUSY);
    ck_assert_int_eq(crd_plan_open(inside.ledger, &spec, &plan), CRD_E_BUSY);
    ck_assert_int_eq(crd_reconcile(inside.ledger, on(2), &spec, NULL), CRD_E_BUSY);
    ck_assert_int_eq(crd_ledger_verify(inside.ledger, NULL, NULL), CRD_E_BUSY);
    ck_assert_int_eq(crd_credit_find(inside.ledger, "c1", "K", &k), CRD_E_BUSY);
    ck_assert_int_eq(crd_credit_refresh(inside.s->k), CRD_E_BUSY);
    memset(&b, 0, sizeof b);
    b.struct_size = sizeof b;
    ck_assert_int_eq(crd_customer_balance(inside.ledger, "c1", "EUR", DAY(2), &b), CRD_E_BUSY);
    ck_assert_int_eq(crd_ledger_configure(inside.ledger, NULL), CRD_E_BUSY);
}

/* A callback that gives back the very handles its command works with. */
static struct {
    crd_credit *credit;
    crd_invoice *invoice;
} given_back;

static void give_back(void) {
    crd_credit_free(given_back.credit);
    crd_invoice_free(given_back.invoice);
    given_back.credit = NULL;
    given_back.invoice = NULL;
}
static int32_t CRD_CALL authorize_frees(void *ctx, const crd_operation *operation) {
    (void)ctx;
    (void)operation;
    give_back();
    return 0;
}

START_TEST(R64_handles_freed_by_a_callback_live_until_the_command_is_over) {
    crd_hooks hooks;
    world *w;
    crd_result r = result_block();
    memset(&hooks, 0, sizeof hooks);
    memset(&given_back, 0, sizeof given_back);
    hooks.authorize = authorize_frees;
    w = world_open_with(_i, NULL, NULL, &hooks);
    scene_fill(w);
    for (int n = 0; n < 3; n++) {
        crd_credit *k = given_back.credit = find_credit(w->ledger, "c1", "K");
        crd_invoice *i = given_back.invoice = find_invoice(w->ledger, "c1", "I");
        /* done, refused, and done before */
        ENDS(w->ledger, try_apply(w->ledger, k, i, n == 1 ? 9999 : 10, 0, n == 1 ? on(2) : keyed(2, "k"), &r),
             n == 1 ? CRD_E_CREDIT_AMOUNT : CRD_OK);
        ck_assert_ptr_null(given_back.credit);
    }
    ck_assert_uint_eq(r.repeated, 1);
    world_check(w);
    ck_assert_int_eq(stored_credit(w, "c1", "K").applied, 110);
    given_back.credit = find_credit(w->ledger, "c1", "K"); /* freed within the last call before the close */
    OK(w, crd_unit_begin(w->ledger));
    OK(w, crd_credit_void(w->ledger, on(2), given_back.credit, 1, 0, NULL));
    OK(w, crd_unit_rollback(w->ledger));
    world_close(w);
}
END_TEST

static int64_t CRD_CALL clock_inside(void *ctx) {
    (void)ctx;
    try_everything();
    return (int64_t)DAY(2) * INT64_C(86400000000);
}
static int32_t CRD_CALL authorize_inside(void *ctx, const crd_operation *operation) {
    (void)ctx;
    (void)operation;
    try_everything();
    return 0;
}
static void CRD_CALL event_inside(void *ctx, const crd_event *e) {
    (void)ctx;
    (void)e;
    try_everything();
}
static void storage_inside(void *ctx, shim *s) {
    (void)ctx;
    (void)s;
    try_everything();
}
static int32_t CRD_CALL progress_inside(void *ctx, const crd_progress *progress) {
    (void)ctx;
    (void)progress;
    try_everything();
    return 0;
}
static void CRD_CALL posted_inside(void *ctx, const crd_plan_account *account) {
    (void)ctx;
    (void)account;
    try_everything();
}
static int32_t CRD_CALL found_inside(void *ctx, const crd_finding *finding) {
    (void)ctx;
    (void)finding;
    try_everything();
    return 0;
}

START_TEST(R64_calling_a_ledger_from_its_own_callbacks_is_refused_as_busy) {
    crd_hooks hooks;
    world *w;
    scene s;
    crd_result r = result_block();
    crd_plan_spec spec = plan_spec(0, 2);
    crd_verify_spec verify;
    memset(&hooks, 0, sizeof hooks);
    hooks.clock = clock_inside;
    hooks.authorize = authorize_inside;
    hooks.event = event_inside;
    w = world_open_with(_i, NULL, NULL, &hooks);
    scene_fill(w);
    s = scene_open(w->ledger);
    inside.ledger = w->ledger;
    inside.s = &s;
    inside.tried = 0;
    w->shim.before_read = storage_inside;
    w->shim.before_write = storage_inside;
    OK(w, try_apply(w->ledger, s.k, s.i, 10, 0, on(2), &r));
    ck_assert_int_eq(inside.tried, 4); /* clock, authorize, write, event */
    ck_assert_int_eq(crd_ledger_error(w->ledger)->code, CRD_OK); /* the outer call's error is its own */
    spec.progress = progress_inside;
    spec.posted = posted_inside;
    inside.tried = 0;
    OK(w, crd_reconcile(w->ledger, on(2), &spec, NULL));
    ck_assert_int_ge(inside.tried, 6);
    memset(&verify, 0, sizeof verify);
    verify.struct_size = sizeof verify;
    verify.found = found_inside;
    OK(w, crd_ledger_verify(w->ledger, &verify, NULL));
    inside.ledger = NULL;
    w->shim.before_read = w->shim.before_write = NULL;
    world_check(w);
    scene_close(&s);
    world_close(w);
}
END_TEST

/* ---- switches ---- */

START_TEST(R33_a_ledger_with_the_feature_off_only_reads_and_verifies) {
    world *w = world_open(_i);
    scene s;
    crd_settings settings;
    crd_result r = result_block();
    crd_plan_spec spec = plan_spec(0, 2);
    crd_plan *plan = NULL;
    scene_fill(w);
    s = scene_open(w->ledger);
    memset(&settings, 0, sizeof settings);
    settings.struct_size = sizeof settings;
    settings.feature_off = 1;
    OK(w, crd_ledger_configure(w->ledger, &settings));
    EACH(c) {
        if (c->code == CRD_COMMAND_RECEIPT_REVERSE) continue; /* R33_a_bounce_is_entered_while_the_feature_is_off */
        REFUSED(w, c->run(&s, on(2), 0, &r), CRD_E_DISABLED);
    }
    REFUSED(w, crd_reconcile(w->ledger, on(2), &spec, NULL), CRD_E_DISABLED);
    REFUSED(w, crd_plan_open(w->ledger, &spec, &plan), CRD_E_DISABLED);
    ck_assert_int_eq(balance_of(w->ledger, "c1", "EUR", 1).outstanding, 700);
    OK(w, crd_ledger_verify(w->ledger, NULL, NULL));
    OK(w, crd_credit_refresh(s.k));
    settings.feature_off = 0;
    OK(w, crd_ledger_configure(w->ledger, &settings));
    EACH(c) {
        if (c == scene_commands) OK(w, c->run(&s, on(2), 0, &r));
    }
    scene_close(&s);
    world_close(w);
}
END_TEST

START_TEST(R33_a_customer_with_the_feature_off_is_left_alone) {
    world *w = world_open(_i);
    crd_customer_terms t;
    crd_credit_terms k = credit_terms("K", CRD_CREDIT_MEMO, 100);
    crd_invoice_terms i = invoice_terms("I", 100);
    crd_customer *off = NULL;
    memset(&t, 0, sizeof t);
    t.struct_size = sizeof t;
    t.switches = CRD_SWITCH_FEATURE_OFF;
    OK(w, crd_customer_add(w->ledger, on(0), "off", &t, &off));
    ck_assert_uint_eq(crd_customer_get(off)->switches, CRD_SWITCH_FEATURE_OFF);
    REFUSED(w, crd_credit_issue(w->ledger, on(0), "off", &k, NULL), CRD_E_DISABLED);
    SUBJECT(w, CRD_KIND_CUSTOMER, "off");
    REFUSED(w, crd_invoice_enter(w->ledger, on(0), "off", &i, NULL), CRD_E_DISABLED);
    ck_assert_int_eq(balance_of(w->ledger, "off", "EUR", 0).balance, 0);
    t.switches = CRD_SWITCH_AUTO_APPLY_ON;
    OK(w, crd_customer_add(w->ledger, on(0), "on", &t, NULL));
    OK(w, crd_credit_issue(w->ledger, on(0), "on", &k, NULL));
    world_check(w);
    {
        book *b = world_book(w);
        ck_assert_uint_eq(book_account(b, "on", "EUR")->switches, CRD_SWITCH_AUTO_APPLY_ON);
        ck_assert_uint_eq(book_entry(b, "on", "EUR", 1)->type, CRD_ENTRY_SWITCHES);
        book_free(b);
    }
    crd_customer_free(off);
    world_close(w);
}
END_TEST

static Suite *make(void) {
    Suite *s = suite_create("hooks");
    TCase *t = tcase_create("hooks");
    tcase_set_timeout(t, 60); /* the scene is long, and the machine may be busy */
    tcase_add_loop_test(t, R30_authorize_is_asked_once_per_command_and_may_refuse_it, 0, STORES);
    tcase_add_loop_test(t, R30_authorize_is_told_what_all_comes_to_and_the_flags_of_the_call, 0, STORES);
    tcase_add_loop_test(t, R30_reconcile_asks_too_and_reading_does_not, 0, STORES);
    tcase_add_loop_test(t, R64_handles_freed_by_a_callback_live_until_the_command_is_over, 0, STORES);
    tcase_add_loop_test(t, R30_without_a_hook_everything_or_nothing_is_allowed, 0, STORES);
    tcase_add_loop_test(t, M16_arguments_are_looked_at_before_permission_and_permission_before_the_rest, 0, STORES);
    tcase_add_loop_test(t, R9_every_entry_is_told_once_in_order_after_it_was_kept, 0, STORES);
    tcase_add_loop_test(t, R9_a_reconcile_tells_receipt_and_applications, 0, STORES);
    tcase_add_loop_test(t, R64_calling_a_ledger_from_its_own_callbacks_is_refused_as_busy, 0, STORES);
    tcase_add_loop_test(t, R33_a_ledger_with_the_feature_off_only_reads_and_verifies, 0, STORES);
    tcase_add_loop_test(t, R33_a_customer_with_the_feature_off_is_left_alone, 0, STORES);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return world_main(make);
}
