"""Read a traced graph: which operations lie on the way, where the logits are, which map is last."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import tensorflow as tf

from xaimri.adapters.keras.trace import Output
from xaimri.errors import InvalidInput, MissingCapability

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
    below = _reach([source.op], lambda op: [c for t in op.outputs for c in t.consumers()])
    above = _reach([sink.op], lambda op: [t.op for t in op.inputs])
    return below & above


def last_map(outputs: Sequence[Output], source: Any, sink: Any) -> Output:
    """Return the last spatial map, after a convolution, through which everything flows to the sink."""
    way = between(source, sink)
    for output in reversed(outputs):
        if is_map(output, source) and _passes_all(output.tensor.op, source.op, sink.op, way):
            upstream = _reach([output.tensor.op], lambda op: [t.op for t in op.inputs if t.op in way])
            if any(op.type in CONVOLUTIONS for op in upstream):
                return next(o for o in outputs if o.tensor is output.tensor)
    raise MissingCapability(
        "this network has no spatial map through which everything flows to the output, so there is "
        "nothing for a "
        'class activation map to open: name one with `layer=`, or use a perturbation method such as "lime".'
    )


def named_map(outputs: Sequence[Output], layer: str, source: Any, sink: Any) -> Output:
    """Return what the named layer put out; a bare name serves where only one layer has it."""
    maps = [o for o in outputs if is_map(o, source)]
    exact = [o for o in maps if o.path == layer] or [o for o in maps if o.path.rsplit("/", 1)[-1] == layer]
    if len({o.path for o in exact}) > 1:
        raise InvalidInput(
            f"`layer` {layer!r} stands for several layers: name one by its path, such as {exact[0].path!r}."
        )
    if not exact:
        known = list(dict.fromkeys(o.path for o in maps))
        raise InvalidInput(
            f"`layer` {layer!r} is not a layer with a spatial map; the last ones are "
            f"{', '.join(map(repr, known[-5:])) or 'none'}."
        )
    way = between(source, sink)
    for output in reversed(exact):
        if output.tensor.op in way:
            return output
    raise InvalidInput(
        f"`layer` {layer!r} does not lie on the way from the image to the output: name another layer."
    )


def is_map(output: Output, source: Any) -> bool:
    """Tell whether a layer's output has the image's spatial rank and more than one cell."""
    shape = output.tensor.shape
    if shape.rank != source.shape.rank or None in shape.as_list():
        return False
    return bool(
        shape[0] == source.shape[0] and max(shape.as_list()[1:-1]) > 1 and output.tensor.dtype.is_floating
    )


def _reach(start: list[Any], following: Any) -> set[Any]:
    seen, todo = set(start), list(start)
    while todo:
        for op in following(todo.pop()):
            if op not in seen:
                seen.add(op)
                todo.append(op)
    return seen


def _passes_all(gate: Any, source: Any, sink: Any, way: set[Any]) -> bool:
    """Tell whether every path from source to sink runs through the gate."""
    if gate not in way:
        return False
    if gate in (source, sink):
        return True
    open_ops = way - {gate}
    reached = _reach([source], lambda op: [c for t in op.outputs for c in t.consumers() if c in open_ops])
    return sink not in reached


def static(tensor: Any) -> Any:
    """Return a tensor's value where the graph holds it as a constant, else None."""
    return tf.get_static_value(tensor)
