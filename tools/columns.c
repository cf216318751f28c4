/*
 * Reports and their columns. See columns.h.
 */
#include "columns.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define CREDIT CRD_KIND_BIT_CREDIT
#define INVOICE CRD_KIND_BIT_INVOICE
#define RECEIPT CRD_KIND_BIT_RECEIPT
#define ENTRY CRD_KIND_BIT_ENTRY

#define DUE "open overdue credit after overdue_after"
#define DUE_COLUMNS "customer currency @figures"
#define JOURNAL "customer currency seq instant business_date type amount credit invoice receipt actor note"

const struct report_kind report_kinds[] = {
    {"customers", CRD_REPORT_CUSTOMERS, CRD_KIND_BIT_CUSTOMER, "", "",
     "customer name category location parent created_at"},
    {"accounts", CRD_REPORT_ACCOUNTS, CRD_KIND_BIT_ACCOUNT, "amount expired", "",
     "customer currency invoice_open credit_remaining expired amount"},
    {"credits", CRD_REPORT_CREDITS, CREDIT, "state expired", "",
     "customer currency id kind state issued expires original applied remaining source reason"},
    {"invoices", CRD_REPORT_INVOICES, INVOICE, "", "", "customer currency id kind state issued due total applied open"},
    {"receipts", CRD_REPORT_RECEIPTS, RECEIPT, "", "",
     "customer currency id state received method amount applied credit"},
    {"open-items", CRD_REPORT_OPEN_ITEMS, CREDIT | INVOICE, "amount date", "",
     "customer currency id kind issued due amount"},
    {"history", CRD_REPORT_HISTORY, ENTRY, "", "", JOURNAL},
    {"aging", CRD_REPORT_AGING, 0, "amount", "", "customer currency @figures amount"},
    {"totals", CRD_REPORT_TOTALS, 0, "amount expired credit_class source state",
     "#active balance available #credits issued applied", "@by currency @figures"},
    {"credit-entries", CRD_REPORT_CREDIT_ENTRIES, ENTRY | CREDIT, "amount date what expired", "",
     "customer currency date what credit amount instant actor reason note"},
    {"occasions", CRD_REPORT_OCCASIONS, ENTRY | CREDIT, "amount date origin source what", "",
     "customer currency date what credit amount origin source"},
    {"payments", CRD_REPORT_PAYMENTS, RECEIPT | CREDIT, "amount date method expired", "credited current applied",
     "customer currency id date method @figures"},
    {"statement", CRD_REPORT_STATEMENT, ENTRY, "amount balance date what expired", "",
     "customer currency date what credit invoice amount balance"},
    {"overdue", CRD_REPORT_OVERDUE, 0, "amount", DUE, DUE_COLUMNS},
    {"due-after-credit", CRD_REPORT_DUE_AFTER_CREDIT, 0, "amount", DUE, DUE_COLUMNS},
    {"prescan", CRD_REPORT_PRESCAN, CREDIT | INVOICE | CRD_KIND_BIT_CUSTOMER, "amount date", "",
     "customer name currency id kind issued due amount"},
    {"revenue", CRD_REPORT_REVENUE, 0, "amount expired", "invoices finance_charges unearned", "@by currency @figures"},
    {"takings", CRD_REPORT_TAKINGS, RECEIPT | ENTRY, "amount date method reference", "",
     "currency date method customer receipt reference amount"},
    {"takings", CRD_REPORT_TAKINGS, 0, "amount date method", "received refunded reversed", "@by currency @figures"},
    {"roll-forward", CRD_REPORT_ROLL_FORWARD, 0, "amount expired credit_class source",
     "opening issued in applied refunded voided expired adjusted reversed out returned closing",
     "@by currency credit_class source @figures"},
    {"lines", CRD_REPORT_LINES, CRD_KIND_BIT_LINE, "", "",
     "customer id number sku text quantity unit_price amount tax ended_in"},
    {"unacknowledged", CRD_REPORT_UNACKNOWLEDGED, ENTRY | CRD_KIND_BIT_ACCOUNT, "", "", JOURNAL},
    {NULL, 0, 0, NULL, NULL, NULL},
};

const struct report_kind *report_kind_named(const char *name, uint32_t by) {
    const struct report_kind *kind = report_kinds;
    while (kind->name != NULL && strcmp(kind->name, name) != 0) kind++;
    if (kind->report == CRD_REPORT_TAKINGS && by != 0) kind++;
    return kind->name != NULL ? kind : NULL;
}

/* ---- words */

static const char *const credit_kinds[] = {
    "", "payment", "prepayment", "deposit", "overpayment", "unapplied-cash", "memo", "service", "allowance",
    "refund-owed", "reversed-invoice", "goodwill", "promotional", "loyalty", "referral", "adjustment", "opening", NULL};
static const char *const classes[] = {"", "cash", "memo", "promise", "adjustment", "opening", NULL};
static const char *const credit_states[] = {"", "active", "spent", "voided", NULL};
static const char *const invoice_kinds[] = {"", "invoice", "finance-charge", "debit-memo", "fee", NULL};
static const char *const invoice_states[] = {"", "draft", "open", "paid", "written-off", "voided", "cancelled", NULL};
static const char *const receipt_states[] = {"", "posted", "undone", "reversed", "deleted", NULL};
static const char *const causes[] = {"",          "applied",  "voided",    "expired",     "reversed",
                                     "deleted",   "refunded", "adjusted",  "transferred", "written-off",
                                     "cancelled", "undone",   "tolerance", "discount",    NULL};

static const struct {
    uint32_t records;
    const char *field;
    const char *const *words; /* by number, from 0 */
} vocabulary[] = {
    {CREDIT, "kind", credit_kinds},     {CREDIT, "stands_for", credit_kinds},
    {CREDIT, "credit_class", classes},  {CREDIT, "state", credit_states},
    {INVOICE, "kind", invoice_kinds},   {INVOICE, "state", invoice_states},
    {RECEIPT, "state", receipt_states}, {CREDIT | INVOICE | RECEIPT | ENTRY | CRD_KIND_BIT_HOLD, "cause", causes},
};

static const char *const *words_of(uint32_t record, const char *field) {
    for (size_t i = 0; i < sizeof vocabulary / sizeof *vocabulary; i++)
        if ((vocabulary[i].records >> record & 1) && strcmp(vocabulary[i].field, field) == 0)
            return vocabulary[i].words;
    return NULL;
}

const char *word_of(uint32_t record, const char *field, uint32_t number) {
    const char *const *words = words_of(record, field);
    if (record == CRD_KIND_ENTRY && strcmp(field, "type") == 0) return crd_entry_name(number);
    for (uint32_t i = 0; words != NULL && words[i] != NULL; i++)
        if (i == number) return words[i];
    return NULL;
}

static int same_word(const char *word, const char *text, size_t size) {
    return strlen(word) == size && strncmp(word, text, size) == 0;
}

uint32_t number_of(uint32_t record, const char *field, const char *word, size_t size) {
    const char *const *words = words_of(record, field);
    for (uint32_t i = 1; words != NULL && words[i] != NULL; i++)
        if (same_word(words[i], word, size)) return i;
    return 0;
}

static const struct {
    const char *word;
    uint32_t bit;
    const char *column;
} sums_by[] = {
    {"customer", CRD_BY_CUSTOMER, "customer"},
    {"class", CRD_BY_CLASS, "credit_class"},
    {"source", CRD_BY_SOURCE, "source"},
    {"state", CRD_BY_STATE, "state"},
    {"day", CRD_BY_DAY, "date"},
    {"method", CRD_BY_METHOD, "method"},
};

uint32_t by_named(const char *word, size_t size) {
    for (size_t i = 0; i < sizeof sums_by / sizeof *sums_by; i++)
        if (same_word(sums_by[i].word, word, size)) return sums_by[i].bit;
    return 0;
}

/* ---- resolving */

/* What crd_row has itself. `what` is no member: it tells the line of a report that has several kinds. */
#define MEMBER(name, type) {#name, type, offsetof(crd_row, name)}
static const struct {
    const char *name;
    uint32_t type;
    size_t offset;
} members[] = {
    MEMBER(customer, CRD_FIELD_TEXT),    MEMBER(currency, CRD_FIELD_TEXT),  MEMBER(id, CRD_FIELD_TEXT),
    MEMBER(amount, CRD_FIELD_MINOR),     MEMBER(date, CRD_FIELD_DATE),      MEMBER(balance, CRD_FIELD_MINOR),
    MEMBER(expired, CRD_FIELD_MINOR),    MEMBER(source, CRD_FIELD_TEXT),    MEMBER(origin, CRD_FIELD_TEXT),
    MEMBER(method, CRD_FIELD_TEXT),      MEMBER(reference, CRD_FIELD_TEXT), MEMBER(state, CRD_FIELD_U32),
    MEMBER(credit_class, CRD_FIELD_U32), {"what", CRD_FIELD_TEXT, 0},
};

void columns_name_buckets(struct columns *columns, const int32_t *days, size_t count) {
    for (size_t i = 0; i <= count; i++) {
        char *name = columns->bucket[i];
        if (i == 0 && days[0] == 0)
            snprintf(name, NAME_SIZE, "current");
        else if (i == 0)
            snprintf(name, NAME_SIZE, "to-%d", (int)days[0]);
        else if (i < count)
            snprintf(name, NAME_SIZE, "%d-%d", (int)days[i - 1] + 1, (int)days[i]);
        else
            snprintf(name, NAME_SIZE, "over-%d", (int)days[count - 1]);
    }
    snprintf(columns->bucket[count + 1], NAME_SIZE, "cash");
    snprintf(columns->bucket[count + 2], NAME_SIZE, "other-credit");
    columns->buckets = count + 3;
}

/* The next name of a list separated by blanks and commas; its length is 0 at the end. */
static size_t next_name(const char **list) {
    *list += strspn(*list, " ,");
    return strcspn(*list, " ,");
}

static int lists(const char *list, const char *name, size_t *place) {
    size_t size;
    for (*place = 0; (size = next_name(&list)) > 0; list += size, ++*place) {
        size_t sign = *list == '#';
        if (same_word(name, list + sign, size - sign)) return sign ? 2 : 1;
    }
    return 0;
}

static const crd_field *field_named(uint32_t record, const char *name) {
    uint64_t count = 0;
    const crd_field *const *fields = crd_record_fields(record, &count, NULL);
    for (uint64_t i = 0; i < count; i++)
        if (strcmp(fields[i]->name, name) == 0) return fields[i]->type != CRD_FIELD_BYTES ? fields[i] : NULL;
    return NULL;
}

static int resolve(const struct columns *columns, const struct report_kind *kind, struct column *column) {
    size_t place;
    int found = lists(kind->figures, column->name, &place);
    column->of = OF_FIGURE;
    column->at = place;
    column->type = found == 2 ? CRD_FIELD_I64 : CRD_FIELD_MINOR;
    if (found) return 1;
    column->of = OF_BUCKET;
    for (column->at = 0; kind->report == CRD_REPORT_AGING && column->at < columns->buckets; column->at++)
        if (strcmp(columns->bucket[column->at], column->name) == 0) return 1;
    column->of = OF_ROW;
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        column->at = members[i].offset;
        column->type = members[i].type;
        if (strcmp(members[i].name, column->name) == 0 &&
            (lists("customer currency id", column->name, &place) || lists(kind->members, column->name, &place)))
            return 1;
    }
    column->of = OF_RECORD;
    column->type = 0;
    for (uint32_t record = 1; record < CRD_KIND_COUNT; record++) {
        const crd_field *field = kind->records >> record & 1 ? field_named(record, column->name) : NULL;
        column->field[record] = field;
        if (field != NULL) column->type = field->type;
    }
    return column->type != 0;
}

static const char *add_column(struct columns *columns, const struct report_kind *kind, const char *name, size_t size) {
    struct column *column = &columns->column[columns->count];
    if (columns->count == SHEET_COLUMNS || size >= NAME_SIZE) return "too many";
    memcpy(column->name, name, size);
    column->name[size] = '\0';
    if (!resolve(columns, kind, column)) return column->name;
    columns->heads[columns->count++] = column->name;
    return NULL;
}

const char *columns_resolve(struct columns *columns, const struct report_kind *kind, uint32_t by, const char *list) {
    const char *wrong = NULL, *figures = kind->figures;
    size_t size;
    for (; wrong == NULL && (size = next_name(&list)) > 0; list += size) {
        if (same_word("@by", list, size)) {
            for (size_t i = 0; wrong == NULL && i < sizeof sums_by / sizeof *sums_by; i++)
                if (by & sums_by[i].bit)
                    wrong = add_column(columns, kind, sums_by[i].column, strlen(sums_by[i].column));
        } else if (same_word("@figures", list, size)) {
            for (size_t i = 0; wrong == NULL && kind->report == CRD_REPORT_AGING && i < columns->buckets; i++)
                wrong = add_column(columns, kind, columns->bucket[i], strlen(columns->bucket[i]));
            for (; wrong == NULL && (size = next_name(&figures)) > 0; figures += size)
                wrong = add_column(columns, kind, figures + (*figures == '#'), size - (*figures == '#'));
            size = strlen("@figures");
        } else {
            wrong = add_column(columns, kind, list, size);
        }
    }
    return wrong;
}

/* ---- cells */

static const void *record_of(const crd_row *row, uint32_t record) {
    switch (record) {
    case CRD_KIND_ACCOUNT: return row->account;
    case CRD_KIND_CUSTOMER: return row->customer_record;
    case CRD_KIND_CREDIT: return row->credit;
    case CRD_KIND_INVOICE: return row->invoice;
    case CRD_KIND_RECEIPT: return row->receipt;
    case CRD_KIND_LINE: return row->document_line;
    case CRD_KIND_ENTRY: return row->entry;
    default: return NULL;
    }
}

static const char *what_of(const crd_row *row) {
    static const char *const lines[] = {"", "opening", "expired", "closing"};
    if (row->line == CRD_LINE_ENTRY) return row->entry != NULL ? crd_entry_name(row->entry->type) : NULL;
    return row->line < sizeof lines / sizeof *lines ? lines[row->line] : "?";
}

static void put_hash(struct sheet *sheet, const uint8_t *hash) {
    char text[2 * 32 + 1];
    for (size_t i = 0; i < 32; i++) snprintf(text + 2 * i, 3, "%02x", (unsigned)hash[i]);
    sheet_cell(sheet, SHEET_TEXT, text);
}

/* One value at `at`, of a field's type. */
static void put_value(struct sheet *sheet, uint32_t type, int32_t exponent, const char *word, const void *at) {
    char text[CRD_MONEY_TEXT + CRD_INSTANT_TEXT];
    const char *string = "";
    int64_t wide = 0;
    int32_t narrow = 0;
    memcpy(&narrow, at, sizeof narrow);
    if (type != CRD_FIELD_U32 && type != CRD_FIELD_I32 && type != CRD_FIELD_DATE) memcpy(&wide, at, sizeof wide);
    *text = '\0';
    switch (type) {
    case CRD_FIELD_TEXT:
        memcpy(&string, at, sizeof string);
        sheet_cell(sheet, SHEET_TEXT, *string != '\0' ? string : NULL);
        return;
    case CRD_FIELD_MINOR:
        crd_money_format(wide, exponent, text, sizeof text);
        sheet_cell(sheet, SHEET_AMOUNT, text);
        return;
    case CRD_FIELD_DATE: crd_date_to_text(narrow, text, sizeof text); break;
    case CRD_FIELD_INSTANT: crd_instant_to_text(wide, text, sizeof text); break;
    case CRD_FIELD_U32: snprintf(text, sizeof text, "%lu", (unsigned long)(uint32_t)narrow); break;
    case CRD_FIELD_I32: snprintf(text, sizeof text, "%ld", (long)narrow); break;
    case CRD_FIELD_U64: snprintf(text, sizeof text, "%llu", (unsigned long long)(uint64_t)wide); break;
    default: snprintf(text, sizeof text, "%lld", (long long)wide); break;
    }
    if (word != NULL)
        sheet_cell(sheet, SHEET_TEXT, *word ? word : NULL);
    else if (type == CRD_FIELD_DATE || type == CRD_FIELD_INSTANT)
        sheet_cell(sheet, SHEET_TEXT, *text ? text : NULL);
    else
        sheet_cell(sheet, SHEET_NUMBER, text);
}

/* Quantities and prices of lines are kept in thousandths. How many decimals that makes; -1: it is no such field. */
static int32_t thousandths(uint32_t kind, const char *name, int32_t exponent) {
    if (kind != CRD_KIND_LINE) return -1;
    if (strcmp(name, "quantity") == 0) return 3;
    return strcmp(name, "unit_price") == 0 && exponent + 3 <= CRD_MONEY_MAX_EXPONENT ? exponent + 3 : -1;
}

/* A field of the first record there is that has it, of those that an older library wrote what it knew. */
static void put_field(struct sheet *sheet, const struct column *column, int32_t exponent, const crd_row *row) {
    for (uint32_t kind = CRD_KIND_COUNT - 1; kind > 0; kind--) {
        const crd_field *field = column->field[kind];
        const char *record = field != NULL ? record_of(row, kind) : NULL;
        uint32_t size = 0, number;
        if (record != NULL) memcpy(&size, record, sizeof size);
        if (record == NULL || field->offset >= size) continue;
        memcpy(&number, record + field->offset, sizeof number);
        if (field->type == CRD_FIELD_HASH)
            put_hash(sheet, (const uint8_t *)record + field->offset);
        else if (thousandths(kind, column->name, exponent) >= 0)
            put_value(sheet, CRD_FIELD_MINOR, thousandths(kind, column->name, exponent), NULL, record + field->offset);
        else
            put_value(sheet, field->type, exponent,
                      field->type == CRD_FIELD_U32 ? word_of(kind, column->name, number) : NULL,
                      record + field->offset);
        return;
    }
    sheet_cell(sheet, column->type == CRD_FIELD_MINOR ? SHEET_AMOUNT : SHEET_TEXT, NULL);
}

crd_status columns_put(const struct columns *columns, crd_ledger *ledger, const crd_row *row, struct sheet *sheet) {
    int32_t exponent = 0;
    if (row->currency != NULL && *row->currency != '\0') {
        crd_status status = crd_ledger_exponent(ledger, row->currency, &exponent);
        if (status != CRD_OK) return status;
    }
    for (size_t i = 0; i < columns->count; i++) {
        const struct column *column = &columns->column[i];
        const char *at = (const char *)row + column->at;
        uint32_t number;
        if (column->of == OF_FIGURE) {
            put_value(sheet, column->type, exponent, NULL, &row->figures[column->at]);
        } else if (column->of == OF_BUCKET) {
            put_value(sheet, CRD_FIELD_MINOR, exponent, NULL, &row->buckets[column->at]);
        } else if (column->of == OF_RECORD) {
            put_field(sheet, column, exponent, row);
        } else if (strcmp(column->name, "what") == 0) {
            sheet_cell(sheet, SHEET_TEXT, what_of(row));
        } else {
            memcpy(&number, at, sizeof number);
            put_value(sheet, column->type, exponent,
                      column->type == CRD_FIELD_U32 ? word_of(CRD_KIND_CREDIT, column->name, number) : NULL, at);
        }
    }
    return CRD_OK;
}
