/*
 * Writing to SQLite: the guards of a batch, then its changes, in one transaction.
 *
 * 1. All guards are checked under the write lock before anything is written, and every one that fails is
 *    listed.
 * 2. An independent batch keeps the groups none of whose guards failed. Any other fault takes all of it back.
 * 3. Records are bound without being copied (SQLITE_STATIC); they live until the callback returns, and every
 *    statement is reset before that.
 */
#include "sqlite_private.h"

#include <stdlib.h>
#include <string.h>

#ifdef __GNUC__
#define FETCH(place) __builtin_prefetch(place)
#else
#define FETCH(place) ((void)(place))
#endif

static const char no_text[] = "";
static const unsigned char no_bytes[32];

/* One write on its way. */
struct sqlite_writer {
    crd_sqlite *s;
    const crd_batch *batch;
    crd_write_result *out;
    uint32_t *failed_groups; /* of an independent batch: sorted */
    uint64_t failed_group_count;
};

static void append_assignments(sqlite3_str *sql, const crd__table *table, int keys, const char *link) {
    const char *between = "";
    int i;
    for (i = 0; i < table->column_count; i++) {
        if ((table->columns[i].key_place != 0) == keys) {
            sqlite3_str_appendf(sql, "%s%s = ?%d", between, table->columns[i].name, i + 1);
            between = link;
        }
    }
}

static int32_t prepare_update(crd_sqlite *s, crd__table *table) {
    sqlite3_str *sql = sqlite3_str_new(s->db);
    sqlite3_str_appendf(sql, "UPDATE main.%s SET ", table->name);
    append_assignments(sql, table, 0, ", ");
    sqlite3_str_appendall(sql, " WHERE ");
    append_assignments(sql, table, 1, " AND ");
    return crd__sqlite_prepare_built(s, sql, &table->update.statement);
}

static int32_t prepare_insert(crd_sqlite *s, crd__table *table) {
    sqlite3_str *sql = sqlite3_str_new(s->db);
    int i;
    sqlite3_str_appendf(sql, "INSERT INTO main.%s (", table->name);
    for (i = 0; i < table->column_count; i++) {
        sqlite3_str_appendf(sql, "%s%s", i ? ", " : "", table->columns[i].name);
    }
    sqlite3_str_appendall(sql, ") VALUES (");
    for (i = 0; i < table->column_count; i++) {
        sqlite3_str_appendf(sql, "%s?%d", i ? ", " : "", i + 1);
    }
    sqlite3_str_appendall(sql, ")");
    return crd__sqlite_prepare_built(s, sql, &table->insert.statement);
}

static int bind_number(sqlite3_stmt *statement, uint32_t column, int64_t number, crd__bound *bound) {
    bound[column].number = number;
    return sqlite3_bind_int64(statement, (int)column + 1, number);
}

static int bind_numbers(sqlite3_stmt *statement, const crd__table *table, const unsigned char *record,
                        crd__bound *bound) {
    const crd__slot *slot = table->slots;
    int code = SQLITE_OK;
    for (; slot < table->end[CRD__FORM_U32]; slot++) {
        uint32_t number;
        memcpy(&number, record + slot->offset, sizeof number);
        if (number != bound[slot->column].number) {
            code |= bind_number(statement, slot->column, number, bound);
        }
    }
    for (; slot < table->end[CRD__FORM_I32]; slot++) {
        int32_t number;
        memcpy(&number, record + slot->offset, sizeof number);
        if (number != bound[slot->column].number) {
            code |= bind_number(statement, slot->column, number, bound);
        }
    }
    for (; slot < table->end[CRD__FORM_I64]; slot++) {
        int64_t number;
        memcpy(&number, record + slot->offset, sizeof number);
        if (number != bound[slot->column].number) {
            code |= bind_number(statement, slot->column, number, bound);
        }
    }
    return code;
}

/* An empty text is bound to the literal, which outlives every batch. */
static int bind_texts(sqlite3_stmt *statement, const crd__table *table, const unsigned char *record,
                      crd__bound *bound) {
    const crd__slot *slot = table->end[CRD__FORM_I64];
    int code = SQLITE_OK;
    for (; slot < table->end[CRD__FORM_TEXT]; slot++) {
        const char **now = &bound[slot->column].text, *text;
        memcpy(&text, record + slot->offset, sizeof text);
        if (!text || !*text) {
            text = no_text;
        }
        if (text != *now && (!*now || strcmp(text, *now) != 0)) {
            *now = NULL;
            code |= sqlite3_bind_text(statement, slot->column + 1, text, -1, SQLITE_STATIC);
            *now = code == SQLITE_OK ? text : NULL;
        }
    }
    return code;
}

/* Hashes and bytes; of those of an earlier record none is left bound either. */
static int bind_bytes(sqlite3_stmt *statement, const crd__table *table, const unsigned char *record,
                      crd__bound *bound) {
    const crd__slot *slot = table->end[CRD__FORM_TEXT];
    int code = SQLITE_OK;
    for (; slot < table->end[CRD__FORM_HASH]; slot++) {
        const void *hash = record + slot->offset;
        uint64_t any = memcmp(hash, no_bytes, 32) != 0;
        if (any || bound[slot->column].size > 0) {
            code |= sqlite3_bind_blob(statement, slot->column + 1, any ? hash : no_bytes, 32, SQLITE_STATIC);
            bound[slot->column].size = any;
        }
    }
    for (; slot < table->end[CRD__FORM_BYTES]; slot++) {
        const void *bytes;
        uint64_t size;
        memcpy(&bytes, record + slot->offset, sizeof bytes);
        memcpy(&size, record + table->columns[slot->column].size_offset, sizeof size);
        size = bytes ? size : 0;
        if (size > 0 || bound[slot->column].size > 0) {
            code |= sqlite3_bind_blob64(statement, slot->column + 1, size > 0 ? bytes : no_bytes, size, SQLITE_STATIC);
            bound[slot->column].size = size;
        }
    }
    return code;
}

/* Binds what is not bound already. */
static int bind_record(sqlite3_stmt *statement, const crd__table *table, const unsigned char *record,
                       crd__bound *bound) {
    return bind_numbers(statement, table, record, bound) | bind_texts(statement, table, record, bound)
           | bind_bytes(statement, table, record, bound);
}

/* A new statement: all is bound to nothing, but for the texts, and noted so. */
static int32_t prepare_writes(crd_sqlite *s, crd__table *table, int inserts, crd__writes *writes) {
    int32_t outcome = inserts ? prepare_insert(s, table) : prepare_update(s, table);
    int i, code = SQLITE_OK;
    memset(writes->bound, 0, (size_t)table->column_count * sizeof *writes->bound);
    for (i = 0; i < table->column_count && outcome == CRD_OUTCOME_DONE; i++) {
        uint32_t form = table->columns[i].form;
        if (form >= CRD__FORM_HASH) {
            code |= sqlite3_bind_blob(writes->statement, i + 1, no_bytes, form == CRD__FORM_HASH ? 32 : 0,
                                      SQLITE_STATIC);
        } else if (form != CRD__FORM_TEXT) {
            code |= sqlite3_bind_int64(writes->statement, i + 1, 0);
        }
    }
    return code == SQLITE_OK ? outcome : crd__sqlite_failed(s);
}

/* Before a statement is used in another batch: another text may lie where one of the last batch did. */
static void forget_texts(const crd__table *table, const crd__writes *writes) {
    const crd__slot *slot = table->end[CRD__FORM_I64];
    for (; slot < table->end[CRD__FORM_TEXT]; slot++) {
        if (writes->bound[slot->column].text != no_text) {
            writes->bound[slot->column].text = NULL;
        }
    }
}

/* The record of a change, at least as long as our columns reach: what a shorter one lacks is zero. */
static const unsigned char *whole_record(crd_sqlite *s, const crd_change *change) {
    const crd__record *record = change->record;
    if (record->struct_size >= s->tables[change->kind].extent) {
        return change->record;
    }
    memset(&s->record, 0, sizeof s->record);
    memcpy(&s->record, record, record->struct_size);
    return (const unsigned char *)&s->record;
}

static int32_t apply_change(struct sqlite_writer *w, uint64_t index) {
    crd_sqlite *s = w->s;
    const crd_change *change = w->batch->changes[index];
    int inserts = change->operation == CRD_CHANGE_INSERT;
    int32_t outcome = CRD_OUTCOME_DONE;
    crd__table *table;
    crd__writes *writes;
    if (change->kind == 0 || change->kind >= CRD_KIND_COUNT
        || (!inserts && change->operation != CRD_CHANGE_UPDATE)) {
        return crd__sqlite_refuse(s, CRD_OUTCOME_FAILED, SQLITE_MISUSE,
                                  "a change of unknown kind or operation");
    }
    table = &s->tables[change->kind];
    writes = inserts ? &table->insert : &table->update;
    if (!writes->statement) {
        outcome = prepare_writes(s, table, inserts, writes);
        if (outcome != CRD_OUTCOME_DONE) {
            return outcome;
        }
    }
    if (writes->batch != s->batch) {
        forget_texts(table, writes);
        writes->batch = s->batch;
    }
    if (bind_record(writes->statement, table, whole_record(s, change), writes->bound) != SQLITE_OK
        || sqlite3_step(writes->statement) != SQLITE_DONE) {
        outcome = crd__sqlite_failed(s);
        if (inserts && s->error == SQLITE_CONSTRAINT_PRIMARYKEY) {
            w->out->exists = index;
            outcome = CRD_OUTCOME_EXISTS;
        }
    } else if (!inserts && sqlite3_changes(s->db) == 0) {
        outcome = crd__sqlite_refuse(s, CRD_OUTCOME_FAILED, SQLITE_NOTFOUND,
                                     "a record to be updated does not exist in %s", table->name);
    }
    sqlite3_reset(writes->statement);
    return outcome;
}

/* Whether an account still has the version a guard names. */
static int32_t check_guard(crd_sqlite *s, sqlite3_stmt *statement, const crd_guard *guard, int *holds) {
    int32_t outcome = CRD_OUTCOME_DONE;
    int64_t version = 0;
    int code;
    if ((sqlite3_bind_text(statement, 1, guard->customer, -1, SQLITE_STATIC)
         | sqlite3_bind_text(statement, 2, guard->currency, -1, SQLITE_STATIC))
        != SQLITE_OK) {
        return crd__sqlite_failed(s);
    }
    code = sqlite3_step(statement);
    if (code == SQLITE_ROW) {
        version = sqlite3_column_int64(statement, 0);
    } else if (code != SQLITE_DONE) {
        outcome = crd__sqlite_failed(s);
    }
    *holds = version == guard->version;
    sqlite3_reset(statement);
    return outcome;
}

static int32_t sqlite_check_guards(struct sqlite_writer *w) {
    sqlite3_stmt *statement = NULL;
    int32_t outcome = crd__sqlite_control(w->s, CRD__GUARD, &statement);
    uint64_t i;
    for (i = 0; i < w->batch->guard_count && outcome == CRD_OUTCOME_DONE; i++) {
        int holds = 0;
        outcome = check_guard(w->s, statement, w->batch->guards[i], &holds);
        if (outcome == CRD_OUTCOME_DONE && !holds) {
            w->out->failed[w->out->failed_count++] = i;
        }
    }
    return outcome;
}

static int sqlite_compare_groups(const void *left, const void *right) {
    uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
    return (a > b) - (a < b);
}

static int sqlite_group_failed(const struct sqlite_writer *w, uint32_t group) {
    return w->failed_group_count > 0
           && bsearch(&group, w->failed_groups, (size_t)w->failed_group_count, sizeof group, sqlite_compare_groups)
                  != NULL;
}

/* After guards failed: which groups fall with them, and whether any stands. */
static int32_t sort_groups(struct sqlite_writer *w) {
    const crd_batch *batch = w->batch;
    uint64_t i, count = w->out->failed_count;
    if (!(batch->flags & CRD_BATCH_INDEPENDENT)) {
        return CRD_OUTCOME_CONFLICT;
    }
    w->failed_groups = sqlite3_malloc64(count * sizeof *w->failed_groups);
    if (!w->failed_groups) {
        return crd__sqlite_refuse(w->s, CRD_OUTCOME_FAILED, SQLITE_NOMEM, "out of memory");
    }
    for (i = 0; i < count; i++) {
        w->failed_groups[i] = batch->guards[w->out->failed[i]]->group;
    }
    qsort(w->failed_groups, (size_t)count, sizeof *w->failed_groups, sqlite_compare_groups);
    w->failed_group_count = count;
    for (i = 0; i < batch->guard_count; i++) {
        if (!sqlite_group_failed(w, batch->guards[i]->group)) {
            return CRD_OUTCOME_DONE;
        }
    }
    return CRD_OUTCOME_CONFLICT;
}

static void fetch_record(const crd_sqlite *s, const crd_change *change) {
    const unsigned char *record = change->record;
    uint32_t i, size = s->tables[change->kind].extent;
    for (i = 0; i < size; i += 64) {
        FETCH(record + i);
    }
}

static void fetch_texts(const crd_sqlite *s, const crd_change *change) {
    const crd__table *table = &s->tables[change->kind];
    const crd__slot *slot = table->end[CRD__FORM_I64];
    for (; slot < table->end[CRD__FORM_TEXT]; slot++) {
        const char *text;
        memcpy(&text, (const unsigned char *)change->record + slot->offset, sizeof text);
        FETCH(text);
    }
}

/* A batch is larger than a cache, and SQLite does much between one record and the next: they are asked for ahead. */
static void fetch_ahead(const crd_sqlite *s, const crd_batch *batch, uint64_t index) {
    if (index + 3 < batch->change_count) {
        FETCH(batch->changes[index + 3]);
        fetch_record(s, batch->changes[index + 2]);
        fetch_texts(s, batch->changes[index + 1]);
    }
}

static int32_t sqlite_write_batch(struct sqlite_writer *w) {
    int32_t outcome = w->s->joined ? crd__sqlite_run(w->s, CRD__LOCK) : CRD_OUTCOME_DONE;
    uint64_t i;
    if (outcome == CRD_OUTCOME_DONE) {
        outcome = crd__sqlite_check_version(w->s);
    }
    if (outcome == CRD_OUTCOME_DONE) {
        outcome = sqlite_check_guards(w);
    }
    if (outcome == CRD_OUTCOME_DONE && w->out->failed_count > 0) {
        outcome = sort_groups(w);
    }
    for (i = 0; i < w->batch->change_count && outcome == CRD_OUTCOME_DONE; i++) {
        fetch_ahead(w->s, w->batch, i);
        if (!sqlite_group_failed(w, w->batch->changes[i]->group)) {
            outcome = apply_change(w, i);
        }
    }
    sqlite3_free(w->failed_groups);
    return outcome;
}

static int32_t sqlite_write_all(struct sqlite_writer *w) {
    crd_sqlite *s = w->s;
    int32_t outcome = CRD_OUTCOME_DONE;
    if (s->read_only) {
        return crd__sqlite_refuse(s, CRD_OUTCOME_FAILED, SQLITE_READONLY, "the storage was opened read only");
    }
    if (s->provisional) {
        outcome = crd__sqlite_ensure_schema(s);
    }
    if (outcome == CRD_OUTCOME_DONE) {
        outcome = crd__sqlite_begin(s, 1);
    }
    return outcome == CRD_OUTCOME_DONE ? crd__sqlite_end(s, 1, sqlite_write_batch(w)) : outcome;
}

void CRD_CALL crd__sqlite_write(void *ctx, const crd_batch *batch, crd_write_result *out) {
    crd_sqlite *s = ctx;
    struct sqlite_writer w;
    memset(&w, 0, sizeof w);
    w.s = s;
    w.batch = batch;
    w.out = out;
    s->batch++;
    s->message[0] = 0;
    s->error = 0;
    out->failed_count = 0;
    out->outcome = sqlite_write_all(&w);
    if (out->outcome != CRD_OUTCOME_DONE && out->outcome != CRD_OUTCOME_CONFLICT) {
        out->host_error = s->error;
        memcpy(out->host_text, s->message, sizeof out->host_text);
    }
    out->proof = batch->proof;
}
