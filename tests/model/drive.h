/*
 * The library's side: a command is sent to a world, and afterwards every stored document, every handle, every new
 * entry and the balances are held against the model. Nothing here ends the test: the first difference is written into
 * `difference`, so that a list of commands can be shortened and run again.
 */
#ifndef MODEL_DRIVE_H
#define MODEL_DRIVE_H

#include "model/reconcile.h"
#include "support/world.h"

#include <stdarg.h>
#include <stdlib.h>

typedef struct drive {
    world *w;
    model m;
    crd_credit *credits[MAX_DOCUMENTS]; /* handles kept since the documents were made */
    crd_invoice *invoices[MAX_DOCUMENTS];
    int seen_events; /* of the model, compared with the journal so far */
    int seen;        /* records counted in this read */
    crd_status answered; /* what the last command was to answer */
    char difference[600]; /* "": none so far */
} drive;

static void differ(drive *d, const char *format, ...) {
    va_list args;
    if (d->difference[0] != '\0') return;
    va_start(args, format);
    vsnprintf(d->difference, sizeof d->difference, format, args);
    va_end(args);
}

static drive *drive_open(int store) {
    drive *d = calloc(1, sizeof *d);
    if (d == NULL) abort();
    d->w = world_open(store);
    return d;
}

static void drive_close(drive *d) {
    for (int i = 0; i < MAX_DOCUMENTS; i++) {
        crd_credit_free(d->credits[i]);
        crd_invoice_free(d->invoices[i]);
    }
    world_close(d->w);
    free(d);
}

/* ---- sending ---- */

static crd_request request_of(const command *c) {
    crd_request r;
    memset(&r, 0, sizeof r);
    r.struct_size = sizeof r;
    r.actor = "clerk";
    r.business_date = c->date;
    r.flags = c->override ? CRD_REQUEST_OVERRIDE_CLOSED : 0;
    r.instant = noon_of(c->at);
    return r;
}

static const char *given(const char *id) {
    return id[0] != '\0' ? id : NULL;
}

static crd_status credit_handle(drive *d, int who, const char *id, int fresh, crd_credit **out, crd_credit **own) {
    int k = who < WHO ? find_m_credit(&d->m, who, id) : -1;
    *own = NULL;
    if (k >= 0 && fresh != 1 && d->credits[k] != NULL) {
        *out = d->credits[k];
        return fresh == 2 ? crd_credit_refresh(d->credits[k]) : CRD_OK;
    }
    *out = NULL;
    crd_status s = crd_credit_find(d->w->ledger, who_names[who], id, own);
    *out = *own;
    return s;
}

static crd_status invoice_handle(drive *d, int who, const char *id, int fresh, crd_invoice **out, crd_invoice **own) {
    int v = who < WHO ? find_m_invoice(&d->m, who, id) : -1;
    *own = NULL;
    if (v >= 0 && fresh != 1 && d->invoices[v] != NULL) {
        *out = d->invoices[v];
        return fresh == 2 ? crd_invoice_refresh(d->invoices[v]) : CRD_OK;
    }
    *out = NULL;
    crd_status s = crd_invoice_find(d->w->ledger, who_names[who], id, own);
    *out = *own;
    return s;
}

static crd_credit_terms terms_of(const command *c) {
    crd_credit_terms t = credit_terms(given(c->credit), c->kind, c->amount);
    t.currency = cur_names[c->cur];
    t.flags = c->flags | c->apply;
    t.stands_for = c->stands_for;
    t.pays_kinds = c->pays;
    t.effective = c->effective;
    t.expires = c->expires;
    t.prefers = given(c->prefers);
    return t;
}

static crd_status send_credit(drive *d, const command *c, const crd_request *r) {
    crd_credit_terms t = terms_of(c);
    crd_credit *out = NULL;
    crd_status s;
    s = crd_credit_issue(d->w->ledger, r, who_names[c->who], &t, &out);
    if (s == CRD_OK && d->m.credit_count > 0) d->credits[d->m.credit_count - 1] = out;
    return s;
}

static crd_status send_invoice_terms(drive *d, const command *c, const crd_request *r) {
    crd_invoice_terms t = invoice_terms(given(c->invoice), c->amount);
    crd_line_terms line[MAX_LINES];
    const crd_line_terms *lines[MAX_LINES];
    crd_invoice *out = NULL;
    crd_status s;
    memset(line, 0, sizeof line);
    for (int i = 0; i < c->line_count; i++) {
        line[i].struct_size = sizeof line[i];
        line[i].quantity = c->lines[i].quantity;
        line[i].amount = c->lines[i].amount;
        lines[i] = &line[i];
    }
    t.currency = cur_names[c->cur];
    t.kind = c->kind;
    t.flags = c->flags | c->apply;
    t.due = c->due;
    t.lines = c->line_count > 0 ? lines : NULL;
    t.line_count = (uint64_t)c->line_count;
    s = crd_invoice_enter(d->w->ledger, r, who_names[c->who], &t, &out);
    if (s == CRD_OK && d->m.invoice_count > 0) d->invoices[d->m.invoice_count - 1] = out;
    return s;
}

static crd_status send_refund(drive *d, const command *c, const crd_request *r, crd_credit *k, crd_result *out) {
    crd_refund_terms t;
    memset(&t, 0, sizeof t);
    t.struct_size = sizeof t;
    t.flags = c->flags;
    t.amount = c->amount;
    return crd_credit_refund(d->w->ledger, r, k, &t, out);
}

static crd_status send_on_credit(drive *d, const command *c, const crd_request *r, crd_result *out) {
    crd_credit *k, *own_k = NULL;
    crd_invoice *v = NULL, *own_v = NULL;
    crd_status s = credit_handle(d, c->who, c->credit, c->fresh, &k, &own_k);
    if (s == CRD_OK && c->type == DO_APPLY && c->invoice[0] != '\0')
        s = invoice_handle(d, c->other_who, c->invoice, c->fresh, &v, &own_v);
    if (s == CRD_OK)
        s = c->type == DO_APPLY    ? try_apply(d->w->ledger, k, v, c->amount, c->flags, r, out)
            : c->type == DO_REFUND ? send_refund(d, c, r, k, out)
                                   : crd_credit_void(d->w->ledger, r, k, c->amount, c->flags, out);
    crd_credit_free(own_k);
    crd_invoice_free(own_v);
    return s;
}

static crd_status send_on_invoice(drive *d, const command *c, const crd_request *r, crd_result *out) {
    crd_invoice *v, *own = NULL;
    crd_status s = invoice_handle(d, c->who, c->invoice, c->fresh, &v, &own);
    if (s == CRD_OK)
        s = c->type == DO_SEND        ? crd_invoice_send(d->w->ledger, r, v, c->apply, out)
            : c->type == DO_WRITE_OFF ? crd_invoice_write_off(d->w->ledger, r, v, c->amount, c->kind, out)
                                      : crd_invoice_void(d->w->ledger, r, v, c->flags, out);
    crd_invoice_free(own);
    return s;
}

static crd_status send_hold(drive *d, const command *c, const crd_request *r, crd_result *out) {
    crd_credit *k, *own_k = NULL;
    crd_invoice *v = NULL, *own_v = NULL;
    crd_hold *made = NULL;
    crd_hold_terms t;
    crd_status s = credit_handle(d, c->who, c->credit, c->fresh, &k, &own_k);
    if (s == CRD_OK && c->invoice[0] != '\0') s = invoice_handle(d, c->other_who, c->invoice, c->fresh, &v, &own_v);
    memset(&t, 0, sizeof t);
    t.struct_size = sizeof t;
    t.flags = c->flags;
    t.id = given(c->hold);
    t.amount = c->amount;
    if (c->lapses != 0) t.lapses_at = noon_of(c->lapses);
    if (s == CRD_OK) s = crd_credit_hold(d->w->ledger, r, k, v, &t, &made);
    if (s == CRD_OK) out->amount = crd_hold_get(made)->amount;
    crd_hold_free(made);
    crd_credit_free(own_k);
    crd_invoice_free(own_v);
    return s;
}

static crd_status send_on_hold(drive *d, const command *c, const crd_request *r, crd_result *out) {
    crd_invoice *v = NULL, *own_v = NULL;
    crd_hold *h = NULL;
    crd_apply_terms t;
    crd_status s = crd_hold_find(d->w->ledger, who_names[c->who], c->hold, &h);
    if (s == CRD_OK && c->invoice[0] != '\0') s = invoice_handle(d, c->other_who, c->invoice, c->fresh, &v, &own_v);
    memset(&t, 0, sizeof t);
    t.struct_size = sizeof t;
    t.flags = c->flags;
    t.amount = c->amount;
    if (s == CRD_OK)
        s = c->type == DO_CAPTURE ? crd_hold_capture(d->w->ledger, r, h, v, &t, out)
                                  : crd_hold_release(d->w->ledger, r, h, c->amount, out);
    crd_hold_free(h);
    crd_invoice_free(own_v);
    return s;
}

static crd_status send_reconcile(drive *d, const command *c, const crd_request *r, crd_result *out) {
    crd_plan_spec spec;
    crd_plan_result done = plan_result_block();
    crd_status s;
    memset(&spec, 0, sizeof spec);
    spec.struct_size = sizeof spec;
    spec.flags = c->flags;
    spec.date = c->date;
    s = crd_reconcile(d->w->ledger, r, &spec, &done);
    out->amount = (int64_t)done.applications;
    if (done.conflicted > 0) differ(d, "reconcile met a conflict");
    return s;
}

static crd_status send_close(drive *d, const command *c) {
    crd_settings s;
    memset(&s, 0, sizeof s);
    s.struct_size = sizeof s;
    s.closed_through = c->date;
    s.feature_off = c->mode & 1;
    s.auto_apply = (c->mode & 2) != 0;
    s.delete_window = (int32_t)c->amount;
    return crd_ledger_configure(d->w->ledger, &s);
}

static crd_status send_document_command(drive *d, const command *c, const crd_request *r, crd_result *out);
static crd_status send_credit_command(drive *d, const command *c, const crd_request *r, int64_t seq, crd_result *out);

/* `seq` of an undo is looked up in the model before it moves. */
static crd_status send_command(drive *d, const command *c, int64_t seq, crd_result *out) {
    crd_request r = request_of(c);
    switch (c->type) {
    case DO_CUSTOMER: return crd_customer_add(d->w->ledger, &r, who_names[c->who], NULL, NULL);
    case DO_CREDIT: return send_credit(d, c, &r);
    case DO_INVOICE: return send_invoice_terms(d, c, &r);
    case DO_APPLY:
    case DO_REFUND:
    case DO_VOID_CREDIT: return send_on_credit(d, c, &r, out);
    case DO_UNDO:
        return crd_undo(d->w->ledger, &r, who_names[c->who], cur_names[c->cur], seq, c->amount, out);
    case DO_SEND:
    case DO_WRITE_OFF:
    case DO_VOID_INVOICE: return send_on_invoice(d, c, &r, out);
    case DO_RECONCILE: return send_reconcile(d, c, &r, out);
    case DO_REVISE:
    case DO_RETURN:
    case DO_REVERSE_INVOICE:
    case DO_RECEIPT:
    case DO_BOUNCE:
    case DO_CHANGE_CUSTOMER: return send_document_command(d, c, &r, out);
    case DO_HOLD: return send_hold(d, c, &r, out);
    case DO_CAPTURE:
    case DO_RELEASE: return send_on_hold(d, c, &r, out);
    case DO_CLOSE: return send_close(d, c);
    default: return send_credit_command(d, c, &r, seq, out);
    }
}

/* ---- holding against the model ---- */

#define SAME(d, what, id, field, is, should)                                                                           \
    do {                                                                                                               \
        if ((int64_t)(is) != (int64_t)(should))                                                                        \
            differ(d, "%s %s: %s is %lld, the model says %lld", what, id, field, (long long)(is),                      \
                   (long long)(should));                                                                              \
    } while (0)

static void same_credit(drive *d, const char *what, int k, const crd_credit_record *c) {
    credit_now n = credit_figures(&d->m, k);
    const m_credit *as = &d->m.credits[k];
    SAME(d, what, c->id, "flags", c->flags,
         as->flags | (n.taken_back ? CRD_FLAG_REVERSED : 0u) | (n.deleted > 0 ? CRD_FLAG_DELETED : 0u));
    SAME(d, what, c->id, "original", c->original, as->original);
    SAME(d, what, c->id, "adjusted", c->adjusted, n.adjusted);
    SAME(d, what, c->id, "transferred", c->transferred, n.transferred);
    SAME(d, what, c->id, "deleted", c->deleted, n.deleted);
    SAME(d, what, c->id, "remaining", c->remaining, n.remaining);
    SAME(d, what, c->id, "applied", c->applied, n.applied);
    SAME(d, what, c->id, "applied_outside", c->applied_outside, n.outside);
    SAME(d, what, c->id, "applied_by_receipt", c->applied_by_receipt, n.by_receipt);
    SAME(d, what, c->id, "reversed_own", c->reversed_own, n.reversed_own);
    SAME(d, what, c->id, "voided", c->voided, n.voided);
    SAME(d, what, c->id, "expired", c->expired, n.expired);
    SAME(d, what, c->id, "reversed", c->reversed, n.reversed);
    SAME(d, what, c->id, "refunded", c->refunded, n.refunded);
    SAME(d, what, c->id, "held", c->held, n.held);
    SAME(d, what, c->id, "allocated", c->allocated, n.allocated);
    SAME(d, what, c->id, "state", c->state, n.state);
    SAME(d, what, c->id, "cause", c->cause, n.cause);
    SAME(d, what, c->id, "class", c->credit_class, class_of(as->kind));
    SAME(d, what, c->id, "issued", c->issued, as->issued);
    SAME(d, what, c->id, "effective", c->effective, as->effective);
    SAME(d, what, c->id, "expires", c->expires, as->expires);
    SAME(d, what, c->id, "last_date", c->last_date, n.last_date);
    SAME(d, what, c->id, "first_seq", c->first_seq, n.first_seq);
    SAME(d, what, c->id, "last_seq", c->last_seq, n.last_seq);
}

static uint32_t invoice_flags(const model *m, int v) {
    invoice_now n = invoice_figures(m, v);
    return (n.as.disputed ? CRD_FLAG_DISPUTED : 0u) | (m->invoices[v].opening ? CRD_FLAG_OPENING : 0u) |
           (m->invoices[v].own ? CRD_FLAG_OWN_DOCUMENT : 0u) | (n.reversed ? CRD_FLAG_REVERSED : 0u);
}

static void same_invoice(drive *d, const char *what, int v, const crd_invoice_record *r) {
    invoice_now n = invoice_figures(&d->m, v);
    SAME(d, what, r->id, "total", r->total, n.as.total);
    SAME(d, what, r->id, "open", r->open, n.open);
    SAME(d, what, r->id, "applied", r->applied, n.applied);
    SAME(d, what, r->id, "cancelled", r->cancelled, n.cancelled);
    SAME(d, what, r->id, "allocated", r->allocated, n.allocated);
    SAME(d, what, r->id, "written_off", r->written_off, n.written_off);
    SAME(d, what, r->id, "state", r->state, n.state);
    SAME(d, what, r->id, "cause", r->cause, n.cause);
    SAME(d, what, r->id, "issued", r->issued, n.issued);
    SAME(d, what, r->id, "due", r->due, n.as.due);
    SAME(d, what, r->id, "returned", r->returned, n.returned);
    SAME(d, what, r->id, "flags", r->flags, invoice_flags(&d->m, v));
    SAME(d, what, r->id, "last_date", r->last_date, n.last_date);
    SAME(d, what, r->id, "first_seq", r->first_seq, n.first_seq);
    SAME(d, what, r->id, "last_seq", r->last_seq, n.last_seq);
}

static void same_receipt(drive *d, const crd_receipt_record *r) {
    for (int i = 0; i < d->m.receipt_count; i++) {
        const m_receipt *as = &d->m.receipts[i];
        receipt_now n = receipt_figures(&d->m, i);
        if (strcmp(who_names[as->who], r->customer) != 0 || strcmp(cur_names[as->cur], r->currency) != 0 ||
            n.first_seq != r->first_seq)
            continue;
        SAME(d, "receipt", r->id, "amount", r->amount, as->amount);
        if (strcmp(as->id, r->id) != 0) differ(d, "receipt %s is called %s in the model", r->id, as->id);
        SAME(d, "receipt", r->id, "applied", r->applied, n.applied);
        SAME(d, "receipt", r->id, "written_off", r->written_off, n.written_off);
        SAME(d, "receipt", r->id, "state", r->state, n.state);
        SAME(d, "receipt", r->id, "last_date", r->last_date, n.last_date);
        SAME(d, "receipt", r->id, "last_seq", r->last_seq, n.last_seq);
        return;
    }
    differ(d, "receipt %s of %s is not in the model", r->id, r->customer);
}

static void same_hold(drive *d, int i, const crd_hold_record *h) {
    hold_now n = hold_figures(&d->m, i);
    SAME(d, "hold", h->id, "amount", h->amount, n.amount);
    SAME(d, "hold", h->id, "captured", h->captured, n.captured);
    SAME(d, "hold", h->id, "released", h->released, n.released);
    SAME(d, "hold", h->id, "state", h->state, n.state);
    SAME(d, "hold", h->id, "last_date", h->last_date, n.last_date);
    SAME(d, "hold", h->id, "first_seq", h->first_seq, n.first_seq);
    SAME(d, "hold", h->id, "last_seq", h->last_seq, n.last_seq);
}

static int who_of(const char *name) {
    int who = 0;
    while (who < WHO && strcmp(who_names[who], name) != 0) who++;
    return who;
}

static int cur_of(const char *name) {
    int cur = 0;
    while (cur < CUR && strcmp(cur_names[cur], name) != 0) cur++;
    return cur;
}

static int same_document_id(int index, const char *model_id, const char *id) {
    return index < 0 ? id[0] == '\0' : strcmp(model_id, id) == 0;
}

static void same_entry(drive *d, const crd_entry_record *e) {
    char name[ID_ROOM + 20];
    int at = find_m_event(&d->m, who_of(e->customer), cur_of(e->currency), e->seq);
    const m_event *as = &d->m.events[at < 0 ? 0 : at];
    snprintf(name, sizeof name, "%s %s %lld", e->customer, e->currency, (long long)e->seq);
    if (at < 0) {
        differ(d, "entry %s (%s) is not in the model", name, crd_entry_name(e->type));
        return;
    }
    SAME(d, "entry", name, "type", e->type, as->type);
    SAME(d, "entry", name, "amount", e->amount, as->amount);
    SAME(d, "entry", name, "date", e->business_date, as->date);
    if (as->cause != CRD_CAUSE_NONE) SAME(d, "entry", name, "cause", e->cause, as->cause);
    if (as->type != CRD_ENTRY_REVISE) SAME(d, "entry", name, "figure_before", e->figure_before, as->figure_before);
    SAME(d, "entry", name, "figure_after", e->figure_after,
         as->type == CRD_ENTRY_REVISE ? as->as.total : as->figure_after);
    if (!same_document_id(as->other, d->m.credits[as->other < 0 ? 0 : as->other].id, e->other_id) ||
        strcmp(e->other_customer, as->other < 0 ? "" : who_names[d->m.credits[as->other].who]) != 0)
        differ(d, "entry %s names %s of %s at the other end", name, e->other_id, e->other_customer);
    SAME(d, "entry", name, "undoes", e->undoes, as->undoes < 0 ? 0 : d->m.events[as->undoes].seq);
    if (!same_document_id(as->credit, d->m.credits[as->credit < 0 ? 0 : as->credit].id, e->credit))
        differ(d, "entry %s names credit %s", name, e->credit);
    if (!same_document_id(as->invoice, d->m.invoices[as->invoice < 0 ? 0 : as->invoice].id, e->invoice))
        differ(d, "entry %s names invoice %s", name, e->invoice);
    if (!same_document_id(as->hold, d->m.holds[as->hold < 0 ? 0 : as->hold].id, e->hold))
        differ(d, "entry %s names hold %s", name, e->hold);
    SAME(d, "entry", name, "by its own receipt", (e->flags & CRD_ENTRY_BY_OWN_RECEIPT) != 0, as->own);
    SAME(d, "entry", name, "instant", e->instant, as->instant);
    if (!same_document_id(as->receipt, d->m.receipts[as->receipt < 0 ? 0 : as->receipt].id, e->receipt))
        differ(d, "entry %s names receipt '%s'", name, e->receipt);
}

static void same_customer(drive *d, const crd_customer_record *r) {
    int who = who_of(r->customer);
    if (who == WHO) {
        differ(d, "customer %s is not in the model", r->customer);
        return;
    }
    SAME(d, "customer", r->customer, "last_seq", r->last_seq, d->m.known[who]);
    SAME(d, "customer", r->customer, "switches", r->switches, d->m.switches[who]);
    if (strcmp(r->name, customer_names[d->m.named[who]]) != 0)
        differ(d, "customer %s is named %s", r->customer, r->name);
}

static int32_t CRD_CALL compare_record(void *sink, uint32_t kind, const void *record) {
    drive *d = sink;
    const crd_credit_record *c = record;
    const crd_invoice_record *v = record;
    const crd_account_record *a = record;
    const crd_hold_record *h = record;
    int at;
    switch (kind) {
    case CRD_KIND_CREDIT:
        at = find_m_credit(&d->m, who_of(c->customer), c->id);
        if (at < 0) differ(d, "credit %s of %s is not in the model", c->id, c->customer);
        else same_credit(d, "stored credit", at, c);
        d->seen++;
        break;
    case CRD_KIND_INVOICE:
        at = find_m_invoice(&d->m, who_of(v->customer), v->id);
        if (at < 0) differ(d, "invoice %s of %s is not in the model", v->id, v->customer);
        else same_invoice(d, "stored invoice", at, v);
        d->seen++;
        break;
    case CRD_KIND_CUSTOMER:
        same_customer(d, record);
        d->seen++;
        break;
    case CRD_KIND_HOLD:
        at = find_m_hold(&d->m, who_of(h->customer), h->id);
        if (at < 0) differ(d, "hold %s of %s is not in the model", h->id, h->customer);
        else same_hold(d, at, h);
        d->seen++;
        break;
    case CRD_KIND_RECEIPT:
        same_receipt(d, record);
        d->seen++;
        break;
    case CRD_KIND_ENTRY:
        same_entry(d, record);
        d->seen++;
        break;
    case CRD_KIND_ACCOUNT:
        if (a->currency[0] != '\0')
            SAME(d, "account", a->customer, "last_seq", a->last_seq,
                 last_seq(&d->m, who_of(a->customer), cur_of(a->currency)));
        break;
    default: break;
    }
    return 0;
}

static int read_all(drive *d, uint32_t kinds, const char *customer, const char *currency, int64_t seq_from) {
    const crd_storage *storage = world_storage(d->w);
    crd_query q;
    crd_read_result result;
    memset(&q, 0, sizeof q);
    q.struct_size = sizeof q;
    q.kinds = kinds;
    q.customer = customer;
    q.currency = currency;
    q.seq_from = seq_from;
    q.proof = 17;
    memset(&result, 0, sizeof result);
    result.struct_size = sizeof result;
    d->seen = 0;
    storage->read(storage->ctx, &q, compare_record, d, &result);
    if (result.outcome != CRD_OUTCOME_DONE) differ(d, "the storage cannot be read");
    return d->seen;
}

#include "model/document_drive.h"
#include "model/credit_drive.h"

#endif
