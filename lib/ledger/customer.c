/*
 * Customers and balances.
 */
#include "ledger/ledger.h"

#include <string.h>

static crd_status customer_check_terms(crd_ledger *ledger, const crd_customer_terms *from, crd_customer_terms *terms) {
    crd_status status = CRD_OK;
    memset(terms, 0, sizeof *terms);
    if (from != NULL) status = crd__take_struct(ledger, "terms", terms, sizeof *terms, sizeof *terms, from);
    if (status != CRD_OK) return status;
    if (terms->switches & ~CRD_SWITCHES_KNOWN)
        return crd__fail_argument(ledger, "terms.switches", "has an unknown switch");
    status = crd__check_text(ledger, "terms.name", terms->name);
    if (status == CRD_OK) status = crd__check_label(ledger, "terms.category", terms->category);
    if (status == CRD_OK) status = crd__check_label(ledger, "terms.location", terms->location);
    if (status == CRD_OK) status = crd__check_label(ledger, "terms.parent", terms->parent);
    return status;
}

static crd_status add_customer(crd__command *command, const char *customer, const crd_customer_terms *terms,
                               crd__doc **doc) {
    crd_ledger *ledger = command->ledger;
    crd_query query = crd__query(CRD_KIND_BIT_ACCOUNT | CRD_KIND_BIT_CUSTOMER, customer, "");
    crd__list held = {NULL, 0, 0};
    crd__account *account;
    crd_customer_record record;
    crd_entry_record entry;
    crd__concerned on;
    crd_status status = crd__load(ledger, &query, &held);
    int found = held.count > 0;
    crd__release(ledger, &held);
    if (status != CRD_OK) return status;
    account = crd__live(ledger, customer, "");
    if (account != NULL && !found && !account->dirty) { /* what had created it was rolled back */
        crd__account_stale(account);
        account = NULL;
    }
    if (found || account != NULL)
        return crd__fail_subject(ledger, CRD_E_EXISTS, CRD_KIND_CUSTOMER, customer, customer, NULL);
    if (command->date <= crd__command_closed(command)) {
        crd__refusal why;
        (void)crd__refuse(&why, CRD_E_CLOSED, CRD_KIND_CUSTOMER, customer, ledger->settings.closed_through,
                          command->date);
        return crd__fail_refusal(ledger, &why, customer, "");
    }
    status = crd__account_new(ledger, customer, "", &account);
    if (status != CRD_OK) return status;
    memset(&on, 0, sizeof on);
    on.account = account;
    crd__record_clear(CRD_KIND_CUSTOMER, &record);
    record.customer = customer;
    record.switches = terms->switches;
    record.name = crd__or_empty(terms->name);
    record.category = crd__or_empty(terms->category);
    record.location = crd__or_empty(terms->location);
    record.parent = crd__or_empty(terms->parent);
    record.first_seq = record.last_seq = 1;
    record.created_at = command->instant;
    crd__entry_clear(&entry, CRD_ENTRY_CUSTOMER, command->date);
    crd__account_hold(account);
    status = crd__write_document(command, &on, CRD_KIND_CUSTOMER, &record, &entry, doc);
    crd__account_drop(account);
    return status;
}

static crd_status add_customer_once(crd_ledger *ledger, const crd_request *request, const char *customer,
                                    const crd_customer_terms *terms, crd_customer **out) {
    crd__command command;
    crd_customer_terms t;
    crd__doc *doc = NULL;
    crd_status status;
    if (out != NULL) *out = NULL;
    status = crd__command_begin(ledger, request, CRD_COMMAND_CUSTOMER_ADD, &command);
    if (status != CRD_OK) return status;
    status = crd__check_id(ledger, "customer", customer);
    if (status == CRD_OK) status = customer_check_terms(ledger, terms, &t);
    if (status == CRD_OK) {
        crd__argument_text(&command, "customer", customer);
        crd__argument_number(&command, "terms.switches", t.switches);
        crd__argument_text(&command, "terms.name", t.name);
        crd__argument_text(&command, "terms.category", t.category);
        crd__argument_text(&command, "terms.location", t.location);
        crd__argument_text(&command, "terms.parent", t.parent);
        command.created_kind = CRD_KIND_CUSTOMER;
        status = crd__command_allow(&command, customer, "", customer, 0);
    }
    if (status == CRD_OK && !command.answered) status = add_customer(&command, customer, &t, &doc);
    return crd__command_create(&command, status, CRD_KIND_CUSTOMER, doc, customer, (crd__handle **)(void *)out);
}

crd_status crd_customer_add(crd_ledger *ledger, const crd_request *request, const char *customer,
                            const crd_customer_terms *terms, crd_customer **out) {
    crd_status status;
    uint32_t tries = 0;
    do status = add_customer_once(ledger, request, customer, terms, out);
    while (crd__again(ledger, status, &tries));
    return status;
}

crd_status crd_customer_find(crd_ledger *ledger, const char *customer, crd_customer **out) {
    return crd__handle_find(ledger, CRD_KIND_CUSTOMER, customer, customer, (crd__handle **)(void *)out);
}

const crd_customer_record *crd_customer_get(const crd_customer *customer) {
    return customer != NULL ? customer->handle.doc->record : NULL;
}

void crd_customer_free(crd_customer *customer) {
    crd__handle_free(customer != NULL ? &customer->handle : NULL);
}

static void sum_credit(const crd_credit_record *credit, int32_t date, crd_balance *balance) {
    int64_t available = crd__credit_available(credit);
    if (crd__credit_usable(credit, date)) balance->available += available;
    if (credit->expires == 0 || date < credit->expires) return;
    /* Swept or not is invisible in every figure (rule M7): what is neither held nor allocated is gone. */
    balance->credit -= available;
    if (crd__credit_counts_as(credit) == CRD_CLASS_CASH) balance->unearned -= available;
    if (available == credit->remaining) balance->active_credits--;
}

static void sum_account(const crd_account_record *account, crd_balance *balance) {
    balance->outstanding = account->invoice_open;
    balance->credit = account->credit_remaining;
    balance->available = account->available;
    balance->held = account->credit_held;
    balance->allocated = account->credit_allocated;
    balance->unearned = account->cash_remaining;
    balance->active_credits = account->open_credits;
    balance->issued = account->issued;
    balance->applied = account->applied;
    balance->version = account->version;
}

/* The business date of a lapse is at most two days off that of its instant by UTC, which is all an account knows. */
static int none_lapsed(const crd_account_record *account, int32_t date, int64_t now) {
    int32_t day = CRD_DATE_NONE;
    if (account->lapses_at == 0 || account->credit_held == 0) return 1;
    return account->lapses_at > now && crd_date_of_instant(account->lapses_at, 0, &day) == CRD_OK && date < day - 1;
}

static int totals_hold(const crd_account_record *account, int32_t date, int64_t now) {
    return date >= account->usable_from && (account->turns_on == 0 || date < account->turns_on) &&
           none_lapsed(account, date, now);
}

/* On the dates for which the stored totals hold they are the answer; on others the open credits are summed. */
static crd_status read_balance(crd_ledger *ledger, const char *customer, const char *currency, int32_t date,
                               crd_balance *balance) {
    crd_query query = crd__query(CRD_KIND_BIT_ACCOUNT | CRD_KIND_BIT_CUSTOMER, customer, NULL);
    crd__loaded loaded;
    const crd__account *account = NULL;
    int64_t now = crd__now(ledger);
    crd_status status;
    int known = 0;
    for (int with_credits = 0; with_credits < 2; with_credits++) {
        crd__arena_reset(&ledger->scratch);
        status = crd__read(ledger, &query, &ledger->scratch, &loaded);
        if (status != CRD_OK) return status;
        for (uint64_t i = 0; i < loaded.accounts.count; i++)
            if (strcmp(((crd__account *)loaded.accounts.items[i])->record.currency, currency) == 0)
                account = loaded.accounts.items[i];
        for (uint64_t i = 0; i < loaded.docs.count; i++)
            known |= ((crd__doc *)loaded.docs.items[i])->kind == CRD_KIND_CUSTOMER;
        if (account != NULL) sum_account(&account->record, balance);
        if (with_credits) {
            balance->available = 0;
            balance->held -= crd__lapse_view(&loaded.docs, date, now, 0);
        }
        for (uint64_t i = 0; with_credits && i < loaded.docs.count; i++) {
            const crd__doc *doc = loaded.docs.items[i];
            if (doc->kind == CRD_KIND_CREDIT) sum_credit(doc->record, date, balance);
        }
        crd__loaded_free(&loaded);
        if (account == NULL || totals_hold(&account->record, date, now)) break;
        query = crd__query(CRD_KIND_BIT_ACCOUNT | CRD_KIND_BIT_CREDIT | CRD_KIND_BIT_HOLD, customer, currency);
        query.flags = CRD_QUERY_OPEN;
    }
    balance->balance = balance->outstanding - balance->credit;
    if (known) return CRD_OK;
    return crd__fail_subject(ledger, CRD_E_NOT_FOUND, CRD_KIND_CUSTOMER, customer, customer, NULL);
}

crd_status crd_customer_balance(crd_ledger *ledger, const char *customer, const char *currency, int32_t date,
                                crd_balance *out) {
    crd_balance balance;
    crd_status status;
    memset(&balance, 0, sizeof balance);
    balance.struct_size = sizeof balance;
    crd__give_struct(out, &balance);
    status = crd__enter(ledger);
    if (status != CRD_OK) return status;
    if (out == NULL) return crd__fail_argument(ledger, "out", "must be given");
    if (out->struct_size < sizeof balance)
        return crd__fail_argument(ledger, "out", "its struct_size is below that of version 1");
    status = crd__check_any_id(ledger, "customer", customer);
    if (status == CRD_OK) status = crd__check_currency(ledger, currency);
    if (status == CRD_OK) status = crd__today(ledger, date, &balance.date);
    if (status == CRD_OK) status = read_balance(ledger, customer, currency, balance.date, &balance);
    if (status == CRD_OK) crd__give_struct(out, &balance);
    return status;
}
