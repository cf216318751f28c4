/*
 * What the workers were told, against what is kept. The sums are added up here from the journal as the storage emits
 * it, so that a library that deceives itself is not asked for its own opinion.
 */
#include "race/race.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

#define SHOWN 10 /* of what is wrong in one way, the rest is counted */

/* A request key, or a document with what the journal did to it: nodes of a binary tree, freed with the process. */
typedef struct node {
    char *name;
    int64_t first, last, amount, applied;
} node;

typedef struct bench {
    void *keys, *credits, *invoices, *applications;
    uint64_t entries;
} bench;

static int by_name(const void *a, const void *b) {
    return strcmp(((const node *)a)->name, ((const node *)b)->name);
}

static char *copy(const char *text) {
    size_t size = strlen(text) + 1;
    char *to = malloc(size);
    if (to == NULL) abort();
    return memcpy(to, text, size);
}

/* The node of a name, made when `make`; else NULL when there is none. */
static node *named(void **tree, const char *name, int make) {
    node probe, *n, **found;
    probe.name = copy(name);
    found = tfind(&probe, tree, by_name);
    if (found != NULL || !make) {
        free(probe.name);
        return found != NULL ? *found : NULL;
    }
    n = calloc(1, sizeof *n);
    if (n == NULL) abort();
    n->name = probe.name;
    if (tsearch(n, tree, by_name) == NULL) abort();
    return n;
}

static node *document(void **tree, const char *customer, const char *id) {
    char name[2 * CRD_MAX_ID + 2];
    snprintf(name, sizeof name, "%s %s", customer, id);
    return named(tree, name, 1);
}

/* What is applied of a document: Σ APPLY − Σ UNAPPLY of the entries that name it. */
static void count_entry(bench *b, const crd_entry_record *e) {
    int64_t amount = e->type == CRD_ENTRY_APPLY ? e->amount : e->type == CRD_ENTRY_UNAPPLY ? -e->amount : 0;
    b->entries++;
    if (amount == 0) return;
    if (e->credit[0] != '\0') document(&b->credits, e->customer, e->credit)->applied += amount;
    if (e->invoice[0] != '\0') document(&b->invoices, e->customer, e->invoice)->applied += amount;
}

static int32_t CRD_CALL emit(void *sink, uint32_t kind, const void *record) {
    bench *b = sink;
    if (kind == CRD_KIND_REQUEST) {
        const crd_request_record *r = record;
        node *n = named(&b->keys, r->request_key, 1);
        n->first = r->first_seq;
        n->last = r->last_seq;
    } else if (kind == CRD_KIND_CREDIT) {
        const crd_credit_record *c = record;
        document(&b->credits, c->customer, c->id)->amount = c->original;
    } else if (kind == CRD_KIND_INVOICE) {
        const crd_invoice_record *i = record;
        document(&b->invoices, i->customer, i->id)->amount = i->total;
    } else if (kind == CRD_KIND_ENTRY) {
        count_entry(b, record);
    }
    return 0;
}

static int read_all(store *s, bench *b) {
    const crd_storage *table = store_table(s);
    crd_query query;
    crd_read_result result;
    memset(&query, 0, sizeof query);
    memset(&result, 0, sizeof result);
    query.struct_size = sizeof query;
    result.struct_size = sizeof result;
    query.proof = 7;
    query.kinds = CRD_KIND_BIT_REQUEST | CRD_KIND_BIT_CREDIT | CRD_KIND_BIT_INVOICE | CRD_KIND_BIT_ENTRY;
    table->read(table->ctx, &query, emit, b, &result);
    if (result.outcome == CRD_OUTCOME_DONE && result.proof == 7) return 1;
    printf("race: cannot read the book: %s\n", result.host_text);
    return 0;
}

static const char *overdrawn_kind;
static int overdrawn;

/* twalk() hands no context. */
static void look(const void *at, VISIT visit, int depth) {
    const node *n = *(node *const *)at;
    (void)depth;
    if (visit != postorder && visit != leaf) return;
    if (n->applied >= 0 && n->applied <= n->amount) return;
    printf("race: %s %s of %lld has %lld applied\n", overdrawn_kind, n->name, (long long)n->amount,
           (long long)n->applied);
    overdrawn++;
}

static int over_applied(bench *b) {
    overdrawn = 0;
    overdrawn_kind = "credit";
    twalk(b->credits, look);
    overdrawn_kind = "invoice";
    twalk(b->invoices, look);
    return overdrawn;
}

typedef struct tally {
    unsigned long acknowledged, refused, conflicts_given_up, open, conflicts, lost, undue, runs;
} tally;

static void judge_line(bench *b, const char *line, tally *t) {
    char key[CRD_MAX_ID + 1], customer[64], text[64];
    long long first, last;
    unsigned long n;
    const node *kept;
    if (sscanf(line, "+ %63s %63s %lld %lld", key, customer, &first, &last) == 4) {
        kept = named(&b->keys, key, 0);
        t->acknowledged++;
        if (kept != NULL && kept->first == first && kept->last == last) return;
        if (t->lost++ < SHOWN) printf("race: %s was acknowledged as entries %lld to %lld, and is %s\n", key, first, last,
               kept == NULL ? "lost" : "others");
    } else if (sscanf(line, "- %63s %63s %63s", key, customer, text) == 3) {
        t->refused++;
        t->conflicts_given_up += strcmp(text, crd_status_name(CRD_E_CONFLICT)) == 0;
        if (named(&b->keys, key, 0) == NULL) return;
        if (t->undue++ < SHOWN) printf("race: %s was refused (%s), and is kept\n", key, text);
    } else if (sscanf(line, "? %63s", key) == 1) {
        t->open++;
    } else if (sscanf(line, "c %lu", &n) == 1) {
        t->conflicts += n;
    } else if (line[0] == 'r') {
        t->runs++;
    }
}

static int32_t CRD_CALL print_finding(void *ctx, const crd_finding *f) {
    (void)ctx;
    printf("race: verify: %s %s %s entry %lld %s: %s, stored %lld, expected %lld\n", f->customer, f->currency, f->id,
           (long long)f->seq, f->field, f->message, (long long)f->stored, (long long)f->expected);
    return 0;
}

static uint64_t verify(store *s) {
    crd_verify_spec spec;
    crd_verify_result result;
    crd_ledger *ledger = race_ledger(s);
    crd_status status;
    memset(&spec, 0, sizeof spec);
    memset(&result, 0, sizeof result);
    spec.struct_size = sizeof spec;
    spec.found = print_finding;
    result.struct_size = sizeof result;
    status = ledger != NULL ? crd_ledger_verify(ledger, &spec, &result) : CRD_E_STORAGE;
    if (status != CRD_OK && result.findings == 0) {
        printf("race: verify: %s\n", crd_status_name(status));
        result.findings = 1;
    }
    crd_ledger_close(ledger);
    return result.findings;
}

int judge(const char *store_name, char *const *logs, int count) {
    static bench b; /* its trees are not given back */
    tally t = {0};
    store *s = store_open(store_name, 0);
    uint64_t findings;
    int over;
    if (s == NULL || !read_all(s, &b)) return 1;
    for (int i = 0; i < count; i++) {
        FILE *log = fopen(logs[i], "r");
        char line[256];
        while (log != NULL && fgets(line, sizeof line, log) != NULL) judge_line(&b, line, &t);
        if (log != NULL) fclose(log);
    }
    t.open -= t.acknowledged + t.refused;
    over = over_applied(&b);
    findings = verify(s);
    store_close(s);
    printf("race: %lu acknowledged, %lu refused (%lu of them conflicts to the last), %lu without an answer, %lu runs\n"
           "race: %lu conflicts met and tried again, %llu entries in the book\n"
           "race: %d over-applied, %lu lost, %lu kept though refused, %llu findings of verify\n",
           t.acknowledged, t.refused, t.conflicts_given_up, t.open, t.runs, t.conflicts, (unsigned long long)b.entries,
           over, t.lost, t.undue, (unsigned long long)findings);
    return over != 0 || t.lost != 0 || t.undue != 0 || findings != 0 || t.acknowledged == 0;
}
