"""The ledger and what it lends: customers, credits, invoices, receipts, holds, plans, reports and postings."""
from __future__ import annotations

import ctypes
import logging
import warnings
from dataclasses import dataclass, field, fields, replace
from datetime import date, datetime, timezone
from decimal import Decimal
from typing import Any, Callable, Iterable, Iterator, Mapping, Optional, Sequence, TypedDict, Union

from . import _abi
from ._library import load
from ._records import (AccountRecord, CreditRecord, CustomerRecord, EntryRecord, HoldRecord, InvoiceRecord, LineRecord,
                       ReceiptRecord)
from ._state import State
from .constants import (By, Cause, Command, CommandWarning, CreditClass, CreditKind, CreditState, Flag, Format, GLRole, InvoiceKind,
                        InvoiceState, Kind, LeftOut, LinePolicy, Order, PlanState, ReceiptState, ReportKind, RowLine,
                        Switch, bits, known, number)
from .errors import BY_CODE, CorruptError, CreditError, Figure, figure, make
from .storage import _Table, forget, register, registered
from .values import (Amount, bytes_from, date_of, datetime_of, days_from, decimal_of, i32, i64, micros_from, minor_from,
                     text_of, thousandths, u32)

try:
    from typing import Unpack
except ImportError:  # Python before 3.11; annotations are not evaluated
    pass

_log = logging.getLogger("credits")


def system_clock() -> datetime:
    """The time of the system: what a ledger goes by unless it is given another clock."""
    return datetime.now(timezone.utc)


# ---- What is passed and what comes back


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
    needed. `repeated`: the request key was used before, and this is the first result again."""
    amount: Decimal
    first_seq: int
    last_seq: int
    repeated: bool = False
    warnings: CommandWarning = CommandWarning(0)


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
    """One credit of many: the arguments of Ledger.issue_credit()."""
    customer: str
    terms: Mapping[str, Any]
    key: Optional[str] = None


@dataclass(frozen=True)
class BulkResult:
    """What became of it. `error`: as Ledger.issue_credit() would have raised, or None. last_seq 0: nothing was kept."""
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


def _figure_names(prefix: str, *counts: str) -> list[tuple[str, bool]]:
    names = sorted((value, name[len(prefix):].lower()) for name, value in vars(_abi).items()
                   if name.startswith(prefix) and name != prefix + "FIGURES")
    return [(name, name in counts) for _, name in names]


_DUE = _figure_names("CRD_DUE_")
_FIGURES = {
    _abi.CRD_REPORT_TOTALS: _figure_names("CRD_TOTALS_", "active", "credits"),
    _abi.CRD_REPORT_PAYMENTS: _figure_names("CRD_PAYMENT_"), _abi.CRD_REPORT_OVERDUE: _DUE,
    _abi.CRD_REPORT_DUE_AFTER_CREDIT: _DUE, _abi.CRD_REPORT_REVENUE: _figure_names("CRD_REVENUE_"),
    _abi.CRD_REPORT_TAKINGS: _figure_names("CRD_TAKINGS_"), _abi.CRD_REPORT_ROLL_FORWARD: _figure_names("CRD_ROLL_"),
}


def _new(struct: Any, **values: Any) -> Any:
    """A struct with its size; None leaves a member 0."""
    made = struct()
    made.struct_size = ctypes.sizeof(made)
    for name, value in values.items():
        if value is not None:
            setattr(made, name, value)
    return made


def _pointers(struct: Any, items: Sequence[Any]) -> Any:
    """An array of pointers to structs, which keeps them alive; None when there are none."""
    if not items:
        return None
    array = (ctypes.POINTER(struct) * len(items))(*[ctypes.pointer(item) for item in items])
    return array


def _texts(values: Optional[Sequence[Optional[str]]], name: str) -> Any:
    if values is None:
        return None
    if isinstance(values, str):
        raise TypeError(f"{name}: several, not one str")
    return (ctypes.c_char_p * len(values))(*[bytes_from(value, name) for value in values])


def _flags(**chosen: tuple[Any, int]) -> int:
    out = 0
    for on, flag in chosen.values():
        if on:
            out |= flag
    return out


def _apply_flag(apply: Optional[bool]) -> int:
    """CRD_ISSUE_APPLY and CRD_INVOICE_APPLY are the same number."""
    return 0 if apply is None else _abi.CRD_ISSUE_APPLY if apply else _abi.CRD_ISSUE_NO_APPLY


# ---- Callbacks: one trampoline each, made once; ctx leads to the state of the ledger or to a _Run


def _safe(state: State, otherwise: int, call: Callable[[], Any]) -> Any:
    """Whatever a callback of the host raises is told by the call that is under way; C gets `otherwise`."""
    try:
        return call()
    except BaseException as error:  # noqa: B902 -- nothing may leave
        state.raised(error)
        return otherwise


_HOOKS = dict(_abi.crd_hooks._fields_)  # type: ignore[arg-type]


@_HOOKS["clock"]
def _CLOCK(ctx: int) -> int:
    state = registered(ctx)
    return _safe(state, 0, lambda: micros_from(state.hooks["clock"](), "clock"))


@_HOOKS["authorize"]
def _AUTHORIZE(ctx: int, operation: Any) -> int:
    state = registered(ctx)

    def ask() -> int:
        o = operation.contents
        currency = text_of(o.currency)
        allowed = state.hooks["authorize"](Operation(
            known(Command, o.command), text_of(o.actor), text_of(o.customer), currency, text_of(o.subject),
            state.money(o.amount, currency), o.flags, bool(o.request_flags & _abi.CRD_REQUEST_OVERRIDE_CLOSED)))
        return 0 if allowed else 1
    return _safe(state, 1, ask)


@_HOOKS["event"]
def _EVENT(ctx: int, event: Any) -> None:
    state = registered(ctx)

    def tell() -> None:
        e = event.contents
        lines = tuple(state.record(Kind.LINE, e.lines[i].contents) for i in range(e.line_count))
        state.hooks["event"](Event(
            state.record(Kind.ENTRY, e.entry.contents), state.maybe(Kind.ACCOUNT, e.account),
            state.maybe(Kind.CREDIT, e.credit), state.maybe(Kind.INVOICE, e.invoice),
            state.maybe(Kind.RECEIPT, e.receipt), state.maybe(Kind.HOLD, e.hold),
            state.maybe(Kind.CUSTOMER, e.customer), lines))
    _safe(state, 0, tell)


def _comparison(name: str, kind: Kind) -> Any:
    def compare(ctx: int, a: Any, b: Any) -> int:
        state = registered(ctx)

        def ask() -> int:
            order = state.hooks[name](state.record(kind, a.contents), state.record(kind, b.contents))
            return (order > 0) - (order < 0)
        return _safe(state, 0, ask)
    return _HOOKS[name](compare)


_COMPARE_CREDITS = _comparison("compare_credits", Kind.CREDIT)
_COMPARE_INVOICES = _comparison("compare_invoices", Kind.INVOICE)


class _Run:
    """The callbacks of one call."""

    def __init__(self, state: State, **callbacks: Optional[Callable[..., Any]]) -> None:
        self.state, self.callbacks = state, callbacks
        self.findings: list[Finding] = []
        self.token = register(self)

    def __enter__(self) -> int:
        return self.token

    def __exit__(self, *exc: object) -> None:
        forget(self.token)


@dict(_abi.crd_plan_spec._fields_)["progress"]  # type: ignore[call-overload]
def _PROGRESS(ctx: int, progress: Any) -> int:
    run = registered(ctx)
    if run.state.poisoned():  # posted() raised, which it cannot say itself
        return 1
    callback = run.callbacks.get("progress")
    if callback is None:
        return 0
    p = progress.contents
    return _safe(run.state, 1, lambda: 1 if callback(Progress(p.accounts, p.applications)) is False else 0)


@dict(_abi.crd_plan_spec._fields_)["posted"]  # type: ignore[call-overload]
def _POSTED(ctx: int, account: Any) -> None:
    run = registered(ctx)
    _safe(run.state, 0, lambda: run.callbacks["posted"](_planned(run.state, account.contents)))


@dict(_abi.crd_verify_spec._fields_)["found"]  # type: ignore[call-overload]
def _FOUND(ctx: int, finding: Any) -> int:
    run = registered(ctx)

    def tell() -> int:
        f = finding.contents
        found = Finding(known(Kind, f.kind), text_of(f.customer), text_of(f.currency), text_of(f.id), f.seq,
                        text_of(f.field), text_of(f.message), f.stored, f.expected)
        run.findings.append(found)
        callback = run.callbacks.get("found")
        return 1 if callback is not None and callback(found) is False else 0
    return _safe(run.state, 1, tell)


@_abi.crd_write_text
def _WRITE_TEXT(ctx: int, text: int, size: int) -> int:
    run = registered(ctx)
    return _safe(run.state, 1, lambda: 1 if run.callbacks["write"](ctypes.string_at(text, size)) is False else 0)


def _planned(state: State, a: Any) -> PlannedAccount:
    account = state.record(Kind.ACCOUNT, a.account.contents)

    def money(minor: int) -> Decimal:
        return state.money(minor, account.currency)
    items = tuple(
        PlanItem(Kind(i.kind), known(LeftOut, i.left_out), money(i.open), money(i.proposed),
                 state.maybe(Kind.CREDIT, i.credit), state.maybe(Kind.INVOICE, i.invoice), money(i.write_off))
        for i in (a.items[n].contents for n in range(a.item_count)))
    applications = tuple(
        PlanApplication(date_of(p.business_date), money(p.amount), state.record(Kind.CREDIT, p.credit.contents),
                        state.record(Kind.INVOICE, p.invoice.contents))
        for p in (a.applications[n].contents for n in range(a.application_count)))
    return PlannedAccount(known(PlanState, a.state), account, state.maybe(Kind.CUSTOMER, a.customer), items, applications,
                          text_of(a.receipt), money(a.applied), money(a.written_off))


# ---- The ledger


class Ledger:
    """An open ledger; a context manager. One thread at a time uses it: others wait.

    storage            where the records are: MemoryStorage, SQLiteStorage, PostgresStorage, or a Storage of your own
    actor              who asks, where a command does not say
    clock              gives the time as a datetime with a time zone; None: every command says `at`
    authorize          asked before every command; True allows it
    event              told of every entry, after it was kept
    compare_credits, compare_invoices   an order of allocation of your own: negative when the first goes first
    currencies         exponents of your own: {"XTS": 3}
    settings           Settings, also changed by configure()
    writer             64 bits that no other open handle on these records has; None: the storage is asked
    deny               refuse every command when there is no authorize hook

    An exception that a callback raises comes out of the call that led to it. If the call failed, nothing was kept unless
    the CreditError that is the exception's cause (or its note) says otherwise; if the call had succeeded by then, as when an
    event hook raises, a note says that too. A storage whose write raised although the batch was kept, which the library
    finds out by reading, makes no call fail: that is logged.
    """

    def __init__(self, storage: _Table, *, actor: Optional[str] = None,
                 clock: Optional[Callable[[], datetime]] = system_clock,
                 authorize: Optional[Callable[[Operation], bool]] = None,
                 event: Optional[Callable[[Event], None]] = None,
                 compare_credits: Optional[Callable[[CreditRecord, CreditRecord], int]] = None,
                 compare_invoices: Optional[Callable[[InvoiceRecord, InvoiceRecord], int]] = None,
                 currencies: Optional[Mapping[str, int]] = None, settings: Settings = Settings(),
                 writer: Optional[int] = None, deny: bool = False) -> None:
        self._pointer: Any = None
        if not isinstance(storage, _Table):
            raise TypeError(f"storage: a Storage, not {type(storage).__name__}")
        self._library = library = load()
        self.actor, self._settings, self._storage = actor, settings, storage
        currencies = dict(currencies or {})
        state = self._state = State(library, currencies)
        given = {"clock": clock, "authorize": authorize, "event": event, "compare_credits": compare_credits,
                 "compare_invoices": compare_invoices}
        state.hooks = {name: hook for name, hook in given.items() if hook is not None}
        # The clock and the comparisons answer with a number only: what goes by it is watched.
        state.watched = bool(state.hooks.keys() & {"clock", "authorize", "compare_credits", "compare_invoices"}
                             - ({"clock"} if clock is system_clock else set()))
        self._unit = False
        self._ctx = register(state)
        hooks = _new(_abi.crd_hooks, ctx=self._ctx)
        for name, trampoline in (("clock", _CLOCK), ("authorize", _AUTHORIZE), ("event", _EVENT),
                                 ("compare_credits", _COMPARE_CREDITS), ("compare_invoices", _COMPARE_INVOICES)):
            if name in state.hooks:
                setattr(hooks, name, trampoline)
        frame = None
        try:
            own = [_new(_abi.crd_currency, code=bytes_from(code, "currencies"), exponent=i32(exponent, "currencies"))
                   for code, exponent in currencies.items()]
            table, token = storage._open(state)
            try:
                options = _new(_abi.crd_ledger_options, storage=ctypes.pointer(table), hooks=ctypes.pointer(hooks),
                               settings=ctypes.pointer(self._settings_struct(settings)),
                               flags=_abi.CRD_LEDGER_DENY if deny else 0, currencies=_pointers(_abi.crd_currency, own),
                               currency_count=len(own), writer=writer)
                pointer = ctypes.POINTER(_abi.crd_ledger)()
                frame = state.enter()
                try:
                    code = library.crd_ledger_open(ctypes.byref(options), ctypes.byref(pointer))
                finally:
                    state.leave()
                if frame.raised and code == 0:
                    library.crd_ledger_close(pointer)
                if frame.raised:
                    raise frame.raised[0][0]
                if code:
                    raise make(library, code)
            except BaseException:
                forget(token)
                raise
        except BaseException:
            forget(self._ctx)
            raise
        self._pointer = pointer
        if hasattr(storage, "_ledgers"):
            storage._ledgers += 1

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def __del__(self) -> None:
        if getattr(self, "_pointer", None) is not None:
            warnings.warn("a Ledger was not closed", ResourceWarning, source=self)
            self.close()

    def close(self) -> None:
        """Closes the ledger and whatever it lent; an open unit is rolled back. Closing twice does nothing."""
        state = self._state
        with state.lock:
            if self._pointer is None:
                return
            if state.frames:
                raise make(self._library, _abi.CRD_E_BUSY)
            state.release()
            pointer, self._pointer = self._pointer, None
            frame = state.enter()
            try:
                self._library.crd_ledger_close(pointer)
            finally:
                state.leave()
                forget(self._ctx)
                if hasattr(self._storage, "_ledgers"):
                    self._storage._ledgers -= 1
        for error, _ in frame.raised:
            raise error

    # ---- calls

    def _call(self, function: str, *arguments: Any) -> None:
        """Calls the library, and raises what it, or a callback of the call, came to."""
        state = self._state
        with state.lock:
            if self._pointer is None:
                raise ValueError("the ledger is closed")
            state.bury()
            frame = state.enter()
            try:
                code = getattr(self._library, function)(*arguments)
            finally:
                state.leave()
            error = self._error(code) if code else None
            self._judge(error, frame)

    def _judge(self, error: Optional[CreditError], frame: Any) -> None:
        serious = [raised for raised, storage in frame.raised if not storage or not isinstance(raised, Exception)]
        if error is not None and frame.raised:
            raised = serious[0] if serious else frame.raised[0][0]
            _note(raised, f"libcredit: {error}")
            if raised.__cause__ is None:
                raise raised from error
            raise raised
        if error is not None:
            raise error from frame.told
        if serious:
            if self._unit:
                self._state.unit_error = serious[0]
                _note(serious[0], "libcredit: the command had succeeded; its unit of work cannot be kept any more")
            else:
                _note(serious[0], "libcredit: the command had succeeded, and was kept")
            raise serious[0]
        for raised, _ in frame.raised:
            _log.warning("a storage raised; the library found that all is kept", exc_info=raised)

    def _error(self, code: int) -> CreditError:
        return make(self._library, code, self._library.crd_ledger_error(self._pointer).contents, self._state.exponent)

    def _request(self, by: Union[str, Request, None] = None, key: Optional[str] = None, note: Optional[str] = None,
                 at: Optional[datetime] = None, on: Optional[date] = None, override_closed: bool = False) -> Any:
        base = by if isinstance(by, Request) else Request(actor=by)
        actor = base.actor if base.actor is not None else self.actor
        on, at = on if on is not None else base.on, at if at is not None else base.at
        flags = _abi.CRD_REQUEST_OVERRIDE_CLOSED if override_closed or base.override_closed else 0
        return ctypes.byref(_new(
            _abi.crd_request, flags=flags, actor=bytes_from(actor, "by"),
            key=bytes_from(key if key is not None else base.key, "key"),
            note=bytes_from(note if note is not None else base.note, "note"), instant=micros_from(at, "at"),
            business_date=days_from(on, "on")))

    def _minor(self, amount: Amount, currency: str, name: str = "amount") -> int:
        return minor_from(amount, self.exponent(currency), name)

    def _result(self, out: Any, currency: str) -> Result:
        return Result(self._state.money(out.amount, currency), out.first_seq, out.last_seq, bool(out.repeated),
                      CommandWarning(out.warnings))

    def _lines(self, lines: Iterable[Line], currency: str) -> list[Any]:
        exponent = self.exponent(currency)
        return [_new(_abi.crd_line_terms, sku=bytes_from(line.sku, "sku"), text=bytes_from(line.text, "text"),
                     quantity=thousandths(line.quantity, "quantity"),
                     unit_price=minor_from(line.unit_price, exponent + 3, "unit_price"),
                     amount=minor_from(line.amount, exponent, "amount"), tax=minor_from(line.tax, exponent, "tax"),
                     origin=bytes_from(line.origin, "origin")) for line in lines]

    # ---- settings and money

    def exponent(self, currency: str) -> int:
        """Decimals of a currency: of `currencies`, then of ISO 4217. Raises CurrencyError when it is unknown."""
        return self._state.exponent(currency)

    @staticmethod
    def _settings_struct(settings: Settings) -> Any:
        def keys(order: Sequence[Union[Order, str]], name: str) -> Any:
            if len(order) > _abi.CRD_ORDER_KEYS:
                raise ValueError(f"{name}: at most {_abi.CRD_ORDER_KEYS} keys")
            return (ctypes.c_uint32 * _abi.CRD_ORDER_KEYS)(*[number(Order, key, name) for key in order])
        return _new(_abi.crd_settings, feature_off=int(settings.feature_off),
                    closed_through=days_from(settings.closed_through, "closed_through"),
                    utc_offset_minutes=i32(settings.utc_offset_minutes, "utc_offset_minutes"),
                    credit_order=keys(settings.credit_order, "credit_order"),
                    invoice_order=keys(settings.invoice_order, "invoice_order"),
                    auto_apply=int(settings.auto_apply), delete_window=i32(settings.delete_window, "delete_window"),
                    line_policy=number(LinePolicy, settings.line_policy, "line_policy"))

    @property
    def settings(self) -> Settings:
        """The settings as they are."""
        return self._settings

    def configure(self, **changes: Any) -> Settings:
        """Changes the settings named, by the names of Settings."""
        settings = replace(self._settings, **changes)
        self._call("crd_ledger_configure", self._pointer, ctypes.byref(self._settings_struct(settings)))
        self._settings = settings
        return settings

    # ---- units of work

    def unit(self) -> Unit:
        """A unit of work: `with ledger.unit(): …` keeps the commands within it together, or not at all."""
        return Unit(self)

    # ---- customers

    def add_customer(self, customer: str, *, name: Optional[str] = None, category: Optional[str] = None,
                     location: Optional[str] = None, parent: Optional[str] = None, switches: Union[Switch, int] = 0,
                     **request: Unpack[RequestArgs]) -> Customer:
        """Adds a customer."""
        terms = _new(_abi.crd_customer_terms, switches=u32(switches, "switches"), name=bytes_from(name, "name"),
                     category=bytes_from(category, "category"), location=bytes_from(location, "location"),
                     parent=bytes_from(parent, "parent"))
        out = ctypes.POINTER(_abi.crd_customer)()
        self._call("crd_customer_add", self._pointer, self._request(**request), bytes_from(customer, "customer"),
                   ctypes.byref(terms), ctypes.byref(out))
        return Customer(self, out)

    def _find(self, cls: Any, customer: str, *ids: str) -> Any:
        out = ctypes.POINTER(cls._struct)()
        self._call(f"crd_{cls._noun}_find", self._pointer, bytes_from(customer, "customer"),
                   *[bytes_from(one, "id") for one in ids], ctypes.byref(out))
        return cls(self, out)

    def customer(self, customer: str) -> Customer:
        """Finds a customer."""
        return self._find(Customer, customer)  # type: ignore[no-any-return]

    def credit(self, customer: str, id: str) -> Credit:
        """Finds a credit by its id."""
        return self._find(Credit, customer, id)  # type: ignore[no-any-return]

    def invoice(self, customer: str, id: str) -> Invoice:
        """Finds an invoice by its id."""
        return self._find(Invoice, customer, id)  # type: ignore[no-any-return]

    def receipt(self, customer: str, id: str) -> Receipt:
        """Finds a receipt by its id."""
        return self._find(Receipt, customer, id)  # type: ignore[no-any-return]

    def hold(self, customer: str, id: str) -> Hold:
        """Finds a hold by its id."""
        return self._find(Hold, customer, id)  # type: ignore[no-any-return]

    def balance(self, customer: str, currency: str, on: Optional[date] = None) -> Balance:
        """What a customer owes and is owed, as usable on a business date; today's by the clock if not given."""
        out = _new(_abi.crd_balance)
        self._call("crd_customer_balance", self._pointer, bytes_from(customer, "customer"),
                   bytes_from(currency, "currency"), days_from(on, "on"), ctypes.byref(out))
        exponent = self.exponent(currency)
        values = {f.name: getattr(out, f.name) for f in fields(Balance)}
        for name in values.keys() - {"date", "active_credits", "version"}:
            values[name] = decimal_of(values[name], exponent)
        values["date"] = date_of(values["date"])
        return Balance(**values)

    # ---- credits

    def _credit_terms(self, *, kind: Union[CreditKind, str, int], currency: str, amount: Amount, id: Optional[str] = None,
                      effective: Optional[date] = None, expires: Optional[date] = None, priority: int = 0,
                      pays_kinds: Any = None, tax: Amount = 0, prefers: Optional[str] = None,
                      origin: Optional[str] = None, source: Optional[str] = None, reason: Optional[str] = None,
                      notes: Optional[str] = None, method: Optional[str] = None, payment_info: Optional[str] = None,
                      reference: Optional[str] = None, receipt: Optional[str] = None, lines: Sequence[Line] = (),
                      stands_for: Union[CreditKind, str, int] = 0, opening_original: Amount = 0,
                      opening_used: Amount = 0, reserved: bool = False, refundable: Optional[bool] = None,
                      return_of: Optional[str] = None, apply: Optional[bool] = None) -> Any:
        if return_of is not None and origin is not None:
            raise TypeError("return_of is the origin: give one of the two")
        terms = self._lines(lines, currency)
        flags = _apply_flag(apply) | (_abi.CRD_FLAG_RESERVED if reserved else 0) | \
            (0 if refundable is None else _abi.CRD_FLAG_REFUNDABLE if refundable else _abi.CRD_FLAG_NON_REFUNDABLE) | \
            (_abi.CRD_ISSUE_RETURN if return_of is not None else 0)
        return _new(
            _abi.crd_credit_terms, kind=number(CreditKind, kind, "kind"), currency=bytes_from(currency, "currency"),
            id=bytes_from(id, "id"), amount=self._minor(amount, currency), flags=flags,
            effective=days_from(effective, "effective"), expires=days_from(expires, "expires"),
            priority=i32(priority, "priority"), pays_kinds=bits(InvoiceKind, pays_kinds, "pays_kinds"),
            tax=self._minor(tax, currency, "tax"), prefers=bytes_from(prefers, "prefers"),
            origin=bytes_from(origin if return_of is None else return_of, "origin"), source=bytes_from(source, "source"),
            reason=bytes_from(reason, "reason"), notes=bytes_from(notes, "notes"), method=bytes_from(method, "method"),
            payment_info=bytes_from(payment_info, "payment_info"), reference=bytes_from(reference, "reference"),
            receipt=bytes_from(receipt, "receipt"), lines=_pointers(_abi.crd_line_terms, terms), line_count=len(terms),
            stands_for=number(CreditKind, stands_for, "stands_for"),
            opening_original=self._minor(opening_original, currency, "opening_original"),
            opening_used=self._minor(opening_used, currency, "opening_used"))

    def issue_credit(self, customer: str, kind: Union[CreditKind, str, int], currency: str, amount: Amount, *,
                     id: Optional[str] = None, effective: Optional[date] = None, expires: Optional[date] = None,
                     priority: int = 0, pays_kinds: Any = None, tax: Amount = 0, prefers: Optional[str] = None,
                     origin: Optional[str] = None, source: Optional[str] = None, reason: Optional[str] = None,
                     notes: Optional[str] = None, method: Optional[str] = None, payment_info: Optional[str] = None,
                     reference: Optional[str] = None, receipt: Optional[str] = None, lines: Sequence[Line] = (),
                     stands_for: Union[CreditKind, str, int] = 0, opening_original: Amount = 0, opening_used: Amount = 0,
                     reserved: bool = False, refundable: Optional[bool] = None, return_of: Optional[str] = None,
                     apply: Optional[bool] = None, **request: Unpack[RequestArgs]) -> Credit:
        """Issues a credit; see crd_credit_terms in <credit/credits.h>.

        pays_kinds: the kinds of invoice it is restricted to. refundable: True or False, or None as its class says.
        return_of: the id of the invoice that a memo returns (part of). apply: to open invoices at once; None: as customer
        and ledger are set to.
        """
        terms = self._credit_terms(
            kind=kind, currency=currency, amount=amount, id=id, effective=effective, expires=expires, priority=priority,
            pays_kinds=pays_kinds, tax=tax, prefers=prefers, origin=origin, source=source, reason=reason, notes=notes,
            method=method, payment_info=payment_info, reference=reference, receipt=receipt, lines=lines,
            stands_for=stands_for, opening_original=opening_original, opening_used=opening_used, reserved=reserved,
            refundable=refundable, return_of=return_of, apply=apply)
        out = ctypes.POINTER(_abi.crd_credit)()
        self._call("crd_credit_issue", self._pointer, self._request(**request), bytes_from(customer, "customer"),
                   ctypes.byref(terms), ctypes.byref(out))
        return Credit(self, out)

    def issue_credits(self, rows: Iterable[BulkRow], *, all_or_nothing: bool = False,
                      **request: Unpack[RequestArgs]) -> list[BulkResult]:
        """Issues many credits, page by page: as many as possible, each refusal in its result; or all or nothing, when
        what the first refused row was refused for is raised, with the results as `results` of the exception."""
        made, currencies = [], []
        for row in rows:
            terms = self._credit_terms(**row.terms)
            made.append(_new(_abi.crd_bulk_row, customer=bytes_from(row.customer, "customer"),
                             terms=ctypes.pointer(terms), key=bytes_from(row.key, "key")))
            currencies.append(row.terms["currency"])
        if not made:
            return []
        outs = [_new(_abi.crd_bulk_result) for _ in made]
        failure: Optional[BaseException] = None
        try:
            self._call("crd_credit_issue_many", self._pointer, self._request(**request),
                       _pointers(_abi.crd_bulk_row, made), len(made),
                       _abi.CRD_BULK_ALL_OR_NOTHING if all_or_nothing else 0, _pointers(_abi.crd_bulk_result, outs), None)
        except CreditError as error:
            failure = error
        results = []
        for out, currency in zip(outs, currencies):
            refusal = None
            if out.status:
                refusal = make(self._library, out.status)
                refusal.field, refusal.currency = text_of(out.field), currency
                refusal.limit = figure(out.status, out.limit, currency, self.exponent, limit=True)
                refusal.given = figure(out.status, out.given, currency, self.exponent)
            results.append(BulkResult(out.id.decode(), self._state.money(out.amount, currency), out.first_seq,
                                      out.last_seq, bool(out.repeated), refusal))
        if failure is not None:
            failure.results = results  # type: ignore[attr-defined]
            raise failure
        return results

    def adjust_credit(self, customer: str, currency: str, target: Amount, *, method: Optional[str] = None,
                      reason: Optional[str] = None, id: Optional[str] = None, source: Optional[str] = None,
                      notes: Optional[str] = None, **request: Unpack[RequestArgs]) -> Result:
        """Sets a customer's available credit to a figure. The result is the difference, negative when downward."""
        terms = _new(_abi.crd_adjust_terms, target=self._minor(target, currency, "target"),
                     method=bytes_from(method, "method"), reason=bytes_from(reason, "reason"), id=bytes_from(id, "id"),
                     source=bytes_from(source, "source"), notes=bytes_from(notes, "notes"))
        out = _new(_abi.crd_result)
        self._call("crd_credit_adjust", self._pointer, self._request(**request), bytes_from(customer, "customer"),
                   bytes_from(currency, "currency"), ctypes.byref(terms), ctypes.byref(out))
        return self._result(out, currency)

    # ---- invoices and receipts

    def enter_invoice(self, customer: str, currency: str, total: Amount, *, kind: Union[InvoiceKind, str, int] = "invoice",
                      id: Optional[str] = None, due: Optional[date] = None, tax: Amount = 0,
                      reference: Optional[str] = None, text: Optional[str] = None, lines: Sequence[Line] = (),
                      draft: bool = False, disputed: bool = False, opening: bool = False, opening_total: Amount = 0,
                      opening_used: Amount = 0, apply: Optional[bool] = None,
                      **request: Unpack[RequestArgs]) -> Invoice:
        """Enters an invoice, sent or as a draft; see crd_invoice_terms in <credit/invoice.h>."""
        made = self._lines(lines, currency)
        flags = _apply_flag(apply) | (_abi.CRD_INVOICE_AS_DRAFT if draft else 0) | \
            (_abi.CRD_INVOICE_AS_DISPUTED if disputed else 0) | (_abi.CRD_INVOICE_AS_OPENING if opening else 0)
        terms = _new(
            _abi.crd_invoice_terms, kind=number(InvoiceKind, kind, "kind"), currency=bytes_from(currency, "currency"),
            id=bytes_from(id, "id"), total=self._minor(total, currency, "total"), flags=flags, due=days_from(due, "due"),
            tax=self._minor(tax, currency, "tax"), reference=bytes_from(reference, "reference"),
            text=bytes_from(text, "text"), lines=_pointers(_abi.crd_line_terms, made), line_count=len(made),
            opening_total=self._minor(opening_total, currency, "opening_total"),
            opening_used=self._minor(opening_used, currency, "opening_used"))
        out = ctypes.POINTER(_abi.crd_invoice)()
        self._call("crd_invoice_enter", self._pointer, self._request(**request), bytes_from(customer, "customer"),
                   ctypes.byref(terms), ctypes.byref(out))
        return Invoice(self, out)

    def enter_receipt(self, customer: str, currency: str, amount: Amount = 0, *, lines: Sequence[ReceiptLine] = (),
                      id: Optional[str] = None, method: Optional[str] = None, payment_info: Optional[str] = None,
                      reference: Optional[str] = None, credit: Optional[str] = None, source: Optional[str] = None,
                      credit_kind: Union[CreditKind, str, int] = 0, reserved: bool = False,
                      refundable: Optional[bool] = None, apply: Optional[bool] = None,
                      credit_expires: Optional[date] = None, distribute: bool = False, excess_to_credit: bool = False,
                      **request: Unpack[RequestArgs]) -> Receipt:
        """Enters a receipt: money received, what it pays, and credits that pay with it; see crd_receipt_terms in
        <credit/receipt.h>. `result` of the receipt tells what was applied."""
        made = []
        for line in lines:
            if line.kind not in ("pays", "discount", "tolerance"):
                raise ValueError(f"kind: {line.kind!r} is none of pays, discount, tolerance")
            made.append(_new(_abi.crd_receipt_line, invoice=bytes_from(line.invoice, "invoice"),
                             credit=bytes_from(line.credit, "credit"), amount=self._minor(line.amount, currency),
                             kind=getattr(_abi, "CRD_RECEIPT_" + line.kind.upper())))
        terms = _new(
            _abi.crd_receipt_terms, currency=bytes_from(currency, "currency"), id=bytes_from(id, "id"),
            flags=(_abi.CRD_RECEIPT_DISTRIBUTE if distribute else 0)
            | (_abi.CRD_RECEIPT_EXCESS_TO_CREDIT if excess_to_credit else 0),
            amount=self._minor(amount, currency), method=bytes_from(method, "method"),
            payment_info=bytes_from(payment_info, "payment_info"), reference=bytes_from(reference, "reference"),
            credit=bytes_from(credit, "credit"), source=bytes_from(source, "source"),
            credit_kind=number(CreditKind, credit_kind, "credit_kind"),
            credit_flags=_apply_flag(apply) | (_abi.CRD_FLAG_RESERVED if reserved else 0)
            | (0 if refundable is None else _abi.CRD_FLAG_REFUNDABLE if refundable else _abi.CRD_FLAG_NON_REFUNDABLE),
            credit_expires=days_from(credit_expires, "credit_expires"), lines=_pointers(_abi.crd_receipt_line, made),
            line_count=len(made))
        out, result = ctypes.POINTER(_abi.crd_receipt)(), _new(_abi.crd_result)
        self._call("crd_receipt_enter", self._pointer, self._request(**request), bytes_from(customer, "customer"),
                   ctypes.byref(terms), ctypes.byref(out), ctypes.byref(result))
        receipt = Receipt(self, out)
        receipt.result = self._result(result, currency)
        return receipt

    # ---- undo, change, acknowledge, sweep, verify

    def undo(self, customer: str, currency: str, seq: int, amount: Amount = 0,
             **request: Unpack[RequestArgs]) -> Result:
        """Takes back what one journal entry did; `amount`: part of an application or write-off, 0 all that is left."""
        out = _new(_abi.crd_result)
        self._call("crd_undo", self._pointer, self._request(**request), bytes_from(customer, "customer"),
                   bytes_from(currency, "currency"), i64(seq, "seq"), self._minor(amount, currency), ctypes.byref(out))
        return self._result(out, currency)

    def change_application(self, customer: str, currency: str, seq: int, amount: Amount,
                           **request: Unpack[RequestArgs]) -> Result:
        """Gives an application another amount."""
        out = _new(_abi.crd_result)
        self._call("crd_application_change", self._pointer, self._request(**request), bytes_from(customer, "customer"),
                   bytes_from(currency, "currency"), i64(seq, "seq"), self._minor(amount, currency), ctypes.byref(out))
        return self._result(out, currency)

    def acknowledge(self, customer: str, currency: str, seq: int) -> None:
        """Marks the entries of an account up to `seq` as dealt with."""
        self._call("crd_acknowledge", self._pointer, bytes_from(customer, "customer"), bytes_from(currency, "currency"),
                   i64(seq, "seq"))

    def sweep(self, customer: Optional[str] = None, *, progress: Optional[Callable[[Progress], Any]] = None,
              **request: Unpack[RequestArgs]) -> SweepResult:
        """Enters what expired and lapsed. progress() may return False to stop (CancelledError)."""
        out = _new(_abi.crd_sweep_result)
        with _Run(self._state, progress=progress) as ctx:
            spec = _new(_abi.crd_sweep_spec, customer=bytes_from(customer, "customer"), ctx=ctx, progress=_PROGRESS)
            self._call("crd_sweep", self._pointer, self._request(**request), ctypes.byref(spec), ctypes.byref(out))
        return SweepResult(*[getattr(out, f.name) for f in fields(SweepResult)])

    def verify(self, customer: Optional[str] = None, *,
               found: Optional[Callable[[Finding], Any]] = None) -> VerifyResult:
        """Proves that the books are intact. Raises CorruptError, with all `findings`, when they are not. found() may
        return False to stop (CancelledError)."""
        out = _new(_abi.crd_verify_result)
        run = _Run(self._state, found=found)
        with run as ctx:
            spec = _new(_abi.crd_verify_spec, customer=bytes_from(customer, "customer"), ctx=ctx, found=_FOUND)
            try:
                self._call("crd_ledger_verify", self._pointer, ctypes.byref(spec), ctypes.byref(out))
            except CreditError as error:
                error.findings = tuple(run.findings)  # type: ignore[attr-defined]
                if isinstance(error, CorruptError) and run.findings:
                    error.message = f"{out.findings} findings; first: {run.findings[0].message}"
                raise
        return VerifyResult(out.accounts, out.records, out.entries)

    # ---- reconcile

    def _plan_spec(self, run: Optional[_Run] = None, *, on: Optional[date] = None, currency: Optional[str] = None,
                   category: Optional[str] = None, location: Optional[str] = None,
                   customers: Optional[Sequence[str]] = None, items: Sequence[tuple[Any, str, str]] = (),
                   use_cash: bool = False, all_open: bool = False, by_location: bool = False,
                   with_customers: bool = False, tolerance: Amount = 0) -> Any:
        keys = []
        for kind, customer, id in items:
            keys.append(_new(_abi.crd_key, kind=number(Kind, kind, "items"), customer=bytes_from(customer, "items"),
                             currency=b"", id=bytes_from(id, "items")))
        if tolerance and currency is None:
            raise ValueError("tolerance: an amount, so the currency must be given")
        flags = _flags(a=(use_cash, _abi.CRD_PLAN_USE_CASH), b=(all_open, _abi.CRD_PLAN_ALL_OPEN),
                       c=(by_location, _abi.CRD_PLAN_BY_LOCATION), d=(with_customers, _abi.CRD_PLAN_CUSTOMERS))
        spec = _new(
            _abi.crd_plan_spec, flags=flags, date=days_from(on, "on"), currency=bytes_from(currency, "currency"),
            category=bytes_from(category, "category"), location=bytes_from(location, "location"),
            customers=_texts(customers, "customers"), customer_count=len(customers or ()),
            items=_pointers(_abi.crd_key, keys), item_count=len(keys),
            tolerance=self._minor(tolerance, currency, "tolerance") if currency is not None else 0)
        if run is not None:
            spec.ctx, spec.progress = run.token, _PROGRESS
            if run.callbacks.get("posted") is not None:
                spec.posted = _POSTED
        return spec

    def reconcile(self, *, on: Optional[date] = None, currency: Optional[str] = None, category: Optional[str] = None,
                  location: Optional[str] = None, customers: Optional[Sequence[str]] = None,
                  items: Sequence[tuple[Any, str, str]] = (), use_cash: bool = False, tolerance: Amount = 0,
                  progress: Optional[Callable[[Progress], Any]] = None,
                  posted: Optional[Callable[[PlannedAccount], Any]] = None,
                  **request: Unpack[RequestArgs]) -> PlanResult:
        """Plans and posts without review. `on` is the business date of both. items: (kind, customer, id) of the only
        credits and invoices. progress() may return False to stop; posted() is told of every account."""
        request.setdefault("on", on)
        run = _Run(self._state, progress=progress, posted=posted)
        with run:
            spec = self._plan_spec(run, on=on, currency=currency, category=category, location=location,
                                   customers=customers, items=items, use_cash=use_cash, tolerance=tolerance)
            out = _new(_abi.crd_plan_result)
            self._call("crd_reconcile", self._pointer, self._request(**request), ctypes.byref(spec), ctypes.byref(out))
        return PlanResult(*[getattr(out, f.name) for f in fields(PlanResult)])

    def plan(self, *, on: Optional[date] = None, currency: Optional[str] = None, category: Optional[str] = None,
             location: Optional[str] = None, customers: Optional[Sequence[str]] = None,
             items: Sequence[tuple[Any, str, str]] = (), use_cash: bool = False, all_open: bool = False,
             by_location: bool = False, with_customers: bool = False, tolerance: Amount = 0,
             progress: Optional[Callable[[Progress], Any]] = None) -> Plan:
        """Makes a plan of a reconcile, to be walked, edited and committed; a context manager."""
        return Plan(self, progress, on=on, currency=currency, category=category, location=location, customers=customers,
                    items=items, use_cash=use_cash, all_open=all_open, by_location=by_location,
                    with_customers=with_customers, tolerance=tolerance)

    # ---- reports and postings

    def report(self, report: Union[ReportKind, str, int], *, customer: Optional[str] = None,
               currency: Optional[str] = None, kind: Union[Kind, str, int] = 0, states: Any = None,
               id: Optional[str] = None, on: Optional[date] = None, from_: Optional[date] = None,
               by: Union[By, int] = 0, known_at: Optional[datetime] = None, source: Optional[str] = None,
               method: Optional[str] = None, buckets: Optional[Sequence[int]] = None) -> Report:
        """Opens a report, an iterator over rows; see <credit/report.h> for what each takes and gives.

        on: as of this business date, or the last day of the period; from_: its first day. states: members of the state
        enumeration of what is listed. buckets: bounds in days overdue. Reports have methods of their own as well."""
        which = number(ReportKind, report, "report")
        return Report(self, which, _new(
            _abi.crd_report_spec, report=which, customer=bytes_from(customer, "customer"),
            currency=bytes_from(currency, "currency"), kind=number(Kind, kind, "kind"),
            states=bits(_STATES.get(which, CreditState), states, "states"), id=bytes_from(id, "id"),
            date=days_from(on, "on"), date_from=days_from(from_, "from_"), by=u32(by, "by"),
            known_at=micros_from(known_at, "known_at"), source=bytes_from(source, "source"),
            method=bytes_from(method, "method"),
            bucket_days=None if buckets is None else (ctypes.c_int32 * len(buckets))(*[i32(b, "buckets") for b in buckets]),
            bucket_count=len(buckets or ())))

    def customers(self, **spec: Any) -> Report:
        """A row per customer."""
        return self.report("customers", **spec)

    def accounts(self, **spec: Any) -> Report:
        """A row per account."""
        return self.report("accounts", **spec)

    def credits(self, customer: Optional[str] = None, **spec: Any) -> Report:
        """A row per credit."""
        return self.report("credits", customer=customer, **spec)

    def invoices(self, customer: Optional[str] = None, **spec: Any) -> Report:
        """A row per invoice."""
        return self.report("invoices", customer=customer, **spec)

    def receipts(self, customer: Optional[str] = None, **spec: Any) -> Report:
        """A row per receipt."""
        return self.report("receipts", customer=customer, **spec)

    def open_items(self, customer: Optional[str] = None, **spec: Any) -> Report:
        """A row per credit with a remainder and open invoice."""
        return self.report("open_items", customer=customer, **spec)

    def history(self, customer: str, currency: Optional[str] = None, **spec: Any) -> Report:
        """A row per journal entry of an account, or of one document (kind, id)."""
        return self.report("history", customer=customer, currency=currency, **spec)

    def aging(self, on: Optional[date] = None, **spec: Any) -> Report:
        """A row per account: what is open, by how long it is overdue."""
        return self.report("aging", on=on, **spec)

    def statement(self, customer: str, from_: Optional[date] = None, on: Optional[date] = None, **spec: Any) -> Report:
        """What changed a customer's balance, with opening and closing rows."""
        return self.report("statement", customer=customer, from_=from_, on=on, **spec)

    def unacknowledged(self, **spec: Any) -> Report:
        """A row per entry that was not acknowledged."""
        return self.report("unacknowledged", **spec)

    def _posting_spec(self, customer: Optional[str] = None, currency: Optional[str] = None,
                      from_: Optional[date] = None, to: Optional[date] = None,
                      accounts: Optional[Mapping[Union[GLRole, str, int], str]] = None) -> Any:
        names: list[Optional[str]] = [None] * _abi.CRD_GL_ROLES
        for role, name in (accounts or {}).items():
            names[number(GLRole, role, "accounts")] = name
        return _new(_abi.crd_posting_spec, customer=bytes_from(customer, "customer"),
                    currency=bytes_from(currency, "currency"), date_from=days_from(from_, "from_"),
                    date_to=days_from(to, "to"), accounts=_texts(names, "accounts"), account_count=len(names))

    def postings(self, *, customer: Optional[str] = None, currency: Optional[str] = None, from_: Optional[date] = None,
                 to: Optional[date] = None, accounts: Optional[Mapping[Any, str]] = None) -> Postings:
        """What the journal means to a general ledger: an iterator. accounts: names by GLRole."""
        return Postings(self, self._posting_spec(customer, currency, from_, to, accounts))

    def export_postings(self, format: Union[Format, str, int], write: Optional[Callable[[bytes], Any]] = None, *,
                        customer: Optional[str] = None, currency: Optional[str] = None, from_: Optional[date] = None,
                        to: Optional[date] = None, accounts: Optional[Mapping[Any, str]] = None) -> str:
        """Writes postings for hledger, Ledger or Beancount: to write(), piece by piece as UTF-8, which may return False to
        stop (CancelledError), and returns ""; without it, returns the text."""
        pieces: list[bytes] = []
        run = _Run(self._state, write=write or pieces.append)
        with run as ctx:
            self._call("crd_postings_export", self._pointer,
                       ctypes.byref(self._posting_spec(customer, currency, from_, to, accounts)),
                       number(Format, format, "format"), _WRITE_TEXT, ctx)
        return b"".join(pieces).decode()


_STATES: dict[int, Any] = {_abi.CRD_REPORT_INVOICES: InvoiceState, _abi.CRD_REPORT_RECEIPTS: ReceiptState}


def _note(error: BaseException, text: str) -> None:
    if hasattr(error, "add_note"):
        error.add_note(text)


class Unit:
    """A unit of work: what is done within it is kept together when it ends, or not at all when it raises."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._over = True

    def __enter__(self) -> Unit:
        ledger = self._ledger
        ledger._call("crd_unit_begin", ledger._pointer)
        ledger._unit, ledger._state.unit_error, self._over = True, None, False
        return self

    def __exit__(self, kind: Any, error: Optional[BaseException], trace: Any) -> None:
        if self._over:
            return
        if error is None:
            self.commit()
        else:
            self.rollback()

    def _end(self, function: str) -> None:
        if self._over:
            raise ValueError("the unit is over")
        ledger = self._ledger
        ledger._unit, self._over, ledger._state.unit_error = False, True, None
        ledger._call(function, ledger._pointer)

    def commit(self) -> None:
        """Keeps the unit now, in one write."""
        cause = self._ledger._state.unit_error
        if cause is not None and not self._over:
            self.rollback()
            raise RuntimeError("the unit was rolled back: a callback had raised within it") from cause
        self._end("crd_unit_commit")

    def rollback(self) -> None:
        """Gives the unit up now."""
        self._end("crd_unit_rollback")


# ---- Handles


class _Handle:
    """What a ledger lends until it is collected, closed, or the ledger closes."""
    _noun = ""
    _struct: Any = None
    _kind: Kind

    def __init__(self, ledger: Ledger, pointer: Any) -> None:
        self._ledger, self._pointer = ledger, pointer
        self._token = ledger._state.own(getattr(ledger._library, f"crd_{self._noun}_{self._free}"), pointer)

    _free = "free"

    def __del__(self) -> None:
        if hasattr(self, "_token"):
            self._ledger._state.dead.append(self._token)

    def _alive(self) -> Any:
        if self._ledger._pointer is None:
            raise ValueError("the ledger is closed")
        return self._pointer

    def _call(self, function: str, *arguments: Any) -> None:
        self._ledger._call(function, *arguments)


class _Document(_Handle):
    """A handle that shows a record."""

    @property
    def record(self) -> Any:
        """The record as of the last read or kept command, copied."""
        state = self._ledger._state
        with state.lock:
            if state.frames:
                raise make(self._ledger._library, _abi.CRD_E_BUSY)
            got = getattr(self._ledger._library, f"crd_{self._noun}_get")(self._alive())
            return state.record(self._kind, got.contents)

    def refresh(self) -> Any:
        """Reads the latest record, and returns the handle."""
        self._call(f"crd_{self._noun}_refresh", self._alive())
        return self

    def _text(self, name: str) -> str:
        state = self._ledger._state
        with state.lock:
            got = getattr(self._ledger._library, f"crd_{self._noun}_get")(self._alive())
            return text_of(getattr(got.contents, name))

    @property
    def customer(self) -> str:
        return self._text("customer")

    @property
    def id(self) -> str:
        return self._text("id")

    @property
    def currency(self) -> str:
        return self._text("currency")

    def _command(self, name: str, request: Any, *arguments: Any) -> Result:
        """A command of this document that gives a result in its currency."""
        out = _new(_abi.crd_result)
        ledger = self._ledger
        self._call(name, ledger._pointer, ledger._request(**request), self._alive(), *arguments, ctypes.byref(out))
        return ledger._result(out, self.currency)

    def _minor(self, amount: Amount, name: str = "amount") -> int:
        return self._ledger._minor(amount, self.currency, name)

    def __repr__(self) -> str:
        if self._ledger._pointer is None:
            return f"<{type(self).__name__} of a closed ledger>"
        return f"<{type(self).__name__} {self.customer} {self.id}>"


class Customer(_Document):
    """A customer."""
    _noun, _struct, _kind = "customer", _abi.crd_customer, Kind.CUSTOMER

    @property
    def record(self) -> CustomerRecord:
        return super().record  # type: ignore[no-any-return]

    @property
    def id(self) -> str:
        return self.customer

    def balance(self, currency: str, on: Optional[date] = None) -> Balance:
        """What the customer owes and is owed in one currency."""
        return self._ledger.balance(self.customer, currency, on)

    def change(self, *, name: Optional[str] = None, category: Optional[str] = None, location: Optional[str] = None,
               parent: Optional[str] = None, set: Union[Switch, int] = 0, clear: Union[Switch, int] = 0,
               **request: Unpack[RequestArgs]) -> Result:
        """Changes what is named; "" clears a text. Switches hold for all its accounts from this commit on."""
        terms = _new(_abi.crd_customer_change_terms, set=u32(set, "set"), clear=u32(clear, "clear"),
                     name=bytes_from(name, "name"), category=bytes_from(category, "category"),
                     location=bytes_from(location, "location"), parent=bytes_from(parent, "parent"))
        return self._command("crd_customer_change", request, ctypes.byref(terms))

    def _command(self, name: str, request: Any, *arguments: Any) -> Result:
        out = _new(_abi.crd_result)
        self._call(name, self._ledger._pointer, self._ledger._request(**request), self._alive(), *arguments,
                   ctypes.byref(out))
        return self._ledger._result(out, "")


class Credit(_Document):
    """A credit: money owed to the customer."""
    _noun, _struct, _kind = "credit", _abi.crd_credit, Kind.CREDIT

    @property
    def record(self) -> CreditRecord:
        return super().record  # type: ignore[no-any-return]

    @property
    def state(self) -> Union[CreditState, int]:
        return self.record.state

    @property
    def remaining(self) -> Decimal:
        """What is left of it."""
        return self.record.remaining

    @property
    def available(self) -> Decimal:
        """What may be used of it: remaining, less what is held and allocated."""
        record = self.record
        return record.remaining - record.held - record.allocated

    def apply(self, invoice: Optional[Invoice], amount: Optional[Amount] = None, *, clamp: bool = False,
              reference: Optional[str] = None, **request: Unpack[RequestArgs]) -> Result:
        """Applies (part of) it to an invoice; None: outside this ledger. Without an amount, all that is possible. clamp:
        reduce the amount instead of refusing. first_seq of the result is what Ledger.undo() takes."""
        terms = self._ledger_terms(amount, clamp, reference)
        return self._command("crd_credit_apply", request, None if invoice is None else invoice._alive(),
                             ctypes.byref(terms))

    def _ledger_terms(self, amount: Optional[Amount], clamp: bool, reference: Optional[str]) -> Any:
        return _new(_abi.crd_apply_terms, flags=_abi.CRD_APPLY_CLAMP if clamp or amount is None else 0,
                    amount=0 if amount is None else self._minor(amount), reference=bytes_from(reference, "reference"))

    def refund(self, amount: Amount = 0, *, method: Optional[str] = None, reference: Optional[str] = None,
               override: bool = False, **request: Unpack[RequestArgs]) -> Result:
        """Pays out what is available of it, or part. override: also what is not refundable; a right of its own."""
        terms = _new(_abi.crd_refund_terms, flags=_abi.CRD_REFUND_OVERRIDE if override else 0, amount=self._minor(amount),
                     method=bytes_from(method, "method"), reference=bytes_from(reference, "reference"))
        return self._command("crd_credit_refund", request, ctypes.byref(terms))

    def void(self, amount: Amount = 0, *, release: bool = False, **request: Unpack[RequestArgs]) -> Result:
        """Voids what is available of it, or part. release: what is held or allocated first."""
        return self._command("crd_credit_void", request, self._minor(amount), _abi.CRD_VOID_RELEASE if release else 0)

    def transfer(self, customer: str, amount: Amount = 0, *, id: Optional[str] = None,
                 **request: Unpack[RequestArgs]) -> Credit:
        """Moves what is available of it, or part, to another customer: returns the credit there. Its `result` has, as
        first_seq, the entry here that Ledger.undo() takes."""
        ledger, out = self._ledger, _new(_abi.crd_result)
        terms = _new(_abi.crd_transfer_terms, customer=bytes_from(customer, "customer"), amount=self._minor(amount),
                     id=bytes_from(id, "id"))
        there = ctypes.POINTER(_abi.crd_credit)()
        self._call("crd_credit_transfer", ledger._pointer, ledger._request(**request), self._alive(), ctypes.byref(terms),
                   ctypes.byref(there), ctypes.byref(out))
        credit = Credit(ledger, there)
        credit.result = ledger._result(out, self.currency)
        return credit

    result: Optional[Result] = None

    def delete(self, *, cascade: bool = False, **request: Unpack[RequestArgs]) -> Result:
        """Deletes a credit that was a mistake. cascade: undo its applications first."""
        return self._command("crd_credit_delete", request, _abi.CRD_DELETE_CASCADE if cascade else 0)

    def hold(self, amount: Optional[Amount] = None, *, draft: Optional[Invoice] = None, id: Optional[str] = None,
             lapses_at: Optional[datetime] = None, lapses_on: Optional[date] = None, clamp: bool = False,
             **request: Unpack[RequestArgs]) -> Hold:
        """Holds part of it; with a draft, allocates it to that order. Without an amount, all that is possible."""
        ledger = self._ledger
        terms = _new(_abi.crd_hold_terms, flags=_abi.CRD_APPLY_CLAMP if clamp or amount is None else 0,
                     id=bytes_from(id, "id"), amount=0 if amount is None else self._minor(amount),
                     lapses_at=micros_from(lapses_at, "lapses_at"), lapses_on=days_from(lapses_on, "lapses_on"))
        out = ctypes.POINTER(_abi.crd_hold)()
        self._call("crd_credit_hold", ledger._pointer, ledger._request(**request), self._alive(),
                   None if draft is None else draft._alive(), ctypes.byref(terms), ctypes.byref(out))
        return Hold(ledger, out)


class Invoice(_Document):
    """An invoice, or an order while it is a draft: money the customer owes."""
    _noun, _struct, _kind = "invoice", _abi.crd_invoice, Kind.INVOICE

    @property
    def record(self) -> InvoiceRecord:
        return super().record  # type: ignore[no-any-return]

    @property
    def state(self) -> Union[InvoiceState, int]:
        return self.record.state

    @property
    def open(self) -> Decimal:
        """What is left to pay of it."""
        return self.record.open

    def send(self, *, apply: Optional[bool] = None, **request: Unpack[RequestArgs]) -> Result:
        """Sends (posts) a draft."""
        return self._command("crd_invoice_send", request, _apply_flag(apply))

    def void(self, *, strict: bool = False, **request: Unpack[RequestArgs]) -> Result:
        """Voids it: what paid it returns to the credits. strict: refuse while cash is applied to it."""
        return self._command("crd_invoice_void", request, _abi.CRD_VOID_STRICT if strict else 0)

    def revise(self, total: Optional[Amount] = None, *, tax: Optional[Amount] = None, due: Optional[date] = None,
               disputed: Optional[bool] = None, end_lines: Sequence[int] = (), add_lines: Sequence[Line] = (),
               reason: Optional[str] = None, reference: Optional[str] = None, text: Optional[str] = None,
               **request: Unpack[RequestArgs]) -> Result:
        """Revises it; what is not named stays. The result is what went back to credits."""
        record, ledger = self.record, self._ledger
        lines = ledger._lines(add_lines, record.currency)
        flags = 0 if disputed is None else _abi.CRD_REVISE_DISPUTED if disputed else _abi.CRD_REVISE_UNDISPUTED
        ended = (ctypes.c_int64 * len(end_lines))(*[i64(line, "end_lines") for line in end_lines]) if end_lines else None
        terms = _new(
            _abi.crd_revise_terms, flags=flags, total=self._minor(record.total if total is None else total, "total"),
            tax=self._minor(record.tax if tax is None else tax, "tax"), due=days_from(due, "due"), end_lines=ended,
            end_line_count=len(end_lines), add_lines=_pointers(_abi.crd_line_terms, lines), add_line_count=len(lines),
            reason=bytes_from(reason, "reason"), reference=bytes_from(reference, "reference"),
            text=bytes_from(text, "text"))
        return self._command("crd_invoice_revise", request, ctypes.byref(terms))

    def write_off(self, amount: Amount = 0, *, cause: Union[Cause, str, int] = "written_off",
                  **request: Unpack[RequestArgs]) -> Result:
        """Writes off what is open, or part; cause: written_off (bad debt), tolerance or discount."""
        return self._command("crd_invoice_write_off", request, self._minor(amount), number(Cause, cause, "cause"))

    def reverse(self, *, id: Optional[str] = None, reason: Optional[str] = None,
                **request: Unpack[RequestArgs]) -> Credit:
        """Reverses it as its own document: returns the credit memo of all of it."""
        ledger = self._ledger
        terms = _new(_abi.crd_invoice_reverse_terms, id=bytes_from(id, "id"), reason=bytes_from(reason, "reason"))
        out = ctypes.POINTER(_abi.crd_credit)()
        self._call("crd_invoice_reverse", ledger._pointer, ledger._request(**request), self._alive(), ctypes.byref(terms),
                   ctypes.byref(out))
        return Credit(ledger, out)

    def lines(self, **spec: Any) -> Report:
        """Its lines as they stand: a report whose rows have `document_line`."""
        return self._ledger.report("lines", customer=self.customer, kind=Kind.INVOICE, id=self.id, **spec)


class Receipt(_Document):
    """A receipt: one payment event."""
    _noun, _struct, _kind = "receipt", _abi.crd_receipt, Kind.RECEIPT
    result: Optional[Result] = None

    @property
    def record(self) -> ReceiptRecord:
        return super().record  # type: ignore[no-any-return]

    def reverse(self, *, strict: bool = False, fee: Amount = 0, fee_id: Optional[str] = None,
                debit_memo: Optional[str] = None, reason: Optional[str] = None,
                **request: Unpack[RequestArgs]) -> Result:
        """Reverses a payment that bounced. strict: refuse unless its money is where the receipt put it."""
        terms = _new(_abi.crd_reverse_terms, flags=_abi.CRD_REVERSE_STRICT if strict else 0, fee=self._minor(fee, "fee"),
                     fee_id=bytes_from(fee_id, "fee_id"), debit_memo=bytes_from(debit_memo, "debit_memo"),
                     reason=bytes_from(reason, "reason"))
        return self._command("crd_receipt_reverse", request, ctypes.byref(terms))

    def undo(self, **request: Unpack[RequestArgs]) -> Result:
        """Takes it back whole, because it was entered in error."""
        record = self.record
        return self._ledger.undo(record.customer, record.currency, record.first_seq, **request)


class Hold(_Document):
    """Part of a credit put aside, or allocated to a draft."""
    _noun, _struct, _kind = "hold", _abi.crd_hold, Kind.HOLD

    @property
    def record(self) -> HoldRecord:
        return super().record  # type: ignore[no-any-return]

    def capture(self, invoice: Optional[Invoice], amount: Amount = 0, *, clamp: bool = False,
                reference: Optional[str] = None, **request: Unpack[RequestArgs]) -> Result:
        """Captures (part of) it: gives it back and applies it to the invoice; None: outside. last_seq of the result is
        what Ledger.undo() takes."""
        terms = _new(_abi.crd_apply_terms, flags=_abi.CRD_APPLY_CLAMP if clamp else 0, amount=self._minor(amount),
                     reference=bytes_from(reference, "reference"))
        return self._command("crd_hold_capture", request, None if invoice is None else invoice._alive(),
                             ctypes.byref(terms))

    def release(self, amount: Amount = 0, **request: Unpack[RequestArgs]) -> Result:
        """Releases (part of) it."""
        return self._command("crd_hold_release", request, self._minor(amount))


# ---- Cursors


class _Cursor(_Handle):
    """An iterator that is closed at its end, by close(), or as a context manager."""
    _free = "close"

    def close(self) -> None:
        """Gives it back. Closing twice does nothing."""
        state = self._ledger._state
        with state.lock:
            if self._token in state.live and not state.frames:
                free, pointer = state.live.pop(self._token)
                free(pointer)

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _alive(self) -> Any:
        super()._alive()
        if self._token not in self._ledger._state.live:
            raise ValueError(f"the {type(self).__name__.lower()} is closed")
        return self._pointer

    def _next(self, out: Any) -> bool:
        self._call(f"crd_{self._noun}_next", self._alive(), ctypes.byref(out))
        return bool(out)


class Report(_Cursor, Iterator[Row]):
    """An open report: its rows, one after the other."""
    _noun = "report"

    def __init__(self, ledger: Ledger, report: int, spec: Any) -> None:
        out = ctypes.POINTER(_abi.crd_report)()
        ledger._call("crd_report_open", ledger._pointer, ctypes.byref(spec), ctypes.byref(out))
        self._figures = _FIGURES.get(report, [])
        super().__init__(ledger, out)

    def __iter__(self) -> Report:
        return self

    def __next__(self) -> Row:
        state = self._ledger._state
        if self._token not in state.live:
            raise StopIteration
        out = ctypes.POINTER(_abi.crd_row)()
        with state.lock:
            if not self._next(out):
                self.close()
                raise StopIteration
            return self._row(state, out.contents)

    def _row(self, state: State, r: Any) -> Row:
        currency = text_of(r.currency)

        def money(minor: int) -> Decimal:
            return state.money(minor, currency)
        numbers = [r.figures[i] for i in range(r.figure_count)]
        figures = {name: value if counts else money(value) for (name, counts), value in zip(self._figures, numbers)}
        return Row(
            known(Kind, r.kind) if r.kind else 0, text_of(r.customer), currency, text_of(r.id), money(r.amount),
            date_of(r.date), known(RowLine, r.line), state.maybe(Kind.CUSTOMER, r.customer_record),
            state.maybe(Kind.ACCOUNT, r.account), state.maybe(Kind.CREDIT, r.credit), state.maybe(Kind.INVOICE, r.invoice),
            state.maybe(Kind.RECEIPT, r.receipt), state.maybe(Kind.ENTRY, r.entry),
            tuple(money(r.buckets[i]) for i in range(r.bucket_count)), state.maybe(Kind.LINE, r.document_line), figures,
            money(r.balance), money(r.expired), known(CreditClass, r.credit_class), known(CreditState, r.state),
            text_of(r.source), text_of(r.origin), text_of(r.method), text_of(r.reference))


class Postings(_Cursor, Iterator[Posting]):
    """An open walk over postings."""
    _noun = "postings"

    def __init__(self, ledger: Ledger, spec: Any) -> None:
        out = ctypes.POINTER(_abi.crd_postings)()
        ledger._call("crd_postings_open", ledger._pointer, ctypes.byref(spec), ctypes.byref(out))
        super().__init__(ledger, out)

    def __iter__(self) -> Postings:
        return self

    def __next__(self) -> Posting:
        state = self._ledger._state
        if self._token not in state.live:
            raise StopIteration
        out = ctypes.POINTER(_abi.crd_posting)()
        with state.lock:
            if not self._next(out):
                self.close()
                raise StopIteration
            p = out.contents
            currency = text_of(p.currency)
            return Posting(known(GLRole, p.role), text_of(p.account), text_of(p.customer), currency,
                           state.money(p.amount, currency), date_of(p.date), p.number,
                           state.record(Kind.ENTRY, p.entry.contents))


class Plan(_Cursor):
    """A plan of a reconcile: walk it, skip accounts, edit amounts, and commit exactly what was seen.

        with ledger.plan(use_cash=True) as plan:
            for account in plan:
                if account.account.customer == "ACME":
                    plan.skip()
            plan.commit(by="clerk")

    Each walk begins with the first account and reads further as it goes; what was read comes as it is by then."""
    _noun = "plan"

    def __init__(self, ledger: Ledger, progress: Optional[Callable[[Progress], Any]], **spec: Any) -> None:
        self._run = _Run(ledger._state, progress=progress)
        self._walked = False
        out = ctypes.POINTER(_abi.crd_plan)()
        try:
            made = ledger._plan_spec(self._run, **spec)
            ledger._call("crd_plan_open", ledger._pointer, ctypes.byref(made), ctypes.byref(out))
        except BaseException:
            forget(self._run.token)
            raise
        self._current: Any = None
        super().__init__(ledger, out)

    def close(self) -> None:
        super().close()
        forget(self._run.token)

    def __del__(self) -> None:
        super().__del__()
        if hasattr(self, "_run"):
            forget(self._run.token)

    def __iter__(self) -> Iterator[PlannedAccount]:
        state = self._ledger._state
        if self._walked:
            self._call("crd_plan_rewind", self._alive())
        self._walked = True
        while True:
            out = ctypes.POINTER(_abi.crd_plan_account)()
            with state.lock:
                self._current = None
                if not self._next(out):
                    return
                self._current = out
                account = _planned(state, out.contents)
            yield account

    def _shown(self) -> PlannedAccount:
        with self._ledger._state.lock:
            return _planned(self._ledger._state, self._current.contents)

    def skip(self) -> PlannedAccount:
        """Skips the account shown last: commit leaves it alone. Returns it as it is now."""
        self._call("crd_plan_skip", self._alive())
        return self._shown()

    def edit(self, application: int, amount: Amount) -> PlannedAccount:
        """Sets the amount of one application of the account shown last, by its index; 0 takes it out. Returns the account
        as it is now."""
        pointer = self._alive()
        if self._current is None:
            raise ValueError("no account is shown")
        currency = text_of(self._current.contents.account.contents.currency)
        if isinstance(application, bool) or not isinstance(application, int) or application < 0:
            raise ValueError(f"application: an index from 0, not {application!r}")
        self._call("crd_plan_edit", pointer, application, self._ledger._minor(amount, currency))
        return self._shown()

    def commit(self, **request: Unpack[RequestArgs]) -> PlanResult:
        """Posts every account that was walked and not skipped, exactly as it was shown."""
        out = _new(_abi.crd_plan_result)
        self._call("crd_plan_commit", self._alive(), self._ledger._request(**request), ctypes.byref(out))
        return PlanResult(*[getattr(out, f.name) for f in fields(PlanResult)])
