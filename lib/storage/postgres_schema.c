/*
 * The tables of the PostgreSQL storage: what they look like, and how an older schema becomes a present one.
 *
 * A table per kind of record, a column per field of crd_record_fields(), the record's key as primary key with the
 * customer first, all text in collation "C", which compares bytes. crd_meta holds two rows, 'application' and
 * 'schema_version'. No sequence, no trigger, no foreign key: ids and numbers come from the library, and so does what
 * belongs together.
 *
 * How the schema grows:
 *
 * 1. A field appended to a record is a column appended to its table, filled with the default of its type. That needs no
 *    step and no new version number: whatever columns are missing are added when the schema is opened. The default is
 *    dropped again, so that a writer of an older version that is still running cannot insert half a record.
 * 2. Anything else is a step in `steps`, run once, in order, on schemas older than its number. Step 1 makes the tables
 *    as this version knows them, so a later step must expect to find its work done already.
 * 3. A schema with a greater version or with a column this version does not know was written by a newer one. It is
 *    refused: whole records could not be kept in it.
 *
 * Looking comes first and needs no right but to read; of several processes that open a new schema at once one makes the
 * tables, the others are told that they exist, and look again.
 *
 * Indexes. Each costs every write, so there is one per question that is asked often and answered from few rows of many:
 * the open documents of an account, the accounts reconcile can do something for. All are partial; a paid invoice or a
 * spent credit is in none. What they depend on is a column of its own, generated from the amounts: an update that
 * leaves it as it was touches no index at all.
 */
#include "postgres_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define APPLICATION "libcredit"
#define ATTEMPTS 8

static const struct described {
    const char *name;
    const char *flag, *when; /* the generated column, and what it says */
    int fillfactor;          /* room left in a page for the next version of its rows */
} described[CRD_KIND_COUNT] = {
    {NULL, NULL, NULL, 0},
    {"crd_account", "both_open", "open_credits > 0 AND open_invoices > 0", 50},
    {"crd_customer", NULL, NULL, 100},
    {"crd_credit", "is_open", "remaining > 0", 70},
    {"crd_invoice", "is_open", "open > 0 OR state = 1", 70},
    {"crd_receipt", NULL, NULL, 90},
    {"crd_hold", "is_open", "amount > 0", 70},
    {"crd_line", NULL, NULL, 100},
    {"crd_entry", NULL, NULL, 100},
    {"crd_request", NULL, NULL, 100},
};

static uint32_t form_of(uint32_t type) {
    switch (type) {
    case CRD_FIELD_U32:
    case CRD_FIELD_I32:
    case CRD_FIELD_DATE:
        return CRD__FORM_I32;
    case CRD_FIELD_TEXT:
        return CRD__FORM_TEXT;
    case CRD_FIELD_HASH:
        return CRD__FORM_HASH;
    case CRD_FIELD_BYTES:
        return CRD__FORM_BYTES;
    default:
        return CRD__FORM_I64;
    }
}

static uint32_t end_of(const crd__column *column) {
    switch (column->form) {
    case CRD__FORM_I32:
        return column->offset + (uint32_t)sizeof(uint32_t);
    case CRD__FORM_TEXT:
        return column->offset + (uint32_t)sizeof(char *);
    case CRD__FORM_HASH:
        return column->offset + 32;
    case CRD__FORM_BYTES:
        return column->size_offset + (uint32_t)sizeof(uint64_t);
    default:
        return column->offset + (uint32_t)sizeof(int64_t);
    }
}

const char *crd__pg_type_name(uint32_t form) {
    switch (form) {
    case CRD__FORM_I32:
        return "integer";
    case CRD__FORM_I64:
        return "bigint";
    case CRD__FORM_TEXT:
        return "text";
    default:
        return "bytea";
    }
}

/* The library that runs may know fields beyond the structs this file was compiled with: those are not ours to keep, and
 * `record_size` tells the library so. */
int crd__pg_describe_tables(crd_postgres *s) {
    uint32_t kind;
    for (kind = 1; kind < CRD_KIND_COUNT; kind++) {
        crd__table *table = &s->tables[kind];
        uint64_t i, count = 0;
        const crd_field *const *fields = crd_record_fields(kind, &count, NULL);
        table->name = described[kind].name;
        table->extra = kind == CRD_KIND_ACCOUNT;
        table->columns = calloc((size_t)count, sizeof *table->columns);
        if (!table->columns) {
            return 0;
        }
        for (i = 0; i < count; i++) {
            crd__column *column = &table->columns[table->column_count];
            column->form = form_of(fields[i]->type);
            column->offset = fields[i]->offset;
            column->size_offset = fields[i]->size_offset;
            column->name = fields[i]->name;
            column->key_place = 0;
            if (end_of(column) > s->storage.record_size[kind]) {
                continue;
            }
            if (end_of(column) > table->extent) {
                table->extent = end_of(column);
            }
            if (fields[i]->flags & CRD_FIELD_KEY && table->key_count < CRD__KEY_COLUMNS) {
                table->key_column[table->key_count++] = table->column_count;
                column->key_place = table->key_count;
            }
            table->column_count++;
        }
    }
    return 1;
}

/* ---- plain statements: the schema is looked at and made outside of trips ---- */

static int32_t take(crd_postgres *s, PGresult *result, PGresult **rows) {
    ExecStatusType status = PQresultStatus(result);
    int32_t outcome = CRD_OUTCOME_DONE;
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
        crd__pg_take_error(s, result);
        s->lost = PQstatus(s->conn) == CONNECTION_BAD;
        outcome = s->joined && (s->lost || crd__pg_state_is(s, "40")) ? CRD_OUTCOME_RESTART : CRD_OUTCOME_FAILED;
    }
    if (rows && outcome == CRD_OUTCOME_DONE) {
        *rows = result;
    } else {
        PQclear(result);
    }
    return outcome;
}

static int32_t execute(crd_postgres *s, const char *sql) {
    return take(s, PQexec(s->conn, sql), NULL);
}

static int32_t execute_built(crd_postgres *s, crd__sql *sql) {
    int32_t outcome = sql->failed || !sql->text ? crd__pg_nomem(s) : execute(s, sql->text);
    free(sql->text);
    memset(sql, 0, sizeof *sql);
    return outcome;
}

/* Runs a statement while another failure is being reported, and keeps the words of that one. */
static int execute_quietly(crd_postgres *s, const char *sql) {
    PGresult *result = PQexec(s->conn, sql);
    int done = PQresultStatus(result) == PGRES_COMMAND_OK;
    PQclear(result);
    return done;
}

static int32_t begin(crd_postgres *s) {
    return execute(s, s->joined ? "SAVEPOINT crd_call" : "BEGIN ISOLATION LEVEL READ COMMITTED");
}

static int32_t end(crd_postgres *s, int32_t outcome) {
    if (outcome == CRD_OUTCOME_DONE) {
        outcome = execute(s, s->joined ? "RELEASE SAVEPOINT crd_call" : "COMMIT");
    }
    if (outcome != CRD_OUTCOME_DONE && !s->lost) {
        if (!s->joined) {
            (void)execute_quietly(s, "ROLLBACK");
        } else if (!execute_quietly(s, "ROLLBACK TO SAVEPOINT crd_call")
                   || !execute_quietly(s, "RELEASE SAVEPOINT crd_call")) {
            outcome = CRD_OUTCOME_RESTART;
        }
    }
    return outcome;
}

/* ---- looking ---- */

/* What is stored: the columns of all tables, as rows of table, column, type, place in the key. */
static const char columns_sql[] =
    "SELECT c.relname, a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod),"
    " coalesce(pg_catalog.array_position(i.indkey::int2[], a.attnum) + 1, 0)"
    " FROM pg_catalog.pg_namespace n"
    " JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relkind IN ('r', 'p')"
    " JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped"
    " LEFT JOIN pg_catalog.pg_index i ON i.indrelid = c.oid AND i.indisprimary"
    " WHERE n.nspname = $1 AND c.relname IN ('crd_account', 'crd_customer', 'crd_credit', 'crd_invoice',"
    " 'crd_receipt', 'crd_hold', 'crd_line', 'crd_entry', 'crd_request', 'crd_meta')";
static const char things_sql[] =
    "SELECT (SELECT count(*) FROM pg_catalog.pg_namespace WHERE nspname = $1), (SELECT count(*) FROM"
    " pg_catalog.pg_namespace n JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relkind IN ('i', 'I')"
    " WHERE n.nspname = $1 AND c.relname IN ('crd_account_both_open', 'crd_credit_open', 'crd_invoice_open',"
    " 'crd_hold_open')), pg_catalog.gen_random_uuid()";
#define INDEXES 4

static int32_t ask(crd_postgres *s, const char *sql, PGresult **rows) {
    const char *values[1];
    values[0] = s->schema_name;
    return take(s, PQexecParams(s->conn, sql, 1, NULL, values, NULL, NULL, 0), rows);
}

static const crd__column *find_column(const crd__table *table, const char *name) {
    int i;
    for (i = 0; i < table->column_count; i++) {
        if (strcmp(table->columns[i].name, name) == 0) {
            return &table->columns[i];
        }
    }
    return NULL;
}

/* Whether a stored column is one of ours, and as what. */
static int32_t check_column(crd_postgres *s, uint32_t kind, const char *name, const char *type, int place) {
    const crd__table *table = &s->tables[kind];
    const crd__column *column = find_column(table, name);
    const char *expected = column ? crd__pg_type_name(column->form) : "boolean";
    if (!column && !(described[kind].flag && strcmp(described[kind].flag, name) == 0)) {
        return crd__pg_refuse(s, CRD_OUTCOME_SCHEMA, "42703", "%s.%s is not known to this version of libcredit",
                              table->name, name);
    }
    if (strcmp(type, expected) != 0) {
        return crd__pg_refuse(s, CRD_OUTCOME_SCHEMA, "42804", "%s.%s has type %s, not %s", table->name, name, type,
                              expected);
    }
    if (column && place != column->key_place) {
        return crd__pg_refuse(s, CRD_OUTCOME_SCHEMA, "42P10", "%s.%s has place %d in the key, not %d", table->name,
                              name, place, column->key_place);
    }
    return CRD_OUTCOME_DONE;
}

static int is_stored(const PGresult *rows, const char *table, const char *column) {
    int row;
    for (row = 0; row < PQntuples(rows); row++) {
        if (strcmp(PQgetvalue(rows, row, 0), table) == 0 && (!column || strcmp(PQgetvalue(rows, row, 1), column) == 0)) {
            return 1;
        }
    }
    return 0;
}

static int32_t check_columns(crd_postgres *s, const PGresult *rows) {
    int32_t outcome = CRD_OUTCOME_DONE;
    int row;
    for (row = 0; row < PQntuples(rows) && outcome == CRD_OUTCOME_DONE; row++) {
        uint32_t kind;
        for (kind = 1; kind < CRD_KIND_COUNT && outcome == CRD_OUTCOME_DONE; kind++) {
            if (strcmp(PQgetvalue(rows, row, 0), described[kind].name) == 0) {
                outcome = check_column(s, kind, PQgetvalue(rows, row, 1), PQgetvalue(rows, row, 2),
                                       atoi(PQgetvalue(rows, row, 3)));
            }
        }
    }
    return outcome;
}

/* Says what is missing, in `words` (may be NULL); 0 when nothing is. */
static int lacks_columns(crd_postgres *s, const PGresult *rows, char *words, size_t size) {
    uint32_t kind;
    int i;
    for (kind = 1; kind < CRD_KIND_COUNT; kind++) {
        const crd__table *table = &s->tables[kind];
        for (i = 0; i < table->column_count; i++) {
            if (!is_stored(rows, table->name, table->columns[i].name)) {
                (void)snprintf(words, size, "%s.%s", table->name, table->columns[i].name);
                return 1;
            }
        }
    }
    return 0;
}

int32_t crd__pg_wrong_version(crd_postgres *s, int64_t version) {
    if (version > CRD__SCHEMA_VERSION) {
        return crd__pg_refuse(s, CRD_OUTCOME_SCHEMA, "55000",
                              "schema version %lld was written by a newer libcredit; this one knows %d",
                              (long long)version, CRD__SCHEMA_VERSION);
    }
    return crd__pg_refuse(s, CRD_OUTCOME_SCHEMA, "55000", "the schema version is %lld, not %d", (long long)version,
                          CRD__SCHEMA_VERSION);
}

/* The version of the stored schema, 0 when there is none. */
static int32_t stored_version(crd_postgres *s, const PGresult *columns, int64_t *version) {
    PGresult *rows = NULL;
    crd__sql sql = {NULL, 0, 0, 0};
    int32_t outcome;
    int row, ours = 0;
    *version = 0;
    if (!is_stored(columns, "crd_meta", NULL)) {
        return CRD_OUTCOME_DONE;
    }
    crd__sql_add(&sql, "SELECT key, value FROM %s.crd_meta", s->schema);
    outcome = sql.failed ? crd__pg_nomem(s) : take(s, PQexec(s->conn, sql.text), &rows);
    free(sql.text);
    for (row = 0; outcome == CRD_OUTCOME_DONE && row < PQntuples(rows); row++) {
        if (strcmp(PQgetvalue(rows, row, 0), "schema_version") == 0) {
            *version = strtoll(PQgetvalue(rows, row, 1), NULL, 10);
        } else if (strcmp(PQgetvalue(rows, row, 0), "application") == 0) {
            ours = strcmp(PQgetvalue(rows, row, 1), APPLICATION) == 0;
        }
    }
    PQclear(rows);
    if (outcome == CRD_OUTCOME_DONE && !ours) {
        return crd__pg_refuse(s, CRD_OUTCOME_SCHEMA, "42P10", "the table crd_meta is not libcredit's");
    }
    return outcome == CRD_OUTCOME_DONE && *version > CRD__SCHEMA_VERSION ? crd__pg_wrong_version(s, *version) : outcome;
}

/* What is there of the schema. */
struct found {
    PGresult *columns; /* to be cleared */
    int64_t version;
    int schema, indexes;
    int lacks;      /* something is to be made */
    char what[160]; /* the first thing, for words */
};

static void take_tag(crd_postgres *s, const char *uuid) {
    for (; *uuid && s->tag >> 60 == 0; uuid++) {
        if (*uuid != '-') {
            s->tag = s->tag << 4 | (uint64_t)(*uuid <= '9' ? *uuid - '0' : *uuid - 'a' + 10);
        }
    }
}

static int32_t inspect(crd_postgres *s, struct found *found) {
    PGresult *things = NULL;
    int32_t outcome = ask(s, things_sql, &things);
    memset(found, 0, sizeof *found);
    if (outcome == CRD_OUTCOME_DONE) {
        found->schema = atoi(PQgetvalue(things, 0, 0));
        found->indexes = atoi(PQgetvalue(things, 0, 1));
        take_tag(s, PQgetvalue(things, 0, 2));
        PQclear(things);
        outcome = ask(s, columns_sql, &found->columns);
    }
    if (outcome == CRD_OUTCOME_DONE) {
        outcome = stored_version(s, found->columns, &found->version);
    }
    if (outcome == CRD_OUTCOME_DONE) {
        outcome = check_columns(s, found->columns);
    }
    if (outcome == CRD_OUTCOME_DONE) {
        (void)snprintf(found->what, sizeof found->what, "%s",
                       found->version < CRD__SCHEMA_VERSION ? "the schema version" : "an index");
        found->lacks = lacks_columns(s, found->columns, found->what, sizeof found->what)
                       || found->version < CRD__SCHEMA_VERSION || found->indexes != INDEXES;
    }
    return outcome;
}

/* ---- making ---- */

static int32_t create_partitions(crd_postgres *s, uint32_t kind) {
    int32_t outcome = CRD_OUTCOME_DONE;
    uint32_t i;
    for (i = 0; i < s->partitions && outcome == CRD_OUTCOME_DONE; i++) {
        crd__sql sql = {NULL, 0, 0, 0};
        crd__sql_add(&sql,
                     "CREATE TABLE IF NOT EXISTS %s.%s_%lu PARTITION OF %s.%s FOR VALUES WITH (MODULUS %lu, REMAINDER"
                     " %lu) WITH (fillfactor = %d)",
                     s->schema, s->tables[kind].name, (unsigned long)i, s->schema, s->tables[kind].name,
                     (unsigned long)s->partitions, (unsigned long)i, described[kind].fillfactor);
        outcome = execute_built(s, &sql);
    }
    return outcome;
}

static int32_t create_table(crd_postgres *s, uint32_t kind) {
    const crd__table *table = &s->tables[kind];
    crd__sql sql = {NULL, 0, 0, 0};
    int32_t outcome;
    int i;
    crd__sql_add(&sql, "CREATE TABLE IF NOT EXISTS %s.%s (\n", s->schema, table->name);
    for (i = 0; i < table->column_count; i++) {
        const crd__column *column = &table->columns[i];
        crd__sql_add(&sql, "  %s %s%s NOT NULL,\n", column->name, crd__pg_type_name(column->form),
                     column->form == CRD__FORM_TEXT ? " COLLATE \"C\"" : "");
    }
    if (described[kind].flag) {
        crd__sql_add(&sql, "  %s boolean NOT NULL GENERATED ALWAYS AS (%s) STORED,\n", described[kind].flag,
                     described[kind].when);
    }
    crd__sql_add(&sql, "  PRIMARY KEY (");
    for (i = 0; i < table->key_count; i++) {
        crd__sql_add(&sql, "%s%s", i ? ", " : "", table->columns[table->key_column[i]].name);
    }
    crd__sql_add(&sql, ")\n)");
    if (s->partitions) {
        crd__sql_add(&sql, " PARTITION BY HASH (customer)");
    } else {
        crd__sql_add(&sql, " WITH (fillfactor = %d)", described[kind].fillfactor);
    }
    outcome = execute_built(s, &sql);
    return outcome == CRD_OUTCOME_DONE ? create_partitions(s, kind) : outcome;
}

static int32_t create_tables(crd_postgres *s, const struct found *found) {
    int32_t outcome = CRD_OUTCOME_DONE;
    crd__sql sql = {NULL, 0, 0, 0};
    uint32_t kind;
    if (!found->schema) {
        crd__sql_add(&sql, "CREATE SCHEMA IF NOT EXISTS %s", s->schema);
        outcome = execute_built(s, &sql);
    }
    if (outcome == CRD_OUTCOME_DONE) {
        crd__sql_add(&sql,
                     "CREATE TABLE IF NOT EXISTS %s.crd_meta (\n  key text COLLATE \"C\" PRIMARY KEY,\n"
                     "  value text COLLATE \"C\" NOT NULL\n)",
                     s->schema);
        outcome = execute_built(s, &sql);
    }
    if (outcome == CRD_OUTCOME_DONE) {
        crd__sql_add(&sql,
                     "INSERT INTO %s.crd_meta (key, value) VALUES ('application', '" APPLICATION "')"
                     " ON CONFLICT (key) DO NOTHING",
                     s->schema);
        outcome = execute_built(s, &sql);
    }
    for (kind = 1; kind < CRD_KIND_COUNT && outcome == CRD_OUTCOME_DONE; kind++) {
        if (!is_stored(found->columns, s->tables[kind].name, NULL)) {
            outcome = create_table(s, kind);
        }
    }
    return outcome;
}

static const struct step {
    int64_t version;
    int32_t (*run)(crd_postgres *s, const struct found *found);
} steps[] = {
    {1, create_tables},
};

static int32_t add_column(crd_postgres *s, const crd__table *table, const crd__column *column) {
    static const char *const zero[] = {NULL, "0", "0", "''", "decode(repeat('00', 32), 'hex')", "''::bytea"};
    crd__sql sql = {NULL, 0, 0, 0};
    if (column->key_place) {
        return crd__pg_refuse(s, CRD_OUTCOME_SCHEMA, "42703", "%s has no column %s", table->name, column->name);
    }
    crd__sql_add(&sql,
                 "ALTER TABLE %s.%s ADD COLUMN %s %s%s NOT NULL DEFAULT %s; ALTER TABLE %s.%s ALTER COLUMN %s DROP"
                 " DEFAULT",
                 s->schema, table->name, column->name, crd__pg_type_name(column->form),
                 column->form == CRD__FORM_TEXT ? " COLLATE \"C\"" : "", zero[column->form], s->schema, table->name,
                 column->name);
    return execute_built(s, &sql);
}

/* A table that was there before lacks columns; one made just now does not. */
static int32_t complete_table(crd_postgres *s, uint32_t kind, const struct found *found) {
    const crd__table *table = &s->tables[kind];
    crd__sql sql = {NULL, 0, 0, 0};
    int32_t outcome = CRD_OUTCOME_DONE;
    int i;
    if (!is_stored(found->columns, table->name, NULL)) {
        return found->version < 1 ? CRD_OUTCOME_DONE
                                  : crd__pg_refuse(s, CRD_OUTCOME_SCHEMA, "42P01", "the table %s is gone", table->name);
    }
    for (i = 0; i < table->column_count && outcome == CRD_OUTCOME_DONE; i++) {
        if (!is_stored(found->columns, table->name, table->columns[i].name)) {
            outcome = add_column(s, table, &table->columns[i]);
        }
    }
    if (outcome == CRD_OUTCOME_DONE && described[kind].flag
        && !is_stored(found->columns, table->name, described[kind].flag)) {
        crd__sql_add(&sql, "ALTER TABLE %s.%s ADD COLUMN %s boolean NOT NULL GENERATED ALWAYS AS (%s) STORED", s->schema,
                     table->name, described[kind].flag, described[kind].when);
        outcome = execute_built(s, &sql);
    }
    return outcome;
}

static int32_t create_index(crd_postgres *s, const char *name, const char *table, const char *flag) {
    crd__sql sql = {NULL, 0, 0, 0};
    crd__sql_add(&sql, "CREATE INDEX IF NOT EXISTS %s ON %s.%s (customer, currency) WHERE %s", name, s->schema, table,
                 flag);
    return execute_built(s, &sql);
}

static int32_t build(crd_postgres *s, const struct found *found) {
    crd__sql sql = {NULL, 0, 0, 0};
    int32_t outcome = CRD_OUTCOME_DONE;
    uint32_t kind;
    size_t i;
    for (i = 0; i < sizeof steps / sizeof *steps && outcome == CRD_OUTCOME_DONE; i++) {
        if (found->version < steps[i].version) {
            outcome = steps[i].run(s, found);
        }
    }
    for (kind = 1; kind < CRD_KIND_COUNT && outcome == CRD_OUTCOME_DONE; kind++) {
        outcome = complete_table(s, kind, found);
        if (outcome == CRD_OUTCOME_DONE && described[kind].flag) {
            char name[64];
            (void)snprintf(name, sizeof name, kind == CRD_KIND_ACCOUNT ? "%s_both_open" : "%s_open",
                           described[kind].name);
            outcome = create_index(s, name, described[kind].name, described[kind].flag);
        }
    }
    if (outcome != CRD_OUTCOME_DONE) {
        return outcome;
    }
    crd__sql_add(&sql,
                 "INSERT INTO %s.crd_meta (key, value) VALUES ('schema_version', '%d')"
                 " ON CONFLICT (key) DO UPDATE SET value = excluded.value",
                 s->schema, CRD__SCHEMA_VERSION);
    return execute_built(s, &sql);
}

/* Whether someone else was making the same. */
static int was_raced(const crd_postgres *s) {
    static const char *const states[] = {"42P06", "42P07", "42710", "42701", "23505", "40", "XX000", "55000"};
    size_t i;
    for (i = 0; i < sizeof states / sizeof *states; i++) {
        if (crd__pg_state_is(s, states[i])) {
            return 1;
        }
    }
    return 0;
}

/* Looks, and makes what is missing; *made tells whether it did. */
static int32_t look_and_make(crd_postgres *s, int *made) {
    struct found found;
    int32_t outcome = begin(s);
    *made = 0;
    if (outcome != CRD_OUTCOME_DONE) {
        return outcome;
    }
    outcome = inspect(s, &found);
    if (outcome == CRD_OUTCOME_DONE && found.lacks && s->no_ddl) {
        outcome = crd__pg_refuse(s, CRD_OUTCOME_SCHEMA, "42P01",
                                 "the schema %s lacks %s, and this storage was opened not to make it", s->schema_name,
                                 found.what);
    } else if (outcome == CRD_OUTCOME_DONE && found.lacks) {
        *made = 1;
        outcome = build(s, &found);
    }
    PQclear(found.columns);
    return end(s, outcome);
}

int32_t crd__pg_ensure_schema(crd_postgres *s) {
    int32_t outcome;
    int made, attempt = 0;
    do {
        outcome = look_and_make(s, &made);
    } while (outcome == CRD_OUTCOME_FAILED && made && !s->joined && !s->lost && was_raced(s) && ++attempt < ATTEMPTS);
    s->checked = outcome == CRD_OUTCOME_DONE;
    if (outcome == CRD_OUTCOME_DONE) {
        s->provisional = s->joined && (made || s->provisional);
    }
    return outcome;
}
