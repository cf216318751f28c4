/*
 * What text the library takes, against a decoder that goes the other way: from the code point to its bytes.
 */
#include "core/text.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define ANY UINT64_MAX

/* Any number in `size` bytes, valid or not; with more bytes than it needs, an overlong form. */
static void encode(uint32_t point, int size, char *out) {
    static const unsigned char lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
    out[size] = '\0';
    for (int i = size - 1; i > 0; i--, point >>= 6) out[i] = (char)(0x80 | (point & 0x3f));
    out[0] = (char)(size == 1 ? point : (lead[size] | point));
}

static int shortest(uint32_t point) {
    return point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
}

static int allowed(uint32_t point) {
    return point >= 0x20 && !(point >= 0x7f && point <= 0x9f) && !(point >= 0xd800 && point <= 0xdfff) &&
           point <= 0x10ffff;
}

/* Every code point that four bytes can say, at the beginning and behind eight plain bytes. */
START_TEST(every_code_point_is_judged) {
    char text[16] = "abcdefgh";
    for (uint32_t point = 1; point <= 0x1fffff; point++) {
        crd_status expected = allowed(point) ? CRD_OK : CRD_E_ARGUMENT;
        encode(point, shortest(point), text + 8);
        if (crd__text_check(text, ANY, 0) != expected || crd__text_check(text + 8, ANY, 0) != expected)
            ck_abort_msg("U+%04X is not judged as it should be", (unsigned)point);
    }
}
END_TEST

START_TEST(overlong_forms_are_refused) {
    char text[8];
    for (uint32_t point = 0; point < 0x10000; point++) {
        for (int size = shortest(point) + 1; size <= 4; size++) {
            encode(point, size, text);
            if (crd__text_check(text, ANY, 1) == CRD_OK)
                ck_abort_msg("U+%04X was taken in %d bytes", (unsigned)point, size);
        }
    }
}
END_TEST

START_TEST(broken_sequences_are_refused) {
    static const char *const bad[] = {
        "\x80", "\xbf", "a\x80", "\xc3", "\xc3" "a", "\xe2\x82", "\xe2\x82" "a", "\xe2", "\xe2" "a\x82",
        "\xf0\x9f\x98", "\xf0\x9f\x98" "a", "\xf0\x9f", "\xf0",
        "\xf8\x88\x80\x80\x80", "\xfc\x84\x80\x80\x80\x80",
        "\xfe", "\xff", "\xc0\x80", "\xc1\xbf", "\xf5\x80\x80\x80", "\xc3\xc3\xa9", "abcdefgh\xe2\x82",
        "\xed\xa0\xbd\xed\xb8\x80", /* a pair of surrogates, each as three bytes */
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        ck_assert_msg(crd__text_check(bad[i], ANY, 1) == CRD_E_ARGUMENT, "row %u was taken", (unsigned)i);
}
END_TEST

/* One byte in a text of plain ones, at every place. */
START_TEST(every_byte_is_judged_at_every_place) {
    for (int byte = 1; byte < 256; byte++) {
        crd_status expected = byte >= 0x20 && byte <= 0x7e ? CRD_OK : CRD_E_ARGUMENT;
        for (size_t at = 0; at < 20; at++) {
            char text[21] = "plain text of twenty";
            text[at] = (char)byte;
            ck_assert_int_eq(crd__text_check(text, ANY, 0), expected);
        }
    }
}
END_TEST

START_TEST(a_newline_is_taken_where_it_may_stand) {
    ck_assert_int_eq(crd__text_check("two\nlines", ANY, 1), CRD_OK);
    ck_assert_int_eq(crd__text_check("two\nlines", ANY, 0), CRD_E_ARGUMENT);
    ck_assert_int_eq(crd__text_check("\n", ANY, 1), CRD_OK);
    ck_assert_int_eq(crd__text_check("two\rlines", ANY, 1), CRD_E_ARGUMENT);
    ck_assert_int_eq(crd__text_check("two\x0blines", ANY, 1), CRD_E_ARGUMENT);
    ck_assert_int_eq(crd__text_check("two\xc2\x85lines", ANY, 1), CRD_E_ARGUMENT);
}
END_TEST

START_TEST(length_counts_bytes) {
    ck_assert_int_eq(crd__text_check(NULL, 3, 0), CRD_E_ARGUMENT);
    ck_assert_int_eq(crd__text_check("", 0, 0), CRD_OK);
    ck_assert_int_eq(crd__text_check("a", 0, 0), CRD_E_ARGUMENT);
    ck_assert_int_eq(crd__text_check("abc", 3, 0), CRD_OK);
    ck_assert_int_eq(crd__text_check("abcd", 3, 0), CRD_E_ARGUMENT);
    ck_assert_int_eq(crd__text_check("a\xc3\xa9", 3, 0), CRD_OK);
    ck_assert_int_eq(crd__text_check("a\xc3\xa9", 2, 0), CRD_E_ARGUMENT);
    ck_assert_int_eq(crd__text_check("\xf0\x9f\x98\x80", 4, 0), CRD_OK);
    ck_assert_int_eq(crd__text_check("\xf0\x9f\x98\x80", 3, 0), CRD_E_ARGUMENT);
}
END_TEST

START_TEST(ids_have_1_to_63_bytes) {
    char id[65];
    memset(id, 'i', sizeof id);
    for (size_t length = 0; length <= 64; length++) {
        id[length] = '\0';
        ck_assert_int_eq(crd__id_check(id), length >= 1 && length <= 63 ? CRD_OK : CRD_E_ARGUMENT);
        ck_assert_int_eq(crd__id_check_host(id), length >= 1 && length <= 63 ? CRD_OK : CRD_E_ARGUMENT);
        id[length] = 'i';
    }
    ck_assert_int_eq(crd__id_check(NULL), CRD_E_ARGUMENT);
    ck_assert_int_eq(crd__id_check_host(NULL), CRD_E_ARGUMENT);
    ck_assert_int_eq(crd__id_check("a\nb"), CRD_E_ARGUMENT);
    ck_assert_int_eq(crd__id_check("a\tb"), CRD_E_ARGUMENT);
    ck_assert_int_eq(crd__id_check("R\xc3\xa9" "f 12/3"), CRD_OK);
}
END_TEST

START_TEST(derived_ids_are_not_the_hosts) {
    ck_assert_int_eq(crd__id_check("~EUR1"), CRD_OK);
    ck_assert_int_eq(crd__id_check_host("~EUR1"), CRD_E_ARGUMENT);
    ck_assert_int_eq(crd__id_check_host("~"), CRD_E_ARGUMENT);
    ck_assert_int_eq(crd__id_check_host("a~"), CRD_OK);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("text");
    TCase *tests = tcase_create("text");
    SRunner *runner;
    int failed;
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, every_code_point_is_judged);
    tcase_add_test(tests, overlong_forms_are_refused);
    tcase_add_test(tests, broken_sequences_are_refused);
    tcase_add_test(tests, every_byte_is_judged_at_every_place);
    tcase_add_test(tests, a_newline_is_taken_where_it_may_stand);
    tcase_add_test(tests, length_counts_bytes);
    tcase_add_test(tests, ids_have_1_to_63_bytes);
    tcase_add_test(tests, derived_ids_are_not_the_hosts);
    suite_add_tcase(suite, tests);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
