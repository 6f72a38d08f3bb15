"""What a method's settings may hold, and how they are written down."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

import numpy as np

from xaimri.arrays import Array, Stored
from xaimri.errors import InvalidInput


def whole(explainer: Any, name: str, least: int, also: str = "") -> None:
    """Check that a setting is a whole number of at least so much, and keep it as a plain int."""
    object.__setattr__(explainer, name, whole_number(getattr(explainer, name), name, least, also))


def whole_number(value: Any, name: str, least: int, also: str = "") -> int:
    """Return a whole number of at least so much as a plain int."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise InvalidInput(
            f"`{name}` must be a whole number of at least {least}{also and f' {also}'}, got {value!r}."
        )
    return int(value)


def positive(explainer: Any, name: str, *, zero: bool = False) -> None:
    """Check that a setting is a finite number above 0 (or at least 0), and keep it as a plain float."""
    value = getattr(explainer, name)
    number = isinstance(value, int | float | np.number) and not isinstance(value, bool)
    if not number or not 0 <= float(value) < np.inf or (value == 0 and not zero):
        raise InvalidInput(
            f"`{name}` must be a number {'of at least' if zero else 'above'} 0, got {value!r}."
        )
    object.__setattr__(explainer, name, float(value))


def choice(explainer: Any, name: str, choices: tuple[Any, ...]) -> None:
    """Check that a setting is one of a few."""
    value = getattr(explainer, name)
    if not any(value is c or (isinstance(value, str) and value == c) for c in choices):
        raise InvalidInput(f"`{name}` must be {' or '.join(map(repr, choices))}, got {value!r}.")


def flag(explainer: Any, name: str) -> None:
    """Check that a setting is True or False."""
    value = getattr(explainer, name)
    if not isinstance(value, bool | np.bool_):
        raise InvalidInput(f"`{name}` must be True or False, got {value!r}.")
    object.__setattr__(explainer, name, bool(value))


def images(explainer: Any, name: str) -> None:
    """Check that a setting is an array of finite numbers, and keep it as a stored float32 array."""
    value = getattr(explainer, name)
    given = value.array if isinstance(value, Stored) else value
    if not isinstance(given, np.ndarray) or given.dtype.kind not in "fiub" or not given.size:
        raise InvalidInput(f"`{name}` must be an array of numbers, got {_short(given)}.")
    with np.errstate(over="ignore"):
        kept = given.astype(np.float32)
    if not np.isfinite(kept).all():
        raise InvalidInput(f"`{name}` holds NaN, infinite or far too large values: leave those out.")
    if not isinstance(value, Stored) or given.dtype != np.float32:
        object.__setattr__(explainer, name, Stored(kept))


def _short(value: Any) -> str:
    return f"{value.dtype} of shape {value.shape}" if isinstance(value, np.ndarray) else type(value).__name__


@runtime_checkable
class Recorded(Protocol):
    """Writes itself down: an explainer that is a setting of another one."""

    def record(self) -> dict[str, Any]:
        """Return the name and every setting as JSON types."""
        ...

    def arrays(self) -> dict[str, Array]:
        """Return the settings that are arrays, by their SHA-256."""
        ...


def written(value: Any) -> Any:
    """Turn a setting into JSON types; an array stands as its SHA-256, an explainer as its record."""
    if isinstance(value, Stored):
        return {"array": value.sha256}
    if isinstance(value, Recorded):
        return value.record()
    if isinstance(value, tuple):
        return [written(v) for v in value]
    return value


def held(value: Any) -> dict[str, Array]:
    """Return the arrays of a setting, by the SHA-256 under which :func:`written` names them."""
    if isinstance(value, Stored):
        return {value.sha256: value.array}
    return value.arrays() if isinstance(value, Recorded) else {}


def read(value: Any, arrays: Mapping[str, Array]) -> Any:
    """Undo :func:`written`; the record of an explainer comes back with its arrays beside it."""
    if isinstance(value, Mapping) and {"name", "settings"} <= set(value):
        return {**value, "arrays": arrays}
    if isinstance(value, Mapping) and set(value) == {"array"}:
        if value["array"] not in arrays:
            raise InvalidInput(
                f"the record names an array {value['array'][:8]}... that was not given with it."
            )
        return Stored(arrays[value["array"]])
    return tuple(read(v, arrays) for v in value) if isinstance(value, list) else value
