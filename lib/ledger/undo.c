/*
 * The one undo: it takes back what a journal entry did.
 *
 * crd_undo() finds the entry and hands it to the function of its type, see `ways`. Each ends with entries that name
 * the one they undo; nothing that was written is ever changed.
 */
#include "ledger/ledger.h"

#include <string.h>

/* What the entry to undo is, and its account, held. */
typedef struct undo_of {
    crd__list held;
    crd__account *account;
    crd__application named; /* its ids live in the unit's arena; `left` is the entry's amount until it is looked up */
} undo_of;

static crd_status take_entry(crd__command *command, const crd_entry_record *e, undo_of *of) {
    crd__arena *arena = &command->ledger->unit.arena;
    of->named.type = e->type;
    of->named.left = e->amount;
    of->named.cause = e->cause;
    of->named.seq = e->seq;
    of->named.flags = e->flags;
    of->named.undoes = e->undoes;
    of->named.other_customer = crd__arena_text(arena, e->other_customer);
    of->named.other_id = crd__arena_text(arena, e->other_id);
    of->named.credit = crd__arena_text(arena, e->credit);
    of->named.invoice = crd__arena_text(arena, e->invoice);
    of->named.receipt = crd__arena_text(arena, e->receipt);
    if (of->named.credit == NULL || of->named.invoice == NULL || of->named.receipt == NULL ||
        of->named.other_customer == NULL || of->named.other_id == NULL)
        return crd__fail(command->ledger, CRD_E_NOMEM, NULL);
    return CRD_OK;
}

static crd_status undo_find_entry(crd__command *command, int64_t seq, undo_of *of) {
    crd_ledger *ledger = command->ledger;
    crd_query query = crd__query(CRD_KIND_BIT_ENTRY, command->customer, command->currency);
    crd__loaded loaded;
    crd_status status;
    for (uint64_t i = 0; i < ledger->unit.entries.count; i++) {
        const crd__entry *entry = ledger->unit.entries.items[i];
        if (entry->on.account == of->account && entry->record.seq == seq) return take_entry(command, &entry->record, of);
    }
    query.seq_from = query.seq_to = seq;
    crd__arena_reset(&ledger->scratch);
    status = crd__read(ledger, &query, &ledger->scratch, &loaded);
    if (status != CRD_OK) return status;
    if (loaded.rest.count == 1)
        status = take_entry(command, ((crd__doc *)loaded.rest.items[0])->record, of);
    else
        status = crd__fail_subject(ledger, CRD_E_NOT_FOUND, CRD_KIND_ENTRY, command->customer, command->currency,
                                   "there is no entry of that number");
    crd__loaded_free(&loaded);
    return status;
}

/* Loads the documents the entry names, and finds what is left of it in the history of `kind`. */
static crd_status find_left(crd__command *command, undo_of *of, uint32_t kind, const char *id) {
    crd_ledger *ledger = command->ledger;
    crd__application *list;
    uint64_t count;
    const crd__doc *doc;
    crd_status status = crd__load_named(ledger, of->account, &of->named, 1);
    if (status != CRD_OK) return status;
    doc = crd__doc_find(of->account, kind, id);
    if (doc == NULL) return crd__fail(ledger, CRD_E_CORRUPT, NULL);
    status = crd__deeds(ledger, of->account, doc, of->named.seq, CRD__BIT(of->named.type), &list, &count);
    for (uint64_t i = 0; status == CRD_OK && i < count; i++)
        if (list[i].seq == of->named.seq) of->named.left = list[i].left;
    return status;
}

static crd_status undo_application(crd__command *command, undo_of *of, int64_t amount) {
    crd__when when = crd__command_when(command, 1);
    crd_status status = find_left(command, of, CRD_KIND_CREDIT, of->named.credit);
    if (status != CRD_OK) return status;
    return crd__unapply(command, of->account, &of->named, amount, &when, &command->result.amount);
}

static crd_status undo_write_off(crd__command *command, undo_of *of, int64_t amount) {
    crd__when when = crd__command_when(command, 1);
    crd_status status = find_left(command, of, CRD_KIND_INVOICE, of->named.invoice);
    if (status != CRD_OK) return status;
    return crd__unwrite_off(command, of->account, &of->named, amount, &when, &command->result.amount);
}

static crd_status undo_receipt(crd__command *command, undo_of *of, int64_t amount) {
    if (amount != 0) return crd__fail_argument(command->ledger, "amount", "must be 0: a receipt is undone whole");
    return crd__undo_receipt(command, of->account, of->named.receipt);
}

static crd_status undo_refund(crd__command *command, undo_of *of, int64_t amount) {
    crd_status status;
    if (amount != 0) return crd__fail_argument(command->ledger, "amount", "must be 0: a refund is undone whole");
    status = find_left(command, of, CRD_KIND_CREDIT, of->named.credit);
    return status == CRD_OK ? crd__undo_refund(command, of->account, &of->named) : status;
}

static crd_status undo_adjust(crd__command *command, undo_of *of, int64_t amount) {
    if (amount != 0)
        return crd__fail_argument(command->ledger, "amount", "must be 0: an adjustment is undone whole");
    if (of->named.undoes != 0)
        return crd__fail_subject(command->ledger, CRD_E_STATE, CRD_KIND_ENTRY, command->customer,
                                 crd_entry_name(of->named.type), "it undid an adjustment; adjust anew instead");
    return crd__undo_adjust(command, of->account, &of->named);
}

/* What went back already is a transfer of its own, and a consequence: it is not undone again. */
static crd_status undo_transfer(crd__command *command, undo_of *of, int64_t amount) {
    crd_status status;
    if (of->named.flags & CRD_ENTRY_CONSEQUENCE)
        return crd__fail_subject(command->ledger, CRD_E_STATE, CRD_KIND_ENTRY, command->customer,
                                 crd_entry_name(of->named.type), "it undid a transfer; transfer anew instead");
    status = find_left(command, of, CRD_KIND_CREDIT, of->named.credit);
    return status == CRD_OK ? crd__undo_transfer(command, of->account, &of->named, amount) : status;
}

static crd_status undo_entry(crd__command *command, undo_of *of, int64_t amount) {
    static const struct {
        uint32_t type;
        crd_status (*undo)(crd__command *command, undo_of *of, int64_t amount);
    } ways[] = {
        {CRD_ENTRY_APPLY, undo_application},
        {CRD_ENTRY_REFUND, undo_refund},
        {CRD_ENTRY_TRANSFER, undo_transfer},
        {CRD_ENTRY_ADJUST, undo_adjust},
        {CRD_ENTRY_RECEIPT, undo_receipt},
        {CRD_ENTRY_WRITE_OFF, undo_write_off},
    };
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++)
        if (ways[i].type == of->named.type) return ways[i].undo(command, of, amount);
    return crd__fail_subject(command->ledger, CRD_E_STATE, CRD_KIND_ENTRY, command->customer,
                             crd_entry_name(of->named.type), "an entry of this type cannot be undone");
}

static crd_status undo(crd__command *command, int64_t seq, int64_t amount) {
    crd_ledger *ledger = command->ledger;
    crd_query query = crd__query(CRD_KIND_BIT_ACCOUNT, command->customer, command->currency);
    undo_of of;
    crd_status status;
    memset(&of, 0, sizeof of);
    query.flags = CRD_QUERY_FOR_WRITE;
    status = crd__load(ledger, &query, &of.held);
    if (status == CRD_OK) of.account = crd__live(ledger, command->customer, command->currency);
    if (status == CRD_OK && (of.account == NULL || (of.held.count == 0 && !of.account->dirty)))
        status = crd__fail_subject(ledger, CRD_E_NOT_FOUND, CRD_KIND_ACCOUNT, command->customer, command->currency,
                                   NULL);
    if (status == CRD_OK) status = crd__command_feature(command, of.account);
    if (status == CRD_OK) status = undo_find_entry(command, seq, &of);
    if (status == CRD_OK) status = undo_entry(command, &of, amount);
    crd__release(ledger, &of.held);
    return status;
}

static crd_status undo_once(crd_ledger *ledger, const crd_request *request, const char *customer, const char *currency,
                            int64_t seq, int64_t amount, crd_result *out) {
    crd__command command;
    crd_status status = crd__command_begin(ledger, request, CRD_COMMAND_UNDO, &command);
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
    if (status == CRD_OK && !command.answered) status = undo(&command, seq, amount);
    return crd__command_finish(&command, status, out);
}

crd_status crd_undo(crd_ledger *ledger, const crd_request *request, const char *customer, const char *currency,
                    int64_t seq, int64_t amount, crd_result *out) {
    crd_status status;
    uint32_t tries = 0;
    do status = undo_once(ledger, request, customer, currency, seq, amount, out);
    while (crd__again(ledger, status, &tries));
    return status;
}
