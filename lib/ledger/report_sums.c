/*
 * Reports that add up over accounts: totals, revenue, roll-forward. A group is the sums of one row; groups are found by
 * what they are sums of, and told in order at the end.
 */
#include "ledger/report.h"

#include <string.h>

/* ---- groups ---- */

static uint64_t hash_of(const crd__group *g) {
    uint64_t hash = crd__hash_account(g->customer, g->currency);
    hash = crd__hash_text(crd__hash_text(hash, g->source), g->method);
    return (hash ^ g->credit_class ^ (uint64_t)g->state << 8 ^ (uint64_t)(uint32_t)g->date << 16) *
           UINT64_C(0x100000001b3);
}

static uint64_t report_sums_rehash(const void *list, uint32_t position) {
    return hash_of(((const crd__list *)list)->items[position]);
}

static int report_sums_compare_groups(const void *a, const void *b) {
    const crd__group *x = a, *y = b;
    int compared = strcmp(x->customer, y->customer);
    if (compared == 0) compared = strcmp(x->currency, y->currency);
    if (compared == 0) compared = x->date < y->date ? -1 : x->date > y->date;
    if (compared == 0) compared = (int)x->credit_class - (int)y->credit_class;
    if (compared == 0) compared = strcmp(x->source, y->source);
    if (compared == 0) compared = (int)x->state - (int)y->state;
    return compared != 0 ? compared : strcmp(x->method, y->method);
}

crd_status crd__report_group(crd_report *report, const crd__group *key, crd__group **out) {
    const crd_allocator *allocator = &report->ledger->allocator;
    const crd__index *index = &report->index;
    uint64_t hash = hash_of(key), slot;
    crd__group *g;
    for (slot = index->size != 0 ? (hash ^ hash >> 32) & (index->size - 1) : 0;
         index->size != 0 && index->slots[slot] != 0; slot = (slot + 1) & (index->size - 1)) {
        *out = report->groups.items[index->slots[slot] - 1];
        if (report_sums_compare_groups(*out, key) == 0) return CRD_OK;
    }
    g = crd__arena_take(&report->own, sizeof *g);
    if (g == NULL || !crd__list_room(allocator, &report->groups, 1)) return crd__fail(report->ledger, CRD_E_NOMEM, NULL);
    *g = *key;
    g->customer = crd__arena_text(&report->own, key->customer);
    g->currency = crd__arena_text(&report->own, key->currency);
    g->source = crd__arena_text(&report->own, key->source);
    g->method = crd__arena_text(&report->own, key->method);
    if (g->customer == NULL || g->currency == NULL || g->source == NULL || g->method == NULL ||
        !crd__index_put(allocator, &report->index, hash, (uint32_t)report->groups.count, report_sums_rehash,
                        &report->groups))
        return crd__fail(report->ledger, CRD_E_NOMEM, NULL);
    report->groups.items[report->groups.count++] = g;
    *out = g;
    return CRD_OK;
}

crd_status crd__report_add(crd_report *report, int64_t *figure, int64_t amount) {
    return crd__add(*figure, amount, figure) ? CRD_OK : crd__fail(report->ledger, CRD_E_OVERFLOW, NULL);
}

/* The figures whose sum is the amount of the row, from the first on; or the one that is. */
static crd_status sum_up(crd_report *report, const int64_t *figures, int64_t *amount) {
    uint32_t first = 0, count = 1;
    crd_status status = CRD_OK;
    switch (report->spec.report) {
    case CRD_REPORT_TOTALS: first = CRD_TOTALS_BALANCE; break;
    case CRD_REPORT_REVENUE: count = CRD_REVENUE_UNEARNED; break;
    case CRD_REPORT_TAKINGS: count = CRD_TAKINGS_FIGURES; break;
    default: first = CRD_ROLL_CLOSING; break;
    }
    for (uint32_t i = first; status == CRD_OK && i < first + count; i++)
        status = crd__report_add(report, amount, figures[i]);
    return status;
}

static crd_status group_row(crd_report *report, const crd__group *g, uint64_t figures) {
    crd_row *row = crd__report_row(report, &report->own, 0, g->customer, g->currency, "");
    if (row == NULL) return CRD_E_NOMEM;
    row->figures = g->figures;
    row->figure_count = figures;
    row->expired = g->expired;
    row->date = g->date;
    row->credit_class = g->credit_class;
    row->state = g->state;
    row->source = g->source;
    row->method = g->method;
    return sum_up(report, g->figures, &row->amount);
}

crd_status crd__report_sums(crd_report *report, uint64_t figures) {
    const crd_allocator *allocator = &report->ledger->allocator;
    crd_status status = CRD_OK;
    if (report->spec.report == CRD_REPORT_TAKINGS && report->spec.by == 0) {
        for (uint64_t i = 0; i < report->groups.count; i++)
            if (!crd__list_push(allocator, &report->rows, report->groups.items[i]))
                return crd__fail(report->ledger, CRD_E_NOMEM, NULL);
        return crd__report_sort(report, &report->own, crd__report_compare_takings);
    }
    if (report->groups.count > 0) {
        void **spare = crd__arena_take(&report->own, report->groups.count * sizeof *spare);
        if (spare == NULL) return crd__fail(report->ledger, CRD_E_NOMEM, NULL);
        crd__sort(report->groups.items, report->groups.count, spare, report_sums_compare_groups);
    }
    for (uint64_t i = 0; status == CRD_OK && i < report->groups.count; i++)
        status = group_row(report, report->groups.items[i], figures);
    return status;
}

static crd__group key_of(const crd_report *report, const crd_account_record *account) {
    crd__group key;
    memset(&key, 0, sizeof key);
    key.customer = report->spec.by & CRD_BY_CUSTOMER ? account->customer : "";
    key.currency = account->currency;
    key.source = key.method = "";
    return key;
}

/* ---- totals ---- */

static crd_status add_total(crd_report *report, const crd_account_record *account, const crd_credit_record *c) {
    int32_t date = report->spec.date;
    uint32_t by = report->spec.by, state = crd__credit_state(c, date);
    int64_t lapsed = crd__credit_lapsed(c, date);
    int issued = !(c->flags & CRD_FLAG_TRANSFERRED_IN) && c->credit_class != CRD_CLASS_OPENING;
    int64_t figures[CRD_TOTALS_FIGURES];
    crd__group key = key_of(report, account), *group;
    crd_status status;
    if (by & CRD_BY_CLASS) key.credit_class = c->credit_class;
    if (by & CRD_BY_SOURCE) key.source = c->source;
    if (by & CRD_BY_STATE) key.state = state;
    figures[CRD_TOTALS_ACTIVE] = state == CRD_CREDIT_ACTIVE;
    figures[CRD_TOTALS_BALANCE] = c->remaining - lapsed;
    figures[CRD_TOTALS_AVAILABLE] = crd__credit_usable(c, date) ? crd__credit_available(c) : 0;
    figures[CRD_TOTALS_CREDITS] = issued && crd__credit_credited(c) > 0;
    figures[CRD_TOTALS_ISSUED] = issued ? crd__credit_credited(c) : 0;
    figures[CRD_TOTALS_APPLIED] = crd__credit_applied(c);
    status = crd__report_group(report, &key, &group);
    for (int i = 0; status == CRD_OK && i < CRD_TOTALS_FIGURES; i++)
        status = crd__report_add(report, &group->figures[i], figures[i]);
    return status == CRD_OK ? crd__report_add(report, &group->expired, lapsed) : status;
}

crd_status crd__report_totals(crd_report *report, const crd__account *picture) {
    uint32_t states = report->spec.states;
    crd_status status = CRD_OK;
    for (uint64_t i = 0; status == CRD_OK && i < picture->docs.count; i++) {
        const crd__doc *doc = picture->docs.items[i];
        const crd_credit_record *c = doc->record;
        if (doc->kind != CRD_KIND_CREDIT || (c->flags & CRD_FLAG_DELETED) || !crd__report_source(report, c)) continue;
        if (states == 0 || (states >> crd__credit_state(c, report->spec.date) & 1))
            status = add_total(report, &picture->record, c);
    }
    return status;
}

/* ---- revenue ---- */

static const void *report_sums_document(crd__account *picture, uint32_t kind, const char *id) {
    const crd__doc *doc = id[0] != '\0' ? crd__doc_find(picture, kind, id) : NULL;
    return doc != NULL ? doc->record : NULL;
}

crd_status crd__report_revenue(crd_report *report) {
    const crd_report_spec *spec = &report->spec;
    crd__group key = key_of(report, &report->now.record), *group;
    crd_status status = crd__report_group(report, &key, &group);
    for (uint64_t i = 0; status == CRD_OK && i < report->journal.entries.count; i++) {
        const crd_entry_record *e = report->journal.entries.items[i];
        const crd_credit_record *credit = report_sums_document(&report->now, CRD_KIND_CREDIT, e->credit);
        uint32_t figure = 0;
        int64_t amount;
        if (e->business_date < spec->date_from || e->business_date > spec->date) continue;
        if (credit == NULL || !crd__report_source(report, credit)) continue;
        amount = crd__revenue(e, credit, report_sums_document(&report->now, CRD_KIND_INVOICE, e->invoice), &figure);
        if (amount != 0) status = crd__report_add(report, &group->figures[figure], amount);
    }
    for (uint64_t i = 0; status == CRD_OK && i < report->now.docs.count; i++) {
        const crd__doc *doc = report->now.docs.items[i];
        const crd_credit_record *c = doc->record;
        int64_t lapsed;
        if (doc->kind != CRD_KIND_CREDIT || crd__credit_counts_as(c) != CRD_CLASS_CASH || !crd__report_source(report, c))
            continue;
        lapsed = crd__credit_lapsed(c, spec->date);
        status = crd__report_add(report, &group->figures[CRD_REVENUE_UNEARNED], c->remaining - lapsed);
        if (status == CRD_OK) status = crd__report_add(report, &group->expired, lapsed);
    }
    return status;
}

/* ---- roll-forward ---- */

static crd_status roll_group(crd_report *report, const crd_credit_record *c, crd__group **out) {
    crd__group key = key_of(report, &report->now.record);
    key.credit_class = c->credit_class;
    key.source = c->source;
    return crd__report_group(report, &key, out);
}

/* Opening and closing are the two pictures; what lies between them are the entries, so the row ties or something is
 * wrong with the journal. */
static crd_status roll_credit(crd_report *report, const crd_credit_record *c) {
    const crd_credit_record *then = report_sums_document(&report->before, CRD_KIND_CREDIT, c->id);
    int64_t lapsed = crd__credit_lapsed(c, report->spec.date), before = 0, opening = 0;
    crd__group *group;
    crd_status status;
    if (then != NULL) {
        before = crd__credit_lapsed(then, report->spec.date_from - 1);
        opening = then->remaining - before;
    }
    status = roll_group(report, c, &group);
    if (status == CRD_OK) status = crd__report_add(report, &group->figures[CRD_ROLL_OPENING], opening);
    if (status == CRD_OK) status = crd__report_add(report, &group->figures[CRD_ROLL_CLOSING], c->remaining - lapsed);
    if (status == CRD_OK) status = crd__report_add(report, &group->figures[CRD_ROLL_EXPIRED], lapsed - before);
    return status == CRD_OK ? crd__report_add(report, &group->expired, lapsed - before) : status;
}

crd_status crd__report_roll(crd_report *report) {
    const crd_report_spec *spec = &report->spec;
    crd_status status = CRD_OK;
    for (uint64_t i = 0; status == CRD_OK && i < report->now.docs.count; i++) {
        const crd__doc *doc = report->now.docs.items[i];
        if (doc->kind == CRD_KIND_CREDIT && crd__report_source(report, doc->record))
            status = roll_credit(report, doc->record);
    }
    for (uint64_t i = 0; status == CRD_OK && i < report->journal.entries.count; i++) {
        const crd_entry_record *e = report->journal.entries.items[i];
        const crd_credit_record *credit = report_sums_document(&report->now, CRD_KIND_CREDIT, e->credit);
        crd__group *group;
        int64_t amount;
        uint32_t figure;
        if (credit == NULL || e->business_date < spec->date_from || e->business_date > spec->date) continue;
        if (!crd__report_source(report, credit)) continue;
        figure = crd__roll(e, credit, &amount);
        if (figure == CRD_ROLL_FIGURES) continue;
        status = roll_group(report, credit, &group);
        if (status == CRD_OK) status = crd__report_add(report, &group->figures[figure], amount);
    }
    return status;
}
