/**
 * @file
 * Credit put aside: holds at checkout, allocations to orders; and the sweep, which enters what time took back.
 *
 *     Held ─captured→ Captured;  Held ─released→ Released;  Held ─its instant passes→ Lapsed
 *
 * A hold lowers what is available of a credit, nothing else: remaining, balance and revenue do not move. From its
 * instant on it does not count, whether that was entered or not.
 */
#ifndef CREDIT_HOLD_H
#define CREDIT_HOLD_H

#include <credit/credits.h>
#include <credit/reconcile.h>

CRD_BEGIN

/** A handle to a hold. Free it with crd_hold_free(). */
typedef struct crd_hold crd_hold;

/** What is held, and for how long. Zero and NULL leave a term out. */
typedef struct crd_hold_terms {
    uint32_t struct_size;
    uint32_t flags;     /**< CRD_APPLY_CLAMP: hold less when there is less */
    const char *id;     /**< NULL: the library derives one */
    int64_t amount;     /**< minor units, ≥ 1; with CRD_APPLY_CLAMP 0 means all that is possible */
    int64_t lapses_at;  /**< instant from which it does not count any more; 0: never. An allocation has none */
    int32_t lapses_on;  /**< business date of lapses_at, at most a day off UTC; 0: by the ledger's utc_offset_minutes */
    uint32_t reserved;
} crd_hold_terms;

/**
 * Holds part of a credit; with a draft, *allocates* it to that order (rule M9). An allocation is made by hand only, one
 * per credit and draft; it does not lapse, becomes an application when the draft is sent, and is released when the
 * draft is cancelled. A draft shows total − allocated as due. Reserved deposits are used in this way too.
 * @memberof crd_hold
 *
 * @param credit  an Active credit, usable on the business date
 * @param draft   the draft it is for, of the same customer and currency; NULL: a hold
 * @param out     receives a handle to the hold; may be NULL
 * @return #CRD_OK; #CRD_E_EXISTS for an id that was ever used, or when the credit is allocated to this draft already
 *         (release that first); #CRD_E_CUSTOMER; #CRD_E_CURRENCY; #CRD_E_STATE when the credit is not Active or the
 *         invoice no draft; #CRD_E_CLOSED; #CRD_E_DATE; #CRD_E_EXPIRED; #CRD_E_RESTRICTED (allocating only);
 *         #CRD_E_CREDIT_AMOUNT with what is available; #CRD_E_INVOICE_AMOUNT with what the draft has due;
 *         #CRD_E_NOTHING when clamping leaves 0; and what a command may return
 */
CRD_API crd_status CRD_CALL crd_credit_hold(crd_ledger *ledger, const crd_request *request, crd_credit *credit,
                                            crd_invoice *draft, const crd_hold_terms *terms, crd_hold **out);

/** Finds a hold by its id. @return #CRD_OK; #CRD_E_NOT_FOUND; #CRD_E_ARGUMENT; #CRD_E_STORAGE; #CRD_E_NOMEM */
CRD_API crd_status CRD_CALL crd_hold_find(crd_ledger *ledger, const char *customer, const char *id, crd_hold **out);

/** The record, valid until the next call on its ledger. Never NULL for a handle. A hold past its lapses_at is Held
 *  until the lapse is entered. */
CRD_API const crd_hold_record *CRD_CALL crd_hold_get(const crd_hold *hold);

/** Reads the latest figures; as crd_credit_refresh(). */
CRD_API crd_status CRD_CALL crd_hold_refresh(crd_hold *hold);

/** Frees the handle, as crd_credit_free(). NULL is allowed. */
CRD_API void CRD_CALL crd_hold_free(crd_hold *hold);

/**
 * Captures (part of) a hold: it is given back and applied in the same commit, also when the credit has expired
 * meanwhile (rule M10). What is not captured stays held. @memberof crd_hold
 *
 * @param invoice  an open invoice of the same customer and currency; NULL: outside
 * @param terms    how much: amount 0 is all that is held; CRD_APPLY_CLAMP reduces it to what is held and open
 * @param out      the amount applied, and as last_seq the application that crd_undo() takes; may be NULL
 * @return #CRD_OK; #CRD_E_CUSTOMER; #CRD_E_CURRENCY; #CRD_E_STATE when the hold is not Held (any more), is an
 *         allocation, or the invoice is not Open; #CRD_E_CLOSED; #CRD_E_DATE; #CRD_E_RESTRICTED; #CRD_E_CREDIT_AMOUNT
 *         with what is held; #CRD_E_INVOICE_AMOUNT; and what a command may return
 */
CRD_API crd_status CRD_CALL crd_hold_capture(crd_ledger *ledger, const crd_request *request, crd_hold *hold,
                                             crd_invoice *invoice, const crd_apply_terms *terms, crd_result *out);

/**
 * Releases (part of) a hold or allocation: it is available again, or expires that day when its credit has.
 * @memberof crd_hold
 * @param amount  minor units; 0: all
 * @param out     the amount released; may be NULL
 * @return #CRD_OK; #CRD_E_NOTHING when nothing is held any more; #CRD_E_CLOSED; #CRD_E_DATE; #CRD_E_CREDIT_AMOUNT
 *         with what is held; and what a command may return
 */
CRD_API crd_status CRD_CALL crd_hold_release(crd_ledger *ledger, const crd_request *request, crd_hold *hold,
                                             int64_t amount, crd_result *out);

/** What to sweep. */
typedef struct crd_sweep_spec {
    uint32_t struct_size;
    uint32_t reserved;
    const char *customer; /**< only this one; NULL: the whole book */
    void *ctx;            /**< for the callback */
    /** Called between accounts (`applications` counts the entries made); return non-zero to stop with
     *  #CRD_E_CANCELLED, keeping what was entered. May be NULL. */
    int32_t(CRD_CALL *progress)(void *ctx, const crd_progress *progress);
} crd_sweep_spec;

/** What a sweep entered. Amounts are sums over all currencies. */
typedef struct crd_sweep_result {
    uint32_t struct_size;
    uint32_t reserved;
    uint64_t accounts;   /**< in which something was entered */
    uint64_t conflicted; /**< changed by another writer meanwhile: nothing (more) was entered there; sweep again */
    uint64_t expired;    /**< entries: credits that expired */
    uint64_t lapsed;     /**< entries: holds that lapsed */
    int64_t expired_amount;
    int64_t lapsed_amount;
} crd_sweep_result;

/**
 * Enters every expiry due on the request's business date and every lapse due at its instant, each dated its own day, or
 * the last entry of its credit if that is later, and never in a closed period. No figure changes by it: what expired
 * or lapsed counts nowhere, swept or not. A second sweep finds nothing to do. It works while the feature is off.
 *
 * Sweep before closing a period: with the last day of the period as business date; then set closed_through.
 *
 * @param request  without a key: a sweep may simply be sent again
 * @param spec     NULL: the whole book, no callback
 * @param out      receives the counts; may be NULL
 * @return #CRD_OK, also with conflicted accounts; #CRD_E_UNIT inside a unit; #CRD_E_CLOSED; #CRD_E_CANCELLED; and what
 *         a command may return, when some accounts may have been swept before
 */
CRD_API crd_status CRD_CALL crd_sweep(crd_ledger *ledger, const crd_request *request, const crd_sweep_spec *spec,
                                      crd_sweep_result *out);

CRD_END
#endif
