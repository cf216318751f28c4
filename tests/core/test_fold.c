/*
 * The fold and the checks of rule M1 on records alone: what contradicts itself is noticed, whatever the entry's type.
 */
#include "core/decide.h"
#include "core/fold.h"
#include "core/record.h"

#include <credit/ledger.h>
#include <credit/reconcile.h>

#include <check.h>
#include <stdlib.h>
#include <string.h>

static crd_account_record account;
static crd_credit_record credit;
static crd_invoice_record invoice;
static crd_receipt_record receipt;
static crd_hold_record hold;
static crd_customer_record customer;
static crd_entry_record entry;
static crd__records all;

static void setup(void) {
    crd__record_clear(CRD_KIND_ACCOUNT, &account);
    crd__record_clear(CRD_KIND_CREDIT, &credit);
    crd__record_clear(CRD_KIND_INVOICE, &invoice);
    crd__record_clear(CRD_KIND_RECEIPT, &receipt);
    crd__record_clear(CRD_KIND_HOLD, &hold);
    crd__record_clear(CRD_KIND_CUSTOMER, &customer);
    crd__record_clear(CRD_KIND_ENTRY, &entry);
    credit.id = "K";
    credit.kind = CRD_CREDIT_MEMO;
    credit.credit_class = CRD_CLASS_MEMO;
    credit.state = CRD_CREDIT_ACTIVE;
    credit.issued = credit.effective = credit.last_date = 100;
    credit.original = credit.remaining = 50;
    invoice.id = "I";
    invoice.kind = CRD_INVOICE_INVOICE;
    invoice.state = CRD_INVOICE_OPEN;
    invoice.total = invoice.open = 80;
    invoice.issued = invoice.last_date = 100;
    receipt.id = "R";
    receipt.state = CRD_RECEIPT_POSTED;
    hold.id = "H";
    hold.amount = 5;
    account.version = account.last_seq = 1;
    account.open_credits = account.open_invoices = 1;
    account.credit_remaining = account.available = account.issued = 50;
    account.credits_issued = 1;
    account.invoice_open = 80;
    entry.seq = 2;
    entry.business_date = 101;
    entry.amount = 20;
    memset(&all, 0, sizeof all);
    all.account = &account;
    all.credit = &credit;
    all.invoice = &invoice;
}

static crd_status fold(uint32_t type) {
    entry.type = type;
    return crd__fold(&entry, &all);
}

START_TEST(M1_an_application_moves_both_sides_and_the_account) {
    ck_assert_int_eq(fold(CRD_ENTRY_APPLY), CRD_OK);
    ck_assert_int_eq(credit.remaining, 30);
    ck_assert_int_eq(credit.applied, 20);
    ck_assert_int_eq(invoice.open, 60);
    ck_assert_int_eq(invoice.applied, 20);
    ck_assert_int_eq(account.credit_remaining, 30);
    ck_assert_int_eq(account.available, 30);
    ck_assert_int_eq(account.applied, 20);
    ck_assert_int_eq(account.invoice_open, 60);
    ck_assert_int_eq(entry.credit_after, 30);
    ck_assert_int_eq(entry.invoice_after, 60);
    ck_assert_int_eq(crd__account_check(&account), 1);
}
END_TEST

START_TEST(M1_more_than_there_is_does_not_fold) {
    static const uint32_t out_of_credit[] = {CRD_ENTRY_APPLY,    CRD_ENTRY_VOID,         CRD_ENTRY_EXPIRE,
                                             CRD_ENTRY_REFUND,   CRD_ENTRY_ADJUST_PIECE, CRD_ENTRY_TRANSFER,
                                             CRD_ENTRY_REVERSE,  CRD_ENTRY_DELETE};
    static const uint32_t back[] = {CRD_ENTRY_UNAPPLY, CRD_ENTRY_UNREFUND, CRD_ENTRY_UNADJUST, CRD_ENTRY_UNTRANSFER};
    static const uint32_t of_invoice[] = {CRD_ENTRY_WRITE_OFF, CRD_ENTRY_CUT};
    for (size_t i = 0; i < sizeof out_of_credit / sizeof out_of_credit[0]; i++) {
        setup();
        all.invoice = NULL;
        entry.amount = 51;
        ck_assert_int_eq(fold(out_of_credit[i]), CRD_E_CORRUPT);
        setup();
        entry.amount = -1;
        ck_assert_int_eq(fold(out_of_credit[i]), CRD_E_CORRUPT);
        setup();
        all.credit = NULL;
        ck_assert_int_eq(fold(out_of_credit[i]), CRD_E_CORRUPT);
    }
    for (size_t i = 0; i < sizeof back / sizeof back[0]; i++) { /* nothing ever went that way */
        setup();
        ck_assert_int_eq(fold(back[i]), CRD_E_CORRUPT);
    }
    for (size_t i = 0; i < sizeof of_invoice / sizeof of_invoice[0]; i++) {
        setup();
        entry.amount = 81;
        ck_assert_int_eq(fold(of_invoice[i]), CRD_E_CORRUPT);
        setup();
        all.invoice = NULL;
        ck_assert_int_eq(fold(of_invoice[i]), CRD_E_CORRUPT);
    }
    setup();
    ck_assert_int_eq(fold(CRD_ENTRY_UNWRITE_OFF), CRD_E_CORRUPT);
    setup();
    invoice.open = invoice.total = 10; /* the invoice has less than the credit */
    account.invoice_open = 10;
    ck_assert_int_eq(fold(CRD_ENTRY_APPLY), CRD_E_CORRUPT);
}
END_TEST

START_TEST(M1_a_receipt_has_what_was_applied_with_it) {
    all.receipt = &receipt;
    credit.applied = 20;
    credit.remaining = 30;
    invoice.applied = 20;
    invoice.open = 60;
    account.credit_remaining = account.available = 30;
    account.applied = 20;
    account.invoice_open = 60;
    ck_assert_int_eq(fold(CRD_ENTRY_UNAPPLY), CRD_E_CORRUPT); /* the receipt knows nothing of it */
    setup();
    all.receipt = &receipt;
    invoice.written_off = 20;
    invoice.open = 60;
    account.invoice_open = 60;
    ck_assert_int_eq(fold(CRD_ENTRY_UNWRITE_OFF), CRD_E_CORRUPT);
    setup();
    all.receipt = &receipt;
    receipt.applied = 1;
    ck_assert_int_eq(fold(CRD_ENTRY_RECEIPT_UNDO), CRD_E_CORRUPT);
    setup();
    all.receipt = &receipt;
    receipt.written_off = 1;
    ck_assert_int_eq(fold(CRD_ENTRY_RECEIPT_DELETE), CRD_E_CORRUPT);
    setup();
    all.receipt = &receipt;
    ck_assert_int_eq(fold(CRD_ENTRY_RECEIPT_DELETE), CRD_OK);
    ck_assert_uint_eq(credit.flags & CRD_FLAG_REVERSED, 0); /* deleted, not reversed */
    setup();
    ck_assert_int_eq(fold(CRD_ENTRY_RECEIPT_REVERSE), CRD_E_CORRUPT); /* of nothing */
}
END_TEST

/* State, cause and flags of a receipt that ended, and of the credit its money had become: money that returns later goes
 * the same way (rules M8, M13). */
START_TEST(M5_M8_M13_what_ended_a_receipt_is_told_by_its_record) {
    static const struct {
        uint32_t type, state, cause, flags, of_credit;
    } ends[] = {
        {CRD_ENTRY_RECEIPT_UNDO, CRD_RECEIPT_UNDONE, CRD_CAUSE_UNDONE, 0, CRD_FLAG_REVERSED},
        {CRD_ENTRY_RECEIPT_REVERSE, CRD_RECEIPT_REVERSED, CRD_CAUSE_REVERSED, CRD_FLAG_REVERSED, CRD_FLAG_REVERSED},
        {CRD_ENTRY_RECEIPT_DELETE, CRD_RECEIPT_DELETED, CRD_CAUSE_DELETED, CRD_FLAG_DELETED, 0},
    };
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        setup();
        all.receipt = &receipt;
        receipt.last_date = 90;
        receipt.posted_seq = 1;
        ck_assert_int_eq(fold(ends[i].type), CRD_OK);
        ck_assert_uint_eq(receipt.state, ends[i].state);
        ck_assert_uint_eq(receipt.cause, ends[i].cause);
        ck_assert_uint_eq(receipt.flags, ends[i].flags);
        ck_assert_uint_eq(credit.flags, ends[i].of_credit);
        ck_assert_int_eq(receipt.last_seq, 2);
        ck_assert_int_eq(receipt.last_date, 101);
        ck_assert_int_eq(receipt.posted_seq, 1); /* it was posted before */
        ck_assert_int_eq(credit.last_seq, 2);
        ck_assert_int_eq(credit.last_date, 101);
    }
}
END_TEST

/* What an entry touches has its number and, if it is later, its day; the command that posts a receipt goes on to the
 * entry that says so. */
START_TEST(M6_an_entry_is_the_last_of_all_it_touches) {
    all.receipt = &receipt;
    receipt.first_seq = 2;
    ck_assert_int_eq(fold(CRD_ENTRY_RECEIPT), CRD_OK);
    ck_assert_int_eq(receipt.last_seq, 2);
    ck_assert_int_eq(receipt.last_date, 101);
    ck_assert_int_eq(receipt.posted_seq, 0);
    entry.seq = 3;
    entry.business_date = 99; /* earlier than what was there: the day stays */
    entry.flags = CRD_ENTRY_POSTS_RECEIPT;
    ck_assert_int_eq(fold(CRD_ENTRY_APPLY), CRD_OK);
    ck_assert_int_eq(receipt.posted_seq, 3);
    ck_assert_int_eq(receipt.last_date, 101);
    ck_assert_int_eq(credit.last_seq, 3);
    ck_assert_int_eq(credit.last_date, 100);
    ck_assert_int_eq(invoice.last_seq, 3);
    ck_assert_int_eq(invoice.last_date, 100);
}
END_TEST

START_TEST(M7_an_account_forgets_what_time_would_take_once_nothing_is_open_or_held) {
    account.turns_on = account.usable_from = 50;
    account.lapses_at = 7;
    account.last_date = 102;
    entry.seq = 3;
    crd__fold_account(&entry, &account);
    ck_assert_int_eq(account.last_seq, 3);
    ck_assert_int_eq(account.last_date, 102);
    ck_assert_int_eq(account.turns_on, 50); /* a credit is open that may expire then */
    ck_assert_int_eq(account.usable_from, 50);
    ck_assert_int_eq(account.lapses_at, 0); /* nothing is held */
    account.open_credits = 0;
    account.credit_held = 1;
    account.lapses_at = 7;
    crd__fold_account(&entry, &account);
    ck_assert_int_eq(account.turns_on, 0);
    ck_assert_int_eq(account.usable_from, 0);
    ck_assert_int_eq(account.lapses_at, 7);
}
END_TEST

START_TEST(R63_an_entry_that_makes_a_document_comes_with_it) {
    crd_customer_record to;
    all.credit = NULL;
    ck_assert_int_eq(fold(CRD_ENTRY_ISSUE), CRD_E_CORRUPT);
    setup();
    credit.first_seq = 1; /* another entry's */
    ck_assert_int_eq(fold(CRD_ENTRY_ISSUE), CRD_E_CORRUPT);
    setup();
    all.invoice = NULL;
    ck_assert_int_eq(fold(CRD_ENTRY_INVOICE), CRD_E_CORRUPT);
    setup();
    invoice.first_seq = 1;
    ck_assert_int_eq(fold(CRD_ENTRY_INVOICE), CRD_E_CORRUPT);
    setup();
    ck_assert_int_eq(fold(CRD_ENTRY_RECEIPT), CRD_E_CORRUPT);
    all.receipt = &receipt;
    receipt.first_seq = 1;
    ck_assert_int_eq(fold(CRD_ENTRY_RECEIPT), CRD_E_CORRUPT);
    setup();
    ck_assert_int_eq(fold(CRD_ENTRY_CUSTOMER), CRD_E_CORRUPT);
    all.customer = &customer;
    customer.last_seq = 1;
    ck_assert_int_eq(fold(CRD_ENTRY_CUSTOMER), CRD_E_CORRUPT); /* neither new nor changed */
    to = customer;
    to.switches = CRD_SWITCH_FEATURE_OFF;
    all.image = &to;
    ck_assert_int_eq(fold(CRD_ENTRY_CUSTOMER), CRD_OK);
    ck_assert_uint_eq(account.switches, CRD_SWITCH_FEATURE_OFF);
    setup();
    ck_assert_int_eq(fold(CRD_ENTRY_REVISE), CRD_E_CORRUPT); /* to what? */
    setup();
    ck_assert_int_eq(fold(CRD_ENTRY_CREDIT_CHANGE), CRD_E_CORRUPT);
    setup();
    ck_assert_int_eq(fold(0), CRD_E_CORRUPT);
    setup();
    ck_assert_int_eq(fold(9999), CRD_E_CORRUPT);
    setup();
    entry.amount = -1;
    ck_assert_int_eq(fold(CRD_ENTRY_ADJUST), CRD_E_CORRUPT);
}
END_TEST

START_TEST(R66_a_changed_credit_has_new_attributes_and_the_same_money) {
    crd_credit_record to = credit;
    to.flags = CRD_FLAG_RESERVED;
    to.expires = 300;
    to.pays_kinds = 4;
    to.prefers = "I";
    to.reason = "because";
    to.original = to.remaining = 7;
    to.issued = 3;
    all.image = &to;
    all.invoice = NULL;
    ck_assert_int_eq(fold(CRD_ENTRY_CREDIT_CHANGE), CRD_OK);
    ck_assert_uint_eq(credit.flags, CRD_FLAG_RESERVED);
    ck_assert_int_eq(credit.expires, 300);
    ck_assert_uint_eq(credit.pays_kinds, 4);
    ck_assert_str_eq(credit.prefers, "I");
    ck_assert_str_eq(credit.reason, "because");
    ck_assert_int_eq(credit.original, 50);
    ck_assert_int_eq(credit.remaining, 50);
    ck_assert_int_eq(credit.issued, 100);
    ck_assert_int_eq(account.turns_on, 300);
}
END_TEST

START_TEST(M1_a_hold_takes_what_there_is) {
    all.invoice = NULL;
    ck_assert_int_eq(fold(CRD_ENTRY_HOLD), CRD_E_CORRUPT); /* no hold */
    setup();
    all.hold = &hold; /* no draft, but an invoice */
    ck_assert_int_eq(fold(CRD_ENTRY_HOLD), CRD_E_CORRUPT);
    setup();
    all.hold = &hold;
    all.invoice = NULL;
    hold.first_seq = 2;
    ck_assert_int_eq(fold(CRD_ENTRY_HOLD), CRD_E_CORRUPT); /* 5 of it, the entry says 20 */
    entry.amount = 5;
    hold.first_seq = 1;
    ck_assert_int_eq(fold(CRD_ENTRY_HOLD), CRD_E_CORRUPT); /* another entry's */
    hold.first_seq = 2;
    ck_assert_int_eq(fold(CRD_ENTRY_HOLD), CRD_OK);
    ck_assert_int_eq(credit.held, 5);
    ck_assert_int_eq(account.credit_held, 5);
    entry.amount = 6;
    ck_assert_int_eq(fold(CRD_ENTRY_RELEASE), CRD_E_CORRUPT);
    setup();
    all.hold = &hold;
    entry.amount = -1;
    ck_assert_int_eq(fold(CRD_ENTRY_LAPSE), CRD_E_CORRUPT);
    setup();
    all.hold = &hold;
    all.credit = NULL;
    ck_assert_int_eq(fold(CRD_ENTRY_LAPSE), CRD_E_CORRUPT);
    setup();
    all.hold = &hold;
    hold.invoice = "I";
    hold.first_seq = 2;
    entry.amount = 5; /* allocated to an invoice that is posted */
    ck_assert_int_eq(fold(CRD_ENTRY_HOLD), CRD_E_CORRUPT);
}
END_TEST

START_TEST(R60_a_total_that_would_leave_64_bits_does_not_fold) {
    credit.first_seq = 2;
    all.invoice = NULL;
    account.credit_remaining = INT64_MAX - 49;
    ck_assert_int_eq(fold(CRD_ENTRY_ISSUE), CRD_E_OVERFLOW);
    setup();
    credit.first_seq = 2;
    all.invoice = NULL;
    account.issued = INT64_MAX - 49;
    ck_assert_int_eq(fold(CRD_ENTRY_ISSUE), CRD_E_OVERFLOW);
    setup();
    account.applied = INT64_MAX - 19;
    ck_assert_int_eq(fold(CRD_ENTRY_APPLY), CRD_E_OVERFLOW);
    setup();
    invoice.first_seq = 2;
    account.invoice_open = INT64_MAX - 79;
    ck_assert_int_eq(fold(CRD_ENTRY_INVOICE), CRD_E_OVERFLOW);
    setup();
    credit.first_seq = 2;
    invoice.returned = INT64_MAX - 49;
    ck_assert_int_eq(fold(CRD_ENTRY_ISSUE), CRD_E_OVERFLOW);
}
END_TEST

/* ---- the checks themselves: each figure, one too far ---- */

START_TEST(M1_an_account_whose_totals_contradict_each_other_is_noticed) {
    static int64_t *const below_zero[] = {&account.acknowledged_seq, &account.open_credits,     &account.open_invoices,
                                          &account.credit_held,      &account.credit_allocated, &account.cash_remaining,
                                          &account.available,        &account.credits_issued,   &account.issued,
                                          &account.applied};
    for (size_t i = 0; i < sizeof below_zero / sizeof below_zero[0]; i++) {
        setup();
        ck_assert_int_eq(crd__account_check(&account), 1);
        *below_zero[i] = -1;
        ck_assert_int_eq(crd__account_check(&account), 0);
    }
    setup();
    account.version = 0;
    ck_assert_int_eq(crd__account_check(&account), 0);
    setup();
    account.last_seq = 0;
    ck_assert_int_eq(crd__account_check(&account), 0);
    setup();
    account.acknowledged_seq = 2;
    ck_assert_int_eq(crd__account_check(&account), 0);
    setup();
    account.credit_held = 20;
    account.credit_allocated = 30;
    account.available = 0;
    ck_assert_int_eq(crd__account_check(&account), 1);
    account.credit_allocated = 31;
    ck_assert_int_eq(crd__account_check(&account), 0);
    account.credit_allocated = 0;
    account.credit_held = 51;
    ck_assert_int_eq(crd__account_check(&account), 0);
    setup();
    account.credit_held = 1; /* and it is available too */
    ck_assert_int_eq(crd__account_check(&account), 0);
    setup();
    account.cash_remaining = 51;
    ck_assert_int_eq(crd__account_check(&account), 0);
    setup();
    account.open_credits = 0;
    ck_assert_int_eq(crd__account_check(&account), 0);
    setup();
    account.open_invoices = 0;
    ck_assert_int_eq(crd__account_check(&account), 0);
    setup();
    account.invoice_open = -1;
    ck_assert_int_eq(crd__account_check(&account), 0);
    setup();
    account.credit_remaining = account.available = -1;
    ck_assert_int_eq(crd__account_check(&account), 0);
}
END_TEST

START_TEST(M1_a_credit_whose_shares_exceed_the_whole_is_noticed) {
    struct {
        int64_t *figure, last_good;
    } const cases[] = {{&credit.held, 50}, {&credit.allocated, 50}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        setup();
        *cases[i].figure = cases[i].last_good;
        ck_assert_int_eq(crd__credit_check(&credit), 1);
        *cases[i].figure = cases[i].last_good + 1;
        ck_assert_int_eq(crd__credit_check(&credit), 0);
        *cases[i].figure = -1;
        ck_assert_int_eq(crd__credit_check(&credit), 0);
    }
    for (int i = 0; i < 3; i++) {
        int64_t *part = i == 0 ? &credit.applied_outside : i == 1 ? &credit.applied_by_receipt : &credit.reversed_own;
        setup();
        credit.remaining = 0;
        credit.state = CRD_CREDIT_SPENT;
        credit.applied = 30;
        credit.reversed = 20;
        *part = i == 2 ? 20 : 30;
        ck_assert_int_eq(crd__credit_check(&credit), 1);
        *part += 1;
        ck_assert_int_eq(crd__credit_check(&credit), 0);
        *part = -1;
        ck_assert_int_eq(crd__credit_check(&credit), 0);
    }
    for (int i = 0; i < 8; i++) { /* a negative share, beside others that sum to the whole */
        int64_t *parts[] = {&credit.applied, &credit.refunded, &credit.voided,      &credit.reversed,
                            &credit.expired, &credit.adjusted, &credit.transferred, &credit.deleted};
        setup();
        *parts[i] = -1;
        ck_assert_int_eq(crd__credit_check(&credit), 0);
        credit.remaining += 1;
        ck_assert_int_eq(crd__credit_check(&credit), 0);
    }
    setup();
    credit.remaining = INT64_MAX;
    credit.applied = 1; /* their sum has no 64 bits */
    ck_assert_int_eq(crd__credit_check(&credit), 0);
    setup();
    credit.original = 51;
    ck_assert_int_eq(crd__credit_check(&credit), 0);
}
END_TEST

START_TEST(M1_M5_an_invoice_whose_figures_contradict_its_state_is_noticed) {
    static const struct {
        uint32_t state;
        int64_t total, open, applied, written_off, cancelled, allocated;
        int good;
    } cases[] = {
        {CRD_INVOICE_DRAFT, 80, 0, 0, 0, 0, 30, 1},     {CRD_INVOICE_DRAFT, 80, 80, 0, 0, 0, 0, 0},
        {CRD_INVOICE_CANCELLED, 80, 0, 0, 0, 0, 0, 1},  {CRD_INVOICE_CANCELLED, 80, 0, 0, 0, 80, 0, 0},
        {CRD_INVOICE_OPEN, 80, 30, 50, 0, 0, 0, 1},     {CRD_INVOICE_OPEN, 80, 30, 49, 0, 0, 0, 0},
        {CRD_INVOICE_OPEN, 80, 0, 80, 0, 0, 0, 0},      {CRD_INVOICE_OPEN, 80, 30, 50, 0, 0, 1, 0},
        {CRD_INVOICE_PAID, 80, 0, 80, 0, 0, 0, 1},      {CRD_INVOICE_PAID, 80, 1, 79, 0, 0, 0, 0},
        {CRD_INVOICE_PAID, 80, 0, 79, 0, 0, 0, 0},      {CRD_INVOICE_PAID, 80, 0, 80, 0, 0, 1, 0},
        {CRD_INVOICE_WRITTEN_OFF, 80, 0, 60, 20, 0, 0, 1}, {CRD_INVOICE_VOIDED, 80, 0, 0, 0, 80, 0, 1},
        {CRD_INVOICE_PAID, 0, 0, 0, 0, 0, 0, 1},        {CRD_INVOICE_PAID, 80, 0, 81, -1, 0, 0, 0},
        {CRD_INVOICE_PAID, 0, 0, INT64_MAX, 1, 0, 0, 0}, {99, 80, 80, 0, 0, 0, 0, 0},
        {CRD_INVOICE_DRAFT, 80, 0, 0, 0, 0, -1, 0},     {CRD_INVOICE_DRAFT, -1, 0, 0, 0, 0, 0, 0},
        {CRD_INVOICE_OPEN, 80, 80, -1, 0, 0, 0, 0},     {CRD_INVOICE_PAID, 80, -1, 80, 0, 0, 0, 0},
        {CRD_INVOICE_PAID, 80, 0, 80, -1, 0, 0, 0},     {CRD_INVOICE_PAID, 80, 0, 80, 0, -1, 0, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        setup();
        invoice.state = cases[i].state;
        invoice.total = cases[i].total;
        invoice.open = cases[i].open;
        invoice.applied = cases[i].applied;
        invoice.written_off = cases[i].written_off;
        invoice.cancelled = cases[i].cancelled;
        invoice.allocated = cases[i].allocated;
        ck_assert_msg(crd__invoice_check(&invoice) == cases[i].good, "case %lu", (unsigned long)i);
    }
    setup();
    invoice.returned = -1;
    ck_assert_int_eq(crd__invoice_check(&invoice), 0);
    invoice.returned = 5;
    invoice.returned_tax = 5;
    ck_assert_int_eq(crd__invoice_check(&invoice), 1);
    invoice.returned_tax = 6;
    ck_assert_int_eq(crd__invoice_check(&invoice), 0);
    invoice.returned_tax = -1;
    ck_assert_int_eq(crd__invoice_check(&invoice), 0);
}
END_TEST

START_TEST(M6_an_invoice_is_voided_on_a_day_its_documents_allow) {
    crd__when when;
    crd__decision out;
    crd__refusal why;
    memset(&when, 0, sizeof when);
    memset(&out, 0, sizeof out);
    when.date = 99;
    when.direct = 1;
    ck_assert_int_eq(crd__decide_invoice_void(&invoice, &when, &out, &why), CRD_E_DATE);
    ck_assert_int_eq(why.limit, 100);
    ck_assert_uint_eq(out.count, 0);
    when.date = 100;
    ck_assert_int_eq(crd__decide_invoice_void(&invoice, &when, &out, &why), CRD_OK);
    ck_assert_int_eq(out.moves[0].amount, 80);
}
END_TEST

/* ---- order (rule M15) ---- */

START_TEST(M15_what_may_be_lost_first_is_spent_first) {
    static const uint32_t in_order[] = {CRD_CLASS_PROMISE, CRD_CLASS_ADJUSTMENT, CRD_CLASS_MEMO, CRD_CLASS_CASH};
    for (int32_t i = 0; i < 4; i++) {
        credit.credit_class = in_order[i];
        ck_assert_int_eq(crd__order_credit(CRD_ORDER_CLASS, &credit), i);
    }
    credit.credit_class = CRD_CLASS_OPENING;
    credit.kind = CRD_CREDIT_OPENING;
    credit.stands_for = CRD_CREDIT_GOODWILL;
    ck_assert_int_eq(crd__order_credit(CRD_ORDER_CLASS, &credit), 0);
    ck_assert_int_eq(crd__order_credit(CRD_ORDER_KIND, &credit), CRD_CREDIT_GOODWILL);
    credit.stands_for = 0;
    ck_assert_int_eq(crd__order_credit(CRD_ORDER_KIND, &credit), CRD_CREDIT_OPENING);
    ck_assert_int_eq(crd__order_credit(CRD_ORDER_EXPIRY, &credit), INT32_MAX);
    credit.expires = 9;
    ck_assert_int_eq(crd__order_credit(CRD_ORDER_EXPIRY, &credit), 9);
    ck_assert_int_eq(crd__order_credit(CRD_ORDER_EFFECTIVE, &credit), 100);
    ck_assert_int_eq(crd__order_credit(CRD_ORDER_DUE, &credit), 0);        /* no key of credits */
    ck_assert_int_eq(crd__order_invoice(CRD_ORDER_PRIORITY, &invoice), 0); /* nor of invoices */
    ck_assert_int_eq(crd__order_invoice(CRD_ORDER_DUE, &invoice), 100);
    ck_assert_int_eq(crd__order_known(0), 0);
    ck_assert_int_eq(crd__order_known(CRD_ORDER_DUE), 1);
    ck_assert_int_eq(crd__order_known(CRD_ORDER_DUE + 1), 0);
    ck_assert_str_eq(crd_left_text(UINT32_MAX), "?");
}
END_TEST

int main(void) {
    Suite *suite = suite_create("fold");
    TCase *tests = tcase_create("fold");
    SRunner *runner;
    int failed;
    tcase_add_checked_fixture(tests, setup, NULL);
    tcase_add_test(tests, M1_an_application_moves_both_sides_and_the_account);
    tcase_add_test(tests, M1_more_than_there_is_does_not_fold);
    tcase_add_test(tests, M1_a_receipt_has_what_was_applied_with_it);
    tcase_add_test(tests, M5_M8_M13_what_ended_a_receipt_is_told_by_its_record);
    tcase_add_test(tests, M6_an_entry_is_the_last_of_all_it_touches);
    tcase_add_test(tests, M7_an_account_forgets_what_time_would_take_once_nothing_is_open_or_held);
    tcase_add_test(tests, R63_an_entry_that_makes_a_document_comes_with_it);
    tcase_add_test(tests, R66_a_changed_credit_has_new_attributes_and_the_same_money);
    tcase_add_test(tests, M1_a_hold_takes_what_there_is);
    tcase_add_test(tests, R60_a_total_that_would_leave_64_bits_does_not_fold);
    tcase_add_test(tests, M1_an_account_whose_totals_contradict_each_other_is_noticed);
    tcase_add_test(tests, M1_a_credit_whose_shares_exceed_the_whole_is_noticed);
    tcase_add_test(tests, M1_M5_an_invoice_whose_figures_contradict_its_state_is_noticed);
    tcase_add_test(tests, M6_an_invoice_is_voided_on_a_day_its_documents_allow);
    tcase_add_test(tests, M15_what_may_be_lost_first_is_spent_first);
    suite_add_tcase(suite, tests);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
