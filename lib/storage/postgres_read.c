/*
 * Reading from PostgreSQL: a query becomes SELECTs, a row becomes a record.
 *
 * Terms. A *condition* is one term of a WHERE, in the table below, with the kinds it concerns. A *shape* is a kind and
 * the set of conditions asked of it; equal shapes share one statement. A read is *paged* for a kind when only records
 * of certain accounts are wanted: the accounts are read first, then, in a second trip, the records of all of them.
 *
 * 1. Accounts are emitted before all else (S3). All statements of a read see one snapshot, wherever one server holds the
 *    rows: they run in one transaction, REPEATABLE READ, which takes no lock and cannot fail for it. In a transaction of
 *    the host's they see what it sees; accounts are read first.
 * 2. A read of one customer, or of one page, is taken whole before any of it is emitted, so that one whose connection was
 *    lost is simply made again. A read of a whole book is handed on as it comes, and fails then.
 * 3. What a row holds is checked before it is emitted: a NULL or a value of the wrong size fails the read.
 * 4. Where two conditions could contradict the rule "never less" (S1), the weaker reading is taken and the library
 *    filters. An empty id, like a missing one, sets no condition.
 */
#include "postgres_private.h"

#include <stdlib.h>
#include <string.h>

/* Conditions, as bits of a shape. The kind is in the bits from KIND_SHIFT. */
#define BY_CUSTOMER (UINT32_C(1) << 0)
#define BY_CURRENCY (UINT32_C(1) << 1)
#define BY_ID (UINT32_C(1) << 2)
#define BY_STATES (UINT32_C(1) << 3)
#define BY_AFTER (UINT32_C(1) << 4)
#define BY_REQUEST (UINT32_C(1) << 5)
#define BY_SEQ_FROM (UINT32_C(1) << 6)
#define BY_SEQ_TO (UINT32_C(1) << 7)
#define BY_DATE_FROM (UINT32_C(1) << 8)
#define BY_DATE_TO (UINT32_C(1) << 9)
#define BY_CREDIT (UINT32_C(1) << 10)
#define BY_INVOICE (UINT32_C(1) << 11)
#define BY_RECEIPT (UINT32_C(1) << 12)
#define BY_OPEN (UINT32_C(1) << 13)
#define BY_BOTH_OPEN (UINT32_C(1) << 14)
#define BY_UNACKNOWLEDGED (UINT32_C(1) << 15)
#define BY_LIMIT (UINT32_C(1) << 16)
/* Not conditions of a query: only the records of the page's accounts, customers, or unseen entries of accounts. */
#define OF_ACCOUNTS (UINT32_C(1) << 17)
#define OF_CUSTOMERS (UINT32_C(1) << 18)
#define UNSEEN (UINT32_C(1) << 19)
#define LOCKED (UINT32_C(1) << 20)
#define KIND_SHIFT 32

#define ACCOUNT CRD_KIND_BIT_ACCOUNT
#define STATEFUL (CRD_KIND_BIT_CREDIT | CRD_KIND_BIT_INVOICE | CRD_KIND_BIT_RECEIPT | CRD_KIND_BIT_HOLD)
/* The kinds that belong to an account; a customer and its requests are found by customer. */
#define OF_ACCOUNT (ACCOUNT | STATEFUL | CRD_KIND_BIT_LINE | CRD_KIND_BIT_ENTRY)
#define ENTRY CRD_KIND_BIT_ENTRY
#define ALL 0xffffffffu

/* Accounts of one statement of a paged read. */
#define PAGE 1024
/* Keys that are looked up one by one. */
#define FEW_KEYS 3

/* Roles are kinds. */
#define ROLE_PLAIN 100
#define ROLE_VERSION 101

/* What a condition is given. */
enum parameter {
    P_NONE,
    P_CUSTOMER,
    P_CURRENCY,
    P_ID,
    P_STATES,
    P_AFTER,
    P_REQUEST,
    P_SEQ_FROM,
    P_SEQ_TO,
    P_DATE_FROM,
    P_DATE_TO,
    P_CREDIT,
    P_INVOICE,
    P_RECEIPT
};

/* In `sql`, # stands for the next parameter. */
static const struct condition {
    uint32_t bit;
    uint32_t kinds;
    enum parameter parameter;
    const char *sql;
} conditions[] = {
    {BY_CUSTOMER, ALL, P_CUSTOMER, "t.customer = #"},
    {BY_CURRENCY, OF_ACCOUNT, P_CURRENCY, "t.currency = #"},
    {BY_ID, STATEFUL | CRD_KIND_BIT_LINE, P_ID, "t.id = #"},
    {BY_STATES, STATEFUL, P_STATES, "((# >> t.state) & 1) = 1"},
    {BY_AFTER, OF_ACCOUNT, P_AFTER, "(t.customer, t.currency) > (#, #)"},
    {BY_REQUEST, CRD_KIND_BIT_REQUEST, P_REQUEST, "t.request_key = #"},
    {BY_SEQ_FROM, ENTRY, P_SEQ_FROM, "t.seq >= #"},
    {BY_SEQ_TO, ENTRY, P_SEQ_TO, "t.seq <= #"},
    {BY_DATE_FROM, ENTRY, P_DATE_FROM, "t.business_date >= #::bigint"},
    {BY_DATE_TO, ENTRY, P_DATE_TO, "t.business_date <= #::bigint"},
    {BY_CREDIT, ENTRY, P_CREDIT, "t.credit = #"},
    {BY_INVOICE, ENTRY, P_INVOICE, "t.invoice = #"},
    {BY_RECEIPT, ENTRY, P_RECEIPT, "t.receipt = #"},
    {BY_OPEN, ACCOUNT, P_NONE, "(t.open_credits > 0 OR t.open_invoices > 0)"},
    {BY_OPEN, CRD_KIND_BIT_CREDIT | CRD_KIND_BIT_INVOICE | CRD_KIND_BIT_HOLD, P_NONE, "t.is_open"},
    {BY_BOTH_OPEN, ACCOUNT, P_NONE, "t.both_open"},
    {BY_UNACKNOWLEDGED, ACCOUNT, P_NONE, "t.acknowledged_seq < t.last_seq"},
};
#define CONDITIONS (sizeof conditions / sizeof *conditions)

/* An account of the page. */
struct paged {
    char *customer, *currency;
    int64_t acknowledged_seq;
};

/* One read on its way. */
struct reader {
    crd_postgres *s;
    const crd_query *query;
    crd_emit emit;
    void *sink;
    uint32_t bits; /* conditions the query sets */
    int stream;    /* rows are emitted as they come */
    int remember;  /* accounts read now are those of a page */
    int silent;    /* and are not asked for themselves */
    int stopped;   /* emit had enough */
    int emitted;   /* something was */
    int versed;    /* the schema's version was read */
    int holds;     /* the accounts are locked, and stay so until the next call */
    int32_t outcome;
    struct paged *page;
    size_t page_count, page_room;
    PGresult **kept; /* replies of the trip, to be emitted after it */
    uint32_t *kept_kind;
    size_t kept_count, kept_room;
};

static uint32_t bit_of(uint32_t kind) {
    return UINT32_C(1) << kind;
}

static int given(const char *text) {
    return text && *text;
}

static void note_conditions(struct reader *r) {
    const crd_query *q = r->query;
    r->bits = (given(q->customer) ? BY_CUSTOMER : 0) | (q->currency ? BY_CURRENCY : 0) | (given(q->id) ? BY_ID : 0)
              | (q->states ? BY_STATES : 0) | (given(q->after_customer) ? BY_AFTER : 0)
              | (given(q->request_key) ? BY_REQUEST : 0) | (q->seq_from ? BY_SEQ_FROM : 0)
              | (q->seq_to ? BY_SEQ_TO : 0) | (q->date_from ? BY_DATE_FROM : 0) | (q->date_to ? BY_DATE_TO : 0)
              | (given(q->entry_credit) ? BY_CREDIT : 0) | (given(q->entry_invoice) ? BY_INVOICE : 0)
              | (given(q->entry_receipt) ? BY_RECEIPT : 0) | (q->limit ? BY_LIMIT : 0)
              | (q->flags & CRD_QUERY_OPEN ? BY_OPEN : 0) | (q->flags & CRD_QUERY_BOTH_OPEN ? BY_BOTH_OPEN : 0)
              | (q->flags & CRD_QUERY_UNACKNOWLEDGED ? BY_UNACKNOWLEDGED : 0);
}

/* ---- statements ---- */

/* The conditions of a set that concern a kind, with the kind: the shape of the SELECT. */
static uint64_t shape_of(uint32_t kind, uint32_t bits) {
    uint64_t shape = (uint64_t)kind << KIND_SHIFT;
    size_t i;
    for (i = 0; i < CONDITIONS; i++) {
        if (conditions[i].kinds & bit_of(kind)) {
            shape |= bits & conditions[i].bit;
        }
    }
    return shape | (bits & (kind == CRD_KIND_ACCOUNT ? BY_LIMIT | LOCKED : OF_ACCOUNTS | OF_CUSTOMERS | UNSEEN));
}

static void add_columns(crd__sql *sql, crd_postgres *s, const crd__table *table) {
    int i;
    for (i = 0; i < table->column_count; i++) {
        crd__sql_add(sql, "%st.%s", i ? ", " : "SELECT ", table->columns[i].name);
    }
    crd__sql_add(sql, " FROM %s.%s AS t", s->schema, table->name);
}

static int32_t write_shape(crd_postgres *s, uint64_t shape, crd__statement *out) {
    uint32_t kind = (uint32_t)(shape >> KIND_SHIFT);
    crd__sql sql = {NULL, 0, 0, 0};
    const char *link = " WHERE ", *at;
    int number = 0;
    size_t i;
    add_columns(&sql, s, &s->tables[kind]);
    if (shape & OF_CUSTOMERS) {
        crd__sql_add(&sql, " JOIN unnest($1::text[]) AS u (customer) ON t.customer = u.customer");
        number = 1;
    } else if (shape & UNSEEN) {
        crd__sql_add(&sql, " JOIN unnest($1::text[], $2::text[], $3::bigint[]) AS u (customer, currency, seq)"
                           " ON t.customer = u.customer AND t.currency = u.currency AND t.seq >= u.seq");
        number = 3;
    } else if (shape & OF_ACCOUNTS) {
        crd__sql_add(&sql, " JOIN unnest($1::text[], $2::text[]) AS u (customer, currency)"
                           " ON t.customer = u.customer AND t.currency = u.currency");
        number = 2;
    }
    for (i = 0; i < CONDITIONS; i++) {
        if (!(shape & conditions[i].bit) || !(conditions[i].kinds & bit_of(kind))) {
            continue;
        }
        crd__sql_add(&sql, "%s", link);
        link = " AND ";
        for (at = conditions[i].sql; *at; at++) {
            if (*at == '#') {
                crd__sql_add(&sql, conditions[i].parameter == P_STATES ? "$%d::bigint" : "$%d", ++number);
            } else {
                crd__sql_add(&sql, "%c", *at);
            }
        }
    }
    if (shape & BY_LIMIT) {
        crd__sql_add(&sql, " ORDER BY t.customer, t.currency LIMIT $%d::bigint", ++number);
    }
    if (shape & LOCKED) {
        crd__sql_add(&sql, " FOR NO KEY UPDATE");
    }
    return crd__pg_statement(s, &sql, out);
}

/* The statement of a shape: a kept one, or a new one. The last place is for all that find no other. */
static int32_t statement_of(crd_postgres *s, uint64_t shape, crd__statement **out) {
    int i;
    for (i = 0; i < CRD__SHAPES - 1 && s->shapes[i].shape != shape && s->shapes[i].shape != 0; i++) {
    }
    *out = &s->shapes[i].statement;
    if (s->shapes[i].shape == shape) {
        return CRD_OUTCOME_DONE;
    }
    free(s->shapes[i].statement.sql);
    memset(&s->shapes[i], 0, sizeof s->shapes[i]);
    if (write_shape(s, shape, *out) != CRD_OUTCOME_DONE) {
        return CRD_OUTCOME_FAILED;
    }
    s->shapes[i].shape = shape;
    return CRD_OUTCOME_DONE;
}

static void bind_condition(crd_postgres *s, const crd_query *q, enum parameter p) {
    switch (p) {
    case P_NONE: break;
    case P_CUSTOMER: crd__param_text(s, q->customer); break;
    case P_CURRENCY: crd__param_text(s, q->currency); break;
    case P_ID: crd__param_text(s, q->id); break;
    case P_STATES: crd__param_i64(s, q->states); break;
    case P_AFTER:
        crd__param_text(s, q->after_customer);
        crd__param_text(s, q->after_currency);
        break;
    case P_REQUEST: crd__param_text(s, q->request_key); break;
    case P_SEQ_FROM: crd__param_i64(s, q->seq_from); break;
    case P_SEQ_TO: crd__param_i64(s, q->seq_to); break;
    case P_DATE_FROM: crd__param_i64(s, q->date_from); break;
    case P_DATE_TO: crd__param_i64(s, q->date_to); break;
    case P_CREDIT: crd__param_text(s, q->entry_credit); break;
    case P_INVOICE: crd__param_text(s, q->entry_invoice); break;
    case P_RECEIPT: crd__param_text(s, q->entry_receipt); break;
    }
}

/* Adds the SELECT of a kind to the trip; the parameters of its page, if any, are there already. */
static void add_kind(struct reader *r, uint32_t kind, uint32_t bits) {
    uint64_t shape = shape_of(kind, bits);
    crd__statement *statement;
    size_t i;
    if (statement_of(r->s, shape, &statement) != CRD_OUTCOME_DONE) {
        r->s->broken = 1;
        return;
    }
    for (i = 0; i < CONDITIONS; i++) {
        if (shape & conditions[i].bit && conditions[i].kinds & bit_of(kind)) {
            bind_condition(r->s, r->query, conditions[i].parameter);
        }
    }
    if (shape & BY_LIMIT) {
        crd__param_i64(r->s, r->query->limit);
    }
    crd__trip_add(r->s, statement, (int)kind, 0);
}

/* ---- rows ---- */

static uint32_t get32(const unsigned char *from) {
    return (uint32_t)from[0] << 24 | (uint32_t)from[1] << 16 | (uint32_t)from[2] << 8 | from[3];
}

static int64_t get64(const unsigned char *from) {
    return (int64_t)((uint64_t)get32(from) << 32 | get32(from + 4));
}

static int take_field(const crd__column *column, const PGresult *rows, int row, int field, unsigned char *record) {
    const unsigned char *value = (const unsigned char *)PQgetvalue(rows, row, field);
    uint64_t size = (uint64_t)PQgetlength(rows, row, field);
    uint32_t narrow;
    int64_t wide;
    if (size == 0 && PQgetisnull(rows, row, field)) {
        return 0;
    }
    switch (column->form) {
    case CRD__FORM_I32:
        if (size != 4) {
            return 0;
        }
        narrow = get32(value);
        memcpy(record + column->offset, &narrow, sizeof narrow);
        return 1;
    case CRD__FORM_I64:
        if (size != 8) {
            return 0;
        }
        wide = get64(value);
        memcpy(record + column->offset, &wide, sizeof wide);
        return 1;
    case CRD__FORM_HASH:
        if (size != 32) {
            return 0;
        }
        memcpy(record + column->offset, value, 32);
        return 1;
    case CRD__FORM_BYTES:
        memcpy(record + column->size_offset, &size, sizeof size);
        break;
    default:
        break;
    }
    memcpy(record + column->offset, &value, sizeof value);
    return 1;
}

/* Makes s->record of a row. Its texts live as long as the reply. */
static int32_t take_row(crd_postgres *s, uint32_t kind, const PGresult *rows, int row) {
    const crd__table *table = &s->tables[kind];
    uint32_t size = s->storage.record_size[kind];
    unsigned char *record = (unsigned char *)&s->record;
    int i;
    memset(record, 0, size);
    memcpy(record, &size, sizeof size);
    for (i = 0; i < table->column_count; i++) {
        if (!take_field(&table->columns[i], rows, row, i, record)) {
            return crd__pg_refuse(s, CRD_OUTCOME_FAILED, "22000",
                                  "%s.%s of customer '%.63s' is NULL or a value of the wrong size", table->name,
                                  table->columns[i].name, PQgetvalue(rows, row, table->key_column[0]));
        }
    }
    return CRD_OUTCOME_DONE;
}

static char *copy_text(const char *text) {
    size_t size = strlen(text) + 1;
    char *copy = malloc(size);
    if (copy) {
        memcpy(copy, text, size);
    }
    return copy;
}

static int32_t remember_account(struct reader *r) {
    const crd_account_record *account = &r->s->record.account;
    struct paged *to;
    if (r->page_count == r->page_room) {
        size_t room = 2 * r->page_room + 256;
        struct paged *grown = realloc(r->page, room * sizeof *grown);
        if (!grown) {
            return crd__pg_nomem(r->s);
        }
        r->page = grown;
        r->page_room = room;
    }
    to = &r->page[r->page_count];
    to->customer = copy_text(account->customer);
    to->currency = copy_text(account->currency);
    to->acknowledged_seq = account->acknowledged_seq;
    r->page_count++;
    return to->customer && to->currency ? CRD_OUTCOME_DONE : crd__pg_nomem(r->s);
}

/* The accounts of a page, before any of it is emitted. */
static void remember_rows(struct reader *r, const PGresult *rows) {
    int row, count = PQntuples(rows);
    for (row = 0; row < count && r->outcome == CRD_OUTCOME_DONE; row++) {
        r->outcome = take_row(r->s, CRD_KIND_ACCOUNT, rows, row);
        if (r->outcome == CRD_OUTCOME_DONE) {
            r->outcome = remember_account(r);
        }
    }
}

/* Hands on the rows of a reply. */
static void emit_rows(struct reader *r, uint32_t kind, const PGresult *rows) {
    int row, count = PQntuples(rows);
    for (row = 0; row < count && r->outcome == CRD_OUTCOME_DONE && !r->stopped; row++) {
        r->outcome = take_row(r->s, kind, rows, row);
        if (r->outcome == CRD_OUTCOME_DONE && !(kind == CRD_KIND_ACCOUNT && r->silent)) {
            r->emitted = 1;
            r->stopped = r->emit(r->sink, kind, &r->s->record) != 0;
        }
    }
}

/* Rows that come one at a time are closed by a reply without any. */
static void check_version(struct reader *r, const PGresult *rows) {
    int64_t version = 0;
    if (r->versed) {
        return;
    }
    r->versed = 1;
    if (PQntuples(rows) == 1 && PQgetlength(rows, 0, 0) == 8) {
        version = get64((const unsigned char *)PQgetvalue(rows, 0, 0));
    }
    if (version != CRD__SCHEMA_VERSION) {
        r->outcome = crd__pg_wrong_version(r->s, version);
        r->s->checked = 0;
    }
}

/* Keeps a reply, by making it the reader's: the caller's is then an empty one. */
static int keep(struct reader *r, uint32_t kind, PGresult *result) {
    if (r->kept_count == r->kept_room) {
        size_t room = 2 * r->kept_room + 32;
        PGresult **kept = realloc(r->kept, room * sizeof *kept);
        uint32_t *kinds = realloc(r->kept_kind, room * sizeof *kinds);
        r->kept = kept ? kept : r->kept;
        r->kept_kind = kinds ? kinds : r->kept_kind;
        if (!kept || !kinds) {
            r->outcome = crd__pg_nomem(r->s);
            return 0;
        }
        r->kept_room = room;
    }
    r->kept[r->kept_count] = result;
    r->kept_kind[r->kept_count++] = kind;
    return 1;
}

/* A reply of the trip. Returns TAKE_… */
static int take_reply(void *ctx, int role, uint64_t index, PGresult *result) {
    struct reader *r = ctx;
    (void)index;
    if (role == ROLE_VERSION) {
        check_version(r, result);
        return r->outcome == CRD_OUTCOME_DONE ? CRD__TAKEN : CRD__STOP;
    }
    if (role == ROLE_PLAIN || r->outcome != CRD_OUTCOME_DONE) {
        return CRD__TAKEN;
    }
    if (!r->stream) {
        return PQntuples(result) > 0 && keep(r, (uint32_t)role, result) ? CRD__KEPT : CRD__TAKEN;
    }
    emit_rows(r, (uint32_t)role, result);
    return r->stopped || r->outcome != CRD_OUTCOME_DONE ? CRD__STOP : CRD__TAKEN;
}

static void drop_kept(struct reader *r) {
    while (r->kept_count > 0) {
        PQclear(r->kept[--r->kept_count]);
    }
}

/* ---- trips ---- */

static void start(struct reader *r) {
    crd_postgres *s = r->s;
    crd__trip_start(s);
    if (s->held) { /* the same customer again, within the same transaction */
        s->held = 0;
        s->open = 1;
    } else {
        crd__trip_control(s,
                          s->joined  ? CRD__SAVEPOINT
                          : r->holds ? CRD__BEGIN
                                     : CRD__BEGIN_READ,
                          ROLE_PLAIN, 0);
    }
    r->versed = 0;
    crd__trip_control(r->s, CRD__VERSION, ROLE_VERSION, 0);
}

/* Runs the trip; a `last` one ends the transaction. What was read is emitted by the last, or when there is too much of it
 * to be kept. */
static int32_t finish(struct reader *r, int last) {
    crd_postgres *s = r->s;
    size_t i, first = r->kept_count;
    if (last && !r->holds) {
        crd__trip_control(s, s->joined ? CRD__RELEASE : CRD__COMMIT, ROLE_PLAIN, 0);
    }
    if (!crd__trip_run(s, r->stream, take_reply, r) && r->outcome == CRD_OUTCOME_DONE) {
        r->outcome = crd__pg_failure(s, 0);
    }
    for (i = first; i < r->kept_count && r->outcome == CRD_OUTCOME_DONE && r->remember; i++) {
        if (r->kept_kind[i] == CRD_KIND_ACCOUNT) {
            remember_rows(r, r->kept[i]);
        }
    }
    if (last || r->page_count > PAGE || r->outcome != CRD_OUTCOME_DONE) {
        for (i = 0; i < r->kept_count && r->outcome == CRD_OUTCOME_DONE; i++) {
            emit_rows(r, r->kept_kind[i], r->kept[i]);
        }
        drop_kept(r);
    }
    return r->outcome;
}

/* The accounts of a page from a position on, as parameters; customers once each. */
static void bind_page(struct reader *r, size_t from, size_t count, uint32_t bits) {
    crd_postgres *s = r->s;
    size_t i, customers = 0;
    if (bits & OF_CUSTOMERS) {
        for (i = from; i < from + count; i++) {
            customers += i == 0 || strcmp(r->page[i].customer, r->page[i - 1].customer) != 0;
        }
        crd__param_array(s, CRD__FORM_TEXT, customers);
        for (i = from; i < from + count; i++) {
            if (i == 0 || strcmp(r->page[i].customer, r->page[i - 1].customer) != 0) {
                crd__element_text(s, r->page[i].customer);
            }
        }
        crd__param_array_end(s);
        return;
    }
    crd__param_array(s, CRD__FORM_TEXT, count);
    for (i = from; i < from + count; i++) {
        crd__element_text(s, r->page[i].customer);
    }
    crd__param_array_end(s);
    crd__param_array(s, CRD__FORM_TEXT, count);
    for (i = from; i < from + count; i++) {
        crd__element_text(s, r->page[i].currency);
    }
    crd__param_array_end(s);
    if (bits & UNSEEN) {
        crd__param_array(s, CRD__FORM_I64, count);
        for (i = from; i < from + count; i++) {
            crd__element_i64(s, r->page[i].acknowledged_seq + 1);
        }
        crd__param_array_end(s);
    }
}

/* The records of one kind that belong to the page. */
static void add_paged(struct reader *r, uint32_t kind, size_t from, size_t count) {
    uint32_t bits = r->bits & ~(BY_AFTER | BY_LIMIT);
    if (!(OF_ACCOUNT & bit_of(kind))) {
        bits |= OF_CUSTOMERS;
    } else {
        bits |= kind == CRD_KIND_ENTRY && r->bits & BY_UNACKNOWLEDGED ? UNSEEN : OF_ACCOUNTS;
    }
    bind_page(r, from, count, bits);
    add_kind(r, kind, bits);
}

static int compare_paged(const void *left, const void *right) {
    const struct paged *a = left, *b = right;
    int order = strcmp(a->customer, b->customer);
    return order ? order : strcmp(a->currency, b->currency);
}

static int32_t read_page(struct reader *r, uint32_t paged) {
    uint32_t kind;
    size_t from;
    if (r->page_count > 1) {
        qsort(r->page, r->page_count, sizeof *r->page, compare_paged);
    }
    for (from = 0; from < r->page_count && r->outcome == CRD_OUTCOME_DONE && !r->stopped; from += PAGE) {
        size_t count = r->page_count - from < PAGE ? r->page_count - from : PAGE;
        crd__trip_start(r->s);
        for (kind = CRD_KIND_ACCOUNT + 1; kind < CRD_KIND_COUNT; kind++) {
            if (paged & bit_of(kind)) {
                add_paged(r, kind, from, count);
            }
        }
        (void)finish(r, from + count == r->page_count);
    }
    return r->outcome;
}

/*
 * Reads kind after kind, the account first. Which kinds are paged: all, with a limit or when only accounts with both sides
 * open count; the entries alone, when only unacknowledged ones are wanted. In the last case, and when there is no limit, a
 * condition on the accounts that says nothing about the paged kinds is dropped, so that it takes none of their records
 * away.
 */
static int32_t read_kinds(struct reader *r) {
    uint32_t kinds = r->query->kinds, paged = 0, bits = r->bits, kind;
    if (bits & (BY_LIMIT | BY_BOTH_OPEN)) {
        paged = ALL;
    } else if (bits & BY_UNACKNOWLEDGED) {
        paged = ENTRY;
    }
    paged &= kinds & ~ACCOUNT;
    if (paged && !(bits & BY_LIMIT)) {
        bits &= ~(bits & BY_BOTH_OPEN ? BY_UNACKNOWLEDGED : BY_OPEN);
    }
    if (bits & BY_CUSTOMER && kinds & ACCOUNT && !r->s->read_only) {
        r->holds = !r->s->joined && r->s->lock_reads;
        bits |= r->holds || (r->s->joined && r->query->flags & CRD_QUERY_FOR_WRITE) ? LOCKED : 0u;
    }
    r->remember = paged != 0;
    r->silent = !(kinds & ACCOUNT);
    /* A whole book may not fit in memory. */
    r->stream = !(bits & (BY_CUSTOMER | BY_LIMIT)) && !paged;
    start(r);
    if (!r->silent || r->remember) {
        add_kind(r, CRD_KIND_ACCOUNT, bits);
    }
    for (kind = CRD_KIND_ACCOUNT + 1; kind < CRD_KIND_COUNT; kind++) {
        if (kinds & ~paged & bit_of(kind)) {
            add_kind(r, kind, r->bits & ~BY_LIMIT);
        }
    }
    if (finish(r, paged == 0) != CRD_OUTCOME_DONE || paged == 0) {
        return r->outcome;
    }
    if (r->page_count == 0 || r->stopped) {
        crd__trip_start(r->s);
        return finish(r, 1);
    }
    return read_page(r, paged);
}

/* ---- by key ---- */

static const char *or_empty(const char *text) {
    return text ? text : "";
}

static int compare_keys(const void *left, const void *right) {
    const crd_key *a = *(const crd_key *const *)left, *b = *(const crd_key *const *)right;
    int order;
    if (a->kind != b->kind) {
        return a->kind < b->kind ? -1 : 1;
    }
    order = strcmp(or_empty(a->customer), or_empty(b->customer));
    order = order ? order : strcmp(or_empty(a->currency), or_empty(b->currency));
    order = order ? order : strcmp(or_empty(a->id), or_empty(b->id));
    if (order || (a->document_kind == b->document_kind && a->number == b->number)) {
        return order;
    }
    if (a->document_kind != b->document_kind) {
        return a->document_kind < b->document_kind ? -1 : 1;
    }
    return a->number < b->number ? -1 : 1;
}

static int32_t write_find(crd_postgres *s, crd__table *table, int many) {
    crd__sql sql = {NULL, 0, 0, 0};
    int i;
    add_columns(&sql, s, table);
    if (many) {
        crd__sql_add(&sql, " JOIN unnest(");
        for (i = 0; i < table->key_count; i++) {
            crd__sql_add(&sql, "%s$%d::%s[]", i ? ", " : "", i + 1,
                         crd__pg_type_name(table->columns[table->key_column[i]].form));
        }
        crd__sql_add(&sql, ") AS u (");
        for (i = 0; i < table->key_count; i++) {
            crd__sql_add(&sql, "%s%s", i ? ", " : "", table->columns[table->key_column[i]].name);
        }
        crd__sql_add(&sql, ") ON ");
    } else {
        crd__sql_add(&sql, " WHERE ");
    }
    for (i = 0; i < table->key_count; i++) {
        const char *name = table->columns[table->key_column[i]].name;
        if (many) {
            crd__sql_add(&sql, "%st.%s = u.%s", i ? " AND " : "", name, name);
        } else {
            crd__sql_add(&sql, "%st.%s = $%d::%s", i ? " AND " : "", name, i + 1,
                         crd__pg_type_name(table->columns[table->key_column[i]].form));
        }
    }
    return crd__pg_statement(s, &sql, many ? &table->find_many : &table->find);
}

/* Part of a key; with `element`, of an array. */
static void bind_part(crd_postgres *s, const crd__column *column, const crd_key *key, int element) {
    const char *text = strcmp(column->name, "customer") == 0   ? key->customer
                       : strcmp(column->name, "currency") == 0 ? key->currency
                                                               : key->id;
    unsigned char number[8];
    crd__column plain = *column;
    plain.offset = 0;
    if (column->form == CRD__FORM_I32) {
        memcpy(number, &key->document_kind, sizeof key->document_kind);
    } else if (column->form == CRD__FORM_I64) {
        memcpy(number, &key->number, sizeof key->number);
    } else if (element) {
        crd__element_text(s, text);
        return;
    } else {
        crd__param_text(s, text);
        return;
    }
    if (element) {
        crd__element_field(s, &plain, number);
    } else {
        crd__param_field(s, &plain, number);
    }
}

/* Adds the lookup of `count` keys of one kind. */
static void add_keys(struct reader *r, const crd_key *const *keys, size_t count) {
    crd_postgres *s = r->s;
    crd__table *table = &s->tables[keys[0]->kind];
    int many = count > FEW_KEYS, i;
    crd__statement *statement = many ? &table->find_many : &table->find;
    size_t k;
    if (!statement->sql && write_find(s, table, many) != CRD_OUTCOME_DONE) {
        s->broken = 1;
        return;
    }
    if (many) {
        for (i = 0; i < table->key_count; i++) {
            const crd__column *column = &table->columns[table->key_column[i]];
            crd__param_array(s, column->form, count);
            for (k = 0; k < count; k++) {
                bind_part(s, column, keys[k], 1);
            }
            crd__param_array_end(s);
        }
        crd__trip_add(s, statement, (int)keys[0]->kind, 0);
        return;
    }
    for (k = 0; k < count; k++) {
        for (i = 0; i < table->key_count; i++) {
            bind_part(s, &table->columns[table->key_column[i]], keys[k], 0);
        }
        crd__trip_add(s, statement, (int)keys[0]->kind, 0);
    }
}

/* Reads records by key: sorted, so that accounts come first and none is emitted twice. */
static int32_t read_keys(struct reader *r) {
    const crd_query *q = r->query;
    const crd_key **keys = malloc((size_t)q->key_count * sizeof *keys);
    size_t i, count = 0, from;
    if (!keys) {
        return r->outcome = crd__pg_nomem(r->s);
    }
    for (i = 0; i < q->key_count; i++) {
        uint32_t kind = q->keys[i]->kind;
        if (kind != 0 && kind < CRD_KIND_COUNT && q->kinds & bit_of(kind)) {
            keys[count++] = q->keys[i];
        }
    }
    if (count > 1) {
        qsort(keys, count, sizeof *keys, compare_keys);
    }
    for (i = from = 0; i < count; i++) {
        if (i == 0 || compare_keys(&keys[from - 1], &keys[i]) != 0) {
            keys[from++] = keys[i];
        }
    }
    count = from;
    start(r);
    for (from = 0; from < count; from = i) {
        for (i = from; i < count && keys[i]->kind == keys[from]->kind; i++) {
        }
        add_keys(r, keys + from, i - from);
    }
    free((void *)keys);
    return finish(r, 1);
}

/* ---- the callback ---- */

static void forget(struct reader *r) {
    while (r->page_count > 0) {
        r->page_count--;
        free(r->page[r->page_count].customer);
        free(r->page[r->page_count].currency);
    }
    drop_kept(r);
    r->stopped = 0;
    r->outcome = CRD_OUTCOME_DONE;
}

/* Whether this read goes on in the transaction that another left open: of the same customer, it finds what it locked. */
static int holds_on(const struct reader *r) {
    const crd_query *q = r->query;
    return q->key_count == 0 && given(q->customer) && q->kinds & ACCOUNT && strcmp(q->customer, r->s->held_customer) == 0;
}

static int32_t read_once(struct reader *r) {
    crd_postgres *s = r->s;
    const char *customer = r->query->customer;
    int32_t outcome = crd__pg_begin_call(s, holds_on(r));
    forget(r);
    r->holds = 0;
    if (outcome == CRD_OUTCOME_DONE) {
        outcome = r->query->key_count ? read_keys(r) : read_kinds(r);
        s->held = r->holds && outcome == CRD_OUTCOME_DONE && PQtransactionStatus(s->conn) == PQTRANS_INTRANS;
        if (s->held) {
            memset(s->held_customer, 0, sizeof s->held_customer);
            strncpy(s->held_customer, customer, sizeof s->held_customer - 1);
        }
        outcome = s->held ? outcome : crd__pg_end_call(s, outcome);
    }
    return outcome;
}

void CRD_CALL crd__pg_read(void *ctx, const crd_query *query, crd_emit emit, void *sink, crd_read_result *out) {
    crd_postgres *s = ctx;
    struct reader r;
    int attempt = 0;
    memset(&r, 0, sizeof r);
    r.s = s;
    r.query = query;
    r.emit = emit;
    r.sink = sink;
    note_conditions(&r);
    do {
        out->outcome = read_once(&r);
    } while (out->outcome != CRD_OUTCOME_DONE && !r.emitted && crd__pg_again(s) && attempt++ < 1);
    if (out->outcome != CRD_OUTCOME_DONE) {
        out->host_error = crd__pg_number(s->state);
        memcpy(out->host_text, s->message, sizeof out->host_text);
    }
    forget(&r);
    free(r.page);
    free(r.kept);
    free(r.kept_kind);
    out->proof = query->proof;
}
