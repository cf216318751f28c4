/*
 * Auto-apply: what a reconcile of one new document would do, in the unit that makes it, and without a receipt.
 */
#include "ledger/ledger.h"

crd_status crd__check_auto_flags(crd_ledger *ledger, const char *field, uint32_t flags) {
    if ((flags & CRD__AUTO_FLAGS) != CRD__AUTO_FLAGS) return CRD_OK;
    return crd__fail_argument(ledger, field, "asks to apply and not to apply");
}

/* The call decides, else the customer, else the ledger. */
static int auto_apply_wanted(const crd_ledger *ledger, const crd_account_record *account, uint32_t flags) {
    if (flags & CRD__AUTO_FLAGS) return (flags & CRD_ISSUE_APPLY) != 0;
    if (account->switches & CRD_SWITCH_AUTO_APPLY_OFF) return 0;
    return (account->switches & CRD_SWITCH_AUTO_APPLY_ON) != 0 || ledger->settings.auto_apply != 0;
}

/* A side of which nothing is open costs no read. */
static int has_counterpart(const crd__doc *doc) {
    const crd_account_record *account = &doc->account->record;
    if (doc->kind == CRD_KIND_CREDIT) return account->open_invoices > 0;
    return account->open_credits > 0 && ((const crd_invoice_record *)doc->record)->open > 0;
}

crd_status crd__auto_apply(crd__command *command, crd__doc *doc, uint32_t flags) {
    if (!auto_apply_wanted(command->ledger, &doc->account->record, flags) || !has_counterpart(doc)) return CRD_OK;
    return crd__apply_open(command, doc);
}
