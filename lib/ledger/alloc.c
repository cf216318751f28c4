/*
 * The default allocator: the only file of the library that calls malloc.
 */
#include "ledger/arena.h"

#include <stdlib.h>

static void *CRD_CALL default_resize(void *ctx, void *block, uint64_t size) {
    (void)ctx;
    return size <= (size_t)-1 ? realloc(block, (size_t)size) : NULL;
}

static void CRD_CALL default_release(void *ctx, void *block) {
    (void)ctx;
    free(block);
}

const crd_allocator *crd__default_allocator(void) {
    static const crd_allocator allocator = {sizeof(crd_allocator), 0, NULL, default_resize, default_release};
    return &allocator;
}
