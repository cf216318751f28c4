/*
 * Records as data: fields, keys, encoding, and what the library does with records of any kind.
 */
#include "core/record.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

/* Room for any record and its texts. */
typedef union any {
    uint32_t struct_size;
    crd_account_record account;
    crd_customer_record customer;
    crd_credit_record credit;
    crd_invoice_record invoice;
    crd_receipt_record receipt;
    crd_hold_record hold;
    crd_line_record line;
    crd_entry_record entry;
    crd_request_record request;
} any;

static uint64_t seed = 42;

static uint64_t next(uint64_t bound) {
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (seed >> 33) % bound;
}

static uint64_t edge(void) {
    uint64_t bit = UINT64_C(1) << next(64);
    switch (next(6)) {
    case 0: return 0;
    case 1: return next(300);
    case 2: return bit;
    case 3: return bit - 1;
    case 4: return ~bit;
    default: return bit + next(1000);
    }
}

static const char *texts[] = {"", "", "a", "b", "aa", "ab", "a0", "\x7f", "\xc3\xa4\xe2\x82\xac", "cust0001", "EUR",
                              "a text that is longer than the others, but not long", NULL};
static char paragraph[CRD_MAX_TEXT + 1];
static const uint8_t blob[300] = {1, 0, 2, 0, 3};

static const char *random_text(void) {
    uint64_t which = next(14);
    memset(paragraph, 'p', CRD_MAX_TEXT);
    return which < 13 ? texts[which] : paragraph;
}

static void randomize(uint32_t kind, any *record) {
    uint64_t count, value, size;
    const crd_field *const *fields = crd_record_fields(kind, &count, NULL);
    char *base = (char *)record;
    crd__record_clear(kind, record);
    for (uint64_t i = 0; i < count; i++) {
        const crd_field *f = fields[i];
        const char *text = random_text();
        uint32_t small;
        const uint8_t *bytes = blob;
        if (next(3) == 0) continue;
        value = edge();
        if (f->flags & CRD_FIELD_KEY) value &= INT64_MAX;
        small = (uint32_t)value;
        switch (f->type) {
        case CRD_FIELD_TEXT: memcpy(base + f->offset, &text, sizeof text); break;
        case CRD_FIELD_HASH:
            for (uint32_t b = 0; b < 32; b++) base[f->offset + b] = (char)(next(4) ? 0 : next(256));
            break;
        case CRD_FIELD_BYTES:
            size = next(sizeof blob);
            memcpy(base + f->offset, &bytes, sizeof bytes);
            memcpy(base + f->size_offset, &size, sizeof size);
            break;
        case CRD_FIELD_U32:
        case CRD_FIELD_I32:
        case CRD_FIELD_DATE: memcpy(base + f->offset, &small, sizeof small); break;
        default: memcpy(base + f->offset, &value, sizeof value);
        }
    }
}

START_TEST(every_field_lies_within_its_struct_and_has_a_name_of_its_own) {
    for (uint32_t kind = 1; kind < CRD_KIND_COUNT; kind++) {
        uint64_t count;
        uint32_t size;
        const crd_field *const *fields = crd_record_fields(kind, &count, &size);
        ck_assert_ptr_nonnull(fields);
        for (uint64_t i = 0; i < count; i++) {
            ck_assert_uint_eq(fields[i]->struct_size, sizeof(crd_field));
            ck_assert_uint_ge(fields[i]->offset, sizeof(uint32_t));
            ck_assert_uint_lt(fields[i]->offset, size);
            for (uint64_t j = 0; j < i; j++) {
                ck_assert_str_ne(fields[i]->name, fields[j]->name);
                ck_assert_uint_ne(fields[i]->offset, fields[j]->offset);
            }
        }
        ck_assert_str_ne(crd_kind_name(kind), "?");
    }
    ck_assert_ptr_null(crd_record_fields(0, NULL, NULL));
    ck_assert_ptr_null(crd_record_fields(CRD_KIND_COUNT, NULL, NULL));
    ck_assert_str_eq(crd_kind_name(CRD_KIND_COUNT), "?");
    ck_assert_str_eq(crd_kind_name(CRD_KIND_CREDIT), "credit");
}
END_TEST

/* The fields account for every byte of the structs but struct_size and what is named reserved: sums of sizes. */
START_TEST(no_field_of_a_struct_is_forgotten) {
    static const uint32_t reserved[CRD_KIND_COUNT] = {0, 4, 0, 0, 0, 0, 4, 0, 4, 0};
    if (sizeof(void *) != 8) return; /* elsewhere the compiler pads */
    for (uint32_t kind = 1; kind < CRD_KIND_COUNT; kind++) {
        uint64_t count, total = 4 + reserved[kind];
        uint32_t size;
        const crd_field *const *fields = crd_record_fields(kind, &count, &size);
        for (uint64_t i = 0; i < count; i++) {
            uint32_t type = fields[i]->type;
            total += type == CRD_FIELD_HASH ? 32u : type == CRD_FIELD_BYTES ? 16u : type <= CRD_FIELD_DATE ? 4u : 8u;
        }
        ck_assert_msg(total == size, "%s: fields take %u of %u bytes", crd_kind_name(kind), (unsigned)total, size);
    }
}
END_TEST

START_TEST(what_is_encoded_is_decoded) {
    static uint8_t bytes[32768];
    static char text[32768];
    for (uint32_t round = 0; round < 9000; round++) {
        uint32_t kind = 1 + round % (CRD_KIND_COUNT - 1);
        uint64_t size, exact, again;
        const crd_field *difference = NULL;
        any record, back;
        randomize(kind, &record);
        ck_assert_int_eq(crd_record_encode(kind, &record, bytes, sizeof bytes, &size), CRD_OK);
        ck_assert_int_eq(crd_record_encode(kind, &record, NULL, 0, &exact), CRD_OK);
        ck_assert_uint_eq(size, exact);
        back.struct_size = record.struct_size;
        /* Exactly as much room for texts as is promised to suffice: so a sanitizer sees one byte too many. */
        char *room = malloc(size + 16);
        ck_assert_int_eq(crd_record_decode(kind, bytes, size, &back, room, size + 16), CRD_OK);
        ck_assert_msg(crd__record_equal(kind, &record, &back, &difference), "%s.%s", crd_kind_name(kind),
                      difference ? difference->name : "?");
        ck_assert_int_eq(crd_record_encode(kind, &back, (uint8_t *)text, exact, &again), CRD_OK);
        ck_assert_uint_eq(again, exact);
        ck_assert_mem_eq(text, bytes, exact);
        free(room);
    }
}
END_TEST

START_TEST(too_little_room_is_said_and_nothing_written) {
    uint8_t bytes[256];
    uint64_t size, small;
    any record;
    crd__record_clear(CRD_KIND_CREDIT, &record);
    record.credit.customer = "c";
    record.credit.id = "d";
    record.credit.original = 1000;
    ck_assert_int_eq(crd_record_encode(CRD_KIND_CREDIT, &record, NULL, 0, &size), CRD_OK);
    for (uint64_t room = 1; room < size; room++) {
        memset(bytes, 0x5a, sizeof bytes);
        ck_assert_int_eq(crd_record_encode(CRD_KIND_CREDIT, &record, bytes, room, &small), CRD_E_TOO_LARGE);
        ck_assert_uint_eq(small, size);
        for (uint64_t i = 0; i < sizeof bytes; i++) ck_assert_uint_eq(bytes[i], 0x5a);
    }
    memset(bytes, 0x5a, sizeof bytes);
    ck_assert_int_eq(crd_record_encode(CRD_KIND_CREDIT, &record, bytes, size, &small), CRD_OK);
    for (uint64_t i = size; i < sizeof bytes; i++) ck_assert_uint_eq(bytes[i], 0x5a);
    ck_assert_int_eq(crd_record_encode(0, &record, bytes, sizeof bytes, &small), CRD_E_ARGUMENT);
    ck_assert_int_eq(crd_record_encode(CRD_KIND_CREDIT, NULL, bytes, sizeof bytes, &small), CRD_E_ARGUMENT);
    ck_assert_int_eq(crd_record_encode(CRD_KIND_CREDIT, &record, NULL, 10, &small), CRD_E_ARGUMENT);
    ck_assert_int_eq(crd_record_key(CRD_KIND_CREDIT, &record, bytes, 4, &small), CRD_E_TOO_LARGE);
    ck_assert_uint_eq(small, 5);
}
END_TEST

static void assert_blank(uint32_t kind, const any *record) {
    any clear;
    crd__record_clear(kind, &clear);
    ck_assert(crd__record_equal(kind, record, &clear, NULL));
}

START_TEST(damaged_bytes_never_decode_into_nonsense) {
    static uint8_t bytes[32768];
    static char text[32768];
    for (uint32_t round = 0; round < 30000; round++) {
        uint32_t kind = 1 + round % (CRD_KIND_COUNT - 1);
        uint64_t size, cut;
        crd_status status;
        any record, back;
        uint8_t *copy;
        randomize(kind, &record);
        ck_assert_int_eq(crd_record_encode(kind, &record, bytes, sizeof bytes, &size), CRD_OK);
        cut = next(3) == 0 ? next(size + 1) : size;
        copy = malloc(cut + 1);
        memcpy(copy, bytes, cut);
        for (uint64_t n = next(4); n > 0 && cut > 0; n--) copy[next(cut < 40 ? cut : 40)] ^= (uint8_t)(1u << next(8));
        back.struct_size = record.struct_size;
        status = crd_record_decode(kind, copy, cut, &back, text, sizeof text);
        ck_assert(status == CRD_OK || status == CRD_E_CORRUPT);
        if (status == CRD_E_CORRUPT) {
            assert_blank(kind, &back);
        } else { /* what decodes is what it encodes to, but for fields of a later version */
            uint64_t again;
            ck_assert_int_eq(crd_record_encode(kind, &back, bytes, sizeof bytes, &again), CRD_OK);
            ck_assert_uint_le(again, cut);
            if (again == cut) ck_assert_mem_eq(bytes, copy, cut);
        }
        free(copy);
    }
}
END_TEST

#define REFUSED(...)                                                                                                   \
    do {                                                                                                               \
        static const uint8_t given[] = {__VA_ARGS__};                                                                  \
        ck_assert_int_eq(crd_record_decode(CRD_KIND_HOLD, given, sizeof given, &back, text, sizeof text),             \
                         CRD_E_CORRUPT);                                                                               \
        assert_blank(CRD_KIND_HOLD, &back);                                                                            \
    } while (0)

/* customer is field 1, id 2, currency 3, first_seq 4, last_seq 5, flags 6. */
START_TEST(a_record_has_one_encoding) {
    static const uint8_t good[] = {1, CRD_KIND_HOLD, 1 << 2 | 1, 1, 'c', 4 << 2, 2, 6 << 2, 5};
    char text[64];
    any back;
    back.struct_size = sizeof back.hold;
    ck_assert_int_eq(crd_record_decode(CRD_KIND_HOLD, good, sizeof good, &back, text, sizeof text), CRD_OK);
    ck_assert_str_eq(back.hold.customer, "c");
    ck_assert_int_eq(back.hold.first_seq, 1);
    ck_assert_uint_eq(back.hold.flags, 5);
    ck_assert_int_eq(crd_record_decode(CRD_KIND_HOLD, good, sizeof good, &back, text, 1), CRD_E_TOO_LARGE);
    REFUSED(1);
    REFUSED(2, CRD_KIND_HOLD);                                  /* another format */
    REFUSED(1, CRD_KIND_CREDIT);                                /* another kind */
    REFUSED(1, CRD_KIND_HOLD, 4 << 2 | 1, 1, 'c');              /* wrong wire */
    REFUSED(1, CRD_KIND_HOLD, 1 << 2, 1);                       /* wrong wire */
    REFUSED(1, CRD_KIND_HOLD, 6 << 2, 5, 4 << 2, 2);            /* out of order */
    REFUSED(1, CRD_KIND_HOLD, 4 << 2, 2, 4 << 2, 2);            /* twice */
    REFUSED(1, CRD_KIND_HOLD, 4 << 2, 0);                       /* zero */
    REFUSED(1, CRD_KIND_HOLD, 1 << 2 | 1, 0);                   /* empty */
    REFUSED(1, CRD_KIND_HOLD, 1 << 2 | 1, 2, 'c');              /* past the end */
    REFUSED(1, CRD_KIND_HOLD, 1 << 2 | 1, 2, 'c', 0);           /* NUL in a text */
    REFUSED(1, CRD_KIND_HOLD, 4 << 2, 0x82, 0);                 /* longer than need be */
    REFUSED(1, CRD_KIND_HOLD, 6 << 2, 0xff, 0xff, 0xff, 0xff, 0x1f); /* beyond 32 bits */
    REFUSED(1, CRD_KIND_HOLD, 4 << 2, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2); /* beyond 64 */
    REFUSED(1, CRD_KIND_HOLD, 4 << 2, 0xff);                    /* unfinished */
    REFUSED(1, CRD_KIND_HOLD, 0, 1);                            /* field 0 */
    REFUSED(1, CRD_KIND_HOLD, 0xff, 1);                         /* unknown field, unknown wire */
}
END_TEST

START_TEST(fields_of_a_later_version_are_skipped) {
    /* 50 with a number, 51 with bytes, 52 with eight bytes */
    static const uint8_t later[] = {1, CRD_KIND_HOLD, 6 << 2, 5, 0xc8, 1, 9, 0xcd, 1, 3, 'a', 0, 'b',
                                    0xd2, 1, 1, 2, 3, 4, 5, 6, 7, 8};
    char text[64];
    any back;
    back.struct_size = sizeof back.hold;
    ck_assert_int_eq(crd_record_decode(CRD_KIND_HOLD, later, sizeof later, &back, text, sizeof text), CRD_OK);
    ck_assert_uint_eq(back.hold.flags, 5);
    back.hold.flags = 0;
    assert_blank(CRD_KIND_HOLD, &back);
    for (uint64_t cut = 5; cut < sizeof later; cut++) {
        if (cut == 7 || cut == 13) continue; /* a field ends here */
        ck_assert_int_eq(crd_record_decode(CRD_KIND_HOLD, later, cut, &back, text, sizeof text), CRD_E_CORRUPT);
    }
}
END_TEST

START_TEST(a_shorter_struct_is_neither_read_nor_written_behind_its_end) {
    static uint8_t bytes[32768];
    static char text[32768], space[32768];
    for (uint32_t round = 0; round < 4000; round++) {
        uint32_t kind = 1 + round % (CRD_KIND_COUNT - 1), cut;
        uint64_t count, size;
        const crd_field *const *fields = crd_record_fields(kind, &count, NULL);
        const crd_field *at = fields[next(count)];
        any record, expected, back;
        char *shorter, *cursor = space;
        cut = at->type == CRD_FIELD_BYTES ? at->size_offset + 8 : at->offset; /* an end no field straddles */
        randomize(kind, &record);
        shorter = malloc(cut);
        memcpy(shorter, &record, cut);
        memcpy(shorter, &cut, sizeof cut);
        crd__record_copy(kind, shorter, &expected, &cursor);
        ck_assert_uint_eq((uint64_t)(cursor - space), crd__record_text_size(kind, shorter));
        ck_assert(crd__record_equal(kind, shorter, &expected, NULL));
        ck_assert(crd__record_fits(kind, &expected, cut));
        ck_assert_int_eq(crd__record_fits(kind, &record, cut), crd__record_equal(kind, &record, &expected, NULL));
        ck_assert_int_eq(crd_record_encode(kind, shorter, bytes, sizeof bytes, &size), CRD_OK);
        back.struct_size = expected.struct_size;
        ck_assert_int_eq(crd_record_decode(kind, bytes, size, &back, text, sizeof text), CRD_OK);
        ck_assert(crd__record_equal(kind, &back, &expected, NULL));
        /* And a whole record into the shorter struct. */
        ck_assert_int_eq(crd_record_encode(kind, &record, bytes, sizeof bytes, &size), CRD_OK);
        ck_assert_int_eq(crd_record_decode(kind, bytes, size, shorter, text, sizeof text), CRD_OK);
        ck_assert(crd__record_equal(kind, shorter, &expected, NULL));
        free(shorter);
    }
}
END_TEST

START_TEST(a_copy_shares_nothing_with_its_source) {
    static char space[32768];
    for (uint32_t round = 0; round < 2000; round++) {
        uint32_t kind = 1 + round % (CRD_KIND_COUNT - 1);
        any record, copy;
        char *cursor = space;
        uint64_t count;
        const crd_field *const *fields = crd_record_fields(kind, &count, NULL);
        randomize(kind, &record);
        crd__record_copy(kind, &record, &copy, &cursor);
        ck_assert_uint_eq((uint64_t)(cursor - space), crd__record_text_size(kind, &record));
        ck_assert(crd__record_equal(kind, &record, &copy, NULL));
        for (uint64_t i = 0; i < count; i++) {
            const char *text;
            if (fields[i]->type != CRD_FIELD_TEXT) continue;
            memcpy(&text, (char *)&copy + fields[i]->offset, sizeof text);
            ck_assert_ptr_nonnull(text);
            ck_assert(text[0] == 0 || (text >= space && text < cursor));
        }
    }
}
END_TEST

static int sign(int value) {
    return (value > 0) - (value < 0);
}

START_TEST(keys_sort_as_records_do) {
    for (uint32_t round = 0; round < 20000; round++) {
        uint32_t kind = 1 + round % (CRD_KIND_COUNT - 1);
        uint8_t left[CRD_RECORD_KEY_SIZE], right[CRD_RECORD_KEY_SIZE];
        uint64_t left_size, right_size;
        any a, b;
        int order;
        randomize(kind, &a);
        randomize(kind, &b);
        if (crd__record_text_size(kind, &a) > 900 || crd__record_text_size(kind, &b) > 900) continue; /* no ids */
        ck_assert_int_eq(crd_record_key(kind, &a, left, sizeof left, &left_size), CRD_OK);
        ck_assert_int_eq(crd_record_key(kind, &b, right, sizeof right, &right_size), CRD_OK);
        order = memcmp(left, right, left_size < right_size ? left_size : right_size);
        if (order == 0) order = (left_size > right_size) - (left_size < right_size);
        ck_assert_int_eq(sign(order), sign(crd__record_compare_key(kind, &a, &b)));
    }
}
END_TEST

START_TEST(keys_are_the_bytes_the_header_tells) {
    uint8_t key[CRD_RECORD_KEY_SIZE];
    uint64_t size;
    any record;
    crd__record_clear(CRD_KIND_LINE, &record);
    record.line.customer = "c1";
    record.line.document_kind = CRD_KIND_INVOICE;
    record.line.id = "i";
    record.line.number = 258;
    ck_assert_int_eq(crd_record_key(CRD_KIND_LINE, &record, key, sizeof key, &size), CRD_OK);
    ck_assert_uint_eq(size, 18);
    ck_assert_mem_eq(key, "\x07" "c1\0" "\0\0\0\x04" "i\0" "\0\0\0\0\0\0\1\2", 18);
    ck_assert_str_eq(crd__record_customer(CRD_KIND_LINE, &record), "c1");
    ck_assert_str_eq(crd__record_currency(CRD_KIND_LINE, &record), "");
}
END_TEST

int main(void) {
    Suite *suite = suite_create("record");
    TCase *tests = tcase_create("record");
    SRunner *runner;
    int failed;
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, every_field_lies_within_its_struct_and_has_a_name_of_its_own);
    tcase_add_test(tests, no_field_of_a_struct_is_forgotten);
    tcase_add_test(tests, what_is_encoded_is_decoded);
    tcase_add_test(tests, too_little_room_is_said_and_nothing_written);
    tcase_add_test(tests, damaged_bytes_never_decode_into_nonsense);
    tcase_add_test(tests, a_record_has_one_encoding);
    tcase_add_test(tests, fields_of_a_later_version_are_skipped);
    tcase_add_test(tests, a_shorter_struct_is_neither_read_nor_written_behind_its_end);
    tcase_add_test(tests, a_copy_shares_nothing_with_its_source);
    tcase_add_test(tests, keys_sort_as_records_do);
    tcase_add_test(tests, keys_are_the_bytes_the_header_tells);
    suite_add_tcase(suite, tests);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
