/*
 * Acknowledging entries: the mark up to which a host has dealt with an account's journal.
 *
 * The mark is no entry and moves no version: it is written under the guard of the version it was read with, and read and
 * written again when another writer was first. Nobody had looked at a figure, so there is nothing to decide anew.
 */
#include "ledger/ledger.h"

#include <string.h>

#define ACKNOWLEDGE_ATTEMPTS 5

static crd_status outcome(crd_ledger *ledger, const crd_write_result *result) {
    switch (result->outcome) {
    case CRD_OUTCOME_DONE: return CRD_OK;
    case CRD_OUTCOME_CONFLICT: return crd__fail(ledger, CRD_E_CONFLICT, NULL);
    case CRD_OUTCOME_RESTART:
        return crd__fail_host(ledger, CRD_E_RESTART, NULL, result->host_error, result->host_text);
    case CRD_OUTCOME_SCHEMA:
        return crd__fail_host(ledger, CRD_E_SCHEMA, NULL, result->host_error, result->host_text);
    case CRD_OUTCOME_FAILED:
        return crd__fail_host(ledger, CRD_E_STORAGE, NULL, result->host_error, result->host_text);
    default: return crd__fail_host(ledger, CRD_E_UNKNOWN, NULL, result->host_error, result->host_text);
    }
}

static crd_status mark(crd_ledger *ledger, const char *customer, const char *currency, int64_t seq) {
    crd_query query = crd__query(CRD_KIND_BIT_ACCOUNT, customer, currency);
    crd__list held = {NULL, 0, 0};
    crd_write_result result;
    crd_status status;
    query.flags = CRD_QUERY_FOR_WRITE;
    status = crd__load(ledger, &query, &held);
    if (status == CRD_OK && held.count == 0)
        status = crd__fail_subject(ledger, CRD_E_NOT_FOUND, CRD_KIND_ACCOUNT, customer, currency, NULL);
    if (status == CRD_OK) {
        crd__account *account = held.items[0];
        crd_account_record record = account->record;
        if (seq > record.last_seq) {
            status = crd__fail_subject(ledger, CRD_E_NOT_FOUND, CRD_KIND_ENTRY, customer, currency,
                                       "there is no entry of that number");
        } else if (seq > record.acknowledged_seq) {
            record.acknowledged_seq = seq;
            crd__write_mark(ledger, &record, &result);
            status = outcome(ledger, &result);
            if (status == CRD_OK) account->record.acknowledged_seq = seq;
        }
    }
    crd__release(ledger, &held);
    return status;
}

crd_status crd_acknowledge(crd_ledger *ledger, const char *customer, const char *currency, int64_t seq) {
    crd__command command;
    crd_status status = crd__enter(ledger);
    if (status != CRD_OK) return status;
    status = crd__check_id(ledger, "customer", customer);
    if (status == CRD_OK && (currency == NULL || currency[0] != '\0')) status = crd__check_currency(ledger, currency);
    if (status == CRD_OK && seq < 1) status = crd__fail_argument(ledger, "seq", "must be at least 1");
    if (status == CRD_OK && ledger->unit.open)
        status = crd__fail(ledger, CRD_E_UNIT, "an acknowledgement is no part of a unit of work");
    /* If that were rolled back, snapshots would not notice, for no version moved, and the next command would write the
     * mark again: an entry would be missed. */
    if (status == CRD_OK && (crd__storage_flags(ledger) & CRD_STORAGE_JOINED))
        status = crd__fail(ledger, CRD_E_UNIT, "acknowledge behind the commit of the host's own transaction");
    if (status != CRD_OK) return status;
    memset(&command, 0, sizeof command);
    command.ledger = ledger;
    command.code = CRD_COMMAND_ACKNOWLEDGE;
    command.request.actor = "";
    status = crd__command_allow(&command, customer, currency, "", 0);
    if (status != CRD_OK) return status;
    for (int attempt = 0;; attempt++) {
        status = mark(ledger, customer, currency, seq);
        if ((status != CRD_E_CONFLICT && status != CRD_E_UNKNOWN) || attempt == ACKNOWLEDGE_ATTEMPTS) break;
    }
    if (status == CRD_OK) (void)crd__enter(ledger); /* earlier attempts are not the answer */
    return status;
}
