/*
 * make race STORE=sqlite|postgres SECONDS=n: makes a book, lets workers loose on it, kills one now and then and starts
 * another in its place, and has the book judged when time is up.
 *
 *   race STORE-NAME DIRECTORY SECONDS [WORKERS]
 *   race judge STORE-NAME LOG...
 */
#define _POSIX_C_SOURCE 200809L
#include "race/race.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MOST 64

const char *customer_id(int customer, char *out) {
    if (customer == CUSTOMERS) return strcpy(out, HOT);
    snprintf(out, 16, "c%02d", customer);
    return out;
}

const char *credit_id(int credit, char *out) {
    snprintf(out, 16, "K%02d", credit);
    return out;
}

const char *invoice_id(int invoice, char *out) {
    snprintf(out, 16, "I%02d", invoice);
    return out;
}

int64_t race_clock(void *ctx) {
    (void)ctx;
    return ((int64_t)DAY * 86400 + 43200) * 1000000;
}

crd_request race_request(const char *actor, const char *key, int day) {
    crd_request request;
    memset(&request, 0, sizeof request);
    request.struct_size = sizeof request;
    request.actor = actor;
    request.key = key;
    request.business_date = day;
    return request;
}

crd_ledger *race_ledger(store *s) {
    crd_ledger *ledger = NULL;
    crd_hooks hooks;
    crd_ledger_options options;
    crd_status status;
    memset(&hooks, 0, sizeof hooks);
    memset(&options, 0, sizeof options);
    hooks.struct_size = sizeof hooks;
    hooks.clock = race_clock;
    options.struct_size = sizeof options;
    options.storage = store_table(s);
    options.hooks = &hooks;
    status = crd_ledger_open(&options, &ledger);
    if (status != CRD_OK) fprintf(stderr, "race: cannot open a ledger: %s\n", crd_status_name(status));
    return ledger;
}

/* One customer with its credits and invoices, in one unit. */
static crd_status fill_customer(crd_ledger *ledger, int who) {
    crd_request request = race_request("race", NULL, DAY);
    crd_customer_terms customer;
    char name[16], id[16];
    int hot = who == CUSTOMERS;
    crd_status status = crd_unit_begin(ledger);
    memset(&customer, 0, sizeof customer);
    customer.struct_size = sizeof customer;
    customer.name = "A customer";
    customer_id(who, name);
    if (status == CRD_OK) status = crd_customer_add(ledger, &request, name, &customer, NULL);
    for (int i = 0; status == CRD_OK && i < (hot ? 1 : CREDITS_EACH); i++) {
        crd_credit_terms terms;
        memset(&terms, 0, sizeof terms);
        terms.struct_size = sizeof terms;
        terms.kind = CRD_CREDIT_MEMO;
        terms.currency = CURRENCY;
        terms.id = credit_id(i, id);
        terms.amount = hot ? 100000000 : 1000;
        terms.reason = "a race";
        status = crd_credit_issue(ledger, &request, name, &terms, NULL);
    }
    for (int i = 0; status == CRD_OK && i < (hot ? HOT_INVOICES : CREDITS_EACH); i++) {
        crd_invoice_terms terms;
        memset(&terms, 0, sizeof terms);
        terms.struct_size = sizeof terms;
        terms.kind = CRD_INVOICE_INVOICE;
        terms.currency = CURRENCY;
        terms.id = invoice_id(i, id);
        terms.total = hot ? 1000000 : 1000;
        status = crd_invoice_enter(ledger, &request, name, &terms, NULL);
    }
    if (status == CRD_OK) status = crd_unit_commit(ledger);
    if (status != CRD_OK) fprintf(stderr, "race: %s: %s\n", name, crd_ledger_error(ledger)->message);
    return status;
}

static int fill(const char *store_name) {
    store *s = store_open(store_name, 1);
    crd_ledger *ledger = s != NULL ? race_ledger(s) : NULL;
    crd_status status = ledger != NULL ? CRD_OK : CRD_E_STORAGE;
    for (int who = 0; status == CRD_OK && who <= CUSTOMERS; who++) status = fill_customer(ledger, who);
    crd_ledger_close(ledger);
    store_close(s);
    return status == CRD_OK;
}

static volatile sig_atomic_t stop;

static void on_term(int signal_number) {
    (void)signal_number;
    stop = 1;
}

static pid_t start(const char *store_name, const char *log, int number, int generation) {
    pid_t pid = fork();
    if (pid == 0) _exit(worker(store_name, log, number, generation, &stop));
    return pid;
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void rest(long milliseconds) {
    struct timespec t = {milliseconds / 1000, milliseconds % 1000 * 1000000};
    while (nanosleep(&t, &t) != 0 && errno == EINTR) continue;
}

/* Waits for a worker; 0 when it ended as it was meant to: killed by us, or by itself and content. */
static int reap(pid_t pid, int killed) {
    int status = 0;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR) return 1;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return 0;
    if (killed && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) return 0;
    fprintf(stderr, "race: a worker ended with status %d\n", status);
    return 1;
}

int main(int argc, char **argv) {
    int workers = argc > 4 ? atoi(argv[4]) : 8, wrong = 0;
    double seconds = argc > 3 ? atof(argv[3]) : 0, began;
    struct sigaction on_stop;
    pid_t pids[MOST];
    int generations[MOST] = {0};
    char *logs[MOST];
    unsigned long kills = 0, cut = 0;
    if (argc > 3 && strcmp(argv[1], "judge") == 0) return judge(argv[2], argv + 3, argc - 3) != 0;
    if (argc < 4 || workers < 1 || workers > MOST || seconds <= 0) {
        fprintf(stderr, "usage: race STORE DIRECTORY SECONDS [WORKERS]\n       race judge STORE LOG...\n");
        return 2;
    }
    srand(1);
    memset(&on_stop, 0, sizeof on_stop); /* signal() would do so once only */
    on_stop.sa_handler = on_term;
    sigaction(SIGTERM, &on_stop, NULL); /* a worker inherits it, before anybody can send it one */
    if (!fill(argv[1])) return 2;
    began = now();
    for (int i = 0; i < workers; i++) {
        size_t size = strlen(argv[2]) + 32;
        logs[i] = malloc(size);
        if (logs[i] == NULL) return 2;
        snprintf(logs[i], size, "%s/worker-%d.log", argv[2], i);
        unlink(logs[i]); /* of an earlier race, with another book */
        pids[i] = start(argv[1], logs[i], i, 0);
    }
    while (now() < began + seconds && wrong == 0 && !stop) {
        int i = rand() % workers;
        rest(20 + rand() % 180);
        if (rand() % 4 == 0) cut += (unsigned long)store_disturb(argv[1]);
        kill(pids[i], SIGKILL);
        wrong += reap(pids[i], 1);
        kills++;
        pids[i] = start(argv[1], logs[i], i, ++generations[i]);
    }
    for (int i = 0; i < workers; i++) kill(pids[i], SIGTERM);
    for (int i = 0; i < workers; i++) wrong += reap(pids[i], 0);
    printf("race: %d workers for %.0f seconds, %lu killed, %lu connections cut\n", workers, now() - began, kills, cut);
    wrong += judge(argv[1], logs, workers);
    for (int i = 0; i < workers; i++) free(logs[i]);
    return wrong != 0;
}
