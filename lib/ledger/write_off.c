/*
 * Write-offs: part of an invoice that nobody will pay; how one is undone, and how an invoice is freed of what settles
 * it, of which write-offs are the first to go.
 */
#include "ledger/ledger.h"

#include <string.h>

/* ---- write off ---- */

static crd_status write_off(crd__command *command, crd__doc *doc, int64_t amount, uint32_t cause) {
    crd_ledger *ledger = command->ledger;
    crd__write_off_command ask;
    crd__decision decision;
    crd__refusal why;
    crd__concerned on;
    crd_status status = crd__command_fresh(command, doc->account);
    if (status == CRD_OK) status = crd__command_feature(command, doc->account);
    if (status != CRD_OK) return status;
    memset(&decision, 0, sizeof decision);
    memset(&ask, 0, sizeof ask);
    ask.when = crd__command_when(command, 1);
    ask.amount = amount;
    ask.cause = cause;
    if (crd__decide_write_off(doc->record, &ask, &decision, &why) != CRD_OK)
        return crd__refused(ledger, &why, doc->account);
    memset(&on, 0, sizeof on);
    on.account = doc->account;
    on.invoice = doc;
    command->result.amount = decision.moves[0].amount;
    return crd__write_moves(command, &on, &decision, NULL, 0);
}

crd_status crd_invoice_write_off(crd_ledger *ledger, const crd_request *request, crd_invoice *invoice, int64_t amount,
                                 uint32_t cause, crd_result *out) {
    crd__command command;
    crd_status status = crd__command_begin(ledger, request, CRD_COMMAND_WRITE_OFF, &command);
    if (status != CRD_OK) return status;
    status = crd__check_amount(ledger, "amount", amount, 0);
    if (cause == CRD_CAUSE_NONE) cause = CRD_CAUSE_WRITTEN_OFF;
    if (status == CRD_OK && cause != CRD_CAUSE_WRITTEN_OFF && cause != CRD_CAUSE_TOLERANCE &&
        cause != CRD_CAUSE_DISCOUNT)
        status = crd__fail_argument(ledger, "cause", "is not a cause of writing off");
    if (status == CRD_OK) status = crd__command_handle(&command, invoice != NULL ? &invoice->handle : NULL, "invoice");
    if (status == CRD_OK) {
        crd__doc *doc = invoice->handle.doc;
        const crd_account_record *account = &doc->account->record;
        crd__argument_text(&command, "invoice", crd__doc_id(doc));
        crd__argument_number(&command, "amount", amount);
        crd__argument_number(&command, "cause", cause);
        status = crd__command_allow(&command, account->customer, account->currency, crd__doc_id(doc),
                                    amount != 0 ? amount : ((const crd_invoice_record *)doc->record)->open);
        if (status == CRD_OK && !command.answered) status = write_off(&command, doc, amount, cause);
    }
    return crd__command_finish(&command, status, out);
}

/* ---- undo ---- */

crd_status crd__unwrite_off(crd__command *command, crd__account *account, const crd__application *from,
                            int64_t amount, const crd__when *when, int64_t *undone) {
    crd_ledger *ledger = command->ledger;
    crd__write_off_command ask;
    crd__decision decision;
    crd__refusal why;
    crd__concerned on;
    memset(&on, 0, sizeof on);
    memset(&decision, 0, sizeof decision);
    on.account = account;
    on.invoice = crd__doc_find(account, CRD_KIND_INVOICE, from->invoice);
    if (from->receipt[0] != '\0') on.receipt = crd__doc_find(account, CRD_KIND_RECEIPT, from->receipt);
    if (on.invoice == NULL || (from->receipt[0] != '\0' && on.receipt == NULL))
        return crd__fail(ledger, CRD_E_CORRUPT, "the journal names a document that is not stored");
    ask.when = *when;
    ask.amount = amount;
    ask.cause = from->cause;
    ask.seq = from->seq;
    ask.left = from->left;
    if (crd__decide_unwrite_off(on.invoice->record, on.receipt != NULL ? on.receipt->record : NULL, &ask, &decision,
                                &why) != CRD_OK)
        return crd__refused(ledger, &why, account);
    *undone = decision.moves[0].amount;
    return crd__write_moves(command, &on, &decision, NULL, when->direct ? 0 : CRD_ENTRY_CONSEQUENCE);
}

/* ---- making room ---- */

/* 1 when the application is one of a memo that returns or reverses this invoice. */
static int is_own_memo(crd__account *account, const crd__doc *invoice, const crd__application *application) {
    const crd__doc *doc = crd__doc_find(account, CRD_KIND_CREDIT, application->credit);
    const crd_credit_record *credit = doc != NULL ? doc->record : NULL;
    return credit != NULL && credit->credit_class == CRD_CLASS_MEMO &&
           (credit->flags & (CRD_FLAG_RETURN | CRD_FLAG_OWN_DOCUMENT)) != 0 &&
           strcmp(credit->origin, crd__doc_id(invoice)) == 0;
}

/* Picks what is to be undone, in the order in which it is, each with how much of it. */
static crd_status pick(crd_ledger *ledger, const crd__doc *invoice, const crd__application *list, uint64_t count,
                       int64_t need, int flags, crd__application **picked, int64_t **takes, uint64_t *many) {
    crd__settled *settled = crd__arena_take(&ledger->scratch, (count + 1) * sizeof *settled);
    crd__application *out = crd__arena_take(&ledger->scratch, (count + 1) * sizeof *out);
    int64_t *take = crd__arena_take(&ledger->scratch, (count + 1) * sizeof *take);
    if (settled == NULL || out == NULL || take == NULL) return crd__fail(ledger, CRD_E_NOMEM, NULL);
    for (uint64_t i = 0; i < count; i++) {
        settled[i].left = list[i].left;
        settled[i].rank = list[i].type == CRD_ENTRY_WRITE_OFF ? CRD__RANK_WRITE_OFF : CRD__RANK_APPLIED;
        if (list[i].type != CRD_ENTRY_WRITE_OFF && (flags & CRD__OWN_MEMOS_LAST) &&
            is_own_memo(invoice->account, invoice, &list[i]))
            settled[i].rank = CRD__RANK_OWN_MEMO;
    }
    if (!crd__decide_free(settled, count, need))
        return crd__fail_subject(ledger, CRD_E_CORRUPT, CRD_KIND_INVOICE, invoice->account->record.customer,
                                 crd__doc_id(invoice), "its journal has less on it than the invoice says");
    *many = 0;
    for (uint32_t rank = 0; rank < CRD__RANKS; rank++)
        for (uint64_t i = count; i-- > 0;) {
            if (settled[i].rank != rank || settled[i].take == 0) continue;
            out[*many] = list[i];
            take[(*many)++] = settled[i].take;
        }
    *picked = out;
    *takes = take;
    return CRD_OK;
}

crd_status crd__free_settled(crd__command *command, crd__doc *invoice, int64_t need, int flags, crd__when *when,
                             int64_t *freed) {
    crd_ledger *ledger = command->ledger;
    crd__account *account = invoice->account;
    crd__application *list, *picked = NULL;
    int64_t *takes = NULL;
    uint64_t count, many = 0;
    crd_status status = CRD_OK;
    when->direct = 0;
    if (need <= 0) return CRD_OK;
    status = crd__deeds(ledger, account, invoice, 0, CRD__BIT(CRD_ENTRY_APPLY) | CRD__BIT(CRD_ENTRY_WRITE_OFF), &list,
                        &count);
    if (status == CRD_OK) status = crd__load_named(ledger, account, list, count);
    if (status == CRD_OK) status = pick(ledger, invoice, list, count, need, flags, &picked, &takes, &many);
    if (status == CRD_OK) status = crd__latest(command, account, picked, many, &when->date);
    for (uint64_t i = 0; status == CRD_OK && i < many; i++) {
        int64_t undone = 0;
        if (picked[i].type == CRD_ENTRY_WRITE_OFF) {
            status = crd__unwrite_off(command, account, &picked[i], takes[i], when, &undone);
            continue;
        }
        status = crd__unapply(command, account, &picked[i], takes[i], when, &undone);
        if (freed != NULL) *freed += undone;
    }
    return status;
}
