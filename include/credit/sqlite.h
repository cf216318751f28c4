/**
 * @file
 * Records in an SQLite database: the embedded default. Link libcredit-sqlite (pkg-config credits-sqlite).
 *
 * The tables have real columns, one per field of <credit/record.h>, and are named crd_account, crd_credit,
 * crd_invoice, crd_receipt, crd_hold, crd_line, crd_entry, crd_request, crd_customer, and crd_meta for the schema version. Read them with
 * any tool; never write to them.
 */
#ifndef CREDIT_SQLITE_H
#define CREDIT_SQLITE_H

#include <credit/storage.h>

struct sqlite3;

CRD_BEGIN

/** A storage in an SQLite database. One thread at a time; any number of processes may open the same file. */
typedef struct crd_sqlite crd_sqlite;

/** @name Flags for opening
 * @{ */
#define CRD_SQLITE_READ_ONLY 0x01u /**< refuse every write; the file and its tables must exist */
#define CRD_SQLITE_NORMAL 0x02u    /**< synchronous=NORMAL: a power cut may lose the last commits, never damage the file */
/** @} */

/**
 * Opens a database file, making it and its tables when they do not exist, and migrating an older schema.
 * The file is put in WAL mode with synchronous=FULL, and given a page cache of 64 MB. @memberof crd_sqlite
 * @param path   UTF-8 path, or ":memory:"
 * @param flags  CRD_SQLITE_…
 * @param out    receives the storage; also set on failure when there was memory for it, so that the cause can be
 *               read with crd_sqlite_message(). Close it with crd_sqlite_close() after its ledgers.
 * @return #CRD_OK; #CRD_E_ARGUMENT; #CRD_E_NOMEM; #CRD_E_SCHEMA when the file was written by a newer version or its
 *         tables are not ours; #CRD_E_STORAGE for what SQLite refused
 */
CRD_API crd_status CRD_CALL crd_sqlite_open(const char *path, uint32_t flags, crd_sqlite **out);

/**
 * Uses the host's own connection, and its open transaction when there is one: a write is then a savepoint within
 * it, kept or lost with it. Without an open transaction every write is a transaction of its own. The connection's
 * settings (journal mode, busy timeout, foreign keys) are left as they are; it must outlive the storage. Tables
 * are made or migrated as by crd_sqlite_open().
 */
CRD_API crd_status CRD_CALL crd_sqlite_attach(struct sqlite3 *database, uint32_t flags, crd_sqlite **out);

/** Its callback table; valid until crd_sqlite_close(). */
CRD_API const crd_storage *CRD_CALL crd_sqlite_storage(crd_sqlite *storage);

/** SQLite's own words for the last failure, or "". Valid until the next call on the storage. */
CRD_API const char *CRD_CALL crd_sqlite_message(const crd_sqlite *storage);

/** Closes it; an attached connection stays open. NULL is allowed. */
CRD_API void CRD_CALL crd_sqlite_close(crd_sqlite *storage);

CRD_END
#endif
