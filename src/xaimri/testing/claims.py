"""What a check says when a promise is broken: one sentence, also under ``python -O``."""

from __future__ import annotations

import numpy as np

from xaimri.arrays import Array


def claim(holds: object, sentence: str) -> None:
    """Raise AssertionError with the sentence unless the claim holds."""
    if not holds:
        raise AssertionError(sentence)


def gap(one: Array, other: Array) -> float:
    """Return the largest difference in units of the largest absolute value of either.

    NaN agrees with NaN; arrays of other shapes, or with other values missing, differ by infinity.
    """
    if one.shape != other.shape or not np.array_equal(np.isfinite(one), np.isfinite(other)):
        return float("inf")
    kept = np.isfinite(one)
    a, b = one[kept].astype(np.float64), other[kept].astype(np.float64)
    scale = max(np.abs(a).max(initial=0.0), np.abs(b).max(initial=0.0))
    return float(np.abs(a - b).max(initial=0.0) / scale) if scale > 0 else 0.0


def identical(one: Array, other: Array) -> bool:
    """Tell whether two arrays agree in shape, type and every bit."""
    return one.shape == other.shape and one.dtype == other.dtype and one.tobytes() == other.tobytes()
