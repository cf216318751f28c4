/*
 * The conformance kit: it passes on every storage of this house, and catches every storage that was broken on purpose,
 * by the claim that is about what is broken.
 */
#define _XOPEN_SOURCE 700

#include <credit/testkit.h>

#ifndef CREDIT_NO_SQLITE
#include <credit/sqlite.h>
#include <sqlite3.h>
#endif

#include "support/shim.h"

#include <check.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- worlds ---- */

/* Every world is a struct of its own; a connection to it points to the same. */
typedef struct place {
    crd_memory *memory;
#ifndef CREDIT_NO_SQLITE
    crd_sqlite *sqlite;
    sqlite3 *own;
#endif
    char directory[256], path[300];
} place;

static void CRD_CALL memory_open(void *ctx, crd_testkit_world *world) {
    place *p = calloc(1, sizeof *p);
    (void)ctx;
    ck_assert_int_eq(crd_memory_new(NULL, &p->memory), CRD_OK);
    world->handle = p;
    world->storage = crd_memory_storage(p->memory);
}

static void CRD_CALL memory_close(void *ctx, crd_testkit_world *world) {
    place *p = world->handle;
    (void)ctx;
    crd_memory_free(p->memory);
    free(p);
}

/* Any number of ledgers of one thread may be open on it: the same storage is another connection. */
static void CRD_CALL memory_connect(void *ctx, crd_testkit_world *world, crd_testkit_world *other) {
    (void)ctx;
    other->storage = world->storage;
}

static void CRD_CALL memory_disconnect(void *ctx, crd_testkit_world *world, crd_testkit_world *other) {
    (void)ctx;
    (void)world;
    (void)other;
}

static crd_testkit_factory memory_factory(void) {
    crd_testkit_factory f;
    memset(&f, 0, sizeof f);
    f.struct_size = sizeof f;
    f.open = memory_open;
    f.close = memory_close;
    f.connect = memory_connect;
    f.disconnect = memory_disconnect;
    return f;
}

/* ---- threads ---- */

typedef struct one_job {
    crd_testkit_job job;
    void *ctx;
    uint64_t number;
    crd_testkit_world world;
} one_job;

static void *run_job(void *ctx) {
    one_job *j = ctx;
    j->job(j->ctx, j->number, j->world.storage);
    return NULL;
}

static void run_jobs(const crd_testkit_factory *f, crd_testkit_world *world, crd_testkit_job job, void *ctx,
                     uint64_t count) {
    pthread_t threads[8];
    one_job jobs[8];
    ck_assert_uint_le(count, 8);
    for (uint64_t i = 0; i < count; i++) {
        memset(&jobs[i], 0, sizeof jobs[i]);
        jobs[i].job = job;
        jobs[i].ctx = ctx;
        jobs[i].number = i;
        jobs[i].world.struct_size = sizeof jobs[i].world;
        f->connect(f->ctx, world, &jobs[i].world);
    }
    for (uint64_t i = 0; i < count; i++) ck_assert_int_eq(pthread_create(&threads[i], NULL, run_job, &jobs[i]), 0);
    for (uint64_t i = 0; i < count; i++) pthread_join(threads[i], NULL);
    for (uint64_t i = 0; i < count; i++) f->disconnect(f->ctx, world, &jobs[i].world);
}

/* ---- SQLite ---- */

#ifndef CREDIT_NO_SQLITE
static void CRD_CALL sqlite_open(void *ctx, crd_testkit_world *world) {
    const char *top = getenv("TMPDIR");
    place *p = calloc(1, sizeof *p);
    (void)ctx;
    snprintf(p->directory, sizeof p->directory, "%.200s/testkit-XXXXXX", top != NULL && *top ? top : "/tmp");
    ck_assert_ptr_nonnull(mkdtemp(p->directory));
    snprintf(p->path, sizeof p->path, "%s/book.db", p->directory);
    ck_assert_int_eq(crd_sqlite_open(p->path, CRD_SQLITE_NORMAL, &p->sqlite), CRD_OK);
    world->handle = p;
    world->storage = crd_sqlite_storage(p->sqlite);
}

static void CRD_CALL sqlite_close(void *ctx, crd_testkit_world *world) {
    static const char *const suffixes[] = {"", "-wal", "-shm"};
    place *p = world->handle;
    char name[320];
    (void)ctx;
    crd_sqlite_close(p->sqlite);
    if (p->own != NULL) sqlite3_close(p->own);
    for (int i = 0; i < 3; i++) {
        snprintf(name, sizeof name, "%s%s", p->path, suffixes[i]);
        unlink(name);
    }
    rmdir(p->directory);
    free(p);
}

static void CRD_CALL sqlite_reopen(void *ctx, crd_testkit_world *world) {
    place *p = world->handle;
    (void)ctx;
    crd_sqlite_close(p->sqlite);
    ck_assert_int_eq(crd_sqlite_open(p->path, CRD_SQLITE_NORMAL, &p->sqlite), CRD_OK);
    world->storage = crd_sqlite_storage(p->sqlite);
}

static void CRD_CALL sqlite_connect(void *ctx, crd_testkit_world *world, crd_testkit_world *other) {
    const place *p = world->handle;
    crd_sqlite *sqlite = NULL;
    (void)ctx;
    ck_assert_int_eq(crd_sqlite_open(p->path, CRD_SQLITE_NORMAL, &sqlite), CRD_OK);
    other->handle = sqlite;
    other->storage = crd_sqlite_storage(sqlite);
}

static void CRD_CALL sqlite_disconnect(void *ctx, crd_testkit_world *world, crd_testkit_world *other) {
    (void)ctx;
    (void)world;
    crd_sqlite_close(other->handle);
}

static crd_testkit_factory sqlite_factory(void);

static void CRD_CALL sqlite_concurrently(void *ctx, crd_testkit_world *world, crd_testkit_job job, void *job_ctx,
                                         uint64_t count) {
    crd_testkit_factory f = sqlite_factory();
    (void)ctx;
    run_jobs(&f, world, job, job_ctx, count);
}

static crd_testkit_factory sqlite_factory(void) {
    crd_testkit_factory f = memory_factory();
    f.flags = CRD_TESTKIT_SEPARATE;
    f.open = sqlite_open;
    f.close = sqlite_close;
    f.reopen = sqlite_reopen;
    f.connect = sqlite_connect;
    f.disconnect = sqlite_disconnect;
    f.concurrently = sqlite_concurrently;
    return f;
}

/* On the host's own connection, whose transactions it joins. */
static void CRD_CALL attached_open(void *ctx, crd_testkit_world *world) {
    place *p = calloc(1, sizeof *p);
    (void)ctx;
    ck_assert_int_eq(sqlite3_open(":memory:", &p->own), SQLITE_OK);
    ck_assert_int_eq(crd_sqlite_attach(p->own, 0, &p->sqlite), CRD_OK);
    world->handle = p;
    world->storage = crd_sqlite_storage(p->sqlite);
}

static void CRD_CALL attached_begin(void *ctx, crd_testkit_world *world) {
    (void)ctx;
    ck_assert_int_eq(sqlite3_exec(((place *)world->handle)->own, "BEGIN", NULL, NULL, NULL), SQLITE_OK);
}

static void CRD_CALL attached_end(void *ctx, crd_testkit_world *world, int32_t commit) {
    (void)ctx;
    ck_assert_int_eq(sqlite3_exec(((place *)world->handle)->own, commit ? "COMMIT" : "ROLLBACK", NULL, NULL, NULL),
                     SQLITE_OK);
}

static crd_testkit_factory attached_factory(void) {
    crd_testkit_factory f = memory_factory();
    f.open = attached_open;
    f.close = sqlite_close;
    f.connect = NULL;
    f.disconnect = NULL;
    f.begin = attached_begin;
    f.end = attached_end;
    return f;
}
#endif

/* ---- what was found ---- */

static int32_t CRD_CALL print_failures(void *ctx, const crd_testkit_finding *f) {
    (void)ctx;
    if (f->verdict == CRD_TESTKIT_FAILED)
        fprintf(stderr, "%s (%s): %s\n", f->claim->id, f->claim->title, f->evidence);
    return 0;
}

static uint64_t claim_count(void) {
    uint64_t count = 0;
    while (crd_testkit_claim_get(count) != NULL) count++;
    return count;
}

static void passes(const crd_testkit_factory *f, uint64_t skipped) {
    crd_testkit_summary s;
    memset(&s, 0, sizeof s);
    s.struct_size = sizeof s;
    ck_assert_int_eq(crd_testkit_run(f, print_failures, NULL, &s), CRD_OK);
    ck_assert_uint_eq(s.failed, 0);
    ck_assert_uint_eq(s.skipped, skipped);
    ck_assert_uint_eq(s.held + s.skipped, claim_count());
}

START_TEST(memory_conforms) {
    crd_testkit_factory f = memory_factory();
    passes(&f, 12); /* C4, P1 to P3, D1 to D4, J1 to J4 */
}
END_TEST

#ifndef CREDIT_NO_SQLITE
START_TEST(sqlite_conforms) {
    crd_testkit_factory f = sqlite_factory();
    passes(&f, 4);
}
END_TEST

START_TEST(sqlite_attached_conforms) {
    crd_testkit_factory f = attached_factory();
    passes(&f, 11);
}
END_TEST
#endif

/* ---- a deliberately lazy storage: a customer's whole table, whatever was asked ---- */

typedef struct lazy {
    crd_storage table;
    crd_memory *memory;
} lazy;

static void CRD_CALL lazy_read(void *ctx, const crd_query *query, crd_emit emit, void *sink, crd_read_result *out) {
    const crd_storage *memory = crd_memory_storage(((lazy *)ctx)->memory);
    crd_query all;
    memset(&all, 0, sizeof all);
    all.struct_size = sizeof all;
    all.kinds = query->kinds;
    all.customer = query->customer;
    all.proof = query->proof;
    memory->read(memory->ctx, &all, emit, sink, out);
}

static void CRD_CALL lazy_write(void *ctx, const crd_batch *batch, crd_write_result *out) {
    const crd_storage *memory = crd_memory_storage(((lazy *)ctx)->memory);
    crd_batch whole = *batch;
    whole.flags = 0; /* groups are too much trouble */
    memory->write(memory->ctx, &whole, out);
}

static void CRD_CALL lazy_open(void *ctx, crd_testkit_world *world) {
    static const crd_storage storage = CRD_STORAGE_INIT;
    lazy *l = calloc(1, sizeof *l);
    (void)ctx;
    ck_assert_int_eq(crd_memory_new(NULL, &l->memory), CRD_OK);
    l->table = storage;
    l->table.ctx = l;
    l->table.read = lazy_read;
    l->table.write = lazy_write;
    world->handle = l;
    world->storage = &l->table;
}

static void CRD_CALL lazy_close(void *ctx, crd_testkit_world *world) {
    lazy *l = world->handle;
    (void)ctx;
    crd_memory_free(l->memory);
    free(l);
}

START_TEST(a_lazy_storage_conforms) {
    crd_testkit_factory f = memory_factory();
    f.open = lazy_open;
    f.close = lazy_close;
    passes(&f, 13); /* T2 as well: it has no new_writer */
}
END_TEST

/* ---- the kit itself ---- */

typedef struct tally {
    uint64_t held, failed, skipped, calls, stop_after;
    char skipped_ids[400];
    char *last; /* room for 200 bytes, or NULL */
} tally;

static int32_t CRD_CALL count_findings(void *ctx, const crd_testkit_finding *f) {
    tally *l = ctx;
    l->held += f->verdict == CRD_TESTKIT_HELD;
    l->failed += f->verdict == CRD_TESTKIT_FAILED;
    if (f->verdict == CRD_TESTKIT_FAILED && l->last != NULL) snprintf(l->last, 200, "%s: %s", f->claim->id, f->evidence);
    if (f->verdict == CRD_TESTKIT_SKIPPED) {
        l->skipped++;
        strcat(strcat(l->skipped_ids, f->claim->id), " ");
        ck_assert_str_ne(f->evidence, "");
    }
    return ++l->calls == l->stop_after;
}

START_TEST(what_cannot_be_tried_is_skipped_by_name) {
    crd_testkit_factory f = memory_factory();
    crd_testkit_summary s;
    tally l;
    memset(&l, 0, sizeof l);
    memset(&s, 0, sizeof s);
    s.struct_size = sizeof s;
    f.connect = NULL;
    f.disconnect = NULL;
    f.only = "C1,C2 P1\nD4,J2 R1 nonsense";
    ck_assert_int_eq(crd_testkit_run(&f, count_findings, &l, &s), CRD_OK);
    ck_assert_str_eq(l.skipped_ids, "C1 C2 P1 D4 J2 ");
    ck_assert_uint_eq(s.skipped, 5);
    ck_assert_uint_eq(s.held, 1);
    ck_assert_uint_gt(s.reads, 0);
    ck_assert_uint_gt(s.writes, 0);
}
END_TEST

START_TEST(a_run_can_be_stopped) {
    crd_testkit_factory f = memory_factory();
    crd_testkit_summary s;
    tally l;
    memset(&l, 0, sizeof l);
    memset(&s, 0, sizeof s);
    s.struct_size = sizeof s;
    l.stop_after = 3;
    ck_assert_int_eq(crd_testkit_run(&f, count_findings, &l, &s), CRD_OK);
    ck_assert_uint_eq(l.calls, 3);
    ck_assert_uint_eq(s.held, 3);
}
END_TEST

static void CRD_CALL open_nothing(void *ctx, crd_testkit_world *world) {
    (void)ctx, (void)world;
}

START_TEST(a_factory_that_cannot_is_told) {
    crd_testkit_factory f = memory_factory();
    crd_testkit_summary s;
    tally l;
    memset(&l, 0, sizeof l);
    memset(&s, 0, sizeof s);
    ck_assert_int_eq(crd_testkit_run(&f, NULL, NULL, NULL), CRD_E_ARGUMENT);
    ck_assert_int_eq(crd_testkit_run(&f, NULL, NULL, &s), CRD_E_ARGUMENT); /* no struct_size */
    s.struct_size = sizeof s;
    ck_assert_int_eq(crd_testkit_run(NULL, NULL, NULL, &s), CRD_E_ARGUMENT);
    f.disconnect = NULL;
    ck_assert_int_eq(crd_testkit_run(&f, NULL, NULL, &s), CRD_E_ARGUMENT);
    f = memory_factory();
    f.flags = 0x80;
    ck_assert_int_eq(crd_testkit_run(&f, NULL, NULL, &s), CRD_E_ARGUMENT);
    f = memory_factory();
    f.open = NULL;
    ck_assert_int_eq(crd_testkit_run(&f, NULL, NULL, &s), CRD_E_ARGUMENT);
    f = memory_factory();
    f.open = open_nothing;
    f.only = "R1";
    ck_assert_int_eq(crd_testkit_run(&f, count_findings, &l, &s), CRD_OK);
    ck_assert_uint_eq(l.failed, 1);
    ck_assert_uint_eq(s.failed, 1);
}
END_TEST

/* The n-th request of the kit for memory fails: it says so, leaks nothing, and does not blame the storage. The first
 * forty, then one in 97; CREDIT_TEST_LONG: one in 17. */
START_TEST(memory_that_runs_out_is_not_the_storages_fault) {
    crd_status status = CRD_E_NOMEM;
    unsigned long step = getenv("CREDIT_TEST_LONG") != NULL ? 17 : 97;
    for (unsigned long n = 1; status == CRD_E_NOMEM; n += n < 40 ? 1 : step) {
        crd_testkit_factory f = memory_factory();
        crd_testkit_summary s;
        shim_memory memory;
        tally l;
        char last[200] = "";
        memset(&l, 0, sizeof l);
        l.last = last;
        memset(&s, 0, sizeof s);
        s.struct_size = sizeof s;
        shim_memory_init(&memory);
        memory.fail_at = n;
        memory.persistent = _i;
        f.allocator = &memory.table;
        f.only = "R1 R3 R5 R25 W4 W16 W23 C2 L1 L5";
        status = crd_testkit_run(&f, count_findings, &l, &s);
        ck_assert_msg(l.failed == 0, "%s", last);
        ck_assert_int_eq(memory.blocks, 0);
        if (memory.fired == 0) ck_assert_int_eq(status, CRD_OK);
        ck_assert_uint_lt(n, 20000);
    }
    ck_assert_int_eq(status, CRD_OK);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("testkit");
    TCase *tests = tcase_create("testkit");
    SRunner *runner;
    int failed;
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, memory_conforms);
    tcase_add_test(tests, a_lazy_storage_conforms);
    tcase_add_test(tests, what_cannot_be_tried_is_skipped_by_name);
    tcase_add_test(tests, a_run_can_be_stopped);
    tcase_add_test(tests, a_factory_that_cannot_is_told);
    tcase_add_loop_test(tests, memory_that_runs_out_is_not_the_storages_fault, 0, 2);
#ifndef CREDIT_NO_SQLITE
    tcase_add_test(tests, sqlite_conforms);
    tcase_add_test(tests, sqlite_attached_conforms);
#endif
    suite_add_tcase(suite, tests);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
