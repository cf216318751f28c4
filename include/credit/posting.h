/**
 * @file
 * Postings: what the journal means to a general ledger, entry by entry (rule M17), and as text for the plain-text
 * accounting programs hledger, Ledger and Beancount.
 *
 * The postings of each journal entry sum to zero. Summed over all entries, the receivable account holds what is open
 * of posted invoices, and deposits with other credits hold what remains of credits. Drafts, allocations, holds and
 * plans post nothing.
 */
#ifndef CREDIT_POSTING_H
#define CREDIT_POSTING_H

#include <credit/ledger.h>

CRD_BEGIN

/** @name Accounts of the general ledger, by what they are for
 * The name of each is the host's to choose, and several may share one; what they are called otherwise stands here.
 * @{ */
#define CRD_GL_RECEIVABLE 0  /**< what customers owe: "Assets:Receivable" */
#define CRD_GL_DEPOSITS 1    /**< cash held for customers, unearned until applied: "Liabilities:Customer-Deposits" */
#define CRD_GL_CREDITS 2     /**< all other credit: "Liabilities:Customer-Credits" */
#define CRD_GL_BANK 3        /**< money in and out: "Assets:Bank" */
#define CRD_GL_RETURNS 4     /**< contra-revenue of memos and of invoices revised down: "Income:Returns" */
#define CRD_GL_TAX 5         /**< tax carried by invoices and memos: "Liabilities:Tax" */
#define CRD_GL_PROMOTION 6   /**< promises. Expense or contra-revenue is the host's choice: "Expenses:Promotion" */
#define CRD_GL_ADJUSTMENT 7  /**< the clearing side of adjustments: "Equity:Adjustments" */
#define CRD_GL_OPENING 8     /**< opening balances: "Equity:Opening-Balances" */
#define CRD_GL_OUTSIDE 9     /**< credit used outside this ledger: "Equity:Applied-Outside" */
#define CRD_GL_BREAKAGE 10   /**< cash and memos that expired, cash that was voided: "Income:Breakage" */
#define CRD_GL_SALES 11      /**< invoices: "Income:Sales" */
#define CRD_GL_CHARGES 12    /**< finance charges and fees: "Income:Charges" */
#define CRD_GL_DEBIT_MEMO 13 /**< debit memos entered by hand: "Income:Debit-Memos" */
#define CRD_GL_BAD_DEBT 14   /**< write-offs of bad debt: "Expenses:Bad-Debt" */
#define CRD_GL_SMALL 15      /**< write-offs of small differences: "Expenses:Small-Differences" */
#define CRD_GL_DISCOUNT 16   /**< early-payment discounts: "Expenses:Discounts" */
#define CRD_GL_ROLES 17      /**< number of them in this version */
/** @} */

/** Which postings. Zero and NULL leave a condition out. */
typedef struct crd_posting_spec {
    uint32_t struct_size;
    uint32_t reserved;    /**< 0 */
    const char *customer; /**< only entries of this one */
    const char *currency; /**< only this one */
    int32_t date_from;    /**< entries from this business date, inclusive */
    int32_t date_to;      /**< entries to this business date, inclusive */
    const char *const *accounts; /**< names by CRD_GL_…; NULL, and an element that is NULL: as the list above says */
    uint64_t account_count;      /**< elements of `accounts`, at most #CRD_GL_ROLES */
} crd_posting_spec;

/** One posting. Pointers are valid until the next call on the cursor. */
typedef struct crd_posting {
    uint32_t struct_size;
    uint32_t role;        /**< CRD_GL_… */
    const char *account;  /**< its name */
    const char *customer; /**< whose; of a transfer one posting concerns the customer at the other end */
    const char *currency;
    int64_t amount;       /**< minor units; debits positive, credits negative, never 0 */
    int32_t date;         /**< business date of the entry */
    uint32_t number;      /**< 0 for the first posting of an entry, then 1, 2… */
    const crd_entry_record *entry; /**< the journal entry it belongs to */
} crd_posting;

/** An open walk over postings. Close it with crd_postings_close() before its ledger. */
typedef struct crd_postings crd_postings;

/**
 * Opens a walk over the postings of the kept journal, account by account (customer, currency), each in the order of
 * its journal. Every account is replayed from its first entry, whatever dates are asked for.
 *
 * Both postings of a transfer come with the entry of the end that gives. When only one customer is asked for, they
 * come with the entry of the end that takes as well, because the other end is not walked.
 *
 * @return #CRD_OK; #CRD_E_ARGUMENT naming the field; #CRD_E_NOT_FOUND for an unknown customer; #CRD_E_CURRENCY;
 *         #CRD_E_NOMEM; #CRD_E_STORAGE
 */
CRD_API crd_status CRD_CALL crd_postings_open(crd_ledger *ledger, const crd_posting_spec *spec, crd_postings **out);

/** The next posting, NULL after the last. @memberof crd_postings
 *  @return #CRD_OK; #CRD_E_CORRUPT when the journal contradicts itself; #CRD_E_NOMEM; #CRD_E_STORAGE */
CRD_API crd_status CRD_CALL crd_postings_next(crd_postings *postings, const crd_posting **out);

/** Closes the walk. NULL is allowed. */
CRD_API void CRD_CALL crd_postings_close(crd_postings *postings);

/** @name Formats
 * @{ */
#define CRD_EXPORT_HLEDGER 1   /**< a journal of hledger */
#define CRD_EXPORT_LEDGER 2    /**< a journal of Ledger */
#define CRD_EXPORT_BEANCOUNT 3 /**< a file of Beancount, with an `open` directive for each account */
/** @} */

/** Takes a piece of text, `size` bytes without a NUL. Returns 0 to go on, anything else to stop. */
typedef int32_t(CRD_CALL *crd_write_text)(void *ctx, const char *text, uint64_t size);

/**
 * Writes postings as the text of a plain-text accounting program: a transaction per journal entry that posts
 * anything, with the documents concerned as its tags, and on each posting the tag "customer".
 *
 * An id may hold any character; those that mean something to one of the programs, such as a semicolon, are written as
 * "%" and two hexadecimal digits per byte, as in a URL. The names of accounts come from the host and are written as
 * they are, so they are checked: see credit_posting(3).
 *
 * @param format  CRD_EXPORT_…
 * @param write   called with one piece after the other; what it was given before a failure is incomplete
 * @return #CRD_OK; #CRD_E_CANCELLED when `write` stopped; #CRD_E_ARGUMENT, also for an account the format cannot name;
 *         #CRD_E_CURRENCY when the ledger does not know a currency it finds; and as crd_postings_next()
 */
CRD_API crd_status CRD_CALL crd_postings_export(crd_ledger *ledger, const crd_posting_spec *spec, uint32_t format,
                                                crd_write_text write, void *ctx);

CRD_END
#endif
