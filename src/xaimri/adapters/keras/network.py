"""Whether a network can be explained here, and in which numbers it computes."""

from __future__ import annotations

import keras
import tensorflow as tf

from xaimri.adapters.keras.tensors import Network
from xaimri.adapters.keras.trace import layers_by_path
from xaimri.errors import InvalidInput, MissingCapability
from xaimri.forked import check_process

EAGER = (
    "TensorFlow's eager execution is switched off here: leave tf.compat.v1.disable_eager_execution() and "
    "tf.compat.v1.disable_v2_behavior() out, and start Python anew."
)
"""What to do where TensorFlow only draws graphs, as old notebooks tell it to."""


def check_network(model: object) -> None:
    """See that a model is a network of Keras on TensorFlow, which runs in this process."""
    check_process()
    if not tf.executing_eagerly():
        raise MissingCapability(EAGER)
    if keras.backend.backend() != "tensorflow":
        raise MissingCapability(
            f"Keras runs on {keras.backend.backend()} here: set KERAS_BACKEND=tensorflow before "
            "importing it, or pass a plain function of the images, which the perturbation methods explain."
        )
    if not isinstance(model, keras.Layer) and not is_legacy(model):
        raise InvalidInput(f"a Keras {type(model).__name__} is no network: give a model.")


def is_legacy(model: object) -> bool:
    """Tell whether a model is one of Keras 2, as the package ``tf_keras`` makes them."""
    bases = {base.__module__.partition(".")[0] for base in type(model).__mro__}
    return "tf_keras" in bases and isinstance(model, tf.Module)


def computes_in(model: Network, *kinds: str) -> bool:
    """Tell whether any layer computes in one of these kinds of number, such as ``"float16"``."""
    layers = (model, *layers_by_path(model).values())
    return any(getattr(layer, "compute_dtype", None) in kinds for layer in layers)
