/*
 * Arenas, lists, sorting and the index. See arena.h.
 */
#include "ledger/arena.h"

#include <string.h>

#define CHUNK_LEAST 4096u
#define CHUNK_MOST (1u << 20)
#define ALIGN 16u

struct crd__chunk {
    crd__chunk *next;
    size_t size; /* bytes behind the header */
};
#define HEADER ((sizeof(crd__chunk) + ALIGN - 1) / ALIGN * ALIGN)

void *crd__alloc(const crd_allocator *allocator, uint64_t size) {
    void *block = size <= (size_t)-1 ? allocator->resize(allocator->ctx, NULL, size) : NULL;
    if (block != NULL) memset(block, 0, (size_t)size);
    return block;
}

void crd__free(const crd_allocator *allocator, void *block) {
    if (block != NULL) allocator->release(allocator->ctx, block);
}

void crd__arena_init(crd__arena *arena, const crd_allocator *allocator) {
    memset(arena, 0, sizeof *arena);
    arena->allocator = allocator;
}

/* The next chunk that can hold `size`: one kept by a reset, or a new one, twice as large as the last. */
static int next_chunk(crd__arena *arena, size_t size) {
    size_t want = arena->current != NULL ? arena->current->size * 2 : CHUNK_LEAST - HEADER;
    crd__chunk *chunk = arena->current != NULL ? arena->current->next : arena->first;
    if (chunk == NULL || chunk->size < size) {
        crd__chunk *after = chunk;
        if (want > CHUNK_MOST) want = CHUNK_MOST;
        if (want < size) want = size;
        chunk = arena->allocator->resize(arena->allocator->ctx, NULL, HEADER + want);
        if (chunk == NULL) return 0;
        chunk->size = want;
        chunk->next = after;
        if (arena->current != NULL)
            arena->current->next = chunk;
        else
            arena->first = chunk;
    }
    arena->current = chunk;
    arena->used = 0;
    return 1;
}

void *crd__arena_take(crd__arena *arena, uint64_t size) {
    size_t need = (size_t)((size + ALIGN - 1) / ALIGN * ALIGN);
    void *block;
    if (size > (size_t)-1 / 2) return NULL;
    if (arena->current == NULL || arena->current->size - arena->used < need)
        if (!next_chunk(arena, need)) return NULL;
    block = (char *)arena->current + HEADER + arena->used;
    arena->used += need;
    return block;
}

char *crd__arena_text(crd__arena *arena, const char *text) {
    size_t size = text != NULL ? strlen(text) + 1 : 1;
    char *copy = crd__arena_take(arena, size);
    if (copy != NULL) memcpy(copy, text != NULL ? text : "", size);
    return copy;
}

void crd__arena_reset(crd__arena *arena) {
    arena->current = NULL;
    arena->used = 0;
}

void crd__arena_free(crd__arena *arena) {
    crd__chunk *chunk = arena->first;
    while (chunk != NULL) {
        crd__chunk *next = chunk->next;
        crd__free(arena->allocator, chunk);
        chunk = next;
    }
    crd__arena_init(arena, arena->allocator);
}

int crd__list_room(const crd_allocator *allocator, crd__list *list, uint64_t more) {
    uint64_t capacity = list->capacity != 0 ? list->capacity : 16;
    void **items;
    while (capacity - list->count < more) capacity *= 2;
    if (capacity == list->capacity) return 1;
    if (capacity > (size_t)-1 / sizeof(void *)) return 0;
    items = allocator->resize(allocator->ctx, list->items, capacity * sizeof(void *));
    if (items == NULL) return 0;
    list->items = items;
    list->capacity = capacity;
    return 1;
}

int crd__list_push(const crd_allocator *allocator, crd__list *list, void *item) {
    if (list->count == list->capacity && !crd__list_room(allocator, list, 1)) return 0;
    list->items[list->count++] = item;
    return 1;
}

void crd__list_free(const crd_allocator *allocator, crd__list *list) {
    crd__free(allocator, list->items);
    memset(list, 0, sizeof *list);
}

static void arena_merge(void **items, uint64_t middle, uint64_t end, void **spare, crd__compare compare) {
    uint64_t left = 0, right = middle, to = 0;
    memcpy(spare, items, (size_t)middle * sizeof *items);
    while (left < middle && right < end)
        items[to++] = compare(spare[left], items[right]) <= 0 ? spare[left++] : items[right++];
    memcpy(items + to, spare + left, (size_t)(middle - left) * sizeof *items);
}

/* Natural merge sort: runs that are in order are found, then merged pairwise until one is left. A pass halves their
 * number, so there are at most 64; a comparison of the host's that contradicts itself ends there, in some order. */
void crd__sort(void **items, uint64_t count, void **spare, crd__compare compare) {
    for (int pass = 0; pass < 64; pass++) {
        uint64_t start = 0, runs = 0;
        while (start < count) {
            uint64_t middle = start + 1, end;
            while (middle < count && compare(items[middle - 1], items[middle]) <= 0) middle++;
            end = middle;
            if (middle < count) {
                end++;
                while (end < count && compare(items[end - 1], items[end]) <= 0) end++;
                arena_merge(items + start, middle - start, end - start, spare, compare);
            }
            runs++;
            start = end;
        }
        if (runs <= 1) return;
    }
}

uint64_t crd__hash_text(uint64_t hash, const char *text) {
    for (; *text != '\0'; text++) hash = (hash ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
    return (hash ^ 0xff) * UINT64_C(0x100000001b3); /* closes the text: "a","bc" is not "ab","c" */
}

static void arena_place(crd__index *index, uint64_t hash, uint32_t position) {
    uint64_t slot = (hash ^ hash >> 32) & (index->size - 1);
    while (index->slots[slot] != 0) slot = (slot + 1) & (index->size - 1);
    index->slots[slot] = position + 1;
    index->count++;
}

int crd__index_put(const crd_allocator *allocator, crd__index *index, uint64_t hash, uint32_t position,
                   uint64_t (*rehash)(const void *list, uint32_t position), const void *list) {
    if (index->count * 2 >= index->size) {
        crd__index larger;
        larger.size = index->size != 0 ? index->size * 2 : 32;
        larger.count = 0;
        larger.slots = crd__alloc(allocator, larger.size * sizeof *larger.slots);
        if (larger.slots == NULL) return 0;
        for (uint64_t i = 0; i < index->size; i++)
            if (index->slots[i] != 0) arena_place(&larger, rehash(list, index->slots[i] - 1), index->slots[i] - 1);
        crd__free(allocator, index->slots);
        *index = larger;
    }
    arena_place(index, hash, position);
    return 1;
}

void crd__index_free(const crd_allocator *allocator, crd__index *index) {
    crd__free(allocator, index->slots);
    memset(index, 0, sizeof *index);
}
