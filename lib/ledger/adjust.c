/*
 * Adjust: available credit is set to a figure, by an entry that says from what to what; and back.
 *
 * Upward the entry is followed by a credit of class adjustment, downward by the pieces taken from credits in spending
 * order, each of which names the entry in `undoes`.
 */
#include "ledger/ledger.h"

#include <string.h>

/* A credit with its place in the spending order. */
typedef struct ranked {
    crd__doc *doc;
    int32_t rank;
} ranked;

static int compare_sequence(const void *a, const void *b) {
    const crd_credit_record *x = ((const ranked *)a)->doc->record, *y = ((const ranked *)b)->doc->record;
    return x->first_seq < y->first_seq ? -1 : x->first_seq > y->first_seq;
}

static int adjust_compare_rank(const void *a, const void *b) {
    int32_t x = ((const ranked *)a)->rank, y = ((const ranked *)b)->rank;
    return x < y ? -1 : x > y;
}

static int adjust_compare_by_host(const void *a, const void *b) {
    return crd__compare_by_host(((const ranked *)a)->doc, ((const ranked *)b)->doc);
}

/* The account's credits in spending order: a stable sort by one key after the other, the least significant first. */
static crd_status adjust_in_order(crd_ledger *ledger, crd__account *account, ranked ***out, uint64_t *count) {
    const uint32_t *order = ledger->settings.credit_order;
    crd__arena *arena = &ledger->unit.arena;
    ranked *all = crd__arena_take(arena, (account->docs.count + 1) * sizeof *all);
    ranked **list = crd__arena_take(arena, (account->docs.count + 1) * sizeof *list);
    void **spare = crd__arena_take(arena, (account->docs.count + 1) * sizeof *spare);
    uint64_t found = 0;
    if (all == NULL || list == NULL || spare == NULL) return crd__fail(ledger, CRD_E_NOMEM, NULL);
    for (uint64_t i = 0; i < account->docs.count; i++) {
        crd__doc *doc = account->docs.items[i];
        if (doc->kind != CRD_KIND_CREDIT || doc->gone) continue;
        all[found].doc = doc;
        list[found] = &all[found];
        found++;
    }
    crd__sort((void **)list, found, spare, compare_sequence);
    if (crd__host_orders(ledger, CRD_KIND_CREDIT)) crd__sort((void **)list, found, spare, adjust_compare_by_host);
    for (uint32_t k = crd__host_orders(ledger, CRD_KIND_CREDIT) ? 0 : CRD_ORDER_KEYS; k-- > 0;) {
        if (order[k] == 0) continue;
        for (uint64_t i = 0; i < found; i++) list[i]->rank = crd__order_credit(order[k], list[i]->doc->record);
        crd__sort((void **)list, found, spare, adjust_compare_rank);
    }
    *out = list;
    *count = found;
    return CRD_OK;
}

/* What of the credits that count had lapsed by now counts as available (rule M7). */
static crd_status adjust_enter_lapsed(crd__command *command, ranked **list, uint64_t count) {
    crd__when when = crd__command_when(command, 1);
    crd_status status = CRD_OK;
    for (uint64_t i = 0; status == CRD_OK && i < count; i++)
        if (crd__credit_usable(list[i]->doc->record, when.date))
            status = crd__enter_lapsed_before_use(command, list[i]->doc, &when);
    return status;
}

static crd_status adjust_decide(crd__command *command, crd__account *account, int64_t target, ranked **list,
                                uint64_t count, int64_t *before) {
    crd_ledger *ledger = command->ledger;
    const crd_credit_record **credits = crd__arena_take(&ledger->unit.arena, (count + 1) * sizeof *credits);
    crd__adjust_command ask;
    crd__refusal why;
    if (credits == NULL) return crd__fail(ledger, CRD_E_NOMEM, NULL);
    for (uint64_t i = 0; i < count; i++) credits[i] = list[i]->doc->record;
    ask.when = crd__command_when(command, 1);
    ask.currency = account->record.currency;
    ask.target = target;
    if (crd__decide_adjust(credits, count, &ask, before, &why) == CRD_OK) return CRD_OK;
    return crd__refused(ledger, &why, account);
}

/* The entry that says what was asked: `on` holds the account. */
static crd_status write_adjust(crd__command *command, const crd__concerned *on, const crd_adjust_terms *t,
                               int64_t before) {
    crd_entry_record entry;
    crd__entry_clear(&entry, CRD_ENTRY_ADJUST, command->date);
    entry.amount = t->target > before ? t->target - before : before - t->target;
    entry.figure_before = before;
    entry.figure_after = t->target;
    entry.method = crd__or_empty(t->method)[0] != '\0' ? t->method : "cash";
    entry.reference = crd__or_empty(t->reason);
    return crd__write_entry(command, on, &entry);
}

static crd_status raise(crd__command *command, crd__concerned *on, const crd_adjust_terms *t, int64_t amount) {
    crd_ledger *ledger = command->ledger;
    crd__when when = crd__command_when(command, 1);
    crd_credit_record c;
    crd_entry_record entry;
    crd__doc *doc;
    crd_status status;
    crd__record_clear(CRD_KIND_CREDIT, &c);
    c.customer = on->account->record.customer;
    c.currency = on->account->record.currency;
    c.first_seq = c.last_seq = on->account->record.last_seq + 1;
    c.id = t->id != NULL ? t->id : crd__derive_id(command, on->account, c.first_seq);
    if (c.id == NULL) return crd__fail(ledger, CRD_E_NOMEM, NULL);
    c.credit_class = CRD_CLASS_ADJUSTMENT;
    c.kind = CRD_CREDIT_ADJUSTMENT;
    c.state = CRD_CREDIT_ACTIVE;
    c.issued = c.effective = c.last_date = when.date;
    c.issued_at = CRD__MAX(command->instant, on->account->record.last_instant);
    c.original = c.remaining = amount;
    c.source = crd__or_empty(t->source)[0] != '\0' ? t->source : crd__credit_source(c.kind);
    c.reason = crd__or_empty(t->reason)[0] != '\0' ? t->reason : command->request.note;
    c.notes = crd__or_empty(t->notes);
    crd__entry_clear(&entry, CRD_ENTRY_ISSUE, when.date);
    entry.amount = entry.credit_after = amount;
    entry.undoes = on->account->record.last_seq; /* the ADJUST it belongs to */
    status = crd__write_document(command, on, CRD_KIND_CREDIT, &c, &entry, &doc);
    if (status != CRD_OK) return status;
    command->created_kind = CRD_KIND_CREDIT;
    command->created_id = crd__doc_id(doc);
    return CRD_OK;
}

static crd_status take_piece(crd__command *command, crd__doc *doc, int64_t amount, int32_t date, int64_t adjust) {
    crd__concerned on;
    crd_entry_record entry;
    memset(&on, 0, sizeof on);
    on.account = doc->account;
    on.credit = doc;
    crd__entry_clear(&entry, CRD_ENTRY_ADJUST_PIECE, date);
    entry.amount = amount;
    entry.undoes = adjust;
    return crd__write_entry(command, &on, &entry);
}

static crd_status adjust_lower(crd__command *command, ranked **list, uint64_t count, int64_t amount, int64_t adjust) {
    crd_status status = CRD_OK;
    for (uint64_t i = 0; status == CRD_OK && amount > 0 && i < count; i++) {
        int64_t part = CRD__MIN(crd__adjustable(list[i]->doc->record, command->date), amount);
        if (part == 0) continue;
        status = take_piece(command, list[i]->doc, part, command->date, adjust);
        amount -= part;
    }
    return status;
}

/* Every credit is read, not only open ones: what was usable on the date and is used up now also bounds the date. */
static crd_status load_credits(crd__command *command, const crd__account *account, crd__list *held) {
    crd_query query = crd__query(CRD_KIND_BIT_ACCOUNT | CRD_KIND_BIT_CREDIT, account->record.customer,
                                 account->record.currency);
    query.flags = CRD_QUERY_FOR_WRITE;
    return account->base != 0 ? crd__load(command->ledger, &query, held) : CRD_OK;
}

static crd_status adjust(crd__command *command, const char *customer, const char *currency,
                         const crd_adjust_terms *t) {
    crd_ledger *ledger = command->ledger;
    crd__list held = {NULL, 0, 0};
    crd__concerned on;
    ranked **list = NULL;
    uint64_t count = 0;
    int64_t before = 0;
    crd_status status;
    memset(&on, 0, sizeof on);
    status = crd__command_account(command, customer, currency, CRD_KIND_CREDIT, t->id, &on.account);
    if (status == CRD_OK) status = load_credits(command, on.account, &held);
    crd__release(ledger, &held); /* the unit holds the account */
    if (status == CRD_OK) status = adjust_in_order(ledger, on.account, &list, &count);
    if (status == CRD_OK) status = adjust_enter_lapsed(command, list, count);
    if (status == CRD_OK) status = adjust_decide(command, on.account, t->target, list, count, &before);
    if (status != CRD_OK) return status;
    command->result.amount = t->target - before;
    if (command->result.amount == 0) { /* nothing is written, not even that the account was looked at */
        crd__unit_back(ledger, &command->before);
        command->result.first_seq = command->result.last_seq = 0;
        return crd__command_ask(command);
    }
    status = write_adjust(command, &on, t, before);
    command->result.first_seq = command->result.last_seq; /* the entry that crd_undo() takes */
    if (status != CRD_OK) return status;
    if (t->target > before) return raise(command, &on, t, t->target - before);
    return adjust_lower(command, list, count, before - t->target, on.account->record.last_seq);
}

static crd_status adjust_check_terms(crd_ledger *ledger, const crd_adjust_terms *t) {
    crd_status status = CRD_OK;
    if (t->target > 0) status = crd__check_amount(ledger, "terms.target", t->target, 0);
    if (status == CRD_OK && t->flags != 0) status = crd__fail_argument(ledger, "terms.flags", "must be 0");
    if (status == CRD_OK && t->id != NULL) status = crd__check_id(ledger, "terms.id", t->id);
    if (status == CRD_OK) status = crd__check_label(ledger, "terms.method", t->method);
    if (status == CRD_OK) status = crd__check_text(ledger, "terms.reason", t->reason);
    if (status == CRD_OK) status = crd__check_label(ledger, "terms.source", t->source);
    if (status == CRD_OK) status = crd__check_text(ledger, "terms.notes", t->notes);
    return status;
}

static crd_status adjust_once(crd_ledger *ledger, const crd_request *request, const char *customer,
                              const char *currency, const crd_adjust_terms *terms, crd_result *out) {
    crd__command command;
    crd_adjust_terms t;
    crd_status status = crd__command_begin(ledger, request, CRD_COMMAND_ADJUST, &command);
    if (status != CRD_OK) return status;
    status = crd__check_id(ledger, "customer", customer);
    if (status == CRD_OK) status = crd__take_struct(ledger, "terms", &t, sizeof t, sizeof t, terms);
    if (status == CRD_OK) status = adjust_check_terms(ledger, &t);
    if (status == CRD_OK) status = crd__check_currency(ledger, currency);
    if (status == CRD_OK) {
        crd__argument_text(&command, "customer", customer);
        crd__argument_text(&command, "currency", currency);
        crd__argument_number(&command, "terms.target", t.target);
        crd__argument_text(&command, "terms.method", t.method);
        crd__argument_text(&command, "terms.reason", t.reason);
        crd__argument_text(&command, "terms.id", t.id);
        crd__argument_text(&command, "terms.source", t.source);
        crd__argument_text(&command, "terms.notes", t.notes);
        status = crd__command_allow(&command, customer, currency, "", t.target);
        if (status == CRD_OK && !command.answered) status = adjust(&command, customer, currency, &t);
    }
    return crd__command_finish(&command, status, out);
}

crd_status crd_credit_adjust(crd_ledger *ledger, const crd_request *request, const char *customer, const char *currency,
                             const crd_adjust_terms *terms, crd_result *out) {
    crd_status status;
    uint32_t tries = 0;
    do status = adjust_once(ledger, request, customer, currency, terms, out);
    while (crd__again(ledger, status, &tries));
    return status;
}

/* ---- back ---- */

/* What is needed to take an adjustment back: its pieces, or the credit it made, in the unit's arena. */
typedef struct undoing {
    crd__application *pieces;
    uint64_t count;
    int upward;
    int undone; /* it was taken back before */
    int32_t date;
} undoing;

static crd__doc *adjust_credit_of(const crd__application *piece, crd__account *account) {
    return crd__doc_find(account, CRD_KIND_CREDIT, piece->credit);
}

static crd_status find_pieces(crd__command *command, crd__account *account, int64_t adjust, undoing *out) {
    crd__arena *arena = &command->ledger->unit.arena;
    crd__application *list;
    crd_status status = crd__pieces(command->ledger, account, adjust, &list, &out->count);
    if (status != CRD_OK) return status;
    out->pieces = crd__arena_take(arena, (out->count + 1) * sizeof *list);
    if (out->pieces == NULL) return crd__fail(command->ledger, CRD_E_NOMEM, NULL);
    for (uint64_t i = 0; i < out->count; i++) {
        out->pieces[i] = list[i];
        out->pieces[i].credit = crd__arena_text(arena, list[i].credit);
        if (out->pieces[i].credit == NULL) return crd__fail(command->ledger, CRD_E_NOMEM, NULL);
        if (adjust_credit_of(&out->pieces[i], account) == NULL) return crd__fail(command->ledger, CRD_E_CORRUPT, NULL);
    }
    if (out->count == 0) return crd__fail(command->ledger, CRD_E_CORRUPT, NULL);
    out->upward = out->pieces[0].type == CRD_ENTRY_ISSUE;
    return CRD_OK;
}

/* It is undone whole, so its first piece tells whether it was. */
static crd_status find_undone(crd__command *command, crd__account *account, int64_t adjust, undoing *u) {
    crd__application *list;
    uint64_t count;
    crd_status status = crd__deeds(command->ledger, account, adjust_credit_of(&u->pieces[0], account), adjust,
                                   CRD__BIT(CRD_ENTRY_ADJUST_PIECE), &list, &count);
    for (uint64_t i = 0; status == CRD_OK && i < count; i++)
        if (list[i].undoes == adjust) u->undone |= u->upward || list[i].left == 0;
    return status;
}

/* One date for all of it, the latest; what lapsed of the credits is entered before. */
static crd_status adjust_settle(crd__command *command, crd__account *account, undoing *u) {
    crd__when when = crd__command_when(command, 0);
    crd_status status = CRD_OK;
    for (uint64_t i = 0; status == CRD_OK && i < u->count; i++)
        status = crd__latest_of_credit(command, adjust_credit_of(&u->pieces[i], account), &when.date);
    u->date = when.date;
    for (uint64_t i = 0; status == CRD_OK && i < u->count; i++) {
        crd__doc *credit = adjust_credit_of(&u->pieces[i], account);
        status = u->upward ? crd__enter_lapsed_before_use(command, credit, &when)
                           : crd__enter_lapsed(command, credit, &when);
    }
    if (status == CRD_OK && account->record.credit_held > 0) status = crd__load_holds(command->ledger, account);
    return status;
}

/* What is available; a hold of another credit that has lapsed does not count, entered or not (rule M7). */
static int64_t figure_now(const crd__command *command, crd__account *account, int32_t date) {
    int64_t instant = CRD__MAX(command->instant, account->record.last_instant);
    int64_t sum = 0; /* of figures whose sum the account's totals bound */
    for (uint64_t i = 0; i < account->docs.count; i++) {
        const crd__doc *doc = account->docs.items[i], *credit;
        const crd_hold_record *hold = doc->record;
        if (doc->kind == CRD_KIND_CREDIT && !doc->gone) sum += crd__adjustable(doc->record, date);
        if (doc->kind != CRD_KIND_HOLD || doc->gone || !crd__hold_lapsed(hold, instant)) continue;
        credit = crd__doc_find(account, CRD_KIND_CREDIT, hold->credit);
        if (credit != NULL && crd__credit_usable(credit->record, date)) sum += hold->amount;
    }
    return sum;
}

/* The entry that tells the figures, as for any adjustment. */
static crd_status write_undo(crd__command *command, crd__account *account, const crd__application *named,
                             const undoing *u) {
    crd__concerned on;
    crd_entry_record entry;
    memset(&on, 0, sizeof on);
    on.account = account;
    crd__entry_clear(&entry, CRD_ENTRY_ADJUST, u->date);
    entry.amount = named->left;
    entry.undoes = named->seq;
    entry.figure_before = entry.figure_after = figure_now(command, account, u->date);
    for (uint64_t i = 0; i < u->count; i++) {
        const crd_credit_record *credit = adjust_credit_of(&u->pieces[i], account)->record;
        if (u->upward)
            entry.figure_after -= crd__credit_usable(credit, u->date) ? u->pieces[i].left : 0;
        else
            entry.figure_after += crd__returns_usable(credit, u->date) ? u->pieces[i].left : 0;
    }
    return crd__write_entry(command, &on, &entry);
}

static crd_status decide_piece(const crd_credit_record *credit, const crd__application *piece,
                               const crd__application *named, const undoing *u, const crd__when *when,
                               crd__decision *out, crd__refusal *why) {
    crd__take_back_command take;
    crd__give_back_command give;
    memset(out, 0, sizeof *out);
    take.when = give.when = *when;
    take.seq = named->seq;
    take.amount = piece->left;
    take.undone = u->undone;
    give.type = CRD_ENTRY_UNADJUST;
    give.seq = piece->seq;
    give.left = u->undone ? 0 : piece->left;
    return u->upward ? crd__decide_take_back(credit, &take, out, why) : crd__decide_give_back(credit, &give, out, why);
}

/* All pieces are decided on before the first entry, which tells what they come to. */
static crd_status undo_pieces(crd__command *command, crd__account *account, const crd__application *named,
                              const undoing *u) {
    crd__when when = crd__command_when(command, 0);
    crd__decision decision;
    crd__refusal why;
    crd_status status = CRD_OK;
    when.date = u->date;
    for (uint64_t i = 0; i < u->count; i++)
        if (decide_piece(adjust_credit_of(&u->pieces[i], account)->record, &u->pieces[i], named, u, &when,
                         &decision, &why) !=
            CRD_OK)
            return crd__refused(command->ledger, &why, account);
    status = write_undo(command, account, named, u);
    for (uint64_t i = 0; status == CRD_OK && i < u->count; i++) {
        crd__concerned on;
        memset(&on, 0, sizeof on);
        on.account = account;
        on.credit = adjust_credit_of(&u->pieces[i], account);
        (void)decide_piece(on.credit->record, &u->pieces[i], named, u, &when, &decision, &why);
        status = crd__write_moves(command, &on, &decision, NULL, 0);
    }
    return status;
}

crd_status crd__undo_adjust(crd__command *command, crd__account *account, const crd__application *named) {
    crd__list held = {NULL, 0, 0};
    undoing u;
    crd_status status;
    memset(&u, 0, sizeof u);
    status = load_credits(command, account, &held);
    if (status == CRD_OK && !account->live) status = crd__command_fresh(command, account);
    if (status == CRD_OK) status = find_pieces(command, account, named->seq, &u);
    if (status == CRD_OK) status = find_undone(command, account, named->seq, &u);
    if (status == CRD_OK) status = adjust_settle(command, account, &u);
    if (status == CRD_OK) status = undo_pieces(command, account, named, &u);
    crd__release(command->ledger, &held);
    command->result.amount = named->left;
    return status;
}
