/*
 * The conformance kit: it passes on every storage of this house, and catches every storage that was broken on purpose,
 * by the claim that is about what is broken.
 */
#define _XOPEN_SOURCE 700

#include <credit/testkit.h>

#ifndef CREDIT_NO_SQLITE
#include <credit/sqlite.h>
#endif

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- worlds ---- */

static void CRD_CALL memory_open(void *ctx, crd_testkit_world *world) {
    crd_memory *memory;
    (void)ctx;
    ck_assert_int_eq(crd_memory_new(NULL, &memory), CRD_OK);
    world->handle = memory;
    world->storage = crd_memory_storage(memory);
}

static void CRD_CALL memory_close(void *ctx, crd_testkit_world *world) {
    (void)ctx;
    crd_memory_free(world->handle);
}

static crd_testkit_factory memory_factory(void) {
    crd_testkit_factory f;
    memset(&f, 0, sizeof f);
    f.struct_size = sizeof f;
    f.open = memory_open;
    f.close = memory_close;
    return f;
}

#ifndef CREDIT_NO_SQLITE
static void CRD_CALL sqlite_open(void *ctx, crd_testkit_world *world) {
    crd_sqlite *sqlite = NULL;
    (void)ctx;
    ck_assert_int_eq(crd_sqlite_open(":memory:", 0, &sqlite), CRD_OK);
    world->handle = sqlite;
    world->storage = crd_sqlite_storage(sqlite);
}

static void CRD_CALL sqlite_close(void *ctx, crd_testkit_world *world) {
    (void)ctx;
    crd_sqlite_close(world->handle);
}

static crd_testkit_factory sqlite_factory(void) {
    crd_testkit_factory f = memory_factory();
    f.open = sqlite_open;
    f.close = sqlite_close;
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

static void passes(const crd_testkit_factory *f) {
    crd_testkit_summary s;
    memset(&s, 0, sizeof s);
    s.struct_size = sizeof s;
    ck_assert_int_eq(crd_testkit_run(f, print_failures, NULL, &s), CRD_OK);
    ck_assert_uint_eq(s.failed, 0);
    ck_assert_uint_gt(s.held, 40);
}

START_TEST(memory_conforms) {
    crd_testkit_factory f = memory_factory();
    passes(&f);
}
END_TEST

#ifndef CREDIT_NO_SQLITE
START_TEST(sqlite_conforms) {
    crd_testkit_factory f = sqlite_factory();
    passes(&f);
}
END_TEST
#endif

int main(void) {
    Suite *suite = suite_create("testkit");
    TCase *tests = tcase_create("testkit");
    SRunner *runner;
    int failed;
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, memory_conforms);
#ifndef CREDIT_NO_SQLITE
    tcase_add_test(tests, sqlite_conforms);
#endif
    suite_add_tcase(suite, tests);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
