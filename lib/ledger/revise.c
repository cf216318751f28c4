/*
 * Revising an invoice: another total, other lines, another date (rule M12).
 *
 * 1. The REVISE entry carries the invoice as it is afterwards; what had to be undone for it comes before it, in the same
 *    unit and at the same date.
 * 2. With lines, the total is their sum: so a line and the total cannot drift apart.
 */
#include "core/money.h"
#include "ledger/ledger.h"

#include <string.h>

typedef struct revision {
    crd_revise_terms t;
    crd_line_terms *add; /* t.add_lines, copied */
    int64_t added;       /* their sum */
    crd__lines lines;    /* all there are, then all there will be */
} revision;

static crd_status revise_check_terms(crd_ledger *ledger, const crd_revise_terms *t) {
    crd_status status;
    if (t->flags & ~(CRD_REVISE_DISPUTED | CRD_REVISE_UNDISPUTED) ||
        t->flags == (CRD_REVISE_DISPUTED | CRD_REVISE_UNDISPUTED))
        return crd__fail_argument(ledger, "terms.flags", "has an unknown flag, or two that contradict each other");
    status = crd__check_amount(ledger, "terms.total", t->total, 0);
    if (status == CRD_OK) status = crd__check_date_field(ledger, "terms.due", t->due);
    if (status == CRD_OK) status = crd__check_text(ledger, "terms.reason", t->reason);
    if (status == CRD_OK) status = crd__check_text(ledger, "terms.reference", t->reference);
    if (status == CRD_OK) status = crd__check_text(ledger, "terms.text", t->text);
    if (status != CRD_OK) return status;
    if (t->tax < 0 || t->tax > t->total) return crd__fail_argument(ledger, "terms.tax", "must lie between 0 and total");
    if (t->reserved != 0) return crd__fail_argument(ledger, "terms.reserved", "must be 0");
    if (t->end_line_count > 0 && t->end_lines == NULL)
        return crd__fail_argument(ledger, "terms.end_lines", "must be given with their number");
    if (t->end_line_count > CRD_MAX_CHANGES)
        return crd__fail(ledger, CRD_E_TOO_LARGE, "a document of that many lines does not fit a batch");
    return CRD_OK;
}

/* ---- lines ---- */

static crd_status end_lines(crd__command *command, const crd__doc *doc, revision *r) {
    const crd_invoice_record *record = doc->record;
    for (uint64_t i = 0; i < r->t.end_line_count; i++) {
        int64_t number = r->t.end_lines[i];
        crd__line *line = number >= 1 && (uint64_t)number <= r->lines.count ? &r->lines.items[number - 1] : NULL;
        if (line == NULL || line->record.ended_in != 0) {
            crd_status status = crd__fail_subject(command->ledger, CRD_E_NOT_FOUND, CRD_KIND_LINE, record->customer,
                                                  record->id, "it has no such line any more");
            command->ledger->error.field = "terms.end_lines";
            command->ledger->error.given = number;
            return status;
        }
        line->record.ended_in = record->revision + 1;
        line->changed = 1;
    }
    return CRD_OK;
}

/* A line that ends, its quantity negative, or one that is added. */
typedef struct piece {
    const char *sku, *text;
    int64_t quantity;
} piece;

/* Pieces of the same thing stand together: of one sku, or of none and the same text. */
static int compare_things(const void *a, const void *b) {
    const piece *x = a, *y = b;
    int order = strcmp(x->sku, y->sku);
    return order != 0 || x->sku[0] != '\0' ? order : strcmp(x->text, y->text);
}

/* 1 when less of something is added than ends. A sum stops growing where 64 bits end. */
static crd_status find_removal(crd_ledger *ledger, const revision *r, int *removes) {
    uint64_t most = r->lines.count + r->t.add_line_count + 1, count = 0;
    piece *pieces = crd__arena_take(&ledger->unit.arena, most * sizeof *pieces);
    void **list = crd__arena_take(&ledger->unit.arena, 2 * most * sizeof *list);
    int64_t sum = 0;
    *removes = 0;
    if (pieces == NULL || list == NULL) return crd__fail(ledger, CRD_E_NOMEM, NULL);
    for (uint64_t i = 0; i < r->lines.count; i++) {
        const crd_line_record *line = &r->lines.items[i].record;
        if (!r->lines.items[i].changed || line->ended_in == 0) continue;
        pieces[count].sku = line->sku;
        pieces[count].text = line->text;
        pieces[count++].quantity = -line->quantity;
    }
    if (count == 0) return CRD_OK;
    for (uint64_t i = 0; i < r->t.add_line_count; i++) {
        pieces[count].sku = r->add[i].sku;
        pieces[count].text = r->add[i].text;
        pieces[count++].quantity = r->add[i].quantity;
    }
    for (uint64_t i = 0; i < count; i++) list[i] = &pieces[i];
    crd__sort(list, count, list + most, compare_things);
    for (uint64_t i = 0; i < count; i++) {
        if (i > 0 && compare_things(list[i - 1], list[i]) != 0) sum = 0;
        (void)crd__add(sum, ((const piece *)list[i])->quantity, &sum);
        if (i + 1 < count && compare_things(list[i], list[i + 1]) == 0) continue;
        if (sum < 0) *removes = 1;
    }
    return CRD_OK;
}

/* A line that was returned stays: the return names it. */
static crd_status refuse_returned(crd__command *command, crd__doc *doc, revision *r) {
    crd__refusal why;
    crd_status status = r->t.end_line_count > 0 ? crd__line_returns(command, doc, &r->lines) : CRD_OK;
    for (uint64_t i = 0; status == CRD_OK && i < r->lines.count; i++) {
        const crd__line *line = &r->lines.items[i];
        if (!line->changed || (line->returned_quantity == 0 && line->returned_amount == 0)) continue;
        (void)crd__refuse(&why, CRD_E_RETURNED, CRD_KIND_INVOICE, crd__doc_id(doc), line->returned_amount, 0);
        why.field = "terms.end_lines";
        return crd__refused(command->ledger, &why, doc->account);
    }
    return status;
}

/* With lines, the total is the sum of those that are left and those that are added. */
static crd_status check_sum(crd_ledger *ledger, const crd__doc *doc, const revision *r) {
    const crd_invoice_record *record = doc->record;
    int64_t sum = r->added;
    if (record->line_count == 0 && r->t.add_line_count == 0) return CRD_OK;
    if (r->t.end_line_count == 0 && r->t.add_line_count == 0) sum = record->total;
    for (uint64_t i = 0; i < r->lines.count; i++)
        if (r->lines.items[i].record.ended_in == 0 && !crd__add(sum, r->lines.items[i].record.amount, &sum))
            return crd__fail(ledger, CRD_E_OVERFLOW, NULL);
    if (sum == r->t.total) return CRD_OK;
    crd__fail_argument(ledger, "terms.total", "must be the sum of the lines that are left");
    ledger->error.limit = sum;
    ledger->error.given = r->t.total;
    return CRD_E_ARGUMENT;
}

/* Lines are read when some change; else they are as they were. */
static crd_status prepare_lines(crd__command *command, crd__doc *doc, revision *r) {
    crd_status status = CRD_OK;
    if (r->t.end_line_count > 0 || r->t.add_line_count > 0) status = crd__read_lines(command, doc, &r->lines);
    if (status == CRD_OK) status = end_lines(command, doc, r);
    if (status == CRD_OK) status = check_sum(command->ledger, doc, r);
    return status;
}

/* ---- the revision ---- */

/* The invoice as it is to be, but for its lines. Texts live as long as the invoice. */
static crd_status fill_image(crd__command *command, const crd__doc *doc, const revision *r, crd_invoice_record *image) {
    crd__arena *arena = doc->account->arena;
    *image = *(const crd_invoice_record *)doc->record;
    image->total = r->t.total;
    image->tax = r->t.tax;
    if (r->t.due != CRD_DATE_NONE) image->due = r->t.due;
    if (r->t.flags & CRD_REVISE_DISPUTED) image->flags |= CRD_FLAG_DISPUTED;
    if (r->t.flags & CRD_REVISE_UNDISPUTED) image->flags &= ~(uint32_t)CRD_FLAG_DISPUTED;
    if (r->t.reference != NULL) image->reference = crd__arena_text(arena, r->t.reference);
    if (r->t.text != NULL) image->text = crd__arena_text(arena, r->t.text);
    if (image->reference == NULL || image->text == NULL) return crd__fail(command->ledger, CRD_E_NOMEM, NULL);
    return CRD_OK;
}

/* What names the invoice once nothing is open: what settled the last of it and still stands (rule M5). Only the journal
 * tells bad debt from a tolerance, so it is read where anything is written off. */
static crd_status find_cause(crd__command *command, const crd__doc *doc, uint32_t *cause) {
    const crd_invoice_record *record = doc->record;
    crd__application *list = NULL;
    uint64_t count = 0;
    uint32_t newest = CRD_CAUSE_NONE;
    crd_status status = CRD_OK;
    if (record->written_off > 0)
        status = crd__deeds(command->ledger, doc->account, doc, 0,
                            CRD__BIT(CRD_ENTRY_APPLY) | CRD__BIT(CRD_ENTRY_WRITE_OFF), &list, &count);
    for (uint64_t i = 0; status == CRD_OK && i < count; i++)
        if (list[i].left > 0) newest = list[i].type == CRD_ENTRY_APPLY ? CRD_CAUSE_APPLIED : list[i].cause;
    *cause = crd__revised_cause(record, newest);
    return status;
}

static crd_status write_revision(crd__command *command, crd__doc *doc, revision *r, crd_invoice_record *image,
                                 int32_t date) {
    const crd_invoice_record *record = doc->record;
    int changes_lines = r->t.end_line_count > 0 || r->t.add_line_count > 0;
    crd_entry_record entry;
    crd__concerned on;
    crd_status status = CRD_OK;
    memset(&on, 0, sizeof on);
    on.account = doc->account;
    on.invoice = doc;
    on.image = image;
    if (changes_lines)
        status = crd__add_lines(command, doc->account, CRD_KIND_INVOICE, record->id, r->add, r->t.add_line_count,
                                record->revision + 1, &r->lines);
    if (status == CRD_OK && changes_lines) {
        image->line_count = (uint32_t)r->lines.count;
        status = crd__write_lines(command, &on, &r->lines, doc->account->record.last_seq + 1, image->lines_digest);
    }
    if (status != CRD_OK) return status;
    crd__entry_clear(&entry, CRD_ENTRY_REVISE, date);
    entry.figure_before = record->total;
    entry.figure_after = r->t.total;
    entry.amount = CRD__MAX(record->total, r->t.total) - CRD__MIN(record->total, r->t.total);
    entry.reference = crd__arena_text(&command->ledger->unit.arena, r->t.reason);
    if (entry.reference == NULL) return crd__fail(command->ledger, CRD_E_NOMEM, NULL);
    if (record->state != CRD_INVOICE_DRAFT && record->open + (r->t.total - record->total) == 0)
        status = find_cause(command, doc, &entry.cause);
    if (status != CRD_OK) return status;
    return crd__write_entry(command, &on, &entry);
}

static int is_same(const crd_invoice_record *image, const crd_invoice_record *record, const revision *r) {
    return r->t.end_line_count == 0 && r->t.add_line_count == 0 &&
           crd__record_equal(CRD_KIND_INVOICE, image, record, NULL);
}

static crd_status revise(crd__command *command, crd__doc *doc, revision *r) {
    crd_ledger *ledger = command->ledger;
    const crd_invoice_record *record = doc->record;
    crd__revise_command ask;
    crd_invoice_record image;
    crd__refusal why;
    int64_t need = 0;
    crd_status status = crd__command_fresh(command, doc->account);
    if (status == CRD_OK) status = crd__command_feature(command, doc->account);
    if (status == CRD_OK) status = prepare_lines(command, doc, r);
    if (status == CRD_OK) status = find_removal(ledger, r, &ask.removes);
    if (status != CRD_OK) return status;
    ask.when = crd__command_when(command, 1);
    ask.total = r->t.total;
    ask.line_policy = ledger->settings.line_policy;
    if (crd__decide_may_revise(record, &ask, &need, &command->result.warnings, &why) != CRD_OK)
        return crd__refused(ledger, &why, doc->account);
    status = refuse_returned(command, doc, r);
    if (status == CRD_OK) status = fill_image(command, doc, r, &image);
    if (status == CRD_OK && is_same(&image, record, r))
        status = crd__fail_subject(ledger, CRD_E_NOTHING, CRD_KIND_INVOICE, record->customer, record->id, NULL);
    if (status == CRD_OK) status = crd__fit_allocations(command, doc, r->t.total, &ask.when);
    if (status == CRD_OK) status = crd__free_settled(command, doc, need, 0, &ask.when, &command->result.amount);
    if (status != CRD_OK) return status;
    return write_revision(command, doc, r, &image, ask.when.date);
}

crd_status crd_invoice_revise(crd_ledger *ledger, const crd_request *request, crd_invoice *invoice,
                              const crd_revise_terms *terms, crd_result *out) {
    crd__command command;
    revision r;
    crd_status status = crd__command_begin(ledger, request, CRD_COMMAND_INVOICE_REVISE, &command);
    if (status != CRD_OK) return status;
    memset(&r, 0, sizeof r);
    status = crd__take_struct(ledger, "terms", &r.t, sizeof r.t, sizeof r.t, terms);
    if (status == CRD_OK) status = revise_check_terms(ledger, &r.t);
    if (status == CRD_OK)
        status = crd__take_lines(ledger, "terms.add_lines", r.t.add_lines, r.t.add_line_count, &r.add, &r.added);
    if (status == CRD_OK) status = crd__command_handle(&command, invoice != NULL ? &invoice->handle : NULL, "invoice");
    if (status == CRD_OK) {
        crd__doc *doc = invoice->handle.doc;
        const crd_account_record *account = &doc->account->record;
        crd__argument_text(&command, "invoice", crd__doc_id(doc));
        crd__argument_number(&command, "terms.total", r.t.total);
        crd__argument_number(&command, "terms.tax", r.t.tax);
        crd__argument_number(&command, "terms.due", r.t.due);
        crd__argument_number(&command, "terms.flags", r.t.flags);
        crd__argument_lines(&command, "terms.lines", r.add, r.t.add_line_count, r.t.end_lines, r.t.end_line_count);
        crd__argument_text(&command, "terms.reason", r.t.reason);
        crd__argument_change(&command, "terms.reference", r.t.reference);
        crd__argument_change(&command, "terms.text", r.t.text);
        command.flags = r.t.flags;
        status = crd__command_allow(&command, account->customer, account->currency, crd__doc_id(doc), r.t.total);
        if (status == CRD_OK && !command.answered) status = revise(&command, doc, &r);
    }
    return crd__command_finish(&command, status, out);
}
