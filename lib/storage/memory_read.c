/*
 * Answering a query from memory.
 *
 * 1. Accounts are emitted before all else; nothing is written in between.
 * 2. A question about one customer looks at that customer only, one by id or key at those records, one for what is
 *    open at the open part of each shelf. Other conditions are tested on the decoded record, or left to the library.
 * 3. With a limit, what belongs to an account follows the accounts that were asked for; with BOTH_OPEN likewise.
 */
#include "memory_private.h"

#include <string.h>

typedef struct reader {
    const crd_memory *m;
    const crd_query *query;
    crd_emit emit;
    void *sink;
    int stopped; /* by emit */
    int broken;  /* a stored record could not be decoded */
    crd__any record;
} reader;

static int over(const reader *r) {
    return r->stopped || r->broken;
}

static void emit_account(reader *r, const crd__holder *account) {
    r->stopped = r->emit(r->sink, CRD_KIND_ACCOUNT, &account->record) != 0;
}

static void place_document(uint32_t kind, crd__any *record, const crd__item *item) {
    const char *customer = item->account->owner->name, *currency = item->account->currency;
    const char *id = (const char *)item->data;
    switch (kind) {
    case CRD_KIND_CREDIT:
        record->credit.customer = customer;
        record->credit.currency = currency;
        record->credit.id = id;
        break;
    case CRD_KIND_INVOICE:
        record->invoice.customer = customer;
        record->invoice.currency = currency;
        record->invoice.id = id;
        break;
    case CRD_KIND_RECEIPT:
        record->receipt.customer = customer;
        record->receipt.currency = currency;
        record->receipt.id = id;
        break;
    case CRD_KIND_HOLD:
        record->hold.customer = customer;
        record->hold.currency = currency;
        record->hold.id = id;
        break;
    default:
        break;
    }
}

static void emit_item(reader *r, const crd__item *item) {
    uint32_t size = 0;
    (void)crd_record_fields(item->kind, NULL, &size);
    memcpy(&r->record, &size, sizeof size);
    if (crd_record_decode(item->kind, item->data + item->key_size, item->size, &r->record, (char *)r->m->scratch,
                          r->m->scratch_size) != CRD_OK) {
        r->broken = 1;
        return;
    }
    if (item->account != NULL) place_document(item->kind, &r->record, item);
    r->stopped = r->emit(r->sink, item->kind, &r->record) != 0;
}

static int is_both_open(const crd__holder *account) {
    return account->record.open_credits > 0 && account->record.open_invoices > 0;
}

static int memory_in_range(const crd_query *q, const crd__holder *account) {
    int order;
    if (q->currency != NULL && strcmp(account->currency, q->currency) != 0) return 0;
    if (q->after_customer == NULL) return 1;
    order = strcmp(account->owner->name, q->after_customer);
    if (order == 0) order = strcmp(account->currency, q->after_currency != NULL ? q->after_currency : "");
    return order > 0;
}

/* Whether the account itself is asked for. */
static int is_asked(const crd_query *q, const crd__holder *account) {
    const crd_account_record *record = &account->record;
    if (record->struct_size == 0 || !memory_in_range(q, account)) return 0;
    if ((q->flags & CRD_QUERY_OPEN) && record->open_credits <= 0 && record->open_invoices <= 0) return 0;
    if ((q->flags & CRD_QUERY_BOTH_OPEN) && !is_both_open(account)) return 0;
    return !(q->flags & CRD_QUERY_UNACKNOWLEDGED) || record->acknowledged_seq < record->last_seq;
}

/* Whether what belongs to the account is asked for, but for the limit. */
static int is_opened(const crd_query *q, const crd__holder *account) {
    if (q->limit != 0) return is_asked(q, account);
    return memory_in_range(q, account) && (!(q->flags & CRD_QUERY_BOTH_OPEN) || is_both_open(account));
}

/* The customers the query may concern, in order, from the given name on. */
static crd__customer *first_customer(const reader *r, crd__walk *walk, const char *from) {
    if (r->query->customer != NULL) return crd__memory_customer(r->m, r->query->customer);
    return crd__memory_first(r->m, walk, from != NULL ? from : "");
}

static crd__customer *next_customer(const reader *r, crd__walk *walk) {
    return r->query->customer != NULL ? NULL : crd__memory_next(r->m, walk);
}

static int in_kinds(const crd_query *q, uint32_t kind) {
    return (q->kinds >> kind & 1) != 0;
}

/* From `from` to `to` on a shelf: what the query asks for, as far as an item tells undecoded. */
static void read_shelf(reader *r, const crd__holder *account, uint32_t kinds, uint32_t from, uint32_t to) {
    const crd_query *q = r->query;
    for (uint32_t i = from; i < to && !over(r); i++) {
        const crd__item *item = account->shelf[i];
        uint32_t state = item->state & CRD__STATE_BITS;
        if ((kinds >> item->kind & 1) == 0) continue;
        if (q->states != 0 && (CRD__DOCUMENTS >> item->kind & 1) && (state > 31 || (q->states >> state & 1) == 0))
            continue;
        if (q->id != NULL) {
            const unsigned char *id = item->data;
            if (item->kind == CRD_KIND_LINE) id += sizeof(int64_t) + sizeof(uint32_t);
            if (strcmp((const char *)id, q->id) != 0) continue;
        }
        emit_item(r, item);
    }
}

/* One id of one customer: looked up, not looked for. */
static void read_by_id(reader *r, const crd__customer *customer) {
    for (uint32_t kind = CRD_KIND_CREDIT; kind <= CRD_KIND_HOLD && !over(r); kind++) {
        crd__name name;
        const crd__item *item;
        if (!in_kinds(r->query, kind) || !crd__memory_name(&name, kind, 0, r->query->id, 0)) continue;
        item = crd__memory_item(customer, &name);
        if (item != NULL && memory_in_range(r->query, item->account)) emit_item(r, item);
    }
}

static int visit_entry(void *ctx, const crd_entry_record *entry) {
    reader *r = ctx;
    if (crd_query_matches(r->query, CRD_KIND_ENTRY, entry))
        r->stopped = r->emit(r->sink, CRD_KIND_ENTRY, entry) != 0;
    return r->stopped;
}

static void memory_read_entries(reader *r, const crd__holder *account) {
    const crd_query *q = r->query;
    int64_t from = q->seq_from, to = q->seq_to != 0 ? q->seq_to : INT64_MAX;
    if ((q->flags & CRD_QUERY_UNACKNOWLEDGED) && from <= account->record.acknowledged_seq)
        from = account->record.acknowledged_seq + 1;
    if (crd__memory_entries(r->m, account, from, to, visit_entry, r) < 0) r->broken = 1;
}

static void read_opened(reader *r, const crd__holder *account) {
    const crd_query *q = r->query;
    uint32_t kinds = q->kinds & CRD__SHELVED, closed = account->open;
    if (q->id != NULL && q->customer != NULL) kinds &= CRD_KIND_BIT_LINE; /* the rest is looked up */
    if (kinds != 0) {
        read_shelf(r, account, kinds, 0, closed);
        if (q->flags & CRD_QUERY_OPEN) kinds &= CRD_KIND_BIT_RECEIPT | CRD_KIND_BIT_LINE; /* not narrowed by it */
        if (kinds != 0) read_shelf(r, account, kinds, closed, account->count);
    }
    if (in_kinds(q, CRD_KIND_ENTRY) && !over(r)) memory_read_entries(r, account);
}

static void read_customer(reader *r, const crd__customer *customer) {
    if (in_kinds(r->query, CRD_KIND_CUSTOMER) && customer->record != NULL && !over(r)) emit_item(r, customer->record);
}

static void read_requests(reader *r, const crd__customer *customer) {
    crd__name name;
    const crd__item *item;
    if (r->query->request_key != NULL) {
        if (!crd__memory_name(&name, CRD_KIND_REQUEST, 0, r->query->request_key, 0)) return;
        item = crd__memory_item(customer, &name);
        if (item != NULL) emit_item(r, item);
        return;
    }
    for (uint32_t i = 0; i < customer->size && !over(r); i++)
        if (customer->slots[i] != NULL && customer->slots[i]->kind == CRD_KIND_REQUEST)
            emit_item(r, customer->slots[i]);
}

static void memory_read_accounts(reader *r) {
    const crd_query *q = r->query;
    crd__walk walk;
    uint32_t asked = 0;
    for (crd__customer *c = first_customer(r, &walk, q->after_customer); c != NULL; c = next_customer(r, &walk))
        for (uint32_t i = 0; i < c->account_count; i++) {
            if (!is_asked(q, c->accounts[i])) continue;
            emit_account(r, c->accounts[i]);
            if (over(r) || ++asked == q->limit) return;
        }
}

/* What belongs to accounts; customers too, where they follow the accounts asked for. */
static void read_belongings(reader *r) {
    const crd_query *q = r->query;
    int follow = q->limit != 0 || (q->flags & CRD_QUERY_BOTH_OPEN) != 0;
    crd__walk walk;
    uint32_t opened = 0;
    for (crd__customer *c = first_customer(r, &walk, q->after_customer); c != NULL; c = next_customer(r, &walk)) {
        int told = 0;
        for (uint32_t i = 0; i < c->account_count; i++) {
            if (!is_opened(q, c->accounts[i])) continue;
            if (follow && !told++) read_customer(r, c);
            if (!over(r)) read_opened(r, c->accounts[i]);
            if (over(r) || ++opened == q->limit) return;
        }
    }
}

/* What belongs to customers. */
static void read_customers(reader *r) {
    const crd_query *q = r->query;
    int follow = q->limit != 0 || (q->flags & CRD_QUERY_BOTH_OPEN) != 0;
    crd__walk walk;
    for (crd__customer *c = first_customer(r, &walk, NULL); c != NULL && !over(r); c = next_customer(r, &walk)) {
        if (!follow) read_customer(r, c);
        if (in_kinds(q, CRD_KIND_REQUEST) && !over(r)) read_requests(r, c);
        if (q->id != NULL && q->customer != NULL && !over(r)) read_by_id(r, c);
    }
}

static const char *memory_read_or_empty(const char *text) {
    return text != NULL ? text : "";
}

/* Any order of all keys. */
static int memory_compare_keys(const crd_key *a, const crd_key *b) {
    int order = strcmp(memory_read_or_empty(a->customer), memory_read_or_empty(b->customer));
    if (order == 0 && a->kind != b->kind) order = a->kind < b->kind ? -1 : 1;
    if (order == 0 && (a->kind == CRD_KIND_ACCOUNT || a->kind == CRD_KIND_ENTRY))
        order = strcmp(memory_read_or_empty(a->currency), memory_read_or_empty(b->currency));
    if (order == 0) order = strcmp(memory_read_or_empty(a->id), memory_read_or_empty(b->id));
    if (order == 0 && a->document_kind != b->document_kind) order = a->document_kind < b->document_kind ? -1 : 1;
    if (order == 0 && a->number != b->number) order = a->number < b->number ? -1 : 1;
    return order;
}

static void memory_read_key(reader *r, const crd_key *key) {
    const crd__customer *customer = crd__memory_customer(r->m, memory_read_or_empty(key->customer));
    const crd__holder *account = customer != NULL ? crd__memory_account(customer, memory_read_or_empty(key->currency))
                                                  : NULL;
    const crd__item *item = NULL;
    crd__name name;
    if (customer == NULL || !in_kinds(r->query, key->kind)) return;
    switch (key->kind) {
    case CRD_KIND_ACCOUNT:
        if (account != NULL && account->record.struct_size != 0) emit_account(r, account);
        return;
    case CRD_KIND_ENTRY:
        if (account != NULL && crd__memory_entries(r->m, account, key->number, key->number, visit_entry, r) < 0)
            r->broken = 1;
        return;
    case CRD_KIND_CUSTOMER:
        item = customer->record;
        break;
    default:
        if (crd__memory_name(&name, key->kind, key->document_kind, key->id, key->number))
            item = crd__memory_item(customer, &name);
    }
    if (item != NULL) emit_item(r, item);
}

/* The records of a list of keys, accounts first, none twice. Lists come sorted, as a rule; then a key behind the
 * greatest so far is new, and only others are looked for among those before. */
static void memory_read_keys(reader *r, int accounts) {
    const crd_query *q = r->query;
    const crd_key *greatest = NULL;
    for (uint64_t i = 0; i < q->key_count && !over(r); i++) {
        const crd_key *key = q->keys[i];
        uint64_t j = i;
        if ((key->kind == CRD_KIND_ACCOUNT) != accounts || key->kind == 0 || key->kind >= CRD_KIND_COUNT) continue;
        if (q->customer != NULL && strcmp(memory_read_or_empty(key->customer), q->customer) != 0) continue;
        if (greatest == NULL || memory_compare_keys(greatest, key) < 0) {
            greatest = key;
        } else {
            for (j = 0; j < i && memory_compare_keys(q->keys[j], key) != 0; j++) continue;
        }
        if (j == i) memory_read_key(r, key);
    }
}

void CRD_CALL crd__memory_read(void *ctx, const crd_query *query, crd_emit emit, void *sink, crd_read_result *out) {
    reader r;
    r.m = ctx;
    r.query = query;
    r.emit = emit;
    r.sink = sink;
    r.stopped = r.broken = 0;
    if (query->keys != NULL && query->key_count > 0) {
        memory_read_keys(&r, 1);
        memory_read_keys(&r, 0);
    } else {
        if (in_kinds(query, CRD_KIND_ACCOUNT)) memory_read_accounts(&r);
        if (!over(&r)) read_belongings(&r);
        if (!over(&r)) read_customers(&r);
    }
    out->outcome = r.broken ? CRD_OUTCOME_FAILED : CRD_OUTCOME_DONE;
    if (r.broken) memcpy(out->host_text, "a record in memory was overwritten", 35);
    out->proof = query->proof;
}
