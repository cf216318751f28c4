/*
 * An SQLite file on a file system that fails: the n-th write, sync, truncation, lock, read, opening or removal, once or from
 * then on. Whatever the storage and the ledger said of a command must be true of the file at that moment, also when the
 * process is killed there and the file is recovered by another (`as it is`), and when the power goes and nothing is left
 * but what was synced (`as synced`): done is kept, failed is not, and only what was called unknown may be either. Once the
 * file system works again, the same ledger handle does.
 *
 * A sync that fails in COMMIT is the reason: SQLite takes the commit back, but its frames stay in the file, whole, until
 * others are written over them, and a recovery before that finds them.
 */
#define _XOPEN_SOURCE 700

#include "support/world.h"

#ifndef CREDIT_NO_SQLITE
#include <credit/sqlite.h>
#include <sqlite3.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- a file system that fails ---- */

enum fault { NO_WRITE, TORN_WRITE, FULL, NO_SYNC, NO_TRUNCATE, NO_LOCK, NO_READ, NO_OPEN, NO_DELETE, FAULTS };

static const char *const fault_names[FAULTS] = {"no write", "half a write", "disk full", "no sync",  "no truncate",
                                                "no lock",  "no read",      "no open",   "no delete"};

static struct {
    int fault;
    long at, calls; /* of the fault's kind */
    int persistent, fired;
} armed;

static sqlite3_vfs *real, failing;
static int may_not_write; /* the database itself, as when the file or its disk is read only */

/* Whether this call is to fail. */
static int fails(int fault) {
    if (armed.fault != fault || armed.at == 0) return 0;
    armed.calls++;
    if (armed.calls != armed.at && !(armed.persistent && armed.calls > armed.at)) return 0;
    armed.fired++;
    return 1;
}

typedef struct file {
    sqlite3_file base;
    char name[300];
    sqlite3_file *real;
} file;

/* What a power cut would leave: the files as of their last sync. */
static struct shadow {
    char *bytes; /* NULL: there is none */
    long size;
} shadows[3];
static char path[300];
static const char *const ends[3] = {"", "-wal", "-journal"};

static struct shadow *shadow_of(const char *name) {
    size_t length = strlen(path);
    for (int n = 0; n < 3; n++)
        if (strncmp(name, path, length) == 0 && strcmp(name + length, ends[n]) == 0) return &shadows[n];
    return NULL;
}

static void read_file(const char *name, struct shadow *out) {
    FILE *f = fopen(name, "rb");
    free(out->bytes);
    out->bytes = NULL;
    out->size = 0;
    if (f == NULL) return;
    fseek(f, 0, SEEK_END);
    out->size = ftell(f);
    rewind(f);
    out->bytes = malloc((size_t)out->size + 1);
    ck_assert_uint_eq(fread(out->bytes, 1, (size_t)out->size, f), (size_t)out->size);
    fclose(f);
}

static void write_file(const char *name, const struct shadow *from) {
    FILE *f;
    unlink(name);
    if (from->bytes == NULL) return;
    f = fopen(name, "wb");
    ck_assert_ptr_nonnull(f);
    ck_assert_uint_eq(fwrite(from->bytes, 1, (size_t)from->size, f), (size_t)from->size);
    fclose(f);
}

#define REAL(f) (((file *)(f))->real)

static int io_close(sqlite3_file *f) {
    return REAL(f)->pMethods != NULL ? REAL(f)->pMethods->xClose(REAL(f)) : SQLITE_OK;
}
static int io_read(sqlite3_file *f, void *to, int size, sqlite3_int64 at) {
    return fails(NO_READ) ? SQLITE_IOERR_READ : REAL(f)->pMethods->xRead(REAL(f), to, size, at);
}
static int io_write(sqlite3_file *f, const void *from, int size, sqlite3_int64 at) {
    if (fails(NO_WRITE)) return SQLITE_IOERR_WRITE;
    if (fails(FULL)) return SQLITE_FULL;
    if (fails(TORN_WRITE)) {
        if (size > 1) (void)REAL(f)->pMethods->xWrite(REAL(f), from, size / 2, at);
        return SQLITE_IOERR_WRITE;
    }
    return REAL(f)->pMethods->xWrite(REAL(f), from, size, at);
}
static int io_truncate(sqlite3_file *f, sqlite3_int64 size) {
    return fails(NO_TRUNCATE) ? SQLITE_IOERR_TRUNCATE : REAL(f)->pMethods->xTruncate(REAL(f), size);
}
/* Nobody pulls the plug: what would be synced is remembered. */
static int io_sync(sqlite3_file *f, int flags) {
    struct shadow *shadow = shadow_of(((file *)f)->name);
    (void)flags;
    if (fails(NO_SYNC)) return SQLITE_IOERR_FSYNC;
    if (shadow != NULL) read_file(((file *)f)->name, shadow);
    return SQLITE_OK;
}
static int io_size(sqlite3_file *f, sqlite3_int64 *size) {
    return REAL(f)->pMethods->xFileSize(REAL(f), size);
}
static int io_lock(sqlite3_file *f, int lock) {
    return fails(NO_LOCK) ? SQLITE_IOERR_LOCK : REAL(f)->pMethods->xLock(REAL(f), lock);
}
static int io_unlock(sqlite3_file *f, int lock) {
    return REAL(f)->pMethods->xUnlock(REAL(f), lock);
}
static int io_reserved(sqlite3_file *f, int *out) {
    return REAL(f)->pMethods->xCheckReservedLock(REAL(f), out);
}
static int io_control(sqlite3_file *f, int op, void *arg) {
    return REAL(f)->pMethods->xFileControl(REAL(f), op, arg);
}
static int io_sector(sqlite3_file *f) {
    return REAL(f)->pMethods->xSectorSize(REAL(f));
}
static int io_traits(sqlite3_file *f) {
    return REAL(f)->pMethods->xDeviceCharacteristics(REAL(f));
}
static int io_map(sqlite3_file *f, int page, int size, int extend, void volatile **out) {
    return fails(NO_OPEN) ? SQLITE_IOERR_SHMMAP : REAL(f)->pMethods->xShmMap(REAL(f), page, size, extend, out);
}
static int io_shared_lock(sqlite3_file *f, int at, int count, int flags) {
    return flags & SQLITE_SHM_LOCK && fails(NO_LOCK) ? SQLITE_IOERR_SHMLOCK
                                                     : REAL(f)->pMethods->xShmLock(REAL(f), at, count, flags);
}
static void io_barrier(sqlite3_file *f) {
    REAL(f)->pMethods->xShmBarrier(REAL(f));
}
static int io_unmap(sqlite3_file *f, int delete) {
    return REAL(f)->pMethods->xShmUnmap(REAL(f), delete);
}

static const sqlite3_io_methods methods = {
    2, io_close, io_read, io_write, io_truncate, io_sync, io_size, io_lock, io_unlock, io_reserved, io_control,
    io_sector, io_traits, io_map, io_shared_lock, io_barrier, io_unmap, NULL, NULL};

static int vfs_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *f, int flags, int *out_flags) {
    file *opened = (file *)f;
    int code;
    (void)vfs;
    memset(opened, 0, sizeof *opened);
    opened->real = (sqlite3_file *)(void *)(opened + 1);
    if (name != NULL) snprintf(opened->name, sizeof opened->name, "%s", name);
    if (fails(NO_OPEN)) return SQLITE_CANTOPEN;
    if (may_not_write && flags & SQLITE_OPEN_MAIN_DB)
        flags = (flags & ~(SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE)) | SQLITE_OPEN_READONLY;
    code = real->xOpen(real, name, opened->real, flags, out_flags);
    if (opened->real->pMethods != NULL) opened->base.pMethods = &methods;
    return code;
}
static int vfs_delete(sqlite3_vfs *vfs, const char *name, int sync) {
    struct shadow *shadow = shadow_of(name);
    int code;
    (void)vfs;
    if (fails(NO_DELETE)) return SQLITE_IOERR_DELETE;
    code = real->xDelete(real, name, sync);
    if (code == SQLITE_OK && shadow != NULL) {
        free(shadow->bytes);
        shadow->bytes = NULL;
    }
    return code;
}

static void make_failing(void) {
    real = sqlite3_vfs_find(NULL);
    failing = *real;
    failing.szOsFile = (int)sizeof(file) + real->szOsFile;
    failing.zName = "failing";
    failing.pNext = NULL;
    failing.xOpen = vfs_open;
    failing.xDelete = vfs_delete;
    ck_assert_int_eq(sqlite3_vfs_register(&failing, 0), SQLITE_OK);
}

/* ---- the book ---- */

#define PAGE 3 /* customers "p0" … for a reconcile */
#define WAYS 3

/* How the file is used: WAL mode, the same with a log so long that the first commit moves it into the file, and a host's
 * connection with a journal to roll back by. */
static const char *const way_names[WAYS] = {"wal", "long wal", "attached, with a journal"};

static struct shadow templates[WAYS][3];
static char image[300];

static void forget_files(const char *name) {
    char one[320];
    for (int n = 0; n < 3; n++) {
        snprintf(one, sizeof one, "%s%s", name, ends[n]);
        unlink(one);
    }
    snprintf(one, sizeof one, "%s-shm", name);
    unlink(one);
}

static void execute(sqlite3 *db, const char *sql) {
    char *message = NULL;
    ck_assert_msg(sqlite3_exec(db, sql, NULL, NULL, &message) == SQLITE_OK, "%s: %s", sql, message);
}

static void take_template(world *w, int way) {
    sqlite3 *db = NULL;
    ck_assert_int_eq(sqlite3_open(w->path, &db), SQLITE_OK);
    execute(db, way == 2 ? "PRAGMA journal_mode = DELETE" : "PRAGMA wal_checkpoint(TRUNCATE)");
    execute(db, "PRAGMA synchronous = OFF; PRAGMA wal_autocheckpoint = 0");
    for (int n = 0; way == 1 && n < 1000; n++) execute(db, "UPDATE crd_meta SET value = value");
    for (int n = 0; n < 3; n++) {
        char name[320];
        snprintf(name, sizeof name, "%s%s", w->path, ends[n]);
        read_file(name, &templates[way][n]);
    }
    sqlite3_close(db);
}

static world *make_templates(void) {
    world *w = world_open(STORE_SQLITE);
    w->careless = 1;
    customer(w, "c1");
    crd_credit_free(memo(w, "c1", "K", 1000, 0));
    crd_invoice_free(invoice(w, "c1", "I", 1000, 0, 30));
    for (int n = 0; n < PAGE; n++) {
        char who[16];
        snprintf(who, sizeof who, "p%d", n);
        customer(w, who);
        crd_credit_free(memo(w, who, "K", 100, 0));
        crd_invoice_free(invoice(w, who, "I", 100, 0, 30));
    }
    snprintf(path, sizeof path, "%s/faulty", w->directory);
    snprintf(image, sizeof image, "%s/image", w->directory);
    crd_ledger_close(w->ledger); /* so that nobody else has the file open when its mode changes */
    crd_sqlite_close(w->sqlite[0]);
    w->ledger = NULL;
    w->sqlites = 0;
    for (int way = 0; way < WAYS; way++) take_template(w, way);
    return w;
}

static void put_away(world *w) {
    sqlite3_vfs_register(real, 1);
    forget_files(path);
    forget_files(image);
    for (int n = 0; n < 3; n++) {
        free(shadows[n].bytes);
        for (int way = 0; way < WAYS; way++) free(templates[way][n].bytes);
    }
    world_close(w);
}

/* ---- what was told ---- */

enum { APPLY_ONE, RECONCILE, APPLY_TWO, COMMANDS };

typedef struct life {
    int way, truncates;
    char what[80];
    sqlite3 *db; /* the host's, when attached */
    crd_sqlite *sqlite;
    crd_ledger *ledger;
    crd_credit *k;
    crd_invoice *i;
    crd_status told[COMMANDS];
} life;

static void check_told(const life *l, const char *cut, int command, int there) {
    crd_status told = l->told[command];
    ck_assert_msg(told == CRD_E_UNKNOWN || there == (told == CRD_OK), "%s, %s: command %d was told %s and %s", l->what, cut,
                  command, crd_status_name(told), there ? "is kept" : "is not kept");
}

/* The file `image`, which a crash left, against what was told so far. */
static void judge_image(const life *l, const char *cut) {
    crd_sqlite *s = NULL;
    crd_ledger_options options;
    crd_ledger *ledger = NULL;
    const char *problem;
    int paid = 0, one, two;
    book *b;
    ck_assert_msg(crd_sqlite_open(image, CRD_SQLITE_NORMAL, &s) == CRD_OK, "%s, %s: %s", l->what, cut,
                  crd_sqlite_message(s));
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    options.storage = crd_sqlite_storage(s);
    ck_assert_int_eq(crd_ledger_open(&options, &ledger), CRD_OK);
    ck_assert_msg(crd_ledger_verify(ledger, NULL, NULL) == CRD_OK, "%s, %s: verify", l->what, cut);
    crd_ledger_close(ledger);
    b = book_read(crd_sqlite_storage(s));
    problem = book_problem(b);
    ck_assert_msg(problem == NULL, "%s, %s: %s", l->what, cut, problem);
    one = book_request(b, "c1", "one") != NULL;
    two = book_request(b, "c1", "two") != NULL;
    ck_assert_int_eq(book_credit(b, "c1", "K")->applied, one + 2 * two);
    for (int n = 0; n < PAGE; n++) {
        char who[16];
        snprintf(who, sizeof who, "p%d", n);
        paid += book_credit(b, who, "K")->applied == 100;
    }
    ck_assert_msg(paid == 0 || paid == PAGE, "%s, %s: %d of a page", l->what, cut, paid);
    check_told(l, cut, APPLY_ONE, one);
    check_told(l, cut, RECONCILE, paid == PAGE);
    check_told(l, cut, APPLY_TWO, two);
    book_free(b);
    crd_sqlite_close(s);
}

/* Crashes here, in both ways. The file under test goes on. */
static void judge_crash(const life *l) {
    int was = armed.fault;
    armed.fault = FAULTS;
    sqlite3_vfs_register(real, 1);
    for (int cut = 0; cut < 2; cut++) {
        forget_files(image);
        for (int n = 0; n < 3; n++) {
            struct shadow now = {NULL, 0};
            char from[320], to[320];
            snprintf(from, sizeof from, "%s%s", path, ends[n]);
            snprintf(to, sizeof to, "%s%s", image, ends[n]);
            if (cut == 0) read_file(from, &now);
            write_file(to, cut == 0 ? &now : &shadows[n]);
            free(now.bytes);
        }
        judge_image(l, cut == 0 ? "as it is" : "as synced");
    }
    sqlite3_vfs_register(&failing, 1);
    armed.fault = was;
}

/* ---- a life on the failing file system ---- */

/* What a fault may be called, and the store's own words with it. */
static void check_error(const life *l, crd_status status) {
    const crd_error *error = crd_ledger_error(l->ledger);
    if (status == CRD_OK) return;
    ck_assert_msg(status == CRD_E_STORAGE || status == CRD_E_UNKNOWN, "%s: %s (%s)", l->what, crd_status_name(status),
                  error->message);
    ck_assert_msg(error->host_text[0] != '\0', "%s: %s without the store's words", l->what, crd_status_name(status));
    ck_assert_int_ne(error->host_error, 0);
}

static int open_life(life *l) {
    crd_ledger_options options;
    crd_status status;
    if (l->way == 2) {
        if (sqlite3_open(path, &l->db) != SQLITE_OK) return 0;
        if (l->truncates) (void)sqlite3_exec(l->db, "PRAGMA journal_mode = TRUNCATE", NULL, NULL, NULL);
        status = crd_sqlite_attach(l->db, 0, &l->sqlite);
    } else {
        status = crd_sqlite_open(path, 0, &l->sqlite);
    }
    if (status != CRD_OK) {
        ck_assert_msg(status == CRD_E_STORAGE, "%s: opening: %s", l->what, crd_status_name(status));
        ck_assert_str_ne(crd_sqlite_message(l->sqlite), "");
        return 0;
    }
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    options.storage = crd_sqlite_storage(l->sqlite);
    ck_assert_int_eq(crd_ledger_open(&options, &l->ledger), CRD_OK);
    status = crd_credit_find(l->ledger, "c1", "K", &l->k);
    check_error(l, status);
    if (status != CRD_OK) return 0;
    status = crd_invoice_find(l->ledger, "c1", "I", &l->i);
    check_error(l, status);
    return status == CRD_OK;
}

static void close_life(life *l) {
    crd_credit_free(l->k);
    crd_invoice_free(l->i);
    crd_ledger_close(l->ledger);
    crd_sqlite_close(l->sqlite);
    if (l->db != NULL) ck_assert_int_eq(sqlite3_close(l->db), SQLITE_OK);
    l->db = NULL;
    l->sqlite = NULL;
    l->ledger = NULL;
    l->k = NULL;
    l->i = NULL;
}

static crd_status command(life *l, int which) {
    crd_plan_spec spec = plan_spec(0, 1);
    crd_plan_result r = plan_result_block();
    static const char *const page[PAGE] = {"p0", "p1", "p2"};
    crd_request request = *at_noon(1);
    if (which == RECONCILE) {
        spec.customers = page;
        spec.customer_count = PAGE;
        return crd_reconcile(l->ledger, &request, &spec, &r);
    }
    request.key = which == APPLY_ONE ? "one" : "two";
    return try_apply(l->ledger, l->k, l->i, which == APPLY_ONE ? 1 : 2, 0, &request, NULL);
}

/* A stale handle is refreshed, as a host would, and the command sent once more when the cause is gone. */
static void run_commands(life *l) {
    for (int n = 0; n < COMMANDS; n++) {
        crd_status status = crd_credit_refresh(l->k);
        check_error(l, status);
        if (status == CRD_OK) {
            status = crd_invoice_refresh(l->i);
            check_error(l, status);
        }
        if (status == CRD_OK) {
            status = l->told[n] = command(l, n);
            check_error(l, status);
        }
        if (status != CRD_OK) judge_crash(l);
    }
}

/* Commands that failed, or of which nobody knows, sent again on the same handle: each happens once. One more follows: what
 * a recovery found in the log SQLite shows at once, but syncs only with the next commit. */
static void heal(life *l) {
    if (l->i == NULL) { /* it could not even be opened */
        close_life(l);
        ck_assert_msg(open_life(l), "%s: opened again", l->what);
    }
    for (int n = 0; n < COMMANDS; n++) {
        crd_status status;
        ENDS(l->ledger, crd_credit_refresh(l->k), CRD_OK);
        ENDS(l->ledger, crd_invoice_refresh(l->i), CRD_OK);
        status = command(l, n);
        ck_assert_msg(status == CRD_OK, "%s: healed, %d: %s (%s)", l->what, n, crd_status_name(status),
                      crd_ledger_error(l->ledger)->message);
        l->told[n] = CRD_OK;
    }
    ENDS(l->ledger, crd_customer_add(l->ledger, at_noon(1), "after", NULL, NULL), CRD_OK);
}

/* Returns whether the fault came. */
static int live(int way, int fault, long at, int persistent) {
    life l;
    int fired;
    memset(&l, 0, sizeof l);
    l.way = way;
    l.truncates = fault == NO_TRUNCATE;
    snprintf(l.what, sizeof l.what, "%s: %s at %ld%s", way_names[way], fault_names[fault], at, persistent ? " on" : "");
    for (int n = 0; n < COMMANDS; n++) l.told[n] = CRD_E_STORAGE; /* not sent: not kept */
    forget_files(path);
    for (int n = 0; n < 3; n++) {
        char name[320];
        snprintf(name, sizeof name, "%s%s", path, ends[n]);
        write_file(name, &templates[way][n]);
        read_file(name, &shadows[n]);
    }
    memset(&armed, 0, sizeof armed);
    armed.fault = fault;
    armed.at = at;
    armed.persistent = persistent;
    if (open_life(&l)) run_commands(&l);
    judge_crash(&l);
    fired = armed.fired;
    if (at % 2 == 1) { /* half of the time it is closed while the fault lasts, and another takes over */
        close_life(&l);
        judge_crash(&l);
        fired = armed.fired;
        armed.fault = FAULTS;
        ck_assert_msg(open_life(&l), "%s: taken over", l.what);
    }
    armed.fault = FAULTS;
    heal(&l);
    judge_crash(&l);
    close_life(&l);
    return fired;
}

START_TEST(M16_call_n_of_the_file_system_fails_and_what_was_told_is_true) {
    int way = _i / FAULTS, fault = _i % FAULTS;
    int all = getenv("CREDIT_TEST_LONG") != NULL;
    long points = 0, step = all ? 1 : 11;
    world *w;
    if (!all && way == 1 && fault != NO_WRITE && fault != FULL && fault != NO_SYNC) return;
    make_failing();
    w = make_templates();
    sqlite3_vfs_register(&failing, 1);
    for (int persistent = 0; persistent < 2; persistent++)
        for (long at = 1 + persistent; live(way, fault, at, persistent); at += at < 4 ? 1 : step) points++;
    /* a log is never made shorter, and removed but once */
    ck_assert_msg(points > 2 || (way != 2 && (fault == NO_TRUNCATE || points == (fault == NO_DELETE))),
                  "%s: %s came %ld times", way_names[way], fault_names[fault], points);
    put_away(w);
}
END_TEST

/* Opened for writing, but the file may only be read: for root, too. */
START_TEST(M16_a_file_that_is_read_only_is_told_and_can_be_read) {
    world *w;
    life l;
    crd_status status;
    make_failing();
    w = make_templates();
    memset(&l, 0, sizeof l);
    snprintf(l.what, sizeof l.what, "read only");
    for (int n = 0; n < 3; n++) {
        char name[320];
        snprintf(name, sizeof name, "%s%s", path, ends[n]);
        write_file(name, &templates[0][n]);
        read_file(name, &shadows[n]);
    }
    for (int n = 0; n < COMMANDS; n++) l.told[n] = CRD_E_STORAGE;
    sqlite3_vfs_register(&failing, 1);
    armed.fault = FAULTS;
    may_not_write = 1;
    ck_assert(open_life(&l));
    status = command(&l, APPLY_ONE);
    ck_assert_int_eq(status, CRD_E_STORAGE);
    check_error(&l, status);
    ck_assert_ptr_nonnull(strstr(crd_ledger_error(l.ledger)->host_text, "readonly"));
    judge_crash(&l);
    ENDS(l.ledger, crd_credit_refresh(l.k), CRD_OK);
    close_life(&l);
    may_not_write = 0;
    ck_assert(open_life(&l));
    heal(&l);
    judge_crash(&l);
    close_life(&l);
    put_away(w);
}
END_TEST

#endif

static Suite *make(void) {
    Suite *s = suite_create("sqlite io");
#ifndef CREDIT_NO_SQLITE
    TCase *t = tcase_create("io");
    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, M16_call_n_of_the_file_system_fails_and_what_was_told_is_true, 0, WAYS * FAULTS);
    tcase_add_test(t, M16_a_file_that_is_read_only_is_told_and_can_be_read);
    suite_add_tcase(s, t);
#endif
    return s;
}

int main(void) {
    return world_main(make);
}
