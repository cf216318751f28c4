/*
 * Faults: the n-th storage call failing in eight ways, the n-th allocation failing, over a whole scenario, n + 1 until
 * a run finishes without a fault.
 *
 * A scenario is a list of steps. Each step is tried until it succeeds, with its request key; a step that failed says so
 * with an honest status, and may have been kept only when it said "unknown". At the end the book must show every step
 * exactly once: nothing lost, nothing spent twice, verify clean, and the same book as a run without faults.
 */
#include "support/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ATTEMPTS 12

typedef struct actors {
    world *w;
    crd_credit *k, *m, *p;
    crd_invoice *i, *j, *draft;
} actors;

static crd_status step_customer(actors *a) {
    crd_status status = crd_customer_add(a->w->ledger, keyed(0, "customer"), "c1", NULL, NULL);
    return status;
}
static crd_status issue(actors *a, const char *id, uint32_t kind, int64_t amount, int expires, crd_credit **out) {
    crd_credit_terms t = credit_terms(id, kind, amount);
    if (expires != 0) t.expires = DAY(expires);
    return crd_credit_issue(a->w->ledger, keyed(0, id), "c1", &t, out);
}
static crd_status step_memo(actors *a) {
    return issue(a, "K", CRD_CREDIT_MEMO, 1000, 0, &a->k);
}
static crd_status step_cash(actors *a) {
    return issue(a, "M", CRD_CREDIT_PREPAYMENT, 300, 0, &a->m);
}
static crd_status step_promise(actors *a) {
    return issue(a, "P", CRD_CREDIT_GOODWILL, 200, 50, &a->p);
}
static crd_status enter(actors *a, const char *id, int64_t total, uint32_t flags, crd_invoice **out) {
    crd_invoice_terms t = invoice_terms(id, total);
    t.due = DAY(30);
    t.flags = flags;
    return crd_invoice_enter(a->w->ledger, keyed(1, id), "c1", &t, out);
}
static crd_status step_invoice(actors *a) {
    return enter(a, "I", 800, 0, &a->i);
}
static crd_status step_second_invoice(actors *a) {
    return enter(a, "J", 400, 0, &a->j);
}
static crd_status step_draft(actors *a) {
    return enter(a, "D", 150, CRD_INVOICE_AS_DRAFT, &a->draft);
}
static crd_status step_apply(actors *a) {
    return try_apply(a->w->ledger, a->k, a->i, 250, 0, keyed(2, "apply"), NULL);
}
static crd_status step_apply_cash(actors *a) {
    return try_apply(a->w->ledger, a->m, a->j, 100, 0, keyed(2, "apply cash"), NULL);
}
static crd_status step_outside(actors *a) {
    return try_apply(a->w->ledger, a->p, NULL, 20, 0, keyed(2, "outside"), NULL);
}
static crd_status step_send(actors *a) {
    return crd_invoice_send(a->w->ledger, keyed(3, "send"), a->draft, 0, NULL);
}
static crd_status step_void_part(actors *a) {
    return crd_credit_void(a->w->ledger, keyed(3, "void part"), a->k, 50, 0, NULL);
}
static crd_status step_unit(actors *a) {
    crd_ledger *ledger = a->w->ledger;
    crd_status status = crd_unit_begin(ledger), other;
    if (status != CRD_OK) return status;
    status = try_apply(ledger, a->k, a->j, 60, 0, keyed(4, "unit 1"), NULL);
    if (status == CRD_OK) status = try_apply(ledger, a->m, a->i, 40, 0, keyed(4, "unit 2"), NULL);
    if (status == CRD_OK) return crd_unit_commit(ledger);
    other = crd_unit_rollback(ledger);
    ck_assert_int_eq(other, CRD_OK);
    return status;
}
static crd_status step_reconcile(actors *a) {
    crd_plan_spec spec = plan_spec(0, 5);
    crd_plan_result r = plan_result_block();
    crd_status status = crd_reconcile(a->w->ledger, keyed(5, "run"), &spec, &r);
    if (status == CRD_OK && r.conflicted > 0) return CRD_E_CONFLICT;
    return status;
}
static crd_status step_preview(actors *a) {
    crd_plan_spec spec = plan_spec(CRD_PLAN_USE_CASH | CRD_PLAN_BY_LOCATION, 6);
    crd_plan *plan = NULL;
    const crd_plan_account *account = NULL;
    crd_plan_result r = plan_result_block();
    crd_status status = crd_plan_open(a->w->ledger, &spec, &plan);
    do {
        if (status == CRD_OK) status = crd_plan_next(plan, &account);
    } while (status == CRD_OK && account != NULL);
    if (status == CRD_OK) status = crd_plan_commit(plan, keyed(6, "second run"), &r);
    crd_plan_close(plan);
    if (status == CRD_OK && r.conflicted > 0) return CRD_E_CONFLICT;
    return status;
}
static crd_status step_undo_part(actors *a) {
    int64_t seq = 0;
    book *b = world_book(a->w);
    for (int64_t n = 1; seq == 0 && book_entry(b, "c1", "EUR", n) != NULL; n++)
        if (book_entry(b, "c1", "EUR", n)->type == CRD_ENTRY_APPLY) seq = n;
    book_free(b);
    return try_undo(a->w->ledger, "c1", seq, 70, keyed(7, "undo"), NULL);
}
static crd_status step_undo_receipt(actors *a) {
    int64_t seq = 0;
    book *b = world_book(a->w);
    for (int64_t n = 1; book_entry(b, "c1", "EUR", n) != NULL; n++)
        if (book_entry(b, "c1", "EUR", n)->type == CRD_ENTRY_RECEIPT &&
            (book_entry(b, "c1", "EUR", n)->flags & CRD_ENTRY_AUTOMATIC) && seq == 0)
            seq = n;
    book_free(b);
    ck_assert_int_gt(seq, 0);
    return try_undo(a->w->ledger, "c1", seq, 0, keyed(7, "undo receipt"), NULL);
}
static crd_status step_void_invoice(actors *a) {
    return crd_invoice_void(a->w->ledger, keyed(8, "void invoice"), a->i, 0, NULL);
}
static crd_status step_void(actors *a) {
    return crd_credit_void(a->w->ledger, keyed(9, "void"), a->p, 0, 0, NULL);
}
static crd_status step_report(actors *a) {
    static const uint32_t reports[] = {CRD_REPORT_CUSTOMERS, CRD_REPORT_OPEN_ITEMS, CRD_REPORT_AGING};
    crd_status status = CRD_OK;
    for (size_t n = 0; n < 3 && status == CRD_OK; n++) {
        crd_report_spec spec;
        crd_report *report = NULL;
        const crd_row *row = NULL;
        memset(&spec, 0, sizeof spec);
        spec.struct_size = sizeof spec;
        spec.report = reports[n];
        spec.date = DAY(9);
        status = crd_report_open(a->w->ledger, &spec, &report);
        do {
            if (status == CRD_OK) status = crd_report_next(report, &row);
        } while (status == CRD_OK && row != NULL);
        crd_report_close(report);
    }
    return status;
}
static crd_status step_balance(actors *a) {
    crd_balance b;
    memset(&b, 0, sizeof b);
    b.struct_size = sizeof b;
    return crd_customer_balance(a->w->ledger, "c1", "EUR", DAY(60), &b);
}
static crd_status step_verify(actors *a) {
    return crd_ledger_verify(a->w->ledger, NULL, NULL);
}

static const struct {
    const char *name;
    crd_status (*run)(actors *a);
} steps[] = {
    {"customer", step_customer},       {"memo", step_memo},
    {"cash", step_cash},               {"promise", step_promise},
    {"invoice", step_invoice},         {"second invoice", step_second_invoice},
    {"draft", step_draft},             {"apply", step_apply},
    {"apply cash", step_apply_cash},   {"outside", step_outside},
    {"send", step_send},               {"void part", step_void_part},
    {"unit", step_unit},               {"balance", step_balance},
    {"reconcile", step_reconcile},     {"preview", step_preview},
    {"report", step_report},           {"undo part", step_undo_part},
    {"undo receipt", step_undo_receipt}, {"void invoice", step_void_invoice},
    {"void", step_void},               {"verify", step_verify},
};
#define STEPS (sizeof steps / sizeof steps[0])

/* The figures of the book that do not depend on how often somebody tried. */
static char *essence(world *w) {
    book *b = world_book(w);
    const crd_entry_record *e;
    char *text = calloc(1, 20000);
    size_t at = 0;
    for (size_t n = 0; n < b->count; n++) {
        const crd_credit_record *c = b->items[n].record;
        const crd_invoice_record *i = b->items[n].record;
        const crd_receipt_record *r = b->items[n].record;
        if (b->items[n].kind == CRD_KIND_CREDIT)
            at += (size_t)snprintf(text + at, 20000 - at, "%s %lld %lld %lld %lld %lld %u\n", c->id,
                                   (long long)c->original, (long long)c->remaining, (long long)c->applied,
                                   (long long)c->applied_outside, (long long)c->voided, c->state);
        if (b->items[n].kind == CRD_KIND_INVOICE)
            at += (size_t)snprintf(text + at, 20000 - at, "%s %lld %lld %lld %u\n", i->id, (long long)i->open,
                                   (long long)i->applied, (long long)i->cancelled, i->state);
        if (b->items[n].kind == CRD_KIND_RECEIPT)
            at += (size_t)snprintf(text + at, 20000 - at, "%s %lld %lld %u\n", r->id, (long long)r->amount,
                                   (long long)r->applied, r->state);
    }
    /* the journal, in order: the same entries in the same sequence */
    for (int64_t seq = 1; (e = book_entry(b, "c1", "EUR", seq)) != NULL; seq++)
        at += (size_t)snprintf(text + at, 20000 - at, "%lld %u %s %s %s %lld\n", (long long)seq, e->type, e->credit,
                               e->invoice, e->receipt, (long long)e->amount);
    book_free(b);
    return text;
}

static int honest(crd_status status) {
    switch (status) {
    case CRD_E_NOMEM:
    case CRD_E_CONFLICT:
    case CRD_E_UNKNOWN:
    case CRD_E_STORAGE:
    case CRD_E_RESTART:
    case CRD_E_CONTRACT: return 1;
    default: return 0;
    }
}

static void refresh_all(actors *a) {
    for (int n = 0; n < ATTEMPTS; n++) {
        crd_status status = CRD_OK;
        if (a->k != NULL) status = crd_credit_refresh(a->k);
        if (status == CRD_OK && a->m != NULL) status = crd_credit_refresh(a->m);
        if (status == CRD_OK && a->p != NULL) status = crd_credit_refresh(a->p);
        if (status == CRD_OK && a->i != NULL) status = crd_invoice_refresh(a->i);
        if (status == CRD_OK && a->j != NULL) status = crd_invoice_refresh(a->j);
        if (status == CRD_OK && a->draft != NULL) status = crd_invoice_refresh(a->draft);
        if (status == CRD_OK) return;
        ck_assert_msg(honest(status), "refresh: %s", crd_status_name(status));
    }
    ck_abort_msg("refresh never succeeded");
}

/* Over SQLite every eleventh call is enough for a day's work: the library above it is the same, and was tried in full
 * over memory. CREDIT_TEST_LONG tries them all. */
static unsigned long stride(int store) {
    return store == STORE_MEMORY || getenv("CREDIT_TEST_LONG") != NULL ? 1 : 11;
}

/* Runs all steps, each until it succeeds. `what` tells the fault. */
static void run(actors *a, const char *what, unsigned long n) {
    book *b = world_book(a->w);
    char *was = book_text(b);
    book_free(b);
    for (size_t s = 0; s < STEPS; s++) {
        crd_status status = CRD_E_NOTHING;
        for (int attempt = 0; attempt < ATTEMPTS && status != CRD_OK; attempt++) {
            char *is;
            status = steps[s].run(a);
            b = world_book(a->w);
            is = book_text(b);
            if (status != CRD_OK) {
                ck_assert_msg(honest(status), "%s, call %lu: step '%s' says %s: %s", what, n, steps[s].name,
                              crd_status_name(status), crd_ledger_error(a->w->ledger)->message);
                /* What failed changed nothing, unless it said that it does not know, or a run posted a part. */
                if (status != CRD_E_UNKNOWN && steps[s].run != step_reconcile && steps[s].run != step_preview)
                    ck_assert_msg(strcmp(was, is) == 0, "%s, call %lu: step '%s' says %s, but changed the book", what,
                                  n, steps[s].name, crd_status_name(status));
                if (book_problem(b) != NULL)
                    ck_abort_msg("%s, call %lu: after step '%s' said %s: %s", what, n, steps[s].name,
                                 crd_status_name(status), book_problem(b));
            }
            free(was);
            was = is;
            book_free(b);
            if (status != CRD_OK) refresh_all(a);
        }
        ck_assert_msg(status == CRD_OK, "%s, call %lu: step '%s' never succeeded: %s", what, n, steps[s].name,
                      crd_status_name(status));
    }
    free(was);
}

static void actors_close(actors *a) {
    crd_credit_free(a->k);
    crd_credit_free(a->m);
    crd_credit_free(a->p);
    crd_invoice_free(a->i);
    crd_invoice_free(a->j);
    crd_invoice_free(a->draft);
}

static char *undisturbed(int store) {
    actors a;
    char *text;
    memset(&a, 0, sizeof a);
    a.w = world_open(store);
    run(&a, "undisturbed", 0);
    world_check(a.w);
    text = essence(a.w);
    actors_close(&a);
    world_close(a.w);
    return text;
}

/* _i is the way to fail, first over memory, then over SQLite. */
START_TEST(R61_storage_call_n_fails_nothing_is_lost_and_nothing_spent_twice) {
    int store = _i / SHIM_FAULTS;
    shim_fault fault = (shim_fault)(_i % SHIM_FAULTS);
    char *expected = undisturbed(store);
    unsigned long n = 1 + (unsigned long)fault % stride(store), fired = 1;
    for (; fired > 0; n += stride(store)) {
        actors a;
        char *got;
        memset(&a, 0, sizeof a);
        a.w = world_open(store);
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
        actors_close(&a);
        world_close(a.w);
    }
    ck_assert_uint_gt(n, 40);
    free(expected);
}
END_TEST

START_TEST(R61_storage_fails_from_call_n_on_and_comes_back) {
    int store = _i / SHIM_FAULTS;
    shim_fault fault = (shim_fault)(_i % SHIM_FAULTS);
    world *w = world_open(store);
    crd_credit *k;
    crd_invoice *i;
    crd_status status;
    crd_result r = result_block();
    int64_t applied;
    customer(w, "c1");
    k = memo(w, "c1", "K", 1000, 0);
    i = invoice(w, "c1", "I", 800, 0, 30);
    shim_reset(&w->shim);
    w->shim.fault = fault;
    w->shim.fail_at = 1;
    w->shim.persistent = 1;
    status = try_apply(w->ledger, k, i, 10, 0, keyed(1, "x"), &r);
    if (status != CRD_OK) ck_assert_msg(honest(status), "%s", crd_status_name(status));
    shim_reset(&w->shim);
    world_check(w);
    applied = stored_credit(w, "c1", "K").applied;
    if (status == CRD_OK) ck_assert_int_eq(applied, 10);
    if (status != CRD_OK && status != CRD_E_UNKNOWN) ck_assert_int_eq(applied, 0);
    OK(w, crd_credit_refresh(k));
    OK(w, crd_invoice_refresh(i));
    OK(w, try_apply(w->ledger, k, i, 10, 0, keyed(1, "x"), &r));
    world_check(w);
    ck_assert_int_eq(stored_credit(w, "c1", "K").applied, 10);
    crd_credit_free(k);
    crd_invoice_free(i);
    world_close(w);
}
END_TEST

/* ---- a page of independent accounts ---- */

#define PAGE 6

static void fill_page(world *w) {
    w->careless = 1;
    for (int n = 0; n < PAGE; n++) {
        char who[8];
        snprintf(who, sizeof who, "p%d", n);
        customer(w, who);
        crd_credit_free(memo(w, who, "K", 100, 0));
        crd_invoice_free(invoice(w, who, "I", 60, 0, 30));
        crd_invoice_free(invoice(w, who, "J", 30, 0, 40));
    }
}

/* Before the first write somebody else uses 7 of the credits of two of the customers. */
static void rival_uses_7(void *ctx, shim *s) {
    crd_ledger *rival = ctx;
    s->before_write = NULL;
    for (int n = 1; n < PAGE; n += 3) {
        char who[8];
        crd_credit *k;
        snprintf(who, sizeof who, "p%d", n);
        k = find_credit(rival, who, "K");
        ENDS(rival, try_apply(rival, k, NULL, 7, 0, on(1), NULL), CRD_OK);
        crd_credit_free(k);
    }
}

/* What the run applied, per customer: 0 or 90. */
static int posted_accounts(world *w) {
    int posted = 0;
    for (int n = 0; n < PAGE; n++) {
        char who[8];
        int64_t applied;
        snprintf(who, sizeof who, "p%d", n);
        applied = stored_invoice(w, who, "I").applied + stored_invoice(w, who, "J").applied;
        ck_assert_msg(applied == 0 || applied == 90, "%s: %lld applied", who, (long long)applied);
        ck_assert_int_eq(stored_credit(w, who, "K").applied - stored_credit(w, who, "K").applied_outside, applied);
        posted += applied != 0;
    }
    return posted;
}

START_TEST(R61_R70_a_page_of_accounts_is_posted_once_whatever_fails) {
    int store = _i / SHIM_FAULTS;
    shim_fault fault = (shim_fault)(_i % SHIM_FAULTS);
    for (unsigned long n = 1 + (unsigned long)fault % stride(store) % 3; n <= 5; n += stride(store)) {
        for (int rivalry = 0; rivalry < 2; rivalry++) {
            world *w = world_open(store);
            crd_plan_spec spec = plan_spec(0, 1);
            crd_plan_result r = plan_result_block();
            crd_status status;
            uint64_t told = 0;
            fill_page(w);
            world_rival(w);
            shim_reset(&w->shim);
            w->shim.fault = fault;
            w->shim.fail_at = n;
            w->shim.ctx = w->rivals[0];
            if (rivalry) w->shim.before_write = rival_uses_7;
            status = crd_reconcile(w->ledger, keyed(1, "run"), &spec, &r);
            told += r.posted;
            world_check(w);
            if (status == CRD_OK) ck_assert_uint_eq(told, (uint64_t)posted_accounts(w));
            if (status == CRD_OK) ck_assert_uint_eq(r.posted + r.conflicted, PAGE);
            if (status != CRD_OK) ck_assert_msg(honest(status), "%s", crd_status_name(status));
            if (status != CRD_OK && status != CRD_E_UNKNOWN) ck_assert_int_eq(posted_accounts(w), 0);
            shim_reset(&w->shim);
            w->shim.before_write = NULL;
            for (int attempt = 0; attempt < 3; attempt++) /* the same run leaves alone what it had reached */
                OK(w, crd_reconcile(w->ledger, keyed(1, "run"), &spec, &r));
            ck_assert_uint_eq(r.posted, 0);
            world_check(w);
            ck_assert_int_eq(posted_accounts(w), PAGE);
            world_close(w);
        }
    }
}
END_TEST

/* The n-th allocation fails, once, or from then on until the call has failed. */
START_TEST(R61_allocation_n_fails_nothing_is_lost_and_nothing_leaks) {
    int store = _i % STORES, persistent = _i / STORES;
    char *expected = undisturbed(store);
    unsigned long n = 1 + (unsigned long)persistent, fired = 1;
    for (; fired > 0; n += stride(store)) {
        actors a;
        char *got;
        shim_memory memory;
        shim_memory_init(&memory);
        memset(&a, 0, sizeof a);
        a.w = world_open_with(store, &memory.table, NULL, NULL);
        memory.calls = 0;
        memory.fail_at = n;
        memory.persistent = persistent; /* until the call has failed */
        for (size_t s = 0; s < STEPS; s++) {
            crd_status status = CRD_E_NOTHING;
            for (int attempt = 0; attempt < ATTEMPTS && status != CRD_OK; attempt++) {
                status = steps[s].run(&a);
                if (memory.fired > 0 && memory.persistent) memory.fail_at = 0; /* there is memory again */
                if (status == CRD_OK) continue;
                ck_assert_msg(status == CRD_E_NOMEM || status == CRD_E_CONFLICT || status == CRD_E_UNKNOWN,
                              "allocation %lu: step '%s' says %s: %s", n, steps[s].name, crd_status_name(status),
                              crd_ledger_error(a.w->ledger)->message);
                refresh_all(&a);
            }
            ck_assert_msg(status == CRD_OK, "allocation %lu: step '%s' never succeeded", n, steps[s].name);
        }
        fired = memory.fired;
        world_check(a.w);
        got = essence(a.w);
        ck_assert_msg(strcmp(got, expected) == 0, "allocation %lu: the book differs:\n%s\nnot\n%s", n, got, expected);
        free(got);
        actors_close(&a);
        world_close(a.w);
        ck_assert_msg(memory.blocks == 0, "allocation %lu: %ld blocks leaked", n, memory.blocks);
    }
    ck_assert_uint_gt(n, 100);
    free(expected);
}
END_TEST

/* The storage in memory has an allocator of its own: a write that finds no memory keeps nothing. */
START_TEST(R61_allocation_n_fails_in_the_storage_in_memory) {
    unsigned long n = 1, fired = 1;
    char *expected = undisturbed(STORE_MEMORY);
    for (; fired > 0; n++) {
        shim_memory memory;
        crd_memory *storage = NULL;
        actors a;
        char *got;
        crd_status status;
        shim_memory_init(&memory);
        memory.fail_at = n;
        memset(&a, 0, sizeof a);
        status = crd_memory_new(&memory.table, &storage);
        if (status == CRD_E_NOMEM) {
            ck_assert_ptr_null(storage);
            ck_assert_int_eq(memory.blocks, 0);
            fired = memory.fired;
            continue;
        }
        ck_assert_int_eq(status, CRD_OK);
        a.w = world_open(STORE_MEMORY);
        a.w->shim.inner = *crd_memory_storage(storage); /* the world looks at another book: this one */
        {
            crd_memory *was = a.w->memory;
            a.w->memory = storage;
            run(&a, "no memory in the storage", n);
            fired = memory.fired;
            world_check(a.w);
            got = essence(a.w);
            ck_assert_msg(strcmp(got, expected) == 0, "allocation %lu of the storage: the book differs", n);
            free(got);
            actors_close(&a);
            a.w->memory = was;
        }
        world_close(a.w);
        crd_memory_free(storage);
        ck_assert_msg(memory.blocks == 0, "allocation %lu of the storage: %ld blocks leaked", n, memory.blocks);
    }
    free(expected);
}
END_TEST

START_TEST(R61_a_ledger_that_cannot_be_opened_leaks_nothing) {
    for (unsigned long n = 1;; n++) {
        shim_memory memory;
        crd_ledger_options options;
        crd_ledger *ledger = NULL;
        crd_memory *storage = NULL;
        crd_status status;
        crd_currency old = {sizeof old, 2, "BGN"};
        const crd_currency *list[1];
        list[0] = &old;
        ck_assert_int_eq(crd_memory_new(NULL, &storage), CRD_OK);
        shim_memory_init(&memory);
        memory.fail_at = n;
        memset(&options, 0, sizeof options);
        options.struct_size = sizeof options;
        options.storage = crd_memory_storage(storage);
        options.allocator = &memory.table;
        options.currencies = list;
        options.currency_count = 1;
        status = crd_ledger_open(&options, &ledger);
        if (status == CRD_OK) {
            crd_ledger_close(ledger);
            crd_memory_free(storage);
            ck_assert_int_eq(memory.blocks, 0);
            ck_assert_uint_gt(n, 1);
            break;
        }
        ck_assert_int_eq(status, CRD_E_NOMEM);
        ck_assert_ptr_null(ledger);
        ck_assert_int_eq(memory.blocks, 0);
        crd_memory_free(storage);
    }
}
END_TEST

static Suite *make(void) {
    Suite *s = suite_create("fault");
    TCase *t = tcase_create("fault");
    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, R61_storage_call_n_fails_nothing_is_lost_and_nothing_spent_twice, 0, SHIM_FAULTS * STORES);
    tcase_add_loop_test(t, R61_storage_fails_from_call_n_on_and_comes_back, 0, SHIM_FAULTS * STORES);
    tcase_add_loop_test(t, R61_R70_a_page_of_accounts_is_posted_once_whatever_fails, 0, SHIM_FAULTS * STORES);
    tcase_add_loop_test(t, R61_allocation_n_fails_nothing_is_lost_and_nothing_leaks, 0, 2 * STORES);
    tcase_add_test(t, R61_allocation_n_fails_in_the_storage_in_memory);
    tcase_add_test(t, R61_a_ledger_that_cannot_be_opened_leaks_nothing);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return world_main(make);
}
