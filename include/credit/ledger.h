/**
 * @file
 * The ledger: what a host opens on its storage, and the unit of work.
 *
 * A ledger handle belongs to one thread at a time; different handles are independent, also on the same records.
 * Calling a ledger from one of its own callbacks is refused with #CRD_E_BUSY.
 *
 * **Handles are snapshots.** A credit, invoice, receipt or customer handle shows the record as of the last read or
 * kept command. Handles of one account (customer and currency) on one ledger share one snapshot of the account: a
 * command moves it and every record it touched, so the others stay valid, and a command on fresh handles costs one
 * write and no read. When another writer changed the account, the next command on the handles is refused with
 * #CRD_E_CONFLICT; refresh the handle, look at the latest figures, decide again. A command that takes ids instead of
 * handles reads by itself, and nobody has looked at a figure: it is run again when another writer came in between, a few
 * times, and authorize is asked again. Not in an open unit, nor in a transaction of the host's.
 */
#ifndef CREDIT_LEDGER_H
#define CREDIT_LEDGER_H

#include <credit/storage.h>

CRD_BEGIN

/** An open ledger. */
typedef struct crd_ledger crd_ledger;

/** @name Commands: what authorize is asked about, and what a request record remembers
 * @{ */
#define CRD_COMMAND_CUSTOMER_ADD 1
#define CRD_COMMAND_CUSTOMER_CHANGE 2
#define CRD_COMMAND_CREDIT_ISSUE 3
#define CRD_COMMAND_CREDIT_APPLY 4
#define CRD_COMMAND_CREDIT_VOID 5
#define CRD_COMMAND_INVOICE_ENTER 6
#define CRD_COMMAND_INVOICE_SEND 7
#define CRD_COMMAND_INVOICE_VOID 8
#define CRD_COMMAND_UNDO 9
#define CRD_COMMAND_RECONCILE 10
#define CRD_COMMAND_CREDIT_REFUND 11
#define CRD_COMMAND_ADJUST 12
#define CRD_COMMAND_CREDIT_TRANSFER 13
#define CRD_COMMAND_CREDIT_DELETE 14
#define CRD_COMMAND_CREDIT_CHANGE 15
#define CRD_COMMAND_HOLD 16
#define CRD_COMMAND_CAPTURE 17
#define CRD_COMMAND_RELEASE 18
#define CRD_COMMAND_SWEEP 19
#define CRD_COMMAND_RECEIPT_ENTER 20
#define CRD_COMMAND_RECEIPT_REVERSE 21
#define CRD_COMMAND_INVOICE_REVISE 23
#define CRD_COMMAND_INVOICE_REVERSE 24
#define CRD_COMMAND_WRITE_OFF 25
#define CRD_COMMAND_APPLICATION_CHANGE 26
#define CRD_COMMAND_BULK_ISSUE 27
#define CRD_COMMAND_ACKNOWLEDGE 28
/** @} */

/** @name Flags of a request
 * @{ */
/** The command may be dated in a closed period: for it, no period is closed. Authorize sees the flag; it is a right of
 *  its own. A sweep refuses it, because nothing expires in a closed period. */
#define CRD_REQUEST_OVERRIDE_CLOSED 0x01u
/** @} */

/** Who asks for a change, when, and under which key. Every mutating call takes one. */
typedef struct crd_request {
    uint32_t struct_size;
    uint32_t flags;        /**< CRD_REQUEST_… */
    const char *actor;     /**< who; required, 1 to #CRD_MAX_ID bytes */
    const char *key;       /**< request key: makes the command happen once; NULL: none. May not begin with "~" */
    const char *note;      /**< free text kept with the entries; NULL: none */
    int64_t instant;       /**< when; 0: the ledger's clock is asked */
    int32_t business_date; /**< 0: the day of the instant, with the ledger's utc_offset_minutes */
    uint32_t reserved;
} crd_request;

/** What a command did. */
typedef struct crd_result {
    uint32_t struct_size;
    uint32_t repeated;  /**< 1: the request key was used before, and this is the first result again */
    int64_t first_seq;  /**< first entry written, in the journal of the account */
    int64_t last_seq;   /**< last entry written; 0: none was needed */
    int64_t amount;     /**< what was applied, voided, undone… in minor units */
    uint32_t warnings;  /**< CRD_WARN_…: it was done, but a person should know */
    uint32_t reserved;
} crd_result;

/** @name Warnings of a command
 * @{ */
/** A line was removed after the day of the sale. A return is told better by a credit memo that names the invoice
 *  (#CRD_ISSUE_RETURN): then the sale stays as it was, and the return has a day of its own. */
#define CRD_WARN_LINE_REMOVED 0x01u
/** English words for the warnings of a result, which say what to do another time. Static storage; never NULL. */
CRD_API const char *CRD_CALL crd_warning_text(uint32_t warnings);
/** @} */

/** What authorize is asked. Strings are valid until the callback returns. */
typedef struct crd_operation {
    uint32_t struct_size;
    uint32_t command; /**< CRD_COMMAND_… */
    const char *actor;
    const char *customer;
    const char *currency; /**< "" where no account is concerned */
    const char *subject;  /**< id of the document concerned, or "" when it is new */
    /** In minor units: the amount named; of a document, what is done with it all (its total, its original, what is not
     *  returned yet). Where the call says "all", what that comes to, as far as the handles show it and rather too much
     *  than too little. An adjustment tells its target, crd_undo() 0 for all, a run over many documents 0. */
    int64_t amount;
    uint32_t flags;       /**< those of the call, such as CRD_REFUND_OVERRIDE; an override may be a right of its own */
    uint32_t request_flags; /**< CRD_REQUEST_… of the request: a right to be asked for beside the command */
} crd_operation;

/** What happened, after it was kept. Records are valid until the callback returns; NULL where none is concerned. */
typedef struct crd_event {
    uint32_t struct_size;
    uint32_t reserved;
    const crd_entry_record *entry;
    const crd_account_record *account; /**< as kept by the command */
    const crd_credit_record *credit;
    const crd_invoice_record *invoice;
    const crd_receipt_record *receipt;
    const crd_hold_record *hold;
    const crd_customer_record *customer;
    /** Lines that the entry gave its document, by number; of a revision those it added and those it ended (ended_in
     *  not 0), of a credit memo negated. */
    const crd_line_record *const *lines;
    uint64_t line_count;
} crd_event;

/** Callbacks of the host, each of which may be NULL. */
typedef struct crd_hooks {
    uint32_t struct_size;
    uint32_t reserved;
    void *ctx;
    /** The time, in microseconds since 1970 UTC. If NULL, every request must carry its instant. */
    int64_t(CRD_CALL *clock)(void *ctx);
    /** Returns 0 to allow, anything else to refuse the command with #CRD_E_DENIED. If NULL, everything is allowed,
     *  unless the ledger was opened with #CRD_LEDGER_DENY. */
    int32_t(CRD_CALL *authorize)(void *ctx, const crd_operation *operation);
    /** Called once per entry, in order, after the write that kept it. Not called inside a host's transaction,
     *  which may yet roll back: read the entries behind `acknowledged_seq` after the commit instead. */
    void(CRD_CALL *event)(void *ctx, const crd_event *event);
    /** An order of allocation of the host's own, instead of the settings' keys (rule M15): negative when `a` goes first,
     *  positive when `b` does, 0 when the account's sequence decides. It must be consistent, and say the same in every
     *  process. Wherever credits or invoices of an account are used in order, it is asked. */
    int32_t(CRD_CALL *compare_credits)(void *ctx, const crd_credit_record *a, const crd_credit_record *b);
    int32_t(CRD_CALL *compare_invoices)(void *ctx, const crd_invoice_record *a, const crd_invoice_record *b);
} crd_hooks;

/** @name Keys of an order of allocation (rule M15)
 * The smaller value goes first; the account's sequence is always the last key, so the order is total.
 * @{ */
#define CRD_ORDER_DATE 1           /**< date of issue */
#define CRD_ORDER_PRIORITY 2       /**< credits: priority */
#define CRD_ORDER_EXPIRY 3         /**< credits: expiry date, those without one last */
#define CRD_ORDER_CLASS 4          /**< credits: promise, adjustment, memo, cash: what may be lost first */
#define CRD_ORDER_KIND 5           /**< by the number of the kind */
#define CRD_ORDER_EFFECTIVE 6      /**< credits: effective date */
#define CRD_ORDER_FINANCE_CHARGE 7 /**< invoices: finance charges first */
#define CRD_ORDER_DUE 8            /**< invoices: due date, or the issue date where none */
#define CRD_ORDER_KEYS 8           /**< most keys in an order */
/** @} */

/** @name What happens when a line is removed from a sale after its business day
 * @{ */
#define CRD_LINES_WARN 0   /**< it is removed, and the result has #CRD_WARN_LINE_REMOVED */
#define CRD_LINES_ALLOW 1  /**< it is removed */
#define CRD_LINES_REFUSE 2 /**< #CRD_E_WINDOW */
/** @} */

/** Settings a host may change while the ledger is open. Keeping several processes equal is the host's duty. */
typedef struct crd_settings {
    uint32_t struct_size;
    uint32_t feature_off;       /**< 1: commands are refused with #CRD_E_DISABLED; reading, verifying and sweeping work */
    int32_t closed_through;     /**< nothing is dated on or before this business date; 0: no period is closed. Sweep
                                     (crd_sweep()) with that date before closing through it, so that what expired in
                                     the period is dated in it */
    int32_t utc_offset_minutes; /**< where the business day begins, east of UTC positive; −1440 to 1440 */
    uint32_t credit_order[CRD_ORDER_KEYS];  /**< CRD_ORDER_…, ended by 0; all 0: by date */
    uint32_t invoice_order[CRD_ORDER_KEYS]; /**< CRD_ORDER_…, ended by 0; all 0: finance charge, due, date */
    uint32_t auto_apply;   /**< 1: a new credit, and an invoice when it is sent, are applied at once */
    int32_t delete_window; /**< days after its issue on which a mistake may still be deleted; 0: on that day only */
    uint32_t line_policy;  /**< CRD_LINES_…: removing a line of a sale after its day */
    uint32_t reserved;
} crd_settings;

/** @name Flags for opening
 * @{ */
#define CRD_LEDGER_DENY 0x01u /**< without an authorize hook, refuse every command */
/** @} */

/** How to open a ledger. Everything but `storage` may be zero. */
typedef struct crd_ledger_options {
    uint32_t struct_size;
    uint32_t flags;                 /**< CRD_LEDGER_… */
    const crd_storage *storage;     /**< required; copied */
    const crd_allocator *allocator; /**< copied; NULL: malloc */
    const crd_hooks *hooks;         /**< copied; NULL: none */
    const crd_settings *settings;   /**< copied; NULL: defaults */
    const crd_currency *const *currencies; /**< override or add exponents; copied */
    uint64_t currency_count;
    /** 64 bits no other open handle on these records has; 0: the storage is asked (new_writer). Entries carry it, so
     *  that equal commands of two writers are told apart after a lost connection. */
    uint64_t writer;
} crd_ledger_options;

/**
 * Opens a ledger on a storage.
 * @param options  see there
 * @param out      receives the ledger; close it with crd_ledger_close(). NULL on failure
 * @return #CRD_OK; #CRD_E_ARGUMENT (no storage, a missing callback, record sizes below version 1, no writer id);
 *         #CRD_E_STORAGE when the storage was asked for a writer id and had none; #CRD_E_NOMEM; #CRD_E_CURRENCY for a malformed override
 */
CRD_API crd_status CRD_CALL crd_ledger_open(const crd_ledger_options *options, crd_ledger **out);

/**
 * Closes the ledger: rolls back an open unit, and calls the storage's `close`, if given, exactly once.
 * Handles, plans and reports of it must have been freed before. NULL is allowed.
 */
CRD_API void CRD_CALL crd_ledger_close(crd_ledger *ledger);

/** The error of the last call on this ledger; code #CRD_OK when it succeeded. Never NULL. Valid until the next call
 *  on the ledger. For a NULL ledger: an error that says so. */
CRD_API const crd_error *CRD_CALL crd_ledger_error(const crd_ledger *ledger);

/** Replaces the settings. @return #CRD_OK, or #CRD_E_ARGUMENT naming the field; then the old ones stay. */
CRD_API crd_status CRD_CALL crd_ledger_configure(crd_ledger *ledger, const crd_settings *settings);

/** The exponent of a currency as this ledger knows it (its overrides, then ISO 4217). #CRD_E_CURRENCY if unknown. */
CRD_API crd_status CRD_CALL crd_ledger_exponent(crd_ledger *ledger, const char *currency, int32_t *out);

/**
 * Begins a unit of work: the commands that follow are kept together by crd_unit_commit(), or not at all.
 * Handles show the changes of the unit at once. Whatever reads the storage (balances, reports, plans) shows what is
 * kept, without them. A refused command leaves the unit as it was before it.
 * @return #CRD_OK; #CRD_E_UNIT when one is open
 */
CRD_API crd_status CRD_CALL crd_unit_begin(crd_ledger *ledger);

/**
 * Keeps the unit, in one write. Whatever it returns, the unit is over.
 * @return #CRD_OK; #CRD_E_UNIT when none is open; #CRD_E_CONFLICT, #CRD_E_STORAGE, #CRD_E_RESTART,
 *         #CRD_E_EXISTS, #CRD_E_TOO_LARGE, #CRD_E_KEY_REUSED: nothing was kept and handles show what they showed
 *         before the unit; #CRD_E_UNKNOWN
 */
CRD_API crd_status CRD_CALL crd_unit_commit(crd_ledger *ledger);

/** Gives the unit up: handles show what they showed before it; documents it created are gone. */
CRD_API crd_status CRD_CALL crd_unit_rollback(crd_ledger *ledger);

/**
 * Takes back what one journal entry did (rules M8, M14):
 * an application (CRD_ENTRY_APPLY), in whole or part, so that the money returns to the credit it came from and the
 * invoice is open again; a write-off (CRD_ENTRY_WRITE_OFF), in whole or part, because it was recovered;
 * or a receipt (CRD_ENTRY_RECEIPT), whole, because it was entered in error: what it applied and wrote off, and whatever
 * its own money did since. Nothing is applied anew.
 *
 * @param request   who and when
 * @param customer,currency,seq  the entry
 * @param amount    part of an application or write-off to take back; 0: all that is left of it
 * @param out       what was done: the amount taken back; may be NULL
 * @return #CRD_OK; #CRD_E_NOT_FOUND; #CRD_E_NOTHING when it was undone before; #CRD_E_STATE when it is not of a
 *         kind that can be undone, or the application that is the reversal of an invoice; #CRD_E_IN_USE for a receipt of whose money something is refunded or transferred (limit:
 *         how much): undo that first; #CRD_E_CREDIT_AMOUNT above what is left of it, #CRD_E_INVOICE_AMOUNT of a write-off;
 *         #CRD_E_CLOSED, #CRD_E_DATE and
 *         everything a command may return
 */
CRD_API crd_status CRD_CALL crd_undo(crd_ledger *ledger, const crd_request *request, const char *customer,
                                     const char *currency, int64_t seq, int64_t amount, crd_result *out);

/**
 * Marks the entries of an account up to `seq` as dealt with. A host that must hear of every entry, also of those kept just
 * before it crashed or inside its own transaction, reads #CRD_REPORT_UNACKNOWLEDGED, deals with each row, and
 * acknowledges: nothing is missed. What is told twice is recognised by account and seq: the mark is no part of the
 * journal, and a writer that had read the account before may put it back to where it was.
 *
 * It works while the feature is off; authorize is asked with an actor of "".
 *
 * @param currency  "" for the customer's own journal
 * @param seq       an entry of the account; one that is acknowledged already changes nothing
 * @return #CRD_OK; #CRD_E_NOT_FOUND when there is no such account or entry; #CRD_E_UNIT while a unit is open, or a
 *         transaction of the host's: acknowledge behind its commit;
 *         #CRD_E_CONFLICT when other writers never let go of it; #CRD_E_ARGUMENT; #CRD_E_DENIED; #CRD_E_STORAGE;
 *         #CRD_E_UNKNOWN: acknowledge again
 */
CRD_API crd_status CRD_CALL crd_acknowledge(crd_ledger *ledger, const char *customer, const char *currency, int64_t seq);

/** What verify found to be wrong. Strings are valid until the callback returns. */
typedef struct crd_finding {
    uint32_t struct_size;
    uint32_t kind; /**< kind of record */
    const char *customer;
    const char *currency;
    const char *id;       /**< document id, or "" */
    int64_t seq;          /**< entry concerned, or 0 */
    const char *field;    /**< field that differs, or "" */
    const char *message;  /**< one line for people */
    int64_t stored;       /**< the stored figure, where it is a number */
    int64_t expected;     /**< what the journal gives */
} crd_finding;

/** What to verify. */
typedef struct crd_verify_spec {
    uint32_t struct_size;
    uint32_t reserved;
    const char *customer; /**< only this one; NULL: the whole book */
    void *ctx;
    /** Called for each finding; return non-zero to stop. May be NULL. */
    int32_t(CRD_CALL *found)(void *ctx, const crd_finding *finding);
} crd_verify_spec;

/** What verify looked at. */
typedef struct crd_verify_result {
    uint32_t struct_size;
    uint32_t reserved;
    uint64_t accounts;
    uint64_t records;
    uint64_t entries;
    uint64_t findings;
} crd_verify_result;

/**
 * Proves that the books are intact: replays the journal of every account from its first entry, checks the hash chain,
 * every identity of rule M1, and compares the outcome with every field of every stored record.
 * @param spec  NULL: the whole book, no callback
 * @param out   receives the counts; may be NULL
 * @return #CRD_OK when nothing was found; #CRD_E_CORRUPT when something was; #CRD_E_CANCELLED; #CRD_E_STORAGE
 */
CRD_API crd_status CRD_CALL crd_ledger_verify(crd_ledger *ledger, const crd_verify_spec *spec, crd_verify_result *out);

CRD_END
#endif
