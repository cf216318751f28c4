/*
 * The audit shim: judges every call of a storage while it passes it on.
 *
 * 1. What passes through is not changed: the storage gets the query or batch it was given and fills the caller's own
 *    result block.
 * 2. A claim is reported once per call, with the first that was seen of it.
 * 3. Where there is no memory, keys emitted twice are not found, and nothing is read back; all else is judged.
 */
#include "testkit_private.h"

#include <string.h>

#define A(id, title, sentence, source, remedy)                                                                         \
    { sizeof(crd_testkit_claim), 0, id, title, sentence, source, remedy }

enum {
    A1_PROOF,
    A2_OUTCOME,
    A3_ACCOUNTS_FIRST,
    A4_TWICE,
    A5_FORM,
    A6_KINDS,
    A7_STOP,
    A8_FAILED_LIST,
    A9_EXISTS,
    A10_BLOCK,
    A11_READ_BACK,
    B1_QUERY,
    B2_GUARD_ORDER,
    B3_CHANGE_ORDER,
    B4_BOUNDS,
    B5_GUARDED,
    B6_VERSION,
    B7_JOURNAL,
    B8_INSERT_ONLY,
    B9_RECORD,
    B10_RESULT,
    B11_NESTED,
    B12_CLOSED,
    AUDITED
};

static const crd_testkit_claim audit_claims[AUDITED] = {
    A("A1", "proof", "A finished callback copies the number `proof` into the result.", "S9",
      "Set the proof last. Where the connection was lost, leave the result as it is: the library finds out."),
    A("A2", "outcome", "done, conflict, exists, restart, failed, schema or unknown.", "storage.h",
      "A read ends as done, restart, failed, schema or unknown; only an insert can meet what exists."),
    A("A3", "the guard is read first", "Account records are emitted before all others.", "S3", "Emit accounts first."),
    A("A4", "no key twice", "No key twice in one read.", "S2", "Look for joins, and for keys asked for twice."),
    A("A5", "well-formed records", "Text is never NULL; struct_size stands in every record.", "record.h",
      "Set struct_size, and turn NULL of the store into \"\"."),
    A("A6", "only the kinds asked for", "A storage may treat any condition but `kinds` as absent.", "crd_query.kinds",
      "Test `kinds >> kind & 1` before you emit."),
    A("A7", "emit can stop a read", "Anything else than 0: stop, and finish the read as done.", "crd_emit",
      "Look at what emit returns."),
    A("A8", "failed guards", "Every failed guard is listed, ascending; done lists some for an independent batch only.",
      "crd_write_result.failed", "Count failed_count from 0, and list indexes of this batch's guards."),
    A("A9", "exists", "Outcome exists: index of the change whose key exists.", "crd_write_result.exists",
      "It is an index into this batch's changes, and that change an insert."),
    A("A10", "the result block", "The library pre-fills it; the callback fills what it knows.", "crd_write_result",
      "Leave struct_size and `failed` as they are; end host_text with a NUL."),
    A("A11", "what was done is kept", "A batch is kept whole or not at all.", "S5, S8",
      "What was read back differs from what was written, or is missing."),
    A("B1", "a query", "A query names a set of kinds, known flags, and carries a proof.", "crd_query",
      "The caller is wrong, not the storage."),
    A("B2", "guards are sorted", "Guards are sorted by key, as unsigned bytes.", "crd_batch",
      "The caller is wrong, not the storage."),
    A("B3", "changes are sorted", "Changes are sorted by kind and key, as unsigned bytes; no key twice.", "crd_batch",
      "The caller is wrong, not the storage."),
    A("B4", "bounds", "At most CRD_MAX_ACCOUNTS guards and CRD_MAX_CHANGES changes.", "crd_batch",
      "The caller is wrong, not the storage."),
    A("B5", "changes are guarded", "Every change belongs to an account whose guard is in the batch, in its group.",
      "crd_guard", "The caller is wrong, not the storage."),
    A("B6", "versions move", "An account that is changed gets the guard's new_version, and never an old one.",
      "crd_guard.new_version", "The caller is wrong, not the storage."),
    A("B7", "the journal has no gap", "Entries are numbered without a gap; the last gives the account its version.",
      "crd_entry_record", "The caller is wrong, not the storage."),
    A("B8", "entries and requests are inserted", "Insert-only: the journal, and requests.", "record.h",
      "The caller is wrong, not the storage."),
    A("B9", "whole records", "The struct of that kind, whole.", "crd_change.record",
      "The caller is wrong, not the storage."),
    A("B10", "a result to fill", "Outcome unknown, proof 0, everything else zero; room for every guard.",
      "crd_write_result", "The caller is wrong, not the storage."),
    A("B11", "one call at a time", "Callbacks are never called concurrently for one ledger.", "storage.h",
      "A ledger belongs to one thread at a time; open one for each."),
    A("B12", "closed once", "Called exactly once, when the ledger that opened it closes.", "crd_storage.close",
      "The caller is wrong, not the storage."),
};

typedef struct crd__audit_key {
    uint16_t size;
    uint8_t bytes[CRD_RECORD_KEY_SIZE];
} crd__audit_key;

struct crd_audit {
    crd_allocator allocator;
    crd_storage inner, table;
    crd_testkit_report report;
    void *ctx;
    uint32_t flags;
    uint32_t said; /* claims reported in this call */
    uint64_t findings;
    uint64_t proof; /* of the last call */
    int inside, closed;
};

/* ---- saying so ---- */

static void audit_say(crd_audit *a, int claim, uint32_t kind, const void *record, const char *what) {
    crd_testkit_finding finding;
    crd__tk_text text;
    if (a->said >> claim & 1) return;
    a->said |= UINT32_C(1) << claim;
    a->findings++;
    if (a->report == NULL) return;
    crd__tk_clear(&text);
    if (record != NULL) {
        crd__tk_name(&text, kind, record);
        crd__tk_add(&text, ": ");
    }
    crd__tk_add(&text, what);
    memset(&finding, 0, sizeof finding);
    finding.struct_size = sizeof finding;
    finding.verdict = CRD_TESTKIT_FAILED;
    finding.claim = &audit_claims[claim];
    finding.evidence = text.text;
    finding.number = a->findings;
    (void)a->report(a->ctx, &finding);
}

static void audit_check(crd_audit *a, int claim, int condition, const char *what) {
    if (!condition) audit_say(a, claim, 0, NULL, what);
}

static int enter(crd_audit *a, uint64_t proof) {
    int nested = a->inside;
    if (!nested) a->said = 0;
    audit_check(a, B11_NESTED, !nested, "a call within a call, or in two threads at once");
    audit_check(a, B12_CLOSED, !a->closed, "a call after close");
    audit_check(a, B1_QUERY, proof != 0 && proof != a->proof, "the proof is 0, or that of the call before");
    a->proof = proof;
    a->inside = 1;
    return nested;
}

/* ---- reading ---- */

typedef struct crd__audit_reading {
    crd_audit *a;
    const crd_query *query;
    crd_emit emit;
    void *sink;
    int stopped, accounts_over, nomem;
    crd__audit_key **table; /* keys emitted, hashed */
    uint64_t count, size;
} crd__audit_reading;

static uint64_t hash_key(const crd__audit_key *key) {
    uint64_t hash = UINT64_C(14695981039346656037);
    for (uint32_t i = 0; i < key->size; i++) hash = (hash ^ key->bytes[i]) * UINT64_C(1099511628211);
    return hash ^ hash >> 29;
}

static crd__audit_key **slot_of(crd__audit_key **table, uint64_t size, const crd__audit_key *key) {
    uint64_t at = hash_key(key) & (size - 1);
    while (table[at] != NULL && (table[at]->size != key->size || memcmp(table[at]->bytes, key->bytes, key->size) != 0))
        at = (at + 1) & (size - 1);
    return &table[at];
}

static int grow_table(crd__audit_reading *r) {
    const crd_allocator *allocator = &r->a->allocator;
    uint64_t size = r->size > 0 ? r->size * 2 : 256;
    crd__audit_key **table = allocator->resize(allocator->ctx, NULL, size * sizeof(crd__audit_key *));
    if (table == NULL) return 0;
    memset(table, 0, (size_t)size * sizeof(crd__audit_key *));
    for (uint64_t i = 0; i < r->size; i++)
        if (r->table[i] != NULL) *slot_of(table, size, r->table[i]) = r->table[i];
    if (r->table != NULL) allocator->release(allocator->ctx, r->table);
    r->table = table;
    r->size = size;
    return 1;
}

static void remember(crd__audit_reading *r, uint32_t kind, const void *record) {
    const crd_allocator *allocator = &r->a->allocator;
    crd__audit_key key, **slot, *copy;
    uint64_t size = 0;
    if (r->nomem || crd_record_key(kind, record, key.bytes, sizeof key.bytes, &size) != CRD_OK) return;
    key.size = (uint16_t)size;
    if (r->count * 2 >= r->size && !grow_table(r)) {
        r->nomem = 1;
        return;
    }
    slot = slot_of(r->table, r->size, &key);
    if (*slot != NULL) {
        audit_say(r->a, A4_TWICE, kind, record, "emitted twice in one read");
        return;
    }
    copy = allocator->resize(allocator->ctx, NULL, offsetof(crd__audit_key, bytes) + size);
    if (copy == NULL) {
        r->nomem = 1;
        return;
    }
    memcpy(copy, &key, offsetof(crd__audit_key, bytes) + (size_t)size);
    *slot = copy;
    r->count++;
}

static void forget(crd__audit_reading *r) {
    const crd_allocator *allocator = &r->a->allocator;
    for (uint64_t i = 0; i < r->size; i++)
        if (r->table[i] != NULL) allocator->release(allocator->ctx, r->table[i]);
    if (r->table != NULL) allocator->release(allocator->ctx, r->table);
}

static int32_t CRD_CALL audit_emit(void *sink, uint32_t kind, const void *record) {
    crd__audit_reading *r = sink;
    crd_audit *a = r->a;
    const char *wrong = crd__tk_malformed(kind, record);
    int32_t answer;
    if (r->stopped) {
        audit_say(a, A7_STOP, 0, NULL, "emit was called again after it had said stop");
        return 1;
    }
    if (wrong != NULL) {
        audit_say(a, A5_FORM, 0, NULL, wrong);
    } else {
        if ((r->query->kinds >> kind & 1) == 0) audit_say(a, A6_KINDS, kind, record, "its kind was not asked for");
        if (kind == CRD_KIND_ACCOUNT && r->accounts_over)
            audit_say(a, A3_ACCOUNTS_FIRST, kind, record, "emitted after a record that is no account");
        if (kind != CRD_KIND_ACCOUNT) r->accounts_over = 1;
        remember(r, kind, record);
    }
    answer = r->emit(r->sink, kind, record);
    r->stopped = answer != 0;
    return answer;
}

static void check_query(crd_audit *a, const crd_query *query) {
    audit_check(a, B1_QUERY, query->struct_size >= sizeof *query, "the query's struct_size is too small");
    audit_check(a, B1_QUERY, query->kinds != 0 && (query->kinds & 1) == 0, "the query asks for no kind, or for kind 0");
    audit_check(a, B1_QUERY, (query->flags & ~UINT32_C(0x0f)) == 0, "the query has an unknown flag");
    audit_check(a, B1_QUERY, (query->keys != NULL) == (query->key_count != 0), "keys and key_count do not agree");
    for (uint64_t i = 0; query->keys != NULL && i < query->key_count; i++)
        audit_check(a, B1_QUERY, query->keys[i] != NULL && query->keys[i]->kind != 0 &&
                                     query->keys[i]->customer != NULL && query->keys[i]->id != NULL &&
                                     query->keys[i]->currency != NULL, "a key of the query is not whole");
}

static void CRD_CALL audit_read(void *ctx, const crd_query *query, crd_emit emit, void *sink, crd_read_result *out) {
    crd_audit *a = ctx;
    crd__audit_reading r;
    int nested = enter(a, query->proof);
    check_query(a, query);
    audit_check(a, B10_RESULT, out->outcome == CRD_OUTCOME_UNKNOWN && out->proof == 0 && out->host_text[0] == '\0',
                "the result block of a read is not pre-filled");
    memset(&r, 0, sizeof r);
    r.a = a;
    r.query = query;
    r.emit = emit;
    r.sink = sink;
    a->inner.read(a->inner.ctx, query, audit_emit, &r, out);
    audit_check(a, A1_PROOF, out->proof == query->proof || out->proof == 0, "a read ended with another proof");
    audit_check(a, A1_PROOF, out->outcome == CRD_OUTCOME_UNKNOWN || out->proof == query->proof,
                "a read tells an outcome without its proof");
    audit_check(a, A2_OUTCOME, out->outcome != CRD_OUTCOME_CONFLICT && out->outcome != CRD_OUTCOME_EXISTS &&
                                   out->outcome >= 0 && out->outcome <= CRD_OUTCOME_SCHEMA,
                "a read ended with an outcome it cannot have");
    audit_check(a, A10_BLOCK, memchr(out->host_text, '\0', CRD_HOST_TEXT) != NULL, "host_text has no NUL");
    audit_check(a, A10_BLOCK, out->struct_size >= sizeof *out, "struct_size of the result was changed");
    forget(&r);
    a->inside = nested;
}

/* ---- writing: what the caller gives ---- */

static int guard_compare(const crd_guard *guard, const char *customer, const char *currency) {
    int order = strcmp(guard->customer, customer);
    return order != 0 ? order : strcmp(guard->currency, currency);
}

static const crd_guard *guard_of(const crd_batch *batch, const char *customer, const char *currency) {
    uint64_t low = 0, high = batch->guard_count;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        int order = guard_compare(batch->guards[middle], customer, currency);
        if (order == 0) return batch->guards[middle];
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return NULL;
}

static int check_guards(crd_audit *a, const crd_batch *batch) {
    for (uint64_t i = 0; i < batch->guard_count; i++) {
        const crd_guard *guard = batch->guards[i];
        if (guard == NULL || guard->customer == NULL || guard->currency == NULL) {
            audit_say(a, B2_GUARD_ORDER, 0, NULL, "a guard is not whole");
            return 0;
        }
        audit_check(a, B2_GUARD_ORDER,
                    i == 0 || guard_compare(batch->guards[i - 1], guard->customer, guard->currency) < 0,
                    "guards are not in the order of their keys, or one is there twice");
        audit_check(a, B6_VERSION, guard->version >= 0 && guard->new_version >= 0, "a version is negative");
    }
    return 1;
}

static int change_compare(const crd_change *x, const crd_change *y) {
    uint8_t k[CRD_RECORD_KEY_SIZE], l[CRD_RECORD_KEY_SIZE];
    uint64_t m = 0, n = 0;
    int order;
    (void)crd_record_key(x->kind, x->record, k, sizeof k, &m);
    (void)crd_record_key(y->kind, y->record, l, sizeof l, &n);
    order = memcmp(k, l, (size_t)(m < n ? m : n));
    return order != 0 ? order : m < n ? -1 : m > n;
}

static const char *account_currency(uint32_t kind, const void *record) {
    return kind == CRD_KIND_REQUEST ? ((const crd_request_record *)record)->currency : crd__tk_currency(kind, record);
}

static void check_account(crd_audit *a, const crd_guard *guard, const crd_account_record *account) {
    if (account->version != guard->new_version)
        audit_say(a, B6_VERSION, CRD_KIND_ACCOUNT, account, "its version is not the guard's new_version");
    if (account->version != crd_entry_version(account->last_hash))
        audit_say(a, B6_VERSION, CRD_KIND_ACCOUNT, account, "its version is not that of its last_hash");
}

static void check_entry(crd_audit *a, const crd_guard *guard, const crd_change *before, const crd_change *change,
                        const crd_change *after) {
    const crd_entry_record *entry = change->record, *other;
    if (entry->last_seq != entry->seq || entry->seq < 1)
        audit_say(a, B7_JOURNAL, change->kind, entry, "last_seq is not seq");
    if (before != NULL && before->kind == CRD_KIND_ENTRY) {
        other = before->record;
        if (strcmp(other->customer, entry->customer) == 0 && strcmp(other->currency, entry->currency) == 0 &&
            other->seq + 1 != entry->seq)
            audit_say(a, B7_JOURNAL, change->kind, entry, "does not follow the entry before it");
    }
    if (after != NULL && after->kind == CRD_KIND_ENTRY) {
        other = after->record;
        if (strcmp(other->customer, entry->customer) == 0 && strcmp(other->currency, entry->currency) == 0) return;
    }
    if (crd_entry_version(entry->hash) != guard->new_version)
        audit_say(a, B7_JOURNAL, change->kind, entry, "is the last, but does not give the account its version");
}

static int check_change(crd_audit *a, const crd_batch *batch, uint64_t i) {
    const crd_change *change = batch->changes[i], *before = i > 0 ? batch->changes[i - 1] : NULL;
    const crd_change *after = i + 1 < batch->change_count ? batch->changes[i + 1] : NULL;
    const char *wrong = change != NULL ? crd__tk_malformed(change->kind, change->record) : "NULL";
    const crd_guard *guard;
    if (wrong != NULL) {
        audit_say(a, B9_RECORD, 0, NULL, wrong);
        return 0;
    }
    audit_check(a, B9_RECORD, change->operation == CRD_CHANGE_INSERT || change->operation == CRD_CHANGE_UPDATE,
                "a change neither inserts nor updates");
    if (before != NULL && change_compare(before, change) >= 0)
        audit_say(a, B3_CHANGE_ORDER, change->kind, change->record, "not behind the change before it");
    if (change->operation == CRD_CHANGE_UPDATE &&
        (change->kind == CRD_KIND_ENTRY || change->kind == CRD_KIND_REQUEST))
        audit_say(a, B8_INSERT_ONLY, change->kind, change->record, "updated");
    guard = guard_of(batch, crd__tk_customer(change->kind, change->record),
                     account_currency(change->kind, change->record));
    if (guard == NULL || ((batch->flags & CRD_BATCH_INDEPENDENT) && guard->group != change->group)) {
        audit_say(a, B5_GUARDED, change->kind, change->record, "no guard of its group stands for its account");
        return 1;
    }
    if (change->kind == CRD_KIND_ACCOUNT) check_account(a, guard, change->record);
    if (change->kind == CRD_KIND_ENTRY && after != NULL && crd__tk_malformed(after->kind, after->record) != NULL)
        after = NULL;
    if (change->kind == CRD_KIND_ENTRY) check_entry(a, guard, before, change, after);
    return 1;
}

static int check_batch(crd_audit *a, const crd_batch *batch, const crd_write_result *out) {
    audit_check(a, B10_RESULT, out->outcome == CRD_OUTCOME_UNKNOWN && out->proof == 0 && out->failed_count == 0 &&
                                   (out->failed != NULL || batch->guard_count == 0),
                "the result block of a write is not pre-filled");
    audit_check(a, B4_BOUNDS, batch->guard_count <= CRD_MAX_ACCOUNTS && batch->change_count <= CRD_MAX_CHANGES,
                "a batch is greater than the bounds");
    if (!check_guards(a, batch)) return 0;
    for (uint64_t i = 0; i < batch->change_count; i++)
        if (!check_change(a, batch, i)) return 0;
    return 1;
}

/* ---- writing: what the storage answers ---- */

static void check_failed(crd_audit *a, const crd_batch *batch, const crd_write_result *out) {
    if (out->failed_count > batch->guard_count) {
        audit_say(a, A8_FAILED_LIST, 0, NULL, "more failed guards are listed than there are guards");
        return;
    }
    for (uint64_t i = 0; i < out->failed_count; i++)
        if (out->failed[i] >= batch->guard_count || (i > 0 && out->failed[i] <= out->failed[i - 1]))
            audit_say(a, A8_FAILED_LIST, 0, NULL, "failed guards are not listed ascending, or one is none of them");
    if (out->outcome == CRD_OUTCOME_CONFLICT)
        audit_check(a, A8_FAILED_LIST, out->failed_count > 0, "a conflict lists no failed guard");
    if (out->outcome == CRD_OUTCOME_DONE)
        audit_check(a, A8_FAILED_LIST, out->failed_count == 0 || (batch->flags & CRD_BATCH_INDEPENDENT),
                    "a batch that is not independent is done, and yet failed guards are listed");
}

static void check_answer(crd_audit *a, const crd_batch *batch, const crd_write_result *out, const uint64_t *failed) {
    audit_check(a, A1_PROOF, out->proof == batch->proof || out->proof == 0, "a write ended with another proof");
    audit_check(a, A1_PROOF, out->outcome == CRD_OUTCOME_UNKNOWN || out->proof == batch->proof,
                "a write tells an outcome without its proof");
    audit_check(a, A2_OUTCOME, out->outcome >= 0 && out->outcome <= CRD_OUTCOME_SCHEMA,
                "a write ended with a number that is no outcome");
    audit_check(a, A10_BLOCK, out->failed == failed && out->struct_size >= sizeof *out,
                "struct_size or `failed` of the result was changed");
    audit_check(a, A10_BLOCK, memchr(out->host_text, '\0', CRD_HOST_TEXT) != NULL, "host_text has no NUL");
    if (out->failed == failed) check_failed(a, batch, out);
    if (out->outcome == CRD_OUTCOME_EXISTS)
        audit_check(a, A9_EXISTS, out->exists < batch->change_count &&
                                       batch->changes[out->exists]->operation == CRD_CHANGE_INSERT,
                    "`exists` is the index of no insert");
}

/* ---- reading back ---- */

#define BACK 64 /* records read back at a time */

typedef struct crd__audit_back {
    const crd_change *changes[BACK];
    int seen[BACK];
    uint32_t count;
    crd_audit *a;
} crd__audit_back;

static int32_t CRD_CALL look_back(void *sink, uint32_t kind, const void *record) {
    crd__audit_back *b = sink;
    if (crd__tk_malformed(kind, record) != NULL) return 0;
    for (uint32_t i = 0; i < b->count; i++) {
        crd_change emitted = *b->changes[i];
        const crd_field *field;
        if (emitted.kind != kind) continue;
        emitted.record = record;
        if (change_compare(&emitted, b->changes[i]) != 0) continue;
        b->seen[i] = 1;
        field = crd__tk_difference(kind, b->changes[i]->record, record);
        if (field == NULL || crd__tk_last_seq(kind, record) > crd__tk_last_seq(kind, b->changes[i]->record)) return 0;
        audit_say(b->a, A11_READ_BACK, kind, record, field->name);
        return 0;
    }
    return 0;
}

static void make_key(crd_key *key, const crd_change *change) {
    uint32_t kind = change->kind;
    memset(key, 0, sizeof *key);
    key->struct_size = sizeof *key;
    key->kind = kind;
    key->customer = crd__tk_customer(kind, change->record);
    key->currency = kind == CRD_KIND_ACCOUNT || kind == CRD_KIND_ENTRY ? crd__tk_currency(kind, change->record) : "";
    key->id = crd__tk_id(kind, change->record);
    if (kind == CRD_KIND_ENTRY) key->number = ((const crd_entry_record *)change->record)->seq;
    if (kind == CRD_KIND_LINE) {
        key->number = ((const crd_line_record *)change->record)->number;
        key->document_kind = ((const crd_line_record *)change->record)->document_kind;
    }
}

static void read_some_back(crd_audit *a, crd__audit_back *b) {
    crd_key keys[BACK];
    const crd_key *pointers[BACK];
    crd_query query;
    crd_read_result result;
    memset(&query, 0, sizeof query);
    query.struct_size = sizeof query;
    query.proof = ~a->proof;
    query.keys = pointers;
    query.key_count = b->count;
    for (uint32_t i = 0; i < b->count; i++) {
        make_key(&keys[i], b->changes[i]);
        pointers[i] = &keys[i];
        query.kinds |= UINT32_C(1) << b->changes[i]->kind;
        b->seen[i] = 0;
    }
    memset(&result, 0, sizeof result);
    result.struct_size = sizeof result;
    a->inner.read(a->inner.ctx, &query, look_back, b, &result);
    if (result.proof != query.proof || result.outcome != CRD_OUTCOME_DONE) return;
    for (uint32_t i = 0; i < b->count; i++)
        if (!b->seen[i]) audit_say(a, A11_READ_BACK, b->changes[i]->kind, b->changes[i]->record, "not there");
}

static int is_failed_group(const crd_batch *batch, const crd_write_result *out, uint32_t group) {
    for (uint64_t i = 0; i < out->failed_count; i++)
        if (batch->guards[out->failed[i]]->group == group) return 1;
    return 0;
}

static void read_back(crd_audit *a, const crd_batch *batch, const crd_write_result *out) {
    crd__audit_back b;
    memset(&b, 0, sizeof b);
    b.a = a;
    for (uint64_t i = 0; i < batch->change_count; i++) {
        if (is_failed_group(batch, out, batch->changes[i]->group)) continue;
        b.changes[b.count++] = batch->changes[i];
        if (b.count < BACK) continue;
        read_some_back(a, &b);
        b.count = 0;
    }
    if (b.count > 0) read_some_back(a, &b);
}

static void CRD_CALL audit_write(void *ctx, const crd_batch *batch, crd_write_result *out) {
    crd_audit *a = ctx;
    uint64_t *failed = out->failed;
    int nested = enter(a, batch->proof), good;
    good = check_batch(a, batch, out);
    a->inner.write(a->inner.ctx, batch, out);
    check_answer(a, batch, out, failed);
    if (good && (a->flags & CRD_AUDIT_READ_BACK) && out->proof == batch->proof && out->outcome == CRD_OUTCOME_DONE &&
        !(a->said >> A8_FAILED_LIST & 1))
        read_back(a, batch, out);
    a->inside = nested;
}

/* ---- the rest of the table ---- */

static void CRD_CALL audit_close(void *ctx) {
    crd_audit *a = ctx;
    if (!a->inside) a->said = 0;
    audit_check(a, B12_CLOSED, !a->closed, "closed twice");
    a->closed = 1;
    if (a->inner.close != NULL) a->inner.close(a->inner.ctx);
}

static uint32_t CRD_CALL audit_flags(void *ctx) {
    const crd_audit *a = ctx;
    return a->inner.flags_now(a->inner.ctx);
}

static uint64_t CRD_CALL audit_writer(void *ctx) {
    const crd_audit *a = ctx;
    return a->inner.new_writer(a->inner.ctx);
}

crd_status CRD_CALL crd_audit_new(const crd_storage *inner, uint32_t flags, const crd_allocator *allocator,
                                  crd_testkit_report report, void *ctx, crd_audit **out) {
    crd_allocator own;
    crd_storage storage;
    crd_audit *a;
    if (out == NULL) return CRD_E_ARGUMENT;
    *out = NULL;
    if ((flags & ~CRD_AUDIT_READ_BACK) != 0 || !crd__tk_allocator(allocator, &own) ||
        !crd__tk_take_storage(inner, &storage))
        return CRD_E_ARGUMENT;
    a = own.resize(own.ctx, NULL, sizeof *a);
    if (a == NULL) return CRD_E_NOMEM;
    memset(a, 0, sizeof *a);
    a->allocator = own;
    a->inner = a->table = storage;
    a->report = report;
    a->ctx = ctx;
    a->flags = flags;
    a->table.ctx = a;
    a->table.read = audit_read;
    a->table.write = audit_write;
    a->table.close = audit_close;
    a->table.flags_now = storage.flags_now != NULL ? audit_flags : NULL;
    a->table.new_writer = storage.new_writer != NULL ? audit_writer : NULL;
    *out = a;
    return CRD_OK;
}

const crd_storage *CRD_CALL crd_audit_storage(crd_audit *audit) {
    return audit != NULL ? &audit->table : NULL;
}

uint64_t CRD_CALL crd_audit_findings(const crd_audit *audit) {
    return audit != NULL ? audit->findings : 0;
}

void CRD_CALL crd_audit_free(crd_audit *audit) {
    crd_allocator allocator;
    if (audit == NULL) return;
    allocator = audit->allocator;
    allocator.release(allocator.ctx, audit);
}

const crd_testkit_claim *CRD_CALL crd_audit_claim_get(uint64_t index) {
    return index < AUDITED ? &audit_claims[index] : NULL;
}
