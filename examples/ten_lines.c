#include <credit.h>
#include <stdio.h>

int main(void) {
    crd_memory *memory = NULL;
    crd_ledger *ledger = NULL;
    crd_credit *credit = NULL;
    crd_invoice *invoice = NULL;
    crd_balance owed = {.struct_size = sizeof owed};
    crd_request clerk = {.struct_size = sizeof clerk, .actor = "clerk", .instant = INT64_C(1795420417000000)};
    crd_credit_terms memo = {.struct_size = sizeof memo, .kind = CRD_CREDIT_MEMO, .currency = "EUR",
                             .amount = 4500, .reason = "two chairs returned"};
    crd_invoice_terms bill = {.struct_size = sizeof bill, .kind = CRD_INVOICE_INVOICE, .currency = "EUR",
                              .total = 12000};
    crd_apply_terms all = {.struct_size = sizeof all, .flags = CRD_APPLY_CLAMP};

    if (crd_memory_new(NULL, &memory) != CRD_OK) return 1;
    crd_ledger_options options = {.struct_size = sizeof options, .storage = crd_memory_storage(memory)};
    crd_status s = crd_ledger_open(&options, &ledger);
    if (s == CRD_OK) s = crd_customer_add(ledger, &clerk, "ACME", NULL, NULL);
    if (s == CRD_OK) s = crd_credit_issue(ledger, &clerk, "ACME", &memo, &credit);
    if (s == CRD_OK) s = crd_invoice_enter(ledger, &clerk, "ACME", &bill, &invoice);
    if (s == CRD_OK) s = crd_credit_apply(ledger, &clerk, credit, invoice, &all, NULL);
    if (s == CRD_OK) s = crd_customer_balance(ledger, "ACME", "EUR", crd_invoice_get(invoice)->issued, &owed);
    if (s == CRD_OK) printf("ACME owes %lld cents\n", (long long)owed.balance);
    else fprintf(stderr, "%s\n", crd_ledger_error(ledger)->message);
    crd_credit_free(credit), crd_invoice_free(invoice);
    crd_ledger_close(ledger), crd_memory_free(memory);
    return s != CRD_OK;
}
