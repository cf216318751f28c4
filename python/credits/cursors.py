"""Cursors: reports, postings, and the plan of a reconcile."""
from __future__ import annotations

import ctypes
from dataclasses import fields
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Callable, Iterator, Optional

from . import _abi
from ._callbacks import _planned, _Run
from ._state import State
from ._structs import _new
from .constants import CreditClass, CreditState, GLRole, Kind, RowLine, known
from .documents import _Handle
from .storage import forget
from .terms import PlannedAccount, PlanResult, Posting, Progress, RequestArgs, Row
from .values import Amount, date_of, text_of

if TYPE_CHECKING:
    from .ledger import Ledger

try:
    from typing import Unpack
except ImportError:  # Python before 3.11; annotations are not evaluated
    pass


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
            state.maybe(Kind.ACCOUNT, r.account), state.maybe(Kind.CREDIT, r.credit),
                   state.maybe(Kind.INVOICE, r.invoice),
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
        """Gives it back; what was not committed is forgotten."""
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
        """Sets the amount of one application of the account shown last, by its index; 0 takes it out. Returns the
        account as it is now."""
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
