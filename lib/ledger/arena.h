/*
 * Memory of the first floor: the host's allocator, arenas, growing lists and an index by name.
 * Everything returns NULL or 0 when memory could not be had, and then changed nothing.
 */
#ifndef CREDIT_LEDGER_ARENA_H
#define CREDIT_LEDGER_ARENA_H

#include <credit/storage.h>
#include <stddef.h>

const crd_allocator *crd__default_allocator(void);
void *crd__alloc(const crd_allocator *allocator, uint64_t size); /* zeroed */
void crd__free(const crd_allocator *allocator, void *block);

/* Blocks that are given back all at once. Reset keeps the memory for the next round. */
typedef struct crd__chunk crd__chunk;
typedef struct crd__arena {
    const crd_allocator *allocator;
    crd__chunk *first;
    crd__chunk *current;
    size_t used; /* bytes of the current chunk */
} crd__arena;
void crd__arena_init(crd__arena *arena, const crd_allocator *allocator);
void *crd__arena_take(crd__arena *arena, uint64_t size); /* aligned, not zeroed */
char *crd__arena_text(crd__arena *arena, const char *text); /* copy; NULL becomes "" */
void crd__arena_reset(crd__arena *arena);
void crd__arena_free(crd__arena *arena);

/* A growing array of pointers. */
typedef struct crd__list {
    void **items;
    uint64_t count;
    uint64_t capacity;
} crd__list;
int crd__list_push(const crd_allocator *allocator, crd__list *list, void *item);
int crd__list_room(const crd_allocator *allocator, crd__list *list, uint64_t more);
void crd__list_free(const crd_allocator *allocator, crd__list *list);

/* Stable merge sort that takes advantage of what is in order already; O(n) for sorted input. `spare` has room for
 * `count` pointers. */
typedef int (*crd__compare)(const void *a, const void *b);
void crd__sort(void **items, uint64_t count, void **spare, crd__compare compare);

/* An open-addressing index from a hash to positions in a list; the caller compares. */
typedef struct crd__index {
    uint32_t *slots; /* position + 1; 0 = empty */
    uint64_t size;   /* power of two, or 0 */
    uint64_t count;
} crd__index;
uint64_t crd__hash_text(uint64_t hash, const char *text);
int crd__index_put(const crd_allocator *allocator, crd__index *index, uint64_t hash, uint32_t position,
                   uint64_t (*rehash)(const void *list, uint32_t position), const void *list);
void crd__index_free(const crd_allocator *allocator, crd__index *index);

#endif
