/*
 * The library's side of the commands in document_commands.h.
 */
#ifndef MODEL_DOCUMENT_DRIVE_H
#define MODEL_DOCUMENT_DRIVE_H

#include "model/drive.h"

static crd_status send_revise(drive *d, const command *c, const crd_request *r, crd_invoice *v, crd_result *out) {
    const int64_t ends = c->line;
    crd_revise_terms t;
    memset(&t, 0, sizeof t);
    t.struct_size = sizeof t;
    t.flags = c->flags;
    t.total = c->amount;
    t.due = c->due;
    t.end_lines = c->line > 0 ? &ends : NULL;
    t.end_line_count = c->line > 0;
    return crd_invoice_revise(d->w->ledger, r, v, &t, out);
}

static crd_status send_return(drive *d, const command *c, const crd_request *r, crd_credit **made) {
    crd_credit_terms t = credit_terms(given(c->credit), c->kind, c->amount);
    crd_line_terms line;
    const crd_line_terms *lines = &line;
    char origin[ID_ROOM + 12];
    t.currency = cur_names[c->cur];
    t.flags = CRD_ISSUE_RETURN;
    t.expires = c->expires;
    t.origin = given(c->invoice);
    memset(&line, 0, sizeof line);
    snprintf(origin, sizeof origin, "%s/%d", c->invoice, c->line);
    line.struct_size = sizeof line;
    line.quantity = c->quantity;
    line.amount = c->amount;
    line.origin = origin;
    t.lines = c->line > 0 ? &lines : NULL;
    t.line_count = c->line > 0;
    return crd_credit_issue(d->w->ledger, r, who_names[c->who], &t, made);
}

static crd_status send_reverse_invoice(drive *d, const command *c, const crd_request *r, crd_invoice *v,
                                       crd_credit **made) {
    crd_invoice_reverse_terms t;
    memset(&t, 0, sizeof t);
    t.struct_size = sizeof t;
    t.id = given(c->credit);
    return crd_invoice_reverse(d->w->ledger, r, v, &t, made);
}

static crd_status send_receipt(drive *d, const command *c, const crd_request *r, crd_result *out) {
    crd_receipt_terms t;
    crd_receipt_line line[MAX_LINES];
    const crd_receipt_line *lines[MAX_LINES];
    crd_credit *own = NULL;
    crd_status s;
    memset(&t, 0, sizeof t);
    memset(line, 0, sizeof line);
    for (int i = 0; i < c->line_count; i++) {
        line[i].struct_size = sizeof line[i];
        line[i].invoice = given(c->lines[i].invoice);
        line[i].credit = given(c->lines[i].credit);
        line[i].amount = c->lines[i].amount;
        line[i].kind = c->lines[i].kind;
        lines[i] = &line[i];
    }
    t.struct_size = sizeof t;
    t.flags = c->flags;
    t.currency = cur_names[c->cur];
    t.id = given(c->receipt);
    t.amount = c->amount;
    t.credit = given(c->credit);
    t.credit_kind = c->kind;
    t.credit_expires = c->expires;
    t.lines = lines;
    t.line_count = (uint64_t)c->line_count;
    s = crd_receipt_enter(d->w->ledger, r, who_names[c->who], &t, NULL, out);
    if (s != CRD_OK || c->amount == 0) return s;
    s = crd_credit_find(d->w->ledger, who_names[c->who], d->m.credits[d->m.credit_count - 1].id, &own);
    if (s == CRD_OK) d->credits[d->m.credit_count - 1] = own;
    return CRD_OK;
}

static crd_status send_bounce(drive *d, const command *c, const crd_request *r, crd_result *out) {
    crd_reverse_terms t;
    crd_receipt *receipt = NULL;
    crd_status s = crd_receipt_find(d->w->ledger, who_names[c->who], c->receipt, &receipt);
    memset(&t, 0, sizeof t);
    t.struct_size = sizeof t;
    t.flags = c->flags;
    t.fee = c->fee;
    t.fee_id = given(c->fee_id);
    t.debit_memo = given(c->invoice);
    if (s == CRD_OK) s = crd_receipt_reverse(d->w->ledger, r, receipt, &t, out);
    crd_receipt_free(receipt);
    return s;
}

static crd_status send_change_customer(drive *d, const command *c, const crd_request *r) {
    crd_customer_change_terms t;
    crd_customer *customer = NULL;
    crd_status s = crd_customer_find(d->w->ledger, who_names[c->who], &customer);
    memset(&t, 0, sizeof t);
    t.struct_size = sizeof t;
    t.name = customer_names[c->kind];
    if (s == CRD_OK && c->fresh == 2) s = crd_customer_refresh(customer);
    if (s == CRD_OK) s = crd_customer_change(d->w->ledger, r, customer, &t, NULL);
    crd_customer_free(customer);
    return s;
}

static crd_status send_document_command(drive *d, const command *c, const crd_request *r, crd_result *out) {
    crd_invoice *v = NULL, *own = NULL;
    crd_credit *made = NULL;
    crd_status s = CRD_OK;
    if (c->type == DO_CHANGE_CUSTOMER) return send_change_customer(d, c, r);
    if (c->type == DO_BOUNCE) return send_bounce(d, c, r, out);
    if (c->type == DO_RECEIPT) return send_receipt(d, c, r, out);
    if (c->type != DO_RETURN) s = invoice_handle(d, c->who, c->invoice, c->fresh, &v, &own);
    if (s == CRD_OK)
        s = c->type == DO_REVISE   ? send_revise(d, c, r, v, out)
            : c->type == DO_RETURN ? send_return(d, c, r, &made)
                                   : send_reverse_invoice(d, c, r, v, &made);
    if (made != NULL) d->credits[d->m.credit_count - 1] = made;
    crd_invoice_free(own);
    return s;
}

#endif
