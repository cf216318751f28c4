/*
 * Claims about the library on the storage (L).
 */
#include "testkit_private.h"

const crd__tk_entry crd__tk_ledger_claims[1] = {{{0, 0, NULL, NULL, NULL, NULL, NULL}, NULL}};
const uint64_t crd__tk_ledger_count = 0;
