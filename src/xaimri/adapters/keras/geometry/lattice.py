"""Where a feature map's cells lie on the image, read from the operations of the traced graph.

Every operation moves the lattice of cells by what its padding, strides, dilation and kernel say, or keeps
it where the spatial axes stay. One that is not known and keeps the spatial shape keeps the lattice; any
other loses it, and the grid is then marked as assumed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from math import prod
from typing import TypeAlias

import tensorflow as tf

from xaimri.adapters.keras.geometry.arrangement import RULES, arranged
from xaimri.adapters.keras.geometry.axes import keep
from xaimri.adapters.keras.geometry.layout import BATCH, REST, Layout, is_open, is_plain, labels, plain
from xaimri.adapters.keras.geometry.layout import cells as cells_of
from xaimri.adapters.keras.geometry.loops import LISTS, LOOPS, Listed, of_list, of_loop, taken_apart
from xaimri.adapters.keras.geometry.merger import Merger, Mergers, Shares
from xaimri.adapters.keras.geometry.sizes import Sizes
from xaimri.adapters.keras.geometry.step import EVERYWHERE, LOST, Move, Reference, Step, Unplaced
from xaimri.adapters.keras.graph import SIZES as TELLING_SIZES
from xaimri.adapters.keras.graph import reach
from xaimri.adapters.keras.tensors import Graph, Operation, Tensor
from xaimri.grid import Grid


@dataclass(frozen=True)
class Lattice:
    """Cell ``i`` is centred at ``start + step * i`` input pixels, per axis.

    ``layout`` says which axes of the tensor these are; None where they follow the batch axis. ``spread`` is
    how far a branch lies from there at most; ``variance`` is that of the branches' places, per axis, each
    weighted by its share. Along the
    axes in ``past`` a cell knows those before it, as a recurrent layer makes it.
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

Visitor: TypeAlias = Callable[[Operation, Places], None]
"""Is shown every operation that something from the image enters, and where its inputs lie."""

CALLS = {
    **dict.fromkeys(["PartitionedCall", "StatefulPartitionedCall"], ("f",)),
    **dict.fromkeys(["If", "StatelessIf"], ("then_branch", "else_branch")),
}
"""Operations that call functions, and the attributes that name those."""

CARRIES = 0.01
"""A branch with less of a share does not count in the spread."""


def places_of(source: Tensor, mergers: Mergers | None = None) -> Places:
    """Return where the cells of every tensor lie that the source image enters.

    Parameters
    ----------
    source
        Images ``(batch, *space, channels)``.
    mergers
        What branches carry where some disagree, and where those that do are noted, but for those within
        called functions; without, the mean of the branches is taken.
    """
    axes = source.shape.rank - 2
    places: Places = {source.ref(): Lattice((0.0,) * axes, (1.0,) * axes)}
    walk(source.graph, places, axes, mergers=mergers)
    return places


def grid_of(cells: Tensor, source: Tensor, places: Places | None = None) -> Grid:
    """Return where the cells of a tensor lie on the source image; assumed where that can't be read.

    Parameters
    ----------
    cells, source
        Tensors of one graph and of known sizes; the source is ``(batch, *space, channels)``.
    places
        Of the source, where they are known already.
    """
    return grid_of_all([cells], source, places)


def grid_of_all(maps: Sequence[Tensor], source: Tensor, places: Places | None = None) -> Grid:
    """Return where the cells of several maps of one number of cells lie: at the mean of their places."""
    space, cells = tuple(source.shape.as_list()[1:-1]), maps[0]
    places = places_of(source) if places is None else places
    found = [lattice for one in maps if (lattice := place_of(one, source, places)) is not None]
    if len(found) < len(maps):
        return Grid.resized(space, tuple(cells.shape.as_list()[1:-1]), assumed=True)
    shape = tuple(cells.shape.as_list()[1 : 1 + len(space)])
    if found[0].layout is not None:
        shape = cells_of(found[0].layout, len(space))
    mean = _merged([replace(lattice, layout=None) for lattice in found], shape)
    doubt = tuple(float(v) ** 0.5 for v in mean.variance)
    return Grid(space, shape, mean.start, mean.step, spread=mean.spread, doubt=doubt)


def settled_grid(maps: Sequence[Tensor], source: Tensor, shares: Shares) -> Grid:
    """Return where the cells of maps lie by what the branches carry that disagree about it."""
    return grid_of_all(maps, source, places_of(source, Mergers(shares)))


def mergers_of(maps: Sequence[Tensor], source: Tensor) -> list[Merger]:
    """Return where branches meet, before some maps, that place their cells differently."""
    mergers = Mergers()
    places_of(source, mergers)
    before = reach([cells.op for cells in maps], lambda op: [t.op for t in op.inputs])
    return [merger for merger in mergers.met if merger.output.op in before]


def place_of(cells: Tensor, source: Tensor, places: Places | None = None) -> Lattice | None:
    """Return the lattice by which a tensor's cells are laid on the image, None where there is none."""
    found = (places_of(source) if places is None else places).get(cells.ref(), LOST)
    if not isinstance(found, Lattice) or min(found.step, default=1.0) <= 0:
        return None
    if found.layout is None:
        return found if cells.shape.rank == source.shape.rank else None
    return found if is_open(found.layout) else None


def as_map(cells: Tensor, layout: Layout | None, axes: int) -> Tensor:
    """Return cells as ``(batch, *space, channels)``, of one cell along an axis that they don't have."""
    if layout is None:
        return cells
    factors = [factor for axis in layout for factor in axis]
    order = [i for i, (label, _) in enumerate(factors) if label == BATCH]
    order += [i for axis in range(axes) for i, (label, _) in enumerate(factors) if label == axis]
    order += [i for i, (label, _) in enumerate(factors) if label == REST]
    whole = tf.transpose(tf.reshape(cells, [n for _, n in factors]), order)
    count = prod(n for label, n in factors if label == BATCH)
    return tf.reshape(whole, (count, *cells_of(layout, axes), -1))


def walk(
    graph: Graph,
    places: Places,
    axes: int,
    visit: Visitor | None = None,
    sizes: Sizes | None = None,
    mergers: Mergers | None = None,
) -> None:
    """Place the outputs of every operation that something from the image enters; show each to a visitor."""
    sizes, mergers = sizes or Sizes(), mergers or Mergers()
    for op in graph.get_operations():  # in order of creation, so inputs come first
        if any(t.ref() in places for t in op.inputs):
            if visit is not None:
                visit(op, places)
            if op.type in CALLS:
                _call(op, places, axes, visit, sizes)
            elif op.type in LOOPS:
                inner = partial(walk, axes=axes, visit=visit)
                found = of_loop(op, body_of(op, "body"), places, inner)
                places.update(zip((t.ref() for t in op.outputs), found, strict=True))
            elif op.type == "TensorListFromTensor":
                whole = places[op.inputs[0].ref()]
                places[op.outputs[0].ref()] = taken_apart(whole, layout_at(whole, op.inputs[0]))
            elif op.type in LISTS or isinstance(places.get(op.inputs[0].ref()), Listed):
                places[op.outputs[0].ref()] = of_list(op, places)
            else:
                places.update((t.ref(), place(op, t, places, axes, sizes, mergers)) for t in op.outputs)


def _call(op: Operation, places: Places, axes: int, visit: Visitor | None, sizes: Sizes) -> None:
    """Place the outputs of a called function by the operations of its body; of a condition, by both.

    A condition that depends on sizes alone is decided.
    """
    given = op.inputs[1:] if op.type.endswith("If") else op.inputs
    names = CALLS[op.type]
    if op.type.endswith("If") and (true := sizes.value(op.inputs[0])) is not None:
        names = names[:1] if true else names[1:]
    bodies = [body for name in names if (body := body_of(op, name)) is not None]
    counts = len(given), len(op.outputs)
    if len(bodies) < len(names) or any((len(body.inputs), len(body.outputs)) != counts for body in bodies):
        places.update((t.ref(), LOST) for t in op.outputs)
        return
    answers = []
    for body in bodies:
        pairs = list(zip(body.inputs, given, strict=True))
        inside: Places = {inner.ref(): places[t.ref()] for inner, t in pairs if t.ref() in places}
        known = Sizes()
        for inner, tensor in pairs:
            sizes.carry(tensor, inner, known)
        walk(body, inside, axes, visit, known)
        answers.append([inside.get(t.ref(), EVERYWHERE) for t in body.outputs])
        if len(bodies) == 1:
            for output, inner in zip(op.outputs, body.outputs, strict=True):
                known.carry(inner, output, sizes)
    for output, found in zip(op.outputs, zip(*answers, strict=True), strict=True):
        size = Step(op, output, (), axes, places, sizes=sizes).space(output)
        places[output.ref()] = _either(found, size)


def _either(found: Sequence[Place], size: tuple[int, ...] | None) -> Place:
    """Return the place of what comes from one of several functions."""
    lattices = [place for place in found if isinstance(place, Lattice)]
    unclear = any(not isinstance(place, Lattice) and place is not EVERYWHERE for place in found)
    if unclear or (lattices and size is None) or len({place.layout for place in lattices}) > 1:
        return LOST
    return _merged(lattices, size or ()) if lattices else EVERYWHERE


def body_of(op: Operation, attribute: str) -> Graph | None:
    """Return the graph of a function that an operation calls, None where TensorFlow does not show it."""
    look_up = getattr(op.graph, "_get_function", None)
    function = look_up(op.get_attr(attribute).name) if look_up else None
    return getattr(function, "graph", None)


def place(op: Operation, output: Tensor, places: Places, axes: int, sizes: Sizes, mergers: Mergers) -> Place:
    """Return where the cells of an operation's output lie, from those of its inputs."""
    inputs = [t for t in op.inputs if places.get(t.ref(), EVERYWHERE) is not EVERYWHERE]
    if not inputs or op.type in TELLING_SIZES:
        return EVERYWHERE
    known = [(t, place) for t in inputs if isinstance(place := places[t.ref()], Lattice)]
    layouts = {t.ref(): place.layout for t, place in known if place.layout is not None}
    step = Step(op, output, inputs, axes, places, layouts, sizes)
    found = LOST if layouts else RULES.get(op.type, keep)(step)
    if found is LOST and len(known) == len(inputs):
        if not layouts and all(prod(step.space(t) or (0,)) == 1 for t in inputs):
            return EVERYWHERE  # a single cell is spread over many
        found = arranged(step)
    if isinstance(found, list):
        return _arrived(step, found, places, mergers)
    stacked = _stacked(op, places) if found is LOST and op.type == "Pack" else None
    return stacked or (found if len(known) == len(inputs) else LOST)


def _arrived(step: Step, moves: Sequence[Move], places: Places, mergers: Mergers) -> Place:
    """Return the place at which an operation's inputs arrive; a merger is noted where they disagree."""
    arrivals = [(places.get(move.tensor.ref(), LOST), move) for move in moves]
    moved = [
        place.after(move, layout_at(place, move.tensor))
        for place, move in arrivals
        if isinstance(place, Lattice)
    ]
    if len(moved) < len(moves):
        return LOST
    merger = Merger(step.output, tuple(move.tensor for move in moves))
    if len({(place.start, place.step) for place in moved}) > 1:
        mergers.met.append(merger)
    return _merged(moved, step.space(step.output) or (), mergers.shares.get(merger.name))


def _stacked(op: Operation, places: Places) -> Lattice | None:
    """Place frames or slices that are stacked along a new axis, one after the other."""
    found = [places.get(t.ref(), LOST) for t in op.inputs]
    one = found[0]
    layouts = [layout_at(place, t) for place, t in zip(found, op.inputs, strict=True)]
    if not isinstance(one, Lattice) or layouts[0] is None or len(set(layouts)) > 1 or len(found) < 2:
        return None
    starts = [place.start for place in found if isinstance(place, Lattice)]
    gaps = [tuple(b - a for a, b in zip(*pair, strict=True)) for pair in pairwise(starts)]
    along = [axis for axis, gap in enumerate(gaps[0]) if gap]
    if len(set(gaps)) > 1 or len(along) != 1 or along[0] in labels(layouts[0]):
        return None
    step = tuple(gap or s for gap, s in zip(gaps[0], one.step, strict=True))
    axes = list(layouts[0])
    axes.insert(op.get_attr("axis") % (len(axes) + 1), ((along[0], len(found)),))
    layout = tuple(axes)
    return replace(one, step=step, layout=None if is_plain(layout, len(step)) else layout)


def layout_at(place: Place | None, tensor: Tensor) -> Layout | None:
    """Return where a tensor has its spatial axes, None where they have no place."""
    if not isinstance(place, Lattice) or tensor.shape.rank is None:
        return None
    return place.layout or plain(tensor.shape.as_list(), len(place.start))


def _merged(lattices: list[Lattice], size: tuple[int, ...], shares: Sequence[float] | None = None) -> Lattice:
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
