/*
 * Credits: issue, void, state, history, lists; receiving money; balances as credit sees them.
 */
#include "support/world.h"

#include <string.h>

START_TEST(R22_issued_credit_is_stored_with_everything_it_was_given) {
    world *w = world_open(_i);
    crd_credit_terms t = credit_terms("K1", CRD_CREDIT_GOODWILL, 5000);
    crd_credit *k = NULL;
    book *b;
    const crd_credit_record *c;
    const crd_entry_record *e;
    customer(w, "c1");
    t.expires = DAY(30);
    t.effective = DAY(2);
    t.priority = -3;
    t.pays_kinds = 1u << CRD_INVOICE_INVOICE | 1u << CRD_INVOICE_FEE;
    t.flags = CRD_FLAG_NON_REFUNDABLE;
    t.tax = 700;
    t.prefers = "I9";
    t.origin = "S-17";
    t.source = "apology";
    t.notes = "do not tell";
    t.reference = "ticket 4711";
    OK(w, crd_credit_issue(w->ledger, on(0), "c1", &t, &k));
    world_check(w);
    b = world_book(w);
    c = book_credit(b, "c1", "K1");
    ck_assert_ptr_nonnull(c);
    ck_assert_uint_eq(c->credit_class, CRD_CLASS_PROMISE);
    ck_assert_uint_eq(c->kind, CRD_CREDIT_GOODWILL);
    ck_assert_uint_eq(c->state, CRD_CREDIT_ACTIVE);
    ck_assert_uint_eq(c->cause, CRD_CAUSE_NONE);
    ck_assert_int_eq(c->original, 5000);
    ck_assert_int_eq(c->remaining, 5000);
    ck_assert_int_eq(c->tax, 700);
    ck_assert_int_eq(c->issued, DAY(0));
    ck_assert_int_eq(c->effective, DAY(2));
    ck_assert_int_eq(c->expires, DAY(30));
    ck_assert_int_eq(c->last_date, DAY(0));
    ck_assert_int_eq(c->priority, -3);
    ck_assert_uint_eq(c->pays_kinds, t.pays_kinds);
    ck_assert_uint_eq(c->flags, CRD_FLAG_NON_REFUNDABLE);
    ck_assert_str_eq(c->currency, "EUR");
    ck_assert_str_eq(c->prefers, "I9");
    ck_assert_str_eq(c->origin, "S-17");
    ck_assert_str_eq(c->source, "apology");
    ck_assert_str_eq(c->reason, "agreed by phone");
    ck_assert_str_eq(c->notes, "do not tell");
    ck_assert_str_eq(c->reference, "ticket 4711");
    ck_assert_str_eq(c->receipt, "");
    ck_assert_str_eq(c->method, "");
    ck_assert_int_eq(c->first_seq, 1);
    e = book_entry(b, "c1", "EUR", 1);
    ck_assert_uint_eq(e->type, CRD_ENTRY_ISSUE);
    ck_assert_int_eq(e->amount, 5000);
    ck_assert_int_eq(e->credit_after, 5000);
    ck_assert_str_eq(e->credit, "K1");
    ck_assert_str_eq(e->actor, "clerk");
    ck_assert_uint_gt(e->image_size, 0);
    /* the handle shows what is stored */
    ck_assert_int_eq(crd_credit_get(k)->remaining, 5000);
    ck_assert_str_eq(crd_credit_get(k)->source, "apology");
    book_free(b);
    crd_credit_free(k);
    world_close(w);
}
END_TEST

START_TEST(R22_source_is_named_by_the_kind_unless_told) {
    static const struct {
        uint32_t kind, credit_class;
        const char *source;
    } kinds[] = {
        {CRD_CREDIT_PAYMENT, CRD_CLASS_CASH, "prepayment"},
        {CRD_CREDIT_PREPAYMENT, CRD_CLASS_CASH, "prepayment"},
        {CRD_CREDIT_DEPOSIT, CRD_CLASS_CASH, "deposit"},
        {CRD_CREDIT_OVERPAYMENT, CRD_CLASS_CASH, "overpayment"},
        {CRD_CREDIT_UNAPPLIED_CASH, CRD_CLASS_CASH, "unapplied cash"},
        {CRD_CREDIT_MEMO, CRD_CLASS_MEMO, "credit memo"},
        {CRD_CREDIT_SERVICE, CRD_CLASS_MEMO, "service credit"},
        {CRD_CREDIT_ALLOWANCE, CRD_CLASS_MEMO, "allowance"},
        {CRD_CREDIT_REFUND_OWED, CRD_CLASS_MEMO, "refund"},
        {CRD_CREDIT_GOODWILL, CRD_CLASS_PROMISE, "goodwill"},
        {CRD_CREDIT_PROMOTIONAL, CRD_CLASS_PROMISE, "promotion"},
        {CRD_CREDIT_LOYALTY, CRD_CLASS_PROMISE, "loyalty"},
        {CRD_CREDIT_REFERRAL, CRD_CLASS_PROMISE, "referral"},
        {CRD_CREDIT_ADJUSTMENT, CRD_CLASS_ADJUSTMENT, "adjustment"},
    };
    world *w = world_open(_i);
    customer(w, "c1");
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        crd_credit *k = credit(w, "c1", NULL, kinds[i].kind, 100, 0);
        ck_assert_str_eq(crd_credit_get(k)->source, kinds[i].source);
        ck_assert_uint_eq(crd_credit_get(k)->credit_class, kinds[i].credit_class);
        ck_assert_int_eq(crd_credit_get(k)->id[0], '~');
        crd_credit_free(k);
    }
    world_close(w);
}
END_TEST

START_TEST(R22_derived_ids_say_currency_and_sequence) {
    world *w = world_open(_i);
    crd_credit *a, *b;
    crd_invoice *i;
    customer(w, "c1");
    a = memo(w, "c1", NULL, 100, 0);
    b = cash(w, "c1", NULL, 100, 0); /* its receipt takes a sequence first */
    i = invoice(w, "c1", NULL, 100, 0, 30);
    ck_assert_str_eq(crd_credit_get(a)->id, "~EUR1");
    ck_assert_str_eq(crd_credit_get(b)->receipt, "~EUR2");
    ck_assert_str_eq(crd_credit_get(b)->id, "~EUR3");
    ck_assert_str_eq(crd_invoice_get(i)->id, "~EUR4");
    crd_credit_free(a);
    crd_credit_free(b);
    crd_invoice_free(i);
    world_close(w);
}
END_TEST

START_TEST(R1_R12_M3_money_received_is_a_receipt_that_stays_as_credit) {
    world *w = world_open(_i);
    crd_credit_terms t = credit_terms("P1", CRD_CREDIT_PAYMENT, 12000);
    crd_credit *k = NULL;
    crd_receipt *r = NULL;
    book *b;
    const crd_receipt_record *stored;
    customer(w, "c1");
    t.reason = NULL; /* money received needs none */
    t.method = "check";
    t.payment_info = "no. 88123";
    t.receipt = "R1";
    OK(w, crd_credit_issue(w->ledger, on(0), "c1", &t, &k));
    world_check(w);
    b = world_book(w);
    stored = book_receipt(b, "c1", "R1");
    ck_assert_int_eq(stored->amount, 12000);
    ck_assert_int_eq(stored->applied, 0);
    ck_assert_str_eq(stored->method, "check");
    ck_assert_str_eq(stored->payment_info, "no. 88123");
    ck_assert_str_eq(stored->credit, "P1");
    ck_assert_uint_eq(stored->state, CRD_RECEIPT_POSTED);
    ck_assert_int_eq(stored->received, DAY(0));
    ck_assert_str_eq(book_credit(b, "c1", "P1")->receipt, "R1");
    ck_assert_int_eq(book_credit(b, "c1", "P1")->applied_by_receipt, 0);
    ck_assert_str_eq(book_credit(b, "c1", "P1")->method, "check");
    ck_assert_uint_eq(book_entry(b, "c1", "EUR", 1)->type, CRD_ENTRY_RECEIPT);
    ck_assert_uint_eq(book_entry(b, "c1", "EUR", 2)->type, CRD_ENTRY_ISSUE);
    ck_assert_int_eq(book_account(b, "c1", "EUR")->cash_remaining, 12000);
    book_free(b);
    OK(w, crd_receipt_find(w->ledger, "c1", "R1", &r));
    ck_assert_int_eq(crd_receipt_get(r)->amount, 12000);
    OK(w, crd_receipt_refresh(r));
    crd_receipt_free(r);
    crd_credit_free(k);
    /* the method is "cash" unless told */
    k = cash(w, "c1", "P2", 500, 0);
    ck_assert_str_eq(crd_credit_get(k)->method, "cash");
    crd_credit_free(k);
    world_close(w);
}
END_TEST

START_TEST(R26_credit_is_spent_when_nothing_remains_and_active_again_when_money_returns) {
    world *w = world_open(_i);
    crd_credit *k;
    crd_invoice *i;
    int64_t first, second;
    customer(w, "c1");
    k = memo(w, "c1", "K", 100, 0);
    i = invoice(w, "c1", "I", 100, 0, 30);
    first = apply(w, k, i, 40, 1);
    ck_assert_uint_eq(crd_credit_get(k)->state, CRD_CREDIT_ACTIVE);
    second = apply(w, k, i, 60, 1);
    ck_assert_uint_eq(crd_credit_get(k)->state, CRD_CREDIT_SPENT);
    ck_assert_uint_eq(crd_credit_get(k)->cause, CRD_CAUSE_APPLIED);
    ck_assert_uint_eq(stored_credit(w, "c1", "K").state, CRD_CREDIT_SPENT);
    ck_assert_uint_eq(stored_invoice(w, "c1", "I").state, CRD_INVOICE_PAID);
    ck_assert_int_eq(undo(w, "c1", second, 0, 2), 60);
    ck_assert_uint_eq(crd_credit_get(k)->state, CRD_CREDIT_ACTIVE);
    ck_assert_uint_eq(crd_credit_get(k)->cause, CRD_CAUSE_NONE);
    ck_assert_uint_eq(stored_invoice(w, "c1", "I").state, CRD_INVOICE_OPEN);
    ck_assert_int_eq(undo(w, "c1", first, 0, 2), 40);
    ck_assert_int_eq(crd_credit_get(k)->remaining, 100);
    crd_credit_free(k);
    crd_invoice_free(i);
    world_close(w);
}
END_TEST

START_TEST(R28_M10_void_takes_the_remainder_and_applications_stand) {
    world *w = world_open(_i);
    crd_credit *k;
    crd_invoice *i;
    crd_result r = result_block();
    customer(w, "c1");
    k = memo(w, "c1", "K", 1000, 0);
    i = invoice(w, "c1", "I", 300, 0, 30);
    apply(w, k, i, 300, 1);
    OK(w, crd_credit_void(w->ledger, on(1), k, 200, 0, &r));
    world_check(w);
    ck_assert_int_eq(r.amount, 200);
    ck_assert_int_eq(stored_credit(w, "c1", "K").remaining, 500);
    ck_assert_uint_eq(stored_credit(w, "c1", "K").state, CRD_CREDIT_ACTIVE);
    OK(w, crd_credit_void(w->ledger, on(1), k, 0, 0, &r));
    world_check(w);
    ck_assert_int_eq(r.amount, 500);
    ck_assert_int_eq(r.first_seq, r.last_seq);
    ck_assert_int_eq(stored_credit(w, "c1", "K").voided, 700);
    ck_assert_int_eq(stored_credit(w, "c1", "K").applied, 300);
    ck_assert_uint_eq(stored_credit(w, "c1", "K").state, CRD_CREDIT_VOIDED);
    ck_assert_uint_eq(stored_credit(w, "c1", "K").cause, CRD_CAUSE_VOIDED);
    ck_assert_int_eq(stored_invoice(w, "c1", "I").applied, 300);
    /* again */
    REFUSED(w, crd_credit_void(w->ledger, on(2), k, 0, 0, &r), CRD_E_STATE);
    SUBJECT(w, CRD_KIND_CREDIT, "K");
    FIGURES(w, 0, CRD_CREDIT_VOIDED);
    ck_assert_int_eq(r.amount, 0);
    crd_credit_free(k);
    crd_invoice_free(i);
    world_close(w);
}
END_TEST

START_TEST(R28_void_is_refused_with_figures) {
    world *w = world_open(_i);
    crd_credit *k, *spent, *goodwill;
    crd_invoice *i;
    crd_settings s;
    customer(w, "c1");
    k = memo(w, "c1", "K", 1000, 5);
    spent = memo(w, "c1", "S", 10, 5);
    goodwill = promise(w, "c1", "G", 10, 5, 8);
    i = invoice(w, "c1", "I", 10, 5, 30);
    apply(w, spent, i, 10, 5);
    REFUSED(w, crd_credit_void(w->ledger, on(5), k, 1001, 0, NULL), CRD_E_CREDIT_AMOUNT);
    FIGURES(w, 1000, 1001);
    SUBJECT(w, CRD_KIND_CREDIT, "K");
    ck_assert_str_eq(crd_ledger_error(w->ledger)->currency, "EUR");
    ck_assert_str_eq(crd_ledger_error(w->ledger)->customer, "c1");
    REFUSED(w, crd_credit_void(w->ledger, on(5), k, -1, 0, NULL), CRD_E_ARGUMENT);
    FIELD(w, "amount");
    REFUSED(w, crd_credit_void(w->ledger, on(5), spent, 0, 0, NULL), CRD_E_NOTHING);
    REFUSED(w, crd_credit_void(w->ledger, on(4), k, 1, 0, NULL), CRD_E_DATE);
    FIGURES(w, DAY(5), DAY(4));
    REFUSED(w, crd_credit_void(w->ledger, on(8), goodwill, 0, 0, NULL), CRD_E_EXPIRED);
    FIGURES(w, DAY(8), DAY(8));
    memset(&s, 0, sizeof s);
    s.struct_size = sizeof s;
    s.closed_through = DAY(6);
    OK(w, crd_ledger_configure(w->ledger, &s));
    REFUSED(w, crd_credit_void(w->ledger, on(6), k, 1, 0, NULL), CRD_E_CLOSED);
    FIGURES(w, DAY(6), DAY(6));
    /* closed period before date, date before amount: rule M16 */
    REFUSED(w, crd_credit_void(w->ledger, on(4), k, 9999, 0, NULL), CRD_E_CLOSED);
    void_credit(w, k, 1, 7);
    REFUSED(w, crd_credit_void(w->ledger, on(6), k, 9999, 0, NULL), CRD_E_CLOSED);
    crd_credit_free(k);
    crd_credit_free(spent);
    crd_credit_free(goodwill);
    crd_invoice_free(i);
    world_close(w);
}
END_TEST

START_TEST(R27_R9_history_of_a_credit_is_its_entries_with_actor_note_and_date) {
    world *w = world_open(_i);
    crd_request r = *on(3);
    crd_report_spec spec;
    crd_report *report = NULL;
    const crd_row *row = NULL;
    crd_credit *k, *other;
    crd_invoice *i;
    crd_apply_terms t;
    crd_result done = result_block();
    static const uint32_t types[] = {CRD_ENTRY_ISSUE, CRD_ENTRY_APPLY, CRD_ENTRY_UNAPPLY, CRD_ENTRY_VOID};
    customer(w, "c1");
    k = memo(w, "c1", "K", 100, 0);
    other = memo(w, "c1", "K2", 100, 0);
    i = invoice(w, "c1", "I", 100, 0, 30);
    r.actor = "maria";
    r.note = "für März";
    r.instant = INT64_C(1770000000000000);
    memset(&t, 0, sizeof t);
    t.struct_size = sizeof t;
    t.amount = 60;
    t.reference = "PO 9";
    OK(w, crd_credit_apply(w->ledger, &r, k, i, &t, &done));
    apply(w, other, i, 5, 3); /* not part of K's history */
    undo(w, "c1", done.first_seq, 10, 4);
    void_credit(w, k, 0, 5);
    memset(&spec, 0, sizeof spec);
    spec.struct_size = sizeof spec;
    spec.report = CRD_REPORT_HISTORY;
    spec.customer = "c1";
    spec.kind = CRD_KIND_CREDIT;
    spec.id = "K";
    OK(w, crd_report_open(w->ledger, &spec, &report));
    for (size_t n = 0; n < 4; n++) {
        OK(w, crd_report_next(report, &row));
        ck_assert_ptr_nonnull(row);
        ck_assert_uint_eq(row->entry->type, types[n]);
        ck_assert_str_eq(row->entry->credit, "K");
        if (n != 1) continue;
        ck_assert_str_eq(row->entry->actor, "maria");
        ck_assert_str_eq(row->entry->note, "für März");
        ck_assert_str_eq(row->entry->reference, "PO 9");
        ck_assert_str_eq(row->entry->invoice, "I");
        ck_assert_int_eq(row->entry->amount, 60);
        ck_assert_int_eq(row->entry->credit_after, 40);
        ck_assert_int_eq(row->entry->invoice_after, 40);
        ck_assert_int_eq(row->entry->business_date, DAY(3));
        ck_assert_int_eq(row->entry->instant, INT64_C(1770000000000000));
    }
    OK(w, crd_report_next(report, &row));
    ck_assert_ptr_null(row);
    crd_report_close(report);
    crd_credit_free(k);
    crd_credit_free(other);
    crd_invoice_free(i);
    world_close(w);
}
END_TEST

START_TEST(M6_an_instant_earlier_than_the_last_is_raised_to_it) {
    world *w = world_open(_i);
    crd_request late = *on(0), early = *on(0);
    crd_credit_terms t = credit_terms("A", CRD_CREDIT_MEMO, 1);
    book *b;
    customer(w, "c1");
    late.instant = INT64_C(1800000000000000);
    early.instant = INT64_C(1700000000000000);
    OK(w, crd_credit_issue(w->ledger, &late, "c1", &t, NULL));
    t.id = "B";
    OK(w, crd_credit_issue(w->ledger, &early, "c1", &t, NULL));
    world_check(w);
    b = world_book(w);
    ck_assert_int_eq(book_entry(b, "c1", "EUR", 2)->instant, INT64_C(1800000000000000));
    ck_assert_int_eq(book_account(b, "c1", "EUR")->last_instant, INT64_C(1800000000000000));
    book_free(b);
    world_close(w);
}
END_TEST

START_TEST(M6_business_date_is_the_day_of_the_instant_where_the_office_is) {
    crd_settings s;
    crd_request r = *on(0);
    crd_credit_terms t = credit_terms("A", CRD_CREDIT_MEMO, 1);
    world *w;
    memset(&s, 0, sizeof s);
    s.struct_size = sizeof s;
    s.utc_offset_minutes = 13 * 60; /* it is noon in Greenwich: the next day has begun */
    w = world_open_with(_i, NULL, &s, NULL);
    customer(w, "c1");
    r.business_date = 0;
    OK(w, crd_credit_issue(w->ledger, &r, "c1", &t, NULL));
    ck_assert_int_eq(stored_credit(w, "c1", "A").issued, DAY(1));
    world_close(w);
}
END_TEST

START_TEST(R4_R11_M7_available_counts_what_is_usable_on_the_date) {
    world *w = world_open(_i);
    crd_credit *now, *expiring, *later;
    crd_credit_terms t = credit_terms("L", CRD_CREDIT_PROMOTIONAL, 30);
    crd_invoice *i;
    crd_balance b;
    customer(w, "c1");
    now = cash(w, "c1", "N", 1000, 0);
    expiring = promise(w, "c1", "E", 200, 0, 10);
    t.effective = DAY(5);
    OK(w, crd_credit_issue(w->ledger, on(0), "c1", &t, &later));
    i = invoice(w, "c1", "I", 700, 0, 30);
    b = balance_of(w->ledger, "c1", "EUR", 0);
    ck_assert_int_eq(b.outstanding, 700);
    ck_assert_int_eq(b.credit, 1230);
    ck_assert_int_eq(b.balance, -530);
    ck_assert_int_eq(b.available, 1200);
    ck_assert_int_eq(b.unearned, 1000);
    ck_assert_int_eq(b.active_credits, 3);
    ck_assert_int_eq(b.issued, 1230);
    ck_assert_int_eq(b.date, DAY(0));
    b = balance_of(w->ledger, "c1", "EUR", 5);
    ck_assert_int_eq(b.available, 1230);
    b = balance_of(w->ledger, "c1", "EUR", 9);
    ck_assert_int_eq(b.available, 1230);
    b = balance_of(w->ledger, "c1", "EUR", 10); /* R35: the first day it is not usable any more */
    ck_assert_int_eq(b.available, 1030);
    ck_assert_int_eq(b.credit, 1030);
    ck_assert_int_eq(b.balance, -330);
    apply(w, now, i, 700, 6);
    b = balance_of(w->ledger, "c1", "EUR", 6);
    ck_assert_int_eq(b.outstanding, 0);
    ck_assert_int_eq(b.available, 530);
    ck_assert_int_eq(b.applied, 700);
    ck_assert_int_eq(b.balance, -530); /* applying never changes it */
    crd_credit_free(now);
    crd_credit_free(expiring);
    crd_credit_free(later);
    crd_invoice_free(i);
    world_close(w);
}
END_TEST

START_TEST(R4_M7_credit_is_not_available_before_its_first_day) {
    world *w = world_open(_i);
    crd_credit *k;
    customer(w, "c1");
    crd_credit_free(memo(w, "c1", "old", 10, 0));
    k = memo(w, "c1", "tomorrow", 100, 5);
    ck_assert_int_eq(balance_of(w->ledger, "c1", "EUR", 4).available, 10);
    ck_assert_int_eq(balance_of(w->ledger, "c1", "EUR", 5).available, 110);
    apply(w, k, NULL, 30, 6);
    ck_assert_int_eq(balance_of(w->ledger, "c1", "EUR", 4).available, 10);
    ck_assert_int_eq(balance_of(w->ledger, "c1", "EUR", 6).available, 80);
    crd_credit_free(k);
    world_close(w);
}
END_TEST

START_TEST(R4_balance_of_an_unused_account_is_zero_and_of_a_stranger_refused) {
    world *w = world_open(_i);
    crd_balance b;
    customer(w, "c1");
    b = balance_of(w->ledger, "c1", "JPY", 0);
    ck_assert_int_eq(b.balance, 0);
    ck_assert_int_eq(b.version, 0);
    memset(&b, 0, sizeof b);
    b.struct_size = sizeof b;
    ENDS(w->ledger, crd_customer_balance(w->ledger, "nobody", "EUR", DAY(0), &b), CRD_E_NOT_FOUND);
    SUBJECT(w, CRD_KIND_CUSTOMER, "nobody");
    ENDS(w->ledger, crd_customer_balance(w->ledger, "c1", "EURO", DAY(0), &b), CRD_E_CURRENCY);
    ENDS(w->ledger, crd_customer_balance(w->ledger, "c1", "EUR", DAY(0), NULL), CRD_E_ARGUMENT);
    world_close(w);
}
END_TEST

START_TEST(R34_credit_for_an_unknown_customer_is_refused) {
    world *w = world_open(_i);
    crd_credit_terms t = credit_terms("K", CRD_CREDIT_MEMO, 100);
    crd_invoice_terms i = invoice_terms("I", 100);
    crd_credit *k = (crd_credit *)(void *)&t;
    crd_invoice *out = (crd_invoice *)(void *)&t;
    REFUSED(w, crd_credit_issue(w->ledger, on(0), "nobody", &t, &k), CRD_E_NOT_FOUND);
    SUBJECT(w, CRD_KIND_CUSTOMER, "nobody");
    ck_assert_ptr_null(k);
    REFUSED(w, crd_invoice_enter(w->ledger, on(0), "nobody", &i, &out), CRD_E_NOT_FOUND);
    ck_assert_ptr_null(out);
    customer(w, "nobody");
    OK(w, crd_credit_issue(w->ledger, on(0), "nobody", &t, NULL));
    world_close(w);
}
END_TEST

START_TEST(R22_ids_are_taken_for_good_and_over_all_currencies) {
    world *w = world_open(_i);
    crd_credit_terms t = credit_terms("K", CRD_CREDIT_MEMO, 100);
    crd_credit *k;
    customer(w, "c1");
    customer(w, "c2");
    k = memo(w, "c1", "K", 100, 0);
    REFUSED(w, crd_credit_issue(w->ledger, on(0), "c1", &t, NULL), CRD_E_EXISTS);
    SUBJECT(w, CRD_KIND_CREDIT, "K");
    t.currency = "USD";
    REFUSED(w, crd_credit_issue(w->ledger, on(0), "c1", &t, NULL), CRD_E_EXISTS);
    void_credit(w, k, 0, 1);
    REFUSED(w, crd_credit_issue(w->ledger, on(2), "c1", &t, NULL), CRD_E_EXISTS);
    OK(w, crd_credit_issue(w->ledger, on(2), "c2", &t, NULL)); /* per customer */
    t = credit_terms("P", CRD_CREDIT_DEPOSIT, 100);
    t.receipt = "R";
    OK(w, crd_credit_issue(w->ledger, on(2), "c1", &t, NULL));
    t.id = "P2";
    REFUSED(w, crd_credit_issue(w->ledger, on(2), "c1", &t, NULL), CRD_E_EXISTS);
    SUBJECT(w, CRD_KIND_RECEIPT, "R");
    world_check(w);
    crd_credit_free(k);
    world_close(w);
}
END_TEST

START_TEST(R22_issue_is_refused_when_it_expires_before_it_is_effective) {
    world *w = world_open(_i);
    crd_credit_terms t = credit_terms("K", CRD_CREDIT_PROMOTIONAL, 100);
    customer(w, "c1");
    t.expires = DAY(0);
    REFUSED(w, crd_credit_issue(w->ledger, on(0), "c1", &t, NULL), CRD_E_DATE);
    FIGURES(w, DAY(1), DAY(0));
    t.effective = DAY(5);
    t.expires = DAY(5);
    REFUSED(w, crd_credit_issue(w->ledger, on(0), "c1", &t, NULL), CRD_E_DATE);
    FIGURES(w, DAY(6), DAY(5));
    t.expires = DAY(6);
    OK(w, crd_credit_issue(w->ledger, on(0), "c1", &t, NULL));
    world_check(w);
    world_close(w);
}
END_TEST

static int rows(crd_ledger *ledger, uint32_t report, uint32_t states, const char *who, char *ids, size_t room) {
    crd_report_spec spec;
    crd_report *r = NULL;
    const crd_row *row = NULL;
    int count = 0;
    memset(&spec, 0, sizeof spec);
    spec.struct_size = sizeof spec;
    spec.report = report;
    spec.states = states;
    spec.customer = who;
    ids[0] = '\0';
    ENDS(ledger, crd_report_open(ledger, &spec, &r), CRD_OK);
    for (;;) {
        ENDS(ledger, crd_report_next(r, &row), CRD_OK);
        if (row == NULL) break;
        count++;
        strncat(ids, row->id, room - strlen(ids) - 1);
        strncat(ids, " ", room - strlen(ids) - 1);
    }
    crd_report_close(r);
    return count;
}

START_TEST(R24_credits_are_listed_by_state) {
    world *w = world_open(_i);
    crd_credit *k[4];
    crd_invoice *i;
    char ids[100];
    customer(w, "c1");
    customer(w, "c2");
    k[0] = memo(w, "c1", "A", 100, 0);
    k[1] = memo(w, "c1", "S", 50, 0);
    k[2] = memo(w, "c1", "V", 70, 0);
    k[3] = memo(w, "c2", "A2", 70, 0);
    i = invoice(w, "c1", "I", 50, 0, 30);
    apply(w, k[1], i, 50, 0);
    void_credit(w, k[2], 0, 0);
    ck_assert_int_eq(rows(w->ledger, CRD_REPORT_CREDITS, 1u << CRD_CREDIT_ACTIVE, NULL, ids, sizeof ids), 2);
    ck_assert_str_eq(ids, "A A2 ");
    ck_assert_int_eq(rows(w->ledger, CRD_REPORT_CREDITS, 1u << CRD_CREDIT_SPENT, NULL, ids, sizeof ids), 1);
    ck_assert_str_eq(ids, "S ");
    ck_assert_int_eq(rows(w->ledger, CRD_REPORT_CREDITS, 1u << CRD_CREDIT_VOIDED, "c1", ids, sizeof ids), 1);
    ck_assert_str_eq(ids, "V ");
    ck_assert_int_eq(rows(w->ledger, CRD_REPORT_CREDITS, 0, "c1", ids, sizeof ids), 3);
    ck_assert_str_eq(ids, "A S V ");
    ck_assert_int_eq(rows(w->ledger, CRD_REPORT_INVOICES, 1u << CRD_INVOICE_PAID, NULL, ids, sizeof ids), 1);
    for (int n = 0; n < 4; n++) crd_credit_free(k[n]);
    crd_invoice_free(i);
    world_close(w);
}
END_TEST

START_TEST(R60_amounts_beyond_the_range_are_refused) {
    world *w = world_open(_i);
    crd_credit_terms t = credit_terms("A", CRD_CREDIT_MEMO, CRD_MAX_AMOUNT);
    crd_invoice_terms i = invoice_terms("I1", CRD_MAX_AMOUNT);
    customer(w, "c1");
    OK(w, crd_credit_issue(w->ledger, on(0), "c1", &t, NULL));
    t.id = "B";
    OK(w, crd_credit_issue(w->ledger, on(0), "c1", &t, NULL));
    t.id = "C"; /* 12·10^18 does not fit */
    REFUSED(w, crd_credit_issue(w->ledger, on(0), "c1", &t, NULL), CRD_E_OVERFLOW);
    t.amount = CRD_MAX_AMOUNT + 1;
    REFUSED(w, crd_credit_issue(w->ledger, on(0), "c1", &t, NULL), CRD_E_ARGUMENT);
    FIELD(w, "terms.amount");
    FIGURES(w, CRD_MAX_AMOUNT, CRD_MAX_AMOUNT + 1);
    OK(w, crd_invoice_enter(w->ledger, on(0), "c1", &i, NULL));
    i.id = "I2";
    OK(w, crd_invoice_enter(w->ledger, on(0), "c1", &i, NULL));
    i.id = "I3";
    REFUSED(w, crd_invoice_enter(w->ledger, on(0), "c1", &i, NULL), CRD_E_OVERFLOW);
    ck_assert_int_eq(balance_of(w->ledger, "c1", "EUR", 0).balance, 0);
    ck_assert_uint_eq(reconcile(w, 0, 0).applications, 2);
    world_close(w);
}
END_TEST

START_TEST(R60_any_number_of_currencies_side_by_side) {
    static const char *const codes[] = {"EUR", "JPY", "KWD", "USD", "CLF"};
    world *w = world_open(_i);
    customer(w, "c1");
    for (size_t n = 0; n < 5; n++) {
        crd_credit_terms t = credit_terms(NULL, CRD_CREDIT_MEMO, 100 + (int64_t)n);
        crd_invoice_terms i = invoice_terms(NULL, 1000);
        t.currency = i.currency = codes[n];
        OK(w, crd_credit_issue(w->ledger, on(0), "c1", &t, NULL));
        OK(w, crd_invoice_enter(w->ledger, on(0), "c1", &i, NULL));
        world_check(w);
    }
    for (size_t n = 0; n < 5; n++)
        ck_assert_int_eq(balance_of(w->ledger, "c1", codes[n], 0).available, 100 + (int64_t)n);
    ck_assert_uint_eq(reconcile(w, 0, 0).posted, 5);
    for (size_t n = 0; n < 5; n++)
        ck_assert_int_eq(balance_of(w->ledger, "c1", codes[n], 0).outstanding, 900 - (int64_t)n);
    world_close(w);
}
END_TEST

START_TEST(R60_unknown_currencies_are_refused_and_the_host_may_add_some) {
    static const char *const bad[] = {"", "EU", "EURO", "eur", "XXX", "XAU", "BGN", "E R"};
    crd_currency old = {sizeof old, 2, "BGN"};
    const crd_currency *list[1];
    crd_ledger_options options;
    crd_ledger *ledger = NULL;
    crd_credit_terms t = credit_terms("K", CRD_CREDIT_MEMO, 100);
    int32_t exponent = -1;
    world *w = world_open(_i);
    customer(w, "c1");
    for (size_t n = 0; n < sizeof bad / sizeof bad[0]; n++) {
        t.currency = bad[n];
        REFUSED(w, crd_credit_issue(w->ledger, on(0), "c1", &t, NULL), CRD_E_CURRENCY);
    }
    list[0] = &old;
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    options.storage = world_storage(w);
    options.hooks = &w->hooks;
    options.currencies = list;
    options.currency_count = 1;
    ck_assert_int_eq(crd_ledger_open(&options, &ledger), CRD_OK);
    t.currency = "BGN";
    ENDS(ledger, crd_credit_issue(ledger, on(0), "c1", &t, NULL), CRD_OK);
    ENDS(ledger, crd_ledger_exponent(ledger, "BGN", &exponent), CRD_OK);
    ck_assert_int_eq(exponent, 2);
    ENDS(ledger, crd_ledger_exponent(ledger, "JPY", &exponent), CRD_OK);
    ck_assert_int_eq(exponent, 0);
    ENDS(ledger, crd_ledger_exponent(ledger, "XXX", &exponent), CRD_E_CURRENCY);
    crd_ledger_close(ledger);
    world_close(w);
}
END_TEST

static Suite *make(void) {
    Suite *s = suite_create("credits");
    TCase *t = tcase_create("credits");
    tcase_add_loop_test(t, R22_issued_credit_is_stored_with_everything_it_was_given, 0, STORES);
    tcase_add_loop_test(t, R22_source_is_named_by_the_kind_unless_told, 0, STORES);
    tcase_add_loop_test(t, R22_derived_ids_say_currency_and_sequence, 0, STORES);
    tcase_add_loop_test(t, R1_R12_M3_money_received_is_a_receipt_that_stays_as_credit, 0, STORES);
    tcase_add_loop_test(t, R26_credit_is_spent_when_nothing_remains_and_active_again_when_money_returns, 0, STORES);
    tcase_add_loop_test(t, R28_M10_void_takes_the_remainder_and_applications_stand, 0, STORES);
    tcase_add_loop_test(t, R28_void_is_refused_with_figures, 0, STORES);
    tcase_add_loop_test(t, R27_R9_history_of_a_credit_is_its_entries_with_actor_note_and_date, 0, STORES);
    tcase_add_loop_test(t, M6_an_instant_earlier_than_the_last_is_raised_to_it, 0, STORES);
    tcase_add_loop_test(t, M6_business_date_is_the_day_of_the_instant_where_the_office_is, 0, STORES);
    tcase_add_loop_test(t, R4_R11_M7_available_counts_what_is_usable_on_the_date, 0, STORES);
    tcase_add_loop_test(t, R4_M7_credit_is_not_available_before_its_first_day, 0, STORES);
    tcase_add_loop_test(t, R4_balance_of_an_unused_account_is_zero_and_of_a_stranger_refused, 0, STORES);
    tcase_add_loop_test(t, R34_credit_for_an_unknown_customer_is_refused, 0, STORES);
    tcase_add_loop_test(t, R22_ids_are_taken_for_good_and_over_all_currencies, 0, STORES);
    tcase_add_loop_test(t, R22_issue_is_refused_when_it_expires_before_it_is_effective, 0, STORES);
    tcase_add_loop_test(t, R24_credits_are_listed_by_state, 0, STORES);
    tcase_add_loop_test(t, R60_amounts_beyond_the_range_are_refused, 0, STORES);
    tcase_add_loop_test(t, R60_any_number_of_currencies_side_by_side, 0, STORES);
    tcase_add_loop_test(t, R60_unknown_currencies_are_refused_and_the_host_may_add_some, 0, STORES);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return world_main(make);
}
