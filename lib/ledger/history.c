/*
 * Applications. There is no table of them: an application is the journal's APPLY entry, and what is left of it is its
 * amount less the UNAPPLY entries that name it. A document's history is the range of its account's journal between its
 * first and last entry, so finding its applications is one read.
 */
#include "ledger/ledger.h"

#include <string.h>

static int history_compare_seq(const void *a, const void *b) {
    const crd_entry_record *x = a, *y = b;
    return x->seq < y->seq ? -1 : x->seq > y->seq;
}

void crd__doc_range(const crd__doc *doc, int64_t *first, int64_t *last) {
    switch (doc->kind) {
    case CRD_KIND_CREDIT:
        *first = ((const crd_credit_record *)doc->record)->first_seq;
        *last = ((const crd_credit_record *)doc->record)->last_seq;
        return;
    case CRD_KIND_HOLD:
        *first = ((const crd_hold_record *)doc->record)->first_seq;
        *last = ((const crd_hold_record *)doc->record)->last_seq;
        return;
    case CRD_KIND_INVOICE:
        *first = ((const crd_invoice_record *)doc->record)->first_seq;
        *last = ((const crd_invoice_record *)doc->record)->last_seq;
        return;
    default:
        *first = ((const crd_receipt_record *)doc->record)->first_seq;
        *last = ((const crd_receipt_record *)doc->record)->last_seq;
        return;
    }
}

static int concerns(const crd_query *query, const crd__account *account, const crd_entry_record *e) {
    return strcmp(e->customer, account->record.customer) == 0 && strcmp(e->currency, account->record.currency) == 0 &&
           crd_query_matches(query, CRD_KIND_ENTRY, e);
}

/* The entries of the query, oldest first: those stored, then those of the open unit. */
static crd_status history_gather(crd_ledger *ledger, const crd__account *account, crd_query *query,
                                 crd__list *entries) {
    crd__loaded loaded;
    void **spare;
    crd_status status;
    crd__arena_reset(&ledger->scratch);
    status = crd__read(ledger, query, &ledger->scratch, &loaded);
    if (status != CRD_OK) return status;
    for (uint64_t i = 0; status == CRD_OK && i < loaded.rest.count; i++)
        if (!crd__list_push(&ledger->allocator, entries, ((crd__doc *)loaded.rest.items[i])->record))
            status = CRD_E_NOMEM;
    crd__loaded_free(&loaded);
    for (uint64_t i = 0; status == CRD_OK && i < ledger->unit.entries.count; i++) {
        crd__entry *entry = ledger->unit.entries.items[i];
        if (concerns(query, account, &entry->record) &&
            !crd__list_push(&ledger->allocator, entries, &entry->record))
            status = CRD_E_NOMEM;
    }
    spare = status == CRD_OK ? crd__arena_take(&ledger->scratch, (entries->count + 1) * sizeof *spare) : NULL;
    if (spare == NULL) return crd__fail(ledger, CRD_E_NOMEM, NULL);
    crd__sort(entries->items, entries->count, spare, history_compare_seq);
    return CRD_OK;
}

static crd__application *by_seq(crd__application *list, uint64_t count, int64_t seq) {
    uint64_t low = 0, high = count;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        if (list[middle].seq < seq)
            low = middle + 1;
        else
            high = middle;
    }
    return low < count && list[low].seq == seq ? &list[low] : NULL;
}

static int undoes(uint32_t type) {
    return type == CRD_ENTRY_UNAPPLY || type == CRD_ENTRY_UNREFUND || type == CRD_ENTRY_UNTRANSFER ||
           type == CRD_ENTRY_UNADJUST || type == CRD_ENTRY_UNWRITE_OFF;
}

static crd_status fold_deeds(crd_ledger *ledger, const crd__list *entries, uint64_t types, crd__application **out,
                             uint64_t *count) {
    crd__application *list = crd__arena_take(&ledger->scratch, (entries->count + 1) * sizeof *list);
    uint64_t found = 0;
    if (list == NULL) return crd__fail(ledger, CRD_E_NOMEM, NULL);
    for (uint64_t i = 0; i < entries->count; i++) {
        const crd_entry_record *e = entries->items[i];
        crd__application *undone;
        if (types >> e->type & 1) {
            list[found].type = e->type;
            list[found].cause = e->cause;
            list[found].undoes = e->undoes;
            list[found].other_customer = e->other_customer;
            list[found].other_id = e->other_id;
            list[found].seq = e->seq;
            list[found].left = e->amount;
            list[found].flags = e->flags;
            list[found].credit = e->credit;
            list[found].invoice = e->invoice;
            list[found].receipt = e->receipt;
            found++;
        } else if (undoes(e->type) && (undone = by_seq(list, found, e->undoes)) != NULL) {
            if (e->amount > undone->left) return crd__fail(ledger, CRD_E_CORRUPT, NULL);
            undone->left -= e->amount;
        }
    }
    *out = list;
    *count = found;
    return CRD_OK;
}

crd_status crd__deeds(crd_ledger *ledger, const crd__account *account, const crd__doc *of, int64_t from,
                      uint64_t types, crd__application **out, uint64_t *count) {
    crd_query query = crd__query(CRD_KIND_BIT_ENTRY, account->record.customer, account->record.currency);
    crd__list entries = {NULL, 0, 0};
    crd_status status;
    crd__doc_range(of, &query.seq_from, &query.seq_to);
    query.seq_from = CRD__MAX(query.seq_from, from);
    if (of->kind == CRD_KIND_CREDIT) query.entry_credit = crd__doc_id(of);
    if (of->kind == CRD_KIND_INVOICE) query.entry_invoice = crd__doc_id(of);
    if (of->kind == CRD_KIND_RECEIPT) query.entry_receipt = crd__doc_id(of);
    status = history_gather(ledger, account, &query, &entries);
    if (status == CRD_OK) status = fold_deeds(ledger, &entries, types, out, count);
    crd__list_free(&ledger->allocator, &entries);
    return status;
}

/* They follow the entry without a gap. */
crd_status crd__pieces(crd_ledger *ledger, const crd__account *account, int64_t adjust, crd__application **out,
                       uint64_t *count) {
    const uint64_t types = CRD__BIT(CRD_ENTRY_ADJUST_PIECE) | CRD__BIT(CRD_ENTRY_ISSUE);
    crd_query query = crd__query(CRD_KIND_BIT_ENTRY, account->record.customer, account->record.currency);
    int64_t window = 64;
    crd_status status;
    query.seq_from = adjust + 1;
    do {
        crd__list entries = {NULL, 0, 0};
        uint64_t found = 0;
        query.seq_to = adjust + window;
        status = history_gather(ledger, account, &query, &entries);
        while (found < entries.count && ((crd_entry_record *)entries.items[found])->undoes == adjust) found++;
        window = found == entries.count && query.seq_to < account->record.last_seq ? 8 * window : 0;
        entries.count = found;
        if (status == CRD_OK) status = fold_deeds(ledger, &entries, types, out, count);
        crd__list_free(&ledger->allocator, &entries);
    } while (status == CRD_OK && window > 0);
    return status;
}

crd_status crd__applications(crd_ledger *ledger, const crd__account *account, const crd__doc *of,
                             int64_t from, crd__application **out, uint64_t *count) {
    return crd__deeds(ledger, account, of, from, CRD__BIT(CRD_ENTRY_APPLY), out, count);
}

static void name(crd_key *key, const crd__account *account, uint32_t kind, const char *id) {
    memset(key, 0, sizeof *key);
    key->struct_size = sizeof *key;
    key->kind = kind;
    key->customer = account->record.customer;
    key->currency = kind == CRD_KIND_ACCOUNT ? account->record.currency : "";
    key->id = kind == CRD_KIND_ACCOUNT ? "" : id;
}

/* The keys of the documents named that the snapshot lacks; a document may be listed once only. */
static uint64_t history_missing(crd__account *account, const crd__application *applications, uint64_t count,
                                crd_key *keys) {
    uint64_t found = 0;
    for (uint64_t i = 0; i < count; i++) {
        const struct {
            uint32_t kind;
            const char *id;
        } named[] = {{CRD_KIND_CREDIT, applications[i].credit},
                     {CRD_KIND_INVOICE, applications[i].invoice},
                     {CRD_KIND_RECEIPT, applications[i].receipt}};
        for (size_t n = 0; n < 3; n++)
            if (named[n].id[0] != '\0' && crd__doc_find(account, named[n].kind, named[n].id) == NULL)
                name(&keys[found++], account, named[n].kind, named[n].id);
    }
    return found;
}

/* The order in which storages and crd_query_matches() find keys fastest; one customer's, none of entries or lines. */
static int history_compare_keys(const void *a, const void *b) {
    const crd_key *x = a, *y = b;
    return x->kind != y->kind ? (x->kind < y->kind ? -1 : 1) : strcmp(x->id, y->id);
}

/* Drops what a sorted list names again. */
static uint64_t without_doubles(void **list, uint64_t count) {
    uint64_t kept = 1;
    for (uint64_t i = 1; i < count; i++)
        if (history_compare_keys(list[kept - 1], list[i]) != 0) list[kept++] = list[i];
    return kept;
}

crd_status crd__load_named(crd_ledger *ledger, crd__account *account, const crd__application *applications,
                           uint64_t count) {
    crd_key *keys = crd__alloc(&ledger->allocator, (3 * count + 1) * (sizeof *keys + 2 * sizeof(void *)));
    void **list = (void **)(void *)(keys + 3 * count + 1);
    crd_query query = crd__query(CRD_KIND_BIT_ACCOUNT | CRD_KIND_BIT_CREDIT | CRD_KIND_BIT_INVOICE |
                                     CRD_KIND_BIT_RECEIPT,
                                 account->record.customer, account->record.currency);
    crd__loaded loaded;
    crd__arena arena;
    crd_status status = CRD_OK;
    if (keys == NULL) return crd__fail(ledger, CRD_E_NOMEM, NULL);
    query.key_count = history_missing(account, applications, count, keys);
    if (query.key_count > 0) {
        name(&keys[query.key_count++], account, CRD_KIND_ACCOUNT, NULL);
        for (uint64_t i = 0; i < query.key_count; i++) list[i] = &keys[i];
        crd__sort(list, query.key_count, list + 3 * count + 1, history_compare_keys);
        query.key_count = without_doubles(list, query.key_count);
        query.keys = (const crd_key *const *)(void *)list;
        crd__arena_init(&arena, &ledger->allocator);
        status = crd__read(ledger, &query, &arena, &loaded);
        if (status == CRD_OK) {
            status = crd__adopt(ledger, &loaded);
            crd__loaded_free(&loaded);
        }
        crd__arena_free(&arena);
        if (status == CRD_OK && !account->live)
            status = crd__fail_subject(ledger, CRD_E_CONFLICT, CRD_KIND_ACCOUNT, account->record.customer,
                                       account->record.currency, NULL);
    }
    crd__free(&ledger->allocator, keys);
    return status;
}

crd_status crd__latest(crd__command *command, crd__account *account, const crd__application *list, uint64_t count,
                       int32_t *latest) {
    int32_t date = *latest;
    crd_status status = CRD_OK;
    for (uint64_t i = 0; status == CRD_OK && i < count; i++) {
        const crd__doc *credit = crd__doc_find(account, CRD_KIND_CREDIT, list[i].credit);
        const crd__doc *invoice = crd__doc_find(account, CRD_KIND_INVOICE, list[i].invoice);
        const crd__doc *receipt = crd__doc_find(account, CRD_KIND_RECEIPT, list[i].receipt);
        if (list[i].left == 0) continue;
        if (credit != NULL) status = crd__latest_of_credit(command, credit, &date);
        if (invoice != NULL) date = CRD__MAX(date, ((const crd_invoice_record *)invoice->record)->last_date);
        if (receipt != NULL) date = CRD__MAX(date, ((const crd_receipt_record *)receipt->record)->last_date);
    }
    *latest = date;
    return status;
}

/* The date a cascade's undoing gets: the latest of what it touches. */
static int32_t raised(const crd__concerned *on, const crd__when *when) {
    int32_t date = when->date;
    if (when->direct) return date;
    date = CRD__MAX(date, ((const crd_credit_record *)on->credit->record)->last_date);
    if (on->invoice != NULL) date = CRD__MAX(date, ((const crd_invoice_record *)on->invoice->record)->last_date);
    if (on->receipt != NULL) date = CRD__MAX(date, ((const crd_receipt_record *)on->receipt->record)->last_date);
    return date;
}

static crd_status history_named(crd_ledger *ledger, crd__account *account, uint32_t kind, const char *id,
                                crd__doc **out) {
    *out = id[0] != '\0' ? crd__doc_find(account, kind, id) : NULL;
    if (*out != NULL || id[0] == '\0') return CRD_OK;
    return crd__fail_subject(ledger, CRD_E_CORRUPT, kind, account->record.customer, id,
                             "the journal names it, but it is not stored");
}

crd_status crd__unapply(crd__command *command, crd__account *account, const crd__application *application,
                        int64_t amount, const crd__when *when, int64_t *undone) {
    crd_ledger *ledger = command->ledger;
    crd__unapply_command ask;
    crd__decision decision;
    crd__refusal why;
    crd__concerned on;
    crd_status status;
    memset(&on, 0, sizeof on);
    memset(&decision, 0, sizeof decision);
    on.account = account;
    status = history_named(ledger, account, CRD_KIND_CREDIT, application->credit, &on.credit);
    if (status == CRD_OK) status = history_named(ledger, account, CRD_KIND_INVOICE, application->invoice, &on.invoice);
    if (status == CRD_OK) status = history_named(ledger, account, CRD_KIND_RECEIPT, application->receipt, &on.receipt);
    if (status != CRD_OK) return status;
    ask.when = *when;
    ask.when.date = raised(&on, when);
    status = crd__enter_lapsed(command, on.credit, &ask.when);
    if (status != CRD_OK) return status;
    ask.seq = application->seq;
    ask.left = application->left;
    ask.amount = amount;
    ask.own_receipt = (application->flags & CRD_ENTRY_BY_OWN_RECEIPT) != 0;
    status = crd__decide_unapply(on.credit->record, on.invoice != NULL ? on.invoice->record : NULL,
                                 on.receipt != NULL ? on.receipt->record : NULL, &ask, &decision, &why);
    if (status != CRD_OK)
        return crd__refused(ledger, &why, account);
    *undone = amount != 0 ? amount : application->left;
    return crd__write_moves(command, &on, &decision, NULL, when->direct ? 0 : CRD_ENTRY_CONSEQUENCE);
}
