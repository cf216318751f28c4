/**
 * @file
 * Is my storage right? The conformance kit, and two shims for a storage. Link libcredit-testkit (pkg-config
 * credits-testkit).
 *
 * Every sentence of the contract in <credit/storage.h> is a named *claim*: S1 "Never less" is claim R1, S5 "All or
 * nothing" is W4, W5 and W6, and so on. crd_testkit_run() tries them one by one, each in an empty world that the host
 * opens for it, and reports every misbehaviour it finds, with what it saw and what to do about it:
 *
 *     W4 failed: the batch was answered "conflict", but credit "w4-2" of customer "c2" is kept all the same.
 *
 * It calls nothing but the callbacks it is given: no test framework, no stdio, no thread, no abort. What needs more
 * than one storage (another connection, concurrent writers, a restart, the host's own transaction) is tried when the
 * host brings the callback for it, and reported as skipped, by name, when it does not.
 *
 * The *audit* shim wraps a storage and judges every call, both sides of it: for a staging system. The *fault* shim
 * wraps one and breaks the n-th call, in one of eight ways: for tests of what stands on a storage.
 */
#ifndef CREDIT_TESTKIT_H
#define CREDIT_TESTKIT_H

#include <credit/storage.h>

CRD_BEGIN

/** A claim: one sentence of the contract. */
typedef struct crd_testkit_claim {
    uint32_t struct_size;
    uint32_t needs;       /**< CRD_TESTKIT_NEEDS_… */
    const char *id;       /**< "W4"; never given to another claim */
    const char *title;    /**< a few words */
    const char *sentence; /**< what the contract says */
    const char *source;   /**< where: "S5", "crd_query.limit" */
    const char *remedy;   /**< what is usually wrong when it fails, and what to do */
} crd_testkit_claim;

/** @name What a claim needs beyond an empty world
 * @{ */
#define CRD_TESTKIT_NEEDS_CONNECT 0x01u      /**< `connect` and `disconnect` */
#define CRD_TESTKIT_NEEDS_CONCURRENTLY 0x02u /**< `concurrently` */
#define CRD_TESTKIT_NEEDS_REOPEN 0x04u       /**< `reopen` */
#define CRD_TESTKIT_NEEDS_TRANSACTION 0x08u  /**< `begin` and `end` */
#define CRD_TESTKIT_NEEDS_WRITER 0x10u       /**< the storage's `new_writer` */
#define CRD_TESTKIT_NEEDS_SEPARATE 0x20u     /**< #CRD_TESTKIT_SEPARATE */
/** @} */

/** The claims of crd_testkit_run(), one by one and in its order: index 0, 1, … until it gives NULL. Static storage. */
CRD_API const crd_testkit_claim *CRD_CALL crd_testkit_claim_get(uint64_t index);

/** A place to keep records, while one claim is tried; also a further connection to it. The kit passes it zeroed. */
typedef struct crd_testkit_world {
    uint32_t struct_size;
    uint32_t reserved;
    void *handle;               /**< the host's own */
    const crd_storage *storage; /**< set by the host, last: NULL means that the world could not be opened */
} crd_testkit_world;

/** Something to be done with a connection of its own; see crd_testkit_factory.concurrently. */
typedef void(CRD_CALL *crd_testkit_job)(void *ctx, uint64_t number, const crd_storage *storage);

/** @name Flags of a factory
 * @{ */
/** One connection may be called while another is inside a call: not so for two that share an object or a lock. */
#define CRD_TESTKIT_SEPARATE 0x01u
/** @} */

/**
 * What the host brings. No callback returns anything, so that one that throws cannot be taken for one that worked.
 * Zero the rest.
 */
typedef struct crd_testkit_factory {
    uint32_t struct_size;
    uint32_t flags; /**< CRD_TESTKIT_SEPARATE or 0 */
    void *ctx;      /**< passed to every callback */
    /** Must be given. Opens an empty world: sets handle and storage. The table must stay where it is until the world
     *  is closed. The kit never calls the table's `close`. */
    void(CRD_CALL *open)(void *ctx, crd_testkit_world *world);
    /** Must be given. Closes the world and throws away what it keeps; not called for one that could not be opened. */
    void(CRD_CALL *close)(void *ctx, crd_testkit_world *world);
    /** May be given; if NULL, durability is not tried. Drops the connection as the end of the process would, without
     *  a goodbye if that can be arranged, and sets the storage anew, on the same records. */
    void(CRD_CALL *reopen)(void *ctx, crd_testkit_world *world);
    /** May be given; if NULL, everything is tried on one connection. Opens another to the same records: sets handle
     *  and storage of `other`. */
    void(CRD_CALL *connect)(void *ctx, crd_testkit_world *world, crd_testkit_world *other);
    /** Must be given with `connect`. Closes one; every one is closed before its world. */
    void(CRD_CALL *disconnect)(void *ctx, crd_testkit_world *world, crd_testkit_world *other);
    /** May be given; if NULL, nothing is tried with concurrent writers. Calls `job` with the numbers 0 to count - 1,
     *  all at the same time, each in a thread of its own (one process: jobs share memory) and with a connection of its
     *  own, and returns when all have returned. */
    void(CRD_CALL *concurrently)(void *ctx, crd_testkit_world *world, crd_testkit_job job, void *job_ctx,
                                 uint64_t count);
    /** May be given; if NULL, the host's own transactions are not tried. Opens one, on the world's connection. */
    void(CRD_CALL *begin)(void *ctx, crd_testkit_world *world);
    /** Must be given with `begin`. Ends it. */
    void(CRD_CALL *end)(void *ctx, crd_testkit_world *world, int32_t commit);
    const crd_allocator *allocator; /**< where the kit's own memory comes from; NULL: malloc */
    const char *only;               /**< ids of the claims to try, separated by blanks or commas; NULL: all */
    uint64_t seed;                  /**< of the random queries and batches; 0: always the same */
} crd_testkit_factory;

/** @name Verdicts
 * @{ */
#define CRD_TESTKIT_HELD 1
#define CRD_TESTKIT_FAILED 2
#define CRD_TESTKIT_SKIPPED 3
/** @} */

/** What was found. Valid during the call that reports it. */
typedef struct crd_testkit_finding {
    uint32_t struct_size;
    int32_t verdict; /**< CRD_TESTKIT_… */
    const crd_testkit_claim *claim;
    const char *evidence; /**< failed: what was seen; skipped: what the host would have to bring; held: "" */
    uint64_t number;      /**< failed: of this claim, from 1; else 0 */
} crd_testkit_finding;

/** Takes a finding. A claim that fails has one per misbehaviour (at most 16), any other claim has one in all.
 *  @return 0 to go on; anything else: stop after this claim */
typedef int32_t(CRD_CALL *crd_testkit_report)(void *ctx, const crd_testkit_finding *finding);

/** How a run went. */
typedef struct crd_testkit_summary {
    uint32_t struct_size;
    uint32_t reserved;
    uint64_t held;     /**< claims that hold */
    uint64_t failed;   /**< claims that do not */
    uint64_t skipped;  /**< claims that could not be tried */
    uint64_t findings; /**< misbehaviours in all */
    uint64_t reads;    /**< calls of `read` */
    uint64_t writes;   /**< calls of `write` */
} crd_testkit_summary;

/**
 * Tries every claim, or those named in `only`, and reports on each.
 * @param report may be NULL: then the summary tells
 * @param out    receives the summary; the storage conforms when `failed` is 0
 * @return #CRD_OK when the run came to its end, whatever it found; #CRD_E_ARGUMENT; #CRD_E_NOMEM when the kit itself
 *         had no memory left: then `out` counts the claims that were tried
 */
CRD_API crd_status CRD_CALL crd_testkit_run(const crd_testkit_factory *factory, crd_testkit_report report, void *ctx,
                                            crd_testkit_summary *out);

/** Judges every call of a storage. */
typedef struct crd_audit crd_audit;

/** @name Flags of an audit
 * @{ */
/** Read back what a write said it kept. Doubles the work. */
#define CRD_AUDIT_READ_BACK 0x01u
/** @} */

/** The claims an audit judges: A1… about the storage, B1… about its caller. As crd_testkit_claim_get(). */
CRD_API const crd_testkit_claim *CRD_CALL crd_audit_claim_get(uint64_t index);

/**
 * Wraps a storage. Every call is passed on unchanged, and what breaks the contract is reported, once per call and
 * claim, with verdict #CRD_TESTKIT_FAILED. A call is never refused. @memberof crd_audit
 * @param inner     the storage; copied, what it points to must outlive the audit
 * @param flags     CRD_AUDIT_…
 * @param allocator NULL: malloc. Where there is no memory, what needs some is not judged.
 * @param report    takes the findings, from within the call; what it returns is not looked at
 * @param out       receives the audit, to be freed with crd_audit_free() after every ledger on it closed
 * @return #CRD_OK, #CRD_E_ARGUMENT, #CRD_E_NOMEM
 */
CRD_API crd_status CRD_CALL crd_audit_new(const crd_storage *inner, uint32_t flags, const crd_allocator *allocator,
                                          crd_testkit_report report, void *ctx, crd_audit **out);

/** The callback table to open a ledger with; valid until crd_audit_free(). */
CRD_API const crd_storage *CRD_CALL crd_audit_storage(crd_audit *audit);

/** How many findings there were. */
CRD_API uint64_t CRD_CALL crd_audit_findings(const crd_audit *audit);

/** Frees it; the storage stays open. NULL is allowed. */
CRD_API void CRD_CALL crd_audit_free(crd_audit *audit);

/** Breaks calls of a storage. */
typedef struct crd_fault crd_fault;

/** @name The ways in which one call of a storage can go wrong
 * @{ */
#define CRD_FAULT_NONE 0
#define CRD_FAULT_FAILED 1        /**< nothing kept or read, and it says so */
#define CRD_FAULT_CONFLICT 2      /**< write: a conflict that nobody caused; read: the host's transaction cannot go on */
#define CRD_FAULT_UNKNOWN_KEPT 3  /**< done, but the outcome is unknown */
#define CRD_FAULT_UNKNOWN_LOST 4  /**< not done, and the outcome is unknown */
#define CRD_FAULT_UNKNOWN_LATER 5 /**< unknown, and kept just before the next call */
#define CRD_FAULT_UNTOUCHED 6     /**< done, but the result was never filled in */
#define CRD_FAULT_SHORT 7         /**< read: half of the records, without the proof; write: kept, without the proof */
#define CRD_FAULT_REORDERED 8     /**< read: accounts after all others; write: done as it should be */
#define CRD_FAULT_COUNT 9
/** @} */

/** The name of a fault, such as "unknown, kept"; "?" for an unknown one. Static storage. */
CRD_API const char *CRD_CALL crd_fault_name(uint32_t fault);

/** What a fault shim did. */
typedef struct crd_fault_counts {
    uint32_t struct_size;
    uint32_t pending; /**< 1: a batch is to be kept before the next call */
    uint64_t reads;
    uint64_t writes;
    uint64_t fired; /**< calls that were broken */
} crd_fault_counts;

/**
 * Wraps a storage. It breaks nothing until it is told to; unlike the storage it never says that it is settled, because
 * a write may land later. @memberof crd_fault
 * @param inner     the storage; copied, what it points to must outlive the shim
 * @param allocator NULL: malloc. Without memory a call that was to be broken fails.
 * @param out       receives the shim, to be freed with crd_fault_free() after every ledger on it closed
 * @return #CRD_OK, #CRD_E_ARGUMENT, #CRD_E_NOMEM
 */
CRD_API crd_status CRD_CALL crd_fault_new(const crd_storage *inner, const crd_allocator *allocator, crd_fault **out);

/** The callback table to open a ledger with; valid until crd_fault_free(). */
CRD_API const crd_storage *CRD_CALL crd_fault_storage(crd_fault *fault);

/**
 * Says which call to break, and starts counting anew.
 * @param kind       CRD_FAULT_…; #CRD_FAULT_NONE breaks nothing
 * @param at         the number of the call from now, reads and writes together, from 1; 0 breaks nothing
 * @param persistent other than 0: and every call after it
 * @return #CRD_OK, #CRD_E_ARGUMENT
 */
CRD_API crd_status CRD_CALL crd_fault_set(crd_fault *fault, uint32_t kind, uint64_t at, int32_t persistent);

/** How many calls come in between before what is #CRD_FAULT_UNKNOWN_LATER is kept; 0, as at first: none. Holds for
 *  batches held back from now on. */
CRD_API crd_status CRD_CALL crd_fault_delay(crd_fault *fault, uint64_t calls);

/** What was counted since crd_fault_set(). */
CRD_API void CRD_CALL crd_fault_get(const crd_fault *fault, crd_fault_counts *out);

/** Frees it, and a batch that was never kept; the storage stays open. NULL is allowed. */
CRD_API void CRD_CALL crd_fault_free(crd_fault *fault);

CRD_END
#endif
