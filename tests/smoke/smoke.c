/*
 * The library in one program that needs nothing but it and a C compiler: for machines where the check framework is
 * missing, and for vendored copies. Issues, enters, applies, holds, refunds, undoes, reconciles, verifies; what is done
 * and how much is drawn from a seed. Prints what it did and one number over all records and the journal's hashes: equal
 * seeds give equal numbers on every machine, compiler and data model.
 *
 *     smoke [SEED [STEPS]]
 *
 * A line "smoke: …" on stderr and exit status 1 when something is wrong.
 */
#include <credit.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CUSTOMERS 5
#define DOCS 400

static const char *const currencies[] = {"EUR", "JPY"};

static crd_memory *memory;
static crd_ledger *ledger;
static uint64_t seed = 1;
static int32_t today = 20000;
static unsigned done, refused, credits, invoices;
static unsigned char bytes[4096];

/* A generator of its own: rand() differs from one C library to the next. */
static uint32_t draw(uint32_t below) {
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(seed >> 33) % below;
}

static void fail(const char *what, int status) {
    fprintf(stderr, "smoke: %s: %d %s %s\n", what, status, crd_status_name((crd_status)status),
            ledger != NULL ? crd_ledger_error(ledger)->message : "");
    exit(1);
}

/* A command may be refused for what the draw asked of it; anything else is a failure. */
static int did(const char *what, crd_status status) {
    static const crd_status expected[] = {CRD_E_STATE, CRD_E_CREDIT_AMOUNT, CRD_E_INVOICE_AMOUNT, CRD_E_NOTHING,
                                          CRD_E_IN_USE, CRD_E_NOT_REFUNDABLE, CRD_E_EXPIRED, CRD_E_CURRENCY,
                                          CRD_E_CUSTOMER, CRD_E_DATE, CRD_E_NOT_FOUND, CRD_E_RESTRICTED};
    size_t i;
    if (status == CRD_OK) {
        done++;
        return 1;
    }
    for (i = 0; i < sizeof expected / sizeof *expected; i++)
        if (status == expected[i]) {
            refused++;
            return 0;
        }
    fail(what, status);
    return 0;
}

static const crd_request *now(void) {
    static crd_request request;
    memset(&request, 0, sizeof request);
    request.struct_size = sizeof request;
    request.actor = "smoke";
    request.instant = (int64_t)today * INT64_C(86400000000) + (int64_t)(done + refused) * 1000;
    return &request;
}

static const char *id_of(char letter, unsigned number) {
    static char ids[4][16];
    static unsigned next;
    char *id = ids[next++ % 4], *at = id + 12;
    *at = 0;
    do *--at = (char)('0' + number % 10); while ((number /= 10) != 0);
    *--at = letter;
    return at;
}

static const char *customer(void) {
    return id_of('c', draw(CUSTOMERS));
}

static void issue(void) {
    static const uint32_t kinds[] = {CRD_CREDIT_MEMO, CRD_CREDIT_PREPAYMENT, CRD_CREDIT_GOODWILL,
                                     CRD_CREDIT_UNAPPLIED_CASH};
    crd_credit_terms terms;
    if (credits == DOCS) return;
    memset(&terms, 0, sizeof terms);
    terms.struct_size = sizeof terms;
    terms.kind = kinds[draw(4)];
    terms.currency = currencies[draw(2)];
    terms.id = id_of('k', credits++);
    terms.amount = 1 + (int64_t)draw(100000);
    terms.reason = "goods returned \xc3\xa9";
    if (draw(4) == 0) terms.expires = today + 1 + (int32_t)draw(60);
    (void)did("issue", crd_credit_issue(ledger, now(), customer(), &terms, NULL));
}

static void enter(void) {
    crd_invoice_terms terms;
    if (invoices == DOCS) return;
    memset(&terms, 0, sizeof terms);
    terms.struct_size = sizeof terms;
    terms.kind = CRD_INVOICE_INVOICE;
    terms.currency = currencies[draw(2)];
    terms.id = id_of('i', invoices++);
    terms.total = 1 + (int64_t)draw(150000);
    terms.due = today + 30;
    (void)did("enter", crd_invoice_enter(ledger, now(), customer(), &terms, NULL));
}

/* Finds a document of some customer; NULL when the draw named another's. */
static crd_credit *some_credit(const char **whose) {
    crd_credit *credit;
    *whose = customer();
    return credits > 0 && did("find", crd_credit_find(ledger, *whose, id_of('k', draw(credits)), &credit)) ? credit : NULL;
}

static void apply(void) {
    crd_apply_terms terms;
    crd_invoice *invoice;
    crd_result result;
    const char *whose;
    crd_credit *credit = some_credit(&whose);
    if (credit != NULL && invoices > 0 &&
        did("find", crd_invoice_find(ledger, whose, id_of('i', draw(invoices)), &invoice))) {
        memset(&terms, 0, sizeof terms);
        terms.struct_size = sizeof terms;
        terms.flags = draw(2) ? CRD_APPLY_CLAMP : 0;
        terms.amount = 1 + (int64_t)draw(50000);
        memset(&result, 0, sizeof result);
        result.struct_size = sizeof result;
        if (did("apply", crd_credit_apply(ledger, now(), credit, invoice, &terms, &result)) && draw(5) == 0)
            (void)did("undo", crd_undo(ledger, now(), whose, crd_credit_get(credit)->currency, result.first_seq, 0, NULL));
        crd_invoice_free(invoice);
    }
    crd_credit_free(credit);
}

static void hold(void) {
    crd_hold_terms terms;
    crd_hold *held = NULL;
    const char *whose;
    crd_credit *credit = some_credit(&whose);
    if (credit != NULL) {
        memset(&terms, 0, sizeof terms);
        terms.struct_size = sizeof terms;
        terms.flags = CRD_APPLY_CLAMP;
        terms.amount = 1 + (int64_t)draw(2000);
        if (did("hold", crd_credit_hold(ledger, now(), credit, NULL, &terms, &held)) && draw(2))
            (void)did("release", crd_hold_release(ledger, now(), held, 0, NULL));
        crd_hold_free(held);
    }
    crd_credit_free(credit);
}

static void give_out(void) {
    crd_refund_terms terms;
    const char *whose;
    crd_credit *credit = some_credit(&whose);
    if (credit != NULL) {
        memset(&terms, 0, sizeof terms);
        terms.struct_size = sizeof terms;
        terms.amount = 1 + (int64_t)draw(5000);
        terms.method = "cash";
        (void)did("refund", crd_credit_refund(ledger, now(), credit, &terms, NULL));
        if (draw(3) == 0) (void)did("void", crd_credit_void(ledger, now(), credit, 1 + (int64_t)draw(500), 0, NULL));
    }
    crd_credit_free(credit);
}

static void reconcile(void) {
    crd_plan_spec spec;
    memset(&spec, 0, sizeof spec);
    spec.struct_size = sizeof spec;
    spec.flags = draw(2) ? CRD_PLAN_USE_CASH : 0;
    spec.date = today;
    (void)did("sweep", crd_sweep(ledger, now(), NULL, NULL));
    (void)did("reconcile", crd_reconcile(ledger, now(), &spec, NULL));
}

/* ---- what came of it ---- */

typedef struct sum {
    uint64_t hash;    /* FNV-1a over the encoded records, in the order of the storage */
    uint64_t records;
    uint64_t entries;
    uint8_t last[32]; /* hash of the last entry */
} sum;

static int32_t CRD_CALL add(void *sink, uint32_t kind, const void *record) {
    sum *s = (sum *)sink; /* the cast is for C++ */
    uint64_t size, i;
    if (crd_record_encode(kind, record, bytes, sizeof bytes, &size) != CRD_OK) fail("encode", CRD_E_CORRUPT);
    for (i = 0; i < size; i++) s->hash = (s->hash ^ bytes[i]) * UINT64_C(1099511628211);
    s->records++;
    if (kind == CRD_KIND_ENTRY) {
        s->entries++;
        memcpy(s->last, ((const crd_entry_record *)record)->hash, 32);
        for (i = 0; i < 32; i++) s->hash = (s->hash ^ s->last[i]) * UINT64_C(1099511628211);
    }
    return 0;
}

static void print_hex(const char *label, uint64_t number) {
    int shift;
    printf("%s", label);
    for (shift = 60; shift >= 0; shift -= 4) putchar("0123456789abcdef"[number >> shift & 15]);
}

static void look(void) {
    crd_query query;
    crd_read_result result;
    crd_verify_result verified;
    const crd_storage *storage = crd_memory_storage(memory);
    crd_status status;
    sum s;
    memset(&verified, 0, sizeof verified);
    verified.struct_size = sizeof verified;
    status = crd_ledger_verify(ledger, NULL, &verified);
    if (status != CRD_OK) fail("verify", status);
    memset(&s, 0, sizeof s);
    s.hash = UINT64_C(14695981039346656037);
    memset(&query, 0, sizeof query);
    query.struct_size = sizeof query;
    query.kinds = ~(uint32_t)0;
    query.proof = 42;
    memset(&result, 0, sizeof result);
    result.struct_size = sizeof result;
    storage->read(storage->ctx, &query, add, &s, &result);
    if (result.proof != 42 || result.outcome != CRD_OUTCOME_DONE) fail("read", CRD_E_STORAGE);
    if (s.entries != verified.entries) fail("verify saw other entries", CRD_E_CORRUPT);
    printf("%u done, %u refused, %u records, %u entries", done, refused, (unsigned)s.records, (unsigned)s.entries);
    print_hex(", journal ", s.hash);
    printf("\n");
}

int main(int argc, char **argv) {
    unsigned steps = argc > 2 ? (unsigned)atoi(argv[2]) : 2000, i;
    char text[CRD_MONEY_TEXT];
    crd_ledger_options options;
    crd_status status;
    if (argc > 1) seed = (uint64_t)atoi(argv[1]);
    printf("libcredit %s, %d-bit, seed %u: ", crd_version_text(), (int)(8 * sizeof(void *)), (unsigned)seed);
    if (crd_version() != CRD_VERSION) fail("header and library differ", CRD_E_ARGUMENT);
    if (crd_money_format(INT64_MIN, 2, text, sizeof text) != CRD_OK || strcmp(text, "-92233720368547758.08") != 0)
        fail("money", CRD_E_OVERFLOW);
    if ((status = crd_memory_new(NULL, &memory)) != CRD_OK) fail("memory", status);
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    options.storage = crd_memory_storage(memory);
    options.writer = 7; /* else the storage's own, which no two runs share */
    if ((status = crd_ledger_open(&options, &ledger)) != CRD_OK) fail("open", status);
    for (i = 0; i < CUSTOMERS; i++) (void)did("customer", crd_customer_add(ledger, now(), id_of('c', i), NULL, NULL));
    for (i = 0; i < steps; i++) {
        uint32_t what = draw(20);
        if (what < 5) issue();
        else if (what < 10) enter();
        else if (what < 15) apply();
        else if (what < 17) hold();
        else if (what < 19) give_out();
        else today++;
        if (i % 200 == 199) reconcile();
    }
    look();
    crd_ledger_close(ledger);
    crd_memory_free(memory);
    return 0;
}
