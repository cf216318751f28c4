/*
 * Claims about writing (W).
 */
#include "testkit_private.h"

#include <string.h>

#define KEPT (CRD__TK_MISSING | CRD__TK_STRANGE | CRD__TK_DIFFERENT)

/* An account with one entry and one document of each kind, all of one id. */
static void add_one_of_each(crd__tk_batch *b, const char *customer, const char *currency, const char *id,
                            uint32_t group) {
    crd__tk_any r;
    const crd_account_record *account = crd__tk_command(b, customer, currency, group, 1);
    for (uint32_t kind = CRD_KIND_CUSTOMER; kind < CRD_KIND_COUNT; kind++) {
        if (kind == CRD_KIND_ENTRY || (kind == CRD_KIND_CUSTOMER && currency[0] != '\0')) continue;
        crd__tk_make(b->t, &r, kind, customer, currency, id, account->last_seq);
        crd__tk_change(b, &r, kind)->group = group;
    }
}

/* Two accounts of one customer, with everything in them. */
static int small_book(crd__tk *t) {
    crd__tk_batch b;
    crd__tk_any r;
    crd__tk_batch_open(t, &b, 3, 40);
    add_one_of_each(&b, "c1", "EUR", "d1", 0);
    (void)crd__tk_command(&b, "c1", "", 0, 1);
    crd__tk_make(t, &r, CRD_KIND_CUSTOMER, "c1", "", "", 1);
    crd__tk_change(&b, &r, CRD_KIND_CUSTOMER);
    add_one_of_each(&b, "c2", "USD", "d1", 0);
    return crd__tk_write_done(&b);
}

static void add(crd__tk_batch *b, uint32_t kind, const char *customer, const char *currency, const char *id,
                uint32_t group) {
    crd__tk_any r;
    crd__tk_make(b->t, &r, kind, customer, currency, id, 1);
    crd__tk_change(b, &r, kind)->group = group;
}

/* A guard that cannot hold, on an account that is there. */
static void spoil(crd_guard *guard) {
    guard->version ^= 2;
}

static void w1_proof(crd__tk *t) {
    static const uint64_t proofs[] = {UINT64_MAX - 9, UINT64_C(1) << 63, UINT64_C(0x20000000000001), UINT32_MAX, 0};
    for (int i = 0; i < 5; i++) {
        crd__tk_batch b;
        crd__tk_batch_open(t, &b, 2, 10);
        (void)crd__tk_command(&b, crd__tk_label(t, "c", i), "EUR", 0, 1);
        b.failed[0] = b.failed[1] = b.failed[2] = 77;
        if (proofs[i] != 0) t->proof = proofs[i];
        if (!crd__tk_write_done(&b)) return;
        crd__tk_check(t, b.result.failed_count == 0, "the batch is done, and yet failed guards are listed");
        crd__tk_check(t, b.result.struct_size == sizeof b.result, "the result block's struct_size was changed");
        crd__tk_check(t, b.result.failed == b.failed, "the list of failed guards that the library lent was replaced");
        crd__tk_check(t, b.failed[1] == 77 && b.failed[2] == 77, "more was written to `failed` than there are guards");
    }
}

static void w2_done_is_kept(crd__tk *t) {
    if (small_book(t)) crd__tk_compare(t, CRD__TK_MISSING | CRD__TK_STRANGE);
    if (crd__tk_book(t)) crd__tk_compare(t, CRD__TK_MISSING | CRD__TK_STRANGE);
}

/* Every field but the key set to zero or "". */
static void clear_fields(uint32_t kind, crd__tk_any *r) {
    uint64_t count = 0;
    const crd_field *const *fields = crd_record_fields(kind, &count, NULL);
    crd__tk_any empty;
    crd__tk_empty(kind, &empty);
    for (uint64_t i = 0; i < count; i++) {
        uint32_t from = fields[i]->offset;
        size_t size = fields[i]->type == CRD_FIELD_HASH ? 32
                      : fields[i]->type == CRD_FIELD_TEXT || fields[i]->type == CRD_FIELD_BYTES
                          ? sizeof(void *)
                      : fields[i]->type <= CRD_FIELD_DATE ? 4
                                                          : 8;
        if ((fields[i]->flags & CRD_FIELD_KEY) || strcmp(fields[i]->name, "currency") == 0) continue;
        memcpy((char *)r + from, (char *)&empty + from, size);
        if (fields[i]->type == CRD_FIELD_BYTES) memset((char *)r + fields[i]->size_offset, 0, 8);
    }
}

static void w3_update_replaces(crd__tk *t) {
    static const uint32_t kinds[] = {CRD_KIND_CUSTOMER, CRD_KIND_CREDIT, CRD_KIND_INVOICE,
                                     CRD_KIND_RECEIPT,  CRD_KIND_HOLD,   CRD_KIND_LINE};
    if (!small_book(t)) return;
    for (int i = 0; i < 6; i++) {
        crd__tk_batch b;
        crd__tk_any r;
        crd__tk_batch_open(t, &b, 2, 6);
        (void)crd__tk_command(&b, "c1", kinds[i] == CRD_KIND_CUSTOMER ? "" : "EUR", 0, 1);
        crd__tk_make(t, &r, kinds[i], "c1", "EUR", "d1", 2);
        clear_fields(kinds[i], &r);
        crd__tk_change(&b, &r, kinds[i]);
        if (crd__tk_write_done(&b)) crd__tk_compare(t, CRD__TK_DIFFERENT | CRD__TK_MISSING);
        crd__tk_batch_open(t, &b, 2, 6);
        (void)crd__tk_command(&b, "c1", kinds[i] == CRD_KIND_CUSTOMER ? "" : "EUR", 0, 1);
        add(&b, kinds[i], "c1", "EUR", "d1", 0);
        if (crd__tk_write_done(&b)) crd__tk_compare(t, CRD__TK_DIFFERENT | CRD__TK_MISSING);
    }
}

/* Everything of a batch, with one thing in it that must stop it. */
static void begin_doomed(crd__tk *t, crd__tk_batch *b) {
    crd__tk_batch_open(t, b, 4, 60);
    add_one_of_each(b, "c1", "EUR", "d2", 0);
    add_one_of_each(b, "c0", "EUR", "d1", 0);
    (void)crd__tk_command(b, "c2", "USD", 0, 1);
    add(b, CRD_KIND_CREDIT, "c2", "USD", "d1", 0);
}

static void w4_conflict_keeps_nothing(crd__tk *t) {
    for (int which = 0; which < 3; which++) {
        crd__tk_batch b;
        if (which == 0 && !small_book(t)) return;
        begin_doomed(t, &b);
        spoil(b.guards[which]);
        if (crd__tk_write_is(&b, CRD_OUTCOME_CONFLICT, "one guard of three has another version"))
            crd__tk_compare(t, KEPT);
    }
}

static void w5_exists_keeps_nothing(crd__tk *t) {
    static const uint32_t kinds[] = {CRD_KIND_CREDIT, CRD_KIND_LINE, CRD_KIND_ENTRY, CRD_KIND_REQUEST};
    if (!small_book(t)) return;
    for (int i = 0; i < 4; i++) {
        crd__tk_batch b;
        crd__tk_any r;
        crd_change *change;
        begin_doomed(t, &b);
        crd__tk_make(t, &r, kinds[i], "c2", "USD", "d1", 1);
        change = crd__tk_change(&b, &r, kinds[i]);
        change->operation = CRD_CHANGE_INSERT;
        if (kinds[i] == CRD_KIND_CREDIT) { /* instead of the update of that credit */
            for (uint64_t n = 0; n + 1 < b.batch.change_count; n++)
                if (b.changes[n]->kind == CRD_KIND_CREDIT && strcmp(crd__tk_customer(CRD_KIND_CREDIT,
                                                                    b.changes[n]->record), "c2") == 0)
                    b.changes[n] = b.changes[--b.batch.change_count];
        }
        if (crd__tk_write_is(&b, CRD_OUTCOME_EXISTS, "one change inserts a key that exists")) crd__tk_compare(t, KEPT);
    }
}

static void w6_missing_keeps_nothing(crd__tk *t) {
    crd__tk_batch b;
    crd__tk_any r;
    int32_t outcome;
    if (!small_book(t)) return;
    begin_doomed(t, &b);
    crd__tk_make(t, &r, CRD_KIND_HOLD, "c2", "USD", "nowhere", 1);
    crd__tk_change(&b, &r, CRD_KIND_HOLD)->operation = CRD_CHANGE_UPDATE;
    outcome = crd__tk_write(&b);
    if (crd__tk_check(t, outcome == CRD_OUTCOME_FAILED || outcome == CRD_OUTCOME_CONFLICT,
                      "a batch that updates a record which does not exist was not answered \"failed\""))
        crd__tk_compare(t, KEPT);
}

static void w7_every_failed_guard(crd__tk *t) {
    crd__tk_batch b;
    static const int patterns[] = {0x01, 0x20, 0x15, 0x2a, 0x3f};
    crd__tk_batch_open(t, &b, 6, 30);
    for (int i = 0; i < 6; i++) (void)crd__tk_command(&b, crd__tk_label(t, "c", i), "EUR", 0, 1);
    if (!crd__tk_write_done(&b)) return;
    for (int p = 0; p < 5; p++) {
        uint64_t listed = 0;
        crd__tk_batch_open(t, &b, 6, 30);
        for (int i = 0; i < 6; i++) {
            (void)crd__tk_command(&b, crd__tk_label(t, "c", i), "EUR", 0, 1);
            if (patterns[p] >> i & 1) spoil(b.guards[i]);
        }
        if (!crd__tk_write_is(&b, CRD_OUTCOME_CONFLICT, "some of six guards have another version")) continue;
        for (uint64_t i = 0; i < 6; i++) {
            crd__tk_text text;
            if (!(patterns[p] >> i & 1)) continue;
            if (listed < b.result.failed_count && b.failed[listed] == i) {
                listed++;
                continue;
            }
            crd__tk_clear(&text);
            crd__tk_say(&text, "guard % of 6 failed and is not listed in its place (% are listed)", (int64_t)i,
                        (int64_t)b.result.failed_count);
            crd__tk_fail_text(t, &text);
            break;
        }
        crd__tk_check(t, listed >= b.result.failed_count || listed == 0, "a guard is listed that did not fail");
    }
}

static void w8_version_zero(crd__tk *t) {
    crd__tk_batch b;
    if (!small_book(t)) return;
    crd__tk_batch_open(t, &b, 1, 8);
    (void)crd__tk_command(&b, "c3", "EUR", 0, 1);
    crd__tk_write_is(&b, CRD_OUTCOME_DONE, "a guard of version 0, and no such account");
    crd__tk_batch_open(t, &b, 1, 8);
    (void)crd__tk_command(&b, "c1", "EUR", 0, 1);
    b.guards[0]->version = 0;
    crd__tk_write_is(&b, CRD_OUTCOME_CONFLICT, "a guard of version 0, and the account exists");
    crd__tk_batch_open(t, &b, 1, 8);
    (void)crd__tk_command(&b, "c4", "EUR", 0, 1);
    b.guards[0]->version = 5;
    crd__tk_write_is(&b, CRD_OUTCOME_CONFLICT, "a guard of version 5, and no such account");
    crd__tk_batch_open(t, &b, 1, 8);
    (void)crd__tk_command(&b, "c1", "USD", 0, 1);
    crd__tk_write_is(&b, CRD_OUTCOME_DONE, "a guard of version 0, and only another currency of that customer exists");
}

/* Versions use 63 bits: near ones differ by the last, far ones by the first. */
static void w9_whole_versions(crd__tk *t) {
    static const int64_t flips[] = {1, INT64_C(1) << 32, INT64_C(1) << 62, 3};
    for (int i = 0; i < 4; i++) {
        crd__tk_batch b;
        const char *customer = crd__tk_label(t, "c", i);
        crd_account_record *account;
        crd__tk_batch_open(t, &b, 1, 8);
        account = crd__tk_command(&b, customer, "EUR", 0, 1);
        memset(account->last_hash, 0xfe, 8);
        account->version = crd_entry_version(account->last_hash);
        b.guards[0]->new_version = account->version;
        if (!crd__tk_write_done(&b)) return;
        crd__tk_batch_open(t, &b, 1, 8);
        (void)crd__tk_command(&b, customer, "EUR", 0, 1);
        b.guards[0]->version ^= flips[i];
        crd__tk_write_is(&b, CRD_OUTCOME_CONFLICT, "a guard's version differs from the account's in one bit");
        crd__tk_batch_open(t, &b, 1, 8);
        (void)crd__tk_command(&b, customer, "EUR", 0, 1);
        crd__tk_write_is(&b, CRD_OUTCOME_DONE, "a guard's version is the account's, all 63 bits");
    }
}

static void w10_guarded_only(crd__tk *t) {
    for (int spoiled = 0; spoiled < 2; spoiled++) {
        crd__tk_batch b;
        if (spoiled == 0 && !small_book(t)) return;
        crd__tk_batch_open(t, &b, 2, 8);
        (void)crd__tk_command(&b, "c2", "USD", 0, 1);
        (void)crd__tk_guard(&b, "c1", "EUR", crd__tk_version(t, "c1", "EUR"));
        if (spoiled) {
            b.guards[1]->version ^= 4;
            b.guards[1]->new_version ^= 4;
        }
        crd__tk_write_is(&b, spoiled ? CRD_OUTCOME_CONFLICT : CRD_OUTCOME_DONE,
                         spoiled ? "the account that is only guarded has another version"
                                 : "the account that is only guarded has its version");
        crd__tk_compare(t, KEPT);
    }
}

static void w11_insert_inserts(crd__tk *t) {
    if (!small_book(t)) return;
    for (uint32_t kind = CRD_KIND_CUSTOMER; kind < CRD_KIND_COUNT; kind++) {
        const char *currency = kind == CRD_KIND_CUSTOMER ? "" : "EUR";
        crd__tk_text because;
        crd__tk_batch b;
        crd__tk_any r;
        crd_change *change;
        crd__tk_batch_open(t, &b, 2, 8);
        (void)crd__tk_command(&b, "c1", currency, 0, 1);
        crd__tk_make(t, &r, kind, "c1", currency, "d1", 1);
        change = crd__tk_change(&b, &r, kind);
        change->operation = CRD_CHANGE_INSERT;
        crd__tk_clear(&because);
        crd__tk_add(&because, "inserted again: ");
        crd__tk_name(&because, kind, &r);
        if (!crd__tk_write_is(&b, CRD_OUTCOME_EXISTS, because.text)) continue;
        crd__tk_check(t, b.result.exists < b.batch.change_count && b.changes[b.result.exists] == change,
                      "`exists` does not tell the change whose key exists");
    }
}

/* Writes over all that a batch pointed to. */
static void scribble(crd__tk_batch *b) {
    for (uint64_t i = 0; i < b->batch.change_count; i++) {
        uint32_t kind = b->changes[i]->kind;
        uint64_t count = 0;
        const crd_field *const *fields = crd_record_fields(kind, &count, NULL);
        crd__tk_any *r = crd__tk_copy(kind, b->changes[i]->record,
                                      crd__tk_take(b->t, crd__tk_copy_size(kind, b->changes[i]->record)));
        crd__tk_any *old;
        memcpy(&old, &b->changes[i]->record, sizeof old);
        for (uint64_t f = 0; f < count; f++) {
            char *text;
            memcpy(&text, (char *)r + fields[f]->offset, sizeof text);
            if (fields[f]->type == CRD_FIELD_TEXT) {
                memcpy(&text, (char *)old + fields[f]->offset, sizeof text);
                if (text != NULL && text[0] != '\0') memset(text, '#', strlen(text));
            } else if (fields[f]->type == CRD_FIELD_MINOR) {
                memset((char *)old + fields[f]->offset, 0x11, 8);
            }
        }
    }
}

/* Records whose texts can be written over: copies of their own. */
static void own_texts(crd__tk_batch *b) {
    for (uint64_t i = 0; i < b->batch.change_count; i++) {
        uint32_t kind = b->changes[i]->kind;
        const void *record = b->changes[i]->record;
        b->changes[i]->record = crd__tk_copy(kind, record, crd__tk_take(b->t, crd__tk_copy_size(kind, record)));
    }
}

static void w12_batch_is_borrowed(crd__tk *t) {
    crd__tk_batch b;
    crd__tk_batch_open(t, &b, 2, 20);
    add_one_of_each(&b, "c1", "EUR", "d1", 0);
    own_texts(&b);
    if (!crd__tk_write_done(&b)) return;
    scribble(&b);
    crd__tk_compare(t, KEPT);
}

static void w13_update_updates(crd__tk *t) {
    if (!small_book(t)) return;
    for (uint32_t kind = CRD_KIND_CUSTOMER; kind < CRD_KIND_ENTRY; kind++) {
        crd__tk_text because;
        crd__tk_batch b;
        crd__tk_any r;
        crd__tk_batch_open(t, &b, 2, 8);
        (void)crd__tk_command(&b, "c2", kind == CRD_KIND_CUSTOMER ? "" : "USD", 0, 1);
        crd__tk_make(t, &r, kind, "c2", "USD", "nowhere", 2);
        crd__tk_change(&b, &r, kind)->operation = CRD_CHANGE_UPDATE;
        crd__tk_clear(&because);
        crd__tk_add(&because, "updated, but there is no ");
        crd__tk_name(&because, kind, &r);
        crd__tk_write_is(&b, CRD_OUTCOME_FAILED, because.text);
        crd__tk_compare(t, CRD__TK_STRANGE);
    }
}

static void w14_one_id_over_currencies(crd__tk *t) {
    static const uint32_t kinds[] = {CRD_KIND_CREDIT, CRD_KIND_INVOICE, CRD_KIND_RECEIPT,
                                     CRD_KIND_HOLD,   CRD_KIND_LINE,    CRD_KIND_REQUEST};
    if (!small_book(t)) return;
    for (int i = 0; i < 6; i++) {
        crd__tk_text because;
        crd__tk_batch b;
        crd__tk_any r;
        crd__tk_batch_open(t, &b, 2, 8);
        (void)crd__tk_command(&b, "c1", "JPY", 0, 1);
        crd__tk_make(t, &r, kinds[i], "c1", "JPY", "d1", 1);
        crd__tk_change(&b, &r, kinds[i])->operation = CRD_CHANGE_INSERT;
        crd__tk_clear(&because);
        crd__tk_add(&because, "inserted in JPY, while it exists in EUR: ");
        crd__tk_name(&because, kinds[i], &r);
        crd__tk_write_is(&b, CRD_OUTCOME_EXISTS, because.text);
    }
}

static void w15_same_id_elsewhere(crd__tk *t) {
    static const uint32_t kinds[] = {CRD_KIND_CREDIT, CRD_KIND_INVOICE, CRD_KIND_RECEIPT, CRD_KIND_HOLD};
    crd__tk_batch b;
    crd__tk_any r;
    for (int i = 0; i < 4; i++) {
        crd__tk_batch_open(t, &b, 2, 8);
        (void)crd__tk_command(&b, "c1", "EUR", 0, 1);
        add(&b, kinds[i], "c1", "EUR", "1", 0);
        add(&b, kinds[i], "c1", "EUR", "11", 0);
        if (!crd__tk_write_is(&b, CRD_OUTCOME_DONE, "an id that other kinds of document use is free")) return;
        crd__tk_batch_open(t, &b, 2, 8);
        (void)crd__tk_command(&b, "c11", "EUR", 0, 1);
        add(&b, kinds[i], "c11", "EUR", "1", 0);
        add(&b, kinds[i], "c11", "EUR", "", 0);
        if (!crd__tk_write_is(&b, CRD_OUTCOME_DONE, "an id that another customer uses is free")) return;
    }
    crd__tk_batch_open(t, &b, 2, 20);
    (void)crd__tk_command(&b, "c1", "EUR", 0, 1);
    for (int i = 0; i < 6; i++) {
        crd__tk_make(t, &r, CRD_KIND_LINE, "c1", "EUR", i % 2 ? "1" : "11", 1);
        r.line.document_kind = i / 2 == 0 ? CRD_KIND_CREDIT : CRD_KIND_INVOICE;
        r.line.number = i / 2 == 2 ? 11 : 1;
        crd__tk_change(&b, &r, CRD_KIND_LINE);
    }
    if (!crd__tk_write_is(&b, CRD_OUTCOME_DONE, "lines differ by document, its kind, and number")) return;
    crd__tk_batch_open(t, &b, 2, 8); /* an update means the one it names */
    (void)crd__tk_command(&b, "c1", "EUR", 0, 1);
    crd__tk_make(t, &r, CRD_KIND_CREDIT, "c1", "EUR", "1", 2);
    r.credit.remaining = 1;
    crd__tk_change(&b, &r, CRD_KIND_CREDIT);
    if (crd__tk_write_done(&b)) crd__tk_compare(t, KEPT);
}

static void w16_independent(crd__tk *t) {
    static const int patterns[] = {0, 0x2, 0x5, 0xe, 0xf};
    for (int p = 0; p < 5; p++) {
        crd__tk_batch b;
        int32_t outcome;
        crd__tk_batch_open(t, &b, 8, 60);
        b.batch.flags = CRD_BATCH_INDEPENDENT;
        for (uint32_t g = 0; g < 4; g++) { /* of two accounts each, of which the second may fail */
            const char *customer = crd__tk_label(t, "c", g);
            add_one_of_each(&b, customer, "EUR", crd__tk_label(t, "d", p), 10 + g);
            (void)crd__tk_command(&b, customer, "USD", 10 + g, 1);
            if (patterns[p] >> g & 1) spoil(b.guards[b.batch.guard_count - 1]);
        }
        outcome = crd__tk_write(&b);
        if (outcome == CRD_OUTCOME_CONFLICT && patterns[p] != 0) {
            crd__tk_compare(t, KEPT);
            continue;
        }
        if (!crd__tk_check(t, outcome == CRD_OUTCOME_DONE,
                           "an independent batch was answered neither \"done\" nor, with failed guards, \"conflict\""))
            continue;
        for (uint64_t i = 0, listed = 0; i < b.batch.guard_count; i++) {
            int failed = i % 2 == 1 && (patterns[p] >> (b.guards[i]->group - 10) & 1);
            int named = listed < b.result.failed_count && b.failed[listed] == i;
            listed += (uint64_t)named;
            if (!crd__tk_check(t, failed == named, failed ? "a guard of an independent batch failed and is not listed"
                                                          : "a guard that holds is listed as failed"))
                break;
        }
        crd__tk_compare(t, KEPT);
    }
}

static void w17_groups_count_only_then(crd__tk *t) {
    crd__tk_batch b;
    if (!small_book(t)) return;
    crd__tk_batch_open(t, &b, 4, 40);
    add_one_of_each(&b, "c1", "EUR", "d2", 1);
    add_one_of_each(&b, "c2", "USD", "d2", 2);
    spoil(b.guards[1]);
    if (crd__tk_write_is(&b, CRD_OUTCOME_CONFLICT, "a batch that is not independent, with one failed guard"))
        crd__tk_compare(t, KEPT);
}

static void w18_at_most_once(crd__tk *t) {
    crd__tk_batch b;
    if (!small_book(t)) return;
    crd__tk_batch_open(t, &b, 2, 40);
    add_one_of_each(&b, "c1", "EUR", "d2", 0);
    if (!crd__tk_write_done(&b)) return;
    crd__tk_write_is(&b, CRD_OUTCOME_CONFLICT, "the identical batch, written a second time");
    crd__tk_compare(t, KEPT);
}

static void w19_guards_alone(crd__tk *t) {
    crd__tk_batch b;
    if (!small_book(t)) return;
    crd__tk_batch_open(t, &b, 2, 1);
    (void)crd__tk_guard(&b, "c1", "EUR", crd__tk_version(t, "c1", "EUR"));
    (void)crd__tk_guard(&b, "nobody", "EUR", 0);
    crd__tk_write_is(&b, CRD_OUTCOME_DONE, "a batch of guards alone, which hold");
    spoil(b.guards[0]);
    crd__tk_write_is(&b, CRD_OUTCOME_CONFLICT, "a batch of guards alone, one of which does not hold");
    crd__tk_compare(t, KEPT);
}

static void w20_goes_on(crd__tk *t) {
    if (!small_book(t)) return;
    for (int i = 0; i < 9; i++) {
        crd__tk_batch b;
        crd__tk_any r;
        crd__tk_batch_open(t, &b, 2, 30);
        add_one_of_each(&b, "c1", "EUR", crd__tk_label(t, "n", i), 0);
        crd__tk_make(t, &r, CRD_KIND_RECEIPT, "c1", "EUR", i % 3 == 1 ? "d1" : "nowhere", 1);
        if (i % 3 == 0) spoil(b.guards[0]);
        if (i % 3 == 1) crd__tk_change(&b, &r, CRD_KIND_RECEIPT)->operation = CRD_CHANGE_INSERT;
        if (i % 3 == 2) crd__tk_change(&b, &r, CRD_KIND_RECEIPT)->operation = CRD_CHANGE_UPDATE;
        crd__tk_check(t, crd__tk_write(&b) != CRD_OUTCOME_DONE, "a batch that cannot be kept was answered \"done\"");
        crd__tk_batch_open(t, &b, 2, 30);
        add_one_of_each(&b, "c1", "EUR", crd__tk_label(t, "n", i), 0);
        if (!crd__tk_write_is(&b, CRD_OUTCOME_DONE, "the next batch, after one that was refused")) return;
        crd__tk_compare(t, CRD__TK_MISSING);
    }
}

static void w21_largest(crd__tk *t) {
    crd__tk_batch b;
    enum { EACH = CRD_MAX_CHANGES / CRD_MAX_ACCOUNTS };
    crd__tk_batch_open(t, &b, CRD_MAX_ACCOUNTS, CRD_MAX_CHANGES);
    for (int i = 0; i < CRD_MAX_ACCOUNTS && !t->nomem; i++) {
        const char *customer = crd__tk_label(t, "c", 10000 + i);
        (void)crd__tk_command(&b, customer, "EUR", 0, EACH - 41);
        for (int j = 0; j < 40; j++)
            add(&b, j % 2 ? CRD_KIND_CREDIT : CRD_KIND_INVOICE, customer, "EUR", crd__tk_label(t, "d", 10 + j / 2), 0);
    }
    if (crd__tk_write_is(&b, CRD_OUTCOME_DONE, "1024 accounts and 65536 changes, the most a batch may have"))
        crd__tk_compare(t, CRD__TK_MISSING);
}

static void w22_guards_before_all(crd__tk *t) {
    crd__tk_batch b;
    crd__tk_any r;
    if (!small_book(t)) return;
    crd__tk_batch_open(t, &b, 3, 20);
    (void)crd__tk_command(&b, "c1", "EUR", 0, 1);
    (void)crd__tk_command(&b, "c2", "USD", 0, 1);
    crd__tk_make(t, &r, CRD_KIND_CREDIT, "c1", "EUR", "d1", 1);
    crd__tk_change(&b, &r, CRD_KIND_CREDIT)->operation = CRD_CHANGE_INSERT;
    spoil(b.guards[1]);
    crd__tk_write_is(&b, CRD_OUTCOME_CONFLICT, "a guard failed, and a key to be inserted exists as well");
    crd__tk_batch_open(t, &b, 3, 20);
    (void)crd__tk_command(&b, "c2", "USD", 0, 1);
    crd__tk_make(t, &r, CRD_KIND_CREDIT, "c2", "USD", "nowhere", 1);
    crd__tk_change(&b, &r, CRD_KIND_CREDIT)->operation = CRD_CHANGE_UPDATE;
    spoil(b.guards[0]);
    crd__tk_write_is(&b, CRD_OUTCOME_CONFLICT, "a guard failed, and a record to be updated does not exist either");
}

static void draw_group(crd__tk *t, crd__tk_batch *b, uint32_t group) {
    const char *customer = crd__tk_customers[crd__tk_next(t, 7)], *currency = crd__tk_currencies[crd__tk_next(t, 3)];
    uint64_t documents = crd__tk_next(t, 6);
    const crd_account_record *account;
    for (uint64_t i = 0; i < b->batch.guard_count; i++)
        if (strcmp(b->guards[i]->customer, customer) == 0) return;
    account = crd__tk_command(b, customer, currency, group, 1 + (uint32_t)crd__tk_next(t, 3));
    if (crd__tk_next(t, 6) == 0) spoil(b->guards[b->batch.guard_count - 1]);
    for (uint64_t i = 0; i < documents; i++) {
        uint32_t kind = CRD_KIND_CREDIT + (uint32_t)crd__tk_next(t, 5);
        crd__tk_any r;
        crd__tk_row *row;
        int again = 0;
        crd__tk_make(t, &r, kind, customer, currency, crd__tk_label(t, currency, (int64_t)crd__tk_next(t, 5)),
                     account->last_seq);
        if (kind == CRD_KIND_CREDIT) r.credit.remaining = (int64_t)crd__tk_next(t, 3000);
        row = crd__tk_find(t, kind, &r);
        for (uint64_t n = 0; n < b->batch.change_count; n++)
            again |= b->changes[n]->kind == kind &&
                     strcmp(crd__tk_customer(kind, b->changes[n]->record), customer) == 0 &&
                     strcmp(crd__tk_id(kind, b->changes[n]->record), crd__tk_id(kind, &r)) == 0;
        if (again) continue;
        crd__tk_change(b, &r, kind)->group = group;
        (void)row;
    }
}

static void w23_many_batches(crd__tk *t) {
    for (int round = 0; round < 120 && t->findings == 0; round++) {
        crd__tk_batch b;
        uint64_t failed = 0;
        int32_t outcome;
        crd__tk_batch_open(t, &b, 8, 120);
        if (crd__tk_next(t, 2)) b.batch.flags = CRD_BATCH_INDEPENDENT;
        for (uint32_t g = 0; g <= (uint32_t)round % 4; g++) draw_group(t, &b, g);
        for (uint64_t i = 0; i < b.batch.guard_count; i++)
            failed += b.guards[i]->version != crd__tk_version(t, b.guards[i]->customer, b.guards[i]->currency);
        outcome = crd__tk_write(&b);
        if (t->nomem) return;
        crd__tk_check(t, outcome == (failed > 0 ? CRD_OUTCOME_CONFLICT : CRD_OUTCOME_DONE) ||
                             (b.batch.flags != 0 && outcome == CRD_OUTCOME_DONE),
                      failed > 0 ? "a batch with a failed guard was not answered \"conflict\""
                                 : "a batch whose guards hold was not answered \"done\"");
        if (round % 10 == 9) crd__tk_compare(t, KEPT | CRD__TK_TWICE);
    }
}

#define CLAIM(id, needs, title, sentence, source, remedy, function)                                                    \
    { {sizeof(crd_testkit_claim), needs, id, title, sentence, source, remedy}, function }

const crd__tk_entry crd__tk_write_claims[] = {
    CLAIM("W1", 0, "a write proves that it finished",
          "A finished callback copies the number `proof` of its batch into the result, as the last thing it does.", "S9",
          "Set outcome, then proof, all 64 bits. Leave struct_size and `failed` alone, and write no more to `failed` "
          "than there are guards.", w1_proof),
    CLAIM("W2", 0, "what was done is kept", "A batch is kept whole or not at all.", "S5",
          "Keep every change of every kind before you answer done.", w2_done_is_kept),
    CLAIM("W3", 0, "an update replaces every field", "An update replaces every field.", "S8",
          "Write all columns, also those that became 0 or \"\"; do not merge with what is there.", w3_update_replaces),
    CLAIM("W4", 0, "a conflict keeps nothing", "A batch is kept whole or not at all; conflict: nothing kept.", "S5",
          "Check every guard before the first change, or roll the transaction back.", w4_conflict_keeps_nothing),
    CLAIM("W5", 0, "an existing key keeps nothing", "Inserting a key that exists fails the batch.", "S5, S7",
          "Roll back what was written before the change that failed.", w5_exists_keeps_nothing),
    CLAIM("W6", 0, "a missing record keeps nothing", "Updating one that does not exist fails the batch.", "S5, S7",
          "Count the rows an update changed; roll back when there was none.", w6_missing_keeps_nothing),
    CLAIM("W7", 0, "every failed guard is listed", "Every failed guard is listed, ascending.",
          "crd_write_result.failed", "Do not stop at the first guard that fails.", w7_every_failed_guard),
    CLAIM("W8", 0, "version 0: no such account", "0: the account must not exist.", "crd_guard.version",
          "A missing account has version 0; compare it like any other.", w8_version_zero),
    CLAIM("W9", 0, "versions are compared whole", "The version is the first 63 bits of a hash.", "crd_guard.version",
          "Compare as 64-bit integers: a double keeps 53 bits of it, a string comparison may round.",
          w9_whole_versions),
    CLAIM("W10", 0, "an account may only be guarded",
          "new_version is equal to version when the account is only guarded.", "crd_guard.new_version",
          "Check all guards, not only those whose accounts the batch changes; write nothing for the others.",
          w10_guarded_only),
    CLAIM("W11", 0, "insert inserts", "Inserting a key that exists fails the batch; `exists` tells which change.", "S7",
          "Insert with a plain INSERT, never \"insert or replace\"; a unique key for every kind.", w11_insert_inserts),
    CLAIM("W12", 0, "a batch is borrowed", "Strings and records passed to a callback are valid until it returns.",
          "storage.h", "Copy the texts, not the pointers.", w12_batch_is_borrowed),
    CLAIM("W13", 0, "update updates", "Updating a record that does not exist fails the batch.", "S7",
          "An update that finds nothing is \"failed\", not an insert and not nothing.", w13_update_updates),
    CLAIM("W14", 0, "an id is unique over currencies", "Key: customer, id (customer, request key).", "record.h",
          "The currency is no part of the key of a document, line or request.", w14_one_id_over_currencies),
    CLAIM("W15", 0, "the same id elsewhere is another record",
          "Key: customer, id; of a line: customer, document kind, document id, number.", "record.h",
          "Every field of the key counts, and keys are not glued together without a separator.", w15_same_id_elsewhere),
    CLAIM("W16", 0, "an independent batch",
          "A storage may keep those whose guards hold, answer done and list the failed guards of the others; or treat "
          "the batch as a whole.", "CRD_BATCH_INDEPENDENT",
          "All guards and changes of a group stand and fall together. To treat it as a whole is always right.",
          w16_independent),
    CLAIM("W17", 0, "groups count only there", "A batch is kept whole or not at all, except an independent one.", "S5",
          "Look at the flag before you look at groups.", w17_groups_count_only_then),
    CLAIM("W18", 0, "a batch lands once", "Its guards let it land at most once.", "storage.h",
          "The account of the batch must carry the new version when the batch is kept.", w18_at_most_once),
    CLAIM("W19", 0, "guards alone", "Guards: accounts and the versions they must still have.", "crd_batch",
          "A batch without changes is answered by its guards.", w19_guards_alone),
    CLAIM("W20", 0, "a refusal is not the end", "Nothing kept, and the host may go on.", "crd_write_result.outcome",
          "Roll back, reset statements, free what was staged: the next call finds the storage as after open.",
          w20_goes_on),
    CLAIM("W21", 0, "the largest batch", "At most CRD_MAX_ACCOUNTS guards and CRD_MAX_CHANGES changes.", "crd_batch",
          "No fixed arrays and no limit on bound parameters: write in pieces, in one transaction.", w21_largest),
    CLAIM("W22", 0, "guards first", "Every guard is checked before anything is written.", "S6",
          "Conflict goes before exists and failed.", w22_guards_before_all),
    CLAIM("W23", 0, "many batches", "A batch is kept whole or not at all.", "S5 to S8",
          "What fails here but in no other claim needs two batches to show: look at caches and at what a refused batch "
          "leaves behind.", w23_many_batches),
};
const uint64_t crd__tk_write_count = sizeof crd__tk_write_claims / sizeof crd__tk_write_claims[0];
