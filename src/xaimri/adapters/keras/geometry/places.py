"""Where the values of every tensor of a traced graph lie, tokens and windows too."""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce

import numpy as np

from xaimri.adapters.keras.geometry.axes import AXES
from xaimri.adapters.keras.geometry.centres import Lattice, Places
from xaimri.adapters.keras.geometry.contracted import CONTRACTED, mixes
from xaimri.adapters.keras.geometry.field import Field, Fields, Where, along, field, met
from xaimri.adapters.keras.geometry.lattice import places_of
from xaimri.adapters.keras.geometry.merger import Mergers
from xaimri.adapters.keras.geometry.rearranged import REARRANGED, Given
from xaimri.adapters.keras.geometry.sampling import MOVES
from xaimri.adapters.keras.geometry.sizes import Sizes
from xaimri.adapters.keras.geometry.step import LOST, Reference
from xaimri.adapters.keras.geometry.walk import CALLS, body_of, place
from xaimri.adapters.keras.graph import SIZES
from xaimri.adapters.keras.tensors import Operation, Tensor

RULES = {**REARRANGED, **CONTRACTED}
PHASES = {"SpaceToBatchND", "BatchToSpaceND"}
"""Operations that scatter neighbours over the batch."""


class Tracing:
    """Follows the places of values through a graph.

    Parameters
    ----------
    axes
        Number of the image's spatial axes.
    lattices
        Tensors whose places are known as lattices already, as those of plain convolutions are.

    Attributes
    ----------
    fields
        Of every tensor that comes from the image and was followed.
    mixed
        Operations by which cells take features from other places, as attention does.
    """

    def __init__(self, axes: int, lattices: Places | None = None) -> None:
        self.axes = axes
        self.fields: dict[Reference, Fields] = {}
        self.mixed: set[Operation] = set()
        self._lattices = lattices or {}

    def of(self, tensor: Tensor) -> Fields:
        """Return the field of a tensor; of a lattice, where it is one."""
        found, known = self.fields.get(tensor.ref()), self._lattice(tensor)
        if found is None and known is not None:
            found = self.fields[tensor.ref()] = of_lattice(known, tensor.shape.as_list())
        return found

    def follow(self, operations: Iterable[Operation], without: Tensor | None = None) -> None:
        """Follow operations in their order; the places that a tensor has are forgotten on the way."""
        for op in operations:
            if op.type in SIZES:
                continue
            if op.outputs and all(self._lattice(t) is not None for t in op.outputs):
                continue
            given = [self.of(t) for t in op.inputs]
            if any(each is not None for each in given):
                self._enter(op, given)
                if without is not None and op is without.op:
                    self._forget(without)

    def _lattice(self, tensor: Tensor) -> Lattice | None:
        """Return the lattice of a map ``(batch, *space, features)`` that has one."""
        known = self._lattices.get(tensor.ref())
        if not isinstance(known, Lattice) or known.layout is not None:
            return None
        return known if tensor.shape.rank == self.axes + 2 else None

    def _enter(self, op: Operation, given: Given) -> None:
        if op.type in CALLS:
            self._call(op, given)
            return
        for output in op.outputs:
            found = LOST if None in (output.shape.rank, *output.shape) else self._rule(op, output, given)
            if found is not None:
                self.fields[output.ref()] = found
            if isinstance(found, Field) and found.ways and (mixes(op, given) or _spread_over(given, found)):
                self.mixed.add(op)

    def _rule(self, op: Operation, output: Tensor, given: Given) -> Fields:
        """Return the field of an operation's output."""
        if LOST in given or 0 in output.shape:
            return LOST
        if op.type in RULES:
            return RULES[op.type](op, output, given)
        if op.type in MOVES or op.type in AXES:
            return self._sampled(op, output, given)
        shapes = [each.shape for each in given if isinstance(each, Field)]
        try:
            fits = np.broadcast_shapes(*shapes, tuple(output.shape)) == tuple(output.shape)
        except ValueError:
            fits = False
        return met([f for f in given if isinstance(f, Field)], output.shape.as_list()) if fits else LOST

    def _sampled(self, op: Operation, output: Tensor, given: Given) -> Fields:
        """Read a window, as of a convolution, that slides over cells in whatever places."""
        derived = [(t, each) for t, each in zip(op.inputs, given, strict=True) if isinstance(each, Field)]
        (tensor, data), *more = derived
        ranks = {tensor.shape.rank, output.shape.rank}
        if more or op.type in PHASES or ranks != {self.axes + 2} or len(data.ways) > 1:
            return LOST
        unit, sizes = Lattice((0.0,) * self.axes, (1.0,) * self.axes), output.shape.as_list()
        found = place(op, output, {tensor.ref(): unit}, self.axes, Sizes(), Mergers())
        made = np.zeros((1,) * (1 + len(sizes)))
        if found is LOST or (isinstance(found, Lattice) and found.layout is not None):
            return LOST
        if not isinstance(found, Lattice) or not data.ways:
            return field(sizes, made, [])
        way: Where | None = data.ways[0]
        for axis in range(self.axes):
            at = found.start[axis] + found.step[axis] * np.arange(sizes[1 + axis])
            way = None if way is None else along(way, 1 + axis, data.shape[1 + axis], at)
        return LOST if way is None else field(sizes, made, [way], data.spread)

    def _call(self, op: Operation, given: Given) -> None:
        """Follow a called function by the operations of its body."""
        body = body_of(op, "f") if op.type.endswith("PartitionedCall") else None
        if body is None or (len(body.inputs), len(body.outputs)) != (len(given), len(op.outputs)):
            self.fields.update((t.ref(), LOST) for t in op.outputs)
            return
        inside = Tracing(self.axes)
        inside.fields = {t.ref(): f for t, f in zip(body.inputs, given, strict=True) if f is not None}
        inside.follow(body.get_operations())
        found = [
            (outer.ref(), inside.of(inner)) for outer, inner in zip(op.outputs, body.outputs, strict=True)
        ]
        self.fields.update((ref, each) for ref, each in found if each is not None)
        if inside.mixed:
            self.mixed.add(op)

    def _forget(self, tensor: Tensor) -> None:
        known = self.of(tensor)
        if isinstance(known, Field):
            made = reduce(
                lambda made, way: np.where(np.isfinite(way[:1]), np.nan, made), known.ways, known.made
            )
            left = field(known.shape, made, ())
            self.fields[tensor.ref()] = left


def places_from(source: Tensor) -> Tracing:
    """Follow the places of everything that is made of the source image."""
    axes = source.shape.rank - 2
    tracing = Tracing(axes, places_of(source))
    tracing.follow(source.graph.get_operations())
    return tracing


def reaches(start: Tensor, places: Field, sink: Tensor, without: Tensor | None = None) -> bool:
    """Tell whether values of a tensor change a sink, other than through the cells of another tensor.

    Parameters
    ----------
    start
        The tensor.
    places
        The field of those of its values that are asked about.
    sink, without
        What is changed, and a tensor whose cells are held.
    """
    tracing = Tracing(len(places.ways[0]) - 1)
    tracing.fields[start.ref()] = places
    operations = start.graph.get_operations()
    tracing.follow(operations[operations.index(start.op) + 1 : operations.index(sink.op) + 1], without)
    return tracing.fields.get(sink.ref()) is not None


def ends_of(places: Field) -> list[Field]:
    """Return the fields of the first cell alone, and of the last."""
    (way,) = places.ways
    finite = np.isfinite(way).all(axis=0).reshape(-1)
    ends = np.flatnonzero(finite)[[0, -1]]
    found = []
    for end in ends:
        alone = np.isclose(way, way.reshape(len(way), -1)[:, end].reshape((-1, *[1] * (way.ndim - 1))))
        one = alone.all(axis=0, keepdims=True)
        made, where = np.where(one, 0.0, np.nan), np.where(one, way, np.nan)
        found.append(Field(places.shape, made, (where,)))
    return found


def of_lattice(lattice: Lattice, shape: list[int]) -> Field | None:
    """Return the places of the values of ``(batch, *space, features)``."""
    axes = len(lattice.start)
    counts = shape[: 1 + axes]
    index = np.indices(counts, dtype=np.float64)[..., None]
    start = np.reshape([0.0, *lattice.start], (-1, *[1] * (axes + 2)))
    step = np.reshape([1.0, *lattice.step], start.shape)
    return field(shape, np.zeros((1,) * (1 + len(shape))), [start + step * index], lattice.spread)


def _spread_over(given: Given, found: Field) -> bool:
    """Tell whether what sees the whole image enters cells, another for each, as when tokens are mixed."""
    fields = [each for each in given if isinstance(each, Field)]
    axes = {k for way in found.ways for k in range(1, way.ndim) if way.shape[k] > 1}
    return len(fields) > 1 and any(
        not each.ways and len(each.shape) == len(found.shape) and all(each.shape[k - 1] > 1 for k in axes)
        for each in fields
    )
