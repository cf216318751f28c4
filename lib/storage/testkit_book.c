/*
 * A small book to try a storage on: made up, but of records that belong together as the library's do.
 */
#include "testkit_private.h"

#include <string.h>

/* Sorted as unsigned bytes. A storage that folds case, trims, or sorts like a dictionary mixes them up. */
const char *const crd__tk_customers[7] = {"B", "a", "a ", "ab", "b", "c'1", "\xc3\xa4"};
const char *const crd__tk_currencies[3] = {"", "EUR", "USD"};

#define DAY INT64_C(86400000000)
#define FIRST_DAY 19000

static void make_document(crd__tk_any *r, uint32_t kind, const char *id, int64_t seq) {
    switch (kind) {
    case CRD_KIND_CREDIT:
        r->credit.id = id;
        r->credit.credit_class = CRD_CLASS_MEMO;
        r->credit.kind = CRD_CREDIT_MEMO;
        r->credit.state = CRD_CREDIT_ACTIVE;
        r->credit.first_seq = 1;
        r->credit.last_seq = seq;
        r->credit.issued = r->credit.effective = r->credit.last_date = FIRST_DAY;
        r->credit.original = r->credit.remaining = 2500;
        r->credit.issued_at = FIRST_DAY * DAY;
        r->credit.reason = "goods returned";
        break;
    case CRD_KIND_INVOICE:
        r->invoice.id = id;
        r->invoice.kind = CRD_INVOICE_INVOICE;
        r->invoice.state = CRD_INVOICE_OPEN;
        r->invoice.first_seq = 1;
        r->invoice.last_seq = seq;
        r->invoice.issued = r->invoice.last_date = FIRST_DAY;
        r->invoice.due = FIRST_DAY + 30;
        r->invoice.total = r->invoice.open = 9900;
        r->invoice.text = "goods";
        break;
    case CRD_KIND_RECEIPT:
        r->receipt.id = id;
        r->receipt.state = CRD_RECEIPT_POSTED;
        r->receipt.first_seq = r->receipt.posted_seq = 1;
        r->receipt.last_seq = seq;
        r->receipt.received = r->receipt.last_date = FIRST_DAY;
        r->receipt.method = "adjustment";
        break;
    case CRD_KIND_HOLD:
        r->hold.id = id;
        r->hold.state = CRD_HOLD_HELD;
        r->hold.first_seq = 1;
        r->hold.last_seq = seq;
        r->hold.held_on = r->hold.last_date = FIRST_DAY;
        r->hold.amount = 100;
        break;
    case CRD_KIND_LINE:
        r->line.id = id;
        r->line.document_kind = CRD_KIND_INVOICE;
        r->line.number = 1;
        r->line.last_seq = seq;
        r->line.quantity = 1000;
        r->line.unit_price = 9900000;
        r->line.amount = 9900;
        r->line.text = "one piece";
        break;
    default: break;
    }
}

void crd__tk_make(crd__tk *t, crd__tk_any *r, uint32_t kind, const char *customer, const char *currency,
                  const char *id, int64_t seq) {
    crd__tk_empty(kind, r);
    make_document(r, kind, id, seq);
    switch (kind) {
    case CRD_KIND_ACCOUNT: r->account.last_instant = FIRST_DAY * DAY; break;
    case CRD_KIND_CUSTOMER:
        r->customer.first_seq = 1;
        r->customer.last_seq = seq;
        r->customer.name = "Acme";
        r->customer.created_at = FIRST_DAY * DAY;
        break;
    case CRD_KIND_ENTRY:
        r->entry.seq = r->entry.last_seq = seq;
        r->entry.type = currency[0] == '\0' ? CRD_ENTRY_CUSTOMER : CRD_ENTRY_APPLY;
        for (uint32_t i = 0; i < 32; i++) r->entry.hash[i] = (uint8_t)crd__tk_next(t, 256);
        r->entry.instant = FIRST_DAY * DAY + seq;
        r->entry.business_date = FIRST_DAY + (int32_t)seq;
        r->entry.writer = UINT64_C(0xfedcba9876543210);
        r->entry.command = (uint64_t)seq;
        r->entry.actor = "conformance";
        break;
    case CRD_KIND_REQUEST:
        r->request.command = CRD_COMMAND_CREDIT_APPLY;
        r->request.request_key = id;
        r->request.currency = currency;
        r->request.first_seq = r->request.last_seq = seq;
        for (uint32_t i = 0; i < 32; i++) r->request.digest[i] = (uint8_t)crd__tk_next(t, 256);
        r->request.parts = (const uint8_t *)"\0\1\2\3\0\0\0\xff";
        r->request.parts_size = 8;
        break;
    default: break;
    }
    switch (kind) {
    case CRD_KIND_ACCOUNT:
        r->account.customer = customer;
        r->account.currency = currency;
        break;
    case CRD_KIND_CUSTOMER: r->customer.customer = customer; break;
    case CRD_KIND_CREDIT:
        r->credit.customer = customer;
        r->credit.currency = currency;
        break;
    case CRD_KIND_INVOICE:
        r->invoice.customer = customer;
        r->invoice.currency = currency;
        break;
    case CRD_KIND_RECEIPT:
        r->receipt.customer = customer;
        r->receipt.currency = currency;
        break;
    case CRD_KIND_HOLD:
        r->hold.customer = customer;
        r->hold.currency = currency;
        break;
    case CRD_KIND_LINE:
        r->line.customer = customer;
        r->line.currency = currency;
        break;
    case CRD_KIND_ENTRY:
        r->entry.customer = customer;
        r->entry.currency = currency;
        break;
    default: r->request.customer = customer; break;
    }
}

/* Three credits and three invoices, of which none, one or some are open; closed ones of every state. */
static void add_documents(crd__tk_batch *b, crd_account_record *account, int credits_open, int invoices_open) {
    static const uint32_t closed_credits[] = {CRD_CREDIT_SPENT, CRD_CREDIT_VOIDED};
    static const uint32_t closed_invoices[] = {CRD_INVOICE_PAID, CRD_INVOICE_VOIDED};
    static const uint32_t kinds[] = {CRD_KIND_CREDIT, CRD_KIND_INVOICE, CRD_KIND_RECEIPT, CRD_KIND_HOLD};
    crd__tk *t = b->t;
    for (int i = 0; i < 3; i++) {
        const char *id = crd__tk_label(t, account->currency, i + 1);
        for (int k = 0; k < 4; k++) {
            crd__tk_any r;
            crd__tk_make(t, &r, kinds[k], account->customer, account->currency, id, account->last_seq);
            if (kinds[k] == CRD_KIND_CREDIT && i >= credits_open) {
                r.credit.state = closed_credits[i % 2];
                r.credit.cause = CRD_CAUSE_APPLIED;
                r.credit.applied = r.credit.remaining;
                r.credit.remaining = 0;
            }
            if (kinds[k] == CRD_KIND_INVOICE && i >= invoices_open) {
                r.invoice.state = i == 2 ? CRD_INVOICE_DRAFT : closed_invoices[i % 2];
                r.invoice.open = 0;
                if (i != 2) r.invoice.applied = r.invoice.total;
            }
            if (kinds[k] == CRD_KIND_RECEIPT && i > 0) r.receipt.state = CRD_RECEIPT_POSTED + (uint32_t)i;
            if (kinds[k] == CRD_KIND_HOLD && i > 0) {
                r.hold.state = CRD_HOLD_HELD + (uint32_t)i;
                r.hold.released = r.hold.amount;
                r.hold.amount = 0;
            }
            crd__tk_change(b, &r, kinds[k]);
        }
    }
    account->open_credits = credits_open;
    account->open_invoices = invoices_open;
    account->credit_remaining = account->available = credits_open * 2500;
    account->invoice_open = invoices_open * 9900;
}

static void add_lines(crd__tk_batch *b, const crd_account_record *account) {
    for (int i = 0; i < 4; i++) {
        crd__tk_any r;
        crd__tk_make(b->t, &r, CRD_KIND_LINE, account->customer, account->currency,
                     crd__tk_label(b->t, account->currency, 1), account->last_seq);
        r.line.document_kind = i < 2 ? CRD_KIND_INVOICE : CRD_KIND_CREDIT;
        r.line.number = 1 + i % 2;
        if (i >= 2) r.line.amount = -r.line.amount;
        crd__tk_change(b, &r, CRD_KIND_LINE);
    }
}

static void vary_entries(crd__tk_batch *b, const char *currency) {
    for (uint64_t i = 0; i < b->batch.change_count; i++) {
        crd_entry_record entry;
        if (b->t->nomem) return;
        if (b->changes[i]->kind != CRD_KIND_ENTRY) continue;
        entry = *(const crd_entry_record *)b->changes[i]->record;
        if (strcmp(entry.currency, currency) != 0 || currency[0] == '\0') continue;
        entry.amount = 100 * entry.seq;
        if (entry.seq % 2 == 0) entry.credit = crd__tk_label(b->t, currency, 1);
        if (entry.seq % 3 == 0) entry.invoice = crd__tk_label(b->t, currency, 2);
        if (entry.seq % 4 == 0) entry.receipt = crd__tk_label(b->t, currency, 3);
        b->changes[i]->record =
            crd__tk_copy(CRD_KIND_ENTRY, &entry, crd__tk_take(b->t, crd__tk_copy_size(CRD_KIND_ENTRY, &entry)));
    }
}

static int add_customer(crd__tk *t, const char *customer, int number) {
    crd__tk_batch b;
    crd__tk_any r;
    crd__tk_batch_open(t, &b, 3, 120);
    (void)crd__tk_command(&b, customer, "", 0, 2);
    crd__tk_make(t, &r, CRD_KIND_CUSTOMER, customer, "", "", 2);
    crd__tk_change(&b, &r, CRD_KIND_CUSTOMER);
    for (int c = 1; c < 3; c++) {
        const char *currency = crd__tk_currencies[c];
        crd_account_record *account = crd__tk_command(&b, customer, currency, 0, 6);
        int kind = (number + c) % 4;
        account->acknowledged_seq = number % 3 == 0 ? 6 : number % 3 == 1 ? 4 : 0;
        add_documents(&b, account, kind == 0 || kind == 1 ? 2 : 0, kind == 0 || kind == 2 ? 1 : 0);
        add_lines(&b, account);
        vary_entries(&b, currency);
        crd__tk_make(t, &r, CRD_KIND_REQUEST, customer, currency, crd__tk_label(t, "request-", c), 6);
        crd__tk_change(&b, &r, CRD_KIND_REQUEST);
    }
    return crd__tk_write_done(&b);
}

int crd__tk_book(crd__tk *t) {
    for (int i = 0; i < 7; i++)
        if (!add_customer(t, crd__tk_customers[i], i)) return 0;
    return 1;
}
