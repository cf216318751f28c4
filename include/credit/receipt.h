/**
 * @file
 * Receipts: payment events, of any amount including zero. A reconcile run makes one zero receipt per customer and
 * currency; a cash credit comes with the receipt that brought it. Take one back with crd_undo() and its first entry.
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

/** Frees the handle. NULL is allowed. */
CRD_API void CRD_CALL crd_receipt_free(crd_receipt *receipt);

CRD_END
#endif
