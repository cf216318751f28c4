/*
 * What a host does first: include, link, and ask whether header and library belong together. Built by install.sh
 * against an installed tree.
 */
#include <credit.h>
#include <stdio.h>

#ifdef CONSUMER_SQLITE
#include <credit/sqlite.h>
#endif

#ifdef CONSUMER_POSTGRES
#include <credit/postgres.h>
#endif

int main(void) {
    printf("libcredit %s\n", crd_version_text());
#ifdef CONSUMER_SQLITE
    crd_sqlite *storage = NULL;
    if (crd_sqlite_open(":memory:", 0, &storage) != CRD_OK) {
        return 1;
    }
    crd_sqlite_close(storage);
#endif
#ifdef CONSUMER_POSTGRES
    crd_postgres *server = NULL;
    if (crd_postgres_open("host=/nowhere", NULL, &server) != CRD_E_STORAGE) {
        return 1;
    }
    crd_postgres_close(server);
#endif
    return crd_version() == CRD_VERSION ? 0 : 1;
}
