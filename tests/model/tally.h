/*
 * How often each command ended in each status, and each type of entry was made. What never came up was not tried, so a
 * run fails that leaves out a command's success or refusal, a status, or a type of entry.
 */
#ifndef MODEL_TALLY_H
#define MODEL_TALLY_H

#include "model/shrink.h"

#define TALLY_STATUSES 40
#define TALLY_ENTRIES 64

static int64_t tally_answers[DO_COMMANDS][TALLY_STATUSES], tally_entries[TALLY_ENTRIES];

/* What no single handle on a sound storage answers, or only callers who break the rules of the interface get. */
static const crd_status beyond_model[] = {CRD_E_NOMEM,   CRD_E_BUSY,      CRD_E_DENIED,   CRD_E_KEY_REUSED, CRD_E_TOO_LARGE,
                                          CRD_E_UNIT,    CRD_E_CANCELLED, CRD_E_CONFLICT, CRD_E_UNKNOWN,    CRD_E_STORAGE,
                                          CRD_E_RESTART, CRD_E_CONTRACT,  CRD_E_CORRUPT,  CRD_E_SCHEMA};
/* In no account's journal; and one that moves nothing. */
static const uint32_t entries_beyond_model[] = {CRD_ENTRY_CUSTOMER, CRD_ENTRY_CREDIT_CHANGE};

static void tally_answer(const command *c, crd_status status) {
    tally_answers[c->type][-status]++;
}

static void tally_world(const model *m) {
    for (int i = 0; i < m->event_count; i++) tally_entries[m->events[i].type]++;
}

static int64_t tally_of_status(int status) {
    int64_t sum = 0;
    for (int type = 0; type < DO_COMMANDS; type++) sum += tally_answers[type][status];
    return sum;
}

static void tally_print(FILE *out) {
    for (int type = 0; type < DO_COMMANDS; type++) {
        fprintf(out, "  %-18s", command_word(type));
        for (int status = 0; status < TALLY_STATUSES; status++)
            if (tally_answers[type][status] > 0)
                fprintf(out, " %s %lld", crd_status_name(-status) + (status > 0 ? 6 : 4),
                        (long long)tally_answers[type][status]);
        fprintf(out, "\n");
    }
    fprintf(out, "  entries:          ");
    for (uint32_t type = 0; type < TALLY_ENTRIES; type++)
        if (tally_entries[type] > 0) fprintf(out, " %s %lld", crd_entry_name(type), (long long)tally_entries[type]);
    fprintf(out, "\n");
}

static int is_status_beyond(int status) {
    for (size_t i = 0; i < sizeof beyond_model / sizeof beyond_model[0]; i++)
        if (beyond_model[i] == -status) return 1;
    return strcmp(crd_status_name(-status), "CRD_E_?") == 0;
}

static int is_entry_beyond(uint32_t type) {
    for (size_t i = 0; i < sizeof entries_beyond_model / sizeof entries_beyond_model[0]; i++)
        if (entries_beyond_model[i] == type) return 1;
    return strcmp(crd_entry_name(type), "?") == 0;
}

/* What was never tried, or NULL. */
static const char *tally_missing(void) {
    static char text[100];
    for (int type = 0; type < DO_COMMANDS; type++) {
        int64_t refused = 0;
        for (int status = 1; status < TALLY_STATUSES; status++) refused += tally_answers[type][status];
        snprintf(text, sizeof text, "%s %s", command_word(type), refused == 0 ? "was never refused" : "never succeeded");
        if (refused == 0 || tally_answers[type][0] == 0) return text;
    }
    for (int status = 0; status < TALLY_STATUSES; status++) {
        snprintf(text, sizeof text, "%s never came up", crd_status_name(-status));
        if (tally_of_status(status) == 0 && !is_status_beyond(status)) return text;
    }
    for (uint32_t type = 0; type < TALLY_ENTRIES; type++) {
        snprintf(text, sizeof text, "no entry of type %s was made", crd_entry_name(type));
        if (tally_entries[type] == 0 && !is_entry_beyond(type)) return text;
    }
    return NULL;
}

#endif
