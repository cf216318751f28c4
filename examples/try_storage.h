/*
 * Tries a storage with the conformance kit and says what it found. For programs that include it once.
 */
#ifndef TRY_STORAGE_H
#define TRY_STORAGE_H

#include <credit/testkit.h>

#include <stdio.h>
#include <string.h>

static int32_t CRD_CALL say_what_was_found(void *ctx, const crd_testkit_finding *f) {
    (void)ctx;
    if (f->verdict == CRD_TESTKIT_FAILED)
        printf("%s (%s) failed: %s\n    The contract: %s\n    %s\n", f->claim->id, f->claim->title, f->evidence,
               f->claim->sentence, f->claim->remedy);
    return 0;
}

/* 0 when every claim that was tried holds: what main returns. */
static int try_storage(const crd_testkit_factory *factory) {
    crd_testkit_summary s;
    memset(&s, 0, sizeof s);
    s.struct_size = sizeof s;
    if (crd_testkit_run(factory, say_what_was_found, NULL, &s) != CRD_OK) return 2;
    printf("%llu claims hold, %llu fail, %llu were not tried\n", (unsigned long long)s.held,
           (unsigned long long)s.failed, (unsigned long long)s.skipped);
    return s.failed != 0;
}

#endif
