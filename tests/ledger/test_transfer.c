/*
 * Transfer: credit goes to another customer in one commit for both, and back.
 */
#include "support/world.h"

#include <string.h>

static crd_transfer_terms terms(const char *to, int64_t amount, const char *id) {
    crd_transfer_terms t;
    memset(&t, 0, sizeof t);
    t.struct_size = sizeof t;
    t.customer = to;
    t.amount = amount;
    t.id = id;
    return t;
}

static crd_status try_transfer(world *w, crd_credit *c, const char *to, int64_t amount, const char *id, int day,
                               crd_credit **there, crd_result *out) {
    crd_transfer_terms t = terms(to, amount, id);
    return crd_credit_transfer(w->ledger, on(day), c, &t, there, out);
}

static crd_credit *transfer(world *w, crd_credit *c, const char *to, int64_t amount, const char *id, int day,
                            int64_t *seq) {
    crd_result r = result_block();
    crd_credit *there = NULL;
    OK(w, try_transfer(w, c, to, amount, id, day, &there, &r));
    world_check(w);
    if (seq != NULL) *seq = r.first_seq;
    return there;
}

START_TEST(R67_M10_the_credit_there_is_the_same_money) {
    world *w = world_open(_i);
    crd_credit_terms t = credit_terms("K", CRD_CREDIT_MEMO, 1000);
    crd_result r = result_block();
    crd_credit *k = NULL, *there = NULL;
    const crd_credit_record *c;
    const crd_entry_record *e;
    book *b;
    customer(w, "c1");
    customer(w, "c2");
    t.expires = DAY(90);
    t.effective = DAY(3);
    t.priority = 4;
    t.pays_kinds = 1u << CRD_INVOICE_FEE;
    t.flags = CRD_FLAG_RESERVED | CRD_FLAG_NON_REFUNDABLE;
    t.prefers = "I-1";
    t.origin = "S-1";
    t.source = "apology";
    t.notes = "n";
    t.reference = "r";
    t.tax = 101;
    OK(w, crd_credit_issue(w->ledger, on(0), "c1", &t, &k));
    OK(w, try_transfer(w, k, "c2", 500, "K2", 2, &there, &r));
    world_check(w);
    ck_assert_int_eq(r.amount, 500);
    ck_assert_int_eq(r.first_seq, 2);
    ck_assert_int_eq(r.last_seq, 2);
    ck_assert_int_eq(crd_credit_get(k)->transferred, 500);
    ck_assert_int_eq(crd_credit_get(k)->remaining, 500);
    c = crd_credit_get(there);
    ck_assert_str_eq(c->customer, "c2");
    ck_assert_str_eq(c->id, "K2");
    ck_assert_int_eq(c->original, 500);
    ck_assert_int_eq(c->remaining, 500);
    ck_assert_int_eq(c->tax, 51); /* half of 101, the odd cent goes with the part that moves */
    ck_assert_uint_eq(c->credit_class, CRD_CLASS_MEMO);
    ck_assert_uint_eq(c->kind, CRD_CREDIT_MEMO);
    ck_assert_uint_eq(c->flags, CRD_FLAG_RESERVED | CRD_FLAG_NON_REFUNDABLE | CRD_FLAG_TRANSFERRED_IN);
    ck_assert_int_eq(c->issued, DAY(0));
    ck_assert_int_eq(c->effective, DAY(3));
    ck_assert_int_eq(c->expires, DAY(90));
    ck_assert_int_eq(c->last_date, DAY(2));
    ck_assert_int_eq(c->priority, 4);
    ck_assert_uint_eq(c->pays_kinds, 1u << CRD_INVOICE_FEE);
    ck_assert_str_eq(c->origin, "S-1");
    ck_assert_str_eq(c->source, "apology");
    ck_assert_str_eq(c->reason, "agreed by phone");
    ck_assert_str_eq(c->prefers, ""); /* an invoice of another customer */
    b = world_book(w);
    e = book_entry(b, "c1", "EUR", 2);
    ck_assert_uint_eq(e->type, CRD_ENTRY_TRANSFER);
    ck_assert_str_eq(e->credit, "K");
    ck_assert_str_eq(e->other_customer, "c2");
    ck_assert_str_eq(e->other_id, "K2");
    e = book_entry(b, "c2", "EUR", 1);
    ck_assert_uint_eq(e->type, CRD_ENTRY_ISSUE);
    ck_assert_int_eq(e->business_date, DAY(2));
    ck_assert_str_eq(e->other_customer, "c1");
    ck_assert_str_eq(e->other_id, "K");
    /* counted where it was issued, once */
    ck_assert_int_eq(book_account(b, "c1", "EUR")->issued, 1000);
    ck_assert_int_eq(book_account(b, "c2", "EUR")->issued, 0);
    ck_assert_int_eq(book_account(b, "c2", "EUR")->credits_issued, 0);
    ck_assert_int_eq(book_account(b, "c2", "EUR")->credit_remaining, 500);
    book_free(b);
    /* the rest of it, with the rest of the tax */
    crd_credit_free(there);
    there = transfer(w, k, "c2", 0, NULL, 2, NULL);
    ck_assert_int_eq(crd_credit_get(there)->original, 500);
    ck_assert_int_eq(crd_credit_get(there)->tax, 50);
    ck_assert_str_eq(crd_credit_get(there)->id, "~EUR2");
    ck_assert_uint_eq(crd_credit_get(k)->state, CRD_CREDIT_SPENT);
    ck_assert_uint_eq(crd_credit_get(k)->cause, CRD_CAUSE_TRANSFERRED);
    crd_credit_free(k);
    crd_credit_free(there);
    world_close(w);
}
END_TEST

START_TEST(R67_M3_cash_stays_cash_without_a_receipt_there) {
    world *w = world_open(_i);
    crd_credit *p, *there;
    crd_invoice *i;
    book *b;
    customer(w, "c1");
    customer(w, "c2");
    p = cash(w, "c1", "P", 1000, 0);
    there = transfer(w, p, "c2", 400, "P", 1, NULL);
    b = world_book(w);
    ck_assert_uint_eq(book_count(b, CRD_KIND_RECEIPT), 1);
    ck_assert_str_eq(book_credit(b, "c2", "P")->receipt, "");
    ck_assert_int_eq(book_account(b, "c1", "EUR")->cash_remaining, 600);
    ck_assert_int_eq(book_account(b, "c2", "EUR")->cash_remaining, 400);
    book_free(b);
    i = invoice(w, "c2", "I", 300, 1, 30);
    apply(w, there, i, 300, 1);
    REFUSED(w, try_apply(w->ledger, p, i, 1, 0, on(1), NULL), CRD_E_CUSTOMER);
    crd_credit_free(p);
    crd_credit_free(there);
    crd_invoice_free(i);
    world_close(w);
}
END_TEST

START_TEST(R67_M16_a_transfer_is_refused_in_order_and_leaves_no_trace) {
    world *w = world_open(_i);
    crd_credit *k, *spent, *x, *there = NULL;
    crd_transfer_terms t = terms("c2", 1, NULL);
    crd_result r = result_block();
    customer(w, "c1");
    customer(w, "c2");
    k = memo(w, "c1", "K", 1000, 5);
    x = promise(w, "c1", "X", 100, 5, 20);
    spent = memo(w, "c1", "S", 10, 5);
    void_credit(w, spent, 0, 5);
    crd_credit_free(memo(w, "c2", "T", 10, 5));
    REFUSED(w, try_transfer(w, k, "c2", 1001, NULL, 6, &there, &r), CRD_E_CREDIT_AMOUNT);
    FIGURES(w, 1000, 1001);
    ck_assert_ptr_null(there);
    ck_assert_int_eq(r.amount, 0);
    REFUSED(w, try_transfer(w, k, "c2", 1, NULL, 4, NULL, NULL), CRD_E_DATE);
    FIGURES(w, DAY(5), DAY(4));
    REFUSED(w, try_transfer(w, x, "c2", 1, NULL, 20, NULL, NULL), CRD_E_EXPIRED);
    REFUSED(w, try_transfer(w, spent, "c2", 1, NULL, 6, NULL, NULL), CRD_E_STATE);
    REFUSED(w, try_transfer(w, k, "nobody", 1, NULL, 6, NULL, NULL), CRD_E_NOT_FOUND);
    SUBJECT(w, CRD_KIND_CUSTOMER, "nobody");
    REFUSED(w, try_transfer(w, k, "c2", 1, "T", 6, NULL, NULL), CRD_E_EXISTS);
    REFUSED(w, try_transfer(w, k, "c1", 1, NULL, 6, NULL, NULL), CRD_E_ARGUMENT);
    FIELD(w, "terms.customer");
    REFUSED(w, try_transfer(w, k, NULL, 1, NULL, 6, NULL, NULL), CRD_E_ARGUMENT);
    FIELD(w, "terms.customer");
    REFUSED(w, try_transfer(w, k, "c2", -1, NULL, 6, NULL, NULL), CRD_E_ARGUMENT);
    FIELD(w, "terms.amount");
    REFUSED(w, try_transfer(w, k, "c2", 1, "~x", 6, NULL, NULL), CRD_E_ARGUMENT);
    FIELD(w, "terms.id");
    REFUSED(w, try_transfer(w, NULL, "c2", 1, NULL, 6, NULL, NULL), CRD_E_ARGUMENT);
    t.flags = 1;
    REFUSED(w, crd_credit_transfer(w->ledger, on(6), k, &t, NULL, NULL), CRD_E_ARGUMENT);
    FIELD(w, "terms.flags");
    ck_assert_int_eq(crd_credit_get(k)->remaining, 1000);
    crd_credit_free(k);
    crd_credit_free(x);
    crd_credit_free(spent);
    world_close(w);
}
END_TEST

START_TEST(R67_R61_the_request_key_lies_with_the_customer_it_comes_from) {
    world *w = world_open(_i);
    crd_transfer_terms t = terms("c2", 300, NULL);
    crd_credit *k, *first = NULL, *again = NULL;
    crd_result r = result_block();
    book *b;
    customer(w, "c1");
    customer(w, "c2");
    k = memo(w, "c1", "K", 1000, 0);
    OK(w, crd_credit_transfer(w->ledger, keyed(1, "t"), k, &t, &first, &r));
    OK(w, crd_credit_transfer(w->ledger, keyed(1, "t"), k, &t, &again, &r));
    world_check(w);
    ck_assert_uint_eq(r.repeated, 1);
    ck_assert_int_eq(r.amount, 300);
    ck_assert_str_eq(crd_credit_get(again)->id, crd_credit_get(first)->id);
    ck_assert_str_eq(crd_credit_get(again)->customer, "c2");
    ck_assert_int_eq(crd_credit_get(k)->remaining, 700);
    b = world_book(w);
    ck_assert_ptr_nonnull(book_request(b, "c1", "t"));
    ck_assert_ptr_null(book_request(b, "c2", "t"));
    book_free(b);
    t.customer = "c3";
    REFUSED(w, crd_credit_transfer(w->ledger, keyed(1, "t"), k, &t, NULL, &r), CRD_E_KEY_REUSED);
    FIELD(w, "terms.customer");
    crd_credit_free(k);
    crd_credit_free(first);
    crd_credit_free(again);
    world_close(w);
}
END_TEST

START_TEST(R81_M14_a_transfer_is_undone_as_far_as_it_is_available_there) {
    world *w = world_open(_i);
    crd_result r = result_block();
    crd_credit *k, *there;
    crd_invoice *i;
    int64_t seq;
    book *b;
    customer(w, "c1");
    customer(w, "c2");
    k = memo(w, "c1", "K", 1000, 0);
    i = invoice(w, "c2", "I", 250, 0, 30);
    there = transfer(w, k, "c2", 600, "K", 1, &seq); /* both are called K */
    apply(w, there, i, 250, 2);
    REFUSED(w, try_undo(w->ledger, "c1", seq, 351, on(3), &r), CRD_E_CREDIT_AMOUNT);
    FIGURES(w, 350, 351);
    ck_assert_str_eq(crd_ledger_error(w->ledger)->customer, "c2");
    OK(w, try_undo(w->ledger, "c1", seq, 100, on(3), &r));
    world_check(w);
    ck_assert_int_eq(r.amount, 100);
    ck_assert_int_eq(r.first_seq, r.last_seq);
    b = world_book(w);
    ck_assert_uint_eq(book_entry(b, "c1", "EUR", r.first_seq)->type, CRD_ENTRY_UNTRANSFER);
    ck_assert_int_eq(book_entry(b, "c1", "EUR", r.first_seq)->undoes, seq);
    ck_assert_int_eq(book_credit(b, "c1", "K")->remaining, 500);
    ck_assert_int_eq(book_credit(b, "c1", "K")->transferred, 500);
    ck_assert_int_eq(book_credit(b, "c2", "K")->remaining, 250);
    ck_assert_int_eq(book_credit(b, "c2", "K")->transferred, 100);
    {
        const crd_entry_record *e = book_entry(b, "c2", "EUR", book_credit(b, "c2", "K")->last_seq);
        ck_assert_uint_eq(e->type, CRD_ENTRY_TRANSFER);
        ck_assert_uint_eq(e->flags, CRD_ENTRY_CONSEQUENCE);
        ck_assert_str_eq(e->other_customer, "c1");
        ck_assert_str_eq(e->other_id, "K");
        REFUSED(w, try_undo(w->ledger, "c2", e->seq, 0, on(3), &r), CRD_E_STATE); /* the way back is not undone */
    }
    book_free(b);
    OK(w, try_undo(w->ledger, "c1", seq, 0, on(3), &r)); /* what is available there */
    world_check(w);
    ck_assert_int_eq(r.amount, 250);
    ck_assert_int_eq(crd_credit_get(k)->remaining, 750);
    REFUSED(w, try_undo(w->ledger, "c1", seq, 0, on(3), &r), CRD_E_CREDIT_AMOUNT); /* the rest is in use */
    FIGURES(w, 0, 250);
    OK(w, crd_invoice_refresh(i));
    void_invoice(w, i, 4);
    OK(w, try_undo(w->ledger, "c1", seq, 0, on(4), &r));
    world_check(w);
    ck_assert_int_eq(r.amount, 250);
    OK(w, crd_credit_refresh(k));
    ck_assert_int_eq(crd_credit_get(k)->remaining, 1000);
    ck_assert_int_eq(crd_credit_get(k)->transferred, 0);
    REFUSED(w, try_undo(w->ledger, "c1", seq, 0, on(4), &r), CRD_E_NOTHING);
    crd_credit_free(k);
    crd_credit_free(there);
    crd_invoice_free(i);
    world_close(w);
}
END_TEST

START_TEST(M6_M8_money_coming_back_takes_the_latest_date_and_goes_by_its_credit) {
    world *w = world_open(_i);
    crd_result r = result_block();
    crd_credit *k, *there;
    int64_t seq, first;
    book *b;
    customer(w, "c1");
    customer(w, "c2");
    k = promise(w, "c1", "K", 1000, 0, 90);
    there = transfer(w, k, "c2", 600, "T", 1, &seq);
    crd_credit_free(transfer(w, k, "c2", 10, "T2", 1, &first));
    void_credit(w, k, 0, 2);
    void_credit(w, there, 100, 8);
    OK(w, try_undo(w->ledger, "c1", seq, 0, on(3), &r));
    world_check(w);
    ck_assert_int_eq(r.amount, 500);
    b = world_book(w);
    ck_assert_int_eq(book_entry(b, "c1", "EUR", r.first_seq)->business_date, DAY(8));
    ck_assert_uint_eq(book_entry(b, "c1", "EUR", r.last_seq)->type, CRD_ENTRY_VOID); /* a voided promise */
    ck_assert_int_eq(book_credit(b, "c1", "K")->voided, 390 + 500);
    ck_assert_int_eq(book_credit(b, "c1", "K")->remaining, 0);
    book_free(b);
    REFUSED(w, try_undo(w->ledger, "c1", first, 0, on(90), &r), CRD_E_EXPIRED); /* there, with the same expiry */
    crd_credit_free(k);
    crd_credit_free(there);
    world_close(w);
}
END_TEST

START_TEST(R64_a_unit_transfers_on_and_back_within_itself) {
    world *w = world_open(_i);
    crd_result r = result_block();
    crd_credit *k, *there = NULL, *third = NULL;
    int64_t seq;
    book *b;
    customer(w, "c1");
    customer(w, "c2");
    customer(w, "c3");
    k = memo(w, "c1", "K", 1000, 0);
    OK(w, crd_unit_begin(w->ledger));
    OK(w, try_transfer(w, k, "c2", 600, "T", 1, &there, &r));
    seq = r.first_seq;
    OK(w, try_transfer(w, there, "c3", 200, "U", 1, &third, &r));
    OK(w, try_undo(w->ledger, "c1", seq, 0, on(1), &r));
    ck_assert_int_eq(r.amount, 400);
    OK(w, crd_unit_commit(w->ledger));
    world_check(w);
    b = world_book(w);
    ck_assert_int_eq(book_credit(b, "c1", "K")->remaining, 800);
    ck_assert_int_eq(book_credit(b, "c2", "T")->remaining, 0);
    ck_assert_int_eq(book_credit(b, "c2", "T")->transferred, 600);
    ck_assert_int_eq(book_credit(b, "c3", "U")->remaining, 200);
    book_free(b);
    world_remember(w);
    OK(w, crd_unit_begin(w->ledger));
    OK(w, try_transfer(w, third, "c2", 0, NULL, 2, NULL, NULL));
    OK(w, crd_unit_rollback(w->ledger));
    world_same(w, "a unit given up");
    ck_assert_int_eq(crd_credit_get(third)->remaining, 200);
    crd_credit_free(k);
    crd_credit_free(there);
    crd_credit_free(third);
    world_close(w);
}
END_TEST

/* Museum 17, 33: the version of both accounts guards the commit. */
START_TEST(R32_museum_17_credit_moved_meanwhile_at_either_end_is_a_conflict) {
    world *w = world_open(_i);
    crd_ledger *rival = world_rival(w);
    crd_credit *k, *theirs;
    crd_transfer_terms t = terms("c2", 800, NULL);
    customer(w, "c1");
    customer(w, "c2");
    k = memo(w, "c1", "K", 1000, 0);
    theirs = find_credit(rival, "c1", "K");
    ENDS(rival, crd_credit_transfer(rival, on(1), theirs, &t, NULL, NULL), CRD_OK);
    REFUSED(w, try_transfer(w, k, "c2", 800, NULL, 1, NULL, NULL), CRD_E_CONFLICT);
    OK(w, crd_credit_refresh(k));
    REFUSED(w, try_transfer(w, k, "c2", 800, NULL, 1, NULL, NULL), CRD_E_CREDIT_AMOUNT);
    FIGURES(w, 200, 800);
    crd_credit_free(transfer(w, k, "c2", 200, NULL, 1, NULL));
    crd_credit_free(k);
    crd_credit_free(theirs);
    world_close(w);
}
END_TEST

/* Museum 27: one note never gives several credits of a larger sum. */
START_TEST(museum_27_pieces_of_a_credit_sum_to_the_credit) {
    world *w = world_open(_i);
    crd_credit *k;
    book *b;
    int64_t sum = 0;
    customer(w, "c1");
    customer(w, "c2");
    k = memo(w, "c1", "K", 100, 0);
    for (int n = 0; n < 3; n++) crd_credit_free(transfer(w, k, "c2", 33, NULL, 1, NULL));
    REFUSED(w, try_transfer(w, k, "c2", 33, NULL, 1, NULL, NULL), CRD_E_CREDIT_AMOUNT);
    crd_credit_free(transfer(w, k, "c2", 0, NULL, 1, NULL));
    b = world_book(w);
    for (size_t n = 0; n < b->count; n++) {
        const crd_credit_record *c = b->items[n].record;
        if (b->items[n].kind == CRD_KIND_CREDIT && strcmp(c->customer, "c2") == 0) sum += c->original;
    }
    ck_assert_int_eq(sum, 100);
    ck_assert_int_eq(book_credit(b, "c1", "K")->transferred, 100);
    book_free(b);
    crd_credit_free(k);
    world_close(w);
}
END_TEST

static Suite *make(void) {
    Suite *s = suite_create("transfer");
    TCase *t = tcase_create("transfer");
    tcase_add_loop_test(t, R67_M10_the_credit_there_is_the_same_money, FIRST_STORE, STORES);
    tcase_add_loop_test(t, R67_M3_cash_stays_cash_without_a_receipt_there, FIRST_STORE, STORES);
    tcase_add_loop_test(t, R67_M16_a_transfer_is_refused_in_order_and_leaves_no_trace, FIRST_STORE, STORES);
    tcase_add_loop_test(t, R67_R61_the_request_key_lies_with_the_customer_it_comes_from, FIRST_STORE, STORES);
    tcase_add_loop_test(t, R81_M14_a_transfer_is_undone_as_far_as_it_is_available_there, FIRST_STORE, STORES);
    tcase_add_loop_test(t, M6_M8_money_coming_back_takes_the_latest_date_and_goes_by_its_credit, FIRST_STORE, STORES);
    tcase_add_loop_test(t, R64_a_unit_transfers_on_and_back_within_itself, FIRST_STORE, STORES);
    tcase_add_loop_test(t, R32_museum_17_credit_moved_meanwhile_at_either_end_is_a_conflict, FIRST_STORE, STORES);
    tcase_add_loop_test(t, museum_27_pieces_of_a_credit_sum_to_the_credit, FIRST_STORE, STORES);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return world_main(make);
}
