"""The ways from the image to the output of a network, and the last maps on them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from xaimri.adapters.keras.geometry.centres import Places
from xaimri.adapters.keras.geometry.frames import together
from xaimri.adapters.keras.geometry.lattice import as_map, grid_of, place_of, places_of
from xaimri.adapters.keras.geometry.layout import cells
from xaimri.adapters.keras.geometry.loops import LOOPS
from xaimri.adapters.keras.geometry.step import EVERYWHERE
from xaimri.adapters.keras.geometry.walk import body_of
from xaimri.adapters.keras.graph import CONVOLUTIONS, between, reach
from xaimri.adapters.keras.innermap import Lay, beside
from xaimri.adapters.keras.tensors import Operation, Tensor
from xaimri.adapters.keras.trace import LayerOutput
from xaimri.grid import Grid

OPAQUE = {"PartitionedCall", "StatefulPartitionedCall", "If", "StatelessIf", "While", "StatelessWhile"}
"""Operations in which convolutions may hide."""


@dataclass(frozen=True)
class Ends:
    """The last map on each way to the output; ``past`` is True where some way passes none."""

    maps: tuple[LayerOutput, ...]
    past: bool


@dataclass(frozen=True)
class Joined:
    """Where maps lie that are opened together, what lays them so, and whether they are of single frames."""

    grid: Grid
    lay: Lay
    frames: bool = False


class Ways:
    """Every way from an image to an output in a traced graph, and the maps on them.

    Attributes
    ----------
    source, sink
        The image and the output.
    places
        Where the cells of every tensor lie on the image.
    maps
        What layers put out on the way that has the image's spatial axes, in order; where a layer hands on
        what an inner one made, the inner one's.
    deep
        Those of the maps that lie behind a convolution.
    """

    def __init__(self, outputs: Sequence[LayerOutput], source: Tensor, sink: Tensor) -> None:
        self.source, self.sink = source, sink
        self.places = places_of(source)
        self._way = between(source, sink)
        found: dict[Operation, LayerOutput] = {}
        for output in outputs:
            if output.tensor.op in self._way and is_map(output, source, self.places):
                found.setdefault(output.tensor.op, output)
        self.maps = tuple(found.values())
        behind = self._below([op for op in self._way if op.type in CONVOLUTIONS or _is_recurrent(op)])
        self.deep = tuple(output for output in self.maps if output.tensor.op in behind)

    def grid(self, tensor: Tensor) -> Grid:
        """Return where the cells of a map lie on the image; assumed where that can't be read."""
        return grid_of(tensor, self.source, self.places)

    def joined(self, tensors: Sequence[Tensor]) -> Joined | None:
        """Return how maps lie together: side by side on one lattice, or frame behind frame; else None."""
        found = [place_of(tensor, self.source, self.places) for tensor in tensors]
        space = tuple(self.source.shape.as_list()[1:-1])
        grids = [self.grid(tensor) for tensor in tensors]
        if not one_lattice(grids):
            frames = together(found, space)
            return None if frames is None else Joined(*frames, frames=True)
        layouts = [None if place is None else place.layout for place in found]

        def lay(given: Sequence[Tensor]) -> Tensor:
            return beside([as_map(*each, len(space)) for each in zip(given, layouts, strict=True)])

        return Joined(grids[0], lay)

    def last(self) -> Ends:
        """Walk back from the output to the first deep map on each way: the last before space is pooled away.

        Maps that differ by no convolution over neighbours, such as two poolings of one map, or the query, key
        and value of an attention, count as the map that they are made of.
        """
        return self._ends(self.deep, ())

    def beside(self, tensors: Sequence[Tensor]) -> Ends:
        """Return the last deep maps on the ways that go past some tensors."""
        below = self._below([tensor.op for tensor in tensors])
        return self._ends([m for m in self.deep if m.tensor.op not in below], tensors)

    def passes(self, tensor: Tensor) -> bool:
        """Tell whether a tensor lies on the way."""
        return tensor.graph is self.source.graph and tensor.op in self._way

    def gates(self, tensor: Tensor) -> list[LayerOutput]:
        """Return the deep maps before a tensor through which everything flows to it, the nearest first."""
        others = [m for m in reversed(self.deep) if m.tensor.op is not tensor.op]
        return [m for m in others if not self._back(tensor.op, {m.tensor.op})[1]]

    def _ends(self, maps: Sequence[LayerOutput], stops: Sequence[Tensor]) -> Ends:
        met, past = self._back(self.sink.op, {m.tensor.op for m in maps} | {t.op for t in stops})
        return Ends(tuple(self._origins([m for m in maps if m.tensor.op in met], maps)), past)

    def _origins(self, ends: Sequence[LayerOutput], maps: Sequence[LayerOutput]) -> Sequence[LayerOutput]:
        """Let the nearest map of which several ends are made stand for them."""
        for origin in reversed(maps) if len(ends) > 1 else ():
            made = [end for end in ends if self._is_made_of(end, origin)]
            if len(made) > 1:
                kept = [m for m in maps if m is origin or (m in ends and m not in made)]
                return self._origins(kept, maps)
        return ends

    def _is_made_of(self, end: LayerOutput, origin: LayerOutput) -> bool:
        """Tell whether a map is made of another alone, and without a convolution over neighbours."""
        stop = origin.tensor.op
        seen = self._above(end.tensor.op, {stop})
        return stop in seen and not any(op is self.source.op or _sees_neighbours(op) for op in seen - {stop})

    def _back(self, end: Operation, stops: Collection[Operation]) -> tuple[set[Operation], bool]:
        """Walk back up to the stops; return those that were met, and whether the image was met too."""
        seen = self._above(end, stops)
        return seen & set(stops), self.source.op in seen

    def _above(self, end: Operation, stops: Collection[Operation]) -> set[Operation]:
        return reach([end], lambda op: [] if op in stops else [t.op for t in op.inputs if t.op in self._way])

    def _below(self, first: Sequence[Operation]) -> set[Operation]:
        return reach(list(first), lambda op: [c for t in op.outputs for c in t.consumers() if c in self._way])


def is_map(output: LayerOutput, source: Tensor, places: Places) -> bool:
    """Tell whether a layer's output has the image's spatial axes and more than one cell."""
    tensor = output.tensor
    shape = tensor.shape
    if tensor.graph is not source.graph or shape.rank is None or None in shape.as_list():
        return False
    if not tensor.dtype.is_floating or places.get(tensor.ref()) is EVERYWHERE:
        return False
    place = place_of(tensor, source, places)
    if place is not None and place.layout is not None:
        return max(cells(place.layout, source.shape.rank - 2)) > 1
    same = shape.rank == source.shape.rank and shape[0] == source.shape[0]
    return bool(same and max(shape.as_list()[1:-1]) > 1)


def _is_recurrent(op: Operation) -> bool:
    """Tell whether an operation is a loop with convolutions in it."""
    body = body_of(op, "body") if op.type in LOOPS else None
    return body is not None and any(inner.type in CONVOLUTIONS for inner in body.get_operations())


def one_lattice(grids: Sequence[Grid]) -> bool:
    """Tell whether cells of one number lie at the same places."""
    first, *others = grids
    return all(
        (grid.cells, grid.assumed) == (first.cells, first.assumed)
        and np.allclose((*grid.start, *grid.step), (*first.start, *first.step), atol=1e-3)
        for grid in others
    )


def _sees_neighbours(op: Operation) -> bool:
    """Tell whether an operation makes new features of several cells."""
    if op.type not in CONVOLUTIONS:
        return op.type in OPAQUE
    kernel = op.inputs[1].shape
    return kernel.rank is None or any(n != 1 for n in kernel.as_list()[: kernel.rank - 2])
