/*
 * A storage of your own in an afternoon: all records in one sorted array.
 *
 * A record is kept as the bytes of crd_record_encode(), beside the key of crd_record_key(). That key sorts by kind,
 * customer and the rest, which is also the order of a batch: so a read is a walk through the array (accounts come
 * first by themselves), and a write is a merge of two sorted lists into a new one. While the new one is made the old
 * one stays; when anything is wrong the new one is dropped. That is all there is to "all or nothing".
 *
 * crd_query_matches() decides what to emit, and nothing is done about `limit` and the like: more may be emitted.
 */
#include "try_storage.h"

#include <stdlib.h>

typedef struct row {
    uint32_t kind;
    uint64_t key_size, size;
    uint8_t key[CRD_RECORD_KEY_SIZE];
    uint8_t bytes[]; /* encoded */
} row;

typedef struct book {
    crd_storage storage;
    row **rows;
    uint64_t count;
    uint64_t writers;
} book;

typedef union any_record {
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
} any_record;

static row *make_row(uint32_t kind, const void *record) {
    uint64_t size = 0;
    row *r;
    crd_record_encode(kind, record, NULL, 0, &size); /* only measures */
    r = malloc(sizeof *r + size);
    if (r == NULL) return NULL;
    r->kind = kind;
    if (crd_record_key(kind, record, r->key, sizeof r->key, &r->key_size) != CRD_OK ||
        crd_record_encode(kind, record, r->bytes, size, &r->size) != CRD_OK) {
        free(r);
        return NULL;
    }
    return r;
}

/* Back into a struct. Its texts lie in a buffer that is given back with free(). */
static char *open_row(const row *r, any_record *record) {
    char *text = malloc(r->size + 64);
    memset(record, 0, sizeof *record);
    (void)crd_record_fields(r->kind, NULL, &record->struct_size);
    if (text == NULL || crd_record_decode(r->kind, r->bytes, r->size, record, text, r->size + 64) == CRD_OK) return text;
    free(text);
    return NULL;
}

static int compare(const row *a, const row *b) {
    int order = memcmp(a->key, b->key, a->key_size < b->key_size ? a->key_size : b->key_size);
    return order != 0 ? order : a->key_size < b->key_size ? -1 : a->key_size > b->key_size;
}

/* ---- read ---- */

static void CRD_CALL book_read(void *ctx, const crd_query *query, crd_emit emit, void *sink, crd_read_result *out) {
    const book *b = ctx;
    int stop = 0;
    out->outcome = CRD_OUTCOME_DONE;
    for (uint64_t i = 0; i < b->count && !stop; i++) {
        any_record record;
        char *text;
        if ((query->kinds >> b->rows[i]->kind & 1) == 0) continue;
        text = open_row(b->rows[i], &record);
        if (text == NULL) {
            out->outcome = CRD_OUTCOME_FAILED;
            break;
        }
        if (crd_query_matches(query, b->rows[i]->kind, &record)) stop = emit(sink, b->rows[i]->kind, &record);
        free(text);
    }
    out->proof = query->proof; /* the last thing it does */
}

/* ---- write ---- */

static int64_t version_of(const book *b, const crd_guard *guard) {
    for (uint64_t i = 0; i < b->count && b->rows[i]->kind == CRD_KIND_ACCOUNT; i++) { /* a hash table would be faster */
        any_record record;
        char *text = open_row(b->rows[i], &record);
        int64_t version = 0;
        if (text != NULL && strcmp(record.account.customer, guard->customer) == 0 &&
            strcmp(record.account.currency, guard->currency) == 0)
            version = record.account.version;
        free(text);
        if (version != 0) return version;
    }
    return 0; /* no such account */
}

/* Merges the book and the changes into `merged`, and tells how many there are. What is new stands in `fresh` as well,
 * and what it replaces in `old`. */
static int32_t merge(const book *b, const crd_batch *batch, row **merged, row **fresh, row **old, uint64_t *count,
                     uint64_t *exists) {
    uint64_t i = 0;
    for (uint64_t n = 0; n < batch->change_count; n++) {
        const crd_change *change = batch->changes[n];
        int there;
        fresh[n] = make_row(change->kind, change->record);
        if (fresh[n] == NULL) return CRD_OUTCOME_FAILED;
        while (i < b->count && compare(b->rows[i], fresh[n]) < 0) merged[(*count)++] = b->rows[i++];
        there = i < b->count && compare(b->rows[i], fresh[n]) == 0;
        if (there && change->operation == CRD_CHANGE_INSERT) {
            *exists = n;
            return CRD_OUTCOME_EXISTS;
        }
        if (!there && change->operation == CRD_CHANGE_UPDATE) return CRD_OUTCOME_FAILED;
        if (there) old[n] = b->rows[i++];
        merged[(*count)++] = fresh[n];
    }
    while (i < b->count) merged[(*count)++] = b->rows[i++];
    return CRD_OUTCOME_DONE;
}

static void CRD_CALL book_write(void *ctx, const crd_batch *batch, crd_write_result *out) {
    book *b = ctx;
    row **merged = calloc(b->count + batch->change_count + 1, sizeof *merged), **unwanted;
    row **fresh = calloc(batch->change_count + 1, sizeof *fresh), **old = calloc(batch->change_count + 1, sizeof *old);
    uint64_t count = 0;
    for (uint64_t i = 0; i < batch->guard_count; i++) /* all of them, before anything else */
        if (version_of(b, batch->guards[i]) != batch->guards[i]->version) out->failed[out->failed_count++] = i;
    if (merged == NULL || fresh == NULL || old == NULL) {
        out->outcome = CRD_OUTCOME_FAILED;
    } else if (out->failed_count > 0) {
        out->outcome = CRD_OUTCOME_CONFLICT;
    } else {
        out->outcome = merge(b, batch, merged, fresh, old, &count, &out->exists);
    }
    unwanted = out->outcome == CRD_OUTCOME_DONE ? old : fresh;
    if (out->outcome == CRD_OUTCOME_DONE) { /* this is the moment at which everything is kept */
        row **before = b->rows;
        b->rows = merged;
        b->count = count;
        merged = before;
    }
    for (uint64_t n = 0; unwanted != NULL && n < batch->change_count; n++) free(unwanted[n]);
    free(merged);
    free(fresh);
    free(old);
    out->proof = batch->proof;
}

/* As long as the book lives in memory only, a counter is enough; else take 64 random bits. */
static uint64_t CRD_CALL book_writer(void *ctx) {
    return ++((book *)ctx)->writers;
}

/* ---- a world for each claim ---- */

static void CRD_CALL open_world(void *ctx, crd_testkit_world *world) {
    static const crd_storage storage = CRD_STORAGE_INIT;
    book *b = calloc(1, sizeof *b);
    (void)ctx;
    if (b == NULL) return;
    b->storage = storage;
    b->storage.flags = CRD_STORAGE_SETTLED; /* no call takes effect after it returned */
    b->storage.ctx = b;
    b->storage.read = book_read;
    b->storage.write = book_write;
    b->storage.new_writer = book_writer;
    world->handle = b;
    world->storage = &b->storage;
}

static void CRD_CALL close_world(void *ctx, crd_testkit_world *world) {
    book *b = world->handle;
    (void)ctx;
    for (uint64_t i = 0; i < b->count; i++) free(b->rows[i]);
    free(b->rows);
    free(b);
}

int main(void) {
    crd_testkit_factory factory;
    memset(&factory, 0, sizeof factory);
    factory.struct_size = sizeof factory;
    factory.open = open_world;
    factory.close = close_world;
    return try_storage(&factory);
}
