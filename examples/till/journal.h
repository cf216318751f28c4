/*
 * A storage of the till's own: one append-only file, behind the two callbacks of credit_storage(3).
 *
 * Every batch is one frame: its length, two checksums, its changes as crd_record_encode() gives them. A power cut leaves at
 * most one frame that is not whole, at the end; it is cut off when the file is opened again, and was never acknowledged,
 * because a write says "done" only after fsync. All records are in memory too, sorted by crd_record_key().
 */
#ifndef TILL_JOURNAL_H
#define TILL_JOURNAL_H

#include "credit.h"

typedef struct journal journal;

/* Opens or makes the file, which nobody else may have open. NULL, with a sentence in *why, when it cannot be. */
journal *journal_open(const char *path, const char **why);
const crd_storage *journal_storage(journal *j);
void journal_close(journal *j);

/* For the test of power cuts: after that many bytes of frames, the process is gone in the middle of a write. */
extern long journal_cut;

#endif
