/*
 * Two callbacks for a host whose store is keys and bytes: an ordered map with transactions, as LMDB, RocksDB and many
 * a server have one. Here it is a small one made for the purpose (the first part); what a host writes is the second.
 *
 * crd_record_key() gives keys whose order as bytes is the order of the records, so that all records of a kind and
 * customer are neighbours: a question about one customer seeks once per kind and walks from there.
 */
#include "try_storage.h"

#include <stdlib.h>

/* ---- a store of keys and bytes ---- */

typedef struct pair {
    uint64_t key_size, size;
    uint8_t key[CRD_RECORD_KEY_SIZE];
    uint8_t *value;
} pair;

typedef struct undo {
    struct undo *next;
    pair *of;
    uint8_t *value; /* before; NULL: the pair is new */
    uint64_t size;
} undo;

typedef struct map {
    pair **pairs;
    uint64_t count, room;
    undo *undo;
} map;

/* The first pair that is not before the key. */
static uint64_t map_seek(const map *m, const uint8_t *key, uint64_t size) {
    uint64_t low = 0, high = m->count;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        const pair *p = m->pairs[middle];
        int order = memcmp(p->key, key, p->key_size < size ? p->key_size : size);
        if (order < 0 || (order == 0 && p->key_size < size)) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static pair *map_get(const map *m, const uint8_t *key, uint64_t size) {
    uint64_t at = map_seek(m, key, size);
    return at < m->count && m->pairs[at]->key_size == size && memcmp(m->pairs[at]->key, key, size) == 0 ? m->pairs[at]
                                                                                                     : NULL;
}

/* Within a transaction; 0 when there is no memory. */
static int map_put(map *m, const uint8_t *key, uint64_t key_size, const uint8_t *value, uint64_t size) {
    pair *p = map_get(m, key, key_size);
    undo *u = calloc(1, sizeof *u);
    uint8_t *copy = malloc(size + 1);
    if (m->count == m->room) {
        pair **more = realloc(m->pairs, (2 * m->room + 64) * sizeof *more);
        if (more != NULL) m->pairs = more, m->room = 2 * m->room + 64;
    }
    if (u == NULL || copy == NULL || m->count == m->room || (p == NULL && (u->of = calloc(1, sizeof *p)) == NULL)) {
        free(u);
        free(copy);
        return 0;
    }
    memcpy(copy, value, size);
    if (p == NULL) {
        uint64_t at = map_seek(m, key, key_size);
        p = u->of;
        p->key_size = key_size;
        memcpy(p->key, key, key_size);
        memmove(m->pairs + at + 1, m->pairs + at, (m->count - at) * sizeof *m->pairs);
        m->pairs[at] = p;
        m->count++;
    }
    u->of = p;
    u->value = p->value;
    u->size = p->size;
    u->next = m->undo;
    m->undo = u;
    p->value = copy;
    p->size = size;
    return 1;
}

static void map_commit(map *m) {
    while (m->undo != NULL) {
        undo *next = m->undo->next;
        free(m->undo->value);
        free(m->undo);
        m->undo = next;
    }
}

static void map_rollback(map *m) {
    while (m->undo != NULL) {
        undo *u = m->undo;
        free(u->of->value);
        u->of->value = u->value;
        u->of->size = u->size;
        if (u->value == NULL) {
            uint64_t at = map_seek(m, u->of->key, u->of->key_size);
            memmove(m->pairs + at, m->pairs + at + 1, (m->count - at - 1) * sizeof *m->pairs);
            m->count--;
            free(u->of);
        }
        m->undo = u->next;
        free(u);
    }
}

/* ---- what the host writes: reading ---- */

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

typedef struct store {
    crd_storage storage;
    map map;
    uint64_t writers;
} store;

static char *decode(uint32_t kind, const pair *p, any_record *record) {
    char *text = malloc(p->size + 64);
    memset(record, 0, sizeof *record);
    (void)crd_record_fields(kind, NULL, &record->struct_size);
    if (text == NULL || crd_record_decode(kind, p->value, p->size, record, text, p->size + 64) == CRD_OK) return text;
    free(text);
    return NULL;
}

/* The key before all keys of a kind and customer. Texts that are NULL count as "". */
static uint64_t first_key(uint32_t kind, const char *customer, uint8_t *key) {
    any_record record;
    uint64_t size = 0, count = 0;
    const crd_field *const *fields = crd_record_fields(kind, &count, NULL);
    memset(&record, 0, sizeof record);
    (void)crd_record_fields(kind, NULL, &record.struct_size);
    for (uint64_t i = 0; customer != NULL && i < count; i++)
        if (strcmp(fields[i]->name, "customer") == 0)
            memcpy((char *)&record + fields[i]->offset, &customer, sizeof customer);
    (void)crd_record_key(kind, &record, key, CRD_RECORD_KEY_SIZE, &size);
    return size;
}

/* All of a kind, or of a kind and customer, that match. 0: go on; 1: emit said stop; -1: a value is no record. */
static int read_kind(const map *m, const crd_query *query, uint32_t kind, crd_emit emit, void *sink) {
    uint8_t from[CRD_RECORD_KEY_SIZE], behind[CRD_RECORD_KEY_SIZE];
    char next[CRD_MAX_ID + 3];
    uint64_t size = first_key(kind, query->customer, from), end = 0, to = m->count;
    int stop = 0;
    if (query->customer != NULL && strlen(query->customer) <= CRD_MAX_ID) { /* behind it: "ab" and a byte that no id has */
        strcpy(next, query->customer);
        strcat(next, "\x01");
        end = first_key(kind, next, behind);
    } else if (kind + 1 < CRD_KIND_COUNT) {
        end = first_key(kind + 1, NULL, behind);
    }
    if (end > 0) to = map_seek(m, behind, end);
    for (uint64_t at = map_seek(m, from, size); at < to && stop == 0; at++) {
        any_record record;
        char *text = decode(kind, m->pairs[at], &record);
        if (text == NULL) return -1;
        if (crd_query_matches(query, kind, &record)) stop = emit(sink, kind, &record) != 0;
        free(text);
    }
    return stop;
}

static void CRD_CALL store_read(void *ctx, const crd_query *query, crd_emit emit, void *sink, crd_read_result *out) {
    const store *s = ctx;
    int stop = 0;
    for (uint32_t kind = 1; kind < CRD_KIND_COUNT && stop == 0; kind++) /* accounts are kind 1: first */
        if (query->kinds >> kind & 1) stop = read_kind(&s->map, query, kind, emit, sink);
    out->outcome = stop < 0 ? CRD_OUTCOME_FAILED : CRD_OUTCOME_DONE;
    out->proof = query->proof;
}

/* ---- what the host writes: writing ---- */

static int64_t version_of(const map *m, const crd_guard *guard) {
    crd_account_record account;
    uint8_t key[CRD_RECORD_KEY_SIZE];
    uint64_t size = 0;
    const pair *p;
    any_record record;
    char *text;
    int64_t version;
    memset(&account, 0, sizeof account);
    account.struct_size = sizeof account;
    account.customer = guard->customer;
    account.currency = guard->currency;
    (void)crd_record_key(CRD_KIND_ACCOUNT, &account, key, sizeof key, &size);
    p = map_get(m, key, size);
    if (p == NULL) return 0;
    text = decode(CRD_KIND_ACCOUNT, p, &record);
    version = text != NULL ? record.account.version : -1;
    free(text);
    return version;
}

static int32_t put_change(map *m, const crd_change *change) {
    uint8_t key[CRD_RECORD_KEY_SIZE], *bytes;
    uint64_t key_size = 0, size = 0;
    int there, kept;
    (void)crd_record_encode(change->kind, change->record, NULL, 0, &size); /* only measures */
    bytes = malloc(size + 1);
    if (bytes == NULL || crd_record_key(change->kind, change->record, key, sizeof key, &key_size) != CRD_OK ||
        crd_record_encode(change->kind, change->record, bytes, size, &size) != CRD_OK) {
        free(bytes);
        return CRD_OUTCOME_FAILED;
    }
    there = map_get(m, key, key_size) != NULL;
    kept = there == (change->operation == CRD_CHANGE_UPDATE) && map_put(m, key, key_size, bytes, size);
    free(bytes);
    if (kept) return CRD_OUTCOME_DONE;
    return there && change->operation == CRD_CHANGE_INSERT ? CRD_OUTCOME_EXISTS : CRD_OUTCOME_FAILED;
}

static void CRD_CALL store_write(void *ctx, const crd_batch *batch, crd_write_result *out) {
    map *m = &((store *)ctx)->map;
    int32_t outcome = CRD_OUTCOME_DONE;
    for (uint64_t i = 0; i < batch->guard_count; i++)
        if (version_of(m, batch->guards[i]) != batch->guards[i]->version) out->failed[out->failed_count++] = i;
    if (out->failed_count > 0) outcome = CRD_OUTCOME_CONFLICT;
    for (uint64_t i = 0; i < batch->change_count && outcome == CRD_OUTCOME_DONE; i++) {
        outcome = put_change(m, batch->changes[i]);
        out->exists = i;
    }
    if (outcome == CRD_OUTCOME_DONE) {
        map_commit(m);
    } else {
        map_rollback(m);
    }
    out->outcome = outcome;
    out->proof = batch->proof;
}

static uint64_t CRD_CALL store_writer(void *ctx) {
    return ++((store *)ctx)->writers; /* where the store outlives the process: 64 random bits */
}

/* ---- a world for each claim ---- */

static void CRD_CALL open_world(void *ctx, crd_testkit_world *world) {
    static const crd_storage storage = CRD_STORAGE_INIT;
    store *s = calloc(1, sizeof *s);
    (void)ctx;
    if (s == NULL) return;
    s->storage = storage;
    s->storage.flags = CRD_STORAGE_SETTLED;
    s->storage.ctx = s;
    s->storage.read = store_read;
    s->storage.write = store_write;
    s->storage.new_writer = store_writer;
    world->handle = s;
    world->storage = &s->storage;
}

static void CRD_CALL close_world(void *ctx, crd_testkit_world *world) {
    store *s = world->handle;
    (void)ctx;
    for (uint64_t i = 0; i < s->map.count; i++) {
        free(s->map.pairs[i]->value);
        free(s->map.pairs[i]);
    }
    free(s->map.pairs);
    free(s);
}

int main(void) {
    crd_testkit_factory factory;
    memset(&factory, 0, sizeof factory);
    factory.struct_size = sizeof factory;
    factory.open = open_world;
    factory.close = close_world;
    return try_storage(&factory);
}
