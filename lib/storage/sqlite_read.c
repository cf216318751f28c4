/*
 * Reading from SQLite: a query becomes SELECTs, a row becomes a record.
 *
 * Terms. A *condition* is one term of a WHERE, in the table below, with the kinds it concerns. A *shape* is a
 * kind and the set of conditions asked of it; equal shapes share one prepared statement. A read is *paged*
 * for a kind when only records of certain accounts are wanted: the accounts are read and remembered first,
 * then the records of one after the other.
 *
 * 1. Accounts are emitted before all else (S3); all statements of a read see one snapshot.
 * 2. Every parameter has one number in all shapes, so binding does not depend on the shape.
 * 3. What a row holds is checked before it is emitted: a column of the wrong type or size fails the read.
 * 4. Where two conditions could contradict the rule "never less" (S1), the weaker reading is taken and the
 *    library filters. An empty id, like a missing one, sets no condition.
 */
#include "sqlite_private.h"

#include <stdlib.h>
#include <string.h>

/* Conditions, as bits of a shape. The kind is in the bits from KIND_SHIFT. */
#define BY_CUSTOMER (1u << 0)
#define BY_CURRENCY (1u << 1)
#define BY_ID (1u << 2)
#define BY_STATES (1u << 3)
#define BY_AFTER (1u << 4)
#define BY_REQUEST (1u << 5)
#define BY_SEQ_FROM (1u << 6)
#define BY_SEQ_TO (1u << 7)
#define BY_DATE_FROM (1u << 8)
#define BY_DATE_TO (1u << 9)
#define BY_CREDIT (1u << 10)
#define BY_INVOICE (1u << 11)
#define BY_RECEIPT (1u << 12)
#define BY_OPEN (1u << 13)
#define BY_BOTH_OPEN (1u << 14)
#define BY_UNACKNOWLEDGED (1u << 15)
#define BY_LIMIT (1u << 16)
/* Not conditions. Of an account: whether most documents of its customer may be open, as a last column. Of documents: the
 * open ones are found among all of the customer, not by the index. */
#define ASK_MOSTLY_OPEN (1u << 17)
#define MOSTLY_OPEN (1u << 18)
#define KIND_SHIFT 24

#define SQLITE_ACCOUNT CRD_KIND_BIT_ACCOUNT
#define SQLITE_STATEFUL (CRD_KIND_BIT_CREDIT | CRD_KIND_BIT_INVOICE | CRD_KIND_BIT_RECEIPT | CRD_KIND_BIT_HOLD)
/* The kinds that belong to an account; a customer and its requests are found by customer. */
#define SQLITE_OF_ACCOUNT (SQLITE_ACCOUNT | SQLITE_STATEFUL | CRD_KIND_BIT_LINE | CRD_KIND_BIT_ENTRY)
#define SQLITE_ENTRY CRD_KIND_BIT_ENTRY
#define ALL 0xffffffffu

/* Parameters of a SELECT by number; from 1, as SQLite has it. */
enum parameter {
    P_CUSTOMER = 1,
    P_CURRENCY,
    P_ID,
    P_STATES,
    P_AFTER_CUSTOMER,
    P_AFTER_CURRENCY,
    P_REQUEST,
    P_SEQ_FROM,
    P_SEQ_TO,
    P_DATE_FROM,
    P_DATE_TO,
    P_CREDIT,
    P_INVOICE,
    P_RECEIPT,
    P_LIMIT,
    P_COUNT
};

static const struct condition {
    uint32_t bit;
    uint32_t kinds;
    int first, count; /* parameters */
    const char *sql;
} conditions[] = {
    {BY_CUSTOMER, ALL, P_CUSTOMER, 1, "customer = ?1"},
    {BY_CURRENCY, SQLITE_OF_ACCOUNT, P_CURRENCY, 1, "currency = ?2"},
    {BY_ID, SQLITE_STATEFUL | CRD_KIND_BIT_LINE, P_ID, 1, "id = ?3"},
    {BY_STATES, SQLITE_STATEFUL, P_STATES, 1, "(?4 >> state) & 1"},
    {BY_AFTER, SQLITE_OF_ACCOUNT, P_AFTER_CUSTOMER, 2, "(customer, currency) > (?5, ?6)"},
    {BY_REQUEST, CRD_KIND_BIT_REQUEST, P_REQUEST, 1, "request_key = ?7"},
    {BY_SEQ_FROM, SQLITE_ENTRY, P_SEQ_FROM, 1, "seq >= ?8"},
    {BY_SEQ_TO, SQLITE_ENTRY, P_SEQ_TO, 1, "seq <= ?9"},
    {BY_DATE_FROM, SQLITE_ENTRY, P_DATE_FROM, 1, "business_date >= ?10"},
    {BY_DATE_TO, SQLITE_ENTRY, P_DATE_TO, 1, "business_date <= ?11"},
    {BY_CREDIT, SQLITE_ENTRY, P_CREDIT, 1, "credit = ?12"},
    {BY_INVOICE, SQLITE_ENTRY, P_INVOICE, 1, "invoice = ?13"},
    {BY_RECEIPT, SQLITE_ENTRY, P_RECEIPT, 1, "receipt = ?14"},
    /* From here on word for word as in the partial indexes of sqlite_schema.c. */
    {BY_OPEN, SQLITE_ACCOUNT, 0, 0, "(open_credits > 0 OR open_invoices > 0)"},
    {BY_OPEN, CRD_KIND_BIT_CREDIT, 0, 0, "remaining > 0"},
    {BY_OPEN, CRD_KIND_BIT_INVOICE, 0, 0, "(open > 0 OR state = 1)"},
    {BY_OPEN, CRD_KIND_BIT_HOLD, 0, 0, "amount > 0"},
    {BY_BOTH_OPEN, SQLITE_ACCOUNT, 0, 0, "open_credits > 0 AND open_invoices > 0"},
    {BY_UNACKNOWLEDGED, SQLITE_ACCOUNT, 0, 0, "acknowledged_seq < last_seq"},
};
#define CONDITIONS (sizeof conditions / sizeof *conditions)

/* One read on its way. */
struct sqlite_reader {
    crd_sqlite *s;
    const crd_query *query;
    crd_emit emit;
    void *sink;
    uint32_t bits; /* conditions the query sets */
    int remember;  /* accounts read now are those of a page */
    int silent;    /* and are not asked for themselves */
    int stopped;   /* emit had enough */
    const char *text[P_COUNT];
    int64_t number[P_COUNT];
};

static uint32_t bit_of(uint32_t kind) {
    return UINT32_C(1) << kind;
}

static void want_text(struct sqlite_reader *r, uint32_t bit, enum parameter p, const char *text) {
    if (text && *text) {
        r->bits |= bit;
        r->text[p] = text;
    }
}

static void want_number(struct sqlite_reader *r, uint32_t bit, enum parameter p, int64_t number) {
    if (number != 0) {
        r->bits |= bit;
        r->number[p] = number;
    }
}

static void note_conditions(struct sqlite_reader *r) {
    const crd_query *q = r->query;
    want_text(r, BY_CUSTOMER, P_CUSTOMER, q->customer);
    want_text(r, BY_ID, P_ID, q->id);
    want_number(r, BY_STATES, P_STATES, q->states);
    want_text(r, BY_AFTER, P_AFTER_CUSTOMER, q->after_customer);
    r->text[P_AFTER_CURRENCY] = q->after_currency ? q->after_currency : "";
    want_text(r, BY_REQUEST, P_REQUEST, q->request_key);
    want_number(r, BY_SEQ_FROM, P_SEQ_FROM, q->seq_from);
    want_number(r, BY_SEQ_TO, P_SEQ_TO, q->seq_to);
    want_number(r, BY_DATE_FROM, P_DATE_FROM, q->date_from);
    want_number(r, BY_DATE_TO, P_DATE_TO, q->date_to);
    want_text(r, BY_CREDIT, P_CREDIT, q->entry_credit);
    want_text(r, BY_INVOICE, P_INVOICE, q->entry_invoice);
    want_text(r, BY_RECEIPT, P_RECEIPT, q->entry_receipt);
    want_number(r, BY_LIMIT, P_LIMIT, q->limit);
    if (q->currency) {
        r->bits |= BY_CURRENCY;
        r->text[P_CURRENCY] = q->currency;
    }
    r->bits |= q->flags & CRD_QUERY_OPEN ? BY_OPEN : 0;
    r->bits |= q->flags & CRD_QUERY_BOTH_OPEN ? BY_BOTH_OPEN : 0;
    r->bits |= q->flags & CRD_QUERY_UNACKNOWLEDGED ? BY_UNACKNOWLEDGED : 0;
}

/* The conditions of a set that concern a kind, with the kind: the shape of the SELECT. */
static uint32_t sqlite_shape_of(uint32_t kind, uint32_t bits) {
    uint32_t shape = kind << KIND_SHIFT;
    size_t i;
    for (i = 0; i < CONDITIONS; i++) {
        if (conditions[i].kinds & bit_of(kind)) {
            shape |= bits & conditions[i].bit;
        }
    }
    return shape | (bits & (kind == CRD_KIND_ACCOUNT ? BY_LIMIT | ASK_MOSTLY_OPEN : MOSTLY_OPEN));
}

/* The index a SELECT must use whatever the planner thinks of it, so that a customer's open documents cost the
 * same in a small book and a large one. NULL: let the planner choose. */
static const char *index_of(uint32_t kind, uint32_t bits) {
    if (kind == CRD_KIND_ACCOUNT) {
        return bits & BY_BOTH_OPEN ? "crd_account_both_open" : NULL;
    }
    if (!(bits & BY_OPEN) || !(bits & BY_CUSTOMER) || bits & (BY_ID | MOSTLY_OPEN)) {
        return NULL;
    }
    return kind == CRD_KIND_CREDIT    ? "crd_credit_open"
           : kind == CRD_KIND_INVOICE ? "crd_invoice_open"
           : kind == CRD_KIND_HOLD    ? "crd_hold_open"
                                      : NULL;
}

static void append_columns(sqlite3_str *sql, const crd__table *table, const char *more) {
    int i;
    sqlite3_str_appendall(sql, "SELECT ");
    for (i = 0; i < table->column_count; i++) {
        sqlite3_str_appendf(sql, "%s%s", i ? ", " : "", table->columns[i].name);
    }
    sqlite3_str_appendf(sql, "%s FROM main.%s", more, table->name);
}

/* Every document has an entry of its own, so there are no more documents than entries. Passing by a closed document costs
 * half of what the index makes an open one cost. */
static const char mostly_open_sql[] =
    ", (SELECT total(last_seq) FROM main.crd_account AS own WHERE own.customer = crd_account.customer)"
    " <= 2 * (open_credits + open_invoices)";

static int32_t prepare_shape(crd_sqlite *s, uint32_t shape, sqlite3_stmt **out) {
    uint32_t kind = shape >> KIND_SHIFT;
    const char *index = index_of(kind, shape);
    sqlite3_str *sql = sqlite3_str_new(s->db);
    const char *link = " WHERE ";
    size_t i;
    append_columns(sql, &s->tables[kind], shape & ASK_MOSTLY_OPEN ? mostly_open_sql : "");
    if (index) {
        sqlite3_str_appendf(sql, " INDEXED BY %s", index);
    }
    for (i = 0; i < CONDITIONS; i++) {
        if (shape & conditions[i].bit && conditions[i].kinds & bit_of(kind)) {
            sqlite3_str_appendf(sql, "%s%s", link, conditions[i].sql);
            link = " AND ";
        }
    }
    if (shape & BY_LIMIT) {
        sqlite3_str_appendall(sql, " ORDER BY customer, currency LIMIT ?15");
    }
    return crd__sqlite_prepare_built(s, sql, out);
}

/* The statement of a shape: the kept one, or a new one in the place of the least recently used. */
static int32_t statement_of(crd_sqlite *s, uint32_t shape, sqlite3_stmt **out) {
    crd__shape *oldest = &s->shapes[0];
    int32_t outcome = CRD_OUTCOME_DONE;
    int i;
    for (i = 0; i < CRD__SHAPES && s->shapes[i].shape != shape; i++) {
        if (s->shapes[i].used < oldest->used) {
            oldest = &s->shapes[i];
        }
    }
    if (i < CRD__SHAPES) {
        oldest = &s->shapes[i];
    } else {
        sqlite3_finalize(oldest->statement);
        oldest->statement = NULL;
        oldest->shape = 0;
        oldest->used = 0;
        outcome = prepare_shape(s, shape, &oldest->statement);
        if (outcome != CRD_OUTCOME_DONE) {
            return outcome;
        }
        oldest->shape = shape;
    }
    oldest->used = ++s->shape_clock;
    *out = oldest->statement;
    return outcome;
}

static int32_t bind_shape(struct sqlite_reader *r, sqlite3_stmt *statement, uint32_t shape) {
    uint32_t kind = shape >> KIND_SHIFT;
    int code = SQLITE_OK;
    size_t i;
    int p;
    for (i = 0; i < CONDITIONS; i++) {
        if (!(shape & conditions[i].bit) || !(conditions[i].kinds & bit_of(kind))) {
            continue;
        }
        for (p = conditions[i].first; p < conditions[i].first + conditions[i].count; p++) {
            code |= r->text[p] ? sqlite3_bind_text(statement, p, r->text[p], -1, SQLITE_STATIC)
                               : sqlite3_bind_int64(statement, p, r->number[p]);
        }
    }
    if (shape & BY_LIMIT) {
        code |= sqlite3_bind_int64(statement, P_LIMIT, r->number[P_LIMIT]);
    }
    return code == SQLITE_OK ? CRD_OUTCOME_DONE : crd__sqlite_failed(r->s);
}

static int32_t wrong_column(crd_sqlite *s, const crd__table *table, const crd__column *column,
                            sqlite3_stmt *row) {
    const char *customer = (const char *)sqlite3_column_text(row, table->key_column[0]);
    return crd__sqlite_refuse(s, CRD_OUTCOME_FAILED, SQLITE_MISMATCH,
                              "%s.%s of customer '%.63s' holds a value of the wrong type, size or range",
                              table->name, column->name, customer ? customer : "");
}

/*
 * What a row holds, put where it belongs: form by form. Each returns the first slot that may not hold what it holds, or
 * the end of its forms.
 *
 * Reading a row is most of the cost of reading, so each column is asked for once, as a value. SQLite calls
 * such a value unprotected, for its connection might be used by another thread; ours is not while a call
 * lasts.
 */
static const crd__slot *take_numbers(const crd__table *table, sqlite3_stmt *row, unsigned char *record) {
    const crd__slot *slot = table->slots;
    for (; slot < table->end[CRD__FORM_I32]; slot++) {
        sqlite3_value *value = sqlite3_column_value(row, slot->column);
        int64_t number = sqlite3_value_int64(value);
        uint32_t narrow = (uint32_t)number;
        memcpy(record + slot->offset, &narrow, sizeof narrow);
        if (sqlite3_value_type(value) != SQLITE_INTEGER
            || number != (slot < table->end[CRD__FORM_U32] ? (int64_t)narrow : (int64_t)(int32_t)narrow)) {
            return slot;
        }
    }
    for (; slot < table->end[CRD__FORM_I64]; slot++) {
        sqlite3_value *value = sqlite3_column_value(row, slot->column);
        int64_t number = sqlite3_value_int64(value);
        memcpy(record + slot->offset, &number, sizeof number);
        if (sqlite3_value_type(value) != SQLITE_INTEGER) {
            return slot;
        }
    }
    return slot;
}

static const crd__slot *take_texts(const crd__table *table, sqlite3_stmt *row, unsigned char *record) {
    const crd__slot *slot = table->end[CRD__FORM_I64];
    for (; slot < table->end[CRD__FORM_TEXT]; slot++) {
        sqlite3_value *value = sqlite3_column_value(row, slot->column);
        const unsigned char *text = sqlite3_value_type(value) == SQLITE_TEXT ? sqlite3_value_text(value) : NULL;
        memcpy(record + slot->offset, &text, sizeof text);
        if (!text) {
            return slot;
        }
    }
    return slot;
}

static const crd__slot *take_bytes(const crd__table *table, sqlite3_stmt *row, unsigned char *record) {
    const crd__slot *slot = table->end[CRD__FORM_TEXT];
    for (; slot < table->end[CRD__FORM_BYTES]; slot++) {
        sqlite3_value *value = sqlite3_column_value(row, slot->column);
        const void *bytes;
        uint64_t size;
        if (sqlite3_value_type(value) != SQLITE_BLOB) {
            return slot;
        }
        bytes = sqlite3_value_blob(value);
        size = (uint64_t)sqlite3_value_bytes(value);
        if (slot < table->end[CRD__FORM_HASH] && size != 32) {
            return slot;
        }
        if (slot < table->end[CRD__FORM_HASH]) {
            memcpy(record + slot->offset, bytes, 32);
        } else {
            memcpy(record + slot->offset, &bytes, sizeof bytes);
            memcpy(record + table->columns[slot->column].size_offset, &size, sizeof size);
        }
    }
    return slot;
}

/* Makes s->record of a row. Its texts live as long as the row. */
static int32_t take_row(crd_sqlite *s, uint32_t kind, sqlite3_stmt *row) {
    const crd__table *table = &s->tables[kind];
    uint32_t size = s->storage.record_size[kind];
    unsigned char *record = (unsigned char *)&s->record;
    const crd__slot *wrong;
    memset(record, 0, size);
    memcpy(record, &size, sizeof size);
    if ((wrong = take_numbers(table, row, record)) == table->end[CRD__FORM_I64]
        && (wrong = take_texts(table, row, record)) == table->end[CRD__FORM_TEXT]
        && (wrong = take_bytes(table, row, record)) == table->end[CRD__FORM_BYTES]) {
        return CRD_OUTCOME_DONE;
    }
    return sqlite3_errcode(s->db) == SQLITE_NOMEM
               ? crd__sqlite_failed(s)
               : wrong_column(s, table, &table->columns[wrong->column], row);
}

/* What is remembered of an account of the page, in front of its customer and currency. */
struct remembered {
    int64_t acknowledged_seq;
    int64_t mostly_open;
};

/* Notes the account just read. */
static int32_t remember_account(crd_sqlite *s, sqlite3_stmt *row) {
    const crd_account_record *account = &s->record.account;
    size_t customer = strlen(account->customer) + 1, currency = strlen(account->currency) + 1;
    int last = s->tables[CRD_KIND_ACCOUNT].column_count;
    struct remembered head = {account->acknowledged_seq,
                              sqlite3_data_count(row) > last ? sqlite3_column_int(row, last) : 0};
    uint64_t need = s->accounts_used + sizeof head + customer + currency;
    unsigned char *end;
    if (need > s->accounts_room) {
        unsigned char *grown = sqlite3_realloc64(s->accounts, 2 * need + 4096);
        if (!grown) {
            return crd__sqlite_refuse(s, CRD_OUTCOME_FAILED, SQLITE_NOMEM, "out of memory");
        }
        s->accounts = grown;
        s->accounts_room = 2 * need + 4096;
    }
    end = s->accounts + s->accounts_used;
    memcpy(end, &head, sizeof head);
    memcpy(end + sizeof head, account->customer, customer);
    memcpy(end + sizeof head + customer, account->currency, currency);
    s->accounts_used = need;
    return CRD_OUTCOME_DONE;
}

/* Steps a bound statement to its end, or until emit had enough, and resets it either way. */
static int32_t run_select(struct sqlite_reader *r, uint32_t kind, sqlite3_stmt *statement) {
    crd_sqlite *s = r->s;
    int32_t outcome = CRD_OUTCOME_DONE;
    int code = SQLITE_DONE;
    while (outcome == CRD_OUTCOME_DONE && !r->stopped && (code = sqlite3_step(statement)) == SQLITE_ROW) {
        outcome = take_row(s, kind, statement);
        if (outcome == CRD_OUTCOME_DONE && kind == CRD_KIND_ACCOUNT && r->remember) {
            outcome = remember_account(s, statement);
        }
        if (outcome == CRD_OUTCOME_DONE && !(kind == CRD_KIND_ACCOUNT && r->silent)) {
            r->stopped = r->emit(r->sink, kind, &s->record) != 0;
        }
    }
    if (outcome == CRD_OUTCOME_DONE && code != SQLITE_DONE && code != SQLITE_ROW) {
        outcome = crd__sqlite_failed(s);
    }
    sqlite3_reset(statement);
    return outcome;
}

static int32_t read_kind(struct sqlite_reader *r, uint32_t kind, uint32_t bits) {
    uint32_t shape = sqlite_shape_of(kind, bits);
    sqlite3_stmt *statement = NULL;
    int32_t outcome = statement_of(r->s, shape, &statement);
    if (outcome == CRD_OUTCOME_DONE) {
        outcome = bind_shape(r, statement, shape);
    }
    return outcome == CRD_OUTCOME_DONE ? run_select(r, kind, statement) : outcome;
}

/* Reads the records of one kind for every account remembered; those that belong to a customer once for each.
 * */
static int32_t read_paged(struct sqlite_reader *r, uint32_t kind) {
    struct sqlite_reader one = *r;
    crd_sqlite *s = r->s;
    int by_account = (SQLITE_OF_ACCOUNT & bit_of(kind)) != 0;
    int unseen = kind == CRD_KIND_ENTRY && r->bits & BY_UNACKNOWLEDGED;
    uint32_t bits = (r->bits & ~BY_AFTER) | BY_CUSTOMER | BY_CURRENCY | (unseen ? BY_SEQ_FROM : 0u);
    const char *last = "";
    int32_t outcome = CRD_OUTCOME_DONE;
    uint64_t at = 0;
    while (at < s->accounts_used && outcome == CRD_OUTCOME_DONE && !one.stopped) {
        const char *customer = (const char *)s->accounts + at + sizeof(struct remembered);
        const char *currency = customer + strlen(customer) + 1;
        struct remembered head;
        memcpy(&head, s->accounts + at, sizeof head);
        at = (uint64_t)(currency + strlen(currency) + 1 - (const char *)s->accounts);
        if (!by_account && strcmp(customer, last) == 0) {
            continue;
        }
        last = customer;
        one.text[P_CUSTOMER] = customer;
        one.text[P_CURRENCY] = currency;
        if (unseen) {
            one.number[P_SEQ_FROM] =
                r->number[P_SEQ_FROM] > head.acknowledged_seq ? r->number[P_SEQ_FROM] : head.acknowledged_seq + 1;
        }
        outcome = read_kind(&one, kind, head.mostly_open && index_of(kind, bits) ? bits | MOSTLY_OPEN : bits);
    }
    r->stopped = one.stopped;
    return outcome;
}

/*
 * Reads kind after kind, the account first. Which kinds are paged: all, with a limit or when only accounts
 * with both sides open count; the entries alone, when only unacknowledged ones are wanted. In the last case,
 * and when there is no limit, a condition on the accounts that says nothing about the paged kinds is dropped,
 * so that it takes none of their records away.
 */
static int32_t read_kinds(struct sqlite_reader *r) {
    uint32_t kinds = r->query->kinds, paged = 0, bits = r->bits, kind;
    int32_t outcome = CRD_OUTCOME_DONE;
    if (bits & (BY_LIMIT | BY_BOTH_OPEN)) {
        paged = ALL;
    } else if (bits & BY_UNACKNOWLEDGED) {
        paged = SQLITE_ENTRY;
    }
    paged &= kinds & ~SQLITE_ACCOUNT;
    if (paged && !(bits & BY_LIMIT)) {
        bits &= ~(bits & BY_BOTH_OPEN ? BY_UNACKNOWLEDGED : BY_OPEN);
    }
    r->remember = paged != 0;
    if (r->remember && bits & BY_OPEN) {
        bits |= ASK_MOSTLY_OPEN;
    }
    r->silent = !(kinds & SQLITE_ACCOUNT);
    r->s->accounts_used = 0;
    if (!r->silent || r->remember) {
        outcome = read_kind(r, CRD_KIND_ACCOUNT, bits);
    }
    for (kind = CRD_KIND_ACCOUNT + 1; kind < CRD_KIND_COUNT && outcome == CRD_OUTCOME_DONE && !r->stopped;
         kind++) {
        if (paged & bit_of(kind)) {
            outcome = read_paged(r, kind);
        } else if (kinds & bit_of(kind)) {
            outcome = read_kind(r, kind, r->bits);
        }
    }
    return outcome;
}

static const char *sqlite_or_empty(const char *text) {
    return text ? text : "";
}

static int sqlite_compare_keys(const void *left, const void *right) {
    const crd_key *a = *(const crd_key *const *)left, *b = *(const crd_key *const *)right;
    int order;
    if (a->kind != b->kind) {
        return a->kind < b->kind ? -1 : 1;
    }
    order = strcmp(sqlite_or_empty(a->customer), sqlite_or_empty(b->customer));
    order = order ? order : strcmp(sqlite_or_empty(a->currency), sqlite_or_empty(b->currency));
    order = order ? order : strcmp(sqlite_or_empty(a->id), sqlite_or_empty(b->id));
    if (order || (a->document_kind == b->document_kind && a->number == b->number)) {
        return order;
    }
    if (a->document_kind != b->document_kind) {
        return a->document_kind < b->document_kind ? -1 : 1;
    }
    return a->number < b->number ? -1 : 1;
}

static int32_t prepare_find(crd_sqlite *s, crd__table *table) {
    sqlite3_str *sql = sqlite3_str_new(s->db);
    int i;
    append_columns(sql, table, "");
    for (i = 0; i < table->key_count; i++) {
        sqlite3_str_appendf(sql, "%s%s = ?%d", i ? " AND " : " WHERE ",
                            table->columns[table->key_column[i]].name, i + 1);
    }
    return crd__sqlite_prepare_built(s, sql, &table->find);
}

static int bind_key(const crd__table *table, const crd_key *key) {
    int i, code = SQLITE_OK;
    for (i = 0; i < table->key_count; i++) {
        const crd__column *column = &table->columns[table->key_column[i]];
        if (column->form == CRD__FORM_U32) {
            code |= sqlite3_bind_int64(table->find, i + 1, key->document_kind);
        } else if (column->form == CRD__FORM_I64) {
            code |= sqlite3_bind_int64(table->find, i + 1, key->number);
        } else {
            const char *text = strcmp(column->name, "customer") == 0   ? key->customer
                               : strcmp(column->name, "currency") == 0 ? key->currency
                                                                       : key->id;
            code |= sqlite3_bind_text(table->find, i + 1, sqlite_or_empty(text), -1, SQLITE_STATIC);
        }
    }
    return code;
}

static int32_t sqlite_read_key(struct sqlite_reader *r, const crd_key *key) {
    crd__table *table = &r->s->tables[key->kind];
    int32_t outcome = table->find ? CRD_OUTCOME_DONE : prepare_find(r->s, table);
    if (outcome == CRD_OUTCOME_DONE && bind_key(table, key) != SQLITE_OK) {
        outcome = crd__sqlite_failed(r->s);
    }
    return outcome == CRD_OUTCOME_DONE ? run_select(r, key->kind, table->find) : outcome;
}

/* Reads records by key: sorted, so that accounts come first and none is emitted twice. */
static int32_t sqlite_read_keys(struct sqlite_reader *r) {
    const crd_query *q = r->query;
    const crd_key **keys = sqlite3_malloc64(q->key_count * sizeof *keys);
    int32_t outcome = CRD_OUTCOME_DONE;
    uint64_t i;
    if (!keys) {
        return crd__sqlite_refuse(r->s, CRD_OUTCOME_FAILED, SQLITE_NOMEM, "out of memory");
    }
    for (i = 0; i < q->key_count; i++) {
        keys[i] = q->keys[i];
    }
    qsort(keys, (size_t)q->key_count, sizeof *keys, sqlite_compare_keys);
    for (i = 0; i < q->key_count && outcome == CRD_OUTCOME_DONE && !r->stopped; i++) {
        uint32_t kind = keys[i]->kind;
        if (kind == 0 || kind >= CRD_KIND_COUNT || !(q->kinds & bit_of(kind))
            || (i > 0 && sqlite_compare_keys(&keys[i - 1], &keys[i]) == 0)) {
            continue;
        }
        outcome = sqlite_read_key(r, keys[i]);
    }
    sqlite3_free(keys);
    return outcome;
}

static int32_t sqlite_read_all(struct sqlite_reader *r) {
    crd_sqlite *s = r->s;
    int32_t outcome = CRD_OUTCOME_DONE;
    if (s->provisional) {
        outcome = crd__sqlite_ensure_schema(s);
    }
    if (outcome == CRD_OUTCOME_DONE) {
        outcome = crd__sqlite_begin(s, 0);
    }
    if (outcome != CRD_OUTCOME_DONE) {
        return outcome;
    }
    if (s->joined && !s->read_only && r->query->flags & CRD_QUERY_FOR_WRITE) {
        outcome = crd__sqlite_run(s, CRD__LOCK);
    }
    if (outcome == CRD_OUTCOME_DONE) {
        outcome = crd__sqlite_check_version(s);
    }
    if (outcome == CRD_OUTCOME_DONE) {
        outcome = r->query->key_count ? sqlite_read_keys(r) : read_kinds(r);
    }
    return crd__sqlite_end(s, 0, outcome);
}

void CRD_CALL crd__sqlite_read(void *ctx, const crd_query *query, crd_emit emit, void *sink,
                               crd_read_result *out) {
    crd_sqlite *s = ctx;
    struct sqlite_reader r;
    memset(&r, 0, sizeof r);
    r.s = s;
    r.query = query;
    r.emit = emit;
    r.sink = sink;
    note_conditions(&r);
    s->message[0] = 0;
    s->error = 0;
    out->outcome = sqlite_read_all(&r);
    if (out->outcome != CRD_OUTCOME_DONE) {
        out->host_error = s->error;
        memcpy(out->host_text, s->message, sizeof out->host_text);
    }
    out->proof = query->proof;
}
