/*
 * A list of commands that makes model and library differ, as short as it gets, printed for people.
 */
#ifndef MODEL_SHRINK_H
#define MODEL_SHRINK_H

#include "model/compare.h"

static const char *command_word(int type) {
    static const char *const words[] = {"customer", "credit", "invoice",      "apply",     "void credit",
                                        "undo",     "send",   "void invoice", "reconcile", "close through",
                                        "refund",   "write off",    "hold",      "capture",
                                        "release",  "revise",    "return", "reverse invoice", "receipt", "bounce",
                                        "change customer",
                                        "transfer", "adjust",    "delete", "sweep",
                                        "change application", "switches", "bulk"};
    return words[type];
}

static void print_command(FILE *out, const command *c) {
    fprintf(out, "  %3d %-18s %s %s day %d", c->serial, command_word(c->type), who_names[c->who], cur_names[c->cur],
            (int)(c->date - DAY_ZERO));
    if (c->credit[0] != '\0') fprintf(out, " credit=%s", c->credit);
    if (c->invoice[0] != '\0') fprintf(out, " invoice=%s", c->invoice);
    if (c->type == DO_APPLY && c->other_who != c->who) fprintf(out, " of %s", who_names[c->other_who]);
    fprintf(out, " amount=%lld", (long long)c->amount);
    if (c->kind != 0) fprintf(out, " kind=%u", (unsigned)c->kind);
    if (c->flags != 0) fprintf(out, " flags=%#x", (unsigned)c->flags);
    if (c->pays != 0) fprintf(out, " pays=%#x", (unsigned)c->pays);
    if (c->prefers[0] != '\0') fprintf(out, " prefers=%s", c->prefers);
    if (c->effective != 0) fprintf(out, " effective=day %d", (int)(c->effective - DAY_ZERO));
    if (c->expires != 0) fprintf(out, " expires=day %d", (int)(c->expires - DAY_ZERO));
    if (c->hold[0] != '\0') fprintf(out, " hold=%s", c->hold);
    if (c->lapses != 0) fprintf(out, " lapses=day %d", (int)(c->lapses - DAY_ZERO));
    fprintf(out, " at=%d", (int)(c->at - DAY_ZERO));
    if (c->made[0] != '\0') fprintf(out, " made=%s", c->made);
    if (c->type == DO_TRANSFER) fprintf(out, " to %s", who_names[c->other_who]);
    if (c->stands_for != 0) fprintf(out, " stands_for=%u", (unsigned)c->stands_for);
    if (c->apply != 0) fprintf(out, " apply=%#x", (unsigned)c->apply);
    if (c->mode != 0) fprintf(out, " mode=%u", (unsigned)c->mode);
    if (c->override) fprintf(out, " override");
    if (c->due != 0) fprintf(out, " due=day %d", (int)(c->due - DAY_ZERO));
    if ((c->type == DO_UNDO || c->type == DO_CHANGE_APPLICATION) && c->target >= 0) fprintf(out, " entry %d of command %d", c->nth, c->target);
    if (c->type == DO_UNDO && c->target < 0) fprintf(out, " seq=%d", c->nth);
    if (c->receipt[0] != '\0') fprintf(out, " receipt=%s", c->receipt);
    if (c->fee != 0 || c->fee_id[0] != '\0') fprintf(out, " fee=%lld %s", (long long)c->fee, c->fee_id);
    if (c->line != 0) fprintf(out, " line=%d quantity=%lld", c->line, (long long)c->quantity);
    for (int i = 0; i < c->line_count; i++)
        fprintf(out, "\n        line invoice=%s credit=%s amount=%lld kind=%u", c->lines[i].invoice, c->lines[i].credit,
                (long long)c->lines[i].amount, (unsigned)c->lines[i].kind);
    fprintf(out, "%s\n", c->fresh ? " (fresh handles)" : "");
}

/* Runs the list on a new world; 1 when there is a difference, which is copied to `found`. */
static int list_differs(const command *commands, int count, int store, char *found, size_t room) {
    drive *d = drive_open(store);
    int differs;
    for (int i = 0; i < count && drive_step(d, &commands[i]); i++) {}
    drive_end(d);
    differs = d->difference[0] != '\0';
    if (differs) snprintf(found, room, "%s", d->difference);
    drive_close(d);
    return differs;
}

/* Whether two differences are of one sort: the same but for numbers. A shorter list must show what the longer did. */
static int same_sort(const char *a, const char *b) {
    for (;;) {
        while ((*a >= '0' && *a <= '9') || *a == '-') a++;
        while ((*b >= '0' && *b <= '9') || *b == '-') b++;
        if (*a != *b || *a == '\0') return *a == *b;
        a++;
        b++;
    }
}

static void shrink(const command *commands, int count, int store, uint64_t seed, const char *wanted) {
    char found[600];
    command *list = calloc((size_t)count + 1, sizeof *list), *fewer = calloc((size_t)count + 1, sizeof *fewer);
    if (list == NULL || fewer == NULL) abort();
    memcpy(list, commands, (size_t)count * sizeof *list);
    if (!list_differs(list, count, store, found, sizeof found))
        fprintf(stderr, "model: the difference does not repeat\n");
    for (int chunk = count / 2; chunk > 0;) {
        int removed = 0;
        for (int from = 0; from + chunk <= count;) {
            memcpy(fewer, list, (size_t)from * sizeof *list);
            memcpy(fewer + from, list + from + chunk, (size_t)(count - from - chunk) * sizeof *list);
            if (list_differs(fewer, count - chunk, store, found, sizeof found) &&
                same_sort(found, wanted)) {
                count -= chunk;
                memcpy(list, fewer, (size_t)count * sizeof *list);
                removed = 1;
            } else {
                from += chunk;
            }
        }
        if (!removed || chunk > 1) chunk /= 2;
    }
    if (!list_differs(list, count, store, found, sizeof found)) found[0] = '\0';
    fprintf(stderr, "model: seed %llu differs over %s: %s\n", (unsigned long long)seed,
            store == STORE_MEMORY ? "memory" : "SQLite", found);
    for (int i = 0; i < count; i++) print_command(stderr, &list[i]);
    free(list);
    free(fewer);
}

#endif
