/*
 * The PostgreSQL storage: its life, its connection, and how a failure becomes an outcome.
 *
 * Like a storage of the host's own it sees public headers only, and no rule about money. See postgres_private.h for
 * terms and invariants.
 *
 * Connection. One of ours that is lost is made anew by the next call; one of the host's is the host's to reset, which
 * shows in the process number of its backend. What was prepared in a session is known by the session's number.
 *
 * Failures. A failure before the commit was sent keeps nothing. When the commit was on its way, and the connection went
 * or the server did not say that it undid everything, the outcome is "unknown", and the library finds out by reading.
 * In a transaction of the host's nothing is unknown: what the host did not commit is not kept, and a transaction that
 * cannot go on is "restart".
 */
#include "postgres_private.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FLAGS_KNOWN (CRD_POSTGRES_READ_ONLY | CRD_POSTGRES_UNPREPARED | CRD_POSTGRES_NO_DDL                      \
                     | CRD_POSTGRES_LOCK_READS)
#define MAX_PARTITIONS 1024
#define MAX_NAME 63 /* bytes of a name in PostgreSQL; it would cut a longer one */

/* ---- words ---- */

/* Copies as much as fits, whole UTF-8 characters, without the end of line that libpq closes its own words with. */
static void set_message(crd_postgres *s, const char *text) {
    size_t size = strlen(text);
    if (size >= sizeof s->message) {
        size = sizeof s->message - 1;
        while (size > 0 && ((unsigned char)text[size] & 0xC0u) == 0x80u) {
            size--;
        }
    }
    while (size > 0 && text[size - 1] == '\n') {
        size--;
    }
    memcpy(s->message, text, size);
    s->message[size] = 0;
}

static void set_state(crd_postgres *s, const char *state) {
    size_t size = state ? strlen(state) : 0;
    memset(s->state, 0, sizeof s->state);
    memcpy(s->state, size == 5 ? state : "08006", 5);
}

int32_t crd__pg_refuse(crd_postgres *s, int32_t outcome, const char *state, const char *format, ...) {
    char text[2 * CRD_HOST_TEXT];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    set_state(s, state);
    set_message(s, text);
    return outcome;
}

int32_t crd__pg_nomem(crd_postgres *s) {
    return crd__pg_refuse(s, CRD_OUTCOME_FAILED, "53200", "out of memory");
}

void crd__pg_take_error(crd_postgres *s, const PGresult *result) {
    const char *primary = result ? PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY) : NULL;
    const char *text = primary ? primary : result ? PQresultErrorMessage(result) : PQerrorMessage(s->conn);
    set_state(s, result ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL);
    set_message(s, text && *text ? text : "the connection was lost");
}

int crd__pg_state_is(const crd_postgres *s, const char *state) {
    return strncmp(s->state, state, strlen(state)) == 0;
}

int64_t crd__pg_number(const char *state) {
    int64_t number = 0;
    for (; *state; state++) {
        number = number * 36 + (*state <= '9' ? *state - '0' : *state - 'A' + 10);
    }
    return number;
}

/* ---- what a failure amounts to ---- */

int crd__pg_retry(const crd_postgres *s) {
    return !s->joined && !s->lost && (crd__pg_state_is(s, "40001") || crd__pg_state_is(s, "40P01"));
}

/* That the server did not say what became of a transaction. */
static int says_nothing(const crd_postgres *s) {
    return crd__pg_state_is(s, "08") || crd__pg_state_is(s, "57P0") || crd__pg_state_is(s, "XX")
           || crd__pg_state_is(s, "40003");
}

int32_t crd__pg_failure(crd_postgres *s, int keeps) {
    static const char *const schema[] = {"42P01", "42703", "3F000", "42804", "42883", "42P10", "23502"};
    size_t i;
    if (s->joined && (s->lost || crd__pg_state_is(s, "40"))) {
        return CRD_OUTCOME_RESTART;
    }
    if (!s->joined && keeps && (s->lost || says_nothing(s))) {
        return CRD_OUTCOME_UNKNOWN;
    }
    for (i = 0; i < sizeof schema / sizeof *schema && !s->lost; i++) {
        if (crd__pg_state_is(s, schema[i])) {
            return CRD_OUTCOME_SCHEMA;
        }
    }
    return CRD_OUTCOME_FAILED;
}

/* ---- the connection ---- */

static void CRD_CALL say_nothing(void *ctx, const PGresult *result) {
    (void)ctx;
    (void)result;
}

static int32_t check_encoding(crd_postgres *s) {
    const char *server = PQparameterStatus(s->conn, "server_encoding");
    const char *client = PQparameterStatus(s->conn, "client_encoding");
    if (!server || strcmp(server, "UTF8") != 0) {
        return crd__pg_refuse(s, CRD_OUTCOME_SCHEMA, "22021",
                              "the database's encoding is %s, not UTF8, so it cannot hold every text",
                              server ? server : "unknown");
    }
    if (!client || strcmp(client, "UTF8") != 0) {
        return crd__pg_refuse(s, CRD_OUTCOME_FAILED, "22021", "the connection's client_encoding is %s, not UTF8",
                              client ? client : "unknown");
    }
    return CRD_OUTCOME_DONE;
}

static int32_t new_session(crd_postgres *s) {
    s->session++;
    s->backend = PQbackendPID(s->conn);
    s->checked = 0;
    return check_encoding(s);
}

static int32_t connect_anew(crd_postgres *s) {
    const char *keys[] = {"dbname", "client_encoding", "fallback_application_name", NULL};
    const char *values[] = {NULL, "UTF8", "libcredit", NULL};
    values[0] = s->conninfo;
    PQfinish(s->conn);
    s->conn = PQconnectdbParams(keys, values, 1);
    if (!s->conn) {
        return crd__pg_nomem(s);
    }
    if (PQstatus(s->conn) != CONNECTION_OK) {
        crd__pg_refuse(s, CRD_OUTCOME_FAILED, "08001", "%s", PQerrorMessage(s->conn));
        return CRD_OUTCOME_FAILED;
    }
    (void)PQsetNoticeReceiver(s->conn, say_nothing, NULL);
    return new_session(s);
}

static int32_t begin_owned(crd_postgres *s) {
    PGTransactionStatusType status = s->conn ? PQtransactionStatus(s->conn) : PQTRANS_UNKNOWN;
    s->joined = 0;
    if (s->conn && PQstatus(s->conn) == CONNECTION_OK
        && (status == PQTRANS_IDLE || (status == PQTRANS_INTRANS && s->held))) {
        return CRD_OUTCOME_DONE;
    }
    s->held = 0;
    return connect_anew(s);
}

static int32_t begin_attached(crd_postgres *s) {
    PGTransactionStatusType status = PQtransactionStatus(s->conn);
    s->joined = status == PQTRANS_INTRANS || status == PQTRANS_INERROR;
    if (PQstatus(s->conn) != CONNECTION_OK) {
        return crd__pg_refuse(s, CRD_OUTCOME_FAILED, "08003", "the host's connection is lost");
    }
    if (status == PQTRANS_INERROR) {
        return crd__pg_refuse(s, CRD_OUTCOME_RESTART, "25P02", "the host's transaction has failed");
    }
    if (status == PQTRANS_ACTIVE || PQpipelineStatus(s->conn) != PQ_PIPELINE_OFF || PQisnonblocking(s->conn)) {
        return crd__pg_refuse(s, CRD_OUTCOME_FAILED, "55000",
                              "the host's connection is busy, non-blocking or in pipeline mode");
    }
    return s->session == 0 || s->backend != PQbackendPID(s->conn) ? new_session(s) : check_encoding(s);
}

/* What a read has locked is let go. */
static void let_go(crd_postgres *s) {
    crd__trip_start(s);
    crd__trip_control(s, CRD__ROLLBACK, 0, 0);
    (void)crd__trip_run(s, 0, NULL, NULL);
    s->held = 0;
}

int32_t crd__pg_begin_call(crd_postgres *s, int keeps) {
    int32_t outcome;
    if (s->held && !keeps && PQstatus(s->conn) == CONNECTION_OK) {
        let_go(s);
    }
    s->message[0] = 0;
    s->state[0] = 0;
    s->lost = 0;
    s->open = 0;
    outcome = s->attached ? begin_attached(s) : begin_owned(s);
    if (outcome == CRD_OUTCOME_DONE && s->ready && (!s->checked || s->provisional)) {
        outcome = crd__pg_ensure_schema(s);
    }
    return outcome;
}

/* Keeps the words of the failure that led here. */
int32_t crd__pg_end_call(crd_postgres *s, int32_t outcome) {
    char message[CRD_HOST_TEXT], state[sizeof s->state];
    if (s->lost || !s->open || (!s->joined && PQtransactionStatus(s->conn) == PQTRANS_IDLE)) {
        s->open = 0;
        s->held = 0;
        return outcome;
    }
    s->held = 0;
    s->open = 0;
    memcpy(message, s->message, sizeof message);
    memcpy(state, s->state, sizeof state);
    crd__trip_start(s);
    if (s->joined) {
        crd__trip_control(s, CRD__ROLLBACK_TO, 0, 0);
        crd__trip_control(s, CRD__RELEASE, 0, 0);
    } else {
        crd__trip_control(s, CRD__ROLLBACK, 0, 0);
    }
    if (!crd__trip_run(s, 0, NULL, NULL) && s->joined) {
        outcome = CRD_OUTCOME_RESTART;
    }
    memcpy(s->message, message, sizeof message);
    memcpy(s->state, state, sizeof state);
    return outcome;
}

int crd__pg_again(crd_postgres *s) {
    if (s->lost || (!s->joined && crd__pg_state_is(s, "40"))) {
        return !s->attached;
    }
    /* The statement is not there any more, is there already, or was planned for another table. */
    if (crd__pg_state_is(s, "26000") || crd__pg_state_is(s, "42P05") || crd__pg_state_is(s, "0A000")) {
        s->session++;
        s->tag++;
        return !s->joined;
    }
    return 0;
}

/* ---- flags and writers ---- */

static uint32_t CRD_CALL flags_now(void *ctx) {
    const crd_postgres *s = ctx;
    PGTransactionStatusType status = s->attached ? PQtransactionStatus(s->conn) : PQTRANS_IDLE;
    return status == PQTRANS_INTRANS || status == PQTRANS_INERROR ? CRD_STORAGE_JOINED : 0u;
}

struct number {
    uint64_t value;
};

static int take_number(void *ctx, int role, uint64_t index, PGresult *result) {
    struct number *number = ctx;
    const unsigned char *bytes;
    int i;
    (void)role;
    (void)index;
    if (PQntuples(result) == 1 && PQgetlength(result, 0, 0) == 16) {
        bytes = (const unsigned char *)PQgetvalue(result, 0, 0);
        for (i = 0; i < 8; i++) {
            number->value = number->value << 8 | (bytes[i] ^ bytes[i + 8]);
        }
    }
    return CRD__TAKEN;
}

/* The server's random bits: in a uuid of version 4 no two bits eight bytes apart are both fixed, but for two. */
static uint64_t CRD_CALL new_writer(void *ctx) {
    crd_postgres *s = ctx;
    int attempt = 0;
    do {
        struct number number = {0};
        if (crd__pg_begin_call(s, 0) != CRD_OUTCOME_DONE) {
            return 0;
        }
        crd__trip_start(s);
        crd__trip_control(s, CRD__WRITER, 1, 0);
        if (crd__trip_run(s, 0, take_number, &number)) {
            return number.value;
        }
    } while (crd__pg_again(s) && attempt++ < 1);
    return 0;
}

/* ---- open, attach, close ---- */

static char *copy_text(const char *text) {
    size_t size = strlen(text) + 1;
    char *copy = malloc(size);
    if (copy) {
        memcpy(copy, text, size);
    }
    return copy;
}

/* A name as SQL has it. */
static char *quote(const char *name) {
    char *quoted = malloc(2 * strlen(name) + 3), *to = quoted;
    if (!quoted) {
        return NULL;
    }
    *to++ = '"';
    for (; *name; name++) {
        if (*name == '"') {
            *to++ = '"';
        }
        *to++ = *name;
    }
    *to++ = '"';
    *to = 0;
    return quoted;
}

/* What the caller gave, as far as its struct reaches. */
static int take_options(const crd_postgres_options *given, crd_postgres_options *options) {
    memset(options, 0, sizeof *options);
    if (given) {
        size_t size = given->struct_size;
        if (size < sizeof given->struct_size) {
            return 0;
        }
        memcpy(options, given, size < sizeof *options ? size : sizeof *options);
    }
    if (!options->schema) {
        options->schema = "credit";
    }
    return !(options->flags & ~FLAGS_KNOWN) && options->partitions <= MAX_PARTITIONS && *options->schema
           && strlen(options->schema) <= MAX_NAME;
}

static crd_postgres *new_storage(const crd_postgres_options *options) {
    static const crd_storage table = CRD_STORAGE_INIT;
    crd_postgres *s = calloc(1, sizeof *s);
    if (!s) {
        return NULL;
    }
    s->read_only = (options->flags & CRD_POSTGRES_READ_ONLY) != 0;
    s->unprepared = (options->flags & CRD_POSTGRES_UNPREPARED) != 0;
    s->lock_reads = !s->read_only && options->flags & CRD_POSTGRES_LOCK_READS;
    s->no_ddl = s->read_only || options->flags & CRD_POSTGRES_NO_DDL;
    s->partitions = options->partitions;
    s->storage = table;
    s->storage.ctx = s;
    s->storage.read = crd__pg_read;
    s->storage.write = crd__pg_write;
    s->storage.flags_now = flags_now;
    s->storage.new_writer = new_writer;
    s->schema_name = copy_text(options->schema);
    s->schema = quote(options->schema);
    if (!s->schema || !s->schema_name || !crd__pg_describe_tables(s)) {
        crd_postgres_close(s);
        return NULL;
    }
    return s;
}

/* The status of opening that an outcome amounts to. */
static crd_status opened(crd_postgres *s, int32_t outcome) {
    if (outcome == CRD_OUTCOME_DONE) {
        outcome = crd__pg_ensure_schema(s);
    }
    switch (outcome) {
    case CRD_OUTCOME_DONE:
        s->ready = 1;
        return CRD_OK;
    case CRD_OUTCOME_SCHEMA:
        return CRD_E_SCHEMA;
    case CRD_OUTCOME_RESTART:
        return CRD_E_RESTART;
    default:
        return crd__pg_state_is(s, "53200") ? CRD_E_NOMEM : CRD_E_STORAGE;
    }
}

crd_status CRD_CALL crd_postgres_open(const char *conninfo, const crd_postgres_options *options, crd_postgres **out) {
    crd_postgres_options taken;
    crd_postgres *s;
    if (out) {
        *out = NULL;
    }
    if (!out || !take_options(options, &taken)) {
        return CRD_E_ARGUMENT;
    }
    s = new_storage(&taken);
    if (!s) {
        return CRD_E_NOMEM;
    }
    *out = s;
    s->conninfo = copy_text(conninfo ? conninfo : "");
    return s->conninfo ? opened(s, crd__pg_begin_call(s, 0)) : CRD_E_NOMEM;
}

crd_status CRD_CALL crd_postgres_attach(struct pg_conn *connection, const crd_postgres_options *options,
                                        crd_postgres **out) {
    crd_postgres_options taken;
    crd_postgres *s;
    if (out) {
        *out = NULL;
    }
    if (!out || !connection || !take_options(options, &taken) || taken.flags & CRD_POSTGRES_LOCK_READS) {
        return CRD_E_ARGUMENT;
    }
    s = new_storage(&taken);
    if (!s) {
        return CRD_E_NOMEM;
    }
    *out = s;
    s->conn = connection;
    s->attached = 1;
    return opened(s, crd__pg_begin_call(s, 0));
}

const crd_storage *CRD_CALL crd_postgres_storage(crd_postgres *storage) {
    return storage && storage->ready ? &storage->storage : NULL;
}

const char *CRD_CALL crd_postgres_message(const crd_postgres *storage) {
    return storage ? storage->message : "";
}

static void free_table(crd__table *table) {
    free(table->columns);
    free(table->insert.sql);
    free(table->insert_many.sql);
    free(table->insert_own.sql);
    free(table->update.sql);
    free(table->update_many.sql);
    free(table->update_own.sql);
    free(table->find.sql);
    free(table->find_many.sql);
    free(table->which.sql);
}

void CRD_CALL crd_postgres_close(crd_postgres *storage) {
    int i;
    if (!storage) {
        return;
    }
    if (!storage->attached) {
        PQfinish(storage->conn);
    } else {
        crd__pg_deallocate(storage);
    }
    for (i = 1; i < CRD_KIND_COUNT; i++) {
        free_table(&storage->tables[i]);
    }
    for (i = 0; i < CRD__CONTROLS; i++) {
        free(storage->controls[i].sql);
    }
    for (i = 0; i < CRD__FUSIONS; i++) {
        free(storage->fused[i].sql);
    }
    for (i = 0; i < CRD__SHAPES; i++) {
        free(storage->shapes[i].statement.sql);
    }
    free(storage->params.bytes);
    free(storage->params.at);
    free(storage->params.length);
    free(storage->params.format);
    free((void *)storage->params.value);
    free(storage->sent);
    free(storage->conninfo);
    free(storage->schema);
    free(storage->schema_name);
    free(storage);
}
