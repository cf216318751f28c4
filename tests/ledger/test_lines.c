/*
 * Lines of invoices and credit memos: stored, read, proved and told.
 */
#include "support/change.h"
#include "support/rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const crd_line_record *line_at(const book *b, uint32_t kind, const char *id, int64_t number) {
    for (size_t i = 0; i < b->count; i++) {
        const crd_line_record *l = b->items[i].record;
        if (b->items[i].kind == CRD_KIND_LINE && l->document_kind == kind && strcmp(l->id, id) == 0 &&
            l->number == number)
            return l;
    }
    return NULL;
}

START_TEST(R43_M2_a_credit_invoice_is_entered_positive_and_stored_negated) {
    world *w = world_open(_i);
    crd_line_terms l[2] = {line_terms("A", 2, 119), line_terms("B", 1, 0)};
    const crd_line_terms *list[2] = {&l[0], &l[1]};
    crd_credit_terms t = credit_terms("K", CRD_CREDIT_MEMO, 119);
    crd_invoice_terms it = invoice_terms("K", 119); /* the same id on the other side */
    crd_credit *k = NULL;
    book *b;
    customer(w, "c1");
    l[0].tax = 19;
    l[0].origin = "by phone";
    t.lines = it.lines = list;
    t.line_count = it.line_count = 2;
    t.tax = it.tax = 19;
    OK(w, crd_credit_issue(w->ledger, on(0), "c1", &t, &k));
    OK(w, crd_invoice_enter(w->ledger, on(0), "c1", &it, NULL));
    world_check(w);
    b = world_book(w);
    ck_assert_uint_eq(book_count(b, CRD_KIND_LINE), 4);
    ck_assert_int_eq(line_at(b, CRD_KIND_CREDIT, "K", 1)->quantity, -2000);
    ck_assert_int_eq(line_at(b, CRD_KIND_CREDIT, "K", 1)->amount, -119);
    ck_assert_int_eq(line_at(b, CRD_KIND_CREDIT, "K", 1)->tax, -19);
    ck_assert_int_eq(line_at(b, CRD_KIND_CREDIT, "K", 1)->unit_price, 59500);
    ck_assert_str_eq(line_at(b, CRD_KIND_CREDIT, "K", 1)->sku, "A");
    ck_assert_str_eq(line_at(b, CRD_KIND_CREDIT, "K", 1)->text, "in words");
    ck_assert_str_eq(line_at(b, CRD_KIND_CREDIT, "K", 1)->origin, "by phone");
    ck_assert_str_eq(line_at(b, CRD_KIND_CREDIT, "K", 1)->currency, "EUR");
    ck_assert_int_eq(line_at(b, CRD_KIND_CREDIT, "K", 1)->last_seq, 1);
    ck_assert_int_eq(line_at(b, CRD_KIND_CREDIT, "K", 2)->quantity, -1000);
    ck_assert_int_eq(line_at(b, CRD_KIND_INVOICE, "K", 1)->quantity, 2000);
    ck_assert_int_eq(line_at(b, CRD_KIND_INVOICE, "K", 1)->amount, 119);
    ck_assert_int_eq(line_at(b, CRD_KIND_INVOICE, "K", 1)->last_seq, 2);
    ck_assert_int_eq(book_credit(b, "c1", "K")->original, 119); /* the credit itself is positive */
    ck_assert_uint_eq(book_credit(b, "c1", "K")->line_count, 2);
    ck_assert_mem_ne(book_credit(b, "c1", "K")->lines_digest, book_invoice(b, "c1", "K")->lines_digest, 32);
    book_free(b);
    ck_assert_int_eq(balance_of(w->ledger, "c1", "EUR", 0).outstanding, 119); /* the memo shows no balance due */
    crd_credit_free(k);
    world_close(w);
}
END_TEST

START_TEST(R43_what_a_line_may_be) {
    world *w = world_open(_i);
    crd_line_terms l = line_terms("A", 2, 100);
    const crd_line_terms *list[1] = {&l};
    crd_invoice_terms t = invoice_terms("I", 100);
    crd_credit_terms c = credit_terms("K", CRD_CREDIT_GOODWILL, 100);
    customer(w, "c1");
    t.line_count = c.line_count = 1;
    REFUSED(w, crd_invoice_enter(w->ledger, on(0), "c1", &t, NULL), CRD_E_ARGUMENT);
    FIELD(w, "terms.lines");
    t.lines = c.lines = list;
    REFUSED(w, crd_credit_issue(w->ledger, on(0), "c1", &c, NULL), CRD_E_ARGUMENT); /* goodwill sells nothing */
    FIELD(w, "terms.lines");
    t.total = 101;
    REFUSED(w, crd_invoice_enter(w->ledger, on(0), "c1", &t, NULL), CRD_E_ARGUMENT);
    FIELD(w, "terms.total");
    t.total = 100;
    c.kind = CRD_CREDIT_MEMO;
    c.amount = 99;
    REFUSED(w, crd_credit_issue(w->ledger, on(0), "c1", &c, NULL), CRD_E_ARGUMENT);
    FIELD(w, "terms.amount");
    l.quantity = 0;
    REFUSED(w, crd_invoice_enter(w->ledger, on(0), "c1", &t, NULL), CRD_E_ARGUMENT);
    FIELD(w, "lines.quantity");
    l.quantity = 1;
    l.tax = 101;
    REFUSED(w, crd_invoice_enter(w->ledger, on(0), "c1", &t, NULL), CRD_E_ARGUMENT);
    FIELD(w, "lines.tax");
    l.tax = 0;
    l.amount = -1;
    REFUSED(w, crd_invoice_enter(w->ledger, on(0), "c1", &t, NULL), CRD_E_ARGUMENT);
    FIELD(w, "lines.amount");
    l.amount = 100;
    l.unit_price = -1;
    REFUSED(w, crd_invoice_enter(w->ledger, on(0), "c1", &t, NULL), CRD_E_ARGUMENT);
    FIELD(w, "lines.unit_price");
    l.unit_price = 0;
    l.text = "\xff";
    REFUSED(w, crd_invoice_enter(w->ledger, on(0), "c1", &t, NULL), CRD_E_ARGUMENT);
    FIELD(w, "lines.text");
    l.text = NULL;
    l.struct_size = 8;
    REFUSED(w, crd_invoice_enter(w->ledger, on(0), "c1", &t, NULL), CRD_E_ARGUMENT);
    FIELD(w, "terms.lines");
    l.struct_size = sizeof l;
    list[0] = NULL;
    REFUSED(w, crd_invoice_enter(w->ledger, on(0), "c1", &t, NULL), CRD_E_ARGUMENT);
    list[0] = &l;
    t.line_count = CRD_MAX_CHANGES + 1;
    REFUSED(w, crd_invoice_enter(w->ledger, on(0), "c1", &t, NULL), CRD_E_TOO_LARGE);
    t.line_count = 1;
    OK(w, crd_invoice_enter(w->ledger, keyed(0, "k"), "c1", &t, NULL));
    OK(w, crd_invoice_enter(w->ledger, keyed(0, "k"), "c1", &t, NULL));
    l.sku = "B";
    REFUSED(w, crd_invoice_enter(w->ledger, keyed(0, "k"), "c1", &t, NULL), CRD_E_KEY_REUSED);
    FIELD(w, "terms.lines");
    world_check(w);
    world_close(w);
}
END_TEST

START_TEST(R43_lines_of_one_document_are_reported_by_number) {
    static const int64_t ends[] = {1};
    world *w = world_open(_i);
    crd_line_terms l = line_terms("D", 1, 50);
    const crd_line_terms *add[1] = {&l};
    crd_revise_terms t = revise_terms(550);
    crd_report_spec spec;
    crd_report *report = NULL;
    const crd_row *row = NULL;
    crd_invoice *i;
    customer(w, "c1");
    i = lined_invoice(w, "c1", "I", 0);
    crd_invoice_free(lined_invoice(w, "c1", "J", 0));
    t.end_lines = ends;
    t.end_line_count = 1;
    t.add_lines = add;
    t.add_line_count = 1;
    OK(w, crd_invoice_revise(w->ledger, on(0), i, &t, NULL));
    world_check(w);
    memset(&spec, 0, sizeof spec);
    spec.struct_size = sizeof spec;
    spec.report = CRD_REPORT_LINES;
    ENDS(w->ledger, crd_report_open(w->ledger, &spec, &report), CRD_E_ARGUMENT);
    FIELD(w, "spec.customer");
    spec.customer = "c1";
    spec.kind = CRD_KIND_RECEIPT;
    ENDS(w->ledger, crd_report_open(w->ledger, &spec, &report), CRD_E_ARGUMENT);
    FIELD(w, "spec.kind");
    spec.kind = CRD_KIND_INVOICE;
    ENDS(w->ledger, crd_report_open(w->ledger, &spec, &report), CRD_E_ARGUMENT);
    FIELD(w, "spec.id");
    spec.id = "X";
    ENDS(w->ledger, crd_report_open(w->ledger, &spec, &report), CRD_E_NOT_FOUND);
    spec.id = "I";
    OK(w, crd_report_open(w->ledger, &spec, &report));
    for (int64_t n = 1; n <= 4; n++) {
        OK(w, crd_report_next(report, &row));
        ck_assert_ptr_nonnull(row);
        ck_assert_uint_eq(row->kind, CRD_KIND_LINE);
        ck_assert_str_eq(row->id, "I");
        ck_assert_int_eq(row->document_line->number, n);
        ck_assert_int_eq(row->amount, row->document_line->amount);
        ck_assert_uint_eq(row->document_line->ended_in, n == 1);
        ck_assert_uint_eq(row->document_line->added_in, n == 4);
    }
    OK(w, crd_report_next(report, &row));
    ck_assert_ptr_null(row);
    crd_report_close(report);
    crd_invoice_free(i);
    world_close(w);
}
END_TEST

/* The lines of a report are told as "number amount", and "ended" of one that is no more. */
static void lines_are(world *w, uint32_t kind, const char *id, int32_t date, int64_t known_at, const char *expected) {
    crd_report_spec spec = report_spec(CRD_REPORT_LINES, 0, date, known_at);
    char told[200] = "";
    cursor c;
    spec.customer = "c1";
    spec.kind = kind;
    spec.id = id;
    c = cursor_open(w, &spec);
    while (cursor_next(&c) != NULL)
        snprintf(told + strlen(told), sizeof told - strlen(told), "%lld %lld%s; ",
                 (long long)c.row->document_line->number, (long long)c.row->amount,
                 c.row->document_line->ended_in != 0 ? " ended" : "");
    cursor_end(&c);
    ck_assert_str_eq(told, expected);
}

/* The report of a past day, while each allocation fails in turn. */
static void lines_without_memory(world *w, shim_memory *memory, const char *id, int32_t date) {
    crd_report_spec spec = report_spec(CRD_REPORT_LINES, 0, date, 0);
    spec.customer = "c1";
    spec.kind = CRD_KIND_INVOICE;
    spec.id = id;
    for (unsigned long n = 1;; n++) {
        crd_report *report = NULL;
        const crd_row *row = NULL;
        crd_status status;
        memory->calls = memory->fired = 0;
        memory->fail_at = n;
        status = crd_report_open(w->ledger, &spec, &report);
        do {
            if (status == CRD_OK) status = crd_report_next(report, &row);
        } while (status == CRD_OK && row != NULL);
        memory->fail_at = 0;
        crd_report_close(report);
        if (memory->fired == 0) break;
        ck_assert(status == CRD_OK || status == CRD_E_NOMEM);
    }
}

/* Revised twice: on the 4th, entered late, on the 20th at noon; and on the 9th. */
START_TEST(R62_lines_of_a_document_as_of_a_day_and_as_known) {
    static const int64_t first[] = {1}, second[] = {2};
    static const char before[] = "1 500; 2 300; 3 200; ", after[] = "1 500 ended; 2 300; 3 200; 4 50; ";
    shim_memory memory;
    world *w;
    crd_line_terms l = line_terms("D", 1000, 50);
    const crd_line_terms *add[1] = {&l};
    crd_revise_terms t = revise_terms(550);
    crd_request r = *on(4);
    crd_invoice *i;
    shim_memory_init(&memory);
    w = world_open_with(_i, &memory.table, NULL, NULL);
    customer(w, "c1");
    i = lined_invoice(w, "c1", "I", 2);
    r.instant = noon(20);
    t.end_lines = first;
    t.end_line_count = 1;
    t.add_lines = add;
    t.add_line_count = 1;
    OK(w, crd_invoice_revise(w->ledger, &r, i, &t, NULL));
    t = revise_terms(250);
    t.end_lines = second;
    t.end_line_count = 1;
    r.business_date = DAY(9);
    r.instant = noon(21);
    OK(w, crd_invoice_revise(w->ledger, &r, i, &t, NULL));
    lines_are(w, CRD_KIND_INVOICE, "I", 0, 0, "1 500 ended; 2 300 ended; 3 200; 4 50; ");
    lines_are(w, CRD_KIND_INVOICE, "I", DAY(1), 0, ""); /* there was none yet */
    lines_are(w, CRD_KIND_INVOICE, "I", DAY(3), 0, before);
    lines_are(w, CRD_KIND_INVOICE, "I", DAY(4), 0, after);
    lines_are(w, CRD_KIND_INVOICE, "I", DAY(8), 0, after);
    lines_are(w, CRD_KIND_INVOICE, "I", DAY(9), 0, "1 500 ended; 2 300 ended; 3 200; 4 50; ");
    lines_are(w, CRD_KIND_INVOICE, "I", DAY(8), noon(20) - 1, before); /* printed again as it was then */
    lines_are(w, CRD_KIND_INVOICE, "I", 0, noon(20) - 1, before);
    lines_are(w, CRD_KIND_INVOICE, "I", 0, noon(20), after);
    lines_without_memory(w, &memory, "I", DAY(4));
    crd_invoice_free(i);
    world_close(w);
    ck_assert_int_eq(memory.blocks, 0);
}
END_TEST

START_TEST(R64_lines_of_a_unit_are_kept_or_lost_with_it) {
    static const int64_t ends[] = {2};
    world *w = world_open(_i);
    crd_line_terms l = line_terms("D", 1, 1000);
    const crd_line_terms *list[1] = {&l};
    crd_invoice_terms it = invoice_terms("I", 1000);
    crd_revise_terms t = revise_terms(700);
    crd_invoice *i;
    book *b;
    customer(w, "c1");
    w->careless = 1;
    world_remember(w);
    OK(w, crd_unit_begin(w->ledger));
    i = lined_invoice(w, "c1", "I", 0);
    OK(w, crd_unit_rollback(w->ledger));
    world_same(w, "a unit given up");
    crd_invoice_free(i);
    OK(w, crd_unit_begin(w->ledger));
    i = lined_invoice(w, "c1", "I", 0);
    it.lines = list;
    it.line_count = 1;
    ENDS(w->ledger, crd_invoice_enter(w->ledger, on(0), "c1", &it, NULL), CRD_E_EXISTS); /* leaves no line behind */
    t.end_lines = ends;
    t.end_line_count = 1;
    OK(w, crd_invoice_revise(w->ledger, on(0), i, &t, NULL)); /* added and ended in one unit: inserted as it ends */
    t.total = 100;
    ENDS(w->ledger, crd_invoice_revise(w->ledger, on(0), i, &t, NULL), CRD_E_NOT_FOUND);
    OK(w, crd_unit_commit(w->ledger));
    world_check(w);
    b = world_book(w);
    ck_assert_uint_eq(book_count(b, CRD_KIND_LINE), 3);
    ck_assert_uint_eq(line_at(b, CRD_KIND_INVOICE, "I", 2)->ended_in, 1);
    ck_assert_int_eq(line_at(b, CRD_KIND_INVOICE, "I", 2)->last_seq, 2);
    ck_assert_int_eq(line_at(b, CRD_KIND_INVOICE, "I", 1)->last_seq, 1);
    book_free(b);
    crd_invoice_free(i);
    world_close(w);
}
END_TEST

/* ---- told ---- */

static struct {
    uint32_t types[8];
    uint64_t lines[8];
    int64_t quantities[8];
    uint32_t ended[8];
    int count;
} told;

static void CRD_CALL hear(void *ctx, const crd_event *event) {
    (void)ctx;
    if (told.count == 8) return;
    told.types[told.count] = event->entry->type;
    told.lines[told.count] = event->line_count;
    for (uint64_t i = 0; i < event->line_count; i++) {
        told.quantities[told.count] += event->lines[i]->quantity;
        told.ended[told.count] += event->lines[i]->ended_in != 0;
        ck_assert_int_eq(event->lines[i]->last_seq, event->entry->seq);
    }
    told.count++;
}

START_TEST(R45_the_host_hears_of_lines_after_they_are_kept) {
    static const int64_t ends[] = {1};
    world *w;
    crd_hooks hooks;
    crd_line_terms l = line_terms("D", 4, 500);
    const crd_line_terms *list[1] = {&l};
    crd_revise_terms t = revise_terms(1000);
    crd_invoice *i;
    memset(&told, 0, sizeof told);
    memset(&hooks, 0, sizeof hooks);
    hooks.event = hear;
    w = world_open_with(_i, NULL, NULL, &hooks);
    customer(w, "c1");
    i = lined_invoice(w, "c1", "I", 0);
    t.end_lines = ends;
    t.end_line_count = 1;
    t.add_lines = list;
    t.add_line_count = 1;
    OK(w, crd_invoice_revise(w->ledger, on(0), i, &t, NULL));
    OK(w, crd_invoice_reverse(w->ledger, on(0), i, NULL, NULL));
    ck_assert_int_eq(told.count, 5);
    ck_assert_uint_eq(told.lines[0], 0); /* the customer */
    ck_assert_uint_eq(told.types[1], CRD_ENTRY_INVOICE);
    ck_assert_uint_eq(told.lines[1], 3);
    ck_assert_int_eq(told.quantities[1], 8000);
    ck_assert_uint_eq(told.types[2], CRD_ENTRY_REVISE);
    ck_assert_uint_eq(told.lines[2], 2); /* one that ended, one that came */
    ck_assert_uint_eq(told.ended[2], 1);
    ck_assert_uint_eq(told.types[3], CRD_ENTRY_ISSUE);
    ck_assert_uint_eq(told.lines[3], 3);
    ck_assert_int_eq(told.quantities[3], -7000); /* stock comes back */
    ck_assert_uint_eq(told.types[4], CRD_ENTRY_APPLY);
    ck_assert_uint_eq(told.lines[4], 0);
    crd_invoice_free(i);
    world_close(w);
}
END_TEST

/* ---- proved ---- */

static char seen[64];

static int32_t CRD_CALL note_finding(void *ctx, const crd_finding *f) {
    (void)ctx;
    ck_assert_uint_eq(f->kind, CRD_KIND_LINE);
    strncpy(seen, f->field, sizeof seen - 1);
    return 0;
}

static void put_line(world *w, const crd_line_record *line, uint32_t operation) {
    const crd_storage *storage = world_storage(w);
    crd_change change;
    const crd_change *changes[1] = {&change};
    crd_batch batch;
    crd_write_result result;
    memset(&change, 0, sizeof change);
    change.struct_size = sizeof change;
    change.kind = CRD_KIND_LINE;
    change.operation = operation;
    change.record = line;
    memset(&batch, 0, sizeof batch);
    batch.struct_size = sizeof batch;
    batch.proof = 77;
    batch.changes = changes;
    batch.change_count = 1;
    memset(&result, 0, sizeof result);
    result.struct_size = sizeof result;
    storage->write(storage->ctx, &batch, &result);
    ck_assert_int_eq(result.outcome, CRD_OUTCOME_DONE);
}

static void finds(world *w, const char *field) {
    crd_verify_spec spec;
    memset(&spec, 0, sizeof spec);
    memset(seen, 0, sizeof seen);
    spec.struct_size = sizeof spec;
    spec.found = note_finding;
    ENDS(w->ledger, crd_ledger_verify(w->ledger, &spec, NULL), CRD_E_CORRUPT);
    ck_assert_str_eq(seen, field);
}

START_TEST(R63_a_changed_line_is_found_and_nothing_is_decided_on_it) {
    static const int64_t ends[] = {1};
    world *w = world_open(_i);
    crd_revise_terms t = revise_terms(500);
    crd_line_record line, good;
    crd_invoice *i;
    book *b;
    customer(w, "c1");
    i = lined_invoice(w, "c1", "I", 0);
    b = world_book(w);
    good = line = *line_at(b, CRD_KIND_INVOICE, "I", 2);
    line.amount = 299;
    put_line(w, &line, CRD_CHANGE_UPDATE);
    finds(w, "lines_digest");
    t.end_lines = ends;
    t.end_line_count = 1;
    REFUSED(w, crd_invoice_revise(w->ledger, on(0), i, &t, NULL), CRD_E_CORRUPT);
    SUBJECT(w, CRD_KIND_INVOICE, "I");
    put_line(w, &good, CRD_CHANGE_UPDATE);
    world_check(w);
    line = good;
    line.number = 4;
    put_line(w, &line, CRD_CHANGE_INSERT);
    finds(w, "line_count");
    book_free(b);
    crd_invoice_free(i);
    world_close(w);
}
END_TEST

START_TEST(R63_a_line_of_no_document_is_found) {
    world *w = world_open(_i);
    crd_line_record line;
    book *b;
    customer(w, "c1");
    crd_invoice_free(lined_invoice(w, "c1", "I", 0));
    b = world_book(w);
    line = *line_at(b, CRD_KIND_INVOICE, "I", 2);
    line.id = "X";
    put_line(w, &line, CRD_CHANGE_INSERT);
    finds(w, "line_count");
    book_free(b);
    world_close(w);
}
END_TEST

START_TEST(R77_opening_invoices_keep_what_they_were_elsewhere) {
    world *w = world_open(_i);
    crd_invoice_terms t = invoice_terms("old-7", 40);
    book *b;
    customer(w, "c1");
    t.flags = CRD_INVOICE_AS_OPENING;
    t.opening_total = 100;
    t.opening_used = 60;
    t.due = DAY(-20);
    OK(w, crd_invoice_enter(w->ledger, on(-50), "c1", &t, NULL));
    world_check(w);
    b = world_book(w);
    ck_assert_uint_eq(book_invoice(b, "c1", "old-7")->flags, CRD_FLAG_OPENING);
    ck_assert_int_eq(book_invoice(b, "c1", "old-7")->total, 40);
    ck_assert_int_eq(book_invoice(b, "c1", "old-7")->open, 40);
    ck_assert_int_eq(book_invoice(b, "c1", "old-7")->opening_total, 100);
    ck_assert_int_eq(book_invoice(b, "c1", "old-7")->opening_used, 60);
    ck_assert_int_eq(book_invoice(b, "c1", "old-7")->issued, DAY(-50));
    book_free(b);
    t.id = "x";
    t.opening_used = 101;
    REFUSED(w, crd_invoice_enter(w->ledger, on(0), "c1", &t, NULL), CRD_E_ARGUMENT);
    FIELD(w, "terms.opening_used");
    t.opening_used = -1;
    REFUSED(w, crd_invoice_enter(w->ledger, on(0), "c1", &t, NULL), CRD_E_ARGUMENT);
    t.opening_used = 0;
    t.flags |= CRD_INVOICE_AS_DRAFT;
    REFUSED(w, crd_invoice_enter(w->ledger, on(0), "c1", &t, NULL), CRD_E_ARGUMENT);
    FIELD(w, "terms.flags");
    t.flags = 0;
    REFUSED(w, crd_invoice_enter(w->ledger, on(0), "c1", &t, NULL), CRD_E_ARGUMENT);
    FIELD(w, "terms.opening_total");
    world_close(w);
}
END_TEST

static Suite *make(void) {
    Suite *s = suite_create("lines");
    TCase *t = tcase_create("lines");
    tcase_add_loop_test(t, R43_M2_a_credit_invoice_is_entered_positive_and_stored_negated, 0, STORES);
    tcase_add_loop_test(t, R43_what_a_line_may_be, 0, STORES);
    tcase_add_loop_test(t, R43_lines_of_one_document_are_reported_by_number, 0, STORES);
    tcase_add_loop_test(t, R62_lines_of_a_document_as_of_a_day_and_as_known, 0, STORES);
    tcase_add_loop_test(t, R64_lines_of_a_unit_are_kept_or_lost_with_it, 0, STORES);
    tcase_add_loop_test(t, R45_the_host_hears_of_lines_after_they_are_kept, 0, STORES);
    tcase_add_loop_test(t, R63_a_changed_line_is_found_and_nothing_is_decided_on_it, 0, STORES);
    tcase_add_loop_test(t, R63_a_line_of_no_document_is_found, 0, STORES);
    tcase_add_loop_test(t, R77_opening_invoices_keep_what_they_were_elsewhere, 0, STORES);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return world_main(make);
}
