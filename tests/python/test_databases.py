"""The storages of libcredit-sqlite and libcredit-postgres: on a file or server of their own, and on a connection of the
host's, whose transaction a write is part of."""
import os

import pytest

import credits
from credits import Ledger, LibraryError, PostgresStorage, SQLiteStorage
from credits._library import load_other

from conftest import CONNINFO, NOON
from connections import Postgres, SQLite


def library(name):
    try:
        load_other(name)
    except LibraryError as error:
        pytest.skip(str(error))


def roll_back_and_keep(connection, storage):
    """What a transaction of the host's does is kept or lost with it, and told by no hook."""
    told = []
    with storage, Ledger(storage, actor="a", clock=lambda: NOON, event=told.append) as ledger:
        ledger.add_customer("ACME")
        assert len(told) == 1
        connection.do("BEGIN")
        memo = ledger.issue_credit("ACME", "memo", "EUR", 5, reason="r", id="LOST")
        memo.apply(None, 1)
        connection.do("ROLLBACK")
        with pytest.raises(credits.NotFoundError):
            memo.refresh()
        connection.do("BEGIN")
        ledger.issue_credit("ACME", "memo", "EUR", 7, reason="r", id="KEPT")
        connection.do("COMMIT")
        assert len(told) == 1
        assert [row.entry.credit for row in ledger.unacknowledged(customer="ACME", currency="EUR")] == ["KEPT"]
        assert ledger.balance("ACME", "EUR").credit == 7
        ledger.verify()


def test_sqlite_files(tmp_path):
    library("sqlite")
    with SQLiteStorage(tmp_path / "a.db", normal=True) as storage, Ledger(storage, actor="a") as ledger:
        ledger.add_customer("ACME")
        assert storage.message == ""
    with SQLiteStorage(str(tmp_path / "a.db"), read_only=True) as storage, Ledger(storage, actor="a") as ledger:
        assert ledger.customer("ACME").id == "ACME"
        with pytest.raises(credits.StorageError) as caught:
            ledger.add_customer("BETA")
        assert caught.value.host_text
    with pytest.raises(ValueError):
        storage.message
    (tmp_path / "broken.db").write_bytes(b"this is no database" * 100)
    with pytest.raises(credits.CreditError) as caught:
        SQLiteStorage(tmp_path / "broken.db")
    assert "database" in caught.value.host_text and caught.value.host_text in str(caught.value)
    for wrong in (dict(), dict(path="a.db", connection=1)):
        with pytest.raises(TypeError):
            SQLiteStorage(**wrong)


def test_sqlite_on_a_connection_of_the_hosts(tmp_path):
    library("sqlite")
    connection = SQLite(tmp_path / "host.db")
    connection.do("CREATE TABLE mine (id)")
    roll_back_and_keep(connection, SQLiteStorage(connection=connection.handle))
    connection.do("SELECT * FROM mine")
    connection.close()


@pytest.mark.skipif(not CONNINFO, reason="no PostgreSQL server to test against")
def test_postgres():
    library("postgres")
    schema = f"Python databases {os.getpid()}"
    connection = Postgres(CONNINFO)
    try:
        with PostgresStorage(CONNINFO, schema=schema, partitions=2) as storage, Ledger(storage, actor="a") as ledger:
            ledger.add_customer("BETA")
            ledger.issue_credit("BETA", "memo", "EUR", 5, reason="é").apply(None, 2)
            ledger.verify()
        with PostgresStorage(CONNINFO, schema=schema, read_only=True, unprepared=True) as storage, \
                Ledger(storage, actor="a") as ledger:
            assert ledger.balance("BETA", "EUR").credit == 3
            with pytest.raises(credits.StorageError):
                ledger.add_customer("GAMMA")
        roll_back_and_keep(connection, PostgresStorage(connection=connection.handle, schema=schema, no_ddl=True))
    finally:
        connection.drop(schema)
        connection.close()
    with pytest.raises(credits.StorageError) as caught:
        PostgresStorage("host=/nowhere")
    assert caught.value.host_text
