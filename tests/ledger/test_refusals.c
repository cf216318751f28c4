/*
 * Refusals that no other test provokes, each with its figures and an unchanged book. tests/build/refusals.sh compares
 * what the headers say of every command with all the REFUSEDs there are, so that none goes without.
 */
#include "support/change.h"
#include "support/paying.h"
#include "support/scene.h"

#include <string.h>

#define TERMS(type, name)                                                                                              \
    type name;                                                                                                         \
    memset(&name, 0, sizeof name);                                                                                     \
    name.struct_size = sizeof name

typedef struct stage {
    world *w;
    scene s;
} stage;

static stage open_stage(int store) {
    stage on_stage;
    on_stage.w = world_open(store);
    on_stage.w->careless = 1;
    scene_fill(on_stage.w);
    on_stage.s = scene_open(on_stage.w->ledger);
    return on_stage;
}

static void close_stage(stage *on_stage) {
    world_check(on_stage->w);
    scene_close(&on_stage->s);
    world_close(on_stage->w);
}

static void close_through(world *w, int day) {
    TERMS(crd_settings, settings);
    settings.closed_through = DAY(day);
    OK(w, crd_ledger_configure(w->ledger, &settings));
}

/* An invoice of c1 in yen, and one of c2 in euros. */
static crd_invoice *in_yen(world *w) {
    crd_invoice_terms t = invoice_terms("yen", 500);
    crd_invoice *out = NULL;
    t.currency = "JPY";
    OK(w, crd_invoice_enter(w->ledger, on(2), "c1", &t, &out));
    return out;
}

START_TEST(R31_M16_refusals_of_an_application) {
    stage g = open_stage(_i);
    world *w = g.w;
    crd_credit *r;
    crd_credit_terms restricted = credit_terms("restricted", CRD_CREDIT_MEMO, 50);
    int64_t seq;
    restricted.pays_kinds = 1u << CRD_INVOICE_INVOICE;
    /* nothing is available of it, or open of the other */
    OK(w, crd_credit_issue(w->ledger, on(2), "c1", &restricted, &r));
    OK(w, try_apply(w->ledger, r, g.s.i, 10, 0, on(2), NULL));
    seq = stored_credit(w, "c1", "restricted").last_seq;
    hold_credit(w, r, NULL, NULL, 40, 2, 0);
    REFUSED(w, try_apply(w->ledger, r, g.s.i, 0, CRD_APPLY_CLAMP, on(2), NULL), CRD_E_NOTHING);
    FIGURES(w, 0, 0);
    SUBJECT(w, CRD_KIND_CREDIT, "restricted");
    REFUSED(w, crd_application_change(w->ledger, on(2), "c1", "EUR", seq, 11, NULL), CRD_E_CREDIT_AMOUNT);
    FIGURES(w, 10, 11);
    close_through(w, 2);
    REFUSED(w, crd_application_change(w->ledger, on(2), "c1", "EUR", seq, 9, NULL), CRD_E_CLOSED);
    FIGURES(w, DAY(2), DAY(2));
    REFUSED(w, crd_application_change(w->ledger, on(2), "c1", "EUR", seq, 11, NULL), CRD_E_CLOSED);
    FIGURES(w, DAY(2), DAY(2));
    crd_credit_free(r);
    close_stage(&g);
}
END_TEST

START_TEST(R7_R20_M16_refusals_of_what_leaves_a_credit) {
    stage g = open_stage(_i);
    world *w = g.w;
    crd_credit *k = memo(w, "c1", "busy", 30, 2), *great;
    crd_credit_terms most = credit_terms("great", CRD_CREDIT_MEMO, CRD_MAX_AMOUNT);
    TERMS(crd_refund_terms, refund);
    TERMS(crd_transfer_terms, transfer);
    TERMS(crd_adjust_terms, adjust);
    transfer.customer = "c2";
    hold_credit(w, k, NULL, NULL, 30, 2, 0);
    REFUSED(w, crd_credit_refund(w->ledger, on(2), k, &refund, NULL), CRD_E_IN_USE);
    FIGURES(w, 30, 0);
    refund.amount = 5;
    REFUSED(w, crd_credit_refund(w->ledger, on(2), k, &refund, NULL), CRD_E_IN_USE);
    FIGURES(w, 30, 5);
    REFUSED(w, crd_credit_transfer(w->ledger, on(2), k, &transfer, NULL, NULL), CRD_E_IN_USE);
    FIGURES(w, 30, 0);
    /* three times the greatest amount is more than 64 bits have */
    most.currency = "JPY";
    for (int n = 0; n < 2; n++) {
        most.id = n == 0 ? "great" : "greater";
        OK(w, crd_credit_issue(w->ledger, on(2), "c1", &most, &great));
        hold_credit(w, great, NULL, NULL, CRD_MAX_AMOUNT, 2, 0);
        crd_credit_free(great);
    }
    adjust.target = CRD_MAX_AMOUNT;
    REFUSED(w, crd_credit_adjust(w->ledger, on(2), "c1", "JPY", &adjust, NULL), CRD_E_OVERFLOW);
    close_through(w, 2);
    REFUSED(w, crd_credit_transfer(w->ledger, on(2), g.s.k, &transfer, NULL, NULL), CRD_E_CLOSED);
    FIGURES(w, DAY(2), DAY(2));
    crd_credit_free(k);
    close_stage(&g);
}
END_TEST

START_TEST(R33_R34_M16_refusals_about_customers) {
    stage g = open_stage(_i);
    world *w = g.w;
    TERMS(crd_customer_change_terms, change);
    REFUSED(w, crd_customer_add(w->ledger, on(2), "c1", NULL, NULL), CRD_E_EXISTS);
    SUBJECT(w, CRD_KIND_CUSTOMER, "c1");
    change.name = "other";
    close_through(w, 2);
    REFUSED(w, crd_customer_change(w->ledger, on(2), g.s.c, &change, NULL), CRD_E_CLOSED);
    FIGURES(w, DAY(2), DAY(2));
    close_stage(&g);
}
END_TEST

START_TEST(R65_M16_refusals_about_holds) {
    stage g = open_stage(_i);
    world *w = g.w;
    crd_invoice *yen = in_yen(w), *theirs, *their_draft, *later;
    crd_hold_terms hold = hold_terms(NULL, 5, 0);
    TERMS(crd_apply_terms, part);
    theirs = invoice(w, "c2", "theirs", 50, 2, 30);
    their_draft = invoice_as(w, "c2", "draft", CRD_INVOICE_INVOICE, 50, 2, 30, CRD_INVOICE_AS_DRAFT);
    later = invoice(w, "c1", "later", 50, 6, 30);
    part.amount = 5;
    REFUSED(w, crd_credit_hold(w->ledger, on(2), g.s.k, their_draft, &hold, NULL), CRD_E_CUSTOMER);
    REFUSED(w, crd_hold_capture(w->ledger, on(2), g.s.held, theirs, &part, NULL), CRD_E_CUSTOMER);
    REFUSED(w, crd_hold_capture(w->ledger, on(2), g.s.held, yen, &part, NULL), CRD_E_CURRENCY);
    REFUSED(w, crd_hold_capture(w->ledger, on(5), g.s.held, later, &part, NULL), CRD_E_DATE);
    FIGURES(w, DAY(6), DAY(5));
    SUBJECT(w, CRD_KIND_INVOICE, "later");
    /* a draft takes what it has due, and then nothing */
    hold.flags = CRD_APPLY_CLAMP;
    REFUSED(w, crd_credit_hold(w->ledger, on(2), g.s.k, g.s.order, &hold, NULL), CRD_E_NOTHING);
    close_through(w, 2);
    REFUSED(w, crd_hold_capture(w->ledger, on(2), g.s.held, NULL, &part, NULL), CRD_E_CLOSED);
    FIGURES(w, DAY(2), DAY(2));
    REFUSED(w, crd_hold_release(w->ledger, on(2), g.s.held, 0, NULL), CRD_E_CLOSED);
    FIGURES(w, DAY(2), DAY(2));
    crd_invoice_free(yen);
    crd_invoice_free(theirs);
    crd_invoice_free(their_draft);
    crd_invoice_free(later);
    close_stage(&g);
}
END_TEST

START_TEST(M12_M16_refusals_about_invoices) {
    stage g = open_stage(_i);
    world *w = g.w;
    crd_invoice_terms t = invoice_terms("new", 10), most = invoice_terms("most", CRD_MAX_AMOUNT);
    crd_invoice *great = NULL;
    crd_credit_terms k = credit_terms(NULL, CRD_CREDIT_MEMO, CRD_MAX_AMOUNT);
    t.currency = "XYZ";
    REFUSED(w, crd_invoice_enter(w->ledger, on(2), "c1", &t, NULL), CRD_E_CURRENCY);
    /* the memo of a reversal is credit: with two of the greatest there is no room for a third */
    most.currency = k.currency = "JPY";
    OK(w, crd_invoice_enter(w->ledger, on(2), "c1", &most, &great));
    for (int n = 0; n < 2; n++) OK(w, crd_credit_issue(w->ledger, on(2), "c1", &k, NULL));
    REFUSED(w, crd_invoice_reverse(w->ledger, on(2), great, NULL, NULL), CRD_E_OVERFLOW);
    close_through(w, 2);
    t.currency = "EUR";
    REFUSED(w, crd_invoice_enter(w->ledger, on(2), "c1", &t, NULL), CRD_E_CLOSED);
    FIGURES(w, DAY(2), DAY(2));
    crd_invoice_free(great);
    close_stage(&g);
}
END_TEST

START_TEST(R42_R83_M16_refusals_about_receipts) {
    stage g = open_stage(_i);
    world *w = g.w;
    crd_receipt_terms t;
    crd_receipt_line most[4];
    const crd_receipt_line *lines[4];
    crd_credit_terms greatest = credit_terms(NULL, CRD_CREDIT_MEMO, CRD_MAX_AMOUNT);
    TERMS(crd_reverse_terms, reverse);
    memset(&t, 0, sizeof t);
    memset(most, 0, sizeof most);
    t.struct_size = sizeof t;
    t.flags = CRD_RECEIPT_EXCESS_TO_CREDIT;
    t.currency = "JPY";
    t.amount = CRD_MAX_AMOUNT;
    greatest.currency = "JPY";
    for (int n = 0; n < 2; n++) OK(w, crd_credit_issue(w->ledger, on(2), "c1", &greatest, NULL));
    REFUSED(w, crd_receipt_enter(w->ledger, on(2), "c1", &t, NULL, NULL), CRD_E_OVERFLOW);
    /* the claims on one invoice are summed */
    for (int n = 0; n < 4; n++) {
        most[n].struct_size = sizeof most[n];
        most[n].invoice = "I";
        most[n].amount = CRD_MAX_AMOUNT;
        lines[n] = &most[n];
    }
    t.currency = "EUR";
    t.lines = lines;
    t.line_count = 4;
    REFUSED(w, crd_receipt_enter(w->ledger, on(2), "c1", &t, NULL, NULL), CRD_E_INVOICE_AMOUNT);
    t.line_count = 0;
    t.amount = 10;
    /* strictly: 15 of what was left of the payment went elsewhere */
    {
        crd_credit *q = find_credit(w->ledger, "c1", "Q");
        OK(w, try_apply(w->ledger, q, NULL, 15, 0, on(2), NULL));
        crd_credit_free(q);
    }
    reverse.flags = CRD_REVERSE_STRICT;
    REFUSED(w, crd_receipt_reverse(w->ledger, on(2), g.s.paid, &reverse, NULL), CRD_E_IN_USE);
    FIGURES(w, 15, 0);
    close_through(w, 2);
    REFUSED(w, crd_receipt_enter(w->ledger, on(2), "c1", &t, NULL, NULL), CRD_E_CLOSED);
    FIGURES(w, DAY(2), DAY(2));
    REFUSED(w, crd_receipt_reverse(w->ledger, on(2), g.s.paid, NULL, NULL), CRD_E_CLOSED);
    FIGURES(w, DAY(2), DAY(2));
    /* twice; one that was undone; one that brought no money */
    OK(w, crd_receipt_reverse(w->ledger, on(3), g.s.paid, NULL, NULL));
    REFUSED(w, crd_receipt_reverse(w->ledger, on(3), g.s.paid, NULL, NULL), CRD_E_NOTHING);
    OK(w, try_undo(w->ledger, "c1", g.s.payment_seq, 0, on(3), NULL));
    {
        crd_receipt *undone = find_receipt(w->ledger, "c1", "E");
        REFUSED(w, crd_receipt_reverse(w->ledger, on(3), undone, NULL, NULL), CRD_E_STATE);
        crd_receipt_free(undone);
    }
    close_stage(&g);
}
END_TEST

START_TEST(R64_M16_a_run_and_a_sweep_are_units_of_their_own) {
    stage g = open_stage(_i);
    world *w = g.w;
    crd_plan_spec spec = plan_spec(0, 2);
    OK(w, crd_unit_begin(w->ledger));
    REFUSED(w, crd_reconcile(w->ledger, on(2), &spec, NULL), CRD_E_UNIT);
    REFUSED(w, crd_sweep(w->ledger, on(2), NULL, NULL), CRD_E_UNIT);
    OK(w, crd_unit_rollback(w->ledger));
    close_stage(&g);
}
END_TEST

static Suite *make(void) {
    Suite *s = suite_create("refusals");
    TCase *t = tcase_create("refusals");
    tcase_set_timeout(t, 60); /* the scene is long, and the machine may be busy */
    tcase_add_loop_test(t, R31_M16_refusals_of_an_application, 0, STORES);
    tcase_add_loop_test(t, R7_R20_M16_refusals_of_what_leaves_a_credit, 0, STORES);
    tcase_add_loop_test(t, R33_R34_M16_refusals_about_customers, 0, STORES);
    tcase_add_loop_test(t, R65_M16_refusals_about_holds, 0, STORES);
    tcase_add_loop_test(t, M12_M16_refusals_about_invoices, 0, STORES);
    tcase_add_loop_test(t, R42_R83_M16_refusals_about_receipts, 0, STORES);
    tcase_add_loop_test(t, R64_M16_a_run_and_a_sweep_are_units_of_their_own, 0, STORES);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return world_main(make);
}
