/*
 * The journal's chain. The expected hashes were computed apart from the library, with the BLAKE2b of Python's
 * hashlib over bytes put together by hand from the description of the encoding in lib/core/record.c.
 */
#include "core/record.h"

#include <check.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static crd_entry_record an_apply(void) {
    crd_entry_record e;
    crd__record_clear(CRD_KIND_ENTRY, &e);
    e.type = CRD_ENTRY_APPLY;
    e.customer = "cust0001";
    e.currency = "EUR";
    e.seq = e.last_seq = 1234;
    e.instant = INT64_C(1700000000123456);
    e.business_date = 19675;
    e.flags = CRD_ENTRY_AUTOMATIC;
    e.writer = UINT64_C(0x0123456789abcdef);
    e.command = 4321;
    e.amount = 123456;
    e.credit_after = 7890;
    e.invoice_after = 654321;
    e.credit = "CR-00017";
    e.invoice = "IN-00042";
    e.receipt = "~EUR1230";
    e.actor = "admin";
    return e;
}

static void assert_hash(const uint8_t *hash, const char *hex) {
    static const char digits[] = "0123456789abcdef";
    for (uint32_t i = 0; i < 32; i++) {
        ck_assert_int_eq(hex[2 * i], digits[hash[i] >> 4]);
        ck_assert_int_eq(hex[2 * i + 1], digits[hash[i] & 15]);
    }
}

START_TEST(the_hash_of_an_entry_is_what_the_format_says) {
    crd_entry_record e = an_apply();
    uint8_t previous[32], hash[32];
    for (uint8_t i = 0; i < 32; i++) previous[i] = i;
    ck_assert_int_eq(crd_entry_hash(&e, previous, hash), CRD_OK);
    assert_hash(hash, "9dc1df24d46ab39e11e1b6b29d6e41295d73e3ff1c53bd5b46fc073d614d4322");
}
END_TEST

START_TEST(the_chain_begins_with_customer_and_currency) {
    crd_entry_record e = an_apply();
    uint8_t hash[32];
    crd__record_clear(CRD_KIND_ENTRY, &e);
    e.customer = "cust0001";
    e.currency = "EUR";
    e.seq = 1;
    e.type = CRD_ENTRY_CUSTOMER;
    ck_assert_int_eq(crd_entry_hash(&e, NULL, hash), CRD_OK);
    assert_hash(hash, "7c476180edf86c3794187ec8805833ec03b9b311e1ef115a342139165d830ef5");
    e.seq = 2;
    ck_assert_int_eq(crd_entry_hash(&e, NULL, hash), CRD_E_ARGUMENT);
}
END_TEST

START_TEST(a_long_entry_is_hashed_like_a_short_one) {
    static char note[2001], reference[40001];
    crd_entry_record e;
    uint8_t hash[32];
    memset(note, 'n', 2000);
    memset(reference, 'r', 40000);
    crd__record_clear(CRD_KIND_ENTRY, &e);
    e.customer = "cust0001";
    e.currency = "EUR";
    e.seq = 1;
    e.type = CRD_ENTRY_CUSTOMER;
    e.note = note;
    ck_assert_int_eq(crd_entry_hash(&e, NULL, hash), CRD_OK);
    assert_hash(hash, "d64c66240aeb8c9292276655cce2a7c3e2e1c0798be18abe69a35cf013b61a76");
    e.reference = reference;
    ck_assert_int_eq(crd_entry_hash(&e, NULL, hash), CRD_E_TOO_LARGE);
    e.customer = reference;
    ck_assert_int_eq(crd_entry_hash(&e, NULL, hash), CRD_E_TOO_LARGE);
}
END_TEST

/* The largest image within the limits, in an entry whose texts are as long as they may be. */
START_TEST(the_largest_entry_within_the_limits_is_hashed) {
    static char text[CRD_MAX_TEXT + 1];
    static uint8_t image[32768];
    uint64_t count;
    const crd_field *const *fields;
    crd_credit_record c;
    crd_entry_record e;
    const char *longest = text;
    uint8_t previous[32] = {0}, hash[32];
    memset(text, 't', CRD_MAX_TEXT);
    crd__record_clear(CRD_KIND_CREDIT, &c);
    memset((char *)&c + sizeof c.struct_size, 0x5a, sizeof c - sizeof c.struct_size);
    fields = crd_record_fields(CRD_KIND_CREDIT, &count, NULL);
    for (uint64_t i = 0; i < count; i++)
        if (fields[i]->type == CRD_FIELD_TEXT) memcpy((char *)&c + fields[i]->offset, &longest, sizeof longest);
    crd__record_clear(CRD_KIND_ENTRY, &e);
    memset((char *)&e + sizeof e.struct_size, 0x5a, sizeof e - sizeof e.struct_size);
    ck_assert_int_eq(crd_record_encode(CRD_KIND_CREDIT, &c, image, sizeof image, &e.image_size), CRD_OK);
    e.image = image;
    fields = crd_record_fields(CRD_KIND_ENTRY, &count, NULL);
    for (uint64_t i = 0; i < count; i++)
        if (fields[i]->type == CRD_FIELD_TEXT) memcpy((char *)&e + fields[i]->offset, &longest, sizeof longest);
    ck_assert_int_eq(crd_entry_hash(&e, previous, hash), CRD_OK);
}
END_TEST

START_TEST(every_field_but_place_and_hash_is_hashed) {
    crd_entry_record e = an_apply(), changed;
    uint8_t previous[32] = {7}, hash[32], other[32];
    uint64_t count;
    const crd_field *const *fields = crd_record_fields(CRD_KIND_ENTRY, &count, NULL);
    static const uint8_t image[] = {1, 2, 3};
    ck_assert_int_eq(crd_entry_hash(&e, previous, hash), CRD_OK);
    for (uint64_t i = 0; i < count; i++) {
        const char *name = fields[i]->name, *text = "another";
        int left_out = strcmp(name, "customer") == 0 || strcmp(name, "currency") == 0 ||
                       strcmp(name, "last_seq") == 0 || strcmp(name, "hash") == 0;
        changed = e;
        if (fields[i]->type == CRD_FIELD_TEXT) {
            memcpy((char *)&changed + fields[i]->offset, &text, sizeof text);
        } else if (fields[i]->type == CRD_FIELD_BYTES) {
            changed.image = image;
            changed.image_size = sizeof image;
        } else {
            ((char *)&changed)[fields[i]->offset] ^= 1;
        }
        ck_assert_int_eq(crd_entry_hash(&changed, previous, other), CRD_OK);
        ck_assert_msg((memcmp(hash, other, 32) == 0) == left_out, "%s", name);
    }
    previous[0]++;
    ck_assert_int_eq(crd_entry_hash(&e, previous, other), CRD_OK);
    ck_assert_mem_ne(hash, other, 32);
}
END_TEST

/* Entries have a writer of their own; it must agree with what the encoding says of every record. */
START_TEST(canonical_bytes_are_the_encoding_without_place_and_hash) {
    static const char *const texts[] = {"", "a", "CR-00017", "a text that is longer than sixteen", NULL};
    static const uint8_t image[] = {1, 2, 0, 3};
    uint64_t count, random = 1;
    const crd_field *const *fields = crd_record_fields(CRD_KIND_ENTRY, &count, NULL);
    for (uint32_t round = 0; round < 5000; round++) {
        crd_entry_record e, blank;
        uint8_t canonical[1024], encoded[1024];
        uint64_t size, measured;
        crd__record_clear(CRD_KIND_ENTRY, &e);
        for (uint64_t i = 0; i < count; i++) {
            char *at = (char *)&e + fields[i]->offset;
            random = random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
            if (random >> 62 == 0) continue;
            if (fields[i]->type == CRD_FIELD_TEXT) {
                memcpy(at, &texts[(random >> 33) % 5], sizeof texts[0]);
            } else if (fields[i]->type == CRD_FIELD_BYTES) {
                e.image = random >> 40 & 1 ? image : NULL; /* a size without bytes is nothing */
                e.image_size = (random >> 33) % 5;
            } else {
                uint64_t value = random >> (random >> 58);
                memcpy(at, &value, fields[i]->type <= CRD_FIELD_DATE ? 4 : 8);
            }
        }
        blank = e;
        blank.customer = blank.currency = "";
        blank.last_seq = 0;
        memset(blank.hash, 0, sizeof blank.hash);
        ck_assert_int_eq(crd_record_encode(CRD_KIND_ENTRY, &blank, encoded, sizeof encoded, &size), CRD_OK);
        ck_assert_uint_eq(crd__entry_canonical(&e, canonical, sizeof canonical), size);
        ck_assert_mem_eq(canonical, encoded, size);
        ck_assert_int_eq(crd_record_encode(CRD_KIND_ENTRY, &blank, NULL, 0, &measured), CRD_OK);
        ck_assert_uint_eq(measured, size); /* what measures is not what writes */
        ck_assert_uint_eq(crd__entry_canonical(&e, canonical, 100), 0);
    }
}
END_TEST

/* A struct_size of a writer that knew no more than the type: what is behind it is not read, and counts as nothing. */
START_TEST(an_entry_of_a_shorter_struct_is_hashed_as_a_whole_one_without_the_rest) {
    const uint32_t size = offsetof(crd_entry_record, customer);
    crd_entry_record *shorter = malloc(size), e = an_apply(), whole; /* not a byte more: a sanitizer sees a read */
    uint8_t previous[32] = {7}, hash[32], other[32];
    crd__record_clear(CRD_KIND_ENTRY, &whole);
    whole.type = e.type;
    memcpy(shorter, &e, size);
    memcpy(shorter, &size, sizeof size);
    ck_assert_int_eq(crd_entry_hash(shorter, previous, hash), CRD_OK);
    ck_assert_int_eq(crd_entry_hash(&whole, previous, other), CRD_OK);
    ck_assert_mem_eq(hash, other, 32);
    ck_assert_int_eq(crd_entry_hash(shorter, NULL, hash), CRD_E_ARGUMENT); /* seq is 0 */
    free(shorter);
}
END_TEST

/* What performance rests on: one block of BLAKE2b. */
START_TEST(an_application_with_short_ids_fits_one_block) {
    crd_entry_record e = an_apply();
    uint64_t size;
    e.customer = e.currency = "";
    e.last_seq = 0;
    ck_assert_int_eq(crd_record_encode(CRD_KIND_ENTRY, &e, NULL, 0, &size), CRD_OK);
    ck_assert_uint_le(32 + size, 128);
}
END_TEST

START_TEST(a_version_is_63_bits_and_never_0) {
    uint8_t hash[32] = {0};
    ck_assert_int_eq(crd_entry_version(hash), 1);
    hash[7] = 5;
    ck_assert_int_eq(crd_entry_version(hash), 2);
    memset(hash, 0xff, sizeof hash);
    ck_assert_int_eq(crd_entry_version(hash), INT64_MAX);
    hash[0] = 0x80;
    memset(hash + 1, 0, sizeof hash - 1);
    ck_assert_int_eq(crd_entry_version(hash), INT64_C(1) << 62);
    ck_assert_int_eq(crd_entry_version(NULL), 0);
}
END_TEST

START_TEST(missing_arguments_are_refused) {
    crd_entry_record e = an_apply();
    uint8_t hash[32];
    ck_assert_int_eq(crd_entry_hash(NULL, NULL, hash), CRD_E_ARGUMENT);
    ck_assert_int_eq(crd_entry_hash(&e, hash, NULL), CRD_E_ARGUMENT);
    e.struct_size = 0;
    ck_assert_int_eq(crd_entry_hash(&e, hash, hash), CRD_E_ARGUMENT);
}
END_TEST

START_TEST(entry_types_have_names_of_their_own) {
    for (uint32_t a = 1; a < 60; a++)
        for (uint32_t b = 1; b < a; b++)
            ck_assert(strcmp(crd_entry_name(a), "?") == 0 || strcmp(crd_entry_name(a), crd_entry_name(b)) != 0);
    ck_assert_str_eq(crd_entry_name(CRD_ENTRY_APPLY), "apply");
    ck_assert_str_eq(crd_entry_name(0), "?");
    ck_assert_str_eq(crd_entry_name(CRD_ENTRY_SWITCHES), "switches");
}
END_TEST

int main(void) {
    Suite *suite = suite_create("entry");
    TCase *tests = tcase_create("entry");
    SRunner *runner;
    int failed;
    tcase_add_test(tests, the_hash_of_an_entry_is_what_the_format_says);
    tcase_add_test(tests, the_chain_begins_with_customer_and_currency);
    tcase_add_test(tests, a_long_entry_is_hashed_like_a_short_one);
    tcase_add_test(tests, the_largest_entry_within_the_limits_is_hashed);
    tcase_add_test(tests, every_field_but_place_and_hash_is_hashed);
    tcase_add_test(tests, canonical_bytes_are_the_encoding_without_place_and_hash);
    tcase_add_test(tests, an_entry_of_a_shorter_struct_is_hashed_as_a_whole_one_without_the_rest);
    tcase_add_test(tests, an_application_with_short_ids_fits_one_block);
    tcase_add_test(tests, a_version_is_63_bits_and_never_0);
    tcase_add_test(tests, missing_arguments_are_refused);
    tcase_add_test(tests, entry_types_have_names_of_their_own);
    suite_add_tcase(suite, tests);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
