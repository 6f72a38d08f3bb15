"""Whether a traced graph shows that an image's scores depend on nothing but that image."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from xaimri.adapters.keras.graph import SIZES, reach, static
from xaimri.adapters.keras.tensors import Operation, Tensor

READING = {"ReadVariableOp", "VarHandleOp"}
"""Operations with a state that they leave alone."""

POINTWISE = {
    "Abs", "Add", "AddN", "AddV2", "BiasAdd", "Cast", "Ceil", "ClipByValue", "DivNoNan", "Elu",
    "EnsureShape", "Equal", "Erf", "Erfc", "Exp", "Expm1", "Floor", "FloorDiv", "FloorMod",
    "Greater", "GreaterEqual", "Identity", "IsFinite", "IsNan", "LeakyRelu", "Less", "LessEqual",
    "Log", "Log1p", "LogicalAnd", "LogicalNot", "LogicalOr", "Maximum", "Minimum", "Mul", "Neg",
    "NotEqual", "Pow", "RealDiv", "Reciprocal", "Relu", "Relu6", "Round", "Rsqrt", "Select",
    "SelectV2", "Selu", "Sigmoid", "Sign", "Softplus", "Softsign", "Sqrt", "Square",
    "SquaredDifference", "StopGradient", "Sub", "Tanh",
}  # fmt: skip
"""Operations on each number by itself, or on those of several tensors at one place."""

BY_IMAGE = {
    "AvgPool", "AvgPool3D", "Conv2D", "Conv2DBackpropInput", "Conv3D", "Conv3DBackpropInputV2",
    "DepthToSpace", "DepthwiseConv2dNative", "LRN", "MaxPool", "MaxPool3D", "ResizeArea",
    "ResizeBicubic", "ResizeBilinear", "ResizeNearestNeighbor", "SpaceToDepth",
}  # fmt: skip
"""Operations that work on one image of a batch after the other."""

REDUCTIONS = {"All", "Any", "ArgMax", "ArgMin", "Max", "Mean", "Min", "Prod", "Sum"}
"""Operations that gather numbers along axes, which are their second input."""

GATHERING = REDUCTIONS | {"Softmax", "LogSoftmax", "BatchMatMulV2", "FusedBatchNormV3"}
"""Operations of which another image is felt, where a reshaping of a single one hides that it may be there."""


OPAQUE = {"Case", "PartitionedCall"}
"""Operations that call a function, which may hold anything; those with a state are told by it."""


def is_pure(source: Tensor, sink: Tensor) -> bool:
    """Tell whether the graph proves that each image's row of the sink depends on that image alone.

    No operation before the sink may draw at random or change a state, and those behind the images must leave
    images apart. False where that can't be seen: in a function that is called, or an operation that is not
    known here.
    """
    above = reach([sink.op], lambda op: [*(t.op for t in op.inputs), *op.control_inputs])
    if any(_may_draw(op) for op in above):
        return False
    below = reach(
        [source.op], lambda op: [c for t in op.outputs for c in t.consumers() if c.type not in SIZES]
    )
    way = [op for op in source.graph.get_operations() if op in below and op in above and op is not source.op]
    images = {id(t) for op in (source.op, *way) for t in op.outputs}
    given = {op: [t for t in op.inputs if id(t) in images] for op in way}
    return all(_keeps_apart(op, given[op]) for op in way) and not (source.shape[0] == 1 and _may_fold(given))


def _may_draw(op: Operation) -> bool:
    """Tell whether an operation may draw at random, or keep something from call to call."""
    kept = op.op_def.is_stateful and op.type not in READING
    return kept or "Random" in op.type or op.type.startswith("Stateless") or op.type in OPAQUE


def _keeps_apart(op: Operation, images: list[Tensor]) -> bool:
    """Tell whether an operation leaves images apart, along the first axis of its inputs and its outputs."""
    used = [t for t in op.outputs if t.consumers()]
    firsts = {t.shape[0] if t.shape.rank else None for t in (*images, *used)}
    if len(firsts) > 1 or None in firsts:
        return False
    if op.type in POINTWISE:
        return all(t.shape.rank == op.outputs[0].shape.rank for t in images)
    if op.type in BY_IMAGE:
        return len(images) == 1
    rule = RULES.get(op.type) or (_along if op.type in REDUCTIONS else None)
    return rule is not None and rule(op, images)


def _may_fold(given: dict[Operation, list[Tensor]]) -> bool:
    """Tell whether numbers are gathered that a reshaping may have taken from several images.

    Of a batch of one, a reshaping looks alike whether it keeps images apart or lays them in one row. What is
    then laid beside a tensor that was not reshaped has its images where that has them.
    """
    folded: set[int] = set()
    for op, images in given.items():  # in the order in which they were traced
        some = [t for t in images if id(t) in folded]
        if some and op.type in GATHERING:
            return True
        beside = op.type in POINTWISE and len(some) < len(images)
        if op.type == "Reshape" or (some and not beside):
            folded |= {id(t) for t in op.outputs}
    return False


def _leaves_first(axes: Any, rank: int) -> bool:
    """Tell whether none of constant axes is the first."""
    return axes is not None and all(int(axis) % rank for axis in np.ravel(axes))


def _along(op: Operation, images: list[Tensor]) -> bool:
    return _leaves_first(static(op.inputs[1]), images[0].shape.rank)


def _joins(op: Operation, images: list[Tensor]) -> bool:
    return _leaves_first(static(op.inputs[-1]), images[0].shape.rank)


def _expands(op: Operation, images: list[Tensor]) -> bool:
    return _leaves_first(static(op.inputs[1]), images[0].shape.rank + 1)


def _splits(op: Operation, images: list[Tensor]) -> bool:
    return _leaves_first(static(op.inputs[0 if op.type == "Split" else 2]), images[0].shape.rank)


def _pads(op: Operation, images: list[Tensor]) -> bool:
    widths = static(op.inputs[1])
    return widths is not None and not np.any(widths[0])


def _turns(op: Operation, images: list[Tensor]) -> bool:
    order = static(op.inputs[1])
    return order is not None and int(order[0]) == 0


def _reshapes(op: Operation, images: list[Tensor]) -> bool:
    """Numbers keep their order, so where the first axis is as long as before every image keeps its own."""
    return True


def _squeezes(op: Operation, images: list[Tensor]) -> bool:
    dropped = op.get_attr("squeeze_dims")
    return bool(dropped) and _leaves_first(dropped, images[0].shape.rank)


def _slices(op: Operation, images: list[Tensor]) -> bool:
    """Tell whether a slice takes the first axis whole, and in order."""
    strides = static(op.inputs[3])
    whole = all(op.get_attr(name) & 1 for name in ("begin_mask", "end_mask"))
    other = any(op.get_attr(name) & 1 for name in ("new_axis_mask", "shrink_axis_mask"))
    ellipsis_ = bool(op.get_attr("ellipsis_mask") & 1)
    return strides is not None and not other and (ellipsis_ or (whole and int(strides[0]) == 1))


def _multiplies(op: Operation, images: list[Tensor]) -> bool:
    return len(images) == 1 and images[0] is op.inputs[0] and not bool(op.get_attr("transpose_a"))


def _multiplies_each(op: Operation, images: list[Tensor]) -> bool:
    ranks = {t.shape.rank for t in images}
    return len(ranks) == 1 and images[0].shape.rank >= 3 and op.outputs[0].shape.rank in ranks


def _normalises(op: Operation, images: list[Tensor]) -> bool:
    return len(images) == 1 and not bool(op.get_attr("is_training"))


def _last(op: Operation, images: list[Tensor]) -> bool:
    return bool(images[0].shape.rank >= 2)


RULES: dict[str, Callable[[Operation, list[Tensor]], bool]] = {
    "BatchMatMulV2": _multiplies_each,
    "ConcatV2": _joins,
    "ExpandDims": _expands,
    "FusedBatchNormV3": _normalises,
    "LogSoftmax": _last,
    "MatMul": _multiplies,
    "MirrorPad": _pads,
    "Pad": _pads,
    "PadV2": _pads,
    "Reshape": _reshapes,
    "Softmax": _last,
    "Split": _splits,
    "SplitV": _splits,
    "Squeeze": _squeezes,
    "StridedSlice": _slices,
    "Transpose": _turns,
}
"""When an operation leaves images apart."""
