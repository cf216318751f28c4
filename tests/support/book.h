/*
 * A book: every record of a storage, read through its public callback and copied.
 *
 * Two books of the same storage tell whether a call changed anything (book_text() is canonical: records in order of
 * their text, every field named), and book_check() recomputes from the journal and the documents, in the most naive
 * way, what rule M1 and the totals of an account promise. It shares no code with the library.
 */
#ifndef TEST_BOOK_H
#define TEST_BOOK_H

#include <credit.h>

#include <stddef.h>

typedef struct book_item {
    uint32_t kind;
    void *record; /* struct of the kind; texts and bytes are copies */
    char *line;   /* kind and every field as text */
} book_item;

typedef struct book {
    book_item *items; /* sorted by line */
    size_t count;
} book;

/* A deep copy of any record, and how to free it. */
void *record_copy(uint32_t kind, const void *record);
void record_free(uint32_t kind, void *record);
/* One line: "credit customer=c1 id=k1 …"; to be freed. */
char *record_line(uint32_t kind, const void *record);

/* Reads everything; fails the test when the storage does not finish. */
book *book_read(const crd_storage *storage);
void book_free(book *book);
/* The whole book as text, to be freed. */
char *book_text(const book *book);

/* The record with these keys, or NULL. `number` is the seq of an entry. */
const crd_account_record *book_account(const book *book, const char *customer, const char *currency);
const crd_customer_record *book_customer(const book *book, const char *customer);
const crd_credit_record *book_credit(const book *book, const char *customer, const char *id);
const crd_invoice_record *book_invoice(const book *book, const char *customer, const char *id);
const crd_receipt_record *book_receipt(const book *book, const char *customer, const char *id);
const crd_entry_record *book_entry(const book *book, const char *customer, const char *currency, int64_t seq);
const crd_hold_record *book_hold(const book *book, const char *customer, const char *id);
const crd_request_record *book_request(const book *book, const char *customer, const char *key);
/* How many records of a kind. */
size_t book_count(const book *book, uint32_t kind);

/* The first identity that does not hold, as a sentence in a static buffer; NULL when all hold. */
const char *book_problem(const book *book);
/* Fails the test with that sentence. */
void book_check(const book *book);

#endif
