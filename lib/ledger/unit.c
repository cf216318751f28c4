/*
 * The unit of work: what commands changed, how to go back, and the one write that keeps it.
 *
 * A unit is written as one batch. Its outcome is one of: kept; not kept; kept in part (independent accounts only); or
 * unknown. An unknown outcome is resolved by reading the journal back (`resolve`): the entry at the first sequence the
 * batch would have written has the batch's hash (kept), another hash (another writer was first), or is absent, and then
 * the identical batch may be written again, because its guards let it land at most once.
 */
#include "ledger/ledger.h"

#include <string.h>

#define UNKNOWNS 3 /* how often an unknown outcome is looked up before it is returned */

/* ---- what changed ---- */

static crd_status save(crd_ledger *ledger, crd__account *account, void *record, uint32_t size, uint64_t *saved) {
    crd__unit *unit = &ledger->unit;
    crd__image *image;
    char *copy;
    if (*saved == unit->mark) return CRD_OK;
    image = crd__arena_take(&unit->arena, sizeof *image + size);
    if (image == NULL || !crd__list_push(&ledger->allocator, &unit->images, image))
        return crd__fail(ledger, CRD_E_NOMEM, NULL);
    copy = (char *)(image + 1);
    memcpy(copy, record, size);
    image->account = account;
    image->record = record;
    image->copy = copy;
    image->size = size;
    image->saved = saved;
    image->saved_before = *saved;
    *saved = unit->mark;
    return CRD_OK;
}

static crd_status list_push(crd_ledger *ledger, crd__list *list, void *item) {
    return crd__list_push(&ledger->allocator, list, item) ? CRD_OK : crd__fail(ledger, CRD_E_NOMEM, NULL);
}

/* Room is made before the image is saved: an image must not outlive what it is of. */
static crd_status room(crd_ledger *ledger, crd__list *list) {
    return crd__list_room(&ledger->allocator, list, 1) ? CRD_OK : crd__fail(ledger, CRD_E_NOMEM, NULL);
}

crd_status crd__touch_account(crd_ledger *ledger, crd__account *account) {
    crd_status status;
    if (account->dirty && account->saved == ledger->unit.mark) return CRD_OK;
    status = room(ledger, &ledger->unit.accounts);
    if (status == CRD_OK) status = save(ledger, account, &account->record, sizeof account->record, &account->saved);
    if (status != CRD_OK || account->dirty) return status;
    (void)crd__list_push(&ledger->allocator, &ledger->unit.accounts, account);
    account->dirty = 1;
    account->lost = 0;
    account->repeated = 0;
    account->first_seq = account->record.last_seq + 1;
    crd__account_hold(account);
    return CRD_OK;
}

crd_status crd__guard_account(crd_ledger *ledger, crd__account *account) {
    crd_status status;
    if (account->guarded) return CRD_OK;
    if (!account->dirty) account->lost = 0;
    status = list_push(ledger, &ledger->unit.guards, account);
    if (status != CRD_OK) return status;
    account->guarded = 1;
    crd__account_hold(account);
    return CRD_OK;
}

crd_status crd__touch_doc(crd_ledger *ledger, crd__doc *doc) {
    uint32_t size = 0;
    crd_status status;
    if (doc->dirty && doc->saved == ledger->unit.mark) return CRD_OK;
    (void)crd_record_fields(doc->kind, NULL, &size);
    status = room(ledger, &ledger->unit.docs);
    if (status == CRD_OK) status = save(ledger, doc->account, doc->record, size, &doc->saved);
    if (status != CRD_OK || doc->dirty) return status;
    (void)crd__list_push(&ledger->allocator, &ledger->unit.docs, doc);
    doc->dirty = 1;
    return CRD_OK;
}

crd_status crd__touch_new(crd_ledger *ledger, crd__doc *doc) {
    crd_status status = list_push(ledger, &ledger->unit.docs, doc);
    if (status != CRD_OK) {
        doc->gone = 1;
        return status;
    }
    doc->dirty = 1;
    doc->is_new = 1;
    doc->saved = ledger->unit.mark;
    return CRD_OK;
}

crd__counts crd__unit_counts(const crd_ledger *ledger) {
    const crd__unit *unit = &ledger->unit;
    crd__counts counts;
    counts.accounts = unit->accounts.count;
    counts.guards = unit->guards.count;
    counts.docs = unit->docs.count;
    counts.entries = unit->entries.count;
    counts.requests = unit->requests.count;
    counts.images = unit->images.count;
    counts.lines = unit->lines.count;
    return counts;
}

static void restore(const crd__image *image) {
    memcpy(image->record, image->copy, image->size);
    *image->saved = image->saved_before;
}

void crd__unit_back(crd_ledger *ledger, const crd__counts *to) {
    crd__unit *unit = &ledger->unit;
    while (unit->images.count > to->images) restore(unit->images.items[--unit->images.count]);
    while (unit->docs.count > to->docs) {
        crd__doc *doc = unit->docs.items[--unit->docs.count];
        doc->dirty = 0;
        doc->gone = doc->is_new;
    }
    unit->entries.count = to->entries;
    unit->requests.count = to->requests;
    unit->lines.count = to->lines;
    while (unit->accounts.count > to->accounts) {
        crd__account *account = unit->accounts.items[--unit->accounts.count];
        account->dirty = 0;
        crd__account_drop(account);
    }
    while (unit->guards.count > to->guards) {
        crd__account *account = unit->guards.items[--unit->guards.count];
        account->guarded = 0;
        crd__account_drop(account);
    }
}

void crd__unit_forget(crd_ledger *ledger) {
    crd__unit *unit = &ledger->unit;
    for (uint64_t i = 0; i < unit->docs.count; i++) {
        crd__doc *doc = unit->docs.items[i];
        doc->dirty = 0;
        doc->is_new = 0;
    }
    unit->images.count = unit->docs.count = unit->entries.count = unit->requests.count = unit->lines.count = 0;
    while (unit->accounts.count > 0) {
        crd__account *account = unit->accounts.items[--unit->accounts.count];
        account->dirty = 0;
        crd__account_drop(account);
    }
    while (unit->guards.count > 0) {
        crd__account *account = unit->guards.items[--unit->guards.count];
        account->guarded = 0;
        crd__account_drop(account);
    }
    crd__arena_reset(&unit->arena);
    unit->open = 0;
}

/* ---- the batch ---- */

typedef struct crd__assembly {
    crd_ledger *ledger;
    int independent;
    crd__list accounts; /* of the batch, sorted */
    crd_guard *guards;
    const crd_guard **guard_list;
    crd_change *changes;
    const crd_change **change_list;
    uint64_t guard_count;
    uint64_t change_count;
    void **spare;
    uint64_t *failed;
} crd__assembly;

static int out_of_batch(const crd__account *account) {
    return account->lost || account->repeated;
}

/* What stands and falls together. */
static uint32_t unit_group_of(const crd__assembly *as, const crd__account *account) {
    if (!as->independent) return 0;
    return as->independent == CRD__BY_CUSTOMER ? account->rank : account->group;
}

static void lose(const crd__assembly *as, uint32_t group) {
    for (uint64_t i = 0; i < as->accounts.count; i++) {
        crd__account *account = as->accounts.items[i];
        if (unit_group_of(as, account) == group) account->lost = 1;
    }
}

static int unit_compare_accounts(const void *a, const void *b) {
    return crd__record_compare_key(CRD_KIND_ACCOUNT, &((const crd__account *)a)->record,
                                   &((const crd__account *)b)->record);
}

static int unit_compare_docs(const void *a, const void *b) {
    const crd__doc *x = a, *y = b;
    if (x->account->rank != y->account->rank) return x->account->rank < y->account->rank ? -1 : 1;
    return strcmp(crd__doc_id(x), crd__doc_id(y));
}

static int compare_entries(const void *a, const void *b) {
    const crd__entry *x = a, *y = b;
    if (x->on.account->group != y->on.account->group) return x->on.account->group < y->on.account->group ? -1 : 1;
    return x->record.seq < y->record.seq ? -1 : x->record.seq > y->record.seq;
}

static int unit_compare_lines(const void *a, const void *b) {
    return crd__record_compare_key(CRD_KIND_LINE, &((const crd__lined *)a)->record, &((const crd__lined *)b)->record);
}

static int compare_requests(const void *a, const void *b) {
    return crd__record_compare_key(CRD_KIND_REQUEST, &((const crd__asked *)a)->record,
                                   &((const crd__asked *)b)->record);
}

/* Accounts sorted by key and numbered; docs compare by the number of their customer, which is one comparison. */
static void number_accounts(crd__assembly *as) {
    crd__sort(as->accounts.items, as->accounts.count, as->spare, unit_compare_accounts);
    for (uint64_t i = 0; i < as->accounts.count; i++) {
        crd__account *account = as->accounts.items[i];
        const crd__account *before = i > 0 ? as->accounts.items[i - 1] : NULL;
        crd_guard *guard = &as->guards[i];
        account->group = (uint32_t)i;
        account->rank = 0;
        if (before != NULL)
            account->rank = before->rank + (strcmp(before->record.customer, account->record.customer) != 0);
        guard->struct_size = sizeof *guard;
        guard->group = unit_group_of(as, account);
        guard->customer = account->record.customer;
        guard->currency = account->record.currency;
        guard->version = account->base;
        guard->new_version = account->dirty ? account->record.version : account->base;
        as->guard_list[i] = guard;
    }
    as->guard_count = as->accounts.count;
}

static void add_change(crd__assembly *as, uint32_t kind, int insert, const crd__account *account, const void *record) {
    crd_change *change = &as->changes[as->change_count];
    change->struct_size = sizeof *change;
    change->kind = kind;
    change->operation = insert ? CRD_CHANGE_INSERT : CRD_CHANGE_UPDATE;
    change->group = unit_group_of(as, account);
    change->record = record;
    as->change_list[as->change_count++] = change;
}

/* Sorts, and tells whether no two are the same. A run changes one account after the other, in order: with each account's
 * documents sorted on their own, all of them mostly are, and each is looked at while it is in the cache. */
static int sort_docs(crd__assembly *as, void **docs, uint64_t count) {
    int in_order = 1, differ = 1;
    for (uint64_t from = 0, to; from < count; from = to) {
        const crd__account *account = ((crd__doc *)docs[from])->account;
        for (to = from + 1; to < count && ((crd__doc *)docs[to])->account == account;) to++;
        crd__sort(docs + from, to - from, as->spare, unit_compare_docs);
        for (uint64_t i = from > 0 ? from : 1; i < to; i++) {
            int order = unit_compare_docs(docs[i - 1], docs[i]);
            in_order &= order <= 0;
            differ &= order != 0;
        }
    }
    if (in_order) return differ;
    crd__sort(docs, count, as->spare, unit_compare_docs);
    for (uint64_t i = 1; i < count; i++) differ &= unit_compare_docs(docs[i - 1], docs[i]) != 0;
    return differ;
}

/* Kind by kind; `work` has room for all documents. */
static crd_status add_docs(crd__assembly *as, void **work) {
    const crd__list *docs = &as->ledger->unit.docs;
    uint64_t end[CRD_KIND_COUNT + 1] = {0};
    for (uint64_t i = 0; i < docs->count; i++) {
        const crd__doc *doc = docs->items[i];
        end[doc->kind + 1] += !out_of_batch(doc->account);
    }
    for (uint32_t kind = 1; kind <= CRD_KIND_COUNT; kind++) end[kind] += end[kind - 1];
    for (uint64_t i = 0; i < docs->count; i++) {
        const crd__doc *doc = docs->items[i];
        if (!out_of_batch(doc->account)) work[end[doc->kind]++] = docs->items[i];
    }
    for (uint64_t kind = 1, from = 0; kind < CRD_KIND_COUNT; from = end[kind++]) {
        if (!sort_docs(as, work + from, end[kind] - from))
            return crd__fail(as->ledger, CRD_E_CONTRACT, "the storage emitted a record twice");
        for (uint64_t i = from; i < end[kind]; i++) {
            const crd__doc *doc = work[i];
            add_change(as, doc->kind, doc->is_new, doc->account, doc->record);
        }
    }
    return CRD_OK;
}

/* A line that was added and ended in one unit is there twice: the sort keeps their order, and the later one counts. */
static void add_lines(crd__assembly *as, void **work) {
    const crd__list *lines = &as->ledger->unit.lines;
    uint64_t count = 0;
    int insert = 0;
    for (uint64_t i = 0; i < lines->count; i++)
        if (!out_of_batch(((crd__lined *)lines->items[i])->account)) work[count++] = lines->items[i];
    crd__sort(work, count, as->spare, unit_compare_lines);
    for (uint64_t i = 0; i < count; i++) {
        const crd__lined *line = work[i];
        insert |= line->insert;
        if (i + 1 < count && unit_compare_lines(line, work[i + 1]) == 0) continue;
        add_change(as, CRD_KIND_LINE, insert, line->account, &line->record);
        insert = 0;
    }
}

static void add_entries(crd__assembly *as, void **work) {
    const crd__list *entries = &as->ledger->unit.entries;
    uint64_t count = 0;
    int in_order = 1;
    for (uint64_t i = 0; i < entries->count; i++) {
        if (out_of_batch(((crd__entry *)entries->items[i])->on.account)) continue;
        work[count] = entries->items[i];
        in_order &= count == 0 || compare_entries(work[count - 1], work[count]) <= 0;
        count++;
    }
    if (!in_order) crd__sort(work, count, as->spare, compare_entries);
    for (uint64_t i = 0; i < count; i++) {
        const crd__entry *entry = work[i];
        add_change(as, CRD_KIND_ENTRY, 1, entry->on.account, &entry->record);
    }
}

static void add_requests(crd__assembly *as, void **work) {
    const crd__list *requests = &as->ledger->unit.requests;
    uint64_t count = 0;
    for (uint64_t i = 0; i < requests->count; i++)
        if (!out_of_batch(((crd__asked *)requests->items[i])->account)) work[count++] = requests->items[i];
    crd__sort(work, count, as->spare, compare_requests);
    for (uint64_t i = 0; i < count; i++) {
        const crd__asked *asked = work[i];
        add_change(as, CRD_KIND_REQUEST, 1, asked->account, &asked->record);
    }
}

/* A storage compiled with smaller records keeps no field it does not know: such a record is refused, not cut. Documents
 * have been looked through for one that comes twice. */
static crd_status check_changes(const crd__assembly *as) {
    const crd_storage *storage = &as->ledger->storage;
    for (uint64_t i = 0; i < as->change_count; i++) {
        const crd_change *change = as->change_list[i], *before = i > 0 ? as->change_list[i - 1] : NULL;
        if (!crd__record_fits(change->kind, change->record, storage->record_size[change->kind]))
            return crd__fail(as->ledger, CRD_E_SCHEMA, "the storage was compiled with records too small for this change");
        if (before != NULL && before->kind == change->kind &&
            (change->kind == CRD_KIND_ACCOUNT || change->kind == CRD_KIND_LINE || change->kind == CRD_KIND_REQUEST) &&
            crd__record_compare_key(change->kind, before->record, change->record) == 0)
            return crd__fail(as->ledger, CRD_E_CONTRACT, "the storage emitted a record twice");
    }
    return CRD_OK;
}

/* A guard that no account of the batch stands for: neither the same, nor one that the unit made where none was. */
static int guards_alone(crd_ledger *ledger, const crd__account *guard) {
    const crd__account *live = guard->live ? guard : crd__live(ledger, guard->record.customer, guard->record.currency);
    return !guard->dirty && !guard->lost && (guard->base != 0 || live == NULL || live->base != 0 || !live->dirty);
}

static crd_status assemble(crd_ledger *ledger, int independent, crd__assembly *as) {
    const crd__unit *unit = &ledger->unit;
    uint64_t accounts = unit->accounts.count + unit->guards.count;
    uint64_t changes = unit->accounts.count + unit->docs.count + unit->lines.count + unit->entries.count +
                       unit->requests.count;
    void **work;
    if (accounts > 2 * CRD_MAX_ACCOUNTS || changes > CRD_MAX_CHANGES) {
        crd__fail(ledger, CRD_E_TOO_LARGE, "the unit of work is larger than one batch may be; split it");
        ledger->error.limit = CRD_MAX_CHANGES;
        ledger->error.given = (int64_t)changes;
        return CRD_E_TOO_LARGE;
    }
    memset(as, 0, sizeof *as);
    as->ledger = ledger;
    as->independent = independent;
    as->accounts.items = crd__arena_take(&ledger->unit.arena, (accounts + 1) * sizeof(void *));
    as->guards = crd__arena_take(&ledger->unit.arena, accounts * sizeof *as->guards);
    as->guard_list = crd__arena_take(&ledger->unit.arena, accounts * sizeof *as->guard_list);
    as->failed = crd__arena_take(&ledger->unit.arena, accounts * sizeof *as->failed);
    as->changes = crd__arena_take(&ledger->unit.arena, changes * sizeof *as->changes);
    as->change_list = crd__arena_take(&ledger->unit.arena, changes * sizeof *as->change_list);
    as->spare = crd__arena_take(&ledger->unit.arena, (accounts + changes) * sizeof(void *));
    work = crd__arena_take(&ledger->unit.arena, changes * sizeof(void *));
    if (as->accounts.items == NULL || as->guards == NULL || as->guard_list == NULL || as->failed == NULL ||
        as->changes == NULL || as->change_list == NULL || as->spare == NULL || work == NULL)
        return crd__fail(ledger, CRD_E_NOMEM, NULL);
    for (uint64_t i = 0; i < unit->accounts.count; i++)
        if (!out_of_batch(unit->accounts.items[i])) as->accounts.items[as->accounts.count++] = unit->accounts.items[i];
    for (uint64_t i = 0; i < unit->guards.count; i++)
        if (guards_alone(ledger, unit->guards.items[i]))
            as->accounts.items[as->accounts.count++] = unit->guards.items[i];
    if (as->accounts.count > CRD_MAX_ACCOUNTS)
        return crd__fail(ledger, CRD_E_TOO_LARGE, "the unit of work touches more than 1024 accounts; split it");
    number_accounts(as);
    for (uint64_t i = 0; i < as->accounts.count; i++) {
        const crd__account *account = as->accounts.items[i];
        if (account->dirty) add_change(as, CRD_KIND_ACCOUNT, account->base == 0, account, &account->record);
    }
    if (add_docs(as, work) != CRD_OK) return CRD_E_CONTRACT;
    add_lines(as, work);
    add_entries(as, work);
    add_requests(as, work);
    return check_changes(as);
}

/* ---- write and resolve ---- */

uint32_t crd__storage_flags(crd_ledger *ledger) {
    uint32_t flags = ledger->storage.flags;
    if (ledger->storage.flags_now != NULL) {
        ledger->busy = 1;
        flags = ledger->storage.flags_now(ledger->storage.ctx);
        ledger->busy = 0;
    }
    return flags;
}

static void unit_write_batch(crd__assembly *as, crd_write_result *result) {
    crd_ledger *ledger = as->ledger;
    crd_batch batch;
    memset(&batch, 0, sizeof batch);
    batch.struct_size = sizeof batch;
    batch.flags = as->independent ? CRD_BATCH_INDEPENDENT : 0;
    batch.proof = ++ledger->proof;
    batch.guards = as->guard_list;
    batch.guard_count = as->guard_count;
    batch.changes = as->change_list;
    batch.change_count = as->change_count;
    memset(result, 0, sizeof *result);
    result->struct_size = sizeof *result;
    result->outcome = CRD_OUTCOME_UNKNOWN;
    result->failed = as->failed;
    ledger->busy = 1;
    ledger->storage.write(ledger->storage.ctx, &batch, result);
    ledger->busy = 0;
    result->host_text[CRD_HOST_TEXT - 1] = '\0';
    if (result->proof != batch.proof) result->outcome = CRD_OUTCOME_UNKNOWN;
    if (result->failed_count > as->guard_count) result->failed_count = as->guard_count;
}

void crd__write_mark(crd_ledger *ledger, const crd_account_record *account, crd_write_result *result) {
    crd_guard guard;
    crd_change change;
    const crd_guard *guards[1] = {&guard};
    const crd_change *changes[1] = {&change};
    uint64_t failed[1];
    crd__assembly as;
    memset(&as, 0, sizeof as);
    memset(&guard, 0, sizeof guard);
    memset(&change, 0, sizeof change);
    guard.struct_size = sizeof guard;
    guard.customer = account->customer;
    guard.currency = account->currency;
    guard.version = guard.new_version = account->version;
    change.struct_size = sizeof change;
    change.kind = CRD_KIND_ACCOUNT;
    change.operation = CRD_CHANGE_UPDATE;
    change.record = account;
    as.ledger = ledger;
    as.guard_list = guards;
    as.change_list = changes;
    as.guard_count = as.change_count = 1;
    as.failed = failed;
    unit_write_batch(&as, result);
}

typedef enum { ABSENT = 0, OURS, ANOTHER } found_as;

/* Looks every account of the batch up in the journal; `found` is by group. Reads go to an arena of their own, because
 * the scratch arena may hold what the command still needs. */
static crd_status unit_look_up(crd__assembly *as, uint8_t *found) {
    crd_ledger *ledger = as->ledger;
    uint64_t count = as->accounts.count;
    crd_key *keys = crd__alloc(&ledger->allocator, count * (sizeof *keys + sizeof(void *)));
    const crd_key **list = (const crd_key **)(void *)(keys + count);
    crd_query query = crd__query(CRD_KIND_BIT_ENTRY, NULL, NULL);
    crd__arena arena;
    crd__loaded loaded;
    crd_status status;
    if (keys == NULL) return crd__fail(ledger, CRD_E_NOMEM, NULL);
    memset(found, ABSENT, count);
    for (uint64_t i = 0; i < count; i++) {
        const crd__account *account = as->accounts.items[i];
        if (!account->dirty) continue;
        keys[query.key_count].struct_size = sizeof *keys;
        keys[query.key_count].kind = CRD_KIND_ENTRY;
        keys[query.key_count].customer = account->record.customer;
        keys[query.key_count].currency = account->record.currency;
        keys[query.key_count].id = "";
        keys[query.key_count].number = account->first_seq;
        list[query.key_count] = &keys[query.key_count];
        query.key_count++;
    }
    query.keys = list;
    if (count == 1) query.customer = ((crd__account *)as->accounts.items[0])->record.customer;
    crd__arena_init(&arena, &ledger->allocator);
    status = crd__read(ledger, &query, &arena, &loaded);
    for (uint64_t i = 0; status == CRD_OK && i < loaded.rest.count; i++) {
        const crd_entry_record *there = ((crd__doc *)loaded.rest.items[i])->record;
        for (uint64_t n = 0; n < ledger->unit.entries.count; n++) {
            const crd__entry *ours = ledger->unit.entries.items[n];
            if (ours->record.seq != there->seq || out_of_batch(ours->on.account) ||
                strcmp(ours->record.customer, there->customer) != 0 ||
                strcmp(ours->record.currency, there->currency) != 0)
                continue;
            found[ours->on.account->group] = memcmp(ours->record.hash, there->hash, 32) == 0 ? OURS : ANOTHER;
            break;
        }
    }
    if (status == CRD_OK) crd__loaded_free(&loaded);
    crd__arena_free(&arena);
    crd__free(&ledger->allocator, keys);
    return status;
}

/* Finds out what became of a write whose outcome is not known. What the storage said of it last is kept in the error. */
static crd_status resolve(crd__assembly *as, uint32_t flags, crd_write_result *result) {
    crd_ledger *ledger = as->ledger;
    uint8_t *found = crd__arena_take(&ledger->unit.arena, as->accounts.count + 1);
    crd_status status = found == NULL ? CRD_E_NOMEM : CRD_OK;
    uint64_t absent = 0, others = 0;
    for (int attempt = 0; status == CRD_OK; attempt++) {
        absent = others = 0;
        status = unit_look_up(as, found);
        if (status != CRD_OK) break;
        for (uint64_t i = 0; i < as->accounts.count; i++) {
            crd__account *account = as->accounts.items[i];
            if (!account->dirty) continue;
            absent += found[i] == ABSENT;
            others += found[i] == ANOTHER;
        }
        if (absent == 0 || attempt == UNKNOWNS || (flags & CRD_STORAGE_SETTLED)) break;
        unit_write_batch(as, result); /* whatever it says, the journal decides */
    }
    if (status != CRD_OK || (absent > 0 && !(flags & CRD_STORAGE_SETTLED)))
        return crd__fail_host(ledger, CRD_E_UNKNOWN, NULL, result->host_error, result->host_text);
    if (as->independent) {
        for (uint64_t i = 0; i < as->accounts.count; i++)
            if (((crd__account *)as->accounts.items[i])->dirty && found[i] != OURS)
                ((crd__account *)as->accounts.items[i])->lost = 1;
        if (others == 0 && absent > 0)
            return crd__fail_host(ledger, CRD_E_STORAGE, "the write was lost", result->host_error, result->host_text);
        return CRD_OK;
    }
    if (others > 0) return crd__fail(ledger, CRD_E_CONFLICT, NULL);
    if (absent > 0)
        return crd__fail_host(ledger, CRD_E_STORAGE, "the write was lost; nothing was kept", result->host_error,
                              result->host_text);
    return CRD_OK;
}

/* Which accounts of a page have had their request key used: one read for all of them. */
static crd_status find_repeated(crd__assembly *as) {
    crd_ledger *ledger = as->ledger;
    const crd__list *requests = &ledger->unit.requests;
    crd_key *keys = crd__alloc(&ledger->allocator, (requests->count + 1) * (sizeof *keys + sizeof(void *)));
    const crd_key **list = (const crd_key **)(void *)(keys + requests->count + 1);
    crd_query query = crd__query(CRD_KIND_BIT_REQUEST, NULL, NULL);
    crd__arena arena;
    crd__loaded loaded;
    crd_status status;
    if (keys == NULL) return crd__fail(ledger, CRD_E_NOMEM, NULL);
    for (uint64_t i = 0; i < requests->count; i++) {
        const crd__asked *asked = requests->items[i];
        if (out_of_batch(asked->account)) continue;
        keys[query.key_count].struct_size = sizeof *keys;
        keys[query.key_count].kind = CRD_KIND_REQUEST;
        keys[query.key_count].customer = asked->record.customer;
        keys[query.key_count].currency = "";
        keys[query.key_count].id = asked->record.request_key;
        list[query.key_count] = &keys[query.key_count];
        query.key_count++;
    }
    query.keys = list;
    crd__arena_init(&arena, &ledger->allocator);
    status = crd__read(ledger, &query, &arena, &loaded);
    for (uint64_t i = 0; status == CRD_OK && i < loaded.rest.count; i++) {
        const crd_request_record *there = ((crd__doc *)loaded.rest.items[i])->record;
        for (uint64_t n = 0; n < requests->count; n++) {
            const crd__asked *asked = requests->items[n];
            if (crd__record_compare_key(CRD_KIND_REQUEST, &asked->record, there) != 0) continue;
            if (memcmp(asked->record.digest, there->digest, 32) != 0)
                status = crd__fail_subject(ledger, CRD_E_KEY_REUSED, CRD_KIND_CUSTOMER, there->customer,
                                           there->customer, NULL);
            asked->account->repeated = 1;
        }
    }
    if (status == CRD_OK || status == CRD_E_KEY_REUSED) crd__loaded_free(&loaded);
    crd__arena_free(&arena);
    crd__free(&ledger->allocator, keys);
    return status;
}

static crd_status exists(crd__assembly *as, const crd_write_result *result) {
    const crd_change *change = result->exists < as->change_count ? as->change_list[result->exists] : NULL;
    crd_ledger *ledger = as->ledger;
    if (change == NULL) return crd__fail(ledger, CRD_E_CONTRACT, "the storage named a change that is not in the batch");
    if (change->kind == CRD_KIND_ACCOUNT || change->kind == CRD_KIND_ENTRY)
        return crd__fail_subject(ledger, CRD_E_CONFLICT, CRD_KIND_ACCOUNT,
                                 crd__record_customer(change->kind, change->record),
                                 crd__record_currency(change->kind, change->record), NULL);
    if (change->kind == CRD_KIND_REQUEST) /* the guards held: nothing is stale */
        return crd__fail(ledger, CRD_E_KEY_REUSED, "a request key of the unit was used meanwhile; send the unit again");
    return crd__fail_subject(ledger, CRD_E_EXISTS, change->kind, crd__record_customer(change->kind, change->record),
                             crd__record_id(change->kind, change->record), NULL);
}

static void mark_lost(crd__assembly *as, const crd_write_result *result) {
    for (uint64_t i = 0; i < result->failed_count; i++)
        if (result->failed[i] < as->accounts.count) lose(as, unit_group_of(as, as->accounts.items[result->failed[i]]));
}

/* One write, and what its outcome means. `again`: independent accounts dropped out, write the others. */
static crd_status write_once(crd__assembly *as, int *again) {
    crd_ledger *ledger = as->ledger;
    uint32_t flags = crd__storage_flags(ledger);
    crd_write_result result;
    *again = 0;
    unit_write_batch(as, &result);
    switch (result.outcome) {
    case CRD_OUTCOME_DONE:
        if (as->independent) mark_lost(as, &result);
        return CRD_OK;
    case CRD_OUTCOME_CONFLICT:
        if (as->independent) {
            mark_lost(as, &result);
            for (uint64_t i = 0; result.failed_count == 0 && i < as->accounts.count; i++)
                ((crd__account *)as->accounts.items[i])->lost = 1;
            *again = 1;
            return CRD_OK;
        }
        for (uint64_t i = 0; i < result.failed_count; i++)
            if (result.failed[i] < as->accounts.count) {
                const crd__account *account = as->accounts.items[result.failed[i]];
                return crd__fail_subject(ledger, CRD_E_CONFLICT, CRD_KIND_ACCOUNT, account->record.customer,
                                         account->record.currency, NULL);
            }
        return crd__fail(ledger, CRD_E_CONFLICT, NULL);
    case CRD_OUTCOME_EXISTS:
        if (as->independent) {
            const crd_change *change = result.exists < as->change_count ? as->change_list[result.exists] : NULL;
            *again = 1;
            if (change != NULL && change->kind == CRD_KIND_REQUEST) return find_repeated(as);
            if (change == NULL) return exists(as, &result);
            lose(as, change->group);
            return CRD_OK;
        }
        return exists(as, &result);
    case CRD_OUTCOME_RESTART:
        return crd__fail_host(ledger, CRD_E_RESTART, NULL, result.host_error, result.host_text);
    case CRD_OUTCOME_SCHEMA:
        return crd__fail_host(ledger, CRD_E_SCHEMA, NULL, result.host_error, result.host_text);
    case CRD_OUTCOME_FAILED:
        return crd__fail_host(ledger, CRD_E_STORAGE, NULL, result.host_error, result.host_text);
    default: break;
    }
    if (flags & CRD_STORAGE_JOINED)
        return crd__fail_host(ledger, CRD_E_UNKNOWN, "roll the host's transaction back", result.host_error,
                              result.host_text);
    return resolve(as, flags, &result);
}

static void unit_tell(crd_ledger *ledger) {
    if (ledger->hooks.event == NULL || (crd__storage_flags(ledger) & CRD_STORAGE_JOINED)) return;
    for (uint64_t i = 0; i < ledger->unit.entries.count; i++) {
        const crd__entry *entry = ledger->unit.entries.items[i];
        crd_event event;
        if (out_of_batch(entry->on.account)) continue;
        memset(&event, 0, sizeof event);
        event.struct_size = sizeof event;
        event.entry = &entry->record;
        event.account = &entry->on.account->record;
        if (entry->on.credit != NULL) event.credit = entry->on.credit->record;
        if (entry->on.invoice != NULL) event.invoice = entry->on.invoice->record;
        if (entry->on.receipt != NULL) event.receipt = entry->on.receipt->record;
        if (entry->on.hold != NULL) event.hold = entry->on.hold->record;
        if (entry->on.customer != NULL) event.customer = entry->on.customer->record;
        event.lines = entry->on.lines;
        event.line_count = entry->on.line_count;
        ledger->busy = 1;
        ledger->hooks.event(ledger->hooks.ctx, &event);
        ledger->busy = 0;
    }
}

/* The records of accounts that dropped out of an independent unit go back to what they were. */
static void give_up_lost(crd_ledger *ledger) {
    crd__unit *unit = &ledger->unit;
    int lost = 0;
    for (uint64_t i = 0; i < unit->accounts.count; i++) lost |= out_of_batch(unit->accounts.items[i]);
    if (!lost) return;
    for (uint64_t i = unit->images.count; i-- > 0;)
        if (out_of_batch(((crd__image *)unit->images.items[i])->account)) restore(unit->images.items[i]);
    for (uint64_t i = 0; i < unit->docs.count; i++) {
        crd__doc *doc = unit->docs.items[i];
        if (out_of_batch(doc->account)) doc->gone = doc->is_new;
    }
}

crd_status crd__unit_keep(crd_ledger *ledger, int independent) {
    static const crd__counts nothing = {0, 0, 0, 0, 0, 0, 0};
    crd__unit *unit = &ledger->unit;
    crd__assembly as;
    crd_status status = CRD_OK;
    int again = unit->entries.count > 0 || unit->requests.count > 0;
    while (status == CRD_OK && again) {
        status = assemble(ledger, independent, &as);
        if (status == CRD_OK && as.change_count == 0) break;
        if (status == CRD_OK) status = write_once(&as, &again);
    }
    if (status != CRD_OK) {
        int stale = status == CRD_E_CONFLICT || status == CRD_E_UNKNOWN || status == CRD_E_EXISTS;
        for (uint64_t i = 0; stale && i < unit->accounts.count; i++) crd__account_stale(unit->accounts.items[i]);
        for (uint64_t i = 0; stale && i < unit->guards.count; i++) crd__account_stale(unit->guards.items[i]);
        crd__unit_back(ledger, &nothing);
        return status;
    }
    for (uint64_t i = 0; i < unit->accounts.count; i++) {
        crd__account *account = unit->accounts.items[i];
        if (!out_of_batch(account)) account->base = account->record.version;
    }
    if (independent) give_up_lost(ledger);
    unit_tell(ledger);
    return CRD_OK;
}
