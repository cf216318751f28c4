/*
 * Hosts of other versions on this library. An older one has shorter structs: nothing is written behind what it has. A
 * newer one has longer ones: accepted while it sets only what the library knows, refused when it sets more.
 */
#include <credit.h>

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define GUARD 0xa5

static int failed;

static void check(int good, const char *what) {
    if (good) return;
    printf("hosts: %s\n", what);
    failed = 1;
}

/* 1 when every byte of a struct behind its size is as it was. */
static int untouched(const void *from, size_t size, size_t room) {
    const unsigned char *bytes = from;
    size_t i;
    for (i = size; i < room; i++)
        if (bytes[i] != GUARD) return 0;
    return 1;
}

int main(void) {
    crd_memory *memory;
    crd_ledger *ledger;
    crd_credit *credit;
    union { crd_result now; unsigned char room[256]; } result;
    union { crd_verify_result now; unsigned char room[256]; } verified;
    struct { crd_request now; uint64_t later[2]; } newer;
    struct { crd_ledger_options now; uint64_t later; } options;
    crd_credit_terms terms;

    memset(&options, 0, sizeof options);
    options.now.struct_size = sizeof options;
    if (crd_memory_new(NULL, &memory) != CRD_OK) return 1;
    options.now.storage = crd_memory_storage(memory);
    options.later = 1;
    check(crd_ledger_open(&options.now, &ledger) == CRD_E_ARGUMENT, "options that set what this version does not know");
    options.later = 0;
    if (crd_ledger_open(&options.now, &ledger) != CRD_OK) return 1;

    memset(&newer, 0, sizeof newer);
    newer.now.struct_size = sizeof newer;
    newer.now.actor = "host";
    newer.now.instant = INT64_C(1795420417000000);
    check(crd_customer_add(ledger, &newer.now, "c", NULL, NULL) == CRD_OK, "a longer request with nothing unknown in it");
    newer.later[1] = 1;
    check(crd_customer_add(ledger, &newer.now, "d", NULL, NULL) == CRD_E_ARGUMENT, "a longer request with something unknown");
    newer.later[1] = 0;
    newer.now.struct_size = offsetof(crd_request, instant);
    check(crd_customer_add(ledger, &newer.now, "d", NULL, NULL) == CRD_E_ARGUMENT, "a request shorter than any version's");
    newer.now.struct_size = sizeof newer;

    memset(&terms, 0, sizeof terms);
    terms.struct_size = sizeof terms;
    terms.kind = CRD_CREDIT_MEMO;
    terms.currency = "EUR";
    terms.amount = 1000;
    terms.reason = "returned";
    check(crd_credit_issue(ledger, &newer.now, "c", &terms, &credit) == CRD_OK, "issue");

    memset(&result, GUARD, sizeof result);
    result.now.struct_size = offsetof(crd_result, warnings);
    check(crd_credit_void(ledger, &newer.now, credit, 300, 0, &result.now) == CRD_OK, "void");
    check(result.now.amount == 300, "what an older host knows is filled in");
    check(result.now.struct_size == offsetof(crd_result, warnings), "struct_size is the host's own");
    check(untouched(&result, offsetof(crd_result, warnings), sizeof result), "written behind the struct_size of a result");
    memset(&result, GUARD, sizeof result);
    result.now.struct_size = sizeof result;
    check(crd_credit_void(ledger, &newer.now, credit, 300, 0, &result.now) == CRD_OK, "void again");
    check(untouched(&result, sizeof result.now, sizeof result), "written behind what this version knows of a result");

    memset(&verified, GUARD, sizeof verified);
    verified.now.struct_size = offsetof(crd_verify_result, entries);
    check(crd_ledger_verify(ledger, NULL, &verified.now) == CRD_OK, "verify");
    check(untouched(&verified, offsetof(crd_verify_result, entries), sizeof verified), "written behind a verify result");

    crd_credit_free(credit);
    crd_ledger_close(ledger);
    crd_memory_free(memory);
    return failed;
}
