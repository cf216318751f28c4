/*
 * One read: the only place that calls the storage's read callback.
 *
 * The storage may emit more than was asked, so every record is filtered, copied and checked here. Invariants of what
 * comes out:
 * 1. Accounts are sorted by key, pass the query, and with a limit are the smallest ones.
 * 2. Its texts are well-formed. Every document belongs to one of these accounts, is not newer than it, and satisfies rule M1. (A query without
 *    accounts gives documents without a snapshot; so does a key, of a document whose account no key names.)
 * 3. What was changed between two records of the read is noticed: it is read again, once, and then is a conflict.
 */
#include "core/text.h"
#include "ledger/ledger.h"

#include <string.h>

uint64_t crd__hash_account(const char *customer, const char *currency) {
    return crd__hash_text(crd__hash_text(UINT64_C(0xcbf29ce484222325), customer), currency);
}

static uint64_t read_rehash(const void *list, uint32_t position) {
    const crd__account *account = ((const crd__list *)list)->items[position];
    return crd__hash_account(account->record.customer, account->record.currency);
}

static int same_account(const crd__account *account, const char *customer, const char *currency) {
    return strcmp(account->record.customer, customer) == 0 && strcmp(account->record.currency, currency) == 0;
}

static crd__account *find_account(const crd__loaded *in, const char *customer, const char *currency) {
    uint64_t hash, slot;
    if (in->index.size == 0) return NULL;
    hash = crd__hash_account(customer, currency);
    for (slot = (hash ^ hash >> 32) & (in->index.size - 1); in->index.slots[slot] != 0;
         slot = (slot + 1) & (in->index.size - 1)) {
        crd__account *account = in->accounts.items[in->index.slots[slot] - 1];
        if (same_account(account, customer, currency)) return account;
    }
    return NULL;
}

static int read_compare_accounts(const void *a, const void *b) {
    return crd__record_compare_key(CRD_KIND_ACCOUNT, &((const crd__account *)a)->record,
                                   &((const crd__account *)b)->record);
}

/* A copy of a record and its texts, with `head` bytes in front of it. */
static void *copy_record(crd__arena *arena, uint32_t kind, const void *record, uint64_t head) {
    uint32_t size = 0;
    uint64_t text = crd__record_text_size(kind, record);
    char *block, *cursor;
    (void)crd_record_fields(kind, NULL, &size);
    block = crd__arena_take(arena, head + size + text);
    if (block == NULL) return NULL;
    memset(block, 0, (size_t)head);
    cursor = block + head + size;
    crd__record_copy(kind, record, block + head, &cursor);
    return block;
}

static int32_t stop(crd__loaded *in, crd_status status) {
    in->status = status;
    return 1;
}

static int account_wanted(const crd_query *query, const crd_account_record *account) {
    if ((query->flags & CRD_QUERY_BOTH_OPEN) && !(account->open_credits > 0 && account->open_invoices > 0)) return 0;
    if ((query->flags & CRD_QUERY_UNACKNOWLEDGED) && account->acknowledged_seq >= account->last_seq) return 0;
    return 1;
}

static int32_t take_account(crd__loaded *in, const crd_account_record *record) {
    const crd_allocator *allocator = &in->ledger->allocator;
    crd__account *account;
    char *cursor;
    if (!account_wanted(in->query, record)) return 0;
    if (in->cut) {
        crd__fail(in->ledger, CRD_E_CONTRACT, "the storage emitted an account after other records");
        return stop(in, CRD_E_CONTRACT);
    }
    account = crd__arena_take(in->arena, sizeof *account + crd__record_text_size(CRD_KIND_ACCOUNT, record));
    if (account == NULL || !crd__list_push(allocator, &in->accounts, account)) return stop(in, CRD_E_NOMEM);
    memset(account, 0, sizeof *account);
    cursor = (char *)(account + 1);
    crd__record_copy(CRD_KIND_ACCOUNT, record, &account->record, &cursor);
    account->ledger = in->ledger;
    account->arena = in->arena;
    account->base = account->record.version;
    if (!in->lenient && !crd__account_check(&account->record)) {
        crd__fail_subject(in->ledger, CRD_E_CORRUPT, CRD_KIND_ACCOUNT, account->record.customer,
                          account->record.currency, "its stored totals contradict each other");
        return stop(in, CRD_E_CORRUPT);
    }
    return 0;
}

/* The first record that is no account ends the accounts: sort them, keep the smallest, index them. */
static crd_status cut(crd__loaded *in) {
    const crd_allocator *allocator = &in->ledger->allocator;
    crd__list *list = &in->accounts;
    void **spare;
    in->cut = 1;
    if (list->count == 0) return CRD_OK;
    spare = crd__alloc(allocator, list->count * sizeof *spare);
    if (spare == NULL) return CRD_E_NOMEM;
    crd__sort(list->items, list->count, spare, read_compare_accounts);
    crd__free(allocator, spare);
    for (uint64_t i = 1; i < list->count; i++)
        if (read_compare_accounts(list->items[i - 1], list->items[i]) == 0)
            return crd__fail(in->ledger, CRD_E_CONTRACT, "the storage emitted an account twice");
    if (in->query->limit != 0 && list->count > in->query->limit) list->count = in->query->limit;
    for (uint64_t i = 0; i < list->count; i++)
        if (!crd__index_put(allocator, &in->index, read_rehash(list, (uint32_t)i), (uint32_t)i, read_rehash, list))
            return CRD_E_NOMEM;
    return CRD_OK;
}

static int document_good(uint32_t kind, const void *record) {
    switch (kind) {
    case CRD_KIND_CREDIT: return crd__credit_check(record);
    case CRD_KIND_INVOICE: return crd__invoice_check(record);
    default: return 1;
    }
}

/* The account a document belongs to. Customers come with accounts of any currency, for their names. */
static crd__account *account_of(crd__loaded *in, uint32_t kind, const void *record) {
    const char *customer = crd__record_customer(kind, record);
    const char *currency = crd__record_currency(kind, record);
    if (in->last == NULL || !same_account(in->last, customer, currency))
        in->last = find_account(in, customer, currency);
    return in->last;
}

static int64_t last_seq_of(uint32_t kind, const void *record) {
    switch (kind) {
    case CRD_KIND_CREDIT: return ((const crd_credit_record *)record)->last_seq;
    case CRD_KIND_INVOICE: return ((const crd_invoice_record *)record)->last_seq;
    case CRD_KIND_RECEIPT: return ((const crd_receipt_record *)record)->last_seq;
    case CRD_KIND_CUSTOMER: return ((const crd_customer_record *)record)->last_seq;
    case CRD_KIND_HOLD: return ((const crd_hold_record *)record)->last_seq;
    case CRD_KIND_LINE: return ((const crd_line_record *)record)->last_seq;
    case CRD_KIND_ENTRY: return ((const crd_entry_record *)record)->last_seq;
    default: return 0;
    }
}

/* With keys, a document may lie with an account that none of them names. */
static int account_asked(const crd_query *query, uint32_t kind, const void *record) {
    const char *customer = crd__record_customer(kind, record), *currency = crd__record_currency(kind, record);
    for (uint64_t i = 0; i < query->key_count; i++)
        if (query->keys[i]->kind == CRD_KIND_ACCOUNT && strcmp(query->keys[i]->currency, currency) == 0 &&
            strcmp(query->keys[i]->customer, customer) == 0)
            return 1;
    return query->key_count == 0;
}

static int32_t take_document(crd__loaded *in, uint32_t kind, const void *record) {
    const crd_query *query = in->query;
    int with_accounts = (query->kinds & CRD_KIND_BIT_ACCOUNT) != 0 && kind != CRD_KIND_REQUEST;
    int paged = query->limit != 0 || (query->flags & (CRD_QUERY_BOTH_OPEN | CRD_QUERY_OPEN)) != 0;
    crd__account *account = with_accounts ? account_of(in, kind, record) : NULL;
    int keeps = kind == CRD_KIND_CUSTOMER || kind == CRD_KIND_CREDIT || kind == CRD_KIND_INVOICE ||
                kind == CRD_KIND_RECEIPT || kind == CRD_KIND_HOLD;
    crd__doc *doc;
    if (with_accounts && account == NULL && kind != CRD_KIND_CUSTOMER && account_asked(query, kind, record)) {
        if (!paged) in->torn = 1; /* its account was made after the accounts were read */
        return 0;
    }
    if (account != NULL && last_seq_of(kind, record) > account->record.last_seq) in->torn = 1;
    doc = copy_record(in->arena, kind, record, sizeof *doc);
    if (doc == NULL) return stop(in, CRD_E_NOMEM);
    doc->account = account;
    doc->kind = kind;
    doc->record = doc + 1;
    if (!in->lenient && !document_good(kind, doc->record)) {
        crd__fail_subject(in->ledger, CRD_E_CORRUPT, kind, crd__record_customer(kind, doc->record), crd__doc_id(doc),
                          "its stored amounts contradict each other");
        return stop(in, CRD_E_CORRUPT);
    }
    if (!crd__list_push(&in->ledger->allocator, keeps ? &in->docs : &in->rest, doc)) return stop(in, CRD_E_NOMEM);
    return 0;
}

/* Names the record whose text is not, as far as that can be said in text. */
static crd_status not_text(crd_ledger *ledger, uint32_t kind, const void *record) {
    const char *customer = crd__record_customer(kind, record), *id = crd__record_id(kind, record);
    if (crd__id_check(customer) != CRD_OK) customer = "";
    if (crd__id_check(id) != CRD_OK) id = "";
    return crd__fail_subject(ledger, CRD_E_CORRUPT, kind, customer, id, "a stored text of it is not UTF-8");
}

static int32_t CRD_CALL read_take(void *sink, uint32_t kind, const void *record) {
    crd__loaded *in = sink;
    uint32_t size, least = 0;
    if (in->status != CRD_OK) return 1;
    if (record == NULL || kind >= CRD_KIND_COUNT || kind == 0) {
        crd__fail(in->ledger, CRD_E_CONTRACT, "the storage emitted something that is no record");
        return stop(in, CRD_E_CONTRACT);
    }
    memcpy(&size, record, sizeof size);
    (void)crd_record_fields(kind, NULL, &least);
    if (size < least && size < in->ledger->storage.record_size[kind]) {
        crd__fail(in->ledger, CRD_E_CONTRACT, "the storage emitted a record smaller than it said it would");
        return stop(in, CRD_E_CONTRACT);
    }
    if (!crd_query_matches(in->query, kind, record)) return 0;
    if (!in->lenient && !crd__record_text_good(kind, record)) return stop(in, not_text(in->ledger, kind, record));
    if (kind == CRD_KIND_ACCOUNT) return take_account(in, record);
    if (!in->cut) {
        crd_status status = cut(in);
        if (status != CRD_OK) return stop(in, status);
    }
    return take_document(in, kind, record);
}

crd_status crd__hand_over(crd_ledger *ledger, crd__loaded *loaded) {
    for (uint64_t i = 0; i < loaded->docs.count; i++) {
        crd__doc *doc = loaded->docs.items[i];
        if (doc->account != NULL && !crd__list_push(&ledger->allocator, &doc->account->docs, doc))
            return crd__fail(ledger, CRD_E_NOMEM, NULL);
    }
    return CRD_OK;
}

void crd__loaded_free(crd__loaded *loaded) {
    const crd_allocator *allocator = &loaded->ledger->allocator;
    crd__list_free(allocator, &loaded->accounts);
    crd__list_free(allocator, &loaded->docs);
    crd__list_free(allocator, &loaded->rest);
    crd__index_free(allocator, &loaded->index);
}

static crd_status read_status(crd_ledger *ledger, const crd_query *query, const crd_read_result *result) {
    if (result->proof != query->proof)
        return crd__fail_host(ledger, CRD_E_STORAGE, "the storage's read did not finish", result->host_error,
                              result->host_text);
    switch (result->outcome) {
    case CRD_OUTCOME_DONE: return CRD_OK;
    case CRD_OUTCOME_RESTART:
        return crd__fail_host(ledger, CRD_E_RESTART, NULL, result->host_error, result->host_text);
    case CRD_OUTCOME_SCHEMA:
        return crd__fail_host(ledger, CRD_E_SCHEMA, NULL, result->host_error, result->host_text);
    default: return crd__fail_host(ledger, CRD_E_STORAGE, NULL, result->host_error, result->host_text);
    }
}

static crd_status call_read(crd_ledger *ledger, crd_query *query, crd_emit emit, void *sink) {
    crd_read_result result;
    memset(&result, 0, sizeof result);
    result.struct_size = sizeof result;
    result.outcome = CRD_OUTCOME_UNKNOWN;
    query->proof = ++ledger->proof;
    ledger->busy = 1;
    ledger->storage.read(ledger->storage.ctx, query, emit, sink, &result);
    ledger->busy = 0;
    result.host_text[CRD_HOST_TEXT - 1] = '\0';
    return read_status(ledger, query, &result);
}

static crd_status read_once(crd_ledger *ledger, crd_query *query, crd__loaded *in) {
    crd_status status = call_read(ledger, query, read_take, in);
    /* What stopped the read from this side comes before what the storage says of it. */
    if (in->status == CRD_OK && status == CRD_OK && !in->cut) in->status = cut(in);
    if (in->status == CRD_E_NOMEM) return crd__fail(ledger, CRD_E_NOMEM, NULL);
    return in->status != CRD_OK ? in->status : status;
}

crd_status crd__read(crd_ledger *ledger, crd_query *query, crd__arena *arena, crd__loaded *out) {
    crd_status status = CRD_OK;
    for (int attempt = 0; attempt < 2; attempt++) {
        memset(out, 0, sizeof *out);
        out->ledger = ledger;
        out->query = query;
        out->arena = arena;
        status = read_once(ledger, query, out);
        if (status == CRD_OK && !out->torn) return CRD_OK;
        crd__loaded_free(out);
        if (status != CRD_OK) return status;
    }
    return crd__fail(ledger, CRD_E_CONFLICT, "the account is being changed by another writer");
}

crd_status crd__read_as_is(crd_ledger *ledger, crd_query *query, crd__arena *arena, crd__loaded *out) {
    crd_status status;
    memset(out, 0, sizeof *out);
    out->ledger = ledger;
    out->query = query;
    out->arena = arena;
    out->lenient = 1;
    status = read_once(ledger, query, out);
    if (status != CRD_OK) crd__loaded_free(out);
    return status;
}

typedef struct scan {
    const crd_query *query;
    int32_t (*see)(void *ctx, uint32_t kind, const void *record);
    void *ctx;
} scan;

static int32_t CRD_CALL see(void *sink, uint32_t kind, const void *record) {
    scan *s = sink;
    if (record == NULL || kind == 0 || kind >= CRD_KIND_COUNT) return 0;
    return crd_query_matches(s->query, kind, record) ? s->see(s->ctx, kind, record) : 0;
}

crd_status crd__scan(crd_ledger *ledger, crd_query *query,
                     int32_t (*look)(void *ctx, uint32_t kind, const void *record), void *ctx) {
    scan s;
    s.query = query;
    s.see = look;
    s.ctx = ctx;
    return call_read(ledger, query, see, &s);
}

crd_query crd__query(uint32_t kinds, const char *customer, const char *currency) {
    crd_query query;
    memset(&query, 0, sizeof query);
    query.struct_size = sizeof query;
    query.kinds = kinds;
    query.customer = customer;
    query.currency = currency;
    return query;
}
