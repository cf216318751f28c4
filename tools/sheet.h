/*
 * A sheet: rows that the program `credits` prints, as a table for people or as an object of JSON per line for programs.
 *
 * Invariants:
 * 1. Both forms have the same columns: the head of the table's column is the name of the object's member.
 * 2. A table is printed when the sheet ends, because its columns are as wide as what stands in them; JSON at once.
 * 3. No byte of a cell moves the cursor of a terminal: what a customer is called is not the house's to choose.
 */
#ifndef CREDITS_SHEET_H
#define CREDITS_SHEET_H

#include <stddef.h>

#define SHEET_COLUMNS 64

/* What a cell is. Amounts are text in JSON too, "12.30": no reader of numbers may round them. */
enum sheet_type { SHEET_TEXT, SHEET_NUMBER, SHEET_AMOUNT };

struct sheet {
    int json;
    const char *const *heads;
    size_t columns;
    size_t column; /* the one that comes next */
    size_t rows;
    size_t width[SHEET_COLUMNS]; /* in places of a terminal */
    int right[SHEET_COLUMNS];    /* columns of numbers and amounts */
    char *cells;                 /* row after row, each cell ended by a NUL */
    size_t size, capacity;
};

/* Begins one with these columns, at most SHEET_COLUMNS; `heads` must live as long as the sheet. */
void sheet_begin(struct sheet *sheet, int json, const char *const *heads, size_t columns);

/* The next cell. NULL is what there is nothing to tell of: null in JSON. */
void sheet_cell(struct sheet *sheet, enum sheet_type type, const char *text);

/* Prints what is left to print, and frees it. */
void sheet_end(struct sheet *sheet);

#endif
