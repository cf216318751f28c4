/*
 * The library's side of the commands about credits.
 */
#ifndef MODEL_CREDIT_DRIVE_H
#define MODEL_CREDIT_DRIVE_H

#include "model/drive.h"

static crd_status send_transfer(drive *d, const command *c, const crd_request *r, crd_credit *k, crd_result *out) {
    crd_transfer_terms t;
    crd_credit *there = NULL;
    crd_status s;
    memset(&t, 0, sizeof t);
    t.struct_size = sizeof t;
    t.customer = who_names[c->other_who];
    t.amount = c->amount;
    t.id = given(c->made);
    s = crd_credit_transfer(d->w->ledger, r, k, &t, &there, out);
    if (s == CRD_OK && d->m.credit_count > 0) d->credits[d->m.credit_count - 1] = there;
    return s;
}

static crd_status send_with_credit(drive *d, const command *c, const crd_request *r, crd_result *out) {
    crd_credit *k, *own = NULL;
    crd_status s = credit_handle(d, c->who, c->credit, c->fresh, &k, &own);
    if (s == CRD_OK)
        s = c->type == DO_TRANSFER ? send_transfer(d, c, r, k, out)
                                   : crd_credit_delete(d->w->ledger, r, k, c->flags, out);
    crd_credit_free(own);
    return s;
}

static crd_status send_adjust(drive *d, const command *c, const crd_request *r, crd_result *out) {
    crd_adjust_terms t;
    memset(&t, 0, sizeof t);
    t.struct_size = sizeof t;
    t.target = c->amount;
    t.id = given(c->made);
    t.reason = "counted again";
    return crd_credit_adjust(d->w->ledger, r, who_names[c->who], cur_names[c->cur], &t, out);
}

static crd_status send_sweep(drive *d, const command *c, const crd_request *r, crd_result *out) {
    crd_sweep_spec spec;
    crd_sweep_result done;
    crd_status s;
    memset(&spec, 0, sizeof spec);
    memset(&done, 0, sizeof done);
    spec.struct_size = sizeof spec;
    done.struct_size = sizeof done;
    if (c->mode) spec.customer = who_names[c->who];
    s = crd_sweep(d->w->ledger, r, &spec, &done);
    out->amount = (int64_t)(done.expired + done.lapsed);
    if (done.conflicted > 0) differ(d, "the sweep met a conflict");
    return s;
}

static crd_status send_switches(drive *d, const command *c, const crd_request *r) {
    crd_customer *customer = NULL;
    crd_customer_change_terms t;
    crd_status s = crd_customer_find(d->w->ledger, who_names[c->who], &customer);
    memset(&t, 0, sizeof t);
    t.struct_size = sizeof t;
    t.set = c->kind;
    t.clear = c->pays;
    if (s == CRD_OK) s = crd_customer_change(d->w->ledger, r, customer, &t, NULL);
    crd_customer_free(customer);
    return s;
}

/* The results row by row are compared here. */
static crd_status send_bulk(drive *d, const command *c, const crd_request *r, crd_result *out) {
    command commands[BULK_ROWS];
    crd_credit_terms terms[BULK_ROWS];
    crd_bulk_row rows[BULK_ROWS];
    crd_bulk_result results[BULK_ROWS];
    const crd_bulk_row *row_list[BULK_ROWS];
    crd_bulk_result *result_list[BULK_ROWS];
    uint64_t kept = 0;
    crd_status s;
    memset(rows, 0, sizeof rows);
    memset(results, 0, sizeof results);
    for (int i = 0; i < BULK_ROWS; i++) {
        commands[i] = bulk_row(c, i);
        terms[i] = terms_of(&commands[i]);
        rows[i].struct_size = sizeof rows[i];
        rows[i].customer = who_names[commands[i].who];
        rows[i].terms = &terms[i];
        results[i].struct_size = sizeof results[i];
        row_list[i] = &rows[i];
        result_list[i] = &results[i];
    }
    s = crd_credit_issue_many(d->w->ledger, r, row_list, BULK_ROWS, c->mode, result_list, &kept);
    out->amount = (int64_t)kept;
    for (int i = 0; s == CRD_OK && i < BULK_ROWS; i++)
        if (results[i].status != d->m.rows[i])
            differ(d, "row %d: the library says %s, the model %s", i, crd_status_name(results[i].status),
                   crd_status_name(d->m.rows[i]));
    return s;
}

static crd_status send_credit_command(drive *d, const command *c, const crd_request *r, int64_t seq, crd_result *out) {
    switch (c->type) {
    case DO_TRANSFER:
    case DO_DELETE: return send_with_credit(d, c, r, out);
    case DO_ADJUST: return send_adjust(d, c, r, out);
    case DO_SWEEP: return send_sweep(d, c, r, out);
    case DO_SWITCHES: return send_switches(d, c, r);
    case DO_CHANGE_APPLICATION:
        return crd_application_change(d->w->ledger, r, who_names[c->who], cur_names[c->cur], seq, c->amount, out);
    default: return send_bulk(d, c, r, out);
    }
}

#endif
