/*
 * Transfer: credit goes to another customer, and back. Both accounts are changed in one unit; the request key lies with
 * the one it comes from, whose entries the result tells.
 *
 *     there and back    X: TRANSFER --> Y: ISSUE (transferred in)      Y: TRANSFER (consequence) --> X: UNTRANSFER
 */
#include "ledger/ledger.h"

#include <string.h>

static void transfer_concern(crd__concerned *on, crd__account *account, crd__doc *credit) {
    memset(on, 0, sizeof *on);
    on->account = account;
    on->credit = credit;
}

/* Writes a transfer that leaves `credit`; the other side is named. */
static crd_status leave(crd__command *command, crd__doc *credit, const crd__move *move, const char *other_customer,
                        const char *other_id) {
    crd__concerned on;
    crd_entry_record entry;
    transfer_concern(&on, credit->account, credit);
    crd__entry_clear(&entry, CRD_ENTRY_TRANSFER, move->date);
    entry.amount = move->amount;
    entry.flags = move->flags;
    entry.other_customer = other_customer;
    entry.other_id = other_id;
    return crd__write_entry(command, &on, &entry);
}

static crd_status arrive(crd__command *command, const crd__doc *from, crd_credit_record *c, crd__account *there,
                         const crd__move *move, crd__doc **out) {
    crd__concerned on;
    crd_entry_record entry;
    crd_result result = command->result; /* tells the entries of the account the request key lies with */
    crd_status status;
    transfer_concern(&on, there, NULL);
    c->customer = there->record.customer;
    c->currency = there->record.currency;
    c->first_seq = c->last_seq = there->record.last_seq + 1;
    c->last_date = move->date;
    c->issued_at = CRD__MAX(command->instant, there->record.last_instant);
    crd__entry_clear(&entry, CRD_ENTRY_ISSUE, move->date);
    entry.amount = entry.credit_after = move->amount;
    entry.other_customer = from->account->record.customer;
    entry.other_id = crd__doc_id(from);
    status = crd__write_document(command, &on, CRD_KIND_CREDIT, c, &entry, out);
    command->result = result;
    return status;
}

static crd_status transfer(crd__command *command, crd__doc *doc, const crd_transfer_terms *t, crd__doc **made) {
    crd_ledger *ledger = command->ledger;
    crd__account *there = NULL;
    crd__out_command ask;
    crd__decision decision;
    crd__refusal why;
    crd_credit_record c;
    crd_status status = doc->account->live ? crd__command_feature(command, doc->account) : CRD_OK;
    if (status == CRD_OK)
        status = crd__command_account(command, t->customer, doc->account->record.currency, CRD_KIND_CREDIT, t->id,
                                      &there);
    if (status == CRD_OK) status = crd__command_fresh(command, doc->account);
    memset(&decision, 0, sizeof decision);
    memset(&ask, 0, sizeof ask);
    ask.when = crd__command_when(command, 1);
    ask.amount = t->amount;
    if (status == CRD_OK) status = crd__enter_lapsed_before_use(command, doc, &ask.when);
    if (status != CRD_OK) return status;
    command->result.first_seq = 0; /* the transfer, also when a lapse, or the first entry of an account there, came before */
    if (crd__decide_transfer(doc->record, &ask, &decision, &why) != CRD_OK)
        return crd__refused(ledger, &why, doc->account);
    command->result.amount = decision.moves[0].amount;
    crd__transferred_credit(doc->record, decision.moves[0].amount, &c);
    c.id = t->id != NULL ? t->id : crd__derive_id(command, there, there->record.last_seq + 1);
    if (c.id == NULL) return crd__fail(ledger, CRD_E_NOMEM, NULL);
    status = leave(command, doc, &decision.moves[0], there->record.customer, c.id);
    if (status == CRD_OK) status = arrive(command, doc, &c, there, &decision.moves[0], made);
    if (status == CRD_OK) command->created_id = crd__doc_id(*made);
    return status;
}

static crd_status transfer_check_terms(crd__command *command, const crd_credit *credit, const crd_transfer_terms *t) {
    crd_ledger *ledger = command->ledger;
    crd_status status = crd__check_id(ledger, "terms.customer", t->customer);
    if (status == CRD_OK && t->id != NULL) status = crd__check_id(ledger, "terms.id", t->id);
    if (status == CRD_OK) status = crd__check_amount(ledger, "terms.amount", t->amount, 0);
    if (status == CRD_OK && t->flags != 0) status = crd__fail_argument(ledger, "terms.flags", "must be 0");
    if (status == CRD_OK && strcmp(t->customer, credit->handle.doc->account->record.customer) == 0)
        status = crd__fail_argument(ledger, "terms.customer", "must be another customer than the credit's");
    return status;
}

/* As crd__command_create(), with a result: the handle comes before anything is kept. */
static crd_status transfer_finish(crd__command *command, crd_status status, crd__doc *made, const char *customer,
                                  crd_credit **out_there, crd_result *out) {
    crd_ledger *ledger = command->ledger;
    crd__handle *handle = NULL;
    if (status == CRD_OK && out_there != NULL && made != NULL) status = crd__handle_new(ledger, made, &handle);
    status = crd__command_end(command, status);
    if (handle != NULL && (status != CRD_OK || command->answered)) {
        crd__handle_free(handle);
        handle = NULL;
    }
    if (status == CRD_OK && out_there != NULL && command->answered)
        status = crd__handle_find(ledger, CRD_KIND_CREDIT, customer, command->created_id, &handle);
    if (out_there != NULL) *out_there = (crd_credit *)(void *)handle;
    if (status != CRD_OK) memset(&command->result, 0, sizeof command->result);
    command->result.struct_size = sizeof command->result;
    crd__give_struct(out, &command->result);
    if (command->own_unit) crd__unit_forget(ledger);
    return status;
}

crd_status crd_credit_transfer(crd_ledger *ledger, const crd_request *request, crd_credit *credit,
                               const crd_transfer_terms *terms, crd_credit **out_there, crd_result *out) {
    crd__command command;
    crd_transfer_terms t;
    crd__doc *made = NULL;
    crd_status status;
    if (out_there != NULL) *out_there = NULL;
    memset(&t, 0, sizeof t);
    status = crd__command_begin(ledger, request, CRD_COMMAND_CREDIT_TRANSFER, &command);
    if (status != CRD_OK) return status;
    status = crd__take_struct(ledger, "terms", &t, sizeof t, sizeof t, terms);
    if (status == CRD_OK) status = crd__command_handle(&command, credit != NULL ? &credit->handle : NULL, "credit");
    if (status == CRD_OK) status = transfer_check_terms(&command, credit, &t);
    if (status == CRD_OK) {
        crd__doc *doc = credit->handle.doc;
        const crd_account_record *account = &doc->account->record;
        crd__argument_text(&command, "credit", crd__doc_id(doc));
        crd__argument_text(&command, "terms.customer", t.customer);
        crd__argument_number(&command, "terms.amount", t.amount);
        crd__argument_text(&command, "terms.id", t.id);
        command.created_kind = CRD_KIND_CREDIT;
        status = crd__command_allow(&command, account->customer, account->currency, crd__doc_id(doc),
                                    t.amount != 0 ? t.amount : crd__command_all(&command, doc, NULL));
        if (status == CRD_OK && !command.answered) status = transfer(&command, doc, &t, &made);
    }
    return transfer_finish(&command, status, made, t.customer, out_there, out);
}

/* ---- back ---- */

/* The credit that a transfer made, whose account is held by `held`. */
static crd_status load_there(crd__command *command, const crd__application *named, crd__list *held, crd__doc **out) {
    crd_ledger *ledger = command->ledger;
    crd_query query = crd__query(CRD_KIND_BIT_ACCOUNT | CRD_KIND_BIT_CREDIT, named->other_customer, command->currency);
    crd__account *there;
    crd_status status;
    query.id = named->other_id;
    query.flags = CRD_QUERY_FOR_WRITE;
    status = crd__load(ledger, &query, held);
    if (status != CRD_OK) return status;
    there = crd__live(ledger, named->other_customer, command->currency);
    *out = there != NULL ? crd__doc_find(there, CRD_KIND_CREDIT, named->other_id) : NULL;
    if (*out == NULL)
        return crd__fail_subject(ledger, CRD_E_CORRUPT, CRD_KIND_CREDIT, named->other_customer, named->other_id,
                                 "the journal names it, but it is not stored");
    return crd__command_feature(command, there);
}

/* Both ends name each other, on the way back too. */
static crd_status come_back(crd__command *command, const crd__concerned *on, const crd__decision *returns,
                            const crd__application *named) {
    crd_status status = CRD_OK;
    for (uint32_t i = 0; status == CRD_OK && i < returns->count; i++) {
        const crd__move *move = &returns->moves[i];
        crd__decision one;
        crd_entry_record entry;
        if (move->type != CRD_ENTRY_UNTRANSFER) {
            memset(&one, 0, sizeof one);
            one.moves[one.count++] = *move;
            status = crd__write_moves(command, on, &one, NULL, 0);
            continue;
        }
        crd__entry_clear(&entry, move->type, move->date);
        entry.amount = move->amount;
        entry.flags = move->flags;
        entry.undoes = move->undoes;
        entry.other_customer = named->other_customer;
        entry.other_id = named->other_id;
        status = crd__write_entry(command, on, &entry);
    }
    return status;
}

static crd_status decide_untransfer(crd__command *command, const crd__doc *credit, const crd__doc *there,
                                    const crd__untransfer_command *ask, crd__decision *back, crd__decision *returns) {
    crd__refusal why;
    memset(back, 0, sizeof *back);
    memset(returns, 0, sizeof *returns);
    if (crd__decide_untransfer(credit->record, there->record, ask, back, returns, &why) == CRD_OK) return CRD_OK;
    return crd__refused(command->ledger, &why,
                            why.subject == crd__doc_id(there) ? there->account : credit->account);
}

static crd_status untransfer(crd__command *command, crd__doc *credit, crd__doc *there, const crd__application *named,
                             int64_t amount) {
    crd__untransfer_command ask;
    crd__decision back, returns;
    crd__concerned on;
    crd_result result = command->result;
    crd_status status = CRD_OK;
    ask.when = crd__command_when(command, 0);
    if (named->left > 0) status = crd__enter_lapsed_before_use(command, there, &ask.when);
    command->result = result; /* tells the entries of the account it was asked of */
    if (status == CRD_OK && named->left > 0) status = crd__enter_lapsed(command, credit, &ask.when);
    ask.seq = named->seq;
    ask.left = named->left;
    ask.amount = amount;
    if (status == CRD_OK) status = decide_untransfer(command, credit, there, &ask, &back, &returns);
    if (status != CRD_OK) return status;
    ask.when.date = back.moves[0].date;
    status = crd__cut_debit_memo(command, credit, back.moves[0].amount, &ask.when);
    if (status == CRD_OK) status = decide_untransfer(command, credit, there, &ask, &back, &returns); /* one date */
    if (status != CRD_OK) return status;
    result = command->result;
    result.amount = back.moves[0].amount;
    status = leave(command, there, &back.moves[0], credit->account->record.customer, crd__doc_id(credit));
    command->result = result;
    if (status != CRD_OK) return status;
    transfer_concern(&on, credit->account, credit);
    return come_back(command, &on, &returns, named);
}

crd_status crd__undo_transfer(crd__command *command, crd__account *account, const crd__application *named,
                              int64_t amount) {
    crd__list held = {NULL, 0, 0};
    crd__doc *there = NULL;
    crd_status status = load_there(command, named, &held, &there);
    if (status == CRD_OK)
        status = untransfer(command, crd__doc_find(account, CRD_KIND_CREDIT, named->credit), there, named, amount);
    crd__release(command->ledger, &held);
    return status;
}
