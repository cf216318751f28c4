/*
 * What the files of the SQLite storage share. Nothing else includes this.
 *
 * sqlite.c         open, attach, close, transactions, how a failure becomes an outcome
 * sqlite_schema.c  tables, indexes, versions of the schema
 * sqlite_read.c    a query becomes SELECTs
 * sqlite_write.c   a batch becomes guards, INSERTs and UPDATEs
 *
 * Terms. A *table* holds one kind of record; a *column* one field of it, under the field's own name. An
 * *outcome* is a CRD_OUTCOME_… and what most functions here return; any but "done" has its words in `message`
 * and its number in `error`. A call is *joined* when the connection was inside a transaction of the host's as
 * it began.
 *
 * Invariants:
 *
 * 1. Between two calls no statement of ours is active and no transaction of ours is open.
 * 2. A joined call never ends the host's transaction. It leaves a savepoint of its own neither open nor half
 *    done.
 * 3. `message` is set at the moment of failure, before anything else is asked of SQLite, and never longer
 *    than a result block takes.
 * 4. Parameter i+1 of an INSERT or UPDATE is column i, so that one loop binds both.
 */
#ifndef CRD_SQLITE_PRIVATE_H
#define CRD_SQLITE_PRIVATE_H

#include <credit/sqlite.h>
#include <sqlite3.h>

/* The schema this version writes. A file with a greater number is left alone. */
#define CRD__SCHEMA_VERSION 1

/* Kept SELECTs. The library uses about thirty shapes of query; more only cost being prepared again. */
#define CRD__SHAPES 64

/* The greatest number of columns in a key: customer, document kind, document, number. */
#define CRD__KEY_COLUMNS 4

/* How a field is passed to SQLite: the types of <credit/record.h>, less those that look alike from here. */
#define CRD__FORM_U32 1
#define CRD__FORM_I32 2
#define CRD__FORM_I64 3 /* unsigned 64-bit fields too, as two's complement */
#define CRD__FORM_TEXT 4
#define CRD__FORM_HASH 5
#define CRD__FORM_BYTES 6

typedef struct crd__column {
    uint32_t form;
    uint32_t offset;
    uint32_t size_offset;
    int32_t key_place; /* from 1 within the key, 0 for other columns: what PRAGMA table_info calls pk */
    const char *name;
} crd__column;

/* The columns once more, small and form by form: what is done for every field of every record loops over these. */
typedef struct crd__slot {
    uint16_t offset;
    uint16_t column;
} crd__slot;

/* A statement that writes a record, and by column what its parameter is bound to: bindings outlive a reset, and most
 * fields of most records are what they were in the record before. */
typedef union crd__bound {
    int64_t number;
    const char *text; /* NULL: not known, for a text lives no longer than its batch */
    uint64_t size;    /* of bytes; of a hash, whether it is not zero */
} crd__bound;

typedef struct crd__writes {
    sqlite3_stmt *statement;
    crd__bound *bound;
    uint64_t batch; /* the last it was used in */
} crd__writes;

typedef struct crd__table {
    const char *name;
    crd__column *columns;
    crd__slot *slots;
    const crd__slot *end[CRD__FORM_BYTES + 1]; /* of the slots of a form; those of the next begin there */
    int column_count;
    int key_count;
    int key_column[CRD__KEY_COLUMNS];
    uint32_t extent; /* a record at least this long has every column */
    crd__writes insert, update;
    sqlite3_stmt *find;
} crd__table;

/* Statements without a record in them, prepared when first used. */
enum crd__control {
    CRD__BEGIN,
    CRD__BEGIN_IMMEDIATE,
    CRD__COMMIT,
    CRD__ROLLBACK,
    CRD__SAVEPOINT,
    CRD__RELEASE,
    CRD__ROLLBACK_TO,
    CRD__LOCK,
    CRD__VERSION,
    CRD__GUARD,
    CRD__CONTROLS
};

typedef struct crd__shape {
    uint32_t shape; /* kind and conditions, see sqlite_read.c; 0 = unused */
    sqlite3_stmt *statement;
    uint64_t used;
} crd__shape;

typedef union crd__record {
    uint32_t struct_size;
    crd_account_record account;
    crd_customer_record customer;
    crd_credit_record credit;
    crd_invoice_record invoice;
    crd_receipt_record receipt;
    crd_hold_record hold;
    crd_line_record line;
    crd_entry_record entry;
    crd_request_record request;
} crd__record;

struct crd_sqlite {
    crd_storage storage;
    sqlite3 *db;
    int owned;
    int read_only;
    int ready;  /* opening succeeded */
    int joined; /* of the call under way */
    int provisional; /* the tables were made in a transaction of the host's, which may be gone since */
    crd__table tables[CRD_KIND_COUNT];
    sqlite3_stmt *controls[CRD__CONTROLS];
    crd__shape shapes[CRD__SHAPES];
    uint64_t shape_clock;
    uint64_t batch; /* counts them */
    crd__record record;      /* the one being emitted, or a short one being completed */
    unsigned char *accounts; /* accounts of the page being read, see sqlite_read.c */
    uint64_t accounts_used, accounts_room;
    int64_t error;
    char message[CRD_HOST_TEXT];
};

/* Takes SQLite's number and words for what just failed; returns CRD_OUTCOME_FAILED. */
int32_t crd__sqlite_failed(crd_sqlite *s);

/* Sets number and words of our own; returns the outcome. `format` is sqlite3_mprintf's. */
int32_t crd__sqlite_refuse(crd_sqlite *s, int32_t outcome, int error, const char *format, ...);

/* Prepares a statement to be kept. One that SQLite does not understand means that the schema is not ours. */
int32_t crd__sqlite_prepare(crd_sqlite *s, const char *sql, sqlite3_stmt **out);

/* As before, of a text built with sqlite3_str, which it frees. */
int32_t crd__sqlite_prepare_built(crd_sqlite *s, sqlite3_str *sql, sqlite3_stmt **out);

/* A control statement, ready to be bound and stepped. */
int32_t crd__sqlite_control(crd_sqlite *s, enum crd__control which, sqlite3_stmt **out);

/* Runs one that returns nothing. */
int32_t crd__sqlite_run(crd_sqlite *s, enum crd__control which);

/* Opens the transaction or savepoint of a call; it is to be closed with crd__sqlite_end() if this returned
 * done. */
int32_t crd__sqlite_begin(crd_sqlite *s, int writes);

/* Keeps what was written when `outcome` is done, else takes it back; returns the outcome for good. */
int32_t crd__sqlite_end(crd_sqlite *s, int writes, int32_t outcome);

/* Makes, completes or checks the tables. */
int32_t crd__sqlite_ensure_schema(crd_sqlite *s);

/* Within a transaction: whether the schema is still one this version may use. */
int32_t crd__sqlite_check_version(crd_sqlite *s);

/* Fills s->tables from crd_record_fields(). Returns 0 when there is no memory. */
int crd__sqlite_describe_tables(crd_sqlite *s);

void CRD_CALL crd__sqlite_read(void *ctx, const crd_query *query, crd_emit emit, void *sink,
                               crd_read_result *out);
void CRD_CALL crd__sqlite_write(void *ctx, const crd_batch *batch, crd_write_result *out);

#endif
