"""Run the user's own network inside a function graph, and note what every layer put out.

No sub-model is built and the network stays as it is: while one function is traced, each layer's
``call`` is wrapped on the instance, and the wrappers are taken off again in any case.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

import keras
import tensorflow as tf

from xaimri.adapters.keras.convolutions import channels_last
from xaimri.adapters.keras.inline import inlined
from xaimri.adapters.keras.tensors import Layer, Structure, Tensor

TRACING = threading.RLock()
"""Held while a function is traced: networks may share layers, and a wrapper must not outlive its trace."""


@dataclass(frozen=True, eq=False)
class LayerOutput:
    """One tensor that a layer put out during the trace."""

    path: str
    layer: Layer
    tensor: Tensor


def layers_by_path(model: Layer) -> dict[str, Layer]:
    """Return every layer below the model by its path, such as ``resnet50/conv1_conv``, in order."""
    found: dict[str, Layer] = {}
    seen: set[int] = set()

    def walk(layer: Layer, prefix: str) -> None:
        for child in children(layer):
            path = f"{prefix}{child.name}"
            if path not in found and id(child) not in seen:
                seen.add(id(child))
                found[path] = child
                walk(child, f"{path}/")

    walk(model, "")
    return found


def children(layer: Layer) -> list[Layer]:
    """Return the layers right below a layer."""
    listed = list(getattr(layer, "layers", None) or [])
    tracked = list(getattr(layer, "_layers", None) or [])
    known = {id(child) for child in listed}
    return listed + [child for child in tracked if id(child) not in known]


@contextmanager
def recording(model: Layer) -> Iterator[list[LayerOutput]]:
    """Note what every layer puts out in this thread, in order of execution, while the block runs.

    A ``call`` that is a ``tf.function`` is run as the Python that it is made of, so that its operations
    stand in the graph being traced and not in a closed one of their own.
    """
    outputs: list[LayerOutput] = []
    wrapped: list[Layer] = []
    note = partial(_noting, outputs=outputs, thread=threading.get_ident())
    try:
        for path, layer in {"": model, **layers_by_path(model)}.items():
            if "call" not in vars(layer):
                object.__setattr__(layer, "call", note(layer.call, path, layer))
                wrapped.append(layer)
        yield outputs
    finally:
        for layer in wrapped:
            object.__delattr__(layer, "call")


def _noting(
    call: Callable[..., Any], path: str, layer: Layer, *, outputs: list[LayerOutput], thread: int
) -> Callable[..., Any]:
    opened = channels_last(_opened(call, layer), layer)

    def noted(*args: Any, **kwargs: Any) -> Any:
        result = opened(*args, **kwargs)
        if path and threading.get_ident() == thread and tf.is_tensor(result):
            outputs.append(LayerOutput(path, layer, result))
        return result

    return noted


def _opened(call: Callable[..., Any], layer: Layer) -> Callable[..., Any]:
    """Return the Python that a ``tf.function`` is made of, control flow on tensors included."""
    if isinstance(layer, keras.layers.TFSMLayer):
        return partial(_called_openly, call)
    if not hasattr(call, "python_function"):
        return call
    python = call.python_function
    method = getattr(
        python, "__wrapped__", python
    )  # TensorFlow binds a decorated method anew, to a weak reference
    try:
        converted = tf.autograph.to_graph(getattr(method, "__func__", method))
    except Exception:  # without its source it runs as it is
        return cast(Callable[..., Any], python)
    return partial(converted, layer) if hasattr(method, "__func__") else cast(Callable[..., Any], converted)


def _called_openly(call: Callable[..., Any], images: Tensor, training: bool = False) -> Structure:
    """Call a layer that holds a saved function by the operations of the function's body."""
    aside = tf.function(partial(call, training=training), autograph=False)
    traced = aside.get_concrete_function(tf.TensorSpec(images.shape, images.dtype))
    try:
        found = inlined(traced, images)
    except ValueError:  # a body that can't be copied runs closed
        return call(images, training=training)
    return tf.nest.pack_sequence_as(traced.structured_outputs, found)
