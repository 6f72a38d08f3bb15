"""Where a feature map's cells lie on the image, read from the operations of the traced graph.

Every operation moves the lattice of cells by what its padding, strides, dilation and kernel say, or keeps
it where the spatial axes stay. One that is not known and keeps the spatial shape keeps the lattice; any
other loses it, and the grid is then marked as assumed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import TypeAlias

from xaimri.adapters.keras.geometry.axes import AXES, keep
from xaimri.adapters.keras.geometry.sampling import MOVES
from xaimri.adapters.keras.geometry.step import EVERYWHERE, LOST, Move, Reference, Rule, Step, Unplaced
from xaimri.adapters.keras.graph import SIZES
from xaimri.adapters.keras.tensors import Graph, Operation, Tensor
from xaimri.grid import Grid


@dataclass(frozen=True)
class Lattice:
    """Cell ``i`` is centred at ``start + step * i`` input pixels, per axis."""

    start: tuple[float, ...]
    step: tuple[float, ...]
    spread: float = 0.0

    def after(self, move: Move) -> Lattice:
        """Take cells at ``offset + scale * i`` of this lattice."""
        start = tuple(a + s * o for a, s, o in zip(self.start, self.step, move.offset, strict=True))
        return Lattice(start, tuple(s * k for s, k in zip(self.step, move.scale, strict=True)), self.spread)


Place: TypeAlias = Lattice | Unplaced
Places: TypeAlias = dict[Reference, Place]
"""Where the cells of each tensor lie; tensors that do not come from the image are not in it."""

RULES: dict[str, Rule] = {**MOVES, **AXES}
CALLS = {
    **dict.fromkeys(["PartitionedCall", "StatefulPartitionedCall"], ("f",)),
    **dict.fromkeys(["If", "StatelessIf"], ("then_branch", "else_branch")),
}
"""Operations that call functions, and the attributes that name those."""


def grid_of(cells: Tensor, source: Tensor) -> Grid:
    """Return where the cells of a tensor lie on the source image; assumed where that can't be read.

    Parameters
    ----------
    cells, source
        Tensors ``(batch, *space, channels)`` of one graph, of the same rank and of known sizes.
    """
    space, shape = (tuple(tensor.shape.as_list()[1:-1]) for tensor in (source, cells))
    places: Places = {source.ref(): Lattice((0.0,) * len(space), (1.0,) * len(space))}
    _walk(source.graph, places, len(space), until=cells.op)
    found = places.get(cells.ref(), LOST)
    if isinstance(found, Unplaced) or min(found.step, default=1.0) <= 0:
        return Grid.resized(space, shape, assumed=True)
    return Grid(space, shape, found.start, found.step, spread=found.spread)


def _walk(graph: Graph, places: Places, axes: int, until: Operation | None = None) -> None:
    """Place the outputs of every operation that something from the image enters, up to the last one."""
    for op in graph.get_operations():  # in order of creation, so inputs come first
        if any(t.ref() in places for t in op.inputs):
            if op.type in CALLS:
                _call(op, places, axes)
            else:
                places.update((t.ref(), _place(op, t, places, axes)) for t in op.outputs)
        if op is until:
            return


def _call(op: Operation, places: Places, axes: int) -> None:
    """Place the outputs of a called function by the operations of its body; of a condition, by both."""
    given = op.inputs[1:] if op.type.endswith("If") else op.inputs
    bodies = [body for name in CALLS[op.type] if (body := _body(op, name)) is not None]
    whole = len(bodies) == len(CALLS[op.type])
    sizes = len(given), len(op.outputs)
    if not whole or any((len(body.inputs), len(body.outputs)) != sizes for body in bodies):
        places.update((t.ref(), LOST) for t in op.outputs)
        return
    answers = []
    for body in bodies:
        pairs = zip(body.inputs, given, strict=True)
        inside: Places = {inner.ref(): places[t.ref()] for inner, t in pairs if t.ref() in places}
        _walk(body, inside, axes)
        answers.append([inside.get(t.ref(), EVERYWHERE) for t in body.outputs])
    for output, found in zip(op.outputs, zip(*answers, strict=True), strict=True):
        size = Step(op, output, (), axes, places).space(output)
        places[output.ref()] = _either(found, size)


def _either(found: Sequence[Place], size: tuple[int, ...] | None) -> Place:
    """Return the place of what comes from one of several functions."""
    lattices = [place for place in found if isinstance(place, Lattice)]
    if LOST in found or (lattices and size is None):
        return LOST
    return _merged(lattices, size or ()) if lattices else EVERYWHERE


def _body(op: Operation, attribute: str) -> Graph | None:
    """Return the graph of a function that an operation calls, None where TensorFlow does not show it."""
    look_up = getattr(op.graph, "_get_function", None)
    function = look_up(op.get_attr(attribute).name) if look_up else None
    return getattr(function, "graph", None)


def _place(op: Operation, output: Tensor, places: Places, axes: int) -> Place:
    """Return where the cells of an operation's output lie, from those of its inputs."""
    inputs = [t for t in op.inputs if places.get(t.ref(), EVERYWHERE) is not EVERYWHERE]
    if not inputs or op.type in SIZES:
        return EVERYWHERE
    step = Step(op, output, inputs, axes, places)
    found = RULES.get(op.type, keep)(step)
    if isinstance(found, list):
        arrivals = [(places.get(move.tensor.ref(), LOST), move) for move in found]
        moved = [place.after(move) for place, move in arrivals if isinstance(place, Lattice)]
        return _merged(moved, step.space(output) or ()) if len(moved) == len(found) else LOST
    lattices = all(isinstance(places[t.ref()], Lattice) for t in inputs)
    if found is LOST and lattices and all(prod(step.space(t) or (0,)) == 1 for t in inputs):
        return EVERYWHERE  # a single cell is spread over many
    return found if lattices else LOST


def _merged(lattices: list[Lattice], size: tuple[int, ...]) -> Lattice:
    """Mean of the lattices that meet in one operation, with the distance of the farthest path from it."""
    if len(set(lattices)) == 1:
        return lattices[0]
    count = len(lattices)
    start = tuple(sum(x) / count for x in zip(*(v.start for v in lattices), strict=True))
    step = tuple(sum(x) / count for x in zip(*(v.step for v in lattices), strict=True))
    mean = Lattice(start, step)
    return Lattice(start, step, max(v.spread + _distance(v, mean, size) for v in lattices))


def _distance(one: Lattice, other: Lattice, size: tuple[int, ...]) -> float:
    """Return how far apart two lattices place a cell, at most, along an axis."""
    first = [abs(a - b) for a, b in zip(one.start, other.start, strict=True)]
    ends = zip(one.start, one.step, other.start, other.step, size, strict=True)
    return max(*first, *(abs(a + s * (n - 1) - b - t * (n - 1)) for a, s, b, t, n in ends))
