/**
 * @file
 * Customers, and what they owe and are owed.
 */
#ifndef CREDIT_CUSTOMER_H
#define CREDIT_CUSTOMER_H

#include <credit/ledger.h>

CRD_BEGIN

/** A handle to a customer. Free it with crd_customer_free(). */
typedef struct crd_customer crd_customer;

/** What a customer is. NULL texts count as "". */
typedef struct crd_customer_terms {
    uint32_t struct_size;
    uint32_t switches; /**< CRD_SWITCH_… */
    const char *name;
    const char *category;
    const char *location;
    const char *parent; /**< customer this one is a site of; need not exist */
} crd_customer_terms;

/**
 * Adds a customer. @memberof crd_customer
 * @param customer  the host's id
 * @param terms     NULL: nothing but the id
 * @param out       receives a handle; may be NULL
 * @return #CRD_OK; #CRD_E_EXISTS when there is one of that id; and what a command may return
 */
CRD_API crd_status CRD_CALL crd_customer_add(crd_ledger *ledger, const crd_request *request, const char *customer,
                                             const crd_customer_terms *terms, crd_customer **out);

/** Finds a customer. @return #CRD_OK; #CRD_E_NOT_FOUND; #CRD_E_ARGUMENT; #CRD_E_STORAGE; #CRD_E_NOMEM */
CRD_API crd_status CRD_CALL crd_customer_find(crd_ledger *ledger, const char *customer, crd_customer **out);

/** The record, valid until the next call on its ledger. Never NULL for a handle. */
CRD_API const crd_customer_record *CRD_CALL crd_customer_get(const crd_customer *customer);

/** Frees the handle, as crd_credit_free(). NULL is allowed. */
CRD_API void CRD_CALL crd_customer_free(crd_customer *customer);

/** What to change of a customer. NULL texts stay as they are, "" clears one; switches that are not named stay. */
typedef struct crd_customer_change_terms {
    uint32_t struct_size;
    uint32_t set;   /**< CRD_SWITCH_… to set; AUTO_APPLY_ON clears AUTO_APPLY_OFF and the other way round */
    uint32_t clear; /**< CRD_SWITCH_… to clear */
    uint32_t reserved;
    const char *name;
    const char *category;
    const char *location;
    const char *parent;
} crd_customer_change_terms;

/**
 * Changes a customer. Its switches hold for all its accounts from this commit on, which is one unit over them.
 * While the feature is off for the customer, only a change that clears #CRD_SWITCH_FEATURE_OFF is possible.
 * @memberof crd_customer
 * @param out  first_seq: the entry in the customer's own journal (currency ""); last_seq 0 when nothing was to be changed;
 *             may be NULL
 * @return #CRD_OK; #CRD_E_DISABLED; #CRD_E_CLOSED; and what a command may return
 */
CRD_API crd_status CRD_CALL crd_customer_change(crd_ledger *ledger, const crd_request *request, crd_customer *customer,
                                                const crd_customer_change_terms *terms, crd_result *out);

/** Reads the latest record; as crd_credit_refresh(). */
CRD_API crd_status CRD_CALL crd_customer_refresh(crd_customer *customer);

/** What a customer owes and is owed in one currency, in minor units. Credit past its expiry on the date, and neither held
 *  nor allocated, counts as expired in every figure, entered in the journal or not. */
typedef struct crd_balance {
    uint32_t struct_size;
    int32_t date;           /**< the business date it is for */
    int64_t balance;        /**< outstanding − credit; negative: the customer is owed */
    int64_t outstanding;    /**< Σ open of posted invoices (the debit balance) */
    int64_t credit;         /**< Σ remaining of credits */
    int64_t available;      /**< what may be used on that date: usable credits, less held and allocated */
    int64_t held;           /**< put aside by holds */
    int64_t allocated;      /**< put aside for drafts */
    int64_t unearned;       /**< Σ remaining of cash-class credit */
    int64_t active_credits; /**< number of Active credits */
    int64_t issued;         /**< Σ of all credits issued; of a payment, what its own receipt did not apply (rule M3) */
    int64_t applied;        /**< Σ applied of all credits, but by a payment's own receipt */
    int64_t version;        /**< version of the account; 0: it has none yet, and all is zero */
} crd_balance;

/**
 * The balance of one customer in one currency, now, as usable on a business date.
 * Costs one record, unless credits with a date of expiry or effect, or holds that lapse, make it read the open ones. A
 * hold counts as lapsed when the ledger's clock is past its instant, or the date past its day.
 * @param date  business date; 0: the day of the ledger's clock
 * @return #CRD_OK, also for an account that was never used; #CRD_E_NOT_FOUND for an unknown customer;
 *         #CRD_E_ARGUMENT; #CRD_E_CURRENCY; #CRD_E_STORAGE
 */
CRD_API crd_status CRD_CALL crd_customer_balance(crd_ledger *ledger, const char *customer, const char *currency,
                                                 int32_t date, crd_balance *out);

CRD_END
#endif
