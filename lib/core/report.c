/*
 * Figures of reports, as the rules of money define them (rules M3, M4, M7; R79, R80). See report.h.
 */
#include "core/report.h"

#include "core/decide.h"

#include <stddef.h>

int64_t crd__credit_lapsed(const crd_credit_record *credit, int32_t date) {
    if (date == CRD_DATE_NONE || credit->expires == 0 || date < credit->expires) return 0;
    return crd__credit_available(credit);
}

uint32_t crd__credit_state(const crd_credit_record *credit, int32_t date) {
    int64_t lapsed = crd__credit_lapsed(credit, date);
    return lapsed > 0 && lapsed == credit->remaining ? CRD_CREDIT_VOIDED : credit->state;
}

int64_t crd__credit_applied(const crd_credit_record *credit) {
    return credit->applied - credit->applied_by_receipt;
}

int32_t crd__invoice_due(const crd_invoice_record *invoice) {
    return invoice->due != 0 ? invoice->due : invoice->issued;
}

uint64_t crd__aging_bucket(const crd_invoice_record *invoice, int32_t date, const int32_t *days, uint64_t count) {
    int64_t overdue = (int64_t)date - crd__invoice_due(invoice);
    uint64_t low = 0, high = count;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        if (days[middle] < overdue)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

int64_t crd__revenue(const crd_entry_record *e, const crd_credit_record *credit, const crd_invoice_record *invoice,
                     uint32_t *figure) {
    if ((e->type != CRD_ENTRY_APPLY && e->type != CRD_ENTRY_UNAPPLY) || credit == NULL || invoice == NULL) return 0;
    if (crd__credit_counts_as(credit) != CRD_CLASS_CASH) return 0;
    if (invoice->kind == CRD_INVOICE_DEBIT_MEMO && (invoice->flags & CRD_FLAG_OWN_DOCUMENT)) return 0;
    *figure = invoice->kind == CRD_INVOICE_FINANCE_CHARGE ? CRD_REVENUE_FINANCE : CRD_REVENUE_INVOICES;
    return e->type == CRD_ENTRY_APPLY ? e->amount : -e->amount;
}

/* What a payment's own receipt applies was never credit, nor what a reversal frees of it: both count as not issued. */
uint32_t crd__roll(const crd_entry_record *e, const crd_credit_record *credit, int64_t *amount) {
    int own = (e->flags & CRD_ENTRY_BY_OWN_RECEIPT) != 0;
    *amount = e->amount;
    switch (e->type) {
    case CRD_ENTRY_ISSUE:
        *amount = credit->original;
        return credit->credit_class == CRD_CLASS_OPENING || (credit->flags & CRD_FLAG_TRANSFERRED_IN) ? CRD_ROLL_IN
                                                                                                      : CRD_ROLL_ISSUED;
    case CRD_ENTRY_APPLY:
        if (!own) return CRD_ROLL_APPLIED;
        *amount = -e->amount;
        return CRD_ROLL_ISSUED;
    case CRD_ENTRY_UNAPPLY: return own ? CRD_ROLL_ISSUED : CRD_ROLL_RETURNED;
    case CRD_ENTRY_REVERSE:
        if (!own) return CRD_ROLL_REVERSED;
        *amount = -e->amount;
        return CRD_ROLL_ISSUED;
    case CRD_ENTRY_REFUND: return CRD_ROLL_REFUNDED;
    case CRD_ENTRY_VOID: return CRD_ROLL_VOIDED;
    case CRD_ENTRY_EXPIRE: return CRD_ROLL_EXPIRED;
    case CRD_ENTRY_ADJUST_PIECE: return CRD_ROLL_ADJUSTED;
    case CRD_ENTRY_TRANSFER: return CRD_ROLL_OUT;
    case CRD_ENTRY_UNREFUND:
    case CRD_ENTRY_UNADJUST:
    case CRD_ENTRY_UNTRANSFER: return CRD_ROLL_RETURNED;
    default: return CRD_ROLL_FIGURES;
    }
}

/* A receipt that was undone whole gave its money back, as one that bounced (rule M17). */
uint32_t crd__takings(const crd_entry_record *e, const crd_receipt_record *receipt, int64_t *amount) {
    int64_t received = receipt != NULL && !(receipt->flags & CRD_FLAG_OPENING) ? receipt->amount : 0;
    *amount = 0;
    switch (e->type) {
    case CRD_ENTRY_RECEIPT: *amount = received; return CRD_TAKINGS_RECEIVED;
    case CRD_ENTRY_RECEIPT_UNDO:
    case CRD_ENTRY_RECEIPT_REVERSE: *amount = -received; return CRD_TAKINGS_REVERSED;
    case CRD_ENTRY_REFUND: *amount = -e->amount; return CRD_TAKINGS_REFUNDED;
    case CRD_ENTRY_UNREFUND: *amount = e->amount; return CRD_TAKINGS_REFUNDED;
    default: return CRD_TAKINGS_FIGURES;
    }
}
