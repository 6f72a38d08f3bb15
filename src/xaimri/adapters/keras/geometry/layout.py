"""Which axes of a tensor hold which axes of the image: in another order, folded into the batch."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from math import prod
from typing import TypeAlias

BATCH, REST = -1, -2
"""Labels beside the numbers of the image's axes: of images, and of what lies in every cell."""

SOME = 2**31 - 1
"""Stands for the number of images where a graph leaves it open; a prime that no other size divides."""

Factor: TypeAlias = tuple[int, int]
"""A label and how many there are."""

Layout: TypeAlias = tuple[tuple[Factor, ...], ...]
"""The factors of every axis of a tensor, the slowest first: images and frames where these are folded."""

Shifts: TypeAlias = dict[int, tuple[float, float]]
"""Cell ``i`` along an axis of the image lies at cell ``offset + scale * i`` of before."""


def known(shape: Sequence[int | None]) -> list[int]:
    """Return the sizes of a shape, `SOME` for a number of images left open; none where another is not known.

    Examples
    --------
    >>> known([2, 5, 6]), known([2, None, 6])
    ([2, 5, 6], [])
    """
    sizes = [SOME if n is None and axis == 0 else n for axis, n in enumerate(shape)]
    found = [n for n in sizes if n is not None]
    return found if len(found) == len(sizes) else []


def plain(shape: Sequence[int | None], axes: int) -> Layout | None:
    """Return the layout ``(batch, *space, ...)``; None where a size is not known.

    Examples
    --------
    >>> plain((2, 5, 6, 3), 2)
    (((-1, 2),), ((0, 5),), ((1, 6),), ((-2, 3),))
    """
    sizes = known(shape)
    if len(sizes) <= axes:
        return None
    labels = [BATCH, *range(axes), *[REST] * (len(sizes) - axes - 1)]
    return tuple(((label, n),) for label, n in zip(labels, sizes, strict=True))


def is_plain(layout: Layout, axes: int) -> bool:
    """Tell whether a layout is ``(batch, *space, ...)``."""
    return [[label for label, _ in axis] for axis in layout[: axes + 1]] == [
        [BATCH],
        *([a] for a in range(axes)),
    ]


def labels(layout: Layout) -> set[int]:
    """Return the image's axes that a layout holds."""
    return {label for axis in layout for label, _ in axis if label >= 0}


def cells(layout: Layout, axes: int) -> tuple[int, ...]:
    """Return the number of cells along every axis of the image: 1 where a tensor has none."""
    sizes = dict(factor for axis in layout for factor in axis)
    return tuple(sizes.get(axis, 1) for axis in range(axes))


def is_open(layout: Layout) -> bool:
    """Tell whether every axis of the image stands by itself, or folded into the batch behind the images."""
    for axis in layout:
        held = [label for label, _ in axis]
        if BATCH in held:
            if held[0] != BATCH or REST in held:
                return False
        elif len(held) > 1 and any(label >= 0 for label in held):
            return False
    return any(axis[0][0] == BATCH for axis in layout)


def kept(layout: Layout, shape: Sequence[int | None]) -> Layout | None:
    """Return the layout of another shape, if all but what lies in every cell stays; else None."""
    if len(layout) != len(shape):
        return None
    made: list[tuple[Factor, ...]] = []
    for axis, n in zip(layout, shape, strict=True):
        if n is None and axis == ((BATCH, SOME),):
            made.append(axis)
            continue
        if n is None or (any(label != REST for label, _ in axis) and prod(m for _, m in axis) != n):
            return None
        made.append(axis if any(label != REST for label, _ in axis) else ((REST, n),))
    return tuple(made)


def reshaped(layout: Layout, shape: Sequence[int | None]) -> tuple[Layout, Shifts] | None:
    """Return the layout after a reshape; an axis that is cut into blocks goes on from block to block.

    Examples
    --------
    >>> folded, _ = reshaped(plain((2, 7, 5, 6, 3), 3), (14, 5, 6, 3))
    >>> folded[0]
    ((-1, 2), (0, 7))
    """
    left = deque(factor for axis in layout for factor in axis)
    made: list[tuple[Factor, ...]] = []
    shifts: Shifts = {}
    for n in shape:
        axis: list[Factor] = []
        if n is None:
            if not left or left[0] != (BATCH, SOME):
                return None
            made.append((left.popleft(),))
            continue
        if n == 1 and left and left[0][1] == 1:
            axis.append(left.popleft())
        while n > 1:
            if not left:
                return None
            label, size = left.popleft()
            if n % size == 0:
                axis.append((label, size))
                n //= size
            elif size % n == 0 and label != BATCH:
                block = size // n
                if label >= 0:
                    shifts[label] = ((block - 1) / 2, float(block))
                axis.append((label, n))
                left.appendleft((REST, block))
                n = 1
            else:
                return None
        made.append(_without_units(axis))
    return None if any(size > 1 for _, size in left) else (tuple(made), shifts)


def _without_units(axis: Sequence[Factor]) -> tuple[Factor, ...]:
    """Leave out of a joined axis what there is but one of, images excepted."""
    wide = tuple(factor for factor in axis if factor[1] > 1 or factor[0] == BATCH)
    return wide or tuple(axis[:1]) or ((REST, 1),)
