/*
 * The allocator against a naive one, on inputs of every shape; and its edges one by one.
 */
#include <credit/allocate.h>

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define MOST 1000 /* items a side may have here: many more than are sorted by comparing or read ahead */

/* ---- A world: two sides with every column, and which of them are given to the allocator */

typedef struct world_side {
    crd_open_items items;
    int64_t amount[MOST];
    uint32_t group[MOST];
    int32_t key[CRD_ALLOCATE_KEYS][MOST];
    const int32_t *keys[CRD_ALLOCATE_KEYS];
    uint32_t sequence[MOST];
    uint32_t kind[MOST];
    uint32_t prefer[MOST];
    int32_t rank[MOST]; /* what compare_ranks() compares */
    uint64_t compared;  /* how often it did */
} world_side;

typedef struct found {
    crd_allocation out;
    uint32_t credit[2 * MOST];
    uint32_t invoice[2 * MOST];
    int64_t amount[2 * MOST];
} found;

static world_side *side[2]; /* credits, invoices */
static found *ours, *other;
static uint64_t *work;
static uint64_t random_state;

static void setup(void) {
    for (int s = 0; s < 2; s++) {
        side[s] = calloc(1, sizeof *side[s]);
        side[s]->items.struct_size = sizeof side[s]->items;
        side[s]->items.amount = side[s]->amount;
        for (int k = 0; k < CRD_ALLOCATE_KEYS; k++) side[s]->keys[k] = side[s]->key[k];
    }
    ours = calloc(1, sizeof *ours);
    other = calloc(1, sizeof *other);
    work = calloc(1, (size_t)crd_allocate_work_size(MOST, MOST));
    random_state = 1;
}

static void teardown(void) {
    free(side[0]);
    free(side[1]);
    free(ours);
    free(other);
    free(work);
}

static uint32_t draw(uint32_t bound) {
    random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)((random_state >> 32) * bound >> 32);
}

static int64_t draw_amount(void) {
    static const int64_t edges[] = {0, 1, 2, 99, 100, INT64_MAX - 1, INT64_MAX};
    if (draw(3) == 0) return edges[draw(sizeof edges / sizeof edges[0])];
    return draw(1000);
}

static int32_t draw_key(uint32_t width) {
    static const int32_t edges[] = {INT32_MIN, INT32_MIN + 1, -1, 0, 1, INT32_MAX - 1, INT32_MAX};
    if (width == 0) return edges[draw(sizeof edges / sizeof edges[0])];
    return (int32_t)draw(width) - (int32_t)(width / 2);
}

static int32_t CRD_CALL compare_ranks(void *ctx, uint32_t a, uint32_t b) {
    world_side *s = ctx;
    s->compared++;
    return s->rank[a] < s->rank[b] ? INT32_MIN : s->rank[a] > s->rank[b];
}

/* ---- Calling it */

static crd_status allocate(found *f) {
    memset(f, 0x5a, sizeof *f);
    memset(&f->out, 0, sizeof f->out);
    f->out.struct_size = sizeof f->out;
    f->out.capacity = side[0]->items.count + side[1]->items.count;
    f->out.count = 77;
    f->out.credit = f->credit;
    f->out.invoice = f->invoice;
    f->out.amount = f->amount;
    return crd_allocate(&side[0]->items, &side[1]->items, work,
                        crd_allocate_work_size(side[0]->items.count, side[1]->items.count), &f->out);
}

static void check_found(const found *f, uint64_t at, uint32_t credit, uint32_t invoice, int64_t amount) {
    ck_assert_uint_lt(at, f->out.count);
    ck_assert_uint_eq(f->credit[at], credit);
    ck_assert_uint_eq(f->invoice[at], invoice);
    ck_assert_int_eq(f->amount[at], amount);
}

/* Credits and invoices by their amounts, ended by -1; everything else is left out. */
static void put_amounts(const int64_t *credits, const int64_t *invoices) {
    for (int s = 0; s < 2; s++) {
        const int64_t *amounts = s == 0 ? credits : invoices;
        side[s]->items.count = 0;
        for (; *amounts >= 0; amounts++) side[s]->amount[side[s]->items.count++] = *amounts;
    }
}

/* ---- The naive allocator: rank by rank, pair by pair, straight from the rule */

static int naive_before(const world_side *s, uint32_t a, uint32_t b) {
    const crd_open_items *i = &s->items;
    if (i->group != NULL && i->group[a] != i->group[b]) return i->group[a] < i->group[b];
    if (i->compare != NULL) {
        if (s->rank[a] != s->rank[b]) return s->rank[a] < s->rank[b];
    } else {
        for (uint32_t k = 0; k < i->key_count; k++)
            if (s->key[k][a] != s->key[k][b]) return s->key[k][a] < s->key[k][b];
    }
    if (i->sequence != NULL && i->sequence[a] != i->sequence[b]) return i->sequence[a] < i->sequence[b];
    return a < b;
}

static void naive_order(const world_side *s, uint32_t *order) {
    uint64_t count = s->items.count;
    for (uint32_t a = 0; a < count; a++) {
        uint32_t rank = 0;
        for (uint32_t b = 0; b < count; b++) rank += (uint32_t)naive_before(s, b, a);
        order[rank] = a;
    }
}

static int naive_may(uint32_t credit, uint32_t invoice) {
    const crd_open_items *from = &side[0]->items, *to = &side[1]->items;
    if (from->group != NULL && from->group[credit] != to->group[invoice]) return 0;
    return from->kind == NULL || (from->kind[credit] >> to->kind[invoice] & 1);
}

static void naive_pay(found *f, int64_t *left, int64_t *open, uint32_t credit, uint32_t invoice) {
    int64_t amount = *left < open[invoice] ? *left : open[invoice];
    if (amount == 0 || !naive_may(credit, invoice)) return;
    f->credit[f->out.count] = credit;
    f->invoice[f->out.count] = invoice;
    f->amount[f->out.count++] = amount;
    *left -= amount;
    open[invoice] -= amount;
}

static void naive_allocate(found *f) {
    static uint32_t order[2][MOST];
    static int64_t open[MOST];
    f->out.count = 0;
    for (int s = 0; s < 2; s++) naive_order(side[s], order[s]);
    memcpy(open, side[1]->amount, sizeof open);
    for (uint64_t i = 0; i < side[0]->items.count; i++) {
        uint32_t credit = order[0][i];
        int64_t left = side[0]->amount[credit];
        if (side[0]->items.prefer != NULL && side[0]->prefer[credit] != 0)
            naive_pay(f, &left, open, credit, side[0]->prefer[credit] - 1);
        for (uint64_t j = 0; j < side[1]->items.count; j++) naive_pay(f, &left, open, credit, order[1][j]);
    }
}

static void check_same(const found *a, const found *b, const char *what, uint64_t seed) {
    ck_assert_msg(a->out.count == b->out.count, "%s, seed %u: %u applications, not %u", what, (unsigned)seed,
                  (unsigned)a->out.count, (unsigned)b->out.count);
    for (uint64_t i = 0; i < a->out.count; i++) {
        int same = a->credit[i] == b->credit[i] && a->invoice[i] == b->invoice[i];
        ck_assert_msg(same && a->amount[i] == b->amount[i], "%s, seed %u: application %u differs", what,
                      (unsigned)seed, (unsigned)i);
    }
}

/* ---- Random worlds */

/* A count near the places where the allocator changes its way of sorting, or none at all. */
static uint32_t draw_count(int large) {
    static const uint32_t edges[] = {0, 1, 2, 15, 16, 17, 31, 32, 33, 39, 40, 41, 64, 65, 66, 128, 129, MOST};
    if (draw(4) == 0) return edges[draw(large ? sizeof edges / sizeof edges[0] : 15)];
    return draw(large ? MOST : 24);
}

static void draw_side(int s, int large, uint32_t groups, uint32_t kinds, int by_compare) {
    static const uint32_t widths[] = {1, 2, 10, 3650, 1000000, 0};
    world_side *w = side[s];
    uint32_t width[CRD_ALLOCATE_KEYS];
    uint32_t count = draw_count(large), by_sequence = draw(5), stride = draw(2) ? 1 : 70001;
    w->items.count = count;
    w->items.key_count = draw(4) == 0 ? draw(CRD_ALLOCATE_KEYS + 1) : draw(3);
    w->items.keys = w->keys;
    w->items.group = groups > 0 ? w->group : NULL;
    w->items.sequence = by_sequence > 0 ? w->sequence : NULL;
    w->items.kind = kinds > 0 ? w->kind : NULL;
    w->items.compare = by_compare ? compare_ranks : NULL;
    w->items.ctx = w;
    for (uint32_t k = 0; k < CRD_ALLOCATE_KEYS; k++) width[k] = widths[draw(6)];
    for (uint32_t i = 0; i < count; i++) {
        w->amount[i] = draw_amount();
        w->group[i] = groups > 0 ? draw(groups) * 0x15555555u : 0;
        w->rank[i] = draw_key(width[0]);
        for (uint32_t k = 0; k < CRD_ALLOCATE_KEYS; k++) w->key[k][i] = draw_key(width[k]);
        w->sequence[i] = by_sequence == 4 ? draw(5) * UINT32_C(0x3fffffff) : i * stride;
        if (s == 0)
            w->kind[i] = draw(4) == 0 ? UINT32_MAX : draw(1u << kinds);
        else
            w->kind[i] = draw(8) == 0 ? 31 : draw(kinds);
    }
    for (uint32_t i = count; by_sequence == 3 && i > 1; i--) {
        uint32_t j = draw(i), swap = w->sequence[i - 1];
        w->sequence[i - 1] = w->sequence[j];
        w->sequence[j] = swap;
    }
}

static void draw_world(int large) {
    uint32_t groups = draw(2) == 0 ? 0 : 1 + draw(12), kinds = draw(2) == 0 ? 0 : 1 + draw(6);
    int by_compare = draw(4) == 0;
    for (int s = 0; s < 2; s++) draw_side(s, large, groups, kinds, by_compare);
    side[0]->items.prefer = draw(2) == 0 ? side[0]->prefer : NULL;
    for (uint64_t i = 0; i < side[0]->items.count; i++)
        side[0]->prefer[i] = draw(2) == 0 ? draw((uint32_t)side[1]->items.count + 1) : 0;
}

static int is_long(void) {
    const char *text = getenv("CREDIT_TEST_LONG");
    return text != NULL && strcmp(text, "1") == 0;
}

static void compare_with_naive(uint64_t rounds, int large) {
    for (uint64_t seed = 1; seed <= rounds; seed++) {
        random_state = seed;
        draw_world(large);
        ck_assert_int_eq(allocate(ours), CRD_OK);
        naive_allocate(other);
        check_same(ours, other, large ? "large" : "small", seed);
    }
}

START_TEST(M15_small_worlds_agree_with_the_naive_allocator) {
    compare_with_naive(is_long() ? 1000000 : 20000, 0);
}
END_TEST

START_TEST(M15_large_worlds_agree_with_the_naive_allocator) {
    compare_with_naive(is_long() ? 20000 : 300, 1);
}
END_TEST

/* ---- The order of the input changes nothing */

static void swap_items(int s, uint32_t a, uint32_t b) {
    world_side *w = side[s];
    int64_t amount = w->amount[a];
    uint32_t *words[4];
    words[0] = w->group;
    words[1] = w->sequence;
    words[2] = w->kind;
    words[3] = w->prefer;
    w->amount[a] = w->amount[b];
    w->amount[b] = amount;
    for (int c = 0; c < 4; c++) {
        uint32_t word = words[c][a];
        words[c][a] = words[c][b];
        words[c][b] = word;
    }
    for (uint32_t k = 0; k <= CRD_ALLOCATE_KEYS; k++) {
        int32_t *key = k < CRD_ALLOCATE_KEYS ? w->key[k] : w->rank, value = key[a];
        key[a] = key[b];
        key[b] = value;
    }
    for (uint64_t i = 0; s == 1 && i < side[0]->items.count; i++) { /* preferences follow the invoice */
        uint32_t *prefer = &side[0]->prefer[i];
        *prefer = *prefer == a + 1 ? b + 1 : *prefer == b + 1 ? a + 1 : *prefer;
    }
}

/* Names items by their sequence instead of their index. */
static void name_by_sequence(found *f) {
    for (uint64_t i = 0; i < f->out.count; i++) {
        f->credit[i] = side[0]->sequence[f->credit[i]];
        f->invoice[i] = side[1]->sequence[f->invoice[i]];
    }
}

START_TEST(M15_order_of_the_input_is_irrelevant) {
    for (uint64_t seed = 1; seed <= (is_long() ? 20000u : 2000u); seed++) {
        random_state = seed;
        draw_world(seed % 50 == 0);
        for (int s = 0; s < 2; s++) {
            side[s]->items.sequence = side[s]->sequence;
            for (uint32_t i = 0; i < side[s]->items.count; i++) side[s]->sequence[i] = i * 3 + 5;
        }
        ck_assert_int_eq(allocate(ours), CRD_OK);
        name_by_sequence(ours);
        for (int s = 0; s < 2; s++)
            for (uint32_t i = (uint32_t)side[s]->items.count; i > 1; i--) swap_items(s, i - 1, draw(i));
        ck_assert_int_eq(allocate(other), CRD_OK);
        name_by_sequence(other);
        check_same(ours, other, "shuffled", seed);
    }
}
END_TEST

/* ---- Edges, one by one */

START_TEST(M15_nothing_to_allocate) {
    static const int64_t none[] = {-1}, some[] = {5, 6, -1}, zeros[] = {0, 0, -1};
    put_amounts(none, none);
    ck_assert_int_eq(allocate(ours), CRD_OK);
    ck_assert_uint_eq(ours->out.count, 0);
    put_amounts(some, none);
    ck_assert_int_eq(allocate(ours), CRD_OK);
    ck_assert_uint_eq(ours->out.count, 0);
    put_amounts(none, some);
    ck_assert_int_eq(allocate(ours), CRD_OK);
    ck_assert_uint_eq(ours->out.count, 0);
    put_amounts(zeros, some);
    ck_assert_int_eq(allocate(ours), CRD_OK);
    ck_assert_uint_eq(ours->out.count, 0);
    put_amounts(some, zeros);
    ck_assert_int_eq(allocate(ours), CRD_OK);
    ck_assert_uint_eq(ours->out.count, 0);
}
END_TEST

START_TEST(M15_an_empty_side_needs_no_columns) {
    static const int64_t none[] = {-1}, some[] = {5, 6, -1};
    put_amounts(some, none);
    side[0]->items.group = side[0]->group;
    side[0]->items.kind = side[0]->kind;
    side[1]->items.amount = NULL;
    ck_assert_int_eq(allocate(ours), CRD_OK);
    ck_assert_uint_eq(ours->out.count, 0);
}
END_TEST

START_TEST(R49_each_credit_is_spent_before_the_next) {
    static const int64_t credits[] = {100, 50, 0, 30, -1}, invoices[] = {60, 0, 70, 10, 100, -1};
    put_amounts(credits, invoices);
    ck_assert_int_eq(allocate(ours), CRD_OK);
    ck_assert_uint_eq(ours->out.count, 6);
    check_found(ours, 0, 0, 0, 60);
    check_found(ours, 1, 0, 2, 40);
    check_found(ours, 2, 1, 2, 30);
    check_found(ours, 3, 1, 3, 10);
    check_found(ours, 4, 1, 4, 10);
    check_found(ours, 5, 3, 4, 30);
}
END_TEST

/* Credits by date; finance charges first, then by due date; equal ones by sequence. */
START_TEST(R49_standard_order) {
    static const int64_t credits[] = {10, 20, 30, -1}, invoices[] = {15, 15, 15, 15, -1};
    static const int32_t issued[] = {300, 100, 100}, charge[] = {1, 1, 0, 1}, due[] = {50, 40, 90, 40};
    put_amounts(credits, invoices);
    for (int s = 0; s < 2; s++) {
        side[s]->items.keys = side[s]->keys;
        side[s]->items.sequence = side[s]->sequence;
    }
    side[0]->items.key_count = 1;
    side[1]->items.key_count = 2;
    memcpy(side[0]->key[0], issued, sizeof issued);
    memcpy(side[1]->key[0], charge, sizeof charge);
    memcpy(side[1]->key[1], due, sizeof due);
    for (uint32_t i = 0; i < 3; i++) side[0]->sequence[i] = 10 - i; /* 2 before 1 */
    for (uint32_t i = 0; i < 4; i++) side[1]->sequence[i] = 10 - i; /* 3 before 1 */
    ck_assert_int_eq(allocate(ours), CRD_OK);
    ck_assert_uint_eq(ours->out.count, 5);
    check_found(ours, 0, 2, 2, 15);
    check_found(ours, 1, 2, 3, 15);
    check_found(ours, 2, 1, 1, 15);
    check_found(ours, 3, 1, 0, 5);
    check_found(ours, 4, 0, 0, 10);
}
END_TEST

START_TEST(M15_credits_only_pay_their_own_group) {
    static const int64_t credits[] = {10, 10, 10, -1}, invoices[] = {5, 7, 9, -1};
    static const uint32_t of_credit[] = {7, 0, UINT32_MAX}, of_invoice[] = {UINT32_MAX, 3, 0};
    put_amounts(credits, invoices);
    memcpy(side[0]->group, of_credit, sizeof of_credit);
    memcpy(side[1]->group, of_invoice, sizeof of_invoice);
    side[0]->items.group = side[0]->group;
    side[1]->items.group = side[1]->group;
    ck_assert_int_eq(allocate(ours), CRD_OK);
    ck_assert_uint_eq(ours->out.count, 2);
    check_found(ours, 0, 1, 2, 9);
    check_found(ours, 1, 2, 0, 5);
}
END_TEST

START_TEST(M15_a_memo_first_goes_to_the_invoice_it_names) {
    static const int64_t credits[] = {10, 30, 5, 4, -1}, invoices[] = {8, 20, 12, -1};
    static const uint32_t prefer[] = {3, 3, 3, 0};
    put_amounts(credits, invoices);
    memcpy(side[0]->prefer, prefer, sizeof prefer);
    side[0]->items.prefer = side[0]->prefer;
    ck_assert_int_eq(allocate(ours), CRD_OK);
    ck_assert_uint_eq(ours->out.count, 4);
    check_found(ours, 0, 0, 2, 10);
    check_found(ours, 1, 1, 2, 2); /* what is left of it */
    check_found(ours, 2, 1, 0, 8); /* and then in order */
    check_found(ours, 3, 1, 1, 20);
}
END_TEST

START_TEST(M15_a_preferred_invoice_must_be_of_the_same_group_and_an_allowed_kind) {
    static const int64_t credits[] = {10, 10, -1}, invoices[] = {100, 100, -1};
    put_amounts(credits, invoices);
    side[0]->prefer[0] = 2;
    side[0]->prefer[1] = 1;
    side[0]->items.prefer = side[0]->prefer;
    side[0]->group[0] = side[1]->group[0] = 1;
    side[0]->group[1] = side[1]->group[1] = 2;
    side[0]->items.group = side[0]->group;
    side[1]->items.group = side[1]->group;
    ck_assert_int_eq(allocate(ours), CRD_OK);
    ck_assert_uint_eq(ours->out.count, 2);
    check_found(ours, 0, 0, 0, 10);
    check_found(ours, 1, 1, 1, 10);

    side[0]->items.group = side[1]->items.group = NULL;
    side[1]->kind[0] = 4;
    side[1]->kind[1] = 31;
    side[0]->kind[0] = 1u << 4;
    side[0]->kind[1] = 1u << 31;
    side[0]->items.kind = side[0]->kind;
    side[1]->items.kind = side[1]->kind;
    ck_assert_int_eq(allocate(ours), CRD_OK);
    ck_assert_uint_eq(ours->out.count, 2);
    check_found(ours, 0, 0, 0, 10);
    check_found(ours, 1, 1, 1, 10);
}
END_TEST

START_TEST(M15_restricted_credits_pay_only_their_kinds) {
    static const int64_t credits[] = {10, 10, 10, 10, -1}, invoices[] = {4, 4, 4, 4, -1};
    static const uint32_t sets[] = {1u << 2, 0, 1u << 1 | 1u << 2, UINT32_MAX}, kinds[] = {1, 2, 3, 2};
    put_amounts(credits, invoices);
    memcpy(side[0]->kind, sets, sizeof sets);
    memcpy(side[1]->kind, kinds, sizeof kinds);
    side[0]->items.kind = side[0]->kind;
    side[1]->items.kind = side[1]->kind;
    ck_assert_int_eq(allocate(ours), CRD_OK);
    ck_assert_uint_eq(ours->out.count, 4);
    check_found(ours, 0, 0, 1, 4);
    check_found(ours, 1, 0, 3, 4);
    check_found(ours, 2, 2, 0, 4);
    check_found(ours, 3, 3, 2, 4);
}
END_TEST

START_TEST(M15_the_host_may_compare) {
    static const int64_t credits[] = {5, -1}, invoices[] = {1, 1, 1, 1, -1};
    static const int32_t rank[] = {9, 5, 5, 1};
    put_amounts(credits, invoices);
    memcpy(side[1]->rank, rank, sizeof rank);
    side[1]->items.compare = compare_ranks;
    side[1]->items.ctx = side[1];
    side[1]->items.keys = side[1]->keys; /* which do not count then */
    side[1]->items.key_count = 1;
    side[1]->key[0][0] = -1;
    side[1]->items.sequence = side[1]->sequence;
    side[1]->sequence[1] = 1;
    ck_assert_int_eq(allocate(ours), CRD_OK);
    ck_assert_uint_eq(ours->out.count, 4);
    check_found(ours, 0, 0, 3, 1);
    check_found(ours, 1, 0, 2, 1); /* equal, and an earlier sequence */
    check_found(ours, 2, 0, 1, 1);
    check_found(ours, 3, 0, 0, 1);
}
END_TEST

static int32_t CRD_CALL compare_senselessly(void *ctx, uint32_t a, uint32_t b) {
    (void)ctx, (void)a, (void)b;
    return (int32_t)draw(3) - 1;
}

START_TEST(M15_an_inconsistent_comparison_does_no_harm) {
    for (uint64_t seed = 1; seed <= 50; seed++) {
        int64_t credits = 0, applied = 0;
        random_state = seed;
        for (int s = 0; s < 2; s++) {
            side[s]->items.count = MOST;
            side[s]->items.compare = compare_senselessly;
            for (uint32_t i = 0; i < MOST; i++) side[s]->amount[i] = 1 + draw(100) * (s == 1 ? 10 : 1);
        }
        ck_assert_int_eq(allocate(ours), CRD_OK);
        for (uint32_t i = 0; i < MOST; i++) credits += side[0]->amount[i];
        for (uint64_t i = 0; i < ours->out.count; i++) applied += ours->amount[i];
        ck_assert_int_eq(applied, credits); /* invoices are ten times as much */
    }
}
END_TEST

START_TEST(M15_input_in_order_costs_one_comparison_per_item) {
    for (int s = 0; s < 2; s++) {
        side[s]->items.count = MOST;
        side[s]->items.compare = compare_ranks;
        side[s]->items.ctx = side[s];
        for (uint32_t i = 0; i < MOST; i++) {
            side[s]->amount[i] = 1;
            side[s]->rank[i] = (int32_t)i / 2;
        }
    }
    ck_assert_int_eq(allocate(ours), CRD_OK);
    ck_assert_uint_eq(ours->out.count, MOST);
    ck_assert_uint_lt(side[0]->compared, MOST);
    ck_assert_uint_lt(side[1]->compared, MOST);
}
END_TEST

START_TEST(R60_the_largest_amounts_do_not_overflow) {
    for (int s = 0; s < 2; s++) {
        side[s]->items.count = MOST;
        for (uint32_t i = 0; i < MOST; i++) side[s]->amount[i] = INT64_MAX;
    }
    side[0]->amount[0] = 1;
    ck_assert_int_eq(allocate(ours), CRD_OK);
    ck_assert_uint_eq(ours->out.count, 2 * MOST - 1);
    check_found(ours, 0, 0, 0, 1);
    check_found(ours, 1, 1, 0, INT64_MAX - 1);
    check_found(ours, 2, 1, 1, 1);
}
END_TEST

/* ---- Working memory */

START_TEST(work_may_lie_anywhere_and_is_not_exceeded) {
    for (uint64_t seed = 1; seed <= 400; seed++) {
        uint64_t size;
        uint8_t *block;
        crd_status status;
        random_state = seed;
        draw_world(seed % 4 == 0);
        ck_assert_int_eq(allocate(other), CRD_OK);
        ck_assert_int_eq(allocate(ours), CRD_OK);
        size = crd_allocate_work_size(side[0]->items.count, side[1]->items.count);
        block = malloc((size_t)size + 16);
        memset(block, 0xa5, (size_t)size + 16);
        status = crd_allocate(&side[0]->items, &side[1]->items, block + seed % 9, size, &ours->out);
        ck_assert_int_eq(status, CRD_OK);
        for (uint64_t i = 0; i < seed % 9; i++) ck_assert_uint_eq(block[i], 0xa5);
        for (uint64_t i = seed % 9 + size; i < size + 16; i++) ck_assert_uint_eq(block[i], 0xa5);
        free(block);
        check_same(ours, other, "work", seed);
    }
}
END_TEST

START_TEST(work_size_is_small_and_knows_its_range) {
    ck_assert_uint_gt(crd_allocate_work_size(0, 0), 0);
    ck_assert_uint_le(crd_allocate_work_size(10, 10), 20 * 20 + 16);
    ck_assert_uint_le(crd_allocate_work_size(1000, 10), 1010 * 20 + 16);
    ck_assert_uint_gt(crd_allocate_work_size(UINT32_MAX - 1, UINT32_MAX - 1), UINT32_MAX);
    ck_assert_uint_eq(crd_allocate_work_size(UINT32_MAX, 0), 0);
    ck_assert_uint_eq(crd_allocate_work_size(0, UINT64_MAX), 0);
}
END_TEST

/* ---- Refusals: nothing written but the count */

static void check_refused(crd_status expected) {
    found before;
    crd_status status;
    memcpy(&before, ours, sizeof before);
    ours->out.count = 77;
    status = crd_allocate(&side[0]->items, &side[1]->items, work, crd_allocate_work_size(MOST, MOST),
                          &ours->out);
    ck_assert_int_eq(status, expected);
    ck_assert_uint_eq(ours->out.count, 0);
    ck_assert_mem_eq(before.credit, ours->credit, sizeof ours->credit);
    ck_assert_mem_eq(before.invoice, ours->invoice, sizeof ours->invoice);
    ck_assert_mem_eq(before.amount, ours->amount, sizeof ours->amount);
}

/* Three credits and two invoices, good in every respect, each column given. */
static void put_good(void) {
    static const int64_t credits[] = {1, 2, 3, -1}, invoices[] = {2, 2, -1};
    put_amounts(credits, invoices);
    for (int s = 0; s < 2; s++) {
        side[s]->items.group = side[s]->group;
        side[s]->items.keys = side[s]->keys;
        side[s]->items.key_count = 2;
        side[s]->items.sequence = side[s]->sequence;
        side[s]->items.kind = side[s]->kind;
        for (int i = 0; i < 3; i++) side[s]->kind[i] = 1;
    }
    side[0]->items.prefer = side[0]->prefer;
    for (int i = 0; i < 3; i++) side[0]->kind[i] = 2;
    ck_assert_int_eq(allocate(ours), CRD_OK);
    ck_assert_uint_eq(ours->out.count, 4);
}

START_TEST(R60_malformed_sides_are_refused) {
    for (int s = 0; s < 2; s++) {
        crd_open_items *items = &side[s]->items, good;
        put_good();
        good = *items;
        items->struct_size--;
        check_refused(CRD_E_ARGUMENT);
        *items = good;
        items->key_count = CRD_ALLOCATE_KEYS + 1;
        check_refused(CRD_E_ARGUMENT);
        *items = good;
        items->keys = NULL;
        check_refused(CRD_E_ARGUMENT);
        *items = good;
        side[s]->keys[1] = NULL;
        check_refused(CRD_E_ARGUMENT);
        side[s]->keys[1] = side[s]->key[1];
        items->amount = NULL;
        check_refused(CRD_E_ARGUMENT);
        *items = good;
        items->group = NULL;
        check_refused(CRD_E_ARGUMENT);
        *items = good;
        items->kind = NULL;
        check_refused(CRD_E_ARGUMENT);
        *items = good;
        items->count = UINT32_MAX;
        check_refused(CRD_E_TOO_LARGE);
        items->count = UINT64_MAX;
        check_refused(CRD_E_TOO_LARGE);
        *items = good;
    }
}
END_TEST

START_TEST(R60_malformed_items_are_refused) {
    put_good();
    for (int s = 0; s < 2; s++) {
        side[s]->amount[1] = -1;
        check_refused(CRD_E_ARGUMENT);
        side[s]->amount[1] = INT64_MIN;
        check_refused(CRD_E_ARGUMENT);
        side[s]->amount[1] = 2;
    }
    side[1]->kind[1] = 32;
    check_refused(CRD_E_ARGUMENT);
    side[1]->kind[1] = 1;
    side[0]->prefer[2] = 3;
    check_refused(CRD_E_ARGUMENT);
    side[0]->prefer[2] = 2;
    side[1]->items.prefer = side[1]->prefer;
    check_refused(CRD_E_ARGUMENT);
    side[1]->items.prefer = NULL;
    ck_assert_int_eq(allocate(ours), CRD_OK);
}
END_TEST

START_TEST(R60_malformed_output_or_work_is_refused) {
    const crd_open_items *credits = &side[0]->items, *invoices = &side[1]->items;
    uint64_t size;
    crd_allocation good;
    put_good();
    good = ours->out;
    size = crd_allocate_work_size(3, 2);
    ours->out.capacity = 4;
    check_refused(CRD_E_ARGUMENT);
    ours->out = good;
    ours->out.reserved = 1;
    check_refused(CRD_E_ARGUMENT);
    ours->out = good;
    ours->out.credit = NULL;
    check_refused(CRD_E_ARGUMENT);
    ours->out = good;
    ours->out.invoice = NULL;
    check_refused(CRD_E_ARGUMENT);
    ours->out = good;
    ours->out.amount = NULL;
    check_refused(CRD_E_ARGUMENT);
    ours->out = good;
    ck_assert_int_eq(crd_allocate(NULL, invoices, work, size, &ours->out), CRD_E_ARGUMENT);
    ck_assert_int_eq(crd_allocate(credits, NULL, work, size, &ours->out), CRD_E_ARGUMENT);
    ck_assert_int_eq(crd_allocate(credits, invoices, NULL, size, &ours->out), CRD_E_ARGUMENT);
    ck_assert_int_eq(crd_allocate(credits, invoices, work, size - 1, &ours->out), CRD_E_ARGUMENT);
    ck_assert_uint_eq(ours->out.count, 0);
    ck_assert_int_eq(crd_allocate(credits, invoices, work, size, NULL), CRD_E_ARGUMENT);
    ours->out.struct_size--;
    ck_assert_int_eq(crd_allocate(credits, invoices, work, size, &ours->out), CRD_E_ARGUMENT);
}
END_TEST

/* A host compiled with a later header: understood as long as it uses nothing this library does not know. */
START_TEST(structs_of_a_later_version_are_understood_unless_they_say_more) {
    struct {
        crd_open_items items;
        uint64_t later;
    } credits;
    struct {
        crd_allocation out;
        uint64_t later;
    } out;
    uint64_t size = crd_allocate_work_size(3, 2);
    put_good();
    memset(&credits, 0, sizeof credits);
    memset(&out, 0, sizeof out);
    credits.items = side[0]->items;
    credits.items.struct_size = sizeof credits;
    out.out = ours->out;
    out.out.struct_size = sizeof out;
    ck_assert_int_eq(crd_allocate(&credits.items, &side[1]->items, work, size, &out.out), CRD_OK);
    ck_assert_uint_eq(out.out.count, 4);
    credits.later = 1;
    ck_assert_int_eq(crd_allocate(&credits.items, &side[1]->items, work, size, &out.out), CRD_E_ARGUMENT);
    ck_assert_uint_eq(out.out.count, 0);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("allocate");
    TCase *tests = tcase_create("allocate");
    SRunner *runner;
    int failed;
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, is_long() ? 600 : 30);
    tcase_add_test(tests, M15_small_worlds_agree_with_the_naive_allocator);
    tcase_add_test(tests, M15_large_worlds_agree_with_the_naive_allocator);
    tcase_add_test(tests, M15_order_of_the_input_is_irrelevant);
    tcase_add_test(tests, M15_nothing_to_allocate);
    tcase_add_test(tests, M15_an_empty_side_needs_no_columns);
    tcase_add_test(tests, R49_each_credit_is_spent_before_the_next);
    tcase_add_test(tests, R49_standard_order);
    tcase_add_test(tests, M15_credits_only_pay_their_own_group);
    tcase_add_test(tests, M15_a_memo_first_goes_to_the_invoice_it_names);
    tcase_add_test(tests, M15_a_preferred_invoice_must_be_of_the_same_group_and_an_allowed_kind);
    tcase_add_test(tests, M15_restricted_credits_pay_only_their_kinds);
    tcase_add_test(tests, M15_the_host_may_compare);
    tcase_add_test(tests, M15_an_inconsistent_comparison_does_no_harm);
    tcase_add_test(tests, M15_input_in_order_costs_one_comparison_per_item);
    tcase_add_test(tests, R60_the_largest_amounts_do_not_overflow);
    tcase_add_test(tests, work_may_lie_anywhere_and_is_not_exceeded);
    tcase_add_test(tests, work_size_is_small_and_knows_its_range);
    tcase_add_test(tests, R60_malformed_sides_are_refused);
    tcase_add_test(tests, R60_malformed_items_are_refused);
    tcase_add_test(tests, R60_malformed_output_or_work_is_refused);
    tcase_add_test(tests, structs_of_a_later_version_are_understood_unless_they_say_more);
    suite_add_tcase(suite, tests);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
