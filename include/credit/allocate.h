/**
 * @file
 * Who pays what: the allocator, a pure function over arrays.
 *
 * Open credits pay open invoices, greedily (rule M15): accounts in ascending order; within an account credit
 * by credit in the order of the credits; each credit first pays the invoice it prefers, then the invoices it
 * may pay in the order of the invoices, until it or they are used up. An application is the smaller of what
 * the credit has left and what the invoice has open, so nothing can overflow, and every application uses up
 * a credit or an invoice.
 *
 * The library reconciles with this function; a host may use it on figures of its own without opening a
 * ledger. It allocates nothing, keeps nothing, and gives the same answer for the same input on every
 * machine. With a total order, the order in which the items stand in the arrays changes nothing but their
 * indices.
 *
 * Cost: with n items, O(n) if they are in order already; else O(n) for sorting, times the number of passes
 * that the ranges of the keys need (at most 40 for the widest), or O(n log n) calls of `compare` when that is
 * given. The walk is O(n), times the number of different kinds of invoice (1 to 32) when kinds are given.
 */
#ifndef CREDIT_ALLOCATE_H
#define CREDIT_ALLOCATE_H

#include <credit/status.h>

CRD_BEGIN

#define CRD_ALLOCATE_KEYS 8 /**< keys an order may have: more than any order in use */

/**
 * One side, credits or invoices, as columns of `count` elements each. Read during the call, never kept.
 *
 * The order of a side is: group, the keys (or `compare`), sequence, position in the arrays.
 */
typedef struct crd_open_items {
    uint32_t struct_size;
    uint32_t key_count; /**< columns in `keys`, at most #CRD_ALLOCATE_KEYS */
    uint64_t count;     /**< items, less than 2^32 - 1; columns may be NULL when it is 0 */
    /** What a credit has available, an invoice has open, in minor units; never negative; 0 takes no part. */
    const int64_t *amount;
    /** The account each item belongs to; a credit only pays invoices of its own. Both sides or neither;
     *  NULL: all are of one. */
    const uint32_t *group;
    /** `key_count` columns, compared in turn, the smaller first; NULL when there are none. */
    const int32_t *const *keys;
    const uint32_t *sequence; /**< the last key, which should make the order total; NULL: the position */
    /** Invoices: the kind, 0…31. Credits: the set of kinds it may pay, as bits `1 << kind`. Both sides or
     *  neither; NULL: any. */
    const uint32_t *kind;
    /** Credits: 1 + index of the invoice it pays first, 0 for none; NULL: none. Invoices: NULL. */
    const uint32_t *prefer;
    /**
     * Compares two items of one group, instead of the keys: negative when `a` comes first, positive when `b`
     * does, 0 to let the sequence decide. Called only during the call. An inconsistent one gives some order,
     * no harm.
     */
    int32_t(CRD_CALL *compare)(void *ctx, uint32_t a, uint32_t b);
    void *ctx; /**< for `compare` */
} crd_open_items;

/** The applications found, in order of application: columns of the caller's, not overlapping any input. */
typedef struct crd_allocation {
    uint32_t struct_size;
    uint32_t reserved; /**< 0 */
    uint64_t capacity; /**< elements each column has room for: at least credits + invoices, which suffices */
    uint64_t count;    /**< out: applications found; 0 after a failure */
    uint32_t *credit;  /**< out: index of the credit */
    uint32_t *invoice; /**< out: index of the invoice */
    int64_t *amount;   /**< out: what is applied, more than 0 */
} crd_allocation;

/**
 * Bytes of working memory, of any alignment, that crd_allocate() needs for so many items: at most 20 per item
 * and 16. Never 0, but when a count is 2^32 - 1 or more.
 */
CRD_API uint64_t CRD_CALL crd_allocate_work_size(uint64_t credits, uint64_t invoices);

/**
 * Allocates credits to invoices.
 *
 * @param credits what may be used; a credit that is not to be used is not in the arrays
 * @param invoices what may be paid
 * @param work crd_allocate_work_size() bytes, left with no meaning
 * @param work_size bytes `work` has
 * @param out receives the applications; its `count` is always set
 *
 * After a failure nothing was written but `out->count`, which is 0.
 * @retval CRD_E_ARGUMENT a pointer is missing, a struct_size is unknown, an amount is negative, a kind is
 *         above 31, an index in `prefer` is out of range, a column is given for one side only, or `capacity`
 *         or `work_size` is too small
 * @retval CRD_E_TOO_LARGE a count is 2^32 - 1 or more
 */
CRD_API crd_status CRD_CALL crd_allocate(const crd_open_items *credits, const crd_open_items *invoices,
                                         void *work, uint64_t work_size, crd_allocation *out);

CRD_END
#endif
