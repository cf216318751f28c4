/*
 * An invoice reversed as its own document.
 */
#include "support/change.h"

START_TEST(R44_M12_a_reversal_is_a_linked_memo_applied_in_full) {
    world *w = world_open(_i);
    crd_invoice_reverse_terms t;
    crd_invoice_terms it = invoice_terms("I", 100);
    crd_revise_terms rt = revise_terms(120);
    crd_invoice *i = NULL;
    crd_credit *k = NULL;
    book *b;
    customer(w, "c1");
    it.tax = 16;
    OK(w, crd_invoice_enter(w->ledger, on(0), "c1", &it, &i));
    memset(&t, 0, sizeof t);
    t.struct_size = sizeof t;
    t.id = "R";
    t.reason = "sold twice";
    OK(w, crd_invoice_reverse(w->ledger, on(3), i, &t, &k));
    world_check(w);
    ck_assert_str_eq(crd_credit_get(k)->id, "R");
    b = world_book(w);
    ck_assert_uint_eq(book_entry(b, "c1", "EUR", 2)->type, CRD_ENTRY_ISSUE);
    ck_assert_str_eq(book_entry(b, "c1", "EUR", 2)->invoice, "I");
    ck_assert_uint_eq(book_entry(b, "c1", "EUR", 3)->type, CRD_ENTRY_APPLY);
    ck_assert_int_eq(book_entry(b, "c1", "EUR", 3)->amount, 100);
    ck_assert_uint_eq(book_credit(b, "c1", "R")->kind, CRD_CREDIT_REVERSED_INVOICE);
    ck_assert_uint_eq(book_credit(b, "c1", "R")->credit_class, CRD_CLASS_MEMO);
    ck_assert_uint_eq(book_credit(b, "c1", "R")->flags, CRD_FLAG_OWN_DOCUMENT | CRD_FLAG_RETURN);
    ck_assert_str_eq(book_credit(b, "c1", "R")->origin, "I");
    ck_assert_str_eq(book_credit(b, "c1", "R")->reason, "sold twice");
    ck_assert_int_eq(book_credit(b, "c1", "R")->tax, 16);
    ck_assert_uint_eq(book_credit(b, "c1", "R")->state, CRD_CREDIT_SPENT);
    ck_assert_uint_eq(book_invoice(b, "c1", "I")->state, CRD_INVOICE_PAID);
    ck_assert_uint_eq(book_invoice(b, "c1", "I")->flags, CRD_FLAG_REVERSED);
    ck_assert_str_eq(book_invoice(b, "c1", "I")->reversed_by, "R");
    ck_assert_int_eq(book_invoice(b, "c1", "I")->returned, 100);
    ck_assert_int_eq(book_invoice(b, "c1", "I")->returned_tax, 16);
    book_free(b);
    t.id = NULL;
    REFUSED(w, crd_invoice_reverse(w->ledger, on(3), i, &t, NULL), CRD_E_NOTHING); /* once */
    REFUSED(w, crd_invoice_void(w->ledger, on(3), i, 0, NULL), CRD_E_RETURNED);
    ck_assert_int_eq(crd_ledger_error(w->ledger)->limit, 100);
    REFUSED(w, crd_invoice_revise(w->ledger, on(3), i, &rt, NULL), CRD_E_RETURNED); /* up neither */
    REFUSED(w, crd_credit_void(w->ledger, on(3), k, 0, 0, NULL), CRD_E_STATE);
    OK(w, crd_invoice_refresh(i));
    REFUSED(w, crd_invoice_void(w->ledger, on(3), i, 0, NULL), CRD_E_RETURNED);
    crd_invoice_free(i);
    crd_credit_free(k);
    world_close(w);
}
END_TEST

/* The memo is applied in full, and that application is the reversal: undone, it would leave an invoice that is owed
 * although it was reversed, for it can be neither voided nor revised nor reversed again. */
START_TEST(R44_M12_a_reversal_is_never_undone_nor_is_its_application) {
    world *w = world_open(_i);
    crd_invoice *i;
    crd_credit *k = NULL;
    customer(w, "c1");
    i = invoice(w, "c1", "I", 100, 0, 30);
    OK(w, crd_invoice_reverse(w->ledger, on(3), i, NULL, &k));
    REFUSED(w, try_undo(w->ledger, "c1", 3, 0, on(3), NULL), CRD_E_STATE);
    SUBJECT(w, CRD_KIND_CREDIT, crd_credit_get(k)->id);
    FIGURES(w, 0, CRD_CREDIT_SPENT);
    REFUSED(w, try_undo(w->ledger, "c1", 3, 40, on(3), NULL), CRD_E_STATE);
    REFUSED(w, try_undo(w->ledger, "c1", 2, 0, on(3), NULL), CRD_E_STATE); /* nor its issue */
    REFUSED(w, crd_application_change(w->ledger, on(3), "c1", "EUR", 3, 60, NULL), CRD_E_STATE);
    REFUSED(w, crd_application_change(w->ledger, on(3), "c1", "EUR", 3, 0, NULL), CRD_E_STATE);
    REFUSED(w, crd_credit_void(w->ledger, on(3), k, 0, 0, NULL), CRD_E_STATE);
    REFUSED(w, crd_credit_refund(w->ledger, on(3), k, NULL, NULL), CRD_E_ARGUMENT);
    REFUSED(w, crd_credit_delete(w->ledger, on(3), k, CRD_DELETE_CASCADE, NULL), CRD_E_STATE);
    ck_assert_int_eq(stored_invoice(w, "c1", "I").open, 0);
    crd_invoice_free(i);
    crd_credit_free(k);
    world_close(w);
}
END_TEST

/* 100 sold. 20 returned by a memo, which pays the invoice; 50 paid; 10 more written off. The reversal is of 80; open are
 * 20. 10 are had from the write-off, 50 from the payment, and none is left to have from the memo of this invoice. */
START_TEST(M12_a_reversal_frees_write_offs_then_payments_and_own_memos_last) {
    world *w = world_open(_i);
    crd_invoice *i;
    crd_credit *money, *back, *k = NULL;
    int64_t off, paid, returned;
    book *b;
    customer(w, "c1");
    i = invoice(w, "c1", "I", 100, 0, 30);
    money = cash(w, "c1", "M", 50, 0);
    paid = apply(w, money, i, 50, 1);
    back = give_back(w, "c1", "B", "I", 20, 1);
    OK(w, crd_invoice_refresh(i));
    returned = apply(w, back, i, 20, 1);
    off = write_off(w, i, 10, 0, 1);
    OK(w, crd_invoice_reverse(w->ledger, on(2), i, NULL, &k));
    world_check(w);
    ck_assert_int_eq(crd_credit_get(k)->original, 80);
    ck_assert_str_eq(crd_credit_get(k)->reason, "invoice reversed");
    b = world_book(w);
    ck_assert_uint_eq(book_entry(b, "c1", "EUR", off + 1)->type, CRD_ENTRY_UNWRITE_OFF);
    ck_assert_int_eq(book_entry(b, "c1", "EUR", off + 2)->undoes, paid); /* though the memo came later */
    ck_assert_int_eq(book_entry(b, "c1", "EUR", off + 2)->amount, 50);
    ck_assert_uint_eq(book_entry(b, "c1", "EUR", off + 3)->type, CRD_ENTRY_ISSUE);
    ck_assert_uint_eq(book_entry(b, "c1", "EUR", off + 4)->type, CRD_ENTRY_APPLY);
    ck_assert_ptr_null(book_entry(b, "c1", "EUR", off + 5));
    ck_assert_int_eq(book_invoice(b, "c1", "I")->returned, 100);
    ck_assert_int_eq(book_invoice(b, "c1", "I")->open, 0);
    ck_assert_int_eq(book_credit(b, "c1", "B")->applied, 20);
    ck_assert_int_eq(book_credit(b, "c1", "M")->remaining, 50);
    book_free(b);
    ck_assert_int_gt(returned, paid);
    crd_invoice_free(i);
    crd_credit_free(money);
    crd_credit_free(back);
    crd_credit_free(k);
    world_close(w);
}
END_TEST

START_TEST(M16_a_reversal_is_refused_in_the_order_of_reasons) {
    world *w = world_open(_i);
    crd_invoice_reverse_terms t;
    crd_settings s;
    crd_invoice *i, *draft, *gone, *whole;
    memset(&s, 0, sizeof s);
    s.struct_size = sizeof s;
    s.closed_through = DAY(10);
    memset(&t, 0, sizeof t);
    t.struct_size = sizeof t;
    customer(w, "c1");
    i = invoice(w, "c1", "I", 100, 0, 30);
    draft = invoice_as(w, "c1", "D", CRD_INVOICE_INVOICE, 100, 0, 30, CRD_INVOICE_AS_DRAFT);
    gone = invoice(w, "c1", "V", 100, 0, 30);
    void_invoice(w, gone, 0);
    whole = invoice(w, "c1", "W", 100, 0, 30);
    crd_credit_free(give_back(w, "c1", "K", "W", 100, 0));
    OK(w, crd_invoice_refresh(whole));
    OK(w, crd_ledger_configure(w->ledger, &s));
    t.id = "~x";
    REFUSED(w, crd_invoice_reverse(w->ledger, on(9), i, &t, NULL), CRD_E_ARGUMENT);
    FIELD(w, "terms.id");
    t.id = "K";
    REFUSED(w, crd_invoice_reverse(w->ledger, on(9), draft, &t, NULL), CRD_E_EXISTS);
    t.id = "L";
    REFUSED(w, crd_invoice_reverse(w->ledger, on(9), draft, &t, NULL), CRD_E_STATE);
    FIGURES(w, 0, CRD_INVOICE_DRAFT);
    REFUSED(w, crd_invoice_reverse(w->ledger, on(9), gone, &t, NULL), CRD_E_STATE);
    REFUSED(w, crd_invoice_reverse(w->ledger, on(9), whole, &t, NULL), CRD_E_NOTHING); /* all of it was returned */
    REFUSED(w, crd_invoice_reverse(w->ledger, on(9), i, &t, NULL), CRD_E_CLOSED);
    FIGURES(w, DAY(10), DAY(9));
    OK(w, crd_invoice_reverse(w->ledger, on(11), i, &t, NULL)); /* of a closed period, in the open one */
    world_check(w);
    ck_assert_int_eq(stored_credit(w, "c1", "L").issued, DAY(11));
    crd_invoice_free(i);
    crd_invoice_free(draft);
    crd_invoice_free(gone);
    crd_invoice_free(whole);
    world_close(w);
}
END_TEST

START_TEST(R43_R44_the_memo_has_the_lines_that_were_not_returned_negated) {
    world *w = world_open(_i);
    crd_line_terms l = line_terms("A", 2, 200);
    const crd_line_terms *list[1] = {&l};
    crd_credit_terms t = return_terms("K", "I", 200);
    crd_invoice_reverse_terms rt;
    crd_report_spec spec;
    crd_report *report = NULL;
    const crd_row *row = NULL;
    crd_invoice *i;
    static const int64_t quantities[] = {-3000, -2000, -1000}, amounts[] = {-300, -300, -200};
    static const char *const origins[] = {"I/1", "I/2", "I/3"};
    customer(w, "c1");
    i = lined_invoice(w, "c1", "I", 0);
    l.origin = "I/1";
    t.lines = list;
    t.line_count = 1;
    OK(w, crd_credit_issue(w->ledger, on(0), "c1", &t, NULL));
    memset(&rt, 0, sizeof rt);
    rt.struct_size = sizeof rt;
    rt.id = "R";
    OK(w, crd_invoice_refresh(i));
    OK(w, crd_invoice_reverse(w->ledger, on(0), i, &rt, NULL));
    world_check(w);
    memset(&spec, 0, sizeof spec);
    spec.struct_size = sizeof spec;
    spec.report = CRD_REPORT_LINES;
    spec.customer = "c1";
    spec.kind = CRD_KIND_CREDIT;
    spec.id = "R";
    OK(w, crd_report_open(w->ledger, &spec, &report));
    for (int n = 0; n < 3; n++) {
        OK(w, crd_report_next(report, &row));
        ck_assert_ptr_nonnull(row);
        ck_assert_int_eq(row->document_line->quantity, quantities[n]);
        ck_assert_int_eq(row->document_line->amount, amounts[n]);
        ck_assert_str_eq(row->document_line->origin, origins[n]);
    }
    OK(w, crd_report_next(report, &row));
    ck_assert_ptr_null(row);
    crd_report_close(report);
    crd_invoice_free(i);
    i = lined_invoice(w, "c1", "J", 0);
    crd_credit_free(give_back(w, "c1", "Q", "J", 150, 0)); /* which lines came back was not said */
    rt.id = "S";
    OK(w, crd_invoice_refresh(i));
    OK(w, crd_invoice_reverse(w->ledger, on(0), i, &rt, NULL));
    world_check(w);
    ck_assert_int_eq(stored_credit(w, "c1", "S").original, 850);
    ck_assert_uint_eq(stored_credit(w, "c1", "S").line_count, 0);
    crd_invoice_free(i);
    world_close(w);
}
END_TEST

START_TEST(M6_M12_a_reversal_takes_one_date_the_latest_of_what_it_touches) {
    world *w = world_open(_i);
    crd_invoice *i;
    crd_credit *k, *memo_of = NULL;
    book *b;
    customer(w, "c1");
    i = invoice(w, "c1", "I", 100, 0, 30);
    k = memo(w, "c1", "K", 80, 0);
    apply(w, k, i, 70, 1);
    apply(w, k, NULL, 10, 9);
    REFUSED(w, crd_invoice_reverse(w->ledger, on(0), i, NULL, NULL), CRD_E_DATE);
    OK(w, crd_invoice_reverse(w->ledger, on(2), i, NULL, &memo_of));
    world_check(w);
    b = world_book(w);
    for (int64_t seq = 5; seq <= 7; seq++) ck_assert_int_eq(book_entry(b, "c1", "EUR", seq)->business_date, DAY(9));
    book_free(b);
    ck_assert_int_eq(crd_credit_get(memo_of)->issued, DAY(9));
    crd_invoice_free(i);
    crd_credit_free(k);
    crd_credit_free(memo_of);
    world_close(w);
}
END_TEST

/* Museum 06: The same by another way: an invoice was cancelled, and the note that had paid it stayed used up. Naive
 * rule: cancelling concerns the invoice only. */
START_TEST(museum_06_a_reversed_invoice_gives_back_what_had_paid_it) {
    world *w = world_open(_i);
    crd_invoice *i, *j;
    crd_credit *k;
    customer(w, "c1");
    i = invoice(w, "c1", "I", 100, 0, 30);
    j = invoice(w, "c1", "J", 100, 0, 30);
    k = memo(w, "c1", "K", 100, 0);
    apply(w, k, i, 100, 1);
    OK(w, crd_invoice_reverse(w->ledger, on(2), i, NULL, NULL));
    world_check(w);
    ck_assert_int_eq(crd_credit_get(k)->remaining, 100); /* not zero for ever */
    apply(w, k, j, 100, 2);
    crd_invoice_free(i);
    crd_invoice_free(j);
    crd_credit_free(k);
    world_close(w);
}
END_TEST

static Suite *make(void) {
    Suite *s = suite_create("reversal");
    TCase *t = tcase_create("reversal");
    tcase_add_loop_test(t, R44_M12_a_reversal_is_a_linked_memo_applied_in_full, 0, STORES);
    tcase_add_loop_test(t, R44_M12_a_reversal_is_never_undone_nor_is_its_application, 0, STORES);
    tcase_add_loop_test(t, M12_a_reversal_frees_write_offs_then_payments_and_own_memos_last, 0, STORES);
    tcase_add_loop_test(t, M16_a_reversal_is_refused_in_the_order_of_reasons, 0, STORES);
    tcase_add_loop_test(t, R43_R44_the_memo_has_the_lines_that_were_not_returned_negated, 0, STORES);
    tcase_add_loop_test(t, M6_M12_a_reversal_takes_one_date_the_latest_of_what_it_touches, 0, STORES);
    tcase_add_loop_test(t, museum_06_a_reversed_invoice_gives_back_what_had_paid_it, 0, STORES);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return world_main(make);
}
