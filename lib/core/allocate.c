/*
 * The allocator: who pays what (rule M15). A pure function over columns; see <credit/allocate.h>.
 *
 * Three steps: look at the input and refuse what is malformed; put each side in order; walk the two sides.
 *
 * Terms. A "side" is the credits or the invoices. The "order" of a side is the array of its indices in the
 * order of payment; a "place" is a position in it. A "column" is one criterion of the order, the group being
 * the first and the sequence the last.
 *
 * Invariants:
 * 1. Nothing is written to `out` but its count before the whole input is known to be good.
 * 2. Every sort here is stable and starts from the order 0, 1, 2, …; so the position in the arrays is the
 *    last criterion without being one, and trailing columns that the positions follow can be dropped.
 * 3. The walk writes an application only when it uses up a credit or an invoice that had something, so that
 *    credits + invoices is room enough.
 * 4. Whatever `compare` answers, no index leaves its array: the sorts only move indices about.
 *
 * Working memory: the order of the credits, that of the invoices, then a scratch area which first serves the
 * sorting of either side (words twice over) and then the walk (open amounts and queues).
 */
#include <credit/allocate.h>

#include <stddef.h>
#include <string.h>

#define NONE UINT32_MAX /* no place; counts are less, so no place has this number */
#define KINDS 32

/* Runs of this length are sorted by insertion; an account rarely has more open items than two of them. */
#define RUN 16

/* From this many items on, a side is sorted by digits instead of by comparing. */
#define MANY 40

/* Bits a digit takes at most. Wider ones save passes, but scatter the items over more places than the nearest
 * cache holds, which costs as much. */
#define DIGIT 8

/* Items looked at in one go, where that helps a processor to do several things at once. */
#define BLOCK 64

/* A criterion. `flip` is what signed numbers must be xored with to be compared as unsigned ones, or 0. */
typedef struct column {
    const uint32_t *values;
    uint32_t flip;
    uint32_t low;   /* the smallest, flipped */
    uint32_t width; /* bits that the largest less the smallest takes */
} column;

typedef struct side {
    const crd_open_items *items;
    uint32_t count;
    const uint32_t *group; /* NULL when all items of both sides are of one group */
    uint32_t column_count; /* group and sequence only, when the host compares */
    column columns[CRD_ALLOCATE_KEYS + 2];
    uint32_t *order; /* NULL when the items stand in order */
} side;

/* ---- Looking at the input */

/* A struct of a later version is understood as long as what it adds says nothing. */
static int allocate_is_known(const void *given, uint32_t size, size_t known) {
    const uint8_t *bytes = given;
    if (size < known) return 0;
    for (size_t i = known; i < size; i++)
        if (bytes[i] != 0) return 0;
    return 1;
}

static int columns_given(const crd_open_items *items) {
    if (items->key_count > CRD_ALLOCATE_KEYS) return 0;
    if (items->count == 0) return 1;
    if (items->amount == NULL) return 0;
    if (items->key_count > 0 && items->keys == NULL) return 0;
    for (uint32_t k = 0; k < items->key_count; k++)
        if (items->keys[k] == NULL) return 0;
    return 1;
}

/* Some columns both sides must have or neither; an empty side may leave them out. */
static int columns_paired(const crd_open_items *credits, const crd_open_items *invoices) {
    if (credits->count == 0 || invoices->count == 0) return 1;
    return (credits->group == NULL) == (invoices->group == NULL) &&
           (credits->kind == NULL) == (invoices->kind == NULL);
}

/* Without branches inside the loops, as these run over everything. */
static int amounts_good(const crd_open_items *items) {
    int64_t all = 0;
    for (uint64_t i = 0; i < items->count; i++) all |= items->amount[i];
    return all >= 0;
}

static int at_most(const uint32_t *values, uint64_t count, uint64_t bound) {
    uint32_t largest = 0;
    if (values == NULL) return 1;
    for (uint64_t i = 0; i < count; i++) largest = values[i] > largest ? values[i] : largest;
    return largest <= bound;
}

static crd_status allocate_look(const crd_open_items *credits, const crd_open_items *invoices, const void *work,
                                uint64_t work_size, const crd_allocation *out) {
    if (credits == NULL || invoices == NULL || work == NULL) return CRD_E_ARGUMENT;
    if (!allocate_is_known(credits, credits->struct_size, sizeof *credits)) return CRD_E_ARGUMENT;
    if (!allocate_is_known(invoices, invoices->struct_size, sizeof *invoices)) return CRD_E_ARGUMENT;
    if (credits->count >= UINT32_MAX || invoices->count >= UINT32_MAX) return CRD_E_TOO_LARGE;
    if (work_size < crd_allocate_work_size(credits->count, invoices->count)) return CRD_E_ARGUMENT;
    if (out->reserved != 0 || out->capacity < credits->count + invoices->count) return CRD_E_ARGUMENT;
    if (out->capacity > 0 && (out->credit == NULL || out->invoice == NULL || out->amount == NULL))
        return CRD_E_ARGUMENT;
    if (!columns_given(credits) || !columns_given(invoices)) return CRD_E_ARGUMENT;
    if (!columns_paired(credits, invoices) || invoices->prefer != NULL) return CRD_E_ARGUMENT;
    if (!amounts_good(credits) || !amounts_good(invoices)) return CRD_E_ARGUMENT;
    if (!at_most(credits->prefer, credits->count, invoices->count)) return CRD_E_ARGUMENT;
    if (!at_most(invoices->kind, invoices->count, KINDS - 1)) return CRD_E_ARGUMENT;
    return CRD_OK;
}

/* ---- The order of a side */

static void allocate_add_column(side *s, const void *values, uint32_t flip) {
    column *c = &s->columns[s->column_count];
    if (values == NULL) return;
    c->values = values;
    c->flip = flip;
    s->column_count++;
}

static void open_side(side *s, const crd_open_items *items, const uint32_t *group, uint32_t *order) {
    s->items = items;
    s->count = (uint32_t)items->count;
    s->group = group;
    s->column_count = 0;
    s->order = order;
    allocate_add_column(s, group, 0);
    for (uint32_t k = 0; items->compare == NULL && k < items->key_count; k++)
        allocate_add_column(s, items->keys[k], UINT32_C(1) << 31);
    allocate_add_column(s, items->sequence, 0);
}

/* 1 if item `a` comes before item `b`; 0 too when nothing but their positions tells them apart. */
static int comes_before(const side *s, uint32_t a, uint32_t b) {
    const crd_open_items *items = s->items;
    uint32_t c = 0;
    if (items->compare != NULL) {
        int32_t answer;
        if (s->group != NULL && s->group[a] != s->group[b]) return s->group[a] < s->group[b];
        answer = items->compare(items->ctx, a, b);
        if (answer != 0) return answer < 0;
        c = s->group != NULL; /* equal; only the sequence is left */
    }
    for (; c < s->column_count; c++) {
        uint32_t x = s->columns[c].values[a], y = s->columns[c].values[b], flip = s->columns[c].flip;
        if (x != y) return (x ^ flip) < (y ^ flip);
    }
    return 0;
}

static void sort_run(const side *s, uint32_t *order, uint64_t count) {
    for (uint64_t i = 1; i < count; i++) {
        uint32_t item = order[i];
        uint64_t place = i;
        for (; place > 0 && comes_before(s, item, order[place - 1]); place--) order[place] = order[place - 1];
        order[place] = item;
    }
}

static void allocate_merge(const side *s, const uint32_t *from, uint64_t middle, uint64_t count, uint32_t *to) {
    uint64_t left = 0, right = middle, place = 0;
    while (left < middle && right < count)
        to[place++] = comes_before(s, from[right], from[left]) ? from[right++] : from[left++];
    while (left < middle) to[place++] = from[left++];
    while (right < count) to[place++] = from[right++];
}

/* 1 if every run of `width` begins no earlier than the one before it ends. */
static int runs_agree(const side *s, const uint32_t *order, uint64_t width) {
    for (uint64_t start = width; start < s->count; start += width)
        if (comes_before(s, order[start], order[start - 1])) return 0;
    return 1;
}

/* For small sides, and when the host compares. */
static void sort_by_comparing(const side *s, uint32_t *spare) {
    uint64_t count = s->count;
    uint32_t *from = s->order, *to = spare;
    for (uint64_t start = 0; start < count; start += RUN)
        sort_run(s, from + start, count - start < RUN ? count - start : RUN);
    for (uint64_t width = RUN; width < count && !runs_agree(s, from, width); width *= 2) {
        uint32_t *swap = from;
        for (uint64_t start = 0; start < count; start += 2 * width) {
            uint64_t rest = count - start, middle = rest < width ? rest : width;
            allocate_merge(s, from + start, middle, rest < 2 * width ? rest : 2 * width, to + start);
        }
        from = to;
        to = swap;
    }
    if (from != s->order) memcpy(s->order, from, (size_t)count * sizeof *from);
}

/* Block by block and without a branch per item, since whether two neighbours tell apart by their group,
 * their date or less is nothing a processor can guess. */
static int allocate_in_order(const side *s) {
    uint8_t follows[BLOCK]; /* 1 if an item does not come before its predecessor by the columns seen so far */
    for (uint32_t start = 1; start < s->count;) {
        uint32_t length = s->count - start < BLOCK ? s->count - start : BLOCK;
        uint32_t all = 1;
        memset(follows, 1, length);
        for (uint32_t c = s->column_count; c-- > 0;) {
            const uint32_t *values = s->columns[c].values + start;
            uint32_t previous = values[-1] ^ s->columns[c].flip;
            for (uint32_t i = 0; i < length; i++) {
                uint32_t x = values[i] ^ s->columns[c].flip;
                follows[i] = (uint8_t)((previous < x) | ((previous == x) & follows[i]));
                previous = x;
            }
        }
        for (uint32_t i = 0; i < length; i++) all &= follows[i];
        if (!all) return 0;
        start += length;
    }
    return 1;
}

static uint32_t bits_of(uint32_t x) {
    uint32_t bits = 0;
    for (; x != 0; x >>= 1) bits++;
    return bits;
}

/* Measures the columns, and drops those at the end that the positions already follow (invariant 2). */
static void measure(side *s) {
    int droppable = 1;
    for (uint32_t c = s->column_count; c-- > 0;) {
        column *col = &s->columns[c];
        uint32_t previous = col->values[0] ^ col->flip, low = previous, high = previous;
        int rises = 1;
        for (uint32_t i = 1; i < s->count; i++) {
            uint32_t x = col->values[i] ^ col->flip;
            rises &= x >= previous;
            low = x < low ? x : low;
            high = x > high ? x : high;
            previous = x;
        }
        col->low = low;
        col->width = bits_of(high - low);
        droppable &= rises;
        if (droppable) s->column_count = c;
    }
}

/* Sorts words stably by `width` bits from `shift` on, the lowest digit first; returns where they are. */
static uint64_t *sort_words(uint64_t *from, uint64_t *to, uint32_t count, uint32_t shift, uint32_t width) {
    uint32_t counters[1 << DIGIT];
    uint32_t passes = (width + DIGIT - 1) / DIGIT;
    for (uint32_t pass = 0; pass < passes; pass++) {
        uint32_t digit = (width + passes - 1 - pass) / passes; /* these add up to `width` */
        uint32_t mask = (UINT32_C(1) << digit) - 1, start = 0;
        uint64_t *swap = from;
        memset(counters, 0, sizeof counters);
        for (uint32_t i = 0; i < count; i++) counters[from[i] >> shift & mask]++;
        if (counters[from[0] >> shift & mask] < count) { /* else the digit is the same in all */
            for (uint32_t d = 0; d <= mask; d++) {
                uint32_t number = counters[d];
                counters[d] = start;
                start += number;
            }
            for (uint32_t i = 0; i < count; i++) to[counters[from[i] >> shift & mask]++] = from[i];
            from = to;
            to = swap;
        }
        shift += digit;
    }
    return from;
}

/*
 * Columns are packed, from the least significant on, above the item's index into one word of 64 bits, and
 * the words are sorted. If they do not all fit, what was packed is sorted first and the next columns then,
 * stably, from that order on; any one column fits, as neither it nor the index is wider than 32 bits.
 */
static void sort_by_digits(side *s, uint64_t *words, uint64_t *spare) {
    uint32_t index_bits = bits_of(s->count - 1);
    uint64_t index_mask = (UINT64_C(1) << index_bits) - 1;
    uint32_t left;
    measure(s);
    left = s->column_count;
    while (left > 0) {
        uint32_t width = 0;
        uint64_t *sorted;
        for (uint32_t i = 0; i < s->count; i++) words[i] = s->order[i];
        while (left > 0 && index_bits + width + s->columns[left - 1].width <= 64) {
            const column *col = &s->columns[--left];
            uint32_t at = index_bits + width;
            if (col->width == 0) continue;
            for (uint32_t i = 0; i < s->count; i++)
                words[i] |= (uint64_t)((col->values[s->order[i]] ^ col->flip) - col->low) << at;
            width += col->width;
        }
        sorted = sort_words(words, spare, s->count, index_bits, width);
        for (uint32_t i = 0; i < s->count; i++) s->order[i] = (uint32_t)(sorted[i] & index_mask);
    }
}

/* `scratch` has room for two words per item. */
static void allocate_put_in_order(side *s, uint64_t *scratch) {
    int by_digits = s->items->compare == NULL && s->count >= MANY;
    if (by_digits && allocate_in_order(s)) {
        s->order = NULL;
        return;
    }
    for (uint32_t i = 0; i < s->count; i++) s->order[i] = i;
    if (by_digits)
        sort_by_digits(s, scratch, scratch + s->count);
    else
        sort_by_comparing(s, (uint32_t *)scratch);
}

/* ---- The walk */

static uint32_t item_at(const side *s, uint32_t place) {
    return s->order != NULL ? s->order[place] : place;
}

static uint32_t allocate_group_of(const side *s, uint32_t item) {
    return s->group != NULL ? s->group[item] : 0;
}

static void allocate_apply(crd_allocation *out, uint64_t count, uint32_t credit, uint32_t invoice, int64_t amount) {
    out->credit[count] = credit;
    out->invoice[count] = invoice;
    out->amount[count] = amount;
}

/*
 * A finger moves along the order of a side. It reads a block ahead: in a large side each item is a cache
 * miss, and the misses of a block overlap, while the walk itself would wait for each one behind a branch it
 * cannot guess.
 */
typedef struct finger {
    const side *s;
    uint32_t place; /* the next to be read */
    uint32_t at;    /* where in the block the finger is */
    uint32_t length;
    uint32_t item[BLOCK];
    uint32_t group[BLOCK];
    int64_t amount[BLOCK];
} finger;

/* Takes the finger to the next block; 0 when the side is at its end. */
static int read_ahead(finger *f) {
    const side *s = f->s;
    f->length = s->count - f->place < BLOCK ? s->count - f->place : BLOCK;
    for (uint32_t i = 0; i < f->length; i++) {
        f->item[i] = item_at(s, f->place + i);
        f->group[i] = allocate_group_of(s, f->item[i]);
        f->amount[i] = s->items->amount[f->item[i]];
    }
    f->place += f->length;
    f->at = 0;
    return f->length > 0;
}

static int put_finger(finger *f, const side *s) {
    f->s = s;
    f->place = 0;
    return read_ahead(f);
}

static int move_on(finger *f) {
    return ++f->at < f->length || read_ahead(f);
}

/* Any credit of a group pays any invoice of it: one finger on each side, and neither ever goes back. */
static uint64_t walk_fingers(const side *credits, const side *invoices, crd_allocation *out) {
    finger from, to;
    uint64_t count = 0;
    int more = put_finger(&from, credits) && put_finger(&to, invoices);
    while (more) {
        uint32_t own = from.group[from.at], group = to.group[to.at];
        int64_t left = from.amount[from.at], open = to.amount[to.at];
        int64_t amount = left < open ? left : open;
        if (own == group && amount > 0) {
            allocate_apply(out, count++, from.item[from.at], to.item[to.at], amount);
            from.amount[from.at] = left - amount;
            to.amount[to.at] = open - amount;
        }
        if (own < group || (own == group && left == amount))
            more = move_on(&from);
        else
            more = move_on(&to);
    }
    return count;
}

/*
 * The walk when credits prefer invoices or are restricted to kinds. The open invoices of the group at hand
 * stand in one queue per kind, in their order; a credit takes the foremost head among the queues it may pay.
 * An invoice that was used up out of turn, by preference, leaves its queue when it comes to its head.
 */
typedef struct queues {
    const side *invoices;
    int64_t *open;           /* by item */
    uint32_t *next;          /* by place: the next of the same kind and group, or NONE */
    uint32_t head[KINDS];    /* by queue: place, or NONE */
    uint32_t set[KINDS];     /* by queue: bit of its kind */
    uint32_t of_kind[KINDS]; /* the queue of a kind */
    uint32_t queue_count;    /* kinds that occur */
} queues;

static uint32_t kind_of(const crd_open_items *invoices, uint32_t invoice) {
    return invoices->kind != NULL ? invoices->kind[invoice] : 0;
}

static void open_queues(queues *q, const side *invoices, int64_t *open, uint32_t *next) {
    uint32_t occurs = 0;
    q->invoices = invoices;
    q->open = open;
    q->next = next;
    q->queue_count = 0;
    for (uint32_t i = 0; i < invoices->count; i++) {
        open[i] = invoices->items->amount[i];
        occurs |= UINT32_C(1) << kind_of(invoices->items, i);
    }
    for (uint32_t kind = 0; kind < KINDS; kind++) {
        if (!(occurs >> kind & 1)) continue;
        q->of_kind[kind] = q->queue_count;
        q->set[q->queue_count++] = UINT32_C(1) << kind;
    }
}

/* Lets the invoices of one group queue up: those at the places from `first` to before `end`. */
static void queue_up(queues *q, uint32_t first, uint32_t end) {
    for (uint32_t i = 0; i < q->queue_count; i++) q->head[i] = NONE;
    for (uint32_t place = end; place-- > first;) {
        uint32_t *head = &q->head[q->of_kind[kind_of(q->invoices->items, item_at(q->invoices, place))]];
        q->next[place] = *head;
        *head = place;
    }
}

/* The foremost open invoice whose kind is in `set`, by its queue; NONE when there is none. */
static uint32_t foremost(queues *q, uint32_t set) {
    uint32_t best = NONE, queue = NONE;
    for (uint32_t i = 0; i < q->queue_count; i++) {
        uint32_t *head = &q->head[i];
        if (!(q->set[i] & set)) continue;
        while (*head != NONE && q->open[item_at(q->invoices, *head)] == 0) *head = q->next[*head];
        if (*head < best) queue = i;
        if (*head < best) best = *head;
    }
    return queue;
}

/* Spends one credit on the queues of its group; returns the new count of applications. */
static uint64_t spend(queues *q, const side *credits, uint32_t credit, crd_allocation *out, uint64_t count) {
    const crd_open_items *items = credits->items;
    int64_t left = items->amount[credit];
    uint32_t set = items->kind != NULL ? items->kind[credit] : UINT32_MAX;
    uint32_t invoice = items->prefer != NULL ? items->prefer[credit] - 1 : NONE;
    if (invoice != NONE && allocate_group_of(q->invoices, invoice) != allocate_group_of(credits, credit))
        invoice = NONE;
    if (invoice != NONE && !(set >> kind_of(q->invoices->items, invoice) & 1)) invoice = NONE;
    while (left > 0) {
        int64_t amount;
        if (invoice == NONE) {
            uint32_t queue = foremost(q, set);
            if (queue == NONE) break;
            invoice = item_at(q->invoices, q->head[queue]);
        }
        amount = left < q->open[invoice] ? left : q->open[invoice];
        if (amount > 0) allocate_apply(out, count++, credit, invoice, amount); /* one preferred may be paid already */
        left -= amount;
        q->open[invoice] -= amount;
        invoice = NONE;
    }
    return count;
}

static uint64_t walk_queues(const side *credits, queues *q, crd_allocation *out) {
    const side *invoices = q->invoices;
    uint32_t i = 0, end = 0;
    uint64_t count = 0;
    while (i < credits->count) {
        uint32_t group = allocate_group_of(credits, item_at(credits, i)), first = end;
        while (first < invoices->count && allocate_group_of(invoices, item_at(invoices, first)) < group) first++;
        end = first;
        while (end < invoices->count && allocate_group_of(invoices, item_at(invoices, end)) == group) end++;
        queue_up(q, first, end);
        for (; i < credits->count && allocate_group_of(credits, item_at(credits, i)) == group; i++)
            count = spend(q, credits, item_at(credits, i), out, count);
    }
    return count;
}

/* ---- The entrance */

/* 1 if no item is of another group than the first credit. When there are many groups, that shows at once. */
static int is_one_group(const crd_open_items *credits, const crd_open_items *invoices) {
    if (credits->group == NULL) return 1;
    for (uint64_t i = 0; i < credits->count; i++)
        if (credits->group[i] != credits->group[0]) return 0;
    for (uint64_t i = 0; i < invoices->count; i++)
        if (invoices->group[i] != credits->group[0]) return 0;
    return 1;
}

/* Sorting takes two words per item of the larger side; the walk, one and a half per invoice, takes less. */
uint64_t crd_allocate_work_size(uint64_t credits, uint64_t invoices) {
    uint64_t larger = credits > invoices ? credits : invoices;
    uint64_t size = (credits + invoices) * sizeof(uint32_t) + 2 * larger * sizeof(uint64_t);
    if (larger >= UINT32_MAX) return 0;
    return size + 2 * sizeof(uint64_t); /* what aligning takes, before the words and after the orders */
}

static void *aligned(void *p) {
    return (uint8_t *)p + (-(uintptr_t)p & (sizeof(uint64_t) - 1));
}

crd_status crd_allocate(const crd_open_items *credits, const crd_open_items *invoices, void *work,
                        uint64_t work_size, crd_allocation *out) {
    side from, to;
    uint32_t *orders;
    uint64_t *scratch;
    crd_status status;
    int one;
    if (out == NULL || !allocate_is_known(out, out->struct_size, sizeof *out)) return CRD_E_ARGUMENT;
    out->count = 0;
    status = allocate_look(credits, invoices, work, work_size, out);
    if (status != CRD_OK || credits->count == 0 || invoices->count == 0) return status;
    orders = aligned(work);
    scratch = aligned(orders + credits->count + invoices->count);
    one = is_one_group(credits, invoices);
    open_side(&from, credits, one ? NULL : credits->group, orders);
    open_side(&to, invoices, one ? NULL : invoices->group, orders + credits->count);
    allocate_put_in_order(&from, scratch);
    allocate_put_in_order(&to, scratch);
    if (credits->prefer == NULL && credits->kind == NULL) {
        out->count = walk_fingers(&from, &to, out);
    } else {
        queues q;
        open_queues(&q, &to, (int64_t *)scratch, (uint32_t *)(scratch + invoices->count));
        out->count = walk_queues(&from, &q, out);
    }
    return CRD_OK;
}
