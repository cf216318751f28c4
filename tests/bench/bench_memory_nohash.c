/*
 * The storage in memory with the journal's hash taken out (goal P2): what the rest of the library costs, and what
 * the chain adds.
 *
 * This program brings its own BLAKE2b, so the linker does not take the library's. It mixes the bytes a word at a time,
 * which keeps digests different where versions must be. What the chain adds is the difference to
 * what bench_memory measured, which is looked up in the file BENCH_JSON names; `make bench` runs that one first. It is
 * held against the bare hash of as many blocks as were asked for here: bench_memory times that of one block.
 */
#include "memory_work.h"

#include "../../lib/core/blake2b.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MULTIPLIER UINT64_C(0x9e3779b97f4a7c15)

static uint64_t blocks; /* that would have been hashed since it was set to 0 */

static uint64_t mix(uint64_t mixed, const void *data, size_t size) {
    const uint8_t *at = data;
    uint64_t word = 0;
    for (; size >= sizeof word; at += sizeof word, size -= sizeof word) {
        memcpy(&word, at, sizeof word);
        mixed = (mixed ^ word) * MULTIPLIER;
        mixed ^= mixed >> 29;
    }
    word = 0;
    if (size > 0) memcpy(&word, at, size);
    return (mixed ^ word) * MULTIPLIER;
}

static void spread(uint8_t *out, uint64_t mixed) {
    for (int i = 0; i < CRD__BLAKE2B_SIZE; i += (int)sizeof mixed) {
        mixed ^= mixed >> 32;
        memcpy(out + i, &mixed, sizeof mixed);
        mixed *= MULTIPLIER;
    }
}

void crd__blake2b_256(uint8_t out[CRD__BLAKE2B_SIZE], const void *data, size_t size) {
    blocks += size > 0 ? (size + CRD__BLAKE2B_BLOCK - 1) / CRD__BLAKE2B_BLOCK : 1;
    spread(out, mix(size, data, size));
}

/* What a run does not call; all of it must be here, or the linker takes the library's file. */
void crd__blake2b_init(crd__blake2b *hash) {
    memset(hash, 0, sizeof *hash);
}

void crd__blake2b_update(crd__blake2b *hash, const void *data, size_t size) {
    hash->h[0] = mix(hash->h[0] ^ size, data, size);
}

void crd__blake2b_final(crd__blake2b *hash, uint8_t out[CRD__BLAKE2B_SIZE]) {
    spread(out, hash->h[0]);
}

/* The two figures bench_memory reported under a name; 0 when there are none. */
static int look_up(const char *name, double *ours, double *reference) {
    const char *path = getenv("BENCH_JSON");
    FILE *file = path != NULL ? fopen(path, "r") : NULL;
    char line[512], start[128];
    int found = 0;
    if (file == NULL) return 0;
    snprintf(start, sizeof start, "{\"name\":\"%s\",", name);
    while (!found && fgets(line, sizeof line, file) != NULL)
        found = strncmp(line, start, strlen(start)) == 0 &&
                sscanf(line + strlen(start), "\"ours\":%lf,\"reference\":%lf", ours, reference) == 2;
    fclose(file);
    return found;
}

/* Returns the time per application; `hashed` receives the blocks per application. */
static double reconcile(const char *name, uint32_t customers, uint32_t each, int rounds, double *hashed) {
    double ours[ROUNDS], theirs[ROUNDS], median;
    for (int round = 0; round < rounds; round++) {
        crd_memory *book = bench_memory_book(customers, each);
        uint64_t applications;
        blocks = 0;
        applications = bench_reconcile_pair(book, &ours[round], &theirs[round]);
        *hashed = (double)blocks / (double)applications;
        crd_memory_free(book);
    }
    median = bench_median(ours, rounds);
    bench_report(name, median, bench_median(theirs, rounds), "ns/application");
    return median;
}

int main(void) {
    const char *store = getenv("STORE");
    uint32_t customers = bench_customers(100000);
    double off, on, hash, hashed, unused;
    if (store != NULL && store[0] != '\0' && strcmp(store, "memory") != 0) return 0;
    reconcile("P2 hashing off, 10^6", 10 * customers, 10, 1, &hashed);
    reconcile("P2 hashing off, 10^5 hot", 1, 10 * customers, ROUNDS, &hashed);
    off = reconcile("P2 hashing off, 10^5", customers, 10, ROUNDS, &hashed);
    bench_report("P2 blocks hashed per application", hashed, 0, "blocks");
    if (look_up("P2 reconcile in memory, 10^5", &on, &unused) &&
        look_up("P2 encode and hash an entry, bare hash", &unused, &hash))
        bench_report("P2 chain adds, bare hash of the same bytes", on - off, hashed * hash, "ns/application");
    return 0;
}
