/*
 * Auto-apply: a new credit pays the open invoices at once, a newly posted invoice takes open credit; by the same
 * routine and in the same order as a reconcile, in the same commit, without a receipt.
 */
#include "support/world.h"

#include <stdio.h>
#include <string.h>

static world *open_on(int store, uint32_t auto_apply) {
    crd_settings settings;
    memset(&settings, 0, sizeof settings);
    settings.struct_size = sizeof settings;
    settings.auto_apply = auto_apply;
    return world_open_with(store, NULL, &settings, NULL);
}

static crd_credit *issue(world *w, const char *id, uint32_t kind, int64_t amount, uint32_t flags, int day) {
    crd_credit_terms t = credit_terms(id, kind, amount);
    crd_credit *out = NULL;
    t.flags = flags;
    OK(w, crd_credit_issue(w->ledger, on(day), "c1", &t, &out));
    world_check(w);
    return out;
}

static crd_invoice *enter(world *w, const char *id, int64_t total, uint32_t flags, int day) {
    return invoice_as(w, "c1", id, CRD_INVOICE_INVOICE, total, day, 30, flags);
}

static void switched(world *w, const char *id, uint32_t switches) {
    crd_customer_terms t;
    memset(&t, 0, sizeof t);
    t.struct_size = sizeof t;
    t.switches = switches;
    OK(w, crd_customer_add(w->ledger, on(-10), id, &t, NULL));
}

/* Type amount of credit to invoice @day. */
static const char *journal(world *w, int64_t from) {
    static char text[1500];
    book *b = world_book(w);
    const crd_entry_record *e;
    text[0] = '\0';
    for (int64_t seq = from; (e = book_entry(b, "c1", "EUR", seq)) != NULL; seq++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s %lld %s%s%s@%d", seq > from ? ", " : "",
                 crd_entry_name(e->type), (long long)e->amount, e->credit,
                 e->credit[0] != '\0' && e->invoice[0] != '\0' ? ">" : "", e->invoice,
                 (int)(e->business_date - DAY_ZERO));
    book_free(b);
    return text;
}

/* Museum 15: Credit that came after the invoices was not spread over them. Naive rule: credit is used when an
 * invoice is made. */
START_TEST(R2_museum_15_a_new_credit_is_spread_over_the_open_invoices) {
    world *w = open_on(_i, 1);
    crd_credit *k;
    crd_invoice *i;
    book *b;
    customer(w, "c1");
    i = invoice_as(w, "c1", "later", CRD_INVOICE_INVOICE, 50, 0, 40, 0);
    crd_invoice_free(invoice_as(w, "c1", "soon", CRD_INVOICE_INVOICE, 50, 0, 20, 0));
    crd_invoice_free(invoice_as(w, "c1", "interest", CRD_INVOICE_FINANCE_CHARGE, 5, 0, 60, 0));
    crd_invoice_free(invoice_as(w, "c1", "disputed", CRD_INVOICE_INVOICE, 50, 0, 10, CRD_INVOICE_AS_DISPUTED));
    crd_invoice_free(invoice_as(w, "c1", "order", CRD_INVOICE_INVOICE, 50, 0, 10, CRD_INVOICE_AS_DRAFT));
    w->careless = 1;
    shim_reset(&w->shim);
    k = issue(w, "K", CRD_CREDIT_MEMO, 80, 0, 1);
    ck_assert_uint_eq(w->shim.writes, 1); /* one commit for the credit and what it pays */
    ck_assert_str_eq(journal(w, 6), "issue 80 K@1, apply 5 K>interest@1, apply 50 K>soon@1, apply 25 K>later@1");
    ck_assert_int_eq(crd_credit_get(k)->remaining, 0);
    ck_assert_uint_eq(crd_credit_get(k)->state, CRD_CREDIT_SPENT);
    ck_assert_int_eq(crd_invoice_get(i)->open, 25); /* its handle follows */
    b = world_book(w);
    ck_assert_uint_eq(book_entry(b, "c1", "EUR", 7)->flags, CRD_ENTRY_AUTOMATIC);
    ck_assert_str_eq(book_entry(b, "c1", "EUR", 7)->receipt, "");
    ck_assert_uint_eq(book_count(b, CRD_KIND_RECEIPT), 0);
    book_free(b);
    /* what the same credit would have done in a reconcile */
    ck_assert_uint_eq(reconcile(w, CRD_PLAN_USE_CASH, 1).applications, 0);
    crd_credit_free(k);
    crd_invoice_free(i);
    world_close(w);
}
END_TEST

START_TEST(R2_money_received_as_credit_is_applied_as_an_ordinary_application) {
    world *w = open_on(_i, 1);
    crd_credit_record k;
    customer(w, "c1");
    crd_invoice_free(enter(w, "I", 50, 0, 0));
    crd_credit_free(issue(w, "P", CRD_CREDIT_PREPAYMENT, 80, 0, 1));
    ck_assert_str_eq(journal(w, 2), "receipt 80 @1, issue 80 P@1, apply 50 P>I@1");
    k = stored_credit(w, "c1", "P");
    ck_assert_int_eq(k.applied, 50);
    ck_assert_int_eq(k.applied_by_receipt, 0); /* its receipt applied nothing: all of it was credited (rule M3) */
    ck_assert_int_eq(k.remaining, 30);
    world_close(w);
}
END_TEST

START_TEST(R3_a_new_invoice_takes_open_credit_until_it_is_used_up) {
    world *w = open_on(_i, 1);
    crd_invoice *d;
    customer(w, "c1");
    crd_credit_free(issue(w, "A", CRD_CREDIT_MEMO, 30, 0, 0));
    crd_credit_free(issue(w, "B", CRD_CREDIT_PREPAYMENT, 30, 0, 1));
    crd_credit_free(issue(w, "R", CRD_CREDIT_DEPOSIT, 30, CRD_FLAG_RESERVED, 1));
    crd_invoice_free(enter(w, "I", 40, 0, 2));
    ck_assert_str_eq(journal(w, 6), "invoice 40 I@2, apply 30 A>I@2, apply 10 B>I@2");
    d = enter(w, "D", 70, CRD_INVOICE_AS_DRAFT, 3);
    ck_assert_str_eq(journal(w, 9), "invoice 70 D@3"); /* an order takes nothing by itself */
    send_invoice(w, d, 4);
    ck_assert_str_eq(journal(w, 10), "send 70 D@4, apply 20 B>D@4");
    ck_assert_int_eq(crd_invoice_get(d)->open, 50);
    crd_invoice_free(enter(w, "J", 40, 0, 5)); /* nothing left but the reserved deposit */
    ck_assert_str_eq(journal(w, 12), "invoice 40 J@5");
    crd_invoice_free(d);
    world_close(w);
}
END_TEST

START_TEST(R3_M9_allocations_come_first_and_auto_apply_pays_the_rest) {
    world *w = open_on(_i, 1);
    crd_credit *a, *b;
    crd_invoice *d;
    customer(w, "c1");
    a = issue(w, "A", CRD_CREDIT_MEMO, 30, 0, 0);
    b = issue(w, "B", CRD_CREDIT_MEMO, 30, 0, 0);
    d = enter(w, "D", 50, CRD_INVOICE_AS_DRAFT, 0);
    hold_credit(w, b, d, NULL, 25, 1, 0);
    send_invoice(w, d, 2);
    ck_assert_str_eq(journal(w, 5), "capture 25 B>D@2, send 50 D@2, apply 25 B>D@2, apply 25 A>D@2");
    crd_credit_free(a);
    crd_credit_free(b);
    crd_invoice_free(d);
    world_close(w);
}
END_TEST

START_TEST(R2_R3_the_call_decides_then_the_customer_then_the_ledger) {
    static const struct {
        uint32_t ledger, customer, call;
        int applies;
    } cases[] = {{0, 0, 0, 0},
                 {1, 0, 0, 1},
                 {0, CRD_SWITCH_AUTO_APPLY_ON, 0, 1},
                 {1, CRD_SWITCH_AUTO_APPLY_OFF, 0, 0},
                 {0, CRD_SWITCH_AUTO_APPLY_OFF, 1, 1},
                 {1, CRD_SWITCH_AUTO_APPLY_ON, 2, 0},
                 {0, 0, 1, 1},
                 {1, 0, 2, 0}};
    static const uint32_t flags[] = {0, CRD_ISSUE_APPLY, CRD_ISSUE_NO_APPLY};
    ck_assert_uint_eq(CRD_ISSUE_APPLY, CRD_INVOICE_APPLY);
    ck_assert_uint_eq(CRD_ISSUE_NO_APPLY, CRD_INVOICE_NO_APPLY);
    for (size_t n = 0; n < sizeof cases / sizeof cases[0]; n++) {
        world *w = open_on(_i, cases[n].ledger);
        uint32_t how = flags[cases[n].call];
        crd_invoice *d;
        switched(w, "c1", cases[n].customer);
        crd_credit_free(issue(w, "K", CRD_CREDIT_MEMO, 100, CRD_ISSUE_APPLY, 0)); /* nothing to pay yet */
        crd_invoice_free(enter(w, "I", 10, how, 1));
        ck_assert_int_eq(stored_invoice(w, "c1", "I").open, cases[n].applies ? 0 : 10);
        d = enter(w, "D", 10, CRD_INVOICE_AS_DRAFT | CRD_INVOICE_APPLY, 1);
        OK(w, crd_invoice_send(w->ledger, on(1), d, how, NULL));
        world_check(w);
        ck_assert_int_eq(stored_invoice(w, "c1", "D").open, cases[n].applies ? 0 : 10);
        crd_invoice_free(d);
        crd_invoice_free(enter(w, "J", 90, CRD_INVOICE_NO_APPLY, 1));
        crd_credit_free(issue(w, "L", CRD_CREDIT_MEMO, 5, how, 1));
        ck_assert_int_eq(stored_credit(w, "c1", "L").remaining, cases[n].applies ? 0 : 5);
        world_close(w);
    }
}
END_TEST

START_TEST(R2_asking_for_both_is_refused) {
    world *w = open_on(_i, 0);
    crd_credit_terms k = credit_terms("K", CRD_CREDIT_MEMO, 10);
    crd_invoice_terms i = invoice_terms("I", 10);
    crd_settings settings;
    crd_invoice *d;
    customer(w, "c1");
    d = enter(w, "D", 10, CRD_INVOICE_AS_DRAFT, 0);
    k.flags = CRD_ISSUE_APPLY | CRD_ISSUE_NO_APPLY;
    i.flags = CRD_INVOICE_APPLY | CRD_INVOICE_NO_APPLY;
    REFUSED(w, crd_credit_issue(w->ledger, on(0), "c1", &k, NULL), CRD_E_ARGUMENT);
    FIELD(w, "terms.flags");
    REFUSED(w, crd_invoice_enter(w->ledger, on(0), "c1", &i, NULL), CRD_E_ARGUMENT);
    FIELD(w, "terms.flags");
    REFUSED(w, crd_invoice_send(w->ledger, on(0), d, i.flags, NULL), CRD_E_ARGUMENT);
    FIELD(w, "flags");
    REFUSED(w, crd_invoice_send(w->ledger, on(0), d, 1, NULL), CRD_E_ARGUMENT);
    memset(&settings, 0, sizeof settings);
    settings.struct_size = sizeof settings;
    settings.auto_apply = 2;
    ENDS(w->ledger, crd_ledger_configure(w->ledger, &settings), CRD_E_ARGUMENT);
    FIELD(w, "settings.auto_apply");
    crd_invoice_free(d);
    world_close(w);
}
END_TEST

START_TEST(M6_each_application_takes_the_latest_date_and_a_pair_past_the_expiry_is_left_out) {
    world *w = open_on(_i, 1);
    crd_credit *g = NULL;
    crd_invoice *i, *j;
    crd_credit_terms t = credit_terms("G", CRD_CREDIT_GOODWILL, 60);
    crd_credit *k;
    customer(w, "c1");
    i = invoice_as(w, "c1", "I", CRD_INVOICE_INVOICE, 50, 0, 20, CRD_INVOICE_NO_APPLY);
    j = invoice_as(w, "c1", "J", CRD_INVOICE_INVOICE, 50, 0, 30, CRD_INVOICE_NO_APPLY);
    k = issue(w, "K", CRD_CREDIT_MEMO, 30, CRD_ISSUE_NO_APPLY, 0);
    apply(w, k, j, 10, 4);
    apply(w, k, i, 10, 15); /* I was last touched on the 15th */
    t.expires = DAY(10);
    OK(w, crd_credit_issue(w->ledger, on(2), "c1", &t, &g));
    world_check(w);
    ck_assert_str_eq(journal(w, 6), "issue 60 G@2, apply 40 G>J@4"); /* not I: dated the 15th, G has expired */
    crd_credit_free(g);
    crd_credit_free(k);
    crd_invoice_free(i);
    crd_invoice_free(j);
    world_close(w);
}
END_TEST

START_TEST(M7_auto_apply_uses_what_lapsed_and_leaves_out_what_expired) {
    world *w = open_on(_i, 1);
    crd_credit *k;
    crd_invoice_terms t = invoice_terms("I", 100);
    customer(w, "c1");
    crd_credit_free(promise(w, "c1", "old", 100, 0, 5));
    k = issue(w, "K", CRD_CREDIT_MEMO, 80, 0, 0);
    hold_credit(w, k, NULL, "h", 30, 1, 6);
    hold_credit(w, k, NULL, "h2", 7, 1, 60);
    OK(w, crd_invoice_enter(w->ledger, at_noon(8), "c1", &t, NULL));
    world_check(w);
    ck_assert_str_eq(journal(w, 5), "invoice 100 I@8, lapse 30 K@6, apply 73 K>I@8");
    crd_credit_free(k);
    world_close(w);
}
END_TEST

START_TEST(R2_R61_a_retry_applies_once_and_a_refused_issue_applies_nothing) {
    world *w = open_on(_i, 1);
    crd_credit_terms t = credit_terms("K", CRD_CREDIT_MEMO, 20);
    crd_credit *k = NULL;
    customer(w, "c1");
    crd_invoice_free(enter(w, "I", 50, 0, 0));
    for (int n = 0; n < 3; n++) {
        OK(w, crd_credit_issue(w->ledger, keyed(1, "once"), "c1", &t, &k));
        ck_assert_int_eq(crd_credit_get(k)->remaining, 0);
        crd_credit_free(k);
    }
    world_check(w);
    ck_assert_int_eq(stored_invoice(w, "c1", "I").open, 30);
    REFUSED(w, crd_credit_issue(w->ledger, on(1), "c1", &t, &k), CRD_E_EXISTS);
    ck_assert_int_eq(undo(w, "c1", 3, 0, 2), 20); /* each is undone as any application */
    ck_assert_int_eq(stored_invoice(w, "c1", "I").open, 50);
    world_close(w);
}
END_TEST

START_TEST(R64_a_unit_given_up_takes_its_auto_applications_with_it) {
    world *w = open_on(_i, 1);
    crd_credit_terms t = credit_terms("K", CRD_CREDIT_MEMO, 20);
    crd_invoice_terms j = invoice_terms("J", 70);
    crd_invoice *i;
    customer(w, "c1");
    i = enter(w, "I", 50, 0, 0);
    world_remember(w);
    OK(w, crd_unit_begin(w->ledger));
    OK(w, crd_credit_issue(w->ledger, on(1), "c1", &t, NULL));
    OK(w, crd_invoice_enter(w->ledger, on(1), "c1", &j, NULL));
    t.id = "L";
    t.amount = 100;
    OK(w, crd_credit_issue(w->ledger, on(1), "c1", &t, NULL)); /* also what the unit itself made */
    ck_assert_int_eq(crd_invoice_get(i)->open, 0);
    OK(w, crd_unit_rollback(w->ledger));
    world_same(w, "a unit given up");
    ck_assert_int_eq(crd_invoice_get(i)->open, 50);
    t.id = "M";
    t.amount = 55;
    OK(w, crd_credit_issue(w->ledger, on(1), "c1", &t, NULL)); /* what is gone takes no part */
    world_check(w);
    ck_assert_int_eq(stored_credit(w, "c1", "M").remaining, 5);
    crd_invoice_free(i);
    world_close(w);
}
END_TEST

START_TEST(R53_one_credit_by_hand_equal_to_more_than_and_less_than_the_invoices) {
    world *w = world_open(_i);
    static const int64_t amounts[] = {100, 130, 70};
    crd_result r = result_block();
    customer(w, "c1");
    for (int n = 0; n < 3; n++) {
        char k_id[8], i_id[8], j_id[8];
        crd_credit *k;
        crd_invoice *i, *j;
        snprintf(k_id, sizeof k_id, "K%d", n);
        snprintf(i_id, sizeof i_id, "I%d", n);
        snprintf(j_id, sizeof j_id, "J%d", n);
        k = memo(w, "c1", k_id, amounts[n], 0);
        i = invoice(w, "c1", i_id, 60, 0, 30);
        j = invoice(w, "c1", j_id, 40, 0, 40);
        OK(w, try_apply(w->ledger, k, i, 0, CRD_APPLY_CLAMP, on(1), &r));
        OK(w, try_apply(w->ledger, k, j, 0, CRD_APPLY_CLAMP, on(1), &r));
        world_check(w);
        ck_assert_int_eq(stored_credit(w, "c1", k_id).remaining, n == 1 ? 30 : 0); /* part stays open */
        ck_assert_int_eq(stored_invoice(w, "c1", i_id).open, 0);
        ck_assert_int_eq(stored_invoice(w, "c1", j_id).open, n == 2 ? 30 : 0); /* part stays due */
        if (n == 1) void_credit(w, k, 0, 1);
        crd_credit_free(k);
        crd_invoice_free(i);
        crd_invoice_free(j);
    }
    /* and with auto-apply choosing the amounts */
    crd_credit_free(issue(w, "auto", CRD_CREDIT_MEMO, 50, CRD_ISSUE_APPLY, 1));
    ck_assert_int_eq(stored_invoice(w, "c1", "J2").open, 0);
    ck_assert_int_eq(stored_credit(w, "c1", "auto").remaining, 20);
    world_close(w);
}
END_TEST

static Suite *make(void) {
    Suite *s = suite_create("auto_apply");
    TCase *t = tcase_create("auto_apply");
    tcase_add_loop_test(t, R2_museum_15_a_new_credit_is_spread_over_the_open_invoices, 0, STORES);
    tcase_add_loop_test(t, R2_money_received_as_credit_is_applied_as_an_ordinary_application, 0, STORES);
    tcase_add_loop_test(t, R3_a_new_invoice_takes_open_credit_until_it_is_used_up, 0, STORES);
    tcase_add_loop_test(t, R3_M9_allocations_come_first_and_auto_apply_pays_the_rest, 0, STORES);
    tcase_add_loop_test(t, R2_R3_the_call_decides_then_the_customer_then_the_ledger, 0, STORES);
    tcase_add_loop_test(t, R2_asking_for_both_is_refused, 0, STORES);
    tcase_add_loop_test(t, M6_each_application_takes_the_latest_date_and_a_pair_past_the_expiry_is_left_out, 0, STORES);
    tcase_add_loop_test(t, M7_auto_apply_uses_what_lapsed_and_leaves_out_what_expired, 0, STORES);
    tcase_add_loop_test(t, R2_R61_a_retry_applies_once_and_a_refused_issue_applies_nothing, 0, STORES);
    tcase_add_loop_test(t, R64_a_unit_given_up_takes_its_auto_applications_with_it, 0, STORES);
    tcase_add_loop_test(t, R53_one_credit_by_hand_equal_to_more_than_and_less_than_the_invoices, 0, STORES);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return world_main(make);
}
