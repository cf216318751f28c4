/*
 * What the files of the PostgreSQL storage share. Nothing else includes this.
 *
 * postgres.c         open, attach, close, the connection, how a failure becomes an outcome
 * postgres_wire.c    statements and parameters, many of them in one round trip
 * postgres_schema.c  tables, indexes, versions of the schema
 * postgres_read.c    a query becomes SELECTs
 * postgres_write.c   a batch becomes guards, INSERTs and UPDATEs
 *
 * Terms. A *table* holds one kind of record; a *column* one field of it, under the field's own name. An *outcome* is
 * a CRD_OUTCOME_… and what most functions here return; any but "done" has its words in `message` and its SQLSTATE
 * in `state`. A call is *joined* when the connection was inside a transaction of the host's as it began. A *trip* is
 * one round trip: statements sent together, closed by one Sync, their replies taken in order. A *role* is a number
 * that goes with a statement of a trip, so that a failure is told apart by the statement that failed, never by the
 * words of its message or the name of a constraint.
 *
 * Invariants:
 *
 * 1. Between two calls no statement of ours is active and no transaction of ours is open, but the one that a read with
 *    CRD_POSTGRES_LOCK_READS leaves to the write that follows (`held`); every other call ends it.
 * 2. A joined call never ends the host's transaction. It leaves a savepoint of its own neither open nor half done.
 * 3. `message` is set at the moment of failure, and never longer than a result block takes.
 * 4. Nothing but prepared statements is kept in the session, and in the mode without them nothing at all.
 * 5. Every statement that writes names the customer first, or joins on it.
 */
#ifndef CRD_POSTGRES_PRIVATE_H
#define CRD_POSTGRES_PRIVATE_H

#include <credit/postgres.h>
#include <libpq-fe.h>
#include <stddef.h>

/* The schema this version writes. Tables with a greater number are left alone. */
#define CRD__SCHEMA_VERSION 1

/* The greatest number of columns in a key: customer, document kind, document, number. */
#define CRD__KEY_COLUMNS 4

/* How a field is passed: the types of <credit/record.h>, less those that look alike from here. */
#define CRD__FORM_I32 1 /* unsigned 32-bit fields too, as two's complement */
#define CRD__FORM_I64 2 /* unsigned 64-bit fields too */
#define CRD__FORM_TEXT 3
#define CRD__FORM_HASH 4
#define CRD__FORM_BYTES 5

typedef struct crd__column {
    uint32_t form;
    uint32_t offset;
    uint32_t size_offset;
    int32_t key_place; /* from 1 within the key, 0 for other columns */
    const char *name;
} crd__column;

typedef struct crd__statement {
    char *sql;
    uint32_t number;   /* makes its name */
    uint32_t prepared; /* the session it was prepared in, 0 = none */
} crd__statement;

typedef struct crd__table {
    const char *name;
    crd__column *columns;
    int column_count;
    int key_count;
    int key_column[CRD__KEY_COLUMNS];
    uint32_t extent; /* a record at least this long has every column */
    int extra;       /* an update also names the version it replaces */
    crd__statement insert, insert_many, insert_own, update, update_many, update_own, find, find_many, which;
} crd__table;

/* Statements without a record in them. */
enum crd__control {
    CRD__BEGIN,
    CRD__BEGIN_READ,
    CRD__COMMIT,
    CRD__ROLLBACK,
    CRD__SAVEPOINT,
    CRD__RELEASE,
    CRD__ROLLBACK_TO,
    CRD__VERSION,      /* of the schema */
    CRD__SHARE,        /* an account that is only guarded */
    CRD__SHARE_SEEN,   /* the same, answering with the version */
    CRD__STAND_IN,     /* in the place of an account that must not exist */
    CRD__STAND_IN_SEEN,
    CRD__STAND_OUT,    /* takes it away */
    CRD__VERSIONS,     /* of many accounts */
    CRD__UPDATE_SEEN,  /* many accounts, answering with those that were updated */
    CRD__INSERT_SEEN,
    CRD__WRITER,
    CRD__CONTROLS
};

/* Kept SELECTs. The library uses about thirty shapes of query; more only cost being prepared again. */
#define CRD__SHAPES 64

typedef struct crd__shape {
    uint64_t shape; /* kind and conditions, see postgres_read.c; 0 = unused */
    crd__statement statement;
} crd__shape;

/* Text that grows. */
typedef struct crd__sql {
    char *text;
    size_t used, room;
    int failed;
} crd__sql;

/* The parameters of one statement. */
typedef struct crd__params {
    unsigned char *bytes;
    size_t used, room;
    size_t *at;
    int *length, *format;
    const char **value;
    int count, slots;
    int failed;
} crd__params;

typedef struct crd__sent {
    crd__statement *statement;
    int prepares; /* only told the server the text */
    int role;
    uint64_t index; /* what the role is about */
} crd__sent;

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

#define CRD__FUSIONS 64 /* sets of the kinds account … hold */

struct crd_postgres {
    crd_storage storage;
    PGconn *conn;
    char *conninfo; /* NULL: attached */
    char *schema;   /* quoted */
    char *schema_name;
    uint32_t partitions;
    int attached;
    int read_only, unprepared, no_ddl, lock_reads;
    char held_customer[CRD_MAX_ID + 1];
    int held; /* a read has left its transaction open, and accounts locked, for the write that follows */
    int ready;       /* opening succeeded */
    int checked;     /* the schema was looked at on this connection */
    int provisional; /* the tables were made in a transaction of the host's, which may be gone since */
    int joined;      /* of the call under way */
    uint32_t session; /* counts connections */
    int backend;
    uint64_t tag; /* in the names of statements */
    uint32_t numbers;
    crd__table tables[CRD_KIND_COUNT];
    crd__statement controls[CRD__CONTROLS];
    crd__statement fused[CRD__FUSIONS];
    crd__shape shapes[CRD__SHAPES];
    crd__params params;
    crd__sent *sent;
    size_t sent_count, sent_room;
    int open;     /* a transaction or savepoint of ours may be */
    int broken;   /* the trip under way could not be put together */
    int lost;     /* the connection was, in the trip that ended */
    int failed_role;
    uint64_t failed_index;
    crd__record record; /* the one being emitted, or a short one being completed */
    char state[6];
    char message[CRD_HOST_TEXT];
};

/* ---- postgres.c ---- */

/* Sets words of our own and a SQLSTATE; returns the outcome. */
int32_t crd__pg_refuse(crd_postgres *s, int32_t outcome, const char *state, const char *format, ...);
int32_t crd__pg_nomem(crd_postgres *s);
/* Takes the words of a result that is an error (NULL: of the connection). */
void crd__pg_take_error(crd_postgres *s, const PGresult *result);
/* A connection to work with: made anew if it was lost and is ours. Finds out whether the call is joined. What a read has
 * locked is let go, unless this call `keeps` it. */
int32_t crd__pg_begin_call(crd_postgres *s, int keeps);
int crd__pg_state_is(const crd_postgres *s, const char *state);
/* The SQLSTATE as a number: its five characters as digits of base 36. */
int64_t crd__pg_number(const char *state);
/* The outcome of a failure that no role explains. `keeps`: a commit was on its way. */
int32_t crd__pg_failure(crd_postgres *s, int keeps);
/* Whether nothing is kept and the same may simply be tried again. */
int crd__pg_retry(const crd_postgres *s);
/* Ends a call: what is still open after a failure is rolled back. Returns the outcome for good. */
int32_t crd__pg_end_call(crd_postgres *s, int32_t outcome);
/* Whether a read that failed is worth another attempt: on a new connection, or with statements prepared anew. */
int crd__pg_again(crd_postgres *s);

/* ---- postgres_wire.c ---- */

void crd__sql_add(crd__sql *sql, const char *format, ...);
/* Makes a statement of a text, which it takes. */
int32_t crd__pg_statement(crd_postgres *s, crd__sql *sql, crd__statement *out);

void crd__param_start(crd_postgres *s);
void crd__param_text(crd_postgres *s, const char *text);
void crd__param_i64(crd_postgres *s, int64_t number);
/* A column of one record. */
void crd__param_field(crd_postgres *s, const crd__column *column, const unsigned char *record);
/* Arrays: the head, then as many elements. */
void crd__param_array(crd_postgres *s, uint32_t form, uint64_t count);
void crd__element_text(crd_postgres *s, const char *text);
void crd__element_i64(crd_postgres *s, int64_t number);
void crd__element_i32(crd_postgres *s, uint32_t number);
void crd__element_field(crd_postgres *s, const crd__column *column, const unsigned char *record);
void crd__param_array_end(crd_postgres *s);

/* One round trip: start, any number of adds, then run. */
void crd__trip_start(crd_postgres *s);
/* Adds a statement with the parameters set since crd__param_start(), or since the last add. */
void crd__trip_add(crd_postgres *s, crd__statement *statement, int role, uint64_t index);
void crd__trip_control(crd_postgres *s, enum crd__control which, int role, uint64_t index);
/* Takes every reply; those with rows are handed to `take`, which answers CRD__TAKEN, CRD__KEPT (it will clear the reply
 * itself) or CRD__STOP (it wants no more of them). Returns 1 when all went well; else 0, with `lost`, `failed_role` and
 * `failed_index` set. `stream`: rows come one at a time. */
#define CRD__TAKEN 0
#define CRD__KEPT 1
#define CRD__STOP 2
typedef int (*crd__take)(void *ctx, int role, uint64_t index, PGresult *result);
int crd__trip_run(crd_postgres *s, int stream, crd__take take, void *ctx);

/* Takes what was prepared out of a session that is not ours. */
void crd__pg_deallocate(crd_postgres *s);

/* The statement of a control, made when it is first used. */
int32_t crd__pg_control(crd_postgres *s, enum crd__control which, crd__statement **out);

/* ---- postgres_schema.c ---- */

/* Makes, completes or checks the tables. */
int32_t crd__pg_ensure_schema(crd_postgres *s);
/* Fills s->tables from crd_record_fields(). Returns 0 when there is no memory. */
int crd__pg_describe_tables(crd_postgres *s);
const char *crd__pg_type_name(uint32_t form);
int32_t crd__pg_wrong_version(crd_postgres *s, int64_t version);

/* ---- the callbacks ---- */

/* The text of a control that is made of columns. */
void crd__pg_write_control(crd_postgres *s, enum crd__control which, crd__sql *sql);

void CRD_CALL crd__pg_read(void *ctx, const crd_query *query, crd_emit emit, void *sink, crd_read_result *out);
void CRD_CALL crd__pg_write(void *ctx, const crd_batch *batch, crd_write_result *out);

#endif
