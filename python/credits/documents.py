"""Handles: customers, credits, invoices, receipts and holds, and what may happen to them."""
from __future__ import annotations

import ctypes
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Optional, Sequence, Union

from . import _abi
from ._records import CreditRecord, CustomerRecord, HoldRecord, InvoiceRecord, ReceiptRecord
from ._structs import _apply_flag, _new, _pointers
from .constants import Cause, CreditState, InvoiceState, Kind, Switch, number
from .errors import make
from .terms import Balance, Line, RequestArgs, Result
from .values import Amount, bytes_from, days_from, i64, micros_from, text_of, u32

if TYPE_CHECKING:
    from .cursors import Report
    from .ledger import Ledger

try:
    from typing import Unpack
except ImportError:  # Python before 3.11; annotations are not evaluated
    pass


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

    def _of(self, ledger: Ledger) -> Any:
        """The pointer, for a command of that ledger."""
        if self._ledger is not ledger:
            raise ValueError(f"{self!r} is of another ledger")
        return self._alive()

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
        """Applies (part of) it to an invoice; None: outside this ledger. Without an amount, all that is possible.
        clamp: reduce the amount instead of refusing. first_seq of the result is what Ledger.undo() takes."""
        terms = self._ledger_terms(amount, clamp, reference)
        return self._command("crd_credit_apply", request, None if invoice is None else invoice._of(self._ledger),
                             ctypes.byref(terms))

    def _ledger_terms(self, amount: Optional[Amount], clamp: bool, reference: Optional[str]) -> Any:
        return _new(_abi.crd_apply_terms, flags=_abi.CRD_APPLY_CLAMP if clamp or amount is None else 0,
                    amount=0 if amount is None else self._minor(amount), reference=bytes_from(reference, "reference"))

    def refund(self, amount: Amount = 0, *, method: Optional[str] = None, reference: Optional[str] = None,
               override: bool = False, **request: Unpack[RequestArgs]) -> Result:
        """Pays out what is available of it, or part. override: also what is not refundable; a right of its own."""
        terms = _new(_abi.crd_refund_terms, flags=_abi.CRD_REFUND_OVERRIDE if override else 0,
                     amount=self._minor(amount),
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
        self._call("crd_credit_transfer", ledger._pointer, ledger._request(**request), self._alive(),
                   ctypes.byref(terms),
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
                   None if draft is None else draft._of(ledger), ctypes.byref(terms), ctypes.byref(out))
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
        numbers = [i64(line, "end_lines") for line in end_lines]
        ended = (ctypes.c_int64 * len(numbers))(*numbers) if numbers else None
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
        self._call("crd_invoice_reverse", ledger._pointer, ledger._request(**request), self._alive(),
                   ctypes.byref(terms),
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
        terms = _new(_abi.crd_reverse_terms, flags=_abi.CRD_REVERSE_STRICT if strict else 0,
                     fee=self._minor(fee, "fee"),
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
        return self._command("crd_hold_capture", request, None if invoice is None else invoice._of(self._ledger),
                             ctypes.byref(terms))

    def release(self, amount: Amount = 0, **request: Unpack[RequestArgs]) -> Result:
        """Releases (part of) it."""
        return self._command("crd_hold_release", request, self._minor(amount))
