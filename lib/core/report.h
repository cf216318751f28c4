/*
 * What the rules of money say about figures of reports. Pure functions over records.
 */
#ifndef CREDIT_CORE_REPORT_H
#define CREDIT_CORE_REPORT_H

#include <credit/report.h>

/* What of a credit is past its expiry on a date and counts as expired, though the journal does not say so yet: what is
 * neither held nor allocated (rule M7). Date 0: nothing. */
int64_t crd__credit_lapsed(const crd_credit_record *credit, int32_t date);
/* The state that a credit has on a date, swept or not. */
uint32_t crd__credit_state(const crd_credit_record *credit, int32_t date);
/* Applied, without what its own receipt applied (rule M3). */
int64_t crd__credit_applied(const crd_credit_record *credit);

/* The first of `count` ascending bounds that the days overdue do not exceed, or `count`. */
uint64_t crd__aging_bucket(const crd_invoice_record *invoice, int32_t date, const int32_t *days, uint64_t count);
int32_t crd__invoice_due(const crd_invoice_record *invoice);

/* Revenue that an entry recognizes on the cash basis, negative when it takes some back; which of CRD_REVENUE_INVOICES
 * and CRD_REVENUE_FINANCE it is. 0: none (rule M4). */
int64_t crd__revenue(const crd_entry_record *e, const crd_credit_record *credit, const crd_invoice_record *invoice,
                     uint32_t *figure);

/* What an entry moves in a roll-forward of its credit: the figure (CRD_ROLL_...), and the amount to add to it. The
 * figure is CRD_ROLL_FIGURES when it moves none. */
uint32_t crd__roll(const crd_entry_record *e, const crd_credit_record *credit, int64_t *amount);

/* Money that came in (or went out again, negative) with an entry; CRD_TAKINGS_FIGURES and 0 for none. */
uint32_t crd__takings(const crd_entry_record *e, const crd_receipt_record *receipt, int64_t *amount);

#endif
