/*
 * The general ledger's side of a book (rule M17): the postings of every entry balance, and the accounts they move agree
 * with what the records say, account by account; of receivables and credit also after every command there ever was.
 */
#ifndef TEST_TIES_H
#define TEST_TIES_H

#include <credit.h>

#include "support/book.h"

/* NULL when all agree, else what does not, valid until the next call. */
const char *ties_problem(crd_ledger *ledger, const book *b);

#endif
