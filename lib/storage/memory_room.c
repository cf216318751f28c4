/*
 * Where the bytes of the storage in memory come from.
 *
 * 1. Small blocks are cut from slabs and, given back, kept by size for the next of that size: records of one kind
 *    have few sizes, so in the long run a write asks the allocator for nothing.
 * 2. Slabs grow with the book, so that the part not yet handed out stays small beside the rest.
 * 3. Everything hangs on one list; freeing the storage walks that and not the book.
 */
#include "memory_private.h"

#include <string.h>

#define SMALLEST_SLAB 8192
#define LARGEST_SLAB (UINT64_C(1) << 20)

uint64_t crd__memory_rounded(uint64_t size) {
    return (size + CRD__GRAIN - 1) / CRD__GRAIN * CRD__GRAIN;
}

static void *large_take(crd_memory *m, uint64_t size) {
    uint64_t total = size + sizeof(crd__large);
    crd__large *large = total > size ? m->allocator.resize(m->allocator.ctx, NULL, total) : NULL;
    if (large == NULL) return NULL;
    large->size = total;
    large->previous = NULL;
    large->next = m->larges;
    if (m->larges != NULL) m->larges->previous = large;
    m->larges = large;
    m->used += total;
    return large + 1;
}

static void large_give(crd_memory *m, void *block) {
    crd__large *large = (crd__large *)block - 1;
    if (large->previous != NULL) {
        large->previous->next = large->next;
    } else {
        m->larges = large->next;
    }
    if (large->next != NULL) large->next->previous = large->previous;
    m->used -= large->size;
    m->allocator.release(m->allocator.ctx, large);
}

static void small_give(crd_memory *m, void *block, uint64_t size) {
    crd__block *spare = block;
    spare->next = m->spare[size / CRD__GRAIN];
    m->spare[size / CRD__GRAIN] = spare;
}

static int new_slab(crd_memory *m) {
    uint64_t size = m->used / 16 / CRD__GRAIN * CRD__GRAIN;
    char *slab;
    if (size < SMALLEST_SLAB) size = SMALLEST_SLAB;
    if (size > LARGEST_SLAB) size = LARGEST_SLAB;
    slab = large_take(m, size - sizeof(crd__large));
    if (slab == NULL) return 0;
    if (m->room_size > 0) small_give(m, m->room, m->room_size); /* less than the block that did not fit */
    m->room = slab;
    m->room_size = size - sizeof(crd__large);
    return 1;
}

void *crd__memory_take(crd_memory *m, uint64_t size) {
    uint64_t rounded = crd__memory_rounded(size);
    crd__block *spare;
    void *block;
    if (rounded > CRD__BLOCK || rounded < size) return rounded < size ? NULL : large_take(m, rounded);
    spare = m->spare[rounded / CRD__GRAIN];
    if (spare != NULL) {
        m->spare[rounded / CRD__GRAIN] = spare->next;
        return spare;
    }
    if (m->room_size < rounded && !new_slab(m)) return NULL;
    block = m->room;
    m->room += rounded;
    m->room_size -= rounded;
    return block;
}

void crd__memory_give(crd_memory *m, void *block, uint64_t size) {
    uint64_t rounded = crd__memory_rounded(size);
    if (block == NULL) return;
    if (rounded > CRD__BLOCK) {
        large_give(m, block);
    } else {
        small_give(m, block, rounded);
    }
}

void *crd__memory_grow(crd_memory *m, void *block, uint64_t used, uint64_t old_size, uint64_t size) {
    void *larger = crd__memory_take(m, size);
    if (larger == NULL) return NULL;
    if (used > 0) memcpy(larger, block, (size_t)used);
    crd__memory_give(m, block, old_size);
    return larger;
}

int crd__memory_scratch(crd_memory *m, uint64_t size) {
    unsigned char *larger;
    if (size <= m->scratch_size) return 1;
    size += size / 2;
    larger = crd__memory_take(m, size);
    if (larger == NULL) return 0;
    crd__memory_give(m, m->scratch, m->scratch_size);
    m->scratch = larger;
    m->scratch_size = size;
    return 1;
}

void crd__memory_release(crd_memory *m) {
    while (m->larges != NULL) large_give(m, m->larges + 1);
}
