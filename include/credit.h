/**
 * @file
 * libcredit: customer credit as a library. This is the one include a user needs.
 *
 * | header                  | what it is about                                                            |
 * | ----------------------- | --------------------------------------------------------------------------- |
 * | <credit/version.h>      | version, export, calling convention                                         |
 * | <credit/status.h>       | status codes, and the error that explains one                               |
 * | <credit/money.h>        | minor units, currencies, text and exact splits                              |
 * | <credit/date.h>         | business dates and instants                                                 |
 * | <credit/record.h>       | the records a ledger consists of, their keys, bytes and hashes              |
 * | <credit/storage.h>      | the two callbacks a host writes; the storage in memory                      |
 * | <credit/ledger.h>       | open and close, the unit of work, undo, verify                              |
 * | <credit/customer.h>     | customers and balances                                                      |
 * | <credit/credits.h>      | credits: issue, apply, void                                                 |
 * | <credit/hold.h>         | credit put aside, for checkout and for orders; the sweep of what expired    |
 * | <credit/invoice.h>      | invoices and orders: enter, send, void                                      |
 * | <credit/receipt.h>      | receipts                                                                    |
 * | <credit/allocate.h>     | who pays what: the pure allocator                                           |
 * | <credit/reconcile.h>    | the reconcile run as a plan                                                 |
 * | <credit/report.h>       | lists, history, open items, aging                                           |
 * | <credit/posting.h>      | postings for a general ledger, and their export                             |
 *
 * <credit/sqlite.h> comes with a library of its own, libcredit-sqlite; <credit/postgres.h> with libcredit-postgres; and
 * <credit/testkit.h>, which tries a host's storage, with libcredit-testkit.
 */
#ifndef CREDIT_H
#define CREDIT_H

#include <credit/allocate.h>
#include <credit/credits.h>
#include <credit/customer.h>
#include <credit/date.h>
#include <credit/hold.h>
#include <credit/invoice.h>
#include <credit/ledger.h>
#include <credit/money.h>
#include <credit/posting.h>
#include <credit/receipt.h>
#include <credit/reconcile.h>
#include <credit/record.h>
#include <credit/report.h>
#include <credit/status.h>
#include <credit/storage.h>
#include <credit/version.h>

#endif
