/*
 * Deposits and credit memos against orders and invoices, as the desk of a wholesaler uses them by hand. One customer,
 * north-farm. The figures of tests/examples/expected/s4_order_desk.txt, worked out on paper:
 *
 *     open: dep-1 100, memo-1 30, inv-1 80, inv-2 50     balance 130 - 130 = 0, available 130
 *     dep-1 allocated to order-1 (150), memo-1 to order-2 (40): due 50 and 10; balance still 0, available 0
 *     order-2 cancelled; order-1 cut to 90, then sent    30 available, then 10 more: dep-1 100 - 90, order-1 is paid
 *     memo-1 and what is left of dep-1 pay inv-1         due 80 - 30 = 50, 50 - 10 = 40
 *     memo-2 60 pays inv-1                               60 refused, 40 is due; clamped to 40, 20 left of memo-2
 *     a receipt of 0.00: memo-2 pays 20 of inv-2         inv-2 50 - 20 = 30
 *     40 on inv-1 becomes 25                             memo-2 15 left, inv-1 open 15
 *     a receipt of 40 with memo-2 15, inv-1 15, inv-2 30 remaining 40 + 15 - 45 = 10: refused
 *     the same receipt with 30                           remaining 0: saved, and nothing is open
 *     billed 80 + 50 + 90 = 220 = 30 + 60 of memos + 100 + 30 of money
 */
#include <credit.h>
#include <stdio.h>
#include <stdlib.h>

#define JUNE(day) (20604 + (day)) /* of 2026, in days since 1970 */

static crd_ledger *ledger;

/* Every call but those meant to be refused goes through here. */
static void ok(crd_status status) {
    if (status == CRD_OK) return;
    fprintf(stderr, "s4_order_desk: %s\n", crd_ledger_error(ledger)->message);
    exit(EXIT_FAILURE);
}

/* Who asks, and when: at noon UTC. */
static const crd_request *on(int32_t day) {
    static crd_request request = {.struct_size = sizeof request, .actor = "desk"};
    request.instant = JUNE(day) * INT64_C(86400000000) + INT64_C(43200000000);
    return &request;
}

static const char *eur(int64_t minor) {
    static char texts[4][CRD_MONEY_TEXT];
    static unsigned next;
    char *text = texts[next++ % 4];
    ok(crd_money_format(minor, 2, text, CRD_MONEY_TEXT));
    return text;
}

static void show(int32_t day) {
    crd_balance b = {.struct_size = sizeof b};
    ok(crd_customer_balance(ledger, "north-farm", "EUR", JUNE(day), &b));
    printf("  balance %s, available %s, allocated %s\n", eur(b.balance), eur(b.available), eur(b.allocated));
}

static void open_items(const char *title) {
    crd_report_spec spec = {.struct_size = sizeof spec, .report = CRD_REPORT_OPEN_ITEMS, .customer = "north-farm"};
    crd_report *report;
    const crd_row *row;
    printf("%s\n", title);
    ok(crd_report_open(ledger, &spec, &report));
    while (ok(crd_report_next(report, &row)), row != NULL) printf("  %-8s %8s\n", row->id, eur(row->amount));
    crd_report_close(report);
}

static crd_credit *credit(int32_t day, uint32_t kind, const char *id, int64_t amount, uint32_t flags) {
    crd_credit_terms terms = {.struct_size = sizeof terms, .kind = kind, .currency = "EUR", .id = id, .amount = amount,
                              .flags = flags, .reason = "pallets returned"};
    crd_credit *made;
    ok(crd_credit_issue(ledger, on(day), "north-farm", &terms, &made));
    return made;
}

static crd_invoice *invoice(int32_t day, const char *id, int64_t total, uint32_t flags) {
    crd_invoice_terms terms = {.struct_size = sizeof terms, .kind = CRD_INVOICE_INVOICE, .currency = "EUR", .id = id,
                               .total = total, .flags = flags};
    crd_invoice *made;
    ok(crd_invoice_enter(ledger, on(day), "north-farm", &terms, &made));
    return made;
}

static void allocate(int32_t day, crd_credit *from, crd_invoice *order) {
    crd_hold_terms all = {.struct_size = sizeof all, .flags = CRD_APPLY_CLAMP};
    ok(crd_credit_hold(ledger, on(day), from, order, &all, NULL));
    const crd_invoice_record *o = crd_invoice_get(order);
    printf("  %s: total %s, due %s\n", o->id, eur(o->total), eur(o->total - o->allocated));
}

/* Applies an amount, or as much of it as is due; what is due is seen after each. Returns the application. */
static int64_t apply(int32_t day, crd_credit *from, crd_invoice *to, int64_t amount, uint32_t flags) {
    crd_apply_terms terms = {.struct_size = sizeof terms, .amount = amount, .flags = flags};
    crd_result done = {.struct_size = sizeof done};
    crd_status status = crd_credit_apply(ledger, on(day), from, to, &terms, &done);
    if (status == CRD_E_INVOICE_AMOUNT) {
        printf("  %s refused, %s is due\n", eur(amount), eur(crd_ledger_error(ledger)->limit));
        return 0;
    }
    ok(status);
    printf("  %s of %s applied, ", eur(done.amount), crd_credit_get(from)->id);
    printf("%s due %s\n", crd_invoice_get(to)->id, eur(crd_invoice_get(to)->open));
    return done.first_seq;
}

/* A receipt of any amount: what comes in and the credits used must make up what is paid. */
static void receive(int32_t day, int64_t amount, const crd_receipt_line *const *lines, uint64_t count) {
    crd_receipt_terms terms = {.struct_size = sizeof terms, .currency = "EUR", .amount = amount, .lines = lines,
                               .line_count = count};
    crd_status status = crd_receipt_enter(ledger, on(day), "north-farm", &terms, NULL, NULL);
    if (status != CRD_E_DISTRIBUTION) ok(status);
    printf("  receipt of %s %s, %s remaining\n", eur(amount), status == CRD_OK ? "saved" : "refused",
           eur(crd_ledger_error(ledger)->given));
}

#define PAYS(of, by, much)                                                                                         \
    &(crd_receipt_line){.struct_size = sizeof(crd_receipt_line), .invoice = of, .credit = by, .amount = much}

int main(void) {
    crd_memory *memory;
    crd_revise_terms cut = {.struct_size = sizeof cut, .total = 9000};
    crd_ledger_options options = {.struct_size = sizeof options};
    ok(crd_memory_new(NULL, &memory));
    options.storage = crd_memory_storage(memory);
    ok(crd_ledger_open(&options, &ledger));
    ok(crd_customer_add(ledger, on(1), "north-farm", NULL, NULL));
    crd_credit *dep = credit(1, CRD_CREDIT_DEPOSIT, "dep-1", 10000, CRD_FLAG_RESERVED);
    crd_credit *memo_1 = credit(1, CRD_CREDIT_MEMO, "memo-1", 3000, 0);
    crd_invoice *inv_1 = invoice(1, "inv-1", 8000, 0), *inv_2 = invoice(1, "inv-2", 5000, 0);
    open_items("Open items");
    crd_invoice *order_1 = invoice(2, "order-1", 15000, CRD_INVOICE_AS_DRAFT);
    crd_invoice *order_2 = invoice(2, "order-2", 4000, CRD_INVOICE_AS_DRAFT);
    allocate(3, dep, order_1), allocate(3, memo_1, order_2), show(3);
    ok(crd_invoice_void(ledger, on(4), order_2, 0, NULL)), printf("order-2 cancelled\n"), show(4);
    ok(crd_invoice_revise(ledger, on(5), order_1, &cut, NULL));
    ok(crd_invoice_send(ledger, on(6), order_1, 0, NULL));
    printf("order-1 cut to 90.00 and sent: open %s\n", eur(crd_invoice_get(order_1)->open)), show(6);

    printf("By hand\n");
    apply(7, memo_1, inv_1, 3000, 0), apply(7, dep, inv_1, 0, CRD_APPLY_CLAMP);
    crd_credit *memo_2 = credit(8, CRD_CREDIT_MEMO, "memo-2", 6000, 0);
    apply(8, memo_2, inv_1, 6000, 0);
    int64_t application = apply(8, memo_2, inv_1, 6000, CRD_APPLY_CLAMP);
    receive(9, 0, (const crd_receipt_line *const[]){PAYS("inv-2", "memo-2", 2000)}, 1);
    ok(crd_application_change(ledger, on(10), "north-farm", "EUR", application, 2500, NULL));
    open_items("40.00 on inv-1 are 25.00 now");
    const crd_receipt_line *const rest[] = {PAYS("inv-1", NULL, 1500), PAYS("inv-2", NULL, 3000),
                                            PAYS(NULL, "memo-2", 1500)};
    receive(11, 4000, rest, 3), receive(11, 3000, rest, 3);
    open_items("Nothing is open"), show(11);
    ok(crd_ledger_verify(ledger, NULL, NULL));
    crd_credit_free(dep), crd_credit_free(memo_1), crd_credit_free(memo_2), crd_invoice_free(inv_1);
    crd_invoice_free(inv_2), crd_invoice_free(order_1), crd_invoice_free(order_2);
    crd_ledger_close(ledger), crd_memory_free(memory);
}
