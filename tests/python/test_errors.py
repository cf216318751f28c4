"""Refusals are exceptions, one class for each status, with the figures in the types of Python."""
from datetime import date
from decimal import Decimal as D
import subprocess
import sys

import pytest

import credits
from credits import CreditError, Ledger, MemoryStorage, _abi, errors
from credits._library import load

from conftest import NOON


def test_there_is_a_class_for_every_status():
    codes = {value for name, value in vars(_abi).items() if name.startswith("CRD_E_")}
    assert codes == set(errors.BY_CODE)
    assert len(set(errors.BY_CODE.values())) == len(codes)
    for code, cls in errors.BY_CODE.items():
        error = errors.make(load(), code)
        assert type(error) is cls and error.code == code and error.name.startswith("CRD_E_") and str(error)
    assert type(errors.make(load(), -999)) is CreditError


def test_amounts(ledger, acme):
    memo = ledger.issue_credit("ACME", "memo", "EUR", 5, reason="r", id="M")
    bill = ledger.enter_invoice("ACME", "EUR", 50)
    with pytest.raises(credits.CreditAmountError) as caught:
        memo.apply(bill, D("5.01"))
    error = caught.value
    assert (error.limit, error.given, error.currency) == (D("5.00"), D("5.01"), "EUR")
    assert (error.name, error.code, error.transient) == ("CRD_E_CREDIT_AMOUNT", -16, False)
    assert (error.customer, error.subject_kind, error.subject) == ("ACME", credits.Kind.CREDIT, "M")
    assert str(error).startswith("CRD_E_CREDIT_AMOUNT: ") and error.message in str(error)
    assert isinstance(error, CreditError)


def test_dates_and_states(ledger, acme):
    memo = ledger.issue_credit("ACME", "memo", "EUR", 5, reason="r", expires=date(2026, 3, 20))
    with pytest.raises(credits.DateError) as caught:
        memo.void(on=date(2026, 3, 1))
    assert (caught.value.limit, caught.value.given) == (date(2026, 3, 10), date(2026, 3, 1))
    with pytest.raises(credits.ExpiredError) as expired:
        memo.apply(None, 1, on=date(2026, 3, 20))
    assert expired.value.limit == date(2026, 3, 20)
    memo.void()
    with pytest.raises(credits.StateError) as state:
        memo.apply(None, 1)
    assert state.value.given == credits.CreditState.VOIDED


def test_arguments_name_the_field(ledger, acme):
    with pytest.raises(credits.ArgumentError) as caught:
        ledger.issue_credit("ACME", "memo", "EUR", 5)
    assert "reason" in caught.value.field
    assert isinstance(caught.value, ValueError)
    with pytest.raises(ValueError, match="memo"):
        ledger.issue_credit("ACME", "memmo", "EUR", 5)
    with pytest.raises(TypeError):
        ledger.issue_credit("ACME", 6.0, "EUR", 5)
    with pytest.raises(credits.ArgumentError):
        ledger.issue_credit("ACME", "memo", "EUR", -5, reason="r")


def test_a_closed_ledger_is_told_so():
    with MemoryStorage() as storage:
        ledger = Ledger(storage, actor="a", clock=lambda: NOON)
        acme = ledger.add_customer("ACME")
        rows = ledger.customers()
        plan = ledger.plan()
        with pytest.raises(ValueError, match="open on"):
            storage.close()
        ledger.close()
        ledger.close()
        for call in (lambda: ledger.customer("ACME"), lambda: acme.record, lambda: acme.refresh(), lambda: acme.id,
                     lambda: list(plan), plan.skip, lambda: ledger.unit().__enter__()):
            with pytest.raises(ValueError, match="closed"):
                call()
        assert list(rows) == []
        assert "closed" in repr(acme)
        with Ledger(storage, actor="b", clock=lambda: NOON) as again:
            assert again.customer("ACME").record.created_at == NOON
    with pytest.raises(ValueError, match="closed"):
        Ledger(storage)


def test_a_ledger_that_is_forgotten_is_closed():
    with MemoryStorage() as storage:
        ledger = Ledger(storage, actor="a")
        handle = ledger.add_customer("ACME")
        with pytest.warns(ResourceWarning):
            del ledger, handle
    script = "import credits; s = credits.MemoryStorage(); l = credits.Ledger(s, actor='a'); " \
             "h = l.add_customer('A'); r = l.customers(); next(r); print(h.id)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "A\n", "")


def test_what_is_no_storage():
    with pytest.raises(TypeError):
        Ledger("book.db")
    with pytest.raises(TypeError):
        credits.Storage()  # read() and write() are missing


def test_a_library_that_is_not_there(tmp_path):
    script = "import credits\ntry: credits.load()\nexcept ImportError as e: print(type(e).__name__)"
    import os
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True,
                          env={**os.environ, "CREDIT_LIBRARY": str(tmp_path / "libcredit.so")})
    assert done.stdout == "LibraryError\n", done.stderr
    with pytest.raises(credits.LibraryError):
        credits.load(tmp_path / "another.so")
