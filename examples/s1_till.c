/*
 * A till that takes money for jobs yet to be done: "Add Credit" on the customer's account. Credit pays what was sent
 * before, and what is sent later, by itself. The figures of tests/examples/expected/s1_till.txt, worked out on paper:
 *
 *     inv-1  80           check 100 pays 80 of it            left of the check 20
 *                         cash   60                          available 20 + 60 = 80
 *     inv-2  30           takes 20 of the check, 10 of cash  available 50
 *     set to 75           +25                                set to 70: -5, from the oldest credit, cash: 50 - 5 = 45
 *     the check bounces   inv-1 80 and inv-2 20 are open again, and a fee of 5: 105 owed
 *                         70 available (cash 45, adjustment 25): balance 105 - 70 = 35
 *     revenue             10, the cash on inv-2; the check's 100 came and went. Unearned: 45 cash, 40 by c-1002's card
 */
#include <credit.h>
#include <stdio.h>
#include <stdlib.h>

#define MARCH(day) (20512 + (day)) /* of 2026, in days since 1970 */

static crd_ledger *ledger;

/* Every call but those meant to be refused goes through here. */
static void ok(crd_status status) {
    if (status == CRD_OK) return;
    fprintf(stderr, "s1_till: %s\n", crd_ledger_error(ledger)->message);
    exit(EXIT_FAILURE);
}

/* Who asks, and when: at noon UTC. A real till passes its clock in the hooks instead. */
static const crd_request *by(const char *actor, int32_t day, const char *why) {
    static crd_request request = {.struct_size = sizeof request};
    request.actor = actor, request.note = why;
    request.instant = MARCH(day) * INT64_C(86400000000) + INT64_C(43200000000);
    return &request;
}

static const char *eur(int64_t minor) {
    static char texts[4][CRD_MONEY_TEXT];
    static unsigned next;
    char *text = texts[next++ % 4];
    ok(crd_money_format(minor, 2, text, CRD_MONEY_TEXT));
    return text;
}

static void show(const char *what, int32_t day) {
    crd_balance balance = {.struct_size = sizeof balance};
    ok(crd_customer_balance(ledger, "c-1001", "EUR", MARCH(day), &balance));
    printf("March %2d  %-24s owed %s, available %s\n", day, what, eur(balance.outstanding), eur(balance.available));
}

static void add_credit(int32_t day, const char *id, int64_t amount, const char *method, const char *info) {
    crd_credit_terms terms = {.struct_size = sizeof terms, .kind = CRD_CREDIT_PREPAYMENT, .currency = "EUR", .id = id,
                              .receipt = id, .amount = amount, .method = method, .payment_info = info};
    ok(crd_credit_issue(ledger, by("till-1", day, "prepaid job"), "c-1001", &terms, NULL));
}

static void send_invoice(int32_t day, const char *id, int64_t total) {
    crd_invoice_terms terms = {.struct_size = sizeof terms, .kind = CRD_INVOICE_INVOICE, .currency = "EUR", .id = id,
                               .total = total};
    ok(crd_invoice_enter(ledger, by("office", day, NULL), "c-1001", &terms, NULL));
}

static void set_available(int32_t day, int64_t target, const char *id, const char *why) {
    crd_result result = {.struct_size = sizeof result};
    crd_adjust_terms terms = {.struct_size = sizeof terms, .target = target, .id = id};
    crd_status status = crd_credit_adjust(ledger, by("office", day, why), "c-1001", "EUR", &terms, &result);
    if (status == CRD_OK)
        printf("          set to %s: difference %s\n", eur(target), eur(result.amount));
    else
        printf("          set to %s: %s, the smallest is %s\n", eur(target), crd_status_name(status),
               eur(crd_ledger_error(ledger)->limit));
}

static void statement_line(const crd_row *r) {
    static const char *const names[] = {"", "opening", "expired", "closing"};
    printf("  %-15s %-6s %8s %8s\n", r->entry != NULL ? crd_entry_name(r->entry->type) : names[r->line], r->id,
           eur(r->amount), eur(r->balance));
}

static void credit_line(const crd_row *r) {
    printf("  %-8s %-5s %8s by %s; %s\n", crd_entry_name(r->entry->type), r->id, eur(r->amount), r->entry->actor,
           r->entry->note);
}

static void taking_line(const crd_row *r) {
    printf("  %-8s %-6s %8s  %s\n", r->customer, r->method, eur(r->amount), r->reference);
}

static void revenue_line(const crd_row *r) {
    const int64_t *sums = r->figures;
    printf("  revenue %s, unearned %s\n", eur(sums[CRD_REVENUE_INVOICES]), eur(sums[CRD_REVENUE_UNEARNED]));
}

static void list(const char *title, uint32_t which, const char *customer, void (*line)(const crd_row *)) {
    crd_report_spec spec = {.struct_size = sizeof spec, .report = which, .customer = customer,
                            .date_from = MARCH(1), .date = MARCH(31)};
    crd_report *report;
    const crd_row *row;
    printf("\n%s\n", title);
    ok(crd_report_open(ledger, &spec, &report));
    while (ok(crd_report_next(report, &row)), row != NULL) line(row);
    crd_report_close(report);
}

/* Another till sends what it took off the line: as many rows as possible, one answer for each. */
static void send_many(void) {
    crd_credit_terms card = {.struct_size = sizeof card, .kind = CRD_CREDIT_PREPAYMENT, .currency = "EUR",
                             .amount = 4000, .method = "card", .payment_info = "slip 17"};
    crd_bulk_row known = {.struct_size = sizeof known, .customer = "c-1002", .terms = &card};
    crd_bulk_row unknown = {.struct_size = sizeof unknown, .customer = "c-9999", .terms = &card};
    crd_bulk_result results[2] = {{.struct_size = sizeof results[0]}, {.struct_size = sizeof results[1]}};
    uint64_t kept;
    ok(crd_credit_issue_many(ledger, by("till-2", 10, NULL), (const crd_bulk_row *const[]){&known, &unknown}, 2, 0,
                             (crd_bulk_result *const[]){&results[0], &results[1]}, &kept));
    printf("kept %d of 2:", (int)kept);
    printf(" c-1002 %s, c-9999 %s\n", crd_status_name(results[0].status), crd_status_name(results[1].status));
}

int main(void) {
    crd_memory *memory;
    crd_receipt *check;
    crd_reverse_terms fee = {.struct_size = sizeof fee, .fee = 500, .fee_id = "fee-1", .reason = "check bounced"};
    crd_settings settings = {.struct_size = sizeof settings, .auto_apply = 1};
    crd_ledger_options options = {.struct_size = sizeof options, .settings = &settings};
    ok(crd_memory_new(NULL, &memory));
    options.storage = crd_memory_storage(memory);
    ok(crd_ledger_open(&options, &ledger));
    ok(crd_customer_add(ledger, by("office", 1, NULL), "c-1001", NULL, NULL));
    ok(crd_customer_add(ledger, by("office", 1, NULL), "c-1002", NULL, NULL));

    send_invoice(2, "inv-1", 8000), show("inv-1 80.00 sent", 2);
    add_credit(3, "cr-1", 10000, "check", "no. 2041"), show("check 100.00 added", 3);
    add_credit(4, "cr-2", 6000, "cash", "drawer 2"), show("cash 60.00 added", 4);
    send_invoice(5, "inv-2", 3000), show("inv-2 30.00 sent", 5);
    set_available(6, 7500, "set-1", "job took longer"), show("after that", 6);
    set_available(6, -1, NULL, "slip of the finger");
    set_available(7, 7000, NULL, "counted again"), show("after that", 7);
    ok(crd_receipt_find(ledger, "c-1001", "cr-1", &check));
    ok(crd_receipt_reverse(ledger, by("office", 9, "check bounced"), check, &fee, NULL));
    crd_receipt_free(check);
    show("the check bounced", 9);
    send_many();

    list("Statement of c-1001", CRD_REPORT_STATEMENT, "c-1001", statement_line);
    list("Credit report of c-1001", CRD_REPORT_CREDIT_ENTRIES, "c-1001", credit_line);
    list("Takings of March", CRD_REPORT_TAKINGS, NULL, taking_line);
    list("Revenue of March", CRD_REPORT_REVENUE, NULL, revenue_line);
    ok(crd_ledger_verify(ledger, NULL, NULL));
    crd_ledger_close(ledger), crd_memory_free(memory);
}
