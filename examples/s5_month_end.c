/*
 * The end of a month at a distributor: credit invoices, the reconcile run looked at before it is posted, statements,
 * aging, finance charges and the general ledger. The figures of tests/examples/expected/s5_month_end.txt, on paper:
 *
 *     c-5001  inv-101 100, charge-5 5    cm-1 30, cash-1 40   cm-1: 5 on the charge, 25 on inv-101; cash-1: 40 of the
 *             (inv-102 70, reversed: nothing of it open)      75 left, edited to 30: inv-101 45, cash-1 10 open
 *     c-5002  inv-201 60                 cm-2 80              skipped
 *     c-5003  inv-301 50                 cm-3 20              inv-301 30 open
 *     second run: cash-1 10 on inv-101 (35 open) and cm-2 60 on inv-201 (20 of cm-2 left); the third finds nothing
 *     c-5003's receipt undone: inv-301 50, cm-3 20 open again.  c-5001 in June: 100 + 5 + 70 - 70 - 30 - 40 = 35
 *     30 June: inv-101 is 30 days overdue, inv-301 11 days; 2 % of 35 is 0.70, of 50 - 20 = 30 it is 0.60
 */
#include <credit.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAY = 20573, JUNE = 20604 }; /* the day before the first, of 2026, in days since 1970 */
static crd_ledger *ledger;
static crd_plan_result done = {.struct_size = sizeof done};

static void ok(crd_status status) {
    if (status != CRD_OK) fprintf(stderr, "s5_month_end: %s\n", crd_ledger_error(ledger)->message), exit(1);
}

static const crd_request *on(int32_t date) {
    static crd_request request = {.struct_size = sizeof request, .actor = "office"};
    request.instant = date * INT64_C(86400000000) + INT64_C(43200000000);
    return &request;
}

static const char *eur(int64_t minor) {
    static char text[CRD_MONEY_TEXT];
    ok(crd_money_format(minor, 2, text, sizeof text));
    return text;
}

/* Goods on a credit invoice go back on the shelf once it is kept. Its lines are negative; our bills have none. */
static void CRD_CALL restock(void *out, const crd_event *event) {
    for (uint64_t i = 0; i < event->line_count; i++)
        fprintf(out, "on the shelf: %d %s\n", (int)(-event->lines[i]->quantity / 1000), event->lines[i]->sku);
}

static void customer(const char *id, const char *name, const char *location) {
    crd_customer_terms terms = {.struct_size = sizeof terms, .name = name, .location = location};
    ok(crd_customer_add(ledger, on(MAY + 1), id, &terms, NULL));
}

static void bill(int32_t date, const char *who, uint32_t kind, const char *id, int64_t total, int32_t due) {
    crd_invoice_terms terms = {.struct_size = sizeof terms, .kind = kind, .currency = "EUR", .id = id,
                               .total = total, .due = due};
    ok(crd_invoice_enter(ledger, on(date), who, &terms, NULL));
}

/* A credit invoice of sacks at 1.00 each, entered with positive quantities; or cash, without lines. */
static void credit(int32_t date, const char *who, uint32_t kind, const char *id, int64_t amount) {
    crd_line_terms sacks = {.struct_size = sizeof sacks, .sku = "sacks", .quantity = amount * 10, .amount = amount};
    crd_credit_terms terms = {.struct_size = sizeof terms, .kind = kind, .currency = "EUR", .id = id, .amount = amount,
                              .reason = "sacks returned", .lines = (const crd_line_terms *const[]){&sacks},
                              .line_count = kind == CRD_CREDIT_MEMO};
    ok(crd_credit_issue(ledger, on(date), who, &terms, NULL));
}

static void prescan_line(const crd_plan_account *a, const crd_plan_item *item) {
    const crd_credit_record *c = item->credit;
    char issued[CRD_DATE_TEXT], due[CRD_DATE_TEXT];
    ok(crd_date_to_text(c != NULL ? c->issued : item->invoice->issued, issued, sizeof issued));
    ok(crd_date_to_text(c != NULL ? 0 : item->invoice->due, due, sizeof due));
    printf("%s  %-10s %-8s %s %10s %7s\n", a->account->customer, a->customer->name,
           c != NULL ? c->id : item->invoice->id, issued, due, eur(c != NULL ? -item->open : item->open));
}

/* Shows each customer's open items, then what would be paid; skips one, edits another. Returns the last's receipt. */
static crd_receipt *review(const crd_plan_spec *spec) {
    const crd_plan_account *a, *last;
    crd_receipt *receipt = NULL;
    crd_plan *plan;
    ok(crd_plan_open(ledger, spec, &plan));
    for (last = NULL; ok(crd_plan_next(plan, &a)), a != NULL; last = a) {
        for (uint64_t i = 0; i < a->item_count; i++) prescan_line(a, a->items[i]);
        if (strcmp(a->account->customer, "c-5002") == 0) ok(crd_plan_skip(plan));
        if (strcmp(a->account->customer, "c-5001") == 0) ok(crd_plan_edit(plan, 2, 3000));
        for (uint64_t i = 0; i < a->application_count; i++)
            printf("  %s %s of %s for %s\n", a->state == CRD_PLAN_SKIPPED ? "skipped:" : "pays",
                   eur(a->applications[i]->amount), a->applications[i]->credit->id, a->applications[i]->invoice->id);
    }
    ok(crd_plan_commit(plan, on(JUNE + 30), &done));
    printf("posted %d, skipped %d\n", (int)done.posted, (int)done.skipped);
    if (last != NULL) ok(crd_receipt_find(ledger, last->account->customer, last->receipt, &receipt));
    crd_plan_close(plan);
    return receipt;
}

static void list(uint32_t which, const char *who, int32_t from, int64_t *overdue) {
    crd_report_spec spec = {.struct_size = sizeof spec, .report = which, .customer = who, .date_from = from,
                            .date = JUNE + 30};
    crd_report *report;
    const crd_row *r;
    ok(crd_report_open(ledger, &spec, &report));
    while (ok(crd_report_next(report, &r)), r != NULL) {
        printf("%s  %-8s %7s", r->customer, r->id, eur(r->amount));
        if (which == CRD_REPORT_STATEMENT) printf(", balance %s", eur(r->balance));
        for (uint64_t i = 0; i < r->bucket_count; i++) printf(" %s", eur(r->buckets[i]));
        if (overdue != NULL) printf(", after credit %s", eur(*overdue++ = r->figures[CRD_DUE_OVERDUE_AFTER]));
        printf("\n");
    }
    crd_report_close(report);
}

static int32_t CRD_CALL print_text(void *out, const char *text, uint64_t size) {
    return fwrite(text, 1, (size_t)size, out) != size;
}

int main(void) {
    crd_plan_spec spec = {.struct_size = sizeof spec, .date = JUNE + 30,
                          .flags = CRD_PLAN_USE_CASH | CRD_PLAN_BY_LOCATION | CRD_PLAN_CUSTOMERS};
    crd_posting_spec book = {.struct_size = sizeof book, .customer = "c-5003"};
    crd_hooks hooks = {.struct_size = sizeof hooks, .ctx = stdout, .event = restock};
    crd_memory *store;
    crd_invoice *wrong;
    int64_t overdue[3] = {0};
    ok(crd_memory_new(NULL, &store));
    crd_ledger_options options = {.struct_size = sizeof options, .hooks = &hooks, .storage = crd_memory_storage(store)};
    ok(crd_ledger_open(&options, &ledger));
    customer("c-5001", "North Farm", "north"), customer("c-5002", "South Mill", "east");
    customer("c-5003", "West Dairy", "west");
    bill(MAY + 1, "c-5001", CRD_INVOICE_INVOICE, "inv-101", 10000, MAY + 31);
    bill(MAY + 5, "c-5002", CRD_INVOICE_INVOICE, "inv-201", 6000, JUNE + 4);
    bill(MAY + 20, "c-5003", CRD_INVOICE_INVOICE, "inv-301", 5000, JUNE + 19);
    bill(JUNE + 1, "c-5001", CRD_INVOICE_FINANCE_CHARGE, "charge-5", 500, JUNE + 15);
    bill(JUNE + 3, "c-5001", CRD_INVOICE_INVOICE, "inv-102", 7000, 0);
    ok(crd_invoice_find(ledger, "c-5001", "inv-102", &wrong));
    ok(crd_invoice_reverse(ledger, on(JUNE + 4), wrong, NULL, NULL));
    credit(JUNE + 10, "c-5001", CRD_CREDIT_MEMO, "cm-1", 3000);
    credit(JUNE + 10, "c-5002", CRD_CREDIT_MEMO, "cm-2", 8000);
    credit(JUNE + 10, "c-5003", CRD_CREDIT_MEMO, "cm-3", 2000);
    credit(JUNE + 12, "c-5001", CRD_CREDIT_UNAPPLIED_CASH, "cash-1", 4000);
    crd_receipt *receipt = review(&spec);
    for (int i = 0; i < 2; i++)
        ok(crd_reconcile(ledger, on(JUNE + 30), &spec, &done)), printf("run again: posted %d\n", (int)done.posted);
    ok(crd_undo(ledger, on(JUNE + 30), "c-5003", "EUR", crd_receipt_get(receipt)->first_seq, 0, NULL));
    printf("Statement, aging, overdue\n"), list(CRD_REPORT_STATEMENT, "c-5001", JUNE + 1, NULL);
    list(CRD_REPORT_AGING, NULL, 0, NULL), list(CRD_REPORT_OVERDUE, NULL, 0, overdue);
    bill(JUNE + 30, "c-5001", CRD_INVOICE_FINANCE_CHARGE, "charge-6", overdue[0] / 50, MAY + 61);
    bill(JUNE + 30, "c-5003", CRD_INVOICE_FINANCE_CHARGE, "charge-6", overdue[1] / 50, MAY + 61);
    ok(crd_postings_export(ledger, &book, CRD_EXPORT_HLEDGER, print_text, stdout));
    ok(crd_ledger_verify(ledger, NULL, NULL));
    crd_invoice_free(wrong), crd_receipt_free(receipt), crd_ledger_close(ledger), crd_memory_free(store);
}
