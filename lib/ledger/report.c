/*
 * Reports. Each is a walk over accounts, page by page, or over the journal of one account; a page is one read.
 */
#include "ledger/ledger.h"

#include <string.h>

#define PAGE_ACCOUNTS 256 /* accounts in one read */
#define PAGE_ENTRIES 4096 /* entries in one read */

struct crd_report {
    crd_ledger *ledger;
    crd_report_spec spec; /* its texts live in `own` */
    crd__arena own;
    crd__arena page;
    crd__loaded loaded;
    int has_page;
    int complete;          /* nothing more to read */
    crd__list rows;        /* crd__account * or crd__doc *, sorted */
    uint64_t at;
    const char *after_customer, *after_currency;
    int64_t next_seq, last_seq; /* HISTORY */
    crd_row row;
    int64_t buckets[CRD_AGING_BUCKETS];
};

static uint32_t kinds_of(uint32_t report) {
    switch (report) {
    case CRD_REPORT_CUSTOMERS: return CRD_KIND_BIT_ACCOUNT | CRD_KIND_BIT_CUSTOMER;
    case CRD_REPORT_ACCOUNTS: return CRD_KIND_BIT_ACCOUNT;
    case CRD_REPORT_CREDITS: return CRD_KIND_BIT_ACCOUNT | CRD_KIND_BIT_CREDIT;
    case CRD_REPORT_INVOICES: return CRD_KIND_BIT_ACCOUNT | CRD_KIND_BIT_INVOICE;
    case CRD_REPORT_RECEIPTS: return CRD_KIND_BIT_ACCOUNT | CRD_KIND_BIT_RECEIPT;
    case CRD_REPORT_AGING: /* holds, because those that have lapsed do not count */
        return CRD_KIND_BIT_ACCOUNT | CRD_KIND_BIT_CREDIT | CRD_KIND_BIT_INVOICE | CRD_KIND_BIT_HOLD;
    default: return CRD_KIND_BIT_ACCOUNT | CRD_KIND_BIT_CREDIT | CRD_KIND_BIT_INVOICE;
    }
}

static crd_status check_spec(crd_ledger *ledger, const crd_report_spec *s) {
    crd_status status = CRD_OK;
    if ((s->report < CRD_REPORT_CUSTOMERS || s->report > CRD_REPORT_AGING) && s->report != CRD_REPORT_LINES)
        return crd__fail_argument(ledger, "spec.report", "is not a report of this version");
    if (s->reserved != 0) return crd__fail_argument(ledger, "spec.reserved", "must be 0");
    if (s->customer != NULL) status = crd__check_any_id(ledger, "spec.customer", s->customer);
    if (status == CRD_OK && s->currency != NULL && s->currency[0] != '\0')
        status = crd__check_currency(ledger, s->currency);
    if (status == CRD_OK && s->id != NULL) status = crd__check_any_id(ledger, "spec.id", s->id);
    if (status == CRD_OK && s->report == CRD_REPORT_LINES) {
        if (s->customer == NULL) return crd__fail_argument(ledger, "spec.customer", "must be given for lines");
        if (s->kind != CRD_KIND_CREDIT && s->kind != CRD_KIND_INVOICE)
            return crd__fail_argument(ledger, "spec.kind", "must be a credit or an invoice");
        if (s->id == NULL) return crd__fail_argument(ledger, "spec.id", "must be given with the kind");
    }
    if (status != CRD_OK || s->report != CRD_REPORT_HISTORY) return status;
    if (s->customer == NULL) return crd__fail_argument(ledger, "spec.customer", "must be given for a history");
    if (s->kind == 0 && s->currency == NULL)
        return crd__fail_argument(ledger, "spec.currency", "must be given for the history of an account");
    if (s->kind != 0 && s->kind != CRD_KIND_CREDIT && s->kind != CRD_KIND_INVOICE && s->kind != CRD_KIND_RECEIPT)
        return crd__fail_argument(ledger, "spec.kind", "must be a credit, invoice or receipt, or 0");
    if (s->kind != 0 && s->id == NULL) return crd__fail_argument(ledger, "spec.id", "must be given with the kind");
    return CRD_OK;
}

/* Where a history begins and ends: the document's first and last entry, or the account's. */
static crd_status find_range(crd_report *report) {
    crd_ledger *ledger = report->ledger;
    const crd_report_spec *spec = &report->spec;
    crd_query query = crd__query(CRD_KIND_BIT_ACCOUNT, spec->customer, spec->kind != 0 ? NULL : spec->currency);
    crd__loaded loaded;
    crd_status status;
    if (spec->kind != 0) {
        query.kinds |= UINT32_C(1) << spec->kind;
        query.id = spec->id;
    }
    crd__arena_reset(&report->page);
    status = crd__read(ledger, &query, &report->page, &loaded);
    if (status != CRD_OK) return status;
    report->next_seq = 1;
    if (spec->kind == 0 && loaded.accounts.count == 1) {
        report->last_seq = ((crd__account *)loaded.accounts.items[0])->record.last_seq;
    } else if (spec->kind != 0 && loaded.docs.count == 1) {
        const crd__doc *doc = loaded.docs.items[0];
        report->spec.currency = crd__arena_text(&report->own, doc->account->record.currency);
        if (report->spec.currency == NULL) status = crd__fail(ledger, CRD_E_NOMEM, NULL);
        crd__doc_range(doc, &report->next_seq, &report->last_seq);
    } else {
        status = crd__fail_subject(ledger, CRD_E_NOT_FOUND, spec->kind != 0 ? spec->kind : CRD_KIND_ACCOUNT,
                                   spec->customer, spec->id != NULL ? spec->id : spec->currency, NULL);
    }
    crd__loaded_free(&loaded);
    return status;
}

/* A report on a customer that does not exist is a mistake, not an empty report. */
static crd_status find_customer(crd_report *report) {
    const char *customer = report->spec.customer;
    crd_query query = crd__query(CRD_KIND_BIT_ACCOUNT | CRD_KIND_BIT_CUSTOMER, customer, "");
    crd__loaded loaded;
    crd_status status;
    crd__arena_reset(&report->page);
    status = crd__read(report->ledger, &query, &report->page, &loaded);
    if (status != CRD_OK) return status;
    if (loaded.docs.count == 0)
        status = crd__fail_subject(report->ledger, CRD_E_NOT_FOUND, CRD_KIND_CUSTOMER, customer, customer, NULL);
    crd__loaded_free(&loaded);
    return status;
}

static crd_status copy_spec(crd_report *report, const crd_report_spec *from) {
    crd_report_spec *to = &report->spec;
    *to = *from;
    if (from->customer != NULL) to->customer = crd__arena_text(&report->own, from->customer);
    if (from->currency != NULL) to->currency = crd__arena_text(&report->own, from->currency);
    if (from->id != NULL) to->id = crd__arena_text(&report->own, from->id);
    if ((from->customer != NULL && to->customer == NULL) || (from->currency != NULL && to->currency == NULL) ||
        (from->id != NULL && to->id == NULL))
        return crd__fail(report->ledger, CRD_E_NOMEM, NULL);
    return CRD_OK;
}

crd_status crd_report_open(crd_ledger *ledger, const crd_report_spec *spec, crd_report **out) {
    crd_report_spec s;
    crd_report *report;
    crd_status status;
    if (out != NULL) *out = NULL;
    status = crd__enter(ledger);
    if (status != CRD_OK) return status;
    if (out == NULL) return crd__fail_argument(ledger, "out", "must be given");
    status = crd__take_struct(ledger, "spec", &s, sizeof s, sizeof s, spec);
    if (status == CRD_OK) status = check_spec(ledger, &s);
    if (status == CRD_OK && s.report == CRD_REPORT_AGING) status = crd__today(ledger, s.date, &s.date);
    if (status != CRD_OK) return status;
    report = crd__alloc(&ledger->allocator, sizeof *report);
    if (report == NULL) return crd__fail(ledger, CRD_E_NOMEM, NULL);
    report->ledger = ledger;
    crd__arena_init(&report->own, &ledger->allocator);
    crd__arena_init(&report->page, &ledger->allocator);
    status = copy_spec(report, &s);
    if (status == CRD_OK && s.customer != NULL) status = find_customer(report);
    if (status == CRD_OK && (s.report == CRD_REPORT_HISTORY || s.report == CRD_REPORT_LINES))
        status = find_range(report);
    if (status != CRD_OK) {
        crd_report_close(report);
        return status;
    }
    *out = report;
    return CRD_OK;
}

static void drop_page(crd_report *report) {
    for (uint64_t i = 0; report->has_page && i < report->loaded.accounts.count; i++)
        crd__list_free(&report->ledger->allocator, &((crd__account *)report->loaded.accounts.items[i])->docs);
    if (report->has_page) crd__loaded_free(&report->loaded);
    report->has_page = 0;
    report->rows.count = 0;
    report->at = 0;
}

void crd_report_close(crd_report *report) {
    crd_allocator allocator;
    if (report == NULL) return;
    allocator = report->ledger->allocator;
    drop_page(report);
    crd__list_free(&allocator, &report->rows);
    crd__arena_free(&report->own);
    crd__arena_free(&report->page);
    crd__free(&allocator, report);
}

/* ---- pages ---- */

static int compare_entries(const void *a, const void *b) {
    const crd_entry_record *x = ((const crd__doc *)a)->record, *y = ((const crd__doc *)b)->record;
    return x->seq < y->seq ? -1 : x->seq > y->seq;
}

/* Customer, currency, then credits before invoices, then id. */
static int compare_docs(const void *a, const void *b) {
    const crd__doc *x = a, *y = b;
    int compared = crd__record_compare_key(CRD_KIND_ACCOUNT, &x->account->record, &y->account->record);
    if (compared == 0 && x->kind != y->kind) compared = x->kind < y->kind ? -1 : 1;
    return compared != 0 ? compared : strcmp(crd__doc_id(x), crd__doc_id(y));
}

static crd_status add_row(crd_report *report, void *row) {
    if (crd__list_push(&report->ledger->allocator, &report->rows, row)) return CRD_OK;
    return crd__fail(report->ledger, CRD_E_NOMEM, NULL);
}

static int state_wanted(const crd_report *report, const crd__doc *doc) {
    uint32_t state = 0;
    if (report->spec.states == 0) return 1;
    switch (doc->kind) {
    case CRD_KIND_CREDIT: state = ((const crd_credit_record *)doc->record)->state; break;
    case CRD_KIND_INVOICE: state = ((const crd_invoice_record *)doc->record)->state; break;
    case CRD_KIND_RECEIPT: state = ((const crd_receipt_record *)doc->record)->state; break;
    default: return 1;
    }
    return (report->spec.states >> state & 1) != 0;
}

static int row_wanted(const crd_report *report, const crd__doc *doc) {
    if (doc->account == NULL) return 0;
    if (report->spec.report == CRD_REPORT_OPEN_ITEMS)
        return doc->kind == CRD_KIND_CREDIT ? ((const crd_credit_record *)doc->record)->remaining > 0
                                            : ((const crd_invoice_record *)doc->record)->open > 0;
    return state_wanted(report, doc);
}

static crd_status sort_rows(crd_report *report, crd__compare compare) {
    void **spare = crd__arena_take(&report->page, (report->rows.count + 1) * sizeof *spare);
    if (spare == NULL) return crd__fail(report->ledger, CRD_E_NOMEM, NULL);
    crd__sort(report->rows.items, report->rows.count, spare, compare);
    return CRD_OK;
}

static crd_status list_rows(crd_report *report) {
    int accounts = report->spec.report == CRD_REPORT_ACCOUNTS || report->spec.report == CRD_REPORT_AGING;
    crd__loaded *loaded = &report->loaded;
    crd_status status = CRD_OK;
    for (uint64_t i = 0; status == CRD_OK && accounts && i < loaded->accounts.count; i++) {
        crd__account *account = loaded->accounts.items[i];
        if (account->record.currency[0] != '\0') status = add_row(report, account);
    }
    for (uint64_t i = 0; status == CRD_OK && !accounts && i < loaded->docs.count; i++)
        if (row_wanted(report, loaded->docs.items[i])) status = add_row(report, loaded->docs.items[i]);
    if (status == CRD_OK && !accounts) status = sort_rows(report, compare_docs);
    return status;
}

static crd_status read_accounts(crd_report *report) {
    const crd_report_spec *spec = &report->spec;
    crd_query query = crd__query(kinds_of(spec->report), spec->customer, spec->currency);
    const crd__list *accounts = &report->loaded.accounts;
    crd_status status;
    drop_page(report);
    crd__arena_reset(&report->page);
    if (spec->report == CRD_REPORT_CUSTOMERS) query.currency = "";
    if (spec->report == CRD_REPORT_OPEN_ITEMS || spec->report == CRD_REPORT_AGING) query.flags = CRD_QUERY_OPEN;
    if (spec->report != CRD_REPORT_OPEN_ITEMS) query.states = spec->states;
    query.limit = PAGE_ACCOUNTS;
    query.after_customer = report->after_customer;
    query.after_currency = report->after_currency;
    status = crd__read(report->ledger, &query, &report->page, &report->loaded);
    if (status != CRD_OK) return status;
    report->has_page = 1;
    report->complete = accounts->count < PAGE_ACCOUNTS;
    if (!report->complete) {
        const crd__account *last = accounts->items[accounts->count - 1];
        report->after_customer = crd__arena_text(&report->own, last->record.customer);
        report->after_currency = crd__arena_text(&report->own, last->record.currency);
        if (report->after_customer == NULL || report->after_currency == NULL)
            return crd__fail(report->ledger, CRD_E_NOMEM, NULL);
    }
    status = list_rows(report);
    if (status == CRD_OK && spec->report == CRD_REPORT_AGING) status = crd__hand_over(report->ledger, &report->loaded);
    return status;
}

static crd_status read_entries(crd_report *report) {
    const crd_report_spec *spec = &report->spec;
    crd_query query = crd__query(CRD_KIND_BIT_ENTRY, spec->customer, spec->currency);
    crd_status status;
    drop_page(report);
    crd__arena_reset(&report->page);
    query.seq_from = report->next_seq;
    query.seq_to = CRD__MIN(report->next_seq + PAGE_ENTRIES - 1, report->last_seq);
    if (spec->kind == CRD_KIND_CREDIT) query.entry_credit = spec->id;
    if (spec->kind == CRD_KIND_INVOICE) query.entry_invoice = spec->id;
    if (spec->kind == CRD_KIND_RECEIPT) query.entry_receipt = spec->id;
    status = crd__read(report->ledger, &query, &report->page, &report->loaded);
    if (status != CRD_OK) return status;
    report->has_page = 1;
    report->next_seq = query.seq_to + 1;
    report->complete = report->next_seq > report->last_seq;
    for (uint64_t i = 0; status == CRD_OK && i < report->loaded.rest.count; i++)
        status = add_row(report, report->loaded.rest.items[i]);
    return status == CRD_OK ? sort_rows(report, compare_entries) : status;
}

static int compare_lines(const void *a, const void *b) {
    const crd_line_record *x = ((const crd__doc *)a)->record, *y = ((const crd__doc *)b)->record;
    return x->number < y->number ? -1 : x->number > y->number;
}

static crd_status read_lines(crd_report *report) {
    const crd_report_spec *spec = &report->spec;
    crd_query query = crd__query(CRD_KIND_BIT_LINE, spec->customer, spec->currency);
    crd_status status;
    drop_page(report);
    crd__arena_reset(&report->page);
    query.id = spec->id;
    status = crd__read(report->ledger, &query, &report->page, &report->loaded);
    if (status != CRD_OK) return status;
    report->has_page = 1;
    report->complete = 1;
    for (uint64_t i = 0; status == CRD_OK && i < report->loaded.rest.count; i++) {
        crd__doc *doc = report->loaded.rest.items[i];
        if (((const crd_line_record *)doc->record)->document_kind == spec->kind) status = add_row(report, doc);
    }
    return status == CRD_OK ? sort_rows(report, compare_lines) : status;
}

static crd_status read_page(crd_report *report) {
    switch (report->spec.report) {
    case CRD_REPORT_HISTORY: return read_entries(report);
    case CRD_REPORT_LINES: return read_lines(report);
    default: return read_accounts(report);
    }
}

/* ---- rows ---- */

static void name_row(crd_row *row, uint32_t kind, const char *customer, const char *currency, const char *id) {
    row->kind = kind;
    row->customer = customer;
    row->currency = currency;
    row->id = id;
}

static void doc_row(crd_row *row, const crd__doc *doc) {
    name_row(row, doc->kind, crd__record_customer(doc->kind, doc->record), crd__record_currency(doc->kind, doc->record),
             crd__doc_id(doc));
    switch (doc->kind) {
    case CRD_KIND_CUSTOMER: row->customer_record = doc->record; break;
    case CRD_KIND_CREDIT:
        row->credit = doc->record;
        row->amount = -row->credit->remaining;
        row->date = row->credit->issued;
        break;
    case CRD_KIND_INVOICE:
        row->invoice = doc->record;
        row->amount = row->invoice->open;
        row->date = row->invoice->due != 0 ? row->invoice->due : row->invoice->issued;
        break;
    case CRD_KIND_RECEIPT:
        row->receipt = doc->record;
        row->amount = row->receipt->amount;
        row->date = row->receipt->received;
        break;
    case CRD_KIND_LINE:
        row->line = doc->record;
        row->id = row->line->id;
        row->amount = row->line->amount;
        break;
    default:
        row->entry = doc->record;
        row->amount = row->entry->amount;
        row->date = row->entry->business_date;
        row->id = "";
        break;
    }
}

static int bucket_of(const crd_invoice_record *invoice, int32_t date) {
    int32_t overdue = date - (invoice->due != 0 ? invoice->due : invoice->issued);
    if (overdue <= 0) return CRD_AGING_CURRENT;
    if (overdue <= 30) return CRD_AGING_1_30;
    if (overdue <= 60) return CRD_AGING_31_60;
    return overdue <= 90 ? CRD_AGING_61_90 : CRD_AGING_OVER_90;
}

/* What is past its expiry counts as expired, swept or not, unless it is held or allocated (rule M7). */
static int64_t credit_balance(const crd_credit_record *credit, int32_t date) {
    if (credit->expires == 0 || date < credit->expires) return credit->remaining;
    return credit->remaining - crd__credit_available(credit);
}

static void age(crd_report *report, const crd__account *account) {
    const crd__list *docs = &account->docs;
    memset(report->buckets, 0, sizeof report->buckets);
    (void)crd__lapse_view(docs, report->spec.date, crd__now(report->ledger));
    for (uint64_t i = 0; i < docs->count; i++) {
        const crd__doc *doc = docs->items[i];
        if (doc->kind == CRD_KIND_INVOICE) {
            const crd_invoice_record *invoice = doc->record;
            report->buckets[bucket_of(invoice, report->spec.date)] += invoice->open;
        } else if (doc->kind == CRD_KIND_CREDIT) {
            const crd_credit_record *credit = doc->record;
            int cash = crd__credit_counts_as(credit) == CRD_CLASS_CASH;
            report->buckets[cash ? CRD_AGING_CASH : CRD_AGING_OTHER_CREDIT] -=
                credit_balance(credit, report->spec.date);
        }
    }
}

static void account_row(crd_report *report, const crd__account *account) {
    crd_row *row = &report->row;
    name_row(row, CRD_KIND_ACCOUNT, account->record.customer, account->record.currency, "");
    row->account = &account->record;
    row->amount = account->record.invoice_open - account->record.credit_remaining;
    if (report->spec.report != CRD_REPORT_AGING) return;
    age(report, account);
    row->buckets = report->buckets;
    row->bucket_count = CRD_AGING_BUCKETS;
    row->amount = 0;
    for (int i = 0; i < CRD_AGING_BUCKETS; i++) row->amount += report->buckets[i];
}

crd_status crd_report_next(crd_report *report, const crd_row **out) {
    crd_status status = report != NULL ? crd__enter(report->ledger) : CRD_E_ARGUMENT;
    void *row;
    if (out != NULL) *out = NULL;
    if (status != CRD_OK) return status;
    if (out == NULL) return crd__fail_argument(report->ledger, "out", "must be given");
    while (report->at == report->rows.count) {
        if (report->complete) return CRD_OK;
        status = read_page(report);
        if (status != CRD_OK) return status;
    }
    row = report->rows.items[report->at++];
    memset(&report->row, 0, sizeof report->row);
    report->row.struct_size = sizeof report->row;
    if (report->spec.report == CRD_REPORT_ACCOUNTS || report->spec.report == CRD_REPORT_AGING)
        account_row(report, row);
    else
        doc_row(&report->row, row);
    *out = &report->row;
    return CRD_OK;
}
