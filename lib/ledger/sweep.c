/*
 * The sweep: enters what expired and lapsed, account by account, page by page.
 *
 * Invariants:
 * 1. Nothing is entered that crd__enter_lapsed() would not enter, so a sweep changes no figure and a second one finds
 *    nothing.
 * 2. Accounts stand and fall on their own. One larger than a batch is written in several; each leaves a valid state.
 */
#include "ledger/ledger.h"

#include <string.h>

#define SWEEP_PAGE CRD_MAX_ACCOUNTS

typedef struct sweeping {
    crd_ledger *ledger;
    crd_sweep_spec spec;
    crd__command command;
    crd__arena own; /* request, and where the next page begins */
    crd__arena page;
    const char *after_customer, *after_currency;
    crd_sweep_result result;
    crd_progress progress;
    const crd__account *in_parts; /* counted already, and written to again */
    int complete;
} sweeping;

/* Whether something of an account may be due. Both marks may be early, never late. */
static int may_be_due(const sweeping *s, const crd_account_record *account) {
    return (account->turns_on != 0 && account->turns_on <= s->command.date) ||
           (account->credit_held > 0 && account->lapses_at != 0 && account->lapses_at <= s->command.instant);
}

static crd_query sweep_page_query(const sweeping *s, uint32_t kinds) {
    crd_query query = crd__query(kinds, s->spec.customer, NULL);
    query.flags = CRD_QUERY_OPEN | CRD_QUERY_FOR_WRITE;
    query.limit = SWEEP_PAGE;
    query.after_customer = s->after_customer;
    query.after_currency = s->after_currency;
    return query;
}

static void count_entries(sweeping *s) {
    const crd__list *entries = &s->ledger->unit.entries;
    for (uint64_t i = 0; i < entries->count; i++) {
        const crd__entry *entry = entries->items[i];
        if (entry->on.account->lost) continue;
        s->progress.applications++;
        if (entry->record.type == CRD_ENTRY_EXPIRE) {
            s->result.expired++;
            s->result.expired_amount += entry->record.amount;
        } else {
            s->result.lapsed++;
            s->result.lapsed_amount += entry->record.amount;
        }
    }
}

/* Writes what is pending. An account that is written in parts is counted with its first. */
static crd_status sweep_flush(sweeping *s) {
    crd_ledger *ledger = s->ledger;
    uint64_t count = ledger->unit.accounts.count;
    struct {
        crd__account *account;
        int64_t version;
    } *written = crd__arena_take(&ledger->unit.arena, (count + 1) * sizeof *written);
    crd_status status = written != NULL ? CRD_OK : crd__fail(ledger, CRD_E_NOMEM, NULL);
    for (uint64_t i = 0; status == CRD_OK && i < count; i++) {
        written[i].account = ledger->unit.accounts.items[i];
        written[i].version = written[i].account->base;
    }
    if (status == CRD_OK && count > 0) status = crd__unit_keep(ledger, 1);
    if (status == CRD_OK) count_entries(s);
    for (uint64_t i = 0; status == CRD_OK && i < count; i++) {
        const crd__account *account = written[i].account;
        s->result.conflicted += account->lost;
        s->result.accounts += !account->lost && account != s->in_parts;
        if (account->lost)
            crd__account_stale_live(ledger, &account->record);
        else
            crd__follow(ledger, account, written[i].version);
    }
    crd__unit_forget(ledger);
    ledger->unit.mark++;
    return status;
}

static uint64_t holds_of(const crd__account *account) {
    uint64_t count = 0;
    for (uint64_t i = 0; i < account->docs.count; i++)
        count += ((const crd__doc *)account->docs.items[i])->kind == CRD_KIND_HOLD;
    return count;
}

static int compare_first(const void *a, const void *b) {
    const crd_credit_record *x = ((const crd__doc *)a)->record, *y = ((const crd__doc *)b)->record;
    return x->first_seq < y->first_seq ? -1 : x->first_seq > y->first_seq;
}

/* The credits of an account, oldest first: a storage may emit them in any order, and the journal is to be the same. */
static crd_status list_credits(sweeping *s, const crd__account *account, void ***out, uint64_t *count) {
    void **list = crd__arena_take(&s->page, (2 * account->docs.count + 1) * sizeof *list);
    if (list == NULL) return crd__fail(s->ledger, CRD_E_NOMEM, NULL);
    *count = 0;
    for (uint64_t i = 0; i < account->docs.count; i++)
        if (((const crd__doc *)account->docs.items[i])->kind == CRD_KIND_CREDIT)
            list[(*count)++] = account->docs.items[i];
    crd__sort(list, *count, list + account->docs.count, compare_first);
    *out = list;
    return CRD_OK;
}

/* What one credit may add: itself, its expiries, and for each hold the hold, its lapse and an expiry. */
static crd_status sweep_account(sweeping *s, crd__account *account) {
    crd_ledger *ledger = s->ledger;
    crd__when when = crd__command_when(&s->command, 0);
    uint64_t most = 4 + 3 * holds_of(account), count = 0;
    void **credits = NULL;
    crd_status status = list_credits(s, account, &credits, &count);
    if (status == CRD_OK && ledger->unit.accounts.count == CRD_MAX_ACCOUNTS) status = sweep_flush(s);
    for (uint64_t i = 0; status == CRD_OK && i < count && !account->lost; i++) {
        crd__doc *doc = credits[i];
        if (crd__unit_changes(ledger) + most > CRD_MAX_CHANGES) {
            int entered = account->dirty;
            status = sweep_flush(s);
            if (entered) s->in_parts = account;
        }
        if (status == CRD_OK && !account->lost)
            status = crd__enter_lapsed_at(&s->command, doc, &when, s->command.instant, CRD_ENTRY_AUTOMATIC);
    }
    return status;
}

static int32_t stop_asked(sweeping *s) {
    int32_t stop;
    if (s->spec.progress == NULL) return 0;
    s->ledger->busy = 1;
    stop = s->spec.progress(s->spec.ctx, &s->progress);
    s->ledger->busy = 0;
    return stop;
}

/* The accounts of a page with their credits and holds, of those that may be due. */
static crd_status sweep_due(sweeping *s, crd__loaded *loaded) {
    crd_status status = crd__hand_over(s->ledger, loaded);
    int32_t stop = 0;
    for (uint64_t i = 0; i < loaded->accounts.count; i++) ((crd__account *)loaded->accounts.items[i])->refs = 1;
    for (uint64_t i = 0; status == CRD_OK && !stop && i < loaded->accounts.count; i++) {
        crd__account *account = loaded->accounts.items[i];
        s->progress.accounts++;
        if (!may_be_due(s, &account->record)) continue;
        stop = stop_asked(s);
        if (!stop) status = sweep_account(s, account);
    }
    if (status == CRD_OK) status = sweep_flush(s);
    if (status == CRD_OK && stop) status = crd__fail(s->ledger, CRD_E_CANCELLED, NULL);
    return status;
}

static crd_status sweep_advance(sweeping *s, const crd__loaded *loaded) {
    const crd__account *last;
    s->complete = loaded->accounts.count < SWEEP_PAGE;
    if (s->complete) return CRD_OK;
    last = loaded->accounts.items[loaded->accounts.count - 1];
    s->after_customer = crd__arena_text(&s->own, last->record.customer);
    s->after_currency = crd__arena_text(&s->own, last->record.currency);
    if (s->after_customer != NULL && s->after_currency != NULL) return CRD_OK;
    return crd__fail(s->ledger, CRD_E_NOMEM, NULL);
}

static void sweep_free_loaded(crd_ledger *ledger, crd__loaded *loaded) {
    static const crd__counts nothing = {0, 0, 0, 0, 0, 0, 0};
    crd__unit_back(ledger, &nothing); /* what was not written refers to the page */
    for (uint64_t i = 0; i < loaded->accounts.count; i++) {
        crd__account *account = loaded->accounts.items[i];
        crd__list_free(&ledger->allocator, &account->docs);
        crd__index_free(&ledger->allocator, &account->index);
    }
    crd__loaded_free(loaded);
}

/* One read finds out whether anything of a page may be due; only then a second one brings its credits and holds. */
static crd_status sweep_page(sweeping *s) {
    static const uint32_t kinds[] = {CRD_KIND_BIT_ACCOUNT,
                                     CRD_KIND_BIT_ACCOUNT | CRD_KIND_BIT_CREDIT | CRD_KIND_BIT_HOLD};
    crd_status status = CRD_OK;
    int due = 1;
    s->in_parts = NULL;
    for (int look = 0; status == CRD_OK && look < 2 && due; look++) {
        crd_query query = sweep_page_query(s, kinds[look]);
        crd__loaded loaded;
        crd__arena_reset(&s->page);
        status = crd__read(s->ledger, &query, &s->page, &loaded);
        if (status != CRD_OK) return status;
        due = 0;
        for (uint64_t i = 0; look == 0 && i < loaded.accounts.count; i++)
            due |= may_be_due(s, &((crd__account *)loaded.accounts.items[i])->record);
        if (look == 0 && !due) s->progress.accounts += loaded.accounts.count;
        if (look == 1) status = sweep_due(s, &loaded);
        if (status == CRD_OK && (look == 1 || !due)) status = sweep_advance(s, &loaded);
        sweep_free_loaded(s->ledger, &loaded);
    }
    return status;
}

static crd_status sweep_keep_request(sweeping *s) {
    crd_request *r = &s->command.request;
    r->actor = crd__arena_text(&s->own, r->actor);
    r->note = crd__arena_text(&s->own, r->note);
    if (r->actor == NULL || r->note == NULL) return crd__fail(s->ledger, CRD_E_NOMEM, NULL);
    return CRD_OK;
}

static crd_status sweep_begin(sweeping *s, const crd_sweep_spec *spec) {
    crd_ledger *ledger = s->ledger;
    crd__refusal why;
    crd_status status = CRD_OK;
    if (!s->command.own_unit) return crd__fail(ledger, CRD_E_UNIT, "a sweep is a unit of its own");
    if (spec != NULL) status = crd__take_struct(ledger, "spec", &s->spec, sizeof s->spec, sizeof s->spec, spec);
    if (status == CRD_OK && s->spec.reserved != 0) status = crd__fail_argument(ledger, "spec.reserved", "must be 0");
    if (status == CRD_OK && s->spec.customer != NULL) status = crd__check_any_id(ledger, "spec.customer", s->spec.customer);
    if (status == CRD_OK && s->command.request.key != NULL)
        status = crd__fail_argument(ledger, "request.key", "must be NULL: a sweep may simply be sent again");
    if (status == CRD_OK && s->command.request.flags != 0)
        status = crd__fail_argument(ledger, "request.flags", "must be 0: nothing expires in a closed period");
    if (status == CRD_OK) status = sweep_keep_request(s);
    if (status == CRD_OK)
        status = crd__command_allow(&s->command, s->spec.customer != NULL ? s->spec.customer : "", "", "", 0);
    if (status != CRD_OK || s->command.date > ledger->settings.closed_through) return status;
    (void)crd__refuse(&why, CRD_E_CLOSED, CRD_KIND_ACCOUNT, "", ledger->settings.closed_through, s->command.date);
    return crd__fail_refusal(ledger, &why, "", "");
}

crd_status crd_sweep(crd_ledger *ledger, const crd_request *request, const crd_sweep_spec *spec,
                     crd_sweep_result *out) {
    static const crd_sweep_result nothing = {sizeof(crd_sweep_result), 0, 0, 0, 0, 0, 0, 0};
    sweeping s;
    crd_status status;
    crd__give_struct(out, &nothing);
    memset(&s, 0, sizeof s);
    s.ledger = ledger;
    s.result.struct_size = sizeof s.result;
    s.progress.struct_size = sizeof s.progress;
    status = crd__command_begin(ledger, request, CRD_COMMAND_SWEEP, &s.command);
    if (status != CRD_OK) return status;
    crd__arena_init(&s.own, &ledger->allocator);
    crd__arena_init(&s.page, &ledger->allocator);
    status = sweep_begin(&s, spec);
    while (status == CRD_OK && !s.complete) status = sweep_page(&s);
    crd__arena_free(&s.own);
    crd__arena_free(&s.page);
    if (s.command.own_unit) crd__unit_forget(ledger);
    crd__give_struct(out, &s.result);
    return status;
}
