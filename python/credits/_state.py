"""What a ledger shares with its callbacks: the exceptions they raise, the exponents of currencies, and its handles.

Invariants:
1. It knows nothing of the Ledger, so that a ledger nobody refers to can be collected.
2. An exception of a callback belongs to the innermost call that is under way, and is told by that call.
3. What is collected is not freed at once, which may be in another thread or within a callback, but before the next
   call.
"""
from __future__ import annotations

import ctypes
import threading
from collections import deque
from decimal import Decimal
from itertools import count
from typing import Any, Callable, Optional

from . import _abi, _records
from .constants import Kind, known
from .errors import make
from .values import bytes_from, date_of, datetime_of, decimal_of

_NAMES = {Kind(kind): (name, fields) for kind, (name, _, fields) in _abi.RECORDS.items()}


class Frame:
    """A call that is under way."""

    def __init__(self) -> None:
        self.raised: list[tuple[BaseException, bool]] = []
        self.told: Optional[BaseException] = None


class State:
    def __init__(self, library: Any, currencies: dict[str, int]) -> None:
        self.library = library
        self.lock = threading.RLock()
        self.frames: list[Frame] = []
        self.unit_error: Optional[BaseException] = None
        self.watched = False
        self.exponents = dict(currencies)
        self.live: dict[int, tuple[Callable[[Any], None], Any]] = {}
        self.dead: deque[int] = deque()
        self.tokens = count()
        self.hooks: dict[str, Callable[..., Any]] = {}

    # ---- calls, and the exceptions of their callbacks

    def enter(self) -> Frame:
        self.frames.append(Frame())
        return self.frames[-1]

    def leave(self) -> None:
        self.frames.pop()

    def raised(self, error: BaseException, storage: bool = False) -> None:
        """A callback raised. `storage`: in read() or write(), where the library finds out by itself what happened."""
        if self.frames:
            self.frames[-1].raised.append((error, storage))

    def told(self, error: BaseException) -> None:
        """A storage said that nothing was kept: the cause of the CreditError that follows."""
        if self.frames:
            self.frames[-1].told = error

    def poisoned(self) -> bool:
        """Whether a callback whose answer the library went by raised: what it decided on that answer is not kept."""
        return self.unit_error is not None or bool(self.frames) and any(
            not storage for _, storage in self.frames[-1].raised)

    # ---- money and records

    def exponent(self, currency: str) -> int:
        """Decimals of a currency; asks no ledger, so callbacks may use it."""
        if currency not in self.exponents:
            if currency == "":
                return 0
            out = ctypes.c_int32()
            code = self.library.crd_currency_exponent(bytes_from(currency, "currency"), ctypes.byref(out))
            if code:
                error = make(self.library, code)
                error.message = f"{error.message}: {currency!r}"
                raise error
            self.exponents[currency] = out.value
        return self.exponents[currency]

    def money(self, minor: int, currency: str) -> Decimal:
        return decimal_of(minor, self.exponent(currency))

    def record(self, kind: int, struct: Any) -> Any:
        """A record of C, copied."""
        name, fields = _NAMES[Kind(kind)]
        enums: dict[str, Any] = _records.ENUMS[name]
        currency = (struct.currency or b"").decode()
        exponent = self.exponent(currency)
        values: list[Any] = []
        for field, ftype, _ in fields:
            value = getattr(struct, field)
            if field in enums:
                value = known(enums[field], value)
            elif ftype == _abi.CRD_FIELD_TEXT:
                value = value.decode() if value else ""
            elif ftype == _abi.CRD_FIELD_MINOR:
                value = decimal_of(value, exponent)
            elif ftype == _abi.CRD_FIELD_DATE:
                value = date_of(value)
            elif ftype == _abi.CRD_FIELD_INSTANT:
                value = datetime_of(value)
            elif ftype == _abi.CRD_FIELD_HASH:
                value = bytes(value)
            elif ftype == _abi.CRD_FIELD_BYTES:
                value = ctypes.string_at(value, getattr(struct, field + "_size")) if value else b""
            elif kind == Kind.LINE and field == "quantity":
                value = decimal_of(value, 3)
            elif kind == Kind.LINE and field == "unit_price":
                value = decimal_of(value, exponent + 3)
            values.append(value)
        return _records.CLASSES[kind](*values)

    def maybe(self, kind: int, pointer: Any) -> Any:
        """The record a pointer leads to, or None."""
        return self.record(kind, pointer.contents) if pointer else None

    # ---- what the ledger lends

    def own(self, free: Callable[[Any], None], pointer: Any) -> int:
        token = next(self.tokens)
        self.live[token] = (free, pointer)
        return token

    def bury(self) -> None:
        """Frees what was collected meanwhile, unless a call is under way."""
        while self.dead and not self.frames:
            free, pointer = self.live.pop(self.dead.popleft(), (None, None))
            if free is not None:
                free(pointer)

    def release(self) -> None:
        """Frees everything that is still lent, before the ledger closes."""
        self.dead.clear()
        for free, pointer in reversed(list(self.live.values())):
            free(pointer)
        self.live.clear()
