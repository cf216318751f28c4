/*
 * Undo: applications in part and whole, receipts of a reconcile whole; and where money goes that returns to a credit
 * which is not what it was (rule M8).
 */
#include "support/scene.h"

#include <stdlib.h>
#include <string.h>

START_TEST(M8_unapply_takes_one_application_in_part_or_whole) {
    world *w = world_open(_i);
    crd_credit *k;
    crd_invoice *i;
    int64_t first, second;
    crd_result r = result_block();
    book *b;
    customer(w, "c1");
    k = memo(w, "c1", "K", 1000, 0);
    i = invoice(w, "c1", "I", 900, 0, 30);
    first = apply(w, k, i, 300, 1);
    second = apply(w, k, i, 200, 1);
    OK(w, try_undo(w->ledger, "c1", first, 100, on(2), &r));
    world_check(w);
    ck_assert_int_eq(r.amount, 100);
    b = world_book(w);
    ck_assert_uint_eq(book_entry(b, "c1", "EUR", r.first_seq)->type, CRD_ENTRY_UNAPPLY);
    ck_assert_int_eq(book_entry(b, "c1", "EUR", r.first_seq)->undoes, first);
    ck_assert_int_eq(book_entry(b, "c1", "EUR", r.first_seq)->amount, 100);
    ck_assert_int_eq(book_entry(b, "c1", "EUR", r.first_seq)->credit_after, 600);
    ck_assert_int_eq(book_entry(b, "c1", "EUR", r.first_seq)->invoice_after, 500);
    book_free(b);
    /* handles follow what undo did */
    ck_assert_int_eq(crd_credit_get(k)->remaining, 600);
    ck_assert_int_eq(crd_invoice_get(i)->open, 500);
    REFUSED(w, try_undo(w->ledger, "c1", first, 201, on(2), &r), CRD_E_CREDIT_AMOUNT);
    FIGURES(w, 200, 201);
    ck_assert_int_eq(undo(w, "c1", first, 0, 2), 200);
    REFUSED(w, try_undo(w->ledger, "c1", first, 0, on(2), &r), CRD_E_NOTHING);
    REFUSED(w, try_undo(w->ledger, "c1", first, 1, on(2), &r), CRD_E_NOTHING);
    ck_assert_int_eq(stored_credit(w, "c1", "K").applied, 200);
    ck_assert_int_eq(undo(w, "c1", second, 0, 2), 200);
    ck_assert_int_eq(stored_invoice(w, "c1", "I").open, 900);
    crd_credit_free(k);
    crd_invoice_free(i);
    world_close(w);
}
END_TEST

START_TEST(M16_undo_refuses_what_is_not_there_or_cannot_be_undone) {
    world *w = world_open(_i);
    crd_credit *k, *paid;
    crd_invoice *i;
    int64_t seq;
    customer(w, "c1");
    k = memo(w, "c1", "K", 1000, 5);        /* 1 */
    i = invoice(w, "c1", "I", 900, 5, 30);  /* 2 */
    seq = apply(w, k, i, 300, 6);           /* 3 */
    undo(w, "c1", seq, 1, 6);               /* 4 */
    paid = cash(w, "c1", "P", 50, 6);       /* 5, 6 */
    REFUSED(w, try_undo(w->ledger, "c1", 7, 0, on(6), NULL), CRD_E_NOT_FOUND);
    REFUSED(w, try_undo(w->ledger, "nobody", 3, 0, on(6), NULL), CRD_E_NOT_FOUND);
    REFUSED(w, crd_undo(w->ledger, on(6), "c1", "USD", 3, 0, NULL), CRD_E_NOT_FOUND);
    REFUSED(w, try_undo(w->ledger, "c1", 0, 0, on(6), NULL), CRD_E_ARGUMENT);
    FIELD(w, "seq");
    REFUSED(w, try_undo(w->ledger, "c1", -3, 0, on(6), NULL), CRD_E_ARGUMENT);
    REFUSED(w, try_undo(w->ledger, "c1", 3, -1, on(6), NULL), CRD_E_ARGUMENT);
    FIELD(w, "amount");
    REFUSED(w, try_undo(w->ledger, "c1", 1, 0, on(6), NULL), CRD_E_STATE); /* an issue */
    REFUSED(w, try_undo(w->ledger, "c1", 2, 0, on(6), NULL), CRD_E_STATE); /* an invoice */
    REFUSED(w, try_undo(w->ledger, "c1", 4, 0, on(6), NULL), CRD_E_STATE); /* an undo */
    REFUSED(w, try_undo(w->ledger, "c1", 6, 0, on(6), NULL), CRD_E_STATE); /* what money received became */
    REFUSED(w, try_undo(w->ledger, "c1", 3, 0, on(5), NULL), CRD_E_DATE);
    FIGURES(w, DAY(6), DAY(5));
    crd_credit_free(k);
    crd_credit_free(paid);
    crd_invoice_free(i);
    world_close(w);
}
END_TEST

START_TEST(M8_money_returning_to_an_expired_credit_expires_at_once) {
    world *w = world_open(_i);
    crd_credit *k;
    crd_invoice *i;
    crd_result r = result_block();
    int64_t seq;
    book *b;
    customer(w, "c1");
    k = promise(w, "c1", "K", 1000, 0, 10);
    i = invoice(w, "c1", "I", 900, 0, 30);
    seq = apply(w, k, i, 600, 1);
    ck_assert_int_eq(undo(w, "c1", seq, 100, 9), 100); /* still good: it is available again */
    ck_assert_int_eq(stored_credit(w, "c1", "K").remaining, 500);
    OK(w, try_undo(w->ledger, "c1", seq, 200, on(10), &r));
    world_check(w);
    ck_assert_int_eq(r.amount, 200);
    /* first what had expired unnoticed, then the return, and its expiry (rule M7) */
    b = world_book(w);
    ck_assert_int_eq(r.last_seq - r.first_seq, 2);
    ck_assert_uint_eq(book_entry(b, "c1", "EUR", r.first_seq)->type, CRD_ENTRY_EXPIRE);
    ck_assert_int_eq(book_entry(b, "c1", "EUR", r.first_seq)->amount, 500);
    ck_assert_int_eq(book_entry(b, "c1", "EUR", r.first_seq)->business_date, DAY(10));
    ck_assert_uint_eq(book_entry(b, "c1", "EUR", r.first_seq + 1)->type, CRD_ENTRY_UNAPPLY);
    ck_assert_uint_eq(book_entry(b, "c1", "EUR", r.last_seq)->type, CRD_ENTRY_EXPIRE);
    ck_assert_int_eq(book_entry(b, "c1", "EUR", r.last_seq)->amount, 200);
    ck_assert_int_eq(book_credit(b, "c1", "K")->expired, 700);
    ck_assert_int_eq(book_credit(b, "c1", "K")->remaining, 0);
    ck_assert_uint_eq(book_credit(b, "c1", "K")->state, CRD_CREDIT_VOIDED);
    ck_assert_uint_eq(book_credit(b, "c1", "K")->cause, CRD_CAUSE_EXPIRED);
    ck_assert_int_eq(book_invoice(b, "c1", "I")->open, 600);
    book_free(b);
    ck_assert_int_eq(undo(w, "c1", seq, 0, 40), 300);
    ck_assert_int_eq(stored_credit(w, "c1", "K").expired, 1000);
    ck_assert_int_eq(stored_credit(w, "c1", "K").remaining, 0);
    ck_assert_int_eq(stored_invoice(w, "c1", "I").open, 900);
    crd_credit_free(k);
    crd_invoice_free(i);
    world_close(w);
}
END_TEST

START_TEST(M7_M8_unswept_expiry_is_dated_its_day_or_the_last_entry_if_later) {
    world *w = world_open(_i);
    crd_credit *k;
    crd_invoice *i;
    crd_result r = result_block();
    int64_t seq;
    book *b;
    customer(w, "c1");
    k = promise(w, "c1", "K", 1000, 0, 10);
    i = invoice(w, "c1", "I", 900, 0, 30);
    seq = apply(w, k, i, 600, 1);
    OK(w, try_undo(w->ledger, "c1", seq, 0, on(25), &r));
    world_check(w);
    b = world_book(w);
    ck_assert_int_eq(book_entry(b, "c1", "EUR", r.first_seq)->business_date, DAY(10));
    ck_assert_int_eq(book_entry(b, "c1", "EUR", r.first_seq)->amount, 400);
    ck_assert_int_eq(book_entry(b, "c1", "EUR", r.first_seq + 1)->business_date, DAY(25));
    ck_assert_int_eq(book_entry(b, "c1", "EUR", r.last_seq)->business_date, DAY(25));
    book_free(b);
    crd_credit_free(k);
    crd_invoice_free(i);
    world_close(w);
}
END_TEST

START_TEST(M5_M8_money_returning_to_a_voided_credit_goes_by_its_class) {
    static const struct {
        uint32_t kind;
        int again; /* available again */
    } cases[] = {{CRD_CREDIT_GOODWILL, 0}, {CRD_CREDIT_ADJUSTMENT, 0}, {CRD_CREDIT_MEMO, 1}, {CRD_CREDIT_DEPOSIT, 1}};
    world *w = world_open(_i);
    customer(w, "c1");
    for (size_t n = 0; n < 4; n++) {
        crd_credit *k = credit(w, "c1", NULL, cases[n].kind, 1000, 0);
        crd_invoice *i = invoice(w, "c1", NULL, 900, 0, 30);
        int64_t seq = apply(w, k, i, 600, 1);
        void_credit(w, k, 0, 2);
        ck_assert_uint_eq(crd_credit_get(k)->state, CRD_CREDIT_VOIDED);
        ck_assert_int_eq(undo(w, "c1", seq, 150, 3), 150);
        ck_assert_int_eq(crd_invoice_get(i)->open, 450);
        ck_assert_int_eq(crd_credit_get(k)->applied, 450);
        ck_assert_int_eq(crd_credit_get(k)->remaining, cases[n].again ? 150 : 0);
        ck_assert_int_eq(crd_credit_get(k)->voided, cases[n].again ? 400 : 550);
        ck_assert_uint_eq(crd_credit_get(k)->state, cases[n].again ? CRD_CREDIT_ACTIVE : CRD_CREDIT_VOIDED);
        ck_assert_int_eq(undo(w, "c1", seq, 0, 3), 450);
        ck_assert_int_eq(crd_credit_get(k)->remaining, cases[n].again ? 600 : 0);
        ck_assert_int_eq(crd_credit_get(k)->voided, cases[n].again ? 400 : 1000);
        crd_credit_free(k);
        crd_invoice_free(i);
    }
    world_close(w);
}
END_TEST

START_TEST(M8_a_promise_voided_in_part_takes_money_back) {
    world *w = world_open(_i);
    crd_credit *k;
    crd_invoice *i;
    int64_t seq;
    customer(w, "c1");
    k = promise(w, "c1", "K", 1000, 0, 100);
    i = invoice(w, "c1", "I", 900, 0, 30);
    seq = apply(w, k, i, 600, 1);
    void_credit(w, k, 100, 1); /* it is still Active */
    ck_assert_int_eq(undo(w, "c1", seq, 0, 1), 600);
    ck_assert_int_eq(stored_credit(w, "c1", "K").remaining, 900);
    ck_assert_int_eq(stored_credit(w, "c1", "K").voided, 100);
    crd_credit_free(k);
    crd_invoice_free(i);
    world_close(w);
}
END_TEST

START_TEST(R52_M14_a_reconcile_receipt_is_undone_whole_and_once) {
    world *w = world_open(_i);
    crd_credit *k[2];
    crd_invoice *i[2];
    crd_receipt *r = NULL;
    crd_result done = result_block();
    crd_plan_result run;
    book *b;
    int64_t first = 0;
    customer(w, "c1");
    k[0] = memo(w, "c1", "K1", 100, 0);
    k[1] = memo(w, "c1", "K2", 100, 1);
    i[0] = invoice(w, "c1", "I1", 150, 0, 10);
    i[1] = invoice(w, "c1", "I2", 150, 0, 20);
    run = reconcile(w, 0, 2);
    ck_assert_uint_eq(run.receipts, 1);
    ck_assert_uint_eq(run.applications, 3);
    b = world_book(w);
    ck_assert_uint_eq(book_count(b, CRD_KIND_RECEIPT), 1);
    for (size_t n = 0; n < b->count; n++) {
        const crd_receipt_record *stored = b->items[n].record;
        if (b->items[n].kind != CRD_KIND_RECEIPT) continue;
        first = stored->first_seq;
        ck_assert_int_eq(stored->amount, 0);
        ck_assert_int_eq(stored->applied, 200);
        ck_assert_str_eq(stored->method, "adjustment");
        ck_assert_int_eq(stored->received, DAY(2));
        ck_assert_int_eq(stored->posted_seq, first + 3);
        OK(w, crd_receipt_find(w->ledger, "c1", stored->id, &r));
    }
    book_free(b);
    ck_assert_int_eq(first, 5);
    REFUSED(w, try_undo(w->ledger, "c1", first, 50, on(3), NULL), CRD_E_ARGUMENT); /* whole or not at all */
    FIELD(w, "amount");
    /* a part of one of its applications may go first */
    undo(w, "c1", first + 1, 30, 3);
    OK(w, try_undo(w->ledger, "c1", first, 0, on(3), &done));
    world_check(w);
    ck_assert_int_eq(done.amount, 170);
    ck_assert_uint_eq(crd_receipt_get(r)->state, CRD_RECEIPT_UNDONE);
    ck_assert_int_eq(crd_receipt_get(r)->applied, 0);
    for (int n = 0; n < 2; n++) {
        ck_assert_int_eq(crd_credit_get(k[n])->remaining, 100);
        ck_assert_int_eq(crd_invoice_get(i[n])->open, 150);
    }
    REFUSED(w, try_undo(w->ledger, "c1", first, 0, on(3), NULL), CRD_E_NOTHING);
    SUBJECT(w, CRD_KIND_RECEIPT, crd_receipt_get(r)->id);
    REFUSED(w, try_undo(w->ledger, "c1", first + 1, 0, on(3), NULL), CRD_E_NOTHING);
    /* and everything can be reconciled again */
    ck_assert_uint_eq(reconcile(w, 0, 4).applications, 3);
    crd_receipt_free(r);
    for (int n = 0; n < 2; n++) {
        crd_credit_free(k[n]);
        crd_invoice_free(i[n]);
    }
    world_close(w);
}
END_TEST

START_TEST(M6_M14_undoing_a_receipt_takes_the_latest_date_of_all_it_touches) {
    world *w = world_open(_i);
    crd_credit *k[2];
    crd_invoice *i[2];
    crd_result done = result_block();
    book *b;
    customer(w, "c1");
    k[0] = memo(w, "c1", "K1", 100, 0); /* 1 */
    k[1] = memo(w, "c1", "K2", 300, 1); /* 2 */
    i[0] = invoice(w, "c1", "I1", 100, 0, 10); /* 3 */
    i[1] = invoice(w, "c1", "I2", 100, 0, 20); /* 4 */
    ck_assert_uint_eq(reconcile(w, 0, 2).applications, 2); /* 5, 6, 7 */
    apply(w, k[1], NULL, 10, 9); /* 8 */
    OK(w, try_undo(w->ledger, "c1", 5, 0, on(4), &done)); /* dated earlier, but not refused: it is no direct command */
    world_check(w);
    b = world_book(w);
    for (int64_t seq = done.first_seq; seq <= done.last_seq; seq++)
        ck_assert_int_eq(book_entry(b, "c1", "EUR", seq)->business_date, DAY(9));
    book_free(b);
    for (int n = 0; n < 2; n++) {
        crd_credit_free(k[n]);
        crd_invoice_free(i[n]);
    }
    world_close(w);
}
END_TEST

START_TEST(M6_an_application_is_not_undone_before_the_last_entry_of_its_receipt) {
    world *w = world_open(_i);
    crd_credit *k[2];
    crd_invoice *i[2];
    customer(w, "c1");
    k[0] = memo(w, "c1", "K1", 100, 0);
    k[1] = memo(w, "c1", "K2", 100, 1);
    i[0] = invoice(w, "c1", "I1", 100, 0, 10);
    i[1] = invoice(w, "c1", "I2", 100, 0, 20);
    ck_assert_uint_eq(reconcile(w, 0, 2).applications, 2); /* receipt 5, applications 6 and 7 */
    undo(w, "c1", 6, 0, 9);
    REFUSED(w, try_undo(w->ledger, "c1", 7, 0, on(5), NULL), CRD_E_DATE);
    FIGURES(w, DAY(9), DAY(5));
    SUBJECT(w, CRD_KIND_RECEIPT, "~EUR5");
    undo(w, "c1", 7, 0, 9);
    for (int n = 0; n < 2; n++) {
        crd_credit_free(k[n]);
        crd_invoice_free(i[n]);
    }
    world_close(w);
}
END_TEST

START_TEST(M8_undoing_a_receipt_sends_money_back_by_the_state_of_each_credit) {
    world *w = world_open(_i);
    crd_credit *expires, *voided, *memoed;
    crd_invoice *i;
    customer(w, "c1");
    expires = promise(w, "c1", "X", 100, 0, 20);  /* 1 */
    voided = promise(w, "c1", "V", 200, 1, 90);   /* 2 */
    memoed = memo(w, "c1", "M", 200, 2);          /* 3 */
    i = invoice(w, "c1", "I", 400, 0, 10);        /* 4 */
    ck_assert_uint_eq(reconcile(w, 0, 5).applications, 3); /* receipt 5; X 100: 6, V 200: 7, M 100: 8 */
    undo(w, "c1", 7, 50, 6);
    void_credit(w, voided, 0, 6);
    void_credit(w, memoed, 0, 6);
    ck_assert_int_eq(undo(w, "c1", 5, 0, 25), 350);
    ck_assert_int_eq(crd_invoice_get(i)->open, 400);
    ck_assert_int_eq(crd_credit_get(expires)->remaining, 0);
    ck_assert_int_eq(crd_credit_get(expires)->expired, 100);
    ck_assert_int_eq(crd_credit_get(voided)->remaining, 0);
    ck_assert_int_eq(crd_credit_get(voided)->voided, 200);
    ck_assert_int_eq(crd_credit_get(memoed)->remaining, 100);
    ck_assert_int_eq(crd_credit_get(memoed)->voided, 100);
    crd_credit_free(expires);
    crd_credit_free(voided);
    crd_credit_free(memoed);
    crd_invoice_free(i);
    world_close(w);
}
END_TEST

/* The entry among those of a command that crd_undo() takes, 0 when there is none; `from` is the last one before it. */
static int64_t undoable(const book *b, const char *currency, int64_t from) {
    const crd_entry_record *e;
    for (int64_t seq = from + 1; (e = book_entry(b, "c1", currency, seq)) != NULL; seq++)
        if (e->type == CRD_ENTRY_RECEIPT || e->type == CRD_ENTRY_ADJUST || e->type == CRD_ENTRY_REFUND ||
            e->type == CRD_ENTRY_TRANSFER || e->type == CRD_ENTRY_WRITE_OFF || e->type == CRD_ENTRY_APPLY)
            return seq;
    return 0;
}

/* Every document that was there is as it was, but for when it was last touched. */
static void same_documents(const book *before, const book *after, const char *what) {
    for (size_t i = 0; i < before->count; i++) {
        const book_item *item = &before->items[i];
        const crd_credit_record *c = item->record;
        const crd_invoice_record *v = item->record;
        char *line;
        if (item->kind == CRD_KIND_CREDIT) {
            crd_credit_record now = *book_credit(after, c->customer, c->id);
            now.last_seq = c->last_seq;
            now.last_date = c->last_date;
            line = record_line(CRD_KIND_CREDIT, &now);
        } else if (item->kind == CRD_KIND_INVOICE) {
            crd_invoice_record now = *book_invoice(after, v->customer, v->id);
            now.last_seq = v->last_seq;
            now.last_date = v->last_date;
            line = record_line(CRD_KIND_INVOICE, &now);
        } else {
            continue;
        }
        ck_assert_msg(strcmp(line, item->line) == 0, "%s, undone:\n%s\ninstead of\n%s", what, line, item->line);
        free(line);
    }
}

START_TEST(R81_M8_M14_whatever_has_an_undo_is_as_it_was_after_it) {
    static const uint32_t with_undo[] = {CRD_COMMAND_CREDIT_APPLY, CRD_COMMAND_CREDIT_REFUND, CRD_COMMAND_CREDIT_TRANSFER,
                                         CRD_COMMAND_ADJUST, CRD_COMMAND_RECEIPT_ENTER, CRD_COMMAND_WRITE_OFF};
    int undone = 0;
    for (size_t n = 0; n < scene_command_count; n++) {
        const scene_command *c = &scene_commands[n];
        world *w;
        scene s;
        crd_result r = result_block();
        book *before, *after;
        crd_balance was, is;
        int64_t seq;
        int has_undo = 0;
        for (size_t i = 0; i < sizeof with_undo / sizeof with_undo[0]; i++) has_undo |= c->code == with_undo[i];
        if (!has_undo && strcmp(c->name, "receive money") != 0) continue;
        w = world_open(_i);
        w->careless = 1;
        scene_fill(w);
        s = scene_open(w->ledger);
        before = world_book(w);
        was = balance_of(w->ledger, "c1", "EUR", 2);
        ENDS(w->ledger, c->run(&s, on(2), 0, &r), CRD_OK);
        after = world_book(w);
        seq = undoable(after, "EUR", book_account(before, "c1", "EUR")->last_seq);
        book_free(after);
        ck_assert_msg(seq != 0, "%s has no entry to undo", c->name);
        OK(w, try_undo(w->ledger, "c1", seq, 0, on(2), &r));
        world_check(w);
        after = world_book(w);
        same_documents(before, after, c->name);
        is = balance_of(w->ledger, "c1", "EUR", 2);
        ck_assert_int_eq(is.balance, was.balance);
        ck_assert_int_eq(is.available, was.available);
        ck_assert_int_eq(is.outstanding, was.outstanding);
        ck_assert_int_eq(is.unearned, was.unearned);
        ck_assert_int_eq(is.applied, was.applied);
        ck_assert_int_eq(is.active_credits, was.active_credits);
        /* and once only */
        REFUSED(w, try_undo(w->ledger, "c1", seq, 0, on(2), &r), CRD_E_NOTHING);
        undone++;
        book_free(before);
        book_free(after);
        scene_close(&s);
        world_close(w);
    }
    ck_assert_int_ge(undone, 11);
}
END_TEST

static Suite *make(void) {
    Suite *s = suite_create("undo");
    TCase *t = tcase_create("undo");
    tcase_set_timeout(t, 60); /* the scene is long, and the machine may be busy */
    tcase_add_loop_test(t, M8_unapply_takes_one_application_in_part_or_whole, FIRST_STORE, STORES);
    tcase_add_loop_test(t, M16_undo_refuses_what_is_not_there_or_cannot_be_undone, FIRST_STORE, STORES);
    tcase_add_loop_test(t, M8_money_returning_to_an_expired_credit_expires_at_once, FIRST_STORE, STORES);
    tcase_add_loop_test(t, M7_M8_unswept_expiry_is_dated_its_day_or_the_last_entry_if_later, FIRST_STORE, STORES);
    tcase_add_loop_test(t, M5_M8_money_returning_to_a_voided_credit_goes_by_its_class, FIRST_STORE, STORES);
    tcase_add_loop_test(t, M8_a_promise_voided_in_part_takes_money_back, FIRST_STORE, STORES);
    tcase_add_loop_test(t, R52_M14_a_reconcile_receipt_is_undone_whole_and_once, FIRST_STORE, STORES);
    tcase_add_loop_test(t, M6_M14_undoing_a_receipt_takes_the_latest_date_of_all_it_touches, FIRST_STORE, STORES);
    tcase_add_loop_test(t, M6_an_application_is_not_undone_before_the_last_entry_of_its_receipt, FIRST_STORE, STORES);
    tcase_add_loop_test(t, M8_undoing_a_receipt_sends_money_back_by_the_state_of_each_credit, FIRST_STORE, STORES);
    tcase_add_loop_test(t, R81_M8_M14_whatever_has_an_undo_is_as_it_was_after_it, FIRST_STORE, STORES);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return world_main(make);
}
