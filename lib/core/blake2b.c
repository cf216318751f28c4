/*
 * BLAKE2b-256, unkeyed (RFC 7693).
 *
 * Invariants:
 * 1. A block is compressed only when it is known whether it is the last one: bytes wait in `block` until more
 *    arrive, so a full block may wait too, and only final() compresses with the last-block flag.
 * 2. The counter is 64 bits wide where the RFC has 128: no caller can name 2^64 bytes.
 *
 * The twelve rounds are written out by macros, so that a compiler knows the message word of every step and
 * keeps what it can of the sixteen words of the state in registers; where it is told to save space, one round is, and
 * reads them from a table.
 */
#include "core/blake2b.h"

#include <string.h>

static const uint64_t iv[8] = {
    UINT64_C(0x6a09e667f3bcc908), UINT64_C(0xbb67ae8584caa73b), UINT64_C(0x3c6ef372fe94f82b),
    UINT64_C(0xa54ff53a5f1d36f1), UINT64_C(0x510e527fade682d1), UINT64_C(0x9b05688c2b3e6c1f),
    UINT64_C(0x1f83d9abfb41bd6b), UINT64_C(0x5be0cd19137e2179),
};

/* Byte by byte, as neither alignment nor the machine's byte order may matter; compilers make it one load. */
static uint64_t load64(const uint8_t *p) {
    return (uint64_t)p[0] | (uint64_t)p[1] << 8 | (uint64_t)p[2] << 16 | (uint64_t)p[3] << 24 |
           (uint64_t)p[4] << 32 | (uint64_t)p[5] << 40 | (uint64_t)p[6] << 48 | (uint64_t)p[7] << 56;
}

static void store64(uint8_t *p, uint64_t x) {
    for (int i = 0; i < 8; i++) p[i] = (uint8_t)(x >> 8 * i);
}

#define ROTATE(x, n) ((x) >> (n) | (x) << (64 - (n)))

#define MIX(a, b, c, d, x, y)      \
    do {                           \
        a += b + (x);              \
        d = ROTATE(d ^ a, 32);     \
        c += d;                    \
        b = ROTATE(b ^ c, 24);     \
        a += b + (y);              \
        d = ROTATE(d ^ a, 16);     \
        c += d;                    \
        b = ROTATE(b ^ c, 63);     \
    } while (0)

/* The arguments are the round's permutation of the message words. */
#define ROUND(i0, i1, i2, i3, i4, i5, i6, i7, i8, i9, i10, i11, i12, i13, i14, i15) \
    do {                                                                            \
        MIX(v0, v4, v8, v12, m[i0], m[i1]);                                         \
        MIX(v1, v5, v9, v13, m[i2], m[i3]);                                         \
        MIX(v2, v6, v10, v14, m[i4], m[i5]);                                        \
        MIX(v3, v7, v11, v15, m[i6], m[i7]);                                        \
        MIX(v0, v5, v10, v15, m[i8], m[i9]);                                        \
        MIX(v1, v6, v11, v12, m[i10], m[i11]);                                      \
        MIX(v2, v7, v8, v13, m[i12], m[i13]);                                       \
        MIX(v3, v4, v9, v14, m[i14], m[i15]);                                       \
    } while (0)

/* The twelve rounds. */
#define ROUNDS(DO)                                            \
    DO(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)  \
    DO(14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3)  \
    DO(11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4)  \
    DO(7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8)  \
    DO(9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13)  \
    DO(2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9)  \
    DO(12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11)  \
    DO(13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10)  \
    DO(6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5)  \
    DO(10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0)  \
    DO(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)  \
    DO(14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3)

#ifdef __OPTIMIZE_SIZE__
#define AS_ROW(...) {__VA_ARGS__},
static const uint8_t rounds[12][16] = {ROUNDS(AS_ROW)};
#else
#define AS_CODE(...) ROUND(__VA_ARGS__);
#endif

/* `total` counts the bytes up to and including this block. */
static void compress(uint64_t h[8], const uint8_t *block, uint64_t total, int is_last) {
    uint64_t m[16];
    uint64_t v0 = h[0], v1 = h[1], v2 = h[2], v3 = h[3], v4 = h[4], v5 = h[5], v6 = h[6], v7 = h[7];
    uint64_t v8 = iv[0], v9 = iv[1], v10 = iv[2], v11 = iv[3];
    uint64_t v12 = iv[4] ^ total, v13 = iv[5], v14 = is_last ? ~iv[6] : iv[6], v15 = iv[7];
    for (int i = 0; i < 16; i++) m[i] = load64(block + 8 * i);
#ifdef __OPTIMIZE_SIZE__
    for (int r = 0; r < 12; r++) {
        const uint8_t *o = rounds[r];
        ROUND(o[0], o[1], o[2], o[3], o[4], o[5], o[6], o[7], o[8], o[9], o[10], o[11], o[12], o[13], o[14], o[15]);
    }
#else
    ROUNDS(AS_CODE)
#endif
    h[0] ^= v0 ^ v8;
    h[1] ^= v1 ^ v9;
    h[2] ^= v2 ^ v10;
    h[3] ^= v3 ^ v11;
    h[4] ^= v4 ^ v12;
    h[5] ^= v5 ^ v13;
    h[6] ^= v6 ^ v14;
    h[7] ^= v7 ^ v15;
}

/* The parameter block of the RFC, folded into the first word: digest length, no key, one leaf. */
static void start(uint64_t h[8]) {
    memcpy(h, iv, sizeof iv);
    h[0] ^= UINT64_C(0x01010000) ^ CRD__BLAKE2B_SIZE;
}

/* The last block: `size` bytes, 0 to a whole block, filled up with zeros. */
static void blake2b_finish(uint64_t h[8], const uint8_t *data, size_t size, uint64_t total, uint8_t *out) {
    uint8_t last[CRD__BLAKE2B_BLOCK];
    if (size < sizeof last) {
        memset(last + size, 0, sizeof last - size);
        if (size > 0) memcpy(last, data, size);
        data = last;
    }
    compress(h, data, total, 1);
    for (int i = 0; i < CRD__BLAKE2B_SIZE / 8; i++) store64(out + 8 * i, h[i]);
}

void crd__blake2b_init(crd__blake2b *hash) {
    start(hash->h);
    hash->total = 0;
    hash->filled = 0;
}

void crd__blake2b_update(crd__blake2b *hash, const void *data, size_t size) {
    const uint8_t *p = data;
    while (size > 0) {
        size_t part = CRD__BLAKE2B_BLOCK - hash->filled;
        if (part == 0) { /* a full block waited, and now it is known not to be the last (invariant 1) */
            hash->total += CRD__BLAKE2B_BLOCK;
            compress(hash->h, hash->block, hash->total, 0);
            hash->filled = 0;
            part = CRD__BLAKE2B_BLOCK;
        }
        if (part > size) part = size;
        memcpy(hash->block + hash->filled, p, part);
        hash->filled += (uint32_t)part;
        p += part;
        size -= part;
    }
}

void crd__blake2b_final(crd__blake2b *hash, uint8_t out[CRD__BLAKE2B_SIZE]) {
    blake2b_finish(hash->h, hash->block, hash->filled, hash->total + hash->filled, out);
}

void crd__blake2b_256(uint8_t out[CRD__BLAKE2B_SIZE], const void *data, size_t size) {
    const uint8_t *p = data;
    uint64_t h[8];
    uint64_t total = 0;
    start(h);
    while (size > CRD__BLAKE2B_BLOCK) {
        total += CRD__BLAKE2B_BLOCK;
        compress(h, p, total, 0);
        p += CRD__BLAKE2B_BLOCK;
        size -= CRD__BLAKE2B_BLOCK;
    }
    blake2b_finish(h, p, size, total + size, out);
}
