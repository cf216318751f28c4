/*
 * Reports that tell the entries of an account: what became of credits, what created credit, statements, takings.
 *
 * The journal at hand is that of one account, as known, without what was deleted; `now` is its picture on the last day,
 * `before` on the day before the first (empty when the report begins with the beginning).
 */
#include "ledger/report.h"

#include <string.h>

static const crd_entry_record *entry_at(const crd_report *report, uint64_t i) {
    return report->journal.entries.items[i];
}

static int in_period(const crd_report *report, const crd_entry_record *e) {
    return e->business_date >= report->spec.date_from && e->business_date <= report->spec.date;
}

static int same_command(const crd_entry_record *a, const crd_entry_record *b) {
    return a->writer == b->writer && a->command == b->command;
}

static const void *report_entries_document(crd__account *picture, uint32_t kind, const char *id) {
    const crd__doc *doc = id[0] != '\0' ? crd__doc_find(picture, kind, id) : NULL;
    return doc != NULL ? doc->record : NULL;
}

/* A row of an entry, with the documents it names as they stand on the last day. */
static crd_row *entry_row(crd_report *report, const crd_entry_record *e, int64_t amount) {
    const char *id = e->credit[0] != '\0' ? e->credit : e->invoice[0] != '\0' ? e->invoice : e->receipt;
    crd_row *row = crd__report_row(report, &report->work, CRD_KIND_ENTRY, e->customer, e->currency, id);
    if (row == NULL) return NULL;
    row->entry = e;
    row->amount = amount;
    row->date = e->business_date;
    row->account = &report->now.record;
    row->credit = report_entries_document(&report->now, CRD_KIND_CREDIT, e->credit);
    row->invoice = report_entries_document(&report->now, CRD_KIND_INVOICE, e->invoice);
    row->receipt = report_entries_document(&report->now, CRD_KIND_RECEIPT, e->receipt);
    if (row->credit != NULL) {
        row->credit_class = row->credit->credit_class;
        row->source = row->credit->source;
        row->state = crd__credit_state(row->credit, report->spec.date);
    }
    return row;
}

/* What of a credit is past its expiry, and not entered as such. */
static crd_status expired_row(crd_report *report, const crd_credit_record *credit, int64_t amount, int64_t expired) {
    crd_row *row = crd__report_row(report, &report->work, CRD_KIND_CREDIT, credit->customer, credit->currency, credit->id);
    if (row == NULL) return CRD_E_NOMEM;
    row->line = CRD_LINE_EXPIRED;
    row->credit = credit;
    row->account = &report->now.record;
    row->credit_class = credit->credit_class;
    row->source = credit->source;
    row->state = crd__credit_state(credit, report->spec.date);
    row->amount = amount;
    row->expired = expired;
    row->date = CRD__MAX(credit->expires, report->spec.date_from);
    return CRD_OK;
}

/* ---- what became of credits ---- */

/* What an entry changed its credit by, as the credit report shows it: of a payment, what it left as credit. 0: it does not
 * show it. An adjustment is told once, by its own entry, unless only one source is looked at. */
static int64_t credit_change(const crd_report *report, const crd_entry_record *e, const crd_credit_record *c,
                             const crd_entry_record *adjust) {
    int adjusting = adjust != NULL && same_command(adjust, e);
    if (e->type == CRD_ENTRY_ADJUST) return report->spec.source == NULL ? e->figure_after - e->figure_before : 0;
    if (c == NULL || !crd__report_source(report, c)) return 0;
    switch (e->type) {
    case CRD_ENTRY_ISSUE:
        return adjusting && report->spec.source == NULL ? 0 : crd__credit_credited(c);
    case CRD_ENTRY_ADJUST_PIECE: return report->spec.source == NULL ? 0 : -e->amount;
    case CRD_ENTRY_UNADJUST: return report->spec.source == NULL ? 0 : e->amount;
    case CRD_ENTRY_REVERSE: return e->flags & CRD_ENTRY_BY_OWN_RECEIPT ? 0 : -e->amount;
    case CRD_ENTRY_VOID:
    case CRD_ENTRY_EXPIRE:
    case CRD_ENTRY_REFUND:
    case CRD_ENTRY_TRANSFER: return -e->amount;
    case CRD_ENTRY_UNREFUND:
    case CRD_ENTRY_UNTRANSFER: return e->amount;
    default: return 0;
    }
}

crd_status crd__report_credit_entries(crd_report *report) {
    const crd_entry_record *adjust = NULL;
    void **docs;
    uint64_t count;
    crd_status status;
    for (uint64_t i = 0; i < report->journal.entries.count; i++) {
        const crd_entry_record *e = entry_at(report, i);
        int64_t amount;
        if (e->type == CRD_ENTRY_ADJUST) adjust = e;
        if (!in_period(report, e)) continue;
        amount = credit_change(report, e, report_entries_document(&report->now, CRD_KIND_CREDIT, e->credit), adjust);
        if (amount != 0 && entry_row(report, e, amount) == NULL) return CRD_E_NOMEM;
    }
    status = crd__report_docs(report, &report->now, &docs, &count);
    for (uint64_t i = 0; status == CRD_OK && i < count; i++) {
        const crd_credit_record *credit = ((const crd__doc *)docs[i])->record;
        int64_t lapsed;
        if (((const crd__doc *)docs[i])->kind != CRD_KIND_CREDIT || !crd__report_source(report, credit)) continue;
        lapsed = crd__credit_lapsed(credit, report->spec.date);
        if (lapsed > 0 && credit->expires >= report->spec.date_from) status = expired_row(report, credit, -lapsed, lapsed);
    }
    return status;
}

/* ---- what created credit ---- */

/* What a payment left as credit when it was entered: without what the same command applied of it. */
static int64_t surplus(const crd_report *report, uint64_t at, const crd_credit_record *credit) {
    const crd_entry_record *issue = entry_at(report, at);
    int64_t amount = credit->original;
    for (uint64_t i = at + 1; i < report->journal.entries.count && same_command(issue, entry_at(report, i)); i++) {
        const crd_entry_record *e = entry_at(report, i);
        if (e->type == CRD_ENTRY_APPLY && (e->flags & CRD_ENTRY_BY_OWN_RECEIPT) && strcmp(e->credit, issue->credit) == 0)
            amount -= e->amount;
    }
    return amount;
}

/* What of money that an entry gave back was not taken again by what followed in the same command (rule M8). */
static int64_t given_back(const crd_report *report, uint64_t at) {
    const crd_entry_record *given = entry_at(report, at);
    int64_t more = 0, taken = 0;
    for (uint64_t i = at + 1; i < report->journal.entries.count && same_command(given, entry_at(report, i)); i++) {
        const crd_entry_record *e = entry_at(report, i);
        if (strcmp(e->credit, given->credit) != 0) continue;
        switch (e->type) {
        case CRD_ENTRY_UNAPPLY:
        case CRD_ENTRY_UNREFUND:
        case CRD_ENTRY_UNADJUST:
        case CRD_ENTRY_UNTRANSFER: more += e->amount; break;
        case CRD_ENTRY_APPLY:
        case CRD_ENTRY_VOID:
        case CRD_ENTRY_EXPIRE:
        case CRD_ENTRY_REVERSE:
        case CRD_ENTRY_TRANSFER: taken += e->amount; break;
        default: break;
        }
    }
    taken = CRD__MAX(taken - more, 0);
    return given->amount - CRD__MIN(taken, given->amount);
}

static crd_status occasion(crd_report *report, uint64_t at, const crd_credit_record *credit) {
    const crd_entry_record *e = entry_at(report, at);
    int issued = e->type == CRD_ENTRY_ISSUE;
    int64_t amount = issued ? surplus(report, at, credit) : given_back(report, at);
    crd_row *row;
    if (amount <= 0) return CRD_OK;
    row = entry_row(report, e, amount);
    if (row == NULL) return CRD_E_NOMEM;
    row->origin = credit->origin[0] != '\0' ? credit->origin : credit->receipt;
    if (e->type == CRD_ENTRY_UNAPPLY) {
        row->origin = e->invoice;
        /* What comes back of a payment is an overpayment, with the sale as its origin (rule M12). */
        if (crd__credit_counts_as(credit) == CRD_CLASS_CASH && e->invoice[0] != '\0') row->source = "overpayment";
    }
    return CRD_OK;
}

crd_status crd__report_occasions(crd_report *report) {
    crd_status status = CRD_OK;
    for (uint64_t i = 0; status == CRD_OK && i < report->journal.entries.count; i++) {
        const crd_entry_record *e = entry_at(report, i);
        const crd_credit_record *credit;
        if (!in_period(report, e)) continue;
        credit = report_entries_document(&report->now, CRD_KIND_CREDIT, e->credit);
        if (credit == NULL || !crd__report_source(report, credit)) continue;
        if (e->type == CRD_ENTRY_ISSUE || e->type == CRD_ENTRY_UNAPPLY || e->type == CRD_ENTRY_UNREFUND ||
            e->type == CRD_ENTRY_UNADJUST || e->type == CRD_ENTRY_UNTRANSFER)
            status = occasion(report, i, credit);
    }
    return status;
}

/* ---- statement ---- */

static int64_t balance_of(const crd__account *picture, int32_t date) {
    int64_t balance = picture->record.invoice_open - picture->record.credit_remaining;
    for (uint64_t i = 0; i < picture->docs.count; i++) {
        const crd__doc *doc = picture->docs.items[i];
        if (doc->kind == CRD_KIND_CREDIT) balance += crd__credit_lapsed(doc->record, date);
    }
    return balance;
}

/* What the customer may not see: notes of the house, here and in the images that entries carry. */
static void hide_notes(crd_report *report) {
    for (uint64_t i = 0; i < report->now.docs.count; i++) {
        crd__doc *doc = report->now.docs.items[i];
        if (doc->kind == CRD_KIND_CREDIT) ((crd_credit_record *)doc->record)->notes = "";
    }
    for (uint64_t i = 0; i < report->journal.entries.count; i++) {
        crd_entry_record *e = report->journal.entries.items[i];
        e->note = "";
        e->image = NULL;
        e->image_size = 0;
    }
}

static crd_row *balance_row(crd_report *report, uint32_t line, int32_t date, int64_t balance) {
    const crd_account_record *account = &report->now.record;
    crd_row *row = crd__report_row(report, &report->work, CRD_KIND_ACCOUNT, account->customer, account->currency, "");
    if (row == NULL) return NULL;
    row->line = line;
    row->account = account;
    row->date = date;
    row->balance = balance;
    return row;
}

/* The opening row, then by day: entries by sequence, then what has expired. */
static int report_entries_compare_lines(const void *a, const void *b) {
    const crd_row *x = a, *y = b;
    int first = x->line == CRD_LINE_OPENING ? 0 : 1, second = y->line == CRD_LINE_OPENING ? 0 : 1;
    if (first != second) return first - second;
    if (x->date != y->date) return x->date < y->date ? -1 : 1;
    if (x->entry == NULL || y->entry == NULL) return (x->entry == NULL) - (y->entry == NULL);
    return x->entry->seq < y->entry->seq ? -1 : x->entry->seq > y->entry->seq;
}

static crd_status expired_rows(crd_report *report) {
    const crd_report_spec *spec = &report->spec;
    void **docs;
    uint64_t count;
    crd_status status = crd__report_docs(report, &report->now, &docs, &count);
    for (uint64_t i = 0; status == CRD_OK && i < count; i++) {
        const crd_credit_record *credit = ((const crd__doc *)docs[i])->record, *then;
        int64_t lapsed;
        if (((const crd__doc *)docs[i])->kind != CRD_KIND_CREDIT) continue;
        lapsed = crd__credit_lapsed(credit, spec->date);
        then = report_entries_document(&report->before, CRD_KIND_CREDIT, credit->id);
        if (then != NULL) lapsed -= crd__credit_lapsed(then, spec->date_from - 1);
        if (lapsed != 0) status = expired_row(report, credit, lapsed, lapsed);
    }
    return status;
}

crd_status crd__report_statement(crd_report *report) {
    const crd_report_spec *spec = &report->spec;
    int64_t balance = spec->date_from != 0 ? balance_of(&report->before, spec->date_from - 1) : 0;
    crd_status status;
    hide_notes(report);
    if (balance_row(report, CRD_LINE_OPENING, spec->date_from, balance) == NULL) return CRD_E_NOMEM;
    for (uint64_t i = 0; i < report->journal.entries.count; i++)
        if (report->moved[i] != 0 && in_period(report, entry_at(report, i)) &&
            entry_row(report, entry_at(report, i), report->moved[i]) == NULL)
            return CRD_E_NOMEM;
    status = expired_rows(report);
    if (status == CRD_OK) status = crd__report_sort(report, &report->work, report_entries_compare_lines);
    if (status != CRD_OK) return status;
    for (uint64_t i = 0; i < report->rows.count; i++) {
        crd_row *row = report->rows.items[i];
        balance += row->amount;
        row->balance = balance;
    }
    return balance_row(report, CRD_LINE_CLOSING, spec->date, balance) != NULL ? CRD_OK : CRD_E_NOMEM;
}

/* ---- takings ---- */

static const crd_entry_record *entry_of_seq(const crd_report *report, int64_t seq) {
    uint64_t low = 0, high = report->journal.entries.count;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        if (entry_at(report, middle)->seq < seq)
            low = middle + 1;
        else
            high = middle;
    }
    return low < report->journal.entries.count && entry_at(report, low)->seq == seq ? entry_at(report, low) : NULL;
}

static const char *method_of(crd_report *report, const crd_entry_record *e, const crd_receipt_record *receipt) {
    const crd_credit_record *credit = report_entries_document(&report->now, CRD_KIND_CREDIT, e->credit);
    const crd_entry_record *undone = e->undoes != 0 ? entry_of_seq(report, e->undoes) : NULL;
    if (e->type != CRD_ENTRY_REFUND && e->type != CRD_ENTRY_UNREFUND) return receipt != NULL ? receipt->method : "";
    if (e->method[0] != '\0') return e->method;
    if (undone != NULL && undone->method[0] != '\0') return undone->method;
    return credit != NULL ? credit->method : "";
}

/* Takings are told by day over all accounts: a row lives as long as the report. */
static crd_status taking_row(crd_report *report, const crd_entry_record *e, const crd_receipt_record *receipt,
                             const char *method, int64_t amount) {
    const char *reference = e->reference[0] != '\0' ? e->reference : e->note;
    uint64_t size = sizeof(crd_row) + sizeof *e + (receipt != NULL ? sizeof *receipt : 0);
    crd_row *row;
    crd_entry_record *entry;
    char *cursor;
    size += crd__record_text_size(CRD_KIND_ENTRY, e) + (receipt != NULL ? crd__record_text_size(CRD_KIND_RECEIPT, receipt) : 0);
    row = crd__arena_take(&report->own, size);
    if (row == NULL || !crd__list_push(&report->ledger->allocator, &report->groups, row))
        return crd__fail(report->ledger, CRD_E_NOMEM, NULL);
    memset(row, 0, sizeof *row);
    entry = (crd_entry_record *)(row + 1);
    cursor = (char *)(entry + 1) + (receipt != NULL ? sizeof *receipt : 0);
    crd__record_copy(CRD_KIND_ENTRY, e, entry, &cursor);
    if (receipt != NULL) {
        crd__record_copy(CRD_KIND_RECEIPT, receipt, entry + 1, &cursor);
        row->receipt = (const crd_receipt_record *)(entry + 1);
        reference = receipt->payment_info[0] != '\0' ? receipt->payment_info : receipt->reference;
    }
    row->struct_size = sizeof *row;
    row->kind = CRD_KIND_ENTRY;
    row->customer = entry->customer;
    row->currency = entry->currency;
    row->id = receipt != NULL ? row->receipt->id : entry->credit;
    row->entry = entry;
    row->amount = amount;
    row->date = e->business_date;
    row->method = crd__arena_text(&report->own, method);
    row->reference = crd__arena_text(&report->own, reference);
    if (row->method == NULL || row->reference == NULL) return crd__fail(report->ledger, CRD_E_NOMEM, NULL);
    return CRD_OK;
}

int crd__report_compare_takings(const void *a, const void *b) {
    const crd_row *x = a, *y = b;
    int compared = strcmp(x->currency, y->currency);
    if (compared == 0) compared = x->date < y->date ? -1 : x->date > y->date;
    if (compared == 0) compared = strcmp(x->method, y->method);
    if (compared == 0) compared = strcmp(x->customer, y->customer);
    return compared != 0 ? compared : x->entry->seq < y->entry->seq ? -1 : x->entry->seq > y->entry->seq;
}

static crd_status add_taking(crd_report *report, const crd_entry_record *e, const char *method, uint32_t figure,
                             int64_t amount) {
    crd__group key, *group;
    crd_status status;
    memset(&key, 0, sizeof key);
    key.customer = report->spec.by & CRD_BY_CUSTOMER ? e->customer : "";
    key.currency = e->currency;
    key.source = "";
    key.method = report->spec.by & CRD_BY_METHOD ? method : "";
    key.date = report->spec.by & CRD_BY_DAY ? e->business_date : 0;
    status = crd__report_group(report, &key, &group);
    return status == CRD_OK ? crd__report_add(report, &group->figures[figure], amount) : status;
}

crd_status crd__report_takings(crd_report *report) {
    crd_status status = CRD_OK;
    for (uint64_t i = 0; status == CRD_OK && i < report->journal.entries.count; i++) {
        const crd_entry_record *e = entry_at(report, i);
        const crd_receipt_record *receipt;
        const char *method;
        int64_t amount;
        uint32_t figure;
        if (!in_period(report, e)) continue;
        receipt = report_entries_document(&report->now, CRD_KIND_RECEIPT, e->receipt);
        figure = crd__takings(e, receipt, &amount);
        if (figure == CRD_TAKINGS_FIGURES || amount == 0) continue;
        if (figure == CRD_TAKINGS_REFUNDED) receipt = NULL;
        method = method_of(report, e, receipt);
        if (report->spec.method != NULL && strcmp(report->spec.method, method) != 0) continue;
        status = report->spec.by != 0 ? add_taking(report, e, method, figure, amount)
                                      : taking_row(report, e, receipt, method, amount);
    }
    return status;
}
