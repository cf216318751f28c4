/*
 * Every public function, called at random with what no caller should pass: NULL, handles of another ledger, structs of
 * wrong sizes, unknown flags and kinds, amounts at the edges of 64 bits, ids that are empty, too long, not UTF-8 or full
 * of control characters, dates out of range. Between them are enough good arguments for calls to get far.
 *
 * Nothing crashes. What is refused says so by a status that has a name, by an error that agrees with it and has a
 * sentence, and left the book as it was. The book is sound in the end. tests/build/arguments.sh compares the table with
 * lib/credit.sym, so that no function is left out.
 */
#include "support/scene.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t dice;

static uint32_t roll(uint32_t sides) {
    dice ^= dice << 13;
    dice ^= dice >> 7;
    dice ^= dice << 17;
    return (uint32_t)((dice >> 20) % sides);
}

#define ONE_OF(list) ((list)[roll((uint32_t)(sizeof(list) / sizeof((list)[0])))])
static int odd(void) { /* how often something is wrong on purpose */
    return roll(24) == 0;
}

/* ---- what to pass ---- */

static const char long_id[] = "0123456789012345678901234567890123456789012345678901234567890123";
static char long_text[1002];

static const char *some_text(void) {
    static const char *const bad[] = {"", long_id, "a\tb", "\x7f", "\xc0\x80", "\xed\xa0\x80", "ab\xc3", "~1", "\x01"};
    static const char *const good[] = {"K", "I", "a word", "naïve 客户", NULL};
    if (roll(40) == 0) return long_text;
    return odd() ? ONE_OF(bad) : ONE_OF(good);
}

static const char *some_customer(void) {
    return odd() ? some_text() : roll(8) == 0 ? "nobody" : roll(5) == 0 ? "c2" : "c1";
}

static const char *some_currency(void) {
    static const char *const bad[] = {NULL, "", "eur", "EURO", "EU", "XYZ", "\xff\xff\xff", "E\nR"};
    static const char *const good[] = {"EUR", "EUR", "EUR", "USD", "GBP", "JPY"};
    return odd() ? ONE_OF(bad) : ONE_OF(good);
}

static const char *some_new_id(void) {
    static char ids[16][24];
    static uint32_t at, count;
    char *id = ids[at++ % 16];
    if (odd()) return some_text();
    if (roll(2) == 0) return NULL;
    snprintf(id, sizeof ids[0], "new %u", (unsigned)count++);
    return id;
}

static int64_t some_amount(void) {
    static const int64_t bad[] = {-1, INT64_MIN, INT64_MAX, CRD_MAX_AMOUNT + 1, INT64_MIN + 1, CRD_MAX_AMOUNT};
    static const int64_t good[] = {0, 1, 2, 5, 10, 25, 40, 100, 1000};
    return odd() ? ONE_OF(bad) : ONE_OF(good);
}

static int32_t some_date(void) {
    static const int32_t bad[] = {-1, INT32_MIN, INT32_MAX, CRD_DATE_MAX + 1, CRD_DATE_MAX, 1};
    return odd() ? ONE_OF(bad) : roll(3) == 0 ? 0 : DAY((int)roll(12));
}

static int64_t some_instant(void) {
    static const int64_t bad[] = {-1, INT64_MIN, INT64_MAX, 1};
    return odd() ? ONE_OF(bad) : roll(2) == 0 ? 0 : noon((int)roll(12));
}

static uint32_t some_flags(uint32_t good) {
    static const uint32_t bad[] = {0xffffffffu, 0x80000000u, 0x4000u, 3};
    return odd() ? ONE_OF(bad) : roll(3) == 0 ? good & roll(0xffffffffu) : 0;
}

static uint32_t some_kind(uint32_t most) {
    static const uint32_t bad[] = {0, 0xffffffffu, 99, 0x10001u};
    return odd() ? ONE_OF(bad) : 1 + roll(most);
}

static uint32_t some_reserved(void) {
    return roll(60) == 0 ? roll(9) : 0;
}

/* A struct's size, right most often. The caller's struct is never smaller than it says. */
static uint32_t some_size(size_t right) {
    static const uint32_t bad[] = {0, 1, 3, 4, 5, 8};
    return roll(24) == 0 ? ONE_OF(bad) : (uint32_t)right;
}

static const crd_request *some_request(void) {
    static crd_request r;
    memset(&r, 0, sizeof r);
    r.struct_size = some_size(sizeof r);
    r.flags = roll(30) == 0 ? roll(4) : 0;
    r.actor = roll(15) == 0 ? some_text() : "clerk";
    r.key = roll(3) == 0 ? some_text() : NULL;
    r.note = roll(3) == 0 ? some_text() : NULL;
    r.instant = roll(4) == 0 ? some_instant() : 0;
    r.business_date = roll(6) == 0 ? some_date() : DAY(2 + (int)roll(4));
    r.reserved = some_reserved();
    return roll(40) == 0 ? NULL : &r;
}

/* ---- the stage ---- */

typedef struct stage {
    world *w;
    scene s, t; /* of the ledger, and of a rival's */
    crd_ledger *used; /* whose error is looked at; NULL where the call has no ledger */
} stage;

#define OWN_OR_NOT(s_, member) (roll(30) == 0 ? NULL : roll(25) == 0 ? (s_)->t.member : (s_)->s.member)

static crd_ledger *ledger_of(stage *s) {
    return s->used = roll(60) == 0 ? NULL : s->w->ledger;
}
static crd_credit *some_credit(stage *s) {
    return roll(3) == 0 ? OWN_OR_NOT(s, p) : roll(3) == 0 ? OWN_OR_NOT(s, x) : roll(3) == 0 ? OWN_OR_NOT(s, y) : OWN_OR_NOT(s, k);
}
static crd_invoice *some_invoice(stage *s) {
    return roll(4) == 0 ? OWN_OR_NOT(s, draft) : roll(3) == 0 ? OWN_OR_NOT(s, l) : roll(2) == 0 ? OWN_OR_NOT(s, j) : OWN_OR_NOT(s, i);
}
static crd_receipt *some_receipt(stage *s) {
    return roll(2) == 0 ? OWN_OR_NOT(s, paid) : OWN_OR_NOT(s, spent);
}
static crd_result *some_result(void) {
    static crd_result r;
    memset(&r, 0, sizeof r);
    r.struct_size = some_size(sizeof r);
    return roll(3) == 0 ? NULL : &r;
}

static const crd_line_terms *const *some_lines(uint64_t *count) {
    static crd_line_terms lines[3];
    static const crd_line_terms *list[3];
    *count = roll(4) == 0 ? 1 + roll(3) : 0;
    for (size_t i = 0; i < 3; i++) {
        memset(&lines[i], 0, sizeof lines[i]);
        lines[i].struct_size = some_size(sizeof lines[i]);
        lines[i].quantity = some_amount();
        lines[i].amount = some_amount();
        lines[i].sku = some_text();
        lines[i].text = some_text();
        lines[i].origin = roll(2) == 0 ? "L/1" : some_text();
        lines[i].tax = roll(5) == 0 ? some_amount() : 0;
        list[i] = roll(30) == 0 ? NULL : &lines[i];
    }
    if (roll(40) == 0) *count = UINT64_MAX;
    return *count == 0 ? NULL : roll(30) == 0 ? NULL : list;
}

static const crd_credit_terms *some_credit_terms(void) {
    static crd_credit_terms all[2];
    static uint32_t at;
    crd_credit_terms *t = &all[at++ % 2];
    memset(t, 0, sizeof *t);
    t->struct_size = some_size(sizeof *t);
    t->kind = some_kind(16);
    t->currency = some_currency();
    t->id = some_new_id();
    t->amount = some_amount();
    t->flags = some_flags(CRD_FLAG_RESERVED | CRD_FLAG_NON_REFUNDABLE | CRD_ISSUE_RETURN | CRD_ISSUE_APPLY);
    t->effective = roll(4) == 0 ? some_date() : 0;
    t->expires = roll(4) == 0 ? some_date() : 0;
    t->pays_kinds = roll(6) == 0 ? some_flags(0x1e) : 0;
    t->reserved = some_reserved();
    t->tax = roll(6) == 0 ? some_amount() : 0;
    t->prefers = some_text();
    t->origin = roll(2) == 0 ? "L" : some_text();
    t->source = some_text();
    t->reason = roll(3) != 0 ? "a reason" : some_text();
    t->notes = some_text();
    t->method = roll(3) == 0 ? some_text() : NULL;
    t->payment_info = roll(3) == 0 ? some_text() : NULL;
    t->reference = some_text();
    t->receipt = roll(4) == 0 ? some_new_id() : NULL;
    if (roll(3) == 0) t->lines = some_lines(&t->line_count);
    t->stands_for = roll(8) == 0 ? some_kind(16) : 0;
    t->opening_original = roll(8) == 0 ? some_amount() : 0;
    t->opening_used = roll(8) == 0 ? some_amount() : 0;
    return roll(40) == 0 ? NULL : t;
}

static const crd_receipt_terms *some_receipt_terms(void) {
    static struct {
        crd_receipt_terms terms;
        crd_receipt_line lines[2];
        const crd_receipt_line *list[2];
    } all[2];
    static uint32_t at;
    crd_receipt_terms t;
    crd_receipt_line *lines = all[++at % 2].lines;
    const crd_receipt_line **list = all[at % 2].list;
    memset(&t, 0, sizeof t);
    memset(lines, 0, sizeof all[0].lines);
    for (size_t i = 0; i < 2; i++) {
        lines[i].struct_size = some_size(sizeof lines[i]);
        lines[i].flags = some_flags(0);
        lines[i].invoice = roll(3) == 0 ? some_text() : "I";
        lines[i].credit = roll(3) == 0 ? "K" : roll(4) == 0 ? some_text() : NULL;
        lines[i].amount = some_amount();
        lines[i].kind = roll(4) == 0 ? some_kind(2) : 0;
        list[i] = roll(30) == 0 ? NULL : &lines[i];
    }
    t.struct_size = some_size(sizeof t);
    t.flags = some_flags(CRD_RECEIPT_DISTRIBUTE | CRD_RECEIPT_EXCESS_TO_CREDIT);
    t.currency = some_currency();
    t.id = some_new_id();
    t.amount = some_amount();
    t.method = some_text();
    t.payment_info = some_text();
    t.reference = some_text();
    t.credit = some_new_id();
    t.source = some_text();
    t.credit_kind = roll(3) == 0 ? some_kind(5) : 0;
    t.credit_flags = some_flags(CRD_FLAG_RESERVED | CRD_ISSUE_APPLY);
    t.credit_expires = roll(4) == 0 ? some_date() : 0;
    t.reserved = some_reserved();
    t.line_count = roll(3);
    t.lines = roll(30) == 0 ? NULL : list;
    all[at % 2].terms = t;
    return roll(40) == 0 ? NULL : &all[at % 2].terms;
}

/* ---- the functions ---- */

#define CALL(name) static crd_status call_##name(stage *s)

CALL(crd_acknowledge) {
    return crd_acknowledge(ledger_of(s), some_customer(), roll(3) == 0 ? "" : some_currency(), some_amount());
}
CALL(crd_application_change) {
    return crd_application_change(ledger_of(s), some_request(), some_customer(), some_currency(),
                                  roll(2) == 0 ? s->s.applied_seq : some_amount(), some_amount(), some_result());
}
CALL(crd_undo) {
    return crd_undo(ledger_of(s), some_request(), some_customer(), some_currency(),
                    odd() ? some_amount() : 1 + roll(40), roll(3) == 0 ? some_amount() : 0, some_result());
}
CALL(crd_credit_adjust) {
    crd_adjust_terms t;
    memset(&t, 0, sizeof t);
    t.struct_size = some_size(sizeof t);
    t.flags = some_flags(0);
    t.target = some_amount();
    t.method = some_text();
    t.reason = some_text();
    t.id = some_new_id();
    t.source = some_text();
    t.notes = some_text();
    return crd_credit_adjust(ledger_of(s), some_request(), some_customer(), some_currency(),
                             roll(40) == 0 ? NULL : &t, some_result());
}
static const crd_apply_terms *some_apply_terms(void) {
    static crd_apply_terms t;
    memset(&t, 0, sizeof t);
    t.struct_size = some_size(sizeof t);
    t.flags = some_flags(CRD_APPLY_CLAMP);
    t.amount = some_amount();
    t.reference = some_text();
    return roll(40) == 0 ? NULL : &t;
}
CALL(crd_credit_apply) {
    return crd_credit_apply(ledger_of(s), some_request(), some_credit(s), roll(4) == 0 ? NULL : some_invoice(s),
                            some_apply_terms(), some_result());
}
CALL(crd_credit_delete) {
    return crd_credit_delete(ledger_of(s), some_request(), some_credit(s), some_flags(CRD_DELETE_CASCADE), some_result());
}
CALL(crd_credit_hold) {
    crd_hold_terms t;
    crd_hold *made = NULL;
    crd_status status;
    memset(&t, 0, sizeof t);
    t.struct_size = some_size(sizeof t);
    t.flags = some_flags(CRD_APPLY_CLAMP);
    t.id = some_new_id();
    t.amount = some_amount();
    t.lapses_at = roll(2) == 0 ? some_instant() : 0;
    t.lapses_on = roll(4) == 0 ? some_date() : 0;
    t.reserved = some_reserved();
    status = crd_credit_hold(ledger_of(s), some_request(), some_credit(s),
                             roll(3) == 0 ? OWN_OR_NOT(s, draft) : roll(6) == 0 ? some_invoice(s) : NULL,
                             roll(40) == 0 ? NULL : &t, roll(4) == 0 ? NULL : &made);
    crd_hold_free(made);
    return status;
}
CALL(crd_credit_issue) {
    crd_credit *made = NULL;
    crd_status status = crd_credit_issue(ledger_of(s), some_request(), some_customer(), some_credit_terms(),
                                         roll(4) == 0 ? NULL : &made);
    crd_credit_free(made);
    return status;
}
CALL(crd_credit_issue_many) {
    crd_bulk_row rows[2];
    crd_bulk_result results[2];
    const crd_bulk_row *list[2];
    crd_bulk_result *out[2];
    uint64_t kept;
    memset(rows, 0, sizeof rows);
    memset(results, 0, sizeof results);
    for (size_t i = 0; i < 2; i++) {
        rows[i].struct_size = some_size(sizeof rows[i]);
        rows[i].reserved = some_reserved();
        rows[i].customer = some_customer();
        if (roll(3) != 0) rows[i].terms = some_credit_terms();
        if (odd() || rows[i].terms == NULL) rows[i].payment = some_receipt_terms();
        rows[i].key = some_text();
        results[i].struct_size = some_size(sizeof results[i]);
        list[i] = roll(20) == 0 ? NULL : &rows[i];
        out[i] = roll(20) == 0 ? NULL : &results[i];
    }
    return crd_credit_issue_many(ledger_of(s), some_request(), roll(20) == 0 ? NULL : list, roll(3),
                                 some_flags(0) | CRD_BULK_ALL_OR_NOTHING, roll(4) == 0 ? NULL : out,
                                 roll(4) == 0 ? NULL : &kept);
}
CALL(crd_credit_refund) {
    crd_refund_terms t;
    memset(&t, 0, sizeof t);
    t.struct_size = some_size(sizeof t);
    t.flags = some_flags(CRD_REFUND_OVERRIDE);
    t.amount = some_amount();
    t.method = some_text();
    t.reference = some_text();
    return crd_credit_refund(ledger_of(s), some_request(), some_credit(s), roll(40) == 0 ? NULL : &t, some_result());
}
CALL(crd_credit_transfer) {
    crd_transfer_terms t;
    crd_credit *made = NULL;
    crd_status status;
    memset(&t, 0, sizeof t);
    t.struct_size = some_size(sizeof t);
    t.flags = some_flags(0);
    t.customer = roll(2) == 0 ? "c2" : some_customer();
    t.amount = some_amount();
    t.id = some_new_id();
    status = crd_credit_transfer(ledger_of(s), some_request(), some_credit(s), roll(40) == 0 ? NULL : &t,
                                 roll(3) == 0 ? NULL : &made, some_result());
    crd_credit_free(made);
    return status;
}
CALL(crd_credit_void) {
    return crd_credit_void(ledger_of(s), some_request(), some_credit(s), some_amount(), some_flags(CRD_VOID_RELEASE),
                           some_result());
}
CALL(crd_customer_add) {
    crd_customer_terms t;
    crd_customer *made = NULL;
    crd_status status;
    memset(&t, 0, sizeof t);
    t.struct_size = some_size(sizeof t);
    t.switches = some_flags(CRD_SWITCH_AUTO_APPLY_ON);
    t.name = some_text();
    t.category = some_text();
    t.location = some_text();
    t.parent = some_text();
    status = crd_customer_add(ledger_of(s), some_request(), roll(2) == 0 ? some_new_id() : some_customer(),
                              roll(6) == 0 ? NULL : &t, roll(3) == 0 ? NULL : &made);
    crd_customer_free(made);
    return status;
}
CALL(crd_customer_change) {
    crd_customer_change_terms t;
    memset(&t, 0, sizeof t);
    t.struct_size = some_size(sizeof t);
    t.set = some_flags(CRD_SWITCH_AUTO_APPLY_ON | CRD_SWITCH_AUTO_APPLY_OFF);
    t.clear = some_flags(CRD_SWITCH_AUTO_APPLY_ON | CRD_SWITCH_FEATURE_OFF);
    if (t.set == CRD_SWITCH_FEATURE_OFF) t.set = 0;
    t.reserved = some_reserved();
    t.name = some_text();
    t.category = some_text();
    t.location = some_text();
    t.parent = some_text();
    return crd_customer_change(ledger_of(s), some_request(), OWN_OR_NOT(s, c), roll(40) == 0 ? NULL : &t, some_result());
}
CALL(crd_hold_capture) {
    return crd_hold_capture(ledger_of(s), some_request(), OWN_OR_NOT(s, held), roll(4) == 0 ? NULL : some_invoice(s),
                            some_apply_terms(), some_result());
}
CALL(crd_hold_release) {
    return crd_hold_release(ledger_of(s), some_request(), OWN_OR_NOT(s, held), some_amount(), some_result());
}
CALL(crd_invoice_enter) {
    crd_invoice_terms t;
    crd_invoice *made = NULL;
    crd_status status;
    memset(&t, 0, sizeof t);
    t.struct_size = some_size(sizeof t);
    t.kind = some_kind(4);
    t.currency = some_currency();
    t.id = some_new_id();
    t.total = some_amount();
    t.flags = some_flags(CRD_INVOICE_AS_DRAFT | CRD_INVOICE_APPLY);
    t.due = some_date();
    t.tax = roll(6) == 0 ? some_amount() : 0;
    t.reference = some_text();
    t.text = some_text();
    if (roll(3) == 0) t.lines = some_lines(&t.line_count);
    t.opening_total = roll(8) == 0 ? some_amount() : 0;
    t.opening_used = roll(8) == 0 ? some_amount() : 0;
    status = crd_invoice_enter(ledger_of(s), some_request(), some_customer(), roll(40) == 0 ? NULL : &t,
                               roll(3) == 0 ? NULL : &made);
    crd_invoice_free(made);
    return status;
}
CALL(crd_invoice_reverse) {
    crd_invoice_reverse_terms t;
    crd_credit *made = NULL;
    crd_status status;
    memset(&t, 0, sizeof t);
    t.struct_size = some_size(sizeof t);
    t.reserved = some_reserved();
    t.id = some_new_id();
    t.reason = some_text();
    status = crd_invoice_reverse(ledger_of(s), some_request(), some_invoice(s), roll(4) == 0 ? NULL : &t,
                                 roll(3) == 0 ? NULL : &made);
    crd_credit_free(made);
    return status;
}
CALL(crd_invoice_revise) {
    static const int64_t ends[][2] = {{1, 2}, {2, 2}, {0, 1}, {-1, INT64_MAX}, {4, 5}};
    crd_revise_terms t;
    memset(&t, 0, sizeof t);
    t.struct_size = some_size(sizeof t);
    t.flags = some_flags(3);
    t.total = some_amount();
    t.tax = roll(6) == 0 ? some_amount() : 0;
    t.due = some_date();
    t.reserved = some_reserved();
    if (roll(4) == 0) {
        t.end_line_count = roll(3);
        t.end_lines = roll(10) == 0 ? NULL : ends[roll(5)];
    }
    if (roll(3) == 0) t.add_lines = some_lines(&t.add_line_count);
    t.reason = some_text();
    t.reference = some_text();
    t.text = some_text();
    return crd_invoice_revise(ledger_of(s), some_request(), some_invoice(s), roll(40) == 0 ? NULL : &t, some_result());
}
CALL(crd_invoice_send) {
    return crd_invoice_send(ledger_of(s), some_request(), roll(2) == 0 ? OWN_OR_NOT(s, order) : some_invoice(s),
                            some_flags(CRD_INVOICE_APPLY), some_result());
}
CALL(crd_invoice_void) {
    return crd_invoice_void(ledger_of(s), some_request(), some_invoice(s), some_flags(CRD_VOID_STRICT), some_result());
}
CALL(crd_invoice_write_off) {
    return crd_invoice_write_off(ledger_of(s), some_request(), some_invoice(s), some_amount(), some_flags(15),
                                 some_result());
}
CALL(crd_receipt_enter) {
    crd_receipt *made = NULL;
    crd_status status = crd_receipt_enter(ledger_of(s), some_request(), some_customer(), some_receipt_terms(),
                                          roll(3) == 0 ? NULL : &made, some_result());
    crd_receipt_free(made);
    return status;
}
CALL(crd_receipt_reverse) {
    crd_reverse_terms t;
    memset(&t, 0, sizeof t);
    t.struct_size = some_size(sizeof t);
    t.flags = some_flags(CRD_REVERSE_STRICT);
    t.fee = some_amount();
    t.fee_id = some_new_id();
    t.debit_memo = some_new_id();
    t.reason = some_text();
    return crd_receipt_reverse(ledger_of(s), some_request(), some_receipt(s), roll(4) == 0 ? NULL : &t, some_result());
}
CALL(crd_sweep) {
    crd_sweep_spec spec;
    crd_sweep_result r;
    memset(&spec, 0, sizeof spec);
    memset(&r, 0, sizeof r);
    spec.struct_size = some_size(sizeof spec);
    spec.reserved = some_reserved();
    spec.customer = roll(2) == 0 ? some_customer() : NULL;
    r.struct_size = some_size(sizeof r);
    return crd_sweep(ledger_of(s), some_request(), roll(3) == 0 ? NULL : &spec, roll(3) == 0 ? NULL : &r);
}
static crd_plan_spec some_plan_spec(void) {
    static const char *customers[2];
    static crd_key key;
    static const crd_key *keys[2];
    crd_plan_spec spec;
    memset(&spec, 0, sizeof spec);
    memset(&key, 0, sizeof key);
    customers[0] = some_customer();
    customers[1] = some_customer();
    key.struct_size = some_size(sizeof key);
    key.kind = some_kind(6);
    key.customer = some_customer();
    key.currency = some_currency();
    key.id = some_text();
    keys[0] = roll(20) == 0 ? NULL : &key;
    keys[1] = &key;
    spec.struct_size = some_size(sizeof spec);
    spec.flags = some_flags(CRD_PLAN_USE_CASH | CRD_PLAN_BY_LOCATION);
    spec.date = roll(3) == 0 ? some_date() : DAY(6);
    spec.reserved = some_reserved();
    spec.currency = roll(3) == 0 ? some_currency() : NULL;
    spec.category = roll(5) == 0 ? some_text() : NULL;
    spec.location = roll(5) == 0 ? some_text() : NULL;
    spec.customers = roll(4) == 0 ? customers : NULL;
    spec.customer_count = spec.customers != NULL ? roll(3) : roll(30) == 0;
    spec.items = roll(6) == 0 ? keys : NULL;
    spec.item_count = spec.items != NULL ? roll(3) : roll(30) == 0;
    spec.tolerance = roll(4) == 0 ? some_amount() : 0;
    return spec;
}
CALL(crd_reconcile) {
    crd_plan_spec spec = some_plan_spec();
    crd_plan_result r;
    memset(&r, 0, sizeof r);
    r.struct_size = some_size(sizeof r);
    return crd_reconcile(ledger_of(s), some_request(), roll(40) == 0 ? NULL : &spec, roll(3) == 0 ? NULL : &r);
}
/* crd_plan_open, next, edit, skip, rewind, commit, close. */
CALL(plan) {
    crd_plan_spec spec = some_plan_spec();
    const crd_plan_account *account = NULL;
    crd_plan *plan = NULL;
    crd_status status = crd_plan_open(ledger_of(s), roll(40) == 0 ? NULL : &spec, roll(40) == 0 ? NULL : &plan);
    for (uint32_t n = roll(6); status == CRD_OK && n > 0; n--) {
        crd_plan *on = roll(30) == 0 ? NULL : plan;
        switch (roll(6)) {
        case 0: (void)crd_plan_edit(on, odd() ? UINT64_MAX : roll(3), some_amount()); break;
        case 1: (void)crd_plan_skip(on); break;
        case 2: (void)crd_plan_rewind(on); break;
        default: (void)crd_plan_next(on, roll(20) == 0 ? NULL : &account); break;
        }
        if (on != NULL && plan == NULL) break;
    }
    if (status == CRD_OK && plan != NULL && roll(3) == 0) status = crd_plan_commit(plan, some_request(), NULL);
    crd_plan_close(plan);
    return status;
}
CALL(report) {
    static const int32_t bounds[][3] = {{0, 30, 60}, {30, 0, 0}, {INT32_MIN, 0, INT32_MAX}, {1, 1, 2}};
    crd_report_spec spec;
    const crd_row *row = NULL;
    crd_report *report = NULL;
    crd_status status;
    memset(&spec, 0, sizeof spec);
    spec.struct_size = some_size(sizeof spec);
    spec.report = some_kind(22);
    spec.customer = roll(3) == 0 ? some_customer() : "c1";
    spec.currency = roll(4) == 0 ? some_currency() : "EUR";
    spec.kind = roll(3) == 0 ? some_kind(8) : 0;
    spec.states = roll(4) == 0 ? some_flags(0xf) : 0;
    spec.id = roll(3) == 0 ? "K" : roll(4) == 0 ? some_text() : NULL;
    spec.date = some_date();
    spec.reserved = some_reserved();
    spec.date_from = roll(4) == 0 ? some_date() : 0;
    spec.by = some_flags(0xff);
    spec.known_at = some_instant();
    spec.source = roll(5) == 0 ? some_text() : NULL;
    spec.method = roll(5) == 0 ? some_text() : NULL;
    spec.bucket_days = roll(4) == 0 ? bounds[roll(4)] : NULL;
    spec.bucket_count = spec.bucket_days != NULL ? roll(4) : roll(30) == 0 ? UINT64_MAX : 0;
    status = crd_report_open(ledger_of(s), roll(40) == 0 ? NULL : &spec, roll(40) == 0 ? NULL : &report);
    for (int n = 0; status == CRD_OK && report != NULL && n < 100; n++) {
        status = crd_report_next(report, roll(40) == 0 ? NULL : &row);
        if (row == NULL) break;
    }
    crd_report_close(report);
    return status;
}
static int32_t CRD_CALL swallow(void *ctx, const char *text, uint64_t size) {
    (void)ctx;
    (void)text;
    (void)size;
    return roll(200) == 0;
}
static crd_posting_spec some_posting_spec(void) {
    static const char *names[CRD_GL_ROLES + 1];
    crd_posting_spec spec;
    memset(&spec, 0, sizeof spec);
    for (size_t i = 0; i < CRD_GL_ROLES; i++) names[i] = roll(10) == 0 ? some_text() : roll(2) == 0 ? "Assets:A" : NULL;
    spec.struct_size = some_size(sizeof spec);
    spec.reserved = some_reserved();
    spec.customer = roll(3) == 0 ? some_customer() : NULL;
    spec.currency = roll(3) == 0 ? some_currency() : NULL;
    spec.date_from = roll(4) == 0 ? some_date() : 0;
    spec.date_to = roll(4) == 0 ? some_date() : 0;
    spec.accounts = roll(3) == 0 ? names : NULL;
    spec.account_count = spec.accounts != NULL ? roll(CRD_GL_ROLES + 2) : roll(30) == 0;
    return spec;
}
CALL(postings) {
    crd_posting_spec spec = some_posting_spec();
    const crd_posting *posting = NULL;
    crd_postings *postings = NULL;
    crd_status status = crd_postings_open(ledger_of(s), roll(40) == 0 ? NULL : &spec, roll(40) == 0 ? NULL : &postings);
    for (int n = 0; status == CRD_OK && postings != NULL && n < 100; n++) {
        status = crd_postings_next(postings, roll(40) == 0 ? NULL : &posting);
        if (posting == NULL) break;
    }
    crd_postings_close(postings);
    return status;
}
CALL(crd_postings_export) {
    crd_posting_spec spec = some_posting_spec();
    return crd_postings_export(ledger_of(s), roll(40) == 0 ? NULL : &spec, some_kind(3), roll(40) == 0 ? NULL : swallow,
                               NULL);
}
CALL(crd_customer_balance) {
    crd_balance b;
    memset(&b, 0, sizeof b);
    b.struct_size = some_size(sizeof b);
    return crd_customer_balance(ledger_of(s), some_customer(), some_currency(), some_date(), roll(20) == 0 ? NULL : &b);
}
static int unit_open;

#define FINDS(kind, id)                                                                                                \
    CALL(crd_##kind##_find) {                                                                                          \
        crd_##kind *found = NULL;                                                                                      \
        crd_status status = crd_##kind##_find(ledger_of(s), some_customer(), odd() ? some_text() : (id),               \
                                              roll(20) == 0 ? NULL : &found);                                          \
        ck_assert(status == CRD_OK || found == NULL);                                                                  \
        if (found != NULL) ck_assert_ptr_nonnull(crd_##kind##_get(found));                                             \
        if (found != NULL) status = crd_##kind##_refresh(roll(20) == 0 ? (s->used = NULL, NULL) : found);              \
        crd_##kind##_free(found);                                                                                      \
        return status;                                                                                                 \
    }
FINDS(credit, "K")
FINDS(invoice, "I")
FINDS(receipt, "Q")
FINDS(hold, "h")

CALL(crd_customer_find) {
    crd_customer *found = NULL;
    crd_status status = crd_customer_find(ledger_of(s), some_customer(), roll(20) == 0 ? NULL : &found);
    if (found != NULL) ck_assert_ptr_nonnull(crd_customer_get(found));
    if (found != NULL) status = crd_customer_refresh(found);
    crd_customer_free(found);
    return status;
}
CALL(crd_unit_begin) {
    crd_status status = crd_unit_begin(ledger_of(s));
    if (status == CRD_OK) unit_open = 1;
    return status;
}
CALL(crd_unit_commit) {
    crd_status status = crd_unit_commit(ledger_of(s));
    if (s->used != NULL) unit_open = 0;
    return status;
}
CALL(crd_unit_rollback) {
    crd_status status = crd_unit_rollback(ledger_of(s));
    if (s->used != NULL) unit_open = 0;
    return status;
}
CALL(crd_ledger_configure) {
    crd_settings t;
    memset(&t, 0, sizeof t);
    t.struct_size = some_size(sizeof t);
    t.feature_off = roll(30) == 0;
    t.closed_through = roll(8) == 0 ? some_date() : 0;
    t.utc_offset_minutes = roll(4) == 0 ? (int32_t)some_flags(0) : 0;
    for (size_t i = 0; i < CRD_ORDER_KEYS; i++) {
        t.credit_order[i] = roll(8) == 0 ? some_kind(8) : 0;
        t.invoice_order[i] = roll(8) == 0 ? some_kind(8) : 0;
    }
    t.auto_apply = roll(3);
    t.delete_window = roll(4) == 0 ? some_date() : 3;
    t.line_policy = roll(4);
    t.reserved = some_reserved();
    return crd_ledger_configure(ledger_of(s), roll(40) == 0 ? NULL : &t);
}
CALL(crd_ledger_exponent) {
    int32_t exponent;
    return crd_ledger_exponent(ledger_of(s), some_currency(), roll(20) == 0 ? NULL : &exponent);
}
CALL(crd_ledger_verify) {
    crd_verify_spec spec;
    crd_verify_result r;
    memset(&spec, 0, sizeof spec);
    memset(&r, 0, sizeof r);
    spec.struct_size = some_size(sizeof spec);
    spec.reserved = some_reserved();
    spec.customer = some_customer();
    r.struct_size = some_size(sizeof r);
    return crd_ledger_verify(ledger_of(s), roll(4) == 0 ? NULL : &spec, roll(3) == 0 ? NULL : &r);
}
CALL(crd_ledger_open) {
    crd_ledger_options options;
    crd_storage table = *world_storage(s->w);
    crd_allocator half;
    crd_currency odd_currency;
    const crd_currency *list[1];
    crd_ledger *opened = NULL;
    crd_status status;
    memset(&options, 0, sizeof options);
    memset(&half, 0, sizeof half);
    memset(&odd_currency, 0, sizeof odd_currency);
    half.struct_size = some_size(sizeof half);
    odd_currency.struct_size = some_size(sizeof odd_currency);
    odd_currency.exponent = (int32_t)some_flags(7);
    odd_currency.code = some_currency();
    list[0] = roll(4) == 0 ? NULL : &odd_currency;
    options.struct_size = some_size(sizeof options);
    options.flags = some_flags(CRD_LEDGER_DENY);
    table.close = NULL;
    table.struct_size = some_size(sizeof table);
    if (roll(8) == 0) table.read = NULL;
    if (roll(8) == 0) table.write = NULL;
    options.storage = roll(8) == 0 ? NULL : &table;
    options.allocator = roll(6) == 0 ? &half : NULL;
    options.currencies = roll(4) == 0 ? list : NULL;
    options.currency_count = roll(4) == 0 ? 1 : 0;
    s->used = NULL;
    status = crd_ledger_open(roll(20) == 0 ? NULL : &options, roll(20) == 0 ? NULL : &opened);
    ck_assert(status == CRD_OK || opened == NULL);
    crd_ledger_close(opened);
    return status;
}
/* ---- without a ledger ---- */

CALL(values) {
    int32_t a, b, c, date = some_date();
    int64_t sum[3], weights[3] = {some_amount(), some_amount(), some_amount()};
    char text[40];
    uint64_t room = roll(3) == 0 ? roll(40) : sizeof text;
    s->used = NULL;
    switch (roll(12)) {
    case 0: return crd_currency_exponent(some_currency(), roll(9) == 0 ? NULL : &a);
    case 1: return crd_date_from_civil(some_date(), (int32_t)roll(15) - 1, (int32_t)roll(34) - 1, roll(9) == 0 ? NULL : &a);
    case 2: return crd_date_from_text(roll(2) == 0 ? "2026-02-30" : some_text(), roll(9) == 0 ? NULL : &a);
    case 3: return crd_date_of_instant(some_instant(), some_date(), roll(9) == 0 ? NULL : &a);
    case 4: return crd_date_to_civil(date, &a, roll(9) == 0 ? NULL : &b, roll(9) == 0 ? NULL : &c);
    case 5: return crd_date_to_text(date, roll(9) == 0 ? NULL : text, room);
    case 6: return crd_instant_to_text(some_instant(), roll(9) == 0 ? NULL : text, room);
    case 7: return crd_money_format(some_amount(), (int32_t)some_flags(7), roll(9) == 0 ? NULL : text, room);
    case 8: return crd_money_parse(roll(2) == 0 ? "-92233720368547758.08" : some_text(), (int32_t)some_flags(7), roll(9) == 0 ? NULL : sum);
    case 9: return crd_money_split(some_amount(), roll(9) == 0 ? NULL : weights, roll(4), roll(9) == 0 ? NULL : sum);
    default: break;
    }
    ck_assert_ptr_nonnull(crd_entry_name(some_kind(60)));
    ck_assert_ptr_nonnull(crd_kind_name(some_kind(12)));
    ck_assert_ptr_nonnull(crd_left_text(some_kind(20)));
    ck_assert_ptr_nonnull(crd_status_name((crd_status)some_date()));
    ck_assert_ptr_nonnull(crd_status_text((crd_status)some_date()));
    (void)crd_status_is_transient((crd_status)some_date());
    ck_assert_ptr_nonnull(crd_version_text());
    ck_assert_ptr_nonnull(crd_warning_text(some_flags(3)));
    ck_assert_int_gt(crd_version(), 0);
    ck_assert_ptr_nonnull(crd_ledger_error(NULL));
    return CRD_OK;
}
CALL(records) {
    static const uint32_t kinds[] = {CRD_KIND_CREDIT, CRD_KIND_CREDIT, 0, 99, UINT32_MAX};
    uint8_t bytes[4096], previous[32];
    char text[4096];
    crd_entry_record record;
    uint64_t size = 0, count;
    uint32_t kind = ONE_OF(kinds), width;
    crd_status status;
    crd_credit_record any;
    s->used = NULL;
    memset(&record, 0, sizeof record);
    memset(previous, 1, sizeof previous);
    status = crd_record_encode(kind, roll(2) == 0 ? NULL : (const void *)crd_credit_get(s->s.k),
                               roll(5) == 0 ? NULL : bytes, roll(3) == 0 ? roll(200) : sizeof bytes,
                               roll(9) == 0 ? NULL : &size);
    (void)status;
    for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = roll(3) == 0 ? (uint8_t)roll(256) : bytes[i];
    memset(&any, 0, sizeof any);
    any.struct_size = some_size(sizeof any);
    (void)crd_record_decode(kind, roll(9) == 0 ? NULL : bytes, roll(4096), roll(9) == 0 ? NULL : &any,
                            roll(9) == 0 ? NULL : text, roll(4096));
    (void)crd_record_key(kind, roll(9) == 0 ? NULL : (const void *)crd_credit_get(s->s.k), roll(9) == 0 ? NULL : bytes,
                         roll(3) == 0 ? roll(20) : sizeof bytes, roll(9) == 0 ? NULL : &size);
    (void)crd_record_fields(kind, roll(9) == 0 ? NULL : &count, roll(9) == 0 ? NULL : &width);
    record.struct_size = some_size(sizeof record);
    (void)crd_entry_hash(roll(9) == 0 ? NULL : &record, roll(9) == 0 ? NULL : previous, roll(9) == 0 ? NULL : bytes);
    (void)crd_entry_version(previous);
    {
        crd_query query;
        memset(&query, 0, sizeof query);
        query.struct_size = sizeof query;
        query.kinds = some_flags(0xff);
        query.customer = some_text();
        query.currency = some_text();
        query.id = some_text();
        query.seq_from = some_amount();
        query.seq_to = some_amount();
        query.flags = some_flags(0xff);
        (void)crd_query_matches(&query, CRD_KIND_CREDIT, crd_credit_get(s->s.k));
    }
    return CRD_OK;
}
CALL(allocation) {
    int64_t amounts[2] = {some_amount(), some_amount()};
    uint64_t work[64];
    crd_open_items credits, invoices;
    uint32_t from[4], to[4];
    int64_t paid[4];
    crd_allocation out;
    s->used = NULL;
    memset(&credits, 0, sizeof credits);
    memset(&invoices, 0, sizeof invoices);
    memset(&out, 0, sizeof out);
    credits.struct_size = some_size(sizeof credits);
    invoices.struct_size = some_size(sizeof invoices);
    out.struct_size = some_size(sizeof out);
    out.capacity = roll(5);
    out.credit = roll(20) == 0 ? NULL : from;
    out.invoice = to;
    out.amount = paid;
    credits.count = invoices.count = roll(3);
    credits.amount = roll(9) == 0 ? NULL : amounts;
    invoices.amount = roll(9) == 0 ? NULL : amounts;
    (void)crd_allocate_work_size(roll(9) == 0 ? UINT64_MAX : 2, roll(9) == 0 ? UINT64_MAX : 2);
    return crd_allocate(roll(20) == 0 ? NULL : &credits, roll(20) == 0 ? NULL : &invoices, roll(9) == 0 ? NULL : work,
                        roll(3) == 0 ? roll(64) : sizeof work, roll(20) == 0 ? NULL : &out);
}
CALL(storage) {
    crd_allocator half;
    crd_memory *memory = NULL;
    crd_status status;
    s->used = NULL;
    memset(&half, 0, sizeof half);
    half.struct_size = some_size(sizeof half);
    status = crd_memory_new(roll(2) == 0 ? &half : NULL, roll(5) == 0 ? NULL : &memory);
    ck_assert(status == CRD_OK || memory == NULL);
    if (memory != NULL) ck_assert_ptr_nonnull(crd_memory_storage(memory));
    if (memory != NULL) (void)crd_memory_used(memory);
    crd_memory_free(memory);
    return status;
}

/* Functions, by the call that calls them. */
static const struct {
    const char *functions;
    crd_status (*call)(stage *s);
} calls[] = {
    {"crd_acknowledge", call_crd_acknowledge},
    {"crd_application_change", call_crd_application_change},
    {"crd_undo", call_crd_undo},
    {"crd_credit_adjust", call_crd_credit_adjust},
    {"crd_credit_apply", call_crd_credit_apply},
    {"crd_credit_delete", call_crd_credit_delete},
    {"crd_credit_hold", call_crd_credit_hold},
    {"crd_credit_issue", call_crd_credit_issue},
    {"crd_credit_issue_many", call_crd_credit_issue_many},
    {"crd_credit_refund", call_crd_credit_refund},
    {"crd_credit_transfer", call_crd_credit_transfer},
    {"crd_credit_void", call_crd_credit_void},
    {"crd_customer_add", call_crd_customer_add},
    {"crd_customer_change", call_crd_customer_change},
    {"crd_hold_capture", call_crd_hold_capture},
    {"crd_hold_release", call_crd_hold_release},
    {"crd_invoice_enter", call_crd_invoice_enter},
    {"crd_invoice_reverse", call_crd_invoice_reverse},
    {"crd_invoice_revise", call_crd_invoice_revise},
    {"crd_invoice_send", call_crd_invoice_send},
    {"crd_invoice_void", call_crd_invoice_void},
    {"crd_invoice_write_off", call_crd_invoice_write_off},
    {"crd_receipt_enter", call_crd_receipt_enter},
    {"crd_receipt_reverse", call_crd_receipt_reverse},
    {"crd_sweep", call_crd_sweep},
    {"crd_reconcile", call_crd_reconcile},
    {"crd_plan_open crd_plan_next crd_plan_edit crd_plan_skip crd_plan_rewind crd_plan_commit crd_plan_close", call_plan},
    {"crd_report_open crd_report_next crd_report_close", call_report},
    {"crd_postings_open crd_postings_next crd_postings_close", call_postings},
    {"crd_postings_export", call_crd_postings_export},
    {"crd_customer_balance", call_crd_customer_balance},
    {"crd_credit_find crd_credit_get crd_credit_refresh crd_credit_free", call_crd_credit_find},
    {"crd_invoice_find crd_invoice_get crd_invoice_refresh crd_invoice_free", call_crd_invoice_find},
    {"crd_receipt_find crd_receipt_get crd_receipt_refresh crd_receipt_free", call_crd_receipt_find},
    {"crd_hold_find crd_hold_get crd_hold_refresh crd_hold_free", call_crd_hold_find},
    {"crd_customer_find crd_customer_get crd_customer_refresh crd_customer_free", call_crd_customer_find},
    {"crd_unit_begin", call_crd_unit_begin},
    {"crd_unit_commit", call_crd_unit_commit},
    {"crd_unit_rollback", call_crd_unit_rollback},
    {"crd_ledger_configure", call_crd_ledger_configure},
    {"crd_ledger_exponent", call_crd_ledger_exponent},
    {"crd_ledger_verify", call_crd_ledger_verify},
    {"crd_ledger_open crd_ledger_close", call_crd_ledger_open},
    {"crd_currency_exponent crd_date_from_civil crd_date_from_text crd_date_of_instant crd_date_to_civil "
     "crd_date_to_text crd_instant_to_text crd_money_format crd_money_parse crd_money_split crd_entry_name "
     "crd_kind_name crd_left_text crd_status_name crd_status_text crd_status_is_transient crd_version_text "
     "crd_version crd_warning_text crd_ledger_error", call_values},
    {"crd_record_encode crd_record_decode crd_record_key crd_record_fields crd_entry_hash crd_entry_version "
     "crd_query_matches", call_records},
    {"crd_allocate crd_allocate_work_size", call_allocation},
    {"crd_memory_new crd_memory_storage crd_memory_used crd_memory_free", call_storage},
};
#define CALLS (sizeof calls / sizeof calls[0])

/* ---- what must hold ---- */

static void look(stage *s, size_t n, crd_status status, const char *before, uint64_t seed) {
    book *b;
    char *after;
    ck_assert_msg(strcmp(crd_status_name(status), "CRD_E_?") != 0 && status <= 0, "%s, seed %llu: status %d",
                  calls[n].functions, (unsigned long long)seed, (int)status);
    if (s->used != NULL && status != CRD_OK) {
        const crd_error *e = crd_ledger_error(s->used);
        ck_assert_msg(e->message[0] != '\0', "%s, seed %llu: %s says nothing", calls[n].functions,
                      (unsigned long long)seed, crd_status_name(status));
        if (e->code == status && status == CRD_E_ARGUMENT)
            ck_assert_msg(e->field[0] != '\0', "%s, seed %llu: names no argument: %s", calls[n].functions,
                          (unsigned long long)seed, e->message);
    }
    if (status == CRD_OK) return;
    ck_assert_msg(status != CRD_E_CORRUPT && status != CRD_E_CONTRACT && status != CRD_E_UNKNOWN, "%s, seed %llu: %s: %s",
                  calls[n].functions, (unsigned long long)seed, crd_status_name(status),
                  s->used != NULL ? crd_ledger_error(s->used)->message : "");
    b = world_book(s->w);
    after = book_text(b);
    book_free(b);
    ck_assert_msg(strcmp(before, after) == 0, "%s, seed %llu: says %s, but changed the book", calls[n].functions,
                  (unsigned long long)seed, crd_status_name(status));
    free(after);
}

static void refresh(stage *s) {
    if (!unit_open) (void)scene_refresh(&s->s);
}

static uint64_t run(int store, uint64_t seed, int count) {
    stage s;
    uint64_t done = 0;
    crd_settings settings;
    memset(&s, 0, sizeof s);
    memset(&settings, 0, sizeof settings);
    settings.struct_size = sizeof settings;
    s.w = world_open(store);
    s.w->careless = 1;
    scene_fill(s.w);
    world_rival(s.w);
    s.s = scene_open(s.w->ledger);
    s.t = scene_open(s.w->rivals[0]);
    unit_open = 0;
    dice = seed * UINT64_C(0x9E3779B97F4A7C15) | 1;
    for (int n = 0; n < count; n++) {
        size_t which = roll(CALLS);
        book *b = world_book(s.w);
        char *before = book_text(b);
        crd_status status;
        book_free(b);
        s.used = s.w->ledger;
        status = calls[which].call(&s);
        look(&s, which, status, before, seed);
        done += status == CRD_OK;
        free(before);
        if (calls[which].call == call_crd_ledger_configure && roll(3) != 0)
            OK(s.w, crd_ledger_configure(s.w->ledger, &settings));
        if (status == CRD_E_CONFLICT) refresh(&s);
    }
    if (unit_open) OK(s.w, crd_unit_rollback(s.w->ledger));
    OK(s.w, crd_ledger_configure(s.w->ledger, &settings));
    world_check(s.w);
    scene_close(&s.s);
    scene_close(&s.t);
    world_close(s.w);
    return done;
}

START_TEST(M16_R63_nothing_a_caller_passes_crashes_or_leaves_a_half_written_book) {
    const char *asked = getenv("CREDIT_TEST_SEED");
    int runs = getenv("CREDIT_TEST_LONG") != NULL ? 2000 : _i == STORE_MEMORY ? 40 : 5;
    uint64_t first = asked != NULL ? strtoull(asked, NULL, 10) : 1, done = 0;
    memset(long_text, 'x', sizeof long_text - 1);
    for (int n = 0; n < runs; n++) done += run(_i, first + (uint64_t)n, 150);
    ck_assert_uint_gt(done, (uint64_t)runs * 15); /* enough of them got far */
    printf("DID %d books with 150 calls of anything each, store %d\n", runs, _i);
    fflush(stdout);
}
END_TEST

/* ---- one by one: what every command has in common ---- */

START_TEST(M16_every_command_looks_at_who_asks_when_and_under_which_key) {
    static const struct {
        const char *field;
        int32_t date;
        int64_t instant;
        uint32_t size, flags, reserved;
        const char *actor, *key, *note;
    } cases[] = {
        {"request", 0, 0, 0, 0, 0, "clerk", NULL, NULL},
        {"request", 0, 0, 7, 0, 0, "clerk", NULL, NULL},
        {"request.flags", 0, 0, sizeof(crd_request), 0x80000000u, 0, "clerk", NULL, NULL},
        {"request.reserved", 0, 0, sizeof(crd_request), 0, 1, "clerk", NULL, NULL},
        {"request.actor", 0, 0, sizeof(crd_request), 0, 0, NULL, NULL, NULL},
        {"request.actor", 0, 0, sizeof(crd_request), 0, 0, "", NULL, NULL},
        {"request.actor", 0, 0, sizeof(crd_request), 0, 0, long_id, NULL, NULL},
        {"request.actor", 0, 0, sizeof(crd_request), 0, 0, "\xff", NULL, NULL},
        {"request.key", 0, 0, sizeof(crd_request), 0, 0, "clerk", "", NULL},
        {"request.key", 0, 0, sizeof(crd_request), 0, 0, "clerk", "~k", NULL},
        {"request.key", 0, 0, sizeof(crd_request), 0, 0, "clerk", "k\n", NULL},
        {"request.key", 0, 0, sizeof(crd_request), 0, 0, "clerk", long_id, NULL},
        {"request.note", 0, 0, sizeof(crd_request), 0, 0, "clerk", NULL, "\x01"},
        {"request.note", 0, 0, sizeof(crd_request), 0, 0, "clerk", NULL, "\xc0\x80"},
        {"request.instant", 0, -1, sizeof(crd_request), 0, 0, "clerk", NULL, NULL},
        {"request.instant", 0, INT64_MIN, sizeof(crd_request), 0, 0, "clerk", NULL, NULL},
        {"request.instant", 0, INT64_MAX, sizeof(crd_request), 0, 0, "clerk", NULL, NULL},
        {"request.business_date", -1, 0, sizeof(crd_request), 0, 0, "clerk", NULL, NULL},
        {"request.business_date", INT32_MIN, 0, sizeof(crd_request), 0, 0, "clerk", NULL, NULL},
        {"request.business_date", CRD_DATE_MAX + 1, 0, sizeof(crd_request), 0, 0, "clerk", NULL, NULL},
        {"request.business_date", INT32_MAX, 0, sizeof(crd_request), 0, 0, "clerk", NULL, NULL},
    };
    world *w = world_open(_i);
    scene s;
    w->careless = 1;
    scene_fill(w);
    s = scene_open(w->ledger);
    world_remember(w);
    for (size_t n = 0; n < scene_command_count; n++) {
        const scene_command *c = &scene_commands[n];
        crd_result out = result_block();
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
            crd_request r;
            memset(&r, 0, sizeof r);
            r.struct_size = cases[i].size;
            r.flags = cases[i].flags;
            r.actor = cases[i].actor;
            r.key = cases[i].key;
            r.note = cases[i].note;
            r.instant = cases[i].instant;
            r.business_date = cases[i].date;
            r.reserved = cases[i].reserved;
            if (c->code == CRD_COMMAND_BULK_ISSUE && cases[i].key != NULL) continue; /* a row's key is the row's */
            ENDS(w->ledger, c->run(&s, &r, 0, &out), CRD_E_ARGUMENT);
            ck_assert_msg(strcmp(crd_ledger_error(w->ledger)->field, cases[i].field) == 0, "%s, case %lu names %s",
                          c->name, (unsigned long)i, crd_ledger_error(w->ledger)->field);
        }
        world_same(w, c->name);
    }
    scene_close(&s);
    world_close(w);
}
END_TEST

/* With the handles of one ledger and another ledger to do it. Commands that take ids have no handle to be wrong. */
START_TEST(M16_every_command_refuses_handles_of_another_ledger) {
    int refused = 0;
    for (size_t n = 0; n < scene_command_count; n++) {
        const scene_command *c = &scene_commands[n];
        world *w = world_open(_i);
        scene s;
        crd_result out = result_block();
        crd_status status;
        w->careless = 1;
        scene_fill(w);
        s = scene_open(w->ledger);
        s.ledger = world_rival(w);
        world_remember(w);
        status = c->run(&s, on(2), 0, &out);
        if (status == CRD_E_ARGUMENT) {
            const char *field = crd_ledger_error(s.ledger)->field;
            refused++;
            ck_assert_msg(strcmp(field, "credit") == 0 || strcmp(field, "invoice") == 0 || strcmp(field, "hold") == 0 ||
                              strcmp(field, "receipt") == 0 || strcmp(field, "customer") == 0 ||
                              strcmp(field, "draft") == 0, "%s names %s", c->name, field);
            world_same(w, c->name);
        } else {
            ck_assert_msg(status == CRD_OK, "%s: %s", c->name, crd_status_name(status));
        }
        scene_close(&s);
        world_close(w);
    }
    ck_assert_int_ge(refused, 25);
}
END_TEST

static Suite *make(void) {
    Suite *s = suite_create("every call");
    TCase *t = tcase_create("every call");
    tcase_set_timeout(t, getenv("CREDIT_TEST_LONG") != NULL ? 3600 : 120);
    tcase_add_loop_test(t, M16_R63_nothing_a_caller_passes_crashes_or_leaves_a_half_written_book, 0, STORES);
    tcase_add_loop_test(t, M16_every_command_looks_at_who_asks_when_and_under_which_key, 0, STORES);
    tcase_add_loop_test(t, M16_every_command_refuses_handles_of_another_ledger, 0, STORES);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return world_main(make);
}
