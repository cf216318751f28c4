/*
 * See paying.h.
 */
#include "support/paying.h"

#include <string.h>

paying *receive(const char *id, int64_t amount) {
    static paying all[4];
    static unsigned next;
    paying *p = &all[next++ % 4];
    memset(p, 0, sizeof *p);
    p->terms.struct_size = sizeof p->terms;
    p->terms.currency = "EUR";
    p->terms.id = id;
    p->terms.amount = amount;
    p->terms.lines = p->lines;
    return p;
}

static paying *add(paying *p, const char *invoice, const char *credit, int64_t amount, uint32_t kind) {
    crd_receipt_line *line = &p->line[p->terms.line_count];
    ck_assert_uint_lt(p->terms.line_count, PAYING_LINES);
    line->struct_size = sizeof *line;
    line->invoice = invoice;
    line->credit = credit;
    line->amount = amount;
    line->kind = kind;
    p->lines[p->terms.line_count++] = line;
    return p;
}

paying *pays(paying *p, const char *invoice, int64_t amount) {
    return add(p, invoice, NULL, amount, CRD_RECEIPT_PAYS);
}

paying *uses(paying *p, const char *credit, int64_t amount) {
    return add(p, NULL, credit, amount, CRD_RECEIPT_PAYS);
}

paying *pair(paying *p, const char *credit, const char *invoice, int64_t amount) {
    return add(p, invoice, credit, amount, CRD_RECEIPT_PAYS);
}

paying *discount(paying *p, const char *invoice, int64_t amount) {
    return add(p, invoice, NULL, amount, CRD_RECEIPT_DISCOUNT);
}

paying *with(paying *p, uint32_t flags) {
    p->terms.flags |= flags;
    return p;
}

crd_status try_enter(crd_ledger *ledger, const crd_request *request, const char *who, const paying *p,
                     crd_result *out) {
    crd_receipt *made = NULL;
    crd_status status = crd_receipt_enter(ledger, request, who, &p->terms, &made, out);
    ck_assert_int_eq(made != NULL, status == CRD_OK);
    crd_receipt_free(made);
    return status;
}

crd_result enter(world *w, const char *who, const paying *p, int day) {
    crd_result r = result_block();
    OK(w, try_enter(w->ledger, on(day), who, p, &r));
    if (!w->careless) world_check(w);
    return r;
}

crd_receipt *find_receipt(crd_ledger *ledger, const char *who, const char *id) {
    crd_receipt *out = NULL;
    ENDS(ledger, crd_receipt_find(ledger, who, id, &out), CRD_OK);
    return out;
}

crd_status try_reverse(crd_ledger *ledger, const crd_request *request, const char *who, const char *id,
                       uint32_t flags, crd_result *out) {
    crd_reverse_terms t;
    crd_receipt *r = find_receipt(ledger, who, id);
    crd_status status;
    memset(&t, 0, sizeof t);
    t.struct_size = sizeof t;
    t.flags = flags;
    status = crd_receipt_reverse(ledger, request, r, &t, out);
    crd_receipt_free(r);
    return status;
}

crd_result reverse(world *w, const char *who, const char *id, int day) {
    crd_result r = result_block();
    OK(w, try_reverse(w->ledger, on(day), who, id, 0, &r));
    if (!w->careless) world_check(w);
    return r;
}

crd_receipt_record stored_receipt(world *w, const char *who, const char *id) {
    book *b = world_book(w);
    crd_receipt_record copy;
    memset(&copy, 0, sizeof copy);
    for (size_t i = 0; i < b->count; i++) {
        const crd_receipt_record *r = b->items[i].record;
        if (b->items[i].kind == CRD_KIND_RECEIPT && strcmp(r->customer, who) == 0 && strcmp(r->id, id) == 0) copy = *r;
    }
    ck_assert_msg(copy.struct_size != 0, "receipt %s of %s is not stored", id, who);
    book_free(b);
    return copy;
}
