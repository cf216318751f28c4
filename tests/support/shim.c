/*
 * See shim.h.
 */
#include "support/shim.h"
#include "support/book.h"

#include <stdlib.h>
#include <string.h>

const char *const shim_fault_names[SHIM_FAULTS] = {"failed",        "conflict",  "unknown, kept", "unknown, lost",
                                                   "unknown, later", "untouched", "short",         "reordered"};

/* What the fault shim stands on: the storage as the test has it now. */
static void CRD_CALL relay_read(void *ctx, const crd_query *query, crd_emit emit, void *sink, crd_read_result *out) {
    const shim *s = ctx;
    s->inner.read(s->inner.ctx, query, emit, sink, out);
}

static void CRD_CALL relay_write(void *ctx, const crd_batch *batch, crd_write_result *out) {
    const shim *s = ctx;
    s->inner.write(s->inner.ctx, batch, out);
}

/* Counts a call, and has it broken when it is its turn. */
static void prepare(shim *s) {
    int breaks;
    s->calls++;
    breaks = s->fail_at != 0 && (s->calls == s->fail_at || (s->calls > s->fail_at && s->persistent));
    if (breaks) s->fired++;
    if (crd_fault_set(s->breaker, breaks ? (uint32_t)s->fault + 1 : CRD_FAULT_NONE, 1, 0) != CRD_OK ||
        crd_fault_delay(s->breaker, s->delay) != CRD_OK)
        abort();
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
    const crd_storage *breaker = crd_fault_storage(s->breaker);
    altering a;
    s->reads++;
    if (s->before_read != NULL) s->before_read(s->ctx, s);
    prepare(s);
    a.shim = s;
    a.emit = emit;
    a.sink = sink;
    if (s->alter == NULL) {
        breaker->read(breaker->ctx, query, emit, sink, out);
    } else {
        breaker->read(breaker->ctx, query, emit_altered, &a, out);
    }
}

static void CRD_CALL shim_write(void *ctx, const crd_batch *batch, crd_write_result *out) {
    shim *s = ctx;
    const crd_storage *breaker = crd_fault_storage(s->breaker);
    s->writes++;
    s->last_guards = batch->guard_count;
    s->last_changes = batch->change_count;
    s->last_flags = batch->flags;
    if (batch->change_count > s->most_changes) s->most_changes = batch->change_count;
    if (s->before_write != NULL) s->before_write(s->ctx, s);
    prepare(s);
    breaker->write(breaker->ctx, batch, out);
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
    crd_storage relay;
    memset(s, 0, sizeof *s);
    s->inner = relay = *inner;
    relay.ctx = s;
    relay.read = relay_read;
    relay.write = relay_write;
    if (crd_fault_new(&relay, NULL, &s->breaker) != CRD_OK) abort();
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
    s->delay = 0;
}

void shim_close(shim *s) {
    crd_fault_free(s->breaker);
    s->breaker = NULL;
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
