/*
 * Claims about more than one connection: another one (C), concurrent writers (P), a restart (D), the host's own
 * transaction (J).
 *
 * Jobs run in threads of the host's: they touch nothing of the trial but their own figures, and take no memory.
 */
#include "testkit_private.h"

#include <string.h>

#define KEPT (CRD__TK_MISSING | CRD__TK_STRANGE | CRD__TK_DIFFERENT)

/* ---- another connection ---- */

static int open_other(crd__tk *t, crd_testkit_world *other) {
    memset(other, 0, sizeof *other);
    other->struct_size = sizeof *other;
    t->run->factory->connect(t->run->factory->ctx, &t->world, other);
    return crd__tk_check(t, other->storage != NULL, "connect() set no storage");
}

static void close_other(crd__tk *t, crd_testkit_world *other) {
    t->storage = t->world.storage;
    t->run->factory->disconnect(t->run->factory->ctx, &t->world, other);
}

/* One more entry and a credit that is in step with it. */
static void step_batch(crd__tk *t, crd__tk_batch *b, const char *customer) {
    const crd_account_record *account;
    crd__tk_any r;
    crd__tk_batch_open(t, b, 1, 4);
    account = crd__tk_command(b, customer, "EUR", 0, 1);
    crd__tk_make(t, &r, CRD_KIND_CREDIT, customer, "EUR", "k", account->last_seq);
    r.credit.applied = account->last_seq - 1;
    crd__tk_change(b, &r, CRD_KIND_CREDIT);
}

static int write_step(crd__tk *t, const char *customer) {
    crd__tk_batch b;
    step_batch(t, &b, customer);
    return crd__tk_write_done(&b);
}

static void c1_seen_by_all(crd__tk *t) {
    crd_testkit_world other;
    if (!open_other(t, &other)) return;
    for (int i = 0; i < 6; i++) {
        t->storage = i % 2 ? other.storage : t->world.storage;
        if (!write_step(t, "c1")) break;
        t->storage = i % 2 ? t->world.storage : other.storage;
        crd__tk_compare(t, KEPT);
    }
    close_other(t, &other);
}

static void c2_one_of_two(crd__tk *t) {
    crd_testkit_world other;
    if (!open_other(t, &other)) return;
    if (write_step(t, "c1")) {
        crd__tk_batch first, second;
        crd_query q;
        for (int i = 0; i < 2; i++) { /* both have read the same version */
            t->storage = i ? other.storage : t->world.storage;
            crd__tk_query(t, &q, CRD__TK_ALL_KINDS, "c1");
            q.flags = CRD_QUERY_FOR_WRITE;
            crd__tk_read(t, &q, 0);
        }
        step_batch(t, &first, "c1");
        step_batch(t, &second, "c1");
        t->storage = other.storage;
        if (crd__tk_write_done(&first)) {
            t->storage = t->world.storage;
            crd__tk_write_is(&second, CRD_OUTCOME_CONFLICT, "another connection has changed the account since");
            crd__tk_compare(t, KEPT);
        }
    }
    close_other(t, &other);
}

static void c3_nothing_open(crd__tk *t) {
    crd_testkit_world other;
    if (!crd__tk_book(t) || !open_other(t, &other)) return;
    for (uint64_t after = 0; after < 4; after++) {
        crd__tk_reading r;
        crd_query q;
        crd__tk_batch b;
        memset(&r, 0, sizeof r);
        r.t = t;
        r.stop_after = after; /* the second to fourth read are stopped early */
        t->storage = t->world.storage;
        crd__tk_query(t, &q, CRD__TK_ALL_KINDS, NULL);
        crd__tk_read_with(&r, &q);
        step_batch(t, &b, "c9");
        t->storage = other.storage;
        if (!crd__tk_write_is(&b, CRD_OUTCOME_DONE, "a write of one connection after a read of another has returned"))
            break;
        t->storage = t->world.storage;
        crd__tk_compare(t, CRD__TK_MISSING | CRD__TK_DIFFERENT);
    }
    close_other(t, &other);
}

/* Writes while another connection reads, and watches what that read gives of the account. */
typedef struct crd__tk_between {
    crd__tk *t;
    const crd_storage *writer, *reader;
    int written;
    int64_t account_seq, credit_seq;
} crd__tk_between;

static void write_between(void *ctx, uint32_t kind, const void *record) {
    crd__tk_between *w = ctx;
    crd__tk_batch b;
    if (!w->written) {
        w->written = 1;
        step_batch(w->t, &b, "z");
        w->t->storage = w->writer;
        (void)crd__tk_write(&b); /* a storage that locks may fail here */
        w->t->storage = w->reader;
    }
    if (strcmp(crd__tk_customer(kind, record), "z") != 0) return;
    if (kind == CRD_KIND_ACCOUNT) w->account_seq = crd__tk_last_seq(kind, record);
    if (kind == CRD_KIND_CREDIT) w->credit_seq = crd__tk_last_seq(kind, record);
}

static void c4_never_newer(crd__tk *t) {
    crd_testkit_world other;
    if (!crd__tk_book(t) || !write_step(t, "z") || !open_other(t, &other)) return;
    for (int i = 0; i < 3; i++) {
        crd__tk_reading r;
        crd__tk_between between;
        crd_query q;
        memset(&between, 0, sizeof between);
        between.t = t;
        between.reader = t->world.storage;
        between.writer = other.storage;
        memset(&r, 0, sizeof r);
        r.t = t;
        r.see = write_between;
        r.ctx = &between;
        crd__tk_query(t, &q, CRD_KIND_BIT_ACCOUNT | CRD_KIND_BIT_CREDIT, NULL);
        crd__tk_read_with(&r, &q);
        crd__tk_check(t, between.account_seq <= between.credit_seq,
                      "a read gave an account that is newer than a credit of it which came after");
    }
    close_other(t, &other);
}

/* ---- concurrent writers ---- */

#define JOBS 4
#define STEPS 25
#define ATTEMPTS 4000

typedef struct crd__tk_race {
    int reading;      /* job 0 reads, the others write */
    int request;      /* all insert the same request keys, each in an account of its own */
    uint64_t done[JOBS], conflicts[JOBS], exists[JOBS], reads[JOBS], writes[JOBS];
    int32_t last[JOBS]; /* outcome of the last write */
    int gave_up[JOBS];
    int torn;         /* the reader saw an account newer than its credit */
    int half;         /* the reader saw a credit that no batch wrote */
} crd__tk_race;

/* The account and the credit as a job read them. */
typedef struct crd__tk_pair {
    const char *currency;
    crd_account_record account;
    crd_credit_record credit;
    int has_account, has_credit;
} crd__tk_pair;

static const char *const race_currencies[JOBS] = {"EUR", "GBP", "JPY", "USD"};

static int32_t CRD_CALL take_pair(void *sink, uint32_t kind, const void *record) {
    crd__tk_pair *p = sink;
    if (crd__tk_malformed(kind, record) != NULL || strcmp(crd__tk_customer(kind, record), "hot") != 0 ||
        strcmp(crd__tk_currency(kind, record), p->currency) != 0)
        return 0;
    if (kind == CRD_KIND_ACCOUNT) {
        memcpy(&p->account, record, sizeof p->account);
        p->has_account = 1;
    }
    if (kind == CRD_KIND_CREDIT && strcmp(crd__tk_id(kind, record), "k") == 0) {
        memcpy(&p->credit, record, sizeof p->credit);
        p->has_credit = 1;
    }
    return 0;
}

/* The figures only: texts of a record are not valid any more. 1 when the read finished. */
static int read_pair(const crd_storage *s, crd__tk_pair *p, const char *currency, uint64_t proof) {
    crd_query query;
    crd_read_result result;
    memset(p, 0, sizeof *p);
    p->currency = currency;
    memset(&query, 0, sizeof query);
    query.struct_size = sizeof query;
    query.kinds = CRD_KIND_BIT_ACCOUNT | CRD_KIND_BIT_CREDIT;
    query.customer = "hot";
    query.currency = currency;
    query.proof = proof;
    memset(&result, 0, sizeof result);
    result.struct_size = sizeof result;
    s->read(s->ctx, &query, take_pair, p, &result);
    return result.proof == proof && result.outcome == CRD_OUTCOME_DONE;
}

typedef struct crd__tk_small {
    crd_account_record account;
    crd_credit_record credit;
    crd_entry_record entry;
    crd_request_record request;
    crd_change changes[4];
    const crd_change *list[4];
    crd_guard guard;
    const crd_guard *guards[1];
    crd_batch batch;
} crd__tk_small;

static void small_change(crd__tk_small *s, uint32_t kind, int insert, const void *record) {
    crd_change *change = &s->changes[s->batch.change_count];
    memset(change, 0, sizeof *change);
    change->struct_size = sizeof *change;
    change->kind = kind;
    change->operation = insert ? CRD_CHANGE_INSERT : CRD_CHANGE_UPDATE;
    change->record = record;
    s->list[s->batch.change_count++] = change;
}

/* The next step from what was read: one entry more, and the credit in step with it. */
static void small_step(crd__tk_small *s, const crd__tk_pair *p, uint64_t job, uint64_t turn) {
    memset(s, 0, sizeof *s);
    crd__tk_empty(CRD_KIND_ACCOUNT, &s->account);
    crd__tk_empty(CRD_KIND_CREDIT, &s->credit);
    crd__tk_empty(CRD_KIND_ENTRY, &s->entry);
    s->account.customer = s->credit.customer = s->entry.customer = "hot";
    s->account.currency = s->credit.currency = s->entry.currency = p->currency;
    s->account.last_seq = s->credit.last_seq = s->entry.seq = s->entry.last_seq = p->account.last_seq + 1;
    for (uint32_t i = 0; i < 32; i++) /* differs by job, turn and step */
        s->entry.hash[i] = (uint8_t)(i < 8 ? turn >> 8 * i : i < 16 ? job + 1 : (uint64_t)s->entry.seq >> i % 8);
    s->entry.hash[0] = (uint8_t)(1 + job);
    memcpy(s->account.last_hash, s->entry.hash, 32);
    for (uint32_t i = 0; i < 4; i++) s->account.last_hash[4 + i] = s->entry.hash[4 + i] = (uint8_t)(turn >> 8 * i);
    s->account.version = crd_entry_version(s->entry.hash);
    s->entry.type = CRD_ENTRY_APPLY;
    s->entry.business_date = 19000;
    s->entry.instant = INT64_C(1641600000000000);
    s->entry.actor = "conformance";
    s->credit.id = "k";
    s->credit.credit_class = CRD_CLASS_MEMO;
    s->credit.kind = CRD_CREDIT_MEMO;
    s->credit.state = CRD_CREDIT_ACTIVE;
    s->credit.first_seq = 1;
    s->credit.original = 1000000;
    s->credit.applied = p->credit.applied + 1;
    s->credit.remaining = s->credit.original - s->credit.applied;
    s->guard.struct_size = sizeof s->guard;
    s->guard.customer = "hot";
    s->guard.currency = p->currency;
    s->guard.version = p->has_account ? p->account.version : 0;
    s->guard.new_version = s->account.version;
    s->guards[0] = &s->guard;
    s->batch.struct_size = sizeof s->batch;
    s->batch.guards = s->guards;
    s->batch.guard_count = 1;
    s->batch.changes = s->list;
    small_change(s, CRD_KIND_ACCOUNT, !p->has_account, &s->account);
    small_change(s, CRD_KIND_CREDIT, !p->has_credit, &s->credit);
    small_change(s, CRD_KIND_ENTRY, 1, &s->entry);
}

static int32_t small_write(const crd_storage *s, crd__tk_small *small, uint64_t proof) {
    crd_write_result result;
    uint64_t failed[2];
    memset(&result, 0, sizeof result);
    result.struct_size = sizeof result;
    result.failed = failed;
    small->batch.proof = proof;
    s->write(s->ctx, &small->batch, &result);
    return result.proof == proof ? result.outcome : CRD_OUTCOME_UNKNOWN;
}

static void watch(crd__tk_race *race, const crd_storage *s) {
    for (uint64_t n = 0; n < 6 * STEPS; n++) {
        crd__tk_pair p;
        race->reads[0]++;
        if (!read_pair(s, &p, "EUR", n + 1)) continue;
        if (p.has_account && (!p.has_credit || p.credit.last_seq < p.account.last_seq)) race->torn = 1;
        if (p.has_credit && p.credit.applied != p.credit.last_seq) race->half = 1;
    }
}

static void CRD_CALL race_job(void *ctx, uint64_t number, const crd_storage *storage) {
    crd__tk_race *race = ctx;
    uint64_t turn = 0;
    if (number >= JOBS || storage == NULL) return;
    if (race->reading && number == 0) {
        watch(race, storage);
        return;
    }
    while (race->done[number] + (race->request ? race->exists[number] : 0) < STEPS && turn++ < ATTEMPTS) {
        crd__tk_pair p;
        crd__tk_small small;
        char key[3] = "r?";
        race->reads[number]++;
        if (!read_pair(storage, &p, race->request ? race_currencies[number] : "EUR", 2 * turn)) continue;
        if (race->request && p.has_account) p.has_credit = 1;
        small_step(&small, &p, number, turn);
        if (race->request) {
            key[1] = (char)('A' + (int)(race->done[number] + race->exists[number]));
            small.batch.change_count = 1;
            small.changes[1].kind = CRD_KIND_ENTRY;
            small.changes[1].operation = CRD_CHANGE_INSERT;
            small.changes[1].record = &small.entry;
            small.batch.change_count = 2;
            crd__tk_empty(CRD_KIND_REQUEST, &small.request);
            small.request.customer = "hot";
            small.request.currency = p.currency;
            small.request.request_key = key;
            small_change(&small, CRD_KIND_REQUEST, 1, &small.request);
        }
        race->writes[number]++;
        race->last[number] = small_write(storage, &small, 2 * turn + 1);
        race->done[number] += race->last[number] == CRD_OUTCOME_DONE;
        race->exists[number] += race->last[number] == CRD_OUTCOME_EXISTS;
        race->conflicts[number] += race->last[number] == CRD_OUTCOME_CONFLICT;
    }
    race->gave_up[number] = turn > ATTEMPTS;
}

static uint64_t run_race(crd__tk *t, crd__tk_race *race) {
    uint64_t done = 0;
    t->run->factory->concurrently(t->run->factory->ctx, &t->world, race_job, race, JOBS);
    for (int i = 0; i < JOBS; i++) {
        t->run->summary.reads += race->reads[i];
        t->run->summary.writes += race->writes[i];
        done += race->done[i];
        if (race->gave_up[i]) {
            crd__tk_text text;
            crd__tk_clear(&text);
            crd__tk_say(&text, "a writer did not get % steps done in % attempts; its last write was \"", STEPS, ATTEMPTS);
            crd__tk_add(&text, crd__tk_outcome(race->last[i]));
            crd__tk_add(&text, "\"");
            crd__tk_fail_text(t, &text);
        }
    }
    return done;
}

static void p1_nothing_lost(crd__tk *t) {
    crd__tk_race race;
    crd__tk_pair p;
    crd__tk_text text;
    uint64_t done;
    memset(&race, 0, sizeof race);
    done = run_race(t, &race);
    if (!crd__tk_check(t, read_pair(t->storage, &p, "EUR", ++t->proof), "the read after the race did not finish")) return;
    if (done == (uint64_t)p.credit.applied && done == (uint64_t)p.account.last_seq && done > 0) return;
    crd__tk_clear(&text);
    crd__tk_say(&text, "% steps were answered \"done\", and the credit shows %: ", (int64_t)done, p.credit.applied);
    crd__tk_add(&text, "two writers got past the same guard, or a batch was kept and not told");
    crd__tk_fail_text(t, &text);
}

static void p2_reads_are_whole(crd__tk *t) {
    crd__tk_race race;
    memset(&race, 0, sizeof race);
    race.reading = 1;
    race.done[0] = STEPS;
    (void)run_race(t, &race);
    crd__tk_check(t, !race.torn, "while others wrote, a read gave an account that is newer than its credit");
    crd__tk_check(t, !race.half, "while others wrote, a read gave a record that no batch had written");
}

static void p3_one_key_once(crd__tk *t) {
    crd__tk_race race;
    crd__tk_text text;
    uint64_t done;
    memset(&race, 0, sizeof race);
    race.request = 1;
    done = run_race(t, &race);
    if (done == STEPS) return;
    crd__tk_clear(&text);
    crd__tk_say(&text, "% request keys were inserted by four writers at once, and % inserts were answered \"done\"", STEPS,
                (int64_t)done);
    crd__tk_fail_text(t, &text);
}

/* ---- a restart ---- */

static int reopen(crd__tk *t) {
    t->world.storage = NULL;
    t->run->factory->reopen(t->run->factory->ctx, &t->world);
    t->storage = t->world.storage;
    if (t->storage != NULL) return 1;
    t->dead = 1;
    crd__tk_fail(t, "reopen() set no storage");
    return 0;
}

static void d1_stays(crd__tk *t) {
    if (crd__tk_book(t) && reopen(t)) crd__tk_compare(t, KEPT);
    for (int i = 0; i < 3 && t->findings == 0; i++)
        if (write_step(t, "c1") && reopen(t)) crd__tk_compare(t, KEPT);
}

static void d2_refused_stays_away(crd__tk *t) {
    crd__tk_batch b;
    if (!write_step(t, "c1")) return;
    step_batch(t, &b, "c1");
    b.guards[0]->version ^= 8;
    if (crd__tk_write_is(&b, CRD_OUTCOME_CONFLICT, "a guard has another version") && reopen(t))
        crd__tk_compare(t, CRD__TK_STRANGE | CRD__TK_DIFFERENT);
}

static void d3_guards_stay(crd__tk *t) {
    crd__tk_batch before;
    if (!write_step(t, "c1")) return;
    step_batch(t, &before, "c1");
    if (!write_step(t, "c1") || !reopen(t)) return;
    crd__tk_write_is(&before, CRD_OUTCOME_CONFLICT, "a guard of a version from before, after the restart");
    write_step(t, "c1");
}

static void d4_writers_stay_apart(crd__tk *t) {
    uint64_t given[12];
    for (int i = 0; i < 12; i++) {
        if (i % 4 == 3 && !reopen(t)) return;
        given[i] = t->storage->new_writer(t->storage->ctx);
        for (int j = 0; j < i; j++)
            if (!crd__tk_check(t, given[i] != given[j], "new_writer gave a number again after the restart")) return;
    }
}

/* ---- the host's own transaction ---- */

static uint32_t flags_of(const crd__tk *t) {
    return t->storage->flags_now != NULL ? t->storage->flags_now(t->storage->ctx) : t->storage->flags;
}

static void begin(crd__tk *t) {
    t->run->factory->begin(t->run->factory->ctx, &t->world);
}

static void end(crd__tk *t, int commit) {
    t->run->factory->end(t->run->factory->ctx, &t->world, commit);
}

static void j1_joined(crd__tk *t) {
    crd__tk_check(t, !(flags_of(t) & CRD_STORAGE_JOINED), "CRD_STORAGE_JOINED is said outside of a transaction");
    begin(t);
    crd__tk_check(t, flags_of(t) & CRD_STORAGE_JOINED, "CRD_STORAGE_JOINED is not said within a transaction");
    write_step(t, "c1");
    crd__tk_check(t, flags_of(t) & CRD_STORAGE_JOINED, "CRD_STORAGE_JOINED is not said after a write");
    end(t, 1);
    crd__tk_check(t, !(flags_of(t) & CRD_STORAGE_JOINED), "CRD_STORAGE_JOINED is said after the transaction");
}

/* The model as it was: what a rolled back transaction leaves. Rows are replaced, not changed, so pointers do. */
static void j2_rolled_back(crd__tk *t) {
    crd__tk_row *rows[40];
    const void *records[40];
    uint64_t count;
    crd__tk_batch again;
    if (!write_step(t, "c1")) return;
    count = t->count < 40 ? t->count : 40;
    for (uint64_t i = 0; i < count; i++) {
        rows[i] = t->rows[i];
        records[i] = t->rows[i]->record;
    }
    step_batch(t, &again, "c1");
    begin(t);
    (void)write_step(t, "c1");
    (void)write_step(t, "c2");
    crd__tk_compare(t, CRD__TK_MISSING); /* within, it is seen */
    end(t, 0);
    t->count = count;
    for (uint64_t i = 0; i < count; i++) {
        t->rows[i] = rows[i];
        t->rows[i]->record = records[i];
    }
    crd__tk_compare(t, KEPT);
    crd__tk_write_is(&again, CRD_OUTCOME_DONE, "a guard of the version that the roll back brought back");
}

static void j3_committed(crd__tk *t) {
    begin(t);
    (void)write_step(t, "c1");
    (void)write_step(t, "c2");
    end(t, 1);
    crd__tk_compare(t, KEPT);
    if (t->run->factory->reopen != NULL && reopen(t)) crd__tk_compare(t, KEPT);
}

static void j4_refused_within(crd__tk *t) {
    crd__tk_batch b;
    int32_t outcome;
    if (!write_step(t, "c1")) return;
    begin(t);
    (void)write_step(t, "c2");
    step_batch(t, &b, "c1");
    b.guards[0]->version ^= 8;
    outcome = crd__tk_write(&b);
    if (outcome == CRD_OUTCOME_RESTART) {
        end(t, 0);
        return;
    }
    crd__tk_check(t, outcome == CRD_OUTCOME_CONFLICT, "a failed guard was answered neither \"conflict\" nor \"restart\"");
    (void)write_step(t, "c3"); /* what came before stays, and the transaction goes on */
    end(t, 1);
    crd__tk_compare(t, KEPT);
}

#define CLAIM(id, needs, title, sentence, source, remedy, function)                                                    \
    { {sizeof(crd_testkit_claim), needs, id, title, sentence, source, remedy}, function }
#define CONNECT CRD_TESTKIT_NEEDS_CONNECT
#define RACE CRD_TESTKIT_NEEDS_CONCURRENTLY
#define RESTART CRD_TESTKIT_NEEDS_REOPEN
#define JOIN CRD_TESTKIT_NEEDS_TRANSACTION

const crd__tk_entry crd__tk_shared_claims[] = {
    CLAIM("C1", CONNECT, "another connection sees it", "What is emitted was kept by a finished write.", "S4",
          "Commit before you answer done, and start every read from what is committed.", c1_seen_by_all),
    CLAIM("C2", CONNECT, "of two writers one gets a conflict", "Of two writers that decided on the same version, one gets "
          "a conflict.", "storage.h", "Compare the guard with what is stored now, not with what this connection read.",
          c2_one_of_two),
    CLAIM("C3", CONNECT, "nothing open in between", "No statement or cursor stays open between two calls.", "S10",
          "Reset statements and end the transaction of a read, also when emit stopped it.", c3_nothing_open),
    CLAIM("C4", CONNECT | CRD_TESTKIT_NEEDS_SEPARATE, "the guard is never newer",
          "A version is never newer than the records it vouches for.", "S3",
          "Read the accounts first or all in one snapshot; do not fill in documents from a cache.", c4_never_newer),
    CLAIM("P1", RACE, "writers lose nothing", "Every guard is checked before anything is written, and holds until the "
          "batch is kept.", "S6", "Lock the account's row, or compare and set its version in the statement that writes it.",
          p1_nothing_lost),
    CLAIM("P2", RACE, "readers see whole batches", "A version is never newer than the records it vouches for.", "S3, S5",
          "Read the accounts before the documents, or both in one snapshot; write a batch in one transaction.",
          p2_reads_are_whole),
    CLAIM("P3", RACE, "a key is inserted once", "Inserting a key that exists fails the batch.", "S7",
          "A unique key in the store decides, not a look before the insert.", p3_one_key_once),
    CLAIM("D1", RESTART, "what was kept stays", "After a write said done, no crash takes it back.", "S11",
          "Commit, and have the store sync, before you answer done.", d1_stays),
    CLAIM("D2", RESTART, "what was refused stays away", "Conflict: nothing kept.", "S5",
          "Roll back at once: do not leave half a transaction to the next commit.", d2_refused_stays_away),
    CLAIM("D3", RESTART, "guards survive a restart", "An account and the version it must still have.", "S6",
          "Compare with the stored version, not with one in memory.", d3_guards_stay),
    CLAIM("D4", RESTART | CRD_TESTKIT_NEEDS_WRITER, "writers after a restart",
          "A number no other handle on the same records ever got.", "crd_storage.new_writer",
          "A counter that starts anew with the process repeats; take random bits, or keep it.", d4_writers_stay_apart),
    CLAIM("J1", JOIN, "a joined transaction is told", "The storage writes inside a transaction of the host's, which may "
          "yet roll back.", "CRD_STORAGE_JOINED", "Give flags_now, and ask the store whether a transaction is open.",
          j1_joined),
    CLAIM("J2", JOIN, "the host rolls back", "What is emitted was kept by a finished write, or by one in the host's own "
          "transaction.", "S4", "Keep no cache over a transaction, and commit nothing by yourself within it.",
          j2_rolled_back),
    CLAIM("J3", JOIN, "the host commits", "A batch is kept whole or not at all.", "S5, S11",
          "Write through the host's connection, so that its commit is yours.", j3_committed),
    CLAIM("J4", JOIN, "refused within a transaction", "Nothing kept: what the transaction did before stays.",
          "CRD_OUTCOME_CONFLICT", "Use a savepoint; where there is none, answer restart.", j4_refused_within),
};
const uint64_t crd__tk_shared_count = sizeof crd__tk_shared_claims / sizeof crd__tk_shared_claims[0];
