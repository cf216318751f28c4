/*
 * The journal of one account in memory.
 *
 * Entries lie in chunks that grow with the journal up to a bound. An entry is a byte of flags, a varint length and
 * the encoded record, in which is blank what the place says (customer, currency) or the entry before: seq, instant,
 * date, writer and command are differences, texts that repeat are left out. The first entry of a chunk is told in
 * full, so that a chunk is read without the one before.
 *
 * 1. Entries are only appended, each with a greater seq.
 * 2. Chunks behind `count` and bytes behind `used` of the last are staged: no read sees them.
 * 3. Texts are left out only within one batch, where the entry before is at hand.
 */
#include "memory_private.h"

#include <string.h>

#define SMALLEST 320
#define LARGEST CRD__BLOCK

/* Texts that neighbours often share; entry i of this list has flag 1 << i. */
#define SHARED 5
static const uint16_t shared[SHARED] = {offsetof(crd_entry_record, credit), offsetof(crd_entry_record, invoice),
                                        offsetof(crd_entry_record, receipt), offsetof(crd_entry_record, actor),
                                        offsetof(crd_entry_record, note)};

static const char *text_of(const crd_entry_record *entry, uint32_t which) {
    const char *text;
    memcpy(&text, (const char *)entry + shared[which], sizeof text);
    return text != NULL ? text : "";
}

static void memory_set_text(crd_entry_record *entry, uint32_t which, const char *text) {
    memcpy((char *)entry + shared[which], &text, sizeof text);
}

/* Sums and differences that wrap around, so that any two values have one. */
static int64_t plus(int64_t a, int64_t b) {
    uint64_t sum = (uint64_t)a + (uint64_t)b;
    memcpy(&a, &sum, sizeof a);
    return a;
}

static int64_t minus(int64_t a, int64_t b) {
    return plus(a, (int64_t)(~(uint64_t)b + 1));
}

static int32_t plus32(int32_t a, int32_t b) {
    uint32_t sum = (uint32_t)a + (uint32_t)b;
    memcpy(&a, &sum, sizeof a);
    return a;
}

static crd__past past_of(const crd_entry_record *entry) {
    crd__past past;
    past.seq = entry->seq;
    past.instant = entry->instant;
    past.writer = entry->writer;
    past.command = entry->command;
    past.date = entry->business_date;
    return past;
}

/* Encodes an entry against the one before into scratch. Returns its flags, or -1 when there is no memory. */
static int encode(crd_memory *m, const crd_entry_record *entry, const crd__past *past,
                  const crd_entry_record *previous, uint64_t *size) {
    crd_entry_record told = *entry;
    int flags = 0;
    crd_status status;
    told.customer = told.currency = "";
    told.last_seq = minus(told.last_seq, told.seq);
    told.seq = minus(minus(told.seq, past->seq), 1);
    told.instant = minus(told.instant, past->instant);
    told.business_date = plus32(told.business_date, (int32_t)(~(uint32_t)past->date + 1));
    told.writer ^= past->writer;
    told.command -= past->command;
    for (uint32_t i = 0; previous != NULL && i < SHARED; i++) {
        if (strcmp(text_of(entry, i), text_of(previous, i)) != 0) continue;
        memory_set_text(&told, i, "");
        flags |= 1 << i;
    }
    status = crd_record_encode(CRD_KIND_ENTRY, &told, m->scratch, m->scratch_size, size);
    if (status == CRD_E_TOO_LARGE && crd__memory_scratch(m, *size + CRD__TEXTS))
        status = crd_record_encode(CRD_KIND_ENTRY, &told, m->scratch, m->scratch_size, size);
    return status == CRD_OK ? flags : -1;
}

static uint32_t head_size(uint64_t size) {
    uint32_t head = 2;
    for (; size >= 0x80; size >>= 7) head++;
    return head;
}

/* Writes what encode() left in scratch behind a chunk's bytes. */
static uint32_t memory_put(const crd_memory *m, crd__memory_chunk *chunk, uint32_t used, int flags, uint64_t size) {
    unsigned char *at = chunk->data + used;
    uint64_t rest = size;
    *at++ = (unsigned char)flags;
    for (; rest >= 0x80; rest >>= 7) *at++ = (unsigned char)(rest | 0x80);
    *at++ = (unsigned char)rest;
    memcpy(at, m->scratch, (size_t)size);
    return used + head_size(size) + (uint32_t)size;
}

/* A chunk for at least `need` bytes, and for as many more entries as follow, as far as the bound allows. */
static crd__memory_chunk *new_chunk(crd_memory *m, crd__memory_journal *journal, uint64_t need, uint64_t to_come) {
    uint64_t capacity = to_come > 0 ? sizeof(crd__memory_chunk) + need * (to_come + 1) : journal->bytes / 6;
    crd__memory_chunk *chunk;
    if (journal->staged_count == journal->capacity) {
        uint32_t more = journal->capacity + journal->capacity / 2 + 4;
        void *chunks = crd__memory_grow(m, journal->chunks, journal->staged_count * sizeof chunk,
                                        journal->capacity * sizeof chunk, more * sizeof chunk);
        if (chunks == NULL) return NULL;
        journal->chunks = chunks;
        journal->capacity = more;
    }
    if (capacity < SMALLEST) capacity = SMALLEST;
    if (capacity > LARGEST) capacity = LARGEST;
    if (capacity < need + sizeof *chunk) capacity = need + sizeof *chunk;
    capacity = crd__memory_rounded(capacity);
    if (capacity > UINT32_MAX || !crd__memory_scratch(m, capacity + CRD__TEXTS)) return NULL;
    chunk = crd__memory_take(m, capacity);
    if (chunk == NULL) return NULL;
    chunk->capacity = (uint32_t)capacity;
    chunk->used = 0;
    journal->bytes += capacity;
    journal->chunks[journal->staged_count++] = chunk;
    return chunk;
}

static void memory_begin(crd__memory_journal *journal) {
    journal->staging = 1;
    journal->staged_last = journal->last;
    journal->staged_count = journal->count;
    journal->staged_used = journal->count > 0 ? journal->chunks[journal->count - 1]->used : 0;
    journal->previous = NULL;
}

static int found(void *ctx, const crd_entry_record *entry) {
    (void)ctx;
    (void)entry;
    return 1;
}

int crd__memory_has_entry(const crd_memory *m, const crd__holder *account, int64_t seq) {
    return seq <= account->journal.last.seq && crd__memory_entries(m, account, seq, seq, found, NULL) == 1;
}

/* Appends behind what is staged, in a new chunk if there is no room in the last. */
int32_t crd__memory_entry_stage(crd_memory *m, crd__holder *account, const crd_entry_record *entry, uint64_t to_come,
                                const char **why) {
    crd__memory_journal *journal = &account->journal;
    crd__past start = {0, 0, 0, 0, 0};
    crd__memory_chunk *chunk;
    uint64_t size;
    uint32_t *used;
    int flags;
    if (!journal->staging) memory_begin(journal);
    if (entry->seq <= journal->staged_last.seq) {
        *why = "a journal entry is not behind the last";
        return entry->seq == journal->staged_last.seq || crd__memory_has_entry(m, account, entry->seq)
                   ? CRD_OUTCOME_EXISTS
                   : CRD_OUTCOME_FAILED;
    }
    *why = "out of memory";
    if (journal->staged_count > 0) {
        chunk = journal->chunks[journal->staged_count - 1];
        used = journal->staged_count > journal->count ? &chunk->used : &journal->staged_used;
        flags = encode(m, entry, &journal->staged_last, journal->previous, &size);
        if (flags < 0) return CRD_OUTCOME_FAILED;
        if (sizeof *chunk + *used + head_size(size) + size <= chunk->capacity) {
            *used = memory_put(m, chunk, *used, flags, size);
            journal->staged_last = past_of(entry);
            journal->previous = entry;
            return CRD_OUTCOME_DONE;
        }
    }
    start.seq = entry->seq - 1;
    if (encode(m, entry, &start, NULL, &size) < 0) return CRD_OUTCOME_FAILED;
    chunk = new_chunk(m, journal, size + head_size(size), to_come);
    if (chunk == NULL || encode(m, entry, &start, NULL, &size) < 0) return CRD_OUTCOME_FAILED;
    chunk->first_seq = entry->seq;
    chunk->used = memory_put(m, chunk, 0, 0, size);
    journal->staged_last = past_of(entry);
    journal->previous = entry;
    return CRD_OUTCOME_DONE;
}

void crd__memory_journal_publish(crd__memory_journal *journal) {
    if (!journal->staging) return;
    if (journal->count > 0) journal->chunks[journal->count - 1]->used = journal->staged_used;
    journal->count = journal->staged_count;
    journal->last = journal->staged_last;
    journal->staging = 0;
}

void crd__memory_journal_undo(crd_memory *m, crd__memory_journal *journal) {
    if (!journal->staging) return;
    while (journal->staged_count > journal->count) {
        crd__memory_chunk *chunk = journal->chunks[--journal->staged_count];
        journal->bytes -= chunk->capacity;
        crd__memory_give(m, chunk, chunk->capacity);
    }
    journal->staging = 0;
}

/* Decodes the entry at `at`, of which `before` (NULL: none) is the one before it. Returns where the next begins, or
 * NULL when the bytes are not what was written. */
static const unsigned char *decode(const crd__holder *account, const unsigned char *at, char *text, uint64_t room,
                                   const crd__past *past, const crd_entry_record *before, crd_entry_record *entry) {
    uint32_t flags = *at++, shift = 0;
    uint64_t size = 0;
    do {
        size |= (uint64_t)(*at & 0x7fu) << shift;
        shift += 7;
    } while (*at++ & 0x80u);
    entry->struct_size = sizeof *entry;
    if (crd_record_decode(CRD_KIND_ENTRY, at, size, entry, text, room) != CRD_OK) return NULL;
    for (uint32_t i = 0; before != NULL && i < SHARED; i++)
        if (flags & UINT32_C(1) << i) memory_set_text(entry, i, text_of(before, i));
    entry->customer = account->owner->name;
    entry->currency = account->currency;
    entry->seq = plus(plus(entry->seq, past->seq), 1);
    entry->last_seq = plus(entry->last_seq, entry->seq);
    entry->instant = plus(entry->instant, past->instant);
    entry->business_date = plus32(entry->business_date, past->date);
    entry->writer ^= past->writer;
    entry->command += past->command;
    return at + size;
}

int crd__memory_entries(const crd_memory *m, const crd__holder *account, int64_t from, int64_t to, crd__visit visit,
                        void *ctx) {
    const crd__memory_journal *journal = &account->journal;
    crd_entry_record entries[2]; /* this one and the one before, by turns */
    uint32_t low = 0, high = journal->count;
    while (high - low > 1) { /* the last chunk that does not begin behind `from`, or the first */
        uint32_t middle = low + (high - low) / 2;
        if (journal->chunks[middle]->first_seq <= from) {
            low = middle;
        } else {
            high = middle;
        }
    }
    for (; low < journal->count && journal->chunks[low]->first_seq <= to; low++) {
        const crd__memory_chunk *chunk = journal->chunks[low];
        const unsigned char *at = chunk->data, *end = at + chunk->used;
        crd_entry_record *before = NULL;
        crd__past past = {0, 0, 0, 0, 0};
        past.seq = chunk->first_seq - 1;
        while (at < end) {
            crd_entry_record *entry = &entries[before == &entries[0]];
            /* Texts take no more than the bytes they came from, so they can lie at the same distance. */
            uint64_t distance = (uint64_t)(at - chunk->data);
            int result;
            at = decode(account, at, (char *)m->scratch + distance, m->scratch_size - distance, &past, before, entry);
            if (at == NULL) return -1;
            if (entry->seq > to) return 0;
            past = past_of(entry);
            before = entry;
            if (entry->seq < from) continue;
            result = visit(ctx, entry);
            if (result != 0) return result;
        }
    }
    return 0;
}
