/**
 * @file
 * Reports: one call opens a report from a spec, one cursor walks it row by row.
 */
#ifndef CREDIT_REPORT_H
#define CREDIT_REPORT_H

#include <credit/reconcile.h>

CRD_BEGIN

/** @name Reports
 * @{ */
#define CRD_REPORT_CUSTOMERS 1  /**< a row per customer: `customer_record` */
#define CRD_REPORT_ACCOUNTS 2   /**< a row per account: `account`, `balance` */
#define CRD_REPORT_CREDITS 3    /**< a row per credit, by `states`: `credit` */
#define CRD_REPORT_INVOICES 4   /**< a row per invoice, by `states`: `invoice` */
#define CRD_REPORT_RECEIPTS 5   /**< a row per receipt, by `states`: `receipt` */
#define CRD_REPORT_OPEN_ITEMS 6 /**< a row per credit with a remainder (amount negative) and open invoice */
#define CRD_REPORT_HISTORY 7    /**< a row per journal entry: `entry`; of one document when `kind` and `id` are given */
#define CRD_REPORT_AGING 8      /**< a row per account: `buckets`; see crd_report_spec */
#define CRD_REPORT_LINES 40     /**< a row per line of one document, by number: `line` */
/** @} */

/** @name Buckets of an aging, in this order; they sum to the balance
 * @{ */
#define CRD_AGING_CURRENT 0        /**< not yet due on the date */
#define CRD_AGING_1_30 1           /**< 1 to 30 days overdue */
#define CRD_AGING_31_60 2
#define CRD_AGING_61_90 3
#define CRD_AGING_OVER_90 4
#define CRD_AGING_CASH 5           /**< unapplied cash, negative */
#define CRD_AGING_OTHER_CREDIT 6   /**< other credit, negative */
#define CRD_AGING_BUCKETS 7
/** @} */

/** What to report. Zero leaves a condition out. */
typedef struct crd_report_spec {
    uint32_t struct_size;
    uint32_t report;      /**< CRD_REPORT_… */
    const char *customer; /**< only this one; required by HISTORY and LINES */
    const char *currency; /**< only this one; HISTORY without a document needs it ("" is the customer's own journal) */
    uint32_t kind;        /**< HISTORY: CRD_KIND_CREDIT, INVOICE or RECEIPT; 0: the account's whole journal. LINES: CREDIT
                               or INVOICE */
    uint32_t states;      /**< set of 1 << state */
    const char *id;       /**< HISTORY, LINES: the document */
    int32_t date;         /**< AGING: as of this business date; 0: the day of the clock */
    uint32_t reserved;
} crd_report_spec;

/** One row. Pointers are NULL where the report does not use them; all are valid until the next call on the report. */
typedef struct crd_row {
    uint32_t struct_size;
    uint32_t kind; /**< CRD_KIND_… of the record the row is about */
    const char *customer;
    const char *currency;
    const char *id;
    /** OPEN_ITEMS: open, or minus the remainder; AGING: the balance on its date; ACCOUNTS: the balance as stored, in
     *  which credit past its expiry still counts. */
    int64_t amount;
    int32_t date;   /**< OPEN_ITEMS: due date of an invoice, issue date of a credit */
    uint32_t reserved;
    const crd_customer_record *customer_record;
    const crd_account_record *account;
    const crd_credit_record *credit;
    const crd_invoice_record *invoice;
    const crd_receipt_record *receipt;
    const crd_entry_record *entry;
    const int64_t *buckets; /**< AGING: bucket_count figures */
    uint64_t bucket_count;
    const crd_line_record *line; /**< LINES: one that was ended has ended_in not 0 */
} crd_row;

/** An open report. Close it with crd_report_close() before its ledger. */
typedef struct crd_report crd_report;

/**
 * Opens a report. Rows come by customer, currency and then id, or seq for a history. @memberof crd_report
 * @return #CRD_OK; #CRD_E_ARGUMENT naming the field; #CRD_E_NOT_FOUND for an unknown customer or document;
 *         #CRD_E_NOMEM; #CRD_E_STORAGE
 */
CRD_API crd_status CRD_CALL crd_report_open(crd_ledger *ledger, const crd_report_spec *spec, crd_report **out);

/** The next row, NULL after the last. @memberof crd_report */
CRD_API crd_status CRD_CALL crd_report_next(crd_report *report, const crd_row **out);

/** Closes the report. NULL is allowed. */
CRD_API void CRD_CALL crd_report_close(crd_report *report);

CRD_END
#endif
