/*
 * Orders: credit allocated to a draft (rule M9). An allocation is a hold whose invoice is the draft.
 *
 * Invariants:
 * 1. What is allocated to a draft never exceeds its total, because allocating is bounded and a revision releases.
 * 2. Posting captures every allocation before the draft is open, and applies it afterwards, in one unit: nothing in
 *    between can use what was set aside.
 */
#include "ledger/ledger.h"

#include <string.h>

/* The allocations of a draft, oldest first, with their credits in the snapshot. */
static crd_status load_allocations(crd__command *command, crd__doc *draft, crd__doc ***out, uint64_t *count) {
    crd_ledger *ledger = command->ledger;
    crd__application *named;
    crd_status status = crd__load_holds(ledger, draft->account);
    if (status == CRD_OK) status = crd__list_holds(draft->account, draft, out, count);
    if (status != CRD_OK) return status;
    named = crd__arena_take(&ledger->unit.arena, (*count + 1) * sizeof *named);
    if (named == NULL) return crd__fail(ledger, CRD_E_NOMEM, NULL);
    memset(named, 0, (*count + 1) * sizeof *named);
    for (uint64_t i = 0; i < *count; i++) {
        named[i].credit = ((const crd_hold_record *)(*out)[i]->record)->credit;
        named[i].invoice = named[i].receipt = "";
    }
    status = crd__load_named(ledger, draft->account, named, *count);
    for (uint64_t i = 0; status == CRD_OK && i < *count; i++)
        if (crd__doc_find(draft->account, CRD_KIND_CREDIT, named[i].credit) == NULL)
            status = crd__fail(ledger, CRD_E_CORRUPT, NULL);
    return status;
}

static crd__doc *orders_credit_of(crd__doc *hold) {
    return crd__doc_find(hold->account, CRD_KIND_CREDIT, ((const crd_hold_record *)hold->record)->credit);
}

static int32_t orders_latest(crd__doc *const *list, uint64_t count, int32_t date) {
    for (uint64_t i = 0; i < count; i++)
        date = CRD__MAX(date, ((const crd_credit_record *)orders_credit_of(list[i])->record)->last_date);
    return date;
}

static crd_status orders_enter_lapsed(crd__command *command, crd__doc *const *list, uint64_t count,
                                      const crd__when *when) {
    crd_status status = CRD_OK;
    for (uint64_t i = 0; status == CRD_OK && i < count; i++)
        status = crd__enter_lapsed(command, orders_credit_of(list[i]), when);
    return status;
}

crd_status crd__fit_allocations(crd__command *command, crd__doc *draft, int64_t total, crd__when *when) {
    const crd_invoice_record *record = draft->record;
    crd__when cascade = *when;
    int64_t surplus = record->allocated - total;
    crd__doc **list = NULL;
    uint64_t count = 0, from;
    crd_status status;
    if (surplus <= 0) return CRD_OK;
    status = load_allocations(command, draft, &list, &count);
    if (status != CRD_OK) return status;
    for (from = count; from > 0 && surplus > 0;)
        surplus -= ((const crd_hold_record *)list[--from]->record)->amount;
    list += from; /* those that are released, the first perhaps in part */
    count -= from;
    cascade.direct = 0;
    cascade.date = orders_latest(list, count, CRD__MAX(cascade.date, record->last_date));
    status = orders_enter_lapsed(command, list, count, &cascade);
    cascade.date = orders_latest(list, count, cascade.date);
    for (uint64_t i = count; status == CRD_OK && i-- > 0;) {
        int64_t amount = ((const crd_hold_record *)list[i]->record)->amount, released = 0;
        status = crd__release_hold(command, list[i], i > 0 ? amount : amount + surplus, 0, &cascade, &released);
        command->result.amount += released;
    }
    when->date = cascade.date;
    return status;
}

/* ---- posting ---- */

static crd_status write(crd__command *command, crd__doc *hold, crd__doc *draft, uint32_t type, int64_t amount,
                        int32_t date) {
    crd_entry_record entry;
    crd__concerned on;
    memset(&on, 0, sizeof on);
    on.account = draft->account;
    on.credit = orders_credit_of(hold);
    on.invoice = draft;
    on.hold = hold;
    crd__entry_clear(&entry, type, date);
    entry.amount = amount;
    if (type == CRD_ENTRY_CAPTURE) entry.flags = CRD_ENTRY_CONSEQUENCE;
    return crd__write_entry(command, &on, &entry);
}

/* The capture is dated the posting: it moves no money, and the invoice's own date is the posting's. The application
 * takes the latest date of its two sides (rule M6), also past the expiry: what was set aside in time is used. */
crd_status crd__post_draft(crd__command *command, crd__doc *draft, const crd__decision *posting) {
    const crd_invoice_record *record = draft->record;
    crd__when when = crd__command_when(command, 0);
    int32_t date = posting->moves[0].date;
    crd__doc **list = NULL;
    int64_t *amounts = NULL;
    uint64_t count = 0;
    crd__concerned on;
    crd_status status = CRD_OK;
    if (record->allocated > 0) status = load_allocations(command, draft, &list, &count);
    if (status == CRD_OK) status = orders_enter_lapsed(command, list, count, &when);
    if (status == CRD_OK) {
        amounts = crd__arena_take(&command->ledger->unit.arena, (count + 1) * sizeof *amounts);
        if (amounts == NULL) status = crd__fail(command->ledger, CRD_E_NOMEM, NULL);
    }
    for (uint64_t i = 0; status == CRD_OK && i < count; i++) {
        amounts[i] = ((const crd_hold_record *)list[i]->record)->amount;
        status = write(command, list[i], draft, CRD_ENTRY_CAPTURE, amounts[i], date);
    }
    if (status != CRD_OK) return status;
    memset(&on, 0, sizeof on);
    on.account = draft->account;
    on.invoice = draft;
    status = crd__write_moves(command, &on, posting, NULL, 0);
    for (uint64_t i = 0; status == CRD_OK && i < count; i++) {
        const crd_credit_record *credit = orders_credit_of(list[i])->record;
        int32_t day = CRD__MAX(CRD__MAX(date, credit->last_date), record->last_date);
        status = write(command, list[i], draft, CRD_ENTRY_APPLY, amounts[i], day);
    }
    return status;
}
