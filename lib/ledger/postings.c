/*
 * Postings: a walk over accounts, in which the journal of each is replayed from its first entry, because what an entry
 * means depends on the records as they were then. What it posts is then told by lib/core/posting.c. What was deleted as
 * a mistake is posted, and posted back (rule M11).
 *
 * Invariants:
 * 1. An account is walked up to the last entry that its record named when it was read; entries never change, so what is
 *    read of it later belongs to that version.
 * 2. The books of `postings_replay` hold the records after the entry that is being told.
 */
#include "ledger/postings.h"

#include "core/posting.h"

#include <string.h>

#define POSTINGS_PAGE_ACCOUNTS 256
#define POSTINGS_PAGE_ENTRIES 1024

struct crd_postings {
    crd_ledger *ledger;
    crd_posting_spec spec; /* its texts live in `own` */
    const char *names[CRD_GL_ROLES];
    crd__arena own;
    crd__arena account_page, entry_page, replayed;
    crd__list accounts; /* crd__account *, of account_page */
    uint64_t account_at;
    int complete;       /* there are no accounts behind these */
    crd__list entries;  /* crd__doc *, of entry_page */
    uint64_t entry_at;
    int64_t last_seq;   /* of the account being walked, 0 when none is */
    crd__replay replay; /* into the arena `replayed` */
    uint32_t previous;  /* type of the last entry replayed */
    crd_status broken;  /* a replay that failed half-way cannot go on */
    crd__leg legs[CRD__LEGS];
    uint32_t leg_count, leg_at;
    const crd_entry_record *entry;
    crd_posting row;
};

/* ---- opening ---- */

/* The names accounts have unless the host gives another, by CRD_GL_…; each ends with a NUL. */
static const char default_names[] = "Assets:Receivable\0Liabilities:Customer-Deposits\0Liabilities:Customer-Credits\0"
                                    "Assets:Bank\0Income:Returns\0Liabilities:Tax\0Expenses:Promotion\0"
                                    "Equity:Adjustments\0Equity:Opening-Balances\0Equity:Applied-Outside\0"
                                    "Income:Breakage\0Income:Sales\0Income:Charges\0Income:Debit-Memos\0"
                                    "Expenses:Bad-Debt\0Expenses:Small-Differences\0Expenses:Discounts";

static crd_status name_accounts(crd_postings *p, const crd_posting_spec *s) {
    const char *name = default_names;
    crd_status status = CRD_OK;
    for (uint32_t role = 0; status == CRD_OK && role < CRD_GL_ROLES; role++, name += strlen(name) + 1) {
        const char *given = s->accounts != NULL && role < s->account_count ? s->accounts[role] : NULL;
        p->names[role] = name;
        if (given == NULL) continue;
        status = given[0] != '\0' ? crd__check_text(p->ledger, "spec.accounts", given)
                                  : crd__fail_argument(p->ledger, "spec.accounts", "an account has no name");
        if (status != CRD_OK) return status;
        p->names[role] = crd__arena_text(&p->own, given);
        if (p->names[role] == NULL) status = crd__fail(p->ledger, CRD_E_NOMEM, NULL);
    }
    return status;
}

static crd_status postings_check_spec(crd_ledger *ledger, const crd_posting_spec *s) {
    crd_status status = CRD_OK;
    if (s->reserved != 0) return crd__fail_argument(ledger, "spec.reserved", "must be 0");
    if (s->customer != NULL) status = crd__check_any_id(ledger, "spec.customer", s->customer);
    if (status == CRD_OK && s->currency != NULL) status = crd__check_currency(ledger, s->currency);
    if (status == CRD_OK) status = crd__check_date_field(ledger, "spec.date_from", s->date_from);
    if (status == CRD_OK) status = crd__check_date_field(ledger, "spec.date_to", s->date_to);
    if (status == CRD_OK && s->account_count > CRD_GL_ROLES)
        status = crd__fail_argument(ledger, "spec.account_count", "is more than this version knows");
    if (status == CRD_OK && s->account_count > 0 && s->accounts == NULL)
        status = crd__fail_argument(ledger, "spec.accounts", "must be given with a count");
    return status;
}

/* Postings of a customer that does not exist are a mistake, not an empty book. */
static crd_status postings_find_customer(crd_postings *p) {
    crd_query query = crd__query(CRD_KIND_BIT_ACCOUNT, p->spec.customer, "");
    crd__loaded loaded;
    crd_status status = crd__read(p->ledger, &query, &p->account_page, &loaded);
    if (status != CRD_OK) return status;
    if (loaded.accounts.count == 0)
        status = crd__fail_subject(p->ledger, CRD_E_NOT_FOUND, CRD_KIND_CUSTOMER, p->spec.customer, p->spec.customer,
                                   NULL);
    crd__loaded_free(&loaded);
    return status;
}

static crd_status take_spec(crd_postings *p, const crd_posting_spec *s) {
    p->spec = *s;
    if (s->customer != NULL) p->spec.customer = crd__arena_text(&p->own, s->customer);
    if (s->currency != NULL) p->spec.currency = crd__arena_text(&p->own, s->currency);
    if ((s->customer != NULL && p->spec.customer == NULL) || (s->currency != NULL && p->spec.currency == NULL))
        return crd__fail(p->ledger, CRD_E_NOMEM, NULL);
    return name_accounts(p, s);
}

crd_status crd__postings_open(crd_ledger *ledger, const crd_posting_spec *spec, crd_postings **out) {
    crd_posting_spec s;
    crd_postings *p;
    crd_status status = crd__take_struct(ledger, "spec", &s, sizeof s, sizeof s, spec);
    if (status == CRD_OK) status = postings_check_spec(ledger, &s);
    if (status != CRD_OK) return status;
    p = crd__alloc(&ledger->allocator, sizeof *p);
    if (p == NULL) return crd__fail(ledger, CRD_E_NOMEM, NULL);
    p->ledger = ledger;
    crd__arena_init(&p->own, &ledger->allocator);
    crd__arena_init(&p->account_page, &ledger->allocator);
    crd__arena_init(&p->entry_page, &ledger->allocator);
    crd__arena_init(&p->replayed, &ledger->allocator);
    status = take_spec(p, &s);
    if (status == CRD_OK && s.customer != NULL) status = postings_find_customer(p);
    if (status != CRD_OK) {
        crd_postings_close(p);
        return status;
    }
    *out = p;
    return CRD_OK;
}

crd_status crd_postings_open(crd_ledger *ledger, const crd_posting_spec *spec, crd_postings **out) {
    crd_status status;
    if (out != NULL) *out = NULL;
    status = crd__enter(ledger);
    if (status != CRD_OK) return status;
    if (out == NULL) return crd__fail_argument(ledger, "out", "must be given");
    return crd__postings_open(ledger, spec, out);
}

void crd_postings_close(crd_postings *p) {
    crd_allocator allocator;
    if (p == NULL) return;
    allocator = p->ledger->allocator;
    crd__books_free(p->ledger, &p->replay.books);
    crd__list_free(&allocator, &p->accounts);
    crd__list_free(&allocator, &p->entries);
    crd__arena_free(&p->own);
    crd__arena_free(&p->account_page);
    crd__arena_free(&p->entry_page);
    crd__arena_free(&p->replayed);
    crd__free(&allocator, p);
}

const char *crd__postings_account(const crd_postings *p, uint32_t role) {
    return p->names[role];
}

/* ---- replay ---- */

static const void *postings_named(crd_postings *p, uint32_t kind, const char *id) {
    const crd__doc *doc = id[0] != '\0' ? crd__doc_find(&p->replay.books, kind, id) : NULL;
    return doc != NULL ? doc->record : NULL;
}

static crd_status postings_replay(crd_postings *p, const crd_entry_record *e) {
    const crd_invoice_record *before = postings_named(p, CRD_KIND_INVOICE, e->invoice);
    crd_entry_record after;
    crd__posted posted;
    crd_status status;
    memset(&posted, 0, sizeof posted);
    if (before != NULL) {
        posted.total_before = before->total;
        posted.tax_before = before->tax;
    }
    if (e->seq != p->replay.books.record.last_seq + 1)
        return crd__fail_subject(p->ledger, CRD_E_CORRUPT, CRD_KIND_ENTRY, e->customer, e->currency,
                                 "an entry is missing before this one");
    status = crd__replay_entry(&p->replay, e, &after);
    if (status != CRD_OK) return status;
    posted.entry = e;
    posted.credit = postings_named(p, CRD_KIND_CREDIT, e->credit);
    posted.invoice = postings_named(p, CRD_KIND_INVOICE, e->invoice);
    posted.previous = p->previous;
    posted.both_ends = p->spec.customer != NULL;
    p->previous = e->type;
    p->entry = e;
    if ((p->spec.date_from == 0 || e->business_date >= p->spec.date_from) &&
        (p->spec.date_to == 0 || e->business_date <= p->spec.date_to))
        p->leg_count = crd__post(&posted, p->legs);
    return CRD_OK;
}

/* ---- the walk ---- */

static crd_status postings_read_accounts(crd_postings *p) {
    crd_query query = crd__query(CRD_KIND_BIT_ACCOUNT, p->spec.customer, p->spec.currency);
    crd__arena spare;
    crd__loaded loaded;
    crd_status status;
    if (p->accounts.count > 0) {
        const crd__account *last = p->accounts.items[p->accounts.count - 1];
        query.after_customer = last->record.customer;
        query.after_currency = last->record.currency;
    }
    query.limit = POSTINGS_PAGE_ACCOUNTS;
    crd__arena_init(&spare, &p->ledger->allocator); /* the page before must live until this one is read */
    status = crd__read(p->ledger, &query, &spare, &loaded);
    if (status != CRD_OK) {
        crd__arena_free(&spare);
        return status;
    }
    crd__arena_free(&p->account_page);
    crd__list_free(&p->ledger->allocator, &p->accounts);
    p->account_page = spare;
    p->accounts = loaded.accounts;
    memset(&loaded.accounts, 0, sizeof loaded.accounts);
    crd__loaded_free(&loaded);
    p->account_at = 0;
    p->complete = p->accounts.count < POSTINGS_PAGE_ACCOUNTS;
    return CRD_OK;
}

static int postings_compare_seq(const void *a, const void *b) {
    const crd_entry_record *x = ((const crd__doc *)a)->record, *y = ((const crd__doc *)b)->record;
    return x->seq < y->seq ? -1 : x->seq > y->seq;
}

/* The entries that follow those replayed. */
static crd_status postings_read_entries(crd_postings *p) {
    crd_query query = crd__query(CRD_KIND_BIT_ENTRY, p->replay.books.record.customer, p->replay.books.record.currency);
    crd__loaded loaded;
    void **spare;
    crd_status status;
    query.seq_from = p->replay.books.record.last_seq + 1;
    query.seq_to = CRD__MIN(query.seq_from + POSTINGS_PAGE_ENTRIES - 1, p->last_seq);
    crd__list_free(&p->ledger->allocator, &p->entries);
    crd__arena_reset(&p->entry_page);
    p->entry_at = 0;
    status = crd__read(p->ledger, &query, &p->entry_page, &loaded);
    if (status != CRD_OK) return status;
    p->entries = loaded.rest;
    memset(&loaded.rest, 0, sizeof loaded.rest);
    crd__loaded_free(&loaded);
    spare = crd__arena_take(&p->entry_page, (p->entries.count + 1) * sizeof *spare);
    if (spare == NULL) return crd__fail(p->ledger, CRD_E_NOMEM, NULL);
    crd__sort(p->entries.items, p->entries.count, spare, postings_compare_seq);
    if (p->entries.count > 0) return CRD_OK;
    return crd__fail_subject(p->ledger, CRD_E_CORRUPT, CRD_KIND_ACCOUNT, query.customer, query.currency,
                             "entries are missing from its journal");
}

static void postings_begin_account(crd_postings *p) {
    const crd__account *account = p->accounts.items[p->account_at++];
    crd__books_free(p->ledger, &p->replay.books);
    crd__arena_reset(&p->replayed);
    crd__replay_begin(&p->replay, p->ledger, &account->record, &p->replayed, &p->entry_page);
    p->previous = 0;
    p->last_seq = account->record.currency[0] != '\0' ? account->record.last_seq : 0; /* no money in a customer's own */
}

/* Replays up to the next entry that posts something; leg_count is 0 after the last. */
static crd_status postings_advance(crd_postings *p) {
    crd_status status = CRD_OK;
    p->leg_at = p->leg_count = 0;
    while (status == CRD_OK && p->leg_count == 0) {
        if (p->replay.books.record.last_seq < p->last_seq) {
            if (p->entry_at == p->entries.count) status = postings_read_entries(p);
            if (status == CRD_OK)
                status = p->broken = postings_replay(p, ((crd__doc *)p->entries.items[p->entry_at++])->record);
        } else if (p->account_at < p->accounts.count) {
            postings_begin_account(p);
        } else if (!p->complete) {
            status = postings_read_accounts(p);
        } else {
            return CRD_OK;
        }
    }
    return status;
}

crd_status crd__postings_next(crd_postings *p, const crd_posting **out) {
    const crd__leg *leg;
    crd_status status;
    *out = NULL;
    if (p->broken != CRD_OK) return crd__fail(p->ledger, p->broken, NULL);
    if (p->leg_at == p->leg_count) {
        status = postings_advance(p);
        if (status != CRD_OK) {
            p->leg_at = p->leg_count = 0;
            return status;
        }
        if (p->leg_count == 0) return CRD_OK;
    }
    leg = &p->legs[p->leg_at];
    p->row.struct_size = sizeof p->row;
    p->row.role = leg->role;
    p->row.account = p->names[leg->role];
    p->row.customer = leg->other ? p->entry->other_customer : p->entry->customer;
    p->row.currency = p->entry->currency;
    p->row.amount = leg->amount;
    p->row.date = p->entry->business_date;
    p->row.number = p->leg_at++;
    p->row.entry = p->entry;
    *out = &p->row;
    return CRD_OK;
}

crd_status crd_postings_next(crd_postings *postings, const crd_posting **out) {
    crd_status status;
    if (out != NULL) *out = NULL;
    if (postings == NULL) return CRD_E_ARGUMENT;
    status = crd__enter(postings->ledger);
    if (status != CRD_OK) return status;
    if (out == NULL) return crd__fail_argument(postings->ledger, "out", "must be given");
    return crd__postings_next(postings, out);
}
