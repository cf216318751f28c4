"""The ledger: what a host opens on its storage."""
from __future__ import annotations

import ctypes
import logging
import warnings
from dataclasses import fields, replace
from datetime import date, datetime, timezone
from typing import Any, Callable, Iterable, Mapping, Optional, Sequence, Union

from . import _abi
from ._callbacks import (_AUTHORIZE, _CLOCK, _COMPARE_CREDITS, _COMPARE_INVOICES, _EVENT, _FOUND, _POSTED, _PROGRESS,
                         _Run,
                         _WRITE_TEXT)
from ._library import load
from ._records import CreditRecord, InvoiceRecord
from ._state import State
from ._structs import _apply_flag, _flags, _new, _pointers, _texts
from .constants import (By, CommandWarning, CreditKind, CreditState, Format, GLRole, InvoiceKind, InvoiceState, Kind,
                        LinePolicy, Order, ReceiptState, ReportKind, Switch, bits, number)
from .cursors import Plan, Postings, Report
from .documents import Credit, Customer, Hold, Invoice, Receipt
from .errors import CorruptError, CreditError, figure, make
from .storage import _Table, forget, register
from .terms import (Balance, BulkResult, BulkRow, Event, Finding, Line, Operation, PlannedAccount, PlanResult, Progress,
                    ReceiptLine, Request, RequestArgs, Result, Settings, SweepResult, VerifyResult)
from .values import (Amount, bytes_from, date_of, days_from, decimal_of, i32, i64, micros_from, minor_from, text_of,
                     thousandths, u32)

try:
    from typing import Unpack
except ImportError:  # Python before 3.11; annotations are not evaluated
    pass

_log = logging.getLogger("credits")


def system_clock() -> datetime:
    """The time of the system: what a ledger goes by unless it is given another clock."""
    return datetime.now(timezone.utc)


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

    An exception that a callback raises comes out of the call that led to it. If the call failed, nothing was kept
    unless the CreditError that is the exception's cause (or its note) says otherwise; if the call had succeeded by
    then, as when an event hook raises, a note says that too. A storage whose write raised although the batch was kept,
    which the library finds out by reading, makes no call fail: that is logged.
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
        # A hook cannot fail: what would be written on what it answered when it raised is refused at the storage.
        state.watched = bool(state.hooks.keys() - ({"clock"} if clock is system_clock else set()))
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
            if raised.__cause__ is None or getattr(raised.__cause__, "explains", None) is raised:
                error.explains = raised  # type: ignore[attr-defined]
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
                      CommandWarning(out.warnings),
                      self._library.crd_warning_text(out.warnings).decode() if out.warnings else "")

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

    def _credit_terms(self, *, kind: Union[CreditKind, str, int], currency: str, amount: Amount,
                      id: Optional[str] = None,
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
            origin=bytes_from(origin if return_of is None else return_of, "origin"),
                    source=bytes_from(source, "source"),
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
                     stands_for: Union[CreditKind, str, int] = 0, opening_original: Amount = 0,
                     opening_used: Amount = 0,
                     reserved: bool = False, refundable: Optional[bool] = None, return_of: Optional[str] = None,
                     apply: Optional[bool] = None, **request: Unpack[RequestArgs]) -> Credit:
        """Issues a credit; see crd_credit_terms in <credit/credits.h>.

        pays_kinds: the kinds of invoice it is restricted to. refundable: True or False, or None as its class says.
        return_of: the id of the invoice that a memo returns (part of). apply: to open invoices at once; None: as
        customer and ledger are set to.
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
        """Issues many credits, and enters many payments, page by page: as many as possible, each refusal in its result; or
        all or nothing, when what the first refused row was refused for is raised, with the results as `results` of the
        exception."""
        made, currencies = [], []
        for row in rows:
            made.append(_new(_abi.crd_bulk_row, customer=bytes_from(row.customer, "customer"),
                             key=bytes_from(row.key, "key")))
            if row.payment:
                made[-1].payment = ctypes.pointer(self._receipt_terms(**row.terms))
            else:
                made[-1].terms = ctypes.pointer(self._credit_terms(**row.terms))
            currencies.append(row.terms["currency"])
        if not made:
            return []
        outs = [_new(_abi.crd_bulk_result) for _ in made]
        failure: Optional[BaseException] = None
        try:
            self._call("crd_credit_issue_many", self._pointer, self._request(**request),
                       _pointers(_abi.crd_bulk_row, made), len(made),
                       _abi.CRD_BULK_ALL_OR_NOTHING if all_or_nothing else 0, _pointers(_abi.crd_bulk_result, outs),
                       None)
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

    def enter_invoice(self, customer: str, currency: str, total: Amount, *,
                      kind: Union[InvoiceKind, str, int] = "invoice",
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
            id=bytes_from(id, "id"), total=self._minor(total, currency, "total"), flags=flags,
                     due=days_from(due, "due"),
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
        terms = self._receipt_terms(
            currency, amount, lines=lines, id=id, method=method, payment_info=payment_info, reference=reference,
            credit=credit, source=source, credit_kind=credit_kind, reserved=reserved, refundable=refundable, apply=apply,
            credit_expires=credit_expires, distribute=distribute, excess_to_credit=excess_to_credit)
        out, result = ctypes.POINTER(_abi.crd_receipt)(), _new(_abi.crd_result)
        self._call("crd_receipt_enter", self._pointer, self._request(**request), bytes_from(customer, "customer"),
                   ctypes.byref(terms), ctypes.byref(out), ctypes.byref(result))
        receipt = Receipt(self, out)
        receipt.result = self._result(result, currency)
        return receipt

    def _receipt_terms(self, currency: str, amount: Amount = 0, *, lines: Sequence[ReceiptLine] = (),
                       id: Optional[str] = None, method: Optional[str] = None, payment_info: Optional[str] = None,
                       reference: Optional[str] = None, credit: Optional[str] = None, source: Optional[str] = None,
                       credit_kind: Union[CreditKind, str, int] = 0, reserved: bool = False,
                       refundable: Optional[bool] = None, apply: Optional[bool] = None,
                       credit_expires: Optional[date] = None, distribute: bool = False,
                       excess_to_credit: bool = False) -> _abi.crd_receipt_terms:
        made = []
        for line in lines:
            if line.kind not in ("pays", "discount", "tolerance"):
                raise ValueError(f"kind: {line.kind!r} is none of pays, discount, tolerance")
            made.append(_new(_abi.crd_receipt_line, invoice=bytes_from(line.invoice, "invoice"),
                             credit=bytes_from(line.credit, "credit"), amount=self._minor(line.amount, currency),
                             kind=getattr(_abi, "CRD_RECEIPT_" + line.kind.upper())))
        terms: _abi.crd_receipt_terms = _new(
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
        return terms

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

    def reconcile(self, *, currency: Optional[str] = None, category: Optional[str] = None,
                  location: Optional[str] = None, customers: Optional[Sequence[str]] = None,
                  items: Sequence[tuple[Any, str, str]] = (), use_cash: bool = False, tolerance: Amount = 0,
                  progress: Optional[Callable[[Progress], Any]] = None,
                  posted: Optional[Callable[[PlannedAccount], Any]] = None,
                  **request: Unpack[RequestArgs]) -> PlanResult:
        """Plans and posts without review. The request's `on` is the date of the plan as well. items: (kind, customer,
        id) of the only credits and invoices. progress() may return False to stop; posted() is told of every account."""
        by = request.get("by")
        on = request.get("on") or (by.on if isinstance(by, Request) else None)
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
        bounds = [i32(bound, "buckets") for bound in buckets or ()]
        return Report(self, which, _new(
            _abi.crd_report_spec, report=which, customer=bytes_from(customer, "customer"),
            currency=bytes_from(currency, "currency"), kind=number(Kind, kind, "kind"),
            states=bits(_STATES.get(which, CreditState), states, "states"), id=bytes_from(id, "id"),
            date=days_from(on, "on"), date_from=days_from(from_, "from_"), by=u32(by, "by"),
            known_at=micros_from(known_at, "known_at"), source=bytes_from(source, "source"),
            method=bytes_from(method, "method"),
            bucket_days=None if buckets is None else (ctypes.c_int32 * len(bounds))(*bounds),
            bucket_count=len(bounds)))

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
        """Writes postings for hledger, Ledger or Beancount: to write(), piece by piece as UTF-8, which may return
        False to stop (CancelledError), and returns ""; without it, returns the text."""
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
