/*
 * What may happen to an SQLite file under an open ledger: a table goes, a page is overwritten, text that is not UTF-8 gets
 * in. Every call says what is wrong, in SQLite's own words where they are its; nothing is half-kept; and once the cause is
 * gone the same ledger handle works.
 */
#define _XOPEN_SOURCE 700

#include "support/scene.h"

#ifndef CREDIT_NO_SQLITE
#include <credit/sqlite.h>
#include <sqlite3.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void execute(world *w, const char *sql) {
    sqlite3 *db = NULL;
    char *message = NULL;
    ck_assert_int_eq(sqlite3_open(w->path, &db), SQLITE_OK);
    ck_assert_msg(sqlite3_exec(db, sql, NULL, NULL, &message) == SQLITE_OK, "%s: %s", sql, message);
    ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
}

/* A read, a command that reads, and one on fresh handles: each is refused so. */
static void harmed(world *w, scene *s, crd_status status, const char *words) {
    crd_credit_terms terms = credit_terms("new", CRD_CREDIT_MEMO, 7);
    const crd_error *error = crd_ledger_error(w->ledger);
    ENDS(w->ledger, crd_credit_refresh(s->k), status);
    ck_assert_msg(strstr(error->message, words) != NULL || strstr(error->host_text, words) != NULL,
                  "'%s' is in neither '%s' nor '%s'", words, error->message, error->host_text);
    ENDS(w->ledger, crd_credit_issue(w->ledger, on(2), "c1", &terms, NULL), status);
    (void)s;
}

static void healed(world *w, scene *s) {
    OK(w, scene_refresh(s));
    world_check(w);
    apply(w, s->k, s->i, 5, 2);
}

START_TEST(a_table_that_goes_is_told_and_when_it_is_back_the_ledger_works) {
    static const char *const away[] = {"ALTER TABLE crd_credit RENAME TO gone", "ALTER TABLE crd_account RENAME TO gone"};
    static const char *const back[] = {"ALTER TABLE gone RENAME TO crd_credit", "ALTER TABLE gone RENAME TO crd_account"};
    world *w = world_open(STORE_SQLITE);
    scene s;
    scene_fill(w);
    s = scene_open(w->ledger);
    for (int i = 0; i < 2; i++) {
        world_remember(w);
        execute(w, away[i]);
        harmed(w, &s, CRD_E_STORAGE, "no such table");
        execute(w, back[i]);
        world_same(w, away[i]);
        healed(w, &s);
    }
    /* on fresh handles a command only writes: it fails there, and whole */
    world_remember(w);
    execute(w, "ALTER TABLE crd_entry RENAME TO gone");
    ENDS(w->ledger, try_apply(w->ledger, s.k, s.i, 5, 0, on(2), NULL), CRD_E_STORAGE);
    ck_assert_ptr_nonnull(strstr(crd_ledger_error(w->ledger)->host_text, "no such table"));
    execute(w, "ALTER TABLE gone RENAME TO crd_entry");
    world_same(w, "apply without a journal");
    healed(w, &s);
    scene_close(&s);
    world_close(w);
}
END_TEST

START_TEST(stored_text_that_is_not_utf8_is_told_not_passed_on) {
    static const char *const spoil[] = {
        "UPDATE crd_credit SET reason = CAST(x'ff' AS TEXT) WHERE id = 'K'",
        "UPDATE crd_credit SET reason = CAST(x'c080' AS TEXT) WHERE id = 'K'", /* an overlong NUL */
        "UPDATE crd_credit SET source = CAST(x'eda080' AS TEXT) WHERE id = 'K'", /* a surrogate */
    };
    world *w = world_open(STORE_SQLITE);
    scene s;
    scene_fill(w);
    execute(w, "CREATE TABLE aside AS SELECT reason, source FROM crd_credit WHERE id = 'K'");
    s = scene_open(w->ledger);
    for (size_t i = 0; i < sizeof spoil / sizeof *spoil; i++) {
        crd_credit *k = NULL;
        crd_ledger *fresh = world_rival(w);
        execute(w, spoil[i]);
        ENDS(fresh, crd_credit_find(fresh, "c1", "K", &k), CRD_E_CORRUPT);
        ck_assert_ptr_nonnull(strstr(crd_ledger_error(fresh)->message, "UTF-8"));
        ck_assert_str_eq(crd_ledger_error(fresh)->subject, "K");
        execute(w, "UPDATE crd_credit SET reason = (SELECT reason FROM aside), source = (SELECT source FROM aside)"
                   " WHERE id = 'K'");
        ENDS(fresh, crd_credit_find(fresh, "c1", "K", &k), CRD_OK);
        crd_credit_free(k);
    }
    execute(w, "DROP TABLE aside");
    healed(w, &s);
    scene_close(&s);
    world_close(w);
}
END_TEST

/* Nobody holds a page of it in memory: each time the file is opened anew. */
START_TEST(a_page_that_is_overwritten_is_told_and_nothing_is_made_up) {
    world *w = world_open(STORE_SQLITE);
    FILE *file;
    long size, told = 0;
    char *was;
    scene_fill(w);
    execute(w, "PRAGMA wal_checkpoint(TRUNCATE)");
    file = fopen(w->path, "r+b");
    ck_assert_ptr_nonnull(file);
    fseek(file, 0, SEEK_END);
    size = ftell(file);
    was = malloc((size_t)size);
    rewind(file);
    ck_assert_uint_eq(fread(was, 1, (size_t)size, file), (size_t)size);
    for (long page = 1; page < size / 4096; page++) {
        crd_sqlite *s = NULL;
        crd_ledger *ledger = NULL;
        crd_ledger_options options;
        crd_status status;
        for (long at = 0; at < 4096; at++) {
            fseek(file, page * 4096 + at, SEEK_SET);
            fputc((int)((at * 37 + 11) & 0xff), file);
        }
        fflush(file);
        status = crd_sqlite_open(w->path, CRD_SQLITE_READ_ONLY, &s);
        if (status == CRD_OK) {
            memset(&options, 0, sizeof options);
            options.struct_size = sizeof options;
            options.storage = crd_sqlite_storage(s);
            ck_assert_int_eq(crd_ledger_open(&options, &ledger), CRD_OK);
            status = crd_ledger_verify(ledger, NULL, NULL);
        }
        /* a page of an index that no read of verify's uses may pass; what is read is never believed */
        ck_assert_msg(status == CRD_OK || status == CRD_E_STORAGE || status == CRD_E_CORRUPT || status == CRD_E_SCHEMA ||
                          status == CRD_E_CONTRACT, "page %ld: %s", page, crd_status_name(status));
        told += status != CRD_OK;
        crd_ledger_close(ledger);
        crd_sqlite_close(s);
        fseek(file, page * 4096, SEEK_SET);
        ck_assert_uint_eq(fwrite(was + page * 4096, 1, 4096, file), 4096);
        fflush(file);
    }
    ck_assert_int_gt(told, CRD_KIND_COUNT - 2); /* a table each, at least; requests and lines may be empty */
    fclose(file);
    free(was);
    world_check(w);
    world_close(w);
}
END_TEST

#endif

static Suite *make(void) {
    Suite *s = suite_create("sqlite harm");
#ifndef CREDIT_NO_SQLITE
    TCase *t = tcase_create("harm");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, a_table_that_goes_is_told_and_when_it_is_back_the_ledger_works);
    tcase_add_test(t, stored_text_that_is_not_utf8_is_told_not_passed_on);
    tcase_add_test(t, a_page_that_is_overwritten_is_told_and_nothing_is_made_up);
    suite_add_tcase(s, t);
#endif
    return s;
}

int main(void) {
    return world_main(make);
}
