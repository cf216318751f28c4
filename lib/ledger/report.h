/*
 * What the files of the reports share.
 *
 * Terms:
 *   stored   every account asked for stands on the date, and at the instant, as it is stored: no journal is read, and
 *            documents are read page by page
 *   picture  an account and its documents as of the report's date: as stored, or folded from its journal
 *
 * A report walks accounts, page by page, and makes the rows of a page (stored) or of one account at a time; sums are
 * kept in groups, whose rows come at the end.
 */
#ifndef CREDIT_LEDGER_REPORT_H
#define CREDIT_LEDGER_REPORT_H

#include "core/money.h"
#include "core/report.h"
#include "ledger/ledger.h"

/* The sums of one row of a report that adds up; its texts live in the report's own arena. */
typedef struct crd__group {
    const char *customer, *currency, *source, *method;
    uint32_t credit_class, state;
    int32_t date;
    int64_t figures[CRD_ROLL_FIGURES];
    int64_t expired;
} crd__group;

struct crd_report {
    crd_ledger *ledger;
    crd_report_spec spec; /* its texts and bounds live in `own` */
    crd__arena own;       /* as long as the report */
    crd__arena page;      /* accounts read, and in stored mode their documents */
    crd__arena work;      /* rows; the picture of one account */
    crd__loaded loaded;   /* the page */
    crd__loaded single;   /* one account and its documents */
    int has_page, has_single;
    uint64_t account_at;  /* next account of the page */
    int stored;
    int64_t now_at;       /* known_at, or the instant of the clock; 0 without one */
    int complete;         /* no more pages */
    int finished;         /* nor rows */
    crd_status failed;    /* what ended it: half a page, or half a sum, is no report */
    crd__list rows;       /* crd_row * */
    uint64_t at;
    const char *after_customer, *after_currency;
    crd__journal journal;   /* of one account, when its picture is folded or its entries are told */
    crd__account now, before; /* pictures at the end, and on the day before the first */
    int64_t *moved;         /* per entry: what it changed the balance by */
    crd__list groups;       /* crd__group * */
    crd__index index;
    uint64_t history_at;    /* HISTORY: the account, of those of `loaded` */
    int64_t next_seq, last_seq;
};

/* Adds a row, zeroed but for its names; NULL when memory is out, and the error says so. */
crd_row *crd__report_row(crd_report *report, crd__arena *arena, uint32_t kind, const char *customer,
                         const char *currency, const char *id);
crd_status crd__report_sort(crd_report *report, crd__arena *arena, crd__compare compare);
/* The documents of a picture in the order of lists: by kind, then id. In the work arena. */
crd_status crd__report_docs(crd_report *report, const crd__account *picture, void ***out, uint64_t *count);
int crd__report_source(const crd_report *report, const crd_credit_record *credit);

/* report_entries.c: rows of the entries of one account, from report->journal, now and before */
crd_status crd__report_credit_entries(crd_report *report);
crd_status crd__report_occasions(crd_report *report);
crd_status crd__report_statement(crd_report *report);
crd_status crd__report_takings(crd_report *report);
int crd__report_compare_takings(const void *a, const void *b);

/* report_sums.c: sums over accounts */
crd_status crd__report_totals(crd_report *report, const crd__account *picture);
crd_status crd__report_revenue(crd_report *report);
crd_status crd__report_roll(crd_report *report);
/* The group of a key, whose texts are copied when it is new. */
crd_status crd__report_group(crd_report *report, const crd__group *key, crd__group **out);
crd_status crd__report_add(crd_report *report, int64_t *figure, int64_t amount);
/* Rows of the groups, sorted. */
crd_status crd__report_sums(crd_report *report, uint64_t figures);

#endif
