/*
 * The past: a random book of ten years, with much entered late, dated back.
 *
 * Any report as of a day must be the same as that report on a book in which only what is dated up to that day was ever
 * done; and any report as known at an instant the same as it was when it was taken then. The two books are made by the
 * same commands, so nothing of the library's view of the past is needed to know what is right.
 *
 * CREDIT_TEST_LONG=1 asks for every day of more books.
 */
#include "support/rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COMMANDS 560
#define SPAN 3650 /* days */
#define CREDITS 130
#define INVOICES 90

static const char *const who[] = {"c1", "c2", "c3"};
static const char *const currency[] = {"EUR", "EUR", "JPY"};

enum { CREDIT, INVOICE, APPLY, OUTSIDE, VOID_CREDIT, VOID_INVOICE, SEND, UNDO, HOLD, RELEASE, CAPTURE, REVISE,
       WRITE_OFF, REFUND, TRANSFER, ADJUST, RECEIVE, BOUNCE, RETURN, REVERSE_INVOICE, CHANGE, DELETE, OPS };
#define BIT(op) (1u << (op))
#define MAKES_CREDIT (BIT(CREDIT) | BIT(RECEIVE) | BIT(RETURN)) /* one with a number of its own */

/* One thing to do; it is done on any book that has what it names. What it wrote may be of several days: a cascade takes
 * the latest of all it touches, and what expired or lapsed is entered on its own day (rules M6, M7). */
typedef struct step {
    int op, done, loose;
    int32_t date, first, last;
    int64_t instant;
    int credit, invoice, of; /* documents, and the step that is undone, changed, or made the hold */
    int other;               /* RECEIVE: a credit that pays with it */
    int64_t amount, part;    /* RECEIVE: what its lines pay */
    crd_credit_terms credit_terms;
    crd_invoice_terms invoice_terms;
    int64_t lapses_at;
    char id[16], receipt[16];
} step;

typedef struct story {
    step steps[COMMANDS];
    int count;
    int loose; /* also what looks at more documents than it names, which is what a day cannot be
                * compared by */
    uint64_t state;
} story;

typedef struct stage {
    world *w;
    int64_t seq[COMMANDS]; /* of the first entry that a step made */
    int64_t last_seq[3];   /* of each account */
    int32_t first, last;   /* days of the entries read last */
} stage;

static uint64_t random_below(story *s, uint64_t bound) {
    s->state ^= s->state << 13;
    s->state ^= s->state >> 7;
    s->state ^= s->state << 17;
    return (s->state * UINT64_C(0x2545f4914f6cdd1d) >> 11) % bound;
}

static int is_long(void) {
    const char *asked = getenv("CREDIT_TEST_LONG");
    return asked != NULL && asked[0] != '\0' && strcmp(asked, "0") != 0;
}

/* ---- doing ---- */

static int account_of(const step *s) {
    return s->credit >= 0 ? s->credit % 3 : s->invoice % 3;
}

static crd_status open_invoice(stage *g, const step *s, crd_invoice **out) {
    char name[16];
    snprintf(name, sizeof name, "I%d", s->invoice);
    return crd_invoice_find(g->w->ledger, who[account_of(s)], name, out);
}

static crd_status with_credit(stage *g, const step *s, const crd_request *r, crd_result *out) {
    char name[16];
    crd_credit *k = NULL;
    crd_invoice *v = NULL;
    crd_hold_terms t;
    crd_status status;
    snprintf(name, sizeof name, "K%d", s->credit);
    status = crd_credit_find(g->w->ledger, who[account_of(s)], name, &k);
    if (status == CRD_OK && s->invoice >= 0) status = open_invoice(g, s, &v);
    memset(&t, 0, sizeof t);
    t.struct_size = sizeof t;
    t.flags = CRD_APPLY_CLAMP;
    t.id = s->id;
    t.amount = s->amount;
    t.lapses_at = s->lapses_at;
    if (status == CRD_OK && s->op == VOID_CREDIT) status = crd_credit_void(g->w->ledger, r, k, s->amount, 0, out);
    else if (status == CRD_OK && s->op == HOLD) status = crd_credit_hold(g->w->ledger, r, k, v, &t, NULL);
    else if (status == CRD_OK) status = try_apply(g->w->ledger, k, v, s->amount, CRD_APPLY_CLAMP, r, out);
    crd_credit_free(k);
    crd_invoice_free(v);
    return status;
}

/* Credit of the two customers with euros goes to and fro. */
static crd_status out_of_credit(stage *g, const step *s, const crd_request *r, crd_result *out) {
    char name[16];
    crd_credit *k = NULL;
    crd_refund_terms refund;
    crd_transfer_terms transfer;
    crd_status status;
    snprintf(name, sizeof name, "K%d", s->credit);
    memset(&refund, 0, sizeof refund);
    memset(&transfer, 0, sizeof transfer);
    refund.struct_size = sizeof refund;
    refund.method = "bank";
    transfer.struct_size = sizeof transfer;
    transfer.customer = who[s->credit % 3 == 0 ? 1 : 0];
    transfer.id = s->id;
    status = crd_credit_find(g->w->ledger, who[account_of(s)], name, &k);
    refund.amount = transfer.amount = k != NULL && s->amount > crd_credit_get(k)->remaining ? 0 : s->amount;
    if (status == CRD_OK)
        status = s->op == REFUND ? crd_credit_refund(g->w->ledger, r, k, &refund, out)
                                 : crd_credit_transfer(g->w->ledger, r, k, &transfer, NULL, out);
    crd_credit_free(k);
    return status;
}

static crd_status adjust_credit(stage *g, const step *s, const crd_request *r, crd_result *out) {
    crd_adjust_terms t;
    memset(&t, 0, sizeof t);
    t.struct_size = sizeof t;
    t.target = s->amount * 3;
    t.id = s->id;
    t.reason = "counted again";
    return crd_credit_adjust(g->w->ledger, r, who[account_of(s)], currency[account_of(s)], &t, out);
}

static crd_status with_hold(stage *g, const step *s, const char *id, const crd_request *r, crd_result *out) {
    crd_hold *h = NULL;
    crd_invoice *v = NULL;
    crd_apply_terms t;
    crd_status status = crd_hold_find(g->w->ledger, who[account_of(s)], id, &h);
    memset(&t, 0, sizeof t);
    t.struct_size = sizeof t;
    t.flags = CRD_APPLY_CLAMP;
    t.amount = s->amount;
    if (status == CRD_OK && s->op == CAPTURE && s->invoice >= 0) status = open_invoice(g, s, &v);
    if (status == CRD_OK)
        status = s->op == CAPTURE ? crd_hold_capture(g->w->ledger, r, h, v, &t, out)
                                  : crd_hold_release(g->w->ledger, r, h, 0, out);
    crd_hold_free(h);
    crd_invoice_free(v);
    return status;
}

static crd_status with_invoice(stage *g, const step *s, const crd_request *r, crd_result *out) {
    crd_invoice *v = NULL;
    crd_revise_terms t;
    crd_status status = open_invoice(g, s, &v);
    memset(&t, 0, sizeof t);
    t.struct_size = sizeof t;
    t.total = s->amount;
    if (status == CRD_OK && s->op == SEND) status = crd_invoice_send(g->w->ledger, r, v, 0, out);
    else if (status == CRD_OK && s->op == REVISE) status = crd_invoice_revise(g->w->ledger, r, v, &t, out);
    else if (status == CRD_OK && s->op == WRITE_OFF)
        status = crd_invoice_write_off(g->w->ledger, r, v, s->amount, CRD_CAUSE_TOLERANCE, out);
    else if (status == CRD_OK) status = crd_invoice_void(g->w->ledger, r, v, 0, out);
    crd_invoice_free(v);
    return status;
}

static crd_receipt_line line_of(const char *invoice, const char *credit, int64_t amount, uint32_t kind) {
    crd_receipt_line l;
    memset(&l, 0, sizeof l);
    l.struct_size = sizeof l;
    l.invoice = invoice;
    l.credit = credit;
    l.amount = amount;
    l.kind = kind;
    return l;
}

/* A payment that pays part of an invoice, alone or together with a credit, perhaps with a discount; the rest stays. */
static crd_status receive(stage *g, const step *s, const crd_request *r, crd_result *out) {
    char invoice[16], uses[16];
    crd_receipt_terms t;
    crd_receipt_line pays, with, less;
    const crd_receipt_line *lines[3];
    snprintf(invoice, sizeof invoice, "I%d", s->invoice);
    snprintf(uses, sizeof uses, "K%d", s->other);
    pays = line_of(invoice, NULL, s->part, CRD_RECEIPT_PAYS);
    with = line_of(invoice, uses, 1 + s->part / 3, CRD_RECEIPT_PAYS);
    less = line_of(invoice, NULL, 3, CRD_RECEIPT_DISCOUNT);
    memset(&t, 0, sizeof t);
    t.struct_size = sizeof t;
    t.flags = CRD_RECEIPT_EXCESS_TO_CREDIT | (s->loose ? CRD_RECEIPT_DISTRIBUTE : 0);
    t.currency = currency[account_of(s)];
    t.id = s->receipt;
    t.credit = s->id;
    t.amount = s->amount;
    t.method = "card";
    t.lines = lines;
    lines[t.line_count++] = &pays;
    if (s->other >= 0) lines[t.line_count++] = &with;
    if (s->part % 4 == 0) lines[t.line_count++] = &less;
    return crd_receipt_enter(g->w->ledger, r, who[account_of(s)], &t, NULL, out);
}

static crd_status bounce(stage *g, const step *s, const crd_request *r, crd_result *out) {
    char name[16], fee[16], memo_id[16];
    crd_receipt *receipt = NULL;
    crd_reverse_terms t;
    crd_status status;
    snprintf(name, sizeof name, "R%d", s->credit);
    snprintf(fee, sizeof fee, "F%d", s->credit);
    snprintf(memo_id, sizeof memo_id, "D%d", s->credit);
    memset(&t, 0, sizeof t);
    t.struct_size = sizeof t;
    t.fee = s->amount % 2 == 0 ? 0 : 15;
    if (t.fee != 0) t.fee_id = fee;
    t.debit_memo = memo_id;
    t.reason = "no cover";
    status = crd_receipt_find(g->w->ledger, who[account_of(s)], name, &receipt);
    if (status == CRD_OK) status = crd_receipt_reverse(g->w->ledger, r, receipt, &t, out);
    crd_receipt_free(receipt);
    return status;
}

static crd_status delete_credit(stage *g, const step *s, const crd_request *r, crd_result *out) {
    char name[16];
    crd_credit *k = NULL;
    crd_status status;
    snprintf(name, sizeof name, "K%d", s->credit);
    status = crd_credit_find(g->w->ledger, who[account_of(s)], name, &k);
    if (status == CRD_OK) status = crd_credit_delete(g->w->ledger, r, k, s->loose ? CRD_DELETE_CASCADE : 0, out);
    crd_credit_free(k);
    return status;
}

static crd_status reverse_invoice(stage *g, const step *s, const crd_request *r) {
    crd_invoice *v = NULL;
    crd_invoice_reverse_terms t;
    crd_status status = open_invoice(g, s, &v);
    memset(&t, 0, sizeof t);
    t.struct_size = sizeof t;
    t.id = s->id;
    if (status == CRD_OK) status = crd_invoice_reverse(g->w->ledger, r, v, &t, NULL);
    crd_invoice_free(v);
    return status;
}

static crd_status return_goods(stage *g, step *s, const crd_request *r) {
    char origin[16];
    snprintf(origin, sizeof origin, "I%d", s->invoice);
    s->credit_terms.id = s->id;
    s->credit_terms.origin = origin;
    return crd_credit_issue(g->w->ledger, r, who[account_of(s)], &s->credit_terms, NULL);
}

static int32_t CRD_CALL see_entry(void *sink, uint32_t kind, const void *record) {
    stage *g = sink;
    const crd_entry_record *e = record;
    if (kind != CRD_KIND_ENTRY) return 0;
    for (int n = 0; n < 3; n++)
        if (strcmp(who[n], e->customer) == 0 && e->seq > g->last_seq[n]) g->last_seq[n] = e->seq;
    if (g->first == 0 || e->business_date < g->first) g->first = e->business_date;
    if (e->business_date > g->last) g->last = e->business_date;
    return 0;
}

/* The days of what was written since this was asked before. */
static void read_days(stage *g, step *t) {
    const crd_storage *storage = world_storage(g->w);
    g->first = g->last = 0;
    for (int n = 0; n < 3; n++) {
        crd_query q;
        crd_read_result result;
        memset(&q, 0, sizeof q);
        q.struct_size = sizeof q;
        q.kinds = CRD_KIND_BIT_ENTRY;
        q.customer = who[n];
        q.currency = currency[n];
        q.seq_from = g->last_seq[n] + 1;
        q.proof = 5;
        memset(&result, 0, sizeof result);
        result.struct_size = sizeof result;
        storage->read(storage->ctx, &q, see_entry, g, &result);
        ck_assert_int_eq(result.outcome, CRD_OUTCOME_DONE);
    }
    t->first = g->first;
    t->last = g->last;
}

static crd_status do_step(stage *g, story *s, int at) {
    step *t = &s->steps[at];
    crd_request r;
    crd_result out = result_block();
    const char *customer = who[account_of(t)];
    crd_status status;
    memset(&r, 0, sizeof r);
    r.struct_size = sizeof r;
    r.actor = "clerk";
    r.note = "a note of the house";
    r.business_date = t->date;
    r.instant = t->instant;
    switch (t->op) {
    case CREDIT:
        t->credit_terms.id = t->id;
        if (t->credit_terms.receipt != NULL) t->credit_terms.receipt = t->receipt;
        status = crd_credit_issue(g->w->ledger, &r, customer, &t->credit_terms, NULL);
        break;
    case INVOICE:
        t->invoice_terms.id = t->id;
        status = crd_invoice_enter(g->w->ledger, &r, customer, &t->invoice_terms, NULL);
        break;
    case VOID_INVOICE:
    case REVISE:
    case WRITE_OFF:
    case SEND: status = with_invoice(g, t, &r, &out); break;
    case REFUND:
    case TRANSFER: status = out_of_credit(g, t, &r, &out); break;
    case ADJUST: status = adjust_credit(g, t, &r, &out); break;
    case RELEASE:
    case CAPTURE: status = with_hold(g, t, s->steps[t->of].id, &r, &out); break;
    case RECEIVE: status = receive(g, t, &r, &out); break;
    case BOUNCE: status = bounce(g, t, &r, &out); break;
    case DELETE: status = delete_credit(g, t, &r, &out); break;
    case RETURN: status = return_goods(g, t, &r); break;
    case REVERSE_INVOICE: status = reverse_invoice(g, t, &r); break;
    case CHANGE:
        status = crd_application_change(g->w->ledger, &r, customer, currency[account_of(t)], g->seq[t->of], t->amount,
                                        &out);
        break;
    case UNDO:
        status = crd_undo(g->w->ledger, &r, customer, currency[account_of(t)], g->seq[t->of], t->amount, &out);
        break;
    default: status = with_credit(g, t, &r, &out); break;
    }
    g->seq[at] = t->op == CAPTURE ? out.last_seq : out.first_seq;
    return status;
}

static stage *stage_open(int store) {
    stage *g = calloc(1, sizeof *g);
    if (g == NULL) abort();
    g->w = world_open(store);
    g->w->careless = 1;
    for (int i = 0; i < 3; i++) {
        crd_request r;
        memset(&r, 0, sizeof r);
        r.struct_size = sizeof r;
        r.actor = "clerk";
        r.business_date = DAY(-1000);
        r.instant = INT64_C(86400000000) * DAY(-1);
        OK(g->w, crd_customer_add(g->w->ledger, &r, who[i], NULL, NULL));
    }
    return g;
}

static void stage_close(stage *g) {
    world_close(g->w);
    free(g);
}

/* ---- making up ---- */

static void make_credit(story *s, step *t, int n) {
    static const uint32_t kinds[] = {CRD_CREDIT_MEMO, CRD_CREDIT_GOODWILL, CRD_CREDIT_PREPAYMENT, CRD_CREDIT_DEPOSIT,
                                     CRD_CREDIT_SERVICE, CRD_CREDIT_ADJUSTMENT, CRD_CREDIT_OPENING};
    t->credit = n;
    snprintf(t->id, sizeof t->id, "K%d", n);
    t->credit_terms = credit_terms(t->id, kinds[random_below(s, 7)], 1 + (int64_t)random_below(s, 500));
    if (t->credit_terms.kind == CRD_CREDIT_OPENING)
        t->credit_terms.stands_for = random_below(s, 2) ? CRD_CREDIT_DEPOSIT : CRD_CREDIT_MEMO;
    t->credit_terms.currency = currency[n % 3];
    t->credit_terms.notes = "never to be seen";
    if (t->credit_terms.kind == CRD_CREDIT_PREPAYMENT || t->credit_terms.kind == CRD_CREDIT_DEPOSIT) {
        snprintf(t->receipt, sizeof t->receipt, "R%d", n);
        t->credit_terms.receipt = t->receipt;
        t->credit_terms.method = random_below(s, 2) ? "check" : "card";
        t->credit_terms.payment_info = "no. 4711";
    }
    if (random_below(s, 3) == 0) t->credit_terms.expires = t->date + 1 + (int32_t)random_below(s, 900);
    if (random_below(s, 5) == 0) t->credit_terms.effective = t->date + (int32_t)random_below(s, 30);
    if (t->credit_terms.expires != 0 && t->credit_terms.expires <= t->credit_terms.effective)
        t->credit_terms.expires = t->credit_terms.effective + 5;
}

static void make_invoice(story *s, step *t, int n) {
    t->invoice = n;
    snprintf(t->id, sizeof t->id, "I%d", n);
    t->invoice_terms = invoice_terms(t->id, 1 + (int64_t)random_below(s, 600));
    t->invoice_terms.currency = currency[n % 3];
    t->invoice_terms.due = t->date + (int32_t)random_below(s, 90);
    if (random_below(s, 4) == 0) t->invoice_terms.flags = CRD_INVOICE_AS_DRAFT;
    if (random_below(s, 6) == 0) t->invoice_terms.kind = CRD_INVOICE_FINANCE_CHARGE;
}

/* An earlier step of an operation; −1 when there is none. */
static int earlier(story *s, unsigned ops) {
    for (int tries = 0; tries < 60 && s->count > 0; tries++) {
        int at = (int)random_below(s, (uint64_t)s->count);
        if (s->steps[at].done && (ops >> s->steps[at].op & 1)) return at;
    }
    return -1;
}

/* One of the newest, mostly: there is more to be done with it. */
static int some_of(story *s, int count) {
    uint64_t among = random_below(s, 4) != 0 && count > 15 ? 15 : (uint64_t)count;
    return count - 1 - (int)random_below(s, among);
}

static int some_invoice(story *s, int count, int credit) {
    int invoice = -1;
    for (int tries = 0; tries < 40 && count > 0; tries++) {
        invoice = some_of(s, count);
        if (invoice % 3 == credit % 3) break;
    }
    return invoice;
}

/* The last day of what names one of two documents: nothing directly done to them may be earlier (rule M6). */
static int32_t last_touched(const story *s, int credit, int invoice, int32_t date) {
    for (int i = 0; i < s->count; i++) {
        const step *t = &s->steps[i];
        if (!t->done || t->last <= date) continue;
        if ((credit >= 0 && (t->credit == credit || t->other == credit)) || (invoice >= 0 && t->invoice == invoice))
            date = t->last;
    }
    return date;
}

/* An order, if there is one. */
static int some_draft(story *s, int count, int credit) {
    int invoice = -1;
    for (int tries = 0; tries < 40; tries++) {
        int at = earlier(s, 1u << INVOICE);
        if (at < 0 || (credit >= 0 && s->steps[at].invoice % 3 != credit % 3)) continue;
        invoice = s->steps[at].invoice;
        if (s->steps[at].invoice_terms.flags & CRD_INVOICE_AS_DRAFT) break;
    }
    return invoice >= 0 ? invoice : some_invoice(s, count, credit);
}

/* An adjustment names an account; the credit only tells which. */
static int names_credit(const story *s, const step *t) {
    return t->op != ADJUST && (t->op != UNDO || s->steps[t->of].op != ADJUST);
}

/* 1 when nothing was ever done with a credit but to issue it, nor a balance set in which it counted: then all is as
 * though it had never been when it is deleted. */
static int untouched(const story *s, int credit, int issued_at) {
    for (int i = 0; i < s->count; i++) {
        const step *t = &s->steps[i];
        if (!t->done || i == issued_at) continue;
        if (names_credit(s, t) ? t->credit == credit || t->other == credit
                               : i > issued_at && t->credit % 3 == credit % 3)
            return 0;
    }
    return s->steps[issued_at].op == CREDIT;
}

/* A step of a book in which what was deleted as a mistake never was. */
static int counts(const story *s, int at) {
    const step *t = &s->steps[at];
    for (int i = 0; t->credit >= 0 && names_credit(s, t) && i < s->count; i++)
        if (s->steps[i].done && s->steps[i].op == DELETE && s->steps[i].credit == t->credit) return 0;
    return t->done;
}

/* What follows an earlier step: it is undone, its hold captured, its application changed, its payment bounces. */
static int make_follow_up(story *s, step *t, int invoices) {
    int at = earlier(s, t->op == UNDO     ? BIT(APPLY) | BIT(OUTSIDE) | BIT(CAPTURE) | BIT(WRITE_OFF) | BIT(REFUND) |
                                            BIT(TRANSFER) | BIT(ADJUST) | BIT(RECEIVE)
                        : t->op == CHANGE ? BIT(APPLY)
                        : t->op == BOUNCE ? BIT(CREDIT) | BIT(RECEIVE)
                        : t->op == DELETE ? BIT(CREDIT) | BIT(RECEIVE)
                                          : BIT(HOLD));
    if (at < 0) return 0;
    if (t->op == DELETE && !s->loose && !untouched(s, s->steps[at].credit, at)) return 0;
    t->of = at;
    t->credit = s->steps[at].credit;
    if (t->credit < 0) t->invoice = s->steps[at].invoice;
    if (t->op == CAPTURE && random_below(s, 4) != 0) t->invoice = some_invoice(s, invoices, t->credit);
    if (t->op == CHANGE && t->amount == 0) t->amount = 7;
    if (t->op == DELETE) t->date = s->steps[at].date; /* its window */
    else if (random_below(s, 5) != 0) t->date = last_touched(s, t->credit, t->invoice, t->date);
    return 1;
}

/* A credit of the next number, from a payment or from goods that come back. */
static int make_document(story *s, step *t, int credits, int invoices) {
    if (t->op == INVOICE) {
        if (invoices < INVOICES) make_invoice(s, t, invoices);
        return invoices < INVOICES;
    }
    if (credits == CREDITS || (t->op != CREDIT && invoices == 0)) return 0;
    make_credit(s, t, credits);
    if (t->op == CREDIT) return 1;
    t->invoice = some_invoice(s, invoices, credits);
    snprintf(t->receipt, sizeof t->receipt, "R%d", credits);
    t->amount = 1 + (int64_t)random_below(s, 300);
    t->part = 1 + (int64_t)random_below(s, (uint64_t)t->amount);
    if (t->op == RECEIVE && credits > 3 && random_below(s, 3) == 0) t->other = credits - 3;
    if (t->op == RETURN) {
        t->credit_terms = credit_terms(t->id, CRD_CREDIT_MEMO, t->amount);
        t->credit_terms.currency = currency[credits % 3];
        t->credit_terms.flags = CRD_ISSUE_RETURN;
    }
    t->date = last_touched(s, t->other, t->invoice, t->date);
    return t->invoice % 3 == credits % 3;
}

static int make_step(story *s, step *t) {
    int credits = 0, invoices = 0;
    memset(t, 0, sizeof *t);
    for (int i = 0; i < s->count; i++) {
        credits += (MAKES_CREDIT >> s->steps[i].op & 1) != 0;
        invoices += s->steps[i].op == INVOICE;
    }
    t->credit = t->invoice = t->of = t->other = -1;
    t->loose = s->loose;
    t->date = DAY((int)((uint64_t)s->count * SPAN / COMMANDS));
    t->instant = INT64_C(86400000000) * t->date + (s->count + 1) * INT64_C(1000);
    if (random_below(s, 3) == 0) t->date -= (int32_t)random_below(s, 300);
    if (random_below(s, 6) == 0) t->date += (int32_t)random_below(s, 60);
    t->op = (int)random_below(s, OPS + 10);
    if (t->op >= OPS) t->op = (t->op - OPS) % 4 == 0 ? CREDIT : (t->op - OPS) % 4 == 1 ? INVOICE : APPLY;
    if (t->op == INVOICE || (MAKES_CREDIT >> t->op & 1)) return make_document(s, t, credits, invoices);
    if (random_below(s, 2)) t->amount = 1 + (int64_t)random_below(s, 200);
    if ((BIT(UNDO) | BIT(RELEASE) | BIT(CAPTURE) | BIT(CHANGE) | BIT(BOUNCE) | BIT(DELETE)) >> t->op & 1)
        return make_follow_up(s, t, invoices);
    if (credits == 0 || invoices == 0) return 0;
    t->credit = some_of(s, credits);
    t->invoice = t->op == OUTSIDE || t->op == VOID_CREDIT || t->op == REFUND || t->op == TRANSFER || t->op == ADJUST ||
                         (t->op == HOLD && random_below(s, 2))
                     ? -1
                 : t->op == HOLD || t->op == SEND ? some_draft(s, invoices, t->credit)
                                                  : some_invoice(s, invoices, t->credit);
    if (t->op == HOLD) {
        snprintf(t->id, sizeof t->id, "H%d", s->count);
        if (t->invoice < 0 && random_below(s, 2))
            t->lapses_at = t->instant + INT64_C(86400000000) * (1 + (int64_t)random_below(s, 300));
    }
    if (t->op == TRANSFER || t->op == ADJUST || t->op == REVERSE_INVOICE)
        snprintf(t->id, sizeof t->id, "X%d", s->count);
    if (t->op == VOID_INVOICE || t->op == SEND || t->op == REVISE || t->op == WRITE_OFF || t->op == REVERSE_INVOICE)
        t->credit = -1;
    if (random_below(s, 5) != 0) t->date = last_touched(s, t->credit, t->invoice, t->date);
    return (t->op != VOID_INVOICE && t->op != REVERSE_INVOICE && t->op != ADJUST) || random_below(s, 2) == 0;
}

static int last_day(stage *g, int account) {
    book *b = world_book(g->w);
    int day = book_account(b, who[account], currency[account])->last_date - DAY_ZERO;
    book_free(b);
    return day;
}

static story *story_of(uint64_t seed, int loose) {
    story *s = calloc(1, sizeof *s);
    if (s == NULL) abort();
    s->loose = loose;
    s->state = seed * UINT64_C(0x9e3779b97f4a7c15) + UINT64_C(88172645463325252);
    return s;
}

static void next_step(stage *g, story *s) {
    step *t = &s->steps[s->count];
    while (!make_step(s, t)) {}
    t->done = do_step(g, s, s->count) == CRD_OK;
    if (t->op == CREDIT || t->op == INVOICE) ENDS(g->w->ledger, t->done ? CRD_OK : CRD_E_STATE, CRD_OK);
    read_days(g, t);
    if (t->last == 0) t->done = 0; /* all was as asked already */
    s->count++;
}

static story *make_story(stage *g, uint64_t seed, int loose) {
    story *s = story_of(seed, loose);
    while (s->count < COMMANDS) next_step(g, s);
    return s;
}

/* ---- R62, by date ---- */

/* All journals of a customer. */
static char *history_of(stage *g, int n, int32_t from, int32_t to, int64_t known_at) {
    crd_report_spec spec = report_spec(CRD_REPORT_HISTORY, from, to, known_at);
    spec.customer = who[n];
    spec.kind = CRD_KIND_CUSTOMER;
    return report_text(g->w->ledger, &spec);
}

/* The history is the one report that shows what was deleted as well. */
static void compare_histories(stage *whole, stage *part, const story *s, int day, int from) {
    for (int n = 0; n < 3; n++) {
        char *cut, *only;
        int deleted = 0;
        for (int i = 0; i < s->count; i++)
            deleted |= s->steps[i].done && s->steps[i].op == DELETE && s->steps[i].credit % 3 == n;
        if (deleted) continue;
        cut = history_of(whole, n, DAY(from), DAY(day), 0);
        only = history_of(part, n, DAY(from), DAY(day), 0);
        same_text(cut, only, "history as of a day, and on a book with nothing later", day);
        free(cut);
        free(only);
    }
}

/* 1 when it could be compared: not when a step entered what expired or lapsed on or before the day, and was itself done
 * later. The figures are the same then, but one book says it in the journal and the other does not. */
static int compare_day(stage *whole, story *s, int day, int from) {
    stage *part;
    char *cut, *only;
    int32_t date = DAY(day);
    for (int i = 0; i < s->count; i++)
        if (counts(s, i) && s->steps[i].first <= date && s->steps[i].last > date) return 0;
    part = stage_open(STORE_MEMORY);
    for (int i = 0; i < s->count; i++)
        if (counts(s, i) && s->steps[i].last <= date) ENDS(part->w->ledger, do_step(part, s, i), CRD_OK);
    cut = all_reports(whole->w->ledger, DAY(from), date, 0);
    only = all_reports(part->w->ledger, DAY(from), date, 0);
    same_text(cut, only, "as of a day, and on a book with nothing later", day);
    free(cut);
    free(only);
    compare_histories(whole, part, s, day, from);
    stage_close(part);
    return 1;
}

static int done_of(const story *s, int op) {
    int done = 0;
    for (int i = 0; i < s->count; i++) done += s->steps[i].op == op && s->steps[i].done;
    return done;
}

/* Every day when it is long; else some, and those about the one from which on the accounts stand as they are stored. */
START_TEST(R62_M6_a_report_as_of_a_day_is_that_of_a_book_with_nothing_later) {
    int stride = _i == STORE_MEMORY ? is_long() ? 1 : 131 : is_long() ? 23 : 613;
    int done[OPS] = {0};
    for (uint64_t seed = 1; seed <= (_i == STORE_MEMORY ? 2 : 1); seed++) {
        stage *g = stage_open(_i);
        story *s = make_story(g, seed, 0);
        int days = 0, compared = 0;
        for (int op = 0; op < OPS; op++) done[op] += done_of(s, op);
        world_check(g->w);
        for (int day = -320; day < SPAN + 80; day += stride, days++)
            compared += compare_day(g, s, day, day - day % 90 - 90);
        printf("as of: %d of %d days compared\n", compared, days);
        ck_assert_int_gt(compared, days / 3);
        for (int n = 0; n < 3; n++)
            for (int day = last_day(g, n) - 2; day <= last_day(g, n) + 1; day++) (void)compare_day(g, s, day, day - 40);
        free(s);
        stage_close(g);
    }
    for (int op = 0; op < OPS && _i == STORE_MEMORY; op++)
        ck_assert_msg(done[op] > 0, "operation %d was never done", op);
}
END_TEST

/* ---- R62, by what was known ---- */

typedef struct memory_of {
    int64_t instant;
    int32_t from, to;
    char *text, *histories[3];
} memory_of;

static memory_of take(stage *g, int64_t instant, int32_t from, int32_t to, int64_t known_at) {
    memory_of m;
    m.instant = instant;
    m.from = from;
    m.to = to;
    m.text = all_reports(g->w->ledger, from, to, known_at);
    for (int n = 0; n < 3; n++) m.histories[n] = history_of(g, n, from, to, known_at);
    return m;
}

START_TEST(R62_a_report_as_known_at_an_instant_is_the_one_taken_then) {
    static memory_of taken[COMMANDS];
    int stride = is_long() ? 1 : 13;
    for (uint64_t seed = 11; seed <= (is_long() ? 14 : 11); seed++) {
        stage *g = stage_open(_i);
        story *s = story_of(seed, 1);
        int count = 0;
        while (s->count < COMMANDS) {
            step *t = &s->steps[s->count];
            int32_t to;
            next_step(g, s);
            if (s->count % 40 == 0) {
                crd_plan_spec plan = plan_spec(CRD_PLAN_USE_CASH, 0);
                crd_request r = *on(0);
                plan.date = r.business_date = t->date;
                r.instant = t->instant + 1;
                OK(g->w, crd_reconcile(g->w->ledger, &r, &plan, NULL));
            }
            if (s->count % stride != 0) continue;
            to = DAY((int)random_below(s, SPAN) - 100);
            g->w->now = t->instant + 2;
            taken[count++] = take(g, t->instant + 2, to - (int32_t)random_below(s, 200), to, 0);
        }
        for (int i = 0; i < count; i++) {
            memory_of then = taken[i], now = take(g, then.instant, then.from, then.to, then.instant);
            same_text(now.text, then.text, "as known then, and taken then", i);
            free(now.text);
            free(then.text);
            for (int n = 0; n < 3; n++) {
                same_text(now.histories[n], then.histories[n], "history as known then, and taken then", i);
                free(now.histories[n]);
                free(then.histories[n]);
            }
        }
        free(s);
        stage_close(g);
    }
}
END_TEST

/* ---- figures that must agree with each other, on any day ---- */

static crd_report *opened(crd_ledger *ledger, const crd_report_spec *spec) {
    crd_report *report = NULL;
    ENDS(ledger, crd_report_open(ledger, spec, &report), CRD_OK);
    return report;
}

/* Statement, aging and the account say the same, and a later statement begins where an earlier one ended. */
static void check_statements(stage *g, int32_t from, int32_t to) {
    for (int n = 0; n < 3; n++) {
        crd_report_spec spec = report_spec(CRD_REPORT_STATEMENT, from, to, 0), other;
        crd_report *report, *second;
        const crd_row *row = NULL, *last = NULL;
        int64_t closing = 0, sum = 0, opening = 0;
        int32_t day = 0;
        spec.customer = who[n];
        spec.currency = currency[n];
        report = opened(g->w->ledger, &spec);
        for (int count = 0;; count++) {
            ENDS(g->w->ledger, crd_report_next(report, &row), CRD_OK);
            if (row == NULL) break;
            if (count == 0) {
                ck_assert_uint_eq(row->line, CRD_LINE_OPENING);
                opening = row->balance;
            }
            ck_assert_int_ge(row->date, day);
            day = row->date;
            sum += row->amount;
            ck_assert_int_eq(row->balance, opening + sum);
            if (row->credit != NULL) ck_assert_str_eq(row->credit->notes, "");
            if (row->entry != NULL) ck_assert_str_eq(row->entry->note, "");
            if (row->entry != NULL) ck_assert_ptr_null(row->entry->image);
            closing = row->balance;
            last = row;
        }
        crd_report_close(report);
        other = report_spec(CRD_REPORT_AGING, 0, to, 0);
        other.customer = who[n];
        other.currency = currency[n];
        second = opened(g->w->ledger, &other);
        ENDS(g->w->ledger, crd_report_next(second, &row), CRD_OK);
        ck_assert_int_eq(row != NULL ? row->amount : 0, closing);
        crd_report_close(second);
        if (last == NULL) continue;
        other = report_spec(CRD_REPORT_STATEMENT, 0, from - 1, 0);
        other.customer = who[n];
        other.currency = currency[n];
        second = opened(g->w->ledger, &other);
        closing = 0;
        for (;;) {
            ENDS(g->w->ledger, crd_report_next(second, &row), CRD_OK);
            if (row == NULL) break;
            closing = row->balance;
        }
        crd_report_close(second);
        ck_assert_int_eq(opening, closing);
    }
}

/* One figure of a report, added up over its rows. */
static int64_t sum_of(stage *g, uint32_t which, int32_t from, int32_t to, int figure) {
    crd_report_spec spec = report_spec(which, from, to, 0);
    crd_report *report = opened(g->w->ledger, &spec);
    const crd_row *row = NULL;
    int64_t sum = 0;
    for (;;) {
        ENDS(g->w->ledger, crd_report_next(report, &row), CRD_OK);
        if (row == NULL) break;
        sum += row->figures[figure];
    }
    crd_report_close(report);
    return sum;
}

static void check_roll(stage *g, int32_t from, int32_t to) {
    crd_report_spec spec = report_spec(CRD_REPORT_ROLL_FORWARD, from, to, 0);
    crd_report *report = opened(g->w->ledger, &spec);
    const crd_row *row = NULL;
    int64_t opening = 0, closing = 0;
    for (;;) {
        int64_t sum;
        ENDS(g->w->ledger, crd_report_next(report, &row), CRD_OK);
        if (row == NULL) break;
        ck_assert_uint_eq(row->figure_count, CRD_ROLL_FIGURES);
        sum = row->figures[CRD_ROLL_OPENING] + row->figures[CRD_ROLL_ISSUED] + row->figures[CRD_ROLL_IN] +
              row->figures[CRD_ROLL_RETURNED];
        for (int i = CRD_ROLL_APPLIED; i <= CRD_ROLL_OUT; i++) sum -= row->figures[i];
        ck_assert_int_eq(sum, row->figures[CRD_ROLL_CLOSING]);
        opening += row->figures[CRD_ROLL_OPENING];
        closing += sum;
    }
    crd_report_close(report);
    ck_assert_int_eq(sum_of(g, CRD_REPORT_TOTALS, 0, to, CRD_TOTALS_BALANCE), closing);
    ck_assert_int_eq(sum_of(g, CRD_REPORT_TOTALS, 0, from - 1, CRD_TOTALS_BALANCE), opening);
}

/* What was posted to an account of the general ledger, in the currency of the nth customer. */
static int64_t posted(stage *g, uint32_t role, int n, int32_t from, int32_t to) {
    crd_posting_spec spec;
    crd_postings *postings = NULL;
    const crd_posting *p = NULL;
    int64_t sum = 0;
    memset(&spec, 0, sizeof spec);
    spec.struct_size = sizeof spec;
    spec.currency = currency[n];
    spec.date_from = from;
    spec.date_to = to;
    ENDS(g->w->ledger, crd_postings_open(g->w->ledger, &spec, &postings), CRD_OK);
    for (;;) {
        ENDS(g->w->ledger, crd_postings_next(postings, &p), CRD_OK);
        if (p == NULL) break;
        if (p->role == role) sum += p->amount;
    }
    crd_postings_close(postings);
    return sum;
}

/* The sum of some figures, or buckets, of the rows of one currency; and what has expired unentered. */
static int64_t reported(stage *g, uint32_t which, int n, int32_t from, int32_t to, unsigned figures, int64_t *expired) {
    crd_report_spec spec = report_spec(which, from, to, 0);
    crd_report *report;
    const crd_row *row = NULL;
    int64_t sum = 0;
    spec.currency = currency[n];
    if (which == CRD_REPORT_TAKINGS) spec.by = CRD_BY_METHOD;
    report = opened(g->w->ledger, &spec);
    *expired = 0;
    for (;;) {
        ENDS(g->w->ledger, crd_report_next(report, &row), CRD_OK);
        if (row == NULL) break;
        for (unsigned i = 0; i < 32; i++)
            if (figures >> i & 1) sum += row->buckets != NULL ? row->buckets[i] : row->figures[i];
        *expired += row->expired;
    }
    crd_report_close(report);
    return sum;
}

/* The reports tie to the control accounts: what is open, what remains of credits, what came in and went out. */
static void check_control_accounts(stage *g, int32_t from, int32_t to) {
    for (int n = 1; n < 3; n++) { /* euros, and yen */
        int64_t expired, opening, closing, deposits, credits;
        int64_t open = reported(g, CRD_REPORT_AGING, n, 0, to, 0x1f, &expired);
        int64_t taken = reported(g, CRD_REPORT_TAKINGS, n, from, to, 0x7, &expired), unearned;
        ck_assert_int_eq(open, posted(g, CRD_GL_RECEIVABLE, n, 0, to));
        ck_assert_int_eq(taken, posted(g, CRD_GL_BANK, n, from, to));
        deposits = posted(g, CRD_GL_DEPOSITS, n, 0, to);
        credits = posted(g, CRD_GL_CREDITS, n, 0, to);
        closing = reported(g, CRD_REPORT_ROLL_FORWARD, n, 0, to, BIT(CRD_ROLL_CLOSING), &expired);
        ck_assert_int_eq(closing + expired, -deposits - credits);
        unearned = reported(g, CRD_REPORT_REVENUE, n, 0, to, BIT(CRD_REVENUE_UNEARNED), &expired);
        ck_assert_int_eq(unearned + expired, -deposits);
        deposits = posted(g, CRD_GL_DEPOSITS, n, from, to);
        credits = posted(g, CRD_GL_CREDITS, n, from, to);
        opening = reported(g, CRD_REPORT_ROLL_FORWARD, n, from, to, BIT(CRD_ROLL_OPENING), &expired);
        ck_assert_int_eq(closing - opening + expired, -deposits - credits);
    }
}

START_TEST(R54_R79_R80_M17_statement_aging_roll_forward_and_the_control_accounts_agree) {
    int stride = is_long() ? 3 : 151;
    stage *g = stage_open(_i);
    story *s = make_story(g, 7, 1);
    for (int day = -200; day < SPAN + 80; day += stride) {
        check_statements(g, DAY(day - 60), DAY(day));
        check_roll(g, DAY(day - 60), DAY(day));
        check_control_accounts(g, DAY(day - 60), DAY(day));
    }
    for (int i = 0; i < s->count; i++) { /* periods that begin, or end, as something expires */
        int32_t day = s->steps[i].op == CREDIT ? s->steps[i].credit_terms.expires : 0;
        if (day == 0) continue;
        check_statements(g, day, day + 20);
        check_roll(g, day, day + 20);
        check_roll(g, day - 20, day);
    }
    free(s);
    stage_close(g);
}
END_TEST

static Suite *make(void) {
    Suite *s = suite_create("as of");
    TCase *t = tcase_create("as of");
    tcase_set_timeout(t, 3600);
    tcase_add_loop_test(t, R62_M6_a_report_as_of_a_day_is_that_of_a_book_with_nothing_later, 0, STORES);
    tcase_add_loop_test(t, R62_a_report_as_known_at_an_instant_is_the_one_taken_then, 0, STORES);
    tcase_add_loop_test(t, R54_R79_R80_M17_statement_aging_roll_forward_and_the_control_accounts_agree, 0, STORES);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return world_main(make);
}
