/*
 * Checked arithmetic, the currency table, amounts as text, and splits.
 */
#define CRD__BOTH 1 /* this test compares them */
#include "core/money.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static uint64_t random_state;

static uint64_t draw(void) {
    random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return random_state ^ random_state >> 29;
}

static const int64_t edges[] = {INT64_MIN, INT64_MIN + 1, INT64_MIN / 2, -1000, -10, -1, 0, 1, 9, 10, 99, 100,
                                INT64_MAX / 2, INT64_MAX / 2 + 1, INT64_MAX - 1, INT64_MAX};

#define EDGES (sizeof edges / sizeof edges[0])

/* Mostly an edge or near one, else a number of any length. */
static int64_t draw_amount(void) {
    uint64_t x = draw();
    if (x % 2 == 0) return edges[draw() % EDGES];
    return (int64_t)(draw() >> draw() % 64) * (x % 4 == 1 ? 1 : -1);
}

/* ---- Checked arithmetic */

/* The sum in two halves of 32 bits, which cannot overflow; 1 and the sum if it fits 64 bits. */
static int naive_add(int64_t a, int64_t b, int64_t *out) {
    int64_t low = (a & INT64_C(0xffffffff)) + (b & INT64_C(0xffffffff));
    int64_t high = (a - (a & INT64_C(0xffffffff))) / (INT64_C(1) << 32) +
                   (b - (b & INT64_C(0xffffffff))) / (INT64_C(1) << 32) + (low >> 32);
    if (high < INT32_MIN || high > INT32_MAX) return 0;
    *out = high * (INT64_C(1) << 32) + (low & INT64_C(0xffffffff));
    return 1;
}

static int naive_sub(int64_t a, int64_t b, int64_t *out) {
    int64_t less;
    if (b != INT64_MIN) return naive_add(a, -b, out);
    return naive_add(a, INT64_MAX, &less) && naive_add(less, 1, out);
}

/* What both variants must do: the naive result, or nothing at all. */
static void check_arithmetic(int64_t a, int64_t b) {
    int64_t expected = 77, ours = 77, portable = 77;
    int fits = naive_add(a, b, &expected);
    ck_assert_int_eq(crd__add(a, b, &ours), fits);
    ck_assert_int_eq(crd__add_portable(a, b, &portable), fits);
    ck_assert_int_eq(ours, expected);
    ck_assert_int_eq(portable, expected);

    expected = ours = portable = 77;
    fits = naive_sub(a, b, &expected);
    ck_assert_int_eq(crd__sub(a, b, &ours), fits);
    ck_assert_int_eq(crd__sub_portable(a, b, &portable), fits);
    ck_assert_int_eq(ours, expected);
    ck_assert_int_eq(portable, expected);
}

START_TEST(R60_sums_and_differences_are_exact_or_refused) {
    for (size_t i = 0; i < EDGES; i++)
        for (size_t j = 0; j < EDGES; j++) check_arithmetic(edges[i], edges[j]);
    random_state = 1;
    for (int i = 0; i < 5000; i++) check_arithmetic(draw_amount(), draw_amount());
}
END_TEST

START_TEST(R60_a_sum_may_replace_an_operand) {
    int64_t a = 5;
    ck_assert_int_eq(crd__add(a, 7, &a), 1);
    ck_assert_int_eq(crd__sub(20, a, &a), 1);
    ck_assert_int_eq(a, 8);
    ck_assert_int_eq(crd__add_portable(a, a, &a), 1);
    ck_assert_int_eq(crd__sub_portable(a, a, &a), 1);
    ck_assert_int_eq(a, 0);
}
END_TEST

/* ---- Currencies */

/* By exponent, ISO 4217 of 2026-01-01; those with two decimals are counted and sampled. */
static const char *const with_0[] = {"BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG",
                                     "RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"};
static const char *const with_3[] = {"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"};
static const char *const with_4[] = {"CLF", "UYW"};
static const char *const with_2[] = {
    "AED", "AFN", "EUR", "USD", "USN", "CHE", "CHW", "BOV", "COU", "MXV", "XAD", "XCD", "XCG", "SLE", "VED",
    "VES", "ZMW", "ZWG", "HUF", "TWD", "MGA", "MRU",
};

static void check_exponent(const char *const *codes, size_t count, int32_t expected) {
    for (size_t i = 0; i < count; i++) {
        int32_t exponent = 77;
        ck_assert_msg(crd_currency_exponent(codes[i], &exponent) == CRD_OK, "%s is not known", codes[i]);
        ck_assert_msg(exponent == expected, "%s has exponent %d", codes[i], (int)exponent);
    }
}

START_TEST(R60_exponents_are_those_of_iso_4217) {
    check_exponent(with_0, sizeof with_0 / sizeof with_0[0], 0);
    check_exponent(with_2, sizeof with_2 / sizeof with_2[0], 2);
    check_exponent(with_3, sizeof with_3 / sizeof with_3[0], 3);
    check_exponent(with_4, sizeof with_4 / sizeof with_4[0], 4);
}
END_TEST

/* All 26³ codes: a table out of order would lose some. */
START_TEST(R60_every_currency_is_found) {
    int found[5] = {0, 0, 0, 0, 0};
    for (int i = 0; i < 26 * 26 * 26; i++) {
        char code[4];
        int32_t exponent;
        code[0] = (char)('A' + i / 676);
        code[1] = (char)('A' + i / 26 % 26);
        code[2] = (char)('A' + i % 26);
        code[3] = '\0';
        if (crd_currency_exponent(code, &exponent) == CRD_OK) found[exponent]++;
    }
    ck_assert_int_eq(found[0], 17);
    ck_assert_int_eq(found[1], 0);
    ck_assert_int_eq(found[2], 139);
    ck_assert_int_eq(found[3], 7);
    ck_assert_int_eq(found[4], 2);
}
END_TEST

START_TEST(R60_unknown_currencies_are_refused) {
    static const char *const unknown[] = {
        "", "E", "EU", "EURO", "eur", "Eur", " EUR", "AAA", "ZZZ", "XXX", "XTS", "XAU", "XDR", "XSU", "DEM",
        "HRK", "BGN", "ANG", "ZWL", "CUC", "SLL", "EU\xc3\xa9", "AED2", "EUR\n",
    };
    int32_t exponent;
    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++) {
        exponent = 77;
        ck_assert_msg(crd_currency_exponent(unknown[i], &exponent) == CRD_E_CURRENCY, "\"%s\" is known",
                      unknown[i]);
        ck_assert_int_eq(exponent, 0);
    }
    exponent = 77;
    ck_assert_int_eq(crd_currency_exponent(NULL, &exponent), CRD_E_ARGUMENT);
    ck_assert_int_eq(exponent, 0);
    ck_assert_int_eq(crd_currency_exponent("EUR", NULL), CRD_E_ARGUMENT);
}
END_TEST

START_TEST(R60_the_host_may_override_and_add_currencies) {
    static const crd_currency old = {sizeof old, 2, "BGN"}, own = {sizeof own, 3, "EUR"};
    static const crd_currency again = {sizeof again, 4, "EUR"};
    const crd_currency *const list[] = {&old, &own, &again};
    int32_t exponent = 77;
    ck_assert_int_eq(crd__currency_exponent("BGN", list, 3, &exponent), CRD_OK);
    ck_assert_int_eq(exponent, 2);
    ck_assert_int_eq(crd__currency_exponent("EUR", list, 3, &exponent), CRD_OK);
    ck_assert_int_eq(exponent, 3);
    ck_assert_int_eq(crd__currency_exponent("JPY", list, 3, &exponent), CRD_OK);
    ck_assert_int_eq(exponent, 0);
    exponent = 77;
    ck_assert_int_eq(crd__currency_exponent("DEM", list, 3, &exponent), CRD_E_CURRENCY);
    ck_assert_int_eq(exponent, 0);
    ck_assert_int_eq(crd__currency_exponent("EUR", NULL, 0, &exponent), CRD_OK);
    ck_assert_int_eq(exponent, 2);
    ck_assert_int_eq(crd__currency_exponent("EUR", NULL, 1, &exponent), CRD_E_ARGUMENT);
}
END_TEST

/* ---- Amounts as text */

static const struct amount {
    const char *text;
    int32_t exponent;
    int64_t minor;
    const char *written; /* NULL: as read */
} amounts[] = {
    {"-12.34", 2, -1234, NULL},
    {"5", 2, 500, "5.00"},
    {"0.5", 2, 50, "0.50"},
    {"5", 0, 5, NULL},
    {"0", 0, 0, NULL},
    {"-0", 0, 0, "0"},
    {"-0.00", 2, 0, "0.00"},
    {"0.01", 2, 1, NULL},
    {"-0.01", 2, -1, NULL},
    {"-0.10", 2, -10, NULL},
    {"1.234", 3, 1234, NULL},
    {"0.0001", 4, 1, NULL},
    {"007", 0, 7, "7"},
    {"00000000000000000000000000000000000000001.50", 2, 150, "1.50"},
    {"9223372036854775807", 0, INT64_MAX, NULL},
    {"-9223372036854775808", 0, INT64_MIN, NULL},
    {"92233720368547758.07", 2, INT64_MAX, NULL},
    {"-92233720368547758.08", 2, INT64_MIN, NULL},
    {"9223372036.854775807", 9, INT64_MAX, NULL},
    {"-9223372036.854775808", 9, INT64_MIN, NULL},
    {"0.000000001", 9, 1, NULL},
};

START_TEST(R60_amounts_are_read_and_written) {
    const struct amount *a = &amounts[_i];
    char text[CRD_MONEY_TEXT];
    int64_t minor = 77;
    ck_assert_int_eq(crd_money_parse(a->text, a->exponent, &minor), CRD_OK);
    ck_assert_int_eq(minor, a->minor);
    ck_assert_int_eq(crd_money_format(a->minor, a->exponent, text, sizeof text), CRD_OK);
    ck_assert_str_eq(text, a->written != NULL ? a->written : a->text);
}
END_TEST

START_TEST(R60_malformed_amounts_are_refused) {
    static const char *const bad[] = {
        "", "-", "+1", "--1", "1-", ".", ".5", "-.5", "5.", "-5.", "1.2.3", "1..2", "1,5", "1 ", " 1", "1e3",
        "0x1", "1_000", "1,000.00", "12.345", "0.000", "one", "1\n", "99999999999999999999x",
        "99999999999999999999.123", "\xd9\xa1", "1.-5",
    };
    static const int32_t bad_exponents[] = {INT32_MIN, -1, 10, INT32_MAX};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        int64_t minor = 77;
        ck_assert_msg(crd_money_parse(bad[i], 2, &minor) == CRD_E_ARGUMENT, "\"%s\" was not refused", bad[i]);
        ck_assert_int_eq(minor, 0);
    }
    for (size_t i = 0; i < sizeof bad_exponents / sizeof bad_exponents[0]; i++) {
        int64_t minor = 77;
        ck_assert_int_eq(crd_money_parse("1", bad_exponents[i], &minor), CRD_E_ARGUMENT);
        ck_assert_int_eq(minor, 0);
    }
    ck_assert_int_eq(crd_money_parse("1.0", 0, &(int64_t){0}), CRD_E_ARGUMENT);
    ck_assert_int_eq(crd_money_parse(NULL, 2, &(int64_t){0}), CRD_E_ARGUMENT);
    ck_assert_int_eq(crd_money_parse("1", 2, NULL), CRD_E_ARGUMENT);
}
END_TEST

START_TEST(R60_amounts_overflow_is_refused) {
    static const struct {
        const char *text;
        int32_t exponent;
    } large[] = {{"9223372036854775808", 0},    {"-9223372036854775809", 0},   {"92233720368547758.08", 2},
                 {"-92233720368547758.09", 2},  {"92233720368547759", 2},      {"9223372036854775807", 1},
                 {"99999999999999999999", 0},   {"-99999999999999999999", 0},  {"9223372037", 9},
                 {"922337203685477580700000000000000000000000000000000000000000", 4}};
    for (size_t i = 0; i < sizeof large / sizeof large[0]; i++) {
        int64_t minor = 77;
        ck_assert_msg(crd_money_parse(large[i].text, large[i].exponent, &minor) == CRD_E_OVERFLOW,
                      "%s did not overflow", large[i].text);
        ck_assert_int_eq(minor, 0);
    }
}
END_TEST

START_TEST(R60_what_is_written_reads_back) {
    random_state = 2;
    for (int i = 0; i < 10000; i++) {
        char text[CRD_MONEY_TEXT];
        int64_t minor = draw_amount(), back;
        int32_t exponent = (int32_t)(draw() % (CRD_MONEY_MAX_EXPONENT + 1));
        ck_assert_int_eq(crd_money_format(minor, exponent, text, sizeof text), CRD_OK);
        ck_assert_int_eq(crd_money_parse(text, exponent, &back), CRD_OK);
        ck_assert_int_eq(back, minor);
    }
}
END_TEST

START_TEST(R60_an_amount_is_written_whole_or_not_at_all) {
    for (uint64_t capacity = 0; capacity < 12; capacity++) {
        char text[12];
        memset(text, 'x', sizeof text);
        ck_assert_int_eq(crd_money_format(-1234, 2, text, capacity), capacity < 7 ? CRD_E_TOO_LARGE : CRD_OK);
        if (capacity > 0) ck_assert_str_eq(text, capacity < 7 ? "" : "-12.34");
        for (uint64_t i = capacity; i < sizeof text; i++) ck_assert_int_eq(text[i], 'x');
    }
}
END_TEST

START_TEST(R60_a_malformed_exponent_is_refused) {
    char text[CRD_MONEY_TEXT] = "x";
    ck_assert_int_eq(crd_money_format(1, -1, text, sizeof text), CRD_E_ARGUMENT);
    ck_assert_str_eq(text, "");
    ck_assert_int_eq(crd_money_format(1, 10, text, sizeof text), CRD_E_ARGUMENT);
    ck_assert_int_eq(crd_money_format(1, 2, NULL, sizeof text), CRD_E_ARGUMENT);
}
END_TEST

/* ---- Splits */

#define PARTS 8

static const struct split {
    int64_t total;
    uint64_t count;
    int64_t weights[PARTS];
    int64_t parts[PARTS];
} splits[] = {
    {0, 3, {1, 2, 3}, {0, 0, 0}},
    {100, 1, {7}, {100}},
    {100, 3, {1, 1, 1}, {34, 33, 33}},
    {101, 3, {1, 1, 1}, {34, 34, 33}},
    {1, 3, {1, 1, 1}, {1, 0, 0}},
    {1, 3, {0, 1, 1}, {0, 1, 0}},
    {10, 3, {0, 0, 5}, {0, 0, 10}},
    {10, 4, {1, 2, 3, 1}, {2, 3, 4, 1}}, /* 1.43 2.86 4.29 1.43: the second, then the first of two equals */
    /* computed with integers of any length */
    {INT64_MAX, 2, {1, 1}, {INT64_C(4611686018427387904), INT64_C(4611686018427387903)}},
    {INT64_MAX, 2, {INT64_MAX - 1, 1}, {INT64_MAX - 1, 1}},
    {INT64_MAX - 1,
     3,
     {INT64_MAX / 2, INT64_MAX / 2, 1},
     {INT64_C(4611686018427387903), INT64_C(4611686018427387902), 1}},
    {INT64_C(1000000000000000000),
     3,
     {INT64_C(999999999999999989), INT64_C(999999999999999877), 7},
     {INT64_C(500000000000000026), INT64_C(499999999999999970), 4}},
    {INT64_MAX - 7,
     6,
     {INT64_C(123456789012345678), INT64_C(987654321098765432), 1, INT64_C(4611686018427387904), 0, 3},
     {INT64_C(198974010428908874), INT64_C(1591792097936476495), 1, INT64_C(7432605928489390425), 0, 5}},
};

START_TEST(R60_splits_give_the_largest_remainders_the_rest) {
    const struct split *s = &splits[_i];
    int64_t parts[PARTS];
    ck_assert_int_eq(crd_money_split(s->total, s->weights, s->count, parts), CRD_OK);
    for (uint64_t i = 0; i < s->count; i++) ck_assert_int_eq(parts[i], s->parts[i]);
}
END_TEST

/* The rule, word by word, for numbers whose products fit: round down, then one unit to whoever lost most. */
static void naive_split(int64_t total, const int64_t *weights, uint64_t count, int64_t *out) {
    int64_t lost[PARTS], sum = 0, left = total;
    for (uint64_t i = 0; i < count; i++) sum += weights[i];
    for (uint64_t i = 0; i < count; i++) {
        out[i] = total * weights[i] / sum;
        lost[i] = total * weights[i] % sum;
        left -= out[i];
    }
    for (; left > 0; left--) {
        uint64_t most = 0;
        for (uint64_t i = 1; i < count; i++)
            if (lost[i] > lost[most]) most = i;
        out[most]++;
        lost[most] = -1;
    }
}

START_TEST(R60_splits_agree_with_the_naive_one) {
    random_state = 3;
    for (int i = 0; i < 5000; i++) {
        int64_t weights[PARTS], ours[PARTS], naive[PARTS], total = (int64_t)(draw() >> (34 + draw() % 30));
        uint64_t count = 1 + draw() % PARTS, range = 1 + (draw() >> (36 + draw() % 28));
        for (uint64_t n = 0; n < count; n++) weights[n] = (int64_t)(draw() % range);
        weights[draw() % count]++;
        naive_split(total, weights, count, naive);
        ck_assert_int_eq(crd_money_split(total, weights, count, ours), CRD_OK);
        for (uint64_t n = 0; n < count; n++) ck_assert_int_eq(ours[n], naive[n]);
    }
}
END_TEST

START_TEST(R60_parts_sum_to_the_whole) {
    random_state = 4;
    for (int i = 0; i < 5000; i++) {
        int64_t weights[PARTS], parts[PARTS], total = draw_amount(), sum = 0;
        uint64_t count = 1 + draw() % PARTS;
        if (total < 0) total = -(total + 1);
        for (uint64_t n = 0; n < count; n++) weights[n] = (int64_t)(draw() >> (4 + draw() % 60));
        weights[0]++;
        ck_assert_int_eq(crd_money_split(total, weights, count, parts), CRD_OK);
        for (uint64_t n = 0; n < count; n++) {
            ck_assert_int_ge(parts[n], 0);
            if (weights[n] == 0) ck_assert_int_eq(parts[n], 0);
            ck_assert_int_eq(crd__add(sum, parts[n], &sum), 1);
        }
        ck_assert_int_eq(sum, total);
    }
}
END_TEST

/* More parts than units: the first of the equals get one each. */
START_TEST(R60_a_split_may_have_many_parts) {
    enum { MANY = 100000 };
    int64_t *weights = calloc(MANY, sizeof *weights), *parts = calloc(MANY, sizeof *parts);
    for (int i = 0; i < MANY; i++) weights[i] = 3;
    ck_assert_int_eq(crd_money_split(70001, weights, MANY, parts), CRD_OK);
    for (int i = 0; i < MANY; i++)
        if (parts[i] != (i < 70001)) ck_abort_msg("part %d is not what it should be", i);
    free(weights);
    free(parts);
}
END_TEST

START_TEST(R60_malformed_splits_are_refused) {
    static const struct {
        crd_status status;
        int64_t total, weights[3];
    } bad[] = {{CRD_E_ARGUMENT, -1, {1, 1, 1}},
               {CRD_E_ARGUMENT, 10, {0, 0, 0}},
               {CRD_E_ARGUMENT, 10, {1, -1, 1}},
               {CRD_E_OVERFLOW, 10, {INT64_MAX, 1, 0}},
               {CRD_E_OVERFLOW, 10, {INT64_MAX, INT64_MAX, INT64_MAX}},
               {CRD_E_ARGUMENT, 10, {INT64_MAX, INT64_MAX, -1}}};
    static const int64_t weights[3] = {1, 1, 1};
    int64_t parts[3];
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        parts[0] = parts[1] = parts[2] = 77;
        ck_assert_int_eq(crd_money_split(bad[i].total, bad[i].weights, 3, parts), bad[i].status);
        for (int n = 0; n < 3; n++) ck_assert_int_eq(parts[n], 0);
    }
    ck_assert_int_eq(crd_money_split(10, NULL, 3, parts), CRD_E_ARGUMENT);
    ck_assert_int_eq(crd_money_split(10, weights, 0, parts), CRD_E_ARGUMENT);
    ck_assert_int_eq(crd_money_split(10, weights, 3, NULL), CRD_E_ARGUMENT);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("money");
    TCase *tests = tcase_create("money");
    SRunner *runner;
    int failed;
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, R60_sums_and_differences_are_exact_or_refused);
    tcase_add_test(tests, R60_a_sum_may_replace_an_operand);
    tcase_add_test(tests, R60_exponents_are_those_of_iso_4217);
    tcase_add_test(tests, R60_every_currency_is_found);
    tcase_add_test(tests, R60_unknown_currencies_are_refused);
    tcase_add_test(tests, R60_the_host_may_override_and_add_currencies);
    tcase_add_loop_test(tests, R60_amounts_are_read_and_written, 0, sizeof amounts / sizeof amounts[0]);
    tcase_add_test(tests, R60_malformed_amounts_are_refused);
    tcase_add_test(tests, R60_amounts_overflow_is_refused);
    tcase_add_test(tests, R60_what_is_written_reads_back);
    tcase_add_test(tests, R60_an_amount_is_written_whole_or_not_at_all);
    tcase_add_test(tests, R60_a_malformed_exponent_is_refused);
    tcase_add_loop_test(tests, R60_splits_give_the_largest_remainders_the_rest, 0,
                        sizeof splits / sizeof splits[0]);
    tcase_add_test(tests, R60_splits_agree_with_the_naive_one);
    tcase_add_test(tests, R60_parts_sum_to_the_whole);
    tcase_add_test(tests, R60_a_split_may_have_many_parts);
    tcase_add_test(tests, R60_malformed_splits_are_refused);
    suite_add_tcase(suite, tests);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
