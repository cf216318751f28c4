/*
 * Checks of text. See text.h. The table of well-formed byte sequences is Unicode's (The Unicode Standard,
 * table 3-7).
 */
#include "core/text.h"

#include <credit/record.h>

#include <stddef.h>

/* Bytes of the character at `s`, 0 when it is not well-formed or a C1 control. */
static uint64_t character(const unsigned char *s) {
    unsigned char low = 0x80, high = 0xbf;
    uint64_t size = s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
    if (s[0] < 0xc2 || s[0] > 0xf4) return 0;
    if (s[0] == 0xe0) low = 0xa0;
    if (s[0] == 0xed) high = 0x9f;
    if (s[0] == 0xf0) low = 0x90;
    if (s[0] == 0xf4) high = 0x8f;
    if (s[1] < low || s[1] > high) return 0;
    if (s[0] == 0xc2 && s[1] < 0xa0) return 0;
    for (uint64_t i = 2; i < size; i++)
        if ((s[i] & 0xc0) != 0x80) return 0; /* also ends at a NUL */
    return size;
}

crd_status crd__text_check(const char *text, uint64_t max_bytes, int allow_newline) {
    const unsigned char *s = (const unsigned char *)text;
    uint64_t at = 0;
    if (text == NULL) return CRD_E_ARGUMENT;
    for (;;) {
        uint64_t size = 0;
        while (at < max_bytes && s[at] >= 0x20 && s[at] < 0x7f) at++; /* plain ASCII is most of what comes */
        if (s[at] == 0) return CRD_OK;
        if (s[at] >= 0x80)
            size = character(s + at);
        else if (allow_newline && (s[at] == '\n' || s[at] == '\t'))
            size = 1;
        if (size == 0 || size > max_bytes - at) return CRD_E_ARGUMENT;
        at += size;
    }
}

crd_status crd__id_check(const char *id) {
    if (id == NULL || id[0] == '\0') return CRD_E_ARGUMENT;
    return crd__text_check(id, CRD_MAX_ID, 0);
}

crd_status crd__id_check_host(const char *id) {
    if (id != NULL && id[0] == '~') return CRD_E_ARGUMENT;
    return crd__id_check(id);
}
