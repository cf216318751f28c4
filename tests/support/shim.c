/*
 * See shim.h.
 */
#include "support/shim.h"
#include "support/book.h"

#include <stdlib.h>
#include <string.h>

const char *const shim_fault_names[SHIM_FAULTS] = {"failed",        "conflict",  "unknown, kept", "unknown, lost",
                                                   "unknown, later", "untouched", "short",         "reordered"};

/* ---- a batch that outlives its call ---- */

struct shim_kept {
    crd_batch batch;
    crd_guard *guards;
    const crd_guard **guard_list;
    crd_change *changes;
    const crd_change **change_list;
};

static void *grab(size_t size) {
    void *block = calloc(1, size > 0 ? size : 1);
    if (block == NULL) abort();
    return block;
}

static char *text_copy(const char *text) {
    size_t size = strlen(text) + 1;
    return memcpy(grab(size), text, size);
}

static struct shim_kept *keep(const crd_batch *batch) {
    struct shim_kept *k = grab(sizeof *k);
    k->batch = *batch;
    k->guards = grab((size_t)batch->guard_count * sizeof *k->guards);
    k->guard_list = grab((size_t)batch->guard_count * sizeof *k->guard_list);
    k->changes = grab((size_t)batch->change_count * sizeof *k->changes);
    k->change_list = grab((size_t)batch->change_count * sizeof *k->change_list);
    for (uint64_t i = 0; i < batch->guard_count; i++) {
        k->guards[i] = *batch->guards[i];
        k->guards[i].customer = text_copy(batch->guards[i]->customer);
        k->guards[i].currency = text_copy(batch->guards[i]->currency);
        k->guard_list[i] = &k->guards[i];
    }
    for (uint64_t i = 0; i < batch->change_count; i++) {
        k->changes[i] = *batch->changes[i];
        k->changes[i].record = record_copy(batch->changes[i]->kind, batch->changes[i]->record);
        k->change_list[i] = &k->changes[i];
    }
    k->batch.guards = k->guard_list;
    k->batch.changes = k->change_list;
    return k;
}

static void drop(struct shim_kept *k) {
    if (k == NULL) return;
    for (uint64_t i = 0; i < k->batch.guard_count; i++) {
        free((void *)(uintptr_t)k->guards[i].customer);
        free((void *)(uintptr_t)k->guards[i].currency);
    }
    for (uint64_t i = 0; i < k->batch.change_count; i++)
        record_free(k->changes[i].kind, (void *)(uintptr_t)k->changes[i].record);
    free(k->guards);
    free((void *)k->guard_list);
    free(k->changes);
    free((void *)k->change_list);
    free(k);
}

/* Hands a batch on, and forgets what came of it. */
static void pass_on(shim *s, const crd_batch *batch) {
    crd_write_result result;
    uint64_t *failed = grab((size_t)(batch->guard_count + 1) * sizeof *failed);
    memset(&result, 0, sizeof result);
    result.struct_size = sizeof result;
    result.failed = failed;
    s->inner.write(s->inner.ctx, batch, &result);
    free(failed);
}

static void land(shim *s) {
    struct shim_kept *k = s->later;
    s->later = NULL;
    if (k == NULL) return;
    pass_on(s, &k->batch);
    drop(k);
}

static int fires(shim *s) {
    s->calls++;
    if (s->fail_at == 0 || s->calls < s->fail_at || (s->calls > s->fail_at && !s->persistent)) return 0;
    s->fired++;
    return 1;
}

/* ---- reading ---- */

typedef struct record_list {
    uint32_t *kinds;
    void **records;
    size_t count;
} record_list;

static int32_t CRD_CALL collect(void *sink, uint32_t kind, const void *record) {
    record_list *list = sink;
    list->kinds = realloc(list->kinds, (list->count + 1) * sizeof *list->kinds);
    list->records = realloc(list->records, (list->count + 1) * sizeof *list->records);
    if (list->kinds == NULL || list->records == NULL) abort();
    list->kinds[list->count] = kind;
    list->records[list->count++] = record_copy(kind, record);
    return 0;
}

static void emit_some(shim *s, const record_list *list, size_t count, int reordered, crd_emit emit, void *sink) {
    for (int turn = 0; turn < 2; turn++) {
        for (size_t i = 0; i < count; i++) {
            int account = list->kinds[i] == CRD_KIND_ACCOUNT;
            if (reordered ? account != turn : turn == 1) continue;
            if (s->alter != NULL) s->alter(s->ctx, list->kinds[i], list->records[i]);
            if (emit(sink, list->kinds[i], list->records[i]) != 0) return;
        }
    }
}

static void read_broken(shim *s, const crd_query *query, crd_emit emit, void *sink, crd_read_result *out) {
    record_list list = {NULL, NULL, 0};
    crd_read_result inner;
    size_t most;
    memset(&inner, 0, sizeof inner);
    inner.struct_size = sizeof inner;
    s->inner.read(s->inner.ctx, query, collect, &list, &inner);
    most = s->fault == SHIM_SHORT ? list.count / 2
           : s->fault == SHIM_FAILED || s->fault == SHIM_CONFLICT || s->fault == SHIM_UNKNOWN_LOST ||
                   s->fault == SHIM_UNKNOWN_LATER
               ? 0
               : list.count;
    emit_some(s, &list, most, s->fault == SHIM_REORDERED, emit, sink);
    for (size_t i = 0; i < list.count; i++) record_free(list.kinds[i], list.records[i]);
    free(list.kinds);
    free(list.records);
    if (s->fault == SHIM_SHORT) out->outcome = CRD_OUTCOME_DONE; /* but no proof that it got to the end */
    if (s->fault == SHIM_UNTOUCHED || s->fault == SHIM_SHORT) return;
    out->outcome = s->fault == SHIM_FAILED      ? CRD_OUTCOME_FAILED
                   : s->fault == SHIM_CONFLICT  ? CRD_OUTCOME_RESTART
                   : s->fault == SHIM_REORDERED ? CRD_OUTCOME_DONE
                                                : CRD_OUTCOME_UNKNOWN;
    out->host_error = 5;
    strcpy(out->host_text, "broken on purpose");
    out->proof = query->proof;
}

typedef struct altering {
    shim *shim;
    crd_emit emit;
    void *sink;
} altering;

static int32_t CRD_CALL emit_altered(void *sink, uint32_t kind, const void *record) {
    altering *a = sink;
    void *copy = record_copy(kind, record);
    int32_t stop;
    a->shim->alter(a->shim->ctx, kind, copy);
    stop = a->emit(a->sink, kind, copy);
    record_free(kind, copy);
    return stop;
}

static void CRD_CALL shim_read(void *ctx, const crd_query *query, crd_emit emit, void *sink, crd_read_result *out) {
    shim *s = ctx;
    altering a;
    s->reads++;
    if (s->before_read != NULL) s->before_read(s->ctx, s);
    land(s);
    if (fires(s)) {
        read_broken(s, query, emit, sink, out);
        return;
    }
    if (s->alter == NULL) {
        s->inner.read(s->inner.ctx, query, emit, sink, out);
        return;
    }
    a.shim = s;
    a.emit = emit;
    a.sink = sink;
    s->inner.read(s->inner.ctx, query, emit_altered, &a, out);
}

/* ---- writing ---- */

static void write_broken(shim *s, const crd_batch *batch, crd_write_result *out) {
    switch (s->fault) {
    case SHIM_FAILED: out->outcome = CRD_OUTCOME_FAILED; break;
    case SHIM_CONFLICT:
        out->outcome = CRD_OUTCOME_CONFLICT;
        for (uint64_t i = 0; i < batch->guard_count; i++) out->failed[i] = i;
        out->failed_count = batch->guard_count;
        break;
    case SHIM_UNKNOWN_KEPT: pass_on(s, batch); break;
    case SHIM_UNKNOWN_LATER: s->later = keep(batch); break;
    case SHIM_SHORT:
        pass_on(s, batch);
        out->outcome = CRD_OUTCOME_DONE;
        return;
    case SHIM_UNTOUCHED: pass_on(s, batch); return;
    case SHIM_REORDERED: s->inner.write(s->inner.ctx, batch, out); return;
    case SHIM_UNKNOWN_LOST:
    case SHIM_FAULTS: break;
    }
    out->host_error = 5;
    strcpy(out->host_text, "broken on purpose");
    out->proof = batch->proof;
}

static void CRD_CALL shim_write(void *ctx, const crd_batch *batch, crd_write_result *out) {
    shim *s = ctx;
    s->writes++;
    s->last_guards = batch->guard_count;
    s->last_changes = batch->change_count;
    s->last_flags = batch->flags;
    if (batch->change_count > s->most_changes) s->most_changes = batch->change_count;
    if (s->before_write != NULL) s->before_write(s->ctx, s);
    land(s);
    if (fires(s))
        write_broken(s, batch, out);
    else
        s->inner.write(s->inner.ctx, batch, out);
}

static uint32_t CRD_CALL shim_flags(void *ctx) {
    const shim *s = ctx;
    uint32_t flags = s->inner.flags_now != NULL ? s->inner.flags_now(s->inner.ctx) : s->inner.flags;
    return flags & ~CRD_STORAGE_SETTLED;
}

static uint64_t CRD_CALL shim_writer(void *ctx) {
    const shim *s = ctx;
    return s->inner.new_writer(s->inner.ctx);
}

void shim_init(shim *s, const crd_storage *inner) {
    memset(s, 0, sizeof *s);
    s->inner = *inner;
    s->table = *inner;
    s->table.flags &= ~CRD_STORAGE_SETTLED;
    s->table.ctx = s;
    s->table.read = shim_read;
    s->table.write = shim_write;
    s->table.close = NULL;
    s->table.flags_now = shim_flags;
    s->table.new_writer = inner->new_writer != NULL ? shim_writer : NULL;
}

void shim_reset(shim *s) {
    s->reads = s->writes = s->calls = s->fail_at = s->fired = 0;
    s->last_guards = s->last_changes = s->most_changes = 0;
    s->last_flags = 0;
    s->persistent = 0;
}

void shim_close(shim *s) {
    drop(s->later);
    s->later = NULL;
}

/* ---- memory ---- */

static int starves(shim_memory *m) {
    m->calls++;
    if (m->fail_at == 0 || m->calls < m->fail_at || (m->calls > m->fail_at && !m->persistent)) return 0;
    m->fired++;
    return 1;
}

static void *CRD_CALL memory_resize(void *ctx, void *block, uint64_t size) {
    shim_memory *m = ctx;
    void *got;
    if (starves(m)) return NULL;
    got = realloc(block, (size_t)size);
    if (got != NULL && block == NULL) m->blocks++;
    return got;
}

static void CRD_CALL memory_release(void *ctx, void *block) {
    shim_memory *m = ctx;
    if (block != NULL) m->blocks--;
    free(block);
}

void shim_memory_init(shim_memory *m) {
    memset(m, 0, sizeof *m);
    m->table.struct_size = sizeof m->table;
    m->table.ctx = m;
    m->table.resize = memory_resize;
    m->table.release = memory_release;
}
