/*
 * Random commands of every kind there is, in the wildest order. There is no model of what they should do: what is
 * looked at after each is what must hold of any book: the identities of rule M1, verify, and rule M17, that the postings
 * of every entry balance and agree with the records. A command may be refused, for a reason that a caller can act on, and
 * then the book is as it was.
 *
 * Every command and every type of entry has to come up, or the test says which did not. CREDIT_TEST_SEED repeats a run;
 * CREDIT_TEST_LONG plays many more.
 */
#include "support/ties.h"
#include "support/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STEPS 70 /* commands in a run */

static uint64_t state;

static uint64_t below(uint64_t bound) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (state * UINT64_C(0x2545f4914f6cdd1d) >> 8) % bound;
}

static int chance(uint64_t in) {
    return below(in) == 0;
}

typedef struct game {
    world *w;
    book *b; /* as it is before the command */
    int day;
    int64_t clock;
    crd_request request;
} game;

static const char *const customers[] = {"c1", "c2"};

static const char *anyone(void) {
    return customers[below(2)];
}

static const crd_request *now(game *g) {
    memset(&g->request, 0, sizeof g->request);
    g->request.struct_size = sizeof g->request;
    g->request.actor = "clerk";
    g->request.instant = g->clock;
    g->request.business_date = DAY(g->day + (chance(12) ? -2 : 0));
    return &g->request;
}

static int64_t some(int64_t of) {
    if (chance(3)) return of;
    if (chance(8)) return of + 1;
    return 1 + (int64_t)below((uint64_t)(of > 1 ? of : 1));
}

/* Any record of a kind, NULL when there is none. */
static const void *any(game *g, uint32_t kind) {
    size_t count = book_count(g->b, kind), nth;
    if (count == 0) return NULL;
    nth = below(count);
    for (size_t i = 0; i < g->b->count; i++)
        if (g->b->items[i].kind == kind && nth-- == 0) return g->b->items[i].record;
    return NULL;
}

static const crd_credit_record *any_credit(game *g) {
    const crd_credit_record *c = NULL;
    for (int n = 0; n < 4 && (c == NULL || c->remaining == 0); n++) c = any(g, CRD_KIND_CREDIT);
    return c;
}

static const crd_invoice_record *any_invoice(game *g) {
    const crd_invoice_record *i = NULL;
    for (int n = 0; n < 4 && (i == NULL || i->open == 0); n++) i = any(g, CRD_KIND_INVOICE);
    return i;
}

/* Runs `call` with a handle `h` to a record, and frees it. */
#define WITH(g, type, r, call)                                                                                         \
    do {                                                                                                               \
        crd_##type *h = NULL;                                                                                          \
        crd_status status_ = crd_##type##_find((g)->w->ledger, (r)->customer, (r)->id, &h);                            \
        if (status_ == CRD_OK) status_ = call;                                                                         \
        crd_##type##_free(h);                                                                                          \
        return status_;                                                                                                \
    } while (0)

/* ---- commands ---- */

static crd_status do_issue(game *g) {
    static const uint32_t kinds[] = {CRD_CREDIT_PAYMENT, CRD_CREDIT_PREPAYMENT, CRD_CREDIT_DEPOSIT,     CRD_CREDIT_MEMO,
                                     CRD_CREDIT_MEMO,    CRD_CREDIT_SERVICE,    CRD_CREDIT_REFUND_OWED, CRD_CREDIT_GOODWILL,
                                     CRD_CREDIT_LOYALTY, CRD_CREDIT_ADJUSTMENT};
    const crd_invoice_record *of = any_invoice(g);
    crd_credit_terms t = credit_terms(NULL, kinds[below(10)], 1 + (int64_t)below(200));
    const char *who = anyone();
    if (chance(3)) t.expires = DAY(g->day + 1 + (int)below(12));
    if (chance(8)) t.effective = DAY(g->day + (int)below(4));
    if (chance(6)) t.currency = "JPY";
    t.tax = (int64_t)below((uint64_t)t.amount + 1) / 3;
    if (t.kind == CRD_CREDIT_MEMO && of != NULL && chance(2)) {
        t.flags = CRD_ISSUE_RETURN;
        t.origin = of->id;
        t.currency = of->currency;
        who = of->customer;
    }
    if (chance(7)) {
        static const uint32_t stands_for[] = {CRD_CREDIT_DEPOSIT, CRD_CREDIT_MEMO, CRD_CREDIT_GOODWILL};
        t.kind = CRD_CREDIT_OPENING;
        t.stands_for = stands_for[below(3)];
        t.flags = 0;
        t.origin = NULL;
        t.tax = 0;
    }
    if (chance(6)) t.flags |= CRD_ISSUE_APPLY;
    return crd_credit_issue(g->w->ledger, now(g), who, &t, NULL);
}

static crd_status do_enter(game *g) {
    static const uint32_t kinds[] = {CRD_INVOICE_INVOICE, CRD_INVOICE_INVOICE, CRD_INVOICE_INVOICE,
                                     CRD_INVOICE_FINANCE_CHARGE, CRD_INVOICE_DEBIT_MEMO, CRD_INVOICE_FEE};
    crd_invoice_terms t = invoice_terms(NULL, (int64_t)below(250));
    t.kind = kinds[below(6)];
    t.tax = t.total / 5;
    if (chance(6)) t.currency = "JPY";
    if (chance(4)) t.flags = CRD_INVOICE_AS_DRAFT;
    else if (chance(6)) t.flags = CRD_INVOICE_AS_OPENING;
    if (chance(6)) t.flags |= CRD_INVOICE_APPLY;
    return crd_invoice_enter(g->w->ledger, now(g), anyone(), &t, NULL);
}

static crd_status do_apply(game *g) {
    const crd_credit_record *c = any_credit(g);
    const crd_invoice_record *i = any_invoice(g);
    crd_apply_terms t;
    crd_invoice *to = NULL;
    crd_status status = CRD_OK;
    if (c == NULL) return CRD_E_NOT_FOUND;
    memset(&t, 0, sizeof t);
    t.struct_size = sizeof t;
    for (int n = 0; n < 6 && i != NULL && (strcmp(i->customer, c->customer) != 0 || strcmp(i->currency, c->currency) != 0);
         n++)
        i = any_invoice(g);
    if (chance(7)) i = NULL; /* outside */
    t.amount = some(c->remaining);
    t.flags = chance(2) ? CRD_APPLY_CLAMP : 0;
    if (i != NULL) status = crd_invoice_find(g->w->ledger, i->customer, i->id, &to);
    if (status != CRD_OK) return status;
    {
        crd_credit *from = NULL;
        status = crd_credit_find(g->w->ledger, c->customer, c->id, &from);
        if (status == CRD_OK) status = crd_credit_apply(g->w->ledger, now(g), from, to, &t, NULL);
        crd_credit_free(from);
    }
    crd_invoice_free(to);
    return status;
}

static crd_status do_void(game *g) {
    const crd_credit_record *c = any_credit(g);
    if (c == NULL) return CRD_E_NOT_FOUND;
    WITH(g, credit, c, crd_credit_void(g->w->ledger, now(g), h, chance(2) ? 0 : some(c->remaining),
                                 chance(3) ? CRD_VOID_RELEASE : 0, NULL));
}

static crd_status do_refund(game *g) {
    const crd_credit_record *c = any_credit(g);
    crd_refund_terms t;
    if (c == NULL) return CRD_E_NOT_FOUND;
    memset(&t, 0, sizeof t);
    t.struct_size = sizeof t;
    t.amount = chance(3) ? 0 : some(c->remaining);
    t.flags = chance(3) ? CRD_REFUND_OVERRIDE : 0;
    WITH(g, credit, c, crd_credit_refund(g->w->ledger, now(g), h, &t, NULL));
}

static crd_status do_adjust(game *g) {
    crd_adjust_terms t;
    memset(&t, 0, sizeof t);
    t.struct_size = sizeof t;
    t.target = (int64_t)below(300);
    t.reason = "counted";
    return crd_credit_adjust(g->w->ledger, now(g), anyone(), chance(6) ? "JPY" : "EUR", &t, NULL);
}

static crd_status do_transfer(game *g) {
    const crd_credit_record *c = any_credit(g);
    crd_transfer_terms t;
    if (c == NULL) return CRD_E_NOT_FOUND;
    memset(&t, 0, sizeof t);
    t.struct_size = sizeof t;
    t.customer = customers[strcmp(c->customer, customers[0]) == 0];
    t.amount = chance(3) ? 0 : some(c->remaining);
    WITH(g, credit, c, crd_credit_transfer(g->w->ledger, now(g), h, &t, NULL, NULL));
}

static crd_status do_delete(game *g) {
    const crd_credit_record *c = any_credit(g);
    if (c == NULL) return CRD_E_NOT_FOUND;
    WITH(g, credit, c, crd_credit_delete(g->w->ledger, now(g), h, chance(2) ? CRD_DELETE_CASCADE : 0, NULL));
}

static crd_status do_send(game *g) {
    const crd_invoice_record *i = any(g, CRD_KIND_INVOICE);
    for (int n = 0; n < 6 && i != NULL && i->state != CRD_INVOICE_DRAFT; n++) i = any(g, CRD_KIND_INVOICE);
    if (i == NULL) return CRD_E_NOT_FOUND;
    WITH(g, invoice, i, crd_invoice_send(g->w->ledger, now(g), h, 0, NULL));
}

static crd_status do_void_invoice(game *g) {
    const crd_invoice_record *i = any(g, CRD_KIND_INVOICE);
    if (i == NULL) return CRD_E_NOT_FOUND;
    WITH(g, invoice, i, crd_invoice_void(g->w->ledger, now(g), h, 0, NULL));
}

static crd_status do_revise(game *g) {
    const crd_invoice_record *i = any(g, CRD_KIND_INVOICE);
    crd_revise_terms t;
    if (i == NULL) return CRD_E_NOT_FOUND;
    memset(&t, 0, sizeof t);
    t.struct_size = sizeof t;
    t.total = (int64_t)below((uint64_t)i->total * 2 + 2);
    t.tax = (int64_t)below((uint64_t)t.total + 1);
    WITH(g, invoice, i, crd_invoice_revise(g->w->ledger, now(g), h, &t, NULL));
}

static crd_status do_write_off(game *g) {
    static const uint32_t causes[] = {0, CRD_CAUSE_TOLERANCE, CRD_CAUSE_DISCOUNT};
    const crd_invoice_record *i = any_invoice(g);
    if (i == NULL) return CRD_E_NOT_FOUND;
    WITH(g, invoice, i, crd_invoice_write_off(g->w->ledger, now(g), h, chance(3) ? 0 : some(i->open), causes[below(3)], NULL));
}

static crd_status do_reverse_invoice(game *g) {
    const crd_invoice_record *i = any(g, CRD_KIND_INVOICE);
    if (i == NULL) return CRD_E_NOT_FOUND;
    WITH(g, invoice, i, crd_invoice_reverse(g->w->ledger, now(g), h, NULL, NULL));
}

/* Of the types that can be undone, mostly. */
static crd_status do_undo(game *g) {
    const crd_entry_record *e = any(g, CRD_KIND_ENTRY);
    for (int n = 0; n < 8 && e->type != CRD_ENTRY_APPLY && e->type != CRD_ENTRY_WRITE_OFF && e->type != CRD_ENTRY_REFUND &&
                    e->type != CRD_ENTRY_TRANSFER && e->type != CRD_ENTRY_RECEIPT && e->type != CRD_ENTRY_ADJUST;
         n++)
        e = any(g, CRD_KIND_ENTRY);
    if (e->currency[0] == '\0') return CRD_E_NOTHING;
    return crd_undo(g->w->ledger, now(g), e->customer, e->currency, e->seq, chance(2) ? 0 : some(e->amount), NULL);
}

static crd_status do_change_application(game *g) {
    const crd_entry_record *e = any(g, CRD_KIND_ENTRY);
    for (int n = 0; n < 12 && e->type != CRD_ENTRY_APPLY; n++) e = any(g, CRD_KIND_ENTRY);
    if (e->type != CRD_ENTRY_APPLY) return CRD_E_NOTHING;
    return crd_application_change(g->w->ledger, now(g), e->customer, e->currency, e->seq, some(2 * e->amount), NULL);
}

static crd_status do_hold(game *g) {
    const crd_credit_record *c = any_credit(g);
    crd_hold_terms t;
    if (c == NULL) return CRD_E_NOT_FOUND;
    memset(&t, 0, sizeof t);
    t.struct_size = sizeof t;
    t.amount = some(c->remaining);
    t.flags = chance(2) ? CRD_APPLY_CLAMP : 0;
    if (!chance(4)) t.lapses_at = g->clock + (int64_t)below(4) * INT64_C(86400000000) + INT64_C(3600000000);
    WITH(g, credit, c, crd_credit_hold(g->w->ledger, now(g), h, NULL, &t, NULL));
}

static crd_status do_allocate(game *g) {
    const crd_invoice_record *i = any(g, CRD_KIND_INVOICE);
    const crd_credit_record *c = any_credit(g);
    crd_hold_terms t;
    crd_invoice *draft = NULL;
    crd_credit *from = NULL;
    crd_status status;
    for (int n = 0; n < 6 && i != NULL && i->state != CRD_INVOICE_DRAFT; n++) i = any(g, CRD_KIND_INVOICE);
    if (i == NULL || c == NULL) return CRD_E_NOT_FOUND;
    for (int n = 0; n < 6 && strcmp(i->customer, c->customer) != 0; n++) c = any_credit(g);
    memset(&t, 0, sizeof t);
    t.struct_size = sizeof t;
    t.flags = CRD_APPLY_CLAMP;
    status = crd_invoice_find(g->w->ledger, i->customer, i->id, &draft);
    if (status == CRD_OK) status = crd_credit_find(g->w->ledger, c->customer, c->id, &from);
    if (status == CRD_OK) status = crd_credit_hold(g->w->ledger, now(g), from, draft, &t, NULL);
    crd_credit_free(from);
    crd_invoice_free(draft);
    return status;
}

static crd_status do_capture(game *g) {
    const crd_hold_record *held = any(g, CRD_KIND_HOLD);
    const crd_invoice_record *i = any_invoice(g);
    crd_invoice *to = NULL;
    crd_hold *from = NULL;
    crd_apply_terms t;
    crd_status status = CRD_OK;
    if (held == NULL) return CRD_E_NOT_FOUND;
    memset(&t, 0, sizeof t);
    t.struct_size = sizeof t;
    t.flags = CRD_APPLY_CLAMP;
    t.amount = chance(2) ? 0 : some(held->amount);
    for (int n = 0; n < 6 && i != NULL && strcmp(i->customer, held->customer) != 0; n++) i = any_invoice(g);
    if (i != NULL && !chance(4)) status = crd_invoice_find(g->w->ledger, i->customer, i->id, &to);
    if (status == CRD_OK) status = crd_hold_find(g->w->ledger, held->customer, held->id, &from);
    if (status == CRD_OK) status = crd_hold_capture(g->w->ledger, now(g), from, to, &t, NULL);
    crd_hold_free(from);
    crd_invoice_free(to);
    return status;
}

static crd_status do_release(game *g) {
    const crd_hold_record *held = any(g, CRD_KIND_HOLD);
    if (held == NULL) return CRD_E_NOT_FOUND;
    WITH(g, hold, held, crd_hold_release(g->w->ledger, now(g), h, chance(2) ? 0 : some(held->amount), NULL));
}

static crd_status do_sweep(game *g) {
    return crd_sweep(g->w->ledger, now(g), NULL, NULL);
}

static crd_status do_reconcile(game *g) {
    crd_plan_spec spec = plan_spec(chance(2) ? CRD_PLAN_USE_CASH : 0, g->day);
    return crd_reconcile(g->w->ledger, now(g), &spec, NULL);
}

static crd_status do_receive(game *g) {
    const crd_invoice_record *i = any_invoice(g);
    const crd_credit_record *c = any_credit(g);
    crd_receipt_terms t;
    crd_receipt_line pays, small, uses;
    const crd_receipt_line *lines[3];
    const char *who = anyone();
    memset(&t, 0, sizeof t);
    memset(&pays, 0, sizeof pays);
    t.struct_size = sizeof t;
    t.currency = "EUR";
    t.amount = (int64_t)below(150);
    t.flags = chance(4) ? 0 : CRD_RECEIPT_EXCESS_TO_CREDIT;
    if (chance(3)) t.flags |= CRD_RECEIPT_DISTRIBUTE;
    t.lines = lines;
    pays.struct_size = sizeof pays;
    small = uses = pays;
    if (i != NULL && i->open > 0) {
        who = i->customer;
        t.currency = i->currency;
        pays.invoice = small.invoice = i->id;
        pays.amount = 1 + (int64_t)below((uint64_t)i->open);
        lines[t.line_count++] = &pays;
        if (c != NULL && c->remaining > 0 && strcmp(c->customer, who) == 0 && chance(2)) {
            uses.credit = c->id;
            uses.amount = 1 + (int64_t)below((uint64_t)(c->remaining < pays.amount ? c->remaining : pays.amount));
            lines[t.line_count++] = &uses;
            if (chance(2)) t.amount = pays.amount - uses.amount;
        }
        if (chance(2) && i->open > pays.amount) {
            small.kind = chance(2) ? CRD_RECEIPT_DISCOUNT : CRD_RECEIPT_TOLERANCE;
            small.amount = 1 + (int64_t)below((uint64_t)(i->open - pays.amount));
            lines[t.line_count++] = &small;
        }
    }
    return crd_receipt_enter(g->w->ledger, now(g), who, &t, NULL, NULL);
}

static crd_status do_bounce(game *g) {
    const crd_receipt_record *r = any(g, CRD_KIND_RECEIPT);
    crd_reverse_terms t;
    for (int n = 0; n < 4 && r != NULL && r->amount == 0; n++) r = any(g, CRD_KIND_RECEIPT);
    if (r == NULL) return CRD_E_NOT_FOUND;
    memset(&t, 0, sizeof t);
    t.struct_size = sizeof t;
    t.flags = chance(4) ? CRD_REVERSE_STRICT : 0;
    t.fee = chance(3) ? 7 : 0;
    WITH(g, receipt, r, crd_receipt_reverse(g->w->ledger, now(g), h, &t, NULL));
}

/* Looks at a plan, leaves out some accounts, makes some applications smaller, and posts the rest. */
static crd_status do_plan(game *g) {
    crd_plan_spec spec = plan_spec(chance(2) ? CRD_PLAN_USE_CASH : 0, g->day);
    crd_plan *plan = NULL;
    const crd_plan_account *a = NULL;
    crd_plan_result result = plan_result_block();
    crd_status status;
    if (chance(3)) spec.tolerance = 5;
    status = crd_plan_open(g->w->ledger, &spec, &plan);
    while (status == CRD_OK && (status = crd_plan_next(plan, &a)) == CRD_OK && a != NULL) {
        for (uint64_t i = 0; i < a->application_count && a->state == CRD_PLAN_PROPOSED; i++)
            if (chance(3)) (void)crd_plan_edit(plan, i, (int64_t)below((uint64_t)a->applications[i]->amount + 1));
        if (chance(5)) (void)crd_plan_skip(plan);
    }
    if (status == CRD_OK) status = crd_plan_commit(plan, now(g), &result);
    crd_plan_close(plan);
    return status == CRD_OK && result.posted == 0 ? CRD_E_NOTHING : status;
}

static crd_status do_issue_many(game *g) {
    crd_credit_terms terms[3];
    crd_bulk_row rows[3];
    const crd_bulk_row *list[3];
    uint64_t kept = 0;
    crd_status status;
    for (int n = 0; n < 3; n++) {
        terms[n] = credit_terms(NULL, n == 1 ? CRD_CREDIT_PREPAYMENT : CRD_CREDIT_MEMO, (int64_t)below(60));
        if (chance(3)) terms[n].flags |= CRD_ISSUE_APPLY;
        memset(&rows[n], 0, sizeof rows[n]);
        rows[n].struct_size = sizeof rows[n];
        rows[n].customer = anyone();
        rows[n].terms = &terms[n];
        list[n] = &rows[n];
    }
    status = crd_credit_issue_many(g->w->ledger, now(g), list, 3, chance(2) ? CRD_BULK_ALL_OR_NOTHING : 0, NULL, &kept);
    return status == CRD_OK && kept == 0 ? CRD_E_ARGUMENT : status;
}

/* Two commands, kept together, or both given up: then it counts as refused, and the book has to be as it was. */
static crd_status do_unit(game *g) {
    crd_status first, second, status = crd_unit_begin(g->w->ledger);
    if (status != CRD_OK) return status;
    first = chance(2) ? do_issue(g) : do_receive(g);
    second = chance(2) ? do_apply(g) : chance(2) ? do_revise(g) : do_transfer(g);
    if (chance(3)) {
        status = crd_unit_rollback(g->w->ledger);
        return status == CRD_OK ? CRD_E_CANCELLED : status;
    }
    status = crd_unit_commit(g->w->ledger);
    return status != CRD_OK ? status : first == CRD_OK ? CRD_OK : second;
}

/* The mark of what the host dealt with is no part of the journal; it moves on. */
static crd_status do_acknowledge(game *g) {
    const crd_entry_record *e = any(g, CRD_KIND_ENTRY);
    return crd_acknowledge(g->w->ledger, e->customer, e->currency, e->seq);
}

/* Switches go to all accounts: the feature, mostly on again, and auto-apply. */
static crd_status do_change_customer(game *g) {
    crd_customer_change_terms t;
    crd_customer *who = NULL;
    crd_status status = crd_customer_find(g->w->ledger, anyone(), &who);
    memset(&t, 0, sizeof t);
    t.struct_size = sizeof t;
    t.set = chance(6) ? CRD_SWITCH_FEATURE_OFF : 0;
    t.clear = t.set != 0 ? 0 : CRD_SWITCH_FEATURE_OFF;
    t.location = chance(2) ? "north" : "south";
    if (status == CRD_OK) status = crd_customer_change(g->w->ledger, now(g), who, &t, NULL);
    crd_customer_free(who);
    return status;
}

/* Closes what lies some days back; reading and verifying go on. */
static crd_status do_close(game *g) {
    crd_settings settings;
    memset(&settings, 0, sizeof settings);
    settings.struct_size = sizeof settings;
    settings.closed_through = DAY(g->day - 3);
    return crd_ledger_configure(g->w->ledger, &settings);
}

static const struct {
    const char *name;
    int weight;
    crd_status (*run)(game *g);
} ops[] = {
    {"issue", 14, do_issue},
    {"enter", 14, do_enter},
    {"apply", 14, do_apply},
    {"void", 4, do_void},
    {"refund", 5, do_refund},
    {"adjust", 3, do_adjust},
    {"transfer", 5, do_transfer},
    {"delete", 3, do_delete},
    {"send", 4, do_send},
    {"void invoice", 3, do_void_invoice},
    {"revise", 6, do_revise},
    {"write off", 5, do_write_off},
    {"reverse invoice", 2, do_reverse_invoice},
    {"undo", 10, do_undo},
    {"change application", 3, do_change_application},
    {"hold", 7, do_hold},
    {"allocate", 4, do_allocate},
    {"capture", 4, do_capture},
    {"release", 3, do_release},
    {"receive", 9, do_receive},
    {"bounce", 4, do_bounce},
    {"sweep", 4, do_sweep},
    {"reconcile", 2, do_reconcile},
    {"plan", 3, do_plan},
    {"issue many", 3, do_issue_many},
    {"unit", 4, do_unit},
    {"acknowledge", 2, do_acknowledge},
    {"change customer", 3, do_change_customer},
    {"close", 1, do_close},
};
#define OPS (sizeof ops / sizeof ops[0])

/* ---- playing ---- */

static long succeeded[OPS], seen[64];

static size_t draw(void) {
    uint64_t sum = 0, at;
    size_t op = 0;
    for (size_t n = 0; n < OPS; n++) sum += (uint64_t)ops[n].weight;
    at = below(sum);
    while (at >= (uint64_t)ops[op].weight) at -= (uint64_t)ops[op++].weight;
    return op;
}

/* What a caller can act on; all else would be a fault of the library's own. */
static int honest(crd_status status) {
    return status != CRD_E_CORRUPT && status != CRD_E_CONTRACT && status != CRD_E_STORAGE && status != CRD_E_NOMEM &&
           status != CRD_E_UNKNOWN && status != CRD_E_BUSY && status != CRD_E_OVERFLOW && status != CRD_E_RESTART;
}

static int32_t CRD_CALL show(void *ctx, const crd_finding *f) {
    (void)ctx;
    fprintf(stderr, "verify: %s %s %s entry %lld, %s: %s (%lld, not %lld)\n", crd_kind_name(f->kind), f->customer,
            f->id, (long long)f->seq, f->field, f->message, (long long)f->stored, (long long)f->expected);
    return 0;
}

static const char *wrong(game *g) {
    crd_verify_spec spec;
    const char *found = book_problem(g->b);
    memset(&spec, 0, sizeof spec);
    spec.struct_size = sizeof spec;
    spec.found = show;
    if (found == NULL) found = ties_problem(g->w->ledger, g->b);
    if (found == NULL && crd_ledger_verify(g->w->ledger, &spec, NULL) != CRD_OK) found = "verify found differences";
    return found;
}

static int same_book(const book *a, const book *b) {
    char *x = book_text(a), *y = book_text(b);
    int same = strcmp(x, y) == 0;
    free(x);
    free(y);
    return same;
}

static void play(int store, uint64_t seed) {
    game g;
    int loud = getenv("CREDIT_TEST_SEED") != NULL;
    memset(&g, 0, sizeof g);
    state = seed * UINT64_C(0x9e3779b97f4a7c15) | 1;
    for (int n = 0; n < 8; n++) (void)below(2);
    g.w = world_open(store);
    g.w->careless = 1;
    g.clock = (int64_t)DAY(0) * INT64_C(86400000000) + INT64_C(43200000000); /* the world's, which stands still */
    for (int n = 0; n < 2; n++) customer(g.w, customers[n]);
    g.b = world_book(g.w);
    for (int step = 0; step < STEPS; step++) {
        size_t op = draw();
        const char *found;
        book *before;
        crd_status status;
        if (chance(4)) {
            g.day++;
            g.clock += INT64_C(86400000000);
        }
        status = ops[op].run(&g);
        if (loud) printf("%3d day %2d %s: %s\n", step, g.day, ops[op].name, crd_status_name(status));
        ck_assert_msg(honest(status), "seed %llu, step %d: %s says %s (%s)", (unsigned long long)seed, step, ops[op].name,
                      crd_status_name(status), crd_ledger_error(g.w->ledger)->message);
        succeeded[op] += status == CRD_OK;
        before = g.b;
        g.b = world_book(g.w);
        found = status != CRD_OK && !same_book(before, g.b) ? "it was refused, and the book is another" : wrong(&g);
        book_free(before);
        if (loud && found != NULL) fflush(stdout);
        ck_assert_msg(found == NULL, "seed %llu, step %d: after %s: %s", (unsigned long long)seed, step, ops[op].name, found);
    }
    for (size_t n = 0; n < g.b->count; n++)
        if (g.b->items[n].kind == CRD_KIND_ENTRY) seen[((const crd_entry_record *)g.b->items[n].record)->type]++;
    book_free(g.b);
    world_close(g.w);
}

START_TEST(M1_M17_whatever_is_done_the_identities_hold_and_the_postings_agree) {
    static const uint32_t types[] = {CRD_ENTRY_ISSUE,    CRD_ENTRY_APPLY,        CRD_ENTRY_UNAPPLY, CRD_ENTRY_VOID,
                                     CRD_ENTRY_EXPIRE,   CRD_ENTRY_INVOICE,      CRD_ENTRY_SEND,    CRD_ENTRY_REVISE,
                                     CRD_ENTRY_WRITE_OFF, CRD_ENTRY_UNWRITE_OFF, CRD_ENTRY_INVOICE_VOID, CRD_ENTRY_RECEIPT,
                                     CRD_ENTRY_RECEIPT_UNDO, CRD_ENTRY_HOLD,     CRD_ENTRY_RELEASE, CRD_ENTRY_CAPTURE,
                                     CRD_ENTRY_LAPSE,    CRD_ENTRY_REFUND,       CRD_ENTRY_UNREFUND, CRD_ENTRY_ADJUST,
                                     CRD_ENTRY_ADJUST_PIECE, CRD_ENTRY_TRANSFER, CRD_ENTRY_UNTRANSFER, CRD_ENTRY_DELETE,
                                     CRD_ENTRY_UNADJUST, CRD_ENTRY_REVERSE,  CRD_ENTRY_RECEIPT_REVERSE, CRD_ENTRY_CUT};
    const char *given = getenv("CREDIT_TEST_SEED");
    uint64_t runs = getenv("CREDIT_TEST_LONG") != NULL ? 5000 : 150;
    if (given != NULL && *given != '\0') {
        play(_i, strtoull(given, NULL, 10));
        return;
    }
    if (_i == STORE_SQLITE) runs /= 10;
    for (uint64_t seed = 1; seed <= runs; seed++) play(_i, seed);
    printf("DID %llu books, identities and postings after every step, store %d\n", (unsigned long long)runs, _i);
    fflush(stdout);
    for (size_t n = 0; n < OPS && _i == STORE_MEMORY; n++)
        ck_assert_msg(succeeded[n] > 0, "%s never succeeded", ops[n].name);
    for (size_t n = 0; n < sizeof types / sizeof types[0] && _i == STORE_MEMORY; n++)
        ck_assert_msg(seen[types[n]] > 0, "there was no %s", crd_entry_name(types[n]));
}
END_TEST

static Suite *make(void) {
    Suite *s = suite_create("books");
    TCase *t = tcase_create("books");
    tcase_set_timeout(t, 3600);
    tcase_add_loop_test(t, M1_M17_whatever_is_done_the_identities_hold_and_the_postings_agree, 0, STORES);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return world_main(make);
}
