/* See journal.h. */
#if !defined(_WIN32) && !defined(_POSIX_C_SOURCE)
#define _POSIX_C_SOURCE 200809L
#define _XOPEN_SOURCE 700
#endif
#define _CRT_RAND_S
#include "journal.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef _WIN32
#include <io.h>
#include <share.h>
#define sync_file(file) _commit(_fileno(file))
#define cut_file(file, size) _chsize_s(_fileno(file), size)
#define open_alone(path, mode) _fsopen(path, mode, _SH_DENYRW)
#define sync_name(path) 1 /* NTFS keeps names in a log of its own */
#else
#include <fcntl.h>
#include <unistd.h>
#define sync_file(file) fsync(fileno(file))
#define cut_file(file, size) ftruncate(fileno(file), size)
static FILE *open_alone(const char *path, const char *mode) {
    FILE *file = fopen(path, mode);
    if (file == NULL || lockf(fileno(file), F_TLOCK, 0) == 0) return file;
    fclose(file);
    return NULL;
}
/* A new file is there after a power cut only when its directory is on the disk, too. */
static int sync_name(const char *path) {
    const char *slash = strrchr(path, '/');
    size_t length = slash == NULL ? 0 : slash == path ? 1 : (size_t)(slash - path);
    char *name = malloc(length + 2);
    int directory, done = 0;
    if (name == NULL) return 0;
    memcpy(name, length > 0 ? path : ".", length > 0 ? length : 1);
    name[length > 0 ? length : 1] = '\0';
    directory = open(name, O_RDONLY);
    free(name);
    if (directory < 0) return 0;
    done = fsync(directory) == 0;
    close(directory);
    return done;
}
#endif

#define FRAME 12  /* bytes in front of the changes: length, its checksum, theirs */
#define CHANGE 12 /* bytes in front of each: operation, kind, length of key, length of record */

typedef struct row {
    uint32_t kind, key_size, size;
    uint8_t *key, *bytes; /* both behind the row itself */
} row;

struct journal {
    crd_storage storage;
    FILE *file;
    long end;    /* behind the last whole frame */
    int broken;  /* what is on the disk is not known any more: open the file again */
    row **rows;  /* sorted by key; accounts come first, because their kind does */
    size_t count, room;
    uint8_t *frame; /* being put together */
    size_t frame_size, frame_room;
};

long journal_cut = -1;

/* ---- bytes ---- */

static void put32(uint8_t *to, uint32_t value) {
    for (int i = 0; i < 4; i++) to[i] = (uint8_t)(value >> (8 * i));
}

static uint32_t get32(const uint8_t *from) {
    return (uint32_t)from[0] | (uint32_t)from[1] << 8 | (uint32_t)from[2] << 16 | (uint32_t)from[3] << 24;
}

/* CRC-32 (ISO-HDLC), bit by bit: a till writes a few hundred bytes at a time. */
static uint32_t checksum(const uint8_t *bytes, size_t size) {
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < size; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++) crc = crc & 1 ? crc >> 1 ^ UINT32_C(0xedb88320) : crc >> 1;
    }
    return ~crc;
}

/* ---- rows ---- */

static int compare(const row *r, const uint8_t *key, uint32_t size) {
    int order = memcmp(r->key, key, r->key_size < size ? r->key_size : size);
    return order != 0 ? order : (r->key_size > size) - (r->key_size < size);
}

/* Where the row of a key is, or belongs. */
static size_t place(const journal *j, const uint8_t *key, uint32_t size, int *there) {
    size_t low = 0, high = j->count;
    *there = 0;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = compare(j->rows[middle], key, size);
        if (order == 0) *there = 1;
        if (order < 0) low = middle + 1;
        else high = middle;
    }
    return low;
}

static row *new_row(uint32_t kind, const uint8_t *key, uint32_t key_size, const uint8_t *bytes, uint32_t size) {
    row *r = malloc(sizeof *r + key_size + size);
    if (r == NULL) return NULL;
    r->kind = kind;
    r->key_size = key_size;
    r->size = size;
    r->key = (uint8_t *)(r + 1);
    r->bytes = r->key + key_size;
    memcpy(r->key, key, key_size);
    memcpy(r->bytes, bytes, size);
    return r;
}

static int make_room(journal *j, size_t more) {
    row **rows;
    if (j->count + more <= j->room) return 1;
    rows = realloc(j->rows, (2 * j->room + more) * sizeof *rows);
    if (rows == NULL) return 0;
    j->rows = rows;
    j->room = 2 * j->room + more;
    return 1;
}

/* Needs room for one row more. */
static void keep_row(journal *j, row *r) {
    int there;
    size_t at = place(j, r->key, r->key_size, &there);
    if (there) {
        free(j->rows[at]);
    } else {
        memmove(j->rows + at + 1, j->rows + at, (j->count - at) * sizeof *j->rows);
        j->count++;
    }
    j->rows[at] = r;
}

/* The changes of a frame, one after the other; 0 behind the last. */
static uint32_t next_change(const uint8_t *frame, uint32_t size, uint32_t at, const uint8_t **key, const uint8_t **record) {
    if (at + CHANGE > size || get32(frame + at + 4) > size - at - CHANGE ||
        get32(frame + at + 8) > size - at - CHANGE - get32(frame + at + 4))
        return 0;
    *key = frame + at + CHANGE;
    *record = *key + get32(frame + at + 4);
    return at + CHANGE + get32(frame + at + 4) + get32(frame + at + 8);
}

/* All of a frame, or nothing when there is no memory. */
static int keep_frame(journal *j, const uint8_t *frame, uint32_t size) {
    const uint8_t *key, *record;
    row **rows;
    size_t count = 0, made = 0;
    for (uint32_t at = 0; (at = next_change(frame, size, at, &key, &record)) != 0;) count++;
    rows = malloc((count + 1) * sizeof *rows);
    if (rows != NULL && make_room(j, count))
        for (uint32_t at = 0, end; (end = next_change(frame, size, at, &key, &record)) != 0; at = end) {
            rows[made] = new_row(frame[at + 1], key, get32(frame + at + 4), record, get32(frame + at + 8));
            if (rows[made] == NULL) break;
            made++;
        }
    for (size_t i = 0; i < made; i++) {
        if (made == count) keep_row(j, rows[i]);
        else free(rows[i]);
    }
    free(rows);
    return rows != NULL && made == count;
}

/* ---- the two callbacks ---- */

/* Every record of the kinds asked for, in the order of their keys: the library filters. */
static void CRD_CALL read_rows(void *ctx, const crd_query *query, crd_emit emit, void *sink, crd_read_result *out) {
    journal *j = ctx;
    int32_t stop = 0;
    for (size_t i = 0; i < j->count && !stop; i++) {
        const row *r = j->rows[i];
        uint64_t record[128]; /* room for any */
        uint32_t size = 0;
        char *text;
        if (!(query->kinds >> r->kind & 1)) continue;
        (void)crd_record_fields(r->kind, NULL, &size);
        memset(record, 0, sizeof record);
        memcpy(record, &size, sizeof size);
        text = malloc(r->size + 64);
        if (text == NULL || crd_record_decode(r->kind, r->bytes, r->size, record, text, r->size + 64) != CRD_OK) {
            free(text);
            snprintf(out->host_text, sizeof out->host_text, "a row of the till's journal cannot be read");
            out->outcome = CRD_OUTCOME_FAILED;
            out->proof = query->proof;
            return;
        }
        if (crd_query_matches(query, r->kind, record)) stop = emit(sink, r->kind, record);
        free(text);
    }
    out->outcome = CRD_OUTCOME_DONE;
    out->proof = query->proof;
}

static int64_t version_of(const journal *j, const crd_guard *guard) {
    crd_account_record account;
    uint8_t key[CRD_RECORD_KEY_SIZE];
    char text[4096];
    uint64_t size;
    size_t at;
    int there;
    memset(&account, 0, sizeof account);
    account.struct_size = sizeof account;
    account.customer = guard->customer;
    account.currency = guard->currency;
    if (crd_record_key(CRD_KIND_ACCOUNT, &account, key, sizeof key, &size) != CRD_OK) return -1;
    at = place(j, key, (uint32_t)size, &there);
    if (!there) return 0;
    if (crd_record_decode(CRD_KIND_ACCOUNT, j->rows[at]->bytes, j->rows[at]->size, &account, text, sizeof text) != CRD_OK)
        return -1;
    return account.version;
}

/* Adds a change to the frame. */
static int add_change(journal *j, const crd_change *change, const uint8_t *key, uint32_t key_size) {
    uint64_t size = 0;
    uint8_t *at;
    (void)crd_record_encode(change->kind, change->record, NULL, 0, &size);
    if (j->frame_size + CHANGE + key_size + size > j->frame_room) {
        size_t room = 2 * (j->frame_size + CHANGE + key_size + (size_t)size);
        uint8_t *frame = realloc(j->frame, room);
        if (frame == NULL) return 0;
        j->frame = frame;
        j->frame_room = room;
    }
    at = j->frame + j->frame_size;
    memset(at, 0, 4);
    at[0] = (uint8_t)change->operation;
    at[1] = (uint8_t)change->kind;
    put32(at + 4, key_size);
    put32(at + 8, (uint32_t)size);
    memcpy(at + CHANGE, key, key_size);
    if (crd_record_encode(change->kind, change->record, at + CHANGE + key_size, size, &size) != CRD_OK) return 0;
    j->frame_size += CHANGE + key_size + (size_t)size;
    return 1;
}

static int32_t check(journal *j, const crd_batch *batch, crd_write_result *out) {
    for (uint64_t i = 0; i < batch->guard_count; i++)
        if (version_of(j, batch->guards[i]) != batch->guards[i]->version) out->failed[out->failed_count++] = i;
    if (out->failed_count > 0) return CRD_OUTCOME_CONFLICT;
    j->frame_size = FRAME;
    for (uint64_t i = 0; i < batch->change_count; i++) {
        const crd_change *change = batch->changes[i];
        uint8_t key[CRD_RECORD_KEY_SIZE];
        uint64_t size;
        int there;
        if (crd_record_key(change->kind, change->record, key, sizeof key, &size) != CRD_OK) return CRD_OUTCOME_FAILED;
        (void)place(j, key, (uint32_t)size, &there);
        out->exists = i;
        if (there && change->operation == CRD_CHANGE_INSERT) return CRD_OUTCOME_EXISTS;
        if (!there && change->operation == CRD_CHANGE_UPDATE) return CRD_OUTCOME_FAILED;
        if (!add_change(j, change, key, (uint32_t)size)) return CRD_OUTCOME_FAILED;
    }
    put32(j->frame, (uint32_t)(j->frame_size - FRAME));
    put32(j->frame + 4, checksum(j->frame, 4));
    put32(j->frame + 8, checksum(j->frame + FRAME, j->frame_size - FRAME));
    return CRD_OUTCOME_DONE;
}

static size_t put_frame(journal *j) {
    if (journal_cut >= 0 && (size_t)journal_cut < j->frame_size) {
        fwrite(j->frame, 1, (size_t)journal_cut, j->file);
        fflush(j->file);
#ifdef _WIN32
        _exit(9);
#else
        raise(SIGKILL);
#endif
    }
    if (journal_cut >= 0) journal_cut -= (long)j->frame_size;
    return fwrite(j->frame, 1, j->frame_size, j->file);
}

/* On the disk first, then in memory. When the disk is full the file is cut back to where it was. */
static int32_t append(journal *j, crd_write_result *out) {
    if (!make_room(j, 1) || fseek(j->file, j->end, SEEK_SET) != 0) return CRD_OUTCOME_FAILED;
    if (put_frame(j) != j->frame_size || fflush(j->file) != 0) {
        out->host_error = errno;
        snprintf(out->host_text, sizeof out->host_text, "the till's journal: %s", strerror(errno));
        clearerr(j->file);
        if (cut_file(j->file, j->end) == 0) return CRD_OUTCOME_FAILED;
        j->broken = 1;
        return CRD_OUTCOME_UNKNOWN;
    }
    if (sync_file(j->file) != 0 || !keep_frame(j, j->frame + FRAME, (uint32_t)(j->frame_size - FRAME))) {
        j->broken = 1;
        return CRD_OUTCOME_UNKNOWN;
    }
    j->end += (long)j->frame_size;
    return CRD_OUTCOME_DONE;
}

static void CRD_CALL write_frame(void *ctx, const crd_batch *batch, crd_write_result *out) {
    journal *j = ctx;
    int32_t outcome = CRD_OUTCOME_FAILED;
    if (j->broken) snprintf(out->host_text, sizeof out->host_text, "the till's journal must be opened again");
    else outcome = check(j, batch, out);
    if (outcome == CRD_OUTCOME_DONE) outcome = append(j, out);
    out->outcome = outcome;
    out->proof = batch->proof;
}

/* ---- opening ---- */

/* Frame by frame. What is not whole at the end was cut off by the power, which leaves less of it than its length says, or
 * zeros; anything else is damage. A length has a checksum of its own, or one that is damaged would cut off all behind it. */
static const char *load(journal *j) {
    static const uint8_t zeros[FRAME];
    uint8_t head[FRAME];
    long size;
    if (fseek(j->file, 0, SEEK_END) != 0 || (size = ftell(j->file)) < 0) return "cannot be measured";
    rewind(j->file);
    while (size - j->end >= FRAME) {
        uint32_t length;
        if (fread(head, 1, FRAME, j->file) != FRAME) return "cannot be read";
        length = get32(head);
        if (memcmp(head, zeros, FRAME) == 0) break;
        if (checksum(head, 4) != get32(head + 4)) return "is damaged in the middle";
        if ((long)length > size - j->end - FRAME) break;
        if (length > j->frame_room) {
            uint8_t *frame = realloc(j->frame, length);
            if (frame == NULL) return "needs more memory than there is";
            j->frame = frame;
            j->frame_room = length;
        }
        if (fread(j->frame, 1, length, j->file) != length) return "cannot be read";
        if (length == 0 || checksum(j->frame, length) != get32(head + 8)) {
            if (j->end + FRAME + (long)length < size) return "is damaged in the middle";
            break;
        }
        if (!keep_frame(j, j->frame, length)) return "needs more memory than there is";
        j->end += FRAME + (long)length;
    }
    if (j->end < size && (cut_file(j->file, j->end) != 0 || sync_file(j->file) != 0)) return "cannot be cut back";
    return NULL;
}

/* Random bits of the system. A count of what is in the file would do until it is opened twice without a write between. */
static uint64_t CRD_CALL new_writer(void *ctx) {
    uint64_t number = 0;
    (void)ctx;
#ifdef _WIN32
    unsigned high = 0, low = 0;
    if (rand_s(&high) == 0 && rand_s(&low) == 0) number = (uint64_t)high << 32 | low;
#else
    FILE *random = fopen("/dev/urandom", "rb");
    if (random == NULL || fread(&number, sizeof number, 1, random) != 1) number = 0;
    if (random != NULL) fclose(random);
#endif
    return number;
}

journal *journal_open(const char *path, const char **why) {
    static const crd_storage empty = CRD_STORAGE_INIT;
    journal *j = calloc(1, sizeof *j);
    *why = "no memory";
    if (j == NULL) return NULL;
    j->file = open_alone(path, "r+b");
    if (j->file == NULL && errno == ENOENT) {
        j->file = open_alone(path, "w+b");
        *why = "cannot be made";
        if (j->file != NULL && !sync_name(path)) {
            journal_close(j);
            return NULL;
        }
    }
    *why = j->file != NULL ? load(j) : "cannot be opened, or another till has it open";
    if (*why != NULL) {
        journal_close(j);
        return NULL;
    }
    j->storage = empty;
    j->storage.flags = CRD_STORAGE_SETTLED;
    j->storage.ctx = j;
    j->storage.read = read_rows;
    j->storage.write = write_frame;
    j->storage.new_writer = new_writer;
    return j;
}

const crd_storage *journal_storage(journal *j) {
    return &j->storage;
}

void journal_close(journal *j) {
    if (j == NULL) return;
    for (size_t i = 0; i < j->count; i++) free(j->rows[i]);
    free(j->rows);
    free(j->frame);
    if (j->file != NULL) fclose(j->file);
    free(j);
}
