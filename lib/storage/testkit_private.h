/*
 * How the conformance kit is built.
 *
 * 1. A claim is a function that is given a trial: an empty world, a model of what must be in it, and room for
 *    records. It calls the storage only through crd__tk_write() and crd__tk_read(), which compare with the model.
 * 2. The model is the most naive one: every record kept so far, sorted by key. A batch that was answered *done* goes
 *    into it, any other does not.
 * 3. Memory of a trial lives until the trial ends: a storage that keeps pointers of a batch reads what was there, and
 *    only the claim about that (W12) writes over it.
 * 4. The kit sees public headers only, and calls nothing of the C library but memory and string functions.
 */
#ifndef CREDIT_TESTKIT_PRIVATE_H
#define CREDIT_TESTKIT_PRIVATE_H

#include <credit.h>
#include <credit/testkit.h>

#include <stddef.h>

typedef union crd__tk_any {
    uint32_t struct_size;
    crd_account_record account;
    crd_customer_record customer;
    crd_credit_record credit;
    crd_invoice_record invoice;
    crd_receipt_record receipt;
    crd_hold_record hold;
    crd_line_record line;
    crd_entry_record entry;
    crd_request_record request;
} crd__tk_any;

/* ---- memory and text ---- */

/* 0 when `given` is not usable. */
int crd__tk_allocator(const crd_allocator *given, crd_allocator *out);

#define CRD__TK_TEXT 600

/* Text of bounded length: what does not fit is cut off. */
typedef struct crd__tk_text {
    char text[CRD__TK_TEXT];
    uint32_t length;
} crd__tk_text;

void crd__tk_clear(crd__tk_text *t);
void crd__tk_add(crd__tk_text *t, const char *more);
void crd__tk_number(crd__tk_text *t, int64_t number);
/* In quotes, cut short, bytes that are no ASCII as \xx. */
void crd__tk_quote(crd__tk_text *t, const char *text);
/* Names a record: credit "k1" of customer "c1". */
void crd__tk_name(crd__tk_text *t, uint32_t kind, const void *record);
/* A text made of up to three parts and two numbers: each % stands for the next number. */
void crd__tk_say(crd__tk_text *t, const char *format, int64_t first, int64_t second);
const char *crd__tk_outcome(int32_t outcome);

/* ---- records as data ---- */

uint32_t crd__tk_size(uint32_t kind);
/* Zero, struct_size set, every text "". */
void crd__tk_empty(uint32_t kind, void *record);
/* Bytes needed for a copy, struct, texts and bytes; and the copy. A text that is NULL is copied as "". */
uint64_t crd__tk_copy_size(uint32_t kind, const void *record);
void *crd__tk_copy(uint32_t kind, const void *record, void *to);
/* The first field that differs, or NULL. */
const crd_field *crd__tk_difference(uint32_t kind, const void *a, const void *b);
const char *crd__tk_customer(uint32_t kind, const void *record);
/* "" for a request. */
const char *crd__tk_currency(uint32_t kind, const void *record);
/* The id of a document, line or request; else "". */
const char *crd__tk_id(uint32_t kind, const void *record);
int64_t crd__tk_last_seq(uint32_t kind, const void *record);
/* What is wrong with the record as a struct, or NULL. */
const char *crd__tk_malformed(uint32_t kind, const void *record);

/* A storage as given, of whatever version; 0 when it cannot be called. */
int crd__tk_take_storage(const crd_storage *given, crd_storage *out);

/* ---- a trial ---- */

typedef struct crd__tk_row {
    uint32_t kind;
    uint16_t key_size;
    uint8_t key[CRD_RECORD_KEY_SIZE];
    uint64_t seen; /* number of the read that saw it last */
    const void *record;
} crd__tk_row;

typedef struct crd__tk_block {
    struct crd__tk_block *next;
    uint64_t used, size;
} crd__tk_block;

typedef struct crd__tk_run {
    const crd_testkit_factory *factory;
    crd_allocator allocator;
    crd_testkit_report report;
    void *ctx;
    crd_testkit_summary summary;
    int stopped;
} crd__tk_run;

#define CRD__TK_MOST_FINDINGS 16

typedef struct crd__tk {
    crd__tk_run *run;
    const crd_testkit_claim *claim;
    crd_testkit_world world;
    const crd_storage *storage; /* the one that crd__tk_write() and crd__tk_read() call */
    crd__tk_block *blocks;
    crd__tk_row **rows; /* the model */
    uint64_t count, capacity;
    uint64_t proof;
    uint64_t random;
    uint64_t reading; /* number of the read at hand */
    uint64_t findings;
    int nomem;
    int dead; /* the world is gone: nothing more can be tried */
    struct { /* what is given where there was no memory: it may be written to, and nobody reads it */
        crd_guard guard, *guards[66];
        crd_change change, *changes[66];
        crd__tk_any record;
        crd_account_record account;
        uint64_t failed[66];
    } spare;
} crd__tk;

/* Makes the spare parts. */
void crd__tk_open_spare(crd__tk *t);

/* Memory until the end of the trial. When there is none, up to 32 kB are given all the same, of a place that the next
 * such request gets too; nothing is read or written any more, and the run ends with CRD_E_NOMEM. NULL for more. */
void *crd__tk_take(crd__tk *t, uint64_t size);
const char *crd__tk_keep_text(crd__tk *t, const char *text);
/* prefix + number, such as "c17". */
const char *crd__tk_label(crd__tk *t, const char *prefix, int64_t number);
uint64_t crd__tk_next(crd__tk *t, uint64_t bound);

/* Reports a misbehaviour; the evidence is one line. */
void crd__tk_fail(crd__tk *t, const char *evidence);
void crd__tk_fail_text(crd__tk *t, const crd__tk_text *evidence);
/* Reports it when a condition does not hold. Gives the condition. */
int crd__tk_check(crd__tk *t, int condition, const char *evidence);

/* ---- batches ---- */

#define CRD__TK_GUARDS CRD_MAX_ACCOUNTS

typedef struct crd__tk_batch {
    crd__tk *t;
    crd_batch batch;
    crd_guard **guards;
    crd_change **changes;
    uint64_t guard_room, change_room;
    crd_write_result result;
    uint64_t *failed;
} crd__tk_batch;

/* Room for as many guards and changes. */
void crd__tk_batch_open(crd__tk *t, crd__tk_batch *b, uint64_t guards, uint64_t changes);
/* The version that the model knows is what the guard asks for; `version` is what the account gets. */
crd_guard *crd__tk_guard(crd__tk_batch *b, const char *customer, const char *currency, int64_t version);
/* Insert when the model does not know the key, else update. The record is copied. */
crd_change *crd__tk_change(crd__tk_batch *b, const void *record, uint32_t kind);
/* An account with a guard: one command that writes `entries` more journal entries. Gives the account record as it
 * will be; it may be changed until the batch is written. */
crd_account_record *crd__tk_command(crd__tk_batch *b, const char *customer, const char *currency, uint32_t group,
                                    uint32_t entries);
/* Sorts and writes it. Gives the outcome, CRD_OUTCOME_UNKNOWN when there was no proof. What was answered *done* is in
 * the model afterwards, but for groups with a failed guard. */
int32_t crd__tk_write(crd__tk_batch *b);
/* The same, where anything but *done* is a misbehaviour of the claim at hand. 1 when done. */
int crd__tk_write_done(crd__tk_batch *b);
/* The same, where anything but that outcome is. 1 when so. */
int crd__tk_write_is(crd__tk_batch *b, int32_t outcome, const char *because);

/* ---- the model ---- */

crd__tk_row *crd__tk_find(crd__tk *t, uint32_t kind, const void *record);
void crd__tk_put(crd__tk *t, uint32_t kind, const void *record);
int64_t crd__tk_version(crd__tk *t, const char *customer, const char *currency);
const crd_account_record *crd__tk_account(crd__tk *t, const char *customer, const char *currency);
/* Whether a storage must emit a row of the model. */
int crd__tk_wanted(crd__tk *t, const crd_query *query, const crd__tk_row *row);

/* ---- reading ---- */

/* What a claim looks at in a read. Whether it finished at all is always looked at. */
#define CRD__TK_MISSING 0x001u   /* R1 */
#define CRD__TK_TWICE 0x002u     /* R2 */
#define CRD__TK_LATE 0x004u      /* R3: an account after others */
#define CRD__TK_STRANGE 0x008u   /* R4: never kept */
#define CRD__TK_DIFFERENT 0x010u /* R5: another field */
#define CRD__TK_UNASKED 0x020u   /* R7: a kind not asked for */
#define CRD__TK_FORM 0x040u      /* R6: struct_size, NULL */
#define CRD__TK_STOPS 0x080u     /* R8: emitted after emit said stop */
#define CRD__TK_RESULT 0x100u    /* R9: proof and result block */

typedef struct crd__tk_reading {
    crd__tk *t;
    const crd_query *query;
    uint32_t looks;
    uint64_t emitted, stop_after; /* 0: never */
    int accounts_over, stopped;
    uint64_t said; /* misbehaviours so far */
    crd_read_result result;
    /* called for every record first, when set */
    void (*see)(void *ctx, uint32_t kind, const void *record);
    void *ctx;
} crd__tk_reading;

void crd__tk_query(crd__tk *t, crd_query *query, uint32_t kinds, const char *customer);
/* 1 when the read finished and nothing of what is looked at is wrong. */
int crd__tk_read(crd__tk *t, crd_query *query, uint32_t looks);
int crd__tk_read_with(crd__tk_reading *r, crd_query *query);
#define CRD__TK_ALL_KINDS 0x3feu
#define CRD__TK_CONTENTS (CRD__TK_MISSING | CRD__TK_TWICE | CRD__TK_STRANGE | CRD__TK_DIFFERENT)
/* The whole storage is what the model is. */
int crd__tk_compare(crd__tk *t, uint32_t looks);

/* ---- books to try things on ---- */

/* A record with ordinary contents that belong together, of an account that has or will have `seq` entries. */
void crd__tk_make(crd__tk *t, crd__tk_any *r, uint32_t kind, const char *customer, const char *currency,
                  const char *id, int64_t seq);
/* Customers, accounts in several currencies, open and closed documents, lines, journals, requests. 0 when the storage
 * did not keep it. */
int crd__tk_book(crd__tk *t);
extern const char *const crd__tk_customers[7];
extern const char *const crd__tk_currencies[3];

/* ---- claims ---- */

typedef void (*crd__tk_try)(crd__tk *t);

typedef struct crd__tk_entry {
    crd_testkit_claim claim;
    crd__tk_try try_it;
} crd__tk_entry;

extern const crd__tk_entry crd__tk_read_claims[], crd__tk_write_claims[], crd__tk_shared_claims[],
    crd__tk_ledger_claims[];
extern const uint64_t crd__tk_read_count, crd__tk_write_count, crd__tk_shared_count, crd__tk_ledger_count;

#endif
