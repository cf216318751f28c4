"""Structs of C, filled from values of Python. What a struct points to lives as long as it does."""
from __future__ import annotations

import ctypes
from typing import Any, Optional, Sequence

from . import _abi
from .values import bytes_from


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
