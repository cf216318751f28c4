/*
 * Amounts as text, and proportional splits. What they promise is told in <credit/money.h>.
 */
#include "core/money.h"

#include <string.h>

static int exponent_is_good(int32_t exponent) {
    return exponent >= 0 && exponent <= CRD_MONEY_MAX_EXPONENT;
}

/* Appends a digit to a number that is kept negative, because INT64_MIN has no positive counterpart. */
static int append_digit(int64_t *negative, int digit) {
    if (*negative < INT64_MIN / 10) return 0;
    return crd__sub(*negative * 10, digit, negative);
}

crd_status crd_money_parse(const char *text, int32_t exponent, int64_t *out) {
    int minus, fits = 1;
    int32_t whole = 0, decimals = -1; /* digits before the point; digits after it, -1: no point yet */
    int64_t value = 0;
    if (out == NULL) return CRD_E_ARGUMENT;
    *out = 0;
    if (text == NULL || !exponent_is_good(exponent)) return CRD_E_ARGUMENT;
    minus = *text == '-';
    for (text += minus; *text != '\0'; text++) {
        if (*text == '.' && decimals < 0 && whole > 0) {
            decimals = 0;
            continue;
        }
        if (*text < '0' || *text > '9') return CRD_E_ARGUMENT;
        if (decimals < 0)
            whole = 1;
        else if (++decimals > exponent)
            return CRD_E_ARGUMENT;
        fits = fits && append_digit(&value, *text - '0'); /* reads on: junk behind is the better reason */
    }
    if (whole == 0 || decimals == 0) return CRD_E_ARGUMENT;
    for (int32_t i = decimals < 0 ? 0 : decimals; i < exponent; i++) fits = fits && append_digit(&value, 0);
    if (!fits || (!minus && !crd__sub(0, value, &value))) return CRD_E_OVERFLOW;
    *out = value;
    return CRD_OK;
}

crd_status crd_money_format(int64_t minor, int32_t exponent, char *out, uint64_t capacity) {
    char text[CRD_MONEY_TEXT];
    char *p = text + sizeof text;
    uint64_t rest = minor < 0 ? 0 - (uint64_t)minor : (uint64_t)minor;
    int32_t digits = 0;
    size_t size;
    if (out == NULL) return CRD_E_ARGUMENT;
    if (capacity > 0) out[0] = '\0';
    if (!exponent_is_good(exponent)) return CRD_E_ARGUMENT;
    *--p = '\0';
    do { /* from the right, with at least one digit before the point */
        if (digits == exponent && exponent > 0) *--p = '.';
        *--p = (char)('0' + rest % 10);
        rest /= 10;
        digits++;
    } while (rest > 0 || digits <= exponent);
    if (minor < 0) *--p = '-';
    size = (size_t)(text + sizeof text - p);
    if (size > capacity) return CRD_E_TOO_LARGE;
    memcpy(out, p, size);
    return CRD_OK;
}

/*
 * total × weight ÷ sum, and what is left over, for 0 ≤ weight ≤ sum, without the 128-bit product: the
 * schoolbook's multiplication by the binary digits of `total`, from the highest, dividing as it goes. The
 * remainder stays below `sum` ≤ INT64_MAX, so its double fits 64 bits without sign.
 */
static uint64_t share(uint64_t total, uint64_t weight, uint64_t sum, uint64_t *remainder) {
    uint64_t quotient = 0, rest = 0;
    int bit = 63;
    while (bit > 0 && total >> bit == 0) bit--;
    for (; bit >= 0; bit--) {
        quotient <<= 1;
        rest <<= 1;
        if (rest >= sum) {
            rest -= sum;
            quotient++;
        }
        if (total >> bit & 1) {
            rest += weight;
            if (rest >= sum) {
                rest -= sum;
                quotient++;
            }
        }
    }
    *remainder = rest;
    return quotient;
}

static uint64_t count_at_least(const int64_t *values, uint64_t count, int64_t least) {
    uint64_t found = 0;
    for (uint64_t i = 0; i < count; i++) found += values[i] >= least;
    return found;
}

/* The rank-th greatest of the values (≥ 0, 1 ≤ rank ≤ count), found bit by bit from the highest. */
static int64_t greatest(const int64_t *values, uint64_t count, uint64_t rank) {
    int64_t found = 0;
    for (int bit = 62; bit >= 0; bit--) {
        int64_t higher = found | (int64_t)((uint64_t)1 << bit);
        if (count_at_least(values, count, higher) >= rank) found = higher;
    }
    return found;
}

/*
 * `out` first holds the remainders. The units left over are Σ remainders ÷ sum, fewer than there are
 * remainders above 0; `limit` is the smallest remainder that still gets one, `at_limit` how many of those
 * that have it do.
 */
crd_status crd_money_split(int64_t total, const int64_t *weights, uint64_t count, int64_t *out) {
    int64_t sum = 0, limit = INT64_MAX;
    uint64_t left = (uint64_t)total, at_limit = 0, remainder;
    crd_status status = weights == NULL || count == 0 || total < 0 ? CRD_E_ARGUMENT : CRD_OK;
    if (out == NULL) return CRD_E_ARGUMENT;
    for (uint64_t i = 0; i < count; i++) out[i] = 0;
    for (uint64_t i = 0; i < count && status != CRD_E_ARGUMENT; i++) {
        if (weights[i] < 0)
            status = CRD_E_ARGUMENT;
        else if (status == CRD_OK && !crd__add(sum, weights[i], &sum))
            status = CRD_E_OVERFLOW;
    }
    if (status == CRD_OK && sum == 0) status = CRD_E_ARGUMENT;
    if (status != CRD_OK) return status;

    for (uint64_t i = 0; i < count; i++) {
        left -= share((uint64_t)total, (uint64_t)weights[i], (uint64_t)sum, &remainder);
        out[i] = (int64_t)remainder;
    }
    if (left > 0) {
        limit = greatest(out, count, left);
        at_limit = left - count_at_least(out, count, limit + 1);
    }
    for (uint64_t i = 0; i < count; i++) {
        int64_t lost = out[i];
        out[i] = (int64_t)share((uint64_t)total, (uint64_t)weights[i], (uint64_t)sum, &remainder);
        if (lost > limit) {
            out[i]++;
        } else if (lost == limit && at_limit > 0) {
            out[i]++;
            at_limit--;
        }
    }
    return CRD_OK;
}
