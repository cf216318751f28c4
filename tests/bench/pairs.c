/*
 * A book to apply in. See pairs.h.
 */
#include "pairs.h"

#include <string.h>

#define UNIT 200 /* accounts filled in one unit */

void bench_fill_pairs(crd_ledger *ledger, uint32_t count) {
    crd_request request = bench_request();
    crd_credit_terms credit;
    crd_invoice_terms invoice;
    memset(&credit, 0, sizeof credit);
    memset(&invoice, 0, sizeof invoice);
    credit.struct_size = sizeof credit;
    credit.kind = CRD_CREDIT_MEMO;
    credit.reason = "return";
    invoice.struct_size = sizeof invoice;
    invoice.kind = CRD_INVOICE_INVOICE;
    credit.currency = invoice.currency = "EUR";
    credit.id = invoice.id = BENCH_PAIR_ID;
    credit.amount = invoice.total = BENCH_PAIR_AMOUNT;
    request.business_date = FIRST_DATE;
    for (uint32_t i = 0; i < count; i++) {
        char customer[16];
        bench_customer(customer, i);
        if (i % UNIT == 0) bench_check(ledger, crd_unit_begin(ledger), "begin");
        bench_check(ledger, crd_customer_add(ledger, &request, customer, NULL, NULL), "customer");
        bench_check(ledger, crd_credit_issue(ledger, &request, customer, &credit, NULL), "issue");
        bench_check(ledger, crd_invoice_enter(ledger, &request, customer, &invoice, NULL), "invoice");
        if (i % UNIT == UNIT - 1 || i == count - 1) bench_check(ledger, crd_unit_commit(ledger), "commit");
    }
}
