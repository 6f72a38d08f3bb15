"""What a promise says when it is broken: one sentence, also under ``python -O``."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from xaimri.arrays import Array


def claim(holds: object, sentence: str) -> None:
    """Raise AssertionError with the sentence unless the claim holds."""
    if not holds:
        raise AssertionError(sentence)


def check_all(promises: Iterable[tuple[str, Callable[[], None]]]) -> None:
    """Try every promise, and raise one AssertionError that lists all that are broken, in their order.

    An error that is no AssertionError breaks a promise too; it stays as the cause of what is raised.
    """
    broken: dict[str, list[str]] = {}
    first: Exception | None = None
    for name, promise in promises:
        try:
            promise()
        except AssertionError as failure:
            sentence = str(failure)
        except Exception as failure:  # an explainer of somebody else may raise whatever it likes
            sentence, first = f"{type(failure).__name__}: {failure}", first or failure
        else:
            continue
        broken.setdefault(sentence, []).append(name)
    if broken:
        listed = [f"- {', '.join(names)}: {sentence}" for sentence, names in broken.items()]
        count = sum(map(len, broken.values()))
        raise AssertionError("\n".join([f"{count} broken, the first may be the cause:", *listed])) from first


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
