/*
 * The conformance kit: the list of claims, and a run through them. testkit_private.h tells how it is built.
 */
#include "testkit_private.h"

#include <string.h>

static const crd__tk_entry *entry_at(uint64_t index) {
    if (index < crd__tk_read_count) return &crd__tk_read_claims[index];
    index -= crd__tk_read_count;
    if (index < crd__tk_write_count) return &crd__tk_write_claims[index];
    index -= crd__tk_write_count;
    if (index < crd__tk_shared_count) return &crd__tk_shared_claims[index];
    index -= crd__tk_shared_count;
    return index < crd__tk_ledger_count ? &crd__tk_ledger_claims[index] : NULL;
}

const crd_testkit_claim *CRD_CALL crd_testkit_claim_get(uint64_t index) {
    const crd__tk_entry *entry = entry_at(index);
    return entry != NULL ? &entry->claim : NULL;
}

/* ---- which claims ---- */

static int is_separator(char c) {
    return c == ' ' || c == ',' || c == '\n' || c == '\t';
}

static int is_chosen_claim(const char *only, const char *id) {
    size_t length = strlen(id);
    if (only == NULL || only[0] == '\0') return 1;
    while (*only != '\0') {
        const char *end = only;
        while (*end != '\0' && !is_separator(*end)) end++;
        if ((size_t)(end - only) == length && memcmp(only, id, length) == 0) return 1;
        for (only = end; is_separator(*only);) only++;
    }
    return 0;
}

/* What the host would have to bring, or NULL. */
static const char *lacks(const crd_testkit_factory *f, uint32_t needs) {
    if ((needs & CRD_TESTKIT_NEEDS_CONNECT) && f->connect == NULL)
        return "needs another connection: the factory brings no connect";
    if ((needs & CRD_TESTKIT_NEEDS_CONCURRENTLY) && f->concurrently == NULL)
        return "needs concurrent writers: the factory brings no concurrently";
    if ((needs & CRD_TESTKIT_NEEDS_REOPEN) && f->reopen == NULL)
        return "needs a restart: the factory brings no reopen";
    if ((needs & CRD_TESTKIT_NEEDS_TRANSACTION) && f->begin == NULL)
        return "needs the host's own transactions: the factory brings no begin";
    if ((needs & CRD_TESTKIT_NEEDS_SEPARATE) && !(f->flags & CRD_TESTKIT_SEPARATE))
        return "needs connections that do not wait for each other: the factory does not say CRD_TESTKIT_SEPARATE";
    return NULL;
}

/* ---- one claim ---- */

static void say(crd__tk_run *run, const crd_testkit_claim *claim, int32_t verdict, const char *evidence) {
    crd_testkit_finding finding;
    if (run->report == NULL) return;
    memset(&finding, 0, sizeof finding);
    finding.struct_size = sizeof finding;
    finding.verdict = verdict;
    finding.claim = claim;
    finding.evidence = evidence;
    if (run->report(run->ctx, &finding) != 0) run->stopped = 1;
}

static void free_trial(crd__tk *t) {
    const crd_allocator *allocator = &t->run->allocator;
    while (t->blocks != NULL) {
        crd__tk_block *next = t->blocks->next;
        allocator->release(allocator->ctx, t->blocks);
        t->blocks = next;
    }
    if (t->rows != NULL) allocator->release(allocator->ctx, t->rows);
}

static crd_status open_trial(crd__tk_run *run, crd__tk *t, const crd_testkit_claim *claim) {
    uint64_t size = UINT64_C(64) << 10;
    memset(t, 0, sizeof *t);
    t->run = run;
    t->claim = claim;
    t->random = run->factory->seed + 1;
    t->blocks = run->allocator.resize(run->allocator.ctx, NULL, sizeof *t->blocks + size);
    if (t->blocks == NULL) return CRD_E_NOMEM;
    memset(t->blocks, 0, sizeof *t->blocks); /* used up from the start: it is the reserve */
    memset(t->blocks + 1, 0, (size_t)size);
    crd__tk_open_spare(t);
    t->world.struct_size = sizeof t->world;
    run->factory->open(run->factory->ctx, &t->world);
    t->storage = t->world.storage;
    return CRD_OK;
}

static void try_in_world(crd__tk *t, const crd__tk_entry *entry) {
    if (t->storage == NULL) {
        crd__tk_fail(t, "the world could not be opened: open() set no storage");
    } else if (t->storage->read == NULL || t->storage->write == NULL) {
        crd__tk_fail(t, "the table lacks read or write: both must be given");
    } else if (entry->claim.needs & CRD_TESTKIT_NEEDS_WRITER && t->storage->new_writer == NULL) {
        t->dead = 2;
    } else {
        entry->try_it(t);
    }
}

static crd_status try_claim(crd__tk_run *run, const crd__tk_entry *entry) {
    const char *lack = lacks(run->factory, entry->claim.needs);
    crd__tk t;
    crd_status status;
    if (lack != NULL) {
        run->summary.skipped++;
        say(run, &entry->claim, CRD_TESTKIT_SKIPPED, lack);
        return CRD_OK;
    }
    status = open_trial(run, &t, &entry->claim);
    if (status != CRD_OK) return status;
    try_in_world(&t, entry);
    if (t.world.storage != NULL) run->factory->close(run->factory->ctx, &t.world);
    free_trial(&t);
    if (t.nomem) return CRD_E_NOMEM;
    if (t.dead == 2) {
        run->summary.skipped++;
        say(run, &entry->claim, CRD_TESTKIT_SKIPPED, "needs new_writer: the storage has none");
    } else if (t.findings > 0) {
        run->summary.failed++;
    } else {
        run->summary.held++;
        say(run, &entry->claim, CRD_TESTKIT_HELD, "");
    }
    return CRD_OK;
}

/* ---- the run ---- */

static crd_status take_factory(const crd_testkit_factory *given, crd_testkit_factory *f) {
    uint32_t least = (uint32_t)(offsetof(crd_testkit_factory, seed) + sizeof given->seed);
    if (given == NULL || given->struct_size < least) return CRD_E_ARGUMENT;
    memset(f, 0, sizeof *f);
    memcpy(f, given, given->struct_size < sizeof *f ? given->struct_size : sizeof *f);
    f->struct_size = sizeof *f;
    if (f->open == NULL || f->close == NULL || (f->connect == NULL) != (f->disconnect == NULL) ||
        (f->begin == NULL) != (f->end == NULL) || (f->flags & ~CRD_TESTKIT_SEPARATE) != 0)
        return CRD_E_ARGUMENT;
    return CRD_OK;
}

static void give_summary(crd_testkit_summary *out, const crd_testkit_summary *summary) {
    uint32_t size = out->struct_size;
    memcpy(out, summary, size < sizeof *summary ? size : sizeof *summary);
    out->struct_size = size;
}

crd_status CRD_CALL crd_testkit_run(const crd_testkit_factory *factory, crd_testkit_report report, void *ctx,
                                    crd_testkit_summary *out) {
    crd_testkit_factory own;
    crd__tk_run run;
    const crd__tk_entry *entry;
    crd_status status;
    if (out == NULL || out->struct_size < sizeof *out) return CRD_E_ARGUMENT;
    memset(&run, 0, sizeof run);
    give_summary(out, &run.summary);
    status = take_factory(factory, &own);
    if (status != CRD_OK) return status;
    run.factory = &own;
    run.report = report;
    run.ctx = ctx;
    if (!crd__tk_allocator(own.allocator, &run.allocator)) return CRD_E_ARGUMENT;
    for (uint64_t i = 0; (entry = entry_at(i)) != NULL && status == CRD_OK && !run.stopped; i++)
        if (is_chosen_claim(own.only, entry->claim.id)) status = try_claim(&run, entry);
    give_summary(out, &run.summary);
    return status;
}
