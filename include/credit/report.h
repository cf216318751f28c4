/**
 * @file
 * Reports: one call opens a report from a spec, one cursor walks it row by row.
 *
 * Every report can be asked as of a business date, and as the books were known at an instant:
 * - `date` d: only entries dated on or before d count. Something entered later, and dated back, counts.
 * - `known_at` s: only entries whose instant is not later than s count, so a statement printed then can be printed
 *   again. What was deleted as a mistake is in no report but the history, unless the report is of a time before.
 * - Credit past its expiry on d, neither held nor allocated, counts as expired, swept or not. What the journal does not
 *   say yet is told in `expired`. A hold counts as lapsed after its day, and on its day once its instant is past.
 */
#ifndef CREDIT_REPORT_H
#define CREDIT_REPORT_H

#include <credit/reconcile.h>

CRD_BEGIN

/** @name Reports
 * @{ */
#define CRD_REPORT_CUSTOMERS 1  /**< a row per customer: `customer_record`; by known_at only, never cut by a date */
#define CRD_REPORT_ACCOUNTS 2   /**< a row per account: `account`, `amount` the balance */
#define CRD_REPORT_CREDITS 3    /**< a row per credit, by `states` and `source`: `credit` */
#define CRD_REPORT_INVOICES 4   /**< a row per invoice, by `states`: `invoice` */
#define CRD_REPORT_RECEIPTS 5   /**< a row per receipt, by `states` and `method`: `receipt` */
#define CRD_REPORT_OPEN_ITEMS 6 /**< a row per credit with a remainder (amount negative) and open invoice */
#define CRD_REPORT_HISTORY 7    /**< a row per journal entry: `entry`; of one document when `kind` and `id` are given */
#define CRD_REPORT_AGING 8      /**< a row per account: `buckets`; see crd_report_spec */
#define CRD_REPORT_TOTALS 9     /**< a row per currency, and per what `by` says: `figures` CRD_TOTALS_… */
/** A row per entry that issued, adjusted, voided, expired, refunded, transferred or reversed credit, with who, when and
 *  why: `entry`, `credit` (NULL at an adjustment itself, whose pieces follow); `amount` is what it changed the credit by.
 *  A line of its own for what expired unentered. */
#define CRD_REPORT_CREDIT_ENTRIES 10
/** A row per entry that created credit, or gave some back: `entry`, `credit`, `amount`; `origin` the document it came
 *  from, `source` its label. */
#define CRD_REPORT_OCCASIONS 11
#define CRD_REPORT_PAYMENTS 12  /**< a row per receipt that created credit: `receipt`, `credit`, figures CRD_PAYMENT_… */
/** Per account an opening row, a row per entry that changed the balance, by business date, and a closing row:
 *  `amount`, `balance` the running balance. Internal notes are not in it. */
#define CRD_REPORT_STATEMENT 13
#define CRD_REPORT_OVERDUE 14   /**< a row per account with something overdue: `amount`, `figures` CRD_DUE_… */
/** A row per account with open invoices: `amount` is what would be open after a reconcile of that date with cash
 *  selected; `figures` CRD_DUE_… */
#define CRD_REPORT_DUE_AFTER_CREDIT 15
#define CRD_REPORT_REVENUE 16   /**< a row per currency: revenue on the cash basis, `figures` CRD_REVENUE_… */
/** A row per receipt, refund and reversal, by currency, day and method: `amount`, `reference`, `entry`, `receipt`;
 *  or, with `by`, sums: `figures` CRD_TAKINGS_… */
#define CRD_REPORT_TAKINGS 17
#define CRD_REPORT_ROLL_FORWARD 18 /**< a row per currency, class and source: `figures` CRD_ROLL_… */
#define CRD_REPORT_LINES 19        /**< a row per line of one document, by number, as they stand: `document_line` */
/** A row per entry that the host did not acknowledge (crd_acknowledge()), account by account in the order of the journal:
 *  `entry`, `account`. Of customer and currency, if given; no date, kind or instant. */
#define CRD_REPORT_UNACKNOWLEDGED 20
/** The prescan of a reconcile of that date: a row per item of every account that has both open credit and open invoices,
 *  as crd_plan_next() shows them, customers by id: credits first, in the order of use, `amount` minus what is available;
 *  then invoices, in the order of payment, drafts with 0. `credit` or `invoice`; `customer_record`, for the name, as known
 *  at the instant. What is dated later is not there yet, and customers whose feature is off are left out. */
#define CRD_REPORT_PRESCAN 21
/** @} */

/** @name Buckets of an aging, in this order; they sum to the balance
 * With bounds of the caller's own: a bucket per bound, one for what is beyond the last, then cash and other credit.
 * @{ */
#define CRD_AGING_CURRENT 0        /**< not yet due on the date */
#define CRD_AGING_1_30 1           /**< 1 to 30 days overdue */
#define CRD_AGING_31_60 2
#define CRD_AGING_61_90 3
#define CRD_AGING_OVER_90 4
#define CRD_AGING_CASH 5           /**< unapplied cash, negative */
#define CRD_AGING_OTHER_CREDIT 6   /**< other credit, negative */
#define CRD_AGING_BUCKETS 7
#define CRD_AGING_MAX_BOUNDS 60    /**< most bounds a caller may give: more than a screen is wide */
/** @} */

/** @name What a report adds up by
 * @{ */
#define CRD_BY_CUSTOMER 0x01u
#define CRD_BY_CLASS 0x02u
#define CRD_BY_SOURCE 0x04u
#define CRD_BY_STATE 0x08u
#define CRD_BY_DAY 0x10u
#define CRD_BY_METHOD 0x20u
/** @} */

/** @name Figures of TOTALS
 * Of a payment only what it left as credit counts as issued, and what its own receipt applied not as applied (rule M3).
 * @{ */
#define CRD_TOTALS_ACTIVE 0    /**< number of Active credits */
#define CRD_TOTALS_BALANCE 1   /**< what remains of them */
#define CRD_TOTALS_AVAILABLE 2 /**< what may be used of it on the date */
#define CRD_TOTALS_CREDITS 3   /**< number of credits issued; transferred in or brought in from elsewhere not counted */
#define CRD_TOTALS_ISSUED 4
#define CRD_TOTALS_APPLIED 5
#define CRD_TOTALS_FIGURES 6
/** @} */

/** @name Figures of PAYMENTS
 * @{ */
#define CRD_PAYMENT_CREDITED 0 /**< what the payment left as credit */
#define CRD_PAYMENT_CURRENT 1  /**< what remains of that */
#define CRD_PAYMENT_APPLIED 2  /**< what was applied of it */
#define CRD_PAYMENT_FIGURES 3
/** @} */

/** @name Figures of OVERDUE and DUE_AFTER_CREDIT
 * @{ */
#define CRD_DUE_OPEN 0          /**< Σ open of invoices */
#define CRD_DUE_OVERDUE 1       /**< of it, due before the date */
#define CRD_DUE_CREDIT 2        /**< what credit would pay of it, in a reconcile of that date with cash selected */
#define CRD_DUE_AFTER 3         /**< open − credit */
#define CRD_DUE_OVERDUE_AFTER 4 /**< of it, due before the date */
#define CRD_DUE_FIGURES 5
/** @} */

/** @name Figures of REVENUE
 * @{ */
#define CRD_REVENUE_INVOICES 0 /**< recognized in the period, finance charges apart */
#define CRD_REVENUE_FINANCE 1  /**< recognized of finance charges */
#define CRD_REVENUE_UNEARNED 2 /**< what remains of cash-class credit at the end of the period */
#define CRD_REVENUE_FIGURES 3
/** @} */

/** @name Figures of TAKINGS
 * @{ */
#define CRD_TAKINGS_RECEIVED 0
#define CRD_TAKINGS_REFUNDED 1 /**< negative; refunds that were undone positive */
#define CRD_TAKINGS_REVERSED 2 /**< negative: payments that bounced or were undone whole */
#define CRD_TAKINGS_FIGURES 3
/** @} */

/** @name Figures of ROLL_FORWARD
 * opening + issued + in − applied − refunded − voided − expired − adjusted − reversed − out + returned = closing.
 * @{ */
#define CRD_ROLL_OPENING 0
#define CRD_ROLL_ISSUED 1 /**< of payments, what they left as credit; more when a revision frees some of it */
#define CRD_ROLL_IN 2     /**< transferred in, and opening balances brought in */
#define CRD_ROLL_APPLIED 3
#define CRD_ROLL_REFUNDED 4
#define CRD_ROLL_VOIDED 5
#define CRD_ROLL_EXPIRED 6 /**< `expired` of the row tells how much of it is not yet entered */
#define CRD_ROLL_ADJUSTED 7
#define CRD_ROLL_REVERSED 8
#define CRD_ROLL_OUT 9       /**< transferred out */
#define CRD_ROLL_RETURNED 10 /**< came back: applications, refunds, adjustments and transfers undone */
#define CRD_ROLL_CLOSING 11
#define CRD_ROLL_FIGURES 12
/** @} */

/** @name Lines of a report that has several kinds
 * @{ */
#define CRD_LINE_ENTRY 0   /**< what `entry` tells */
#define CRD_LINE_OPENING 1 /**< STATEMENT: the balance before the first day */
#define CRD_LINE_EXPIRED 2 /**< STATEMENT, CREDIT_ENTRIES: past its expiry, and not entered yet */
#define CRD_LINE_CLOSING 3 /**< STATEMENT: the balance at the end of the last day */
/** @} */

/** What to report. Zero leaves a condition out. */
typedef struct crd_report_spec {
    uint32_t struct_size;
    uint32_t report;      /**< CRD_REPORT_… */
    const char *customer; /**< only this one; required by HISTORY and LINES */
    const char *currency; /**< only this one; HISTORY without a document needs it ("" is the customer's own journal) */
    /** HISTORY: CRD_KIND_CREDIT, INVOICE, RECEIPT or HOLD; CRD_KIND_CUSTOMER: all journals of the customer, one after the
     *  other; 0: the account's whole journal. LINES: CREDIT or INVOICE */
    uint32_t kind;
    uint32_t states;      /**< CREDITS, INVOICES, RECEIPTS, TOTALS: set of 1 << state */
    const char *id;       /**< HISTORY, LINES: the document */
    /** As of this business date, or the last day of the period. 0: the day of the clock; for CUSTOMERS, ACCOUNTS, CREDITS,
     *  INVOICES, RECEIPTS, OPEN_ITEMS, HISTORY, PAYMENTS and LINES everything as it stands, whatever its date, and expiry
     *  not looked at */
    int32_t date;
    uint32_t reserved;
    int32_t date_from; /**< first day of the period; 0: from the beginning */
    uint32_t by;       /**< TOTALS, REVENUE, TAKINGS, ROLL_FORWARD: CRD_BY_…, beside the currency */
    int64_t known_at;  /**< as known at this instant; 0: now */
    const char *source; /**< only credits of this label */
    const char *method; /**< RECEIPTS, TAKINGS: only this payment method */
    const int32_t *bucket_days; /**< AGING: bounds in days overdue, ascending; NULL: 0, 30, 60, 90 */
    uint64_t bucket_count;      /**< how many */
} crd_report_spec;

/** One row. Pointers are NULL where the report does not use them; all are valid until the next call on the report. */
typedef struct crd_row {
    uint32_t struct_size;
    uint32_t kind; /**< CRD_KIND_… of the record the row is about; 0: a sum */
    const char *customer; /**< "" in a sum over customers */
    const char *currency;
    const char *id;
    /** OPEN_ITEMS: open, or minus the remainder; AGING, ACCOUNTS: the balance on the date; ACCOUNTS without a date: the
     *  balance as stored, in which credit past its expiry still counts; others: see the report. */
    int64_t amount;
    int32_t date;   /**< OPEN_ITEMS: due date of an invoice, issue date of a credit; entries: the business date */
    uint32_t line;  /**< CRD_LINE_… */
    const crd_customer_record *customer_record;
    const crd_account_record *account;
    const crd_credit_record *credit;
    const crd_invoice_record *invoice;
    const crd_receipt_record *receipt;
    const crd_entry_record *entry;
    const int64_t *buckets; /**< AGING: bucket_count figures */
    uint64_t bucket_count;
    const crd_line_record *document_line; /**< LINES: one that was ended has ended_in not 0 */
    const int64_t *figures; /**< figure_count figures; which they are, the report tells */
    uint64_t figure_count;
    int64_t balance; /**< STATEMENT: the balance after this row */
    int64_t expired; /**< credit that counts as expired on the date, though the journal does not say so yet */
    uint32_t credit_class; /**< by class: CRD_CLASS_… */
    uint32_t state;        /**< by state, CREDITS: CRD_CREDIT_… on the date */
    const char *source;    /**< label of the credit */
    const char *origin;    /**< OCCASIONS: id of the document it came from, or "" */
    const char *method;    /**< TAKINGS: payment method */
    const char *reference; /**< TAKINGS: check number or other payment info, else the host's reference */
} crd_row;

/** An open report. Close it with crd_report_close() before its ledger. */
typedef struct crd_report crd_report;

/**
 * Opens a report. Rows come by customer, currency and then id, or seq for entries; sums and TAKINGS by what they are
 * sums of. @memberof crd_report
 * @return #CRD_OK; #CRD_E_ARGUMENT naming the field; #CRD_E_NOT_FOUND for an unknown customer or document;
 *         #CRD_E_NOMEM; #CRD_E_STORAGE
 */
CRD_API crd_status CRD_CALL crd_report_open(crd_ledger *ledger, const crd_report_spec *spec, crd_report **out);

/** The next row, NULL after the last. @memberof crd_report
 *  @return #CRD_OK; #CRD_E_OVERFLOW when a sum would leave 64 bits; #CRD_E_NOMEM; #CRD_E_STORAGE; #CRD_E_CONFLICT;
 *          #CRD_E_CORRUPT */
CRD_API crd_status CRD_CALL crd_report_next(crd_report *report, const crd_row **out);

/** Closes the report. NULL is allowed. */
CRD_API void CRD_CALL crd_report_close(crd_report *report);

CRD_END
#endif
