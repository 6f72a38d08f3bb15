"""Whether a network can be explained, and whether the logits found in its graph are what it says."""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Float

import keras
from xaimri.adapters.keras.trace import layers_by_path
from xaimri.arrays import Array, Scores
from xaimri.classifier import Outputs
from xaimri.errors import InvalidInput, MissingCapability
from xaimri.objective import softmax


def verify(
    logits: Scores, stated: Float[Array, "batch units"], outputs: Outputs, unit: int | None = None
) -> None:
    """See that softmax(logits) is what the network states, or say what is wrong with that."""
    if not np.isfinite(stated).all():
        raise InvalidInput(
            "the network's outputs are NaN or infinite: check its weights, and the range of the images."
        )
    if outputs != "probabilities":
        return
    own, total = softmax(logits), float(stated[0].sum())
    if stated.shape[1] != own.shape[1] or unit is not None:
        stated = stated[:, [unit or 0]]
    if stated.shape[1] == 1:
        stated = np.concatenate([1 - stated, stated], axis=1)
    gap = float(np.abs(own - stated).max())
    if not gap < 1e-2:
        raise InvalidInput(
            f"the network's outputs are not probabilities (off by {gap:.2g}; the first row adds up to "
            f'{total:.3g}): if they are logits, pass outputs="logits".'
        )


def check_network(model: Any) -> None:
    """See that a model is a network of Keras on TensorFlow, whose maps have their channels last."""
    if keras.backend.backend() != "tensorflow":
        raise MissingCapability(
            f"Keras runs on {keras.backend.backend()} here: set KERAS_BACKEND=tensorflow before "
            "importing it, or pass a plain function of the images, which the perturbation methods explain."
        )
    if not isinstance(model, keras.Layer):
        raise InvalidInput(f"a Keras {type(model).__name__} is no network: give a model.")
    if any(
        getattr(layer, "data_format", None) == "channels_first" for layer in layers_by_path(model).values()
    ):
        raise MissingCapability(
            "the network takes channels first, and maps are laid on channels last: pass a function that "
            "transposes the images and calls it."
        )
