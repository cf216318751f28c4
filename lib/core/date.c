/*
 * Business dates and instants. The calendar is the proleptic Gregorian one; years are counted from March, so
 * that the leap day is the last day of a year and a month's offset is a linear formula.
 */
#include <credit/date.h>

#include <string.h>

#define DAYS_TO_1970 719468 /* from 0000-03-01 */
#define MICROSECONDS_PER_DAY INT64_C(86400000000)

static int is_leap(int32_t year) {
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int32_t days_in_month(int32_t year, int32_t month) {
    static const int32_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return month == 2 && is_leap(year) ? 29 : days[month - 1];
}

static int date_in_range(int32_t date) {
    return date >= CRD_DATE_MIN && date <= CRD_DATE_MAX;
}

crd_status crd_date_from_civil(int32_t year, int32_t month, int32_t day, int32_t *out) {
    int32_t shifted, days;
    if (out == NULL) return CRD_E_ARGUMENT;
    *out = CRD_DATE_NONE;
    if (year < 1970 || year > 9999 || month < 1 || month > 12) return CRD_E_ARGUMENT;
    if (day < 1 || day > days_in_month(year, month)) return CRD_E_ARGUMENT;
    shifted = month > 2 ? year : year - 1;
    days = shifted * 365 + shifted / 4 - shifted / 100 + shifted / 400;
    days += (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1 - DAYS_TO_1970;
    if (!date_in_range(days)) return CRD_E_ARGUMENT;
    *out = days;
    return CRD_OK;
}

/* `date` is at least 1970-01-01. */
static void split(int32_t date, int32_t *year, int32_t *month, int32_t *day) {
    int32_t days = date + DAYS_TO_1970;
    int32_t era = days / 146097, of_era = days % 146097; /* 400 years */
    int32_t years = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int32_t of_year = of_era - (365 * years + years / 4 - years / 100);
    int32_t shifted = (5 * of_year + 2) / 153;
    *day = of_year - (153 * shifted + 2) / 5 + 1;
    *month = shifted < 10 ? shifted + 3 : shifted - 9;
    *year = era * 400 + years + (*month <= 2);
}

crd_status crd_date_to_civil(int32_t date, int32_t *year, int32_t *month, int32_t *day) {
    if (year == NULL || month == NULL || day == NULL) return CRD_E_ARGUMENT;
    *year = *month = *day = 0;
    if (!date_in_range(date)) return CRD_E_ARGUMENT;
    split(date, year, month, day);
    return CRD_OK;
}

static int32_t digits(const char *text, int count) {
    int32_t value = 0;
    for (int i = 0; i < count; i++) {
        if (text[i] < '0' || text[i] > '9') return -1;
        value = value * 10 + (text[i] - '0');
    }
    return value;
}

crd_status crd_date_from_text(const char *text, int32_t *out) {
    if (out == NULL) return CRD_E_ARGUMENT;
    *out = CRD_DATE_NONE;
    if (text == NULL || strlen(text) != 10 || text[4] != '-' || text[7] != '-') return CRD_E_ARGUMENT;
    return crd_date_from_civil(digits(text, 4), digits(text + 5, 2), digits(text + 8, 2), out);
}

/* Writes `value` with `count` digits and one character behind them. */
static char *date_put(char *to, int64_t value, int count, char behind) {
    for (int i = count; i-- > 0; value /= 10) to[i] = (char)('0' + value % 10);
    to[count] = behind;
    return to + count + 1;
}

static char *date_put_day(char *to, int32_t date, char behind) {
    int32_t year, month, day;
    split(date, &year, &month, &day);
    to = date_put(to, year, 4, '-');
    to = date_put(to, month, 2, '-');
    return date_put(to, day, 2, behind);
}

crd_status crd_date_to_text(int32_t date, char *out, uint64_t capacity) {
    if (out == NULL) return CRD_E_ARGUMENT;
    if (capacity > 0) out[0] = '\0';
    if (date == CRD_DATE_NONE) return capacity > 0 ? CRD_OK : CRD_E_TOO_LARGE;
    if (!date_in_range(date)) return CRD_E_ARGUMENT;
    if (capacity < 11) return CRD_E_TOO_LARGE;
    (void)date_put_day(out, date, '\0');
    return CRD_OK;
}

crd_status crd_date_of_instant(int64_t instant, int32_t utc_offset_minutes, int32_t *out) {
    int64_t days;
    if (out == NULL) return CRD_E_ARGUMENT;
    *out = CRD_DATE_NONE;
    if (utc_offset_minutes < -1440 || utc_offset_minutes > 1440) return CRD_E_ARGUMENT;
    if (instant < 0 || instant > (CRD_DATE_MAX + INT64_C(2)) * MICROSECONDS_PER_DAY) return CRD_E_ARGUMENT;
    instant += utc_offset_minutes * INT64_C(60000000);
    days = instant / MICROSECONDS_PER_DAY;
    if (instant < 0 || days < CRD_DATE_MIN || days > CRD_DATE_MAX) return CRD_E_ARGUMENT;
    *out = (int32_t)days;
    return CRD_OK;
}

crd_status crd_instant_to_text(int64_t instant, char *out, uint64_t capacity) {
    int64_t rest = instant % MICROSECONDS_PER_DAY;
    char *to = out;
    if (out == NULL) return CRD_E_ARGUMENT;
    if (capacity > 0) out[0] = '\0';
    if (instant == 0) return capacity > 0 ? CRD_OK : CRD_E_TOO_LARGE;
    if (instant < 0 || instant / MICROSECONDS_PER_DAY > CRD_DATE_MAX) return CRD_E_ARGUMENT;
    if (capacity < 28) return CRD_E_TOO_LARGE;
    to = date_put_day(to, (int32_t)(instant / MICROSECONDS_PER_DAY), 'T');
    to = date_put(to, rest / INT64_C(3600000000), 2, ':');
    to = date_put(to, rest / 60000000 % 60, 2, ':');
    to = date_put(to, rest / 1000000 % 60, 2, '.');
    to = date_put(to, rest % 1000000, 6, 'Z');
    *to = '\0';
    return CRD_OK;
}
