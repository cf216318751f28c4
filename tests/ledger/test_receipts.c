/*
 * Receipts entered: what their lines make of their money, over every storage (rules M3, M6, M14).
 */
#include "support/paying.h"

#include <string.h>

/* Customer c1 with invoices A 100 (due day 10) and B 50 (due day 5). */
static world *two_invoices(int store) {
    world *w = world_open(store);
    customer(w, "c1");
    crd_invoice_free(invoice(w, "c1", "A", 100, 0, 10));
    crd_invoice_free(invoice(w, "c1", "B", 50, 0, 5));
    return w;
}

static void credit_is(world *w, const char *id, int64_t original, int64_t remaining, int64_t applied) {
    crd_credit_record c = stored_credit(w, "c1", id);
    ck_assert_int_eq(c.original, original);
    ck_assert_int_eq(c.remaining, remaining);
    ck_assert_int_eq(c.applied, applied);
}

static void invoice_is(world *w, const char *id, int64_t open, int64_t applied, uint32_t state) {
    crd_invoice_record i = stored_invoice(w, "c1", id);
    ck_assert_int_eq(i.open, open);
    ck_assert_int_eq(i.applied, applied);
    ck_assert_uint_eq(i.state, state);
}

static void text_is(world *w, const char *credit, const char *source, const char *method, const char *receipt) {
    book *b = world_book(w);
    const crd_credit_record *c = book_credit(b, "c1", credit);
    ck_assert_str_eq(c->source, source);
    ck_assert_str_eq(c->method, method);
    ck_assert_str_eq(c->receipt, receipt);
    book_free(b);
}

START_TEST(R13_what_is_more_than_due_becomes_an_overpayment_credit) {
    world *w = two_invoices(_i);
    paying *p = with(pays(receive("R", 120), "A", 100), CRD_RECEIPT_EXCESS_TO_CREDIT);
    crd_receipt_record r;
    crd_credit_record c;
    p->terms.credit = "P";
    p->terms.method = "check";
    p->terms.payment_info = "no. 7";
    ck_assert_int_eq(enter(w, "c1", p, 1).amount, 100);
    credit_is(w, "P", 120, 20, 100);
    text_is(w, "P", "overpayment", "check", "R");
    c = stored_credit(w, "c1", "P");
    ck_assert_uint_eq(c.kind, CRD_CREDIT_PAYMENT);
    ck_assert_uint_eq(c.credit_class, CRD_CLASS_CASH);
    ck_assert_int_eq(c.applied_by_receipt, 100);
    invoice_is(w, "A", 0, 100, CRD_INVOICE_PAID);
    invoice_is(w, "B", 50, 0, CRD_INVOICE_OPEN);
    r = stored_receipt(w, "c1", "R");
    ck_assert_int_eq(r.amount, 120);
    ck_assert_int_eq(r.applied, 100);
    ck_assert_uint_eq(r.state, CRD_RECEIPT_POSTED);
    ck_assert_int_eq(r.posted_seq, r.last_seq);
    ck_assert_int_eq(balance_of(w->ledger, "c1", "EUR", 1).balance, 30);
    world_close(w);
}
END_TEST

START_TEST(R12_a_payment_goes_to_credit_whole) {
    world *w = two_invoices(_i);
    paying *p = with(receive("R", 75), CRD_RECEIPT_EXCESS_TO_CREDIT);
    p->terms.credit = "P";
    ck_assert_int_eq(enter(w, "c1", p, 1).amount, 0);
    credit_is(w, "P", 75, 75, 0);
    text_is(w, "P", "prepayment", "cash", "R");
    ck_assert_int_eq(stored_receipt(w, "c1", "R").applied, 0);
    p = with(receive("D", 10), CRD_RECEIPT_EXCESS_TO_CREDIT);
    p->terms.credit = "DP";
    p->terms.credit_kind = CRD_CREDIT_DEPOSIT;
    p->terms.credit_flags = CRD_FLAG_RESERVED;
    p->terms.credit_expires = DAY(30);
    enter(w, "c1", p, 1);
    text_is(w, "DP", "deposit", "cash", "D");
    ck_assert_uint_eq(stored_credit(w, "c1", "DP").flags, CRD_FLAG_RESERVED);
    ck_assert_int_eq(stored_credit(w, "c1", "DP").expires, DAY(30));
    p = with(receive("S", 10), CRD_RECEIPT_EXCESS_TO_CREDIT);
    p->terms.credit = "SP";
    p->terms.source = "fair of May";
    enter(w, "c1", p, 1);
    text_is(w, "SP", "fair of May", "cash", "S");
    world_close(w);
}
END_TEST

START_TEST(R1_a_check_kept_as_credit_is_a_receipt_with_its_number) {
    world *w = two_invoices(_i);
    paying *p = with(receive(NULL, 75), CRD_RECEIPT_EXCESS_TO_CREDIT);
    crd_receipt *made = NULL;
    p->terms.method = "check";
    p->terms.payment_info = "no. 1044";
    p->terms.reference = "bank slip 3";
    OK(w, crd_receipt_enter(w->ledger, on(1), "c1", &p->terms, &made, NULL));
    ck_assert_str_eq(crd_receipt_get(made)->id, "~EUR3");
    ck_assert_str_eq(crd_receipt_get(made)->credit, "~EUR4");
    ck_assert_str_eq(crd_receipt_get(made)->method, "check");
    ck_assert_str_eq(crd_receipt_get(made)->payment_info, "no. 1044");
    ck_assert_str_eq(crd_receipt_get(made)->reference, "bank slip 3");
    ck_assert_int_eq(crd_receipt_get(made)->received, DAY(1));
    world_check(w);
    crd_receipt_free(made);
    world_close(w);
}
END_TEST

START_TEST(R42_distribution_must_be_zero) {
    world *w = two_invoices(_i);
    crd_credit_free(memo(w, "c1", "K", 40, 0));
    /* short by 10; over by 20; credits beyond the invoices, which is money made of credit */
    REFUSED(w, try_enter(w->ledger, on(1), "c1", pays(receive("R", 90), "A", 100), NULL), CRD_E_DISTRIBUTION);
    FIGURES(w, 0, -10);
    SUBJECT(w, CRD_KIND_RECEIPT, "R");
    REFUSED(w, try_enter(w->ledger, on(1), "c1", pays(receive("R", 120), "A", 100), NULL), CRD_E_DISTRIBUTION);
    FIGURES(w, 0, 20);
    REFUSED(w, try_enter(w->ledger, on(1), "c1",
                         with(uses(pays(receive("R", 5), "A", 30), "K", 40), CRD_RECEIPT_EXCESS_TO_CREDIT), NULL),
            CRD_E_DISTRIBUTION);
    FIGURES(w, 0, 15);
    REFUSED(w, try_enter(w->ledger, on(1), "c1", uses(receive("R", 0), "K", 40), NULL), CRD_E_DISTRIBUTION);
    REFUSED(w, try_enter(w->ledger, on(1), "c1", receive("R", 0), NULL), CRD_E_ARGUMENT);
    FIELD(w, "terms.lines");
    /* 60 + 40 of credit = 100 */
    ck_assert_int_eq(enter(w, "c1", uses(pays(receive("R", 60), "A", 100), "K", 40), 1).amount, 100);
    invoice_is(w, "A", 0, 100, CRD_INVOICE_PAID);
    credit_is(w, "K", 40, 0, 40);
    ck_assert_int_eq(stored_receipt(w, "c1", "R").applied, 100);
    world_close(w);
}
END_TEST

START_TEST(R42_a_receipt_of_zero_is_an_adjustment) {
    world *w = two_invoices(_i);
    book *b;
    crd_credit_free(memo(w, "c1", "K", 40, 0));
    ck_assert_int_eq(enter(w, "c1", uses(pays(receive("R", 0), "A", 40), "K", 40), 1).amount, 40);
    invoice_is(w, "A", 60, 40, CRD_INVOICE_OPEN);
    b = world_book(w);
    ck_assert_str_eq(book_receipt(b, "c1", "R")->method, "adjustment");
    ck_assert_str_eq(book_receipt(b, "c1", "R")->credit, "");
    book_free(b);
    world_close(w);
}
END_TEST

START_TEST(R53_one_credit_by_hand_equal_more_less) {
    world *w = two_invoices(_i);
    crd_credit_free(memo(w, "c1", "equal", 50, 0));
    crd_credit_free(memo(w, "c1", "more", 80, 0));
    crd_credit_free(memo(w, "c1", "less", 30, 0));
    crd_invoice_free(invoice(w, "c1", "C", 60, 0, 10));
    enter(w, "c1", pair(receive("R1", 0), "equal", "B", 50), 1);
    credit_is(w, "equal", 50, 0, 50);
    invoice_is(w, "B", 0, 50, CRD_INVOICE_PAID);
    enter(w, "c1", uses(pays(receive("R2", 0), "C", 60), "more", 60), 1);
    credit_is(w, "more", 80, 20, 60);
    invoice_is(w, "C", 0, 60, CRD_INVOICE_PAID);
    enter(w, "c1", uses(pays(receive("R3", 0), "A", 30), "less", 30), 1);
    credit_is(w, "less", 30, 0, 30);
    invoice_is(w, "A", 70, 30, CRD_INVOICE_OPEN);
    world_close(w);
}
END_TEST

/* The amount of the application of a credit to an invoice, or of several. */
static int64_t applied_to(world *w, const char *credit, const char *invoice) {
    book *b = world_book(w);
    int64_t sum = 0;
    for (size_t i = 0; i < b->count; i++) {
        const crd_entry_record *e = b->items[i].record;
        if (b->items[i].kind != CRD_KIND_ENTRY || e->type != CRD_ENTRY_APPLY) continue;
        if (strcmp(e->credit, credit) == 0 && strcmp(e->invoice, invoice) == 0) sum += e->amount;
    }
    book_free(b);
    return sum;
}

START_TEST(M14_credits_meet_invoices_in_the_ledgers_order_and_own_money_comes_last) {
    world *w = two_invoices(_i);
    paying *p;
    crd_credit_free(memo(w, "c1", "late", 30, 1));
    crd_credit_free(memo(w, "c1", "early", 40, 0));
    /* B is due first, so the early credit goes there; the late one fills B up and goes on to A; 80 of own money ends A */
    p = uses(uses(pays(pays(receive("R", 80), "A", 100), "B", 50), "late", 30), "early", 40);
    p->terms.credit = "P";
    enter(w, "c1", p, 2);
    ck_assert_int_eq(applied_to(w, "early", "B"), 40);
    ck_assert_int_eq(applied_to(w, "late", "B"), 10);
    ck_assert_int_eq(applied_to(w, "late", "A"), 20);
    ck_assert_int_eq(applied_to(w, "P", "A"), 80);
    ck_assert_int_eq(applied_to(w, "P", "B"), 0);
    credit_is(w, "P", 80, 0, 80);
    world_close(w);
}
END_TEST

START_TEST(M14_named_pairs_stand) {
    world *w = two_invoices(_i);
    paying *p;
    crd_credit_free(memo(w, "c1", "late", 30, 1));
    crd_credit_free(memo(w, "c1", "early", 40, 0));
    p = pays(pair(pair(receive("R", 50), "late", "A", 30), "early", "A", 20), "A", 50);
    p->terms.credit = "P";
    enter(w, "c1", p, 2);
    ck_assert_int_eq(applied_to(w, "late", "A"), 30);
    ck_assert_int_eq(applied_to(w, "early", "A"), 20);
    ck_assert_int_eq(applied_to(w, "P", "A"), 50);
    credit_is(w, "early", 40, 20, 20);
    invoice_is(w, "A", 0, 100, CRD_INVOICE_PAID);
    invoice_is(w, "B", 50, 0, CRD_INVOICE_OPEN);
    world_close(w);
}
END_TEST

START_TEST(M15_a_credit_on_a_receipt_first_pays_the_invoice_it_prefers) {
    world *w = two_invoices(_i);
    crd_credit_terms t = credit_terms("K", CRD_CREDIT_MEMO, 30);
    t.prefers = "A";
    OK(w, crd_credit_issue(w->ledger, on(0), "c1", &t, NULL));
    enter(w, "c1", uses(pays(pays(receive("R", 70), "A", 50), "B", 50), "K", 30), 2);
    ck_assert_int_eq(applied_to(w, "K", "A"), 30);
    ck_assert_int_eq(applied_to(w, "K", "B"), 0);
    world_close(w);
}
END_TEST

START_TEST(M14_money_is_distributed_over_open_invoices_in_the_ledgers_order) {
    world *w = two_invoices(_i);
    paying *p;
    crd_invoice_free(invoice_as(w, "c1", "disputed", CRD_INVOICE_INVOICE, 70, 0, 1, CRD_INVOICE_AS_DISPUTED));
    crd_invoice_free(invoice_as(w, "c1", "fee", CRD_INVOICE_FINANCE_CHARGE, 5, 0, 99, 0));
    crd_invoice_free(invoice_as(w, "c1", "draft", CRD_INVOICE_INVOICE, 70, 0, 1, CRD_INVOICE_AS_DRAFT));
    crd_invoice_free(invoice(w, "c1", "later", 70, 9, 1));
    /* finance charge 5, B 50 (due 5), A the rest */
    p = with(receive("R", 65), CRD_RECEIPT_DISTRIBUTE);
    p->terms.credit = "P";
    ck_assert_int_eq(enter(w, "c1", p, 1).amount, 65);
    invoice_is(w, "fee", 0, 5, CRD_INVOICE_PAID);
    invoice_is(w, "B", 0, 50, CRD_INVOICE_PAID);
    invoice_is(w, "A", 90, 10, CRD_INVOICE_OPEN);
    invoice_is(w, "disputed", 70, 0, CRD_INVOICE_OPEN);
    ck_assert_int_eq(stored_credit(w, "c1", "P").applied_by_receipt, 65);
    /* a line may pay what distribution leaves out, and goes first; what is left over is refused, or stays as credit */
    p = with(pays(receive("R2", 200), "disputed", 70), CRD_RECEIPT_DISTRIBUTE);
    REFUSED(w, try_enter(w->ledger, on(1), "c1", p, NULL), CRD_E_DISTRIBUTION);
    FIGURES(w, 0, 40);
    p->terms.credit = "P2";
    enter(w, "c1", with(p, CRD_RECEIPT_EXCESS_TO_CREDIT), 1);
    invoice_is(w, "A", 0, 100, CRD_INVOICE_PAID);
    invoice_is(w, "disputed", 0, 70, CRD_INVOICE_PAID);
    invoice_is(w, "later", 70, 0, CRD_INVOICE_OPEN);
    credit_is(w, "P2", 200, 40, 160);
    world_close(w);
}
END_TEST

START_TEST(M14_a_line_and_the_distribution_meet_in_one_application) {
    world *w = two_invoices(_i);
    paying *p = with(pays(receive("R", 90), "A", 20), CRD_RECEIPT_DISTRIBUTE);
    book *b;
    p->terms.credit = "P";
    enter(w, "c1", p, 1);
    invoice_is(w, "B", 0, 50, CRD_INVOICE_PAID);
    invoice_is(w, "A", 60, 40, CRD_INVOICE_OPEN);
    b = world_book(w);
    ck_assert_int_eq(book_account(b, "c1", "EUR")->last_seq, 2 + 2 + 2);
    book_free(b);
    world_close(w);
}
END_TEST

START_TEST(R83_an_early_payment_discount_is_a_line_of_its_own) {
    world *w = two_invoices(_i);
    crd_receipt_record r;
    enter(w, "c1", discount(pays(receive("R", 98), "A", 98), "A", 2), 1);
    invoice_is(w, "A", 0, 98, CRD_INVOICE_PAID);
    ck_assert_int_eq(stored_invoice(w, "c1", "A").written_off, 2);
    ck_assert_uint_eq(stored_invoice(w, "c1", "A").cause, CRD_CAUSE_DISCOUNT);
    r = stored_receipt(w, "c1", "R");
    ck_assert_int_eq(r.applied, 98);
    ck_assert_int_eq(r.written_off, 2);
    /* distribution leaves room for it */
    enter(w, "c1", discount(with(receive("R2", 49), CRD_RECEIPT_DISTRIBUTE), "B", 1), 1);
    invoice_is(w, "B", 0, 49, CRD_INVOICE_PAID);
    crd_invoice_free(invoice(w, "c1", "C", 10, 1, 10));
    crd_invoice_free(invoice(w, "c1", "D", 10, 1, 10));
    REFUSED(w, try_enter(w->ledger, on(2), "c1", discount(pays(receive("R3", 10), "C", 10), "C", 1), NULL),
            CRD_E_INVOICE_AMOUNT);
    FIGURES(w, 10, 11);
    REFUSED(w, try_enter(w->ledger, on(2), "c1", discount(pays(receive("R3", 10), "C", 10), "D", 1), NULL),
            CRD_E_NOTHING);
    SUBJECT(w, CRD_KIND_INVOICE, "D");
    world_close(w);
}
END_TEST

START_TEST(M6_each_application_in_a_receipt_takes_the_latest_date_of_its_two) {
    world *w = two_invoices(_i);
    crd_invoice *a = find_invoice(w->ledger, "c1", "A");
    crd_credit *k = memo(w, "c1", "K", 100, 0);
    crd_result r;
    book *b;
    apply(w, k, a, 10, 20); /* A and K were touched on day 20 */
    crd_credit_free(memo(w, "c1", "L", 30, 0));
    r = enter(w, "c1", uses(pays(pays(receive("R", 10), "A", 20), "B", 20), "L", 30), 3);
    b = world_book(w);
    /* receipt, issue, L to B 20, L to A 10, own money to A 10 */
    ck_assert_int_eq(r.last_seq - r.first_seq, 4);
    ck_assert_int_eq(book_entry(b, "c1", "EUR", r.first_seq)->business_date, DAY(3));
    ck_assert_int_eq(book_entry(b, "c1", "EUR", r.first_seq + 1)->business_date, DAY(3));
    ck_assert_int_eq(book_entry(b, "c1", "EUR", r.first_seq + 2)->business_date, DAY(3));
    ck_assert_str_eq(book_entry(b, "c1", "EUR", r.first_seq + 2)->invoice, "B");
    ck_assert_int_eq(book_entry(b, "c1", "EUR", r.first_seq + 3)->business_date, DAY(20));
    ck_assert_int_eq(book_entry(b, "c1", "EUR", r.first_seq + 4)->business_date, DAY(20));
    ck_assert_int_eq(book_receipt(b, "c1", "R")->received, DAY(3));
    book_free(b);
    crd_invoice_free(a);
    crd_credit_free(k);
    world_close(w);
}
END_TEST

START_TEST(M6_a_pair_dated_past_its_expiry_is_left_for_another_or_refused) {
    world *w = two_invoices(_i);
    crd_invoice *b = find_invoice(w->ledger, "c1", "B");
    crd_credit *k = memo(w, "c1", "K", 100, 0), *p = promise(w, "c1", "gift", 20, 0, 15);
    crd_credit_terms t;
    apply(w, k, b, 10, 20); /* B was touched on day 20; the gift expires on day 15 */
    REFUSED(w, try_enter(w->ledger, on(3), "c1", pair(receive("R", 0), "gift", "B", 20), NULL), CRD_E_EXPIRED);
    FIGURES(w, DAY(15), DAY(20));
    REFUSED(w, try_enter(w->ledger, on(3), "c1", uses(pays(receive("R", 0), "B", 20), "gift", 20), NULL),
            CRD_E_EXPIRED);
    REFUSED(w, try_enter(w->ledger, on(15), "c1", uses(pays(receive("R", 0), "A", 20), "gift", 20), NULL),
            CRD_E_EXPIRED);
    FIGURES(w, DAY(15), DAY(15));
    t = credit_terms("sales", CRD_CREDIT_PROMOTIONAL, 20); /* it may pay B, but would have expired by then */
    t.pays_kinds = 1u << CRD_INVOICE_INVOICE;
    t.expires = DAY(15);
    OK(w, crd_credit_issue(w->ledger, on(0), "c1", &t, NULL));
    REFUSED(w, try_enter(w->ledger, on(3), "c1", uses(pays(receive("R", 0), "B", 20), "sales", 20), NULL),
            CRD_E_EXPIRED);
    enter(w, "c1", uses(pays(pays(receive("R", 20), "A", 20), "B", 20), "gift", 20), 3);
    ck_assert_int_eq(applied_to(w, "gift", "A"), 20);
    ck_assert_int_eq(applied_to(w, "gift", "B"), 0);
    crd_invoice_free(b);
    crd_credit_free(k);
    crd_credit_free(p);
    world_close(w);
}
END_TEST

START_TEST(M16_documents_of_a_receipt_are_refused_in_order) {
    world *w = two_invoices(_i);
    crd_invoice_terms t = invoice_terms("dollars", 30);
    crd_credit *k = memo(w, "c1", "K", 40, 0);
    crd_credit_terms fee = credit_terms("fees only", CRD_CREDIT_MEMO, 40);
    paying *p;
    t.currency = "USD";
    OK(w, crd_invoice_enter(w->ledger, on(0), "c1", &t, NULL));
    fee.pays_kinds = 1u << CRD_INVOICE_FEE;
    OK(w, crd_credit_issue(w->ledger, on(0), "c1", &fee, NULL));
    crd_invoice_free(invoice_as(w, "c1", "draft", CRD_INVOICE_INVOICE, 70, 0, 1, CRD_INVOICE_AS_DRAFT));
    REFUSED(w, try_enter(w->ledger, on(1), "nobody", pays(receive("R", 5), "A", 5), NULL), CRD_E_NOT_FOUND);
    SUBJECT(w, CRD_KIND_CUSTOMER, "nobody");
    REFUSED(w, try_enter(w->ledger, on(1), "c1", pays(receive("R", 5), "nothing", 5), NULL), CRD_E_NOT_FOUND);
    SUBJECT(w, CRD_KIND_INVOICE, "nothing");
    REFUSED(w, try_enter(w->ledger, on(1), "c1", pair(receive("R", 0), "none", "A", 5), NULL), CRD_E_NOT_FOUND);
    SUBJECT(w, CRD_KIND_CREDIT, "none");
    REFUSED(w, try_enter(w->ledger, on(1), "c1", pays(receive("R", 5), "dollars", 5), NULL), CRD_E_CURRENCY);
    SUBJECT(w, CRD_KIND_INVOICE, "dollars");
    REFUSED(w, try_enter(w->ledger, on(1), "c1", pays(receive("R", 5), "draft", 5), NULL), CRD_E_STATE);
    REFUSED(w, try_enter(w->ledger, on(1), "c1", pair(receive("R", 0), "fees only", "A", 5), NULL), CRD_E_RESTRICTED);
    REFUSED(w, try_enter(w->ledger, on(1), "c1", uses(pays(receive("R", 0), "A", 5), "fees only", 5), NULL),
            CRD_E_RESTRICTED);
    REFUSED(w, try_enter(w->ledger, on(1), "c1", pays(pays(receive("R", 101), "A", 60), "A", 41), NULL),
            CRD_E_INVOICE_AMOUNT);
    FIGURES(w, 100, 101);
    REFUSED(w, try_enter(w->ledger, on(1), "c1", pair(uses(pays(receive("R", 0), "A", 40), "K", 40), "K", "B", 1), NULL),
            CRD_E_CREDIT_AMOUNT);
    FIGURES(w, 40, 41);
    p = pays(receive("R", 101), "A", 101); /* what stays would expire at once: a date decides before an amount */
    p->terms.credit = "P";
    p->terms.credit_expires = DAY(1);
    REFUSED(w, try_enter(w->ledger, on(1), "c1", p, NULL), CRD_E_DATE);
    FIGURES(w, DAY(2), DAY(1));
    SUBJECT(w, CRD_KIND_CREDIT, "P");
    void_credit(w, k, 0, 0);
    REFUSED(w, try_enter(w->ledger, on(1), "c1", pair(receive("R", 0), "K", "A", 5), NULL), CRD_E_STATE);
    enter(w, "c1", pays(receive("R", 5), "A", 5), 1);
    REFUSED(w, try_enter(w->ledger, on(1), "c1", pays(receive("R", 5), "A", 5), NULL), CRD_E_EXISTS);
    SUBJECT(w, CRD_KIND_RECEIPT, "R");
    p = pays(receive("R2", 5), "A", 5);
    p->terms.credit = "K";
    REFUSED(w, try_enter(w->ledger, on(1), "c1", p, NULL), CRD_E_EXISTS);
    SUBJECT(w, CRD_KIND_CREDIT, "K");
    /* an id that was used in another currency is taken */
    p = with(receive("R", 5), CRD_RECEIPT_EXCESS_TO_CREDIT);
    p->terms.currency = "USD";
    REFUSED(w, try_enter(w->ledger, on(1), "c1", p, NULL), CRD_E_EXISTS);
    crd_credit_free(k);
    world_close(w);
}
END_TEST

START_TEST(M16_what_a_receipt_may_be_asked) {
    world *w = two_invoices(_i);
    paying *p = pays(receive("R", 5), "A", 5);
    p->line[0].amount = 0;
    REFUSED(w, try_enter(w->ledger, on(1), "c1", p, NULL), CRD_E_ARGUMENT);
    FIELD(w, "terms.lines");
    p = pays(receive("R", 5), NULL, 5);
    REFUSED(w, try_enter(w->ledger, on(1), "c1", p, NULL), CRD_E_ARGUMENT);
    p = pays(receive("R", 5), "A", 5);
    p->line[0].flags = 1;
    REFUSED(w, try_enter(w->ledger, on(1), "c1", p, NULL), CRD_E_ARGUMENT);
    p->line[0].flags = 0;
    p->line[0].kind = 3;
    REFUSED(w, try_enter(w->ledger, on(1), "c1", p, NULL), CRD_E_ARGUMENT);
    p->line[0].kind = CRD_RECEIPT_DISCOUNT;
    p->line[0].credit = "K";
    REFUSED(w, try_enter(w->ledger, on(1), "c1", p, NULL), CRD_E_ARGUMENT);
    p = pays(receive("R", 5), "A", 5);
    p->lines[0] = NULL;
    REFUSED(w, try_enter(w->ledger, on(1), "c1", p, NULL), CRD_E_ARGUMENT);
    p = pays(receive("R", -1), "A", 5);
    REFUSED(w, try_enter(w->ledger, on(1), "c1", p, NULL), CRD_E_ARGUMENT);
    FIELD(w, "terms.amount");
    p = pays(receive("R", 5), "A", 5);
    p->terms.credit_kind = CRD_CREDIT_MEMO;
    REFUSED(w, try_enter(w->ledger, on(1), "c1", p, NULL), CRD_E_ARGUMENT);
    FIELD(w, "terms.credit_kind");
    p->terms.credit_kind = 0;
    p->terms.credit_flags = CRD_FLAG_OPENING;
    REFUSED(w, try_enter(w->ledger, on(1), "c1", p, NULL), CRD_E_ARGUMENT);
    FIELD(w, "terms.credit_flags");
    p->terms.credit_flags = 0;
    REFUSED(w, try_enter(w->ledger, on(1), "c1", with(p, 0x80), NULL), CRD_E_ARGUMENT);
    FIELD(w, "terms.flags");
    p = pair(receive("R", 0), "K", "A", 5);
    p->terms.credit = "K";
    REFUSED(w, try_enter(w->ledger, on(1), "c1", p, NULL), CRD_E_ARGUMENT);
    p = pays(receive("R", 5), "A", 5);
    p->terms.credit = "K";
    p->line[0].credit = "K";
    REFUSED(w, try_enter(w->ledger, on(1), "c1", p, NULL), CRD_E_ARGUMENT);
    FIELD(w, "terms.credit");
    p = pays(receive("R", 5), "A", 5);
    p->terms.currency = "XXQ";
    REFUSED(w, try_enter(w->ledger, on(1), "c1", p, NULL), CRD_E_CURRENCY);
    world_close(w);
}
END_TEST

START_TEST(R61_a_receipt_asked_again_is_the_first_one) {
    world *w = two_invoices(_i);
    crd_receipt *made = NULL, *again = NULL;
    crd_result r = result_block(), s = result_block();
    paying *p = pays(receive(NULL, 60), "A", 60);
    OK(w, crd_receipt_enter(w->ledger, keyed(1, "k"), "c1", &p->terms, &made, &r));
    world_remember(w);
    OK(w, crd_receipt_enter(w->ledger, keyed(1, "k"), "c1", &p->terms, &again, &s));
    world_same(w, "a repeated receipt");
    ck_assert_uint_eq(s.repeated, 1);
    ck_assert_int_eq(s.first_seq, r.first_seq);
    ck_assert_int_eq(s.last_seq, r.last_seq);
    ck_assert_int_eq(s.amount, 60);
    ck_assert_str_eq(crd_receipt_get(again)->id, crd_receipt_get(made)->id);
    p->line[0].invoice = "B";
    REFUSED(w, try_enter(w->ledger, keyed(1, "k"), "c1", p, NULL), CRD_E_KEY_REUSED);
    FIELD(w, "terms.lines");
    crd_receipt_free(made);
    crd_receipt_free(again);
    world_close(w);
}
END_TEST

START_TEST(R64_a_receipt_in_a_unit_sees_what_the_unit_made) {
    world *w = world_open(_i);
    paying *p = with(pays(receive("R", 60), "A", 10), CRD_RECEIPT_DISTRIBUTE);
    crd_invoice *a, *b;
    customer(w, "c1");
    w->careless = 1;
    OK(w, crd_unit_begin(w->ledger));
    a = invoice(w, "c1", "A", 40, 0, 10);
    b = invoice(w, "c1", "B", 20, 0, 20);
    OK(w, try_enter(w->ledger, on(0), "c1", p, NULL));
    ck_assert_int_eq(crd_invoice_get(a)->open, 0);
    ck_assert_int_eq(crd_invoice_get(b)->open, 0);
    ENDS(w->ledger, try_enter(w->ledger, on(0), "c1", with(receive("R", 1), 2), NULL), CRD_E_EXISTS);
    OK(w, crd_unit_commit(w->ledger));
    world_check(w);
    invoice_is(w, "A", 0, 40, CRD_INVOICE_PAID);
    crd_invoice_free(a);
    crd_invoice_free(b);
    world_close(w);
}
END_TEST

/* Museum 24: What was paid above what was due vanished. Naive rule: store the lesser of the payment and what is
 * due. */
START_TEST(museum_24_a_surplus_is_always_a_credit) {
    world *w = world_open(_i);
    paying *p = with(receive("R", 130), CRD_RECEIPT_DISTRIBUTE | CRD_RECEIPT_EXCESS_TO_CREDIT);
    customer(w, "c1");
    crd_invoice_free(invoice(w, "c1", "A", 100, 0, 10));
    p->terms.credit = "P";
    enter(w, "c1", p, 1);
    credit_is(w, "P", 130, 30, 100);
    ck_assert_int_eq(balance_of(w->ledger, "c1", "EUR", 1).available, 30);
    ck_assert_int_eq(balance_of(w->ledger, "c1", "EUR", 1).balance, -30);
    world_close(w);
}
END_TEST

/* Museum 13: A surplus was shown as unapplied money of the payment and as a credit of its own. Naive rule: the
 * payment keeps what it did not use, and a credit is made for it too. */
START_TEST(museum_13_a_surplus_is_one_record) {
    world *w = two_invoices(_i);
    book *b;
    size_t credits = 0;
    paying *p = with(pays(receive("R", 120), "A", 100), CRD_RECEIPT_EXCESS_TO_CREDIT);
    enter(w, "c1", p, 1);
    b = world_book(w);
    for (size_t i = 0; i < b->count; i++) credits += b->items[i].kind == CRD_KIND_CREDIT;
    ck_assert_uint_eq(credits, 1);
    ck_assert_int_eq(book_account(b, "c1", "EUR")->credit_remaining, 20);
    ck_assert_int_eq(book_account(b, "c1", "EUR")->cash_remaining, 20);
    book_free(b);
    world_close(w);
}
END_TEST

/* Museum 32: Credit was granted for a payment that was still pending. Naive rule: a payment counts when it is
 * announced. */
START_TEST(museum_32_nothing_is_credited_for_money_that_was_not_received) {
    world *w = two_invoices(_i);
    /* a receipt that is refused leaves no credit behind, and a line never makes more than the amount */
    REFUSED(w, try_enter(w->ledger, on(1), "c1", pays(receive("R", 5), "A", 100), NULL), CRD_E_DISTRIBUTION);
    ck_assert_int_eq(balance_of(w->ledger, "c1", "EUR", 1).available, 0);
    enter(w, "c1", with(receive("R", 5), CRD_RECEIPT_EXCESS_TO_CREDIT), 1);
    ck_assert_int_eq(balance_of(w->ledger, "c1", "EUR", 1).available, 5);
    world_close(w);
}
END_TEST

START_TEST(M7_what_lapsed_of_a_credit_is_entered_before_the_receipt_uses_it) {
    world *w = two_invoices(_i);
    crd_credit *k = memo(w, "c1", "K", 50, 0);
    crd_result r = result_block();
    book *b;
    hold_credit(w, k, NULL, "h", 30, 1, 5);
    REFUSED(w, try_enter(w->ledger, on(2), "c1", pair(receive("R", 0), "K", "B", 50), NULL), CRD_E_CREDIT_AMOUNT);
    FIGURES(w, 20, 50);
    OK(w, try_enter(w->ledger, at_noon(20), "c1", pair(receive("R", 0), "K", "B", 50), &r));
    world_check(w);
    b = world_book(w);
    ck_assert_uint_eq(book_entry(b, "c1", "EUR", r.first_seq - 1)->type, CRD_ENTRY_LAPSE);
    ck_assert_uint_eq(book_entry(b, "c1", "EUR", r.first_seq)->type, CRD_ENTRY_RECEIPT);
    book_free(b);
    ck_assert_int_eq(undo(w, "c1", r.first_seq, 0, 20), 50);
    credit_is(w, "K", 50, 50, 0);
    crd_credit_free(k);
    world_close(w);
}
END_TEST

START_TEST(R2_what_stays_as_credit_is_applied_at_once_where_that_is_set) {
    crd_settings settings;
    world *w;
    paying *p;
    memset(&settings, 0, sizeof settings);
    settings.struct_size = sizeof settings;
    settings.auto_apply = 1;
    w = world_open_with(_i, NULL, &settings, NULL);
    customer(w, "c1");
    crd_invoice_free(invoice(w, "c1", "A", 100, 0, 10));
    crd_invoice_free(invoice(w, "c1", "B", 50, 0, 5));
    p = with(pays(receive("R", 120), "A", 100), CRD_RECEIPT_EXCESS_TO_CREDIT);
    p->terms.credit = "P";
    ck_assert_int_eq(enter(w, "c1", p, 1).amount, 100);
    credit_is(w, "P", 120, 0, 120);
    ck_assert_int_eq(stored_credit(w, "c1", "P").applied_by_receipt, 100);
    ck_assert_int_eq(stored_receipt(w, "c1", "R").applied, 100);
    invoice_is(w, "B", 30, 20, CRD_INVOICE_OPEN);
    p = with(receive("S", 5), CRD_RECEIPT_EXCESS_TO_CREDIT);
    p->terms.credit = "Q";
    p->terms.credit_flags = CRD_ISSUE_NO_APPLY;
    enter(w, "c1", p, 1);
    credit_is(w, "Q", 5, 5, 0);
    ck_assert_uint_eq(stored_credit(w, "c1", "Q").flags, 0);
    p->terms.id = "T";
    p->terms.credit = "U";
    p->terms.credit_flags = CRD_ISSUE_NO_APPLY | CRD_ISSUE_APPLY;
    REFUSED(w, try_enter(w->ledger, on(1), "c1", p, NULL), CRD_E_ARGUMENT);
    FIELD(w, "terms.credit_flags");
    world_close(w);
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("receipts");
    TCase *t = tcase_create("receipts");
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, R13_what_is_more_than_due_becomes_an_overpayment_credit, 0, STORES);
    tcase_add_loop_test(t, R12_a_payment_goes_to_credit_whole, 0, STORES);
    tcase_add_loop_test(t, R1_a_check_kept_as_credit_is_a_receipt_with_its_number, 0, STORES);
    tcase_add_loop_test(t, R42_distribution_must_be_zero, 0, STORES);
    tcase_add_loop_test(t, R42_a_receipt_of_zero_is_an_adjustment, 0, STORES);
    tcase_add_loop_test(t, R53_one_credit_by_hand_equal_more_less, 0, STORES);
    tcase_add_loop_test(t, M14_credits_meet_invoices_in_the_ledgers_order_and_own_money_comes_last, 0, STORES);
    tcase_add_loop_test(t, M14_named_pairs_stand, 0, STORES);
    tcase_add_loop_test(t, M15_a_credit_on_a_receipt_first_pays_the_invoice_it_prefers, 0, STORES);
    tcase_add_loop_test(t, M14_money_is_distributed_over_open_invoices_in_the_ledgers_order, 0, STORES);
    tcase_add_loop_test(t, M14_a_line_and_the_distribution_meet_in_one_application, 0, STORES);
    tcase_add_loop_test(t, R83_an_early_payment_discount_is_a_line_of_its_own, 0, STORES);
    tcase_add_loop_test(t, M6_each_application_in_a_receipt_takes_the_latest_date_of_its_two, 0, STORES);
    tcase_add_loop_test(t, M6_a_pair_dated_past_its_expiry_is_left_for_another_or_refused, 0, STORES);
    tcase_add_loop_test(t, M16_documents_of_a_receipt_are_refused_in_order, 0, STORES);
    tcase_add_loop_test(t, M16_what_a_receipt_may_be_asked, 0, STORES);
    tcase_add_loop_test(t, R61_a_receipt_asked_again_is_the_first_one, 0, STORES);
    tcase_add_loop_test(t, R64_a_receipt_in_a_unit_sees_what_the_unit_made, 0, STORES);
    tcase_add_loop_test(t, museum_24_a_surplus_is_always_a_credit, 0, STORES);
    tcase_add_loop_test(t, museum_13_a_surplus_is_one_record, 0, STORES);
    tcase_add_loop_test(t, museum_32_nothing_is_credited_for_money_that_was_not_received, 0, STORES);
    tcase_add_loop_test(t, M7_what_lapsed_of_a_credit_is_entered_before_the_receipt_uses_it, 0, STORES);
    tcase_add_loop_test(t, R2_what_stays_as_credit_is_applied_at_once_where_that_is_set, 0, STORES);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return world_main(suite);
}
