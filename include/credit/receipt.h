/**
 * @file
 * Receipts: payment events, of any amount including zero. One is entered with its lines by crd_receipt_enter(); a
 * reconcile run makes one zero receipt per customer and currency; a cash credit comes with the receipt that brought it.
 *
 * A receipt entered in error is taken back whole with crd_undo() and its first entry; a payment that bounced is
 * reversed with crd_receipt_reverse(), which also unwinds what became of its money later.
 */
#ifndef CREDIT_RECEIPT_H
#define CREDIT_RECEIPT_H

#include <credit/customer.h>

CRD_BEGIN

/** A handle to a receipt. Free it with crd_receipt_free(). */
typedef struct crd_receipt crd_receipt;

/** Finds a receipt by its id. @return #CRD_OK; #CRD_E_NOT_FOUND; #CRD_E_ARGUMENT; #CRD_E_STORAGE; #CRD_E_NOMEM */
CRD_API crd_status CRD_CALL crd_receipt_find(crd_ledger *ledger, const char *customer, const char *id,
                                             crd_receipt **out);

/** The record, valid until the next call on its ledger. Never NULL for a handle. */
CRD_API const crd_receipt_record *CRD_CALL crd_receipt_get(const crd_receipt *receipt);

/** Reads the latest figures; as crd_credit_refresh(). */
CRD_API crd_status CRD_CALL crd_receipt_refresh(crd_receipt *receipt);

/** Frees the handle, as crd_credit_free(). NULL is allowed. */
CRD_API void CRD_CALL crd_receipt_free(crd_receipt *receipt);

/** @name Kinds of line
 * @{ */
#define CRD_RECEIPT_PAYS 0      /**< pays, or uses a credit */
#define CRD_RECEIPT_DISCOUNT 1  /**< early-payment discount on an invoice this receipt pays: written off with it */
#define CRD_RECEIPT_TOLERANCE 2 /**< a small difference on an invoice this receipt pays: written off with it */
/** @} */

/**
 * A line of a receipt. With an invoice only it pays that invoice, from the credits on the receipt, then from its own
 * money; with a credit only it uses that credit; with both, that credit pays that invoice.
 */
typedef struct crd_receipt_line {
    uint32_t struct_size;
    uint32_t flags;      /**< 0 */
    const char *invoice; /**< id; NULL: none */
    const char *credit;  /**< id; NULL: none */
    int64_t amount;      /**< minor units, ≥ 1 */
    uint32_t kind;       /**< CRD_RECEIPT_PAYS…; a discount or tolerance has an invoice only */
    uint32_t reserved;
} crd_receipt_line;

#define CRD_RECEIPT_DISTRIBUTE 0x01u /**< money the lines leave pays open invoices in the ledger's order */
#define CRD_RECEIPT_EXCESS_TO_CREDIT 0x02u /**< money that is left after that stays as credit */

/** What a receipt is entered with. Zero and NULL leave a term out. */
typedef struct crd_receipt_terms {
    uint32_t struct_size;
    uint32_t flags;           /**< CRD_RECEIPT_DISTRIBUTE, CRD_RECEIPT_EXCESS_TO_CREDIT */
    const char *currency;     /**< required */
    const char *id;           /**< NULL: the library derives one */
    int64_t amount;           /**< money received, 0 to #CRD_MAX_AMOUNT; 0 needs lines */
    const char *method;       /**< NULL: "cash", or "adjustment" when amount is 0 */
    const char *payment_info; /**< check number or free text; needs an amount */
    const char *reference;
    const char *credit;    /**< id of the credit its money becomes; NULL: derived; needs an amount */
    const char *source;    /**< label of that credit; NULL: for a payment "overpayment" if the receipt applied
                                anything, else "prepayment"; for another kind the kind's own */
    uint32_t credit_kind;  /**< CRD_CREDIT_… of class cash; 0: CRD_CREDIT_PAYMENT */
    uint32_t credit_flags; /**< as in crd_credit_issue(): CRD_FLAG_RESERVED, CRD_FLAG_NON_REFUNDABLE; what stays as
                                credit is applied as a new credit is: CRD_ISSUE_APPLY or CRD_ISSUE_NO_APPLY */
    int32_t credit_expires; /**< first date what stays as credit is not usable any more; 0: never */
    uint32_t reserved;
    const crd_receipt_line *const *lines;
    uint64_t line_count;
} crd_receipt_terms;

/**
 * Enters a receipt: money received, what it pays, and credits that pay with it, in one write. @memberof crd_receipt
 *
 * Its money becomes a credit, of which the lines apply what they say. Distribution remaining = amount + credits used −
 * invoices paid must be 0, or is sent to credit on request. Credits used may not exceed invoices paid. Which credit pays
 * which invoice: the pairs that lines name, then the ledger's orders of allocation over the lines; the receipt's own
 * money last. Each application takes the latest date of the receipt, its credit and its invoice.
 *
 * @param customer  an existing customer
 * @param out       receives a handle to the receipt; may be NULL
 * @param result    the amount applied, and the range of entries; its first_seq is what crd_undo() takes; may be NULL
 * @return #CRD_OK; #CRD_E_NOT_FOUND for the customer or a document named; #CRD_E_EXISTS for a receipt or credit id that
 *         was ever used; #CRD_E_CURRENCY; #CRD_E_STATE for a credit that is not Active or an invoice that is not Open;
 *         #CRD_E_CLOSED; #CRD_E_EXPIRED and #CRD_E_RESTRICTED for a credit that may not pay what it is to pay;
 *         #CRD_E_CREDIT_AMOUNT and #CRD_E_INVOICE_AMOUNT when the lines of one document ask for more than it has;
 *         #CRD_E_DISTRIBUTION with what remains as `given`; #CRD_E_NOTHING for a discount on an invoice that the receipt
 *         does not pay; #CRD_E_OVERFLOW; #CRD_E_TOO_LARGE; #CRD_E_ARGUMENT naming the field; and what a command may return
 */
CRD_API crd_status CRD_CALL crd_receipt_enter(crd_ledger *ledger, const crd_request *request, const char *customer,
                                              const crd_receipt_terms *terms, crd_receipt **out, crd_result *result);

#define CRD_REVERSE_STRICT 0x01u /**< refuse with #CRD_E_IN_USE unless its money is where the receipt put it */

/** How to reverse. Zero and NULL leave a term out. */
typedef struct crd_reverse_terms {
    uint32_t struct_size;
    uint32_t flags;         /**< CRD_REVERSE_STRICT */
    int64_t fee;            /**< minor units of a fee, which becomes an open invoice of kind CRD_INVOICE_FEE; 0: none */
    const char *fee_id;     /**< id of that invoice; NULL: derived */
    const char *debit_memo; /**< id of the debit memo, if one is made; NULL: derived */
    const char *reason;     /**< kept with the reversal, and shown on the fee and the debit memo */
} crd_reverse_terms;

/**
 * Reverses a payment, such as a check that bounced (rule M13). @memberof crd_receipt
 *
 * Holds and allocations of its money are released; what its money paid is open again, wherever it went, newest first;
 * write-offs that the receipts concerned made on those invoices are undone; all that is left of the money is taken back.
 * What was refunded or transferred away becomes an open debit memo. What had expired, been voided or adjusted away stays
 * so. Other credits used on the receipt stay applied. Everything takes one date: the latest of all it touches. It works
 * while the feature is off.
 *
 * @param terms  NULL: cascade, without a fee
 * @param out    the amount taken back, and the entries, which name every document touched; may be NULL
 * @return #CRD_OK; #CRD_E_NOTHING when it was reversed before, or brought no money; #CRD_E_STATE when it was undone or
 *         deleted; #CRD_E_EXISTS for a fee or debit memo id that was ever used; #CRD_E_CLOSED; #CRD_E_IN_USE in strict
 *         mode (limit: how much of it is applied by others or outside, refunded, transferred, held or allocated);
 *         #CRD_E_TOO_LARGE; #CRD_E_ARGUMENT; and what a command may return
 */
CRD_API crd_status CRD_CALL crd_receipt_reverse(crd_ledger *ledger, const crd_request *request, crd_receipt *receipt,
                                                const crd_reverse_terms *terms, crd_result *out);

CRD_END
#endif
