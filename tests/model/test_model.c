/*
 * Random commands against the library and against the naive model (support/naive.h), which must agree after each.
 *
 * A run is a list of commands made of small random numbers; what they mean is decided when they are played ("apply the
 * 7th credit to the 3rd invoice, one unit more than is available"), so a run with commands taken out is a run too. When
 * the two disagree, the list is shortened for as long as they still do, and the shortest one is played aloud.
 *
 * Two ledgers stand on the same records and take turns, so handles go stale and are refreshed; some commands happen
 * inside a unit of work, which is kept or given up. CREDIT_TEST_SEED repeats a run; CREDIT_TEST_LONG plays a million
 * commands from a seed of the day.
 */
#include "support/naive.h"
#include "support/ties.h"
#include "support/world.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define RUN 220 /* commands in a run */

static const char *const customers[] = {"c1", "c2"};
static const char *const currencies[] = {"EUR", "JPY"};

typedef struct command {
    uint8_t op, ledger, a, b, mode, flags;
    int8_t advance, offset;
    uint64_t raw;
} command;

enum { ISSUE, ENTER, APPLY, OUTSIDE, VOID, SEND, VOID_INVOICE, UNDO, UNDO_RECEIPT, RECONCILE, CLOSE, UNIT, OPS };
static const char *const op_names[] = {"issue",        "enter", "apply",        "outside",   "void",  "send",
                                       "void invoice", "undo",  "undo receipt", "reconcile", "close", "unit"};

typedef struct game {
    world *w;
    crd_ledger *ledgers[2];
    naive *m;
    crd_credit *credits[2][NAIVE_DOCUMENTS];
    crd_invoice *invoices[2][NAIVE_DOCUMENTS];
    int32_t today;
    int unit;  /* ledger that has one open, or NONE */
    int kept_credits, kept_invoices, kept_receipts, kept_events; /* when it began */
    int loud;
    char problem[600];
} game;

/* ---- numbers ---- */

static uint64_t state;
static uint64_t next_random(void) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state * UINT64_C(0x2545f4914f6cdd1d);
}

static uint64_t below(uint64_t bound) {
    return next_random() % bound;
}

/* Amounts that lie on an edge more often than not. */
static int64_t edge(const command *c, int64_t available, int64_t open) {
    int64_t lesser = available < open ? available : open;
    switch (c->mode % 16) {
    case 0: return available;
    case 1: return available + (available < INT64_MAX);
    case 2: return open;
    case 3: return open + 1;
    case 4: return lesser;
    case 5: return lesser > 1 ? lesser - 1 : 1;
    case 6: return lesser > 1 ? lesser / 2 : 1;
    case 7: return c->raw % 40 == 0 ? 0 : 1;
    case 8: return c->raw % 40 == 0 ? -(int64_t)(c->raw % 3) : 2;
    case 9: return c->raw % 8 == 0 ? CRD_MAX_AMOUNT - (int64_t)(c->raw % 3) : 99;
    case 10: return c->raw % 8 == 0 ? CRD_MAX_AMOUNT + 1 : 100;
    case 11: return c->raw % 8 == 0 ? (INT64_C(1) << (c->raw % 62)) - 1 + (int64_t)(c->raw % 3) : 101;
    default: return 1 + (int64_t)(c->raw % 1000);
    }
}

static int32_t date_of(const game *g, const command *c) {
    return g->today + c->offset;
}

static const char *differ(game *g, const char *format, ...) {
    va_list args;
    va_start(args, format);
    vsnprintf(g->problem, sizeof g->problem, format, args);
    va_end(args);
    return g->problem;
}

/* ---- opening and closing ---- */

static void drop_handles(game *g, int ledger, int from_credit, int from_invoice) {
    for (int n = from_credit; n < NAIVE_DOCUMENTS; n++) {
        crd_credit_free(g->credits[ledger][n]);
        g->credits[ledger][n] = NULL;
    }
    for (int n = from_invoice; n < NAIVE_DOCUMENTS; n++) {
        crd_invoice_free(g->invoices[ledger][n]);
        g->invoices[ledger][n] = NULL;
    }
}

static game *game_open(int store) {
    game *g = calloc(1, sizeof *g);
    ck_assert_ptr_nonnull(g);
    g->m = calloc(1, sizeof *g->m);
    ck_assert_ptr_nonnull(g->m);
    g->w = world_open(store);
    g->w->careless = 1;
    g->ledgers[0] = g->w->ledger;
    g->ledgers[1] = world_rival(g->w);
    for (int n = 0; n < 2; n++) customer(g->w, customers[n]);
    g->today = DAY(0);
    g->unit = NONE;
    return g;
}

static void game_close(game *g) {
    for (int n = 0; n < 2; n++) drop_handles(g, n, 0, 0);
    world_close(g->w);
    free(g->m);
    free(g);
}

static crd_credit *credit_handle(game *g, int ledger, int credit) {
    const naive_credit *c = &g->m->credits[credit];
    crd_credit **at = &g->credits[ledger][credit];
    if (*at == NULL) (void)crd_credit_find(g->ledgers[ledger], customers[c->account / 2], c->id, at);
    return *at;
}

static crd_invoice *invoice_handle(game *g, int ledger, int invoice) {
    const naive_invoice *i = &g->m->invoices[invoice];
    crd_invoice **at = &g->invoices[ledger][invoice];
    if (*at == NULL) (void)crd_invoice_find(g->ledgers[ledger], customers[i->account / 2], i->id, at);
    return *at;
}

/* ---- comparing ---- */

#define DIFFERS(what, id, field, stored, model)                                                                        \
    if ((int64_t)(stored) != (int64_t)(model))                                                                         \
    return differ(g, "%s %s: %s is %lld, the model says %lld", what, id, field, (long long)(stored), (long long)(model))

static const char *compare_credit(game *g, int n, const crd_credit_record *c) {
    naive_credit_figures f = naive_credit_now(g->m, n);
    DIFFERS("credit", c->id, "original", c->original, g->m->credits[n].original);
    DIFFERS("credit", c->id, "remaining", c->remaining, f.remaining);
    DIFFERS("credit", c->id, "applied", c->applied, f.applied);
    DIFFERS("credit", c->id, "applied_outside", c->applied_outside, f.outside);
    DIFFERS("credit", c->id, "voided", c->voided, f.voided);
    DIFFERS("credit", c->id, "expired", c->expired, f.expired);
    DIFFERS("credit", c->id, "reversed", c->reversed, f.reversed);
    DIFFERS("credit", c->id, "state", c->state, f.state);
    DIFFERS("credit", c->id, "cause", c->cause, f.cause);
    DIFFERS("credit", c->id, "last_date", c->last_date, f.last_date);
    DIFFERS("credit", c->id, "first_seq", c->first_seq, f.first_seq);
    DIFFERS("credit", c->id, "last_seq", c->last_seq, f.last_seq);
    return NULL;
}

static const char *compare_invoice(game *g, int n, const crd_invoice_record *i) {
    naive_invoice_figures f = naive_invoice_now(g->m, n);
    DIFFERS("invoice", i->id, "total", i->total, g->m->invoices[n].total);
    DIFFERS("invoice", i->id, "open", i->open, f.open);
    DIFFERS("invoice", i->id, "applied", i->applied, f.applied);
    DIFFERS("invoice", i->id, "cancelled", i->cancelled, f.cancelled);
    DIFFERS("invoice", i->id, "state", i->state, f.state);
    DIFFERS("invoice", i->id, "cause", i->cause, f.cause);
    DIFFERS("invoice", i->id, "issued", i->issued, f.issued);
    DIFFERS("invoice", i->id, "last_date", i->last_date, f.last_date);
    DIFFERS("invoice", i->id, "last_seq", i->last_seq, f.last_seq);
    return NULL;
}

static int account_of(const char *who, const char *currency) {
    return 2 * (strcmp(who, customers[1]) == 0) + (strcmp(currency, currencies[1]) == 0);
}

static const char *compare_receipt(game *g, const crd_receipt_record *r) {
    int account = account_of(r->customer, r->currency);
    for (int n = 0; n < g->m->event_count; n++) {
        const naive_event *e = &g->m->events[n];
        if (e->account != account || e->seq != r->first_seq) continue;
        if (e->type != CRD_ENTRY_RECEIPT) break;
        DIFFERS("receipt", r->id, "amount", r->amount, g->m->receipts[e->receipt].amount);
        DIFFERS("receipt", r->id, "applied", r->applied, naive_receipt_applied(g->m, e->receipt));
        DIFFERS("receipt", r->id, "state", r->state,
                naive_receipt_undone(g->m, e->receipt) ? CRD_RECEIPT_UNDONE : CRD_RECEIPT_POSTED);
        return NULL;
    }
    return differ(g, "receipt %s is not the model's", r->id);
}

static const char *compare_account(game *g, const crd_account_record *a) {
    int account = account_of(a->customer, a->currency);
    naive_balance b = naive_balance_on(g->m, account, 0);
    if (a->currency[0] == '\0') return NULL;
    DIFFERS("account", a->currency, "invoice_open", a->invoice_open, b.outstanding);
    DIFFERS("account", a->currency, "credit_remaining", a->credit_remaining, b.credit);
    DIFFERS("account", a->currency, "cash_remaining", a->cash_remaining, b.unearned);
    DIFFERS("account", a->currency, "issued", a->issued, b.issued);
    DIFFERS("account", a->currency, "applied", a->applied, b.applied);
    DIFFERS("account", a->currency, "last_seq", a->last_seq, naive_last_seq(g->m, account));
    return NULL;
}

typedef struct comparison {
    game *g;
    const char *problem;
    int credits, invoices, receipts;
} comparison;

static int32_t CRD_CALL compare_record(void *sink, uint32_t kind, const void *record) {
    comparison *k = sink;
    game *g = k->g;
    const crd_credit_record *c = record;
    const crd_invoice_record *i = record;
    if (kind == CRD_KIND_ACCOUNT) k->problem = compare_account(g, record);
    if (kind == CRD_KIND_RECEIPT) {
        k->receipts++;
        k->problem = compare_receipt(g, record);
    }
    if (kind == CRD_KIND_CREDIT) {
        int found = NONE;
        k->credits++;
        for (int n = 0; n < g->m->credit_count; n++)
            if (g->m->credits[n].account == account_of(c->customer, c->currency) &&
                strcmp(g->m->credits[n].id, c->id) == 0)
                found = n;
        k->problem = found == NONE ? differ(g, "credit %s is not the model's", c->id) : compare_credit(g, found, c);
    }
    if (kind == CRD_KIND_INVOICE) {
        int found = NONE;
        k->invoices++;
        for (int n = 0; n < g->m->invoice_count; n++)
            if (g->m->invoices[n].account == account_of(i->customer, i->currency) &&
                strcmp(g->m->invoices[n].id, i->id) == 0)
                found = n;
        k->problem = found == NONE ? differ(g, "invoice %s is not the model's", i->id) : compare_invoice(g, found, i);
    }
    return k->problem != NULL;
}

static const char *compare_book(game *g) {
    const crd_storage *storage = world_storage(g->w);
    comparison k;
    crd_query query;
    crd_read_result result;
    memset(&k, 0, sizeof k);
    k.g = g;
    memset(&query, 0, sizeof query);
    query.struct_size = sizeof query;
    query.kinds = CRD_KIND_BIT_ACCOUNT | CRD_KIND_BIT_CREDIT | CRD_KIND_BIT_INVOICE | CRD_KIND_BIT_RECEIPT;
    query.proof = 1;
    memset(&result, 0, sizeof result);
    result.struct_size = sizeof result;
    storage->read(storage->ctx, &query, compare_record, &k, &result);
    if (k.problem != NULL) return k.problem;
    if (k.credits != g->m->credit_count)
        return differ(g, "%d credits, the model has %d", k.credits, g->m->credit_count);
    if (k.invoices != g->m->invoice_count)
        return differ(g, "%d invoices, the model has %d", k.invoices, g->m->invoice_count);
    if (k.receipts != g->m->receipt_count)
        return differ(g, "%d receipts, the model has %d", k.receipts, g->m->receipt_count);
    return NULL;
}

static const char *compare_balance(game *g, const command *c) {
    int account = (int)(c->raw % NAIVE_ACCOUNTS);
    int32_t date = g->today + (int32_t)(c->raw / 7 % 40) - 5;
    naive_balance expected = naive_balance_on(g->m, account, date);
    crd_balance b;
    crd_status status;
    memset(&b, 0, sizeof b);
    b.struct_size = sizeof b;
    status = crd_customer_balance(g->ledgers[c->ledger], customers[account / 2], currencies[account % 2], date, &b);
    if (status != CRD_OK) return differ(g, "balance: %s", crd_status_name(status));
    DIFFERS("balance", currencies[account % 2], "outstanding", b.outstanding, expected.outstanding);
    DIFFERS("balance", currencies[account % 2], "credit", b.credit, expected.credit);
    DIFFERS("balance", currencies[account % 2], "available", b.available, expected.available);
    DIFFERS("balance", currencies[account % 2], "unearned", b.unearned, expected.unearned);
    DIFFERS("balance", currencies[account % 2], "balance", b.balance, expected.outstanding - expected.credit);
    return NULL;
}

/* The library's answer against the model's. */
static const char *compare_answer(game *g, const command *c, crd_status status, const crd_result *r,
                                  const naive_answer *a) {
    const crd_error *e = crd_ledger_error(g->ledgers[c->ledger]);
    if (g->loud)
        printf("    %-12s ledger %d, day %+d: %s (%lld), model %s (%lld)\n", op_names[c->op], c->ledger,
               (int)(date_of(g, c) - DAY(0)), crd_status_name(status), r != NULL ? (long long)r->amount : 0,
               crd_status_name(a->status), (long long)a->amount);
    if (status != a->status)
        return differ(g, "%s: %s (%s), the model says %s", op_names[c->op], crd_status_name(status), e->message,
                    crd_status_name(a->status));
    if (a->has_figures && (e->limit != a->limit || e->given != a->given))
        return differ(g, "%s: %s with limit %lld, given %lld; the model says %lld, %lld", op_names[c->op],
                    crd_status_name(status), (long long)e->limit, (long long)e->given, (long long)a->limit,
                    (long long)a->given);
    if (status != CRD_OK || r == NULL) return NULL;
    DIFFERS("result", op_names[c->op], "amount", r->amount, a->amount);
    DIFFERS("result", op_names[c->op], "first_seq", r->first_seq, a->first_seq);
    return NULL;
}

/* ---- playing ---- */

/* A refusal may rest on what another ledger changed since: look again, and ask once more. In a unit of its own nobody
 * else writes, and what the unit changed cannot be refreshed. */
static int look_again(const game *g, crd_status status, int attempt) {
    return attempt == 0 && status != CRD_OK && g->unit == NONE;
}

static const crd_request *request_on(int32_t date) {
    return on(date - DAY(0));
}

static const char *play_issue(game *g, const command *c) {
    static const uint32_t kinds[] = {CRD_CREDIT_MEMO,       CRD_CREDIT_GOODWILL,    CRD_CREDIT_PREPAYMENT,
                                     CRD_CREDIT_DEPOSIT,    CRD_CREDIT_ADJUSTMENT,  CRD_CREDIT_PROMOTIONAL,
                                     CRD_CREDIT_MEMO,       CRD_CREDIT_SERVICE};
    naive_credit t;
    crd_credit_terms terms;
    crd_credit *made = NULL;
    naive_answer a;
    crd_status status;
    if (g->m->credit_count == NAIVE_DOCUMENTS || g->m->receipt_count >= NAIVE_DOCUMENTS - 8) return NULL;
    memset(&t, 0, sizeof t);
    t.account = c->a % NAIVE_ACCOUNTS;
    t.kind = kinds[c->b % 8];
    t.original = edge(c, 50, 200);
    if (c->flags & 1) t.expires = g->today + (int32_t)(c->raw % 25);
    if ((c->flags & 6) == 6) t.effective = g->today + (int32_t)(c->raw / 32 % 6);
    if ((c->flags & 24) == 24) t.pays_kinds = 1u << CRD_INVOICE_FINANCE_CHARGE;
    if ((c->flags & 24) == 8 && t.kind == CRD_CREDIT_DEPOSIT) t.flags = CRD_FLAG_RESERVED;
    if ((c->flags & 96) == 96 && g->m->invoice_count > 0)
        strcpy(t.prefers, g->m->invoices[c->raw / 1000 % (uint64_t)g->m->invoice_count].id);
    if (c->mode >= 250 && g->m->credit_count > 0) /* an id that may be taken */
        strcpy(t.id, g->m->credits[c->raw % (uint64_t)g->m->credit_count].id);
    if (t.id[0] == '~') t.id[0] = 'x';
    if (t.id[0] == '\0' && (c->flags & 128) == 0) snprintf(t.id, sizeof t.id, "k%d", g->m->credit_count);
    terms = credit_terms(t.id[0] != '\0' ? t.id : NULL, t.kind, t.original);
    terms.currency = currencies[t.account % 2];
    terms.expires = t.expires;
    terms.effective = t.effective;
    terms.pays_kinds = t.pays_kinds;
    terms.flags = t.flags;
    terms.prefers = t.prefers;
    if (t.id[0] == '\0')
        snprintf(t.id, sizeof t.id, "~%s%lld", currencies[t.account % 2],
                 (long long)(naive_last_seq(g->m, t.account) + 1 +
                             (t.kind == CRD_CREDIT_PREPAYMENT || t.kind == CRD_CREDIT_DEPOSIT)));
    status = crd_credit_issue(g->ledgers[c->ledger], request_on(date_of(g, c)), customers[t.account / 2], &terms,
                              &made);
    a = naive_issue(g->m, &t, date_of(g, c));
    if (status == CRD_OK && a.document != NONE) g->credits[c->ledger][a.document] = made;
    else crd_credit_free(made);
    return compare_answer(g, c, status, NULL, &a);
}

static const char *play_enter(game *g, const command *c) {
    naive_invoice t;
    crd_invoice_terms terms;
    crd_invoice *made = NULL;
    naive_answer a;
    crd_status status;
    if (g->m->invoice_count == NAIVE_DOCUMENTS) return NULL;
    memset(&t, 0, sizeof t);
    t.account = c->a % NAIVE_ACCOUNTS;
    t.kind = c->b % 8 == 0 ? CRD_INVOICE_FINANCE_CHARGE : CRD_INVOICE_INVOICE;
    t.total = edge(c, 50, 200);
    t.draft = c->flags % 8 == 0;
    t.disputed = c->flags % 16 == 1;
    if (c->flags & 64) t.due = g->today + (int32_t)(c->raw % 40) - 5;
    snprintf(t.id, sizeof t.id, "i%d", g->m->invoice_count);
    if (c->mode >= 250 && g->m->invoice_count > 0)
        strcpy(t.id, g->m->invoices[c->raw % (uint64_t)g->m->invoice_count].id);
    terms = invoice_terms(t.id, t.total);
    terms.currency = currencies[t.account % 2];
    terms.kind = t.kind;
    terms.due = t.due;
    terms.flags = (t.draft ? CRD_INVOICE_AS_DRAFT : 0) | (t.disputed ? CRD_INVOICE_AS_DISPUTED : 0);
    status = crd_invoice_enter(g->ledgers[c->ledger], request_on(date_of(g, c)), customers[t.account / 2], &terms,
                               &made);
    a = naive_enter(g->m, &t, date_of(g, c));
    if (status == CRD_OK && a.document != NONE) g->invoices[c->ledger][a.document] = made;
    else crd_invoice_free(made);
    return compare_answer(g, c, status, NULL, &a);
}

/* Picks a document of the account of the first one, mostly. */
static int pick_invoice(const game *g, const command *c, int account) {
    int count = 0, start;
    if (g->m->invoice_count == 0) return NONE;
    start = c->b % g->m->invoice_count;
    for (; c->raw % 32 != 5 && count < g->m->invoice_count; count++) {
        int n = (start + count) % g->m->invoice_count;
        if (g->m->invoices[n].account == account) return n;
    }
    return start;
}

static const char *play_apply(game *g, const command *c) {
    int k, i = NONE, clamp = c->flags % 4 == 0;
    crd_result r = result_block();
    crd_credit *credit_used;
    crd_invoice *invoice_used = NULL;
    naive_answer a;
    crd_status status = CRD_E_CONFLICT;
    int64_t amount;
    const char *problem;
    if (g->m->credit_count == 0) return NULL;
    k = c->a % g->m->credit_count;
    if (c->op == APPLY) i = pick_invoice(g, c, g->m->credits[k].account);
    if (c->op == APPLY && i == NONE) return NULL;
    amount = edge(c, naive_credit_now(g->m, k).remaining, i != NONE ? naive_invoice_now(g->m, i).open : 100);
    credit_used = credit_handle(g, c->ledger, k);
    if (i != NONE) invoice_used = invoice_handle(g, c->ledger, i);
    if (credit_used == NULL || (i != NONE && invoice_used == NULL))
        return differ(g, "apply: a document is not found: %s", crd_ledger_error(g->ledgers[c->ledger])->message);
    for (int n = 0; n == 0 || look_again(g, status, n - 1); n++) {
        if (n > 0 && (crd_credit_refresh(credit_used) != CRD_OK ||
                      (i != NONE && crd_invoice_refresh(invoice_used) != CRD_OK)))
            return differ(g, "apply: refresh: %s", crd_ledger_error(g->ledgers[c->ledger])->message);
        status = try_apply(g->ledgers[c->ledger], credit_used, invoice_used, amount, clamp ? CRD_APPLY_CLAMP : 0,
                           request_on(date_of(g, c)), &r);
    }
    a = naive_apply(g->m, k, i, amount, clamp, date_of(g, c));
    problem = compare_answer(g, c, status, &r, &a);
    if (problem == NULL && status == CRD_OK) problem = compare_credit(g, k, crd_credit_get(credit_used));
    if (problem == NULL && status == CRD_OK && i != NONE)
        problem = compare_invoice(g, i, crd_invoice_get(invoice_used));
    return problem;
}

static const char *play_void(game *g, const command *c) {
    crd_result r = result_block();
    crd_credit *used;
    crd_status status = CRD_E_CONFLICT;
    naive_answer a;
    int64_t amount;
    int k;
    if (g->m->credit_count == 0) return NULL;
    k = c->a % g->m->credit_count;
    amount = c->flags % 3 == 0 ? 0 : edge(c, naive_credit_now(g->m, k).remaining, 20);
    used = credit_handle(g, c->ledger, k);
    if (used == NULL) return differ(g, "void: the credit is not found");
    for (int n = 0; n == 0 || look_again(g, status, n - 1); n++) {
        if (n > 0 && crd_credit_refresh(used) != CRD_OK) return differ(g, "void: refresh");
        status = crd_credit_void(g->ledgers[c->ledger], request_on(date_of(g, c)), used, amount, 0, &r);
    }
    a = naive_void(g->m, k, amount, date_of(g, c));
    return compare_answer(g, c, status, &r, &a);
}

static const char *play_send(game *g, const command *c) {
    crd_result r = result_block();
    crd_invoice *used;
    crd_status status = CRD_E_CONFLICT;
    naive_answer a;
    int i;
    if (g->m->invoice_count == 0) return NULL;
    i = c->b % g->m->invoice_count;
    for (int n = 0; n < g->m->invoice_count && c->flags % 4 != 0; n++) /* mostly a draft */
        if (naive_invoice_now(g->m, i).state != CRD_INVOICE_DRAFT) i = (i + 1) % g->m->invoice_count;
    used = invoice_handle(g, c->ledger, i);
    if (used == NULL) return differ(g, "send: the invoice is not found");
    for (int n = 0; n == 0 || look_again(g, status, n - 1); n++) {
        if (n > 0 && crd_invoice_refresh(used) != CRD_OK) return differ(g, "send: refresh");
        status = c->op == SEND
                     ? crd_invoice_send(g->ledgers[c->ledger], request_on(date_of(g, c)), used, 0, &r)
                     : crd_invoice_void(g->ledgers[c->ledger], request_on(date_of(g, c)), used,
                                        c->flags & 16 ? CRD_VOID_STRICT : 0, &r);
    }
    a = c->op == SEND ? naive_send(g->m, i, date_of(g, c))
                      : naive_void_invoice(g->m, i, (c->flags & 16) != 0, date_of(g, c));
    return compare_answer(g, c, status, &r, &a);
}

/* The a-th event of the wanted type, or any seq. */
static const naive_event *pick_event(const game *g, const command *c, uint32_t type) {
    int start;
    if (g->m->event_count == 0) return NULL;
    start = (int)(c->raw % (uint64_t)g->m->event_count);
    for (int n = 0; n < g->m->event_count; n++) {
        const naive_event *e = &g->m->events[(start + n) % g->m->event_count];
        if (e->type == type) return e;
    }
    return &g->m->events[start];
}

/* This model does not know what becomes of money that is taken back: its receipts are left alone. */
static int is_money(const naive *m, int account, int64_t seq) {
    for (int n = 0; n < m->event_count; n++) {
        const naive_event *e = &m->events[n];
        if (e->account == account && e->seq == seq)
            return e->type == CRD_ENTRY_RECEIPT && m->receipts[e->receipt].amount > 0;
    }
    return 0;
}

static const char *play_undo(game *g, const command *c) {
    const naive_event *e = pick_event(g, c, c->op == UNDO ? CRD_ENTRY_APPLY : CRD_ENTRY_RECEIPT);
    crd_result r = result_block();
    crd_status status = CRD_E_CONFLICT;
    naive_answer a;
    int64_t seq, amount = 0;
    int account;
    if (e == NULL) return NULL;
    account = e->account;
    seq = e->seq;
    if (c->flags % 16 == 3) seq = (int64_t)(c->raw / 3 % (uint64_t)(naive_last_seq(g->m, account) + 2)); /* any */
    if (is_money(g->m, account, seq)) return NULL;
    if (c->op == UNDO && c->flags % 3 != 0) amount = edge(c, naive_left(g->m, account, seq), 20);
    if (c->op == UNDO_RECEIPT && c->flags % 16 == 5) amount = 1;
    for (int n = 0; n < 2 && status == CRD_E_CONFLICT; n++)
        status = crd_undo(g->ledgers[c->ledger], request_on(date_of(g, c)), customers[account / 2],
                          currencies[account % 2], seq, amount, &r);
    a = naive_undo(g->m, account, seq, amount, date_of(g, c));
    return compare_answer(g, c, status, &r, &a);
}

static const char *play_reconcile(game *g, const command *c) {
    int who = c->a % 4 == 0 ? (int)(c->b % 2) : NONE, use_cash = c->flags & 1;
    const char *named[1];
    crd_plan_spec spec = plan_spec(use_cash ? CRD_PLAN_USE_CASH : 0, 0);
    crd_plan_result r = plan_result_block();
    naive_answer a;
    crd_status status;
    const char *problem;
    if (g->m->receipt_count >= NAIVE_DOCUMENTS - 8) return NULL;
    spec.date = date_of(g, c);
    named[0] = customers[who == NONE ? 0 : who];
    if (who != NONE) {
        spec.customers = named;
        spec.customer_count = 1;
    }
    status = crd_reconcile(g->ledgers[c->ledger], request_on(date_of(g, c)), &spec, &r);
    a = naive_reconcile(g->m, who, use_cash, date_of(g, c));
    problem = compare_answer(g, c, status, NULL, &a);
    if (problem != NULL || status != CRD_OK) return problem;
    DIFFERS("reconcile", "", "posted", r.posted, a.posted);
    DIFFERS("reconcile", "", "applications", r.applications, a.applications);
    return NULL;
}

static const char *play_close(game *g, const command *c) {
    crd_settings s;
    memset(&s, 0, sizeof s);
    s.struct_size = sizeof s;
    s.closed_through = c->raw % 3 == 0 ? 0 : g->today - 1 - (int32_t)(c->raw % 9);
    for (int n = 0; n < 2; n++)
        if (crd_ledger_configure(g->ledgers[n], &s) != CRD_OK) return differ(g, "configure");
    g->m->closed_through = s.closed_through;
    return NULL;
}

/* Begins a unit, or ends it one way or the other. */
static const char *play_unit(game *g, const command *c) {
    naive *m = g->m;
    crd_status status;
    if (g->unit == NONE) {
        drop_handles(g, c->ledger, 0, 0); /* those of an older version would be in the way */
        g->unit = c->ledger;
        g->kept_credits = m->credit_count;
        g->kept_invoices = m->invoice_count;
        g->kept_receipts = m->receipt_count;
        g->kept_events = m->event_count;
        if (crd_unit_begin(g->ledgers[c->ledger]) != CRD_OK) return differ(g, "begin");
        if (g->loud) printf("    unit begins\n");
        return NULL;
    }
    if (c->raw % 3 != 0) {
        status = crd_unit_commit(g->ledgers[g->unit]);
        if (status != CRD_OK)
            return differ(g, "commit: %s: %s", crd_status_name(status), crd_ledger_error(g->ledgers[g->unit])->message);
    } else {
        if (crd_unit_rollback(g->ledgers[g->unit]) != CRD_OK) return differ(g, "rollback");
        m->credit_count = g->kept_credits;
        m->invoice_count = g->kept_invoices;
        m->receipt_count = g->kept_receipts;
        m->event_count = g->kept_events;
        drop_handles(g, g->unit, m->credit_count, m->invoice_count);
    }
    if (g->loud) printf("    unit %s\n", c->raw % 3 != 0 ? "kept" : "given up");
    g->unit = NONE;
    return NULL;
}

static const char *play_one(game *g, const command *from) {
    command c = *from;
    if (g->unit != NONE) c.ledger = (uint8_t)g->unit;
    g->today += c.advance;
    switch (c.op) {
    case ISSUE: return play_issue(g, &c);
    case ENTER: return play_enter(g, &c);
    case APPLY:
    case OUTSIDE: return play_apply(g, &c);
    case VOID: return play_void(g, &c);
    case SEND:
    case VOID_INVOICE: return play_send(g, &c);
    case UNDO:
    case UNDO_RECEIPT: return play_undo(g, &c);
    case RECONCILE: return g->unit == NONE ? play_reconcile(g, &c) : NULL;
    case CLOSE: return play_close(g, &c);
    default: return play_unit(g, &c);
    }
}

/* NULL, or what differs; `at` tells after which command. */
static const char *play(int store, const command *list, size_t count, int loud, size_t *at) {
    static char problem[600];
    game *g = game_open(store);
    const char *found = NULL;
    size_t n;
    g->loud = loud;
    for (n = 0; n < count && found == NULL; n++) {
        found = play_one(g, &list[n]);
        if (found == NULL && g->unit == NONE) found = compare_book(g);
        if (found == NULL && g->unit == NONE) found = compare_balance(g, &list[n]);
    }
    if (g->unit != NONE && found == NULL) (void)crd_unit_rollback(g->ledgers[g->unit]);
    if (found == NULL) { /* the journal, too, entry by entry; and the proof */
        book *b = world_book(g->w);
        found = book_problem(b);
        if (found == NULL) found = ties_problem(g->ledgers[1], b);
        book_free(b);
        if (found == NULL && crd_ledger_verify(g->ledgers[1], NULL, NULL) != CRD_OK) found = "verify found differences";
    }
    if (found != NULL) snprintf(problem, sizeof problem, "%s", found);
    *at = n;
    game_close(g);
    return found != NULL ? problem : NULL;
}

/* ---- making and shortening ---- */

static void make_run(command *list, size_t count) {
    static const uint8_t weights[OPS] = {14, 14, 26, 5, 6, 5, 4, 12, 3, 5, 1, 5};
    for (size_t n = 0; n < count; n++) {
        command *c = &list[n];
        uint64_t turn = below(100);
        memset(c, 0, sizeof *c);
        while (turn >= weights[c->op]) turn -= weights[c->op++];
        c->ledger = (uint8_t)below(2);
        c->a = (uint8_t)next_random();
        c->b = (uint8_t)next_random();
        c->mode = (uint8_t)next_random();
        c->flags = (uint8_t)next_random();
        c->raw = next_random() >> 1;
        c->advance = below(4) == 0 ? (int8_t)below(4) : 0;
        c->offset = below(10) == 0 ? (int8_t)((int)below(9) - 5) : 0;
    }
}

static size_t shorten_once(int store, command *list, size_t count) {
    size_t at;
    for (size_t chunk = count / 2; chunk > 0; chunk /= 2) {
        for (size_t from = 0; from + chunk <= count;) {
            command *rest = malloc(count * sizeof *rest);
            ck_assert_ptr_nonnull(rest);
            memcpy(rest, list, from * sizeof *rest);
            memcpy(rest + from, list + from + chunk, (count - from - chunk) * sizeof *rest);
            if (play(store, rest, count - chunk, 0, &at) != NULL) {
                count -= chunk;
                memcpy(list, rest, count * sizeof *list);
            } else {
                from += chunk;
            }
            free(rest);
        }
    }
    return count;
}

/* Documents are picked by their number, so a command taken out changes what later ones mean: another round may help. */
static size_t shorten(int store, command *list, size_t count) {
    size_t before;
    do {
        before = count;
        count = shorten_once(store, list, count);
    } while (count < before);
    return count;
}

static void play_runs(int store, uint64_t seed, size_t commands) {
    command list[RUN];
    state = seed | 1;
    for (size_t done = 0; done < commands; done += RUN) {
        size_t at = 0, count = RUN;
        const char *problem;
        make_run(list, RUN);
        problem = play(store, list, RUN, 0, &at);
        if (problem == NULL) continue;
        printf("the model and the library differ: %s\nshortening %u commands…\n", problem, (unsigned)at);
        count = shorten(store, list, at);
        printf("the shortest run that still differs:\n");
        problem = play(store, list, count, 1, &at);
        fflush(stdout);
        ck_abort_msg("%s; repeat with CREDIT_TEST_SEED=%llu", problem != NULL ? problem : "(not any more)",
                     (unsigned long long)seed);
    }
}

static uint64_t first_seed(void) {
    const char *given = getenv("CREDIT_TEST_SEED");
    uint64_t seed = 20260115;
    if (given != NULL && *given != '\0') seed = strtoull(given, NULL, 10);
    else if (getenv("CREDIT_TEST_LONG") != NULL) seed = (uint64_t)time(NULL);
    printf("model: CREDIT_TEST_SEED=%llu\n", (unsigned long long)seed);
    fflush(stdout);
    return seed;
}

START_TEST(M1_M5_M6_M7_M8_M14_M15_M16_M17_random_commands_agree_with_a_naive_model) {
    size_t commands = getenv("CREDIT_TEST_LONG") != NULL ? 1000000 : 100000;
    if (_i == STORE_SQLITE) commands /= 20;
    play_runs(_i, first_seed() + (uint64_t)_i, commands);
    printf("DID %lu commands against a naive model, over %s\n", (unsigned long)commands,
           _i == STORE_MEMORY ? "memory" : "SQLite");
    fflush(stdout);
}
END_TEST

static Suite *make(void) {
    Suite *s = suite_create("model");
    TCase *t = tcase_create("model");
    tcase_set_timeout(t, 3600);
    tcase_add_loop_test(t, M1_M5_M6_M7_M8_M14_M15_M16_M17_random_commands_agree_with_a_naive_model, 0, STORES);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return world_main(make);
}
