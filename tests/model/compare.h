/*
 * What is looked at after every command, and at the end of a run.
 */
#ifndef MODEL_COMPARE_H
#define MODEL_COMPARE_H

#include "model/drive.h"
#include "support/ties.h"

static void compare_documents(drive *d) {
    int customers = 0;
    int count = read_all(d, CRD_KIND_BIT_ACCOUNT | CRD_KIND_BIT_CUSTOMER | CRD_KIND_BIT_CREDIT | CRD_KIND_BIT_INVOICE |
                         CRD_KIND_BIT_RECEIPT |
                         CRD_KIND_BIT_HOLD, NULL, NULL, 0);
    for (int who = 0; who < WHO; who++) customers += d->m.known[who] > 0;
    SAME(d, "book", "", "number of documents", count,
         customers + d->m.credit_count + d->m.invoice_count + d->m.receipt_count + d->m.hold_count);
    for (int i = 0; i < d->m.credit_count; i++)
        if (d->credits[i] != NULL) same_credit(d, "handle of credit", i, crd_credit_get(d->credits[i]));
    for (int i = 0; i < d->m.invoice_count; i++)
        if (d->invoices[i] != NULL) same_invoice(d, "handle of invoice", i, crd_invoice_get(d->invoices[i]));
}

/* The entries that the model has made since they were last compared, account by account. */
static void compare_new_entries(drive *d) {
    for (int who = 0; who < WHO; who++)
        for (int cur = 0; cur < CUR; cur++) {
            int64_t from = 0;
            int count = 0;
            for (int i = d->seen_events; i < d->m.event_count; i++) {
                if (d->m.events[i].who != who || d->m.events[i].cur != cur) continue;
                if (count++ == 0) from = d->m.events[i].seq;
            }
            if (count > 0)
                SAME(d, who_names[who], cur_names[cur], "number of new entries",
                     read_all(d, CRD_KIND_BIT_ENTRY, who_names[who], cur_names[cur], from), count);
        }
    d->seen_events = d->m.event_count;
}

static void compare_balances(drive *d, int32_t date) {
    for (int who = 0; who < WHO; who++)
        for (int cur = 0; cur < CUR && d->m.known[who]; cur++) {
            crd_balance should = balance_figures(&d->m, who, cur, date), is;
            const char *name = who_names[who];
            memset(&is, 0, sizeof is);
            is.struct_size = sizeof is;
            if (crd_customer_balance(d->w->ledger, name, cur_names[cur], date, &is) != CRD_OK) {
                differ(d, "the balance of %s in %s is refused", name, cur_names[cur]);
                return;
            }
            SAME(d, "balance of", name, "balance", is.balance, should.balance);
            SAME(d, "balance of", name, "outstanding", is.outstanding, should.outstanding);
            SAME(d, "balance of", name, "credit", is.credit, should.credit);
            SAME(d, "balance of", name, "available", is.available, should.available);
            SAME(d, "balance of", name, "unearned", is.unearned, should.unearned);
            SAME(d, "balance of", name, "held", is.held, should.held);
            SAME(d, "balance of", name, "allocated", is.allocated, should.allocated);
            SAME(d, "balance of", name, "active_credits", is.active_credits, should.active_credits);
            SAME(d, "balance of", name, "issued", is.issued, should.issued);
            SAME(d, "balance of", name, "applied", is.applied, should.applied);
        }
}

/* Every identity, and the library's own proof of the book. */
static void compare_identities(drive *d) {
    book *b = world_book(d->w);
    const char *found = book_problem(b);
    if (found != NULL) differ(d, "identity broken: %s", found);
    found = ties_problem(d->w->ledger, b);
    if (found != NULL) differ(d, "postings: %s", found);
    book_free(b);
}

static int32_t CRD_CALL found_finding(void *ctx, const crd_finding *f) {
    differ(ctx, "verify: %s %s entry %lld, %s: %s", f->customer, f->id, (long long)f->seq, f->field, f->message);
    return 0;
}

static void compare_verified(drive *d) {
    crd_verify_spec spec;
    memset(&spec, 0, sizeof spec);
    spec.struct_size = sizeof spec;
    spec.ctx = d;
    spec.found = found_finding;
    if (crd_ledger_verify(d->w->ledger, &spec, NULL) != CRD_OK) differ(d, "the book is not verified");
}

static int moves_money(int type) {
    return type == DO_APPLY || type == DO_VOID_CREDIT || type == DO_UNDO || type == DO_SEND ||
           type == DO_VOID_INVOICE || type == DO_RECONCILE || type == DO_REFUND || type == DO_WRITE_OFF ||
           type == DO_HOLD || type == DO_CAPTURE || type == DO_RELEASE || type == DO_REVISE || type == DO_RECEIPT ||
           type == DO_BOUNCE || type >= DO_TRANSFER;
}

/* One command on both sides. Returns 1 while they agree. */
static int drive_step(drive *d, const command *c) {
    crd_result result = result_block();
    int64_t seq = undo_seq(&d->m, c);
    m_answer should = model_do(&d->m, c);
    crd_status is = send_command(d, c, seq, &result);
    d->answered = should.status;
    if (is != should.status)
        differ(d, "the library says %s (%s), the model %s", crd_status_name(is),
               crd_ledger_error(d->w->ledger)->message, crd_status_name(should.status));
    else if (moves_money(c->type)) SAME(d, "command", "", "result", result.amount, should.amount);
    if (d->difference[0] == '\0') {
        compare_documents(d);
        compare_new_entries(d);
        compare_balances(d, bad_date(c->date) ? DAY(0) : c->date);
    }
    return d->difference[0] == '\0';
}

static int drive_end(drive *d) {
    if (d->difference[0] == '\0') compare_identities(d);
    if (d->difference[0] == '\0') compare_verified(d);
    return d->difference[0] == '\0';
}

#endif
