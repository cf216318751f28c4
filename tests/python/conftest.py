"""What the tests of the Python package share: a ledger on each kind of storage, with a clock that stands still.

Storages: in memory, SQLite's, a dict in Python, the rows of examples/python_host.py, and in long mode PostgreSQL's."""
from datetime import datetime, timezone
from itertools import count
import os
from pathlib import Path
import sqlite3
import sys

import pytest

from credits import Ledger, LibraryError, MemoryStorage, PostgresStorage, SQLiteStorage
from connections import Postgres
from plain_storage import PlainStorage

sys.path.append(str(Path(__file__).parents[2] / "examples"))
from python_host import Rows  # noqa: E402

STORAGES = ["memory", "sqlite", "python", "host"]
CONNINFO = os.environ.get("CREDIT_TEST_CONNINFO")
if CONNINFO and "CREDIT_TEST_LONG" in os.environ:
    STORAGES.append("postgres")
_schemas = count()
NOON = datetime(2026, 3, 10, 12, 0, tzinfo=timezone.utc)


def new_storage(name, folder):
    if name == "sqlite":
        try:
            return SQLiteStorage(folder / "book.db")
        except LibraryError as error:
            pytest.skip(str(error))
    if name == "postgres":
        schema = f"Python {os.getpid()}.{next(_schemas)}"
        made = PostgresStorage(CONNINFO, schema=schema)
        made.schema = schema
        return made
    if name == "host":
        return Rows(sqlite3.connect(folder / "host.db", isolation_level=None, check_same_thread=False))
    return MemoryStorage() if name == "memory" else PlainStorage()


def give_back(storage):
    if hasattr(storage, "close"):
        storage.close()
    if hasattr(storage, "schema"):
        connection = Postgres(CONNINFO)
        connection.drop(storage.schema)
        connection.close()


@pytest.fixture(params=STORAGES)
def storage(request, tmp_path):
    made = new_storage(request.param, tmp_path)
    yield made
    give_back(made)


@pytest.fixture
def ledger(storage):
    with Ledger(storage, actor="till 1", clock=lambda: NOON) as opened:
        yield opened
        opened.verify()


@pytest.fixture
def acme(ledger):
    return ledger.add_customer("ACME", name="Acme & Sons")
