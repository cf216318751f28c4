/**
 * @file
 * The contract with the host: a place to keep records, behind two callbacks.
 *
 * How a command travels:
 *
 * 1. *load*: the library calls `read` with a query, unless the handles it was given already hold what it needs.
 *    The storage passes every matching record to `emit`, the account records first.
 * 2. *decide*: the library decides; no I/O happens.
 * 3. *write*: the library calls `write` with one batch: guards (accounts and the versions they must still have)
 *    and changes (records to insert or update). The storage keeps all of it or nothing.
 * 4. *resolve*: a write whose outcome is unknown is looked up in the journal, and if need be the identical batch
 *    is written again. Its guards let it land at most once.
 *
 * That is what makes double spending impossible: every command changes the version of its account, and a version
 * never comes back, because it is a hash of all that happened before. Of two writers that decided on the same
 * version, one gets a conflict, wherever the rows live and whoever holds which lock.
 *
 * What a storage promises:
 *
 * - S1 *Never less.* Every record that matches a query is emitted. More may be emitted: the library filters.
 * - S2 *No key twice* in one read.
 * - S3 *The guard is read first.* Account records are emitted before all others, and were read before (or in the
 *   same snapshot as) them: a version is never newer than the records it vouches for.
 * - S4 *Committed only.* What is emitted was kept by a finished write, or by one in the host's own transaction.
 * - S5 *All or nothing.* A batch is kept whole or not at all, except an independent one, see #CRD_BATCH_INDEPENDENT.
 * - S6 *Guards first.* Every guard is checked before anything is written, and holds until the batch is kept.
 * - S7 *Insert inserts.* Inserting a key that exists fails the batch; updating one that does not exist fails it.
 * - S8 *Whole records.* An update replaces every field. Nothing is ever deleted.
 * - S9 *Proof last.* A finished callback copies the number `proof` of its query or batch into the result, as the
 *   last thing it does. A result without its proof counts as failed (read) or unknown (write).
 * - S10 *Nothing open in between.* No statement or cursor stays open between two calls.
 * - S11 *What was kept stays.* After a write said done, no crash takes it back (a storage in memory excepted).
 *
 * Callbacks are never called concurrently for one ledger, and must not call the library with that ledger.
 * Strings and records passed to a callback are valid until it returns; pointers in an emitted record need to be
 * valid only until `emit` returns.
 */
#ifndef CREDIT_STORAGE_H
#define CREDIT_STORAGE_H

#include <credit/record.h>

CRD_BEGIN

/** @name Outcome of a read or write
 * @{ */
#define CRD_OUTCOME_UNKNOWN 0 /**< what the library pre-fills; also: a connection was lost while committing */
#define CRD_OUTCOME_DONE 1
#define CRD_OUTCOME_CONFLICT 2 /**< write: a guard failed, nothing kept; every failed guard is listed */
#define CRD_OUTCOME_EXISTS 3   /**< write: an inserted key exists, nothing kept; `exists` tells which change */
#define CRD_OUTCOME_RESTART 4  /**< nothing kept, and the host's own transaction cannot go on */
#define CRD_OUTCOME_FAILED 5   /**< nothing kept; host_error and host_text say why */
#define CRD_OUTCOME_SCHEMA 6   /**< nothing kept or read: the stored schema cannot be used by this version */
/** @} */

/** Text of the host's own error, in a result block: bytes with the NUL. */
#define CRD_HOST_TEXT 256

/** Names one record. `number` is the seq of an entry or the number of a line, else 0. */
typedef struct crd_key {
    uint32_t struct_size;
    uint32_t kind;
    const char *customer;
    const char *currency; /**< account, entry; else "" */
    const char *id;       /**< credit, invoice, receipt, hold, request key, document of a line; else "" */
    int64_t number;
    uint32_t document_kind; /**< line: kind of its document; else 0 */
    uint32_t reserved;
} crd_key;

/** @name Flags of a query
 * @{ */
/** Only what is open: accounts with open credits or open invoices, credits with remaining > 0, invoices with open > 0 or in
 *  state Draft, holds with amount > 0. Other kinds are not narrowed. */
#define CRD_QUERY_OPEN 0x01u
/** Only accounts that have both open credits and open invoices, and only the documents of such accounts. */
#define CRD_QUERY_BOTH_OPEN 0x02u
/** Only accounts with acknowledged_seq < last_seq, and only the entries after acknowledged_seq. */
#define CRD_QUERY_UNACKNOWLEDGED 0x04u
/** A write of these accounts follows: a storage inside a transaction may lock their rows until then. */
#define CRD_QUERY_FOR_WRITE 0x08u
/** @} */

/**
 * What to read. A record matches when its kind is in `kinds` and it passes every condition that is set and
 * concerns its kind; NULL and 0 set no condition. What is said of the documents of an account (credits, invoices,
 * receipts, holds) holds for its lines and entries too. A storage may treat any condition but `kinds` as absent,
 * except that with `limit` it must emit at least the smallest accounts asked for and all their documents.
 */
typedef struct crd_query {
    uint32_t struct_size;
    uint32_t kinds; /**< set of CRD_KIND_BIT_… */
    uint32_t flags; /**< CRD_QUERY_… */
    /** At most this many accounts, smallest keys first, and only the documents (same customer and currency) and the
     *  customer records (same customer) of those; 0 = all. Requests may be left out, here and with BOTH_OPEN. */
    uint32_t limit;
    uint64_t proof; /**< to be copied into the result */
    const char *customer;
    /** Accounts, documents and entries of this currency; "" is the customer's own account. Customer and request
     *  records are not narrowed. */
    const char *currency;
    const char *id;          /**< credits, invoices, receipts, holds, lines of this id; accounts are not narrowed */
    const char *request_key; /**< requests of this key */
    uint32_t states;         /**< set of 1 << state: credits, invoices, receipts, holds */
    uint32_t reserved;
    const char *after_customer; /**< accounts (and their documents) behind this key, with after_currency */
    const char *after_currency;
    int64_t seq_from; /**< entries from this seq, inclusive; 0 = from the first */
    int64_t seq_to;   /**< entries to this seq, inclusive; 0 = to the last */
    int32_t date_from; /**< entries from this business date, inclusive */
    int32_t date_to;   /**< entries to this business date, inclusive */
    const char *entry_credit;  /**< entries that name this credit */
    const char *entry_invoice; /**< entries that name this invoice */
    const char *entry_receipt; /**< entries that name this receipt */
    const crd_key *const *keys; /**< records with one of these keys, and no others; customer narrows as well */
    uint64_t key_count;
} crd_query;

/**
 * Hands one record to the library. The library copies what it needs.
 * @return 0 to go on; anything else: stop, and finish the read as done
 */
typedef int32_t(CRD_CALL *crd_emit)(void *sink, uint32_t kind, const void *record);

/** How a read ended. The library pre-fills it: outcome unknown, proof 0, everything else zero. */
typedef struct crd_read_result {
    uint32_t struct_size;
    int32_t outcome;
    int64_t host_error;
    char host_text[CRD_HOST_TEXT];
    uint64_t proof; /**< set last, to the query's */
} crd_read_result;

/** What a change does. */
#define CRD_CHANGE_INSERT 1
#define CRD_CHANGE_UPDATE 2

/** One record to insert or to update. */
typedef struct crd_change {
    uint32_t struct_size;
    uint32_t kind;
    uint32_t operation; /**< CRD_CHANGE_INSERT or CRD_CHANGE_UPDATE */
    uint32_t group;     /**< see crd_guard */
    const void *record; /**< the struct of that kind, whole */
} crd_change;

/** An account and the version it must still have. */
typedef struct crd_guard {
    uint32_t struct_size;
    uint32_t group; /**< in an independent batch, guards and changes of one group stand and fall together */
    const char *customer;
    const char *currency;
    int64_t version;     /**< 0: the account must not exist */
    int64_t new_version; /**< version the batch gives it; equal to version when the account is only guarded */
} crd_guard;

/** The groups of the batch are independent: a storage may keep those whose guards hold, answer *done* and list the
 *  failed guards of the others; or treat the batch as a whole. A host may always choose the latter. */
#define CRD_BATCH_INDEPENDENT 0x01u

/**
 * What to keep. Guards are sorted by key, changes by kind and key, both as unsigned bytes, so that two writers
 * meet in the same order. At most CRD_MAX_ACCOUNTS guards and CRD_MAX_CHANGES changes.
 */
typedef struct crd_batch {
    uint32_t struct_size;
    uint32_t flags; /**< CRD_BATCH_… */
    uint64_t proof; /**< to be copied into the result */
    const crd_guard *const *guards;
    uint64_t guard_count;
    const crd_change *const *changes;
    uint64_t change_count;
} crd_batch;

/** How a write ended. Pre-filled like a read's. */
typedef struct crd_write_result {
    uint32_t struct_size;
    int32_t outcome;
    uint64_t *failed;        /**< lent by the library, room for every guard: indexes of failed guards, ascending */
    uint64_t failed_count;   /**< how many the storage listed */
    uint64_t exists;         /**< outcome *exists*: index of the change whose key exists */
    int64_t host_error;
    char host_text[CRD_HOST_TEXT];
    uint64_t proof; /**< set last, to the batch's */
} crd_write_result;

/** @name Flags of a storage
 * @{ */
/** No call of this storage can take effect after it returned. An unknown outcome is then only looked up, and the
 *  batch is not written again. */
#define CRD_STORAGE_SETTLED 0x01u
/** The storage writes inside a transaction of the host's, which may yet roll back: an unknown outcome is returned
 *  as it is, and no event hook is called. */
#define CRD_STORAGE_JOINED 0x02u
/** @} */

/**
 * A place to keep records. Fill struct_size, record_size, ctx and the callbacks, zero the rest, and open a
 * ledger on it. The library copies the table; `ctx` and what it points to must outlive the ledger.
 */
typedef struct crd_storage {
    uint32_t struct_size;
    uint32_t flags; /**< CRD_STORAGE_…; read again before every write, through `flags_now` if given */
    void *ctx;      /**< passed to every callback */
    /** By kind: size of the record structs the storage was compiled with (#CRD_STORAGE_INIT fills it). A record
     *  with a non-zero field beyond that size is refused rather than kept in part. */
    uint32_t record_size[CRD_KINDS];
    /** Must be given. Passes every record that matches the query to `emit`, then fills `out`. */
    void(CRD_CALL *read)(void *ctx, const crd_query *query, crd_emit emit, void *sink, crd_read_result *out);
    /** Must be given. Keeps the batch or nothing, then fills `out`. */
    void(CRD_CALL *write)(void *ctx, const crd_batch *batch, crd_write_result *out);
    /** May be given; if NULL, nothing is done. Called exactly once, when the ledger that opened it closes; a
     *  binding may drop its trampolines then. */
    void(CRD_CALL *close)(void *ctx);
    /** May be given; if NULL, `flags` counts. The flags as of now, such as whether the host is in a transaction. */
    uint32_t(CRD_CALL *flags_now)(void *ctx);
    /** May be given; if NULL, the host must pass a writer id when it opens a ledger. A number no other handle on
     *  the same records ever got: random 64 bits will do. 0: none can be had now, and the ledger is not opened. */
    uint64_t(CRD_CALL *new_writer)(void *ctx);
} crd_storage;

/** Zeroes the table and fills struct_size and the record sizes of the headers the caller was compiled with.
 *  A binding that cannot use macros fills them from its own declarations. */
#define CRD_STORAGE_INIT                                                                                               \
    {                                                                                                                  \
        sizeof(crd_storage), 0, 0,                                                                                     \
            {0, sizeof(crd_account_record), sizeof(crd_customer_record), sizeof(crd_credit_record),                    \
             sizeof(crd_invoice_record), sizeof(crd_receipt_record), sizeof(crd_hold_record),                          \
             sizeof(crd_line_record), sizeof(crd_entry_record), sizeof(crd_request_record), 0, 0, 0, 0, 0, 0},         \
            0, 0, 0, 0, 0                                                                                              \
    }

/**
 * 1 if a record passes the conditions of a query (all but `limit`, BOTH_OPEN and UNACKNOWLEDGED, which need more
 * than one record), else 0. What the library itself filters with; a storage that scans may use it too.
 */
CRD_API int32_t CRD_CALL crd_query_matches(const crd_query *query, uint32_t kind, const void *record);

/** Memory functions of the host. All three, or none: then malloc, realloc and free. */
typedef struct crd_allocator {
    uint32_t struct_size;
    uint32_t reserved;
    void *ctx;
    /** Resizes `block` (NULL: a new one) to `size` > 0 bytes, aligned for any object. NULL when there is none. */
    void *(CRD_CALL *resize)(void *ctx, void *block, uint64_t size);
    /** Gives a block back; NULL is allowed. */
    void(CRD_CALL *release)(void *ctx, void *block);
} crd_allocator;

/** A storage in memory: for tests, previews, caches and hosts that write their own file. */
typedef struct crd_memory crd_memory;

/**
 * Makes an empty storage in memory. @memberof crd_memory
 * @param allocator  where it lives; NULL: malloc. Copied.
 * @param out        receives the storage, to be freed with crd_memory_free() after every ledger on it closed
 * @return #CRD_OK, #CRD_E_ARGUMENT, #CRD_E_NOMEM
 */
CRD_API crd_status CRD_CALL crd_memory_new(const crd_allocator *allocator, crd_memory **out);

/** Its callback table; valid until crd_memory_free(). Any number of ledgers of one thread may be open on it. */
CRD_API const crd_storage *CRD_CALL crd_memory_storage(crd_memory *memory);

/** Bytes it has from the allocator now. */
CRD_API uint64_t CRD_CALL crd_memory_used(const crd_memory *memory);

/** Frees the storage and every record in it. NULL is allowed. */
CRD_API void CRD_CALL crd_memory_free(crd_memory *memory);

CRD_END
#endif
