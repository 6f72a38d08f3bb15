"""Between which numbers a tensor lies that is mixed of sigmoids, whatever the image."""

from __future__ import annotations

from collections.abc import Callable
from math import inf

import numpy as np

from xaimri.adapters.keras.graph import static
from xaimri.adapters.keras.tensors import Tensor

Bounds = tuple[float, float]
"""The lowest and the highest value."""

ANY: Bounds = (-inf, inf)

HELD = {
    "Cast", "EnsureShape", "ExpandDims", "GatherV2", "Identity", "Max", "Mean", "Reshape", "Slice", "Squeeze",
    "StopGradient", "StridedSlice", "Transpose",
}  # fmt: skip
"""Operations whose values lie between those of their first input."""

SIDE_BY_SIDE = {"ConcatV2", "Pack"}


def _extremes(one: Bounds, other: Bounds, by: Callable[[float, float], float]) -> Bounds:
    """Return the bounds of a result that grows or falls with either side."""
    ends = [by(a, b) for a in one for b in other]
    return (min(ends), max(ends)) if not np.isnan(ends).any() else ANY


PAIRS: dict[str, Callable[[float, float], float]] = {
    "Add": lambda a, b: a + b,
    "AddV2": lambda a, b: a + b,
    "Maximum": max,
    "Minimum": min,
    "Mul": lambda a, b: a * b,
    "RealDiv": lambda a, b: a / b if b else inf,
    "Sub": lambda a, b: a - b,
}


def bounds(tensor: Tensor) -> Bounds:
    """Return the bounds of a tensor; infinite where they are not known."""
    op = tensor.op
    value = static(tensor)
    if value is not None:
        return (float(np.min(value)), float(np.max(value))) if np.size(value) else ANY
    if op.type in {"Sigmoid", "Softmax"}:
        return (0.0, 1.0)
    if op.type in HELD:
        return bounds(op.inputs[0])
    if op.type == "IdentityN":
        return bounds(op.inputs[tensor.value_index])
    if op.type in SIDE_BY_SIDE:
        each = [bounds(t) for t in op.inputs if t.dtype.is_floating]
        return min(low for low, _ in each), max(high for _, high in each)
    if op.type == "AddN":
        each = [bounds(t) for t in op.inputs]
        return sum(low for low, _ in each), sum(high for _, high in each)
    if op.type == "Sum":
        count = _joined(op.inputs[0], tensor)
        return ANY if count is None else _extremes(bounds(op.inputs[0]), (count, count), PAIRS["Mul"])
    if op.type == "Neg":
        low, high = bounds(op.inputs[0])
        return -high, -low
    if op.type in PAIRS:
        one, other = (bounds(t) for t in op.inputs)
        if op.type == "RealDiv" and other[0] * other[1] <= 0:
            return ANY
        return _extremes(one, other, PAIRS[op.type])
    return ANY


def _joined(before: Tensor, after: Tensor) -> float | None:
    """Return how many values one value is the sum of."""
    if not before.shape.rank or not after.shape.rank or None in (*before.shape[1:], *after.shape[1:]):
        return None
    return float(np.prod(before.shape[1:])) / float(np.prod(after.shape[1:]))
