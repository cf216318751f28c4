/*
 * What text the library takes: UTF-8, bounded, without control characters.
 */
#ifndef CREDIT_CORE_TEXT_H
#define CREDIT_CORE_TEXT_H

#include <credit/status.h>

/* CRD_OK when `text` is at most `max_bytes` of well-formed UTF-8 (no overlong forms, no surrogates, nothing
 * beyond U+10FFFF) without control characters (C0, DEL, C1; with `allow_newline`, line feed and tab are
 * fine); else, and for NULL, CRD_E_ARGUMENT. */
crd_status crd__text_check(const char *text, uint64_t max_bytes, int allow_newline);

/* An id: 1 to 63 bytes, no control characters. A host's id does not begin with "~", which marks derived ones.
 * CRD_OK or CRD_E_ARGUMENT. */
crd_status crd__id_check(const char *id);
crd_status crd__id_check_host(const char *id);

#endif
