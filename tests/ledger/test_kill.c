/*
 * A process that is killed (SIGKILL) before or after the n-th storage call of a command, on an SQLite file: for every
 * command of the scene, every call of it, and both sides of the call.
 *
 * What must hold when the file is opened again: the book is whole; what was acknowledged is kept; and the same command
 * with the same key succeeds, once, so that the documents are as if nobody had been killed.
 */
#define _XOPEN_SOURCE 700

#include "support/scene.h"

#ifndef CREDIT_NO_SQLITE
#include <credit/sqlite.h>
#endif

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef CREDIT_NO_SQLITE

/* Kills its process before or after the call of that number. */
typedef struct deadly {
    const crd_storage *inner;
    crd_storage table;
    unsigned long calls, at; /* 0: never */
    int after;
} deadly;

static void step(deadly *d, int after) {
    if (!after) d->calls++;
    if (d->at != 0 && d->calls == d->at && d->after == after) kill(getpid(), SIGKILL);
}

static void CRD_CALL deadly_read(void *ctx, const crd_query *query, crd_emit emit, void *sink, crd_read_result *out) {
    deadly *d = ctx;
    step(d, 0);
    d->inner->read(d->inner->ctx, query, emit, sink, out);
    step(d, 1);
}

static void CRD_CALL deadly_write(void *ctx, const crd_batch *batch, crd_write_result *out) {
    deadly *d = ctx;
    step(d, 0);
    d->inner->write(d->inner->ctx, batch, out);
    step(d, 1);
}

static uint64_t CRD_CALL deadly_writer(void *ctx) {
    deadly *d = ctx;
    return d->inner->new_writer(d->inner->ctx);
}

/* A ledger of its own on a copy of the file. */
typedef struct process {
    deadly deadly;
    crd_sqlite *sqlite;
    crd_ledger *ledger;
} process;

static int64_t CRD_CALL clock_now(void *ctx) {
    (void)ctx;
    return noon(0);
}

static void process_open(process *p, const char *path) {
    crd_ledger_options options;
    crd_hooks hooks;
    memset(p, 0, sizeof *p);
    memset(&options, 0, sizeof options);
    memset(&hooks, 0, sizeof hooks);
    ck_assert_int_eq(crd_sqlite_open(path, CRD_SQLITE_NORMAL, &p->sqlite), CRD_OK);
    p->deadly.inner = crd_sqlite_storage(p->sqlite);
    p->deadly.table = *p->deadly.inner;
    p->deadly.table.ctx = &p->deadly;
    p->deadly.table.read = deadly_read;
    p->deadly.table.write = deadly_write;
    p->deadly.table.new_writer = deadly_writer;
    p->deadly.table.close = NULL;
    p->deadly.table.flags_now = NULL;
    hooks.struct_size = sizeof hooks;
    hooks.clock = clock_now;
    options.struct_size = sizeof options;
    options.storage = &p->deadly.table;
    options.hooks = &hooks;
    ck_assert_int_eq(crd_ledger_open(&options, &p->ledger), CRD_OK);
}

static void process_close(process *p) {
    crd_ledger_close(p->ledger);
    crd_sqlite_close(p->sqlite);
}

static void copy_file(const char *from, const char *to) {
    char buffer[65536];
    size_t size;
    FILE *in = fopen(from, "rb"), *out;
    if (in == NULL) {
        unlink(to);
        return;
    }
    out = fopen(to, "wb");
    ck_assert_ptr_nonnull(out);
    while ((size = fread(buffer, 1, sizeof buffer, in)) > 0) ck_assert_uint_eq(fwrite(buffer, 1, size, out), size);
    fclose(in);
    ck_assert_int_eq(fclose(out), 0);
}

/* Nobody writes to `from` while it is copied: the file and its log belong together. */
static void copy_book(const char *from, const char *to) {
    char a[400], b[400];
    copy_file(from, to);
    snprintf(a, sizeof a, "%s-wal", from);
    snprintf(b, sizeof b, "%s-wal", to);
    copy_file(a, b);
    snprintf(b, sizeof b, "%s-shm", to);
    unlink(b);
}

/* Every document of the book, as text: what a command did, whoever wrote it in how many tries. */
static char *documents(const crd_storage *storage) {
    book *b = book_read(storage);
    size_t size = 1;
    char *text, *at;
    book_check(b);
    for (size_t i = 0; i < b->count; i++) size += strlen(b->items[i].line) + 1;
    at = text = malloc(size);
    ck_assert_ptr_nonnull(text);
    for (size_t i = 0; i < b->count; i++) {
        uint32_t kind = b->items[i].kind;
        if (kind == CRD_KIND_ACCOUNT || kind == CRD_KIND_ENTRY || kind == CRD_KIND_REQUEST) continue;
        at += sprintf(at, "%s\n", b->items[i].line);
    }
    *at = '\0';
    book_free(b);
    return text;
}

static crd_status run(process *p, const scene_command *c) {
    scene s = scene_open(p->ledger);
    crd_result r = result_block();
    crd_status status;
    p->deadly.calls = 0;
    status = c->run(&s, keyed(2, "key"), 0, &r);
    scene_close(&s);
    return status;
}

/* In a process of its own. Returns 1 when it was killed; `told` when it had heard of success. */
static int try_to_die(const char *path, const scene_command *c, unsigned long at, int after, int *told) {
    int ends[2], status = 0;
    char byte;
    pid_t pid;
    ck_assert_int_eq(pipe(ends), 0);
    pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        process p;
        process_open(&p, path);
        p.deadly.after = after;
        p.deadly.at = at; /* counted from the command on: run() sets the count to 0 */
        p.deadly.calls = 1000000;
        if (run(&p, c) != CRD_OK) _exit(3);
        if (write(ends[1], "!", 1) != 1) _exit(4);
        p.deadly.at = 0;
        _exit(0);
    }
    close(ends[1]);
    *told = read(ends[0], &byte, 1) == 1;
    close(ends[0]);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    if (WIFEXITED(status)) ck_assert_msg(WEXITSTATUS(status) == 0, "%s: %d", c->name, WEXITSTATUS(status));
    else ck_assert_int_eq(WTERMSIG(status), SIGKILL);
    return WIFSIGNALED(status);
}

static void verify(const process *p, const char *name) {
    crd_status status = crd_ledger_verify(p->ledger, NULL, NULL);
    ck_assert_msg(status == CRD_OK, "%s: verify after a kill: %s", name, crd_status_name(status));
}

static int has_key(const process *p) {
    book *b = book_read(p->deadly.inner);
    int there = book_request(b, "c1", "key") != NULL;
    book_free(b);
    return there;
}

/* One command, killed at every call of it. Returns how often. */
static int kill_at_every_call(const char *filled, const char *path, const scene_command *c) {
    process p;
    char *expected, *got;
    int kills = 0, told, killed = 1, leaves_key;
    copy_book(filled, path);
    process_open(&p, path);
    ck_assert_int_eq(run(&p, c), CRD_OK);
    expected = documents(p.deadly.inner);
    leaves_key = has_key(&p);
    process_close(&p);
    for (unsigned long n = 1; killed; n++) {
        killed = 0;
        for (int after = 0; after < 2; after++) {
            copy_book(filled, path);
            if (!try_to_die(path, c, n, after, &told)) continue;
            killed = 1;
            kills++;
            process_open(&p, path);
            verify(&p, c->name);
            ck_assert_msg(!told || !leaves_key || has_key(&p), "%s: acknowledged and lost", c->name);
            ck_assert_msg(run(&p, c) == CRD_OK, "%s, killed %s call %lu: %s", c->name, after ? "after" : "before", n,
                          crd_ledger_error(p.ledger)->message);
            verify(&p, c->name);
            got = documents(p.deadly.inner);
            ck_assert_msg(strcmp(got, expected) == 0, "%s, killed %s call %lu:\n%s\nnot\n%s", c->name,
                          after ? "after" : "before", n, got, expected);
            free(got);
            process_close(&p);
        }
    }
    free(expected);
    return kills;
}

START_TEST(R61_a_kill_at_any_storage_call_of_any_command_loses_nothing_and_repeats_nothing) {
    world *w = world_open(STORE_SQLITE);
    char filled[400], path[400];
    int kills;
    scene_fill(w);
    snprintf(filled, sizeof filled, "%s/filled", w->directory);
    snprintf(path, sizeof path, "%s/copy", w->directory);
    copy_book(w->path, filled);
    kills = kill_at_every_call(filled, path, &scene_commands[_i]);
    ck_assert_msg(kills >= 2, "%s was killed %d times", scene_commands[_i].name, kills); /* it writes, at least */
    for (size_t i = 0; i < 6; i++) {
        static const char *const ends[] = {"", "-wal", "-shm"};
        char name[420];
        snprintf(name, sizeof name, "%s%s", i < 3 ? filled : path, ends[i % 3]);
        unlink(name);
    }
    world_close(w);
}
END_TEST

#endif

static Suite *make(void) {
    Suite *s = suite_create("kill");
#ifndef CREDIT_NO_SQLITE
    TCase *t = tcase_create("kill");
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, R61_a_kill_at_any_storage_call_of_any_command_loses_nothing_and_repeats_nothing, 0,
                        (int)scene_command_count);
    suite_add_tcase(s, t);
#endif
    return s;
}

int main(void) {
    return world_main(make);
}
