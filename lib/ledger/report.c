/*
 * Reports: the walk over accounts, lists of documents, open items, aging, what is due, and the history.
 * See report.h; entries of an account are told by report_entries.c, sums made by report_sums.c.
 */
#include "ledger/report.h"

#include <string.h>

#define REPORT_PAGE_ACCOUNTS 256 /* accounts in one read */
#define REPORT_PAGE_ENTRIES 4096 /* entries in one read */

static const int32_t default_days[] = {0, 30, 60, 90};

/* What a report is, as bits: what it needs, and which members of the spec mean something. */
#define NEEDS_DATE 0x01u    /* 0 is the day of the clock */
#define NEEDS_ENTRIES 0x02u /* of each account */
#define NEEDS_BEFORE 0x04u  /* the picture on the day before the first */
#define OPEN_ONLY 0x08u     /* nothing to tell of an account without open documents */
#define SUMS 0x10u
#define PERIOD 0x20u        /* has a first day */

static const struct {
    uint32_t kinds; /* of documents */
    uint32_t traits;
    uint32_t by;
} reports[] = {
    {0, 0, 0},
    {CRD_KIND_BIT_CUSTOMER, 0, 0},
    {CRD_KIND_BIT_CREDIT, 0, 0}, /* ACCOUNTS: for what has expired */
    {CRD_KIND_BIT_CREDIT, 0, 0},
    {CRD_KIND_BIT_INVOICE, 0, 0},
    {CRD_KIND_BIT_RECEIPT, 0, 0},
    {CRD_KIND_BIT_CREDIT | CRD_KIND_BIT_INVOICE, OPEN_ONLY, 0},
    {0, PERIOD, 0}, /* HISTORY */
    {CRD_KIND_BIT_CREDIT | CRD_KIND_BIT_INVOICE, NEEDS_DATE | OPEN_ONLY, 0},
    {CRD_KIND_BIT_CREDIT, NEEDS_DATE | SUMS, CRD_BY_CUSTOMER | CRD_BY_CLASS | CRD_BY_SOURCE | CRD_BY_STATE},
    {0, NEEDS_DATE | NEEDS_ENTRIES | PERIOD, 0},
    {0, NEEDS_DATE | NEEDS_ENTRIES | PERIOD, 0},
    {CRD_KIND_BIT_CREDIT | CRD_KIND_BIT_RECEIPT, PERIOD, 0},
    {0, NEEDS_DATE | NEEDS_ENTRIES | NEEDS_BEFORE | PERIOD, 0},
    {CRD_KIND_BIT_CREDIT | CRD_KIND_BIT_INVOICE, NEEDS_DATE | OPEN_ONLY, 0},
    {CRD_KIND_BIT_CREDIT | CRD_KIND_BIT_INVOICE, NEEDS_DATE | OPEN_ONLY, 0},
    {0, NEEDS_DATE | NEEDS_ENTRIES | SUMS | PERIOD, CRD_BY_CUSTOMER},
    {0, NEEDS_DATE | NEEDS_ENTRIES | SUMS | PERIOD, CRD_BY_CUSTOMER | CRD_BY_DAY | CRD_BY_METHOD},
    {0, NEEDS_DATE | NEEDS_ENTRIES | NEEDS_BEFORE | SUMS | PERIOD, CRD_BY_CUSTOMER},
    {0, 0, 0}, /* LINES */
    {0, 0, 0}, /* UNACKNOWLEDGED */
    {CRD_KIND_BIT_CREDIT | CRD_KIND_BIT_INVOICE, NEEDS_DATE | OPEN_ONLY, 0}, /* PRESCAN */
};
#define LAST_REPORT (sizeof reports / sizeof reports[0] - 1)

static uint32_t has(const crd_report *report, uint32_t trait) {
    return reports[report->spec.report].traits & trait;
}

/* ---- opening ---- */

static crd_status check_history(crd_ledger *ledger, const crd_report_spec *s) {
    if (s->customer == NULL) return crd__fail_argument(ledger, "spec.customer", "must be given for a history");
    if (s->kind == 0 && s->currency == NULL)
        return crd__fail_argument(ledger, "spec.currency", "must be given for the history of an account");
    if (s->kind != 0 && s->kind != CRD_KIND_CREDIT && s->kind != CRD_KIND_INVOICE && s->kind != CRD_KIND_RECEIPT &&
        s->kind != CRD_KIND_HOLD && s->kind != CRD_KIND_CUSTOMER)
        return crd__fail_argument(ledger, "spec.kind", "must be a customer, credit, invoice, receipt or hold, or 0");
    if (s->kind != 0 && s->kind != CRD_KIND_CUSTOMER && s->id == NULL)
        return crd__fail_argument(ledger, "spec.id", "must be given with the kind");
    return CRD_OK;
}

static crd_status report_check_lines(crd_ledger *ledger, const crd_report_spec *s) {
    if (s->customer == NULL) return crd__fail_argument(ledger, "spec.customer", "must be given for lines");
    if (s->kind != CRD_KIND_CREDIT && s->kind != CRD_KIND_INVOICE)
        return crd__fail_argument(ledger, "spec.kind", "must be a credit or an invoice");
    if (s->id == NULL) return crd__fail_argument(ledger, "spec.id", "must be given with the kind");
    return CRD_OK;
}

static crd_status check_buckets(crd_ledger *ledger, const crd_report_spec *s) {
    if ((s->bucket_days == NULL) != (s->bucket_count == 0))
        return crd__fail_argument(ledger, "spec.bucket_days", "must be given with bucket_count");
    if (s->bucket_count > CRD_AGING_MAX_BOUNDS)
        return crd__fail_argument(ledger, "spec.bucket_count", "is more than CRD_AGING_MAX_BOUNDS");
    for (uint64_t i = 1; i < s->bucket_count; i++)
        if (s->bucket_days[i - 1] >= s->bucket_days[i])
            return crd__fail_argument(ledger, "spec.bucket_days", "must ascend");
    return CRD_OK;
}

static crd_status report_check_spec(crd_ledger *ledger, const crd_report_spec *s) {
    crd_status status = CRD_OK;
    if (s->report < CRD_REPORT_CUSTOMERS || s->report > LAST_REPORT)
        return crd__fail_argument(ledger, "spec.report", "is not a report of this version");
    if (s->reserved != 0) return crd__fail_argument(ledger, "spec.reserved", "must be 0");
    if (s->by & ~reports[s->report].by)
        return crd__fail_argument(ledger, "spec.by", "has a flag that this report cannot add up by");
    if (s->customer != NULL) status = crd__check_any_id(ledger, "spec.customer", s->customer);
    if (status == CRD_OK && s->currency != NULL && s->currency[0] != '\0')
        status = crd__check_currency(ledger, s->currency);
    if (status == CRD_OK && s->id != NULL) status = crd__check_any_id(ledger, "spec.id", s->id);
    if (status == CRD_OK) status = crd__check_label(ledger, "spec.source", s->source);
    if (status == CRD_OK) status = crd__check_label(ledger, "spec.method", s->method);
    if (status == CRD_OK) status = crd__check_date_field(ledger, "spec.date", s->date);
    if (status == CRD_OK) status = crd__check_date_field(ledger, "spec.date_from", s->date_from);
    if (status == CRD_OK && s->known_at < 0)
        status = crd__fail_argument(ledger, "spec.known_at", "must be an instant, or 0");
    if (status == CRD_OK && s->date_from != 0 && !(reports[s->report].traits & PERIOD))
        status = crd__fail_argument(ledger, "spec.date_from", "this report has no period");
    if (status == CRD_OK) status = check_buckets(ledger, s);
    if (status == CRD_OK && s->report == CRD_REPORT_HISTORY) status = check_history(ledger, s);
    if (status == CRD_OK && s->report == CRD_REPORT_LINES) status = report_check_lines(ledger, s);
    if (status == CRD_OK && s->report == CRD_REPORT_UNACKNOWLEDGED && (s->kind != 0 || s->date != 0 || s->known_at != 0))
        status = crd__fail_argument(ledger, "spec", "what is not acknowledged is told whole: no kind, date or instant");
    return status;
}

static crd_status copy_text(crd_report *report, const char **text) {
    if (*text == NULL) return CRD_OK;
    *text = crd__arena_text(&report->own, *text);
    return *text != NULL ? CRD_OK : crd__fail(report->ledger, CRD_E_NOMEM, NULL);
}

static crd_status copy_spec(crd_report *report, const crd_report_spec *from) {
    crd_report_spec *to = &report->spec;
    crd_status status;
    int32_t *days;
    *to = *from;
    if (from->bucket_count == 0) {
        to->bucket_days = default_days;
        to->bucket_count = sizeof default_days / sizeof default_days[0];
    }
    status = copy_text(report, &to->customer);
    if (status == CRD_OK) status = copy_text(report, &to->currency);
    if (status == CRD_OK) status = copy_text(report, &to->id);
    if (status == CRD_OK) status = copy_text(report, &to->source);
    if (status == CRD_OK) status = copy_text(report, &to->method);
    if (status != CRD_OK) return status;
    days = crd__arena_take(&report->own, to->bucket_count * sizeof *days);
    if (days == NULL) return crd__fail(report->ledger, CRD_E_NOMEM, NULL);
    memcpy(days, to->bucket_days, to->bucket_count * sizeof *days);
    to->bucket_days = days;
    return CRD_OK;
}

static void report_free_loaded(crd_ledger *ledger, crd__loaded *loaded, int *is) {
    for (uint64_t i = 0; *is && i < loaded->accounts.count; i++) crd__books_free(ledger, loaded->accounts.items[i]);
    if (*is) crd__loaded_free(loaded);
    *is = 0;
}

static crd_status report_read_page(crd_report *report, uint32_t also);

/* A report on a customer that does not exist is a mistake, not an empty report. Where the first page is of accounts
 * alone, the customer comes with it. */
static crd_status report_find_customer(crd_report *report) {
    const char *customer = report->spec.customer;
    crd_query query = crd__query(CRD_KIND_BIT_ACCOUNT | CRD_KIND_BIT_CUSTOMER, customer, "");
    uint32_t which = report->spec.report;
    int with_page = !report->stored && which != CRD_REPORT_HISTORY && which != CRD_REPORT_LINES;
    crd_status status;
    int found;
    if (with_page) {
        status = report_read_page(report, CRD_KIND_BIT_CUSTOMER);
    } else {
        status = crd__read(report->ledger, &query, &report->page, &report->loaded);
        report->has_page = status == CRD_OK;
    }
    if (status != CRD_OK) return status;
    found = report->loaded.docs.count > 0;
    if (!with_page) report_free_loaded(report->ledger, &report->loaded, &report->has_page);
    if (found) return CRD_OK;
    return crd__fail_subject(report->ledger, CRD_E_NOT_FOUND, CRD_KIND_CUSTOMER, customer, customer, NULL);
}

/* Whether an account stands, as of the report's date and instant, as it is stored. */
static int stands(const crd_report *report, const crd_account_record *account) {
    const crd_report_spec *spec = &report->spec;
    int cut = spec->date != CRD_DATE_NONE && spec->report != CRD_REPORT_CUSTOMERS;
    return (!cut || account->last_date <= spec->date) && (spec->known_at == 0 || account->last_instant <= spec->known_at);
}

static int32_t look_for_later(void *ctx, uint32_t kind, const void *record) {
    crd_report *report = ctx;
    if (kind == CRD_KIND_ACCOUNT && !stands(report, record)) report->stored = 0;
    return !report->stored;
}

/* A customer's few accounts are looked at one by one. */
static crd_status look_at_all(crd_report *report) {
    const crd_report_spec *spec = &report->spec;
    crd_query query = crd__query(CRD_KIND_BIT_ACCOUNT, spec->customer, spec->currency);
    report->stored = !has(report, NEEDS_ENTRIES);
    if (!report->stored || spec->report == CRD_REPORT_HISTORY || (spec->date == CRD_DATE_NONE && spec->known_at == 0))
        return CRD_OK;
    report->stored = spec->customer == NULL;
    return report->stored ? crd__scan(report->ledger, &query, look_for_later, report) : CRD_OK;
}

static crd_status find_history(crd_report *report);
static crd_status find_unacknowledged(crd_report *report);

crd_status crd_report_open(crd_ledger *ledger, const crd_report_spec *spec, crd_report **out) {
    crd_report_spec s;
    crd_report *report;
    crd_status status;
    if (out != NULL) *out = NULL;
    status = crd__enter(ledger);
    if (status != CRD_OK) return status;
    if (out == NULL) return crd__fail_argument(ledger, "out", "must be given");
    status = crd__take_struct(ledger, "spec", &s, sizeof s, sizeof s, spec);
    if (status == CRD_OK) status = report_check_spec(ledger, &s);
    if (status == CRD_OK && (reports[s.report].traits & NEEDS_DATE)) status = crd__today(ledger, s.date, &s.date);
    if (status == CRD_OK && s.date_from != 0 && s.date != 0 && s.date_from > s.date)
        status = crd__fail_argument(ledger, "spec.date_from", "is later than the date");
    if (status != CRD_OK) return status;
    report = crd__alloc(&ledger->allocator, sizeof *report);
    if (report == NULL) return crd__fail(ledger, CRD_E_NOMEM, NULL);
    report->ledger = ledger;
    report->now_at = s.known_at != 0 ? s.known_at : crd__now(ledger);
    crd__arena_init(&report->own, &ledger->allocator);
    crd__arena_init(&report->page, &ledger->allocator);
    crd__arena_init(&report->work, &ledger->allocator);
    status = copy_spec(report, &s);
    if (status == CRD_OK) status = look_at_all(report);
    if (status == CRD_OK && s.customer != NULL) status = report_find_customer(report);
    if (status == CRD_OK && (s.report == CRD_REPORT_HISTORY || s.report == CRD_REPORT_LINES)) status = find_history(report);
    if (status == CRD_OK && s.report == CRD_REPORT_UNACKNOWLEDGED) status = find_unacknowledged(report);
    if (status != CRD_OK) {
        crd_report_close(report);
        return status;
    }
    *out = report;
    return CRD_OK;
}

/* Forgets the rows, and what of one account they point to. */
static void drop_account(crd_report *report) {
    crd__books_free(report->ledger, &report->now);
    crd__books_free(report->ledger, &report->before);
    memset(&report->now, 0, sizeof report->now);
    memset(&report->before, 0, sizeof report->before);
    crd__journal_free(&report->journal);
    memset(&report->journal, 0, sizeof report->journal);
    report_free_loaded(report->ledger, &report->single, &report->has_single);
    crd__arena_reset(&report->work);
    report->rows.count = 0;
    report->at = 0;
}

void crd_report_close(crd_report *report) {
    crd_allocator allocator;
    if (report == NULL) return;
    allocator = report->ledger->allocator;
    drop_account(report);
    report_free_loaded(report->ledger, &report->loaded, &report->has_page);
    crd__list_free(&allocator, &report->rows);
    crd__list_free(&allocator, &report->groups);
    crd__index_free(&allocator, &report->index);
    crd__arena_free(&report->own);
    crd__arena_free(&report->page);
    crd__arena_free(&report->work);
    crd__free(&allocator, report);
}

/* ---- rows ---- */

crd_row *crd__report_row(crd_report *report, crd__arena *arena, uint32_t kind, const char *customer,
                         const char *currency, const char *id) {
    crd_row *row = crd__arena_take(arena, sizeof *row);
    if (row == NULL || !crd__list_push(&report->ledger->allocator, &report->rows, row)) {
        crd__fail(report->ledger, CRD_E_NOMEM, NULL);
        return NULL;
    }
    memset(row, 0, sizeof *row);
    row->struct_size = sizeof *row;
    row->kind = kind;
    row->customer = customer;
    row->currency = currency;
    row->id = id;
    return row;
}

crd_status crd__report_sort(crd_report *report, crd__arena *arena, crd__compare compare) {
    void **spare = crd__arena_take(arena, (report->rows.count + 1) * sizeof *spare);
    if (spare == NULL) return crd__fail(report->ledger, CRD_E_NOMEM, NULL);
    crd__sort(report->rows.items, report->rows.count, spare, compare);
    return CRD_OK;
}

static int report_compare_docs(const void *a, const void *b) {
    const crd__doc *x = a, *y = b;
    if (x->kind != y->kind) return x->kind < y->kind ? -1 : 1;
    return strcmp(crd__doc_id(x), crd__doc_id(y));
}

crd_status crd__report_docs(crd_report *report, const crd__account *picture, void ***out, uint64_t *count) {
    void **list = crd__arena_take(&report->work, (2 * picture->docs.count + 1) * sizeof *list);
    *out = list;
    *count = picture->docs.count;
    if (list == NULL) return crd__fail(report->ledger, CRD_E_NOMEM, NULL);
    if (*count > 0) memcpy(list, picture->docs.items, (size_t)*count * sizeof *list);
    crd__sort(list, *count, list + *count, report_compare_docs);
    return CRD_OK;
}

int crd__report_source(const crd_report *report, const crd_credit_record *credit) {
    return report->spec.source == NULL || strcmp(report->spec.source, credit->source) == 0;
}

static int has_state(const crd_report *report, uint32_t state) {
    return report->spec.states == 0 || (report->spec.states >> state & 1) != 0;
}

static int credit_wanted(const crd_report *report, const crd_credit_record *c) {
    if ((c->flags & CRD_FLAG_DELETED) || !crd__report_source(report, c)) return 0;
    if (report->spec.report == CRD_REPORT_OPEN_ITEMS) return c->remaining > crd__credit_lapsed(c, report->spec.date);
    return report->spec.report == CRD_REPORT_CREDITS && has_state(report, crd__credit_state(c, report->spec.date));
}

static int receipt_wanted(const crd_report *report, const crd_receipt_record *r) {
    return report->spec.report == CRD_REPORT_RECEIPTS && !(r->flags & CRD_FLAG_DELETED) &&
           has_state(report, r->state) && (report->spec.method == NULL || strcmp(report->spec.method, r->method) == 0);
}

static int doc_wanted(const crd_report *report, const crd__doc *doc) {
    switch (doc->kind) {
    case CRD_KIND_CUSTOMER: return report->spec.report == CRD_REPORT_CUSTOMERS;
    case CRD_KIND_CREDIT: return credit_wanted(report, doc->record);
    case CRD_KIND_INVOICE:
        if (report->spec.report == CRD_REPORT_OPEN_ITEMS) return ((const crd_invoice_record *)doc->record)->open > 0;
        return report->spec.report == CRD_REPORT_INVOICES &&
               has_state(report, ((const crd_invoice_record *)doc->record)->state);
    case CRD_KIND_RECEIPT: return receipt_wanted(report, doc->record);
    default: return 0;
    }
}

static void fill_doc(const crd_report *report, const crd__doc *doc, crd_row *row) {
    switch (doc->kind) {
    case CRD_KIND_CUSTOMER: row->customer_record = doc->record; break;
    case CRD_KIND_CREDIT:
        row->credit = doc->record;
        row->expired = crd__credit_lapsed(row->credit, report->spec.date);
        row->amount = row->expired - row->credit->remaining;
        row->date = row->credit->issued;
        row->state = crd__credit_state(row->credit, report->spec.date);
        row->credit_class = row->credit->credit_class;
        row->source = row->credit->source;
        break;
    case CRD_KIND_INVOICE:
        row->invoice = doc->record;
        row->amount = row->invoice->open;
        row->date = crd__invoice_due(row->invoice);
        row->state = row->invoice->state;
        break;
    default:
        row->receipt = doc->record;
        row->amount = row->receipt->amount;
        row->date = row->receipt->received;
        row->state = row->receipt->state;
        row->method = row->receipt->method;
        break;
    }
}

static crd_status doc_rows(crd_report *report, const crd__account *picture) {
    void **docs;
    uint64_t count;
    crd_status status = crd__report_docs(report, picture, &docs, &count);
    for (uint64_t i = 0; status == CRD_OK && i < count; i++) {
        const crd__doc *doc = docs[i];
        crd_row *row;
        if (!doc_wanted(report, doc)) continue;
        row = crd__report_row(report, &report->work, doc->kind, crd__record_customer(doc->kind, doc->record),
                              crd__record_currency(doc->kind, doc->record), crd__doc_id(doc));
        if (row == NULL) return CRD_E_NOMEM;
        fill_doc(report, doc, row);
    }
    return status;
}

/* ---- rows of accounts ---- */

static crd_row *account_row(crd_report *report, const crd__account *picture) {
    crd_row *row = crd__report_row(report, &report->work, CRD_KIND_ACCOUNT, picture->record.customer,
                                   picture->record.currency, "");
    if (row == NULL) return NULL;
    row->account = &picture->record;
    row->date = report->spec.date;
    for (uint64_t i = 0; i < picture->docs.count; i++) {
        const crd__doc *doc = picture->docs.items[i];
        if (doc->kind == CRD_KIND_CREDIT) row->expired += crd__credit_lapsed(doc->record, report->spec.date);
    }
    row->amount = picture->record.invoice_open - picture->record.credit_remaining + row->expired;
    return row;
}

static crd_status aging_row(crd_report *report, const crd__account *picture) {
    const crd_report_spec *spec = &report->spec;
    uint64_t bounds = spec->bucket_count, size = (bounds + 3) * sizeof(int64_t);
    int64_t *buckets = crd__arena_take(&report->work, size);
    crd_row *row = account_row(report, picture);
    if (row == NULL || buckets == NULL) return crd__fail(report->ledger, CRD_E_NOMEM, NULL);
    memset(buckets, 0, size);
    for (uint64_t i = 0; i < picture->docs.count; i++) {
        const crd__doc *doc = picture->docs.items[i];
        if (doc->kind == CRD_KIND_INVOICE) {
            const crd_invoice_record *invoice = doc->record;
            buckets[crd__aging_bucket(invoice, spec->date, spec->bucket_days, bounds)] += invoice->open;
        } else if (doc->kind == CRD_KIND_CREDIT) {
            const crd_credit_record *credit = doc->record;
            buckets[bounds + (crd__credit_counts_as(credit) == CRD_CLASS_CASH ? 1 : 2)] -=
                credit->remaining - crd__credit_lapsed(credit, spec->date);
        }
    }
    row->buckets = buckets;
    row->bucket_count = bounds + 3;
    row->amount = 0;
    for (uint64_t i = 0; i < row->bucket_count; i++) row->amount += buckets[i];
    return CRD_OK;
}

typedef struct due {
    int32_t date;
    int64_t figures[CRD_DUE_FIGURES];
    int32_t oldest[2]; /* due date: overdue; and of what is left after credit */
} due;

static void add_due(void *ctx, const crd_plan_item *item) {
    due *d = ctx;
    int64_t left = item->open - item->proposed;
    int32_t day;
    if (item->invoice == NULL || item->open == 0) return;
    day = crd__invoice_due(item->invoice);
    d->figures[CRD_DUE_OPEN] += item->open;
    d->figures[CRD_DUE_CREDIT] += item->proposed;
    d->figures[CRD_DUE_AFTER] += left;
    if (left > 0 && (d->oldest[1] == 0 || day < d->oldest[1])) d->oldest[1] = day;
    if (day >= d->date) return;
    d->figures[CRD_DUE_OVERDUE] += item->open;
    d->figures[CRD_DUE_OVERDUE_AFTER] += left;
    if (d->oldest[0] == 0 || day < d->oldest[0]) d->oldest[0] = day;
}

static crd_status due_row(crd_report *report, crd__account *picture) {
    int after = report->spec.report == CRD_REPORT_DUE_AFTER_CREDIT;
    due *d = crd__arena_take(&report->work, sizeof *d);
    crd_row *row;
    crd_status status;
    if (d == NULL) return crd__fail(report->ledger, CRD_E_NOMEM, NULL);
    memset(d, 0, sizeof *d);
    d->date = report->spec.date;
    if (picture->record.invoice_open == 0) return CRD_OK;
    status = crd__propose(report->ledger, picture, d->date, add_due, d);
    if (status != CRD_OK || (!after && d->figures[CRD_DUE_OVERDUE] == 0)) return status;
    row = account_row(report, picture);
    if (row == NULL) return CRD_E_NOMEM;
    row->figures = d->figures;
    row->figure_count = CRD_DUE_FIGURES;
    row->amount = d->figures[after ? CRD_DUE_AFTER : CRD_DUE_OVERDUE];
    row->date = d->oldest[after];
    return CRD_OK;
}

/* ---- prescan ---- */

static crd_status keep_customer(crd_report *report, const crd_customer_record *from, const crd_customer_record **out) {
    crd_customer_record *kept =
        crd__arena_take(&report->work, sizeof *kept + crd__record_text_size(CRD_KIND_CUSTOMER, from));
    char *texts = (char *)(kept + 1);
    if (kept == NULL) return crd__fail(report->ledger, CRD_E_NOMEM, NULL);
    crd__record_copy(CRD_KIND_CUSTOMER, from, kept, &texts);
    *out = kept;
    return CRD_OK;
}

/* The customer's record as known at the report's instant, in the work arena. */
static crd_status known_customer(crd_report *report, const char *id, const crd_customer_record **out) {
    crd_ledger *ledger = report->ledger;
    crd_query query = crd__query(CRD_KIND_BIT_ACCOUNT | CRD_KIND_BIT_CUSTOMER, id, "");
    crd__arena arena;
    crd__loaded loaded;
    crd__journal journal;
    crd__account picture;
    const crd__doc *doc = NULL;
    crd_status status;
    memset(&journal, 0, sizeof journal);
    memset(&picture, 0, sizeof picture);
    crd__arena_init(&arena, &ledger->allocator);
    status = crd__read(ledger, &query, &arena, &loaded);
    if (status == CRD_OK) {
        const crd__account *own = loaded.accounts.count > 0 ? loaded.accounts.items[0] : NULL;
        if (loaded.docs.count > 0) doc = loaded.docs.items[0];
        if (own != NULL && report->spec.known_at != 0 && own->record.last_instant > report->spec.known_at) {
            status = crd__journal_read(ledger, &own->record, report->spec.known_at, &arena, &journal);
            if (status == CRD_OK) status = crd__as_of(&journal, CRD_DATE_NONE, &arena, &arena, &picture, NULL);
            if (status == CRD_OK) doc = crd__doc_find(&picture, CRD_KIND_CUSTOMER, id);
        }
        if (status == CRD_OK && doc != NULL) status = keep_customer(report, doc->record, out);
        crd__books_free(ledger, &picture);
        crd__journal_free(&journal);
        crd__loaded_free(&loaded);
    }
    crd__arena_free(&arena);
    return status;
}

typedef struct prescan {
    crd_report *report;
    const crd_account_record *account;
    const crd_customer_record *customer;
    crd_status status;
} prescan;

static void add_prescan(void *ctx, const crd_plan_item *item) {
    prescan *p = ctx;
    crd__doc doc;
    crd_row *row;
    memset(&doc, 0, sizeof doc);
    doc.kind = item->kind;
    doc.record = item->credit != NULL ? (void *)(uintptr_t)item->credit : (void *)(uintptr_t)item->invoice;
    if (p->status != CRD_OK) return;
    row = crd__report_row(p->report, &p->report->work, item->kind, p->account->customer, p->account->currency,
                          crd__doc_id(&doc));
    if (row == NULL) {
        p->status = CRD_E_NOMEM;
        return;
    }
    fill_doc(p->report, &doc, row);
    row->amount = item->credit != NULL ? -item->open : item->open;
    row->customer_record = p->customer;
}

static crd_status prescan_rows(crd_report *report, crd__account *picture) {
    prescan p = {report, &picture->record, NULL, CRD_OK};
    crd_status status;
    if (picture->record.open_credits == 0 || picture->record.open_invoices == 0) return CRD_OK;
    if (picture->record.switches & CRD_SWITCH_FEATURE_OFF) return CRD_OK;
    status = known_customer(report, picture->record.customer, &p.customer);
    if (status == CRD_OK) status = crd__propose(report->ledger, picture, report->spec.date, add_prescan, &p);
    return status == CRD_OK ? p.status : status;
}

/* ---- payments that created credit ---- */

static crd_status payment_rows(crd_report *report, crd__account *picture) {
    void **docs;
    uint64_t count;
    crd_status status = crd__report_docs(report, picture, &docs, &count);
    for (uint64_t i = 0; status == CRD_OK && i < count; i++) {
        const crd_receipt_record *receipt = ((const crd__doc *)docs[i])->record;
        const crd__doc *doc;
        const crd_credit_record *credit;
        int64_t *figures;
        crd_row *row;
        if (((const crd__doc *)docs[i])->kind != CRD_KIND_RECEIPT || receipt->credit[0] == '\0') continue;
        if ((receipt->flags & CRD_FLAG_DELETED) || receipt->received < report->spec.date_from) continue;
        doc = crd__doc_find(picture, CRD_KIND_CREDIT, receipt->credit);
        if (doc == NULL) continue;
        credit = doc->record;
        if (crd__credit_credited(credit) == 0 || !crd__report_source(report, credit)) continue;
        row = crd__report_row(report, &report->work, CRD_KIND_RECEIPT, receipt->customer, receipt->currency, receipt->id);
        figures = crd__arena_take(&report->work, CRD_PAYMENT_FIGURES * sizeof *figures);
        if (row == NULL || figures == NULL) return crd__fail(report->ledger, CRD_E_NOMEM, NULL);
        fill_doc(report, doc, row);
        row->receipt = receipt;
        row->date = receipt->received;
        row->method = receipt->method;
        row->amount = figures[CRD_PAYMENT_CREDITED] = crd__credit_credited(credit);
        figures[CRD_PAYMENT_CURRENT] = credit->remaining - row->expired;
        figures[CRD_PAYMENT_APPLIED] = crd__credit_applied(credit);
        row->figures = figures;
        row->figure_count = CRD_PAYMENT_FIGURES;
    }
    return status;
}

/* ---- one account ---- */

/* A hold that has lapsed does not count, entered or not (rule M10): on a day later than its own, and on that day once its
 * instant is past. What it held is available again, or has expired. */
static void let_lapse(crd_report *report, crd__account *picture, int32_t date) {
    for (uint64_t i = 0; date != CRD_DATE_NONE && i < picture->docs.count; i++) {
        const crd__doc *doc = picture->docs.items[i], *of;
        crd_hold_record *hold = doc->record;
        crd_credit_record *credit;
        if (doc->kind != CRD_KIND_HOLD || hold->state != CRD_HOLD_HELD || hold->lapses_at == 0) continue;
        if (hold->lapses_on > date || (hold->lapses_on == date && hold->lapses_at > report->now_at)) continue;
        of = crd__doc_find(picture, CRD_KIND_CREDIT, hold->credit);
        if (of == NULL) continue;
        credit = of->record;
        credit->held -= hold->amount;
        picture->record.credit_held -= hold->amount;
        hold->amount = 0;
        hold->state = CRD_HOLD_LAPSED;
    }
}

static crd_status report_tell(crd_report *report, crd__account *picture) {
    const crd_account_record *a = &picture->record;
    int open = a->open_credits > 0 || a->open_invoices > 0;
    if (a->last_seq == 0) return CRD_OK; /* there was none yet */
    if ((a->currency[0] == '\0') != (report->spec.report == CRD_REPORT_CUSTOMERS)) return CRD_OK;
    if (has(report, OPEN_ONLY) && !open) return CRD_OK;
    let_lapse(report, picture, report->spec.date);
    if (report->spec.date_from != CRD_DATE_NONE) let_lapse(report, &report->before, report->spec.date_from - 1);
    switch (report->spec.report) {
    case CRD_REPORT_ACCOUNTS: return account_row(report, picture) != NULL ? CRD_OK : CRD_E_NOMEM;
    case CRD_REPORT_AGING: return aging_row(report, picture);
    case CRD_REPORT_TOTALS: return crd__report_totals(report, picture);
    case CRD_REPORT_PAYMENTS: return payment_rows(report, picture);
    case CRD_REPORT_OVERDUE:
    case CRD_REPORT_DUE_AFTER_CREDIT: return due_row(report, picture);
    case CRD_REPORT_PRESCAN: return prescan_rows(report, picture);
    case CRD_REPORT_CREDIT_ENTRIES: return crd__report_credit_entries(report);
    case CRD_REPORT_OCCASIONS: return crd__report_occasions(report);
    case CRD_REPORT_STATEMENT: return crd__report_statement(report);
    case CRD_REPORT_REVENUE: return crd__report_revenue(report);
    case CRD_REPORT_TAKINGS: return crd__report_takings(report);
    case CRD_REPORT_ROLL_FORWARD: return crd__report_roll(report);
    default: return doc_rows(report, picture);
    }
}

/* The account from its journal; and, where the report tells entries, on the day before the first as well. */
static crd_status fold_account(crd_report *report, const crd_account_record *account) {
    const crd_report_spec *spec = &report->spec;
    crd__arena *work = &report->work;
    int32_t date = spec->report == CRD_REPORT_CUSTOMERS ? CRD_DATE_NONE : spec->date;
    crd_status status = crd__journal_read(report->ledger, account, spec->known_at, work, &report->journal);
    if (status != CRD_OK) return status;
    report->moved = crd__arena_take(work, (report->journal.entries.count + 1) * sizeof *report->moved);
    if (report->moved == NULL) return crd__fail(report->ledger, CRD_E_NOMEM, NULL);
    if (has(report, NEEDS_BEFORE) && spec->date_from != CRD_DATE_NONE)
        status = crd__as_of(&report->journal, spec->date_from - 1, work, work, &report->before, NULL);
    if (status == CRD_OK) status = crd__as_of(&report->journal, date, work, work, &report->now, report->moved);
    return status == CRD_OK ? report_tell(report, &report->now) : status;
}

/* States a storage may narrow to. Credit that is past its expiry may stand in another state than it is stored in, and
 * with a date the holds that are held are read too: they have the number that active credits have. */
#define ACTIVE_OR_HELD (UINT32_C(1) << CRD_CREDIT_ACTIVE | UINT32_C(1) << CRD_HOLD_HELD)
static uint32_t stored_states(const crd_report *report) {
    uint32_t states = report->spec.states;
    if (report->spec.report == CRD_REPORT_ACCOUNTS) return ACTIVE_OR_HELD;
    if (report->spec.report == CRD_REPORT_INVOICES || report->spec.report == CRD_REPORT_RECEIPTS) return states;
    if (report->spec.report != CRD_REPORT_CREDITS || states == 0) return 0;
    return report->spec.date != CRD_DATE_NONE ? states | ACTIVE_OR_HELD : states;
}

static crd_query doc_query(const crd_report *report) {
    const crd_report_spec *spec = &report->spec;
    uint32_t kinds = reports[spec->report].kinds;
    crd_query query = crd__query(CRD_KIND_BIT_ACCOUNT | kinds, spec->customer, spec->currency);
    if (spec->report == CRD_REPORT_ACCOUNTS && spec->date == CRD_DATE_NONE) query.kinds = CRD_KIND_BIT_ACCOUNT;
    if (spec->date != CRD_DATE_NONE && (kinds & CRD_KIND_BIT_CREDIT)) query.kinds |= CRD_KIND_BIT_HOLD;
    if (has(report, OPEN_ONLY)) query.flags = CRD_QUERY_OPEN;
    query.states = stored_states(report);
    return query;
}

/* As it is stored, if it stands; by now it may have been changed, so what was read last decides. */
static crd_status one_account(crd_report *report, const crd_account_record *account) {
    crd_query query = doc_query(report);
    crd_status status;
    drop_account(report);
    if (account->currency[0] == '\0' && report->spec.report != CRD_REPORT_CUSTOMERS) return CRD_OK;
    if (has(report, NEEDS_ENTRIES) || !stands(report, account)) return fold_account(report, account);
    query.customer = account->customer;
    query.currency = account->currency;
    status = crd__read(report->ledger, &query, &report->work, &report->single);
    if (status != CRD_OK) return status;
    report->has_single = 1;
    if (report->single.accounts.count == 0) return CRD_OK;
    status = crd__hand_over(report->ledger, &report->single);
    if (status != CRD_OK) return status;
    if (!stands(report, &((crd__account *)report->single.accounts.items[0])->record))
        return fold_account(report, &((crd__account *)report->single.accounts.items[0])->record);
    return report_tell(report, report->single.accounts.items[0]);
}

/* ---- pages ---- */

/* Where the next page begins; nowhere else when there was none before. */
static crd_status next_after(crd_report *report) {
    const crd__list *accounts = &report->loaded.accounts;
    const crd__account *last;
    if (!report->has_page) return CRD_OK;
    last = accounts->items[accounts->count - 1];
    report->after_customer = crd__arena_text(&report->own, last->record.customer);
    report->after_currency = crd__arena_text(&report->own, last->record.currency);
    if (report->after_customer != NULL && report->after_currency != NULL) return CRD_OK;
    return crd__fail(report->ledger, CRD_E_NOMEM, NULL);
}

/* `also`: kinds to read beside the accounts, when it is not in stored mode. */
static crd_status report_read_page(crd_report *report, uint32_t also) {
    const crd_report_spec *spec = &report->spec;
    crd_query query = doc_query(report);
    const crd__list *accounts = &report->loaded.accounts;
    crd_status status;
    drop_account(report);
    report_free_loaded(report->ledger, &report->loaded, &report->has_page);
    crd__arena_reset(&report->page);
    if (!report->stored) {
        query.kinds = CRD_KIND_BIT_ACCOUNT | also;
        query.flags = 0;
        query.states = 0;
    }
    if (spec->report == CRD_REPORT_CUSTOMERS) query.currency = "";
    query.limit = REPORT_PAGE_ACCOUNTS;
    query.after_customer = report->after_customer;
    query.after_currency = report->after_currency;
    status = crd__read(report->ledger, &query, &report->page, &report->loaded);
    if (status != CRD_OK) return status;
    report->has_page = 1;
    report->account_at = 0;
    report->complete = accounts->count < REPORT_PAGE_ACCOUNTS;
    if (!report->complete) status = next_after(report);
    if (status != CRD_OK || !report->stored) return status;
    status = crd__hand_over(report->ledger, &report->loaded);
    for (; status == CRD_OK && report->account_at < accounts->count; report->account_at++)
        status = report_tell(report, accounts->items[report->account_at]);
    return status;
}

static crd_status report_finish(crd_report *report) {
    static const uint8_t figures[] = {CRD_TOTALS_FIGURES, CRD_REVENUE_FIGURES, CRD_TAKINGS_FIGURES, CRD_ROLL_FIGURES};
    uint32_t which = report->spec.report;
    report->finished = 1;
    if (!has(report, SUMS)) return CRD_OK;
    drop_account(report);
    return crd__report_sums(report, which == CRD_REPORT_TOTALS ? figures[0] : figures[which - CRD_REPORT_REVENUE + 1]);
}

/* ---- history ---- */

/* Where the journal of an account begins and ends; of a document, its first and last entry. */
static crd_status find_range(crd_report *report) {
    const crd__list *accounts = &report->loaded.accounts;
    const crd__list *docs = &report->loaded.docs;
    report->next_seq = 1;
    report->last_seq = 0;
    if (report->history_at >= accounts->count) {
        if (report->spec.report == CRD_REPORT_UNACKNOWLEDGED && accounts->count == REPORT_PAGE_ACCOUNTS)
            return find_unacknowledged(report);
        report->complete = 1;
    } else if (report->spec.report == CRD_REPORT_UNACKNOWLEDGED) {
        const crd_account_record *account = &((crd__account *)accounts->items[report->history_at])->record;
        report->next_seq = account->acknowledged_seq + 1;
        report->last_seq = account->last_seq;
    } else if (report->spec.kind == 0 || report->spec.kind == CRD_KIND_CUSTOMER) {
        report->last_seq = ((crd__account *)accounts->items[report->history_at])->record.last_seq;
    } else if (docs->count == 1 && ((crd__doc *)docs->items[0])->account == accounts->items[report->history_at]) {
        const crd__doc *doc = docs->items[0];
        if (doc->kind == CRD_KIND_HOLD) {
            report->next_seq = ((const crd_hold_record *)doc->record)->first_seq;
            report->last_seq = ((const crd_hold_record *)doc->record)->last_seq;
        } else {
            crd__doc_range(doc, &report->next_seq, &report->last_seq);
        }
    }
    return CRD_OK;
}

static crd_status find_history(crd_report *report) {
    const crd_report_spec *spec = &report->spec;
    int of_document = spec->kind != 0 && spec->kind != CRD_KIND_CUSTOMER;
    crd_query query = crd__query(CRD_KIND_BIT_ACCOUNT, spec->customer, spec->kind == 0 ? spec->currency : NULL);
    crd_status status;
    if (of_document) {
        query.kinds |= UINT32_C(1) << spec->kind;
        query.id = spec->id;
    }
    crd__arena_reset(&report->page);
    status = crd__read(report->ledger, &query, &report->page, &report->loaded);
    if (status != CRD_OK) return status;
    report->has_page = 1;
    if (report->loaded.accounts.count == 0 || (of_document && report->loaded.docs.count != 1))
        return crd__fail_subject(report->ledger, CRD_E_NOT_FOUND, of_document ? spec->kind : CRD_KIND_ACCOUNT,
                                 spec->customer, spec->id != NULL ? spec->id : crd__or_empty(spec->currency), NULL);
    return find_range(report);
}

/* The next page of accounts with entries that the host did not acknowledge. */
static crd_status find_unacknowledged(crd_report *report) {
    const crd_report_spec *spec = &report->spec;
    crd_query query = crd__query(CRD_KIND_BIT_ACCOUNT, spec->customer, spec->currency);
    const crd__list *accounts = &report->loaded.accounts;
    crd_status status = next_after(report);
    if (status != CRD_OK) return status;
    report_free_loaded(report->ledger, &report->loaded, &report->has_page);
    crd__arena_reset(&report->page);
    query.flags = CRD_QUERY_UNACKNOWLEDGED;
    query.limit = REPORT_PAGE_ACCOUNTS;
    query.after_customer = report->after_customer;
    query.after_currency = report->after_currency;
    status = crd__read(report->ledger, &query, &report->page, &report->loaded);
    if (status != CRD_OK) return status;
    report->has_page = 1;
    report->history_at = 0;
    report->complete = accounts->count == 0;
    return report->complete ? CRD_OK : find_range(report);
}

static int entry_wanted(const crd_report *report, const crd_entry_record *e) {
    const crd_report_spec *spec = &report->spec;
    if (spec->known_at != 0 && e->instant > spec->known_at) return 0;
    if (e->business_date < spec->date_from || (spec->date != CRD_DATE_NONE && e->business_date > spec->date)) return 0;
    return spec->kind != CRD_KIND_HOLD || strcmp(e->hold, spec->id) == 0;
}

static int report_compare_seq(const void *a, const void *b) {
    const crd_row *x = a, *y = b;
    return x->entry->seq < y->entry->seq ? -1 : x->entry->seq > y->entry->seq;
}

static crd_status report_read_entries(crd_report *report) {
    const crd_report_spec *spec = &report->spec;
    const crd_account_record *account = &((crd__account *)report->loaded.accounts.items[report->history_at])->record;
    crd_query query = crd__query(CRD_KIND_BIT_ENTRY, account->customer, account->currency);
    crd_status status;
    query.seq_from = report->next_seq;
    query.seq_to = CRD__MIN(report->next_seq + REPORT_PAGE_ENTRIES - 1, report->last_seq);
    query.date_from = spec->date_from;
    query.date_to = spec->date;
    if (spec->kind == CRD_KIND_CREDIT) query.entry_credit = spec->id;
    if (spec->kind == CRD_KIND_INVOICE) query.entry_invoice = spec->id;
    if (spec->kind == CRD_KIND_RECEIPT) query.entry_receipt = spec->id;
    status = crd__read(report->ledger, &query, &report->work, &report->single);
    if (status != CRD_OK) return status;
    report->has_single = 1;
    report->next_seq = query.seq_to + 1;
    for (uint64_t i = 0; i < report->single.rest.count; i++) {
        const crd_entry_record *e = ((crd__doc *)report->single.rest.items[i])->record;
        crd_row *row;
        if (!entry_wanted(report, e)) continue;
        row = crd__report_row(report, &report->work, CRD_KIND_ENTRY, e->customer, e->currency, "");
        if (row == NULL) return CRD_E_NOMEM;
        row->entry = e;
        row->amount = e->amount;
        row->date = e->business_date;
        if (spec->report == CRD_REPORT_UNACKNOWLEDGED) row->account = account;
    }
    return crd__report_sort(report, &report->work, report_compare_seq);
}

/* ---- lines: one read, behind the look-up of their document ---- */

static int compare_number(const void *a, const void *b) {
    const crd_row *x = a, *y = b;
    return x->document_line->number < y->document_line->number ? -1 : x->document_line->number > y->document_line->number;
}

/* The revision that the document was in, as of the report's date and instant; -1 when there was no such document. */
static crd_status line_revision(crd_report *report, int64_t *revision) {
    const crd_report_spec *spec = &report->spec;
    const crd__doc *doc = report->loaded.docs.items[0];
    crd_status status;
    *revision = UINT32_MAX;
    if (spec->date == CRD_DATE_NONE && spec->known_at == 0) return CRD_OK;
    *revision = -1;
    status = crd__journal_read(report->ledger, &doc->account->record, spec->known_at, &report->work, &report->journal);
    if (status == CRD_OK)
        status = crd__as_of(&report->journal, spec->date, &report->work, &report->work, &report->now, NULL);
    if (status != CRD_OK) return status;
    doc = crd__doc_find(&report->now, spec->kind, spec->id);
    if (doc != NULL)
        *revision = doc->kind == CRD_KIND_INVOICE ? ((const crd_invoice_record *)doc->record)->revision : 0;
    return CRD_OK;
}

static crd_status read_lines(crd_report *report) {
    const crd_report_spec *spec = &report->spec;
    crd_query query = crd__query(CRD_KIND_BIT_LINE, spec->customer, NULL);
    int64_t revision;
    crd_status status;
    query.id = spec->id;
    drop_account(report);
    status = line_revision(report, &revision);
    if (status == CRD_OK) status = crd__read(report->ledger, &query, &report->work, &report->single);
    if (status != CRD_OK) return status;
    report->has_single = 1;
    report->finished = 1;
    for (uint64_t i = 0; i < report->single.rest.count; i++) {
        crd_line_record *line = ((crd__doc *)report->single.rest.items[i])->record;
        crd_row *row;
        if (line->document_kind != spec->kind || line->added_in > revision) continue;
        if (line->ended_in > revision) line->ended_in = 0; /* it still stood */
        row = crd__report_row(report, &report->work, CRD_KIND_LINE, line->customer, line->currency, line->id);
        if (row == NULL) return CRD_E_NOMEM;
        row->document_line = line;
        row->amount = line->amount;
    }
    return crd__report_sort(report, &report->work, compare_number);
}

/* ---- history ---- */

static crd_status more_history(crd_report *report) {
    drop_account(report);
    while (!report->complete && report->next_seq > report->last_seq) {
        crd_status status;
        report->history_at++;
        status = find_range(report);
        if (status != CRD_OK) return status;
    }
    report->finished = report->complete;
    return report->complete ? CRD_OK : report_read_entries(report);
}

/* ---- the cursor ---- */

static crd_status more(crd_report *report) {
    if (report->spec.report == CRD_REPORT_HISTORY || report->spec.report == CRD_REPORT_UNACKNOWLEDGED)
        return more_history(report);
    if (report->spec.report == CRD_REPORT_LINES) return read_lines(report);
    if (report->account_at < report->loaded.accounts.count)
        return one_account(report, &((crd__account *)report->loaded.accounts.items[report->account_at++])->record);
    return report->complete ? report_finish(report) : report_read_page(report, 0);
}

crd_status crd_report_next(crd_report *report, const crd_row **out) {
    crd_status status = report != NULL ? crd__enter(report->ledger) : CRD_E_ARGUMENT;
    if (out != NULL) *out = NULL;
    if (status != CRD_OK) return status;
    if (out == NULL) return crd__fail_argument(report->ledger, "out", "must be given");
    while (report->at == report->rows.count) {
        if (report->finished) return CRD_OK;
        if (report->failed != CRD_OK)
            return crd__fail(report->ledger, report->failed, "the report failed before; open it anew");
        status = report->failed = more(report);
        if (status == CRD_OK) continue;
        report->at = report->rows.count = 0;
        return status;
    }
    *out = report->rows.items[report->at++];
    return CRD_OK;
}
