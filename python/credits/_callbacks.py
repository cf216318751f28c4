"""How C calls hooks and other callbacks of Python: one trampoline for each, made once and never freed. `ctx` leads to
the state of the ledger, or to the callbacks of one call. No exception leaves a trampoline."""
from __future__ import annotations

import ctypes
from decimal import Decimal
from typing import Any, Callable, Optional

from . import _abi
from ._state import State
from .constants import Command, Kind, LeftOut, PlanState, known
from .storage import forget, register, registered, trampoline
from .terms import Event, Finding, Operation, PlanApplication, PlanItem, PlannedAccount, Progress
from .values import date_of, micros_from, text_of


def _safe(state: State, otherwise: int, call: Callable[[], Optional[int]]) -> int:
    """Whatever a callback of the host raises is told by the call that is under way; C gets `otherwise`."""
    try:
        return call() or 0
    except BaseException as error:  # noqa: B902 -- nothing may leave
        state.raised(error)
        return otherwise


@trampoline(_abi.crd_hooks_clock)
def _CLOCK(ctx: int) -> int:
    state = registered(ctx)
    return _safe(state, 0, lambda: micros_from(state.hooks["clock"](), "clock"))


@trampoline(_abi.crd_hooks_authorize)
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


@trampoline(_abi.crd_hooks_event)
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
            return int(order > 0) - int(order < 0)
        return _safe(state, 0, ask)
    return getattr(_abi, f"crd_hooks_{name}")(compare)


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


@trampoline(_abi.crd_plan_spec_progress)
def _PROGRESS(ctx: int, progress: Any) -> int:
    run = registered(ctx)
    if run.state.poisoned():  # posted() raised, which it cannot say itself
        return 1
    callback = run.callbacks.get("progress")
    if callback is None:
        return 0
    p = progress.contents
    return _safe(run.state, 1, lambda: 1 if callback(Progress(p.accounts, p.applications)) is False else 0)


@trampoline(_abi.crd_plan_spec_posted)
def _POSTED(ctx: int, account: Any) -> None:
    run = registered(ctx)

    def tell() -> None:
        run.callbacks["posted"](_planned(run.state, account.contents))
    _safe(run.state, 0, tell)


@trampoline(_abi.crd_verify_spec_found)
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


@trampoline(_abi.crd_write_text)
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
    return PlannedAccount(known(PlanState, a.state), account, state.maybe(Kind.CUSTOMER, a.customer), items,
                          applications,
                          text_of(a.receipt), money(a.applied), money(a.written_off))
