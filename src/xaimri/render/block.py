"""Arrays within a page: packed, as small as they can be without a loss, or with a loss that is said."""

from __future__ import annotations

import base64
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Shaped

from xaimri.arrays import Array

EXACT = 2**18
"""Numbers of an array that are kept as float32: larger arrays get 65,535 steps from end to end."""

STEPS = 32767
"""Steps to either side of the middle; one code below them stands for what is not known."""


@dataclass(frozen=True)
class Block:
    """An array as text: ``code * step + offset`` is the value.

    Attributes
    ----------
    kind
        What a code is: ``"uint8"``, ``"int16"``, ``"int32"`` or ``"float32"``.
    step, offset
        How codes become values.
    rounding
        By how much a value may be off, at most; 0 where none is.
    text
        The codes in C order, low bytes first, packed by zlib, in base64.
    """

    kind: str
    step: float
    offset: float
    rounding: float
    text: str

    @classmethod
    def of(cls, array: Shaped[Array, "*space"], *, signed: bool = False) -> Block:
        """Pack an array; ``signed`` keeps zero exactly zero.

        Whole numbers are kept as they are, and so are the numbers of small arrays.

        Examples
        --------
        >>> Block.of(np.array([-1, 0, 7])).kind, Block.of(np.array([0.5, np.nan])).rounding
        ('uint8', 0.0)
        """
        known = np.isfinite(array)
        found = array[known].astype(np.float64)
        low, high = (float(found.min()), float(found.max())) if found.size else (0.0, 0.0)
        if known.all() and (array == np.rint(array)).all() and high - low <= 2 * STEPS:
            small, middle = high - low <= 255, float(np.rint((low + high) / 2))
            kind, offset = ("uint8", low) if small else ("int16", middle)
            return cls._packed(array - offset, kind, 1.0, offset, 0.0)
        if array.dtype.kind in "iu":
            return cls._packed(array, "int32", 1.0, 0.0, 0.0)
        if array.size <= EXACT:
            return cls._packed(array, "float32", 1.0, 0.0, 0.0)
        offset = 0.0 if signed else (low + high) / 2
        step = max(high - offset, offset - low) / STEPS or 1.0
        codes = np.where(known, np.rint((array.astype(np.float64) - offset) / step), -STEPS - 1)
        return cls._packed(codes, "int16", step, offset, step / 2)

    @classmethod
    def _packed(cls, codes: Array, kind: str, step: float, offset: float, rounding: float) -> Block:
        stored = np.ascontiguousarray(codes.astype(np.dtype(kind).newbyteorder("<")))
        packed = base64.b64encode(zlib.compress(stored.tobytes(), 6))
        return cls(kind, step, offset, rounding, packed.decode())

    def facts(self) -> dict[str, Any]:
        """Return all but the text, as JSON types."""
        return {"kind": self.kind, "step": self.step, "offset": self.offset, "rounding": self.rounding}
