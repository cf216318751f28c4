/*
 * What a journal entry means to a general ledger: rule M17 as one pure function.
 *
 * Terms:
 *   leg   one posting, as role and signed amount: debits positive, credits negative
 *
 * Invariants:
 * 1. The legs of an entry sum to zero.
 * 2. Over the entries of a command the receivable moves as `open` of posted invoices does, and deposits with other
 *    credits as `remaining` of credits does. One entry alone may not: when a refund or transfer of a bounced payment is
 *    undone, the REVERSE that follows posts what the CUT of its debit memo does to the receivable.
 */
#ifndef CREDIT_CORE_POSTING_H
#define CREDIT_CORE_POSTING_H

#include <credit/posting.h>

typedef struct crd__leg {
    uint32_t role;  /* CRD_GL_... */
    uint32_t other; /* 1: of the customer at the other end of a transfer */
    int64_t amount;
} crd__leg;

#define CRD__LEGS 3

/* An entry and what it concerns. The records are as the entry left them; NULL where it names none. */
typedef struct crd__posted {
    const crd_entry_record *entry;
    const crd_credit_record *credit;
    const crd_invoice_record *invoice;
    uint32_t previous;    /* type of the entry before it in the journal, 0 if none */
    int64_t total_before; /* REVISE: of the invoice */
    int64_t tax_before;
    int both_ends; /* the taking end of a transfer posts too */
} crd__posted;

/* Fills `legs`, room for CRD__LEGS, and gives their number: 0 when the entry posts nothing. */
uint32_t crd__post(const crd__posted *posted, crd__leg *legs);

#endif
