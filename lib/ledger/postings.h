/*
 * The walk over postings, for who is inside the library already: without entering it anew, and with the names of
 * accounts at hand.
 */
#ifndef CREDIT_LEDGER_POSTINGS_H
#define CREDIT_LEDGER_POSTINGS_H

#include "ledger/ledger.h"

crd_status crd__postings_open(crd_ledger *ledger, const crd_posting_spec *spec, crd_postings **out);
crd_status crd__postings_next(crd_postings *postings, const crd_posting **out);
const char *crd__postings_account(const crd_postings *postings, uint32_t role);

#endif
