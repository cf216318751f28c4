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

#define COMMANDS 260
#define SPAN 900 /* days */
#define CREDITS 90
#define INVOICES 70

static const char *const who[] = {"c1", "c2", "c3"};
static const char *const currency[] = {"EUR", "EUR", "JPY"};

enum { CREDIT, INVOICE, APPLY, OUTSIDE, VOID_CREDIT, VOID_INVOICE, SEND, UNDO, OPS };

/* One thing to do; it is done on any book that has what it names. `day` is the day it happened, once it has. */
typedef struct step {
    int op, done;
    int32_t date;
    int64_t instant;
    int credit, invoice, undoes; /* documents, and the step whose application is undone */
    int64_t amount;
    crd_credit_terms credit_terms;
    crd_invoice_terms invoice_terms;
    char id[16], receipt[16];
} step;

typedef struct story {
    step steps[COMMANDS];
    int count;
    uint64_t state;
} story;

typedef struct stage {
    world *w;
    int64_t seq[COMMANDS]; /* of the application that a step made */
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

static crd_status with_credit(stage *g, const step *s, const crd_request *r, const char *id, crd_result *out) {
    const char *customer = who[account_of(s)];
    char name[16];
    crd_credit *k = NULL;
    crd_invoice *v = NULL;
    crd_status status = crd_credit_find(g->w->ledger, customer, id, &k);
    if (status == CRD_OK && s->op == APPLY) {
        snprintf(name, sizeof name, "I%d", s->invoice);
        status = crd_invoice_find(g->w->ledger, customer, name, &v);
    }
    if (status == CRD_OK && s->op == VOID_CREDIT) status = crd_credit_void(g->w->ledger, r, k, s->amount, 0, out);
    if (status == CRD_OK && s->op != VOID_CREDIT)
        status = try_apply(g->w->ledger, k, v, s->amount, CRD_APPLY_CLAMP, r, out);
    crd_credit_free(k);
    crd_invoice_free(v);
    return status;
}

static crd_status with_invoice(stage *g, const step *s, const crd_request *r, crd_result *out) {
    crd_invoice *v = NULL;
    char name[16];
    crd_status status;
    snprintf(name, sizeof name, "I%d", s->invoice);
    status = crd_invoice_find(g->w->ledger, who[account_of(s)], name, &v);
    if (status == CRD_OK)
        status = s->op == SEND ? crd_invoice_send(g->w->ledger, r, v, 0, out)
                               : crd_invoice_void(g->w->ledger, r, v, 0, out);
    crd_invoice_free(v);
    return status;
}

static crd_status do_step(stage *g, step *s, int at) {
    crd_request r;
    crd_result out = result_block();
    const char *customer = who[account_of(s)];
    char name[16];
    crd_status status;
    memset(&r, 0, sizeof r);
    r.struct_size = sizeof r;
    r.actor = "clerk";
    r.note = "a note of the house";
    r.business_date = s->date;
    r.instant = s->instant;
    snprintf(name, sizeof name, "K%d", s->credit);
    switch (s->op) {
    case CREDIT:
        s->credit_terms.id = s->id;
        if (s->credit_terms.receipt != NULL) s->credit_terms.receipt = s->receipt;
        status = crd_credit_issue(g->w->ledger, &r, customer, &s->credit_terms, NULL);
        break;
    case INVOICE:
        s->invoice_terms.id = s->id;
        status = crd_invoice_enter(g->w->ledger, &r, customer, &s->invoice_terms, NULL);
        break;
    case VOID_INVOICE:
    case SEND: status = with_invoice(g, s, &r, &out); break;
    case UNDO:
        status = crd_undo(g->w->ledger, &r, customer, currency[account_of(s)], g->seq[s->undoes], s->amount, &out);
        break;
    default: status = with_credit(g, s, &r, name, &out); break;
    }
    if (s->op == APPLY || s->op == OUTSIDE) g->seq[at] = out.first_seq;
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
        r.instant = INT64_C(86400000000) * DAY_ZERO;
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
    if (random_below(s, 5) == 0) t->invoice_terms.flags = CRD_INVOICE_AS_DRAFT;
    if (random_below(s, 6) == 0) t->invoice_terms.kind = CRD_INVOICE_FINANCE_CHARGE;
}

/* An earlier step of an operation; −1 when there is none. */
static int earlier(story *s, int op, int other) {
    for (int tries = 0; tries < 60 && s->count > 0; tries++) {
        int at = (int)random_below(s, (uint64_t)s->count);
        if (s->steps[at].op == op || s->steps[at].op == other) return at;
    }
    return -1;
}

static int make_step(story *s, step *t) {
    int credits = 0, invoices = 0, at;
    memset(t, 0, sizeof *t);
    for (int i = 0; i < s->count; i++) {
        credits += s->steps[i].op == CREDIT;
        invoices += s->steps[i].op == INVOICE;
    }
    t->credit = t->invoice = t->undoes = -1;
    t->date = DAY((int)((uint64_t)s->count * SPAN / COMMANDS));
    if (random_below(s, 3) == 0) t->date -= (int32_t)random_below(s, 300);
    if (random_below(s, 6) == 0) t->date += (int32_t)random_below(s, 60);
    t->instant = INT64_C(86400000000) * DAY_ZERO + (s->count + 1) * INT64_C(1000);
    t->op = (int)random_below(s, OPS + 4);
    if (t->op >= OPS) t->op = t->op % 2 ? APPLY : t->op == OPS ? CREDIT : INVOICE;
    if (t->op == CREDIT) {
        if (credits < CREDITS) make_credit(s, t, credits);
        return credits < CREDITS;
    }
    if (t->op == INVOICE) {
        if (invoices < INVOICES) make_invoice(s, t, invoices);
        return invoices < INVOICES;
    }
    if (random_below(s, 2)) t->amount = 1 + (int64_t)random_below(s, 200);
    if (t->op == UNDO) {
        at = earlier(s, APPLY, OUTSIDE);
        if (at < 0) return 0;
        t->undoes = at;
        t->credit = s->steps[at].credit;
        if (random_below(s, 2) && t->date < s->steps[at].date) t->date = s->steps[at].date;
        return 1;
    }
    if (credits == 0 || invoices == 0) return 0;
    t->credit = (int)random_below(s, (uint64_t)credits);
    for (int tries = 0; tries < 30; tries++) {
        t->invoice = (int)random_below(s, (uint64_t)invoices);
        if (t->invoice % 3 == t->credit % 3) break;
    }
    if (t->op == VOID_INVOICE || t->op == SEND) t->credit = -1;
    if (t->op == VOID_INVOICE && random_below(s, 3)) return 0;
    return t->credit < 0 || t->invoice % 3 == t->credit % 3;
}

/* Whether what a step wrote lies on its day: a cascade takes the latest day of all it touches (rule M6), and what had
 * expired is entered on a day of its own. Then the step is told as having happened on the latest of them. */
static int32_t day_of(stage *g, int account, int64_t after) {
    book *b = world_book(g->w);
    int32_t day = 0;
    const crd_account_record *a = book_account(b, who[account], currency[account]);
    for (int64_t seq = after + 1; a != NULL && seq <= a->last_seq; seq++) {
        int32_t date = book_entry(b, who[account], currency[account], seq)->business_date;
        if (date > day) day = date;
    }
    book_free(b);
    return day;
}

static int64_t last_seq_of(stage *g, int account) {
    book *b = world_book(g->w);
    const crd_account_record *a = book_account(b, who[account], currency[account]);
    int64_t seq = a != NULL ? a->last_seq : 0;
    book_free(b);
    return seq;
}

static int last_day(stage *g, int account) {
    book *b = world_book(g->w);
    int day = book_account(b, who[account], currency[account])->last_date - DAY_ZERO;
    book_free(b);
    return day;
}

static story *make_story(stage *g, uint64_t seed) {
    story *s = calloc(1, sizeof *s);
    if (s == NULL) abort();
    s->state = seed * UINT64_C(0x9e3779b97f4a7c15) + 88172645463325252u;
    while (s->count < COMMANDS) {
        step *t = &s->steps[s->count];
        int64_t before;
        if (!make_step(s, t)) continue;
        before = t->op == VOID_INVOICE ? last_seq_of(g, account_of(t)) : 0;
        t->done = do_step(g, t, s->count) == CRD_OK;
        if (t->done && t->op == VOID_INVOICE) t->date = day_of(g, account_of(t), before);
        if (t->op == CREDIT || t->op == INVOICE) ck_assert_int_eq(t->done, 1);
        s->count++;
    }
    return s;
}

/* ---- R62, by date ---- */

static void compare_day(stage *whole, story *s, int day, int from) {
    stage *part = stage_open(STORE_MEMORY);
    char *cut, *only;
    int32_t date = DAY(day);
    for (int i = 0; i < s->count; i++)
        if (s->steps[i].done && s->steps[i].date <= date) ENDS(part->w->ledger, do_step(part, &s->steps[i], i), CRD_OK);
    cut = all_reports(whole->w->ledger, DAY(from), date, 0);
    only = all_reports(part->w->ledger, DAY(from), date, 0);
    same_text(cut, only, "as of a day, and on a book with nothing later", day);
    free(cut);
    free(only);
    stage_close(part);
}

START_TEST(R62_M6_a_report_as_of_a_day_is_that_of_a_book_with_nothing_later) {
    int stride = is_long() ? 1 : _i == STORE_MEMORY ? 61 : 211;
    for (uint64_t seed = 1; seed <= (is_long() ? 5 : 2); seed++) {
        stage *g = stage_open(_i);
        story *s = make_story(g, seed);
        int done = 0;
        for (int i = 0; i < s->count; i++) done += s->steps[i].done;
        ck_assert_int_gt(done, COMMANDS / 2);
        world_check(g->w);
        for (int day = -320; day < SPAN + 80; day += stride) compare_day(g, s, day, day - day % 90 - 90);
        /* about the day from which on the accounts stand as they are stored */
        for (int n = 0; n < 3; n++)
            for (int day = last_day(g, n) - 2; day <= last_day(g, n) + 1; day++) compare_day(g, s, day, day - 40);
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
        story *s = calloc(1, sizeof *s);
        int count = 0;
        ck_assert_ptr_nonnull(s);
        s->state = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
        while (s->count < COMMANDS) {
            step *t = &s->steps[s->count];
            if (!make_step(s, t)) continue;
            t->done = do_step(g, t, s->count) == CRD_OK;
            s->count++;
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
