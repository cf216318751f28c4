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

/** What an invoice is entered with. Zero and NULL leave a term out. */
typedef struct crd_invoice_terms {
    uint32_t struct_size;
    uint32_t kind;        /**< CRD_INVOICE_INVOICE, FINANCE_CHARGE, DEBIT_MEMO or FEE. Required */
    const char *currency; /**< required */
    const char *id;       /**< NULL: the library derives one */
    int64_t total;        /**< minor units, 0 to #CRD_MAX_AMOUNT */
    uint32_t flags;       /**< CRD_INVOICE_AS_DRAFT, CRD_INVOICE_AS_DISPUTED */
    int32_t due;          /**< 0: none */
    int64_t tax;          /**< contained in total */
    const char *reference;
    const char *text; /**< shown to the customer */
} crd_invoice_terms;

/**
 * Enters an invoice, sent or as a draft, dated the request's business date. @memberof crd_invoice
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

/** Frees the handle. NULL is allowed. */
CRD_API void CRD_CALL crd_invoice_free(crd_invoice *invoice);

/**
 * Sends (posts) a draft: it is dated the request's business date and owed from then on. @memberof crd_invoice
 * @return #CRD_OK; #CRD_E_STATE when it is no draft; #CRD_E_CLOSED; #CRD_E_DATE; and what a command may return
 */
CRD_API crd_status CRD_CALL crd_invoice_send(crd_ledger *ledger, const crd_request *request, crd_invoice *invoice,
                                             crd_result *out);

#define CRD_VOID_STRICT 0x01u /**< refuse with #CRD_E_IN_USE while cash is applied to it */

/**
 * Voids an invoice: its applications are undone first, newest first, and return to their credits; the rest is
 * cancelled. A draft is cancelled. @memberof crd_invoice
 * @param flags  CRD_VOID_STRICT
 * @param out    the amount that returned to credits; may be NULL
 * @return #CRD_OK; #CRD_E_STATE when it is Voided or Cancelled; #CRD_E_CLOSED when its own date lies in a closed
 *         period (issue a credit memo, or reverse it as its own document); #CRD_E_DATE; #CRD_E_IN_USE;
 *         #CRD_E_TOO_LARGE; and what a command may return
 */
CRD_API crd_status CRD_CALL crd_invoice_void(crd_ledger *ledger, const crd_request *request, crd_invoice *invoice,
                                             uint32_t flags, crd_result *out);

CRD_END
#endif
