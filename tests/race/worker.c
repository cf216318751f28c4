/* One worker: random commands, and a log of what it was told. */
#include "race/race.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define TRIES 30 /* of one command that meets other writers */
#define OWN 64   /* of its applications and receipts that a worker remembers, to take them back */

typedef struct own {
    char customer[16], id[CRD_MAX_ID + 1];
    int64_t seq;
} own;

typedef struct mind {
    uint64_t state;
    crd_ledger *ledger;
    store *store;
    int log;
    char actor[16], key[CRD_MAX_ID + 1], customer[16];
    unsigned long serial;
    int tries; /* of the command under way, that met other writers */
    own applied[OWN], received[OWN];
    int applied_count, received_count;
} mind;

static uint32_t below(mind *m, uint32_t bound) {
    m->state ^= m->state << 13;
    m->state ^= m->state >> 7;
    m->state ^= m->state << 17;
    return (uint32_t)((m->state >> 11) % bound);
}

/* One write() a line: a kill comes before it or after it. */
static void say(mind *m, const char *line) {
    size_t length = strlen(line);
    if (write(m->log, line, length) != (ssize_t)length) abort();
}

/* Half of what happens, happens at the hot customer. */
static int anyone(mind *m) {
    return below(m, 2) ? CUSTOMERS : (int)below(m, CUSTOMERS);
}

/* Between what it read and what it writes, so that somebody comes in between: a store that makes writers sleep while they
 * wait for each other lets one of them run on alone for long, and none of its commands is ever overtaken. */
static void dawdle(mind *m) {
    struct timespec t = {0, 0};
    if (below(m, 4) != 0 || m->tries > 0) return;
    t.tv_nsec = (long)below(m, 2000000);
    nanosleep(&t, NULL);
}

typedef crd_status (*command)(mind *m, const crd_request *request, crd_result *out);

static crd_status apply(mind *m, const crd_request *request, crd_result *out) {
    char credit_name[16], invoice_name[16];
    int who = anyone(m), hot = who == CUSTOMERS;
    crd_credit *credit = NULL;
    crd_invoice *invoice = NULL;
    crd_apply_terms terms = {sizeof terms, 0, 0, NULL};
    crd_status status;
    customer_id(who, m->customer);
    terms.amount = 1 + below(m, hot ? 50 : 400);
    status = crd_credit_find(m->ledger, m->customer, credit_id(hot ? 0 : (int)below(m, CREDITS_EACH), credit_name),
                             &credit);
    if (status == CRD_OK)
        status = crd_invoice_find(m->ledger, m->customer,
                                  invoice_id((int)below(m, hot ? HOT_INVOICES : CREDITS_EACH), invoice_name), &invoice);
    dawdle(m);
    if (status == CRD_OK) status = crd_credit_apply(m->ledger, request, credit, invoice, &terms, out);
    if (status == CRD_OK && m->applied_count < OWN) {
        own *o = &m->applied[m->applied_count++];
        memcpy(o->customer, m->customer, sizeof o->customer);
        o->seq = out->first_seq;
    }
    crd_credit_free(credit);
    crd_invoice_free(invoice);
    return status;
}

/* Takes back one of its own: somebody else may have done so already, by voiding the invoice. */
static crd_status unapply(mind *m, const crd_request *request, crd_result *out) {
    crd_status status;
    int which;
    if (m->applied_count == 0) return apply(m, request, out);
    which = (int)below(m, (uint32_t)m->applied_count);
    memcpy(m->customer, m->applied[which].customer, sizeof m->customer);
    status = crd_undo(m->ledger, request, m->customer, CURRENCY, m->applied[which].seq, 0, out);
    if (status == CRD_OK || status == CRD_E_NOTHING) m->applied[which] = m->applied[--m->applied_count];
    return status;
}

static crd_status void_part(mind *m, const crd_request *request, crd_result *out) {
    char name[16];
    int who = anyone(m);
    crd_credit *credit = NULL;
    crd_status status;
    customer_id(who, m->customer);
    status = crd_credit_find(m->ledger, m->customer, credit_id(who == CUSTOMERS ? 0 : (int)below(m, CREDITS_EACH), name),
                             &credit);
    dawdle(m);
    if (status == CRD_OK) status = crd_credit_void(m->ledger, request, credit, 1 + below(m, 20), 0, out);
    crd_credit_free(credit);
    return status;
}

static crd_status receive(mind *m, const crd_request *request, crd_result *out) {
    crd_receipt_terms terms;
    crd_receipt *receipt = NULL;
    crd_status status;
    memset(&terms, 0, sizeof terms);
    terms.struct_size = sizeof terms;
    terms.currency = CURRENCY;
    terms.amount = 1 + below(m, 300);
    terms.flags = CRD_RECEIPT_DISTRIBUTE | CRD_RECEIPT_EXCESS_TO_CREDIT;
    customer_id(anyone(m), m->customer);
    status = crd_receipt_enter(m->ledger, request, m->customer, &terms, &receipt, out);
    if (status == CRD_OK && m->received_count < OWN) {
        own *o = &m->received[m->received_count++];
        memcpy(o->customer, m->customer, sizeof o->customer);
        snprintf(o->id, sizeof o->id, "%s", crd_receipt_get(receipt)->id);
    }
    crd_receipt_free(receipt);
    return status;
}

static crd_status reverse(mind *m, const crd_request *request, crd_result *out) {
    crd_receipt *receipt = NULL;
    crd_status status;
    int which;
    if (m->received_count == 0) return receive(m, request, out);
    which = (int)below(m, (uint32_t)m->received_count);
    memcpy(m->customer, m->received[which].customer, sizeof m->customer);
    status = crd_receipt_find(m->ledger, m->customer, m->received[which].id, &receipt);
    dawdle(m);
    if (status == CRD_OK) status = crd_receipt_reverse(m->ledger, request, receipt, NULL, out);
    if (status == CRD_OK) m->received[which] = m->received[--m->received_count];
    crd_receipt_free(receipt);
    return status;
}

static crd_status issue(mind *m, const crd_request *request, crd_result *out) {
    crd_credit_terms terms;
    crd_credit *credit = NULL;
    crd_status status;
    memset(&terms, 0, sizeof terms);
    terms.struct_size = sizeof terms;
    terms.currency = CURRENCY;
    terms.kind = CRD_CREDIT_PROMOTIONAL;
    terms.amount = 1 + below(m, 100);
    terms.expires = DAY + 1;
    terms.reason = "a gift that expires";
    customer_id(anyone(m), m->customer);
    status = crd_credit_issue(m->ledger, request, m->customer, &terms, &credit);
    if (status == CRD_OK) {
        out->first_seq = crd_credit_get(credit)->first_seq;
        out->last_seq = crd_credit_get(credit)->last_seq;
    }
    crd_credit_free(credit);
    return status;
}

static crd_status reconcile(mind *m, const crd_request *request, crd_result *out) {
    crd_plan_spec spec;
    crd_plan_result result;
    crd_status status;
    const char *const who[] = {m->customer};
    (void)out; /* its request record is of the account, and only there when something was posted */
    memset(&spec, 0, sizeof spec);
    memset(&result, 0, sizeof result);
    spec.struct_size = sizeof spec;
    result.struct_size = sizeof result;
    spec.date = DAY;
    spec.customers = who;
    spec.customer_count = 1;
    spec.flags = CRD_PLAN_USE_CASH;
    customer_id((int)below(m, CUSTOMERS), m->customer); /* the hot one would be paid off */
    status = crd_reconcile(m->ledger, request, &spec, &result);
    return status == CRD_OK && result.conflicted > 0 ? CRD_E_CONFLICT : status;
}

static crd_status expire(mind *m, const crd_request *request, crd_result *out) {
    crd_sweep_spec spec;
    crd_sweep_result result;
    crd_request late = *request;
    (void)out;
    memset(&spec, 0, sizeof spec);
    memset(&result, 0, sizeof result);
    spec.struct_size = sizeof spec;
    result.struct_size = sizeof result;
    spec.customer = customer_id(anyone(m), m->customer);
    late.key = NULL;
    late.business_date = DAY + 2;
    return crd_sweep(m->ledger, &late, &spec, &result);
}

static const struct {
    command run;
    uint32_t weight;
} commands[] = {{apply, 40}, {unapply, 20}, {void_part, 4}, {receive, 12}, {reverse, 8}, {issue, 6}, {reconcile, 2}, {expire, 2}};

static command any_command(mind *m) {
    uint32_t n = below(m, 94);
    size_t i = 0;
    while (n >= commands[i].weight) n -= commands[i++].weight;
    return commands[i].run;
}

/* What may go on after it. Anything else is a fault of the library, and ends the race. */
static int is_refusal(crd_status status) {
    switch (status) {
    case CRD_E_CREDIT_AMOUNT: case CRD_E_INVOICE_AMOUNT: case CRD_E_STATE: case CRD_E_NOTHING: case CRD_E_CONFLICT:
    case CRD_E_DATE: case CRD_E_EXPIRED: case CRD_E_STORAGE: case CRD_E_NOT_FOUND: case CRD_E_IN_USE: return 1;
    default: return 0;
    }
}

/* The same command with the same key until it meets no other writer: the random choices are made again from the same
 * state, so the content is the same. */
static int one_command(mind *m) {
    char line[256];
    command run = any_command(m);
    uint64_t choices = m->state;
    crd_status status = CRD_E_CONFLICT;
    crd_result result;
    crd_request request;
    int keyed = run != expire && run != reconcile;
    snprintf(m->key, sizeof m->key, "%s-%lu", m->actor, m->serial++);
    request = race_request(m->actor, m->key, DAY);
    snprintf(line, sizeof line, "? %s\n", m->key);
    if (keyed) say(m, line);
    for (m->tries = 0; m->tries < TRIES && status == CRD_E_CONFLICT; m->tries += status == CRD_E_CONFLICT) {
        memset(&result, 0, sizeof result);
        result.struct_size = sizeof result;
        m->state = choices;
        status = run(m, &request, &result);
    }
    if (!keyed) snprintf(line, sizeof line, "r %s %s\n", run == expire ? "expire" : "reconcile", crd_status_name(status));
    else if (status == CRD_OK)
        snprintf(line, sizeof line, "+ %s %s %lld %lld\n", m->key, m->customer, (long long)result.first_seq,
                 (long long)result.last_seq);
    else if (status == CRD_E_UNKNOWN) snprintf(line, sizeof line, "u %s\n", m->key);
    else snprintf(line, sizeof line, "- %s %s %s\n", m->key, m->customer, crd_status_name(status));
    say(m, line);
    snprintf(line, sizeof line, "c %d\n", m->tries);
    if (m->tries > 0) say(m, line);
    if (status == CRD_OK || status == CRD_E_UNKNOWN || is_refusal(status)) return 1;
    fprintf(stderr, "race: %s: %s: %s %s\n", m->key, crd_status_name(status), crd_ledger_error(m->ledger)->message,
            crd_ledger_error(m->ledger)->host_text);
    return 0;
}

int worker(const char *store_name, const char *log, int number, int generation, const volatile sig_atomic_t *stop) {
    mind *m = calloc(1, sizeof *m);
    int good = 1;
    if (m == NULL) return 2;
    m->state = UINT64_C(0x9e3779b97f4a7c15) * (uint64_t)(number * 100003 + generation + 1);
    snprintf(m->actor, sizeof m->actor, "w%d-%d", number, generation);
    m->log = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
    m->store = store_open(store_name, 0);
    m->ledger = m->store != NULL ? race_ledger(m->store) : NULL;
    while (m->log >= 0 && m->ledger != NULL && good && !*stop) good = one_command(m);
    good = good && m->ledger != NULL && m->log >= 0;
    crd_ledger_close(m->ledger);
    store_close(m->store);
    free(m);
    return good ? 0 : 2;
}
