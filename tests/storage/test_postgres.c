/*
 * The PostgreSQL storage: races, connections lost at every point, transactions of the host's, schemas, what it sends.
 * Needs a server, see tests/support/with_postgres.sh; what any storage must do is tested with the ledger's tests.
 */
#define _XOPEN_SOURCE 700
#define _DEFAULT_SOURCE

#include "support/cutter.h"
#include "support/scene.h"
#include "support/world.h"

#include <credit/postgres.h>
#include <libpq-fe.h>

#include <ctype.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *conninfo(void) {
    return getenv("CREDIT_TEST_CONNINFO");
}

static PGconn *direct(void) {
    PGconn *conn = PQconnectdb(conninfo());
    ck_assert_msg(PQstatus(conn) == CONNECTION_OK, "%s", PQerrorMessage(conn));
    PQclear(PQexec(conn, "SET client_min_messages = error"));
    return conn;
}

static int try_run(PGconn *conn, const char *sql) {
    PGresult *result = PQexec(conn, sql);
    int done = PQresultStatus(result) == PGRES_COMMAND_OK || PQresultStatus(result) == PGRES_TUPLES_OK;
    PQclear(result);
    return done;
}

/* In `sql`, @ stands for the schema of the world. */
static void put_schema(const world *w, const char *sql, char *out, size_t size) {
    size_t used = 0;
    for (; *sql != '\0' && used + 80 < size; sql++) {
        if (*sql == '@') used += (size_t)snprintf(out + used, size - used, "\"%s\"", w->schema);
        else out[used++] = *sql;
    }
    out[used] = '\0';
}

static void run_in(PGconn *conn, const world *w, const char *sql) {
    char text[1000];
    put_schema(w, sql, text, sizeof text);
    ck_assert_msg(try_run(conn, text), "%s: %s", text, PQerrorMessage(conn));
}

static void run(const world *w, const char *sql) {
    PGconn *conn = direct();
    run_in(conn, w, sql);
    PQfinish(conn);
}

static long number_in(const world *w, const char *sql) {
    PGconn *conn = direct();
    PGresult *result;
    char text[1000];
    long number;
    put_schema(w, sql, text, sizeof text);
    result = PQexec(conn, text);
    ck_assert_msg(PQntuples(result) == 1, "%s: %s", text, PQerrorMessage(conn));
    number = atol(PQgetvalue(result, 0, 0));
    PQclear(result);
    PQfinish(conn);
    return number;
}

static crd_postgres_options options_of(const world *w, uint32_t flags) {
    crd_postgres_options o;
    memset(&o, 0, sizeof o);
    o.struct_size = sizeof o;
    o.schema = w->schema;
    o.flags = flags;
    return o;
}

static crd_ledger *ledger_on(const crd_storage *storage) {
    crd_ledger_options o;
    crd_ledger *ledger = NULL;
    memset(&o, 0, sizeof o);
    o.struct_size = sizeof o;
    o.storage = storage;
    ck_assert_int_eq(crd_ledger_open(&o, &ledger), CRD_OK);
    return ledger;
}

/* A world with a credit K and an invoice I of 1000 each, of customer "c1". */
static world *small_world(void) {
    world *w = world_open(STORE_POSTGRES);
    customer(w, "c1");
    crd_credit_free(memo(w, "c1", "K", 1000, 0));
    crd_invoice_free(invoice(w, "c1", "I", 1000, 0, 30));
    return w;
}

static crd_status apply_one(crd_ledger *ledger, crd_credit *k, crd_invoice *i) {
    return try_apply(ledger, k, i, 1, 0, at_noon(1), NULL);
}

/* ---- races ---- */

typedef struct shared {
    volatile int ready[2];
    volatile int won[2], lost[2], wrong;
} shared;

static void racer(shared *s, const world *w, int who, int rounds) {
    crd_postgres_options o = options_of(w, 0);
    crd_postgres *storage = NULL;
    crd_ledger *ledger;
    crd_credit *k;
    crd_invoice *i;
    if (crd_postgres_open(conninfo(), &o, &storage) != CRD_OK) _exit(1);
    ledger = ledger_on(crd_postgres_storage(storage));
    k = find_credit(ledger, "c1", "K");
    i = find_invoice(ledger, "c1", "I");
    for (int round = 1; round <= rounds; round++) {
        crd_status status;
        if (crd_credit_refresh(k) != CRD_OK || crd_invoice_refresh(i) != CRD_OK) s->wrong++;
        s->ready[who] = 2 * round;
        while (s->ready[!who] < 2 * round && !s->wrong) sched_yield();
        status = apply_one(ledger, k, i);
        if (status == CRD_OK) s->won[who]++;
        else if (status == CRD_E_CONFLICT) s->lost[who]++;
        else s->wrong++;
        s->ready[who] = 2 * round + 1; /* nobody reads on before both have written */
        while (s->ready[!who] < 2 * round + 1 && !s->wrong) sched_yield();
    }
    _exit(0);
}

START_TEST(R32_of_two_connections_racing_from_one_version_exactly_one_wins) {
    enum { ROUNDS = 60 };
    world *w = small_world();
    shared *s = mmap(NULL, sizeof *s, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    memset(s, 0, sizeof *s);
    for (int who = 0; who < 2; who++)
        if (fork() == 0) racer(s, w, who, ROUNDS);
    for (int who = 0; who < 2; who++) {
        int status = 0;
        wait(&status);
        ck_assert_int_eq(status, 0);
    }
    ck_assert_int_eq(s->wrong, 0);
    ck_assert_int_eq(s->won[0] + s->won[1], ROUNDS);
    ck_assert_int_eq(s->lost[0] + s->lost[1], ROUNDS);
    ck_assert_int_eq(stored_credit(w, "c1", "K").applied, ROUNDS);
    world_check(w);
    world_close(w);
}
END_TEST

static void locker(const world *w, int commands) {
    crd_postgres_options o = options_of(w, CRD_POSTGRES_LOCK_READS);
    crd_postgres *storage = NULL;
    crd_ledger *ledger;
    crd_credit *k;
    crd_invoice *i;
    if (crd_postgres_open(conninfo(), &o, &storage) != CRD_OK) _exit(1);
    ledger = ledger_on(crd_postgres_storage(storage));
    k = find_credit(ledger, "c1", "K");
    i = find_invoice(ledger, "c1", "I");
    for (int n = 0; n < commands; n++) {
        if (crd_credit_refresh(k) != CRD_OK || crd_invoice_refresh(i) != CRD_OK) _exit(2);
        if (apply_one(ledger, k, i) != CRD_OK) _exit(3); /* no conflict, ever */
    }
    crd_credit_free(k);
    crd_invoice_free(i);
    crd_ledger_close(ledger);
    crd_postgres_close(storage);
    _exit(0);
}

START_TEST(R32_writers_whose_reads_lock_never_work_in_vain) {
    world *w = small_world();
    for (int n = 0; n < 4; n++)
        if (fork() == 0) locker(w, 10);
    for (int n = 0; n < 4; n++) {
        int status = 0;
        wait(&status);
        ck_assert_int_eq(status, 0);
    }
    ck_assert_int_eq(stored_credit(w, "c1", "K").applied, 40);
    world_check(w);
    world_close(w);
}
END_TEST

START_TEST(R32_a_deadlock_is_tried_again_inside) {
    world *w = world_open(STORE_POSTGRES);
    PGconn *conn = direct();
    crd_transfer_terms terms;
    crd_credit *k;
    int status = 0;
    pid_t child;
    customer(w, "c1");
    customer(w, "c2");
    k = memo(w, "c1", "K", 1000, 0);
    crd_credit_free(memo(w, "c2", "L", 10, 0));
    crd_credit_free(k);
    memset(&terms, 0, sizeof terms);
    if (!try_run(conn, "SET deadlock_timeout = '60s'")) printf("SKIP no right to choose who loses a deadlock\n");
    run_in(conn, w, "BEGIN; SELECT 1 FROM @.crd_account WHERE customer = 'c2' FOR UPDATE");
    child = fork();
    if (child == 0) {
        crd_postgres_options o = options_of(w, 0);
        crd_postgres *storage = NULL;
        crd_ledger *ledger;
        if (crd_postgres_open(conninfo(), &o, &storage) != CRD_OK) _exit(1);
        ledger = ledger_on(crd_postgres_storage(storage));
        k = find_credit(ledger, "c1", "K");
        terms.struct_size = sizeof terms;
        terms.customer = "c2";
        terms.amount = 100;
        _exit(crd_credit_transfer(ledger, at_noon(1), k, &terms, NULL, NULL) == CRD_OK ? 0 : 2);
    }
    usleep(300000); /* it holds c1 and waits for c2 */
    run_in(conn, w, "SELECT 1 FROM @.crd_account WHERE customer = 'c1' FOR UPDATE");
    run_in(conn, w, "COMMIT");
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    ck_assert_int_eq(stored_credit(w, "c1", "K").transferred, 100);
    world_check(w);
    PQfinish(conn);
    world_close(w);
}
END_TEST

/* ---- connections lost ---- */

/* The same server behind the cutter. */
static void behind(const cutter *c, char *out, size_t size) {
    PGconn *conn = direct();
    snprintf(out, size, "host=%s port=5432 user=%s dbname=%s sslmode=disable gssencmode=disable", c->directory,
             PQuser(conn), PQdb(conn));
    PQfinish(conn);
}

static int has_socket(void) {
    PGconn *conn = direct();
    int local = PQhost(conn) != NULL && PQhost(conn)[0] == '/' && strcmp(PQport(conn), "5432") == 0;
    PQfinish(conn);
    if (!local) printf("SKIP the server given does not answer on a unix socket\n");
    return local;
}

static void start_cutter(cutter *c) {
    PGconn *conn = direct();
    cutter_start(c, PQhost(conn));
    PQfinish(conn);
}

START_TEST(a_write_whose_connection_is_lost_at_any_message_is_done_once) {
    world *w;
    cutter c;
    char where[256];
    crd_postgres_options o;
    crd_postgres *storage = NULL;
    crd_ledger *ledger;
    crd_credit *k;
    crd_invoice *i;
    int64_t done = 0;
    int cut = 1;
    if (!has_socket()) return;
    w = small_world();
    start_cutter(&c);
    behind(&c, where, sizeof where);
    o = options_of(w, 0);
    ck_assert_msg(crd_postgres_open(where, &o, &storage) == CRD_OK, "%s", crd_postgres_message(storage));
    ledger = ledger_on(crd_postgres_storage(storage));
    k = find_credit(ledger, "c1", "K");
    i = find_invoice(ledger, "c1", "I");
    ENDS(ledger, apply_one(ledger, k, i), CRD_OK);
    done++;
    for (long at = 0; cut; at++) {
        crd_status status;
        cutter_arm(&c, _i, at);
        status = apply_one(ledger, k, i);
        cut = cutter_disarm(&c, _i);
        ENDS(ledger, status, CRD_OK);
        done++;
        ck_assert_int_eq(crd_credit_get(k)->applied, done);
        ck_assert_int_eq(stored_credit(w, "c1", "K").applied, done);
    }
    ck_assert_int_gt(done, 8); /* BEGIN, the update, the entry, COMMIT, each with its parts */
    ck_assert_int_eq(number_in(w, "SELECT count(*) FROM @.crd_entry WHERE type = 3"), done);
    world_check(w);
    crd_credit_free(k);
    crd_invoice_free(i);
    crd_ledger_close(ledger);
    crd_postgres_close(storage);
    cutter_stop(&c);
    world_close(w);
}
END_TEST

/* Customers p0 … with a credit and an invoice of 100 each. */
static void many(world *w, int customers) {
    w->careless = 1;
    for (int n = 0; n < customers; n++) {
        char who[16];
        snprintf(who, sizeof who, "p%d", n);
        customer(w, who);
        crd_credit_free(memo(w, who, "K", 100, 0));
        crd_invoice_free(invoice(w, who, "I", 100, 0, 30));
    }
    w->careless = 0;
}

START_TEST(a_page_whose_connection_is_lost_at_any_message_is_done_once) {
    world *w;
    cutter c;
    char where[256];
    int cut = 1;
    long at = 0;
    if (!has_socket()) return;
    w = world_open(STORE_POSTGRES);
    start_cutter(&c);
    behind(&c, where, sizeof where);
    many(w, 3);
    for (; cut; at += 3) {
        crd_postgres_options o = options_of(w, 0);
        crd_postgres *storage = NULL;
        crd_ledger *ledger;
        crd_plan_spec spec = plan_spec(0, 1);
        crd_plan_result r = plan_result_block();
        ck_assert_int_eq(crd_postgres_open(where, &o, &storage), CRD_OK);
        ledger = ledger_on(crd_postgres_storage(storage));
        cutter_arm(&c, _i, at);
        ENDS(ledger, crd_reconcile(ledger, at_noon(1), &spec, &r), CRD_OK);
        cut = cutter_disarm(&c, _i);
        ck_assert_int_eq(number_in(w, "SELECT sum(applied) FROM @.crd_credit"), 300);
        world_check(w);
        crd_ledger_close(ledger);
        crd_postgres_close(storage);
        run(w, "TRUNCATE @.crd_account, @.crd_customer, @.crd_credit, @.crd_invoice, @.crd_receipt, @.crd_entry");
        many(w, 3);
    }
    ck_assert_int_gt(at, 15);
    cutter_stop(&c);
    world_close(w);
}
END_TEST

START_TEST(a_backend_that_is_terminated_between_calls_goes_unnoticed) {
    world *w;
    crd_credit *k;
    crd_invoice *i;
    char name[40], terminate[200]; /* others may be testing on this server */
    snprintf(name, sizeof name, "terminated-%ld", (long)getpid());
    snprintf(terminate, sizeof terminate,
             "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
             " AND application_name = '%s'", name);
    setenv("PGAPPNAME", name, 1);
    w = small_world();
    k = find_credit(w->ledger, "c1", "K");
    i = find_invoice(w->ledger, "c1", "I");
    for (int n = 1; n <= 3; n++) {
        run(w, terminate);
        ck_assert_uint_ne(w->shim.inner.new_writer(w->shim.inner.ctx), 0);
        run(w, terminate);
        OK(w, apply_one(w->ledger, k, i));
        ck_assert_int_eq(stored_credit(w, "c1", "K").applied, n);
        run(w, terminate);
        OK(w, crd_credit_refresh(k));
        OK(w, crd_invoice_refresh(i));
    }
    crd_credit_free(k);
    crd_invoice_free(i);
    world_check(w);
    world_close(w);
}
END_TEST

START_TEST(a_server_that_is_not_there_is_told_in_libpqs_words) {
    crd_postgres *storage = NULL;
    ck_assert_int_eq(crd_postgres_open("host=/nowhere", NULL, &storage), CRD_E_STORAGE);
    ck_assert_ptr_nonnull(strstr(crd_postgres_message(storage), "/nowhere"));
    ck_assert_ptr_null(crd_postgres_storage(storage));
    crd_postgres_close(storage);
    ck_assert_int_eq(crd_postgres_open("no such option", NULL, &storage), CRD_E_STORAGE);
    ck_assert_str_ne(crd_postgres_message(storage), "");
    crd_postgres_close(storage);
}
END_TEST

/* A server that goes and comes back: the cutter in front of it is stopped and started. */
START_TEST(a_server_that_goes_away_is_told_and_when_it_is_back_the_ledger_works) {
    world *w;
    cutter c;
    char where[256], away[80];
    crd_postgres_options o;
    crd_postgres *storage = NULL;
    crd_ledger *ledger;
    crd_credit *k;
    crd_invoice *i;
    if (!has_socket()) return;
    w = small_world();
    start_cutter(&c);
    behind(&c, where, sizeof where);
    o = options_of(w, 0);
    ck_assert_int_eq(crd_postgres_open(where, &o, &storage), CRD_OK);
    ledger = ledger_on(crd_postgres_storage(storage));
    k = find_credit(ledger, "c1", "K");
    i = find_invoice(ledger, "c1", "I");
    world_remember(w);
    snprintf(away, sizeof away, "%s.away", c.directory);
    ck_assert_int_eq(rename(c.directory, away), 0); /* no new connection */
    cutter_arm(&c, 0, 0);                           /* and the old one is cut */
    ENDS(ledger, apply_one(ledger, k, i), CRD_E_UNKNOWN);
    cutter_disarm(&c, 0);
    ENDS(ledger, crd_credit_refresh(k), CRD_E_STORAGE);
    ck_assert_ptr_nonnull(strstr(crd_ledger_error(ledger)->host_text, c.directory));
    world_same(w, "a server that went away");
    ck_assert_int_eq(rename(away, c.directory), 0);
    ENDS(ledger, crd_credit_refresh(k), CRD_OK);
    ENDS(ledger, crd_invoice_refresh(i), CRD_OK);
    ENDS(ledger, apply_one(ledger, k, i), CRD_OK);
    crd_credit_free(k);
    crd_invoice_free(i);
    crd_ledger_close(ledger);
    crd_postgres_close(storage);
    world_check(w);
    cutter_stop(&c);
    world_close(w);
}
END_TEST

/* ---- what may be wrong with a schema ---- */

START_TEST(a_newer_schema_is_refused_when_opening_and_when_it_comes_later) {
    world *w = small_world();
    crd_credit *k = find_credit(w->ledger, "c1", "K");
    crd_postgres_options o = options_of(w, 0);
    crd_postgres *storage = NULL;
    run(w, "UPDATE @.crd_meta SET value = '2' WHERE key = 'schema_version'");
    ENDS(w->ledger, crd_credit_refresh(k), CRD_E_SCHEMA);
    ck_assert_ptr_nonnull(strstr(crd_ledger_error(w->ledger)->host_text, "newer"));
    ck_assert_int_eq(crd_postgres_open(conninfo(), &o, &storage), CRD_E_SCHEMA);
    ck_assert_ptr_nonnull(strstr(crd_postgres_message(storage), "newer"));
    crd_postgres_close(storage);
    run(w, "UPDATE @.crd_meta SET value = '1' WHERE key = 'schema_version'");
    OK(w, crd_credit_refresh(k));
    run(w, "ALTER TABLE @.crd_credit ADD COLUMN fancy integer");
    ck_assert_int_eq(crd_postgres_open(conninfo(), &o, &storage), CRD_E_SCHEMA);
    ck_assert_ptr_nonnull(strstr(crd_postgres_message(storage), "crd_credit.fancy"));
    crd_postgres_close(storage);
    run(w, "ALTER TABLE @.crd_credit DROP COLUMN fancy; ALTER TABLE @.crd_credit ALTER COLUMN notes TYPE varchar(9)");
    ck_assert_int_eq(crd_postgres_open(conninfo(), &o, &storage), CRD_E_SCHEMA);
    ck_assert_ptr_nonnull(strstr(crd_postgres_message(storage), "crd_credit.notes has type character varying(9)"));
    crd_postgres_close(storage);
    run(w, "UPDATE @.crd_meta SET value = 'other' WHERE key = 'application'");
    ck_assert_int_eq(crd_postgres_open(conninfo(), &o, &storage), CRD_E_SCHEMA);
    crd_postgres_close(storage);
    crd_credit_free(k);
    world_close(w);
}
END_TEST

START_TEST(a_writer_of_an_older_version_inserts_no_half_records) {
    world *w = small_world();
    crd_credit *k = find_credit(w->ledger, "c1", "K");
    crd_invoice *i = find_invoice(w->ledger, "c1", "I");
    /* As a newer version would add a field to the journal. */
    run(w, "ALTER TABLE @.crd_entry ADD COLUMN later integer NOT NULL DEFAULT 0;"
           " ALTER TABLE @.crd_entry ALTER COLUMN later DROP DEFAULT");
    ENDS(w->ledger, apply_one(w->ledger, k, i), CRD_E_SCHEMA);
    ck_assert_int_eq(number_in(w, "SELECT applied FROM @.crd_credit"), 0);
    run(w, "ALTER TABLE @.crd_entry DROP COLUMN later");
    OK(w, crd_credit_refresh(k));
    OK(w, crd_invoice_refresh(i));
    OK(w, apply_one(w->ledger, k, i));
    crd_credit_free(k);
    crd_invoice_free(i);
    world_close(w);
}
END_TEST

START_TEST(columns_and_indexes_an_older_version_lacked_are_added) {
    world *w = small_world();
    crd_postgres_options o = options_of(w, 0);
    crd_postgres *storage = NULL;
    run(w, "ALTER TABLE @.crd_credit DROP COLUMN lines_digest; ALTER TABLE @.crd_entry DROP COLUMN other_id;"
           " ALTER TABLE @.crd_invoice DROP COLUMN is_open; DROP INDEX @.crd_account_both_open");
    ck_assert_msg(crd_postgres_open(conninfo(), &o, &storage) == CRD_OK, "%s", crd_postgres_message(storage));
    crd_postgres_close(storage);
    ck_assert_int_eq(number_in(w, "SELECT count(*) FROM @.crd_credit WHERE length(lines_digest) = 32"), 1);
    ck_assert_int_eq(number_in(w, "SELECT count(*) FROM @.crd_invoice WHERE is_open"), 1);
    world_check(w);
    world_close(w);
}
END_TEST

START_TEST(a_table_that_goes_is_told_and_when_it_is_back_the_ledger_works) {
    world *w = small_world();
    crd_credit *k = find_credit(w->ledger, "c1", "K");
    crd_invoice *i = find_invoice(w->ledger, "c1", "I");
    world_remember(w);
    run(w, "ALTER TABLE @.crd_entry RENAME TO gone");
    ENDS(w->ledger, apply_one(w->ledger, k, i), CRD_E_SCHEMA);
    ck_assert_ptr_nonnull(strstr(crd_ledger_error(w->ledger)->host_text, "crd_entry"));
    run(w, "ALTER TABLE @.gone RENAME TO crd_entry; ALTER TABLE @.crd_credit RENAME TO gone");
    ENDS(w->ledger, crd_credit_refresh(k), CRD_E_SCHEMA);
    ck_assert_ptr_nonnull(strstr(crd_ledger_error(w->ledger)->host_text, "crd_credit"));
    run(w, "ALTER TABLE @.gone RENAME TO crd_credit");
    world_same(w, "a table that was gone");
    OK(w, crd_credit_refresh(k));
    OK(w, crd_invoice_refresh(i));
    OK(w, apply_one(w->ledger, k, i));
    crd_credit_free(k);
    crd_invoice_free(i);
    world_close(w);
}
END_TEST

START_TEST(a_null_and_a_value_of_the_wrong_size_are_told_not_passed_on) {
    world *w = small_world();
    crd_credit *k = find_credit(w->ledger, "c1", "K");
    run(w, "ALTER TABLE @.crd_credit ALTER COLUMN notes DROP NOT NULL; UPDATE @.crd_credit SET notes = NULL");
    ENDS(w->ledger, crd_credit_refresh(k), CRD_E_STORAGE);
    ck_assert_str_eq(crd_ledger_error(w->ledger)->host_text,
                     "crd_credit.notes of customer 'c1' is NULL or a value of the wrong size");
    run(w, "UPDATE @.crd_credit SET notes = '', lines_digest = 'x'");
    ENDS(w->ledger, crd_credit_refresh(k), CRD_E_STORAGE);
    run(w, "UPDATE @.crd_credit SET lines_digest = decode(repeat('00', 32), 'hex')");
    OK(w, crd_credit_refresh(k));
    crd_credit_free(k);
    world_check(w);
    world_close(w);
}
END_TEST

START_TEST(a_role_that_may_not_write_is_told_in_the_servers_words) {
    world *w = small_world();
    PGconn *conn = direct();
    crd_postgres_options o = options_of(w, CRD_POSTGRES_NO_DDL);
    crd_postgres *storage = NULL;
    crd_ledger *ledger;
    crd_credit *k;
    crd_invoice *i;
    char where[512];
    if (!try_run(conn, "CREATE ROLE reader LOGIN") && !try_run(conn, "SELECT 1 FROM pg_roles WHERE rolname = 'reader'")) {
        printf("SKIP no right to make a role\n");
        PQfinish(conn);
        world_close(w);
        return;
    }
    run_in(conn, w, "GRANT USAGE ON SCHEMA @ TO reader; GRANT SELECT ON ALL TABLES IN SCHEMA @ TO reader");
    snprintf(where, sizeof where, "%s user=reader", conninfo());
    ck_assert_msg(crd_postgres_open(where, &o, &storage) == CRD_OK, "%s", crd_postgres_message(storage));
    ledger = ledger_on(crd_postgres_storage(storage));
    k = find_credit(ledger, "c1", "K");
    i = find_invoice(ledger, "c1", "I");
    world_remember(w);
    ENDS(ledger, apply_one(ledger, k, i), CRD_E_STORAGE);
    ck_assert_ptr_nonnull(strstr(crd_ledger_error(ledger)->host_text, "permission denied"));
    world_same(w, "a role that may not write");
    run_in(conn, w, "GRANT UPDATE, INSERT ON ALL TABLES IN SCHEMA @ TO reader");
    ENDS(ledger, crd_credit_refresh(k), CRD_OK);
    ENDS(ledger, crd_invoice_refresh(i), CRD_OK);
    ENDS(ledger, apply_one(ledger, k, i), CRD_OK);
    crd_credit_free(k);
    crd_invoice_free(i);
    crd_ledger_close(ledger);
    crd_postgres_close(storage);
    run_in(conn, w, "REVOKE ALL ON ALL TABLES IN SCHEMA @ FROM reader; REVOKE ALL ON SCHEMA @ FROM reader");
    (void)try_run(conn, "DROP ROLE reader");
    PQfinish(conn);
    world_close(w);
}
END_TEST

/* A full disk, no memory and so on cannot be had of a server at will: a trigger raises what it would, in the statement that
 * writes the journal or, deferred, in COMMIT. */
START_TEST(what_the_server_fails_at_is_told_in_its_words_and_nothing_is_kept) {
    static const struct {
        const char *state;
        crd_status status;
    } failures[] = {
        {"53100", CRD_E_STORAGE}, /* disk full */
        {"53200", CRD_E_STORAGE}, /* out of memory */
        {"57014", CRD_E_STORAGE}, /* cancelled, or too slow */
        {"55P03", CRD_E_STORAGE}, /* a lock was not to be had */
        {"58030", CRD_E_STORAGE}, /* I/O error */
        {"25006", CRD_E_STORAGE}, /* read only */
        {"23502", CRD_E_SCHEMA},  /* a NULL where a newer schema forbids it */
        {"XX001", CRD_E_UNKNOWN}, /* damaged: what became of the transaction it does not say */
    };
    world *w = small_world();
    crd_credit *k = find_credit(w->ledger, "c1", "K");
    crd_invoice *i = find_invoice(w->ledger, "c1", "I");
    run(w, "CREATE FUNCTION @.refuse() RETURNS trigger LANGUAGE plpgsql AS"
           " $$ BEGIN RAISE EXCEPTION 'so it is' USING ERRCODE = TG_ARGV[0]; END $$");
    for (size_t n = 0; n < 2 * sizeof failures / sizeof failures[0]; n++) {
        const char *state = failures[n / 2].state;
        char sql[200];
        snprintf(sql, sizeof sql, n % 2 == 0 ? "CREATE TRIGGER refuse BEFORE INSERT ON @.crd_entry FOR EACH ROW"
                                               " EXECUTE FUNCTION @.refuse('%s')"
                                             : "CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON @.crd_entry DEFERRABLE"
                                               " INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION @.refuse('%s')", state);
        run(w, sql);
        world_remember(w);
        ENDS(w->ledger, apply_one(w->ledger, k, i), failures[n / 2].status);
        ck_assert_str_eq(crd_ledger_error(w->ledger)->host_text, "so it is");
        ck_assert_int_ne(crd_ledger_error(w->ledger)->host_error, 0);
        world_same(w, state);
        run(w, "DROP TRIGGER refuse ON @.crd_entry");
        OK(w, crd_credit_refresh(k));
        OK(w, crd_invoice_refresh(i));
        OK(w, apply_one(w->ledger, k, i));
    }
    crd_credit_free(k);
    crd_invoice_free(i);
    world_check(w);
    world_close(w);
}
END_TEST

START_TEST(a_server_that_is_read_only_is_told_and_can_be_read) {
    world *w = small_world();
    crd_postgres_options o = options_of(w, 0);
    crd_postgres *storage = NULL;
    crd_ledger *ledger;
    crd_credit *k;
    crd_invoice *i;
    char where[512];
    snprintf(where, sizeof where, "%s options='-c default_transaction_read_only=on'", conninfo());
    ck_assert_msg(crd_postgres_open(where, &o, &storage) == CRD_OK, "%s", crd_postgres_message(storage));
    ledger = ledger_on(crd_postgres_storage(storage));
    k = find_credit(ledger, "c1", "K");
    i = find_invoice(ledger, "c1", "I");
    world_remember(w);
    ENDS(ledger, apply_one(ledger, k, i), CRD_E_STORAGE);
    ck_assert_ptr_nonnull(strstr(crd_ledger_error(ledger)->host_text, "read-only transaction"));
    world_same(w, "a server that is read only");
    ENDS(ledger, crd_credit_refresh(k), CRD_OK);
    crd_credit_free(k);
    crd_invoice_free(i);
    crd_ledger_close(ledger);
    crd_postgres_close(storage);
    o.schema = "never made";
    ck_assert_int_eq(crd_postgres_open(where, &o, &storage), CRD_E_STORAGE);
    ck_assert_ptr_nonnull(strstr(crd_postgres_message(storage), "read-only transaction"));
    crd_postgres_close(storage);
    world_close(w);
}
END_TEST

START_TEST(read_only_reads_and_refuses_to_write) {
    world *w = small_world();
    crd_postgres_options o = options_of(w, CRD_POSTGRES_READ_ONLY);
    crd_postgres *storage = NULL;
    crd_ledger *ledger;
    crd_credit *k;
    crd_invoice *i;
    ck_assert_int_eq(crd_postgres_open(conninfo(), &o, &storage), CRD_OK);
    ledger = ledger_on(crd_postgres_storage(storage));
    k = find_credit(ledger, "c1", "K");
    i = find_invoice(ledger, "c1", "I");
    ENDS(ledger, apply_one(ledger, k, i), CRD_E_STORAGE);
    crd_credit_free(k);
    crd_invoice_free(i);
    crd_ledger_close(ledger);
    crd_postgres_close(storage);
    o.schema = "never made";
    ck_assert_int_eq(crd_postgres_open(conninfo(), &o, &storage), CRD_E_SCHEMA);
    ck_assert_ptr_nonnull(strstr(crd_postgres_message(storage), "never made"));
    crd_postgres_close(storage);
    world_close(w);
}
END_TEST

START_TEST(a_database_that_is_not_utf8_is_refused) {
    PGconn *conn = direct();
    crd_postgres *storage = NULL;
    char where[512];
    if (!try_run(conn, "CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'")) {
        printf("SKIP no right to make a database\n");
    } else {
        snprintf(where, sizeof where, "%s dbname=latin", conninfo());
        ck_assert_int_eq(crd_postgres_open(where, NULL, &storage), CRD_E_SCHEMA);
        ck_assert_ptr_nonnull(strstr(crd_postgres_message(storage), "LATIN1, not UTF8"));
        crd_postgres_close(storage);
        ck_assert(try_run(conn, "DROP DATABASE latin"));
    }
    PQfinish(conn);
}
END_TEST

START_TEST(text_that_is_not_utf8_is_refused_by_the_server_and_nothing_is_kept) {
    world *w = world_open(STORE_POSTGRES);
    const crd_storage *s = world_storage(w);
    crd_customer_record record;
    crd_change change;
    const crd_change *changes[1];
    crd_batch batch;
    crd_write_result out;
    memset(&record, 0, sizeof record);
    record.struct_size = sizeof record;
    record.customer = "c\xff";
    memset(&change, 0, sizeof change);
    change.struct_size = sizeof change;
    change.kind = CRD_KIND_CUSTOMER;
    change.operation = CRD_CHANGE_INSERT;
    change.record = &record;
    changes[0] = &change;
    memset(&batch, 0, sizeof batch);
    batch.struct_size = sizeof batch;
    batch.proof = 7;
    batch.changes = changes;
    batch.change_count = 1;
    memset(&out, 0, sizeof out);
    s->write(s->ctx, &batch, &out);
    ck_assert_int_eq(out.outcome, CRD_OUTCOME_FAILED);
    ck_assert_uint_eq(out.proof, 7);
    ck_assert_ptr_nonnull(strstr(out.host_text, "invalid byte sequence"));
    ck_assert_int_eq(out.host_error, ((((2 * 36 + 2) * 36) + 0) * 36 + 2) * 36 + 1); /* 22021 */
    ck_assert_int_eq(number_in(w, "SELECT count(*) FROM @.crd_customer"), 0);
    customer(w, "c1");
    world_close(w);
}
END_TEST

START_TEST(arguments_are_checked) {
    crd_postgres_options o;
    crd_postgres *storage = NULL;
    char name[66];
    memset(&o, 0, sizeof o);
    memset(name, 'n', sizeof name);
    name[64] = '\0';
    ck_assert_int_eq(crd_postgres_open(conninfo(), &o, &storage), CRD_E_ARGUMENT); /* no struct_size */
    o.struct_size = sizeof o;
    ck_assert_int_eq(crd_postgres_open(conninfo(), &o, NULL), CRD_E_ARGUMENT);
    o.flags = 0x80;
    ck_assert_int_eq(crd_postgres_open(conninfo(), &o, &storage), CRD_E_ARGUMENT);
    o.flags = 0;
    o.schema = "";
    ck_assert_int_eq(crd_postgres_open(conninfo(), &o, &storage), CRD_E_ARGUMENT);
    o.schema = name;
    ck_assert_int_eq(crd_postgres_open(conninfo(), &o, &storage), CRD_E_ARGUMENT);
    o.schema = NULL;
    o.partitions = 1025;
    ck_assert_int_eq(crd_postgres_open(conninfo(), &o, &storage), CRD_E_ARGUMENT);
    ck_assert_int_eq(crd_postgres_attach(NULL, NULL, &storage), CRD_E_ARGUMENT);
    {
        PGconn *conn = direct();
        o.partitions = 0;
        o.flags = CRD_POSTGRES_LOCK_READS;
        ck_assert_int_eq(crd_postgres_attach(conn, &o, &storage), CRD_E_ARGUMENT);
        PQfinish(conn);
    }
    ck_assert_ptr_null(storage);
    ck_assert_ptr_null(crd_postgres_storage(NULL));
    ck_assert_str_eq(crd_postgres_message(NULL), "");
    crd_postgres_close(NULL);
}
END_TEST

START_TEST(any_name_of_a_schema_is_quoted_and_tables_may_be_partitioned) {
    static const char *const names[] = {"a \"b\"; DROP TABLE x; --", "%s%n", "sch\xc3\xb6n", "user", "crd_account"};
    for (size_t n = 0; n < sizeof names / sizeof names[0]; n++) {
        crd_postgres_options o;
        crd_postgres *storage = NULL;
        crd_ledger *ledger;
        crd_credit_terms terms = credit_terms("K", CRD_CREDIT_MEMO, 5);
        PGconn *conn = direct();
        char *quoted = PQescapeIdentifier(conn, names[n], strlen(names[n])), sql[200];
        memset(&o, 0, sizeof o);
        o.struct_size = sizeof o;
        o.schema = names[n];
        o.partitions = n == 0 ? 3 : 0;
        ck_assert_msg(crd_postgres_open(conninfo(), &o, &storage) == CRD_OK, "%s", crd_postgres_message(storage));
        ledger = ledger_on(crd_postgres_storage(storage));
        ENDS(ledger, crd_customer_add(ledger, at_noon(0), "c1", NULL, NULL), CRD_OK);
        ENDS(ledger, crd_credit_issue(ledger, at_noon(0), "c1", &terms, NULL), CRD_OK);
        ENDS(ledger, crd_ledger_verify(ledger, NULL, NULL), CRD_OK);
        crd_ledger_close(ledger);
        crd_postgres_close(storage);
        ck_assert_msg(crd_postgres_open(conninfo(), &o, &storage) == CRD_OK, "%s", crd_postgres_message(storage));
        crd_postgres_close(storage);
        snprintf(sql, sizeof sql, "DROP SCHEMA %s CASCADE", quoted);
        ck_assert(try_run(conn, sql));
        PQfreemem(quoted);
        PQfinish(conn);
    }
}
END_TEST

static void open_new(const world *w) {
    crd_postgres_options o = options_of(w, 0);
    crd_postgres *storage = NULL;
    crd_status status = crd_postgres_open(conninfo(), &o, &storage);
    if (status != CRD_OK) fprintf(stderr, "%s\n", crd_postgres_message(storage));
    _exit(status == CRD_OK ? 0 : 1);
}

START_TEST(R32_processes_that_open_a_new_schema_at_once_all_succeed) {
    world *w = world_open(STORE_POSTGRES);
    for (int round = 0; round < 3; round++) {
        run(w, "DROP SCHEMA @ CASCADE");
        for (int n = 0; n < 5; n++)
            if (fork() == 0) open_new(w);
        for (int n = 0; n < 5; n++) {
            int status = 0;
            wait(&status);
            ck_assert_int_eq(status, 0);
        }
    }
    customer(w, "c1");
    world_close(w);
}
END_TEST

/* ---- the host's own connection ---- */

typedef struct hosted {
    world *w;
    PGconn *conn;
    crd_postgres *storage;
    crd_ledger *ledger;
    crd_credit *k;
    crd_invoice *i;
} hosted;

static hosted hosted_open(void) {
    hosted h;
    crd_postgres_options o;
    h.w = small_world();
    h.conn = direct();
    o = options_of(h.w, 0);
    ck_assert_int_eq(crd_postgres_attach(h.conn, &o, &h.storage), CRD_OK);
    h.ledger = ledger_on(crd_postgres_storage(h.storage));
    h.k = find_credit(h.ledger, "c1", "K");
    h.i = find_invoice(h.ledger, "c1", "I");
    run_in(h.conn, h.w, "CREATE TABLE IF NOT EXISTS @.orders (id integer PRIMARY KEY)");
    return h;
}

static void hosted_fresh(hosted *h) {
    ENDS(h->ledger, crd_credit_refresh(h->k), CRD_OK);
    ENDS(h->ledger, crd_invoice_refresh(h->i), CRD_OK);
}

static void hosted_close(hosted *h) {
    crd_credit_free(h->k);
    crd_invoice_free(h->i);
    crd_ledger_close(h->ledger);
    crd_postgres_close(h->storage);
    ck_assert_int_eq(PQstatus(h->conn), CONNECTION_OK);
    PQfinish(h->conn);
    world_check(h->w);
    world_close(h->w);
}

static void joins_and_leaves(int commits) {
    hosted h = hosted_open();
    const crd_storage *s = crd_postgres_storage(h.storage);
    ck_assert_uint_eq(s->flags_now(s->ctx), 0);
    run_in(h.conn, h.w, "BEGIN; INSERT INTO @.orders VALUES (1)");
    ck_assert_uint_eq(s->flags_now(s->ctx), CRD_STORAGE_JOINED);
    ENDS(h.ledger, apply_one(h.ledger, h.k, h.i), CRD_OK);
    ENDS(h.ledger, apply_one(h.ledger, h.k, h.i), CRD_OK);
    ck_assert_int_eq(PQtransactionStatus(h.conn), PQTRANS_INTRANS);
    ck_assert_int_eq(number_in(h.w, "SELECT applied FROM @.crd_credit"), 0); /* others see nothing yet */
    run_in(h.conn, h.w, commits ? "COMMIT" : "ROLLBACK");
    ck_assert_int_eq(number_in(h.w, "SELECT applied FROM @.crd_credit"), commits ? 2 : 0);
    ck_assert_int_eq(number_in(h.w, "SELECT count(*) FROM @.orders"), commits);
    if (!commits) ENDS(h.ledger, apply_one(h.ledger, h.k, h.i), CRD_E_CONFLICT);
    hosted_fresh(&h);
    ENDS(h.ledger, apply_one(h.ledger, h.k, h.i), CRD_OK);
    ck_assert_int_eq(PQtransactionStatus(h.conn), PQTRANS_IDLE);
    hosted_close(&h);
}

START_TEST(R64_a_write_joins_the_hosts_transaction_and_is_kept_or_lost_with_it) {
    joins_and_leaves(_i);
}
END_TEST

START_TEST(a_failed_write_in_the_hosts_transaction_takes_back_its_own_part_only) {
    hosted h = hosted_open();
    crd_credit *k = find_credit(h.w->ledger, "c1", "K");
    crd_invoice *i = find_invoice(h.w->ledger, "c1", "I");
    OK(h.w, apply_one(h.w->ledger, k, i)); /* the host's handles are stale now */
    run_in(h.conn, h.w, "BEGIN; INSERT INTO @.orders VALUES (1)");
    ENDS(h.ledger, apply_one(h.ledger, h.k, h.i), CRD_E_CONFLICT);
    ck_assert_int_eq(PQtransactionStatus(h.conn), PQTRANS_INTRANS);
    run_in(h.conn, h.w, "ALTER TABLE @.crd_entry RENAME TO gone");
    hosted_fresh(&h);
    ENDS(h.ledger, apply_one(h.ledger, h.k, h.i), CRD_E_SCHEMA);
    run_in(h.conn, h.w, "ALTER TABLE @.gone RENAME TO crd_entry");
    hosted_fresh(&h);
    ENDS(h.ledger, apply_one(h.ledger, h.k, h.i), CRD_OK);
    run_in(h.conn, h.w, "COMMIT");
    ck_assert_int_eq(number_in(h.w, "SELECT applied FROM @.crd_credit"), 2);
    ck_assert_int_eq(number_in(h.w, "SELECT count(*) FROM @.orders"), 1);
    crd_credit_free(k);
    crd_invoice_free(i);
    hosted_close(&h);
}
END_TEST

START_TEST(a_transaction_that_failed_asks_for_a_restart) {
    hosted h = hosted_open();
    ck_assert(try_run(h.conn, "BEGIN") && !try_run(h.conn, "SELECT 1 / 0"));
    ENDS(h.ledger, apply_one(h.ledger, h.k, h.i), CRD_E_RESTART);
    ENDS(h.ledger, crd_credit_refresh(h.k), CRD_E_RESTART);
    ck_assert_int_eq(PQtransactionStatus(h.conn), PQTRANS_INERROR);
    run_in(h.conn, h.w, "ROLLBACK");
    hosted_fresh(&h);
    ENDS(h.ledger, apply_one(h.ledger, h.k, h.i), CRD_OK);
    hosted_close(&h);
}
END_TEST

START_TEST(a_snapshot_that_another_writer_overtook_asks_for_a_restart) {
    hosted h = hosted_open();
    crd_credit *k = find_credit(h.w->ledger, "c1", "K");
    crd_invoice *i = find_invoice(h.w->ledger, "c1", "I");
    run_in(h.conn, h.w, "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1 FROM @.orders");
    OK(h.w, apply_one(h.w->ledger, k, i));
    ENDS(h.ledger, apply_one(h.ledger, h.k, h.i), CRD_E_RESTART);
    run_in(h.conn, h.w, "ROLLBACK");
    hosted_fresh(&h);
    ENDS(h.ledger, apply_one(h.ledger, h.k, h.i), CRD_OK);
    crd_credit_free(k);
    crd_invoice_free(i);
    hosted_close(&h);
}
END_TEST

START_TEST(a_hosts_connection_that_is_lost_is_told_and_works_once_it_is_reset) {
    hosted h = hosted_open();
    char sql[120];
    snprintf(sql, sizeof sql, "SELECT count(pg_terminate_backend(%d))", PQbackendPID(h.conn));
    run_in(h.conn, h.w, "BEGIN");
    run(h.w, sql);
    ENDS(h.ledger, apply_one(h.ledger, h.k, h.i), CRD_E_RESTART);
    ENDS(h.ledger, crd_credit_refresh(h.k), CRD_E_STORAGE);
    ck_assert_str_eq(crd_ledger_error(h.ledger)->host_text, "the host's connection is lost");
    PQreset(h.conn);
    hosted_fresh(&h);
    ENDS(h.ledger, apply_one(h.ledger, h.k, h.i), CRD_OK);
    hosted_close(&h);
}
END_TEST

START_TEST(a_host_that_deallocates_or_works_in_a_pipeline_does_no_harm) {
    hosted h = hosted_open();
    ENDS(h.ledger, apply_one(h.ledger, h.k, h.i), CRD_OK);
    run_in(h.conn, h.w, "DISCARD ALL");
    ENDS(h.ledger, apply_one(h.ledger, h.k, h.i), CRD_OK);
    run_in(h.conn, h.w, "DEALLOCATE ALL");
    hosted_fresh(&h);
    ck_assert_int_eq(PQenterPipelineMode(h.conn), 1);
    ENDS(h.ledger, apply_one(h.ledger, h.k, h.i), CRD_E_STORAGE);
    ck_assert_int_eq(PQexitPipelineMode(h.conn), 1);
    run_in(h.conn, h.w, "SET client_encoding = 'LATIN1'");
    ENDS(h.ledger, crd_credit_refresh(h.k), CRD_E_STORAGE);
    run_in(h.conn, h.w, "SET client_encoding = 'UTF8'");
    hosted_fresh(&h);
    ENDS(h.ledger, apply_one(h.ledger, h.k, h.i), CRD_OK);
    crd_credit_free(h.k);
    crd_invoice_free(h.i);
    crd_ledger_close(h.ledger);
    crd_postgres_close(h.storage);
    ck_assert_int_eq(number_in(h.w, "SELECT count(*) FROM pg_prepared_statements"), 0);
    PQfinish(h.conn);
    world_close(h.w);
}
END_TEST

START_TEST(tables_made_in_a_transaction_that_rolls_back_are_made_again) {
    PGconn *conn = direct();
    crd_postgres_options o;
    crd_postgres *storage = NULL;
    crd_ledger *ledger;
    memset(&o, 0, sizeof o);
    o.struct_size = sizeof o;
    o.schema = "rolled back";
    ck_assert(try_run(conn, "BEGIN"));
    ck_assert_int_eq(crd_postgres_attach(conn, &o, &storage), CRD_OK);
    ck_assert(try_run(conn, "ROLLBACK"));
    ledger = ledger_on(crd_postgres_storage(storage));
    ENDS(ledger, crd_customer_add(ledger, at_noon(0), "c1", NULL, NULL), CRD_OK);
    crd_ledger_close(ledger);
    crd_postgres_close(storage);
    ck_assert(try_run(conn, "DROP SCHEMA \"rolled back\" CASCADE"));
    PQfinish(conn);
}
END_TEST

/* ---- what is sent ---- */

typedef struct listener {
    FILE *file;
    char *text;
    size_t size;
} listener;

static world *listened_open(listener *l) {
    world *w;
    l->file = tmpfile();
    ck_assert_ptr_nonnull(l->file);
    world_trace = l->file;
    w = world_open(STORE_POSTGRES);
    return w;
}

/* What was said since the last time. */
static const char *heard(listener *l) {
    long size;
    fflush(l->file);
    size = ftell(l->file);
    rewind(l->file);
    free(l->text);
    l->text = calloc(1, (size_t)size + 1);
    ck_assert_uint_eq(fread(l->text, 1, (size_t)size, l->file), (size_t)size);
    rewind(l->file);
    ck_assert_int_eq(ftruncate(fileno(l->file), 0), 0);
    return l->text;
}

static int count_of(const char *text, const char *what) {
    int count = 0;
    for (; (text = strstr(text, what)) != NULL; text++) count++;
    return count;
}

static int trips(listener *l) {
    return count_of(heard(l), "\tSync");
}

static void listened_close(listener *l, world *w) {
    world_close(w);
    world_trace = NULL;
    fclose(l->file);
    free(l->text);
}

START_TEST(P6_P8_one_round_trip_for_one_account_and_two_for_a_page) {
    listener l = {NULL, NULL, 0};
    world *w = listened_open(&l);
    crd_credit *k;
    crd_invoice *i;
    crd_plan_spec spec = plan_spec(0, 1);
    customer(w, "c1");
    k = memo(w, "c1", "K", 1000, 0);
    i = invoice(w, "c1", "I", 1000, 0, 30);
    many(w, 5);
    (void)heard(&l);
    shim_reset(&w->shim);
    OK(w, apply_one(w->ledger, k, i));
    ck_assert_int_eq(trips(&l), 1); /* fresh handles: one in all */
    OK(w, apply_one(w->ledger, k, i));
    ck_assert_int_eq(count_of(heard(&l), "\tParse"), 0); /* and everything is prepared */
    OK(w, crd_credit_refresh(k));
    ck_assert_int_eq(trips(&l), 1); /* a customer's records */
    crd_invoice_free(i);
    crd_credit_free(k);
    shim_reset(&w->shim);
    ENDS(w->ledger, crd_reconcile(w->ledger, at_noon(1), &spec, NULL), CRD_OK);
    ck_assert_int_eq((int)w->shim.reads, 1);
    ck_assert_int_eq((int)w->shim.writes, 1);
    ck_assert_int_eq(trips(&l), 4); /* two to read a page, two to write it */
    world_check(w);
    listened_close(&l, w);
}
END_TEST

/* Runs every command of the scene, each twice in a unit of its own world. */
static void act(world *w) {
    scene_fill(w);
    for (size_t n = 0; n < scene_command_count + scene_alone_count; n++) {
        const scene_command *c = n < scene_command_count ? &scene_commands[n] : &scene_alone[n - scene_command_count];
        scene s = scene_open(w->ledger);
        crd_result r = result_block();
        char key[40];
        snprintf(key, sizeof key, "act %zu", n);
        (void)c->run(&s, keyed(2, key), 0, &r); /* some find nothing left to do: reading is sent all the same */
        scene_close(&s);
    }
}

typedef struct refused {
    const char *word, *unless; /* lower case; unless that is there as well */
} refused;

/* What engines that distribute tables by customer refuse or do not do as told, and session state. */
static const refused refused_words[] = {
    {"nextval", NULL},     {"serial", NULL},          {"generated by default", NULL}, {"generated always as identity", NULL},
    {"advisory", NULL},    {"temp table", NULL},      {"temporary", NULL},            {"listen", NULL},
    {"notify", NULL},      {"prepare transaction", NULL}, {"merge into", NULL},       {"create trigger", NULL},
    {"references", NULL},  {"set session", NULL},     {"set customer =", NULL},       {"serializable", NULL},
    {"random()", NULL},    {"clock_timestamp", NULL}, {"for update", NULL},           {"copy ", NULL},
    {"lock table", NULL},  {"declare ", NULL},        {"with hold", NULL},            {"truncate", NULL},
    {"delete from", ".crd_account where customer = $1"}, {"for share", "customer = $1"}, {"for no key update", "customer = $1"},
};

/* The text of a statement in a line of the trace. */
static int statement_in(const char *line, char *out, size_t size) {
    const char *at = strstr(line, "\tParse\t");
    size_t used = 0;
    if (at == NULL) return 0;
    at = strchr(at + 7, '"');           /* the name, */
    at = at ? strchr(at + 1, '"') : at; /* closed, */
    at = at ? strchr(at + 1, '"') : at; /* and the text */
    if (at == NULL) return 0;
    for (at++; *at != '\0' && used + 1 < size; at++) out[used++] = (char)tolower((unsigned char)*at);
    while (used > 0 && out[used - 1] != '"') used--;
    out[used > 0 ? used - 1 : 0] = '\0';
    return 1;
}

static int is_control(const char *sql) {
    static const char *const begins[] = {"begin", "commit", "rollback", "savepoint", "release", "select gen_random_uuid"};
    for (size_t n = 0; n < sizeof begins / sizeof begins[0]; n++)
        if (strncmp(sql, begins[n], strlen(begins[n])) == 0) return 1;
    return strstr(sql, "crd_meta") != NULL || strstr(sql, "pg_catalog") != NULL;
}

/* Whether a statement that writes or locks names or joins the customer. */
static void check_statement(const char *sql) {
    for (size_t n = 0; n < sizeof refused_words / sizeof refused_words[0]; n++) {
        const refused *r = &refused_words[n];
        const char *found = strstr(sql, r->word);
        ck_assert_msg(found == NULL || (r->unless != NULL && strstr(sql, r->unless) != NULL), "%s: %s", r->word, sql);
    }
    if (is_control(sql)) return;
    if (strncmp(sql, "select", 6) != 0)
        ck_assert_msg(strstr(sql, "customer") != NULL, "names no customer: %s", sql);
    if (strstr(sql, "update \"") != NULL)
        ck_assert_msg(strstr(sql, "customer = $") != NULL || strstr(sql, "customer = u.customer") != NULL,
                      "is not bound to a customer: %s", sql);
    /* An aggregate plus a sub-select in one target list; an insert within a CTE. */
    if (strstr(sql, "count(*)") != NULL)
        ck_assert_msg(strstr(strstr(sql, "count(*)"), "(select") == NULL || strstr(sql, "guarded") != NULL,
                      "an aggregate beside a sub-select: %s", sql);
    ck_assert_msg(strstr(sql, "as (insert") == NULL, "an insert in a CTE: %s", sql);
    /* EXISTS only of a CTE that is bound to the same customer. */
    for (const char *at = sql; (at = strstr(at, "exists (")) != NULL; at++)
        ck_assert_msg(strncmp(at, "exists (select 1 from u1)", 25) == 0, "EXISTS: %s", sql);
}

START_TEST(every_statement_that_is_sent_can_be_distributed_by_customer) {
    listener l = {NULL, NULL, 0};
    world *w = listened_open(&l);
    char *line, *next, *sql = malloc(100000);
    int statements = 0, inside = 0;
    act(w);
    many(w, 6);
    {
        crd_plan_spec spec = plan_spec(0, 3);
        ENDS(w->ledger, crd_reconcile(w->ledger, at_noon(3), &spec, NULL), CRD_OK);
    }
    (void)heard(&l);
    /* The same transaction by transaction: between BEGIN and COMMIT only, never a statement that writes alone. */
    for (line = l.text; line != NULL && *line != '\0'; line = next) {
        next = strchr(line, '\n');
        if (next != NULL) *next++ = '\0';
        if (!statement_in(line, sql, 100000)) continue;
        check_statement(sql);
        statements++;
        inside |= strncmp(sql, "insert", 6) == 0;
    }
    ck_assert_int_gt(statements, 60);
    ck_assert_int_eq(inside, 1);
    free(sql);
    listened_close(&l, w);
}
END_TEST

START_TEST(every_key_and_index_begins_with_the_customer) {
    world *w = world_open(STORE_POSTGRES);
    ck_assert_int_eq(number_in(w, "SELECT count(*) FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid"
                                  " JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a"
                                  " ON a.attrelid = c.oid AND a.attnum = i.indkey[0]"
                                  " WHERE quote_ident(n.nspname) = '@' AND a.attname <> 'customer'"
                                  " AND c.relname <> 'crd_meta'"),
                     0);
    ck_assert_int_eq(number_in(w, "SELECT count(*) FROM pg_constraint o JOIN pg_namespace n ON n.oid = o.connamespace"
                                  " WHERE quote_ident(n.nspname) = '@' AND o.contype NOT IN ('p')"),
                     0);
    world_close(w);
}
END_TEST

/* ---- batches, statement by statement ---- */

typedef struct batch_of {
    crd_batch batch;
    crd_guard guard[40];
    const crd_guard *guards[40];
    crd_change change[80];
    const crd_change *changes[80];
    crd_account_record account[40];
    crd_entry_record entry[40];
    crd_credit_record credit[40];
    uint64_t failed[40];
    crd_write_result out;
} batch_of;

/* Texts left out of a record are kept as "". */
static void add_change(batch_of *b, uint32_t kind, uint32_t operation, uint32_t group, const void *record) {
    crd_change *c = &b->change[b->batch.change_count];
    c->struct_size = sizeof *c;
    c->kind = kind;
    c->operation = operation;
    c->group = group;
    c->record = record;
    b->changes[b->batch.change_count++] = c;
}

static void add_guard(batch_of *b, const char *who, int64_t version, int64_t new_version) {
    crd_guard *g = &b->guard[b->batch.guard_count];
    g->struct_size = sizeof *g;
    g->group = (uint32_t)b->batch.guard_count;
    g->customer = who;
    g->currency = "EUR";
    g->version = version;
    g->new_version = new_version;
    b->guards[b->batch.guard_count++] = g;
}

static void add_account(batch_of *b, const char *who, int64_t version, int64_t new_version) {
    uint64_t n = b->batch.guard_count;
    crd_account_record *a = &b->account[n];
    a->struct_size = sizeof *a;
    a->customer = who;
    a->currency = "EUR";
    a->version = new_version;
    a->last_seq = new_version;
    add_guard(b, who, version, new_version);
    add_change(b, CRD_KIND_ACCOUNT, version == 0 ? CRD_CHANGE_INSERT : CRD_CHANGE_UPDATE, (uint32_t)n, a);
}

static int32_t write_batch(const crd_storage *s, batch_of *b) {
    b->batch.struct_size = sizeof b->batch;
    b->batch.guards = b->guards;
    b->batch.changes = b->changes;
    b->batch.proof = 5;
    b->out.struct_size = sizeof b->out;
    b->out.failed = b->failed;
    b->out.failed_count = 0;
    s->write(s->ctx, &b->batch, &b->out);
    ck_assert_uint_eq(b->out.proof, 5);
    return b->out.outcome;
}

static void check_failed(const batch_of *b, uint64_t count, uint64_t first, uint64_t second) {
    ck_assert_uint_eq(b->out.failed_count, count);
    if (count > 0) ck_assert_uint_eq(b->failed[0], first);
    if (count > 1) ck_assert_uint_eq(b->failed[1], second);
}

static const char *const who[] = {"a", "b", "c", "d", "e", "f", "g", "h"};

/* Accounts a … h at version 1; _i: independent or not. */
static void accounts_written(const crd_storage *s, uint32_t flags, int count) {
    batch_of b;
    memset(&b, 0, sizeof b);
    b.batch.flags = flags;
    for (int n = 0; n < count; n++) add_account(&b, who[n], 0, 1);
    ck_assert_int_eq(write_batch(s, &b), CRD_OUTCOME_DONE);
}

START_TEST(R32_every_failed_guard_is_listed_and_nothing_is_kept) {
    static const int sizes[] = {2, 3, 8}; /* one by one, and as arrays */
    for (size_t n = 0; n < 3; n++) {
        world *w = world_open(STORE_POSTGRES);
        const crd_storage *s = world_storage(w);
        int count = sizes[n];
        batch_of b;
        accounts_written(s, 0, count);
        memset(&b, 0, sizeof b);
        for (int k = 0; k < count; k++) add_account(&b, who[k], k == 0 || k == count - 1 ? 7 : 1, 2);
        ck_assert_int_eq(write_batch(s, &b), CRD_OUTCOME_CONFLICT);
        check_failed(&b, 2, 0, (uint64_t)count - 1);
        ck_assert_int_eq(number_in(w, "SELECT sum(version) FROM @.crd_account"), count);
        /* A guard alone, and an account that must not exist. */
        memset(&b, 0, sizeof b);
        add_guard(&b, "a", 0, 0);
        add_guard(&b, "aa", 0, 0);
        add_account(&b, "b", 1, 2);
        ck_assert_int_eq(write_batch(s, &b), CRD_OUTCOME_CONFLICT);
        check_failed(&b, 1, 0, 0);
        memset(&b, 0, sizeof b);
        add_guard(&b, "a", 1, 1);
        add_guard(&b, "aa", 0, 0);
        add_account(&b, "b", 1, 2);
        ck_assert_int_eq(write_batch(s, &b), CRD_OUTCOME_DONE);
        memset(&b, 0, sizeof b);
        add_guard(&b, "a", 3, 3);
        add_account(&b, "b", 2, 3);
        ck_assert_int_eq(write_batch(s, &b), CRD_OUTCOME_CONFLICT);
        check_failed(&b, 1, 0, 0);
        memset(&b, 0, sizeof b);
        add_account(&b, "a", 0, 9); /* to be made, and there already */
        ck_assert_int_eq(write_batch(s, &b), CRD_OUTCOME_CONFLICT);
        check_failed(&b, 1, 0, 0);
        ck_assert_int_eq(number_in(w, "SELECT count(*) FROM @.crd_account"), count);
        ck_assert_int_eq(number_in(w, "SELECT sum(version) FROM @.crd_account"), count + 1);
        world_close(w);
    }
}
END_TEST

START_TEST(independent_groups_stand_and_fall_whole) {
    world *w = world_open(STORE_POSTGRES);
    const crd_storage *s = world_storage(w);
    batch_of b;
    accounts_written(s, CRD_BATCH_INDEPENDENT, 6);
    memset(&b, 0, sizeof b);
    b.batch.flags = CRD_BATCH_INDEPENDENT;
    add_account(&b, "a", 1, 2);
    add_account(&b, "b", 7, 8); /* fails alone */
    add_account(&b, "c", 1, 2); /* falls with d */
    add_account(&b, "d", 7, 8);
    add_guard(&b, "e", 1, 1); /* with f, which stands */
    add_account(&b, "f", 1, 2);
    add_guard(&b, "x", 0, 0); /* with y, which is new */
    add_account(&b, "y", 0, 1);
    b.guard[3].group = b.change[3].group = 2;
    b.guard[5].group = 4;
    b.change[4].group = 4;
    b.guard[7].group = 6;
    b.change[5].group = 6;
    for (uint64_t n = 0; n < 8; n++) {
        crd_entry_record *e = &b.entry[n];
        static const char *const owners[] = {"a", "b", "c", "d", "f", "y"};
        static const uint32_t groups[] = {0, 1, 2, 2, 4, 6};
        if (n >= 6) break;
        e->struct_size = sizeof *e;
        e->customer = owners[n];
        e->currency = "EUR";
        e->seq = 2;
        add_change(&b, CRD_KIND_ENTRY, CRD_CHANGE_INSERT, groups[n], e);
    }
    ck_assert_int_eq(write_batch(s, &b), CRD_OUTCOME_DONE);
    check_failed(&b, 2, 1, 3);
    ck_assert_int_eq(number_in(w, "SELECT sum(version) FROM @.crd_account"), 2 + 1 + 1 + 1 + 1 + 2 + 1);
    ck_assert_int_eq(number_in(w, "SELECT count(*) FROM @.crd_account"), 7);
    ck_assert_int_eq(number_in(w, "SELECT count(*) FROM @.crd_entry WHERE customer IN ('a', 'f', 'y')"), 3);
    ck_assert_int_eq(number_in(w, "SELECT count(*) FROM @.crd_entry"), 3);
    /* When none stands, nothing is kept. */
    memset(&b, 0, sizeof b);
    b.batch.flags = CRD_BATCH_INDEPENDENT;
    add_account(&b, "a", 9, 10);
    add_account(&b, "b", 9, 10);
    ck_assert_int_eq(write_batch(s, &b), CRD_OUTCOME_CONFLICT);
    check_failed(&b, 2, 0, 1);
    world_close(w);
}
END_TEST

START_TEST(a_key_that_exists_fails_the_batch_and_is_named) {
    static const int sizes[] = {1, 3, 12};
    world *w = world_open(STORE_POSTGRES);
    const crd_storage *s = world_storage(w);
    accounts_written(s, 0, 2);
    run(w, "ALTER TABLE @.crd_credit DISABLE TRIGGER ALL");
    for (size_t n = 0; n < 3; n++) {
        int count = sizes[n];
        char ids[12][32];
        batch_of b;
        for (int round = 0; round < 2; round++) {
            memset(&b, 0, sizeof b);
            add_account(&b, "a", (int64_t)n + 1, (int64_t)n + 2);
            for (int k = 0; k < count; k++) {
                crd_credit_record *c = &b.credit[k];
                /* The second time only the last is one that exists. */
                snprintf(ids[k], sizeof ids[k], "%c%d-%02d", round && k < count - 1 ? 'x' : 'y', count, k);
                c->struct_size = sizeof *c;
                c->customer = "a";
                c->currency = "EUR";
                c->id = ids[k];
                c->remaining = k;
                add_change(&b, CRD_KIND_CREDIT, CRD_CHANGE_INSERT, 0, c);
            }
            if (round == 0) {
                ck_assert_int_eq(write_batch(s, &b), CRD_OUTCOME_DONE);
                run(w, "UPDATE @.crd_account SET version = version - 1 WHERE customer = 'a'");
                continue;
            }
            ck_assert_int_eq(write_batch(s, &b), CRD_OUTCOME_EXISTS);
            ck_assert_uint_eq(b.out.exists, (uint64_t)count);
            ck_assert_int_eq(number_in(w, "SELECT count(*) FROM @.crd_credit WHERE id LIKE 'x%'"), 0);
        }
        run(w, "UPDATE @.crd_account SET version = version + 1 WHERE customer = 'a'");
    }
    world_close(w);
}
END_TEST

START_TEST(an_update_of_what_is_not_there_fails_and_nothing_is_kept) {
    static const int sizes[] = {1, 2, 12};
    world *w = world_open(STORE_POSTGRES);
    const crd_storage *s = world_storage(w);
    accounts_written(s, 0, 2);
    for (size_t n = 0; n < 3; n++) {
        char ids[12][32];
        batch_of b;
        memset(&b, 0, sizeof b);
        add_account(&b, "a", 1, 2);
        for (int k = 0; k < sizes[n]; k++) {
            crd_credit_record *c = &b.credit[k];
            snprintf(ids[k], sizeof ids[k], "%02d", k);
            c->struct_size = sizeof *c;
            c->customer = "a";
            c->currency = "EUR";
            c->id = ids[k];
            add_change(&b, CRD_KIND_CREDIT, CRD_CHANGE_UPDATE, 0, c);
        }
        ck_assert_int_eq(write_batch(s, &b), CRD_OUTCOME_FAILED);
        ck_assert_ptr_nonnull(strstr(b.out.host_text, "does not exist"));
        ck_assert_int_eq(number_in(w, "SELECT sum(version) FROM @.crd_account"), 2);
    }
    world_close(w);
}
END_TEST

/* While an account that must not exist is guarded, nobody else can make it. */
START_TEST(R32_an_account_that_must_not_exist_is_not_made_meanwhile) {
    world *w = world_open(STORE_POSTGRES);
    const crd_storage *s = world_storage(w);
    PGconn *conn = direct();
    batch_of b;
    pid_t child;
    int status = 0;
    accounts_written(s, 0, 1);
    /* Another writer is about to make the account "b". */
    run_in(conn, w, "BEGIN; CREATE TEMP TABLE x AS SELECT * FROM @.crd_account; UPDATE x SET customer = 'b'");
    run_in(conn, w, "ALTER TABLE x DROP COLUMN both_open; INSERT INTO @.crd_account SELECT * FROM x");
    child = fork();
    if (child == 0) {
        crd_postgres_options o = options_of(w, 0);
        crd_postgres *storage = NULL;
        if (crd_postgres_open(conninfo(), &o, &storage) != CRD_OK) _exit(9);
        memset(&b, 0, sizeof b);
        add_account(&b, "a", 1, 2);
        add_guard(&b, "b", 0, 0);
        if (write_batch(crd_postgres_storage(storage), &b) != CRD_OUTCOME_CONFLICT) _exit(8);
        _exit(b.out.failed_count == 1 && b.failed[0] == 1 ? 0 : 7);
    }
    usleep(300000); /* it waits for the other to decide */
    run_in(conn, w, "COMMIT");
    waitpid(child, &status, 0);
    ck_assert_int_eq(status, 0);
    ck_assert_int_eq(number_in(w, "SELECT version FROM @.crd_account WHERE customer = 'a'"), 1);
    PQfinish(conn);
    world_close(w);
}
END_TEST

static Suite *make(void) {
    Suite *s = suite_create("postgres");
    TCase *t = tcase_create("postgres");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, R32_of_two_connections_racing_from_one_version_exactly_one_wins);
    tcase_add_test(t, R32_writers_whose_reads_lock_never_work_in_vain);
    tcase_add_test(t, R32_a_deadlock_is_tried_again_inside);
    tcase_add_loop_test(t, a_write_whose_connection_is_lost_at_any_message_is_done_once, 0, 2);
    tcase_add_loop_test(t, a_page_whose_connection_is_lost_at_any_message_is_done_once, 0, 2);
    tcase_add_test(t, a_backend_that_is_terminated_between_calls_goes_unnoticed);
    tcase_add_test(t, a_server_that_is_not_there_is_told_in_libpqs_words);
    tcase_add_test(t, a_server_that_goes_away_is_told_and_when_it_is_back_the_ledger_works);
    tcase_add_test(t, a_newer_schema_is_refused_when_opening_and_when_it_comes_later);
    tcase_add_test(t, a_writer_of_an_older_version_inserts_no_half_records);
    tcase_add_test(t, columns_and_indexes_an_older_version_lacked_are_added);
    tcase_add_test(t, a_table_that_goes_is_told_and_when_it_is_back_the_ledger_works);
    tcase_add_test(t, a_null_and_a_value_of_the_wrong_size_are_told_not_passed_on);
    tcase_add_test(t, a_role_that_may_not_write_is_told_in_the_servers_words);
    tcase_add_test(t, what_the_server_fails_at_is_told_in_its_words_and_nothing_is_kept);
    tcase_add_test(t, a_server_that_is_read_only_is_told_and_can_be_read);
    tcase_add_test(t, read_only_reads_and_refuses_to_write);
    tcase_add_test(t, a_database_that_is_not_utf8_is_refused);
    tcase_add_test(t, text_that_is_not_utf8_is_refused_by_the_server_and_nothing_is_kept);
    tcase_add_test(t, arguments_are_checked);
    tcase_add_test(t, any_name_of_a_schema_is_quoted_and_tables_may_be_partitioned);
    tcase_add_test(t, R32_processes_that_open_a_new_schema_at_once_all_succeed);
    tcase_add_loop_test(t, R64_a_write_joins_the_hosts_transaction_and_is_kept_or_lost_with_it, 0, 2);
    tcase_add_test(t, a_failed_write_in_the_hosts_transaction_takes_back_its_own_part_only);
    tcase_add_test(t, a_transaction_that_failed_asks_for_a_restart);
    tcase_add_test(t, a_snapshot_that_another_writer_overtook_asks_for_a_restart);
    tcase_add_test(t, a_hosts_connection_that_is_lost_is_told_and_works_once_it_is_reset);
    tcase_add_test(t, a_host_that_deallocates_or_works_in_a_pipeline_does_no_harm);
    tcase_add_test(t, tables_made_in_a_transaction_that_rolls_back_are_made_again);
    tcase_add_test(t, P6_P8_one_round_trip_for_one_account_and_two_for_a_page);
    tcase_add_test(t, every_statement_that_is_sent_can_be_distributed_by_customer);
    tcase_add_test(t, every_key_and_index_begins_with_the_customer);
    tcase_add_test(t, R32_every_failed_guard_is_listed_and_nothing_is_kept);
    tcase_add_test(t, independent_groups_stand_and_fall_whole);
    tcase_add_test(t, a_key_that_exists_fails_the_batch_and_is_named);
    tcase_add_test(t, an_update_of_what_is_not_there_fails_and_nothing_is_kept);
    tcase_add_test(t, R32_an_account_that_must_not_exist_is_not_made_meanwhile);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    if (getenv("CREDIT_TEST_CONNINFO") == NULL) {
        printf("SKIP no PostgreSQL server to test against (Debian: postgresql)\n");
        return 77;
    }
    return world_main(make);
}
