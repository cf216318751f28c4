/*
 * How fast the allocator is (goal P1), against what one would write by hand: structs, qsort() and two
 * fingers.
 *
 * The work: customers with ten credits and ten invoices each, arriving interleaved over the customers;
 * amounts of 1 to 100000 cents, dates within 3650 days, one invoice in eight a finance charge. Credits by
 * date and arrival; invoices finance charge first, due date, arrival. Ours and the reference run
 * alternately, each on a fresh copy of the input, and must find the same applications in the same order, or
 * the program fails.
 *
 * Prints one line per goal, and appends one JSON object per goal to the file that BENCH_JSON names.
 */
#define _POSIX_C_SOURCE 200809L

#include <credit/allocate.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ROUNDS 5

/* One document, as a program without the library would hold it: as small as it gets, since qsort() moves it
 * about. */
typedef struct document {
    uint32_t customer;
    int32_t is_plain; /* invoices: 0 for a finance charge; credits: 0 */
    int32_t date;
    uint32_t arrival; /* also its index */
    int64_t amount;
} document;

/* The same documents as columns. */
typedef struct columns {
    uint32_t *group;
    int32_t *keys[2];
    uint32_t *sequence;
    int64_t *amount;
} columns;

typedef struct work {
    uint64_t count[2]; /* credits, invoices */
    document *documents[2];
    document *sorted[2]; /* what the reference works on */
    columns columns[2];
    crd_allocation found;
    void *memory;
    uint64_t memory_size;
} work;

static uint64_t lcg;

static uint32_t draw(uint32_t bound) {
    lcg = lcg * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)((lcg >> 32) % bound);
}

static void *take(uint64_t count, size_t size) {
    void *block = calloc((size_t)count, size);
    if (block == NULL) {
        fprintf(stderr, "bench_allocate: out of memory\n");
        exit(EXIT_FAILURE);
    }
    return block;
}

static int compare_documents(const void *a, const void *b) {
    const document *x = a, *y = b;
    if (x->customer != y->customer) return x->customer < y->customer ? -1 : 1;
    if (x->is_plain != y->is_plain) return x->is_plain < y->is_plain ? -1 : 1;
    if (x->date != y->date) return x->date < y->date ? -1 : 1;
    return (x->arrival > y->arrival) - (x->arrival < y->arrival);
}

static void make_columns(work *w) {
    for (int side = 0; side < 2; side++) {
        columns *c = &w->columns[side];
        for (uint64_t i = 0; i < w->count[side]; i++) {
            document *d = &w->documents[side][i];
            d->arrival = (uint32_t)i;
            c->group[i] = d->customer;
            c->keys[0][i] = d->is_plain;
            c->keys[1][i] = d->date;
            c->sequence[i] = d->arrival;
            c->amount[i] = d->amount;
        }
    }
}

static void make_work(work *w, uint32_t customers, uint32_t credits, uint32_t invoices, int ordered) {
    lcg = 42;
    memset(w, 0, sizeof *w);
    for (int side = 0; side < 2; side++) {
        uint32_t each = side == 0 ? credits : invoices;
        uint64_t count = w->count[side] = (uint64_t)customers * each;
        w->documents[side] = take(count, sizeof(document));
        w->sorted[side] = take(count, sizeof(document));
        w->columns[side].group = take(count, sizeof(uint32_t));
        w->columns[side].keys[0] = take(count, sizeof(int32_t));
        w->columns[side].keys[1] = take(count, sizeof(int32_t));
        w->columns[side].sequence = take(count, sizeof(uint32_t));
        w->columns[side].amount = take(count, sizeof(int64_t));
        for (uint64_t i = 0; i < count; i++) {
            document *d = &w->documents[side][i];
            d->customer = (uint32_t)(i % customers);
            d->is_plain = side == 1 && draw(8) != 0;
            d->date = (int32_t)draw(3650);
            d->arrival = (uint32_t)i;
            d->amount = 1 + (int64_t)draw(100000);
        }
        if (ordered) qsort(w->documents[side], (size_t)count, sizeof(document), compare_documents);
    }
    make_columns(w);
    w->found.struct_size = sizeof w->found;
    w->found.capacity = w->count[0] + w->count[1];
    w->found.credit = take(w->found.capacity, sizeof(uint32_t));
    w->found.invoice = take(w->found.capacity, sizeof(uint32_t));
    w->found.amount = take(w->found.capacity, sizeof(int64_t));
    w->memory_size = crd_allocate_work_size(w->count[0], w->count[1]);
    w->memory = take(w->memory_size, 1);
}

static void free_work(work *w) {
    for (int side = 0; side < 2; side++) {
        free(w->documents[side]);
        free(w->sorted[side]);
        free(w->columns[side].group);
        free(w->columns[side].keys[0]);
        free(w->columns[side].keys[1]);
        free(w->columns[side].sequence);
        free(w->columns[side].amount);
    }
    free(w->found.credit);
    free(w->found.invoice);
    free(w->found.amount);
    free(w->memory);
}

/* Two fingers over sorted documents: the floor below which nobody gets. */
static void walk_documents(work *w, document *credits, document *invoices) {
    uint64_t i = 0, j = 0, n = 0;
    crd_allocation *found = &w->found;
    while (i < w->count[0] && j < w->count[1]) {
        document *credit = &credits[i], *invoice = &invoices[j];
        int64_t amount;
        if (credit->customer != invoice->customer) {
            if (credit->customer < invoice->customer)
                i++;
            else
                j++;
            continue;
        }
        amount = credit->amount < invoice->amount ? credit->amount : invoice->amount;
        found->credit[n] = credit->arrival;
        found->invoice[n] = invoice->arrival;
        found->amount[n] = amount;
        n++;
        credit->amount -= amount;
        invoice->amount -= amount;
        if (credit->amount == 0) i++;
        if (invoice->amount == 0) j++;
    }
    found->count = n;
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* The reference uses up the documents, so each round gets a copy, made before the clock starts. */
static double run_reference(work *w, int ordered) {
    double start;
    for (int side = 0; side < 2; side++)
        memcpy(w->sorted[side], w->documents[side], (size_t)w->count[side] * sizeof(document));
    start = now();
    for (int side = 0; side < 2 && !ordered; side++)
        qsort(w->sorted[side], (size_t)w->count[side], sizeof(document), compare_documents);
    walk_documents(w, w->sorted[0], w->sorted[1]);
    return (now() - start) / (double)w->found.count;
}

static double run_ours(work *w) {
    crd_open_items items[2];
    const int32_t *keys[2][2];
    double start;
    crd_status status;
    memset(items, 0, sizeof items);
    for (int side = 0; side < 2; side++) {
        columns *c = &w->columns[side];
        items[side].struct_size = sizeof items[side];
        keys[side][0] = side == 0 ? c->keys[1] : c->keys[0];
        keys[side][1] = c->keys[1];
        items[side].key_count = side == 0 ? 1 : 2;
        items[side].count = w->count[side];
        items[side].amount = c->amount;
        items[side].group = c->group;
        items[side].keys = keys[side];
        items[side].sequence = c->sequence;
    }
    start = now();
    status = crd_allocate(&items[0], &items[1], w->memory, w->memory_size, &w->found);
    if (status != CRD_OK) {
        fprintf(stderr, "bench_allocate: %s\n", crd_status_name(status));
        exit(EXIT_FAILURE);
    }
    return (now() - start) / (double)w->found.count;
}

/* FNV-1a over the applications in their order. */
static uint64_t hash_found(const crd_allocation *found) {
    uint64_t hash = UINT64_C(14695981039346656037);
    for (uint64_t i = 0; i < found->count; i++) {
        uint64_t numbers[3];
        numbers[0] = found->credit[i];
        numbers[1] = found->invoice[i];
        numbers[2] = (uint64_t)found->amount[i];
        for (int n = 0; n < 3; n++)
            for (int byte = 0; byte < 8; byte++)
                hash = (hash ^ (numbers[n] >> 8 * byte & 0xff)) * UINT64_C(1099511628211);
    }
    return hash;
}

static int compare_times(const void *a, const void *b) {
    const double *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static double median(double *times) {
    qsort(times, ROUNDS, sizeof *times, compare_times);
    return times[ROUNDS / 2];
}

static void report(const char *name, double ours, double reference, double goal) {
    const char *path = getenv("BENCH_JSON");
    printf("%-44s ours %7.2f  reference %7.2f ns/application  ratio %.3f  goal %.2f\n", name, ours, reference,
           ours / reference, goal);
    if (path != NULL && path[0] != '\0') {
        FILE *file = fopen(path, "a");
        if (file == NULL) {
            perror(path);
            exit(EXIT_FAILURE);
        }
        fprintf(file, "{\"name\":\"%s\",\"ours\":%.3f,\"reference\":%.3f,", name, ours, reference);
        fprintf(file, "\"unit\":\"ns/application\",\"ratio\":%.4f}\n", ours / reference);
        fclose(file);
    }
}

/* One round of both, in turn, on the same input; fails when they found anything else. */
static void measure(work *w, const char *name, int ordered, double *ours, double *theirs) {
    uint64_t count, hash;
    *theirs = run_reference(w, ordered);
    count = w->found.count;
    hash = hash_found(&w->found);
    *ours = run_ours(w);
    if (count != w->found.count || hash != hash_found(&w->found)) {
        fprintf(stderr, "bench_allocate: %s: ours and the reference differ\n", name);
        exit(EXIT_FAILURE);
    }
}

#define SHAPES 3

int main(void) {
    static const struct shape {
        const char *name;
        uint32_t customers, each; /* credits, and as many invoices */
        int ordered;
        double goal;
    } shapes[SHAPES] = {
        {"P1 allocate 10^6, qsort + two fingers", 50000, 10, 0, 0.5},
        {"P1 allocate 10^6 in order, ordered floor", 50000, 10, 1, 3.0},
        {"P1 allocate 10^6 hot, qsort + two fingers", 1, 500000, 0, 0.5},
    };
    work works[SHAPES];
    double ours[SHAPES][ROUNDS], theirs[SHAPES][ROUNDS], our_median[SHAPES];
    for (int s = 0; s < SHAPES; s++)
        make_work(&works[s], shapes[s].customers, shapes[s].each, shapes[s].each, shapes[s].ordered);
    for (int round = 0; round < ROUNDS; round++)
        for (int s = 0; s < SHAPES; s++)
            measure(&works[s], shapes[s].name, shapes[s].ordered, &ours[s][round], &theirs[s][round]);
    for (int s = 0; s < SHAPES; s++) {
        our_median[s] = median(ours[s]);
        report(shapes[s].name, our_median[s], median(theirs[s]), shapes[s].goal);
        free_work(&works[s]);
    }
    report("P1 allocate 10^6 hot, our standard shape", our_median[2], our_median[0], 1.0);
    return EXIT_SUCCESS;
}
