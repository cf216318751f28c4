/*
 * Reconcile in memory, ours and by hand. See memory_work.h.
 *
 * The reference keeps no journal, checks nothing and knows customers and documents by number. It is given its
 * documents in the order in which they arrived, as the library was.
 */
#include "memory_work.h"

#include <stdlib.h>
#include <string.h>

/* One document, as a program without the library would hold it: as small as it gets, since qsort() moves it about. */
typedef struct document {
    uint32_t customer;
    int32_t is_plain; /* invoices: 0 for a finance charge; credits: 0 */
    int32_t date;
    uint32_t number; /* by arrival over both sides; the digits of its id */
    int64_t amount;
} document;

/* The documents of a book in the order of their arrival, read from the book itself. */
typedef struct documents {
    uint32_t customers;
    uint64_t count[2]; /* credits, invoices */
    document *list[2];
} documents;

/* What a run took and found. */
typedef struct outcome {
    double nanoseconds; /* per application */
    uint64_t applications;
    uint64_t hash; /* of (credit, invoice, amount) in their order */
} outcome;

crd_memory *bench_memory_book(uint32_t customers, uint32_t each) {
    crd_memory *book = NULL;
    crd_ledger *ledger;
    if (crd_memory_new(NULL, &book) != CRD_OK) bench_fail("out of memory");
    ledger = bench_open(crd_memory_storage(book), NULL);
    bench_fill(ledger, customers, each, each);
    crd_ledger_close(ledger);
    return book;
}

/* ---- reading a book ---- */

static uint32_t number_of(const char *id) {
    uint32_t number = 0;
    for (id++; *id != '\0'; id++) number = number * 10 + (uint32_t)(*id - '0');
    return number;
}

static void read_records(crd_memory *book, uint32_t kinds, crd_emit emit, void *sink) {
    const crd_storage *storage = crd_memory_storage(book);
    crd_query query;
    crd_read_result result;
    memset(&query, 0, sizeof query);
    query.struct_size = sizeof query;
    query.kinds = kinds;
    query.proof = 1;
    memset(&result, 0, sizeof result);
    result.struct_size = sizeof result;
    storage->read(storage->ctx, &query, emit, sink, &result);
    if (result.outcome != CRD_OUTCOME_DONE || result.proof != query.proof) bench_fail("the book cannot be read");
}

static int32_t CRD_CALL count_document(void *sink, uint32_t kind, const void *record) {
    documents *all = sink;
    all->customers += kind == CRD_KIND_CUSTOMER;
    all->count[0] += kind == CRD_KIND_CREDIT;
    all->count[1] += kind == CRD_KIND_INVOICE;
    (void)record;
    return 0;
}

static int32_t CRD_CALL take_document(void *sink, uint32_t kind, const void *record) {
    documents *all = sink;
    int side = kind == CRD_KIND_INVOICE;
    document *d = &all->list[side][all->count[side]++];
    if (side) {
        const crd_invoice_record *invoice = record;
        d->customer = number_of(invoice->customer);
        d->is_plain = invoice->kind != CRD_INVOICE_FINANCE_CHARGE;
        d->date = invoice->due;
        d->number = number_of(invoice->id);
        d->amount = invoice->open;
    } else {
        const crd_credit_record *credit = record;
        d->customer = number_of(credit->customer);
        d->is_plain = 0;
        d->date = credit->issued;
        d->number = number_of(credit->id);
        d->amount = credit->remaining;
    }
    return 0;
}

static int compare_arrivals(const void *a, const void *b) {
    const document *x = a, *y = b;
    return (x->number > y->number) - (x->number < y->number);
}

static void read_documents(crd_memory *book, documents *out) {
    memset(out, 0, sizeof *out);
    read_records(book, CRD_KIND_BIT_CUSTOMER | CRD_KIND_BIT_CREDIT | CRD_KIND_BIT_INVOICE, count_document, out);
    for (int side = 0; side < 2; side++) {
        out->list[side] = bench_take(out->count[side] * sizeof *out->list[side]);
        out->count[side] = 0;
    }
    read_records(book, CRD_KIND_BIT_CREDIT | CRD_KIND_BIT_INVOICE, take_document, out);
    for (int side = 0; side < 2; side++)
        qsort(out->list[side], (size_t)out->count[side], sizeof *out->list[side], compare_arrivals);
}

static void free_documents(documents *all) {
    free(all->list[0]);
    free(all->list[1]);
}

static void hash_application(outcome *run, uint32_t credit, uint32_t invoice, int64_t amount) {
    uint64_t numbers[3];
    numbers[0] = credit;
    numbers[1] = invoice;
    numbers[2] = (uint64_t)amount;
    for (int n = 0; n < 3; n++)
        for (int byte = 0; byte < 8; byte++)
            run->hash = (run->hash ^ (numbers[n] >> 8 * byte & 0xff)) * UINT64_C(1099511628211);
    run->applications++;
}

#define FNV_START UINT64_C(14695981039346656037)

/* ---- by hand ---- */

typedef struct application {
    uint32_t credit, invoice;
    int64_t amount;
} application;

typedef struct balance {
    int64_t credit, invoice;
} balance;

static int compare_documents(const void *a, const void *b) {
    const document *x = a, *y = b;
    if (x->customer != y->customer) return x->customer < y->customer ? -1 : 1;
    if (x->is_plain != y->is_plain) return x->is_plain < y->is_plain ? -1 : 1;
    if (x->date != y->date) return x->date < y->date ? -1 : 1;
    return (x->number > y->number) - (x->number < y->number);
}

static uint64_t walk(const documents *d, document *const sorted[2], application *found,
                     balance *balances) {
    uint64_t i = 0, j = 0, n = 0;
    while (i < d->count[0] && j < d->count[1]) {
        document *credit = &sorted[0][i], *invoice = &sorted[1][j];
        int64_t amount;
        if (credit->customer != invoice->customer) {
            if (credit->customer < invoice->customer)
                i++;
            else
                j++;
            continue;
        }
        amount = credit->amount < invoice->amount ? credit->amount : invoice->amount;
        found[n].credit = credit->number;
        found[n].invoice = invoice->number;
        found[n].amount = amount;
        n++;
        credit->amount -= amount;
        invoice->amount -= amount;
        balances[credit->customer].credit -= amount;
        balances[credit->customer].invoice -= amount;
        if (credit->amount == 0) i++;
        if (invoice->amount == 0) j++;
    }
    return n;
}

/* Uses up copies, made before the clock starts; and all it writes to has been touched before, so that the first
 * round does not pay for pages the later ones get for nothing. */
static outcome reconcile_by_hand(const documents *all) {
    outcome run = {0, 0, FNV_START};
    document *sorted[2];
    uint64_t room = (all->count[0] + all->count[1]) * sizeof(application), count;
    application *found = bench_take(room);
    balance *balances = bench_take(all->customers * sizeof *balances);
    double start;
    memset(found, 0, (size_t)room);
    memset(balances, 0, all->customers * sizeof *balances);
    for (int side = 0; side < 2; side++) {
        uint64_t size = all->count[side] * sizeof(document);
        sorted[side] = bench_take(size);
        memcpy(sorted[side], all->list[side], (size_t)size);
        for (uint64_t i = 0; i < all->count[side]; i++) {
            const document *d = &sorted[side][i];
            if (side == 0)
                balances[d->customer].credit += d->amount;
            else
                balances[d->customer].invoice += d->amount;
        }
    }
    start = bench_now();
    for (int side = 0; side < 2; side++)
        qsort(sorted[side], (size_t)all->count[side], sizeof(document), compare_documents);
    count = walk(all, sorted, found, balances);
    run.nanoseconds = (bench_now() - start) / (double)count;
    for (uint64_t i = 0; i < count; i++) hash_application(&run, found[i].credit, found[i].invoice, found[i].amount);
    for (uint32_t i = 0; i < all->customers; i++)
        if (balances[i].credit < 0 || balances[i].invoice < 0) bench_fail("the reference's balances are wrong");
    free(sorted[0]);
    free(sorted[1]);
    free(found);
    free(balances);
    return run;
}

/* ---- ours ---- */

static int32_t CRD_CALL take_application(void *sink, uint32_t kind, const void *record) {
    const crd_entry_record *entry = record;
    (void)kind;
    if (entry->type == CRD_ENTRY_APPLY)
        hash_application(sink, number_of(entry->credit), number_of(entry->invoice), entry->amount);
    return 0;
}

static outcome reconcile_ours(crd_memory *book) {
    outcome run = {0, 0, FNV_START};
    crd_ledger *ledger = bench_open(crd_memory_storage(book), NULL);
    crd_plan_result result;
    double start = bench_now();
    bench_reconcile(ledger, &result);
    run.nanoseconds = (bench_now() - start) / (double)result.applications;
    crd_ledger_close(ledger);
    read_records(book, CRD_KIND_BIT_ENTRY, take_application, &run);
    if (run.applications != result.applications) bench_fail("the journal has other applications than the result");
    return run;
}

uint64_t bench_reconcile_pair(crd_memory *book, double *ours, double *theirs) {
    documents all;
    outcome run[2];
    read_documents(book, &all);
    run[1] = reconcile_by_hand(&all);
    free_documents(&all);
    run[0] = reconcile_ours(book);
    if (run[0].applications != run[1].applications || run[0].hash != run[1].hash)
        bench_fail("ours and the reference did different work");
    *ours = run[0].nanoseconds;
    *theirs = run[1].nanoseconds;
    return run[0].applications;
}
