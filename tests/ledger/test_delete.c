/*
 * Delete as mistake: it leaves every list and total, and the journal keeps that it happened.
 */
#include "support/paying.h"

#include <string.h>

static crd_status try_delete(world *w, crd_credit *c, uint32_t flags, int day, crd_result *out) {
    return crd_credit_delete(w->ledger, on(day), c, flags, out);
}

static void settings(world *w, int32_t window, int closed) {
    crd_settings s;
    memset(&s, 0, sizeof s);
    s.struct_size = sizeof s;
    s.delete_window = window;
    s.closed_through = closed;
    OK(w, crd_ledger_configure(w->ledger, &s));
}

/* How many rows a report has. */
static int rows(world *w, uint32_t report) {
    crd_report_spec spec;
    crd_report *r = NULL;
    const crd_row *row = NULL;
    int count = 0;
    memset(&spec, 0, sizeof spec);
    spec.struct_size = sizeof spec;
    spec.report = report;
    spec.customer = "c1";
    spec.currency = "EUR";
    OK(w, crd_report_open(w->ledger, &spec, &r));
    for (;;) {
        OK(w, crd_report_next(r, &row));
        if (row == NULL) break;
        count++;
    }
    crd_report_close(r);
    return count;
}

START_TEST(R29_M11_a_deleted_credit_leaves_lists_and_totals_not_the_journal) {
    world *w = world_open(_i);
    crd_result r = result_block();
    crd_credit *k;
    const crd_entry_record *e;
    book *b;
    customer(w, "c1");
    crd_credit_free(memo(w, "c1", "A", 70, 0));
    k = memo(w, "c1", "K", 500, 0);
    ck_assert_int_eq(rows(w, CRD_REPORT_CREDITS), 2);
    OK(w, try_delete(w, k, 0, 0, &r));
    world_check(w);
    ck_assert_int_eq(r.amount, 500);
    b = world_book(w);
    e = book_entry(b, "c1", "EUR", r.first_seq);
    ck_assert_uint_eq(e->type, CRD_ENTRY_DELETE);
    ck_assert_int_eq(e->amount, 500);
    ck_assert_int_eq(book_credit(b, "c1", "K")->deleted, 500);
    ck_assert_uint_eq(book_credit(b, "c1", "K")->flags & CRD_FLAG_DELETED, CRD_FLAG_DELETED);
    ck_assert_uint_eq(book_credit(b, "c1", "K")->state, CRD_CREDIT_VOIDED);
    ck_assert_uint_eq(book_credit(b, "c1", "K")->cause, CRD_CAUSE_DELETED);
    ck_assert_int_eq(book_account(b, "c1", "EUR")->issued, 70);
    ck_assert_int_eq(book_account(b, "c1", "EUR")->credits_issued, 1);
    ck_assert_int_eq(book_account(b, "c1", "EUR")->credit_remaining, 70);
    book_free(b);
    ck_assert_int_eq(rows(w, CRD_REPORT_CREDITS), 1);
    REFUSED(w, try_delete(w, k, 0, 0, &r), CRD_E_NOTHING);
    { /* its id is taken for ever */
        crd_credit_terms t = credit_terms("K", CRD_CREDIT_MEMO, 1);
        REFUSED(w, crd_credit_issue(w->ledger, on(0), "c1", &t, NULL), CRD_E_EXISTS);
    }
    crd_credit_free(k);
    world_close(w);
}
END_TEST

START_TEST(R29_M11_in_use_it_is_refused_or_freed_first) {
    world *w = world_open(_i);
    crd_result r = result_block();
    crd_credit *k;
    crd_invoice *i, *j;
    book *b;
    int64_t first, second;
    customer(w, "c1");
    k = memo(w, "c1", "K", 500, 0);
    i = invoice(w, "c1", "I", 200, 0, 30);
    j = invoice(w, "c1", "J", 100, 0, 30);
    first = apply(w, k, i, 200, 0);
    second = apply(w, k, j, 60, 0);
    apply(w, k, NULL, 10, 0);
    undo(w, "c1", second, 20, 0);
    REFUSED(w, try_delete(w, k, 0, 0, &r), CRD_E_IN_USE);
    FIGURES(w, 250, 0);
    OK(w, try_delete(w, k, CRD_DELETE_CASCADE, 0, &r));
    world_check(w);
    ck_assert_int_eq(r.amount, 500);
    b = world_book(w);
    ck_assert_int_eq(r.last_seq - r.first_seq, 3);
    ck_assert_str_eq(book_entry(b, "c1", "EUR", r.first_seq)->invoice, ""); /* newest first: outside, J, I */
    ck_assert_int_eq(book_entry(b, "c1", "EUR", r.first_seq + 1)->undoes, second);
    ck_assert_int_eq(book_entry(b, "c1", "EUR", r.first_seq + 1)->amount, 40);
    ck_assert_int_eq(book_entry(b, "c1", "EUR", r.first_seq + 2)->undoes, first);
    ck_assert_uint_eq(book_entry(b, "c1", "EUR", r.last_seq)->type, CRD_ENTRY_DELETE);
    ck_assert_int_eq(book_credit(b, "c1", "K")->deleted, 500);
    ck_assert_int_eq(book_credit(b, "c1", "K")->applied, 0);
    ck_assert_int_eq(book_invoice(b, "c1", "I")->open, 200);
    ck_assert_int_eq(book_invoice(b, "c1", "J")->open, 100);
    ck_assert_int_eq(book_account(b, "c1", "EUR")->applied, 0);
    book_free(b);
    ck_assert_int_eq(crd_invoice_get(i)->open, 200);
    crd_credit_free(k);
    crd_invoice_free(i);
    crd_invoice_free(j);
    world_close(w);
}
END_TEST

START_TEST(M11_what_is_held_is_not_deleted_even_with_cascade) {
    world *w = world_open(_i);
    crd_credit *k;
    crd_hold_terms h;
    customer(w, "c1");
    k = memo(w, "c1", "K", 500, 0);
    memset(&h, 0, sizeof h);
    h.struct_size = sizeof h;
    h.amount = 30;
    OK(w, crd_credit_hold(w->ledger, on(0), k, NULL, &h, NULL));
    REFUSED(w, try_delete(w, k, CRD_DELETE_CASCADE, 0, NULL), CRD_E_IN_USE);
    FIGURES(w, 30, 0);
    crd_credit_free(k);
    world_close(w);
}
END_TEST

/* For ever, also when it was undone since: the posting of a deletion mirrors the issue and nothing else. */
START_TEST(M11_once_money_moved_for_good_it_is_never_deleted) {
    world *w = world_open(_i);
    crd_refund_terms refund;
    crd_transfer_terms transfer;
    crd_adjust_terms adjust;
    crd_result r = result_block();
    crd_credit *k[6], *there = NULL;
    static const char *const names[] = {"V", "R", "T", "A", "E", "F"};
    customer(w, "c1");
    customer(w, "c2");
    settings(w, 100, 0);
    for (int n = 0; n < 6; n++)
        k[n] = n == 4 ? promise(w, "c1", names[n], 100, 0, 2) : cash(w, "c1", names[n], 100, 0);
    memset(&refund, 0, sizeof refund);
    refund.struct_size = sizeof refund;
    refund.amount = 10;
    memset(&transfer, 0, sizeof transfer);
    transfer.struct_size = sizeof transfer;
    transfer.amount = 10;
    transfer.customer = "c2";
    memset(&adjust, 0, sizeof adjust);
    adjust.struct_size = sizeof adjust;
    adjust.target = 0;
    void_credit(w, k[0], 10, 0);
    OK(w, crd_credit_refund(w->ledger, on(0), k[1], &refund, &r));
    undo(w, "c1", r.first_seq, 0, 0);
    OK(w, crd_credit_transfer(w->ledger, on(0), k[2], &transfer, &there, &r));
    undo(w, "c1", r.first_seq, 0, 0);
    REFUSED(w, try_delete(w, k[0], 0, 1, NULL), CRD_E_STATE);
    REFUSED(w, try_delete(w, k[1], 0, 1, NULL), CRD_E_STATE);
    REFUSED(w, try_delete(w, k[2], 0, 1, NULL), CRD_E_STATE);
    REFUSED(w, try_delete(w, there, 0, 1, NULL), CRD_E_STATE); /* transferred in */
    REFUSED(w, try_delete(w, k[4], 0, 2, NULL), CRD_E_EXPIRED);
    OK(w, try_delete(w, k[5], 0, 1, NULL)); /* nothing happened to it */
    OK(w, crd_credit_adjust(w->ledger, on(1), "c1", "EUR", &adjust, NULL));
    REFUSED(w, try_delete(w, k[3], 0, 1, NULL), CRD_E_STATE);
    for (int n = 0; n < 6; n++) crd_credit_free(k[n]);
    crd_credit_free(there);
    world_close(w);
}
END_TEST

START_TEST(R29_M11_the_window_is_counted_from_the_issue) {
    world *w = world_open(_i);
    crd_credit *k;
    customer(w, "c1");
    k = memo(w, "c1", "K", 500, 3);
    REFUSED(w, try_delete(w, k, 0, 4, NULL), CRD_E_WINDOW);
    FIGURES(w, DAY(3), DAY(4));
    settings(w, 2, 0);
    REFUSED(w, try_delete(w, k, 0, 6, NULL), CRD_E_WINDOW);
    FIGURES(w, DAY(5), DAY(6));
    settings(w, INT32_MAX, 0);
    OK(w, try_delete(w, k, 0, 900, NULL));
    world_check(w);
    crd_credit_free(k);
    world_close(w);
}
END_TEST

START_TEST(R78_M11_in_a_closed_period_the_refusal_names_what_can_be_done) {
    world *w = world_open(_i);
    crd_credit *k;
    customer(w, "c1");
    k = memo(w, "c1", "K", 500, 3);
    settings(w, 30, DAY(3));
    REFUSED(w, try_delete(w, k, 0, 9, NULL), CRD_E_CLOSED);
    FIGURES(w, DAY(3), DAY(3));
    ck_assert_ptr_nonnull(strstr(crd_ledger_error(w->ledger)->message, "void"));
    settings(w, 30, DAY(2));
    OK(w, try_delete(w, k, 0, 9, NULL));
    crd_credit_free(k);
    world_close(w);
}
END_TEST

START_TEST(M11_M3_the_receipt_of_a_cash_credit_goes_with_it) {
    world *w = world_open(_i);
    crd_result r = result_block();
    crd_credit *p;
    const crd_receipt_record *receipt;
    const crd_entry_record *e;
    book *b;
    customer(w, "c1");
    p = cash(w, "c1", "P", 500, 0);
    ck_assert_int_eq(rows(w, CRD_REPORT_RECEIPTS), 1);
    OK(w, try_delete(w, p, 0, 0, &r));
    world_check(w);
    b = world_book(w);
    e = book_entry(b, "c1", "EUR", r.last_seq);
    ck_assert_uint_eq(e->type, CRD_ENTRY_RECEIPT_DELETE);
    ck_assert_int_eq(e->amount, 500);
    ck_assert_uint_eq(e->flags, CRD_ENTRY_CONSEQUENCE);
    receipt = book_receipt(b, "c1", crd_credit_get(p)->receipt);
    ck_assert_uint_eq(receipt->state, CRD_RECEIPT_DELETED);
    ck_assert_uint_eq(receipt->cause, CRD_CAUSE_DELETED);
    ck_assert_uint_eq(receipt->flags & CRD_FLAG_DELETED, CRD_FLAG_DELETED);
    ck_assert_int_eq(book_account(b, "c1", "EUR")->cash_remaining, 0);
    book_free(b);
    ck_assert_int_eq(rows(w, CRD_REPORT_RECEIPTS), 0);
    REFUSED(w, try_undo(w->ledger, "c1", 1, 0, on(0), NULL), CRD_E_NOTHING); /* the receipt */
    crd_credit_free(p);
    world_close(w);
}
END_TEST

/* 100 sold, paid with 90 and a discount of 8: deleting the payment opens 98 of it again, and no report shows that
 * anything was ever settled or written off. */
START_TEST(M11_the_write_offs_of_a_deleted_receipt_are_undone_with_it) {
    world *w = world_open(_i);
    crd_result r = result_block();
    paying *p = discount(pays(receive("R", 90), "I", 90), "I", 8);
    crd_invoice_record i;
    crd_credit *k;
    book *b;
    int64_t undone = 0;
    customer(w, "c1");
    crd_invoice_free(invoice(w, "c1", "I", 100, 0, 30));
    p->terms.credit = "P";
    enter(w, "c1", p, 0);
    k = find_credit(w->ledger, "c1", "P");
    REFUSED(w, try_delete(w, k, 0, 0, &r), CRD_E_IN_USE);
    FIGURES(w, 98, 0); /* applied and written off */
    OK(w, try_delete(w, k, CRD_DELETE_CASCADE, 0, &r));
    world_check(w);
    ck_assert_int_eq(r.amount, 90);
    i = stored_invoice(w, "c1", "I");
    ck_assert_int_eq(i.open, 100);
    ck_assert_int_eq(i.applied + i.written_off + i.cancelled, 0);
    ck_assert_uint_eq(i.state, CRD_INVOICE_OPEN);
    ck_assert_int_eq(stored_receipt(w, "c1", "R").written_off, 0);
    ck_assert_uint_eq(stored_receipt(w, "c1", "R").state, CRD_RECEIPT_DELETED);
    b = world_book(w);
    for (int64_t seq = r.first_seq; seq <= r.last_seq; seq++)
        if (book_entry(b, "c1", "EUR", seq)->type == CRD_ENTRY_UNWRITE_OFF) undone += book_entry(b, "c1", "EUR", seq)->amount;
    ck_assert_int_eq(undone, 8); /* the journal keeps it */
    book_free(b);
    ck_assert_int_eq(balance_of(w->ledger, "c1", "EUR", 0).outstanding, 100);
    ck_assert_int_eq(rows(w, CRD_REPORT_RECEIPTS), 0);
    REFUSED(w, try_delete(w, k, CRD_DELETE_CASCADE, 0, &r), CRD_E_NOTHING);
    crd_credit_free(k);
    world_close(w);
}
END_TEST

/* A cascade takes one date, the latest of all it touches; past the window it is refused. */
START_TEST(M6_M11_the_cascade_takes_the_latest_date) {
    world *w = world_open(_i);
    crd_result r = result_block();
    crd_credit *k, *other;
    crd_invoice *i;
    book *b;
    customer(w, "c1");
    k = memo(w, "c1", "K", 500, 0);
    other = memo(w, "c1", "O", 500, 0);
    i = invoice(w, "c1", "I", 200, 0, 30);
    apply(w, k, i, 100, 0);
    apply(w, other, i, 10, 5);
    REFUSED(w, try_delete(w, k, CRD_DELETE_CASCADE, 0, &r), CRD_E_WINDOW);
    FIGURES(w, DAY(0), DAY(5));
    settings(w, 5, 0);
    OK(w, try_delete(w, k, CRD_DELETE_CASCADE, 0, &r));
    world_check(w);
    b = world_book(w);
    for (int64_t seq = r.first_seq; seq <= r.last_seq; seq++)
        ck_assert_int_eq(book_entry(b, "c1", "EUR", seq)->business_date, DAY(5));
    book_free(b);
    crd_credit_free(k);
    crd_credit_free(other);
    crd_invoice_free(i);
    world_close(w);
}
END_TEST

START_TEST(M12_M11_a_deleted_return_is_not_returned) {
    world *w = world_open(_i);
    crd_credit_terms t = credit_terms("R", CRD_CREDIT_MEMO, 80);
    crd_credit *k = NULL;
    crd_invoice *i;
    customer(w, "c1");
    i = invoice(w, "c1", "I", 200, 0, 30);
    t.flags = CRD_ISSUE_RETURN;
    t.origin = "I";
    OK(w, crd_credit_issue(w->ledger, on(0), "c1", &t, &k));
    ck_assert_int_eq(stored_invoice(w, "c1", "I").returned, 80);
    OK(w, try_delete(w, k, 0, 0, NULL));
    world_check(w);
    ck_assert_int_eq(stored_invoice(w, "c1", "I").returned, 0);
    crd_credit_free(k);
    crd_invoice_free(i);
    world_close(w);
}
END_TEST

START_TEST(M11_M12_documents_of_the_library_are_not_deleted) {
    world *w = world_open(_i);
    crd_credit *k = NULL;
    crd_invoice *i;
    customer(w, "c1");
    i = invoice(w, "c1", "I", 200, 0, 30);
    OK(w, crd_invoice_reverse(w->ledger, on(0), i, NULL, &k));
    REFUSED(w, try_delete(w, k, CRD_DELETE_CASCADE, 0, NULL), CRD_E_STATE);
    ck_assert_ptr_nonnull(strstr(crd_ledger_error(w->ledger)->message, "cause"));
    crd_credit_free(k);
    crd_invoice_free(i);
    world_close(w);
}
END_TEST

/* Deleted, it would leave the adjustment in the reports without what it came to. */
START_TEST(M11_R7_a_credit_that_an_adjustment_made_goes_by_undoing_that) {
    world *w = world_open(_i);
    crd_adjust_terms t;
    crd_result r = result_block();
    crd_credit *k;
    customer(w, "c1");
    memset(&t, 0, sizeof t);
    t.struct_size = sizeof t;
    t.target = 50;
    t.id = "K";
    OK(w, crd_credit_adjust(w->ledger, on(0), "c1", "EUR", &t, &r));
    k = find_credit(w->ledger, "c1", "K");
    REFUSED(w, try_delete(w, k, 0, 0, NULL), CRD_E_STATE);
    ck_assert_int_eq(undo(w, "c1", r.first_seq, 0, 0), 50);
    crd_credit_free(k);
    k = credit(w, "c1", "A", CRD_CREDIT_ADJUSTMENT, 50, 0); /* by hand: nothing else tells of it */
    OK(w, try_delete(w, k, 0, 0, NULL));
    crd_credit_free(k);
    world_close(w);
}
END_TEST

START_TEST(M16_deleting_checks_its_arguments_and_its_key) {
    world *w = world_open(_i);
    crd_result r = result_block();
    crd_credit *k;
    customer(w, "c1");
    k = memo(w, "c1", "K", 500, 0);
    REFUSED(w, try_delete(w, NULL, 0, 0, NULL), CRD_E_ARGUMENT);
    REFUSED(w, try_delete(w, k, 2, 0, NULL), CRD_E_ARGUMENT);
    FIELD(w, "flags");
    OK(w, crd_credit_delete(w->ledger, keyed(0, "d"), k, 0, &r));
    OK(w, crd_credit_delete(w->ledger, keyed(0, "d"), k, 0, &r));
    ck_assert_uint_eq(r.repeated, 1);
    ck_assert_int_eq(r.amount, 500);
    REFUSED(w, crd_credit_delete(w->ledger, keyed(0, "d"), k, CRD_DELETE_CASCADE, &r), CRD_E_KEY_REUSED);
    crd_credit_free(k);
    world_close(w);
}
END_TEST

/* Museum 26, 12: a voided or deleted grant leaves no trace in a figure. */
START_TEST(museum_12_26_a_deleted_payment_counts_in_no_balance) {
    world *w = world_open(_i);
    crd_credit *p;
    crd_invoice *i;
    crd_balance before, after;
    customer(w, "c1");
    i = invoice(w, "c1", "I", 200, 0, 30);
    before = balance_of(w->ledger, "c1", "EUR", 0);
    p = cash(w, "c1", "P", 150, 0);
    apply(w, p, i, 120, 0);
    OK(w, try_delete(w, p, CRD_DELETE_CASCADE, 0, NULL));
    world_check(w);
    after = balance_of(w->ledger, "c1", "EUR", 0);
    after.version = before.version;
    ck_assert_int_eq(memcmp(&before, &after, sizeof after), 0);
    crd_credit_free(p);
    crd_invoice_free(i);
    world_close(w);
}
END_TEST

/* The payment's application was undone, the discount that came with it stands: to delete reopens the invoice by it. */
START_TEST(M11_what_its_receipt_wrote_off_goes_on_request_only) {
    world *w = world_open(_i);
    paying *p = discount(pays(receive("R", 98), "A", 98), "A", 2);
    crd_credit *k;
    crd_result r;
    customer(w, "c1");
    crd_invoice_free(invoice(w, "c1", "A", 100, 0, 10));
    p->terms.credit = "P";
    r = enter(w, "c1", p, 0);
    undo(w, "c1", r.first_seq + 2, 0, 0);
    k = find_credit(w->ledger, "c1", "P");
    REFUSED(w, try_delete(w, k, 0, 0, NULL), CRD_E_IN_USE);
    FIGURES(w, 2, 0);
    OK(w, try_delete(w, k, CRD_DELETE_CASCADE, 0, NULL));
    world_check(w);
    ck_assert_int_eq(stored_invoice(w, "c1", "A").open, 100);
    ck_assert_int_eq(stored_invoice(w, "c1", "A").written_off, 0);
    ck_assert_uint_eq(stored_receipt(w, "c1", "R").state, CRD_RECEIPT_DELETED);
    crd_credit_free(k);
    world_close(w);
}
END_TEST

static Suite *make(void) {
    Suite *s = suite_create("delete");
    TCase *t = tcase_create("delete");
    tcase_add_loop_test(t, R29_M11_a_deleted_credit_leaves_lists_and_totals_not_the_journal, 0, STORES);
    tcase_add_loop_test(t, R29_M11_in_use_it_is_refused_or_freed_first, 0, STORES);
    tcase_add_loop_test(t, M11_what_is_held_is_not_deleted_even_with_cascade, 0, STORES);
    tcase_add_loop_test(t, M11_what_its_receipt_wrote_off_goes_on_request_only, 0, STORES);
    tcase_add_loop_test(t, M11_once_money_moved_for_good_it_is_never_deleted, 0, STORES);
    tcase_add_loop_test(t, R29_M11_the_window_is_counted_from_the_issue, 0, STORES);
    tcase_add_loop_test(t, R78_M11_in_a_closed_period_the_refusal_names_what_can_be_done, 0, STORES);
    tcase_add_loop_test(t, M11_M3_the_receipt_of_a_cash_credit_goes_with_it, 0, STORES);
    tcase_add_loop_test(t, M11_the_write_offs_of_a_deleted_receipt_are_undone_with_it, 0, STORES);
    tcase_add_loop_test(t, M6_M11_the_cascade_takes_the_latest_date, 0, STORES);
    tcase_add_loop_test(t, M12_M11_a_deleted_return_is_not_returned, 0, STORES);
    tcase_add_loop_test(t, M11_M12_documents_of_the_library_are_not_deleted, 0, STORES);
    tcase_add_loop_test(t, M11_R7_a_credit_that_an_adjustment_made_goes_by_undoing_that, 0, STORES);
    tcase_add_loop_test(t, M16_deleting_checks_its_arguments_and_its_key, 0, STORES);
    tcase_add_loop_test(t, museum_12_26_a_deleted_payment_counts_in_no_balance, 0, STORES);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return world_main(make);
}
