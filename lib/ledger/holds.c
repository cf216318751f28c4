/*
 * Holds: put aside, capture, release; and the one place where what time took back is entered (`crd__enter_lapsed`).
 *
 * Invariants:
 * 1. Whoever is about to decide on a credit calls crd__enter_lapsed() first, so a decision never sees a hold past its
 *    instant, or expired credit as available. What it enters belongs to the same unit, and is given up with it.
 * 2. It enters in the order of the days: what was available at the expiry expires on that day, what a hold kept from
 *    expiring expires on the day of its lapse. So the book is the one that daily sweeps would have made.
 */
#include "ledger/ledger.h"

#include <string.h>

/* ---- the holds of a snapshot ---- */

static int is_held(const crd__doc *doc, const crd__doc *of) {
    const crd_hold_record *hold = doc->record;
    if (doc->kind != CRD_KIND_HOLD || doc->gone || hold->state != CRD_HOLD_HELD) return 0;
    return strcmp(of->kind == CRD_KIND_CREDIT ? hold->credit : hold->invoice, crd__doc_id(of)) == 0;
}

static int holds_compare_first(const void *a, const void *b) {
    const crd_hold_record *x = ((const crd__doc *)a)->record, *y = ((const crd__doc *)b)->record;
    return x->first_seq < y->first_seq ? -1 : x->first_seq > y->first_seq;
}

crd_status crd__list_holds(crd__account *account, const crd__doc *of, crd__doc ***out, uint64_t *count) {
    crd_ledger *ledger = account->ledger;
    uint64_t found = 0;
    void **list, **spare;
    for (uint64_t i = 0; i < account->docs.count; i++) found += (uint64_t)is_held(account->docs.items[i], of);
    list = crd__arena_take(&ledger->unit.arena, (2 * found + 1) * sizeof *list);
    if (list == NULL) return crd__fail(ledger, CRD_E_NOMEM, NULL);
    spare = list + found;
    found = 0;
    for (uint64_t i = 0; i < account->docs.count; i++)
        if (is_held(account->docs.items[i], of)) list[found++] = account->docs.items[i];
    crd__sort(list, found, spare, holds_compare_first);
    *out = (crd__doc **)list;
    *count = found;
    return CRD_OK;
}

/* An arena of its own, because the scratch arena may hold what the command still needs. */
crd_status crd__load_holds(crd_ledger *ledger, crd__account *account) {
    crd_query query = crd__query(CRD_KIND_BIT_ACCOUNT | CRD_KIND_BIT_HOLD, account->record.customer,
                                 account->record.currency);
    crd__loaded loaded;
    crd__arena arena;
    crd_status status;
    query.states = UINT32_C(1) << CRD_HOLD_HELD;
    query.flags = CRD_QUERY_FOR_WRITE;
    crd__arena_init(&arena, &ledger->allocator);
    status = crd__read(ledger, &query, &arena, &loaded);
    if (status == CRD_OK) {
        status = crd__adopt(ledger, &loaded);
        crd__loaded_free(&loaded);
    }
    crd__arena_free(&arena);
    return status == CRD_OK && !account->live
               ? crd__fail_subject(ledger, CRD_E_CONFLICT, CRD_KIND_ACCOUNT, account->record.customer,
                                   account->record.currency, NULL)
               : status;
}

/* ---- what time takes back ---- */

static crd_status enter_move(crd__command *command, crd__concerned *on, const crd__decision *decision,
                             uint32_t flags) {
    return crd__write_moves(command, on, decision, NULL, flags);
}

static int compare_lapse(const void *a, const void *b) {
    const crd_hold_record *x = ((const crd__doc *)a)->record, *y = ((const crd__doc *)b)->record;
    if (x->lapses_on != y->lapses_on) return x->lapses_on < y->lapses_on ? -1 : 1;
    if (x->lapses_at != y->lapses_at) return x->lapses_at < y->lapses_at ? -1 : 1;
    return holds_compare_first(a, b);
}

static crd_status enter_lapses(crd__command *command, crd__doc *credit, const crd__when *when, int64_t instant,
                               uint32_t flags) {
    crd_ledger *ledger = command->ledger;
    crd__doc **list;
    void **spare;
    uint64_t count, due = 0;
    crd_status status = CRD_OK;
    if (credit->account->live) status = crd__load_holds(ledger, credit->account);
    if (status == CRD_OK) status = crd__list_holds(credit->account, credit, &list, &count);
    if (status != CRD_OK) return status;
    for (uint64_t i = 0; i < count; i++)
        if (crd__hold_lapsed(list[i]->record, instant)) list[due++] = list[i];
    spare = crd__arena_take(&ledger->unit.arena, (due + 1) * sizeof *spare);
    if (spare == NULL) return crd__fail(ledger, CRD_E_NOMEM, NULL);
    crd__sort((void **)list, due, spare, compare_lapse);
    for (uint64_t i = 0; status == CRD_OK && i < due; i++) {
        crd__decision decision;
        crd__concerned on;
        memset(&decision, 0, sizeof decision);
        memset(&on, 0, sizeof on);
        on.account = credit->account;
        on.credit = credit;
        on.hold = list[i];
        crd__decide_lapse(credit->record, list[i]->record, when, &decision);
        status = enter_move(command, &on, &decision, flags);
    }
    return status;
}

crd_status crd__enter_lapsed_at(crd__command *command, crd__doc *credit, const crd__when *when, int64_t instant,
                                uint32_t flags) {
    const crd_account_record *account = &credit->account->record;
    const crd_credit_record *record = credit->record;
    crd__decision decision;
    crd__concerned on;
    crd_status status = CRD_OK;
    if (record->held > 0 && account->lapses_at != 0 && account->lapses_at <= instant)
        status = enter_lapses(command, credit, when, instant, flags);
    if (status != CRD_OK) return status;
    memset(&decision, 0, sizeof decision);
    memset(&on, 0, sizeof on);
    on.account = credit->account;
    on.credit = credit;
    crd__decide_expire(record, when, CRD__MAX(when->date, record->last_date), &decision);
    return enter_move(command, &on, &decision, flags);
}

crd_status crd__foresee_lapses(crd__command *command, const crd__doc *credit, int32_t *latest, int64_t *lapsed) {
    crd__account *account = credit->account;
    const crd_credit_record *record = credit->record;
    int64_t instant = CRD__MAX(command->instant, account->record.last_instant);
    crd__doc **list;
    uint64_t count;
    crd_status status = CRD_OK;
    *lapsed = 0;
    if (record->held == 0 || account->record.lapses_at == 0 || account->record.lapses_at > instant) return CRD_OK;
    if (account->live) status = crd__load_holds(command->ledger, account);
    if (status == CRD_OK) status = crd__list_holds(account, credit, &list, &count);
    for (uint64_t i = 0; status == CRD_OK && i < count; i++) {
        const crd_hold_record *hold = list[i]->record;
        if (!crd__hold_lapsed(hold, instant)) continue;
        *latest = CRD__MAX(*latest, hold->lapses_on);
        *lapsed += hold->amount;
    }
    return status;
}

crd_status crd__latest_of_credit(crd__command *command, const crd__doc *credit, int32_t *latest) {
    int64_t lapsed;
    *latest = CRD__MAX(*latest, ((const crd_credit_record *)credit->record)->last_date);
    return crd__foresee_lapses(command, credit, latest, &lapsed);
}

crd_status crd__enter_lapsed(crd__command *command, crd__doc *credit, const crd__when *when) {
    int64_t instant = CRD__MAX(command->instant, credit->account->record.last_instant);
    return crd__enter_lapsed_at(command, credit, when, instant, 0);
}

crd_status crd__enter_lapsed_before_use(crd__command *command, crd__doc *credit, const crd__when *when) {
    if (crd__credit_expired(credit->record, when->date)) return CRD_OK;
    return crd__enter_lapsed(command, credit, when);
}

int64_t crd__now(crd_ledger *ledger) {
    int64_t now;
    if (ledger->hooks.clock == NULL) return 0;
    ledger->busy = 1;
    now = ledger->hooks.clock(ledger->hooks.ctx);
    ledger->busy = 0;
    return now;
}

/* Read now, a hold is gone from its instant on, whatever the date; as of a date it is not before its day. */
static int is_past(const crd_hold_record *hold, int32_t date, int64_t now, int as_of) {
    if (hold->state != CRD_HOLD_HELD || hold->lapses_at == 0 || (as_of && hold->lapses_on > date)) return 0;
    return hold->lapses_at <= now || hold->lapses_on < date;
}

int64_t crd__lapse_view(const crd__list *docs, int32_t date, int64_t now, int as_of) {
    int64_t sum = 0;
    for (uint64_t i = 0; i < docs->count; i++) {
        const crd__doc *doc = docs->items[i];
        const crd_hold_record *hold = doc->record;
        if (doc->kind != CRD_KIND_HOLD || !is_past(hold, date, now, as_of)) continue;
        for (uint64_t n = 0; n < docs->count; n++) {
            const crd__doc *credit = docs->items[n];
            if (credit->kind != CRD_KIND_CREDIT || strcmp(crd__doc_id(credit), hold->credit) != 0 ||
                credit->account != doc->account)
                continue;
            ((crd_credit_record *)credit->record)->held -= hold->amount;
            sum += hold->amount;
        }
    }
    return sum;
}

/* ---- hold ---- */

static crd_status holds_check_terms(crd__command *command, const crd_hold_terms *from, const crd_invoice *draft,
                                    crd_hold_terms *t) {
    crd_ledger *ledger = command->ledger;
    int32_t day = CRD_DATE_NONE;
    crd_status status = crd__take_struct(ledger, "terms", t, sizeof *t, sizeof *t, from);
    if (status != CRD_OK) return status;
    if (t->flags & ~CRD_APPLY_CLAMP) return crd__fail_argument(ledger, "terms.flags", "has an unknown flag");
    if (t->reserved != 0) return crd__fail_argument(ledger, "terms.reserved", "must be 0");
    if (t->id != NULL) status = crd__check_id(ledger, "terms.id", t->id);
    if (status == CRD_OK)
        status = crd__check_amount(ledger, "terms.amount", t->amount, t->flags & CRD_APPLY_CLAMP ? 0 : 1);
    if (status == CRD_OK) status = crd__check_date_field(ledger, "terms.lapses_on", t->lapses_on);
    if (status != CRD_OK) return status;
    if (t->lapses_at == 0) {
        if (t->lapses_on == CRD_DATE_NONE) return CRD_OK;
        return crd__fail_argument(ledger, "terms.lapses_on", "must be 0 without lapses_at");
    }
    if (draft != NULL) return crd__fail_argument(ledger, "terms.lapses_at", "must be 0: an allocation does not lapse");
    if (crd_date_of_instant(t->lapses_at, ledger->settings.utc_offset_minutes, &day) != CRD_OK)
        return crd__fail_argument(ledger, "terms.lapses_at", "must be an instant until 9999-12-31");
    if (t->lapses_on == CRD_DATE_NONE) t->lapses_on = day;
    (void)crd_date_of_instant(t->lapses_at, 0, &day);
    if (t->lapses_on < day - 1 || t->lapses_on > day + 1)
        return crd__fail_argument(ledger, "terms.lapses_on", "must be the day of lapses_at, or one beside it");
    return CRD_OK;
}

static crd_status refuse_twice(crd_ledger *ledger, crd__doc *credit, const crd__doc *draft) {
    crd__doc **list;
    uint64_t count;
    crd_status status;
    if (((const crd_invoice_record *)draft->record)->allocated == 0) return CRD_OK;
    status = crd__load_holds(ledger, credit->account);
    if (status == CRD_OK) status = crd__list_holds(credit->account, draft, &list, &count);
    for (uint64_t i = 0; status == CRD_OK && i < count; i++)
        if (is_held(list[i], credit))
            status = crd__fail_subject(ledger, CRD_E_EXISTS, CRD_KIND_HOLD, credit->account->record.customer,
                                       crd__doc_id(list[i]), "the credit is allocated to this draft already");
    return status;
}

static crd_status write_hold(crd__command *command, crd__concerned *on, const crd_hold_terms *t,
                             const crd__move *move, crd__doc **doc) {
    crd_hold_record h;
    crd_entry_record entry;
    crd_status status;
    crd__record_clear(CRD_KIND_HOLD, &h);
    h.customer = on->account->record.customer;
    h.currency = on->account->record.currency;
    h.first_seq = h.last_seq = on->account->record.last_seq + 1;
    h.id = t->id != NULL ? t->id : crd__derive_id(command, on->account, h.first_seq);
    if (h.id == NULL) return crd__fail(command->ledger, CRD_E_NOMEM, NULL);
    h.state = CRD_HOLD_HELD;
    h.held_on = h.last_date = move->date;
    h.lapses_on = t->lapses_on;
    h.lapses_at = t->lapses_at;
    h.amount = move->amount;
    h.credit = crd__doc_id(on->credit);
    if (on->invoice != NULL) h.invoice = crd__doc_id(on->invoice);
    crd__entry_clear(&entry, move->type, move->date);
    entry.amount = move->amount;
    status = crd__write_document(command, on, CRD_KIND_HOLD, &h, &entry, doc);
    if (status == CRD_OK) command->created_id = crd__doc_id(*doc);
    command->result.amount = move->amount;
    return status;
}

static crd_status hold(crd__command *command, crd__doc *credit, crd__doc *draft, const crd_hold_terms *t,
                       crd__doc **doc) {
    crd_ledger *ledger = command->ledger;
    const crd_account_record *account = &credit->account->record;
    crd__account *owner;
    crd__hold_command ask;
    crd__decision decision;
    crd__refusal why;
    crd__concerned on;
    crd_status status = crd__command_account(command, account->customer, account->currency, CRD_KIND_HOLD, t->id, &owner);
    if (status == CRD_OK && draft != NULL) status = crd__same_account(ledger, credit, draft);
    if (status == CRD_OK) status = crd__command_fresh(command, credit->account);
    if (status == CRD_OK && draft != NULL) status = crd__command_fresh(command, draft->account);
    if (status == CRD_OK && draft != NULL) status = refuse_twice(ledger, credit, draft);
    memset(&ask, 0, sizeof ask);
    ask.when = crd__command_when(command, 1);
    ask.amount = t->amount;
    ask.clamp = (t->flags & CRD_APPLY_CLAMP) != 0;
    if (status == CRD_OK) status = crd__enter_lapsed_before_use(command, credit, &ask.when);
    if (status != CRD_OK) return status;
    memset(&decision, 0, sizeof decision);
    if (crd__decide_hold(credit->record, draft != NULL ? draft->record : NULL, &ask, &decision, &why) != CRD_OK)
        return crd__refused(ledger, &why, credit->account);
    memset(&on, 0, sizeof on);
    on.account = credit->account;
    on.credit = credit;
    on.invoice = draft;
    return write_hold(command, &on, t, &decision.moves[0], doc);
}

/* Sent again, perhaps after it lapsed, it is still the command that was kept. */
static crd_status refuse_past(crd__command *command, const crd_account_record *account) {
    crd_status status = crd__command_done(command, account->customer, account->currency);
    if (status != CRD_E_ARGUMENT && status != CRD_E_KEY_REUSED) return status;
    return crd__fail_argument(command->ledger, "terms.lapses_at", "must lie after the request's instant");
}

crd_status crd_credit_hold(crd_ledger *ledger, const crd_request *request, crd_credit *credit, crd_invoice *draft,
                           const crd_hold_terms *terms, crd_hold **out) {
    crd__command command;
    crd_hold_terms t;
    crd__doc *doc = NULL;
    const char *customer = "";
    crd_status status;
    if (out != NULL) *out = NULL;
    status = crd__command_begin(ledger, request, CRD_COMMAND_HOLD, &command);
    if (status != CRD_OK) return status;
    status = holds_check_terms(&command, terms, draft, &t);
    if (status == CRD_OK) status = crd__command_handle(&command, credit != NULL ? &credit->handle : NULL, "credit");
    if (status == CRD_OK && draft != NULL) status = crd__command_handle(&command, &draft->handle, "draft");
    if (status == CRD_OK) {
        crd__doc *from = credit->handle.doc, *to = draft != NULL ? draft->handle.doc : NULL;
        const crd_account_record *account = &from->account->record;
        customer = account->customer;
        crd__argument_text(&command, "credit", crd__doc_id(from));
        crd__argument_text(&command, "draft", to != NULL ? crd__doc_id(to) : "");
        crd__argument_text(&command, "terms.id", t.id);
        crd__argument_number(&command, "terms.amount", t.amount);
        crd__argument_number(&command, "terms.flags", t.flags);
        crd__argument_number(&command, "terms.lapses_at", t.lapses_at);
        crd__argument_number(&command, "terms.lapses_on", t.lapses_on);
        command.created_kind = CRD_KIND_HOLD;
        command.flags = t.flags;
        if (t.lapses_at != 0 && t.lapses_at <= command.instant) status = refuse_past(&command, account);
        if (status == CRD_OK && !command.answered)
            status = crd__command_allow(&command, customer, account->currency, crd__doc_id(from),
                                        t.amount != 0 ? t.amount : crd__command_all(&command, from, to));
        if (status == CRD_OK && !command.answered) status = hold(&command, from, to, &t, &doc);
    }
    return crd__command_create(&command, status, CRD_KIND_HOLD, doc, customer, (crd__handle **)(void *)out);
}

crd_status crd_hold_find(crd_ledger *ledger, const char *customer, const char *id, crd_hold **out) {
    return crd__handle_find(ledger, CRD_KIND_HOLD, customer, id, (crd__handle **)(void *)out);
}

const crd_hold_record *crd_hold_get(const crd_hold *hold) {
    return hold != NULL ? hold->handle.doc->record : NULL;
}

crd_status crd_hold_refresh(crd_hold *hold) {
    return crd__handle_refresh(hold != NULL ? &hold->handle : NULL);
}

void crd_hold_free(crd_hold *hold) {
    crd__handle_free(hold != NULL ? &hold->handle : NULL);
}

/* ---- capture and release ---- */

/* The documents a hold names, read if the snapshot lacks them. */
static crd_status holds_concern(crd_ledger *ledger, crd__doc *doc, crd__concerned *on) {
    const crd_hold_record *record = doc->record;
    crd__application named;
    crd_status status;
    memset(&named, 0, sizeof named);
    named.credit = record->credit;
    named.invoice = record->invoice;
    named.receipt = "";
    status = crd__load_named(ledger, doc->account, &named, 1);
    memset(on, 0, sizeof *on);
    if (status != CRD_OK) return status;
    on->account = doc->account;
    on->hold = doc;
    on->credit = crd__doc_find(doc->account, CRD_KIND_CREDIT, record->credit);
    if (record->invoice[0] != '\0') on->invoice = crd__doc_find(doc->account, CRD_KIND_INVOICE, record->invoice);
    if (on->credit == NULL || (on->invoice == NULL && record->invoice[0] != '\0'))
        return crd__fail(ledger, CRD_E_CORRUPT, NULL);
    return CRD_OK;
}

/* What lapsed is entered first; a hold that had is not there to be used any more. */
static crd_status open_hold(crd__command *command, crd__doc *doc, crd__concerned *on) {
    crd__when when = crd__command_when(command, 1);
    crd_status status = crd__command_fresh(command, doc->account);
    if (status == CRD_OK) status = crd__command_feature(command, doc->account);
    if (status == CRD_OK) status = holds_concern(command->ledger, doc, on);
    if (status == CRD_OK) status = crd__enter_lapsed(command, on->credit, &when);
    return status;
}

static crd_status capture(crd__command *command, crd__doc *doc, crd__doc *invoice, const crd_apply_terms *t) {
    crd__hold_command ask;
    crd__decision decision;
    crd__refusal why;
    crd__concerned on;
    crd_status status = doc->account->live ? crd__command_feature(command, doc->account) : CRD_OK;
    if (status == CRD_OK && invoice != NULL) status = crd__same_account(command->ledger, doc, invoice);
    if (status == CRD_OK && invoice != NULL) status = crd__command_fresh(command, invoice->account);
    if (status == CRD_OK) status = open_hold(command, doc, &on);
    if (status != CRD_OK) return status;
    memset(&ask, 0, sizeof ask);
    memset(&decision, 0, sizeof decision);
    ask.when = crd__command_when(command, 1);
    ask.amount = t->amount;
    ask.clamp = (t->flags & CRD_APPLY_CLAMP) != 0;
    if (crd__decide_capture(doc->record, on.credit->record, invoice != NULL ? invoice->record : NULL, &ask, &decision,
                            &why) != CRD_OK)
        return crd__refused(command->ledger, &why, doc->account);
    on.invoice = invoice;
    command->result.amount = decision.moves[0].amount;
    return crd__write_moves(command, &on, &decision, t->reference, 0);
}

static crd_status check_capture(crd__command *command, crd_hold *hold, crd_invoice *invoice,
                                const crd_apply_terms *from, crd_apply_terms *t) {
    crd_ledger *ledger = command->ledger;
    crd_status status = crd__take_struct(ledger, "terms", t, sizeof *t, sizeof *t, from);
    if (status != CRD_OK) return status;
    if (t->flags & ~CRD_APPLY_CLAMP) return crd__fail_argument(ledger, "terms.flags", "has an unknown flag");
    status = crd__check_amount(ledger, "terms.amount", t->amount, 0);
    if (status == CRD_OK) status = crd__check_text(ledger, "terms.reference", t->reference);
    if (status == CRD_OK) status = crd__command_handle(command, hold != NULL ? &hold->handle : NULL, "hold");
    if (status == CRD_OK && invoice != NULL) status = crd__command_handle(command, &invoice->handle, "invoice");
    return status;
}

crd_status crd_hold_capture(crd_ledger *ledger, const crd_request *request, crd_hold *hold, crd_invoice *invoice,
                            const crd_apply_terms *terms, crd_result *out) {
    crd__command command;
    crd_apply_terms t;
    crd_status status = crd__command_begin(ledger, request, CRD_COMMAND_CAPTURE, &command);
    if (status != CRD_OK) return status;
    status = check_capture(&command, hold, invoice, terms, &t);
    if (status == CRD_OK) {
        crd__doc *doc = hold->handle.doc;
        const crd_account_record *account = &doc->account->record;
        crd__argument_text(&command, "hold", crd__doc_id(doc));
        crd__argument_text(&command, "invoice", invoice != NULL ? crd__doc_id(invoice->handle.doc) : "");
        crd__argument_number(&command, "terms.amount", t.amount);
        crd__argument_number(&command, "terms.flags", t.flags);
        crd__argument_text(&command, "terms.reference", t.reference);
        command.flags = t.flags;
        status = crd__command_allow(&command, account->customer, account->currency, crd__doc_id(doc),
                                    t.amount != 0 ? t.amount : ((const crd_hold_record *)doc->record)->amount);
        if (status == CRD_OK && !command.answered)
            status = capture(&command, doc, invoice != NULL ? invoice->handle.doc : NULL, &t);
    }
    return crd__command_finish(&command, status, out);
}

static crd_status write_release(crd__command *command, const crd__concerned *on, const crd__hold_command *ask,
                                int64_t *released) {
    crd__decision decision;
    crd__refusal why;
    memset(&decision, 0, sizeof decision);
    if (crd__decide_release(on->hold->record, on->credit->record, on->invoice != NULL ? on->invoice->record : NULL,
                            ask, &decision, &why) != CRD_OK)
        return crd__refused(command->ledger, &why, on->account);
    *released = decision.moves[0].amount;
    return crd__write_moves(command, on, &decision, NULL, ask->when.direct ? 0 : CRD_ENTRY_CONSEQUENCE);
}

crd_status crd__release_hold(crd__command *command, crd__doc *hold, int64_t amount, int stays, const crd__when *when,
                             int64_t *released) {
    crd__concerned on;
    crd__hold_command ask;
    crd_status status = holds_concern(command->ledger, hold, &on);
    memset(&ask, 0, sizeof ask);
    ask.when = *when;
    ask.amount = amount;
    ask.stays = stays;
    return status == CRD_OK ? write_release(command, &on, &ask, released) : status;
}

crd_status crd_hold_release(crd_ledger *ledger, const crd_request *request, crd_hold *hold, int64_t amount,
                            crd_result *out) {
    crd__command command;
    crd_status status = crd__command_begin(ledger, request, CRD_COMMAND_RELEASE, &command);
    if (status != CRD_OK) return status;
    status = crd__check_amount(ledger, "amount", amount, 0);
    if (status == CRD_OK) status = crd__command_handle(&command, hold != NULL ? &hold->handle : NULL, "hold");
    if (status == CRD_OK) {
        crd__doc *doc = hold->handle.doc;
        const crd_account_record *account = &doc->account->record;
        crd__concerned on;
        crd__hold_command ask;
        memset(&ask, 0, sizeof ask);
        ask.when = crd__command_when(&command, 1);
        ask.amount = amount;
        crd__argument_text(&command, "hold", crd__doc_id(doc));
        crd__argument_number(&command, "amount", amount);
        status = crd__command_allow(&command, account->customer, account->currency, crd__doc_id(doc),
                                    amount != 0 ? amount : ((const crd_hold_record *)doc->record)->amount);
        if (status == CRD_OK && !command.answered) {
            status = open_hold(&command, doc, &on);
            if (status == CRD_OK) status = write_release(&command, &on, &ask, &command.result.amount);
        }
    }
    return crd__command_finish(&command, status, out);
}

crd_status crd__release_holds(crd__command *command, crd__doc *credit, crd__when *when) {
    const crd_credit_record *record = credit->record;
    crd__when cascade = *when;
    crd__doc **list = NULL;
    uint64_t count = 0;
    crd_status status = CRD_OK;
    if (record->held == 0 && record->allocated == 0) return CRD_OK;
    if (when->direct && when->date < record->last_date) return CRD_OK; /* the caller's decision refuses */
    if (credit->account->live) status = crd__load_holds(command->ledger, credit->account);
    if (status == CRD_OK) status = crd__list_holds(credit->account, credit, &list, &count);
    cascade.direct = 0;
    cascade.date = CRD__MAX(cascade.date, record->last_date);
    for (uint64_t i = 0; status == CRD_OK && i < count; i++) {
        crd__concerned on;
        status = holds_concern(command->ledger, list[i], &on);
        if (status == CRD_OK && on.invoice != NULL)
            cascade.date = CRD__MAX(cascade.date, ((const crd_invoice_record *)on.invoice->record)->last_date);
    }
    for (uint64_t i = count; status == CRD_OK && i-- > 0;) {
        int64_t released;
        status = crd__release_hold(command, list[i], 0, 1, &cascade, &released);
    }
    when->date = cascade.date;
    return status;
}
