/*
 * Bad input: every call refuses it by a code, names the field, and leaves the book as it was.
 */
#include "support/scene.h"

#include <stdio.h>
#include <string.h>

static const char id64[] = "0123456789012345678901234567890123456789012345678901234567890123";
static const char *const bad_ids[] = {"", id64, "a\tb", "\x7f", "~own", "\xc0\x80", "\xed\xa0\x80", "\xf5\x80\x80\x80",
                                      "ab\xc3"};
#define BAD_IDS (sizeof bad_ids / sizeof bad_ids[0])

START_TEST(M16_ids_that_are_none_are_refused) {
    world *w = world_open(_i);
    scene s;
    scene_fill(w);
    s = scene_open(w->ledger);
    for (size_t n = 0; n < BAD_IDS; n++) {
        const char *bad = bad_ids[n];
        crd_credit_terms k = credit_terms(bad, CRD_CREDIT_MEMO, 1);
        crd_invoice_terms i = invoice_terms(bad, 1);
        crd_credit *found = NULL;
        crd_request r = *on(2);
        crd_customer *c = NULL;
        crd_balance b;
        memset(&b, 0, sizeof b);
        b.struct_size = sizeof b;
        REFUSED(w, crd_customer_add(w->ledger, on(2), bad, NULL, &c), CRD_E_ARGUMENT);
        FIELD(w, "customer");
        ck_assert_ptr_null(c);
        REFUSED(w, crd_credit_issue(w->ledger, on(2), "c1", &k, NULL), CRD_E_ARGUMENT);
        FIELD(w, "terms.id");
        REFUSED(w, crd_invoice_enter(w->ledger, on(2), "c1", &i, NULL), CRD_E_ARGUMENT);
        FIELD(w, "terms.id");
        k.id = NULL;
        REFUSED(w, crd_credit_issue(w->ledger, on(2), bad, &k, NULL), CRD_E_ARGUMENT);
        FIELD(w, "customer");
        k.kind = CRD_CREDIT_DEPOSIT;
        k.receipt = bad;
        REFUSED(w, crd_credit_issue(w->ledger, on(2), "c1", &k, NULL), CRD_E_ARGUMENT);
        FIELD(w, "terms.receipt");
        if (bad[0] == '~') continue; /* one may look for a derived id, or act under any name */
        r.actor = bad;
        k = credit_terms(NULL, CRD_CREDIT_MEMO, 1);
        REFUSED(w, crd_credit_issue(w->ledger, &r, "c1", &k, NULL), CRD_E_ARGUMENT);
        FIELD(w, "request.actor");
        REFUSED(w, crd_credit_find(w->ledger, "c1", bad, &found), CRD_E_ARGUMENT);
        REFUSED(w, crd_credit_find(w->ledger, bad, "K", &found), CRD_E_ARGUMENT);
        ENDS(w->ledger, crd_customer_balance(w->ledger, bad, "EUR", DAY(0), &b), CRD_E_ARGUMENT);
    }
    {
        crd_credit_terms k = credit_terms(id64 + 1, CRD_CREDIT_MEMO, 1); /* 63 bytes */
        OK(w, crd_credit_issue(w->ledger, on(2), "c1", &k, NULL));
        k.id = "naïve Kundin 客户 🙂";
        OK(w, crd_credit_issue(w->ledger, on(2), "c1", &k, NULL));
        world_check(w);
    }
    scene_close(&s);
    world_close(w);
}
END_TEST

START_TEST(M16_texts_and_labels_are_bounded_and_utf8) {
    static char long_text[1002];
    world *w = world_open(_i);
    crd_request r = *on(2);
    scene_fill(w);
    memset(long_text, 'x', 1001);
    for (int n = 0; n < 3; n++) {
        const char *text = n == 0 ? long_text : n == 1 ? "a\nb\x01" : "\xff";
        crd_credit_terms k;
        crd_customer_terms c;
        r.note = text;
        k = credit_terms(NULL, CRD_CREDIT_MEMO, 1);
        REFUSED(w, crd_credit_issue(w->ledger, &r, "c1", &k, NULL), CRD_E_ARGUMENT);
        FIELD(w, "request.note");
        k.reason = text;
        REFUSED(w, crd_credit_issue(w->ledger, on(2), "c1", &k, NULL), CRD_E_ARGUMENT);
        FIELD(w, "terms.reason");
        k = credit_terms(NULL, CRD_CREDIT_MEMO, 1);
        k.notes = text;
        REFUSED(w, crd_credit_issue(w->ledger, on(2), "c1", &k, NULL), CRD_E_ARGUMENT);
        FIELD(w, "terms.notes");
        k = credit_terms(NULL, CRD_CREDIT_MEMO, 1);
        k.source = n == 0 ? id64 : text;
        REFUSED(w, crd_credit_issue(w->ledger, on(2), "c1", &k, NULL), CRD_E_ARGUMENT);
        FIELD(w, "terms.source");
        k = credit_terms(NULL, CRD_CREDIT_MEMO, 1);
        k.reference = text;
        REFUSED(w, crd_credit_issue(w->ledger, on(2), "c1", &k, NULL), CRD_E_ARGUMENT);
        FIELD(w, "terms.reference");
        memset(&c, 0, sizeof c);
        c.struct_size = sizeof c;
        c.name = text;
        REFUSED(w, crd_customer_add(w->ledger, on(2), "c9", &c, NULL), CRD_E_ARGUMENT);
        FIELD(w, "terms.name");
    }
    long_text[1000] = '\0';
    r.note = long_text;
    {
        crd_credit_terms k = credit_terms(NULL, CRD_CREDIT_MEMO, 1);
        k.reason = long_text;
        OK(w, crd_credit_issue(w->ledger, &r, "c1", &k, NULL));
    }
    world_check(w);
    world_close(w);
}
END_TEST

START_TEST(M1_negative_zero_and_huge_amounts_are_refused) {
    static const int64_t bad[] = {0, -1, INT64_MIN, CRD_MAX_AMOUNT + 1, INT64_MAX};
    world *w = world_open(_i);
    scene s;
    scene_fill(w);
    s = scene_open(w->ledger);
    for (size_t n = 0; n < sizeof bad / sizeof bad[0]; n++) {
        crd_credit_terms k = credit_terms(NULL, CRD_CREDIT_MEMO, bad[n]);
        crd_invoice_terms i = invoice_terms(NULL, bad[n]);
        REFUSED(w, crd_credit_issue(w->ledger, on(2), "c1", &k, NULL), CRD_E_ARGUMENT);
        FIELD(w, "terms.amount");
        ck_assert_int_eq(crd_ledger_error(w->ledger)->given, bad[n]);
        REFUSED(w, try_apply(w->ledger, s.k, s.i, bad[n], 0, on(2), NULL), CRD_E_ARGUMENT);
        FIELD(w, "terms.amount");
        if (bad[n] == 0) continue; /* an invoice may be of zero; void and undo take 0 as all */
        REFUSED(w, crd_invoice_enter(w->ledger, on(2), "c1", &i, NULL), CRD_E_ARGUMENT);
        FIELD(w, "terms.total");
        REFUSED(w, crd_credit_void(w->ledger, on(2), s.k, bad[n], 0, NULL), CRD_E_ARGUMENT);
        FIELD(w, "amount");
        REFUSED(w, try_undo(w->ledger, "c1", s.applied_seq, bad[n], on(2), NULL), CRD_E_ARGUMENT);
        FIELD(w, "amount");
        REFUSED(w, try_apply(w->ledger, s.k, s.i, bad[n], CRD_APPLY_CLAMP, on(2), NULL), CRD_E_ARGUMENT);
    }
    {
        crd_credit_terms k = credit_terms(NULL, CRD_CREDIT_MEMO, 10);
        crd_invoice_terms i = invoice_terms(NULL, 10);
        k.tax = 11;
        REFUSED(w, crd_credit_issue(w->ledger, on(2), "c1", &k, NULL), CRD_E_ARGUMENT);
        FIELD(w, "terms.tax");
        k.tax = -1;
        REFUSED(w, crd_credit_issue(w->ledger, on(2), "c1", &k, NULL), CRD_E_ARGUMENT);
        i.tax = 11;
        REFUSED(w, crd_invoice_enter(w->ledger, on(2), "c1", &i, NULL), CRD_E_ARGUMENT);
        FIELD(w, "terms.tax");
    }
    scene_close(&s);
    world_close(w);
}
END_TEST

START_TEST(M16_unknown_kinds_flags_and_dates_are_refused) {
    static const uint32_t bad_kinds[] = {0, 17, 0x10001u, 0xffffffffu};
    world *w = world_open(_i);
    crd_credit_terms k;
    crd_invoice_terms i;
    crd_request r;
    scene_fill(w);
    for (size_t n = 0; n < 4; n++) {
        k = credit_terms(NULL, bad_kinds[n], 1);
        REFUSED(w, crd_credit_issue(w->ledger, on(2), "c1", &k, NULL), CRD_E_ARGUMENT);
        FIELD(w, "terms.kind");
        i = invoice_terms(NULL, 1);
        i.kind = n == 1 ? 5 : bad_kinds[n];
        REFUSED(w, crd_invoice_enter(w->ledger, on(2), "c1", &i, NULL), CRD_E_ARGUMENT);
        FIELD(w, "terms.kind");
    }
    k = credit_terms(NULL, CRD_CREDIT_MEMO, 1);
    k.flags = CRD_FLAG_DELETED;
    REFUSED(w, crd_credit_issue(w->ledger, on(2), "c1", &k, NULL), CRD_E_ARGUMENT);
    FIELD(w, "terms.flags");
    k = credit_terms(NULL, CRD_CREDIT_MEMO, 1);
    k.pays_kinds = 1u << 9;
    REFUSED(w, crd_credit_issue(w->ledger, on(2), "c1", &k, NULL), CRD_E_ARGUMENT);
    FIELD(w, "terms.pays_kinds");
    k = credit_terms(NULL, CRD_CREDIT_MEMO, 1);
    k.reserved = 1;
    REFUSED(w, crd_credit_issue(w->ledger, on(2), "c1", &k, NULL), CRD_E_ARGUMENT);
    k = credit_terms(NULL, CRD_CREDIT_MEMO, 1);
    k.expires = CRD_DATE_MAX + 1;
    REFUSED(w, crd_credit_issue(w->ledger, on(2), "c1", &k, NULL), CRD_E_ARGUMENT);
    FIELD(w, "terms.expires");
    k.expires = 0;
    k.effective = -1;
    REFUSED(w, crd_credit_issue(w->ledger, on(2), "c1", &k, NULL), CRD_E_ARGUMENT);
    FIELD(w, "terms.effective");
    k = credit_terms(NULL, CRD_CREDIT_MEMO, 1);
    k.reason = NULL;
    REFUSED(w, crd_credit_issue(w->ledger, on(2), "c1", &k, NULL), CRD_E_ARGUMENT);
    FIELD(w, "terms.reason"); /* R22: required, the customer sees it */
    k.reason = "";
    REFUSED(w, crd_credit_issue(w->ledger, on(2), "c1", &k, NULL), CRD_E_ARGUMENT);
    k = credit_terms(NULL, CRD_CREDIT_MEMO, 1);
    k.method = "check";
    REFUSED(w, crd_credit_issue(w->ledger, on(2), "c1", &k, NULL), CRD_E_ARGUMENT);
    FIELD(w, "terms.method");
    i = invoice_terms(NULL, 1);
    i.flags = 0x40u;
    REFUSED(w, crd_invoice_enter(w->ledger, on(2), "c1", &i, NULL), CRD_E_ARGUMENT);
    FIELD(w, "terms.flags");
    i = invoice_terms(NULL, 1);
    i.due = -5;
    REFUSED(w, crd_invoice_enter(w->ledger, on(2), "c1", &i, NULL), CRD_E_ARGUMENT);
    FIELD(w, "terms.due");
    k = credit_terms(NULL, CRD_CREDIT_MEMO, 1);
    r = *on(2);
    r.flags = 2;
    REFUSED(w, crd_credit_issue(w->ledger, &r, "c1", &k, NULL), CRD_E_ARGUMENT);
    FIELD(w, "request.flags");
    r = *on(2);
    r.reserved = 1;
    REFUSED(w, crd_credit_issue(w->ledger, &r, "c1", &k, NULL), CRD_E_ARGUMENT);
    r = *on(2);
    r.business_date = -1;
    REFUSED(w, crd_credit_issue(w->ledger, &r, "c1", &k, NULL), CRD_E_ARGUMENT);
    FIELD(w, "request.business_date");
    r = *on(2);
    r.business_date = 0;
    r.instant = INT64_MAX;
    REFUSED(w, crd_credit_issue(w->ledger, &r, "c1", &k, NULL), CRD_E_ARGUMENT);
    FIELD(w, "request.instant");
    r.instant = -1;
    REFUSED(w, crd_credit_issue(w->ledger, &r, "c1", &k, NULL), CRD_E_ARGUMENT);
    world_close(w);
}
END_TEST

START_TEST(M16_null_where_something_must_be_given) {
    world *w = world_open(_i);
    scene s;
    crd_credit_terms k = credit_terms(NULL, CRD_CREDIT_MEMO, 1);
    crd_invoice_terms i = invoice_terms(NULL, 1);
    crd_request r = *on(2);
    crd_result done = result_block();
    crd_plan *plan = NULL;
    crd_plan_spec spec = plan_spec(0, 2);
    crd_report *report = NULL;
    scene_fill(w);
    s = scene_open(w->ledger);
    r.actor = NULL;
    REFUSED(w, crd_credit_issue(w->ledger, NULL, "c1", &k, NULL), CRD_E_ARGUMENT);
    FIELD(w, "request");
    REFUSED(w, crd_credit_issue(w->ledger, &r, "c1", &k, NULL), CRD_E_ARGUMENT);
    FIELD(w, "request.actor");
    REFUSED(w, crd_credit_issue(w->ledger, on(2), NULL, &k, NULL), CRD_E_ARGUMENT);
    FIELD(w, "customer");
    REFUSED(w, crd_credit_issue(w->ledger, on(2), "c1", NULL, NULL), CRD_E_ARGUMENT);
    FIELD(w, "terms");
    k.currency = NULL;
    REFUSED(w, crd_credit_issue(w->ledger, on(2), "c1", &k, NULL), CRD_E_ARGUMENT);
    FIELD(w, "currency");
    REFUSED(w, crd_invoice_enter(w->ledger, NULL, "c1", &i, NULL), CRD_E_ARGUMENT);
    REFUSED(w, crd_invoice_enter(w->ledger, on(2), NULL, &i, NULL), CRD_E_ARGUMENT);
    REFUSED(w, crd_invoice_enter(w->ledger, on(2), "c1", NULL, NULL), CRD_E_ARGUMENT);
    REFUSED(w, crd_customer_add(w->ledger, on(2), NULL, NULL, NULL), CRD_E_ARGUMENT);
    REFUSED(w, try_apply(w->ledger, NULL, s.i, 1, 0, on(2), &done), CRD_E_ARGUMENT);
    FIELD(w, "credit");
    REFUSED(w, crd_credit_apply(w->ledger, on(2), s.k, s.i, NULL, &done), CRD_E_ARGUMENT);
    FIELD(w, "terms");
    REFUSED(w, crd_credit_apply(w->ledger, NULL, s.k, s.i, NULL, &done), CRD_E_ARGUMENT);
    REFUSED(w, crd_credit_void(w->ledger, on(2), NULL, 0, 0, NULL), CRD_E_ARGUMENT);
    REFUSED(w, crd_invoice_send(w->ledger, on(2), NULL, 0, NULL), CRD_E_ARGUMENT);
    REFUSED(w, crd_invoice_void(w->ledger, on(2), NULL, 0, NULL), CRD_E_ARGUMENT);
    REFUSED(w, crd_undo(w->ledger, on(2), NULL, "EUR", 1, 0, NULL), CRD_E_ARGUMENT);
    REFUSED(w, crd_undo(w->ledger, on(2), "c1", NULL, 1, 0, NULL), CRD_E_ARGUMENT);
    REFUSED(w, crd_plan_open(w->ledger, NULL, &plan), CRD_E_ARGUMENT);
    REFUSED(w, crd_plan_open(w->ledger, &spec, NULL), CRD_E_ARGUMENT);
    REFUSED(w, crd_reconcile(w->ledger, NULL, &spec, NULL), CRD_E_ARGUMENT);
    REFUSED(w, crd_reconcile(w->ledger, on(2), NULL, NULL), CRD_E_ARGUMENT);
    REFUSED(w, crd_report_open(w->ledger, NULL, &report), CRD_E_ARGUMENT);
    REFUSED(w, crd_ledger_configure(w->ledger, NULL), CRD_E_ARGUMENT);
    REFUSED(w, crd_credit_find(w->ledger, "c1", "K", NULL), CRD_E_ARGUMENT);
    REFUSED(w, crd_customer_find(w->ledger, "c1", NULL), CRD_E_ARGUMENT);
    /* no ledger at all */
    ck_assert_int_eq(try_apply(NULL, s.k, s.i, 1, 0, on(2), &done), CRD_E_ARGUMENT);
    ck_assert_int_eq(crd_credit_issue(NULL, on(2), "c1", &k, NULL), CRD_E_ARGUMENT);
    ck_assert_int_eq(crd_ledger_verify(NULL, NULL, NULL), CRD_E_ARGUMENT);
    ck_assert_int_eq(crd_unit_begin(NULL), CRD_E_ARGUMENT);
    ck_assert_int_eq(crd_plan_next(NULL, NULL), CRD_E_ARGUMENT);
    ck_assert_int_eq(crd_plan_commit(NULL, on(2), NULL), CRD_E_ARGUMENT);
    ck_assert_int_eq(crd_report_next(NULL, NULL), CRD_E_ARGUMENT);
    ck_assert_int_eq(crd_credit_refresh(NULL), CRD_E_ARGUMENT);
    ck_assert_ptr_nonnull(crd_ledger_error(NULL));
    ck_assert_int_eq(crd_ledger_error(NULL)->code, CRD_E_ARGUMENT);
    ck_assert_ptr_null(crd_credit_get(NULL));
    /* closing nothing */
    crd_credit_free(NULL);
    crd_invoice_free(NULL);
    crd_receipt_free(NULL);
    crd_customer_free(NULL);
    crd_plan_close(NULL);
    crd_report_close(NULL);
    crd_ledger_close(NULL);
    crd_memory_free(NULL);
    scene_close(&s);
    world_close(w);
}
END_TEST

START_TEST(M16_nothing_a_caller_leaves_out_of_a_later_command_hurts) {
    static const crd_bulk_row *const nothing[] = {NULL};
    world *w = world_open(_i);
    scene s;
    scene_fill(w);
    s = scene_open(w->ledger);
    w->careless = 1; /* the book is compared after each call */
    REFUSED(w, crd_credit_refund(w->ledger, on(2), NULL, NULL, NULL), CRD_E_ARGUMENT);
    REFUSED(w, crd_credit_refund(w->ledger, on(2), s.k, NULL, NULL), CRD_E_ARGUMENT);
    REFUSED(w, crd_credit_adjust(w->ledger, on(2), NULL, "EUR", NULL, NULL), CRD_E_ARGUMENT);
    REFUSED(w, crd_credit_adjust(w->ledger, on(2), "c1", NULL, NULL, NULL), CRD_E_ARGUMENT);
    REFUSED(w, crd_credit_adjust(w->ledger, on(2), "c1", "EUR", NULL, NULL), CRD_E_ARGUMENT);
    REFUSED(w, crd_credit_transfer(w->ledger, on(2), NULL, NULL, NULL, NULL), CRD_E_ARGUMENT);
    REFUSED(w, crd_credit_transfer(w->ledger, on(2), s.k, NULL, NULL, NULL), CRD_E_ARGUMENT);
    REFUSED(w, crd_credit_delete(w->ledger, on(2), NULL, 0, NULL), CRD_E_ARGUMENT);
    REFUSED(w, crd_credit_delete(w->ledger, on(2), s.k, 0x80u, NULL), CRD_E_ARGUMENT);
    REFUSED(w, crd_credit_issue_many(w->ledger, on(2), NULL, 1, 0, NULL, NULL), CRD_E_ARGUMENT);
    REFUSED(w, crd_credit_issue_many(w->ledger, on(2), nothing, 1, 0, NULL, NULL), CRD_E_ARGUMENT);
    REFUSED(w, crd_application_change(w->ledger, on(2), NULL, "EUR", 1, 1, NULL), CRD_E_ARGUMENT);
    REFUSED(w, crd_application_change(w->ledger, on(2), "c1", NULL, 1, 1, NULL), CRD_E_ARGUMENT);
    REFUSED(w, crd_application_change(w->ledger, on(2), "c1", "EUR", 0, 1, NULL), CRD_E_ARGUMENT);
    REFUSED(w, crd_application_change(w->ledger, on(2), "c1", "EUR", 8, INT64_MIN, NULL), CRD_E_ARGUMENT);
    REFUSED(w, crd_credit_hold(w->ledger, on(2), NULL, NULL, NULL, NULL), CRD_E_ARGUMENT);
    REFUSED(w, crd_credit_hold(w->ledger, on(2), s.k, NULL, NULL, NULL), CRD_E_ARGUMENT);
    REFUSED(w, crd_hold_capture(w->ledger, on(2), NULL, NULL, NULL, NULL), CRD_E_ARGUMENT);
    REFUSED(w, crd_hold_release(w->ledger, on(2), NULL, 0, NULL), CRD_E_ARGUMENT);
    REFUSED(w, crd_hold_release(w->ledger, on(2), s.held, INT64_MAX, NULL), CRD_E_ARGUMENT);
    REFUSED(w, crd_invoice_revise(w->ledger, on(2), NULL, NULL, NULL), CRD_E_ARGUMENT);
    REFUSED(w, crd_invoice_revise(w->ledger, on(2), s.i, NULL, NULL), CRD_E_ARGUMENT);
    REFUSED(w, crd_invoice_reverse(w->ledger, on(2), NULL, NULL, NULL), CRD_E_ARGUMENT);
    REFUSED(w, crd_invoice_write_off(w->ledger, on(2), NULL, 0, 0, NULL), CRD_E_ARGUMENT);
    REFUSED(w, crd_invoice_write_off(w->ledger, on(2), s.i, INT64_MIN, 0, NULL), CRD_E_ARGUMENT);
    REFUSED(w, crd_invoice_write_off(w->ledger, on(2), s.i, 1, 999, NULL), CRD_E_ARGUMENT);
    REFUSED(w, crd_receipt_enter(w->ledger, on(2), NULL, NULL, NULL, NULL), CRD_E_ARGUMENT);
    REFUSED(w, crd_receipt_enter(w->ledger, on(2), "c1", NULL, NULL, NULL), CRD_E_ARGUMENT);
    REFUSED(w, crd_receipt_reverse(w->ledger, on(2), NULL, NULL, NULL), CRD_E_ARGUMENT);
    REFUSED(w, crd_customer_change(w->ledger, on(2), NULL, NULL, NULL), CRD_E_ARGUMENT);
    REFUSED(w, crd_customer_change(w->ledger, on(2), s.c, NULL, NULL), CRD_E_ARGUMENT);
    REFUSED(w, crd_acknowledge(w->ledger, NULL, "EUR", 1), CRD_E_ARGUMENT);
    REFUSED(w, crd_acknowledge(w->ledger, "c1", NULL, 1), CRD_E_ARGUMENT);
    REFUSED(w, crd_acknowledge(w->ledger, "c1", "EUR", -1), CRD_E_ARGUMENT);
    REFUSED(w, crd_postings_open(w->ledger, NULL, NULL), CRD_E_ARGUMENT);
    REFUSED(w, crd_postings_export(w->ledger, NULL, 0, NULL, NULL), CRD_E_ARGUMENT);
    REFUSED(w, crd_postings_export(w->ledger, NULL, CRD_EXPORT_HLEDGER, NULL, NULL), CRD_E_ARGUMENT);
    /* no request */
    REFUSED(w, crd_credit_refund(w->ledger, NULL, s.k, NULL, NULL), CRD_E_ARGUMENT);
    REFUSED(w, crd_credit_transfer(w->ledger, NULL, s.k, NULL, NULL, NULL), CRD_E_ARGUMENT);
    REFUSED(w, crd_credit_delete(w->ledger, NULL, s.k, 0x80u, NULL), CRD_E_ARGUMENT);
    REFUSED(w, crd_credit_hold(w->ledger, NULL, s.k, NULL, NULL, NULL), CRD_E_ARGUMENT);
    REFUSED(w, crd_hold_release(w->ledger, NULL, s.held, INT64_MAX, NULL), CRD_E_ARGUMENT);
    REFUSED(w, crd_invoice_revise(w->ledger, NULL, s.i, NULL, NULL), CRD_E_ARGUMENT);
    REFUSED(w, crd_invoice_write_off(w->ledger, NULL, s.i, INT64_MIN, 0, NULL), CRD_E_ARGUMENT);
    REFUSED(w, crd_invoice_write_off(w->ledger, NULL, s.i, 1, 999, NULL), CRD_E_ARGUMENT);
    REFUSED(w, crd_customer_change(w->ledger, NULL, s.c, NULL, NULL), CRD_E_ARGUMENT);
    /* no ledger at all */
    ck_assert_int_eq(crd_credit_refund(NULL, on(2), NULL, NULL, NULL), CRD_E_ARGUMENT);
    ck_assert_int_eq(crd_credit_refund(NULL, on(2), s.k, NULL, NULL), CRD_E_ARGUMENT);
    ck_assert_int_eq(crd_credit_adjust(NULL, on(2), NULL, "EUR", NULL, NULL), CRD_E_ARGUMENT);
    ck_assert_int_eq(crd_credit_adjust(NULL, on(2), "c1", NULL, NULL, NULL), CRD_E_ARGUMENT);
    ck_assert_int_eq(crd_credit_adjust(NULL, on(2), "c1", "EUR", NULL, NULL), CRD_E_ARGUMENT);
    ck_assert_int_eq(crd_credit_transfer(NULL, on(2), NULL, NULL, NULL, NULL), CRD_E_ARGUMENT);
    ck_assert_int_eq(crd_credit_transfer(NULL, on(2), s.k, NULL, NULL, NULL), CRD_E_ARGUMENT);
    ck_assert_int_eq(crd_credit_delete(NULL, on(2), NULL, 0, NULL), CRD_E_ARGUMENT);
    ck_assert_int_eq(crd_credit_delete(NULL, on(2), s.k, 0x80u, NULL), CRD_E_ARGUMENT);
    ck_assert_int_eq(crd_credit_issue_many(NULL, on(2), NULL, 1, 0, NULL, NULL), CRD_E_ARGUMENT);
    ck_assert_int_eq(crd_credit_issue_many(NULL, on(2), nothing, 1, 0, NULL, NULL), CRD_E_ARGUMENT);
    ck_assert_int_eq(crd_application_change(NULL, on(2), NULL, "EUR", 1, 1, NULL), CRD_E_ARGUMENT);
    ck_assert_int_eq(crd_application_change(NULL, on(2), "c1", NULL, 1, 1, NULL), CRD_E_ARGUMENT);
    ck_assert_int_eq(crd_application_change(NULL, on(2), "c1", "EUR", 0, 1, NULL), CRD_E_ARGUMENT);
    ck_assert_int_eq(crd_application_change(NULL, on(2), "c1", "EUR", 8, INT64_MIN, NULL), CRD_E_ARGUMENT);
    ck_assert_int_eq(crd_credit_hold(NULL, on(2), NULL, NULL, NULL, NULL), CRD_E_ARGUMENT);
    ck_assert_int_eq(crd_credit_hold(NULL, on(2), s.k, NULL, NULL, NULL), CRD_E_ARGUMENT);
    ck_assert_int_eq(crd_hold_capture(NULL, on(2), NULL, NULL, NULL, NULL), CRD_E_ARGUMENT);
    ck_assert_int_eq(crd_hold_release(NULL, on(2), NULL, 0, NULL), CRD_E_ARGUMENT);
    ck_assert_int_eq(crd_hold_release(NULL, on(2), s.held, INT64_MAX, NULL), CRD_E_ARGUMENT);
    ck_assert_int_eq(crd_invoice_revise(NULL, on(2), NULL, NULL, NULL), CRD_E_ARGUMENT);
    ck_assert_int_eq(crd_invoice_revise(NULL, on(2), s.i, NULL, NULL), CRD_E_ARGUMENT);
    ck_assert_int_eq(crd_invoice_reverse(NULL, on(2), NULL, NULL, NULL), CRD_E_ARGUMENT);
    ck_assert_int_eq(crd_invoice_write_off(NULL, on(2), NULL, 0, 0, NULL), CRD_E_ARGUMENT);
    ck_assert_int_eq(crd_invoice_write_off(NULL, on(2), s.i, INT64_MIN, 0, NULL), CRD_E_ARGUMENT);
    ck_assert_int_eq(crd_invoice_write_off(NULL, on(2), s.i, 1, 999, NULL), CRD_E_ARGUMENT);
    ck_assert_int_eq(crd_receipt_enter(NULL, on(2), NULL, NULL, NULL, NULL), CRD_E_ARGUMENT);
    ck_assert_int_eq(crd_receipt_enter(NULL, on(2), "c1", NULL, NULL, NULL), CRD_E_ARGUMENT);
    ck_assert_int_eq(crd_receipt_reverse(NULL, on(2), NULL, NULL, NULL), CRD_E_ARGUMENT);
    ck_assert_int_eq(crd_customer_change(NULL, on(2), NULL, NULL, NULL), CRD_E_ARGUMENT);
    ck_assert_int_eq(crd_customer_change(NULL, on(2), s.c, NULL, NULL), CRD_E_ARGUMENT);
    ck_assert_int_eq(crd_acknowledge(NULL, NULL, "EUR", 1), CRD_E_ARGUMENT);
    ck_assert_int_eq(crd_acknowledge(NULL, "c1", NULL, 1), CRD_E_ARGUMENT);
    ck_assert_int_eq(crd_acknowledge(NULL, "c1", "EUR", -1), CRD_E_ARGUMENT);
    ck_assert_int_eq(crd_postings_open(NULL, NULL, NULL), CRD_E_ARGUMENT);
    ck_assert_int_eq(crd_postings_export(NULL, NULL, 0, NULL, NULL), CRD_E_ARGUMENT);
    ck_assert_int_eq(crd_postings_export(NULL, NULL, CRD_EXPORT_HLEDGER, NULL, NULL), CRD_E_ARGUMENT);
    ck_assert_int_eq(crd_sweep(NULL, on(2), NULL, NULL), CRD_E_ARGUMENT);
    REFUSED(w, crd_sweep(w->ledger, NULL, NULL, NULL), CRD_E_ARGUMENT);
    ck_assert_int_eq(crd_postings_next(NULL, NULL), CRD_E_ARGUMENT);
    ck_assert_int_eq(crd_hold_refresh(NULL), CRD_E_ARGUMENT);
    ck_assert_int_eq(crd_customer_refresh(NULL), CRD_E_ARGUMENT);
    crd_hold_free(NULL);
    crd_postings_close(NULL);
    scene_close(&s);
    world_close(w);
}
END_TEST

START_TEST(M16_struct_sizes_are_looked_at) {
    world *w = world_open(_i);
    scene s;
    struct {
        crd_apply_terms t;
        uint32_t newer;
        uint32_t more;
    } future;
    struct {
        crd_result r;
        unsigned char canary[16];
    } small;
    crd_credit_terms k = credit_terms(NULL, CRD_CREDIT_MEMO, 1);
    crd_request r = *on(2);
    scene_fill(w);
    s = scene_open(w->ledger);
    k.struct_size = 0;
    REFUSED(w, crd_credit_issue(w->ledger, on(2), "c1", &k, NULL), CRD_E_ARGUMENT);
    FIELD(w, "terms");
    k.struct_size = sizeof k - 1;
    REFUSED(w, crd_credit_issue(w->ledger, on(2), "c1", &k, NULL), CRD_E_ARGUMENT);
    r.struct_size = 4;
    k.struct_size = sizeof k;
    REFUSED(w, crd_credit_issue(w->ledger, &r, "c1", &k, NULL), CRD_E_ARGUMENT);
    FIELD(w, "request");
    /* a host compiled later: the unknown tail must be zero */
    memset(&future, 0, sizeof future);
    future.t.struct_size = sizeof future;
    future.t.amount = 5;
    future.newer = 1;
    REFUSED(w, crd_credit_apply(w->ledger, on(2), s.k, s.i, &future.t, NULL), CRD_E_ARGUMENT);
    FIELD(w, "terms");
    future.newer = 0;
    OK(w, crd_credit_apply(w->ledger, on(2), s.k, s.i, &future.t, NULL));
    /* never past a host's own struct_size */
    memset(&small, 0xa5, sizeof small);
    small.r.struct_size = 16;
    OK(w, crd_credit_apply(w->ledger, on(2), s.k, s.i, &future.t, &small.r));
    ck_assert_uint_eq(small.r.struct_size, 16);
    ck_assert_int_gt(small.r.first_seq, 0);
    for (size_t n = 16; n < sizeof small; n++) ck_assert_uint_eq(((unsigned char *)&small)[n], 0xa5);
    world_check(w);
    scene_close(&s);
    world_close(w);
}
END_TEST

START_TEST(M16_handles_of_another_ledger_are_refused) {
    world *w = world_open(_i);
    scene s, t;
    crd_ledger *rival;
    scene_fill(w);
    rival = world_rival(w);
    s = scene_open(w->ledger);
    t = scene_open(rival);
    REFUSED(w, try_apply(w->ledger, t.k, s.i, 1, 0, on(2), NULL), CRD_E_ARGUMENT);
    FIELD(w, "credit");
    REFUSED(w, try_apply(w->ledger, s.k, t.i, 1, 0, on(2), NULL), CRD_E_ARGUMENT);
    FIELD(w, "invoice");
    REFUSED(w, crd_credit_void(w->ledger, on(2), t.k, 0, 0, NULL), CRD_E_ARGUMENT);
    FIELD(w, "credit");
    REFUSED(w, crd_invoice_void(w->ledger, on(2), t.i, 0, NULL), CRD_E_ARGUMENT);
    FIELD(w, "invoice");
    REFUSED(w, crd_invoice_send(w->ledger, on(2), t.draft, 0, NULL), CRD_E_ARGUMENT);
    FIELD(w, "invoice");
    scene_close(&s);
    scene_close(&t);
    world_close(w);
}
END_TEST

START_TEST(M16_what_is_not_there_is_not_found) {
    world *w = world_open(_i);
    crd_credit *k = NULL;
    crd_invoice *i = NULL;
    crd_receipt *r = NULL;
    crd_customer *c = NULL;
    scene_fill(w);
    REFUSED(w, crd_credit_find(w->ledger, "c1", "I", &k), CRD_E_NOT_FOUND); /* it is an invoice */
    SUBJECT(w, CRD_KIND_CREDIT, "I");
    ck_assert_str_eq(crd_ledger_error(w->ledger)->customer, "c1");
    REFUSED(w, crd_credit_find(w->ledger, "c2", "K", &k), CRD_E_NOT_FOUND);
    REFUSED(w, crd_invoice_find(w->ledger, "c1", "K", &i), CRD_E_NOT_FOUND);
    REFUSED(w, crd_receipt_find(w->ledger, "c1", "K", &r), CRD_E_NOT_FOUND);
    REFUSED(w, crd_customer_find(w->ledger, "c7", &c), CRD_E_NOT_FOUND);
    SUBJECT(w, CRD_KIND_CUSTOMER, "c7");
    ck_assert(k == NULL && i == NULL && r == NULL && c == NULL);
    world_close(w);
}
END_TEST

START_TEST(M16_bad_settings_leave_the_old_ones) {
    world *w = world_open(_i);
    crd_settings s;
    scene_fill(w);
    memset(&s, 0, sizeof s);
    s.struct_size = sizeof s;
    s.closed_through = DAY(5);
    OK(w, crd_ledger_configure(w->ledger, &s));
    s.feature_off = 2;
    ENDS(w->ledger, crd_ledger_configure(w->ledger, &s), CRD_E_ARGUMENT);
    FIELD(w, "settings.feature_off");
    s.feature_off = 0;
    s.utc_offset_minutes = 1441;
    ENDS(w->ledger, crd_ledger_configure(w->ledger, &s), CRD_E_ARGUMENT);
    FIELD(w, "settings.utc_offset_minutes");
    s.utc_offset_minutes = 0;
    s.closed_through = -1;
    ENDS(w->ledger, crd_ledger_configure(w->ledger, &s), CRD_E_ARGUMENT);
    FIELD(w, "settings.closed_through");
    s.closed_through = 0;
    s.credit_order[0] = 99;
    ENDS(w->ledger, crd_ledger_configure(w->ledger, &s), CRD_E_ARGUMENT);
    FIELD(w, "settings.credit_order");
    s.credit_order[0] = CRD_ORDER_DATE;
    s.invoice_order[0] = 99;
    ENDS(w->ledger, crd_ledger_configure(w->ledger, &s), CRD_E_ARGUMENT);
    FIELD(w, "settings.invoice_order");
    {
        crd_credit_terms k = credit_terms(NULL, CRD_CREDIT_MEMO, 1);
        REFUSED(w, crd_credit_issue(w->ledger, on(5), "c1", &k, NULL), CRD_E_CLOSED);
        FIGURES(w, DAY(5), DAY(5));
    }
    world_close(w);
}
END_TEST

static uint64_t CRD_CALL no_writer(void *ctx) {
    (void)ctx;
    return 0;
}

START_TEST(M16_a_ledger_is_not_opened_on_an_incomplete_table) {
    world *w = world_open(_i);
    crd_ledger_options options;
    crd_storage table = *world_storage(w);
    crd_ledger *ledger = NULL;
    crd_allocator half;
    memset(&options, 0, sizeof options);
    ck_assert_int_eq(crd_ledger_open(NULL, &ledger), CRD_E_ARGUMENT);
    ck_assert_int_eq(crd_ledger_open(&options, &ledger), CRD_E_ARGUMENT);
    options.struct_size = sizeof options;
    ck_assert_int_eq(crd_ledger_open(&options, &ledger), CRD_E_ARGUMENT); /* no storage */
    options.storage = &table;
    ck_assert_int_eq(crd_ledger_open(&options, NULL), CRD_E_ARGUMENT);
    table.read = NULL;
    ck_assert_int_eq(crd_ledger_open(&options, &ledger), CRD_E_ARGUMENT);
    table = *world_storage(w);
    table.write = NULL;
    ck_assert_int_eq(crd_ledger_open(&options, &ledger), CRD_E_ARGUMENT);
    table = *world_storage(w);
    table.struct_size = 8;
    ck_assert_int_eq(crd_ledger_open(&options, &ledger), CRD_E_ARGUMENT);
    table = *world_storage(w);
    table.new_writer = no_writer;
    ck_assert_int_eq(crd_ledger_open(&options, &ledger), CRD_E_STORAGE);
    table.new_writer = NULL;
    ck_assert_int_eq(crd_ledger_open(&options, &ledger), CRD_E_ARGUMENT); /* and no writer id */
    options.writer = 7;
    memset(&half, 0, sizeof half);
    half.struct_size = sizeof half;
    options.allocator = &half;
    ck_assert_int_eq(crd_ledger_open(&options, &ledger), CRD_E_ARGUMENT);
    options.allocator = NULL;
    options.flags = 0x80u;
    ck_assert_int_eq(crd_ledger_open(&options, &ledger), CRD_E_ARGUMENT);
    options.flags = 0;
    ck_assert_ptr_null(ledger);
    ck_assert_int_eq(crd_ledger_open(&options, &ledger), CRD_OK);
    /* without a clock, every request carries its instant */
    {
        crd_request r = *on(0);
        ENDS(ledger, crd_customer_add(ledger, &r, "c1", NULL, NULL), CRD_E_ARGUMENT);
        ck_assert_str_eq(crd_ledger_error(ledger)->field, "request.instant");
        r.instant = INT64_C(1700000000000000);
        ENDS(ledger, crd_customer_add(ledger, &r, "c1", NULL, NULL), CRD_OK);
    }
    crd_ledger_close(ledger);
    world_close(w);
}
END_TEST

START_TEST(M16_plans_and_reports_refuse_what_they_do_not_know) {
    world *w = world_open(_i);
    crd_plan_spec spec = plan_spec(0x100u, 2);
    crd_plan *plan = NULL;
    crd_report_spec rs;
    crd_report *report = NULL;
    crd_key key;
    const crd_key *keys[1];
    static const char *const nobody[] = {""};
    scene_fill(w);
    REFUSED(w, crd_plan_open(w->ledger, &spec, &plan), CRD_E_ARGUMENT);
    FIELD(w, "spec.flags");
    spec = plan_spec(0, 2);
    spec.customer_count = 1;
    REFUSED(w, crd_plan_open(w->ledger, &spec, &plan), CRD_E_ARGUMENT);
    FIELD(w, "spec.customers");
    spec.customers = nobody;
    REFUSED(w, crd_plan_open(w->ledger, &spec, &plan), CRD_E_ARGUMENT);
    spec = plan_spec(0, 2);
    spec.item_count = 1;
    REFUSED(w, crd_plan_open(w->ledger, &spec, &plan), CRD_E_ARGUMENT);
    FIELD(w, "spec.items");
    memset(&key, 0, sizeof key);
    key.struct_size = sizeof key;
    key.kind = CRD_KIND_RECEIPT;
    key.customer = "c1";
    key.id = "x";
    keys[0] = &key;
    spec.items = keys;
    REFUSED(w, crd_plan_open(w->ledger, &spec, &plan), CRD_E_ARGUMENT);
    FIELD(w, "spec.items");
    spec = plan_spec(0, 2);
    spec.currency = "eur";
    REFUSED(w, crd_plan_open(w->ledger, &spec, &plan), CRD_E_CURRENCY);
    spec = plan_spec(0, 2);
    spec.date = -4;
    REFUSED(w, crd_plan_open(w->ledger, &spec, &plan), CRD_E_ARGUMENT);
    ck_assert_ptr_null(plan);
    memset(&rs, 0, sizeof rs);
    rs.struct_size = sizeof rs;
    REFUSED(w, crd_report_open(w->ledger, &rs, &report), CRD_E_ARGUMENT);
    FIELD(w, "spec.report");
    rs.report = 99;
    REFUSED(w, crd_report_open(w->ledger, &rs, &report), CRD_E_ARGUMENT);
    rs.report = CRD_REPORT_HISTORY;
    REFUSED(w, crd_report_open(w->ledger, &rs, &report), CRD_E_ARGUMENT);
    FIELD(w, "spec.customer");
    rs.customer = "c1";
    REFUSED(w, crd_report_open(w->ledger, &rs, &report), CRD_E_ARGUMENT);
    FIELD(w, "spec.currency");
    rs.kind = CRD_KIND_CREDIT;
    REFUSED(w, crd_report_open(w->ledger, &rs, &report), CRD_E_ARGUMENT);
    FIELD(w, "spec.id");
    rs.id = "nothing";
    REFUSED(w, crd_report_open(w->ledger, &rs, &report), CRD_E_NOT_FOUND);
    SUBJECT(w, CRD_KIND_CREDIT, "nothing");
    ck_assert_ptr_null(report);
    /* posting takes the date of the plan */
    spec = plan_spec(0, 2);
    REFUSED(w, crd_reconcile(w->ledger, on(3), &spec, NULL), CRD_E_ARGUMENT);
    FIELD(w, "request.business_date");
    world_close(w);
}
END_TEST

START_TEST(R32_every_status_has_a_name_a_sentence_and_an_answer_to_retry) {
    static const crd_status transient[] = {CRD_E_NOMEM,   CRD_E_BUSY,    CRD_E_CONFLICT,
                                           CRD_E_UNKNOWN, CRD_E_STORAGE, CRD_E_RESTART};
    for (crd_status s = 0; s >= -36; s--) {
        int expected = 0;
        if (s < -28 && s > -30) {
            ck_assert_str_eq(crd_status_name(s), "CRD_E_?");
            continue;
        }
        ck_assert_str_ne(crd_status_name(s), "CRD_E_?");
        ck_assert_str_ne(crd_status_text(s), "");
        for (size_t n = 0; n < sizeof transient / sizeof transient[0]; n++) expected |= transient[n] == s;
        ck_assert_int_eq(crd_status_is_transient(s), expected);
    }
    ck_assert_str_eq(crd_status_name(-999), "CRD_E_?");
    ck_assert_str_eq(crd_status_name(1), "CRD_E_?");
    ck_assert_str_eq(crd_status_name(CRD_E_CONFLICT), "CRD_E_CONFLICT");
}
END_TEST

static Suite *make(void) {
    Suite *s = suite_create("arguments");
    TCase *t = tcase_create("arguments");
    tcase_add_loop_test(t, M16_ids_that_are_none_are_refused, 0, STORES);
    tcase_add_loop_test(t, M16_texts_and_labels_are_bounded_and_utf8, 0, STORES);
    tcase_add_loop_test(t, M1_negative_zero_and_huge_amounts_are_refused, 0, STORES);
    tcase_add_loop_test(t, M16_unknown_kinds_flags_and_dates_are_refused, 0, STORES);
    tcase_add_loop_test(t, M16_null_where_something_must_be_given, 0, STORES);
    tcase_add_loop_test(t, M16_nothing_a_caller_leaves_out_of_a_later_command_hurts, 0, STORES);
    tcase_add_loop_test(t, M16_struct_sizes_are_looked_at, 0, STORES);
    tcase_add_loop_test(t, M16_handles_of_another_ledger_are_refused, 0, STORES);
    tcase_add_loop_test(t, M16_what_is_not_there_is_not_found, 0, STORES);
    tcase_add_loop_test(t, M16_bad_settings_leave_the_old_ones, 0, STORES);
    tcase_add_loop_test(t, M16_a_ledger_is_not_opened_on_an_incomplete_table, 0, STORES);
    tcase_add_loop_test(t, M16_plans_and_reports_refuse_what_they_do_not_know, 0, STORES);
    tcase_add_test(t, R32_every_status_has_a_name_a_sentence_and_an_answer_to_retry);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return world_main(make);
}
