/*
 * The fault shim: breaks the n-th call of a storage.
 *
 * 1. A call that is not to be broken is passed on as it is.
 * 2. What "kept later" holds back is a copy of the batch, and lands before the next call, whatever that is, or after
 *    as many calls as it was told to wait.
 * 3. A broken read asks the storage first, into copies: emit is called only when it is known what to emit.
 */
#include "testkit_private.h"

#include <string.h>

typedef struct crd__kept {
    crd_batch batch;
    crd_guard *guards;
    const crd_guard **guard_list;
    crd_change *changes;
    const crd_change **change_list;
    char *texts;
} crd__kept;

struct crd_fault {
    crd_allocator allocator;
    crd_storage inner, table;
    uint32_t kind;
    int32_t persistent;
    uint64_t at, calls;
    crd_fault_counts counts;
    crd__kept *later;
    uint64_t delay, wait; /* calls that come before it lands: of the next, of this one */
};

static void *fault_take(crd_fault *f, uint64_t size) {
    void *block = f->allocator.resize(f->allocator.ctx, NULL, size > 0 ? size : 1);
    if (block != NULL) memset(block, 0, (size_t)size);
    return block;
}

static void fault_give(crd_fault *f, void *block) {
    if (block != NULL) f->allocator.release(f->allocator.ctx, block);
}

/* ---- a batch that outlives its call ---- */

static void drop_kept(crd_fault *f, crd__kept *k) {
    if (k == NULL) return;
    fault_give(f, k->guards);
    fault_give(f, k->guard_list);
    fault_give(f, k->changes);
    fault_give(f, k->change_list);
    fault_give(f, k->texts);
    fault_give(f, k);
}

static uint64_t padded(uint64_t size) {
    return (size + 15) / 16 * 16;
}

static uint64_t batch_size(const crd_batch *batch) {
    uint64_t size = 0;
    for (uint64_t i = 0; i < batch->guard_count; i++)
        size += padded(strlen(batch->guards[i]->customer) + strlen(batch->guards[i]->currency) + 2);
    for (uint64_t i = 0; i < batch->change_count; i++)
        size += padded(crd__tk_copy_size(batch->changes[i]->kind, batch->changes[i]->record));
    return size;
}

static crd__kept *keep_batch(crd_fault *f, const crd_batch *batch) {
    crd__kept *k = fault_take(f, sizeof *k);
    char *at;
    if (k == NULL) return NULL;
    k->batch = *batch;
    k->guards = fault_take(f, batch->guard_count * sizeof *k->guards);
    k->guard_list = fault_take(f, batch->guard_count * sizeof *k->guard_list);
    k->changes = fault_take(f, batch->change_count * sizeof *k->changes);
    k->change_list = fault_take(f, batch->change_count * sizeof *k->change_list);
    k->texts = at = fault_take(f, batch_size(batch));
    if (k->guards == NULL || k->guard_list == NULL || k->changes == NULL || k->change_list == NULL || at == NULL) {
        drop_kept(f, k);
        return NULL;
    }
    for (uint64_t i = 0; i < batch->guard_count; i++) {
        size_t m = strlen(batch->guards[i]->customer) + 1, n = strlen(batch->guards[i]->currency) + 1;
        k->guards[i] = *batch->guards[i];
        k->guards[i].customer = memcpy(at, batch->guards[i]->customer, m);
        k->guards[i].currency = memcpy(at + m, batch->guards[i]->currency, n);
        k->guard_list[i] = &k->guards[i];
        at += padded(m + n);
    }
    for (uint64_t i = 0; i < batch->change_count; i++) {
        k->changes[i] = *batch->changes[i];
        k->changes[i].record = crd__tk_copy(batch->changes[i]->kind, batch->changes[i]->record, at);
        k->change_list[i] = &k->changes[i];
        at += padded(crd__tk_copy_size(batch->changes[i]->kind, batch->changes[i]->record));
    }
    k->batch.guards = k->guard_list;
    k->batch.changes = k->change_list;
    return k;
}

/* Hands a batch on, and forgets what came of it. 0 when there was no memory to do so. */
static int pass_on(crd_fault *f, const crd_batch *batch) {
    crd_write_result result;
    uint64_t *failed = fault_take(f, (batch->guard_count + 1) * sizeof *failed);
    if (failed == NULL) return 0;
    memset(&result, 0, sizeof result);
    result.struct_size = sizeof result;
    result.failed = failed;
    f->inner.write(f->inner.ctx, batch, &result);
    fault_give(f, failed);
    return 1;
}

static void land(crd_fault *f) {
    crd__kept *k = f->later;
    if (k == NULL || f->wait-- > 0) return;
    f->later = NULL;
    (void)pass_on(f, &k->batch);
    drop_kept(f, k);
}

static int fires(crd_fault *f) {
    f->calls++;
    if (f->kind == CRD_FAULT_NONE || f->at == 0 || f->calls < f->at || (f->calls > f->at && f->persistent == 0))
        return 0;
    f->counts.fired++;
    return 1;
}

static void say_broken(char *text, int64_t *error, const char *why) {
    *error = 5;
    memcpy(text, why, strlen(why) + 1);
}

/* ---- reading ---- */

typedef struct crd__caught {
    struct crd__caught *next;
    uint32_t kind;
} crd__caught;

typedef struct crd__catch {
    crd_fault *fault;
    crd__caught *first, **last;
    uint64_t count;
    int nomem;
} crd__catch;

static void *caught_record(crd__caught *caught) {
    return (char *)caught + padded(sizeof *caught);
}

static int32_t CRD_CALL catch_record(void *sink, uint32_t kind, const void *record) {
    crd__catch *c = sink;
    crd__caught *caught;
    if (crd__tk_malformed(kind, record) != NULL) return 0;
    caught = fault_take(c->fault, padded(sizeof *caught) + crd__tk_copy_size(kind, record));
    if (caught == NULL) {
        c->nomem = 1;
        return 1;
    }
    caught->kind = kind;
    caught->next = NULL;
    (void)crd__tk_copy(kind, record, caught_record(caught));
    *c->last = caught;
    c->last = &caught->next;
    c->count++;
    return 0;
}

/* The first `count` of what was caught; reordered: the accounts behind the rest. */
static void emit_caught(const crd__catch *c, uint64_t count, int reordered, crd_emit emit, void *sink) {
    for (int turn = 0; turn < 2; turn++) {
        crd__caught *caught = c->first;
        for (uint64_t i = 0; i < count && caught != NULL; i++, caught = caught->next) {
            int account = caught->kind == CRD_KIND_ACCOUNT;
            if (reordered ? account != turn : turn == 1) continue;
            if (emit(sink, caught->kind, caught_record(caught)) != 0) return;
        }
    }
}

static void free_caught(crd__catch *c) {
    while (c->first != NULL) {
        crd__caught *next = c->first->next;
        fault_give(c->fault, c->first);
        c->first = next;
    }
}

static void read_broken(crd_fault *f, const crd_query *query, crd_emit emit, void *sink, crd_read_result *out) {
    crd__catch c;
    crd_read_result inner;
    uint32_t kind = f->kind;
    uint64_t most = 0;
    memset(&c, 0, sizeof c);
    c.fault = f;
    c.last = &c.first;
    memset(&inner, 0, sizeof inner);
    inner.struct_size = sizeof inner;
    f->inner.read(f->inner.ctx, query, catch_record, &c, &inner);
    if (c.nomem) kind = CRD_FAULT_FAILED;
    if (kind == CRD_FAULT_UNKNOWN_KEPT || kind == CRD_FAULT_UNTOUCHED || kind == CRD_FAULT_REORDERED) most = c.count;
    if (kind == CRD_FAULT_SHORT) most = c.count / 2;
    emit_caught(&c, most, kind == CRD_FAULT_REORDERED, emit, sink);
    free_caught(&c);
    if (kind == CRD_FAULT_SHORT) out->outcome = CRD_OUTCOME_DONE; /* but no proof that it got to the end */
    if (kind == CRD_FAULT_SHORT || kind == CRD_FAULT_UNTOUCHED) return;
    out->outcome = kind == CRD_FAULT_FAILED      ? CRD_OUTCOME_FAILED
                   : kind == CRD_FAULT_CONFLICT  ? CRD_OUTCOME_RESTART
                   : kind == CRD_FAULT_REORDERED ? CRD_OUTCOME_DONE
                                                 : CRD_OUTCOME_UNKNOWN;
    say_broken(out->host_text, &out->host_error, c.nomem ? "out of memory" : "broken on purpose");
    out->proof = query->proof;
}

static void CRD_CALL fault_read(void *ctx, const crd_query *query, crd_emit emit, void *sink, crd_read_result *out) {
    crd_fault *f = ctx;
    f->counts.reads++;
    land(f);
    if (fires(f)) {
        read_broken(f, query, emit, sink, out);
    } else {
        f->inner.read(f->inner.ctx, query, emit, sink, out);
    }
}

/* ---- writing ---- */

static void write_broken(crd_fault *f, const crd_batch *batch, crd_write_result *out) {
    int had_memory = 1;
    switch (f->kind) {
    case CRD_FAULT_CONFLICT:
        out->outcome = CRD_OUTCOME_CONFLICT;
        for (uint64_t i = 0; i < batch->guard_count; i++) out->failed[i] = i;
        out->failed_count = batch->guard_count;
        break;
    case CRD_FAULT_UNKNOWN_KEPT: had_memory = pass_on(f, batch); break;
    case CRD_FAULT_UNKNOWN_LATER:
        if (f->later != NULL) drop_kept(f, f->later); /* one at a time: the one before is lost */
        f->later = keep_batch(f, batch);
        f->wait = f->delay;
        had_memory = f->later != NULL;
        break;
    case CRD_FAULT_UNTOUCHED:
        if (pass_on(f, batch)) return;
        had_memory = 0;
        break;
    case CRD_FAULT_SHORT:
        had_memory = pass_on(f, batch);
        if (!had_memory) break;
        out->outcome = CRD_OUTCOME_DONE;
        return;
    case CRD_FAULT_REORDERED: f->inner.write(f->inner.ctx, batch, out); return;
    case CRD_FAULT_UNKNOWN_LOST: break;
    default: out->outcome = CRD_OUTCOME_FAILED; break;
    }
    if (!had_memory) out->outcome = CRD_OUTCOME_FAILED;
    say_broken(out->host_text, &out->host_error, had_memory ? "broken on purpose" : "out of memory");
    out->proof = batch->proof;
}

static void CRD_CALL fault_write(void *ctx, const crd_batch *batch, crd_write_result *out) {
    crd_fault *f = ctx;
    f->counts.writes++;
    land(f);
    if (fires(f)) {
        write_broken(f, batch, out);
    } else {
        f->inner.write(f->inner.ctx, batch, out);
    }
}

/* ---- the rest of the table ---- */

static void CRD_CALL fault_close(void *ctx) {
    crd_fault *f = ctx;
    if (f->inner.close != NULL) f->inner.close(f->inner.ctx);
}

static uint32_t CRD_CALL fault_flags(void *ctx) {
    const crd_fault *f = ctx;
    uint32_t flags = f->inner.flags_now != NULL ? f->inner.flags_now(f->inner.ctx) : f->inner.flags;
    return flags & ~CRD_STORAGE_SETTLED;
}

static uint64_t CRD_CALL fault_writer(void *ctx) {
    const crd_fault *f = ctx;
    return f->inner.new_writer(f->inner.ctx);
}

int crd__tk_take_storage(const crd_storage *given, crd_storage *out) {
    static const crd_storage empty = CRD_STORAGE_INIT;
    uint32_t least = (uint32_t)(offsetof(crd_storage, write) + sizeof given->write);
    if (given == NULL || given->struct_size < least || given->read == NULL || given->write == NULL) return 0;
    *out = empty;
    memcpy(out, given, given->struct_size < sizeof *out ? given->struct_size : sizeof *out);
    out->struct_size = sizeof *out;
    return 1;
}

crd_status CRD_CALL crd_fault_new(const crd_storage *inner, const crd_allocator *allocator, crd_fault **out) {
    crd_allocator own;
    crd_storage storage;
    crd_fault *f;
    if (out == NULL) return CRD_E_ARGUMENT;
    *out = NULL;
    if (!crd__tk_allocator(allocator, &own) || !crd__tk_take_storage(inner, &storage)) return CRD_E_ARGUMENT;
    f = own.resize(own.ctx, NULL, sizeof *f);
    if (f == NULL) return CRD_E_NOMEM;
    memset(f, 0, sizeof *f);
    f->allocator = own;
    f->inner = f->table = storage;
    f->table.flags &= ~CRD_STORAGE_SETTLED;
    f->table.ctx = f;
    f->table.read = fault_read;
    f->table.write = fault_write;
    f->table.close = storage.close != NULL ? fault_close : NULL;
    f->table.flags_now = fault_flags;
    f->table.new_writer = storage.new_writer != NULL ? fault_writer : NULL;
    *out = f;
    return CRD_OK;
}

const crd_storage *CRD_CALL crd_fault_storage(crd_fault *fault) {
    return fault != NULL ? &fault->table : NULL;
}

crd_status CRD_CALL crd_fault_set(crd_fault *fault, uint32_t kind, uint64_t at, int32_t persistent) {
    if (fault == NULL || kind >= CRD_FAULT_COUNT) return CRD_E_ARGUMENT;
    fault->kind = kind;
    fault->at = at;
    fault->persistent = persistent;
    fault->calls = 0;
    memset(&fault->counts, 0, sizeof fault->counts);
    return CRD_OK;
}

crd_status CRD_CALL crd_fault_delay(crd_fault *fault, uint64_t calls) {
    if (fault == NULL) return CRD_E_ARGUMENT;
    fault->delay = calls;
    return CRD_OK;
}

void CRD_CALL crd_fault_get(const crd_fault *fault, crd_fault_counts *out) {
    crd_fault_counts counts;
    uint32_t size;
    if (fault == NULL || out == NULL || out->struct_size < sizeof out->struct_size) return;
    counts = fault->counts;
    counts.pending = fault->later != NULL;
    size = out->struct_size;
    memcpy(out, &counts, size < sizeof counts ? size : sizeof counts);
    out->struct_size = size;
}

void CRD_CALL crd_fault_free(crd_fault *fault) {
    crd_allocator allocator;
    if (fault == NULL) return;
    allocator = fault->allocator;
    drop_kept(fault, fault->later);
    allocator.release(allocator.ctx, fault);
}

const char *CRD_CALL crd_fault_name(uint32_t fault) {
    switch (fault) {
    case CRD_FAULT_NONE: return "none";
    case CRD_FAULT_FAILED: return "failed";
    case CRD_FAULT_CONFLICT: return "conflict";
    case CRD_FAULT_UNKNOWN_KEPT: return "unknown, kept";
    case CRD_FAULT_UNKNOWN_LOST: return "unknown, lost";
    case CRD_FAULT_UNKNOWN_LATER: return "unknown, later";
    case CRD_FAULT_UNTOUCHED: return "untouched";
    case CRD_FAULT_SHORT: return "short";
    case CRD_FAULT_REORDERED: return "reordered";
    default: return "?";
    }
}
