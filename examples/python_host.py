#!/usr/bin/env python3
"""A workshop that sends bills, keeps its own tables in SQLite through Python's sqlite3, and credit beside them.

Records of libcredit are rows of crd_… tables in the same file, kept by the class Rows below: the two methods that a
storage is. So a bill's number, the workshop's own row for it and the invoice in the ledger are kept by one transaction
or not at all, and a join reads both. What it prints, worked out by hand:

    B1 to the cafe 120.00, B2 to the bakery 80.00. A bill dated in February, which is closed, takes no number.
    The cafe pays 100.00: B1 has 20.00 open. The bank's file, read twice by mistake, changes nothing.
    The cafe sends back a lamp, 30.00: 20.00 of the memo pay B1, and 10.00 stay.
    The bakery pays 100.00: 80.00 pay B2, and 20.00 stay; of B3, 50.00, they leave 30.00.
    So the cafe is owed 10.00 and the bakery owes 30.00.
"""
from contextlib import contextmanager
from datetime import date, datetime, timezone
import sqlite3
import sys

from credits import (FIELDS, ClosedError, FieldType, GuardFailed, KeyExists, Ledger, NotKept, Record, Settings, Storage)

TYPES = {FieldType.TEXT: "TEXT", FieldType.HASH: "BLOB", FieldType.BYTES: "BLOB"}
KEYS = {kind: [name for name, _, key in fields if key] for kind, fields in FIELDS.items()}


class Rows(Storage):
    """Records as rows, a table for each kind and a column for each field."""
    settled = True  # nothing that SQLite was asked takes effect after it answered

    def __init__(self, db):
        self.db = db
        for kind, fields in FIELDS.items():
            columns = ", ".join(f'"{name}" {TYPES.get(ftype, "INTEGER")} NOT NULL' for name, ftype, _ in fields)
            key = ", ".join(f'"{name}"' for name in KEYS[kind])
            db.execute(f"CREATE TABLE IF NOT EXISTS {table(kind)} ({columns}, PRIMARY KEY ({key})) WITHOUT ROWID")

    def joined(self):
        return self.db.in_transaction  # the workshop's own, which may yet be rolled back

    def read(self, query, emit):
        for kind in sorted(query.kinds):  # accounts have the smallest number, so they come first
            where, values = "", []
            if query.customer is not None:
                where, values = "WHERE customer = ?", [query.customer]
            for row in self.db.execute(f"SELECT * FROM {table(kind)} {where}", values).fetchall():
                fields = {name: value % 2**64 if ftype == FieldType.U64 else value
                          for (name, ftype, _), value in zip(FIELDS[kind], row)}
                if emit(Record(kind, fields)):
                    return

    def write(self, batch):
        with transaction(self.db):  # within the workshop's own, if it has one open
            failed = [i for i, guard in enumerate(batch.guards) if self.version(guard) != guard.version]
            if failed:
                raise GuardFailed(failed)
            for i, change in enumerate(batch.changes):
                self.change(i, change)

    def version(self, guard):
        row = self.db.execute("SELECT version FROM crd_account WHERE customer = ? AND currency = ?",
                              (guard.customer, guard.currency)).fetchone()
        return row[0] if row else 0

    def change(self, i, change):
        kind, record = change.kind, change.record
        values = [record[name] - 2**64 if ftype == FieldType.U64 and record[name] >= 2**63 else record[name]
                  for name, ftype, _ in FIELDS[kind]]
        if change.insert:
            try:
                self.db.execute(f"INSERT INTO {table(kind)} VALUES ({', '.join('?' * len(values))})", values)
            except sqlite3.IntegrityError:
                raise KeyExists(i) from None
        else:
            columns = ", ".join(f'"{name}" = ?' for name, _, _ in FIELDS[kind])
            where = " AND ".join(f'"{name}" = ?' for name in KEYS[kind])
            done = self.db.execute(f"UPDATE {table(kind)} SET {columns} WHERE {where}",
                                   values + [record[name] for name in KEYS[kind]])
            if done.rowcount != 1:
                raise NotKept("there is nothing to update")


def table(kind):
    return f"crd_{kind.name.lower()}"


@contextmanager
def transaction(db):
    """Keeps what is done within it, or nothing; within another one it is a savepoint."""
    inner = db.in_transaction
    db.execute("SAVEPOINT part" if inner else "BEGIN IMMEDIATE")
    try:
        yield
        db.execute("RELEASE part" if inner else "COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK TO part" if inner else "ROLLBACK")
            inner and db.execute("RELEASE part")
        raise


class Workshop:
    def __init__(self, path, clock):
        self.db = sqlite3.connect(path, isolation_level=None)
        self.db.executescript("""CREATE TABLE client (id TEXT PRIMARY KEY, phone TEXT);
            CREATE TABLE bill (number INTEGER PRIMARY KEY, client TEXT REFERENCES client, work TEXT)""")
        self.ledger = Ledger(Rows(self.db), actor="workshop", clock=clock,
                             settings=Settings(closed_through=date(2026, 2, 28)))

    def client(self, id, phone):
        with transaction(self.db):
            self.db.execute("INSERT INTO client VALUES (?, ?)", (id, phone))
            self.ledger.add_customer(id)

    def bill(self, client, work, euros, on=None):
        with transaction(self.db):
            number = self.db.execute("INSERT INTO bill (client, work) VALUES (?, ?)", (client, work)).lastrowid
            return self.ledger.enter_invoice(client, "EUR", euros, id=f"B{number}", text=work, on=on)

    def bank_line(self, client, euros, line):
        return self.ledger.enter_receipt(client, "EUR", euros, id=line, method="transfer", key=f"bank {line}",
                                         distribute=True, excess_to_credit=True)


def main():
    shop = Workshop(*sys.argv[1:] or [":memory:"], lambda: datetime(2026, 3, 10, 9, tzinfo=timezone.utc))
    with shop.ledger as ledger:
        shop.client("cafe", "01"), shop.client("bakery", "02")
        shop.bill("cafe", "three lamps", "120.00"), shop.bill("bakery", "the oven's door", 80)
        try:
            shop.bill("bakery", "a visit", 35, on=date(2026, 2, 27))
        except ClosedError as error:
            print(f"refused: {error.given} is closed, through {error.limit}")
        print("cafe pays:", shop.bank_line("cafe", 100, "L1").result.amount)
        print("read again:", "the same" if shop.bank_line("cafe", 100, "L1").result.repeated else "another")
        ledger.issue_credit("cafe", "memo", "EUR", 30, reason="a lamp came back")
        print("memo pays:", ledger.reconcile().applications, "bill")
        print("bakery pays:", shop.bank_line("bakery", 100, "L2").result.amount)
        shop.bill("bakery", "the oven's light", 50)
        ledger.reconcile(use_cash=True)
        for row in shop.db.execute("""SELECT i.id, phone, work, total, open FROM bill JOIN client ON client.id = client
                JOIN crd_invoice i ON i.customer = client AND i.id = 'B' || number ORDER BY number"""):
            print("{:3} {} {:16} {:6} {:5}".format(*row))
        for row in ledger.accounts():
            if row.currency:
                print(f"{row.customer} owes {row.amount}")
        print("verified:", ledger.verify().entries, "entries")


if __name__ == "__main__":
    main()
