/*
 * Business dates and instants, against a calendar that counts day by day.
 */
#include <credit/date.h>

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY_US INT64_C(86400000000)

static int month_length(int year, int month) {
    if (month == 2) return year % 400 == 0 || (year % 4 == 0 && year % 100 != 0) ? 29 : 28;
    return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

/* Every date there is, both ways, and every day that does not exist. */
START_TEST(dates_follow_the_calendar) {
    int year = 1970, month = 1, day = 2;
    for (int32_t date = CRD_DATE_MIN; date <= CRD_DATE_MAX; date++) {
        int32_t y, m, d, back;
        if (crd_date_to_civil(date, &y, &m, &d) != CRD_OK || y != year || m != month || d != day)
            ck_abort_msg("%d is not %04d-%02d-%02d", (int)date, year, month, day);
        if (crd_date_from_civil(y, m, d, &back) != CRD_OK || back != date)
            ck_abort_msg("%04d-%02d-%02d is not %d", year, month, day, (int)date);
        if (++day <= month_length(year, month)) continue;
        for (; day <= 32; day++)
            if (crd_date_from_civil(year, month, day, &back) != CRD_E_ARGUMENT || back != CRD_DATE_NONE)
                ck_abort_msg("%04d-%02d-%02d was taken", year, month, day);
        day = 1;
        if (++month <= 12) continue;
        month = 1;
        year++;
    }
    ck_assert_int_eq(year, 10000);
}
END_TEST

START_TEST(days_that_are_no_date_are_refused) {
    static const int32_t bad[][3] = {{1970, 1, 1},  {1969, 12, 31}, {10000, 1, 1},      {2026, 0, 1},
                                     {2026, 13, 1}, {2026, -1, 1},  {2026, 1, 0},       {2026, 1, -1},
                                     {2026, 1, 32}, {2025, 2, 29},  {2100, 2, 29},      {2026, 4, 31},
                                     {0, 1, 1},     {-1, 1, 1},     {INT32_MAX, 12, 1}, {INT32_MIN, 1, 1},
                                     {2026, INT32_MAX, 1}, {2026, INT32_MIN, 1},
                                     {2026, 1, INT32_MAX}, {2026, 1, INT32_MIN}};
    static const int32_t outside[] = {CRD_DATE_NONE, -1, INT32_MIN, CRD_DATE_MAX + 1, INT32_MAX};
    int32_t out, y, m, d;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        out = 77;
        ck_assert_int_eq(crd_date_from_civil(bad[i][0], bad[i][1], bad[i][2], &out), CRD_E_ARGUMENT);
        ck_assert_int_eq(out, CRD_DATE_NONE);
    }
    for (size_t i = 0; i < sizeof outside / sizeof outside[0]; i++) {
        y = m = d = 77;
        ck_assert_int_eq(crd_date_to_civil(outside[i], &y, &m, &d), CRD_E_ARGUMENT);
        ck_assert_int_eq(y | m | d, 0);
    }
    ck_assert_int_eq(crd_date_from_civil(2026, 1, 1, NULL), CRD_E_ARGUMENT);
    ck_assert_int_eq(crd_date_to_civil(1, NULL, &m, &d), CRD_E_ARGUMENT);
    ck_assert_int_eq(crd_date_to_civil(1, &y, NULL, &d), CRD_E_ARGUMENT);
    ck_assert_int_eq(crd_date_to_civil(1, &y, &m, NULL), CRD_E_ARGUMENT);
}
END_TEST

static const struct date_text {
    int32_t date;
    const char *text;
} date_texts[] = {
    {1, "1970-01-02"},     {365, "1971-01-01"},   {11016, "2000-02-29"}, {19782, "2024-02-29"},
    {20780, "2026-11-23"}, {47540, "2100-02-28"}, {47541, "2100-03-01"}, {2932896, "9999-12-31"},
};

START_TEST(dates_are_read_and_written) {
    char text[CRD_DATE_TEXT];
    int32_t date = 77;
    ck_assert_int_eq(crd_date_from_text(date_texts[_i].text, &date), CRD_OK);
    ck_assert_int_eq(date, date_texts[_i].date);
    ck_assert_int_eq(crd_date_to_text(date, text, sizeof text), CRD_OK);
    ck_assert_str_eq(text, date_texts[_i].text);
}
END_TEST

START_TEST(dates_are_read_strictly) {
    static const char *const bad[] = {
        "", "2026", "2026-11", "2026-11-2", "2026-1-23", "26-11-23", "2026-11-23 ", " 2026-11-23",
        "2026-11-231", "2026/11/23", "20261123", "2026-11-23T00:00:00Z", "2026-00-23", "2026-13-23",
        "2026-11-00", "2026-11-31", "2025-02-29", "1970-01-01", "1969-12-31", "0000-01-01", "-026-11-23",
        "+026-11-23", "2026-+1-23", "2026-11- 3", "2026-1a-23", "2o26-11-23", "2026-11-2\n", "10000-1-01",
        "2026\0-11-23", "2026-11\xe2\x88\x92" "23",
    };
    int32_t date;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        date = 77;
        ck_assert_msg(crd_date_from_text(bad[i], &date) == CRD_E_ARGUMENT, "\"%s\" was taken", bad[i]);
        ck_assert_int_eq(date, CRD_DATE_NONE);
    }
    date = 77;
    ck_assert_int_eq(crd_date_from_text(NULL, &date), CRD_E_ARGUMENT);
    ck_assert_int_eq(date, CRD_DATE_NONE);
    ck_assert_int_eq(crd_date_from_text("2026-11-23", NULL), CRD_E_ARGUMENT);
}
END_TEST

START_TEST(no_date_is_written_as_nothing) {
    char text[CRD_DATE_TEXT] = "x";
    ck_assert_int_eq(crd_date_to_text(CRD_DATE_NONE, text, sizeof text), CRD_OK);
    ck_assert_str_eq(text, "");
}
END_TEST

START_TEST(a_date_is_written_whole_or_not_at_all) {
    char text[CRD_DATE_TEXT];
    for (uint64_t capacity = 1; capacity <= sizeof text; capacity++) {
        memset(text, 'x', sizeof text);
        ck_assert_int_eq(crd_date_to_text(20780, text, capacity), capacity < 11 ? CRD_E_TOO_LARGE : CRD_OK);
        ck_assert_str_eq(text, capacity < 11 ? "" : "2026-11-23");
        for (uint64_t i = capacity < 11 ? 1 : 11; i < sizeof text; i++) ck_assert_int_eq(text[i], 'x');
    }
    text[0] = 'x';
    ck_assert_int_eq(crd_date_to_text(20780, text, 0), CRD_E_TOO_LARGE);
    ck_assert_int_eq(crd_date_to_text(CRD_DATE_NONE, text, 0), CRD_E_TOO_LARGE);
    ck_assert_int_eq(text[0], 'x');
    ck_assert_int_eq(crd_date_to_text(20780, NULL, sizeof text), CRD_E_ARGUMENT);
    text[0] = 'x';
    ck_assert_int_eq(crd_date_to_text(-1, text, sizeof text), CRD_E_ARGUMENT);
    ck_assert_str_eq(text, "");
    ck_assert_int_eq(crd_date_to_text(CRD_DATE_MAX + 1, text, sizeof text), CRD_E_ARGUMENT);
}
END_TEST

/* ---- Instants */

START_TEST(M6_the_business_day_begins_at_the_offset) {
    static const struct {
        int64_t instant;
        int32_t offset, date;
    } days[] = {
        {DAY_US, 0, 1},
        {2 * DAY_US - 1, 0, 1},
        {2 * DAY_US, 0, 2},
        {2 * DAY_US - 1, -60, 1},
        {2 * DAY_US - INT64_C(3600000000), 60, 2}, /* 23:00 UTC is midnight an hour east */
        {2 * DAY_US - INT64_C(3600000001), 60, 1},
        {2 * DAY_US + INT64_C(3600000000), -60, 2}, /* and 01:00 an hour west */
        {2 * DAY_US + INT64_C(3599999999), -60, 1},
        {10 * DAY_US, 1440, 11},
        {10 * DAY_US, -1440, 9},
        {0, 1440, 1},
        {(CRD_DATE_MAX + INT64_C(1)) * DAY_US - 1, 0, CRD_DATE_MAX},
        {(CRD_DATE_MAX + INT64_C(2)) * DAY_US - 1, -1440, CRD_DATE_MAX},
    };
    for (size_t i = 0; i < sizeof days / sizeof days[0]; i++) {
        int32_t date = 77;
        ck_assert_int_eq(crd_date_of_instant(days[i].instant, days[i].offset, &date), CRD_OK);
        ck_assert_int_eq(date, days[i].date);
    }
}
END_TEST

START_TEST(M6_instants_without_a_business_day_are_refused) {
    static const struct {
        int64_t instant;
        int32_t offset;
    } bad[] = {{0, 0},
               {DAY_US - 1, 0},
               {DAY_US, -1},
               {0, -1440},
               {-1, 0},
               {-1, 1440},
               {INT64_MIN, -1440},
               {INT64_MAX, 1440},
               {(CRD_DATE_MAX + INT64_C(1)) * DAY_US, 0},
               {(CRD_DATE_MAX + INT64_C(1)) * DAY_US - 1, 1},
               {(CRD_DATE_MAX + INT64_C(2)) * DAY_US, -1440},
               {DAY_US * 10, 1441},
               {DAY_US * 10, -1441},
               {DAY_US * 10, INT32_MIN},
               {DAY_US * 10, INT32_MAX}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        int32_t date = 77;
        ck_assert_msg(crd_date_of_instant(bad[i].instant, bad[i].offset, &date) == CRD_E_ARGUMENT,
                      "row %u was taken", (unsigned)i);
        ck_assert_int_eq(date, CRD_DATE_NONE);
    }
    ck_assert_int_eq(crd_date_of_instant(DAY_US, 0, NULL), CRD_E_ARGUMENT);
}
END_TEST

START_TEST(instants_are_written_in_utc) {
    static const struct {
        int64_t instant;
        const char *text;
    } instants[] = {
        {1, "1970-01-01T00:00:00.000001Z"},
        {999999, "1970-01-01T00:00:00.999999Z"},
        {DAY_US - 1, "1970-01-01T23:59:59.999999Z"},
        {INT64_C(1795395217123456), "2026-11-23T00:53:37.123456Z"},
        {(CRD_DATE_MAX + INT64_C(1)) * DAY_US - 1, "9999-12-31T23:59:59.999999Z"},
    };
    char text[CRD_INSTANT_TEXT];
    for (size_t i = 0; i < sizeof instants / sizeof instants[0]; i++) {
        ck_assert_int_eq(crd_instant_to_text(instants[i].instant, text, sizeof text), CRD_OK);
        ck_assert_str_eq(text, instants[i].text);
    }
    ck_assert_int_eq(crd_instant_to_text(0, text, sizeof text), CRD_OK); /* not given */
    ck_assert_str_eq(text, "");
}
END_TEST

START_TEST(an_instant_is_written_whole_or_not_at_all) {
    static const int64_t bad[] = {-1, INT64_MIN, INT64_MAX, (CRD_DATE_MAX + INT64_C(1)) * DAY_US};
    char text[CRD_INSTANT_TEXT];
    for (uint64_t capacity = 1; capacity <= sizeof text; capacity++) {
        crd_status expected = capacity < 28 ? CRD_E_TOO_LARGE : CRD_OK;
        memset(text, 'x', sizeof text);
        ck_assert_int_eq(crd_instant_to_text(DAY_US, text, capacity), expected);
        ck_assert_str_eq(text, capacity < 28 ? "" : "1970-01-02T00:00:00.000000Z");
        for (uint64_t i = capacity < 28 ? 1 : 28; i < sizeof text; i++) ck_assert_int_eq(text[i], 'x');
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        text[0] = 'x';
        ck_assert_int_eq(crd_instant_to_text(bad[i], text, sizeof text), CRD_E_ARGUMENT);
        ck_assert_str_eq(text, "");
    }
    text[0] = 'x';
    ck_assert_int_eq(crd_instant_to_text(DAY_US, text, 0), CRD_E_TOO_LARGE);
    ck_assert_int_eq(crd_instant_to_text(0, text, 0), CRD_E_TOO_LARGE);
    ck_assert_int_eq(text[0], 'x');
    ck_assert_int_eq(crd_instant_to_text(DAY_US, NULL, sizeof text), CRD_E_ARGUMENT);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("date");
    TCase *tests = tcase_create("date");
    SRunner *runner;
    int failed;
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, dates_follow_the_calendar);
    tcase_add_test(tests, days_that_are_no_date_are_refused);
    tcase_add_loop_test(tests, dates_are_read_and_written, 0, sizeof date_texts / sizeof date_texts[0]);
    tcase_add_test(tests, dates_are_read_strictly);
    tcase_add_test(tests, no_date_is_written_as_nothing);
    tcase_add_test(tests, a_date_is_written_whole_or_not_at_all);
    tcase_add_test(tests, M6_the_business_day_begins_at_the_offset);
    tcase_add_test(tests, M6_instants_without_a_business_day_are_refused);
    tcase_add_test(tests, instants_are_written_in_utc);
    tcase_add_test(tests, an_instant_is_written_whole_or_not_at_all);
    suite_add_tcase(suite, tests);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
