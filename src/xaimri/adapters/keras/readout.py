"""The input of a network's last dense layer, found in the traced graph."""

from __future__ import annotations

from xaimri.adapters.answers import Answers
from xaimri.adapters.keras.ending import CARRYING, MIXING, SCALING
from xaimri.adapters.keras.graph import CONVOLUTIONS, PASSIVE, reach
from xaimri.adapters.keras.tensors import Operation, Tensor
from xaimri.adapters.meaning import Activation, taken_for
from xaimri.errors import MissingCapability

DENSE = {"MatMul", "BatchMatMul", "BatchMatMulV2", "BatchMatMulV3"}
"""Operations of a dense layer, where one side of them are weights."""

INSTEAD = "end it in a dense layer, or give features by a class of your own (docs/guide/extending.md)"
"""What works where a network has no last dense layer."""


def check_readout(answers: Answers, activation: Activation) -> None:
    """See that logits are linear in scores that a network has, and not the logarithm of its outputs."""
    if taken_for(activation, answers.outputs) == "probabilities":
        raise MissingCapability(
            "the network's end shows no scores before its probabilities, as where several networks are "
            f"averaged, so it has no features: {INSTEAD}."
        )


def features_of(scores: Tensor, images: Tensor) -> tuple[Tensor, ...]:
    """Return what the last dense layers take, of which the scores are made by weights alone.

    Several, in the order in which they are met, where several layers are added up or stand side by side.

    Parameters
    ----------
    scores
        What stands before the network's softmax or sigmoid.
    images
        What the network is given; whatever does not depend on it counts as weights.

    Raises
    ------
    MissingCapability
        If something else than weights lies between a dense layer and the scores.
    """
    fed = reach([images.op], lambda op: [c for t in op.outputs for c in t.consumers()])
    found: dict[object, Tensor] = {}
    todo, seen = [scores], set[object]()
    while todo:
        tensor = todo.pop()
        if tensor.ref() in seen:
            continue
        seen.add(tensor.ref())
        before = [t for t in tensor.op.inputs if t.op in fed]
        if tensor.op.type in DENSE and len(before) == 1 and _is_per_image(before[0], images):
            found.setdefault(before[0].ref(), before[0])
        else:
            todo += _behind(tensor, before)
    return tuple(found.values())


def _is_per_image(tensor: Tensor, images: Tensor) -> bool:
    """Tell whether a tensor has one row per image, and not one per cell or token."""
    return bool(tensor.shape.rank == 2 and tensor.shape[0] == images.shape[0] is not None)


def _behind(tensor: Tensor, before: list[Tensor]) -> list[Tensor]:
    """Return the tensors of which one is made by sums, scales and moves alone."""
    op: Operation = tensor.op
    if op.type == "IdentityN":
        return [op.inputs[tensor.value_index]]
    if op.type in PASSIVE and before and op.inputs[0].dtype.is_floating:
        return [op.inputs[0]]
    if op.type in CARRYING - {"Max", "MaxPool"} and before and before[0] is op.inputs[0]:
        return [op.inputs[0]]
    if op.type in MIXING and before:
        return before
    scaled = op.type in SCALING and len(before) == 1
    if scaled and (op.type == "Mul" or before[0] is op.inputs[0]):
        return before
    kinds = {**dict.fromkeys(CONVOLUTIONS, "a convolution"), **dict.fromkeys(DENSE, "a layer of every cell")}
    kind = kinds.get(op.type, f"the operation {op.type}")
    raise MissingCapability(
        f"the network's scores come from {kind}, not from a dense layer of the whole image, so it has no "
        f"features: {INSTEAD}."
    )
