/*
 * The core's decisions about receipts, on records alone: no ledger, no storage. The matching of credits and invoices is
 * also compared with a second, naive one over random receipts.
 */
#include "core/decide.h"
#include "core/record.h"

#include <credit/receipt.h>

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define MOST 8

static struct desk {
    crd_credit_record credit[MOST];
    crd_invoice_record invoice[MOST];
    crd__party parties[2 * MOST];
    crd__party *credits[MOST], *invoices[MOST];
    crd__receipt_line lines[MOST];
    crd__receipt_command command;
    crd__receipt_plan plan;
    crd__receipt_move moves[6 * MOST];
    char work[8192];
} d;
static char ids[2 * MOST][4];

static crd__party *credit(int64_t amount) {
    uint64_t n = d.command.credit_count++;
    crd_credit_record *c = &d.credit[n];
    crd__record_clear(CRD_KIND_CREDIT, c);
    ids[n][0] = 'K';
    ids[n][1] = (char)('0' + n);
    c->id = ids[n];
    c->credit_class = CRD_CLASS_MEMO;
    c->kind = CRD_CREDIT_MEMO;
    c->state = CRD_CREDIT_ACTIVE;
    c->issued = c->effective = c->last_date = 100;
    c->original = c->remaining = amount;
    d.parties[n].credit = c;
    return d.credits[n] = &d.parties[n];
}

static crd__party *invoice(int64_t open) {
    uint64_t n = d.command.invoice_count++;
    crd_invoice_record *i = &d.invoice[n];
    crd__record_clear(CRD_KIND_INVOICE, i);
    ids[MOST + n][0] = 'I';
    ids[MOST + n][1] = (char)('0' + n);
    i->id = ids[MOST + n];
    i->kind = CRD_INVOICE_INVOICE;
    i->state = CRD_INVOICE_OPEN;
    i->issued = i->last_date = 100;
    i->total = i->open = open;
    d.parties[MOST + n].invoice = i;
    return d.invoices[n] = &d.parties[MOST + n];
}

static void setup(void) {
    memset(&d, 0, sizeof d);
    d.command.when.date = 110;
    d.command.id = "R";
    d.command.lines = d.lines;
    d.command.credits = d.credits;
    d.command.invoices = d.invoices;
    d.plan.moves = d.moves;
    d.plan.work = d.work;
}

static void line(crd__party *with, crd__party *to, int64_t amount, uint32_t kind) {
    crd__receipt_line *l = &d.lines[d.command.line_count++];
    l->credit = with;
    l->invoice = to;
    l->amount = amount;
    l->kind = kind;
}

static crd_status decide(int64_t amount, uint32_t flags, crd__refusal *why) {
    d.command.amount = amount;
    d.command.flags = flags;
    ck_assert_uint_le(crd__receipt_work(&d.command), sizeof d.work);
    ck_assert_uint_le(crd__receipt_moves(&d.command), sizeof d.moves / sizeof d.moves[0]);
    memset(why, 0, sizeof *why);
    return crd__decide_receipt(&d.command, &d.plan, why);
}

static void move_is(uint64_t n, uint32_t type, const crd__party *from, const crd__party *to, int64_t amount,
                    int32_t date) {
    const crd__receipt_move *m = &d.plan.moves[n];
    ck_assert_uint_lt(n, d.plan.count);
    ck_assert_uint_eq(m->move.type, type);
    ck_assert_ptr_eq(m->credit, from);
    ck_assert_ptr_eq(m->invoice, to);
    ck_assert_int_eq(m->move.amount, amount);
    ck_assert_int_eq(m->move.date, date);
}

START_TEST(M14_own_money_comes_last_and_write_offs_after_it) {
    crd__refusal why;
    crd__party *k, *i, *j;
    k = credit(30);
    i = invoice(50);
    j = invoice(20);
    line(NULL, i, 48, CRD_RECEIPT_PAYS);
    line(NULL, i, 2, CRD_RECEIPT_DISCOUNT);
    line(NULL, j, 20, CRD_RECEIPT_PAYS);
    line(k, NULL, 30, CRD_RECEIPT_PAYS);
    ck_assert_int_eq(decide(40, CRD_RECEIPT_EXCESS_TO_CREDIT, &why), CRD_OK);
    ck_assert_uint_eq(d.plan.count, 4);
    move_is(0, CRD_ENTRY_APPLY, k, i, 30, 110);
    move_is(1, CRD_ENTRY_APPLY, NULL, i, 18, 110);
    move_is(2, CRD_ENTRY_APPLY, NULL, j, 20, 110);
    move_is(3, CRD_ENTRY_WRITE_OFF, NULL, i, 2, 110);
    ck_assert_uint_eq(d.plan.moves[3].move.cause, CRD_CAUSE_DISCOUNT);
    ck_assert_int_eq(d.plan.applied, 68);
    ck_assert_int_eq(d.plan.kept, 2);
}
END_TEST

START_TEST(M16_refusals_of_a_receipt_come_in_order_with_figures) {
    crd__refusal why;
    crd__party *k = credit(30), *i = invoice(50);
    line(k, i, 60, CRD_RECEIPT_PAYS);
    d.command.when.closed_through = 110;
    d.invoice[0].state = CRD_INVOICE_PAID;
    d.credit[0].state = CRD_CREDIT_SPENT;
    d.credit[0].expires = 105;
    d.credit[0].pays_kinds = 1u << CRD_INVOICE_FEE;
    ck_assert_int_eq(decide(0, 0, &why), CRD_E_STATE);
    ck_assert_uint_eq(why.subject_kind, CRD_KIND_INVOICE);
    d.invoice[0].state = CRD_INVOICE_OPEN;
    ck_assert_int_eq(decide(0, 0, &why), CRD_E_STATE);
    ck_assert_uint_eq(why.subject_kind, CRD_KIND_CREDIT);
    d.credit[0].state = CRD_CREDIT_ACTIVE;
    ck_assert_int_eq(decide(0, 0, &why), CRD_E_CLOSED);
    ck_assert_int_eq(why.limit, 110);
    d.command.when.closed_through = 0;
    ck_assert_int_eq(decide(0, 0, &why), CRD_E_EXPIRED);
    ck_assert_int_eq(why.limit, 105);
    ck_assert_int_eq(why.given, 110);
    d.credit[0].expires = 110; /* on its very day, before any amount is looked at */
    ck_assert_int_eq(decide(0, 0, &why), CRD_E_EXPIRED);
    ck_assert_int_eq(why.limit, 110);
    d.credit[0].pays_kinds = 0;
    ck_assert_int_eq(decide(0, 0, &why), CRD_E_EXPIRED);
    d.credit[0].pays_kinds = 1u << CRD_INVOICE_FEE;
    d.credit[0].expires = 0;
    d.credit[0].effective = 120;
    ck_assert_int_eq(decide(0, 0, &why), CRD_E_EXPIRED);
    ck_assert_int_eq(why.limit, 120);
    d.credit[0].effective = 100;
    ck_assert_int_eq(decide(0, 0, &why), CRD_E_RESTRICTED);
    d.credit[0].pays_kinds = 0;
    ck_assert_int_eq(decide(0, 0, &why), CRD_E_CREDIT_AMOUNT);
    ck_assert_int_eq(why.limit, 30);
    ck_assert_int_eq(why.given, 60);
    d.credit[0].original = d.credit[0].remaining = 60;
    ck_assert_int_eq(decide(0, 0, &why), CRD_E_INVOICE_AMOUNT);
    ck_assert_int_eq(why.limit, 50);
    d.invoice[0].total = d.invoice[0].open = 60;
    ck_assert_int_eq(decide(0, 0, &why), CRD_OK);
    ck_assert_int_eq(decide(1, 0, &why), CRD_E_DISTRIBUTION);
    ck_assert_int_eq(why.given, 1);
}
END_TEST

START_TEST(R60_lines_whose_sum_leaves_64_bits_are_refused) {
    crd__refusal why;
    crd__party *k = credit(CRD_MAX_AMOUNT), *i = invoice(CRD_MAX_AMOUNT);
    for (int n = 0; n < 3; n++) line(k, i, CRD_MAX_AMOUNT, CRD_RECEIPT_PAYS);
    ck_assert_int_eq(decide(0, 0, &why), CRD_E_CREDIT_AMOUNT);
    for (int n = 0; n < 3; n++) d.lines[n].credit = NULL;
    ck_assert_int_eq(decide(0, 0, &why), CRD_E_INVOICE_AMOUNT);
    /* three invoices, each within bounds, whose sum is not */
    for (int n = 0; n < 3; n++) d.lines[n].invoice = n == 0 ? i : invoice(CRD_MAX_AMOUNT);
    ck_assert_int_eq(decide(0, 0, &why), CRD_E_OVERFLOW);
}
END_TEST

/* A credit that paid an invoice of the 120th pays the next one on that day too: its own past is a prefix on any date. And
 * an invoice that the first credit paid on its day takes the second one then. */
START_TEST(M6_each_application_of_a_receipt_is_the_last_of_both_its_documents) {
    crd__refusal why;
    crd__party *k = credit(50), *l = credit(20), *i = invoice(30), *j = invoice(40);
    d.invoice[0].last_date = 120;
    d.credit[1].last_date = 125;
    line(k, i, 30, CRD_RECEIPT_PAYS);
    line(k, j, 20, CRD_RECEIPT_PAYS);
    line(l, j, 20, CRD_RECEIPT_PAYS);
    ck_assert_int_eq(decide(0, 0, &why), CRD_OK);
    move_is(0, CRD_ENTRY_APPLY, k, i, 30, 120);
    move_is(1, CRD_ENTRY_APPLY, k, j, 20, 120);
    move_is(2, CRD_ENTRY_APPLY, l, j, 20, 125);
    d.credit[0].expires = 120; /* then it is not usable any more */
    ck_assert_int_eq(decide(0, 0, &why), CRD_E_EXPIRED);
    ck_assert_int_eq(why.limit, 120);
    ck_assert_int_eq(why.given, 120);
    d.command.line_count = 0;
    line(NULL, i, 30, CRD_RECEIPT_PAYS); /* no pair is named, and only the first invoice is late */
    line(NULL, j, 20, CRD_RECEIPT_PAYS);
    line(k, NULL, 50, CRD_RECEIPT_PAYS);
    ck_assert_int_ne(decide(0, 0, &why), CRD_OK);
    d.credit[0].expires = 121;
    ck_assert_int_eq(decide(0, 0, &why), CRD_OK);
    move_is(0, CRD_ENTRY_APPLY, k, i, 30, 120);
    move_is(1, CRD_ENTRY_APPLY, k, j, 20, 120);
}
END_TEST

START_TEST(M6_own_money_that_expires_is_not_applied_after_that) {
    crd__refusal why;
    crd__party *i = invoice(50);
    d.invoice[0].last_date = 130;
    d.command.expires = 130;
    ck_assert_int_eq(decide(50, CRD_RECEIPT_DISTRIBUTE | CRD_RECEIPT_EXCESS_TO_CREDIT, &why), CRD_OK);
    ck_assert_uint_eq(d.plan.count, 0);
    ck_assert_int_eq(d.plan.kept, 50);
    line(NULL, i, 50, CRD_RECEIPT_PAYS);
    ck_assert_int_eq(decide(50, 0, &why), CRD_E_EXPIRED);
    d.command.expires = 131;
    ck_assert_int_eq(decide(50, 0, &why), CRD_OK);
    move_is(0, CRD_ENTRY_APPLY, NULL, i, 50, 130);
}
END_TEST

static uint32_t state = 1;
static uint32_t dice(uint32_t sides) {
    state = state * 1664525u + 1013904223u;
    return (state >> 16) % sides;
}

/* Greedy over lines that leave the other side open: each credit in order, each invoice in order; then own money. */
static void naive(const int64_t *used, const int64_t *paid, int64_t found[MOST + 1][MOST]) {
    int64_t left[MOST];
    memset(found, 0, (MOST + 1) * MOST * sizeof(int64_t));
    for (uint64_t i = 0; i < d.command.invoice_count; i++) left[i] = paid[i];
    for (uint64_t k = 0; k <= d.command.credit_count; k++) {
        int64_t has = k < d.command.credit_count ? used[k] : INT64_MAX;
        for (uint64_t i = 0; i < d.command.invoice_count; i++) {
            int64_t amount = has < left[i] ? has : left[i];
            found[k][i] += amount;
            has -= amount;
            left[i] -= amount;
        }
    }
}

START_TEST(M14_M15_matching_is_the_naive_one_on_random_receipts) {
    for (int round = 0; round < 20000; round++) {
        int64_t used[MOST] = {0}, paid[MOST] = {0}, expected[MOST + 1][MOST], found[MOST + 1][MOST];
        int64_t all_used = 0, all_paid = 0, amount;
        uint64_t credits = dice(4), invoices = 1 + dice(4);
        crd__refusal why;
        crd_status status;
        setup();
        for (uint64_t k = 0; k < credits; k++) (void)credit(1 + dice(50));
        for (uint64_t i = 0; i < invoices; i++) (void)invoice(1 + dice(50));
        for (uint64_t k = 0; k < credits; k++) {
            used[k] = dice((uint32_t)d.credit[k].remaining + 1);
            if (used[k] > 0) line(d.credits[k], NULL, used[k], CRD_RECEIPT_PAYS);
            all_used += used[k];
        }
        for (uint64_t i = 0; i < invoices; i++) {
            paid[i] = dice((uint32_t)d.invoice[i].open + 1);
            if (paid[i] > 0) line(NULL, d.invoices[i], paid[i], CRD_RECEIPT_PAYS);
            all_paid += paid[i];
        }
        amount = all_paid - all_used + (int64_t)dice(3) - 1;
        if (amount < 0) amount = 0;
        status = decide(amount, 0, &why);
        if (amount + all_used != all_paid || all_used > all_paid) {
            ck_assert_int_eq(status, CRD_E_DISTRIBUTION);
            ck_assert_int_eq(why.given, amount + all_used - all_paid);
            continue;
        }
        ck_assert_int_eq(status, CRD_OK);
        ck_assert_int_eq(d.plan.applied, all_paid);
        ck_assert_int_eq(d.plan.kept, 0);
        naive(used, paid, expected);
        memset(found, 0, sizeof found);
        for (uint64_t n = 0; n < d.plan.count; n++) {
            const crd__receipt_move *m = &d.plan.moves[n];
            uint64_t k = m->credit != NULL ? (uint64_t)(m->credit - d.parties) : credits;
            found[k][m->invoice - d.parties - MOST] += m->move.amount;
        }
        ck_assert_mem_eq(found, expected, sizeof found);
    }
}
END_TEST

START_TEST(M13_strict_counts_what_is_elsewhere) {
    crd_receipt_record r;
    crd__refusal why;
    crd__when when = {110, 0, 0, 0};
    crd_credit_record *c = &d.credit[0];
    (void)credit(100);
    crd__record_clear(CRD_KIND_RECEIPT, &r);
    r.id = "R";
    r.state = CRD_RECEIPT_POSTED;
    c->applied = 50;
    c->applied_by_receipt = 40;
    ck_assert_int_eq(crd__decide_may_bounce(&r, c, &when, 0, &why), CRD_OK);
    ck_assert_int_eq(crd__decide_may_bounce(&r, c, &when, CRD_REVERSE_STRICT, &why), CRD_E_IN_USE);
    ck_assert_int_eq(why.limit, 10);
    c->refunded = 1;
    c->transferred = 2;
    c->held = 3;
    c->allocated = 4;
    ck_assert_int_eq(crd__decide_may_bounce(&r, c, &when, CRD_REVERSE_STRICT, &why), CRD_E_IN_USE);
    ck_assert_int_eq(why.limit, 20);
    ck_assert_int_eq(crd__decide_may_undo_receipt(&r, c, &when, &why), CRD_E_IN_USE);
    ck_assert_int_eq(why.limit, 3);
    c->refunded = c->transferred = c->held = c->allocated = 0;
    c->applied = 40;
    c->expired = 9; /* what is gone without being used is not elsewhere */
    ck_assert_int_eq(crd__decide_may_bounce(&r, c, &when, CRD_REVERSE_STRICT, &why), CRD_OK);
    ck_assert_int_eq(crd__decide_may_undo_receipt(&r, c, &when, &why), CRD_OK);
    r.state = CRD_RECEIPT_DELETED;
    ck_assert_int_eq(crd__decide_may_bounce(&r, c, &when, 0, &why), CRD_E_STATE);
    ck_assert_int_eq(crd__decide_may_undo_receipt(&r, c, &when, &why), CRD_E_NOTHING);
    r.state = CRD_RECEIPT_REVERSED;
    ck_assert_int_eq(crd__decide_may_bounce(&r, c, &when, 0, &why), CRD_E_NOTHING);
    r.state = CRD_RECEIPT_POSTED;
    when.closed_through = 110;
    ck_assert_int_eq(crd__decide_may_bounce(&r, c, &when, CRD_REVERSE_STRICT, &why), CRD_E_CLOSED);
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("receipt");
    TCase *t = tcase_create("receipt");
    tcase_set_timeout(t, 60);
    tcase_add_checked_fixture(t, setup, NULL);
    tcase_add_test(t, M14_own_money_comes_last_and_write_offs_after_it);
    tcase_add_test(t, M16_refusals_of_a_receipt_come_in_order_with_figures);
    tcase_add_test(t, R60_lines_whose_sum_leaves_64_bits_are_refused);
    tcase_add_test(t, M6_each_application_of_a_receipt_is_the_last_of_both_its_documents);
    tcase_add_test(t, M6_own_money_that_expires_is_not_applied_after_that);
    tcase_add_test(t, M14_M15_matching_is_the_naive_one_on_random_receipts);
    tcase_add_test(t, M13_strict_counts_what_is_elsewhere);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    SRunner *runner = srunner_create(suite());
    int failed;
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
