/*
 * Statements, their parameters, and one round trip for many of them.
 *
 * 1. A statement is prepared in the trip that first uses it, so that preparing costs no trip of its own.
 * 2. Numbers and bytes travel in binary, so that nothing depends on a setting of the session.
 * 3. What goes wrong while a trip is put together is told by crd__trip_run(): no caller has to look at every step. After
 *    such a failure nothing more is sent, a COMMIT least of all.
 * 4. Every reply is taken, whatever went wrong, and the connection is left out of pipeline mode.
 */
#include "postgres_private.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The types of parameters, as every PostgreSQL numbers them. */
#define OID_BYTEA 17
#define OID_INT8 20
#define OID_INT4 23
#define OID_TEXT 25

/* ---- text ---- */

void crd__sql_add(crd__sql *sql, const char *format, ...) {
    va_list arguments, again;
    int length;
    va_start(arguments, format);
    va_copy(again, arguments);
    length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (length < 0) {
        sql->failed = 1;
    } else if (!sql->failed && sql->used + (size_t)length >= sql->room) {
        size_t room = 2 * sql->room + (size_t)length + 1024;
        char *grown = realloc(sql->text, room);
        if (grown) {
            sql->text = grown;
            sql->room = room;
        } else {
            sql->failed = 1;
        }
    }
    if (!sql->failed) {
        (void)vsnprintf(sql->text + sql->used, sql->room - sql->used, format, again);
        sql->used += (size_t)length;
    }
    va_end(again);
}

int32_t crd__pg_statement(crd_postgres *s, crd__sql *sql, crd__statement *out) {
    if (sql->failed || !sql->text) {
        free(sql->text);
        return crd__pg_nomem(s);
    }
    out->sql = sql->text;
    out->number = ++s->numbers;
    out->prepared = 0;
    return CRD_OUTCOME_DONE;
}

/* ---- parameters ---- */

void crd__param_start(crd_postgres *s) {
    s->params.used = 0;
    s->params.count = 0;
}

static unsigned char *take_room(crd__params *p, size_t size) {
    unsigned char *place;
    if (p->used + size > p->room) {
        size_t room = 2 * (p->used + size) + 4096;
        unsigned char *grown = realloc(p->bytes, room);
        if (!grown) {
            p->failed = 1;
            return NULL;
        }
        p->bytes = grown;
        p->room = room;
    }
    place = p->bytes + p->used;
    p->used += size;
    return place;
}

static int more_slots(crd__params *p) {
    int slots = 2 * p->slots + 64;
    size_t *at = realloc(p->at, (size_t)slots * sizeof *at);
    int *length, *format;
    const char **value;
    p->at = at ? at : p->at;
    length = realloc(p->length, (size_t)slots * sizeof *length);
    p->length = length ? length : p->length;
    format = realloc(p->format, (size_t)slots * sizeof *format);
    p->format = format ? format : p->format;
    value = realloc(p->value, (size_t)slots * sizeof *value);
    p->value = value ? value : p->value;
    if (!at || !length || !format || !value) {
        return 0;
    }
    p->slots = slots;
    return 1;
}

/* A new parameter, beginning where the bytes end. */
static int open_param(crd__params *p) {
    if (p->count == p->slots && !more_slots(p)) {
        p->failed = 1;
        return 0;
    }
    p->at[p->count] = p->used;
    p->format[p->count] = 1;
    p->count++;
    return 1;
}

static void close_param(crd__params *p) {
    if (p->count > 0) {
        p->length[p->count - 1] = (int)(p->used - p->at[p->count - 1]);
    }
}

static void put32(unsigned char *to, uint32_t number) {
    to[0] = (unsigned char)(number >> 24);
    to[1] = (unsigned char)(number >> 16);
    to[2] = (unsigned char)(number >> 8);
    to[3] = (unsigned char)number;
}

static void put_bytes(crd__params *p, const void *bytes, size_t size) {
    unsigned char *to = take_room(p, size);
    if (to && size > 0) {
        memcpy(to, bytes, size);
    }
}

static void put_u32(crd__params *p, uint32_t number) {
    unsigned char *to = take_room(p, 4);
    if (to) {
        put32(to, number);
    }
}

static void put_u64(crd__params *p, uint64_t number) {
    unsigned char *to = take_room(p, 8);
    if (to) {
        put32(to, (uint32_t)(number >> 32));
        put32(to + 4, (uint32_t)number);
    }
}

/* What a field holds; with `sized`, its length in front, as an element of an array. */
static void put_field(crd__params *p, const crd__column *column, const unsigned char *record, int sized) {
    const unsigned char *field = record + column->offset;
    const void *bytes;
    uint64_t size;
    uint32_t narrow;
    switch (column->form) {
    case CRD__FORM_I32:
        memcpy(&narrow, field, sizeof narrow);
        if (sized) {
            put_u32(p, 4);
        }
        put_u32(p, narrow);
        return;
    case CRD__FORM_I64:
        memcpy(&size, field, sizeof size);
        if (sized) {
            put_u32(p, 8);
        }
        put_u64(p, size);
        return;
    case CRD__FORM_TEXT:
        memcpy(&bytes, field, sizeof bytes);
        size = bytes ? strlen(bytes) : 0;
        break;
    case CRD__FORM_HASH:
        bytes = field;
        size = 32;
        break;
    default:
        memcpy(&bytes, field, sizeof bytes);
        memcpy(&size, record + column->size_offset, sizeof size);
        size = bytes ? size : 0;
        break;
    }
    if (size > INT32_MAX / 2) {
        p->failed = 1;
        return;
    }
    if (sized) {
        put_u32(p, (uint32_t)size);
    }
    put_bytes(p, bytes, (size_t)size);
}

void crd__param_text(crd_postgres *s, const char *text) {
    if (open_param(&s->params)) {
        put_bytes(&s->params, text, text ? strlen(text) : 0);
        close_param(&s->params);
    }
}

void crd__param_i64(crd_postgres *s, int64_t number) {
    if (open_param(&s->params)) {
        put_u64(&s->params, (uint64_t)number);
        close_param(&s->params);
    }
}

void crd__param_field(crd_postgres *s, const crd__column *column, const unsigned char *record) {
    if (open_param(&s->params)) {
        put_field(&s->params, column, record, 0);
        close_param(&s->params);
    }
}

void crd__param_array(crd_postgres *s, uint32_t form, uint64_t count) {
    uint32_t type = form == CRD__FORM_I32   ? OID_INT4
                    : form == CRD__FORM_I64 ? OID_INT8
                    : form == CRD__FORM_TEXT ? OID_TEXT
                                             : OID_BYTEA;
    if (open_param(&s->params)) {
        put_u32(&s->params, count > 0); /* dimensions */
        put_u32(&s->params, 0);         /* no nulls */
        put_u32(&s->params, type);
        if (count > 0) {
            put_u32(&s->params, (uint32_t)count);
            put_u32(&s->params, 1);
        }
    }
}

void crd__element_text(crd_postgres *s, const char *text) {
    size_t size = text ? strlen(text) : 0;
    put_u32(&s->params, (uint32_t)size);
    put_bytes(&s->params, text, size);
}

void crd__element_i64(crd_postgres *s, int64_t number) {
    put_u32(&s->params, 8);
    put_u64(&s->params, (uint64_t)number);
}

void crd__element_i32(crd_postgres *s, uint32_t number) {
    put_u32(&s->params, 4);
    put_u32(&s->params, number);
}

void crd__element_field(crd_postgres *s, const crd__column *column, const unsigned char *record) {
    put_field(&s->params, column, record, 1);
}

void crd__param_array_end(crd_postgres *s) {
    close_param(&s->params);
}

/* ---- a round trip ---- */

void crd__trip_start(crd_postgres *s) {
    s->sent_count = 0;
    s->lost = 0;
    s->broken = 0;
    s->failed_role = 0;
    s->failed_index = 0;
    s->params.failed = 0;
    crd__param_start(s);
    if (!PQenterPipelineMode(s->conn)) {
        crd__pg_take_error(s, NULL);
        s->broken = 1;
    }
}

/* What the library could not even send. */
static void broken(crd_postgres *s, int with_words) {
    if (with_words) {
        crd__pg_take_error(s, NULL);
    }
    s->broken = 1;
}

static void note_sent(crd_postgres *s, crd__statement *statement, int prepares, int role, uint64_t index) {
    crd__sent *sent = &s->sent[s->sent_count++];
    sent->statement = statement;
    sent->prepares = prepares;
    sent->role = role;
    sent->index = index;
}

static void name_of(const crd_postgres *s, const crd__statement *statement, char *name, size_t size) {
    (void)snprintf(name, size, "crd_%016llx_%lu", (unsigned long long)s->tag, (unsigned long)statement->number);
}

static int room_to_send(crd_postgres *s) {
    if (s->sent_count + 2 > s->sent_room) {
        size_t room = 2 * s->sent_room + 64;
        crd__sent *grown = realloc(s->sent, room * sizeof *grown);
        if (!grown) {
            return 0;
        }
        s->sent = grown;
        s->sent_room = room;
    }
    return 1;
}

void crd__trip_add(crd_postgres *s, crd__statement *statement, int role, uint64_t index) {
    crd__params *p = &s->params;
    char name[48];
    int i, done;
    if (s->broken) {
        return;
    }
    if (p->failed || !room_to_send(s)) {
        crd__pg_nomem(s);
        broken(s, 0);
        return;
    }
    for (i = 0; i < p->count; i++) {
        p->value[i] = (const char *)p->bytes + p->at[i];
    }
    if (s->unprepared) {
        done = PQsendQueryParams(s->conn, statement->sql, p->count, NULL, p->value, p->length, p->format, 1);
    } else {
        name_of(s, statement, name, sizeof name);
        if (statement->prepared != s->session) {
            if (!PQsendPrepare(s->conn, name, statement->sql, 0, NULL)) {
                broken(s, 1);
                return;
            }
            note_sent(s, statement, 1, role, index);
            /* Taken back by the reply, should it not have been done. */
            statement->prepared = s->session;
        }
        done = PQsendQueryPrepared(s->conn, name, p->count, p->value, p->length, p->format, 1);
    }
    if (!done) {
        broken(s, 1);
        return;
    }
    note_sent(s, statement, 0, role, index);
    crd__param_start(s);
}

void crd__trip_control(crd_postgres *s, enum crd__control which, int role, uint64_t index) {
    crd__statement *statement;
    if (crd__pg_control(s, which, &statement) != CRD_OUTCOME_DONE) {
        broken(s, 0);
        return;
    }
    if (which == CRD__SAVEPOINT || which == CRD__BEGIN || which == CRD__BEGIN_READ) {
        s->open = 1;
    }
    crd__trip_add(s, statement, role, index);
}

/* One trip's replies on their way. */
struct taking {
    crd_postgres *s;
    crd__take take;
    void *ctx;
    int failed, stopped;
};

/* Returns whether the reply was kept. */
static int take_reply(struct taking *t, const crd__sent *sent, PGresult *result) {
    crd_postgres *s = t->s;
    int taken;
    switch ((int)PQresultStatus(result)) {
    case PGRES_TUPLES_OK:
    case PGRES_SINGLE_TUPLE:
        if (t->failed || t->stopped || !t->take) {
            break;
        }
        taken = t->take(t->ctx, sent->role, sent->index, result);
        t->stopped = taken == CRD__STOP;
        return taken == CRD__KEPT;
    case PGRES_COMMAND_OK:
        if (!sent->prepares && (sent->statement == &s->controls[CRD__COMMIT] || sent->statement == &s->controls[CRD__RELEASE]
                                || sent->statement == &s->controls[CRD__ROLLBACK])) {
            s->open = 0;
        }
        break;
    case PGRES_PIPELINE_ABORTED:
        if (sent->prepares) {
            sent->statement->prepared = 0;
        }
        break;
    default:
        if (sent->prepares) {
            sent->statement->prepared = 0;
        }
        if (!t->failed) {
            crd__pg_take_error(s, result);
            s->failed_role = sent->role;
            s->failed_index = sent->index;
        }
        t->failed = 1;
        break;
    }
    return 0;
}

/* The replies of one statement, up to the NULL that closes them. */
static void take_replies(struct taking *t, const crd__sent *sent, int stream) {
    PGconn *conn = t->s->conn;
    PGresult *result;
    if (stream && !sent->prepares) {
        (void)PQsetSingleRowMode(conn);
    }
    while ((result = PQgetResult(conn)) != NULL) {
        if (!take_reply(t, sent, result)) {
            PQclear(result);
        }
        if (PQstatus(conn) == CONNECTION_BAD) {
            break;
        }
    }
}

static void take_sync(struct taking *t) {
    PGconn *conn = t->s->conn;
    PGresult *result = PQstatus(conn) == CONNECTION_BAD ? NULL : PQgetResult(conn);
    while (result && PQresultStatus(result) != PGRES_PIPELINE_SYNC && PQstatus(conn) != CONNECTION_BAD) {
        PQclear(result);
        result = PQgetResult(conn);
    }
    PQclear(result);
}

int crd__trip_run(crd_postgres *s, int stream, crd__take take, void *ctx) {
    struct taking t;
    size_t i;
    memset(&t, 0, sizeof t);
    t.s = s;
    t.take = take;
    t.ctx = ctx;
    t.failed = s->broken; /* its words were taken */
    s->failed_role = 0;
    if (PQpipelineStatus(s->conn) == PQ_PIPELINE_OFF) {
        s->lost = PQstatus(s->conn) == CONNECTION_BAD;
        return 0;
    }
    if (PQpipelineSync(s->conn)) {
        for (i = 0; i < s->sent_count && PQstatus(s->conn) != CONNECTION_BAD; i++) {
            take_replies(&t, &s->sent[i], stream);
        }
        take_sync(&t);
    }
    s->lost = PQstatus(s->conn) == CONNECTION_BAD || !PQexitPipelineMode(s->conn);
    if (s->lost && !t.failed) {
        crd__pg_take_error(s, NULL);
    }
    return !t.failed && !s->lost;
}

/* ---- statements without a record in them ---- */

static const char *const control_sql[CRD__CONTROLS] = {
    "BEGIN ISOLATION LEVEL READ COMMITTED",
    "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
    "COMMIT",
    "ROLLBACK",
    "SAVEPOINT crd_call",
    "RELEASE SAVEPOINT crd_call",
    "ROLLBACK TO SAVEPOINT crd_call",
    "SELECT value::bigint FROM %s.crd_meta WHERE key = 'schema_version'",
    "SELECT 1 / count(*) FROM (SELECT 1 FROM %s.crd_account WHERE customer = $1 AND currency = $2 AND version = $3"
    " FOR SHARE) AS guarded",
    "SELECT version FROM %s.crd_account WHERE customer = $1 AND currency = $2 FOR SHARE",
    NULL, /* made of the columns: postgres_write.c */
    NULL,
    "DELETE FROM %s.crd_account WHERE customer = $1 AND currency = $2 AND version = 0",
    "SELECT customer, currency, version FROM %s.crd_account WHERE (customer, currency) IN"
    " (SELECT * FROM unnest($1::text[], $2::text[]))",
    NULL,
    NULL,
    "SELECT gen_random_uuid()",
};

int32_t crd__pg_control(crd_postgres *s, enum crd__control which, crd__statement **out) {
    crd__statement *statement = &s->controls[which];
    int32_t outcome = CRD_OUTCOME_DONE;
    if (!statement->sql) {
        crd__sql sql = {NULL, 0, 0, 0};
        if (control_sql[which]) {
            crd__sql_add(&sql, control_sql[which], s->schema);
        } else {
            crd__pg_write_control(s, which, &sql);
        }
        outcome = crd__pg_statement(s, &sql, statement);
    }
    *out = statement;
    return outcome;
}

static void deallocate(crd_postgres *s, const crd__statement *statement) {
    char name[48], sql[64];
    if (statement->sql && statement->prepared == s->session && s->session != 0) {
        name_of(s, statement, name, sizeof name);
        (void)snprintf(sql, sizeof sql, "DEALLOCATE %s", name);
        PQclear(PQexec(s->conn, sql));
    }
}

void crd__pg_deallocate(crd_postgres *s) {
    int i;
    if (PQstatus(s->conn) != CONNECTION_OK || PQbackendPID(s->conn) != s->backend
        || PQpipelineStatus(s->conn) != PQ_PIPELINE_OFF || PQisnonblocking(s->conn)
        || (PQtransactionStatus(s->conn) != PQTRANS_IDLE && PQtransactionStatus(s->conn) != PQTRANS_INTRANS)) {
        return;
    }
    for (i = 1; i < CRD_KIND_COUNT; i++) {
        const crd__table *t = &s->tables[i];
        const crd__statement *all[] = {&t->insert, &t->insert_many, &t->insert_own, &t->update, &t->update_many,
                                       &t->update_own, &t->find, &t->find_many, &t->which};
        size_t k;
        for (k = 0; k < sizeof all / sizeof *all; k++) {
            deallocate(s, all[k]);
        }
    }
    for (i = 0; i < CRD__CONTROLS; i++) {
        deallocate(s, &s->controls[i]);
    }
    for (i = 0; i < CRD__FUSIONS; i++) {
        deallocate(s, &s->fused[i]);
    }
    for (i = 0; i < CRD__SHAPES; i++) {
        deallocate(s, &s->shapes[i].statement);
    }
}
