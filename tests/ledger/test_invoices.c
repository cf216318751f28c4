/*
 * Invoices and orders: enter, send, void, cancel, list.
 */
#include "support/world.h"

#include <string.h>

START_TEST(R36_an_invoice_is_stored_with_everything_it_was_given) {
    world *w = world_open(_i);
    crd_invoice_terms t = invoice_terms("I1", 11900);
    crd_invoice *i = NULL;
    book *b;
    const crd_invoice_record *v;
    customer(w, "c1");
    t.kind = CRD_INVOICE_DEBIT_MEMO;
    t.due = DAY(14);
    t.tax = 1900;
    t.flags = CRD_INVOICE_AS_DISPUTED;
    t.reference = "PO 5";
    t.text = "re-billing";
    OK(w, crd_invoice_enter(w->ledger, on(0), "c1", &t, &i));
    world_check(w);
    b = world_book(w);
    v = book_invoice(b, "c1", "I1");
    ck_assert_uint_eq(v->kind, CRD_INVOICE_DEBIT_MEMO);
    ck_assert_uint_eq(v->state, CRD_INVOICE_OPEN);
    ck_assert_uint_eq(v->flags, CRD_FLAG_DISPUTED);
    ck_assert_int_eq(v->total, 11900);
    ck_assert_int_eq(v->open, 11900);
    ck_assert_int_eq(v->tax, 1900);
    ck_assert_int_eq(v->issued, DAY(0));
    ck_assert_int_eq(v->due, DAY(14));
    ck_assert_str_eq(v->reference, "PO 5");
    ck_assert_str_eq(v->text, "re-billing");
    ck_assert_uint_eq(book_entry(b, "c1", "EUR", 1)->type, CRD_ENTRY_INVOICE);
    ck_assert_int_eq(book_entry(b, "c1", "EUR", 1)->invoice_after, 11900);
    book_free(b);
    crd_invoice_free(i);
    world_close(w);
}
END_TEST

START_TEST(M1_M5_an_invoice_of_zero_is_paid_from_the_start) {
    world *w = world_open(_i);
    crd_invoice *i, *draft;
    customer(w, "c1");
    i = invoice(w, "c1", "Z", 0, 0, 30);
    ck_assert_uint_eq(crd_invoice_get(i)->state, CRD_INVOICE_PAID);
    draft = invoice_as(w, "c1", "D", CRD_INVOICE_INVOICE, 0, 0, 30, CRD_INVOICE_AS_DRAFT);
    send_invoice(w, draft, 1);
    ck_assert_uint_eq(crd_invoice_get(draft)->state, CRD_INVOICE_PAID);
    void_invoice(w, i, 1);
    ck_assert_uint_eq(crd_invoice_get(i)->state, CRD_INVOICE_VOIDED);
    crd_invoice_free(i);
    crd_invoice_free(draft);
    world_close(w);
}
END_TEST

START_TEST(M5_M9_a_draft_counts_nowhere_until_it_is_sent) {
    world *w = world_open(_i);
    crd_invoice *i;
    crd_credit *k;
    crd_result r = result_block();
    book *b;
    customer(w, "c1");
    k = memo(w, "c1", "K", 500, 0);
    i = invoice_as(w, "c1", "I", CRD_INVOICE_INVOICE, 800, 0, 30, CRD_INVOICE_AS_DRAFT);
    ck_assert_uint_eq(crd_invoice_get(i)->state, CRD_INVOICE_DRAFT);
    ck_assert_int_eq(crd_invoice_get(i)->open, 0);
    ck_assert_int_eq(balance_of(w->ledger, "c1", "EUR", 0).balance, -500);
    REFUSED(w, try_apply(w->ledger, k, i, 1, 0, on(0), NULL), CRD_E_STATE);
    FIGURES(w, 0, CRD_INVOICE_DRAFT);
    ck_assert_uint_eq(reconcile(w, 0, 0).applications, 0);
    REFUSED(w, crd_invoice_send(w->ledger, on(-1), i, 0, NULL), CRD_E_DATE);
    FIGURES(w, DAY(0), DAY(-1));
    OK(w, crd_invoice_send(w->ledger, on(4), i, 0, &r));
    world_check(w);
    ck_assert_int_eq(r.amount, 800);
    b = world_book(w);
    ck_assert_uint_eq(book_invoice(b, "c1", "I")->state, CRD_INVOICE_OPEN);
    ck_assert_int_eq(book_invoice(b, "c1", "I")->open, 800);
    ck_assert_int_eq(book_invoice(b, "c1", "I")->issued, DAY(4)); /* the posting sets the date */
    ck_assert_uint_eq(book_entry(b, "c1", "EUR", r.first_seq)->type, CRD_ENTRY_SEND);
    ck_assert_int_eq(book_entry(b, "c1", "EUR", r.first_seq)->invoice_after, 800);
    book_free(b);
    ck_assert_int_eq(balance_of(w->ledger, "c1", "EUR", 4).balance, 300);
    REFUSED(w, crd_invoice_send(w->ledger, on(4), i, 0, NULL), CRD_E_STATE);
    FIGURES(w, 800, CRD_INVOICE_OPEN);
    apply(w, k, i, 500, 4);
    crd_invoice_free(i);
    crd_credit_free(k);
    world_close(w);
}
END_TEST

START_TEST(M5_a_draft_that_is_given_up_is_cancelled_for_good) {
    world *w = world_open(_i);
    crd_invoice *i;
    crd_invoice_terms t = invoice_terms("I", 5);
    customer(w, "c1");
    i = invoice_as(w, "c1", "I", CRD_INVOICE_INVOICE, 800, 0, 30, CRD_INVOICE_AS_DRAFT);
    void_invoice(w, i, 1);
    ck_assert_uint_eq(stored_invoice(w, "c1", "I").state, CRD_INVOICE_CANCELLED);
    ck_assert_uint_eq(stored_invoice(w, "c1", "I").cause, CRD_CAUSE_CANCELLED);
    ck_assert_int_eq(stored_invoice(w, "c1", "I").cancelled, 0);
    REFUSED(w, crd_invoice_void(w->ledger, on(1), i, 0, NULL), CRD_E_STATE);
    FIGURES(w, 0, CRD_INVOICE_CANCELLED);
    REFUSED(w, crd_invoice_send(w->ledger, on(1), i, 0, NULL), CRD_E_STATE);
    REFUSED(w, crd_invoice_enter(w->ledger, on(1), "c1", &t, NULL), CRD_E_EXISTS); /* its id is never free again */
    crd_invoice_free(i);
    world_close(w);
}
END_TEST

START_TEST(M12_voiding_an_invoice_undoes_its_applications_newest_first) {
    world *w = world_open(_i);
    crd_invoice *i;
    crd_credit *k[3];
    crd_result r = result_block();
    int64_t seq[3];
    book *b;
    customer(w, "c1");
    i = invoice(w, "c1", "I", 800, 0, 30);
    for (int n = 0; n < 3; n++) k[n] = memo(w, "c1", NULL, 300, 0);
    for (int n = 0; n < 3; n++) seq[n] = apply(w, k[n], i, 200, 1);
    undo(w, "c1", seq[1], 50, 1);
    OK(w, crd_invoice_void(w->ledger, on(2), i, 0, &r));
    world_check(w);
    ck_assert_int_eq(r.amount, 550);
    b = world_book(w);
    ck_assert_int_eq(r.last_seq - r.first_seq, 3);
    for (int n = 0; n < 3; n++) {
        const crd_entry_record *e = book_entry(b, "c1", "EUR", r.first_seq + n);
        ck_assert_uint_eq(e->type, CRD_ENTRY_UNAPPLY);
        ck_assert_int_eq(e->undoes, seq[2 - n]);
        ck_assert_int_eq(e->amount, n == 1 ? 150 : 200);
    }
    ck_assert_uint_eq(book_entry(b, "c1", "EUR", r.last_seq)->type, CRD_ENTRY_INVOICE_VOID);
    ck_assert_int_eq(book_entry(b, "c1", "EUR", r.last_seq)->amount, 800);
    ck_assert_uint_eq(book_invoice(b, "c1", "I")->state, CRD_INVOICE_VOIDED);
    ck_assert_uint_eq(book_invoice(b, "c1", "I")->cause, CRD_CAUSE_VOIDED);
    ck_assert_int_eq(book_invoice(b, "c1", "I")->cancelled, 800);
    ck_assert_int_eq(book_invoice(b, "c1", "I")->open, 0);
    book_free(b);
    for (int n = 0; n < 3; n++) {
        ck_assert_int_eq(crd_credit_get(k[n])->remaining, 300);
        crd_credit_free(k[n]);
    }
    REFUSED(w, crd_invoice_void(w->ledger, on(2), i, 0, NULL), CRD_E_STATE);
    FIGURES(w, 0, CRD_INVOICE_VOIDED);
    crd_invoice_free(i);
    world_close(w);
}
END_TEST

START_TEST(M12_strict_void_is_refused_while_cash_is_on_the_invoice) {
    world *w = world_open(_i);
    crd_invoice *i;
    crd_credit *k, *money;
    int64_t seq;
    customer(w, "c1");
    i = invoice(w, "c1", "I", 800, 0, 30);
    k = memo(w, "c1", "K", 300, 0);
    money = cash(w, "c1", "M", 300, 0);
    apply(w, k, i, 200, 1);
    seq = apply(w, money, i, 120, 1);
    REFUSED(w, crd_invoice_void(w->ledger, on(2), i, CRD_VOID_STRICT, NULL), CRD_E_IN_USE);
    ck_assert_int_eq(crd_ledger_error(w->ledger)->limit, 120);
    REFUSED(w, crd_invoice_void(w->ledger, on(2), i, 0x80u, NULL), CRD_E_ARGUMENT);
    FIELD(w, "flags");
    undo(w, "c1", seq, 0, 2);
    OK(w, crd_invoice_void(w->ledger, on(2), i, CRD_VOID_STRICT, NULL));
    world_check(w);
    ck_assert_int_eq(crd_credit_get(k)->remaining, 300);
    crd_invoice_free(i);
    crd_credit_free(k);
    crd_credit_free(money);
    world_close(w);
}
END_TEST

START_TEST(M12_an_invoice_of_a_closed_period_is_not_voided) {
    world *w = world_open(_i);
    crd_settings s;
    crd_invoice *i, *draft;
    memset(&s, 0, sizeof s);
    s.struct_size = sizeof s;
    s.closed_through = DAY(10);
    customer(w, "c1");
    i = invoice(w, "c1", "I", 800, 10, 30);
    draft = invoice_as(w, "c1", "D", CRD_INVOICE_INVOICE, 800, 10, 30, CRD_INVOICE_AS_DRAFT);
    OK(w, crd_ledger_configure(w->ledger, &s));
    REFUSED(w, crd_invoice_void(w->ledger, on(20), i, 0, NULL), CRD_E_CLOSED);
    ck_assert_int_eq(crd_ledger_error(w->ledger)->limit, DAY(10));
    REFUSED(w, crd_invoice_send(w->ledger, on(10), draft, 0, NULL), CRD_E_CLOSED);
    send_invoice(w, draft, 11);
    REFUSED(w, crd_invoice_void(w->ledger, on(10), draft, 0, NULL), CRD_E_CLOSED);
    void_invoice(w, draft, 11);
    crd_invoice_free(i);
    crd_invoice_free(draft);
    world_close(w);
}
END_TEST

START_TEST(M6_M12_voiding_follows_the_latest_date_of_each_credit) {
    world *w = world_open(_i);
    crd_invoice *i;
    crd_credit *k;
    crd_result r = result_block();
    book *b;
    customer(w, "c1");
    i = invoice(w, "c1", "I", 800, 0, 30);
    k = memo(w, "c1", "K", 300, 0);
    apply(w, k, i, 200, 1);
    apply(w, k, NULL, 10, 9); /* the credit was used again on the 9th */
    REFUSED(w, crd_invoice_void(w->ledger, on(0), i, 0, NULL), CRD_E_DATE); /* the invoice's own last day is the 1st */
    FIGURES(w, DAY(1), DAY(0));
    OK(w, crd_invoice_void(w->ledger, on(4), i, 0, &r));
    world_check(w);
    b = world_book(w);
    ck_assert_int_eq(book_entry(b, "c1", "EUR", r.first_seq)->business_date, DAY(9));
    ck_assert_int_eq(book_entry(b, "c1", "EUR", r.last_seq)->business_date, DAY(9)); /* a prefix on any date */
    book_free(b);
    crd_invoice_free(i);
    crd_credit_free(k);
    world_close(w);
}
END_TEST

START_TEST(M6_M12_voiding_takes_one_date_the_latest_of_all_it_touches) {
    world *w = world_open(_i);
    crd_invoice *i;
    crd_credit *first, *second;
    crd_result r = result_block();
    book *b;
    customer(w, "c1");
    i = invoice(w, "c1", "I", 800, 0, 30);
    first = memo(w, "c1", "first", 300, 0);
    second = memo(w, "c1", "second", 300, 0);
    apply(w, first, i, 200, 1);
    apply(w, second, i, 200, 1);
    apply(w, first, NULL, 10, 9); /* the one that is undone last was used again on the 9th */
    OK(w, crd_invoice_void(w->ledger, on(4), i, 0, &r));
    world_check(w);
    b = world_book(w);
    for (int64_t seq = r.first_seq; seq <= r.last_seq; seq++)
        ck_assert_int_eq(book_entry(b, "c1", "EUR", seq)->business_date, DAY(9));
    book_free(b);
    crd_invoice_free(i);
    crd_credit_free(first);
    crd_credit_free(second);
    world_close(w);
}
END_TEST

START_TEST(R36_open_items_of_a_customer_are_listed_with_balances) {
    world *w = world_open(_i);
    crd_report_spec spec;
    crd_report *report = NULL;
    const crd_row *row = NULL;
    crd_credit *k[3];
    crd_invoice *i[3];
    int64_t sum = 0;
    int credits = 0, invoices = 0;
    customer(w, "c1");
    customer(w, "c2");
    k[0] = credit(w, "c1", "D", CRD_CREDIT_DEPOSIT, 300, 0);
    k[1] = memo(w, "c1", "K", 200, 0);
    k[2] = memo(w, "c2", "X", 200, 0);
    i[0] = invoice(w, "c1", "I", 700, 0, 30);
    i[1] = invoice(w, "c1", "P", 50, 0, 30);
    i[2] = invoice_as(w, "c1", "O", CRD_INVOICE_INVOICE, 50, 0, 30, CRD_INVOICE_AS_DRAFT);
    apply(w, k[1], i[1], 50, 0);
    memset(&spec, 0, sizeof spec);
    spec.struct_size = sizeof spec;
    spec.report = CRD_REPORT_OPEN_ITEMS;
    spec.customer = "c1";
    OK(w, crd_report_open(w->ledger, &spec, &report));
    for (;;) {
        OK(w, crd_report_next(report, &row));
        if (row == NULL) break;
        ck_assert_str_eq(row->customer, "c1");
        sum += row->amount;
        credits += row->kind == CRD_KIND_CREDIT;
        invoices += row->kind == CRD_KIND_INVOICE;
        if (row->kind == CRD_KIND_CREDIT) ck_assert_int_lt(row->amount, 0);
        if (row->kind == CRD_KIND_INVOICE && strcmp(row->id, "I") == 0) ck_assert_int_eq(row->date, DAY(30));
    }
    crd_report_close(report);
    ck_assert_int_eq(sum, balance_of(w->ledger, "c1", "EUR", 0).balance);
    ck_assert_int_eq(sum, 700 - 300 - 150);
    ck_assert_int_eq(credits, 2);
    ck_assert_int_ge(invoices, 1);
    for (int n = 0; n < 3; n++) {
        crd_credit_free(k[n]);
        crd_invoice_free(i[n]);
    }
    world_close(w);
}
END_TEST

static Suite *make(void) {
    Suite *s = suite_create("invoices");
    TCase *t = tcase_create("invoices");
    tcase_add_loop_test(t, R36_an_invoice_is_stored_with_everything_it_was_given, 0, STORES);
    tcase_add_loop_test(t, M1_M5_an_invoice_of_zero_is_paid_from_the_start, 0, STORES);
    tcase_add_loop_test(t, M5_M9_a_draft_counts_nowhere_until_it_is_sent, 0, STORES);
    tcase_add_loop_test(t, M5_a_draft_that_is_given_up_is_cancelled_for_good, 0, STORES);
    tcase_add_loop_test(t, M12_voiding_an_invoice_undoes_its_applications_newest_first, 0, STORES);
    tcase_add_loop_test(t, M12_strict_void_is_refused_while_cash_is_on_the_invoice, 0, STORES);
    tcase_add_loop_test(t, M12_an_invoice_of_a_closed_period_is_not_voided, 0, STORES);
    tcase_add_loop_test(t, M6_M12_voiding_follows_the_latest_date_of_each_credit, 0, STORES);
    tcase_add_loop_test(t, M6_M12_voiding_takes_one_date_the_latest_of_all_it_touches, 0, STORES);
    tcase_add_loop_test(t, R36_open_items_of_a_customer_are_listed_with_balances, 0, STORES);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return world_main(make);
}
