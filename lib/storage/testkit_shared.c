/*
 * Claims about more than one connection: another one (C), concurrent writers (P), a restart (D), the host's own
 * transaction (J).
 */
#include "testkit_private.h"

const crd__tk_entry crd__tk_shared_claims[1] = {{{0, 0, NULL, NULL, NULL, NULL, NULL}, NULL}};
const uint64_t crd__tk_shared_count = 0;
