/*
 * Receipts: find, look at, refresh.
 */
#include "ledger/ledger.h"

crd_status crd_receipt_find(crd_ledger *ledger, const char *customer, const char *id, crd_receipt **out) {
    return crd__handle_find(ledger, CRD_KIND_RECEIPT, customer, id, (crd__handle **)(void *)out);
}

const crd_receipt_record *crd_receipt_get(const crd_receipt *receipt) {
    return receipt != NULL ? receipt->handle.doc->record : NULL;
}

crd_status crd_receipt_refresh(crd_receipt *receipt) {
    return crd__handle_refresh(receipt != NULL ? &receipt->handle : NULL);
}

void crd_receipt_free(crd_receipt *receipt) {
    crd__handle_free(receipt != NULL ? &receipt->handle : NULL);
}
