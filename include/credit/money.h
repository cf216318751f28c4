/**
 * @file
 * Money: minor units, currencies, amounts as text, and splits that lose nothing.
 *
 * An amount is an int64_t that counts the minor units of its currency: 1234 in EUR is twelve euros
 * thirty-four, in JPY one thousand two hundred and thirty-four yen. How many decimals a currency has is its
 * *exponent*. There is no floating point anywhere, and no rounding but in crd_money_split(), whose parts sum
 * to the whole.
 *
 * No function here keeps state, allocates or depends on a locale. An argument that is NULL where a pointer is
 * needed is refused with #CRD_E_ARGUMENT. When a call fails, what it would have written is 0 or "".
 */
#ifndef CREDIT_MONEY_H
#define CREDIT_MONEY_H

#include <credit/status.h>

CRD_BEGIN

/** Bytes that hold any amount as text, with sign, point and closing NUL. */
#define CRD_MONEY_TEXT 32

/** The greatest exponent: 64 bits still hold nine thousand million major units. ISO 4217 itself ends at 4. */
#define CRD_MONEY_MAX_EXPONENT 9

/**
 * A currency of the host's own, or another exponent for a known one. A ledger is opened with a list of these;
 * they go before ISO 4217. They are how a withdrawn currency (an old book in BGN) or a private unit gets in.
 */
typedef struct crd_currency {
    uint32_t struct_size;
    int32_t exponent; /**< decimals of the minor unit, 0 to #CRD_MONEY_MAX_EXPONENT */
    const char *code; /**< three letters A to Z */
} crd_currency;

/**
 * The exponent of a currency of ISO 4217, list of 2026-01-01: current currencies and funds codes that have a
 * minor unit. Metals, bond market units, XDR, XSU, XUA, XTS and XXX have none and are unknown here, as are
 * withdrawn currencies.
 *
 * @param currency  alphabetic code, capital letters, such as "EUR"
 * @param out       receives 0, 2, 3 or 4
 * @return #CRD_OK; #CRD_E_CURRENCY if the code is unknown; #CRD_E_ARGUMENT
 */
CRD_API crd_status CRD_CALL crd_currency_exponent(const char *currency, int32_t *out);

/**
 * Reads an amount: an optional "-", digits, and optionally "." with 1 to `exponent` more digits. Fewer
 * decimals than the currency has are filled up: "0.5" with exponent 2 is 50. Nothing else is taken: no "+",
 * no blanks, no grouping, no comma, no ".5" and no "5.".
 *
 * @param exponent  0 to #CRD_MONEY_MAX_EXPONENT
 * @param out       receives the minor units; the whole range of int64_t
 * @return #CRD_OK; #CRD_E_OVERFLOW for a well-formed amount outside 64 bits; #CRD_E_ARGUMENT for anything
 *         else, too many decimals among them
 */
CRD_API crd_status CRD_CALL crd_money_parse(const char *text, int32_t exponent, int64_t *out);

/**
 * Writes an amount as crd_money_parse() reads it, with all its decimals: -1234 with exponent 2 is "-12.34".
 * Any int64_t has a text, INT64_MIN too.
 *
 * @param exponent  0 to #CRD_MONEY_MAX_EXPONENT
 * @param out       receives the NUL-terminated text
 * @param capacity  bytes `out` has; #CRD_MONEY_TEXT always suffice
 * @return #CRD_OK; #CRD_E_TOO_LARGE if the text and its NUL do not fit; #CRD_E_ARGUMENT
 */
CRD_API crd_status CRD_CALL crd_money_format(int64_t minor, int32_t exponent, char *out, uint64_t capacity);

/**
 * Splits an amount in proportion to weights by largest remainder. Every part is its exact share rounded down
 * or up to a minor unit; the units that rounding down leaves over go to the parts that lost the most, among
 * equals to the earlier. So the parts sum to `total` exactly and a part of weight 0 is 0.
 *
 * Exact for all values: products are never formed, so nothing is cut off at 64 bits. Takes time proportional
 * to `count` (about 200 steps per part) and no memory but `out`.
 *
 * @param total    what to split, 0 or more
 * @param weights  `count` weights, each 0 or more, not all 0
 * @param count    number of parts, at least 1
 * @param out      receives `count` parts; must not overlap `weights`. All 0 after a failure
 * @return #CRD_OK; #CRD_E_OVERFLOW if the weights sum to more than INT64_MAX; #CRD_E_ARGUMENT
 */
CRD_API crd_status CRD_CALL crd_money_split(int64_t total, const int64_t *weights, uint64_t count,
                                            int64_t *out);

CRD_END
#endif
