"""Operations that put values in another order: what they do to values, they do to places."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np

from xaimri.adapters.keras.geometry.constants import constant
from xaimri.adapters.keras.geometry.field import Field, Fields, Where, along, field, reshaped, whole
from xaimri.adapters.keras.geometry.step import LOST
from xaimri.adapters.keras.tensors import Operation, Tensor

Given: TypeAlias = Sequence[Fields]
"""Of every input of an operation."""

Rearrange: TypeAlias = Callable[[Operation, Tensor, Given], Fields]
"""Reads an operation at one of its outputs."""


def _moved(index: int, move: Callable[[Operation, Tensor, Field, Where], Where]) -> Rearrange:
    """Return the rule of an operation that moves one of its inputs by constants."""

    def rule(op: Operation, output: Tensor, given: Given) -> Fields:
        data = given[index]
        if not isinstance(data, Field) or sum(each is not None for each in given) > 1:
            return LOST
        try:
            made, *ways = (move(op, output, data, way) for way in (data.made, *data.ways))
        except _UnknownError:
            return LOST
        return field(output.shape.as_list(), made, ways, data.spread)

    return rule


class _UnknownError(Exception):
    """A constant that the graph does not hold."""


def _constant(op: Operation, index: int) -> Any:
    value = constant(op.inputs[index])
    if value is None:
        raise _UnknownError
    return value


def _reshape(op: Operation, output: Tensor, data: Field, way: Where) -> Where:
    return reshaped(way, data.shape, output.shape.as_list())


def _transpose(op: Operation, output: Tensor, data: Field, way: Where) -> Where:
    return way.transpose(0, *(1 + int(a) % len(data.shape) for a in _constant(op, 1)))


def _slice(op: Operation, output: Tensor, data: Field, way: Where) -> Where:
    """Read ``x[:, a:b:s, i, None, ...]``."""
    begin, end, strides = (_constant(op, k) for k in (1, 2, 3))
    masks = {
        name: op.get_attr(f"{name}_mask") for name in ("begin", "end", "ellipsis", "new_axis", "shrink_axis")
    }
    index: list[Any] = [slice(None)]
    for k, (first, last, stride) in enumerate(
        zip(begin.tolist(), end.tolist(), strides.tolist(), strict=True)
    ):
        on = {name: bool(mask >> k & 1) for name, mask in masks.items()}
        if on["ellipsis"]:
            index.append(Ellipsis)
        elif on["new_axis"]:
            index.append(None)
        elif on["shrink_axis"]:
            index.append(first)
        else:
            index.append(slice(None if on["begin"] else first, None if on["end"] else last, stride))
    found: Where = np.broadcast_to(way, (len(way), *data.shape))[tuple(index)]
    return found


def _cut(op: Operation, output: Tensor, data: Field, way: Where) -> Where:
    begin = _constant(op, 1).tolist()
    pairs = zip(begin, output.shape.as_list(), strict=True)
    index = (slice(None), *(slice(b, b + n) for b, n in pairs))
    found: Where = np.broadcast_to(way, (len(way), *data.shape))[index]
    return found


def _gather(op: Operation, output: Tensor, data: Field, way: Where) -> Where:
    if op.type == "GatherV2" and op.get_attr("batch_dims"):
        raise _UnknownError
    axis = int(_constant(op, 2)) % len(data.shape)
    found: Where = np.take(whole(way, axis, data.shape[axis]), _constant(op, 1), axis=1 + axis)
    return found


def _padded(op: Operation, output: Tensor, data: Field, way: Where) -> Where:
    """Go on in equal steps, as of a map; what stands before or behind tokens in a row has no place."""
    for axis, (before, behind) in enumerate(_constant(op, 1).tolist()):
        n = data.shape[axis]
        if not before and not behind:
            continue
        further = along(way, axis, n, np.arange(-before, n + behind, dtype=float)) if len(way) > 1 else None
        if further is None:
            fill = 0.0 if op.type == "MirrorPad" and len(way) == 1 else np.nan
            around = [(0, 0)] * way.ndim
            around[1 + axis] = (before, behind)
            further = np.pad(whole(way, axis, n), around, constant_values=fill)
        way = further
    return way


def _rolled(op: Operation, output: Tensor, data: Field, way: Where) -> Where:
    shifts, axes = np.atleast_1d(_constant(op, 1)), np.atleast_1d(_constant(op, 2))
    for shift, axis in zip(shifts.tolist(), (axes % len(data.shape)).tolist(), strict=True):
        way = np.roll(way, shift, axis=1 + axis)
    return way


def _reversed(op: Operation, output: Tensor, data: Field, way: Where) -> Where:
    return np.flip(way, tuple(1 + int(a) % len(data.shape) for a in np.atleast_1d(_constant(op, 1))))


def _tiled(op: Operation, output: Tensor, data: Field, way: Where) -> Where:
    counts = _constant(op, 1).tolist()
    for axis, count in enumerate(counts):
        if count > 1:
            way = whole(way, axis, data.shape[axis])
    return np.tile(way, (1, *(1 if way.shape[1 + a] == 1 else n for a, n in enumerate(counts))))


def _broadcast(op: Operation, output: Tensor, data: Field, way: Where) -> Where:
    return way.reshape((len(way), *[1] * (output.shape.rank - len(data.shape)), *way.shape[1:]))


def _split(op: Operation, output: Tensor, data: Field, way: Where) -> Where:
    axis = int(_constant(op, 0 if op.type == "Split" else 2)) % len(data.shape)
    first = sum(t.shape[axis] for t in op.outputs[: output.value_index])
    if way.shape[1 + axis] == 1:
        return way
    return way.take(np.arange(first, first + output.shape[axis]), axis=1 + axis)


def _unstacked(op: Operation, output: Tensor, data: Field, way: Where) -> Where:
    axis = op.get_attr("axis") % len(data.shape)
    found: Where = whole(way, axis, data.shape[axis]).take(output.value_index, axis=1 + axis)
    return found


def _passed(op: Operation, output: Tensor, given: Given) -> Fields:
    """Pass on each tensor of a tuple, as a swish with a gradient of its own does."""
    found: Fields = given[output.value_index]
    return found


def _joined(op: Operation, output: Tensor, given: Given) -> Fields:
    """Put tensors one after another; what does not come from the image has no place."""
    axis = constant(op.inputs[-1])
    if axis is None:
        return LOST
    at = int(axis) % output.shape.rank
    return _beside(output, given[:-1], [t.shape[at] for t in op.inputs[:-1]], at)


def _stacked(op: Operation, output: Tensor, given: Given) -> Fields:
    axis = op.get_attr("axis") % output.shape.rank
    before = [n for k, n in enumerate(output.shape.as_list()) if k != axis]
    opened: list[Fields] = []
    for each in given:
        if isinstance(each, Field):
            made, *ways = (np.expand_dims(way, 1 + axis) for way in (each.made, *each.ways))
            opened.append(Field((*before[:axis], 1, *before[axis:]), made, tuple(ways), each.spread))
        else:
            opened.append(each)
    return _beside(output, opened, [1] * len(given), axis)


def _beside(output: Tensor, parts: Given, sizes: Sequence[int], axis: int) -> Fields:
    derived = [part for part in parts if isinstance(part, Field)]
    if any(len(part.ways) > 1 for part in derived) or len(derived) < sum(p is not None for p in parts):
        return LOST
    made = _concatenated([part.made if isinstance(part, Field) else None for part in parts], sizes, axis)
    ways = [part.ways[0] if isinstance(part, Field) and part.ways else None for part in parts]
    whole = [_concatenated(ways, sizes, axis)] if any(way is not None for way in ways) else []
    return field(output.shape.as_list(), made, whole, max(part.spread for part in derived))


def _concatenated(ways: Sequence[Where | None], sizes: Sequence[int], axis: int) -> Where:
    """Put places one after another along an axis, NaN for none."""
    shapes = np.array([way.shape for way in ways if way is not None])
    common = shapes.max(axis=0)
    full = []
    for way, n in zip(ways, sizes, strict=True):
        common[1 + axis] = n
        full.append(np.broadcast_to(np.nan if way is None else way, tuple(common)))
    return np.concatenate(full, axis=1 + axis)


REARRANGED: dict[str, Rearrange] = {
    **dict.fromkeys(["Reshape", "ExpandDims", "Squeeze"], _moved(0, _reshape)),
    "Transpose": _moved(0, _transpose),
    "StridedSlice": _moved(0, _slice),
    "Slice": _moved(0, _cut),
    **dict.fromkeys(["GatherV2"], _moved(0, _gather)),
    **dict.fromkeys(["Pad", "PadV2", "MirrorPad"], _moved(0, _padded)),
    "Roll": _moved(0, _rolled),
    "ReverseV2": _moved(0, _reversed),
    "Tile": _moved(0, _tiled),
    "BroadcastTo": _moved(0, _broadcast),
    "Split": _moved(1, _split),
    "SplitV": _moved(0, _split),
    "Unpack": _moved(0, _unstacked),
    "IdentityN": _passed,
    "ConcatV2": _joined,
    "Pack": _stacked,
}
"""The operations that move values, and how."""
