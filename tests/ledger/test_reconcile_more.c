/*
 * The reconcile run, further: small rests written off (R75), an order of the host's own (M15, R66), restrictions.
 */
#include "support/world.h"

#include <stdio.h>
#include <string.h>

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

static const crd_plan_item *item_of(const crd_plan_account *account, const char *id) {
    for (uint64_t n = 0; n < account->item_count; n++) {
        const crd_plan_item *item = account->items[n];
        if (strcmp(item->credit != NULL ? item->credit->id : item->invoice->id, id) == 0) return item;
    }
    ck_abort_msg("%s is not among the items", id);
    return NULL;
}

static crd_plan *plan_tolerant(world *w, int64_t tolerance, int day) {
    crd_plan_spec spec = plan_spec(0, day);
    crd_plan *plan = NULL;
    spec.tolerance = tolerance;
    OK(w, crd_plan_open(w->ledger, &spec, &plan));
    return plan;
}

static const crd_plan_account *plan_next(world *w, crd_plan *plan) {
    const crd_plan_account *account = NULL;
    OK(w, crd_plan_next(plan, &account));
    return account;
}

static void memo_of(world *w, const char *who, const char *id, int64_t amount, int day) {
    crd_credit_free(memo(w, who, id, amount, day));
}
static void invoice_of(world *w, const char *who, const char *id, int64_t total, int day, int due) {
    crd_invoice_free(invoice(w, who, id, total, day, due));
}

/* ---- R75 ---- */

/* K of 300 pays A whole, B but for 2, and nothing of C, which is as small a rest but received nothing. */
static void fill_tolerance(world *w) {
    customer(w, "c1");
    memo_of(w, "c1", "K", 300, 0);
    invoice_of(w, "c1", "A", 100, 0, 10);
    invoice_of(w, "c1", "B", 202, 0, 20);
    invoice_of(w, "c1", "C", 2, 0, 30);
}

START_TEST(R75_a_small_rest_of_what_the_run_pays_is_written_off_by_an_entry) {
    world *w = world_open(_i);
    crd_plan_spec spec = plan_spec(0, 5);
    crd_plan_result r = plan_result_block();
    book *b;
    const crd_entry_record *e;
    fill_tolerance(w);
    spec.tolerance = 2;
    OK(w, crd_reconcile(w->ledger, on(5), &spec, &r));
    world_check(w);
    ck_assert_uint_eq(r.posted, 1);
    ck_assert_uint_eq(r.applications, 2);
    ck_assert_uint_eq(r.write_offs, 1);
    ck_assert_int_eq(stored_invoice(w, "c1", "B").open, 0);
    ck_assert_int_eq(stored_invoice(w, "c1", "B").written_off, 2);
    ck_assert_uint_eq(stored_invoice(w, "c1", "B").state, CRD_INVOICE_PAID); /* only bad debt is WrittenOff */
    ck_assert_int_eq(stored_invoice(w, "c1", "C").open, 2); /* received nothing */
    b = world_book(w);
    e = book_entry(b, "c1", "EUR", 8); /* receipt 5, applications 6 and 7 */
    ck_assert_uint_eq(e->type, CRD_ENTRY_WRITE_OFF);
    ck_assert_uint_eq(e->cause, CRD_CAUSE_TOLERANCE);
    ck_assert_uint_eq(e->flags, CRD_ENTRY_AUTOMATIC | CRD_ENTRY_POSTS_RECEIPT);
    ck_assert_int_eq(e->amount, 2);
    ck_assert_int_eq(e->business_date, DAY(5));
    ck_assert_str_eq(e->credit, "");
    ck_assert_int_eq(book_receipt(b, "c1", e->receipt)->written_off, 2);
    ck_assert_int_eq(book_receipt(b, "c1", e->receipt)->applied, 300);
    book_free(b);
    /* a second run finds nothing to do, and the receipt is undone with its write-off */
    spec.date = DAY(6);
    OK(w, crd_reconcile(w->ledger, on(6), &spec, &r));
    ck_assert_uint_eq(r.posted, 0);
    OK(w, try_undo(w->ledger, "c1", 5, 0, on(6), NULL));
    world_check(w);
    ck_assert_int_eq(stored_invoice(w, "c1", "B").open, 202);
    ck_assert_int_eq(stored_invoice(w, "c1", "B").written_off, 0);
    ck_assert_int_eq(stored_credit(w, "c1", "K").remaining, 300);
    world_close(w);
}
END_TEST

START_TEST(R75_one_more_than_the_limit_stays_open) {
    world *w = world_open(_i);
    crd_plan_spec spec = plan_spec(0, 5);
    crd_plan_result r = plan_result_block();
    fill_tolerance(w);
    spec.tolerance = 1;
    OK(w, crd_reconcile(w->ledger, on(5), &spec, &r));
    world_check(w);
    ck_assert_uint_eq(r.write_offs, 0);
    ck_assert_int_eq(stored_invoice(w, "c1", "B").open, 2);
    spec.tolerance = -1;
    REFUSED(w, crd_reconcile(w->ledger, on(5), &spec, &r), CRD_E_ARGUMENT);
    FIELD(w, "spec.tolerance");
    world_close(w);
}
END_TEST

START_TEST(R75_R72_the_plan_shows_it_and_follows_an_edit) {
    world *w = world_open(_i);
    crd_plan *plan;
    const crd_plan_account *account;
    crd_plan_result r = plan_result_block();
    fill_tolerance(w);
    plan = plan_tolerant(w, 3, 5);
    account = plan_next(w, plan);
    ck_assert_str_eq(shown(account), "K>A:100 K>B:200");
    ck_assert_int_eq(account->written_off, 2);
    ck_assert_int_eq(item_of(account, "B")->write_off, 2);
    ck_assert_uint_eq(item_of(account, "B")->left_out, CRD_LEFT_NOTHING); /* nothing of it stays open */
    ck_assert_uint_eq(item_of(account, "C")->left_out, CRD_LEFT_NO_COUNTERPART);
    OK(w, crd_plan_edit(plan, 1, 199));
    ck_assert_int_eq(item_of(account, "B")->write_off, 3);
    OK(w, crd_plan_edit(plan, 1, 198));
    ck_assert_int_eq(item_of(account, "B")->write_off, 0);
    ck_assert_int_eq(account->written_off, 0);
    OK(w, crd_plan_edit(plan, 0, 97));
    ck_assert_int_eq(item_of(account, "A")->write_off, 3);
    OK(w, crd_plan_edit(plan, 1, 0)); /* takes B out: it is not paid, so nothing of it is written off */
    ck_assert_int_eq(account->written_off, 3);
    OK(w, crd_plan_commit(plan, on(5), &r));
    world_check(w);
    ck_assert_uint_eq(r.applications, 1);
    ck_assert_uint_eq(r.write_offs, 1);
    ck_assert_int_eq(stored_invoice(w, "c1", "A").written_off, 3);
    ck_assert_int_eq(stored_invoice(w, "c1", "B").open, 202);
    ck_assert_int_eq(stored_credit(w, "c1", "K").remaining, 203);
    crd_plan_close(plan);
    world_close(w);
}
END_TEST

START_TEST(R75_R72_an_account_that_moved_writes_nothing_off) {
    world *w = world_open(_i);
    crd_plan *plan;
    crd_credit *k;
    crd_plan_result r = plan_result_block();
    fill_tolerance(w);
    plan = plan_tolerant(w, 2, 5);
    (void)plan_next(w, plan);
    k = find_credit(w->ledger, "c1", "K");
    void_credit(w, k, 1, 5);
    OK(w, crd_plan_commit(plan, on(5), &r));
    world_check(w);
    ck_assert_uint_eq(r.conflicted, 1);
    ck_assert_uint_eq(r.write_offs, 0);
    ck_assert_int_eq(stored_invoice(w, "c1", "B").written_off, 0);
    crd_plan_close(plan);
    crd_credit_free(k);
    world_close(w);
}
END_TEST

/* An application that lies later than the run dates the write-off behind it, so the invoice's past stays a prefix. */
START_TEST(R75_M6_it_is_dated_as_the_invoices_last_application) {
    world *w = world_open(_i);
    crd_credit *k;
    crd_invoice *i;
    crd_plan_spec spec = plan_spec(0, 5);
    crd_plan_result r = plan_result_block();
    book *b;
    customer(w, "c1");
    k = memo(w, "c1", "K", 99, 0);
    i = invoice(w, "c1", "I", 100, 0, 30);
    apply(w, k, i, 9, 8);
    spec.tolerance = 1;
    OK(w, crd_reconcile(w->ledger, on(5), &spec, &r));
    world_check(w);
    b = world_book(w);
    ck_assert_uint_eq(book_entry(b, "c1", "EUR", 6)->type, CRD_ENTRY_WRITE_OFF);
    ck_assert_int_eq(book_entry(b, "c1", "EUR", 6)->business_date, DAY(8));
    book_free(b);
    crd_credit_free(k);
    crd_invoice_free(i);
    world_close(w);
}
END_TEST

/* ---- an order of the host's own ---- */

/* The largest first; equal ones by the account's sequence. */
static int32_t CRD_CALL larger_credit(void *ctx, const crd_credit_record *a, const crd_credit_record *b) {
    ++*(int *)ctx;
    return a->original > b->original ? -1 : a->original < b->original;
}
static int32_t CRD_CALL larger_invoice(void *ctx, const crd_invoice_record *a, const crd_invoice_record *b) {
    ++*(int *)ctx;
    return a->total > b->total ? -1 : a->total < b->total;
}

START_TEST(M15_R66_a_comparison_of_the_hosts_decides_and_ties_go_by_sequence) {
    int asked = 0;
    crd_hooks hooks;
    world *w;
    crd_plan_spec spec = plan_spec(0, 5);
    crd_plan *plan = NULL;
    memset(&hooks, 0, sizeof hooks);
    hooks.ctx = &asked;
    hooks.compare_credits = larger_credit;
    hooks.compare_invoices = larger_invoice;
    w = world_open_with(_i, NULL, NULL, &hooks);
    customer(w, "c1");
    memo_of(w, "c1", "small", 10, 0);
    memo_of(w, "c1", "z", 40, 2);
    memo_of(w, "c1", "a", 40, 1);
    invoice_of(w, "c1", "I", 20, 0, 1);
    invoice_of(w, "c1", "Y", 60, 0, 40);
    invoice_of(w, "c1", "X", 60, 0, 30);
    OK(w, crd_plan_open(w->ledger, &spec, &plan));
    ck_assert_str_eq(shown(plan_next(w, plan)), "z>Y:40 a>Y:20 a>X:20 small>X:10");
    ck_assert_int_gt(asked, 0);
    crd_plan_close(plan);
    world_close(w);
}
END_TEST

START_TEST(M15_R2_auto_apply_asks_the_same_comparison) {
    int asked = 0;
    crd_hooks hooks;
    crd_credit_terms t = credit_terms("K", CRD_CREDIT_MEMO, 50);
    world *w;
    memset(&hooks, 0, sizeof hooks);
    hooks.ctx = &asked;
    hooks.compare_invoices = larger_invoice;
    w = world_open_with(_i, NULL, NULL, &hooks);
    customer(w, "c1");
    invoice_of(w, "c1", "I", 20, 0, 1);
    invoice_of(w, "c1", "X", 60, 0, 30);
    t.flags = CRD_ISSUE_APPLY;
    OK(w, crd_credit_issue(w->ledger, on(1), "c1", &t, NULL));
    world_check(w);
    ck_assert_int_eq(stored_invoice(w, "c1", "X").open, 10);
    ck_assert_int_eq(stored_invoice(w, "c1", "I").open, 20);
    world_close(w);
}
END_TEST

START_TEST(M15_R7_pieces_of_an_adjustment_are_taken_in_that_order_too) {
    int asked = 0;
    crd_hooks hooks;
    crd_adjust_terms t;
    world *w;
    memset(&hooks, 0, sizeof hooks);
    hooks.ctx = &asked;
    hooks.compare_credits = larger_credit;
    w = world_open_with(_i, NULL, NULL, &hooks);
    customer(w, "c1");
    memo_of(w, "c1", "small", 10, 0);
    memo_of(w, "c1", "large", 40, 0);
    memset(&t, 0, sizeof t);
    t.struct_size = sizeof t;
    t.target = 30;
    OK(w, crd_credit_adjust(w->ledger, on(1), "c1", "EUR", &t, NULL));
    world_check(w);
    ck_assert_int_eq(stored_credit(w, "c1", "large").remaining, 20);
    ck_assert_int_eq(stored_credit(w, "c1", "small").remaining, 10);
    world_close(w);
}
END_TEST

/* One that contradicts itself gives some order; nothing is lost by it. */
static int32_t CRD_CALL absurd(void *ctx, const crd_credit_record *a, const crd_credit_record *b) {
    (void)a;
    (void)b;
    return ++*(int *)ctx % 3 - 1;
}

START_TEST(M15_a_comparison_that_contradicts_itself_costs_no_money) {
    int asked = 0;
    crd_hooks hooks;
    world *w;
    crd_plan_spec spec = plan_spec(0, 5);
    crd_plan_result r = plan_result_block();
    memset(&hooks, 0, sizeof hooks);
    hooks.ctx = &asked;
    hooks.compare_credits = absurd;
    w = world_open_with(_i, NULL, NULL, &hooks);
    customer(w, "c1");
    for (int i = 0; i < 9; i++) {
        char id[8];
        snprintf(id, sizeof id, "K%d", i);
        memo_of(w, "c1", id, 10, 0);
    }
    invoice_of(w, "c1", "I", 85, 0, 1);
    OK(w, crd_reconcile(w->ledger, on(5), &spec, &r));
    world_check(w);
    ck_assert_int_eq(stored_invoice(w, "c1", "I").open, 0);
    ck_assert_int_eq(balance_of(w->ledger, "c1", "EUR", 5).credit, 5);
    world_close(w);
}
END_TEST

/* ---- R66 ---- */

START_TEST(R66_a_restricted_credit_pays_its_kinds_only_and_says_so) {
    world *w = world_open(_i);
    crd_credit_terms t = credit_terms("fees", CRD_CREDIT_GOODWILL, 50);
    crd_plan *plan;
    const crd_plan_account *account;
    crd_plan_result r = plan_result_block();
    customer(w, "c1");
    t.pays_kinds = 1u << CRD_INVOICE_FEE | 1u << CRD_INVOICE_FINANCE_CHARGE;
    OK(w, crd_credit_issue(w->ledger, on(0), "c1", &t, NULL));
    memo_of(w, "c1", "K", 10, 1);
    invoice_of(w, "c1", "I", 100, 0, 1);
    crd_invoice_free(invoice_as(w, "c1", "fee", CRD_INVOICE_FEE, 15, 0, 20, 0));
    plan = plan_tolerant(w, 0, 5);
    account = plan_next(w, plan);
    ck_assert_str_eq(shown(account), "fees>fee:15 K>I:10");
    ck_assert_uint_eq(item_of(account, "fees")->left_out, CRD_LEFT_RESTRICTED);
    OK(w, crd_plan_commit(plan, on(5), &r));
    world_check(w);
    ck_assert_int_eq(stored_credit(w, "c1", "fees").remaining, 35);
    crd_plan_close(plan);
    world_close(w);
}
END_TEST

START_TEST(R66_expiring_credit_first_is_an_order) {
    crd_settings settings;
    world *w;
    crd_plan *plan;
    memset(&settings, 0, sizeof settings);
    settings.struct_size = sizeof settings;
    settings.credit_order[0] = CRD_ORDER_EXPIRY;
    settings.credit_order[1] = CRD_ORDER_DATE;
    w = world_open_with(_i, NULL, &settings, NULL);
    customer(w, "c1");
    memo_of(w, "c1", "never", 10, 0);
    crd_credit_free(promise(w, "c1", "late", 10, 1, 60));
    crd_credit_free(promise(w, "c1", "soon", 10, 2, 30));
    invoice_of(w, "c1", "I", 25, 0, 10);
    plan = plan_tolerant(w, 0, 5);
    ck_assert_str_eq(shown(plan_next(w, plan)), "soon>I:10 late>I:10 never>I:5");
    crd_plan_close(plan);
    world_close(w);
}
END_TEST

/* Museum 35: drawn in order, and each piece names where it came from, over several runs and an undo between. */
START_TEST(museum_35_drawn_in_order_and_every_piece_names_its_origin) {
    world *w = world_open(_i);
    crd_plan_spec spec = plan_spec(CRD_PLAN_USE_CASH, 5);
    book *b;
    customer(w, "c1");
    crd_credit_free(cash(w, "c1", "first", 40, 0));
    crd_credit_free(cash(w, "c1", "second", 40, 1));
    invoice_of(w, "c1", "I", 60, 2, 10);
    OK(w, crd_reconcile(w->ledger, on(5), &spec, NULL));
    invoice_of(w, "c1", "J", 30, 6, 10);
    spec.date = DAY(7);
    OK(w, crd_reconcile(w->ledger, on(7), &spec, NULL));
    world_check(w);
    b = world_book(w);
    ck_assert_str_eq(book_entry(b, "c1", "EUR", 7)->credit, "first");
    ck_assert_int_eq(book_entry(b, "c1", "EUR", 7)->amount, 40);
    ck_assert_str_eq(book_entry(b, "c1", "EUR", 8)->credit, "second");
    ck_assert_int_eq(book_entry(b, "c1", "EUR", 8)->amount, 20);
    ck_assert_str_eq(book_entry(b, "c1", "EUR", 11)->credit, "second");
    ck_assert_int_eq(book_entry(b, "c1", "EUR", 11)->amount, 20);
    ck_assert_int_eq(book_invoice(b, "c1", "J")->open, 10);
    book_free(b);
    world_close(w);
}
END_TEST

static Suite *make(void) {
    Suite *s = suite_create("reconcile more");
    TCase *t = tcase_create("reconcile more");
    tcase_add_loop_test(t, R75_a_small_rest_of_what_the_run_pays_is_written_off_by_an_entry, 0, STORES);
    tcase_add_loop_test(t, R75_one_more_than_the_limit_stays_open, 0, STORES);
    tcase_add_loop_test(t, R75_R72_the_plan_shows_it_and_follows_an_edit, 0, STORES);
    tcase_add_loop_test(t, R75_R72_an_account_that_moved_writes_nothing_off, 0, STORES);
    tcase_add_loop_test(t, R75_M6_it_is_dated_as_the_invoices_last_application, 0, STORES);
    tcase_add_loop_test(t, M15_R66_a_comparison_of_the_hosts_decides_and_ties_go_by_sequence, 0, STORES);
    tcase_add_loop_test(t, M15_R2_auto_apply_asks_the_same_comparison, 0, STORES);
    tcase_add_loop_test(t, M15_R7_pieces_of_an_adjustment_are_taken_in_that_order_too, 0, STORES);
    tcase_add_loop_test(t, M15_a_comparison_that_contradicts_itself_costs_no_money, 0, STORES);
    tcase_add_loop_test(t, R66_a_restricted_credit_pays_its_kinds_only_and_says_so, 0, STORES);
    tcase_add_loop_test(t, R66_expiring_credit_first_is_an_order, 0, STORES);
    tcase_add_loop_test(t, museum_35_drawn_in_order_and_every_piece_names_its_origin, 0, STORES);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return world_main(make);
}
