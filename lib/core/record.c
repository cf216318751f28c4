/*
 * The fields of every record, and what can be done with records by looking at those alone: encode, decode, key,
 * copy, compare.
 *
 * The encoding. Byte 0 is the version of the format (1), byte 1 the kind; then fields in ascending order of number.
 * A field is a varint tag, number << 2 | wire, and its value:
 *
 *   wire 0   varint; signed types are zigzagged
 *   wire 1   varint length, and that many bytes: texts, hashes, bytes
 *   wire 2   8 bytes, least significant first: numbers that use all bits
 *
 * 1. A record has one encoding: no field twice or out of order, none that is zero, no varint longer than need be.
 *    What breaks this is corrupt, so that bytes that decode are the bytes that were hashed.
 * 2. The number of a field is its place in the list below, from 1. Lists only grow at their end, so the number never
 *    changes; a reader skips numbers it does not know, for which the wire tells the length.
 * 3. Numbers up to 31 have a tag of one byte: what is seldom set stands behind them.
 */
#include "core/record.h"

#include "core/text.h"

#include <stddef.h>
#include <string.h>

#define FORMAT 1
#define HEAD 2 /* bytes before the first field */

enum wire { WIRE_VARINT, WIRE_BYTES, WIRE_FIXED };

#define KEY CRD_FIELD_KEY

/* F(kind, field, type, flags) for each field; B(kind, field, field of its length) for those of type BYTES. */
#define ACCOUNT(F, B)                                                                                                  \
    F(account, customer, TEXT, KEY) F(account, currency, TEXT, KEY) F(account, version, I64, 0)                        \
    F(account, last_seq, I64, 0) F(account, last_hash, HASH, 0) F(account, last_instant, INSTANT, 0)                   \
    F(account, switches, U32, 0) F(account, acknowledged_seq, I64, 0) F(account, open_credits, I64, 0)                 \
    F(account, open_invoices, I64, 0) F(account, credit_remaining, MINOR, 0) F(account, credit_held, MINOR, 0)         \
    F(account, credit_allocated, MINOR, 0) F(account, cash_remaining, MINOR, 0) F(account, available, MINOR, 0)        \
    F(account, invoice_open, MINOR, 0) F(account, credits_issued, I64, 0) F(account, issued, MINOR, 0)                 \
    F(account, applied, MINOR, 0) F(account, turns_on, DATE, 0) F(account, lapses_at, INSTANT, 0)                      \
    F(account, usable_from, DATE, 0) F(account, last_date, DATE, 0)

#define CUSTOMER(F, B)                                                                                                 \
    F(customer, customer, TEXT, KEY) F(customer, currency, TEXT, 0) F(customer, first_seq, I64, 0)                     \
    F(customer, last_seq, I64, 0) F(customer, switches, U32, 0) F(customer, name, TEXT, 0)                             \
    F(customer, category, TEXT, 0) F(customer, location, TEXT, 0) F(customer, parent, TEXT, 0)                         \
    F(customer, created_at, INSTANT, 0)

#define CREDIT(F, B)                                                                                                   \
    F(credit, customer, TEXT, KEY) F(credit, id, TEXT, KEY) F(credit, currency, TEXT, 0) F(credit, first_seq, I64, 0)  \
    F(credit, last_seq, I64, 0) F(credit, flags, U32, 0) F(credit, credit_class, U32, 0) F(credit, kind, U32, 0)       \
    F(credit, state, U32, 0) F(credit, cause, U32, 0) F(credit, issued, DATE, 0) F(credit, effective, DATE, 0)         \
    F(credit, expires, DATE, 0) F(credit, last_date, DATE, 0) F(credit, original, MINOR, 0)                            \
    F(credit, remaining, MINOR, 0) F(credit, held, MINOR, 0) F(credit, allocated, MINOR, 0)                            \
    F(credit, applied, MINOR, 0) F(credit, applied_by_receipt, MINOR, 0) F(credit, tax, MINOR, 0)                      \
    F(credit, issued_at, INSTANT, 0) F(credit, priority, I32, 0) F(credit, receipt, TEXT, 0)                           \
    F(credit, prefers, TEXT, 0) F(credit, origin, TEXT, 0) F(credit, source, TEXT, 0) F(credit, reason, TEXT, 0)       \
    F(credit, method, TEXT, 0) F(credit, payment_info, TEXT, 0) F(credit, reference, TEXT, 0)                          \
    F(credit, notes, TEXT, 0) F(credit, applied_outside, MINOR, 0) F(credit, refunded, MINOR, 0)                       \
    F(credit, voided, MINOR, 0) F(credit, reversed, MINOR, 0) F(credit, expired, MINOR, 0)                             \
    F(credit, adjusted, MINOR, 0) F(credit, transferred, MINOR, 0) F(credit, deleted, MINOR, 0)                        \
    F(credit, opening_original, MINOR, 0) F(credit, opening_used, MINOR, 0) F(credit, stands_for, U32, 0)              \
    F(credit, pays_kinds, U32, 0) F(credit, line_count, U32, 0) F(credit, reversed_own, MINOR, 0)   \
    F(credit, lines_digest, HASH, 0)

#define INVOICE(F, B)                                                                                                  \
    F(invoice, customer, TEXT, KEY) F(invoice, id, TEXT, KEY) F(invoice, currency, TEXT, 0)                            \
    F(invoice, first_seq, I64, 0) F(invoice, last_seq, I64, 0) F(invoice, flags, U32, 0) F(invoice, kind, U32, 0)      \
    F(invoice, state, U32, 0) F(invoice, cause, U32, 0) F(invoice, revision, U32, 0) F(invoice, issued, DATE, 0)       \
    F(invoice, due, DATE, 0) F(invoice, last_date, DATE, 0) F(invoice, line_count, U32, 0)                             \
    F(invoice, total, MINOR, 0) F(invoice, open, MINOR, 0) F(invoice, applied, MINOR, 0)                               \
    F(invoice, written_off, MINOR, 0) F(invoice, cancelled, MINOR, 0) F(invoice, allocated, MINOR, 0)                  \
    F(invoice, tax, MINOR, 0) F(invoice, returned, MINOR, 0) F(invoice, opening_total, MINOR, 0)                       \
    F(invoice, opening_used, MINOR, 0) F(invoice, issued_at, INSTANT, 0) F(invoice, lines_digest, HASH, 0)             \
    F(invoice, origin, TEXT, 0) F(invoice, reversed_by, TEXT, 0) F(invoice, reference, TEXT, 0)                        \
    F(invoice, text, TEXT, 0) F(invoice, returned_tax, MINOR, 0)

#define RECEIPT(F, B)                                                                                                  \
    F(receipt, customer, TEXT, KEY) F(receipt, id, TEXT, KEY) F(receipt, currency, TEXT, 0)                            \
    F(receipt, first_seq, I64, 0) F(receipt, last_seq, I64, 0) F(receipt, flags, U32, 0) F(receipt, state, U32, 0)     \
    F(receipt, cause, U32, 0) F(receipt, received, DATE, 0) F(receipt, last_date, DATE, 0)                             \
    F(receipt, posted_seq, I64, 0) F(receipt, amount, MINOR, 0) F(receipt, applied, MINOR, 0)                          \
    F(receipt, written_off, MINOR, 0) F(receipt, received_at, INSTANT, 0) F(receipt, credit, TEXT, 0)                  \
    F(receipt, method, TEXT, 0) F(receipt, payment_info, TEXT, 0) F(receipt, reference, TEXT, 0)                       \
    F(receipt, run, TEXT, 0)

#define HOLD(F, B)                                                                                                     \
    F(hold, customer, TEXT, KEY) F(hold, id, TEXT, KEY) F(hold, currency, TEXT, 0) F(hold, first_seq, I64, 0)          \
    F(hold, last_seq, I64, 0) F(hold, flags, U32, 0) F(hold, state, U32, 0) F(hold, cause, U32, 0)                     \
    F(hold, held_on, DATE, 0) F(hold, lapses_on, DATE, 0) F(hold, last_date, DATE, 0) F(hold, lapses_at, INSTANT, 0)   \
    F(hold, amount, MINOR, 0) F(hold, captured, MINOR, 0) F(hold, released, MINOR, 0) F(hold, credit, TEXT, 0)         \
    F(hold, invoice, TEXT, 0)

#define LINE(F, B)                                                                                                     \
    F(line, customer, TEXT, KEY) F(line, document_kind, U32, KEY) F(line, id, TEXT, KEY) F(line, number, I64, KEY)     \
    F(line, currency, TEXT, 0) F(line, last_seq, I64, 0) F(line, quantity, I64, 0) F(line, unit_price, I64, 0)         \
    F(line, amount, MINOR, 0) F(line, tax, MINOR, 0) F(line, added_in, U32, 0) F(line, ended_in, U32, 0)               \
    F(line, sku, TEXT, 0) F(line, text, TEXT, 0) F(line, origin, TEXT, 0)

#define ENTRY(F, B)                                                                                                    \
    F(entry, customer, TEXT, KEY) F(entry, currency, TEXT, KEY) F(entry, seq, I64, KEY) F(entry, last_seq, I64, 0)     \
    F(entry, hash, HASH, 0) F(entry, type, U32, 0) F(entry, instant, INSTANT, 0) F(entry, business_date, DATE, 0)      \
    F(entry, flags, U32, 0) F(entry, writer, U64, 0) F(entry, command, I64, 0) F(entry, amount, MINOR, 0)              \
    F(entry, credit_after, MINOR, 0) F(entry, invoice_after, MINOR, 0) F(entry, credit, TEXT, 0)                       \
    F(entry, invoice, TEXT, 0) F(entry, receipt, TEXT, 0) F(entry, hold, TEXT, 0) F(entry, actor, TEXT, 0)             \
    F(entry, note, TEXT, 0) F(entry, reference, TEXT, 0) F(entry, undoes, I64, 0) F(entry, cause, U32, 0)              \
    F(entry, figure_before, MINOR, 0) F(entry, figure_after, MINOR, 0) F(entry, method, TEXT, 0)                       \
    F(entry, other_customer, TEXT, 0) F(entry, other_id, TEXT, 0) B(entry, image, image_size)

#define REQUEST(F, B)                                                                                                  \
    F(request, customer, TEXT, KEY) F(request, request_key, TEXT, KEY) F(request, currency, TEXT, 0)                   \
    F(request, command, U32, 0) F(request, first_seq, I64, 0) F(request, last_seq, I64, 0)                             \
    F(request, digest, HASH, 0) B(request, parts, parts_size) F(request, created_kind, U32, 0)                         \
    F(request, created_id, TEXT, 0) F(request, result, MINOR, 0) F(request, warnings, U32, 0)

#define EVERY(F, B)                                                                                                    \
    ACCOUNT(F, B) CUSTOMER(F, B) CREDIT(F, B) INVOICE(F, B) RECEIPT(F, B) HOLD(F, B) LINE(F, B) ENTRY(F, B)    \
    REQUEST(F, B)

/* The place of each field among all, so that lists of different make stay in step. */
#define PLACE(k, f, type, flags) AT_##k##_##f,
#define PLACE_BYTES(k, f, size) AT_##k##_##f,
enum { EVERY(PLACE, PLACE_BYTES) FIELDS };

#define FIELD(k, f, type, flags)                                                                                       \
    {sizeof(crd_field), CRD_FIELD_##type, flags, offsetof(crd_##k##_record, f), 0, 0, #f},
#define FIELD_BYTES(k, f, size)                                                                                        \
    {sizeof(crd_field), CRD_FIELD_BYTES, 0, offsetof(crd_##k##_record, f), offsetof(crd_##k##_record, size), 0, #f},
static const crd_field fields[FIELDS] = {EVERY(FIELD, FIELD_BYTES)};

#define POINTER(k, f, type, flags) &fields[AT_##k##_##f],
#define POINTER_BYTES(k, f, size) &fields[AT_##k##_##f],
static const crd_field *const field_list[FIELDS] = {EVERY(POINTER, POINTER_BYTES)};

/* The same fields again, small: what the loops over them need fits a few cache lines. */
struct record_step {
    uint16_t offset;
    uint8_t type;
    uint8_t size_offset; /* of bytes, from `offset` */
};
#define STEP(k, f, type, flags) {offsetof(crd_##k##_record, f), CRD_FIELD_##type, 0},
#define STEP_BYTES(k, f, size)                                                                                         \
    {offsetof(crd_##k##_record, f), CRD_FIELD_BYTES, offsetof(crd_##k##_record, size) - offsetof(crd_##k##_record, f)},
static const struct record_step record_steps[FIELDS] = {EVERY(STEP, STEP_BYTES)};

/* Where the texts are. TEXT_OF_… keeps the offset of a text and drops every other type. */
#define TEXT_OF_TEXT(offset) offset,
#define TEXT_OF_HASH(offset)
#define TEXT_OF_U32(offset)
#define TEXT_OF_I32(offset)
#define TEXT_OF_DATE(offset)
#define TEXT_OF_I64(offset)
#define TEXT_OF_U64(offset)
#define TEXT_OF_INSTANT(offset)
#define TEXT_OF_MINOR(offset)
#define TEXT(k, f, type, flags) TEXT_OF_##type(offsetof(crd_##k##_record, f))
#define NO_TEXT(k, f, size)
static const uint16_t texts[] = {EVERY(TEXT, NO_TEXT)};

#define COUNT_OF_CRD_FIELD(k, f, type, flags) +1
#define COUNT_OF_BYTES(k, f, size) +1
#define COUNT_TEXT(k, f, type, flags) +(CRD_FIELD_##type == CRD_FIELD_TEXT)
#define COUNT_HASH(k, f, type, flags) +(CRD_FIELD_##type == CRD_FIELD_HASH)

/* Most bytes that a field takes beside the characters of a text: a tag of two, a varint of ten; a hash 23 more. */
#define FIELD_ROOM 12
#define HASH_ROOM 23
#define TEXTS 16 /* no kind has more texts */

struct shape {
    const char *name;
    uint32_t size; /* of the struct */
    uint16_t first; /* of its fields, among all */
    uint16_t count;
    uint16_t first_text;
    uint16_t text_count;
    uint32_t room; /* most bytes of an encoded record without the characters of texts and bytes */
    uint16_t customer;
    uint16_t currency;
    uint16_t bytes; /* the field of type BYTES, of which a kind has at most one; FIELDS for none */
};

/* Sums over one kind, and over all before it. */
#define N(LIST) (0 LIST(COUNT_OF_CRD_FIELD, COUNT_OF_BYTES))
#define T(LIST) (0 LIST(COUNT_TEXT, NO_TEXT))
#define H(LIST) (0 LIST(COUNT_HASH, NO_TEXT))
enum {
    N_ACCOUNT = 0, N_CUSTOMER = N_ACCOUNT + N(ACCOUNT), N_CREDIT = N_CUSTOMER + N(CUSTOMER),
    N_INVOICE = N_CREDIT + N(CREDIT), N_RECEIPT = N_INVOICE + N(INVOICE), N_HOLD = N_RECEIPT + N(RECEIPT),
    N_LINE = N_HOLD + N(HOLD), N_ENTRY = N_LINE + N(LINE), N_REQUEST = N_ENTRY + N(ENTRY),
    T_ACCOUNT = 0, T_CUSTOMER = T_ACCOUNT + T(ACCOUNT), T_CREDIT = T_CUSTOMER + T(CUSTOMER),
    T_INVOICE = T_CREDIT + T(CREDIT), T_RECEIPT = T_INVOICE + T(INVOICE), T_HOLD = T_RECEIPT + T(RECEIPT),
    T_LINE = T_HOLD + T(HOLD), T_ENTRY = T_LINE + T(LINE), T_REQUEST = T_ENTRY + T(ENTRY)
};
#define SHAPE(k, K, bytes)                                                                                             \
    {#k, sizeof(crd_##k##_record), N_##K, N(K), T_##K, T(K), HEAD + FIELD_ROOM * N(K) + HASH_ROOM * H(K),              \
     offsetof(crd_##k##_record, customer), offsetof(crd_##k##_record, currency), bytes}
static const struct shape shapes[CRD_KIND_COUNT] = {
    {"?", 0, 0, 0, 0, 0, 0, 0, 0, FIELDS},
    SHAPE(account, ACCOUNT, FIELDS),
    SHAPE(customer, CUSTOMER, FIELDS),
    SHAPE(credit, CREDIT, FIELDS),
    SHAPE(invoice, INVOICE, FIELDS),
    SHAPE(receipt, RECEIPT, FIELDS),
    SHAPE(hold, HOLD, FIELDS),
    SHAPE(line, LINE, FIELDS),
    SHAPE(entry, ENTRY, AT_entry_image),
    SHAPE(request, REQUEST, AT_request_parts)};

/* Room for any record. */
union any {
    crd_account_record account;
    crd_customer_record customer;
    crd_credit_record credit;
    crd_invoice_record invoice;
    crd_receipt_record receipt;
    crd_hold_record hold;
    crd_line_record line;
    crd_entry_record entry;
    crd_request_record request;
};

static const struct shape *record_shape_of(uint32_t kind) {
    return kind >= CRD_KIND_ACCOUNT && kind < CRD_KIND_COUNT ? &shapes[kind] : NULL;
}

static uint32_t size_of(const void *record) {
    uint32_t size;
    memcpy(&size, record, sizeof size);
    return size;
}

/* The record, or when it is shorter than ours a copy in `space` with the rest zero. */
static const char *record_whole(const struct shape *shape, const void *record, union any *space) {
    uint32_t size = size_of(record);
    if (size >= shape->size) return record;
    memset(space, 0, sizeof *space);
    memcpy(space, record, size);
    return (const char *)space;
}

static const char *text_at(const char *record, uint32_t offset) {
    const char *text;
    memcpy(&text, record + offset, sizeof text);
    return text != NULL ? text : "";
}

static void record_set_text(char *record, uint32_t offset, const char *text) {
    memcpy(record + offset, &text, sizeof text);
}

static int32_t i32_at(const char *record, uint32_t offset) {
    int32_t value;
    memcpy(&value, record + offset, sizeof value);
    return value;
}

static uint32_t u32_at(const char *record, uint32_t offset) {
    uint32_t value;
    memcpy(&value, record + offset, sizeof value);
    return value;
}

static uint64_t u64_at(const char *record, uint32_t offset) {
    uint64_t value;
    memcpy(&value, record + offset, sizeof value);
    return value;
}

/* Bytes and their number; a missing pointer counts as none. */
static const uint8_t *bytes_at(const char *record, const struct record_step *step, uint64_t *size) {
    const uint8_t *bytes;
    memcpy(&bytes, record + step->offset, sizeof bytes);
    *size = bytes != NULL ? u64_at(record, (uint32_t)step->offset + step->size_offset) : 0;
    return bytes;
}

static int hash_is_zero(const char *hash) {
    return (u64_at(hash, 0) | u64_at(hash, 8) | u64_at(hash, 16) | u64_at(hash, 24)) == 0;
}

/* 0, -1, 1, -2 … become 0, 1, 2, 3 …, so that small amounts of either sign take few bytes. */
static uint64_t zigzag(uint64_t value) {
    return value << 1 ^ (value >> 63 != 0 ? UINT64_MAX : 0);
}

static uint64_t unzigzag(uint64_t value) {
    return value >> 1 ^ ((value & 1) != 0 ? UINT64_MAX : 0);
}

/* What a numeric field has to say on the wire; 0 when nothing. */
static uint64_t number_at(const char *record, const struct record_step *step) {
    switch (step->type) {
    case CRD_FIELD_U32: return u32_at(record, step->offset);
    case CRD_FIELD_I32:
    case CRD_FIELD_DATE: return zigzag((uint64_t)(int64_t)i32_at(record, step->offset));
    case CRD_FIELD_U64: return u64_at(record, step->offset);
    default: return zigzag(u64_at(record, step->offset));
    }
}

static uint8_t *put_varint(uint8_t *at, uint64_t value) {
    for (; value >= 0x80; value >>= 7) *at++ = (uint8_t)(value | 0x80);
    *at++ = (uint8_t)value;
    return at;
}

/* Written out, so that compilers make one store of it where the machine has that order. */
static uint8_t *put_fixed(uint8_t *at, uint64_t value) {
    at[0] = (uint8_t)value;
    at[1] = (uint8_t)(value >> 8);
    at[2] = (uint8_t)(value >> 16);
    at[3] = (uint8_t)(value >> 24);
    at[4] = (uint8_t)(value >> 32);
    at[5] = (uint8_t)(value >> 40);
    at[6] = (uint8_t)(value >> 48);
    at[7] = (uint8_t)(value >> 56);
    return at + 8;
}

static uint8_t *record_put_tag(uint8_t *at, uint32_t number, uint32_t wire) {
    uint32_t tag = number << 2 | wire;
    if (tag >= 0x80) {
        *at++ = (uint8_t)(tag | 0x80);
        tag >>= 7;
    }
    *at++ = (uint8_t)tag;
    return at;
}

/* What memcpy() does; most texts are short, and for those a call costs more than the copy. */
static void copy_bytes(void *to, const void *from, uint64_t size) {
    char *out = to;
    const char *in = from;
    uint64_t first, last;
    uint32_t small_first, small_last;
    if (size >= 8 && size <= 16) {
        memcpy(&first, in, 8);
        memcpy(&last, in + size - 8, 8);
        memcpy(out, &first, 8);
        memcpy(out + size - 8, &last, 8);
    } else if (size >= 4 && size < 8) {
        memcpy(&small_first, in, 4);
        memcpy(&small_last, in + size - 4, 4);
        memcpy(out, &small_first, 4);
        memcpy(out + size - 4, &small_last, 4);
    } else if (size < 4) {
        while (size-- > 0) *out++ = *in++;
    } else {
        memcpy(to, from, (size_t)size);
    }
}

static uint8_t *put_bytes(uint8_t *at, uint32_t number, const void *bytes, uint64_t size) {
    at = record_put_tag(at, number, WIRE_BYTES);
    at = put_varint(at, size);
    copy_bytes(at, bytes, size);
    return at + size;
}

/* Writes a record and gives its size; with `out` NULL it only measures. `lengths` are those of its texts in order. The
 * caller has seen to the room. */
static uint64_t put_record(uint8_t *out, uint32_t kind, const char *record, const uint64_t *lengths) {
    const struct shape *shape = &shapes[kind];
    const struct record_step *step = &record_steps[shape->first];
    uint64_t total = HEAD;
    if (out != NULL) {
        out[0] = FORMAT;
        out[1] = (uint8_t)kind;
    }
    for (uint32_t number = 1; number <= shape->count; number++, step++) {
        uint8_t nowhere[FIELD_ROOM], *start = out != NULL ? out + total : nowhere, *at = start;
        const void *bytes = NULL;
        uint64_t value, size = 0;
        switch (step->type) {
        case CRD_FIELD_TEXT:
            bytes = text_at(record, step->offset);
            size = *lengths++;
            break;
        case CRD_FIELD_HASH:
            bytes = record + step->offset;
            size = hash_is_zero(bytes) ? 0 : 32;
            break;
        case CRD_FIELD_BYTES:
            bytes = bytes_at(record, step, &size);
            break;
        case CRD_FIELD_U64:
            value = u64_at(record, step->offset);
            if (value != 0) at = put_fixed(record_put_tag(at, number, WIRE_FIXED), value);
            break;
        default:
            value = number_at(record, step);
            if (value != 0) at = put_varint(record_put_tag(at, number, WIRE_VARINT), value);
        }
        if (size > 0) {
            at = put_varint(record_put_tag(at, number, WIRE_BYTES), size);
            if (out != NULL) copy_bytes(at, bytes, size);
        }
        total += (uint64_t)(at - start) + size;
    }
    return total;
}

/* The fields of an entry one by one, as put_record() writes them. `length` stands at that of the next text. */
#define IS_LEFT_OUT(at) (canonical && ((at) == AT_entry_last_seq || (at) == AT_entry_hash))
#define PUT_U32(number, field) if ((field) != 0) at = put_varint(record_put_tag(at, number, WIRE_VARINT), field);
#define PUT_I64(number, field)                                                                                         \
    if ((field) != 0) at = put_varint(record_put_tag(at, number, WIRE_VARINT), zigzag((uint64_t)(field)));
#define PUT_DATE PUT_I64
#define PUT_INSTANT PUT_I64
#define PUT_MINOR PUT_I64
#define PUT_U64(number, field) if ((field) != 0) at = put_fixed(record_put_tag(at, number, WIRE_FIXED), field);
#define PUT_TEXT(number, field)                                                                                        \
    if (*length > 0) at = put_bytes(at, number, field, *length);                                                       \
    length++;
#define PUT_HASH(number, field) if (!hash_is_zero((const char *)(field))) at = put_bytes(at, number, field, 32);
#define PUT(k, f, type, flags) if (!IS_LEFT_OUT(AT_##k##_##f)) { PUT_##type(AT_##k##_##f - N_ENTRY + 1, entry->f) }
#define PUT_BYTES(k, f, size)                                                                                          \
    if (entry->f != NULL && entry->size > 0) at = put_bytes(at, AT_##k##_##f - N_ENTRY + 1, entry->f, entry->size);

/* put_record() for entries, of which every command writes and hashes some: with the list written out, numbers and
 * offsets are constants and no type is looked up. That takes half the time. */
static uint64_t put_entry(uint8_t *out, const crd_entry_record *entry, const uint64_t *length, int canonical) {
    uint8_t *at = out + HEAD;
    out[0] = FORMAT;
    out[1] = CRD_KIND_ENTRY;
    ENTRY(PUT, PUT_BYTES)
    return (uint64_t)(at - out);
}

/* The lengths of all texts, and their sum with that of the bytes. */
static uint64_t measure_texts(const struct shape *shape, const char *record, uint64_t *lengths) {
    uint64_t total = 0;
    for (uint32_t i = 0; i < shape->text_count; i++) {
        const char *text = text_at(record, texts[shape->first_text + i]);
        lengths[i] = text[0] == 0 ? 0 : strlen(text);
        total += lengths[i];
    }
    if (shape->bytes < FIELDS) {
        uint64_t size;
        (void)bytes_at(record, &record_steps[shape->bytes], &size);
        total += size;
    }
    return total;
}

crd_status CRD_CALL crd_record_encode(uint32_t kind, const void *record, uint8_t *out, uint64_t capacity,
                                      uint64_t *out_size) {
    const struct shape *shape = record_shape_of(kind);
    union any space;
    uint64_t lengths[TEXTS], size;
    const char *from;
    if (out_size != NULL) *out_size = 0;
    if (shape == NULL || record == NULL || size_of(record) < sizeof(uint32_t) || (out == NULL && capacity != 0))
        return CRD_E_ARGUMENT;
    from = record_whole(shape, record, &space);
    /* Only where room is scarce is the exact size worth a second look at every field. */
    if (capacity < measure_texts(shape, from, lengths) + shape->room) {
        size = put_record(NULL, kind, from, lengths);
        if (out_size != NULL) *out_size = size;
        if (size > capacity) return out != NULL ? CRD_E_TOO_LARGE : CRD_OK;
    }
    size = kind == CRD_KIND_ENTRY ? put_entry(out, (const void *)from, lengths, 0)
                                  : put_record(out, kind, from, lengths);
    if (out_size != NULL) *out_size = size;
    return CRD_OK;
}

uint64_t crd__entry_canonical(const crd_entry_record *entry, uint8_t *out, uint64_t capacity) {
    const struct shape *shape = &shapes[CRD_KIND_ENTRY];
    uint64_t lengths[TEXTS];
    if (capacity < measure_texts(shape, (const char *)entry, lengths) + shape->room) return 0;
    lengths[0] = lengths[1] = 0; /* customer, currency */
    return put_entry(out, entry, lengths, 1);
}

/* What is left to decode, and where the texts go. */
struct decoder {
    const uint8_t *at;
    const uint8_t *end;
    char *text;
    char *text_end;
    char *record;
    uint32_t limit; /* bytes of the record that may be written */
};

static int get_varint(struct decoder *d, uint64_t *out) {
    uint64_t value = 0;
    if (d->at < d->end && *d->at < 0x80) { /* tags, lengths, states */
        *out = *d->at++;
        return 1;
    }
    for (uint32_t shift = 0; shift < 64 && d->at < d->end; shift += 7) {
        uint64_t byte = *d->at++;
        value |= (byte & 0x7f) << shift;
        if (byte < 0x80) {
            *out = value;
            return byte != 0 ? shift < 63 || byte == 1 : shift == 0;
        }
    }
    return 0;
}

/* The bytes of a field with a length: moves behind them. NULL when they reach past the end. */
static const uint8_t *get_bytes(struct decoder *d, uint64_t *size) {
    const uint8_t *bytes;
    if (!get_varint(d, size) || *size > (uint64_t)(d->end - d->at)) return NULL;
    bytes = d->at;
    d->at += *size;
    return bytes;
}

static crd_status skip_field(struct decoder *d, uint32_t wire) {
    uint64_t value;
    switch (wire) {
    case WIRE_VARINT: return get_varint(d, &value) ? CRD_OK : CRD_E_CORRUPT;
    case WIRE_BYTES: return get_bytes(d, &value) != NULL ? CRD_OK : CRD_E_CORRUPT;
    case WIRE_FIXED:
        if (d->end - d->at < 8) return CRD_E_CORRUPT;
        d->at += 8;
        return CRD_OK;
    default: return CRD_E_CORRUPT;
    }
}

static crd_status decode_number(struct decoder *d, const struct record_step *step) {
    uint64_t value = 0;
    uint32_t small, width = 8;
    if (step->type == CRD_FIELD_U64) {
        if (d->end - d->at < 8) return CRD_E_CORRUPT;
        for (uint32_t i = 0; i < 8; i++) value |= (uint64_t)d->at[i] << 8 * i;
        d->at += 8;
    } else if (!get_varint(d, &value)) {
        return CRD_E_CORRUPT;
    }
    if (value == 0) return CRD_E_CORRUPT;
    if (step->type == CRD_FIELD_U32 || step->type == CRD_FIELD_I32 || step->type == CRD_FIELD_DATE) {
        if (value > UINT32_MAX) return CRD_E_CORRUPT;
        width = 4;
    }
    if (step->type != CRD_FIELD_U32 && step->type != CRD_FIELD_U64) value = unzigzag(value);
    if (step->offset + width > d->limit) return CRD_OK;
    small = (uint32_t)(value & UINT32_MAX);
    if (width == 4) {
        memcpy(d->record + step->offset, &small, sizeof small);
    } else {
        memcpy(d->record + step->offset, &value, sizeof value);
    }
    return CRD_OK;
}

static crd_status decode_bytes(struct decoder *d, const struct record_step *step) {
    uint64_t size;
    const uint8_t *bytes = get_bytes(d, &size);
    const uint8_t *copy = (const uint8_t *)d->text;
    uint64_t room = (uint64_t)(d->text_end - d->text);
    if (bytes == NULL || size == 0) return CRD_E_CORRUPT;
    if (step->type == CRD_FIELD_HASH) {
        if (size != 32 || hash_is_zero((const char *)bytes)) return CRD_E_CORRUPT;
        if (step->offset + 32u <= d->limit) memcpy(d->record + step->offset, bytes, 32);
        return CRD_OK;
    }
    if (step->type == CRD_FIELD_TEXT && memchr(bytes, 0, (size_t)size) != NULL) return CRD_E_CORRUPT;
    if (step->offset + step->size_offset + sizeof(const char *) > d->limit ||
        (step->type == CRD_FIELD_BYTES && step->offset + step->size_offset + 8u > d->limit))
        return CRD_OK;
    if (size + (step->type == CRD_FIELD_TEXT) > room) return CRD_E_TOO_LARGE;
    copy_bytes(d->text, bytes, size);
    d->text += size;
    if (step->type == CRD_FIELD_TEXT) {
        *d->text++ = 0;
    } else {
        memcpy(d->record + step->offset + step->size_offset, &size, sizeof size);
    }
    memcpy(d->record + step->offset, &copy, sizeof copy);
    return CRD_OK;
}

static crd_status decode_fields(struct decoder *d, const struct shape *shape) {
    uint64_t last = 0, tag;
    while (d->at < d->end) {
        const struct record_step *step;
        uint32_t wire;
        crd_status status;
        if (!get_varint(d, &tag) || tag >> 2 <= last) return CRD_E_CORRUPT;
        last = tag >> 2;
        wire = (uint32_t)(tag & 3);
        if (last > shape->count) {
            status = skip_field(d, wire);
        } else {
            step = &record_steps[shape->first + last - 1];
            if (step->type >= CRD_FIELD_TEXT) {
                status = wire == WIRE_BYTES ? decode_bytes(d, step) : CRD_E_CORRUPT;
            } else {
                status = wire == (step->type == CRD_FIELD_U64 ? WIRE_FIXED : WIRE_VARINT) ? decode_number(d, step)
                                                                                          : CRD_E_CORRUPT;
            }
        }
        if (status != CRD_OK) return status;
    }
    return CRD_OK;
}

static void blank(const struct shape *shape, char *record) {
    uint32_t size = size_of(record);
    memset(record + sizeof size, 0, size - sizeof size);
    for (uint32_t i = 0; i < shape->text_count; i++) {
        uint32_t offset = texts[shape->first_text + i];
        if (offset + sizeof(const char *) <= size) record_set_text(record, offset, "");
    }
}

crd_status CRD_CALL crd_record_decode(uint32_t kind, const uint8_t *bytes, uint64_t size, void *record, char *text,
                                      uint64_t text_capacity) {
    const struct shape *shape = record_shape_of(kind);
    struct decoder d;
    crd_status status;
    if (shape == NULL || record == NULL || (bytes == NULL && size != 0) || (text == NULL && text_capacity != 0))
        return CRD_E_ARGUMENT;
    if (size_of(record) < sizeof(uint32_t)) return CRD_E_ARGUMENT;
    blank(shape, record);
    if (size < HEAD || bytes[0] != FORMAT || bytes[1] != kind) return CRD_E_CORRUPT;
    d.at = bytes + HEAD;
    d.end = bytes + size;
    d.text = text;
    d.text_end = text_capacity != 0 ? text + text_capacity : text;
    d.record = record;
    d.limit = size_of(record);
    status = decode_fields(&d, shape);
    if (status != CRD_OK) blank(shape, record);
    return status;
}

static uint8_t *put_big_endian(uint8_t *at, uint64_t value, uint32_t width) {
    for (uint32_t i = width; i-- > 0;) *at++ = (uint8_t)(value >> 8 * i);
    return at;
}

/* Length of a key field, or with `at` its bytes; numbers are never negative, so most significant first they sort. */
static uint64_t key_field(const char *record, const struct record_step *step, uint8_t *at) {
    const char *text;
    uint64_t size;
    switch (step->type) {
    case CRD_FIELD_TEXT:
        text = text_at(record, step->offset);
        size = strlen(text) + 1;
        if (at != NULL) memcpy(at, text, (size_t)size);
        return size;
    case CRD_FIELD_U32:
        if (at != NULL) (void)put_big_endian(at, u32_at(record, step->offset), 4);
        return 4;
    default:
        if (at != NULL) (void)put_big_endian(at, u64_at(record, step->offset), 8);
        return 8;
    }
}

crd_status CRD_CALL crd_record_key(uint32_t kind, const void *record, uint8_t *out, uint64_t capacity,
                                   uint64_t *out_size) {
    const struct shape *shape = record_shape_of(kind);
    union any space;
    const char *from;
    uint64_t size = 1;
    if (out_size != NULL) *out_size = 0;
    if (shape == NULL || record == NULL || size_of(record) < sizeof(uint32_t) || (out == NULL && capacity != 0))
        return CRD_E_ARGUMENT;
    from = record_whole(shape, record, &space);
    for (uint32_t i = shape->first; fields[i].flags & KEY; i++) size += key_field(from, &record_steps[i], NULL);
    if (out_size != NULL) *out_size = size;
    if (size > capacity) return out != NULL ? CRD_E_TOO_LARGE : CRD_OK;
    *out++ = (uint8_t)kind;
    for (uint32_t i = shape->first; fields[i].flags & KEY; i++) out += key_field(from, &record_steps[i], out);
    return CRD_OK;
}

const crd_field *const *CRD_CALL crd_record_fields(uint32_t kind, uint64_t *count, uint32_t *size) {
    const struct shape *shape = record_shape_of(kind);
    if (count != NULL) *count = shape != NULL ? shape->count : 0;
    if (size != NULL) *size = shape != NULL ? shape->size : 0;
    return shape != NULL ? &field_list[shape->first] : NULL;
}

const char *CRD_CALL crd_kind_name(uint32_t kind) {
    return shapes[kind < CRD_KIND_COUNT ? kind : 0].name;
}

void crd__record_clear(uint32_t kind, void *record) {
    const struct shape *shape = &shapes[kind];
    memcpy(record, &shape->size, sizeof shape->size);
    blank(shape, record);
}

int crd__record_text_good(uint32_t kind, const void *record) {
    const struct shape *shape = &shapes[kind];
    union any space;
    const char *from = record_whole(shape, record, &space);
    for (uint32_t i = 0; i < shape->text_count; i++) {
        const char *text = text_at(from, texts[shape->first_text + i]);
        if (text[0] != '\0' && crd__text_check(text, UINT32_MAX, 1) != CRD_OK) return 0;
    }
    return 1;
}

uint64_t crd__record_text_size(uint32_t kind, const void *record) {
    const struct shape *shape = &shapes[kind];
    union any space;
    uint64_t lengths[TEXTS], total;
    total = measure_texts(shape, record_whole(shape, record, &space), lengths);
    for (uint32_t i = 0; i < shape->text_count; i++) total += lengths[i] > 0;
    return total;
}

void crd__record_copy(uint32_t kind, const void *from, void *to, char **cursor) {
    const struct shape *shape = &shapes[kind];
    uint32_t known = size_of(from) < shape->size ? size_of(from) : shape->size;
    char *record = to;
    memmove(to, from, known);
    memset(record + known, 0, shape->size - known);
    memcpy(to, &shape->size, sizeof shape->size);
    for (uint32_t i = 0; i < shape->text_count; i++) {
        uint32_t offset = texts[shape->first_text + i];
        const char *text = text_at(record, offset);
        uint64_t size = text[0] == 0 ? 0 : strlen(text) + 1;
        record_set_text(record, offset, size > 0 ? *cursor : "");
        copy_bytes(*cursor, text, size);
        *cursor += size;
    }
    if (shape->bytes < FIELDS) {
        const struct record_step *step = &record_steps[shape->bytes];
        uint64_t size;
        const uint8_t *bytes = bytes_at(record, step, &size);
        const char *copy = size > 0 ? *cursor : NULL;
        if (size > 0) memcpy(*cursor, bytes, (size_t)size);
        memcpy(record + step->offset, &copy, sizeof copy);
        memcpy(record + step->offset + step->size_offset, &size, sizeof size);
        *cursor += size;
    }
}

static int fields_equal(const struct record_step *step, const char *a, const char *b) {
    const uint8_t *left, *right;
    uint64_t left_size, right_size;
    switch (step->type) {
    case CRD_FIELD_TEXT: return strcmp(text_at(a, step->offset), text_at(b, step->offset)) == 0;
    case CRD_FIELD_HASH: return memcmp(a + step->offset, b + step->offset, 32) == 0;
    case CRD_FIELD_BYTES:
        left = bytes_at(a, step, &left_size);
        right = bytes_at(b, step, &right_size);
        return left_size == right_size && (left_size == 0 || memcmp(left, right, (size_t)left_size) == 0);
    default: return number_at(a, step) == number_at(b, step);
    }
}

int crd__record_equal(uint32_t kind, const void *a, const void *b, const crd_field **first_difference) {
    const struct shape *shape = &shapes[kind];
    union any space_a, space_b;
    const char *left = record_whole(shape, a, &space_a), *right = record_whole(shape, b, &space_b);
    for (uint32_t i = shape->first; i < shape->first + (uint32_t)shape->count; i++) {
        if (fields_equal(&record_steps[i], left, right)) continue;
        if (first_difference != NULL) *first_difference = &fields[i];
        return 0;
    }
    return 1;
}

int crd__record_compare_key(uint32_t kind, const void *a, const void *b) {
    const struct shape *shape = &shapes[kind];
    union any space_a, space_b;
    const char *left = record_whole(shape, a, &space_a), *right = record_whole(shape, b, &space_b);
    for (uint32_t i = shape->first; fields[i].flags & KEY; i++) {
        const struct record_step *step = &record_steps[i];
        uint64_t x, y;
        if (step->type == CRD_FIELD_TEXT) {
            int order = strcmp(text_at(left, step->offset), text_at(right, step->offset));
            if (order != 0) return order;
            continue;
        }
        x = step->type == CRD_FIELD_U32 ? u32_at(left, step->offset) : u64_at(left, step->offset);
        y = step->type == CRD_FIELD_U32 ? u32_at(right, step->offset) : u64_at(right, step->offset);
        if (x != y) return x < y ? -1 : 1;
    }
    return 0;
}

/* A text by offset, "" where the record does not reach. */
static const char *text_within(const void *record, uint32_t offset) {
    return offset + sizeof(const char *) <= size_of(record) ? text_at(record, offset) : "";
}

const char *crd__record_customer(uint32_t kind, const void *record) {
    return text_within(record, shapes[kind].customer);
}

const char *crd__record_currency(uint32_t kind, const void *record) {
    return text_within(record, shapes[kind].currency);
}

int crd__record_fits(uint32_t kind, const void *record, uint32_t size) {
    const struct shape *shape = &shapes[kind];
    union any space;
    const char *from;
    uint64_t length;
    if (size >= shape->size) return 1;
    from = record_whole(shape, record, &space);
    for (uint32_t i = shape->first; i < shape->first + (uint32_t)shape->count; i++) {
        const struct record_step *step = &record_steps[i];
        switch (step->type) {
        case CRD_FIELD_TEXT:
            if (step->offset + sizeof(const char *) > size && text_at(from, step->offset)[0] != 0) return 0;
            break;
        case CRD_FIELD_HASH:
            if (step->offset + 32u > size && !hash_is_zero(from + step->offset)) return 0;
            break;
        case CRD_FIELD_BYTES:
            (void)bytes_at(from, step, &length);
            if (step->offset + step->size_offset + 8u > size && length > 0) return 0;
            break;
        default:
            length = step->type <= CRD_FIELD_DATE ? 4 : 8;
            if (step->offset + length > size && number_at(from, step) != 0) return 0;
        }
    }
    return 1;
}

const char *crd__record_id(uint32_t kind, const void *record) {
    switch (kind) {
    case CRD_KIND_CREDIT: return text_within(record, offsetof(crd_credit_record, id));
    case CRD_KIND_INVOICE: return text_within(record, offsetof(crd_invoice_record, id));
    case CRD_KIND_RECEIPT: return text_within(record, offsetof(crd_receipt_record, id));
    case CRD_KIND_HOLD: return text_within(record, offsetof(crd_hold_record, id));
    case CRD_KIND_LINE: return text_within(record, offsetof(crd_line_record, id));
    case CRD_KIND_REQUEST: return text_within(record, offsetof(crd_request_record, request_key));
    default: return "";
    }
}

int crd__field_equal(const crd_field *field, const void *a, const void *b) {
    return fields_equal(&record_steps[field - fields], a, b);
}
