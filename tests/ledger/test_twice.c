/*
 * Three ways to spend a credit twice, which a prototype of the storage contract allowed. Each test also tells the
 * naive rule and shows that it would have let the second use through.
 *
 * 1. A version that is a counter repeats after the host rolled its own transaction back.
 * 2. A document read before its account is older than the version that vouches for it.
 * 3. A write whose outcome is unknown is kept after it was given up, or the entry that is found is another writer's.
 */
#include "support/world.h"

#include <stdlib.h>
#include <string.h>

#ifndef CREDIT_NO_SQLITE
#include <credit/sqlite.h>
#include <sqlite3.h>

static crd_ledger *open_on(const crd_storage *storage, const crd_hooks *hooks) {
    crd_ledger_options options;
    crd_ledger *ledger = NULL;
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    options.storage = storage;
    options.hooks = hooks;
    ck_assert_int_eq(crd_ledger_open(&options, &ledger), CRD_OK);
    return ledger;
}

START_TEST(R32_R64_twice_1_a_version_does_not_repeat_after_the_hosts_rollback) {
    world *w = world_open(STORE_SQLITE);
    sqlite3 *db = NULL;
    crd_sqlite *attached = NULL;
    crd_ledger *host;
    crd_credit *k, *held;
    crd_invoice *i, *j, *held_i, *held_j;
    crd_result r = result_block();
    int64_t lost_version, lost_seq;
    book *b;
    customer(w, "c1");
    k = memo(w, "c1", "K", 100, 0);
    i = invoice(w, "c1", "I", 100, 0, 30);
    j = invoice(w, "c1", "J", 100, 0, 30);

    /* The host applies all of the credit inside its own transaction, and rolls that back. */
    ck_assert_int_eq(sqlite3_open(w->path, &db), SQLITE_OK);
    ck_assert_int_eq(crd_sqlite_attach(db, 0, &attached), CRD_OK);
    host = open_on(crd_sqlite_storage(attached), &w->hooks);
    held = find_credit(host, "c1", "K");
    held_i = find_invoice(host, "c1", "I");
    held_j = find_invoice(host, "c1", "J");
    ck_assert_int_eq(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    ENDS(host, try_apply(host, held, held_i, 60, 0, on(1), &r), CRD_OK);
    b = book_read(crd_sqlite_storage(attached));
    lost_version = book_account(b, "c1", "EUR")->version;
    lost_seq = book_account(b, "c1", "EUR")->last_seq;
    book_free(b);
    ck_assert_int_eq(sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
    world_check(w);

    /* Another writer makes a write that looks the same: same sequence, same credit, same date. */
    apply(w, k, j, 60, 1);
    b = world_book(w);
    /* The naive rule, a counter as version: the old handle's guard still holds, and 40 + 60 more would be spent. */
    ck_assert_int_eq(book_account(b, "c1", "EUR")->last_seq, lost_seq);
    ck_assert_int_eq(crd_credit_get(held)->remaining, 40);
    ck_assert_int_eq(book_credit(b, "c1", "K")->remaining, 40);
    /* Here the version is another one. */
    ck_assert_int_ne(book_account(b, "c1", "EUR")->version, lost_version);
    book_free(b);

    world_remember(w);
    ENDS(host, try_apply(host, held, held_j, 40, 0, on(1), &r), CRD_E_CONFLICT);
    world_same(w, "an apply by handles of the lost timeline");
    world_check(w);

    /* Refresh, look, decide again. */
    ENDS(host, crd_credit_refresh(held), CRD_OK);
    ENDS(host, crd_invoice_refresh(held_i), CRD_OK);
    ck_assert_int_eq(crd_invoice_get(held_i)->open, 100); /* what had been applied to it never was */
    ENDS(host, try_apply(host, held, held_i, 41, 0, on(1), &r), CRD_E_CREDIT_AMOUNT);
    ENDS(host, try_apply(host, held, held_i, 40, 0, on(1), &r), CRD_OK);
    world_check(w);
    ck_assert_int_eq(stored_credit(w, "c1", "K").applied, 100);

    crd_credit_free(k);
    crd_credit_free(held);
    crd_invoice_free(i);
    crd_invoice_free(j);
    crd_invoice_free(held_i);
    crd_invoice_free(held_j);
    crd_ledger_close(host);
    crd_sqlite_close(attached);
    sqlite3_close(db);
    world_close(w);
}
END_TEST

#endif

START_TEST(R32_R64_twice_1_the_very_same_write_by_another_writer_has_another_version) {
    /* Two writers issue commands that are equal in every word and at the same instant; only their writer ids differ. */
    int64_t version[2];
    for (int n = 0; n < 2; n++) {
        world *w = world_open(STORE_MEMORY);
        crd_ledger_options options;
        crd_ledger *ledger = NULL;
        crd_customer *c = NULL;
        memset(&options, 0, sizeof options);
        options.struct_size = sizeof options;
        options.storage = world_storage(w);
        options.hooks = &w->hooks;
        options.writer = (uint64_t)(n + 1);
        ck_assert_int_eq(crd_ledger_open(&options, &ledger), CRD_OK);
        ENDS(ledger, crd_customer_add(ledger, on(0), "c1", NULL, &c), CRD_OK);
        crd_customer_free(c);
        {
            book *b = world_book(w);
            version[n] = book_account(b, "c1", "")->version;
            book_free(b);
        }
        crd_ledger_close(ledger);
        world_close(w);
    }
    ck_assert_int_ne(version[0], version[1]);
}
END_TEST

/* ---- 2 ---- */

/* A storage that breaks S3: it reads the documents, then somebody writes, then it reads the accounts. */
typedef struct torn {
    crd_storage inner;
    crd_storage table;
    void (*between)(void *ctx);
    void *ctx;
} torn;

typedef struct kept_record {
    uint32_t kind;
    void *record;
} kept_record;

typedef struct kept_list {
    kept_record items[64];
    size_t count;
} kept_list;

static int32_t CRD_CALL keep(void *sink, uint32_t kind, const void *record) {
    kept_list *list = sink;
    ck_assert_uint_lt(list->count, 64);
    list->items[list->count].kind = kind;
    list->items[list->count++].record = record_copy(kind, record);
    return 0;
}

static void read_part(torn *t, const crd_query *query, uint32_t kinds, kept_list *list) {
    crd_query part = *query;
    crd_read_result result;
    part.kinds = kinds;
    if (kinds == 0) return;
    memset(&result, 0, sizeof result);
    result.struct_size = sizeof result;
    t->inner.read(t->inner.ctx, &part, keep, list, &result);
}

static void CRD_CALL torn_read(void *ctx, const crd_query *query, crd_emit emit, void *sink, crd_read_result *out) {
    torn *t = ctx;
    kept_list documents, accounts;
    const kept_list *order[2]; /* as it read */
    memset(&documents, 0, sizeof documents);
    memset(&accounts, 0, sizeof accounts);
    read_part(t, query, query->kinds & ~CRD_KIND_BIT_ACCOUNT, &documents);
    if (t->between != NULL) {
        void (*between)(void *) = t->between;
        t->between = NULL;
        between(t->ctx);
    }
    read_part(t, query, query->kinds & CRD_KIND_BIT_ACCOUNT, &accounts);
    order[0] = &documents;
    order[1] = &accounts;
    for (size_t n = 0, stop = 0; n < 2 && !stop; n++)
        for (size_t i = 0; i < order[n]->count && !stop; i++)
            stop = emit(sink, order[n]->items[i].kind, order[n]->items[i].record) != 0;
    for (size_t i = 0; i < documents.count; i++) record_free(documents.items[i].kind, documents.items[i].record);
    for (size_t i = 0; i < accounts.count; i++) record_free(accounts.items[i].kind, accounts.items[i].record);
    out->outcome = CRD_OUTCOME_DONE;
    out->proof = query->proof;
}

static void CRD_CALL torn_write(void *ctx, const crd_batch *batch, crd_write_result *out) {
    torn *t = ctx;
    t->inner.write(t->inner.ctx, batch, out);
}

static void use_60(void *ctx) {
    world *w = ctx;
    crd_credit *k = find_credit(w->ledger, "c1", "K");
    crd_invoice *i = find_invoice(w->ledger, "c1", "I");
    apply(w, k, i, 60, 1);
    crd_credit_free(k);
    crd_invoice_free(i);
}

static crd_ledger *open_torn(world *w, torn *t) {
    crd_ledger_options options;
    crd_ledger *ledger = NULL;
    memset(t, 0, sizeof *t);
    t->inner = *world_storage(w);
    t->table = t->inner;
    t->table.ctx = t;
    t->table.read = torn_read;
    t->table.write = torn_write;
    t->table.close = NULL;
    t->table.flags_now = NULL;
    t->table.flags = CRD_STORAGE_SETTLED;
    t->table.new_writer = NULL;
    t->ctx = w;
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    options.storage = &t->table;
    options.hooks = &w->hooks;
    options.writer = 77;
    ck_assert_int_eq(crd_ledger_open(&options, &ledger), CRD_OK);
    return ledger;
}

START_TEST(R32_twice_2_a_document_read_before_its_account_is_not_believed) {
    world *w = world_open(_i);
    torn t;
    crd_ledger *ledger = open_torn(w, &t);
    crd_credit *k, *held = NULL;
    crd_invoice *i, *j;
    customer(w, "c1");
    k = memo(w, "c1", "K", 100, 0);
    i = invoice(w, "c1", "I", 100, 0, 30);
    j = invoice(w, "c1", "J", 100, 0, 30);

    /* The naive rule, "whatever was emitted belongs together": the credit as read still has 100, the account has the
     * version after the rival's 60, so a guard on that version holds and 100 would be spent of the 40 that are left. */
    {
        kept_list stale;
        crd_query query;
        crd_read_result result;
        memset(&stale, 0, sizeof stale);
        memset(&query, 0, sizeof query);
        memset(&result, 0, sizeof result);
        query.struct_size = sizeof query;
        query.kinds = CRD_KIND_BIT_ACCOUNT | CRD_KIND_BIT_CREDIT;
        query.customer = "c1";
        query.currency = "EUR";
        result.struct_size = sizeof result;
        t.between = use_60;
        torn_read(&t, &query, keep, &stale, &result);
        ck_assert_uint_eq(stale.count, 2);
        ck_assert_int_eq(((crd_credit_record *)stale.items[0].record)->remaining, 100);
        ck_assert_int_eq(((crd_account_record *)stale.items[1].record)->version,
                         balance_of(w->ledger, "c1", "EUR", 1).version);
        ck_assert_int_eq(stored_credit(w, "c1", "K").remaining, 40);
        for (size_t n = 0; n < stale.count; n++) record_free(stale.items[n].kind, stale.items[n].record);
    }

    /* The library refuses documents that come before their guard, whether or not somebody wrote in between. */
    world_remember(w);
    ENDS(ledger, crd_credit_find(ledger, "c1", "K", &held), CRD_E_CONTRACT);
    ck_assert_ptr_null(held);
    {
        crd_plan_spec spec = plan_spec(0, 1);
        crd_plan_result r = plan_result_block();
        ENDS(ledger, crd_reconcile(ledger, on(1), &spec, &r), CRD_E_CONTRACT);
        ck_assert_uint_eq(r.applications, 0);
    }
    world_same(w, "a read of documents before accounts");
    crd_ledger_close(ledger);
    crd_credit_free(k);
    crd_invoice_free(i);
    crd_invoice_free(j);
    world_close(w);
}
END_TEST

/* The legal order, with a write between the account and its documents: they are newer than the guard. */
typedef struct between_shim {
    crd_storage inner;
    crd_storage table;
    world *w;
    int times; /* how often somebody writes in between */
    int64_t amount;
} between_shim;

static void CRD_CALL between_read(void *ctx, const crd_query *query, crd_emit emit, void *sink, crd_read_result *out) {
    between_shim *t = ctx;
    crd_query part = *query;
    crd_read_result first;
    memset(&first, 0, sizeof first);
    first.struct_size = sizeof first;
    part.kinds = query->kinds & CRD_KIND_BIT_ACCOUNT;
    if (part.kinds != 0) t->inner.read(t->inner.ctx, &part, emit, sink, &first);
    if (t->times > 0) {
        crd_credit *k = find_credit(t->w->ledger, "c1", "K");
        t->times--;
        apply(t->w, k, NULL, t->amount, 1);
        crd_credit_free(k);
    }
    part.kinds = query->kinds & ~CRD_KIND_BIT_ACCOUNT;
    t->inner.read(t->inner.ctx, &part, emit, sink, out);
}

static void CRD_CALL between_write(void *ctx, const crd_batch *batch, crd_write_result *out) {
    between_shim *t = ctx;
    t->inner.write(t->inner.ctx, batch, out);
}

START_TEST(R32_twice_2_a_read_torn_by_a_writer_is_read_again_once_and_then_is_a_conflict) {
    world *w = world_open(_i);
    between_shim t;
    crd_ledger_options options;
    crd_ledger *ledger = NULL;
    crd_credit *k, *held = NULL;
    crd_result r = result_block();
    customer(w, "c1");
    k = memo(w, "c1", "K", 100, 0);
    memset(&t, 0, sizeof t);
    t.inner = *world_storage(w);
    t.table = t.inner;
    t.table.ctx = &t;
    t.table.read = between_read;
    t.table.write = between_write;
    t.table.close = NULL;
    t.table.flags_now = NULL;
    t.table.new_writer = NULL;
    t.w = w;
    t.amount = 10;
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    options.storage = &t.table;
    options.hooks = &w->hooks;
    options.writer = 78;
    ck_assert_int_eq(crd_ledger_open(&options, &ledger), CRD_OK);
    t.times = 1;
    ENDS(ledger, crd_credit_find(ledger, "c1", "K", &held), CRD_OK);
    ck_assert_int_eq(crd_credit_get(held)->remaining, 90);
    ENDS(ledger, try_apply(ledger, held, NULL, 5, 0, on(1), &r), CRD_OK);
    crd_credit_free(held);
    t.times = 2;
    ENDS(ledger, crd_credit_find(ledger, "c1", "K", &held), CRD_E_CONFLICT);
    ck_assert_ptr_null(held);
    ENDS(ledger, crd_credit_find(ledger, "c1", "K", &held), CRD_OK);
    ck_assert_int_eq(crd_credit_get(held)->remaining, 65);
    world_check(w);
    crd_credit_free(held);
    crd_credit_free(k);
    crd_ledger_close(ledger);
    world_close(w);
}
END_TEST

/* ---- 3 ---- */

START_TEST(R32_R61_twice_3_an_unknown_write_that_lands_later_lands_once) {
    world *w = world_open(_i);
    crd_credit *k;
    crd_invoice *i;
    crd_result r = result_block();
    customer(w, "c1");
    k = memo(w, "c1", "K", 100, 0);
    i = invoice(w, "c1", "I", 100, 0, 30);
    shim_reset(&w->shim);
    w->shim.fault = SHIM_UNKNOWN_LATER;
    w->shim.fail_at = 1;
    /* The naive rule, "unknown and nothing found means not kept, so do it again as a new command": here the batch
     * lands while the library looks, and a second command would find 100 − 60 on stale handles and spend 60 again. */
    OK(w, try_apply(w->ledger, k, i, 60, 0, on(1), &r));
    ck_assert_uint_eq(w->shim.fired, 1);
    world_check(w);
    ck_assert_int_eq(r.amount, 60);
    ck_assert_int_eq(stored_credit(w, "c1", "K").applied, 60);
    ck_assert_int_eq(stored_invoice(w, "c1", "I").open, 40);
    /* and the handles are at what was kept: no conflict, no read */
    shim_reset(&w->shim);
    apply(w, k, i, 40, 1);
    ck_assert_uint_eq(w->shim.reads, 0);
    crd_credit_free(k);
    crd_invoice_free(i);
    world_close(w);
}
END_TEST

START_TEST(R32_R61_twice_3_a_write_that_lands_after_it_was_repeated_lands_once) {
    world *w = world_open(_i);
    crd_credit *k;
    crd_invoice *i;
    crd_result r = result_block();
    crd_fault_counts counts;
    customer(w, "c1");
    k = memo(w, "c1", "K", 100, 0);
    i = invoice(w, "c1", "I", 100, 0, 30);
    shim_reset(&w->shim);
    w->shim.fault = SHIM_UNKNOWN_LATER;
    w->shim.fail_at = 1;
    w->shim.delay = 2; /* the library has looked for it, and written it again */
    /* The naive rule, "not found, so write it again with the latest version", would now spend 120. Here the batch that
     * is written again is the identical one; the first arrives after it, and its guard does not hold any more. */
    OK(w, try_apply(w->ledger, k, i, 60, 0, on(1), &r));
    ck_assert_uint_eq(w->shim.writes, 2);
    ck_assert_uint_eq(w->shim.reads, 2);
    memset(&counts, 0, sizeof counts);
    counts.struct_size = sizeof counts;
    crd_fault_get(w->shim.breaker, &counts);
    ck_assert_uint_eq(counts.pending, 0);
    world_check(w);
    ck_assert_int_eq(stored_credit(w, "c1", "K").applied, 60);
    crd_credit_free(k);
    crd_invoice_free(i);
    world_close(w);
}
END_TEST

/* A rival writes an entry of the same sequence while our write is lost. */
static void rival_uses_60(void *ctx, shim *s) {
    world *w = ctx;
    crd_credit *k;
    crd_invoice *j;
    crd_result r = result_block();
    s->before_write = NULL;
    k = find_credit(w->rivals[0], "c1", "K");
    j = find_invoice(w->rivals[0], "c1", "J");
    ENDS(w->rivals[0], try_apply(w->rivals[0], k, j, 60, 0, on(1), &r), CRD_OK);
    crd_credit_free(k);
    crd_invoice_free(j);
}

START_TEST(R32_R61_twice_3_an_entry_found_may_be_another_writers) {
    world *w = world_open(_i);
    crd_credit *k;
    crd_invoice *i, *j;
    crd_result r = result_block();
    book *b;
    customer(w, "c1");
    k = memo(w, "c1", "K", 100, 0);
    i = invoice(w, "c1", "I", 100, 0, 30);
    j = invoice(w, "c1", "J", 100, 0, 30);
    world_rival(w);
    shim_reset(&w->shim);
    w->shim.fault = SHIM_UNKNOWN_LOST;
    w->shim.fail_at = 1;
    w->shim.ctx = w;
    w->shim.before_write = rival_uses_60;
    ENDS(w->ledger, try_apply(w->ledger, k, i, 60, 0, on(1), &r), CRD_E_CONFLICT);
    ck_assert_uint_eq(w->shim.fired, 1);
    ck_assert_int_eq(r.amount, 0);
    world_check(w);
    /* The naive rule, "an entry of that sequence is there, so ours was kept": the caller would believe that invoice I
     * has been paid. The entry at the sequence of the lost write is there, of the same amount and day: the rival's. */
    b = world_book(w);
    ck_assert_uint_eq(book_entry(b, "c1", "EUR", 4)->type, CRD_ENTRY_APPLY);
    ck_assert_int_eq(book_entry(b, "c1", "EUR", 4)->amount, 60);
    ck_assert_str_eq(book_entry(b, "c1", "EUR", 4)->invoice, "J");
    ck_assert_int_eq(book_invoice(b, "c1", "I")->applied, 0);
    ck_assert_int_eq(book_credit(b, "c1", "K")->applied, 60);
    book_free(b);
    OK(w, crd_credit_refresh(k));
    OK(w, crd_invoice_refresh(i));
    REFUSED(w, try_apply(w->ledger, k, i, 60, 0, on(1), &r), CRD_E_CREDIT_AMOUNT);
    FIGURES(w, 40, 60);
    apply(w, k, i, 40, 1);
    crd_credit_free(k);
    crd_invoice_free(i);
    crd_invoice_free(j);
    world_close(w);
}
END_TEST

START_TEST(R61_twice_3_an_outcome_that_stays_unknown_says_so_and_the_key_settles_it) {
    world *w = world_open(_i);
    crd_credit *k;
    crd_invoice *i;
    crd_result r = result_block();
    customer(w, "c1");
    k = memo(w, "c1", "K", 100, 0);
    i = invoice(w, "c1", "I", 100, 0, 30);
    shim_reset(&w->shim);
    w->shim.fault = SHIM_UNTOUCHED; /* every write is kept, every answer is lost; reads do not finish */
    w->shim.fail_at = 1;
    w->shim.persistent = 1;
    ENDS(w->ledger, try_apply(w->ledger, k, i, 60, 0, keyed(1, "pay"), &r), CRD_E_UNKNOWN);
    ck_assert_int_eq(crd_status_is_transient(CRD_E_UNKNOWN), 1);
    shim_reset(&w->shim);
    /* stale handles conflict rather than spend */
    ENDS(w->ledger, try_apply(w->ledger, k, i, 60, 0, on(1), &r), CRD_E_CONFLICT);
    /* the same command again is the same command */
    OK(w, try_apply(w->ledger, k, i, 60, 0, keyed(1, "pay"), &r));
    ck_assert_uint_eq(r.repeated, 1);
    ck_assert_int_eq(r.amount, 60);
    world_check(w);
    ck_assert_int_eq(stored_credit(w, "c1", "K").applied, 60);
    crd_credit_free(k);
    crd_invoice_free(i);
    world_close(w);
}
END_TEST

static Suite *make(void) {
    Suite *s = suite_create("twice");
    TCase *t = tcase_create("twice");
#ifndef CREDIT_NO_SQLITE
    tcase_add_test(t, R32_R64_twice_1_a_version_does_not_repeat_after_the_hosts_rollback);
#endif
    tcase_add_test(t, R32_R64_twice_1_the_very_same_write_by_another_writer_has_another_version);
    tcase_add_loop_test(t, R32_twice_2_a_document_read_before_its_account_is_not_believed, 0, STORES);
    tcase_add_loop_test(t, R32_twice_2_a_read_torn_by_a_writer_is_read_again_once_and_then_is_a_conflict, 0, STORES);
    tcase_add_loop_test(t, R32_R61_twice_3_an_unknown_write_that_lands_later_lands_once, 0, STORES);
    tcase_add_loop_test(t, R32_R61_twice_3_a_write_that_lands_after_it_was_repeated_lands_once, 0, STORES);
    tcase_add_loop_test(t, R32_R61_twice_3_an_entry_found_may_be_another_writers, 0, STORES);
    tcase_add_loop_test(t, R61_twice_3_an_outcome_that_stays_unknown_says_so_and_the_key_settles_it, 0, STORES);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return world_main(make);
}
