/*
 * Void that releases what is held and allocated first.
 */
#include "support/world.h"

#include <string.h>

static crd_hold *hold(world *w, crd_credit *c, crd_invoice *draft, int64_t amount, int day) {
    crd_hold_terms t;
    crd_hold *h = NULL;
    memset(&t, 0, sizeof t);
    t.struct_size = sizeof t;
    t.amount = amount;
    OK(w, crd_credit_hold(w->ledger, on(day), c, draft, &t, &h));
    world_check(w);
    return h;
}

START_TEST(R28_M10_void_releases_holds_and_allocations_when_asked) {
    world *w = world_open(_i);
    crd_result r = result_block();
    crd_credit *k;
    crd_invoice *draft;
    crd_hold *h, *a;
    customer(w, "c1");
    k = memo(w, "c1", "K", 500, 0);
    draft = invoice_as(w, "c1", "D", CRD_INVOICE_INVOICE, 300, 0, 30, CRD_INVOICE_AS_DRAFT);
    h = hold(w, k, NULL, 200, 1);
    a = hold(w, k, draft, 300, 1);
    REFUSED(w, crd_credit_void(w->ledger, on(2), k, 0, 0, &r), CRD_E_IN_USE);
    FIGURES(w, 500, 0);
    OK(w, crd_credit_void(w->ledger, on(2), k, 0, CRD_VOID_RELEASE, &r));
    world_check(w);
    ck_assert_int_eq(r.amount, 500);
    ck_assert_int_eq(r.last_seq - r.first_seq, 2);
    ck_assert_int_eq(crd_credit_get(k)->voided, 500);
    ck_assert_int_eq(crd_credit_get(k)->held, 0);
    ck_assert_int_eq(stored_invoice(w, "c1", "D").allocated, 0);
    ck_assert_uint_eq(crd_hold_get(h)->state, CRD_HOLD_RELEASED);
    ck_assert_uint_eq(crd_hold_get(a)->state, CRD_HOLD_RELEASED);
    REFUSED(w, crd_credit_void(w->ledger, on(2), k, 0, CRD_VOID_RELEASE, &r), CRD_E_STATE);
    REFUSED(w, crd_credit_void(w->ledger, on(2), k, 0, 1, &r), CRD_E_ARGUMENT);
    FIELD(w, "flags");
    crd_hold_free(h);
    crd_hold_free(a);
    crd_credit_free(k);
    crd_invoice_free(draft);
    world_close(w);
}
END_TEST

/* What refuses the void comes before anything is released, with the figure there would be. */
START_TEST(R28_M16_a_refused_void_releases_nothing) {
    world *w = world_open(_i);
    crd_result r = result_block();
    crd_credit *k;
    crd_hold *h;
    customer(w, "c1");
    k = memo(w, "c1", "K", 500, 0);
    h = hold(w, k, NULL, 200, 4);
    REFUSED(w, crd_credit_void(w->ledger, on(5), k, 501, CRD_VOID_RELEASE, &r), CRD_E_CREDIT_AMOUNT);
    FIGURES(w, 500, 501);
    REFUSED(w, crd_credit_void(w->ledger, on(3), k, 1, CRD_VOID_RELEASE, &r), CRD_E_DATE);
    FIGURES(w, DAY(4), DAY(3));
    OK(w, crd_credit_void(w->ledger, on(4), k, 450, CRD_VOID_RELEASE, &r));
    world_check(w);
    ck_assert_int_eq(crd_credit_get(k)->remaining, 50);
    ck_assert_int_eq(crd_credit_get(k)->held, 0);
    crd_hold_free(h);
    crd_credit_free(k);
    world_close(w);
}
END_TEST

static Suite *make(void) {
    Suite *s = suite_create("void");
    TCase *t = tcase_create("void");
    tcase_add_loop_test(t, R28_M10_void_releases_holds_and_allocations_when_asked, 0, STORES);
    tcase_add_loop_test(t, R28_M16_a_refused_void_releases_nothing, 0, STORES);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return world_main(make);
}
