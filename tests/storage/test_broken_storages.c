/*
 * The tests of the tests: for every claim of the conformance kit a storage that breaks it, which its own claim catches.
 *
 * A broken storage is the one in memory (or, for transactions, SQLite on a connection of the host's) behind a wrapper
 * that does one thing wrong. Without a bug the wrapper passes the whole kit: what is caught is the bug.
 */
#define _XOPEN_SOURCE 700

#include <credit/testkit.h>

#ifndef CREDIT_NO_SQLITE
#include <credit/sqlite.h>
#include <sqlite3.h>
#endif

#include "support/book.h"

#include <check.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct wrapper wrapper;

/* What is wrong. Every part may be NULL. */
typedef struct bug {
    const char *claim;
    const char *what;
    int (*drops)(wrapper *w, const crd_query *query, uint32_t kind, const void *record); /* of what is emitted */
    void (*alters)(wrapper *w, uint32_t kind, void *record);                           /* a copy of it */
    void (*asks)(wrapper *w, crd_query *query);                                        /* before the read */
    void (*answers)(wrapper *w, const crd_query *query, crd_read_result *out);         /* after it */
    void (*takes)(wrapper *w, crd_batch *batch);    /* a copy of the batch, with changes and guards that are copies */
    void (*wrote)(wrapper *w, const crd_batch *batch, crd_write_result *out); /* after the write */
    void (*table)(crd_storage *table);
    int special; /* SPECIAL_… */
} bug;

enum {
    NONE,
    REORDERED,
    TWICE,
    GHOST,
    NEVER_STOPS,
    NOT_EMPTY,
    DOCUMENTS_FIRST,
    GUARD_THEN_WRITE,
    GHOST_AFTER_REOPEN,
    COMMITS_ON_ROLLBACK,
    ROLLS_BACK_ON_COMMIT,
    ROLLS_BACK_ALL
};

typedef struct shared {
    crd_memory *memory;
    pthread_mutex_t lock;
    const bug *bug;
    int reopened, locked, other_wrote, conflicts;
    uint64_t writers, writes, emitted;
    int poisoned;
    const char *pointer;
    int64_t first_remaining;
    wrapper *first;
#ifndef CREDIT_NO_SQLITE
    crd_sqlite *sqlite;
    sqlite3 *own;
#endif
} shared;

struct wrapper {
    shared *s;
    const bug *bug;
    crd_storage inner, table;
    crd_fault *fault;
    int is_other;
};

/* ---- helpers ---- */

static void pause_a_little(void) {
    struct timespec t = {0, 300000};
    nanosleep(&t, NULL);
}

typedef struct record_list {
    uint32_t kinds[4000];
    void *records[4000];
    size_t count;
} record_list;

static int32_t CRD_CALL collect(void *sink, uint32_t kind, const void *record) {
    record_list *list = sink;
    if (list->count == 4000) return 0;
    list->kinds[list->count] = kind;
    list->records[list->count++] = record_copy(kind, record);
    return 0;
}

static void free_list(record_list *list) {
    for (size_t i = 0; i < list->count; i++) record_free(list->kinds[i], list->records[i]);
    list->count = 0;
}

static int32_t inner_read(wrapper *w, const crd_query *query, crd_emit emit, void *sink, crd_read_result *out) {
    pthread_mutex_lock(&w->s->lock);
    w->inner.read(w->inner.ctx, query, emit, sink, out);
    pthread_mutex_unlock(&w->s->lock);
    return out->outcome;
}

static int32_t inner_write(wrapper *w, const crd_batch *batch, crd_write_result *out) {
    pthread_mutex_lock(&w->s->lock);
    w->inner.write(w->inner.ctx, batch, out);
    pthread_mutex_unlock(&w->s->lock);
    return out->outcome;
}

static int32_t CRD_CALL take_version(void *sink, uint32_t kind, const void *record) {
    if (kind == CRD_KIND_ACCOUNT) *(int64_t *)sink = ((const crd_account_record *)record)->version;
    return 0;
}

static int64_t stored_version(wrapper *w, const char *customer, const char *currency) {
    crd_query q;
    crd_read_result r;
    int64_t version = 0;
    memset(&q, 0, sizeof q);
    memset(&r, 0, sizeof r);
    q.struct_size = sizeof q;
    q.kinds = CRD_KIND_BIT_ACCOUNT;
    q.customer = customer;
    q.currency = currency;
    inner_read(w, &q, take_version, &version, &r);
    return version;
}

typedef struct looked {
    const crd_change *change;
    int found;
} looked;

static int32_t CRD_CALL look(void *sink, uint32_t kind, const void *record) {
    looked *l = sink;
    uint8_t a[CRD_RECORD_KEY_SIZE], b[CRD_RECORD_KEY_SIZE];
    uint64_t m, n;
    if (kind != l->change->kind) return 0;
    crd_record_key(kind, record, a, sizeof a, &m);
    crd_record_key(kind, l->change->record, b, sizeof b, &n);
    if (m == n && memcmp(a, b, m) == 0) l->found = 1;
    return 0;
}

static int is_stored(wrapper *w, const crd_change *change) {
    crd_query q;
    crd_read_result r;
    looked l = {NULL, 0};
    l.change = change;
    memset(&q, 0, sizeof q);
    memset(&r, 0, sizeof r);
    q.struct_size = sizeof q;
    q.kinds = UINT32_C(1) << change->kind;
    inner_read(w, &q, look, &l, &r);
    return l.found;
}

static const char *customer_of(uint32_t kind, const void *record) {
    const char *customer;
    uint64_t count;
    const crd_field *const *fields = crd_record_fields(kind, &count, NULL);
    for (uint64_t i = 0; i < count; i++)
        if (strcmp(fields[i]->name, "customer") == 0) {
            memcpy(&customer, (const char *)record + fields[i]->offset, sizeof customer);
            return customer;
        }
    return "";
}

/* Keeps those records of a kind that the batch inserts, whatever its guards say. */
static void keep_inserts(wrapper *w, const crd_batch *batch, uint32_t kind) {
    for (uint64_t i = 0; i < batch->change_count; i++) {
        crd_batch one = *batch;
        crd_write_result r;
        if (batch->changes[i]->kind != kind || batch->changes[i]->operation != CRD_CHANGE_INSERT) continue;
        memset(&r, 0, sizeof r);
        one.guard_count = 0;
        one.changes = &batch->changes[i];
        one.change_count = 1;
        inner_write(w, &one, &r);
    }
}

/* The guards as the store has them: none fails. */
static void believe(wrapper *w, crd_batch *batch) {
    for (uint64_t i = 0; i < batch->guard_count; i++) {
        crd_guard *guard = (crd_guard *)(uintptr_t)batch->guards[i];
        guard->version = stored_version(w, guard->customer, guard->currency);
    }
}

/* ---- what may be wrong with a read ---- */

#define DROPS(name, condition)                                                                                         \
    static int name(wrapper *w, const crd_query *q, uint32_t kind, const void *record) {                               \
        (void)w, (void)q, (void)kind, (void)record;                                                                    \
        return (condition);                                                                                            \
    }
#define ACCOUNT ((const crd_account_record *)record)
#define ENTRY ((const crd_entry_record *)record)
DROPS(drop_holds, kind == CRD_KIND_HOLD)
DROPS(drop_trimmed, q->customer != NULL && strcmp(q->customer, "a ") == 0)
DROPS(drop_customers_by_currency, q->currency != NULL && q->currency[0] != '\0' && kind == CRD_KIND_CUSTOMER)
DROPS(drop_accounts_by_id, q->id != NULL && kind == CRD_KIND_ACCOUNT)
DROPS(drop_lines_by_state, q->states != 0 && kind == CRD_KIND_LINE)
DROPS(drop_credits_by_request, q->request_key != NULL && kind == CRD_KIND_CREDIT)
DROPS(drop_same_customer_after, q->after_customer != NULL && kind == CRD_KIND_ACCOUNT &&
                                    strcmp(ACCOUNT->customer, q->after_customer) == 0)
DROPS(drop_by_records, q->limit != 0 && ++w->s->emitted > q->limit)
DROPS(drop_drafts, (q->flags & CRD_QUERY_OPEN) && kind == CRD_KIND_INVOICE &&
                       ((const crd_invoice_record *)record)->state == CRD_INVOICE_DRAFT)
DROPS(drop_receipts_of_both_open, (q->flags & CRD_QUERY_BOTH_OPEN) && kind == CRD_KIND_RECEIPT)
DROPS(drop_partly_acknowledged, (q->flags & CRD_QUERY_UNACKNOWLEDGED) && kind == CRD_KIND_ACCOUNT &&
                                    ACCOUNT->acknowledged_seq > 0)
DROPS(drop_invoices_for_write, (q->flags & CRD_QUERY_FOR_WRITE) && kind == CRD_KIND_INVOICE)
DROPS(drop_last_seq, q->seq_to != 0 && kind == CRD_KIND_ENTRY && ENTRY->seq == q->seq_to)
DROPS(drop_last_date, q->date_to != 0 && kind == CRD_KIND_ENTRY && ENTRY->business_date == q->date_to)
DROPS(drop_named_by_two, (q->entry_credit != NULL || q->entry_invoice != NULL) && kind == CRD_KIND_ENTRY &&
                             ENTRY->credit[0] != '\0' && ENTRY->invoice[0] != '\0')
DROPS(drop_lines_by_key, q->keys != NULL && kind == CRD_KIND_LINE)
DROPS(drop_together, q->currency != NULL && q->id != NULL && kind == CRD_KIND_CREDIT)
DROPS(drop_behind_ascii, q->limit != 0 && (unsigned char)customer_of(kind, record)[0] >= 0x80)
DROPS(drop_on_other, w->is_other && kind == CRD_KIND_CREDIT)
DROPS(drop_entries_reopened, w->s->reopened && kind == CRD_KIND_ENTRY)
DROPS(drop_what_was_unknown, (kind == CRD_KIND_REQUEST && q->request_key != NULL) ||
                                 (kind == CRD_KIND_ENTRY && q->seq_from > 0 && q->seq_from == q->seq_to))

#define ALTERS(name, statement)                                                                                        \
    static void name(wrapper *w, uint32_t kind, void *record) {                                                        \
        (void)w, (void)kind, (void)record;                                                                             \
        statement;                                                                                                     \
    }
ALTERS(sign_writer, if (kind == CRD_KIND_ENTRY)((crd_entry_record *)record)->writer &= INT64_MAX)
ALTERS(forget_size, if (kind == CRD_KIND_RECEIPT) * (uint32_t *)record = 2)
ALTERS(other_method, if (kind == CRD_KIND_RECEIPT)((crd_receipt_record *)record)->flags ^= 0x8000u)
ALTERS(other_name, if (kind == CRD_KIND_CUSTOMER)((crd_customer_record *)record)->created_at++)

/* One credit is emitted as it was when it was emitted first. */
static void first_answer(wrapper *w, uint32_t kind, void *record) {
    crd_credit_record *credit = record;
    if (kind != CRD_KIND_CREDIT || strcmp(credit->customer, "a") != 0 || strcmp(credit->id, "EUR1") != 0) return;
    if (w->s->first_remaining == 0) w->s->first_remaining = credit->remaining + 1;
    credit->remaining = w->s->first_remaining - 1;
}

/* A credit's reason is a pointer into a batch of long ago. */
static void keep_pointer(wrapper *w, crd_batch *batch) {
    (void)batch;
    (void)w;
}
static void remember_pointer(wrapper *w, const crd_batch *batch, crd_write_result *out) {
    (void)out;
    for (uint64_t i = 0; i < batch->change_count; i++)
        if (batch->changes[i]->kind == CRD_KIND_CREDIT)
            w->s->pointer = ((const crd_credit_record *)batch->changes[i]->record)->reason;
}
static int drop_scribbled(wrapper *w, const crd_query *q, uint32_t kind, const void *record) {
    (void)q, (void)record;
    return kind == CRD_KIND_CREDIT && w->s->pointer != NULL && w->s->pointer[0] == '#';
}

static void all_kinds(wrapper *w, crd_query *q) {
    (void)w;
    q->kinds = 0x3feu;
}
static void first_keys(wrapper *w, crd_query *q) {
    (void)w;
    if (q->key_count > 1000) q->key_count = 1000;
}
static void short_proof(wrapper *w, const crd_query *q, crd_read_result *out) {
    (void)w;
    out->proof = q->proof & UINT32_MAX;
}
static void exact_size(wrapper *w, const crd_query *q, crd_read_result *out) {
    (void)w;
    if (q->struct_size != sizeof *q) out->outcome = CRD_OUTCOME_FAILED;
}
static void stays_open(wrapper *w, const crd_query *q, crd_read_result *out) {
    (void)q, (void)out;
    if (!w->is_other) w->s->locked = 1;
}

/* ---- what may be wrong with a write ---- */

static void short_write_proof(wrapper *w, const crd_batch *b, crd_write_result *out) {
    (void)w;
    out->proof = b->proof & UINT32_MAX;
}
static void drop_lines(wrapper *w, crd_batch *b) {
    const crd_change **changes = (const crd_change **)(uintptr_t)b->changes;
    uint64_t count = 0;
    (void)w;
    for (uint64_t i = 0; i < b->change_count; i++)
        if (changes[i]->kind != CRD_KIND_LINE || changes[i]->operation != CRD_CHANGE_INSERT)
            changes[count++] = changes[i];
    b->change_count = count;
}
/* Memory that a broken storage does not give back; the list says that it is not lost. */
static void *keep(size_t size) {
    static struct kept {
        struct kept *next;
        int64_t aligned;
    } *all;
    struct kept *one = malloc(sizeof *one + size);
    if (one == NULL) abort();
    one->next = all;
    all = one;
    return one + 1;
}
static void merge_reason(wrapper *w, crd_batch *b) {
    (void)w;
    for (uint64_t i = 0; i < b->change_count; i++) {
        const crd_credit_record *credit = b->changes[i]->record;
        if (b->changes[i]->kind == CRD_KIND_CREDIT && b->changes[i]->operation == CRD_CHANGE_UPDATE &&
            credit->reason[0] == '\0') {
            crd_credit_record *copy = keep(sizeof *copy);
            *copy = *credit;
            copy->reason = "goods returned";
            ((crd_change *)(uintptr_t)b->changes[i])->record = copy;
        }
    }
}
static void half_on(wrapper *w, const crd_batch *b, const crd_write_result *out, int32_t outcome) {
    if (out->outcome == outcome) keep_inserts(w, b, CRD_KIND_RECEIPT);
}
static void half_on_conflict(wrapper *w, const crd_batch *b, crd_write_result *out) {
    half_on(w, b, out, CRD_OUTCOME_CONFLICT);
}
static void half_on_exists(wrapper *w, const crd_batch *b, crd_write_result *out) {
    half_on(w, b, out, CRD_OUTCOME_EXISTS);
}
static void half_on_failed(wrapper *w, const crd_batch *b, crd_write_result *out) {
    half_on(w, b, out, CRD_OUTCOME_FAILED);
}
static void list_one(wrapper *w, const crd_batch *b, crd_write_result *out) {
    (void)w, (void)b;
    if (out->failed_count > 1) out->failed_count = 1;
}
static void drop_guards_if(crd_batch *b, int (*drops)(const crd_guard *guard)) {
    const crd_guard **guards = (const crd_guard **)(uintptr_t)b->guards;
    uint64_t count = 0;
    for (uint64_t i = 0; i < b->guard_count; i++)
        if (!drops(guards[i])) guards[count++] = guards[i];
    b->guard_count = count;
}
static int is_zero(const crd_guard *guard) {
    return guard->version == 0;
}
static int is_only_guarded(const crd_guard *guard) {
    return guard->version == guard->new_version;
}
static void skip_zero(wrapper *w, crd_batch *b) {
    (void)w;
    drop_guards_if(b, is_zero);
}
static void skip_guarded(wrapper *w, crd_batch *b) {
    (void)w;
    drop_guards_if(b, is_only_guarded);
}
static void compare_doubles(wrapper *w, crd_batch *b) {
    for (uint64_t i = 0; i < b->guard_count; i++) {
        crd_guard *guard = (crd_guard *)(uintptr_t)b->guards[i];
        int64_t stored = stored_version(w, guard->customer, guard->currency);
        if (stored != 0 && (double)stored == (double)guard->version) guard->version = stored;
    }
}
static void other_exists(wrapper *w, const crd_batch *b, crd_write_result *out) {
    (void)w, (void)b;
    out->exists++;
}
static void upsert(wrapper *w, crd_batch *b) {
    for (uint64_t i = 0; i < b->change_count; i++)
        if (b->changes[i]->operation == CRD_CHANGE_UPDATE && !is_stored(w, b->changes[i]))
            ((crd_change *)(uintptr_t)b->changes[i])->operation = CRD_CHANGE_INSERT;
}
static void currency_in_key(wrapper *w, const crd_batch *b, crd_write_result *out) {
    (void)w;
    if (out->outcome == CRD_OUTCOME_EXISTS && strcmp(b->guards[0]->currency, "JPY") == 0) out->outcome = CRD_OUTCOME_DONE;
}
static void glued_keys(wrapper *w, const crd_batch *b, crd_write_result *out) {
    (void)w;
    if (out->outcome == CRD_OUTCOME_DONE && b->guard_count > 0 && strcmp(b->guards[0]->customer, "c11") == 0)
        out->outcome = CRD_OUTCOME_EXISTS;
}
static void ignore_groups(wrapper *w, const crd_batch *b, crd_write_result *out) {
    if ((b->flags & CRD_BATCH_INDEPENDENT) && out->outcome == CRD_OUTCOME_DONE && out->failed_count > 0)
        keep_inserts(w, b, CRD_KIND_RECEIPT);
}
static void always_groups(wrapper *w, crd_batch *b) {
    (void)w;
    b->flags |= CRD_BATCH_INDEPENDENT;
}
static void twice_is_done(wrapper *w, const crd_batch *b, crd_write_result *out) {
    if (out->outcome != CRD_OUTCOME_CONFLICT || b->change_count == 0) return;
    if (stored_version(w, b->guards[0]->customer, b->guards[0]->currency) == b->guards[0]->new_version) {
        out->outcome = CRD_OUTCOME_DONE;
        out->failed_count = 0;
    }
}
static void nothing_to_do(wrapper *w, const crd_batch *b, crd_write_result *out) {
    (void)w;
    if (b->change_count > 0) return;
    out->outcome = CRD_OUTCOME_DONE;
    out->failed_count = 0;
}
static void poison(wrapper *w, const crd_batch *b, crd_write_result *out) {
    (void)b;
    if (w->s->poisoned && out->outcome == CRD_OUTCOME_DONE) out->outcome = CRD_OUTCOME_FAILED;
    w->s->poisoned = out->outcome != CRD_OUTCOME_DONE;
}
static void at_most_10000(wrapper *w, const crd_batch *b, crd_write_result *out) {
    (void)w;
    if (b->change_count > 10000) out->outcome = CRD_OUTCOME_FAILED;
}
static void guards_last(wrapper *w, const crd_batch *b, crd_write_result *out) {
    if (out->outcome != CRD_OUTCOME_CONFLICT) return;
    for (uint64_t i = 0; i < b->change_count; i++)
        if (b->changes[i]->kind == CRD_KIND_CREDIT) {
            int stored = is_stored(w, b->changes[i]);
            if (stored && b->changes[i]->operation == CRD_CHANGE_INSERT) out->outcome = CRD_OUTCOME_EXISTS;
            if (!stored && b->changes[i]->operation == CRD_CHANGE_UPDATE) out->outcome = CRD_OUTCOME_FAILED;
        }
}
static void every_thirtieth(wrapper *w, const crd_batch *b, crd_write_result *out) {
    (void)b;
    if (++w->s->writes % 30 == 0 && out->outcome == CRD_OUTCOME_DONE) out->outcome = CRD_OUTCOME_FAILED;
}
static void exists_is_done(wrapper *w, const crd_batch *b, crd_write_result *out) {
    (void)w, (void)b;
    if (out->outcome == CRD_OUTCOME_EXISTS) out->outcome = CRD_OUTCOME_DONE;
}
static void believe_if_raced(wrapper *w, crd_batch *b) {
    if (!w->is_other && w->s->other_wrote) believe(w, b);
}
static void note_other(wrapper *w, const crd_batch *b, crd_write_result *out) {
    (void)b, (void)out;
    if (w->is_other) w->s->other_wrote = 1;
}
static void locked_out(wrapper *w, const crd_batch *b, crd_write_result *out) {
    (void)b;
    if (w->is_other && w->s->locked) out->outcome = CRD_OUTCOME_FAILED;
}
static void believe_reopened(wrapper *w, crd_batch *b) {
    if (w->s->reopened) believe(w, b);
}
static void request_once(wrapper *w, const crd_batch *b, crd_write_result *out) {
    (void)w;
    if (out->outcome == CRD_OUTCOME_EXISTS && b->changes[out->exists]->kind == CRD_KIND_REQUEST)
        out->outcome = CRD_OUTCOME_DONE;
}
static void no_nul(wrapper *w, const crd_batch *b, crd_write_result *out) {
    (void)w, (void)b;
    memset(out->host_text, 'x', sizeof out->host_text);
}
static void whole_structs(wrapper *w, crd_batch *b) {
    (void)w;
    for (uint64_t i = 0; i < b->change_count; i++) {
        uint32_t size, known;
        void *copy;
        memcpy(&size, b->changes[i]->record, sizeof size);
        crd_record_fields(b->changes[i]->kind, NULL, &known);
        if (size >= known || b->changes[i]->kind != CRD_KIND_INVOICE) continue;
        copy = keep(known); /* reads what is behind the record's end */
        memcpy(copy, b->changes[i]->record, known);
        memcpy(copy, &known, sizeof known);
        ((crd_change *)(uintptr_t)b->changes[i])->record = copy;
    }
}

static uint64_t CRD_CALL always_five(void *ctx) {
    (void)ctx;
    return 5;
}
static uint64_t CRD_CALL counts_from_one(void *ctx) {
    wrapper *w = ctx;
    return ++w->s->writers;
}
static uint32_t CRD_CALL no_flags(void *ctx) {
    (void)ctx;
    return 0;
}
static void table_without_sizes(crd_storage *t) {
    t->record_size[CRD_KIND_CREDIT] = 0;
}
static void table_always_five(crd_storage *t) {
    t->new_writer = always_five;
}
static void table_counter(crd_storage *t) {
    t->new_writer = counts_from_one;
}
static void table_no_flags(crd_storage *t) {
    t->flags_now = no_flags;
}

/* ---- the list ---- */

static const bug bugs[] = {
    {.claim = "T1", .what = "record_size is not filled in", .table = table_without_sizes},
    {.claim = "T2", .what = "every writer is 5", .table = table_always_five},
    {.claim = "T3", .what = "a world that is not empty", .special = NOT_EMPTY},
    {.claim = "T4", .what = "insists on its own struct_size", .answers = exact_size},
    {.claim = "T5", .what = "reads behind the end of a record", .takes = whole_structs},
    {.claim = "R1", .what = "emits no holds", .drops = drop_holds},
    {.claim = "R2", .what = "emits credits twice", .special = TWICE},
    {.claim = "R3", .what = "accounts last", .special = REORDERED},
    {.claim = "R4", .what = "emits what nobody kept", .special = GHOST},
    {.claim = "R5", .what = "signed where it is unsigned", .alters = sign_writer},
    {.claim = "R6", .what = "no struct_size", .alters = forget_size},
    {.claim = "R7", .what = "all kinds, always", .asks = all_kinds},
    {.claim = "R8", .what = "never stops", .special = NEVER_STOPS},
    {.claim = "R9", .what = "half a proof", .answers = short_proof},
    {.claim = "R10", .what = "trims the customer", .drops = drop_trimmed},
    {.claim = "R11", .what = "narrows customers by currency", .drops = drop_customers_by_currency},
    {.claim = "R12", .what = "narrows accounts by id", .drops = drop_accounts_by_id},
    {.claim = "R13", .what = "narrows lines by state", .drops = drop_lines_by_state},
    {.claim = "R14", .what = "narrows credits by request key", .drops = drop_credits_by_request},
    {.claim = "R15", .what = "skips the other currencies of the last customer", .drops = drop_same_customer_after},
    {.claim = "R16", .what = "the limit counts records", .drops = drop_by_records},
    {.claim = "R17", .what = "drafts are not open", .drops = drop_drafts},
    {.claim = "R18", .what = "no receipts of accounts with both", .drops = drop_receipts_of_both_open},
    {.claim = "R19", .what = "partly acknowledged is acknowledged", .drops = drop_partly_acknowledged},
    {.claim = "R20", .what = "locks, and forgets the invoices", .drops = drop_invoices_for_write},
    {.claim = "R21", .what = "seq_to is exclusive", .drops = drop_last_seq},
    {.claim = "R22", .what = "date_to is exclusive", .drops = drop_last_date},
    {.claim = "R23", .what = "entries with two documents", .drops = drop_named_by_two},
    {.claim = "R24", .what = "keys of lines", .drops = drop_lines_by_key},
    {.claim = "R25", .what = "the first 1000 keys", .asks = first_keys},
    {.claim = "R26", .what = "currency and id together", .drops = drop_together},
    {.claim = "R27", .what = "signed characters", .drops = drop_behind_ascii},
    {.claim = "R28", .what = "an answer of before", .alters = first_answer},
    {.claim = "W1", .what = "half a proof", .wrote = short_write_proof},
    {.claim = "W2", .what = "keeps no lines", .takes = drop_lines},
    {.claim = "W3", .what = "merges", .takes = merge_reason},
    {.claim = "W4", .what = "keeps half on conflict", .wrote = half_on_conflict},
    {.claim = "W5", .what = "keeps half on exists", .wrote = half_on_exists},
    {.claim = "W6", .what = "keeps half on failed", .wrote = half_on_failed},
    {.claim = "W7", .what = "lists the first failed guard", .wrote = list_one},
    {.claim = "W8", .what = "no check of version 0", .takes = skip_zero},
    {.claim = "W9", .what = "versions as doubles", .takes = compare_doubles},
    {.claim = "W10", .what = "checks what it writes only", .takes = skip_guarded},
    {.claim = "W11", .what = "the wrong change exists", .wrote = other_exists},
    {.claim = "W12", .what = "keeps pointers", .takes = keep_pointer, .wrote = remember_pointer,
     .drops = drop_scribbled},
    {.claim = "W13", .what = "upserts", .takes = upsert},
    {.claim = "W14", .what = "the currency is in the key", .wrote = currency_in_key},
    {.claim = "W15", .what = "glues keys together", .wrote = glued_keys},
    {.claim = "W16", .what = "keeps part of a failed group", .wrote = ignore_groups},
    {.claim = "W17", .what = "every batch is independent", .takes = always_groups},
    {.claim = "W18", .what = "the same again is done", .wrote = twice_is_done},
    {.claim = "W19", .what = "no changes, nothing to check", .wrote = nothing_to_do},
    {.claim = "W20", .what = "does not recover", .wrote = poison},
    {.claim = "W21", .what = "at most 10000", .wrote = at_most_10000},
    {.claim = "W22", .what = "guards last", .wrote = guards_last},
    {.claim = "W23", .what = "fails now and then", .wrote = every_thirtieth},
    {.claim = "C1", .what = "the other connection is behind", .drops = drop_on_other},
    {.claim = "C2", .what = "believes its own cache", .takes = believe_if_raced, .wrote = note_other},
    {.claim = "C3", .what = "a read stays open", .answers = stays_open, .wrote = locked_out},
    {.claim = "C4", .what = "documents of before", .special = DOCUMENTS_FIRST},
    {.claim = "P1", .what = "checks, then writes", .special = GUARD_THEN_WRITE},
    {.claim = "P2", .what = "documents before accounts", .special = DOCUMENTS_FIRST},
    {.claim = "P3", .what = "a request key may be there", .wrote = request_once},
    {.claim = "D1", .what = "forgets the journal", .drops = drop_entries_reopened},
    {.claim = "D2", .what = "keeps what it refused", .special = GHOST_AFTER_REOPEN},
    {.claim = "D3", .what = "guards are in memory", .takes = believe_reopened},
    {.claim = "D4", .what = "writers start anew", .table = table_counter},
#ifndef CREDIT_NO_SQLITE
    {.claim = "J1", .what = "does not say it joined", .table = table_no_flags},
    {.claim = "J2", .what = "commits on roll back", .special = COMMITS_ON_ROLLBACK},
    {.claim = "J3", .what = "rolls back on commit", .special = ROLLS_BACK_ON_COMMIT},
    {.claim = "J4", .what = "a conflict rolls all back", .special = ROLLS_BACK_ALL},
#endif
    {.claim = "L1", .what = "another instant", .alters = other_name},
    {.claim = "L2", .what = "another flag", .alters = other_method},
    {.claim = "L3", .what = "does not find what was unknown", .drops = drop_what_was_unknown},
    {.claim = "L4", .what = "a text without an end", .wrote = no_nul},
    {.claim = "L5", .what = "believes every guard", .takes = believe, .wrote = exists_is_done},
};
#define BUGS (sizeof bugs / sizeof bugs[0])
static const bug no_bug = {.claim = "", .what = ""};

/* ---- the wrapper ---- */

static void emit_ghost(crd_emit emit, void *sink) {
    crd_credit_record ghost;
    uint64_t count;
    const crd_field *const *fields = crd_record_fields(CRD_KIND_CREDIT, &count, NULL);
    const char *nothing = "";
    memset(&ghost, 0, sizeof ghost);
    ghost.struct_size = sizeof ghost;
    for (uint64_t i = 0; i < count; i++)
        if (fields[i]->type == CRD_FIELD_TEXT) memcpy((char *)&ghost + fields[i]->offset, &nothing, sizeof nothing);
    ghost.customer = "nobody";
    ghost.currency = "EUR";
    ghost.id = "ghost";
    (void)emit(sink, CRD_KIND_CREDIT, &ghost);
}

static int emit_one(wrapper *w, const crd_query *q, const record_list *list, size_t i, crd_emit emit, void *sink) {
    const bug *b = w->bug;
    if (b->drops != NULL && b->drops(w, q, list->kinds[i], list->records[i])) return 0;
    if (b->alters != NULL) b->alters(w, list->kinds[i], list->records[i]);
    if (b->special == TWICE && list->kinds[i] == CRD_KIND_CREDIT && emit(sink, list->kinds[i], list->records[i]) != 0)
        return 1;
    return emit(sink, list->kinds[i], list->records[i]) != 0 && b->special != NEVER_STOPS;
}

/* First the documents; then the accounts, the first of which is emitted before the others are read. */
static void documents_first(wrapper *w, const crd_query *query, crd_emit emit, void *sink, crd_read_result *out) {
    record_list *documents = calloc(1, sizeof *documents), *accounts = calloc(1, sizeof *accounts);
    crd_query part = *query;
    size_t i = 0;
    part.kinds = query->kinds & ~CRD_KIND_BIT_ACCOUNT;
    inner_read(w, &part, collect, documents, out);
    pause_a_little();
    part.kinds = query->kinds & CRD_KIND_BIT_ACCOUNT;
    part.limit = 1;
    inner_read(w, &part, collect, accounts, out);
    for (; i < accounts->count; i++) emit(sink, accounts->kinds[i], accounts->records[i]);
    if (i > 0) {
        part.limit = query->limit;
        part.after_customer = ((crd_account_record *)accounts->records[0])->customer;
        part.after_currency = ((crd_account_record *)accounts->records[0])->currency;
        inner_read(w, &part, collect, accounts, out);
    }
    for (; i < accounts->count; i++) emit(sink, accounts->kinds[i], accounts->records[i]);
    for (i = 0; i < documents->count; i++) emit(sink, documents->kinds[i], documents->records[i]);
    free_list(documents);
    free_list(accounts);
    free(documents);
    free(accounts);
    out->proof = query->proof;
}

static void CRD_CALL wrapped_read(void *ctx, const crd_query *query, crd_emit emit, void *sink, crd_read_result *out) {
    wrapper *w = ctx;
    const bug *b = w->bug;
    record_list *list;
    crd_query q;
    if (b->special == DOCUMENTS_FIRST) {
        documents_first(w, query, emit, sink, out);
        return;
    }
    q = *query;
    w->s->emitted = 0;
    list = calloc(1, sizeof *list);
    if (b->asks != NULL) b->asks(w, &q);
    inner_read(w, &q, collect, list, out);
    for (size_t i = 0; i < list->count; i++)
        if (emit_one(w, query, list, i, emit, sink)) break;
    if (b->special == GHOST || (b->special == GHOST_AFTER_REOPEN && w->s->reopened && w->s->conflicts > 0))
        if (query->kinds & CRD_KIND_BIT_CREDIT) emit_ghost(emit, sink);
    free_list(list);
    free(list);
    if (b->answers != NULL) b->answers(w, query, out);
}

typedef struct batch_copy {
    crd_batch batch;
    crd_guard *guards;
    const crd_guard **guard_list;
    crd_change *changes;
    const crd_change **change_list;
} batch_copy;

static void copy_batch(batch_copy *c, const crd_batch *batch) {
    c->batch = *batch;
    c->guards = calloc((size_t)batch->guard_count + 1, sizeof *c->guards);
    c->guard_list = calloc((size_t)batch->guard_count + 1, sizeof *c->guard_list);
    c->changes = calloc((size_t)batch->change_count + 1, sizeof *c->changes);
    c->change_list = calloc((size_t)batch->change_count + 1, sizeof *c->change_list);
    for (uint64_t i = 0; i < batch->guard_count; i++) {
        c->guards[i] = *batch->guards[i];
        c->guard_list[i] = &c->guards[i];
    }
    for (uint64_t i = 0; i < batch->change_count; i++) {
        c->changes[i] = *batch->changes[i];
        c->change_list[i] = &c->changes[i];
    }
    c->batch.guards = c->guard_list;
    c->batch.changes = c->change_list;
}

static void free_batch(batch_copy *c) {
    free(c->guards);
    free((void *)c->guard_list);
    free(c->changes);
    free((void *)c->change_list);
}

/* Guards are looked at, and some time later the batch is written without them. */
static void guard_then_write(wrapper *w, const crd_batch *batch, crd_write_result *out) {
    crd_batch bare = *batch;
    for (uint64_t i = 0; i < batch->guard_count; i++)
        if (stored_version(w, batch->guards[i]->customer, batch->guards[i]->currency) != batch->guards[i]->version)
            out->failed[out->failed_count++] = i;
    if (out->failed_count > 0) {
        out->outcome = CRD_OUTCOME_CONFLICT;
        out->proof = batch->proof;
        return;
    }
    pause_a_little();
    bare.guard_count = 0;
    for (uint64_t i = 0; i < bare.change_count; i++) { /* an entry would tell: this storage numbers them itself */
        crd_batch one = bare;
        if (bare.changes[i]->kind == CRD_KIND_ENTRY) continue;
        one.changes = &bare.changes[i];
        one.change_count = 1;
        inner_write(w, &one, out);
    }
    out->outcome = CRD_OUTCOME_DONE;
    out->proof = batch->proof;
}

static void CRD_CALL wrapped_write(void *ctx, const crd_batch *batch, crd_write_result *out) {
    wrapper *w = ctx;
    const bug *b = w->bug;
    batch_copy copy;
    if (b->special == GUARD_THEN_WRITE) {
        guard_then_write(w, batch, out);
        return;
    }
    copy_batch(&copy, batch);
    if (b->takes != NULL) b->takes(w, &copy.batch);
    inner_write(w, &copy.batch, out);
    free_batch(&copy);
    w->s->conflicts += out->outcome == CRD_OUTCOME_CONFLICT;
#ifndef CREDIT_NO_SQLITE
    if (b->special == ROLLS_BACK_ALL && out->outcome == CRD_OUTCOME_CONFLICT && !sqlite3_get_autocommit(w->s->own))
        sqlite3_exec(w->s->own, "ROLLBACK; BEGIN", NULL, NULL, NULL);
#endif
    if (b->wrote != NULL) b->wrote(w, batch, out);
}

static uint64_t CRD_CALL wrapped_writer(void *ctx) {
    wrapper *w = ctx;
    uint64_t writer;
    pthread_mutex_lock(&w->s->lock);
    writer = w->inner.new_writer(w->inner.ctx);
    pthread_mutex_unlock(&w->s->lock);
    return writer;
}

static uint32_t CRD_CALL wrapped_flags(void *ctx) {
    wrapper *w = ctx;
    return w->inner.flags_now != NULL ? w->inner.flags_now(w->inner.ctx) : w->inner.flags;
}

static wrapper *wrap(shared *s, const crd_storage *inner) {
    wrapper *w = calloc(1, sizeof *w);
    w->s = s;
    w->bug = s->bug;
    w->inner = w->table = *inner;
    w->table.ctx = w;
    w->table.read = wrapped_read;
    w->table.write = wrapped_write;
    w->table.new_writer = wrapped_writer;
    w->table.flags_now = wrapped_flags;
    if (s->bug->special == REORDERED) {
        ck_assert_int_eq(crd_fault_new(inner, NULL, &w->fault), CRD_OK);
        ck_assert_int_eq(crd_fault_set(w->fault, CRD_FAULT_REORDERED, 1, 1), CRD_OK);
        w->inner = *crd_fault_storage(w->fault);
    }
    if (s->bug->table != NULL) s->bug->table(&w->table);
    return w;
}

static void unwrap(wrapper *w) {
    crd_fault_free(w->fault);
    free(w);
}

/* ---- worlds ---- */

static void fill(const crd_storage *storage) {
    crd_memory *memory;
    crd_ledger_options options;
    crd_ledger *ledger;
    crd_request request;
    crd_storage table = *storage;
    (void)memory;
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    table.close = NULL;
    options.storage = &table;
    ck_assert_int_eq(crd_ledger_open(&options, &ledger), CRD_OK);
    memset(&request, 0, sizeof request);
    request.struct_size = sizeof request;
    request.actor = "somebody";
    request.instant = INT64_C(1795176000000000);
    ck_assert_int_eq(crd_customer_add(ledger, &request, "left over", NULL, NULL), CRD_OK);
    crd_ledger_close(ledger);
}

static void CRD_CALL open_world(void *ctx, crd_testkit_world *world) {
    shared *s = calloc(1, sizeof *s);
    s->bug = ctx;
    pthread_mutex_init(&s->lock, NULL);
    ck_assert_int_eq(crd_memory_new(NULL, &s->memory), CRD_OK);
    s->first = wrap(s, crd_memory_storage(s->memory));
    if (s->bug->special == NOT_EMPTY) fill(crd_memory_storage(s->memory));
    world->handle = s;
    world->storage = &s->first->table;
}

static void CRD_CALL close_world(void *ctx, crd_testkit_world *world) {
    shared *s = world->handle;
    (void)ctx;
    unwrap(s->first);
    crd_memory_free(s->memory);
#ifndef CREDIT_NO_SQLITE
    crd_sqlite_close(s->sqlite);
    if (s->own != NULL) sqlite3_close(s->own);
#endif
    pthread_mutex_destroy(&s->lock);
    free(s);
}

static void CRD_CALL reopen_world(void *ctx, crd_testkit_world *world) {
    shared *s = world->handle;
    (void)ctx;
    unwrap(s->first);
    s->first = wrap(s, crd_memory_storage(s->memory));
    s->reopened = 1;
    s->writers = 0;
    world->storage = &s->first->table;
}

static void CRD_CALL connect_world(void *ctx, crd_testkit_world *world, crd_testkit_world *other) {
    shared *s = world->handle;
    wrapper *w = wrap(s, crd_memory_storage(s->memory));
    (void)ctx;
    w->is_other = 1;
    other->handle = w;
    other->storage = &w->table;
}

static void CRD_CALL disconnect_world(void *ctx, crd_testkit_world *world, crd_testkit_world *other) {
    (void)ctx, (void)world;
    unwrap(other->handle);
}

typedef struct one_job {
    crd_testkit_job job;
    void *ctx;
    uint64_t number;
    crd_testkit_world world;
} one_job;

static void *run_job(void *ctx) {
    one_job *j = ctx;
    j->job(j->ctx, j->number, j->world.storage);
    return NULL;
}

static void CRD_CALL run_jobs(void *ctx, crd_testkit_world *world, crd_testkit_job job, void *job_ctx, uint64_t count) {
    pthread_t threads[8];
    one_job jobs[8];
    ck_assert_uint_le(count, 8);
    for (uint64_t i = 0; i < count; i++) {
        one_job one = {job, job_ctx, i, {sizeof one.world, 0, NULL, NULL}};
        jobs[i] = one;
        connect_world(ctx, world, &jobs[i].world);
    }
    for (uint64_t i = 0; i < count; i++) ck_assert_int_eq(pthread_create(&threads[i], NULL, run_job, &jobs[i]), 0);
    for (uint64_t i = 0; i < count; i++) pthread_join(threads[i], NULL);
    for (uint64_t i = 0; i < count; i++) disconnect_world(ctx, world, &jobs[i].world);
}

#ifndef CREDIT_NO_SQLITE
static void CRD_CALL open_attached(void *ctx, crd_testkit_world *world) {
    shared *s = calloc(1, sizeof *s);
    s->bug = ctx;
    pthread_mutex_init(&s->lock, NULL);
    ck_assert_int_eq(sqlite3_open(":memory:", &s->own), SQLITE_OK);
    ck_assert_int_eq(crd_sqlite_attach(s->own, 0, &s->sqlite), CRD_OK);
    s->first = wrap(s, crd_sqlite_storage(s->sqlite));
    world->handle = s;
    world->storage = &s->first->table;
}

static void CRD_CALL begin_attached(void *ctx, crd_testkit_world *world) {
    (void)ctx;
    sqlite3_exec(((shared *)world->handle)->own, "BEGIN", NULL, NULL, NULL);
}

static void CRD_CALL end_attached(void *ctx, crd_testkit_world *world, int32_t commit) {
    const bug *b = ctx;
    if (b->special == COMMITS_ON_ROLLBACK) commit = 1;
    if (b->special == ROLLS_BACK_ON_COMMIT) commit = 0;
    sqlite3_exec(((shared *)world->handle)->own, commit ? "COMMIT" : "ROLLBACK", NULL, NULL, NULL);
}
#endif

static crd_testkit_factory factory_of(const bug *b) {
    crd_testkit_factory f;
    memset(&f, 0, sizeof f);
    f.struct_size = sizeof f;
    f.ctx = (void *)(uintptr_t)b;
    f.flags = CRD_TESTKIT_SEPARATE;
    f.open = open_world;
    f.close = close_world;
    f.reopen = reopen_world;
    f.connect = connect_world;
    f.disconnect = disconnect_world;
    f.concurrently = run_jobs;
#ifndef CREDIT_NO_SQLITE
    if (b->claim[0] == 'J') {
        f.open = open_attached;
        f.reopen = NULL;
        f.begin = begin_attached;
        f.end = end_attached;
    }
#endif
    return f;
}

/* ---- the tests ---- */

typedef struct seen {
    const char *claim;
    uint64_t failed, others;
    char evidence[300];
} seen;

static int32_t CRD_CALL take_finding(void *ctx, const crd_testkit_finding *f) {
    seen *s = ctx;
    if (f->verdict == CRD_TESTKIT_FAILED && strcmp(f->claim->id, s->claim) == 0) {
        if (s->failed++ == 0) snprintf(s->evidence, sizeof s->evidence, "%s", f->evidence);
    } else {
        s->others++;
    }
    return 0;
}

START_TEST(a_broken_storage_is_caught_by_its_own_claim) {
    const bug *b = &bugs[_i];
    crd_testkit_factory f = factory_of(b);
    crd_testkit_summary summary;
    seen s;
    memset(&s, 0, sizeof s);
    s.claim = b->claim;
    f.only = b->claim;
    memset(&summary, 0, sizeof summary);
    summary.struct_size = sizeof summary;
    ck_assert_int_eq(crd_testkit_run(&f, take_finding, &s, &summary), CRD_OK);
    ck_assert_msg(summary.failed == 1 && s.failed > 0 && s.others == 0, "%s does not catch: %s", b->claim, b->what);
    ck_assert_str_ne(s.evidence, "");
    if (getenv("SHOW") != NULL) printf("%s, %s: %s\n", b->claim, b->what, s.evidence);
}
END_TEST

START_TEST(every_claim_has_a_broken_storage) {
    const crd_testkit_claim *claim;
    for (uint64_t i = 0; (claim = crd_testkit_claim_get(i)) != NULL; i++) {
        int found = 0;
        for (size_t n = 0; n < BUGS; n++) found |= strcmp(bugs[n].claim, claim->id) == 0;
#ifdef CREDIT_NO_SQLITE
        found |= claim->id[0] == 'J';
#endif
        ck_assert_msg(found, "no broken storage for %s (%s)", claim->id, claim->title);
        ck_assert(claim->title[0] != '\0' && claim->sentence[0] != '\0' && claim->source[0] != '\0' &&
                  claim->remedy[0] != '\0');
        for (uint64_t j = 0; j < i; j++) ck_assert_str_ne(crd_testkit_claim_get(j)->id, claim->id);
    }
}
END_TEST

static int32_t CRD_CALL show(void *ctx, const crd_testkit_finding *f) {
    (void)ctx;
    if (f->verdict == CRD_TESTKIT_FAILED) fprintf(stderr, "%s: %s\n", f->claim->id, f->evidence);
    return 0;
}

START_TEST(the_wrapper_without_a_bug_passes) {
    crd_testkit_factory f = factory_of(&no_bug);
    crd_testkit_summary summary;
    memset(&summary, 0, sizeof summary);
    summary.struct_size = sizeof summary;
    /* W21, the largest batch, is more than the wrapper's list of records holds. */
    f.only = "T1 T2 T3 T4 T5 R1 R2 R3 R4 R5 R6 R7 R8 R9 R10 R16 R24 R25 R26 R27 R28 W1 W2 W3 W4 W5 W6 W7 W8 W9 W10 W11 "
             "W12 W13 W14 W15 W16 W17 W18 W19 W20 W22 W23 C1 C2 C3 C4 P1 P2 P3 D1 D2 D3 D4 L1 L2 L4 L5";
    ck_assert_int_eq(crd_testkit_run(&f, show, NULL, &summary), CRD_OK);
    ck_assert_uint_eq(summary.failed, 0);
    ck_assert_uint_eq(summary.skipped, 0);
    ck_assert_uint_eq(summary.held, 58);
}
END_TEST

/* What the audit says of some of them, while the library works on top. */
static const struct {
    const char *bug, *audit;
} audited[] = {{"R3", "A3"}, {"R2", "A4"}, {"R6", "A5"}, {"R7", "A6"}, {"L4", "A10"}, {"L1", "A11"}};

static int32_t CRD_CALL take_audit(void *ctx, const crd_testkit_finding *f) {
    seen *s = ctx;
    size_t length = strlen(s->claim);
    if (strncmp(f->evidence, s->claim, length) == 0 && f->evidence[length] == ' ') s->failed++;
    return 0;
}

START_TEST(the_audit_names_what_is_wrong) {
    const bug *b = bugs;
    crd_testkit_factory f;
    crd_testkit_summary summary;
    seen s;
    while (strcmp(b->claim, audited[_i].bug) != 0) b++;
    memset(&s, 0, sizeof s);
    s.claim = audited[_i].audit;
    f = factory_of(b);
    f.only = "L4";
    memset(&summary, 0, sizeof summary);
    summary.struct_size = sizeof summary;
    ck_assert_int_eq(crd_testkit_run(&f, take_audit, &s, &summary), CRD_OK);
    ck_assert_msg(s.failed > 0, "%s does not find: %s", s.claim, b->what);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("broken storages");
    TCase *tests = tcase_create("broken storages");
    SRunner *runner;
    int failed;
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, the_wrapper_without_a_bug_passes);
    tcase_add_test(tests, every_claim_has_a_broken_storage);
    tcase_add_loop_test(tests, a_broken_storage_is_caught_by_its_own_claim, 0, (int)BUGS);
    tcase_add_loop_test(tests, the_audit_names_what_is_wrong, 0, (int)(sizeof audited / sizeof audited[0]));
    suite_add_tcase(suite, tests);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
