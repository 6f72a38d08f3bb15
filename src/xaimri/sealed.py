"""Read-only mappings that survive pickling: what a frozen record may hold."""

from __future__ import annotations

from collections.abc import Mapping
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
