/*
 * A trial: memory until its end, the model, batches and reads that are compared with it. testkit_private.h tells how.
 */
#include "testkit_private.h"

#include <string.h>

#define BLOCK (UINT64_C(64) << 10)

/* ---- memory ---- */

/* The first block is the reserve: what is given when there is no memory. */
static void *reserve_of(crd__tk *t) {
    crd__tk_block *block = t->blocks;
    while (block->next != NULL) block = block->next;
    return block + 1;
}

void *crd__tk_take(crd__tk *t, uint64_t size) {
    crd__tk_block *block = t->blocks;
    void *out;
    size = (size + 15) / 16 * 16;
    if (block->used + size > block->size) {
        uint64_t room = size > BLOCK ? size : BLOCK;
        crd__tk_block *more = t->run->allocator.resize(t->run->allocator.ctx, NULL, sizeof *more + room);
        if (more == NULL) {
            t->nomem = 1; /* the second half of the reserve stays zero: texts in it end */
            if (size > BLOCK / 2) return NULL;
            return memset(reserve_of(t), 0, (size_t)size);
        }
        more->next = block;
        more->used = 0;
        more->size = room;
        t->blocks = block = more;
    }
    out = (char *)(block + 1) + block->used;
    block->used += size;
    memset(out, 0, (size_t)size);
    return out;
}

const char *crd__tk_keep_text(crd__tk *t, const char *text) {
    size_t size = strlen(text) + 1;
    char *copy = crd__tk_take(t, size);
    return t->nomem ? "" : memcpy(copy, text, size);
}

void crd__tk_open_spare(crd__tk *t) {
    t->spare.guard.struct_size = sizeof t->spare.guard;
    t->spare.guard.customer = t->spare.guard.currency = "";
    t->spare.change.struct_size = sizeof t->spare.change;
    t->spare.change.kind = CRD_KIND_ACCOUNT;
    t->spare.change.record = &t->spare.record;
    crd__tk_empty(CRD_KIND_ACCOUNT, &t->spare.record);
    crd__tk_empty(CRD_KIND_ACCOUNT, &t->spare.account);
    for (int i = 0; i < 66; i++) {
        t->spare.guards[i] = &t->spare.guard;
        t->spare.changes[i] = &t->spare.change;
    }
}

const char *crd__tk_label(crd__tk *t, const char *prefix, int64_t number) {
    crd__tk_text text;
    crd__tk_clear(&text);
    crd__tk_add(&text, prefix);
    crd__tk_number(&text, number);
    return crd__tk_keep_text(t, text.text);
}

uint64_t crd__tk_next(crd__tk *t, uint64_t bound) {
    t->random = t->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (t->random >> 33) % bound;
}

/* ---- findings ---- */

void crd__tk_fail(crd__tk *t, const char *evidence) {
    crd_testkit_finding finding;
    if (t->nomem) return;
    t->findings++;
    t->run->summary.findings++;
    if (t->findings > CRD__TK_MOST_FINDINGS || t->run->report == NULL) return;
    memset(&finding, 0, sizeof finding);
    finding.struct_size = sizeof finding;
    finding.verdict = CRD_TESTKIT_FAILED;
    finding.claim = t->claim;
    finding.evidence = evidence;
    finding.number = t->findings;
    if (t->run->report(t->run->ctx, &finding) != 0) t->run->stopped = 1;
}

void crd__tk_fail_text(crd__tk *t, const crd__tk_text *evidence) {
    crd__tk_fail(t, evidence->text);
}

int crd__tk_check(crd__tk *t, int condition, const char *evidence) {
    if (!condition) crd__tk_fail(t, evidence);
    return condition;
}

/* ---- the model ---- */

static int compare_keys(const uint8_t *a, uint64_t m, const uint8_t *b, uint64_t n) {
    int order = memcmp(a, b, (size_t)(m < n ? m : n));
    return order != 0 ? order : m < n ? -1 : m > n;
}

/* The place of a key among the rows. */
static uint64_t place_of(const crd__tk *t, const uint8_t *key, uint64_t size, int *there) {
    uint64_t low = 0, high = t->count;
    *there = 0;
    if (high > 0 && compare_keys(t->rows[high - 1]->key, t->rows[high - 1]->key_size, key, size) < 0) return high;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        int order = compare_keys(t->rows[middle]->key, t->rows[middle]->key_size, key, size);
        if (order == 0) *there = 1;
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

crd__tk_row *crd__tk_find(crd__tk *t, uint32_t kind, const void *record) {
    uint8_t key[CRD_RECORD_KEY_SIZE];
    uint64_t size = 0, place;
    int there;
    if (crd_record_key(kind, record, key, sizeof key, &size) != CRD_OK) return NULL;
    place = place_of(t, key, size, &there);
    return there ? t->rows[place] : NULL;
}

static int rows_room(crd__tk *t) {
    uint64_t capacity = t->capacity * 2 + 256;
    crd__tk_row **rows;
    if (t->count < t->capacity) return 1;
    rows = t->run->allocator.resize(t->run->allocator.ctx, t->rows, capacity * sizeof(crd__tk_row *));
    if (rows == NULL) {
        t->nomem = 1;
        return 0;
    }
    t->rows = rows;
    t->capacity = capacity;
    return 1;
}

void crd__tk_put(crd__tk *t, uint32_t kind, const void *record) {
    uint8_t key[CRD_RECORD_KEY_SIZE];
    uint64_t size = 0, place;
    crd__tk_row *row;
    void *copy;
    int there;
    if (!rows_room(t) || crd_record_key(kind, record, key, sizeof key, &size) != CRD_OK) return;
    place = place_of(t, key, size, &there);
    if (!there) {
        row = crd__tk_take(t, sizeof *row);
        if (t->nomem) return;
        row->kind = kind;
        row->key_size = (uint16_t)size;
        memcpy(row->key, key, (size_t)size);
        memmove(t->rows + place + 1, t->rows + place, (size_t)(t->count - place) * sizeof(crd__tk_row *));
        t->rows[place] = row;
        t->count++;
    }
    copy = crd__tk_take(t, crd__tk_copy_size(kind, record));
    if (!t->nomem) t->rows[place]->record = crd__tk_copy(kind, record, copy);
}

const crd_account_record *crd__tk_account(crd__tk *t, const char *customer, const char *currency) {
    crd_account_record account;
    crd__tk_row *row;
    crd__tk_empty(CRD_KIND_ACCOUNT, &account);
    account.customer = customer;
    account.currency = currency;
    row = crd__tk_find(t, CRD_KIND_ACCOUNT, &account);
    return row != NULL ? row->record : NULL;
}

int64_t crd__tk_version(crd__tk *t, const char *customer, const char *currency) {
    const crd_account_record *account = crd__tk_account(t, customer, currency);
    return account != NULL ? account->version : 0;
}

/* ---- batches ---- */

void crd__tk_batch_open(crd__tk *t, crd__tk_batch *b, uint64_t guards, uint64_t changes) {
    memset(b, 0, sizeof *b);
    b->t = t;
    b->guards = crd__tk_take(t, (guards + 1) * sizeof(crd_guard *));
    b->changes = crd__tk_take(t, (changes + 1) * sizeof(crd_change *));
    b->failed = crd__tk_take(t, (guards + 2) * sizeof(uint64_t));
    b->guard_room = guards;
    b->change_room = changes;
    b->batch.struct_size = sizeof b->batch;
    if (!t->nomem) return;
    b->guard_room = b->change_room = 0;
    b->guards = t->spare.guards + 1; /* the last of none is one of them, too */
    b->changes = t->spare.changes + 1;
    b->failed = t->spare.failed;
}

crd_guard *crd__tk_guard(crd__tk_batch *b, const char *customer, const char *currency, int64_t version) {
    crd_guard *guard = crd__tk_take(b->t, sizeof *guard);
    if (b->t->nomem) guard = &b->t->spare.guard;
    guard->struct_size = sizeof *guard;
    guard->customer = crd__tk_keep_text(b->t, customer);
    guard->currency = crd__tk_keep_text(b->t, currency);
    guard->version = crd__tk_version(b->t, customer, currency);
    guard->new_version = version;
    if (b->batch.guard_count < b->guard_room) b->guards[b->batch.guard_count++] = guard;
    return guard;
}

crd_change *crd__tk_change(crd__tk_batch *b, const void *record, uint32_t kind) {
    crd_change *change = crd__tk_take(b->t, sizeof *change);
    void *copy = crd__tk_take(b->t, crd__tk_copy_size(kind, record));
    if (b->t->nomem) {
        change = &b->t->spare.change;
        crd__tk_empty(kind, &b->t->spare.record);
        change->kind = kind;
        change->record = &b->t->spare.record;
    } else {
        change->struct_size = sizeof *change;
        change->kind = kind;
        change->operation = crd__tk_find(b->t, kind, record) != NULL ? CRD_CHANGE_UPDATE : CRD_CHANGE_INSERT;
        change->record = crd__tk_copy(kind, record, copy);
    }
    if (b->batch.change_count < b->change_room) b->changes[b->batch.change_count++] = change;
    return change;
}

static void add_entries(crd__tk_batch *b, const crd_account_record *account, uint32_t group, uint32_t entries) {
    for (uint32_t i = 0; i < entries; i++) {
        crd__tk_any r;
        crd__tk_make(b->t, &r, CRD_KIND_ENTRY, account->customer, account->currency, "",
                     account->last_seq - entries + 1 + i);
        if (i + 1 == entries) memcpy(r.entry.hash, account->last_hash, sizeof r.entry.hash);
        crd__tk_change(b, &r, CRD_KIND_ENTRY)->group = group;
    }
}

crd_account_record *crd__tk_command(crd__tk_batch *b, const char *customer, const char *currency, uint32_t group,
                                    uint32_t entries) {
    crd__tk *t = b->t;
    const crd_account_record *before = crd__tk_account(t, customer, currency);
    crd__tk_any r;
    crd_account_record *account;
    crd_change *change;
    crd__tk_make(t, &r, CRD_KIND_ACCOUNT, customer, currency, "", 0);
    if (before != NULL) r.account = *before;
    r.account.last_seq += entries;
    for (uint32_t i = 0; i < 32; i++) r.account.last_hash[i] = (uint8_t)crd__tk_next(t, 256);
    r.account.version = crd_entry_version(r.account.last_hash);
    crd__tk_guard(b, customer, currency, r.account.version)->group = group;
    change = crd__tk_change(b, &r, CRD_KIND_ACCOUNT);
    change->group = group;
    account = crd__tk_take(t, sizeof *account); /* the change's own record, where it can be written */
    if (t->nomem) return &t->spare.account;
    *account = *(const crd_account_record *)change->record;
    change->record = account;
    add_entries(b, account, group, entries);
    return account;
}

static int change_order(const crd_change *a, const crd_change *b) {
    uint8_t x[CRD_RECORD_KEY_SIZE], y[CRD_RECORD_KEY_SIZE];
    uint64_t m = 0, n = 0;
    (void)crd_record_key(a->kind, a->record, x, sizeof x, &m);
    (void)crd_record_key(b->kind, b->record, y, sizeof y, &n);
    return compare_keys(x, m, y, n);
}

static int guard_order(const crd_guard *a, const crd_guard *b) {
    int order = strcmp(a->customer, b->customer);
    return order != 0 ? order : strcmp(a->currency, b->currency);
}

/* Shell's sort: in place, and quick when there is nothing to do. */
static void sort_batch(crd__tk_batch *b) {
    static const uint64_t gaps[] = {29524, 9841, 3280, 1093, 364, 121, 40, 13, 4, 1};
    for (uint32_t g = 0; g < sizeof gaps / sizeof gaps[0]; g++) {
        uint64_t gap = gaps[g];
        for (uint64_t i = gap; i < b->batch.change_count; i++) {
            crd_change *moved = b->changes[i];
            uint64_t at = i;
            for (; at >= gap && change_order(b->changes[at - gap], moved) > 0; at -= gap)
                b->changes[at] = b->changes[at - gap];
            b->changes[at] = moved;
        }
        for (uint64_t i = gap; i < b->batch.guard_count; i++) {
            crd_guard *moved = b->guards[i];
            uint64_t at = i;
            for (; at >= gap && guard_order(b->guards[at - gap], moved) > 0; at -= gap)
                b->guards[at] = b->guards[at - gap];
            b->guards[at] = moved;
        }
    }
}

static int tk_group_failed(const crd__tk_batch *b, uint32_t group) {
    for (uint64_t i = 0; i < b->result.failed_count && i < b->batch.guard_count; i++)
        if (b->failed[i] < b->batch.guard_count && b->guards[b->failed[i]]->group == group) return 1;
    return 0;
}

/* The list of pointers as the contract has it: of pointers to what is not changed. */
static const void *as_const(const void *list) {
    return list;
}

int32_t crd__tk_write(crd__tk_batch *b) {
    crd__tk *t = b->t;
    int independent = (b->batch.flags & CRD_BATCH_INDEPENDENT) != 0;
    if (t->nomem || t->dead) return CRD_OUTCOME_UNKNOWN;
    sort_batch(b);
    b->batch.guards = as_const(b->guards);
    b->batch.changes = as_const(b->changes);
    b->batch.proof = ++t->proof;
    memset(&b->result, 0, sizeof b->result);
    b->result.struct_size = sizeof b->result;
    b->result.failed = b->failed;
    t->run->summary.writes++;
    t->storage->write(t->storage->ctx, &b->batch, &b->result);
    b->result.host_text[CRD_HOST_TEXT - 1] = '\0';
    if (b->result.proof != b->batch.proof) return CRD_OUTCOME_UNKNOWN;
    if (b->result.outcome == CRD_OUTCOME_DONE)
        for (uint64_t i = 0; i < b->batch.change_count; i++)
            if (!independent || !tk_group_failed(b, b->changes[i]->group))
                crd__tk_put(t, b->changes[i]->kind, b->changes[i]->record);
    return b->result.outcome;
}

int crd__tk_write_is(crd__tk_batch *b, int32_t outcome, const char *because) {
    int32_t is = crd__tk_write(b);
    crd__tk_text text;
    if (b->t->nomem || b->t->dead) return 0;
    if (is == outcome) return 1;
    crd__tk_clear(&text);
    if (because[0] != '\0') {
        crd__tk_add(&text, because);
        crd__tk_add(&text, ": ");
    }
    crd__tk_add(&text, "the batch was answered \"");
    crd__tk_add(&text, crd__tk_outcome(is));
    if (b->result.proof != b->batch.proof) crd__tk_add(&text, "\" without its proof, not \"");
    else crd__tk_add(&text, "\", not \"");
    crd__tk_add(&text, crd__tk_outcome(outcome));
    crd__tk_add(&text, "\"");
    if (b->result.host_text[0] != '\0') {
        crd__tk_add(&text, "; the storage says: ");
        crd__tk_add(&text, b->result.host_text);
    }
    crd__tk_fail_text(b->t, &text);
    return 0;
}

int crd__tk_write_done(crd__tk_batch *b) {
    return crd__tk_write_is(b, CRD_OUTCOME_DONE, "");
}

/* ---- what a query must bring ---- */

static int is_asked_for(const crd_query *query, const crd_account_record *account) {
    crd_query of_accounts = *query;
    of_accounts.kinds = CRD_KIND_BIT_ACCOUNT;
    if (!crd_query_matches(&of_accounts, CRD_KIND_ACCOUNT, account)) return 0;
    if ((query->flags & CRD_QUERY_BOTH_OPEN) && !(account->open_credits > 0 && account->open_invoices > 0)) return 0;
    return !(query->flags & CRD_QUERY_UNACKNOWLEDGED) || account->acknowledged_seq < account->last_seq;
}

/* Whether an account is among the first `limit` asked for. Accounts are the first rows. */
static int is_chosen(crd__tk *t, const crd_query *query, const crd_account_record *account) {
    uint64_t before = 0;
    if (account == NULL || !is_asked_for(query, account)) return 0;
    if (query->limit == 0) return 1;
    for (uint64_t i = 0; i < t->count && t->rows[i]->kind == CRD_KIND_ACCOUNT && t->rows[i]->record != account; i++)
        before += is_asked_for(query, t->rows[i]->record) != 0;
    return before < query->limit;
}

static int any_chosen(crd__tk *t, const crd_query *query, const char *customer) {
    for (uint64_t i = 0; i < t->count && t->rows[i]->kind == CRD_KIND_ACCOUNT; i++) {
        const crd_account_record *account = t->rows[i]->record;
        if (strcmp(account->customer, customer) == 0 && is_chosen(t, query, account)) return 1;
    }
    return 0;
}

int crd__tk_wanted(crd__tk *t, const crd_query *query, const crd__tk_row *row) {
    const crd_account_record *account;
    if (!crd_query_matches(query, row->kind, row->record)) return 0;
    if (query->keys != NULL) return 1;
    if (row->kind == CRD_KIND_REQUEST) return query->limit == 0 && !(query->flags & CRD_QUERY_BOTH_OPEN);
    if (row->kind == CRD_KIND_ACCOUNT) return is_chosen(t, query, row->record);
    if (row->kind == CRD_KIND_CUSTOMER && (query->limit != 0 || (query->flags & CRD_QUERY_BOTH_OPEN)))
        return any_chosen(t, query, crd__tk_customer(row->kind, row->record));
    if (query->limit == 0 && !(query->flags & (CRD_QUERY_BOTH_OPEN | CRD_QUERY_UNACKNOWLEDGED))) return 1;
    account = crd__tk_account(t, crd__tk_customer(row->kind, row->record), crd__tk_currency(row->kind, row->record));
    if (row->kind == CRD_KIND_ENTRY && (query->flags & CRD_QUERY_UNACKNOWLEDGED) && account != NULL &&
        ((const crd_entry_record *)row->record)->seq <= account->acknowledged_seq)
        return 0;
    if (query->limit != 0) return is_chosen(t, query, account);
    return !(query->flags & CRD_QUERY_BOTH_OPEN) ||
           (account != NULL && account->open_credits > 0 && account->open_invoices > 0);
}

/* ---- reading ---- */

static void say_of(crd__tk_reading *r, uint32_t look, uint32_t kind, const void *record, const char *what) {
    crd__tk_text text;
    r->said++;
    if (!(r->looks & look) || r->t->nomem) return;
    crd__tk_clear(&text);
    crd__tk_name(&text, kind, record);
    crd__tk_add(&text, " ");
    crd__tk_add(&text, what);
    crd__tk_fail_text(r->t, &text);
}

static void look_at(crd__tk_reading *r, uint32_t kind, const void *record) {
    crd__tk_row *row = crd__tk_find(r->t, kind, record);
    const crd_field *field;
    crd__tk_text text;
    if ((r->query->kinds >> kind & 1) == 0) {
        say_of(r, CRD__TK_UNASKED, kind, record, "was emitted, but its kind was not asked for");
        return;
    }
    if (kind == CRD_KIND_ACCOUNT && r->accounts_over)
        say_of(r, CRD__TK_LATE, kind, record, "was emitted after a record that is no account");
    if (kind != CRD_KIND_ACCOUNT) r->accounts_over = 1;
    if (row == NULL) {
        say_of(r, CRD__TK_STRANGE, kind, record, "was emitted, but no batch that was answered \"done\" contains it");
        return;
    }
    if (row->seen == r->t->reading) say_of(r, CRD__TK_TWICE, kind, record, "was emitted twice in one read");
    row->seen = r->t->reading;
    field = crd__tk_difference(kind, row->record, record);
    if (field == NULL) return;
    crd__tk_clear(&text);
    crd__tk_add(&text, "was emitted with another ");
    crd__tk_add(&text, field->name);
    crd__tk_add(&text, " than was kept last");
    say_of(r, CRD__TK_DIFFERENT, kind, record, text.text);
}

static int32_t CRD_CALL tk_take(void *sink, uint32_t kind, const void *record) {
    crd__tk_reading *r = sink;
    const char *wrong = crd__tk_malformed(kind, record);
    r->emitted++;
    if (r->stopped) {
        r->said++;
        if (r->looks & CRD__TK_STOPS) crd__tk_fail(r->t, "emit was called again after it had said stop");
        return 1;
    }
    if (wrong != NULL) {
        crd__tk_text text;
        r->said++;
        crd__tk_clear(&text);
        crd__tk_add(&text, "a record was emitted (kind ");
        crd__tk_number(&text, kind);
        crd__tk_add(&text, ") ");
        crd__tk_add(&text, wrong);
        if (r->looks & CRD__TK_FORM) crd__tk_fail_text(r->t, &text);
        return 0;
    }
    if (r->see != NULL) r->see(r->ctx, kind, record);
    look_at(r, kind, record);
    r->stopped = r->stop_after != 0 && r->emitted >= r->stop_after;
    return r->stopped;
}

static int finished(crd__tk_reading *r) {
    crd__tk_text text;
    if (r->result.proof == r->query->proof && r->result.outcome == CRD_OUTCOME_DONE) return 1;
    r->said++;
    crd__tk_clear(&text);
    crd__tk_add(&text, "the read ended as \"");
    crd__tk_add(&text, crd__tk_outcome(r->result.outcome));
    crd__tk_add(&text, r->result.proof == r->query->proof ? "\", not \"done\"" : "\" without its proof");
    if (r->result.host_text[0] != '\0') {
        crd__tk_add(&text, "; the storage says: ");
        crd__tk_add(&text, r->result.host_text);
    }
    crd__tk_fail_text(r->t, &text);
    return 0;
}

void crd__tk_query(crd__tk *t, crd_query *query, uint32_t kinds, const char *customer) {
    memset(query, 0, sizeof *query);
    query->struct_size = sizeof *query;
    query->kinds = kinds;
    query->customer = customer;
    query->proof = ++t->proof;
}

int crd__tk_read_with(crd__tk_reading *r, crd_query *query) {
    crd__tk *t = r->t;
    if (t->nomem || t->dead) return 0;
    t->reading++;
    r->query = query;
    r->emitted = r->said = 0;
    r->accounts_over = r->stopped = 0;
    memset(&r->result, 0, sizeof r->result);
    r->result.struct_size = sizeof r->result;
    t->run->summary.reads++;
    t->storage->read(t->storage->ctx, query, tk_take, r, &r->result);
    r->result.host_text[CRD_HOST_TEXT - 1] = '\0';
    if (!finished(r)) return 0;
    if (r->stop_after != 0) return r->said == 0;
    for (uint64_t i = 0; i < t->count; i++)
        if (t->rows[i]->seen != t->reading && crd__tk_wanted(t, query, t->rows[i]))
            say_of(r, CRD__TK_MISSING, t->rows[i]->kind, t->rows[i]->record, "was kept and asked for, but not emitted");
    return r->said == 0;
}

int crd__tk_read(crd__tk *t, crd_query *query, uint32_t looks) {
    crd__tk_reading r;
    memset(&r, 0, sizeof r);
    r.t = t;
    r.looks = looks;
    return crd__tk_read_with(&r, query);
}

int crd__tk_compare(crd__tk *t, uint32_t looks) {
    crd_query query;
    crd__tk_query(t, &query, CRD__TK_ALL_KINDS, NULL);
    return crd__tk_read(t, &query, looks);
}
