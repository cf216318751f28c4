/*
 * The conformance kit on the PostgreSQL storage: as it is, without prepared statements, in partitions, and on the host's
 * own connection. The worlds of one run share a schema, emptied for each.
 */
#define _XOPEN_SOURCE 700

#include <credit/postgres.h>
#include <credit/testkit.h>
#include <libpq-fe.h>

#include <check.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct server {
    crd_postgres_options options;
    char schema[64];
    PGconn *conn; /* empties the tables */
    PGconn *own;  /* the host's, when attached */
    int attached;
} server;

static void run(PGconn *conn, const char *sql) {
    PGresult *result = PQexec(conn, sql);
    ExecStatusType status = PQresultStatus(result);
    ck_assert_msg(status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK, "%s: %s", sql, PQerrorMessage(conn));
    PQclear(result);
}

static crd_postgres *open_storage(server *s) {
    crd_postgres *storage = NULL;
    crd_status status = s->attached ? crd_postgres_attach(s->own, &s->options, &storage)
                                    : crd_postgres_open(getenv("CREDIT_TEST_CONNINFO"), &s->options, &storage);
    ck_assert_msg(status == CRD_OK, "%s", crd_postgres_message(storage));
    return storage;
}

static void set(crd_testkit_world *world, crd_postgres *storage) {
    world->handle = storage;
    world->storage = crd_postgres_storage(storage);
}

static void CRD_CALL kit_open(void *ctx, crd_testkit_world *world) {
    static const char *const tables[] = {"account", "customer", "credit",  "invoice", "receipt",
                                         "hold",    "line",     "entry", "request"};
    server *s = ctx;
    char sql[200];
    run(s->conn, "BEGIN");
    for (size_t n = 0; n < sizeof tables / sizeof tables[0]; n++) {
        snprintf(sql, sizeof sql, "DELETE FROM %s.crd_%s", s->schema, tables[n]);
        run(s->conn, sql);
    }
    run(s->conn, "COMMIT");
    set(world, open_storage(s));
}

static void CRD_CALL kit_close(void *ctx, crd_testkit_world *world) {
    (void)ctx;
    crd_postgres_close(world->handle);
}

static void CRD_CALL kit_reopen(void *ctx, crd_testkit_world *world) {
    crd_postgres_close(world->handle);
    set(world, open_storage(ctx));
}

static void CRD_CALL kit_connect(void *ctx, crd_testkit_world *world, crd_testkit_world *other) {
    (void)world;
    set(other, open_storage(ctx));
}

static void CRD_CALL kit_disconnect(void *ctx, crd_testkit_world *world, crd_testkit_world *other) {
    (void)ctx;
    (void)world;
    crd_postgres_close(other->handle);
}

typedef struct task {
    crd_testkit_job job;
    void *ctx;
    uint64_t number;
    crd_postgres *storage;
} task;

static void *work(void *arg) {
    task *t = arg;
    t->job(t->ctx, t->number, crd_postgres_storage(t->storage));
    return NULL;
}

static void CRD_CALL kit_concurrently(void *ctx, crd_testkit_world *world, crd_testkit_job job, void *job_ctx,
                                      uint64_t count) {
    pthread_t threads[16];
    task tasks[16];
    (void)world;
    ck_assert_uint_le(count, 16);
    for (uint64_t n = 0; n < count; n++) {
        task t = {job, job_ctx, n, open_storage(ctx)};
        tasks[n] = t;
    }
    for (uint64_t n = 0; n < count; n++) ck_assert_int_eq(pthread_create(&threads[n], NULL, work, &tasks[n]), 0);
    for (uint64_t n = 0; n < count; n++) {
        pthread_join(threads[n], NULL);
        crd_postgres_close(tasks[n].storage);
    }
}

static void CRD_CALL kit_begin(void *ctx, crd_testkit_world *world) {
    (void)world;
    run(((server *)ctx)->own, "BEGIN");
}

static void CRD_CALL kit_end(void *ctx, crd_testkit_world *world, int32_t commit) {
    (void)world;
    run(((server *)ctx)->own, commit ? "COMMIT" : "ROLLBACK");
}

static int32_t CRD_CALL show(void *ctx, const crd_testkit_finding *f) {
    (void)ctx;
    if (f->verdict == CRD_TESTKIT_FAILED) fprintf(stderr, "%s failed: %s\n", f->claim->id, f->evidence);
    if (f->verdict == CRD_TESTKIT_SKIPPED) printf("%s is not tried: %s\n", f->claim->id, f->evidence);
    return 0;
}

static void conforms(const char *schema, uint32_t flags, uint32_t partitions, int attached) {
    crd_testkit_factory f;
    crd_testkit_summary summary;
    server s;
    char sql[200];
    memset(&s, 0, sizeof s);
    snprintf(s.schema, sizeof s.schema, "%s_%ld", schema, (long)getpid());
    s.options.struct_size = sizeof s.options;
    s.options.flags = flags;
    s.options.schema = s.schema;
    s.options.partitions = partitions;
    s.conn = PQconnectdb(getenv("CREDIT_TEST_CONNINFO"));
    run(s.conn, "SET client_min_messages = error");
    crd_postgres_close(open_storage(&s));
    memset(&f, 0, sizeof f);
    f.struct_size = sizeof f;
    f.ctx = &s;
    f.open = kit_open;
    f.close = kit_close;
    f.reopen = kit_reopen;
    if (attached) {
        s.own = PQconnectdb(getenv("CREDIT_TEST_CONNINFO"));
        s.attached = 1;
        f.begin = kit_begin;
        f.end = kit_end;
    } else {
        f.flags = CRD_TESTKIT_SEPARATE;
        f.connect = kit_connect;
        f.disconnect = kit_disconnect;
        f.concurrently = kit_concurrently;
    }
    memset(&summary, 0, sizeof summary);
    summary.struct_size = sizeof summary;
    ck_assert_int_eq(crd_testkit_run(&f, show, NULL, &summary), CRD_OK);
    ck_assert_uint_eq(summary.failed, 0);
    ck_assert_uint_gt(summary.held, 20);
    PQfinish(s.own);
    snprintf(sql, sizeof sql, "DROP SCHEMA %s CASCADE", s.schema);
    run(s.conn, sql);
    PQfinish(s.conn);
}

START_TEST(postgres_conforms) {
    conforms("kit", 0, 0, 0);
}
END_TEST

START_TEST(postgres_without_prepared_statements_conforms) {
    conforms("kit_plain", CRD_POSTGRES_UNPREPARED, 0, 0);
}
END_TEST

START_TEST(postgres_in_partitions_conforms) {
    conforms("kit_parts", 0, 4, 0);
}
END_TEST

START_TEST(postgres_attached_conforms) {
    conforms("kit_own", 0, 0, 1);
}
END_TEST

int main(void) {
    Suite *s = suite_create("postgres kit");
    TCase *t = tcase_create("postgres kit");
    SRunner *runner;
    int failed;
    if (getenv("CREDIT_TEST_CONNINFO") == NULL) {
        printf("SKIP no PostgreSQL server to test against (Debian: postgresql)\n");
        return 77;
    }
    tcase_set_timeout(t, 60);
    tcase_add_test(t, postgres_conforms);
    if (getenv("CREDIT_TEST_LONG") != NULL) {
        tcase_add_test(t, postgres_without_prepared_statements_conforms);
        tcase_add_test(t, postgres_in_partitions_conforms);
    }
    tcase_add_test(t, postgres_attached_conforms);
    suite_add_tcase(s, t);
    runner = srunner_create(s);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
