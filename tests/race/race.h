/*
 * Many processes on one book, killed at random: what they were told afterwards against what is kept.
 *
 * Terms:
 *   store    where the book lies; every process opens a connection of its own
 *   worker   a process that sends random commands, one request key each, until it is killed or told to stop
 *   log      one file per worker, written with one write() a line, so that a kill loses no line that was written:
 *            what it asked, what it was told
 *   asked    a key that has no answer in the log: its worker was killed, or was told that the outcome is unknown
 *
 * What must hold: a command that was acknowledged is kept, with the entries it named; one that was refused is not; no
 * credit and no invoice is applied beyond its amount, added up from the journal; crd_ledger_verify() finds nothing.
 */
#ifndef TEST_RACE_H
#define TEST_RACE_H

#include <credit.h>

#include <signal.h>
#include <stdio.h>

#define CURRENCY "EUR"
#define HOT "hot"         /* the customer all workers meet at, with one credit that all use */
#define CUSTOMERS 100     /* and the others, "c00"… */
#define CREDITS_EACH 100  /* of each of the others; so are invoices */
#define HOT_INVOICES 50
#define DAY 20468         /* 2026-01-15 */

typedef struct store store;

/* "sqlite:PATH" or "postgres:CONNINFO"; `make` empties it first. NULL, having said why on stderr. */
store *store_open(const char *name, int make);
const crd_storage *store_table(store *s);
void store_close(store *s);
/* Ends one of the server's connections at random, if there is a server. Returns how many. */
int store_disturb(const char *name);

/* Ids of the documents that the book begins with. */
const char *customer_id(int customer, char *out);   /* CUSTOMERS: the hot one */
const char *credit_id(int credit, char *out);
const char *invoice_id(int invoice, char *out);
crd_request race_request(const char *actor, const char *key, int day);
int64_t race_clock(void *ctx);
/* A ledger on a store; NULL, having said why. */
crd_ledger *race_ledger(store *s);

/* The worker's whole life; returns its exit status. `stop` is set by a signal. */
int worker(const char *store_name, const char *log, int number, int generation, const volatile sig_atomic_t *stop);

/* Compares the logs with the book, prints what was found, and returns how many things are wrong. */
int judge(const char *store_name, char *const *logs, int count);

#endif
