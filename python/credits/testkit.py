"""Is my storage right? The conformance kit of libcredit-testkit, for storages written in Python, or any other.

    from credits.testkit import conformance

    print(conformance(MyStorage))        # or, in a test: assert conformance(MyStorage).conforms

Each sentence of the storage contract is a claim, tried in an empty world of its own.
"""
from __future__ import annotations

import ctypes
from dataclasses import dataclass, field
from threading import Thread
from typing import Any, Callable, Optional, Sequence

from ._library import LibraryError, load, load_other
from ._state import State
from .errors import make
from .storage import _Table, forget, register, registered, trampoline
from .values import bytes_from, text_of

try:
    from . import _abi_testkit as abi
except ImportError:
    raise LibraryError("this package has no declarations of libcredit-testkit") from None


@dataclass(frozen=True)
class Claim:
    """One sentence of the contract."""
    id: str
    title: str
    sentence: str
    source: str
    remedy: str


@dataclass(frozen=True)
class Finding:
    """What was found of a claim: verdict "held", "failed" or "skipped", and the evidence."""
    claim: Claim
    verdict: str
    evidence: str

    def __str__(self) -> str:
        if self.verdict == "held":
            return f"{self.claim.id} held: {self.claim.title}"
        text = f"{self.claim.id} {self.verdict}: {self.evidence}"
        return text if self.verdict != "failed" else f"{text}\n    {self.claim.sentence}\n    {self.claim.remedy}"


@dataclass
class Conformance:
    """How a run went. `errors`: what callbacks raised, whatever claim that was in."""
    held: int = 0
    failed: int = 0
    skipped: int = 0
    reads: int = 0
    writes: int = 0
    findings: list[Finding] = field(default_factory=list)
    errors: list[BaseException] = field(default_factory=list)

    @property
    def conforms(self) -> bool:
        """Whether no claim failed."""
        return self.failed == 0

    def __bool__(self) -> bool:
        return self.conforms

    def __str__(self) -> str:
        lines = [str(finding) for finding in self.findings if finding.verdict != "held"]
        lines += [f"raised: {type(error).__name__}: {error}" for error in self.errors]
        return "\n".join(lines + [f"{self.held} claims held, {self.failed} failed, {self.skipped} were skipped"])


class _Place:
    """A storage that the kit has: a world, or a further connection to it."""

    def __init__(self, kit: _Kit, storage: _Table) -> None:
        self.storage, self.state = storage, State(load(), {})
        self.frame = self.state.enter()
        self.frame.raised = kit.raised  # what it raises, the kit tells
        self.table, self.token = storage._open(self.state)
        self.number = register(self)

    def show(self, world: Any) -> None:
        world.handle = self.number
        world.storage = ctypes.pointer(self.table)  # last: then the world is open

    def drop(self) -> None:
        forget(self.token)
        forget(self.number)


class _Kit:
    def __init__(self, callbacks: dict[str, Optional[Callable[..., Any]]]) -> None:
        self.callbacks = callbacks
        self.raised: list[tuple[BaseException, bool]] = []
        self.result = Conformance()

    def call(self, name: str, *arguments: Any) -> Any:
        callback = self.callbacks[name]
        return callback(*arguments) if callback is not None else None

    def guarded(self, do: Callable[[], Any]) -> None:
        try:
            do()
        except BaseException as error:  # noqa: B902 -- nothing may leave
            self.raised.append((error, False))


def _place(world: Any) -> Any:
    return registered(world.contents.handle)


@trampoline(abi.crd_testkit_factory_open)
def _OPEN(ctx: int, world: Any) -> None:
    kit = registered(ctx)
    kit.guarded(lambda: _Place(kit, kit.call("open")).show(world.contents))


@trampoline(abi.crd_testkit_factory_close)
def _CLOSE(ctx: int, world: Any) -> None:
    kit = registered(ctx)

    def close() -> None:
        place = _place(world)
        place.drop()
        kit.call("close", place.storage)
    kit.guarded(close)


@trampoline(abi.crd_testkit_factory_reopen)
def _REOPEN(ctx: int, world: Any) -> None:
    kit = registered(ctx)

    def reopen() -> None:
        place = _place(world)
        world.contents.storage = None
        place.drop()
        _Place(kit, kit.call("reopen", place.storage)).show(world.contents)
    kit.guarded(reopen)


@trampoline(abi.crd_testkit_factory_connect)
def _CONNECT(ctx: int, world: Any, other: Any) -> None:
    kit = registered(ctx)
    kit.guarded(lambda: _Place(kit, kit.call("connect", _place(world).storage)).show(other.contents))


@trampoline(abi.crd_testkit_factory_disconnect)
def _DISCONNECT(ctx: int, world: Any, other: Any) -> None:
    kit = registered(ctx)

    def disconnect() -> None:
        place = _place(other)
        place.drop()
        kit.call("disconnect", place.storage)
    kit.guarded(disconnect)


@trampoline(abi.crd_testkit_factory_concurrently)
def _CONCURRENTLY(ctx: int, world: Any, job: Any, job_ctx: int, count: int) -> None:
    kit = registered(ctx)

    def work(number: int) -> None:
        place = _Place(kit, kit.call("connect", _place(world).storage))
        try:
            job(job_ctx, number, ctypes.byref(place.table))
        finally:
            place.drop()
            kit.call("disconnect", place.storage)

    def run() -> None:
        threads = [Thread(target=kit.guarded, args=(lambda number=number: work(number),)) for number in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    kit.guarded(run)


@trampoline(abi.crd_testkit_factory_begin)
def _BEGIN(ctx: int, world: Any) -> None:
    kit = registered(ctx)
    kit.guarded(lambda: kit.call("begin", _place(world).storage))


@trampoline(abi.crd_testkit_factory_end)
def _END(ctx: int, world: Any, commit: int) -> None:
    kit = registered(ctx)
    kit.guarded(lambda: kit.call("end", _place(world).storage, bool(commit)))


_VERDICTS = {abi.CRD_TESTKIT_HELD: "held", abi.CRD_TESTKIT_FAILED: "failed", abi.CRD_TESTKIT_SKIPPED: "skipped"}


def _claim(pointer: Any) -> Claim:
    c = pointer.contents
    return Claim(text_of(c.id), text_of(c.title), text_of(c.sentence), text_of(c.source), text_of(c.remedy))


@trampoline(abi.crd_testkit_report)
def _REPORT(ctx: int, finding: Any) -> int:
    kit = registered(ctx)

    def report() -> None:
        f = finding.contents
        kit.result.findings.append(Finding(_claim(f.claim), _VERDICTS.get(f.verdict, "?"), text_of(f.evidence)))
    kit.guarded(report)
    return int(any(not isinstance(error, Exception) for error, _ in kit.raised))  # an interrupt ends the run


def claims() -> list[Claim]:
    """The claims there are, in the order in which they are tried."""
    library = load_other("testkit")
    found: list[Claim] = []
    while True:
        pointer = library.crd_testkit_claim_get(len(found))
        if not pointer:
            return found
        found.append(_claim(pointer))


def conformance(open: Callable[[], _Table], *, close: Optional[Callable[[Any], Any]] = None,
                reopen: Optional[Callable[[Any], _Table]] = None, connect: Optional[Callable[[Any], _Table]] = None,
                disconnect: Optional[Callable[[Any], Any]] = None, begin: Optional[Callable[[Any], Any]] = None,
                end: Optional[Callable[[Any, bool], Any]] = None, threads: bool = False, separate: bool = False,
                only: Sequence[str] = (), seed: int = 0) -> Conformance:
    """Tries every claim, or those named in `only`, and tells what held.

    open        gives a storage on an empty place; close(storage) throws it away
    reopen      drops the storage as the end of the process would, and gives one on the same records
    connect     gives a further storage on the same records; disconnect(storage) gives it back
    begin, end  a transaction of the host's own around what follows; end(storage, commit)
    threads     with connect: several threads may write at the same time, each on a storage connected in it
    separate    one connection may be called while another is inside a call
    Claims that need what is not given are skipped, by name.
    """
    if (begin is None) != (end is None):
        raise TypeError("begin and end: both or neither")
    if threads and connect is None:
        raise TypeError("threads need connect")
    library = load_other("testkit")
    kit = _Kit(dict(open=open, close=close, reopen=reopen, connect=connect, disconnect=disconnect, begin=begin,
                    end=end))
    factory = abi.crd_testkit_factory()
    factory.struct_size = ctypes.sizeof(factory)
    factory.flags = abi.CRD_TESTKIT_SEPARATE if separate else 0
    factory.open, factory.close = _OPEN, _CLOSE
    if reopen is not None:
        factory.reopen = _REOPEN
    if connect is not None:
        factory.connect, factory.disconnect = _CONNECT, _DISCONNECT
    if threads:
        factory.concurrently = _CONCURRENTLY
    if begin is not None:
        factory.begin, factory.end = _BEGIN, _END
    factory.only, factory.seed = bytes_from(" ".join(only), "only") if only else None, seed
    summary = abi.crd_testkit_summary()
    summary.struct_size = ctypes.sizeof(summary)
    factory.ctx = token = register(kit)
    try:
        code = library.crd_testkit_run(ctypes.byref(factory), _REPORT, token, ctypes.byref(summary))
    finally:
        forget(token)
    result = kit.result
    result.errors = [error for error, _ in kit.raised]
    for error in result.errors:
        if not isinstance(error, Exception):
            raise error
    if code:
        raise make(load(), code)
    result.held, result.failed, result.skipped = summary.held, summary.failed, summary.skipped
    result.reads, result.writes = summary.reads, summary.writes
    return result
