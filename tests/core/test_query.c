/*
 * Which records a query asks for.
 */
#include <credit/storage.h>

#include "core/record.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static crd_query q;
static crd_account_record account;
static crd_customer_record customer;
static crd_credit_record credit;
static crd_invoice_record invoice;
static crd_receipt_record receipt;
static crd_hold_record hold;
static crd_line_record line;
static crd_entry_record entry;
static crd_request_record request;
static const void *records[CRD_KIND_COUNT];

static void setup(void) {
    void *all[] = {NULL, &account, &customer, &credit, &invoice, &receipt, &hold, &line, &entry, &request};
    memset(&q, 0, sizeof q);
    q.struct_size = sizeof q;
    q.kinds = 0x3fe;
    for (uint32_t kind = 1; kind < CRD_KIND_COUNT; kind++) {
        crd__record_clear(kind, all[kind]);
        records[kind] = all[kind];
    }
    account.customer = customer.customer = credit.customer = invoice.customer = receipt.customer = "c";
    hold.customer = line.customer = entry.customer = request.customer = "c";
    account.currency = credit.currency = invoice.currency = receipt.currency = "EUR";
    hold.currency = line.currency = entry.currency = request.currency = "EUR";
    credit.id = invoice.id = receipt.id = hold.id = line.id = "d";
    request.request_key = "k";
    line.document_kind = CRD_KIND_CREDIT;
    line.number = 2;
    entry.seq = 7;
    entry.business_date = 100;
    entry.credit = "d";
    entry.invoice = "i";
    entry.receipt = "r";
    credit.state = CRD_CREDIT_ACTIVE;
    invoice.state = CRD_INVOICE_OPEN;
    receipt.state = CRD_RECEIPT_POSTED;
    hold.state = CRD_HOLD_HELD;
}

/* The set of kinds that pass. */
static uint32_t passing(void) {
    uint32_t set = 0;
    for (uint32_t kind = 1; kind < CRD_KIND_COUNT; kind++)
        if (crd_query_matches(&q, kind, records[kind])) set |= UINT32_C(1) << kind;
    return set;
}

#define ALL UINT32_C(0x3fe)
#define DOCUMENTS (CRD_KIND_BIT_CREDIT | CRD_KIND_BIT_INVOICE | CRD_KIND_BIT_RECEIPT | CRD_KIND_BIT_HOLD)
#define OF_ACCOUNT (CRD_KIND_BIT_ACCOUNT | DOCUMENTS | CRD_KIND_BIT_LINE | CRD_KIND_BIT_ENTRY)

START_TEST(kinds_decide_first) {
    ck_assert_uint_eq(passing(), ALL);
    q.kinds = CRD_KIND_BIT_CREDIT;
    ck_assert_uint_eq(passing(), CRD_KIND_BIT_CREDIT);
    ck_assert_int_eq(crd_query_matches(&q, 0, &credit), 0);
    ck_assert_int_eq(crd_query_matches(&q, CRD_KIND_COUNT, &credit), 0);
    ck_assert_int_eq(crd_query_matches(NULL, CRD_KIND_CREDIT, &credit), 0);
    ck_assert_int_eq(crd_query_matches(&q, CRD_KIND_CREDIT, NULL), 0);
}
END_TEST

START_TEST(texts_narrow_the_kinds_they_concern) {
    q.customer = "c";
    ck_assert_uint_eq(passing(), ALL);
    q.customer = "x";
    ck_assert_uint_eq(passing(), 0);
    q.customer = NULL;
    q.currency = "EUR";
    ck_assert_uint_eq(passing(), ALL);
    q.currency = "";
    ck_assert_uint_eq(passing(), ALL & ~OF_ACCOUNT);
    q.currency = NULL;
    q.id = "x";
    ck_assert_uint_eq(passing(), ALL & ~(DOCUMENTS | CRD_KIND_BIT_LINE));
    q.id = "d";
    q.request_key = "x";
    ck_assert_uint_eq(passing(), ALL & ~CRD_KIND_BIT_REQUEST);
    q.request_key = "k";
    ck_assert_uint_eq(passing(), ALL);
}
END_TEST

START_TEST(states_are_a_set) {
    q.states = 1u << 1;
    ck_assert_uint_eq(passing(), ALL & ~CRD_KIND_BIT_INVOICE);
    q.states = 1u << CRD_INVOICE_OPEN;
    ck_assert_uint_eq(passing() & DOCUMENTS, CRD_KIND_BIT_INVOICE);
    credit.state = 34; /* of a later version: in no set of ours */
    ck_assert_uint_eq(passing() & DOCUMENTS, CRD_KIND_BIT_INVOICE);
}
END_TEST

START_TEST(open_means_something_else_for_each_kind) {
    q.flags = CRD_QUERY_OPEN;
    ck_assert_uint_eq(passing(), ALL & ~(CRD_KIND_BIT_ACCOUNT | CRD_KIND_BIT_CREDIT | CRD_KIND_BIT_INVOICE |
                                         CRD_KIND_BIT_HOLD));
    account.open_invoices = 1;
    credit.remaining = 1;
    invoice.open = 1;
    hold.amount = 1;
    ck_assert_uint_eq(passing(), ALL);
    account.open_invoices = 0;
    account.open_credits = 1;
    invoice.open = 0;
    invoice.state = CRD_INVOICE_DRAFT;
    ck_assert_uint_eq(passing(), ALL);
    q.flags = CRD_QUERY_BOTH_OPEN | CRD_QUERY_UNACKNOWLEDGED | CRD_QUERY_FOR_WRITE; /* not for one record to say */
    ck_assert_uint_eq(passing(), ALL);
}
END_TEST

START_TEST(behind_a_key_are_accounts_and_what_belongs_to_them) {
    q.after_customer = "b";
    ck_assert_uint_eq(passing(), ALL);
    q.after_customer = "c";
    ck_assert_uint_eq(passing(), ALL); /* behind the account of currency "" */
    q.after_currency = "CHF";
    ck_assert_uint_eq(passing(), ALL);
    q.after_currency = "EUR";
    ck_assert_uint_eq(passing(), ALL & ~OF_ACCOUNT);
    q.after_customer = "d";
    q.after_currency = "";
    ck_assert_uint_eq(passing(), ALL & ~OF_ACCOUNT);
}
END_TEST

static int entry_passes(void) {
    uint32_t set = passing();
    ck_assert_uint_eq(set | CRD_KIND_BIT_ENTRY, ALL); /* nothing here concerns another kind */
    return (set & CRD_KIND_BIT_ENTRY) != 0;
}

START_TEST(entries_are_narrowed_by_range_and_by_document) {
    q.seq_from = 7;
    q.seq_to = 7;
    ck_assert(entry_passes());
    q.seq_from = 8;
    ck_assert(!entry_passes());
    q.seq_from = 0;
    q.seq_to = 6;
    ck_assert(!entry_passes());
    q.seq_to = 0;
    q.date_from = 100;
    q.date_to = 100;
    ck_assert(entry_passes());
    q.date_from = 101;
    ck_assert(!entry_passes());
    q.date_from = 0;
    q.date_to = 99;
    ck_assert(!entry_passes());
    q.date_to = 0;
    q.entry_credit = "d";
    q.entry_invoice = "i";
    q.entry_receipt = "r";
    ck_assert(entry_passes());
    q.entry_receipt = "x";
    ck_assert(!entry_passes());
    q.entry_receipt = NULL;
    q.entry_invoice = "x";
    ck_assert(!entry_passes());
    q.entry_invoice = NULL;
    q.entry_credit = "x";
    ck_assert(!entry_passes());
}
END_TEST

START_TEST(keys_name_records_and_no_others) {
    crd_key key;
    const crd_key *list = &key;
    memset(&key, 0, sizeof key);
    q.keys = &list;
    ck_assert_uint_eq(passing(), ALL); /* no keys, no condition */
    q.key_count = 1;
    key.struct_size = sizeof key;
    key.customer = "c";
    key.currency = key.id = "";
    key.kind = CRD_KIND_CUSTOMER;
    ck_assert_uint_eq(passing(), CRD_KIND_BIT_CUSTOMER);
    key.kind = CRD_KIND_ACCOUNT;
    ck_assert_uint_eq(passing(), 0);
    key.currency = "EUR";
    ck_assert_uint_eq(passing(), CRD_KIND_BIT_ACCOUNT);
    key.kind = CRD_KIND_ENTRY;
    ck_assert_uint_eq(passing(), 0);
    key.number = 7;
    ck_assert_uint_eq(passing(), CRD_KIND_BIT_ENTRY);
    key.kind = CRD_KIND_LINE;
    key.currency = "";
    key.id = "d";
    key.number = 2;
    ck_assert_uint_eq(passing(), 0);
    key.document_kind = CRD_KIND_CREDIT;
    ck_assert_uint_eq(passing(), CRD_KIND_BIT_LINE);
    key.document_kind = 0;
    key.number = 0;
    key.kind = CRD_KIND_HOLD;
    ck_assert_uint_eq(passing(), CRD_KIND_BIT_HOLD);
    key.kind = CRD_KIND_REQUEST;
    key.id = "k";
    ck_assert_uint_eq(passing(), CRD_KIND_BIT_REQUEST);
    q.customer = "x"; /* the customer narrows as well */
    ck_assert_uint_eq(passing(), 0);
}
END_TEST

START_TEST(keys_need_no_order_however_many_they_are) {
    enum { COUNT = 40 };
    static char ids[COUNT][8];
    crd_key keys[COUNT];
    const crd_key *list[COUNT];
    memset(keys, 0, sizeof keys);
    for (uint32_t i = 0; i < COUNT; i++) { /* sorted lists are searched by halves; this one is not */
        uint32_t scattered = i * 17 % COUNT; /* every id once, in no order */
        snprintf(ids[i], sizeof ids[i], "d%02u", scattered);
        keys[i].struct_size = sizeof keys[i];
        keys[i].kind = i % 2 ? CRD_KIND_CREDIT : CRD_KIND_INVOICE;
        keys[i].customer = "c";
        keys[i].currency = "";
        keys[i].id = ids[i];
        list[i] = &keys[i];
    }
    q.keys = list;
    q.key_count = COUNT;
    for (uint32_t i = 0; i < COUNT; i++) {
        credit.id = invoice.id = receipt.id = ids[i];
        ck_assert_uint_eq(passing(), i % 2 ? CRD_KIND_BIT_CREDIT : CRD_KIND_BIT_INVOICE);
    }
    credit.id = invoice.id = "d40";
    ck_assert_uint_eq(passing(), 0);
    for (uint32_t i = 0; i < COUNT; i++) { /* and this one is: by kind, then id */
        keys[i].kind = i < COUNT / 2 ? CRD_KIND_CREDIT : CRD_KIND_INVOICE;
        snprintf(ids[i], sizeof ids[i], "d%02u", i % (COUNT / 2));
    }
    for (uint32_t i = 0; i < COUNT; i++) {
        credit.id = invoice.id = ids[i];
        ck_assert_uint_eq(passing(), CRD_KIND_BIT_CREDIT | CRD_KIND_BIT_INVOICE);
    }
    credit.id = invoice.id = "d20";
    ck_assert_uint_eq(passing(), 0);
    keys[0].id = NULL; /* as "": names no credit, not every one */
    ck_assert_uint_eq(passing(), 0);
}
END_TEST

START_TEST(what_a_shorter_record_lacks_counts_as_nothing) {
    const uint32_t size = offsetof(crd_hold_record, amount);
    unsigned char *shorter = malloc(size); /* not a byte more, so that a sanitizer sees who reads it */
    hold.amount = 5;
    memcpy(shorter, &hold, size);
    memcpy(shorter, &size, sizeof size);
    q.flags = CRD_QUERY_OPEN;
    ck_assert_int_eq(crd_query_matches(&q, CRD_KIND_HOLD, &hold), 1);
    ck_assert_int_eq(crd_query_matches(&q, CRD_KIND_HOLD, shorter), 0);
    q.flags = 0;
    q.id = "d";
    ck_assert_int_eq(crd_query_matches(&q, CRD_KIND_HOLD, shorter), 1);
    free(shorter);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("query");
    TCase *tests = tcase_create("query");
    SRunner *runner;
    int failed;
    tcase_add_checked_fixture(tests, setup, NULL);
    tcase_add_test(tests, kinds_decide_first);
    tcase_add_test(tests, texts_narrow_the_kinds_they_concern);
    tcase_add_test(tests, states_are_a_set);
    tcase_add_test(tests, open_means_something_else_for_each_kind);
    tcase_add_test(tests, behind_a_key_are_accounts_and_what_belongs_to_them);
    tcase_add_test(tests, entries_are_narrowed_by_range_and_by_document);
    tcase_add_test(tests, keys_name_records_and_no_others);
    tcase_add_test(tests, keys_need_no_order_however_many_they_are);
    tcase_add_test(tests, what_a_shorter_record_lacks_counts_as_nothing);
    suite_add_tcase(suite, tests);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
