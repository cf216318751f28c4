/*
 * Claims about the library on the storage (L): a scenario of the public interface, on the storage under trial and in
 * memory, must leave the same book.
 */
#include "testkit_private.h"

#include <string.h>

#define KEPT (CRD__TK_MISSING | CRD__TK_STRANGE | CRD__TK_DIFFERENT)
#define NOON INT64_C(1795176000000000)
#define DAY INT64_C(86400000000)

static crd_request on_day(int day, const char *key) {
    crd_request request;
    memset(&request, 0, sizeof request);
    request.struct_size = sizeof request;
    request.actor = "conformance";
    request.key = key;
    request.instant = NOON + day * DAY;
    return request;
}

/* A ledger with a writer of its own, so that two books can be compared. The storage is not closed with it. */
static crd_status open_ledger(crd__tk *t, const crd_storage *storage, uint64_t writer, crd_ledger **out) {
    crd_ledger_options options;
    crd_storage table = *storage;
    memset(&options, 0, sizeof options);
    table.close = NULL;
    options.struct_size = sizeof options;
    options.storage = &table;
    options.allocator = &t->run->allocator;
    options.writer = writer;
    return crd_ledger_open(&options, out);
}

static crd_status add_customer(crd_ledger *ledger, const char *customer) {
    crd_request request = on_day(0, "customer");
    crd_customer_terms terms;
    memset(&terms, 0, sizeof terms);
    terms.struct_size = sizeof terms;
    terms.name = "Acme";
    return crd_customer_add(ledger, &request, customer, &terms, NULL);
}

static crd_status issue(crd_ledger *ledger, const char *customer, const char *id, uint32_t kind, int64_t amount) {
    crd_request request = on_day(1, id);
    crd_credit_terms terms;
    memset(&terms, 0, sizeof terms);
    terms.struct_size = sizeof terms;
    terms.kind = kind;
    terms.currency = "EUR";
    terms.id = id;
    terms.amount = amount;
    terms.reason = "goods returned";
    return crd_credit_issue(ledger, &request, customer, &terms, NULL);
}

static crd_status enter(crd_ledger *ledger, const char *customer, const char *id, int64_t total) {
    crd_request request = on_day(2, id);
    crd_invoice_terms terms;
    memset(&terms, 0, sizeof terms);
    terms.struct_size = sizeof terms;
    terms.kind = CRD_INVOICE_INVOICE;
    terms.currency = "EUR";
    terms.id = id;
    terms.total = total;
    return crd_invoice_enter(ledger, &request, customer, &terms, NULL);
}

static crd_status apply(crd_ledger *ledger, const char *customer, int64_t amount, int day, const char *key, int64_t *seq) {
    crd_request request = on_day(day, key);
    crd_credit *credit = NULL;
    crd_invoice *invoice = NULL;
    crd_apply_terms terms;
    crd_result result;
    crd_status status = crd_credit_find(ledger, customer, "memo", &credit);
    memset(&terms, 0, sizeof terms);
    terms.struct_size = sizeof terms;
    terms.amount = amount;
    memset(&result, 0, sizeof result);
    result.struct_size = sizeof result;
    if (status == CRD_OK) status = crd_invoice_find(ledger, customer, "bill", &invoice);
    if (status == CRD_OK) status = crd_credit_apply(ledger, &request, credit, invoice, &terms, &result);
    *seq = result.first_seq;
    crd_credit_free(credit);
    crd_invoice_free(invoice);
    return status;
}

static crd_status void_rest(crd_ledger *ledger, const char *customer) {
    crd_request request = on_day(5, "void");
    crd_credit *credit = NULL;
    crd_status status = crd_credit_find(ledger, customer, "promise", &credit);
    if (status == CRD_OK) status = crd_credit_void(ledger, &request, credit, 0, 0, NULL);
    crd_credit_free(credit);
    return status;
}

/* Every step may be done again after it failed or its outcome was not known: its request key sees to it. */
#define LAST_STEP 9
static crd_status step(crd_ledger *ledger, const char *customer, int number, int64_t *seq) {
    crd_request request = on_day(4, "undo");
    switch (number) {
    case 0: return add_customer(ledger, customer);
    case 1: return issue(ledger, customer, "memo", CRD_CREDIT_MEMO, 10000);
    case 2: return issue(ledger, customer, "promise", CRD_CREDIT_GOODWILL, 500);
    case 3: return issue(ledger, customer, "cash", CRD_CREDIT_PREPAYMENT, 2500);
    case 4: return enter(ledger, customer, "bill", 9900);
    case 5: return enter(ledger, customer, "second", 4000);
    case 6: return apply(ledger, customer, 6000, 3, "apply", seq);
    case 7: return crd_undo(ledger, &request, customer, "EUR", *seq, 1000, NULL);
    case 8: return void_rest(ledger, customer);
    default: return apply(ledger, customer, 700, 6, "apply again", seq);
    }
}

static int says_ok(crd__tk *t, crd_ledger *ledger, crd_status status, const char *what) {
    crd__tk_text text;
    const crd_error *error;
    if (status == CRD_OK) return 1;
    if (status == CRD_E_NOMEM) {
        t->nomem = 1;
        return 0;
    }
    crd__tk_clear(&text);
    crd__tk_add(&text, what);
    crd__tk_add(&text, " ended with ");
    crd__tk_add(&text, crd_status_name(status));
    error = ledger != NULL ? crd_ledger_error(ledger) : NULL;
    if (error != NULL && error->message[0] != '\0') {
        crd__tk_add(&text, ": ");
        crd__tk_add(&text, error->message);
    }
    crd__tk_fail_text(t, &text);
    return 0;
}

static int run_scenario(crd__tk *t, crd_ledger *ledger, const char *customer) {
    int64_t seq = 0;
    for (int i = 0; i <= LAST_STEP; i++) {
        crd__tk_text what;
        crd__tk_clear(&what);
        crd__tk_say(&what, "step % of the scenario", i, 0);
        if (!says_ok(t, ledger, step(ledger, customer, i, &seq), what.text)) return 0;
    }
    return 1;
}

static int run_reconcile(crd__tk *t, crd_ledger *ledger) {
    crd_request request = on_day(9, "run");
    crd_plan_spec spec;
    crd_plan_result result;
    memset(&spec, 0, sizeof spec);
    spec.struct_size = sizeof spec;
    spec.date = (int32_t)(NOON / DAY) + 9;
    memset(&result, 0, sizeof result);
    result.struct_size = sizeof result;
    return says_ok(t, ledger, crd_reconcile(ledger, &request, &spec, &result), "reconcile");
}

static int32_t CRD_CALL take_finding(void *ctx, const crd_finding *f) {
    crd__tk *t = ctx;
    crd__tk_text text;
    crd__tk_clear(&text);
    crd__tk_add(&text, "verify: ");
    crd__tk_add(&text, crd_kind_name(f->kind));
    crd__tk_add(&text, " of customer ");
    crd__tk_quote(&text, f->customer);
    crd__tk_add(&text, ", ");
    crd__tk_add(&text, f->field);
    crd__tk_add(&text, ": ");
    crd__tk_add(&text, f->message);
    crd__tk_fail_text(t, &text);
    return 0;
}

static void verify(crd__tk *t, crd_ledger *ledger) {
    crd_verify_spec spec;
    crd_status status;
    memset(&spec, 0, sizeof spec);
    spec.struct_size = sizeof spec;
    spec.ctx = t;
    spec.found = take_finding;
    status = crd_ledger_verify(ledger, &spec, NULL);
    if (status != CRD_E_CORRUPT) (void)says_ok(t, ledger, status, "verify");
}

static int32_t CRD_CALL into_model(void *sink, uint32_t kind, const void *record) {
    crd__tk *t = sink;
    crd__tk_put(t, kind, record);
    return t->nomem;
}

static void model_from(crd__tk *t, const crd_storage *storage) {
    crd_query query;
    crd_read_result result;
    crd__tk_query(t, &query, CRD__TK_ALL_KINDS, NULL);
    memset(&result, 0, sizeof result);
    result.struct_size = sizeof result;
    storage->read(storage->ctx, &query, into_model, t, &result);
}

/* The scenario for several customers and a reconcile. */
static int whole_scenario(crd__tk *t, const crd_storage *storage, uint64_t writer) {
    crd_ledger *ledger = NULL;
    int good = says_ok(t, NULL, open_ledger(t, storage, writer, &ledger), "opening a ledger");
    for (int i = 0; i < 7 && good; i++) good = run_scenario(t, ledger, crd__tk_customers[i]);
    if (good) good = run_reconcile(t, ledger);
    crd_ledger_close(ledger);
    return good;
}

static void l1_same_book(crd__tk *t) {
    crd_memory *memory = NULL;
    if (crd_memory_new(&t->run->allocator, &memory) != CRD_OK) {
        t->nomem = 1;
        return;
    }
    t->nomem = 1; /* whatever goes wrong in memory is for want of it, and not the storage's fault */
    if (whole_scenario(t, crd_memory_storage(memory), 77)) t->nomem = 0;
    if (!t->nomem && whole_scenario(t, t->storage, 77)) {
        model_from(t, crd_memory_storage(memory));
        crd__tk_compare(t, KEPT);
    }
    crd_memory_free(memory);
}

static void l2_verifies(crd__tk *t) {
    crd_ledger *ledger = NULL;
    if (!whole_scenario(t, t->storage, 77)) return;
    if (says_ok(t, NULL, open_ledger(t, t->storage, 78, &ledger), "opening a ledger")) verify(t, ledger);
    crd_ledger_close(ledger);
}

/* One customer's steps, each tried until it is done; the fault comes at call `at`. */
static int faulty_scenario(crd__tk *t, crd_ledger *ledger, const char *customer, crd_fault *fault, uint32_t kind,
                           uint64_t at) {
    int64_t seq = 0;
    (void)crd_fault_set(fault, kind, at, 0);
    for (int i = 0; i <= LAST_STEP; i++) {
        crd_status status = CRD_E_STORAGE;
        for (int attempt = 0; attempt < 4 && status != CRD_OK; attempt++) {
            status = step(ledger, customer, i, &seq);
            if (status == CRD_E_EXISTS) status = CRD_OK; /* customers and documents that were kept after all */
        }
        if (!says_ok(t, ledger, status, crd_fault_name(kind))) return 0;
    }
    return 1;
}

static void check_sum(crd__tk *t, crd_ledger *ledger, const char *customer, uint32_t kind, uint64_t at) {
    crd_credit *credit = NULL;
    int64_t applied = -1;
    if (crd_credit_find(ledger, customer, "memo", &credit) == CRD_OK) applied = crd_credit_get(credit)->applied;
    crd_credit_free(credit);
    if (applied != 5700) {
        crd__tk_text text;
        crd__tk_clear(&text);
        crd__tk_say(&text, "5700 cents were applied, and % are after call % was broken: ", applied, (int64_t)at);
        crd__tk_add(&text, crd_fault_name(kind));
        crd__tk_fail_text(t, &text);
    }
}

static void l3_faults(crd__tk *t) {
    crd_fault *fault = NULL;
    crd_ledger *ledger = NULL;
    crd_status status = crd_fault_new(t->storage, &t->run->allocator, &fault);
    if (status == CRD_OK) status = open_ledger(t, crd_fault_storage(fault), 77, &ledger);
    if (says_ok(t, NULL, status, "opening a ledger")) {
        for (uint32_t kind = CRD_FAULT_FAILED; kind < CRD_FAULT_COUNT; kind++) {
            for (uint64_t at = 1 + kind % 3; at < 20; at += 3) {
                const char *customer = crd__tk_label(t, "c", (int64_t)(kind * 100 + at));
                if (t->nomem || t->findings > 3 || !faulty_scenario(t, ledger, customer, fault, kind, at)) break;
                check_sum(t, ledger, customer, kind, at);
            }
        }
        (void)crd_fault_set(fault, CRD_FAULT_NONE, 0, 0);
        verify(t, ledger);
    }
    crd_ledger_close(ledger);
    crd_fault_free(fault);
}

static int32_t CRD_CALL take_audit(void *ctx, const crd_testkit_finding *f) {
    crd__tk *t = ctx;
    crd__tk_text text;
    crd__tk_clear(&text);
    crd__tk_add(&text, f->claim->id);
    crd__tk_add(&text, " (");
    crd__tk_add(&text, f->claim->title);
    crd__tk_add(&text, "): ");
    crd__tk_add(&text, f->evidence);
    crd__tk_fail_text(t, &text);
    return 0;
}

static void l4_audit(crd__tk *t) {
    crd_audit *audit = NULL;
    if (says_ok(t, NULL, crd_audit_new(t->storage, CRD_AUDIT_READ_BACK, &t->run->allocator, take_audit, t, &audit),
                "opening an audit") &&
        whole_scenario(t, crd_audit_storage(audit), 77)) {
        crd_ledger *ledger = NULL;
        if (says_ok(t, NULL, open_ledger(t, crd_audit_storage(audit), 78, &ledger), "opening a ledger"))
            verify(t, ledger);
        crd_ledger_close(ledger);
    }
    crd_audit_free(audit);
}

/* Two ledgers that found the same credit: the second is told. */
static void l5_two_ledgers(crd__tk *t) {
    crd_ledger *a = NULL, *b = NULL;
    crd_credit *ours = NULL, *theirs = NULL;
    crd_request request = on_day(7, NULL);
    crd_status status = open_ledger(t, t->storage, 77, &a);
    if (status == CRD_OK) status = open_ledger(t, t->storage, 78, &b);
    if (says_ok(t, NULL, status, "opening two ledgers") && run_scenario(t, a, "c1") &&
        says_ok(t, a, crd_credit_find(a, "c1", "cash", &ours), "find") &&
        says_ok(t, b, crd_credit_find(b, "c1", "cash", &theirs), "find") &&
        says_ok(t, a, crd_credit_void(a, &request, ours, 100, 0, NULL), "void by the first ledger")) {
        status = crd_credit_void(b, &request, theirs, 100, 0, NULL);
        t->nomem |= status == CRD_E_NOMEM;
        crd__tk_check(t, status == CRD_E_CONFLICT,
                      "a command on figures of before another ledger's command was not refused as a conflict");
        if (says_ok(t, b, crd_credit_refresh(theirs), "refresh"))
            (void)says_ok(t, b, crd_credit_void(b, &request, theirs, 100, 0, NULL), "void after refresh");
        verify(t, b);
    }
    crd_credit_free(ours);
    crd_credit_free(theirs);
    crd_ledger_close(a);
    crd_ledger_close(b);
}

#define CLAIM(id, needs, title, sentence, source, remedy, function)                                                    \
    { {sizeof(crd_testkit_claim), needs, id, title, sentence, source, remedy}, function }

const crd__tk_entry crd__tk_ledger_claims[] = {
    CLAIM("L1", 0, "the same book as in memory", "The same commands leave the same records.", "S1 to S8",
          "Another claim most likely says what is wrong; else run the audit shim over the same scenario.", l1_same_book),
    CLAIM("L2", 0, "verify finds nothing", "Replays the journal and compares with every field of every stored record.",
          "crd_ledger_verify", "A field that is not kept whole, or an entry that is not found.", l2_verifies),
    CLAIM("L3", 0, "no fault spends twice", "What is not known is looked up; a batch lands at most once.", "storage.h",
          "Guards must hold against a batch that is written again.", l3_faults),
    CLAIM("L4", 0, "the audit has nothing to say", "Every call keeps the contract.", "S1 to S9",
          "See the claim of the audit that is named.", l4_audit),
    CLAIM("L5", 0, "two ledgers on one storage", "Of two writers that decided on the same version, one gets a conflict.",
          "storage.h", "Compare the guard with what is stored now.", l5_two_ledgers),
};
const uint64_t crd__tk_ledger_count = sizeof crd__tk_ledger_claims / sizeof crd__tk_ledger_claims[0];
