"""Weights of a network with their entries in other places, which stand in for its own while it is traced."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from xaimri.adapters.keras.trace import layers_by_path
from xaimri.errors import InvalidInput


class Stand:
    """Values that stand in for some of a network's variables; the network itself keeps its own."""

    def __init__(self, values: Sequence[tuple[Any, Any]]) -> None:
        self._values = tuple(values)

    def __call__(self) -> AbstractContextManager[Any]:
        """Return a context in which the variables read as these values."""
        scope: AbstractContextManager[Any] = keras.StatelessScope(state_mapping=self._values)
        return scope


def stood(stand: Stand | None) -> AbstractContextManager[Any]:
    """Return the context of a stand, or one in which nothing is changed."""
    return nullcontext() if stand is None else stand()


def layers_with_weights(model: keras.Model) -> tuple[str, ...]:
    """Return the paths of the layers that have weights of their own, from the output down to the image."""
    return tuple(reversed(list(_own(model))))


def shuffled(model: keras.Model, layers: Sequence[str], seed: int) -> Stand:
    """Let the entries of each of these layers' weights change places, by chance.

    The draw of a layer depends on its path and the seed alone, so a layer has the same weights whichever
    others are drawn with it.
    """
    own = _own(model)
    unknown = [layer for layer in layers if layer not in own]
    if unknown:
        raise InvalidInput(
            f"the network has no layer {unknown[0]!r} with weights: it has {', '.join(map(repr, own))}."
        )
    values = []
    for layer in layers:
        generator = np.random.default_rng([seed, *layer.encode()])
        for variable in own[layer]:
            entries = np.asarray(keras.ops.convert_to_numpy(variable.value))
            drawn = generator.permutation(entries.ravel()).reshape(entries.shape)
            values.append((variable, tf.constant(drawn, dtype=variable.dtype)))
    return Stand(values)


def _own(model: keras.Model) -> dict[str, list[Any]]:
    """Return the weights of every layer that no layer below it has, by path, in order."""
    layers = layers_by_path(model)
    shared: set[int] = set()
    found: dict[str, list[Any]] = {}
    for path in sorted(layers, key=lambda name: -name.count("/")):  # what lies deepest owns its weights
        weights = [w for w in layers[path].variables if id(w) not in shared and _floating(w)]
        shared |= {id(w) for w in weights}
        if weights:
            found[path] = weights
    rest = [w for w in model.variables if id(w) not in shared and _floating(w)]
    ordered = {path: found[path] for path in layers if path in found}
    return {**ordered, model.name: rest} if rest else ordered


def _floating(variable: Any) -> bool:
    return bool(keras.backend.is_float_dtype(variable.dtype))
