/*
 * The tables of the SQLite storage: what they look like, and how an older file becomes a present one.
 *
 * A table per kind of record, a column per field of crd_record_fields(), the record's key as primary key,
 * WITHOUT ROWID, so that a customer's records are neighbours and a record is found in one descent. crd_meta
 * holds two rows, 'application' and 'schema_version'.
 *
 * How the schema grows:
 *
 * 1. A field appended to a record is a column appended to its table, with the default of its type. That needs
 *    no step and no new version number: whatever columns are missing are added when the file is opened.
 * 2. Anything else is a step in `sqlite_steps`, run once, in order, on files older than its number. Step 1 makes the
 *    tables as this version knows them, so a later step must expect to find its work done already.
 * 3. A file with a greater version or with a column this version does not know was written by a newer one. It
 *    is refused: whole records could not be kept in it.
 *
 * Looking comes first and takes no lock; only a file that lacks something is opened for writing, and then
 * looked at again, so that of several processes that open a new file at once one makes the tables and all
 * succeed.
 *
 * Indexes. Each costs every write, so there is one per question that is asked often and answered from few
 * rows of many: the open documents of an account, the accounts reconcile can do something for, the accounts
 * with unseen entries. All are partial; a paid invoice or a spent credit is in none. Queries repeat the WHERE
 * of the index word for word, which is what lets the planner use it.
 */
#include "sqlite_private.h"

#include <string.h>

#define APPLICATION "libcredit"

static const char *const table_names[CRD_KIND_COUNT] = {
    NULL,          "crd_account", "crd_customer", "crd_credit", "crd_invoice",
    "crd_receipt", "crd_hold",    "crd_line",     "crd_entry",  "crd_request",
};

/* None for unacknowledged accounts: it would be rewritten by every command, for a poll that may as well scan the
 * accounts. */
static const char *const index_sql[] = {
    "CREATE INDEX IF NOT EXISTS main.crd_account_both_open ON crd_account (customer, currency)"
    " WHERE open_credits > 0 AND open_invoices > 0",
    "CREATE INDEX IF NOT EXISTS main.crd_credit_open ON crd_credit (customer, currency) WHERE remaining > 0",
    "CREATE INDEX IF NOT EXISTS main.crd_invoice_open ON crd_invoice (customer, currency)"
    " WHERE (open > 0 OR state = 1)",
    "CREATE INDEX IF NOT EXISTS main.crd_hold_open ON crd_hold (customer, currency) WHERE amount > 0",
};
#define INDEX_COUNT ((int)(sizeof index_sql / sizeof *index_sql))
static const char count_indexes[] =
    "SELECT count(*) FROM main.sqlite_master WHERE type = 'index' AND name IN ('crd_account_both_open',"
    " 'crd_credit_open', 'crd_invoice_open', 'crd_hold_open')";

static uint32_t form_of(uint32_t type) {
    switch (type) {
    case CRD_FIELD_U32:
        return CRD__FORM_U32;
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
    case CRD__FORM_U32:
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

static const char *type_name(const crd__column *column) {
    if (column->form == CRD__FORM_TEXT) {
        return "TEXT";
    }
    return column->form == CRD__FORM_HASH || column->form == CRD__FORM_BYTES ? "BLOB" : "INTEGER";
}

static void sort_by_form(crd__table *table) {
    crd__slot *slot = table->slots;
    uint32_t form;
    int i;
    for (form = 0; form <= CRD__FORM_BYTES; form++) {
        for (i = 0; i < table->column_count; i++) {
            if (table->columns[i].form == form) {
                slot->offset = (uint16_t)table->columns[i].offset;
                slot->column = (uint16_t)i;
                slot++;
            }
        }
        table->end[form] = slot;
    }
}

/* The library that runs may know fields beyond the structs this file was compiled with: those are not ours to
 * keep, and `record_size` tells the library so. */
int crd__sqlite_describe_tables(crd_sqlite *s) {
    uint32_t kind;
    for (kind = 1; kind < CRD_KIND_COUNT; kind++) {
        crd__table *table = &s->tables[kind];
        uint64_t i, count = 0;
        const crd_field *const *fields = crd_record_fields(kind, &count, NULL);
        table->name = table_names[kind];
        table->columns = sqlite3_malloc64(count * sizeof *table->columns);
        table->insert.bound = sqlite3_malloc64(2 * count * sizeof *table->insert.bound);
        table->slots = sqlite3_malloc64(count * sizeof *table->slots);
        if (!table->columns || !table->insert.bound || !table->slots) {
            return 0;
        }
        table->update.bound = table->insert.bound + count;
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
        sort_by_form(table);
    }
    return 1;
}

static int32_t execute(crd_sqlite *s, const char *sql) {
    return sqlite3_exec(s->db, sql, NULL, NULL, NULL) == SQLITE_OK ? CRD_OUTCOME_DONE : crd__sqlite_failed(s);
}

static int32_t execute_built(crd_sqlite *s, sqlite3_str *sql) {
    char *text = sqlite3_str_finish(sql);
    int32_t outcome;
    if (!text) {
        return crd__sqlite_refuse(s, CRD_OUTCOME_FAILED, SQLITE_NOMEM, "out of memory");
    }
    outcome = execute(s, text);
    sqlite3_free(text);
    return outcome;
}

/* STRICT makes SQLite itself refuse a column of the wrong type; versions before 3.37 do not know the word. */
static const char *table_options(void) {
    return sqlite3_libversion_number() >= 3037000 ? "STRICT, WITHOUT ROWID" : "WITHOUT ROWID";
}

static int32_t create_table(crd_sqlite *s, const crd__table *table) {
    sqlite3_str *sql = sqlite3_str_new(s->db);
    int i;
    sqlite3_str_appendf(sql, "CREATE TABLE IF NOT EXISTS main.%s (\n", table->name);
    for (i = 0; i < table->column_count; i++) {
        sqlite3_str_appendf(sql, "  %s %s NOT NULL,\n", table->columns[i].name,
                            type_name(&table->columns[i]));
    }
    sqlite3_str_appendf(sql, "  PRIMARY KEY (");
    for (i = 0; i < table->key_count; i++) {
        sqlite3_str_appendf(sql, "%s%s", i ? ", " : "", table->columns[table->key_column[i]].name);
    }
    sqlite3_str_appendf(sql, ")\n) %s", table_options());
    return execute_built(s, sql);
}

static int32_t create_tables(crd_sqlite *s) {
    sqlite3_str *sql = sqlite3_str_new(s->db);
    int32_t outcome;
    uint32_t kind;
    sqlite3_str_appendf(sql,
                        "CREATE TABLE IF NOT EXISTS main.crd_meta (\n  key TEXT NOT NULL PRIMARY KEY,\n"
                        "  value ANY NOT NULL\n) %s",
                        table_options());
    outcome = execute_built(s, sql);
    if (outcome == CRD_OUTCOME_DONE) {
        outcome =
            execute(s, "INSERT OR REPLACE INTO main.crd_meta VALUES ('application', '" APPLICATION "')");
    }
    for (kind = 1; kind < CRD_KIND_COUNT && outcome == CRD_OUTCOME_DONE; kind++) {
        outcome = create_table(s, &s->tables[kind]);
    }
    return outcome;
}

static const struct sqlite_step {
    int64_t version;
    int32_t (*run)(crd_sqlite *s);
} sqlite_steps[] = {
    {1, create_tables},
};

static int32_t sqlite_add_column(crd_sqlite *s, const crd__table *table, const crd__column *column) {
    sqlite3_str *sql = sqlite3_str_new(s->db);
    const char *value = column->form == CRD__FORM_TEXT ? "''" : column->form == CRD__FORM_BYTES ? "x''" : "0";
    sqlite3_str_appendf(sql, "ALTER TABLE main.%s ADD COLUMN %s %s NOT NULL DEFAULT ", table->name,
                        column->name, type_name(column));
    if (column->form == CRD__FORM_HASH) {
        sqlite3_str_appendf(sql, "x'%064d'", 0);
    } else {
        sqlite3_str_appendall(sql, value);
    }
    return execute_built(s, sql);
}

static const crd__column *find_column(const crd__table *table, const char *name) {
    int i;
    for (i = 0; i < table->column_count; i++) {
        if (sqlite3_stricmp(table->columns[i].name, name) == 0) {
            return &table->columns[i];
        }
    }
    return NULL;
}

/* Whether a stored table has a column of ours, and as what. */
static int32_t check_column(crd_sqlite *s, const crd__table *table, const char *name, const char *type,
                            int place) {
    const crd__column *column = find_column(table, name);
    if (!column) {
        return crd__sqlite_refuse(s, CRD_OUTCOME_SCHEMA, SQLITE_SCHEMA,
                                  "%s.%s is not known to this version of libcredit", table->name, name);
    }
    if (sqlite3_stricmp(type, type_name(column)) != 0) {
        return crd__sqlite_refuse(s, CRD_OUTCOME_SCHEMA, SQLITE_SCHEMA, "%s.%s has type %s, not %s",
                                  table->name, name, type, type_name(column));
    }
    if (place != column->key_place) {
        return crd__sqlite_refuse(s, CRD_OUTCOME_SCHEMA, SQLITE_SCHEMA,
                                  "%s.%s has place %d in the key, not %d", table->name, name, place,
                                  column->key_place);
    }
    return CRD_OUTCOME_DONE;
}

static const char *column_text(sqlite3_stmt *statement, int column) {
    const char *text = (const char *)sqlite3_column_text(statement, column);
    return text ? text : "";
}

/* Compares a stored table with ours. What is stored must be ours; `missing` receives, per column, whether it
 * is not stored; `found` whether the table is. */
static int32_t check_table(crd_sqlite *s, const crd__table *table, unsigned char *missing, int *found) {
    sqlite3_stmt *info = NULL;
    sqlite3_str *sql = sqlite3_str_new(s->db);
    int32_t outcome;
    int code = SQLITE_DONE;
    sqlite3_str_appendf(sql, "PRAGMA main.table_info(%s)", table->name);
    outcome = crd__sqlite_prepare_built(s, sql, &info);
    memset(missing, 1, (size_t)table->column_count);
    *found = 0;
    while (outcome == CRD_OUTCOME_DONE && (code = sqlite3_step(info)) == SQLITE_ROW) {
        const char *name = column_text(info, 1);
        *found = 1;
        outcome = check_column(s, table, name, column_text(info, 2), sqlite3_column_int(info, 5));
        if (outcome == CRD_OUTCOME_DONE) {
            missing[find_column(table, name) - table->columns] = 0;
        }
    }
    if (outcome == CRD_OUTCOME_DONE && code != SQLITE_DONE) {
        outcome = crd__sqlite_failed(s);
    }
    sqlite3_finalize(info);
    return outcome;
}

/* Checks a table; with `build`, adds what columns it lacks; else raises `lacks` when it lacks any. */
static int32_t complete_table(crd_sqlite *s, const crd__table *table, int build, int *lacks) {
    unsigned char *missing = sqlite3_malloc64((sqlite3_uint64)table->column_count + 1);
    int found = 0, i;
    int32_t outcome;
    if (!missing) {
        return crd__sqlite_refuse(s, CRD_OUTCOME_FAILED, SQLITE_NOMEM, "out of memory");
    }
    outcome = check_table(s, table, missing, &found);
    for (i = 0; i < table->column_count && outcome == CRD_OUTCOME_DONE && found; i++) {
        if (!missing[i]) {
            continue;
        }
        if (table->columns[i].key_place) {
            outcome = crd__sqlite_refuse(s, CRD_OUTCOME_SCHEMA, SQLITE_SCHEMA, "%s has no column %s",
                                         table->name, table->columns[i].name);
        } else if (build) {
            outcome = sqlite_add_column(s, table, &table->columns[i]);
        } else {
            *lacks = 1;
        }
    }
    if (!found) {
        *lacks = 1;
    }
    sqlite3_free(missing);
    return outcome;
}

/* The first column of the first row of a statement used once; 0 and "" when there is none. */
static int32_t sqlite_look_up(crd_sqlite *s, const char *sql, int64_t *number, const char *expected, int *equal) {
    sqlite3_stmt *statement = NULL;
    int32_t outcome = crd__sqlite_prepare(s, sql, &statement);
    int code;
    *number = 0;
    if (outcome != CRD_OUTCOME_DONE) {
        return outcome;
    }
    code = sqlite3_step(statement);
    if (code == SQLITE_ROW) {
        *number = sqlite3_column_int64(statement, 0);
        if (expected) {
            *equal = strcmp(column_text(statement, 0), expected) == 0;
        }
    } else if (code != SQLITE_DONE) {
        outcome = crd__sqlite_failed(s);
    }
    sqlite3_finalize(statement);
    return outcome;
}

static int32_t newer_version(crd_sqlite *s, int64_t version) {
    return crd__sqlite_refuse(s, CRD_OUTCOME_SCHEMA, SQLITE_SCHEMA,
                              "schema version %lld was written by a newer libcredit; this one knows %d",
                              (long long)version, CRD__SCHEMA_VERSION);
}

/* The version of the stored schema, 0 when there is none. */
static int32_t stored_version(crd_sqlite *s, int64_t *version) {
    int64_t tables = 0;
    int ours = 0;
    int32_t outcome = sqlite_look_up(s, "PRAGMA main.encoding", &tables, "UTF-8", &ours);
    *version = 0;
    if (outcome == CRD_OUTCOME_DONE && !ours) {
        return crd__sqlite_refuse(s, CRD_OUTCOME_SCHEMA, SQLITE_SCHEMA,
                                  "the database's encoding is not UTF-8, so its keys sort differently");
    }
    if (outcome == CRD_OUTCOME_DONE) {
        outcome = sqlite_look_up(s, "SELECT count(*) FROM main.sqlite_master WHERE name = 'crd_meta'", &tables, NULL,
                                 NULL);
    }
    if (outcome != CRD_OUTCOME_DONE || tables == 0) {
        return outcome;
    }
    ours = 0;
    outcome =
        sqlite_look_up(s, "SELECT value FROM main.crd_meta WHERE key = 'application'", version, APPLICATION, &ours);
    if (outcome == CRD_OUTCOME_DONE && !ours) {
        return crd__sqlite_refuse(s, CRD_OUTCOME_SCHEMA, SQLITE_SCHEMA,
                                  "the table crd_meta is not libcredit's");
    }
    if (outcome == CRD_OUTCOME_DONE) {
        outcome =
            sqlite_look_up(s, "SELECT value FROM main.crd_meta WHERE key = 'schema_version'", version, NULL, NULL);
    }
    if (outcome == CRD_OUTCOME_DONE && *version > CRD__SCHEMA_VERSION) {
        outcome = newer_version(s, *version);
    }
    return outcome;
}

/* Looks at the whole schema; `lacks` receives whether there is something to make. */
static int32_t inspect(crd_sqlite *s, int64_t *version, int *lacks) {
    int64_t indexes = 0;
    uint32_t kind;
    int32_t outcome = stored_version(s, version);
    *lacks = *version < CRD__SCHEMA_VERSION;
    for (kind = 1; kind < CRD_KIND_COUNT && outcome == CRD_OUTCOME_DONE; kind++) {
        outcome = complete_table(s, &s->tables[kind], 0, lacks);
    }
    if (outcome == CRD_OUTCOME_DONE) {
        outcome = sqlite_look_up(s, count_indexes, &indexes, NULL, NULL);
    }
    *lacks |= indexes != INDEX_COUNT;
    return outcome;
}

static int32_t build(crd_sqlite *s, int64_t version) {
    sqlite3_str *sql;
    int32_t outcome = CRD_OUTCOME_DONE;
    uint32_t kind;
    size_t i;
    for (i = 0; i < sizeof sqlite_steps / sizeof *sqlite_steps && outcome == CRD_OUTCOME_DONE; i++) {
        if (version < sqlite_steps[i].version) {
            outcome = sqlite_steps[i].run(s);
        }
    }
    for (kind = 1; kind < CRD_KIND_COUNT && outcome == CRD_OUTCOME_DONE; kind++) {
        int lacks = 0;
        outcome = complete_table(s, &s->tables[kind], 1, &lacks);
    }
    for (i = 0; i < INDEX_COUNT && outcome == CRD_OUTCOME_DONE; i++) {
        outcome = execute(s, index_sql[i]);
    }
    if (outcome != CRD_OUTCOME_DONE) {
        return outcome;
    }
    sql = sqlite3_str_new(s->db);
    sqlite3_str_appendf(sql, "INSERT OR REPLACE INTO main.crd_meta VALUES ('schema_version', %d)",
                        CRD__SCHEMA_VERSION);
    return execute_built(s, sql);
}

static int32_t make_schema(crd_sqlite *s) {
    int64_t version = 0;
    int lacks = 0;
    int32_t outcome;
    if (s->read_only) {
        return crd__sqlite_refuse(s, CRD_OUTCOME_SCHEMA, SQLITE_READONLY,
                                  "opened read only, and the tables are missing or of an older version");
    }
    outcome = crd__sqlite_begin(s, 1);
    if (outcome != CRD_OUTCOME_DONE) {
        return outcome;
    }
    outcome = inspect(s, &version, &lacks);
    if (outcome == CRD_OUTCOME_DONE && lacks) {
        outcome = build(s, version);
    }
    return crd__sqlite_end(s, 1, outcome);
}

int32_t crd__sqlite_ensure_schema(crd_sqlite *s) {
    int64_t version = 0;
    int lacks = 0;
    int32_t outcome = crd__sqlite_begin(s, 0);
    if (outcome == CRD_OUTCOME_DONE) {
        outcome = crd__sqlite_end(s, 0, inspect(s, &version, &lacks));
    }
    if (outcome == CRD_OUTCOME_DONE && lacks) {
        outcome = make_schema(s);
        s->provisional = outcome == CRD_OUTCOME_DONE && s->joined;
    } else if (outcome == CRD_OUTCOME_DONE && !s->joined) {
        s->provisional = 0;
    }
    return outcome;
}

int32_t crd__sqlite_check_version(crd_sqlite *s) {
    sqlite3_stmt *statement = NULL;
    int32_t outcome = crd__sqlite_control(s, CRD__VERSION, &statement);
    int64_t version;
    int code;
    if (outcome != CRD_OUTCOME_DONE) {
        return outcome;
    }
    code = sqlite3_step(statement);
    version = code == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : 0;
    if (code != SQLITE_ROW && code != SQLITE_DONE) {
        outcome = crd__sqlite_failed(s);
    } else if (version > CRD__SCHEMA_VERSION) {
        outcome = newer_version(s, version);
    } else if (version < CRD__SCHEMA_VERSION) {
        outcome = crd__sqlite_refuse(s, CRD_OUTCOME_SCHEMA, SQLITE_SCHEMA, "the schema version is gone");
    }
    sqlite3_reset(statement);
    return outcome;
}
