/*
 * Shims between a ledger and what it stands on: one counts the calls of a storage, lets a test look in, and has the
 * n-th broken by the fault shim that ships in libcredit-testkit; one counts and breaks the calls of an allocator.
 */
#ifndef TEST_SHIM_H
#define TEST_SHIM_H

#include <credit.h>
#include <credit/testkit.h>

#include <stddef.h>

/* The ways in which one call of a storage can go wrong, from 0 on; else as CRD_FAULT_FAILED and so on. */
typedef enum shim_fault {
    SHIM_FAILED = CRD_FAULT_FAILED - 1, /* nothing kept or read, and it says so */
    SHIM_CONFLICT,      /* write: a conflict that nobody caused; read: the host's transaction cannot go on */
    SHIM_UNKNOWN_KEPT,  /* done, but the outcome is unknown */
    SHIM_UNKNOWN_LOST,  /* not done, and the outcome is unknown */
    SHIM_UNKNOWN_LATER, /* unknown, and kept just before the next call */
    SHIM_UNTOUCHED,     /* done, but the result was never filled in */
    SHIM_SHORT,         /* half of the records, or the outcome without its proof */
    SHIM_REORDERED,     /* read: documents before accounts; write: done as it should be */
    SHIM_FAULTS
} shim_fault;

extern const char *const shim_fault_names[SHIM_FAULTS];

typedef struct shim {
    crd_storage inner;
    crd_storage table; /* what the ledger is given */
    /* counting */
    unsigned long reads, writes, calls;
    uint64_t last_guards, last_changes;
    uint32_t last_flags; /* of the last batch */
    uint64_t most_changes;
    /* breaking */
    unsigned long fail_at; /* number of the call, from 1; 0: none */
    int persistent;        /* and all calls after it */
    shim_fault fault;
    uint64_t delay; /* SHIM_UNKNOWN_LATER: calls that come before it is kept */
    unsigned long fired;
    crd_fault *breaker;
    /* looking in: called before each call, when set. The shim does not count what it does to `inner`. */
    void (*before_read)(void *ctx, struct shim *shim);
    void (*before_write)(void *ctx, struct shim *shim);
    /* may change a copy of each record on its way to the library */
    void (*alter)(void *ctx, uint32_t kind, void *record);
    void *ctx;
} shim;

/* Wraps a storage. `table` is what a ledger is opened with. Never settled, so that an unknown write may land later. */
void shim_init(shim *shim, const crd_storage *inner);
void shim_reset(shim *shim); /* counts to 0, no fault */
void shim_close(shim *shim); /* frees a batch that was never kept */

/* An allocator that fails the n-th call and knows what was not given back. */
typedef struct shim_memory {
    crd_allocator table;
    unsigned long calls, fail_at;
    int persistent;
    unsigned long fired;
    long blocks; /* not given back */
} shim_memory;

void shim_memory_init(shim_memory *memory);

#endif
