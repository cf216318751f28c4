/*
 * Reconcile and apply on PostgreSQL (goals P6, P7, P9), against SQL written by hand for the same tables.
 *
 * - *apply by hand*: the best shape known: one pipeline of prepared statements, BEGIN, one statement that updates the
 *   account (with its version), the credit and the invoice and divides by the number of rows found, the entry with its
 *   hash, COMMIT. It writes only the columns the work needs.
 * - *relative updates*: a hot account with 8 writers, amounts changed by "remaining - 1" without a version, so that nobody
 *   ever loses; its entries carry no hash.
 * - *SQL only*: reconcile as cumulative sums and an interval join, in one transaction. Its entries carry no hash either,
 *   which SQL cannot compute.
 *
 * CREDIT_TEST_CONNINFO names the server; make bench STORE=postgres starts one.
 */
#define _XOPEN_SOURCE 700
#define _DEFAULT_SOURCE

#include "pairs.h"
#include "work.h"

#include <credit/postgres.h>
#include <libpq-fe.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define WRITERS 8

static PGconn *conn;

static void check(PGresult *result, const char *what) {
    ExecStatusType status = PQresultStatus(result);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
        fprintf(stderr, "%s: %s\n", what, PQerrorMessage(conn));
        bench_fail("PostgreSQL");
    }
    PQclear(result);
}

static void run(const char *sql) {
    check(PQexec(conn, sql), sql);
}

static void connect_by_hand(void) {
    conn = PQconnectdb(getenv("CREDIT_TEST_CONNINFO"));
    if (PQstatus(conn) != CONNECTION_OK) bench_fail(PQerrorMessage(conn));
    run("SET client_min_messages = error");
}

static crd_postgres *open_flags(const char *schema, uint32_t flags) {
    crd_postgres_options options;
    crd_postgres *storage = NULL;
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    options.schema = schema;
    options.flags = flags;
    if (crd_postgres_open(getenv("CREDIT_TEST_CONNINFO"), &options, &storage) != CRD_OK)
        bench_fail(crd_postgres_message(storage));
    return storage;
}

static crd_postgres *open_storage(const char *schema) {
    return open_flags(schema, 0);
}

static void drop(const char *schema) {
    char sql[100];
    snprintf(sql, sizeof sql, "DROP SCHEMA IF EXISTS %s CASCADE", schema);
    run(sql);
}

/* Another schema with the same tables, indexes and rows. */
static void copy_schema(const char *from, const char *to) {
    char sql[1200];
    drop(to);
    crd_postgres_close(open_storage(to));
    snprintf(sql, sizeof sql,
             "DO $$ DECLARE t text; c text; BEGIN FOREACH t IN ARRAY ARRAY['crd_account','crd_customer','crd_credit',"
             "'crd_invoice','crd_receipt','crd_hold','crd_line','crd_entry','crd_request'] LOOP"
             " SELECT string_agg(quote_ident(column_name), ',') INTO c FROM information_schema.columns WHERE"
             " table_schema = '%s' AND table_name = t AND is_generated = 'NEVER';"
             " EXECUTE format('INSERT INTO %s.%%I (%%s) SELECT %%s FROM %s.%%I', t, c, c, t); END LOOP; END $$",
             from, to, from);
    run(sql);
}

static void settle(const char *schema) {
    static const char *const tables[] = {"account", "credit", "invoice", "receipt", "entry"};
    char sql[100];
    for (size_t n = 0; n < sizeof tables / sizeof tables[0]; n++) {
        snprintf(sql, sizeof sql, "VACUUM (FREEZE, ANALYZE) %s.crd_%s", schema, tables[n]);
        run(sql);
    }
    run("CHECKPOINT");
}

static int64_t number_of(const char *sql) {
    PGresult *result = PQexec(conn, sql);
    int64_t number;
    if (PQntuples(result) != 1) bench_fail(PQerrorMessage(conn));
    number = strtoll(PQgetvalue(result, 0, 0), NULL, 10);
    PQclear(result);
    return number;
}

/* ---- reconcile ---- */

static const char sql_only[] =
    "BEGIN; SET LOCAL search_path = theirs;"
    "CREATE TEMP TABLE app ON COMMIT DROP AS WITH"
    " c AS (SELECT customer,currency,id,remaining,issued,first_seq,sum(remaining) OVER (PARTITION BY customer,currency"
    "  ORDER BY issued,first_seq ROWS UNBOUNDED PRECEDING) AS top FROM crd_credit WHERE is_open AND held=0 AND flags=0),"
    " v AS (SELECT customer,currency,id,open,sum(open) OVER (PARTITION BY customer,currency ORDER BY kind<>2,due,issued,"
    "  first_seq ROWS UNBOUNDED PRECEDING) AS top FROM crd_invoice WHERE is_open AND open>0 AND flags=0)"
    " SELECT c.customer,c.currency,c.id AS credit,v.id AS invoice,"
    "  (least(c.top,v.top)-greatest(c.top-c.remaining,v.top-v.open))::bigint AS amount,"
    "  (c.remaining-(least(c.top,v.top)-(c.top-c.remaining)))::bigint AS credit_after,"
    "  (v.open-(least(c.top,v.top)-(v.top-v.open)))::bigint AS invoice_after,"
    "  row_number() OVER (PARTITION BY c.customer,c.currency ORDER BY c.top,v.top) AS n"
    " FROM c JOIN v ON v.customer=c.customer AND v.currency=c.currency AND v.top > c.top-c.remaining"
    "  AND v.top-v.open < c.top;"
    "INSERT INTO crd_entry(customer,currency,seq,type,last_seq,hash,instant,business_date,flags,writer,command,amount,"
    " credit_after,invoice_after,credit,invoice,receipt,hold,actor,note,reference,undoes,cause,figure_before,"
    " figure_after,method,other_customer,other_id,image)"
    " SELECT p.customer,p.currency,a.last_seq+1+n,3,a.last_seq+1+n,decode(repeat('00',32),'hex'),1700000000000000,13650,"
    "  10,1,1,amount,credit_after,invoice_after,credit,invoice,'~'||p.currency||a.last_seq+1,'','bench','','',0,0,0,0,'',"
    "  '','',''::bytea FROM app p JOIN crd_account a USING (customer,currency);"
    "INSERT INTO crd_receipt(customer,id,currency,first_seq,last_seq,flags,state,cause,received,last_date,posted_seq,"
    " amount,applied,written_off,received_at,credit,method,payment_info,reference,run)"
    " SELECT p.customer,'~'||p.currency||a.last_seq+1,p.currency,a.last_seq+1,a.last_seq+1+count(*),0,1,0,13650,13650,"
    "  a.last_seq+1+count(*),0,sum(amount),0,1700000000000000,'','adjustment','','','' FROM app p JOIN crd_account a"
    "  USING (customer,currency) GROUP BY p.customer,p.currency,a.last_seq;"
    "UPDATE crd_credit d SET remaining=remaining-s.amount,applied=applied+s.amount,state=CASE WHEN remaining=s.amount"
    "  THEN 2 ELSE 1 END,cause=CASE WHEN remaining=s.amount THEN 1 ELSE 0 END,last_seq=d.last_seq+1,last_date=13650"
    " FROM (SELECT customer,credit,sum(amount)::bigint AS amount FROM app GROUP BY 1,2) s WHERE d.customer=s.customer AND"
    "  d.id=s.credit;"
    "UPDATE crd_invoice d SET open=open-s.amount,applied=applied+s.amount,state=CASE WHEN open=s.amount THEN 3 ELSE 2"
    "  END,cause=CASE WHEN open=s.amount THEN 1 ELSE 0 END,last_seq=d.last_seq+1,last_date=13650"
    " FROM (SELECT customer,invoice,sum(amount)::bigint AS amount FROM app GROUP BY 1,2) s WHERE d.customer=s.customer AND"
    "  d.id=s.invoice;"
    "UPDATE crd_account d SET version=version+1,last_seq=last_seq+1+s.n,credit_remaining=credit_remaining-s.amount,"
    "  available=available-s.amount,invoice_open=invoice_open-s.amount,applied=applied+s.amount,open_credits="
    "  open_credits-s.spent,open_invoices=open_invoices-s.paid FROM (SELECT customer,currency,count(*) AS n,"
    "  sum(amount)::bigint AS amount,count(*) FILTER (WHERE credit_after=0) AS spent,count(*) FILTER (WHERE"
    "  invoice_after=0) AS paid FROM app GROUP BY 1,2) s WHERE d.customer=s.customer AND d.currency=s.currency;"
    "COMMIT";

static void bench_reconcile_run(const char *name, uint32_t customers, uint32_t documents, int rounds) {
    double ours[ROUNDS], theirs[ROUNDS];
    crd_postgres *storage;
    crd_ledger *ledger;
    drop("book");
    storage = open_storage("book");
    ledger = bench_open(crd_postgres_storage(storage), NULL);
    bench_fill(ledger, customers, documents, documents);
    crd_ledger_close(ledger);
    crd_postgres_close(storage);
    for (int round = 0; round < rounds; round++) {
        crd_plan_result result;
        int64_t count, amount;
        double start;
        copy_schema("book", "ours");
        settle("ours");
        copy_schema("book", "theirs");
        settle("theirs");
        storage = open_storage("ours");
        ledger = bench_open(crd_postgres_storage(storage), NULL);
        start = bench_now();
        bench_reconcile(ledger, &result);
        ours[round] = (bench_now() - start) / (double)result.applications;
        crd_ledger_close(ledger);
        crd_postgres_close(storage);
        start = bench_now();
        run(sql_only);
        theirs[round] = (bench_now() - start) / (double)result.applications;
        count = number_of("SELECT count(*) FROM theirs.crd_entry WHERE type=3");
        amount = number_of("SELECT sum(amount * (hashtext(credit || invoice) % 1000)) FROM theirs.crd_entry WHERE type=3");
        if (count != number_of("SELECT count(*) FROM ours.crd_entry WHERE type=3") ||
            amount != number_of("SELECT sum(amount * (hashtext(credit || invoice) % 1000)) FROM ours.crd_entry WHERE type=3"))
            bench_fail("ours and the reference did different work");
    }
    bench_report(name, bench_median(ours, rounds), bench_median(theirs, rounds), "ns/application");
}

/* ---- apply ---- */

typedef struct hand {
    char customer[16];
    int64_t version, last_seq, credit_first, invoice_first, done;
    uint8_t hash[32];
} hand;

static const char fused[] =
    "WITH a AS (UPDATE theirs.crd_account SET version=$4,last_seq=$5,last_hash=$6,last_instant=$7,credit_remaining=$8,"
    "available=$8,invoice_open=$8,applied=$9,last_date=$10 WHERE customer=$1 AND currency=$2 AND version=$3 RETURNING 1),"
    " k AS (UPDATE theirs.crd_credit SET remaining=$8,applied=$9,last_seq=$5,last_date=$10 WHERE customer=$1 AND id=$11"
    " AND EXISTS (SELECT 1 FROM a) RETURNING 1),"
    " i AS (UPDATE theirs.crd_invoice SET open=$8,applied=$9,last_seq=$5,last_date=$10 WHERE customer=$1 AND id=$11"
    " AND EXISTS (SELECT 1 FROM a) RETURNING 1) SELECT 1/count(*) FROM a,k,i";
static const char entry_sql[] =
    "INSERT INTO theirs.crd_entry(customer,currency,seq,type,last_seq,hash,instant,business_date,flags,writer,command,"
    "amount,credit_after,invoice_after,credit,invoice,receipt,hold,actor,note,reference,undoes,cause,figure_before,"
    "figure_after,method,other_customer,other_id,image) VALUES($1,$2,$3,3,$3,$4,$5,$6,0,$7,$8,$9,$10,$10,$11,$11,'','',"
    "'bench','','',0,0,0,0,'','','',''::bytea)";

typedef struct binder {
    const char *value[16];
    int length[16], format[16], count;
    unsigned char room[16][32];
} binder;

static void bind_text(binder *b, const char *text) {
    b->value[b->count] = text;
    b->length[b->count] = (int)strlen(text);
    b->format[b->count++] = 0;
}

static void bind_bytes(binder *b, const void *bytes, int size) {
    b->value[b->count] = bytes;
    b->length[b->count] = size;
    b->format[b->count++] = 1;
}

static void bind_number(binder *b, int64_t number, int size) {
    unsigned char *to = b->room[b->count];
    for (int i = 0; i < size; i++) to[i] = (unsigned char)((uint64_t)number >> (8 * (size - 1 - i)));
    bind_bytes(b, to, size);
}

static void send(const char *name, const binder *b) {
    if (!PQsendQueryPrepared(conn, name, b ? b->count : 0, b ? b->value : NULL, b ? b->length : NULL,
                             b ? b->format : NULL, 1))
        bench_fail(PQerrorMessage(conn));
}

static void take(int statements) {
    PQpipelineSync(conn);
    for (int i = 0; i < statements; i++) {
        PGresult *result;
        while ((result = PQgetResult(conn)) != NULL) check(result, "pipeline");
    }
    PQclear(PQgetResult(conn));
}

static void apply_by_hand(hand *h) {
    crd_entry_record e;
    binder b;
    int64_t left = BENCH_PAIR_AMOUNT - ++h->done, version;
    memset(&e, 0, sizeof e);
    e.struct_size = sizeof e;
    e.type = CRD_ENTRY_APPLY;
    e.customer = h->customer;
    e.currency = "EUR";
    e.seq = e.last_seq = ++h->last_seq;
    e.instant = INSTANT;
    e.business_date = RUN_DATE;
    e.writer = 7;
    e.command = (uint64_t)h->done;
    e.amount = 1;
    e.credit_after = e.invoice_after = left;
    e.credit = e.invoice = BENCH_PAIR_ID;
    e.receipt = e.hold = e.note = e.reference = e.method = e.other_customer = e.other_id = "";
    e.actor = "bench";
    if (crd_entry_hash(&e, h->hash, e.hash) != CRD_OK) bench_fail("hash");
    version = crd_entry_version(e.hash);
    memcpy(h->hash, e.hash, 32);
    send("begin", NULL);
    b.count = 0;
    bind_text(&b, h->customer);
    bind_text(&b, "EUR");
    bind_number(&b, h->version, 8);
    bind_number(&b, version, 8);
    bind_number(&b, e.seq, 8);
    bind_bytes(&b, e.hash, 32);
    bind_number(&b, INSTANT, 8);
    bind_number(&b, left, 8);
    bind_number(&b, h->done, 8);
    bind_number(&b, RUN_DATE, 4);
    bind_text(&b, BENCH_PAIR_ID);
    send("fused", &b);
    b.count = 0;
    bind_text(&b, h->customer);
    bind_text(&b, "EUR");
    bind_number(&b, e.seq, 8);
    bind_bytes(&b, e.hash, 32);
    bind_number(&b, INSTANT, 8);
    bind_number(&b, RUN_DATE, 4);
    bind_number(&b, (int64_t)e.writer, 8);
    bind_number(&b, (int64_t)e.command, 8);
    bind_number(&b, 1, 8);
    bind_number(&b, left, 8);
    bind_text(&b, BENCH_PAIR_ID);
    send("entry", &b);
    send("commit", NULL);
    take(4);
    h->version = version;
}

static void prepare_by_hand(void) {
    check(PQprepare(conn, "begin", "BEGIN", 0, NULL), "begin");
    check(PQprepare(conn, "commit", "COMMIT", 0, NULL), "commit");
    check(PQprepare(conn, "fused", fused, 0, NULL), "fused");
    check(PQprepare(conn, "entry", entry_sql, 0, NULL), "entry");
}

static double apply_theirs(uint32_t pairs, uint32_t applies) {
    hand *list = bench_take(pairs * sizeof *list);
    double start;
    for (uint32_t n = 0; n < pairs; n++) {
        char sql[200];
        PGresult *result;
        size_t size;
        unsigned char *hash;
        memset(&list[n], 0, sizeof list[n]);
        bench_customer(list[n].customer, n);
        snprintf(sql, sizeof sql, "SELECT version,last_seq,last_hash FROM theirs.crd_account WHERE customer='%s' AND"
                                  " currency='EUR'", list[n].customer);
        result = PQexec(conn, sql);
        list[n].version = strtoll(PQgetvalue(result, 0, 0), NULL, 10);
        list[n].last_seq = strtoll(PQgetvalue(result, 0, 1), NULL, 10);
        hash = PQunescapeBytea((const unsigned char *)PQgetvalue(result, 0, 2), &size);
        memcpy(list[n].hash, hash, 32);
        PQfreemem(hash);
        PQclear(result);
    }
    PQenterPipelineMode(conn);
    for (uint32_t n = 0; n < pairs; n++) apply_by_hand(&list[n]);
    start = bench_now();
    for (uint32_t n = 0; n < applies; n++) apply_by_hand(&list[n % pairs]);
    start = (bench_now() - start) / applies;
    PQexitPipelineMode(conn);
    free(list);
    return start;
}

static double apply_ours(uint32_t pairs, uint32_t applies) {
    crd_postgres *storage = open_storage("ours");
    crd_ledger *ledger = bench_open(crd_postgres_storage(storage), NULL);
    crd_credit **credits = bench_take(pairs * sizeof *credits);
    crd_invoice **invoices = bench_take(pairs * sizeof *invoices);
    crd_request request = bench_request();
    crd_apply_terms terms;
    double start = 0;
    memset(&terms, 0, sizeof terms);
    terms.struct_size = sizeof terms;
    terms.amount = 1;
    request.business_date = RUN_DATE;
    for (uint32_t i = 0; i < pairs; i++) {
        char customer[16];
        bench_customer(customer, i);
        bench_check(ledger, crd_credit_find(ledger, customer, BENCH_PAIR_ID, &credits[i]), "find");
        bench_check(ledger, crd_invoice_find(ledger, customer, BENCH_PAIR_ID, &invoices[i]), "find");
    }
    for (uint32_t n = 0; n < pairs + applies; n++) {
        if (n == pairs) start = bench_now();
        bench_check(ledger, crd_credit_apply(ledger, &request, credits[n % pairs], invoices[n % pairs], &terms, NULL),
                    "apply");
    }
    start = (bench_now() - start) / applies;
    for (uint32_t i = 0; i < pairs; i++) {
        crd_credit_free(credits[i]);
        crd_invoice_free(invoices[i]);
    }
    free(credits);
    free(invoices);
    crd_ledger_close(ledger);
    crd_postgres_close(storage);
    return start;
}

static void fill_pairs(uint32_t pairs) {
    crd_postgres *storage;
    crd_ledger *ledger;
    drop("pairs");
    storage = open_storage("pairs");
    ledger = bench_open(crd_postgres_storage(storage), NULL);
    bench_fill_pairs(ledger, pairs);
    crd_ledger_close(ledger);
    crd_postgres_close(storage);
}

static void bench_apply(uint32_t pairs, uint32_t applies) {
    double ours[ROUNDS], theirs[ROUNDS];
    fill_pairs(pairs);
    copy_schema("pairs", "ours");
    copy_schema("pairs", "theirs");
    prepare_by_hand();
    for (int round = 0; round < ROUNDS; round++) {
        settle("ours");
        ours[round] = apply_ours(pairs, applies);
        settle("theirs");
        /* What was applied before counts as done. */
        copy_schema("pairs", "theirs");
        run("DEALLOCATE ALL");
        prepare_by_hand();
        settle("theirs");
        theirs[round] = apply_theirs(pairs, applies);
    }
    bench_report("P6 apply on PostgreSQL, one per commit", bench_median(ours, ROUNDS), bench_median(theirs, ROUNDS),
                 "ns/application");
}

/* ---- a hot account ---- */

typedef struct tally {
    volatile int go, stop;
    volatile int64_t done[WRITERS], lost[WRITERS];
} tally;

static void hot_ours(tally *t, int who, uint32_t flags) {
    crd_postgres *storage = open_flags("ours", flags);
    crd_ledger *ledger = bench_open(crd_postgres_storage(storage), NULL);
    crd_credit *credit;
    crd_invoice *invoice;
    crd_request request = bench_request();
    crd_apply_terms terms;
    memset(&terms, 0, sizeof terms);
    terms.struct_size = sizeof terms;
    terms.amount = 1;
    request.business_date = RUN_DATE;
    bench_check(ledger, crd_credit_find(ledger, "C0000000", BENCH_PAIR_ID, &credit), "find");
    bench_check(ledger, crd_invoice_find(ledger, "C0000000", BENCH_PAIR_ID, &invoice), "find");
    while (!t->go) usleep(1000);
    while (!t->stop) {
        crd_status status = crd_credit_refresh(credit);
        if (status == CRD_OK) status = crd_invoice_refresh(invoice);
        if (status == CRD_OK) status = crd_credit_apply(ledger, &request, credit, invoice, &terms, NULL);
        if (status == CRD_OK)
            t->done[who]++;
        else if (status == CRD_E_CONFLICT)
            t->lost[who]++;
        else
            bench_check(ledger, status, "apply");
    }
    crd_credit_free(credit);
    crd_invoice_free(invoice);
    crd_ledger_close(ledger);
    crd_postgres_close(storage);
    _exit(0);
}

static const char relative[] =
    "WITH a AS (UPDATE theirs.crd_account SET last_seq=last_seq+1,credit_remaining=credit_remaining-1,"
    "available=available-1,invoice_open=invoice_open-1,applied=applied+1 WHERE customer=$1 AND currency='EUR' RETURNING 1),"
    " k AS (UPDATE theirs.crd_credit SET remaining=remaining-1,applied=applied+1,last_seq=last_seq+1 WHERE customer=$1"
    " AND id=$2 AND remaining > 0 AND EXISTS (SELECT 1 FROM a) RETURNING 1),"
    " i AS (UPDATE theirs.crd_invoice SET open=open-1,applied=applied+1,last_seq=last_seq+1 WHERE customer=$1 AND id=$2"
    " AND open > 0 AND EXISTS (SELECT 1 FROM a) RETURNING 1) SELECT 1/count(*) FROM a,k,i";
static const char relative_entry[] =
    "INSERT INTO theirs.crd_entry(customer,currency,seq,type,last_seq,hash,instant,business_date,flags,writer,command,"
    "amount,credit_after,invoice_after,credit,invoice,receipt,hold,actor,note,reference,undoes,cause,figure_before,"
    "figure_after,method,other_customer,other_id,image) SELECT $1,'EUR',last_seq,3,last_seq,decode(repeat('00',32),'hex'),"
    "1700000000000000,13650,0,1,1,1,credit_remaining,invoice_open,$2,$2,'','','bench','','',0,0,0,0,'','','',''::bytea"
    " FROM theirs.crd_account WHERE customer=$1 AND currency='EUR'";

static void hot_theirs(tally *t, int who) {
    binder b;
    b.count = 0;
    connect_by_hand();
    check(PQprepare(conn, "begin", "BEGIN", 0, NULL), "begin");
    check(PQprepare(conn, "commit", "COMMIT", 0, NULL), "commit");
    check(PQprepare(conn, "relative", relative, 0, NULL), "relative");
    check(PQprepare(conn, "entry", relative_entry, 0, NULL), "entry");
    bind_text(&b, "C0000000");
    bind_text(&b, BENCH_PAIR_ID);
    PQenterPipelineMode(conn);
    while (!t->go) usleep(1000);
    while (!t->stop) {
        send("begin", NULL);
        send("relative", &b);
        send("entry", &b);
        send("commit", NULL);
        take(4);
        t->done[who]++;
    }
    PQfinish(conn);
    _exit(0);
}

/* Commands per second of all writers; *lost of them in vain. */
static double hot_run(int ours, uint32_t flags, double *lost) {
    tally *t = mmap(NULL, sizeof *t, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    double start, took, done = 0;
    memset(t, 0, sizeof *t);
    for (int who = 0; who < WRITERS; who++) {
        if (fork() != 0) continue;
        if (ours) hot_ours(t, who, flags);
        hot_theirs(t, who);
    }
    usleep(500000);
    start = bench_now();
    t->go = 1;
    usleep(3000000);
    t->stop = 1;
    took = (bench_now() - start) / 1e9;
    for (int who = 0; who < WRITERS; who++) wait(NULL);
    *lost = 0;
    for (int who = 0; who < WRITERS; who++) {
        done += (double)t->done[who];
        *lost += (double)t->lost[who];
    }
    *lost /= done + *lost;
    munmap(t, sizeof *t);
    return done / took;
}

static void bench_hot(void) {
    double ours[3], held[3], theirs[3], lost, lost_held, none;
    fill_pairs(1);
    for (int round = 0; round < 3; round++) {
        copy_schema("pairs", "ours");
        settle("ours");
        ours[round] = hot_run(1, 0, &lost);
        copy_schema("pairs", "ours");
        settle("ours");
        held[round] = hot_run(1, CRD_POSTGRES_LOCK_READS, &lost_held);
        copy_schema("pairs", "theirs");
        settle("theirs");
        theirs[round] = hot_run(0, 0, &none);
    }
    printf("a hot account, 8 writers, commands in vain: %.0f %%, with reads that lock: %.0f %%\n", 100 * lost,
           100 * lost_held);
    bench_report("P6 hot account, 8 writers (more is better)", bench_median(ours, 3), bench_median(theirs, 3), "commands/s");
    bench_report("P6 hot account, reads that lock (more is better)", bench_median(held, 3), bench_median(theirs, 3),
                 "commands/s");
}

int main(void) {
    const char *store = getenv("STORE"), *only = getenv("BENCH_ONLY");
    if (store == NULL || strcmp(store, "postgres") != 0) return 0;
    if (getenv("CREDIT_TEST_CONNINFO") == NULL) {
        printf("SKIP no PostgreSQL server (Debian: postgresql)\n");
        return 0;
    }
    connect_by_hand();
    if (only == NULL || strcmp(only, "apply") == 0) bench_apply(100, 2000);
    if (only == NULL || strcmp(only, "hot") == 0) bench_hot();
    if (only == NULL || strcmp(only, "reconcile") == 0) {
        bench_reconcile_run("P7 reconcile on PostgreSQL", bench_customers(40000), 10, 3);
        bench_reconcile_run("P7 reconcile on PostgreSQL, hot customer", 1, 2000, 1);
    }
    drop("book");
    drop("pairs");
    drop("ours");
    drop("theirs");
    PQfinish(conn);
    return 0;
}
