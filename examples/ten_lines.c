#include <credit.h>
#include <stdio.h>

int main(void) {
    crd_memory *memory; crd_ledger *ledger; crd_credit *credit; crd_invoice *invoice;
    crd_request by = {.struct_size = sizeof by, .actor = "till 1", .instant = 1795420417000000};
    crd_credit_terms memo = {.struct_size = sizeof memo, .kind = CRD_CREDIT_MEMO, .currency = "EUR",
                             .amount = 4500, .reason = "two chairs returned"};
    crd_invoice_terms bill = {.struct_size = sizeof bill, .kind = CRD_INVOICE_INVOICE, .currency = "EUR", .total = 12000};
    crd_apply_terms all = {.struct_size = sizeof all, .flags = CRD_APPLY_CLAMP};
    if (crd_memory_new(NULL, &memory)) return 1;
    crd_ledger_options options = {.struct_size = sizeof options, .storage = crd_memory_storage(memory)};
    if (crd_ledger_open(&options, &ledger) || crd_customer_add(ledger, &by, "ACME", NULL, NULL) ||
        crd_credit_issue(ledger, &by, "ACME", &memo, &credit) || crd_invoice_enter(ledger, &by, "ACME", &bill, &invoice) ||
        crd_credit_apply(ledger, &by, credit, invoice, &all, NULL)) return 1;
    printf("ACME still owes %lld cents\n", (long long)crd_invoice_get(invoice)->open);
    crd_credit_free(credit), crd_invoice_free(invoice), crd_ledger_close(ledger), crd_memory_free(memory);
}
