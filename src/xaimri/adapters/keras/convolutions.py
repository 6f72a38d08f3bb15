"""Convolutions whose channels come first, done with them last: a processor has no others, and no gradient."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from types import MethodType
from typing import Any

import tensorflow as tf

from xaimri.adapters.keras.tensors import Layer, Tensor


def channels_last(call: Callable[..., Any], layer: Layer) -> Callable[..., Any]:
    """Return what a layer does; a convolution with channels first, by moving them to the end and back.

    The layer stays as it is, for others who call it meanwhile.
    """
    if getattr(layer, "data_format", None) != "channels_first" or "Conv" not in type(layer).__name__:
        return call
    other = _Other(layer)

    def moved(images: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        rank = images.shape.rank
        last = tf.transpose(images, [0, *range(2, rank), 1])
        made = type(layer).call(other, last, *args, **kwargs)
        return tf.transpose(made, [0, rank - 1, *range(1, rank - 1)])

    return moved


class _Other:
    """A layer in all but the place of its channels."""

    data_format = "channels_last"

    def __init__(self, layer: Layer) -> None:
        self._layer = layer

    def __getattr__(self, name: str) -> Any:
        found = getattr(type(self._layer), name, None)
        return MethodType(found, self) if inspect.isfunction(found) else getattr(self._layer, name)
