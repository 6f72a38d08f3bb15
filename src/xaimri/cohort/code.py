"""What a function of the user's own does, as a digest: the same name may mean another function tomorrow."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from types import CodeType, FunctionType, ModuleType
from typing import Any

import numpy as np

from xaimri.arrays import Stored

OURS = "xaimri."
"""Modules whose functions are known by the version of xaimri."""

PLAIN = (str, bytes, int, float, complex, bool, type(None), type(...))


def code_digest(function: Callable[..., Any]) -> str | None:
    """Return the SHA-256 of what a function does; None of one of xaimri's own, and of what has no code.

    Its code counts, that of the functions that it calls by name where these are the user's own, and the plain
    values and arrays that it takes from around it. Another version of Python has another code.

    Examples
    --------
    >>> own = {"__name__": "mine"}  # the module that they are of
    >>> one, same, other = (eval(f"lambda maps: maps[{n}]", own) for n in (0, 0, 1))
    >>> code_digest(one) == code_digest(same), code_digest(one) == code_digest(other)
    (True, False)
    """
    own = _function(function)
    if own is None or f"{own.__module__}.".startswith(OURS):
        return None
    return hashlib.sha256(repr(list(_told(own, set()))).encode()).hexdigest()


def _function(given: object) -> FunctionType | None:
    """Return the function behind a method or an object that can be called."""
    inner = getattr(given, "__func__", given)
    if not isinstance(inner, FunctionType) and not isinstance(inner, type):
        inner = getattr(type(inner), "__call__", None)  # noqa: B004 - the function itself is wanted
    return inner if isinstance(inner, FunctionType) else None


def _told(function: FunctionType, seen: set[int]) -> Iterator[object]:
    """Yield what makes a function, each once."""
    if id(function) in seen:
        return
    seen.add(id(function))
    yield from _code(function.__code__)
    cells = [each.cell_contents for each in function.__closure__ or () if _filled(each)]
    around = [function.__globals__.get(name) for name in _names(function.__code__)]
    defaults = (function.__defaults__ or (), tuple((function.__kwdefaults__ or {}).values()))
    for value in (*cells, *defaults[0], *defaults[1], *around):
        if isinstance(value, FunctionType) and not f"{value.__module__}.".startswith(OURS):
            if not _installed(value):
                yield from _told(value, seen)
        elif isinstance(value, np.ndarray):
            yield Stored(value).sha256
        elif isinstance(value, PLAIN):
            yield value


def _installed(function: FunctionType) -> bool:
    """Tell whether a function is of a package rather than of a script or a notebook."""
    return "site-packages" in function.__code__.co_filename


def _names(code: CodeType) -> Iterator[str]:
    """Yield the names that a code asks for, those within it too."""
    yield from code.co_names
    for each in code.co_consts:
        if isinstance(each, CodeType):
            yield from _names(each)


def _code(code: CodeType) -> Iterator[object]:
    """Yield what a code does, without where it stands."""
    yield code.co_code.hex()
    yield code.co_names
    for each in code.co_consts:
        if isinstance(each, CodeType):
            yield from _code(each)
        else:
            yield sorted(map(repr, each)) if isinstance(each, frozenset) else repr(each)


def _filled(cell: Any) -> bool:
    try:
        return not isinstance(cell.cell_contents, ModuleType)
    except ValueError:  # a name that is bound later
        return False
