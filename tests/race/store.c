/* Where the book of a race lies. */
#include "race/race.h"

#include <credit/sqlite.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct store {
    crd_sqlite *sqlite;
};

static store *open_sqlite(const char *path, int make) {
    store *s = calloc(1, sizeof *s);
    char aside[4096];
    if (s == NULL) return NULL;
    if (make) {
        const char *const ends[] = {"", "-wal", "-shm"};
        for (size_t i = 0; i < 3; i++) {
            snprintf(aside, sizeof aside, "%s%s", path, ends[i]);
            unlink(aside);
        }
    }
    if (crd_sqlite_open(path, 0, &s->sqlite) == CRD_OK) return s;
    fprintf(stderr, "race: %s: %s\n", path, s->sqlite != NULL ? crd_sqlite_message(s->sqlite) : "no memory");
    store_close(s);
    return NULL;
}

store *store_open(const char *name, int make) {
    if (strncmp(name, "sqlite:", 7) == 0) return open_sqlite(name + 7, make);
    fprintf(stderr, "race: no such store: %s\n", name);
    return NULL;
}

const crd_storage *store_table(store *s) {
    return crd_sqlite_storage(s->sqlite);
}

void store_close(store *s) {
    if (s == NULL) return;
    crd_sqlite_close(s->sqlite);
    free(s);
}

int store_disturb(const char *name) {
    (void)name;
    return 0;
}
