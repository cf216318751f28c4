/*
 * Returns: credit memos that give (part of) an invoice back, never more than was sold.
 */
#include "support/change.h"

#include <string.h>

static crd_status try_return(world *w, const char *id, const char *invoice, int64_t amount, int day) {
    crd_credit_terms t = return_terms(id, invoice, amount);
    return crd_credit_issue(w->ledger, on(day), "c1", &t, NULL);
}

START_TEST(R14_M12_a_return_names_its_invoice_and_is_counted_there) {
    world *w = world_open(_i);
    crd_invoice *i;
    crd_credit *k;
    book *b;
    customer(w, "c1");
    i = invoice(w, "c1", "I", 100, 0, 30);
    k = give_back(w, "c1", "K", "I", 30, 2);
    b = world_book(w);
    ck_assert_str_eq(book_entry(b, "c1", "EUR", 2)->invoice, "I");
    ck_assert_str_eq(book_entry(b, "c1", "EUR", 2)->credit, "K");
    ck_assert_int_eq(book_entry(b, "c1", "EUR", 2)->invoice_after, 100);
    ck_assert_int_eq(book_invoice(b, "c1", "I")->returned, 30);
    ck_assert_int_eq(book_invoice(b, "c1", "I")->open, 100); /* the memo is yet to be applied */
    ck_assert_int_eq(book_invoice(b, "c1", "I")->last_seq, 2);
    ck_assert_int_eq(book_invoice(b, "c1", "I")->last_date, DAY(2));
    ck_assert_uint_eq(book_credit(b, "c1", "K")->flags, CRD_FLAG_RETURN);
    ck_assert_str_eq(book_credit(b, "c1", "K")->origin, "I");
    book_free(b);
    REFUSED(w, try_return(w, NULL, "I", 71, 2), CRD_E_RETURNED);
    FIGURES(w, 70, 71);
    SUBJECT(w, CRD_KIND_INVOICE, "I");
    REFUSED(w, try_return(w, NULL, "I", 70, 1), CRD_E_DATE);
    FIGURES(w, DAY(2), DAY(1));
    OK(w, crd_invoice_refresh(i));
    crd_credit_free(give_back(w, "c1", "K2", "I", 70, 2));
    REFUSED(w, try_return(w, NULL, "I", 1, 2), CRD_E_RETURNED);
    FIGURES(w, 0, 1);
    crd_invoice_free(i);
    crd_credit_free(k);
    world_close(w);
}
END_TEST

START_TEST(M12_what_is_voided_of_a_return_may_be_returned_again) {
    world *w = world_open(_i);
    crd_credit *k, *plain;
    crd_result r = result_block();
    book *b;
    customer(w, "c1");
    crd_invoice_free(invoice(w, "c1", "I", 100, 0, 30));
    k = give_back(w, "c1", "K", "I", 60, 1);
    OK(w, crd_credit_void(w->ledger, on(2), k, 25, 0, &r));
    world_check(w);
    b = world_book(w);
    ck_assert_str_eq(book_entry(b, "c1", "EUR", r.first_seq)->invoice, "I");
    ck_assert_int_eq(book_invoice(b, "c1", "I")->returned, 35);
    book_free(b);
    REFUSED(w, try_return(w, NULL, "I", 66, 2), CRD_E_RETURNED);
    FIGURES(w, 65, 66);
    REFUSED(w, crd_credit_void(w->ledger, on(1), k, 25, 0, NULL), CRD_E_DATE);
    crd_credit_free(give_back(w, "c1", "L", "I", 5, 4));
    REFUSED(w, crd_credit_void(w->ledger, on(3), k, 1, 0, NULL), CRD_E_DATE); /* the invoice was touched on the 4th */
    FIGURES(w, DAY(4), DAY(3));
    void_credit(w, k, 0, 4);
    ck_assert_int_eq(stored_invoice(w, "c1", "I").returned, 5);
    plain = memo(w, "c1", "P", 10, 4);
    void_credit(w, plain, 0, 4); /* a memo of no invoice concerns none */
    ck_assert_int_eq(stored_invoice(w, "c1", "I").returned, 5);
    crd_credit_free(k);
    crd_credit_free(plain);
    world_close(w);
}
END_TEST

START_TEST(M12_void_and_a_lower_revision_are_refused_while_a_return_stands) {
    world *w = world_open(_i);
    crd_revise_terms t = revise_terms(29);
    crd_invoice *i;
    crd_credit *k;
    customer(w, "c1");
    i = invoice(w, "c1", "I", 100, 0, 30);
    k = give_back(w, "c1", "K", "I", 30, 0);
    REFUSED(w, crd_invoice_void(w->ledger, on(1), i, 0, NULL), CRD_E_RETURNED);
    ck_assert_int_eq(crd_ledger_error(w->ledger)->limit, 30);
    REFUSED(w, crd_invoice_revise(w->ledger, on(1), i, &t, NULL), CRD_E_RETURNED);
    FIGURES(w, 30, 29);
    revise(w, i, 30, 1);
    void_credit(w, k, 0, 1);
    void_invoice(w, i, 1);
    ck_assert_int_eq(stored_invoice(w, "c1", "I").cancelled, 30);
    crd_invoice_free(i);
    crd_credit_free(k);
    world_close(w);
}
END_TEST

START_TEST(M16_a_return_is_refused_in_the_order_of_reasons) {
    world *w = world_open(_i);
    crd_credit_terms t = return_terms("K", "I", 10);
    crd_invoice *gone;
    customer(w, "c1");
    customer(w, "c2");
    crd_invoice_free(invoice(w, "c1", "I", 100, 0, 30));
    crd_invoice_free(invoice_as(w, "c1", "D", CRD_INVOICE_INVOICE, 100, 0, 30, CRD_INVOICE_AS_DRAFT));
    gone = invoice(w, "c1", "V", 100, 0, 30);
    void_invoice(w, gone, 0);
    t.kind = CRD_CREDIT_GOODWILL;
    REFUSED(w, crd_credit_issue(w->ledger, on(1), "c1", &t, NULL), CRD_E_ARGUMENT);
    FIELD(w, "terms.kind");
    t.kind = CRD_CREDIT_REVERSED_INVOICE;
    REFUSED(w, crd_credit_issue(w->ledger, on(1), "c1", &t, NULL), CRD_E_ARGUMENT);
    FIELD(w, "terms.kind");
    t.kind = CRD_CREDIT_MEMO;
    t.origin = NULL;
    REFUSED(w, crd_credit_issue(w->ledger, on(1), "c1", &t, NULL), CRD_E_ARGUMENT);
    FIELD(w, "terms.origin");
    t.origin = "X";
    crd_credit_free(memo(w, "c1", "K", 10, 0)); /* an invoice must exist before an id can be taken */
    REFUSED(w, crd_credit_issue(w->ledger, on(1), "c1", &t, NULL), CRD_E_NOT_FOUND);
    SUBJECT(w, CRD_KIND_INVOICE, "X");
    t.origin = "I";
    REFUSED(w, crd_credit_issue(w->ledger, on(1), "c1", &t, NULL), CRD_E_EXISTS);
    t.id = "L";
    t.origin = "I";
    REFUSED(w, crd_credit_issue(w->ledger, on(1), "c2", &t, NULL), CRD_E_NOT_FOUND); /* another customer's */
    t.currency = "JPY";
    REFUSED(w, crd_credit_issue(w->ledger, on(1), "c1", &t, NULL), CRD_E_NOT_FOUND);
    t.currency = "EUR";
    t.origin = "D";
    REFUSED(w, crd_credit_issue(w->ledger, on(1), "c1", &t, NULL), CRD_E_STATE);
    FIGURES(w, 0, CRD_INVOICE_DRAFT);
    t.origin = "V";
    REFUSED(w, crd_credit_issue(w->ledger, on(1), "c1", &t, NULL), CRD_E_STATE);
    t.origin = "I";
    t.expires = DAY(1); /* a date decides before an amount does */
    t.amount = 101;
    REFUSED(w, crd_credit_issue(w->ledger, on(1), "c1", &t, NULL), CRD_E_DATE);
    t.expires = 0;
    REFUSED(w, crd_credit_issue(w->ledger, on(1), "c1", &t, NULL), CRD_E_RETURNED);
    t.amount = 10;
    t.flags = 0;
    t.origin = "X"; /* without the flag it is a word like any other */
    OK(w, crd_credit_issue(w->ledger, on(1), "c1", &t, NULL));
    world_check(w);
    crd_invoice_free(gone);
    world_close(w);
}
END_TEST

/* 19 of 119 is tax. Three parts of which each takes its share, and the last what is left: they sum to 19. */
START_TEST(R82_M12_returns_split_the_tax_a_tie_going_to_the_part_that_moves) {
    world *w = world_open(_i);
    crd_invoice_terms t = invoice_terms("I", 119);
    crd_credit_terms r;
    customer(w, "c1");
    t.tax = 19;
    OK(w, crd_invoice_enter(w->ledger, on(0), "c1", &t, NULL));
    crd_credit_free(give_back(w, "c1", "K1", "I", 40, 0)); /* 6.39 */
    ck_assert_int_eq(stored_credit(w, "c1", "K1").tax, 6);
    crd_credit_free(give_back(w, "c1", "K2", "I", 40, 0)); /* 13 * 40 / 79 = 6.58 */
    ck_assert_int_eq(stored_credit(w, "c1", "K2").tax, 7);
    crd_credit_free(give_back(w, "c1", "K3", "I", 39, 0));
    ck_assert_int_eq(stored_credit(w, "c1", "K3").tax, 6);
    ck_assert_int_eq(stored_invoice(w, "c1", "I").returned_tax, 19);
    t.id = "T";
    t.total = 4;
    t.tax = 1;
    OK(w, crd_invoice_enter(w->ledger, on(0), "c1", &t, NULL));
    crd_credit_free(give_back(w, "c1", "T1", "T", 2, 0)); /* 0.5: the part that moves has it */
    ck_assert_int_eq(stored_credit(w, "c1", "T1").tax, 1);
    crd_credit_free(give_back(w, "c1", "T2", "T", 2, 0));
    ck_assert_int_eq(stored_credit(w, "c1", "T2").tax, 0);
    t.id = "U";
    t.total = 100;
    t.tax = 20;
    OK(w, crd_invoice_enter(w->ledger, on(0), "c1", &t, NULL));
    r = return_terms("U1", "U", 50);
    r.tax = 3; /* told, so carried */
    OK(w, crd_credit_issue(w->ledger, on(0), "c1", &r, NULL));
    ck_assert_int_eq(stored_credit(w, "c1", "U1").tax, 3);
    crd_credit_free(give_back(w, "c1", "U2", "U", 50, 0));
    ck_assert_int_eq(stored_credit(w, "c1", "U2").tax, 17);
    world_check(w);
    world_close(w);
}
END_TEST

START_TEST(R82_voiding_part_of_a_return_gives_its_share_of_the_tax_back) {
    world *w = world_open(_i);
    crd_invoice_terms t = invoice_terms("I", 120);
    crd_credit *k;
    customer(w, "c1");
    t.tax = 20;
    OK(w, crd_invoice_enter(w->ledger, on(0), "c1", &t, NULL));
    k = give_back(w, "c1", "K", "I", 60, 0); /* 10 of tax */
    ck_assert_int_eq(stored_invoice(w, "c1", "I").returned_tax, 10);
    void_credit(w, k, 3, 1); /* 0.5, which moves */
    ck_assert_int_eq(stored_invoice(w, "c1", "I").returned_tax, 9);
    void_credit(w, k, 3, 1); /* 1 in all */
    ck_assert_int_eq(stored_invoice(w, "c1", "I").returned_tax, 9);
    void_credit(w, k, 0, 1);
    ck_assert_int_eq(stored_invoice(w, "c1", "I").returned_tax, 0);
    ck_assert_int_eq(stored_invoice(w, "c1", "I").returned, 0);
    crd_credit_free(k);
    world_close(w);
}
END_TEST

static crd_status return_line(world *w, const char *id, const char *origin, int64_t quantity, int64_t amount) {
    crd_line_terms l = line_terms("A", quantity, amount);
    const crd_line_terms *list[1] = {&l};
    crd_credit_terms t = return_terms(id, "I", amount);
    l.origin = origin;
    t.lines = list;
    t.line_count = 1;
    return crd_credit_issue(w->ledger, on(1), "c1", &t, NULL);
}

START_TEST(M12_no_more_of_a_line_is_returned_than_was_sold) {
    static const int64_t third[] = {3}, first[] = {1};
    world *w = world_open(_i);
    crd_revise_terms t = revise_terms(800);
    crd_invoice *i;
    crd_credit *k;
    customer(w, "c1");
    i = lined_invoice(w, "c1", "I", 0);
    REFUSED(w, return_line(w, "K", "elsewhere", 1, 100), CRD_E_ARGUMENT);
    FIELD(w, "lines.origin");
    REFUSED(w, return_line(w, "K", "I/01", 1, 100), CRD_E_ARGUMENT);
    REFUSED(w, return_line(w, "K", "I/", 1, 100), CRD_E_ARGUMENT);
    REFUSED(w, return_line(w, "K", "I/4", 1, 100), CRD_E_NOT_FOUND);
    SUBJECT(w, CRD_KIND_LINE, "I/4");
    REFUSED(w, return_line(w, "K", "I/1", 6, 500), CRD_E_RETURNED);
    FIELD(w, "quantity");
    FIGURES(w, 5000, 6000);
    REFUSED(w, return_line(w, "K", "I/1", 5, 501), CRD_E_RETURNED);
    FIELD(w, "amount");
    FIGURES(w, 500, 501);
    OK(w, return_line(w, "K", "I/1", 2, 200));
    world_check(w);
    REFUSED(w, return_line(w, "L", "I/1", 4, 300), CRD_E_RETURNED);
    FIGURES(w, 3000, 4000);
    REFUSED(w, return_line(w, "L", "I/1", 3, 301), CRD_E_RETURNED);
    FIGURES(w, 300, 301);
    OK(w, crd_invoice_refresh(i));
    t.total = 500;
    t.end_lines = first;
    t.end_line_count = 1;
    REFUSED(w, crd_invoice_revise(w->ledger, on(1), i, &t, NULL), CRD_E_RETURNED); /* a return names that line */
    FIELD(w, "terms.end_lines");
    FIGURES(w, 200, 0);
    t.total = 800;
    t.end_lines = third;
    OK(w, crd_invoice_revise(w->ledger, on(1), i, &t, NULL));
    REFUSED(w, return_line(w, "L", "I/3", 1, 200), CRD_E_NOT_FOUND); /* it was taken off the sale */
    k = find_credit(w->ledger, "c1", "K");
    void_credit(w, k, 0, 1);
    OK(w, return_line(w, "M", "I/1", 5, 500)); /* all of the line may come back again */
    world_check(w);
    ck_assert_int_eq(stored_invoice(w, "c1", "I").returned, 500);
    crd_credit_free(k);
    crd_invoice_free(i);
    world_close(w);
}
END_TEST

START_TEST(M12_a_line_twice_in_one_return_counts_twice) {
    world *w = world_open(_i);
    crd_line_terms l[2] = {line_terms("B", 1, 150), line_terms("B", 2, 150)};
    const crd_line_terms *list[2] = {&l[0], &l[1]};
    crd_credit_terms t = return_terms("K", "I", 300);
    customer(w, "c1");
    crd_invoice_free(lined_invoice(w, "c1", "I", 0));
    l[0].origin = l[1].origin = "I/2";
    t.lines = list;
    t.line_count = 2;
    REFUSED(w, crd_credit_issue(w->ledger, on(1), "c1", &t, NULL), CRD_E_RETURNED);
    FIGURES(w, 1000, 2000);
    l[1].quantity = 1000;
    OK(w, crd_credit_issue(w->ledger, on(1), "c1", &t, NULL));
    world_check(w);
    world_close(w);
}
END_TEST

START_TEST(R64_a_return_within_the_unit_of_its_invoice) {
    world *w = world_open(_i);
    crd_line_terms l = line_terms("A", 2, 200);
    const crd_line_terms *list[1] = {&l};
    crd_credit_terms t = return_terms("K", "I", 200);
    crd_credit *k = NULL;
    crd_invoice *i;
    customer(w, "c1");
    w->careless = 1;
    OK(w, crd_unit_begin(w->ledger));
    i = lined_invoice(w, "c1", "I", 0);
    l.origin = "I/1";
    t.lines = list;
    t.line_count = 1;
    OK(w, crd_credit_issue(w->ledger, on(0), "c1", &t, &k));
    l.quantity = 4000; /* the open unit knows of the return before */
    t.id = "L";
    ENDS(w->ledger, crd_credit_issue(w->ledger, on(0), "c1", &t, NULL), CRD_E_RETURNED);
    FIGURES(w, 3000, 4000);
    OK(w, crd_credit_void(w->ledger, on(0), k, 0, 0, NULL));
    OK(w, crd_credit_issue(w->ledger, on(0), "c1", &t, NULL));
    OK(w, crd_unit_commit(w->ledger));
    world_check(w);
    ck_assert_int_eq(stored_invoice(w, "c1", "I").returned, 200);
    crd_invoice_free(i);
    crd_credit_free(k);
    world_close(w);
}
END_TEST

/* What is voided of a memo is money, not a line of it: nobody says which. So of the invoice it may be returned again, and
 * of each line nothing until all of the memo is voided; else more of a line could come back than was sold. */
START_TEST(M12_of_a_return_voided_in_part_each_line_counts_in_full) {
    world *w = world_open(_i);
    crd_line_terms l[2] = {line_terms("A", 5, 500), line_terms("B", 1, 100)};
    crd_line_terms one = line_terms("A", 1, 100);
    const crd_line_terms *list[2] = {&l[0], &l[1]}, *again[1] = {&one};
    crd_credit_terms t = return_terms("K", "L", 600), u = return_terms("U", "L", 100);
    crd_credit *k = NULL;
    customer(w, "c1");
    crd_invoice_free(lined_invoice(w, "c1", "L", 0)); /* A 5 for 500, B 2 for 300, C 1 for 200 */
    l[0].origin = one.origin = "L/1";
    l[1].origin = "L/2";
    t.lines = list;
    t.line_count = 2;
    OK(w, crd_credit_issue(w->ledger, on(1), "c1", &t, &k));
    void_credit(w, k, 300, 1);
    ck_assert_int_eq(stored_invoice(w, "c1", "L").returned, 300);
    u.lines = again;
    u.line_count = 1;
    REFUSED(w, crd_credit_issue(w->ledger, on(1), "c1", &u, NULL), CRD_E_RETURNED);
    SUBJECT(w, CRD_KIND_LINE, "L/1");
    FIGURES(w, 0, 1000); /* thousandths */
    u.line_count = 0;
    u.lines = NULL;
    u.amount = 701;
    REFUSED(w, crd_credit_issue(w->ledger, on(1), "c1", &u, NULL), CRD_E_RETURNED); /* of the whole it is 300 */
    FIGURES(w, 700, 701);
    void_credit(w, k, 0, 1);
    u.amount = 100;
    u.lines = again;
    u.line_count = 1;
    OK(w, crd_credit_issue(w->ledger, on(1), "c1", &u, NULL));
    world_check(w);
    ck_assert_int_eq(stored_invoice(w, "c1", "L").returned, 100);
    crd_credit_free(k);
    world_close(w);
}
END_TEST

/* Money of a return that went to another customer is no memo of the invoice any more: the goods came back, whatever
 * becomes of the money. Voided there, nothing may be returned again here; fetched back and voided here, it may. */
START_TEST(M10_M12_what_another_customer_does_with_a_return_does_not_undo_it) {
    world *w = world_open(_i);
    crd_transfer_terms t;
    crd_result r = result_block();
    crd_invoice *i;
    crd_credit *k, *there = NULL;
    customer(w, "c1");
    customer(w, "c2");
    i = invoice(w, "c1", "I", 100, 0, 30);
    k = give_back(w, "c1", "K", "I", 60, 1);
    memset(&t, 0, sizeof t);
    t.struct_size = sizeof t;
    t.customer = "c2";
    t.amount = 50;
    OK(w, crd_credit_transfer(w->ledger, on(1), k, &t, &there, &r));
    void_credit(w, there, 20, 1);
    ck_assert_int_eq(stored_invoice(w, "c1", "I").returned, 60);
    REFUSED(w, try_return(w, NULL, "I", 41, 1), CRD_E_RETURNED);
    FIGURES(w, 40, 41);
    (void)undo(w, "c1", r.first_seq, 30, 1);
    OK(w, crd_credit_refresh(k));
    void_credit(w, k, 0, 1);
    ck_assert_int_eq(stored_credit(w, "c1", "K").voided, 40);
    ck_assert_int_eq(stored_invoice(w, "c1", "I").returned, 20);
    OK(w, crd_invoice_refresh(i));
    REFUSED(w, crd_invoice_void(w->ledger, on(1), i, 0, NULL), CRD_E_RETURNED);
    ck_assert_int_eq(crd_ledger_error(w->ledger)->limit, 20);
    crd_credit_free(there);
    crd_credit_free(k);
    crd_invoice_free(i);
    world_close(w);
}
END_TEST

/* Museum 14: A return paid the invoice it came from; when that was revised the return stayed tied to it. Naive
 * rule: only payments are released. */
START_TEST(museum_14_a_return_is_free_of_the_invoice_it_paid_when_that_is_revised) {
    world *w = world_open(_i);
    crd_invoice *i;
    crd_credit *k, *money;
    customer(w, "c1");
    i = invoice(w, "c1", "I", 100, 0, 30);
    money = cash(w, "c1", "M", 70, 0);
    apply(w, money, i, 70, 0);
    k = give_back(w, "c1", "K", "I", 30, 1);
    OK(w, crd_invoice_refresh(i));
    apply(w, k, i, 30, 1);
    revise(w, i, 60, 2); /* the newest goes first, memo or not */
    ck_assert_int_eq(stored_credit(w, "c1", "K").remaining, 30);
    ck_assert_int_eq(stored_credit(w, "c1", "M").remaining, 10);
    crd_invoice_free(i);
    crd_credit_free(k);
    crd_credit_free(money);
    world_close(w);
}
END_TEST

/* Museum 22: The same for a return of several lines. Naive rule: compare the sum of the lines with the sum of what
 * was sold. */
START_TEST(museum_22_each_line_of_a_return_is_held_against_its_own) {
    world *w = world_open(_i);
    crd_line_terms l[2] = {line_terms("A", 1, 100), line_terms("C", 1, 201)};
    const crd_line_terms *list[2] = {&l[0], &l[1]};
    crd_credit_terms t = return_terms("K", "I", 301);
    customer(w, "c1");
    crd_invoice_free(lined_invoice(w, "c1", "I", 0));
    ck_assert_int_le(l[0].amount + l[1].amount, 500 + 200); /* the naive rule: the sum against the sum */
    l[0].origin = "I/1";
    l[1].origin = "I/3";
    t.lines = list;
    t.line_count = 2;
    REFUSED(w, crd_credit_issue(w->ledger, on(1), "c1", &t, NULL), CRD_E_RETURNED);
    SUBJECT(w, CRD_KIND_LINE, "I/3");
    FIGURES(w, 200, 201);
    world_close(w);
}
END_TEST

static Suite *make(void) {
    Suite *s = suite_create("returns");
    TCase *t = tcase_create("returns");
    tcase_add_loop_test(t, R14_M12_a_return_names_its_invoice_and_is_counted_there, 0, STORES);
    tcase_add_loop_test(t, M12_what_is_voided_of_a_return_may_be_returned_again, 0, STORES);
    tcase_add_loop_test(t, M12_of_a_return_voided_in_part_each_line_counts_in_full, 0, STORES);
    tcase_add_loop_test(t, M10_M12_what_another_customer_does_with_a_return_does_not_undo_it, 0, STORES);
    tcase_add_loop_test(t, M12_void_and_a_lower_revision_are_refused_while_a_return_stands, 0, STORES);
    tcase_add_loop_test(t, M16_a_return_is_refused_in_the_order_of_reasons, 0, STORES);
    tcase_add_loop_test(t, R82_M12_returns_split_the_tax_a_tie_going_to_the_part_that_moves, 0, STORES);
    tcase_add_loop_test(t, R82_voiding_part_of_a_return_gives_its_share_of_the_tax_back, 0, STORES);
    tcase_add_loop_test(t, M12_no_more_of_a_line_is_returned_than_was_sold, 0, STORES);
    tcase_add_loop_test(t, M12_a_line_twice_in_one_return_counts_twice, 0, STORES);
    tcase_add_loop_test(t, R64_a_return_within_the_unit_of_its_invoice, 0, STORES);
    tcase_add_loop_test(t, museum_14_a_return_is_free_of_the_invoice_it_paid_when_that_is_revised, 0, STORES);
    tcase_add_loop_test(t, museum_22_each_line_of_a_return_is_held_against_its_own, 0, STORES);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return world_main(make);
}
