/*
 * See scene.h.
 */
#include "support/paying.h"
#include "support/scene.h"

#include "support/change.h"

#include <string.h>

#define REFUND_SEQ 19
#define TRANSFER_SEQ 21
#define PAYMENT_SEQ 26
#define ADJUST_UP_SEQ 1
#define ADJUST_DOWN_SEQ 2

static int64_t refund_all(world *w, crd_credit *credit) {
    crd_refund_terms t;
    crd_result r = result_block();
    memset(&t, 0, sizeof t);
    t.struct_size = sizeof t;
    OK(w, crd_credit_refund(w->ledger, on(1), credit, &t, &r));
    crd_credit_free(credit);
    return r.first_seq;
}

static int64_t transfer_all(world *w, crd_credit *credit, const char *customer) {
    crd_transfer_terms t;
    crd_result r = result_block();
    memset(&t, 0, sizeof t);
    t.struct_size = sizeof t;
    t.customer = customer;
    OK(w, crd_credit_transfer(w->ledger, on(1), credit, &t, NULL, &r));
    crd_credit_free(credit);
    return r.first_seq;
}

static int64_t adjust_to(world *w, const char *currency, int64_t target) {
    crd_adjust_terms t;
    crd_result r = result_block();
    memset(&t, 0, sizeof t);
    t.struct_size = sizeof t;
    t.target = target;
    OK(w, crd_credit_adjust(w->ledger, on(1), "c1", currency, &t, &r));
    return r.first_seq;
}

void scene_fill_base(world *w) {
    crd_plan_spec spec = plan_spec(0, 1);
    crd_key names[2];
    const crd_key *items[2];
    crd_credit *k, *p, *m;
    crd_invoice *i, *j, *l, *n, *draft;
    int careless = w->careless;
    w->careless = 1;
    customer(w, "c1");
    customer(w, "c2");
    k = memo(w, "c1", "K", 1000, 0);
    p = promise(w, "c1", "P", 400, 0, 100);
    m = memo(w, "c1", "M", 50, 0);
    i = invoice(w, "c1", "I", 500, 0, 30);
    j = invoice(w, "c1", "J", 300, 0, 30);
    n = invoice(w, "c1", "N", 50, 0, 30);
    draft = invoice_as(w, "c1", "D", CRD_INVOICE_INVOICE, 200, 0, 30, CRD_INVOICE_AS_DRAFT);
    apply(w, k, j, 100, 1); /* entry 8 */
    memset(names, 0, sizeof names);
    for (size_t at = 0; at < 2; at++) {
        names[at].struct_size = sizeof names[at];
        names[at].kind = at == 0 ? CRD_KIND_CREDIT : CRD_KIND_INVOICE;
        names[at].customer = "c1";
        names[at].currency = "EUR";
        names[at].id = at == 0 ? "M" : "N";
        items[at] = &names[at];
    }
    spec.items = items;
    spec.item_count = 2;
    OK(w, crd_reconcile(w->ledger, on(1), &spec, NULL)); /* receipt: entry 9 */
    hold_credit(w, k, NULL, "h", 40, 1, 500); /* entry 11 */
    l = lined_invoice(w, "c1", "L", 1);
    write_off(w, l, 0, 0, 1); /* entry 13: it is in no balance */
    {
        paying *q = with(pays(receive("Q", 90), "O", 60), CRD_RECEIPT_EXCESS_TO_CREDIT);
        crd_invoice_free(invoice(w, "c1", "O", 60, 0, 30));
        q->terms.credit = "Q";
        enter(w, "c1", q, 1);
    }
    w->careless = careless;
    if (!careless) world_check(w);
    crd_credit_free(k);
    crd_credit_free(p);
    crd_credit_free(m);
    crd_invoice_free(i);
    crd_invoice_free(j);
    crd_invoice_free(l);
    crd_invoice_free(n);
    crd_invoice_free(draft);
}

/* Documents that are what some commands need, and leave every balance of EUR as it is but for X. */
static void fill_more(world *w) {
    crd_credit_terms pounds = credit_terms("pounds", CRD_CREDIT_MEMO, 20);
    crd_credit *a, *y;
    crd_invoice *order, *paid;
    paying *e, *b = with(receive("spent", 40), CRD_RECEIPT_EXCESS_TO_CREDIT);
    ck_assert_int_eq(refund_all(w, memo(w, "c1", "F", 15, 1)), REFUND_SEQ);
    ck_assert_int_eq(transfer_all(w, memo(w, "c1", "T", 15, 1), "c2"), TRANSFER_SEQ);
    b->terms.credit = "spent";
    enter(w, "c1", b, 1);
    (void)refund_all(w, find_credit(w->ledger, "c1", "spent"));
    crd_invoice_free(invoice(w, "c1", "E", 35, 1, 30));
    e = pays(receive("E", 35), "E", 35);
    e->terms.credit = "E";
    ck_assert_int_eq(enter(w, "c1", e, 1).first_seq, PAYMENT_SEQ);
    ck_assert_int_eq(adjust_to(w, "USD", 15), ADJUST_UP_SEQ);
    pounds.currency = "GBP";
    OK(w, crd_credit_issue(w->ledger, on(1), "c1", &pounds, NULL));
    ck_assert_int_eq(adjust_to(w, "GBP", 5), ADJUST_DOWN_SEQ);
    a = memo(w, "c1", "A", 20, 1);
    order = invoice_as(w, "c1", "order", CRD_INVOICE_INVOICE, 20, 1, 30, CRD_INVOICE_AS_DRAFT);
    hold_credit(w, a, order, "alloc", 20, 1, 0);
    crd_credit_free(cash(w, "c1", "X", 25, 2));
    y = memo(w, "c1", "Y", 25, 2);
    paid = invoice(w, "c1", "Y", 25, 2, 30);
    apply(w, y, paid, 25, 2);
    crd_credit_free(a);
    crd_credit_free(y);
    crd_invoice_free(order);
    crd_invoice_free(paid);
}

void scene_fill(world *w) {
    int careless = w->careless;
    w->careless = 1;
    scene_fill_base(w);
    fill_more(w);
    w->careless = careless;
    if (!careless) world_check(w);
}

scene scene_open(crd_ledger *ledger) {
    scene s;
    s.ledger = ledger;
    ck_assert_int_eq(crd_customer_find(ledger, "c1", &s.c), CRD_OK);
    s.k = find_credit(ledger, "c1", "K");
    s.p = find_credit(ledger, "c1", "P");
    s.i = find_invoice(ledger, "c1", "I");
    s.j = find_invoice(ledger, "c1", "J");
    s.draft = find_invoice(ledger, "c1", "D");
    s.held = find_hold(ledger, "c1", "h");
    s.l = find_invoice(ledger, "c1", "L");
    s.written_off_seq = 13;
    s.paid = find_receipt(ledger, "c1", "Q");
    s.applied_seq = 8;
    s.receipt_seq = 9;
    s.refund_seq = REFUND_SEQ;
    s.transfer_seq = TRANSFER_SEQ;
    s.up_seq = ADJUST_UP_SEQ;
    s.down_seq = ADJUST_DOWN_SEQ;
    s.spent = find_receipt(ledger, "c1", "spent");
    s.payment_seq = PAYMENT_SEQ;
    s.order = find_invoice(ledger, "c1", "order");
    s.x = find_credit(ledger, "c1", "X");
    s.y = find_credit(ledger, "c1", "Y");
    return s;
}

crd_status scene_refresh(scene *s) {
    crd_status status = crd_credit_refresh(s->k);
    if (status == CRD_OK) status = crd_credit_refresh(s->p);
    if (status == CRD_OK) status = crd_invoice_refresh(s->i);
    if (status == CRD_OK) status = crd_invoice_refresh(s->j);
    if (status == CRD_OK) status = crd_invoice_refresh(s->draft);
    if (status == CRD_OK) status = crd_hold_refresh(s->held);
    if (status == CRD_OK) status = crd_invoice_refresh(s->l);
    if (status == CRD_OK) status = crd_customer_refresh(s->c);
    if (status == CRD_OK) status = crd_receipt_refresh(s->paid);
    if (status == CRD_OK) status = crd_receipt_refresh(s->spent);
    if (status == CRD_OK) status = crd_invoice_refresh(s->order);
    if (status == CRD_OK) status = crd_credit_refresh(s->x);
    if (status == CRD_OK) status = crd_credit_refresh(s->y);
    return status;
}

void scene_close(scene *s) {
    crd_receipt_free(s->paid);
    crd_receipt_free(s->spent);
    crd_invoice_free(s->order);
    crd_credit_free(s->x);
    crd_credit_free(s->y);
    crd_credit_free(s->k);
    crd_credit_free(s->p);
    crd_invoice_free(s->i);
    crd_invoice_free(s->j);
    crd_invoice_free(s->draft);
    crd_hold_free(s->held);
    crd_invoice_free(s->l);
    crd_customer_free(s->c);
}

static crd_status run_customer(scene *s, const crd_request *request, int variant, crd_result *out) {
    crd_customer_terms t;
    crd_customer *made = NULL;
    crd_status status;
    memset(&t, 0, sizeof t);
    t.struct_size = sizeof t;
    t.name = variant ? "Somebody" : "Anybody";
    status = crd_customer_add(s->ledger, request, "c3", &t, &made);
    if (status == CRD_OK) ck_assert_str_eq(crd_customer_get(made)->name, "Anybody");
    if (status != CRD_OK) ck_assert_ptr_null(made);
    crd_customer_free(made);
    (void)out;
    return status;
}

static crd_status issue(scene *s, const crd_request *request, const crd_credit_terms *t, crd_result *out) {
    crd_credit *made = NULL;
    crd_status status = crd_credit_issue(s->ledger, request, "c1", t, &made);
    if (status == CRD_OK) ck_assert_int_eq(crd_credit_get(made)->original, 70);
    if (status != CRD_OK) ck_assert_ptr_null(made);
    crd_credit_free(made);
    (void)out;
    return status;
}

static crd_status run_issue(scene *s, const crd_request *request, int variant, crd_result *out) {
    crd_credit_terms t = credit_terms(NULL, CRD_CREDIT_MEMO, 70);
    if (variant) t.reason = "another one";
    return issue(s, request, &t, out);
}

static crd_status run_receive(scene *s, const crd_request *request, int variant, crd_result *out) {
    crd_credit_terms t = credit_terms("money", CRD_CREDIT_PREPAYMENT, 70);
    t.method = variant ? "card" : "check";
    return issue(s, request, &t, out);
}

static crd_status run_issue_abroad(scene *s, const crd_request *request, int variant, crd_result *out) {
    crd_credit_terms t = credit_terms("yen", CRD_CREDIT_REFERRAL, 70); /* makes an account of its own */
    t.currency = "JPY";
    t.priority = variant;
    return issue(s, request, &t, out);
}

static crd_status run_apply(scene *s, const crd_request *request, int variant, crd_result *out) {
    return try_apply(s->ledger, s->k, s->i, variant ? 251 : 250, 0, request, out);
}

static crd_status run_apply_clamped(scene *s, const crd_request *request, int variant, crd_result *out) {
    return try_apply(s->ledger, s->k, variant ? s->i : s->j, 0, CRD_APPLY_CLAMP, request, out);
}

static crd_status run_apply_outside(scene *s, const crd_request *request, int variant, crd_result *out) {
    crd_apply_terms t;
    memset(&t, 0, sizeof t);
    t.struct_size = sizeof t;
    t.amount = 30;
    t.reference = variant ? "b" : "a";
    return crd_credit_apply(s->ledger, request, s->p, NULL, &t, out);
}

static crd_status run_void(scene *s, const crd_request *request, int variant, crd_result *out) {
    return crd_credit_void(s->ledger, request, variant ? s->k : s->p, 0, 0, out);
}

static crd_status run_void_part(scene *s, const crd_request *request, int variant, crd_result *out) {
    return crd_credit_void(s->ledger, request, s->k, variant ? 2 : 1, 0, out);
}

static crd_status run_enter(scene *s, const crd_request *request, int variant, crd_result *out) {
    crd_invoice_terms t = invoice_terms("I9", 600);
    crd_invoice *made = NULL;
    crd_status status;
    if (variant) t.total = 601;
    status = crd_invoice_enter(s->ledger, request, "c1", &t, &made);
    if (status == CRD_OK) ck_assert_int_eq(crd_invoice_get(made)->total, 600);
    if (status != CRD_OK) ck_assert_ptr_null(made);
    crd_invoice_free(made);
    (void)out;
    return status;
}

static crd_status run_send(scene *s, const crd_request *request, int variant, crd_result *out) {
    return crd_invoice_send(s->ledger, request, variant ? s->i : s->draft, 0, out);
}

static crd_status run_void_invoice(scene *s, const crd_request *request, int variant, crd_result *out) {
    return crd_invoice_void(s->ledger, request, s->j, variant ? CRD_VOID_STRICT : 0, out);
}

static crd_status run_cancel(scene *s, const crd_request *request, int variant, crd_result *out) {
    return crd_invoice_void(s->ledger, request, variant ? s->j : s->draft, 0, out);
}

static crd_status run_undo(scene *s, const crd_request *request, int variant, crd_result *out) {
    return try_undo(s->ledger, "c1", s->applied_seq, variant ? 41 : 40, request, out);
}

static crd_status run_undo_receipt(scene *s, const crd_request *request, int variant, crd_result *out) {
    return try_undo(s->ledger, "c1", variant ? s->applied_seq : s->receipt_seq, 0, request, out);
}

static crd_status put_aside(scene *s, const crd_request *request, crd_invoice *draft, const char *id, int64_t amount) {
    crd_hold_terms t = hold_terms(id, 70, draft != NULL ? 0 : 40);
    crd_hold *made = NULL;
    crd_status status;
    t.amount = amount;
    status = crd_credit_hold(s->ledger, request, s->k, draft, &t, &made);
    if (status == CRD_OK) ck_assert_int_eq(crd_hold_get(made)->amount, 70);
    if (status != CRD_OK) ck_assert_ptr_null(made);
    crd_hold_free(made);
    return status;
}

static crd_status run_hold(scene *s, const crd_request *request, int variant, crd_result *out) {
    (void)out;
    return put_aside(s, request, NULL, "checkout", variant ? 71 : 70);
}

static crd_status run_allocate(scene *s, const crd_request *request, int variant, crd_result *out) {
    (void)out;
    return put_aside(s, request, variant ? NULL : s->draft, NULL, 70);
}

static crd_status run_capture(scene *s, const crd_request *request, int variant, crd_result *out) {
    crd_apply_terms t;
    memset(&t, 0, sizeof t);
    t.struct_size = sizeof t;
    t.amount = variant ? 21 : 20;
    return crd_hold_capture(s->ledger, request, s->held, s->i, &t, out);
}

static crd_status run_release(scene *s, const crd_request *request, int variant, crd_result *out) {
    return crd_hold_release(s->ledger, request, s->held, variant ? 21 : 0, out);
}

static crd_status run_revise(scene *s, const crd_request *request, int variant, crd_result *out) {
    crd_revise_terms t = revise_terms(variant ? 61 : 60); /* of J, which 100 were applied to */
    return crd_invoice_revise(s->ledger, request, s->j, &t, out);
}

static crd_status run_revise_lines(scene *s, const crd_request *request, int variant, crd_result *out) {
    static const int64_t ends[] = {1};
    crd_line_terms l = line_terms("D", 1, 100);
    const crd_line_terms *list[1] = {&l};
    crd_revise_terms t = revise_terms(600);
    t.end_lines = ends;
    t.end_line_count = 1;
    t.add_lines = list;
    t.add_line_count = 1;
    if (variant) l.sku = "E";
    return crd_invoice_revise(s->ledger, request, s->l, &t, out);
}

static crd_status run_return(scene *s, const crd_request *request, int variant, crd_result *out) {
    crd_line_terms l = line_terms("A", 1, 70);
    const crd_line_terms *list[1] = {&l};
    crd_credit_terms t = return_terms("B", "L", 70);
    l.origin = variant ? "L/3" : "L/2";
    t.lines = list;
    t.line_count = 1;
    return issue(s, request, &t, out);
}

static crd_status run_reverse(scene *s, const crd_request *request, int variant, crd_result *out) {
    crd_invoice_reverse_terms t;
    crd_credit *made = NULL;
    crd_status status;
    memset(&t, 0, sizeof t);
    t.struct_size = sizeof t;
    t.id = "R";
    t.reason = variant ? "b" : "a";
    status = crd_invoice_reverse(s->ledger, request, s->l, &t, &made);
    if (status == CRD_OK) ck_assert_str_eq(crd_credit_get(made)->origin, "L");
    if (status != CRD_OK) ck_assert_ptr_null(made);
    crd_credit_free(made);
    (void)out;
    return status;
}

static crd_status run_write_off(scene *s, const crd_request *request, int variant, crd_result *out) {
    return crd_invoice_write_off(s->ledger, request, s->i, 50, variant ? CRD_CAUSE_TOLERANCE : 0, out);
}

static crd_status run_undo_write_off(scene *s, const crd_request *request, int variant, crd_result *out) {
    return try_undo(s->ledger, "c1", s->written_off_seq, variant ? 21 : 20, request, out);
}

static crd_status change_customer(scene *s, const crd_request *request, uint32_t set, const char *name, crd_result *out) {
    crd_customer_change_terms t;
    memset(&t, 0, sizeof t);
    t.struct_size = sizeof t;
    t.set = set;
    t.name = name;
    return crd_customer_change(s->ledger, request, s->c, &t, out);
}

static crd_status run_rename(scene *s, const crd_request *request, int variant, crd_result *out) {
    return change_customer(s, request, 0, variant ? "B" : "A", out);
}

static crd_status run_switch(scene *s, const crd_request *request, int variant, crd_result *out) {
    return change_customer(s, request, variant ? CRD_SWITCH_AUTO_APPLY_ON : CRD_SWITCH_AUTO_APPLY_OFF, NULL, out);
}

static crd_status run_lower(scene *s, const crd_request *request, int variant, crd_result *out) {
    return crd_application_change(s->ledger, request, "c1", "EUR", s->applied_seq, variant ? 61 : 60, out);
}

static crd_status run_raise(scene *s, const crd_request *request, int variant, crd_result *out) {
    return crd_application_change(s->ledger, request, "c1", "EUR", s->applied_seq, variant ? 161 : 160, out);
}

static crd_status run_enter_receipt(scene *s, const crd_request *request, int variant, crd_result *out) {
    paying *p = discount(uses(pays(receive("R9", 40), "I", 60), "K", 20), "I", 3);
    if (variant) p->line[2].amount = 2;
    (void)out;
    return try_enter(s->ledger, request, "c1", p, NULL);
}

static crd_status run_distribute(scene *s, const crd_request *request, int variant, crd_result *out) {
    paying *p = with(receive(NULL, 20), CRD_RECEIPT_DISTRIBUTE | CRD_RECEIPT_EXCESS_TO_CREDIT);
    p->terms.payment_info = variant ? "no. 2" : "no. 1";
    (void)out;
    return try_enter(s->ledger, request, "c1", p, NULL);
}

static crd_status run_bounce(scene *s, const crd_request *request, int variant, crd_result *out) {
    crd_reverse_terms t;
    memset(&t, 0, sizeof t);
    t.struct_size = sizeof t;
    t.fee = variant ? 6 : 5;
    t.fee_id = "fee";
    return crd_receipt_reverse(s->ledger, request, s->paid, &t, out);
}

static crd_status run_refund(scene *s, const crd_request *request, int variant, crd_result *out) {
    crd_refund_terms t;
    memset(&t, 0, sizeof t);
    t.struct_size = sizeof t;
    t.amount = 70;
    t.method = variant ? "wire" : "cash";
    return crd_credit_refund(s->ledger, request, s->k, &t, out);
}

static crd_status run_transfer(scene *s, const crd_request *request, int variant, crd_result *out) {
    crd_transfer_terms t;
    crd_credit *made = NULL;
    crd_status status;
    memset(&t, 0, sizeof t);
    t.struct_size = sizeof t;
    t.customer = variant ? "c9" : "c2";
    t.amount = 70;
    status = crd_credit_transfer(s->ledger, request, s->k, &t, &made, out);
    if (status == CRD_OK) ck_assert_int_eq(crd_credit_get(made)->original, 70);
    if (status != CRD_OK) ck_assert_ptr_null(made);
    crd_credit_free(made);
    return status;
}

static crd_status adjust(scene *s, const crd_request *request, int64_t target, crd_result *out) {
    crd_adjust_terms t;
    memset(&t, 0, sizeof t);
    t.struct_size = sizeof t;
    t.target = target;
    return crd_credit_adjust(s->ledger, request, "c1", "EUR", &t, out);
}

static crd_status run_adjust_up(scene *s, const crd_request *request, int variant, crd_result *out) {
    return adjust(s, request, variant ? 1426 : 1425, out); /* K 860, P 400, Q 30, X 25 */
}

static crd_status run_adjust_down(scene *s, const crd_request *request, int variant, crd_result *out) {
    return adjust(s, request, variant ? 1199 : 1200, out);
}

static crd_status run_void_release(scene *s, const crd_request *request, int variant, crd_result *out) {
    return crd_credit_void(s->ledger, request, s->k, 10, variant ? 0 : CRD_VOID_RELEASE, out);
}

/* One row: its key is the request's. All or nothing, so that the call says what the row says. */
static crd_status bulk(scene *s, const crd_request *request, const crd_credit_terms *terms,
                       const crd_receipt_terms *payment, crd_result *out) {
    crd_request whole = *request;
    crd_bulk_row row;
    const crd_bulk_row *rows[1];
    crd_bulk_result result;
    crd_bulk_result *results[1];
    crd_status status;
    memset(&row, 0, sizeof row);
    memset(&result, 0, sizeof result);
    row.struct_size = sizeof row;
    row.customer = "c1";
    row.terms = terms;
    row.payment = payment;
    row.key = request->key;
    result.struct_size = sizeof result;
    rows[0] = &row;
    results[0] = &result;
    whole.key = NULL;
    status = crd_credit_issue_many(s->ledger, &whole, rows, 1, CRD_BULK_ALL_OR_NOTHING, results, NULL);
    if (out == NULL) return status;
    out->repeated = result.repeated;
    out->first_seq = result.first_seq;
    out->last_seq = result.last_seq;
    out->amount = result.amount;
    return status;
}

static crd_status run_bulk(scene *s, const crd_request *request, int variant, crd_result *out) {
    crd_credit_terms t = credit_terms(NULL, CRD_CREDIT_MEMO, 70);
    if (variant) t.reason = "another one";
    return bulk(s, request, &t, NULL, out);
}

/* 80 received: 60 for I, and 20 that stay as credit. */
static crd_status run_bulk_payment(scene *s, const crd_request *request, int variant, crd_result *out) {
    paying *p = with(pays(receive(NULL, 80), "I", variant ? 61 : 60), CRD_RECEIPT_EXCESS_TO_CREDIT);
    return bulk(s, request, NULL, &p->terms, out);
}

/* ---- what takes something back ---- */

static crd_status undo_whole(scene *s, const crd_request *request, const char *currency, int64_t seq, int variant,
                             crd_result *out) {
    return crd_undo(s->ledger, request, "c1", currency, variant ? 1 : seq, 0, out);
}

static crd_status run_undo_refund(scene *s, const crd_request *request, int variant, crd_result *out) {
    return undo_whole(s, request, "EUR", s->refund_seq, variant, out);
}

static crd_status run_undo_transfer(scene *s, const crd_request *request, int variant, crd_result *out) {
    return undo_whole(s, request, "EUR", s->transfer_seq, variant, out);
}

static crd_status run_undo_payment(scene *s, const crd_request *request, int variant, crd_result *out) {
    return undo_whole(s, request, "EUR", s->payment_seq, variant, out);
}

static crd_status run_undo_adjust_up(scene *s, const crd_request *request, int variant, crd_result *out) {
    return undo_whole(s, request, variant ? "GBP" : "USD", s->up_seq, 0, out);
}

static crd_status run_undo_adjust_down(scene *s, const crd_request *request, int variant, crd_result *out) {
    return undo_whole(s, request, "GBP", s->down_seq, variant, out);
}

static crd_status run_delete(scene *s, const crd_request *request, int variant, crd_result *out) {
    return crd_credit_delete(s->ledger, request, s->x, variant ? CRD_DELETE_CASCADE : 0, out);
}

static crd_status run_delete_cascade(scene *s, const crd_request *request, int variant, crd_result *out) {
    return crd_credit_delete(s->ledger, request, s->y, variant ? 0 : CRD_DELETE_CASCADE, out);
}

static crd_status run_send_order(scene *s, const crd_request *request, int variant, crd_result *out) {
    return crd_invoice_send(s->ledger, request, s->order, variant ? CRD_INVOICE_APPLY : 0, out);
}

static crd_status run_bounce_strictly(scene *s, const crd_request *request, int variant, crd_result *out) {
    crd_reverse_terms t;
    memset(&t, 0, sizeof t);
    t.struct_size = sizeof t;
    t.flags = variant ? 0 : CRD_REVERSE_STRICT;
    return crd_receipt_reverse(s->ledger, request, s->paid, &t, out);
}

static crd_status run_bounce_refunded(scene *s, const crd_request *request, int variant, crd_result *out) {
    crd_reverse_terms t;
    memset(&t, 0, sizeof t);
    t.struct_size = sizeof t;
    t.debit_memo = variant ? "owed 2" : "owed";
    return crd_receipt_reverse(s->ledger, request, s->spent, &t, out);
}

/* ---- commands without a key of their own ---- */

/* P expires on day 100. */
static crd_status run_sweep(scene *s, const crd_request *request, int variant, crd_result *out) {
    crd_request late = *request;
    crd_sweep_result r;
    crd_status status;
    (void)variant;
    (void)out;
    memset(&r, 0, sizeof r);
    r.struct_size = sizeof r;
    late.business_date = DAY(100);
    late.key = NULL;
    status = crd_sweep(s->ledger, &late, NULL, &r);
    return status == CRD_OK && r.conflicted > 0 ? CRD_E_CONFLICT : status;
}

static crd_status run_acknowledge(scene *s, const crd_request *request, int variant, crd_result *out) {
    (void)request;
    (void)variant;
    (void)out;
    return crd_acknowledge(s->ledger, "c1", "EUR", s->applied_seq);
}

static crd_status run_reconcile(scene *s, const crd_request *request, int variant, crd_result *out) {
    crd_plan_spec spec = plan_spec(0, 2);
    crd_plan_result r = plan_result_block();
    crd_status status = crd_reconcile(s->ledger, request, &spec, &r);
    (void)variant;
    (void)out;
    return status == CRD_OK && r.conflicted > 0 ? CRD_E_CONFLICT : status;
}

static crd_status run_plan(scene *s, const crd_request *request, int variant, crd_result *out) {
    crd_plan_spec spec = plan_spec(CRD_PLAN_USE_CASH, 2);
    const crd_plan_account *account = NULL;
    crd_plan_result r = plan_result_block();
    crd_plan *plan = NULL;
    crd_status status = crd_plan_open(s->ledger, &spec, &plan);
    (void)variant;
    (void)out;
    do {
        if (status == CRD_OK) status = crd_plan_next(plan, &account);
    } while (status == CRD_OK && account != NULL);
    if (status == CRD_OK) status = crd_plan_commit(plan, request, &r);
    crd_plan_close(plan);
    return status == CRD_OK && r.conflicted > 0 ? CRD_E_CONFLICT : status;
}

/* A unit of the host's. */
static crd_status run_unit(scene *s, const crd_request *request, int variant, crd_result *out) {
    crd_request first = *request, second = *request;
    crd_status status = crd_unit_begin(s->ledger);
    (void)variant;
    (void)out;
    if (status != CRD_OK) return status;
    if (request->key != NULL) {
        first.key = "unit 1";
        second.key = "unit 2";
    }
    status = run_apply(s, &first, 0, NULL);
    if (status == CRD_OK) status = run_undo_refund(s, &second, 0, NULL);
    if (status == CRD_OK) return crd_unit_commit(s->ledger);
    ck_assert_int_eq(crd_unit_rollback(s->ledger), CRD_OK);
    return status;
}

const scene_function scene_functions[] = {
    {"crd_acknowledge", CRD_COMMAND_ACKNOWLEDGE},
    {"crd_application_change", CRD_COMMAND_APPLICATION_CHANGE},
    {"crd_credit_adjust", CRD_COMMAND_ADJUST},
    {"crd_credit_apply", CRD_COMMAND_CREDIT_APPLY},
    {"crd_credit_delete", CRD_COMMAND_CREDIT_DELETE},
    {"crd_credit_hold", CRD_COMMAND_HOLD},
    {"crd_credit_issue", CRD_COMMAND_CREDIT_ISSUE},
    {"crd_credit_issue_many", CRD_COMMAND_BULK_ISSUE},
    {"crd_credit_refund", CRD_COMMAND_CREDIT_REFUND},
    {"crd_credit_transfer", CRD_COMMAND_CREDIT_TRANSFER},
    {"crd_credit_void", CRD_COMMAND_CREDIT_VOID},
    {"crd_customer_add", CRD_COMMAND_CUSTOMER_ADD},
    {"crd_customer_change", CRD_COMMAND_CUSTOMER_CHANGE},
    {"crd_hold_capture", CRD_COMMAND_CAPTURE},
    {"crd_hold_release", CRD_COMMAND_RELEASE},
    {"crd_invoice_enter", CRD_COMMAND_INVOICE_ENTER},
    {"crd_invoice_reverse", CRD_COMMAND_INVOICE_REVERSE},
    {"crd_invoice_revise", CRD_COMMAND_INVOICE_REVISE},
    {"crd_invoice_send", CRD_COMMAND_INVOICE_SEND},
    {"crd_invoice_void", CRD_COMMAND_INVOICE_VOID},
    {"crd_invoice_write_off", CRD_COMMAND_WRITE_OFF},
    {"crd_plan_commit", CRD_COMMAND_RECONCILE},
    {"crd_receipt_enter", CRD_COMMAND_RECEIPT_ENTER},
    {"crd_receipt_reverse", CRD_COMMAND_RECEIPT_REVERSE},
    {"crd_reconcile", CRD_COMMAND_RECONCILE},
    {"crd_sweep", CRD_COMMAND_SWEEP},
    {"crd_undo", CRD_COMMAND_UNDO},
};
const size_t scene_function_count = sizeof scene_functions / sizeof scene_functions[0];

const scene_command scene_alone[] = {
    {"sweep", CRD_COMMAND_SWEEP, NULL, 0, 0, run_sweep},
    {"acknowledge", CRD_COMMAND_ACKNOWLEDGE, NULL, 0, 0, run_acknowledge},
    {"reconcile", CRD_COMMAND_RECONCILE, NULL, 0, 0, run_reconcile},
    {"commit a plan", CRD_COMMAND_RECONCILE, NULL, 0, 0, run_plan},
    {"a unit", CRD_COMMAND_CREDIT_APPLY, NULL, 0, 0, run_unit},
};
const size_t scene_alone_count = sizeof scene_alone / sizeof scene_alone[0];

const scene_command scene_commands[] = {
    {"add a customer", CRD_COMMAND_CUSTOMER_ADD, "terms.name", 0, 1, run_customer},
    {"issue a credit", CRD_COMMAND_CREDIT_ISSUE, "terms.reason", 0, 1, run_issue},
    {"receive money", CRD_COMMAND_CREDIT_ISSUE, "terms.method", 0, 1, run_receive},
    {"issue in a new currency", CRD_COMMAND_CREDIT_ISSUE, "terms.priority", 0, 1, run_issue_abroad},
    {"apply", CRD_COMMAND_CREDIT_APPLY, "terms.amount", 250, 0, run_apply},
    {"apply what is possible", CRD_COMMAND_CREDIT_APPLY, "invoice", 200, 0, run_apply_clamped},
    {"apply outside", CRD_COMMAND_CREDIT_APPLY, "terms.reference", 30, 0, run_apply_outside},
    {"issue many", CRD_COMMAND_BULK_ISSUE, "terms.reason", 70, 0, run_bulk},
    {"enter many payments", CRD_COMMAND_BULK_ISSUE, "terms.lines", 60, 0, run_bulk_payment},
    {"rename a customer", CRD_COMMAND_CUSTOMER_CHANGE, "change.name", 0, 0, run_rename},
    {"switch a customer", CRD_COMMAND_CUSTOMER_CHANGE, "change.set", 0, 0, run_switch},
    {"lower an application", CRD_COMMAND_APPLICATION_CHANGE, "amount", 60, 0, run_lower},
    {"raise an application", CRD_COMMAND_APPLICATION_CHANGE, "amount", 160, 0, run_raise},
    {"void a credit", CRD_COMMAND_CREDIT_VOID, "credit", 400, 0, run_void},
    {"void part of a credit", CRD_COMMAND_CREDIT_VOID, "amount", 1, 0, run_void_part},
    {"enter an invoice", CRD_COMMAND_INVOICE_ENTER, "terms.total", 0, 1, run_enter},
    {"revise an invoice", CRD_COMMAND_INVOICE_REVISE, "terms.total", 40, 0, run_revise},
    {"revise lines", CRD_COMMAND_INVOICE_REVISE, "terms.lines", 0, 0, run_revise_lines},
    {"return a line", CRD_COMMAND_CREDIT_ISSUE, "terms.lines", 0, 1, run_return},
    {"undo a write-off", CRD_COMMAND_UNDO, "amount", 20, 0, run_undo_write_off},
    {"reverse an invoice", CRD_COMMAND_INVOICE_REVERSE, "terms.reason", 0, 1, run_reverse},
    {"write off", CRD_COMMAND_WRITE_OFF, "cause", 50, 0, run_write_off},
    {"send a draft", CRD_COMMAND_INVOICE_SEND, "invoice", 200, 0, run_send},
    {"void an invoice", CRD_COMMAND_INVOICE_VOID, "flags", 100, 0, run_void_invoice},
    {"cancel a draft", CRD_COMMAND_INVOICE_VOID, "invoice", 0, 0, run_cancel},
    {"hold", CRD_COMMAND_HOLD, "terms.amount", 0, 1, run_hold},
    {"allocate", CRD_COMMAND_HOLD, "draft", 0, 1, run_allocate},
    {"capture part of a hold", CRD_COMMAND_CAPTURE, "terms.amount", 20, 0, run_capture},
    {"release a hold", CRD_COMMAND_RELEASE, "amount", 40, 0, run_release},
    {"enter a receipt", CRD_COMMAND_RECEIPT_ENTER, "terms.lines", 0, 1, run_enter_receipt},
    {"distribute money", CRD_COMMAND_RECEIPT_ENTER, "terms.payment_info", 0, 1, run_distribute},
    {"reverse a payment", CRD_COMMAND_RECEIPT_REVERSE, "terms.fee", 90, 0, run_bounce},
    {"undo an application", CRD_COMMAND_UNDO, "amount", 40, 0, run_undo},
    {"refund", CRD_COMMAND_CREDIT_REFUND, "terms.method", 70, 0, run_refund},
    {"transfer", CRD_COMMAND_CREDIT_TRANSFER, "terms.customer", 70, 0, run_transfer},
    {"adjust up", CRD_COMMAND_ADJUST, "terms.target", 110, 0, run_adjust_up},
    {"adjust down", CRD_COMMAND_ADJUST, "terms.target", 1200 - (860 + 400 + 30 + 25), 0, run_adjust_down}, /* K, P, Q, X */
    {"void what is held too", CRD_COMMAND_CREDIT_VOID, "flags", 10, 0, run_void_release},
    {"undo a receipt", CRD_COMMAND_UNDO, "seq", 50, 0, run_undo_receipt},
    {"undo a refund", CRD_COMMAND_UNDO, "seq", 15, 0, run_undo_refund},
    {"undo a transfer", CRD_COMMAND_UNDO, "seq", 15, 0, run_undo_transfer},
    {"undo a payment", CRD_COMMAND_UNDO, "seq", 35, 0, run_undo_payment},
    {"undo an adjustment upward", CRD_COMMAND_UNDO, "currency", 15, 0, run_undo_adjust_up},
    {"undo an adjustment downward", CRD_COMMAND_UNDO, "seq", 15, 0, run_undo_adjust_down},
    {"send an order with deposits", CRD_COMMAND_INVOICE_SEND, "flags", 20, 0, run_send_order},
    {"delete money received", CRD_COMMAND_CREDIT_DELETE, "flags", 25, 0, run_delete},
    {"delete with its applications", CRD_COMMAND_CREDIT_DELETE, "flags", 25, 0, run_delete_cascade},
    {"reverse a payment strictly", CRD_COMMAND_RECEIPT_REVERSE, "terms.flags", 90, 0, run_bounce_strictly},
    {"reverse a payment that was refunded", CRD_COMMAND_RECEIPT_REVERSE, "terms.debit_memo", 0, 0, run_bounce_refunded},
};
const size_t scene_command_count = sizeof scene_commands / sizeof scene_commands[0];
