/*
 * Evidence in words: bounded text without stdio.
 */
#include "testkit_private.h"

#include <string.h>

void crd__tk_clear(crd__tk_text *t) {
    t->length = 0;
    t->text[0] = '\0';
}

static void add_bytes(crd__tk_text *t, const char *bytes, size_t length) {
    size_t room = sizeof t->text - 1 - t->length;
    if (length > room) length = room;
    memcpy(t->text + t->length, bytes, length);
    t->length += (uint32_t)length;
    t->text[t->length] = '\0';
}

void crd__tk_add(crd__tk_text *t, const char *more) {
    if (more != NULL) add_bytes(t, more, strlen(more));
}

void crd__tk_number(crd__tk_text *t, int64_t number) {
    char digits[24];
    size_t at = sizeof digits;
    uint64_t left = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
    do {
        digits[--at] = (char)('0' + left % 10);
        left /= 10;
    } while (left > 0);
    if (number < 0) digits[--at] = '-';
    add_bytes(t, digits + at, sizeof digits - at);
}

void crd__tk_quote(crd__tk_text *t, const char *text) {
    static const char hex[] = "0123456789abcdef";
    size_t count = 0;
    if (text == NULL) {
        crd__tk_add(t, "NULL");
        return;
    }
    add_bytes(t, "\"", 1);
    for (; *text != '\0' && count < 70; text++, count++) {
        unsigned char c = (unsigned char)*text;
        char escaped[4] = {'\\', 'x', hex[c >> 4], hex[c & 15]};
        if (c < 32 || c > 126) {
            add_bytes(t, escaped, 4);
        } else {
            add_bytes(t, text, 1);
        }
    }
    crd__tk_add(t, *text != '\0' ? "…\"" : "\"");
}

void crd__tk_name(crd__tk_text *t, uint32_t kind, const void *record) {
    const char *id = crd__tk_id(kind, record), *currency = crd__tk_currency(kind, record);
    crd__tk_add(t, crd_kind_name(kind));
    crd__tk_add(t, " ");
    if (kind == CRD_KIND_ENTRY) {
        crd__tk_number(t, ((const crd_entry_record *)record)->seq);
        crd__tk_add(t, " ");
    }
    if (kind == CRD_KIND_LINE) {
        crd__tk_number(t, ((const crd_line_record *)record)->number);
        crd__tk_add(t, " of ");
        crd__tk_add(t, crd_kind_name(((const crd_line_record *)record)->document_kind));
        crd__tk_add(t, " ");
    }
    if (id[0] != '\0') {
        crd__tk_quote(t, id);
        crd__tk_add(t, " ");
    }
    crd__tk_add(t, "of customer ");
    crd__tk_quote(t, crd__tk_customer(kind, record));
    if (kind == CRD_KIND_ACCOUNT || kind == CRD_KIND_ENTRY) {
        crd__tk_add(t, " in ");
        crd__tk_quote(t, currency);
    }
}

void crd__tk_say(crd__tk_text *t, const char *format, int64_t first, int64_t second) {
    const char *from = format;
    int which = 0;
    for (; *format != '\0'; format++) {
        if (*format != '%') continue;
        add_bytes(t, from, (size_t)(format - from));
        crd__tk_number(t, which++ == 0 ? first : second);
        from = format + 1;
    }
    add_bytes(t, from, (size_t)(format - from));
}

const char *crd__tk_outcome(int32_t outcome) {
    switch (outcome) {
    case CRD_OUTCOME_UNKNOWN: return "unknown";
    case CRD_OUTCOME_DONE: return "done";
    case CRD_OUTCOME_CONFLICT: return "conflict";
    case CRD_OUTCOME_EXISTS: return "exists";
    case CRD_OUTCOME_RESTART: return "restart";
    case CRD_OUTCOME_FAILED: return "failed";
    case CRD_OUTCOME_SCHEMA: return "schema";
    default: return "a number that is no outcome";
    }
}
