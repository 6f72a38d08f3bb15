"""What a method's settings may hold, and how they are written down."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from xaimri.arrays import Array, Stored
from xaimri.errors import InvalidInput


def whole(explainer: Any, name: str, least: int, also: str = "") -> None:
    """Check that a setting is a whole number of at least so much, and keep it as a plain int."""
    value = getattr(explainer, name)
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise InvalidInput(
            f"`{name}` must be a whole number of at least {least}{also and f' {also}'}, got {value!r}."
        )
    object.__setattr__(explainer, name, int(value))


def positive(explainer: Any, name: str) -> None:
    """Check that a setting is a finite number above 0, and keep it as a plain float."""
    value = getattr(explainer, name)
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float | np.number)
        or not 0 < float(value) < np.inf
    ):
        raise InvalidInput(f"`{name}` must be a number above 0, got {value!r}.")
    object.__setattr__(explainer, name, float(value))


def written(value: Any) -> Any:
    """Turn a setting into JSON types; an array stands as its SHA-256."""
    if isinstance(value, Stored):
        return {"array": value.sha256}
    if isinstance(value, tuple):
        return [written(v) for v in value]
    return value


def read(value: Any, arrays: Mapping[str, Array]) -> Any:
    """Undo :func:`written`."""
    if isinstance(value, Mapping) and set(value) == {"array"}:
        if value["array"] not in arrays:
            raise InvalidInput(
                f"the record names an array {value['array'][:8]}... that was not given with it."
            )
        return Stored(arrays[value["array"]])
    return tuple(read(v, arrays) for v in value) if isinstance(value, list) else value
