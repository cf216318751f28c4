/*
 * The SQLite storage on its own: queries against a naive book, guards, transactions of the host's, schemas,
 * faults and a kill in the middle of writing. No ledger takes part; records are made up, so figures need not
 * add up.
 *
 * A *book* is a naive array of records beside the database; what a read must emit is worked out from it.
 */
#define _XOPEN_SOURCE 700

#include <credit/sqlite.h>

#include <check.h>
#include <signal.h>
#include <sqlite3.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define DONE CRD_OUTCOME_DONE

typedef union any {
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
} any;

static char directory[512];
static char path[640];

static void setup(void) {
    const char *place = getenv("TMPDIR");
    snprintf(directory, sizeof directory, "%.480s/crd-sqlite-XXXXXX", place && *place ? place : "/tmp");
    ck_assert_ptr_nonnull(mkdtemp(directory));
    snprintf(path, sizeof path, "%s/book.db", directory);
}

static void teardown(void) {
    static const char *const suffix[] = {"", "-wal", "-shm", "-journal"};
    char name[660];
    size_t i;
    for (i = 0; i < 4; i++) {
        snprintf(name, sizeof name, "%s%s", path, suffix[i]);
        unlink(name);
    }
    rmdir(directory);
}

/* Records */

static void blank(uint32_t kind, any *record) {
    uint64_t i, count = 0;
    uint32_t size = 0;
    const crd_field *const *fields = crd_record_fields(kind, &count, &size);
    memset(record, 0, sizeof *record);
    record->struct_size = size;
    for (i = 0; i < count; i++) {
        if (fields[i]->type == CRD_FIELD_TEXT) {
            const char *empty = "";
            memcpy((char *)record + fields[i]->offset, &empty, sizeof empty);
        }
    }
}

static any account_of(const char *customer, const char *currency, int64_t version, int64_t seq) {
    any r;
    blank(CRD_KIND_ACCOUNT, &r);
    r.account.customer = customer;
    r.account.currency = currency;
    r.account.version = version;
    r.account.last_seq = seq;
    return r;
}

static any credit_of(const char *customer, const char *id, int64_t remaining) {
    any r;
    blank(CRD_KIND_CREDIT, &r);
    r.credit.customer = customer;
    r.credit.id = id;
    r.credit.currency = "EUR";
    r.credit.state = remaining ? CRD_CREDIT_ACTIVE : CRD_CREDIT_SPENT;
    r.credit.remaining = remaining;
    return r;
}

static any entry_of(const char *customer, int64_t seq) {
    any r;
    blank(CRD_KIND_ENTRY, &r);
    r.entry.customer = customer;
    r.entry.currency = "EUR";
    r.entry.seq = seq;
    r.entry.last_seq = seq;
    r.entry.type = CRD_ENTRY_APPLY;
    return r;
}

static int same_record(uint32_t kind, const void *left, const void *right) {
    uint64_t i, count = 0;
    const crd_field *const *fields = crd_record_fields(kind, &count, NULL);
    const char *a = left, *b = right;
    for (i = 0; i < count; i++) {
        const crd_field *f = fields[i];
        const char *s, *t;
        uint64_t m, n;
        switch (f->type) {
        case CRD_FIELD_TEXT:
            memcpy(&s, a + f->offset, sizeof s);
            memcpy(&t, b + f->offset, sizeof t);
            if (strcmp(s, t) != 0) {
                return 0;
            }
            break;
        case CRD_FIELD_BYTES:
            memcpy(&s, a + f->offset, sizeof s);
            memcpy(&t, b + f->offset, sizeof t);
            memcpy(&m, a + f->size_offset, sizeof m);
            memcpy(&n, b + f->size_offset, sizeof n);
            if (m != n || (m && memcmp(s, t, m) != 0)) {
                return 0;
            }
            break;
        default:
            m = f->type == CRD_FIELD_HASH                                                           ? 32
                : f->type == CRD_FIELD_U32 || f->type == CRD_FIELD_I32 || f->type == CRD_FIELD_DATE ? 4
                                                                                                    : 8;
            if (memcmp(a + f->offset, b + f->offset, m) != 0) {
                return 0;
            }
        }
    }
    return 1;
}

static int same_key(uint32_t kind, const void *left, const void *right) {
    uint64_t i, count = 0;
    const crd_field *const *fields = crd_record_fields(kind, &count, NULL);
    for (i = 0; i < count; i++) {
        const char *a = (const char *)left + fields[i]->offset, *b = (const char *)right + fields[i]->offset;
        const char *s, *t;
        if (!(fields[i]->flags & CRD_FIELD_KEY)) {
            continue;
        }
        if (fields[i]->type == CRD_FIELD_TEXT) {
            memcpy(&s, a, sizeof s);
            memcpy(&t, b, sizeof t);
            if (strcmp(s, t) != 0) {
                return 0;
            }
        } else if (memcmp(a, b, fields[i]->type == CRD_FIELD_U32 ? 4 : 8) != 0) {
            return 0;
        }
    }
    return 1;
}

/* Batches */

#define BATCH_ROOM 4096

struct batch {
    crd_batch batch;
    crd_guard guards[64];
    const crd_guard *guard_list[64];
    crd_change changes[BATCH_ROOM];
    const crd_change *change_list[BATCH_ROOM];
    any records[BATCH_ROOM];
    uint64_t failed[64];
    crd_write_result result;
};

static struct batch *new_batch(uint32_t flags) {
    struct batch *b = calloc(1, sizeof *b);
    ck_assert_ptr_nonnull(b);
    b->batch.struct_size = sizeof b->batch;
    b->batch.flags = flags;
    b->batch.proof = 4711;
    b->batch.guards = b->guard_list;
    b->batch.changes = b->change_list;
    return b;
}

static void guard(struct batch *b, uint32_t group, const char *customer, int64_t version) {
    uint64_t i = b->batch.guard_count++;
    crd_guard g = {sizeof g, group, customer, "EUR", version, version + 1};
    b->guards[i] = g;
    b->guard_list[i] = &b->guards[i];
}

static void change(struct batch *b, uint32_t group, uint32_t kind, uint32_t operation, any record) {
    uint64_t i = b->batch.change_count++;
    crd_change c = {sizeof c, kind, operation, group, &b->records[i]};
    ck_assert_uint_lt(i, BATCH_ROOM);
    b->records[i] = record;
    b->changes[i] = c;
    b->change_list[i] = &b->changes[i];
}

static int32_t write_batch(crd_sqlite *s, struct batch *b) {
    const crd_storage *storage = crd_sqlite_storage(s);
    memset(&b->result, 0, sizeof b->result);
    b->result.struct_size = sizeof b->result;
    b->result.failed = b->failed;
    storage->write(storage->ctx, &b->batch, &b->result);
    ck_assert_uint_eq(b->result.proof, 4711);
    return b->result.outcome;
}

/* Writes one record under a guard for version 0 of its customer, or of the version given, and frees the
 * batch. */
static int32_t write_one(crd_sqlite *s, uint32_t kind, uint32_t operation, any record, const char *guarded,
                         int64_t version) {
    struct batch *b = new_batch(0);
    int32_t outcome;
    if (guarded) {
        guard(b, 0, guarded, version);
    }
    change(b, 0, kind, operation, record);
    outcome = write_batch(s, b);
    free(b);
    return outcome;
}

/* Reads */

struct seen {
    uint64_t count, stop_after;
    uint32_t last_kind;
    const struct book *book;
    unsigned char emitted[4096]; /* by row of the book */
    any last;
};

struct book {
    uint32_t kinds[4096];
    any rows[4096];
    uint64_t count;
};

static int32_t CRD_CALL note(void *sink, uint32_t kind, const void *record) {
    struct seen *seen = sink;
    uint64_t i;
    ck_assert_msg(!(kind == CRD_KIND_ACCOUNT && seen->last_kind > CRD_KIND_ACCOUNT),
                  "an account after others");
    seen->last_kind = kind;
    if (seen->book) {
        i = 0;
        while (i < seen->book->count
               && !(seen->book->kinds[i] == kind && same_key(kind, &seen->book->rows[i], record))) {
            i++;
        }
        ck_assert_msg(i < seen->book->count, "a record that was never written");
        ck_assert_msg(same_record(kind, &seen->book->rows[i], record),
                      "kind %u differs from what was written", kind);
        ck_assert_msg(!seen->emitted[i], "kind %u emitted twice", kind);
        seen->emitted[i] = 1;
    }
    memcpy(&seen->last, record, *(const uint32_t *)record);
    seen->count++;
    return seen->stop_after && seen->count >= seen->stop_after;
}

static crd_query query_of(uint32_t kinds) {
    crd_query q;
    memset(&q, 0, sizeof q);
    q.struct_size = sizeof q;
    q.kinds = kinds;
    q.proof = 99;
    return q;
}

static int32_t read_result(crd_sqlite *s, const crd_query *q, struct seen *seen, crd_read_result *result) {
    const crd_storage *storage = crd_sqlite_storage(s);
    memset(result, 0, sizeof *result);
    result->struct_size = sizeof *result;
    storage->read(storage->ctx, q, note, seen, result);
    ck_assert_uint_eq(result->proof, 99);
    return result->outcome;
}

static uint64_t count_of(crd_sqlite *s, uint32_t kinds, const char *customer) {
    struct seen *seen = calloc(1, sizeof *seen);
    crd_read_result result;
    crd_query q = query_of(kinds);
    uint64_t count;
    q.customer = customer;
    ck_assert_int_eq(read_result(s, &q, seen, &result), DONE);
    count = seen->count;
    free(seen);
    return count;
}

/* The version of (customer, EUR), 0 when there is no such account. */
static int64_t version_of(crd_sqlite *s, const char *customer) {
    struct seen *seen = calloc(1, sizeof *seen);
    crd_read_result result;
    crd_query q = query_of(CRD_KIND_BIT_ACCOUNT);
    int64_t version;
    q.customer = customer;
    q.currency = "EUR";
    ck_assert_int_eq(read_result(s, &q, seen, &result), DONE);
    version = seen->count ? seen->last.account.version : 0;
    free(seen);
    return version;
}

static crd_sqlite *open_file(void) {
    crd_sqlite *s = NULL;
    crd_status status = crd_sqlite_open(path, CRD_SQLITE_NORMAL, &s);
    ck_assert_msg(status == CRD_OK, "%d: %s", status, crd_sqlite_message(s));
    return s;
}

static sqlite3 *open_raw(void) {
    sqlite3 *db = NULL;
    ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
    return db;
}

static void execute(sqlite3 *db, const char *sql) {
    ck_assert_msg(sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK, "%s: %s", sql, sqlite3_errmsg(db));
}

static int64_t ask(sqlite3 *db, const char *sql) {
    sqlite3_stmt *statement = NULL;
    int64_t number;
    ck_assert_msg(sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK, "%s", sqlite3_errmsg(db));
    ck_assert_int_eq(sqlite3_step(statement), SQLITE_ROW);
    number = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return number;
}

static crd_sqlite *attach(sqlite3 *db) {
    crd_sqlite *s = NULL;
    crd_status status = crd_sqlite_attach(db, 0, &s);
    ck_assert_msg(status == CRD_OK, "%d: %s", status, crd_sqlite_message(s));
    return s;
}

static void assert_nothing_active(sqlite3 *db) {
    sqlite3_stmt *statement = NULL;
    while ((statement = sqlite3_next_stmt(db, statement)) != NULL) {
        ck_assert_msg(!sqlite3_stmt_busy(statement), "%s", sqlite3_sql(statement));
    }
}

/* A random book */

static uint64_t lcg = 20240229;

static uint32_t chance(uint32_t n) {
    lcg = lcg * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(lcg >> 33) % n;
}

static const char *const customers[] = {"a", "a.b", "b", "c", "\xc3\xa9t\xc3\xa9", "z"};
static const char *const currencies[] = {"", "EUR", "JPY", "USD"};
static const char *const ids[] = {"1", "10", "2", "R-1", "gr\xc3\xbc\xc3\x9f", "~EUR1"};
#define PICK(array) array[chance(sizeof array / sizeof *array)]

static void randomize(uint32_t kind, any *record) {
    static const int64_t edges[] = {0, 0, 1, -1, 7, INT64_MAX, INT64_MIN, INT64_C(4000000000000000000)};
    static const uint8_t bytes[] = "\0\1\2binary\xff";
    uint64_t i, count = 0;
    const crd_field *const *fields = crd_record_fields(kind, &count, NULL);
    blank(kind, record);
    for (i = 0; i < count; i++) {
        char *place = (char *)record + fields[i]->offset;
        const char *text = chance(2) ? "" : PICK(ids);
        const uint8_t *image = bytes;
        uint64_t size = chance(3) ? sizeof bytes : 0;
        uint32_t natural = chance(2) ? chance(8) : UINT32_MAX;
        int32_t integer = chance(2) ? (int32_t)chance(100) : INT32_MIN;
        int64_t number = PICK(edges);
        switch (fields[i]->type) {
        case CRD_FIELD_U32:
            memcpy(place, &natural, sizeof natural);
            break;
        case CRD_FIELD_I32:
        case CRD_FIELD_DATE:
            memcpy(place, &integer, sizeof integer);
            break;
        case CRD_FIELD_TEXT:
            memcpy(place, &text, sizeof text);
            break;
        case CRD_FIELD_HASH:
            memset(place, (int)chance(256), 32);
            break;
        case CRD_FIELD_BYTES:
            memcpy(place, &image, sizeof image);
            memcpy((char *)record + fields[i]->size_offset, &size, sizeof size);
            break;
        default:
            memcpy(place, &number, sizeof number);
        }
    }
}

static void add_row(struct book *book, uint32_t kind, const any *record) {
    uint64_t i;
    for (i = 0; i < book->count; i++) {
        if (book->kinds[i] == kind && same_key(kind, &book->rows[i], record)) {
            return;
        }
    }
    ck_assert_uint_lt(book->count, 4096);
    book->kinds[book->count] = kind;
    book->rows[book->count++] = *record;
}

static void add_account(struct book *book, const char *customer, const char *currency) {
    any r;
    int64_t seq;
    randomize(CRD_KIND_ACCOUNT, &r);
    r.account.customer = customer;
    r.account.currency = currency;
    r.account.version = 1 + chance(1000);
    r.account.last_seq = 6;
    r.account.acknowledged_seq = chance(7);
    r.account.open_credits = chance(3);
    r.account.open_invoices = chance(3);
    add_row(book, CRD_KIND_ACCOUNT, &r);
    for (seq = 1; seq <= 6; seq++) {
        randomize(CRD_KIND_ENTRY, &r);
        r.entry.customer = customer;
        r.entry.currency = currency;
        r.entry.seq = seq;
        r.entry.business_date = (int32_t)chance(100);
        add_row(book, CRD_KIND_ENTRY, &r);
    }
}

static void add_document(struct book *book, const char *customer, const char *currency, const char *id) {
    any r;
    uint32_t kind;
    for (kind = CRD_KIND_CREDIT; kind <= CRD_KIND_REQUEST; kind++) {
        if (kind == CRD_KIND_ENTRY || chance(3) == 0) {
            continue;
        }
        randomize(kind, &r);
        r.credit.customer = customer; /* the same place in all these kinds */
        r.credit.id = id;
        if (kind == CRD_KIND_REQUEST) {
            r.request.request_key = id;
            r.request.currency = currency;
        } else {
            r.credit.currency = currency;
        }
        if (kind == CRD_KIND_CREDIT) {
            r.credit.state = 1 + chance(3);
            r.credit.remaining = chance(2) * chance(100);
        } else if (kind == CRD_KIND_INVOICE) {
            r.invoice.state = 1 + chance(6);
            r.invoice.open = chance(2) * chance(100);
        } else if (kind == CRD_KIND_RECEIPT) {
            r.receipt.state = 1 + chance(4);
        } else if (kind == CRD_KIND_HOLD) {
            r.hold.state = 1 + chance(4);
            r.hold.amount = chance(2) * chance(100);
        } else if (kind == CRD_KIND_LINE) {
            r.line.document_kind = CRD_KIND_CREDIT + chance(2);
            r.line.number = 1 + chance(3);
        }
        add_row(book, kind, &r);
    }
}

static struct book *random_book(void) {
    struct book *book = calloc(1, sizeof *book);
    size_t i, j, k;
    any r;
    for (i = 0; i < 6; i++) {
        randomize(CRD_KIND_CUSTOMER, &r);
        r.customer.customer = customers[i];
        r.customer.currency = "";
        add_row(book, CRD_KIND_CUSTOMER, &r);
        for (j = 0; j < 4; j++) {
            if (chance(5) == 0) {
                continue;
            }
            add_account(book, customers[i], currencies[j]);
            for (k = 0; k < 6 && j > 0; k++) {
                add_document(book, customers[i], currencies[j], ids[k]);
            }
        }
    }
    return book;
}

static void store_book(crd_sqlite *s, const struct book *book, uint32_t operation) {
    struct batch *b = new_batch(0);
    uint64_t i;
    for (i = 0; i < book->count; i++) {
        change(b, 0, book->kinds[i], operation, book->rows[i]);
    }
    ck_assert_msg(write_batch(s, b) == DONE, "%s", b->result.host_text);
    free(b);
}

static const crd_account_record *account_at(const struct book *book, const char *customer,
                                            const char *currency) {
    uint64_t i;
    for (i = 0; i < book->count; i++) {
        const crd_account_record *a = &book->rows[i].account;
        if (book->kinds[i] == CRD_KIND_ACCOUNT && strcmp(a->customer, customer) == 0
            && strcmp(a->currency, currency) == 0) {
            return a;
        }
    }
    return NULL;
}

static int both_open(const crd_account_record *a) {
    return a && a->open_credits > 0 && a->open_invoices > 0;
}

/* Accounts a query asks for, with the conditions that crd_query_matches() leaves out. */
static int wants_account(const crd_query *q, const crd_account_record *a) {
    crd_query all = *q;
    all.kinds |= CRD_KIND_BIT_ACCOUNT;
    return a && crd_query_matches(&all, CRD_KIND_ACCOUNT, a)
           && (!(q->flags & CRD_QUERY_BOTH_OPEN) || both_open(a))
           && (!(q->flags & CRD_QUERY_UNACKNOWLEDGED) || a->acknowledged_seq < a->last_seq);
}

static int in_page(const struct book *book, const crd_query *q, const crd_account_record *a) {
    uint64_t i, before = 0;
    if (!wants_account(q, a)) {
        return 0;
    }
    for (i = 0; i < book->count && q->limit; i++) {
        const crd_account_record *other = &book->rows[i].account;
        if (book->kinds[i] == CRD_KIND_ACCOUNT && wants_account(q, other)) {
            int order = strcmp(other->customer, a->customer);
            before += order < 0 || (order == 0 && strcmp(other->currency, a->currency) < 0);
        }
    }
    return !q->limit || before < q->limit;
}

static const char *currency_of(uint32_t kind, const any *row) {
    switch (kind) {
    case CRD_KIND_ACCOUNT:
    case CRD_KIND_ENTRY:
        return row->account.currency; /* the same place in both */
    case CRD_KIND_CUSTOMER:
        return "";
    default:
        return row->credit.currency;
    }
}

/* Whether a page holds any account of a customer. */
static int customer_in_page(const struct book *book, const crd_query *q, const char *customer) {
    size_t i;
    for (i = 0; i < 4; i++) {
        if (in_page(book, q, account_at(book, customer, currencies[i]))) {
            return 1;
        }
    }
    return 0;
}

/* Whether a read must emit a row of the book. Of a page, customers and requests belong to the page's
 * customers. */
static int must_emit(const struct book *book, const crd_query *q, uint32_t kind, const any *row) {
    const crd_account_record *a = account_at(book, row->account.customer, currency_of(kind, row));
    if (!crd_query_matches(q, kind, row)) {
        return 0;
    }
    if (q->key_count) {
        return 1;
    }
    if (kind == CRD_KIND_ENTRY && q->flags & CRD_QUERY_UNACKNOWLEDGED
        && row->entry.seq <= a->acknowledged_seq) {
        return 0;
    }
    if (kind == CRD_KIND_ACCOUNT) {
        return in_page(book, q, a);
    }
    if (kind == CRD_KIND_CUSTOMER || kind == CRD_KIND_REQUEST) {
        return !(q->limit || q->flags & CRD_QUERY_BOTH_OPEN)
               || customer_in_page(book, q, row->account.customer);
    }
    if (q->limit) {
        return in_page(book, q, a);
    }
    return !(q->flags & CRD_QUERY_BOTH_OPEN) || both_open(a);
}

static crd_query random_query(void) {
    crd_query q = query_of(chance(4) ? chance(1u << CRD_KIND_COUNT) : ~0u);
    q.flags = chance(2) ? chance(16) : 0;
    q.limit = chance(4) ? 0 : 1 + chance(10);
    q.customer = chance(2) ? PICK(customers) : NULL;
    q.currency = chance(3) ? NULL : PICK(currencies);
    q.id = chance(6) ? NULL : PICK(ids);
    q.request_key = chance(6) ? NULL : PICK(ids);
    q.states = chance(4) ? 0 : chance(128);
    if (chance(4) == 0) {
        q.after_customer = PICK(customers);
        q.after_currency = chance(3) ? PICK(currencies) : NULL;
    }
    q.seq_from = chance(4) ? 0 : chance(8);
    q.seq_to = chance(4) ? 0 : chance(8);
    q.date_from = chance(6) ? 0 : (int32_t)chance(100);
    q.date_to = chance(6) ? 0 : (int32_t)chance(100);
    q.entry_credit = chance(9) ? NULL : PICK(ids);
    q.entry_invoice = chance(9) ? NULL : PICK(ids);
    q.entry_receipt = chance(9) ? NULL : PICK(ids);
    return q;
}

static void compare_with_book(crd_sqlite *s, const struct book *book, const crd_query *q, uint64_t *extra) {
    struct seen *seen = calloc(1, sizeof *seen);
    crd_read_result result;
    uint64_t i, wanted = 0;
    seen->book = book;
    ck_assert_msg(read_result(s, q, seen, &result) == DONE, "%s", result.host_text);
    for (i = 0; i < book->count; i++) {
        int found = seen->emitted[i];
        if (must_emit(book, q, book->kinds[i], &book->rows[i])) {
            wanted++;
            ck_assert_msg(found, "kind %u is missing; flags %u limit %u", book->kinds[i], q->flags, q->limit);
        }
        ck_assert_msg(!found || q->kinds & (1u << book->kinds[i]), "kind %u was not asked for",
                      book->kinds[i]);
    }
    *extra += seen->count - wanted;
    free(seen);
}

START_TEST(every_shape_of_query_emits_what_a_naive_book_would) {
    struct book *book = random_book();
    crd_sqlite *s = open_file();
    uint64_t extra = 0, plain_extra = 0;
    int i;
    store_book(s, book, CRD_CHANGE_INSERT);
    for (i = 0; i < 1500; i++) {
        crd_query q = random_query();
        compare_with_book(s, book, &q, q.flags || q.limit ? &extra : &plain_extra);
    }
    ck_assert_uint_eq(plain_extra, 0); /* without flags and limit SQL narrows exactly */
    crd_sqlite_close(s);
    free(book);
}
END_TEST

START_TEST(updates_replace_every_field) {
    struct book *book = random_book();
    crd_sqlite *s = open_file();
    crd_query q = query_of(~0u);
    uint64_t i, extra = 0;
    store_book(s, book, CRD_CHANGE_INSERT);
    for (i = 0; i < book->count; i++) {
        uint64_t j, count = 0;
        any fresh;
        const crd_field *const *fields = crd_record_fields(book->kinds[i], &count, NULL);
        randomize(book->kinds[i], &fresh);
        for (j = 0; j < count; j++) {
            if (fields[j]->flags & CRD_FIELD_KEY) {
                memcpy((char *)&fresh + fields[j]->offset, (const char *)&book->rows[i] + fields[j]->offset,
                       fields[j]->type == CRD_FIELD_U32 ? 4 : 8);
            }
        }
        book->rows[i] = fresh;
    }
    store_book(s, book, CRD_CHANGE_UPDATE);
    crd_sqlite_close(s);
    s = open_file();
    compare_with_book(s, book, &q, &extra);
    ck_assert_uint_eq(extra, 0);
    crd_sqlite_close(s);
    free(book);
}
END_TEST

START_TEST(reads_by_key_emit_each_once_and_accounts_first) {
    struct book *book = random_book();
    crd_sqlite *s = open_file();
    crd_key keys[200];
    const crd_key *list[400];
    crd_query q = query_of(~0u);
    uint64_t i, count = 0, extra = 0;
    store_book(s, book, CRD_CHANGE_INSERT);
    for (i = 0; i < book->count && count < 200; i += 1 + chance(4)) {
        const any *row = &book->rows[i];
        uint32_t kind = book->kinds[i];
        crd_key k = {sizeof k, kind, row->credit.customer, "", "", 0, 0, 0};
        k.currency = kind == CRD_KIND_ACCOUNT || kind == CRD_KIND_ENTRY ? row->account.currency : "";
        k.id = kind == CRD_KIND_REQUEST                           ? row->request.request_key
               : kind >= CRD_KIND_CREDIT && kind <= CRD_KIND_LINE ? row->credit.id
                                                                  : "";
        k.number = kind == CRD_KIND_ENTRY ? row->entry.seq : kind == CRD_KIND_LINE ? row->line.number : 0;
        k.document_kind = kind == CRD_KIND_LINE ? row->line.document_kind : 0;
        keys[count] = k;
        list[count] = &keys[count];
        count++;
    }
    for (i = 0; i < count; i++) {
        list[count + i] = &keys[chance((uint32_t)count)];
    }
    q.keys = list;
    q.key_count = 2 * count;
    compare_with_book(s, book, &q, &extra);
    ck_assert_uint_eq(extra, 0);
    keys[0].kind = 77; /* of a newer version: skipped */
    compare_with_book(s, book, &q, &extra);
    crd_sqlite_close(s);
    free(book);
}
END_TEST

START_TEST(a_read_that_is_stopped_leaves_nothing_open) {
    struct book *book = random_book();
    sqlite3 *db = open_raw();
    crd_sqlite *s = attach(db);
    crd_query q = query_of(~0u);
    uint64_t stop;
    store_book(s, book, CRD_CHANGE_INSERT);
    for (stop = 1; stop < 40; stop++) {
        struct seen *seen = calloc(1, sizeof *seen);
        crd_read_result result;
        seen->stop_after = stop;
        q.limit = stop % 2 ? 3 : 0;
        ck_assert_int_eq(read_result(s, &q, seen, &result), DONE);
        ck_assert_uint_eq(seen->count, stop);
        assert_nothing_active(db);
        ck_assert_int_ne(sqlite3_get_autocommit(db), 0);
        free(seen);
    }
    crd_sqlite_close(s);
    ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
    free(book);
}
END_TEST

START_TEST(short_records_and_missing_texts_are_kept_as_zero_and_empty) {
    crd_sqlite *s = open_file();
    struct seen *seen = calloc(1, sizeof *seen);
    crd_read_result result;
    crd_query q = query_of(CRD_KIND_BIT_CREDIT);
    any credit = credit_of("c", "1", 5);
    credit.struct_size = (uint32_t)offsetof(crd_credit_record, held);
    credit.credit.held = 99;
    ck_assert_int_eq(write_one(s, CRD_KIND_CREDIT, CRD_CHANGE_INSERT, credit, NULL, 0), DONE);
    ck_assert_int_eq(read_result(s, &q, seen, &result), DONE);
    ck_assert_int_eq(seen->last.credit.remaining, 5);
    ck_assert_int_eq(seen->last.credit.held, 0);
    crd_sqlite_close(s);
    free(seen);
}
END_TEST

/* Guards */

static void seed_accounts(crd_sqlite *s, const char *const *names, int count) {
    int i;
    for (i = 0; i < count; i++) {
        ck_assert_int_eq(write_one(s, CRD_KIND_ACCOUNT, CRD_CHANGE_INSERT,
                                   account_of(names[i], "EUR", 10 + i, 1), names[i], 0),
                         DONE);
    }
}

static const char *const four[] = {"a", "b", "c", "d"};

START_TEST(R32_every_failed_guard_is_listed_and_nothing_is_kept) {
    crd_sqlite *s = open_file();
    struct batch *b = new_batch(0);
    seed_accounts(s, four, 4);
    guard(b, 0, "a", 10);
    guard(b, 0, "b", 99);
    guard(b, 0, "c", 12);
    guard(b, 0, "d", 0);
    guard(b, 0, "e", 5);
    change(b, 0, CRD_KIND_ACCOUNT, CRD_CHANGE_UPDATE, account_of("a", "EUR", 20, 2));
    change(b, 0, CRD_KIND_CREDIT, CRD_CHANGE_INSERT, credit_of("a", "1", 5));
    ck_assert_int_eq(write_batch(s, b), CRD_OUTCOME_CONFLICT);
    ck_assert_uint_eq(b->result.failed_count, 3);
    ck_assert_uint_eq(b->failed[0], 1);
    ck_assert_uint_eq(b->failed[1], 3);
    ck_assert_uint_eq(b->failed[2], 4);
    ck_assert_int_eq(version_of(s, "a"), 10);
    ck_assert_uint_eq(count_of(s, CRD_KIND_BIT_CREDIT, NULL), 0);
    free(b);
    crd_sqlite_close(s);
}
END_TEST

START_TEST(independent_groups_stand_and_fall_whole) {
    crd_sqlite *s = open_file();
    struct batch *b = new_batch(CRD_BATCH_INDEPENDENT);
    seed_accounts(s, four, 4);
    guard(b, 900, "a", 10);
    guard(b, 7, "b", 11);
    guard(b, 900, "c", 55); /* takes a with it */
    guard(b, 3, "d", 13);
    change(b, 900, CRD_KIND_ACCOUNT, CRD_CHANGE_UPDATE, account_of("a", "EUR", 20, 2));
    change(b, 7, CRD_KIND_ACCOUNT, CRD_CHANGE_UPDATE, account_of("b", "EUR", 21, 2));
    change(b, 3, CRD_KIND_ACCOUNT, CRD_CHANGE_UPDATE, account_of("d", "EUR", 23, 2));
    change(b, 900, CRD_KIND_CREDIT, CRD_CHANGE_INSERT, credit_of("a", "1", 5));
    change(b, 7, CRD_KIND_CREDIT, CRD_CHANGE_INSERT, credit_of("b", "1", 5));
    ck_assert_int_eq(write_batch(s, b), DONE);
    ck_assert_uint_eq(b->result.failed_count, 1);
    ck_assert_uint_eq(b->failed[0], 2);
    ck_assert_int_eq(version_of(s, "a"), 10);
    ck_assert_int_eq(version_of(s, "b"), 21);
    ck_assert_int_eq(version_of(s, "c"), 12);
    ck_assert_int_eq(version_of(s, "d"), 23);
    ck_assert_uint_eq(count_of(s, CRD_KIND_BIT_CREDIT, "a"), 0);
    ck_assert_uint_eq(count_of(s, CRD_KIND_BIT_CREDIT, "b"), 1);
    ck_assert_int_eq(write_batch(s, b), CRD_OUTCOME_CONFLICT); /* now no group stands */
    ck_assert_uint_eq(b->result.failed_count, 3);
    free(b);
    crd_sqlite_close(s);
}
END_TEST

START_TEST(a_key_that_exists_fails_the_batch_and_is_named) {
    crd_sqlite *s = open_file();
    uint32_t flags;
    seed_accounts(s, four, 1);
    ck_assert_int_eq(write_one(s, CRD_KIND_CREDIT, CRD_CHANGE_INSERT, credit_of("a", "2", 5), "a", 10), DONE);
    for (flags = 0; flags <= CRD_BATCH_INDEPENDENT; flags++) {
        struct batch *b = new_batch(flags);
        guard(b, 0, "a", 10);
        change(b, 0, CRD_KIND_CREDIT, CRD_CHANGE_INSERT, credit_of("a", "1", 5));
        change(b, 0, CRD_KIND_CREDIT, CRD_CHANGE_INSERT, credit_of("a", "2", 6));
        change(b, 0, CRD_KIND_CREDIT, CRD_CHANGE_INSERT, credit_of("a", "3", 5));
        ck_assert_int_eq(write_batch(s, b), CRD_OUTCOME_EXISTS);
        ck_assert_uint_eq(b->result.exists, 1);
        ck_assert_uint_eq(count_of(s, CRD_KIND_BIT_CREDIT, "a"), 1);
        free(b);
    }
    ck_assert_int_eq(write_one(s, CRD_KIND_CREDIT, CRD_CHANGE_UPDATE, credit_of("a", "9", 5), "a", 10),
                     CRD_OUTCOME_FAILED);
    ck_assert_ptr_nonnull(strstr(crd_sqlite_message(s), "does not exist"));
    ck_assert_int_eq(write_one(s, 55, CRD_CHANGE_UPDATE, credit_of("a", "9", 5), "a", 10),
                     CRD_OUTCOME_FAILED);
    ck_assert_int_eq(write_one(s, CRD_KIND_CREDIT, 3, credit_of("a", "9", 5), "a", 10), CRD_OUTCOME_FAILED);
    crd_sqlite_close(s);
}
END_TEST

/* Many writers */

static int race_child(void) {
    crd_sqlite *s = open_file();
    int kept = 0;
    while (kept < 100) {
        int64_t version = version_of(s, "a");
        struct batch *b = new_batch(0);
        int32_t outcome;
        guard(b, 0, "a", version);
        change(b, 0, CRD_KIND_ACCOUNT, version ? CRD_CHANGE_UPDATE : CRD_CHANGE_INSERT,
               account_of("a", "EUR", version + 1, version + 1));
        change(b, 0, CRD_KIND_ENTRY, CRD_CHANGE_INSERT, entry_of("a", version + 1));
        outcome = write_batch(s, b);
        kept += outcome == DONE;
        if (outcome != DONE && outcome != CRD_OUTCOME_CONFLICT) {
            fprintf(stderr, "%d %s\n", outcome, b->result.host_text);
            return 1;
        }
        free(b);
    }
    crd_sqlite_close(s);
    return 0;
}

START_TEST(R32_processes_that_open_a_new_file_at_once_lose_no_write) {
    pid_t children[4];
    crd_sqlite *s;
    int i, status;
    for (i = 0; i < 4; i++) {
        children[i] = fork();
        if (children[i] == 0) {
            _exit(race_child());
        }
    }
    for (i = 0; i < 4; i++) {
        ck_assert_int_eq(waitpid(children[i], &status, 0), children[i]);
        ck_assert_int_eq(status, 0);
    }
    s = open_file();
    ck_assert_int_eq(version_of(s, "a"), 400);
    ck_assert_uint_eq(count_of(s, CRD_KIND_BIT_ENTRY, "a"), 400);
    crd_sqlite_close(s);
}
END_TEST

START_TEST(R32_of_two_connections_on_one_version_one_gets_the_conflict) {
    crd_sqlite *first = open_file(), *second = open_file();
    seed_accounts(first, four, 1);
    ck_assert_int_eq(version_of(second, "a"), 10);
    ck_assert_int_eq(
        write_one(second, CRD_KIND_ACCOUNT, CRD_CHANGE_UPDATE, account_of("a", "EUR", 20, 2), "a", 10), DONE);
    ck_assert_int_eq(
        write_one(first, CRD_KIND_ACCOUNT, CRD_CHANGE_UPDATE, account_of("a", "EUR", 30, 2), "a", 10),
        CRD_OUTCOME_CONFLICT);
    ck_assert_int_eq(version_of(first, "a"), 20);
    crd_sqlite_close(first);
    crd_sqlite_close(second);
}
END_TEST

/* In the host's transaction */

START_TEST(R64_a_write_joins_the_hosts_transaction_and_is_kept_or_lost_with_it) {
    sqlite3 *db = open_raw();
    crd_sqlite *s = attach(db);
    const crd_storage *storage = crd_sqlite_storage(s);
    execute(db, "CREATE TABLE own (x)");
    ck_assert_uint_eq(storage->flags_now(storage->ctx), 0);
    execute(db, "BEGIN; INSERT INTO own VALUES (1)");
    ck_assert_uint_eq(storage->flags_now(storage->ctx), CRD_STORAGE_JOINED);
    seed_accounts(s, four, 1);
    ck_assert_int_eq(version_of(s, "a"), 10);
    execute(db, "ROLLBACK");
    ck_assert_int_eq(version_of(s, "a"), 0);
    ck_assert_int_eq(ask(db, "SELECT count(*) FROM own"), 0);

    execute(db, "BEGIN; INSERT INTO own VALUES (1)");
    seed_accounts(s, four, 1);
    ck_assert_int_eq(
        write_one(s, CRD_KIND_ACCOUNT, CRD_CHANGE_UPDATE, account_of("a", "EUR", 20, 2), "a", 77),
        CRD_OUTCOME_CONFLICT);
    ck_assert_int_eq(sqlite3_get_autocommit(db), 0);
    execute(db, "COMMIT");
    ck_assert_int_eq(version_of(s, "a"), 10);
    ck_assert_int_eq(ask(db, "SELECT count(*) FROM own"), 1);

    execute(db, "SAVEPOINT mine");
    ck_assert_int_eq(
        write_one(s, CRD_KIND_ACCOUNT, CRD_CHANGE_UPDATE, account_of("a", "EUR", 20, 2), "a", 10), DONE);
    execute(db, "ROLLBACK TO mine; RELEASE mine");
    ck_assert_int_eq(version_of(s, "a"), 10);
    assert_nothing_active(db);
    crd_sqlite_close(s);
    ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
}
END_TEST

START_TEST(a_failed_write_in_the_hosts_transaction_takes_back_its_own_part_only) {
    sqlite3 *db = open_raw();
    crd_sqlite *s = attach(db);
    struct batch *b = new_batch(0);
    execute(db, "CREATE TABLE own (x); BEGIN; INSERT INTO own VALUES (1)");
    seed_accounts(s, four, 2);
    change(b, 0, CRD_KIND_CREDIT, CRD_CHANGE_INSERT, credit_of("a", "1", 5));
    change(b, 0, CRD_KIND_CREDIT, CRD_CHANGE_INSERT, credit_of("a", "1", 5));
    ck_assert_int_eq(write_batch(s, b), CRD_OUTCOME_EXISTS);
    execute(db, "COMMIT");
    ck_assert_uint_eq(count_of(s, CRD_KIND_BIT_ACCOUNT, NULL), 2);
    ck_assert_uint_eq(count_of(s, CRD_KIND_BIT_CREDIT, NULL), 0);
    ck_assert_int_eq(ask(db, "SELECT count(*) FROM own"), 1);
    free(b);
    crd_sqlite_close(s);
    sqlite3_close(db);
}
END_TEST

START_TEST(tables_made_in_a_transaction_that_rolls_back_are_made_again) {
    sqlite3 *db = open_raw();
    crd_sqlite *s;
    execute(db, "BEGIN");
    s = attach(db);
    seed_accounts(s, four, 1);
    execute(db, "ROLLBACK");
    ck_assert_int_eq(version_of(s, "a"), 0);
    execute(db, "BEGIN");
    seed_accounts(s, four, 1);
    execute(db, "ROLLBACK");
    seed_accounts(s, four, 1);
    ck_assert_int_eq(version_of(s, "a"), 10);
    crd_sqlite_close(s);
    sqlite3_close(db);
}
END_TEST

START_TEST(a_snapshot_that_another_writer_overtook_asks_for_a_restart) {
    crd_sqlite *other = open_file();
    sqlite3 *db = open_raw();
    crd_sqlite *s = attach(db);
    struct seen *seen = calloc(1, sizeof *seen);
    crd_read_result result;
    crd_query q = query_of(CRD_KIND_BIT_ACCOUNT);
    seed_accounts(other, four, 1);
    execute(db, "BEGIN");
    ck_assert_int_eq(version_of(s, "a"), 10);
    ck_assert_int_eq(
        write_one(other, CRD_KIND_ACCOUNT, CRD_CHANGE_UPDATE, account_of("a", "EUR", 20, 2), "a", 10), DONE);
    ck_assert_int_eq(
        write_one(s, CRD_KIND_ACCOUNT, CRD_CHANGE_UPDATE, account_of("a", "EUR", 30, 2), "a", 10),
        CRD_OUTCOME_RESTART);
    q.flags = CRD_QUERY_FOR_WRITE;
    ck_assert_int_eq(read_result(s, &q, seen, &result), CRD_OUTCOME_RESTART);
    execute(db, "ROLLBACK");
    ck_assert_int_eq(version_of(s, "a"), 20);

    execute(db, "BEGIN"); /* a read for write keeps others out until the host ends its transaction */
    ck_assert_int_eq(read_result(s, &q, seen, &result), DONE);
    ck_assert_int_eq(
        write_one(s, CRD_KIND_ACCOUNT, CRD_CHANGE_UPDATE, account_of("a", "EUR", 30, 2), "a", 20), DONE);
    execute(db, "COMMIT");
    crd_sqlite_close(s);
    sqlite3_close(db);
    crd_sqlite_close(other);
    free(seen);
}
END_TEST

START_TEST(a_database_locked_by_another_fails_and_says_so) {
    sqlite3 *db = open_raw(), *holder = open_raw();
    crd_sqlite *s = attach(db);
    struct batch *b = new_batch(0);
    execute(holder, "BEGIN IMMEDIATE");
    change(b, 0, CRD_KIND_CREDIT, CRD_CHANGE_INSERT, credit_of("a", "1", 5));
    ck_assert_int_eq(write_batch(s, b), CRD_OUTCOME_FAILED);
    ck_assert_int_eq(b->result.host_error, SQLITE_BUSY);
    ck_assert_str_eq(b->result.host_text, "database is locked");
    ck_assert_str_eq(crd_sqlite_message(s), "database is locked");
    ck_assert_int_ne(sqlite3_get_autocommit(db), 0);
    execute(holder, "ROLLBACK");
    ck_assert_int_eq(write_batch(s, b), DONE);
    ck_assert_str_eq(crd_sqlite_message(s), "");
    free(b);
    crd_sqlite_close(s);
    sqlite3_close(db);
    sqlite3_close(holder);
}
END_TEST

/* Faults */

static void add_many(struct batch *b, int count) {
    static char names[BATCH_ROOM][16];
    int i;
    for (i = 0; i < count; i++) {
        snprintf(names[i], sizeof names[i], "many-%05d", i);
        change(b, 0, CRD_KIND_CREDIT, CRD_CHANGE_INSERT, credit_of("a", names[i], 5));
    }
}

START_TEST(a_full_disk_keeps_nothing_and_ends_the_hosts_transaction) {
    sqlite3 *db = open_raw();
    crd_sqlite *s = attach(db);
    struct batch *b = new_batch(0);
    seed_accounts(s, four, 1);
    execute(db, "CREATE TABLE own (x); PRAGMA max_page_count = 40");
    add_many(b, 2000);
    ck_assert_int_eq(write_batch(s, b), CRD_OUTCOME_FAILED);
    ck_assert_int_eq(b->result.host_error, SQLITE_FULL);
    ck_assert_uint_eq(count_of(s, CRD_KIND_BIT_CREDIT, NULL), 0);
    execute(db, "BEGIN; INSERT INTO own VALUES (1)");
    ck_assert_int_eq(write_batch(s, b), CRD_OUTCOME_RESTART);
    ck_assert_int_ne(sqlite3_get_autocommit(db), 0);
    ck_assert_int_eq(b->result.host_error, SQLITE_FULL);
    ck_assert_int_eq(ask(db, "SELECT count(*) FROM own"), 0);
    execute(db, "PRAGMA max_page_count = 100000");
    ck_assert_int_eq(write_batch(s, b), DONE);
    ck_assert_uint_eq(count_of(s, CRD_KIND_BIT_CREDIT, NULL), 2000);
    ck_assert_int_eq(ask(db, "PRAGMA integrity_check"), 0);
    free(b);
    crd_sqlite_close(s);
    sqlite3_close(db);
}
END_TEST

/* Writes batch after batch and tells each that was kept, until it is killed. */
static void kill_child(int pipe_end) {
    crd_sqlite *s = NULL;
    int64_t version;
    crd_sqlite_open(path, 0, &s);
    for (version = version_of(s, "a");; version++) {
        struct batch *b = new_batch(0);
        int i;
        guard(b, 0, "a", version);
        change(b, 0, CRD_KIND_ACCOUNT, version ? CRD_CHANGE_UPDATE : CRD_CHANGE_INSERT,
               account_of("a", "EUR", version + 1, version + 1));
        for (i = 1; i <= 40; i++) {
            change(b, 0, CRD_KIND_ENTRY, CRD_CHANGE_INSERT, entry_of("a", version * 40 + i));
        }
        if (write_batch(s, b) != DONE || write(pipe_end, &version, sizeof version) != sizeof version) {
            _exit(1);
        }
        free(b);
    }
}

START_TEST(a_kill_at_any_instant_loses_nothing_that_was_done) {
    int64_t told = 0;
    int round;
    for (round = 0; round < 12; round++) {
        int ends[2], status, i;
        pid_t child;
        crd_sqlite *s;
        int64_t version;
        ck_assert_int_eq(pipe(ends), 0);
        child = fork();
        if (child == 0) {
            kill_child(ends[1]);
        }
        close(ends[1]);
        for (i = 0; i < 3 + round * 3; i++) {
            ck_assert_int_eq((int)read(ends[0], &told, sizeof told), (int)sizeof told);
        }
        sqlite3_sleep((int)chance(3));
        kill(child, SIGKILL);
        waitpid(child, &status, 0);
        while (read(ends[0], &told, sizeof told) == sizeof told) {
        }
        close(ends[0]);
        s = open_file();
        version = version_of(s, "a");
        ck_assert_int_ge(version, told + 1);
        ck_assert_int_le(version, told + 2);
        ck_assert_uint_eq(count_of(s, CRD_KIND_BIT_ENTRY, "a"), (uint64_t)version * 40);
        crd_sqlite_close(s);
    }
}
END_TEST

/* The n-th allocation of SQLite's fails, and with it ours. */
static sqlite3_mem_methods real_memory;
static int allocations_left = -1;

static int refuse_allocation(void) {
    if (allocations_left > 0) {
        allocations_left--;
    }
    return allocations_left == 0;
}

static void *failing_malloc(int size) {
    return refuse_allocation() ? NULL : real_memory.xMalloc(size);
}

static void *failing_realloc(void *block, int size) {
    return refuse_allocation() ? NULL : real_memory.xRealloc(block, size);
}

static crd_status one_life(int *told) {
    crd_sqlite *s = NULL;
    crd_status status = crd_sqlite_open(path, 0, &s);
    *told = 0;
    if (status == CRD_OK) {
        struct batch *b = new_batch(CRD_BATCH_INDEPENDENT);
        int64_t version = 0;
        crd_query q = query_of(~0u);
        struct seen *seen = calloc(1, sizeof *seen);
        crd_read_result result;
        q.limit = 3;
        if (read_result(s, &q, seen, &result) != DONE) {
            ck_assert_int_eq(result.outcome, CRD_OUTCOME_FAILED);
            status = CRD_E_NOMEM;
        }
        version = seen->count ? 1 : 0;
        guard(b, 0, "a", version);
        guard(b, 1, "b", 5);
        change(b, 0, CRD_KIND_ACCOUNT, version ? CRD_CHANGE_UPDATE : CRD_CHANGE_INSERT,
               account_of("a", "EUR", 1, 1));
        if (!version) {
            change(b, 0, CRD_KIND_CREDIT, CRD_CHANGE_INSERT, credit_of("a", "1", 5));
        }
        if (status == CRD_OK) {
            int32_t outcome = write_batch(s, b);
            *told = outcome == DONE;
            status = outcome == DONE ? CRD_OK : CRD_E_NOMEM;
            ck_assert_msg(outcome == DONE || outcome == CRD_OUTCOME_FAILED, "%d", outcome);
        }
        free(b);
        free(seen);
    }
    crd_sqlite_close(s);
    return status;
}

/* All of them with CHECK_LONG set, else the first ones and ever fewer of the rest. */
START_TEST(no_memory_at_any_allocation_keeps_all_or_nothing) {
    int n, told, stride = getenv("CHECK_LONG") ? 1 << 30 : 40;
    for (n = 1;; n += 1 + n / stride) {
        crd_status status;
        crd_sqlite *s;
        uint64_t accounts;
        teardown();
        setup();
        allocations_left = n;
        status = one_life(&told);
        allocations_left = -1;
        s = open_file();
        accounts = count_of(s, CRD_KIND_BIT_ACCOUNT, NULL);
        ck_assert_uint_eq(accounts, count_of(s, CRD_KIND_BIT_CREDIT, NULL));
        ck_assert_uint_eq(accounts, (uint64_t)told);
        crd_sqlite_close(s);
        if (status == CRD_OK) {
            break;
        }
    }
    ck_assert_int_gt(n, 50);
}
END_TEST

START_TEST(a_column_of_the_wrong_type_fails_the_read_in_words) {
    static const char *const spoil[] = {
        "UPDATE crd_credit SET remaining = 'many'",  "UPDATE crd_credit SET reason = NULL",
        "UPDATE crd_credit SET flags = 99999999999", "UPDATE crd_credit SET issued = -99999999999",
        "UPDATE crd_credit SET notes = x'00'",
    };
    crd_sqlite *s = open_file();
    sqlite3 *db = open_raw();
    sqlite3_stmt *statement = NULL;
    char sql[4096];
    size_t i;
    ck_assert_int_eq(sqlite3_prepare_v2(db,
                                        "SELECT replace(replace(sql, 'STRICT,', ''), ' NOT NULL', '')"
                                        " FROM sqlite_master WHERE name = 'crd_credit'",
                                        -1, &statement, NULL),
                     SQLITE_OK);
    ck_assert_int_eq(sqlite3_step(statement), SQLITE_ROW);
    snprintf(sql, sizeof sql, "DROP TABLE crd_credit; %s", (const char *)sqlite3_column_text(statement, 0));
    sqlite3_finalize(statement);
    crd_sqlite_close(s);
    execute(db, sql);
    s = open_file();
    for (i = 0; i < sizeof spoil / sizeof *spoil; i++) {
        struct seen *seen = calloc(1, sizeof *seen);
        crd_read_result result;
        crd_query q = query_of(CRD_KIND_BIT_CREDIT);
        execute(db, "DELETE FROM crd_credit");
        ck_assert_int_eq(write_one(s, CRD_KIND_CREDIT, CRD_CHANGE_INSERT, credit_of("a", "1", 5), NULL, 0),
                         DONE);
        execute(db, spoil[i]);
        ck_assert_int_eq(read_result(s, &q, seen, &result), CRD_OUTCOME_FAILED);
        ck_assert_int_eq(result.host_error, SQLITE_MISMATCH);
        ck_assert_ptr_nonnull(strstr(result.host_text, "crd_credit."));
        ck_assert_ptr_nonnull(strstr(result.host_text, "'a'"));
        free(seen);
    }
    crd_sqlite_close(s);
    sqlite3_close(db);
}
END_TEST

/* Opening */

static void refused(crd_status expected, const char *words) {
    crd_sqlite *s = NULL;
    crd_status status = crd_sqlite_open(path, 0, &s);
    ck_assert_msg(status == expected, "%d: %s", status, crd_sqlite_message(s));
    ck_assert_msg(strstr(crd_sqlite_message(s), words) != NULL, "%s", crd_sqlite_message(s));
    ck_assert_ptr_null(crd_sqlite_storage(s));
    crd_sqlite_close(s);
}

static void with_raw(const char *sql) {
    sqlite3 *db = open_raw();
    execute(db, sql);
    sqlite3_close(db);
}

START_TEST(arguments_are_checked) {
    crd_sqlite *s = NULL;
    ck_assert_int_eq(crd_sqlite_open(NULL, 0, &s), CRD_E_ARGUMENT);
    ck_assert_int_eq(crd_sqlite_open("", 0, &s), CRD_E_ARGUMENT);
    ck_assert_int_eq(crd_sqlite_open(path, 0x80, &s), CRD_E_ARGUMENT);
    ck_assert_int_eq(crd_sqlite_open(path, 0, NULL), CRD_E_ARGUMENT);
    ck_assert_int_eq(crd_sqlite_attach(NULL, 0, &s), CRD_E_ARGUMENT);
    ck_assert_ptr_null(s);
    ck_assert_str_eq(crd_sqlite_message(NULL), "");
    ck_assert_ptr_null(crd_sqlite_storage(NULL));
    crd_sqlite_close(NULL);
}
END_TEST

START_TEST(a_file_is_put_in_wal_mode_and_a_hosts_connection_is_left_alone) {
    sqlite3 *db = open_raw();
    crd_sqlite *s = attach(db);
    const crd_storage *storage = crd_sqlite_storage(s);
    ck_assert_int_eq(ask(db, "SELECT journal_mode = 'delete' FROM pragma_journal_mode"), 1);
    ck_assert_int_eq(ask(db, "PRAGMA busy_timeout"), 0);
    ck_assert_uint_ne(storage->new_writer(storage->ctx), storage->new_writer(storage->ctx));
    crd_sqlite_close(s);
    s = open_file();
    ck_assert_int_eq(ask(db, "SELECT journal_mode = 'wal' FROM pragma_journal_mode"), 1);
    crd_sqlite_close(s);
    sqlite3_close(db);
}
END_TEST

START_TEST(a_database_in_memory_works) {
    crd_sqlite *s = NULL;
    ck_assert_int_eq(crd_sqlite_open(":memory:", 0, &s), CRD_OK);
    seed_accounts(s, four, 4);
    ck_assert_uint_eq(count_of(s, CRD_KIND_BIT_ACCOUNT, NULL), 4);
    crd_sqlite_close(s);
}
END_TEST

static int is_there(const char *suffix) {
    char name[1100];
    FILE *file;
    snprintf(name, sizeof name, "%s%s", path, suffix);
    file = fopen(name, "rb");
    return file != NULL && fclose(file) == 0;
}

START_TEST(read_only_reads_and_refuses_to_write) {
    crd_sqlite *s = NULL;
    struct batch *b = new_batch(0);
    sqlite3 *db;
    ck_assert_int_eq(crd_sqlite_open(path, CRD_SQLITE_READ_ONLY, &s), CRD_E_STORAGE);
    crd_sqlite_close(s);
    with_raw("CREATE TABLE own (x)");
    ck_assert_int_eq(crd_sqlite_open(path, CRD_SQLITE_READ_ONLY, &s), CRD_E_SCHEMA);
    crd_sqlite_close(s);
    s = open_file();
    seed_accounts(s, four, 2);
    crd_sqlite_close(s);
    ck_assert_int_eq(crd_sqlite_open(path, CRD_SQLITE_READ_ONLY, &s), CRD_OK);
    ck_assert_int_eq(version_of(s, "b"), 11);
    change(b, 0, CRD_KIND_CREDIT, CRD_CHANGE_INSERT, credit_of("a", "1", 5));
    ck_assert_int_eq(write_batch(s, b), CRD_OUTCOME_FAILED);
    ck_assert_int_eq(b->result.host_error, SQLITE_READONLY);
    crd_sqlite_close(s);
    ck_assert_int_eq(is_there("-wal") + is_there("-shm") + is_there("-journal"), 0);
    db = open_raw();
    ck_assert_int_eq(crd_sqlite_attach(db, CRD_SQLITE_READ_ONLY, &s), CRD_OK);
    ck_assert_int_eq(version_of(s, "b"), 11);
    ck_assert_int_eq(write_batch(s, b), CRD_OUTCOME_FAILED);
    crd_sqlite_close(s);
    sqlite3_close(db);
    free(b);
}
END_TEST

START_TEST(a_newer_schema_is_refused_when_opening_and_when_it_comes_later) {
    crd_sqlite *s = open_file();
    struct batch *b = new_batch(0);
    struct seen *seen = calloc(1, sizeof *seen);
    crd_read_result result;
    crd_query q = query_of(CRD_KIND_BIT_ACCOUNT);
    with_raw("UPDATE crd_meta SET value = 2 WHERE key = 'schema_version'");
    change(b, 0, CRD_KIND_CREDIT, CRD_CHANGE_INSERT, credit_of("a", "1", 5));
    ck_assert_int_eq(write_batch(s, b), CRD_OUTCOME_SCHEMA);
    ck_assert_ptr_nonnull(strstr(b->result.host_text, "newer"));
    ck_assert_int_eq(read_result(s, &q, seen, &result), CRD_OUTCOME_SCHEMA);
    crd_sqlite_close(s);
    refused(CRD_E_SCHEMA, "schema version 2 was written by a newer libcredit");
    with_raw("UPDATE crd_meta SET value = 1 WHERE key = 'schema_version';"
             "ALTER TABLE crd_credit ADD COLUMN later INTEGER");
    refused(CRD_E_SCHEMA, "crd_credit.later is not known");
    free(b);
    free(seen);
}
END_TEST

START_TEST(tables_that_are_not_ours_are_refused) {
    with_raw("CREATE TABLE crd_credit (id INTEGER PRIMARY KEY, amount)");
    refused(CRD_E_SCHEMA, "crd_credit.id");
    with_raw("DROP TABLE crd_credit; CREATE TABLE crd_credit (customer TEXT, id INTEGER, PRIMARY KEY "
             "(customer, id))");
    refused(CRD_E_SCHEMA, "crd_credit.id has type INTEGER, not TEXT");
    with_raw("DROP TABLE crd_credit; CREATE TABLE crd_credit (customer TEXT PRIMARY KEY)");
    refused(CRD_E_SCHEMA, "crd_credit has no column id");
    with_raw("DROP TABLE crd_credit; CREATE TABLE crd_credit (id TEXT, customer TEXT, PRIMARY KEY (id, "
             "customer))");
    refused(CRD_E_SCHEMA, "place 1 in the key");
    with_raw("DROP TABLE crd_credit; CREATE VIEW crd_credit AS SELECT 'x' AS customer, 'y' AS id");
    refused(CRD_E_SCHEMA, "crd_credit.customer");
    with_raw("DROP VIEW crd_credit; CREATE TABLE crd_meta (key, value)");
    refused(CRD_E_SCHEMA, "crd_meta is not libcredit's");
    with_raw("DROP TABLE crd_meta; CREATE TABLE crd_meta (a)");
    refused(CRD_E_SCHEMA, "no such column");
}
END_TEST

START_TEST(a_database_in_utf16_is_refused) {
    with_raw("PRAGMA encoding = 'UTF-16le'; CREATE TABLE own (x)");
    refused(CRD_E_SCHEMA, "UTF-8");
}
END_TEST

START_TEST(columns_and_indexes_an_older_version_lacked_are_added) {
    crd_sqlite *s = open_file();
    sqlite3 *db;
    struct seen *seen = calloc(1, sizeof *seen);
    crd_read_result result;
    crd_query q = query_of(CRD_KIND_BIT_CREDIT | CRD_KIND_BIT_INVOICE | CRD_KIND_BIT_REQUEST);
    any credit = credit_of("a", "1", 5), invoice, request;
    blank(CRD_KIND_INVOICE, &invoice);
    blank(CRD_KIND_REQUEST, &request);
    invoice.invoice.customer = request.request.customer = "a";
    invoice.invoice.id = request.request.request_key = "1";
    credit.credit.tax = 7;
    ck_assert_int_eq(write_one(s, CRD_KIND_CREDIT, CRD_CHANGE_INSERT, credit, NULL, 0), DONE);
    ck_assert_int_eq(write_one(s, CRD_KIND_INVOICE, CRD_CHANGE_INSERT, invoice, NULL, 0), DONE);
    ck_assert_int_eq(write_one(s, CRD_KIND_REQUEST, CRD_CHANGE_INSERT, request, NULL, 0), DONE);
    crd_sqlite_close(s);
    with_raw("ALTER TABLE crd_credit DROP COLUMN tax; ALTER TABLE crd_credit DROP COLUMN reference;"
             "ALTER TABLE crd_invoice DROP COLUMN lines_digest; ALTER TABLE crd_request DROP COLUMN parts;"
             "DROP INDEX crd_invoice_open");
    s = open_file();
    ck_assert_msg(read_result(s, &q, seen, &result) == DONE, "%s", result.host_text);
    ck_assert_uint_eq(seen->count, 3);
    crd_sqlite_close(s);
    db = open_raw();
    ck_assert_int_eq(ask(db, "SELECT tax = 0 AND reference = '' AND remaining = 5 FROM crd_credit"), 1);
    ck_assert_int_eq(ask(db, "SELECT length(lines_digest) FROM crd_invoice"), 32);
    ck_assert_int_eq(ask(db, "SELECT count(*) FROM sqlite_master WHERE name = 'crd_invoice_open'"), 1);
    sqlite3_close(db);
    free(seen);
}
END_TEST

START_TEST(what_is_no_database_is_refused) {
    FILE *file = fopen(path, "w");
    int i;
    for (i = 0; i < 1000; i++) {
        fputs("this is not a database\n", file);
    }
    fclose(file);
    refused(CRD_E_STORAGE, "not a database");
    unlink(path);
    strcat(directory, "/none");
    snprintf(path, sizeof path, "%s/book.db", directory);
    refused(CRD_E_STORAGE, "unable to open");
    *strrchr(directory, '/') = 0;
}
END_TEST

/* Plans */

static char traced[512][2048];
static int traced_count;

static int trace(unsigned type, void *context, void *statement, void *text) {
    (void)type;
    (void)context;
    (void)text;
    if (traced_count < 512) {
        snprintf(traced[traced_count++], sizeof *traced, "%s", sqlite3_sql(statement));
    }
    return 0;
}

/* The plan of the SELECT a query causes on a table. */
static void assert_plan(sqlite3 *db, crd_sqlite *s, const crd_query *q, const char *table,
                        const char *expected) {
    struct seen *seen = calloc(1, sizeof *seen);
    crd_read_result result;
    char from[64], plan[1024] = "", *sql;
    int i, found = 0;
    snprintf(from, sizeof from, "FROM main.%s ", table);
    traced_count = 0;
    sqlite3_trace_v2(db, SQLITE_TRACE_STMT, trace, NULL);
    ck_assert_msg(read_result(s, q, seen, &result) == DONE, "%s", result.host_text);
    sqlite3_trace_v2(db, 0, NULL, NULL);
    for (i = 0; i < traced_count; i++) {
        sqlite3_stmt *statement = NULL;
        if (!strstr(traced[i], from)) {
            continue;
        }
        found = 1;
        sql = sqlite3_mprintf("EXPLAIN QUERY PLAN %s", traced[i]);
        ck_assert_int_eq(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
        while (sqlite3_step(statement) == SQLITE_ROW) {
            strncat(plan, (const char *)sqlite3_column_text(statement, 3), sizeof plan - strlen(plan) - 2);
            strcat(plan, ";");
        }
        sqlite3_finalize(statement);
        sqlite3_free(sql);
        break;
    }
    ck_assert_msg(found, "no SELECT from %s among %d", table, traced_count);
    ck_assert_msg(strstr(plan, expected) != NULL, "%s: %s, not %s", table, plan, expected);
    ck_assert_msg(strstr(plan, "TEMP B-TREE") == NULL, "%s sorts: %s", table, plan);
    free(seen);
}

START_TEST(P9_pages_and_open_documents_come_from_the_partial_indexes) {
    struct book *book = random_book();
    sqlite3 *db = open_raw();
    crd_sqlite *s = attach(db);
    uint32_t documents =
        CRD_KIND_BIT_ACCOUNT | CRD_KIND_BIT_CREDIT | CRD_KIND_BIT_INVOICE | CRD_KIND_BIT_HOLD;
    crd_query q;
    int analyzed;
    store_book(s, book, CRD_CHANGE_INSERT);
    q = query_of(documents);
    q.flags = CRD_QUERY_OPEN | CRD_QUERY_BOTH_OPEN;
    execute(db, "UPDATE crd_account SET last_seq = 1, open_credits = 2, open_invoices = 2");
    assert_plan(db, s, &q, "crd_credit", "USING PRIMARY KEY (customer=?)"); /* no entry is of a closed document */
    assert_plan(db, s, &q, "crd_invoice", "USING PRIMARY KEY (customer=?)");
    execute(db, "UPDATE crd_account SET last_seq = 9");
    for (analyzed = 0; analyzed < 2; analyzed++) {
        q = query_of(documents);
        q.flags = CRD_QUERY_OPEN | CRD_QUERY_BOTH_OPEN;
        q.limit = 1024;
        q.after_customer = "a";
        assert_plan(db, s, &q, "crd_account",
                    "USING INDEX crd_account_both_open "
                    "((customer,currency)>(?,?))");
        assert_plan(db, s, &q, "crd_credit", "USING INDEX crd_credit_open (customer=? AND currency=?)");
        assert_plan(db, s, &q, "crd_invoice", "USING INDEX crd_invoice_open (customer=? AND currency=?)");
        assert_plan(db, s, &q, "crd_hold", "USING INDEX crd_hold_open (customer=? AND currency=?)");
        q = query_of(documents);
        q.flags = CRD_QUERY_OPEN;
        q.customer = "a";
        q.currency = "EUR";
        assert_plan(db, s, &q, "crd_account", "USING PRIMARY KEY (customer=? AND currency=?)");
        assert_plan(db, s, &q, "crd_credit", "USING INDEX crd_credit_open (customer=? AND currency=?)");
        assert_plan(db, s, &q, "crd_invoice", "USING INDEX crd_invoice_open (customer=? AND currency=?)");
        q.flags = 0;
        q.id = "1";
        assert_plan(db, s, &q, "crd_credit", "USING PRIMARY KEY (customer=? AND id=?)");
        q.kinds = CRD_KIND_BIT_ENTRY;
        q.id = NULL;
        q.seq_from = 2;
        q.seq_to = 3;
        assert_plan(db, s, &q, "crd_entry",
                    "USING PRIMARY KEY (customer=? AND currency=? AND seq>? AND seq<?)");
        q = query_of(CRD_KIND_BIT_ACCOUNT | CRD_KIND_BIT_ENTRY);
        q.flags = CRD_QUERY_UNACKNOWLEDGED;
        q.limit = 5;
        assert_plan(db, s, &q, "crd_account", "SCAN main.crd_account");
        assert_plan(db, s, &q, "crd_entry", "USING PRIMARY KEY (customer=? AND currency=? AND seq>?)");
        q.flags = 0;
        q.after_customer = "a";
        assert_plan(db, s, &q, "crd_account", "USING PRIMARY KEY ((customer,currency)>(?,?))");
        execute(db, "ANALYZE");
    }
    crd_sqlite_close(s);
    sqlite3_close(db);
    free(book);
}
END_TEST

static void add_tests(TCase *test_case) {
    tcase_add_test(test_case, every_shape_of_query_emits_what_a_naive_book_would);
    tcase_add_test(test_case, updates_replace_every_field);
    tcase_add_test(test_case, reads_by_key_emit_each_once_and_accounts_first);
    tcase_add_test(test_case, a_read_that_is_stopped_leaves_nothing_open);
    tcase_add_test(test_case, short_records_and_missing_texts_are_kept_as_zero_and_empty);
    tcase_add_test(test_case, R32_every_failed_guard_is_listed_and_nothing_is_kept);
    tcase_add_test(test_case, independent_groups_stand_and_fall_whole);
    tcase_add_test(test_case, a_key_that_exists_fails_the_batch_and_is_named);
    tcase_add_test(test_case, R32_processes_that_open_a_new_file_at_once_lose_no_write);
    tcase_add_test(test_case, R32_of_two_connections_on_one_version_one_gets_the_conflict);
    tcase_add_test(test_case, R64_a_write_joins_the_hosts_transaction_and_is_kept_or_lost_with_it);
    tcase_add_test(test_case, a_failed_write_in_the_hosts_transaction_takes_back_its_own_part_only);
    tcase_add_test(test_case, tables_made_in_a_transaction_that_rolls_back_are_made_again);
    tcase_add_test(test_case, a_snapshot_that_another_writer_overtook_asks_for_a_restart);
    tcase_add_test(test_case, a_database_locked_by_another_fails_and_says_so);
    tcase_add_test(test_case, a_full_disk_keeps_nothing_and_ends_the_hosts_transaction);
    tcase_add_test(test_case, a_kill_at_any_instant_loses_nothing_that_was_done);
    tcase_add_test(test_case, no_memory_at_any_allocation_keeps_all_or_nothing);
    tcase_add_test(test_case, a_column_of_the_wrong_type_fails_the_read_in_words);
    tcase_add_test(test_case, arguments_are_checked);
    tcase_add_test(test_case, a_file_is_put_in_wal_mode_and_a_hosts_connection_is_left_alone);
    tcase_add_test(test_case, a_database_in_memory_works);
    tcase_add_test(test_case, read_only_reads_and_refuses_to_write);
    tcase_add_test(test_case, a_newer_schema_is_refused_when_opening_and_when_it_comes_later);
    tcase_add_test(test_case, tables_that_are_not_ours_are_refused);
    tcase_add_test(test_case, a_database_in_utf16_is_refused);
    tcase_add_test(test_case, columns_and_indexes_an_older_version_lacked_are_added);
    tcase_add_test(test_case, what_is_no_database_is_refused);
    tcase_add_test(test_case, P9_pages_and_open_documents_come_from_the_partial_indexes);
}

int main(void) {
    Suite *suite = suite_create("sqlite");
    TCase *test_case = tcase_create("sqlite");
    sqlite3_mem_methods memory;
    SRunner *runner;
    int failed;
    sqlite3_config(SQLITE_CONFIG_GETMALLOC, &real_memory);
    memory = real_memory;
    memory.xMalloc = failing_malloc;
    memory.xRealloc = failing_realloc;
    sqlite3_config(SQLITE_CONFIG_MALLOC, &memory);
    tcase_add_checked_fixture(test_case, setup, teardown);
    tcase_set_timeout(test_case, 120);
    add_tests(test_case);
    suite_add_tcase(suite, test_case);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
