"""Whether a network can be explained here, and in which numbers it computes."""

from __future__ import annotations

import keras

from xaimri.adapters.keras.tensors import Network
from xaimri.adapters.keras.trace import layers_by_path
from xaimri.errors import InvalidInput, MissingCapability


def check_network(model: object) -> None:
    """See that a model is a network of Keras on TensorFlow."""
    if keras.backend.backend() != "tensorflow":
        raise MissingCapability(
            f"Keras runs on {keras.backend.backend()} here: set KERAS_BACKEND=tensorflow before "
            "importing it, or pass a plain function of the images, which the perturbation methods explain."
        )
    if not isinstance(model, keras.Layer):
        raise InvalidInput(f"a Keras {type(model).__name__} is no network: give a model.")


def computes_in(model: Network, *kinds: str) -> bool:
    """Tell whether any layer computes in one of these kinds of number, such as ``"float16"``."""
    layers = (model, *layers_by_path(model).values())
    return any(getattr(layer, "compute_dtype", None) in kinds for layer in layers)
