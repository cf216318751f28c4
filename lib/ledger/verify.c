/*
 * Verify: replay the journal of every account from its first entry, check the hash chain and every identity, and
 * compare the outcome with every field of every stored record.
 *
 * Replay uses the fold that made the records (lib/core/fold.c), so what it proves is that nothing was changed, lost or
 * added since: not in a record, not in an entry. An account that another writer changes meanwhile is looked at again.
 */
#include "ledger/ledger.h"

#include <string.h>

#define VERIFY_PAGE_ACCOUNTS 64
#define VERIFY_PAGE_ENTRIES 4096
#define VERIFY_ATTEMPTS 5 /* how often an account that keeps changing is looked at */

typedef struct verifier {
    crd_ledger *ledger;
    const crd_verify_spec *spec;
    crd_verify_result result;
    crd_verify_result account_result; /* of the account being looked at */
    int quiet;   /* count only: the account may be changing */
    int stopped;
    crd__arena replayed;
    crd__arena page;
    crd__replay replay;
    uint8_t hash[32];   /* of the last entry replayed */
    int64_t last_seq;   /* of the account being looked at: entries behind it are not looked at; 0: all are */
    crd__arena known;   /* accounts that are stored, */
    crd__list accounts; /* as crd_key *, */
    crd__index index;   /* by key */
    crd__list orphans;  /* crd_key * of accounts that something belongs to, and that are not stored */
    crd_status status;
} verifier;

static void find(verifier *v, uint32_t kind, const char *customer, const char *currency, const char *id, int64_t seq,
                 const char *field, const char *message, int64_t stored, int64_t expected) {
    crd_finding finding;
    v->account_result.findings++;
    if (v->quiet || v->spec->found == NULL || v->stopped) return;
    memset(&finding, 0, sizeof finding);
    finding.struct_size = sizeof finding;
    finding.kind = kind;
    finding.customer = customer;
    finding.currency = currency;
    finding.id = id;
    finding.seq = seq;
    finding.field = field;
    finding.message = message;
    finding.stored = stored;
    finding.expected = expected;
    v->ledger->busy = 1;
    v->stopped = v->spec->found(v->spec->ctx, &finding) != 0;
    v->ledger->busy = 0;
}

static void tell_of_entry(verifier *v, const crd_entry_record *e, const char *field, const char *message,
                              int64_t stored, int64_t expected) {
    find(v, CRD_KIND_ENTRY, e->customer, e->currency, "", e->seq, field, message, stored, expected);
}

/* ---- replay ---- */

static void differs(void *ctx, const crd_entry_record *e, const char *field, const char *message) {
    tell_of_entry(ctx, e, field, message, strcmp(field, "amount") == 0 ? e->amount : 0, 0);
}

static crd_status verify_replay(verifier *v, const crd_entry_record *stored) {
    crd_account_record *account = &v->replay.books.record;
    crd_entry_record e = *stored;
    uint8_t hash[32];
    crd_status status;
    v->account_result.entries++;
    if (e.seq != account->last_seq + 1)
        tell_of_entry(v, &e, "seq", "an entry is missing before this one", e.seq, account->last_seq + 1);
    if (e.last_seq != e.seq) tell_of_entry(v, &e, "last_seq", "differs from its seq", e.last_seq, e.seq);
    if (e.instant < account->last_instant)
        tell_of_entry(v, &e, "instant", "the entry is earlier than the one before it", e.instant,
                          account->last_instant);
    if (crd_entry_hash(&e, account->last_seq == 0 ? NULL : v->hash, hash) != CRD_OK || memcmp(hash, e.hash, 32) != 0)
        tell_of_entry(v, &e, "hash", "the entry was changed: its hash does not fit", 0, 0);
    memcpy(v->hash, e.hash, 32);
    status = crd__replay_entry(&v->replay, stored, &e);
    if (status != CRD_OK) return status;
    if (e.credit_after != stored->credit_after)
        tell_of_entry(v, &e, "credit_after", "differs from the journal before it", stored->credit_after,
                          e.credit_after);
    if (e.invoice_after != stored->invoice_after)
        tell_of_entry(v, &e, "invoice_after", "differs from the journal before it", stored->invoice_after,
                          e.invoice_after);
    return CRD_OK;
}

static int verify_compare_seq(const void *a, const void *b) {
    const crd_entry_record *x = ((const crd__doc *)a)->record, *y = ((const crd__doc *)b)->record;
    return x->seq < y->seq ? -1 : x->seq > y->seq;
}

static crd_status replay_page(verifier *v, crd_query *query) {
    crd__loaded loaded;
    void **spare;
    crd_status status;
    crd__arena_reset(&v->page);
    status = crd__read_as_is(v->ledger, query, &v->page, &loaded);
    if (status != CRD_OK) return status;
    spare = crd__arena_take(&v->page, (loaded.rest.count + 1) * sizeof *spare);
    if (spare == NULL) status = crd__fail(v->ledger, CRD_E_NOMEM, NULL);
    if (status == CRD_OK) crd__sort(loaded.rest.items, loaded.rest.count, spare, verify_compare_seq);
    for (uint64_t i = 0; status == CRD_OK && i < loaded.rest.count; i++)
        status = verify_replay(v, ((crd__doc *)loaded.rest.items[i])->record);
    crd__loaded_free(&loaded);
    return status;
}

/* ---- compare ---- */

static int64_t figure(const crd_field *field, const void *record) {
    const char *at = (const char *)record + field->offset;
    int64_t wide;
    int32_t narrow;
    switch (field->type) {
    case CRD_FIELD_I64:
    case CRD_FIELD_U64:
    case CRD_FIELD_INSTANT:
    case CRD_FIELD_MINOR: memcpy(&wide, at, sizeof wide); return wide;
    case CRD_FIELD_U32:
    case CRD_FIELD_I32:
    case CRD_FIELD_DATE: memcpy(&narrow, at, sizeof narrow); return narrow;
    default: return 0;
    }
}

/* Every field that differs is a finding of its own. */
static void verify_compare(verifier *v, uint32_t kind, const void *stored, const void *expected) {
    const char *customer = crd__record_customer(kind, stored), *currency = crd__record_currency(kind, stored);
    const char *id = kind == CRD_KIND_CUSTOMER || kind == CRD_KIND_ACCOUNT ? "" : crd__record_id(kind, stored);
    const crd_field *first;
    uint64_t count;
    const crd_field *const *fields = crd_record_fields(kind, &count, NULL);
    v->account_result.records++;
    if (crd__record_equal(kind, stored, expected, &first)) return;
    for (uint64_t i = 0; i < count; i++)
        if (!crd__field_equal(fields[i], stored, expected))
            find(v, kind, customer, currency, id, 0, fields[i]->name, "the stored field differs from the journal",
                 figure(fields[i], stored), figure(fields[i], expected));
}

static void compare_account(verifier *v, const crd_account_record *stored) {
    crd_account_record expected = v->replay.books.record;
    expected.acknowledged_seq = stored->acknowledged_seq; /* the host's mark, not the journal's */
    if (stored->acknowledged_seq < 0 || stored->acknowledged_seq > stored->last_seq)
        find(v, CRD_KIND_ACCOUNT, stored->customer, stored->currency, "", 0, "acknowledged_seq",
             "acknowledges entries that do not exist", stored->acknowledged_seq, stored->last_seq);
    verify_compare(v, CRD_KIND_ACCOUNT, stored, &expected);
}

static void verify_compare_docs(verifier *v, const crd__account *stored) {
    for (uint64_t i = 0; i < stored->docs.count; i++) {
        const crd__doc *doc = stored->docs.items[i];
        crd__doc *expected;
        if (doc->kind == CRD_KIND_LINE) continue;
        expected = crd__doc_find(&v->replay.books, doc->kind, crd__doc_id(doc));
        if (expected == NULL) {
            find(v, doc->kind, stored->record.customer, stored->record.currency, crd__doc_id(doc), 0, "",
                 "is stored, but no entry created it", 0, 0);
            continue;
        }
        expected->dirty = 1; /* seen */
        verify_compare(v, doc->kind, doc->record, expected->record);
    }
    for (uint64_t i = 0; i < v->replay.books.docs.count; i++) {
        const crd__doc *doc = v->replay.books.docs.items[i];
        if (!doc->dirty)
            find(v, doc->kind, stored->record.customer, stored->record.currency, crd__doc_id(doc), 0, "",
                 "the journal created it, but it is not stored", 0, 0);
    }
}

/* ---- lines ---- */

static int verify_compare_lines(const void *a, const void *b) {
    return crd__record_compare_key(CRD_KIND_LINE, ((const crd__doc *)a)->record, ((const crd__doc *)b)->record);
}

/* How many lines the replayed document has, and their digest; NULL when there is no such document. */
static const uint8_t *digest_of(verifier *v, const crd_line_record *line, uint32_t *count) {
    uint32_t kind = line->document_kind;
    const crd__doc *doc =
        kind == CRD_KIND_CREDIT || kind == CRD_KIND_INVOICE ? crd__doc_find(&v->replay.books, kind, line->id) : NULL;
    const crd_credit_record *credit = doc != NULL ? doc->record : NULL;
    const crd_invoice_record *invoice = doc != NULL ? doc->record : NULL;
    *count = 0;
    if (doc == NULL) return NULL;
    *count = kind == CRD_KIND_CREDIT ? credit->line_count : invoice->line_count;
    return kind == CRD_KIND_CREDIT ? credit->lines_digest : invoice->lines_digest;
}

/* The lines of one document, `from` to `to`. A line is proved by its document's digest, which the entry's image has. */
static void compare_document_lines(verifier *v, void **lines, uint64_t from, uint64_t to) {
    const crd_line_record *first = ((const crd__doc *)lines[from])->record;
    uint8_t found[CRD__BLAKE2B_SIZE];
    crd__blake2b hash;
    uint32_t count;
    const uint8_t *digest = digest_of(v, first, &count);
    int good = 1;
    crd__blake2b_init(&hash);
    for (uint64_t i = from; i < to; i++) good &= crd__hash_line(&hash, ((const crd__doc *)lines[i])->record);
    crd__blake2b_final(&hash, found);
    v->account_result.records += to - from;
    if (to - from != count)
        find(v, CRD_KIND_LINE, first->customer, first->currency, first->id, 0, "line_count",
             "the document has another number of lines", (int64_t)(to - from), count);
    else if (!good || memcmp(found, digest, sizeof found) != 0)
        find(v, CRD_KIND_LINE, first->customer, first->currency, first->id, 0, "lines_digest",
             "the lines are not those that the journal saw", 0, 0);
}

static int64_t lines_of_books(const verifier *v) {
    int64_t sum = 0;
    for (uint64_t i = 0; i < v->replay.books.docs.count; i++) {
        const crd__doc *doc = v->replay.books.docs.items[i];
        if (doc->kind == CRD_KIND_CREDIT) sum += ((const crd_credit_record *)doc->record)->line_count;
        if (doc->kind == CRD_KIND_INVOICE) sum += ((const crd_invoice_record *)doc->record)->line_count;
    }
    return sum;
}

static crd_status verify_check_lines(verifier *v, const crd__account *stored) {
    const crd__list *docs = &stored->docs;
    void **lines = crd__arena_take(&v->replayed, 2 * (docs->count + 1) * sizeof *lines);
    uint64_t count = 0;
    if (lines == NULL) return crd__fail(v->ledger, CRD_E_NOMEM, NULL);
    for (uint64_t i = 0; i < docs->count; i++)
        if (((const crd__doc *)docs->items[i])->kind == CRD_KIND_LINE) lines[count++] = docs->items[i];
    crd__sort(lines, count, lines + docs->count + 1, verify_compare_lines);
    for (uint64_t from = 0, to; from < count; from = to) {
        const crd_line_record *first = ((const crd__doc *)lines[from])->record;
        for (to = from + 1; to < count; to++) {
            const crd_line_record *line = ((const crd__doc *)lines[to])->record;
            if (line->document_kind != first->document_kind || strcmp(line->id, first->id) != 0) break;
        }
        compare_document_lines(v, lines, from, to);
    }
    if ((int64_t)count < lines_of_books(v))
        find(v, CRD_KIND_LINE, stored->record.customer, stored->record.currency, "", 0, "line_count",
             "the journal saw lines that are not stored", (int64_t)count, lines_of_books(v));
    return CRD_OK;
}

/* Lines go with their account, as documents do. */
static crd_status hand_over(crd_ledger *ledger, crd__loaded *loaded) {
    crd_status status = crd__hand_over(ledger, loaded);
    for (uint64_t i = 0; status == CRD_OK && i < loaded->rest.count; i++) {
        crd__doc *doc = loaded->rest.items[i];
        if (doc->account != NULL && !crd__list_push(&ledger->allocator, &doc->account->docs, doc))
            status = crd__fail(ledger, CRD_E_NOMEM, NULL);
    }
    return status;
}

static void verify_begin_account(verifier *v, const crd__account *stored) {
    memset(&v->account_result, 0, sizeof v->account_result);
    v->account_result.accounts = 1;
    crd__arena_reset(&v->replayed);
    crd__replay_begin(&v->replay, v->ledger, &stored->record, &v->replayed, &v->page);
    v->replay.differs = differs;
    v->replay.ctx = v;
}

/* Replays every entry there is, not only up to where the account says it ends: that may be what was changed. */
static crd_status verify_account(verifier *v, const crd__account *stored) {
    crd_query query = crd__query(CRD_KIND_BIT_ENTRY, stored->record.customer, stored->record.currency);
    uint64_t before;
    crd_status status = CRD_OK;
    verify_begin_account(v, stored);
    query.seq_from = 1;
    do {
        before = v->account_result.entries;
        query.seq_to = query.seq_from + VERIFY_PAGE_ENTRIES - 1;
        if (v->last_seq != 0) query.seq_to = CRD__MIN(query.seq_to, v->last_seq);
        status = replay_page(v, &query);
        query.seq_from = query.seq_to + 1;
    } while (status == CRD_OK && v->account_result.entries > before &&
             (v->last_seq == 0 || query.seq_from <= v->last_seq));
    if (status == CRD_OK) {
        v->last_seq = v->replay.books.record.last_seq;
        compare_account(v, &stored->record);
        verify_compare_docs(v, stored);
        status = verify_check_lines(v, stored);
    }
    crd__books_free(v->ledger, &v->replay.books);
    return status;
}

/* ---- the walk ---- */

static crd_query account_query(const crd_verify_spec *spec, const char *customer, const char *currency) {
    crd_query query = crd__query(CRD_KIND_BIT_ACCOUNT | CRD_KIND_BIT_CUSTOMER | CRD_KIND_BIT_CREDIT |
                                     CRD_KIND_BIT_INVOICE | CRD_KIND_BIT_RECEIPT | CRD_KIND_BIT_HOLD |
                                     CRD_KIND_BIT_LINE,
                                 spec->customer, NULL);
    query.after_customer = customer;
    query.after_currency = currency;
    query.limit = VERIFY_PAGE_ACCOUNTS;
    return query;
}

static void verify_free_loaded(crd_ledger *ledger, crd__loaded *loaded) {
    for (uint64_t i = 0; i < loaded->accounts.count; i++)
        crd__list_free(&ledger->allocator, &((crd__account *)loaded->accounts.items[i])->docs);
    crd__loaded_free(loaded);
}

/* Reads one account anew and looks at it, quietly; then, if nobody changed it meanwhile, tells what was found. */
static crd_status look_again(verifier *v, const crd__account *before, int *sure) {
    crd_query query = account_query(v->spec, NULL, NULL), again;
    crd__arena arena;
    crd__loaded loaded, now;
    crd_status status;
    query.customer = before->record.customer;
    query.currency = before->record.currency;
    query.limit = 0;
    crd__arena_init(&arena, &v->ledger->allocator);
    status = crd__read_as_is(v->ledger, &query, &arena, &loaded);
    if (status != CRD_OK) {
        crd__arena_free(&arena);
        return status;
    }
    status = hand_over(v->ledger, &loaded);
    if (status == CRD_OK && loaded.accounts.count == 1) {
        const crd__account *account = loaded.accounts.items[0];
        v->quiet = 1;
        v->last_seq = 0;
        status = verify_account(v, account);
        again = crd__query(CRD_KIND_BIT_ACCOUNT, query.customer, query.currency);
        if (status == CRD_OK) status = crd__read_as_is(v->ledger, &again, &arena, &now);
        if (status == CRD_OK) {
            const crd__account *then = now.accounts.count == 1 ? now.accounts.items[0] : account;
            *sure = v->account_result.findings == 0 || then->record.version == account->record.version;
            crd__loaded_free(&now);
        }
        v->quiet = 0;
        if (status == CRD_OK && *sure && v->account_result.findings > 0) status = verify_account(v, account);
    } else if (status == CRD_OK) { /* under its own key there is no such account: what the walk saw is told */
        *sure = 1;
        v->quiet = 0;
        status = verify_account(v, before);
    }
    verify_free_loaded(v->ledger, &loaded);
    crd__arena_free(&arena);
    return status;
}

static crd_status look_at(verifier *v, const crd__account *account) {
    crd_status status;
    int sure = 0;
    v->quiet = 1;
    v->last_seq = 0;
    status = verify_account(v, account);
    if (status == CRD_OK && v->account_result.findings == 0) sure = 1;
    for (int i = 0; status == CRD_OK && !sure && i < VERIFY_ATTEMPTS; i++) status = look_again(v, account, &sure);
    if (status == CRD_OK && !sure) status = crd__fail(v->ledger, CRD_E_CONFLICT, "an account keeps being changed");
    v->result.accounts += v->account_result.accounts;
    v->result.records += v->account_result.records;
    v->result.entries += v->account_result.entries;
    v->result.findings += v->account_result.findings;
    return status;
}

/* ---- what belongs to no account ---- */

static uint64_t verify_rehash(const void *list, uint32_t position) {
    const crd_key *key = ((const crd__list *)list)->items[position];
    return crd__hash_account(key->customer, key->currency);
}

static int verify_is_known(const verifier *v, const char *customer, const char *currency) {
    const crd__index *index = &v->index;
    uint64_t hash = crd__hash_account(customer, currency), slot;
    if (index->size == 0) return 0;
    for (slot = (hash ^ hash >> 32) & (index->size - 1); index->slots[slot] != 0; slot = (slot + 1) & (index->size - 1)) {
        const crd_key *key = v->accounts.items[index->slots[slot] - 1];
        if (strcmp(key->customer, customer) == 0 && strcmp(key->currency, currency) == 0) return 1;
    }
    return 0;
}

static crd_key *know(verifier *v, const char *customer, const char *currency) {
    const crd_allocator *allocator = &v->ledger->allocator;
    crd_key *key = crd__arena_take(&v->known, sizeof *key);
    if (key == NULL) return NULL;
    memset(key, 0, sizeof *key);
    key->customer = crd__arena_text(&v->known, customer);
    key->currency = crd__arena_text(&v->known, currency);
    if (key->customer == NULL || key->currency == NULL || !crd__list_push(allocator, &v->accounts, key)) return NULL;
    if (!crd__index_put(allocator, &v->index, verify_rehash(&v->accounts, (uint32_t)v->accounts.count - 1),
                        (uint32_t)v->accounts.count - 1, verify_rehash, &v->accounts))
        return NULL;
    return key;
}

static int32_t see_owner(void *ctx, uint32_t kind, const void *record) {
    verifier *v = ctx;
    const char *customer = crd__record_customer(kind, record), *currency = crd__record_currency(kind, record);
    crd_key *key;
    if (verify_is_known(v, customer, currency)) return 0;
    key = know(v, customer, currency);
    if (key == NULL || !crd__list_push(&v->ledger->allocator, &v->orphans, key)) v->status = CRD_E_NOMEM;
    return v->status != CRD_OK;
}

/* Every document and every first entry must belong to an account that is stored. One that was made since the walk is
 * looked up before it is called missing. */
static crd_status find_orphans(verifier *v) {
    crd_query query = crd__query(CRD_KIND_BIT_CUSTOMER | CRD_KIND_BIT_CREDIT | CRD_KIND_BIT_INVOICE |
                                     CRD_KIND_BIT_RECEIPT | CRD_KIND_BIT_HOLD | CRD_KIND_BIT_LINE |
                                     CRD_KIND_BIT_ENTRY,
                                 v->spec->customer, NULL);
    crd_status status;
    query.seq_from = query.seq_to = 1;
    status = crd__scan(v->ledger, &query, see_owner, v);
    if (v->status != CRD_OK) return crd__fail(v->ledger, v->status, NULL);
    v->quiet = 0;
    for (uint64_t i = 0; status == CRD_OK && !v->stopped && i < v->orphans.count; i++) {
        const crd_key *key = v->orphans.items[i];
        crd_query one = crd__query(CRD_KIND_BIT_ACCOUNT, key->customer, key->currency);
        crd__loaded loaded;
        crd__arena_reset(&v->page);
        status = crd__read_as_is(v->ledger, &one, &v->page, &loaded);
        if (status != CRD_OK) break;
        if (loaded.accounts.count == 0) {
            find(v, CRD_KIND_ACCOUNT, key->customer, key->currency, "", 0, "",
                 "is not stored, but records and entries of it are", 0, 0);
            v->result.findings++;
        }
        crd__loaded_free(&loaded);
    }
    return status;
}

/* ---- all of it ---- */

static crd_status verify(verifier *v) {
    crd__arena arenas[2]; /* a page's last key is needed to read the next one */
    crd__loaded loaded;
    const char *customer = NULL, *currency = NULL;
    crd_status status = CRD_OK;
    int which = 0, complete = 0;
    crd__arena_init(&arenas[0], &v->ledger->allocator);
    crd__arena_init(&arenas[1], &v->ledger->allocator);
    while (status == CRD_OK && !complete && !v->stopped) {
        crd_query query = account_query(v->spec, customer, currency);
        crd__arena_reset(&arenas[which]);
        status = crd__read_as_is(v->ledger, &query, &arenas[which], &loaded);
        if (status != CRD_OK) break;
        complete = loaded.accounts.count < VERIFY_PAGE_ACCOUNTS;
        status = hand_over(v->ledger, &loaded);
        for (uint64_t i = 0; status == CRD_OK && !v->stopped && i < loaded.accounts.count; i++) {
            const crd__account *account = loaded.accounts.items[i];
            if (know(v, account->record.customer, account->record.currency) == NULL)
                status = crd__fail(v->ledger, CRD_E_NOMEM, NULL);
            else
                status = look_at(v, account);
        }
        if (loaded.accounts.count > 0) {
            const crd__account *last = loaded.accounts.items[loaded.accounts.count - 1];
            customer = last->record.customer;
            currency = last->record.currency;
        }
        verify_free_loaded(v->ledger, &loaded);
        which = !which;
    }
    crd__arena_free(&arenas[0]);
    crd__arena_free(&arenas[1]);
    return status;
}

crd_status crd_ledger_verify(crd_ledger *ledger, const crd_verify_spec *spec, crd_verify_result *out) {
    static const crd_verify_result nothing = {sizeof(crd_verify_result), 0, 0, 0, 0, 0};
    crd_verify_spec s;
    verifier v;
    crd_status status;
    crd__give_struct(out, &nothing);
    status = crd__enter(ledger);
    if (status != CRD_OK) return status;
    memset(&s, 0, sizeof s);
    if (spec != NULL) status = crd__take_struct(ledger, "spec", &s, sizeof s, sizeof s, spec);
    if (status == CRD_OK && s.customer != NULL) status = crd__check_any_id(ledger, "spec.customer", s.customer);
    if (status == CRD_OK && ledger->unit.open) status = crd__fail(ledger, CRD_E_UNIT, "verify reads what is kept; end the unit first");
    if (status != CRD_OK) return status;
    memset(&v, 0, sizeof v);
    v.ledger = ledger;
    v.spec = &s;
    v.result.struct_size = sizeof v.result;
    crd__arena_init(&v.replayed, &ledger->allocator);
    crd__arena_init(&v.page, &ledger->allocator);
    crd__arena_init(&v.known, &ledger->allocator);
    status = verify(&v);
    if (status == CRD_OK && !v.stopped) status = find_orphans(&v);
    crd__list_free(&ledger->allocator, &v.accounts);
    crd__list_free(&ledger->allocator, &v.orphans);
    crd__index_free(&ledger->allocator, &v.index);
    crd__arena_free(&v.known);
    crd__arena_free(&v.replayed);
    crd__arena_free(&v.page);
    crd__give_struct(out, &v.result);
    if (status != CRD_OK) return status;
    if (v.stopped) return crd__fail(ledger, CRD_E_CANCELLED, NULL);
    return v.result.findings == 0 ? CRD_OK : crd__fail(ledger, CRD_E_CORRUPT, "verify found differences");
}
