"""How a network ends: the scores before its softmax or sigmoid, or a last layer that is linear."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import tensorflow as tf

from xaimri.adapters.keras.bounds import bounds
from xaimri.adapters.keras.graph import CONVOLUTIONS, PASSIVE, reach, static
from xaimri.adapters.keras.inline import CALLS, opened
from xaimri.adapters.keras.tensors import Operation, Tensor
from xaimri.adapters.meaning import Activation

ARRANGING = {"Reshape", "Squeeze", "ExpandDims", "Transpose", "StridedSlice", "Mean", "Sum", "Max"}
"""Operations that change nothing where all that they move, drop or join are axes of length one."""

ACTIVATIONS: dict[str, Activation] = {
    "Softmax": "softmax",
    "LogSoftmax": "log_softmax",
    "Sigmoid": "sigmoid",
}

PRODUCTS = CONVOLUTIONS | {"MatMul", "BatchMatMul", "BatchMatMulV2", "BatchMatMulV3", "Einsum"}
"""Operations of a linear layer, where one side of them are weights."""

MIXING = {"AddN", "AddV2", "Add", "BiasAdd", "Sub", "Neg", "ConcatV2", "Pack"}
"""Operations whose result is made of all that comes in, by sums or side by side."""

SCALING = {"Mul", "RealDiv", "FusedBatchNorm", "FusedBatchNormV3"}
"""Operations that are linear in one input, where the others are weights."""

CARRYING = {
    "AvgPool",
    "AvgPool3D",
    "BatchToSpaceND",
    "ExpandDims",
    "GatherV2",
    "Max",
    "MaxPool",
    "Mean",
    "Reshape",
    "Slice",
    "SpaceToBatchND",
    "Squeeze",
    "StridedSlice",
    "Sum",
    "Transpose",
}
"""Operations that select, join or move what comes in first."""

CLIPPING = {"ClipByValue", "Maximum", "Minimum"}
"""Operations that hold probabilities away from 0 and 1."""

ROUNDING = 1e-6
"""How far single precision takes probabilities beyond 0 and 1."""

TYPES_OF_PROBABILITIES = {"softmax", "sigmoid"}


@dataclass(frozen=True)
class Ending:
    """The scores before the network's last softmax or sigmoid, and which of them it is.

    Attributes
    ----------
    scores
        ``(batch, columns)``, or of more axes, of which one is longer than one; the output itself where no
        softmax or sigmoid is found.
    activation
        What the network ends in.
    """

    scores: Tensor
    activation: Activation


def ending(output: Tensor, images: Tensor) -> Ending:
    """Walk back from the network's output to the scores before its softmax or sigmoid, into functions too.

    Parameters
    ----------
    output
        The network's own.
    images
        What it is given; whatever does not depend on it counts as weights.
    """
    tensor = _source(output)
    if tensor.op.type in ACTIVATIONS:
        return Ending(tensor.op.inputs[0], ACTIVATIONS[tensor.op.type])
    side_by_side = _sigmoids(tensor)
    if side_by_side is not None:
        return Ending(side_by_side, "sigmoid")
    found = _Origins(images).of(tensor)
    if found == {"linear"}:
        return Ending(output, "linear")
    if found == {"sigmoid"}:
        low, high = bounds(tensor)
        return Ending(output, "sigmoids" if low >= -ROUNDING and high <= 1 + ROUNDING else "plain")
    return Ending(output, "plain")


def _source(tensor: Tensor) -> Tensor:
    """Walk back to the operation that made a tensor's values, through all that leaves them as they are."""
    while True:
        op = tensor.op
        if op.type == "IdentityN":
            tensor = op.inputs[tensor.value_index]
        elif _passes(tensor):
            tensor = op.inputs[0]
        elif op.type in CALLS:
            inside = opened(tensor)
            if inside is None:
                return tensor
            tensor = inside
        else:
            return tensor


def _passes(tensor: Tensor) -> bool:
    """Tell whether a tensor has the values of the first input of its operation, in their order."""
    op = tensor.op
    if op.type in PASSIVE:
        return bool(op.inputs[0].dtype.is_floating and tensor.dtype.is_floating)
    if op.type not in ARRANGING or not op.inputs[0].dtype.is_floating:
        return False
    before, after = (_long(t) for t in (op.inputs[0], tensor))
    if before is None or before != after or not tensor.shape[:1].is_compatible_with(op.inputs[0].shape[:1]):
        return False
    if op.type == "StridedSlice":
        steps = static(op.inputs[3])
        return steps is not None and bool((steps == 1).all())
    return True


def _long(tensor: Tensor) -> list[int] | None:
    """Return the lengths of the axes but the first, those of one left out; None where they are not known."""
    if tensor.shape.rank is None or tensor.shape.rank == 0:
        return None
    lengths = [n for n in tensor.shape.as_list()[1:] if n != 1]
    return None if None in lengths else lengths


def _sigmoids(tensor: Tensor) -> Tensor | None:
    """Return the scores of sigmoids that stand side by side; None where it is anything else."""
    if tensor.op.type not in {"ConcatV2", "Pack"} or tensor.shape.rank is None:
        return None
    parts = [t for t in tensor.op.inputs if t.dtype.is_floating]
    sources = [_source(t) for t in parts]
    if any(s.op.type != "Sigmoid" for s in sources):
        return None
    scores = [_shaped(s.op.inputs[0], t) for s, t in zip(sources, parts, strict=True)]
    if tensor.op.type == "Pack":
        return tf.stack(scores, axis=tensor.op.get_attr("axis"))
    axis = static(tensor.op.inputs[-1])
    return None if axis is None else tf.concat(scores, axis=int(axis))


def _shaped(scores: Tensor, like: Tensor) -> Tensor:
    shaped = tf.reshape(scores, tf.shape(like))
    shaped.set_shape(like.shape)
    return shaped


class _Origins:
    """What the values of tensors are made of by sums and products with weights."""

    def __init__(self, images: Tensor) -> None:
        self.images = images
        self.fed = reach([images.op], lambda op: [c for t in op.outputs for c in t.consumers()])

    def of(self, tensor: Tensor) -> frozenset[str]:
        """Return of what kinds a tensor is made: ``"linear"`` layers, activations, ``"other"``."""
        op = tensor.op
        if op.type in CALLS:
            inside = opened(tensor)
            return frozenset({"other"}) if inside is None else _Origins(self.images).of(inside)
        if op.type in ACTIVATIONS:
            return frozenset({ACTIVATIONS[op.type]})
        fed = [t for t in op.inputs if t.op in self.fed]
        if op.type == "IdentityN":
            return self.of(op.inputs[tensor.value_index])
        if op.type in PASSIVE | CARRYING and fed:
            return self.of(op.inputs[0])
        if op.type in MIXING and fed:
            return frozenset(kind for t in fed for kind in self.of(t))
        if op.type in SCALING and len(fed) == 1 and (op.type == "Mul" or fed[0] is op.inputs[0]):
            return self.of(fed[0])
        return self._last(op, fed)

    def _last(self, op: Operation, fed: Sequence[Tensor]) -> frozenset[str]:
        """Return what an operation is whose result is more than a sum of its inputs."""
        if op.type in CLIPPING and len(fed) == 1 and self.of(fed[0]) <= TYPES_OF_PROBABILITIES:
            return self.of(fed[0])
        weighed = op.type in PRODUCTS and len(fed) == 1 and not any(map(_is_share, op.inputs))
        return frozenset({"linear" if weighed else "other"})


def _is_share(tensor: Tensor) -> bool:
    """Tell whether a tensor adds up to 1, as the weights or the inputs of a mean of probabilities do."""
    while tensor.op.type in PASSIVE | CARRYING and tensor.op.inputs:
        tensor = tensor.op.inputs[0]
    return bool(tensor.op.type == "Softmax")
