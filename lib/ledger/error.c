/*
 * The error of a ledger: one code, one line for people, the subject, the figures.
 */
#include "core/money.h"
#include "ledger/ledger.h"

#include <string.h>

int32_t crd_version(void) {
    return CRD_VERSION;
}

#define TEXT_OF(x) #x
#define VERSION_TEXT(a, b, c) TEXT_OF(a) "." TEXT_OF(b) "." TEXT_OF(c)

const char *crd_version_text(void) {
    return VERSION_TEXT(CRD_VERSION_MAJOR, CRD_VERSION_MINOR, CRD_VERSION_PATCH);
}

static const struct {
    crd_status code;
    int32_t transient;
    const char *name;
    const char *text;
} statuses[] = {
    {CRD_OK, 0, "CRD_OK", "done"},
    {CRD_E_ARGUMENT, 0, "CRD_E_ARGUMENT", "an argument is missing, malformed or out of range"},
    {CRD_E_NOMEM, 1, "CRD_E_NOMEM", "out of memory"},
    {CRD_E_BUSY, 1, "CRD_E_BUSY", "the ledger was called from within one of its own callbacks"},
    {CRD_E_DENIED, 0, "CRD_E_DENIED", "not permitted"},
    {CRD_E_DISABLED, 0, "CRD_E_DISABLED", "the credit feature is switched off"},
    {CRD_E_KEY_REUSED, 0, "CRD_E_KEY_REUSED", "the request key was used for another command"},
    {CRD_E_NOT_FOUND, 0, "CRD_E_NOT_FOUND", "not found"},
    {CRD_E_EXISTS, 0, "CRD_E_EXISTS", "the id is taken"},
    {CRD_E_CUSTOMER, 0, "CRD_E_CUSTOMER", "the documents belong to different customers"},
    {CRD_E_CURRENCY, 0, "CRD_E_CURRENCY", "the currency is unknown or differs"},
    {CRD_E_STATE, 0, "CRD_E_STATE", "the state of the document does not allow it"},
    {CRD_E_CLOSED, 0, "CRD_E_CLOSED", "the business date lies in a closed period"},
    {CRD_E_DATE, 0, "CRD_E_DATE", "the business date is too early"},
    {CRD_E_EXPIRED, 0, "CRD_E_EXPIRED", "the credit is not usable on that date"},
    {CRD_E_WINDOW, 0, "CRD_E_WINDOW", "the window for it has passed"},
    {CRD_E_CREDIT_AMOUNT, 0, "CRD_E_CREDIT_AMOUNT", "more than the credit has available"},
    {CRD_E_INVOICE_AMOUNT, 0, "CRD_E_INVOICE_AMOUNT", "more than the invoice has open"},
    {CRD_E_OVERFLOW, 0, "CRD_E_OVERFLOW", "a figure would leave the range of 64-bit minor units"},
    {CRD_E_NOTHING, 0, "CRD_E_NOTHING", "nothing is left to do"},
    {CRD_E_IN_USE, 0, "CRD_E_IN_USE", "the document is in use"},
    {CRD_E_TOO_LARGE, 0, "CRD_E_TOO_LARGE", "too large for one batch or buffer"},
    {CRD_E_UNIT, 0, "CRD_E_UNIT", "a unit of work is open where none may be, or missing"},
    {CRD_E_CANCELLED, 0, "CRD_E_CANCELLED", "cancelled by the host"},
    {CRD_E_RESTRICTED, 0, "CRD_E_RESTRICTED", "the credit is restricted to other kinds of invoice"},
    {CRD_E_DISTRIBUTION, 0, "CRD_E_DISTRIBUTION", "the lines of the receipt do not add up"},
    {CRD_E_NOT_REFUNDABLE, 0, "CRD_E_NOT_REFUNDABLE", "the credit is not refundable"},
    {CRD_E_RETURNED, 0, "CRD_E_RETURNED", "more would be returned than was sold, or less be sold than was returned"},
    {CRD_E_BELOW_ZERO, 0, "CRD_E_BELOW_ZERO", "available credit cannot be set below zero"},
    {CRD_E_CONFLICT, 1, "CRD_E_CONFLICT", "another writer changed the account first"},
    {CRD_E_UNKNOWN, 1, "CRD_E_UNKNOWN", "it is not known whether the change was kept"},
    {CRD_E_STORAGE, 1, "CRD_E_STORAGE", "the storage failed"},
    {CRD_E_RESTART, 1, "CRD_E_RESTART", "the host's transaction cannot go on"},
    {CRD_E_CONTRACT, 0, "CRD_E_CONTRACT", "the storage broke its contract"},
    {CRD_E_CORRUPT, 0, "CRD_E_CORRUPT", "a stored record contradicts itself or its journal"},
    {CRD_E_SCHEMA, 0, "CRD_E_SCHEMA", "the stored schema cannot be used by this version"},
};
#define STATUSES (sizeof statuses / sizeof statuses[0])

static size_t status_index(crd_status status) {
    for (size_t i = 0; i < STATUSES; i++)
        if (statuses[i].code == status) return i;
    return STATUSES;
}

const char *crd_status_name(crd_status status) {
    size_t i = status_index(status);
    return i < STATUSES ? statuses[i].name : "CRD_E_?";
}

const char *crd_status_text(crd_status status) {
    size_t i = status_index(status);
    return i < STATUSES ? statuses[i].text : "unknown status";
}

int32_t crd_status_is_transient(crd_status status) {
    size_t i = status_index(status);
    return i < STATUSES ? statuses[i].transient : 0;
}

/* Errors that can be told without a ledger, or without touching a busy one. */
static const crd_error no_ledger = {sizeof(crd_error), CRD_E_ARGUMENT, 0, 0, 0, 0, 0, "", "", "", "ledger",
                                    "the ledger handle is NULL", ""};

static void clear(crd_ledger *ledger) {
    crd_error *e = &ledger->error;
    memset(e, 0, sizeof *e);
    e->struct_size = sizeof *e;
    e->customer = e->currency = e->subject = e->field = e->message = e->host_text = "";
}

const crd_error *crd_ledger_error(const crd_ledger *ledger) {
    return ledger != NULL ? &ledger->error : &no_ledger;
}

crd_status crd__enter(crd_ledger *ledger) {
    if (ledger == NULL) return CRD_E_ARGUMENT;
    if (ledger->busy) return CRD_E_BUSY; /* the outer call's error is left alone */
    clear(ledger);
    return CRD_OK;
}

/* Appends as much as fits, cut at a whole UTF-8 character. */
static void append(char *to, size_t capacity, const char *text) {
    size_t have = strlen(to), size = strlen(text);
    if (have + size >= capacity) {
        size = capacity - 1 - have;
        while (size > 0 && ((unsigned char)text[size] & 0xc0) == 0x80) size--;
    }
    memcpy(to + have, text, size);
    to[have + size] = '\0';
}

static const char *error_keep(crd_ledger *ledger, int slot, const char *text) {
    char *to = ledger->error_text[slot];
    to[0] = '\0';
    append(to, sizeof ledger->error_text[slot], text != NULL ? text : "");
    return to;
}

crd_status crd__fail(crd_ledger *ledger, crd_status code, const char *message) {
    clear(ledger);
    ledger->error.code = code;
    ledger->error.message = message != NULL ? message : crd_status_text(code);
    return code;
}

crd_status crd__fail_argument(crd_ledger *ledger, const char *field, const char *message) {
    char *to = ledger->error_text[0];
    clear(ledger);
    ledger->error.code = CRD_E_ARGUMENT;
    ledger->error.field = field;
    to[0] = '\0';
    append(to, sizeof ledger->error_text[0], field);
    append(to, sizeof ledger->error_text[0], ": ");
    append(to, sizeof ledger->error_text[0], message);
    ledger->error.message = to;
    return CRD_E_ARGUMENT;
}

static void subject(crd_ledger *ledger, uint32_t kind, const char *customer, const char *id) {
    ledger->error.subject_kind = kind;
    ledger->error.customer = error_keep(ledger, 1, customer);
    ledger->error.subject = error_keep(ledger, 2, id);
}

crd_status crd__fail_subject(crd_ledger *ledger, crd_status code, uint32_t kind, const char *customer, const char *id,
                             const char *message) {
    char *to = ledger->error_text[0];
    clear(ledger);
    ledger->error.code = code;
    subject(ledger, kind, customer, id);
    to[0] = '\0';
    append(to, sizeof ledger->error_text[0], crd_kind_name(kind));
    append(to, sizeof ledger->error_text[0], " ");
    append(to, sizeof ledger->error_text[0], ledger->error.subject);
    append(to, sizeof ledger->error_text[0], ": ");
    append(to, sizeof ledger->error_text[0], message != NULL ? message : crd_status_text(code));
    ledger->error.message = to;
    return code;
}

crd_status crd__fail_host(crd_ledger *ledger, crd_status code, const char *message, int64_t host_error,
                          const char *host_text) {
    char *to = ledger->error_text[0];
    clear(ledger);
    ledger->error.code = code;
    ledger->error.host_error = host_error;
    ledger->error.host_text = error_keep(ledger, 3, host_text);
    to[0] = '\0';
    append(to, sizeof ledger->error_text[0], message != NULL ? message : crd_status_text(code));
    if (ledger->error.host_text[0] != '\0') {
        append(to, sizeof ledger->error_text[0], ": ");
        append(to, sizeof ledger->error_text[0], ledger->error.host_text);
    }
    ledger->error.message = to;
    return code;
}

/* The figures of a refusal in words: what kind of figure they are depends on the code. */
static void append_figure(const crd_ledger *ledger, char *to, size_t capacity, crd_status code, int64_t figure) {
    char text[CRD_MONEY_TEXT] = "";
    int32_t exponent = 0;
    switch (code) {
    case CRD_E_CLOSED:
    case CRD_E_DATE:
    case CRD_E_EXPIRED:
    case CRD_E_WINDOW: (void)crd_date_to_text((int32_t)figure, text, sizeof text); break;
    default:
        if (strcmp(ledger->error.field, "quantity") == 0) { /* in thousandths */
            (void)crd_money_format(figure, 3, text, sizeof text);
            break;
        }
        (void)crd__currency_exponent(ledger->error.currency, (const crd_currency *const *)ledger->currencies,
                                     ledger->currency_count, &exponent);
        (void)crd_money_format(figure, exponent, text, sizeof text);
        append(to, capacity, text);
        append(to, capacity, " ");
        append(to, capacity, ledger->error.currency);
        return;
    }
    append(to, capacity, text);
}

crd_status crd__fail_refusal(crd_ledger *ledger, const crd__refusal *why, const char *customer, const char *currency) {
    static const struct {
        crd_status code;
        const char *limit, *given; /* words before the two figures; NULL: not told */
    } words[] = {
        {CRD_E_CLOSED, "; closed through ", ", asked for "},
        {CRD_E_DATE, "; not before ", ", asked for "},
        {CRD_E_EXPIRED, "; the date that decides is ", ", asked for "},
        {CRD_E_STATE, "; what remains is ", NULL},
        {CRD_E_CREDIT_AMOUNT, "; available is ", ", asked for "},
        {CRD_E_INVOICE_AMOUNT, "; open is ", ", asked for "},
        {CRD_E_IN_USE, "; in use is ", NULL},
        {CRD_E_DISTRIBUTION, "; to be distributed must remain ", ", but remains "},
        {CRD_E_RETURNED, "; the figure that decides is ", ", asked for "},
        {CRD_E_BELOW_ZERO, "; the smallest amount is ", ", asked for "},
        {CRD_E_WINDOW, "; its last day was ", ", asked for "},
    };
    char *to = ledger->error_text[0];
    size_t room = sizeof ledger->error_text[0];
    crd__fail_subject(ledger, why->code, why->subject_kind, customer, why->subject, NULL);
    ledger->error.field = why->field;
    ledger->error.limit = why->limit;
    ledger->error.given = why->given;
    memcpy(ledger->error_currency, currency, strlen(currency) < 4 ? strlen(currency) + 1 : 1);
    ledger->error.currency = ledger->error_currency;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (words[i].code != why->code) continue;
        append(to, room, words[i].limit);
        append_figure(ledger, to, room, why->code, why->limit);
        if (words[i].given == NULL) continue;
        append(to, room, words[i].given);
        append_figure(ledger, to, room, why->code, why->given);
    }
    append(to, room, why->hint);
    return why->code;
}

crd_status crd__refused(crd_ledger *ledger, const crd__refusal *why, const crd__account *account) {
    return crd__fail_refusal(ledger, why, account->record.customer, account->record.currency);
}
