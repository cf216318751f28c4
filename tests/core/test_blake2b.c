/*
 * BLAKE2b-256 against digests that another implementation computed (Python's hashlib), and against itself in
 * pieces.
 */
#include "core/blake2b.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Digests of the bytes 0, 1, 2, … (modulo 256), by length: around none, one, two and several blocks. */
static const struct vector {
    size_t size;
    const char *hex;
} vectors[] = {
    {0, "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8"},
    {1, "03170a2e7597b7b7e3d84c05391d139a62b157e78786d8c082f29dcf4c111314"},
    {127, "f2fe67ff342e21b8f45e8f2e0bcd1d9243245d50ee6c78042e9c491388791c72"},
    {128, "c3582f71ebb2be66fa5dd750f80baae97554f3b015663c8be377cfcb2488c1d1"},
    {129, "f7f3c46ba2564ff4c4c162da1f5b605f9f1c4aa6a20652a9f9a337c1a2f5b9c9"},
    {255, "1d0850ee9bca0abc9601e9deabe1418fedec2fb6ac4150bd5302d2430f9be943"},
    {256, "39a7eb9fedc19aabc83425c6755dd90e6f9d0c804964a1f4aaeea3b9fb599835"},
    {1000, "c636324d47d89f2b2434dc2c994100663fbbaea880ff020fc5de89dd0f77a1ec"},};

#define VECTORS (sizeof vectors / sizeof vectors[0])

static uint8_t message[1000];

static void setup(void) {
    for (size_t i = 0; i < sizeof message; i++) message[i] = (uint8_t)i;
}

static void check_digest(const uint8_t digest[CRD__BLAKE2B_SIZE], const char *expected) {
    char hex[2 * CRD__BLAKE2B_SIZE + 1];
    for (size_t i = 0; i < CRD__BLAKE2B_SIZE; i++) snprintf(hex + 2 * i, 3, "%02x", (unsigned)digest[i]);
    ck_assert_str_eq(hex, expected);
}

START_TEST(digest_is_that_of_rfc_7693) {
    uint8_t digest[CRD__BLAKE2B_SIZE];
    crd__blake2b_256(digest, "abc", 3);
    check_digest(digest, "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319");
    crd__blake2b_256(digest, NULL, 0);
    check_digest(digest, vectors[0].hex);
    crd__blake2b_256(digest, message, vectors[_i].size);
    check_digest(digest, vectors[_i].hex);
}
END_TEST

START_TEST(bytes_need_no_alignment) {
    uint8_t moved[sizeof message + 8], digest[CRD__BLAKE2B_SIZE];
    for (size_t offset = 0; offset < 8; offset++) {
        memcpy(moved + offset, message, sizeof message);
        crd__blake2b_256(digest, moved + offset, vectors[_i].size);
        check_digest(digest, vectors[_i].hex);
    }
}
END_TEST

START_TEST(digest_may_replace_its_message) {
    uint8_t bytes[sizeof message];
    memcpy(bytes, message, sizeof message);
    crd__blake2b_256(bytes, bytes, vectors[_i].size);
    check_digest(bytes, vectors[_i].hex);
}
END_TEST

START_TEST(pieces_hash_like_the_whole) {
    static const size_t steps[] = {1, 3, 64, 127, 128, 129, 255, 256, 257, 1000};
    const struct vector *v = &vectors[_i];
    for (size_t s = 0; s < sizeof steps / sizeof steps[0]; s++) {
        uint8_t digest[CRD__BLAKE2B_SIZE];
        crd__blake2b hash;
        crd__blake2b_init(&hash);
        crd__blake2b_update(&hash, NULL, 0);
        for (size_t at = 0; at < v->size; at += steps[s])
            crd__blake2b_update(&hash, message + at, v->size - at < steps[s] ? v->size - at : steps[s]);
        crd__blake2b_update(&hash, message, 0);
        crd__blake2b_final(&hash, digest);
        check_digest(digest, v->hex);
    }
}
END_TEST

/* Every way to cut a message in two; a wrong block boundary shows in one of them. */
START_TEST(two_pieces_hash_like_the_whole) {
    const struct vector *v = &vectors[_i];
    for (size_t cut = 0; cut <= v->size; cut++) {
        uint8_t digest[CRD__BLAKE2B_SIZE];
        crd__blake2b hash;
        crd__blake2b_init(&hash);
        crd__blake2b_update(&hash, message, cut);
        crd__blake2b_update(&hash, message + cut, v->size - cut);
        crd__blake2b_final(&hash, digest);
        check_digest(digest, v->hex);
    }
}
END_TEST

int main(void) {
    Suite *suite = suite_create("blake2b");
    TCase *tests = tcase_create("blake2b");
    SRunner *runner;
    int failed;
    tcase_add_checked_fixture(tests, setup, NULL);
    tcase_add_loop_test(tests, digest_is_that_of_rfc_7693, 0, VECTORS);
    tcase_add_loop_test(tests, bytes_need_no_alignment, 0, VECTORS);
    tcase_add_loop_test(tests, digest_may_replace_its_message, 0, VECTORS);
    tcase_add_loop_test(tests, pieces_hash_like_the_whole, 0, VECTORS);
    tcase_add_loop_test(tests, two_pieces_hash_like_the_whole, 0, VECTORS);
    suite_add_tcase(suite, tests);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
