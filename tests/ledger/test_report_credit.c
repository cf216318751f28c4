/*
 * Reports on credits and payments: totals, the credit report, occasions, payments, roll-forward, takings, revenue. Every
 * figure expected here is worked out by hand from the story above it.
 */
#include "support/paying.h"
#include "support/rows.h"

#include <string.h>

/* Cash P 120 on day 0 by check, memo M 50 on day 5, promise G 30 from day 10 until day 40, its source a campaign. I 100
 * of day 1, a finance charge F 20 of day 2. P pays 60 of I on day 3 and 20 of F on day 12; M pays 10 of I on day 6, 15
 * outside on day 7; 20 of P's 60 come back on day 20; 5 of M are voided on day 21. */
static void tell(world *w) {
    crd_credit_terms t = credit_terms("P", CRD_CREDIT_PREPAYMENT, 120);
    crd_credit *p = NULL, *m, *g = NULL;
    crd_invoice *i, *f;
    int64_t seq;
    customer(w, "c1");
    customer(w, "c2");
    t.receipt = "R";
    t.method = "check";
    t.payment_info = "no. 77";
    t.reason = NULL;
    OK(w, crd_credit_issue(w->ledger, on(0), "c1", &t, &p));
    i = invoice(w, "c1", "I", 100, 1, 11);
    f = invoice_as(w, "c1", "F", CRD_INVOICE_FINANCE_CHARGE, 20, 2, 2, 0);
    seq = apply(w, p, i, 60, 3);
    m = memo(w, "c1", "M", 50, 5);
    apply(w, m, i, 10, 6);
    apply(w, m, NULL, 15, 7);
    t = credit_terms("G", CRD_CREDIT_GOODWILL, 30);
    t.source = "campaign";
    t.expires = DAY(40);
    t.notes = "a difficult customer";
    OK(w, crd_credit_issue(w->ledger, on(10), "c1", &t, &g));
    apply(w, p, f, 20, 12);
    undo(w, "c1", seq, 20, 20);
    void_credit(w, m, 5, 21);
    crd_credit_free(p);
    crd_credit_free(m);
    crd_credit_free(g);
    crd_invoice_free(i);
    crd_invoice_free(f);
}

static world *told(int store) {
    world *w = world_open(store);
    tell(w);
    return w;
}

START_TEST(R23_totals_by_nothing_by_source_by_state_by_class) {
    static const struct {
        const char *source;
        int64_t figures[CRD_TOTALS_FIGURES];
    } sources[] = {
        {"campaign", {1, 30, 30, 1, 30, 0}},
        {"credit memo", {1, 20, 20, 1, 50, 25}},
        {"prepayment", {1, 60, 60, 1, 120, 60}},
    };
    world *w = told(_i);
    crd_report_spec spec = report_spec(CRD_REPORT_TOTALS, 0, DAY(30), 0);
    cursor c = cursor_open(w, &spec);
    FIGURES_ARE(cursor_next(&c), 3, 110, 110, 3, 200, 85);
    ck_assert_str_eq(c.row->currency, "EUR");
    ck_assert_str_eq(c.row->customer, "");
    ck_assert_int_eq(c.row->amount, 110);
    cursor_end(&c);
    spec.by = CRD_BY_SOURCE;
    c = cursor_open(w, &spec);
    for (size_t n = 0; n < 3; n++) {
        ck_assert_ptr_nonnull(cursor_next(&c));
        ck_assert_str_eq(c.row->source, sources[n].source);
        for (int k = 0; k < CRD_TOTALS_FIGURES; k++) ck_assert_int_eq(c.row->figures[k], sources[n].figures[k]);
    }
    cursor_end(&c);
    /* the promise has expired on day 40, though nothing says so yet */
    spec.by = CRD_BY_STATE;
    spec.date = DAY(40);
    c = cursor_open(w, &spec);
    FIGURES_ARE(cursor_next(&c), 2, 80, 80, 2, 170, 85);
    ck_assert_uint_eq(c.row->state, CRD_CREDIT_ACTIVE);
    ck_assert_int_eq(c.row->expired, 0);
    FIGURES_ARE(cursor_next(&c), 0, 0, 0, 1, 30, 0);
    ck_assert_uint_eq(c.row->state, CRD_CREDIT_VOIDED);
    ck_assert_int_eq(c.row->expired, 30);
    cursor_end(&c);
    spec.by = CRD_BY_CUSTOMER | CRD_BY_CLASS;
    spec.source = "campaign";
    spec.date = DAY(9);
    c = cursor_open(w, &spec);
    cursor_end(&c);
    spec.date = DAY(10);
    c = cursor_open(w, &spec);
    FIGURES_ARE(cursor_next(&c), 1, 30, 30, 1, 30, 0);
    ck_assert_str_eq(c.row->customer, "c1");
    ck_assert_uint_eq(c.row->credit_class, CRD_CLASS_PROMISE);
    cursor_end(&c);
    world_close(w);
}
END_TEST

START_TEST(R24_M7_a_credit_past_its_expiry_is_listed_as_voided) {
    world *w = told(_i);
    crd_report_spec spec = report_spec(CRD_REPORT_CREDITS, 0, DAY(40), 0);
    cursor c;
    spec.states = 1u << CRD_CREDIT_VOIDED;
    c = cursor_open(w, &spec);
    ck_assert_str_eq(cursor_next(&c)->id, "G");
    ck_assert_int_eq(c.row->amount, 0);
    ck_assert_int_eq(c.row->expired, 30);
    ck_assert_uint_eq(c.row->state, CRD_CREDIT_VOIDED);
    cursor_end(&c);
    spec.date = DAY(39);
    c = cursor_open(w, &spec);
    cursor_end(&c);
    spec.states = 1u << CRD_CREDIT_ACTIVE;
    c = cursor_open(w, &spec);
    ck_assert_str_eq(cursor_next(&c)->id, "G");
    ck_assert_str_eq(cursor_next(&c)->id, "M");
    ck_assert_str_eq(cursor_next(&c)->id, "P");
    cursor_end(&c);
    spec.date = DAY(40);
    spec.source = "credit memo";
    c = cursor_open(w, &spec);
    ck_assert_str_eq(cursor_next(&c)->id, "M");
    cursor_end(&c);
    world_close(w);
}
END_TEST

START_TEST(R5_the_credit_report_tells_who_when_and_why) {
    static const struct {
        uint32_t type;
        const char *credit;
        int64_t amount;
        int day;
    } lines[] = {{CRD_ENTRY_ISSUE, "P", 120, 0},
                 {CRD_ENTRY_ISSUE, "M", 50, 5},
                 {CRD_ENTRY_ISSUE, "G", 30, 10},
                 {CRD_ENTRY_VOID, "M", -5, 21}};
    world *w = told(_i);
    crd_report_spec spec = report_spec(CRD_REPORT_CREDIT_ENTRIES, 0, DAY(50), 0);
    cursor c = cursor_open(w, &spec);
    for (size_t n = 0; n < 4; n++) {
        ck_assert_ptr_nonnull(cursor_next(&c));
        ck_assert_uint_eq(c.row->entry->type, lines[n].type);
        ck_assert_str_eq(c.row->credit->id, lines[n].credit);
        ck_assert_int_eq(c.row->amount, lines[n].amount);
        ck_assert_int_eq(c.row->date, DAY(lines[n].day));
        ck_assert_str_eq(c.row->entry->actor, "clerk");
        ck_assert_int_gt(c.row->entry->instant, 0);
    }
    ck_assert_str_eq(c.row->credit->reason, "agreed by phone");
    ck_assert_ptr_nonnull(cursor_next(&c)); /* what expired, in a line of its own */
    ck_assert_uint_eq(c.row->line, CRD_LINE_EXPIRED);
    ck_assert_str_eq(c.row->credit->id, "G");
    ck_assert_int_eq(c.row->amount, -30);
    ck_assert_int_eq(c.row->date, DAY(40));
    cursor_end(&c);
    spec.date_from = DAY(6);
    spec.date = DAY(39);
    c = cursor_open(w, &spec);
    ck_assert_str_eq(cursor_next(&c)->credit->id, "G");
    ck_assert_str_eq(cursor_next(&c)->credit->id, "M");
    cursor_end(&c);
    world_close(w);
}
END_TEST

/* Every line that a bounce leaves on the credit report says why: what had been applied, and what was left. */
START_TEST(R5_the_credit_report_tells_why_a_payment_bounced) {
    world *w = world_open(_i);
    crd_report_spec spec = report_spec(CRD_REPORT_CREDIT_ENTRIES, 0, DAY(9), 0);
    crd_reverse_terms t;
    crd_credit *p;
    crd_invoice *i;
    crd_receipt *r;
    cursor c;
    int reversed = 0;
    int64_t sum = 0;
    customer(w, "c1");
    p = cash(w, "c1", "P", 100, 0);
    i = invoice(w, "c1", "I", 30, 0, 30);
    apply(w, p, i, 30, 1);
    r = find_receipt(w->ledger, "c1", crd_credit_get(p)->receipt);
    memset(&t, 0, sizeof t);
    t.struct_size = sizeof t;
    t.reason = "account closed";
    OK(w, crd_receipt_reverse(w->ledger, on(3), r, &t, NULL));
    world_check(w);
    c = cursor_open(w, &spec);
    while (cursor_next(&c) != NULL) {
        if (c.row->entry->type != CRD_ENTRY_REVERSE) continue;
        ck_assert_str_eq(c.row->entry->reference, "account closed");
        ck_assert_str_eq(c.row->entry->actor, "clerk");
        sum += c.row->amount;
        reversed++;
    }
    ck_assert_int_eq(reversed, 2);
    ck_assert_int_eq(sum, -100);
    cursor_end(&c);
    crd_credit_free(p);
    crd_invoice_free(i);
    crd_receipt_free(r);
    world_close(w);
}
END_TEST

START_TEST(R18_M12_occasions_name_the_document_the_credit_came_from) {
    world *w = told(_i);
    crd_report_spec spec = report_spec(CRD_REPORT_OCCASIONS, 0, DAY(50), 0);
    cursor c = cursor_open(w, &spec);
    crd_credit_terms t = credit_terms("S", CRD_CREDIT_SERVICE, 7);
    ck_assert_int_eq(cursor_next(&c)->amount, 120);
    ck_assert_str_eq(c.row->origin, "R");
    ck_assert_int_eq(cursor_next(&c)->amount, 50);
    ck_assert_int_eq(cursor_next(&c)->amount, 30);
    ck_assert_str_eq(c.row->source, "campaign");
    ck_assert_int_eq(cursor_next(&c)->amount, 20); /* of the payment, from the sale */
    ck_assert_uint_eq(c.row->entry->type, CRD_ENTRY_UNAPPLY);
    ck_assert_str_eq(c.row->origin, "I");
    ck_assert_str_eq(c.row->source, "overpayment");
    ck_assert_str_eq(c.row->credit->id, "P");
    cursor_end(&c);
    t.origin = "ticket 5";
    OK(w, crd_credit_issue(w->ledger, on(51), "c2", &t, NULL));
    spec = report_spec(CRD_REPORT_OCCASIONS, DAY(51), DAY(51), 0);
    c = cursor_open(w, &spec);
    ck_assert_str_eq(cursor_next(&c)->customer, "c2");
    ck_assert_str_eq(c.row->origin, "ticket 5");
    cursor_end(&c);
    world_close(w);
}
END_TEST

START_TEST(R18_M8_money_that_returns_to_an_ended_promise_is_no_occasion) {
    world *w = world_open(_i);
    crd_credit *g, *e, *m;
    crd_invoice *i;
    crd_report_spec spec = report_spec(CRD_REPORT_OCCASIONS, DAY(1), DAY(60), 0);
    cursor c;
    customer(w, "c1");
    g = credit(w, "c1", "G", CRD_CREDIT_GOODWILL, 30, 0);
    e = promise(w, "c1", "E", 40, 0, 20);
    m = memo(w, "c1", "M", 50, 0);
    i = invoice(w, "c1", "I", 100, 0, 10);
    apply(w, g, i, 10, 2);
    apply(w, e, i, 15, 2);
    apply(w, m, i, 25, 2);
    void_credit(w, g, 0, 3);
    void_credit(w, m, 0, 3);
    void_invoice(w, i, 30);
    c = cursor_open(w, &spec);
    ck_assert_int_eq(cursor_next(&c)->amount, 25); /* a voided memo lives again; the promise and what expired do not */
    ck_assert_str_eq(c.row->credit->id, "M");
    ck_assert_str_eq(c.row->origin, "I");
    cursor_end(&c);
    crd_credit_free(g);
    crd_credit_free(e);
    crd_credit_free(m);
    crd_invoice_free(i);
    world_close(w);
}
END_TEST

START_TEST(R19_M3_payments_with_the_current_and_the_applied_part) {
    world *w = told(_i);
    crd_report_spec spec = report_spec(CRD_REPORT_PAYMENTS, 0, 0, 0);
    cursor c = cursor_open(w, &spec);
    FIGURES_ARE(cursor_next(&c), 120, 60, 60);
    ck_assert_str_eq(c.row->receipt->id, "R");
    ck_assert_str_eq(c.row->credit->id, "P");
    ck_assert_str_eq(c.row->method, "check");
    cursor_end(&c);
    spec.date = DAY(3);
    c = cursor_open(w, &spec);
    FIGURES_ARE(cursor_next(&c), 120, 60, 60);
    cursor_end(&c);
    spec.date = DAY(2);
    c = cursor_open(w, &spec);
    FIGURES_ARE(cursor_next(&c), 120, 120, 0);
    cursor_end(&c);
    spec.date_from = DAY(1);
    c = cursor_open(w, &spec);
    cursor_end(&c);
    world_close(w);
}
END_TEST

START_TEST(R6_M4_revenue_is_what_money_pays_on_the_day_it_does) {
    world *w = told(_i);
    crd_report_spec spec = report_spec(CRD_REPORT_REVENUE, 0, DAY(50), 0);
    cursor c = cursor_open(w, &spec);
    FIGURES_ARE(cursor_next(&c), 40, 20, 60);
    ck_assert_int_eq(c.row->amount, 60);
    cursor_end(&c);
    spec.date = DAY(11);
    c = cursor_open(w, &spec);
    FIGURES_ARE(cursor_next(&c), 60, 0, 60);
    cursor_end(&c);
    spec.date_from = DAY(13);
    spec.date = DAY(20);
    spec.by = CRD_BY_CUSTOMER;
    c = cursor_open(w, &spec);
    FIGURES_ARE(cursor_next(&c), -20, 0, 60);
    ck_assert_str_eq(c.row->customer, "c1");
    cursor_end(&c);
    world_close(w);
}
END_TEST

START_TEST(R80_takings_by_day_and_method_with_references) {
    world *w = told(_i);
    crd_report_spec spec = report_spec(CRD_REPORT_TAKINGS, 0, DAY(50), 0);
    crd_credit_terms t = credit_terms(NULL, CRD_CREDIT_DEPOSIT, 8);
    cursor c;
    t.reason = NULL;
    t.method = "card";
    t.reference = "order 9";
    t.receipt = "R2";
    OK(w, crd_credit_issue(w->ledger, on(0), "c2", &t, NULL));
    t.receipt = "R3";
    t.amount = 5;
    OK(w, crd_credit_issue(w->ledger, on(30), "c1", &t, NULL));
    c = cursor_open(w, &spec);
    ck_assert_int_eq(cursor_next(&c)->amount, 8);
    ck_assert_str_eq(c.row->method, "card");
    ck_assert_str_eq(c.row->reference, "order 9");
    ck_assert_str_eq(c.row->receipt->id, "R2");
    ck_assert_int_eq(cursor_next(&c)->amount, 120);
    ck_assert_str_eq(c.row->method, "check");
    ck_assert_str_eq(c.row->reference, "no. 77");
    ck_assert_str_eq(c.row->customer, "c1");
    ck_assert_uint_eq(c.row->entry->type, CRD_ENTRY_RECEIPT);
    ck_assert_int_eq(cursor_next(&c)->amount, 5);
    ck_assert_int_eq(c.row->date, DAY(30));
    cursor_end(&c);
    spec.by = CRD_BY_METHOD;
    c = cursor_open(w, &spec);
    FIGURES_ARE(cursor_next(&c), 13, 0, 0);
    ck_assert_str_eq(c.row->method, "card");
    FIGURES_ARE(cursor_next(&c), 120, 0, 0);
    cursor_end(&c);
    spec.by = 0;
    spec.method = "check";
    c = cursor_open(w, &spec);
    ck_assert_int_eq(cursor_next(&c)->amount, 120);
    cursor_end(&c);
    world_close(w);
}
END_TEST

START_TEST(R79_a_roll_forward_ties) {
    world *w = told(_i);
    crd_report_spec spec = report_spec(CRD_REPORT_ROLL_FORWARD, DAY(6), DAY(39), 0);
    cursor c = cursor_open(w, &spec);
    /*                        opening issued in applied refunded voided expired adjusted reversed out returned closing */
    FIGURES_ARE(cursor_next(&c), 60, 0, 0, 20, 0, 0, 0, 0, 0, 0, 20, 60);
    ck_assert_uint_eq(c.row->credit_class, CRD_CLASS_CASH);
    ck_assert_str_eq(c.row->source, "prepayment");
    FIGURES_ARE(cursor_next(&c), 50, 0, 0, 25, 0, 5, 0, 0, 0, 0, 0, 20);
    ck_assert_uint_eq(c.row->credit_class, CRD_CLASS_MEMO);
    FIGURES_ARE(cursor_next(&c), 0, 30, 0, 0, 0, 0, 0, 0, 0, 0, 0, 30);
    ck_assert_str_eq(c.row->source, "campaign");
    cursor_end(&c);
    spec.date = DAY(40);
    spec.date_from = DAY(40);
    spec.source = "campaign";
    c = cursor_open(w, &spec);
    FIGURES_ARE(cursor_next(&c), 30, 0, 0, 0, 0, 0, 30, 0, 0, 0, 0, 0);
    ck_assert_int_eq(c.row->expired, 30);
    cursor_end(&c);
    world_close(w);
}
END_TEST

START_TEST(R5_R54_a_statement_opens_runs_and_closes) {
    static const struct {
        const char *id;
        int64_t amount, balance;
        int day;
    } lines[] = {{"M", -50, -50, 5}, {"M", 15, -35, 7}, {"G", -30, -65, 10}, {"M", 5, -60, 21}, {"G", 30, -30, 40}};
    world *w = told(_i);
    crd_report_spec spec = report_spec(CRD_REPORT_STATEMENT, DAY(4), DAY(45), 0);
    cursor c;
    spec.customer = "c1";
    c = cursor_open(w, &spec);
    /* I 100 + F 20 − P 120 */
    ck_assert_int_eq(cursor_next(&c)->balance, 0);
    ck_assert_uint_eq(c.row->line, CRD_LINE_OPENING);
    for (size_t n = 0; n < 5; n++) {
        ck_assert_str_eq(cursor_next(&c)->id, lines[n].id);
        ck_assert_int_eq(c.row->amount, lines[n].amount);
        ck_assert_int_eq(c.row->balance, lines[n].balance);
        ck_assert_int_eq(c.row->date, DAY(lines[n].day));
        ck_assert_str_eq(c.row->credit->notes, "");
        if (c.row->entry != NULL) ck_assert_ptr_null(c.row->entry->image);
    }
    ck_assert_uint_eq(c.row->line, CRD_LINE_EXPIRED);
    ck_assert_int_eq(cursor_next(&c)->balance, -30);
    ck_assert_uint_eq(c.row->line, CRD_LINE_CLOSING);
    cursor_end(&c);
    ck_assert_int_eq(balance_of(w->ledger, "c1", "EUR", 45).balance, -30);
    world_close(w);
}
END_TEST

static Suite *make(void) {
    Suite *s = suite_create("report credit");
    TCase *t = tcase_create("report credit");
    tcase_add_loop_test(t, R23_totals_by_nothing_by_source_by_state_by_class, 0, STORES);
    tcase_add_loop_test(t, R24_M7_a_credit_past_its_expiry_is_listed_as_voided, 0, STORES);
    tcase_add_loop_test(t, R5_the_credit_report_tells_who_when_and_why, 0, STORES);
    tcase_add_loop_test(t, R5_the_credit_report_tells_why_a_payment_bounced, 0, STORES);
    tcase_add_loop_test(t, R18_M12_occasions_name_the_document_the_credit_came_from, 0, STORES);
    tcase_add_loop_test(t, R18_M8_money_that_returns_to_an_ended_promise_is_no_occasion, 0, STORES);
    tcase_add_loop_test(t, R19_M3_payments_with_the_current_and_the_applied_part, 0, STORES);
    tcase_add_loop_test(t, R6_M4_revenue_is_what_money_pays_on_the_day_it_does, 0, STORES);
    tcase_add_loop_test(t, R80_takings_by_day_and_method_with_references, 0, STORES);
    tcase_add_loop_test(t, R79_a_roll_forward_ties, 0, STORES);
    tcase_add_loop_test(t, R5_R54_a_statement_opens_runs_and_closes, 0, STORES);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return world_main(make);
}
