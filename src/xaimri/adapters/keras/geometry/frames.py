"""Maps of single frames or slices, put together along the axis of the image that they are taken from."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TypeVar

import numpy as np
import tensorflow as tf

from xaimri.adapters.keras.geometry.centres import Lattice
from xaimri.adapters.keras.geometry.lattice import as_map
from xaimri.adapters.keras.geometry.layout import REST, Layout, cells, labels
from xaimri.adapters.keras.innermap import Lay, beside
from xaimri.adapters.keras.tensors import Tensor
from xaimri.grid import Grid

Number = TypeVar("Number", int, float)


def together(places: Sequence[Lattice | None], space: tuple[int, ...]) -> tuple[Grid, Lay] | None:
    """Return where the maps of frames lie together, and what lays them so; None where they are no frames.

    Parameters
    ----------
    places
        Of one or several maps of every frame.
    space
        Shape of the image.
    """
    known = [place for place in places if place is not None and place.layout is not None]
    first = known[0] if known else None
    if first is None or first.layout is None or len(known) < len(places):
        return None
    gone = [axis for axis in range(len(space)) if axis not in labels(first.layout)]
    along = [axis for axis in gone if len({place.start[axis] for place in known}) > 1]
    if len(along) != 1 or len({_frame(place, along[0]) for place in known}) > 1:
        return None
    (axis,) = along
    starts = sorted({place.start[axis] for place in known})
    groups = [[i for i, place in enumerate(known) if place.start[axis] == start] for start in starts]
    gaps = [b - a for a, b in pairwise(starts)]
    if not np.allclose(gaps, gaps[0]) or len({len(group) for group in groups}) > 1:
        return None
    layouts = [place.layout for place in known]

    def lay(given: Sequence[Tensor]) -> Tensor:
        maps = [as_map(tensor, layout, len(space)) for tensor, layout in zip(given, layouts, strict=True)]
        return tf.concat([beside([maps[i] for i in group]) for group in groups], axis=1 + axis)

    shape = _exchanged(cells(first.layout, len(space)), axis, len(starts))
    start, step = _exchanged(first.start, axis, starts[0]), _exchanged(first.step, axis, gaps[0])
    return Grid(space, shape, start, step, spread=max(place.spread for place in known)), lay


def _exchanged(values: Sequence[Number], axis: int, value: Number) -> tuple[Number, ...]:
    return tuple(value if i == axis else own for i, own in enumerate(values))


def _frame(place: Lattice, axis: int) -> tuple[object, ...]:
    """Return all that the maps of frames have in common."""
    beside_it = [(a, s) for i, (a, s) in enumerate(zip(place.start, place.step, strict=True)) if i != axis]
    return (*beside_it, _without_features(place.layout or ()))


def _without_features(layout: Layout) -> tuple[object, ...]:
    return tuple(tuple(factor for factor in axis if factor[0] != REST) for axis in layout)
