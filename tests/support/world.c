/*
 * See world.h.
 */
#define _XOPEN_SOURCE 700

#include "support/world.h"

#include "support/ties.h"

#ifndef CREDIT_NO_SQLITE
#include <credit/sqlite.h>
#endif

#ifndef CREDIT_NO_POSTGRES
#include <credit/postgres.h>
#include <libpq-fe.h>
#endif

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- opening and closing ---- */

static int64_t CRD_CALL clock_now(void *ctx) {
    (void)ctx;
    return (int64_t)DAY_ZERO * INT64_C(86400000000) + INT64_C(43200000000);
}

static const crd_storage *sqlite_storage(world *w) {
#ifndef CREDIT_NO_SQLITE
    crd_sqlite *sqlite = NULL;
    ck_assert_int_lt(w->sqlites, 4);
    ck_assert_msg(crd_sqlite_open(w->path, CRD_SQLITE_NORMAL, &sqlite) == CRD_OK, "%s: %s", w->path,
                  crd_sqlite_message(sqlite));
    w->sqlite[w->sqlites++] = sqlite;
    return crd_sqlite_storage(sqlite);
#else
    (void)w;
    return NULL;
#endif
}

int world_stores(void) {
#ifdef CREDIT_NO_SQLITE
    return 1;
#else
    int asked = getenv("CREDIT_TEST_LONG") != NULL || getenv("CREDIT_TEST_POSTGRES") != NULL;
#ifndef CREDIT_NO_POSTGRES
    if (asked && getenv("CREDIT_TEST_CONNINFO") != NULL) return 3;
#endif
    (void)asked;
    return 2;
#endif
}

int world_first_store(void) {
    const char *asked = getenv("CREDIT_TEST_POSTGRES");
    return asked != NULL && strcmp(asked, "only") == 0 && world_stores() > STORE_POSTGRES ? STORE_POSTGRES : 0;
}

void *world_trace;

#ifndef CREDIT_NO_POSTGRES
/* On a connection of the host's, which can be listened to. */
static crd_status open_traced(world *w, const crd_postgres_options *options, crd_postgres **out) {
    w->traced = PQconnectdb(getenv("CREDIT_TEST_CONNINFO"));
    PQtrace(w->traced, world_trace);
    PQsetTraceFlags(w->traced, PQTRACE_SUPPRESS_TIMESTAMPS);
    return crd_postgres_attach(w->traced, options, out);
}
#endif

static const crd_storage *postgres_storage(world *w) {
#ifndef CREDIT_NO_POSTGRES
    const char *conninfo = getenv("CREDIT_TEST_CONNINFO");
    int traced = world_trace != NULL && w->postgreses == 0;
    crd_postgres_options options;
    crd_postgres *postgres = NULL;
    ck_assert_int_lt(w->postgreses, 4);
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    options.schema = w->schema;
    if (getenv("CREDIT_TEST_UNPREPARED") != NULL) options.flags = CRD_POSTGRES_UNPREPARED;
    ck_assert_msg((traced ? open_traced(w, &options, &postgres) : crd_postgres_open(conninfo, &options, &postgres)) ==
                      CRD_OK,
                  "%s: %s", w->schema, crd_postgres_message(postgres));
    w->postgres[w->postgreses++] = postgres;
    return crd_postgres_storage(postgres);
#else
    (void)w;
    return NULL;
#endif
}

static void drop_schema(const world *w) {
#ifndef CREDIT_NO_POSTGRES
    char sql[160];
    PGconn *conn = PQconnectdb(getenv("CREDIT_TEST_CONNINFO"));
    snprintf(sql, sizeof sql, "SET client_min_messages = error; DROP SCHEMA IF EXISTS \"%s\" CASCADE", w->schema);
    PQclear(PQexec(conn, sql));
    PQfinish(conn);
#else
    (void)w;
#endif
}

static void make_store(world *w) {
    static unsigned made;
    const char *place = getenv("TMPDIR");
    if (w->store == STORE_MEMORY) {
        ck_assert_int_eq(crd_memory_new(NULL, &w->memory), CRD_OK);
        return;
    }
    if (w->store == STORE_POSTGRES) {
        snprintf(w->schema, sizeof w->schema, "World %ld.%u", (long)getpid(), ++made);
        postgres_storage(w);
        return;
    }
    snprintf(w->directory, sizeof w->directory, "%.200s/ledger-XXXXXX", place != NULL && *place ? place : "/tmp");
    ck_assert_ptr_nonnull(mkdtemp(w->directory));
    snprintf(w->path, sizeof w->path, "%s/book.db", w->directory);
    sqlite_storage(w);
}

const crd_storage *world_storage(const world *w) {
#ifndef CREDIT_NO_SQLITE
    if (w->store == STORE_SQLITE) return crd_sqlite_storage(w->sqlite[0]);
#endif
#ifndef CREDIT_NO_POSTGRES
    if (w->store == STORE_POSTGRES) return crd_postgres_storage(w->postgres[0]);
#endif
    return crd_memory_storage(w->memory);
}

world *world_open_with(int store, const crd_allocator *allocator, const crd_settings *settings,
                       const crd_hooks *hooks) {
    world *w = calloc(1, sizeof *w);
    crd_ledger_options options;
    ck_assert_ptr_nonnull(w);
    w->store = store;
    make_store(w);
    shim_init(&w->shim, world_storage(w));
    if (hooks != NULL) w->hooks = *hooks;
    w->hooks.struct_size = sizeof w->hooks;
    if (w->hooks.clock == NULL) w->hooks.clock = clock_now;
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    options.storage = &w->shim.table;
    options.allocator = allocator;
    options.hooks = &w->hooks;
    options.settings = settings;
    ck_assert_int_eq(crd_ledger_open(&options, &w->ledger), CRD_OK);
    return w;
}

world *world_open(int store) {
    return world_open_with(store, NULL, NULL, NULL);
}

crd_ledger *world_rival(world *w) {
    crd_ledger_options options;
    crd_ledger **rival = &w->rivals[w->rival_count];
    ck_assert_int_lt(w->rival_count, 3);
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    options.storage = w->store == STORE_SQLITE     ? sqlite_storage(w)
                      : w->store == STORE_POSTGRES ? postgres_storage(w)
                                                   : world_storage(w);
    options.hooks = &w->hooks;
    ck_assert_int_eq(crd_ledger_open(&options, rival), CRD_OK);
    w->rival_count++;
    return *rival;
}

static void remove_store(world *w) {
    static const char *const suffixes[] = {"", "-wal", "-shm", "-journal"};
    char name[320];
    if (w->store == STORE_MEMORY) return;
    if (w->store == STORE_POSTGRES) {
        drop_schema(w);
        return;
    }
    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
        snprintf(name, sizeof name, "%s%s", w->path, suffixes[i]);
        unlink(name);
    }
    rmdir(w->directory);
}

void world_close(world *w) {
    for (int i = 0; i < w->rival_count; i++) crd_ledger_close(w->rivals[i]);
    crd_ledger_close(w->ledger);
    shim_close(&w->shim);
#ifndef CREDIT_NO_SQLITE
    for (int i = 0; i < w->sqlites; i++) crd_sqlite_close(w->sqlite[i]);
#endif
#ifndef CREDIT_NO_POSTGRES
    for (int i = 0; i < w->postgreses; i++) crd_postgres_close(w->postgres[i]);
    PQfinish(w->traced);
#endif
    crd_memory_free(w->memory);
    remove_store(w);
    free(w->before);
    free(w);
}

/* ---- the book ---- */

book *world_book(const world *w) {
    return book_read(world_storage(w));
}

static int32_t CRD_CALL show_finding(void *ctx, const crd_finding *f) {
    (void)ctx;
    fprintf(stderr, "verify: %s %s %s entry %lld, %s: %s (%lld, not %lld)\n", crd_kind_name(f->kind), f->customer,
            f->id, (long long)f->seq, f->field, f->message, (long long)f->stored, (long long)f->expected);
    return 0;
}

void world_check(world *w) {
    book *b = world_book(w);
    crd_ledger_options options;
    crd_verify_spec spec;
    crd_ledger *auditor = NULL;
    const char *untied;
    book_check(b);
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    options.storage = world_storage(w);
    options.writer = 1;
    ck_assert_int_eq(crd_ledger_open(&options, &auditor), CRD_OK);
    memset(&spec, 0, sizeof spec);
    spec.struct_size = sizeof spec;
    spec.found = show_finding;
    ENDS(auditor, crd_ledger_verify(auditor, &spec, NULL), CRD_OK);
    untied = ties_problem(auditor, b);
    ck_assert_msg(untied == NULL, "%s", untied);
    crd_ledger_close(auditor);
    book_free(b);
}

static void step(world *w) {
    if (!w->careless) world_check(w);
}

void world_remember(world *w) {
    book *b = world_book(w);
    free(w->before);
    w->before = book_text(b);
    book_free(b);
}

void world_same(world *w, const char *what) {
    book *b = world_book(w);
    char *now = book_text(b);
    size_t at = 0;
    while (now[at] != '\0' && now[at] == w->before[at]) at++;
    while (at > 0 && now[at - 1] != '\n') at--;
    ck_assert_msg(strcmp(now, w->before) == 0, "%s changed the book; it was:\n%.300s\nand is:\n%.300s", what,
                  w->before + at, now + at);
    free(now);
    book_free(b);
}

/* ---- requests ---- */

const crd_request *keyed(int day, const char *key) {
    static crd_request requests[8];
    static unsigned next;
    crd_request *r = &requests[next++ % 8];
    memset(r, 0, sizeof *r);
    r->struct_size = sizeof *r;
    r->actor = "clerk";
    r->key = key;
    r->business_date = DAY(day);
    return r;
}

const crd_request *on(int day) {
    return keyed(day, NULL);
}

crd_result result_block(void) {
    crd_result r;
    memset(&r, 0, sizeof r);
    r.struct_size = sizeof r;
    return r;
}

crd_plan_result plan_result_block(void) {
    crd_plan_result r;
    memset(&r, 0, sizeof r);
    r.struct_size = sizeof r;
    return r;
}

crd_credit_terms credit_terms(const char *id, uint32_t kind, int64_t amount) {
    crd_credit_terms t;
    memset(&t, 0, sizeof t);
    t.struct_size = sizeof t;
    t.kind = kind;
    t.currency = "EUR";
    t.id = id;
    t.amount = amount;
    t.reason = "agreed by phone";
    return t;
}

crd_invoice_terms invoice_terms(const char *id, int64_t total) {
    crd_invoice_terms t;
    memset(&t, 0, sizeof t);
    t.struct_size = sizeof t;
    t.kind = CRD_INVOICE_INVOICE;
    t.currency = "EUR";
    t.id = id;
    t.total = total;
    return t;
}

crd_plan_spec plan_spec(uint32_t flags, int day) {
    crd_plan_spec s;
    memset(&s, 0, sizeof s);
    s.struct_size = sizeof s;
    s.flags = flags;
    s.date = DAY(day);
    return s;
}

/* ---- words ---- */

void customer(world *w, const char *id) {
    OK(w, crd_customer_add(w->ledger, on(-1000), id, NULL, NULL));
    step(w);
}

crd_credit *credit(world *w, const char *who, const char *id, uint32_t kind, int64_t amount, int day) {
    crd_credit_terms t = credit_terms(id, kind, amount);
    crd_credit *out = NULL;
    OK(w, crd_credit_issue(w->ledger, on(day), who, &t, &out));
    step(w);
    return out;
}

crd_credit *memo(world *w, const char *who, const char *id, int64_t amount, int day) {
    return credit(w, who, id, CRD_CREDIT_MEMO, amount, day);
}

crd_credit *cash(world *w, const char *who, const char *id, int64_t amount, int day) {
    return credit(w, who, id, CRD_CREDIT_PREPAYMENT, amount, day);
}

crd_credit *promise(world *w, const char *who, const char *id, int64_t amount, int day, int expires) {
    crd_credit_terms t = credit_terms(id, CRD_CREDIT_GOODWILL, amount);
    crd_credit *out = NULL;
    t.expires = DAY(expires);
    OK(w, crd_credit_issue(w->ledger, on(day), who, &t, &out));
    step(w);
    return out;
}

crd_invoice *invoice_as(world *w, const char *who, const char *id, uint32_t kind, int64_t total, int day, int due,
                        uint32_t flags) {
    crd_invoice_terms t = invoice_terms(id, total);
    crd_invoice *out = NULL;
    t.kind = kind;
    t.due = DAY(due);
    t.flags = flags;
    OK(w, crd_invoice_enter(w->ledger, on(day), who, &t, &out));
    step(w);
    return out;
}

crd_invoice *invoice(world *w, const char *who, const char *id, int64_t total, int day, int due) {
    return invoice_as(w, who, id, CRD_INVOICE_INVOICE, total, day, due, 0);
}

int64_t noon(int day) {
    return (int64_t)DAY(day) * INT64_C(86400000000) + INT64_C(43200000000);
}

const crd_request *at_noon(int day) {
    crd_request *r = (crd_request *)(uintptr_t)on(day);
    r->instant = noon(day);
    return r;
}

crd_hold_terms hold_terms(const char *id, int64_t amount, int lapses) {
    crd_hold_terms t;
    memset(&t, 0, sizeof t);
    t.struct_size = sizeof t;
    t.id = id;
    t.amount = amount;
    if (lapses != 0) t.lapses_at = noon(lapses);
    return t;
}

void hold_credit(world *w, crd_credit *c, crd_invoice *draft, const char *id, int64_t amount, int day, int lapses) {
    crd_hold_terms t = hold_terms(id, amount, lapses);
    OK(w, crd_credit_hold(w->ledger, on(day), c, draft, &t, NULL));
    step(w);
}

crd_hold *find_hold(crd_ledger *ledger, const char *who, const char *id) {
    crd_hold *out = NULL;
    ENDS(ledger, crd_hold_find(ledger, who, id, &out), CRD_OK);
    return out;
}

crd_status try_apply(crd_ledger *ledger, crd_credit *c, crd_invoice *i, int64_t amount, uint32_t flags,
                     const crd_request *request, crd_result *out) {
    crd_apply_terms t;
    memset(&t, 0, sizeof t);
    t.struct_size = sizeof t;
    t.amount = amount;
    t.flags = flags;
    return crd_credit_apply(ledger, request, c, i, &t, out);
}

int64_t apply(world *w, crd_credit *c, crd_invoice *i, int64_t amount, int day) {
    crd_result r = result_block();
    OK(w, try_apply(w->ledger, c, i, amount, 0, on(day), &r));
    ck_assert_int_eq(r.amount, amount);
    ck_assert_int_eq(r.repeated, 0);
    step(w);
    return r.first_seq;
}

crd_status try_undo(crd_ledger *ledger, const char *who, int64_t seq, int64_t amount, const crd_request *request,
                    crd_result *out) {
    return crd_undo(ledger, request, who, "EUR", seq, amount, out);
}

int64_t undo(world *w, const char *who, int64_t seq, int64_t amount, int day) {
    crd_result r = result_block();
    OK(w, try_undo(w->ledger, who, seq, amount, on(day), &r));
    step(w);
    return r.amount;
}

void void_credit(world *w, crd_credit *c, int64_t amount, int day) {
    OK(w, crd_credit_void(w->ledger, on(day), c, amount, 0, NULL));
    step(w);
}

void void_invoice(world *w, crd_invoice *i, int day) {
    OK(w, crd_invoice_void(w->ledger, on(day), i, 0, NULL));
    step(w);
}

void send_invoice(world *w, crd_invoice *i, int day) {
    OK(w, crd_invoice_send(w->ledger, on(day), i, 0, NULL));
    step(w);
}

crd_plan_result reconcile(world *w, uint32_t flags, int day) {
    crd_plan_spec spec = plan_spec(flags, day);
    crd_plan_result r = plan_result_block();
    OK(w, crd_reconcile(w->ledger, on(day), &spec, &r));
    step(w);
    return r;
}

crd_balance balance_of(crd_ledger *ledger, const char *who, const char *currency, int day) {
    crd_balance b;
    memset(&b, 0, sizeof b);
    b.struct_size = sizeof b;
    ENDS(ledger, crd_customer_balance(ledger, who, currency, DAY(day), &b), CRD_OK);
    return b;
}

crd_credit *find_credit(crd_ledger *ledger, const char *who, const char *id) {
    crd_credit *out = NULL;
    ENDS(ledger, crd_credit_find(ledger, who, id, &out), CRD_OK);
    return out;
}

crd_invoice *find_invoice(crd_ledger *ledger, const char *who, const char *id) {
    crd_invoice *out = NULL;
    ENDS(ledger, crd_invoice_find(ledger, who, id, &out), CRD_OK);
    return out;
}

/* The texts of these copies are gone with the book: only figures are of use. */
crd_credit_record stored_credit(world *w, const char *who, const char *id) {
    book *b = world_book(w);
    const crd_credit_record *found = book_credit(b, who, id);
    crd_credit_record copy;
    ck_assert_msg(found != NULL, "credit %s of %s is not stored", id, who);
    copy = *found;
    book_free(b);
    return copy;
}

crd_invoice_record stored_invoice(world *w, const char *who, const char *id) {
    book *b = world_book(w);
    const crd_invoice_record *found = book_invoice(b, who, id);
    crd_invoice_record copy;
    ck_assert_msg(found != NULL, "invoice %s of %s is not stored", id, who);
    copy = *found;
    book_free(b);
    return copy;
}

int world_main(Suite *(*make)(void)) {
    SRunner *runner = srunner_create(make());
    int failed;
#ifdef CREDIT_NO_SQLITE
    printf("SKIP built without SQLite: over memory only\n");
#endif
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
