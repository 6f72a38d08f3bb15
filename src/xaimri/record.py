"""How a method's settings are written down: as JSON types, with arrays beside them by their SHA-256."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

from xaimri.arrays import Array, Stored
from xaimri.errors import InvalidInput


@runtime_checkable
class Recorded(Protocol):
    """Writes itself down: an explainer that is a setting of another one, or an atlas."""

    def record(self) -> dict[str, Any]:
        """Return the name and every setting as JSON types."""
        ...

    def arrays(self) -> dict[str, Array]:
        """Return the settings that are arrays, by their SHA-256."""
        ...


def to_json(value: object) -> Any:
    """Turn a setting into JSON types; an array stands as its SHA-256, an explainer as its record."""
    if isinstance(value, Stored):
        return {"array": value.sha256}
    if isinstance(value, Recorded):
        return value.record()
    if isinstance(value, tuple):
        return [to_json(one) for one in value]
    return value


def arrays_of(value: object) -> dict[str, Array]:
    """Return the arrays of a setting, by the SHA-256 under which :func:`to_json` names them."""
    if isinstance(value, Stored):
        return {value.sha256: value.array}
    return value.arrays() if isinstance(value, Recorded) else {}


def from_json(value: object, arrays: Mapping[str, Array]) -> Any:
    """Undo :func:`to_json`; the record of an explainer comes back with its arrays beside it."""
    if isinstance(value, Mapping) and {"name", "settings"} <= set(value):
        return {**value, "arrays": arrays}
    if isinstance(value, Mapping) and set(value) == {"array"}:
        if value["array"] not in arrays:
            raise InvalidInput(
                f"the record names an array {value['array'][:8]}... that was not given with it."
            )
        return Stored(arrays[value["array"]])
    return tuple(from_json(one, arrays) for one in value) if isinstance(value, list) else value
