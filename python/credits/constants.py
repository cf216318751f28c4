"""The numbers of the C interface as enumerations. A number this version does not know stays a plain int."""
from __future__ import annotations

from enum import IntEnum, IntFlag
from typing import Any, TypeVar

from . import _abi


def _members(prefix: str, *names: str) -> list[tuple[str, int]]:
    return [(name, getattr(_abi, prefix + name)) for name in names]


class Kind(IntEnum):
    """Kinds of record."""
    ACCOUNT = _abi.CRD_KIND_ACCOUNT
    CUSTOMER = _abi.CRD_KIND_CUSTOMER
    CREDIT = _abi.CRD_KIND_CREDIT
    INVOICE = _abi.CRD_KIND_INVOICE
    RECEIPT = _abi.CRD_KIND_RECEIPT
    HOLD = _abi.CRD_KIND_HOLD
    LINE = _abi.CRD_KIND_LINE
    ENTRY = _abi.CRD_KIND_ENTRY
    REQUEST = _abi.CRD_KIND_REQUEST


FieldType = IntEnum("FieldType", [(name[len("CRD_FIELD_"):], value) for name, value in vars(_abi).items()  # type: ignore[misc]
                                  if name.startswith("CRD_FIELD_") and name != "CRD_FIELD_KEY"], module=__name__)
FieldType.__doc__ = "Types of field in a record."


class CreditClass(IntEnum):
    """Classes of credit (what may be done with it)."""
    CASH = _abi.CRD_CLASS_CASH
    MEMO = _abi.CRD_CLASS_MEMO
    PROMISE = _abi.CRD_CLASS_PROMISE
    ADJUSTMENT = _abi.CRD_CLASS_ADJUSTMENT
    OPENING = _abi.CRD_CLASS_OPENING


class CreditKind(IntEnum):
    """Kinds of credit."""
    PAYMENT = _abi.CRD_CREDIT_PAYMENT
    PREPAYMENT = _abi.CRD_CREDIT_PREPAYMENT
    DEPOSIT = _abi.CRD_CREDIT_DEPOSIT
    OVERPAYMENT = _abi.CRD_CREDIT_OVERPAYMENT
    UNAPPLIED_CASH = _abi.CRD_CREDIT_UNAPPLIED_CASH
    MEMO = _abi.CRD_CREDIT_MEMO
    SERVICE = _abi.CRD_CREDIT_SERVICE
    ALLOWANCE = _abi.CRD_CREDIT_ALLOWANCE
    REFUND_OWED = _abi.CRD_CREDIT_REFUND_OWED
    REVERSED_INVOICE = _abi.CRD_CREDIT_REVERSED_INVOICE
    GOODWILL = _abi.CRD_CREDIT_GOODWILL
    PROMOTIONAL = _abi.CRD_CREDIT_PROMOTIONAL
    LOYALTY = _abi.CRD_CREDIT_LOYALTY
    REFERRAL = _abi.CRD_CREDIT_REFERRAL
    ADJUSTMENT = _abi.CRD_CREDIT_ADJUSTMENT
    OPENING = _abi.CRD_CREDIT_OPENING


class CreditState(IntEnum):
    """States of a credit."""
    ACTIVE = _abi.CRD_CREDIT_ACTIVE
    SPENT = _abi.CRD_CREDIT_SPENT
    VOIDED = _abi.CRD_CREDIT_VOIDED


class Cause(IntEnum):
    """What ended a document, and why something was written off."""
    NONE = _abi.CRD_CAUSE_NONE
    APPLIED = _abi.CRD_CAUSE_APPLIED
    VOIDED = _abi.CRD_CAUSE_VOIDED
    EXPIRED = _abi.CRD_CAUSE_EXPIRED
    REVERSED = _abi.CRD_CAUSE_REVERSED
    DELETED = _abi.CRD_CAUSE_DELETED
    REFUNDED = _abi.CRD_CAUSE_REFUNDED
    ADJUSTED = _abi.CRD_CAUSE_ADJUSTED
    TRANSFERRED = _abi.CRD_CAUSE_TRANSFERRED
    WRITTEN_OFF = _abi.CRD_CAUSE_WRITTEN_OFF
    CANCELLED = _abi.CRD_CAUSE_CANCELLED
    UNDONE = _abi.CRD_CAUSE_UNDONE
    TOLERANCE = _abi.CRD_CAUSE_TOLERANCE
    DISCOUNT = _abi.CRD_CAUSE_DISCOUNT


class InvoiceKind(IntEnum):
    """Kinds of invoice."""
    INVOICE = _abi.CRD_INVOICE_INVOICE
    FINANCE_CHARGE = _abi.CRD_INVOICE_FINANCE_CHARGE
    DEBIT_MEMO = _abi.CRD_INVOICE_DEBIT_MEMO
    FEE = _abi.CRD_INVOICE_FEE


class InvoiceState(IntEnum):
    """States of an invoice."""
    DRAFT = _abi.CRD_INVOICE_DRAFT
    OPEN = _abi.CRD_INVOICE_OPEN
    PAID = _abi.CRD_INVOICE_PAID
    WRITTEN_OFF = _abi.CRD_INVOICE_WRITTEN_OFF
    VOIDED = _abi.CRD_INVOICE_VOIDED
    CANCELLED = _abi.CRD_INVOICE_CANCELLED


class ReceiptState(IntEnum):
    """States of a receipt."""
    POSTED = _abi.CRD_RECEIPT_POSTED
    UNDONE = _abi.CRD_RECEIPT_UNDONE
    REVERSED = _abi.CRD_RECEIPT_REVERSED
    DELETED = _abi.CRD_RECEIPT_DELETED


class HoldState(IntEnum):
    """States of a hold."""
    HELD = _abi.CRD_HOLD_HELD
    RELEASED = _abi.CRD_HOLD_RELEASED
    CAPTURED = _abi.CRD_HOLD_CAPTURED
    LAPSED = _abi.CRD_HOLD_LAPSED


class Flag(IntFlag):
    """Flags of documents."""
    RESERVED = _abi.CRD_FLAG_RESERVED
    NON_REFUNDABLE = _abi.CRD_FLAG_NON_REFUNDABLE
    TRANSFERRED_IN = _abi.CRD_FLAG_TRANSFERRED_IN
    DELETED = _abi.CRD_FLAG_DELETED
    REVERSED = _abi.CRD_FLAG_REVERSED
    DISPUTED = _abi.CRD_FLAG_DISPUTED
    OPENING = _abi.CRD_FLAG_OPENING
    OWN_DOCUMENT = _abi.CRD_FLAG_OWN_DOCUMENT
    REFUNDABLE = _abi.CRD_FLAG_REFUNDABLE
    RETURN = _abi.CRD_FLAG_RETURN


class Switch(IntFlag):
    """Switches of a customer."""
    FEATURE_OFF = _abi.CRD_SWITCH_FEATURE_OFF
    AUTO_APPLY_ON = _abi.CRD_SWITCH_AUTO_APPLY_ON
    AUTO_APPLY_OFF = _abi.CRD_SWITCH_AUTO_APPLY_OFF


EntryType = IntEnum("EntryType", _members(  # type: ignore[misc]
    "CRD_ENTRY_", "CUSTOMER", "ISSUE", "APPLY", "UNAPPLY", "VOID", "EXPIRE", "REFUND", "UNREFUND", "ADJUST",
    "ADJUST_PIECE", "TRANSFER", "UNTRANSFER", "REVERSE", "DELETE", "UNADJUST", "CREDIT_CHANGE", "INVOICE", "SEND", "REVISE",
    "INVOICE_VOID", "WRITE_OFF", "UNWRITE_OFF", "CUT", "RECEIPT", "RECEIPT_UNDO", "RECEIPT_REVERSE", "RECEIPT_DELETE",
    "HOLD", "RELEASE", "LAPSE", "CAPTURE", "SWITCHES"), module=__name__)
EntryType.__doc__ = "Types of journal entry."


class EntryFlag(IntFlag):
    """Flags of a journal entry."""
    BY_OWN_RECEIPT = _abi.CRD_ENTRY_BY_OWN_RECEIPT
    AUTOMATIC = _abi.CRD_ENTRY_AUTOMATIC
    CONSEQUENCE = _abi.CRD_ENTRY_CONSEQUENCE
    POSTS_RECEIPT = _abi.CRD_ENTRY_POSTS_RECEIPT


Command = IntEnum("Command", [(name[len("CRD_COMMAND_"):], value) for name, value in vars(_abi).items()  # type: ignore[misc]
                              if name.startswith("CRD_COMMAND_")], module=__name__)
Command.__doc__ = "Commands: what authorize is asked about."
ReportKind = IntEnum("ReportKind", [(name[len("CRD_REPORT_"):], value) for name, value in vars(_abi).items()  # type: ignore[misc]
                                    if name.startswith("CRD_REPORT_")], module=__name__)
ReportKind.__doc__ = "Reports."
Order = IntEnum("Order", _members("CRD_ORDER_", "DATE", "PRIORITY", "EXPIRY", "CLASS", "KIND", "EFFECTIVE",  # type: ignore[misc]
                                  "FINANCE_CHARGE", "DUE"), module=__name__)
Order.__doc__ = "Keys of an order of allocation."
LeftOut = IntEnum("LeftOut", [(name[len("CRD_LEFT_"):], value) for name, value in vars(_abi).items()  # type: ignore[misc]
                              if name.startswith("CRD_LEFT_")], module=__name__)
LeftOut.__doc__ = "Why an item of a plan takes no part, or no further part."
PlanState = IntEnum("PlanState", _members("CRD_PLAN_", "PROPOSED", "SKIPPED", "POSTED", "CONFLICTED",  # type: ignore[misc]
                                          "REPEATED", "NOTHING"), module=__name__)
PlanState.__doc__ = "States of a planned account."
GLRole = IntEnum("GLRole", [(name[len("CRD_GL_"):], value) for name, value in vars(_abi).items()  # type: ignore[misc]
                            if name.startswith("CRD_GL_") and name != "CRD_GL_ROLES"], module=__name__)
GLRole.__doc__ = "Accounts of the general ledger, by what they are for."
LinePolicy = IntEnum("LinePolicy", _members("CRD_LINES_", "WARN", "ALLOW", "REFUSE"), module=__name__)  # type: ignore[misc]
LinePolicy.__doc__ = "What happens when a line is removed from a sale after its day."
RowLine = IntEnum("RowLine", _members("CRD_LINE_", "ENTRY", "OPENING", "EXPIRED", "CLOSING"), module=__name__)  # type: ignore[misc]
RowLine.__doc__ = "Lines of a report that has several kinds."


class By(IntFlag):
    """What a report adds up by."""
    CUSTOMER = _abi.CRD_BY_CUSTOMER
    CLASS = _abi.CRD_BY_CLASS
    SOURCE = _abi.CRD_BY_SOURCE
    STATE = _abi.CRD_BY_STATE
    DAY = _abi.CRD_BY_DAY
    METHOD = _abi.CRD_BY_METHOD


class CommandWarning(IntFlag):
    """Warnings of a command: it was done, but a person should know."""
    LINE_REMOVED = _abi.CRD_WARN_LINE_REMOVED


class Format(IntEnum):
    """Formats that postings are exported in."""
    HLEDGER = _abi.CRD_EXPORT_HLEDGER
    LEDGER = _abi.CRD_EXPORT_LEDGER
    BEANCOUNT = _abi.CRD_EXPORT_BEANCOUNT


E = TypeVar("E", bound=IntEnum)


def known(enum: type[E], value: int) -> Any:
    """The member of that value, or the int itself when there is none."""
    try:
        return enum(value)
    except ValueError:
        return value


def number(enum: type[E], value: int | str | E, name: str) -> int:
    """The number of a member, which may be named ("goodwill"); `name` is the argument, for the error."""
    if isinstance(value, str):
        try:
            return int(enum[value.upper().replace(" ", "_").replace("-", "_")])
        except KeyError:
            raise ValueError(f"{name}: {value!r} is none of {', '.join(m.name.lower() for m in enum)}") from None
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{name}: a member of {enum.__name__}, its name or its number, not {type(value).__name__}")
    return int(value)


def bits(enum: type[E], values: Any, name: str) -> int:
    """A set of members as bits 1 << number; None and an empty set: 0."""
    if values is None:
        return 0
    if isinstance(values, (int, str)):
        values = (values,)
    out = 0
    for value in values:
        out |= 1 << number(enum, value, name)
    return out
