"""Where the cells of a tensor lie on the image: at the points of a lattice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from xaimri.adapters.keras.geometry.layout import Layout, labels, plain
from xaimri.adapters.keras.geometry.layout import cells as cells_of
from xaimri.adapters.keras.geometry.loops import Listed
from xaimri.adapters.keras.geometry.step import Move, Reference, Unplaced
from xaimri.adapters.keras.tensors import Tensor

CARRIES = 0.01
"""A branch with less of a share does not count in the spread."""


@dataclass(frozen=True)
class Lattice:
    """Cell ``i`` is centred at ``start + step * i`` input pixels, per axis.

    ``layout`` says which axes of the tensor these are; None where they follow the batch axis. ``spread`` is
    how far a branch lies from there at most; ``variance`` is that of the branches' places, per axis, each
    weighted by its share. Along the axes in ``past`` a cell knows those before it, as a recurrent layer makes
    it.
    """

    start: tuple[float, ...]
    step: tuple[float, ...]
    spread: float = 0.0
    layout: Layout | None = None
    variance: tuple[float, ...] = ()
    past: tuple[int, ...] = ()

    def after(self, move: Move, before: Layout | None = None) -> Lattice:
        """Take cells at ``offset + scale * i`` of this lattice, whose tensor had the layout ``before``.

        The last of cells that know those before it lies along all of them.
        """
        start = tuple(a + s * o for a, s, o in zip(self.start, self.step, move.offset, strict=True))
        step = tuple(s * k for s, k in zip(self.step, move.scale, strict=True))
        made = replace(self, start=start, step=step, layout=move.layout)
        left = labels(move.layout) if before and move.layout is not None else {*self.past}
        held = dict(factor for axis in before or () for factor in axis)
        counts = {axis: held[axis] for axis in self.past if axis in held and axis not in left}
        seen, axes = self.over(counts), range(len(start))
        start = tuple(seen.start[a] if a in counts else start[a] for a in axes)
        return replace(made, start=start, step=tuple(seen.step[a] if a in counts else step[a] for a in axes))

    def laid(self, layout: Layout | None) -> Lattice:
        """Return the same cells in another layout."""
        return replace(self, layout=layout)

    def over(self, counts: Mapping[int, int]) -> Lattice:
        """Return one cell along axes of the image, in the place of so many."""
        ends = enumerate(zip(self.start, self.step, strict=True))
        start = tuple(a + s * (counts.get(axis, 1) - 1) / 2 for axis, (a, s) in ends)
        return replace(self, start=start, step=tuple(s * counts.get(a, 1) for a, s in enumerate(self.step)))

    def carried(self, axis: int) -> Lattice:
        """Return the same cells, each of which knows those before it along an axis."""
        return replace(self, past=tuple(sorted({*self.past, axis})))


Place: TypeAlias = Lattice | Unplaced | Listed
Places: TypeAlias = dict[Reference, Place]
"""Where the cells of each tensor lie; tensors that do not come from the image are not in it."""


def layout_at(place: Place | None, tensor: Tensor) -> Layout | None:
    """Return where a tensor has its spatial axes, None where they have no place."""
    if not isinstance(place, Lattice) or tensor.shape.rank is None:
        return None
    return place.layout or plain(tensor.shape.as_list(), len(place.start))


def merged(lattices: list[Lattice], size: tuple[int, ...], shares: Sequence[float] | None = None) -> Lattice:
    """Mean of the lattices that meet in one operation, by their shares; and how far each lies from it."""
    if len(set(lattices)) == 1:
        return lattices[0]
    layout, weights = lattices[0].layout, shares or [1 / len(lattices)] * len(lattices)
    size = size if layout is None else cells_of(layout, len(lattices[0].start))
    pairs = list(zip(weights, lattices, strict=True))
    start = tuple(map(sum, zip(*([w * a for a in v.start] for w, v in pairs), strict=True)))
    step = tuple(map(sum, zip(*([w * s for s in v.step] for w, v in pairs), strict=True)))
    apart = [_distances(v, Lattice(start, step), size) for v in lattices]
    inner = [v.variance or (0.0,) * len(start) for v in lattices]
    around = (
        [w * (v + d * d) for v, d in zip(*both, strict=True)]
        for w, *both in zip(weights, inner, apart, strict=True)
    )
    variance = tuple(map(sum, zip(*around, strict=True)))
    spread = max(v.spread + max(d) for w, v, d in zip(weights, lattices, apart, strict=True) if w >= CARRIES)
    return Lattice(start, step, spread, layout, variance if max(variance) > 0 else ())


def _distances(one: Lattice, other: Lattice, size: tuple[int, ...]) -> list[float]:
    """Return how far apart two lattices place a cell, at most, along each axis."""
    first = [abs(a - b) for a, b in zip(one.start, other.start, strict=True)]
    ends = zip(one.start, one.step, other.start, other.step, size, strict=True)
    last = [abs(a + s * (n - 1) - b - t * (n - 1)) for a, s, b, t, n in ends]
    return list(map(max, first, last))
