"""Read-only mappings that survive pickling: what a frozen record may hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from types import MappingProxyType
from typing import Any

import numpy as np

from xaimri.arrays import frozen


def seal(value: object) -> Any:
    """Return nested mappings, lists and arrays read-only.

    Examples
    --------
    >>> seal({"a": [1, {"b": 2}]})["a"]
    (1, mappingproxy({'b': 2}))
    """
    if isinstance(value, Mapping):
        return MappingProxyType({k: seal(v) for k, v in value.items()})
    if isinstance(value, list | tuple):
        return tuple(seal(v) for v in value)
    return frozen(value) if isinstance(value, np.ndarray) else value


def unseal(value: object) -> Any:
    """Return plain dictionaries again, for pickle, which knows no read-only mappings."""
    return {k: unseal(v) for k, v in value.items()} if isinstance(value, Mapping) else value


def freeze(record: Any) -> None:
    """Make a frozen dataclass' arrays and mappings read-only."""
    for entry in fields(record):
        value = getattr(record, entry.name)
        if isinstance(value, np.ndarray):
            object.__setattr__(record, entry.name, frozen(value))
        elif isinstance(value, Mapping):
            object.__setattr__(record, entry.name, seal(value))
