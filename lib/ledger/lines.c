/*
 * Lines of invoices and credit memos.
 *
 * 1. Lines are numbered from 1 without a gap. None is ever changed or removed: one that is no more is marked with the
 *    revision that ended it.
 * 2. A document says how many there are and has a digest over all of them as encoded, so its entry, whose image has
 *    both, proves them.
 * 3. The amounts of the lines that did not end sum to the document's; on a credit memo negated (rule M2).
 */
#include "core/money.h"
#include "ledger/ledger.h"

#include <string.h>

#define LINE_BYTES 4096 /* hold any encoded line: texts of 1000 bytes, four of 63, and fifteen numbers */

int crd__hash_line(crd__blake2b *hash, const crd_line_record *line) {
    uint8_t bytes[LINE_BYTES];
    uint64_t size = 0;
    if (crd_record_encode(CRD_KIND_LINE, line, bytes, sizeof bytes, &size) != CRD_OK) return 0;
    crd__blake2b_update(hash, bytes, (size_t)size);
    return 1;
}

/* ---- what a host passes ---- */

static crd_status lines_check_line(crd_ledger *ledger, const crd_line_terms *l) {
    crd_status status = crd__check_label(ledger, "lines.sku", l->sku);
    if (status == CRD_OK) status = crd__check_text(ledger, "lines.text", l->text);
    if (status == CRD_OK) status = crd__check_text(ledger, "lines.origin", l->origin);
    if (status == CRD_OK) status = crd__check_amount(ledger, "lines.quantity", l->quantity, 1);
    if (status == CRD_OK) status = crd__check_amount(ledger, "lines.unit_price", l->unit_price, 0);
    if (status == CRD_OK) status = crd__check_amount(ledger, "lines.amount", l->amount, 0);
    if (status != CRD_OK) return status;
    if (l->tax < 0 || l->tax > l->amount)
        return crd__fail_argument(ledger, "lines.tax", "must lie between 0 and the line's amount");
    if (l->reserved != 0) return crd__fail_argument(ledger, "lines.reserved", "must be 0");
    return CRD_OK;
}

crd_status crd__take_lines(crd_ledger *ledger, const char *field, const crd_line_terms *const *from, uint64_t count,
                           crd_line_terms **out, int64_t *sum) {
    crd__arena *arena = &ledger->unit.arena;
    crd_status status = CRD_OK;
    *out = NULL;
    *sum = 0;
    if (count == 0) return CRD_OK;
    if (from == NULL) return crd__fail_argument(ledger, field, "must be given with their number");
    if (count > CRD_MAX_CHANGES) {
        crd__fail(ledger, CRD_E_TOO_LARGE, "a document of that many lines does not fit a batch");
        ledger->error.limit = CRD_MAX_CHANGES;
        return CRD_E_TOO_LARGE;
    }
    *out = crd__arena_take(arena, count * sizeof **out);
    if (*out == NULL) return crd__fail(ledger, CRD_E_NOMEM, NULL);
    for (uint64_t i = 0; status == CRD_OK && i < count; i++) {
        crd_line_terms *l = &(*out)[i];
        status = crd__take_struct(ledger, field, l, sizeof *l, sizeof *l, from[i]);
        if (status == CRD_OK) status = lines_check_line(ledger, l);
        if (status != CRD_OK) return status;
        if (!crd__add(*sum, l->amount, sum)) return crd__fail(ledger, CRD_E_OVERFLOW, NULL);
        l->sku = crd__arena_text(arena, l->sku);
        l->text = crd__arena_text(arena, l->text);
        l->origin = crd__arena_text(arena, l->origin);
        if (l->sku == NULL || l->text == NULL || l->origin == NULL) status = crd__fail(ledger, CRD_E_NOMEM, NULL);
    }
    return status;
}

static void fill_line(const crd_line_terms *t, int64_t number, int negated, crd_line_record *l) {
    int64_t sign = negated ? -1 : 1;
    crd__record_clear(CRD_KIND_LINE, l);
    l->number = number;
    l->quantity = sign * t->quantity;
    l->unit_price = t->unit_price;
    l->amount = sign * t->amount;
    l->tax = sign * t->tax;
    l->sku = t->sku;
    l->text = t->text;
    l->origin = t->origin;
}

void crd__argument_lines(crd__command *command, const char *name, const crd_line_terms *lines, uint64_t count,
                         const int64_t *ends, uint64_t end_count) {
    crd__blake2b hash;
    crd_line_record line;
    uint8_t digest[CRD__BLAKE2B_SIZE];
    int64_t number;
    if (count == 0 && end_count == 0) {
        crd__argument_number(command, name, 0);
        return;
    }
    crd__blake2b_init(&hash);
    for (uint64_t i = 0; i < end_count; i++) { /* as a line that has nothing but its number */
        crd__record_clear(CRD_KIND_LINE, &line);
        line.number = ends[i];
        (void)crd__hash_line(&hash, &line);
    }
    for (uint64_t i = 0; i < count; i++) {
        fill_line(&lines[i], (int64_t)i + 1, 0, &line);
        (void)crd__hash_line(&hash, &line);
    }
    crd__blake2b_final(&hash, digest);
    memcpy(&number, digest, sizeof number);
    crd__argument_number(command, name, number);
}

/* ---- read ---- */

/* Takes a line over into its place; one of the open unit comes after the stored one and replaces it. */
static void lines_place(crd__lines *lines, uint32_t kind, const char *id, const crd_line_record *line) {
    if (line->document_kind != kind || strcmp(line->id, id) != 0 || line->number < 1 ||
        (uint64_t)line->number > lines->count)
        return;
    lines->items[line->number - 1].record = *line;
}

static crd_status read_stored(crd__command *command, const crd__doc *doc, crd__lines *lines) {
    crd_ledger *ledger = command->ledger;
    const crd__account *account = doc->account;
    crd_query query = crd__query(CRD_KIND_BIT_ACCOUNT | CRD_KIND_BIT_LINE, account->record.customer,
                                 account->record.currency);
    crd__loaded loaded;
    crd_status status;
    if (account->base == 0) return CRD_OK; /* the open unit made the account */
    query.id = crd__doc_id(doc);
    status = crd__read(ledger, &query, &ledger->unit.arena, &loaded);
    if (status != CRD_OK) return status;
    for (uint64_t i = 0; i < loaded.rest.count; i++)
        lines_place(lines, doc->kind, crd__doc_id(doc), ((crd__doc *)loaded.rest.items[i])->record);
    if (loaded.accounts.count != 1 || ((crd__account *)loaded.accounts.items[0])->base != account->base)
        status = crd__fail_subject(ledger, CRD_E_CONFLICT, CRD_KIND_ACCOUNT, account->record.customer,
                                   account->record.currency, NULL);
    crd__loaded_free(&loaded);
    return status;
}

static crd_status check_digest(crd_ledger *ledger, const crd__doc *doc, const crd__lines *lines) {
    const crd_credit_record *credit = doc->record;
    const crd_invoice_record *invoice = doc->record;
    const uint8_t *digest = doc->kind == CRD_KIND_CREDIT ? credit->lines_digest : invoice->lines_digest;
    uint8_t found[CRD__BLAKE2B_SIZE];
    crd__blake2b hash;
    int good = 1;
    crd__blake2b_init(&hash);
    for (uint64_t i = 0; i < lines->count; i++) good &= crd__hash_line(&hash, &lines->items[i].record);
    crd__blake2b_final(&hash, found);
    if (good && memcmp(found, digest, sizeof found) == 0) return CRD_OK;
    return crd__fail_subject(ledger, CRD_E_CORRUPT, doc->kind, doc->account->record.customer, crd__doc_id(doc),
                             "its lines are not those it was entered with");
}

crd_status crd__read_lines(crd__command *command, const crd__doc *doc, crd__lines *out) {
    crd_ledger *ledger = command->ledger;
    crd__arena *arena = &ledger->unit.arena;
    crd_status status;
    out->items = NULL;
    out->count = doc->kind == CRD_KIND_CREDIT ? ((const crd_credit_record *)doc->record)->line_count
                                              : ((const crd_invoice_record *)doc->record)->line_count;
    if (out->count == 0) return CRD_OK;
    out->items = crd__arena_take(arena, out->count * sizeof *out->items);
    if (out->items == NULL) return crd__fail(ledger, CRD_E_NOMEM, NULL);
    memset(out->items, 0, (size_t)(out->count * sizeof *out->items));
    for (uint64_t i = 0; i < out->count; i++) crd__record_clear(CRD_KIND_LINE, &out->items[i].record);
    status = read_stored(command, doc, out);
    for (uint64_t i = 0; status == CRD_OK && i < ledger->unit.lines.count; i++) {
        const crd__lined *line = ledger->unit.lines.items[i];
        if (line->account == doc->account) lines_place(out, doc->kind, crd__doc_id(doc), &line->record);
    }
    return status == CRD_OK ? check_digest(ledger, doc, out) : status;
}

/* ---- write ---- */

crd_status crd__add_lines(crd__command *command, const crd__account *account, uint32_t kind, const char *id,
                          const crd_line_terms *terms, uint64_t count, uint32_t revision, crd__lines *lines) {
    crd_ledger *ledger = command->ledger;
    crd__arena *arena = &ledger->unit.arena;
    crd__line *items;
    const char *copy;
    if (count == 0) return CRD_OK;
    if (lines->count + count > CRD_MAX_CHANGES) return crd__fail(ledger, CRD_E_TOO_LARGE, NULL);
    items = crd__arena_take(arena, (lines->count + count) * sizeof *items);
    copy = crd__arena_text(arena, id);
    if (items == NULL || copy == NULL) return crd__fail(ledger, CRD_E_NOMEM, NULL);
    if (lines->count > 0) memcpy(items, lines->items, (size_t)(lines->count * sizeof *items));
    for (uint64_t i = 0; i < count; i++) {
        crd__line *line = &items[lines->count + i];
        memset(line, 0, sizeof *line);
        fill_line(&terms[i], (int64_t)(lines->count + i + 1), kind == CRD_KIND_CREDIT, &line->record);
        line->record.customer = account->record.customer;
        line->record.currency = account->record.currency;
        line->record.document_kind = kind;
        line->record.id = copy;
        line->record.added_in = revision;
        line->insert = line->changed = 1;
    }
    lines->items = items;
    lines->count += count;
    return CRD_OK;
}

crd_status crd__write_lines(crd__command *command, crd__concerned *on, crd__lines *lines, int64_t seq,
                            uint8_t *digest) {
    crd_ledger *ledger = command->ledger;
    const crd_line_record **list = crd__arena_take(&ledger->unit.arena, (lines->count + 1) * sizeof *list);
    crd__blake2b hash;
    int good = 1;
    if (list == NULL) return crd__fail(ledger, CRD_E_NOMEM, NULL);
    memset(digest, 0, CRD__BLAKE2B_SIZE);
    if (lines->count == 0) return CRD_OK;
    crd__blake2b_init(&hash);
    for (uint64_t i = 0; i < lines->count; i++) {
        crd__line *line = &lines->items[i];
        crd__lined *kept;
        if (line->changed) line->record.last_seq = seq;
        good &= crd__hash_line(&hash, &line->record);
        if (!line->changed) continue;
        kept = crd__arena_take(&ledger->unit.arena, sizeof *kept);
        if (kept == NULL || !crd__list_push(&ledger->allocator, &ledger->unit.lines, kept))
            return crd__fail(ledger, CRD_E_NOMEM, NULL);
        kept->record = line->record;
        kept->account = on->account;
        kept->insert = line->insert;
        list[on->line_count++] = &kept->record;
    }
    crd__blake2b_final(&hash, digest);
    on->lines = list;
    return good ? CRD_OK : crd__fail(ledger, CRD_E_CORRUPT, NULL);
}
