/*
 * Checked arithmetic: the only way in which amounts are added and subtracted. And the currency table with the
 * host's own entries before it.
 *
 * crd__add and crd__sub return 1 and store the result, or return 0 and leave *out alone when the result would
 * not fit. `out` may be one of the operands. Each exists twice: portable, and with the builtins of compilers
 * that have them (one instruction and a jump). Define CRD_NO_BUILTINS to have the portable ones everywhere, and
 * CRD__BOTH to have them beside the others.
 */
#ifndef CREDIT_CORE_MONEY_H
#define CREDIT_CORE_MONEY_H

#include <credit/money.h>

#if defined(__GNUC__) && (__GNUC__ >= 5 || defined(__clang__)) && !defined(CRD_NO_BUILTINS)
#define CRD__BUILTINS 1
#endif

#if !defined(CRD__BUILTINS) || defined(CRD__BOTH)
static inline int crd__add_portable(int64_t a, int64_t b, int64_t *out) {
    if (b > 0 ? a > INT64_MAX - b : a < INT64_MIN - b) return 0;
    *out = a + b;
    return 1;
}

static inline int crd__sub_portable(int64_t a, int64_t b, int64_t *out) {
    if (b > 0 ? a < INT64_MIN + b : a > INT64_MAX + b) return 0;
    *out = a - b;
    return 1;
}
#endif

#ifdef CRD__BUILTINS
static inline int crd__add(int64_t a, int64_t b, int64_t *out) {
    int64_t sum;
    if (__builtin_add_overflow(a, b, &sum)) return 0;
    *out = sum;
    return 1;
}

static inline int crd__sub(int64_t a, int64_t b, int64_t *out) {
    int64_t difference;
    if (__builtin_sub_overflow(a, b, &difference)) return 0;
    *out = difference;
    return 1;
}
#else
#define crd__add crd__add_portable
#define crd__sub crd__sub_portable
#endif

/* The n-th code of the table of ISO 4217, in four bytes with the NUL; 0 behind the last. */
int crd__currency_code(uint64_t n, char *out);

/*
 * The exponent of a currency: the first of the `count` overrides with that code, else ISO 4217's. Overrides
 * were checked when they came in; `overrides` may be NULL when there are none. CRD_OK, CRD_E_CURRENCY or
 * CRD_E_ARGUMENT.
 */
crd_status crd__currency_exponent(const char *currency, const crd_currency *const *overrides, uint64_t count,
                                  int32_t *out);

#endif
