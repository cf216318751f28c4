/*
 * Many credits by one call (R10): results row by row, all or nothing or as many as possible, keys, pages, rivals.
 */
#include "support/paying.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Rows to fill in; everything lives in one block. */
typedef struct rows {
    uint64_t count;
    crd_bulk_row *row;
    crd_credit_terms *terms;
    crd_bulk_result *result;
    const crd_bulk_row **row_list;
    crd_bulk_result **result_list;
    char (*text)[64];
} rows;

static rows rows_new(uint64_t count) {
    rows r;
    r.count = count;
    r.row = calloc(count, sizeof *r.row);
    r.terms = calloc(count, sizeof *r.terms);
    r.result = calloc(count, sizeof *r.result);
    r.row_list = calloc(count, sizeof *r.row_list);
    r.result_list = calloc(count, sizeof *r.result_list);
    r.text = calloc(count, sizeof *r.text);
    for (uint64_t i = 0; i < count; i++) {
        r.terms[i] = credit_terms(NULL, CRD_CREDIT_MEMO, 100 + (int64_t)i);
        r.row[i].struct_size = sizeof r.row[i];
        r.row[i].customer = "c1";
        r.row[i].terms = &r.terms[i];
        r.result[i].struct_size = sizeof r.result[i];
        r.row_list[i] = &r.row[i];
        r.result_list[i] = &r.result[i];
    }
    return r;
}

static void rows_free(rows *r) {
    free(r->row);
    free(r->terms);
    free(r->result);
    free(r->row_list);
    free(r->result_list);
    free(r->text);
}

static crd_status send(crd_ledger *ledger, rows *r, uint32_t flags, int day, uint64_t *kept) {
    for (uint64_t i = 0; i < r->count; i++) {
        memset(&r->result[i], 0, sizeof r->result[i]);
        r->result[i].struct_size = sizeof r->result[i];
    }
    return crd_credit_issue_many(ledger, on(day), r->row_list, r->count, flags, r->result_list, kept);
}

static uint64_t send_most(world *w, rows *r, int day) {
    uint64_t kept = 0;
    OK(w, send(w->ledger, r, 0, day, &kept));
    world_check(w);
    return kept;
}

static void kept_as(const rows *r, uint64_t i, const char *id, int64_t first, int64_t last) {
    ck_assert_int_eq(r->result[i].status, CRD_OK);
    ck_assert_str_eq(r->result[i].id, id);
    ck_assert_int_eq(r->result[i].first_seq, first);
    ck_assert_int_eq(r->result[i].last_seq, last);
    ck_assert_int_eq(r->result[i].amount, r->terms[i].amount);
}

static void refused_as(const rows *r, uint64_t i, crd_status status, const char *field) {
    ck_assert_msg(r->result[i].status == status, "row %d: %s", (int)i, crd_status_name(r->result[i].status));
    ck_assert_str_eq(r->result[i].field, field);
    ck_assert_int_eq(r->result[i].last_seq, 0);
    ck_assert_str_eq(r->result[i].id, "");
}

START_TEST(R10_every_row_has_a_result_of_its_own) {
    world *w = world_open(_i);
    rows r = rows_new(9);
    const crd_credit_record *c;
    book *b;
    customer(w, "c1");
    customer(w, "c2");
    r.terms[0].id = "K";
    r.row[1].customer = "c2";
    r.terms[2].kind = CRD_CREDIT_PREPAYMENT; /* a payment that stays as credit */
    r.terms[2].method = "check";
    r.row[3].customer = "nobody";
    r.terms[4].id = "K"; /* taken by row 0 */
    r.terms[4].currency = "USD";
    r.terms[5].amount = 0;
    r.terms[6].currency = "XQX";
    r.row[7].terms = NULL;
    r.terms[8].currency = "USD";
    ck_assert_uint_eq(send_most(w, &r, 1), 4);
    kept_as(&r, 0, "K", 1, 1);
    kept_as(&r, 1, "~EUR1", 1, 1);
    kept_as(&r, 2, "~EUR3", 2, 3);
    refused_as(&r, 3, CRD_E_NOT_FOUND, "");
    refused_as(&r, 4, CRD_E_EXISTS, "");
    refused_as(&r, 5, CRD_E_ARGUMENT, "terms.amount");
    ck_assert_int_eq(r.result[5].limit, 1);
    refused_as(&r, 6, CRD_E_CURRENCY, "currency");
    refused_as(&r, 7, CRD_E_ARGUMENT, "terms");
    kept_as(&r, 8, "~USD1", 1, 1);
    b = world_book(w);
    c = book_credit(b, "c1", "~EUR3");
    ck_assert_uint_eq(c->credit_class, CRD_CLASS_CASH);
    ck_assert_str_eq(c->method, "check");
    ck_assert_int_eq(book_receipt(b, "c1", c->receipt)->amount, 102);
    ck_assert_uint_eq(book_count(b, CRD_KIND_CREDIT), 4);
    book_free(b);
    rows_free(&r);
    world_close(w);
}
END_TEST

START_TEST(R10_one_bad_row_of_all_or_nothing_keeps_nothing_and_is_named) {
    world *w = world_open(_i);
    rows r = rows_new(4);
    uint64_t kept = 7;
    customer(w, "c1");
    r.row[1].customer = "nobody";
    r.terms[3].expires = DAY(-5);
    REFUSED(w, send(w->ledger, &r, CRD_BULK_ALL_OR_NOTHING, 1, &kept), CRD_E_NOT_FOUND);
    SUBJECT(w, CRD_KIND_CUSTOMER, "nobody");
    ck_assert_uint_eq(kept, 0);
    refused_as(&r, 1, CRD_E_NOT_FOUND, "");
    refused_as(&r, 3, CRD_E_DATE, "");
    ck_assert_int_eq(r.result[0].status, CRD_OK);
    ck_assert_int_eq(r.result[0].last_seq, 0);
    ck_assert_int_eq(r.result[2].last_seq, 0);
    r.row[1].customer = "c1";
    r.terms[3].expires = 0;
    OK(w, send(w->ledger, &r, CRD_BULK_ALL_OR_NOTHING, 1, &kept));
    world_check(w);
    ck_assert_uint_eq(kept, 4);
    kept_as(&r, 3, "~EUR4", 4, 4);
    rows_free(&r);
    world_close(w);
}
END_TEST

START_TEST(R10_R61_keys_are_of_rows_and_make_each_happen_once) {
    world *w = world_open(_i);
    rows r = rows_new(5);
    customer(w, "c1");
    customer(w, "c2");
    for (uint64_t i = 0; i < 5; i++) {
        snprintf(r.text[i], sizeof r.text[i], "key %d", (int)i);
        r.row[i].key = r.text[i];
    }
    r.row[1].customer = "c2";
    r.row[3].key = r.text[2]; /* the same row twice in one call */
    r.terms[3].amount = r.terms[2].amount;
    r.row[4].key = r.text[2]; /* and with other content */
    ck_assert_uint_eq(send_most(w, &r, 1), 4);
    ck_assert_uint_eq(r.result[3].repeated, 1);
    ck_assert_str_eq(r.result[3].id, r.result[2].id);
    refused_as(&r, 4, CRD_E_KEY_REUSED, "terms.amount");
    world_remember(w);
    for (uint32_t flags = 0; flags < 2; flags++) {
        uint64_t kept = 0;
        r.count = 4;
        OK(w, send(w->ledger, &r, flags, 1, &kept));
        world_same(w, "the same rows");
        ck_assert_uint_eq(kept, 4);
        for (uint64_t i = 0; i < 4; i++) ck_assert_uint_eq(r.result[i].repeated, 1);
        kept_as(&r, 2, "~EUR2", 2, 2);
    }
    /* a request of the whole has no key */
    REFUSED(w, crd_credit_issue_many(w->ledger, keyed(1, "k"), r.row_list, 1, 0, NULL, NULL), CRD_E_ARGUMENT);
    FIELD(w, "request.key");
    rows_free(&r);
    world_close(w);
}
END_TEST

START_TEST(R10_ids_are_unique_over_currencies_and_calls) {
    world *w = world_open(_i);
    rows r = rows_new(4);
    crd_credit *k;
    customer(w, "c1");
    customer(w, "c2");
    r.row[3].customer = "c2"; /* in the currency of K, but another's */
    k = memo(w, "c1", "K", 5, 0);
    r.terms[0].id = "K"; /* of an account that no row is for */
    r.terms[0].currency = "JPY";
    r.terms[1].id = "L";
    r.terms[1].currency = "JPY";
    r.terms[2].id = "M";
    r.terms[2].currency = "JPY";
    ck_assert_uint_eq(send_most(w, &r, 1), 3);
    refused_as(&r, 0, CRD_E_EXISTS, "");
    REFUSED(w, send(w->ledger, &r, CRD_BULK_ALL_OR_NOTHING, 1, NULL), CRD_E_EXISTS);
    crd_credit_free(k);
    rows_free(&r);
    world_close(w);
}
END_TEST

/* One read and one write a page: what matters at scale is how often the storage is called. */
START_TEST(R10_P8_a_page_of_rows_is_one_read_and_one_write) {
    world *w = world_open(_i);
    rows r = rows_new(1100);
    book *b;
    w->careless = 1;
    for (uint64_t i = 0; i < r.count; i++) {
        snprintf(r.text[i], sizeof r.text[i], "c%03d", (int)(i % 300));
        r.row[i].customer = r.text[i];
        if (i < 300) customer(w, r.text[i]);
        if (i % 7 == 0) r.terms[i].kind = CRD_CREDIT_DEPOSIT;
    }
    shim_reset(&w->shim);
    ck_assert_uint_eq(send_most(w, &r, 1), 1100);
    ck_assert_uint_eq(w->shim.reads, 3);
    ck_assert_uint_eq(w->shim.writes, 3);
    shim_reset(&w->shim);
    OK(w, send(w->ledger, &r, CRD_BULK_ALL_OR_NOTHING, 2, NULL));
    ck_assert_uint_eq(w->shim.reads, 3);
    ck_assert_uint_eq(w->shim.writes, 1);
    world_check(w);
    b = world_book(w);
    ck_assert_uint_eq(book_count(b, CRD_KIND_CREDIT), 2200);
    book_free(b);
    rows_free(&r);
    world_close(w);
}
END_TEST

START_TEST(R10_more_than_a_batch_is_split_or_refused) {
    world *w = world_open(_i);
    rows r = rows_new(1100);
    w->careless = 1;
    for (uint64_t i = 0; i < r.count; i++) {
        snprintf(r.text[i], sizeof r.text[i], "c%04d", (int)i);
        r.row[i].customer = r.text[i];
        customer(w, r.text[i]);
    }
    REFUSED(w, send(w->ledger, &r, CRD_BULK_ALL_OR_NOTHING, 1, NULL), CRD_E_TOO_LARGE); /* accounts */
    ck_assert_uint_eq(send_most(w, &r, 1), 1100);
    rows_free(&r);
    world_close(w);
}
END_TEST

/* ---- rivals ---- */

static struct {
    crd_ledger *ledger;
    const char *customer, *currency, *id, *key;
    uint32_t switches;
} rival;

static void rival_comes_first(void *ctx, shim *s) {
    crd_credit_terms t = credit_terms(rival.id, CRD_CREDIT_MEMO, 9);
    (void)ctx;
    s->before_write = NULL;
    if (rival.switches != 0) {
        crd_customer_change_terms change;
        crd_customer *c = NULL;
        memset(&change, 0, sizeof change);
        change.struct_size = sizeof change;
        change.set = rival.switches;
        ENDS(rival.ledger, crd_customer_find(rival.ledger, rival.customer, &c), CRD_OK);
        ENDS(rival.ledger, crd_customer_change(rival.ledger, on(1), c, &change, NULL), CRD_OK);
        crd_customer_free(c);
        return;
    }
    t.currency = rival.currency;
    ENDS(rival.ledger, crd_credit_issue(rival.ledger, keyed(1, rival.key), rival.customer, &t, NULL), CRD_OK);
}

static world *with_rival(int store, const char *who, const char *currency, const char *id, const char *key) {
    world *w = world_open(store);
    customer(w, "c1");
    customer(w, "c2");
    customer(w, "c3");
    rival.ledger = world_rival(w);
    rival.customer = who;
    rival.currency = currency;
    rival.id = id;
    rival.key = key;
    rival.switches = 0;
    w->shim.before_write = rival_comes_first;
    return w;
}

START_TEST(R10_R32_a_rival_in_between_costs_a_second_try_and_loses_nothing) {
    for (uint32_t flags = 0; flags < 2; flags++) {
        for (int existing = 0; existing < 2; existing++) {
            world *w = with_rival(_i, "c2", "EUR", "R", NULL);
            rows r = rows_new(6);
            uint64_t kept = 0;
            book *b;
            if (existing) {
                w->shim.before_write = NULL;
                for (int i = 1; i <= 3; i++) {
                    char who[4];
                    snprintf(who, sizeof who, "c%d", i);
                    crd_credit_free(memo(w, who, "old", 1, 0));
                }
                w->shim.before_write = rival_comes_first;
            }
            for (uint64_t i = 0; i < 6; i++) {
                snprintf(r.text[i], sizeof r.text[i], "c%d", (int)(i % 3) + 1);
                r.row[i].customer = r.text[i];
            }
            OK(w, send(w->ledger, &r, flags, 1, &kept));
            world_check(w);
            ck_assert_uint_eq(kept, 6);
            kept_as(&r, 1, existing ? "~EUR3" : "~EUR2", existing ? 3 : 2, existing ? 3 : 2);
            b = world_book(w);
            ck_assert_uint_eq(book_count(b, CRD_KIND_CREDIT), existing ? 10 : 7);
            book_free(b);
            rows_free(&r);
            world_close(w);
        }
    }
}
END_TEST

START_TEST(R10_R32_what_a_rival_made_meanwhile_is_told_row_by_row) {
    world *w = with_rival(_i, "c2", "EUR", "K", NULL);
    rows r = rows_new(3);
    uint64_t kept = 0;
    r.row[1].customer = "c2";
    r.terms[1].id = "K"; /* the rival takes the id, in an account of another currency */
    rival.currency = "USD";
    r.row[2].customer = "c3";
    OK(w, send(w->ledger, &r, 0, 1, &kept));
    world_check(w);
    ck_assert_uint_eq(kept, 2);
    refused_as(&r, 1, CRD_E_EXISTS, "");
    rows_free(&r);
    world_close(w);
    /* all or nothing is refused for it, once it is seen */
    w = with_rival(_i, "c2", "USD", "K", NULL);
    r = rows_new(2);
    r.row[1].customer = "c2";
    r.terms[1].id = "K";
    ENDS(w->ledger, send(w->ledger, &r, CRD_BULK_ALL_OR_NOTHING, 1, &kept), CRD_E_EXISTS);
    refused_as(&r, 1, CRD_E_EXISTS, "");
    ck_assert_int_eq(balance_of(w->ledger, "c1", "EUR", 1).credit, 0);
    rows_free(&r);
    world_close(w);
}
END_TEST

START_TEST(R10_R61_a_rival_that_sends_the_same_key_first) {
    world *w = with_rival(_i, "c2", "EUR", NULL, "key");
    rows r = rows_new(3);
    uint64_t kept = 0;
    r.row[1].customer = "c2";
    r.row[1].key = "key"; /* of another command */
    r.row[2].customer = "c2";
    OK(w, send(w->ledger, &r, 0, 1, &kept));
    world_check(w);
    ck_assert_uint_eq(kept, 2);
    refused_as(&r, 1, CRD_E_KEY_REUSED, "command");
    kept_as(&r, 2, "~EUR2", 2, 2);
    rows_free(&r);
    world_close(w);
}
END_TEST

/* A new account guards its customer: it does not come to be with switches of before. */
START_TEST(R10_R33_switched_off_meanwhile) {
    world *w = with_rival(_i, "c2", NULL, NULL, NULL);
    rows r = rows_new(4);
    uint64_t kept = 0;
    rival.switches = CRD_SWITCH_FEATURE_OFF;
    r.row[1].customer = r.row[2].customer = "c2";
    r.terms[2].currency = "USD";
    r.row[3].customer = "c3";
    OK(w, send(w->ledger, &r, 0, 1, &kept));
    world_check(w);
    ck_assert_uint_eq(kept, 2);
    refused_as(&r, 1, CRD_E_DISABLED, "");
    refused_as(&r, 2, CRD_E_DISABLED, "");
    rows_free(&r);
    world_close(w);
}
END_TEST

/* ---- units, switches, failures ---- */

START_TEST(R10_R64_within_a_unit_of_the_hosts) {
    for (uint32_t flags = 0; flags < 2; flags++) {
        world *w = world_open(_i);
        rows r = rows_new(3);
        uint64_t kept = 0;
        customer(w, "c1");
        r.row[1].customer = "nobody";
        OK(w, crd_unit_begin(w->ledger));
        OK(w, crd_customer_add(w->ledger, on(1), "c2", NULL, NULL));
        r.row[2].customer = "c2"; /* made by the unit */
        ENDS(w->ledger, send(w->ledger, &r, flags, 1, &kept), flags ? CRD_E_NOT_FOUND : CRD_OK);
        ck_assert_uint_eq(kept, flags ? 0 : 2);
        OK(w, crd_unit_commit(w->ledger));
        world_check(w);
        ck_assert_int_eq(balance_of(w->ledger, "c1", "EUR", 1).credit, flags ? 0 : 100);
        ck_assert_int_eq(balance_of(w->ledger, "c2", "EUR", 1).credit, flags ? 0 : 102);
        rows_free(&r);
        world_close(w);
    }
}
END_TEST

START_TEST(R10_R2_a_row_may_be_applied_at_once) {
    world *w = world_open(_i);
    rows r = rows_new(2);
    crd_invoice *i;
    customer(w, "c1");
    i = invoice(w, "c1", "I", 130, 0, 30);
    r.terms[0].flags = r.terms[1].flags = CRD_ISSUE_APPLY;
    ck_assert_uint_eq(send_most(w, &r, 1), 2);
    ck_assert_int_eq(stored_invoice(w, "c1", "I").open, 0);
    ck_assert_int_eq(stored_credit(w, "c1", r.result[0].id).remaining, 0);
    ck_assert_int_eq(stored_credit(w, "c1", r.result[1].id).remaining, 71);
    crd_invoice_free(i);
    rows_free(&r);
    world_close(w);
}
END_TEST

START_TEST(R10_handles_of_the_accounts_stay_good) {
    world *w = world_open(_i);
    rows r = rows_new(2);
    crd_credit *k;
    crd_invoice *i;
    customer(w, "c1");
    k = memo(w, "c1", "K", 50, 0);
    i = invoice(w, "c1", "I", 30, 0, 30);
    ck_assert_uint_eq(send_most(w, &r, 1), 2);
    apply(w, k, i, 10, 1);
    crd_credit_free(k);
    crd_invoice_free(i);
    rows_free(&r);
    world_close(w);
}
END_TEST

START_TEST(R10_R61_when_the_storage_fails_the_rows_say_what_became_of_them) {
    static const int faults[] = {SHIM_FAILED, SHIM_UNKNOWN_KEPT, SHIM_UNKNOWN_LOST};
    for (size_t f = 0; f < sizeof faults / sizeof faults[0]; f++) {
        world *w = world_open(_i);
        rows r = rows_new(600);
        uint64_t kept = 0, seen = 0;
        crd_status status;
        book *b;
        w->careless = 1;
        customer(w, "c1");
        for (uint64_t i = 0; i < r.count; i++) {
            snprintf(r.text[i], sizeof r.text[i], "key %d", (int)i);
            r.row[i].key = r.text[i];
        }
        shim_reset(&w->shim);
        w->shim.fail_at = 4; /* the second page's write */
        w->shim.fault = faults[f];
        status = send(w->ledger, &r, 0, 1, &kept);
        ck_assert(status == CRD_OK || faults[f] != SHIM_UNKNOWN_KEPT);
        for (uint64_t i = 0; i < r.count; i++) {
            seen += r.result[i].status == CRD_OK;
            ck_assert((r.result[i].status == CRD_OK) == (r.result[i].last_seq != 0));
        }
        ck_assert_uint_eq(seen, kept);
        ck_assert(kept == (status == CRD_OK ? 600u : 512u));
        world_check(w);
        /* simply sent again, everything is there once */
        shim_reset(&w->shim);
        OK(w, send(w->ledger, &r, 0, 1, &kept));
        ck_assert_uint_eq(kept, 600);
        ck_assert_uint_eq(r.result[0].repeated, 1);
        world_check(w);
        b = world_book(w);
        ck_assert_uint_eq(book_count(b, CRD_KIND_CREDIT), 600);
        book_free(b);
        rows_free(&r);
        world_close(w);
    }
}
END_TEST

START_TEST(R10_arguments_of_the_call) {
    world *w = world_open(_i);
    rows r = rows_new(2);
    uint64_t kept = 7;
    crd_bulk_result *none[2] = {NULL, NULL};
    customer(w, "c1");
    OK(w, crd_credit_issue_many(w->ledger, on(1), NULL, 0, 0, NULL, &kept));
    ck_assert_uint_eq(kept, 0);
    REFUSED(w, crd_credit_issue_many(w->ledger, on(1), NULL, 1, 0, NULL, NULL), CRD_E_ARGUMENT);
    FIELD(w, "rows");
    REFUSED(w, crd_credit_issue_many(w->ledger, NULL, r.row_list, 1, 0, NULL, NULL), CRD_E_ARGUMENT);
    FIELD(w, "request");
    REFUSED(w, crd_credit_issue_many(w->ledger, on(1), r.row_list, 1, 2, NULL, NULL), CRD_E_ARGUMENT);
    FIELD(w, "flags");
    REFUSED(w, crd_credit_issue_many(w->ledger, on(1), r.row_list, 2, 0, none, NULL), CRD_E_ARGUMENT);
    FIELD(w, "results");
    r.row_list[1] = NULL;
    REFUSED(w, crd_credit_issue_many(w->ledger, on(1), r.row_list, 2, 0, NULL, NULL), CRD_E_ARGUMENT);
    FIELD(w, "rows");
    r.row_list[1] = &r.row[1];
    r.row[1].reserved = 1;
    REFUSED(w, crd_credit_issue_many(w->ledger, on(1), r.row_list, 2, 0, NULL, NULL), CRD_E_ARGUMENT);
    FIELD(w, "rows.reserved");
    ck_assert_int_eq(crd_credit_issue_many(NULL, on(1), r.row_list, 2, 0, NULL, NULL), CRD_E_ARGUMENT);
    r.row[1].reserved = 0;
    OK(w, crd_credit_issue_many(w->ledger, on(1), r.row_list, 2, 0, NULL, NULL));
    world_check(w);
    rows_free(&r);
    world_close(w);
}
END_TEST

/* ---- payments ---- */

static void is_payment(rows *r, uint64_t i, paying *p) {
    r->row[i].terms = NULL;
    r->row[i].payment = &p->terms;
}

START_TEST(R10_R42_payments_with_what_they_pay_are_rows_like_credits) {
    world *w = world_open(_i);
    rows r = rows_new(7);
    crd_receipt_record receipt;
    customer(w, "c1");
    customer(w, "c2");
    crd_invoice_free(invoice(w, "c1", "I", 100, 0, 30));
    crd_invoice_free(invoice(w, "c1", "J", 50, 0, 40));
    crd_invoice_free(invoice(w, "c2", "I", 70, 0, 30));
    r.terms[0].id = "K"; /* 100 */
    is_payment(&r, 1, pays(receive("R1", 60), "I", 60));
    is_payment(&r, 2, with(receive("R2", 80), CRD_RECEIPT_DISTRIBUTE));          /* 40 on I, 40 on J */
    is_payment(&r, 3, pays(pays(receive("bad", 10), "I", 1), "J", 10));          /* I is paid by now */
    is_payment(&r, 4, with(receive(NULL, 90), CRD_RECEIPT_DISTRIBUTE | CRD_RECEIPT_EXCESS_TO_CREDIT));
    r.row[4].customer = "c2"; /* 70 on I, 20 stay */
    ck_assert_uint_eq(send_most(w, &r, 1), 6); /* rows 5 and 6 are credits */
    kept_as(&r, 0, "K", 1 + 2, 1 + 2);
    ck_assert_str_eq(r.result[1].id, "R1");
    ck_assert_int_eq(r.result[1].amount, 60);
    ck_assert_int_eq(r.result[1].first_seq, 4);
    ck_assert_int_eq(r.result[1].last_seq, 6); /* receipt, credit, application */
    ck_assert_int_eq(r.result[2].amount, 80);
    refused_as(&r, 3, CRD_E_STATE, "");
    ck_assert_str_eq(r.result[4].id, "~EUR2");
    ck_assert_int_eq(r.result[4].amount, 70);
    ck_assert_int_eq(stored_invoice(w, "c1", "I").open, 0);
    ck_assert_int_eq(stored_invoice(w, "c1", "J").open, 10);
    ck_assert_int_eq(balance_of(w->ledger, "c2", "EUR", 1).available, 20);
    receipt = stored_receipt(w, "c1", "R2");
    ck_assert_int_eq(receipt.amount, 80);
    ck_assert_int_eq(receipt.applied, 80);
    rows_free(&r);
    /* the credit of one row pays on the receipt of another; and all of it or nothing, under keys */
    r = rows_new(2);
    r.terms[0].id = "N";
    is_payment(&r, 1, pays(uses(receive("R3", 4), "N", 6), "J", 10));
    r.row[0].key = "a";
    r.row[1].key = "b";
    OK(w, send(w->ledger, &r, CRD_BULK_ALL_OR_NOTHING, 2, NULL));
    world_check(w);
    ck_assert_int_eq(stored_invoice(w, "c1", "J").open, 0);
    ck_assert_int_eq(stored_credit(w, "c1", "N").applied, 6);
    world_remember(w);
    OK(w, send(w->ledger, &r, CRD_BULK_ALL_OR_NOTHING, 2, NULL));
    ck_assert_uint_eq(r.result[1].repeated, 1);
    ck_assert_str_eq(r.result[1].id, "R3");
    world_same(w, "the same rows again");
    /* one that does not come out even keeps the credit beside it from being issued */
    r.terms[0].id = "M";
    r.row[0].key = r.row[1].key = NULL;
    is_payment(&r, 1, receive("R4", 5));
    REFUSED(w, send(w->ledger, &r, CRD_BULK_ALL_OR_NOTHING, 2, NULL), CRD_E_DISTRIBUTION);
    FIGURES(w, 0, 5);
    ck_assert_int_eq(r.result[1].given, 5);
    r.row[0].payment = r.row[1].payment;
    REFUSED(w, send(w->ledger, &r, 0, 2, NULL), CRD_E_ARGUMENT);
    FIELD(w, "rows.payment");
    rows_free(&r);
    world_close(w);
}
END_TEST

/* Another writer between the read of the page and that of a row: asked for permission, the row is about to read. */
static int32_t CRD_CALL rival_in_between(void *ctx, const crd_operation *operation) {
    (void)ctx;
    if (rival.ledger != NULL && strcmp(operation->subject, "R") == 0) {
        crd_credit_terms t = credit_terms("theirs", CRD_CREDIT_MEMO, 9);
        crd_ledger *ledger = rival.ledger;
        rival.ledger = NULL;
        ENDS(ledger, crd_credit_issue(ledger, on(1), "c1", &t, NULL), CRD_OK);
    }
    return 0;
}

START_TEST(R10_R32_a_payment_overtaken_while_it_reads_is_run_again) {
    for (uint32_t flags = 0; flags <= CRD_BULK_ALL_OR_NOTHING; flags++) {
        crd_hooks hooks;
        world *w;
        rows r = rows_new(3);
        uint64_t kept = 0;
        memset(&hooks, 0, sizeof hooks);
        hooks.authorize = rival_in_between;
        rival.ledger = NULL;
        w = world_open_with(_i, NULL, NULL, &hooks);
        customer(w, "c1");
        crd_invoice_free(invoice(w, "c1", "I", 100, 0, 30));
        is_payment(&r, 1, pays(receive("R", 60), "I", 60));
        rival.ledger = world_rival(w);
        OK(w, send(w->ledger, &r, flags, 1, &kept));
        world_check(w);
        ck_assert_uint_eq(kept, 3);
        ck_assert_ptr_null(rival.ledger);
        ck_assert_int_eq(stored_invoice(w, "c1", "I").open, 40);
        ck_assert_int_eq(stored_credit(w, "c1", "theirs").remaining, 9);
        ck_assert_int_eq(balance_of(w->ledger, "c1", "EUR", 1).available, 9 + 100 + 102);
        rows_free(&r);
        world_close(w);
    }
}
END_TEST

static Suite *make(void) {
    Suite *s = suite_create("bulk");
    TCase *t = tcase_create("bulk");
    tcase_set_timeout(t, 60); /* many rows, and the machine may be busy */
    tcase_add_loop_test(t, R10_R42_payments_with_what_they_pay_are_rows_like_credits, 0, STORES);
    tcase_add_loop_test(t, R10_R32_a_payment_overtaken_while_it_reads_is_run_again, 0, STORES);
    tcase_add_loop_test(t, R10_every_row_has_a_result_of_its_own, 0, STORES);
    tcase_add_loop_test(t, R10_one_bad_row_of_all_or_nothing_keeps_nothing_and_is_named, 0, STORES);
    tcase_add_loop_test(t, R10_R61_keys_are_of_rows_and_make_each_happen_once, 0, STORES);
    tcase_add_loop_test(t, R10_ids_are_unique_over_currencies_and_calls, 0, STORES);
    tcase_add_loop_test(t, R10_P8_a_page_of_rows_is_one_read_and_one_write, 0, STORES);
    tcase_add_loop_test(t, R10_more_than_a_batch_is_split_or_refused, 0, STORES);
    tcase_add_loop_test(t, R10_R32_a_rival_in_between_costs_a_second_try_and_loses_nothing, 0, STORES);
    tcase_add_loop_test(t, R10_R32_what_a_rival_made_meanwhile_is_told_row_by_row, 0, STORES);
    tcase_add_loop_test(t, R10_R61_a_rival_that_sends_the_same_key_first, 0, STORES);
    tcase_add_loop_test(t, R10_R33_switched_off_meanwhile, 0, STORES);
    tcase_add_loop_test(t, R10_R64_within_a_unit_of_the_hosts, 0, STORES);
    tcase_add_loop_test(t, R10_R2_a_row_may_be_applied_at_once, 0, STORES);
    tcase_add_loop_test(t, R10_handles_of_the_accounts_stay_good, 0, STORES);
    tcase_add_loop_test(t, R10_R61_when_the_storage_fails_the_rows_say_what_became_of_them, 0, STORES);
    tcase_add_loop_test(t, R10_arguments_of_the_call, 0, STORES);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return world_main(make);
}
