/*
 * Reconcile and apply on SQLite (goals P4, P5), against programs written by hand for the same tables.
 *
 * The references know SQL and the tables, keep the same journal with the same hash chain, check versions, and nothing
 * else: no handles, no plan, no unit of work, no table of fields. There are three:
 *
 * - *whole rows* reads and writes every column of a record, as the contract with a storage does;
 * - *needed columns* reads and writes only the columns the work needs;
 * - *SQL-only allocation* leaves it to SQLite who pays what: cumulative sums and an interval join. The entries are
 *   still written from C, since SQL cannot compute the chain of hashes.
 *
 * Ours and theirs start from copies of one file, run alternately, and must leave the same journal: after each run the
 * applications are hashed, and crd_ledger_verify() must find the references' files intact as well as ours.
 */
#define _XOPEN_SOURCE 700

#include "pairs.h"
#include "sqlite_columns.h"
#include "work.h"

#include <credit/sqlite.h>
#include <sqlite3.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PAGE 1024
#define TEXT_ROOM (16u << 20) /* for the texts and rows of one account, or of all pairs */
#define WRITER UINT64_C(0x1234567890abcdef)

static char folder[512];

static void path_of(char *out, size_t size, const char *name) {
    snprintf(out, size, "%s/%s", folder, name);
}

static void copy_file(const char *from, const char *to) {
    char a[600], b[600], journal[700];
    FILE *in, *out;
    static char block[1 << 20];
    size_t got;
    path_of(a, sizeof a, from);
    path_of(b, sizeof b, to);
    snprintf(journal, sizeof journal, "%s-wal", b);
    (void)remove(journal);
    snprintf(journal, sizeof journal, "%s-shm", b);
    (void)remove(journal);
    in = fopen(a, "rb");
    out = fopen(b, "wb");
    if (in == NULL || out == NULL) bench_fail("cannot copy the book");
    while ((got = fread(block, 1, sizeof block, in)) > 0)
        if (fwrite(block, 1, got, out) != got) bench_fail("cannot copy the book");
    fclose(in);
    if (fclose(out) != 0) bench_fail("cannot copy the book");
    sync();
}

static crd_sqlite *open_storage(const char *name) {
    crd_sqlite *storage = NULL;
    char path[600];
    path_of(path, sizeof path, name);
    if (crd_sqlite_open(path, 0, &storage) != CRD_OK) bench_fail("cannot open the book");
    return storage;
}

/* ---- by hand ---- */

enum { WHOLE_ROWS, NEEDED_COLUMNS, SQL_ONLY, REFERENCES };
static const char *const reference_files[REFERENCES] = {"whole.db", "needed.db", "sql.db"};

static sqlite3 *db;

static void run(const char *sql) {
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK) bench_fail(sqlite3_errmsg(db));
}

static sqlite3_stmt *prepare(const char *sql) {
    sqlite3_stmt *statement;
    if (sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL) != SQLITE_OK)
        bench_fail(sqlite3_errmsg(db));
    return statement;
}

static void step(sqlite3_stmt *statement) {
    if (sqlite3_step(statement) != SQLITE_DONE) bench_fail(sqlite3_errmsg(db));
    sqlite3_reset(statement);
}

typedef struct document {
    char id[64];
    int64_t first_seq, last_seq, open, applied;
    int32_t kind, date, due, last_date, changed;
    crd_credit_record *credit;   /* whole rows: one of the two */
    crd_invoice_record *invoice;
} document;

typedef struct statements {
    sqlite3_stmt *accounts, *credits, *invoices, *credit, *invoice, *account, *entry, *receipt, *allocate;
} statements;

static int reference; /* which of them runs */

/* Room for what was read of whole rows; emptied account by account. */
static union {
    int64_t aligned;
    char bytes[TEXT_ROOM];
} kept;
static size_t kept_size;

static void *keep(size_t size) {
    void *block = kept.bytes + kept_size;
    kept_size += (size + 7) / 8 * 8;
    if (kept_size > sizeof kept.bytes) bench_fail("an account is too large");
    return block;
}

static const char *keep_text(sqlite3_stmt *statement, int column) {
    size_t size = (size_t)sqlite3_column_bytes(statement, column) + 1;
    char *text;
    if (size == 1) return "";
    text = keep(size);
    memcpy(text, sqlite3_column_text(statement, column), size);
    return text;
}

#define ACCOUNTS_WHERE                                                                                          \
    " FROM crd_account INDEXED BY crd_account_both_open WHERE open_credits > 0 AND open_invoices > 0 AND "      \
    "(customer,currency) > (?1,?2) ORDER BY customer,currency LIMIT 1024"
#define CREDITS_WHERE " FROM crd_credit WHERE customer=?1 AND currency=?2 AND remaining > 0 AND held=0 AND flags=0"
#define INVOICES_WHERE                                                                                          \
    " FROM crd_invoice WHERE customer=?1 AND currency=?2 AND (open > 0 OR state = 1) AND flags=0"
#define ACCOUNT_NEEDED                                                                                          \
    "version,last_seq,last_hash,last_instant,open_credits,open_invoices,credit_remaining,available,"            \
    "invoice_open,applied"

static void prepare_whole(statements *s) {
    s->accounts = prepare("SELECT customer,currency," NAMES(ACCOUNT_COLUMNS) ACCOUNTS_WHERE);
    s->credits = prepare("SELECT id," NAMES(CREDIT_COLUMNS) CREDITS_WHERE);
    s->invoices = prepare("SELECT id," NAMES(INVOICE_COLUMNS) INVOICES_WHERE);
    s->credit = prepare("UPDATE crd_credit SET " SETS(CREDIT_COLUMNS) " WHERE customer=? AND id=?");
    s->invoice = prepare("UPDATE crd_invoice SET " SETS(INVOICE_COLUMNS) " WHERE customer=? AND id=?");
    s->account =
        prepare("UPDATE crd_account SET " SETS(ACCOUNT_COLUMNS) " WHERE customer=? AND currency=? AND version=?");
}

static void prepare_needed(statements *s) {
    s->accounts = prepare("SELECT customer,currency," ACCOUNT_NEEDED ACCOUNTS_WHERE);
    s->credits = prepare("SELECT id,first_seq,last_seq,remaining,applied,issued,last_date" CREDITS_WHERE);
    s->invoices = prepare("SELECT id,first_seq,last_seq,open,applied,issued,last_date,due,kind" INVOICES_WHERE);
    s->credit = prepare("UPDATE crd_credit SET remaining=?3,applied=?4,state=?5,cause=?6,last_seq=?7,last_date=?8 "
                        "WHERE customer=?1 AND id=?2");
    s->invoice = prepare("UPDATE crd_invoice SET open=?3,applied=?4,state=?5,cause=?6,last_seq=?7,last_date=?8 WHERE "
                         "customer=?1 AND id=?2");
    s->account = prepare("UPDATE crd_account SET version=?4,last_seq=?5,last_hash=?6,last_instant=?7,open_credits=?8,"
                         "open_invoices=?9,credit_remaining=?10,available=?11,invoice_open=?12,applied=?13,"
                         "last_date=max(last_date,?14),turns_on=iif(?8=0,0,turns_on),"
                         "usable_from=iif(?8=0,0,usable_from) WHERE customer=?1 AND currency=?2 AND version=?3");
}

/* Credits and invoices laid end to end, each in its order: what two of them share is an application. */
static sqlite3_stmt *prepare_allocation(void) {
    return prepare("WITH c AS MATERIALIZED (SELECT id,remaining,applied,sum(remaining) OVER (ORDER BY issued,first_seq "
                   "ROWS UNBOUNDED PRECEDING) AS top" CREDITS_WHERE "), "
                   "v AS MATERIALIZED (SELECT id,open,applied,sum(open) OVER (ORDER BY kind<>2,due,issued,first_seq "
                   "ROWS UNBOUNDED PRECEDING) AS top" INVOICES_WHERE " AND open > 0) "
                   "SELECT c.id,c.remaining,c.applied,v.id,v.open,v.applied,"
                   "min(c.top,v.top)-max(c.top-c.remaining,v.top-v.open) FROM c JOIN v "
                   "ON v.top > c.top-c.remaining AND v.top-v.open < c.top ORDER BY c.top,v.top");
}

static void prepare_all(statements *s) {
    memset(s, 0, sizeof *s);
    if (reference == WHOLE_ROWS)
        prepare_whole(s);
    else
        prepare_needed(s);
    if (reference == SQL_ONLY) s->allocate = prepare_allocation();
    s->entry = prepare("INSERT INTO crd_entry(customer,currency,seq,type,last_seq,hash,instant,business_date,flags,"
                       "writer,command,amount,credit_after,invoice_after,credit,invoice,receipt,hold,actor,note,"
                       "reference,undoes,cause,figure_before,figure_after,method,other_customer,other_id,image) VALUES("
                       "?1,?2,?3,?4,?3,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,'',?17,'','',0,0,0,0,'','','',?18)");
    s->receipt = prepare("INSERT INTO crd_receipt(customer,id,currency,first_seq,last_seq,flags,state,cause,received,"
                         "last_date,posted_seq,amount,applied,written_off,received_at,credit,method,payment_info,"
                         "reference,run) VALUES(?1,?2,?3,?4,?5,0,1,0,?6,?6,?5,0,?7,0,?8,'','adjustment','','','')");
}

static void finalize_all(statements *s) {
    sqlite3_stmt **list = (sqlite3_stmt **)(void *)s;
    for (size_t i = 0; i < sizeof *s / sizeof *list; i++) sqlite3_finalize(list[i]);
}

static int by_order(const document *a, const document *b) {
    if (a->due != b->due) return a->due < b->due ? -1 : 1;
    if (a->date != b->date) return a->date < b->date ? -1 : 1;
    return a->first_seq < b->first_seq ? -1 : 1;
}

static int compare_credits(const void *a, const void *b) {
    return by_order(a, b);
}

static int compare_invoices(const void *a, const void *b) {
    int x = ((const document *)a)->kind != CRD_INVOICE_FINANCE_CHARGE;
    int y = ((const document *)b)->kind != CRD_INVOICE_FINANCE_CHARGE;
    return x != y ? x - y : by_order(a, b);
}

static void take_needed(sqlite3_stmt *statement, int invoices, document *d) {
    d->first_seq = sqlite3_column_int64(statement, 1);
    d->last_seq = sqlite3_column_int64(statement, 2);
    d->open = sqlite3_column_int64(statement, 3);
    d->applied = sqlite3_column_int64(statement, 4);
    d->date = sqlite3_column_int(statement, 5);
    d->last_date = sqlite3_column_int(statement, 6);
    d->due = invoices ? sqlite3_column_int(statement, 7) : 0;
    d->kind = invoices ? sqlite3_column_int(statement, 8) : 0;
}

static void take_credit(sqlite3_stmt *statement, document *d) {
    crd_credit_record *r = d->credit = keep(sizeof *r);
    int at = 1;
    READ_ROW(CREDIT_COLUMNS)
    d->first_seq = r->first_seq;
    d->last_seq = r->last_seq;
    d->open = r->remaining;
    d->applied = r->applied;
    d->date = r->issued;
    d->last_date = r->last_date;
    d->due = d->kind = 0;
}

static void take_invoice(sqlite3_stmt *statement, document *d) {
    crd_invoice_record *r = d->invoice = keep(sizeof *r);
    int at = 1;
    READ_ROW(INVOICE_COLUMNS)
    d->first_seq = r->first_seq;
    d->last_seq = r->last_seq;
    d->open = r->open;
    d->applied = r->applied;
    d->date = r->issued;
    d->last_date = r->last_date;
    d->due = r->due;
    d->kind = (int32_t)r->kind;
}

typedef struct documents {
    document *list;
    uint32_t count, room;
} documents;

/* A new one, and its id from a column. */
static document *add_document(documents *all, sqlite3_stmt *statement, int column) {
    document *d;
    if (all->count == all->room) {
        all->room = all->room != 0 ? all->room * 2 : 64;
        all->list = realloc(all->list, all->room * sizeof *all->list);
        if (all->list == NULL) bench_fail("out of memory");
    }
    d = &all->list[all->count++];
    memcpy(d->id, sqlite3_column_text(statement, column), (size_t)sqlite3_column_bytes(statement, column) + 1);
    d->changed = 0;
    return d;
}

static void bind_account(sqlite3_stmt *statement, const crd_account_record *a) {
    sqlite3_bind_text(statement, 1, a->customer, -1, SQLITE_STATIC);
    sqlite3_bind_text(statement, 2, a->currency, -1, SQLITE_STATIC);
}

static void read_documents(sqlite3_stmt *statement, const crd_account_record *a, int invoices, documents *all) {
    all->count = 0;
    bind_account(statement, a);
    while (sqlite3_step(statement) == SQLITE_ROW) {
        document *d = add_document(all, statement, 0);
        if (reference != WHOLE_ROWS)
            take_needed(statement, invoices, d);
        else if (invoices)
            take_invoice(statement, d);
        else
            take_credit(statement, d);
    }
    sqlite3_reset(statement);
}

static uint64_t command_counter;

static void add_entry(statements *s, crd_account_record *a, crd_entry_record *e) {
    e->seq = ++a->last_seq;
    e->customer = a->customer;
    e->currency = a->currency;
    e->last_seq = e->seq;
    e->instant = INSTANT;
    e->writer = WRITER;
    e->command = command_counter;
    e->actor = "bench";
    if (crd_entry_hash(e, a->last_hash, e->hash) != CRD_OK) bench_fail("hash");
    memcpy(a->last_hash, e->hash, 32);
    sqlite3_bind_text(s->entry, 1, e->customer, -1, SQLITE_STATIC);
    sqlite3_bind_text(s->entry, 2, e->currency, -1, SQLITE_STATIC);
    sqlite3_bind_int64(s->entry, 3, e->seq);
    sqlite3_bind_int64(s->entry, 4, e->type);
    sqlite3_bind_blob(s->entry, 5, e->hash, 32, SQLITE_STATIC);
    sqlite3_bind_int64(s->entry, 6, e->instant);
    sqlite3_bind_int64(s->entry, 7, e->business_date);
    sqlite3_bind_int64(s->entry, 8, e->flags);
    sqlite3_bind_int64(s->entry, 9, (int64_t)e->writer);
    sqlite3_bind_int64(s->entry, 10, (int64_t)e->command);
    sqlite3_bind_int64(s->entry, 11, e->amount);
    sqlite3_bind_int64(s->entry, 12, e->credit_after);
    sqlite3_bind_int64(s->entry, 13, e->invoice_after);
    sqlite3_bind_text(s->entry, 14, e->credit, -1, SQLITE_STATIC);
    sqlite3_bind_text(s->entry, 15, e->invoice, -1, SQLITE_STATIC);
    sqlite3_bind_text(s->entry, 16, e->receipt, -1, SQLITE_STATIC);
    sqlite3_bind_text(s->entry, 17, e->actor, -1, SQLITE_STATIC);
    if (e->image != NULL)
        sqlite3_bind_blob(s->entry, 18, e->image, (int)e->image_size, SQLITE_STATIC);
    else
        sqlite3_bind_zeroblob(s->entry, 18, 0);
    step(s->entry);
}

static void entry_clear(crd_entry_record *e, uint32_t type) {
    memset(e, 0, sizeof *e);
    e->struct_size = sizeof *e;
    e->type = type;
    e->credit = e->invoice = e->receipt = e->hold = e->actor = e->note = e->reference = e->method = "";
    e->other_customer = e->other_id = "";
}

static void begin_receipt(statements *s, crd_account_record *a, crd_receipt_record *r, char *id) {
    crd_entry_record e;
    uint8_t image[512];
    memset(r, 0, sizeof *r);
    snprintf(id, 64, "~%s%lld", a->currency, (long long)a->last_seq + 1);
    r->struct_size = sizeof *r;
    r->customer = a->customer;
    r->id = id;
    r->currency = a->currency;
    r->first_seq = r->last_seq = r->posted_seq = a->last_seq + 1;
    r->state = CRD_RECEIPT_POSTED;
    r->received = r->last_date = RUN_DATE;
    r->received_at = INSTANT;
    r->credit = r->payment_info = r->reference = r->run = "";
    r->method = "adjustment";
    entry_clear(&e, CRD_ENTRY_RECEIPT);
    e.business_date = RUN_DATE;
    e.flags = CRD_ENTRY_POSTS_RECEIPT | CRD_ENTRY_AUTOMATIC;
    e.receipt = id;
    if (crd_record_encode(CRD_KIND_RECEIPT, r, image, sizeof image, &e.image_size) != CRD_OK) bench_fail("encode");
    e.image = image;
    add_entry(s, a, &e);
}

static void end_receipt(statements *s, const crd_account_record *a, const crd_receipt_record *r) {
    sqlite3_bind_text(s->receipt, 1, a->customer, -1, SQLITE_STATIC);
    sqlite3_bind_text(s->receipt, 2, r->id, -1, SQLITE_STATIC);
    sqlite3_bind_text(s->receipt, 3, a->currency, -1, SQLITE_STATIC);
    sqlite3_bind_int64(s->receipt, 4, r->first_seq);
    sqlite3_bind_int64(s->receipt, 5, a->last_seq);
    sqlite3_bind_int64(s->receipt, 6, RUN_DATE);
    sqlite3_bind_int64(s->receipt, 7, r->applied);
    sqlite3_bind_int64(s->receipt, 8, INSTANT);
    step(s->receipt);
}

static void write_needed(sqlite3_stmt *statement, const crd_account_record *a, const document *d, int state) {
    sqlite3_bind_text(statement, 1, a->customer, -1, SQLITE_STATIC);
    sqlite3_bind_text(statement, 2, d->id, -1, SQLITE_STATIC);
    sqlite3_bind_int64(statement, 3, d->open);
    sqlite3_bind_int64(statement, 4, d->applied);
    sqlite3_bind_int64(statement, 5, state);
    sqlite3_bind_int64(statement, 6, d->open > 0 ? CRD_CAUSE_NONE : CRD_CAUSE_APPLIED);
    sqlite3_bind_int64(statement, 7, d->last_seq);
    sqlite3_bind_int64(statement, 8, d->last_date);
}

#define CHANGE_ROW(r, d, left)                                          \
    do {                                                                \
        (r)->left = (d)->open;                                          \
        (r)->applied = (d)->applied;                                    \
        (r)->state = (uint32_t)state;                                   \
        (r)->cause = (d)->open > 0 ? CRD_CAUSE_NONE : CRD_CAUSE_APPLIED; \
        (r)->last_seq = (d)->last_seq;                                  \
        (r)->last_date = (d)->last_date;                                \
    } while (0)

static void write_whole(sqlite3_stmt *statement, const crd_account_record *a, const document *d, int invoice,
                        int state) {
    int at = 1;
    if (invoice) {
        crd_invoice_record *r = d->invoice;
        CHANGE_ROW(r, d, open);
        BIND_ROW(INVOICE_COLUMNS)
    } else {
        crd_credit_record *r = d->credit;
        CHANGE_ROW(r, d, remaining);
        BIND_ROW(CREDIT_COLUMNS)
    }
    sqlite3_bind_text(statement, at++, a->customer, -1, SQLITE_STATIC);
    sqlite3_bind_text(statement, at, d->id, -1, SQLITE_STATIC);
}

static void write_document(statements *s, const crd_account_record *a, const document *d, int invoice) {
    sqlite3_stmt *statement = invoice ? s->invoice : s->credit;
    int state = invoice ? CRD_INVOICE_OPEN : CRD_CREDIT_ACTIVE;
    if (d->open == 0) state = invoice ? CRD_INVOICE_PAID : CRD_CREDIT_SPENT;
    if (reference == WHOLE_ROWS)
        write_whole(statement, a, d, invoice, state);
    else
        write_needed(statement, a, d, state);
    step(statement);
    if (sqlite3_changes(db) != 1) bench_fail("a document is missing");
}

static void write_account(statements *s, crd_account_record *a) {
    sqlite3_stmt *statement = s->account;
    crd_account_record *r = a;
    int64_t before = a->version;
    a->version = crd_entry_version(a->last_hash);
    a->last_instant = INSTANT;
    if (reference == WHOLE_ROWS) {
        int at = 1;
        if (a->last_date < RUN_DATE) a->last_date = RUN_DATE;
        if (a->open_credits == 0) a->turns_on = a->usable_from = 0;
        BIND_ROW(ACCOUNT_COLUMNS)
        sqlite3_bind_text(statement, at++, a->customer, -1, SQLITE_STATIC);
        sqlite3_bind_text(statement, at++, a->currency, -1, SQLITE_STATIC);
        sqlite3_bind_int64(statement, at, before);
    } else {
        bind_account(statement, a);
        sqlite3_bind_int64(statement, 3, before);
        sqlite3_bind_int64(statement, 4, a->version);
        sqlite3_bind_int64(statement, 5, a->last_seq);
        sqlite3_bind_blob(statement, 6, a->last_hash, 32, SQLITE_STATIC);
        sqlite3_bind_int64(statement, 7, a->last_instant);
        sqlite3_bind_int64(statement, 8, a->open_credits);
        sqlite3_bind_int64(statement, 9, a->open_invoices);
        sqlite3_bind_int64(statement, 10, a->credit_remaining);
        sqlite3_bind_int64(statement, 11, a->available);
        sqlite3_bind_int64(statement, 12, a->invoice_open);
        sqlite3_bind_int64(statement, 13, a->applied);
        sqlite3_bind_int64(statement, 14, RUN_DATE);
    }
    step(statement);
    if (sqlite3_changes(db) != 1) bench_fail("another writer was first");
}

/* One application: both documents, the account's totals, the entry. */
static void apply_by_hand(statements *s, crd_account_record *a, crd_receipt_record *r, document *c, document *i,
                          int64_t amount, uint32_t flags) {
    crd_entry_record e;
    entry_clear(&e, CRD_ENTRY_APPLY);
    c->open -= amount;
    c->applied += amount;
    i->open -= amount;
    i->applied += amount;
    c->last_date = i->last_date = e.business_date = RUN_DATE;
    c->changed = i->changed = 1;
    e.flags = flags;
    e.amount = amount;
    e.credit_after = c->open;
    e.invoice_after = i->open;
    e.credit = c->id;
    e.invoice = i->id;
    e.receipt = r != NULL ? r->id : "";
    add_entry(s, a, &e);
    c->last_seq = i->last_seq = a->last_seq;
    if (r != NULL) r->applied += amount;
    a->credit_remaining -= amount;
    a->available -= amount;
    a->invoice_open -= amount;
    a->applied += amount;
    a->open_credits -= c->open == 0;
    a->open_invoices -= i->open == 0;
}

#define RECONCILES (CRD_ENTRY_POSTS_RECEIPT | CRD_ENTRY_AUTOMATIC)

/* Sorted documents and two fingers. */
static uint64_t allocate_by_hand(statements *s, crd_account_record *a, crd_receipt_record *receipt, documents *credits,
                                 documents *invoices) {
    uint64_t applications = 0;
    read_documents(s->credits, a, 0, credits);
    read_documents(s->invoices, a, 1, invoices);
    qsort(credits->list, credits->count, sizeof(document), compare_credits);
    qsort(invoices->list, invoices->count, sizeof(document), compare_invoices);
    for (uint32_t x = 0, y = 0; x < credits->count && y < invoices->count; applications++) {
        document *c = &credits->list[x], *i = &invoices->list[y];
        apply_by_hand(s, a, receipt, c, i, c->open < i->open ? c->open : i->open, RECONCILES);
        x += c->open == 0;
        y += i->open == 0;
    }
    return applications;
}

/* The document of a row of the allocation: the last one, or a new one. */
static document *allocated(documents *all, sqlite3_stmt *statement, int column) {
    const char *id = (const char *)sqlite3_column_text(statement, column);
    document *d;
    if (all->count > 0 && strcmp(all->list[all->count - 1].id, id) == 0) return &all->list[all->count - 1];
    d = add_document(all, statement, column);
    d->open = sqlite3_column_int64(statement, column + 1);
    d->applied = sqlite3_column_int64(statement, column + 2);
    return d;
}

static uint64_t allocate_in_sql(statements *s, crd_account_record *a, crd_receipt_record *receipt, documents *credits,
                                documents *invoices) {
    uint64_t applications = 0;
    credits->count = invoices->count = 0;
    bind_account(s->allocate, a);
    for (; sqlite3_step(s->allocate) == SQLITE_ROW; applications++) {
        document *c = allocated(credits, s->allocate, 0), *i = allocated(invoices, s->allocate, 3);
        apply_by_hand(s, a, receipt, c, i, sqlite3_column_int64(s->allocate, 6), RECONCILES);
    }
    sqlite3_reset(s->allocate);
    return applications;
}

static uint64_t reconcile_account(statements *s, crd_account_record *a) {
    static documents credits, invoices;
    uint64_t applications;
    crd_receipt_record receipt;
    char id[64];
    kept_size = 0;
    begin_receipt(s, a, &receipt, id);
    applications = reference == SQL_ONLY ? allocate_in_sql(s, a, &receipt, &credits, &invoices)
                                         : allocate_by_hand(s, a, &receipt, &credits, &invoices);
    for (uint32_t n = 0; n < credits.count; n++)
        if (credits.list[n].changed) write_document(s, a, &credits.list[n], 0);
    for (uint32_t n = 0; n < invoices.count; n++)
        if (invoices.list[n].changed) write_document(s, a, &invoices.list[n], 1);
    end_receipt(s, a, &receipt);
    write_account(s, a);
    return applications;
}

static void take_account(sqlite3_stmt *statement, crd_account_record *r, char (*texts)[64]) {
    int at = 2;
    memcpy(texts[0], sqlite3_column_text(statement, 0), (size_t)sqlite3_column_bytes(statement, 0) + 1);
    memcpy(texts[1], sqlite3_column_text(statement, 1), (size_t)sqlite3_column_bytes(statement, 1) + 1);
    r->customer = texts[0];
    r->currency = texts[1];
    if (reference == WHOLE_ROWS) {
        READ_ROW(ACCOUNT_COLUMNS)
        return;
    }
    r->version = sqlite3_column_int64(statement, 2);
    r->last_seq = sqlite3_column_int64(statement, 3);
    memcpy(r->last_hash, sqlite3_column_blob(statement, 4), 32);
    r->open_credits = sqlite3_column_int64(statement, 6);
    r->open_invoices = sqlite3_column_int64(statement, 7);
    r->credit_remaining = sqlite3_column_int64(statement, 8);
    r->available = sqlite3_column_int64(statement, 9);
    r->invoice_open = sqlite3_column_int64(statement, 10);
    r->applied = sqlite3_column_int64(statement, 11);
}

static uint64_t reconcile_by_hand(void) {
    static crd_account_record accounts[PAGE];
    static char texts[PAGE][2][64];
    char after[2][64] = {"", ""};
    statements s;
    uint64_t applications = 0;
    uint32_t count;
    prepare_all(&s);
    command_counter = 1;
    do {
        run("BEGIN IMMEDIATE");
        sqlite3_bind_text(s.accounts, 1, after[0], -1, SQLITE_STATIC);
        sqlite3_bind_text(s.accounts, 2, after[1], -1, SQLITE_STATIC);
        for (count = 0; sqlite3_step(s.accounts) == SQLITE_ROW; count++)
            take_account(s.accounts, &accounts[count], texts[count]);
        sqlite3_reset(s.accounts);
        for (uint32_t n = 0; n < count; n++) applications += reconcile_account(&s, &accounts[n]);
        if (count > 0) memcpy(after, texts[count - 1], sizeof after);
        run("COMMIT");
    } while (count == PAGE);
    finalize_all(&s);
    return applications;
}

/* ---- the same result? ---- */

static uint64_t fnv(uint64_t hash, const void *bytes, size_t size) {
    const unsigned char *at = bytes;
    for (size_t i = 0; i < size; i++) hash = (hash ^ at[i]) * UINT64_C(0x100000001b3);
    return hash;
}

/* Hash of (credit, invoice, amount) in order, and their number; and the books must be intact. */
static uint64_t look(const char *name, uint64_t *count) {
    crd_sqlite *storage = open_storage(name);
    crd_ledger *ledger = bench_open(crd_sqlite_storage(storage), NULL);
    char path[600];
    sqlite3_stmt *statement;
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    bench_check(ledger, crd_ledger_verify(ledger, NULL, NULL), "verify");
    crd_ledger_close(ledger);
    crd_sqlite_close(storage);
    path_of(path, sizeof path, name);
    if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK) bench_fail("cannot open the book");
    statement = prepare("SELECT credit,invoice,amount FROM crd_entry WHERE type=3 ORDER BY customer,currency,seq");
    *count = 0;
    while (sqlite3_step(statement) == SQLITE_ROW) {
        int64_t amount = sqlite3_column_int64(statement, 2);
        hash = fnv(hash, sqlite3_column_text(statement, 0), (size_t)sqlite3_column_bytes(statement, 0) + 1);
        hash = fnv(hash, sqlite3_column_text(statement, 1), (size_t)sqlite3_column_bytes(statement, 1) + 1);
        hash = fnv(hash, &amount, sizeof amount);
        ++*count;
    }
    sqlite3_finalize(statement);
    sqlite3_close(db);
    return hash;
}

static void open_by_hand(const char *name) {
    char path[600];
    path_of(path, sizeof path, name);
    if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK) bench_fail("cannot open the book");
    run("PRAGMA journal_mode=WAL");
    run("PRAGMA synchronous=FULL");
    run("PRAGMA cache_size=-65536");
}

/* Ends the program unless ours and the references left the same journal. */
static void compare_files(int references) {
    uint64_t count, hash, their_count, their_hash;
    hash = look("ours.db", &count);
    for (int i = 0; i < references; i++) {
        their_hash = look(reference_files[i], &their_count);
        if (count != their_count || hash != their_hash) bench_fail("ours and the reference did different work");
    }
}

static double reconcile_ours(void) {
    crd_sqlite *storage = open_storage("ours.db");
    crd_ledger *ledger = bench_open(crd_sqlite_storage(storage), NULL);
    crd_plan_result result;
    double start = bench_now(), took;
    bench_reconcile(ledger, &result);
    took = (bench_now() - start) / (double)result.applications;
    crd_ledger_close(ledger);
    crd_sqlite_close(storage);
    return took;
}

static double reconcile_theirs(void) {
    double start, took;
    uint64_t count;
    open_by_hand(reference_files[reference]);
    start = bench_now();
    count = reconcile_by_hand();
    took = (bench_now() - start) / (double)count;
    sqlite3_close(db);
    return took;
}

static void bench_reconcile_run(uint32_t customers, uint32_t credits, uint32_t invoices) {
    double ours[ROUNDS], theirs[REFERENCES][ROUNDS], median;
    crd_sqlite *storage = open_storage("book.db");
    crd_ledger *ledger = bench_open(crd_sqlite_storage(storage), NULL);
    bench_fill(ledger, customers, credits, invoices);
    crd_ledger_close(ledger);
    crd_sqlite_close(storage);
    for (int round = 0; round < ROUNDS; round++) {
        copy_file("book.db", "ours.db");
        ours[round] = reconcile_ours();
        for (reference = 0; reference < REFERENCES; reference++) {
            copy_file("book.db", reference_files[reference]);
            theirs[reference][round] = reconcile_theirs();
        }
    }
    compare_files(REFERENCES);
    median = bench_median(ours, ROUNDS);
    bench_report("P4 reconcile on SQLite, whole rows", median, bench_median(theirs[WHOLE_ROWS], ROUNDS),
                 "ns/application");
    bench_report("P4 reconcile on SQLite, needed columns only", median, bench_median(theirs[NEEDED_COLUMNS], ROUNDS),
                 "ns/application");
    bench_report("P4 against SQL-only allocation", median, bench_median(theirs[SQL_ONLY], ROUNDS), "ns/application");
}

/* ---- apply, one per transaction or many ---- */

typedef struct pair {
    char customer[16];
    crd_credit *credit;
    crd_invoice *invoice;
    crd_account_record account;
    char texts[2][64];
    document documents[2];
} pair;

static double apply_ours(const char *name, uint32_t pairs, uint32_t applies, uint32_t batch) {
    crd_sqlite *storage = open_storage(name);
    crd_ledger *ledger = bench_open(crd_sqlite_storage(storage), NULL);
    pair *list = bench_take(pairs * sizeof *list);
    crd_request request = bench_request();
    crd_apply_terms terms;
    double start, took;
    memset(&terms, 0, sizeof terms);
    terms.struct_size = sizeof terms;
    terms.amount = 1;
    request.business_date = RUN_DATE;
    for (uint32_t i = 0; i < pairs; i++) {
        bench_customer(list[i].customer, i);
        bench_check(ledger, crd_credit_find(ledger, list[i].customer, BENCH_PAIR_ID, &list[i].credit), "find");
        bench_check(ledger, crd_invoice_find(ledger, list[i].customer, BENCH_PAIR_ID, &list[i].invoice), "find");
    }
    start = bench_now();
    for (uint32_t n = 0; n < applies; n++) {
        pair *p = &list[n % pairs];
        if (batch > 1 && n % batch == 0) bench_check(ledger, crd_unit_begin(ledger), "begin");
        bench_check(ledger, crd_credit_apply(ledger, &request, p->credit, p->invoice, &terms, NULL), "apply");
        if (batch > 1 && n % batch == batch - 1) bench_check(ledger, crd_unit_commit(ledger), "commit");
    }
    took = (bench_now() - start) / applies;
    for (uint32_t i = 0; i < pairs; i++) {
        crd_credit_free(list[i].credit);
        crd_invoice_free(list[i].invoice);
    }
    free(list);
    crd_ledger_close(ledger);
    crd_sqlite_close(storage);
    return took;
}

/* Writes the two documents and the account of a pair, as they are after its last application. */
static void write_pair(statements *s, pair *p) {
    write_document(s, &p->account, &p->documents[0], 0);
    write_document(s, &p->account, &p->documents[1], 1);
    write_account(s, &p->account);
}

static void load_pairs(statements *s, pair *list, uint32_t pairs) {
    static const char rest[] = " FROM crd_account WHERE currency<>'' ORDER BY customer";
    char sql[1000];
    sqlite3_stmt *all;
    documents one = {NULL, 0, 0};
    snprintf(sql, sizeof sql, "SELECT customer,currency,%s%s",
             reference == WHOLE_ROWS ? NAMES(ACCOUNT_COLUMNS) : ACCOUNT_NEEDED, rest);
    all = prepare(sql);
    kept_size = 0;
    for (uint32_t i = 0; i < pairs; i++) {
        if (sqlite3_step(all) != SQLITE_ROW) bench_fail("an account is missing");
        take_account(all, &list[i].account, list[i].texts);
        for (int side = 0; side < 2; side++) {
            read_documents(side == 0 ? s->credits : s->invoices, &list[i].account, side, &one);
            if (one.count != 1) bench_fail("a document is missing");
            list[i].documents[side] = one.list[0];
        }
    }
    free(one.list);
    sqlite3_finalize(all);
}

static double apply_by_hand_run(const char *name, uint32_t pairs, uint32_t applies, uint32_t batch) {
    pair *list = bench_take(pairs * sizeof *list);
    statements s;
    sqlite3_stmt *begin, *commit;
    double start, took;
    open_by_hand(name);
    prepare_all(&s);
    begin = prepare("BEGIN IMMEDIATE");
    commit = prepare("COMMIT");
    load_pairs(&s, list, pairs);
    command_counter = 0;
    start = bench_now();
    for (uint32_t n = 0; n < applies; n++) {
        pair *p = &list[n % pairs];
        command_counter++;
        if (n % batch == 0) step(begin);
        apply_by_hand(&s, &p->account, NULL, &p->documents[0], &p->documents[1], 1, 0);
        if (batch == 1) write_pair(&s, p);
        if (batch > 1 && n % batch == batch - 1)
            for (uint32_t i = 0; i < pairs; i++) write_pair(&s, &list[i]);
        if (n % batch == batch - 1) step(commit);
    }
    took = (bench_now() - start) / applies;
    sqlite3_finalize(begin);
    sqlite3_finalize(commit);
    finalize_all(&s);
    sqlite3_close(db);
    free(list);
    return took;
}

static void bench_apply(const char *name, const char *name_needed, uint32_t pairs, uint32_t applies, uint32_t batch) {
    double ours[ROUNDS], theirs[SQL_ONLY][ROUNDS], median;
    for (int round = 0; round < ROUNDS; round++) {
        copy_file("pairs.db", "ours.db");
        ours[round] = apply_ours("ours.db", pairs, applies, batch);
        for (reference = 0; reference < SQL_ONLY; reference++) {
            copy_file("pairs.db", reference_files[reference]);
            theirs[reference][round] = apply_by_hand_run(reference_files[reference], pairs, applies, batch);
        }
    }
    compare_files(SQL_ONLY);
    median = bench_median(ours, ROUNDS);
    bench_report(name, median, bench_median(theirs[WHOLE_ROWS], ROUNDS), "ns/application");
    bench_report(name_needed, median, bench_median(theirs[NEEDED_COLUMNS], ROUNDS), "ns/application");
}

static void remove_all(void) {
    static const char *const names[] = {"book.db",  "pairs.db",  "ours.db",
                                        "whole.db", "needed.db", "sql.db"};
    char path[700];
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        static const char *const ends[] = {"", "-wal", "-shm"};
        for (size_t n = 0; n < 3; n++) {
            snprintf(path, sizeof path, "%s/%s%s", folder, names[i], ends[n]);
            (void)remove(path);
        }
    }
    (void)rmdir(folder);
}

int main(void) {
    const char *store = getenv("STORE"), *scratch = getenv("BENCH_DIR");
    crd_sqlite *storage;
    crd_ledger *ledger;
    if (store != NULL && store[0] != '\0' && strcmp(store, "sqlite") != 0) return 0;
    snprintf(folder, sizeof folder, "%s/bench.XXXXXX", scratch != NULL ? scratch : "build");
    if (mkdtemp(folder) == NULL) bench_fail("no scratch folder");
    bench_reconcile_run(bench_customers(100000), 10, 10);
    storage = open_storage("pairs.db");
    ledger = bench_open(crd_sqlite_storage(storage), NULL);
    bench_fill_pairs(ledger, 1000);
    crd_ledger_close(ledger);
    crd_sqlite_close(storage);
    bench_apply("P5 apply, one per commit, whole rows",
                "P5 apply, one per commit, needed columns", 1000, 3000, 1);
    bench_apply("P5 apply, 8000 per commit, whole rows",
                "P5 apply, 8000 per commit, needed columns", 1000, 40000, 8000);
    remove_all();
    return 0;
}
