/*
 * A storage in memory: made, freed, and its callback table. memory_private.h tells how it is built.
 */
#include "memory_private.h"

#include <string.h>

/* malloc, realloc and free. A storage sees public headers only; this one lives in the core library, which keeps all
 * calls of malloc in one file, and so names that function here. */
const crd_allocator *crd__default_allocator(void);

/* A number no other handle on these records got: a counter, mixed so that it does not look like one. The steps
 * can be reversed, so different counts give different numbers, and only 0 gives 0. */
static uint64_t CRD_CALL memory_new_writer(void *ctx) {
    crd_memory *m = ctx;
    uint64_t mixed = ++m->writers;
    mixed = (mixed ^ mixed >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    mixed = (mixed ^ mixed >> 27) * UINT64_C(0x94d049bb133111eb);
    return mixed ^ mixed >> 31;
}

crd_status CRD_CALL crd_memory_new(const crd_allocator *allocator, crd_memory **out) {
    static const crd_storage storage = CRD_STORAGE_INIT;
    crd_memory *m;
    if (out == NULL) return CRD_E_ARGUMENT;
    *out = NULL;
    if (allocator == NULL || (allocator->resize == NULL && allocator->release == NULL)) {
        allocator = crd__default_allocator();
    } else if (allocator->struct_size < sizeof *allocator || allocator->resize == NULL || allocator->release == NULL) {
        return CRD_E_ARGUMENT;
    }
    m = allocator->resize(allocator->ctx, NULL, sizeof *m);
    if (m == NULL) return CRD_E_NOMEM;
    memset(m, 0, sizeof *m);
    m->allocator = *allocator;
    m->used = sizeof *m;
    m->storage = storage;
    m->storage.flags = CRD_STORAGE_SETTLED;
    m->storage.ctx = m;
    m->storage.read = crd__memory_read;
    m->storage.write = crd__memory_write;
    m->storage.new_writer = memory_new_writer;
    if (!crd__memory_scratch(m, CRD__BLOCK + CRD__TEXTS)) {
        allocator->release(allocator->ctx, m);
        return CRD_E_NOMEM;
    }
    *out = m;
    return CRD_OK;
}

const crd_storage *CRD_CALL crd_memory_storage(crd_memory *memory) {
    return memory != NULL ? &memory->storage : NULL;
}

uint64_t CRD_CALL crd_memory_used(const crd_memory *memory) {
    return memory != NULL ? memory->used : 0;
}

void CRD_CALL crd_memory_free(crd_memory *memory) {
    crd_allocator allocator;
    if (memory == NULL) return;
    allocator = memory->allocator;
    crd__memory_release(memory);
    allocator.release(allocator.ctx, memory);
}
