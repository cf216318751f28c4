/*
 * The storage in memory: how fast it reconciles (goal P2), what it costs in bytes, and what one application costs
 * (goal P3).
 *
 * Reconcile is measured against sorted structs and two fingers, which must find the same applications in the same
 * order. A round needs a book of its own, since reconciling uses it up; filling it is not measured.
 *
 * The bytes of documents and of entries are told apart by a storage that stands between the ledger and the memory
 * and keeps only some kinds of record: the same book is filled without documents and entries, with documents, and
 * with both.
 *
 * BENCH_LONG adds the books of 10^7 documents to reconcile, which needs some 8 GB, and of 10^6 to apply in.
 */
#include "memory_work.h"
#include "pairs.h"

#include "../../lib/core/blake2b.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- P2: reconcile ---- */

static double reconcile(const char *name, uint32_t customers, uint32_t each, int rounds) {
    double ours[ROUNDS], theirs[ROUNDS], median;
    for (int round = 0; round < rounds; round++) {
        crd_memory *book = bench_memory_book(customers, each);
        bench_reconcile_pair(book, &ours[round], &theirs[round]);
        crd_memory_free(book);
    }
    median = bench_median(ours, rounds);
    bench_report(name, median, bench_median(theirs, rounds), "ns/application");
    return median;
}

static void bench_speed(void) {
    uint32_t small = bench_customers(100000);
    double at_5 = reconcile("P2 reconcile in memory, 10^5", small, 10, ROUNDS), later;
    reconcile("P2 reconcile in memory, 10^5 hot", 1, 10 * small, ROUNDS);
    later = reconcile("P2 reconcile in memory, 10^6", 10 * small, 10, 1);
    bench_report("P2 reconcile in memory, 10^6 against 10^5", later, at_5, "ns/application");
    if (getenv("BENCH_LONG") == NULL) return;
    later = reconcile("P2 reconcile in memory, 10^7", 100 * small, 10, 1);
    bench_report("P2 reconcile in memory, 10^7 against 10^5", later, at_5, "ns/application");
}

/* What an entry's hash costs: encoded and hashed, against the hash of as many bytes. The previous hash goes in, as
 * in a chain, so that neither can begin before the one before it is done. */
static void bench_chain(void) {
    enum { COUNT = 200000, BYTES = 113 };
    double ours[ROUNDS], theirs[ROUNDS];
    uint8_t bytes[BYTES], previous[32];
    crd_entry_record entry;
    memset(&entry, 0, sizeof entry);
    entry.struct_size = sizeof entry;
    entry.type = CRD_ENTRY_APPLY;
    entry.customer = "C0000001";
    entry.currency = "EUR";
    entry.instant = INSTANT;
    entry.business_date = RUN_DATE;
    entry.writer = UINT64_C(0x1234567890abcdef);
    entry.seq = 7;
    entry.command = 7;
    entry.amount = entry.credit_after = entry.invoice_after = 50000;
    entry.credit = "D00000001";
    entry.invoice = "D00000002";
    entry.receipt = "~EUR21";
    entry.actor = "bench";
    entry.hold = entry.note = entry.reference = entry.method = entry.other_customer = entry.other_id = "";
    memset(bytes, 1, sizeof bytes);
    memset(previous, 1, sizeof previous);
    for (int round = 0; round < ROUNDS; round++) {
        double start = bench_now();
        for (int i = 0; i < COUNT; i++)
            if (crd_entry_hash(&entry, previous, previous) != CRD_OK) bench_fail("an entry has no hash");
        ours[round] = (bench_now() - start) / COUNT;
        start = bench_now();
        for (int i = 0; i < COUNT; i++) crd__blake2b_256(bytes, bytes, sizeof bytes);
        theirs[round] = (bench_now() - start) / COUNT;
    }
    bench_report("P2 encode and hash an entry, bare hash", bench_median(ours, ROUNDS), bench_median(theirs, ROUNDS),
                 "ns/entry");
}

/* ---- P3: bytes ---- */

/* A storage that counts its calls and keeps only some kinds. */
typedef struct filter {
    const crd_storage *below;
    uint32_t kinds; /* set of CRD_KIND_BIT_… */
    uint64_t reads, writes;
    const crd_change **changes;
    crd_storage table;
} filter;

static void CRD_CALL filter_read(void *ctx, const crd_query *query, crd_emit emit, void *sink, crd_read_result *out) {
    filter *f = ctx;
    f->reads++;
    f->below->read(f->below->ctx, query, emit, sink, out);
}

static void CRD_CALL filter_write(void *ctx, const crd_batch *batch, crd_write_result *out) {
    filter *f = ctx;
    crd_batch less = *batch;
    f->writes++;
    less.change_count = 0;
    less.changes = f->changes;
    for (uint64_t i = 0; i < batch->change_count; i++)
        if ((f->kinds & UINT32_C(1) << batch->changes[i]->kind) != 0)
            f->changes[less.change_count++] = batch->changes[i];
    f->below->write(f->below->ctx, &less, out);
}

static uint64_t CRD_CALL filter_writer(void *ctx) {
    filter *f = ctx;
    return f->below->new_writer(f->below->ctx);
}

static void filter_open(filter *f, crd_memory *memory, uint32_t kinds) {
    memset(f, 0, sizeof *f);
    f->below = crd_memory_storage(memory);
    f->kinds = kinds;
    f->changes = bench_take(CRD_MAX_CHANGES * sizeof(crd_change *));
    f->table = *f->below;
    f->table.ctx = f;
    f->table.read = filter_read;
    f->table.write = filter_write;
    f->table.close = NULL;
    f->table.flags_now = NULL;
    f->table.new_writer = f->below->new_writer != NULL ? filter_writer : NULL;
}

static void filter_close(filter *f) {
    free(f->changes);
}

static uint64_t used_by(uint32_t customers, uint32_t kinds) {
    crd_memory *memory = NULL;
    crd_ledger *ledger;
    filter f;
    uint64_t used;
    if (crd_memory_new(NULL, &memory) != CRD_OK) bench_fail("out of memory");
    filter_open(&f, memory, kinds);
    ledger = bench_open(&f.table, NULL);
    bench_fill(ledger, customers, 10, 10);
    crd_ledger_close(ledger);
    used = crd_memory_used(memory);
    filter_close(&f);
    crd_memory_free(memory);
    return used;
}

static void bench_bytes(uint32_t customers) {
    uint32_t holders = CRD_KIND_BIT_ACCOUNT | CRD_KIND_BIT_CUSTOMER;
    uint32_t documents = CRD_KIND_BIT_CREDIT | CRD_KIND_BIT_INVOICE;
    double accounts = (double)used_by(customers, holders);
    double with_documents = (double)used_by(customers, holders | documents);
    double all = (double)used_by(customers, holders | documents | CRD_KIND_BIT_ENTRY);
    bench_report("P3 customer and account, in memory", accounts / customers, 0, "bytes");
    bench_report("P3 document with its id, goal", (with_documents - accounts) / (20.0 * customers), 200, "bytes");
    bench_report("P3 entry with a document's image, goal", (all - with_documents) / (21.0 * customers), 100, "bytes");
}

/* ---- P3: apply ---- */

/* In each account one large credit and one large invoice. */
typedef struct pairs {
    uint32_t count;
    uint32_t *order; /* in which they are applied: any but that of memory */
    crd_credit **credits;
    crd_invoice **invoices;
} pairs;

static void open_pairs(pairs *p, crd_ledger *ledger, uint32_t count) {
    uint64_t random = 42;
    p->count = count;
    p->order = bench_take(count * sizeof *p->order);
    p->credits = bench_take(count * sizeof *p->credits);
    p->invoices = bench_take(count * sizeof *p->invoices);
    bench_fill_pairs(ledger, count);
    for (uint32_t i = 0; i < count; i++) {
        char customer[16];
        bench_customer(customer, i);
        bench_check(ledger, crd_credit_find(ledger, customer, BENCH_PAIR_ID, &p->credits[i]), "find");
        bench_check(ledger, crd_invoice_find(ledger, customer, BENCH_PAIR_ID, &p->invoices[i]), "find");
        p->order[i] = i;
    }
    for (uint32_t i = count - 1; i > 0; i--) {
        uint32_t other, kept = p->order[i];
        random = random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        other = (uint32_t)((random >> 32) % (i + 1));
        p->order[i] = p->order[other];
        p->order[other] = kept;
    }
}

static void close_pairs(pairs *p) {
    for (uint32_t i = 0; i < p->count; i++) {
        crd_credit_free(p->credits[i]);
        crd_invoice_free(p->invoices[i]);
    }
    free(p->order);
    free(p->credits);
    free(p->invoices);
}

static void apply_once(crd_ledger *ledger, const pairs *p, uint32_t n) {
    uint32_t i = p->order[n % p->count];
    crd_request request = bench_request();
    crd_apply_terms terms;
    memset(&terms, 0, sizeof terms);
    terms.struct_size = sizeof terms;
    terms.amount = 1 + n % 7;
    request.business_date = RUN_DATE;
    bench_check(ledger, crd_credit_apply(ledger, &request, p->credits[i], p->invoices[i], &terms, NULL), "apply");
}

/* By hand: documents by 64-bit id in a hash with open addressing, two structs updated. */
typedef struct slot {
    uint64_t id; /* 0: empty */
    int64_t open, applied;
} slot;

typedef struct table {
    slot *slots;
    uint64_t mask;
} table;

static slot *find_slot(const table *t, uint64_t id) {
    uint64_t at = (id * UINT64_C(0x9e3779b97f4a7c15)) >> 20 & t->mask;
    while (t->slots[at].id != id && t->slots[at].id != 0) at = (at + 1) & t->mask;
    return &t->slots[at];
}

static uint64_t slot_id(uint32_t pair, int is_invoice) {
    return 2 * (uint64_t)pair + (uint64_t)is_invoice + 1;
}

static void open_table(table *t, uint32_t count) {
    uint64_t size = 4;
    while (size < 4 * (uint64_t)count) size *= 2;
    t->slots = bench_take(size * sizeof *t->slots);
    t->mask = size - 1;
    memset(t->slots, 0, size * sizeof *t->slots);
    for (uint32_t i = 0; i < 2 * count; i++) {
        slot *s = find_slot(t, slot_id(i / 2, i % 2 != 0));
        s->id = slot_id(i / 2, i % 2 != 0);
        s->open = BENCH_PAIR_AMOUNT;
    }
}

static void apply_by_hand(const table *t, const pairs *p, uint32_t n) {
    uint32_t i = p->order[n % p->count];
    slot *credit = find_slot(t, slot_id(i, 0)), *invoice = find_slot(t, slot_id(i, 1));
    int64_t amount = 1 + n % 7;
    if (credit->open < amount || invoice->open < amount) bench_fail("the reference has nothing to apply");
    credit->open -= amount;
    credit->applied += amount;
    invoice->open -= amount;
    invoice->applied += amount;
}

static void compare_pairs(const table *t, const pairs *p) {
    for (uint32_t i = 0; i < p->count; i++)
        if (crd_credit_get(p->credits[i])->remaining != find_slot(t, slot_id(i, 0))->open ||
            crd_invoice_get(p->invoices[i])->open != find_slot(t, slot_id(i, 1))->open)
            bench_fail("ours and the reference did different work");
}

static uint64_t heap_calls;

static void *CRD_CALL counted_resize(void *ctx, void *block, uint64_t size) {
    (void)ctx;
    heap_calls++;
    return realloc(block, (size_t)size);
}

static void CRD_CALL counted_release(void *ctx, void *block) {
    (void)ctx;
    heap_calls += block != NULL;
    free(block);
}

static void bench_apply(const char *name, uint32_t documents) {
    uint32_t count = documents / 2, each = count < 200000 ? 200000 : count, n[2] = {0, 0};
    double ours[ROUNDS], theirs[ROUNDS];
    crd_memory *memory = NULL;
    crd_ledger *ledger;
    pairs p;
    table t;
    if (crd_memory_new(NULL, &memory) != CRD_OK) bench_fail("out of memory");
    ledger = bench_open(crd_memory_storage(memory), NULL);
    open_pairs(&p, ledger, count);
    open_table(&t, count);
    for (int round = 0; round < ROUNDS; round++) {
        double start = bench_now();
        for (uint32_t i = 0; i < each; i++) apply_once(ledger, &p, n[0]++);
        ours[round] = (bench_now() - start) / each;
        start = bench_now();
        for (uint32_t i = 0; i < each; i++) apply_by_hand(&t, &p, n[1]++);
        theirs[round] = (bench_now() - start) / each;
    }
    compare_pairs(&t, &p);
    bench_report(name, bench_median(ours, ROUNDS), bench_median(theirs, ROUNDS), "ns/apply");
    free(t.slots);
    close_pairs(&p);
    crd_ledger_close(ledger);
    crd_memory_free(memory);
}

/* What an apply calls, once everything has grown to its size; and the bytes of the entry it leaves. */
static void bench_calls(void) {
    enum { COUNT = 1000, WARM = 20 * COUNT, APPLIES = 100000 };
    crd_allocator allocator;
    crd_memory *memory = NULL;
    crd_ledger *ledger;
    filter f;
    pairs p;
    uint32_t n = 0;
    uint64_t heap, reads, writes, used;
    memset(&allocator, 0, sizeof allocator);
    allocator.struct_size = sizeof allocator;
    allocator.resize = counted_resize;
    allocator.release = counted_release;
    if (crd_memory_new(&allocator, &memory) != CRD_OK) bench_fail("out of memory");
    filter_open(&f, memory, UINT32_MAX);
    ledger = bench_open(&f.table, &allocator);
    open_pairs(&p, ledger, COUNT);
    while (n < WARM) apply_once(ledger, &p, n++);
    heap = heap_calls;
    reads = f.reads;
    writes = f.writes;
    used = crd_memory_used(memory);
    while (n < WARM + APPLIES) apply_once(ledger, &p, n++);
    bench_report("P3 heap calls per apply, goal", (double)(heap_calls - heap) / APPLIES, 0, "calls");
    bench_report("P3 reads per apply, goal", (double)(f.reads - reads) / APPLIES, 0, "calls");
    bench_report("P3 writes per apply, goal", (double)(f.writes - writes) / APPLIES, 1, "calls");
    bench_report("P3 entry of an apply, goal", (double)(crd_memory_used(memory) - used) / APPLIES, 100, "bytes");
    close_pairs(&p);
    crd_ledger_close(ledger);
    filter_close(&f);
    crd_memory_free(memory);
}

int main(void) {
    const char *store = getenv("STORE");
    uint32_t customers = bench_customers(100000);
    if (store != NULL && store[0] != '\0' && strcmp(store, "memory") != 0) return 0;
    bench_speed();
    bench_chain();
    bench_bytes(customers);
    bench_calls();
    bench_apply("P3 apply, 10^5 documents", 20 * customers);
    if (getenv("BENCH_LONG") != NULL) bench_apply("P3 apply, 10^6 documents", 200 * customers);
    return 0;
}
