/*
 * A world to test in: one ledger on one storage, with a clock that stands still, and short words for commands.
 *
 * Terms:
 *   store   memory, an SQLite file in a directory of its own, or a PostgreSQL schema of its own (when there is a server
 *           to test against, see with_postgres.sh, and CREDIT_TEST_LONG or CREDIT_TEST_POSTGRES is set); most tests run
 *           once over each
 *   rival   a second ledger on the same records, as another process would have it
 *   day     a business date, counted from DAY(0), the day of the world's clock
 *
 * Every word that changes something asserts that it succeeded, and afterwards the whole book is read back and checked
 * against rule M1 (book.h). try_… words return the status instead.
 */
#ifndef TEST_WORLD_H
#define TEST_WORLD_H

#include <credit.h>

#include "support/book.h"
#include "support/shim.h"

#include <check.h>

#define STORE_MEMORY 0
#define STORE_SQLITE 1
#define STORE_POSTGRES 2
#define STORES world_stores()
/** The first of them: PostgreSQL where CREDIT_TEST_POSTGRES=only says that the others had their turn. */
#define FIRST_STORE world_first_store()

#define DAY_ZERO 20468 /* 2026-01-15 */
#define DAY(n) (DAY_ZERO + (n))

typedef struct world {
    int store;
    char directory[256], path[300];
    crd_memory *memory;
    void *sqlite[4]; /* crd_sqlite *: the world's and those of rivals */
    int sqlites;
    void *postgres[4]; /* crd_postgres *: likewise */
    int postgreses;
    void *traced; /* PGconn * */
    char schema[64];
    shim shim;           /* in front of the storage of `ledger` */
    crd_ledger *ledger;
    crd_ledger *rivals[3];
    int rival_count;
    int64_t now;
    int careless; /* 1: the book is not checked after every step (for long or broken books) */
    char *before; /* book as text, see world_remember() */
    crd_hooks hooks;
} world;

/* When set, what the first storage of a world in PostgreSQL says to its server and hears from it is written here (a
 * FILE *). CREDIT_TEST_UNPREPARED in the environment opens all of them without prepared statements. */
extern void *world_trace;
/* How many of the stores, from memory on, there are to run over. */
int world_stores(void);
int world_first_store(void);
world *world_open(int store);
/* With an allocator, settings, or hooks of the test's own (clock is filled in when NULL). */
world *world_open_with(int store, const crd_allocator *allocator, const crd_settings *settings, const crd_hooks *hooks);
void world_close(world *w);
/* Another ledger on the same records; closed with the world. */
crd_ledger *world_rival(world *w);
/* The storage itself, without the shim. */
const crd_storage *world_storage(const world *w);
book *world_book(const world *w);
/* Reads the book back, checks every identity; and crd_ledger_verify() by a ledger of its own. */
void world_check(world *w);
/* Remembers the book; fails the test when it is not the same any more. */
void world_remember(world *w);
void world_same(world *w, const char *what);

/* A request of the clerk; the newest eight stay valid. */
const crd_request *on(int day);
const crd_request *keyed(int day, const char *key);

/* ---- words; customer, currency "EUR" unless told ---- */
void customer(world *w, const char *id);
crd_credit *credit(world *w, const char *customer, const char *id, uint32_t kind, int64_t amount, int day);
crd_credit *memo(world *w, const char *customer, const char *id, int64_t amount, int day);
crd_credit *cash(world *w, const char *customer, const char *id, int64_t amount, int day);
crd_credit *promise(world *w, const char *customer, const char *id, int64_t amount, int day, int expires);
crd_invoice *invoice(world *w, const char *customer, const char *id, int64_t total, int day, int due);
crd_invoice *invoice_as(world *w, const char *customer, const char *id, uint32_t kind, int64_t total, int day, int due,
                        uint32_t flags);
/* A hold that lapses on a day (0: never) at the hour of the clock; with a draft, an allocation. Its id. */
void hold_credit(world *w, crd_credit *credit, crd_invoice *draft, const char *id, int64_t amount, int day, int lapses);
crd_hold_terms hold_terms(const char *id, int64_t amount, int lapses);
/* An instant, at noon of a day: that of the clock for day 0. */
int64_t noon(int day);
/* A request of a day, at its noon. */
const crd_request *at_noon(int day);
crd_hold *find_hold(crd_ledger *ledger, const char *customer, const char *id);
/* seq of the application */
int64_t apply(world *w, crd_credit *credit, crd_invoice *invoice, int64_t amount, int day);
int64_t undo(world *w, const char *customer, int64_t seq, int64_t amount, int day);
void void_credit(world *w, crd_credit *credit, int64_t amount, int day);
void void_invoice(world *w, crd_invoice *invoice, int day);
void send_invoice(world *w, crd_invoice *invoice, int day);
crd_plan_result reconcile(world *w, uint32_t flags, int day);

crd_status try_apply(crd_ledger *ledger, crd_credit *credit, crd_invoice *invoice, int64_t amount, uint32_t flags,
                     const crd_request *request, crd_result *out);
crd_status try_undo(crd_ledger *ledger, const char *customer, int64_t seq, int64_t amount, const crd_request *request,
                    crd_result *out);
/* Terms to start from. */
crd_credit_terms credit_terms(const char *id, uint32_t kind, int64_t amount);
crd_invoice_terms invoice_terms(const char *id, int64_t total);
crd_plan_spec plan_spec(uint32_t flags, int day);
crd_result result_block(void);
crd_plan_result plan_result_block(void);
crd_balance balance_of(crd_ledger *ledger, const char *customer, const char *currency, int day);

crd_credit *find_credit(crd_ledger *ledger, const char *customer, const char *id);
crd_invoice *find_invoice(crd_ledger *ledger, const char *customer, const char *id);
/* Stored figures, read from the storage. */
crd_credit_record stored_credit(world *w, const char *customer, const char *id);
crd_invoice_record stored_invoice(world *w, const char *customer, const char *id);

/* A call must end with this status; the error is shown when it does not. */
#define ENDS(ledger_, call, status_)                                                                                   \
    do {                                                                                                               \
        crd_status ends_ = (call);                                                                                     \
        ck_assert_msg(ends_ == (status_), "%s: %s instead of %s (%s)", #call, crd_status_name(ends_),                  \
                      crd_status_name(status_), crd_ledger_error(ledger_)->message);                                   \
        ck_assert_msg((ledger_) == NULL || (status_) == CRD_OK ||                                                      \
                          crd_ledger_error(ledger_)->code == (status_) || (status_) == CRD_E_BUSY,                     \
                      "%s: the error says %s", #call, crd_status_name(crd_ledger_error(ledger_)->code));               \
    } while (0)
#define OK(w, call) ENDS((w)->ledger, call, CRD_OK)

/* A call is refused with this status, and the book is the same afterwards. */
#define REFUSED(w, call, status_)                                                                                      \
    do {                                                                                                               \
        world_remember(w);                                                                                             \
        ENDS((w)->ledger, call, status_);                                                                              \
        world_same(w, #call);                                                                                          \
    } while (0)
/* …and the error of the last call has these figures. */
#define FIGURES(w, limit_, given_)                                                                                     \
    do {                                                                                                               \
        const crd_error *figures_ = crd_ledger_error((w)->ledger);                                                     \
        ck_assert_msg(figures_->limit == (limit_) && figures_->given == (given_),                                      \
                      "figures of %s: limit %lld, given %lld", crd_status_name(figures_->code),                        \
                      (long long)figures_->limit, (long long)figures_->given);                                         \
    } while (0)
#define FIELD(w, field_) ck_assert_str_eq(crd_ledger_error((w)->ledger)->field, field_)
#define SUBJECT(w, kind_, id_)                                                                                         \
    do {                                                                                                               \
        ck_assert_uint_eq(crd_ledger_error((w)->ledger)->subject_kind, kind_);                                         \
        ck_assert_str_eq(crd_ledger_error((w)->ledger)->subject, id_);                                                 \
    } while (0)

/* The main function of a test program: runs a suite, tells when SQLite is missing. */
int world_main(Suite *(*make)(void));

#endif
