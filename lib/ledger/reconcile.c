/*
 * The reconcile run. A plan is a list of accounts, each with its open items in order, the proposed applications, and the
 * reason why an item stays open.
 *
 *     read a page (one read) → per account: order, allocate (core) → walk, skip, edit → write (one write)
 *
 * Invariants:
 * 1. What is posted is what the plan shows: posting reads nothing, and the guard of each account is the version the
 *    plan read. An account that moved is reported as conflicted.
 * 2. Accounts are packed whole into batches; one larger than a batch is posted in several writes, each a complete and
 *    valid state with a receipt of its own.
 */
#include "ledger/ledger.h"
#include "core/blake2b.h"

#include <string.h>

#define RECONCILE_PAGE CRD_MAX_ACCOUNTS

/* An item of an account while it is planned; the public one comes first, so one is the other. */
typedef struct plan_item {
    crd_plan_item public;
    crd__doc *doc;
    int32_t last;    /* date of its last entry, those of this plan included */
    int32_t rank;    /* value of the key being sorted by */
    uint32_t column; /* position in the allocator's columns */
    uint64_t paid_by; /* invoice: index of the last application that pays some of it */
    uint64_t lapses; /* holds that have lapsed, which is entered before the credit is used */
} plan_item;

typedef struct plan_application {
    crd_plan_application public;
    plan_item *credit, *invoice;
} plan_application;

typedef struct plan_account {
    crd_plan_account public;
    crd__account *account;
    uint64_t credits; /* the first items are credits */
    int64_t version;  /* the one planned on */
    int shown;        /* walked by the host */
    uint64_t batch;   /* applications in the batch being written */
    uint64_t rests;   /* write-offs in it */
    int counted;      /* as skipped */
    uint64_t lapses;  /* holds that may have to be entered as lapsed */
} plan_account;

/* What was read together is freed together. */
typedef struct plan_page {
    crd__arena arena;
    crd__loaded loaded;
    crd__list accounts; /* plan_account * */
} plan_page;

struct crd_plan {
    crd_ledger *ledger;
    crd_plan_spec spec; /* its texts live in `own` */
    int32_t date;
    int64_t now; /* instant up to which holds have lapsed; 0: not known, none has */
    crd__arena own;
    crd__arena work;    /* of the allocator, reset per account */
    crd__list pages;    /* plan_page * */
    crd__list accounts; /* plan_account *, in the order of the walk */
    uint64_t walked;
    uint64_t named;     /* customers of the spec already read */
    const char *after_customer, *after_currency;
    int complete;       /* nothing more to read */
    int streaming;      /* crd_reconcile(): pages are freed as they are posted */
};

/* ---- the spec ---- */

static crd_status copy_texts(crd_plan *plan, const char *const *from, uint64_t count, const char *const **out) {
    const char **list = crd__arena_take(&plan->own, (count + 1) * sizeof *list);
    *out = list;
    for (uint64_t i = 0; list != NULL && i < count; i++) {
        list[i] = crd__arena_text(&plan->own, from[i]);
        if (list[i] == NULL) list = NULL;
    }
    return list != NULL ? CRD_OK : crd__fail(plan->ledger, CRD_E_NOMEM, NULL);
}

static crd_status copy_keys(crd_plan *plan) {
    crd_plan_spec *spec = &plan->spec;
    crd_key *keys = crd__arena_take(&plan->own, (spec->item_count + 1) * sizeof *keys);
    const crd_key **list = crd__arena_take(&plan->own, (spec->item_count + 1) * sizeof *list);
    if (keys == NULL || list == NULL) return crd__fail(plan->ledger, CRD_E_NOMEM, NULL);
    for (uint64_t i = 0; i < spec->item_count; i++) {
        keys[i] = *spec->items[i];
        keys[i].customer = crd__arena_text(&plan->own, keys[i].customer);
        keys[i].id = crd__arena_text(&plan->own, keys[i].id);
        if (keys[i].customer == NULL || keys[i].id == NULL) return crd__fail(plan->ledger, CRD_E_NOMEM, NULL);
        list[i] = &keys[i];
    }
    spec->items = list;
    return CRD_OK;
}

static crd_status check_lists(crd_ledger *ledger, const crd_plan_spec *s) {
    crd_status status = CRD_OK;
    if (s->customer_count != 0 && s->customers == NULL)
        return crd__fail_argument(ledger, "spec.customers", "must be given with customer_count");
    if (s->item_count != 0 && s->items == NULL)
        return crd__fail_argument(ledger, "spec.items", "must be given with item_count");
    for (uint64_t i = 0; status == CRD_OK && i < s->customer_count; i++)
        status = crd__check_any_id(ledger, "spec.customers", s->customers[i]);
    for (uint64_t i = 0; status == CRD_OK && i < s->item_count; i++) {
        const crd_key *key = s->items[i];
        if (key == NULL || key->struct_size < sizeof *key ||
            (key->kind != CRD_KIND_CREDIT && key->kind != CRD_KIND_INVOICE))
            return crd__fail_argument(ledger, "spec.items", "must name credits and invoices");
        status = crd__check_any_id(ledger, "spec.items", key->customer);
        if (status == CRD_OK) status = crd__check_any_id(ledger, "spec.items", key->id);
    }
    return status;
}

static crd_status reconcile_check_spec(crd_ledger *ledger, const crd_plan_spec *s) {
    crd_status status = CRD_OK;
    if (s->flags & ~(uint32_t)(CRD_PLAN_USE_CASH | CRD_PLAN_ALL_OPEN | CRD_PLAN_BY_LOCATION | CRD_PLAN_CUSTOMERS))
        return crd__fail_argument(ledger, "spec.flags", "has an unknown flag");
    if (s->reserved != 0) return crd__fail_argument(ledger, "spec.reserved", "must be 0");
    status = crd__check_amount(ledger, "spec.tolerance", s->tolerance, 0);
    if (status != CRD_OK) return status;
    if (s->currency != NULL) status = crd__check_currency(ledger, s->currency);
    if (status == CRD_OK) status = crd__check_label(ledger, "spec.category", s->category);
    if (status == CRD_OK) status = crd__check_label(ledger, "spec.location", s->location);
    return status == CRD_OK ? check_lists(ledger, s) : status;
}

static int needs_customers(const crd_plan_spec *spec) {
    return (spec->flags & (CRD_PLAN_BY_LOCATION | CRD_PLAN_CUSTOMERS)) != 0 || spec->category != NULL ||
           spec->location != NULL;
}

/* The customers to read one by one: those named, and those whose documents are named; sorted, each once. */
static int compare_texts(const void *a, const void *b) {
    return strcmp(a, b);
}

static crd_status name_customers(crd_plan *plan) {
    crd_plan_spec *spec = &plan->spec;
    uint64_t count = 0, most = spec->customer_count + spec->item_count;
    void **list = crd__arena_take(&plan->own, (2 * most + 1) * sizeof *list);
    if (list == NULL) return crd__fail(plan->ledger, CRD_E_NOMEM, NULL);
    for (uint64_t i = 0; i < spec->customer_count; i++) list[count++] = (void *)(uintptr_t)spec->customers[i];
    for (uint64_t i = 0; spec->customer_count == 0 && i < spec->item_count; i++)
        list[count++] = (void *)(uintptr_t)spec->items[i]->customer;
    crd__sort(list, count, list + most, compare_texts);
    spec->customer_count = 0;
    for (uint64_t i = 0; i < count; i++)
        if (i == 0 || strcmp(list[i - 1], list[i]) != 0) list[spec->customer_count++] = list[i];
    spec->customers = (const char *const *)list;
    return CRD_OK;
}

static crd_status open_plan(crd_ledger *ledger, const crd_plan_spec *spec, crd_plan **out) {
    crd_plan *plan = crd__alloc(&ledger->allocator, sizeof *plan);
    crd_status status;
    if (plan == NULL) return crd__fail(ledger, CRD_E_NOMEM, NULL);
    plan->ledger = ledger;
    plan->spec = *spec;
    crd__arena_init(&plan->own, &ledger->allocator);
    crd__arena_init(&plan->work, &ledger->allocator);
    status = copy_texts(plan, spec->customers, spec->customer_count, &plan->spec.customers);
    if (status == CRD_OK) status = copy_keys(plan);
    if (status == CRD_OK) status = name_customers(plan);
    if (spec->currency != NULL) plan->spec.currency = crd__arena_text(&plan->own, spec->currency);
    if (spec->category != NULL) plan->spec.category = crd__arena_text(&plan->own, spec->category);
    if (spec->location != NULL) plan->spec.location = crd__arena_text(&plan->own, spec->location);
    if (status == CRD_OK && ((spec->currency != NULL && plan->spec.currency == NULL) ||
                             (spec->category != NULL && plan->spec.category == NULL) ||
                             (spec->location != NULL && plan->spec.location == NULL)))
        status = crd__fail(ledger, CRD_E_NOMEM, NULL);
    if (status != CRD_OK) {
        crd_plan_close(plan);
        return status;
    }
    *out = plan;
    return CRD_OK;
}

crd_status crd_plan_open(crd_ledger *ledger, const crd_plan_spec *spec, crd_plan **out) {
    crd_plan_spec s;
    int32_t date = CRD_DATE_NONE;
    crd_status status;
    if (out != NULL) *out = NULL;
    status = crd__enter(ledger);
    if (status != CRD_OK) return status;
    if (out == NULL) return crd__fail_argument(ledger, "out", "must be given");
    status = crd__take_struct(ledger, "spec", &s, sizeof s, sizeof s, spec);
    if (status == CRD_OK) status = reconcile_check_spec(ledger, &s);
    if (status == CRD_OK) status = crd__today(ledger, s.date, &date);
    if (status == CRD_OK && ledger->settings.feature_off) status = crd__fail(ledger, CRD_E_DISABLED, NULL);
    if (status == CRD_OK) status = open_plan(ledger, &s, out);
    if (status == CRD_OK) (*out)->date = date;
    if (status == CRD_OK) (*out)->now = crd__now(ledger);
    return status;
}

static void free_page(crd_plan *plan, plan_page *page) {
    const crd_allocator *allocator = &plan->ledger->allocator;
    for (uint64_t i = 0; i < page->loaded.accounts.count; i++) {
        crd__account *account = page->loaded.accounts.items[i];
        crd__list_free(allocator, &account->docs);
        crd__index_free(allocator, &account->index);
    }
    if (page->loaded.ledger != NULL) crd__loaded_free(&page->loaded);
    crd__list_free(allocator, &page->accounts);
    crd__arena_free(&page->arena);
    crd__free(allocator, page);
}

static void free_pages(crd_plan *plan) {
    while (plan->pages.count > 0) free_page(plan, plan->pages.items[--plan->pages.count]);
    plan->accounts.count = 0;
    plan->walked = 0;
}

void crd_plan_close(crd_plan *plan) {
    crd_allocator allocator;
    if (plan == NULL) return;
    allocator = plan->ledger->allocator;
    free_pages(plan);
    crd__list_free(&allocator, &plan->pages);
    crd__list_free(&allocator, &plan->accounts);
    crd__arena_free(&plan->own);
    crd__arena_free(&plan->work);
    crd__free(&allocator, plan);
}

/* ---- who takes part ---- */

static int reconcile_is_named(const crd_plan *plan, const crd__doc *doc) {
    const char *customer = doc->account->record.customer;
    int side = 0;
    for (uint64_t i = 0; i < plan->spec.item_count; i++) {
        const crd_key *key = plan->spec.items[i];
        if (key->kind != doc->kind) continue;
        side = 1;
        if (strcmp(key->customer, customer) == 0 && strcmp(key->id, crd__doc_id(doc)) == 0) return 1;
    }
    return !side; /* a side of which nothing is named is free */
}

/* `record` is the document's, as it will be when it is used. */
static uint32_t left_out(const crd_plan *plan, const crd__doc *doc, const void *record) {
    uint32_t reason = doc->kind == CRD_KIND_CREDIT
                          ? crd__left_credit(record, plan->date, (plan->spec.flags & CRD_PLAN_USE_CASH) != 0)
                          : crd__left_invoice(record, plan->date);
    if (reason == CRD_LEFT_NOTHING && !reconcile_is_named(plan, doc)) return CRD_LEFT_NOT_NAMED;
    return reason;
}

/* ---- one account ---- */

/* The two sides of an account as the allocator wants them. Items come in the order of allocation, so their position is
 * all the order it needs. */
typedef struct sides {
    crd_open_items items[2];
    int64_t *amounts[2];
    uint32_t *kinds[2];
    uint32_t *prefer;
    plan_item **list[2]; /* in the order of the columns */
    uint64_t count[2];
} sides;

static void *reconcile_take(crd_plan *plan, uint64_t count, size_t size, crd_status *status) {
    void *block = crd__arena_take(&plan->work, (count + 1) * size);
    if (block == NULL && *status == CRD_OK) *status = crd__fail(plan->ledger, CRD_E_NOMEM, NULL);
    return block;
}

static uint32_t order_length(const uint32_t *order) {
    uint32_t length = 0;
    while (length < CRD_ORDER_KEYS && order[length] != 0) length++;
    return length;
}

static crd_status make_room(crd_plan *plan, sides *s, const uint64_t *count) {
    crd_status status = CRD_OK;
    memset(s, 0, sizeof *s);
    for (int side = 0; side < 2; side++) {
        s->items[side].struct_size = sizeof s->items[side];
        s->amounts[side] = reconcile_take(plan, count[side], sizeof(int64_t), &status);
        s->kinds[side] = reconcile_take(plan, count[side], sizeof(uint32_t), &status);
        s->list[side] = reconcile_take(plan, count[side], sizeof(void *), &status);
    }
    s->prefer = reconcile_take(plan, count[0], sizeof(uint32_t), &status);
    return status;
}

static void add_credit(sides *s, plan_item *item) {
    uint64_t n = s->count[0]++;
    s->list[0][n] = item;
    s->amounts[0][n] = item->public.open;
    s->kinds[0][n] = item->public.credit->pays_kinds != 0 ? item->public.credit->pays_kinds : UINT32_MAX;
    item->column = (uint32_t)n;
}

static void add_invoice(sides *s, plan_item *item) {
    uint64_t n = s->count[1]++;
    s->list[1][n] = item;
    s->amounts[1][n] = item->public.open - item->public.proposed;
    s->kinds[1][n] = item->public.invoice->kind;
    item->column = (uint32_t)n;
}

static int compare_ids(const void *a, const void *b) {
    return strcmp(((const plan_item *)a)->public.invoice->id, ((const plan_item *)b)->public.invoice->id);
}

static uint32_t column_of(void *const *by_id, uint64_t count, const char *id) {
    uint64_t low = 0, high = count;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        int compared = strcmp(((const plan_item *)by_id[middle])->public.invoice->id, id);
        if (compared == 0) return ((const plan_item *)by_id[middle])->column + 1;
        if (compared < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return 0;
}

/* A credit may name the invoice it is to pay first. */
static crd_status add_preferences(crd_plan *plan, sides *s) {
    void **by_id, **spare;
    crd_status status = CRD_OK;
    int any = 0;
    for (uint64_t i = 0; i < s->count[0]; i++) any |= s->list[0][i]->public.credit->prefers[0] != '\0';
    if (!any) return CRD_OK;
    by_id = reconcile_take(plan, s->count[1], sizeof *by_id, &status);
    spare = reconcile_take(plan, s->count[1], sizeof *spare, &status);
    if (status != CRD_OK) return status;
    for (uint64_t i = 0; i < s->count[1]; i++) by_id[i] = s->list[1][i];
    crd__sort(by_id, s->count[1], spare, compare_ids);
    for (uint64_t i = 0; i < s->count[0]; i++)
        s->prefer[i] = column_of(by_id, s->count[1], s->list[0][i]->public.credit->prefers);
    s->items[0].prefer = s->prefer;
    return CRD_OK;
}

static void finish_columns(sides *s) {
    int restricted = 0;
    for (int side = 0; side < 2; side++) {
        s->items[side].count = s->count[side];
        s->items[side].amount = s->amounts[side];
    }
    for (uint64_t i = 0; i < s->count[0]; i++) restricted |= s->kinds[0][i] != UINT32_MAX;
    if (restricted) {
        s->items[0].kind = s->kinds[0];
        s->items[1].kind = s->kinds[1];
    }
}

/* An application takes the latest date of the run and of its two documents (rule M6), and so moves theirs. */
static void add_application(const crd_plan *plan, plan_account *account, plan_application *application,
                            plan_item *credit, plan_item *invoice, int64_t amount) {
    int32_t date = CRD__MAX(plan->date, CRD__MAX(credit->last, invoice->last));
    memset(application, 0, sizeof *application);
    application->public.struct_size = sizeof application->public;
    application->public.business_date = credit->last = invoice->last = date;
    application->public.amount = amount;
    application->public.credit = credit->public.credit;
    application->public.invoice = invoice->public.invoice;
    application->credit = credit;
    application->invoice = invoice;
    credit->public.proposed += amount;
    invoice->public.proposed += amount;
    account->public.applied += amount;
}

/* A pair that would be dated on or after the credit's expiry is left out (rule M6). A credit's own date does not
 * matter: it is usable on the run's date, and what it pays is dated before its expiry. */
static int is_late(const plan_item *credit, const plan_item *invoice) {
    return credit->public.credit->expires != 0 && invoice->last >= credit->public.credit->expires;
}

/* Allocates what takes part; with `only`, that credit alone, to what it may pay of what is still open. */
static crd_status allocate_once(crd_plan *plan, plan_account *account, plan_item *only, sides *s,
                                crd_allocation *out) {
    uint64_t size;
    void *work;
    crd_status status = CRD_OK;
    uint64_t count[2] = {0, 0};
    for (uint64_t i = 0; i < account->public.item_count; i++)
        count[account->public.items[i]->kind == CRD_KIND_INVOICE]++;
    crd__arena_reset(&plan->work);
    status = make_room(plan, s, count);
    memset(out, 0, sizeof *out);
    out->struct_size = sizeof *out;
    out->capacity = count[0] + count[1];
    out->credit = reconcile_take(plan, out->capacity, sizeof(uint32_t), &status);
    out->invoice = reconcile_take(plan, out->capacity, sizeof(uint32_t), &status);
    out->amount = reconcile_take(plan, out->capacity, sizeof(int64_t), &status);
    if (status != CRD_OK) return status;
    for (uint64_t i = 0; i < account->public.item_count; i++) {
        plan_item *item = (plan_item *)(uintptr_t)account->public.items[i];
        if (item->public.left_out != CRD_LEFT_NOTHING) continue;
        if (item->public.kind == CRD_KIND_CREDIT && (only == NULL || only == item)) add_credit(s, item);
        if (item->public.kind == CRD_KIND_INVOICE && (only == NULL || !is_late(only, item)))
            add_invoice(s, item);
    }
    finish_columns(s);
    status = add_preferences(plan, s);
    if (status != CRD_OK) return status;
    if (s->count[0] == 0 || s->count[1] == 0) return CRD_OK;
    size = crd_allocate_work_size(s->count[0], s->count[1]);
    work = crd__arena_take(&plan->work, size);
    if (work == NULL) return crd__fail(plan->ledger, CRD_E_NOMEM, NULL);
    status = crd_allocate(&s->items[0], &s->items[1], work, size, out);
    return status == CRD_OK ? CRD_OK : crd__fail(plan->ledger, status, NULL);
}

static void take_found(const crd_plan *plan, plan_account *account, const sides *s, const crd_allocation *found,
                       plan_application *list, const crd_plan_application **pointers) {
    for (uint64_t i = 0; i < found->count; i++) {
        uint64_t at = account->public.application_count++;
        add_application(plan, account, &list[at], s->list[0][found->credit[i]], s->list[1][found->invoice[i]],
                        found->amount[i]);
        pointers[at] = &list[at].public;
    }
}

/* Whether some pair may be dated past an expiry: only when a document was touched after the run's date. */
static int reconcile_needs_care(const crd_plan *plan, const plan_account *account) {
    int expires = 0, later = 0;
    for (uint64_t i = 0; i < account->public.item_count; i++) {
        const plan_item *item = (const plan_item *)account->public.items[i];
        if (item->public.left_out != CRD_LEFT_NOTHING) continue;
        expires |= item->public.credit != NULL && item->public.credit->expires != 0;
        later |= item->last > plan->date;
    }
    return expires && later;
}

/* Items are in order. All credits at once; or, with care, credit by credit, because each pair moves the dates that the
 * next one depends on. Every application uses up an item, so there are no more than items. */
static crd_status allocate(crd_plan *plan, plan_page *page, plan_account *account) {
    uint64_t most = account->public.item_count;
    plan_application *list = crd__arena_take(&page->arena, (most + 1) * sizeof *list);
    const crd_plan_application **pointers = crd__arena_take(&page->arena, (most + 1) * sizeof *pointers);
    int careful = reconcile_needs_care(plan, account);
    sides s;
    crd_allocation found;
    crd_status status = list != NULL && pointers != NULL ? CRD_OK : crd__fail(plan->ledger, CRD_E_NOMEM, NULL);
    if (status != CRD_OK) return status;
    account->public.applications = pointers;
    if (!careful) {
        status = allocate_once(plan, account, NULL, &s, &found);
        if (status == CRD_OK) take_found(plan, account, &s, &found, list, pointers);
    }
    for (uint64_t i = 0; status == CRD_OK && careful && i < account->credits; i++) {
        plan_item *credit = (plan_item *)(uintptr_t)account->public.items[i];
        if (credit->public.left_out != CRD_LEFT_NOTHING) continue;
        status = allocate_once(plan, account, credit, &s, &found);
        if (status == CRD_OK) take_found(plan, account, &s, &found, list, pointers);
    }
    return status;
}

static int reconcile_compare_first(const void *a, const void *b) {
    const plan_item *x = a, *y = b;
    int64_t left = x->public.credit != NULL ? x->public.credit->first_seq : x->public.invoice->first_seq;
    int64_t right = y->public.credit != NULL ? y->public.credit->first_seq : y->public.invoice->first_seq;
    if (x->public.kind != y->public.kind) return x->public.kind < y->public.kind ? -1 : 1;
    return left < right ? -1 : left > right;
}

static int reconcile_compare_rank(const void *a, const void *b) {
    int32_t x = ((const plan_item *)a)->rank, y = ((const plan_item *)b)->rank;
    return x < y ? -1 : x > y;
}

int crd__host_orders(const crd_ledger *ledger, uint32_t kind) {
    return kind == CRD_KIND_CREDIT ? ledger->hooks.compare_credits != NULL : ledger->hooks.compare_invoices != NULL;
}

int crd__compare_by_host(const crd__doc *a, const crd__doc *b) {
    crd_ledger *ledger = a->account->ledger;
    const crd_hooks *hooks = &ledger->hooks;
    int32_t compared;
    ledger->busy = 1;
    compared = a->kind == CRD_KIND_CREDIT ? hooks->compare_credits(hooks->ctx, a->record, b->record)
                                          : hooks->compare_invoices(hooks->ctx, a->record, b->record);
    ledger->busy = 0;
    return compared;
}

/* The list is in the order of the sequence, and the sort keeps that of what compares equal. */
static int reconcile_compare_by_host(const void *a, const void *b) {
    return crd__compare_by_host(((const plan_item *)a)->doc, ((const plan_item *)b)->doc);
}

static int32_t rank_of(const crd_plan *plan, const plan_item *item, uint32_t k) {
    const crd_settings *settings = &plan->ledger->settings;
    if (item->public.kind == CRD_KIND_CREDIT) return crd__order_credit(settings->credit_order[k], item->public.credit);
    return crd__order_invoice(settings->invoice_order[k], item->public.invoice);
}

/* Items are shown in the order of allocation: by the keys of their side, then by sequence. A stable sort by one key
 * after the other, the least significant first. */
static void show_in_order(crd_plan *plan, plan_item **items, uint64_t count, uint32_t kind, const uint32_t *order,
                          void **spare) {
    uint32_t keys = order_length(order);
    if (crd__host_orders(plan->ledger, kind)) {
        crd__sort((void **)items, count, spare, reconcile_compare_by_host);
        return;
    }
    for (uint32_t k = keys; k-- > 0;) {
        for (uint64_t i = 0; i < count; i++) items[i]->rank = rank_of(plan, items[i], k);
        crd__sort((void **)items, count, spare, reconcile_compare_rank);
    }
}

static void tolerate(const crd_plan *plan, plan_account *account, plan_item *invoice) {
    account->public.written_off -= invoice->public.write_off;
    invoice->public.write_off = crd__tolerated(invoice->public.open, invoice->public.proposed, plan->spec.tolerance);
    account->public.written_off += invoice->public.write_off;
}

/* Small rests of what the run pays are written off, behind the last application that pays some of it. */
static void tolerate_all(const crd_plan *plan, plan_account *account) {
    if (plan->spec.tolerance == 0) return;
    for (uint64_t i = 0; i < account->public.item_count; i++) {
        plan_item *item = (plan_item *)(uintptr_t)account->public.items[i];
        if (item->public.kind == CRD_KIND_INVOICE) tolerate(plan, account, item);
    }
}

static int64_t stays_open(const plan_item *item) {
    return item->public.open - item->public.proposed - item->public.write_off;
}

/* Why something of an item stays open after the proposal. */
static void explain(plan_account *account) {
    int invoices_open = 0;
    for (uint64_t i = 0; i < account->public.item_count; i++) {
        plan_item *item = (plan_item *)(uintptr_t)account->public.items[i];
        if (item->public.kind == CRD_KIND_INVOICE && item->public.left_out == CRD_LEFT_NOTHING)
            invoices_open |= stays_open(item) > 0;
    }
    for (uint64_t i = 0; i < account->public.item_count; i++) {
        plan_item *item = (plan_item *)(uintptr_t)account->public.items[i];
        if (item->public.left_out != CRD_LEFT_NOTHING || stays_open(item) == 0) continue;
        item->public.left_out = CRD_LEFT_NO_COUNTERPART;
        if (item->public.credit == NULL || !invoices_open) continue;
        /* An invoice is open that it did not pay: it may not, or the pair would have been dated past its expiry. */
        item->public.left_out = item->public.credit->pays_kinds != 0 ? CRD_LEFT_RESTRICTED : CRD_LEFT_EXPIRED;
    }
}

static int takes_part(const crd__doc *doc) {
    if (doc->gone) return 0;
    switch (doc->kind) {
    case CRD_KIND_CREDIT: return ((const crd_credit_record *)doc->record)->remaining > 0;
    case CRD_KIND_INVOICE: {
        const crd_invoice_record *invoice = doc->record;
        return invoice->open > 0 || invoice->state == CRD_INVOICE_DRAFT;
    }
    default: return 0;
    }
}

/* A credit as it will be once what has lapsed is entered. When that takes it past its expiry, it has expired. */
static void lapse(const crd_plan *plan, const crd__doc *doc, crd_credit_record *seen, plan_item *item) {
    const crd_account_record *account = &doc->account->record;
    crd__when when;
    memset(&when, 0, sizeof when);
    when.closed_through = plan->ledger->settings.closed_through;
    if (seen->held == 0 || account->lapses_at == 0 || account->lapses_at > plan->now) return;
    for (uint64_t i = 0; i < doc->account->docs.count; i++) {
        const crd__doc *other = doc->account->docs.items[i];
        const crd_hold_record *hold = other->record;
        if (other->kind != CRD_KIND_HOLD || other->gone || strcmp(hold->credit, seen->id) != 0 ||
            !crd__hold_lapsed(hold, plan->now))
            continue;
        item->lapses++;
        seen->held -= hold->amount;
        seen->last_date = crd__day_entered(seen, &when, hold->lapses_on);
    }
}

static void fill_item(const crd_plan *plan, crd__doc *doc, plan_item *item) {
    crd_credit_record seen;
    const void *as = doc->record;
    memset(item, 0, sizeof *item);
    item->doc = doc;
    item->public.struct_size = sizeof item->public;
    item->public.kind = doc->kind;
    if (doc->kind == CRD_KIND_CREDIT) {
        item->public.credit = doc->record;
        seen = *item->public.credit;
        lapse(plan, doc, &seen, item);
        as = &seen;
        item->public.open = crd__credit_available(&seen);
        item->last = seen.last_date;
    } else {
        item->public.invoice = doc->record;
        item->public.open = item->public.invoice->open;
        item->last = item->public.invoice->last_date;
    }
    item->public.left_out = left_out(plan, doc, as);
    if (item->lapses > 0 && item->public.left_out == CRD_LEFT_NOTHING && crd__credit_expired(as, item->last))
        item->public.left_out = CRD_LEFT_EXPIRED;
}

/* Items of an account, in order of sequence, credits first; `account` holds the documents. */
static crd_status list_items(crd_plan *plan, plan_page *page, plan_account *account) {
    const crd__list *docs = &account->account->docs;
    plan_item *items = crd__arena_take(&page->arena, (docs->count + 1) * sizeof *items);
    plan_item **list = crd__arena_take(&page->arena, (docs->count + 1) * sizeof *list);
    void **spare = crd__arena_take(&plan->work, (docs->count + 1) * sizeof *spare);
    uint64_t count = 0;
    if (items == NULL || list == NULL || spare == NULL) return crd__fail(plan->ledger, CRD_E_NOMEM, NULL);
    for (uint64_t i = 0; i < docs->count; i++) {
        crd__doc *doc = docs->items[i];
        if (!takes_part(doc)) continue;
        fill_item(plan, doc, &items[count]);
        list[count] = &items[count];
        account->credits += doc->kind == CRD_KIND_CREDIT;
        account->lapses += items[count].lapses;
        count++;
    }
    crd__sort((void **)list, count, spare, reconcile_compare_first);
    account->public.items = (const crd_plan_item *const *)list;
    account->public.item_count = count;
    return CRD_OK;
}

static crd_status plan_one(crd_plan *plan, plan_page *page, plan_account *account) {
    const crd_settings *settings = &plan->ledger->settings;
    plan_item **items;
    void **spare;
    crd_status status;
    crd__arena_reset(&plan->work);
    account->public.struct_size = sizeof account->public;
    account->public.account = &account->account->record;
    account->public.receipt = "";
    status = list_items(plan, page, account);
    if (status != CRD_OK) return status;
    spare = crd__arena_take(&plan->work, (account->public.item_count + 1) * sizeof *spare);
    if (spare == NULL) return crd__fail(plan->ledger, CRD_E_NOMEM, NULL);
    items = (plan_item **)(uintptr_t)account->public.items;
    show_in_order(plan, items, account->credits, CRD_KIND_CREDIT, settings->credit_order, spare);
    show_in_order(plan, items + account->credits, account->public.item_count - account->credits, CRD_KIND_INVOICE,
                  settings->invoice_order, spare);
    status = allocate(plan, page, account);
    if (status != CRD_OK) return status;
    tolerate_all(plan, account);
    explain(account);
    account->public.state = account->public.application_count > 0 ? CRD_PLAN_PROPOSED : CRD_PLAN_NOTHING;
    return CRD_OK;
}

/* ---- pages ---- */

static int compare_customers(const void *a, const void *b) {
    return strcmp(crd__doc_id(a), crd__doc_id(b));
}

/* Gives every account its customer, by walking the two sorted lists side by side. */
static crd_status join_customers(crd_plan *plan, plan_page *page) {
    crd__list customers = {NULL, 0, 0};
    void **spare;
    uint64_t at = 0;
    crd_status status = CRD_OK;
    for (uint64_t i = 0; status == CRD_OK && i < page->loaded.docs.count; i++)
        if (((crd__doc *)page->loaded.docs.items[i])->kind == CRD_KIND_CUSTOMER &&
            !crd__list_push(&plan->ledger->allocator, &customers, page->loaded.docs.items[i]))
            status = crd__fail(plan->ledger, CRD_E_NOMEM, NULL);
    crd__arena_reset(&plan->work);
    spare = crd__arena_take(&plan->work, (customers.count + 1) * sizeof *spare);
    if (spare == NULL && status == CRD_OK) status = crd__fail(plan->ledger, CRD_E_NOMEM, NULL);
    if (status == CRD_OK) crd__sort(customers.items, customers.count, spare, compare_customers);
    for (uint64_t i = 0; status == CRD_OK && i < page->accounts.count; i++) {
        plan_account *account = page->accounts.items[i];
        const char *customer = account->account->record.customer;
        while (at < customers.count && strcmp(crd__doc_id(customers.items[at]), customer) < 0) at++;
        if (at < customers.count && strcmp(crd__doc_id(customers.items[at]), customer) == 0)
            account->public.customer = ((crd__doc *)customers.items[at])->record;
    }
    crd__list_free(&plan->ledger->allocator, &customers);
    return status;
}

/* Puts every document with its account, and makes a plan account for each account with something open. */
static crd_status spread(crd_plan *plan, plan_page *page) {
    const crd_allocator *allocator = &plan->ledger->allocator;
    for (uint64_t i = 0; i < page->loaded.docs.count; i++) {
        crd__doc *doc = page->loaded.docs.items[i];
        if (doc->account != NULL && doc->kind != CRD_KIND_CUSTOMER &&
            !crd__list_push(allocator, &doc->account->docs, doc))
            return crd__fail(plan->ledger, CRD_E_NOMEM, NULL);
    }
    for (uint64_t i = 0; i < page->loaded.accounts.count; i++) {
        crd__account *account = page->loaded.accounts.items[i];
        plan_account *planned;
        account->refs = 1; /* the page's */
        if (account->record.currency[0] == '\0') continue;
        planned = crd__arena_take(&page->arena, sizeof *planned);
        if (planned == NULL || !crd__list_push(allocator, &page->accounts, planned))
            return crd__fail(plan->ledger, CRD_E_NOMEM, NULL);
        memset(planned, 0, sizeof *planned);
        planned->account = account;
        planned->version = account->base;
    }
    return CRD_OK;
}

static int reconcile_wanted(const crd_plan *plan, const plan_account *account) {
    const crd_plan_spec *spec = &plan->spec;
    const crd_customer_record *customer = account->public.customer;
    if (account->account->docs.count == 0) return 0;
    if (account->account->record.switches & CRD_SWITCH_FEATURE_OFF) return 0;
    if (spec->category != NULL && (customer == NULL || strcmp(customer->category, spec->category) != 0)) return 0;
    if (spec->location != NULL && (customer == NULL || strcmp(customer->location, spec->location) != 0)) return 0;
    return 1;
}

static crd_status plan_page_accounts(crd_plan *plan, plan_page *page) {
    crd_status status = spread(plan, page);
    if (status == CRD_OK && needs_customers(&plan->spec)) status = join_customers(plan, page);
    for (uint64_t i = 0; status == CRD_OK && i < page->accounts.count; i++) {
        plan_account *account = page->accounts.items[i];
        if (!reconcile_wanted(plan, account)) continue;
        status = plan_one(plan, page, account);
        if (status != CRD_OK || account->public.item_count == 0) continue;
        if (!crd__list_push(&plan->ledger->allocator, &plan->accounts, account))
            status = crd__fail(plan->ledger, CRD_E_NOMEM, NULL);
    }
    return status;
}

static crd_query reconcile_page_query(crd_plan *plan) {
    crd_query query = crd__query(CRD_KIND_BIT_ACCOUNT | CRD_KIND_BIT_CREDIT | CRD_KIND_BIT_INVOICE |
                                     CRD_KIND_BIT_HOLD,
                                 NULL, plan->spec.currency);
    query.flags = CRD_QUERY_OPEN | CRD_QUERY_FOR_WRITE;
    if (!(plan->spec.flags & CRD_PLAN_ALL_OPEN)) query.flags |= CRD_QUERY_BOTH_OPEN;
    if (needs_customers(&plan->spec)) query.kinds |= CRD_KIND_BIT_CUSTOMER;
    if (plan->spec.customer_count > 0) {
        query.customer = plan->spec.customers[plan->named];
    } else {
        query.limit = RECONCILE_PAGE;
        query.after_customer = plan->after_customer;
        query.after_currency = plan->after_currency;
    }
    return query;
}

/* Where the next page begins. */
static crd_status reconcile_advance(crd_plan *plan, const plan_page *page) {
    const crd__list *accounts = &page->loaded.accounts;
    const crd__account *last;
    if (plan->spec.customer_count > 0) {
        plan->complete = ++plan->named == plan->spec.customer_count;
        return CRD_OK;
    }
    plan->complete = accounts->count < RECONCILE_PAGE;
    if (plan->complete) return CRD_OK;
    last = accounts->items[accounts->count - 1];
    plan->after_customer = crd__arena_text(&plan->own, last->record.customer);
    plan->after_currency = crd__arena_text(&plan->own, last->record.currency);
    if (plan->after_customer != NULL && plan->after_currency != NULL) return CRD_OK;
    return crd__fail(plan->ledger, CRD_E_NOMEM, NULL);
}

static crd_status reconcile_read_page(crd_plan *plan) {
    crd_ledger *ledger = plan->ledger;
    plan_page *page = crd__alloc(&ledger->allocator, sizeof *page);
    crd_query query = reconcile_page_query(plan);
    uint64_t before = plan->accounts.count;
    crd_status status;
    if (page == NULL) return crd__fail(ledger, CRD_E_NOMEM, NULL);
    crd__arena_init(&page->arena, &ledger->allocator);
    status = crd__read(ledger, &query, &page->arena, &page->loaded);
    if (status != CRD_OK) page->loaded.ledger = NULL; /* freed by the read */
    if (status == CRD_OK) status = plan_page_accounts(plan, page);
    if (status == CRD_OK) status = reconcile_advance(plan, page);
    if (status == CRD_OK && !crd__list_push(&ledger->allocator, &plan->pages, page))
        status = crd__fail(ledger, CRD_E_NOMEM, NULL);
    if (status != CRD_OK) {
        plan->accounts.count = before;
        free_page(plan, page);
    }
    return status;
}

static int compare_locations(const void *a, const void *b) {
    const crd_customer_record *x = ((const plan_account *)a)->public.customer;
    const crd_customer_record *y = ((const plan_account *)b)->public.customer;
    return strcmp(x != NULL ? x->location : "", y != NULL ? y->location : "");
}

/* By location needs all pages; they come by customer, and the sort is stable. */
static crd_status reconcile_read_all(crd_plan *plan) {
    crd_status status = CRD_OK;
    void **spare;
    while (status == CRD_OK && !plan->complete) status = reconcile_read_page(plan);
    if (status != CRD_OK) return status;
    spare = crd__alloc(&plan->ledger->allocator, (plan->accounts.count + 1) * sizeof *spare);
    if (spare == NULL) return crd__fail(plan->ledger, CRD_E_NOMEM, NULL);
    crd__sort(plan->accounts.items, plan->accounts.count, spare, compare_locations);
    crd__free(&plan->ledger->allocator, spare);
    return CRD_OK;
}

/* ---- the walk ---- */

static plan_account *current(crd_plan *plan) {
    return plan->walked > 0 ? plan->accounts.items[plan->walked - 1] : NULL;
}

static crd_status next_account(crd_plan *plan, plan_account **out) {
    crd_status status = CRD_OK;
    *out = NULL;
    if (!plan->complete && (plan->spec.flags & CRD_PLAN_BY_LOCATION)) status = reconcile_read_all(plan);
    while (status == CRD_OK && plan->walked == plan->accounts.count && !plan->complete)
        status = reconcile_read_page(plan);
    if (status != CRD_OK || plan->walked == plan->accounts.count) return status;
    *out = plan->accounts.items[plan->walked++];
    (*out)->shown = 1;
    return CRD_OK;
}

static crd_status enter_plan(crd_plan *plan) {
    return plan != NULL ? crd__enter(plan->ledger) : CRD_E_ARGUMENT;
}

crd_status crd_plan_next(crd_plan *plan, const crd_plan_account **out) {
    plan_account *account = NULL;
    crd_status status;
    if (out != NULL) *out = NULL;
    status = enter_plan(plan);
    if (status != CRD_OK) return status;
    if (out == NULL) return crd__fail_argument(plan->ledger, "out", "must be given");
    status = next_account(plan, &account);
    if (account != NULL) *out = &account->public;
    return status;
}

crd_status crd_plan_rewind(crd_plan *plan) {
    crd_status status = enter_plan(plan);
    if (status == CRD_OK) plan->walked = 0;
    return status;
}

static crd_status proposed(crd_plan *plan, plan_account **out) {
    *out = current(plan);
    if (*out == NULL) return crd__fail_argument(plan->ledger, "plan", "crd_plan_next() has returned no account");
    if ((*out)->public.state != CRD_PLAN_PROPOSED)
        return crd__fail(plan->ledger, CRD_E_STATE, "the account is not proposed (any more)");
    return CRD_OK;
}

crd_status crd_plan_skip(crd_plan *plan) {
    plan_account *account;
    crd_status status = enter_plan(plan);
    if (status == CRD_OK) status = proposed(plan, &account);
    if (status != CRD_OK) return status;
    account->public.state = CRD_PLAN_SKIPPED;
    for (uint64_t i = 0; i < account->public.item_count; i++) {
        plan_item *item = (plan_item *)(uintptr_t)account->public.items[i];
        if (item->public.left_out == CRD_LEFT_NOTHING) item->public.left_out = CRD_LEFT_SKIPPED;
    }
    return CRD_OK;
}

crd_status crd_plan_edit(crd_plan *plan, uint64_t index, int64_t amount) {
    plan_account *account;
    plan_application *a;
    int64_t credit, invoice;
    crd__refusal why;
    crd_status status = enter_plan(plan);
    if (status == CRD_OK) status = proposed(plan, &account);
    if (status != CRD_OK) return status;
    if (index >= account->public.application_count)
        return crd__fail_argument(plan->ledger, "application", "the account has no application of that number");
    status = crd__check_amount(plan->ledger, "amount", amount, 0);
    if (status != CRD_OK) return status;
    a = (plan_application *)(uintptr_t)account->public.applications[index];
    credit = a->credit->public.open - (a->credit->public.proposed - a->public.amount);
    invoice = a->invoice->public.open - (a->invoice->public.proposed - a->public.amount);
    if (amount > credit)
        (void)crd__refuse(&why, CRD_E_CREDIT_AMOUNT, CRD_KIND_CREDIT, a->public.credit->id, credit, amount);
    else if (amount > invoice)
        (void)crd__refuse(&why, CRD_E_INVOICE_AMOUNT, CRD_KIND_INVOICE, a->public.invoice->id, invoice, amount);
    if (amount > credit || amount > invoice)
        return crd__refused(plan->ledger, &why, account->account);
    a->credit->public.proposed += amount - a->public.amount;
    a->invoice->public.proposed += amount - a->public.amount;
    account->public.applied += amount - a->public.amount;
    a->public.amount = amount;
    if (plan->spec.tolerance > 0) tolerate(plan, account, a->invoice);
    return CRD_OK;
}

/* ---- posting ---- */

/* A run in progress: what is in the unit and not yet written. */
typedef struct posting {
    crd_plan *plan;
    crd__command command;
    crd__list pending; /* plan_account * in the unit */
    crd_plan_result result;
    uint64_t done; /* accounts dealt with */
} posting;

static crd_status reconcile_write_receipt(posting *p, plan_account *account, crd__concerned *on) {
    crd_receipt_record r;
    crd_entry_record entry;
    crd__doc *doc;
    crd_account_record *a = &account->account->record;
    crd__record_clear(CRD_KIND_RECEIPT, &r);
    r.customer = a->customer;
    r.currency = a->currency;
    r.first_seq = r.last_seq = r.posted_seq = a->last_seq + 1;
    r.id = crd__derive_id(&p->command, account->account, r.first_seq);
    if (r.id == NULL) return crd__fail(p->plan->ledger, CRD_E_NOMEM, NULL);
    r.state = CRD_RECEIPT_POSTED;
    r.received = r.last_date = p->plan->date;
    r.received_at = CRD__MAX(p->command.instant, a->last_instant);
    r.method = "adjustment";
    r.run = p->command.request.key != NULL ? p->command.request.key : "";
    crd__entry_clear(&entry, CRD_ENTRY_RECEIPT, p->plan->date);
    entry.flags = CRD_ENTRY_POSTS_RECEIPT | CRD_ENTRY_AUTOMATIC;
    return crd__write_document(&p->command, on, CRD_KIND_RECEIPT, &r, &entry, &doc);
}

static crd_status write_application(const crd_plan *plan, crd__command *command, crd__concerned *on,
                                    const plan_application *a, uint32_t flags) {
    crd_ledger *ledger = plan->ledger;
    crd__apply_command ask;
    crd__decision decision;
    crd__refusal why;
    crd_status status = CRD_OK;
    on->credit = a->credit->doc;
    on->invoice = a->invoice->doc;
    memset(&decision, 0, sizeof decision);
    ask.when.date = ask.when.asked = a->public.business_date;
    ask.when.closed_through = crd__command_closed(command);
    ask.when.direct = 0;
    ask.amount = a->public.amount;
    ask.clamp = 0;
    if (a->credit->lapses > 0) status = crd__enter_lapsed_at(command, on->credit, &ask.when, plan->now, 0);
    a->credit->lapses = 0;
    if (status != CRD_OK) return status;
    if (crd__decide_apply(on->credit->record, on->invoice->record, &ask, &decision, &why) != CRD_OK)
        return crd__refused(ledger, &why, on->account);
    return crd__write_moves(command, on, &decision, NULL, flags | CRD_ENTRY_AUTOMATIC);
}

/* The small rest of an invoice, within the receipt; dated as its last application. */
static crd_status write_tolerated(posting *p, crd__concerned on, const plan_item *invoice) {
    crd_ledger *ledger = p->plan->ledger;
    crd__write_off_command ask;
    crd__decision decision;
    crd__refusal why;
    on.credit = NULL;
    on.invoice = invoice->doc;
    memset(&ask, 0, sizeof ask);
    memset(&decision, 0, sizeof decision);
    ask.when = crd__command_when(&p->command, 0);
    ask.when.date = p->plan->date;
    ask.amount = invoice->public.write_off;
    ask.cause = CRD_CAUSE_TOLERANCE;
    if (crd__decide_write_off(on.invoice->record, &ask, &decision, &why) != CRD_OK)
        return crd__refused(ledger, &why, on.account);
    return crd__write_moves(&p->command, &on, &decision, NULL, CRD_ENTRY_POSTS_RECEIPT | CRD_ENTRY_AUTOMATIC);
}

/* Those whose last application lies among [from, to). */
static crd_status write_all_tolerated(posting *p, plan_account *account, const crd__concerned *on, uint64_t from,
                                      uint64_t to) {
    crd_status status = CRD_OK;
    if (account->public.written_off == 0) return CRD_OK;
    for (uint64_t i = 0; i < account->public.application_count; i++) {
        const plan_application *a = (const plan_application *)account->public.applications[i];
        if (a->public.amount > 0) a->invoice->paid_by = i;
    }
    for (uint64_t i = from; status == CRD_OK && i < to; i++) {
        const plan_application *a = (const plan_application *)account->public.applications[i];
        if (a->public.amount == 0 || a->invoice->paid_by != i || a->invoice->public.write_off == 0) continue;
        status = write_tolerated(p, *on, a->invoice);
        account->rests++;
    }
    return status;
}

/* One key per account and run: "~", the run's key, the currency. */
static crd_status write_key(posting *p, const plan_account *account, int64_t first_seq) {
    crd_ledger *ledger = p->plan->ledger;
    const char *run = p->command.request.key;
    const crd_account_record *a = &account->account->record;
    crd__asked *asked;
    char *key;
    size_t length;
    if (run == NULL) return CRD_OK;
    length = strlen(run);
    asked = crd__arena_take(&ledger->unit.arena, sizeof *asked);
    key = crd__arena_take(&ledger->unit.arena, length + 5);
    if (asked == NULL || key == NULL || !crd__list_push(&ledger->allocator, &ledger->unit.requests, asked))
        return crd__fail(ledger, CRD_E_NOMEM, NULL);
    key[0] = '~';
    memcpy(key + 1, run, length);
    memcpy(key + 1 + length, a->currency, strlen(a->currency) + 1);
    crd__record_clear(CRD_KIND_REQUEST, &asked->record);
    asked->account = account->account;
    asked->record.customer = a->customer;
    asked->record.currency = a->currency;
    asked->record.request_key = key;
    asked->record.command = CRD_COMMAND_RECONCILE;
    asked->record.first_seq = first_seq;
    asked->record.last_seq = a->last_seq;
    asked->record.result = account->public.applied;
    asked->record.created_kind = CRD_KIND_RECEIPT;
    asked->record.created_id = account->public.receipt;
    crd__blake2b_256(asked->record.digest, run, length);
    return CRD_OK;
}

/* A live snapshot of an account that was posted follows, so that the host's handles stay valid. */
void crd__follow(crd_ledger *ledger, const crd__account *posted, int64_t version) {
    crd__account *live = crd__live(ledger, posted->record.customer, posted->record.currency);
    const char *customer, *currency;
    if (live == NULL || live->base != version) return;
    for (uint64_t i = 0; i < live->docs.count; i++) {
        crd__doc *to = live->docs.items[i];
        const crd__doc *from = crd__doc_find((crd__account *)(uintptr_t)posted, to->kind, crd__doc_id(to));
        char *cursor;
        if (from == NULL) continue;
        cursor = crd__arena_take(live->arena, crd__record_text_size(to->kind, from->record));
        if (cursor == NULL) { /* no memory to follow: then the handles are stale, and say so */
            crd__account_stale(live);
            return;
        }
        crd__record_copy(to->kind, from->record, to->record, &cursor);
    }
    customer = live->record.customer;
    currency = live->record.currency;
    live->record = posted->record;
    live->record.customer = customer;
    live->record.currency = currency;
    live->base = posted->base;
}

/* Writes what is pending, and tells each account's outcome. */
static crd_status reconcile_flush(posting *p) {
    crd_plan *plan = p->plan;
    crd_ledger *ledger = plan->ledger;
    crd_status status = p->pending.count > 0 ? crd__unit_keep(ledger, 1) : CRD_OK;
    for (uint64_t i = 0; status == CRD_OK && i < p->pending.count; i++) {
        plan_account *account = p->pending.items[i];
        crd__account *snapshot = account->account;
        account->public.state = CRD_PLAN_POSTED;
        if (snapshot->repeated) account->public.state = CRD_PLAN_REPEATED;
        if (snapshot->lost) account->public.state = CRD_PLAN_CONFLICTED;
        p->result.posted += account->public.state == CRD_PLAN_POSTED;
        p->result.repeated += snapshot->repeated;
        p->result.conflicted += snapshot->lost;
        if (account->public.state == CRD_PLAN_POSTED) {
            crd__follow(ledger, snapshot, account->version);
            account->version = snapshot->base;
            p->result.receipts++;
            p->result.applications += account->batch;
            p->result.write_offs += account->rests;
        } else {
            account->public.receipt = "";
            crd__account_stale_live(ledger, &snapshot->record);
        }
    }
    crd__unit_forget(ledger);
    ledger->unit.mark++;
    return status;
}

static void tell_posted(posting *p) {
    const crd_plan_spec *spec = &p->plan->spec;
    for (uint64_t i = 0; p->plan->streaming && spec->posted != NULL && i < p->pending.count; i++) {
        const plan_account *account = p->pending.items[i];
        p->plan->ledger->busy = 1;
        spec->posted(spec->ctx, &account->public);
        p->plan->ledger->busy = 0;
    }
    p->pending.count = 0;
}

static crd_status flush_and_tell(posting *p) {
    crd_status status = reconcile_flush(p);
    if (status == CRD_OK) tell_posted(p);
    p->pending.count = 0;
    return status;
}

/* Packs applications [from, to) of an account into the unit, with a receipt of their own. */
static crd_status pack(posting *p, plan_account *account, uint64_t from, uint64_t to) {
    crd_ledger *ledger = p->plan->ledger;
    int64_t first_seq = account->account->record.last_seq + 1;
    crd__concerned on;
    crd_status status;
    if (!crd__list_room(&ledger->allocator, &p->pending, 1)) return crd__fail(ledger, CRD_E_NOMEM, NULL);
    memset(&on, 0, sizeof on);
    on.account = account->account;
    account->batch = account->rests = 0;
    status = reconcile_write_receipt(p, account, &on);
    if (status != CRD_OK) return status;
    account->public.receipt = crd__arena_text(on.account->arena, crd__doc_id(on.receipt));
    if (account->public.receipt == NULL) return crd__fail(ledger, CRD_E_NOMEM, NULL);
    for (uint64_t i = from; status == CRD_OK && i < to; i++) {
        const plan_application *a = (const plan_application *)account->public.applications[i];
        if (a->public.amount == 0) continue;
        status = write_application(p->plan, &p->command, &on, a, CRD_ENTRY_POSTS_RECEIPT);
        account->batch++;
    }
    if (status == CRD_OK) status = write_all_tolerated(p, account, &on, from, to);
    if (status == CRD_OK && from == 0) status = write_key(p, account, first_seq);
    if (status == CRD_OK) (void)crd__list_push(&ledger->allocator, &p->pending, account);
    return status;
}

/* One application changes at most two documents and adds one entry, or two when a rest is written off behind it; account,
 * receipt, its entry and the key come on top, and a hold and an entry for each lapse. */
static uint64_t part_of(const plan_account *account) {
    uint64_t room = CRD_MAX_CHANGES - 4, lapses = 2 * account->lapses;
    return (lapses < room / 2 ? room - lapses : room / 2) / (account->public.written_off > 0 ? 4 : 3);
}

uint64_t crd__unit_changes(const crd_ledger *ledger) {
    const crd__unit *unit = &ledger->unit;
    return unit->accounts.count + unit->docs.count + unit->entries.count + unit->requests.count;
}

/* An account that is larger than a batch is posted in parts. */
static crd_status post_in_parts(posting *p, plan_account *account) {
    uint64_t count = account->public.application_count, part = part_of(account);
    crd_status status = flush_and_tell(p);
    for (uint64_t from = 0; status == CRD_OK && from < count; from += part) {
        status = pack(p, account, from, CRD__MIN(from + part, count));
        if (status == CRD_OK) status = reconcile_flush(p);
        if (status != CRD_OK || account->public.state != CRD_PLAN_POSTED) break;
        if (from + part < count) {
            p->result.posted--; /* counted once, with its last part */
            p->pending.count = 0;
        }
    }
    if (status == CRD_OK) tell_posted(p);
    return status;
}

static crd_status post_account(posting *p, plan_account *account) {
    uint64_t count = account->public.application_count, changes = 4 + count;
    crd_status status = CRD_OK;
    if (account->public.applied == 0) { /* every amount was edited away */
        account->public.state = CRD_PLAN_NOTHING;
        return CRD_OK;
    }
    changes += CRD__MIN(2 * count, account->public.item_count) + 2 * account->lapses;
    if (account->public.written_off > 0) changes += CRD__MIN(count, account->public.item_count);
    if (changes > CRD_MAX_CHANGES) return post_in_parts(p, account);
    if (crd__unit_changes(p->plan->ledger) + changes > CRD_MAX_CHANGES || p->pending.count == CRD_MAX_ACCOUNTS)
        status = flush_and_tell(p);
    return status == CRD_OK ? pack(p, account, 0, count) : status;
}

static int32_t ask_progress(posting *p) {
    const crd_plan_spec *spec = &p->plan->spec;
    crd_progress progress;
    int32_t stop;
    if (spec->progress == NULL) return 0;
    memset(&progress, 0, sizeof progress);
    progress.struct_size = sizeof progress;
    progress.accounts = p->done;
    progress.applications = p->result.applications;
    p->plan->ledger->busy = 1;
    stop = spec->progress(spec->ctx, &progress);
    p->plan->ledger->busy = 0;
    return stop;
}

/* Posts every account that was shown and is still proposed. Cancelled between accounts, it keeps what came before. */
static crd_status post_shown(posting *p) {
    static const crd__counts nothing = {0, 0, 0, 0, 0, 0, 0};
    crd_plan *plan = p->plan;
    crd_status status = CRD_OK;
    int32_t stop = 0;
    for (uint64_t i = 0; status == CRD_OK && !stop && i < plan->accounts.count; i++) {
        plan_account *account = plan->accounts.items[i];
        if (!account->shown) continue;
        if (account->public.state == CRD_PLAN_SKIPPED && !account->counted) {
            account->counted = 1;
            p->result.skipped++;
        }
        if (account->public.state != CRD_PLAN_PROPOSED) continue;
        stop = ask_progress(p);
        if (!stop) status = post_account(p, account);
        p->done += !stop;
    }
    if (status == CRD_OK)
        status = flush_and_tell(p);
    else
        crd__unit_back(plan->ledger, &nothing);
    p->pending.count = 0;
    if (status == CRD_OK && stop) status = crd__fail(plan->ledger, CRD_E_CANCELLED, NULL);
    return status;
}

/* The request's texts outlive the batches of the run. */
static crd_status reconcile_keep_request(posting *p) {
    crd_request *r = &p->command.request;
    crd_ledger *ledger = p->plan->ledger;
    r->actor = crd__arena_text(&p->plan->own, r->actor);
    r->note = crd__arena_text(&p->plan->own, r->note);
    if (r->key != NULL) r->key = crd__arena_text(&p->plan->own, r->key);
    if (r->actor == NULL || r->note == NULL) return crd__fail(ledger, CRD_E_NOMEM, NULL);
    return CRD_OK;
}

static crd_status begin_posting(posting *p, crd_plan *plan, const crd_request *request) {
    crd_ledger *ledger = plan->ledger;
    crd_status status;
    memset(p, 0, sizeof *p);
    p->plan = plan;
    p->result.struct_size = sizeof p->result;
    status = crd__command_begin(ledger, request, CRD_COMMAND_RECONCILE, &p->command);
    if (status != CRD_OK) return status;
    if (!p->command.own_unit) status = crd__fail(ledger, CRD_E_UNIT, "a reconcile run is a unit of its own");
    if (status == CRD_OK && p->command.request.key != NULL && strlen(p->command.request.key) > CRD_MAX_RUN_KEY)
        status = crd__fail_argument(ledger, "request.key", "of a run must be at most 59 bytes");
    if (status == CRD_OK && p->command.request.business_date != CRD_DATE_NONE &&
        p->command.request.business_date != plan->date)
        status = crd__fail_argument(ledger, "request.business_date", "must be the plan's date, or 0");
    if (status == CRD_OK) status = reconcile_keep_request(p);
    if (status == CRD_OK) {
        const char *key = p->command.request.key;
        p->command.request.key = NULL; /* keys are per account: write_key() */
        status = crd__command_allow(&p->command, "", plan->spec.currency != NULL ? plan->spec.currency : "", "", 0);
        p->command.request.key = key;
    }
    if (status == CRD_OK && plan->date <= crd__command_closed(&p->command)) {
        crd__refusal why;
        (void)crd__refuse(&why, CRD_E_CLOSED, CRD_KIND_ACCOUNT, "", ledger->settings.closed_through, plan->date);
        status = crd__fail_refusal(ledger, &why, "", "");
    }
    if (status != CRD_OK && p->command.own_unit) crd__unit_forget(ledger);
    return status;
}

static void end_posting(posting *p, crd_plan_result *out) {
    crd_ledger *ledger = p->plan->ledger;
    crd__list_free(&ledger->allocator, &p->pending);
    crd__unit_forget(ledger);
    crd__give_struct(out, &p->result);
}

crd_status crd_plan_commit(crd_plan *plan, const crd_request *request, crd_plan_result *out) {
    static const crd_plan_result nothing = {sizeof(crd_plan_result), 0, 0, 0, 0, 0, 0, 0, 0};
    posting p;
    crd_status status;
    crd__give_struct(out, &nothing);
    if (plan == NULL) return CRD_E_ARGUMENT;
    status = begin_posting(&p, plan, request);
    if (status != CRD_OK) return status;
    status = post_shown(&p);
    end_posting(&p, out);
    return status;
}

/* One page at a time: read, post, free; named customers are read one by one, and posted together up to a page. */
static crd_status stream(posting *p) {
    crd_plan *plan = p->plan;
    crd_status status = CRD_OK;
    while (status == CRD_OK && !plan->complete) {
        if (plan->spec.flags & CRD_PLAN_BY_LOCATION)
            status = reconcile_read_all(plan);
        else
            status = reconcile_read_page(plan);
        while (status == CRD_OK && plan->spec.customer_count > 0 && !plan->complete &&
               plan->accounts.count < RECONCILE_PAGE)
            status = reconcile_read_page(plan);
        for (uint64_t i = 0; i < plan->accounts.count; i++) ((plan_account *)plan->accounts.items[i])->shown = 1;
        if (status == CRD_OK) status = post_shown(p);
        free_pages(plan);
    }
    return status;
}

crd_status crd_reconcile(crd_ledger *ledger, const crd_request *request, const crd_plan_spec *spec,
                         crd_plan_result *out) {
    static const crd_plan_result nothing = {sizeof(crd_plan_result), 0, 0, 0, 0, 0, 0, 0, 0};
    crd_plan *plan;
    posting p;
    crd_status status;
    crd__give_struct(out, &nothing);
    status = crd_plan_open(ledger, spec, &plan);
    if (status != CRD_OK) return status;
    plan->streaming = 1;
    status = begin_posting(&p, plan, request);
    if (status == CRD_OK) {
        plan->now = p.command.instant;
        status = stream(&p);
        end_posting(&p, out);
    }
    crd_plan_close(plan);
    return status;
}

/* ---- for reports ---- */

crd_status crd__propose(crd_ledger *ledger, crd__account *account, int32_t date,
                        void (*look)(void *ctx, const crd_plan_item *item), void *ctx) {
    crd_plan plan;
    plan_page page;
    plan_account planned;
    crd_status status;
    memset(&plan, 0, sizeof plan);
    memset(&page, 0, sizeof page);
    memset(&planned, 0, sizeof planned);
    plan.ledger = ledger;
    plan.spec.flags = CRD_PLAN_USE_CASH;
    plan.date = date;
    crd__arena_init(&plan.work, &ledger->allocator);
    crd__arena_init(&page.arena, &ledger->allocator);
    planned.account = account;
    status = plan_one(&plan, &page, &planned);
    for (uint64_t i = 0; status == CRD_OK && i < planned.public.item_count; i++) look(ctx, planned.public.items[i]);
    crd__arena_free(&plan.work);
    crd__arena_free(&page.arena);
    return status;
}

/* ---- auto-apply: the same for one new document of a live account, within its command ---- */

/* The open documents of the account, into its live snapshot. */
static crd_status load_open(crd_ledger *ledger, crd__account *account) {
    crd_query query = crd__query(CRD_KIND_BIT_ACCOUNT | CRD_KIND_BIT_CREDIT | CRD_KIND_BIT_INVOICE | CRD_KIND_BIT_HOLD,
                                 account->record.customer, account->record.currency);
    crd__loaded loaded;
    crd__arena arena;
    crd_status status;
    query.flags = CRD_QUERY_OPEN | CRD_QUERY_FOR_WRITE;
    crd__arena_init(&arena, &ledger->allocator);
    status = crd__read(ledger, &query, &arena, &loaded);
    if (status == CRD_OK) {
        status = crd__adopt(ledger, &loaded);
        crd__loaded_free(&loaded);
    }
    crd__arena_free(&arena);
    return status;
}

crd_status crd__apply_open(crd__command *command, crd__doc *doc) {
    crd_ledger *ledger = command->ledger;
    crd_plan plan;
    plan_page page;
    plan_account account;
    crd_key key;
    const crd_key *keys[1];
    crd__concerned on;
    crd_status status = load_open(ledger, doc->account);
    if (status != CRD_OK) return status;
    memset(&plan, 0, sizeof plan);
    memset(&page, 0, sizeof page);
    memset(&account, 0, sizeof account);
    memset(&key, 0, sizeof key);
    memset(&on, 0, sizeof on);
    key.kind = doc->kind;
    key.customer = doc->account->record.customer;
    key.id = crd__doc_id(doc);
    keys[0] = &key;
    plan.ledger = ledger;
    plan.date = command->date;
    plan.now = CRD__MAX(command->instant, doc->account->record.last_instant);
    plan.spec.flags = CRD_PLAN_USE_CASH;
    plan.spec.items = keys;
    plan.spec.item_count = 1;
    crd__arena_init(&plan.work, &ledger->allocator);
    crd__arena_init(&page.arena, &ledger->allocator);
    account.account = on.account = doc->account;
    status = plan_one(&plan, &page, &account);
    for (uint64_t i = 0; status == CRD_OK && i < account.public.application_count; i++)
        status = write_application(&plan, command, &on, (const plan_application *)account.public.applications[i], 0);
    crd__arena_free(&page.arena);
    crd__arena_free(&plan.work);
    return status;
}
