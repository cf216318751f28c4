/*
 * The past: a random book of some years, with much entered late, dated back.
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

#define COMMANDS 420
#define SPAN 900 /* days */
#define CREDITS 90
#define INVOICES 70

static const char *const who[] = {"c1", "c2", "c3"};
static const char *const currency[] = {"EUR", "EUR", "JPY"};

enum { CREDIT, INVOICE, APPLY, OUTSIDE, VOID_CREDIT, VOID_INVOICE, SEND, UNDO, HOLD, RELEASE, CAPTURE, REVISE, WRITE_OFF,
       REFUND, TRANSFER, ADJUST, OPS };

/* One thing to do; it is done on any book that has what it names. What it wrote may be of several days: a cascade takes
 * the latest of all it touches, and what expired or lapsed is entered on its own day (rules M6, M7). */
typedef struct step {
    int op, done;
    int32_t date, first, last;
    int64_t instant;
    int credit, invoice, of; /* documents, and the step that is undone or made the hold */
    int64_t amount;
    crd_credit_terms credit_terms;
    crd_invoice_terms invoice_terms;
    int64_t lapses_at;
    char id[16], receipt[16];
} step;

typedef struct story {
    step steps[COMMANDS];
    int count;
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
                                     CRD_CREDIT_SERVICE, CRD_CREDIT_ADJUSTMENT};
    t->credit = n;
    snprintf(t->id, sizeof t->id, "K%d", n);
    t->credit_terms = credit_terms(t->id, kinds[random_below(s, 6)], 1 + (int64_t)random_below(s, 500));
    t->credit_terms.currency = currency[n % 3];
    t->credit_terms.notes = "never to be seen";
    if (t->credit_terms.kind == CRD_CREDIT_PREPAYMENT || t->credit_terms.kind == CRD_CREDIT_DEPOSIT) {
        snprintf(t->receipt, sizeof t->receipt, "R%d", n);
        t->credit_terms.receipt = t->receipt;
        t->credit_terms.method = random_below(s, 2) ? "check" : "card";
        t->credit_terms.payment_info = "no. 4711";
    }
    if (random_below(s, 3) == 0) t->credit_terms.expires = t->date + 1 + (int32_t)random_below(s, 200);
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

static int some_invoice(story *s, int count, int credit) {
    int invoice = -1;
    for (int tries = 0; tries < 40 && count > 0; tries++) {
        invoice = (int)random_below(s, (uint64_t)count);
        if (invoice % 3 == credit % 3) break;
    }
    return invoice;
}

/* The last day of what names one of two documents: nothing directly done to them may be earlier (rule M6). */
static int32_t last_touched(const story *s, int credit, int invoice, int32_t date) {
    for (int i = 0; i < s->count; i++) {
        const step *t = &s->steps[i];
        if (!t->done || t->last <= date) continue;
        if ((credit >= 0 && t->credit == credit) || (invoice >= 0 && t->invoice == invoice)) date = t->last;
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

static int make_step(story *s, step *t) {
    int credits = 0, invoices = 0, at;
    memset(t, 0, sizeof *t);
    for (int i = 0; i < s->count; i++) {
        credits += s->steps[i].op == CREDIT;
        invoices += s->steps[i].op == INVOICE;
    }
    t->credit = t->invoice = t->of = -1;
    t->date = DAY((int)((uint64_t)s->count * SPAN / COMMANDS));
    t->instant = INT64_C(86400000000) * t->date + (s->count + 1) * INT64_C(1000);
    if (random_below(s, 3) == 0) t->date -= (int32_t)random_below(s, 300);
    if (random_below(s, 6) == 0) t->date += (int32_t)random_below(s, 60);
    t->op = (int)random_below(s, OPS + 8);
    if (t->op >= OPS) t->op = (t->op - OPS) % 4 == 0 ? CREDIT : (t->op - OPS) % 4 == 1 ? INVOICE : APPLY;
    if (t->op == CREDIT) {
        if (credits < CREDITS) make_credit(s, t, credits);
        return credits < CREDITS;
    }
    if (t->op == INVOICE) {
        if (invoices < INVOICES) make_invoice(s, t, invoices);
        return invoices < INVOICES;
    }
    if (random_below(s, 2)) t->amount = 1 + (int64_t)random_below(s, 200);
    if (t->op == UNDO || t->op == RELEASE || t->op == CAPTURE) {
        at = earlier(s, t->op == UNDO ? 1u << APPLY | 1u << OUTSIDE | 1u << CAPTURE | 1u << WRITE_OFF | 1u << REFUND | 1u << TRANSFER
                                       : 1u << HOLD);
        if (at < 0) return 0;
        t->of = at;
        t->credit = s->steps[at].credit;
        if (t->credit < 0) t->invoice = s->steps[at].invoice;
        if (t->op == CAPTURE && random_below(s, 4) != 0) t->invoice = some_invoice(s, invoices, t->credit);
        if (random_below(s, 5) != 0) t->date = last_touched(s, t->credit, t->invoice, t->date);
        return 1;
    }
    if (credits == 0 || invoices == 0) return 0;
    t->credit = (int)random_below(s, (uint64_t)credits);
    t->invoice = t->op == OUTSIDE || t->op == VOID_CREDIT || t->op >= REFUND || (t->op == HOLD && random_below(s, 2))
                     ? -1
                 : t->op == HOLD || t->op == SEND ? some_draft(s, invoices, t->credit)
                                                  : some_invoice(s, invoices, t->credit);
    if (t->op == HOLD) {
        snprintf(t->id, sizeof t->id, "H%d", s->count);
        if (t->invoice < 0 && random_below(s, 2))
            t->lapses_at = t->instant + INT64_C(86400000000) * (1 + (int64_t)random_below(s, 60));
    }
    if (t->op == TRANSFER || t->op == ADJUST) snprintf(t->id, sizeof t->id, "X%d", s->count);
    if (t->op == VOID_INVOICE || t->op == SEND || t->op == REVISE || t->op == WRITE_OFF) t->credit = -1;
    if (random_below(s, 5) != 0) t->date = last_touched(s, t->credit, t->invoice, t->date);
    return t->op != VOID_INVOICE || random_below(s, 3) == 0;
}

static int last_day(stage *g, int account) {
    book *b = world_book(g->w);
    int day = book_account(b, who[account], currency[account])->last_date - DAY_ZERO;
    book_free(b);
    return day;
}

static story *story_of(uint64_t seed) {
    story *s = calloc(1, sizeof *s);
    if (s == NULL) abort();
    s->state = seed * UINT64_C(0x9e3779b97f4a7c15) + UINT64_C(88172645463325252);
    return s;
}

static void next_step(stage *g, story *s) {
    step *t = &s->steps[s->count];
    while (!make_step(s, t)) {}
    t->done = do_step(g, s, s->count) == CRD_OK;
    if (t->op == CREDIT || t->op == INVOICE) ENDS(g->w->ledger, t->done ? CRD_OK : CRD_E_STATE, CRD_OK);
    read_days(g, t);
    s->count++;
}

static story *make_story(stage *g, uint64_t seed) {
    story *s = story_of(seed);
    while (s->count < COMMANDS) next_step(g, s);
    return s;
}

/* ---- R62, by date ---- */

/* 1 when it could be compared: not when a step entered what expired or lapsed on or before the day, and was itself done
 * later. The figures are the same then, but one book says it in the journal and the other does not. */
static int compare_day(stage *whole, story *s, int day, int from) {
    stage *part;
    char *cut, *only;
    int32_t date = DAY(day);
    for (int i = 0; i < s->count; i++)
        if (s->steps[i].done && s->steps[i].first <= date && s->steps[i].last > date) return 0;
    part = stage_open(STORE_MEMORY);
    for (int i = 0; i < s->count; i++)
        if (s->steps[i].done && s->steps[i].last <= date) ENDS(part->w->ledger, do_step(part, s, i), CRD_OK);
    cut = all_reports(whole->w->ledger, DAY(from), date, 0);
    only = all_reports(part->w->ledger, DAY(from), date, 0);
    same_text(cut, only, "as of a day, and on a book with nothing later", day);
    free(cut);
    free(only);
    stage_close(part);
    return 1;
}

START_TEST(R62_M6_a_report_as_of_a_day_is_that_of_a_book_with_nothing_later) {
    int stride = is_long() ? 1 : _i == STORE_MEMORY ? 61 : 211;
    for (uint64_t seed = 1; seed <= (is_long() ? 5 : 2); seed++) {
        stage *g = stage_open(_i);
        story *s = make_story(g, seed);
        int done = 0, days = 0, compared = 0;
        for (int i = 0; i < s->count; i++) done += s->steps[i].done;
        ck_assert_int_gt(done, COMMANDS / 3);
        world_check(g->w);
        for (int day = -320; day < SPAN + 80; day += stride, days++) compared += compare_day(g, s, day, day - day % 90 - 90);
        ck_assert_int_gt(compared, days / 2);
        /* about the day from which on the accounts stand as they are stored */
        for (int n = 0; n < 3; n++)
            for (int day = last_day(g, n) - 2; day <= last_day(g, n) + 1; day++) (void)compare_day(g, s, day, day - 40);
        free(s);
        stage_close(g);
    }
}
END_TEST

/* ---- R62, by what was known ---- */

typedef struct memory_of {
    int64_t instant;
    int32_t from, to;
    char *text;
} memory_of;

START_TEST(R62_a_report_as_known_at_an_instant_is_the_one_taken_then) {
    static memory_of taken[COMMANDS];
    int stride = is_long() ? 1 : 13;
    for (uint64_t seed = 11; seed <= (is_long() ? 14 : 11); seed++) {
        stage *g = stage_open(_i);
        story *s = story_of(seed);
        int count = 0;
        while (s->count < COMMANDS) {
            step *t = &s->steps[s->count];
            next_step(g, s);
            if (s->count % 50 == 0) {
                crd_plan_spec plan = plan_spec(CRD_PLAN_USE_CASH, 0);
                crd_request r = *on(0);
                plan.date = r.business_date = t->date;
                r.instant = t->instant + 1;
                OK(g->w, crd_reconcile(g->w->ledger, &r, &plan, NULL));
            }
            if (s->count % stride != 0) continue;
            taken[count].instant = t->instant + 2;
            taken[count].to = DAY((int)random_below(s, SPAN) - 100);
            taken[count].from = taken[count].to - (int32_t)random_below(s, 200);
            taken[count].text = all_reports(g->w->ledger, taken[count].from, taken[count].to, 0);
            count++;
        }
        for (int i = 0; i < count; i++) {
            char *now = all_reports(g->w->ledger, taken[i].from, taken[i].to, taken[i].instant);
            same_text(now, taken[i].text, "as known then, and taken then", i);
            free(now);
            free(taken[i].text);
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
        second = opened(g->w->ledger, &other);
        ENDS(g->w->ledger, crd_report_next(second, &row), CRD_OK);
        ck_assert_int_eq(row != NULL ? row->amount : 0, closing);
        crd_report_close(second);
        if (last == NULL) continue;
        other = report_spec(CRD_REPORT_STATEMENT, 0, from - 1, 0);
        other.customer = who[n];
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
    int64_t opening = 0, closing = 0, cash = 0;
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
        if (row->credit_class == CRD_CLASS_CASH) cash += sum;
    }
    crd_report_close(report);
    ck_assert_int_eq(sum_of(g, CRD_REPORT_TOTALS, 0, to, CRD_TOTALS_BALANCE), closing);
    ck_assert_int_eq(sum_of(g, CRD_REPORT_TOTALS, 0, from - 1, CRD_TOTALS_BALANCE), opening);
    ck_assert_int_eq(sum_of(g, CRD_REPORT_REVENUE, from, to, CRD_REVENUE_UNEARNED), cash);
}

START_TEST(R54_R79_statement_aging_totals_and_roll_forward_say_the_same) {
    int stride = is_long() ? 1 : 37;
    stage *g = stage_open(_i);
    story *s = make_story(g, 7);
    for (int day = -200; day < SPAN + 80; day += stride) {
        check_statements(g, DAY(day - 60), DAY(day));
        check_roll(g, DAY(day - 60), DAY(day));
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
    tcase_add_loop_test(t, R54_R79_statement_aging_totals_and_roll_forward_say_the_same, 0, STORES);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return world_main(make);
}
