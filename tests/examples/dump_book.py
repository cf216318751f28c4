#!/usr/bin/python3
"""dump_book.py [--documents] FILE: the tables of an SQLite book as text, to compare two states of it.

--documents: only credits and invoices, without what depends on when they came: sequence numbers and the ids that
are derived from them.
"""
import sqlite3
import sys

documents = sys.argv[1] == "--documents"
database = sqlite3.connect(f"file:{sys.argv[-1]}?mode=ro", uri=True)
tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
assert "crd_entry" in tables and "crd_credit" in tables, tables
if documents:
    tables = ["crd_credit", "crd_invoice"]
for table in tables:
    columns = [row[1] for row in database.execute(f"PRAGMA table_info({table})")]
    if documents:
        columns = [name for name in columns if name not in ("first_seq", "last_seq", "issued_at", "receipt")]
    print(table, columns)
    for row in sorted(map(repr, database.execute(f"SELECT {', '.join(columns)} FROM {table}"))):
        print(row)
