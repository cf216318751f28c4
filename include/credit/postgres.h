/**
 * @file
 * Records in a PostgreSQL database: many writers, many machines. Link libcredit-postgres (pkg-config
 * credits-postgres).
 *
 * The tables have real columns, one per field of <credit/record.h>, and are named crd_account, crd_credit,
 * crd_invoice, crd_receipt, crd_hold, crd_line, crd_entry, crd_request, crd_customer, and crd_meta for the schema
 * version, in a schema of the host's choice. Read them with any tool; never write to them.
 */
#ifndef CREDIT_POSTGRES_H
#define CREDIT_POSTGRES_H

#include <credit/storage.h>

struct pg_conn;

CRD_BEGIN

/** A storage in a PostgreSQL database. One thread at a time; any number of processes may open the same schema. */
typedef struct crd_postgres crd_postgres;

/** @name Flags for opening
 * @{ */
#define CRD_POSTGRES_READ_ONLY 0x01u  /**< refuse every write; the tables must exist */
#define CRD_POSTGRES_UNPREPARED 0x02u /**< no named prepared statements: for a pooler that gives every transaction
                                           another connection */
#define CRD_POSTGRES_NO_DDL 0x04u     /**< make and change no table: for a role without the right to; the tables must
                                           exist as this version knows them */
#define CRD_POSTGRES_LOCK_READS 0x08u /**< a read of one customer's accounts locks them until the next call: for an account
                                           that many write at once; see the manual before using it. Not with crd_postgres_attach() */
/** @} */

/** How to open. Zero it, set struct_size, fill in what differs. */
typedef struct crd_postgres_options {
    uint32_t struct_size;
    uint32_t flags;     /**< CRD_POSTGRES_… */
    const char *schema; /**< name of the schema, as it is, not quoted, at most 63 bytes; NULL: "credit" */
    /** When the tables are made: how many partitions by hash of the customer each gets; 0: none. At most 1024. */
    uint32_t partitions;
    uint32_t reserved;
} crd_postgres_options;

/**
 * Connects, and makes the schema and its tables when they do not exist, or migrates older ones. A connection that is
 * lost is made anew by the next call. @memberof crd_postgres
 * @param conninfo  connection string or URI as libpq takes it; NULL or "": what the environment says
 * @param options   may be NULL
 * @param out       receives the storage; also set on failure when there was memory for it, so that the cause can be
 *                  read with crd_postgres_message(). Close it with crd_postgres_close() after its ledgers.
 * @return #CRD_OK; #CRD_E_ARGUMENT; #CRD_E_NOMEM; #CRD_E_SCHEMA when the tables were written by a newer version, are not
 *         ours or not in a UTF8 database; #CRD_E_STORAGE for what the server refused
 */
CRD_API crd_status CRD_CALL crd_postgres_open(const char *conninfo, const crd_postgres_options *options,
                                              crd_postgres **out);

/**
 * Uses the host's own connection (a PGconn, blocking, not in pipeline mode, client encoding UTF8), and its open
 * transaction when there is one: a write is then a savepoint within it, kept or lost with it. Without an open
 * transaction every write is a transaction of its own. No setting of the connection is changed; it must outlive the
 * storage. A lost one is the host's to reset. Tables are made or migrated as by crd_postgres_open().
 */
CRD_API crd_status CRD_CALL crd_postgres_attach(struct pg_conn *connection, const crd_postgres_options *options,
                                                crd_postgres **out);

/** Its callback table; valid until crd_postgres_close(). NULL when opening failed. */
CRD_API const crd_storage *CRD_CALL crd_postgres_storage(crd_postgres *storage);

/** The server's (or libpq's) own words for the last failure, or "". Valid until the next call on the storage. */
CRD_API const char *CRD_CALL crd_postgres_message(const crd_postgres *storage);

/** Closes it; an attached connection stays open. NULL is allowed. */
CRD_API void CRD_CALL crd_postgres_close(crd_postgres *storage);

CRD_END
#endif
