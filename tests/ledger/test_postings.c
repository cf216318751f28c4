/*
 * Postings and their export (R68, M17): what a walk tells, how it is narrowed, the text for each program, and how either
 * fails. What the programs themselves make of the text is tested by gl_tools.sh, which runs the case that writes books.
 */
#include "support/scene.h"
#include "support/ties.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- words ---- */

static crd_posting_spec spec_of(const char *who, const char *currency) {
    crd_posting_spec s;
    memset(&s, 0, sizeof s);
    s.struct_size = sizeof s;
    s.customer = who;
    s.currency = currency;
    return s;
}

static crd_postings *walk_open(crd_ledger *ledger, const crd_posting_spec *spec) {
    crd_postings *out = NULL;
    ENDS(ledger, crd_postings_open(ledger, spec, &out), CRD_OK);
    return out;
}

static const crd_posting *walk_next(crd_ledger *ledger, crd_postings *postings) {
    const crd_posting *out = NULL;
    ENDS(ledger, crd_postings_next(postings, &out), CRD_OK);
    return out;
}

/* A walk as text: "TYPE role amount" of each posting, entries on lines of their own. To be freed. */
static char *told(crd_ledger *ledger, const crd_posting_spec *spec) {
    static const char *const roles[CRD_GL_ROLES] = {"AR",  "DEP", "CRO",   "BANK", "RET",   "TAX", "PROMO", "ADJ", "OPN",
                                                    "EXT", "BRK", "SALES", "FIN",  "DEBIT", "BAD", "SMALL", "DISC"};
    char *text = calloc(1, 20000);
    size_t used = 0;
    crd_postings *postings = walk_open(ledger, spec);
    for (const crd_posting *p = walk_next(ledger, postings); p != NULL; p = walk_next(ledger, postings)) {
        ck_assert_str_eq(p->currency, p->entry->currency);
        ck_assert_int_eq(p->date, p->entry->business_date);
        if (p->number == 0)
            used += (size_t)snprintf(text + used, 20000 - used, "%s%s", used > 0 ? "\n" : "", crd_entry_name(p->entry->type));
        used += (size_t)snprintf(text + used, 20000 - used, " %s %+lld", roles[p->role], (long long)p->amount);
        if (strcmp(p->customer, p->entry->customer) != 0)
            used += (size_t)snprintf(text + used, 20000 - used, " (%s)", p->customer);
    }
    crd_postings_close(postings);
    return text;
}

static void tells(world *w, const char *who, const char *expected) {
    crd_posting_spec s = spec_of(who, "EUR");
    char *text = told(w->ledger, &s);
    ck_assert_msg(strcmp(text, expected) == 0, "it tells\n%s\ninstead of\n%s", text, expected);
    free(text);
}

typedef struct sheet {
    char *text;
    uint64_t size, stop_at; /* stop_at: pieces that are taken before it says stop; 0: never */
    uint64_t pieces;
    crd_ledger *call; /* called from inside, to see that it is refused */
} sheet;

static int32_t CRD_CALL take_text(void *ctx, const char *text, uint64_t size) {
    sheet *s = ctx;
    if (s->call != NULL) ck_assert_int_eq(crd_unit_begin(s->call), CRD_E_BUSY);
    if (s->stop_at != 0 && s->pieces == s->stop_at) return 1;
    s->pieces++;
    s->text = realloc(s->text, s->size + size + 1);
    memcpy(s->text + s->size, text, size);
    s->size += size;
    s->text[s->size] = '\0';
    return 0;
}

static void exports(world *w, const char *who, uint32_t format, const char *expected) {
    crd_posting_spec s = spec_of(who, NULL);
    sheet out = {NULL, 0, 0, 0, w->ledger};
    OK(w, crd_postings_export(w->ledger, &s, format, take_text, &out));
    ck_assert_msg(strcmp(out.text, expected) == 0, "it writes\n%s\ninstead of\n%s", out.text, expected);
    free(out.text);
}

/* ---- what a walk tells ---- */

static crd_invoice *taxed_invoice(world *w, const char *who, const char *id, int64_t total, int64_t tax, uint32_t flags) {
    crd_invoice_terms t = invoice_terms(id, total);
    crd_invoice *out = NULL;
    t.tax = tax;
    t.flags = flags;
    OK(w, crd_invoice_enter(w->ledger, on(0), who, &t, &out));
    return out;
}

static crd_credit *taxed_memo(world *w, const char *who, const char *id, int64_t amount, int64_t tax) {
    crd_credit_terms t = credit_terms(id, CRD_CREDIT_MEMO, amount);
    crd_credit *out = NULL;
    t.tax = tax;
    OK(w, crd_credit_issue(w->ledger, on(0), who, &t, &out));
    return out;
}

START_TEST(R68_M17_M4_a_life_of_credit_as_postings) {
    world *w = world_open(_i);
    crd_invoice *i, *fee;
    crd_credit *p, *m, *g;
    int64_t seq;
    customer(w, "c1");
    i = taxed_invoice(w, "c1", "I", 119, 19, 0);
    fee = invoice_as(w, "c1", "F", CRD_INVOICE_FEE, 10, 0, 1, 0);
    p = cash(w, "c1", "P", 100, 0);
    m = taxed_memo(w, "c1", "M", 30, 5);
    g = promise(w, "c1", "G", 20, 0, 10);
    apply(w, p, i, 60, 1);
    apply(w, m, fee, 10, 1);
    apply(w, g, NULL, 5, 1);
    seq = apply(w, g, i, 15, 2);
    void_credit(w, m, 7, 3);
    void_credit(w, m, 13, 4);
    void_credit(w, p, 1, 4);
    undo(w, "c1", seq, 3, 11); /* it expired meanwhile */
    void_invoice(w, i, 12);
    tells(w, "c1",
          "invoice AR +119 SALES -100 TAX -19\n"
          "invoice AR +10 FIN -10\n"
          "issue DEP -100 BANK +100\n"
          "issue CRO -30 RET +25 TAX +5\n"
          "issue CRO -20 PROMO +20\n"
          "apply DEP +60 AR -60\n"
          "apply CRO +10 AR -10\n"
          "apply CRO +5 EXT -5\n"
          "apply CRO +15 AR -15\n"
          "void CRO +7 RET -6 TAX -1\n"    /* 5 x 7 / 30 = 1.17 */
          "void CRO +13 RET -11 TAX -2\n"  /* 5 x 20 / 30 = 3.33, less 1 */
          "void DEP +1 BRK -1\n"
          "unapply CRO -3 AR +3\n"
          "expire CRO +3 PROMO -3\n"
          "unapply CRO -12 AR +12\n"
          "expire CRO +12 PROMO -12\n"
          "unapply DEP -60 AR +60\n"
          "invoice_void AR -119 SALES +100 TAX +19");
    crd_invoice_free(i);
    crd_invoice_free(fee);
    crd_credit_free(p);
    crd_credit_free(m);
    crd_credit_free(g);
    world_close(w);
}
END_TEST

START_TEST(R68_M17_M9_a_draft_posts_when_it_is_sent) {
    world *w = world_open(_i);
    crd_invoice *draft, *gone;
    customer(w, "c1");
    draft = taxed_invoice(w, "c1", "D", 50, 8, CRD_INVOICE_AS_DRAFT);
    gone = taxed_invoice(w, "c1", "G", 50, 8, CRD_INVOICE_AS_DRAFT);
    void_invoice(w, gone, 1);
    tells(w, "c1", "");
    send_invoice(w, draft, 2);
    tells(w, "c1", "send AR +50 SALES -42 TAX -8");
    crd_invoice_free(draft);
    crd_invoice_free(gone);
    world_close(w);
}
END_TEST

static void revise(world *w, crd_invoice *i, int64_t total, int64_t tax, int day) {
    crd_revise_terms t;
    memset(&t, 0, sizeof t);
    t.struct_size = sizeof t;
    t.total = total;
    t.tax = tax;
    OK(w, crd_invoice_revise(w->ledger, on(day), i, &t, NULL));
}

static int64_t write_off(world *w, crd_invoice *i, int64_t amount, uint32_t cause, int day) {
    crd_result r = result_block();
    OK(w, crd_invoice_write_off(w->ledger, on(day), i, amount, cause, &r));
    return r.first_seq;
}

START_TEST(R68_M17_M12_R82_a_life_of_invoices_as_postings) {
    world *w = world_open(_i);
    crd_credit_terms back = credit_terms("R", CRD_CREDIT_MEMO, 60);
    crd_invoice_reverse_terms whole;
    crd_invoice *i, *old;
    crd_credit *memo;
    int64_t seq;
    customer(w, "c1");
    i = taxed_invoice(w, "c1", "I", 119, 19, 0);
    revise(w, i, 238, 38, 1);
    revise(w, i, 119, 19, 2);
    (void)write_off(w, i, 2, CRD_CAUSE_TOLERANCE, 3);
    (void)write_off(w, i, 3, CRD_CAUSE_DISCOUNT, 3);
    seq = write_off(w, i, 60, 0, 3);
    ck_assert_int_eq(undo(w, "c1", seq, 1, 4), 1);
    back.origin = "I";
    back.flags = CRD_ISSUE_RETURN;
    back.tax = 10;
    OK(w, crd_credit_issue(w->ledger, on(5), "c1", &back, NULL));
    memo = find_credit(w->ledger, "c1", "R");
    void_credit(w, memo, 1, 6);
    memset(&whole, 0, sizeof whole);
    whole.struct_size = sizeof whole;
    OK(w, crd_invoice_reverse(w->ledger, on(7), i, &whole, NULL));
    old = taxed_invoice(w, "c1", "O", 50, 8, CRD_INVOICE_AS_OPENING);
    revise(w, old, 60, 9, 8);
    revise(w, old, 40, 6, 9);
    void_invoice(w, old, 10);
    tells(w, "c1",
          "invoice AR +119 SALES -100 TAX -19\n"
          "revise AR +119 SALES -100 TAX -19\n"
          "revise AR -119 RET +100 TAX +19\n"
          "write_off SMALL +2 AR -2\n"
          "write_off DISC +3 AR -3\n"
          "write_off BAD +60 AR -60\n"
          "unwrite_off BAD -1 AR +1\n"
          "issue CRO -60 RET +50 TAX +10\n"
          "void CRO +1 RET -1\n"            /* 10 / 60 is nearer to 0 */
          "unwrite_off BAD -5 AR +5\n"      /* the reversal needs 60, 55 are open */
          "issue CRO -60 RET +51 TAX +9\n"
          "apply CRO +60 AR -60\n"
          "invoice AR +50 OPN -50\n"
          "revise AR +10 OPN -10\n"
          "revise AR -20 RET +17 TAX +3\n"
          "invoice_void AR -40 OPN +40");
    world_check(w);
    crd_invoice_free(i);
    crd_invoice_free(old);
    crd_credit_free(memo);
    world_close(w);
}
END_TEST

static void refund(world *w, crd_credit *c, int64_t amount, int day, int64_t *seq) {
    crd_refund_terms t;
    crd_result r = result_block();
    memset(&t, 0, sizeof t);
    t.struct_size = sizeof t;
    t.amount = amount;
    OK(w, crd_credit_refund(w->ledger, on(day), c, &t, &r));
    *seq = r.first_seq;
}

static int64_t transfer(world *w, crd_credit *c, const char *to, const char *id, int64_t amount, int day) {
    crd_transfer_terms t;
    crd_result r = result_block();
    memset(&t, 0, sizeof t);
    t.struct_size = sizeof t;
    t.customer = to;
    t.id = id;
    t.amount = amount;
    OK(w, crd_credit_transfer(w->ledger, on(day), c, &t, NULL, &r));
    return r.first_seq;
}

static void adjust(world *w, const char *who, int64_t target, int day) {
    crd_adjust_terms t;
    memset(&t, 0, sizeof t);
    t.struct_size = sizeof t;
    t.target = target;
    t.reason = "counted";
    OK(w, crd_credit_adjust(w->ledger, on(day), who, "EUR", &t, NULL));
}

static crd_credit *opening(world *w, const char *who, const char *id, uint32_t stands_for, int64_t amount) {
    crd_credit_terms t = credit_terms(id, CRD_CREDIT_OPENING, amount);
    crd_credit *out = NULL;
    t.stands_for = stands_for;
    OK(w, crd_credit_issue(w->ledger, on(0), who, &t, &out));
    return out;
}

START_TEST(R68_M17_M10_M11_what_leaves_a_credit_as_postings) {
    world *w = world_open(_i);
    crd_credit *p, *m, *o, *d, *g;
    int64_t refunded, moved;
    customer(w, "c1");
    customer(w, "c2");
    p = cash(w, "c1", "P", 100, 0);
    m = memo(w, "c1", "M", 30, 0);
    o = opening(w, "c1", "O", CRD_CREDIT_DEPOSIT, 40);
    g = opening(w, "c1", "G", CRD_CREDIT_GOODWILL, 5);
    d = memo(w, "c1", "D", 7, 0);
    OK(w, crd_credit_delete(w->ledger, on(0), d, 0, NULL));
    refund(w, p, 10, 1, &refunded);
    refund(w, o, 1, 1, &moved);
    undo(w, "c1", refunded, 0, 2);
    moved = transfer(w, p, "c2", "T", 50, 3);
    undo(w, "c1", moved, 20, 4);
    void_credit(w, g, 0, 5);
    adjust(w, "c1", 100, 6); /* 70 + 30 + 39 less 39: the oldest first, which is the payment */
    adjust(w, "c1", 103, 7);
    tells(w, "c1",
          "issue DEP -100 BANK +100\n"
          "issue CRO -30 RET +30\n"
          "issue DEP -40 OPN +40\n"
          "issue CRO -5 OPN +5\n"
          "issue CRO -7 RET +7\n"
          "delete CRO +7 RET -7\n"
          "refund DEP +10 BANK -10\n"
          "refund DEP +1 BANK -1\n"
          "unrefund DEP -10 BANK +10\n"
          "transfer DEP +50 DEP -50 (c2)\n"
          "untransfer DEP +20 (c2) DEP -20\n"
          "void CRO +5 OPN -5\n"
          "adjust_piece DEP +39 ADJ -39\n"
          "issue CRO -3 ADJ +3");
    tells(w, "c2",
          "issue DEP +50 (c1) DEP -50\n"
          "transfer DEP +20 DEP -20 (c1)");
    tells(w, NULL, /* both ends: once, with the end that gives */
          "issue DEP -100 BANK +100\n"
          "issue CRO -30 RET +30\n"
          "issue DEP -40 OPN +40\n"
          "issue CRO -5 OPN +5\n"
          "issue CRO -7 RET +7\n"
          "delete CRO +7 RET -7\n"
          "refund DEP +10 BANK -10\n"
          "refund DEP +1 BANK -1\n"
          "unrefund DEP -10 BANK +10\n"
          "transfer DEP +50 DEP -50 (c2)\n"
          "void CRO +5 OPN -5\n"
          "adjust_piece DEP +39 ADJ -39\n"
          "issue CRO -3 ADJ +3\n"
          "transfer DEP +20 DEP -20 (c1)");
    crd_credit_free(p);
    crd_credit_free(m);
    crd_credit_free(o);
    crd_credit_free(d);
    crd_credit_free(g);
    world_close(w);
}
END_TEST

/* The example of rule M13: what a payment of 120 had become, all of which bounces. */
START_TEST(R68_M17_M13_a_bounce_as_postings) {
    world *w = world_open(_i);
    crd_receipt_terms t;
    crd_receipt_line line;
    const crd_receipt_line *lines[1] = {&line};
    crd_receipt *p = NULL;
    crd_credit *k;
    crd_invoice *a, *b;
    int64_t refunded;
    customer(w, "c1");
    a = invoice(w, "c1", "A", 100, 0, 30);
    b = invoice(w, "c1", "B", 50, 0, 30);
    memset(&line, 0, sizeof line);
    line.struct_size = sizeof line;
    line.invoice = "A";
    line.amount = 100;
    memset(&t, 0, sizeof t);
    t.struct_size = sizeof t;
    t.currency = "EUR";
    t.id = "P";
    t.credit = "K";
    t.amount = 120;
    t.flags = CRD_RECEIPT_EXCESS_TO_CREDIT;
    t.credit_expires = DAY(10);
    t.lines = lines;
    t.line_count = 1;
    OK(w, crd_receipt_enter(w->ledger, on(1), "c1", &t, &p, NULL));
    k = find_credit(w->ledger, "c1", "K");
    apply(w, k, b, 20, 2);
    revise(w, a, 90, 0, 3);
    refund(w, k, 5, 4, &refunded);
    OK(w, crd_receipt_reverse(w->ledger, on(12), p, NULL, NULL));
    world_check(w);
    undo(w, "c1", refunded, 0, 13);
    tells(w, "c1",
          "invoice AR +100 SALES -100\n"
          "invoice AR +50 SALES -50\n"
          "issue DEP -120 BANK +120\n"
          "apply DEP +100 AR -100\n"
          "apply DEP +20 AR -20\n"
          "unapply DEP -10 AR +10\n"
          "revise AR -10 RET +10\n"
          "refund DEP +5 BANK -5\n"
          "expire DEP +5 BRK -5\n"
          "unapply DEP -20 AR +20\n"
          "reverse DEP +20 BANK -20\n"
          "unapply DEP -90 AR +90\n"
          "reverse DEP +90 BANK -90\n"
          "invoice AR +5 BANK -5\n"
          "receipt_reverse BRK +5 BANK -5\n"
          "unrefund DEP -5 BANK +5\n" /* the money is back, and pays what the debit memo had charged */
          "reverse DEP +5 AR -5");
    crd_receipt_free(p);
    crd_credit_free(k);
    crd_invoice_free(a);
    crd_invoice_free(b);
    world_close(w);
}
END_TEST

static int count_rows(crd_ledger *ledger, const crd_posting_spec *spec) {
    crd_postings *postings = walk_open(ledger, spec);
    int count = 0;
    while (walk_next(ledger, postings) != NULL) count++;
    ck_assert_ptr_null(walk_next(ledger, postings)); /* and stays at its end */
    crd_postings_close(postings);
    return count;
}

START_TEST(R68_a_walk_is_narrowed_by_customer_currency_and_date) {
    world *w = world_open(_i);
    crd_credit_terms yen = credit_terms("Y", CRD_CREDIT_MEMO, 7);
    crd_posting_spec s = spec_of(NULL, NULL);
    customer(w, "c1");
    customer(w, "c2");
    customer(w, "c3");
    crd_invoice_free(invoice(w, "c1", "A", 10, 0, 1));
    crd_invoice_free(invoice(w, "c1", "B", 10, 5, 9));
    crd_invoice_free(invoice(w, "c2", "A", 10, 0, 1));
    yen.currency = "JPY";
    OK(w, crd_credit_issue(w->ledger, on(3), "c1", &yen, NULL));
    ck_assert_int_eq(count_rows(w->ledger, &s), 8);
    s.currency = "EUR";
    ck_assert_int_eq(count_rows(w->ledger, &s), 6);
    s.customer = "c1";
    ck_assert_int_eq(count_rows(w->ledger, &s), 4);
    s.currency = NULL;
    ck_assert_int_eq(count_rows(w->ledger, &s), 6);
    s.date_from = DAY(3);
    ck_assert_int_eq(count_rows(w->ledger, &s), 4);
    s.date_to = DAY(3);
    ck_assert_int_eq(count_rows(w->ledger, &s), 2);
    s.date_from = 0;
    ck_assert_int_eq(count_rows(w->ledger, &s), 4);
    s = spec_of("c3", NULL);
    ck_assert_int_eq(count_rows(w->ledger, &s), 0);
    world_close(w);
}
END_TEST

START_TEST(R68_accounts_have_the_names_the_host_gives_them) {
    world *w = world_open(_i);
    const char *names[CRD_GL_RETURNS + 1] = {NULL};
    crd_posting_spec s = spec_of(NULL, NULL);
    crd_postings *postings;
    const crd_posting *p;
    customer(w, "c1");
    crd_credit_free(memo(w, "c1", "M", 10, 0));
    names[CRD_GL_RETURNS] = "4090 Returns";
    s.accounts = names;
    s.account_count = CRD_GL_RETURNS + 1;
    postings = walk_open(w->ledger, &s);
    names[CRD_GL_RETURNS] = "changed meanwhile";
    p = walk_next(w->ledger, postings);
    ck_assert_str_eq(p->account, "Liabilities:Customer-Credits");
    ck_assert_uint_eq(p->role, CRD_GL_CREDITS);
    p = walk_next(w->ledger, postings);
    ck_assert_str_eq(p->account, "4090 Returns");
    ck_assert_int_eq(p->amount, 10);
    ck_assert_uint_eq(p->number, 1);
    crd_postings_close(postings);
    world_close(w);
}
END_TEST

/* More accounts and more entries than one read takes. */
START_TEST(R68_a_walk_goes_on_from_page_to_page) {
    world *w = world_open(_i);
    int accounts = 300, entries = 2500;
    crd_posting_spec s = spec_of(NULL, NULL);
    crd_invoice *i;
    crd_credit *k;
    crd_postings *postings;
    const crd_posting *p;
    char before[20] = "";
    int64_t seq = 0, count = 0;
    w->careless = 1;
    OK(w, crd_unit_begin(w->ledger));
    for (int n = 0; n < accounts; n++) {
        char id[20];
        snprintf(id, sizeof id, "c%04d", n);
        customer(w, id);
        crd_invoice_free(invoice(w, id, "I", 10, 0, 1));
    }
    i = invoice(w, "c0123", "big", entries, 0, 1);
    k = memo(w, "c0123", "K", entries, 0);
    for (int n = 0; n < entries; n++) apply(w, k, i, 1, 0);
    OK(w, crd_unit_commit(w->ledger));
    postings = walk_open(w->ledger, &s);
    while ((p = walk_next(w->ledger, postings)) != NULL) {
        if (strcmp(p->customer, before) != 0) {
            ck_assert_str_gt(p->customer, before);
            snprintf(before, sizeof before, "%s", p->customer);
            seq = 0;
        }
        ck_assert_int_ge(p->entry->seq, seq);
        seq = p->entry->seq;
        count++;
    }
    crd_postings_close(postings);
    ck_assert_int_eq(count, 2 * (accounts + 2 + entries));
    crd_invoice_free(i);
    crd_credit_free(k);
    world_close(w);
}
END_TEST

/* ---- the text ---- */

static void small_book(world *w) {
    crd_credit_terms k = credit_terms("K;1", CRD_CREDIT_MEMO, 1234);
    crd_credit *credit = NULL;
    crd_invoice *i;
    customer(w, "A, \"B\" [1]");
    k.currency = "KWD";
    k.tax = 34;
    OK(w, crd_credit_issue(w->ledger, on(0), "A, \"B\" [1]", &k, &credit));
    crd_credit_free(credit);
    customer(w, "M\xc3\xbcller  ");
    i = invoice(w, "M\xc3\xbcller  ", "100%", 70, 31, 40);
    crd_invoice_free(i);
}

START_TEST(R68_the_text_for_hledger) {
    world *w = world_open(_i);
    small_book(w);
    exports(w, NULL, CRD_EXPORT_HLEDGER,
            "; Postings of customer credit, written by libcredit.\n"
            "decimal-mark .\n"
            "\n"
            "2026-01-15 * (KWD/1) A%2C %22B%22 %5B1%5D | issue\n"
            "    ; credit: K%3B1\n"
            "    Liabilities:Customer-Credits  -1.234 KWD  ; customer: A%2C %22B%22 %5B1%5D\n"
            "    Income:Returns  1.200 KWD  ; customer: A%2C %22B%22 %5B1%5D\n"
            "    Liabilities:Tax  0.034 KWD  ; customer: A%2C %22B%22 %5B1%5D\n"
            "\n"
            "2026-02-15 * (EUR/1) M\xc3\xbcller%20%20 | invoice\n"
            "    ; invoice: 100%25\n"
            "    Assets:Receivable  0.70 EUR  ; customer: M\xc3\xbcller%20%20\n"
            "    Income:Sales  -0.70 EUR  ; customer: M\xc3\xbcller%20%20\n");
    world_close(w);
}
END_TEST

START_TEST(R68_the_text_for_ledger) {
    world *w = world_open(_i);
    small_book(w);
    exports(w, "M\xc3\xbcller  ", CRD_EXPORT_LEDGER,
            "; Postings of customer credit, written by libcredit.\n"
            "\n"
            "2026-02-15 * (EUR/1) M\xc3\xbcller%20%20 | invoice\n"
            "    ; invoice: 100%25\n"
            "    Assets:Receivable  0.70 EUR  ; customer: M\xc3\xbcller%20%20\n"
            "    Income:Sales  -0.70 EUR  ; customer: M\xc3\xbcller%20%20\n");
    world_close(w);
}
END_TEST

START_TEST(R68_the_text_for_beancount) {
    world *w = world_open(_i);
    const char *names[CRD_GL_ROLES];
    crd_posting_spec s = spec_of("M\xc3\xbcller  ", NULL);
    sheet out = {NULL, 0, 0, 0, NULL};
    small_book(w);
    for (int role = 0; role < CRD_GL_ROLES; role++) names[role] = "Equity:Else"; /* opened once */
    names[CRD_GL_RECEIVABLE] = "Assets:1200-AR";
    s.accounts = names;
    s.account_count = CRD_GL_ROLES;
    OK(w, crd_postings_export(w->ledger, &s, CRD_EXPORT_BEANCOUNT, take_text, &out));
    ck_assert_str_eq(out.text, "; Postings of customer credit, written by libcredit.\n"
                               "1970-01-01 open Assets:1200-AR\n"
                               "1970-01-01 open Equity:Else\n"
                               "\n"
                               "2026-02-15 * \"M\xc3\xbcller%20%20\" \"invoice\"\n"
                               "  entry: \"EUR/1\"\n"
                               "  invoice: \"100%25\"\n"
                               "  Assets:1200-AR  0.70 EUR\n"
                               "    customer: \"M\xc3\xbcller%20%20\"\n"
                               "  Equity:Else  -0.70 EUR\n"
                               "    customer: \"M\xc3\xbcller%20%20\"\n");
    free(out.text);
    world_close(w);
}
END_TEST

static const struct {
    const char *name;
    int journals, beancount; /* may it be written? */
} names[] = {
    {"Assets:Bank", 1, 1},
    {"Assets:Bank:EUR-1", 1, 1},
    {"Liabilities:9", 1, 1},
    {"Assets", 1, 0},
    {"Assets:", 0, 0},
    {"Assets::Bank", 0, 0},
    {"Assetsx:Bank", 1, 0},
    {"Assets:bank", 1, 0},
    {"Assets:-Bank", 0, 0},
    {"Assets:Cash in hand", 1, 0},
    {"Assets:Cash  in hand", 0, 0},
    {"Assets:Bank ", 0, 0},
    {"Assets :Bank", 0, 0},
    {" Assets:Bank", 0, 0},
    {"Assets:Bank;x", 0, 0},
    {"(Assets:Bank)", 0, 0},
    {"[Assets:Bank]", 0, 0},
    {"*Assets", 0, 0},
    {"1200", 1, 0},
    {"Forderungen:\xc3\x9c" "berzahlung", 1, 0},
    {"Assets:Bank\xc2\xa0" "1", 0, 0},
    {"Assets:Bank\xe2\x80\x83x", 0, 0},
    {"Assets:Bank\xe3\x80\x80x", 0, 0},
    {"Assets:Bank\xe2\x82\xac", 1, 0},
};

START_TEST(R68_a_name_that_a_format_cannot_write_is_refused) {
    world *w = world_open(STORE_MEMORY);
    const char *given[CRD_GL_BANK + 1] = {NULL};
    crd_posting_spec s = spec_of(NULL, NULL);
    customer(w, "c1");
    s.accounts = given;
    s.account_count = CRD_GL_BANK + 1;
    given[CRD_GL_BANK] = names[_i].name;
    for (uint32_t format = CRD_EXPORT_HLEDGER; format <= CRD_EXPORT_BEANCOUNT; format++) {
        int may = format == CRD_EXPORT_BEANCOUNT ? names[_i].beancount : names[_i].journals;
        sheet out = {NULL, 0, 0, 0, NULL};
        ENDS(w->ledger, crd_postings_export(w->ledger, &s, format, take_text, &out), may ? CRD_OK : CRD_E_ARGUMENT);
        if (!may) {
            FIELD(w, "spec.accounts");
            ck_assert_int_eq(crd_ledger_error(w->ledger)->given, CRD_GL_BANK);
            ck_assert_ptr_null(out.text);
        }
        free(out.text);
    }
    crd_postings_close(walk_open(w->ledger, &s)); /* a walk may name them as it likes */
    world_close(w);
}
END_TEST

/* ---- failing ---- */

START_TEST(R68_what_is_asked_wrongly_is_refused) {
    world *w = world_open(_i);
    const char *none[1] = {""};
    crd_posting_spec s = spec_of("c9", NULL);
    crd_postings *out = NULL;
    const crd_posting *row = NULL;
    customer(w, "c1");
    REFUSED(w, crd_postings_open(w->ledger, &s, &out), CRD_E_NOT_FOUND);
    SUBJECT(w, CRD_KIND_CUSTOMER, "c9");
    ck_assert_ptr_null(out);
    REFUSED(w, crd_postings_open(w->ledger, NULL, &out), CRD_E_ARGUMENT);
    s = spec_of("", NULL);
    REFUSED(w, crd_postings_open(w->ledger, &s, &out), CRD_E_ARGUMENT);
    FIELD(w, "spec.customer");
    s = spec_of(NULL, "ZZZ");
    REFUSED(w, crd_postings_open(w->ledger, &s, &out), CRD_E_CURRENCY);
    s = spec_of(NULL, NULL);
    s.reserved = 1;
    REFUSED(w, crd_postings_open(w->ledger, &s, &out), CRD_E_ARGUMENT);
    FIELD(w, "spec.reserved");
    s.reserved = 0;
    s.date_from = -1;
    REFUSED(w, crd_postings_open(w->ledger, &s, &out), CRD_E_ARGUMENT);
    FIELD(w, "spec.date_from");
    s.date_from = 0;
    s.date_to = -1;
    REFUSED(w, crd_postings_open(w->ledger, &s, &out), CRD_E_ARGUMENT);
    FIELD(w, "spec.date_to");
    s.date_to = 0;
    s.account_count = 1;
    REFUSED(w, crd_postings_open(w->ledger, &s, &out), CRD_E_ARGUMENT);
    FIELD(w, "spec.accounts");
    s.accounts = none;
    REFUSED(w, crd_postings_open(w->ledger, &s, &out), CRD_E_ARGUMENT);
    FIELD(w, "spec.accounts");
    s.account_count = CRD_GL_ROLES + 1;
    REFUSED(w, crd_postings_open(w->ledger, &s, &out), CRD_E_ARGUMENT);
    FIELD(w, "spec.account_count");
    s = spec_of(NULL, NULL);
    REFUSED(w, crd_postings_open(w->ledger, &s, NULL), CRD_E_ARGUMENT);
    ENDS(NULL, crd_postings_open(NULL, &s, &out), CRD_E_ARGUMENT);
    ENDS(NULL, crd_postings_next(NULL, &row), CRD_E_ARGUMENT);
    out = walk_open(w->ledger, &s);
    REFUSED(w, crd_postings_next(out, NULL), CRD_E_ARGUMENT);
    crd_postings_close(out);
    crd_postings_close(NULL);
    REFUSED(w, crd_postings_export(w->ledger, &s, 0, take_text, NULL), CRD_E_ARGUMENT);
    FIELD(w, "format");
    REFUSED(w, crd_postings_export(w->ledger, &s, 4, take_text, NULL), CRD_E_ARGUMENT);
    REFUSED(w, crd_postings_export(w->ledger, &s, CRD_EXPORT_LEDGER, NULL, NULL), CRD_E_ARGUMENT);
    FIELD(w, "write");
    ENDS(NULL, crd_postings_export(NULL, &s, CRD_EXPORT_LEDGER, take_text, NULL), CRD_E_ARGUMENT);
    world_close(w);
}
END_TEST

START_TEST(R68_R70_an_export_ends_when_the_host_says_stop) {
    world *w = world_open(_i);
    crd_posting_spec s = spec_of(NULL, NULL);
    w->careless = 1;
    customer(w, "c1");
    for (int n = 0; n < 100; n++) crd_invoice_free(invoice(w, "c1", NULL, 10, 0, 1));
    for (uint64_t at = 0; at < 4; at++) {
        sheet out = {NULL, 0, at, 0, NULL};
        crd_status status = crd_postings_export(w->ledger, &s, CRD_EXPORT_HLEDGER, take_text, &out);
        ck_assert_int_eq(status, at == 0 ? CRD_OK : CRD_E_CANCELLED);
        ck_assert_int_eq(crd_ledger_error(w->ledger)->code, status);
        ck_assert_uint_eq(out.pieces >= (at == 0 ? 4 : at), 1);
        free(out.text);
    }
    world_close(w);
}
END_TEST

/* A currency the host had named when it wrote the book, and does not any more. */
START_TEST(R68_R60_a_currency_without_decimals_known_is_refused) {
    static const crd_currency old = {sizeof old, 2, "BGN"};
    const crd_currency *list[] = {&old};
    world *w = world_open(_i);
    crd_ledger_options options;
    crd_ledger *ledger = NULL;
    crd_posting_spec s = spec_of(NULL, NULL);
    crd_invoice_terms t = invoice_terms("I", 150);
    sheet out = {NULL, 0, 0, 0, NULL};
    customer(w, "c1");
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    options.storage = world_storage(w);
    options.hooks = &w->hooks;
    options.writer = 77;
    options.currencies = list;
    options.currency_count = 1;
    ck_assert_int_eq(crd_ledger_open(&options, &ledger), CRD_OK);
    t.currency = "BGN";
    ENDS(ledger, crd_invoice_enter(ledger, on(0), "c1", &t, NULL), CRD_OK);
    ENDS(ledger, crd_postings_export(ledger, &s, CRD_EXPORT_LEDGER, take_text, &out), CRD_OK);
    ck_assert_ptr_nonnull(strstr(out.text, "  1.50 BGN"));
    free(out.text);
    memset(&out, 0, sizeof out);
    ENDS(w->ledger, crd_postings_export(w->ledger, &s, CRD_EXPORT_LEDGER, take_text, &out), CRD_E_CURRENCY);
    free(out.text);
    ck_assert_int_eq(count_rows(w->ledger, &s), 2); /* a walk needs no decimals */
    crd_ledger_close(ledger);
    world_close(w);
}
END_TEST

static crd_status export_quietly(crd_ledger *ledger, sheet *out) {
    crd_posting_spec s = spec_of(NULL, NULL);
    memset(out, 0, sizeof *out);
    return crd_postings_export(ledger, &s, CRD_EXPORT_BEANCOUNT, take_text, out);
}

START_TEST(R68_whatever_allocation_fails_an_export_says_so) {
    shim_memory memory;
    world *w;
    sheet should, out;
    long blocks;
    shim_memory_init(&memory);
    w = world_open_with(_i, &memory.table, NULL, NULL);
    scene_fill(w);
    OK(w, export_quietly(w->ledger, &should));
    blocks = memory.blocks;
    for (unsigned long n = 1;; n++) {
        crd_status status;
        memory.calls = memory.fired = 0;
        memory.fail_at = n;
        status = export_quietly(w->ledger, &out);
        memory.fail_at = 0;
        if (memory.fired == 0) break;
        if (status == CRD_OK) /* an index that is not there costs time only */
            ck_assert_str_eq(out.text, should.text);
        else
            ck_assert_int_eq(status, CRD_E_NOMEM);
        ck_assert_int_eq(memory.blocks, blocks);
        free(out.text);
        OK(w, export_quietly(w->ledger, &out));
        ck_assert_str_eq(out.text, should.text);
        free(out.text);
    }
    ck_assert_str_eq(out.text, should.text);
    free(out.text);
    free(should.text);
    world_close(w);
}
END_TEST

/* A read may fail in any way: the export is whole, or it says that it is not. */
START_TEST(R68_whatever_read_fails_an_export_is_whole_or_says_so) {
    world *w = world_open(_i);
    sheet should, out;
    scene_fill(w);
    OK(w, export_quietly(w->ledger, &should));
    for (int fault = 0; fault < SHIM_FAULTS; fault++)
        for (unsigned long n = 1;; n++) {
            unsigned long fired;
            crd_status status;
            shim_reset(&w->shim);
            w->shim.fail_at = n;
            w->shim.fault = (shim_fault)fault;
            status = export_quietly(w->ledger, &out);
            fired = w->shim.fired;
            shim_reset(&w->shim);
            if (status == CRD_OK) ck_assert_str_eq(out.text, should.text);
            else ck_assert_msg(status == CRD_E_STORAGE || status == CRD_E_RESTART || status == CRD_E_CONTRACT ||
                                   status == CRD_E_CONFLICT || status == CRD_E_CORRUPT,
                               "%s", crd_status_name(status));
            free(out.text);
            if (fired == 0) break;
        }
    free(should.text);
    world_close(w);
}
END_TEST

static void double_amounts(void *ctx, uint32_t kind, void *record) {
    crd_entry_record *e = record;
    (void)ctx;
    if (kind == CRD_KIND_ENTRY && e->type == CRD_ENTRY_APPLY) e->amount += 1000;
}

START_TEST(R68_R63_a_journal_that_contradicts_itself_is_not_posted) {
    world *w = world_open(_i);
    crd_posting_spec s = spec_of("c1", "EUR");
    crd_postings *postings;
    const crd_posting *p = NULL;
    crd_status status = CRD_OK;
    scene_fill(w);
    w->shim.alter = double_amounts;
    postings = walk_open(w->ledger, &s);
    while (status == CRD_OK) {
        status = crd_postings_next(postings, &p);
        ck_assert(status != CRD_OK || p != NULL);
    }
    ck_assert_int_eq(status, CRD_E_CORRUPT);
    ck_assert_ptr_null(p);
    ENDS(w->ledger, crd_postings_next(postings, &p), CRD_E_CORRUPT); /* it does not go on as if nothing had been */
    crd_postings_close(postings);
    w->shim.alter = NULL;
    world_close(w);
}
END_TEST

START_TEST(R68_R64_postings_are_of_what_is_kept) {
    world *w = world_open(_i);
    crd_posting_spec s = spec_of(NULL, NULL);
    customer(w, "c1");
    w->careless = 1;
    OK(w, crd_unit_begin(w->ledger));
    crd_invoice_free(invoice(w, "c1", "I", 10, 0, 1));
    ck_assert_int_eq(count_rows(w->ledger, &s), 0);
    OK(w, crd_unit_commit(w->ledger));
    ck_assert_int_eq(count_rows(w->ledger, &s), 2);
    world_close(w);
}
END_TEST

/* ---- books for the programs themselves ---- */

static const char *directory; /* where to, or NULL */

static void write_file(const char *name, const char *suffix, const char *text, uint64_t size) {
    char path[600];
    FILE *f;
    snprintf(path, sizeof path, "%s/%s.%s", directory, name, suffix);
    f = fopen(path, "wb");
    ck_assert_msg(f != NULL && fwrite(text, 1, (size_t)size, f) == size && fclose(f) == 0, "cannot write %s", path);
}

typedef struct sum {
    char account[80], currency[4];
    int64_t amount;
} sum;

static void write_balances(crd_ledger *ledger, const char *name) {
    static sum sums[CRD_GL_ROLES * 8];
    size_t count = 0, used = 0;
    char text[CRD_GL_ROLES * 8 * 140];
    crd_posting_spec s = spec_of(NULL, NULL);
    crd_postings *postings = walk_open(ledger, &s);
    for (const crd_posting *p = walk_next(ledger, postings); p != NULL; p = walk_next(ledger, postings)) {
        size_t at = 0;
        while (at < count && (strcmp(sums[at].account, p->account) != 0 || strcmp(sums[at].currency, p->currency) != 0))
            at++;
        if (at == count) {
            memset(&sums[count], 0, sizeof sums[count]);
            snprintf(sums[count].account, sizeof sums[count].account, "%s", p->account);
            snprintf(sums[count++].currency, sizeof sums[0].currency, "%s", p->currency);
        }
        sums[at].amount += p->amount;
    }
    crd_postings_close(postings);
    for (size_t at = 0; at < count; at++) {
        char amount[CRD_MONEY_TEXT];
        int32_t exponent = 0;
        ENDS(ledger, crd_ledger_exponent(ledger, sums[at].currency, &exponent), CRD_OK);
        ck_assert_int_eq(crd_money_format(sums[at].amount, exponent, amount, sizeof amount), CRD_OK);
        used += (size_t)snprintf(text + used, sizeof text - used, "%s\t%s\t%s\n", sums[at].account, amount,
                                 sums[at].currency);
    }
    write_file(name, "balances", text, used);
}

static void write_book(world *w, const char *name) {
    static const char *const suffixes[] = {"", "hledger", "ledger", "beancount"};
    crd_posting_spec s = spec_of(NULL, NULL);
    world_check(w);
    for (uint32_t format = CRD_EXPORT_HLEDGER; format <= CRD_EXPORT_BEANCOUNT; format++) {
        sheet out = {NULL, 0, 0, 0, NULL};
        OK(w, crd_postings_export(w->ledger, &s, format, take_text, &out));
        ck_assert_ptr_nonnull(out.text);
        if (directory != NULL) write_file(name, suffixes[format], out.text, out.size);
        free(out.text);
    }
    if (directory != NULL) write_balances(w->ledger, name);
}

/* Ids of every character the library takes, and some that look like something else to a program. */
static void odd_ids(world *w) {
    static const char *const ids[] = {
        "*", "!", "(x)", "; comment", "=2026-01-01", "[2026-01-01]", "[=2026-01-01]", "a  b", " a", "b ", "\\", "\"",
        "\"\"", "\\\"", "a | b", "a:b", "date:2026-13-77", ":tag:", "a, b: c", "{}", "@@ 5 EUR", "<x>", "$", "%", "%3B",
        "\xc3\x9c" "ber", "\xe5\xae\xa2\xe6\x88\xb7", "\xf0\x9f\x92\xb6", "\xc2\xa0", "\xe2\x80\xa8", "\xef\xbb\xbf",
        "-1.00 EUR", "include x", "comment", "#", "P", "; date:2026-99-99", "x ; y", "'", "x~", "//", "&amp;", "?",
        "!\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ", "[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~",
    };
    w->careless = 1;
    for (size_t n = 0; n < sizeof ids / sizeof ids[0]; n++) {
        crd_invoice *i;
        crd_credit *k;
        customer(w, ids[n]);
        i = invoice(w, ids[n], ids[n], 100, 0, 1);
        k = memo(w, ids[n], ids[n], 60, 0);
        apply(w, k, i, 50, 1);
        crd_invoice_free(i);
        crd_credit_free(k);
    }
}

/* Currencies of 0, 2, 3 and 4 decimals, and the greatest amounts there are. */
static void odd_amounts(world *w) {
    static const char *const currencies[] = {"JPY", "EUR", "KWD", "CLF"};
    static const int64_t amounts[] = {1, 10, 100, 1000, 1234567, INT64_C(123456789012345), CRD_MAX_AMOUNT / 4};
    w->careless = 1;
    customer(w, "c1");
    for (size_t c = 0; c < 4; c++)
        for (size_t n = 0; n < sizeof amounts / sizeof amounts[0]; n++) {
            crd_invoice_terms t = invoice_terms(NULL, amounts[n]);
            crd_credit_terms k = credit_terms(NULL, n % 2 ? CRD_CREDIT_MEMO : CRD_CREDIT_PAYMENT, amounts[n] / 2 + 1);
            t.currency = k.currency = currencies[c];
            t.tax = amounts[n] / 7;
            OK(w, crd_invoice_enter(w->ledger, on((int)n), "c1", &t, NULL));
            OK(w, crd_credit_issue(w->ledger, on((int)n), "c1", &k, NULL));
        }
    (void)reconcile(w, CRD_PLAN_USE_CASH, 30);
}

/* The book in which every command has been carried out, on top of its own scene. */
static void every_command(world *w) {
    scene_fill(w);
    w->careless = 1;
    for (size_t n = 0; n < scene_command_count; n++) {
        scene s = scene_open(w->ledger);
        crd_result r = result_block();
        (void)scene_commands[n].run(&s, on(2 + (int)n), 0, &r); /* not each can follow the others */
        scene_close(&s);
    }
}

START_TEST(R68_books_for_the_programs) {
    static const struct {
        const char *name;
        void (*fill)(world *w);
    } books[] = {{"ids", odd_ids}, {"amounts", odd_amounts}, {"commands", every_command}};
    directory = getenv("GL_BOOKS");
    for (size_t n = 0; n < sizeof books / sizeof books[0]; n++) {
        world *w = world_open(STORE_MEMORY);
        books[n].fill(w);
        write_book(w, books[n].name);
        world_close(w);
    }
}
END_TEST

static Suite *make(void) {
    Suite *s = suite_create("postings");
    TCase *t = tcase_create("postings");
    TCase *b = tcase_create("books");
    tcase_set_timeout(t, 60);
    tcase_set_timeout(b, 60);
    tcase_add_loop_test(t, R68_M17_M4_a_life_of_credit_as_postings, 0, STORES);
    tcase_add_loop_test(t, R68_M17_M9_a_draft_posts_when_it_is_sent, 0, STORES);
    tcase_add_loop_test(t, R68_M17_M12_R82_a_life_of_invoices_as_postings, 0, STORES);
    tcase_add_loop_test(t, R68_M17_M10_M11_what_leaves_a_credit_as_postings, 0, STORES);
    tcase_add_loop_test(t, R68_M17_M13_a_bounce_as_postings, 0, STORES);
    tcase_add_loop_test(t, R68_a_walk_is_narrowed_by_customer_currency_and_date, 0, STORES);
    tcase_add_loop_test(t, R68_accounts_have_the_names_the_host_gives_them, 0, STORES);
    tcase_add_loop_test(t, R68_a_walk_goes_on_from_page_to_page, 0, STORES);
    tcase_add_loop_test(t, R68_the_text_for_hledger, 0, STORES);
    tcase_add_loop_test(t, R68_the_text_for_ledger, 0, STORES);
    tcase_add_loop_test(t, R68_the_text_for_beancount, 0, STORES);
    tcase_add_loop_test(t, R68_a_name_that_a_format_cannot_write_is_refused, 0, sizeof names / sizeof names[0]);
    tcase_add_loop_test(t, R68_what_is_asked_wrongly_is_refused, 0, STORES);
    tcase_add_loop_test(t, R68_R70_an_export_ends_when_the_host_says_stop, 0, STORES);
    tcase_add_loop_test(t, R68_R60_a_currency_without_decimals_known_is_refused, 0, STORES);
    tcase_add_loop_test(t, R68_whatever_allocation_fails_an_export_says_so, 0, STORES);
    tcase_add_loop_test(t, R68_whatever_read_fails_an_export_is_whole_or_says_so, 0, STORES);
    tcase_add_loop_test(t, R68_R63_a_journal_that_contradicts_itself_is_not_posted, 0, STORES);
    tcase_add_loop_test(t, R68_R64_postings_are_of_what_is_kept, 0, STORES);
    tcase_add_test(b, R68_books_for_the_programs);
    suite_add_tcase(s, t);
    suite_add_tcase(s, b);
    return s;
}

int main(void) {
    return world_main(make);
}
