/*
 * Changing a customer: what it is called, and the switches its accounts obey.
 *
 * Invariants:
 * 1. Every account has its customer's switches: a change of them is one unit over all accounts there are, which also
 *    guards that there are no others. An account that comes to be later guards the customer's own account, which the
 *    change wrote to, so it has the new switches or conflicts.
 * 2. While the feature is off for a customer, nothing of it changes but that switch (rule M16).
 */
#include "core/money.h"
#include "ledger/ledger.h"

#include <string.h>

static crd_status check_change(crd_ledger *ledger, const crd_customer_change_terms *t) {
    crd_status status = CRD_OK;
    if ((t->set | t->clear) & ~CRD_SWITCHES_KNOWN)
        return crd__fail_argument(ledger, t->set & ~CRD_SWITCHES_KNOWN ? "change.set" : "change.clear",
                                  "has an unknown switch");
    if ((t->set & CRD_SWITCH_AUTO_APPLY_ON) && (t->set & CRD_SWITCH_AUTO_APPLY_OFF))
        return crd__fail_argument(ledger, "change.set", "sets auto-apply on and off");
    if (t->set & t->clear) return crd__fail_argument(ledger, "change.clear", "names a switch that is also to be set");
    if (t->reserved != 0) return crd__fail_argument(ledger, "change.reserved", "must be 0");
    status = crd__check_text(ledger, "change.name", t->name);
    if (status == CRD_OK) status = crd__check_label(ledger, "change.category", t->category);
    if (status == CRD_OK) status = crd__check_label(ledger, "change.location", t->location);
    if (status == CRD_OK) status = crd__check_label(ledger, "change.parent", t->parent);
    return status;
}

/* Text that is not given stays; that is content too, so it is an argument of its own. */
static void customer_change_arguments(crd__command *command, const char *customer, const crd_customer_change_terms *t) {
    crd__argument_text(command, "customer", customer);
    crd__argument_number(command, "change.set", t->set);
    crd__argument_number(command, "change.clear", t->clear);
    crd__argument_change(command, "change.name", t->name);
    crd__argument_change(command, "change.category", t->category);
    crd__argument_change(command, "change.location", t->location);
    crd__argument_change(command, "change.parent", t->parent);
    crd__argument_number(command, "change", (t->name != NULL) | (t->category != NULL) << 1 |
                                                (t->location != NULL) << 2 | (t->parent != NULL) << 3);
}

/* Takes a text over into the account's arena when it is given and another one. */
static int take_text(crd__account *account, const char *given, const char **text, int *changed) {
    if (given == NULL || strcmp(given, *text) == 0) return 1;
    *changed = 1;
    *text = crd__arena_text(account->arena, given);
    return *text != NULL;
}

static crd_status switch_account(crd__command *command, crd__account *account, uint32_t switches) {
    crd_entry_record entry;
    crd__concerned on;
    if (account->record.switches == switches) return CRD_OK;
    memset(&on, 0, sizeof on);
    on.account = account;
    crd__entry_clear(&entry, CRD_ENTRY_SWITCHES, command->date);
    entry.amount = switches;
    entry.flags = CRD_ENTRY_CONSEQUENCE;
    return crd__write_entry(command, &on, &entry);
}

static int customer_change_among(const crd__list *accounts, const crd__account *own, const char *currency) {
    for (uint64_t i = 0; i < accounts->count; i++) {
        const crd__account *account = accounts->items[i];
        if (strcmp(account->record.currency, currency) == 0 &&
            strcmp(account->record.customer, own->record.customer) == 0)
            return 1;
    }
    return 0;
}

/* The unit depends on there being no account of that currency. What stands for it is in no table and lives in the unit's
 * arena, so nothing ever frees it. */
static crd_status guard_absence(crd_ledger *ledger, const crd__list *held, const crd__account *own, const char *code) {
    crd__account *absent;
    if (customer_change_among(held, own, code) || customer_change_among(&ledger->unit.accounts, own, code) ||
        customer_change_among(&ledger->unit.guards, own, code))
        return CRD_OK;
    absent = crd__arena_take(&ledger->unit.arena, sizeof *absent);
    if (absent == NULL) return crd__fail(ledger, CRD_E_NOMEM, NULL);
    memset(absent, 0, sizeof *absent);
    absent->ledger = ledger;
    absent->refs = 1;
    crd__record_clear(CRD_KIND_ACCOUNT, &absent->record);
    absent->record.customer = crd__arena_text(&ledger->unit.arena, own->record.customer);
    absent->record.currency = crd__arena_text(&ledger->unit.arena, code);
    if (absent->record.customer == NULL || absent->record.currency == NULL)
        return crd__fail(ledger, CRD_E_NOMEM, NULL);
    return crd__guard_account(ledger, absent);
}

static crd_status guard_absent_accounts(crd_ledger *ledger, const crd__list *held, const crd__account *own) {
    char code[4];
    crd_status status = CRD_OK;
    for (uint64_t n = 0; status == CRD_OK && crd__currency_code(n, code); n++)
        status = guard_absence(ledger, held, own, code);
    for (uint64_t n = 0; status == CRD_OK && n < ledger->currency_count; n++)
        status = guard_absence(ledger, held, own, ledger->currencies[n]->code);
    return status;
}

/* Every account of the customer but its own: those stored, and those that the open unit made. */
static crd_status switch_accounts(crd__command *command, crd__account *own, uint32_t switches) {
    crd_ledger *ledger = command->ledger;
    crd_query query = crd__query(CRD_KIND_BIT_ACCOUNT, own->record.customer, NULL);
    crd__list held = {NULL, 0, 0};
    uint64_t changed = ledger->unit.accounts.count;
    crd_status status;
    query.flags = CRD_QUERY_FOR_WRITE;
    status = crd__load(ledger, &query, &held);
    for (uint64_t i = 0; status == CRD_OK && i < held.count; i++)
        if (held.items[i] != own) status = switch_account(command, held.items[i], switches);
    for (uint64_t i = 0; status == CRD_OK && i < changed; i++) {
        crd__account *account = ledger->unit.accounts.items[i];
        if (account != own && strcmp(account->record.customer, own->record.customer) == 0)
            status = switch_account(command, account, switches);
    }
    if (status == CRD_OK) status = guard_absent_accounts(ledger, &held, own);
    crd__release(ledger, &held);
    return status;
}

static crd_status customer_change_refuse_closed(crd__command *command, const char *customer, int32_t closed_through) {
    crd__refusal why;
    (void)crd__refuse(&why, CRD_E_CLOSED, CRD_KIND_CUSTOMER, customer, closed_through, command->date);
    return crd__fail_refusal(command->ledger, &why, customer, "");
}

/* To apply at once and not to are two sides of one switch: setting one clears the other. */
static uint32_t switched_to(uint32_t switches, const crd_customer_change_terms *t) {
    if (t->set & (CRD_SWITCH_AUTO_APPLY_ON | CRD_SWITCH_AUTO_APPLY_OFF))
        switches &= ~(CRD_SWITCH_AUTO_APPLY_ON | CRD_SWITCH_AUTO_APPLY_OFF);
    return (switches & ~t->clear) | t->set;
}

static crd_status change_customer(crd__command *command, crd__doc *doc, const crd_customer_change_terms *t) {
    crd_ledger *ledger = command->ledger;
    crd__account *account = doc->account;
    crd__when when = crd__command_when(command, 1);
    crd_customer_record to = *(const crd_customer_record *)doc->record;
    uint32_t switches = switched_to(to.switches, t);
    crd_entry_record entry;
    crd__concerned on;
    int switched = switches != to.switches, changed = switched;
    crd_status status = crd__command_fresh(command, account);
    if (status == CRD_OK && !(t->clear & CRD_SWITCH_FEATURE_OFF)) status = crd__command_feature(command, account);
    if (status != CRD_OK) return status;
    if (when.date <= when.closed_through)
        return customer_change_refuse_closed(command, to.customer, when.closed_through);
    if (!take_text(account, t->name, &to.name, &changed) || !take_text(account, t->category, &to.category, &changed) ||
        !take_text(account, t->location, &to.location, &changed) ||
        !take_text(account, t->parent, &to.parent, &changed))
        return crd__fail(ledger, CRD_E_NOMEM, NULL);
    if (!changed) return CRD_OK;
    to.switches = switches;
    memset(&on, 0, sizeof on);
    on.account = account;
    on.customer = doc;
    on.image = &to;
    crd__entry_clear(&entry, CRD_ENTRY_CUSTOMER, command->date);
    status = crd__write_entry(command, &on, &entry);
    if (status == CRD_OK && switched) status = switch_accounts(command, account, switches);
    command->result.last_seq = command->result.first_seq; /* of the customer's own journal, where the request lies */
    return status;
}

crd_status crd_customer_change(crd_ledger *ledger, const crd_request *request, crd_customer *customer,
                               const crd_customer_change_terms *terms, crd_result *out) {
    crd__command command;
    crd_customer_change_terms t;
    crd_status status = crd__command_begin(ledger, request, CRD_COMMAND_CUSTOMER_CHANGE, &command);
    if (status != CRD_OK) return status;
    status = crd__take_struct(ledger, "change", &t, sizeof t, sizeof t, terms);
    if (status == CRD_OK) status = check_change(ledger, &t);
    if (status == CRD_OK)
        status = crd__command_handle(&command, customer != NULL ? &customer->handle : NULL, "customer");
    if (status == CRD_OK) {
        crd__doc *doc = customer->handle.doc;
        const char *id = crd__doc_id(doc);
        customer_change_arguments(&command, id, &t);
        status = crd__command_allow(&command, id, "", id, 0);
        if (status == CRD_OK && !command.answered) status = change_customer(&command, doc, &t);
    }
    return crd__command_finish(&command, status, out);
}

crd_status crd_customer_refresh(crd_customer *customer) {
    return crd__handle_refresh(customer != NULL ? &customer->handle : NULL);
}
