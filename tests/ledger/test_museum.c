/*
 * The museum: faults of other billing systems, each told in the terms of this ledger. A test shows the story, what the
 * naive rule would have made of it, and what happens here. The numbers are those of tests/requirements.txt, which has
 * the sources. Stories about several writers are in test_conflict.c, about changed figures in test_verify.c.
 */
#include "support/world.h"

#include <stdio.h>
#include <string.h>

/* Museum 01: An invoice was used to pay invoices. Naive rule: any two open items of opposite need may be set off;
 * what is a payment is told by the sign of an amount. */
START_TEST(museum_01_only_a_credit_pays_and_only_an_invoice_is_paid) {
    /* A type error in C: crd_credit_apply() takes a credit and an invoice, and there is no other way to settle. What is
     * left to show is that an invoice's id is no credit's, and that two invoices leave each other alone. */
    world *w = world_open(_i);
    crd_credit *k = NULL;
    customer(w, "c1");
    crd_invoice_free(invoice(w, "c1", "A", 100, 0, 30));
    crd_invoice_free(invoice(w, "c1", "B", 100, 0, 30));
    ENDS(w->ledger, crd_credit_find(w->ledger, "c1", "A", &k), CRD_E_NOT_FOUND);
    ck_assert_uint_eq(reconcile(w, CRD_PLAN_USE_CASH | CRD_PLAN_ALL_OPEN, 1).applications, 0);
    ck_assert_int_eq(stored_invoice(w, "c1", "A").open, 100);
    world_close(w);
}
END_TEST

/* Museum 02: Of a credit of 100, 10 were gone; 100 were allocated to the next invoice. Naive rule: allocate the
 * lesser of the two face amounts. */
START_TEST(museum_02_a_hundred_are_not_allocated_where_ninety_are_left) {
    world *w = world_open(_i);
    crd_credit *k;
    crd_invoice *i, *j;
    int64_t naive;
    customer(w, "c1");
    k = memo(w, "c1", "K", 100, 0);
    i = invoice(w, "c1", "I", 10, 0, 10);
    j = invoice(w, "c1", "J", 100, 0, 20);
    apply(w, k, i, 10, 0);
    naive = crd_credit_get(k)->original < crd_invoice_get(j)->open ? crd_credit_get(k)->original
                                                                  : crd_invoice_get(j)->open;
    ck_assert_int_eq(naive, 100); /* the face amount against the face amount */
    REFUSED(w, try_apply(w->ledger, k, j, naive, 0, on(0), NULL), CRD_E_CREDIT_AMOUNT);
    FIGURES(w, 90, 100);
    ck_assert_uint_eq(reconcile(w, 0, 1).applications, 1);
    ck_assert_int_eq(stored_invoice(w, "c1", "J").open, 10);
    crd_credit_free(k);
    crd_invoice_free(i);
    crd_invoice_free(j);
    world_close(w);
}
END_TEST

/* Museum 03: Credit and invoice of equal face were matched and both closed, though 45 of the credit were gone: the
 * difference was written off. Naive rule: equal totals match. */
START_TEST(museum_03_equal_face_amounts_do_not_match_when_residuals_differ) {
    world *w = world_open(_i);
    crd_credit *k;
    crd_invoice *i;
    customer(w, "c1");
    k = memo(w, "c1", "K", 100, 0);
    i = invoice(w, "c1", "I", 100, 0, 10); /* the same face */
    apply(w, k, NULL, 45, 0);
    ck_assert_int_eq(crd_credit_get(k)->original, crd_invoice_get(i)->total); /* the naive rule closes both */
    ck_assert_uint_eq(reconcile(w, 0, 1).applications, 1);
    ck_assert_int_eq(stored_invoice(w, "c1", "I").open, 45); /* nothing is written off */
    ck_assert_int_eq(stored_invoice(w, "c1", "I").written_off, 0);
    ck_assert_uint_eq(stored_invoice(w, "c1", "I").state, CRD_INVOICE_OPEN);
    crd_credit_free(k);
    crd_invoice_free(i);
    world_close(w);
}
END_TEST

/* Museum 04, 05: Three credits paid one invoice; taking one off took all. The fault came back nine years later,
 * hence a test for good. Naive rule: unapplying clears the links of the invoice. */
START_TEST(museum_04_05_unapplying_one_leaves_the_others) {
    world *w = world_open(_i);
    crd_credit *k[3];
    crd_invoice *i;
    int64_t seq[3];
    customer(w, "c1");
    i = invoice(w, "c1", "I", 100, 0, 10);
    for (int n = 0; n < 3; n++) {
        k[n] = memo(w, "c1", NULL, 30, 0);
        seq[n] = apply(w, k[n], i, 30, 0);
    }
    undo(w, "c1", seq[1], 0, 1);
    ck_assert_int_eq(crd_credit_get(k[0])->applied, 30);
    ck_assert_int_eq(crd_credit_get(k[1])->applied, 0);
    ck_assert_int_eq(crd_credit_get(k[2])->applied, 30);
    ck_assert_int_eq(crd_invoice_get(i)->applied, 60); /* the naive rule, "clear the invoice's links", leaves 0 */
    /* two applications of one credit to one invoice are two as well */
    seq[0] = apply(w, k[1], i, 10, 1);
    seq[2] = apply(w, k[1], i, 15, 1);
    undo(w, "c1", seq[0], 0, 1);
    ck_assert_int_eq(crd_credit_get(k[1])->applied, 15);
    for (int n = 0; n < 3; n++) crd_credit_free(k[n]);
    crd_invoice_free(i);
    world_close(w);
}
END_TEST

/* Museum 06: After an application was taken back the invoice was open again, but the note stayed at zero. Naive
 * rule: the invoice is restored now, the note when it is next saved. */
START_TEST(museum_06_unapplying_restores_both_sides_in_one_step) {
    world *w = world_open(_i);
    crd_credit *k;
    crd_invoice *i;
    int64_t seq;
    customer(w, "c1");
    k = memo(w, "c1", "K", 100, 0);
    i = invoice(w, "c1", "I", 100, 0, 10);
    seq = apply(w, k, i, 100, 0);
    shim_reset(&w->shim);
    undo(w, "c1", seq, 0, 1);
    ck_assert_uint_eq(w->shim.writes, 1);
    ck_assert_int_eq(stored_credit(w, "c1", "K").remaining, 100); /* the note was at zero for ever */
    ck_assert_int_eq(stored_invoice(w, "c1", "I").open, 100);
    apply(w, k, i, 100, 1); /* and can be used again */
    crd_credit_free(k);
    crd_invoice_free(i);
    world_close(w);
}
END_TEST

/* Museum 08, 09: Ten times a cent did not make ten cents, and the last cent of a credit could not be used. Naive
 * rule: sums in floating point, and "nothing left" by comparing with a threshold. */
START_TEST(museum_08_09_the_last_cent_is_used) {
    world *w = world_open(_i);
    crd_credit *k;
    crd_invoice *i;
    double drifting = 0.0;
    customer(w, "c1");
    k = memo(w, "c1", "K", 10, 0); /* 0.10 */
    i = invoice(w, "c1", "I", 30, 0, 10);
    for (int n = 0; n < 10; n++) {
        apply(w, k, i, 1, 0);
        drifting += 0.01;
    }
    ck_assert(drifting != 0.1); /* the naive sum */
    ck_assert_int_eq(crd_credit_get(k)->remaining, 0);
    ck_assert_uint_eq(crd_credit_get(k)->state, CRD_CREDIT_SPENT);
    crd_credit_free(k);
    k = memo(w, "c1", "K2", 21, 0); /* one cent more than is due */
    ck_assert_uint_eq(reconcile(w, 0, 1).applications, 1);
    ck_assert_int_eq(crd_credit_get(k)->remaining, 1);
    ck_assert_uint_eq(crd_credit_get(k)->state, CRD_CREDIT_ACTIVE);
    apply(w, k, NULL, 1, 1);
    ck_assert_uint_eq(crd_credit_get(k)->state, CRD_CREDIT_SPENT);
    crd_credit_free(k);
    crd_invoice_free(i);
    world_close(w);
}
END_TEST

/* Museum 10: The write failed halfway: the credit was gone, the invoice as before. Naive rule: two saves, one for
 * each side. */
START_TEST(museum_10_a_credit_never_shrinks_without_its_invoice) {
    world *w = world_open(_i);
    crd_credit *k;
    crd_invoice *i;
    customer(w, "c1");
    k = memo(w, "c1", "K", 100, 0);
    i = invoice(w, "c1", "I", 100, 0, 10);
    shim_reset(&w->shim);
    w->shim.fail_at = 1;
    w->shim.fault = SHIM_FAILED;
    ENDS(w->ledger, try_apply(w->ledger, k, i, 100, 0, on(0), NULL), CRD_E_STORAGE);
    ck_assert_int_eq(stored_credit(w, "c1", "K").remaining, 100);
    ck_assert_int_eq(stored_invoice(w, "c1", "I").open, 100);
    apply(w, k, i, 100, 0);
    ck_assert_uint_eq(w->shim.last_changes, 4); /* account, credit, invoice and entry in one batch */
    ck_assert_uint_eq(w->shim.last_guards, 1);
    crd_credit_free(k);
    crd_invoice_free(i);
    world_close(w);
}
END_TEST

/* Museum 13: A surplus was shown as unapplied money of the payment and as a credit of its own. Naive rule: the
 * payment keeps what it did not use, and a credit is made for it too. */
START_TEST(museum_13_a_surplus_is_one_record) {
    world *w = world_open(_i);
    crd_report_spec spec;
    crd_report *report = NULL;
    const crd_row *row = NULL;
    int count = 0;
    customer(w, "c1");
    crd_credit_free(credit(w, "c1", "P", CRD_CREDIT_OVERPAYMENT, 20, 0)); /* a receipt and its credit */
    memset(&spec, 0, sizeof spec);
    spec.struct_size = sizeof spec;
    spec.report = CRD_REPORT_OPEN_ITEMS;
    OK(w, crd_report_open(w->ledger, &spec, &report));
    for (;;) {
        OK(w, crd_report_next(report, &row));
        if (row == NULL) break;
        ck_assert_int_eq(row->amount, -20);
        count++;
    }
    crd_report_close(report);
    ck_assert_int_eq(count, 1);
    ck_assert_int_eq(balance_of(w->ledger, "c1", "EUR", 0).credit, 20);
    world_close(w);
}
END_TEST

/* Museum 14: The credit that paid an invoice was lost when the invoice was voided. Naive rule: voiding sets the
 * invoice's amounts to zero and leaves the application. */
START_TEST(museum_14_a_voided_invoice_gives_its_credit_back) {
    world *w = world_open(_i);
    crd_credit *k;
    crd_invoice *i, *next;
    customer(w, "c1");
    k = memo(w, "c1", "K", 100, 0);
    i = invoice(w, "c1", "I", 80, 0, 10);
    apply(w, k, i, 80, 0);
    void_invoice(w, i, 1);
    ck_assert_int_eq(crd_credit_get(k)->remaining, 100);
    next = invoice(w, "c1", "N", 100, 1, 10);
    apply(w, k, next, 100, 1);
    crd_credit_free(k);
    crd_invoice_free(i);
    crd_invoice_free(next);
    world_close(w);
}
END_TEST

/* Museum 15: An adjustment of an old invoice made credit, which lay idle beside unpaid ones. Naive rule: credit is
 * used when an invoice is made, and at no other time. */
START_TEST(museum_15_credit_spreads_to_all_unpaid_invoices) {
    world *w = world_open(_i);
    crd_credit *k;
    customer(w, "c1");
    for (int n = 0; n < 5; n++) crd_invoice_free(invoice(w, "c1", NULL, 20, 0, n));
    k = memo(w, "c1", "K", 90, 0); /* issued after the invoices, as adjustment of an old one */
    ck_assert_uint_eq(reconcile(w, 0, 1).applications, 5);
    ck_assert_int_eq(crd_credit_get(k)->remaining, 0);
    ck_assert_int_eq(balance_of(w->ledger, "c1", "EUR", 1).outstanding, 10);
    crd_credit_free(k);
    world_close(w);
}
END_TEST

/* Museum 16: A top-up failed and its invoice was voided as well: the balance was doubled. Naive rule: each of the
 * two gives back the amount of the invoice. */
START_TEST(museum_16_void_and_failure_return_only_what_was_drawn) {
    world *w = world_open(_i);
    crd_credit *k;
    crd_invoice *i;
    int64_t seq;
    customer(w, "c1");
    k = memo(w, "c1", "K", 100, 0);
    i = invoice(w, "c1", "I", 60, 0, 10);
    seq = apply(w, k, i, 60, 0);
    undo(w, "c1", seq, 0, 0); /* the top-up failed… */
    void_invoice(w, i, 0);    /* …and its invoice is voided */
    REFUSED(w, try_undo(w->ledger, "c1", seq, 0, on(0), NULL), CRD_E_NOTHING);
    ck_assert_int_eq(crd_credit_get(k)->remaining, 100); /* the naive rule returns 60 each time: 160, 220 */
    crd_credit_free(k);
    crd_invoice_free(i);
    world_close(w);
}
END_TEST

/* Museum 18, 31: The web shop sent its request twice: two credits, and an invoice posted twice. Naive rule: every
 * request is a new one. */
START_TEST(museum_18_31_a_repeated_request_gives_one_credit_and_one_document) {
    world *w = world_open(_i);
    crd_credit_terms t = credit_terms(NULL, CRD_CREDIT_MEMO, 50);
    crd_invoice_terms it = invoice_terms(NULL, 70);
    crd_credit *first = NULL, *again = NULL;
    crd_invoice *i = NULL, *j = NULL;
    crd_result r = result_block();
    customer(w, "c1");
    OK(w, crd_credit_issue(w->ledger, keyed(0, "web 1"), "c1", &t, &first));
    OK(w, crd_credit_issue(w->ledger, keyed(0, "web 1"), "c1", &t, &again));
    ck_assert_str_eq(crd_credit_get(first)->id, crd_credit_get(again)->id);
    OK(w, crd_invoice_enter(w->ledger, keyed(0, "web 2"), "c1", &it, &i));
    OK(w, crd_invoice_enter(w->ledger, keyed(0, "web 2"), "c1", &it, &j));
    ck_assert_str_eq(crd_invoice_get(i)->id, crd_invoice_get(j)->id);
    OK(w, try_apply(w->ledger, again, j, 50, 0, keyed(0, "web 3"), &r));
    OK(w, try_apply(w->ledger, again, j, 50, 0, keyed(0, "web 3"), &r));
    ck_assert_uint_eq(r.repeated, 1);
    world_check(w);
    ck_assert_int_eq(balance_of(w->ledger, "c1", "EUR", 0).issued, 50);
    ck_assert_int_eq(balance_of(w->ledger, "c1", "EUR", 0).outstanding, 20);
    /* without a key, too, there is nothing left to apply */
    OK(w, crd_credit_refresh(first));
    OK(w, crd_invoice_refresh(i));
    REFUSED(w, try_apply(w->ledger, first, i, 50, 0, on(0), &r), CRD_E_STATE);
    crd_credit_free(first);
    crd_credit_free(again);
    crd_invoice_free(i);
    crd_invoice_free(j);
    world_close(w);
}
END_TEST

/* Museum 20: A paid invoice took a further payment and went below zero, where the money was stuck. Naive rule: open
 * = total - payments, whatever its sign. */
START_TEST(museum_20_a_paid_invoice_does_not_go_negative) {
    world *w = world_open(_i);
    crd_credit *k;
    crd_invoice *i;
    customer(w, "c1");
    k = memo(w, "c1", "K", 100, 0);
    i = invoice(w, "c1", "I", 60, 0, 10);
    apply(w, k, i, 60, 0);
    REFUSED(w, try_apply(w->ledger, k, i, 40, 0, on(0), NULL), CRD_E_STATE);
    REFUSED(w, try_apply(w->ledger, k, i, 40, CRD_APPLY_CLAMP, on(0), NULL), CRD_E_STATE);
    ck_assert_int_eq(stored_invoice(w, "c1", "I").open, 0);
    ck_assert_int_eq(stored_credit(w, "c1", "K").remaining, 40); /* not stuck: it is there to be used */
    apply(w, k, NULL, 40, 0);
    crd_credit_free(k);
    crd_invoice_free(i);
    world_close(w);
}
END_TEST

/* Museum 21, 35: Which invoice was paid first hung on the order of entry, and credit was drawn newest first. Naive
 * rule: the order of the rows. */
START_TEST(museum_21_35_the_oldest_is_paid_first_however_they_were_entered) {
    static const int due[] = {30, 10, 20};
    world *w = world_open(_i);
    crd_plan_spec spec = plan_spec(0, 1);
    crd_plan *plan = NULL;
    const crd_plan_account *a = NULL;
    customer(w, "c1");
    for (int n = 0; n < 3; n++) {
        char id[8];
        snprintf(id, sizeof id, "I%d", due[n]);
        crd_invoice_free(invoice(w, "c1", id, 100, 0, due[n]));
    }
    crd_credit_free(memo(w, "c1", "second", 70, 1)); /* entered first, dated later */
    crd_credit_free(memo(w, "c1", "first", 70, 0));
    OK(w, crd_plan_open(w->ledger, &spec, &plan));
    OK(w, crd_plan_next(plan, &a));
    ck_assert_uint_eq(a->application_count, 3);
    ck_assert_str_eq(a->applications[0]->credit->id, "first");
    ck_assert_str_eq(a->applications[0]->invoice->id, "I10");
    ck_assert_str_eq(a->applications[1]->credit->id, "second");
    ck_assert_str_eq(a->applications[1]->invoice->id, "I10");
    ck_assert_str_eq(a->applications[2]->credit->id, "second"); /* each piece names where it comes from */
    ck_assert_str_eq(a->applications[2]->invoice->id, "I20");
    ck_assert_int_eq(a->applications[2]->amount, 40);
    crd_plan_close(plan);
    world_close(w);
}
END_TEST

/* Museum 22: A batch of two payments was accepted since its sum was due in all, though one was more than its
 * invoice. Naive rule: compare the sum of the batch with the sum of what is open. */
START_TEST(museum_22_each_row_is_checked_against_its_own_invoice) {
    world *w = world_open(_i);
    crd_credit *k;
    crd_invoice *small, *big;
    customer(w, "c1");
    k = memo(w, "c1", "K", 120, 0);
    small = invoice(w, "c1", "S", 50, 0, 10);
    big = invoice(w, "c1", "B", 70, 0, 10);
    /* together 120 are due; but 60 and 60 are not 50 and 70 */
    OK(w, crd_unit_begin(w->ledger));
    OK(w, try_apply(w->ledger, k, big, 60, 0, on(0), NULL));
    ENDS(w->ledger, try_apply(w->ledger, k, small, 60, 0, on(0), NULL), CRD_E_INVOICE_AMOUNT);
    FIGURES(w, 50, 60);
    OK(w, try_apply(w->ledger, k, small, 50, 0, on(0), NULL));
    OK(w, crd_unit_commit(w->ledger));
    world_check(w);
    ck_assert_int_eq(stored_credit(w, "c1", "K").remaining, 10);
    crd_credit_free(k);
    crd_invoice_free(small);
    crd_invoice_free(big);
    world_close(w);
}
END_TEST

/* Museum 23: Three credits paid one order; the failure of one save left some of them usable again. Naive rule: a
 * save per credit. */
START_TEST(museum_23_several_credits_pay_one_order_together_or_not_at_all) {
    world *w = world_open(_i);
    crd_credit *k[3];
    crd_invoice *i;
    customer(w, "c1");
    i = invoice(w, "c1", "I", 90, 0, 10);
    for (int n = 0; n < 3; n++) k[n] = memo(w, "c1", NULL, 30, 0);
    world_remember(w);
    shim_reset(&w->shim);
    w->shim.fail_at = 1;
    w->shim.fault = SHIM_FAILED;
    OK(w, crd_unit_begin(w->ledger));
    for (int n = 0; n < 3; n++) OK(w, try_apply(w->ledger, k[n], i, 30, 0, on(0), NULL));
    ENDS(w->ledger, crd_unit_commit(w->ledger), CRD_E_STORAGE);
    world_same(w, "a unit that failed");
    for (int n = 0; n < 3; n++) ck_assert_int_eq(crd_credit_get(k[n])->remaining, 30);
    OK(w, crd_unit_begin(w->ledger));
    for (int n = 0; n < 3; n++) OK(w, try_apply(w->ledger, k[n], i, 30, 0, on(0), NULL));
    OK(w, crd_unit_commit(w->ledger));
    world_check(w);
    for (int n = 0; n < 3; n++) {
        ck_assert_uint_eq(crd_credit_get(k[n])->state, CRD_CREDIT_SPENT);
        crd_credit_free(k[n]);
    }
    crd_invoice_free(i);
    world_close(w);
}
END_TEST

/* Museum 24, 37: A credit above the amount of the invoice was refused, or its rest lost. Naive rule: a credit pays
 * an invoice of at least its own amount, and is spent by it. */
START_TEST(museum_24_37_a_credit_larger_than_the_invoice_keeps_its_rest) {
    world *w = world_open(_i);
    crd_credit *k;
    customer(w, "c1");
    k = cash(w, "c1", "P", 120, 0);
    crd_invoice_free(invoice(w, "c1", "I", 100, 0, 10));
    ck_assert_uint_eq(reconcile(w, CRD_PLAN_USE_CASH, 1).applications, 1);
    ck_assert_int_eq(stored_invoice(w, "c1", "I").open, 0);
    ck_assert_int_eq(crd_credit_get(k)->remaining, 20);
    ck_assert_int_eq(balance_of(w->ledger, "c1", "EUR", 1).available, 20);
    crd_credit_free(k);
    world_close(w);
}
END_TEST

/* Museum 25: The columns did not sum to the total: what is not yet due had no column, nor had credit. Naive rule:
 * columns for overdue invoices, and a total from elsewhere. */
START_TEST(museum_25_aging_buckets_add_up_with_credit_and_current) {
    world *w = world_open(_i);
    crd_report_spec spec;
    crd_report *report = NULL;
    const crd_row *row = NULL;
    int64_t sum = 0;
    customer(w, "c1");
    crd_invoice_free(invoice(w, "c1", "old", 100, 0, 1));
    crd_invoice_free(invoice(w, "c1", "new", 40, 0, 90));
    crd_credit_free(cash(w, "c1", "P", 30, 0));
    crd_credit_free(memo(w, "c1", "K", 7, 0));
    memset(&spec, 0, sizeof spec);
    spec.struct_size = sizeof spec;
    spec.report = CRD_REPORT_AGING;
    spec.date = DAY(50);
    OK(w, crd_report_open(w->ledger, &spec, &report));
    OK(w, crd_report_next(report, &row));
    for (uint64_t n = 0; n < row->bucket_count; n++) sum += row->buckets[n];
    ck_assert_int_eq(sum, 103);
    ck_assert_int_eq(sum, balance_of(w->ledger, "c1", "EUR", 50).balance);
    crd_report_close(report);
    world_close(w);
}
END_TEST

/* Museum 26: Voiding a grant of which part was used left a wrong balance. Naive rule: subtract the grant's amount
 * from a stored balance. */
START_TEST(museum_26_the_balance_after_a_void_comes_from_dated_entries) {
    world *w = world_open(_i);
    crd_credit *k, *other;
    customer(w, "c1");
    k = memo(w, "c1", "K", 100, 0);
    other = memo(w, "c1", "O", 30, 1);
    apply(w, k, NULL, 40, 2);
    void_credit(w, k, 0, 3);
    ck_assert_int_eq(balance_of(w->ledger, "c1", "EUR", 3).available, 30);
    apply(w, other, NULL, 10, 3);
    ck_assert_int_eq(balance_of(w->ledger, "c1", "EUR", 3).available, 20);
    crd_credit_free(k);
    crd_credit_free(other);
    world_close(w);
}
END_TEST

/* Museum 27: One credit note was turned into credit twice, for more than it was worth. Naive rule: a credit is made
 * from a document as often as asked. */
START_TEST(museum_27_one_document_is_one_credit_of_its_amount) {
    world *w = world_open(_i);
    crd_credit_terms t = credit_terms("note", CRD_CREDIT_MEMO, 100);
    customer(w, "c1");
    OK(w, crd_credit_issue(w->ledger, on(0), "c1", &t, NULL));
    t.amount = 60; /* the same document, turned into credit once more */
    REFUSED(w, crd_credit_issue(w->ledger, on(0), "c1", &t, NULL), CRD_E_EXISTS);
    ck_assert_int_eq(balance_of(w->ledger, "c1", "EUR", 0).issued, 100);
    world_close(w);
}
END_TEST

/* Museum 28: A credit in another currency paid an invoice, and 0.01 stayed open. Naive rule: convert each side and
 * compare the rounded results. */
START_TEST(museum_28_nothing_is_left_over_from_a_conversion) {
    world *w = world_open(_i);
    crd_credit_terms t = credit_terms("dollars", CRD_CREDIT_MEMO, 1000);
    customer(w, "c1");
    t.currency = "USD";
    OK(w, crd_credit_issue(w->ledger, on(0), "c1", &t, NULL));
    crd_invoice_free(invoice(w, "c1", "I", 900, 0, 10));
    ck_assert_uint_eq(reconcile(w, 0, 1).applications, 0); /* no rate, no rest */
    ck_assert_int_eq(balance_of(w->ledger, "c1", "USD", 1).available, 1000);
    ck_assert_int_eq(balance_of(w->ledger, "c1", "EUR", 1).outstanding, 900);
    world_close(w);
}
END_TEST

/* Museum 30: A statement asked for the sum that had been paid. Naive rule: each report works out its own figure. */
START_TEST(museum_30_every_report_has_the_same_figure) {
    world *w = world_open(_i);
    crd_credit *k;
    crd_invoice *i;
    crd_report_spec spec;
    crd_report *report = NULL;
    const crd_row *row = NULL;
    customer(w, "c1");
    k = memo(w, "c1", "K", 70, 0);
    i = invoice(w, "c1", "I", 100, 0, 10);
    apply(w, k, i, 70, 0);
    memset(&spec, 0, sizeof spec);
    spec.struct_size = sizeof spec;
    for (uint32_t what = CRD_REPORT_ACCOUNTS; what <= CRD_REPORT_AGING; what++) {
        if (what != CRD_REPORT_ACCOUNTS && what != CRD_REPORT_OPEN_ITEMS && what != CRD_REPORT_AGING) continue;
        spec.report = what;
        spec.date = what == CRD_REPORT_AGING ? DAY(5) : 0;
        OK(w, crd_report_open(w->ledger, &spec, &report));
        OK(w, crd_report_next(report, &row));
        ck_assert_int_eq(row->amount, 30); /* what is owed, not what was paid */
        crd_report_close(report);
    }
    ck_assert_int_eq(balance_of(w->ledger, "c1", "EUR", 5).balance, 30);
    ck_assert_int_eq(crd_invoice_get(i)->open, 30);
    crd_credit_free(k);
    crd_invoice_free(i);
    world_close(w);
}
END_TEST

/* Museum 34: The clerk chose a credit, and the oldest was drawn. Naive rule: the choice is for show, the order of
 * the allocator decides. */
START_TEST(museum_34_the_credit_that_was_named_is_the_one_drawn) {
    world *w = world_open(_i);
    crd_credit *old, *named;
    crd_invoice *i;
    customer(w, "c1");
    old = memo(w, "c1", "old", 100, 0);
    named = memo(w, "c1", "named", 100, 5);
    i = invoice(w, "c1", "I", 60, 5, 10);
    apply(w, named, i, 60, 5);
    ck_assert_int_eq(stored_credit(w, "c1", "old").remaining, 100); /* first in, first out would have taken it */
    ck_assert_int_eq(stored_credit(w, "c1", "named").remaining, 40);
    crd_credit_free(old);
    crd_credit_free(named);
    crd_invoice_free(i);
    world_close(w);
}
END_TEST

static int32_t CRD_CALL costs_interest_principal(void *ctx, const crd_invoice_record *a, const crd_invoice_record *b) {
    static const int32_t rank[] = {0, 2, 1, 2, 0}; /* by CRD_INVOICE_…: a fee, a finance charge, all else */
    (void)ctx;
    return rank[a->kind] - rank[b->kind];
}

/* Museum 40: Money paid principal before costs and interest, and could not be told otherwise. Naive rule: the order
 * is in the code: by due date. */
START_TEST(museum_40_costs_then_interest_then_principal) {
    static const char *const orders[3][3] = {
        {"interest", "principal", "costs"}, /* unless told: finance charges first, then by the day they are due */
        {"principal", "interest", "costs"}, /* by the day alone */
        {"costs", "interest", "principal"}, /* as this host compares them */
    };
    for (int turn = 0; turn < 3; turn++) {
        crd_settings s;
        crd_hooks hooks;
        crd_plan_spec spec = plan_spec(0, 1);
        crd_plan *plan = NULL;
        const crd_plan_account *a = NULL;
        world *w;
        memset(&s, 0, sizeof s);
        memset(&hooks, 0, sizeof hooks);
        s.struct_size = sizeof s;
        hooks.struct_size = sizeof hooks;
        if (turn == 1) s.invoice_order[0] = CRD_ORDER_DUE;
        if (turn == 2) hooks.compare_invoices = costs_interest_principal;
        w = world_open_with(_i, NULL, &s, &hooks);
        customer(w, "c1");
        crd_invoice_free(invoice(w, "c1", "principal", 100, 0, 5));
        crd_invoice_free(invoice_as(w, "c1", "interest", CRD_INVOICE_FINANCE_CHARGE, 10, 0, 20, 0));
        crd_invoice_free(invoice_as(w, "c1", "costs", CRD_INVOICE_FEE, 7, 0, 30, 0));
        crd_credit_free(memo(w, "c1", "K", 117, 0));
        OK(w, crd_plan_open(w->ledger, &spec, &plan));
        OK(w, crd_plan_next(plan, &a));
        ck_assert_uint_eq(a->application_count, 3);
        for (int n = 0; n < 3; n++) ck_assert_str_eq(a->applications[n]->invoice->id, orders[turn][n]);
        crd_plan_close(plan);
        world_close(w);
    }
}
END_TEST

static Suite *make(void) {
    Suite *s = suite_create("museum");
    TCase *t = tcase_create("museum");
    tcase_add_loop_test(t, museum_01_only_a_credit_pays_and_only_an_invoice_is_paid, 0, STORES);
    tcase_add_loop_test(t, museum_02_a_hundred_are_not_allocated_where_ninety_are_left, 0, STORES);
    tcase_add_loop_test(t, museum_03_equal_face_amounts_do_not_match_when_residuals_differ, 0, STORES);
    tcase_add_loop_test(t, museum_04_05_unapplying_one_leaves_the_others, 0, STORES);
    tcase_add_loop_test(t, museum_06_unapplying_restores_both_sides_in_one_step, 0, STORES);
    tcase_add_loop_test(t, museum_08_09_the_last_cent_is_used, 0, STORES);
    tcase_add_loop_test(t, museum_10_a_credit_never_shrinks_without_its_invoice, 0, STORES);
    tcase_add_loop_test(t, museum_13_a_surplus_is_one_record, 0, STORES);
    tcase_add_loop_test(t, museum_14_a_voided_invoice_gives_its_credit_back, 0, STORES);
    tcase_add_loop_test(t, museum_15_credit_spreads_to_all_unpaid_invoices, 0, STORES);
    tcase_add_loop_test(t, museum_16_void_and_failure_return_only_what_was_drawn, 0, STORES);
    tcase_add_loop_test(t, museum_18_31_a_repeated_request_gives_one_credit_and_one_document, 0, STORES);
    tcase_add_loop_test(t, museum_20_a_paid_invoice_does_not_go_negative, 0, STORES);
    tcase_add_loop_test(t, museum_21_35_the_oldest_is_paid_first_however_they_were_entered, 0, STORES);
    tcase_add_loop_test(t, museum_22_each_row_is_checked_against_its_own_invoice, 0, STORES);
    tcase_add_loop_test(t, museum_23_several_credits_pay_one_order_together_or_not_at_all, 0, STORES);
    tcase_add_loop_test(t, museum_24_37_a_credit_larger_than_the_invoice_keeps_its_rest, 0, STORES);
    tcase_add_loop_test(t, museum_25_aging_buckets_add_up_with_credit_and_current, 0, STORES);
    tcase_add_loop_test(t, museum_26_the_balance_after_a_void_comes_from_dated_entries, 0, STORES);
    tcase_add_loop_test(t, museum_27_one_document_is_one_credit_of_its_amount, 0, STORES);
    tcase_add_loop_test(t, museum_28_nothing_is_left_over_from_a_conversion, 0, STORES);
    tcase_add_loop_test(t, museum_30_every_report_has_the_same_figure, 0, STORES);
    tcase_add_loop_test(t, museum_34_the_credit_that_was_named_is_the_one_drawn, 0, STORES);
    tcase_add_loop_test(t, museum_40_costs_then_interest_then_principal, 0, STORES);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return world_main(make);
}
