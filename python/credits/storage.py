"""Where records are kept: in memory, in SQLite, in PostgreSQL, or wherever a class of your own puts them.

A storage of your own derives from Storage and has two methods:

    read(query, emit)   pass every record that matches to emit(), account records before all others
    write(batch)        keep the whole batch or nothing, its guards checked first

What a storage promises (S1 to S11) is told in <credit/storage.h>. Proof that a call finished is written by this module,
after the method returned: one that raises has proved nothing, so the library counts a read as failed and looks up what
became of a write.
"""
from __future__ import annotations

import ctypes
import os
import secrets
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Any, Callable, Mapping, Optional, Sequence, Union

from . import _abi
from ._library import load, load_other
from .constants import FieldType, Kind
from .errors import make
from .values import bytes_from, u32

Value = Union[int, str, bytes]

FIELDS: dict[Kind, tuple[tuple[str, FieldType, bool], ...]] = {
    Kind(kind): tuple((name, FieldType(ftype), key) for name, ftype, key in fields)
    for kind, (_, _, fields) in _abi.RECORDS.items()}
"""By kind: (name, type, whether it is part of the key) of every field, in the order of the record."""

_STRUCTS = {Kind(kind): struct for kind, (_, struct, _) in _abi.RECORDS.items()}
# Where each field ends: a struct of an older or smaller make has those that end within its struct_size.
_ENDS = {kind: [getattr(_STRUCTS[kind], name + "_size" if ftype == FieldType.BYTES else name).offset
                + getattr(_STRUCTS[kind], name + "_size" if ftype == FieldType.BYTES else name).size
                for name, ftype, _ in fields] for kind, fields in FIELDS.items()}
_TEXT, _HASH, _BYTES, _I64 = FieldType.TEXT, FieldType.HASH, FieldType.BYTES, FieldType.I64
_DEFAULT: dict[int, Value] = {_TEXT: "", _HASH: bytes(32), _BYTES: b""}


@dataclass
class Record:
    """A record as it is kept: amounts in minor units, dates in days since 1970, instants in microseconds, texts as str.

    `values` names its fields as <credit/record.h> does, without struct_size; those that are absent are 0 or ""."""
    kind: Kind
    values: dict[str, Any]

    def __getitem__(self, name: str) -> Any:
        return self.values[name]

    @property
    def key(self) -> bytes:
        """Bytes that sort as records do: by kind, customer, and the rest of the key."""
        struct, _keep = self._struct()
        out, size = ctypes.create_string_buffer(_abi.CRD_RECORD_KEY_SIZE), ctypes.c_uint64()
        code = load().crd_record_key(self.kind, ctypes.byref(struct), _u8(out), len(out), ctypes.byref(size))
        if code:
            raise make(load(), code)
        return out.raw[:size.value]

    def encode(self) -> bytes:
        """Bytes that every version of the library can read."""
        struct, _keep = self._struct()
        return _encode(self.kind, ctypes.byref(struct))

    @classmethod
    def decode(cls, kind: int, data: bytes) -> Record:
        """The record that encode() wrote."""
        struct, _keep = _decode(kind, data)
        return cls.from_struct(kind, struct)

    @classmethod
    def from_struct(cls, kind: int, struct: Any) -> Record:
        """A copy of what C shows: as much as its struct_size says that there is, the rest is 0 or ""."""
        kind = Kind(kind)
        values: dict[str, Any] = {}
        for (name, ftype, _), end in zip(FIELDS[kind], _ENDS[kind]):
            if end > struct.struct_size:
                values[name] = _DEFAULT.get(ftype, 0)
                continue
            value = getattr(struct, name)
            if ftype == _TEXT:
                value = value.decode() if value else ""
            elif ftype == _HASH:
                value = bytes(value)
            elif ftype == _BYTES:
                value = ctypes.string_at(value, getattr(struct, name + "_size")) if value else b""
            elif ftype == _I64 and value >= 2 ** 63:  # a counter that C holds unsigned
                value -= 2 ** 64
            values[name] = value
        return cls(kind, values)

    def _struct(self) -> tuple[Any, list[Any]]:
        """The struct of C, and what must live as long as it does."""
        struct = _STRUCTS[self.kind]()
        struct.struct_size = ctypes.sizeof(struct)
        keep: list[Any] = []
        for name, ftype, _ in FIELDS[self.kind]:
            value: Any = self.values.get(name)
            if value is None:
                value = _DEFAULT.get(ftype, 0)
            if ftype == _TEXT:
                value = bytes_from(value, name)
                keep.append(value)
                setattr(struct, name, value)
            elif ftype in (_HASH, _BYTES) and not isinstance(value, (bytes, bytearray, memoryview)):
                raise TypeError(f"{name}: bytes, not {type(value).__name__}")
            elif ftype == _HASH:
                value = bytes(value)
                if len(value) != 32:
                    raise ValueError(f"{name}: 32 bytes, not {len(value)}")
                ctypes.memmove(ctypes.addressof(getattr(struct, name)), value, 32)
            elif ftype == _BYTES:
                value = bytes(value)
                if value:
                    buffer = (ctypes.c_uint8 * len(value)).from_buffer_copy(value)
                    keep.append(buffer)
                    setattr(struct, name, ctypes.cast(buffer, ctypes.POINTER(ctypes.c_uint8)))
                    setattr(struct, name + "_size", len(value))
            else:
                if isinstance(value, bool) or not isinstance(value, int):
                    raise TypeError(f"{name}: an int, not {type(value).__name__}")
                setattr(struct, name, value)
                if getattr(struct, name) != value and not (
                        ftype == _I64 and -2 ** 63 <= value < 0 and getattr(struct, name) == value + 2 ** 64):
                    raise ValueError(f"{name}: {value} does not fit")
        return struct, keep


def _u8(buffer: Any) -> Any:
    return ctypes.cast(buffer, ctypes.POINTER(ctypes.c_uint8))


def _encode(kind: int, struct: Any) -> bytes:
    library, size = load(), ctypes.c_uint64()
    code = library.crd_record_encode(kind, struct, None, 0, ctypes.byref(size))
    if code not in (0, _abi.CRD_E_TOO_LARGE):
        raise make(library, code)
    out = ctypes.create_string_buffer(max(1, size.value))
    code = library.crd_record_encode(kind, struct, _u8(out), len(out), ctypes.byref(size))
    if code:
        raise make(library, code)
    return out.raw[:size.value]


def _decode(kind: int, data: bytes) -> tuple[Any, Any]:
    struct = _STRUCTS[Kind(kind)]()
    struct.struct_size = ctypes.sizeof(struct)
    source = ctypes.create_string_buffer(data, len(data)) if data else ctypes.create_string_buffer(1)
    text = ctypes.create_string_buffer(len(data) + len(FIELDS[Kind(kind)]) + 1)
    code = load().crd_record_decode(kind, _u8(source), len(data), ctypes.byref(struct), text, len(text))
    if code:
        raise make(load(), code)
    return struct, (source, text)


@dataclass(frozen=True)
class Key:
    """Names one record: `number` is the seq of an entry or the number of a line."""
    kind: Kind
    customer: str
    currency: str = ""
    id: str = ""
    number: int = 0
    document_kind: int = 0


@dataclass(frozen=True)
class Query:
    """What to read; see crd_query in <credit/storage.h>. None and 0 set no condition. A storage may treat any condition
    but `kinds` as absent, except that with `limit` it must emit at least the smallest accounts asked for and all their
    documents."""
    kinds: frozenset[Kind]
    open_only: bool = False
    both_open: bool = False
    unacknowledged: bool = False
    for_write: bool = False
    limit: int = 0
    customer: Optional[str] = None
    currency: Optional[str] = None
    id: Optional[str] = None
    request_key: Optional[str] = None
    states: int = 0
    after: Optional[tuple[str, str]] = None
    seq_from: int = 0
    seq_to: int = 0
    date_from: int = 0
    date_to: int = 0
    entry_credit: Optional[str] = None
    entry_invoice: Optional[str] = None
    entry_receipt: Optional[str] = None
    keys: Optional[tuple[Key, ...]] = None
    _struct: list[Any] = field(default_factory=list, repr=False, compare=False)

    def matches(self, record: Record) -> bool:
        """Whether a record passes the conditions (all but limit, both_open and unacknowledged, which need more than one
        record). Only during the read the query came with."""
        if not self._struct:
            raise RuntimeError("the read this query came with is over")
        struct, _keep = record._struct()
        return bool(load().crd_query_matches(self._struct[0], record.kind, ctypes.byref(struct)))


def _text(value: Optional[bytes]) -> Optional[str]:
    return None if value is None else value.decode()


def _query(pointer: Any) -> Query:
    q = pointer.contents
    flags, keys = q.flags, None
    if q.keys:
        keys = tuple(Key(Kind(k.kind), k.customer.decode(), (k.currency or b"").decode(), (k.id or b"").decode(),
                         k.number, k.document_kind) for k in (q.keys[i].contents for i in range(q.key_count)))
    after = (q.after_customer.decode(), (q.after_currency or b"").decode()) if q.after_customer is not None else None
    return Query(frozenset(kind for kind in Kind if q.kinds >> kind & 1),
                 bool(flags & _abi.CRD_QUERY_OPEN), bool(flags & _abi.CRD_QUERY_BOTH_OPEN),
                 bool(flags & _abi.CRD_QUERY_UNACKNOWLEDGED), bool(flags & _abi.CRD_QUERY_FOR_WRITE), q.limit,
                 _text(q.customer), _text(q.currency), _text(q.id), _text(q.request_key), q.states, after,
                 q.seq_from, q.seq_to, q.date_from, q.date_to,
                 _text(q.entry_credit), _text(q.entry_invoice), _text(q.entry_receipt), keys, [pointer])


@dataclass(frozen=True)
class Guard:
    """An account and the version it must still have; 0: it must not exist."""
    customer: str
    currency: str
    version: int
    new_version: int
    group: int = 0


@dataclass(frozen=True)
class Change:
    """One record to insert, or to update whole."""
    insert: bool
    record: Record
    group: int = 0

    @property
    def kind(self) -> Kind:
        return self.record.kind


@dataclass(frozen=True)
class Batch:
    """What to keep, whole or not at all. Guards are sorted by key, changes by kind and key."""
    guards: list[Guard]
    changes: list[Change]
    independent: bool = False


def _batch(pointer: Any) -> Batch:
    b = pointer.contents
    guards = [Guard(g.customer.decode(), g.currency.decode(), g.version, g.new_version, g.group)
              for g in (b.guards[i].contents for i in range(b.guard_count))]
    changes = []
    for i in range(b.change_count):
        change = b.changes[i].contents
        struct = ctypes.cast(change.record, ctypes.POINTER(_STRUCTS[Kind(change.kind)])).contents
        changes.append(Change(change.operation == _abi.CRD_CHANGE_INSERT, Record.from_struct(change.kind, struct),
                              change.group))
    return Batch(guards, changes, bool(b.flags & _abi.CRD_BATCH_INDEPENDENT))


class NotKept(Exception):
    """Raised by a storage that is certain: nothing was kept (or read). Its subclasses say more. The call of the ledger
    then raises the CreditError that fits, with this as its cause."""
    outcome = _abi.CRD_OUTCOME_FAILED

    def __init__(self, text: str = "", number: int = 0) -> None:
        super().__init__(text)
        self.text, self.number = text, number


class GuardFailed(NotKept):
    """Guards failed: the indexes of all that did, ascending. Nothing was kept."""
    outcome = _abi.CRD_OUTCOME_CONFLICT

    def __init__(self, failed: Sequence[int]) -> None:
        super().__init__(f"guards {list(failed)} failed")
        self.failed = list(failed)


class KeyExists(NotKept):
    """An inserted key exists: the index of the change. Nothing was kept."""
    outcome = _abi.CRD_OUTCOME_EXISTS

    def __init__(self, change: int) -> None:
        super().__init__(f"the key of change {change} exists")
        self.change = change


class Restart(NotKept):
    """Nothing was kept, and the host's own transaction cannot go on."""
    outcome = _abi.CRD_OUTCOME_RESTART


class SchemaUnusable(NotKept):
    """Nothing was kept or read: the stored schema cannot be used by this version."""
    outcome = _abi.CRD_OUTCOME_SCHEMA


Emit = Callable[..., bool]
"""emit(record) or emit(kind, data), data being what Record.encode() made. True: nothing more is wanted."""


class _Table(ABC):
    """Whatever a ledger can be opened on."""

    @abstractmethod
    def _open(self, state: Any) -> tuple[Any, int]:
        """The callback table, and the token to forget when the ledger has closed (0: none)."""


class Storage(_Table):
    """A storage written in Python. Override read() and write(); see the top of this module.

    settled   True: no call can take effect after it returned or raised. A write that raised is then only looked up;
              otherwise the library may call write() again with the identical batch, whose guards let it land once.
    """
    settled: bool = False

    @abstractmethod
    def read(self, query: Query, emit: Emit) -> None:
        """Passes every record that matches the query to emit(), account records before all others, no key twice.
        More may be emitted than was asked for, never less."""

    @abstractmethod
    def write(self, batch: Batch) -> Optional[Sequence[int]]:
        """Keeps the whole batch and returns None, or raises a NotKept and keeps nothing. Of an independent batch the
        groups whose guards hold may be kept; the indexes of the guards that failed are returned then."""

    def closed(self) -> None:
        """Called once for every ledger opened on it, when that one closes."""

    def joined(self) -> bool:
        """True while writes are part of a transaction of the host's, which may yet roll back: then an unknown outcome
        is raised as it is, and no event hook is called."""
        return False

    def new_writer(self) -> int:
        """64 bits that no other handle on the same records ever got."""
        return secrets.randbits(64) or 1

    def _open(self, state: Any) -> tuple[Any, int]:
        table = _abi.crd_storage()
        table.struct_size = ctypes.sizeof(table)
        for kind, struct in _STRUCTS.items():
            table.record_size[kind] = ctypes.sizeof(struct)
        token = register(_Bridge(self, state))
        table.ctx = token
        table.flags = _abi.CRD_STORAGE_SETTLED if self.settled else 0
        table.read, table.write, table.close = _READ, _WRITE, _CLOSE
        table.flags_now, table.new_writer = _FLAGS, _WRITER
        return table, token


# ---- How C calls Python
#
# There is one trampoline for each callback, made once and never freed; `ctx` is a number that leads to the object. So
# nothing that C may still call can be collected, and close(ctx) forgets the number. A trampoline never lets an
# exception out: ctypes would print it and hand garbage to C. It goes to the state of the ledger (`raised`), whose call
# then raises it.

_objects: dict[int, Any] = {}
_next = iter(range(1, 2 ** 62)).__next__


def register(thing: Any) -> int:
    """A number for `ctx` that leads to `thing` until forget()."""
    token = _next()
    _objects[token] = thing
    return token


def forget(token: int) -> None:
    _objects.pop(token, None)


def registered(token: int) -> Any:
    return _objects[token]


def trampoline(kind: Any) -> Callable[[Callable[..., Any]], Any]:
    """Makes a function one that C can call: the callback type of the declarations is given."""
    return lambda function: kind(function)


class _Bridge:
    """A storage as one ledger uses it."""

    def __init__(self, storage: Storage, state: Any) -> None:
        self.storage, self.state = storage, state


def _fail(result: Any, outcome: int, number: int, text: str) -> None:
    result.outcome = outcome
    result.host_error = number if -2 ** 63 <= number < 2 ** 63 else 0
    words = text.encode(errors="replace").replace(b"\0", b"?")[:_abi.CRD_HOST_TEXT - 1]
    result.host_text = words.decode(errors="ignore").encode()


@trampoline(_abi.crd_storage_read)
def _READ(ctx: int, query: Any, emit: Any, sink: Any, out: Any) -> None:
    state = None
    try:
        bridge = _objects[ctx]
        state, result = bridge.state, out.contents
        stopped, asked = False, _query(query)

        def pass_on(what: Any, data: Optional[bytes] = None) -> bool:
            nonlocal stopped
            if not asked._struct:
                raise RuntimeError("the read this emit() came with is over")
            if stopped:
                return True
            if data is None:
                struct, _keep = what._struct()
                kind = what.kind
            else:
                kind = what
                struct, _keep = _decode(kind, data)
            stopped = bool(emit(sink, kind, ctypes.addressof(struct)))
            return stopped

        try:
            returned = bridge.storage.read(asked, pass_on)
            if returned is not None:  # a generator or a coroutine, of which not a line has run
                raise TypeError(f"read() passes records to emit() and returns nothing, not {type(returned).__name__}")
            outcome = _abi.CRD_OUTCOME_DONE
        except NotKept as error:
            state.told(error)
            outcome = error.outcome
            _fail(result, outcome, error.number, error.text)
        finally:
            asked._struct.clear()
        result.outcome = outcome
        result.proof = query.contents.proof
    except BaseException as error:  # noqa: B902 -- nothing may leave
        _keep_error(state, error, out)


@trampoline(_abi.crd_storage_write)
def _WRITE(ctx: int, batch: Any, out: Any) -> None:
    state = None
    try:
        bridge = _objects[ctx]
        state, result = bridge.state, out.contents
        if state.poisoned():
            _fail(result, _abi.CRD_OUTCOME_FAILED, 0, "a callback raised")
            result.proof = batch.contents.proof
            return
        try:
            asked = _batch(batch)
            failed = bridge.storage.write(asked)
            if failed is not None and not (asked.independent and isinstance(failed, (list, tuple))):
                raise TypeError("write() returns nothing, or of an independent batch a list of the guards that failed, "
                                f"not {type(failed).__name__}; a whole batch that is not kept raises GuardFailed")
            outcome = _abi.CRD_OUTCOME_DONE
        except NotKept as error:
            state.told(error)
            outcome, failed = error.outcome, getattr(error, "failed", None)
            _fail(result, outcome, error.number, error.text)
            if isinstance(error, KeyExists):
                result.exists = error.change
        if failed:
            if sorted(set(failed)) != list(failed) or not 0 <= failed[0] <= failed[-1] < batch.contents.guard_count:
                raise ValueError(f"{failed} are no indexes of guards, ascending")
            for i, index in enumerate(failed):
                result.failed[i] = index
            result.failed_count = len(failed)
        result.outcome = outcome
        result.proof = batch.contents.proof
    except BaseException as error:  # noqa: B902 -- nothing may leave
        _keep_error(state, error, out)


def _keep_error(state: Any, error: BaseException, out: Any) -> None:
    """Without proof the library counts a read as failed and looks up a write, whatever else the result says."""
    if state is not None:
        state.raised(error, storage=True)
    result = out.contents
    result.outcome, result.proof = _abi.CRD_OUTCOME_UNKNOWN, 0
    try:
        _fail(result, _abi.CRD_OUTCOME_UNKNOWN, 0, f"{type(error).__name__}: {error}")
    except Exception:  # an exception whose text cannot be made
        pass


@trampoline(_abi.crd_storage_close)
def _CLOSE(ctx: int) -> None:
    bridge = _objects.pop(ctx, None)
    if bridge is None:
        return
    try:
        bridge.storage.closed()
    except BaseException as error:  # noqa: B902
        bridge.state.raised(error)


@trampoline(_abi.crd_storage_flags_now)
def _FLAGS(ctx: int) -> int:
    bridge = _objects[ctx]
    flags = 0
    try:
        flags = _abi.CRD_STORAGE_SETTLED if bridge.storage.settled else 0
        return flags | (_abi.CRD_STORAGE_JOINED if bridge.storage.joined() else 0)
    except BaseException as error:  # noqa: B902
        bridge.state.raised(error)
        return flags | _abi.CRD_STORAGE_JOINED


@trampoline(_abi.crd_storage_new_writer)
def _WRITER(ctx: int) -> int:
    bridge = _objects[ctx]
    try:
        return int(bridge.storage.new_writer()) & (2 ** 64 - 1)
    except BaseException as error:  # noqa: B902
        bridge.state.raised(error)
        return 0


# ---- Storages that come with the library


class _Watched:
    """A storage in C, whose writes are refused once a callback in Python raised within the same call."""

    def __init__(self, table: Any, state: Any) -> None:
        self.table, self.state = table, state


@trampoline(_abi.crd_storage_read)
def _WATCHED_READ(ctx: int, query: Any, emit: Any, sink: Any, out: Any) -> None:
    table = _objects[ctx].table
    table.read(table.ctx, query, emit, sink, out)


@trampoline(_abi.crd_storage_write)
def _WATCHED_WRITE(ctx: int, batch: Any, out: Any) -> None:
    watched = _objects[ctx]
    if watched.state.poisoned():
        _fail(out.contents, _abi.CRD_OUTCOME_FAILED, 0, "a callback raised")
        out.contents.proof = batch.contents.proof
        return
    watched.table.write(watched.table.ctx, batch, out)


@trampoline(_abi.crd_storage_close)
def _WATCHED_CLOSE(ctx: int) -> None:
    watched = _objects.pop(ctx, None)
    if watched is not None and watched.table.close:
        watched.table.close(watched.table.ctx)


@trampoline(_abi.crd_storage_flags_now)
def _WATCHED_FLAGS(ctx: int) -> int:
    table = _objects[ctx].table
    return int(table.flags_now(table.ctx) if table.flags_now else table.flags)


@trampoline(_abi.crd_storage_new_writer)
def _WATCHED_WRITER(ctx: int) -> int:
    table = _objects[ctx].table
    return int(table.new_writer(table.ctx) if table.new_writer else secrets.randbits(64) or 1)


class NativeStorage(_Table):
    """A storage written in C. Close it after the ledgers on it; it is a context manager."""

    def __init__(self) -> None:
        self._handle: Any = None
        self._free: Callable[[Any], None] = lambda handle: None
        self._ledgers = 0

    def _storage(self) -> Any:
        raise NotImplementedError

    def _open(self, state: Any) -> tuple[Any, int]:
        if self._handle is None:
            raise ValueError("the storage is closed")
        inner = self._storage().contents
        table = _abi.crd_storage()
        ctypes.pointer(table)[0] = inner
        token = register(_Watched(inner, state))
        table.ctx = token
        table.read, table.write, table.close = _WATCHED_READ, _WATCHED_WRITE, _WATCHED_CLOSE
        table.flags_now, table.new_writer = _WATCHED_FLAGS, _WATCHED_WRITER
        return (table, token) if state.watched else (inner, self._drop(token))

    @staticmethod
    def _drop(token: int) -> int:
        forget(token)
        return 0

    def close(self) -> None:
        """Gives it back. A ledger that is still open on it must not be used any more, so that is refused."""
        if self._ledgers:
            raise ValueError("a ledger is open on the storage: close that first")
        handle, self._handle = self._handle, None
        if handle is not None:
            self._free(handle)

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def __del__(self) -> None:
        if getattr(self, "_handle", None) is not None and not self._ledgers:
            self.close()


class MemoryStorage(NativeStorage):
    """Records in memory: for tests, previews and caches."""

    def __init__(self) -> None:
        super().__init__()
        library, handle = load(), ctypes.POINTER(_abi.crd_memory)()
        code = library.crd_memory_new(None, ctypes.byref(handle))
        if code:
            raise make(library, code)
        self._handle, self._free = handle, library.crd_memory_free

    def _storage(self) -> Any:
        return load().crd_memory_storage(self._handle)

    @property
    def used(self) -> int:
        """Bytes it has from the allocator now."""
        return int(load().crd_memory_used(self._handle))


class _OwnLibrary(NativeStorage):
    """A storage that comes in a library of its own, libcredit-NAME."""
    _name = ""

    def __init__(self, kind: Any, function: str, *arguments: Any) -> None:
        super().__init__()
        self._library = load_other(self._name)
        handle = ctypes.POINTER(kind)()
        code = self._function(function)(*arguments, ctypes.byref(handle))
        if code:
            error = make(load(), code)
            if handle:  # it tells why
                error.host_text = (self._function("message")(handle) or b"").decode(errors="replace")
                self._function("close")(handle)
                if error.host_text:
                    error.message += ": " + error.host_text
            raise error
        self._handle, self._free = handle, self._function("close")

    def _function(self, name: str) -> Any:
        return getattr(self._library, f"crd_{self._name}_{name}")

    def _storage(self) -> Any:
        return self._function("storage")(self._handle)

    @property
    def message(self) -> str:
        """The database's own words for the last failure, or ""."""
        if self._handle is None:
            raise ValueError("the storage is closed")
        return (self._function("message")(self._handle) or b"").decode(errors="replace")


class SQLiteStorage(_OwnLibrary):
    """Records in an SQLite file, by libcredit-sqlite.

    path        where the file is, or ":memory:"
    connection  instead: the address of a connection of the host's own (a sqlite3 *), whose open transaction a write
                becomes part of, such as apsw.Connection.sqlite3_pointer(). It must outlive the storage. Python's
                sqlite3 tells no address: derive a Storage, as examples/python_host.py does
    read_only   refuse every write; the file and its tables must exist
    normal      synchronous=NORMAL: a power cut may lose the last commits, never damage the file
    """
    _name = "sqlite"

    def __init__(self, path: Union[str, os.PathLike[str], None] = None, *, connection: Optional[int] = None,
                 read_only: bool = False, normal: bool = False) -> None:
        if (path is None) == (connection is None):
            raise TypeError("a path or a connection")
        load_other("sqlite")
        from . import _abi_sqlite as abi
        flags = (abi.CRD_SQLITE_READ_ONLY if read_only else 0) | (abi.CRD_SQLITE_NORMAL if normal else 0)
        if connection is not None:
            super().__init__(abi.crd_sqlite, "attach", ctypes.c_void_p(connection), flags)
        else:
            super().__init__(abi.crd_sqlite, "open", bytes_from(os.fspath(path or ""), "path"), flags)


class PostgresStorage(_OwnLibrary):
    """Records in a PostgreSQL database, by libcredit-postgres.

    conninfo    as libpq takes it; "": what the environment says
    connection  instead: the address of a connection of the host's own (a PGconn *), whose open transaction a write
                becomes part of, such as psycopg2's connection.pgconn_ptr. It must outlive the storage
    schema      name of the schema; "credit" if not given
    partitions  when the tables are made: how many partitions by customer each gets
    read_only   refuse every write; the tables must exist
    unprepared  no prepared statements, for a pooler that gives every transaction another connection
    no_ddl      make and change no table
    """
    _name = "postgres"

    def __init__(self, conninfo: Optional[str] = None, *, connection: Optional[int] = None,
                 schema: Optional[str] = None, partitions: int = 0, read_only: bool = False, unprepared: bool = False,
                 no_ddl: bool = False) -> None:
        if (conninfo is None) == (connection is None):
            raise TypeError("a conninfo or a connection")
        load_other("postgres")
        from . import _abi_postgres as abi
        options = abi.crd_postgres_options()
        options.struct_size = ctypes.sizeof(options)
        options.flags = (abi.CRD_POSTGRES_READ_ONLY if read_only else 0) | \
            (abi.CRD_POSTGRES_UNPREPARED if unprepared else 0) | (abi.CRD_POSTGRES_NO_DDL if no_ddl else 0)
        options.schema, options.partitions = bytes_from(schema, "schema"), u32(partitions, "partitions")
        if connection is not None:
            super().__init__(abi.crd_postgres, "attach", ctypes.c_void_p(connection), ctypes.byref(options))
        else:
            super().__init__(abi.crd_postgres, "open", bytes_from(conninfo, "conninfo"), ctypes.byref(options))


def values_of(record: Mapping[str, Any], kind: int) -> Record:
    """A record from a row that has (some of) its fields, such as an sqlite3.Row."""
    names = set(record.keys())
    return Record(Kind(kind), {name: record[name] for name, _, _ in FIELDS[Kind(kind)] if name in names})
