/*
 * Rule M1 and the totals of an account, recomputed from the documents and from the journal, entry by entry.
 * See book.h.
 */
#include "support/book.h"

#include <check.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static char problem[600];

static const char *say(const char *format, ...) {
    va_list args;
    va_start(args, format);
    vsnprintf(problem, sizeof problem, format, args);
    va_end(args);
    return problem;
}

static int same(const char *a, const char *b) {
    return strcmp(a, b) == 0;
}

/* What the journal says about one document. */
typedef struct journal_sums {
    int64_t applied, outside, by_receipt, refunded, voided, expired, reversed, reversed_own, adjusted, transferred, deleted;
    int64_t written_off, cut, returned, held, allocated, captured, released;
    int64_t last_seq;
    int32_t last_date;
} journal_sums;

typedef enum { CREDIT, INVOICE, RECEIPT, HOLD } side;

static const char *named(const crd_entry_record *e, side which) {
    return which == CREDIT ? e->credit : which == INVOICE ? e->invoice : which == RECEIPT ? e->receipt : e->hold;
}

static void add_credit_side(journal_sums *s, const crd_entry_record *e) {
    int own = (e->flags & CRD_ENTRY_BY_OWN_RECEIPT) != 0;
    switch (e->type) {
    case CRD_ENTRY_APPLY:
    case CRD_ENTRY_UNAPPLY: {
        int64_t amount = e->type == CRD_ENTRY_APPLY ? e->amount : -e->amount;
        s->applied += amount;
        if (e->invoice[0] == '\0') s->outside += amount;
        if (own) s->by_receipt += amount;
        break;
    }
    case CRD_ENTRY_VOID: s->voided += e->amount; break;
    case CRD_ENTRY_EXPIRE: s->expired += e->amount; break;
    case CRD_ENTRY_REVERSE:
        s->reversed += e->amount;
        if (own) s->reversed_own += e->amount;
        break;
    case CRD_ENTRY_DELETE: s->deleted += e->amount; break;
    case CRD_ENTRY_REFUND: s->refunded += e->amount; break;
    case CRD_ENTRY_UNREFUND: s->refunded -= e->amount; break;
    case CRD_ENTRY_ADJUST_PIECE: s->adjusted += e->amount; break;
    case CRD_ENTRY_UNADJUST: s->adjusted -= e->amount; break;
    case CRD_ENTRY_TRANSFER: s->transferred += e->amount; break;
    case CRD_ENTRY_UNTRANSFER: s->transferred -= e->amount; break;
    default: break;
    }
}

/* The image of the hold tells whether it is an allocation: then its entries name the draft. */
static void add_other_sides(journal_sums *s, const crd_entry_record *e) {
    int64_t *aside = e->invoice[0] != '\0' ? &s->allocated : &s->held;
    switch (e->type) {
    case CRD_ENTRY_WRITE_OFF: s->written_off += e->amount; break;
    case CRD_ENTRY_UNWRITE_OFF: s->written_off -= e->amount; break;
    case CRD_ENTRY_CUT: s->cut += e->amount; break;
    case CRD_ENTRY_ISSUE: s->returned += e->amount; break;
    case CRD_ENTRY_VOID:
    case CRD_ENTRY_DELETE: s->returned -= e->amount; break;
    case CRD_ENTRY_HOLD: *aside += e->amount; break;
    case CRD_ENTRY_RELEASE:
    case CRD_ENTRY_LAPSE:
        *aside -= e->amount;
        s->released += e->amount;
        break;
    case CRD_ENTRY_CAPTURE:
        *aside -= e->amount;
        s->captured += e->amount;
        break;
    default: break;
    }
}

static journal_sums add_up(const book *b, const char *customer, const char *currency, side which, const char *id) {
    journal_sums s;
    memset(&s, 0, sizeof s);
    for (size_t i = 0; i < b->count; i++) {
        const crd_entry_record *e = b->items[i].record;
        if (b->items[i].kind != CRD_KIND_ENTRY || !same(e->customer, customer) || !same(e->currency, currency) ||
            !same(named(e, which), id))
            continue;
        add_credit_side(&s, e);
        add_other_sides(&s, e);
        if (e->seq > s.last_seq) s.last_seq = e->seq;
        if (e->business_date > s.last_date) s.last_date = e->business_date;
    }
    return s;
}

/* Lines are numbered without a gap; those that did not end sum to the document, negated on a credit memo (rule M2). */
static const char *lines_problem(const book *b, uint32_t kind, const char *customer, const char *id, uint32_t count,
                                 int64_t amount) {
    int64_t sum = 0, numbers = 0;
    uint32_t found = 0;
    for (size_t n = 0; n < b->count; n++) {
        const crd_line_record *l = b->items[n].record;
        if (b->items[n].kind != CRD_KIND_LINE || l->document_kind != kind || !same(l->customer, customer) ||
            !same(l->id, id))
            continue;
        found++;
        numbers += l->number;
        if (kind == CRD_KIND_CREDIT ? l->amount > 0 || l->quantity >= 0 || l->tax > 0
                                    : l->amount < 0 || l->quantity <= 0 || l->tax < 0)
            return say("line %lld of %s has the wrong sign", (long long)l->number, id);
        if (l->ended_in == 0) sum += l->amount;
    }
    if (found != count || numbers != (int64_t)count * ((int64_t)count + 1) / 2)
        return say("%s has %u lines, not %u", id, found, count);
    if (count > 0 && sum != (kind == CRD_KIND_CREDIT ? -amount : amount))
        return say("the lines of %s sum to %lld, not to %lld", id, (long long)sum, (long long)amount);
    return NULL;
}

/* The tax of the memos that return an invoice, less the shares of what was voided of them: half a unit goes with what is
 * voided. Computed with wide floating point, not with the library's split. */
static const char *returned_tax_problem(const book *b, const crd_invoice_record *i) {
    int64_t sum = 0;
    for (size_t n = 0; n < b->count; n++) {
        const crd_credit_record *c = b->items[n].record;
        if (b->items[n].kind != CRD_KIND_CREDIT || !(c->flags & CRD_FLAG_RETURN) ||
            (c->flags & CRD_FLAG_TRANSFERRED_IN) || !same(c->customer, i->customer) || !same(c->origin, i->id))
            continue;
        sum += c->tax -
               (int64_t)((2 * (long double)c->tax * (long double)(c->voided + c->deleted) + (long double)c->original) /
                         (2 * (long double)c->original));
    }
    if (sum != i->returned_tax)
        return say("invoice %s: returned tax %lld, its memos say %lld", i->id, (long long)i->returned_tax,
                   (long long)sum);
    return NULL;
}

static const char *credit_problem(const book *b, const crd_credit_record *c) {
    journal_sums s = add_up(b, c->customer, c->currency, CREDIT, c->id);
    int64_t gone = c->applied + c->refunded + c->voided + c->reversed + c->expired + c->adjusted + c->transferred +
                   c->deleted;
    const int64_t figures[] = {c->remaining, c->applied, c->refunded, c->voided,      c->reversed, c->expired,
                               c->adjusted,  c->deleted, c->held,     c->transferred, c->allocated};
    for (size_t i = 0; i < sizeof figures / sizeof figures[0]; i++)
        if (figures[i] < 0) return say("credit %s has a negative amount", c->id);
    if (c->original != c->remaining + gone)
        return say("credit %s: original %lld is not remaining %lld + %lld used", c->id, (long long)c->original,
                   (long long)c->remaining, (long long)gone);
    if (c->remaining < c->held + c->allocated) return say("credit %s holds more than remains", c->id);
    if (s.held != c->held || s.allocated != c->allocated)
        return say("credit %s: held %lld, allocated %lld, its journal says %lld, %lld", c->id, (long long)c->held,
                   (long long)c->allocated, (long long)s.held, (long long)s.allocated);
    if (s.applied != c->applied || s.outside != c->applied_outside || s.by_receipt != c->applied_by_receipt)
        return say("credit %s: applied %lld, its journal says %lld", c->id, (long long)c->applied,
                   (long long)s.applied);
    if (s.voided != c->voided || s.expired != c->expired || s.reversed != c->reversed || s.deleted != c->deleted ||
        s.reversed_own != c->reversed_own)
        return say("credit %s: what ended it differs from its journal", c->id);
    if (s.refunded != c->refunded || s.adjusted != c->adjusted || s.transferred != c->transferred)
        return say("credit %s: what left it differs from its journal", c->id);
    if ((c->state == CRD_CREDIT_ACTIVE) != (c->remaining > 0))
        return say("credit %s: state %u with %lld remaining", c->id, c->state, (long long)c->remaining);
    if ((c->cause == CRD_CAUSE_NONE) != (c->state == CRD_CREDIT_ACTIVE))
        return say("credit %s: cause %u in state %u", c->id, c->cause, c->state);
    if (s.last_seq != c->last_seq) return say("credit %s: last entry is not %lld", c->id, (long long)c->last_seq);
    if (s.last_date != c->last_date) return say("credit %s: last date is not %d", c->id, (int)c->last_date);
    return lines_problem(b, CRD_KIND_CREDIT, c->customer, c->id, c->line_count, c->original);
}

static const char *invoice_problem(const book *b, const crd_invoice_record *i) {
    journal_sums s = add_up(b, i->customer, i->currency, INVOICE, i->id);
    int posted = i->state != CRD_INVOICE_DRAFT && i->state != CRD_INVOICE_CANCELLED;
    if (i->open < 0 || i->applied < 0 || i->written_off < 0 || i->cancelled < 0 || i->total < 0 || i->returned < 0)
        return say("invoice %s has a negative amount", i->id);
    if (posted && i->total != i->open + i->applied + i->written_off + i->cancelled)
        return say("invoice %s: total %lld is not open %lld + applied %lld + …", i->id, (long long)i->total,
                   (long long)i->open, (long long)i->applied);
    if (!posted && (i->open != 0 || i->applied != 0)) return say("draft %s counts", i->id);
    if (s.applied != i->applied)
        return say("invoice %s: applied %lld, its journal says %lld", i->id, (long long)i->applied,
                   (long long)s.applied);
    if (s.written_off != i->written_off || s.returned != i->returned || s.allocated != i->allocated)
        return say("invoice %s: written off, returned or allocated differs from its journal", i->id);
    if (i->returned > i->total && posted) return say("invoice %s: more was returned than sold", i->id);
    if (i->allocated > i->total) return say("draft %s: more is allocated than ordered", i->id);
    if ((i->state == CRD_INVOICE_OPEN) != (i->open > 0)) return say("invoice %s: state %u", i->id, i->state);
    if (s.last_seq != i->last_seq) return say("invoice %s: last entry is not %lld", i->id, (long long)i->last_seq);
    if (s.last_date != i->last_date) return say("invoice %s: last date is not %d", i->id, (int)i->last_date);
    if (returned_tax_problem(b, i) != NULL) return problem;
    return lines_problem(b, CRD_KIND_INVOICE, i->customer, i->id, i->line_count, i->total);
}

static const char *receipt_problem(const book *b, const crd_receipt_record *r) {
    journal_sums s = add_up(b, r->customer, r->currency, RECEIPT, r->id);
    if (s.applied != r->applied || s.written_off != r->written_off)
        return say("receipt %s: applied %lld, its journal says %lld", r->id, (long long)r->applied,
                   (long long)s.applied);
    if (r->amount < 0 || r->applied < 0 || r->written_off < 0) return say("receipt %s has a negative amount", r->id);
    if (s.last_seq != r->last_seq) return say("receipt %s: last entry is not %lld", r->id, (long long)r->last_seq);
    return NULL;
}

static const char *hold_problem(const book *b, const crd_hold_record *h) {
    journal_sums s = add_up(b, h->customer, h->currency, HOLD, h->id);
    if (h->amount < 0 || h->captured < 0 || h->released < 0) return say("hold %s has a negative amount", h->id);
    if (s.held + s.allocated != h->amount || s.captured != h->captured || s.released != h->released)
        return say("hold %s: its amounts differ from its journal", h->id);
    if ((h->state == CRD_HOLD_HELD) != (h->amount > 0)) return say("hold %s: state %u", h->id, h->state);
    if (s.last_seq != h->last_seq) return say("hold %s: last entry is not %lld", h->id, (long long)h->last_seq);
    return NULL;
}

static int is_cash(const crd_credit_record *c) {
    if (c->credit_class != CRD_CLASS_OPENING) return c->credit_class == CRD_CLASS_CASH;
    return c->stands_for >= CRD_CREDIT_PAYMENT && c->stands_for <= CRD_CREDIT_UNAPPLIED_CASH;
}

/* Neither what was deleted, nor what came from another customer or an older system, was issued here. */
static int was_issued(const crd_credit_record *c) {
    return !(c->flags & (CRD_FLAG_DELETED | CRD_FLAG_TRANSFERRED_IN)) && c->credit_class != CRD_CLASS_OPENING;
}

static const char *totals_problem(const book *b, const crd_account_record *a) {
    crd_account_record sum;
    memset(&sum, 0, sizeof sum);
    for (size_t n = 0; n < b->count; n++) {
        const crd_credit_record *c = b->items[n].record;
        const crd_invoice_record *i = b->items[n].record;
        if (b->items[n].kind == CRD_KIND_CREDIT && same(c->customer, a->customer) && same(c->currency, a->currency)) {
            sum.open_credits += c->remaining > 0;
            sum.credit_remaining += c->remaining;
            sum.credit_held += c->held;
            sum.credit_allocated += c->allocated;
            if (is_cash(c)) sum.cash_remaining += c->remaining;
            if (was_issued(c)) {
                sum.credits_issued += 1;
                sum.issued += c->original - c->applied_by_receipt - c->reversed_own;
            }
            sum.applied += c->applied - c->applied_by_receipt;
        }
        if (b->items[n].kind == CRD_KIND_INVOICE && same(i->customer, a->customer) &&
            same(i->currency, a->currency)) {
            sum.open_invoices += i->open > 0;
            sum.invoice_open += i->open;
        }
    }
    if (sum.open_credits != a->open_credits || sum.open_invoices != a->open_invoices)
        return say("account %s %s: counts of open documents", a->customer, a->currency);
    if (sum.credit_remaining != a->credit_remaining || sum.invoice_open != a->invoice_open)
        return say("account %s %s: balance %lld - %lld, its documents say %lld - %lld", a->customer, a->currency,
                   (long long)a->invoice_open, (long long)a->credit_remaining, (long long)sum.invoice_open,
                   (long long)sum.credit_remaining);
    if (sum.credit_held != a->credit_held || sum.credit_allocated != a->credit_allocated ||
        sum.cash_remaining != a->cash_remaining)
        return say("account %s %s: held, allocated or cash", a->customer, a->currency);
    if (sum.credits_issued != a->credits_issued || sum.issued != a->issued || sum.applied != a->applied)
        return say("account %s %s: issued or applied", a->customer, a->currency);
    return NULL;
}

static const char *journal_problem(const book *b, const crd_account_record *a) {
    const crd_entry_record *before = NULL;
    int32_t last_date = 0;
    uint8_t hash[32];
    for (int64_t seq = 1; seq <= a->last_seq; seq++) {
        const crd_entry_record *e = book_entry(b, a->customer, a->currency, seq);
        if (e == NULL) return say("account %s %s: entry %lld is missing", a->customer, a->currency, (long long)seq);
        if (e->amount < 0) return say("entry %lld of %s is negative", (long long)seq, a->customer);
        if (before != NULL && e->instant < before->instant)
            return say("entry %lld of %s is earlier than the one before", (long long)seq, a->customer);
        if (crd_entry_hash(e, before != NULL ? before->hash : NULL, hash) != CRD_OK ||
            memcmp(hash, e->hash, sizeof hash) != 0)
            return say("entry %lld of %s does not hash", (long long)seq, a->customer);
        if (e->business_date > last_date) last_date = e->business_date;
        before = e;
    }
    if (last_date != a->last_date) return say("account %s %s: its last date is not %d", a->customer, a->currency, (int)last_date);
    if (book_entry(b, a->customer, a->currency, a->last_seq + 1) != NULL)
        return say("account %s %s has entries behind its last", a->customer, a->currency);
    if (before == NULL || memcmp(before->hash, a->last_hash, 32) != 0 || a->version != crd_entry_version(a->last_hash))
        return say("account %s %s: its version is not its last entry's", a->customer, a->currency);
    return NULL;
}

const char *book_problem(const book *b) {
    for (size_t i = 0; i < b->count; i++) {
        const void *record = b->items[i].record;
        const char *found = NULL;
        switch (b->items[i].kind) {
        case CRD_KIND_ACCOUNT:
            found = totals_problem(b, record);
            if (found == NULL) found = journal_problem(b, record);
            break;
        case CRD_KIND_CREDIT: found = credit_problem(b, record); break;
        case CRD_KIND_INVOICE: found = invoice_problem(b, record); break;
        case CRD_KIND_RECEIPT: found = receipt_problem(b, record); break;
        case CRD_KIND_HOLD: found = hold_problem(b, record); break;
        default: break;
        }
        if (found != NULL) return found;
    }
    return NULL;
}

void book_check(const book *b) {
    const char *found = book_problem(b);
    ck_assert_msg(found == NULL, "identity broken: %s", found);
}
