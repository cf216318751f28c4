/*
 * Claims about the table (T) and about reading (R).
 */
#include "testkit_private.h"

#include <string.h>

/* ---- the table ---- */

static void t1_table(crd__tk *t) {
    const crd_storage *s = t->storage;
    crd__tk_check(t, s->struct_size >= offsetof(crd_storage, close), "struct_size does not cover read and write");
    for (uint32_t kind = 1; kind < CRD_KIND_COUNT; kind++) {
        crd__tk_text text;
        if (s->record_size[kind] >= 16) continue;
        crd__tk_clear(&text);
        crd__tk_add(&text, "record_size of kind \"");
        crd__tk_add(&text, crd_kind_name(kind));
        crd__tk_add(&text, "\" is not filled in");
        crd__tk_fail_text(t, &text);
    }
}

static void t2_writers(crd__tk *t) {
    uint64_t given[40];
    for (int i = 0; i < 40; i++) {
        given[i] = t->storage->new_writer(t->storage->ctx);
        if (!crd__tk_check(t, given[i] != 0, "new_writer gave 0")) return;
        for (int j = 0; j < i; j++)
            if (!crd__tk_check(t, given[i] != given[j], "new_writer gave the same number twice")) return;
    }
}

static void t3_empty(crd__tk *t) {
    crd__tk_compare(t, CRD__TK_STRANGE | CRD__TK_RESULT);
}

/* What a caller compiled with later headers passes: the struct as known, and more behind it. */
typedef struct longer_batch {
    crd_batch known;
    uint8_t more[48];
} longer_batch;

typedef struct longer_query {
    crd_query known;
    uint8_t more[48];
} longer_query;

static void t4_longer(crd__tk *t) {
    crd__tk_batch b;
    longer_query q;
    longer_batch lb;
    crd__tk_batch_open(t, &b, 1, 9);
    (void)crd__tk_command(&b, "c1", "EUR", 0, 1);
    memset(lb.more, 0x5a, sizeof lb.more);
    lb.known = b.batch;
    for (uint64_t i = 0; i < b.batch.guard_count; i++) {
        crd_guard *longer = crd__tk_take(t, sizeof *longer + 48);
        memset(longer, 0x5a, sizeof *longer + 48);
        *longer = *b.guards[i];
        longer->struct_size += 48;
        b.guards[i] = longer;
    }
    for (uint64_t i = 0; i < b.batch.change_count; i++) {
        crd_change *longer = crd__tk_take(t, sizeof *longer + 48);
        memset(longer, 0x5a, sizeof *longer + 48);
        *longer = *b.changes[i];
        longer->struct_size += 48;
        b.changes[i] = longer;
    }
    b.batch.struct_size += 48;
    if (!crd__tk_write_is(&b, CRD_OUTCOME_DONE, "structs have 48 bytes more, as from a later version of the library"))
        return;
    memset(&q, 0x5a, sizeof q);
    crd__tk_query(t, &q.known, CRD__TK_ALL_KINDS, NULL);
    q.known.struct_size += 48;
    crd__tk_read(t, &q.known, CRD__TK_CONTENTS);
}

/* Cuts a record after the field that ends at `size`; what is behind must not count. */
static const void *shorter(crd__tk *t, uint32_t kind, const void *record, uint32_t size) {
    uint8_t *cut = crd__tk_take(t, crd__tk_size(kind));
    memset(cut, 0x5a, crd__tk_size(kind));
    memcpy(cut, record, size);
    memcpy(cut, &size, sizeof size);
    return cut;
}

static void t5_shorter(crd__tk *t) {
    crd__tk_batch b;
    crd__tk_any r;
    crd__tk_batch_open(t, &b, 1, 9);
    (void)crd__tk_command(&b, "c1", "EUR", 0, 1);
    crd__tk_make(t, &r, CRD_KIND_CREDIT, "c1", "EUR", "k1", 1);
    crd__tk_change(&b, &r, CRD_KIND_CREDIT)->record =
        shorter(t, CRD_KIND_CREDIT, &r, (uint32_t)offsetof(crd_credit_record, reversed_own));
    crd__tk_make(t, &r, CRD_KIND_INVOICE, "c1", "EUR", "i1", 1);
    crd__tk_change(&b, &r, CRD_KIND_INVOICE)->record =
        shorter(t, CRD_KIND_INVOICE, &r, (uint32_t)offsetof(crd_invoice_record, returned_tax));
    if (crd__tk_write_is(&b, CRD_OUTCOME_DONE, "records are shorter, as from an earlier version of the library"))
        crd__tk_compare(t, CRD__TK_CONTENTS);
}

/* ---- queries to look at from several sides ---- */

#define DOCUMENTS                                                                                                      \
    (CRD_KIND_BIT_CREDIT | CRD_KIND_BIT_INVOICE | CRD_KIND_BIT_RECEIPT | CRD_KIND_BIT_HOLD | CRD_KIND_BIT_LINE)

static void read_keys(crd__tk *t, uint32_t looks) {
    static const struct {
        uint32_t kind;
        const char *customer, *currency, *id;
        int64_t number;
        uint32_t document_kind;
    } list[] = {
        {CRD_KIND_REQUEST, "b", "", "request-1", 0, 0},  {CRD_KIND_ENTRY, "a", "EUR", "", 3, 0},
        {CRD_KIND_ACCOUNT, "a", "EUR", "", 0, 0},        {CRD_KIND_CREDIT, "a", "", "EUR1", 0, 0},
        {CRD_KIND_CREDIT, "a", "", "EUR1", 0, 0},        {CRD_KIND_INVOICE, "b", "", "USD2", 0, 0},
        {CRD_KIND_LINE, "a", "", "EUR1", 2, CRD_KIND_INVOICE}, {CRD_KIND_CUSTOMER, "\xc3\xa4", "", "", 0, 0},
        {CRD_KIND_HOLD, "ab", "", "USD3", 0, 0},         {CRD_KIND_CREDIT, "nobody", "", "EUR1", 0, 0},
        {CRD_KIND_RECEIPT, "a ", "", "EUR2", 0, 0},      {CRD_KIND_ENTRY, "a", "EUR", "", 3, 0},
        {CRD_KIND_ENTRY, "B", "", "", 99, 0},            {CRD_KIND_ACCOUNT, "B", "", "", 0, 0},
    };
    enum { COUNT = sizeof list / sizeof list[0] };
    crd_key keys[COUNT];
    const crd_key *pointers[COUNT];
    crd_query q;
    for (int i = 0; i < COUNT; i++) {
        memset(&keys[i], 0, sizeof keys[i]);
        keys[i].struct_size = sizeof keys[i];
        keys[i].kind = list[i].kind;
        keys[i].customer = list[i].customer;
        keys[i].currency = list[i].currency;
        keys[i].id = list[i].id;
        keys[i].number = list[i].number;
        keys[i].document_kind = list[i].document_kind;
        pointers[i] = &keys[i];
    }
    crd__tk_query(t, &q, CRD__TK_ALL_KINDS, NULL);
    q.keys = pointers;
    q.key_count = COUNT;
    crd__tk_read(t, &q, looks);
    crd__tk_query(t, &q, CRD__TK_ALL_KINDS, "a");
    q.keys = pointers;
    q.key_count = COUNT;
    crd__tk_read(t, &q, looks);
    for (uint64_t i = 0; i < COUNT; i++) {
        crd__tk_query(t, &q, UINT32_C(1) << keys[i].kind, NULL);
        q.keys = pointers + i;
        q.key_count = 1;
        crd__tk_read(t, &q, looks);
    }
}

/* The questions the library asks most, over the whole book. */
static void usual_queries(crd__tk *t, uint32_t looks) {
    crd_query q;
    crd__tk_compare(t, looks);
    for (int i = 0; i < 7; i++) {
        crd__tk_query(t, &q, CRD__TK_ALL_KINDS, crd__tk_customers[i]);
        crd__tk_read(t, &q, looks);
        crd__tk_query(t, &q, CRD_KIND_BIT_ACCOUNT | CRD_KIND_BIT_CREDIT | CRD_KIND_BIT_INVOICE, crd__tk_customers[i]);
        q.currency = "EUR";
        q.flags = CRD_QUERY_OPEN;
        crd__tk_read(t, &q, looks);
        crd__tk_query(t, &q, CRD_KIND_BIT_ACCOUNT | CRD_KIND_BIT_CREDIT | CRD_KIND_BIT_LINE, crd__tk_customers[i]);
        q.id = "EUR1";
        q.flags = CRD_QUERY_FOR_WRITE;
        crd__tk_read(t, &q, looks);
    }
    crd__tk_query(t, &q, CRD_KIND_BIT_ACCOUNT | DOCUMENTS | CRD_KIND_BIT_CUSTOMER, NULL);
    q.flags = CRD_QUERY_BOTH_OPEN;
    q.limit = 4;
    crd__tk_read(t, &q, looks);
    crd__tk_query(t, &q, CRD_KIND_BIT_ACCOUNT | CRD_KIND_BIT_ENTRY, NULL);
    q.flags = CRD_QUERY_UNACKNOWLEDGED;
    crd__tk_read(t, &q, looks);
    crd__tk_query(t, &q, CRD_KIND_BIT_REQUEST, "b");
    q.request_key = "request-2";
    crd__tk_read(t, &q, looks);
    read_keys(t, looks);
}

/* ---- what is emitted ---- */

static void r1_never_less(crd__tk *t) {
    if (!crd__tk_book(t)) return;
    crd__tk_compare(t, CRD__TK_MISSING);
    for (uint32_t kind = 1; kind < CRD_KIND_COUNT; kind++) {
        crd_query q;
        crd__tk_query(t, &q, UINT32_C(1) << kind, NULL);
        crd__tk_read(t, &q, CRD__TK_MISSING);
    }
}

static void r2_no_key_twice(crd__tk *t) {
    crd__tk_batch b;
    crd__tk_any r;
    if (!crd__tk_book(t)) return;
    crd__tk_batch_open(t, &b, 1, 8); /* a record that was changed has one key still */
    (void)crd__tk_command(&b, "a", "EUR", 0, 1);
    crd__tk_make(t, &r, CRD_KIND_CREDIT, "a", "EUR", "EUR1", 7);
    crd__tk_change(&b, &r, CRD_KIND_CREDIT);
    if (crd__tk_write_done(&b)) usual_queries(t, CRD__TK_TWICE);
}

static void r3_guard_first(crd__tk *t) {
    if (crd__tk_book(t)) usual_queries(t, CRD__TK_LATE);
}

static void r4_only_what_was_kept(crd__tk *t) {
    if (crd__tk_book(t)) usual_queries(t, CRD__TK_STRANGE);
}

static const char *const longest_id = "ID-'\"\\%_;--\xc3\xa4\xe2\x82\xac\xf0\x9f\x92\xb6 {}[]<>&NULL/0123456789 abcdefgh ";

static char *longest_text(crd__tk *t) {
    char *text = crd__tk_take(t, CRD_MAX_TEXT + 1);
    static const char piece[] = "line\n\ttab 'q' \"d\" \\b %s \xc3\xa4 \xe2\x82\xac \xf0\x9f\x92\xb6 e\xcc\x81 ";
    size_t at = 0;
    while (at + sizeof piece - 1 <= CRD_MAX_TEXT) {
        memcpy(text + at, piece, sizeof piece - 1);
        at += sizeof piece - 1;
    }
    while (at < CRD_MAX_TEXT) text[at++] = ' ';
    return text;
}

static int is_long(const char *name) {
    static const char *const names[] = {"name", "reason", "notes", "note", "text", "reference", "payment_info"};
    for (int i = 0; i < 7; i++)
        if (strcmp(names[i], name) == 0) return 1;
    return 0;
}

/* What the kit's own checks of a batch rely on. */
static int is_fixed(const crd_field *field) {
    static const char *const names[] = {"currency", "version", "last_seq", "last_hash"};
    for (int i = 0; i < 4; i++)
        if (strcmp(names[i], field->name) == 0) return 1;
    return (field->flags & CRD_FIELD_KEY) != 0;
}

static void set_extreme(crd__tk *t, const crd_field *field, crd__tk_any *r, int greatest) {
    char *at = (char *)r + field->offset;
    uint32_t u32 = UINT32_MAX;
    int32_t i32 = greatest ? INT32_MAX : INT32_MIN, date = greatest ? CRD_DATE_MAX : CRD_DATE_MIN;
    int64_t i64 = greatest ? INT64_MAX : INT64_MIN, minor = greatest ? CRD_MAX_AMOUNT : -CRD_MAX_AMOUNT;
    int64_t instant = greatest ? (CRD_DATE_MAX + INT64_C(1)) * INT64_C(86400000000) - 1 : 1;
    uint64_t u64 = UINT64_MAX, size = greatest ? 300 : 1;
    const char *text;
    uint8_t *bytes;
    switch (field->type) {
    case CRD_FIELD_U32: memcpy(at, &u32, 4); break;
    case CRD_FIELD_I32: memcpy(at, &i32, 4); break;
    case CRD_FIELD_DATE: memcpy(at, &date, 4); break;
    case CRD_FIELD_I64: memcpy(at, &i64, 8); break;
    case CRD_FIELD_U64: memcpy(at, &u64, 8); break;
    case CRD_FIELD_INSTANT: memcpy(at, &instant, 8); break;
    case CRD_FIELD_MINOR: memcpy(at, &minor, 8); break;
    case CRD_FIELD_TEXT:
        text = greatest ? is_long(field->name) ? longest_text(t) : crd__tk_keep_text(t, longest_id)
                        : crd__tk_keep_text(t, " ");
        memcpy(at, &text, sizeof text);
        break;
    case CRD_FIELD_HASH:
        memset(at, greatest ? 0xff : 0, 32);
        for (int i = 0; i < 32 && !greatest; i += 3) at[i] = 1;
        break;
    default:
        bytes = crd__tk_take(t, 300);
        for (uint32_t i = 0; i < 300; i++) bytes[i] = (uint8_t)(i * 7);
        memcpy(at, &bytes, sizeof bytes);
        memcpy((char *)r + field->size_offset, &size, sizeof size);
        break;
    }
}

/* A record whose every field is as great, or as small, as it can get. */
static void make_extreme(crd__tk *t, crd__tk_any *r, uint32_t kind, const char *customer, int greatest) {
    uint64_t count = 0;
    const crd_field *const *fields = crd_record_fields(kind, &count, NULL);
    crd__tk_make(t, r, kind, customer, kind == CRD_KIND_CUSTOMER ? "" : "EUR", greatest ? longest_id : "!", 1);
    for (uint64_t i = 0; i < count; i++)
        if (!is_fixed(fields[i])) set_extreme(t, fields[i], r, greatest);
}

static void r5_every_field(crd__tk *t) {
    static const char *const customers[] = {"z", "~z"};
    for (int greatest = 0; greatest < 2; greatest++) {
        const char *customer = greatest ? longest_id : customers[0];
        crd__tk_batch b;
        crd__tk_batch_open(t, &b, 1, 12);
        {
            crd_account_record *account = crd__tk_command(&b, customer, "EUR", 0, 0);
            crd__tk_any r;
            make_extreme(t, &r, CRD_KIND_ACCOUNT, customer, greatest);
            r.account.version = account->version;
            r.account.last_seq = greatest ? INT64_MAX : 1;
            memcpy(r.account.last_hash, account->last_hash, sizeof account->last_hash);
            r.account.customer = account->customer;
            r.account.currency = account->currency;
            *account = r.account;
        }
        for (uint32_t kind = CRD_KIND_CUSTOMER; kind < CRD_KIND_COUNT; kind++) {
            crd__tk_any r;
            make_extreme(t, &r, kind, customer, greatest);
            crd__tk_change(&b, &r, kind);
        }
        if (crd__tk_write_is(&b, CRD_OUTCOME_DONE, "records whose fields are as great and as small as the limits allow"))
            crd__tk_compare(t, CRD__TK_DIFFERENT | CRD__TK_MISSING);
    }
}

static void r6_form(crd__tk *t) {
    if (crd__tk_book(t)) usual_queries(t, CRD__TK_FORM);
}

static void r7_kinds(crd__tk *t) {
    if (!crd__tk_book(t)) return;
    usual_queries(t, CRD__TK_UNASKED);
    for (uint32_t kind = 1; kind < CRD_KIND_COUNT; kind++) {
        crd_query q;
        crd__tk_query(t, &q, UINT32_C(1) << kind, "a");
        crd__tk_read(t, &q, CRD__TK_UNASKED);
    }
}

static void r8_stop(crd__tk *t) {
    if (!crd__tk_book(t)) return;
    for (uint64_t after = 1; after < t->count; after += 1 + after / 2) {
        crd__tk_reading r;
        crd_query q;
        memset(&r, 0, sizeof r);
        r.t = t;
        r.looks = CRD__TK_STOPS;
        r.stop_after = after;
        crd__tk_query(t, &q, CRD__TK_ALL_KINDS, NULL);
        crd__tk_read_with(&r, &q);
    }
}

static void r9_proof(crd__tk *t) {
    static const uint64_t proofs[] = {1, UINT64_MAX, UINT64_C(1) << 63, UINT64_C(0x20000000000001), UINT32_MAX};
    if (!crd__tk_book(t)) return;
    for (int i = 0; i < 5; i++) {
        crd__tk_reading r;
        crd_query q;
        memset(&r, 0, sizeof r);
        r.t = t;
        crd__tk_query(t, &q, CRD__TK_ALL_KINDS, i % 2 ? "a" : "nobody");
        q.proof = proofs[i];
        if (!crd__tk_read_with(&r, &q)) return;
        crd__tk_check(t, r.result.struct_size == sizeof r.result, "the result block's struct_size was changed");
    }
}

/* ---- conditions, one by one ---- */

static void ask_customer(crd__tk *t, crd_query *q, int variant) {
    (void)t;
    q->customer = crd__tk_customers[variant];
}

static void ask_currency(crd__tk *t, crd_query *q, int variant) {
    (void)t;
    q->currency = crd__tk_currencies[variant % 3];
    if (variant >= 3) q->customer = "a";
}

static void ask_id(crd__tk *t, crd_query *q, int variant) {
    q->id = crd__tk_label(t, variant % 2 ? "EUR" : "USD", 1 + variant % 3);
    if (variant >= 3) q->customer = "b";
}

static void ask_states(crd__tk *t, crd_query *q, int variant) {
    (void)t;
    q->states = variant < 4 ? UINT32_C(2) << variant : UINT32_C(0x16) + (uint32_t)variant;
}

static void ask_request(crd__tk *t, crd_query *q, int variant) {
    q->request_key = crd__tk_label(t, "request-", variant);
    if (variant >= 2) q->customer = "a";
}

static void ask_after(crd__tk *t, crd_query *q, int variant) {
    static const char *const between[] = {"", "A", "a", "a ", "b", "zz", "\xc3\xa4"};
    (void)t;
    q->after_customer = between[variant];
    q->after_currency = variant % 3 == 0 ? NULL : crd__tk_currencies[variant % 3];
}

static void ask_limit(crd__tk *t, crd_query *q, int variant) {
    (void)t;
    q->limit = 1 + (uint32_t)variant * 2;
    if (variant % 3 == 1) q->after_customer = "a ";
    if (variant % 3 == 2) q->currency = "USD";
    if (variant == 5) q->flags = CRD_QUERY_BOTH_OPEN;
    if (variant == 6) q->flags = CRD_QUERY_UNACKNOWLEDGED;
}

static void ask_open(crd__tk *t, crd_query *q, int variant) {
    (void)t;
    q->flags = CRD_QUERY_OPEN;
    if (variant < 4) q->customer = crd__tk_customers[variant];
    if (variant == 4) q->currency = "EUR";
    if (variant == 5) q->limit = 5;
}

static void ask_both_open(crd__tk *t, crd_query *q, int variant) {
    ask_open(t, q, variant);
    q->flags = CRD_QUERY_BOTH_OPEN;
}

static void ask_unacknowledged(crd__tk *t, crd_query *q, int variant) {
    ask_open(t, q, variant);
    q->flags = CRD_QUERY_UNACKNOWLEDGED;
}

static void ask_for_write(crd__tk *t, crd_query *q, int variant) {
    ask_open(t, q, variant);
    q->flags = CRD_QUERY_FOR_WRITE;
}

static void ask_seq(crd__tk *t, crd_query *q, int variant) {
    (void)t;
    q->seq_from = variant;
    q->seq_to = variant % 3 == 0 ? 0 : 2 + variant / 2;
    if (variant % 2) q->customer = "ab";
}

static void ask_dates(crd__tk *t, crd_query *q, int variant) {
    (void)t;
    if (variant != 1) q->date_from = 19000 + variant;
    if (variant != 2) q->date_to = 19000 + variant + variant % 3;
    if (variant % 2) q->customer = "c'1";
}

static void ask_named(crd__tk *t, crd_query *q, int variant) {
    const char *id = crd__tk_label(t, variant % 2 ? "EUR" : "USD", 1 + variant / 2);
    if (variant / 2 == 0) q->entry_credit = id;
    if (variant / 2 == 1) q->entry_invoice = id;
    if (variant / 2 == 2) q->entry_receipt = id;
    if (variant == 6) q->entry_credit = "EUR1", q->entry_invoice = "EUR2";
}

/* Each condition in seven variants, for all kinds together and kind by kind. */
static void ask_all(crd__tk *t, void (*ask)(crd__tk *t, crd_query *q, int variant), int by_kind) {
    if (!crd__tk_book(t)) return;
    for (int variant = 0; variant < 7; variant++) {
        crd_query q;
        crd__tk_query(t, &q, CRD__TK_ALL_KINDS, NULL);
        ask(t, &q, variant);
        crd__tk_read(t, &q, CRD__TK_MISSING);
        for (uint32_t kind = 1; by_kind && kind < CRD_KIND_COUNT; kind++) {
            crd__tk_query(t, &q, UINT32_C(1) << kind, NULL);
            ask(t, &q, variant);
            crd__tk_read(t, &q, CRD__TK_MISSING);
        }
    }
}

#define CONDITION(name, by_kind)                                                                                       \
    static void try_##name(crd__tk *t) { ask_all(t, ask_##name, by_kind); }
CONDITION(customer, 1)
CONDITION(currency, 1)
CONDITION(id, 1)
CONDITION(states, 1)
CONDITION(request, 0)
CONDITION(after, 1)
CONDITION(limit, 0)
CONDITION(open, 1)
CONDITION(both_open, 0)
CONDITION(unacknowledged, 0)
CONDITION(for_write, 0)
CONDITION(seq, 0)
CONDITION(dates, 0)
CONDITION(named, 0)

static void r24_keys(crd__tk *t) {
    if (crd__tk_book(t)) read_keys(t, CRD__TK_MISSING);
}

static void r25_many_keys(crd__tk *t) {
    enum { COUNT = 3000 };
    crd_key *keys = crd__tk_take(t, 1000 * sizeof *keys);
    const crd_key **pointers = crd__tk_take(t, COUNT * sizeof *pointers);
    crd_query q;
    if (!crd__tk_book(t) || keys == NULL || pointers == NULL) return;
    for (int i = 0; i < 1000; i++) {
        keys[i].struct_size = sizeof keys[i];
        keys[i].kind = i % 2 ? CRD_KIND_CREDIT : CRD_KIND_ENTRY;
        keys[i].customer = crd__tk_customers[i % 7];
        keys[i].currency = i % 2 ? "" : "EUR";
        keys[i].id = i % 2 ? crd__tk_label(t, "EUR", i / 14) : "";
        keys[i].number = i % 2 ? 0 : i / 14;
    }
    for (int i = 0; i < COUNT; i++) pointers[i] = &keys[crd__tk_next(t, 1000)];
    if (t->nomem) return;
    crd__tk_query(t, &q, CRD__TK_ALL_KINDS, NULL);
    q.keys = pointers;
    q.key_count = COUNT;
    crd__tk_read(t, &q, CRD__TK_MISSING | CRD__TK_TWICE);
}

static void r26_together(crd__tk *t) {
    static void (*const asks[])(crd__tk *, crd_query *, int) = {ask_customer, ask_currency, ask_id,  ask_states,
                                                                ask_request,  ask_after,    ask_limit, ask_seq,
                                                         ask_dates,    ask_named};
    if (!crd__tk_book(t)) return;
    for (int round = 0; round < 250; round++) {
        crd_query q;
        crd__tk_query(t, &q, crd__tk_next(t, 2) ? CRD__TK_ALL_KINDS : (uint32_t)crd__tk_next(t, 512) * 2, NULL);
        if (q.kinds == 0) q.kinds = CRD_KIND_BIT_ACCOUNT;
        for (uint64_t n = 1 + crd__tk_next(t, 3); n > 0; n--)
            asks[crd__tk_next(t, 10)](t, &q, (int)crd__tk_next(t, 7));
        if (crd__tk_next(t, 3) == 0) q.flags |= (uint32_t)crd__tk_next(t, 16);
        if (!crd__tk_read(t, &q, CRD__TK_CONTENTS | CRD__TK_LATE) && t->findings > 4) return;
    }
}

static void r27_bytes(crd__tk *t) {
    static const char *const ids[] = {"A",  "a",          "\xc3\xa4", "a\xcc\x88", "a ", " a", "ab", "a-b",
                                      "Z", "\xe2\x84\xab", "\xc3\x85",  "10",        "9",  "ss", "\xc3\x9f"};
    crd_query q;
    for (int i = 0; i < 15; i++) {
        crd__tk_batch b;
        crd__tk_batch_open(t, &b, 1, 20);
        (void)crd__tk_command(&b, ids[i], "EUR", 0, 1);
        for (int j = 0; j < 15; j++) {
            crd__tk_any r;
            crd__tk_make(t, &r, CRD_KIND_CREDIT, ids[i], "EUR", ids[j], 1);
            crd__tk_change(&b, &r, CRD_KIND_CREDIT);
        }
        if (!crd__tk_write_is(&b, CRD_OUTCOME_DONE, "ids that differ as bytes are different ids")) return;
    }
    for (int i = 0; i < 15; i++) {
        crd__tk_query(t, &q, CRD_KIND_BIT_ACCOUNT | CRD_KIND_BIT_CREDIT, NULL);
        q.after_customer = ids[i];
        q.after_currency = "EUR";
        q.limit = 3;
        crd__tk_read(t, &q, CRD__TK_MISSING);
        crd__tk_query(t, &q, CRD_KIND_BIT_ACCOUNT | CRD_KIND_BIT_CREDIT, ids[i]);
        q.id = ids[14 - i];
        crd__tk_read(t, &q, CRD__TK_MISSING);
    }
}

static void r28_again(crd__tk *t) {
    crd__tk_batch b;
    crd__tk_any r;
    if (!crd__tk_book(t)) return;
    for (int i = 0; i < 3; i++) { /* the second and third answer is about the book as it is then */
        crd__tk_compare(t, CRD__TK_MISSING | CRD__TK_DIFFERENT);
        crd__tk_batch_open(t, &b, 1, 4);
        (void)crd__tk_command(&b, "a", "EUR", 0, 1);
        crd__tk_make(t, &r, CRD_KIND_CREDIT, "a", "EUR", "EUR1", 7 + i);
        r.credit.remaining -= i + 1;
        crd__tk_change(&b, &r, CRD_KIND_CREDIT);
        if (!crd__tk_write_done(&b)) return;
    }
}

#define CLAIM(id, needs, title, sentence, source, remedy, function)                                                    \
    { {sizeof(crd_testkit_claim), needs, id, title, sentence, source, remedy}, function }

const crd__tk_entry crd__tk_read_claims[] = {
    CLAIM("T1", 0, "the table is filled in", "Fill struct_size, record_size, ctx and the callbacks, zero the rest.",
          "crd_storage", "Start from CRD_STORAGE_INIT, or fill record_size from your own declarations.", t1_table),
    CLAIM("T2", CRD_TESTKIT_NEEDS_WRITER, "writers get numbers of their own",
          "A number no other handle on the same records ever got: random 64 bits will do. Never 0.",
          "crd_storage.new_writer", "Take 64 bits from the system's random numbers, or a counter that is kept.",
          t2_writers),
    CLAIM("T3", 0, "an empty world is empty", "What is emitted was kept by a finished write.", "S4",
          "open() must give a world of its own to each claim: a new file, schema or object.", t3_empty),
    CLAIM("T4", 0, "structs may grow at their end",
          "Public structs are append-only: a caller of a later version passes longer ones.", "struct_size",
          "Read the members you know and ignore the rest; refuse a struct_size that is too small, never one that is "
          "too great.", t4_longer),
    CLAIM("T5", 0, "a shorter record is a whole record",
          "A reader uses the smaller of that size and its own; what is missing counts as zero or \"\".", "record.h",
          "Look at the record's struct_size before you read a field, or decode through crd_record_encode().",
          t5_shorter),
    CLAIM("R1", 0, "never less", "Every record that matches a query is emitted.", "S1",
          "Emit from every kind that `kinds` names, also without a customer. When in doubt, emit more: the library "
          "filters.", r1_never_less),
    CLAIM("R2", 0, "no key twice", "No key twice in one read.", "S2",
          "A join or a UNION ALL of several conditions gives rows twice; a list of keys may name one twice.",
          r2_no_key_twice),
    CLAIM("R3", 0, "the guard is read first", "Account records are emitted before all others.", "S3",
          "Read accounts first, then the rest, in one call; kinds in the order of their numbers will do.",
          r3_guard_first),
    CLAIM("R4", 0, "only what was kept", "What is emitted was kept by a finished write.", "S4",
          "Emit rows of this schema only, and none of a batch that was refused.", r4_only_what_was_kept),
    CLAIM("R5", 0, "every field, at its limits", "An update replaces every field; a record is kept whole.", "S8",
          "Use 64-bit integers for every number (never floating point), unsigned ones for U64, text columns that "
          "keep blanks and every character, and binary ones for hashes and images.", r5_every_field),
    CLAIM("R6", 0, "records are well formed", "Text is never NULL: absent is \"\". struct_size stands in every record.",
          "record.h", "Set struct_size, and turn NULL of the store into \"\".", r6_form),
    CLAIM("R7", 0, "only the kinds asked for",
          "A storage may treat any condition but `kinds` as absent.", "crd_query.kinds",
          "Test `kinds >> kind & 1` before you emit.", r7_kinds),
    CLAIM("R8", 0, "emit can stop a read", "Anything else than 0: stop, and finish the read as done.", "crd_emit",
          "Look at what emit returns; leave the loops, close the statement, answer done with the proof.", r8_stop),
    CLAIM("R9", 0, "a read proves that it finished",
          "A finished callback copies the number `proof` of its query into the result, as the last thing it does.",
          "S9", "Set outcome first and proof last, all 64 bits of it, also when there was nothing to emit.", r9_proof),
    CLAIM("R10", 0, "condition: customer", "A record matches when it passes every condition that is set.",
          "crd_query.customer", "Compare the whole customer id as bytes.", try_customer),
    CLAIM("R11", 0, "condition: currency",
          "Accounts, documents and entries of this currency; \"\" is the customer's own account. Customer and request "
          "records are not narrowed.", "crd_query.currency",
          "NULL sets no condition, \"\" does. Leave customers and requests alone.", try_currency),
    CLAIM("R12", 0, "condition: id",
          "Credits, invoices, receipts, holds, lines of this id; accounts are not narrowed.", "crd_query.id",
          "Apply it to those five kinds only.", try_id),
    CLAIM("R13", 0, "condition: states", "Set of 1 << state: credits, invoices, receipts, holds.", "crd_query.states",
          "Test `states >> state & 1`; 0 sets no condition, and other kinds have no state.", try_states),
    CLAIM("R14", 0, "condition: request key", "Requests of this key.", "crd_query.request_key",
          "Apply it to requests only.", try_request),
    CLAIM("R15", 0, "condition: after", "Accounts (and their documents) behind this key, with after_currency.",
          "crd_query.after_customer",
          "Greater customer, or the same customer and a greater currency (NULL is \"\"), as unsigned bytes. Customer "
          "and request records are not narrowed.", try_after),
    CLAIM("R16", 0, "condition: limit",
          "At most this many accounts, smallest keys first, and only the documents and the customer records of those.",
          "crd_query.limit",
          "Choose the accounts by every other condition first, in the order of bytes, then bring all that belongs to "
          "them. The limit counts accounts, not records.", try_limit),
    CLAIM("R17", 0, "condition: open",
          "Accounts with open credits or open invoices, credits with remaining > 0, invoices with open > 0 or in state "
          "Draft, holds with amount > 0. Other kinds are not narrowed.", "CRD_QUERY_OPEN",
          "Drafts are open, too. Receipts, lines, entries, customers and requests are not narrowed.", try_open),
    CLAIM("R18", 0, "condition: both open",
          "Only accounts that have both open credits and open invoices, and only the documents of such accounts.",
          "CRD_QUERY_BOTH_OPEN", "Look at open_credits and open_invoices of the account.", try_both_open),
    CLAIM("R19", 0, "condition: unacknowledged",
          "Only accounts with acknowledged_seq < last_seq, and only the entries after acknowledged_seq.",
          "CRD_QUERY_UNACKNOWLEDGED", "Compare with the account's own figure; other kinds are not narrowed.",
          try_unacknowledged),
    CLAIM("R20", 0, "reading for a write", "A storage inside a transaction may lock their rows until then.",
          "CRD_QUERY_FOR_WRITE", "The flag narrows nothing.", try_for_write),
    CLAIM("R21", 0, "condition: sequence", "Entries from this seq, inclusive, to this seq, inclusive; 0 = no bound.",
          "crd_query.seq_from", "Both ends count; other kinds are not narrowed.", try_seq),
    CLAIM("R22", 0, "condition: business date", "Entries from this business date to this business date, inclusive.",
          "crd_query.date_from", "Both ends count; other kinds are not narrowed.", try_dates),
    CLAIM("R23", 0, "condition: entries of a document", "Entries that name this credit, invoice or receipt.",
          "crd_query.entry_credit", "Look at the entry's own fields; other kinds are not narrowed.", try_named),
    CLAIM("R24", 0, "a list of keys", "Records with one of these keys, and no others; customer narrows as well.",
          "crd_query.keys",
          "Of a key look at the fields its kind has: a credit's key has no currency, a line's a document kind and a "
          "number.", r24_keys),
    CLAIM("R25", 0, "a long list of keys", "Records with one of these keys.", "crd_query.key_count",
          "Thousands of keys, in no order and repeated: fetch in pieces, and emit each record once.", r25_many_keys),
    CLAIM("R26", 0, "conditions together", "A record matches when it passes every condition that is set.", "crd_query",
          "Join the conditions with AND, each for the kinds it concerns; crd_query_matches() does it for a storage "
          "that scans.", r26_together),
    CLAIM("R27", 0, "keys are bytes", "Keys compare as unsigned bytes.", "record.h",
          "Use a binary collation: no case folding, no trimming, no Unicode normalisation, no dictionary order.",
          r27_bytes),
    CLAIM("R28", 0, "a read tells how it is now", "What is emitted was kept by a finished write.", "S4, S10",
          "Keep no answer of an earlier read, and no statement or snapshot open between two calls.", r28_again),
};
const uint64_t crd__tk_read_count = sizeof crd__tk_read_claims / sizeof crd__tk_read_claims[0];
