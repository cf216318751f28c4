/**
 * @file
 * Reconcile: apply all open credits to all open invoices, as a plan that can be looked at before it is posted.
 *
 * A plan is a value. It is made from open items read page by page, and holds per account (one customer in one
 * currency) the proposed applications and, for every credit and invoice left out, the reason. Walk it, skip
 * customers, edit amounts, print the prescan report, and commit exactly what was seen: a plan carries the versions
 * of its accounts, so a customer changed in the meantime is reported as conflicted, never silently recomputed.
 * crd_reconcile() posts without review: the same code with nobody looking.
 *
 * Order (rule M15): credits by date and sequence; finance charges first, then other invoices by due date, issue
 * date and sequence; or the ledger's settings. Credit by credit, each until it or the invoices are used up.
 *
 * Credit memos, promises and adjustments are always used, cash when selected. Each account posted becomes one
 * receipt of amount zero and method "adjustment", which crd_undo() takes back whole.
 */
#ifndef CREDIT_RECONCILE_H
#define CREDIT_RECONCILE_H

#include <credit/allocate.h>
#include <credit/credits.h>
#include <credit/receipt.h>

CRD_BEGIN

/** @name Flags of a plan
 * @{ */
#define CRD_PLAN_USE_CASH 0x01u    /**< use unapplied cash too */
#define CRD_PLAN_ALL_OPEN 0x02u    /**< show accounts with an open credit or invoice, not only those with both */
#define CRD_PLAN_BY_LOCATION 0x04u /**< order customers by location, then id; else by id */
#define CRD_PLAN_CUSTOMERS 0x08u   /**< read customer records as well, for their names */
/** @} */

/** How far a run got. */
typedef struct crd_progress {
    uint32_t struct_size;
    uint32_t reserved;
    uint64_t accounts;     /**< dealt with so far */
    uint64_t applications; /**< posted so far */
} crd_progress;

typedef struct crd_plan crd_plan;
typedef struct crd_plan_account crd_plan_account;

/** What to plan. Zero leaves a condition out. */
typedef struct crd_plan_spec {
    uint32_t struct_size;
    uint32_t flags; /**< CRD_PLAN_… */
    /** Business date: documents dated later, not yet effective or expired on it are left out. 0: the day of the clock. */
    int32_t date;
    uint32_t reserved;
    const char *currency;             /**< only this one */
    const char *category;             /**< only customers of this category */
    const char *location;             /**< only customers of this location */
    const char *const *customers;     /**< only these */
    uint64_t customer_count;
    const crd_key *const *items; /**< only these credits and invoices (kind, customer, id); a side that is not named is free */
    uint64_t item_count;
    void *ctx; /**< for the callbacks */
    /** Called between customers of crd_reconcile() and crd_plan_commit(); return non-zero to stop with
     *  #CRD_E_CANCELLED, keeping what was posted. May be NULL. */
    int32_t(CRD_CALL *progress)(void *ctx, const crd_progress *progress);
    /** Called by crd_reconcile() for each account once its outcome is known. May be NULL. */
    void(CRD_CALL *posted)(void *ctx, const crd_plan_account *account);
    /** Write off what stays open, up to this amount, of an invoice that the run pays something of: an entry of its own in
     *  the run's receipt, undone with it (cause #CRD_CAUSE_TOLERANCE). 0: nothing is written off. */
    int64_t tolerance;
} crd_plan_spec;

/** @name Why an item takes no part, or no further part
 * @{ */
#define CRD_LEFT_NOTHING 0         /**< it was not left out */
#define CRD_LEFT_NO_COUNTERPART 1  /**< nothing (more) on the other side that it could pay, or be paid by */
#define CRD_LEFT_CASH 2            /**< unapplied cash, which was not selected */
#define CRD_LEFT_RESERVED 3        /**< a reserved deposit, used by hand only */
#define CRD_LEFT_HELD 4            /**< all of it is held or allocated */
#define CRD_LEFT_NOT_EFFECTIVE 5   /**< not yet usable on the date */
#define CRD_LEFT_EXPIRED 6         /**< past its expiry, or the application would be dated past it */
#define CRD_LEFT_LATER 7           /**< dated after the date */
#define CRD_LEFT_DRAFT 8           /**< an order not yet posted */
#define CRD_LEFT_DISPUTED 9        /**< disputed */
#define CRD_LEFT_NOT_NAMED 10      /**< the spec named others */
#define CRD_LEFT_RESTRICTED 11     /**< restricted to kinds of invoice of which none is open */
#define CRD_LEFT_SKIPPED 12        /**< the host skipped the account */
/** @} */

/** English words for a reason, such as "reserved". Static storage; never NULL. */
CRD_API const char *CRD_CALL crd_left_text(uint32_t reason);

/** One open item of a planned account. */
typedef struct crd_plan_item {
    uint32_t struct_size;
    uint32_t kind;      /**< CRD_KIND_CREDIT or CRD_KIND_INVOICE */
    uint32_t left_out;  /**< CRD_LEFT_…: why something of it stays open */
    uint32_t reserved;
    int64_t open;       /**< before the run: available of the credit, open of the invoice */
    int64_t proposed;   /**< what the plan uses of it */
    const crd_credit_record *credit;   /**< or NULL */
    const crd_invoice_record *invoice; /**< or NULL */
    int64_t write_off; /**< invoice: the small rest that the plan writes off */
} crd_plan_item;

/** One proposed application. */
typedef struct crd_plan_application {
    uint32_t struct_size;
    int32_t business_date; /**< the plan's date, or the last date of one of the two documents if that is later (rule M6) */
    int64_t amount;
    const crd_credit_record *credit;
    const crd_invoice_record *invoice;
} crd_plan_application;

/** @name State of a planned account
 * @{ */
#define CRD_PLAN_PROPOSED 1
#define CRD_PLAN_SKIPPED 2
#define CRD_PLAN_POSTED 3
#define CRD_PLAN_CONFLICTED 4 /**< changed by another writer since it was planned; nothing was posted for it (or no further part of it) */
#define CRD_PLAN_REPEATED 5   /**< its run key was used before; nothing was posted again */
#define CRD_PLAN_NOTHING 6    /**< nothing to apply */
/** @} */

/** One account of a plan. Its items show the state before the run; the records they point to are as planned until the
 *  account is posted, and as posted from then on. Valid until the plan is closed (within crd_reconcile()'s callback:
 *  until it returns). */
struct crd_plan_account {
    uint32_t struct_size;
    uint32_t state; /**< CRD_PLAN_… */
    const crd_account_record *account;
    const crd_customer_record *customer; /**< NULL unless customers are read */
    const crd_plan_item *const *items;   /**< credits first, in order of use, then invoices in order of payment */
    uint64_t item_count;
    const crd_plan_application *const *applications; /**< in order of application */
    uint64_t application_count;
    const char *receipt; /**< id of the (last) receipt posted, or "" */
    int64_t applied;     /**< Σ amount of the applications, or of those posted once it is posted */
    int64_t written_off; /**< Σ write_off of the items */
};

/** What a run did. */
typedef struct crd_plan_result {
    uint32_t struct_size;
    uint32_t reserved;
    uint64_t posted;       /**< accounts posted */
    uint64_t conflicted;   /**< accounts changed in the meantime */
    uint64_t repeated;     /**< accounts posted before under the same run key */
    uint64_t skipped;      /**< accounts the host skipped */
    uint64_t applications; /**< applications posted */
    uint64_t receipts;     /**< receipts made */
    uint64_t write_offs;   /**< small rests written off */
} crd_plan_result;

/**
 * Makes a plan. Nothing is read yet: crd_plan_next() reads page by page (by location: all at once).
 * The spec is copied. @memberof crd_plan
 * @return #CRD_OK; #CRD_E_ARGUMENT naming the field; #CRD_E_DISABLED; #CRD_E_NOMEM
 */
CRD_API crd_status CRD_CALL crd_plan_open(crd_ledger *ledger, const crd_plan_spec *spec, crd_plan **out);

/**
 * The next account of the plan, NULL after the last. Only accounts with something open come; those with nothing to
 * apply have state CRD_PLAN_NOTHING. @memberof crd_plan
 */
CRD_API crd_status CRD_CALL crd_plan_next(crd_plan *plan, const crd_plan_account **out);

/** Walks from the first account again; accounts read before come as they are now. */
CRD_API crd_status CRD_CALL crd_plan_rewind(crd_plan *plan);

/**
 * Skips the account crd_plan_next() returned last: commit leaves it alone, and the items it would have used up are left
 * out as #CRD_LEFT_SKIPPED. @memberof crd_plan
 * @return #CRD_OK; #CRD_E_ARGUMENT when there is none; #CRD_E_STATE when it is not PROPOSED
 */
CRD_API crd_status CRD_CALL crd_plan_skip(crd_plan *plan);

/**
 * Sets the amount of one application of the account crd_plan_next() returned last; that pair only.
 * @param application  index into its applications
 * @param amount       minor units; 0 takes it out of what is posted
 * @return #CRD_OK; #CRD_E_ARGUMENT; #CRD_E_STATE when the account is not PROPOSED; #CRD_E_CREDIT_AMOUNT or
 *         #CRD_E_INVOICE_AMOUNT with the figure that would fit. What the plan writes off of the invoice follows the new amount
 */
CRD_API crd_status CRD_CALL crd_plan_edit(crd_plan *plan, uint64_t application, int64_t amount);

/**
 * Posts every account that was walked and not skipped, exactly as it was shown. May be called again after walking
 * further; an account is posted once. Accounts that changed in the meantime become CONFLICTED.
 *
 * @param request  its key, at most #CRD_MAX_RUN_KEY bytes, makes every account post at most once under that key
 * @param out      the counts of this call; may be NULL
 * @return #CRD_OK, also with conflicted accounts (see the counts); #CRD_E_CANCELLED; #CRD_E_STORAGE and others,
 *         when some accounts may have been posted before (their state tells)
 */
CRD_API crd_status CRD_CALL crd_plan_commit(crd_plan *plan, const crd_request *request, crd_plan_result *out);

/** Closes the plan. NULL is allowed. */
CRD_API void CRD_CALL crd_plan_close(crd_plan *plan);

/**
 * Plans and posts without review, page by page, in bounded memory. A second run finds nothing to do.
 * Arguments and result as crd_plan_open() and crd_plan_commit(). Not inside a unit (#CRD_E_UNIT).
 */
CRD_API crd_status CRD_CALL crd_reconcile(crd_ledger *ledger, const crd_request *request, const crd_plan_spec *spec,
                                          crd_plan_result *out);

CRD_END
#endif
