/*
 * What a command costs in storage calls (P8 of the performance goals), counted; and accounts larger than one batch.
 */
#include "support/scene.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

START_TEST(P8_apply_with_fresh_handles_is_one_write_and_no_read) {
    world *w = world_open(_i);
    scene s;
    crd_credit *made = NULL;
    crd_credit_terms t = credit_terms("new", CRD_CREDIT_MEMO, 10);
    scene_fill(w);
    s = scene_open(w->ledger);
    w->careless = 1;
    shim_reset(&w->shim);
    for (int n = 0; n < 5; n++) apply(w, s.k, s.i, 10, 2);
    apply(w, s.k, s.j, 10, 2);
    apply(w, s.p, s.j, 10, 2);
    void_credit(w, s.p, 10, 2);
    send_invoice(w, s.draft, 2);
    apply(w, s.p, s.draft, 10, 2);
    ck_assert_uint_eq(w->shim.reads, 0);
    ck_assert_uint_eq(w->shim.writes, 10);
    /* also with a key, which the write itself checks */
    OK(w, try_apply(w->ledger, s.k, s.i, 10, 0, keyed(2, "x"), NULL));
    ck_assert_uint_eq(w->shim.reads, 0);
    ck_assert_uint_eq(w->shim.writes, 11);
    /* and on a handle that issue just gave, after one read to issue */
    OK(w, crd_credit_issue(w->ledger, on(2), "c1", &t, &made));
    ck_assert_uint_eq(w->shim.reads, 1);
    apply(w, made, s.i, 10, 2);
    ck_assert_uint_eq(w->shim.reads, 1);
    ck_assert_uint_eq(w->shim.writes, 13);
    /* after a refresh it is the same again */
    OK(w, crd_credit_refresh(s.k));
    ck_assert_uint_eq(w->shim.reads, 2);
    apply(w, s.k, s.i, 10, 2);
    ck_assert_uint_eq(w->shim.reads, 2);
    world_check(w);
    crd_credit_free(made);
    scene_close(&s);
    world_close(w);
}
END_TEST

START_TEST(P8_a_refused_command_on_fresh_handles_touches_the_storage_not_at_all) {
    world *w = world_open(_i);
    scene s;
    scene_fill(w);
    s = scene_open(w->ledger);
    shim_reset(&w->shim);
    ENDS(w->ledger, try_apply(w->ledger, s.k, s.i, 501, 0, on(2), NULL), CRD_E_INVOICE_AMOUNT);
    ENDS(w->ledger, crd_credit_void(w->ledger, on(2), s.k, 901, 0, NULL), CRD_E_CREDIT_AMOUNT);
    ENDS(w->ledger, crd_invoice_send(w->ledger, on(2), s.i, 0, NULL), CRD_E_STATE);
    ck_assert_uint_eq(w->shim.reads + w->shim.writes, 0);
    scene_close(&s);
    world_close(w);
}
END_TEST

static void count_entries(void *ctx, uint32_t kind, void *record) {
    (void)record;
    *(int *)ctx += kind == CRD_KIND_ENTRY;
}

/* However much was done with a credit before: what an entry left is in the journal behind it. */
START_TEST(P9_what_is_undone_costs_what_was_done_since) {
    world *w = world_open(_i);
    crd_credit *k;
    crd_invoice *i;
    int64_t seq = 0, later = 0;
    int entries = 0;
    w->careless = 1;
    customer(w, "c1");
    k = memo(w, "c1", "K", 1000, 0);
    i = invoice(w, "c1", "I", 1000, 0, 30);
    for (int n = 0; n < 100; n++) seq = apply(w, k, i, 5, 1);
    later = apply(w, k, i, 5, 1);
    w->shim.ctx = &entries;
    w->shim.alter = count_entries;
    ck_assert_int_eq(undo(w, "c1", seq, 2, 1), 2);
    ck_assert_int_le(entries, 4); /* itself twice, and the later one */
    entries = 0;
    OK(w, crd_application_change(w->ledger, on(1), "c1", "EUR", later, 1, NULL));
    ck_assert_int_le(entries, 4);
    w->shim.alter = NULL;
    ck_assert_int_eq(undo(w, "c1", seq, 0, 1), 3); /* what was left of it */
    REFUSED(w, try_undo(w->ledger, "c1", seq, 0, on(1), NULL), CRD_E_NOTHING);
    world_check(w);
    crd_credit_free(k);
    crd_invoice_free(i);
    world_close(w);
}
END_TEST

static void fill_accounts(world *w, int count) {
    w->careless = 1;
    for (int from = 0; from < count; from += 250) {
        OK(w, crd_unit_begin(w->ledger));
        for (int n = from; n < from + 250 && n < count; n++) {
            char who[16];
            snprintf(who, sizeof who, "c%05d", n);
            customer(w, who);
            crd_credit_free(memo(w, who, "K", 100, 0));
            crd_invoice_free(invoice(w, who, "I", 60, 0, 30));
            crd_invoice_free(invoice(w, who, "J", 60, 0, 40));
        }
        OK(w, crd_unit_commit(w->ledger));
    }
}

START_TEST(P8_reconcile_of_one_customer_is_one_read_and_one_write) {
    world *w = world_open(_i);
    static const char *const who[] = {"c00001"};
    crd_plan_spec spec = plan_spec(0, 1);
    crd_plan_result r = plan_result_block();
    fill_accounts(w, 3);
    spec.customers = who;
    spec.customer_count = 1;
    shim_reset(&w->shim);
    OK(w, crd_reconcile(w->ledger, on(1), &spec, &r));
    ck_assert_uint_eq(r.applications, 2);
    ck_assert_uint_eq(w->shim.reads, 1);
    ck_assert_uint_eq(w->shim.writes, 1);
    ck_assert_uint_eq(w->shim.last_guards, 1);
    ck_assert_uint_eq(w->shim.last_changes, 8); /* account, credit, two invoices, receipt, three entries */
    world_check(w);
    world_close(w);
}
END_TEST

START_TEST(P8_reconcile_of_a_page_is_one_read_and_one_write) {
    world *w = world_open(_i);
    crd_plan_spec spec = plan_spec(0, 1);
    crd_plan_result r = plan_result_block();
    fill_accounts(w, CRD_MAX_ACCOUNTS);
    shim_reset(&w->shim);
    OK(w, crd_reconcile(w->ledger, on(1), &spec, &r));
    ck_assert_uint_eq(r.posted, CRD_MAX_ACCOUNTS);
    ck_assert_uint_eq(r.applications, 2 * CRD_MAX_ACCOUNTS);
    ck_assert_uint_eq(w->shim.writes, 1);
    ck_assert_uint_eq(w->shim.last_guards, CRD_MAX_ACCOUNTS);
    ck_assert_uint_eq(w->shim.last_flags, CRD_BATCH_INDEPENDENT);
    /* a full page may be the last one or not: one more read finds that out */
    ck_assert_uint_le(w->shim.reads, 2);
    OK(w, crd_ledger_verify(w->ledger, NULL, NULL));
    world_close(w);
}
END_TEST

static void shake(void *ctx, shim *s) {
    crd_ledger *rival = ctx;
    s->before_write = NULL;
    for (int n = 0; n < 40; n += 4) {
        char who[16];
        crd_credit *k;
        snprintf(who, sizeof who, "c%05d", n);
        k = find_credit(rival, who, "K");
        ENDS(rival, try_apply(rival, k, NULL, 1, 0, on(1), NULL), CRD_OK);
        crd_credit_free(k);
    }
}

START_TEST(P8_conflicts_in_a_page_cost_at_most_one_more_write) {
    world *w = world_open(_i);
    crd_plan_spec spec = plan_spec(0, 1);
    crd_plan_result r = plan_result_block();
    fill_accounts(w, 100);
    world_rival(w);
    shim_reset(&w->shim);
    w->shim.ctx = w->rivals[0];
    w->shim.before_write = shake;
    OK(w, crd_reconcile(w->ledger, on(1), &spec, &r));
    ck_assert_uint_eq(r.posted, 90);
    ck_assert_uint_eq(r.conflicted, 10);
    ck_assert_uint_eq(r.applications, 180);
    ck_assert_uint_eq(w->shim.reads, 1);
    ck_assert_uint_le(w->shim.writes, 2);
    w->careless = 0;
    world_check(w);
    world_close(w);
}
END_TEST

/* The same with a storage that treats an independent batch as a whole. */
typedef struct whole {
    crd_storage inner, table;
    unsigned writes;
} whole;

static void CRD_CALL whole_read(void *ctx, const crd_query *query, crd_emit emit, void *sink, crd_read_result *out) {
    whole *t = ctx;
    t->inner.read(t->inner.ctx, query, emit, sink, out);
}

static void CRD_CALL whole_write(void *ctx, const crd_batch *batch, crd_write_result *out) {
    whole *t = ctx;
    crd_batch as_one = *batch;
    crd_change *changes = malloc((size_t)batch->change_count * sizeof *changes);
    const crd_change **list = malloc((size_t)batch->change_count * sizeof *list);
    crd_guard *guards = malloc((size_t)batch->guard_count * sizeof *guards);
    const crd_guard **guard_list = malloc((size_t)batch->guard_count * sizeof *guard_list);
    as_one.flags = 0;
    for (uint64_t n = 0; n < batch->change_count; n++) {
        changes[n] = *batch->changes[n];
        changes[n].group = 0;
        list[n] = &changes[n];
    }
    for (uint64_t n = 0; n < batch->guard_count; n++) {
        guards[n] = *batch->guards[n];
        guards[n].group = 0;
        guard_list[n] = &guards[n];
    }
    as_one.changes = list;
    as_one.guards = guard_list;
    t->writes++;
    t->inner.write(t->inner.ctx, &as_one, out);
    free(changes);
    free((void *)list);
    free(guards);
    free((void *)guard_list);
}

static crd_ledger *shaken_by;
static int shaken;
static void CRD_CALL whole_write_shaken(void *ctx, const crd_batch *batch, crd_write_result *out) {
    if (!shaken) {
        shim unused;
        shaken = 1;
        shake(shaken_by, &unused);
    }
    whole_write(ctx, batch, out);
}

START_TEST(P8_conflicts_cost_one_more_write_on_a_storage_that_keeps_all_or_nothing) {
    world *w = world_open(_i);
    crd_plan_spec spec = plan_spec(0, 1);
    crd_plan_result r = plan_result_block();
    crd_ledger_options options;
    crd_ledger *ledger = NULL;
    whole t;
    fill_accounts(w, 100);
    shaken_by = world_rival(w);
    shaken = 0;
    memset(&t, 0, sizeof t);
    t.inner = *world_storage(w);
    t.table = t.inner;
    t.table.ctx = &t;
    t.table.read = whole_read;
    t.table.write = whole_write_shaken;
    t.table.close = NULL;
    t.table.flags_now = NULL;
    t.table.new_writer = NULL;
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    options.storage = &t.table;
    options.hooks = &w->hooks;
    options.writer = 99;
    ck_assert_int_eq(crd_ledger_open(&options, &ledger), CRD_OK);
    ENDS(ledger, crd_reconcile(ledger, on(1), &spec, &r), CRD_OK);
    ck_assert_uint_eq(r.posted, 90);
    ck_assert_uint_eq(r.conflicted, 10);
    ck_assert_uint_eq(t.writes, 2);
    world_check(w);
    crd_ledger_close(ledger);
    world_close(w);
}
END_TEST

START_TEST(P8_many_pages_cost_one_read_and_one_write_each) {
    world *w = world_open(STORE_MEMORY);
    crd_plan_spec spec = plan_spec(0, 1);
    crd_plan_result r = plan_result_block();
    fill_accounts(w, 2500);
    shim_reset(&w->shim);
    OK(w, crd_reconcile(w->ledger, on(1), &spec, &r));
    ck_assert_uint_eq(r.posted, 2500);
    ck_assert_uint_eq(w->shim.reads, 3);
    ck_assert_uint_eq(w->shim.writes, 3);
    OK(w, crd_ledger_verify(w->ledger, NULL, NULL));
    world_close(w);
}
END_TEST

/* ---- one account larger than a batch ---- */

static void fill_large(world *w, int credits) {
    w->careless = 1;
    customer(w, "big");
    for (int from = 0; from < credits; from += 5000) {
        OK(w, crd_unit_begin(w->ledger));
        for (int n = from; n < from + 5000 && n < credits; n++) {
            char id[16];
            crd_credit_terms k = credit_terms(id, CRD_CREDIT_MEMO, 100);
            crd_invoice_terms i = invoice_terms(id, 100);
            snprintf(id, sizeof id, "d%06d", n);
            if (n == 0) i.total = 50; /* so that every credit pays two invoices */
            OK(w, crd_credit_issue(w->ledger, on(0), "big", &k, NULL));
            OK(w, crd_invoice_enter(w->ledger, on(0), "big", &i, NULL));
        }
        OK(w, crd_unit_commit(w->ledger));
    }
}

#define LARGE 17000

static void cut_in(void *ctx, shim *s) {
    crd_ledger *rival = ctx;
    crd_credit_terms t = credit_terms(NULL, CRD_CREDIT_MEMO, 1);
    if (s->writes != 2) return;
    s->before_write = NULL;
    ENDS(rival, crd_credit_issue(rival, on(1), "big", &t, NULL), CRD_OK);
}

START_TEST(R52_an_account_larger_than_a_batch_is_posted_in_several_receipts) {
    world *w = world_open(STORE_MEMORY);
    crd_plan_spec spec = plan_spec(0, 1);
    crd_plan_result r = plan_result_block();
    crd_report_spec report_spec;
    crd_report *report = NULL;
    const crd_row *row = NULL;
    uint64_t receipts = 0;
    int64_t applied = 0, total = (int64_t)LARGE * 100 - 50;
    fill_large(w, LARGE);
    shim_reset(&w->shim);
    OK(w, crd_reconcile(w->ledger, on(1), &spec, &r));
    ck_assert_uint_eq(r.posted, 1);
    ck_assert_uint_eq(r.applications, 2 * LARGE - 1);
    ck_assert_uint_gt(r.receipts, 0);
    ck_assert_uint_eq(r.receipts, w->shim.writes);
    ck_assert_uint_le(w->shim.most_changes, CRD_MAX_CHANGES);
    memset(&report_spec, 0, sizeof report_spec);
    report_spec.struct_size = sizeof report_spec;
    report_spec.report = CRD_REPORT_RECEIPTS;
    OK(w, crd_report_open(w->ledger, &report_spec, &report));
    for (;;) {
        OK(w, crd_report_next(report, &row));
        if (row == NULL) break;
        receipts++;
        applied += row->receipt->applied;
    }
    crd_report_close(report);
    ck_assert_uint_eq(receipts, r.receipts);
    ck_assert_uint_ge(receipts, 2);
    ck_assert_int_eq(applied, total);
    ck_assert_int_eq(balance_of(w->ledger, "big", "EUR", 1).outstanding, 0);
    ck_assert_int_eq(balance_of(w->ledger, "big", "EUR", 1).available, 50);
    OK(w, crd_ledger_verify(w->ledger, NULL, NULL));
    ck_assert_uint_eq(reconcile(w, 0, 1).applications, 0);
    world_close(w);
}
END_TEST

START_TEST(R72_another_writer_between_the_parts_of_a_large_account_ends_it_as_conflicted) {
    world *w = world_open(STORE_MEMORY);
    crd_plan_spec spec = plan_spec(0, 1);
    crd_plan_result r = plan_result_block();
    fill_large(w, LARGE);
    world_rival(w);
    shim_reset(&w->shim);
    w->shim.ctx = w->rivals[0];
    w->shim.before_write = cut_in;
    OK(w, crd_reconcile(w->ledger, on(1), &spec, &r));
    ck_assert_uint_eq(r.conflicted, 1);
    ck_assert_uint_eq(r.posted, 0);
    ck_assert_uint_eq(r.receipts, 1); /* the first part stands */
    ck_assert_uint_gt(r.applications, 0);
    ck_assert_uint_lt(r.applications, 2 * LARGE - 1);
    OK(w, crd_ledger_verify(w->ledger, NULL, NULL)); /* a complete and valid state */
    ck_assert_uint_eq(reconcile(w, 0, 1).applications, 2 * LARGE - 1 - r.applications);
    OK(w, crd_ledger_verify(w->ledger, NULL, NULL));
    world_close(w);
}
END_TEST

START_TEST(M14_undo_of_a_receipt_larger_than_a_batch_is_possible_or_refused_as_too_large) {
    world *w = world_open(STORE_MEMORY);
    crd_plan_result r;
    int64_t first;
    crd_status status;
    int credits = getenv("CREDIT_TEST_LONG") != NULL ? 16000 : 3000;
    fill_large(w, credits);
    r = reconcile(w, 0, 1);
    ck_assert_uint_ge(r.receipts, 1);
    first = 2 * credits + 1;
    status = try_undo(w->ledger, "big", first, 0, on(1), NULL);
    ck_assert_msg(status == CRD_OK || status == CRD_E_TOO_LARGE, "%s", crd_status_name(status));
    OK(w, crd_ledger_verify(w->ledger, NULL, NULL));
    if (status == CRD_OK) ck_assert_uint_gt(reconcile(w, 0, 1).applications, 0);
    OK(w, crd_ledger_verify(w->ledger, NULL, NULL));
    world_close(w);
}
END_TEST

START_TEST(R64_a_unit_larger_than_a_batch_is_refused_as_too_large) {
    world *w = world_open(STORE_MEMORY);
    crd_credit *k;
    crd_status status = CRD_OK;
    w->careless = 1;
    customer(w, "c1");
    k = memo(w, "c1", "K", 100000, 0);
    OK(w, crd_unit_begin(w->ledger));
    for (int n = 0; n < CRD_MAX_CHANGES + 1 && status == CRD_OK; n++)
        status = try_apply(w->ledger, k, NULL, 1, 0, on(0), NULL);
    if (status == CRD_OK) status = crd_unit_commit(w->ledger);
    ENDS(w->ledger, status, CRD_E_TOO_LARGE);
    ck_assert_int_eq(crd_ledger_error(w->ledger)->limit, CRD_MAX_CHANGES);
    (void)crd_unit_rollback(w->ledger);
    ck_assert_int_eq(crd_credit_get(k)->remaining, 100000);
    apply(w, k, NULL, 1, 0);
    OK(w, crd_ledger_verify(w->ledger, NULL, NULL));
    crd_credit_free(k);
    world_close(w);
}
END_TEST

static Suite *make(void) {
    Suite *s = suite_create("calls");
    TCase *t = tcase_create("calls");
    TCase *large = tcase_create("large");
    tcase_add_loop_test(t, P8_apply_with_fresh_handles_is_one_write_and_no_read, 0, STORES);
    tcase_add_loop_test(t, P8_a_refused_command_on_fresh_handles_touches_the_storage_not_at_all, 0, STORES);
    tcase_add_loop_test(t, P9_what_is_undone_costs_what_was_done_since, 0, STORES);
    tcase_add_loop_test(t, P8_reconcile_of_one_customer_is_one_read_and_one_write, 0, STORES);
    tcase_add_loop_test(t, P8_reconcile_of_a_page_is_one_read_and_one_write, 0, STORES);
    tcase_add_loop_test(t, P8_conflicts_in_a_page_cost_at_most_one_more_write, 0, STORES);
    tcase_add_loop_test(t, P8_conflicts_cost_one_more_write_on_a_storage_that_keeps_all_or_nothing, 0, STORES);
    tcase_add_test(t, P8_many_pages_cost_one_read_and_one_write_each);
    suite_add_tcase(s, t);
    tcase_set_timeout(large, 120);
    tcase_add_test(large, R52_an_account_larger_than_a_batch_is_posted_in_several_receipts);
    tcase_add_test(large, R72_another_writer_between_the_parts_of_a_large_account_ends_it_as_conflicted);
    tcase_add_test(large, M14_undo_of_a_receipt_larger_than_a_batch_is_possible_or_refused_as_too_large);
    tcase_add_test(large, R64_a_unit_larger_than_a_batch_is_refused_as_too_large);
    suite_add_tcase(s, large);
    return s;
}

int main(void) {
    return world_main(make);
}
