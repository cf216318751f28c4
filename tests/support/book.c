/*
 * See book.h.
 */
#include "support/book.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

/* ---- records as data ---- */

static void *grab(size_t size) {
    void *block = calloc(1, size > 0 ? size : 1);
    if (block == NULL) abort();
    return block;
}

static char *text_copy(const char *text) {
    size_t size = strlen(text) + 1;
    return memcpy(grab(size), text, size);
}

void *record_copy(uint32_t kind, const void *record) {
    uint64_t count = 0;
    uint32_t size = 0;
    const crd_field *const *fields = crd_record_fields(kind, &count, &size);
    char *copy = grab(size);
    memcpy(copy, record, size);
    for (uint64_t i = 0; i < count; i++) {
        char *at = copy + fields[i]->offset;
        if (fields[i]->type == CRD_FIELD_TEXT) {
            const char *text;
            memcpy(&text, at, sizeof text);
            text = text_copy(text);
            memcpy(at, &text, sizeof text);
        } else if (fields[i]->type == CRD_FIELD_BYTES) {
            const uint8_t *bytes;
            uint64_t length;
            void *own;
            memcpy(&bytes, at, sizeof bytes);
            memcpy(&length, copy + fields[i]->size_offset, sizeof length);
            own = grab((size_t)length);
            if (length > 0) memcpy(own, bytes, (size_t)length);
            memcpy(at, &own, sizeof own);
        }
    }
    return copy;
}

void record_free(uint32_t kind, void *record) {
    uint64_t count = 0;
    const crd_field *const *fields = crd_record_fields(kind, &count, NULL);
    for (uint64_t i = 0; record != NULL && i < count; i++) {
        void *own;
        if (fields[i]->type != CRD_FIELD_TEXT && fields[i]->type != CRD_FIELD_BYTES) continue;
        memcpy(&own, (char *)record + fields[i]->offset, sizeof own);
        free(own);
    }
    free(record);
}

typedef struct text {
    char *data;
    size_t length, room;
} text;

/* Books are turned into text thousands of times a second: no printf here. */
static void add_some(text *t, const char *more, size_t length) {
    if (t->length + length + 1 > t->room) {
        t->room = 2 * (t->length + length + 1) + 500;
        t->data = realloc(t->data, t->room);
        if (t->data == NULL) abort();
    }
    memcpy(t->data + t->length, more, length);
    t->length += length;
    t->data[t->length] = '\0';
}

static void add(text *t, const char *more) {
    add_some(t, more, strlen(more));
}

static void add_hex(text *t, const uint8_t *bytes, uint64_t count) {
    static const char digits[] = "0123456789abcdef";
    char pair[2];
    for (uint64_t i = 0; i < count; i++) {
        pair[0] = digits[bytes[i] >> 4];
        pair[1] = digits[bytes[i] & 15];
        add_some(t, pair, 2);
    }
}

static void add_number(text *t, int64_t number) {
    char digits[24];
    size_t at = sizeof digits;
    uint64_t left = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
    do {
        digits[--at] = (char)('0' + left % 10);
        left /= 10;
    } while (left > 0);
    if (number < 0) digits[--at] = '-';
    add_some(t, digits + at, sizeof digits - at);
}

static void add_field(text *t, const crd_field *field, const char *record) {
    const char *at = record + field->offset;
    const char *string;
    const uint8_t *bytes;
    int64_t wide;
    uint64_t length;
    int32_t narrow;
    switch (field->type) {
    case CRD_FIELD_TEXT:
        memcpy(&string, at, sizeof string);
        add(t, string);
        break;
    case CRD_FIELD_HASH: add_hex(t, (const uint8_t *)at, 32); break;
    case CRD_FIELD_BYTES:
        memcpy(&bytes, at, sizeof bytes);
        memcpy(&length, record + field->size_offset, sizeof length);
        add_hex(t, bytes, length);
        break;
    case CRD_FIELD_U32:
    case CRD_FIELD_I32:
    case CRD_FIELD_DATE:
        memcpy(&narrow, at, sizeof narrow);
        add_number(t, narrow);
        break;
    default:
        memcpy(&wide, at, sizeof wide);
        add_number(t, wide);
        break;
    }
}

char *record_line(uint32_t kind, const void *record) {
    uint64_t count = 0;
    const crd_field *const *fields = crd_record_fields(kind, &count, NULL);
    text t = {NULL, 0, 0};
    add(&t, crd_kind_name(kind));
    for (uint64_t i = 0; i < count; i++) {
        add(&t, " ");
        add(&t, fields[i]->name);
        add(&t, "=");
        add_field(&t, fields[i], record);
    }
    return t.data;
}

/* ---- reading ---- */

static int32_t CRD_CALL collect(void *sink, uint32_t kind, const void *record) {
    book *b = sink;
    book_item *item;
    b->items = realloc(b->items, (b->count + 1) * sizeof *b->items);
    if (b->items == NULL) abort();
    item = &b->items[b->count++];
    item->kind = kind;
    item->record = record_copy(kind, record);
    item->line = record_line(kind, record);
    return 0;
}

static int compare_lines(const void *a, const void *b) {
    return strcmp(((const book_item *)a)->line, ((const book_item *)b)->line);
}

book *book_read(const crd_storage *storage) {
    book *b = grab(sizeof *b);
    crd_query query;
    crd_read_result result;
    memset(&query, 0, sizeof query);
    query.struct_size = sizeof query;
    for (uint32_t kind = 1; kind < CRD_KIND_COUNT; kind++) query.kinds |= UINT32_C(1) << kind;
    query.proof = UINT64_C(0xb00c);
    memset(&result, 0, sizeof result);
    result.struct_size = sizeof result;
    storage->read(storage->ctx, &query, collect, b, &result);
    ck_assert_msg(result.proof == query.proof && result.outcome == CRD_OUTCOME_DONE, "the book cannot be read: %d %s",
                  (int)result.outcome, result.host_text);
    if (b->count > 0) qsort(b->items, b->count, sizeof *b->items, compare_lines);
    return b;
}

void book_free(book *b) {
    for (size_t i = 0; b != NULL && i < b->count; i++) {
        record_free(b->items[i].kind, b->items[i].record);
        free(b->items[i].line);
    }
    if (b != NULL) free(b->items);
    free(b);
}

char *book_text(const book *b) {
    text t = {NULL, 0, 0};
    add(&t, "");
    for (size_t i = 0; i < b->count; i++) {
        add(&t, b->items[i].line);
        add(&t, "\n");
    }
    return t.data;
}

/* ---- looking up ---- */

static int same(const char *a, const char *b) {
    return strcmp(a, b) == 0;
}

#define EACH(b, kind_, type, name)                                                                                     \
    for (size_t at_ = 0; at_ < (b)->count; at_++)                                                                      \
        for (const type *name = (b)->items[at_].kind == (kind_) ? (b)->items[at_].record : NULL; name != NULL;         \
             name = NULL)

const crd_account_record *book_account(const book *b, const char *customer, const char *currency) {
    EACH(b, CRD_KIND_ACCOUNT, crd_account_record, a)
    if (same(a->customer, customer) && same(a->currency, currency)) return a;
    return NULL;
}

const crd_customer_record *book_customer(const book *b, const char *customer) {
    EACH(b, CRD_KIND_CUSTOMER, crd_customer_record, c)
    if (same(c->customer, customer)) return c;
    return NULL;
}

const crd_credit_record *book_credit(const book *b, const char *customer, const char *id) {
    EACH(b, CRD_KIND_CREDIT, crd_credit_record, c)
    if (same(c->customer, customer) && same(c->id, id)) return c;
    return NULL;
}

const crd_invoice_record *book_invoice(const book *b, const char *customer, const char *id) {
    EACH(b, CRD_KIND_INVOICE, crd_invoice_record, i)
    if (same(i->customer, customer) && same(i->id, id)) return i;
    return NULL;
}

const crd_receipt_record *book_receipt(const book *b, const char *customer, const char *id) {
    EACH(b, CRD_KIND_RECEIPT, crd_receipt_record, r)
    if (same(r->customer, customer) && same(r->id, id)) return r;
    return NULL;
}

const crd_hold_record *book_hold(const book *b, const char *customer, const char *id) {
    EACH(b, CRD_KIND_HOLD, crd_hold_record, h)
    if (same(h->customer, customer) && same(h->id, id)) return h;
    return NULL;
}

const crd_entry_record *book_entry(const book *b, const char *customer, const char *currency, int64_t seq) {
    EACH(b, CRD_KIND_ENTRY, crd_entry_record, e)
    if (same(e->customer, customer) && same(e->currency, currency) && e->seq == seq) return e;
    return NULL;
}

const crd_request_record *book_request(const book *b, const char *customer, const char *key) {
    EACH(b, CRD_KIND_REQUEST, crd_request_record, r)
    if (same(r->customer, customer) && same(r->request_key, key)) return r;
    return NULL;
}

size_t book_count(const book *b, uint32_t kind) {
    size_t count = 0;
    for (size_t i = 0; i < b->count; i++) count += b->items[i].kind == kind;
    return count;
}
