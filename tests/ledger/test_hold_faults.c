/*
 * The n-th storage call and the n-th allocation fail: of a sweep, a posting with allocations, an auto-apply, a capture
 * after a lapse, a cancelled order. Each step is repeated until it succeeds; the book is then the undisturbed one.
 */
#include "support/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ATTEMPTS 6

typedef struct actors {
    world *w;
    crd_credit *k, *m;
    crd_invoice *d, *e, *i;
    crd_hold *h;
} actors;

/* K expires on the 10th with a hold until the 8th and one until the 30th; M is allocated to two orders. */
static void fill(actors *a, int store, const crd_allocator *allocator) {
    memset(a, 0, sizeof *a);
    a->w = world_open_with(store, allocator, NULL, NULL);
    a->w->careless = 1;
    customer(a->w, "c1");
    a->k = promise(a->w, "c1", "K", 100, 0, 10);
    a->m = memo(a->w, "c1", "M", 100, 0);
    a->i = invoice(a->w, "c1", "I", 90, 0, 30);
    a->d = invoice_as(a->w, "c1", "D", CRD_INVOICE_INVOICE, 60, 0, 30, CRD_INVOICE_AS_DRAFT);
    a->e = invoice_as(a->w, "c1", "E", CRD_INVOICE_INVOICE, 60, 0, 30, CRD_INVOICE_AS_DRAFT);
    hold_credit(a->w, a->k, NULL, "short", 20, 1, 8);
    hold_credit(a->w, a->k, NULL, "long", 30, 1, 30);
    hold_credit(a->w, a->m, a->d, "ad", 40, 1, 0);
    hold_credit(a->w, a->m, a->e, "ae", 15, 1, 0);
    hold_credit(a->w, a->m, NULL, "checkout", 10, 1, 12);
    a->h = find_hold(a->w->ledger, "c1", "long");
}

static void give_up(actors *a) {
    crd_credit_free(a->k);
    crd_credit_free(a->m);
    crd_invoice_free(a->d);
    crd_invoice_free(a->e);
    crd_invoice_free(a->i);
    crd_hold_free(a->h);
    world_close(a->w);
}

static const crd_request *at(int day, const char *key) {
    crd_request *r = (crd_request *)(uintptr_t)keyed(day, key);
    r->instant = noon(day);
    return r;
}

static crd_status sweep_until(actors *a, int day) {
    crd_sweep_result r;
    crd_status status;
    memset(&r, 0, sizeof r);
    r.struct_size = sizeof r;
    status = crd_sweep(a->w->ledger, at(day, NULL), NULL, &r);
    return status == CRD_OK && r.conflicted > 0 ? CRD_E_CONFLICT : status;
}
static crd_status do_sweep(actors *a) {
    return sweep_until(a, 11);
}
static crd_status do_capture(actors *a) {
    crd_apply_terms t;
    memset(&t, 0, sizeof t);
    t.struct_size = sizeof t;
    t.amount = 12;
    return crd_hold_capture(a->w->ledger, at(12, "capture"), a->h, a->i, &t, NULL);
}
static crd_status do_send(actors *a) {
    return crd_invoice_send(a->w->ledger, at(13, "send"), a->d, CRD_INVOICE_APPLY, NULL);
}
static crd_status do_issue(actors *a) {
    crd_credit_terms t = credit_terms("N", CRD_CREDIT_MEMO, 30);
    t.flags = CRD_ISSUE_APPLY;
    return crd_credit_issue(a->w->ledger, at(14, "issue"), "c1", &t, NULL);
}
static crd_status do_cancel(actors *a) {
    return crd_invoice_void(a->w->ledger, at(15, "cancel"), a->e, 0, NULL);
}
static crd_status do_sweep_again(actors *a) {
    return sweep_until(a, 31);
}

static const struct {
    const char *name;
    crd_status (*run)(actors *a);
} steps[] = {{"sweep", do_sweep}, {"capture", do_capture}, {"send", do_send},
             {"issue", do_issue}, {"cancel", do_cancel},   {"sweep again", do_sweep_again}};
#define STEPS (sizeof steps / sizeof steps[0])

static int honest(crd_status status) {
    return status == CRD_E_NOMEM || status == CRD_E_CONFLICT || status == CRD_E_UNKNOWN || status == CRD_E_STORAGE ||
           status == CRD_E_RESTART || status == CRD_E_CONTRACT;
}

static void refresh(actors *a) {
    for (int n = 0; n < ATTEMPTS; n++) {
        crd_status status = crd_credit_refresh(a->k);
        if (status == CRD_OK) status = crd_credit_refresh(a->m);
        if (status == CRD_OK) status = crd_invoice_refresh(a->d);
        if (status == CRD_OK) status = crd_invoice_refresh(a->e);
        if (status == CRD_OK) status = crd_invoice_refresh(a->i);
        if (status == CRD_OK) status = crd_hold_refresh(a->h);
        if (status == CRD_OK) return;
        ck_assert_msg(honest(status), "refresh: %s", crd_status_name(status));
    }
    ck_abort_msg("refresh never succeeded");
}

static void run(actors *a, const char *what, unsigned long n) {
    for (size_t s = 0; s < STEPS; s++) {
        crd_status status = CRD_E_NOTHING;
        for (int attempt = 0; attempt < ATTEMPTS && status != CRD_OK; attempt++) {
            status = steps[s].run(a);
            if (status == CRD_OK) continue;
            ck_assert_msg(honest(status), "%s %lu: step '%s' says %s: %s", what, n, steps[s].name,
                          crd_status_name(status), crd_ledger_error(a->w->ledger)->message);
            refresh(a);
        }
        ck_assert_msg(status == CRD_OK, "%s %lu: step '%s' never succeeded: %s", what, n, steps[s].name,
                      crd_status_name(status));
    }
}

/* The journal: the same entries, on the same days, in the same sequence. */
static char *essence(world *w) {
    book *b = world_book(w);
    char *text = calloc(1, 20000);
    const crd_entry_record *e;
    size_t at_end = 0;
    ck_assert_ptr_nonnull(text);
    for (int64_t seq = 1; (e = book_entry(b, "c1", "EUR", seq)) != NULL; seq++)
        at_end += (size_t)snprintf(text + at_end, 20000 - at_end, "%s %lld %s %s %s @%d\n", crd_entry_name(e->type),
                                   (long long)e->amount, e->credit, e->invoice, e->hold,
                                   (int)(e->business_date - DAY_ZERO));
    book_free(b);
    return text;
}

static char *undisturbed(int store) {
    actors a;
    char *text;
    fill(&a, store, NULL);
    run(&a, "undisturbed", 0);
    world_check(a.w);
    text = essence(a.w);
    ck_assert_int_eq(stored_credit(a.w, "c1", "K").expired, 88);
    ck_assert_int_eq(stored_credit(a.w, "c1", "K").applied, 12);
    ck_assert_int_eq(stored_credit(a.w, "c1", "M").held + stored_credit(a.w, "c1", "M").allocated, 0);
    ck_assert_int_eq(stored_invoice(a.w, "c1", "D").open, 0);
    give_up(&a);
    return text;
}

/* Over SQLite every seventh is enough for a day's work: the library above it is the same. */
static unsigned long stride(int store) {
    return store == STORE_MEMORY || getenv("CREDIT_TEST_LONG") != NULL ? 1 : 7;
}

START_TEST(R61_R65_storage_call_n_fails_and_nothing_lapses_or_is_captured_twice) {
    int store = _i / SHIM_FAULTS;
    shim_fault fault = (shim_fault)(_i % SHIM_FAULTS);
    char *expected = undisturbed(store);
    unsigned long n = 1 + (unsigned long)fault % stride(store), fired = 1;
    for (; fired > 0; n += stride(store)) {
        actors a;
        char *got;
        fill(&a, store, NULL);
        shim_reset(&a.w->shim);
        a.w->shim.fault = fault;
        a.w->shim.fail_at = n;
        run(&a, shim_fault_names[fault], n);
        fired = a.w->shim.fired;
        world_check(a.w);
        got = essence(a.w);
        ck_assert_msg(strcmp(got, expected) == 0, "%s, call %lu: the book is\n%s\nundisturbed it is\n%s",
                      shim_fault_names[fault], n, got, expected);
        free(got);
        give_up(&a);
    }
    free(expected);
}
END_TEST

START_TEST(R61_R65_allocation_n_fails_and_nothing_leaks) {
    int store = _i;
    char *expected = undisturbed(store);
    unsigned long n = 1, fired = 1;
    for (; fired > 0; n += stride(store)) {
        actors a;
        char *got;
        shim_memory memory;
        shim_memory_init(&memory);
        fill(&a, store, &memory.table);
        memory.calls = 0;
        memory.fail_at = n;
        run(&a, "allocation", n);
        fired = memory.fired;
        memory.fail_at = 0;
        world_check(a.w);
        got = essence(a.w);
        ck_assert_msg(strcmp(got, expected) == 0, "allocation %lu: the book is\n%s\nundisturbed it is\n%s", n, got,
                      expected);
        free(got);
        give_up(&a);
        ck_assert_int_eq(memory.blocks, 0);
    }
    ck_assert_uint_gt(n, 40);
    free(expected);
}
END_TEST

static Suite *make(void) {
    Suite *s = suite_create("hold_faults");
    TCase *t = tcase_create("hold_faults");
    tcase_set_timeout(t, 240);
    tcase_add_loop_test(t, R61_R65_storage_call_n_fails_and_nothing_lapses_or_is_captured_twice, 0,
                        STORES * SHIM_FAULTS);
    tcase_add_loop_test(t, R61_R65_allocation_n_fails_and_nothing_leaks, 0, STORES);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return world_main(make);
}
