/**
 * @file
 * Business dates and instants.
 *
 * A business date is a calendar day, counted in days since 1970-01-01; an instant is a moment, in
 * microseconds since 1970-01-01 00:00 UTC. The library never reads a clock and knows no time zone: the host
 * says which business day an instant belongs to, by a date of its own or by an offset.
 *
 * 0 means "not given" in every request and "none" in every record, so that a zeroed struct is a valid one.
 * That costs one day: business dates begin on 1970-01-02. Books older than that are not kept here.
 */
#ifndef CREDIT_DATE_H
#define CREDIT_DATE_H

#include <credit/status.h>

CRD_BEGIN

#define CRD_DATE_NONE 0       /**< no date, or not given */
#define CRD_DATE_MIN 1        /**< 1970-01-02 */
#define CRD_DATE_MAX 2932896  /**< 9999-12-31 */
#define CRD_DATE_TEXT 16      /**< bytes that hold any date as text */
#define CRD_INSTANT_TEXT 32   /**< bytes that hold any instant as text */

/**
 * Reads "YYYY-MM-DD", strictly.
 * @return #CRD_OK; #CRD_E_ARGUMENT for anything else or a date out of range; out is then 0
 */
CRD_API crd_status CRD_CALL crd_date_from_text(const char *text, int32_t *out);

/**
 * Writes "YYYY-MM-DD"; "" for #CRD_DATE_NONE.
 * @return #CRD_OK; #CRD_E_ARGUMENT out of range; #CRD_E_TOO_LARGE when the text and its NUL do not fit. Then
 *         out is "", if it has room for that
 */
CRD_API crd_status CRD_CALL crd_date_to_text(int32_t date, char *out, uint64_t capacity);

/**
 * The date of a day of the Gregorian calendar.
 * @return #CRD_OK; #CRD_E_ARGUMENT when there is no such day in the range; out is then 0
 */
CRD_API crd_status CRD_CALL crd_date_from_civil(int32_t year, int32_t month, int32_t day, int32_t *out);

/**
 * Year, month (1…12) and day (1…31) of a date.
 * @return #CRD_OK; #CRD_E_ARGUMENT out of range; all are then 0
 */
CRD_API crd_status CRD_CALL crd_date_to_civil(int32_t date, int32_t *year, int32_t *month, int32_t *day);

/**
 * The business date of an instant.
 * @param instant             microseconds since 1970 UTC
 * @param utc_offset_minutes  where the day begins, east of UTC positive; −1440 to 1440
 * @return #CRD_OK; #CRD_E_ARGUMENT when the date would be out of range; out is then 0
 */
CRD_API crd_status CRD_CALL crd_date_of_instant(int64_t instant, int32_t utc_offset_minutes, int32_t *out);

/** Writes an instant as "2026-11-23T00:53:37.123456Z"; "" for 0. @return as crd_date_to_text() */
CRD_API crd_status CRD_CALL crd_instant_to_text(int64_t instant, char *out, uint64_t capacity);

CRD_END
#endif
