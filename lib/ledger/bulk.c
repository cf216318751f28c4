/*
 * Many credits and payments by one call.
 *
 * A row is a command of its own: its own permission, request key, result. What makes it cheap is the page: one read brings
 * the accounts, customers, ids and keys of all its rows, and one write keeps them.
 *
 *     as many as possible    page by page: read, run the rows, write. Customers stand and fall on their own; the rows
 *                            of one that another writer came before are run again, one by one, as ordinary commands
 *     all or nothing         every page is read and run into one unit, which is one write
 *
 * Invariants:
 * 1. A row that is refused leaves no trace; those after it see the book without it.
 * 2. What a payment names is read by the row itself, within the page's unit. Where another writer came between the page's
 *    read and that one, the row is run again on its own.
 * 3. Within a page the unit counts as the host's, so that no row writes by itself; see `run_rows`.
 */
#include "ledger/ledger.h"

#include <stddef.h>
#include <string.h>

#define BULK_PAGE (CRD_MAX_ACCOUNTS / 2) /* rows: each may bring its account and the customer's own */
#define KEYS 6                      /* of a row: customer, two accounts, credit, receipt, request */

typedef struct row {
    crd_bulk_row in;
    crd_credit_terms terms; /* as far as they can be read: for the page; the row itself reads them again */
    crd_bulk_result out;
    const crd__account *account; /* it wrote to, while the page is not written */
    int again;                   /* to be run on its own */
} row;

typedef struct bulk {
    crd_ledger *ledger;
    crd_request request;
    uint32_t flags;
    row *rows;
    uint64_t count;
    crd__page page;
    crd__arena arena; /* of the page */
    crd_status first_bad;
    int own;       /* no unit of the host's is open, so a row may be run again */
    int overtaken; /* another writer came between the page's read and that of a row */
    crd_error error; /* of the first bad row */
    char error_text[sizeof(((crd_ledger *)0)->error_text)];
    char error_currency[sizeof(((crd_ledger *)0)->error_currency)];
} bulk;

/* ---- what was asked ---- */

static crd_status take_rows(bulk *b, const crd_bulk_row *const *from) {
    for (uint64_t i = 0; i < b->count; i++) {
        row *r = &b->rows[i];
        crd_status status = crd__take_struct(b->ledger, "rows", &r->in, sizeof r->in, offsetof(crd_bulk_row, payment),
                                             from[i]);
        if (status != CRD_OK) return status;
        if (r->in.reserved != 0) return crd__fail_argument(b->ledger, "rows.reserved", "must be 0");
        if (r->in.terms != NULL && r->in.payment != NULL)
            return crd__fail_argument(b->ledger, "rows.payment", "must be NULL with terms");
        r->out.struct_size = sizeof r->out;
        r->out.field = "";
        if (r->in.terms != NULL) (void)crd__take_struct(b->ledger, "terms", &r->terms, sizeof r->terms,
                                                        sizeof r->terms, r->in.terms);
        if (r->in.payment != NULL) {
            crd_receipt_terms payment;
            (void)crd__take_struct(b->ledger, "terms", &payment, sizeof payment, sizeof payment, r->in.payment);
            r->terms.currency = payment.currency; /* the rest it reads itself */
        }
    }
    (void)crd__enter(b->ledger); /* terms that cannot be read are the row's own fault */
    return CRD_OK;
}

/* ---- the page ---- */

static void bulk_add_key(crd_key *keys, uint64_t *count, uint32_t kind, const char *customer, const char *currency,
                         const char *id) {
    crd_key *key = &keys[*count];
    memset(key, 0, sizeof *key);
    key->struct_size = sizeof *key;
    key->kind = kind;
    key->customer = customer;
    key->currency = currency;
    key->id = id;
    ++*count;
}

/* Only what can be a key at all is looked up; the row says what is wrong with the rest. */
static int is_id(const char *text) {
    return text != NULL && text[0] != '\0' && memchr(text, '\0', CRD_MAX_ID + 1) != NULL;
}

static void add_keys(const row *r, crd_key *keys, uint64_t *count) {
    const char *customer = r->in.customer;
    if (!is_id(customer)) return;
    bulk_add_key(keys, count, CRD_KIND_ACCOUNT, customer, "", "");
    bulk_add_key(keys, count, CRD_KIND_CUSTOMER, customer, "", "");
    if (is_id(r->terms.currency)) bulk_add_key(keys, count, CRD_KIND_ACCOUNT, customer, r->terms.currency, "");
    if (is_id(r->terms.id)) bulk_add_key(keys, count, CRD_KIND_CREDIT, customer, "", r->terms.id);
    if (is_id(r->terms.receipt)) bulk_add_key(keys, count, CRD_KIND_RECEIPT, customer, "", r->terms.receipt);
    if (is_id(r->in.key)) bulk_add_key(keys, count, CRD_KIND_REQUEST, customer, "", r->in.key);
}

static int bulk_compare_keys(const void *a, const void *b) {
    const crd_key *x = a, *y = b;
    int compared;
    if (x->kind != y->kind) return x->kind < y->kind ? -1 : 1;
    compared = strcmp(x->customer, y->customer);
    if (compared == 0) compared = strcmp(x->currency, y->currency);
    return compared != 0 ? compared : strcmp(x->id, y->id);
}

/* A record may be asked for once only. */
static crd_status make_query(bulk *b, uint64_t from, uint64_t to, crd_query *query) {
    uint64_t most = KEYS * (to - from) + 1, count = 0, kept = 0;
    crd_key *keys = crd__arena_take(&b->arena, most * sizeof *keys);
    void **list = crd__arena_take(&b->arena, 2 * most * sizeof *list);
    if (keys == NULL || list == NULL) return crd__fail(b->ledger, CRD_E_NOMEM, NULL);
    for (uint64_t i = from; i < to; i++) add_keys(&b->rows[i], keys, &count);
    for (uint64_t i = 0; i < count; i++) list[i] = &keys[i];
    crd__sort(list, count, list + most, bulk_compare_keys);
    for (uint64_t i = 0; i < count; i++)
        if (i == 0 || bulk_compare_keys(list[kept - 1], list[i]) != 0) list[kept++] = list[i];
    *query = crd__query(CRD_KIND_BIT_ACCOUNT | CRD_KIND_BIT_CUSTOMER | CRD_KIND_BIT_CREDIT | CRD_KIND_BIT_RECEIPT |
                            CRD_KIND_BIT_REQUEST,
                        NULL, NULL);
    query->flags = CRD_QUERY_FOR_WRITE;
    query->keys = (const crd_key *const *)list;
    query->key_count = kept;
    return CRD_OK;
}

static void drop_page(bulk *b) {
    crd__release(b->ledger, &b->page.held);
    crd__list_free(&b->ledger->allocator, &b->page.requests);
    crd__list_free(&b->ledger->allocator, &b->page.strays);
    crd__arena_reset(&b->arena);
}

/* Takes over what was read: accounts become live and are held, the rest stays in the page's arena. */
static crd_status fill_page(bulk *b, crd__loaded *loaded) {
    crd_ledger *ledger = b->ledger;
    const crd_allocator *allocator = &ledger->allocator;
    crd_status status = crd__list_room(allocator, &b->page.held, loaded->accounts.count)
                            ? crd__adopt(ledger, loaded)
                            : crd__fail(ledger, CRD_E_NOMEM, NULL);
    for (uint64_t i = 0; i < loaded->accounts.count; i++) {
        const crd_account_record *account = &((crd__account *)loaded->accounts.items[i])->record;
        crd__account *live = crd__live(ledger, account->customer, account->currency);
        if (live == NULL || b->page.held.count == b->page.held.capacity) continue;
        crd__account_hold(live); /* also when it fails: then drop_page() frees what nobody else holds */
        (void)crd__list_push(allocator, &b->page.held, live);
    }
    for (uint64_t i = 0; status == CRD_OK && i < loaded->docs.count; i++) {
        crd__doc *doc = loaded->docs.items[i];
        if (doc->account == NULL && !crd__list_push(allocator, &b->page.strays, doc))
            status = crd__fail(ledger, CRD_E_NOMEM, NULL);
    }
    for (uint64_t i = 0; status == CRD_OK && i < loaded->rest.count; i++)
        if (!crd__list_push(allocator, &b->page.requests, ((crd__doc *)loaded->rest.items[i])->record))
            status = crd__fail(ledger, CRD_E_NOMEM, NULL);
    return status;
}

static crd_status bulk_read_page(bulk *b, uint64_t from, uint64_t to) {
    crd_query query;
    crd__loaded loaded;
    crd_status status;
    drop_page(b);
    status = make_query(b, from, to, &query);
    if (status != CRD_OK || query.key_count == 0) return status;
    status = crd__read(b->ledger, &query, &b->arena, &loaded);
    if (status != CRD_OK) return status;
    status = fill_page(b, &loaded);
    crd__loaded_free(&loaded);
    return status;
}

crd_status crd__page_taken(crd_ledger *ledger, const crd__page *page, uint32_t kind, const char *customer,
                           const char *id) {
    for (uint64_t i = 0; i < page->strays.count; i++) {
        const crd__doc *doc = page->strays.items[i];
        if (doc->kind == kind && strcmp(crd__doc_id(doc), id) == 0 &&
            strcmp(crd__record_customer(kind, doc->record), customer) == 0)
            return crd__fail_subject(ledger, CRD_E_EXISTS, kind, customer, id, NULL);
    }
    return CRD_OK;
}

/* ---- a row ---- */

static void bulk_tell(bulk *b, row *r, crd_status status, const crd__command *command) {
    crd_ledger *ledger = b->ledger;
    r->out.status = status;
    r->out.field = status != CRD_OK ? ledger->error.field : "";
    r->out.limit = status != CRD_OK ? ledger->error.limit : 0;
    r->out.given = status != CRD_OK ? ledger->error.given : 0;
    if (status == CRD_OK) {
        const char *id = command->created_id != NULL ? command->created_id : "";
        r->out.repeated = (uint32_t)command->answered;
        r->out.first_seq = command->result.first_seq;
        r->out.last_seq = command->result.last_seq;
        r->out.amount = command->result.amount;
        memcpy(r->out.id, id, strlen(id) + 1);
    } else if (b->first_bad == CRD_OK) {
        b->first_bad = status;
        b->error = ledger->error; /* its texts point into the ledger, which gets them back: recall() */
        memcpy(b->error_text, ledger->error_text, sizeof b->error_text);
        memcpy(b->error_currency, ledger->error_currency, sizeof b->error_currency);
    }
}

static crd_status recall(bulk *b) {
    b->ledger->error = b->error;
    memcpy(b->ledger->error_text, b->error_text, sizeof b->error_text);
    memcpy(b->ledger->error_currency, b->error_currency, sizeof b->error_currency);
    return b->first_bad;
}

/* Nothing was kept of it, and that was not its own fault. */
static void forget(row *r) {
    uint32_t size = r->out.struct_size;
    memset(&r->out, 0, sizeof r->out);
    r->out.struct_size = size;
    r->out.field = "";
    r->account = NULL;
}

/* Runs a row as a command; within a page, of the page's unit. What it returns is the row's own status. */
static crd_status run_row(bulk *b, row *r, const crd__page *page) {
    crd_ledger *ledger = b->ledger;
    crd_request request = b->request;
    crd__command command;
    crd__doc *doc = NULL;
    crd_status status;
    request.key = r->in.key;
    status = crd__command_begin(ledger, &request, CRD_COMMAND_BULK_ISSUE, &command);
    if (status == CRD_OK) {
        command.page = page;
        if (r->in.payment != NULL)
            status = crd__receipt_enter(&command, r->in.customer, r->in.payment, &doc);
        else
            status = crd__issue(&command, r->in.customer, r->in.terms, &doc);
        status = crd__command_end(&command, status);
    }
    if (status == CRD_E_CONFLICT && page != NULL && b->own) {
        b->overtaken = r->again = 1;
        forget(r);
        return status;
    }
    bulk_tell(b, r, status, &command);
    r->account = NULL;
    if (status == CRD_OK && page != NULL) { /* also of one that repeats an earlier row, which may yet be lost */
        crd__account *account = crd__live(ledger, command.customer, command.currency);
        if (account != NULL && account->dirty) r->account = account;
    }
    if (command.own_unit) crd__unit_forget(ledger);
    return status;
}

static int is_full(const crd_ledger *ledger) {
    const crd__unit *unit = &ledger->unit;
    return crd__unit_changes(ledger) + unit->lines.count > CRD_MAX_CHANGES || unit->accounts.count + unit->guards.count > CRD_MAX_ACCOUNTS;
}

static crd_status too_large(crd_ledger *ledger) {
    crd__fail(ledger, CRD_E_TOO_LARGE, "the rows are larger than one batch may be; split them");
    ledger->error.limit = CRD_MAX_CHANGES;
    ledger->error.given = (int64_t)(crd__unit_changes(ledger) + ledger->unit.lines.count);
    return CRD_E_TOO_LARGE;
}

/* Failures that are no row's own: they end the call. */
static int ends_call(crd_status status) {
    return status == CRD_E_NOMEM || status == CRD_E_STORAGE || status == CRD_E_UNKNOWN || status == CRD_E_RESTART ||
           status == CRD_E_CONTRACT || status == CRD_E_SCHEMA;
}

/* Runs rows from `from` on, until `to`, or until the unit is full (the row that did not fit is as if it had not run), or
 * until one ends the call. Gives how far it came. */
static uint64_t run_rows(bulk *b, uint64_t from, uint64_t to, crd_status *status) {
    crd_ledger *ledger = b->ledger;
    *status = CRD_OK;
    for (uint64_t i = from; i < to; i++) {
        crd__counts before = crd__unit_counts(ledger);
        crd_status ended = run_row(b, &b->rows[i], &b->page);
        if (ends_call(ended)) {
            *status = ended;
            return i;
        }
        if (!is_full(ledger)) continue;
        crd__unit_back(ledger, &before);
        forget(&b->rows[i]);
        return i;
    }
    return to;
}

/* ---- as many as possible ---- */

/* What the storage did not keep is run again on its own: with the read of an ordinary command, which tells why. */
static crd_status write_page(bulk *b, uint64_t from, uint64_t to) {
    crd_ledger *ledger = b->ledger;
    crd_status status = crd__unit_keep(ledger, CRD__BY_CUSTOMER);
    int all_again = status == CRD_E_KEY_REUSED || status == CRD_E_CONFLICT || status == CRD_E_EXISTS;
    for (uint64_t i = from; i < to; i++) {
        row *r = &b->rows[i];
        if (r->account == NULL) continue;
        r->again = all_again || (status == CRD_OK && (r->account->lost || r->account->repeated));
    }
    for (uint64_t i = 0; status == CRD_OK && i < ledger->unit.accounts.count; i++) {
        crd__account *account = ledger->unit.accounts.items[i];
        if (account->lost || account->repeated) crd__account_stale(account);
    }
    crd__unit_forget(ledger);
    ledger->unit.mark++;
    for (uint64_t i = from; i < to; i++) {
        if (b->rows[i].again || (status != CRD_OK && b->rows[i].account != NULL)) forget(&b->rows[i]);
        b->rows[i].account = NULL;
    }
    return all_again ? CRD_OK : status;
}

/* The call ends early: what was kept is kept. Rows up to `to` were tried, those behind were not. */
static crd_status stop_at(bulk *b, uint64_t to, crd_status status) {
    for (uint64_t i = 0; i < b->count; i++) {
        row *r = &b->rows[i];
        if (r->out.status == CRD_OK && r->out.last_seq == 0) r->out.status = i < to && !r->again ? status : CRD_E_CANCELLED;
    }
    return status;
}

static crd_status run_again(bulk *b, uint64_t from, uint64_t to) {
    for (uint64_t i = from; i < to; i++) {
        crd_status status;
        uint32_t tries = 0;
        if (!b->rows[i].again) continue;
        b->rows[i].again = 0;
        do status = run_row(b, &b->rows[i], NULL);
        while (crd__again(b->ledger, status, &tries));
        if (ends_call(status)) return status;
    }
    return CRD_OK;
}

static crd_status issue_most(bulk *b) {
    crd_ledger *ledger = b->ledger;
    crd_status status = CRD_OK, ended = CRD_OK;
    for (uint64_t from = 0, to; status == CRD_OK && from < b->count; from = to) {
        to = CRD__MIN(from + BULK_PAGE, b->count);
        status = bulk_read_page(b, from, to);
        if (status != CRD_OK) return stop_at(b, from, status);
        ledger->unit.open = 1;
        to = run_rows(b, from, to, &ended);
        ledger->unit.open = 0;
        status = write_page(b, from, to);
        if (status == CRD_OK && ended != CRD_OK) {
            (void)run_again(b, from, to);
            return stop_at(b, to, ended);
        }
        if (status == CRD_OK && to == from) { /* a row that fits no unit, not even alone */
            b->rows[from].again = 1;
            to++;
        }
        if (status == CRD_OK) status = run_again(b, from, to);
        if (status != CRD_OK) return stop_at(b, to, status);
    }
    return status;
}

/* ---- all or nothing, and within a unit of the host's ---- */

static crd_status issue_all(bulk *b) {
    crd_ledger *ledger = b->ledger;
    crd_status status = CRD_OK;
    for (uint64_t from = 0, to; status == CRD_OK && from < b->count; from = to) {
        to = CRD__MIN(from + BULK_PAGE, b->count);
        status = bulk_read_page(b, from, to);
        if (status == CRD_OK && run_rows(b, from, to, &status) < to && status == CRD_OK) status = too_large(ledger);
    }
    return status;
}

static crd_status issue_in_unit(bulk *b, int *overtaken) {
    crd_ledger *ledger = b->ledger;
    int own = !ledger->unit.open;
    crd__counts before = crd__unit_counts(ledger);
    crd_status status;
    *overtaken = 0;
    ledger->unit.open = 1;
    status = issue_all(b);
    ledger->unit.open = !own;
    if (status == CRD_OK && b->overtaken) {
        status = crd__fail(ledger, CRD_E_CONFLICT, NULL);
        *overtaken = 1;
    }
    if (status == CRD_OK && b->first_bad != CRD_OK && (b->flags & CRD_BULK_ALL_OR_NOTHING)) status = recall(b);
    if (status == CRD_OK && own) {
        status = crd__unit_keep(ledger, 0);
        *overtaken = status == CRD_E_CONFLICT || status == CRD_E_EXISTS || status == CRD_E_KEY_REUSED;
    }
    if (status != CRD_OK) {
        if (!own) crd__unit_back(ledger, &before);
        for (uint64_t i = 0; i < b->count; i++)
            if (b->rows[i].out.status == CRD_OK) forget(&b->rows[i]);
    }
    if (own) {
        static const crd__counts nothing = {0, 0, 0, 0, 0, 0, 0};
        if (status != CRD_OK) crd__unit_back(ledger, &nothing);
        crd__unit_forget(ledger);
    }
    ledger->unit.mark++;
    return status;
}

/* Another writer came first: nobody had looked at a figure, so the rows are simply run again on what is there now. */
static crd_status issue_whole(bulk *b) {
    crd_status status;
    int overtaken;
    for (int attempt = 0;; attempt++) {
        status = issue_in_unit(b, &overtaken);
        if (!overtaken || attempt == 2) return status;
        b->first_bad = CRD_OK;
        b->overtaken = 0;
    }
}

/* ---- the call ---- */

static crd_status check_call(bulk *b, const crd_request *request, const crd_bulk_row *const *rows, uint64_t count, uint32_t flags,
                             crd_bulk_result *const *results) {
    crd_ledger *ledger = b->ledger;
    crd_status status =
        crd__take_struct(ledger, "request", &b->request, sizeof b->request, sizeof b->request, request);
    if (status != CRD_OK) return status;
    if (b->request.key != NULL) return crd__fail_argument(ledger, "request.key", "must be NULL: each row has its own");
    if (flags & ~CRD_BULK_ALL_OR_NOTHING) return crd__fail_argument(ledger, "flags", "has an unknown flag");
    if (count > 0 && rows == NULL) return crd__fail_argument(ledger, "rows", "must be given with count");
    if (count > UINT32_MAX) return crd__fail_argument(ledger, "count", "is too large");
    for (uint64_t i = 0; results != NULL && i < count; i++)
        if (results[i] == NULL) return crd__fail_argument(ledger, "results", "must have one for each row, or be NULL");
    return CRD_OK;
}

crd_status crd_credit_issue_many(crd_ledger *ledger, const crd_request *request, const crd_bulk_row *const *rows,
                                 uint64_t count, uint32_t flags, crd_bulk_result *const *results, uint64_t *kept) {
    bulk b;
    crd_status status = crd__enter(ledger);
    if (status != CRD_OK) return status;
    memset(&b, 0, sizeof b);
    b.ledger = ledger;
    b.flags = flags;
    b.count = count;
    b.own = !ledger->unit.open;
    if (kept != NULL) *kept = 0;
    status = check_call(&b, request, rows, count, flags, results);
    if (status != CRD_OK || count == 0) return status;
    b.rows = crd__alloc(&ledger->allocator, count * sizeof *b.rows);
    if (b.rows == NULL) return crd__fail(ledger, CRD_E_NOMEM, NULL);
    crd__arena_init(&b.arena, &ledger->allocator);
    status = take_rows(&b, rows);
    if (status == CRD_OK)
        status = (flags & CRD_BULK_ALL_OR_NOTHING) || ledger->unit.open ? issue_whole(&b) : issue_most(&b);
    for (uint64_t i = 0; i < count; i++) {
        const crd_bulk_result *r = &b.rows[i].out;
        if (results != NULL) crd__give_struct(results[i], r);
        if (kept != NULL) *kept += r->status == CRD_OK && r->last_seq != 0;
    }
    drop_page(&b);
    crd__arena_free(&b.arena);
    crd__free(&ledger->allocator, b.rows);
    if (status == CRD_OK) (void)crd__enter(ledger); /* what a row was refused for is in its result */
    return status;
}
