/*
 * Changing the amount of an application. What was raised is several entries that name the first; they are changed as
 * one: `parts` are what is left of it, oldest first.
 */
#include "ledger/ledger.h"

#include <string.h>

typedef struct parts {
    crd__application *items;
    uint64_t count;
    int64_t left; /* of all of them */
} parts;

/* The account, live and held. */
static crd_status load_account(crd__command *command, crd__list *held, crd__account **out) {
    crd_ledger *ledger = command->ledger;
    crd_query query = crd__query(CRD_KIND_BIT_ACCOUNT, command->customer, command->currency);
    crd_status status;
    query.flags = CRD_QUERY_FOR_WRITE;
    status = crd__load(ledger, &query, held);
    if (status != CRD_OK) return status;
    *out = crd__live(ledger, command->customer, command->currency);
    if (*out == NULL || (held->count == 0 && !(*out)->dirty))
        return crd__fail_subject(ledger, CRD_E_NOT_FOUND, CRD_KIND_ACCOUNT, command->customer, command->currency, NULL);
    return CRD_OK;
}

static crd_status not_found(const crd__command *command) {
    return crd__fail_subject(command->ledger, CRD_E_NOT_FOUND, CRD_KIND_ENTRY, command->customer, command->currency,
                             "there is no application of that number");
}

/* The entry asked for, of the storage or of the open unit. */
static crd_status application_find_entry(crd__command *command, const crd__account *account, int64_t seq,
                                         const char **credit, int64_t *first) {
    crd_ledger *ledger = command->ledger;
    crd_query query = crd__query(CRD_KIND_BIT_ENTRY, command->customer, command->currency);
    const crd_entry_record *e = NULL;
    crd__loaded loaded;
    crd_status status = CRD_OK;
    memset(&loaded, 0, sizeof loaded);
    loaded.ledger = ledger;
    for (uint64_t i = 0; i < ledger->unit.entries.count; i++) {
        const crd__entry *entry = ledger->unit.entries.items[i];
        if (entry->on.account == account && entry->record.seq == seq) e = &entry->record;
    }
    query.seq_from = query.seq_to = seq;
    crd__arena_reset(&ledger->scratch);
    if (e == NULL) status = crd__read(ledger, &query, &ledger->scratch, &loaded);
    if (status != CRD_OK) return status;
    if (e == NULL && loaded.rest.count == 1) e = ((crd__doc *)loaded.rest.items[0])->record;
    if (e == NULL || e->type != CRD_ENTRY_APPLY) {
        status = not_found(command);
    } else {
        *first = e->undoes != 0 ? e->undoes : seq;
        *credit = crd__arena_text(&ledger->unit.arena, e->credit);
        if (*credit == NULL) status = crd__fail(ledger, CRD_E_NOMEM, NULL);
    }
    crd__loaded_free(&loaded);
    return status;
}

/* What is left of the application that began with entry `first`. */
static crd_status find_parts(crd__command *command, crd__account *account, const char *credit, int64_t first,
                             parts *out) {
    crd_ledger *ledger = command->ledger;
    crd__application named, *list;
    uint64_t count;
    const crd__doc *doc;
    crd_status status;
    memset(&named, 0, sizeof named);
    named.credit = credit;
    named.invoice = named.receipt = "";
    status = crd__load_named(ledger, account, &named, 1);
    doc = status == CRD_OK ? crd__doc_find(account, CRD_KIND_CREDIT, credit) : NULL;
    if (status == CRD_OK && doc == NULL) status = crd__fail(ledger, CRD_E_CORRUPT, NULL);
    if (status == CRD_OK) status = crd__applications(ledger, account, doc, first, &list, &count);
    if (status != CRD_OK) return status;
    out->items = crd__arena_take(&ledger->unit.arena, (count + 1) * sizeof *out->items);
    if (out->items == NULL) return crd__fail(ledger, CRD_E_NOMEM, NULL);
    for (uint64_t i = 0; i < count; i++) {
        crd__application *part = &out->items[out->count];
        if (list[i].seq != first && list[i].undoes != first) continue;
        *part = list[i]; /* the list is in the scratch arena, which the next read resets */
        part->credit = credit;
        part->invoice = crd__arena_text(&ledger->unit.arena, list[i].invoice);
        part->receipt = crd__arena_text(&ledger->unit.arena, list[i].receipt);
        if (part->invoice == NULL || part->receipt == NULL) return crd__fail(ledger, CRD_E_NOMEM, NULL);
        out->left += part->left;
        out->count++;
    }
    if (out->count == 0) return crd__fail(ledger, CRD_E_CORRUPT, NULL);
    return crd__load_named(ledger, account, out->items, 1); /* all parts name the same documents */
}

static crd_status application_lower(crd__command *command, crd__account *account, const parts *p, int64_t amount,
                                    const crd__when *when) {
    crd_status status = CRD_OK;
    for (uint64_t i = p->count; status == CRD_OK && amount > 0 && i-- > 0;) {
        int64_t undone = 0;
        if (p->items[i].left == 0) continue;
        status = crd__unapply(command, account, &p->items[i], CRD__MIN(amount, p->items[i].left), when, &undone);
        amount -= undone;
    }
    return status;
}

static const void *application_record_of(const crd__doc *doc) {
    return doc != NULL ? doc->record : NULL;
}

static crd_status application_change(crd__command *command, crd__account *account, int64_t first, const parts *p,
                                     int64_t amount) {
    const crd__application *named = &p->items[0];
    crd__reapply_command ask;
    crd__decision decision;
    crd__refusal why;
    crd__concerned on;
    int64_t less = 0;
    crd_status status = CRD_OK;
    memset(&on, 0, sizeof on);
    memset(&decision, 0, sizeof decision);
    on.account = account;
    on.credit = crd__doc_find(account, CRD_KIND_CREDIT, named->credit);
    if (named->invoice[0] != '\0') on.invoice = crd__doc_find(account, CRD_KIND_INVOICE, named->invoice);
    if (named->receipt[0] != '\0') on.receipt = crd__doc_find(account, CRD_KIND_RECEIPT, named->receipt);
    if ((named->invoice[0] != '\0' && on.invoice == NULL) || (named->receipt[0] != '\0' && on.receipt == NULL))
        return crd__fail(command->ledger, CRD_E_CORRUPT, NULL);
    ask.when = crd__command_when(command, 1);
    ask.seq = first;
    ask.left = p->left;
    ask.amount = amount;
    ask.flags = named->flags;
    if (amount > p->left && p->left > 0) status = crd__enter_lapsed_before_use(command, on.credit, &ask.when);
    if (status != CRD_OK) return status;
    if (crd__decide_reapply(on.credit->record, application_record_of(on.invoice), application_record_of(on.receipt),
                            &ask, &less, &decision, &why) != CRD_OK)
        return crd__refused(command->ledger, &why, account);
    command->result.amount = amount;
    if (less > 0) return application_lower(command, account, p, less, &ask.when);
    if (decision.count > 0) command->result.first_seq = account->record.last_seq + 1;
    return crd__write_moves(command, &on, &decision, NULL, 0);
}

static crd_status change_application(crd__command *command, int64_t seq, int64_t amount) {
    crd__list held = {NULL, 0, 0};
    crd__account *account = NULL;
    const char *credit = "";
    int64_t first = 0;
    parts p;
    crd_status status = load_account(command, &held, &account);
    memset(&p, 0, sizeof p);
    if (status == CRD_OK) status = crd__command_feature(command, account);
    if (status == CRD_OK) status = application_find_entry(command, account, seq, &credit, &first);
    if (status == CRD_OK) status = find_parts(command, account, credit, first, &p);
    if (status == CRD_OK) status = application_change(command, account, first, &p, amount);
    crd__release(command->ledger, &held);
    return status;
}

static crd_status change_application_once(crd_ledger *ledger, const crd_request *request, const char *customer,
                                          const char *currency, int64_t seq, int64_t amount, crd_result *out) {
    crd__command command;
    crd_status status = crd__command_begin(ledger, request, CRD_COMMAND_APPLICATION_CHANGE, &command);
    if (status != CRD_OK) return status;
    status = crd__check_id(ledger, "customer", customer);
    if (status == CRD_OK) status = crd__check_currency(ledger, currency);
    if (status == CRD_OK && seq < 1) status = crd__fail_argument(ledger, "seq", "must be at least 1");
    if (status == CRD_OK) status = crd__check_amount(ledger, "amount", amount, 0);
    if (status == CRD_OK) {
        crd__argument_text(&command, "currency", currency);
        crd__argument_number(&command, "seq", seq);
        crd__argument_number(&command, "amount", amount);
        status = crd__command_allow(&command, customer, currency, "", amount);
    }
    if (status == CRD_OK && !command.answered) status = change_application(&command, seq, amount);
    return crd__command_finish(&command, status, out);
}

crd_status crd_application_change(crd_ledger *ledger, const crd_request *request, const char *customer,
                                  const char *currency, int64_t seq, int64_t amount, crd_result *out) {
    crd_status status;
    uint32_t tries = 0;
    do status = change_application_once(ledger, request, customer, currency, seq, amount, out);
    while (crd__again(ledger, status, &tries));
    return status;
}
