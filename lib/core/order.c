/*
 * Who goes first, and who stays out: rule M15 as data. The allocator (allocate.c) only sees the numbers made here.
 */
#include "core/decide.h"

#include <credit/ledger.h>
#include <credit/reconcile.h>

/* What may be lost first is spent first: promise, adjustment, memo, cash. */
static int32_t class_rank(uint32_t credit_class) {
    switch (credit_class) {
    case CRD_CLASS_PROMISE: return 0;
    case CRD_CLASS_ADJUSTMENT: return 1;
    case CRD_CLASS_MEMO: return 2;
    default: return 3;
    }
}

int crd__order_known(uint32_t key) {
    return key >= CRD_ORDER_DATE && key <= CRD_ORDER_DUE;
}

int32_t crd__order_credit(uint32_t key, const crd_credit_record *credit) {
    switch (key) {
    case CRD_ORDER_DATE: return credit->issued;
    case CRD_ORDER_PRIORITY: return credit->priority;
    case CRD_ORDER_EXPIRY: return credit->expires != 0 ? credit->expires : INT32_MAX;
    case CRD_ORDER_CLASS: return class_rank(crd__credit_counts_as(credit));
    case CRD_ORDER_KIND: return (int32_t)(credit->stands_for != 0 ? credit->stands_for : credit->kind);
    case CRD_ORDER_EFFECTIVE: return credit->effective;
    default: return 0;
    }
}

int32_t crd__order_invoice(uint32_t key, const crd_invoice_record *invoice) {
    switch (key) {
    case CRD_ORDER_DATE: return invoice->issued;
    case CRD_ORDER_KIND: return (int32_t)invoice->kind;
    case CRD_ORDER_FINANCE_CHARGE: return invoice->kind == CRD_INVOICE_FINANCE_CHARGE ? 0 : 1;
    case CRD_ORDER_DUE: return invoice->due != 0 ? invoice->due : invoice->issued;
    default: return 0;
    }
}

uint32_t crd__left_credit(const crd_credit_record *credit, int32_t date, int use_cash) {
    if (credit->issued > date) return CRD_LEFT_LATER;
    if (credit->effective > date) return CRD_LEFT_NOT_EFFECTIVE;
    if (credit->expires != 0 && date >= credit->expires) return CRD_LEFT_EXPIRED;
    if (credit->flags & CRD_FLAG_RESERVED) return CRD_LEFT_RESERVED;
    if (!use_cash && crd__credit_counts_as(credit) == CRD_CLASS_CASH) return CRD_LEFT_CASH;
    if (crd__credit_available(credit) == 0) return CRD_LEFT_HELD;
    return CRD_LEFT_NOTHING;
}

uint32_t crd__left_invoice(const crd_invoice_record *invoice, int32_t date) {
    if (invoice->state == CRD_INVOICE_DRAFT) return CRD_LEFT_DRAFT;
    if (invoice->issued > date) return CRD_LEFT_LATER;
    if (invoice->flags & CRD_FLAG_DISPUTED) return CRD_LEFT_DISPUTED;
    return CRD_LEFT_NOTHING;
}

int64_t crd__tolerated(int64_t open, int64_t paid, int64_t tolerance) {
    int64_t rest = open - paid;
    return paid > 0 && rest > 0 && rest <= tolerance ? rest : 0;
}

const char *crd_left_text(uint32_t reason) {
    static const char *const texts[] = {
        "not left out",    "nothing to match",    "unapplied cash not selected", "reserved",
        "held",            "not yet effective",   "expired",                     "dated later",
        "not yet posted",  "disputed",            "not named",                   "restricted to other invoices",
        "skipped",
    };
    return reason < sizeof texts / sizeof texts[0] ? texts[reason] : "?";
}
