"""What is passed to a ledger, and what comes back from it."""
from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Mapping, Optional, Sequence, TypedDict, Union

from ._records import (AccountRecord, CreditRecord, CustomerRecord, EntryRecord, HoldRecord, InvoiceRecord, LineRecord,
                       ReceiptRecord)
from .constants import (Command, CommandWarning, CreditClass, CreditState, GLRole, Kind, LeftOut, LinePolicy, Order,
                        PlanState, RowLine)
from .errors import CreditError
from .values import Amount


class RequestArgs(TypedDict, total=False):
    """Keywords that every command takes, beside its own."""
    by: Union[str, Request, None]      # who asks; the ledger's actor if not given
    key: Optional[str]                 # request key: makes the command happen once
    note: Optional[str]                # free text kept with the entries
    at: Optional[datetime]             # when; the ledger's clock if not given
    on: Optional[date]                 # business date; the day of the instant if not given
    override_closed: bool              # may be dated in a closed period; a right of its own


@dataclass(frozen=True)
class Request:
    """Who asks for a change, when, and under which key. May be passed as `by`; the other keywords go before it."""
    actor: Optional[str] = None
    key: Optional[str] = None
    note: Optional[str] = None
    at: Optional[datetime] = None
    on: Optional[date] = None
    override_closed: bool = False


@dataclass(frozen=True)
class Result:
    """What a command did. first_seq and last_seq are its entries in the journal of the account; last_seq 0: none was
    needed. `repeated`: the request key was used before, and this is the first result again. `warning`: the warnings in
    words, "" without any."""
    amount: Decimal
    first_seq: int
    last_seq: int
    repeated: bool = False
    warnings: CommandWarning = CommandWarning(0)
    warning: str = ""


@dataclass(frozen=True)
class Line:
    """A line of an invoice or a memo, as it is entered. `amount` and `quantity` are positive on both."""
    amount: Amount
    quantity: Amount = 1
    sku: Optional[str] = None
    text: Optional[str] = None
    unit_price: Amount = 0
    tax: Amount = 0
    origin: Optional[str] = None


@dataclass(frozen=True)
class ReceiptLine:
    """A line of a receipt: pays an invoice, uses a credit, or both; kind "pays", "discount" or "tolerance"."""
    amount: Amount
    invoice: Optional[str] = None
    credit: Optional[str] = None
    kind: str = "pays"


@dataclass(frozen=True)
class BulkRow:
    """One credit of many: the arguments of Ledger.issue_credit(); with `payment`, those of Ledger.enter_receipt()."""
    customer: str
    terms: Mapping[str, Any]
    key: Optional[str] = None
    payment: bool = False


@dataclass(frozen=True)
class BulkResult:
    """What became of it. `error`: as the single call would have raised, or None. last_seq 0: nothing was kept."""
    id: str
    amount: Decimal
    first_seq: int
    last_seq: int
    repeated: bool
    error: Optional[CreditError]


@dataclass(frozen=True)
class Balance:
    """What a customer owes and is owed in one currency; see crd_balance in <credit/customer.h>."""
    date: Optional[date]
    balance: Decimal
    outstanding: Decimal
    credit: Decimal
    available: Decimal
    held: Decimal
    allocated: Decimal
    unearned: Decimal
    active_credits: int
    issued: Decimal
    applied: Decimal
    version: int


@dataclass(frozen=True)
class Settings:
    """Settings of a ledger; see crd_settings in <credit/ledger.h>."""
    feature_off: bool = False
    closed_through: Optional[date] = None
    utc_offset_minutes: int = 0
    credit_order: Sequence[Union[Order, str]] = ()
    invoice_order: Sequence[Union[Order, str]] = ()
    auto_apply: bool = False
    delete_window: int = 0
    line_policy: Union[LinePolicy, str, int] = 0


@dataclass(frozen=True)
class Operation:
    """What authorize is asked."""
    command: Union[Command, int]
    actor: str
    customer: str
    currency: str
    subject: str
    amount: Decimal
    flags: int
    override_closed: bool


@dataclass(frozen=True)
class Event:
    """What happened, after it was kept. None where no record of the kind is concerned."""
    entry: EntryRecord
    account: Optional[AccountRecord]
    credit: Optional[CreditRecord]
    invoice: Optional[InvoiceRecord]
    receipt: Optional[ReceiptRecord]
    hold: Optional[HoldRecord]
    customer: Optional[CustomerRecord]
    lines: tuple[LineRecord, ...]


@dataclass(frozen=True)
class Finding:
    """What verify found to be wrong. `stored` and `expected` are the figures as they are kept."""
    kind: Union[Kind, int]
    customer: str
    currency: str
    id: str
    seq: int
    field: str
    message: str
    stored: int
    expected: int


@dataclass(frozen=True)
class VerifyResult:
    """What verify looked at."""
    accounts: int
    records: int
    entries: int
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class SweepResult:
    """What a sweep entered. Amounts are sums of minor units over all currencies."""
    accounts: int
    conflicted: int
    expired: int
    lapsed: int
    expired_amount: int
    lapsed_amount: int


@dataclass(frozen=True)
class Progress:
    """How far a run got."""
    accounts: int
    applications: int


@dataclass(frozen=True)
class PlanItem:
    """One open item of a planned account."""
    kind: Kind
    left_out: Union[LeftOut, int]
    open: Decimal
    proposed: Decimal
    credit: Optional[CreditRecord]
    invoice: Optional[InvoiceRecord]
    write_off: Decimal


@dataclass(frozen=True)
class PlanApplication:
    """One proposed application."""
    business_date: Optional[date]
    amount: Decimal
    credit: CreditRecord
    invoice: InvoiceRecord


@dataclass(frozen=True)
class PlannedAccount:
    """One account of a plan, as it was when it was shown."""
    state: Union[PlanState, int]
    account: AccountRecord
    customer: Optional[CustomerRecord]
    items: tuple[PlanItem, ...]
    applications: tuple[PlanApplication, ...]
    receipt: str
    applied: Decimal
    written_off: Decimal


@dataclass(frozen=True)
class PlanResult:
    """What a run did: counts."""
    posted: int
    conflicted: int
    repeated: int
    skipped: int
    applications: int
    receipts: int
    write_offs: int


@dataclass(frozen=True)
class Row:
    """One row of a report; see crd_row in <credit/report.h>. `figures` has the report's figures by name, such as
    figures["overdue"]; those that count something are ints."""
    kind: Union[Kind, int]
    customer: str
    currency: str
    id: str
    amount: Decimal
    date: Optional[date]
    line: Union[RowLine, int]
    customer_record: Optional[CustomerRecord]
    account: Optional[AccountRecord]
    credit: Optional[CreditRecord]
    invoice: Optional[InvoiceRecord]
    receipt: Optional[ReceiptRecord]
    entry: Optional[EntryRecord]
    buckets: tuple[Decimal, ...]
    document_line: Optional[LineRecord]
    figures: Mapping[str, Union[Decimal, int]]
    balance: Decimal
    expired: Decimal
    credit_class: Union[CreditClass, int]
    state: Union[CreditState, int]
    source: str
    origin: str
    method: str
    reference: str


@dataclass(frozen=True)
class Posting:
    """One posting for a general ledger: debits positive, credits negative."""
    role: Union[GLRole, int]
    account: str
    customer: str
    currency: str
    amount: Decimal
    date: Optional[date]
    number: int
    entry: EntryRecord
