/*
 * Reports on credit that left by another way than an invoice: refunds, transfers, adjustments; on what was deleted as a
 * mistake; and on opening balances. Every figure expected is worked out by hand from the story.
 */
#include "support/paying.h"
#include "support/rows.h"

#include <string.h>

static const crd_request *then(int day, int64_t after) {
    static crd_request r;
    r = *on(day);
    r.instant = noon(day) + after;
    return &r;
}

/* P, 100 by card on day 0: 30 refunded on day 3 by bank, which fails on day 8; 20 to c2 on day 4. M, memo of 50 on day 1.
 * On day 6 the available credit of c1, 100 by then, is set to 60. I, 100, on day 1. D, a memo of 9 by mistake on day 5,
 * pays 4 of I, and is deleted an hour later. c2 brings 25 of opening cash along on day 2. */
static void tell(world *w) {
    crd_credit_terms t = credit_terms("P", CRD_CREDIT_PREPAYMENT, 100);
    crd_refund_terms refund;
    crd_transfer_terms transfer;
    crd_adjust_terms adjust;
    crd_credit *p = NULL, *d = NULL;
    crd_invoice *i;
    crd_result r = result_block();
    w->careless = 1;
    customer(w, "c1");
    customer(w, "c2");
    t.method = "card";
    t.reason = NULL;
    OK(w, crd_credit_issue(w->ledger, then(0, 0), "c1", &t, &p));
    t = credit_terms("M", CRD_CREDIT_MEMO, 50);
    OK(w, crd_credit_issue(w->ledger, then(1, 0), "c1", &t, NULL));
    {
        crd_invoice_terms v = invoice_terms("I", 100);
        v.due = DAY(3);
        OK(w, crd_invoice_enter(w->ledger, then(1, 1), "c1", &v, &i));
    }
    t = credit_terms("O", CRD_CREDIT_OPENING, 25);
    t.stands_for = CRD_CREDIT_PREPAYMENT;
    OK(w, crd_credit_issue(w->ledger, then(2, 0), "c2", &t, NULL));
    memset(&refund, 0, sizeof refund);
    refund.struct_size = sizeof refund;
    refund.amount = 30;
    refund.method = "bank";
    refund.reference = "T1";
    OK(w, crd_credit_refund(w->ledger, then(3, 0), p, &refund, &r));
    memset(&transfer, 0, sizeof transfer);
    transfer.struct_size = sizeof transfer;
    transfer.customer = "c2";
    transfer.amount = 20;
    transfer.id = "P2";
    OK(w, crd_credit_transfer(w->ledger, then(4, 0), p, &transfer, NULL, NULL));
    t = credit_terms("D", CRD_CREDIT_MEMO, 9);
    OK(w, crd_credit_issue(w->ledger, then(5, 0), "c1", &t, &d));
    OK(w, try_apply(w->ledger, d, i, 4, 0, then(5, 1), NULL));
    OK(w, crd_credit_delete(w->ledger, then(5, INT64_C(3600000000)), d, CRD_DELETE_CASCADE, NULL));
    memset(&adjust, 0, sizeof adjust);
    adjust.struct_size = sizeof adjust;
    adjust.target = 60;
    OK(w, crd_credit_adjust(w->ledger, then(6, 0), "c1", "EUR", &adjust, NULL));
    OK(w, try_undo(w->ledger, "c1", r.first_seq, 0, then(8, 0), NULL));
    crd_credit_free(p);
    crd_credit_free(d);
    crd_invoice_free(i);
    world_check(w);
}

START_TEST(R80_refunds_are_takings_that_leave_and_opening_cash_is_none) {
    world *w = world_open(_i);
    crd_report_spec spec = report_spec(CRD_REPORT_TAKINGS, 0, DAY(10), 0);
    cursor c;
    tell(w);
    c = cursor_open(w, &spec);
    ck_assert_int_eq(cursor_next(&c)->amount, 100);
    ck_assert_str_eq(c.row->method, "card");
    ck_assert_int_eq(cursor_next(&c)->amount, -30);
    ck_assert_str_eq(c.row->method, "bank");
    ck_assert_str_eq(c.row->reference, "T1");
    ck_assert_int_eq(c.row->date, DAY(3));
    ck_assert_int_eq(cursor_next(&c)->amount, 30);
    ck_assert_str_eq(c.row->method, "bank");
    ck_assert_int_eq(c.row->date, DAY(8));
    cursor_end(&c);
    spec.date = DAY(7);
    spec.by = CRD_BY_METHOD;
    c = cursor_open(w, &spec);
    FIGURES_ARE(cursor_next(&c), 0, -30, 0);
    FIGURES_ARE(cursor_next(&c), 100, 0, 0);
    cursor_end(&c);
    world_close(w);
}
END_TEST

START_TEST(R79_a_roll_forward_of_what_left_and_came_back) {
    world *w = world_open(_i);
    crd_report_spec spec = report_spec(CRD_REPORT_ROLL_FORWARD, 0, DAY(10), 0);
    cursor c;
    tell(w);
    spec.by = CRD_BY_CUSTOMER;
    c = cursor_open(w, &spec);
    /*                           opening issued in applied refunded voided expired adjusted reversed out returned closing */
    FIGURES_ARE(cursor_next(&c), 0, 100, 0, 0, 30, 0, 0, 40, 0, 20, 30, 40);
    FIGURES_ARE(cursor_next(&c), 0, 50, 0, 0, 0, 0, 0, 0, 0, 0, 0, 50); /* without D */
    FIGURES_ARE(cursor_next(&c), 0, 0, 20, 0, 0, 0, 0, 0, 0, 0, 0, 20);
    ck_assert_str_eq(c.row->customer, "c2");
    ck_assert_uint_eq(c.row->credit_class, CRD_CLASS_CASH);
    FIGURES_ARE(cursor_next(&c), 0, 0, 25, 0, 0, 0, 0, 0, 0, 0, 0, 25);
    ck_assert_uint_eq(c.row->credit_class, CRD_CLASS_OPENING);
    cursor_end(&c);
    world_close(w);
}
END_TEST

START_TEST(R5_R7_the_credit_report_shows_refunds_transfers_and_one_line_per_adjustment) {
    static const struct {
        uint32_t type;
        int64_t amount;
    } lines[] = {{CRD_ENTRY_ISSUE, 100}, {CRD_ENTRY_ISSUE, 50},   {CRD_ENTRY_REFUND, -30},
                 {CRD_ENTRY_TRANSFER, -20}, {CRD_ENTRY_ADJUST, -40}, {CRD_ENTRY_UNREFUND, 30}};
    world *w = world_open(_i);
    crd_report_spec spec = report_spec(CRD_REPORT_CREDIT_ENTRIES, 0, DAY(10), 0);
    cursor c;
    tell(w);
    spec.customer = "c1";
    c = cursor_open(w, &spec);
    for (size_t n = 0; n < sizeof lines / sizeof lines[0]; n++) {
        ck_assert_ptr_nonnull(cursor_next(&c));
        ck_assert_uint_eq(c.row->entry->type, lines[n].type);
        ck_assert_int_eq(c.row->amount, lines[n].amount);
    }
    cursor_end(&c);
    spec.source = "prepayment"; /* of one source: its piece of the adjustment */
    c = cursor_open(w, &spec);
    ck_assert_int_eq(cursor_next(&c)->amount, 100);
    ck_assert_int_eq(cursor_next(&c)->amount, -30);
    ck_assert_int_eq(cursor_next(&c)->amount, -20);
    ck_assert_int_eq(cursor_next(&c)->amount, -40);
    ck_assert_uint_eq(c.row->entry->type, CRD_ENTRY_ADJUST_PIECE);
    ck_assert_int_eq(cursor_next(&c)->amount, 30);
    cursor_end(&c);
    world_close(w);
}
END_TEST

START_TEST(R23_R77_what_was_transferred_or_brought_in_is_not_issued) {
    world *w = world_open(_i);
    crd_report_spec spec = report_spec(CRD_REPORT_TOTALS, 0, DAY(10), 0);
    cursor c;
    tell(w);
    c = cursor_open(w, &spec);
    FIGURES_ARE(cursor_next(&c), 4, 135, 135, 2, 150, 0);
    cursor_end(&c);
    spec.report = CRD_REPORT_REVENUE;
    c = cursor_open(w, &spec);
    FIGURES_ARE(cursor_next(&c), 0, 0, 85);
    cursor_end(&c);
    spec.report = CRD_REPORT_PAYMENTS;
    c = cursor_open(w, &spec);
    ck_assert_str_eq(cursor_next(&c)->credit->id, "P");
    FIGURES_ARE(c.row, 100, 40, 0);
    cursor_end(&c);
    world_close(w);
}
END_TEST

/* Rule M11: every list and report skips it, its application too; as known before, it is there. */
START_TEST(M11_R62_what_was_deleted_never_was_unless_as_known_before) {
    world *w = world_open(_i);
    int64_t before;
    crd_report_spec spec = report_spec(CRD_REPORT_OPEN_ITEMS, 0, DAY(5), 0);
    cursor c;
    tell(w);
    before = noon(5) + 2;
    spec.customer = "c1";
    for (int days = 0; days < 2; days++) { /* as of that day, and on the last: as it is stored */
        spec.date = DAY(days ? 8 : 5);
        c = cursor_open(w, &spec);
        ck_assert_str_eq(cursor_next(&c)->id, "M");
        ck_assert_str_eq(cursor_next(&c)->id, "P");
        ck_assert_str_eq(cursor_next(&c)->id, "I");
        ck_assert_int_eq(c.row->amount, 100);
        cursor_end(&c);
    }
    spec.date = DAY(5);
    spec.known_at = before;
    c = cursor_open(w, &spec);
    ck_assert_str_eq(cursor_next(&c)->id, "D");
    ck_assert_int_eq(c.row->amount, -5);
    ck_assert_str_eq(cursor_next(&c)->id, "M");
    ck_assert_str_eq(cursor_next(&c)->id, "P");
    ck_assert_str_eq(cursor_next(&c)->id, "I");
    ck_assert_int_eq(c.row->amount, 96);
    cursor_end(&c);
    for (uint32_t which = CRD_REPORT_CREDITS; which <= CRD_REPORT_ROLL_FORWARD; which++) {
        const crd_row *row;
        if (which == CRD_REPORT_HISTORY) continue;
        spec = report_spec(which, 0, DAY(8), 0);
        c = cursor_open(w, &spec);
        while ((row = cursor_next(&c)) != NULL) {
            ck_assert(row->credit == NULL || strcmp(row->credit->id, "D") != 0);
            ck_assert(row->entry == NULL || strcmp(row->entry->credit, "D") != 0);
        }
        crd_report_close(c.report);
    }
    spec = report_spec(CRD_REPORT_HISTORY, 0, 0, 0);
    spec.customer = "c1";
    spec.kind = CRD_KIND_CREDIT;
    spec.id = "D";
    c = cursor_open(w, &spec);
    for (int n = 0; n < 4; n++) ck_assert_ptr_nonnull(cursor_next(&c)); /* issue, apply, unapply, delete */
    ck_assert_uint_eq(c.row->entry->type, CRD_ENTRY_DELETE);
    cursor_end(&c);
    world_close(w);
}
END_TEST

/* A hold that lapses on day 10 at noon, on a credit that expires on day 8: held until then, expired from then on. */
START_TEST(M7_M10_R62_a_hold_counts_until_its_day_swept_or_not) {
    static const struct {
        int day;
        int64_t amount, expired;
    } days[] = {{7, -100, 0}, {8, -30, 70}, {9, -30, 70}, {10, 0, 100}, {11, 0, 100}};
    for (int swept = 0; swept < 2; swept++) {
        world *w = world_open(_i);
        crd_credit_terms t = credit_terms("G", CRD_CREDIT_GOODWILL, 100);
        crd_credit *g = NULL;
        w->careless = 1;
        customer(w, "c1");
        t.expires = DAY(8);
        OK(w, crd_credit_issue(w->ledger, then(0, 0), "c1", &t, &g));
        hold_credit(w, g, NULL, "H", 30, 1, 10);
        crd_credit_free(g);
        if (swept) OK(w, crd_sweep(w->ledger, then(20, 0), NULL, NULL));
        for (size_t n = 0; n < sizeof days / sizeof days[0]; n++) {
            crd_report_spec spec = report_spec(CRD_REPORT_ACCOUNTS, 0, DAY(days[n].day), noon(20));
            cursor c = cursor_open(w, &spec);
            ck_assert_int_eq(cursor_next(&c)->amount, days[n].amount);
            if (!swept) ck_assert_int_eq(c.row->expired, days[n].expired);
            cursor_end(&c);
            spec.report = CRD_REPORT_STATEMENT;
            c = cursor_open(w, &spec);
            while (cursor_next(&c)->line != CRD_LINE_CLOSING) {}
            ck_assert_int_eq(c.row->balance, days[n].amount);
            crd_report_close(c.report);
            if (days[n].day != 10) continue;
            spec = report_spec(CRD_REPORT_ACCOUNTS, 0, DAY(10), noon(10) - 1); /* on the day itself, an instant before */
            c = cursor_open(w, &spec);
            ck_assert_int_eq(cursor_next(&c)->amount, -30);
            cursor_end(&c);
        }
        world_close(w);
    }
}
END_TEST

/* What the reports say of the payment of 120 on the first days up to `day`, and of the last of them alone. */
static void credited(world *w, int day, int64_t issued, int64_t applied, int64_t opening, int64_t more, int64_t used) {
    crd_report_spec spec = report_spec(CRD_REPORT_PAYMENTS, 0, DAY(day), 0);
    cursor c = cursor_open(w, &spec);
    FIGURES_ARE(cursor_next(&c), issued, issued - applied, applied);
    cursor_end(&c);
    spec.report = CRD_REPORT_TOTALS;
    c = cursor_open(w, &spec);
    FIGURES_ARE(cursor_next(&c), 1, issued - applied, issued - applied, 1, issued, applied);
    cursor_end(&c);
    spec.report = CRD_REPORT_CREDIT_ENTRIES;
    c = cursor_open(w, &spec);
    ck_assert_int_eq(cursor_next(&c)->amount, issued);
    cursor_end(&c);
    spec.report = CRD_REPORT_ROLL_FORWARD;
    c = cursor_open(w, &spec);
    FIGURES_ARE(cursor_next(&c), 0, issued, 0, applied, 0, 0, 0, 0, 0, 0, 0, issued - applied);
    ck_assert_str_eq(c.row->source, "overpayment");
    cursor_end(&c);
    spec.date_from = DAY(day);
    c = cursor_open(w, &spec);
    FIGURES_ARE(cursor_next(&c), opening, more, 0, used, 0, 0, 0, 0, 0, 0, 0, opening + more - used);
    cursor_end(&c);
}

/* Rule M3's example: 120 received against A of 100 is 20 of credit; 30 when A is revised to 90. Back at 100, raising the
 * receipt's own line makes it 20 again, while an ordinary application leaves 30, of which 10 are applied. */
START_TEST(M3_R19_R23_R79_what_a_payment_credited_is_the_same_in_every_report) {
    for (int own = 0; own < 2; own++) {
        world *w = world_open(_i);
        crd_revise_terms revise;
        crd_credit *p;
        crd_invoice *a;
        paying *q;
        book *b;
        int64_t seq = 1;
        customer(w, "c1");
        a = invoice(w, "c1", "A", 100, 0, 10);
        q = with(pays(receive("R", 120), "A", 100), CRD_RECEIPT_EXCESS_TO_CREDIT);
        q->terms.credit = "P";
        enter(w, "c1", q, 1);
        credited(w, 1, 20, 0, 0, 20, 0);
        memset(&revise, 0, sizeof revise);
        revise.struct_size = sizeof revise;
        revise.total = 90;
        OK(w, crd_invoice_refresh(a));
        OK(w, crd_invoice_revise(w->ledger, on(2), a, &revise, NULL));
        credited(w, 2, 30, 0, 20, 10, 0);
        revise.total = 100;
        OK(w, crd_invoice_revise(w->ledger, on(3), a, &revise, NULL));
        credited(w, 3, 30, 0, 30, 0, 0);
        b = world_book(w);
        while (book_entry(b, "c1", "EUR", seq)->type != CRD_ENTRY_APPLY) seq++;
        book_free(b);
        p = find_credit(w->ledger, "c1", "P");
        if (own) OK(w, crd_application_change(w->ledger, on(4), "c1", "EUR", seq, 100, NULL));
        else apply(w, p, a, 10, 4);
        if (own) credited(w, 4, 20, 0, 30, -10, 0);
        else credited(w, 4, 30, 10, 30, 0, 10);
        world_check(w);
        ck_assert_int_eq(stored_invoice(w, "c1", "A").open, 0);
        crd_credit_free(p);
        crd_invoice_free(a);
        world_close(w);
    }
}
END_TEST

/* Rule M13's example, without expiry: P 120 on A 100, 20 of it on B 50; A is revised to 90, of which 5 are refunded; then the
 * payment bounces. A 90 and B 50 are open again, a debit memo of 5 besides. */
START_TEST(M3_M13_R19_R6_R79_R80_a_bounced_payment_in_every_report) {
    world *w = world_open(_i);
    crd_report_spec spec;
    crd_refund_terms refund;
    crd_revise_terms revise;
    crd_credit *p;
    crd_invoice *a, *b;
    paying *q;
    cursor c;
    customer(w, "c1");
    a = invoice(w, "c1", "A", 100, 0, 10);
    b = invoice(w, "c1", "B", 50, 0, 10);
    q = with(pays(receive("R", 120), "A", 100), CRD_RECEIPT_EXCESS_TO_CREDIT);
    q->terms.credit = "P";
    q->terms.method = "check";
    enter(w, "c1", q, 1);
    p = find_credit(w->ledger, "c1", "P");
    OK(w, crd_invoice_refresh(b));
    apply(w, p, b, 20, 2);
    memset(&revise, 0, sizeof revise);
    revise.struct_size = sizeof revise;
    revise.total = 90;
    OK(w, crd_invoice_refresh(a));
    OK(w, crd_invoice_revise(w->ledger, on(3), a, &revise, NULL));
    memset(&refund, 0, sizeof refund);
    refund.struct_size = sizeof refund;
    refund.amount = 5;
    OK(w, crd_credit_refund(w->ledger, on(4), p, &refund, NULL));
    reverse(w, "c1", "R", 9);
    spec = report_spec(CRD_REPORT_PAYMENTS, 0, DAY(1), 0);
    c = cursor_open(w, &spec);
    FIGURES_ARE(cursor_next(&c), 20, 20, 0);
    cursor_end(&c);
    spec.date = DAY(8);
    c = cursor_open(w, &spec);
    FIGURES_ARE(cursor_next(&c), 30, 5, 20);
    cursor_end(&c);
    spec.date = DAY(9);
    c = cursor_open(w, &spec);
    FIGURES_ARE(cursor_next(&c), 30, 0, 0); /* credited stays */
    cursor_end(&c);
    spec = report_spec(CRD_REPORT_ROLL_FORWARD, 0, DAY(9), 0);
    c = cursor_open(w, &spec);
    /*                           opening issued in applied refunded voided expired adjusted reversed out returned closing */
    FIGURES_ARE(cursor_next(&c), 0, 30, 0, 20, 5, 0, 0, 0, 25, 0, 20, 0);
    cursor_end(&c);
    spec = report_spec(CRD_REPORT_REVENUE, 0, DAY(8), 0);
    c = cursor_open(w, &spec);
    FIGURES_ARE(cursor_next(&c), 110, 0, 5);
    cursor_end(&c);
    spec = report_spec(CRD_REPORT_REVENUE, DAY(9), DAY(9), 0);
    c = cursor_open(w, &spec);
    FIGURES_ARE(cursor_next(&c), -110, 0, 0);
    cursor_end(&c);
    spec = report_spec(CRD_REPORT_TAKINGS, 0, DAY(9), 0);
    spec.by = CRD_BY_CUSTOMER;
    c = cursor_open(w, &spec);
    FIGURES_ARE(cursor_next(&c), 120, -5, -120);
    cursor_end(&c);
    spec = report_spec(CRD_REPORT_OCCASIONS, 0, DAY(9), 0);
    c = cursor_open(w, &spec);
    ck_assert_int_eq(cursor_next(&c)->amount, 20); /* the surplus of the receipt */
    ck_assert_int_eq(cursor_next(&c)->amount, 10); /* of the revision: an overpayment of the sale */
    ck_assert_str_eq(c.row->origin, "A");
    ck_assert_str_eq(c.row->source, "overpayment");
    cursor_end(&c);
    spec = report_spec(CRD_REPORT_CREDIT_ENTRIES, 0, DAY(9), 0);
    c = cursor_open(w, &spec);
    ck_assert_int_eq(cursor_next(&c)->amount, 30);
    ck_assert_int_eq(cursor_next(&c)->amount, -5);
    {
        int64_t reversed = 0;
        while (cursor_next(&c) != NULL) {
            ck_assert_uint_eq(c.row->entry->type, CRD_ENTRY_REVERSE);
            reversed += c.row->amount;
        }
        ck_assert_int_eq(reversed, -25);
    }
    crd_report_close(c.report);
    spec = report_spec(CRD_REPORT_STATEMENT, 0, DAY(9), 0);
    c = cursor_open(w, &spec);
    while (cursor_next(&c)->line != CRD_LINE_CLOSING) {}
    ck_assert_int_eq(c.row->balance, 145);
    crd_report_close(c.report);
    crd_credit_free(p);
    crd_invoice_free(a);
    crd_invoice_free(b);
    world_close(w);
}
END_TEST

static Suite *make(void) {
    Suite *s = suite_create("report out");
    TCase *t = tcase_create("report out");
    tcase_add_loop_test(t, R80_refunds_are_takings_that_leave_and_opening_cash_is_none, 0, STORES);
    tcase_add_loop_test(t, R79_a_roll_forward_of_what_left_and_came_back, 0, STORES);
    tcase_add_loop_test(t, R5_R7_the_credit_report_shows_refunds_transfers_and_one_line_per_adjustment, 0, STORES);
    tcase_add_loop_test(t, R23_R77_what_was_transferred_or_brought_in_is_not_issued, 0, STORES);
    tcase_add_loop_test(t, M11_R62_what_was_deleted_never_was_unless_as_known_before, 0, STORES);
    tcase_add_loop_test(t, M7_M10_R62_a_hold_counts_until_its_day_swept_or_not, 0, STORES);
    tcase_add_loop_test(t, M3_R19_R23_R79_what_a_payment_credited_is_the_same_in_every_report, 0, STORES);
    tcase_add_loop_test(t, M3_M13_R19_R6_R79_R80_a_bounced_payment_in_every_report, 0, STORES);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return world_main(make);
}
