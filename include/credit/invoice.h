/**
 * @file
 * Invoices: money a customer owes. An order is a draft; sent, posted and Open mean the same.
 *
 *     Draft → Open ⇄ Paid;  Open ⇄ WrittenOff;  Voided is final;  a draft that is given up is Cancelled
 */
#ifndef CREDIT_INVOICE_H
#define CREDIT_INVOICE_H

#include <credit/customer.h>

CRD_BEGIN

/** A handle to an invoice. Free it with crd_invoice_free(). */
typedef struct crd_invoice crd_invoice;

#define CRD_INVOICE_AS_DRAFT 0x01u /**< enter it as a draft (an order); it counts nowhere until sent */
#define CRD_INVOICE_AS_DISPUTED 0x02u /**< reconcile leaves it out */
/** Brought in from an older system: `total` is what is still open there. It is a document of its own kind in reports:
 *  neither sold nor billed here. Not with #CRD_INVOICE_AS_DRAFT. */
#define CRD_INVOICE_AS_OPENING 0x04u

/** A line of an invoice or a credit memo, as it is entered. Quantities and amounts are positive on both; those of a
 *  credit memo are stored negated. */
typedef struct crd_line_terms {
    uint32_t struct_size;
    uint32_t reserved;
    const char *sku;    /**< what was sold: the host's own number; NULL: none */
    const char *text;   /**< in words; NULL: none */
    int64_t quantity;   /**< thousandths, at least 1 */
    int64_t unit_price; /**< thousandths of a minor unit; information, the amount decides */
    int64_t amount;     /**< minor units, at least 0 */
    int64_t tax;        /**< contained in amount */
    const char *origin; /**< of a return: "invoice/number" of the line that comes back; else free text or NULL */
} crd_line_terms;

#define CRD_INVOICE_APPLY 0x10000u    /**< let it take open credit when it is posted, whatever customer and ledger are set to */
#define CRD_INVOICE_NO_APPLY 0x20000u /**< do not */

/** What an invoice is entered with. Zero and NULL leave a term out. */
typedef struct crd_invoice_terms {
    uint32_t struct_size;
    uint32_t kind;        /**< CRD_INVOICE_INVOICE, FINANCE_CHARGE, DEBIT_MEMO or FEE. Required */
    const char *currency; /**< required */
    const char *id;       /**< NULL: the library derives one */
    int64_t total;        /**< minor units, 0 to #CRD_MAX_AMOUNT */
    uint32_t flags;       /**< CRD_INVOICE_AS_…; CRD_INVOICE_APPLY or CRD_INVOICE_NO_APPLY */
    int32_t due;          /**< 0: none */
    int64_t tax;          /**< contained in total */
    const char *reference;
    const char *text; /**< shown to the customer */
    const crd_line_terms *const *lines; /**< numbered from 1; NULL: none. Their amounts sum to the total */
    uint64_t line_count;
    int64_t opening_total; /**< with CRD_INVOICE_AS_OPENING: its total in the older system; information only */
    int64_t opening_used;  /**< and what of it was settled there */
} crd_invoice_terms;

/**
 * Enters an invoice, sent or as a draft, dated the request's business date. With auto-apply (the flags, else the
 * customer's switches, else the ledger's setting) one that is sent takes the usable credit that is not reserved, in the
 * order of a reconcile and in the same commit. @memberof crd_invoice
 * @return #CRD_OK; #CRD_E_NOT_FOUND for the customer; #CRD_E_EXISTS; #CRD_E_CURRENCY; #CRD_E_CLOSED;
 *         #CRD_E_OVERFLOW; #CRD_E_ARGUMENT naming the field; and what a command may return
 */
CRD_API crd_status CRD_CALL crd_invoice_enter(crd_ledger *ledger, const crd_request *request, const char *customer,
                                              const crd_invoice_terms *terms, crd_invoice **out);

/** Finds an invoice by its id. @return #CRD_OK; #CRD_E_NOT_FOUND; #CRD_E_ARGUMENT; #CRD_E_STORAGE; #CRD_E_NOMEM */
CRD_API crd_status CRD_CALL crd_invoice_find(crd_ledger *ledger, const char *customer, const char *id,
                                             crd_invoice **out);

/** The record, valid until the next call on its ledger. Never NULL for a handle. */
CRD_API const crd_invoice_record *CRD_CALL crd_invoice_get(const crd_invoice *invoice);

/** Reads the latest figures; as crd_credit_refresh(). */
CRD_API crd_status CRD_CALL crd_invoice_refresh(crd_invoice *invoice);

/** Frees the handle, as crd_credit_free(). NULL is allowed. */
CRD_API void CRD_CALL crd_invoice_free(crd_invoice *invoice);

/**
 * Sends (posts) a draft: it is dated the request's business date and owed from then on. Credit allocated to it is
 * applied, oldest allocation first; then auto-apply may pay the rest, as in crd_invoice_enter(). @memberof crd_invoice
 * @param flags  CRD_INVOICE_APPLY or CRD_INVOICE_NO_APPLY, or 0
 * @param out    the total posted; may be NULL
 * @return #CRD_OK; #CRD_E_STATE when it is no draft; #CRD_E_CLOSED; #CRD_E_DATE; and what a command may return
 */
CRD_API crd_status CRD_CALL crd_invoice_send(crd_ledger *ledger, const crd_request *request, crd_invoice *invoice,
                                             uint32_t flags, crd_result *out);

#define CRD_VOID_STRICT 0x01u /**< refuse with #CRD_E_IN_USE while cash is applied to it */

/**
 * Voids an invoice: its write-offs are undone first, then its applications, newest first, which return to their credits;
 * then all of it is cancelled. A draft is cancelled, and what was allocated to it is released, with one date, the latest
 * of all that is touched. @memberof crd_invoice
 * @param flags  CRD_VOID_STRICT
 * @param out    the amount that returned to credits; may be NULL
 * @return #CRD_OK; #CRD_E_STATE when it is Voided, Cancelled or the library's own document; #CRD_E_RETURNED while a
 *         return of it or its reversal stands; #CRD_E_CLOSED when its own date lies in a closed
 *         period (issue a credit memo, or reverse it as its own document); #CRD_E_DATE; #CRD_E_IN_USE;
 *         #CRD_E_TOO_LARGE; and what a command may return
 */
CRD_API crd_status CRD_CALL crd_invoice_void(crd_ledger *ledger, const crd_request *request, crd_invoice *invoice,
                                             uint32_t flags, crd_result *out);

#define CRD_REVISE_DISPUTED 0x01u   /**< it is disputed from now on */
#define CRD_REVISE_UNDISPUTED 0x02u /**< it is disputed no longer */

/** How an invoice is to be. */
typedef struct crd_revise_terms {
    uint32_t struct_size;
    uint32_t flags;  /**< CRD_REVISE_… */
    int64_t total;   /**< the new total, 0 to #CRD_MAX_AMOUNT; with lines, what those sum to that are left */
    int64_t tax;     /**< contained in it */
    int32_t due;     /**< the new due date; 0: as it was */
    uint32_t reserved;
    const int64_t *end_lines; /**< numbers of lines that are no more; NULL: none */
    uint64_t end_line_count;
    const crd_line_terms *const *add_lines; /**< new lines, numbered behind those there are; NULL: none */
    uint64_t add_line_count;
    const char *reason;    /**< why; kept with the entry. NULL: none */
    const char *reference; /**< NULL: as it was */
    const char *text;      /**< NULL: as it was */
} crd_revise_terms;

/**
 * Revises an invoice or draft: a line less, a discount more, another date. When the new total is below what settled it,
 * its write-offs are undone first, then its applications, newest first and of the last one a part, until it fits: what
 * was paid too much is available again on the credit it came from. Of a draft, allocations are released instead,
 * newest first. @memberof crd_invoice
 *
 * Lines that end while at least as much of the same sku (or of no sku and the same text) is added were not removed, only
 * changed.
 *
 * @param out  the amount that went back to credits, and #CRD_WARN_LINE_REMOVED; may be NULL
 * @return #CRD_OK; #CRD_E_NOT_FOUND for a line that is not there (any more); #CRD_E_STATE when it is Voided, Cancelled or
 *         the library's own document; #CRD_E_CLOSED; #CRD_E_DATE; #CRD_E_WINDOW when a line is removed after the day of the
 *         sale and the ledger's line_policy refuses that; #CRD_E_RETURNED below what was returned, of the whole or of a
 *         line, and once it was reversed; #CRD_E_NOTHING when it is as
 *         asked already; #CRD_E_OVERFLOW; #CRD_E_TOO_LARGE; #CRD_E_ARGUMENT naming the field; and what a command may
 *         return
 */
CRD_API crd_status CRD_CALL crd_invoice_revise(crd_ledger *ledger, const crd_request *request, crd_invoice *invoice,
                                               const crd_revise_terms *terms, crd_result *out);

/**
 * Writes off what is open of an invoice, or part of it. crd_undo() of the entry, out's first_seq, takes it back, in whole
 * or part, when money comes in after all. @memberof crd_invoice
 * @param amount  minor units; 0: all that is open
 * @param cause   CRD_CAUSE_WRITTEN_OFF (bad debt; 0 stands for it), CRD_CAUSE_TOLERANCE or CRD_CAUSE_DISCOUNT; the last
 *                two leave the invoice Paid
 * @param out     the amount written off; may be NULL
 * @return #CRD_OK; #CRD_E_STATE when nothing is open; #CRD_E_INVOICE_AMOUNT; #CRD_E_CLOSED; #CRD_E_DATE;
 *         #CRD_E_ARGUMENT; and what a command may return
 */
CRD_API crd_status CRD_CALL crd_invoice_write_off(crd_ledger *ledger, const crd_request *request, crd_invoice *invoice,
                                                  int64_t amount, uint32_t cause, crd_result *out);

CRD_END
#endif
