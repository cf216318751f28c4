/*
 * The SQLite storage: its life, its transactions, and how a failure of SQLite becomes an outcome.
 *
 * Like a storage of the host's own it sees public headers only, and no rule about money. See sqlite_private.h
 * for terms and invariants.
 *
 * Transactions. On a connection outside any transaction a read is one read transaction, hence one snapshot
 * (and cheaper than a lock per statement), and a write is one BEGIN IMMEDIATE … COMMIT: one fdatasync.
 * IMMEDIATE takes the write lock before the guards are read, so what they say holds until the commit. Inside
 * the host's transaction a write is a savepoint that takes the write lock first, for the same reason.
 *
 * A write is not settled (CRD_STORAGE_SETTLED): when a sync fails in COMMIT, SQLite takes the commit back, but its frames
 * stay in the log, whole, and a recovery after a crash finds them, unless the next commit has been written over them.
 * So the outcome of such a write is "unknown", and the library does the one thing that helps: it writes it again.
 *
 * After a failure SQLite may have rolled back the host's whole transaction by itself (disk full, I/O error,
 * no memory, interrupt). It shows in sqlite3_get_autocommit(), and the outcome is "restart".
 */
#include "sqlite_private.h"

#include <stdarg.h>
#include <string.h>

#define BUSY_MILLISECONDS 10000
#define FLAGS_KNOWN (CRD_SQLITE_READ_ONLY | CRD_SQLITE_NORMAL)

static const char *const control_sql[CRD__CONTROLS] = {
    "BEGIN",
    "BEGIN IMMEDIATE",
    "COMMIT",
    "ROLLBACK",
    "SAVEPOINT crd_write",
    "RELEASE crd_write",
    "ROLLBACK TO crd_write",
    /* Changes nothing, but is a write: it takes the write lock. */
    "DELETE FROM main.crd_meta WHERE 0",
    "SELECT value FROM main.crd_meta WHERE key = 'schema_version'",
    "SELECT version FROM main.crd_account WHERE customer = ?1 AND currency = ?2",
};

/* Copies as much as fits, whole UTF-8 characters. */
static void set_message(crd_sqlite *s, const char *text) {
    size_t size = strlen(text);
    if (size >= sizeof s->message) {
        size = sizeof s->message - 1;
        while (size > 0 && ((unsigned char)text[size] & 0xC0u) == 0x80u) {
            size--;
        }
    }
    memcpy(s->message, text, size);
    s->message[size] = 0;
}

int32_t crd__sqlite_failed(crd_sqlite *s) {
    s->error = sqlite3_extended_errcode(s->db);
    set_message(s, sqlite3_errmsg(s->db));
    return CRD_OUTCOME_FAILED;
}

int32_t crd__sqlite_refuse(crd_sqlite *s, int32_t outcome, int error, const char *format, ...) {
    va_list arguments;
    char *text;
    va_start(arguments, format);
    text = sqlite3_vmprintf(format, arguments);
    va_end(arguments);
    s->error = error;
    set_message(s, text ? text : "out of memory");
    sqlite3_free(text);
    return outcome;
}

int32_t crd__sqlite_prepare(crd_sqlite *s, const char *sql, sqlite3_stmt **out) {
    if (sqlite3_prepare_v3(s->db, sql, -1, SQLITE_PREPARE_PERSISTENT, out, NULL) == SQLITE_OK) {
        return CRD_OUTCOME_DONE;
    }
    crd__sqlite_failed(s);
    return (s->error & 0xff) == SQLITE_ERROR ? CRD_OUTCOME_SCHEMA : CRD_OUTCOME_FAILED;
}

int32_t crd__sqlite_prepare_built(crd_sqlite *s, sqlite3_str *sql, sqlite3_stmt **out) {
    char *text = sqlite3_str_finish(sql);
    int32_t outcome;
    if (!text) {
        return crd__sqlite_refuse(s, CRD_OUTCOME_FAILED, SQLITE_NOMEM, "out of memory");
    }
    outcome = crd__sqlite_prepare(s, text, out);
    sqlite3_free(text);
    return outcome;
}

int32_t crd__sqlite_control(crd_sqlite *s, enum crd__control which, sqlite3_stmt **out) {
    if (!s->controls[which]) {
        int32_t outcome = crd__sqlite_prepare(s, control_sql[which], &s->controls[which]);
        if (outcome != CRD_OUTCOME_DONE) {
            return outcome;
        }
    }
    *out = s->controls[which];
    return CRD_OUTCOME_DONE;
}

int32_t crd__sqlite_run(crd_sqlite *s, enum crd__control which) {
    sqlite3_stmt *statement = NULL;
    int32_t outcome = crd__sqlite_control(s, which, &statement);
    if (outcome == CRD_OUTCOME_DONE) {
        if (sqlite3_step(statement) != SQLITE_DONE) {
            outcome = crd__sqlite_failed(s);
        }
        sqlite3_reset(statement);
    }
    return outcome;
}

/* Runs a control statement while another failure is being reported, and keeps the words of that one. */
static int run_quietly(crd_sqlite *s, enum crd__control which) {
    sqlite3_stmt *statement = s->controls[which];
    int done;
    if (!statement
        && sqlite3_prepare_v3(s->db, control_sql[which], -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL)
               != SQLITE_OK) {
        return 0;
    }
    s->controls[which] = statement;
    done = sqlite3_step(statement) == SQLITE_DONE;
    sqlite3_reset(statement);
    return done;
}

int32_t crd__sqlite_begin(crd_sqlite *s, int writes) {
    s->joined = !sqlite3_get_autocommit(s->db);
    if (!s->joined) {
        return crd__sqlite_run(s, writes ? CRD__BEGIN_IMMEDIATE : CRD__BEGIN);
    }
    return writes ? crd__sqlite_run(s, CRD__SAVEPOINT) : CRD_OUTCOME_DONE;
}

static int32_t end_own(crd_sqlite *s, int writes, int32_t outcome) {
    if (outcome == CRD_OUTCOME_DONE) {
        outcome = crd__sqlite_run(s, CRD__COMMIT);
        if (writes && outcome != CRD_OUTCOME_DONE && (s->error & 0xff) == SQLITE_IOERR) {
            outcome = CRD_OUTCOME_UNKNOWN;
        }
    }
    if (!sqlite3_get_autocommit(s->db)) {
        run_quietly(s, CRD__ROLLBACK);
    }
    return outcome;
}

int32_t crd__sqlite_end(crd_sqlite *s, int writes, int32_t outcome) {
    if (!s->joined) {
        return end_own(s, writes, outcome);
    }
    if (sqlite3_get_autocommit(s->db)) {
        return CRD_OUTCOME_RESTART;
    }
    if (writes) {
        if (outcome == CRD_OUTCOME_DONE) {
            outcome = crd__sqlite_run(s, CRD__RELEASE);
        }
        if (outcome != CRD_OUTCOME_DONE
            && (!run_quietly(s, CRD__ROLLBACK_TO) || !run_quietly(s, CRD__RELEASE))) {
            return CRD_OUTCOME_RESTART;
        }
    }
    /* The host's snapshot is older than another writer's commit: no write can follow in this transaction. */
    if (outcome == CRD_OUTCOME_FAILED && s->error == SQLITE_BUSY_SNAPSHOT) {
        return CRD_OUTCOME_RESTART;
    }
    return outcome;
}

static uint32_t CRD_CALL flags_now(void *ctx) {
    const crd_sqlite *s = ctx;
    return sqlite3_get_autocommit(s->db) ? 0u : CRD_STORAGE_JOINED;
}

static uint64_t CRD_CALL sqlite_new_writer(void *ctx) {
    uint64_t writer = 0;
    (void)ctx;
    while (writer == 0) {
        sqlite3_randomness((int)sizeof writer, &writer);
    }
    return writer;
}

static crd_sqlite *new_storage(uint32_t flags) {
    static const crd_storage table = CRD_STORAGE_INIT;
    crd_sqlite *s = sqlite3_malloc64(sizeof *s);
    if (!s) {
        return NULL;
    }
    memset(s, 0, sizeof *s);
    s->read_only = (flags & CRD_SQLITE_READ_ONLY) != 0;
    s->storage = table;
    s->storage.ctx = s;
    s->storage.read = crd__sqlite_read;
    s->storage.write = crd__sqlite_write;
    s->storage.flags_now = flags_now;
    s->storage.new_writer = sqlite_new_writer;
    if (!crd__sqlite_describe_tables(s)) {
        crd_sqlite_close(s);
        return NULL;
    }
    return s;
}

/* The status of opening that an outcome amounts to. */
static crd_status opened(crd_sqlite *s, int32_t outcome) {
    if (outcome == CRD_OUTCOME_DONE) {
        s->ready = 1;
        return CRD_OK;
    }
    if (outcome == CRD_OUTCOME_SCHEMA) {
        return CRD_E_SCHEMA;
    }
    if (outcome == CRD_OUTCOME_RESTART) {
        return CRD_E_RESTART;
    }
    return (s->error & 0xff) == SQLITE_NOMEM ? CRD_E_NOMEM : CRD_E_STORAGE;
}

/*
 * Of two connections that change to WAL at once, one is told "busy" without its busy handler being asked,
 * because waiting could be a deadlock. It lets go and tries again.
 */
static int32_t configure(crd_sqlite *s, uint32_t flags) {
    int waited = 0;
    int code;
    sqlite3_busy_timeout(s->db, BUSY_MILLISECONDS);
    if (s->read_only && sqlite3_exec(s->db, "PRAGMA query_only = ON", NULL, NULL, NULL) != SQLITE_OK) {
        return crd__sqlite_failed(s);
    }
    if (!s->read_only) {
        while ((code = sqlite3_exec(s->db, "PRAGMA main.journal_mode = WAL", NULL, NULL, NULL)) == SQLITE_BUSY
               && waited < BUSY_MILLISECONDS) {
            waited += sqlite3_sleep(5);
        }
        if (code != SQLITE_OK) {
            return crd__sqlite_failed(s);
        }
    }
    /* A page of accounts changes some ten thousand rows all over the file: with SQLite's default cache they would be
     * spilled and written more than once. */
    if (sqlite3_exec(s->db, "PRAGMA main.cache_size = -65536", NULL, NULL, NULL) != SQLITE_OK) {
        return crd__sqlite_failed(s);
    }
    if (sqlite3_exec(s->db,
                     flags & CRD_SQLITE_NORMAL ? "PRAGMA main.synchronous = NORMAL"
                                               : "PRAGMA main.synchronous = FULL",
                     NULL, NULL, NULL)
        != SQLITE_OK) {
        return crd__sqlite_failed(s);
    }
    return CRD_OUTCOME_DONE;
}

crd_status CRD_CALL crd_sqlite_open(const char *path, uint32_t flags, crd_sqlite **out) {
    crd_sqlite *s;
    int32_t outcome;
    /* Who may only read a file in WAL mode leaves its -wal and -shm behind: nobody but a writer may remove them. So a
     * reader opens it as a writer does, where the system lets it, and is kept from writing by SQLite and by us. */
    int mode = SQLITE_OPEN_READWRITE | (flags & CRD_SQLITE_READ_ONLY ? 0 : SQLITE_OPEN_CREATE);
    if (out) {
        *out = NULL;
    }
    if (!out || !path || !*path || flags & ~FLAGS_KNOWN) {
        return CRD_E_ARGUMENT;
    }
    s = new_storage(flags);
    if (!s) {
        return CRD_E_NOMEM;
    }
    *out = s;
    s->owned = 1;
    if (sqlite3_open_v2(path, &s->db, mode | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK) {
        return opened(s, crd__sqlite_failed(s));
    }
    outcome = configure(s, flags);
    return opened(s, outcome == CRD_OUTCOME_DONE ? crd__sqlite_ensure_schema(s) : outcome);
}

crd_status CRD_CALL crd_sqlite_attach(struct sqlite3 *database, uint32_t flags, crd_sqlite **out) {
    crd_sqlite *s;
    if (out) {
        *out = NULL;
    }
    if (!out || !database || flags & ~FLAGS_KNOWN) {
        return CRD_E_ARGUMENT;
    }
    s = new_storage(flags);
    if (!s) {
        return CRD_E_NOMEM;
    }
    *out = s;
    s->db = database;
    return opened(s, crd__sqlite_ensure_schema(s));
}

const crd_storage *CRD_CALL crd_sqlite_storage(crd_sqlite *storage) {
    return storage && storage->ready ? &storage->storage : NULL;
}

const char *CRD_CALL crd_sqlite_message(const crd_sqlite *storage) {
    return storage ? storage->message : "";
}

void CRD_CALL crd_sqlite_close(crd_sqlite *storage) {
    int i;
    if (!storage) {
        return;
    }
    for (i = 0; i < CRD__CONTROLS; i++) {
        sqlite3_finalize(storage->controls[i]);
    }
    for (i = 0; i < CRD__SHAPES; i++) {
        sqlite3_finalize(storage->shapes[i].statement);
    }
    for (i = 1; i < CRD_KIND_COUNT; i++) {
        sqlite3_finalize(storage->tables[i].insert.statement);
        sqlite3_finalize(storage->tables[i].update.statement);
        sqlite3_finalize(storage->tables[i].find);
        sqlite3_free(storage->tables[i].columns);
        sqlite3_free(storage->tables[i].slots);
        sqlite3_free(storage->tables[i].insert.bound);
    }
    if (storage->owned) {
        sqlite3_close(storage->db);
    }
    sqlite3_free(storage->accounts);
    sqlite3_free(storage);
}
