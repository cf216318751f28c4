/*
 * Records as data: what the library does with any kind of record without knowing its fields by name.
 *
 * All of these respect the struct_size of the records they read: what a shorter one lacks counts as zero or "".
 * `kind` must be known.
 */
#ifndef CREDIT_CORE_RECORD_H
#define CREDIT_CORE_RECORD_H

#include <credit/record.h>

/* Zeroes a record of this version, sets its struct_size and makes every text "". */
void crd__record_clear(uint32_t kind, void *record);

/* Whether its texts are well-formed: a storage may emit what a person has written into its tables. */
int crd__record_text_good(uint32_t kind, const void *record);
/* Bytes that crd__record_copy() will take for the texts and bytes of a record. */
uint64_t crd__record_text_size(uint32_t kind, const void *record);

/* Copies a record into `to`, a struct of this version, and its texts and bytes to *cursor, which moves behind them. */
void crd__record_copy(uint32_t kind, const void *from, void *to, char **cursor);

/* 1 if all fields are equal; otherwise *first_difference (may be NULL) receives the first that is not. */
int crd__record_equal(uint32_t kind, const void *a, const void *b, const crd_field **first_difference);

/* Less than, equal to or greater than 0, as the key of `a` is to that of `b`; the order of crd_record_key(). */
int crd__record_compare_key(uint32_t kind, const void *a, const void *b);

const char *crd__record_customer(uint32_t kind, const void *record);
const char *crd__record_currency(uint32_t kind, const void *record);
/* The id of a document, the key of a request; "" for other kinds. */
const char *crd__record_id(uint32_t kind, const void *record);

/* 1 if one field of two records of this version is equal. */
int crd__field_equal(const crd_field *field, const void *a, const void *b);

/* Writes the canonical bytes of an entry of this version, those its hash covers, and gives their number. They always
 * fit when `capacity` is 400 more than the sizes of its texts and image; else it may be 0, and nothing is written. */
uint64_t crd__entry_canonical(const crd_entry_record *entry, uint8_t *out, uint64_t capacity);

/* 1 if no field that reaches beyond the first `size` bytes of the struct says anything. */
int crd__record_fits(uint32_t kind, const void *record, uint32_t size);

#endif
