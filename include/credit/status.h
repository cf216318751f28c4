/**
 * @file
 * Status codes and the error that explains one.
 *
 * Every function that can fail returns a #crd_status: #CRD_OK or one negative code per reason the caller can
 * act on. What went wrong in detail is read from the ledger handle (crd_ledger_error()); it is cleared on entry of
 * every call on that handle.
 *
 * Unless a code below says otherwise, a call that failed changed nothing: not a record in the storage, not a
 * handle, not the unit of work it was part of.
 *
 * A command is refused for the first reason that applies, in the order: argument, permission, feature, request
 * key, existence, duplicate, customer, currency, state, closed period, date, window, amount (rule M16).
 */
#ifndef CREDIT_STATUS_H
#define CREDIT_STATUS_H

#include <credit/version.h>

CRD_BEGIN

/** 0, or the negative number of a reason. Numbers are never given a new meaning. */
typedef int32_t crd_status;

/** Done. */
#define CRD_OK 0
/** An argument is missing, malformed or out of its range; `field` names it. Do not retry unchanged. */
#define CRD_E_ARGUMENT (-1)
/** Memory could not be had from the allocator. Retry when there is some. */
#define CRD_E_NOMEM (-2)
/** The ledger was called from within one of its own callbacks. Return from the callback first. */
#define CRD_E_BUSY (-3)
/** The host's authorize hook said no. */
#define CRD_E_DENIED (-4)
/** The feature is switched off for this ledger or customer. Reading and verifying still work. */
#define CRD_E_DISABLED (-5)
/** The request key was used for another command; `field` names the first argument that differs. */
#define CRD_E_KEY_REUSED (-6)
/** No such customer, credit, invoice, receipt or entry; `subject` says which. */
#define CRD_E_NOT_FOUND (-7)
/** The id is taken, by an existing or a former document of that customer and kind. */
#define CRD_E_EXISTS (-8)
/** The documents belong to different customers. */
#define CRD_E_CUSTOMER (-9)
/** The documents have different currencies, or the currency is not known. */
#define CRD_E_CURRENCY (-10)
/** The document's state does not allow it; `given` is the state. */
#define CRD_E_STATE (-11)
/** The business date lies in a closed period; `limit` is the closed-through date, `given` the date asked. */
#define CRD_E_CLOSED (-12)
/** The business date is before the last entry of a document it touches; `limit` is that entry's date. */
#define CRD_E_DATE (-13)
/** The credit is not usable on that date: expired or not yet effective; `limit` is the date that decides. */
#define CRD_E_EXPIRED (-14)
/** The window in which the command was possible has passed; `limit` is its last date. */
#define CRD_E_WINDOW (-15)
/** More than the credit has available; `limit` is what it has, `given` what was asked, in minor units. */
#define CRD_E_CREDIT_AMOUNT (-16)
/** More than the invoice has open; `limit` is what is open, `given` what was asked, in minor units. */
#define CRD_E_INVOICE_AMOUNT (-17)
/** A figure would leave the range of 64-bit minor units. */
#define CRD_E_OVERFLOW (-18)
/** There is nothing left to undo, void, apply or release. Doing the same thing twice ends here. */
#define CRD_E_NOTHING (-19)
/** The document is still in use (applied, held or allocated); `limit` is how much, in minor units. */
#define CRD_E_IN_USE (-20)
/** The command is larger than one batch may be; `limit` is the bound. Split it. */
#define CRD_E_TOO_LARGE (-21)
/** A unit of work is open where none may be, or none is open where one must be. */
#define CRD_E_UNIT (-22)
/** The host's callback asked to stop. What was kept before stays kept. */
#define CRD_E_CANCELLED (-23)
/** The credit is restricted to other kinds of invoice. */
#define CRD_E_RESTRICTED (-24)
/** The lines of a receipt do not add up; `given` is what remains to be distributed, `limit` is 0. */
#define CRD_E_DISTRIBUTION (-25)
/** The credit is of a class that is not paid out (rule M4), or was issued as not refundable; `limit` is its class. */
#define CRD_E_NOT_REFUNDABLE (-26)
/** More than was sold would be returned, or a return or reversal of the invoice stands in the way; `limit` is what may
 *  still be returned, or what was, `given` what was asked. */
#define CRD_E_RETURNED (-27)
/** Credit cannot be set below nothing; `limit` is the smallest amount allowed, `given` what was asked, in minor units. */
#define CRD_E_BELOW_ZERO (-28)
/** Another writer changed the account first. Nothing was changed. Refresh, look, and decide again. */
#define CRD_E_CONFLICT (-30)
/**
 * It could not be found out whether the change was kept. The one failure after which something may have changed:
 * all of it or nothing. Refresh before anything else; with a request key, simply send the same command again.
 */
#define CRD_E_UNKNOWN (-31)
/** The storage failed; nothing was kept. `host_error` and `host_text` are the storage's own words. */
#define CRD_E_STORAGE (-32)
/** The storage, and the host's own transaction with it, cannot go on. Roll back and begin again. */
#define CRD_E_RESTART (-33)
/** The storage broke its contract: a record emitted twice, out of order or malformed. `message` says what. */
#define CRD_E_CONTRACT (-34)
/** A stored record contradicts itself or its journal, or a text of it is not UTF-8. Nothing was written; run
 *  crd_ledger_verify(). */
#define CRD_E_CORRUPT (-35)
/** The stored data was written by a newer version, or its schema cannot be used. */
#define CRD_E_SCHEMA (-36)

/** What an error is about, and the figures a person needs to act on it. */
typedef struct crd_error {
    uint32_t struct_size;  /**< size of the struct the library wrote */
    crd_status code;       /**< the status the call returned */
    uint32_t subject_kind; /**< kind of record it is about (CRD_KIND_…), or 0 */
    uint32_t reserved;
    int64_t limit;           /**< what would have been allowed; its meaning is told at each code */
    int64_t given;           /**< what was asked */
    int64_t host_error;      /**< the storage's own error number, or 0 */
    const char *customer;    /**< customer concerned, or "" */
    const char *currency;    /**< currency of limit and given where they are amounts, or "" */
    const char *subject;     /**< id of the record it is about, or "" */
    const char *field;       /**< argument or field concerned, or "" */
    const char *message;     /**< one line for people, in English */
    const char *host_text;   /**< the storage's own words, or "" */
} crd_error;

/** The name of a status, such as "CRD_E_CONFLICT"; "CRD_E_?" for a number this version does not know. */
CRD_API const char *CRD_CALL crd_status_name(crd_status status);

/** One English sentence for a status, without figures. Static storage; never NULL. */
CRD_API const char *CRD_CALL crd_status_text(crd_status status);

/**
 * 1 if the same call may succeed later without a change of its arguments (no memory, busy, conflict, unknown,
 * storage, restart), else 0. After a conflict refresh first.
 */
CRD_API int32_t CRD_CALL crd_status_is_transient(crd_status status);

CRD_END
#endif
