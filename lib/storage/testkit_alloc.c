/*
 * The kit's default allocator: the only file of libcredit-testkit that calls malloc.
 */
#include "testkit_private.h"

#include <stdlib.h>

static void *CRD_CALL tk_resize(void *ctx, void *block, uint64_t size) {
    (void)ctx;
    return size <= (size_t)-1 ? realloc(block, (size_t)size) : NULL;
}

static void CRD_CALL tk_release(void *ctx, void *block) {
    (void)ctx;
    free(block);
}

int crd__tk_allocator(const crd_allocator *given, crd_allocator *out) {
    static const crd_allocator standard = {sizeof(crd_allocator), 0, NULL, tk_resize, tk_release};
    if (given == NULL || (given->resize == NULL && given->release == NULL)) {
        *out = standard;
        return 1;
    }
    if (given->struct_size < sizeof *given || given->resize == NULL || given->release == NULL) return 0;
    *out = *given;
    return 1;
}
