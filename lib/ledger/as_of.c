/*
 * The past: the journal of an account folded again (core/fold.c), up to a business date and an instant.
 *
 * 1. Every document's past is a prefix of its entries on any date (rule M6), so whatever the date, the identities of
 *    its amounts hold. The entries dated up to a day need not be neighbours: something may have been entered late.
 * 2. What was known at an instant is a prefix of the journal, because instants never decrease.
 * 3. What was deleted as a mistake never happened, for every report that knows of the deletion (rule M11): none of its
 *    entries is folded, its applications to invoices neither.
 */
#include "ledger/ledger.h"

#include <string.h>

#define AS_OF_PAGE_ENTRIES 4096

/* ---- replay ---- */

void crd__replay_begin(crd__replay *replay, crd_ledger *ledger, const crd_account_record *of, crd__arena *arena,
                       crd__arena *work) {
    memset(replay, 0, sizeof *replay);
    replay->ledger = ledger;
    replay->work = work;
    replay->books.ledger = ledger;
    replay->books.arena = arena;
    crd__record_clear(CRD_KIND_ACCOUNT, &replay->books.record);
    replay->books.record.customer = of->customer;
    replay->books.record.currency = of->currency;
}

void crd__books_free(crd_ledger *ledger, crd__account *books) {
    crd__list_free(&ledger->allocator, &books->docs);
    crd__index_free(&ledger->allocator, &books->index);
}

static crd_status differ(crd__replay *p, const crd_entry_record *e, const char *field, const char *message) {
    if (p->differs == NULL)
        return crd__fail_subject(p->ledger, CRD_E_CORRUPT, CRD_KIND_ENTRY, e->customer, e->currency, message);
    p->differs(p->ctx, e, field, message);
    return CRD_OK;
}

static uint32_t image_kind(uint32_t type) {
    switch (type) {
    case CRD_ENTRY_CUSTOMER: return CRD_KIND_CUSTOMER;
    case CRD_ENTRY_ISSUE: return CRD_KIND_CREDIT;
    case CRD_ENTRY_INVOICE: return CRD_KIND_INVOICE;
    case CRD_ENTRY_RECEIPT: return CRD_KIND_RECEIPT;
    case CRD_ENTRY_HOLD: return CRD_KIND_HOLD;
    default: return 0;
    }
}

/* Decodes the image that an entry carries; its texts live in `arena`. */
static crd_status read_image(crd__replay *p, const crd_entry_record *e, uint32_t kind, void *record, crd__arena *arena,
                             int *readable) {
    uint64_t room = e->image_size + 64;
    char *text = crd__arena_take(arena, room);
    if (text == NULL) return crd__fail(p->ledger, CRD_E_NOMEM, NULL);
    crd__record_clear(kind, record);
    *readable = e->image != NULL && crd_record_decode(kind, e->image, e->image_size, record, text, room) == CRD_OK;
    return *readable ? CRD_OK : differ(p, e, "image", "the image of the document cannot be read");
}

/* The document as an entry says it is to be; its texts live as long as the replayed documents. */
static crd_status changed_image(crd__replay *p, const crd_entry_record *e, uint32_t kind, const void **out) {
    uint32_t size = 0;
    int readable = 0;
    void *record;
    crd_status status;
    (void)crd_record_fields(kind, NULL, &size);
    record = crd__arena_take(p->books.arena, size);
    if (record == NULL) return crd__fail(p->ledger, CRD_E_NOMEM, NULL);
    status = read_image(p, e, kind, record, p->books.arena, &readable);
    *out = readable ? record : NULL;
    return status;
}

/* The document an entry creates, from the image it carries. NULL when it is not one. */
static crd_status decode_image(crd__replay *p, const crd_entry_record *e, uint32_t kind, crd__doc **out) {
    union {
        crd_customer_record customer;
        crd_credit_record credit;
        crd_invoice_record invoice;
        crd_receipt_record receipt;
        crd_hold_record hold;
    } record;
    int readable = 0;
    crd_status status = read_image(p, e, kind, &record, p->work, &readable);
    *out = NULL;
    if (status != CRD_OK || !readable) return status;
    if (strcmp(crd__record_customer(kind, &record), e->customer) != 0 ||
        strcmp(crd__record_currency(kind, &record), e->currency) != 0 ||
        crd__doc_find(&p->books, kind, kind == CRD_KIND_CUSTOMER ? e->customer : crd__record_id(kind, &record)) != NULL)
        return differ(p, e, "image", "the entry creates a document of another account, or a second time");
    return crd__doc_add(&p->books, kind, &record, out);
}

static crd_status as_of_named(crd__replay *p, const crd_entry_record *e, uint32_t kind, const char *id, void **out) {
    const crd__doc *doc = id[0] != '\0' ? crd__doc_find(&p->books, kind, id) : NULL;
    *out = doc != NULL ? doc->record : NULL;
    if (doc != NULL || id[0] == '\0') return CRD_OK;
    return differ(p, e, crd_kind_name(kind), "the entry names a document that does not exist");
}

/* What the entry names. A receipt may name the credit it is about to make, and does not concern it yet. */
static crd_status as_of_gather(crd__replay *p, const crd_entry_record *e, crd__records *r) {
    uint32_t creates = image_kind(e->type);
    crd__doc *known = e->type == CRD_ENTRY_CUSTOMER ? crd__doc_find(&p->books, CRD_KIND_CUSTOMER, e->customer) : NULL;
    crd__doc *doc = NULL;
    void *at[CRD_KINDS] = {NULL};
    crd_status status = CRD_OK;
    memset(r, 0, sizeof *r);
    r->account = &p->books.record;
    if (known != NULL) creates = 0;
    if (creates != 0) status = decode_image(p, e, creates, &doc);
    if (status == CRD_OK && known != NULL) status = changed_image(p, e, CRD_KIND_CUSTOMER, &r->image);
    if (status == CRD_OK && e->type == CRD_ENTRY_REVISE) status = changed_image(p, e, CRD_KIND_INVOICE, &r->image);
    if (status == CRD_OK && e->type == CRD_ENTRY_CREDIT_CHANGE)
        status = changed_image(p, e, CRD_KIND_CREDIT, &r->image);
    if (known != NULL) at[CRD_KIND_CUSTOMER] = known->record;
    if (status == CRD_OK && creates != CRD_KIND_CREDIT)
        status = as_of_named(p, e, CRD_KIND_CREDIT, e->credit, &at[CRD_KIND_CREDIT]);
    if (status == CRD_OK && creates != CRD_KIND_INVOICE)
        status = as_of_named(p, e, CRD_KIND_INVOICE, e->invoice, &at[CRD_KIND_INVOICE]);
    if (status == CRD_OK && creates != CRD_KIND_RECEIPT)
        status = as_of_named(p, e, CRD_KIND_RECEIPT, e->receipt, &at[CRD_KIND_RECEIPT]);
    if (status == CRD_OK && creates != CRD_KIND_HOLD)
        status = as_of_named(p, e, CRD_KIND_HOLD, e->hold, &at[CRD_KIND_HOLD]);
    if (doc != NULL) at[creates] = doc->record;
    r->customer = at[CRD_KIND_CUSTOMER];
    r->credit = at[CRD_KIND_CREDIT];
    r->invoice = at[CRD_KIND_INVOICE];
    r->receipt = at[CRD_KIND_RECEIPT];
    r->hold = at[CRD_KIND_HOLD];
    return status;
}

crd_status crd__replay_entry(crd__replay *p, const crd_entry_record *stored, crd_entry_record *after) {
    crd__records records;
    crd_status status = as_of_gather(p, stored, &records);
    *after = *stored;
    if (status != CRD_OK) return status;
    if (crd__fold(after, &records) != CRD_OK)
        status = differ(p, stored, "amount", "the entry cannot have happened: an identity would not hold");
    crd__fold_account(stored, &p->books.record);
    return status;
}

/* ---- the journal as known at an instant ---- */

/* Records that were deleted as a mistake; the texts are those of the entries. */
typedef struct gone {
    uint32_t kind;
    const char *id;
} gone;

static int compare_gone(const void *a, const void *b) {
    const gone *x = a, *y = b;
    return x->kind != y->kind ? (x->kind < y->kind ? -1 : 1) : strcmp(x->id, y->id);
}

static int is_gone(const crd__list *list, uint32_t kind, const char *id) {
    gone named;
    uint64_t low = 0, high = list->count;
    if (id[0] == '\0') return 0;
    named.kind = kind;
    named.id = id;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        int compared = compare_gone(list->items[middle], &named);
        if (compared == 0) return 1;
        if (compared < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return 0;
}

static crd_status find_gone(crd__journal *journal, crd__arena *arena, crd__list *list) {
    crd_ledger *ledger = journal->ledger;
    void **spare;
    for (uint64_t i = 0; i < journal->entries.count; i++) {
        const crd_entry_record *e = journal->entries.items[i];
        gone *g;
        if (e->type != CRD_ENTRY_DELETE && e->type != CRD_ENTRY_RECEIPT_DELETE) continue;
        g = crd__arena_take(arena, sizeof *g);
        if (g == NULL || !crd__list_push(&ledger->allocator, list, g)) return crd__fail(ledger, CRD_E_NOMEM, NULL);
        g->kind = e->type == CRD_ENTRY_DELETE ? CRD_KIND_CREDIT : CRD_KIND_RECEIPT;
        g->id = e->type == CRD_ENTRY_DELETE ? e->credit : e->receipt;
    }
    spare = crd__arena_take(arena, (list->count + 1) * sizeof *spare);
    if (spare == NULL) return crd__fail(ledger, CRD_E_NOMEM, NULL);
    crd__sort(list->items, list->count, spare, compare_gone);
    return CRD_OK;
}

static crd_status leave_out_deleted(crd__journal *journal, crd__arena *arena) {
    crd__list list = {NULL, 0, 0};
    crd_status status = find_gone(journal, arena, &list);
    uint64_t kept = 0;
    for (uint64_t i = 0; status == CRD_OK && list.count > 0 && i < journal->entries.count; i++) {
        const crd_entry_record *e = journal->entries.items[i];
        if (!is_gone(&list, CRD_KIND_CREDIT, e->credit) && !is_gone(&list, CRD_KIND_RECEIPT, e->receipt))
            journal->entries.items[kept++] = journal->entries.items[i];
    }
    if (list.count > 0) journal->entries.count = kept;
    crd__list_free(&journal->ledger->allocator, &list);
    return status;
}

static int as_of_compare_seq(const void *a, const void *b) {
    const crd_entry_record *x = a, *y = b;
    return x->seq < y->seq ? -1 : x->seq > y->seq;
}

static crd_status as_of_read_page(crd__journal *journal, crd_query *query, crd__arena *arena, int64_t known_at,
                                  int *done) {
    crd_ledger *ledger = journal->ledger;
    uint64_t first = journal->entries.count;
    crd__loaded loaded;
    void **spare;
    crd_status status = crd__read(ledger, query, arena, &loaded);
    if (status != CRD_OK) return status;
    spare = crd__arena_take(arena, (loaded.rest.count + 1) * sizeof *spare);
    if (spare == NULL || !crd__list_room(&ledger->allocator, &journal->entries, loaded.rest.count))
        status = crd__fail(ledger, CRD_E_NOMEM, NULL);
    for (uint64_t i = 0; status == CRD_OK && i < loaded.rest.count; i++) {
        crd_entry_record *e = ((crd__doc *)loaded.rest.items[i])->record;
        if (known_at == 0 || e->instant <= known_at)
            (void)crd__list_push(&ledger->allocator, &journal->entries, e);
        else
            *done = 1;
    }
    if (status == CRD_OK)
        crd__sort(journal->entries.items + first, journal->entries.count - first, spare, as_of_compare_seq);
    crd__loaded_free(&loaded);
    return status;
}

crd_status crd__journal_read(crd_ledger *ledger, const crd_account_record *account, int64_t known_at,
                             crd__arena *arena, crd__journal *out) {
    crd_query query = crd__query(CRD_KIND_BIT_ENTRY, account->customer, account->currency);
    crd_status status = CRD_OK;
    int done = 0;
    memset(out, 0, sizeof *out);
    out->ledger = ledger;
    out->account = account;
    for (int64_t seq = 1; status == CRD_OK && !done && seq <= account->last_seq; seq += AS_OF_PAGE_ENTRIES) {
        query.seq_from = seq;
        query.seq_to = CRD__MIN(seq + AS_OF_PAGE_ENTRIES - 1, account->last_seq);
        status = as_of_read_page(out, &query, arena, known_at, &done);
    }
    if (status == CRD_OK) status = leave_out_deleted(out, arena);
    return status;
}

void crd__journal_free(crd__journal *journal) {
    if (journal->ledger != NULL) crd__list_free(&journal->ledger->allocator, &journal->entries);
}

/* ---- as of a date ---- */

crd_status crd__as_of(const crd__journal *journal, int32_t date, crd__arena *arena, crd__arena *work,
                      crd__account *books, int64_t *moved) {
    crd__replay replay;
    crd_status status = CRD_OK;
    crd__replay_begin(&replay, journal->ledger, journal->account, arena, work);
    for (uint64_t i = 0; status == CRD_OK && i < journal->entries.count; i++) {
        const crd_entry_record *e = journal->entries.items[i];
        const crd_account_record *account = &replay.books.record;
        int64_t before = account->invoice_open - account->credit_remaining;
        crd_entry_record after;
        if (moved != NULL) moved[i] = 0;
        if (date != CRD_DATE_NONE && e->business_date > date) continue;
        status = crd__replay_entry(&replay, e, &after);
        if (moved != NULL) moved[i] = account->invoice_open - account->credit_remaining - before;
    }
    *books = replay.books;
    for (uint64_t i = 0; i < books->docs.count; i++) ((crd__doc *)books->docs.items[i])->account = books;
    books->record.acknowledged_seq = CRD__MIN(journal->account->acknowledged_seq, books->record.last_seq);
    if (status != CRD_OK) {
        crd__books_free(journal->ledger, books);
        memset(books, 0, sizeof *books);
    }
    return status;
}
