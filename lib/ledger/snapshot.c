/*
 * Snapshots of accounts, their documents, and the public handles that point to them.
 */
#include "ledger/ledger.h"

#include <string.h>

#define INDEX_FROM 16 /* documents from which a snapshot is worth an index */

static crd__account **chain(crd_ledger *ledger, const char *customer, const char *currency) {
    uint64_t hash = crd__hash_account(customer, currency);
    return &ledger->table[(hash ^ hash >> 32) % CRD__TABLE];
}

crd__account *crd__live(crd_ledger *ledger, const char *customer, const char *currency) {
    crd__account *account = *chain(ledger, customer, currency);
    while (account != NULL && (strcmp(account->record.customer, customer) != 0 ||
                               strcmp(account->record.currency, currency) != 0))
        account = account->next;
    return account;
}

void crd__account_stale(crd__account *account) {
    crd__account **at = chain(account->ledger, account->record.customer, account->record.currency);
    if (!account->live) return;
    while (*at != account) at = &(*at)->next;
    *at = account->next;
    account->live = 0;
}

void crd__account_stale_live(crd_ledger *ledger, const crd_account_record *account) {
    crd__account *live = crd__live(ledger, account->customer, account->currency);
    if (live != NULL) crd__account_stale(live);
}

void crd__account_hold(crd__account *account) {
    account->refs++;
}

static void account_free(crd__account *account) {
    const crd_allocator *allocator = &account->ledger->allocator;
    crd__account_stale(account);
    crd__list_free(allocator, &account->docs);
    crd__index_free(allocator, &account->index);
    crd__arena_free(&account->own);
    crd__free(allocator, account);
}

void crd__account_drop(crd__account *account) {
    if (--account->refs == 0) account_free(account);
}

crd_status crd__account_new(crd_ledger *ledger, const char *customer, const char *currency, crd__account **out) {
    crd__account **at = chain(ledger, customer, currency);
    crd__account *account = crd__alloc(&ledger->allocator, sizeof *account);
    if (account == NULL) return crd__fail(ledger, CRD_E_NOMEM, NULL);
    account->ledger = ledger;
    crd__arena_init(&account->own, &ledger->allocator);
    account->arena = &account->own;
    crd__record_clear(CRD_KIND_ACCOUNT, &account->record);
    account->record.customer = crd__arena_text(account->arena, customer);
    account->record.currency = crd__arena_text(account->arena, currency);
    if (account->record.customer == NULL || account->record.currency == NULL) {
        crd__arena_free(&account->own);
        crd__free(&ledger->allocator, account);
        return crd__fail(ledger, CRD_E_NOMEM, NULL);
    }
    account->live = 1;
    account->next = *at;
    *at = account;
    *out = account;
    return CRD_OK;
}

const char *crd__doc_id(const crd__doc *doc) {
    switch (doc->kind) {
    case CRD_KIND_CUSTOMER: return ((const crd_customer_record *)doc->record)->customer;
    case CRD_KIND_CREDIT: return ((const crd_credit_record *)doc->record)->id;
    case CRD_KIND_INVOICE: return ((const crd_invoice_record *)doc->record)->id;
    case CRD_KIND_RECEIPT: return ((const crd_receipt_record *)doc->record)->id;
    case CRD_KIND_HOLD: return ((const crd_hold_record *)doc->record)->id;
    default: return "";
    }
}

static uint64_t doc_hash(uint32_t kind, const char *id) {
    return crd__hash_text(UINT64_C(0xcbf29ce484222325) ^ kind, id);
}

static uint64_t snapshot_rehash(const void *list, uint32_t position) {
    const crd__doc *doc = ((const crd__list *)list)->items[position];
    return doc_hash(doc->kind, crd__doc_id(doc));
}

static int is_doc(const crd__doc *doc, uint32_t kind, const char *id) {
    return doc->kind == kind && !doc->gone && strcmp(crd__doc_id(doc), id) == 0;
}

/* The index is made when it is first worth it; without memory for it, the list is searched. */
static int indexed(crd__account *account) {
    const crd__list *docs = &account->docs;
    const crd_allocator *allocator;
    if (docs->count < INDEX_FROM) return 0;
    allocator = &account->ledger->allocator;
    while (account->index.count < docs->count) {
        uint32_t position = (uint32_t)account->index.count;
        if (!crd__index_put(allocator, &account->index, snapshot_rehash(docs, position), position, snapshot_rehash,
                             docs))
            return 0;
    }
    return 1;
}

crd__doc *crd__doc_find(crd__account *account, uint32_t kind, const char *id) {
    const crd__index *index = &account->index;
    uint64_t hash, slot;
    if (!indexed(account)) {
        for (uint64_t i = 0; i < account->docs.count; i++)
            if (is_doc(account->docs.items[i], kind, id)) return account->docs.items[i];
        return NULL;
    }
    hash = doc_hash(kind, id);
    for (slot = (hash ^ hash >> 32) & (index->size - 1); index->slots[slot] != 0;
         slot = (slot + 1) & (index->size - 1)) {
        crd__doc *doc = account->docs.items[index->slots[slot] - 1];
        if (is_doc(doc, kind, id)) return doc;
    }
    return NULL;
}

crd_status crd__doc_add(crd__account *account, uint32_t kind, const void *record, crd__doc **out) {
    crd_ledger *ledger = account->ledger;
    const crd_allocator *allocator = &ledger->allocator;
    uint32_t size = 0;
    crd__doc *doc;
    char *cursor;
    (void)crd_record_fields(kind, NULL, &size);
    doc = crd__arena_take(account->arena, sizeof *doc + size + crd__record_text_size(kind, record));
    if (doc == NULL || !crd__list_room(allocator, &account->docs, 1)) return crd__fail(ledger, CRD_E_NOMEM, NULL);
    memset(doc, 0, sizeof *doc);
    doc->account = account;
    doc->kind = kind;
    doc->record = doc + 1;
    cursor = (char *)doc->record + size;
    crd__record_copy(kind, record, doc->record, &cursor);
    account->docs.items[account->docs.count++] = doc;
    *out = doc;
    return CRD_OK;
}

static crd_status adopt_account(crd_ledger *ledger, crd__account *loaded) {
    crd__account *live = crd__live(ledger, loaded->record.customer, loaded->record.currency);
    crd_status status;
    char *cursor;
    if (live != NULL && live->base == loaded->base) { /* the mark moves no version */
        if (!live->dirty) live->record.acknowledged_seq = loaded->record.acknowledged_seq;
        return CRD_OK;
    }
    if (live != NULL && (live->dirty || live->guarded))
        return crd__fail_subject(ledger, CRD_E_CONFLICT, CRD_KIND_ACCOUNT, loaded->record.customer,
                                 loaded->record.currency, NULL);
    if (live != NULL) crd__account_stale(live);
    status = crd__account_new(ledger, loaded->record.customer, loaded->record.currency, &live);
    if (status != CRD_OK) return status;
    cursor = crd__arena_take(live->arena, crd__record_text_size(CRD_KIND_ACCOUNT, &loaded->record));
    if (cursor == NULL) {
        crd__account_hold(live);
        crd__account_drop(live);
        return crd__fail(ledger, CRD_E_NOMEM, NULL);
    }
    crd__record_copy(CRD_KIND_ACCOUNT, &loaded->record, &live->record, &cursor);
    live->base = loaded->base;
    return CRD_OK;
}

/* Snapshots that came alive in this call and were given to nobody are freed again by the caller's hold and drop. */
crd_status crd__adopt(crd_ledger *ledger, crd__loaded *loaded) {
    for (uint64_t i = 0; i < loaded->accounts.count; i++) {
        crd_status status = adopt_account(ledger, loaded->accounts.items[i]);
        if (status != CRD_OK) return status;
    }
    for (uint64_t i = 0; i < loaded->docs.count; i++) {
        const crd__doc *doc = loaded->docs.items[i];
        crd__account *live;
        crd__doc *known;
        crd_status status;
        if (doc->account == NULL) continue;
        live = crd__live(ledger, doc->account->record.customer, doc->account->record.currency);
        if (live == NULL || crd__doc_find(live, doc->kind, crd__doc_id(doc)) != NULL) continue;
        status = crd__doc_add(live, doc->kind, doc->record, &known);
        if (status != CRD_OK) return status;
    }
    return CRD_OK;
}

/* Frees snapshots that a failed or finished look-up left without a reference. */
static void sweep(crd_ledger *ledger, const crd__loaded *loaded) {
    for (uint64_t i = 0; i < loaded->accounts.count; i++) {
        const crd__account *account = loaded->accounts.items[i];
        crd__account *live = crd__live(ledger, account->record.customer, account->record.currency);
        if (live != NULL && live->refs == 0) {
            crd__account_hold(live);
            crd__account_drop(live);
        }
    }
}

crd_status crd__load(crd_ledger *ledger, crd_query *query, crd__list *held) {
    return crd__load_keys(ledger, query, held, NULL);
}

crd_status crd__load_keys(crd_ledger *ledger, crd_query *query, crd__list *held, crd__list *abroad) {
    crd__loaded loaded;
    crd_status status;
    crd__arena_reset(&ledger->scratch);
    status = crd__read(ledger, query, &ledger->scratch, &loaded);
    if (status != CRD_OK) return status;
    status = crd__list_room(&ledger->allocator, held, loaded.accounts.count) ? crd__adopt(ledger, &loaded)
                                                                             : crd__fail(ledger, CRD_E_NOMEM, NULL);
    for (uint64_t i = 0; status == CRD_OK && abroad != NULL && i < loaded.docs.count; i++) {
        crd__doc *doc = loaded.docs.items[i];
        if (doc->account == NULL && doc->kind != CRD_KIND_CUSTOMER && !crd__list_push(&ledger->allocator, abroad, doc))
            status = crd__fail(ledger, CRD_E_NOMEM, NULL);
    }
    for (uint64_t i = 0; status == CRD_OK && i < loaded.accounts.count; i++) {
        const crd__account *account = loaded.accounts.items[i];
        crd__account *live = crd__live(ledger, account->record.customer, account->record.currency);
        crd__account_hold(live);
        (void)crd__list_push(&ledger->allocator, held, live);
    }
    if (status != CRD_OK) sweep(ledger, &loaded);
    crd__loaded_free(&loaded);
    return status;
}

void crd__release(crd_ledger *ledger, crd__list *held) {
    for (uint64_t i = 0; i < held->count; i++) crd__account_drop(held->items[i]);
    crd__list_free(&ledger->allocator, held);
}

/* Looks in every snapshot that was just read: ids are unique per customer and kind over all currencies. */
static crd__doc *find_in(const crd__list *held, uint32_t kind, const char *id) {
    for (uint64_t i = 0; i < held->count; i++) {
        crd__doc *doc = crd__doc_find(held->items[i], kind, id);
        if (doc != NULL) return doc;
    }
    return NULL;
}

static crd_status find_doc(crd_ledger *ledger, uint32_t kind, const char *customer, const char *id, crd__list *held,
                           crd__doc **out) {
    crd_query query = crd__query(CRD_KIND_BIT_ACCOUNT | UINT32_C(1) << kind, customer, NULL);
    crd_status status;
    if (kind != CRD_KIND_CUSTOMER)
        query.id = id;
    else
        query.currency = "";
    status = crd__load(ledger, &query, held);
    if (status != CRD_OK) return status;
    *out = find_in(held, kind, kind == CRD_KIND_CUSTOMER ? customer : id);
    if (*out == NULL) return crd__fail_subject(ledger, CRD_E_NOT_FOUND, kind, customer, id, NULL);
    return CRD_OK;
}

crd_status crd__handle_new(crd_ledger *ledger, crd__doc *doc, crd__handle **out) {
    crd__handle *handle = crd__alloc(&ledger->allocator, sizeof *handle);
    if (handle == NULL) return crd__fail(ledger, CRD_E_NOMEM, NULL);
    handle->ledger = ledger;
    handle->doc = doc;
    crd__account_hold(doc->account);
    *out = handle;
    return CRD_OK;
}

void crd__handle_free(crd__handle *handle) {
    if (handle == NULL) return;
    if (handle->ledger->busy) {
        handle->freed = handle->ledger->freed;
        handle->ledger->freed = handle;
        return;
    }
    crd__account_drop(handle->doc->account);
    crd__free(&handle->ledger->allocator, handle);
}

void crd__handles_bury(crd_ledger *ledger) {
    while (ledger->freed != NULL) {
        crd__handle *handle = ledger->freed;
        ledger->freed = handle->freed;
        crd__handle_free(handle);
    }
}

crd_status crd__handle_find(crd_ledger *ledger, uint32_t kind, const char *customer, const char *id,
                            crd__handle **out) {
    crd__list held = {NULL, 0, 0};
    crd__doc *doc = NULL;
    crd_status status;
    if (out != NULL) *out = NULL;
    status = crd__enter(ledger);
    if (status != CRD_OK) return status;
    if (out == NULL) return crd__fail_argument(ledger, "out", "must be given");
    status = crd__check_any_id(ledger, "customer", customer);
    if (status == CRD_OK) status = crd__check_any_id(ledger, "id", id);
    if (status != CRD_OK) return status;
    status = find_doc(ledger, kind, customer, id, &held, &doc);
    if (status == CRD_OK) status = crd__handle_new(ledger, doc, out);
    crd__release(ledger, &held);
    return status;
}

crd_status crd__handle_refresh(crd__handle *handle) {
    crd_ledger *ledger = handle != NULL ? handle->ledger : NULL;
    crd__list held = {NULL, 0, 0};
    crd__doc *doc = NULL;
    crd_status status = crd__enter(ledger);
    if (status != CRD_OK) return status;
    if (handle->doc->account->dirty)
        return crd__fail(ledger, CRD_E_UNIT, "the open unit changed this account; commit or roll back first");
    status = find_doc(ledger, handle->doc->kind, handle->doc->account->record.customer, crd__doc_id(handle->doc),
                      &held, &doc);
    if (status == CRD_OK) {
        crd__account_hold(doc->account);
        crd__account_drop(handle->doc->account);
        handle->doc = doc;
    }
    crd__release(ledger, &held);
    return status;
}
