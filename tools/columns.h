/*
 * What the reports of <credit/report.h> are called, and the columns of their rows.
 *
 * A column has a name and is found, in this order, among
 *
 *   figures    the figures or buckets of the report, by their place in crd_row.figures or crd_row.buckets
 *   members    of crd_row itself, as far as the report fills them in
 *   fields     of the records a row points to, by the names that crd_record_fields() gives them: so every field of
 *              credit_record(3) can be a column, and a field of a later version is one without a change here
 *
 * A row may point to a credit or to an invoice; a field is looked up in whichever is there.
 */
#ifndef CREDITS_COLUMNS_H
#define CREDITS_COLUMNS_H

#include <credit.h>

#include "sheet.h"

#define BUCKETS (CRD_AGING_MAX_BOUNDS + 3)
#define NAME_SIZE 64

struct report_kind {
    const char *name;
    uint32_t report;
    uint32_t records;    /* kinds a row points to, as bits; of two that have a field the greater is asked */
    const char *members; /* of crd_row, beside customer, currency and id */
    const char *figures; /* '#' in front of one that counts documents */
    const char *columns; /* unless others are asked for; "@by", "@figures": whatever there is of them */
};

extern const struct report_kind report_kinds[];

/* The report of that name, or NULL. TAKINGS is two: single, and added up `by` something. */
const struct report_kind *report_kind_named(const char *name, uint32_t by);

/* One column, resolved. */
struct column {
    char name[NAME_SIZE];
    enum { OF_FIGURE, OF_BUCKET, OF_ROW, OF_RECORD } of;
    size_t at;                              /* number of the figure, offset of the member */
    uint32_t type;                          /* CRD_FIELD_… */
    const crd_field *field[CRD_KIND_COUNT]; /* by kind of record */
};

struct columns {
    struct column column[SHEET_COLUMNS];
    const char *heads[SHEET_COLUMNS];
    size_t count;
    char bucket[BUCKETS][NAME_SIZE]; /* names of the buckets of an aging */
    size_t buckets;
};

/* Names the buckets of an aging with these bounds. */
void columns_name_buckets(struct columns *columns, const int32_t *days, size_t count);

/* Resolves a list of names, separated by blanks or commas. Returns NULL, or the name that is no column of the report,
 * which stays valid as long as `columns`. */
const char *columns_resolve(struct columns *columns, const struct report_kind *kind, uint32_t by, const char *list);

/* Puts one row on the sheet. Amounts are written by the exponent that the ledger knows for the row's currency.
 * Returns what crd_ledger_exponent() does. */
crd_status columns_put(const struct columns *columns, crd_ledger *ledger, const crd_row *row, struct sheet *sheet);

/* The word for a number in a field such as `kind` or `state` of a kind of record, and the number of a word; NULL and 0
 * where there is none. */
const char *word_of(uint32_t record, const char *field, uint32_t number);
uint32_t number_of(uint32_t record, const char *field, const char *word, size_t size);

/* What a report may add up by: the bit of a word; 0 for another. */
uint32_t by_named(const char *word, size_t size);

#endif
