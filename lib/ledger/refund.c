/*
 * Refund: credit is paid out, and comes back when the payment failed.
 */
#include "ledger/ledger.h"

#include <string.h>

static crd_status refund(crd__command *command, crd__doc *doc, const crd_refund_terms *t) {
    const crd_credit_record *credit = doc->record;
    crd__out_command ask;
    crd__decision decision;
    crd__refusal why;
    crd__concerned on;
    crd_entry_record entry;
    crd_status status = crd__command_fresh(command, doc->account);
    if (status == CRD_OK) status = crd__command_feature(command, doc->account);
    ask.when = crd__command_when(command, 1);
    if (status == CRD_OK) status = crd__enter_lapsed_before_use(command, doc, &ask.when);
    if (status != CRD_OK) return status;
    memset(&decision, 0, sizeof decision);
    ask.amount = t->amount;
    ask.override = (t->flags & CRD_REFUND_OVERRIDE) != 0;
    if (crd__decide_refund(credit, &ask, &decision, &why) != CRD_OK)
        return crd__refused(command->ledger, &why, doc->account);
    memset(&on, 0, sizeof on);
    on.account = doc->account;
    on.credit = doc;
    crd__entry_clear(&entry, CRD_ENTRY_REFUND, decision.moves[0].date);
    entry.amount = decision.moves[0].amount;
    entry.reference = crd__or_empty(t->reference);
    entry.method = crd__or_empty(t->method);
    if (entry.method[0] == '\0') entry.method = credit->method[0] != '\0' ? credit->method : "cash";
    command->result.amount = entry.amount;
    command->result.first_seq = 0; /* the refund, also when a lapse came first */
    return crd__write_entry(command, &on, &entry);
}

static crd_status refund_check_terms(crd_ledger *ledger, const crd_refund_terms *t) {
    crd_status status = crd__check_amount(ledger, "terms.amount", t->amount, 0);
    if (status == CRD_OK) status = crd__check_label(ledger, "terms.method", t->method);
    if (status == CRD_OK) status = crd__check_text(ledger, "terms.reference", t->reference);
    if (status == CRD_OK && (t->flags & ~CRD_REFUND_OVERRIDE))
        status = crd__fail_argument(ledger, "terms.flags", "has an unknown flag");
    return status;
}

crd_status crd_credit_refund(crd_ledger *ledger, const crd_request *request, crd_credit *credit,
                             const crd_refund_terms *terms, crd_result *out) {
    crd__command command;
    crd_refund_terms t;
    crd_status status = crd__command_begin(ledger, request, CRD_COMMAND_CREDIT_REFUND, &command);
    if (status != CRD_OK) return status;
    status = crd__take_struct(ledger, "terms", &t, sizeof t, sizeof t, terms);
    if (status == CRD_OK) status = refund_check_terms(ledger, &t);
    if (status == CRD_OK) status = crd__command_handle(&command, credit != NULL ? &credit->handle : NULL, "credit");
    if (status == CRD_OK) {
        crd__doc *doc = credit->handle.doc;
        const crd_account_record *account = &doc->account->record;
        crd__argument_text(&command, "credit", crd__doc_id(doc));
        crd__argument_number(&command, "terms.amount", t.amount);
        crd__argument_number(&command, "terms.flags", t.flags);
        crd__argument_text(&command, "terms.method", t.method);
        crd__argument_text(&command, "terms.reference", t.reference);
        command.flags = t.flags;
        status = crd__command_allow(&command, account->customer, account->currency, crd__doc_id(doc),
                                    t.amount != 0 ? t.amount : crd__command_all(&command, doc, NULL));
        if (status == CRD_OK && !command.answered) status = refund(&command, doc, &t);
    }
    return crd__command_finish(&command, status, out);
}

crd_status crd__undo_refund(crd__command *command, crd__account *account, const crd__application *named) {
    crd__give_back_command ask;
    crd__decision decision;
    crd__refusal why;
    crd__concerned on;
    crd_status status;
    memset(&on, 0, sizeof on);
    memset(&decision, 0, sizeof decision);
    on.account = account;
    on.credit = crd__doc_find(account, CRD_KIND_CREDIT, named->credit);
    ask.when = crd__command_when(command, 0);
    status = named->left > 0 ? crd__enter_lapsed(command, on.credit, &ask.when) : CRD_OK;
    if (status != CRD_OK) return status;
    ask.type = CRD_ENTRY_UNREFUND;
    ask.seq = named->seq;
    ask.left = named->left;
    status = crd__cut_debit_memo(command, on.credit, named->left, &ask.when);
    if (status != CRD_OK) return status;
    if (crd__decide_give_back(on.credit->record, &ask, &decision, &why) != CRD_OK)
        return crd__refused(command->ledger, &why, account);
    command->result.amount = named->left;
    return crd__write_moves(command, &on, &decision, NULL, 0);
}
