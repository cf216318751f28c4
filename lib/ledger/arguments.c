/*
 * What a caller may pass. Each check names the field and says in one sentence what would be right.
 */
#include "core/money.h"
#include "core/text.h"
#include "ledger/ledger.h"

#include <string.h>

static int text_is_good(const char *text, uint64_t most) {
    return crd__text_check(text, most, 1) == CRD_OK;
}

const char *crd__or_empty(const char *text) {
    return text != NULL ? text : "";
}

crd_status crd__check_id(crd_ledger *ledger, const char *field, const char *id) {
    if (id == NULL) return crd__fail_argument(ledger, field, "must be given");
    if (crd__id_check_host(id) != CRD_OK)
        return crd__fail_argument(ledger, field,
                                  "must be 1 to 63 bytes of UTF-8 without control characters, not beginning with ~");
    return CRD_OK;
}

crd_status crd__check_any_id(crd_ledger *ledger, const char *field, const char *id) {
    if (id == NULL) return crd__fail_argument(ledger, field, "must be given");
    if (crd__id_check(id) != CRD_OK)
        return crd__fail_argument(ledger, field, "must be 1 to 63 bytes of UTF-8 without control characters");
    return CRD_OK;
}

crd_status crd__check_label(crd_ledger *ledger, const char *field, const char *text) {
    if (text == NULL || text[0] == '\0' || crd__id_check(text) == CRD_OK) return CRD_OK;
    return crd__fail_argument(ledger, field, "must be at most 63 bytes of UTF-8 without control characters");
}

crd_status crd__check_text(crd_ledger *ledger, const char *field, const char *text) {
    if (text == NULL || text_is_good(text, CRD_MAX_TEXT)) return CRD_OK;
    return crd__fail_argument(ledger, field, "must be at most 1000 bytes of UTF-8 without control characters");
}

crd_status crd__check_currency(crd_ledger *ledger, const char *currency) {
    int32_t exponent;
    if (currency == NULL) return crd__fail_argument(ledger, "currency", "must be given");
    if (crd__currency_exponent(currency, (const crd_currency *const *)ledger->currencies, ledger->currency_count,
                               &exponent) != CRD_OK) {
        crd__fail(ledger, CRD_E_CURRENCY, "the currency is not known; it must be an ISO 4217 code such as EUR");
        ledger->error.field = "currency";
        return CRD_E_CURRENCY;
    }
    return CRD_OK;
}

crd_status crd__check_amount(crd_ledger *ledger, const char *field, int64_t amount, int64_t least) {
    if (amount >= least && amount <= CRD_MAX_AMOUNT) return CRD_OK;
    crd__fail_argument(ledger, field,
                       amount < least ? (least == 0 ? "must not be negative" : "must be at least 1 minor unit")
                                      : "is above the largest amount");
    ledger->error.limit = amount < least ? least : CRD_MAX_AMOUNT;
    ledger->error.given = amount;
    return CRD_E_ARGUMENT;
}

crd_status crd__check_date_field(crd_ledger *ledger, const char *field, int32_t date) {
    if (date == CRD_DATE_NONE || (date >= CRD_DATE_MIN && date <= CRD_DATE_MAX)) return CRD_OK;
    return crd__fail_argument(ledger, field, "must be a business date from 1970-01-02 to 9999-12-31");
}

crd_status crd__take_struct(crd_ledger *ledger, const char *field, void *to, uint32_t size, uint32_t least,
                            const void *from) {
    uint32_t given;
    memset(to, 0, size);
    if (from == NULL) return crd__fail_argument(ledger, field, "must be given");
    memcpy(&given, from, sizeof given);
    if (given < least) return crd__fail_argument(ledger, field, "its struct_size is below that of version 1");
    for (uint32_t i = size; i < given; i++)
        if (((const unsigned char *)from)[i] != 0)
            return crd__fail_argument(ledger, field, "sets a member this version of the library does not know");
    memcpy(to, from, given < size ? given : size);
    memcpy(to, &size, sizeof size);
    return CRD_OK;
}

void crd__give_struct(void *to, const void *from) {
    uint32_t room, size;
    if (to == NULL) return;
    memcpy(&room, to, sizeof room);
    memcpy(&size, from, sizeof size);
    if (room > size) room = size;
    if (room > sizeof room) memcpy((char *)to + sizeof room, (const char *)from + sizeof room, room - sizeof room);
}

crd_status crd__today(crd_ledger *ledger, int32_t asked, int32_t *out) {
    int64_t now;
    crd_status status = crd__check_date_field(ledger, "date", asked);
    *out = asked;
    if (status != CRD_OK || asked != CRD_DATE_NONE) return status;
    if (ledger->hooks.clock == NULL) return crd__fail_argument(ledger, "date", "must be given without a clock");
    ledger->busy = 1;
    now = ledger->hooks.clock(ledger->hooks.ctx);
    ledger->busy = 0;
    if (crd_date_of_instant(now, ledger->settings.utc_offset_minutes, out) != CRD_OK)
        return crd__fail_argument(ledger, "clock", "gave a time outside 1970-01-02 to 9999-12-31");
    return CRD_OK;
}
