/**
 * @file
 * The records a ledger consists of, and their fields.
 *
 * A record is what a storage keeps: one struct per kind, append-only, the same on every machine. The library
 * writes records; a host reads them (through a handle, a report row or its own storage) and never edits one.
 *
 * Conventions of every record:
 * - `struct_size` is the size its writer was compiled with. A reader uses the smaller of that and its own; what is
 *   missing counts as zero or "".
 * - Text is UTF-8, NUL-terminated, bounded (see the limits below) and never NULL: absent is "".
 * - Amounts are int64_t in minor units of the record's currency; never negative unless the field says so.
 * - Business dates are int32_t days since 1970 (0 = none), instants int64_t microseconds since 1970 UTC (0 = none).
 * - `currency` and `last_seq` stand in every record but a request: a record whose `last_seq` exceeds that of the
 *   account it was read with was changed in between.
 * - Keys compare as unsigned bytes, field by field in the order of the key.
 *
 * crd_record_fields() describes the same structs as data, for storages and bindings that map fields to columns.
 */
#ifndef CREDIT_RECORD_H
#define CREDIT_RECORD_H

#include <credit/date.h>
#include <credit/money.h>
#include <credit/status.h>

CRD_BEGIN

/** @name Limits
 * Each bounds what one record, entry or batch can cost; lengths are bytes without the NUL.
 * @{ */
#define CRD_MAX_ID 63       /**< an id, label or method: fits one column and one cache line */
#define CRD_MAX_TEXT 1000   /**< a reason, note, name or reference: a paragraph, not a document */
#define CRD_MAX_KEY 63      /**< a request key */
#define CRD_MAX_RUN_KEY 59  /**< the key of a reconcile run: what a request key leaves beside "~" and the currency */
#define CRD_MAX_ACCOUNTS 1024  /**< accounts in one batch */
#define CRD_MAX_CHANGES 65536  /**< changes in one batch */
#define CRD_MAX_AMOUNT INT64_C(4000000000000000000) /**< one amount; sums beyond 64 bits are refused as overflow */
/** @} */

/** @name Kinds of record
 * The order of the numbers is the order in which a batch is sorted and a read is answered: the guard first.
 * @{ */
#define CRD_KIND_ACCOUNT 1
#define CRD_KIND_CUSTOMER 2
#define CRD_KIND_CREDIT 3
#define CRD_KIND_INVOICE 4
#define CRD_KIND_RECEIPT 5
#define CRD_KIND_HOLD 6
#define CRD_KIND_LINE 7
#define CRD_KIND_ENTRY 8
#define CRD_KIND_REQUEST 9
#define CRD_KIND_COUNT 10 /**< one more than the greatest kind of this version */
#define CRD_KINDS 16      /**< size of arrays indexed by kind, for ever */
/** @} */

/** The bit of a kind, for sets of kinds. */
#define CRD_KIND_BIT_ACCOUNT (UINT32_C(1) << CRD_KIND_ACCOUNT)
#define CRD_KIND_BIT_CUSTOMER (UINT32_C(1) << CRD_KIND_CUSTOMER)
#define CRD_KIND_BIT_CREDIT (UINT32_C(1) << CRD_KIND_CREDIT)
#define CRD_KIND_BIT_INVOICE (UINT32_C(1) << CRD_KIND_INVOICE)
#define CRD_KIND_BIT_RECEIPT (UINT32_C(1) << CRD_KIND_RECEIPT)
#define CRD_KIND_BIT_HOLD (UINT32_C(1) << CRD_KIND_HOLD)
#define CRD_KIND_BIT_LINE (UINT32_C(1) << CRD_KIND_LINE)
#define CRD_KIND_BIT_ENTRY (UINT32_C(1) << CRD_KIND_ENTRY)
#define CRD_KIND_BIT_REQUEST (UINT32_C(1) << CRD_KIND_REQUEST)

/** @name Classes and kinds of credit (rule M4)
 * @{ */
#define CRD_CLASS_CASH 1
#define CRD_CLASS_MEMO 2
#define CRD_CLASS_PROMISE 3
#define CRD_CLASS_ADJUSTMENT 4
#define CRD_CLASS_OPENING 5

#define CRD_CREDIT_PAYMENT 1        /**< cash: money received */
#define CRD_CREDIT_PREPAYMENT 2     /**< cash: received before any invoice */
#define CRD_CREDIT_DEPOSIT 3        /**< cash: received for an order; usually reserved */
#define CRD_CREDIT_OVERPAYMENT 4    /**< cash: more than was due */
#define CRD_CREDIT_UNAPPLIED_CASH 5 /**< cash: not yet matched to an invoice */
#define CRD_CREDIT_MEMO 6           /**< memo: credit memo for a return */
#define CRD_CREDIT_SERVICE 7        /**< memo: credit for a service */
#define CRD_CREDIT_ALLOWANCE 8      /**< memo: allowance granted on a sale */
#define CRD_CREDIT_REFUND_OWED 9    /**< memo: a refund that is owed */
#define CRD_CREDIT_REVERSED_INVOICE 10 /**< memo: the other half of a reversed invoice */
#define CRD_CREDIT_GOODWILL 11      /**< promise */
#define CRD_CREDIT_PROMOTIONAL 12   /**< promise */
#define CRD_CREDIT_LOYALTY 13       /**< promise */
#define CRD_CREDIT_REFERRAL 14      /**< promise */
#define CRD_CREDIT_ADJUSTMENT 15    /**< adjustment: an upward correction */
#define CRD_CREDIT_OPENING 16       /**< opening: brought in from an older system; `stands_for` tells the kind */
/** @} */

/** @name States of a credit (rule M5)
 * @{ */
#define CRD_CREDIT_ACTIVE 1
#define CRD_CREDIT_SPENT 2
#define CRD_CREDIT_VOIDED 3
/** @} */

/** @name What ended a document: the cause of its state
 * @{ */
#define CRD_CAUSE_NONE 0
#define CRD_CAUSE_APPLIED 1
#define CRD_CAUSE_VOIDED 2
#define CRD_CAUSE_EXPIRED 3
#define CRD_CAUSE_REVERSED 4
#define CRD_CAUSE_DELETED 5
#define CRD_CAUSE_REFUNDED 6
#define CRD_CAUSE_ADJUSTED 7
#define CRD_CAUSE_TRANSFERRED 8
#define CRD_CAUSE_WRITTEN_OFF 9
#define CRD_CAUSE_CANCELLED 10
#define CRD_CAUSE_UNDONE 11
#define CRD_CAUSE_TOLERANCE 12 /**< write-off: a small difference */
#define CRD_CAUSE_DISCOUNT 13  /**< write-off: early-payment discount */
/** @} */

/** @name Kinds and states of an invoice
 * @{ */
#define CRD_INVOICE_INVOICE 1
#define CRD_INVOICE_FINANCE_CHARGE 2
#define CRD_INVOICE_DEBIT_MEMO 3
#define CRD_INVOICE_FEE 4

#define CRD_INVOICE_DRAFT 1 /**< an order, or an invoice not yet sent: in no balance */
#define CRD_INVOICE_OPEN 2  /**< sent, posted: the same word */
#define CRD_INVOICE_PAID 3
#define CRD_INVOICE_WRITTEN_OFF 4
#define CRD_INVOICE_VOIDED 5
#define CRD_INVOICE_CANCELLED 6 /**< a draft that was given up */
/** @} */

/** @name States of a receipt and of a hold
 * @{ */
#define CRD_RECEIPT_POSTED 1
#define CRD_RECEIPT_UNDONE 2
#define CRD_RECEIPT_REVERSED 3
#define CRD_RECEIPT_DELETED 4

#define CRD_HOLD_HELD 1
#define CRD_HOLD_RELEASED 2
#define CRD_HOLD_CAPTURED 3
#define CRD_HOLD_LAPSED 4
/** @} */

/** @name Flags of documents
 * @{ */
#define CRD_FLAG_RESERVED 0x01u       /**< credit: a reserved deposit, used by hand only */
#define CRD_FLAG_NON_REFUNDABLE 0x02u /**< credit */
#define CRD_FLAG_TRANSFERRED_IN 0x04u /**< credit: came from another customer, was not issued here */
#define CRD_FLAG_DELETED 0x08u        /**< credit, receipt: entered by mistake; in no list, total or report */
#define CRD_FLAG_REVERSED 0x10u       /**< credit, receipt, invoice: its money was taken back */
#define CRD_FLAG_DISPUTED 0x20u       /**< invoice: left out by reconcile */
#define CRD_FLAG_OPENING 0x40u        /**< invoice, credit: brought in from an older system */
#define CRD_FLAG_OWN_DOCUMENT 0x80u   /**< made by the library; goes only by undoing its cause */
#define CRD_FLAG_REFUNDABLE 0x100u    /**< credit: refundable although its class is not */
#define CRD_FLAG_RETURN 0x200u        /**< credit: a memo that returns (part of) the invoice its origin names */
/** @} */

/** @name Switches of a customer; an account carries a copy
 * 0 means the ledger's setting decides.
 * @{ */
#define CRD_SWITCH_FEATURE_OFF 0x01u
#define CRD_SWITCH_AUTO_APPLY_ON 0x02u
#define CRD_SWITCH_AUTO_APPLY_OFF 0x04u
#define CRD_SWITCHES_KNOWN 0x07u
/** @} */

/** A customer. Key: customer. Its journal and guard are the account with currency "". */
typedef struct crd_customer_record {
    uint32_t struct_size;
    uint32_t switches;    /**< CRD_SWITCH_… */
    const char *customer; /**< the host's id */
    const char *currency; /**< always "" */
    int64_t first_seq;    /**< first entry, in the journal of currency "" */
    int64_t last_seq;     /**< last entry */
    const char *name;
    const char *category;
    const char *location;
    const char *parent; /**< customer this one is a site of, or "" */
    int64_t created_at; /**< instant of the first entry */
} crd_customer_record;

/**
 * An account: one customer in one currency, the unit of consistency. Key: customer, currency.
 *
 * Every command that changes anything of the account writes at least one entry and so changes the version.
 * The totals are sums over the account's documents, kept so that a balance costs one record.
 */
typedef struct crd_account_record {
    uint32_t struct_size;
    uint32_t switches; /**< the customer's switches as of the last entry that concerns them */
    const char *customer;
    const char *currency;     /**< ISO 4217 code; "" is the customer's own journal and carries no money */
    int64_t version;          /**< first 63 bits of last_hash; 0 stands for "no such account" and is never stored */
    int64_t last_seq;         /**< sequence of the last entry, from 1 without a gap */
    uint8_t last_hash[32];    /**< hash of the last entry: the end of the chain */
    int64_t last_instant;     /**< instant of the last entry; no later entry has an earlier one */
    int64_t acknowledged_seq; /**< last entry the host acknowledged */
    int64_t open_credits;     /**< number of credits with remaining > 0 */
    int64_t open_invoices;    /**< number of invoices with open > 0 */
    int64_t credit_remaining; /**< Σ remaining: the credit balance before expiry */
    int64_t credit_held;      /**< Σ held */
    int64_t credit_allocated; /**< Σ allocated to drafts */
    int64_t cash_remaining;   /**< Σ remaining of cash-class credit, opening cash included: the unearned part */
    int64_t available;        /**< Σ remaining − held − allocated of credits effective when issued: what is usable on
                                   dates from usable_from until before turns_on */
    int64_t invoice_open;     /**< Σ open of posted invoices; balance = invoice_open − credit_remaining */
    int64_t credits_issued;   /**< number of credits issued here and not deleted; not those brought in or transferred in */
    int64_t issued;           /**< Σ credited of those: of a payment, original less what its own receipt applies (rule M3) */
    int64_t applied;          /**< Σ applied of credits, net of what was undone, but by a payment's own receipt */
    int32_t turns_on;         /**< no credit turns usable or expires before this date, 0 = never; may be early */
    int32_t usable_from;      /**< no credit counted in `available` is effective later; may be late */
    int64_t lapses_at; /**< no hold lapses before this instant, 0 = never; may be early */
    int32_t last_date; /**< latest business date of its entries: as of that date or a later one it stands as it is stored */
    uint32_t reserved;
} crd_account_record;

/**
 * A credit: money owed to the customer. Key: customer, id.
 *
 * original = remaining + applied + refunded + voided + reversed + expired + adjusted + transferred + deleted;
 * what may be used is remaining − held − allocated ≥ 0 (rule M1).
 */
typedef struct crd_credit_record {
    uint32_t struct_size;
    uint32_t flags; /**< CRD_FLAG_… */
    const char *customer;
    const char *id;
    const char *currency;
    int64_t first_seq; /**< the entry that issued it */
    int64_t last_seq;  /**< the last entry that touched it: its history lies between the two */
    uint32_t credit_class; /**< CRD_CLASS_… */
    uint32_t kind;         /**< CRD_CREDIT_… */
    uint32_t state;        /**< CRD_CREDIT_ACTIVE, SPENT or VOIDED */
    uint32_t cause;        /**< what took the last of it, or CRD_CAUSE_NONE while Active */
    int32_t issued;        /**< business date of issue */
    int32_t effective;     /**< first date it is usable */
    int32_t expires;       /**< first date it is not usable any more; 0 = never */
    int32_t last_date;     /**< business date of its last entry */
    int64_t original;
    int64_t remaining;
    int64_t held;
    int64_t allocated;
    int64_t applied;            /**< to invoices and outside, net of what was undone */
    int64_t applied_outside;    /**< the part of applied without an invoice of this ledger */
    int64_t applied_by_receipt; /**< the part of applied that its own receipt applies */
    int64_t refunded;
    int64_t voided;
    int64_t reversed;
    int64_t expired;
    int64_t adjusted;
    int64_t transferred;
    int64_t deleted;
    int64_t tax;             /**< tax contained in original; carried, never computed */
    int64_t opening_original; /**< face amount in the older system; information only */
    int64_t opening_used;     /**< used in the older system; information only */
    int64_t issued_at;        /**< instant of issue */
    int32_t priority;         /**< smaller is spent first, where the order of allocation says so */
    uint32_t stands_for;      /**< opening: the CRD_CREDIT_… kind it stands for, else 0 */
    uint32_t pays_kinds;      /**< set of invoice kinds (1 << CRD_INVOICE_…) it is restricted to; 0 = any */
    uint32_t line_count;      /**< lines of a credit memo, numbered from 1 */
    const char *receipt;      /**< receipt that made it, or "" */
    const char *prefers;      /**< invoice it is to pay first, or "" */
    const char *origin;       /**< id of the document it came from, or "" */
    const char *source;       /**< label: "goodwill", "overpayment", the host's own… */
    const char *reason;       /**< shown to the customer */
    const char *notes;        /**< internal; never on what a customer sees */
    const char *method;       /**< payment method, for money received */
    const char *payment_info; /**< check number or free text, for money received */
    const char *reference;    /**< the host's reference */
    int64_t reversed_own;     /**< the part of reversed that its own receipt had applied: never credited (rule M3) */
    uint8_t lines_digest[32]; /**< BLAKE2b-256 over its lines as encoded; zero without lines */
} crd_credit_record;

/**
 * An invoice: money the customer owes. Key: customer, id.
 *
 * Once posted, total = open + applied + written_off + cancelled, each ≥ 0 (rule M1). A draft has open = 0.
 */
typedef struct crd_invoice_record {
    uint32_t struct_size;
    uint32_t flags; /**< CRD_FLAG_… */
    const char *customer;
    const char *id;
    const char *currency;
    int64_t first_seq;
    int64_t last_seq;
    uint32_t kind;     /**< CRD_INVOICE_INVOICE, FINANCE_CHARGE, DEBIT_MEMO or FEE */
    uint32_t state;    /**< CRD_INVOICE_DRAFT … CANCELLED */
    uint32_t cause;    /**< what ended it, or CRD_CAUSE_NONE */
    uint32_t revision; /**< 0, then one more with every revision */
    int32_t issued;    /**< business date of posting; of a draft, the date it was entered */
    int32_t due;       /**< 0 = none: the issue date counts */
    int32_t last_date; /**< business date of its last entry */
    uint32_t line_count; /**< lines it ever had, numbered from 1; those that were ended included */
    int64_t total;
    int64_t open;
    int64_t applied;
    int64_t written_off;
    int64_t cancelled;
    int64_t allocated; /**< draft: credit held for it; what is due of it is total − allocated */
    int64_t tax;
    int64_t returned; /**< Σ of memos linked to it, less what of them was voided or deleted */
    int64_t opening_total;
    int64_t opening_used;
    int64_t issued_at;
    uint8_t lines_digest[32]; /**< BLAKE2b-256 over its lines as encoded, by number; zero without lines */
    const char *origin;       /**< receipt behind a debit memo, or "" */
    const char *reversed_by;  /**< credit memo that reversed it, or "" */
    const char *reference;    /**< the host's reference, such as the customer's order number */
    const char *text;         /**< what it is for; shown to the customer */
    int64_t returned_tax;     /**< Σ tax of the memos behind `returned`, less the share of what was voided or deleted */
} crd_invoice_record;

/** A receipt: one payment event, of any amount including zero. Key: customer, id. */
typedef struct crd_receipt_record {
    uint32_t struct_size;
    uint32_t flags;
    const char *customer;
    const char *id;
    const char *currency;
    int64_t first_seq;
    int64_t last_seq;
    uint32_t state; /**< CRD_RECEIPT_… */
    uint32_t cause;
    int32_t received;  /**< business date */
    int32_t last_date; /**< business date of its last entry */
    int64_t posted_seq;   /**< last entry of the command that made it; what follows changed it */
    int64_t amount;       /**< money received; 0 when it only applies credits */
    int64_t applied;      /**< Σ its applications, net of what was undone */
    int64_t written_off;  /**< Σ write-offs made with it, net of what was undone */
    int64_t received_at;  /**< instant */
    const char *credit;   /**< the credit its money became, or "" when amount is 0 */
    const char *method;   /**< "adjustment" when amount is 0 */
    const char *payment_info;
    const char *reference;
    const char *run; /**< reconcile run that made it, or "" */
} crd_receipt_record;

/** A hold: part of a credit put aside, at checkout or for a draft. Key: customer, id. */
typedef struct crd_hold_record {
    uint32_t struct_size;
    uint32_t flags;
    const char *customer;
    const char *id;
    const char *currency;
    int64_t first_seq;
    int64_t last_seq;
    uint32_t state; /**< CRD_HOLD_… */
    uint32_t cause;
    int32_t held_on;   /**< business date */
    int32_t lapses_on; /**< business date of lapses_at, as the host gave it */
    int64_t lapses_at; /**< instant from which it does not count any more; 0 = never */
    int64_t amount;    /**< still held */
    int64_t captured;
    int64_t released;
    const char *credit;
    const char *invoice; /**< the draft it is allocated to, or "" */
    int32_t last_date;
    uint32_t reserved;
} crd_hold_record;

/** A line of a document. Key: customer, document kind, document id, number. Lines are never changed, only ended. */
typedef struct crd_line_record {
    uint32_t struct_size;
    uint32_t document_kind; /**< CRD_KIND_CREDIT or CRD_KIND_INVOICE */
    const char *customer;
    const char *id; /**< the document's id */
    const char *currency;
    int64_t number;   /**< from 1 */
    int64_t last_seq; /**< entry that added or ended it */
    int64_t quantity;   /**< thousandths; negative on a credit memo */
    int64_t unit_price; /**< thousandths of a minor unit; information, the amount decides */
    int64_t amount;     /**< minor units; negative on a credit memo */
    int64_t tax;        /**< minor units, same sign as amount */
    uint32_t added_in;  /**< revision that added it */
    uint32_t ended_in;  /**< revision that ended it; 0 = still there */
    const char *sku;
    const char *text;
    const char *origin; /**< line of an invoice that this one returns: "invoice id/number", or "" */
} crd_line_record;

/** @name Types of journal entry
 * What each does to the amounts is one page of code: lib/core/fold.c.
 * @{ */
#define CRD_ENTRY_CUSTOMER 1         /**< a customer was added or changed; image = the customer */
#define CRD_ENTRY_ISSUE 2            /**< a credit was issued; image = the credit */
#define CRD_ENTRY_APPLY 3            /**< credit to invoice; without an invoice: outside */
#define CRD_ENTRY_UNAPPLY 4          /**< undoes (part of) the APPLY it names */
#define CRD_ENTRY_VOID 5             /**< available credit was voided */
#define CRD_ENTRY_EXPIRE 6           /**< credit expired on its date */
#define CRD_ENTRY_REFUND 7           /**< credit was paid out */
#define CRD_ENTRY_UNREFUND 8         /**< undoes the REFUND it names */
#define CRD_ENTRY_ADJUST 9           /**< available credit was set to a figure; before/after in the entry */
#define CRD_ENTRY_ADJUST_PIECE 10    /**< downward: the part taken from one credit */
#define CRD_ENTRY_TRANSFER 11        /**< credit left for another customer, or went back there */
#define CRD_ENTRY_UNTRANSFER 12      /**< (part of) it came back */
#define CRD_ENTRY_REVERSE 13         /**< remaining of a bounced payment was taken back */
#define CRD_ENTRY_DELETE 14          /**< a credit was deleted as a mistake */
#define CRD_ENTRY_UNADJUST 16        /**< undoes the ADJUST_PIECE it names; an ADJUST of its own tells the figures */
#define CRD_ENTRY_CREDIT_CHANGE 15   /**< attributes of a credit changed, no amounts; image = the credit */
#define CRD_ENTRY_INVOICE 20         /**< an invoice or draft was entered; image = the invoice */
#define CRD_ENTRY_SEND 21            /**< a draft was posted; image = the invoice */
#define CRD_ENTRY_REVISE 22          /**< total or attributes changed; image = the invoice */
#define CRD_ENTRY_INVOICE_VOID 23    /**< the open rest was cancelled for good */
#define CRD_ENTRY_WRITE_OFF 24       /**< open was written off; cause tells bad debt, tolerance or discount */
#define CRD_ENTRY_UNWRITE_OFF 25     /**< undoes (part of) the WRITE_OFF it names */
#define CRD_ENTRY_CUT 26             /**< part of the library's own debit memo was cancelled */
#define CRD_ENTRY_RECEIPT 30         /**< a receipt was entered; image = the receipt */
#define CRD_ENTRY_RECEIPT_UNDO 31    /**< a receipt was undone whole: entered in error */
#define CRD_ENTRY_RECEIPT_REVERSE 32 /**< a payment bounced */
#define CRD_ENTRY_RECEIPT_DELETE 33  /**< a receipt was deleted as a mistake */
#define CRD_ENTRY_HOLD 40            /**< credit was held or allocated; image = the hold */
#define CRD_ENTRY_RELEASE 41         /**< (part of) a hold was given back */
#define CRD_ENTRY_LAPSE 42           /**< a hold lapsed */
#define CRD_ENTRY_CAPTURE 43         /**< (part of) a hold was given back to be applied: an APPLY follows */
#define CRD_ENTRY_SWITCHES 50        /**< the account took over the customer's switches */
/** @} */

/** @name Flags of an entry
 * @{ */
#define CRD_ENTRY_BY_OWN_RECEIPT 0x01u /**< applies (or frees) a payment's money within its own receipt */
#define CRD_ENTRY_AUTOMATIC 0x02u      /**< made by reconcile or auto-apply, not by hand */
#define CRD_ENTRY_CONSEQUENCE 0x04u    /**< follows from the command; nobody asked for it as such */
#define CRD_ENTRY_POSTS_RECEIPT 0x08u  /**< belongs to the command that made its receipt */
/** @} */

/**
 * A journal entry: insert-only, the truth the other records are folded from. Key: customer, currency, seq.
 *
 * The amounts before and after are `amount` together with `credit_after` and `invoice_after`. Entries that create
 * or change a document as such carry its full image, in the bytes of crd_record_encode().
 */
typedef struct crd_entry_record {
    uint32_t struct_size;
    uint32_t type; /**< CRD_ENTRY_… */
    const char *customer;
    const char *currency;
    int64_t seq;           /**< from 1 without a gap, per account */
    int64_t last_seq;      /**< equal to seq */
    uint8_t hash[32];      /**< BLAKE2b-256 over the previous entry's hash and this entry's canonical bytes */
    int64_t instant;       /**< never earlier than the previous entry's */
    int32_t business_date;
    uint32_t flags;     /**< CRD_ENTRY_BY_OWN_RECEIPT … */
    uint64_t writer;    /**< the ledger handle that wrote it */
    uint64_t command;   /**< that handle's counter of commands */
    int64_t amount;     /**< what moved; ≥ 0 */
    int64_t credit_after;  /**< remaining of the credit afterwards */
    int64_t invoice_after; /**< open of the invoice afterwards */
    const char *credit;
    const char *invoice;
    const char *receipt;
    const char *hold;
    const char *actor;
    const char *note;      /**< free text of the command; a reference or reason */
    const char *reference; /**< of an application: the host's reference; of a revision: its reason; of a
                                reversal, and of what it takes back of the payment: its reason */
    int64_t undoes;        /**< seq of the entry this one undoes, in whole or part; ADJUST_PIECE, or ISSUE of an
                                adjustment: its ADJUST; APPLY: the application whose amount it raises; 0 = none */
    uint32_t cause;        /**< CRD_CAUSE_… where a type has several */
    uint32_t reserved;
    int64_t figure_before; /**< ADJUST: available credit before; may exceed after. REVISE: total before */
    int64_t figure_after;  /**< ADJUST: available credit asked for. REVISE: total afterwards */
    const char *method;    /**< ADJUST, REFUND: payment method or label */
    const char *other_customer; /**< TRANSFER: the other side */
    const char *other_id;       /**< TRANSFER: the credit there */
    const uint8_t *image;       /**< crd_record_encode() of the document, or NULL */
    uint64_t image_size;
} crd_entry_record;

/** That a request key was used. Key: customer, request key. Insert-only. */
typedef struct crd_request_record {
    uint32_t struct_size;
    uint32_t command; /**< CRD_COMMAND_… */
    const char *customer;
    const char *request_key;
    const char *currency; /**< account the command wrote to */
    int64_t first_seq;    /**< its first entry there; 0 when it wrote none */
    int64_t last_seq;     /**< its last entry there */
    uint8_t digest[32];   /**< over command and arguments as asked */
    const uint8_t *parts; /**< four bytes of digest per argument, to name the one that differs */
    uint64_t parts_size;
    uint32_t created_kind; /**< kind of the record it created, or 0 */
    uint32_t warnings;     /**< CRD_WARN_… it reported */
    const char *created_id; /**< id of the record it created or changed, or "" */
    int64_t result;         /**< the amount it reported, such as what was applied */
} crd_request_record;

/** @name Types of field
 * @{ */
#define CRD_FIELD_U32 1     /**< uint32_t */
#define CRD_FIELD_I32 2     /**< int32_t */
#define CRD_FIELD_DATE 3    /**< int32_t, days since 1970, 0 = none */
#define CRD_FIELD_I64 4     /**< int64_t */
#define CRD_FIELD_U64 5     /**< uint64_t, uses all bits */
#define CRD_FIELD_INSTANT 6 /**< int64_t, microseconds since 1970 UTC, 0 = none */
#define CRD_FIELD_MINOR 7   /**< int64_t, minor units */
#define CRD_FIELD_TEXT 8    /**< const char *, never NULL */
#define CRD_FIELD_HASH 9    /**< uint8_t[32] */
#define CRD_FIELD_BYTES 10  /**< const uint8_t *, with its uint64_t length at size_offset */
/** @} */

#define CRD_FIELD_KEY 0x01u /**< flag: part of the record's key, in the order of the fields */

/** One field of a record. Fields are listed in a fixed order; later versions append. */
typedef struct crd_field {
    uint32_t struct_size;
    uint32_t type;        /**< CRD_FIELD_… */
    uint32_t flags;       /**< CRD_FIELD_KEY */
    uint32_t offset;      /**< within the struct */
    uint32_t size_offset; /**< CRD_FIELD_BYTES: where the length is */
    uint32_t reserved;
    const char *name;
} crd_field;

/**
 * The fields of a kind of record, without struct_size and padding, and the struct's size.
 * @param kind       CRD_KIND_…
 * @param count      receives the number of fields; may be NULL
 * @param size       receives sizeof the struct in this version; may be NULL
 * @return an array of pointers in static storage, or NULL for an unknown kind
 */
CRD_API const crd_field *const *CRD_CALL crd_record_fields(uint32_t kind, uint64_t *count, uint32_t *size);

/** The name of a kind, such as "credit"; "?" for an unknown one. Static storage. */
CRD_API const char *CRD_CALL crd_kind_name(uint32_t kind);

/** The name of an entry type, such as "apply"; "?" for an unknown one. Static storage. */
CRD_API const char *CRD_CALL crd_entry_name(uint32_t type);

/**
 * Writes the key of a record as bytes that sort (as unsigned bytes, shorter first when one is a prefix) exactly as
 * the records do: kind, customer, then the rest of the key. Records of one customer are neighbours.
 *
 * @param capacity  bytes at `out`; CRD_RECORD_KEY_SIZE always suffices
 * @param out_size  receives the length, also when the buffer is too small
 * @return #CRD_OK; #CRD_E_ARGUMENT; #CRD_E_TOO_LARGE when capacity does not suffice (nothing is written)
 */
CRD_API crd_status CRD_CALL crd_record_key(uint32_t kind, const void *record, uint8_t *out, uint64_t capacity,
                                           uint64_t *out_size);
#define CRD_RECORD_KEY_SIZE 256 /**< bytes that hold any key */

/**
 * Encodes a record as bytes that every version can read: fields that are zero or "" take no room, and fields a
 * reader does not know are skipped. The key is included.
 *
 * @return as crd_record_key(); with out = NULL and capacity = 0 it only measures
 */
CRD_API crd_status CRD_CALL crd_record_encode(uint32_t kind, const void *record, uint8_t *out, uint64_t capacity,
                                              uint64_t *out_size);

/**
 * Decodes what crd_record_encode() wrote into the host's struct, never past its `struct_size`.
 * Text and byte fields point into `text`, so the record is valid as long as that buffer is.
 *
 * @param record    struct of the kind, its struct_size set by the caller; everything else is overwritten
 * @param text      buffer for the texts; `size` + number of text fields bytes always suffice
 * @return #CRD_OK; #CRD_E_ARGUMENT; #CRD_E_TOO_LARGE when text is too small; #CRD_E_CORRUPT when the bytes are not
 *         a record of that kind (the record is then zeroed, its texts "")
 */
CRD_API crd_status CRD_CALL crd_record_decode(uint32_t kind, const uint8_t *bytes, uint64_t size, void *record,
                                              char *text, uint64_t text_capacity);

/** The version that an entry's hash gives its account: the first 63 bits, never 0. */
CRD_API int64_t CRD_CALL crd_entry_version(const uint8_t *hash);

/**
 * The hash of an entry: BLAKE2b-256 (RFC 7693) over `previous` (32 bytes) and the entry's canonical bytes, which
 * are crd_record_encode()'s without customer, currency, last_seq and hash. For seq 1, `previous` is the
 * BLAKE2b-256 of "credit/1", the customer and the currency, each closed by a NUL, and may be passed as NULL.
 *
 * @param out receives 32 bytes
 * @return #CRD_OK, #CRD_E_ARGUMENT, or #CRD_E_TOO_LARGE for an entry beyond every limit above
 */
CRD_API crd_status CRD_CALL crd_entry_hash(const crd_entry_record *entry, const uint8_t *previous, uint8_t *out);

CRD_END
#endif
