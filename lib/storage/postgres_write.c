/*
 * Writing to PostgreSQL: the guards of a batch, then its changes, in one transaction.
 *
 * 1. A batch that stands and falls as a whole is one trip, BEGIN … COMMIT inside: every guard is a statement that fails
 *    when it does not hold (a division by the number of rows found), and the server skips what comes after.
 * 2. A batch of independent groups is two: the first updates the accounts and answers with those whose versions held, the
 *    second writes what belongs to them. A group that was touched only in part is taken out, and all begun anew.
 * 3. Accounts first, in the order of their keys, documents after, entries and requests last: two writers meet at an
 *    account before either holds anything the other wants.
 * 4. READ COMMITTED is enough: a version is compared in the row that is updated, after its lock was waited for.
 * 5. What a failure means is told by the statement that failed.
 *
 * An account that must not exist and is not made here is stood in for: a row of version 0 under its key, taken away again
 * in the same transaction. Nobody ever sees it, but whoever wants to make that account waits until this is decided.
 */
#include "postgres_private.h"

#include <stdlib.h>
#include <string.h>

/* So many records of a kind are written one by one; more of them as arrays. */
#define FEW 3
#define RETRIES 20

enum role {
    ROLE_PLAIN = 1,
    ROLE_GUARD,         /* index: a guard, or NO_INDEX for several */
    ROLE_NEW_ACCOUNT,   /* index: its guard */
    ROLE_UPDATE,        /* a record to be updated was not there */
    ROLE_INSERT,        /* index: its change */
    ROLE_INSERT_MANY,   /* index: the first of the kind */
    ROLE_ENTRY,
    ROLE_COMMIT,
    ROLE_SEEN,          /* rows: accounts that were updated or inserted */
    ROLE_SEEN_VERSION,  /* index: the guard; rows: its version */
    ROLE_STOOD_IN,      /* index: the guard; rows: one if there was no such account */
    ROLE_VERSIONS,      /* rows: accounts and their versions */
    ROLE_WHICH          /* rows: places of keys that exist */
};
#define NO_INDEX UINT64_MAX

/* What is known of a guard. */
#define HOLDS 1u
#define FAILED 2u
#define CHANGED 4u /* its account was written in the trip */

/* One write on its way. */
struct writer {
    crd_postgres *s;
    const crd_batch *batch;
    crd_write_result *out;
    const crd_change **account;  /* by guard: the change of its account, or NULL */
    unsigned char *known;        /* by guard: HOLDS, FAILED, CHANGED */
    int64_t *versions;           /* by guard, as read back */
    uint32_t *failed_groups;     /* sorted */
    uint64_t failed_group_count;
    uint64_t first[CRD_KIND_COUNT + 1]; /* where a kind begins among the changes */
    uint64_t *list;              /* changes of one statement */
    int one_customer;
    uint64_t which; /* the place of a key that exists */
    int32_t outcome;
};

/* ---- texts ---- */

static void add_names(crd__sql *sql, const crd__table *table, const char *before) {
    int i;
    for (i = 0; i < table->column_count; i++) {
        crd__sql_add(sql, "%s%s%s", i ? ", " : "", before, table->columns[i].name);
    }
}

/* "unnest($1::text[], …) AS u (customer, …)" from a parameter on. */
static void add_unnest(crd__sql *sql, const crd__table *table, int from) {
    int i;
    crd__sql_add(sql, "unnest(");
    for (i = 0; i < table->column_count; i++) {
        crd__sql_add(sql, "%s$%d::%s[]", i ? ", " : "", from + i, crd__pg_type_name(table->columns[i].form));
    }
    crd__sql_add(sql, ") AS u (");
    add_names(sql, table, "");
    crd__sql_add(sql, ")");
}

/* "UPDATE … SET … WHERE key" of one record, its columns from parameter `from` on. */
static void add_update(crd__sql *sql, crd_postgres *s, const crd__table *table, int from) {
    const char *link = " SET ";
    int i;
    crd__sql_add(sql, "UPDATE %s.%s", s->schema, table->name);
    for (i = 0; i < table->column_count; i++) {
        if (!table->columns[i].key_place) {
            crd__sql_add(sql, "%s%s = $%d", link, table->columns[i].name, from + i);
            link = ", ";
        }
    }
    link = " WHERE ";
    for (i = 0; i < table->key_count; i++) {
        crd__sql_add(sql, "%s%s = $%d", link, table->columns[table->key_column[i]].name, from + table->key_column[i]);
        link = " AND ";
    }
}

/* The same of many. */
static void add_update_many(crd__sql *sql, crd_postgres *s, const crd__table *table) {
    const char *link = " SET ";
    int i;
    crd__sql_add(sql, "UPDATE %s.%s AS t", s->schema, table->name);
    for (i = 0; i < table->column_count; i++) {
        if (!table->columns[i].key_place) {
            crd__sql_add(sql, "%s%s = u.%s", link, table->columns[i].name, table->columns[i].name);
            link = ", ";
        }
    }
    crd__sql_add(sql, " FROM unnest(");
    for (i = 0; i < table->column_count; i++) {
        crd__sql_add(sql, "%s$%d::%s[]", i ? ", " : "", i + 1, crd__pg_type_name(table->columns[i].form));
    }
    if (table->extra) {
        crd__sql_add(sql, ", $%d::bigint[]", table->column_count + 1);
    }
    crd__sql_add(sql, ") AS u (");
    add_names(sql, table, "");
    crd__sql_add(sql, table->extra ? ", old_version)" : ")");
    link = " WHERE ";
    for (i = 0; i < table->key_count; i++) {
        const char *name = table->columns[table->key_column[i]].name;
        crd__sql_add(sql, "%st.%s = u.%s", link, name, name);
        link = " AND ";
    }
    crd__sql_add(sql, table->extra ? " AND t.version = u.old_version" : "");
}

static void add_insert(crd__sql *sql, crd_postgres *s, const crd__table *table) {
    int i;
    crd__sql_add(sql, "INSERT INTO %s.%s (", s->schema, table->name);
    add_names(sql, table, "");
    crd__sql_add(sql, ") VALUES (");
    for (i = 0; i < table->column_count; i++) {
        crd__sql_add(sql, "%s$%d", i ? ", " : "", i + 1);
    }
    crd__sql_add(sql, ")");
}

static void add_insert_many(crd__sql *sql, crd_postgres *s, const crd__table *table) {
    crd__sql_add(sql, "INSERT INTO %s.%s (", s->schema, table->name);
    add_names(sql, table, "");
    crd__sql_add(sql, ") SELECT ");
    add_names(sql, table, "u.");
    crd__sql_add(sql, " FROM ");
    add_unnest(sql, table, 1);
}

void crd__pg_write_control(crd_postgres *s, enum crd__control which, crd__sql *sql) {
    const crd__table *accounts = &s->tables[CRD_KIND_ACCOUNT];
    switch ((int)which) {
    case CRD__STAND_IN:
        add_insert(sql, s, accounts);
        break;
    case CRD__STAND_IN_SEEN:
        add_insert(sql, s, accounts);
        crd__sql_add(sql, " ON CONFLICT DO NOTHING RETURNING customer, currency");
        break;
    case CRD__UPDATE_SEEN:
        add_update_many(sql, s, accounts);
        crd__sql_add(sql, " RETURNING t.customer, t.currency");
        break;
    default:
        add_insert_many(sql, s, accounts);
        crd__sql_add(sql, " ON CONFLICT DO NOTHING RETURNING customer, currency");
        break;
    }
}

/* One statement that updates an account and one record of each kind of the set, and fails unless all are there. */
static int32_t write_fused(crd_postgres *s, uint32_t set, crd__statement *out) {
    crd__sql sql = {NULL, 0, 0, 0};
    const char *link = "WITH ";
    uint32_t kind;
    int from = 1;
    for (kind = CRD_KIND_ACCOUNT; kind <= CRD_KIND_HOLD; kind++) {
        const crd__table *table = &s->tables[kind];
        if (!(set & UINT32_C(1) << kind)) {
            continue;
        }
        crd__sql_add(&sql, "%su%lu AS (", link, (unsigned long)kind);
        add_update(&sql, s, table, from);
        from += table->column_count;
        if (kind == CRD_KIND_ACCOUNT) {
            crd__sql_add(&sql, " AND version = $%d", from++);
        } else {
            crd__sql_add(&sql, " AND EXISTS (SELECT 1 FROM u1)");
        }
        crd__sql_add(&sql, " RETURNING 1)");
        link = ", ";
    }
    link = " SELECT 1 / count(*) FROM ";
    for (kind = CRD_KIND_ACCOUNT; kind <= CRD_KIND_HOLD; kind++) {
        if (set & UINT32_C(1) << kind) {
            crd__sql_add(&sql, "%su%lu", link, (unsigned long)kind);
            link = ", ";
        }
    }
    return crd__pg_statement(s, &sql, out);
}

static int32_t write_update(crd_postgres *s, crd__table *table) {
    crd__sql sql = {NULL, 0, 0, 0};
    crd__sql_add(&sql, "WITH u AS (");
    add_update(&sql, s, table, 1);
    crd__sql_add(&sql, table->extra ? " AND version = $%d" : "", table->column_count + 1);
    crd__sql_add(&sql, " RETURNING 1) SELECT 1 / count(*) FROM u");
    return crd__pg_statement(s, &sql, &table->update);
}

/* The number of records is the last parameter but one; with `own`, the customer is the last. */
static int32_t write_update_many(crd_postgres *s, crd__table *table, int own) {
    int after = table->column_count + table->extra + 1;
    crd__sql sql = {NULL, 0, 0, 0};
    crd__sql_add(&sql, "WITH w AS (");
    add_update_many(&sql, s, table);
    if (own) {
        crd__sql_add(&sql, " AND t.customer = $%d", after + 1);
    }
    crd__sql_add(&sql, " RETURNING 1) SELECT 1 / (count(*) = $%d::bigint)::int FROM w", after);
    return crd__pg_statement(s, &sql, own ? &table->update_own : &table->update_many);
}

/* Records of one customer are inserted beside the account they were guarded by, which tells an engine that distributes
 * customers where to. */
static int32_t write_insert_own(crd_postgres *s, crd__table *table) {
    int after = table->column_count + 1;
    crd__sql sql = {NULL, 0, 0, 0};
    int i;
    crd__sql_add(&sql, "INSERT INTO %s.%s (", s->schema, table->name);
    add_names(&sql, table, "");
    crd__sql_add(&sql, ") SELECT ");
    for (i = 0; i < table->column_count; i++) {
        const char *name = table->columns[i].name;
        crd__sql_add(&sql, "%s%s.%s", i ? ", " : "", strcmp(name, "customer") == 0 ? "a" : "u", name);
    }
    crd__sql_add(&sql, " FROM %s.%s AS a, ", s->schema, s->tables[CRD_KIND_ACCOUNT].name);
    add_unnest(&sql, table, 1);
    crd__sql_add(&sql, " WHERE a.customer = $%d AND a.currency = $%d AND a.version = $%d", after, after + 1, after + 2);
    return crd__pg_statement(s, &sql, &table->insert_own);
}

/* Which of many keys exist: their places. */
static int32_t write_which(crd_postgres *s, crd__table *table) {
    crd__sql sql = {NULL, 0, 0, 0};
    int i;
    crd__sql_add(&sql, "SELECT u.place FROM unnest(");
    for (i = 0; i < table->key_count; i++) {
        crd__sql_add(&sql, "%s$%d::%s[]", i ? ", " : "", i + 1,
                     crd__pg_type_name(table->columns[table->key_column[i]].form));
    }
    crd__sql_add(&sql, ", $%d::bigint[]) AS u (", table->key_count + 1);
    for (i = 0; i < table->key_count; i++) {
        crd__sql_add(&sql, "%s, ", table->columns[table->key_column[i]].name);
    }
    crd__sql_add(&sql, "place) JOIN %s.%s AS t ON ", s->schema, table->name);
    for (i = 0; i < table->key_count; i++) {
        const char *name = table->columns[table->key_column[i]].name;
        crd__sql_add(&sql, "%st.%s = u.%s", i ? " AND " : "", name, name);
    }
    return crd__pg_statement(s, &sql, &table->which);
}

/* ---- records as parameters ---- */

/* The record of a change, at least as long as our columns reach: what a shorter one lacks is zero. */
static const unsigned char *whole_record(crd_postgres *s, const crd_change *change) {
    const crd__record *record = change->record;
    if (record->struct_size >= s->tables[change->kind].extent) {
        return change->record;
    }
    memset(&s->record, 0, sizeof s->record);
    memcpy(&s->record, record, record->struct_size);
    return (const unsigned char *)&s->record;
}

static void bind_record(crd_postgres *s, const crd_change *change) {
    const crd__table *table = &s->tables[change->kind];
    const unsigned char *record = whole_record(s, change);
    int i;
    for (i = 0; i < table->column_count; i++) {
        crd__param_field(s, &table->columns[i], record);
    }
}

static void bind_records(struct writer *w, uint32_t kind, uint64_t count) {
    crd_postgres *s = w->s;
    const crd__table *table = &s->tables[kind];
    uint64_t k;
    int i;
    for (i = 0; i < table->column_count; i++) {
        crd__param_array(s, table->columns[i].form, count);
        for (k = 0; k < count; k++) {
            crd__element_field(s, &table->columns[i], whole_record(s, w->batch->changes[w->list[k]]));
        }
        crd__param_array_end(s);
    }
}

/* Adds a statement, written first if need be. */
static void add(struct writer *w, crd__statement *statement, int32_t written, int role, uint64_t index) {
    if (written != CRD_OUTCOME_DONE) {
        w->s->broken = 1;
    } else {
        crd__trip_add(w->s, statement, role, index);
    }
}

/* ---- groups ---- */

static int compare_groups(const void *left, const void *right) {
    uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
    return (a > b) - (a < b);
}

static int group_failed(const struct writer *w, uint32_t group) {
    return w->failed_group_count > 0
           && bsearch(&group, w->failed_groups, (size_t)w->failed_group_count, sizeof group, compare_groups) != NULL;
}

/* ---- one trip ---- */

static void add_update_one(struct writer *w, uint64_t index) {
    const crd_change *change = w->batch->changes[index];
    crd__table *table = &w->s->tables[change->kind];
    bind_record(w->s, change);
    add(w, &table->update, table->update.sql ? CRD_OUTCOME_DONE : write_update(w->s, table), ROLE_UPDATE, index);
}

static void add_insert_one(struct writer *w, uint64_t index, int role, uint64_t role_index) {
    const crd_change *change = w->batch->changes[index];
    crd__table *table = &w->s->tables[change->kind];
    int32_t written = CRD_OUTCOME_DONE;
    if (!table->insert.sql) {
        crd__sql sql = {NULL, 0, 0, 0};
        add_insert(&sql, w->s, table);
        written = crd__pg_statement(w->s, &sql, &table->insert);
    }
    bind_record(w->s, change);
    add(w, &table->insert, written, role, role_index);
}

/* The account that inserts of one customer stand beside. */
static const crd_guard *written_guard(const struct writer *w) {
    uint64_t i;
    for (i = 0; i < w->batch->guard_count; i++) {
        if (w->account[i]) {
            return w->batch->guards[i];
        }
    }
    return NULL;
}

static void add_insert_many_of(struct writer *w, uint32_t kind, uint64_t count, int role) {
    crd_postgres *s = w->s;
    crd__table *table = &s->tables[kind];
    const crd_guard *guard = w->one_customer ? written_guard(w) : NULL;
    int32_t written = CRD_OUTCOME_DONE;
    bind_records(w, kind, count);
    if (guard) {
        crd__param_text(s, guard->customer);
        crd__param_text(s, guard->currency);
        crd__param_i64(s, guard->new_version);
        add(w, &table->insert_own, table->insert_own.sql ? written : write_insert_own(s, table), role, w->list[0]);
        return;
    }
    if (!table->insert_many.sql) {
        crd__sql sql = {NULL, 0, 0, 0};
        add_insert_many(&sql, s, table);
        written = crd__pg_statement(s, &sql, &table->insert_many);
    }
    add(w, &table->insert_many, written, role, w->list[0]);
}

static void add_update_many_of(struct writer *w, uint32_t kind, uint64_t count) {
    crd_postgres *s = w->s;
    crd__table *table = &s->tables[kind];
    crd__statement *statement = w->one_customer ? &table->update_own : &table->update_many;
    bind_records(w, kind, count);
    crd__param_i64(s, (int64_t)count);
    if (w->one_customer) {
        crd__param_text(s, w->batch->guards[0]->customer);
    }
    add(w, statement, statement->sql ? CRD_OUTCOME_DONE : write_update_many(s, table, w->one_customer), ROLE_UPDATE,
        w->list[0]);
}

/* The changes of a kind and operation that are to be written, into w->list; how many. */
static uint64_t list_changes(struct writer *w, uint32_t kind, uint32_t operation) {
    uint64_t i, count = 0;
    for (i = w->first[kind]; i < w->first[kind + 1]; i++) {
        const crd_change *change = w->batch->changes[i];
        if (change->operation == operation && !group_failed(w, change->group)) {
            w->list[count++] = i;
        }
    }
    return count;
}

static int role_of_insert(uint32_t kind, int many) {
    return kind == CRD_KIND_ENTRY ? ROLE_ENTRY : many ? ROLE_INSERT_MANY : ROLE_INSERT;
}

/* What is not an account: updates, but of the kinds of `fused`, then inserts. */
static void add_documents(struct writer *w, uint32_t fused) {
    uint64_t count, i;
    uint32_t kind;
    for (kind = CRD_KIND_ACCOUNT + 1; kind < CRD_KIND_COUNT; kind++) {
        count = fused & UINT32_C(1) << kind ? 0 : list_changes(w, kind, CRD_CHANGE_UPDATE);
        for (i = 0; i < count && count <= FEW; i++) {
            add_update_one(w, w->list[i]);
        }
        if (count > FEW) {
            add_update_many_of(w, kind, count);
        }
    }
    for (kind = CRD_KIND_ACCOUNT + 1; kind < CRD_KIND_COUNT; kind++) {
        count = list_changes(w, kind, CRD_CHANGE_INSERT);
        for (i = 0; i < count && count <= FEW; i++) {
            add_insert_one(w, w->list[i], role_of_insert(kind, 0), w->list[i]);
        }
        if (count > FEW) {
            add_insert_many_of(w, kind, count, role_of_insert(kind, 1));
        }
    }
}

/* The kinds of which just one record is updated. */
static uint32_t single_updates(struct writer *w) {
    uint32_t set = 0, kind;
    for (kind = CRD_KIND_ACCOUNT; kind <= CRD_KIND_HOLD; kind++) {
        set |= (uint32_t)(list_changes(w, kind, CRD_CHANGE_UPDATE) == 1) << kind;
    }
    return set;
}

/* The one account that is updated, and with it one record of each kind of the set. */
static void add_fused(struct writer *w, uint32_t set, uint64_t guard) {
    crd__statement *statement = &w->s->fused[set >> CRD_KIND_ACCOUNT];
    int32_t written = statement->sql ? CRD_OUTCOME_DONE : write_fused(w->s, set, statement);
    uint32_t kind;
    for (kind = CRD_KIND_ACCOUNT; kind <= CRD_KIND_HOLD; kind++) {
        if (set & UINT32_C(1) << kind) {
            (void)list_changes(w, kind, CRD_CHANGE_UPDATE);
            bind_record(w->s, w->batch->changes[w->list[0]]);
            if (kind == CRD_KIND_ACCOUNT) {
                crd__param_i64(w->s, w->batch->guards[guard]->version);
            }
        }
    }
    add(w, statement, written, ROLE_GUARD, guard);
}

static void bind_account(crd_postgres *s, const crd_guard *guard) {
    crd__param_text(s, guard->customer);
    crd__param_text(s, guard->currency);
}

/* A row of version 0. */
static void bind_stand_in(crd_postgres *s, const crd_guard *guard) {
    const crd__table *table = &s->tables[CRD_KIND_ACCOUNT];
    crd_account_record record;
    int i;
    memset(&record, 0, sizeof record);
    record.customer = guard->customer;
    record.currency = guard->currency;
    for (i = 0; i < table->column_count; i++) {
        crd__param_field(s, &table->columns[i], (const unsigned char *)&record);
    }
}

static void add_stand_outs(struct writer *w) {
    uint64_t i;
    for (i = 0; i < w->batch->guard_count; i++) {
        const crd_guard *guard = w->batch->guards[i];
        if (!w->account[i] && guard->version == 0 && !group_failed(w, guard->group)) {
            bind_account(w->s, guard);
            crd__trip_control(w->s, CRD__STAND_OUT, ROLE_PLAIN, i);
        }
    }
}

/* Many accounts updated by one statement. */
static void add_account_updates(struct writer *w, uint64_t count) {
    crd_postgres *s = w->s;
    crd__table *table = &s->tables[CRD_KIND_ACCOUNT];
    uint64_t i;
    bind_records(w, CRD_KIND_ACCOUNT, count);
    crd__param_array(s, CRD__FORM_I64, count);
    for (i = 0; i < w->batch->guard_count; i++) {
        const crd_change *change = w->account[i];
        if (change && change->operation == CRD_CHANGE_UPDATE && !group_failed(w, change->group)) {
            crd__element_i64(s, w->batch->guards[i]->version);
        }
    }
    crd__param_array_end(s);
    crd__param_i64(s, (int64_t)count);
    add(w, &table->update_many, table->update_many.sql ? CRD_OUTCOME_DONE : write_update_many(s, table, 0), ROLE_GUARD,
        NO_INDEX);
}

static void add_guard(struct writer *w, uint64_t i, uint32_t fused, int many) {
    crd_postgres *s = w->s;
    const crd_guard *guard = w->batch->guards[i];
    const crd_change *change = w->account[i];
    crd__table *table = &s->tables[CRD_KIND_ACCOUNT];
    if (change && change->operation == CRD_CHANGE_INSERT) {
        uint64_t at = w->first[CRD_KIND_ACCOUNT];
        while (w->batch->changes[at] != change) {
            at++;
        }
        if (guard->version != 0) { /* makes no sense, and must fail as a guard if it does not hold */
            bind_account(s, guard);
            crd__param_i64(s, guard->version);
            crd__trip_control(s, CRD__SHARE, ROLE_GUARD, i);
        }
        add_insert_one(w, at, ROLE_NEW_ACCOUNT, i);
    } else if (change && fused) {
        add_fused(w, fused, i);
    } else if (change && !many) {
        bind_record(s, change);
        crd__param_i64(s, guard->version);
        add(w, &table->update, table->update.sql ? CRD_OUTCOME_DONE : write_update(s, table), ROLE_GUARD, i);
    } else if (!change && guard->version == 0) {
        bind_stand_in(s, guard);
        crd__trip_control(s, CRD__STAND_IN, ROLE_NEW_ACCOUNT, i);
    } else if (!change) {
        bind_account(s, guard);
        crd__param_i64(s, guard->version);
        crd__trip_control(s, CRD__SHARE, ROLE_GUARD, i);
    }
}

/* Within the transaction that a read left open, if one did. */
static void add_begin(crd_postgres *s) {
    if (s->held) {
        s->open = 1;
        s->held = 0;
    } else {
        crd__trip_control(s, s->joined ? CRD__SAVEPOINT : CRD__BEGIN, ROLE_PLAIN, 0);
    }
}

static void add_whole(struct writer *w) {
    uint64_t updates = list_changes(w, CRD_KIND_ACCOUNT, CRD_CHANGE_UPDATE), i;
    uint32_t fused = updates == 1 ? single_updates(w) : 0;
    crd_postgres *s = w->s;
    add_begin(s);
    if (updates > FEW) {
        (void)list_changes(w, CRD_KIND_ACCOUNT, CRD_CHANGE_UPDATE);
        add_account_updates(w, updates);
    }
    for (i = 0; i < w->batch->guard_count; i++) {
        add_guard(w, i, fused, updates > FEW);
    }
    add_documents(w, fused);
    add_stand_outs(w);
    crd__trip_control(s, s->joined ? CRD__RELEASE : CRD__COMMIT, ROLE_COMMIT, 0);
}

/* ---- replies ---- */

static int64_t get64(const PGresult *result, int row, int field) {
    const unsigned char *from = (const unsigned char *)PQgetvalue(result, row, field);
    uint64_t number = 0;
    int i;
    for (i = 0; i < 8 && PQgetlength(result, row, field) == 8; i++) {
        number = number << 8 | from[i];
    }
    return (int64_t)number;
}

static int compare_guard(const crd_guard *guard, const char *customer, const char *currency) {
    int order = strcmp(guard->customer, customer);
    return order ? order : strcmp(guard->currency, currency);
}

/* The guard of an account; guards are sorted. */
static uint64_t find_guard(const struct writer *w, const char *customer, const char *currency) {
    uint64_t low = 0, high = w->batch->guard_count;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        int order = compare_guard(w->batch->guards[middle], customer, currency);
        if (order == 0) {
            return middle;
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return NO_INDEX;
}

static int take_reply(void *ctx, int role, uint64_t index, PGresult *result) {
    struct writer *w = ctx;
    int row, rows = PQntuples(result);
    uint64_t guard;
    switch (role) {
    case ROLE_SEEN:
    case ROLE_VERSIONS:
        for (row = 0; row < rows; row++) {
            guard = find_guard(w, PQgetvalue(result, row, 0), PQgetvalue(result, row, 1));
            if (guard != NO_INDEX && role == ROLE_SEEN) {
                w->known[guard] |= HOLDS | CHANGED;
            } else if (guard != NO_INDEX) {
                w->versions[guard] = get64(result, row, 2);
            }
        }
        break;
    case ROLE_SEEN_VERSION:
        w->known[index] |= rows == 1 && get64(result, 0, 0) == w->batch->guards[index]->version ? HOLDS : 0u;
        break;
    case ROLE_STOOD_IN:
        w->known[index] |= rows == 1 ? HOLDS : 0u;
        break;
    case ROLE_WHICH:
        for (row = 0; row < rows; row++) {
            uint64_t place = (uint64_t)get64(result, row, 0);
            w->which = place < w->which ? place : w->which;
        }
        break;
    default:
        break;
    }
    return CRD__TAKEN;
}

/* ---- why it failed ---- */

static void start_rolling_back(crd_postgres *s) {
    crd__trip_start(s);
    if (!s->open) {
        return;
    }
    if (s->joined) {
        crd__trip_control(s, CRD__ROLLBACK_TO, ROLE_PLAIN, 0);
        crd__trip_control(s, CRD__RELEASE, ROLE_PLAIN, 0);
    } else {
        crd__trip_control(s, CRD__ROLLBACK, ROLE_PLAIN, 0);
    }
}

/* Adds a question for the versions of all guarded accounts. */
static void add_versions(struct writer *w) {
    const crd_batch *b = w->batch;
    uint64_t i;
    memset(w->versions, 0, (size_t)b->guard_count * sizeof *w->versions);
    crd__param_array(w->s, CRD__FORM_TEXT, b->guard_count);
    for (i = 0; i < b->guard_count; i++) {
        crd__element_text(w->s, b->guards[i]->customer);
    }
    crd__param_array_end(w->s);
    crd__param_array(w->s, CRD__FORM_TEXT, b->guard_count);
    for (i = 0; i < b->guard_count; i++) {
        crd__element_text(w->s, b->guards[i]->currency);
    }
    crd__param_array_end(w->s);
    crd__trip_control(w->s, CRD__VERSIONS, ROLE_VERSIONS, 0);
}

/* Lists every guard that does not hold any more. */
static int32_t list_failed(struct writer *w) {
    uint64_t i, count = 0;
    for (i = 0; i < w->batch->guard_count; i++) {
        if (w->known[i] & FAILED || w->versions[i] != w->batch->guards[i]->version) {
            w->out->failed[count++] = i;
        }
    }
    w->out->failed_count = count;
    return count > 0 ? CRD_OUTCOME_CONFLICT : CRD_OUTCOME_FAILED;
}

/* A guard failed: which ones? A statement that also updates documents fails as well when one of them is not there; then
 * every guard holds. */
static int32_t find_conflict(struct writer *w) {
    int32_t outcome;
    start_rolling_back(w->s);
    add_versions(w);
    if (!crd__trip_run(w->s, 0, take_reply, w)) {
        return crd__pg_failure(w->s, 0);
    }
    outcome = list_failed(w);
    if (outcome == CRD_OUTCOME_FAILED) {
        crd__pg_refuse(w->s, outcome, "02000", "a record to be updated does not exist");
    }
    return outcome;
}

/* Of the records of a kind that are inserted, one exists: the first that does. */
static int32_t find_existing(struct writer *w, uint64_t first) {
    crd_postgres *s = w->s;
    uint32_t kind = w->batch->changes[first]->kind;
    crd__table *table = &s->tables[kind];
    uint64_t count = list_changes(w, kind, CRD_CHANGE_INSERT), k;
    int i;
    start_rolling_back(s);
    for (i = 0; i < table->key_count; i++) {
        const crd__column *column = &table->columns[table->key_column[i]];
        crd__param_array(s, column->form, count);
        for (k = 0; k < count; k++) {
            crd__element_field(s, column, whole_record(s, w->batch->changes[w->list[k]]));
        }
        crd__param_array_end(s);
    }
    crd__param_array(s, CRD__FORM_I64, count);
    for (k = 0; k < count; k++) {
        crd__element_i64(s, (int64_t)w->list[k]);
    }
    crd__param_array_end(s);
    w->which = NO_INDEX;
    add(w, &table->which, table->which.sql ? CRD_OUTCOME_DONE : write_which(s, table), ROLE_WHICH, 0);
    if (!crd__trip_run(s, 0, take_reply, w)) {
        return crd__pg_failure(s, 0);
    }
    /* A key that is in the batch twice exists nowhere else. */
    w->out->exists = w->which != NO_INDEX ? w->which : w->list[0];
    return CRD_OUTCOME_EXISTS;
}

/* An account or an entry is there already. That is a conflict: another writer was first; unless every guard holds. */
static int32_t find_either(struct writer *w, uint64_t first) {
    int32_t outcome = find_conflict(w);
    return outcome == CRD_OUTCOME_FAILED && crd__pg_state_is(w->s, "02000") ? find_existing(w, first) : outcome;
}

/* What a failed trip amounts to, by the statement that failed. */
static int32_t verdict(struct writer *w, int keeps) {
    crd_postgres *s = w->s;
    int division = crd__pg_state_is(s, "22012"), duplicate = crd__pg_state_is(s, "23505");
    if (s->lost || s->broken) {
        return crd__pg_failure(s, keeps && !s->broken);
    }
    switch (s->failed_role) {
    case ROLE_GUARD:
        if (division) {
            return find_conflict(w);
        }
        break;
    case ROLE_NEW_ACCOUNT:
        if (duplicate) {
            return find_either(w, w->first[CRD_KIND_ACCOUNT]);
        }
        break;
    case ROLE_UPDATE:
        if (division) {
            return crd__pg_refuse(s, CRD_OUTCOME_FAILED, "02000", "a record to be updated does not exist in %s",
                                  s->tables[w->batch->changes[s->failed_index]->kind].name);
        }
        break;
    case ROLE_ENTRY:
        if (duplicate) {
            return find_either(w, s->failed_index);
        }
        break;
    case ROLE_INSERT:
        if (duplicate) {
            w->out->exists = s->failed_index;
            return CRD_OUTCOME_EXISTS;
        }
        break;
    case ROLE_INSERT_MANY:
        if (duplicate) {
            return find_existing(w, s->failed_index);
        }
        break;
    default:
        break;
    }
    return crd__pg_failure(s, keeps);
}

static int32_t write_whole(struct writer *w) {
    crd__trip_start(w->s);
    add_whole(w);
    return crd__trip_run(w->s, 0, take_reply, w) ? CRD_OUTCOME_DONE : verdict(w, 1);
}

/* ---- two trips ---- */

/* The accounts of an independent batch, whatever is in the way of some. */
static void add_accounts_seen(struct writer *w) {
    crd_postgres *s = w->s;
    const crd_batch *b = w->batch;
    uint64_t count, i;
    add_begin(s);
    count = list_changes(w, CRD_KIND_ACCOUNT, CRD_CHANGE_UPDATE);
    if (count > 0) {
        bind_records(w, CRD_KIND_ACCOUNT, count);
        crd__param_array(s, CRD__FORM_I64, count);
        for (i = 0; i < b->guard_count; i++) {
            if (w->account[i] && w->account[i]->operation == CRD_CHANGE_UPDATE && !group_failed(w, b->guards[i]->group)) {
                crd__element_i64(s, b->guards[i]->version);
            }
        }
        crd__param_array_end(s);
        crd__trip_control(s, CRD__UPDATE_SEEN, ROLE_SEEN, 0);
    }
    count = list_changes(w, CRD_KIND_ACCOUNT, CRD_CHANGE_INSERT);
    if (count > 0) {
        bind_records(w, CRD_KIND_ACCOUNT, count);
        crd__trip_control(s, CRD__INSERT_SEEN, ROLE_SEEN, 0);
    }
    for (i = 0; i < b->guard_count; i++) {
        if (w->account[i] || group_failed(w, b->guards[i]->group)) {
            continue;
        }
        if (b->guards[i]->version != 0) {
            bind_account(s, b->guards[i]);
            crd__trip_control(s, CRD__SHARE_SEEN, ROLE_SEEN_VERSION, i);
        } else {
            bind_stand_in(s, b->guards[i]);
            crd__trip_control(s, CRD__STAND_IN_SEEN, ROLE_STOOD_IN, i);
        }
    }
}

/* Notes which guards failed in the first trip. Returns how many groups are left, or -1 when one of those that failed was
 * written in part. */
static int64_t sort_groups(struct writer *w) {
    const crd_batch *b = w->batch;
    uint64_t i, failed = 0;
    int64_t left = 0;
    int partly = 0;
    for (i = 0; i < b->guard_count; i++) {
        if (!(w->known[i] & HOLDS) && !group_failed(w, b->guards[i]->group)) {
            w->known[i] |= FAILED;
        }
    }
    for (i = 0; i < b->guard_count; i++) {
        if (w->known[i] & FAILED) {
            w->failed_groups[failed++] = b->guards[i]->group;
        }
    }
    w->failed_group_count = failed;
    qsort(w->failed_groups, (size_t)failed, sizeof *w->failed_groups, compare_groups);
    for (i = 0; i < b->guard_count; i++) {
        if (!group_failed(w, b->guards[i]->group)) {
            left++;
        } else if (w->known[i] & CHANGED || (w->known[i] & HOLDS && !w->account[i])) {
            partly = 1;
        }
        w->known[i] &= FAILED;
    }
    return partly ? -1 : left;
}

static int32_t write_groups(struct writer *w) {
    crd_postgres *s = w->s;
    int64_t left;
    uint64_t i, count = 0;
    int32_t outcome;
    w->failed_group_count = 0;
    memset(w->known, 0, (size_t)w->batch->guard_count);
    for (;;) {
        crd__trip_start(s);
        add_accounts_seen(w);
        if (!crd__trip_run(s, 0, take_reply, w)) {
            return crd__pg_failure(s, 1);
        }
        left = sort_groups(w);
        if (left >= 0) {
            break;
        }
        outcome = crd__pg_end_call(s, CRD_OUTCOME_CONFLICT);
        if (outcome != CRD_OUTCOME_CONFLICT) {
            return outcome;
        }
    }
    for (i = 0; i < w->batch->guard_count; i++) {
        if (w->known[i] & FAILED) {
            w->out->failed[count++] = i;
        }
    }
    w->out->failed_count = count;
    if (left == 0) {
        return CRD_OUTCOME_CONFLICT;
    }
    crd__trip_start(s);
    add_documents(w, 0);
    add_stand_outs(w);
    crd__trip_control(s, s->joined ? CRD__RELEASE : CRD__COMMIT, ROLE_COMMIT, 0);
    return crd__trip_run(s, 0, take_reply, w) ? CRD_OUTCOME_DONE : verdict(w, 1);
}

/* ---- the callback ---- */

/* Where each kind begins, which change belongs to which guard, whether all is of one customer. */
static int32_t survey(struct writer *w) {
    const crd_batch *b = w->batch;
    uint64_t i, at = 0;
    uint32_t kind = 0;
    for (i = 0; i < b->change_count; i++) {
        const crd_change *change = b->changes[i];
        if (change->kind < kind || change->kind == 0 || change->kind >= CRD_KIND_COUNT
            || (change->operation != CRD_CHANGE_INSERT && change->operation != CRD_CHANGE_UPDATE)) {
            return crd__pg_refuse(w->s, CRD_OUTCOME_FAILED, "22023", "a change of unknown kind, operation or order");
        }
        while (kind < change->kind) {
            w->first[++kind] = i;
        }
    }
    while (kind < CRD_KIND_COUNT) {
        w->first[++kind] = b->change_count;
    }
    w->one_customer = b->guard_count > 0;
    for (i = 0; i < b->guard_count; i++) {
        w->one_customer &= strcmp(b->guards[i]->customer, b->guards[0]->customer) == 0;
    }
    for (i = w->first[CRD_KIND_ACCOUNT]; i < w->first[CRD_KIND_ACCOUNT + 1]; i++) {
        const crd_account_record *record = b->changes[i]->record;
        at = find_guard(w, record->customer, record->currency);
        if (at == NO_INDEX) {
            return crd__pg_refuse(w->s, CRD_OUTCOME_FAILED, "22023", "an account is written without a guard");
        }
        w->account[at] = b->changes[i];
    }
    return CRD_OUTCOME_DONE;
}

static int has_groups(const crd_batch *batch) {
    uint64_t i;
    for (i = 1; i < batch->guard_count && batch->flags & CRD_BATCH_INDEPENDENT; i++) {
        if (batch->guards[i]->group != batch->guards[0]->group) {
            return 1;
        }
    }
    return 0;
}

/* Whether an account is to be inserted where one is said to be, or updated where there is none: that is left to the way
 * that looks at every guard on its own. */
static int has_odd_guards(const struct writer *w) {
    uint64_t i;
    for (i = 0; i < w->batch->guard_count; i++) {
        if (w->account[i]
            && (w->account[i]->operation == CRD_CHANGE_INSERT) != (w->batch->guards[i]->version == 0)) {
            return 1;
        }
    }
    return 0;
}

static int32_t write_once(struct writer *w) {
    int32_t outcome = crd__pg_begin_call(w->s, 1);
    w->out->failed_count = 0;
    if (outcome == CRD_OUTCOME_DONE) {
        outcome = has_groups(w->batch) && !has_odd_guards(w) ? write_groups(w) : write_whole(w);
        outcome = crd__pg_end_call(w->s, outcome);
    }
    return outcome;
}

static int32_t write_all(struct writer *w) {
    crd_postgres *s = w->s;
    int32_t outcome;
    int attempt = 0;
    s->message[0] = 0;
    if (s->read_only) {
        return crd__pg_refuse(s, CRD_OUTCOME_FAILED, "25006", "the storage was opened read only");
    }
    outcome = survey(w);
    if (outcome != CRD_OUTCOME_DONE) {
        return outcome;
    }
    do {
        outcome = write_once(w);
    } while (outcome == CRD_OUTCOME_FAILED && !s->lost && (crd__pg_retry(s) || crd__pg_again(s)) && attempt++ < RETRIES);
    return outcome;
}

void CRD_CALL crd__pg_write(void *ctx, const crd_batch *batch, crd_write_result *out) {
    crd_postgres *s = ctx;
    struct writer w;
    size_t guards = (size_t)batch->guard_count + 1;
    memset(&w, 0, sizeof w);
    w.s = s;
    w.batch = batch;
    w.out = out;
    w.account = calloc(guards, sizeof *w.account);
    w.known = calloc(guards, sizeof *w.known);
    w.versions = calloc(guards, sizeof *w.versions);
    w.failed_groups = calloc(guards, sizeof *w.failed_groups);
    w.list = calloc((size_t)batch->change_count + 1, sizeof *w.list);
    out->failed_count = 0;
    if (w.account && w.known && w.versions && w.failed_groups && w.list) {
        out->outcome = write_all(&w);
    } else {
        out->outcome = crd__pg_nomem(s);
    }
    if (out->outcome != CRD_OUTCOME_DONE && out->outcome != CRD_OUTCOME_CONFLICT) {
        out->host_error = crd__pg_number(s->state);
        memcpy(out->host_text, s->message, sizeof out->host_text);
    }
    free((void *)w.account);
    free(w.known);
    free(w.versions);
    free(w.failed_groups);
    free(w.list);
    out->proof = batch->proof;
}
