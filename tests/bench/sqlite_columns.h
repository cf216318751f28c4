/*
 * The columns of the tables that reconcile and apply read and write whole, as a program would name them: beside the
 * key. F stands for the first, a number of 32 bits without sign; U, I, L for numbers (unsigned, 32 and 64 bits), T
 * for text, H for a hash.
 */
#ifndef BENCH_SQLITE_COLUMNS_H
#define BENCH_SQLITE_COLUMNS_H

#define ACCOUNT_COLUMNS(F, U, I, L, T, H)                                                                     \
    F(switches) L(version) L(last_seq) H(last_hash) L(last_instant) L(acknowledged_seq) L(open_credits)       \
    L(open_invoices) L(credit_remaining) L(credit_held) L(credit_allocated) L(cash_remaining) L(available)    \
    L(invoice_open) L(credits_issued) L(issued) L(applied) I(turns_on) L(lapses_at)                     \
    I(usable_from) I(last_date)

#define CREDIT_COLUMNS(F, U, I, L, T, H)                                                                      \
    F(flags) T(currency) L(first_seq) L(last_seq) U(credit_class) U(kind) U(state) U(cause) I(issued)         \
    I(effective) I(expires) I(last_date) L(original) L(remaining) L(held) L(allocated) L(applied)             \
    L(applied_outside) L(applied_by_receipt) L(refunded) L(voided) L(reversed) L(expired) L(adjusted)         \
    L(transferred) L(deleted) L(tax) L(opening_original) L(opening_used) L(issued_at) I(priority)             \
    U(stands_for) U(pays_kinds) U(line_count) T(receipt) T(prefers) T(origin) T(source) T(reason) T(notes)    \
    T(method) T(payment_info) T(reference) L(reversed_own)

#define INVOICE_COLUMNS(F, U, I, L, T, H)                                                                     \
    F(flags) T(currency) L(first_seq) L(last_seq) U(kind) U(state) U(cause) U(revision) I(issued) I(due)      \
    I(last_date) U(line_count) L(total) L(open) L(applied) L(written_off) L(cancelled) L(allocated) L(tax)    \
    L(returned) L(opening_total) L(opening_used) L(issued_at) H(lines_digest) T(origin) T(reversed_by)        \
    T(reference) T(text)

/* "name, name, …" and "name=?, name=?, …" */
#define NAME_FIRST(name) #name
#define NAME_NEXT(name) "," #name
#define SET_FIRST(name) #name "=?"
#define SET_NEXT(name) "," #name "=?"
#define NAMES(columns) columns(NAME_FIRST, NAME_NEXT, NAME_NEXT, NAME_NEXT, NAME_NEXT, NAME_NEXT)
#define SETS(columns) columns(SET_FIRST, SET_NEXT, SET_NEXT, SET_NEXT, SET_NEXT, SET_NEXT)

/* Statements that read a row into `r` from column `at` on, or bind one from parameter `at` on. */
#define READ_U(name) r->name = (uint32_t)sqlite3_column_int64(statement, at++);
#define READ_I(name) r->name = sqlite3_column_int(statement, at++);
#define READ_L(name) r->name = sqlite3_column_int64(statement, at++);
#define READ_T(name) r->name = keep_text(statement, at++);
#define READ_H(name) memcpy(r->name, sqlite3_column_blob(statement, at++), 32);
#define BIND_L(name) sqlite3_bind_int64(statement, at++, r->name);
#define BIND_T(name) sqlite3_bind_text(statement, at++, r->name, -1, SQLITE_STATIC);
#define BIND_H(name) sqlite3_bind_blob(statement, at++, r->name, 32, SQLITE_STATIC);
#define READ_ROW(columns) columns(READ_U, READ_U, READ_I, READ_L, READ_T, READ_H)
#define BIND_ROW(columns) columns(BIND_L, BIND_L, BIND_L, BIND_L, BIND_T, BIND_H)

#endif
