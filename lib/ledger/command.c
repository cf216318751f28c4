/*
 * What every mutating call has in common: the request, permission, the request key, entries, and the end.
 *
 * The body of a command runs between crd__command_begin() and crd__command_end(). Whatever it returns, the end puts
 * things right: a body that failed leaves the unit as it was before it; one that succeeded is kept at once, or with
 * the host's unit.
 */
#include "core/blake2b.h"
#include "ledger/ledger.h"

#include <string.h>

static crd_status take_request(crd_ledger *ledger, const crd_request *request, crd__command *out) {
    crd_request r;
    int64_t now;
    crd_status status = crd__take_struct(ledger, "request", &r, sizeof r, sizeof r, request);
    if (status != CRD_OK) return status;
    if (r.flags & ~CRD_REQUEST_OVERRIDE_CLOSED)
        return crd__fail_argument(ledger, "request.flags", "has an unknown flag");
    if (r.reserved != 0) return crd__fail_argument(ledger, "request.reserved", "must be 0");
    status = crd__check_any_id(ledger, "request.actor", r.actor);
    if (status == CRD_OK && r.key != NULL) status = crd__check_id(ledger, "request.key", r.key);
    if (status == CRD_OK) status = crd__check_text(ledger, "request.note", r.note);
    if (status == CRD_OK) status = crd__check_date_field(ledger, "request.business_date", r.business_date);
    if (status != CRD_OK) return status;
    now = r.instant;
    if (now == 0 && ledger->hooks.clock != NULL) {
        ledger->busy = 1;
        now = ledger->hooks.clock(ledger->hooks.ctx);
        ledger->busy = 0;
    }
    if (now <= 0) return crd__fail_argument(ledger, "request.instant", "must be given without a clock, and be positive");
    out->date = r.business_date;
    if (crd_date_of_instant(now, ledger->settings.utc_offset_minutes, &out->date) != CRD_OK)
        return crd__fail_argument(ledger, "request.instant", "must lie between 1970-01-02 and 9999-12-31");
    if (r.business_date != CRD_DATE_NONE) out->date = r.business_date;
    out->instant = now;
    out->request = r;
    return CRD_OK;
}

crd_status crd__command_begin(crd_ledger *ledger, const crd_request *request, uint32_t code, crd__command *out) {
    crd__unit *unit;
    crd_status status;
    memset(out, 0, sizeof *out);
    status = crd__enter(ledger);
    if (status != CRD_OK) return status;
    crd__handles_bury(ledger);
    status = take_request(ledger, request, out);
    if (status != CRD_OK) return status;
    out->ledger = ledger;
    out->code = code;
    unit = &ledger->unit;
    out->own_unit = !unit->open;
    out->before = crd__unit_counts(ledger);
    out->request.actor = crd__arena_text(&unit->arena, out->request.actor);
    out->request.note = crd__arena_text(&unit->arena, out->request.note);
    if (out->request.key != NULL) out->request.key = crd__arena_text(&unit->arena, out->request.key);
    if (out->request.actor == NULL || out->request.note == NULL) {
        if (out->own_unit) crd__unit_forget(ledger);
        return crd__fail(ledger, CRD_E_NOMEM, NULL);
    }
    unit->mark++;
    ledger->command++;
    out->result.struct_size = sizeof out->result;
    if (out->request.business_date != CRD_DATE_NONE)
        crd__argument_number(out, "request.business_date", out->request.business_date);
    return CRD_OK;
}

static crd__argument *next_argument(crd__command *command, const char *name) {
    crd__argument *argument;
    if (command->argument_count == CRD__ARGUMENTS) return NULL;
    argument = &command->arguments[command->argument_count++];
    argument->name = name;
    argument->text = NULL;
    argument->number = 0;
    return argument;
}

void crd__argument_text(crd__command *command, const char *name, const char *text) {
    crd__argument *argument = next_argument(command, name);
    if (argument != NULL) argument->text = text != NULL ? text : "";
}

/* Eight zero bytes are no text, so no text has the digest of NULL. */
void crd__argument_change(crd__command *command, const char *name, const char *text) {
    if (text != NULL)
        crd__argument_text(command, name, text);
    else
        crd__argument_number(command, name, 0);
}

void crd__argument_number(crd__command *command, const char *name, int64_t number) {
    crd__argument *argument = next_argument(command, name);
    if (argument != NULL) argument->number = number;
}

/* ---- request keys ---- */

/* Digests of the command as asked: four bytes per argument, to name the one that differs, and one over all. */
static void digest(const crd__command *command, uint8_t *whole, uint8_t *parts) {
    uint8_t all[32 * CRD__ARGUMENTS + 8];
    uint64_t code = command->code;
    for (uint32_t i = 0; i < command->argument_count; i++) {
        const crd__argument *argument = &command->arguments[i];
        uint8_t number[8];
        for (int b = 0; b < 8; b++) number[b] = (uint8_t)((uint64_t)argument->number >> (8 * b));
        if (argument->text != NULL)
            crd__blake2b_256(all + 32 * i, argument->text, strlen(argument->text));
        else
            crd__blake2b_256(all + 32 * i, number, sizeof number);
        memcpy(parts + 4 * i, all + 32 * i, 4);
    }
    for (int b = 0; b < 8; b++) all[32 * command->argument_count + (uint32_t)b] = (uint8_t)(code >> (8 * b));
    crd__blake2b_256(whole, all, 32 * (size_t)command->argument_count + 8);
}

/* The arguments of two commands of one code are listed in the same order, but for a business date in front. */
static const char *differing(const crd__command *command, const crd_request_record *there, const uint8_t *parts) {
    if (there->command != command->code) return "command";
    if (there->parts_size != 4 * (uint64_t)command->argument_count) return "request.business_date";
    for (uint32_t i = 0; i < command->argument_count; i++)
        if (memcmp(there->parts + 4 * i, parts + 4 * i, 4) != 0) return command->arguments[i].name;
    return "command";
}

static crd_status fail_reused(const crd__command *command, const char *field) {
    crd_ledger *ledger = command->ledger;
    crd__fail_subject(ledger, CRD_E_KEY_REUSED, CRD_KIND_CUSTOMER, command->customer, command->customer, NULL);
    ledger->error.field = field;
    return CRD_E_KEY_REUSED;
}

static crd_status answer(crd__command *command, const crd_request_record *there) {
    uint8_t whole[32], parts[4 * CRD__ARGUMENTS];
    crd_ledger *ledger = command->ledger;
    digest(command, whole, parts);
    if (memcmp(whole, there->digest, 32) != 0) return fail_reused(command, differing(command, there, parts));
    command->answered = 1;
    command->result.repeated = 1;
    command->result.first_seq = there->first_seq;
    command->result.last_seq = there->last_seq;
    command->result.amount = there->result;
    command->result.warnings = there->warnings;
    command->created_kind = there->created_kind;
    command->created_id = crd__arena_text(&ledger->unit.arena, there->created_id);
    return command->created_id != NULL ? CRD_OK : crd__fail(ledger, CRD_E_NOMEM, NULL);
}

/* Looks the key up, in the open unit and in the storage. CRD_OK with `answered`, or CRD_E_KEY_REUSED, or CRD_OK when
 * the key was never used. */
static crd_status ask_key(crd__command *command) {
    crd_ledger *ledger = command->ledger;
    crd_query query = crd__query(CRD_KIND_BIT_REQUEST, command->customer, NULL);
    crd__arena arena;
    crd__loaded loaded;
    crd_status status;
    for (uint64_t i = 0; i < ledger->unit.requests.count; i++) {
        const crd__asked *asked = ledger->unit.requests.items[i];
        if (strcmp(asked->record.customer, command->customer) == 0 &&
            strcmp(asked->record.request_key, command->request.key) == 0)
            return answer(command, &asked->record);
    }
    if (command->page != NULL) {
        for (uint64_t i = 0; i < command->page->requests.count; i++) {
            const crd_request_record *there = command->page->requests.items[i];
            if (strcmp(there->customer, command->customer) == 0 &&
                strcmp(there->request_key, command->request.key) == 0)
                return answer(command, there);
        }
        return CRD_OK;
    }
    query.request_key = command->request.key;
    crd__arena_init(&arena, &ledger->allocator);
    status = crd__read(ledger, &query, &arena, &loaded);
    if (status == CRD_OK) {
        if (loaded.rest.count > 0) status = answer(command, ((crd__doc *)loaded.rest.items[0])->record);
        crd__loaded_free(&loaded);
    }
    crd__arena_free(&arena);
    return status;
}

static crd_status remember_key(crd__command *command) {
    crd_ledger *ledger = command->ledger;
    crd__account *account = NULL;
    crd__asked *asked = crd__arena_take(&ledger->unit.arena, sizeof *asked);
    uint8_t *parts = crd__arena_take(&ledger->unit.arena, 4 * CRD__ARGUMENTS);
    crd_request_record *r;
    for (uint64_t i = 0; i < ledger->unit.accounts.count && account == NULL; i++) {
        crd__account *one = ledger->unit.accounts.items[i];
        if (strcmp(one->record.customer, command->customer) == 0 &&
            strcmp(one->record.currency, command->currency) == 0)
            account = one;
    }
    if (account == NULL) return CRD_OK; /* nothing was written, so there is nothing to repeat */
    if (asked == NULL || parts == NULL || !crd__list_push(&ledger->allocator, &ledger->unit.requests, asked))
        return crd__fail(ledger, CRD_E_NOMEM, NULL);
    r = &asked->record;
    crd__record_clear(CRD_KIND_REQUEST, r);
    asked->account = account;
    r->customer = account->record.customer;
    r->currency = account->record.currency;
    r->request_key = command->request.key;
    r->command = command->code;
    r->first_seq = command->result.first_seq;
    r->last_seq = command->result.last_seq;
    r->result = command->result.amount;
    r->warnings = command->result.warnings;
    r->created_kind = command->created_kind;
    r->created_id = command->created_id != NULL ? command->created_id : "";
    digest(command, r->digest, parts);
    r->parts = parts;
    r->parts_size = 4 * (uint64_t)command->argument_count;
    return CRD_OK;
}

/* ---- permission and preconditions ---- */

static crd_status authorize(crd__command *command, const char *customer, const char *currency, const char *subject,
                            int64_t amount) {
    crd_ledger *ledger = command->ledger;
    crd_operation operation;
    int32_t refused;
    memset(&operation, 0, sizeof operation);
    operation.struct_size = sizeof operation;
    operation.command = command->code;
    operation.actor = command->request.actor;
    operation.customer = customer;
    operation.currency = currency;
    operation.subject = subject != NULL ? subject : "";
    operation.amount = amount;
    operation.flags = command->flags;
    operation.request_flags = command->request.flags;
    if (ledger->hooks.authorize == NULL) {
        refused = (ledger->flags & CRD_LEDGER_DENY) != 0;
    } else {
        ledger->busy = 1;
        refused = ledger->hooks.authorize(ledger->hooks.ctx, &operation);
        ledger->busy = 0;
    }
    return refused ? crd__fail(ledger, CRD_E_DENIED, NULL) : CRD_OK;
}

/* While the feature is off, time and the bank still take back (rule M16); and what was kept can still be heard of. */
static int works_while_off(uint32_t code) {
    return code == CRD_COMMAND_SWEEP || code == CRD_COMMAND_RECEIPT_REVERSE || code == CRD_COMMAND_ACKNOWLEDGE;
}

crd_status crd__command_allow(crd__command *command, const char *customer, const char *currency, const char *subject,
                              int64_t amount) {
    crd_ledger *ledger = command->ledger;
    crd_status status;
    command->customer = customer;
    command->currency = currency;
    if (command->request.key != NULL && !command->own_unit) {
        status = ask_key(command);
        if (status == CRD_E_KEY_REUSED)
            command->reused = ledger->error.field; /* said in the end: permission and feature come before it */
        else if (status != CRD_OK || command->answered)
            return status;
    }
    status = authorize(command, customer, currency, subject, amount);
    if (status != CRD_OK) return status;
    if (ledger->settings.feature_off && !works_while_off(command->code)) return crd__fail(ledger, CRD_E_DISABLED, NULL);
    return CRD_OK;
}

int64_t crd__command_all(const crd__command *command, const crd__doc *credit, const crd__doc *invoice) {
    const crd_credit_record *c = credit->record;
    int64_t lapses_at = credit->account->record.lapses_at, all = crd__credit_available(c);
    if (lapses_at != 0 && lapses_at <= CRD__MAX(command->instant, credit->account->record.last_instant)) all += c->held;
    if (invoice != NULL) {
        const crd_invoice_record *i = invoice->record;
        all = CRD__MIN(all, i->state == CRD_INVOICE_DRAFT ? i->total - i->allocated : i->open);
    }
    return all;
}

crd_status crd__command_done(crd__command *command, const char *customer, const char *currency) {
    crd_status status = CRD_OK;
    command->customer = customer;
    command->currency = currency;
    if (command->request.key != NULL) status = ask_key(command);
    return status == CRD_OK && !command->answered ? CRD_E_ARGUMENT : status;
}

crd_status crd__command_ask(crd__command *command) {
    return command->request.key != NULL && command->own_unit ? ask_key(command) : CRD_OK;
}

crd_status crd__command_feature(crd__command *command, const crd__account *account) {
    if (!(account->record.switches & CRD_SWITCH_FEATURE_OFF)) return CRD_OK;
    return crd__fail_subject(command->ledger, CRD_E_DISABLED, CRD_KIND_CUSTOMER, account->record.customer,
                             account->record.customer, NULL);
}

crd_status crd__command_handle(crd__command *command, crd__handle *handle, const char *field) {
    crd_ledger *ledger = command->ledger;
    const crd__doc *doc;
    if (handle == NULL) return crd__fail_argument(ledger, field, "must be given");
    if (handle->ledger != ledger) return crd__fail_argument(ledger, field, "is a handle of another ledger");
    doc = handle->doc;
    if (doc->gone)
        return crd__fail_subject(ledger, CRD_E_NOT_FOUND, doc->kind, doc->account->record.customer, crd__doc_id(doc),
                                 "the unit that created it was not kept");
    command->handles[command->handles[0] != NULL] = handle;
    return CRD_OK;
}

crd_status crd__command_fresh(crd__command *command, const crd__account *account) {
    if (account->live) return CRD_OK;
    return crd__fail_subject(command->ledger, CRD_E_CONFLICT, CRD_KIND_ACCOUNT, account->record.customer,
                             account->record.currency, "it was changed since the handle was read; refresh it");
}

/* The accounts read, by currency. One that is live but was not read again is gone from the storage: the host rolled
 * back what had created it. */
static crd__account *command_among(crd_ledger *ledger, const crd__list *held, const char *customer,
                                   const char *currency) {
    crd__account *live;
    for (uint64_t i = 0; i < held->count; i++)
        if (strcmp(((crd__account *)held->items[i])->record.currency, currency) == 0 &&
            strcmp(((crd__account *)held->items[i])->record.customer, customer) == 0)
            return held->items[i];
    live = crd__live(ledger, customer, currency);
    if (live != NULL && live->base != 0 && !live->dirty) {
        crd__account_stale(live);
        return NULL;
    }
    return live;
}

static crd_status new_account(crd__command *command, const char *customer, const char *currency,
                              const crd__account *owner, crd__account **out) {
    crd_entry_record entry;
    crd__concerned on;
    crd_status status = crd__account_new(command->ledger, customer, currency, out);
    if (status != CRD_OK) return status;
    crd__account_hold(*out);
    status = crd__touch_account(command->ledger, *out); /* the unit keeps it alive from here on */
    crd__account_drop(*out);
    if (status != CRD_OK || owner->record.switches == 0) return status;
    memset(&on, 0, sizeof on);
    on.account = *out;
    crd__entry_clear(&entry, CRD_ENTRY_SWITCHES, command->date);
    entry.amount = owner->record.switches;
    entry.flags = CRD_ENTRY_CONSEQUENCE;
    return crd__write_entry(command, &on, &entry);
}

crd__doc *crd__command_taken(crd_ledger *ledger, const crd__list *held, uint32_t kind, const char *customer,
                             const char *id) {
    const crd__list *changed = &ledger->unit.accounts;
    crd__doc *found = NULL;
    for (uint64_t i = 0; id != NULL && found == NULL && i < held->count; i++) {
        crd__account *account = held->items[i];
        if (strcmp(account->record.customer, customer) == 0) found = crd__doc_find(account, kind, id);
    }
    for (uint64_t i = 0; id != NULL && found == NULL && i < changed->count; i++) {
        crd__account *account = changed->items[i];
        if (strcmp(account->record.customer, customer) == 0) found = crd__doc_find(account, kind, id);
    }
    return found;
}

static crd__account *owner_of(crd_ledger *ledger, const crd__list *held, const char *customer) {
    crd__account *owner = command_among(ledger, held, customer, "");
    if (owner != NULL && crd__doc_find(owner, CRD_KIND_CUSTOMER, customer) != NULL) return owner;
    crd__fail_subject(ledger, CRD_E_NOT_FOUND, CRD_KIND_CUSTOMER, customer, customer, NULL);
    return NULL;
}

crd_status crd__command_settle(crd__command *command, const char *customer, const char *currency,
                               const crd__list *held, crd__account **out) {
    crd_ledger *ledger = command->ledger;
    crd__account *owner = owner_of(ledger, held, customer), *account;
    crd_status status;
    if (owner == NULL) return CRD_E_NOT_FOUND;
    account = command_among(ledger, held, customer, currency);
    status = crd__command_feature(command, account != NULL ? account : owner);
    if (status == CRD_OK && (account == NULL || account->base == 0)) status = crd__guard_account(ledger, owner);
    if (status == CRD_OK && account == NULL) status = new_account(command, customer, currency, owner, &account);
    if (status == CRD_OK) status = crd__touch_account(ledger, account);
    *out = account;
    return status;
}

crd_status crd__command_account(crd__command *command, const char *customer, const char *currency, uint32_t kind,
                                const char *id, crd__account **out) {
    crd_ledger *ledger = command->ledger;
    crd_query query = crd__query(CRD_KIND_BIT_ACCOUNT | CRD_KIND_BIT_CUSTOMER | UINT32_C(1) << kind, customer, NULL);
    crd__list held = {NULL, 0, 0};
    const crd__list *read = command->page != NULL ? &command->page->held : &held;
    const crd__account *owner = NULL;
    crd_status status = CRD_OK;
    query.id = id != NULL ? id : "~"; /* no document has this id, so none is read when one is to be derived */
    query.flags = CRD_QUERY_FOR_WRITE;
    if (command->page == NULL) status = crd__load(ledger, &query, &held);
    if (status == CRD_OK && (owner = owner_of(ledger, read, customer)) == NULL) status = CRD_E_NOT_FOUND;
    if (status == CRD_OK) status = crd__command_feature(command, owner);
    if (status == CRD_OK && crd__command_taken(ledger, read, kind, customer, id) != NULL)
        status = crd__fail_subject(ledger, CRD_E_EXISTS, kind, customer, id, NULL);
    if (status == CRD_OK && command->page != NULL && id != NULL)
        status = crd__page_taken(ledger, command->page, kind, customer, id);
    if (status == CRD_OK) status = crd__command_settle(command, customer, currency, read, out);
    crd__release(ledger, &held);
    return status;
}

int32_t crd__command_closed(const crd__command *command) {
    return command->request.flags & CRD_REQUEST_OVERRIDE_CLOSED ? 0 : command->ledger->settings.closed_through;
}

crd__when crd__command_when(const crd__command *command, int direct) {
    crd__when when;
    when.date = when.asked = command->date;
    when.closed_through = crd__command_closed(command);
    when.direct = direct;
    return when;
}

/* ---- entries ---- */

void crd__entry_clear(crd_entry_record *entry, uint32_t type, int32_t date) {
    crd__record_clear(CRD_KIND_ENTRY, entry);
    entry->type = type;
    entry->business_date = date;
}

static crd_status take_image(crd_ledger *ledger, uint32_t kind, const void *record, crd_entry_record *entry) {
    uint64_t size = 0;
    uint8_t *bytes;
    (void)crd_record_encode(kind, record, NULL, 0, &size);
    bytes = crd__arena_take(&ledger->unit.arena, size);
    if (bytes == NULL) return crd__fail(ledger, CRD_E_NOMEM, NULL);
    if (crd_record_encode(kind, record, bytes, size, &size) != CRD_OK) return crd__fail(ledger, CRD_E_CORRUPT, NULL);
    entry->image = bytes;
    entry->image_size = size;
    return CRD_OK;
}

/* The image of a document that an entry changed as such: as it is afterwards. */
static crd_status take_changed(crd_ledger *ledger, const crd__records *records, crd_entry_record *entry) {
    switch (entry->type) {
    case CRD_ENTRY_SEND:
    case CRD_ENTRY_REVISE: return take_image(ledger, CRD_KIND_INVOICE, records->invoice, entry);
    case CRD_ENTRY_CREDIT_CHANGE: return take_image(ledger, CRD_KIND_CREDIT, records->credit, entry);
    case CRD_ENTRY_CUSTOMER:
        return records->image != NULL ? take_image(ledger, CRD_KIND_CUSTOMER, records->customer, entry) : CRD_OK;
    default: return CRD_OK;
    }
}

static crd_status touch(crd_ledger *ledger, crd__doc *doc) {
    return doc != NULL ? crd__touch_doc(ledger, doc) : CRD_OK;
}

static const char *id_of(const crd__doc *doc) {
    return doc != NULL ? crd__doc_id(doc) : "";
}

static void *command_record_of(const crd__doc *doc) {
    return doc != NULL ? doc->record : NULL;
}

static void administer(const crd__command *command, const crd__concerned *on, crd_entry_record *e) {
    const crd_account_record *account = &on->account->record;
    e->customer = account->customer;
    e->currency = account->currency;
    e->seq = account->last_seq + 1;
    e->last_seq = e->seq;
    e->instant = CRD__MAX(command->instant, account->last_instant);
    e->writer = command->ledger->writer;
    e->command = command->ledger->command;
    e->actor = command->request.actor;
    e->note = command->request.note;
    e->credit = id_of(on->credit);
    e->invoice = id_of(on->invoice);
    e->receipt = id_of(on->receipt);
    e->hold = id_of(on->hold);
}

/* Texts that a caller passed need not outlive the call, but an entry lives as long as its unit. */
static crd_status keep_texts(crd_ledger *ledger, crd_entry_record *e) {
    const char **texts[] = {&e->reference, &e->method, &e->other_customer, &e->other_id};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if ((*texts[i])[0] == '\0') continue;
        *texts[i] = crd__arena_text(&ledger->unit.arena, *texts[i]);
        if (*texts[i] == NULL) return crd__fail(ledger, CRD_E_NOMEM, NULL);
    }
    return CRD_OK;
}

crd_status crd__write_entry(crd__command *command, const crd__concerned *on, crd_entry_record *entry) {
    crd_ledger *ledger = command->ledger;
    crd_account_record *account = &on->account->record;
    crd__entry *kept = crd__arena_take(&ledger->unit.arena, sizeof *kept);
    crd__records records;
    crd_status status = kept != NULL ? CRD_OK : crd__fail(ledger, CRD_E_NOMEM, NULL);
    if (status == CRD_OK) status = crd__touch_account(ledger, on->account);
    if (status == CRD_OK) status = touch(ledger, on->customer);
    if (status == CRD_OK) status = touch(ledger, on->credit);
    if (status == CRD_OK) status = touch(ledger, on->invoice);
    if (status == CRD_OK) status = touch(ledger, on->receipt);
    if (status == CRD_OK) status = touch(ledger, on->hold);
    if (status != CRD_OK) return status;
    kept->record = *entry;
    kept->on = *on;
    status = keep_texts(ledger, &kept->record);
    if (status != CRD_OK) return status;
    administer(command, on, &kept->record);
    records.account = account;
    records.customer = command_record_of(on->customer);
    records.credit = command_record_of(on->credit);
    records.invoice = command_record_of(on->invoice);
    records.receipt = command_record_of(on->receipt);
    records.hold = command_record_of(on->hold);
    records.image = on->image;
    status = crd__fold(&kept->record, &records);
    if (status == CRD_E_OVERFLOW) return crd__fail(ledger, status, NULL);
    if (status != CRD_OK)
        return crd__fail_subject(ledger, CRD_E_CORRUPT, CRD_KIND_ACCOUNT, account->customer, account->currency,
                                 "its records would contradict each other; nothing was written");
    status = take_changed(ledger, &records, &kept->record);
    if (status == CRD_OK)
        status = crd_entry_hash(&kept->record, account->last_seq == 0 ? NULL : account->last_hash, kept->record.hash);
    if (status != CRD_OK) return crd__fail(ledger, status, NULL);
    crd__fold_account(&kept->record, account);
    if (!crd__list_push(&ledger->allocator, &ledger->unit.entries, kept)) return crd__fail(ledger, CRD_E_NOMEM, NULL);
    if (command->result.first_seq == 0) command->result.first_seq = kept->record.seq;
    command->result.last_seq = kept->record.seq;
    return CRD_OK;
}

crd_status crd__write_moves(crd__command *command, const crd__concerned *on, const crd__decision *decision,
                            const char *reference, uint32_t flags) {
    crd_status status = CRD_OK;
    for (uint32_t i = 0; status == CRD_OK && i < decision->count; i++) {
        const crd__move *move = &decision->moves[i];
        /* What is done with an allocation concerns its draft; what else is done with a hold, and what expires or is
         * voided in the wake of an application, concerns the credit alone. */
        int both = move->type == CRD_ENTRY_APPLY || move->type == CRD_ENTRY_UNAPPLY;
        int holds = move->type >= CRD_ENTRY_HOLD && move->type <= CRD_ENTRY_CAPTURE;
        int allocates = holds && on->hold != NULL && ((const crd_hold_record *)on->hold->record)->invoice[0] != '\0';
        int alone = on->credit != NULL && (holds ? !allocates : (move->flags & CRD_ENTRY_CONSEQUENCE) != 0);
        crd__concerned concerned = *on;
        crd_entry_record entry;
        if (alone) concerned.invoice = concerned.receipt = NULL;
        if (!both && !holds) concerned.hold = NULL;
        crd__entry_clear(&entry, move->type, move->date);
        entry.amount = move->amount;
        entry.flags = move->flags | flags;
        entry.cause = move->cause;
        entry.undoes = move->undoes;
        entry.reference = reference != NULL ? reference : "";
        status = crd__write_entry(command, &concerned, &entry);
    }
    return status;
}

char *crd__derive_id(crd__command *command, const crd__account *account, int64_t seq) {
    char text[32];
    size_t at = sizeof text - 1, length;
    text[at] = '\0';
    do {
        text[--at] = (char)('0' + seq % 10);
        seq /= 10;
    } while (seq > 0);
    length = strlen(account->record.currency);
    at -= length;
    memcpy(text + at, account->record.currency, length);
    text[--at] = '~';
    return crd__arena_text(&command->ledger->unit.arena, text + at);
}

crd_status crd__write_document(crd__command *command, crd__concerned *on, uint32_t kind, void *record,
                               crd_entry_record *entry, crd__doc **out) {
    crd_ledger *ledger = command->ledger;
    crd_status status = crd__touch_account(ledger, on->account);
    if (status == CRD_OK) status = crd__doc_add(on->account, kind, record, out);
    if (status == CRD_OK) status = crd__touch_new(ledger, *out);
    if (status == CRD_OK) status = take_image(ledger, kind, (*out)->record, entry);
    if (status != CRD_OK) return status;
    switch (kind) {
    case CRD_KIND_CUSTOMER: on->customer = *out; break;
    case CRD_KIND_CREDIT: on->credit = *out; break;
    case CRD_KIND_INVOICE: on->invoice = *out; break;
    case CRD_KIND_HOLD: on->hold = *out; break;
    default: on->receipt = *out; break;
    }
    return crd__write_entry(command, on, entry);
}

/* ---- the end ---- */

/* Refusals after which the key is asked: the first result, if there is one, comes before any of them (rule M16). */
static int asks_key(crd_status status) {
    switch (status) {
    case CRD_E_ARGUMENT:
    case CRD_E_NOMEM:
    case CRD_E_BUSY:
    case CRD_E_STORAGE:
    case CRD_E_RESTART:
    case CRD_E_UNKNOWN:
    case CRD_E_CONTRACT:
    case CRD_E_SCHEMA: return 0;
    default: return 1;
    }
}

/* Permission and feature come before the request key (rule M16). */
static int precedes_key(crd_status status) {
    return status == CRD_E_DENIED || status == CRD_E_DISABLED;
}

/* The first result may be one that the handles have not seen. One that cannot be refreshed now stays stale. */
static void refresh_handles(crd__command *command) {
    for (int i = 0; i < 2; i++) {
        crd__handle *handle = command->handles[i];
        if (handle == NULL || handle->doc->account->live) continue;
        if (crd__handle_refresh(handle) != CRD_OK) (void)crd__enter(command->ledger);
    }
}

crd_status crd__command_end(crd__command *command, crd_status status) {
    crd_ledger *ledger = command->ledger;
    int keyed = command->request.key != NULL && command->customer != NULL;
    if (command->reused != NULL && (status == CRD_OK || (asks_key(status) && !precedes_key(status))))
        status = fail_reused(command, command->reused);
    if (status == CRD_OK && !command->answered && keyed) status = remember_key(command);
    if (status != CRD_OK) crd__unit_back(ledger, &command->before);
    /* What finds nothing to do writes nothing, so nothing else asks whether it was done under this key. */
    if (status == CRD_OK && keyed && command->own_unit && !command->answered && ledger->unit.entries.count == 0)
        status = ask_key(command);
    if (status == CRD_OK && command->own_unit && !command->answered) status = crd__unit_keep(ledger, 0);
    if (status != CRD_OK && keyed && command->own_unit && !command->answered && asks_key(status)) {
        crd_error error = ledger->error;
        char texts[sizeof ledger->error_text];
        crd_status asked;
        memcpy(texts, ledger->error_text, sizeof texts);
        asked = ask_key(command);
        if ((asked == CRD_OK && !command->answered) || (asked == CRD_E_KEY_REUSED && precedes_key(status))) {
            ledger->error = error;
            memcpy(ledger->error_text, texts, sizeof texts);
        } else {
            status = asked;
            if (asked == CRD_OK) (void)crd__enter(ledger); /* the refusal is not the answer */
        }
    }
    if (command->answered) refresh_handles(command);
    ledger->unit.mark++;
    return status;
}

crd_status crd__command_finish(crd__command *command, crd_status status, crd_result *out) {
    static const crd_result nothing = {sizeof(crd_result), 0, 0, 0, 0, 0, 0};
    status = crd__command_end(command, status);
    crd__give_struct(out, status == CRD_OK ? &command->result : &nothing);
    if (command->own_unit) crd__unit_forget(command->ledger);
    return status;
}

/* The handle is made before anything is kept, so that a command that is kept does not fail afterwards. When the request
 * key had been used, it is a handle to what the command created the first time. */
crd_status crd__command_create(crd__command *command, crd_status status, uint32_t kind, crd__doc *doc,
                               const char *customer, crd__handle **out) {
    crd_ledger *ledger = command->ledger;
    crd__handle *handle = NULL;
    if (status == CRD_OK && out != NULL && doc != NULL) status = crd__handle_new(ledger, doc, &handle);
    status = crd__command_end(command, status);
    if (handle != NULL && (status != CRD_OK || command->answered)) {
        crd__handle_free(handle);
        handle = NULL;
    }
    if (status == CRD_OK && out != NULL && command->answered)
        status = crd__handle_find(ledger, kind, customer,
                                  kind == CRD_KIND_CUSTOMER ? customer : command->created_id, &handle);
    if (out != NULL) *out = handle;
    if (command->own_unit) crd__unit_forget(ledger);
    return status;
}

int crd__again(crd_ledger *ledger, crd_status status, uint32_t *tries) {
    if (status != CRD_E_CONFLICT || ledger->unit.open || (crd__storage_flags(ledger) & CRD_STORAGE_JOINED)) return 0;
    return ++*tries < CRD__TRIES;
}
