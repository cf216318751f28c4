"""Finds and loads the C libraries, and gives their functions the prototypes of the generated declarations."""
from __future__ import annotations

import ctypes
import os
from types import SimpleNamespace
from typing import Any

from . import _abi


class LibraryError(ImportError):
    """A C library could not be found, or is not one that these declarations fit."""


_core: SimpleNamespace | None = None
_others: dict[str, SimpleNamespace] = {}


def _open(path: str) -> ctypes.CDLL:
    try:
        return ctypes.CDLL(path)
    except OSError as error:
        raise LibraryError(f"{path}: {error}") from error


def _bind(cdll: ctypes.CDLL, functions: dict[str, Any], path: str) -> SimpleNamespace:
    bound = SimpleNamespace(path=path, cdll=cdll)
    for name, (result, arguments) in functions.items():
        try:
            function = getattr(cdll, name)
        except AttributeError:
            raise LibraryError(f"{path} has no {name}: it is older than these declarations") from None
        function.restype, function.argtypes = result, arguments
        setattr(bound, name, function)
    return bound


def load(path: str | os.PathLike[str] | None = None) -> SimpleNamespace:
    """Loads libcredit, once for the process: from `path`, else from CREDIT_LIBRARY of the environment, else by its
    soname from where the system looks. Called by whoever needs it first; call it before anything else to name a
    path."""
    global _core
    if _core is not None:
        if path is not None and os.path.realpath(path) != os.path.realpath(_core.path):
            raise LibraryError(f"libcredit was loaded already, from {_core.path}")
        return _core
    name = os.fspath(path) if path is not None else \
        os.environ.get("CREDIT_LIBRARY") or f"libcredit.so.{_abi.CRD_VERSION_MAJOR}"
    bound = _bind(_open(name), _abi.FUNCTIONS, name)
    version = bound.crd_version()
    if version // 10000 != _abi.CRD_VERSION_MAJOR or version < _abi.CRD_VERSION:
        raise LibraryError(f"{name} is version {bound.crd_version_text().decode()}; these declarations need "
                           f"{_abi.CRD_VERSION_MAJOR}.{_abi.CRD_VERSION_MINOR}.{_abi.CRD_VERSION_PATCH} or later")
    _core = bound
    return bound


def load_other(name: str) -> SimpleNamespace:
    """Loads libcredit-NAME: from CREDIT_NAME_LIBRARY of the environment, else from the folder libcredit came from,
    else by its soname."""
    if name in _others:
        return _others[name]
    core = load()
    try:
        from importlib import import_module
        declarations = import_module(f"._abi_{name}", __package__)
    except ModuleNotFoundError:
        raise LibraryError(f"this package has no declarations of libcredit-{name}") from None
    soname = f"libcredit-{name}.so.{_abi.CRD_VERSION_MAJOR}"
    path = os.environ.get(f"CREDIT_{name.upper()}_LIBRARY")
    if not path:
        beside = os.path.join(os.path.dirname(core.path), soname) if os.path.dirname(core.path) else ""
        path = beside if beside and os.path.exists(beside) else soname
    _others[name] = _bind(_open(path), declarations.FUNCTIONS, path)
    return _others[name]
