/*
 * The inside of the storage in memory, shared by its files:
 *
 *   memory.c          making and freeing one, its callback table
 *   memory_room.c     where bytes come from
 *   memory_book.c     customers, accounts and the records on their shelves
 *   memory_journal.c  the entries of one account
 *   memory_read.c     a query
 *   memory_write.c    a batch
 *
 * Terms. The *book* is all customers, in a hash table by name and in a list sorted by name. A customer has a
 * few *accounts*, sorted by currency, and a hash table of *items*. An item is one encoded record that is not an
 * entry and not an account; credits, invoices, receipts, holds and lines also stand on the *shelf* of their
 * account, those that are open in front.
 *
 * 1. An item never changes: an update puts a new one in its place. So a batch is first *staged* (everything that may
 *    fail is done, nothing of it can be found) and then *published* (nothing can fail) or undone.
 * 2. A customer or account without a record is a shell: it may be made while staging and stay when that fails, for no
 *    read passes it on.
 * 3. What the place of an item says is not stored in it again: a document's customer, id and currency are blank in
 *    its bytes and filled in when it is read.
 * 4. `scratch` holds any record of the book, encoded or its texts, and all texts of any chunk of a journal. So reading
 *    asks for no memory.
 */
#ifndef CREDIT_STORAGE_MEMORY_PRIVATE_H
#define CREDIT_STORAGE_MEMORY_PRIVATE_H

#include <credit/storage.h>

#include <stddef.h>

#define CRD__GRAIN 16     /* sizes of blocks are multiples of this */
#define CRD__BLOCK 4096   /* larger blocks come from the allocator one by one */
#define CRD__LEAF 510     /* customers in one leaf of the sorted list */
#define CRD__TEXTS 64     /* more than the text fields of any record, each of which may need a NUL */

#define CRD__DOCUMENTS (CRD_KIND_BIT_CREDIT | CRD_KIND_BIT_INVOICE | CRD_KIND_BIT_RECEIPT | CRD_KIND_BIT_HOLD)
#define CRD__SHELVED (CRD__DOCUMENTS | CRD_KIND_BIT_LINE)

typedef struct crd__item {
    struct crd__holder *account; /* on whose shelf it stands; NULL for a customer or request */
    uint32_t hash;
    uint32_t place;    /* on the shelf */
    uint32_t size;     /* of the encoded record */
    uint32_t capacity; /* of the block */
    uint16_t key_size;
    uint8_t kind;
    uint8_t state; /* of a document, and the bits below */
    unsigned char data[]; /* the key within the customer, then the encoded record */
} crd__item;
#define CRD__OPEN_BIT 0x80u    /* a document is open */
#define CRD__CLAIMED_BIT 0x40u /* the batch being staged replaces it */
#define CRD__STATE_BITS 0x3fu

/* Entries in order of seq, one behind the other; what is behind `used` is staged or nothing. */
typedef struct crd__memory_chunk {
    int64_t first_seq;
    uint32_t used;
    uint32_t capacity; /* of the block */
    unsigned char data[];
} crd__memory_chunk;

/* What the next entry is told as the difference from. */
typedef struct crd__past {
    int64_t seq;
    int64_t instant;
    uint64_t writer;
    uint64_t command;
    int32_t date;
} crd__past;

typedef struct crd__memory_journal {
    crd__memory_chunk **chunks;
    uint32_t count;
    uint32_t capacity;
    uint64_t bytes;
    crd__past last;
    /* While a batch is staged: */
    const crd_entry_record *previous; /* the entry staged before, if in the same chunk */
    crd__past staged_last;
    uint32_t staged_count;
    uint32_t staged_used; /* of the last chunk that is published */
    uint32_t staging;
} crd__memory_journal;

/* An account; the name leaves crd_account_record alone. */
typedef struct crd__holder {
    struct crd__customer *owner;
    crd_account_record record; /* version 0: a shell */
    crd__item **shelf;
    uint32_t count;
    uint32_t open; /* items in front that are open */
    uint32_t capacity;
    uint32_t staged; /* places the batch will take */
    crd__memory_journal journal;
    char currency[];
} crd__holder;

typedef struct crd__customer {
    uint32_t hash;
    uint32_t account_count;
    uint32_t account_capacity;
    uint32_t count;  /* items in slots */
    uint32_t size;   /* of slots: a power of two, or 0 */
    uint32_t staged; /* slots the batch will take */
    crd__holder **accounts;
    crd__item **slots;
    crd__item *record; /* the customer's own, or NULL */
    char name[];
} crd__customer;

typedef struct crd__leaf {
    uint64_t count;
    crd__customer *customers[CRD__LEAF];
} crd__leaf;

typedef struct crd__block {
    struct crd__block *next;
} crd__block;

/* In front of every block from the allocator. */
typedef struct crd__large {
    struct crd__large *next;
    struct crd__large *previous;
    uint64_t size;
    uint64_t reserved; /* keeps what follows aligned to CRD__GRAIN */
} crd__large;

/* What staging one change made. */
typedef struct crd__step {
    crd__customer *customer;
    crd__holder *account;
    crd__item *old;
    crd__item *fresh;
} crd__step;

struct crd_memory {
    crd_allocator allocator;
    crd_storage storage;
    uint64_t used;
    uint64_t writers; /* handed out */
    crd__large *larges;
    char *room; /* not yet handed out */
    uint64_t room_size;
    crd__block *spare[CRD__BLOCK / CRD__GRAIN + 1]; /* given back, by size */
    unsigned char *scratch;
    uint64_t scratch_size;
    crd__step *steps;
    uint64_t steps_size;
    crd__customer **table;
    uint32_t table_size;
    uint32_t customer_count;
    crd__leaf **leaves;
    uint32_t leaf_count;
    uint32_t leaf_capacity;
};

/* A record of any kind. */
typedef union crd__any {
    crd_account_record account;
    crd_customer_record customer;
    crd_credit_record credit;
    crd_invoice_record invoice;
    crd_receipt_record receipt;
    crd_hold_record hold;
    crd_line_record line;
    crd_entry_record entry;
    crd_request_record request;
} crd__any;

/* Names an item within its customer. */
typedef struct crd__name {
    const void *bytes;
    uint32_t size;
    uint32_t hash;
    uint32_t kind;
    unsigned char space[128]; /* the bytes of a line's name, if they are not found elsewhere */
} crd__name;

/* memory_room.c. Blocks are aligned to CRD__GRAIN; NULL when there is no memory. Give back with the same size. */
void *crd__memory_take(crd_memory *m, uint64_t size);
void crd__memory_give(crd_memory *m, void *block, uint64_t size);
uint64_t crd__memory_rounded(uint64_t size);
/* A larger block with the first `used` bytes of the old one, which is given back. */
void *crd__memory_grow(crd_memory *m, void *block, uint64_t used, uint64_t old_size, uint64_t size);
int crd__memory_scratch(crd_memory *m, uint64_t size);
void crd__memory_release(crd_memory *m);

/* memory_book.c */
uint32_t crd__memory_hash(uint32_t seed, const void *bytes, uint64_t size);
crd__customer *crd__memory_customer(const crd_memory *m, const char *name);
crd__customer *crd__memory_customer_make(crd_memory *m, const char *name);
crd__holder *crd__memory_account(const crd__customer *customer, const char *currency);
crd__holder *crd__memory_account_make(crd_memory *m, crd__customer *customer, const char *currency);
/* Names the item of a document, line or request; `id` as long as the name is used. 0 when no item can have it. */
int crd__memory_name(crd__name *name, uint32_t kind, uint32_t document_kind, const char *id, int64_t number);
crd__item *crd__memory_item(const crd__customer *customer, const crd__name *name);
int crd__memory_item_stage(crd_memory *m, crd__customer *customer);
int crd__memory_shelf_stage(crd_memory *m, crd__holder *account);
void crd__memory_item_publish(crd__customer *customer, crd__item *fresh, crd__item *old);
/* Walks the customers in order of name: set to the first at or behind `name`, then next. NULL at the end. */
typedef struct crd__walk {
    uint32_t leaf;
    uint32_t at;
} crd__walk;
crd__customer *crd__memory_first(const crd_memory *m, crd__walk *walk, const char *name);
crd__customer *crd__memory_next(const crd_memory *m, crd__walk *walk);

/* memory_journal.c. Staging returns an outcome: done, exists, failed with *why. The entry must stay where it is until
 * the batch is published or undone, and have the size of this version; `to_come` more of the account follow in the
 * batch. */
int crd__memory_has_entry(const crd_memory *m, const crd__holder *account, int64_t seq);
int32_t crd__memory_entry_stage(crd_memory *m, crd__holder *account, const crd_entry_record *entry, uint64_t to_come,
                                const char **why);
void crd__memory_journal_publish(crd__memory_journal *journal);
void crd__memory_journal_undo(crd_memory *m, crd__memory_journal *journal);
/* Hands the entries from seq `from` to `to` to `visit`, until that returns other than 0. Returns -1 when a stored
 * entry cannot be read, else what `visit` returned last. */
typedef int (*crd__visit)(void *ctx, const crd_entry_record *entry);
int crd__memory_entries(const crd_memory *m, const crd__holder *account, int64_t from, int64_t to, crd__visit visit,
                        void *ctx);

/* memory_read.c and memory_write.c: the callbacks. */
void CRD_CALL crd__memory_read(void *ctx, const crd_query *query, crd_emit emit, void *sink, crd_read_result *out);
void CRD_CALL crd__memory_write(void *ctx, const crd_batch *batch, crd_write_result *out);

#endif
