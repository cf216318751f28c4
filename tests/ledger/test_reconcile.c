/*
 * The reconcile run: order, selection, reasons, preview, commit, conflicts, progress.
 */
#include "support/world.h"

#include <stdio.h>
#include <string.h>

/* The applications of an account of a plan, as "K1>I1:100 K1>I2:50". */
static const char *shown(const crd_plan_account *account) {
    static char text[2000];
    text[0] = '\0';
    for (uint64_t n = 0; n < account->application_count; n++) {
        const crd_plan_application *a = account->applications[n];
        size_t length = strlen(text);
        snprintf(text + length, sizeof text - length, "%s%s>%s:%lld", n > 0 ? " " : "", a->credit->id, a->invoice->id,
                 (long long)a->amount);
    }
    return text;
}

static crd_plan *plan_open(world *w, uint32_t flags, int day) {
    crd_plan_spec spec = plan_spec(flags, day);
    crd_plan *plan = NULL;
    OK(w, crd_plan_open(w->ledger, &spec, &plan));
    return plan;
}

static const crd_plan_account *plan_next(world *w, crd_plan *plan) {
    const crd_plan_account *account = NULL;
    OK(w, crd_plan_next(plan, &account));
    return account;
}

static crd_plan_result plan_commit(world *w, crd_plan *plan, int day) {
    crd_plan_result r = plan_result_block();
    OK(w, crd_plan_commit(plan, on(day), &r));
    if (!w->careless) world_check(w);
    return r;
}

static uint32_t left_out(const crd_plan_account *account, const char *id) {
    for (uint64_t n = 0; n < account->item_count; n++) {
        const crd_plan_item *item = account->items[n];
        if (strcmp(item->credit != NULL ? item->credit->id : item->invoice->id, id) == 0) return item->left_out;
    }
    ck_abort_msg("%s is not among the items", id);
    return 0;
}

static void drop_credit(crd_credit *k) {
    crd_credit_free(k);
}
static void drop_invoice(crd_invoice *i) {
    crd_invoice_free(i);
}

START_TEST(R49_M15_credits_oldest_first_finance_charges_first_then_by_due_date) {
    world *w = world_open(_i);
    crd_plan *plan;
    const crd_plan_account *a;
    customer(w, "c1");
    drop_credit(memo(w, "c1", "young", 1000, 3));
    drop_credit(memo(w, "c1", "old", 100, 1));
    drop_credit(memo(w, "c1", "old2", 100, 1)); /* same day: by sequence */
    drop_invoice(invoice(w, "c1", "late", 50, 0, 40));
    drop_invoice(invoice(w, "c1", "soon", 80, 2, 10));
    drop_invoice(invoice_as(w, "c1", "charge", CRD_INVOICE_FINANCE_CHARGE, 30, 3, 90, 0));
    drop_invoice(invoice(w, "c1", "soon2", 70, 0, 10)); /* same due date: by issue date, before "soon" */
    drop_invoice(invoice(w, "c1", "nodue", 500, 0, -DAY_ZERO)); /* due = none: the issue date counts */
    plan = plan_open(w, 0, 5);
    a = plan_next(w, plan);
    ck_assert_ptr_nonnull(a);
    ck_assert_uint_eq(a->state, CRD_PLAN_PROPOSED);
    ck_assert_str_eq(shown(a), "old>charge:30 old>nodue:70 old2>nodue:100 young>nodue:330 young>soon2:70 "
                               "young>soon:80 young>late:50");
    ck_assert_int_eq(a->applied, 730);
    ck_assert_uint_eq(left_out(a, "young"), CRD_LEFT_NO_COUNTERPART);
    ck_assert_uint_eq(left_out(a, "late"), CRD_LEFT_NOTHING);
    ck_assert_ptr_null(plan_next(w, plan));
    ck_assert_uint_eq(plan_commit(w, plan, 5).applications, 7);
    crd_plan_close(plan);
    ck_assert_int_eq(stored_credit(w, "c1", "young").remaining, 470);
    world_close(w);
}
END_TEST

START_TEST(metamorphic_input_order_is_irrelevant_where_dates_differ) {
    static const int orders[3][4] = {{0, 1, 2, 3}, {3, 2, 1, 0}, {2, 0, 3, 1}};
    char first[2000] = "";
    for (int n = 0; n < 3; n++) {
        world *w = world_open(_i);
        crd_plan *plan;
        const crd_plan_account *a;
        customer(w, "c1");
        for (int k = 0; k < 4; k++) {
            char id[8];
            int which = orders[n][k];
            snprintf(id, sizeof id, "K%d", which);
            drop_credit(memo(w, "c1", id, 70 + which, which));
            snprintf(id, sizeof id, "I%d", which);
            drop_invoice(invoice(w, "c1", id, 90 - 7 * which, 0, 20 - which));
        }
        plan = plan_open(w, 0, 5);
        a = plan_next(w, plan);
        if (n == 0) snprintf(first, sizeof first, "%s", shown(a));
        ck_assert_str_eq(shown(a), first);
        crd_plan_close(plan);
        world_close(w);
    }
}
END_TEST

START_TEST(M15_the_order_of_allocation_is_data) {
    static const struct {
        uint32_t credit, invoice;
        const char *expected;
    } cases[] = {
        {CRD_ORDER_DATE, CRD_ORDER_DATE, "cash>early:10 memo>early:10 promise>early:10"},
        {CRD_ORDER_PRIORITY, CRD_ORDER_DUE, "promise>urgent:10 cash>urgent:10 memo>urgent:10"},
        {CRD_ORDER_EXPIRY, CRD_ORDER_FINANCE_CHARGE, "promise>charge:10 cash>charge:10 memo>charge:10"},
        {CRD_ORDER_CLASS, CRD_ORDER_KIND, "promise>early:10 memo>early:10 cash>early:10"},
        {CRD_ORDER_KIND, CRD_ORDER_DATE, "cash>early:10 memo>early:10 promise>early:10"},
        {CRD_ORDER_EFFECTIVE, CRD_ORDER_DATE, "memo>early:10 promise>early:10 cash>early:10"},
    };
    for (size_t n = 0; n < sizeof cases / sizeof cases[0]; n++) {
        crd_settings settings;
        crd_credit_terms t = credit_terms("cash", CRD_CREDIT_PREPAYMENT, 10);
        crd_plan *plan;
        world *w;
        memset(&settings, 0, sizeof settings);
        settings.struct_size = sizeof settings;
        settings.credit_order[0] = cases[n].credit;
        settings.invoice_order[0] = cases[n].invoice;
        w = world_open_with(_i, NULL, &settings, NULL);
        customer(w, "c1");
        t.priority = 2;
        t.effective = DAY(3);
        OK(w, crd_credit_issue(w->ledger, on(0), "c1", &t, NULL));
        t = credit_terms("memo", CRD_CREDIT_MEMO, 10);
        t.priority = 3;
        OK(w, crd_credit_issue(w->ledger, on(1), "c1", &t, NULL));
        t = credit_terms("promise", CRD_CREDIT_PROMOTIONAL, 10);
        t.priority = 1;
        t.expires = DAY(50);
        OK(w, crd_credit_issue(w->ledger, on(2), "c1", &t, NULL));
        drop_invoice(invoice(w, "c1", "early", 30, 0, 20));
        drop_invoice(invoice(w, "c1", "urgent", 30, 1, 2));
        drop_invoice(invoice_as(w, "c1", "charge", CRD_INVOICE_FINANCE_CHARGE, 30, 2, 30, 0));
        plan = plan_open(w, CRD_PLAN_USE_CASH, 5);
        ck_assert_msg(strcmp(shown(plan_next(w, plan)), cases[n].expected) == 0, "case %u", (unsigned)n);
        crd_plan_close(plan);
        world_close(w);
    }
}
END_TEST

START_TEST(R66_M15_a_credit_first_pays_the_invoice_it_prefers) {
    world *w = world_open(_i);
    crd_credit_terms t = credit_terms("return", CRD_CREDIT_MEMO, 100);
    crd_plan *plan;
    customer(w, "c1");
    t.prefers = "sold";
    OK(w, crd_credit_issue(w->ledger, on(1), "c1", &t, NULL));
    drop_credit(memo(w, "c1", "other", 10, 0));
    drop_invoice(invoice(w, "c1", "first", 50, 0, 10));
    drop_invoice(invoice(w, "c1", "sold", 60, 0, 20));
    plan = plan_open(w, 0, 5);
    ck_assert_str_eq(shown(plan_next(w, plan)), "other>first:10 return>sold:60 return>first:40");
    crd_plan_close(plan);
    world_close(w);
}
END_TEST

START_TEST(R47_cash_is_used_when_selected) {
    world *w = world_open(_i);
    crd_plan *plan;
    const crd_plan_account *a;
    customer(w, "c1");
    drop_credit(cash(w, "c1", "money", 100, 0));
    drop_credit(memo(w, "c1", "memo", 20, 1));
    drop_credit(promise(w, "c1", "promise", 20, 1, 90));
    drop_credit(credit(w, "c1", "adjustment", CRD_CREDIT_ADJUSTMENT, 20, 1));
    drop_invoice(invoice(w, "c1", "I", 100, 0, 30));
    plan = plan_open(w, 0, 5);
    a = plan_next(w, plan);
    ck_assert_str_eq(shown(a), "memo>I:20 promise>I:20 adjustment>I:20");
    ck_assert_uint_eq(left_out(a, "money"), CRD_LEFT_CASH);
    crd_plan_close(plan);
    plan = plan_open(w, CRD_PLAN_USE_CASH, 5);
    a = plan_next(w, plan);
    ck_assert_str_eq(shown(a), "money>I:100");
    ck_assert_uint_eq(left_out(a, "memo"), CRD_LEFT_NO_COUNTERPART);
    crd_plan_close(plan);
    world_close(w);
}
END_TEST

START_TEST(R71_every_document_left_out_has_its_reason) {
    world *w = world_open(_i);
    crd_credit_terms t = credit_terms("reserved", CRD_CREDIT_DEPOSIT, 10);
    crd_credit *gone;
    crd_invoice *paid;
    crd_plan *plan;
    const crd_plan_account *a;
    customer(w, "c1");
    t.flags = CRD_FLAG_RESERVED;
    OK(w, crd_credit_issue(w->ledger, on(0), "c1", &t, NULL));
    t = credit_terms("later", CRD_CREDIT_MEMO, 10);
    OK(w, crd_credit_issue(w->ledger, on(6), "c1", &t, NULL));
    t = credit_terms("not yet", CRD_CREDIT_MEMO, 10);
    t.effective = DAY(6);
    OK(w, crd_credit_issue(w->ledger, on(0), "c1", &t, NULL));
    drop_credit(promise(w, "c1", "expired", 10, 0, 5));
    drop_credit(promise(w, "c1", "last day", 10, 0, 6));
    t = credit_terms("restricted", CRD_CREDIT_PROMOTIONAL, 10);
    t.pays_kinds = 1u << CRD_INVOICE_FEE;
    OK(w, crd_credit_issue(w->ledger, on(0), "c1", &t, NULL));
    drop_credit(cash(w, "c1", "money", 10, 0));
    gone = memo(w, "c1", "gone", 10, 0);
    void_credit(w, gone, 0, 0);
    drop_invoice(invoice(w, "c1", "open", 100, 0, 30));
    drop_invoice(invoice(w, "c1", "tomorrow", 100, 6, 30));
    drop_invoice(invoice_as(w, "c1", "disputed", CRD_INVOICE_INVOICE, 100, 0, 30, CRD_INVOICE_AS_DISPUTED));
    drop_invoice(invoice_as(w, "c1", "draft", CRD_INVOICE_INVOICE, 100, 0, 30, CRD_INVOICE_AS_DRAFT));
    paid = invoice(w, "c1", "void", 1, 0, 30);
    void_invoice(w, paid, 0);
    plan = plan_open(w, 0, 5);
    a = plan_next(w, plan);
    ck_assert_str_eq(shown(a), "last day>open:10");
    ck_assert_uint_eq(left_out(a, "reserved"), CRD_LEFT_RESERVED);
    ck_assert_uint_eq(left_out(a, "later"), CRD_LEFT_LATER);
    ck_assert_uint_eq(left_out(a, "not yet"), CRD_LEFT_NOT_EFFECTIVE);
    ck_assert_uint_eq(left_out(a, "expired"), CRD_LEFT_EXPIRED);
    ck_assert_uint_eq(left_out(a, "restricted"), CRD_LEFT_RESTRICTED);
    ck_assert_uint_eq(left_out(a, "money"), CRD_LEFT_CASH);
    ck_assert_uint_eq(left_out(a, "last day"), CRD_LEFT_NOTHING);
    ck_assert_uint_eq(left_out(a, "open"), CRD_LEFT_NO_COUNTERPART);
    ck_assert_uint_eq(left_out(a, "tomorrow"), CRD_LEFT_LATER);
    ck_assert_uint_eq(left_out(a, "disputed"), CRD_LEFT_DISPUTED);
    ck_assert_uint_eq(left_out(a, "draft"), CRD_LEFT_DRAFT);
    ck_assert_uint_eq(a->item_count, 11); /* what is void has nothing to leave out */
    for (uint32_t reason = 0; reason <= CRD_LEFT_SKIPPED; reason++) {
        ck_assert_ptr_nonnull(crd_left_text(reason));
        ck_assert_str_ne(crd_left_text(reason), "?");
    }
    ck_assert_uint_eq(plan_commit(w, plan, 5).applications, 1);
    crd_plan_close(plan);
    crd_credit_free(gone);
    crd_invoice_free(paid);
    world_close(w);
}
END_TEST

START_TEST(R71_R60_other_currencies_are_accounts_of_their_own) {
    world *w = world_open(_i);
    crd_credit_terms t = credit_terms("dollars", CRD_CREDIT_MEMO, 10);
    crd_plan *plan;
    const crd_plan_account *a;
    customer(w, "c1");
    t.currency = "USD";
    OK(w, crd_credit_issue(w->ledger, on(0), "c1", &t, NULL));
    drop_invoice(invoice(w, "c1", "I", 100, 0, 30));
    plan = plan_open(w, 0, 5);
    ck_assert_ptr_null(plan_next(w, plan)); /* neither account has both sides */
    crd_plan_close(plan);
    plan = plan_open(w, CRD_PLAN_ALL_OPEN, 5);
    a = plan_next(w, plan);
    ck_assert_str_eq(a->account->currency, "EUR");
    ck_assert_uint_eq(a->state, CRD_PLAN_NOTHING);
    ck_assert_uint_eq(left_out(a, "I"), CRD_LEFT_NO_COUNTERPART);
    a = plan_next(w, plan);
    ck_assert_str_eq(a->account->currency, "USD");
    ck_assert_uint_eq(left_out(a, "dollars"), CRD_LEFT_NO_COUNTERPART);
    ck_assert_ptr_null(plan_next(w, plan));
    crd_plan_close(plan);
    world_close(w);
}
END_TEST

static void fill_three(world *w) {
    static const char *const who[] = {"c1", "c2", "c3"};
    for (int n = 0; n < 3; n++) {
        char id[8];
        customer(w, who[n]);
        snprintf(id, sizeof id, "K%d", n + 1);
        drop_credit(memo(w, who[n], id, 100, 0));
        snprintf(id, sizeof id, "I%d", n + 1);
        drop_invoice(invoice(w, who[n], id, 60, 0, 30));
        snprintf(id, sizeof id, "J%d", n + 1);
        drop_invoice(invoice(w, who[n], id, 60, 0, 40));
    }
}

START_TEST(R46_a_second_run_finds_nothing_to_do) {
    world *w = world_open(_i);
    crd_plan_result r;
    fill_three(w);
    r = reconcile(w, 0, 1);
    ck_assert_uint_eq(r.posted, 3);
    ck_assert_uint_eq(r.receipts, 3);
    ck_assert_uint_eq(r.applications, 6);
    world_remember(w);
    shim_reset(&w->shim);
    r = reconcile(w, 0, 1);
    ck_assert_uint_eq(r.posted, 0);
    ck_assert_uint_eq(r.applications, 0);
    world_same(w, "a second run");
    ck_assert_uint_eq(w->shim.writes, 0);
    r = reconcile(w, CRD_PLAN_USE_CASH | CRD_PLAN_ALL_OPEN | CRD_PLAN_BY_LOCATION, 9);
    ck_assert_uint_eq(r.applications, 0);
    world_same(w, "a run of another kind");
    world_close(w);
}
END_TEST

START_TEST(R48_R52_R72_preview_skip_edit_and_commit_what_was_seen) {
    world *w = world_open(_i);
    crd_plan *plan;
    const crd_plan_account *a;
    crd_plan_result r;
    fill_three(w);
    world_remember(w);
    plan = plan_open(w, 0, 1);
    a = plan_next(w, plan);
    ck_assert_str_eq(a->account->customer, "c1");
    ck_assert_str_eq(shown(a), "K1>I1:60 K1>J1:40");
    OK(w, crd_plan_edit(plan, 0, 10));
    ck_assert_str_eq(shown(a), "K1>I1:10 K1>J1:40"); /* that pair only */
    ck_assert_int_eq(a->applied, 50);
    ENDS(w->ledger, crd_plan_edit(plan, 0, 61), CRD_E_CREDIT_AMOUNT); /* 100 − 40 would fit */
    FIGURES(w, 60, 61);
    ENDS(w->ledger, crd_plan_edit(plan, 1, 61), CRD_E_INVOICE_AMOUNT);
    FIGURES(w, 60, 61);
    ENDS(w->ledger, crd_plan_edit(plan, 2, 1), CRD_E_ARGUMENT);
    ENDS(w->ledger, crd_plan_edit(plan, 0, -1), CRD_E_ARGUMENT);
    OK(w, crd_plan_edit(plan, 0, 50));
    OK(w, crd_plan_edit(plan, 1, 0)); /* taken out */
    a = plan_next(w, plan);
    ck_assert_str_eq(a->account->customer, "c2");
    OK(w, crd_plan_skip(plan));
    ck_assert_uint_eq(a->state, CRD_PLAN_SKIPPED);
    ENDS(w->ledger, crd_plan_edit(plan, 0, 1), CRD_E_STATE);
    world_same(w, "a preview");
    r = plan_commit(w, plan, 1);
    ck_assert_uint_eq(r.posted, 1);
    ck_assert_uint_eq(r.skipped, 1);
    ck_assert_uint_eq(r.applications, 1);
    ck_assert_int_eq(stored_invoice(w, "c1", "I1").applied, 50);
    ck_assert_int_eq(stored_invoice(w, "c1", "J1").applied, 0);
    ck_assert_int_eq(stored_invoice(w, "c2", "I2").applied, 0);
    ck_assert_int_eq(stored_invoice(w, "c3", "I3").applied, 0); /* not walked, so not posted */
    /* walk further, commit again: each account is posted once */
    a = plan_next(w, plan);
    ck_assert_str_eq(a->account->customer, "c3");
    ck_assert_ptr_null(plan_next(w, plan));
    r = plan_commit(w, plan, 1);
    ck_assert_uint_eq(r.posted, 1);
    ck_assert_uint_eq(r.applications, 2);
    OK(w, crd_plan_rewind(plan));
    a = plan_next(w, plan);
    ck_assert_str_eq(a->account->customer, "c1");
    ck_assert_uint_eq(a->state, CRD_PLAN_POSTED);
    ck_assert_str_ne(a->receipt, "");
    ENDS(w->ledger, crd_plan_edit(plan, 0, 1), CRD_E_STATE);
    r = plan_commit(w, plan, 1);
    ck_assert_uint_eq(r.posted, 0);
    crd_plan_close(plan);
    world_close(w);
}
END_TEST

START_TEST(R72_an_account_that_moved_since_the_preview_is_conflicted_and_the_others_are_posted) {
    world *w = world_open(_i);
    crd_plan *plan;
    const crd_plan_account *a;
    crd_plan_result r;
    crd_ledger *rival;
    crd_credit *k;
    int states[3], n = 0;
    fill_three(w);
    rival = world_rival(w);
    plan = plan_open(w, 0, 1);
    while (plan_next(w, plan) != NULL) {
    }
    k = find_credit(rival, "c2", "K2");
    ENDS(rival, try_apply(rival, k, NULL, 1, 0, on(1), NULL), CRD_OK);
    shim_reset(&w->shim);
    r = plan_commit(w, plan, 1);
    ck_assert_uint_eq(r.posted, 2);
    ck_assert_uint_eq(r.conflicted, 1);
    ck_assert_uint_eq(r.applications, 4);
    ck_assert_uint_eq(r.receipts, 2);
    ck_assert_int_eq(stored_credit(w, "c2", "K2").applied, 1); /* never silently recomputed */
    OK(w, crd_plan_rewind(plan));
    while ((a = plan_next(w, plan)) != NULL) states[n++] = (int)a->state;
    ck_assert_int_eq(states[0], CRD_PLAN_POSTED);
    ck_assert_int_eq(states[1], CRD_PLAN_CONFLICTED);
    ck_assert_int_eq(states[2], CRD_PLAN_POSTED);
    crd_plan_close(plan);
    ck_assert_uint_eq(reconcile(w, 0, 1).applications, 2); /* a new run takes what is left */
    ck_assert_int_eq(stored_credit(w, "c2", "K2").remaining, 0);
    crd_credit_free(k);
    world_close(w);
}
END_TEST

START_TEST(R72_handles_of_posted_accounts_stay_valid_and_of_conflicted_ones_do_not) {
    world *w = world_open(_i);
    crd_plan *plan;
    crd_ledger *rival;
    crd_credit *k1, *k2, *theirs;
    fill_three(w);
    rival = world_rival(w);
    k1 = find_credit(w->ledger, "c1", "K1");
    k2 = find_credit(w->ledger, "c2", "K2");
    plan = plan_open(w, 0, 1);
    while (plan_next(w, plan) != NULL) {
    }
    theirs = find_credit(rival, "c2", "K2");
    ENDS(rival, try_apply(rival, theirs, NULL, 1, 0, on(1), NULL), CRD_OK);
    (void)plan_commit(w, plan, 1);
    crd_plan_close(plan);
    ck_assert_int_eq(crd_credit_get(k1)->remaining, 0);
    ck_assert_uint_eq(crd_credit_get(k1)->state, CRD_CREDIT_SPENT);
    ENDS(w->ledger, try_apply(w->ledger, k1, NULL, 1, 0, on(1), NULL), CRD_E_STATE);
    ENDS(w->ledger, try_apply(w->ledger, k2, NULL, 1, 0, on(1), NULL), CRD_E_CONFLICT);
    crd_credit_free(k1);
    crd_credit_free(k2);
    crd_credit_free(theirs);
    world_close(w);
}
END_TEST

START_TEST(R72_own_commands_between_preview_and_commit_conflict_too) {
    world *w = world_open(_i);
    crd_plan *plan;
    crd_plan_result r;
    crd_credit *k;
    fill_three(w);
    plan = plan_open(w, 0, 1);
    while (plan_next(w, plan) != NULL) {
    }
    k = find_credit(w->ledger, "c3", "K3");
    apply(w, k, NULL, 1, 1);
    r = plan_commit(w, plan, 1);
    ck_assert_uint_eq(r.posted, 2);
    ck_assert_uint_eq(r.conflicted, 1);
    crd_plan_close(plan);
    crd_credit_free(k);
    world_close(w);
}
END_TEST

static struct {
    int calls, stop_at;
    uint64_t accounts, applications;
    char posted[200];
} seen;

static int32_t CRD_CALL progress(void *ctx, const crd_progress *p) {
    (void)ctx;
    seen.calls++;
    seen.accounts = p->accounts;
    seen.applications = p->applications;
    return seen.stop_at != 0 && seen.calls >= seen.stop_at;
}

static void CRD_CALL posted(void *ctx, const crd_plan_account *account) {
    size_t length = strlen(seen.posted);
    (void)ctx;
    snprintf(seen.posted + length, sizeof seen.posted - length, "%s:%u:%lld ", account->account->customer,
             (unsigned)account->state, (long long)account->applied);
}

START_TEST(R70_progress_is_told_and_cancelling_keeps_what_was_posted) {
    world *w = world_open(_i);
    crd_plan_spec spec = plan_spec(0, 1);
    crd_plan_result r = plan_result_block();
    fill_three(w);
    memset(&seen, 0, sizeof seen);
    seen.stop_at = 3;
    spec.progress = progress;
    spec.posted = posted;
    ENDS(w->ledger, crd_reconcile(w->ledger, on(1), &spec, &r), CRD_E_CANCELLED);
    world_check(w);
    ck_assert_int_eq(seen.calls, 3);
    ck_assert_uint_eq(seen.accounts, 2);
    ck_assert_uint_eq(r.posted, 2);
    ck_assert_str_eq(seen.posted, "c1:3:100 c2:3:100 ");
    ck_assert_int_eq(stored_credit(w, "c1", "K1").applied, 100);
    ck_assert_int_eq(stored_credit(w, "c2", "K2").applied, 100);
    ck_assert_int_eq(stored_credit(w, "c3", "K3").applied, 0);
    memset(&seen, 0, sizeof seen);
    OK(w, crd_reconcile(w->ledger, on(1), &spec, &r)); /* the next run goes on */
    ck_assert_uint_eq(r.posted, 1);
    ck_assert_str_eq(seen.posted, "c3:3:100 ");
    world_check(w);
    world_close(w);
}
END_TEST

START_TEST(R46_named_customers_credits_and_invoices) {
    world *w = world_open(_i);
    static const char *const who[] = {"c3", "c1", "c3", "nobody"};
    crd_plan_spec spec = plan_spec(0, 1);
    crd_plan_result r = plan_result_block();
    crd_plan *plan = NULL;
    const crd_plan_account *a;
    crd_key names[2];
    const crd_key *items[2];
    fill_three(w);
    spec.customers = who;
    spec.customer_count = 4;
    OK(w, crd_plan_open(w->ledger, &spec, &plan));
    ck_assert_str_eq(plan_next(w, plan)->account->customer, "c1"); /* in order, each once */
    ck_assert_str_eq(plan_next(w, plan)->account->customer, "c3");
    ck_assert_ptr_null(plan_next(w, plan));
    crd_plan_close(plan);
    memset(names, 0, sizeof names);
    for (int n = 0; n < 2; n++) {
        names[n].struct_size = sizeof names[n];
        names[n].customer = "c2";
        names[n].currency = "";
        items[n] = &names[n];
    }
    names[0].kind = CRD_KIND_INVOICE;
    names[0].id = "J2";
    spec = plan_spec(0, 1);
    spec.items = items;
    spec.item_count = 1; /* credits are free */
    OK(w, crd_plan_open(w->ledger, &spec, &plan));
    a = plan_next(w, plan);
    ck_assert_str_eq(shown(a), "K2>J2:60");
    ck_assert_uint_eq(left_out(a, "I2"), CRD_LEFT_NOT_NAMED);
    ck_assert_ptr_null(plan_next(w, plan)); /* other customers are not named */
    crd_plan_close(plan);
    drop_credit(memo(w, "c2", "K9", 5, 0));
    names[1].kind = CRD_KIND_CREDIT;
    names[1].id = "K9";
    spec.item_count = 2;
    OK(w, crd_plan_open(w->ledger, &spec, &plan));
    a = plan_next(w, plan);
    ck_assert_str_eq(shown(a), "K9>J2:5");
    ck_assert_uint_eq(left_out(a, "K2"), CRD_LEFT_NOT_NAMED);
    crd_plan_close(plan);
    OK(w, crd_reconcile(w->ledger, on(1), &spec, &r));
    ck_assert_uint_eq(r.applications, 1);
    world_check(w);
    spec = plan_spec(0, 1);
    spec.currency = "USD";
    OK(w, crd_reconcile(w->ledger, on(1), &spec, &r));
    ck_assert_uint_eq(r.applications, 0);
    spec.currency = "EUR";
    OK(w, crd_reconcile(w->ledger, on(1), &spec, &r));
    ck_assert_uint_eq(r.posted, 3);
    world_check(w);
    world_close(w);
}
END_TEST

static void fill_places(world *w) {
    static const struct {
        const char *id, *location, *category, *name;
    } who[] = {{"c1", "west", "shop", "Zoe"}, {"c2", "east", "shop", "Yan"}, {"c3", "west", "farm", "Xia"},
               {"c4", "", "farm", "Will"}};
    for (int n = 0; n < 4; n++) {
        crd_customer_terms t;
        memset(&t, 0, sizeof t);
        t.struct_size = sizeof t;
        t.location = who[n].location;
        t.category = who[n].category;
        t.name = who[n].name;
        OK(w, crd_customer_add(w->ledger, on(-9), who[n].id, &t, NULL));
        drop_credit(memo(w, who[n].id, "K", 100, 0));
        drop_invoice(invoice(w, who[n].id, "I", 60, 0, 30));
    }
}

START_TEST(R50_customers_by_id_or_by_location_then_id) {
    world *w = world_open(_i);
    static const char *const by_id[] = {"c1", "c2", "c3", "c4"};
    static const char *const by_location[] = {"c4", "c2", "c1", "c3"};
    crd_plan *plan;
    crd_plan_result r;
    fill_places(w);
    plan = plan_open(w, CRD_PLAN_CUSTOMERS, 1);
    for (int n = 0; n < 4; n++) {
        const crd_plan_account *a = plan_next(w, plan);
        ck_assert_str_eq(a->account->customer, by_id[n]);
        ck_assert_ptr_nonnull(a->customer);
        ck_assert_str_eq(a->customer->customer, by_id[n]);
    }
    crd_plan_close(plan);
    plan = plan_open(w, CRD_PLAN_BY_LOCATION, 1);
    for (int n = 0; n < 4; n++) {
        const crd_plan_account *a = plan_next(w, plan);
        ck_assert_str_eq(a->account->customer, by_location[n]);
        ck_assert_str_eq(a->customer->customer, by_location[n]);
    }
    ck_assert_ptr_null(plan_next(w, plan));
    r = plan_commit(w, plan, 1);
    ck_assert_uint_eq(r.posted, 4);
    crd_plan_close(plan);
    world_close(w);
}
END_TEST

START_TEST(R46_by_category_or_location) {
    world *w = world_open(_i);
    crd_plan_spec spec = plan_spec(0, 1);
    crd_plan_result r = plan_result_block();
    fill_places(w);
    spec.category = "farm";
    spec.location = "west";
    OK(w, crd_reconcile(w->ledger, on(1), &spec, &r));
    world_check(w);
    ck_assert_uint_eq(r.posted, 1);
    ck_assert_int_eq(stored_credit(w, "c3", "K").applied, 60);
    spec.location = NULL;
    OK(w, crd_reconcile(w->ledger, on(1), &spec, &r));
    ck_assert_uint_eq(r.posted, 1);
    ck_assert_int_eq(stored_credit(w, "c4", "K").applied, 60);
    spec.category = "shop";
    spec.location = "east";
    OK(w, crd_reconcile(w->ledger, on(1), &spec, &r));
    ck_assert_int_eq(stored_credit(w, "c2", "K").applied, 60);
    ck_assert_int_eq(stored_credit(w, "c1", "K").applied, 0);
    world_check(w);
    world_close(w);
}
END_TEST

START_TEST(R51_the_prescan_has_what_an_office_wants_to_see) {
    world *w = world_open(_i);
    crd_plan *plan;
    const crd_plan_account *a;
    int invoices = 0;
    fill_places(w);
    drop_credit(cash(w, "c2", "M", 33, 0));
    plan = plan_open(w, CRD_PLAN_BY_LOCATION | CRD_PLAN_CUSTOMERS | CRD_PLAN_ALL_OPEN | CRD_PLAN_USE_CASH, 1);
    (void)plan_next(w, plan);
    a = plan_next(w, plan);
    ck_assert_str_eq(a->customer->customer, "c2");
    ck_assert_str_eq(a->customer->name, "Yan");
    ck_assert_str_eq(a->customer->location, "east");
    ck_assert_int_eq(a->account->cash_remaining, 33); /* unapplied cash */
    ck_assert_uint_eq(a->item_count, 3);
    for (uint64_t n = 0; n < a->item_count; n++) {
        const crd_plan_item *item = a->items[n];
        if (item->kind == CRD_KIND_INVOICE) invoices++;
        if (item->kind == CRD_KIND_CREDIT) ck_assert_int_eq(invoices, 0); /* credits first */
        if (item->kind != CRD_KIND_INVOICE) continue;
        ck_assert_str_eq(item->invoice->id, "I");
        ck_assert_int_eq(item->invoice->issued, DAY(0));
        ck_assert_int_eq(item->invoice->due, DAY(30));
        ck_assert_int_eq(item->open, 60);
    }
    crd_plan_close(plan);
    world_close(w);
}
END_TEST

START_TEST(R61_a_run_key_posts_each_account_once) {
    world *w = world_open(_i);
    crd_plan_spec spec = plan_spec(0, 1);
    crd_plan_result r = plan_result_block();
    book *b;
    fill_three(w);
    memset(&seen, 0, sizeof seen);
    spec.posted = posted;
    OK(w, crd_reconcile(w->ledger, keyed(1, "run 7"), &spec, &r));
    ck_assert_uint_eq(r.posted, 3);
    b = world_book(w);
    ck_assert_ptr_nonnull(book_request(b, "c2", "~run 7EUR"));
    ck_assert_uint_eq(book_count(b, CRD_KIND_REQUEST), 3);
    for (size_t n = 0; n < b->count; n++)
        if (b->items[n].kind == CRD_KIND_RECEIPT)
            ck_assert_str_eq(((crd_receipt_record *)b->items[n].record)->run, "run 7");
    book_free(b);
    /* new open items for one: the same run does not touch it again */
    drop_credit(memo(w, "c2", "K9", 10, 1));
    world_remember(w);
    memset(&seen, 0, sizeof seen);
    OK(w, crd_reconcile(w->ledger, keyed(1, "run 7"), &spec, &r));
    ck_assert_uint_eq(r.posted, 0);
    ck_assert_uint_eq(r.repeated, 1);
    ck_assert_str_eq(seen.posted, "c2:5:10 ");
    world_same(w, "a repeated run");
    OK(w, crd_reconcile(w->ledger, keyed(1, "run 8"), &spec, &r));
    ck_assert_uint_eq(r.posted, 1);
    world_check(w);
    world_close(w);
}
END_TEST

START_TEST(R61_a_repeated_run_posts_the_accounts_it_had_not_reached) {
    world *w = world_open(_i);
    crd_plan_spec spec = plan_spec(0, 1);
    crd_plan_result r = plan_result_block();
    fill_three(w);
    memset(&seen, 0, sizeof seen);
    seen.stop_at = 2;
    spec.progress = progress;
    ENDS(w->ledger, crd_reconcile(w->ledger, keyed(1, "run"), &spec, &r), CRD_E_CANCELLED);
    drop_credit(memo(w, "c1", "K9", 10, 1));
    memset(&seen, 0, sizeof seen);
    OK(w, crd_reconcile(w->ledger, keyed(1, "run"), &spec, &r));
    ck_assert_uint_eq(r.posted, 2);
    ck_assert_uint_eq(r.repeated, 1);
    world_check(w);
    world_close(w);
}
END_TEST

START_TEST(R61_a_run_key_may_have_59_bytes) {
    static const char key60[] = "012345678901234567890123456789012345678901234567890123456789";
    world *w = world_open(_i);
    crd_plan_spec spec = plan_spec(0, 1);
    fill_three(w);
    REFUSED(w, crd_reconcile(w->ledger, keyed(1, key60), &spec, NULL), CRD_E_ARGUMENT);
    FIELD(w, "request.key");
    OK(w, crd_reconcile(w->ledger, keyed(1, key60 + 1), &spec, NULL));
    world_check(w);
    world_close(w);
}
END_TEST

START_TEST(M6_an_application_takes_the_latest_date_of_the_run_and_its_documents) {
    world *w = world_open(_i);
    crd_credit *used;
    crd_plan *plan;
    const crd_plan_account *a;
    book *b;
    int32_t dates[2], n = 0;
    customer(w, "c1");
    used = memo(w, "c1", "used", 100, 0);
    drop_invoice(invoice(w, "c1", "I", 95, 0, 30));
    apply(w, used, NULL, 50, 20); /* touched on the 20th */
    drop_credit(memo(w, "c1", "fresh", 100, 1));
    plan = plan_open(w, 0, 10);
    a = plan_next(w, plan);
    ck_assert_str_eq(shown(a), "used>I:50 fresh>I:45");
    for (uint64_t i = 0; i < 2; i++) dates[i] = a->applications[i]->business_date;
    ck_assert_int_eq(dates[0], DAY(20));
    ck_assert_int_eq(dates[1], DAY(20)); /* the invoice was paid on the 20th before: what is shown is what is posted */
    (void)plan_commit(w, plan, 10);
    b = world_book(w);
    for (int64_t seq = 1; seq <= 20; seq++) {
        const crd_entry_record *e = book_entry(b, "c1", "EUR", seq);
        if (e == NULL || e->type != CRD_ENTRY_APPLY || e->invoice[0] == '\0') continue;
        ck_assert_int_eq(e->business_date, dates[n]);
        n++;
    }
    ck_assert_int_eq(n, 2);
    book_free(b);
    crd_plan_close(plan);
    crd_credit_free(used);
    world_close(w);
}
END_TEST

START_TEST(M6_a_pair_dated_past_the_expiry_is_left_out) {
    world *w = world_open(_i);
    crd_credit *moves;
    crd_invoice *touched;
    crd_plan *plan;
    const crd_plan_account *a;
    customer(w, "c1");
    moves = memo(w, "c1", "moves", 10, 0);
    drop_credit(promise(w, "c1", "good", 100, 1, 15));
    touched = invoice(w, "c1", "touched", 50, 0, 20);
    apply(w, moves, touched, 10, 20);
    plan = plan_open(w, 0, 10);
    a = plan_next(w, plan);
    ck_assert_ptr_nonnull(a);
    ck_assert_uint_eq(a->state, CRD_PLAN_NOTHING);
    ck_assert_uint_eq(left_out(a, "good"), CRD_LEFT_EXPIRED);
    crd_plan_close(plan);
    crd_credit_free(moves);
    crd_invoice_free(touched);
    world_close(w);
}
END_TEST

START_TEST(M6_only_the_pair_is_left_out_not_the_credit) {
    world *w = world_open(_i);
    crd_credit *moves;
    crd_invoice *touched;
    crd_plan *plan;
    const crd_plan_account *a;
    customer(w, "c1");
    moves = memo(w, "c1", "moves", 10, 0);
    drop_credit(promise(w, "c1", "good", 100, 1, 15));
    touched = invoice(w, "c1", "touched", 50, 0, 20);
    drop_invoice(invoice(w, "c1", "other", 30, 0, 40));
    apply(w, moves, touched, 10, 20);
    plan = plan_open(w, 0, 10);
    a = plan_next(w, plan);
    ck_assert_str_eq(shown(a), "good>other:30");
    crd_plan_close(plan);
    crd_credit_free(moves);
    crd_invoice_free(touched);
    world_close(w);
}
END_TEST

START_TEST(M6_a_run_is_not_refused_when_its_own_pairs_move_a_date_past_an_expiry) {
    world *w = world_open(_i);
    crd_credit *used;
    crd_plan_spec spec = plan_spec(0, 10);
    crd_plan_result r = plan_result_block();
    customer(w, "c1");
    used = memo(w, "c1", "used", 100, 0);
    drop_credit(promise(w, "c1", "good", 100, 1, 15));
    drop_invoice(invoice(w, "c1", "I", 90, 0, 30));
    apply(w, used, NULL, 50, 20);
    /* used pays I 50 on the 20th; from then on I's last day is the 20th, and "good" has expired on the 15th */
    OK(w, crd_reconcile(w->ledger, on(10), &spec, &r));
    world_check(w);
    ck_assert_int_eq(stored_credit(w, "c1", "used").remaining, 0);
    crd_credit_free(used);
    world_close(w);
}
END_TEST

START_TEST(M6_a_run_in_a_closed_period_is_refused) {
    world *w = world_open(_i);
    crd_settings s;
    crd_plan_spec spec = plan_spec(0, 1);
    fill_three(w);
    memset(&s, 0, sizeof s);
    s.struct_size = sizeof s;
    s.closed_through = DAY(1);
    OK(w, crd_ledger_configure(w->ledger, &s));
    REFUSED(w, crd_reconcile(w->ledger, on(1), &spec, NULL), CRD_E_CLOSED);
    FIGURES(w, DAY(1), DAY(1));
    spec.date = DAY(2);
    OK(w, crd_reconcile(w->ledger, on(2), &spec, NULL));
    world_check(w);
    world_close(w);
}
END_TEST

START_TEST(R33_reconcile_leaves_customers_with_the_feature_off_alone) {
    world *w = world_open(_i);
    crd_customer_terms t;
    memset(&t, 0, sizeof t);
    t.struct_size = sizeof t;
    fill_three(w);
    t.switches = CRD_SWITCH_FEATURE_OFF;
    OK(w, crd_customer_add(w->ledger, on(0), "c0", &t, NULL));
    ck_assert_uint_eq(reconcile(w, CRD_PLAN_ALL_OPEN, 1).posted, 3);
    world_close(w);
}
END_TEST

START_TEST(R54_statement_figures_after_a_run) {
    world *w = world_open(_i);
    crd_balance before, after;
    fill_three(w);
    before = balance_of(w->ledger, "c1", "EUR", 1);
    (void)reconcile(w, 0, 1);
    after = balance_of(w->ledger, "c1", "EUR", 1);
    ck_assert_int_eq(after.balance, before.balance);
    ck_assert_int_eq(after.outstanding, before.outstanding - 100);
    ck_assert_int_eq(after.available, 0);
    world_close(w);
}
END_TEST

static Suite *make(void) {
    Suite *s = suite_create("reconcile");
    TCase *t = tcase_create("reconcile");
    tcase_add_loop_test(t, R49_M15_credits_oldest_first_finance_charges_first_then_by_due_date, 0, STORES);
    tcase_add_loop_test(t, metamorphic_input_order_is_irrelevant_where_dates_differ, 0, STORES);
    tcase_add_loop_test(t, M15_the_order_of_allocation_is_data, 0, STORES);
    tcase_add_loop_test(t, R66_M15_a_credit_first_pays_the_invoice_it_prefers, 0, STORES);
    tcase_add_loop_test(t, R47_cash_is_used_when_selected, 0, STORES);
    tcase_add_loop_test(t, R71_every_document_left_out_has_its_reason, 0, STORES);
    tcase_add_loop_test(t, R71_R60_other_currencies_are_accounts_of_their_own, 0, STORES);
    tcase_add_loop_test(t, R46_a_second_run_finds_nothing_to_do, 0, STORES);
    tcase_add_loop_test(t, R48_R52_R72_preview_skip_edit_and_commit_what_was_seen, 0, STORES);
    tcase_add_loop_test(t, R72_an_account_that_moved_since_the_preview_is_conflicted_and_the_others_are_posted, 0,
                        STORES);
    tcase_add_loop_test(t, R72_handles_of_posted_accounts_stay_valid_and_of_conflicted_ones_do_not, 0, STORES);
    tcase_add_loop_test(t, R72_own_commands_between_preview_and_commit_conflict_too, 0, STORES);
    tcase_add_loop_test(t, R70_progress_is_told_and_cancelling_keeps_what_was_posted, 0, STORES);
    tcase_add_loop_test(t, R46_named_customers_credits_and_invoices, 0, STORES);
    tcase_add_loop_test(t, R50_customers_by_id_or_by_location_then_id, 0, STORES);
    tcase_add_loop_test(t, R46_by_category_or_location, 0, STORES);
    tcase_add_loop_test(t, R51_the_prescan_has_what_an_office_wants_to_see, 0, STORES);
    tcase_add_loop_test(t, R61_a_run_key_posts_each_account_once, 0, STORES);
    tcase_add_loop_test(t, R61_a_repeated_run_posts_the_accounts_it_had_not_reached, 0, STORES);
    tcase_add_loop_test(t, R61_a_run_key_may_have_59_bytes, 0, STORES);
    tcase_add_loop_test(t, M6_an_application_takes_the_latest_date_of_the_run_and_its_documents, 0, STORES);
    tcase_add_loop_test(t, M6_a_pair_dated_past_the_expiry_is_left_out, 0, STORES);
    tcase_add_loop_test(t, M6_only_the_pair_is_left_out_not_the_credit, 0, STORES);
    tcase_add_loop_test(t, M6_a_run_is_not_refused_when_its_own_pairs_move_a_date_past_an_expiry, 0, STORES);
    tcase_add_loop_test(t, M6_a_run_in_a_closed_period_is_refused, 0, STORES);
    tcase_add_loop_test(t, R33_reconcile_leaves_customers_with_the_feature_off_alone, 0, STORES);
    tcase_add_loop_test(t, R54_statement_figures_after_a_run, 0, STORES);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return world_main(make);
}
