/*
 * Tables of text for people, for the examples: columns as wide as what stands in them, numbers to the right.
 *
 * A table keeps all its rows, or only so many as are shown of a long one, and says how many it left out.
 */
#ifndef EXAMPLES_TABLE_H
#define EXAMPLES_TABLE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TABLE_COLUMNS 10
#define TABLE_WHOLE 40 /* a table of up to so many rows is shown whole, */
#define TABLE_HEAD 20  /* of a longer one this many rows */

struct table {
    size_t columns;
    const char *heads[TABLE_COLUMNS]; /* a head that begins with '>' is that of a column of numbers */
    char **cells;                     /* columns × kept */
    size_t kept;
    size_t capacity; /* in rows */
    unsigned long rows;
    int all; /* keep and show every row */
};

static void table_begin(struct table *table, int all, const char *const *heads) {
    memset(table, 0, sizeof *table);
    table->all = all;
    while (heads[table->columns]) {
        table->heads[table->columns] = heads[table->columns];
        table->columns++;
    }
}

/* Adds a row; the cells are copied. Returns 0, or -1 without memory. */
static int table_row(struct table *table, const char *const *cells) {
    size_t i;

    table->rows++;
    if (!table->all && table->kept >= TABLE_WHOLE)
        return 0;
    if (table->kept == table->capacity) {
        size_t capacity = table->capacity * 2 + 16;
        char **more = realloc(table->cells, capacity * table->columns * sizeof *more);

        if (!more)
            return -1;
        table->cells = more;
        table->capacity = capacity;
    }
    for (i = 0; i < table->columns; i++) {
        char *copy = malloc(strlen(cells[i]) + 1);

        if (!copy) {
            while (i > 0)
                free(table->cells[table->kept * table->columns + --i]);
            return -1;
        }
        table->cells[table->kept * table->columns + i] = strcpy(copy, cells[i]);
    }
    table->kept++;
    return 0;
}

/* How many places a text takes on a terminal: two for a character of East Asia (and whatever else begins with
 * the same byte), one for any other. Combining characters are not looked for. */
static size_t table_width(const char *text) {
    size_t width = 0;

    for (; *text; text++) {
        unsigned char byte = (unsigned char)*text;

        if ((byte & 0xc0u) != 0x80u)
            width += (byte >= 0xe3 && byte <= 0xed) || byte == 0xf0 ? 2 : 1;
    }
    return width;
}

static void table_line(FILE *file, const struct table *table, const char *const *cells,
                       const size_t *widths) {
    size_t i, pad;

    for (i = 0; i < table->columns; i++) {
        int number = table->heads[i][0] == '>';
        const char *cell = cells == table->heads ? cells[i] + number : cells[i];
        int last = i + 1 == table->columns;

        fputs("  ", file);
        for (pad = widths[i] - table_width(cell); number && pad > 0; pad--)
            putc(' ', file);
        fputs(cell, file);
        for (; !last && pad > 0; pad--)
            putc(' ', file);
    }
    putc('\n', file);
}

static void table_print(FILE *file, const struct table *table) {
    size_t widths[TABLE_COLUMNS] = {0}, shown = table->rows == table->kept ? table->kept : TABLE_HEAD, row, i;

    for (i = 0; i < table->columns; i++) {
        widths[i] = table_width(table->heads[i]) - (table->heads[i][0] == '>');
        for (row = 0; row < shown; row++) {
            size_t width = table_width(table->cells[row * table->columns + i]);

            if (width > widths[i])
                widths[i] = width;
        }
    }
    table_line(file, table, table->heads, widths);
    for (row = 0; row < shown; row++)
        table_line(file, table, (const char *const *)table->cells + row * table->columns, widths);
    if (shown < table->rows)
        fprintf(file, "  … and %lu more (--all shows them)\n", table->rows - (unsigned long)shown);
}

static void table_free(struct table *table) {
    size_t i;

    for (i = 0; i < table->kept * table->columns; i++)
        free(table->cells[i]);
    free(table->cells);
    memset(table, 0, sizeof *table);
}

#endif
