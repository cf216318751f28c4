/*
 * Money taken back: a payment that bounced (rule M13), and a receipt entered in error (rule M14).
 *
 * Both gather what is to be undone, find the one date that it all takes, and undo it newest first. They differ in what
 * they reach: a bounce, whatever the payment's own money did; an error, also what other credits did on the receipt.
 *
 * Invariants:
 * 1. What is gathered is copied into the unit's arena, because every read empties the scratch arena.
 * 2. Money of the payment that is freed is reversed in the next entry, so that it is never available in between.
 */
#include "ledger/ledger.h"

#include <string.h>

typedef struct unwinding {
    crd__command *command;
    crd__account *account;
    crd__doc *receipt, *credit; /* the credit its money became, or NULL */
    crd__when when;
    int whole;                   /* entered in error */
    const char *reason;          /* kept with what is taken back; NULL: none */
    crd__list found;             /* crd__application *, while gathering */
    crd__application *list, *write_offs; /* with something left, oldest first */
    uint64_t count, write_off_count;
    int64_t undone, reversed;
} unwinding;

static crd_status reverse_refused(const unwinding *u, const crd__refusal *why) {
    return crd__refused(u->command->ledger, why, u->account);
}

/* ---- gathering ---- */

static int reverse_compare_seq(const void *a, const void *b) {
    const crd__application *x = a, *y = b;
    return x->seq < y->seq ? -1 : x->seq > y->seq;
}

static crd_status reverse_keep(unwinding *u, const crd__application *from) {
    crd__arena *arena = &u->command->ledger->unit.arena;
    crd__application *a = crd__arena_take(arena, sizeof *a);
    if (a == NULL) return crd__fail(u->command->ledger, CRD_E_NOMEM, NULL);
    *a = *from;
    a->credit = crd__arena_text(arena, from->credit);
    a->invoice = crd__arena_text(arena, from->invoice);
    a->receipt = crd__arena_text(arena, from->receipt);
    a->other_customer = a->other_id = "";
    if (a->credit == NULL || a->invoice == NULL || a->receipt == NULL ||
        !crd__list_push(&u->command->ledger->allocator, &u->found, a))
        return crd__fail(u->command->ledger, CRD_E_NOMEM, NULL);
    return CRD_OK;
}

/* What was found, as an array, oldest first. */
static crd_status reverse_settle(unwinding *u, crd__application **out, uint64_t *count) {
    crd_ledger *ledger = u->command->ledger;
    uint64_t n = u->found.count;
    crd__application *list = crd__arena_take(&ledger->unit.arena, (n + 1) * sizeof *list);
    void **spare = crd__arena_take(&ledger->unit.arena, (n + 1) * sizeof *spare);
    if (list == NULL || spare == NULL) return crd__fail(ledger, CRD_E_NOMEM, NULL);
    crd__sort(u->found.items, n, spare, reverse_compare_seq);
    for (uint64_t i = 0; i < n; i++) list[i] = *(const crd__application *)u->found.items[i];
    u->found.count = 0;
    *out = list;
    *count = n;
    return crd__load_named(ledger, u->account, list, n);
}

static crd_status gather_applications(unwinding *u) {
    crd_ledger *ledger = u->command->ledger;
    crd__application *list;
    uint64_t count = 0;
    const char *own = u->credit != NULL ? crd__doc_id(u->credit) : "";
    crd_status status = CRD_OK;
    if (u->credit != NULL) status = crd__applications(ledger, u->account, u->credit, 0, &list, &count);
    for (uint64_t i = 0; status == CRD_OK && i < count; i++)
        if (list[i].left > 0) status = reverse_keep(u, &list[i]);
    if (status == CRD_OK && u->whole) {
        status = crd__applications(ledger, u->account, u->receipt, 0, &list, &count);
        for (uint64_t i = 0; status == CRD_OK && i < count; i++)
            if (list[i].left > 0 && strcmp(list[i].credit, own) != 0) status = reverse_keep(u, &list[i]);
    }
    return status == CRD_OK ? reverse_settle(u, &u->list, &u->count) : status;
}

static int pays(const unwinding *u, const char *receipt, const char *invoice) {
    for (uint64_t i = 0; i < u->count; i++)
        if (strcmp(u->list[i].invoice, invoice) == 0 && strcmp(u->list[i].receipt, receipt) == 0) return 1;
    return 0;
}

static crd_status gather_write_offs_of(unwinding *u, const crd__doc *receipt) {
    crd__application *list;
    uint64_t count;
    crd_status status;
    if (receipt == NULL || ((const crd_receipt_record *)receipt->record)->written_off == 0) return CRD_OK;
    status = crd__deeds(u->command->ledger, u->account, receipt, 0, CRD__BIT(CRD_ENTRY_WRITE_OFF), &list, &count);
    for (uint64_t i = 0; status == CRD_OK && i < count; i++) {
        if (list[i].left == 0) continue;
        if ((u->whole && receipt == u->receipt) || pays(u, crd__doc_id(receipt), list[i].invoice))
            status = reverse_keep(u, &list[i]);
    }
    return status;
}

/* Those of the receipts whose applications are undone, on the invoices concerned; each receipt once. */
static crd_status gather_write_offs(unwinding *u) {
    crd_status status = u->whole ? gather_write_offs_of(u, u->receipt) : CRD_OK;
    for (uint64_t i = 0; status == CRD_OK && i < u->count; i++) {
        const crd__doc *receipt = crd__doc_find(u->account, CRD_KIND_RECEIPT, u->list[i].receipt);
        uint64_t before = 0;
        if (receipt == NULL || ((const crd_receipt_record *)receipt->record)->written_off == 0) continue;
        while (strcmp(u->list[before].receipt, u->list[i].receipt) != 0) before++;
        if (before == i && !(u->whole && receipt == u->receipt)) status = gather_write_offs_of(u, receipt);
    }
    return status == CRD_OK ? reverse_settle(u, &u->write_offs, &u->write_off_count) : status;
}

static crd_status reverse_gather(unwinding *u) {
    const crd_receipt_record *receipt = u->receipt->record;
    crd__application own;
    crd_status status = CRD_OK;
    memset(&own, 0, sizeof own);
    own.credit = receipt->credit;
    own.invoice = "";
    own.receipt = crd__doc_id(u->receipt);
    status = crd__load_named(u->command->ledger, u->account, &own, 1);
    if (status == CRD_OK && receipt->credit[0] != '\0') {
        u->credit = crd__doc_find(u->account, CRD_KIND_CREDIT, receipt->credit);
        if (u->credit == NULL) status = crd__fail(u->command->ledger, CRD_E_CORRUPT, NULL);
    }
    if (status == CRD_OK) status = gather_applications(u);
    if (status == CRD_OK) status = gather_write_offs(u);
    crd__list_free(&u->command->ledger->allocator, &u->found);
    if (status != CRD_OK) return status;
    u->when = crd__command_when(u->command, 0);
    u->when.date = CRD__MAX(u->when.date, receipt->last_date);
    if (u->credit != NULL) status = crd__latest_of_credit(u->command, u->credit, &u->when.date);
    if (status == CRD_OK) status = crd__latest(u->command, u->account, u->list, u->count, &u->when.date);
    if (status != CRD_OK) return status;
    return crd__latest(u->command, u->account, u->write_offs, u->write_off_count, &u->when.date);
}

/* ---- undoing ---- */

static void reverse_concern(const unwinding *u, const crd__application *of, crd__concerned *on) {
    memset(on, 0, sizeof *on);
    on->account = u->account;
    if (of == NULL) return;
    on->credit = crd__doc_find(u->account, CRD_KIND_CREDIT, of->credit);
    on->invoice = crd__doc_find(u->account, CRD_KIND_INVOICE, of->invoice);
    on->receipt = crd__doc_find(u->account, CRD_KIND_RECEIPT, of->receipt);
}

/* An application of the payment's own money is taken back; one of another credit returns there (rule M8). */
static crd_status reverse_undo_application(unwinding *u, const crd__application *a) {
    crd__decision decision;
    crd__concerned on;
    int64_t undone;
    reverse_concern(u, a, &on);
    if (on.credit == NULL || on.credit != u->credit)
        return crd__unapply(u->command, u->account, a, 0, &u->when, &undone);
    u->reversed += a->left;
    crd__decide_bounced(a->seq, a->left, (a->flags & CRD_ENTRY_BY_OWN_RECEIPT) != 0, u->when.date, &decision);
    return crd__write_moves(u->command, &on, &decision, u->reason, CRD_ENTRY_CONSEQUENCE);
}

static crd_status write_reverse(unwinding *u, int64_t amount) {
    crd__concerned on;
    crd_entry_record entry;
    if (amount == 0) return CRD_OK;
    reverse_concern(u, NULL, &on);
    on.credit = u->credit;
    u->reversed += amount;
    crd__entry_clear(&entry, CRD_ENTRY_REVERSE, u->when.date);
    entry.amount = amount;
    entry.flags = CRD_ENTRY_CONSEQUENCE;
    entry.reference = crd__or_empty(u->reason);
    return crd__write_entry(u->command, &on, &entry);
}

static crd_status unwind(unwinding *u) {
    crd_status status = CRD_OK;
    int64_t undone;
    if (u->credit != NULL) status = crd__enter_lapsed(u->command, u->credit, &u->when);
    if (status == CRD_OK && u->credit != NULL) status = crd__release_holds(u->command, u->credit, &u->when);
    for (uint64_t i = u->write_off_count; status == CRD_OK && i-- > 0;) {
        status = crd__unwrite_off(u->command, u->account, &u->write_offs[i], 0, &u->when, &undone);
    }
    for (uint64_t i = u->count; status == CRD_OK && i-- > 0;) {
        u->undone += u->list[i].left;
        status = reverse_undo_application(u, &u->list[i]);
    }
    if (status == CRD_OK && u->credit != NULL)
        status = write_reverse(u, ((const crd_credit_record *)u->credit->record)->remaining);
    return status;
}

static crd_status write_end(unwinding *u, uint32_t type, int64_t amount, const char *reference) {
    crd_entry_record entry;
    crd__concerned on;
    reverse_concern(u, NULL, &on);
    on.receipt = u->receipt;
    on.credit = u->credit;
    crd__entry_clear(&entry, type, u->when.date);
    entry.undoes = ((const crd_receipt_record *)u->receipt->record)->first_seq;
    entry.amount = amount;
    entry.reference = crd__or_empty(reference);
    return crd__write_entry(u->command, &on, &entry);
}

crd_status crd__undo_receipt(crd__command *command, crd__account *account, const char *id) {
    unwinding u;
    crd__refusal why;
    crd__application named;
    crd_status status;
    memset(&u, 0, sizeof u);
    memset(&named, 0, sizeof named);
    named.credit = named.invoice = "";
    named.receipt = id;
    status = crd__load_named(command->ledger, account, &named, 1);
    if (status != CRD_OK) return status;
    u.command = command;
    u.account = account;
    u.whole = 1;
    u.receipt = crd__doc_find(account, CRD_KIND_RECEIPT, id);
    if (u.receipt == NULL) return crd__fail(command->ledger, CRD_E_CORRUPT, NULL);
    status = reverse_gather(&u);
    if (status != CRD_OK) return status;
    if (crd__decide_may_undo_receipt(u.receipt->record, u.credit != NULL ? u.credit->record : NULL, &u.when, &why) !=
        CRD_OK)
        return reverse_refused(&u, &why);
    status = unwind(&u);
    command->result.amount = u.undone;
    if (u.credit != NULL) command->result.amount = ((const crd_receipt_record *)u.receipt->record)->amount;
    return status == CRD_OK ? write_end(&u, CRD_ENTRY_RECEIPT_UNDO, command->result.amount, NULL) : status;
}

/* ---- a bounce ---- */

/* The debit memo names the receipt, by which crd__cut_debit_memo() finds it; the fee only says where it came from. */
static crd_status write_invoice(unwinding *u, uint32_t kind, const char *id, int64_t total, const char *reason) {
    crd__command *command = u->command;
    const crd_account_record *account = &u->account->record;
    crd_invoice_record i;
    crd_entry_record entry;
    crd__concerned on;
    crd__doc *doc;
    if (total == 0) return CRD_OK;
    reverse_concern(u, NULL, &on);
    if (kind == CRD_INVOICE_DEBIT_MEMO) on.receipt = u->receipt;
    crd__record_clear(CRD_KIND_INVOICE, &i);
    i.customer = account->customer;
    i.currency = account->currency;
    i.first_seq = i.last_seq = account->last_seq + 1;
    i.id = id != NULL ? id : crd__derive_id(command, u->account, i.first_seq);
    if (i.id == NULL) return crd__fail(command->ledger, CRD_E_NOMEM, NULL);
    i.kind = kind;
    i.flags = kind == CRD_INVOICE_DEBIT_MEMO ? CRD_FLAG_OWN_DOCUMENT : 0;
    i.state = CRD_INVOICE_OPEN;
    i.issued = i.last_date = u->when.date;
    i.issued_at = CRD__MAX(command->instant, account->last_instant);
    i.total = i.open = total;
    i.origin = crd__doc_id(u->receipt);
    i.text = crd__or_empty(reason);
    crd__entry_clear(&entry, CRD_ENTRY_INVOICE, u->when.date);
    entry.amount = entry.invoice_after = total;
    entry.flags = CRD_ENTRY_CONSEQUENCE;
    return crd__write_document(command, &on, CRD_KIND_INVOICE, &i, &entry, &doc);
}

/* Ids the caller gave for the documents a bounce may make. */
static crd_status reverse_refuse_taken(unwinding *u, const crd_reverse_terms *t) {
    crd_ledger *ledger = u->command->ledger;
    const crd_account_record *account = &u->account->record;
    const char *ids[2];
    crd_key keys[3];
    const crd_key *list[3];
    crd_query query = crd__query(CRD_KIND_BIT_ACCOUNT | CRD_KIND_BIT_INVOICE, account->customer, NULL);
    crd__list held = {NULL, 0, 0}, abroad = {NULL, 0, 0};
    crd_status status;
    ids[0] = t->debit_memo;
    ids[1] = t->fee_id;
    memset(keys, 0, sizeof keys);
    for (int i = 0; i < 3; i++) {
        if (i > 0 && ids[i - 1] == NULL) continue;
        keys[i].struct_size = sizeof keys[i];
        keys[i].kind = i == 0 ? CRD_KIND_ACCOUNT : CRD_KIND_INVOICE;
        keys[i].customer = account->customer;
        keys[i].currency = i == 0 ? account->currency : "";
        keys[i].id = i == 0 ? "" : ids[i - 1];
        list[query.key_count++] = &keys[i];
    }
    if (query.key_count == 1) return CRD_OK;
    query.keys = list;
    status = crd__load_keys(ledger, &query, &held, &abroad);
    if (status == CRD_OK) status = crd__command_fresh(u->command, u->account);
    for (int i = 0; status == CRD_OK && i < 2; i++) {
        int found = crd__command_taken(ledger, &held, CRD_KIND_INVOICE, account->customer, ids[i]) != NULL;
        for (uint64_t n = 0; ids[i] != NULL && n < abroad.count; n++)
            found |= strcmp(crd__doc_id(abroad.items[n]), ids[i]) == 0;
        if (found)
            status = crd__fail_subject(ledger, CRD_E_EXISTS, CRD_KIND_INVOICE, account->customer, ids[i], NULL);
    }
    crd__list_free(&ledger->allocator, &abroad);
    crd__release(ledger, &held);
    return status;
}

/* A hold that has lapsed does not count, entered or not (rule M10): so it makes no difference in strict mode either. */
static crd_status reverse_may_bounce(unwinding *u, uint32_t flags) {
    crd_credit_record seen;
    crd__refusal why;
    int32_t latest = 0;
    int64_t lapsed = 0;
    crd_status status = CRD_OK;
    if (u->credit != NULL) {
        if (flags & CRD_REVERSE_STRICT) status = crd__foresee_lapses(u->command, u->credit, &latest, &lapsed);
        seen = *(const crd_credit_record *)u->credit->record;
        seen.held -= lapsed;
    }
    if (status != CRD_OK) return status;
    status = crd__decide_may_bounce(u->receipt->record, u->credit != NULL ? &seen : NULL, &u->when, flags, &why);
    return status == CRD_OK ? CRD_OK : reverse_refused(u, &why);
}

static crd_status reverse(crd__command *command, crd__doc *receipt, const crd_reverse_terms *t) {
    unwinding u;
    const crd_credit_record *credit;
    crd_status status;
    memset(&u, 0, sizeof u);
    u.command = command;
    u.account = receipt->account;
    u.receipt = receipt;
    u.reason = t->reason;
    status = crd__command_fresh(command, u.account);
    if (status == CRD_OK) status = reverse_refuse_taken(&u, t);
    if (status == CRD_OK) status = reverse_gather(&u);
    if (status != CRD_OK) return status;
    credit = u.credit != NULL ? u.credit->record : NULL;
    status = reverse_may_bounce(&u, t->flags);
    if (status == CRD_OK) status = unwind(&u);
    if (status == CRD_OK)
        status = write_invoice(&u, CRD_INVOICE_DEBIT_MEMO, t->debit_memo, credit->refunded + credit->transferred,
                               t->reason);
    if (status == CRD_OK) status = write_invoice(&u, CRD_INVOICE_FEE, t->fee_id, t->fee, t->reason);
    command->result.amount = u.reversed;
    if (status != CRD_OK) return status;
    return write_end(&u, CRD_ENTRY_RECEIPT_REVERSE, ((const crd_receipt_record *)receipt->record)->amount, t->reason);
}

static crd_status check_reverse(crd_ledger *ledger, const crd_reverse_terms *from, crd_reverse_terms *t) {
    crd_status status = CRD_OK;
    memset(t, 0, sizeof *t);
    if (from != NULL) status = crd__take_struct(ledger, "terms", t, sizeof *t, sizeof *t, from);
    if (status != CRD_OK) return status;
    if (t->flags & ~CRD_REVERSE_STRICT) return crd__fail_argument(ledger, "terms.flags", "has an unknown flag");
    status = crd__check_amount(ledger, "terms.fee", t->fee, 0);
    if (status == CRD_OK && t->fee_id != NULL) status = crd__check_id(ledger, "terms.fee_id", t->fee_id);
    if (status == CRD_OK && t->debit_memo != NULL) status = crd__check_id(ledger, "terms.debit_memo", t->debit_memo);
    if (status == CRD_OK) status = crd__check_text(ledger, "terms.reason", t->reason);
    if (status != CRD_OK || t->fee_id == NULL) return status;
    if (t->fee == 0) return crd__fail_argument(ledger, "terms.fee", "must be given with an id");
    if (t->debit_memo != NULL && strcmp(t->fee_id, t->debit_memo) == 0)
        return crd__fail_argument(ledger, "terms.fee_id", "must differ from the debit memo's");
    return CRD_OK;
}

crd_status crd_receipt_reverse(crd_ledger *ledger, const crd_request *request, crd_receipt *receipt,
                               const crd_reverse_terms *terms, crd_result *out) {
    crd__command command;
    crd_reverse_terms t;
    crd_status status = crd__command_begin(ledger, request, CRD_COMMAND_RECEIPT_REVERSE, &command);
    if (status != CRD_OK) return status;
    status = crd__command_handle(&command, receipt != NULL ? &receipt->handle : NULL, "receipt");
    if (status == CRD_OK) status = check_reverse(ledger, terms, &t);
    if (status == CRD_OK) {
        crd__doc *doc = receipt->handle.doc;
        const crd_account_record *account = &doc->account->record;
        crd__argument_text(&command, "receipt", crd__doc_id(doc));
        crd__argument_number(&command, "terms.flags", t.flags);
        crd__argument_number(&command, "terms.fee", t.fee);
        crd__argument_text(&command, "terms.fee_id", t.fee_id);
        crd__argument_text(&command, "terms.debit_memo", t.debit_memo);
        crd__argument_text(&command, "terms.reason", t.reason);
        command.flags = t.flags;
        status = crd__command_allow(&command, account->customer, account->currency, crd__doc_id(doc),
                                    ((const crd_receipt_record *)doc->record)->amount);
        if (status == CRD_OK && !command.answered) status = reverse(&command, doc, &t);
    }
    return crd__command_finish(&command, status, out);
}

/* ---- the debit memo of a bounce ---- */

/* The only invoice entry that names a receipt is that of its debit memo. */
static crd_status find_debit_memo(unwinding *u, const char *receipt, crd__doc **out) {
    crd_ledger *ledger = u->command->ledger;
    crd__application named, *list;
    uint64_t count;
    crd_status status;
    memset(&named, 0, sizeof named);
    named.credit = named.invoice = "";
    named.receipt = receipt;
    status = crd__load_named(ledger, u->account, &named, 1);
    if (status == CRD_OK) u->receipt = crd__doc_find(u->account, CRD_KIND_RECEIPT, receipt);
    if (status == CRD_OK && u->receipt == NULL) status = crd__fail(ledger, CRD_E_CORRUPT, NULL);
    if (status == CRD_OK)
        status = crd__deeds(ledger, u->account, u->receipt, 0, CRD__BIT(CRD_ENTRY_INVOICE), &list, &count);
    if (status == CRD_OK && count != 1) status = crd__fail(ledger, CRD_E_CORRUPT, NULL);
    if (status == CRD_OK) status = reverse_keep(u, &list[0]);
    if (status == CRD_OK) status = reverse_settle(u, &list, &count);
    crd__list_free(&ledger->allocator, &u->found);
    *out = status == CRD_OK ? crd__doc_find(u->account, CRD_KIND_INVOICE, list[0].invoice) : NULL;
    if (status == CRD_OK && *out == NULL) status = crd__fail(ledger, CRD_E_CORRUPT, NULL);
    return status;
}

crd_status crd__cut_debit_memo(crd__command *command, const crd__doc *credit, int64_t amount, crd__when *when) {
    const crd_credit_record *c = credit->record;
    unwinding u;
    crd__doc *memo;
    crd__concerned on;
    crd_entry_record entry;
    const crd_invoice_record *i;
    crd_status status;
    if (!(c->flags & CRD_FLAG_REVERSED) || amount == 0) return CRD_OK;
    memset(&u, 0, sizeof u);
    u.command = command;
    u.account = credit->account;
    status = find_debit_memo(&u, c->receipt, &memo);
    if (status != CRD_OK) return status;
    i = memo->record;
    when->date = CRD__MAX(when->date, CRD__MAX(c->last_date, i->last_date));
    status = crd__free_settled(command, memo, amount - i->open, 0, when, NULL);
    if (status != CRD_OK) return status;
    reverse_concern(&u, NULL, &on);
    on.invoice = memo;
    crd__entry_clear(&entry, CRD_ENTRY_CUT, when->date);
    entry.amount = amount;
    entry.flags = CRD_ENTRY_CONSEQUENCE;
    return crd__write_entry(command, &on, &entry);
}
