"""What the tests of the Python package share: a ledger on each kind of storage, with a clock that stands still.

Storages: in memory, SQLite's, a dict in Python, and the rows of examples/python_host.py."""
from datetime import datetime, timezone
from pathlib import Path
import sqlite3
import sys

import pytest

from credits import Ledger, LibraryError, MemoryStorage, SQLiteStorage
from plain_storage import PlainStorage

sys.path.append(str(Path(__file__).parents[2] / "examples"))
from python_host import Rows  # noqa: E402

NOON = datetime(2026, 3, 10, 12, 0, tzinfo=timezone.utc)


def new_storage(name, folder):
    if name == "sqlite":
        try:
            return SQLiteStorage(str(folder / "book.db"))
        except LibraryError as error:
            pytest.skip(str(error))
    if name == "host":
        return Rows(sqlite3.connect(folder / "host.db", isolation_level=None, check_same_thread=False))
    return MemoryStorage() if name == "memory" else PlainStorage()


@pytest.fixture(params=["memory", "sqlite", "python", "host"])
def storage(request, tmp_path):
    made = new_storage(request.param, tmp_path)
    yield made
    if hasattr(made, "close"):
        made.close()


@pytest.fixture
def ledger(storage):
    with Ledger(storage, actor="till 1", clock=lambda: NOON) as opened:
        yield opened
        opened.verify()


@pytest.fixture
def acme(ledger):
    return ledger.add_customer("ACME", name="Acme & Sons")
