/*
 * Tries the till's journal with the conformance kit, which is not vendored: link libcredit-testkit.
 *
 *   conforms FILE         writes FILE-1, FILE-2… and removes them
 */
#include "journal.h"

#include "../try_storage.h"

#include <stdio.h>

typedef struct place {
    const char *path;
    int worlds;
} place;

typedef struct world {
    journal *j;
    char path[4096];
} world;

static world worlds[4]; /* the kit opens one at a time */

static void set(crd_testkit_world *out, world *w) {
    const char *why;
    w->j = journal_open(w->path, &why);
    if (w->j == NULL) return;
    out->handle = w;
    out->storage = journal_storage(w->j);
}

static void CRD_CALL open_world(void *ctx, crd_testkit_world *out) {
    place *p = ctx;
    world *w = &worlds[p->worlds % 4];
    snprintf(w->path, sizeof w->path, "%s-%d", p->path, ++p->worlds);
    remove(w->path);
    set(out, w);
}

static void CRD_CALL close_world(void *ctx, crd_testkit_world *out) {
    world *w = out->handle;
    (void)ctx;
    journal_close(w->j);
    remove(w->path);
}

static void CRD_CALL reopen(void *ctx, crd_testkit_world *out) {
    world *w = out->handle;
    (void)ctx;
    journal_close(w->j);
    out->storage = NULL;
    set(out, w);
}

int main(int argc, char **argv) {
    place p = {0};
    crd_testkit_factory factory;
    if (argc != 2) return 2;
    p.path = argv[1];
    memset(&factory, 0, sizeof factory);
    factory.struct_size = sizeof factory;
    factory.ctx = &p;
    factory.open = open_world;
    factory.close = close_world;
    factory.reopen = reopen;
    return try_storage(&factory);
}
