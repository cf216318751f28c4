/*
 * Reading a CSV file, for the examples: RFC 4180, UTF-8, LF or CRLF, with or without a byte order mark.
 *
 * The file is read whole and taken apart in place: a cell is a NUL-terminated text inside csv.bytes and
 * stays valid until csv_free(). A *row* is what the file's author meant by one: a quoted cell may hold line
 * ends, so a row may be several *lines*; its line is the one it begins on.
 *
 * A row with wrong quotes has no cells but a problem. It ends with its first line: a quote that is never
 * closed must not swallow the good rows behind it.
 */
#ifndef EXAMPLES_CSV_H
#define EXAMPLES_CSV_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CSV_ROW_MAX 1048576 /* bytes of one row: what a forgotten quote can cost at most */

struct csv_cell {
    char *text;
    size_t size; /* more than strlen(text) when the file has a NUL in it */
};

struct csv {
    char *bytes;
    size_t size;
    size_t at;               /* where the next row begins */
    unsigned long next_line; /* and on which line */
    unsigned long line;      /* line of the row just read, from 1 */
    const char *problem;     /* what is wrong with its quotes, or NULL */
    size_t problem_cell;     /* in which cell, from 0 */
    struct csv_cell *cells;
    size_t count;
    size_t capacity;
};

/* Reads the file. Returns 0, or -1 with errno set; csv_free() is due either way. */
static int csv_open(struct csv *csv, const char *path) {
    size_t capacity = 0, got;
    FILE *file = fopen(path, "rb");

    memset(csv, 0, sizeof *csv);
    csv->next_line = 1;
    if (!file)
        return -1;
    do {
        if (capacity - csv->size < 65536) {
            char *more = realloc(csv->bytes, capacity * 2 + 131072);

            if (!more) {
                fclose(file);
                return -1;
            }
            csv->bytes = more;
            capacity = capacity * 2 + 131072;
        }
        got = fread(csv->bytes + csv->size, 1, capacity - csv->size - 1, file);
        csv->size += got;
    } while (got > 0);
    csv->bytes[csv->size] = '\0';
    if (csv->size >= 3 && memcmp(csv->bytes, "\xef\xbb\xbf", 3) == 0)
        csv->at = 3;
    if (ferror(file)) {
        fclose(file);
        return -1;
    }
    return fclose(file);
}

static void csv_free(struct csv *csv) {
    free(csv->bytes);
    free(csv->cells);
    memset(csv, 0, sizeof *csv);
}

/* 1 if a cell may end at i, behind its closing quote: before a comma, a line end, or the end of the file. */
static int csv_quote_ends(const struct csv *csv, size_t i) {
    i += csv->bytes[i] == '\r' && (i + 1 == csv->size || csv->bytes[i + 1] == '\n');
    return i == csv->size || csv->bytes[i] == '\n' || csv->bytes[i] == ',';
}

/* Finds the end of the row at csv->at without changing a byte, and counts its cells. Returns where its last
 * line ends (at the LF, or the end of the file), or, with the problem noted, where its first line does. */
static size_t csv_row_end(struct csv *csv, size_t *cells) {
    size_t i = csv->at, first_end;
    const char *lf = memchr(csv->bytes + i, '\n', csv->size - i);

    first_end = lf ? (size_t)(lf - csv->bytes) : csv->size;
    *cells = 1;
    csv->problem = NULL;
    while (i < csv->size && csv->bytes[i] != '\n' && !csv->problem) {
        if (csv->bytes[i] == '"') {
            for (i++; i < csv->size && i - csv->at < CSV_ROW_MAX; i++) {
                if (csv->bytes[i] != '"')
                    continue;
                if (i + 1 == csv->size || csv->bytes[i + 1] != '"')
                    break;
                i++;
            }
            if (i >= csv->size || csv->bytes[i] != '"')
                csv->problem = "its quotes are never closed";
            else if (csv_quote_ends(csv, i + 1))
                i += csv->bytes[i + 1] == '\r' ? 2 : 1;
            else
                csv->problem = "there is text behind its closing quote";
        } else {
            for (; i < csv->size && csv->bytes[i] != ',' && csv->bytes[i] != '\n' && !csv->problem; i++)
                if (csv->bytes[i] == '"')
                    csv->problem = "a quote stands inside a text that is not quoted";
        }
        if (!csv->problem && i < csv->size && csv->bytes[i] == ',') {
            ++*cells;
            i++;
        }
    }
    csv->problem_cell = *cells - 1;
    return csv->problem ? first_end : i;
}

/* Takes the quotes off the cell at `from` of a row that ends at `end`, and ends it with a NUL. Returns where
 * the next one begins. */
static size_t csv_cell_cut(struct csv *csv, size_t from, size_t end, struct csv_cell *cell) {
    size_t to = from, i = from;

    cell->text = csv->bytes + from;
    if (i < end && csv->bytes[i] == '"') {
        for (i++; csv->bytes[i] != '"' || (i + 1 < end && csv->bytes[i + 1] == '"'); i++) {
            if (csv->bytes[i] == '"')
                i++;
            csv->bytes[to++] = csv->bytes[i];
        }
        i++;
    } else {
        while (i < end && csv->bytes[i] != ',')
            i++;
        to = i;
    }
    cell->size = to - from;
    csv->bytes[to] = '\0';
    return i + 1;
}

/* Reads the next row that is not empty. Returns 1; 0 at the end of the file; -1 without memory. */
static int csv_next(struct csv *csv) {
    size_t from, end, next, count, i;

    while (csv->at < csv->size && strchr("\r\n", csv->bytes[csv->at]) && csv->bytes[csv->at]) {
        csv->next_line += csv->bytes[csv->at] == '\n';
        csv->at++;
    }
    csv->count = 0;
    csv->line = csv->next_line;
    if (csv->at >= csv->size)
        return 0;
    end = csv_row_end(csv, &count);
    next = end < csv->size ? end + 1 : end;
    for (from = csv->at; from < next; from++)
        csv->next_line += csv->bytes[from] == '\n';
    from = csv->at;
    csv->at = next;
    if (csv->problem)
        return 1;
    if (count > csv->capacity) {
        struct csv_cell *more = realloc(csv->cells, (count + 16) * sizeof *more);

        if (!more)
            return -1;
        csv->cells = more;
        csv->capacity = count + 16;
    }
    if (end > from && csv->bytes[end - 1] == '\r')
        end--;
    for (i = 0; i < count; i++)
        from = csv_cell_cut(csv, from, end, &csv->cells[i]);
    csv->count = count;
    return 1;
}

/* 1 if these bytes are UTF-8: shortest forms only, no surrogates, nothing above U+10FFFF. */
static int csv_is_utf8(const char *text, size_t size) {
    const unsigned char *s = (const unsigned char *)text, *end = s + size;

    while (s < end) {
        unsigned lead = *s++, more = lead < 0x80 ? 0 : lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3;
        uint32_t code = lead & (0x3fu >> more);

        if ((lead >= 0x80 && lead < 0xc2) || lead > 0xf4 || (size_t)(end - s) < more)
            return 0;
        for (; more > 0; more--, s++) {
            if ((*s & 0xc0u) != 0x80u)
                return 0;
            code = code << 6 | (*s & 0x3fu);
        }
        if ((lead == 0xe0 && code < 0x800) || (lead == 0xf0 && code < 0x10000) || code > 0x10ffff
            || (code >= 0xd800 && code < 0xe000))
            return 0;
    }
    return 1;
}

/* 1 if UTF-8 text has a control character in it: C0, DEL or C1. */
static int csv_has_control(const char *text, size_t size) {
    const unsigned char *s = (const unsigned char *)text;
    size_t i;

    for (i = 0; i < size; i++)
        if (s[i] < 0x20 || s[i] == 0x7f || (s[i] == 0xc2 && i + 1 < size && s[i + 1] < 0xa0))
            return 1;
    return 0;
}

/* Writes one cell, quoted where it must be. */
static void csv_put(FILE *file, const char *text) {
    if (!strpbrk(text, ",\"\r\n")) {
        fputs(text, file);
        return;
    }
    putc('"', file);
    for (; *text; text++) {
        if (*text == '"')
            putc('"', file);
        putc(*text, file);
    }
    putc('"', file);
}

#endif
