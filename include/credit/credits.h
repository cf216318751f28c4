/**
 * @file
 * Credits: money owed to a customer, and what may happen to it.
 *
 *     Active ─used up→ Spent ─money returns→ Active
 *     Active or Spent ─voided, expired, reversed, deleted→ Voided
 *
 * A credit only ever pays invoices of its own customer and currency.
 */
#ifndef CREDIT_CREDITS_H
#define CREDIT_CREDITS_H

#include <credit/customer.h>
#include <credit/invoice.h>
#include <credit/receipt.h>

CRD_BEGIN

/** A handle to a credit. Free it with crd_credit_free(). */
typedef struct crd_credit crd_credit;

#define CRD_ISSUE_APPLY 0x10000u    /**< apply it to the open invoices at once, whatever customer and ledger are set to */
#define CRD_ISSUE_NO_APPLY 0x20000u /**< do not */

/** What a credit is issued with. Zero and NULL leave a term out. */
typedef struct crd_credit_terms {
    uint32_t struct_size;
    uint32_t kind;        /**< CRD_CREDIT_…; decides the class (rule M4). Required */
    const char *currency; /**< required */
    const char *id;       /**< NULL: the library derives one, "~" + currency + sequence */
    int64_t amount;       /**< minor units, 1 to #CRD_MAX_AMOUNT */
    /** CRD_FLAG_RESERVED; CRD_FLAG_NON_REFUNDABLE or CRD_FLAG_REFUNDABLE; CRD_ISSUE_RETURN; CRD_ISSUE_APPLY or NO_APPLY */
    uint32_t flags;
    int32_t effective;    /**< first usable date; 0: the business date */
    int32_t expires;      /**< first date not usable any more; 0: never */
    int32_t priority;
    uint32_t pays_kinds;  /**< set of 1 << CRD_INVOICE_…; 0: any */
    uint32_t reserved;
    int64_t tax;          /**< contained in amount */
    const char *prefers;  /**< invoice to pay first */
    const char *origin;   /**< document it came from */
    const char *source;   /**< label; NULL: the kind's own, such as "goodwill" or "prepayment" */
    const char *reason;   /**< shown to the customer; required unless it is cash, or stands for cash */
    const char *notes;    /**< internal */
    const char *method;       /**< cash: how it was paid; "cash" when NULL */
    const char *payment_info; /**< cash: check number or free text */
    const char *reference;
    const char *receipt; /**< cash: id of the receipt; NULL: derived */
    const crd_line_terms *const *lines; /**< a memo's, numbered from 1; NULL: none. Their amounts sum to the amount */
    uint64_t line_count;
    /** CRD_CREDIT_OPENING: the CRD_CREDIT_… kind it stands for, which decides what may be done with it. Required then. */
    uint32_t stands_for;
    uint32_t reserved2;
    int64_t opening_original; /**< opening: what it was in the older system; information only */
    int64_t opening_used;     /**< opening: what of that was used there; information only */
} crd_credit_terms;

/**
 * The credit is a memo that returns (part of) the invoice `origin` names, which must be one of this customer and
 * currency. No more is returned of an invoice than was sold, in total and, where lines name the lines they return, per
 * line. Left out, the tax is the share of the invoice's. It stays in the record as #CRD_FLAG_RETURN.
 */
#define CRD_ISSUE_RETURN 0x200u

/** What an invoice is reversed with. Zero and NULL leave a term out. */
typedef struct crd_invoice_reverse_terms {
    uint32_t struct_size;
    uint32_t reserved;
    const char *id;     /**< of the credit memo; NULL: the library derives one */
    const char *reason; /**< shown to the customer; NULL: "invoice reversed" */
} crd_invoice_reverse_terms;

/**
 * Reverses an invoice as its own document, once and for good: a credit memo of all of it that was not returned yet is
 * issued and applied to it in full. Its write-offs are undone first for that, then its applications, newest first and
 * those of its own memos last, until the memo fits. The memo has the invoice's lines, negated, where these make up its
 * amount. @memberof crd_invoice
 * @param terms  may be NULL
 * @param out    receives a handle to the memo; may be NULL
 * @return #CRD_OK; #CRD_E_EXISTS for the memo's id; #CRD_E_STATE when the invoice is a draft, Voided or the library's own
 *         document; #CRD_E_NOTHING when it was reversed before or all of it was returned; #CRD_E_CLOSED; #CRD_E_DATE;
 *         #CRD_E_OVERFLOW; #CRD_E_TOO_LARGE; and what a command may return
 */
CRD_API crd_status CRD_CALL crd_invoice_reverse(crd_ledger *ledger, const crd_request *request, crd_invoice *invoice,
                                                const crd_invoice_reverse_terms *terms, crd_credit **out);

/**
 * Issues a credit. A credit of class cash is money received: it comes with a receipt whose whole amount stays as
 * credit (rule M3). With auto-apply (the flags, else the customer's switches, else the ledger's setting) it pays the open
 * invoices at once, in the order of a reconcile and in the same commit, unless it is reserved.
 * An opening credit is what was left of one in an older system: `amount` is what is open; it is counted
 * neither as issued nor as takings, and has no receipt (rule M4). @memberof crd_credit
 *
 * @param customer  an existing customer
 * @param out       receives a handle to the credit; may be NULL
 * @return #CRD_OK; #CRD_E_NOT_FOUND for the customer; #CRD_E_EXISTS for a credit or receipt id that was ever used;
 *         #CRD_E_CURRENCY; #CRD_E_CLOSED; #CRD_E_DATE when it expires on or before it is effective or issued;
 *         #CRD_E_OVERFLOW; of a return #CRD_E_NOT_FOUND for the invoice or a line, #CRD_E_STATE when the invoice is a
 *         draft or Voided, and #CRD_E_RETURNED with what may still be returned;
 *         #CRD_E_ARGUMENT naming the field; and what a command may return
 */
CRD_API crd_status CRD_CALL crd_credit_issue(crd_ledger *ledger, const crd_request *request, const char *customer,
                                             const crd_credit_terms *terms, crd_credit **out);

/** Finds a credit by its id. @return #CRD_OK; #CRD_E_NOT_FOUND; #CRD_E_ARGUMENT; #CRD_E_STORAGE; #CRD_E_NOMEM */
CRD_API crd_status CRD_CALL crd_credit_find(crd_ledger *ledger, const char *customer, const char *id,
                                            crd_credit **out);

/** The record, valid until the next call on its ledger. Never NULL for a handle. */
CRD_API const crd_credit_record *CRD_CALL crd_credit_get(const crd_credit *credit);

/** Reads the latest figures. @return #CRD_OK; #CRD_E_NOT_FOUND when a rolled-back unit had issued it;
 *  #CRD_E_UNIT while a unit that touched its account is open; #CRD_E_STORAGE; #CRD_E_NOMEM. On failure the handle is as it was. */
CRD_API crd_status CRD_CALL crd_credit_refresh(crd_credit *credit);

/** Frees the handle. NULL is allowed. Within a callback of its ledger it lives on until the call that made it is over. */
CRD_API void CRD_CALL crd_credit_free(crd_credit *credit);

/** Reduce the amount to what is available and open, instead of refusing. */
#define CRD_APPLY_CLAMP 0x01u

/** How to apply. */
typedef struct crd_apply_terms {
    uint32_t struct_size;
    uint32_t flags;        /**< CRD_APPLY_CLAMP */
    int64_t amount;        /**< minor units, ≥ 1; with CRD_APPLY_CLAMP 0 means all that is possible */
    const char *reference; /**< kept with the application; NULL: none */
} crd_apply_terms;

/**
 * Applies (part of) a credit to an invoice: one commit for both sides. Without an invoice it is an *outside*
 * application: the credit was used for something this ledger has no invoice for. @memberof crd_credit
 *
 * With fresh handles this is one write and no read.
 *
 * @param invoice  an open invoice of the same customer and currency; NULL: outside
 * @param out      the amount applied, and as first_seq the entry that crd_undo() takes; may be NULL
 * @return #CRD_OK; #CRD_E_CUSTOMER or #CRD_E_CURRENCY when the two do not belong together; #CRD_E_STATE when the
 *         credit is not Active (limit: its remainder) or the invoice not Open; #CRD_E_CLOSED; #CRD_E_DATE;
 *         #CRD_E_EXPIRED; #CRD_E_RESTRICTED;
 *         #CRD_E_CREDIT_AMOUNT or #CRD_E_INVOICE_AMOUNT with both figures; #CRD_E_NOTHING when clamping leaves 0;
 *         and what a command may return
 */
CRD_API crd_status CRD_CALL crd_credit_apply(crd_ledger *ledger, const crd_request *request, crd_credit *credit,
                                             crd_invoice *invoice, const crd_apply_terms *terms, crd_result *out);

#define CRD_VOID_RELEASE 0x02u /**< release what is held or allocated of it first */

/**
 * Voids what is available of a credit, or part of it. Applications stand. @memberof crd_credit
 * @param amount  minor units; 0: all that is available
 * @param flags   CRD_VOID_RELEASE: its holds and allocations are released first, newest first; all is then dated the
 *                latest of the drafts this touches
 * @param out     the amount voided; may be NULL
 * @return #CRD_OK; #CRD_E_STATE when the credit is Voided, or the memo of a reversed invoice; #CRD_E_NOTHING when nothing remains; #CRD_E_EXPIRED;
 *         #CRD_E_IN_USE when what remains is held or allocated; #CRD_E_CREDIT_AMOUNT; and what a command may return
 */
CRD_API crd_status CRD_CALL crd_credit_void(crd_ledger *ledger, const crd_request *request, crd_credit *credit,
                                            int64_t amount, uint32_t flags, crd_result *out);

/* ---- what else may happen to a credit ---- */

/** Pay out also what is not refundable; authorize sees it among the flags, so it can be a right of its own. */
#define CRD_REFUND_OVERRIDE 0x01u

/** How a credit is paid out. Zero and NULL leave a term out. */
typedef struct crd_refund_terms {
    uint32_t struct_size;
    uint32_t flags;        /**< CRD_REFUND_… */
    int64_t amount;        /**< minor units; 0: all that is available */
    const char *method;    /**< how it is paid out; NULL: as it was received, else "cash" */
    const char *reference; /**< the host's reference, such as the number of the transfer; NULL: none */
} crd_refund_terms;

/**
 * Pays out what is available of a credit, or part of it. Credit of class cash and memo is refundable, an opening
 * credit as what it stands for, and no other, unless the credit itself says otherwise (CRD_FLAG_NON_REFUNDABLE,
 * CRD_FLAG_REFUNDABLE) or the call overrides it (rule M4). Reaches also credit that is not yet effective.
 * Take it back, whole, with crd_undo() when the payment failed. @memberof crd_credit
 *
 * @param out  the amount refunded, and as first_seq the entry that crd_undo() takes; may be NULL
 * @return #CRD_OK; #CRD_E_STATE when the credit is not Active (limit: its remainder); #CRD_E_NOT_REFUNDABLE;
 *         #CRD_E_CLOSED; #CRD_E_DATE; #CRD_E_EXPIRED when what is left has expired; #CRD_E_IN_USE when all that remains
 *         is held or allocated; #CRD_E_CREDIT_AMOUNT; and what a command may return
 */
CRD_API crd_status CRD_CALL crd_credit_refund(crd_ledger *ledger, const crd_request *request, crd_credit *credit,
                                              const crd_refund_terms *terms, crd_result *out);

/** What available credit is set to. Zero and NULL leave a term out. */
typedef struct crd_adjust_terms {
    uint32_t struct_size;
    uint32_t flags;      /**< 0 */
    int64_t target;      /**< minor units, 0 to #CRD_MAX_AMOUNT: the available credit there is to be */
    const char *method;  /**< a label kept with the entry; NULL: "cash". No money moves, whatever it says */
    const char *reason;  /**< shown to the customer; NULL: the request's note */
    const char *id;      /**< upward: id of the credit made, which must be free whichever way it goes; NULL: derived */
    const char *source;  /**< upward: its label; NULL: "adjustment" */
    const char *notes;   /**< upward: internal */
} crd_adjust_terms;

/**
 * Sets a customer's available credit to a figure, never by overwriting one: the library computes the difference and
 * writes one CRD_ENTRY_ADJUST with both figures and the method. Upward, a credit of class adjustment follows; downward,
 * the pieces taken from credits in spending order (`credit_order` of the settings), each of which names the entry.
 * What counts is available on the business date and usable then, reserved credit included; what is held, allocated,
 * expired or not yet effective is left out and left alone (rule M10).
 *
 * crd_undo() of the CRD_ENTRY_ADJUST takes it back whole.
 *
 * @param out  the difference, negative when downward; 0, without an entry, when the figure is right already
 * @return #CRD_OK; #CRD_E_NOT_FOUND for the customer; #CRD_E_EXISTS; #CRD_E_CLOSED; #CRD_E_DATE before the last entry of
 *         any credit usable on the date; #CRD_E_BELOW_ZERO with the smallest figure as limit; #CRD_E_OVERFLOW; and what a
 *         command may return
 */
CRD_API crd_status CRD_CALL crd_credit_adjust(crd_ledger *ledger, const crd_request *request, const char *customer,
                                              const char *currency, const crd_adjust_terms *terms, crd_result *out);

/** Where credit goes. Zero and NULL leave a term out. */
typedef struct crd_transfer_terms {
    uint32_t struct_size;
    uint32_t flags;       /**< 0 */
    const char *customer; /**< who receives it; required */
    int64_t amount;       /**< minor units; 0: all that is available */
    const char *id;       /**< of the credit there; NULL: derived */
} crd_transfer_terms;

/**
 * Moves what is available of a credit, or part of it, to another customer, in one commit for both. The credit there is
 * the same money: class, kind, dates, expiry, restrictions, origin and source label stay; it counts as transferred in,
 * never as issued (rule M10). Take it back with crd_undo() of the first entry, as far as it is available there.
 * @memberof crd_credit
 *
 * @param out_there  receives a handle to the credit there; may be NULL
 * @param out        the amount transferred, and as first_seq the entry that crd_undo() takes; may be NULL
 * @return #CRD_OK; #CRD_E_NOT_FOUND for the customer; #CRD_E_EXISTS; #CRD_E_STATE when the credit is not Active;
 *         #CRD_E_CLOSED; #CRD_E_DATE; #CRD_E_EXPIRED; #CRD_E_IN_USE; #CRD_E_CREDIT_AMOUNT; and what a command may return
 */
CRD_API crd_status CRD_CALL crd_credit_transfer(crd_ledger *ledger, const crd_request *request, crd_credit *credit,
                                                const crd_transfer_terms *terms, crd_credit **out_there,
                                                crd_result *out);

/** Undo its applications first, newest first, instead of refusing. */
#define CRD_DELETE_CASCADE 0x01u

/**
 * Deletes a credit that was a mistake: it leaves every list and total, and the journal keeps that it happened
 * (rule M11). The receipt that brought a cash credit goes with it, and leaves the takings. There is no undo.
 * @memberof crd_credit
 *
 * @param flags  CRD_DELETE_CASCADE
 * @param out    the amount deleted; may be NULL
 * @return #CRD_OK; #CRD_E_NOTHING when it was deleted before; #CRD_E_STATE when anything of it was ever refunded,
 *         transferred, adjusted, voided, expired or reversed, when the library made it, or when its receipt applied other
 *         credits as well; #CRD_E_CLOSED when it was issued in a closed period; #CRD_E_WINDOW later than the setting
 *         `delete_window` allows; #CRD_E_EXPIRED; #CRD_E_IN_USE while it is applied, held or
 *         allocated, or a write-off of its receipt stands; and what a command may return
 */
CRD_API crd_status CRD_CALL crd_credit_delete(crd_ledger *ledger, const crd_request *request, crd_credit *credit,
                                              uint32_t flags, crd_result *out);

/** One credit or payment of many. */
typedef struct crd_bulk_row {
    uint32_t struct_size;
    uint32_t reserved;
    const char *customer;
    const crd_credit_terms *terms; /**< NULL: see payment */
    const char *key; /**< request key of this row; NULL: none */
    const crd_receipt_terms *payment; /**< instead of terms: a receipt, with what it pays; NULL: none */
} crd_bulk_row;

/** What became of it. */
typedef struct crd_bulk_result {
    uint32_t struct_size;
    crd_status status;  /**< as crd_credit_issue() or crd_receipt_enter() would have returned; #CRD_E_CANCELLED: not tried */
    uint32_t repeated;  /**< 1: its request key was used before, and this is the first result again */
    uint32_t reserved;
    const char *field;  /**< argument concerned, or ""; static storage */
    int64_t limit;      /**< figures of the refusal, as in crd_error */
    int64_t given;
    int64_t first_seq;  /**< first and last entry; last_seq 0: nothing was kept of it */
    int64_t last_seq;
    int64_t amount;     /**< of the credit; what the payment applied */
    char id[CRD_MAX_ID + 1]; /**< of the credit or receipt */
} crd_bulk_result;

/** All rows or none; else as many as possible. */
#define CRD_BULK_ALL_OR_NOTHING 0x01u

/**
 * Issues many credits, and enters many payments: credits of class cash are payments that stay as credit, and `payment` of
 * a row is a receipt with lines of its own, or distributed, such as those of a statement from the bank. Each row is a
 * command of its own (#CRD_COMMAND_BULK_ISSUE): it is asked permission for, has its own request key, and sees those before
 * it. Rows are read and written page by page, some hundreds in one read and one write; a payment reads what its lines name.
 *
 * As many as possible: a refused row keeps no other from being kept, and what is kept before the call fails stays kept.
 * All or nothing: one write for all rows; when one is refused nothing is kept, the results tell which ones are at fault
 * (`status`), and of the others `last_seq` is 0. Within a unit of the host's the rows become part of it.
 *
 * @param request  who and when, for all rows; its key must be NULL
 * @param flags    CRD_BULK_ALL_OR_NOTHING
 * @param results  one struct for each row; may be NULL
 * @param kept     receives how many rows were kept, now or when they were first sent; may be NULL
 * @return #CRD_OK, as many as possible also when every row was refused; #CRD_E_ARGUMENT; all or nothing: what the first
 *         refused row was refused for, #CRD_E_TOO_LARGE, #CRD_E_CONFLICT; #CRD_E_STORAGE, #CRD_E_UNKNOWN, #CRD_E_NOMEM
 * @memberof crd_credit
 */
CRD_API crd_status CRD_CALL crd_credit_issue_many(crd_ledger *ledger, const crd_request *request,
                                                  const crd_bulk_row *const *rows, uint64_t count, uint32_t flags,
                                                  crd_bulk_result *const *results, uint64_t *kept);

/**
 * Gives an application another amount (rules M3, M8). Less: the difference returns to the credit as by crd_undo(). More: a
 * further application of the same pair, within the same receipt if there was one, so that a receipt's own line stays
 * its own; it counts as part of the application from then on, whose number stays. @memberof crd_credit
 *
 * @param seq     entry of the application (CRD_ENTRY_APPLY), of its customer and currency
 * @param amount  what it is to amount to; 0: nothing, as by crd_undo()
 * @param out     that amount; last_seq 0 when it was so already; may be NULL
 * @return #CRD_OK; #CRD_E_NOT_FOUND when there is no such application; #CRD_E_NOTHING when all of it was undone;
 *         #CRD_E_STATE for that of a reversed invoice's memo; raising also #CRD_E_STATE (invoice, credit, or a receipt that
 *         was undone or reversed), #CRD_E_EXPIRED, and #CRD_E_CREDIT_AMOUNT or #CRD_E_INVOICE_AMOUNT with the most it could
 *         be; #CRD_E_CLOSED; #CRD_E_DATE; and what a command may return
 */
CRD_API crd_status CRD_CALL crd_application_change(crd_ledger *ledger, const crd_request *request, const char *customer,
                                                   const char *currency, int64_t seq, int64_t amount, crd_result *out);

CRD_END
#endif
