"""A walk through the operations of a traced graph, which places the cells of every tensor on the image."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from itertools import pairwise
from math import prod
from typing import TypeAlias

from xaimri.adapters.keras.geometry.arrangement import RULES, arranged
from xaimri.adapters.keras.geometry.axes import keep
from xaimri.adapters.keras.geometry.centres import Lattice, Place, Places, layout_at, merged
from xaimri.adapters.keras.geometry.layout import is_plain, labels
from xaimri.adapters.keras.geometry.loops import LISTS, LOOPS, Listed, of_list, of_loop, taken_apart
from xaimri.adapters.keras.geometry.merger import Merger, Mergers
from xaimri.adapters.keras.geometry.sizes import Sizes
from xaimri.adapters.keras.geometry.step import EVERYWHERE, LOST, Move, Step
from xaimri.adapters.keras.graph import SIZES as TELLING_SIZES
from xaimri.adapters.keras.tensors import Graph, Operation, Tensor

Visitor: TypeAlias = Callable[[Operation, Places], None]
"""Is shown every operation that something from the image enters, and where its inputs lie."""

CALLS = {
    **dict.fromkeys(["PartitionedCall", "StatefulPartitionedCall"], ("f",)),
    **dict.fromkeys(["If", "StatelessIf"], ("then_branch", "else_branch")),
}
"""Operations that call functions, and the attributes that name those."""


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
    return merged(lattices, size or ()) if lattices else EVERYWHERE


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
    return merged(moved, step.space(step.output) or (), mergers.shares.get(merger.name))


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
