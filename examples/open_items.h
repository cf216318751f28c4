/*
 * Open items from a CSV file, checked: what reconcile_csv reads, apart from what it does with it.
 *
 * The file has a header and the columns customer, document, kind, issued, due, currency and amount_minor, in
 * any order and among others. A row is checked against the rules of its columns, and against the other items:
 * those of the rows before it, and those of the book, if the program adds them first. A row that repeats an
 * item in every field is no mistake and counts as nothing; one that says otherwise of it is bad.
 *
 * Every bad row is reported on stderr as FILE:LINE: field FIELD: reason, with the first field that is wrong.
 */
#ifndef EXAMPLES_OPEN_ITEMS_H
#define EXAMPLES_OPEN_ITEMS_H

#include <credit.h>
#include <errno.h>

#include "csv.h"

enum { CUSTOMER, DOCUMENT, KIND, ISSUED, DUE, CURRENCY, AMOUNT, COLUMNS };
static const char *const columns[COLUMNS] = {"customer", "document", "kind",        "issued",
                                             "due",      "currency", "amount_minor"};

/* What the kinds of the file are in the ledger. A deposit is taken for an order and used by hand only. */
static const struct kind {
    const char *name;
    const char *words;
    uint32_t side; /* CRD_KIND_INVOICE or CRD_KIND_CREDIT */
    uint32_t kind;
    uint32_t flags;
} kinds[] = {
    {"invoice", "invoice", CRD_KIND_INVOICE, CRD_INVOICE_INVOICE, 0},
    {"finance_charge", "finance charge", CRD_KIND_INVOICE, CRD_INVOICE_FINANCE_CHARGE, 0},
    {"debit_memo", "debit memo", CRD_KIND_INVOICE, CRD_INVOICE_DEBIT_MEMO, 0},
    {"order", "order", CRD_KIND_INVOICE, CRD_INVOICE_INVOICE, CRD_INVOICE_AS_DRAFT},
    {"credit_memo", "credit memo", CRD_KIND_CREDIT, CRD_CREDIT_MEMO, 0},
    {"payment", "payment", CRD_KIND_CREDIT, CRD_CREDIT_PAYMENT, 0},
    {"deposit", "deposit", CRD_KIND_CREDIT, CRD_CREDIT_DEPOSIT, CRD_FLAG_RESERVED},
    {"goodwill", "goodwill", CRD_KIND_CREDIT, CRD_CREDIT_GOODWILL, 0},
    {"promotional", "promotional", CRD_KIND_CREDIT, CRD_CREDIT_PROMOTIONAL, 0},
};
enum { INVOICE = 0, ORDER = 3, KINDS = sizeof kinds / sizeof kinds[0] };

/* A document: of the file, or (line 0) of the book before the import. Where only the name counts it also
 * stands for a customer (CRD_KIND_CUSTOMER) or an account (CRD_KIND_ACCOUNT; document: the currency). */
struct item {
    const char *customer;
    const char *document;
    const char *currency;
    int64_t amount;
    uint32_t line;
    int32_t issued;
    int32_t due;
    uint16_t side;
    uint16_t kind; /* index into kinds; KINDS: another */
};

/* A set of items by side, customer and document: open addressing, 2^n slots, at most half full. */
struct index {
    struct item **slots;
    size_t slot_count;
    size_t count;
};

/* Memory that is given back as a whole. */
struct pool {
    struct pool_block {
        struct pool_block *next;
    } *blocks;
    char *free;
    size_t left;
};

enum { CREDITS, INVOICES, SIDES };

struct currency {
    char code[4];
    int32_t exponent;
    int64_t sums[SIDES];     /* of all items but orders, to know that no sum can overflow */
    struct outcome *outcome; /* the program's own */
};

struct open_items {
    const char *path;
    struct csv csv;
    size_t column[COLUMNS]; /* which cell of a row it is */
    char **heads;           /* names of the file's columns */
    size_t head_count;
    char reason[200];
    unsigned long rows, bad, repeated;
    int32_t latest; /* latest date of issue in the file; without rows, in the book */
    struct pool pool;
    struct index index;
    struct item **items; /* the file's, less what repeats another */
    size_t item_count, item_capacity;
    struct currency *currencies[256]; /* in the order of their codes */
    size_t currency_count;
};

/* Says why the program cannot go on, and ends it. */
static void give_up(const char *what, const char *why) {
    fflush(stdout);
    fprintf(stderr, "%s%s%s\n", what, why && *why ? ": " : "", why ? why : "");
    exit(1);
}

static void *grow(void *block, size_t size) {
    block = realloc(block, size);
    if (!block)
        give_up("out of memory", NULL);
    return block;
}

static void *pool_take(struct pool *pool, size_t size) {
    void *taken;

    size = (size + 15) & ~(size_t)15;
    if (size > pool->left) {
        size_t room = size > 262144 ? size : 262144;
        struct pool_block *block = grow(NULL, room + 16);

        block->next = pool->blocks;
        pool->blocks = block;
        pool->free = (char *)block + 16;
        pool->left = room;
    }
    taken = pool->free;
    pool->free += size;
    pool->left -= size;
    return taken;
}

static const char *pool_text(struct pool *pool, const char *text) {
    size_t size = strlen(text) + 1;

    return memcpy(pool_take(pool, size), text, size);
}

static void pool_free(struct pool *pool) {
    while (pool->blocks) {
        struct pool_block *next = pool->blocks->next;

        free(pool->blocks);
        pool->blocks = next;
    }
}

/* The slot where an item of that name is, or where it belongs. */
static struct item **index_slot(const struct index *index, const struct item *item) {
    uint64_t hash = UINT64_C(14695981039346656037) ^ item->side; /* FNV-1a */
    const char *s;
    size_t i;

    for (s = item->customer; *s; s++)
        hash = (hash ^ (unsigned char)*s) * UINT64_C(1099511628211);
    hash *= UINT64_C(1099511628211);
    for (s = item->document; *s; s++)
        hash = (hash ^ (unsigned char)*s) * UINT64_C(1099511628211);
    hash ^= hash >> 32;
    for (i = (size_t)hash & (index->slot_count - 1); index->slots[i]; i = (i + 1) & (index->slot_count - 1)) {
        const struct item *other = index->slots[i];

        if (other->side == item->side && strcmp(other->document, item->document) == 0
            && strcmp(other->customer, item->customer) == 0)
            break;
    }
    return &index->slots[i];
}

static const struct item *index_find(const struct index *index, const struct item *item) {
    return index->slot_count ? *index_slot(index, item) : NULL;
}

/* Adds a copy of an item unless there is one of that name; its texts are not copied. NULL if there was. */
static struct item *index_add(struct open_items *file, const struct item *item) {
    struct index *index = &file->index;
    struct item **slot;

    if (2 * (index->count + 1) > index->slot_count) {
        struct index bigger = {NULL, index->slot_count ? 2 * index->slot_count : 1024, index->count};
        size_t i;

        bigger.slots = grow(NULL, bigger.slot_count * sizeof *bigger.slots);
        memset(bigger.slots, 0, bigger.slot_count * sizeof *bigger.slots);
        for (i = 0; i < index->slot_count; i++)
            if (index->slots[i])
                *index_slot(&bigger, index->slots[i]) = index->slots[i];
        free(index->slots);
        *index = bigger;
    }
    slot = index_slot(index, item);
    if (*slot)
        return NULL;
    *slot = pool_take(&file->pool, sizeof **slot);
    **slot = *item;
    index->count++;
    return *slot;
}

/* The currency of that code, or NULL when there is none. They are kept in the order of their codes. */
static struct currency *currency_of(struct open_items *file, const char *code) {
    struct currency *currency;
    int32_t exponent;
    size_t i, at = file->currency_count;

    for (i = 0; i < file->currency_count; i++) {
        int order = strcmp(file->currencies[i]->code, code);

        if (order == 0)
            return file->currencies[i];
        if (order > 0 && at == file->currency_count)
            at = i;
    }
    if (crd_currency_exponent(code, &exponent) != CRD_OK || strlen(code) != 3)
        return NULL;
    if (file->currency_count == sizeof file->currencies / sizeof file->currencies[0])
        give_up("too many currencies", NULL);
    currency = grow(NULL, sizeof *currency);
    memset(currency, 0, sizeof *currency);
    memcpy(currency->code, code, 4);
    currency->exponent = exponent;
    memmove(file->currencies + at + 1, file->currencies + at, (file->currency_count - at) * sizeof currency);
    file->currencies[at] = currency;
    file->currency_count++;
    return currency;
}

static void report_row(struct open_items *file, unsigned long line, size_t field, const char *why) {
    if (field < file->head_count)
        fprintf(stderr, "%s:%lu: field %s: %s\n", file->path, line, file->heads[field], why);
    else
        fprintf(stderr, "%s:%lu: field %lu: %s\n", file->path, line, (unsigned long)field + 1, why);
    file->bad++;
}

/* A reason that shows the cell, if it can be shown in a line. */
static const char *quoting(struct open_items *file, const struct csv_cell *cell, const char *why) {
    if (cell->size > 40 || csv_has_control(cell->text, cell->size))
        return why;
    snprintf(file->reason, sizeof file->reason, "'%s' %s", cell->text, why);
    return file->reason;
}

static const char *check_id(const struct csv_cell *cell) {
    if (cell->size > CRD_MAX_ID)
        return "is longer than 63 bytes";
    if (csv_has_control(cell->text, cell->size))
        return "has a control character";
    return cell->text[0] == '~' ? "begins with ~, which is kept for the library's own ids" : NULL;
}

static const char *check_date(struct open_items *file, const struct csv_cell *cell, int32_t *out) {
    if (strlen(cell->text) != cell->size || crd_date_from_text(cell->text, out) != CRD_OK)
        return quoting(file, cell, "is not a date (YYYY-MM-DD, 1970-01-02 or later)");
    return NULL;
}

static const char *check_amount(struct open_items *file, const struct csv_cell *cell, struct item *item) {
    size_t i = cell->text[0] == '-';

    item->amount = 0;
    if (i == cell->size)
        return quoting(file, cell, "is not a whole number of minor units");
    for (; i < cell->size; i++) {
        int digit = cell->text[i] - '0';

        if (digit < 0 || digit > 9)
            return quoting(file, cell, "is not a whole number of minor units");
        if (item->amount > CRD_MAX_AMOUNT / 10)
            item->amount = CRD_MAX_AMOUNT + 1;
        else
            item->amount = item->amount * 10 + digit;
    }
    if (cell->text[0] == '-')
        return quoting(file, cell, "is negative; the kind says which side it is on");
    if (item->amount > CRD_MAX_AMOUNT)
        return quoting(file, cell, "overflows: an amount is at most 4000000000000000000");
    return item->amount == 0 && item->side == CRD_KIND_CREDIT ? "a credit of zero" : NULL;
}

/* Checks one cell and puts what it says into the item. NULL: it is good. */
static const char *check_cell(struct open_items *file, int column, const struct csv_cell *cell,
                              struct item *item) {
    const struct currency *currency;
    uint16_t kind;

    if (cell->size == 0)
        return column == DUE ? NULL : "is empty";
    switch (column) {
    case CUSTOMER:
        item->customer = cell->text;
        return check_id(cell);
    case DOCUMENT:
        item->document = cell->text;
        return check_id(cell);
    case KIND:
        for (kind = 0; kind < KINDS && strcmp(kinds[kind].name, cell->text) != 0; kind++) {}
        if (kind == KINDS || strlen(cell->text) != cell->size)
            return quoting(file, cell, "is not a kind of document");
        item->kind = kind;
        item->side = (uint16_t)kinds[kind].side;
        return NULL;
    case ISSUED:
        return check_date(file, cell, &item->issued);
    case DUE:
        return check_date(file, cell, &item->due);
    case CURRENCY:
        currency = strlen(cell->text) == cell->size ? currency_of(file, cell->text) : NULL;
        item->currency = currency ? currency->code : "";
        return currency ? NULL : quoting(file, cell, "is not a known currency");
    default:
        return check_amount(file, cell, item);
    }
}

/* Checks the row just read. NULL: it is good; else the reason, and which field. */
static const char *check_row(struct open_items *file, struct item *item, size_t *field) {
    const struct csv *csv = &file->csv;
    int column;

    *field = csv->problem_cell;
    if (csv->problem)
        return csv->problem;
    for (*field = 0; *field < csv->count; ++*field)
        if (!csv_is_utf8(csv->cells[*field].text, csv->cells[*field].size))
            return "is not UTF-8";
    *field = file->head_count;
    if (csv->count > file->head_count)
        return "the header has no column for it";
    for (column = 0; column < COLUMNS; column++) {
        const char *why;

        *field = file->column[column];
        why = *field < csv->count ? check_cell(file, column, &csv->cells[*field], item) : "is missing";
        if (why)
            return why;
    }
    if (item->side == CRD_KIND_CREDIT)
        item->due = 0; /* money owed to the customer is never due */
    return NULL;
}

/* The first column in which two rows about one document differ, or COLUMNS. An order of the book that was
 * posted since is the invoice it became, dated the day of that. */
static int difference(const struct item *first, const struct item *again) {
    int posted = first->line == 0 && first->kind == INVOICE && again->kind == ORDER;

    if (first->kind != again->kind && !posted)
        return KIND;
    if (first->issued != again->issued && !posted)
        return ISSUED;
    if (first->due != again->due)
        return DUE;
    if (strcmp(first->currency, again->currency) != 0)
        return CURRENCY;
    return first->amount != again->amount ? AMOUNT : COLUMNS;
}

/* Checks an item against the others, and adds it to them if it is new. NULL: it is good. */
static const char *check_item(struct open_items *file, const struct item *item, size_t *field) {
    const struct item *first = index_find(&file->index, item);
    int side = item->side == CRD_KIND_INVOICE ? INVOICES : CREDITS;
    int64_t *sum = &currency_of(file, item->currency)->sums[side];

    if (first) {
        int column = difference(first, item);

        if (column == COLUMNS) {
            file->repeated++;
            return NULL;
        }
        *field = file->column[column];
        if (!first->line)
            return "the book says otherwise of this document";
        snprintf(file->reason, sizeof file->reason, "line %lu says otherwise of this document",
                 (unsigned long)first->line);
        return file->reason;
    }
    if (item->kind != ORDER && *sum > INT64_MAX - item->amount) {
        *field = file->column[AMOUNT];
        return "overflows: this side of the book would add up to more than 64 bits hold";
    }
    if (item->kind != ORDER)
        *sum += item->amount;
    if (file->item_count == file->item_capacity) {
        file->item_capacity = 2 * file->item_capacity + 1024;
        file->items = grow(file->items, file->item_capacity * sizeof(struct item *));
    }
    file->items[file->item_count++] = index_add(file, item);
    return NULL;
}

static void read_header(struct open_items *file) {
    static char unreadable[] = "?";
    struct csv *csv = &file->csv;
    size_t i;
    int column;

    if (csv_next(csv) <= 0 || csv->problem) {
        report_row(file, csv->line, csv->problem_cell, csv->problem ? csv->problem : "the header is missing");
        exit(1);
    }
    file->heads = grow(NULL, csv->count * sizeof *file->heads);
    file->head_count = csv->count;
    for (i = 0; i < csv->count; i++) {
        file->heads[i] = csv->cells[i].text;
        if (!csv_is_utf8(csv->cells[i].text, csv->cells[i].size)
            || csv_has_control(csv->cells[i].text, csv->cells[i].size)) {
            file->heads[i] = unreadable;
            report_row(file, csv->line, i, "the header is not text");
        }
    }
    for (column = 0; column < COLUMNS; column++) {
        for (i = 0; i < csv->count && strcmp(file->heads[i], columns[column]) != 0; i++) {}
        file->column[column] = i;
        if (i == csv->count) {
            fprintf(stderr, "%s:%lu: field %s: the header does not have it\n", file->path, csv->line,
                    columns[column]);
            file->bad++;
        }
        for (i++; i < csv->count; i++)
            if (strcmp(file->heads[i], columns[column]) == 0)
                report_row(file, csv->line, i, "the header has it twice");
    }
    if (file->bad)
        exit(1);
}

/* Checks every row, and collects what is new. */
static void open_items_read(struct open_items *file) {
    struct csv *csv = &file->csv;
    int32_t latest = 0;
    int got;

    if (csv_open(csv, file->path) != 0)
        give_up(file->path, strerror(errno));
    read_header(file);
    while ((got = csv_next(csv)) > 0) {
        struct item item;
        size_t field;
        const char *why;

        memset(&item, 0, sizeof item);
        item.line = (uint32_t)csv->line;
        file->rows++;
        why = check_row(file, &item, &field);
        if (!why)
            why = check_item(file, &item, &field);
        if (why)
            report_row(file, csv->line, field, why);
        else if (item.issued > latest)
            latest = item.issued;
    }
    if (got < 0)
        give_up("out of memory", NULL);
    if (latest > 0)
        file->latest = latest;
}

static void open_items_free(struct open_items *file) {
    size_t i;

    for (i = 0; i < file->currency_count; i++)
        free(file->currencies[i]);
    free(file->items);
    free(file->heads);
    free(file->index.slots);
    pool_free(&file->pool);
    csv_free(&file->csv);
}

#endif
