/*
 * Which records a query asks for, record by record.
 *
 * 1. A condition that does not concern the kind is passed by every record of it.
 * 2. Lines go with their document and entries with their account wherever documents are narrowed by account.
 */
#include <credit/storage.h>

#include "core/record.h"

#include <string.h>

#define QUERY_STATEFUL (CRD_KIND_BIT_CREDIT | CRD_KIND_BIT_INVOICE | CRD_KIND_BIT_RECEIPT | CRD_KIND_BIT_HOLD)
#define WITH_ID (QUERY_STATEFUL | CRD_KIND_BIT_LINE)
#define QUERY_OF_ACCOUNT (WITH_ID | CRD_KIND_BIT_ACCOUNT | CRD_KIND_BIT_ENTRY)

/* What a query can ask of a record beside customer and currency; "" and 0 where the kind has no such thing. */
struct view {
    uint32_t bit;
    const char *customer;
    const char *currency;
    const char *id;
    uint32_t state;
    uint32_t document_kind;
    int64_t number;
    int open;
};

static void query_look(struct view *view, uint32_t kind, const void *record) {
    const crd_account_record *account = record;
    const crd_credit_record *credit = record;
    const crd_invoice_record *invoice = record;
    const crd_receipt_record *receipt = record;
    const crd_hold_record *hold = record;
    const crd_line_record *line = record;
    memset(view, 0, sizeof *view);
    view->bit = UINT32_C(1) << kind;
    view->customer = crd__record_customer(kind, record);
    view->currency = crd__record_currency(kind, record);
    view->id = "";
    view->open = 1;
    switch (kind) {
    case CRD_KIND_ACCOUNT:
        view->open = account->open_credits > 0 || account->open_invoices > 0;
        break;
    case CRD_KIND_CREDIT:
        view->id = credit->id;
        view->state = credit->state;
        view->open = credit->remaining > 0;
        break;
    case CRD_KIND_INVOICE:
        view->id = invoice->id;
        view->state = invoice->state;
        view->open = invoice->open > 0 || invoice->state == CRD_INVOICE_DRAFT;
        break;
    case CRD_KIND_RECEIPT:
        view->id = receipt->id;
        view->state = receipt->state;
        break;
    case CRD_KIND_HOLD:
        view->id = hold->id;
        view->state = hold->state;
        view->open = hold->amount > 0;
        break;
    case CRD_KIND_LINE:
        view->id = line->id;
        view->document_kind = line->document_kind;
        view->number = line->number;
        break;
    case CRD_KIND_ENTRY:
        view->number = ((const crd_entry_record *)record)->seq;
        break;
    case CRD_KIND_REQUEST:
        view->id = ((const crd_request_record *)record)->request_key;
        break;
    default:
        break;
    }
    if (view->id == NULL) view->id = "";
}

/* A condition of a text: none, or equal. */
static int text_passes(const char *asked, const char *text) {
    return asked == NULL || strcmp(asked, text != NULL ? text : "") == 0;
}

static int is_behind(const struct view *view, const char *customer, const char *currency) {
    int order = strcmp(view->customer, customer);
    return order > 0 || (order == 0 && strcmp(view->currency, currency != NULL ? currency : "") > 0);
}

static int entry_passes(const crd_query *query, const crd_entry_record *entry) {
    return entry->seq >= query->seq_from && (query->seq_to == 0 || entry->seq <= query->seq_to) &&
           (query->date_from == 0 || entry->business_date >= query->date_from) &&
           (query->date_to == 0 || entry->business_date <= query->date_to) &&
           text_passes(query->entry_credit, entry->credit) && text_passes(query->entry_invoice, entry->invoice) &&
           text_passes(query->entry_receipt, entry->receipt);
}

static int compare_text(const char *a, const char *b) {
    return strcmp(a != NULL ? a : "", b != NULL ? b : "");
}

/* The order of a key and a record: customer, kind, currency where it is part of the key, id, then the numbers. */
static int query_compare(const crd_key *key, uint32_t kind, const struct view *view) {
    int order = compare_text(key->customer, view->customer);
    if (order == 0 && key->kind != kind) order = key->kind < kind ? -1 : 1;
    if (order == 0 && (view->bit & (CRD_KIND_BIT_ACCOUNT | CRD_KIND_BIT_ENTRY)))
        order = compare_text(key->currency, view->currency);
    if (order == 0) order = compare_text(key->id, view->id);
    if (order == 0 && key->document_kind != view->document_kind)
        order = key->document_kind < view->document_kind ? -1 : 1;
    if (order == 0 && key->number != view->number) order = key->number < view->number ? -1 : 1;
    return order;
}

/* The same question without an order, so what differs most often is asked first. */
static int query_is_named(const crd_key *key, uint32_t kind, const struct view *view) {
    return key->kind == kind && key->number == view->number && key->document_kind == view->document_kind &&
           compare_text(key->id, view->id) == 0 && query_compare(key, kind, view) == 0;
}

/* What a list sorted in that order names is found by halves; in any other, and when it is not named, every key is
 * looked at. */
static int is_among(const crd_query *query, uint32_t kind, const struct view *view) {
    uint64_t low = 0, high = query->key_count;
    if (query->keys == NULL || query->key_count == 0) return 1;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        int order = query_compare(query->keys[middle], kind, view);
        if (order == 0) return 1;
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    for (uint64_t i = 0; i < query->key_count; i++)
        if (query_is_named(query->keys[i], kind, view)) return 1;
    return 0;
}

int32_t CRD_CALL crd_query_matches(const crd_query *query, uint32_t kind, const void *record) {
    struct view view;
    union {
        crd_account_record account;
        crd_credit_record credit;
        crd_invoice_record invoice;
        crd_receipt_record receipt;
        crd_hold_record hold;
        crd_line_record line;
        crd_entry_record entry;
        crd_request_record request;
        crd_customer_record customer;
    } space;
    uint32_t size, known = 0;
    if (query == NULL || record == NULL || kind == 0 || kind >= CRD_KIND_COUNT) return 0;
    if ((query->kinds & UINT32_C(1) << kind) == 0) return 0;
    memcpy(&size, record, sizeof size);
    (void)crd_record_fields(kind, NULL, &known);
    if (size < known) {
        memset(&space, 0, sizeof space);
        memcpy(&space, record, size);
        record = &space;
        memcpy(&space, &known, sizeof known);
    }
    query_look(&view, kind, record);
    if (!text_passes(query->customer, view.customer)) return 0;
    if (view.bit & QUERY_OF_ACCOUNT) {
        if (!text_passes(query->currency, view.currency)) return 0;
        if (query->after_customer != NULL && !is_behind(&view, query->after_customer, query->after_currency)) return 0;
    }
    if ((view.bit & WITH_ID) && !text_passes(query->id, view.id)) return 0;
    if ((view.bit & QUERY_STATEFUL) && query->states != 0 &&
        (view.state > 31 || (query->states >> view.state & 1) == 0))
        return 0;
    if ((query->flags & CRD_QUERY_OPEN) && !view.open) return 0;
    if (kind == CRD_KIND_REQUEST && !text_passes(query->request_key, view.id)) return 0;
    if (kind == CRD_KIND_ENTRY && !entry_passes(query, record)) return 0;
    return is_among(query, kind, &view);
}
