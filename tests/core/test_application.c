/*
 * The decision on another amount for an application.
 */
#include "core/decide.h"

#include <check.h>
#include <string.h>

#define DAY(n) (20468 + (n))

START_TEST(R41_M3_the_decision_keeps_a_receipts_own_line_its_own) {
    crd_credit_record c;
    crd_invoice_record i;
    crd_receipt_record r;
    crd__reapply_command ask;
    crd__decision out;
    crd__refusal why;
    int64_t lower = 0;
    memset(&c, 0, sizeof c);
    memset(&i, 0, sizeof i);
    memset(&r, 0, sizeof r);
    memset(&ask, 0, sizeof ask);
    memset(&out, 0, sizeof out);
    c.id = i.id = r.id = "x";
    c.state = CRD_CREDIT_ACTIVE;
    c.credit_class = CRD_CLASS_CASH;
    c.original = 120;
    c.remaining = 30;
    c.applied = c.applied_by_receipt = 90;
    c.effective = c.last_date = DAY(0);
    i.state = CRD_INVOICE_OPEN;
    i.kind = CRD_INVOICE_INVOICE;
    i.total = 110;
    i.open = 20;
    i.applied = 90;
    r.state = CRD_RECEIPT_POSTED;
    r.last_date = DAY(5);
    ask.when.date = DAY(5);
    ask.when.direct = 1;
    ask.seq = 7;
    ask.left = 90;
    ask.amount = 100;
    ask.flags = CRD_ENTRY_BY_OWN_RECEIPT | CRD_ENTRY_POSTS_RECEIPT;
    ck_assert_int_eq(crd__decide_reapply(&c, &i, &r, &ask, &lower, &out, &why), CRD_OK);
    ck_assert_uint_eq(out.count, 1);
    ck_assert_uint_eq(out.moves[0].type, CRD_ENTRY_APPLY);
    ck_assert_uint_eq(out.moves[0].flags, CRD_ENTRY_BY_OWN_RECEIPT);
    ck_assert_int_eq(out.moves[0].amount, 10);
    ck_assert_int_eq(out.moves[0].undoes, 7);
    ck_assert_int_eq(lower, 0);
    ask.when.date = DAY(4); /* before the receipt's last entry */
    ck_assert_int_eq(crd__decide_reapply(&c, &i, &r, &ask, &lower, &out, &why), CRD_E_DATE);
    ck_assert_int_eq(why.limit, DAY(5));
    ask.when.date = DAY(5);
    r.state = CRD_RECEIPT_REVERSED;
    ck_assert_int_eq(crd__decide_reapply(&c, &i, &r, &ask, &lower, &out, &why), CRD_E_STATE);
    ck_assert_uint_eq(why.subject_kind, CRD_KIND_RECEIPT);
    ask.amount = 80; /* lowering is decided by unapply */
    ck_assert_int_eq(crd__decide_reapply(&c, &i, &r, &ask, &lower, &out, &why), CRD_OK);
    ck_assert_int_eq(lower, 10);
}
END_TEST

int main(void) {
    Suite *s = suite_create("application");
    TCase *t = tcase_create("application");
    SRunner *runner;
    int failed;
    tcase_add_test(t, R41_M3_the_decision_keeps_a_receipts_own_line_its_own);
    suite_add_tcase(s, t);
    runner = srunner_create(s);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
