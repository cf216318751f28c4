/*
 * Printing a sheet. See sheet.h.
 */
#include "sheet.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void sheet_begin(struct sheet *sheet, int json, const char *const *heads, size_t columns) {
    memset(sheet, 0, sizeof *sheet);
    sheet->json = json;
    sheet->heads = heads;
    sheet->columns = columns;
}

/* How many places a text takes on a terminal: two for a character of East Asia (and whatever else begins with the same
 * byte), one for any other. */
static size_t width_of(const char *text) {
    size_t width = 0;
    for (; *text; text++) {
        unsigned char byte = (unsigned char)*text;
        if ((byte & 0xc0u) != 0x80u) width += (byte >= 0xe3 && byte <= 0xed) || byte == 0xf0 ? 2 : 1;
    }
    return width;
}

static void json_text(const char *text) {
    putchar('"');
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            printf("\\%c", *text);
        else if ((unsigned char)*text < 0x20)
            printf("\\u%04x", (unsigned)*text);
        else
            putchar(*text);
    }
    putchar('"');
}

static void json_cell(struct sheet *sheet, enum sheet_type type, const char *text) {
    putchar(sheet->column == 0 ? '{' : ',');
    json_text(sheet->heads[sheet->column]);
    putchar(':');
    if (text == NULL)
        fputs("null", stdout);
    else if (type == SHEET_NUMBER)
        fputs(text, stdout);
    else
        json_text(text);
    if (sheet->column + 1 == sheet->columns) fputs("}\n", stdout);
}

static void keep_cell(struct sheet *sheet, const char *text) {
    size_t size = strlen(text) + 1, i;
    unsigned char *cell;
    if (sheet->capacity - sheet->size < size) {
        size_t capacity = sheet->capacity * 2 + size + 4096;
        char *more = realloc(sheet->cells, capacity);
        if (more == NULL) {
            fputs("credits: out of memory\n", stderr);
            exit(1);
        }
        sheet->cells = more;
        sheet->capacity = capacity;
    }
    cell = memcpy(sheet->cells + sheet->size, text, size);
    for (i = 0; i + 1 < size; i++) {
        if (cell[i] < 0x20 || cell[i] == 0x7f) cell[i] = ' ';
        if (cell[i] == 0xc2 && cell[i + 1] >= 0x80 && cell[i + 1] < 0xa0) cell[i] = cell[i + 1] = ' ';
    }
    sheet->size += size;
}

void sheet_cell(struct sheet *sheet, enum sheet_type type, const char *text) {
    size_t at = sheet->column, width;
    if (sheet->json) {
        json_cell(sheet, type, text);
    } else {
        keep_cell(sheet, text != NULL ? text : "");
        width = text != NULL ? width_of(text) : 0;
        if (width > sheet->width[at]) sheet->width[at] = width;
        if (type != SHEET_TEXT) sheet->right[at] = 1;
    }
    sheet->column = (at + 1) % sheet->columns;
    if (sheet->column == 0) sheet->rows++;
}

static void print_padded(const struct sheet *sheet, size_t column, const char *text) {
    size_t pad = sheet->width[column] - width_of(text);
    if (column > 0) fputs("  ", stdout);
    if (sheet->right[column]) printf("%*s", (int)pad, "");
    fputs(text, stdout);
    if (column + 1 == sheet->columns)
        putchar('\n');
    else if (!sheet->right[column])
        printf("%*s", (int)pad, "");
}

void sheet_end(struct sheet *sheet) {
    const char *cell = sheet->cells;
    size_t row, column;
    for (column = 0; column < sheet->columns; column++)
        if (width_of(sheet->heads[column]) > sheet->width[column])
            sheet->width[column] = width_of(sheet->heads[column]);
    for (column = 0; sheet->rows > 0 && !sheet->json && column < sheet->columns; column++)
        print_padded(sheet, column, sheet->heads[column]);
    for (row = 0; !sheet->json && row < sheet->rows; row++)
        for (column = 0; column < sheet->columns; column++, cell += strlen(cell) + 1) print_padded(sheet, column, cell);
    free(sheet->cells);
    memset(sheet, 0, sizeof *sheet);
}
