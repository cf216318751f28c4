"""The conformance kit through ctypes: storages in Python conform, and one that does not is found out."""
import os
import sqlite3

import pytest

import credits

from conftest import Rows
from plain_storage import PlainStorage

try:
    from credits.testkit import claims, conformance
    claims()
except credits.LibraryError as error:
    pytest.skip(str(error), allow_module_level=True)


class Connected(PlainStorage):
    """Several on one dict."""

    def __init__(self, other=None):
        self.shared = other.shared if other else [{}]

    @property
    def rows(self):
        return self.shared[0]

    @rows.setter
    def rows(self, rows):
        self.shared[0] = rows


def test_a_dict_conforms():
    chosen = [claim.id for claim in claims()]
    if "CREDIT_TEST_LONG" not in os.environ:  # the host's own tables below are tried by nearly all of them
        chosen = chosen[::4]
    result = conformance(Connected, connect=Connected, only=chosen)
    print(result)
    assert result.conforms and result.errors == [] and result.held > 10
    assert result.held + result.skipped == len(chosen)


def test_a_hosts_own_tables_conform(tmp_path):
    made = []

    def at(path):
        made.append(sqlite3.connect(path, isolation_level=None, timeout=30))
        storage = Rows(made[-1])
        storage.path = path
        return storage

    def begin(storage):
        storage.db.execute("BEGIN IMMEDIATE")

    def end(storage, commit):
        storage.db.execute("COMMIT" if commit else "ROLLBACK")

    def reopen(storage):
        storage.db.close()
        return at(storage.path)
    chosen = [claim.id for claim in claims()]
    if "CREDIT_TEST_LONG" not in os.environ:  # the largest batch takes as long as all the others
        chosen.remove("W21")
    result = conformance(lambda: at(tmp_path / f"{len(made)}.db"), close=lambda storage: storage.db.close(),
                         reopen=reopen, connect=lambda storage: at(storage.path),
                         disconnect=lambda storage: storage.db.close(), begin=begin, end=end, threads=True,
                         only=chosen)
    print(result)
    assert result.conforms and result.errors == []


def test_storages_in_c_conform():
    result = conformance(credits.MemoryStorage, close=lambda storage: storage.close())
    print(result)
    assert result.conforms


@pytest.mark.parametrize("broken, claim", [("forgets", "W3"), ("keeps on conflict", "W4"), ("raises", "R16"),
                                           ("drops a guard", "W9")])
def test_what_is_wrong_is_found(broken, claim):
    class Broken(PlainStorage):
        def read(self, query, emit):
            if broken == "raises" and query.limit:
                raise KeyError("oops")
            super().read(query, emit)

        def write(self, batch):
            if broken == "forgets":
                batch = credits.Batch(batch.guards, batch.changes[:-1])
            if broken == "drops a guard":
                batch = credits.Batch(batch.guards[:-1], batch.changes)
            try:
                super().write(batch)
            except credits.GuardFailed:
                if broken == "keeps on conflict":
                    super().write(credits.Batch([], [change for change in batch.changes if not change.insert]))
                raise
    result = conformance(Broken, only=["T1", claim])
    assert not result.conforms
    assert {finding.claim.id: finding.verdict for finding in result.findings} == {"T1": "held", claim: "failed"}
    assert f"{claim} failed: " in str(result)
    assert bool(result.errors) == (broken == "raises")


def test_some_claims_and_interrupts():
    first = claims()[0].id
    result = conformance(PlainStorage, only=[first])
    assert [finding.claim.id for finding in result.findings] == [first]

    def interrupted():
        raise KeyboardInterrupt
    with pytest.raises(KeyboardInterrupt):
        conformance(interrupted)
    with pytest.raises(TypeError):
        conformance(PlainStorage, threads=True)
