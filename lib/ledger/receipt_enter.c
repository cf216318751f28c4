/*
 * Receipts entered: money received, its lines, and credits that pay with it, in one read and one write.
 *
 *     gather what the lines name → read it with customer and account → put both sides in order → decide (core) → write
 *
 * Terms:
 *   mention  a side of a line that names a document
 *   party    a document named, once; and, to distribute, every open invoice
 *
 * Invariants:
 * 1. Everything the decision sees was read together with the account, or is of the account's own snapshot.
 * 2. The arrays live in an arena of their own, which is freed before the call returns.
 */
#include "core/blake2b.h"
#include "ledger/ledger.h"

#include <string.h>

typedef struct entering_party {
    crd__party public; /* first, so that one is the other */
    uint32_t kind;
    const char *id;
    crd__doc *doc;
} entering_party;

typedef struct mention {
    uint32_t kind;
    const char *id;
    crd__party **slot;
} mention;

typedef struct entering {
    crd__command *command;
    const crd_receipt_terms *terms;
    const char *customer;
    crd__arena arena;
    crd__list held, more; /* accounts read, to be released */
    crd__list abroad;
    crd__list credits, invoices; /* entering_party * */
    crd__receipt_line *lines;
    crd__concerned on;
    crd__doc *credit; /* what its money becomes */
} entering;

static crd_status no_memory(const entering *e) {
    return crd__fail(e->command->ledger, CRD_E_NOMEM, NULL);
}

/* ---- what a caller may pass ---- */

static crd_status receipt_enter_check_line(crd_ledger *ledger, const crd_receipt_line *from, crd_receipt_line *l) {
    crd_status status = crd__take_struct(ledger, "terms.lines", l, sizeof *l, sizeof *l, from);
    if (status != CRD_OK) return status;
    if (l->flags != 0 || l->reserved != 0 || l->kind > CRD_RECEIPT_TOLERANCE)
        return crd__fail_argument(ledger, "terms.lines", "has an unknown flag or kind");
    if (l->invoice == NULL && l->credit == NULL)
        return crd__fail_argument(ledger, "terms.lines", "must name an invoice, a credit, or both");
    if (l->kind != CRD_RECEIPT_PAYS && (l->invoice == NULL || l->credit != NULL))
        return crd__fail_argument(ledger, "terms.lines", "a discount or tolerance names an invoice only");
    if (l->invoice != NULL) status = crd__check_any_id(ledger, "terms.lines", l->invoice);
    if (status == CRD_OK && l->credit != NULL) status = crd__check_any_id(ledger, "terms.lines", l->credit);
    if (status == CRD_OK) status = crd__check_amount(ledger, "terms.lines", l->amount, 1);
    return status;
}

static crd_status check_texts(crd_ledger *ledger, const crd_receipt_terms *t) {
    crd_status status = CRD_OK;
    if (t->id != NULL) status = crd__check_id(ledger, "terms.id", t->id);
    if (status == CRD_OK && t->credit != NULL) status = crd__check_id(ledger, "terms.credit", t->credit);
    if (status == CRD_OK) status = crd__check_label(ledger, "terms.method", t->method);
    if (status == CRD_OK) status = crd__check_label(ledger, "terms.source", t->source);
    if (status == CRD_OK) status = crd__check_text(ledger, "terms.payment_info", t->payment_info);
    if (status == CRD_OK) status = crd__check_text(ledger, "terms.reference", t->reference);
    return status;
}

static crd_status receipt_enter_check_terms(crd_ledger *ledger, const crd_receipt_terms *t) {
    crd_status status = check_texts(ledger, t);
    if (status == CRD_OK) status = crd__check_amount(ledger, "terms.amount", t->amount, 0);
    if (status == CRD_OK) status = crd__check_date_field(ledger, "terms.credit_expires", t->credit_expires);
    if (status != CRD_OK) return status;
    if (t->flags & ~(uint32_t)(CRD_RECEIPT_DISTRIBUTE | CRD_RECEIPT_EXCESS_TO_CREDIT))
        return crd__fail_argument(ledger, "terms.flags", "has an unknown flag");
    if (t->credit_kind != 0 && crd__credit_class(t->credit_kind) != CRD_CLASS_CASH)
        return crd__fail_argument(ledger, "terms.credit_kind", "must be a kind of class cash");
    if (t->credit_flags & ~(uint32_t)(CRD_FLAG_RESERVED | CRD_FLAG_NON_REFUNDABLE | CRD__AUTO_FLAGS))
        return crd__fail_argument(ledger, "terms.credit_flags", "has an unknown flag");
    if (t->reserved != 0) return crd__fail_argument(ledger, "terms.reserved", "must be 0");
    status = crd__check_auto_flags(ledger, "terms.credit_flags", t->credit_flags);
    if (status != CRD_OK) return status;
    if (t->line_count != 0 && t->lines == NULL)
        return crd__fail_argument(ledger, "terms.lines", "must be given with line_count");
    if (t->amount == 0 && t->line_count == 0)
        return crd__fail_argument(ledger, "terms.lines", "must be given when no money was received");
    if (t->amount == 0 && (t->credit != NULL || crd__or_empty(t->payment_info)[0] != '\0'))
        return crd__fail_argument(ledger, "terms.amount", "must be given with a credit or payment info");
    if (t->line_count > CRD_MAX_CHANGES) {
        (void)crd__fail(ledger, CRD_E_TOO_LARGE, "the receipt has more lines than one batch has changes");
        ledger->error.limit = CRD_MAX_CHANGES;
        return CRD_E_TOO_LARGE;
    }
    return CRD_OK;
}

/* The content of the lines as text, for the request key. */
static void tell_lines(const crd_receipt_terms *t, char *text) {
    static const char digits[] = "0123456789abcdef";
    uint8_t bytes[32];
    crd__blake2b hash;
    crd__blake2b_init(&hash);
    for (uint64_t i = 0; i < t->line_count; i++) {
        const crd_receipt_line *l = t->lines[i];
        for (int b = 0; b < 8; b++) bytes[b] = (uint8_t)((uint64_t)l->amount >> (8 * b));
        bytes[8] = (uint8_t)l->kind;
        crd__blake2b_update(&hash, bytes, 9);
        crd__blake2b_update(&hash, crd__or_empty(l->invoice), strlen(crd__or_empty(l->invoice)) + 1);
        crd__blake2b_update(&hash, crd__or_empty(l->credit), strlen(crd__or_empty(l->credit)) + 1);
    }
    crd__blake2b_final(&hash, bytes);
    for (int i = 0; i < 32; i++) {
        text[2 * i] = digits[bytes[i] >> 4];
        text[2 * i + 1] = digits[bytes[i] & 15];
    }
    text[64] = '\0';
}

static void receipt_enter_arguments(crd__command *command, const char *customer, const crd_receipt_terms *t,
                                    const char *lines) {
    crd__argument_text(command, "customer", customer);
    crd__argument_text(command, "terms.currency", t->currency);
    crd__argument_text(command, "terms.id", t->id);
    crd__argument_number(command, "terms.amount", t->amount);
    crd__argument_number(command, "terms.flags", t->flags);
    crd__argument_text(command, "terms.method", t->method);
    crd__argument_text(command, "terms.payment_info", t->payment_info);
    crd__argument_text(command, "terms.reference", t->reference);
    crd__argument_text(command, "terms.credit", t->credit);
    crd__argument_text(command, "terms.source", t->source);
    crd__argument_number(command, "terms.credit_kind", t->credit_kind);
    crd__argument_number(command, "terms.credit_flags", t->credit_flags);
    crd__argument_number(command, "terms.credit_expires", t->credit_expires);
    crd__argument_text(command, "terms.lines", lines);
}

/* ---- what the lines name ---- */

static int compare_mentions(const void *a, const void *b) {
    const mention *x = a, *y = b;
    return x->kind != y->kind ? (x->kind < y->kind ? -1 : 1) : strcmp(x->id, y->id);
}

static crd_status add_party(entering *e, uint32_t kind, const char *id, crd__doc *doc, entering_party **out) {
    entering_party *p = crd__arena_take(&e->arena, sizeof *p);
    crd__list *list = kind == CRD_KIND_CREDIT ? &e->credits : &e->invoices;
    if (p == NULL || !crd__list_push(&e->command->ledger->allocator, list, p)) return no_memory(e);
    memset(p, 0, sizeof *p);
    p->kind = kind;
    p->id = id;
    p->doc = doc;
    *out = p;
    return CRD_OK;
}

static void mention_line(const crd_receipt_line *from, crd__receipt_line *line, mention *m, void **list,
                         uint64_t *count) {
    const struct {
        uint32_t kind;
        const char *id;
        crd__party **slot;
    } sides[] = {{CRD_KIND_CREDIT, from->credit, &line->credit}, {CRD_KIND_INVOICE, from->invoice, &line->invoice}};
    memset(line, 0, sizeof *line);
    line->amount = from->amount;
    line->kind = from->kind;
    for (size_t n = 0; n < 2; n++) {
        if (sides[n].id == NULL) continue;
        m[*count].kind = sides[n].kind;
        m[*count].id = sides[n].id;
        m[*count].slot = sides[n].slot;
        list[*count] = &m[*count];
        ++*count;
    }
}

/* Every document once, credits and invoices each in the order of their ids. */
static crd_status receipt_enter_gather(entering *e) {
    const crd_receipt_terms *t = e->terms;
    uint64_t count = 0, most = 2 * t->line_count + 1;
    mention *m = crd__arena_take(&e->arena, most * sizeof *m);
    void **list = crd__arena_take(&e->arena, 2 * most * sizeof *list);
    entering_party *party = NULL;
    crd_status status = CRD_OK;
    e->lines = crd__arena_take(&e->arena, (t->line_count + 1) * sizeof *e->lines);
    if (m == NULL || list == NULL || e->lines == NULL) return no_memory(e);
    for (uint64_t i = 0; i < t->line_count; i++) mention_line(t->lines[i], &e->lines[i], m, list, &count);
    crd__sort(list, count, list + most, compare_mentions);
    for (uint64_t i = 0; status == CRD_OK && i < count; i++) {
        const mention *one = list[i];
        if (i == 0 || compare_mentions(list[i - 1], one) != 0) status = add_party(e, one->kind, one->id, NULL, &party);
        if (status == CRD_OK) *one->slot = &party->public;
    }
    return status;
}

/* ---- reading ---- */

static void receipt_enter_add_key(crd_key *keys, const crd_key **list, uint64_t *count, uint32_t kind,
                                  const char *customer, const char *currency, const char *id) {
    crd_key *key = &keys[*count];
    memset(key, 0, sizeof *key);
    key->struct_size = sizeof *key;
    key->kind = kind;
    key->customer = customer;
    key->currency = currency;
    key->id = id;
    list[(*count)++] = key;
}

/* Customer, both its accounts, the ids that are to be free, and all that the lines name, in one read. The keys come in
 * their order, but for the credit to be made. */
static crd_status read_named(entering *e) {
    crd_ledger *ledger = e->command->ledger;
    const crd_receipt_terms *t = e->terms;
    uint64_t most = e->credits.count + e->invoices.count + 5, count = 0;
    crd_key *keys = crd__arena_take(&e->arena, most * sizeof *keys);
    const crd_key **list = crd__arena_take(&e->arena, most * sizeof *list);
    crd_query query = crd__query(CRD_KIND_BIT_ACCOUNT | CRD_KIND_BIT_CUSTOMER | CRD_KIND_BIT_CREDIT |
                                     CRD_KIND_BIT_INVOICE | CRD_KIND_BIT_RECEIPT,
                                 e->customer, NULL);
    if (keys == NULL || list == NULL) return no_memory(e);
    receipt_enter_add_key(keys, list, &count, CRD_KIND_ACCOUNT, e->customer, "", "");
    receipt_enter_add_key(keys, list, &count, CRD_KIND_ACCOUNT, e->customer, t->currency, "");
    receipt_enter_add_key(keys, list, &count, CRD_KIND_CUSTOMER, e->customer, "", "");
    for (uint64_t i = 0; i < e->credits.count; i++)
        receipt_enter_add_key(keys, list, &count, CRD_KIND_CREDIT, e->customer, "",
                              ((entering_party *)e->credits.items[i])->id);
    for (uint64_t i = 0; i < e->invoices.count; i++)
        receipt_enter_add_key(keys, list, &count, CRD_KIND_INVOICE, e->customer, "",
                              ((entering_party *)e->invoices.items[i])->id);
    if (t->id != NULL) receipt_enter_add_key(keys, list, &count, CRD_KIND_RECEIPT, e->customer, "", t->id);
    if (t->credit != NULL) receipt_enter_add_key(keys, list, &count, CRD_KIND_CREDIT, e->customer, "", t->credit);
    query.keys = list;
    query.key_count = count;
    query.flags = CRD_QUERY_FOR_WRITE;
    return crd__load_keys(ledger, &query, &e->held, &e->abroad);
}

static crd__doc *anywhere(const entering *e, uint32_t kind, const char *id) {
    for (uint64_t i = 0; i < e->abroad.count; i++) {
        crd__doc *doc = e->abroad.items[i];
        if (doc->kind == kind && strcmp(crd__doc_id(doc), id) == 0) return doc;
    }
    return crd__command_taken(e->command->ledger, &e->held, kind, e->customer, id);
}

static crd_status find_documents(entering *e, const crd__list *parties) {
    crd_ledger *ledger = e->command->ledger;
    for (uint64_t i = 0; i < parties->count; i++) {
        entering_party *p = parties->items[i];
        p->doc = crd__doc_find(e->on.account, p->kind, p->id);
        if (p->doc == NULL && anywhere(e, p->kind, p->id) == NULL)
            return crd__fail_subject(ledger, CRD_E_NOT_FOUND, p->kind, e->customer, p->id, NULL);
    }
    return CRD_OK;
}

static crd_status refuse_abroad(const entering *e, const crd__list *parties) {
    for (uint64_t i = 0; i < parties->count; i++) {
        const entering_party *p = parties->items[i];
        if (p->doc == NULL)
            return crd__fail_subject(e->command->ledger, CRD_E_CURRENCY, p->kind, e->customer, p->id,
                                     "it is of another currency than the receipt");
    }
    return CRD_OK;
}

static crd_status receipt_enter_refuse_taken(const entering *e, uint32_t kind, const char *id) {
    if (id == NULL || anywhere(e, kind, id) == NULL) return CRD_OK;
    return crd__fail_subject(e->command->ledger, CRD_E_EXISTS, kind, e->customer, id, NULL);
}

/* The invoices named come sorted by id. */
static int receipt_enter_is_named(const entering *e, uint64_t named, const char *id) {
    uint64_t low = 0, high = named;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        int order = strcmp(((const entering_party *)e->invoices.items[middle])->id, id);
        if (order == 0) return 1;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return 0;
}

/* To distribute, every open invoice of the account takes part: a second read, of the same version or none. */
static crd_status read_open(entering *e) {
    crd_ledger *ledger = e->command->ledger;
    const crd__list *docs = &e->on.account->docs;
    crd_query query = crd__query(CRD_KIND_BIT_ACCOUNT | CRD_KIND_BIT_INVOICE, e->customer, e->terms->currency);
    uint64_t named = e->invoices.count;
    entering_party *p;
    crd_status status = CRD_OK;
    query.flags = CRD_QUERY_OPEN | CRD_QUERY_FOR_WRITE;
    if (e->on.account->base != 0) status = crd__load(ledger, &query, &e->more);
    if (status == CRD_OK) status = crd__command_fresh(e->command, e->on.account);
    for (uint64_t i = 0; status == CRD_OK && i < docs->count; i++) {
        crd__doc *doc = docs->items[i];
        if (doc->kind != CRD_KIND_INVOICE || doc->gone) continue;
        if (((const crd_invoice_record *)doc->record)->open > 0 && !receipt_enter_is_named(e, named, crd__doc_id(doc)))
            status = add_party(e, CRD_KIND_INVOICE, crd__doc_id(doc), doc, &p);
    }
    return status;
}

static crd_status prepare(entering *e) {
    const crd_receipt_terms *t = e->terms;
    crd_status status = receipt_enter_gather(e);
    if (status == CRD_OK) status = read_named(e);
    if (status == CRD_OK)
        status = crd__command_settle(e->command, e->customer, t->currency, &e->held, &e->on.account);
    if (status == CRD_OK) status = find_documents(e, &e->credits);
    if (status == CRD_OK) status = find_documents(e, &e->invoices);
    if (status == CRD_OK) status = receipt_enter_refuse_taken(e, CRD_KIND_RECEIPT, t->id);
    if (status == CRD_OK) status = receipt_enter_refuse_taken(e, CRD_KIND_CREDIT, t->credit);
    if (status == CRD_OK) status = refuse_abroad(e, &e->credits);
    if (status == CRD_OK) status = refuse_abroad(e, &e->invoices);
    if (status == CRD_OK && (t->flags & CRD_RECEIPT_DISTRIBUTE)) status = read_open(e);
    return status;
}

/* ---- the order of allocation ---- */

static int receipt_enter_compare_first(const void *a, const void *b) {
    const crd__party *x = a, *y = b;
    int64_t left = x->credit != NULL ? x->credit->first_seq : x->invoice->first_seq;
    int64_t right = y->credit != NULL ? y->credit->first_seq : y->invoice->first_seq;
    return left < right ? -1 : left > right;
}

static int receipt_enter_compare_rank(const void *a, const void *b) {
    const crd__party *x = a, *y = b;
    return x->rank < y->rank ? -1 : x->rank > y->rank;
}

static int receipt_enter_compare_by_host(const void *a, const void *b) {
    return crd__compare_by_host(((const entering_party *)a)->doc, ((const entering_party *)b)->doc);
}

/* By the account's sequence, then stably by one key after the other, the least significant first. */
static crd_status receipt_enter_put_in_order(entering *e, crd__list *parties, const uint32_t *order) {
    void **spare = crd__arena_take(&e->arena, (parties->count + 1) * sizeof *spare);
    uint32_t keys = 0;
    if (spare == NULL) return no_memory(e);
    for (uint64_t i = 0; i < parties->count; i++) {
        entering_party *p = parties->items[i];
        if (p->kind == CRD_KIND_CREDIT)
            p->public.credit = p->doc->record;
        else
            p->public.invoice = p->doc->record;
    }
    crd__sort(parties->items, parties->count, spare, receipt_enter_compare_first);
    if (parties->count > 0 && crd__host_orders(e->command->ledger, ((entering_party *)parties->items[0])->kind)) {
        crd__sort(parties->items, parties->count, spare, receipt_enter_compare_by_host);
        return CRD_OK;
    }
    while (keys < CRD_ORDER_KEYS && order[keys] != 0) keys++;
    while (keys-- > 0) {
        for (uint64_t i = 0; i < parties->count; i++) {
            crd__party *p = parties->items[i];
            p->rank = p->credit != NULL ? crd__order_credit(order[keys], p->credit)
                                        : crd__order_invoice(order[keys], p->invoice);
        }
        crd__sort(parties->items, parties->count, spare, receipt_enter_compare_rank);
    }
    return CRD_OK;
}

/* ---- writing ---- */

static crd_status write_money_receipt(entering *e, const char *id, const char *credit) {
    const crd_receipt_terms *t = e->terms;
    crd__command *command = e->command;
    const crd_account_record *account = &e->on.account->record;
    crd_receipt_record r;
    crd_entry_record entry;
    crd__doc *doc;
    crd__record_clear(CRD_KIND_RECEIPT, &r);
    r.customer = e->customer;
    r.currency = t->currency;
    r.id = id;
    r.first_seq = r.last_seq = r.posted_seq = account->last_seq + 1;
    r.state = CRD_RECEIPT_POSTED;
    r.received = r.last_date = command->date;
    r.received_at = CRD__MAX(command->instant, account->last_instant);
    r.amount = t->amount;
    r.credit = credit;
    r.method = t->amount != 0 ? "cash" : "adjustment";
    if (crd__or_empty(t->method)[0] != '\0') r.method = t->method;
    r.payment_info = crd__or_empty(t->payment_info);
    r.reference = crd__or_empty(t->reference);
    crd__entry_clear(&entry, CRD_ENTRY_RECEIPT, command->date);
    entry.amount = r.amount;
    entry.flags = CRD_ENTRY_POSTS_RECEIPT;
    return crd__write_document(command, &e->on, CRD_KIND_RECEIPT, &r, &entry, &doc);
}

/* The label of what the money becomes, unless the caller named one (rule M3). */
static const char *source_of(const crd_receipt_terms *t, uint32_t kind, int64_t applied) {
    if (crd__or_empty(t->source)[0] != '\0') return t->source;
    if (kind == CRD_CREDIT_PAYMENT && applied > 0) return crd__credit_source(CRD_CREDIT_OVERPAYMENT);
    return crd__credit_source(kind);
}

static void fill_credit(const entering *e, const char *id, crd_credit_record *c) {
    const crd_receipt_terms *t = e->terms;
    crd__record_clear(CRD_KIND_CREDIT, c);
    c->customer = e->customer;
    c->currency = t->currency;
    c->id = id;
    c->flags = t->credit_flags & ~(uint32_t)CRD__AUTO_FLAGS;
    c->credit_class = CRD_CLASS_CASH;
    c->kind = t->credit_kind != 0 ? t->credit_kind : CRD_CREDIT_PAYMENT;
    c->state = CRD_CREDIT_ACTIVE;
    c->issued = c->effective = c->last_date = e->command->date;
    c->expires = t->credit_expires;
    c->original = c->remaining = t->amount;
    c->payment_info = crd__or_empty(t->payment_info);
    c->reference = crd__or_empty(t->reference);
    c->method = crd__or_empty(t->method)[0] != '\0' ? t->method : "cash";
}

static crd_status write_credit(entering *e, crd_credit_record *c, int64_t applied) {
    const crd_account_record *account = &e->on.account->record;
    crd_entry_record entry;
    c->first_seq = c->last_seq = account->last_seq + 1;
    c->issued_at = CRD__MAX(e->command->instant, account->last_instant);
    c->receipt = crd__doc_id(e->on.receipt);
    c->source = source_of(e->terms, c->kind, applied);
    crd__entry_clear(&entry, CRD_ENTRY_ISSUE, e->command->date);
    entry.amount = entry.credit_after = c->original;
    entry.flags = CRD_ENTRY_POSTS_RECEIPT;
    return crd__write_document(e->command, &e->on, CRD_KIND_CREDIT, c, &entry, &e->credit);
}

static crd_status write_moves(entering *e, const crd__receipt_plan *plan) {
    crd_status status = CRD_OK;
    for (uint64_t i = 0; status == CRD_OK && i < plan->count; i++) {
        const crd__receipt_move *m = &plan->moves[i];
        crd__concerned on = e->on;
        crd_entry_record entry;
        on.invoice = ((const entering_party *)m->invoice)->doc;
        on.credit = m->credit != NULL ? ((const entering_party *)m->credit)->doc : e->credit;
        crd__entry_clear(&entry, m->move.type, m->move.date);
        entry.amount = m->move.amount;
        entry.cause = m->move.cause;
        entry.flags = CRD_ENTRY_POSTS_RECEIPT;
        if (m->move.type == CRD_ENTRY_WRITE_OFF)
            on.credit = NULL;
        else if (m->credit == NULL)
            entry.flags |= CRD_ENTRY_BY_OWN_RECEIPT;
        status = crd__write_entry(e->command, &on, &entry);
    }
    return status;
}

static crd_status decide_receipt(entering *e, const char *id, const char *credit, crd__receipt_plan *plan) {
    crd_ledger *ledger = e->command->ledger;
    crd__receipt_command ask;
    crd__refusal why;
    crd_status status = receipt_enter_put_in_order(e, &e->credits, ledger->settings.credit_order);
    if (status == CRD_OK) status = receipt_enter_put_in_order(e, &e->invoices, ledger->settings.invoice_order);
    if (status != CRD_OK) return status;
    memset(&ask, 0, sizeof ask);
    ask.when = crd__command_when(e->command, 0);
    ask.flags = e->terms->flags;
    ask.amount = e->terms->amount;
    ask.id = id;
    ask.credit = credit;
    ask.expires = e->terms->credit_expires;
    ask.lines = e->lines;
    ask.line_count = e->terms->line_count;
    ask.credits = (crd__party *const *)(void *)e->credits.items;
    ask.credit_count = e->credits.count;
    ask.invoices = (crd__party *const *)(void *)e->invoices.items;
    ask.invoice_count = e->invoices.count;
    memset(plan, 0, sizeof *plan);
    plan->moves = crd__arena_take(&e->arena, (crd__receipt_moves(&ask) + 1) * sizeof *plan->moves);
    plan->work = crd__arena_take(&e->arena, crd__receipt_work(&ask));
    if (plan->moves == NULL || plan->work == NULL) return no_memory(e);
    if (crd__decide_receipt(&ask, plan, &why) == CRD_OK) return CRD_OK;
    return crd__fail_refusal(ledger, &why, e->customer, e->terms->currency);
}

/* What has lapsed of the credits used is entered first (rule M7). */
static crd_status lapse_used(entering *e) {
    crd__when when = crd__command_when(e->command, 0);
    crd_status status = CRD_OK;
    for (uint64_t i = 0; status == CRD_OK && i < e->credits.count; i++)
        status = crd__enter_lapsed_before_use(e->command, ((entering_party *)e->credits.items[i])->doc, &when);
    return status;
}

static crd_status enter_receipt(entering *e) {
    crd__command *command = e->command;
    const crd_receipt_terms *t = e->terms;
    crd__receipt_plan plan;
    crd_credit_record credit;
    const char *id, *credit_id = "";
    int64_t next;
    crd_status status = prepare(e);
    if (status == CRD_OK) status = lapse_used(e);
    if (status != CRD_OK) return status;
    next = e->on.account->record.last_seq + 1;
    command->result.first_seq = next; /* the receipt, also when a lapse came first */
    id = t->id != NULL ? t->id : crd__derive_id(command, e->on.account, next);
    if (t->amount > 0) credit_id = t->credit != NULL ? t->credit : crd__derive_id(command, e->on.account, next + 1);
    if (id == NULL || credit_id == NULL) return no_memory(e);
    status = decide_receipt(e, id, credit_id, &plan);
    fill_credit(e, credit_id, &credit);
    if (status == CRD_OK) status = write_money_receipt(e, id, credit_id);
    if (status == CRD_OK && t->amount > 0) status = write_credit(e, &credit, plan.applied);
    if (status == CRD_OK) status = write_moves(e, &plan);
    if (status == CRD_OK && plan.kept > 0) status = crd__auto_apply(command, e->credit, t->credit_flags);
    if (status != CRD_OK) return status;
    command->created_id = crd__doc_id(e->on.receipt);
    command->result.amount = plan.applied;
    return CRD_OK;
}

static crd_status run(crd__command *command, const char *customer, const crd_receipt_terms *t, crd__doc **out) {
    crd_ledger *ledger = command->ledger;
    entering e;
    crd_status status;
    memset(&e, 0, sizeof e);
    e.command = command;
    e.terms = t;
    e.customer = customer;
    crd__arena_init(&e.arena, &ledger->allocator);
    status = enter_receipt(&e);
    *out = e.on.receipt;
    crd__release(ledger, &e.held);
    crd__release(ledger, &e.more);
    crd__list_free(&ledger->allocator, &e.abroad);
    crd__list_free(&ledger->allocator, &e.credits);
    crd__list_free(&ledger->allocator, &e.invoices);
    crd__arena_free(&e.arena);
    return status;
}

static crd_status check(crd_ledger *ledger, const char *customer, const crd_receipt_terms *from, crd_receipt_terms *t) {
    crd_status status = crd__check_id(ledger, "customer", customer);
    if (status == CRD_OK) status = crd__take_struct(ledger, "terms", t, sizeof *t, sizeof *t, from);
    if (status == CRD_OK) status = receipt_enter_check_terms(ledger, t);
    for (uint64_t i = 0; status == CRD_OK && i < t->line_count; i++) {
        crd_receipt_line line;
        status = receipt_enter_check_line(ledger, t->lines[i], &line);
        if (status == CRD_OK && t->credit != NULL && strcmp(crd__or_empty(line.credit), t->credit) == 0)
            status = crd__fail_argument(ledger, "terms.credit", "is a credit that a line uses");
    }
    if (status == CRD_OK) status = crd__check_currency(ledger, t->currency);
    return status;
}

crd_status crd__receipt_enter(crd__command *command, const char *customer, const crd_receipt_terms *terms, crd__doc **doc) {
    crd_receipt_terms t;
    crd_status status = check(command->ledger, customer, terms, &t);
    char *lines = crd__arena_take(&command->ledger->unit.arena, 65); /* the key is told them in the end */
    if (status == CRD_OK && lines == NULL) status = crd__fail(command->ledger, CRD_E_NOMEM, NULL);
    if (status != CRD_OK) return status;
    tell_lines(&t, lines);
    receipt_enter_arguments(command, customer, &t, lines);
    command->created_kind = CRD_KIND_RECEIPT;
    command->flags = t.flags;
    status = crd__command_allow(command, customer, t.currency, t.id, t.amount);
    return status == CRD_OK && !command->answered ? run(command, customer, &t, doc) : status;
}

static crd_status enter_receipt_once(crd_ledger *ledger, const crd_request *request, const char *customer,
                                     const crd_receipt_terms *terms, crd_receipt **out, crd_result *result) {
    crd__command command;
    crd__doc *doc = NULL;
    crd_status status;
    if (out != NULL) *out = NULL;
    status = crd__command_begin(ledger, request, CRD_COMMAND_RECEIPT_ENTER, &command);
    if (status == CRD_OK) {
        status = crd__receipt_enter(&command, customer, terms, &doc);
        status = crd__command_create(&command, status, CRD_KIND_RECEIPT, doc, customer, (crd__handle **)(void *)out);
    }
    if (status != CRD_OK) memset(&command.result, 0, sizeof command.result);
    command.result.struct_size = sizeof command.result;
    crd__give_struct(result, &command.result);
    return status;
}

crd_status crd_receipt_enter(crd_ledger *ledger, const crd_request *request, const char *customer,
                             const crd_receipt_terms *terms, crd_receipt **out, crd_result *result) {
    crd_status status;
    uint32_t tries = 0;
    do status = enter_receipt_once(ledger, request, customer, terms, out, result);
    while (crd__again(ledger, status, &tries));
    return status;
}
