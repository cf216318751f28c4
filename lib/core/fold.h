/*
 * What a journal entry does to the records: the only place where an amount of a stored record moves.
 *
 * The same function serves a command (fold the new entry into the records, then keep both) and verify (fold the
 * whole journal into nothing, then compare with what is stored). So a record is, by construction, its journal.
 */
#ifndef CREDIT_CORE_FOLD_H
#define CREDIT_CORE_FOLD_H

#include <credit/record.h>

/* The records an entry names; NULL where it names none. For an entry that creates a document (ISSUE, INVOICE, RECEIPT,
 * HOLD, CUSTOMER) the record is the image it carries. For one that changes attributes (CUSTOMER of a customer there is,
 * CREDIT_CHANGE, REVISE) `image` is the record as it is to be, whose attributes, not amounts, are taken over; its texts
 * must live as long as the record. */
typedef struct crd__records {
    crd_account_record *account; /* never NULL */
    crd_customer_record *customer;
    crd_credit_record *credit;
    crd_invoice_record *invoice;
    crd_receipt_record *receipt;
    crd_hold_record *hold;
    const void *image;
} crd__records;

/*
 * Folds an entry into the records and fills the entry's credit_after and invoice_after.
 * CRD_OK; CRD_E_OVERFLOW when a total would leave 64 bits; CRD_E_CORRUPT when an identity of rule M1 would not hold
 * afterwards, the type is unknown or a record it needs is missing. After a failure the records are undefined.
 */
crd_status crd__fold(crd_entry_record *entry, const crd__records *records);

/* Takes over the entry's administration into the account: seq, hash, version, instant. */
void crd__fold_account(const crd_entry_record *entry, crd_account_record *account);

/* 1 when an account's totals are in range and agree among themselves. */
int crd__account_check(const crd_account_record *account);

#endif
