"""Read a traced graph: which operations lie on the way."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import tensorflow as tf

from xaimri.adapters.keras.tensors import Operation, Tensor

PASSIVE = {"Identity", "IdentityN", "Cast", "StopGradient", "EnsureShape"}
CONVOLUTIONS = {"Conv2D", "DepthwiseConv2dNative", "Conv3D", "Conv2DBackpropInput", "Conv3DBackpropInputV2"}
SIZES = {"Shape", "ShapeN", "Size", "Rank"}
"""Operations that tell sizes, which depend on no pixel."""


def between(source: Tensor, sink: Tensor) -> set[Operation]:
    """Return the operations through which the source's values can reach the sink, both ends included."""
    below = reach(
        [source.op], lambda op: [c for t in op.outputs for c in t.consumers() if c.type not in SIZES]
    )
    above = reach([sink.op], lambda op: [t.op for t in op.inputs])
    return below & above


def reach(start: list[Operation], following: Callable[[Operation], Iterable[Operation]]) -> set[Operation]:
    """Return all operations that can be reached by following, the start included."""
    seen, todo = set(start), list(start)
    while todo:
        for op in following(todo.pop()):
            if op not in seen:
                seen.add(op)
                todo.append(op)
    return seen


def static(tensor: Tensor) -> Any:
    """Return a tensor's value where the graph holds it as a constant, else None."""
    return tf.get_static_value(tensor)
