/*
 * The state machine of an invoice (rules M1, M5, M9, M12), as decisions. See decide.h for their shape.
 */
#include "core/decide.h"
#include "core/money.h"

#include <stddef.h>

int crd__invoice_check(const crd_invoice_record *i) {
    const int64_t parts[] = {i->open, i->applied, i->written_off, i->cancelled};
    int64_t sum = 0;
    for (size_t n = 0; n < sizeof parts / sizeof parts[0]; n++)
        if (parts[n] < 0 || !crd__add(sum, parts[n], &sum)) return 0;
    if (i->total < 0 || i->allocated < 0 || i->returned < 0 || i->returned_tax < 0 || i->returned_tax > i->returned)
        return 0;
    switch (i->state) {
    case CRD_INVOICE_DRAFT:
    case CRD_INVOICE_CANCELLED: return sum == 0; /* owed only once posted */
    case CRD_INVOICE_OPEN: return sum == i->total && i->open > 0 && i->allocated == 0;
    case CRD_INVOICE_PAID:
    case CRD_INVOICE_WRITTEN_OFF:
    case CRD_INVOICE_VOIDED: return sum == i->total && i->open == 0 && i->allocated == 0;
    default: return 0;
    }
}

static crd_status invoice_refuse_closed(const crd_invoice_record *invoice, const crd__when *when, int32_t date,
                                        crd__refusal *why) {
    return crd__refuse(why, CRD_E_CLOSED, CRD_KIND_INVOICE, invoice->id, when->closed_through, date);
}

crd_status crd__decide_enter(const crd_invoice_record *invoice, const crd__when *when, crd__refusal *why) {
    if (when->date <= when->closed_through) return invoice_refuse_closed(invoice, when, when->date, why);
    return CRD_OK;
}

crd_status crd__decide_send(const crd_invoice_record *invoice, const crd__when *when, crd__decision *out,
                            crd__refusal *why) {
    int32_t date = when->date;
    crd_status status;
    if (invoice->state != CRD_INVOICE_DRAFT)
        return crd__refuse(why, CRD_E_STATE, CRD_KIND_INVOICE, invoice->id, invoice->open, invoice->state);
    status = crd__decide_date(when, CRD_KIND_INVOICE, invoice->id, invoice->last_date, &date, why);
    if (status == CRD_OK) crd__decide_move(out, CRD_ENTRY_SEND, date, invoice->total);
    return status;
}

crd_status crd__decide_may_void(const crd_invoice_record *invoice, const crd__when *when, crd__refusal *why) {
    int32_t date = when->date;
    if (invoice->state == CRD_INVOICE_VOIDED || invoice->state == CRD_INVOICE_CANCELLED ||
        (invoice->flags & CRD_FLAG_OWN_DOCUMENT))
        return crd__refuse(why, CRD_E_STATE, CRD_KIND_INVOICE, invoice->id, invoice->open, invoice->state);
    if (invoice->returned > 0)
        return crd__refuse(why, CRD_E_RETURNED, CRD_KIND_INVOICE, invoice->id, invoice->returned, 0);
    if (invoice->state != CRD_INVOICE_DRAFT && invoice->issued <= when->closed_through) {
        (void)invoice_refuse_closed(invoice, when, invoice->issued, why);
        why->hint = "; issue a credit memo, reverse it as its own document, or write it off";
        return CRD_E_CLOSED;
    }
    return crd__decide_date(when, CRD_KIND_INVOICE, invoice->id, invoice->last_date, &date, why);
}

crd_status crd__decide_invoice_void(const crd_invoice_record *invoice, const crd__when *when, crd__decision *out,
                                    crd__refusal *why) {
    int32_t date = when->date;
    crd_status status = crd__decide_date(when, CRD_KIND_INVOICE, invoice->id, invoice->last_date, &date, why);
    if (status == CRD_OK) crd__decide_move(out, CRD_ENTRY_INVOICE_VOID, date, invoice->open);
    return status;
}
