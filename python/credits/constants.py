"""The numbers of the C interface as enumerations. A number this version does not know stays a plain int."""
from __future__ import annotations

from enum import IntEnum, IntFlag
from typing import Any, TypeVar

from . import _abi


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


class FieldType(IntEnum):
    """Types of field in a record."""
    U32 = _abi.CRD_FIELD_U32
    I32 = _abi.CRD_FIELD_I32
    DATE = _abi.CRD_FIELD_DATE
    I64 = _abi.CRD_FIELD_I64
    U64 = _abi.CRD_FIELD_U64
    INSTANT = _abi.CRD_FIELD_INSTANT
    MINOR = _abi.CRD_FIELD_MINOR
    TEXT = _abi.CRD_FIELD_TEXT
    HASH = _abi.CRD_FIELD_HASH
    BYTES = _abi.CRD_FIELD_BYTES


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


class EntryType(IntEnum):
    """Types of journal entry."""
    CUSTOMER = _abi.CRD_ENTRY_CUSTOMER
    ISSUE = _abi.CRD_ENTRY_ISSUE
    APPLY = _abi.CRD_ENTRY_APPLY
    UNAPPLY = _abi.CRD_ENTRY_UNAPPLY
    VOID = _abi.CRD_ENTRY_VOID
    EXPIRE = _abi.CRD_ENTRY_EXPIRE
    REFUND = _abi.CRD_ENTRY_REFUND
    UNREFUND = _abi.CRD_ENTRY_UNREFUND
    ADJUST = _abi.CRD_ENTRY_ADJUST
    ADJUST_PIECE = _abi.CRD_ENTRY_ADJUST_PIECE
    TRANSFER = _abi.CRD_ENTRY_TRANSFER
    UNTRANSFER = _abi.CRD_ENTRY_UNTRANSFER
    REVERSE = _abi.CRD_ENTRY_REVERSE
    DELETE = _abi.CRD_ENTRY_DELETE
    CREDIT_CHANGE = _abi.CRD_ENTRY_CREDIT_CHANGE
    UNADJUST = _abi.CRD_ENTRY_UNADJUST
    INVOICE = _abi.CRD_ENTRY_INVOICE
    SEND = _abi.CRD_ENTRY_SEND
    REVISE = _abi.CRD_ENTRY_REVISE
    INVOICE_VOID = _abi.CRD_ENTRY_INVOICE_VOID
    WRITE_OFF = _abi.CRD_ENTRY_WRITE_OFF
    UNWRITE_OFF = _abi.CRD_ENTRY_UNWRITE_OFF
    CUT = _abi.CRD_ENTRY_CUT
    RECEIPT = _abi.CRD_ENTRY_RECEIPT
    RECEIPT_UNDO = _abi.CRD_ENTRY_RECEIPT_UNDO
    RECEIPT_REVERSE = _abi.CRD_ENTRY_RECEIPT_REVERSE
    RECEIPT_DELETE = _abi.CRD_ENTRY_RECEIPT_DELETE
    HOLD = _abi.CRD_ENTRY_HOLD
    RELEASE = _abi.CRD_ENTRY_RELEASE
    LAPSE = _abi.CRD_ENTRY_LAPSE
    CAPTURE = _abi.CRD_ENTRY_CAPTURE
    SWITCHES = _abi.CRD_ENTRY_SWITCHES


class EntryFlag(IntFlag):
    """Flags of a journal entry."""
    BY_OWN_RECEIPT = _abi.CRD_ENTRY_BY_OWN_RECEIPT
    AUTOMATIC = _abi.CRD_ENTRY_AUTOMATIC
    CONSEQUENCE = _abi.CRD_ENTRY_CONSEQUENCE
    POSTS_RECEIPT = _abi.CRD_ENTRY_POSTS_RECEIPT


class Command(IntEnum):
    """Commands: what authorize is asked about."""
    CUSTOMER_ADD = _abi.CRD_COMMAND_CUSTOMER_ADD
    CUSTOMER_CHANGE = _abi.CRD_COMMAND_CUSTOMER_CHANGE
    CREDIT_ISSUE = _abi.CRD_COMMAND_CREDIT_ISSUE
    CREDIT_APPLY = _abi.CRD_COMMAND_CREDIT_APPLY
    CREDIT_VOID = _abi.CRD_COMMAND_CREDIT_VOID
    INVOICE_ENTER = _abi.CRD_COMMAND_INVOICE_ENTER
    INVOICE_SEND = _abi.CRD_COMMAND_INVOICE_SEND
    INVOICE_VOID = _abi.CRD_COMMAND_INVOICE_VOID
    UNDO = _abi.CRD_COMMAND_UNDO
    RECONCILE = _abi.CRD_COMMAND_RECONCILE
    CREDIT_REFUND = _abi.CRD_COMMAND_CREDIT_REFUND
    ADJUST = _abi.CRD_COMMAND_ADJUST
    CREDIT_TRANSFER = _abi.CRD_COMMAND_CREDIT_TRANSFER
    CREDIT_DELETE = _abi.CRD_COMMAND_CREDIT_DELETE
    CREDIT_CHANGE = _abi.CRD_COMMAND_CREDIT_CHANGE
    HOLD = _abi.CRD_COMMAND_HOLD
    CAPTURE = _abi.CRD_COMMAND_CAPTURE
    RELEASE = _abi.CRD_COMMAND_RELEASE
    SWEEP = _abi.CRD_COMMAND_SWEEP
    RECEIPT_ENTER = _abi.CRD_COMMAND_RECEIPT_ENTER
    RECEIPT_REVERSE = _abi.CRD_COMMAND_RECEIPT_REVERSE
    INVOICE_REVISE = _abi.CRD_COMMAND_INVOICE_REVISE
    INVOICE_REVERSE = _abi.CRD_COMMAND_INVOICE_REVERSE
    WRITE_OFF = _abi.CRD_COMMAND_WRITE_OFF
    APPLICATION_CHANGE = _abi.CRD_COMMAND_APPLICATION_CHANGE
    BULK_ISSUE = _abi.CRD_COMMAND_BULK_ISSUE
    ACKNOWLEDGE = _abi.CRD_COMMAND_ACKNOWLEDGE


class ReportKind(IntEnum):
    """Reports."""
    CUSTOMERS = _abi.CRD_REPORT_CUSTOMERS
    ACCOUNTS = _abi.CRD_REPORT_ACCOUNTS
    CREDITS = _abi.CRD_REPORT_CREDITS
    INVOICES = _abi.CRD_REPORT_INVOICES
    RECEIPTS = _abi.CRD_REPORT_RECEIPTS
    OPEN_ITEMS = _abi.CRD_REPORT_OPEN_ITEMS
    HISTORY = _abi.CRD_REPORT_HISTORY
    AGING = _abi.CRD_REPORT_AGING
    TOTALS = _abi.CRD_REPORT_TOTALS
    CREDIT_ENTRIES = _abi.CRD_REPORT_CREDIT_ENTRIES
    OCCASIONS = _abi.CRD_REPORT_OCCASIONS
    PAYMENTS = _abi.CRD_REPORT_PAYMENTS
    STATEMENT = _abi.CRD_REPORT_STATEMENT
    OVERDUE = _abi.CRD_REPORT_OVERDUE
    DUE_AFTER_CREDIT = _abi.CRD_REPORT_DUE_AFTER_CREDIT
    REVENUE = _abi.CRD_REPORT_REVENUE
    TAKINGS = _abi.CRD_REPORT_TAKINGS
    ROLL_FORWARD = _abi.CRD_REPORT_ROLL_FORWARD
    LINES = _abi.CRD_REPORT_LINES
    UNACKNOWLEDGED = _abi.CRD_REPORT_UNACKNOWLEDGED
    PRESCAN = _abi.CRD_REPORT_PRESCAN


class Order(IntEnum):
    """Keys of an order of allocation."""
    DATE = _abi.CRD_ORDER_DATE
    PRIORITY = _abi.CRD_ORDER_PRIORITY
    EXPIRY = _abi.CRD_ORDER_EXPIRY
    CLASS = _abi.CRD_ORDER_CLASS
    KIND = _abi.CRD_ORDER_KIND
    EFFECTIVE = _abi.CRD_ORDER_EFFECTIVE
    FINANCE_CHARGE = _abi.CRD_ORDER_FINANCE_CHARGE
    DUE = _abi.CRD_ORDER_DUE


class LeftOut(IntEnum):
    """Why an item of a plan takes no part, or no further part."""
    NOTHING = _abi.CRD_LEFT_NOTHING
    NO_COUNTERPART = _abi.CRD_LEFT_NO_COUNTERPART
    CASH = _abi.CRD_LEFT_CASH
    RESERVED = _abi.CRD_LEFT_RESERVED
    HELD = _abi.CRD_LEFT_HELD
    NOT_EFFECTIVE = _abi.CRD_LEFT_NOT_EFFECTIVE
    EXPIRED = _abi.CRD_LEFT_EXPIRED
    LATER = _abi.CRD_LEFT_LATER
    DRAFT = _abi.CRD_LEFT_DRAFT
    DISPUTED = _abi.CRD_LEFT_DISPUTED
    NOT_NAMED = _abi.CRD_LEFT_NOT_NAMED
    RESTRICTED = _abi.CRD_LEFT_RESTRICTED
    SKIPPED = _abi.CRD_LEFT_SKIPPED


class PlanState(IntEnum):
    """States of a planned account."""
    PROPOSED = _abi.CRD_PLAN_PROPOSED
    SKIPPED = _abi.CRD_PLAN_SKIPPED
    POSTED = _abi.CRD_PLAN_POSTED
    CONFLICTED = _abi.CRD_PLAN_CONFLICTED
    REPEATED = _abi.CRD_PLAN_REPEATED
    NOTHING = _abi.CRD_PLAN_NOTHING


class GLRole(IntEnum):
    """Accounts of the general ledger, by what they are for."""
    RECEIVABLE = _abi.CRD_GL_RECEIVABLE
    DEPOSITS = _abi.CRD_GL_DEPOSITS
    CREDITS = _abi.CRD_GL_CREDITS
    BANK = _abi.CRD_GL_BANK
    RETURNS = _abi.CRD_GL_RETURNS
    TAX = _abi.CRD_GL_TAX
    PROMOTION = _abi.CRD_GL_PROMOTION
    ADJUSTMENT = _abi.CRD_GL_ADJUSTMENT
    OPENING = _abi.CRD_GL_OPENING
    OUTSIDE = _abi.CRD_GL_OUTSIDE
    BREAKAGE = _abi.CRD_GL_BREAKAGE
    SALES = _abi.CRD_GL_SALES
    CHARGES = _abi.CRD_GL_CHARGES
    DEBIT_MEMO = _abi.CRD_GL_DEBIT_MEMO
    BAD_DEBT = _abi.CRD_GL_BAD_DEBT
    SMALL = _abi.CRD_GL_SMALL
    DISCOUNT = _abi.CRD_GL_DISCOUNT


class LinePolicy(IntEnum):
    """What happens when a line is removed from a sale after its day."""
    WARN = _abi.CRD_LINES_WARN
    ALLOW = _abi.CRD_LINES_ALLOW
    REFUSE = _abi.CRD_LINES_REFUSE


class RowLine(IntEnum):
    """Lines of a report that has several kinds."""
    ENTRY = _abi.CRD_LINE_ENTRY
    OPENING = _abi.CRD_LINE_OPENING
    EXPIRED = _abi.CRD_LINE_EXPIRED
    CLOSING = _abi.CRD_LINE_CLOSING


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
