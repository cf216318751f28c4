/*
 * The naive model: the rules of money once more, written from their text and not from the library.
 *
 * It keeps nothing but documents as they were entered and a list of what happened; every figure is added up anew from
 * that list whenever it is asked for. It is slow, and so short that it can be read beside the rules.
 *
 * A call that is refused gives the status and the figures that the library must give, and leaves the model alone.
 */
#ifndef TEST_NAIVE_H
#define TEST_NAIVE_H

#include <credit.h>

#define NAIVE_ACCOUNTS 4 /* two customers, two currencies: account = 2 × customer + currency */
#define NAIVE_DOCUMENTS 160
#define NAIVE_EVENTS 6000
#define NONE (-1)

typedef struct naive_credit {
    int account;
    char id[32];
    uint32_t kind, flags, pays_kinds;
    int32_t issued, effective, expires;
    int64_t original;
    char prefers[32]; /* id of an invoice, or "" */
} naive_credit;

typedef struct naive_invoice {
    int account;
    char id[32];
    uint32_t kind;
    int draft, disputed;
    int32_t entered, due;
    int64_t total;
} naive_invoice;

typedef struct naive_receipt {
    int account;
    int64_t amount;
    int32_t date;
} naive_receipt;

typedef struct naive_event {
    int account;
    int64_t seq;
    uint32_t type; /* CRD_ENTRY_… */
    int credit, invoice, receipt;
    int64_t amount;
    int32_t date;
    int64_t undoes;
} naive_event;

typedef struct naive {
    naive_credit credits[NAIVE_DOCUMENTS];
    naive_invoice invoices[NAIVE_DOCUMENTS];
    naive_receipt receipts[NAIVE_DOCUMENTS];
    naive_event events[NAIVE_EVENTS];
    int credit_count, invoice_count, receipt_count, event_count;
    int32_t closed_through;
} naive;

typedef struct naive_answer {
    crd_status status;
    int has_figures;
    int64_t limit, given;
    int64_t amount;
    int64_t first_seq;
    int document;
    uint64_t posted, applications;
} naive_answer;

/* What the list of events says about a document. */
typedef struct naive_credit_figures {
    int64_t remaining, applied, outside, voided, expired, reversed;
    uint32_t state, cause;
    int32_t last_date;
    int64_t first_seq, last_seq;
} naive_credit_figures;

typedef struct naive_invoice_figures {
    int64_t open, applied, cancelled;
    uint32_t state, cause;
    int32_t issued, last_date;
    int64_t first_seq, last_seq;
} naive_invoice_figures;

typedef struct naive_balance {
    int64_t outstanding, credit, available, unearned, issued, applied;
} naive_balance;

naive_credit_figures naive_credit_now(const naive *m, int credit);
naive_invoice_figures naive_invoice_now(const naive *m, int invoice);
int64_t naive_receipt_applied(const naive *m, int receipt);
int naive_receipt_undone(const naive *m, int receipt);
int64_t naive_left(const naive *m, int account, int64_t seq); /* of an application */
naive_balance naive_balance_on(const naive *m, int account, int32_t date);
int64_t naive_last_seq(const naive *m, int account);

naive_answer naive_issue(naive *m, const naive_credit *terms, int32_t date);
naive_answer naive_enter(naive *m, const naive_invoice *terms, int32_t date);
naive_answer naive_apply(naive *m, int credit, int invoice, int64_t amount, int clamp, int32_t date);
naive_answer naive_void(naive *m, int credit, int64_t amount, int32_t date);
naive_answer naive_send(naive *m, int invoice, int32_t date);
naive_answer naive_void_invoice(naive *m, int invoice, int strict, int32_t date);
naive_answer naive_undo(naive *m, int account, int64_t seq, int64_t amount, int32_t date);
/* customer: 0, 1 or NONE for all */
naive_answer naive_reconcile(naive *m, int customer, int use_cash, int32_t date);

#endif
