"""Exceptions: one class for each status of the C interface, with the figures a person needs to act."""
from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Callable, Union

from . import _abi
from .constants import Kind, known
from .values import date_of, decimal_of, text_of

Figure = Union[Decimal, date, int, None]


class CreditError(Exception):
    """A call was refused or failed. Unless its class says otherwise, nothing was changed.

    code, name       the status: -16, "CRD_E_CREDIT_AMOUNT"
    message          one line for people
    subject_kind     kind of the record it is about (Kind), or 0
    subject          its id, or ""
    customer, currency, field
    limit, given     what would have been allowed, and what was asked: Decimal where they are amounts, date where they
                     are business dates, else int
    host_error, host_text   the storage's own number and words
    transient        whether the same call may succeed later without a change of its arguments
    """
    code = 0
    name = ""
    transient = False

    def __init__(self, message: str = "", *, code: int | None = None, name: str = "", transient: bool = False,
                 subject_kind: int = 0, subject: str = "", customer: str = "", currency: str = "", field: str = "",
                 limit: Figure = 0, given: Figure = 0, host_error: int = 0, host_text: str = "") -> None:
        super().__init__(message)
        self.message = message
        if code is not None:
            self.code, self.name, self.transient = code, name, transient
        self.subject_kind, self.subject = subject_kind, subject
        self.customer, self.currency, self.field = customer, currency, field
        self.limit, self.given = limit, given
        self.host_error, self.host_text = host_error, host_text

    def __str__(self) -> str:
        return f"{self.name}: {self.message}" if self.name else self.message


class ArgumentError(CreditError, ValueError):
    """An argument is missing, malformed or out of its range; `field` names it."""


class OutOfMemoryError(CreditError, MemoryError):
    """Memory could not be had."""


class BusyError(CreditError, RuntimeError):
    """The ledger was called from within one of its own callbacks."""


class DeniedError(CreditError):
    """The authorize hook said no."""


class DisabledError(CreditError):
    """The feature is switched off for this ledger or customer."""


class KeyReusedError(CreditError):
    """The request key was used for another command; `field` names the first argument that differs."""


class NotFoundError(CreditError, LookupError):
    """No such customer, credit, invoice, receipt or entry."""


class ExistsError(CreditError):
    """The id is taken, by an existing or a former document."""


class OtherCustomerError(CreditError):
    """The documents belong to different customers."""


class CurrencyError(CreditError):
    """The documents have different currencies, or the currency is not known."""


class StateError(CreditError):
    """The document's state does not allow it; `given` is the state, as a number."""


class ClosedError(CreditError):
    """The business date lies in a closed period; `limit` is the closed-through date."""


class DateError(CreditError):
    """The business date is before the last entry of a document it touches; `limit` is that date."""


class ExpiredError(CreditError):
    """The credit is not usable on that date; `limit` is the date that decides."""


class WindowError(CreditError):
    """The window in which the command was possible has passed; `limit` is its last date."""


class CreditAmountError(CreditError):
    """More than the credit has available; `limit` is what it has, `given` what was asked."""


class InvoiceAmountError(CreditError):
    """More than the invoice has open; `limit` is what is open, `given` what was asked."""


class AmountOverflowError(CreditError, OverflowError):
    """A figure would leave the range of 64-bit minor units."""


class NothingError(CreditError):
    """There is nothing left to undo, void, apply or release."""


class InUseError(CreditError):
    """The document is still applied, held or allocated; `limit` is how much."""


class TooLargeError(CreditError):
    """The command is larger than one batch may be; `limit` is the bound."""


class UnitError(CreditError):
    """A unit of work is open where none may be, or none is open where one must be."""


class CancelledError(CreditError):
    """A callback asked to stop. What was kept before stays kept."""


class RestrictedError(CreditError):
    """The credit is restricted to other kinds of invoice."""


class DistributionError(CreditError):
    """The lines of a receipt do not add up; `given` is what remains to be distributed."""


class NotRefundableError(CreditError):
    """The credit is of a class that is not paid out, or was issued as not refundable."""


class ReturnedError(CreditError):
    """More than was sold would be returned, or a return stands in the way."""


class BelowZeroError(CreditError):
    """Credit cannot be set below nothing; `limit` is the smallest amount allowed."""


class ConflictError(CreditError):
    """Another writer changed the account first. Refresh, look, and decide again."""


class UnknownOutcomeError(CreditError):
    """It could not be found out whether the change was kept: all of it or nothing. Refresh before anything else; with a
    request key, simply send the same command again."""


class StorageError(CreditError):
    """The storage failed; nothing was kept. `host_error` and `host_text` are its own words."""


class RestartError(CreditError):
    """The storage, and the host's own transaction with it, cannot go on: roll back and begin again."""


class ContractError(CreditError):
    """The storage broke its contract; the message says how."""


class CorruptError(CreditError):
    """A stored record contradicts itself or its journal. Run Ledger.verify()."""


class SchemaError(CreditError):
    """The stored data was written by a newer version, or its schema cannot be used."""


BY_CODE: dict[int, type[CreditError]] = {
    _abi.CRD_E_ARGUMENT: ArgumentError, _abi.CRD_E_NOMEM: OutOfMemoryError, _abi.CRD_E_BUSY: BusyError,
    _abi.CRD_E_DENIED: DeniedError, _abi.CRD_E_DISABLED: DisabledError, _abi.CRD_E_KEY_REUSED: KeyReusedError,
    _abi.CRD_E_NOT_FOUND: NotFoundError, _abi.CRD_E_EXISTS: ExistsError, _abi.CRD_E_CUSTOMER: OtherCustomerError,
    _abi.CRD_E_CURRENCY: CurrencyError, _abi.CRD_E_STATE: StateError, _abi.CRD_E_CLOSED: ClosedError,
    _abi.CRD_E_DATE: DateError, _abi.CRD_E_EXPIRED: ExpiredError, _abi.CRD_E_WINDOW: WindowError,
    _abi.CRD_E_CREDIT_AMOUNT: CreditAmountError, _abi.CRD_E_INVOICE_AMOUNT: InvoiceAmountError,
    _abi.CRD_E_OVERFLOW: AmountOverflowError, _abi.CRD_E_NOTHING: NothingError, _abi.CRD_E_IN_USE: InUseError,
    _abi.CRD_E_TOO_LARGE: TooLargeError, _abi.CRD_E_UNIT: UnitError, _abi.CRD_E_CANCELLED: CancelledError,
    _abi.CRD_E_RESTRICTED: RestrictedError, _abi.CRD_E_DISTRIBUTION: DistributionError,
    _abi.CRD_E_NOT_REFUNDABLE: NotRefundableError, _abi.CRD_E_RETURNED: ReturnedError,
    _abi.CRD_E_BELOW_ZERO: BelowZeroError, _abi.CRD_E_CONFLICT: ConflictError, _abi.CRD_E_UNKNOWN: UnknownOutcomeError,
    _abi.CRD_E_STORAGE: StorageError, _abi.CRD_E_RESTART: RestartError, _abi.CRD_E_CONTRACT: ContractError,
    _abi.CRD_E_CORRUPT: CorruptError, _abi.CRD_E_SCHEMA: SchemaError,
}

_AMOUNTS = {_abi.CRD_E_CREDIT_AMOUNT, _abi.CRD_E_INVOICE_AMOUNT, _abi.CRD_E_IN_USE, _abi.CRD_E_DISTRIBUTION,
            _abi.CRD_E_RETURNED, _abi.CRD_E_BELOW_ZERO}
_DATES = {_abi.CRD_E_CLOSED, _abi.CRD_E_DATE, _abi.CRD_E_EXPIRED, _abi.CRD_E_WINDOW}


def figure(code: int, value: int, currency: str, exponent: Callable[[str], int], limit: bool = False) -> Figure:
    """What `limit` or `given` of a status means, as a value of Python."""
    if (code in _AMOUNTS or code == _abi.CRD_E_STATE and limit) and currency:
        try:
            return decimal_of(value, exponent(currency))
        except CreditError:
            return value
    if code in _DATES and abs(value) <= _abi.CRD_DATE_MAX:
        return date_of(value)
    return value


def make(library: object, code: int, error: object = None, exponent: Callable[[str], int] | None = None) -> CreditError:
    """The exception of a status; `error` is the crd_error that explains it, if there is one."""
    name = library.crd_status_name(code).decode()  # type: ignore[attr-defined]
    transient = bool(library.crd_status_is_transient(code))  # type: ignore[attr-defined]
    cls = BY_CODE.get(code, CreditError)
    if error is None or error.code != code:  # type: ignore[attr-defined]
        message = library.crd_status_text(code).decode()  # type: ignore[attr-defined]
        return cls(message, code=code, name=name, transient=transient)
    # All of it is copied before anything else is asked of the ledger, which would overwrite it.
    e = error
    currency, limit, given = text_of(e.currency), e.limit, e.given  # type: ignore[attr-defined]
    made = cls(text_of(e.message), code=code, name=name, transient=transient,  # type: ignore[attr-defined]
               subject_kind=known(Kind, e.subject_kind), subject=text_of(e.subject),  # type: ignore[attr-defined]
               customer=text_of(e.customer), currency=currency, field=text_of(e.field),  # type: ignore[attr-defined]
               host_error=e.host_error, host_text=text_of_host(e.host_text))  # type: ignore[attr-defined]
    if exponent is not None:
        made.limit = figure(code, limit, currency, exponent, limit=True)
        made.given = figure(code, given, currency, exponent)
    return made


def text_of_host(value: bytes | None) -> str:
    """The storage's own words, which need not be UTF-8."""
    return value.decode(errors="replace") if value else ""
