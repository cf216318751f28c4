/*
 * Delete as mistake: the credit, and the receipt that brought it, leave every list and total.
 *
 * What is undone first is undone at one date, the latest of all it touches; only then the credit is whole again, so the
 * entry that deletes it mirrors the one that issued it (rule M11).
 */
#include "ledger/ledger.h"

#include <string.h>

/* What the history of the credit and of its receipt says. */
typedef struct past {
    crd__application *list; /* applications of the credit, then write-offs of its receipt; in the unit's arena */
    uint64_t count;
    int moved;        /* something that no deletion takes back */
    crd__doc *of;     /* the invoice that the credit returns, or NULL */
    crd__doc *receipt; /* the receipt that brought it, or NULL */
} past;

/* Adds what is left of the deeds to the list; whatever is no application or write-off has moved money for good. A credit
 * that an adjustment made goes by undoing that, which would otherwise stay in the reports without it. */
static crd_status delete_keep(crd__command *command, const crd__application *deeds, uint64_t count, past *p) {
    crd__arena *arena = &command->ledger->unit.arena;
    crd__application *list = crd__arena_take(arena, (p->count + count + 1) * sizeof *list);
    if (list == NULL) return crd__fail(command->ledger, CRD_E_NOMEM, NULL);
    if (p->count > 0) memcpy(list, p->list, p->count * sizeof *list);
    p->list = list;
    for (uint64_t i = 0; i < count; i++) {
        crd__application *kept = &list[p->count];
        if (deeds[i].type == CRD_ENTRY_ISSUE && deeds[i].undoes == 0) continue;
        if (deeds[i].type != CRD_ENTRY_APPLY && deeds[i].type != CRD_ENTRY_WRITE_OFF) p->moved = 1;
        if (p->moved || deeds[i].left == 0) continue;
        *kept = deeds[i];
        kept->credit = crd__arena_text(arena, deeds[i].credit);
        kept->invoice = crd__arena_text(arena, deeds[i].invoice);
        kept->receipt = crd__arena_text(arena, deeds[i].receipt);
        if (kept->credit == NULL || kept->invoice == NULL || kept->receipt == NULL)
            return crd__fail(command->ledger, CRD_E_NOMEM, NULL);
        p->count++;
    }
    return CRD_OK;
}

static crd_status look_back(crd__command *command, crd__doc *doc, past *p) {
    const uint64_t types = CRD__BIT(CRD_ENTRY_ISSUE) | CRD__BIT(CRD_ENTRY_APPLY) | CRD__BIT(CRD_ENTRY_VOID) |
                           CRD__BIT(CRD_ENTRY_EXPIRE) | CRD__BIT(CRD_ENTRY_REFUND) | CRD__BIT(CRD_ENTRY_ADJUST_PIECE) |
                           CRD__BIT(CRD_ENTRY_TRANSFER) | CRD__BIT(CRD_ENTRY_REVERSE);
    const crd_credit_record *credit = doc->record;
    crd__application *deeds, also;
    uint64_t count;
    crd_status status = crd__deeds(command->ledger, doc->account, doc, 0, types, &deeds, &count);
    if (status == CRD_OK) status = delete_keep(command, deeds, count, p);
    memset(&also, 0, sizeof also);
    also.credit = also.invoice = "";
    also.receipt = credit->receipt;
    if (status == CRD_OK) status = crd__load_named(command->ledger, doc->account, &also, 1);
    if (status == CRD_OK && credit->receipt[0] != '\0') {
        p->receipt = crd__doc_find(doc->account, CRD_KIND_RECEIPT, credit->receipt);
        status = crd__deeds(command->ledger, doc->account, p->receipt, 0, CRD__BIT(CRD_ENTRY_WRITE_OFF), &deeds, &count);
        if (status == CRD_OK) status = delete_keep(command, deeds, count, p);
    }
    if (status == CRD_OK) status = crd__load_named(command->ledger, doc->account, p->list, p->count);
    return status == CRD_OK ? crd__memo_invoice(command, doc, &p->of) : status;
}

static crd_status delete_latest(crd__command *command, crd__doc *doc, const past *p, int32_t *date) {
    *date = CRD__MAX(*date, ((const crd_credit_record *)doc->record)->last_date);
    if (p->of != NULL) *date = CRD__MAX(*date, ((const crd_invoice_record *)p->of->record)->last_date);
    if (p->receipt != NULL) *date = CRD__MAX(*date, ((const crd_receipt_record *)p->receipt->record)->last_date);
    return crd__latest(command, doc->account, p->list, p->count, date);
}

static crd_status delete_decide(crd__command *command, const crd__doc *doc, const past *p, uint32_t flags,
                                const crd__when *when) {
    crd__delete_command ask;
    crd__refusal why;
    ask.when = *when;
    ask.window = command->ledger->settings.delete_window;
    ask.cascade = (flags & CRD_DELETE_CASCADE) != 0;
    ask.moved = p->moved;
    if (crd__decide_may_delete(doc->record, p->receipt != NULL ? p->receipt->record : NULL, &ask, &why) == CRD_OK)
        return CRD_OK;
    return crd__refused(command->ledger, &why, doc->account);
}

/* The newest first; write-offs of the receipt before its applications, as wherever an invoice is freed. */
static crd_status cascade(crd__command *command, crd__account *account, const past *p, const crd__when *when) {
    crd_status status = CRD_OK;
    for (uint64_t i = p->count; status == CRD_OK && i-- > 0;) {
        int64_t undone = 0;
        if (p->list[i].type == CRD_ENTRY_WRITE_OFF)
            status = crd__unwrite_off(command, account, &p->list[i], 0, when, &undone);
        else
            status = crd__unapply(command, account, &p->list[i], 0, when, &undone);
    }
    return status;
}

static crd_status delete_receipt(crd__command *command, crd__doc *receipt, const crd__when *when) {
    crd__concerned on;
    crd_entry_record entry;
    memset(&on, 0, sizeof on);
    on.account = receipt->account;
    on.receipt = receipt;
    crd__entry_clear(&entry, CRD_ENTRY_RECEIPT_DELETE, when->date);
    entry.amount = ((const crd_receipt_record *)receipt->record)->amount;
    entry.flags = CRD_ENTRY_CONSEQUENCE;
    return crd__write_entry(command, &on, &entry);
}

static crd_status delete_credit(crd__command *command, crd__doc *doc, uint32_t flags) {
    crd__when when = crd__command_when(command, 0);
    crd__decision decision;
    crd__concerned on;
    past p;
    crd_status status = crd__command_fresh(command, doc->account);
    if (status == CRD_OK) status = crd__command_feature(command, doc->account);
    memset(&p, 0, sizeof p);
    if (status == CRD_OK) status = crd__enter_lapsed_before_use(command, doc, &when);
    if (status == CRD_OK) status = look_back(command, doc, &p);
    if (status == CRD_OK) status = delete_latest(command, doc, &p, &when.date);
    if (status == CRD_OK) status = delete_decide(command, doc, &p, flags, &when);
    if (status == CRD_OK) status = cascade(command, doc->account, &p, &when);
    if (status != CRD_OK) return status;
    memset(&decision, 0, sizeof decision);
    crd__decide_delete(doc->record, &when, &decision);
    memset(&on, 0, sizeof on);
    on.account = doc->account;
    on.credit = doc;
    on.invoice = p.of;
    command->result.amount = decision.moves[0].amount;
    status = crd__write_moves(command, &on, &decision, NULL, 0);
    return status == CRD_OK && p.receipt != NULL ? delete_receipt(command, p.receipt, &when) : status;
}

crd_status crd_credit_delete(crd_ledger *ledger, const crd_request *request, crd_credit *credit, uint32_t flags,
                             crd_result *out) {
    crd__command command;
    crd_status status = crd__command_begin(ledger, request, CRD_COMMAND_CREDIT_DELETE, &command);
    if (status != CRD_OK) return status;
    status = crd__command_handle(&command, credit != NULL ? &credit->handle : NULL, "credit");
    if (status == CRD_OK && (flags & ~CRD_DELETE_CASCADE))
        status = crd__fail_argument(ledger, "flags", "has an unknown flag");
    if (status == CRD_OK) {
        crd__doc *doc = credit->handle.doc;
        const crd_account_record *account = &doc->account->record;
        crd__argument_text(&command, "credit", crd__doc_id(doc));
        crd__argument_number(&command, "flags", flags);
        command.flags = flags;
        status = crd__command_allow(&command, account->customer, account->currency, crd__doc_id(doc),
                                    ((const crd_credit_record *)doc->record)->original);
        if (status == CRD_OK && !command.answered) status = delete_credit(&command, doc, flags);
    }
    return crd__command_finish(&command, status, out);
}
