/*
 * The desk of a booking house: where a client's credit came from, and what became of it. One client, c-2001. The
 * figures of tests/examples/expected/s2_booking_desk.txt, worked out on paper:
 *
 *     sale-1 100, paid with 120          20 too much                                      available  20
 *     oil (20) taken off the sale        total 80: 20 come back                                      40
 *     the treatment at 65 instead of 70  total 75: 5 come back                                       45
 *     towel (10) taken off a day later   total 65: 10 come back, with a warning                      55
 *     sale-2 60, its brush (20) returned memo-1 20, nothing of it used yet            owed 60        75
 *     loyalty 10, 30 added to credit                                                                115
 *     memo-1 pays 20 of sale-2, pay-1 pays 25                                         owed 15        70
 *     10 of pay-1 refunded               left of pay-1: 55 - 25 - 10 = 20                            60
 *     pay-1 left 120 - 65 = 55 as credit: 20 current, 25 applied, 10 refunded
 *     the card company takes pay-1 back  sale-1 65 and sale-2 40 open again, 20 of credit gone, the 10 refunded are a
 *                                        debit memo: owed 65 + 40 + 10 = 115, available 30 + 10 = 40
 *     it took back 65 + 25 + 20 = 110 of the 120; the other 10 the debit memo asks for
 */
#include <credit.h>
#include <stdio.h>
#include <stdlib.h>

#define APRIL(day) (20543 + (day)) /* of 2026, in days since 1970 */

static crd_ledger *ledger;

/* Every call goes through here. */
static void ok(crd_status status) {
    if (status == CRD_OK) return;
    fprintf(stderr, "s2_booking_desk: %s\n", crd_ledger_error(ledger)->message);
    exit(EXIT_FAILURE);
}

/* Who asks, and when: at noon UTC. */
static const crd_request *on(int32_t day) {
    static crd_request request = {.struct_size = sizeof request, .actor = "desk"};
    request.instant = APRIL(day) * INT64_C(86400000000) + INT64_C(43200000000);
    return &request;
}

static const char *eur(int64_t minor) {
    static char texts[4][CRD_MONEY_TEXT];
    static unsigned next;
    char *text = texts[next++ % 4];
    ok(crd_money_format(minor, 2, text, CRD_MONEY_TEXT));
    return text;
}

/* Debit balance and credit balance, side by side. */
static void show(int32_t day, const char *what) {
    crd_balance balance = {.struct_size = sizeof balance};
    ok(crd_customer_balance(ledger, "c-2001", "EUR", APRIL(day), &balance));
    printf("April %2d  %-34s owed %6s   available %6s\n", day, what, eur(balance.outstanding), eur(balance.available));
}

#define LINE(what, price, from)                                                                                    \
    &(crd_line_terms){.struct_size = sizeof(crd_line_terms), .sku = what, .quantity = 1000, .amount = price,       \
                      .origin = from}

static crd_invoice *sell(int32_t day, const char *id, int64_t total, const crd_line_terms *const *lines, uint64_t n) {
    crd_invoice_terms terms = {.struct_size = sizeof terms, .kind = CRD_INVOICE_INVOICE, .currency = "EUR", .id = id,
                               .total = total, .lines = lines, .line_count = n};
    crd_invoice *sale;
    ok(crd_invoice_enter(ledger, on(day), "c-2001", &terms, &sale));
    return sale;
}

/* Takes a line off a sale, and puts another in its place if one is given. */
static void change(int32_t day, crd_invoice *sale, int64_t line, const crd_line_terms *instead, int64_t total) {
    crd_revise_terms terms = {.struct_size = sizeof terms, .total = total, .end_lines = &line, .end_line_count = 1,
                              .add_lines = &instead, .add_line_count = instead != NULL};
    crd_result result = {.struct_size = sizeof result};
    ok(crd_invoice_revise(ledger, on(day), sale, &terms, &result));
    printf("          %s came back%s\n", eur(result.amount),
           result.warnings & CRD_WARN_LINE_REMOVED ? "; a return or a credit memo would say it better" : "");
}

static crd_credit *issue(int32_t day, crd_credit_terms terms) {
    crd_credit *credit;
    terms.struct_size = sizeof terms, terms.currency = "EUR";
    ok(crd_credit_issue(ledger, on(day), "c-2001", &terms, &credit));
    return credit;
}

static void apply(int32_t day, crd_credit *credit, crd_invoice *sale, int64_t amount) {
    ok(crd_credit_apply(ledger, on(day), credit, sale,
                        &(crd_apply_terms){.struct_size = sizeof(crd_apply_terms), .amount = amount}, NULL));
}

/* Each occasion that created credit, or each payment that did, with what is current and applied of it. */
static void list(const char *title, uint32_t which) {
    crd_report_spec spec = {.struct_size = sizeof spec, .report = which, .customer = "c-2001", .date = APRIL(30)};
    crd_report *report;
    const crd_row *r;
    printf("%s\n", title);
    ok(crd_report_open(ledger, &spec, &report));
    while (ok(crd_report_next(report, &r)), r != NULL) {
        if (which == CRD_REPORT_OCCASIONS)
            printf("  %-8s %-12s from %-7s %6s\n", crd_entry_name(r->entry->type), r->source, r->origin,
                   eur(r->amount));
        else
            printf("  %s credited %s, current %s, applied %s\n", r->id, eur(r->figures[CRD_PAYMENT_CREDITED]),
                   eur(r->figures[CRD_PAYMENT_CURRENT]), eur(r->figures[CRD_PAYMENT_APPLIED]));
    }
    crd_report_close(report);
}

int main(void) {
    const crd_line_terms *first[] = {LINE("treatment", 7000, NULL), LINE("oil", 2000, NULL), LINE("towel", 1000, NULL)};
    const crd_line_terms *second[] = {LINE("cream", 4000, NULL), LINE("brush", 2000, NULL)};
    const crd_line_terms *brush[] = {LINE("brush", 2000, "sale-2/2")};
    const crd_receipt_line pays = {.struct_size = sizeof pays, .invoice = "sale-1", .amount = 10000};
    crd_receipt_terms money = {.struct_size = sizeof money, .flags = CRD_RECEIPT_EXCESS_TO_CREDIT, .currency = "EUR",
                               .id = "pay-1", .credit = "pay-1", .amount = 12000, .method = "card",
                               .lines = (const crd_receipt_line *const[]){&pays}, .line_count = 1};
    crd_refund_terms back = {.struct_size = sizeof back, .amount = 1000};
    crd_result result = {.struct_size = sizeof result};
    crd_memory *memory;
    crd_ledger_options options = {.struct_size = sizeof options};
    crd_receipt *receipt;
    crd_credit *paid, *memo;
    crd_invoice *sale_1, *sale_2;
    ok(crd_memory_new(NULL, &memory));
    options.storage = crd_memory_storage(memory);
    ok(crd_ledger_open(&options, &ledger));
    ok(crd_customer_add(ledger, on(1), "c-2001", NULL, NULL));

    sale_1 = sell(1, "sale-1", 10000, first, 3);
    ok(crd_receipt_enter(ledger, on(1), "c-2001", &money, &receipt, NULL)), show(1, "120.00 paid of 100.00");
    change(1, sale_1, 2, NULL, 8000), show(1, "oil taken off the sale");
    change(1, sale_1, 1, LINE("treatment", 6500, NULL), 7500), show(1, "5.00 off the treatment");
    change(2, sale_1, 3, NULL, 6500), show(2, "towel taken off, a day later");
    sale_2 = sell(3, "sale-2", 6000, second, 2);
    memo = issue(4, (crd_credit_terms){.kind = CRD_CREDIT_MEMO, .flags = CRD_ISSUE_RETURN, .amount = 2000,
                                       .origin = "sale-2", .reason = "returned", .lines = brush, .line_count = 1});
    show(4, "brush of sale-2 returned");
    crd_credit_free(issue(5, (crd_credit_terms){.kind = CRD_CREDIT_LOYALTY, .amount = 1000, .reason = "tenth visit"}));
    crd_credit_free(issue(5, (crd_credit_terms){.kind = CRD_CREDIT_PREPAYMENT, .receipt = "pay-2", .amount = 3000}));
    show(5, "loyalty 10.00, 30.00 to credit");
    ok(crd_credit_find(ledger, "c-2001", "pay-1", &paid));
    apply(6, memo, sale_2, 2000), apply(6, paid, sale_2, 2500), show(6, "credit used for sale-2");
    ok(crd_credit_refund(ledger, on(7), paid, &back, NULL)), show(7, "10.00 refunded");
    list("What created credit", CRD_REPORT_OCCASIONS), list("Payments that did", CRD_REPORT_PAYMENTS);

    ok(crd_receipt_reverse(ledger, on(10), receipt, NULL, &result)), show(10, "pay-1 charged back");
    printf("          %s taken back\n", eur(result.amount));
    ok(crd_ledger_verify(ledger, NULL, NULL));
    crd_receipt_free(receipt), crd_credit_free(paid), crd_credit_free(memo);
    crd_invoice_free(sale_1), crd_invoice_free(sale_2), crd_ledger_close(ledger), crd_memory_free(memory);
}
