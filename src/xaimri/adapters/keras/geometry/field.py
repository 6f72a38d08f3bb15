"""Where every single value of a tensor comes from, for tensors whose cells are tokens, windows or heads.

A lattice says that cell ``i`` of an axis lies at ``start + step * i``. Tokens are cells in another order: all
in one row, behind a class token, cut into windows, rolled. A field keeps the place of each value, so that any
reordering is followed by doing it to the places.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from math import prod
from typing import TypeAlias

import numpy as np
from jaxtyping import Float

from xaimri.adapters.keras.geometry.step import Unplaced
from xaimri.arrays import Array

SAME = 1e-3
"""Pixels by which two places may differ and be the same."""

Where: TypeAlias = Float[Array, "coordinates ..."]
"""Places of values: which image, and the pixel per axis of the image; NaN where a value has no place.

It broadcasts to the tensor's shape.
"""

Made: TypeAlias = Float[Array, "one ..."]
"""Which values come from the image: 0 of those, NaN of the others. It broadcasts to the tensor's shape."""


@dataclass(frozen=True, eq=False)
class Field:
    """The places of a tensor's values.

    Attributes
    ----------
    shape
        The tensor's.
    made
        Which values come from the image.
    ways
        Accounts of where on it: one as a rule, none where no value has a place. The scores of attention have
        two: a score's query lies somewhere, and its key elsewhere.
    spread
        Where values that merge lie apart, their mean is taken: the largest distance from it so far.
    """

    shape: tuple[int, ...]
    made: Made
    ways: tuple[Where, ...] = ()
    spread: float = 0.0


Fields: TypeAlias = Field | Unplaced | None
"""A field; `LOST` where the places could not be followed; None of what does not come from the image."""


def field(shape: Sequence[int], made: Made, ways: Sequence[Where], spread: float = 0.0) -> Field | None:
    """Return the field of places; None where nothing comes from the image.

    Axes along which places are all the same are kept single, and accounts that tell no place left out.
    """
    if np.isnan(made).all():
        return None
    kept = tuple(tight(way) for way in ways if not np.isnan(way[0]).all())
    return Field(tuple(shape), tight(made), kept, spread)


def tight(way: Where) -> Where:
    """Keep one entry of every axis along which all entries are the same."""
    for axis in range(1, way.ndim):
        first = way.take([0], axis=axis)
        if way.shape[axis] > 1 and np.array_equal(way, np.broadcast_to(first, way.shape), equal_nan=True):
            way = first
    return way


def whole(way: Where, axis: int, size: int) -> Where:
    """Write an axis out."""
    shape = list(way.shape)
    shape[1 + axis] = size
    return np.broadcast_to(way, shape)


def reshaped(way: Where, before: Sequence[int], after: Sequence[int]) -> Where:
    """Reshape as a tensor is reshaped; axes along which all places are the same stay single.

    Examples
    --------
    >>> reshaped(np.arange(6.0).reshape(1, 1, 6, 1), (5, 6, 8), (5, 2, 3, 4, 2)).shape
    (1, 1, 2, 3, 1, 1)
    """
    full, made = [len(way)], [len(way)]
    for old, new in _groups(before, after):
        single = all(way.shape[1 + axis] == 1 for axis in old)
        full += [1 if single else before[axis] for axis in old]
        made += [1 if single else after[axis] for axis in new]
    return np.broadcast_to(way, full).reshape(made)


def _groups(before: Sequence[int], after: Sequence[int]) -> list[tuple[list[int], list[int]]]:
    """Part the axes of two shapes into the smallest groups that hold the same number of values."""
    groups: list[tuple[list[int], list[int]]] = []
    i = j = 0
    while i < len(before) and j < len(after):
        old, new = [i], [j]
        i, j = i + 1, j + 1
        while (m := prod(before[a] for a in old)) != (n := prod(after[a] for a in new)):
            if m < n:
                old.append(i)
                i += 1
            else:
                new.append(j)
                j += 1
        groups.append((old, new))
    if i < len(before) or j < len(after):  # single axes at the end
        groups.append((list(range(i, len(before))), list(range(j, len(after)))))
    return groups


def met(fields: Sequence[Field], shape: Sequence[int]) -> Field | None:
    """Return the field of what is made of several values each, by broadcasting."""
    ways: list[Where] = []
    before = spread = max(each.spread for each in fields)
    for way in (_aligned(way, shape) for each in fields for way in each.ways):
        for k, other in enumerate(ways):
            one = _one(other, way)
            if one is not None:
                ways[k], spread = one[0], max(spread, before + one[1])
                break
        else:
            ways.append(way)
    return field(shape, some([_aligned(each.made, shape) for each in fields]), ways, spread)


def _aligned(way: Where, shape: Sequence[int]) -> Where:
    """Add axes in front, as broadcasting does."""
    return way.reshape((len(way), *[1] * (len(shape) - way.ndim + 1), *way.shape[1:]))


def some(made: Sequence[Made]) -> Made:
    """Tell which values come from the image by any of several accounts."""
    return reduce(lambda a, b: np.where(np.isnan(a), b, a), made)


def _one(a: Where, b: Where) -> tuple[Where, float] | None:
    """Return one account of two and their distance from it; None where they are a pair, as query and key."""
    if a.shape == b.shape and np.array_equal(a, b, equal_nan=True):
        return a, 0.0
    both = np.isfinite(a[0]) & np.isfinite(b[0])
    apart = np.where(both, np.abs(a - b), 0.0).max(initial=0.0)
    if apart <= SAME:
        return np.where(np.isfinite(a), a, b), 0.0
    axes = [{k for k in range(1, way.ndim) if way.shape[k] > 1} for way in (a, b)]
    if axes[0] == axes[1]:
        return np.where(both, (a + b) / 2, np.where(np.isfinite(a), a, b)), float(apart) / 2
    if axes[0] < axes[1]:  # a window's summary, spread over its cells
        return np.where(np.isfinite(b), b, a), 0.0
    return (np.where(np.isfinite(a), a, b), 0.0) if axes[1] < axes[0] else None


def anywhere(made: Made, axes: Sequence[int]) -> Made:
    """Tell which sums along some axes come from the image."""
    return np.where(np.isnan(made).all(axis=tuple(1 + a for a in axes), keepdims=True), np.nan, 0.0)


def averaged(way: Where, axes: Sequence[int]) -> Where:
    """Return the mean place along some axes; no place where that is the mean of all there are."""
    over = tuple(1 + a for a in axes)
    finite = np.isfinite(way)
    count = finite.sum(axis=over, keepdims=True)
    total = np.where(finite, way, 0.0).sum(axis=over, keepdims=True)
    mean = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    return np.full_like(mean, np.nan) if _differs(way) and not _differs(mean) else mean


def _differs(way: Where) -> bool:
    """Tell whether there is more than one place, of whichever image."""
    places = way[1:].reshape(len(way) - 1, -1)
    found = places[:, np.isfinite(places[0])]
    return bool(found.size and (found.max(axis=1) - found.min(axis=1) > SAME).any())


def along(way: Where, axis: int, size: int, at: Float[Array, " cells"]) -> Where | None:
    """Return the places at fractional entries of an axis; None where they don't lie in equal steps."""
    if len(at) == size and np.array_equal(at, np.arange(size)):
        return way
    full = np.moveaxis(whole(way, axis, size), 1 + axis, 0)
    if not np.isfinite(full).all() or not np.allclose(np.diff(full, 2, axis=0), 0, atol=SAME):
        return None
    step = full[1] - full[0] if size > 1 else np.zeros_like(full[0])
    found: Where = np.moveaxis(full[0] + at.reshape((-1, *[1] * step.ndim)) * step, 0, 1 + axis)
    return found
