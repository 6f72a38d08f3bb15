"""Loops over frames, as recurrent layers write them: what is made of a frame lies where the frame does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import tensorflow as tf

from xaimri.adapters.keras.geometry.layout import REST, Layout, labels
from xaimri.adapters.keras.geometry.step import EVERYWHERE, LOST, Reference, Unplaced
from xaimri.adapters.keras.tensors import Graph, Operation

LOOPS = {"While", "StatelessWhile"}
LISTS = {"TensorListFromTensor", "TensorListGetItem", "TensorListSetItem", "TensorListStack"}
"""Operations on lists of frames."""

ROUNDS = 4
"""Most times that a loop's body is walked until its places stay."""


Item: TypeAlias = Any
"""Where a tensor lies: a lattice of cells, a list of frames, or that it has no place."""

Items: TypeAlias = dict[Reference, Item]
"""Where the tensors of a graph lie."""

Walk: TypeAlias = Callable[[Graph, Items], None]
"""Places the tensors of a graph."""


@dataclass(frozen=True)
class Listed:
    """A list of frames: where one lies but for its axis of the image, and how many there are."""

    frame: Item
    axis: int
    count: int


def taken_apart(found: Item, layout: Layout | None) -> Item:
    """Place the list of what lies along the first axis of a tensor, if that is one of the image's."""
    if layout is None or not _has_cells(found) or len(layout[0]) > 1 or layout[0][0][0] < 0:
        return LOST
    axis, count = layout[0][0]
    return Listed(found.laid(layout[1:]), axis, count)


def of_list(op: Operation, items: Items) -> Item:
    """Place what else an operation on a list of frames gives: a frame, the list with one more, all of it."""
    found = items.get(op.inputs[0].ref(), EVERYWHERE)
    if op.type == "TensorListSetItem":
        return _with_item(op, items)
    if not isinstance(found, Listed):
        return LOST
    if op.type == "Identity":
        return found
    frame, layout = found.frame, found.frame.layout
    if op.type == "TensorListGetItem":
        return frame
    if op.type != "TensorListStack" or layout is None or found.axis in labels(layout):
        return LOST
    whole = frame.laid((((found.axis, found.count),), *layout))
    return whole.carried(found.axis) if found.axis >= 0 else whole


def _with_item(op: Operation, items: Items) -> Item:
    """Place a list into which a loop puts what it made of a frame, under its number, or of the last one."""
    _, number, item = op.inputs
    made = items.get(item.ref(), EVERYWHERE)
    if not _has_cells(made):
        return made
    taken = [other for other in op.graph.get_operations() if other.type == "TensorListGetItem"]
    lists = [items.get(other.inputs[0].ref()) for other in taken]
    same = [other.inputs[1].ref() == number.ref() for other in taken]
    sources = {(each.axis, each.count) for each in lists if isinstance(each, Listed)}
    if len(sources) != 1 or made.layout is None:
        return LOST
    ((axis, count),) = sources
    if axis in labels(made.layout):
        return LOST
    if all(same):
        return Listed(made, axis, count)
    fixed = tf.get_static_value(number) is not None and not any(same)
    return Listed(made.over({axis: count}), REST, 1) if fixed else LOST


def of_loop(op: Operation, body: Graph | None, items: Items, walk: Walk) -> list[Item]:
    """Place what a loop gives: its body is walked until whatever goes round stays in its place."""
    lost: list[Item] = [LOST] * len(op.outputs)
    if body is None or len(body.inputs) != len(op.inputs):
        return lost
    state: list[Item] = [items.get(tensor.ref(), EVERYWHERE) for tensor in op.inputs]
    for _ in range(ROUNDS):
        pairs = zip(body.inputs, state, strict=True)
        inside: Items = {inner.ref(): place for inner, place in pairs if place is not EVERYWHERE}
        walk(body, inside)
        made = [inside.get(tensor.ref(), EVERYWHERE) for tensor in body.outputs]
        after = [_round(*pair) for pair in zip(state, made, strict=True)]
        if after == state:
            return _left(state)
        state = after
    return lost


def _has_cells(item: Item) -> bool:
    return not isinstance(item, Listed | Unplaced)


def _round(before: Item, after: Item) -> Item:
    """Return where something lies that goes round: the image may come into it with the first round."""
    if before is EVERYWHERE or before == after:
        return after
    return before if after is EVERYWHERE else LOST


def _left(state: Sequence[Item]) -> list[Item]:
    """Return what a loop leaves: its state has seen every frame."""
    counts = {item.axis: item.count for item in state if isinstance(item, Listed) and item.axis >= 0}
    return [item.over(counts) if _has_cells(item) and item.layout is not None else item for item in state]
