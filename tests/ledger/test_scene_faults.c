/*
 * Every command of the scene while the n-th storage call fails in eight ways, and while the n-th allocation fails, n + 1
 * until a run meets no fault.
 *
 * What failed says so by an honest status, changed nothing unless it said that it does not know, and gave back its
 * memory; sent again with its key it succeeds, once, so that the documents are those of an undisturbed run.
 */
#include "support/scene.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ATTEMPTS 6

static const scene_command *command_at(int n) {
    return n < (int)scene_command_count ? &scene_commands[n] : &scene_alone[n - (int)scene_command_count];
}

static int command_count(void) {
    return (int)(scene_command_count + scene_alone_count);
}

static int alone(const scene_command *c) {
    return c >= scene_alone && c < scene_alone + scene_alone_count;
}

START_TEST(R61_every_function_that_changes_something_is_in_the_scene) {
    for (size_t f = 0; f < scene_function_count; f++) {
        int rows = 0;
        for (int n = 0; n < command_count(); n++) rows += command_at(n)->code == scene_functions[f].code;
        ck_assert_msg(rows > 0, "%s: no row of its code in the scene", scene_functions[f].name);
    }
    for (int n = 0; n < command_count(); n++) {
        int names = 0;
        for (size_t f = 0; f < scene_function_count; f++) names += command_at(n)->code == scene_functions[f].code;
        ck_assert_msg(names > 0, "%s: its function is not listed", command_at(n)->name);
    }
}
END_TEST

/* Every document of the book, as text. */
static char *documents(world *w) {
    book *b = world_book(w);
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

static char *book_as_text(world *w) {
    book *b = world_book(w);
    char *text = book_text(b);
    book_free(b);
    return text;
}

static char *undisturbed(int store, const scene_command *c) {
    world *w = world_open(store);
    scene s;
    crd_result r = result_block();
    char *text;
    w->careless = 1;
    scene_fill(w);
    s = scene_open(w->ledger);
    OK(w, c->run(&s, keyed(2, "key"), 0, &r));
    text = documents(w);
    scene_close(&s);
    world_close(w);
    return text;
}

static int honest(crd_status status) {
    return status == CRD_E_NOMEM || status == CRD_E_CONFLICT || status == CRD_E_UNKNOWN || status == CRD_E_STORAGE ||
           status == CRD_E_RESTART || status == CRD_E_CONTRACT;
}

/* Runs a command until it succeeds; the first call is the one with the fault. */
static void persist(world *w, scene *s, const scene_command *c, const char *fault, unsigned long n) {
    crd_status status = CRD_E_NOTHING;
    char *before = book_as_text(w);
    for (int attempt = 0; attempt < ATTEMPTS && status != CRD_OK; attempt++) {
        crd_result r = result_block();
        status = c->run(s, keyed(2, "key"), 0, &r);
        if (status == CRD_OK) break;
        ck_assert_msg(honest(status), "%s, %s %lu: %s: %s", c->name, fault, n, crd_status_name(status),
                      crd_ledger_error(w->ledger)->message);
        if (status != CRD_E_UNKNOWN && !alone(c)) {
            char *after = book_as_text(w);
            ck_assert_msg(strcmp(before, after) == 0, "%s, %s %lu: says %s, but changed the book", c->name, fault, n,
                          crd_status_name(status));
            free(after);
        }
        for (int again = 0; again < ATTEMPTS && (again == 0 || status != CRD_OK); again++) status = scene_refresh(s);
        ck_assert_msg(status == CRD_OK, "%s, %s %lu: refresh says %s", c->name, fault, n, crd_status_name(status));
        status = CRD_E_NOTHING;
    }
    ck_assert_msg(status == CRD_OK, "%s, %s %lu: never succeeded", c->name, fault, n);
    free(before);
}

static void compare(world *w, const scene_command *c, const char *expected, const char *fault, unsigned long n) {
    char *got = documents(w);
    ck_assert_msg(strcmp(got, expected) == 0, "%s, %s %lu: the documents are\n%s\nundisturbed they are\n%s", c->name,
                  fault, n, got, expected);
    free(got);
    OK(w, crd_ledger_verify(w->ledger, NULL, NULL));
}

/* Over SQLite one fault in seven: the library above it is the same. CREDIT_TEST_LONG tries them all. */
static unsigned long stride(int store) {
    return store == STORE_MEMORY || getenv("CREDIT_TEST_LONG") != NULL ? 1 : 7;
}

static void break_calls(int store, const scene_command *c) {
    char *expected = undisturbed(store, c);
    unsigned long fired = 1, tried = 0;
    for (unsigned long n = 1; fired > 0; n++) {
        for (int fault = 0; fault < SHIM_FAULTS && fired > 0; fault++) {
            world *w;
            scene s;
            if (++tried % stride(store) != 0) continue;
            w = world_open(store);
            w->careless = 1;
            scene_fill(w);
            s = scene_open(w->ledger);
            shim_reset(&w->shim);
            w->shim.fault = (shim_fault)fault;
            w->shim.fail_at = n;
            persist(w, &s, c, shim_fault_names[fault], n);
            fired = w->shim.fired;
            w->shim.fail_at = 0;
            compare(w, c, expected, shim_fault_names[fault], n);
            scene_close(&s);
            world_close(w);
        }
    }
    free(expected);
}

/* _i: the command, first over memory, then over SQLite. */
START_TEST(R61_storage_call_n_of_any_command_fails) {
    break_calls(_i / command_count(), command_at(_i % command_count()));
}
END_TEST

static void break_allocations(const scene_command *c) {
    char *expected = undisturbed(STORE_MEMORY, c);
    unsigned long fired = 1, n;
    for (n = 1; fired > 0; n++) {
        shim_memory memory;
        world *w;
        scene s;
        shim_memory_init(&memory);
        w = world_open_with(STORE_MEMORY, &memory.table, NULL, NULL);
        w->careless = 1;
        scene_fill(w);
        s = scene_open(w->ledger);
        memory.calls = memory.fired = 0;
        memory.fail_at = n;
        persist(w, &s, c, "allocation", n);
        fired = memory.fired;
        memory.fail_at = 0;
        compare(w, c, expected, "allocation", n);
        scene_close(&s);
        world_close(w);
        ck_assert_msg(memory.blocks == 0, "%s, allocation %lu: %ld blocks leaked", c->name, n, memory.blocks);
    }
    ck_assert_uint_gt(n, 2);
    free(expected);
}

START_TEST(R61_allocation_n_of_any_command_fails) {
    break_allocations(command_at(_i));
}
END_TEST

static Suite *make(void) {
    Suite *s = suite_create("scene faults");
    TCase *t = tcase_create("scene faults");
    tcase_set_timeout(t, 120);
    tcase_add_test(t, R61_every_function_that_changes_something_is_in_the_scene);
    tcase_add_loop_test(t, R61_storage_call_n_of_any_command_fails, 0, command_count() * STORES);
    tcase_add_loop_test(t, R61_allocation_n_of_any_command_fails, 0, command_count());
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return world_main(make);
}
