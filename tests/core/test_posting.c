/*
 * Rule M17, cell by cell: the postings each action has for each class, as the rule's table says them.
 */
#include "core/posting.h"

#include "core/decide.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AR CRD_GL_RECEIVABLE
#define DEP CRD_GL_DEPOSITS
#define CRO CRD_GL_CREDITS
#define BANK CRD_GL_BANK
#define RET CRD_GL_RETURNS
#define TAX CRD_GL_TAX
#define PROMO CRD_GL_PROMOTION
#define ADJ CRD_GL_ADJUSTMENT
#define OPN CRD_GL_OPENING
#define EXT CRD_GL_OUTSIDE
#define BRK CRD_GL_BREAKAGE
#define SALES CRD_GL_SALES
#define FIN CRD_GL_CHARGES
#define DEBIT CRD_GL_DEBIT_MEMO
#define BAD CRD_GL_BAD_DEBT
#define SMALL CRD_GL_SMALL
#define DISC CRD_GL_DISCOUNT

static crd_entry_record entry(uint32_t type, int64_t amount) {
    crd_entry_record e;
    memset(&e, 0, sizeof e);
    e.struct_size = sizeof e;
    e.type = type;
    e.amount = amount;
    e.customer = "X";
    e.other_customer = "Y";
    e.currency = "EUR";
    e.credit = e.invoice = e.receipt = "";
    return e;
}

/* A credit of 100, a memo of it with 19 of tax. */
static crd_credit_record credit(uint32_t kind, uint32_t stands_for) {
    crd_credit_record c;
    memset(&c, 0, sizeof c);
    c.struct_size = sizeof c;
    c.kind = kind;
    c.stands_for = stands_for;
    c.credit_class = crd__credit_class(kind);
    c.original = c.remaining = 100;
    c.tax = c.credit_class == CRD_CLASS_MEMO ? 19 : 0;
    return c;
}

static crd_invoice_record invoice(uint32_t kind, int64_t total, int64_t tax) {
    crd_invoice_record i;
    memset(&i, 0, sizeof i);
    i.struct_size = sizeof i;
    i.kind = kind;
    i.state = CRD_INVOICE_OPEN;
    i.total = i.open = total;
    i.tax = tax;
    return i;
}

/* One expected leg. */
typedef struct want {
    uint32_t role;
    int64_t amount;
    uint32_t other;
} want;

static void posts(const crd__posted *posted, const want *wanted, uint32_t count, const char *what) {
    crd__leg legs[CRD__LEGS];
    uint32_t found = crd__post(posted, legs);
    int64_t sum = 0;
    ck_assert_msg(found == count, "%s: %u postings, not %u", what, found, count);
    for (uint32_t n = 0; n < count; n++) {
        uint32_t at = 0;
        while (at < found && legs[at].role != wanted[n].role) at++;
        while (at + 1 < found && legs[at].amount != wanted[n].amount && legs[at + 1].role == wanted[n].role) at++;
        ck_assert_msg(at < found, "%s: nothing is posted to %u", what, wanted[n].role);
        ck_assert_msg(legs[at].amount == wanted[n].amount && legs[at].other == wanted[n].other,
                      "%s: %lld to %u, not %lld", what, (long long)legs[at].amount, wanted[n].role,
                      (long long)wanted[n].amount);
    }
    for (uint32_t n = 0; n < found; n++) sum += legs[n].amount;
    ck_assert_msg(sum == 0, "%s: the postings are %lld apart", what, (long long)sum);
}

static void of_credit(const crd_entry_record *e, const crd_credit_record *c, const want *wanted, uint32_t count,
                      const char *what) {
    crd__posted p;
    memset(&p, 0, sizeof p);
    p.entry = e;
    p.credit = c;
    posts(&p, wanted, count, what);
}

static void of_invoice(const crd_entry_record *e, const crd_invoice_record *i, int64_t total_before,
                       int64_t tax_before, const want *wanted, uint32_t count, const char *what) {
    crd__posted p;
    memset(&p, 0, sizeof p);
    p.entry = e;
    p.invoice = i;
    p.total_before = total_before;
    p.tax_before = tax_before;
    posts(&p, wanted, count, what);
}

#define WANT(...) (const want[]){__VA_ARGS__}, (uint32_t)(sizeof((const want[]){__VA_ARGS__}) / sizeof(want))

/* The columns of the rule's table. An opening balance is told twice: what it stands for decides the liability. */
static const struct column {
    const char *name;
    uint32_t kind, stands_for;
    uint32_t liability, source, voids, expires;
} columns[] = {
    {"cash", CRD_CREDIT_PAYMENT, 0, DEP, BANK, BRK, BRK},
    {"memo", CRD_CREDIT_MEMO, 0, CRO, RET, RET, BRK},
    {"reversed invoice", CRD_CREDIT_REVERSED_INVOICE, 0, CRO, RET, RET, BRK},
    {"promise", CRD_CREDIT_GOODWILL, 0, CRO, PROMO, PROMO, PROMO},
    {"adjustment", CRD_CREDIT_ADJUSTMENT, 0, CRO, ADJ, ADJ, ADJ},
    {"opening cash", CRD_CREDIT_OPENING, CRD_CREDIT_DEPOSIT, DEP, OPN, OPN, BRK},
    {"opening memo", CRD_CREDIT_OPENING, CRD_CREDIT_MEMO, CRO, OPN, OPN, BRK},
};
#define COLUMNS (int)(sizeof columns / sizeof columns[0])

START_TEST(M17_R68_every_action_on_a_credit_posts_what_the_table_says) {
    const struct column *k = &columns[_i];
    crd_credit_record c = credit(k->kind, k->stands_for);
    int64_t tax = c.tax, net = 100 - tax;
    crd_entry_record e = entry(CRD_ENTRY_ISSUE, 100);
    uint32_t with = tax != 0 ? 3 : 2; /* the tax posting falls away where there is none */
    of_credit(&e, &c, (const want[]){{k->source, net, 0}, {k->liability, -100, 0}, {TAX, tax, 0}}, with, k->name);
    e = entry(CRD_ENTRY_APPLY, 30);
    e.invoice = "I";
    of_credit(&e, &c, WANT({k->liability, 30, 0}, {AR, -30, 0}), k->name);
    e.type = CRD_ENTRY_UNAPPLY;
    of_credit(&e, &c, WANT({AR, 30, 0}, {k->liability, -30, 0}), k->name);
    e.invoice = "";
    of_credit(&e, &c, WANT({EXT, 30, 0}, {k->liability, -30, 0}), k->name);
    e.type = CRD_ENTRY_APPLY;
    of_credit(&e, &c, WANT({k->liability, 30, 0}, {EXT, -30, 0}), k->name);
    e.type = CRD_ENTRY_REFUND;
    of_credit(&e, &c, WANT({k->liability, 30, 0}, {BANK, -30, 0}), k->name);
    e.type = CRD_ENTRY_UNREFUND;
    of_credit(&e, &c, WANT({BANK, 30, 0}, {k->liability, -30, 0}), k->name);
    e.type = CRD_ENTRY_EXPIRE;
    of_credit(&e, &c, WANT({k->liability, 30, 0}, {k->expires, -30, 0}), k->name);
    e.type = CRD_ENTRY_ADJUST_PIECE;
    of_credit(&e, &c, WANT({k->liability, 30, 0}, {ADJ, -30, 0}), k->name);
    e.type = CRD_ENTRY_UNADJUST;
    of_credit(&e, &c, WANT({ADJ, 30, 0}, {k->liability, -30, 0}), k->name);
    e = entry(CRD_ENTRY_VOID, 100);
    c.voided = 100;
    of_credit(&e, &c, (const want[]){{k->liability, 100, 0}, {k->voids, -net, 0}, {TAX, -tax, 0}}, with, k->name);
    e = entry(CRD_ENTRY_DELETE, 100);
    c.voided = 0;
    c.deleted = 100;
    of_credit(&e, &c, (const want[]){{k->liability, 100, 0}, {k->source, -net, 0}, {TAX, -tax, 0}}, with, k->name);
}
END_TEST

START_TEST(M17_a_transfer_posts_once_for_both_customers) {
    const struct column *k = &columns[_i];
    crd_credit_record c = credit(k->kind, k->stands_for);
    crd_entry_record e = entry(CRD_ENTRY_TRANSFER, 40);
    crd__posted p;
    memset(&p, 0, sizeof p);
    p.entry = &e;
    p.credit = &c;
    posts(&p, WANT({k->liability, 40, 0}, {k->liability, -40, 1}), k->name);
    p.both_ends = 1;
    posts(&p, WANT({k->liability, 40, 0}, {k->liability, -40, 1}), k->name);
    c.flags = CRD_FLAG_TRANSFERRED_IN; /* the taking end: only when the other is not looked at */
    c.original = 40;
    e = entry(CRD_ENTRY_ISSUE, 40);
    posts(&p, WANT({k->liability, 40, 1}, {k->liability, -40, 0}), k->name);
    p.both_ends = 0;
    posts(&p, NULL, 0, k->name);
    c.flags = 0;
    e = entry(CRD_ENTRY_UNTRANSFER, 40);
    posts(&p, NULL, 0, k->name);
    p.both_ends = 1;
    posts(&p, WANT({k->liability, 40, 1}, {k->liability, -40, 0}), k->name);
}
END_TEST

START_TEST(M17_M13_a_bounced_payment_takes_the_whole_of_it_from_the_bank) {
    crd_credit_record c = credit(CRD_CREDIT_PAYMENT, 0);
    crd_invoice_record memo = invoice(CRD_INVOICE_DEBIT_MEMO, 5, 0);
    crd_entry_record e = entry(CRD_ENTRY_REVERSE, 75);
    of_credit(&e, &c, WANT({DEP, 75, 0}, {BANK, -75, 0}), "what was left");
    e = entry(CRD_ENTRY_INVOICE, 5);
    memo.flags = CRD_FLAG_OWN_DOCUMENT;
    memo.origin = "P";
    of_invoice(&e, &memo, 0, 0, WANT({AR, 5, 0}, {BANK, -5, 0}), "the debit memo");
    e = entry(CRD_ENTRY_RECEIPT_REVERSE, 100);
    c.expired = 8;
    c.voided = 7;
    c.adjusted = 5;
    of_credit(&e, &c, WANT({BRK, 15, 0}, {ADJ, 5, 0}, {BANK, -20, 0}), "what had become income");
    e.type = CRD_ENTRY_RECEIPT_UNDO;
    of_credit(&e, &c, WANT({BRK, 15, 0}, {ADJ, 5, 0}, {BANK, -20, 0}), "what had, of money that never was");
    c.expired = c.voided = c.adjusted = 0;
    of_credit(&e, &c, NULL, 0, "nothing had become income");
}
END_TEST

START_TEST(M17_M13_undoing_a_refund_of_a_bounced_payment_cuts_the_debit_memo) {
    crd_credit_record c = credit(CRD_CREDIT_PAYMENT, 0);
    crd_invoice_record memo = invoice(CRD_INVOICE_DEBIT_MEMO, 5, 0);
    crd_entry_record e = entry(CRD_ENTRY_UNREFUND, 5);
    of_credit(&e, &c, WANT({BANK, 5, 0}, {DEP, -5, 0}), "the money comes back");
    c.flags = CRD_FLAG_REVERSED;
    e = entry(CRD_ENTRY_REVERSE, 5);
    of_credit(&e, &c, WANT({DEP, 5, 0}, {AR, -5, 0}), "and pays what was charged");
    {
        crd__posted back;
        memset(&back, 0, sizeof back);
        back.entry = &e;
        back.credit = &c;
        back.previous = CRD_ENTRY_UNADJUST; /* the bounce had charged adjustments with it */
        posts(&back, WANT({DEP, 5, 0}, {ADJ, -5, 0}), "an adjustment undone");
    }
    e = entry(CRD_ENTRY_CUT, 5);
    memo.flags = CRD_FLAG_OWN_DOCUMENT;
    of_invoice(&e, &memo, 0, 0, NULL, 0, "the cut is posted already");
}
END_TEST

static const struct {
    uint32_t kind, flags, income;
} incomes[] = {
    {CRD_INVOICE_INVOICE, 0, SALES},
    {CRD_INVOICE_FINANCE_CHARGE, 0, FIN},
    {CRD_INVOICE_FEE, 0, FIN},
    {CRD_INVOICE_DEBIT_MEMO, 0, DEBIT},
    {CRD_INVOICE_INVOICE, CRD_FLAG_OPENING, OPN},
    {CRD_INVOICE_FEE, CRD_FLAG_OPENING, OPN},
};

START_TEST(M17_R82_an_invoice_posts_its_income_and_its_tax) {
    uint32_t income = incomes[_i].income;
    int64_t tax = income == OPN ? 0 : 19; /* an opening balance was taxed by the older system */
    uint32_t with = tax != 0 ? 3 : 2;
    crd_invoice_record i = invoice(incomes[_i].kind, 119, 19);
    crd_entry_record e = entry(CRD_ENTRY_INVOICE, 119);
    const want sent[] = {{AR, 119, 0}, {income, tax - 119, 0}, {TAX, -tax, 0}};
    const want gone[] = {{AR, -119, 0}, {income, 119 - tax, 0}, {TAX, tax, 0}};
    i.flags = incomes[_i].flags;
    of_invoice(&e, &i, 0, 0, sent, with, "entered");
    e.type = CRD_ENTRY_SEND;
    of_invoice(&e, &i, 0, 0, sent, with, "sent");
    e.type = CRD_ENTRY_INVOICE_VOID;
    i.state = CRD_INVOICE_VOIDED;
    i.cancelled = 119;
    of_invoice(&e, &i, 0, 0, gone, with, "voided");
    i.state = CRD_INVOICE_CANCELLED;
    e.amount = 0;
    of_invoice(&e, &i, 0, 0, NULL, 0, "a draft given up");
    i.state = CRD_INVOICE_DRAFT;
    e.type = CRD_ENTRY_INVOICE;
    of_invoice(&e, &i, 0, 0, NULL, 0, "a draft");
    e.type = CRD_ENTRY_REVISE;
    of_invoice(&e, &i, 50, 5, NULL, 0, "a draft revised");
}
END_TEST

START_TEST(M17_M12_R82_a_revision_posts_what_it_changed) {
    crd_invoice_record i = invoice(CRD_INVOICE_INVOICE, 119, 19);
    crd_entry_record e = entry(CRD_ENTRY_REVISE, 0);
    of_invoice(&e, &i, 100, 16, WANT({AR, 19, 0}, {SALES, -16, 0}, {TAX, -3, 0}), "up");
    of_invoice(&e, &i, 238, 38, WANT({AR, -119, 0}, {RET, 100, 0}, {TAX, 19, 0}), "down");
    of_invoice(&e, &i, 119, 0, WANT({SALES, 19, 0}, {TAX, -19, 0}), "only the tax");
    of_invoice(&e, &i, 119, 19, NULL, 0, "only its text");
    of_invoice(&e, &i, 110, 28, WANT({AR, 9, 0}, {SALES, -18, 0}, {TAX, 9, 0}), "up, the tax down");
    i.flags = CRD_FLAG_OPENING;
    of_invoice(&e, &i, 100, 19, WANT({AR, 19, 0}, {OPN, -19, 0}), "an opening balance up");
    of_invoice(&e, &i, 219, 35, WANT({AR, -100, 0}, {RET, 84, 0}, {TAX, 16, 0}), "an opening balance down");
    i = invoice(CRD_INVOICE_FEE, 20, 0);
    of_invoice(&e, &i, 15, 0, WANT({AR, 5, 0}, {FIN, -5, 0}), "a fee up");
    of_invoice(&e, &i, 25, 0, WANT({AR, -5, 0}, {RET, 5, 0}), "a fee down");
}
END_TEST

START_TEST(M17_a_write_off_posts_its_cause) {
    static const uint32_t causes[][2] = {
        {CRD_CAUSE_WRITTEN_OFF, BAD}, {CRD_CAUSE_TOLERANCE, SMALL}, {CRD_CAUSE_DISCOUNT, DISC}};
    crd_invoice_record i = invoice(CRD_INVOICE_INVOICE, 100, 19);
    for (size_t n = 0; n < 3; n++) {
        crd_entry_record e = entry(CRD_ENTRY_WRITE_OFF, 3);
        e.cause = causes[n][0];
        of_invoice(&e, &i, 0, 0, WANT({causes[n][1], 3, 0}, {AR, -3, 0}), "written off");
        e.type = CRD_ENTRY_UNWRITE_OFF;
        of_invoice(&e, &i, 0, 0, WANT({AR, 3, 0}, {causes[n][1], -3, 0}), "recovered");
    }
}
END_TEST

START_TEST(M17_what_moves_no_money_posts_nothing) {
    static const uint32_t types[] = {
        CRD_ENTRY_CUSTOMER, CRD_ENTRY_SWITCHES,     CRD_ENTRY_RECEIPT, CRD_ENTRY_RECEIPT_UNDO,
        CRD_ENTRY_HOLD,     CRD_ENTRY_RELEASE,      CRD_ENTRY_LAPSE,   CRD_ENTRY_CAPTURE,
        CRD_ENTRY_ADJUST,   CRD_ENTRY_CREDIT_CHANGE, CRD_ENTRY_CUT,    CRD_ENTRY_RECEIPT_DELETE,
    };
    crd_credit_record c = credit(CRD_CREDIT_PAYMENT, 0);
    crd_invoice_record i = invoice(CRD_INVOICE_INVOICE, 100, 0);
    crd_entry_record e = entry(types[_i], 10);
    crd__posted p;
    crd__leg legs[CRD__LEGS];
    memset(&p, 0, sizeof p);
    p.entry = &e;
    ck_assert_uint_eq(crd__post(&p, legs), 0);
    p.credit = &c;
    p.invoice = &i;
    ck_assert_uint_eq(crd__post(&p, legs), 0);
}
END_TEST

/* However a memo is voided, piece by piece, its tax is given back exactly, and no piece gives back more than it is. */
START_TEST(M17_M12_R82_the_tax_of_parts_sums_to_the_tax_of_the_memo) {
    uint64_t state = 20260115;
    for (int run = 0; run < 2000; run++) {
        crd_credit_record c = credit(CRD_CREDIT_MEMO, 0);
        int64_t sums[CRD_GL_ROLES] = {0}, big = run % 10 == 0 ? CRD_MAX_AMOUNT / 1000 : 1;
        crd__posted p;
        memset(&p, 0, sizeof p);
        state = state * UINT64_C(6364136223846793005) + 1442695040888963407u;
        c.original = big * (int64_t)(1 + (state >> 33) % 500);
        c.tax = (int64_t)((state >> 2) % (uint64_t)(c.original + 1));
        p.credit = &c;
        while (c.voided + c.deleted < c.original) {
            crd_entry_record e = entry(run % 3 ? CRD_ENTRY_VOID : CRD_ENTRY_DELETE, 0);
            crd__leg legs[CRD__LEGS];
            uint32_t count;
            int64_t tax = 0, left = c.original - c.voided - c.deleted;
            state = state * UINT64_C(6364136223846793005) + 1442695040888963407u;
            e.amount = 1 + (int64_t)((state >> 2) % (uint64_t)left);
            if (run % 3) c.voided += e.amount;
            else c.deleted += e.amount;
            p.entry = &e;
            count = crd__post(&p, legs);
            for (uint32_t n = 0; n < count; n++) {
                sums[legs[n].role] += legs[n].amount;
                if (legs[n].role == TAX) tax = -legs[n].amount;
            }
            ck_assert_int_ge(tax, 0);
            ck_assert_int_le(tax, e.amount);
        }
        ck_assert_int_eq(sums[CRO], c.original);
        ck_assert_int_eq(sums[TAX], -c.tax);
        ck_assert_int_eq(sums[RET], c.tax - c.original);
    }
}
END_TEST

START_TEST(M12_a_tie_of_tax_goes_to_the_part_that_moves) {
    crd_credit_record c = credit(CRD_CREDIT_MEMO, 0);
    crd_entry_record e = entry(CRD_ENTRY_VOID, 50);
    c.tax = 1;
    c.voided = 50;
    of_credit(&e, &c, WANT({CRO, 50, 0}, {RET, -49, 0}, {TAX, -1, 0}), "the first half");
    c.voided = 100;
    of_credit(&e, &c, WANT({CRO, 50, 0}, {RET, -50, 0}), "the second half");
}
END_TEST

static Suite *make(void) {
    Suite *s = suite_create("posting");
    TCase *t = tcase_create("posting");
    tcase_add_loop_test(t, M17_R68_every_action_on_a_credit_posts_what_the_table_says, 0, COLUMNS);
    tcase_add_loop_test(t, M17_a_transfer_posts_once_for_both_customers, 0, COLUMNS);
    tcase_add_test(t, M17_M13_a_bounced_payment_takes_the_whole_of_it_from_the_bank);
    tcase_add_test(t, M17_M13_undoing_a_refund_of_a_bounced_payment_cuts_the_debit_memo);
    tcase_add_loop_test(t, M17_R82_an_invoice_posts_its_income_and_its_tax, 0, 6);
    tcase_add_test(t, M17_M12_R82_a_revision_posts_what_it_changed);
    tcase_add_test(t, M17_a_write_off_posts_its_cause);
    tcase_add_loop_test(t, M17_what_moves_no_money_posts_nothing, 0, 12);
    tcase_add_test(t, M17_M12_R82_the_tax_of_parts_sums_to_the_tax_of_the_memo);
    tcase_add_test(t, M12_a_tie_of_tax_goes_to_the_part_that_moves);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    SRunner *runner = srunner_create(make());
    int failed;
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
