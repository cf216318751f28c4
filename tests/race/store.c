/* Where the book of a race lies: an SQLite file, or a schema of a PostgreSQL server. */
#include "race/race.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef CREDIT_NO_SQLITE
#include <credit/sqlite.h>
#endif
#ifndef CREDIT_NO_POSTGRES
#include <credit/postgres.h>
#include <libpq-fe.h>
#endif

#define SCHEMA "credit_race"

struct store {
    const crd_storage *table;
    void *handle;
    void (*close)(void *handle);
};

#ifndef CREDIT_NO_SQLITE
static void close_sqlite(void *handle) {
    crd_sqlite_close(handle);
}

static int open_sqlite(store *s, const char *path, int make) {
    crd_sqlite *sqlite = NULL;
    if (make) {
        static const char *const ends[] = {"", "-wal", "-shm"};
        char name[4096];
        for (size_t i = 0; i < 3; i++) {
            snprintf(name, sizeof name, "%s%s", path, ends[i]);
            unlink(name);
        }
    }
    if (crd_sqlite_open(path, 0, &sqlite) != CRD_OK)
        fprintf(stderr, "race: %s: %s\n", path, sqlite != NULL ? crd_sqlite_message(sqlite) : "no memory");
    s->handle = sqlite;
    s->close = close_sqlite;
    s->table = sqlite != NULL ? crd_sqlite_storage(sqlite) : NULL;
    return s->table != NULL;
}
#endif

#ifndef CREDIT_NO_POSTGRES
static void close_postgres(void *handle) {
    crd_postgres_close(handle);
}

/* Runs one statement on a connection of its own. The number in its first row, -1 when there is none. */
static int ask_server(const char *conninfo, const char *sql) {
    PGconn *connection = PQconnectdb(conninfo);
    PGresult *result = PQexec(connection, sql);
    int number = PQresultStatus(result) == PGRES_TUPLES_OK && PQntuples(result) > 0 ? atoi(PQgetvalue(result, 0, 0)) : -1;
    if (PQresultStatus(result) != PGRES_TUPLES_OK && PQresultStatus(result) != PGRES_COMMAND_OK)
        fprintf(stderr, "race: %s", PQerrorMessage(connection));
    PQclear(result);
    PQfinish(connection);
    return number;
}

static int open_postgres(store *s, const char *conninfo, int make) {
    crd_postgres *postgres = NULL;
    crd_postgres_options options;
    int tries = 0;
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    options.schema = SCHEMA;
    if (make) (void)ask_server(conninfo, "SET client_min_messages = error; DROP SCHEMA IF EXISTS " SCHEMA " CASCADE");
    /* a connection that is cut while it is being opened is opened again */
    while (crd_postgres_open(conninfo, &options, &postgres) != CRD_OK && ++tries < 20) {
        if (tries == 19) fprintf(stderr, "race: %s\n", postgres != NULL ? crd_postgres_message(postgres) : "no memory");
        crd_postgres_close(postgres);
        postgres = NULL;
    }
    s->handle = postgres;
    s->close = close_postgres;
    s->table = postgres != NULL ? crd_postgres_storage(postgres) : NULL;
    return s->table != NULL;
}
#endif

store *store_open(const char *name, int make) {
    store *s = calloc(1, sizeof *s);
    int good = 0, known = 0;
    if (s == NULL) return NULL;
#ifndef CREDIT_NO_SQLITE
    if (strncmp(name, "sqlite:", 7) == 0) known = 1, good = open_sqlite(s, name + 7, make);
#endif
#ifndef CREDIT_NO_POSTGRES
    if (strncmp(name, "postgres:", 9) == 0) known = 1, good = open_postgres(s, name + 9, make);
#endif
    (void)make;
    if (!known) fprintf(stderr, "race: no such store, or built without it: %s\n", name);
    if (good) return s;
    store_close(s);
    return NULL;
}

const crd_storage *store_table(store *s) {
    return s->table;
}

void store_close(store *s) {
    if (s == NULL) return;
    if (s->handle != NULL) s->close(s->handle);
    free(s);
}

int store_disturb(const char *name) {
#ifndef CREDIT_NO_POSTGRES
    if (strncmp(name, "postgres:", 9) == 0)
        return ask_server(name + 9, "SELECT count(pg_terminate_backend(pid)) FROM (SELECT pid FROM pg_stat_activity"
                                    " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
                                    " AND usename = current_user ORDER BY random() LIMIT 1) AS one") > 0;
#endif
    (void)name;
    return 0;
}
