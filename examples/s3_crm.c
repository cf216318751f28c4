/*
 * Credits with a life cycle, as a service team grants and follows them. One customer, c-3001. The figures of
 * tests/examples/expected/s3_crm.txt, worked out on paper:
 *
 *     good-1 50, promo-1 25, owed-1 40, oops 500          oops is deleted: 3 active, 115 of them, 115 issued
 *     good-1 pays 30 of inv-7, owed-1 all 40 elsewhere    2 active, 20 + 25 = 45 left, 30 + 40 = 70 applied
 *     60 more of good-1 is refused; its rest, 20, voided  1 active, 25
 *     another desk uses 10 of promo-1 meanwhile           20 more is refused as a conflict; 15 left, 5 of it used
 *     promo-1 ends on 1 June with 10 left                 none active; 70 + 10 + 5 = 85 applied
 *     115 issued = 85 applied + 20 voided + 10 expired
 */
#include <credit.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAY(day) (20573 + (day)) /* of 2026, in days since 1970; the 32nd is the first of June */

static crd_ledger *ledger;

/* Every call but those meant to be refused goes through here. */
static void ok(crd_status status) {
    if (status == CRD_OK) return;
    fprintf(stderr, "s3_crm: %s\n", crd_ledger_error(ledger)->message);
    exit(EXIT_FAILURE);
}

static const char *usd(int64_t minor) {
    static char texts[4][CRD_MONEY_TEXT];
    static unsigned next;
    char *text = texts[next++ % 4];
    ok(crd_money_format(minor, 2, text, CRD_MONEY_TEXT));
    return text;
}

/* A refusal is an answer: its name, and of an amount what is left. */
static void refused(const char *what, crd_status status) {
    int left = status == CRD_E_CREDIT_AMOUNT || status == CRD_E_STATE;
    printf("  refused: %s: %s%s%s\n", what, crd_status_name(status), left ? ", left " : "",
           left ? usd(crd_ledger_error(ledger)->limit) : "");
}

/* Who asks, and when: at noon UTC. */
static const crd_request *by(const char *actor, int32_t day, const char *note) {
    static crd_request request = {.struct_size = sizeof request};
    request.actor = actor, request.note = note;
    request.instant = MAY(day) * INT64_C(86400000000) + INT64_C(43200000000);
    return &request;
}

/* Who may do what is the host's to decide: a trainee may grant and apply, and nothing else. */
static int32_t CRD_CALL authorize(void *ctx, const crd_operation *o) {
    (void)ctx;
    return strcmp(o->actor, "trainee") == 0 && o->command != CRD_COMMAND_CREDIT_ISSUE &&
           o->command != CRD_COMMAND_CREDIT_APPLY;
}

static crd_status grant(int32_t day, const char *customer, uint32_t kind, const char *id, int64_t amount,
                        const char *source, const char *reason, int32_t expires, crd_credit **out) {
    crd_credit_terms terms = {.struct_size = sizeof terms, .kind = kind, .currency = "USD", .id = id, .amount = amount,
                              .source = source, .reason = reason, .expires = expires, .notes = "asked by telephone"};
    return crd_credit_issue(ledger, by("trainee", day, "granted"), customer, &terms, out);
}

static crd_status apply(int32_t day, crd_credit *credit, crd_invoice *invoice, int64_t amount, const char *reference) {
    crd_apply_terms terms = {.struct_size = sizeof terms, .amount = amount, .reference = reference};
    return crd_credit_apply(ledger, by("trainee", day, "as agreed"), credit, invoice, &terms, NULL);
}

static void totals_line(const crd_row *r) {
    const int64_t *sums = r->figures;
    printf("  %-10s %d active, %s left, %s issued, %s applied\n", r->source, (int)sums[CRD_TOTALS_ACTIVE],
           usd(sums[CRD_TOTALS_BALANCE]), usd(sums[CRD_TOTALS_ISSUED]), usd(sums[CRD_TOTALS_APPLIED]));
}

static void credit_line(const crd_row *r) {
    static const char *const states[] = {"", "active", "spent", "voided"};
    printf("  %-8s %-7s %5s of %5s, %s\n", r->id, states[r->credit->state], usd(r->credit->remaining),
           usd(r->credit->original), r->credit->reason);
}

static void history_line(const crd_row *r) {
    char date[CRD_DATE_TEXT];
    ok(crd_date_to_text(r->date, date, sizeof date));
    printf("  %s %-6s %5s %-8s by %s: %s\n", date, crd_entry_name(r->entry->type), usd(r->entry->amount),
           r->entry->reference, r->entry->actor, r->entry->note);
}

static void list(const char *title, crd_report_spec spec, void (*line)(const crd_row *)) {
    crd_report *report;
    const crd_row *row;
    spec.struct_size = sizeof spec, spec.currency = "USD";
    printf("%s\n", title);
    ok(crd_report_open(ledger, &spec, &report));
    while (ok(crd_report_next(report, &row)), row != NULL) line(row);
    crd_report_close(report);
}

int main(void) {
    crd_hooks hooks = {.struct_size = sizeof hooks, .authorize = authorize};
    crd_ledger_options options = {.struct_size = sizeof options, .hooks = &hooks};
    crd_invoice_terms due = {.struct_size = sizeof due, .kind = CRD_INVOICE_INVOICE, .currency = "USD", .total = 3000};
    crd_customer_change_terms off = {.struct_size = sizeof off, .set = CRD_SWITCH_FEATURE_OFF};
    crd_apply_terms ten = {.struct_size = sizeof ten, .amount = 1000, .reference = "chat 77"};
    crd_report_spec totals = {.report = CRD_REPORT_TOTALS, .date = MAY(31)};
    crd_memory *memory;
    crd_ledger *desk_2;
    crd_customer *customer;
    crd_credit *good, *promo, *owed, *oops, *theirs;
    crd_invoice *invoice;
    ok(crd_memory_new(NULL, &memory));
    options.storage = crd_memory_storage(memory);
    ok(crd_ledger_open(&options, &ledger));
    ok(crd_customer_add(ledger, by("lead", 1, NULL), "c-3001", NULL, &customer));

    ok(grant(2, "c-3001", CRD_CREDIT_GOODWILL, "good-1", 5000, "goodwill", "late delivery", MAY(62), &good));
    ok(grant(3, "c-3001", CRD_CREDIT_PROMOTIONAL, "promo-1", 2500, "promotion", "spring offer", MAY(32), &promo));
    ok(grant(4, "c-3001", CRD_CREDIT_REFUND_OWED, "owed-1", 4000, "refund", "paid twice", 0, &owed));
    ok(grant(4, "c-3001", CRD_CREDIT_GOODWILL, "oops", 50000, "goodwill", "a zero too many", 0, &oops));
    ok(crd_credit_delete(ledger, by("lead", 4, NULL), oops, 0, NULL));
    refused("nobody there", grant(5, "c-9999", CRD_CREDIT_GOODWILL, NULL, 100, NULL, "who?", 0, NULL));
    list("Totals", totals, totals_line);
    ok(crd_invoice_enter(ledger, by("lead", 6, NULL), "c-3001", &due, &invoice));
    ok(apply(7, good, invoice, 3000, "case 812")), ok(apply(8, owed, NULL, 4000, "web 5512"));
    refused("60.00 of good-1", apply(9, good, NULL, 6000, NULL));
    refused("1.00 of owed-1", apply(9, owed, NULL, 100, NULL));
    totals.by = CRD_BY_SOURCE, list("Totals by source", totals, totals_line);
    list("Active", (crd_report_spec){.report = CRD_REPORT_CREDITS, .states = 1u << CRD_CREDIT_ACTIVE}, credit_line);
    refused("a trainee voids", crd_credit_void(ledger, by("trainee", 10, NULL), good, 0, 0, NULL));
    ok(crd_credit_void(ledger, by("lead", 10, "account closed"), good, 0, 0, NULL));
    list("History of good-1", (crd_report_spec){.report = CRD_REPORT_HISTORY, .customer = "c-3001",
                                                .kind = CRD_KIND_CREDIT, .id = "good-1"}, history_line);
    ok(crd_ledger_open(&options, &desk_2)); /* another desk, on the same records, is quicker */
    ok(crd_credit_find(desk_2, "c-3001", "promo-1", &theirs));
    ok(crd_credit_apply(desk_2, by("trainee", 11, NULL), theirs, NULL, &ten, NULL));
    refused("20.00 of promo-1", apply(11, promo, NULL, 2000, NULL));
    ok(crd_credit_refresh(promo));
    printf("  the latest figure is %s\n", usd(crd_credit_get(promo)->remaining));
    ok(apply(11, promo, NULL, 500, NULL));
    ok(crd_customer_change(ledger, by("lead", 12, NULL), customer, &off, NULL));
    refused("switched off", grant(13, "c-3001", CRD_CREDIT_GOODWILL, NULL, 100, NULL, "sorry", 0, NULL));
    ok(crd_sweep(ledger, by("lead", 32, NULL), NULL, NULL)); /* what expires does so all the same */
    list("All", (crd_report_spec){.report = CRD_REPORT_CREDITS}, credit_line);
    totals.by = 0, totals.date = MAY(32), list("Totals", totals, totals_line);
    ok(crd_ledger_verify(ledger, NULL, NULL));
    crd_credit_free(good), crd_credit_free(promo), crd_credit_free(owed), crd_credit_free(oops);
    crd_credit_free(theirs), crd_invoice_free(invoice), crd_customer_free(customer);
    crd_ledger_close(desk_2), crd_ledger_close(ledger), crd_memory_free(memory);
}
