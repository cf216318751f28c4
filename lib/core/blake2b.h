/*
 * BLAKE2b with a digest of 32 bytes and no key (RFC 7693): the hash that chains the journal.
 *
 * An entry's canonical bytes mostly fit one block, so crd__blake2b_256() takes that case without a buffer.
 */
#ifndef CREDIT_CORE_BLAKE2B_H
#define CREDIT_CORE_BLAKE2B_H

#include <stddef.h>
#include <stdint.h>

#define CRD__BLAKE2B_BLOCK 128
#define CRD__BLAKE2B_SIZE 32

/* A hash under way. Its bytes mean nothing to anyone else; it may be thrown away at any time. */
typedef struct crd__blake2b {
    uint64_t h[8];                      /* chain value */
    uint64_t total;                     /* bytes compressed so far */
    uint32_t filled;                    /* bytes waiting in block */
    uint8_t block[CRD__BLAKE2B_BLOCK];
} crd__blake2b;

void crd__blake2b_init(crd__blake2b *hash);
void crd__blake2b_update(crd__blake2b *hash, const void *data, size_t size);

/* Writes the digest of all bytes given so far. Only init may follow. */
void crd__blake2b_final(crd__blake2b *hash, uint8_t out[CRD__BLAKE2B_SIZE]);

/* All at once; `data` may be NULL when `size` is 0. `out` may lie within `data`. */
void crd__blake2b_256(uint8_t out[CRD__BLAKE2B_SIZE], const void *data, size_t size);

#endif
