/*
 * Writing a batch to memory: check the guards, stage every change, publish all or undo all.
 *
 * 1. Nothing a read can see changes before the last change of the batch is staged.
 * 2. Publishing cannot fail: every block, slot and place was taken while staging.
 * 3. In an independent batch the changes of groups with a failed guard are passed over, and the rest is one batch.
 */
#include "memory_private.h"

#include <string.h>

#define SLACK 12 /* bytes a new item may grow by at least, before it needs a larger block */
#define KEPT_STEPS (UINT64_C(64) << 10) /* bytes of steps kept from batch to batch */

typedef struct memory_writer {
    crd_memory *m;
    const crd_batch *batch;
    crd_write_result *out;
    const char *why;
    uint64_t staged;  /* changes staged, the one at hand included */
    uint64_t run_end; /* the change behind the entries of one account, if any are at hand */
    crd__customer *customer; /* of the last change: the next is often of the same */
} memory_writer;

static const char *memory_write_or_empty(const char *text) {
    return text != NULL ? text : "";
}

static int guard_holds(const crd_memory *m, const crd_guard *guard) {
    const crd__customer *customer = crd__memory_customer(m, memory_write_or_empty(guard->customer));
    const crd__holder *account = NULL;
    if (customer != NULL) account = crd__memory_account(customer, memory_write_or_empty(guard->currency));
    return (account != NULL ? account->record.version : 0) == guard->version;
}

static int memory_group_failed(const memory_writer *w, uint32_t group) {
    for (uint64_t i = 0; i < w->out->failed_count; i++)
        if (w->batch->guards[w->out->failed[i]]->group == group) return 1;
    return 0;
}

static int32_t memory_check_guards(memory_writer *w) {
    const crd_batch *batch = w->batch;
    for (uint64_t i = 0; i < batch->guard_count; i++)
        if (!guard_holds(w->m, batch->guards[i])) w->out->failed[w->out->failed_count++] = i;
    if (w->out->failed_count == 0) return CRD_OUTCOME_DONE;
    if (batch->flags & CRD_BATCH_INDEPENDENT) {
        for (uint64_t i = 0; i < batch->guard_count; i++)
            if (!memory_group_failed(w, batch->guards[i]->group)) return CRD_OUTCOME_DONE;
    }
    return CRD_OUTCOME_CONFLICT;
}

/* What decides where a record goes. */
typedef struct address {
    const char *customer;
    const char *currency;
    const char *id;
    int64_t number;
    uint32_t document_kind;
    uint8_t state;
} address;

static uint8_t state_of(uint32_t state, int open) {
    return (uint8_t)((state < CRD__STATE_BITS ? state : CRD__STATE_BITS) | (open ? CRD__OPEN_BIT : 0));
}

static void memory_look(address *to, uint32_t kind, const crd__any *record) {
    memset(to, 0, sizeof *to);
    switch (kind) {
    case CRD_KIND_ACCOUNT:
        to->customer = record->account.customer;
        to->currency = record->account.currency;
        break;
    case CRD_KIND_CUSTOMER:
        to->customer = record->customer.customer;
        break;
    case CRD_KIND_CREDIT:
        to->customer = record->credit.customer;
        to->currency = record->credit.currency;
        to->id = record->credit.id;
        to->state = state_of(record->credit.state, record->credit.remaining > 0);
        break;
    case CRD_KIND_INVOICE:
        to->customer = record->invoice.customer;
        to->currency = record->invoice.currency;
        to->id = record->invoice.id;
        to->state = state_of(record->invoice.state,
                             record->invoice.open > 0 || record->invoice.state == CRD_INVOICE_DRAFT);
        break;
    case CRD_KIND_RECEIPT:
        to->customer = record->receipt.customer;
        to->currency = record->receipt.currency;
        to->id = record->receipt.id;
        to->state = state_of(record->receipt.state, 0);
        break;
    case CRD_KIND_HOLD:
        to->customer = record->hold.customer;
        to->currency = record->hold.currency;
        to->id = record->hold.id;
        to->state = state_of(record->hold.state, record->hold.amount > 0);
        break;
    case CRD_KIND_LINE:
        to->customer = record->line.customer;
        to->currency = record->line.currency;
        to->id = record->line.id;
        to->number = record->line.number;
        to->document_kind = record->line.document_kind;
        break;
    case CRD_KIND_ENTRY:
        to->customer = record->entry.customer;
        to->currency = record->entry.currency;
        to->number = record->entry.seq;
        break;
    default:
        to->customer = record->request.customer;
        to->id = record->request.request_key;
    }
    to->customer = memory_write_or_empty(to->customer);
    to->currency = memory_write_or_empty(to->currency);
}

/* Blanks what an item's place says, see invariant 3 of memory_private.h. */
static const void *told(uint32_t kind, const crd__any *record, crd__any *copy) {
    switch (kind) {
    case CRD_KIND_CREDIT:
        copy->credit = record->credit;
        copy->credit.customer = copy->credit.currency = copy->credit.id = "";
        return copy;
    case CRD_KIND_INVOICE:
        copy->invoice = record->invoice;
        copy->invoice.customer = copy->invoice.currency = copy->invoice.id = "";
        return copy;
    case CRD_KIND_RECEIPT:
        copy->receipt = record->receipt;
        copy->receipt.customer = copy->receipt.currency = copy->receipt.id = "";
        return copy;
    case CRD_KIND_HOLD:
        copy->hold = record->hold;
        copy->hold.customer = copy->hold.currency = copy->hold.id = "";
        return copy;
    default: return record;
    }
}

/* A new item for a record; NULL when there is no memory. */
static crd__item *make_item(crd_memory *m, const crd__name *name, const crd__any *record, const crd__item *old) {
    crd__any copy;
    const void *from = told(name->kind, record, &copy);
    crd__item *item;
    uint64_t size, need, capacity;
    crd_status status = crd_record_encode(name->kind, from, m->scratch, m->scratch_size, &size);
    if (status == CRD_E_TOO_LARGE && crd__memory_scratch(m, size + CRD__TEXTS))
        status = crd_record_encode(name->kind, from, m->scratch, m->scratch_size, &size);
    if (status != CRD_OK || !crd__memory_scratch(m, size + CRD__TEXTS)) return NULL;
    need = offsetof(crd__item, data) + name->size + size;
    if (need > UINT32_MAX - CRD__BLOCK) return NULL;
    capacity = old != NULL && need <= old->capacity ? old->capacity : crd__memory_rounded(need + SLACK);
    item = crd__memory_take(m, capacity);
    if (item == NULL) return NULL;
    item->account = NULL;
    item->hash = name->hash;
    item->place = 0;
    item->size = (uint32_t)size;
    item->capacity = (uint32_t)capacity;
    item->key_size = (uint16_t)name->size;
    item->kind = (uint8_t)name->kind;
    item->state = 0;
    memcpy(item->data, name->bytes, name->size);
    memcpy(item->data + name->size, m->scratch, (size_t)size);
    return item;
}

static int same_item(const crd__item *a, const crd__item *b) {
    return a->hash == b->hash && a->kind == b->kind && a->key_size == b->key_size &&
           memcmp(a->data, b->data, a->key_size) == 0;
}

static int32_t memory_missing(memory_writer *w) {
    w->why = "a record to be updated does not exist";
    return CRD_OUTCOME_FAILED;
}

/* Documents, lines, requests and customers. `before` is the step before, whose item may have the same key. */
static int32_t stage_item(memory_writer *w, uint32_t kind, const address *at, int inserts, const crd__any *record,
                          crd__step *step, const crd__step *before) {
    crd__item *old;
    crd__name name;
    if (!crd__memory_name(&name, kind, at->document_kind, at->id, at->number)) {
        w->why = "a key is too long";
        return CRD_OUTCOME_FAILED;
    }
    old = kind == CRD_KIND_CUSTOMER ? step->customer->record : crd__memory_item(step->customer, &name);
    if (inserts && old != NULL) return CRD_OUTCOME_EXISTS;
    if (!inserts) {
        if (old == NULL) return memory_missing(w);
        if (old->state & CRD__CLAIMED_BIT) {
            w->why = "a record is updated twice in one batch";
            return CRD_OUTCOME_FAILED;
        }
        old->state |= CRD__CLAIMED_BIT;
        step->old = old;
    }
    step->fresh = make_item(w->m, &name, record, step->old);
    if (step->fresh == NULL) return CRD_OUTCOME_FAILED;
    if (before != NULL && before->fresh != NULL && before->customer == step->customer &&
        same_item(before->fresh, step->fresh))
        return CRD_OUTCOME_EXISTS;
    step->fresh->state = at->state;
    if (CRD__SHELVED >> kind & 1) {
        step->account = crd__memory_account_make(w->m, step->customer, at->currency);
        if (step->account == NULL) return CRD_OUTCOME_FAILED;
        step->fresh->account = step->account;
        if ((step->old == NULL || step->old->account != step->account) &&
            !crd__memory_shelf_stage(w->m, step->account))
            return CRD_OUTCOME_FAILED;
    }
    if (step->old == NULL && kind != CRD_KIND_CUSTOMER && !crd__memory_item_stage(w->m, step->customer))
        return CRD_OUTCOME_FAILED;
    return CRD_OUTCOME_DONE;
}

static int32_t stage_account(memory_writer *w, const address *at, int inserts, crd__step *step,
                             const crd__step *before) {
    step->account = inserts ? crd__memory_account_make(w->m, step->customer, at->currency)
                            : crd__memory_account(step->customer, at->currency);
    if (step->account == NULL) return inserts ? CRD_OUTCOME_FAILED : memory_missing(w);
    if (!inserts && step->account->record.struct_size == 0) return memory_missing(w);
    if (inserts && (step->account->record.struct_size != 0 || (before != NULL && before->account == step->account)))
        return CRD_OUTCOME_EXISTS;
    return CRD_OUTCOME_DONE;
}

/* How many entries of the same account follow in the batch: they are neighbours. */
static uint64_t entries_to_come(memory_writer *w, const address *at) {
    const crd_batch *batch = w->batch;
    if (w->run_end < w->staged) {
        for (w->run_end = w->staged; w->run_end < batch->change_count; w->run_end++) {
            const crd_entry_record *entry = batch->changes[w->run_end]->record;
            if (batch->changes[w->run_end]->kind != CRD_KIND_ENTRY || entry == NULL ||
                strcmp(memory_write_or_empty(entry->customer), at->customer) != 0 ||
                strcmp(memory_write_or_empty(entry->currency), at->currency) != 0)
                break;
        }
    }
    return w->run_end - w->staged;
}

static int32_t stage_entry(memory_writer *w, const address *at, int inserts, const crd__any *record, int lasts,
                           crd__step *step) {
    int32_t outcome;
    step->account = crd__memory_account_make(w->m, step->customer, at->currency);
    if (step->account == NULL) return CRD_OUTCOME_FAILED;
    if (!inserts) {
        w->why = "a journal entry is never changed";
        return CRD_OUTCOME_FAILED;
    }
    outcome = crd__memory_entry_stage(w->m, step->account, &record->entry, entries_to_come(w, at), &w->why);
    if (!lasts) step->account->journal.previous = NULL;
    return outcome;
}

/* The record of a change, or in `space` a copy with what it lacks; NULL when it is none. */
static const crd__any *memory_whole(const crd_change *change, crd__any *space) {
    uint32_t size, known = 0;
    if (crd_record_fields(change->kind, NULL, &known) == NULL || change->record == NULL) return NULL;
    memcpy(&size, change->record, sizeof size);
    if (size >= known) return change->record;
    if (size < sizeof size) return NULL;
    memset(space, 0, sizeof *space);
    memcpy(space, change->record, size);
    memcpy(space, &known, sizeof known);
    return space;
}

static int32_t stage(memory_writer *w, const crd_change *change, crd__step *step, const crd__step *before) {
    int inserts = change->operation == CRD_CHANGE_INSERT;
    crd__any space;
    const crd__any *record = memory_whole(change, &space);
    address at;
    memset(step, 0, sizeof *step);
    if (record == NULL || (!inserts && change->operation != CRD_CHANGE_UPDATE)) {
        w->why = "a change of unknown kind or operation";
        return CRD_OUTCOME_FAILED;
    }
    memory_look(&at, change->kind, record);
    if (w->customer == NULL || strcmp(w->customer->name, at.customer) != 0) {
        w->customer = inserts ? crd__memory_customer_make(w->m, at.customer)
                              : crd__memory_customer(w->m, at.customer);
        if (w->customer == NULL) return inserts ? CRD_OUTCOME_FAILED : memory_missing(w);
    }
    step->customer = w->customer;
    switch (change->kind) {
    case CRD_KIND_ACCOUNT: return stage_account(w, &at, inserts, step, before);
    case CRD_KIND_ENTRY: return stage_entry(w, &at, inserts, record, record != &space, step);
    default: return stage_item(w, change->kind, &at, inserts, record, step, before);
    }
}

/* Keeps what the library needs of an account record: the texts are those of its place. */
static void publish_account(crd__holder *account, const crd_change *change) {
    crd__any space;
    account->record = memory_whole(change, &space)->account;
    account->record.struct_size = sizeof account->record;
    account->record.customer = account->owner->name;
    account->record.currency = account->currency;
}

static void publish(memory_writer *w) {
    crd_memory *m = w->m;
    for (uint64_t i = 0; i < w->staged; i++) {
        const crd_change *change = w->batch->changes[i];
        crd__step *step = &m->steps[i];
        if (step->customer == NULL) continue;
        if (change->kind == CRD_KIND_ACCOUNT) {
            publish_account(step->account, change);
        } else if (change->kind == CRD_KIND_ENTRY) {
            crd__memory_journal_publish(&step->account->journal);
        } else if (change->kind == CRD_KIND_CUSTOMER) {
            step->customer->record = step->fresh;
        } else {
            crd__memory_item_publish(step->customer, step->fresh, step->old);
        }
        if (step->old != NULL) crd__memory_give(m, step->old, step->old->capacity);
    }
}

static void memory_undo(memory_writer *w) {
    crd_memory *m = w->m;
    for (uint64_t i = 0; i < w->staged; i++) {
        crd__step *step = &m->steps[i];
        if (step->customer == NULL) continue;
        step->customer->staged = 0;
        if (step->account != NULL) {
            step->account->staged = 0;
            crd__memory_journal_undo(m, &step->account->journal);
        }
        if (step->old != NULL) step->old->state &= (uint8_t)~CRD__CLAIMED_BIT;
        if (step->fresh != NULL) crd__memory_give(m, step->fresh, step->fresh->capacity);
    }
}

static int steps_room(crd_memory *m, uint64_t count) {
    uint64_t size = count * sizeof *m->steps;
    if (size <= m->steps_size) return 1;
    crd__memory_give(m, m->steps, m->steps_size);
    m->steps = crd__memory_take(m, size);
    m->steps_size = m->steps != NULL ? size : 0;
    return m->steps != NULL;
}

static int32_t memory_write_all(memory_writer *w) {
    const crd_batch *batch = w->batch;
    crd_memory *m = w->m;
    const crd__step *before = NULL;
    int32_t outcome = memory_check_guards(w);
    if (outcome != CRD_OUTCOME_DONE) return outcome;
    if (batch->change_count > UINT32_MAX || !steps_room(m, batch->change_count)) return CRD_OUTCOME_FAILED;
    for (uint64_t i = 0; i < batch->change_count && outcome == CRD_OUTCOME_DONE; i++) {
        crd__step *step = &m->steps[i];
        w->staged = i + 1;
        if (w->out->failed_count > 0 && memory_group_failed(w, batch->changes[i]->group)) {
            step->customer = NULL;
            continue;
        }
        outcome = stage(w, batch->changes[i], step, before);
        if (outcome == CRD_OUTCOME_EXISTS) w->out->exists = i;
        before = step;
    }
    if (outcome == CRD_OUTCOME_DONE) {
        publish(w);
    } else {
        memory_undo(w);
        w->out->failed_count = 0;
    }
    if (m->steps_size > KEPT_STEPS) {
        crd__memory_give(m, m->steps, m->steps_size);
        m->steps = NULL;
        m->steps_size = 0;
    }
    return outcome;
}

void CRD_CALL crd__memory_write(void *ctx, const crd_batch *batch, crd_write_result *out) {
    memory_writer w;
    memset(&w, 0, sizeof w);
    w.m = ctx;
    w.batch = batch;
    w.out = out;
    w.why = "out of memory";
    out->failed_count = 0;
    out->outcome = memory_write_all(&w);
    if (out->outcome == CRD_OUTCOME_FAILED) memcpy(out->host_text, w.why, strlen(w.why) + 1);
    out->proof = batch->proof;
}
