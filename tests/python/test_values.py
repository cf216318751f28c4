"""Conversion at the edge: exact, or refused."""
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal as D

import pytest
from hypothesis import given, settings, strategies as st

from credits import InexactAmountError
from credits.values import (bytes_from, date_of, datetime_of, days_from, decimal_of, micros_from, minor_from, u32)

LARGE = st.integers(-2 ** 63, 2 ** 63 - 1)


@settings(derandomize=True)
@given(LARGE, st.integers(0, 9))
def test_minor_units_and_back(minor, exponent):
    amount = decimal_of(minor, exponent)
    assert minor_from(amount, exponent) == minor
    assert minor_from(str(amount), exponent) == minor
    assert -amount.as_tuple().exponent == exponent  # all its decimals are there


@settings(derandomize=True)
@given(st.decimals(allow_nan=False, allow_infinity=False), st.integers(0, 9))
def test_a_decimal_is_taken_exactly_or_refused(amount, exponent):
    from fractions import Fraction
    exact = Fraction(amount) * 10 ** exponent
    if exact.denominator == 1 and -2 ** 63 <= exact < 2 ** 63:
        assert minor_from(amount, exponent) == exact
    else:
        with pytest.raises(InexactAmountError):
            minor_from(amount, exponent)


@pytest.mark.parametrize("amount, exponent, minor", [
    ("12.34", 2, 1234), (D("12.340"), 2, 1234), (12, 2, 1200), (D("1E+3"), 0, 1000), ("-0.001", 3, -1), (0, 2, 0),
    (D("-0"), 2, 0), (D("0E-99"), 2, 0), (D("0E+99"), 2, 0), (D("-9223372036854775808"), 0, -2 ** 63)])
def test_amounts(amount, exponent, minor):
    assert minor_from(amount, exponent) == minor


@pytest.mark.parametrize("amount, error", [
    (1.5, TypeError), (True, TypeError), (None, TypeError), (b"1", TypeError), ("abc", ValueError), ("", ValueError),
    (D("NaN"), ValueError), (D("Infinity"), ValueError), (D("sNaN"), ValueError), ("1.005", InexactAmountError),
    (D("92233720368547758.08"), InexactAmountError), (D("1E+400"), InexactAmountError),
                                           (D("1E-400"), InexactAmountError),
    (2 ** 70, InexactAmountError)])
def test_amounts_refused(amount, error):
    with pytest.raises(error):
        minor_from(amount, 2)


def test_the_context_of_the_caller_rounds_nothing():
    from decimal import localcontext
    with localcontext() as context:
        context.prec = 3
        assert str(decimal_of(123456789, 2)) == "1234567.89"
        assert minor_from(D("1234567.89"), 2) == 123456789


@settings(derandomize=True)
@given(st.dates(min_value=date(1970, 1, 2)))
def test_dates(day):
    assert date_of(days_from(day)) == day


def test_dates_refused():
    assert days_from(None) == 0 and date_of(0) is None
    for wrong, error in ((datetime(2026, 1, 1), TypeError), ("2026-01-01", TypeError), (date(1970, 1, 1), ValueError)):
        with pytest.raises(error):
            days_from(wrong)


@settings(derandomize=True)
@given(st.datetimes(min_value=datetime(1970, 1, 3), max_value=datetime(9999, 12, 30)), st.integers(-720, 720))
def test_instants(moment, offset):
    moment = moment.replace(tzinfo=timezone(timedelta(minutes=offset)))
    there = datetime_of(micros_from(moment))
    assert there == moment and there.utcoffset() == timedelta(0)


def test_instants_refused():
    assert micros_from(None) == 0 and datetime_of(0) is None
    for wrong, error in ((datetime(2026, 1, 1), ValueError), (date(2026, 1, 1), TypeError), (1.5, TypeError),
                         (datetime(1970, 1, 1, tzinfo=timezone.utc), ValueError)):
        with pytest.raises(error):
            micros_from(wrong)


def test_text_and_numbers_refused():
    assert bytes_from("é", "id") == "é".encode() and bytes_from(None, "id") is None
    for wrong, error in (("a\0b", ValueError), ("\ud800", ValueError), (b"a", TypeError), (5, TypeError)):
        with pytest.raises(error, match="id"):
            bytes_from(wrong, "id")
    for wrong, error in ((-1, ValueError), (2 ** 32, ValueError), (True, TypeError), (1.0, TypeError)):
        with pytest.raises(error):
            u32(wrong, "by")


def test_every_currency_counts_in_its_own_units(ledger, acme):
    for currency, amount, text in (("JPY", 5, "5"), ("KWD", "1.005", "1.005"), ("EUR", "1.5", "1.50")):
        record = ledger.issue_credit("ACME", "memo", currency, amount, reason="r").record
        assert str(record.original) == text
    with pytest.raises(InexactAmountError):
        ledger.issue_credit("ACME", "memo", "JPY", "0.5", reason="r")
    import credits
    with pytest.raises(credits.CurrencyError):
        ledger.issue_credit("ACME", "memo", "XXX", 5, reason="r")
    with pytest.raises(ValueError):
        ledger.issue_credit("ACME\0", "memo", "EUR", 5, reason="r")


def test_a_currency_of_the_hosts_own(storage):
    from credits import Ledger
    with Ledger(storage, actor="a", currencies={"XTS": 5, "JPY": 2}) as ledger:
        ledger.add_customer("ACME")
        assert ledger.issue_credit("ACME", "memo", "XTS", "0.00001", reason="r").remaining == D("0.00001")
        assert str(ledger.issue_credit("ACME", "memo", "JPY", "0.5", reason="r").remaining) == "0.50"
        assert ledger.exponent("XTS") == 5
