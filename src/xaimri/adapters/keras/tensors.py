"""Names of what TensorFlow and Keras hand about, which have no types that a checker could read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, TypeAlias, runtime_checkable

import keras
import tensorflow as tf

Tensor: TypeAlias = tf.Tensor
"""A tensor of TensorFlow: symbolic in a traced graph, with values elsewhere."""

Operation: TypeAlias = tf.Operation
"""An operation of a traced graph; its inputs and outputs are tensors."""

Graph: TypeAlias = tf.Graph
"""A traced graph."""

Network: TypeAlias = keras.Model | tf.Module
"""A network of Keras, however it was built; a module where it is one of Keras 2."""

Layer: TypeAlias = keras.Layer | tf.Module
"""A layer of Keras; a network is one, too."""

Spec: TypeAlias = tf.TensorSpec
"""Shape and kind of number of what a traced function takes."""

Variable: TypeAlias = keras.Variable | tf.Variable
"""A weight of a network."""

Compiled: TypeAlias = tf.types.experimental.ConcreteFunction
"""A traced function of TensorFlow, with its graph."""

Structure: TypeAlias = Any
"""Tensors as a network takes them or puts them out: one, a list, or a mapping."""

Others: TypeAlias = Mapping[str, Any] | Sequence[Any]
"""The inputs beside the image as a user gives them."""


@runtime_checkable
class Slot(Protocol):
    """A place in a functional network, such as its input: name, shape and type without values."""

    name: str
    shape: Any
    dtype: str
