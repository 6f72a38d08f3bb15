"""Operations on tensors whose spatial axes do not follow the batch: channels first, frames in the batch."""

from __future__ import annotations

from dataclasses import replace
from math import prod

from xaimri.adapters.keras.geometry.axes import AXES, repeated
from xaimri.adapters.keras.geometry.layout import (
    BATCH,
    REST,
    Factor,
    Layout,
    Shifts,
    is_plain,
    kept,
    known,
    labels,
    plain,
    reshaped,
)
from xaimri.adapters.keras.geometry.sampling import MOVES, window
from xaimri.adapters.keras.geometry.step import EVERYWHERE, LOST, Found, Move, Rule, Step
from xaimri.adapters.keras.graph import CONVOLUTIONS
from xaimri.adapters.keras.tensors import Tensor

RULES: dict[str, Rule] = {**MOVES, **AXES}
"""The operations that move, mix or exchange cells, on ``(batch, *space, ...)``."""

POOLS = {"MaxPool", "MaxPool3D", "AvgPool", "AvgPool3D"}
BACK = {"Conv2DBackpropInput", "Conv3DBackpropInputV2"}
"""Transposed convolutions."""


def layout_of(step: Step, tensor: Tensor) -> Layout | None:
    """Return where a tensor has its spatial axes."""
    return step.layouts.get(tensor.ref()) or plain(step.shape(tensor), step.axes)


def moved(step: Step, tensor: Tensor, layout: Layout | None, shifts: Shifts | None = None) -> Found:
    """Return one move to a layout, by an offset and a scale for every axis that moves."""
    if layout is None:
        return LOST
    each = [(shifts or {}).get(axis, (0.0, 1.0)) for axis in range(step.axes)]
    offset, scale = zip(*each, strict=True)
    return [Move(tensor, offset, scale, None if is_plain(layout, step.axes) else layout)]


def _only(step: Step) -> tuple[Tensor, Layout] | None:
    """Return the first input and its layout, where it alone comes from the image."""
    tensor = step.op.inputs[0]
    if len(step.inputs) != 1 or step.inputs[0] is not tensor or tensor.shape.rank is None:
        return None
    layout = layout_of(step, tensor)
    return None if layout is None else (tensor, layout)


def _reshape(step: Step) -> Found:
    found, beside = _only(step), repeated(step)
    if beside is not LOST or found is None or step.output.shape.rank is None:
        return beside
    made = reshaped(found[1], step.output.shape.as_list())
    return LOST if made is None else moved(step, found[0], *made)


def _transpose(step: Step) -> Found:
    found, order = _only(step), step.value(step.op.inputs[1])
    if found is None or order is None:
        return LOST
    return moved(step, found[0], tuple(found[1][axis] for axis in order))


def _expanded(step: Step) -> Found:
    found, where = _only(step), step.value(step.op.inputs[1])
    if found is None or where is None:
        return LOST
    axes = list(found[1])
    axes.insert(int(where) % (len(axes) + 1), ((REST, 1),))
    return moved(step, found[0], tuple(axes))


def _squeezed(step: Step) -> Found:
    found = _only(step)
    if found is None:
        return LOST
    sizes = step.shape(found[0])
    named = step.op.get_attr("squeeze_dims") or [i for i, n in enumerate(sizes) if n == 1]
    gone = {axis % len(sizes) for axis in named}
    return moved(step, found[0], tuple(axis for i, axis in enumerate(found[1]) if i not in gone))


def _slice(step: Step) -> Found:
    """Read ``x[:, a:b:s, i, None]``, along any axis; an axis of which one is taken stays at it."""
    found, op = _only(step), step.op
    begin, strides = step.value(op.inputs[1]), step.value(op.inputs[3])
    if found is None or begin is None or strides is None:
        return LOST
    tensor, layout = found
    sizes = step.shape(step.output)
    made: list[tuple[Factor, ...]] = []
    shifts: Shifts = {}
    axis = 0
    for k, (first, stride) in enumerate(zip(begin.tolist(), strides.tolist(), strict=True)):
        ellipsis, new, shrink, open_ = (
            op.get_attr(f"{name}_mask") >> k & 1 for name in ("ellipsis", "new_axis", "shrink_axis", "begin")
        )
        if ellipsis:
            rest = sum(not op.get_attr("new_axis_mask") >> j & 1 for j in range(k + 1, len(begin)))
            made += layout[axis : len(layout) - rest]
            axis = len(layout) - rest
        elif new:
            made.append(((REST, 1),))
        else:
            factors, n = layout[axis], step.shape(tensor)[axis]
            if n is None or stride < 1:
                return LOST
            start = 0 if open_ and not shrink else min(first + n if first < 0 else first, n)
            taken = _taken(factors, None if shrink else sizes[len(made)], bool(shrink))
            if taken is None:
                return LOST
            if factors[0][0] >= 0:
                shifts[factors[0][0]] = (float(start), float(stride))
            made += taken
            axis += 1
    return moved(step, tensor, (*made, *layout[axis:]), shifts)


def _taken(factors: tuple[Factor, ...], left: int | None, shrink: bool) -> list[tuple[Factor, ...]] | None:
    """Return the factors of a sliced axis: none where one is taken, fewer of the only one."""
    (label, _), *more = factors
    if more or label == BATCH:
        return [factors] if not shrink and left == prod(n for _, n in factors) else None
    if shrink:
        return []
    return None if left is None else [((label, left),)]


def _unstacked(step: Step) -> Found:
    found = _only(step)
    if found is None:
        return LOST
    axis = step.op.get_attr("axis") % len(found[1])
    (label, _), *more = found[1][axis]
    if more or label == BATCH:
        return LOST
    shifts = {} if label == REST else {label: (float(step.output.value_index), 1.0)}
    return moved(step, found[0], (*found[1][:axis], *found[1][axis + 1 :]), shifts)


def _padded(step: Step) -> Found:
    found, widths = _only(step), step.value(step.op.inputs[1])
    if found is None or widths is None:
        return LOST
    made, shifts = [], {}
    for axis, width, n in zip(found[1], widths.tolist(), step.shape(step.output), strict=True):
        if n is None or (any(width) and (len(axis) > 1 or axis[0][0] == BATCH)):
            return LOST
        made.append(((axis[0][0], n),) if any(width) else axis)
        if axis[0][0] >= 0:
            shifts[axis[0][0]] = (-float(width[0]), 1.0)
    return moved(step, found[0], tuple(made), shifts)


def _windowed(step: Step) -> Found:
    """Read a convolution or pooling whose channels come first."""
    op, back = step.op, step.op.type in BACK
    tensor = op.inputs[2 if back else 0]
    layout = layout_of(step, tensor) if len(step.inputs) == 1 and step.inputs[0] is tensor else None
    if layout is None or not op.get_attr("data_format").decode().startswith("NC"):
        return LOST
    if layout[0][0][0] != BATCH or any(label >= 0 for label, _ in layout[1]):
        return LOST
    pool, count = op.type in POOLS, len(layout) - 2
    kernel = op.get_attr("ksize")[2:] if pool else op.inputs[1].shape.as_list()[:count]
    dilations = [1] * count if pool else op.get_attr("dilations")[2:]
    sizes, shape = (known(step.shape(each)) for each in (step.output if back else tensor, step.output))
    if not sizes or not shape or None in kernel or any(len(axis) > 1 for axis in layout[2:]):
        return LOST
    offsets, scales = window(op, sizes[2:], kernel, op.get_attr("strides")[2:], dilations, first=2)
    shifts: Shifts = {}
    for ((label, _),), o, s in zip(layout[2:], offsets, scales, strict=True):
        shifts[label] = (-o / s, 1 / s) if back else (o, s)
    space = tuple(((axis[0][0], n),) for axis, n in zip(layout[2:], shape[2:], strict=True))
    return moved(step, tensor, (layout[0], ((REST, shape[1]),), *space), shifts)


def _reduced(step: Step) -> Found:
    """Read a mean, sum or maximum: whatever sees all of a tensor's spatial axes sees the whole image."""
    found, named = _only(step), step.value(step.op.inputs[1])
    if found is None or named is None:
        return LOST
    tensor, layout = found
    axes = {int(axis) % len(layout) for axis in named.reshape(-1)}
    gone = {label for axis in axes for label, _ in layout[axis]}
    if {label for axis in layout[1:] for label, _ in axis if label >= 0} <= gone:
        return EVERYWHERE
    if BATCH in gone or any(len(layout[axis]) > 1 for axis in axes):
        return LOST
    shifts = {layout[a][0][0]: ((layout[a][0][1] - 1) / 2, float(layout[a][0][1])) for a in axes}
    left = tuple(axis for i, axis in enumerate(layout) if i not in axes)
    if "keep_dims" in step.op.node_def.attr and step.op.get_attr("keep_dims"):
        left = tuple(((REST, 1),) if i in axes else axis for i, axis in enumerate(layout))
    return moved(step, tensor, left, shifts)


def _joined(step: Step) -> Found:
    """Keep the cells where tensors are joined or split along an axis that holds none of them."""
    op = step.op
    index = {"ConcatV2": len(op.inputs) - 1, "Split": 0, "SplitV": 2}[op.type]
    axis = step.value(op.inputs[index])
    layouts = [layout_of(step, tensor) for tensor in step.inputs]
    if axis is None or any(each is None or any(f[0] != REST for f in each[int(axis)]) for each in layouts):
        return LOST
    return _same(step)


def _product(step: Step) -> Found:
    """Read a product of rows with a matrix of weights, as a dense layer on every cell makes it."""
    found, op = _only(step), step.op
    if found is None or op.get_attr("transpose_a") or op.inputs[1].ref() in step.derived:
        return LOST
    tensor, layout = found
    n = step.output.shape.as_list()[-1]
    if n is None or any(label != REST for label, _ in layout[-1]):
        return LOST
    return moved(step, tensor, (*layout[:-1], ((REST, n),)))


def arranged(step: Step) -> Found:
    """Read an operation by where its inputs have their spatial axes; lose the cells where nothing tells."""
    kind = step.op.type
    found = ARRANGEMENTS[kind](step) if kind in ARRANGEMENTS else LOST
    if found is not LOST:
        return found
    return _within(step) if kind in RULES else _same(step)


def _same(step: Step) -> Found:
    """Keep the cells of the inputs that have all the output's axes in their places."""
    if step.output.shape.rank is None:
        return LOST
    pairs = [(tensor, layout_of(step, tensor)) for tensor in step.inputs if tensor.shape.rank is not None]
    shape = step.shape(step.output)
    stay = [(tensor, found) for tensor, each in pairs if each and (found := kept(each, shape))]
    if not stay or len({layout for _, layout in stay}) > 1:
        return LOST
    return [move for tensor, layout in stay for move in moved(step, tensor, layout)]  # type: ignore[union-attr]


def _within(step: Step) -> Found:
    """Read an operation on ``(batch, *space, channels)`` of fewer axes, or in another order."""
    if len(step.inputs) != 1 or step.inputs[0].shape.rank is None or step.output.shape.rank is None:
        return LOST
    layout = layout_of(step, step.inputs[0])
    if layout is None or layout[0][0][0] != BATCH:
        return LOST
    there = [axis[0][0] for axis in layout[1:] if len(axis) == 1 and axis[0][0] >= 0]
    count = len(there)
    if not count or [axis[0][0] for axis in layout[1 : 1 + count]] != there or labels(layout[1 + count :]):
        return LOST
    found = RULES[step.op.type](replace(step, axes=count, layouts={}))
    if not isinstance(found, list):
        return found
    shape = known(step.shape(step.output))
    if not shape:
        return LOST
    space = tuple(((label, n),) for label, n in zip(there, shape[1:], strict=False))
    new = (layout[0], *space, *(((REST, n),) for n in shape[1 + count :]))
    return [
        each
        for move in found
        for each in moved(  # type: ignore[union-attr]
            step, move.tensor, new, dict(zip(there, zip(move.offset, move.scale, strict=True), strict=True))
        )
    ]


ARRANGEMENTS: dict[str, Rule] = {
    "Reshape": _reshape,
    "Transpose": _transpose,
    "ExpandDims": _expanded,
    "Squeeze": _squeezed,
    "StridedSlice": _slice,
    "Unpack": _unstacked,
    "MatMul": _product,
    **dict.fromkeys(["ConcatV2", "Split", "SplitV"], _joined),
    **dict.fromkeys(["Pad", "PadV2", "MirrorPad"], _padded),
    **dict.fromkeys([*CONVOLUTIONS, *POOLS], _windowed),
    **dict.fromkeys(["Mean", "Sum", "Max", "Min", "Prod", "All", "Any", "EuclideanNorm"], _reduced),
}
"""The operations that can be read wherever the spatial axes are."""
