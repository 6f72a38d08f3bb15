"""Read a traced graph: which operations lie on the way, and where the logits are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import tensorflow as tf

PASSIVE = {"Identity", "IdentityN", "Cast", "StopGradient", "EnsureShape"}
CONVOLUTIONS = {"Conv2D", "DepthwiseConv2dNative", "Conv3D", "Conv2DBackpropInput", "Conv3DBackpropInputV2"}


@dataclass(frozen=True)
class Head:
    """The tensor before the network's last nonlinearity, and what that nonlinearity is."""

    scores: Any
    kind: Literal["softmax", "sigmoid", "plain"]


def head(output: Any) -> Head:
    """Walk back from the network's output to the scores before its softmax or sigmoid."""
    tensor = output
    while tensor.op.type in PASSIVE or (
        tensor.op.type in {"Reshape", "Squeeze"}
        and tensor.op.inputs[0].shape.as_list() == tensor.shape.as_list()
    ):
        tensor = tensor.op.inputs[0]
    if tensor.op.type == "Softmax":
        return Head(tensor.op.inputs[0], "softmax")
    if tensor.op.type == "Sigmoid":
        return Head(tensor.op.inputs[0], "sigmoid")
    return Head(output, "plain")


def between(source: Any, sink: Any) -> set[Any]:
    """Return the operations through which the source can reach the sink, both ends included."""
    below = reach([source.op], lambda op: [c for t in op.outputs for c in t.consumers()])
    above = reach([sink.op], lambda op: [t.op for t in op.inputs])
    return below & above


def reach(start: list[Any], following: Any) -> set[Any]:
    """Return all operations that can be reached by following, the start included."""
    seen, todo = set(start), list(start)
    while todo:
        for op in following(todo.pop()):
            if op not in seen:
                seen.add(op)
                todo.append(op)
    return seen


def passes_all(gate: Any, source: Any, sink: Any, way: set[Any]) -> bool:
    """Tell whether every path from source to sink runs through the gate."""
    if gate not in way:
        return False
    if gate in (source, sink):
        return True
    open_ops = way - {gate}
    reached = reach([source], lambda op: [c for t in op.outputs for c in t.consumers() if c in open_ops])
    return sink not in reached


def static(tensor: Any) -> Any:
    """Return a tensor's value where the graph holds it as a constant, else None."""
    return tf.get_static_value(tensor)
