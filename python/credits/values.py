"""What crosses the edge: money as Decimal, business dates as date, instants as datetime with a time zone, text as str.

Nothing is rounded, cut off or guessed here: what does not fit exactly is refused.
"""
from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from decimal import Context, Decimal, InvalidOperation
from typing import Union

from . import _abi

Amount = Union[Decimal, int, str]
"""An amount in major units: Decimal("12.34"), 12 or "12.34". Never a float."""

_EPOCH = date(1970, 1, 1).toordinal()
_EPOCH_UTC = datetime(1970, 1, 1, tzinfo=timezone.utc)
_MICROSECOND = timedelta(microseconds=1)
# Enough digits for 64 bits, and an error for what would need more: no result of it is ever rounded.
_EXACT = Context(prec=40, Emin=-99, Emax=99, traps=[InvalidOperation])
_QUANTUM = [Decimal(1).scaleb(-exponent) for exponent in range(_abi.CRD_MONEY_MAX_EXPONENT + 1)]


class InexactAmountError(ValueError):
    """The amount has more decimals than its currency, or more digits than 64 bits hold."""


def minor_from(amount: Amount, exponent: int, name: str = "amount") -> int:
    """The minor units of an amount: Decimal("12.34") of a currency with two decimals is 1234."""
    if isinstance(amount, bool) or isinstance(amount, float) or not isinstance(amount, (Decimal, int, str)):
        raise TypeError(f"{name}: a Decimal, an int or a str of major units, not {type(amount).__name__}")
    if isinstance(amount, str):
        try:
            amount = Decimal(amount)
        except InvalidOperation:
            raise ValueError(f"{name}: {amount!r} is no amount") from None
    if isinstance(amount, Decimal):
        if not amount.is_finite():
            raise ValueError(f"{name}: {amount} is no amount")
        sign, digits, power = amount.as_tuple()
        assert isinstance(power, int)
        shift = power + exponent
        coefficient = int("".join(map(str, digits)))
        if coefficient == 0:
            return 0
        if shift > 30:
            raise InexactAmountError(f"{name}: {amount} does not fit in 64 bits")
        if shift >= 0:
            minor = coefficient * 10 ** shift
        elif len(digits) + shift < -1:
            raise InexactAmountError(f"{name}: {amount} has more than {exponent} decimals")
        else:
            minor, rest = divmod(coefficient, 10 ** -shift)
            if rest:
                raise InexactAmountError(f"{name}: {amount} has more than {exponent} decimals")
        minor = int(-minor if sign else minor)
    else:
        minor = amount * 10 ** exponent
    if not -2 ** 63 <= minor < 2 ** 63:
        raise InexactAmountError(f"{name}: {amount} does not fit in 64 bits")
    return int(minor)


def decimal_of(minor: int, exponent: int) -> Decimal:
    """The amount of minor units, with all the decimals of its currency: 1230 with two is Decimal("12.30")."""
    return Decimal(minor).scaleb(-exponent, _EXACT)


def days_from(value: date | None, name: str = "date") -> int:
    """Days since 1970 of a business date; None is 0, which stands for "not given"."""
    if value is None:
        return 0
    if isinstance(value, datetime) or not isinstance(value, date):
        raise TypeError(f"{name}: a datetime.date, not {type(value).__name__}")
    days = value.toordinal() - _EPOCH
    if days < _abi.CRD_DATE_MIN:
        raise ValueError(f"{name}: {value} is before 1970-01-02, where business dates begin")
    return days


def date_of(days: int) -> date | None:
    """The date of days since 1970; 0 is None."""
    return date.fromordinal(_EPOCH + days) if days else None


def micros_from(value: datetime | None, name: str = "at") -> int:
    """Microseconds since 1970 UTC; None is 0, which stands for "not given"."""
    if value is None:
        return 0
    if not isinstance(value, datetime):
        raise TypeError(f"{name}: a datetime with a time zone, not {type(value).__name__}")
    if value.tzinfo is None or value.utcoffset() is None:
        raise ValueError(f"{name}: {value} has no time zone")
    micros = (value - _EPOCH_UTC) // _MICROSECOND
    if micros <= 0:
        raise ValueError(f"{name}: {value} is not after 1970-01-01 00:00 UTC")
    return micros


def datetime_of(micros: int) -> datetime | None:
    """The instant, in UTC; 0 is None."""
    return _EPOCH_UTC + timedelta(microseconds=micros) if micros else None


def bytes_from(text: str | None, name: str) -> bytes | None:
    """UTF-8 of a text, for C. None stays None; a NUL, which would cut it short, is refused."""
    if text is None:
        return None
    if not isinstance(text, str):
        raise TypeError(f"{name}: a str, not {type(text).__name__}")
    if "\0" in text:
        raise ValueError(f"{name}: text may not contain NUL")
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise ValueError(f"{name}: text that is not Unicode") from None


def text_of(value: bytes | None) -> str:
    """Text from C; NULL is "". What verify tells of a broken record need not be UTF-8."""
    return value.decode(errors="backslashreplace") if value else ""


def _int(value: int, low: int, high: int, name: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{name}: an int, not {type(value).__name__}")
    if not low <= value <= high:
        raise ValueError(f"{name}: {value} is not between {low} and {high}")
    return int(value)


def u32(value: int, name: str) -> int:
    """ctypes would cut off what does not fit."""
    return _int(value, 0, 2 ** 32 - 1, name)


def i32(value: int, name: str) -> int:
    return _int(value, -2 ** 31, 2 ** 31 - 1, name)


def i64(value: int, name: str) -> int:
    return _int(value, -2 ** 63, 2 ** 63 - 1, name)


def thousandths(value: Amount, name: str) -> int:
    """Thousandths of a quantity, exactly."""
    return minor_from(value, 3, name)
