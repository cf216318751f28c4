/*
 * Records as data, for the kit and the shims: everything from crd_record_fields().
 */
#include "testkit_private.h"

#include <string.h>

uint32_t crd__tk_size(uint32_t kind) {
    uint32_t size = 0;
    (void)crd_record_fields(kind, NULL, &size);
    return size;
}

static const char *text_of(const void *record, const crd_field *field) {
    const char *text;
    memcpy(&text, (const char *)record + field->offset, sizeof text);
    return text;
}

static const uint8_t *bytes_of(const void *record, const crd_field *field, uint64_t *size) {
    const uint8_t *bytes;
    memcpy(&bytes, (const char *)record + field->offset, sizeof bytes);
    memcpy(size, (const char *)record + field->size_offset, sizeof *size);
    return bytes;
}

static uint32_t width_of(const crd_field *field) {
    switch (field->type) {
    case CRD_FIELD_U32:
    case CRD_FIELD_I32:
    case CRD_FIELD_DATE: return 4;
    case CRD_FIELD_HASH: return 32;
    case CRD_FIELD_TEXT:
    case CRD_FIELD_BYTES: return sizeof(void *);
    default: return 8;
    }
}

/* A record may be shorter than this version's: then what it lacks is zero or "". */
static int reaches(const void *record, const crd_field *field) {
    uint32_t size, end = field->offset + width_of(field);
    memcpy(&size, record, sizeof size);
    if (field->type == CRD_FIELD_BYTES && field->size_offset + 8 > end) end = field->size_offset + 8;
    return end <= size;
}

void crd__tk_empty(uint32_t kind, void *record) {
    static const char *const nothing = "";
    uint64_t count = 0;
    uint32_t size = 0;
    const crd_field *const *fields = crd_record_fields(kind, &count, &size);
    memset(record, 0, size);
    memcpy(record, &size, sizeof size);
    for (uint64_t i = 0; i < count; i++)
        if (fields[i]->type == CRD_FIELD_TEXT) memcpy((char *)record + fields[i]->offset, &nothing, sizeof nothing);
}

uint64_t crd__tk_copy_size(uint32_t kind, const void *record) {
    uint64_t count = 0;
    uint32_t size = 0;
    const crd_field *const *fields = crd_record_fields(kind, &count, &size);
    uint64_t sum = size;
    for (uint64_t i = 0; i < count; i++) {
        uint64_t length;
        if (!reaches(record, fields[i])) continue;
        if (fields[i]->type == CRD_FIELD_TEXT && text_of(record, fields[i]) != NULL)
            sum += strlen(text_of(record, fields[i])) + 1;
        if (fields[i]->type == CRD_FIELD_BYTES && bytes_of(record, fields[i], &length) != NULL) sum += length;
    }
    return sum;
}

void *crd__tk_copy(uint32_t kind, const void *record, void *to) {
    uint64_t count = 0;
    uint32_t size = 0;
    const crd_field *const *fields = crd_record_fields(kind, &count, &size);
    char *cursor = (char *)to + size;
    crd__tk_empty(kind, to);
    for (uint64_t i = 0; i < count; i++) {
        const crd_field *field = fields[i];
        if (!reaches(record, field)) continue;
        if (field->type == CRD_FIELD_TEXT) {
            const char *text = text_of(record, field);
            size_t length = text != NULL ? strlen(text) + 1 : 0;
            if (text == NULL) continue;
            memcpy(cursor, text, length);
            memcpy((char *)to + field->offset, &cursor, sizeof cursor);
            cursor += length;
        } else if (field->type == CRD_FIELD_BYTES) {
            uint64_t length;
            const uint8_t *bytes = bytes_of(record, field, &length);
            if (bytes == NULL || length == 0) continue;
            memcpy(cursor, bytes, (size_t)length);
            memcpy((char *)to + field->offset, &cursor, sizeof cursor);
            memcpy((char *)to + field->size_offset, &length, sizeof length);
            cursor += length;
        } else {
            memcpy((char *)to + field->offset, (const char *)record + field->offset, width_of(field));
        }
    }
    return to;
}

static int field_equal(const crd_field *field, const void *a, const void *b) {
    static const char zeros[32] = {0};
    int has_a = reaches(a, field), has_b = reaches(b, field);
    if (field->type == CRD_FIELD_TEXT) {
        const char *x = has_a ? text_of(a, field) : NULL, *y = has_b ? text_of(b, field) : NULL;
        return strcmp(x != NULL ? x : "", y != NULL ? y : "") == 0;
    }
    if (field->type == CRD_FIELD_BYTES) {
        uint64_t m = 0, n = 0;
        const uint8_t *x = has_a ? bytes_of(a, field, &m) : NULL, *y = has_b ? bytes_of(b, field, &n) : NULL;
        if (x == NULL) m = 0;
        if (y == NULL) n = 0;
        return m == n && (m == 0 || memcmp(x, y, (size_t)m) == 0);
    }
    return memcmp(has_a ? (const char *)a + field->offset : zeros, has_b ? (const char *)b + field->offset : zeros,
                  width_of(field)) == 0;
}

const crd_field *crd__tk_difference(uint32_t kind, const void *a, const void *b) {
    uint64_t count = 0;
    const crd_field *const *fields = crd_record_fields(kind, &count, NULL);
    for (uint64_t i = 0; i < count; i++)
        if (!field_equal(fields[i], a, b)) return fields[i];
    return NULL;
}

const char *crd__tk_malformed(uint32_t kind, const void *record) {
    uint64_t count = 0;
    const crd_field *const *fields = crd_record_fields(kind, &count, NULL);
    uint32_t size;
    if (fields == NULL) return "of an unknown kind";
    if (record == NULL) return "NULL";
    memcpy(&size, record, sizeof size);
    if (size < sizeof size) return "without its struct_size";
    for (uint64_t i = 0; i < count; i++) {
        if ((fields[i]->flags & CRD_FIELD_KEY) && !reaches(record, fields[i])) return "shorter than its key";
        if (!reaches(record, fields[i])) continue;
        if (fields[i]->type == CRD_FIELD_TEXT && text_of(record, fields[i]) == NULL) return "with a text that is NULL";
    }
    return NULL;
}

/* A field by its name; "" when the kind has none. */
static const char *named(uint32_t kind, const void *record, const char *name) {
    uint64_t count = 0;
    const crd_field *const *fields = crd_record_fields(kind, &count, NULL);
    for (uint64_t i = 0; i < count; i++)
        if (fields[i]->type == CRD_FIELD_TEXT && strcmp(fields[i]->name, name) == 0 && reaches(record, fields[i]))
            return text_of(record, fields[i]) != NULL ? text_of(record, fields[i]) : "";
    return "";
}

const char *crd__tk_customer(uint32_t kind, const void *record) {
    return named(kind, record, "customer");
}

const char *crd__tk_currency(uint32_t kind, const void *record) {
    return kind == CRD_KIND_REQUEST ? "" : named(kind, record, "currency");
}

const char *crd__tk_id(uint32_t kind, const void *record) {
    return named(kind, record, kind == CRD_KIND_REQUEST ? "request_key" : "id");
}

int64_t crd__tk_last_seq(uint32_t kind, const void *record) {
    uint64_t count = 0;
    const crd_field *const *fields = crd_record_fields(kind, &count, NULL);
    int64_t seq = 0;
    for (uint64_t i = 0; i < count; i++)
        if (strcmp(fields[i]->name, "last_seq") == 0 && reaches(record, fields[i]))
            memcpy(&seq, (const char *)record + fields[i]->offset, sizeof seq);
    return seq;
}
