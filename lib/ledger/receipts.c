/*
 * Receipts, and the one undo: it takes back what a journal entry did.
 */
#include "ledger/ledger.h"

#include <string.h>

crd_status crd_receipt_find(crd_ledger *ledger, const char *customer, const char *id, crd_receipt **out) {
    return crd__handle_find(ledger, CRD_KIND_RECEIPT, customer, id, (crd__handle **)(void *)out);
}

const crd_receipt_record *crd_receipt_get(const crd_receipt *receipt) {
    return receipt != NULL ? receipt->handle.doc->record : NULL;
}

crd_status crd_receipt_refresh(crd_receipt *receipt) {
    return crd__handle_refresh(receipt != NULL ? &receipt->handle : NULL);
}

void crd_receipt_free(crd_receipt *receipt) {
    crd__handle_free(receipt != NULL ? &receipt->handle : NULL);
}

/* What the entry to undo is, and its account, held. */
typedef struct undo_of {
    crd__list held;
    crd__account *account;
    crd__application named; /* its ids live in the unit's arena */
    uint32_t type;
    int64_t amount;
} undo_of;

static crd_status take_entry(crd__command *command, const crd_entry_record *e, undo_of *of) {
    crd__arena *arena = &command->ledger->unit.arena;
    of->type = e->type;
    of->amount = e->amount;
    of->named.seq = e->seq;
    of->named.flags = e->flags;
    of->named.credit = crd__arena_text(arena, e->credit);
    of->named.invoice = crd__arena_text(arena, e->invoice);
    of->named.receipt = crd__arena_text(arena, e->receipt);
    if (of->named.credit == NULL || of->named.invoice == NULL || of->named.receipt == NULL)
        return crd__fail(command->ledger, CRD_E_NOMEM, NULL);
    return CRD_OK;
}

static crd_status find_entry(crd__command *command, int64_t seq, undo_of *of) {
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

static crd_status undo_application(crd__command *command, undo_of *of, int64_t amount) {
    crd_ledger *ledger = command->ledger;
    crd__when when = crd__command_when(command, 1);
    crd__application *list;
    uint64_t count;
    const crd__doc *credit;
    crd_status status = crd__load_named(ledger, of->account, &of->named, 1);
    if (status != CRD_OK) return status;
    credit = crd__doc_find(of->account, CRD_KIND_CREDIT, of->named.credit);
    if (credit == NULL) return crd__fail(ledger, CRD_E_CORRUPT, NULL);
    status = crd__applications(ledger, of->account, credit, &list, &count);
    for (uint64_t i = 0; status == CRD_OK && i < count; i++)
        if (list[i].seq == of->named.seq) of->named.left = list[i].left;
    if (status != CRD_OK) return status;
    return crd__unapply(command, of->account, &of->named, amount, &when, &command->result.amount);
}

static crd_status refuse_receipt(crd_ledger *ledger, const undo_of *of, crd_status code, int64_t given) {
    crd__refusal why;
    (void)crd__refuse(&why, code, CRD_KIND_RECEIPT, of->named.receipt, 0, given);
    return crd__fail_refusal(ledger, &why, of->account->record.customer, of->account->record.currency);
}

static crd_status undo_receipt(crd__command *command, undo_of *of) {
    crd_ledger *ledger = command->ledger;
    crd__when when = crd__command_when(command, 0);
    const crd_receipt_record *record;
    crd__application *list;
    uint64_t count;
    crd__concerned on;
    crd_entry_record entry;
    crd_status status;
    of->named.credit = ""; /* only the receipt is needed to begin with */
    status = crd__load_named(ledger, of->account, &of->named, 1);
    if (status != CRD_OK) return status;
    memset(&on, 0, sizeof on);
    on.account = of->account;
    on.receipt = crd__doc_find(of->account, CRD_KIND_RECEIPT, of->named.receipt);
    if (on.receipt == NULL) return crd__fail(ledger, CRD_E_CORRUPT, NULL);
    record = on.receipt->record;
    if (record->state != CRD_RECEIPT_POSTED) return refuse_receipt(ledger, of, CRD_E_NOTHING, record->state);
    if (record->amount != 0) return refuse_receipt(ledger, of, CRD_E_STATE, record->state);
    status = crd__applications(ledger, of->account, on.receipt, &list, &count);
    if (status == CRD_OK) status = crd__load_named(ledger, of->account, list, count);
    if (status != CRD_OK) return status;
    when.date = crd__latest(of->account, list, count, CRD__MAX(when.date, record->last_date));
    if (when.date <= when.closed_through) return refuse_receipt(ledger, of, CRD_E_CLOSED, when.date);
    for (uint64_t i = count; status == CRD_OK && i-- > 0;) {
        int64_t undone = 0;
        if (list[i].left == 0) continue;
        status = crd__unapply(command, of->account, &list[i], 0, &when, &undone);
        command->result.amount += undone;
    }
    if (status != CRD_OK) return status;
    crd__entry_clear(&entry, CRD_ENTRY_RECEIPT_UNDO, when.date);
    entry.undoes = of->named.seq;
    entry.amount = command->result.amount;
    return crd__write_entry(command, &on, &entry);
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
    if (status == CRD_OK) status = find_entry(command, seq, &of);
    if (status == CRD_OK) status = crd__command_feature(command, of.account);
    if (status == CRD_OK) {
        if (of.type == CRD_ENTRY_APPLY)
            status = undo_application(command, &of, amount);
        else if (of.type == CRD_ENTRY_RECEIPT && amount != 0)
            status = crd__fail_argument(ledger, "amount", "must be 0: a receipt is undone whole");
        else if (of.type == CRD_ENTRY_RECEIPT)
            status = undo_receipt(command, &of);
        else
            status = crd__fail_subject(ledger, CRD_E_STATE, CRD_KIND_ENTRY, command->customer,
                                       crd_entry_name(of.type), "an entry of this type cannot be undone");
    }
    crd__release(ledger, &of.held);
    return status;
}

crd_status crd_undo(crd_ledger *ledger, const crd_request *request, const char *customer, const char *currency,
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
