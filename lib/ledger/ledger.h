/*
 * The first floor, private: what stands behind the handles.
 *
 * Terms:
 *   account   a snapshot of one account: its record as of some version, and the documents read at that version
 *   doc       a document of such a snapshot; a public handle points to one
 *   live      the newest snapshot of an account this ledger knows; one per account. Others are stale
 *   unit      the unit of work: what commands changed since it began, with the images to go back to
 *   command   one public mutating call; a unit of its own unless one is open
 *
 * Invariants:
 * 1. All records of a snapshot are those of its version `base`, plus the changes of the open unit.
 * 2. A record is changed only through crd__touch_doc() or crd__touch_account(), which save its image first, and by
 *    crd__fold(); so a refused command, and a unit given up, leave every record as it was.
 * 3. Nothing but unit.c calls the storage's write (crd__unit_keep(), crd__write_mark()), nothing but crd__read() its read.
 * 4. A snapshot lives while a handle, the unit or a plan refers to it. What is allocated for it is freed with it.
 */
#ifndef CREDIT_LEDGER_PRIVATE_H
#define CREDIT_LEDGER_PRIVATE_H

#include <credit.h>

#include "core/blake2b.h"
#include "core/decide.h"
#include "core/fold.h"
#include "core/record.h"
#include "ledger/arena.h"

typedef struct crd__account crd__account;

/* A document: the struct of its kind and its texts follow in the same block. */
typedef struct crd__doc {
    crd__account *account;
    void *record;
    uint32_t kind;
    uint8_t dirty;  /* changed by the open unit */
    uint8_t is_new; /* inserted by the open unit */
    uint8_t gone;   /* its insertion was given up */
    uint64_t saved; /* mark of the last saved image */
} crd__doc;

struct crd__account {
    crd__account *next; /* chain of the ledger's table */
    crd_ledger *ledger;
    crd__arena *arena; /* where records and texts live */
    crd__arena own;    /* arena of a snapshot that stands alone */
    uint64_t refs;
    int64_t base; /* version the storage had; 0: no such account */
    crd_account_record record;
    crd__list docs; /* crd__doc * */
    crd__index index; /* docs by kind and id, built when they are many */
    uint64_t saved;
    int64_t first_seq; /* first entry the open unit wrote */
    uint32_t rank;     /* number of its customer in the batch */
    uint32_t group;    /* number of the account in the batch */
    uint8_t live;
    uint8_t dirty;
    uint8_t guarded; /* the unit depends on its version */
    uint8_t lost;    /* independent unit: another writer was first, nothing of it was kept */
    uint8_t repeated; /* independent unit: its request key had been used */
};

/* All public handles are this. */
typedef struct crd__handle {
    crd_ledger *ledger;
    crd__doc *doc;
    struct crd__handle *freed; /* the next of those that were freed within a callback */
} crd__handle;
struct crd_credit { crd__handle handle; };
struct crd_invoice { crd__handle handle; };
struct crd_receipt { crd__handle handle; };
struct crd_hold { crd__handle handle; };
struct crd_customer { crd__handle handle; };

/* A journal entry of the unit, and the records it concerns; NULL where none. */
typedef struct crd__concerned {
    crd__account *account;
    crd__doc *customer, *credit, *invoice, *receipt, *hold;
    const void *image; /* CUSTOMER of one there is, CREDIT_CHANGE, REVISE: the record as it is to be; see core/fold.h */
    const crd_line_record *const *lines; /* those the entry gives its document; in the unit's arena */
    uint64_t line_count;
} crd__concerned;
typedef struct crd__entry {
    crd_entry_record record;
    crd__concerned on;
} crd__entry;

/* A request record of the unit, and the account it lies with. */
typedef struct crd__asked {
    crd_request_record record;
    crd__account *account;
} crd__asked;

/* A line the unit added or ended. One that is in the list twice is as the later says. */
typedef struct crd__lined {
    crd_line_record record;
    crd__account *account;
    int insert;
} crd__lined;

/* A record the unit changed, as it was. */
typedef struct crd__image {
    crd__account *account;
    void *record;
    const void *copy;
    uint32_t size;
    uint64_t *saved;
    uint64_t saved_before;
} crd__image;

typedef struct crd__unit {
    int open;     /* begun by the host; else a command is a unit of its own */
    crd__arena arena;
    crd__list accounts; /* crd__account *, dirty */
    crd__list guards;   /* crd__account *, guarded; may be dirty as well */
    crd__list docs;     /* crd__doc *, dirty */
    crd__list entries;  /* crd__entry * */
    crd__list requests; /* crd__asked * */
    crd__list lines;    /* crd__lined * */
    crd__list images;   /* crd__image * */
    uint64_t mark;      /* number of the command; images are saved once per mark */
} crd__unit;

typedef struct crd__counts {
    uint64_t accounts, guards, docs, entries, requests, images, lines;
} crd__counts;

#define CRD__TABLE 1024 /* chains of live snapshots */

struct crd_ledger {
    uint32_t flags;
    int busy; /* inside a callback of the host's */
    crd__handle *freed; /* by a callback, while the command that called it may work with them */
    crd_storage storage;
    crd_allocator allocator;
    crd_hooks hooks;
    crd_settings settings;
    crd_currency **currencies;
    uint64_t currency_count;
    uint64_t writer;
    uint64_t command; /* counter of commands */
    uint64_t proof;   /* counter of storage calls */
    crd_error error;
    char error_text[4][320]; /* message, customer, subject, host text */
    char error_currency[4];
    crd__unit unit;
    crd__arena scratch; /* results of one read; reset by the next call */
    crd__account *table[CRD__TABLE];
};

/* error.c */

/* Enters a public call: refuses a NULL or busy ledger, clears the error. */
crd_status crd__enter(crd_ledger *ledger);
crd_status crd__fail(crd_ledger *ledger, crd_status code, const char *message);
crd_status crd__fail_argument(crd_ledger *ledger, const char *field, const char *message);
crd_status crd__fail_subject(crd_ledger *ledger, crd_status code, uint32_t kind, const char *customer, const char *id,
                             const char *message);
crd_status crd__fail_refusal(crd_ledger *ledger, const crd__refusal *why, const char *customer, const char *currency);
/* The same, of an account. */
crd_status crd__refused(crd_ledger *ledger, const crd__refusal *why, const crd__account *account);
crd_status crd__fail_host(crd_ledger *ledger, crd_status code, const char *message, int64_t host_error,
                          const char *host_text);

/* arguments.c: what a caller may pass */

crd_status crd__check_id(crd_ledger *ledger, const char *field, const char *id);           /* host's: no leading ~ */
crd_status crd__check_any_id(crd_ledger *ledger, const char *field, const char *id);       /* may be derived */
crd_status crd__check_label(crd_ledger *ledger, const char *field, const char *text);      /* NULL or up to CRD_MAX_ID */
crd_status crd__check_text(crd_ledger *ledger, const char *field, const char *text);       /* NULL or up to CRD_MAX_TEXT */
crd_status crd__check_currency(crd_ledger *ledger, const char *currency);
crd_status crd__check_amount(crd_ledger *ledger, const char *field, int64_t amount, int64_t least);
crd_status crd__check_date_field(crd_ledger *ledger, const char *field, int32_t date);
const char *crd__or_empty(const char *text); /* NULL counts as "" */
/* Copies a host's struct into ours: the smaller size, the rest zero; refuses an unknown non-zero tail and a size below
 * that of version 1. */
crd_status crd__take_struct(crd_ledger *ledger, const char *field, void *to, uint32_t size, uint32_t least,
                            const void *from);
/* Copies ours into a host's struct, never past its struct_size. */
void crd__give_struct(void *to, const void *from);
crd_status crd__today(crd_ledger *ledger, int32_t asked, int32_t *out);

/* read.c: one read, copied and checked */

typedef struct crd__loaded {
    crd_ledger *ledger;
    const crd_query *query;
    crd__arena *arena;
    crd__list accounts; /* crd__account *, sorted by key; not live, refs 0 */
    crd__list docs;     /* crd__doc * of accounts read, customers included */
    crd__list rest;     /* crd__doc * of entries, requests, lines: no snapshot keeps them */
    crd__index index;   /* accounts */
    crd__account *last; /* account of the last document: they mostly come together */
    crd_status status;
    int lenient; /* verify wants to see records as they are */
    int cut;   /* accounts are complete: sorted and cut to the limit */
    int torn;  /* something was changed between two records */
} crd__loaded;

/* Reads what the query asks into `arena`; again, once, when the records do not belong to one version. */
crd_status crd__read(crd_ledger *ledger, crd_query *query, crd__arena *arena, crd__loaded *out);
/* The same without any check of what the records say, once. */
crd_status crd__read_as_is(crd_ledger *ledger, crd_query *query, crd__arena *arena, crd__loaded *out);
/* Shows every record that matches the query, as it is, without keeping any. `look` returns non-zero to stop. */
crd_status crd__scan(crd_ledger *ledger, crd_query *query,
                     int32_t (*look)(void *ctx, uint32_t kind, const void *record), void *ctx);
void crd__loaded_free(crd__loaded *loaded);
/* Hands every document read to its account; the caller frees the accounts' lists. */
crd_status crd__hand_over(crd_ledger *ledger, crd__loaded *loaded);
uint64_t crd__hash_account(const char *customer, const char *currency);
crd_query crd__query(uint32_t kinds, const char *customer, const char *currency);

/* snapshot.c: live snapshots and handles */

crd__account *crd__live(crd_ledger *ledger, const char *customer, const char *currency);
/* Makes what was read part of the live snapshots: of the same version the documents are added, of another one a new
 * snapshot begins. CRD_E_CONFLICT when the open unit has changed the older one. */
crd_status crd__adopt(crd_ledger *ledger, crd__loaded *loaded);
/* A live snapshot of an account the storage does not have. */
crd_status crd__account_new(crd_ledger *ledger, const char *customer, const char *currency, crd__account **out);
void crd__account_hold(crd__account *account);
void crd__account_drop(crd__account *account);
void crd__account_stale(crd__account *account);
/* The live snapshot of an account, if there is one, is not the newest any more. */
void crd__account_stale_live(crd_ledger *ledger, const crd_account_record *account);
crd__doc *crd__doc_find(crd__account *account, uint32_t kind, const char *id);
/* Adds a copy of a record; the snapshot must not have one of that id. */
crd_status crd__doc_add(crd__account *account, uint32_t kind, const void *record, crd__doc **out);
crd_status crd__handle_new(crd_ledger *ledger, crd__doc *doc, crd__handle **out);
void crd__handle_free(crd__handle *handle);
/* Frees what callbacks of an earlier command freed. */
void crd__handles_bury(crd_ledger *ledger);
crd_status crd__handle_find(crd_ledger *ledger, uint32_t kind, const char *customer, const char *id,
                            crd__handle **out);
crd_status crd__handle_refresh(crd__handle *handle);
/* Reads, adopts, and holds the live snapshots of the accounts read until crd__release(). */
crd_status crd__load(crd_ledger *ledger, crd_query *query, crd__list *held);
/* The same; `abroad` receives the documents that keys named but whose account none did: they lie with another currency.
 * They live in the scratch arena until the next read into it. */
crd_status crd__load_keys(crd_ledger *ledger, crd_query *query, crd__list *held, crd__list *abroad);
void crd__release(crd_ledger *ledger, crd__list *held);
const char *crd__doc_id(const crd__doc *doc);
/* First and last entry of a credit, invoice or receipt. */
void crd__doc_range(const crd__doc *doc, int64_t *first, int64_t *last);

/* unit.c: the unit of work */

crd_status crd__touch_doc(crd_ledger *ledger, crd__doc *doc);
crd_status crd__touch_account(crd_ledger *ledger, crd__account *account);
/* The unit depends on this account's version. */
crd_status crd__guard_account(crd_ledger *ledger, crd__account *account);
/* A new document of the unit, after crd__doc_add(). */
crd_status crd__touch_new(crd_ledger *ledger, crd__doc *doc);
crd__counts crd__unit_counts(const crd_ledger *ledger);
void crd__unit_back(crd_ledger *ledger, const crd__counts *to);
/* Keeps the unit in one write, resolves its outcome and tells the host's event hook; on failure every record is as it
 * was before the unit. With `independent`, accounts stand and fall on their own: those that another writer changed are
 * marked `lost`, those whose request key had been used `repeated`, and it is CRD_OK when no other failure happened. */
#define CRD__BY_CUSTOMER 2 /* of `independent`: all accounts of a customer stand and fall together */
crd_status crd__unit_keep(crd_ledger *ledger, int independent);
/* CRD_STORAGE_..., as of now. */
uint32_t crd__storage_flags(crd_ledger *ledger);
/* Writes an account's record as it is, but for marks that move no version. */
void crd__write_mark(crd_ledger *ledger, const crd_account_record *account, crd_write_result *result);
/* Ends the unit's bookkeeping: drops its references, empties its lists. */
void crd__unit_forget(crd_ledger *ledger);

/* command.c: what every mutating call has in common */

#define CRD__ARGUMENTS 28
typedef struct crd__argument {
    const char *name;
    const char *text; /* or NULL: the number */
    int64_t number;
} crd__argument;

/* What was read for many commands at once. */
typedef struct crd__page {
    crd__list held;     /* crd__account *: their accounts, live */
    crd__list requests; /* crd_request_record *: their keys that were used */
    crd__list strays;   /* crd__doc *: documents with their ids, of accounts that none of them is for */
} crd__page;

typedef struct crd__command {
    crd_ledger *ledger;
    const crd__page *page; /* instead of a read of its own; or NULL */
    uint32_t code;
    uint32_t flags; /* of the call, for authorize */
    crd_request request; /* a copy; its texts live in the unit's arena */
    int32_t date;
    int64_t instant;
    int own_unit;
    crd__counts before;
    crd__argument arguments[CRD__ARGUMENTS];
    uint32_t argument_count;
    const char *customer; /* of the account the request record lies with */
    const char *currency;
    uint32_t created_kind;
    const char *created_id;
    crd_result result;
    int answered; /* the request key had been used: `result` is the first one */
    const char *reused; /* in a unit, the key had been used with other content: the field that differs; or NULL */
    crd__handle *handles[2]; /* those the command was given */
} crd__command;

crd_status crd__command_begin(crd_ledger *ledger, const crd_request *request, uint32_t code, crd__command *out);
void crd__argument_text(crd__command *command, const char *name, const char *text);
/* Where "" means another thing than NULL. */
void crd__argument_change(crd__command *command, const char *name, const char *text);
void crd__argument_number(crd__command *command, const char *name, int64_t number);
/* After the arguments are checked: permission, feature of the ledger, and in a host's unit the request key. */
crd_status crd__command_allow(crd__command *command, const char *customer, const char *currency, const char *subject,
                              int64_t amount);
/* For an argument that time alone makes a bad one: CRD_OK when the command was done under its key before it was. */
crd_status crd__command_done(crd__command *command, const char *customer, const char *currency);
/* What "all" comes to, for authorize: what is available of a credit, and of that what the invoice or draft (or NULL)
 * takes. What holds keep counts when some may have lapsed: rather too much is told than too little. */
int64_t crd__command_all(const crd__command *command, const crd__doc *credit, const crd__doc *invoice);
/* For a command that finds nothing to do: whether its request key was used comes first all the same. */
crd_status crd__command_ask(crd__command *command);
/* The account's own switch. */
crd_status crd__command_feature(crd__command *command, const crd__account *account);
/* A handle of this ledger, to a document that exists. */
crd_status crd__command_handle(crd__command *command, crd__handle *handle, const char *field);
/* Fresh enough to decide on. */
crd_status crd__command_fresh(crd__command *command, const crd__account *account);
/* Customer and account of a new document; refuses an unknown customer and an id that is taken. */
crd_status crd__command_account(crd__command *command, const char *customer, const char *currency, uint32_t kind,
                                const char *id, crd__account **out);
/* The same of a customer whose accounts were read into `held`: its account, new if need be, as part of the unit. */
crd_status crd__command_settle(crd__command *command, const char *customer, const char *currency,
                               const crd__list *held, crd__account **out);
/* A document of that id, of any currency, that was read or that the open unit created; NULL when there is none. */
crd__doc *crd__command_taken(crd_ledger *ledger, const crd__list *held, uint32_t kind, const char *customer,
                             const char *id);
/* Ends the command with the status of its body: keeps it, or leaves the unit as it was; answers a request key. */
crd_status crd__command_end(crd__command *command, crd_status status);
/* The same, then gives the result. */
crd_status crd__command_finish(crd__command *command, crd_status status, crd_result *out);
/* The same, then gives a handle to the document created. */
crd_status crd__command_create(crd__command *command, crd_status status, uint32_t kind, crd__doc *doc,
                               const char *customer, crd__handle **out);
/* A command that was given no handle reads what it decides on by itself, and nobody has looked at a figure: when another
 * writer came between its read and its write, it is run once more, so often. Not in a unit or a transaction of the host's,
 * which stand on what they have read. */
#define CRD__TRIES 8
int crd__again(crd_ledger *ledger, crd_status status, uint32_t *tries);
crd__when crd__command_when(const crd__command *command, int direct);
/* The last day on which the command may not be dated, 0 when its request overrides that. */
int32_t crd__command_closed(const crd__command *command);

/* Writes one entry: folds it into the records and chains it. `entry` holds type, amount, date and what else the type
 * needs; administration and ids are filled in here. */
crd_status crd__write_entry(crd__command *command, const crd__concerned *on, crd_entry_record *entry);
/* Writes the moves of a decision. */
crd_status crd__write_moves(crd__command *command, const crd__concerned *on, const crd__decision *decision,
                            const char *reference, uint32_t flags);
/* Adds a new document to the account and writes the entry that creates it. `record` has everything but the sequences;
 * an id of NULL is derived. */
crd_status crd__write_document(crd__command *command, crd__concerned *on, uint32_t kind, void *record,
                               crd_entry_record *entry, crd__doc **out);
void crd__entry_clear(crd_entry_record *entry, uint32_t type, int32_t date);
/* "~" + currency + sequence, in the unit's arena. */
char *crd__derive_id(crd__command *command, const crd__account *account, int64_t seq);

/* as_of.c: the journal folded again, for verify and for reports of the past */

typedef struct crd__replay crd__replay;
struct crd__replay {
    crd_ledger *ledger;
    crd__account books; /* the replayed account and its documents, in an arena of the caller's */
    crd__arena *work;   /* what is needed for one entry only */
    /* Told of what cannot be, and the replay goes on; NULL: the replay fails as corrupt. */
    void (*differs)(void *ctx, const crd_entry_record *e, const char *field, const char *message);
    void *ctx;
};
void crd__replay_begin(crd__replay *replay, crd_ledger *ledger, const crd_account_record *of, crd__arena *arena,
                       crd__arena *work);
/* Folds one entry into the books, as if it came next. `after` receives it with the figures that the fold gives. */
crd_status crd__replay_entry(crd__replay *replay, const crd_entry_record *stored, crd_entry_record *after);
/* Frees the lists of the books; their records live on in the arena. */
void crd__books_free(crd_ledger *ledger, crd__account *books);

/* The journal of an account as it was known at an instant (0: now), oldest first. Entries of what was deleted as a
 * mistake, as far as that was known, are left out: no report shows them (rule M11). */
typedef struct crd__journal {
    crd_ledger *ledger;
    const crd_account_record *account;
    crd__list entries; /* crd_entry_record * */
} crd__journal;
crd_status crd__journal_read(crd_ledger *ledger, const crd_account_record *account, int64_t known_at,
                             crd__arena *arena, crd__journal *out);
void crd__journal_free(crd__journal *journal);
/* The account as of a business date (0: whatever the date): the fold of the entries dated on or before it. `books` lives
 * in `arena`, until crd__books_free(). `moved`, if given, has room for every entry of the journal and receives what
 * each changed the balance by, 0 for those left out. */
crd_status crd__as_of(const crd__journal *journal, int32_t date, crd__arena *arena, crd__arena *work,
                      crd__account *books, int64_t *moved);

/* holds.c: credit put aside, and what time takes back */

/* Enters what lapsed of a credit by the command's instant, and what of it has expired on the command's date, each on
 * its day, before the command touches it (rules M6, M7). It costs a read only when a hold may have lapsed. */
crd_status crd__enter_lapsed(crd__command *command, crd__doc *credit, const crd__when *when);
/* The same for a command that an expired credit is refused: then nothing is entered, and its decision refuses. */
crd_status crd__enter_lapsed_before_use(crd__command *command, crd__doc *credit, const crd__when *when);
/* The same as of an instant of the caller's, with flags for the entries; the holds of an account that is not live came
 * with it. */
crd_status crd__enter_lapsed_at(crd__command *command, crd__doc *credit, const crd__when *when, int64_t instant,
                                uint32_t flags);
/* Reads the holds of an account that are held into its live snapshot. */
crd_status crd__load_holds(crd_ledger *ledger, crd__account *account);
/* The held holds of a credit (or allocations of a draft) in the snapshot, oldest first, in the unit's arena. */
crd_status crd__list_holds(crd__account *account, const crd__doc *of, crd__doc ***out, uint64_t *count);
/* Releases (part of) a hold whose credit and draft are in the snapshot; amount 0: all. */
crd_status crd__release_hold(crd__command *command, crd__doc *hold, int64_t amount, int stays, const crd__when *when,
                             int64_t *released);
/* Releases every hold and allocation of a credit, newest first, with one date: `when` is raised to the latest of the
 * drafts. What is released of an expired credit stays: the caller's entries say what becomes of it. */
crd_status crd__release_holds(crd__command *command, crd__doc *credit, crd__when *when);
/* Takes what has lapsed off the credits among records that were read, which are copies: by `now` (0: not known), or
 * before `date`; `as_of` that date, what lapses on a later day has not. The sum of it. */
int64_t crd__lapse_view(const crd__list *docs, int32_t date, int64_t now, int as_of);
/* The instant of the clock, or 0 without one. */
int64_t crd__now(crd_ledger *ledger);
/* A credit and an invoice of one customer and currency. */
crd_status crd__same_account(crd_ledger *ledger, const crd__doc *credit, const crd__doc *invoice);

/* orders.c: credit allocated to drafts */

/* Releases allocations, newest first, until they fit below a new total, with one date: `when` is raised to the latest
 * of all that is touched. The amount is added to the command's result. */
crd_status crd__fit_allocations(crd__command *command, crd__doc *draft, int64_t total, crd__when *when);
/* Writes the posting of a draft; its allocations become applications, oldest first. */
crd_status crd__post_draft(crd__command *command, crd__doc *draft, const crd__decision *posting);

/* auto_apply.c, reconcile.c */

#define CRD__AUTO_FLAGS (CRD_ISSUE_APPLY | CRD_ISSUE_NO_APPLY)
/* Applies a new credit to the open invoices, or open credit to a new invoice, when the call's flags, else the customer,
 * else the ledger want it. Part of the command's unit. */
crd_status crd__auto_apply(crd__command *command, crd__doc *doc, uint32_t flags);
crd_status crd__check_auto_flags(crd_ledger *ledger, const char *field, uint32_t flags);
/* Applies what the reconcile of one document proposes, cash included, without a receipt. */
crd_status crd__apply_open(crd__command *command, crd__doc *doc);
/* The host's own order of credits or invoices: is there one, and its comparison of two of them. */
int crd__host_orders(const crd_ledger *ledger, uint32_t kind);
int crd__compare_by_host(const crd__doc *a, const crd__doc *b);
/* Changes in the unit so far. */
uint64_t crd__unit_changes(const crd_ledger *ledger);
/* The live snapshot of an account follows one that was written, decided on at `version`: handles stay valid. */
void crd__follow(crd_ledger *ledger, const crd__account *posted, int64_t version);
/* reconcile.c: what a reconcile of that date, with cash selected, would do to an account in hand; shows each item. */
crd_status crd__propose(crd_ledger *ledger, crd__account *account, int32_t date,
                        void (*look)(void *ctx, const crd_plan_item *item), void *ctx);

/* credits.c, bulk.c */

/* The body of an issue: checks what the caller passed, asks permission, and writes. */
crd_status crd__issue(crd__command *command, const char *customer, const crd_credit_terms *terms, crd__doc **doc);
/* Likewise of a receipt, in receipt_enter.c. */
crd_status crd__receipt_enter(crd__command *command, const char *customer, const crd_receipt_terms *terms, crd__doc **doc);
/* An id that a document of another account has. */
crd_status crd__page_taken(crd_ledger *ledger, const crd__page *page, uint32_t kind, const char *customer,
                           const char *id);

/* history.c: applications, and whatever else can be undone, are entries; this finds what is left of them */

typedef struct crd__application {
    int64_t seq;
    int64_t left; /* amount less what was undone */
    uint32_t type;  /* CRD_ENTRY_APPLY, REFUND, TRANSFER or WRITE_OFF */
    uint32_t flags;
    uint32_t cause;
    const char *credit, *invoice, *receipt;
    const char *other_customer, *other_id; /* TRANSFER: where it went */
    int64_t undoes; /* ADJUST_PIECE: its ADJUST; APPLY: the application it raises the amount of, 0: it is one of its own */
} crd__application;

/* What one credit, invoice or receipt did that can be undone, from entry `from` on (0: ever), of the types in `types` (a
 * set of CRD__BIT), oldest first, with what is left of each. They live in the scratch arena, until the next read into it. */
#define CRD__BIT(type) (UINT64_C(1) << (type))
crd_status crd__deeds(crd_ledger *ledger, const crd__account *account, const crd__doc *of, int64_t from, uint64_t types,
                      crd__application **out, uint64_t *count);
/* What an ADJUST did: the pieces it took, or the credit it made; likewise, but `left` is the whole amount of each. */
crd_status crd__pieces(crd_ledger *ledger, const crd__account *account, int64_t adjust, crd__application **out,
                       uint64_t *count);
/* The applications among them. */
crd_status crd__applications(crd_ledger *ledger, const crd__account *account, const crd__doc *of, int64_t from,
                             crd__application **out, uint64_t *count);
/* Undoes (part of) one application. */
crd_status crd__unapply(crd__command *command, crd__account *account, const crd__application *application,
                        int64_t amount, const crd__when *when, int64_t *undone);
/* Raises `latest` to the latest date of all the documents the applications touch: a cascade takes one date (rule M6). */
crd_status crd__latest(crd__command *command, crd__account *account, const crd__application *list, uint64_t count,
                       int32_t *latest);
/* holds.c: the same for one credit, with the lapses that will be entered before it is touched. */
crd_status crd__latest_of_credit(crd__command *command, const crd__doc *credit, int32_t *latest);
/* What of a credit's holds has lapsed and is not entered yet; raises `latest` to the last of their days. */
crd_status crd__foresee_lapses(crd__command *command, const crd__doc *credit, int32_t *latest, int64_t *lapsed);
/* write_off.c: what an invoice is settled by, undone */

/* Undoes (part of) one write-off; as crd__unapply(). */
crd_status crd__unwrite_off(crd__command *command, crd__account *account, const crd__application *write_off,
                            int64_t amount, const crd__when *when, int64_t *undone);
/* Makes `need` of what settles an invoice open again: write-offs are undone first, then applications, newest first, of
 * the last one a part (rule M12); with CRD__OWN_MEMOS_LAST those of memos that the invoice gave rise to come last. All
 * of it takes one date, the latest of what it touches, to which `when` is raised. `freed`, which may be NULL, is raised
 * by what went back to credits. There must be as much. */
#define CRD__OWN_MEMOS_LAST 1
crd_status crd__free_settled(crd__command *command, crd__doc *invoice, int64_t need, int flags, crd__when *when,
                             int64_t *freed);

/* lines.c: lines of a document. They live in no snapshot: a command that changes some reads all of them, checks them
 * against the digest in the document, and writes those it changed with the document's entry. */

typedef struct crd__line {
    crd_line_record record;
    int64_t returned_quantity, returned_amount, returned_tax; /* after crd__line_returns() */
    int insert;  /* added by the command */
    int changed; /* added or ended by it */
} crd__line;
typedef struct crd__lines {
    crd__line *items; /* items[n - 1] has number n; in the unit's arena */
    uint64_t count;
} crd__lines;

/* What the host passed, copied with its texts to the unit's arena and checked; `sum` is that of the amounts. */
crd_status crd__take_lines(crd_ledger *ledger, const char *field, const crd_line_terms *const *from, uint64_t count,
                           crd_line_terms **out, int64_t *sum);
/* Lines, and numbers of lines that end, as an argument of the command. */
void crd__argument_lines(crd__command *command, const char *name, const crd_line_terms *lines, uint64_t count,
                         const int64_t *ends, uint64_t end_count);
/* The lines of a credit or invoice, those of the open unit included. */
crd_status crd__read_lines(crd__command *command, const crd__doc *doc, crd__lines *out);
/* Appends lines to those there are, numbered behind them; a credit's are negated. */
crd_status crd__add_lines(crd__command *command, const crd__account *account, uint32_t kind, const char *id,
                          const crd_line_terms *terms, uint64_t count, uint32_t revision, crd__lines *lines);
/* Writes what changed with entry `seq`, which `on` is for, and gives the digest over all. */
crd_status crd__write_lines(crd__command *command, crd__concerned *on, crd__lines *lines, int64_t seq, uint8_t *digest);
/* Adds a line to a hash over lines; 0 when it is none that could be encoded. */
int crd__hash_line(crd__blake2b *hash, const crd_line_record *line);
/* What was returned of each of an invoice's lines, by memos of which not all was voided or deleted. */
crd_status crd__line_returns(crd__command *command, crd__doc *invoice, crd__lines *lines);

/* returns.c: memos that return an invoice */

/* The invoice that a memo returns or reverses, loaded; NULL when the credit is no such memo. Whatever takes from the
 * memo by voiding or deleting concerns it too, so that `returned` falls. */
crd_status crd__memo_invoice(crd__command *command, const crd__doc *credit, crd__doc **invoice);
/* "invoice/number", in the unit's arena. */
char *crd__line_origin(crd__command *command, const char *invoice, int64_t number);
/* Loads the invoice that a return is of; decides the return: amount, lines and tax. `lines` are the memo's own. */
crd_status crd__returned_invoice(crd__command *command, crd__account *account, const char *id, crd__doc **invoice);
crd_status crd__return_of(crd__command *command, crd__doc *invoice, crd_credit_record *memo, crd_line_terms *lines,
                          uint64_t count);

/* Makes sure the documents that the applications name are in the snapshot. */
crd_status crd__load_named(crd_ledger *ledger, crd__account *account, const crd__application *applications,
                           uint64_t count);

/* refund.c, transfer.c, adjust.c: what leaves a credit, and its way back. `named` holds the entry to undo; what is left
 * of it was found before. */

crd_status crd__undo_refund(crd__command *command, crd__account *account, const crd__application *named);
crd_status crd__undo_transfer(crd__command *command, crd__account *account, const crd__application *named,
                              int64_t amount);
/* Of an ADJUST whose amount is `left`. */
crd_status crd__undo_adjust(crd__command *command, crd__account *account, const crd__application *named);

/* reverse.c: money taken back */

/* Undoes a receipt whole, as entered in error. */
crd_status crd__undo_receipt(crd__command *command, crd__account *account, const char *id);
/* What was refunded or transferred of a payment comes back: where that bounced, the debit memo it left is cut by as
 * much, and what settles it is freed as far as need be. Raises `when` to the latest date of all it touches, which is also
 * to be the date of what comes back: so it is called first. */
crd_status crd__cut_debit_memo(crd__command *command, const crd__doc *credit, int64_t amount, crd__when *when);

#endif
