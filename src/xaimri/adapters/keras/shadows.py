"""Weights of a network with their entries in other places, which stand in for its own.

A network is traced once with shadows in the place of its variables; whoever runs it fills them first. So a
cascade over many layers and images costs one trace, and the memory of one copy.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from threading import RLock
from typing import Any
from weakref import WeakKeyDictionary

import keras
import numpy as np
import tensorflow as tf

from xaimri.adapters.keras.network import is_legacy
from xaimri.adapters.keras.tensors import Network, Tensor, Variable
from xaimri.adapters.keras.trace import layers_by_path
from xaimri.errors import InvalidInput, MissingCapability


class Shadows:
    """Variables that are read in the place of a network's own while it is traced."""

    def __init__(self, variables: Sequence[Variable]) -> None:
        self.variables = tuple(variables)
        self._stored = [tf.Variable(tf.convert_to_tensor(v), trainable=False) for v in variables]
        self._shown: Stand | None = None
        self._lock = RLock()

    def scope(self) -> AbstractContextManager[Any]:
        """Return a context in which the network's variables read as their shadows; for tracing."""
        pairs = zip(self.variables, self._stored, strict=True)
        scope: AbstractContextManager[Any] = keras.StatelessScope(
            state_mapping=[(variable, stored.read_value()) for variable, stored in pairs]
        )
        return scope

    @contextmanager
    def showing(self, stand: Stand) -> Iterator[None]:
        """Hold the stand's values for the time of the block; others wait."""
        with self._lock:
            if self._shown is not stand:
                self._shown = None
                for stored, value in zip(self._stored, stand.values, strict=True):
                    stored.assign(value)
                self._shown = stand
            yield


class Stand:
    """Values of all of a network's weights, some of them drawn; the network itself keeps its own.

    Attributes
    ----------
    shadows
        Where they are shown; all stands of one network share them.
    values
        In the order of the shadows' variables.
    """

    def __init__(self, model: Network, drawn: Sequence[tuple[Variable, Tensor]]) -> None:
        self.shadows = _shadows_of(model)
        self.drawn = tuple(drawn)
        new = {id(variable): value for variable, value in drawn}
        self.values = [new.get(id(v), tf.convert_to_tensor(v)) for v in self.shadows.variables]


_shadows: WeakKeyDictionary[Network, Shadows] = WeakKeyDictionary()
_lock = RLock()


def _shadows_of(model: Network) -> Shadows:
    """Return the network's shadows, made anew where a layer was exchanged."""
    variables = [v for v in model.variables if _floating(v)]
    with _lock:
        known = _shadows.get(model)
        same = known is not None and [id(v) for v in known.variables] == [id(v) for v in variables]
        if known is None or not same:
            known = _shadows[model] = Shadows(variables)
        return known


def tracing(shadows: Shadows | None) -> AbstractContextManager[Any]:
    """Return the context for tracing with shadows, or one in which nothing is changed."""
    return nullcontext() if shadows is None else shadows.scope()


def showing(stand: Stand | None) -> AbstractContextManager[None]:
    """Return the context for running with a stand, or one in which nothing is changed."""
    return nullcontext() if stand is None else stand.shadows.showing(stand)


def layers_with_weights(model: Network) -> tuple[str, ...]:
    """Return the paths of the layers that have weights of their own, from the output down to the image."""
    return tuple(reversed(list(_own(model))))


def shuffle(model: Network, layers: Sequence[str], seed: int) -> Stand:
    """Let the entries of each of these layers' weights change places, by chance.

    The draw of a layer depends on its path and the seed alone, so a layer has the same weights whichever
    others are drawn with it.
    """
    if is_legacy(model):
        raise MissingCapability(
            "the weights of a network of Keras 2 can't be shown shuffled: read it with Keras 3, or leave the "
            "randomisation out."
        )
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
    return Stand(model, values)


def _own(model: Network) -> dict[str, list[Variable]]:
    """Return the weights of every layer that no layer below it has, by path, in order."""
    layers = layers_by_path(model)
    shared: set[int] = set()
    found: dict[str, list[Variable]] = {}
    for path in sorted(layers, key=lambda name: -name.count("/")):  # what lies deepest owns its weights
        weights = [w for w in layers[path].variables if id(w) not in shared and _floating(w)]
        shared |= {id(w) for w in weights}
        if weights:
            found[path] = weights
    rest = [w for w in model.variables if id(w) not in shared and _floating(w)]
    ordered = {path: found[path] for path in layers if path in found}
    return {**ordered, model.name: rest} if rest else ordered


def _floating(variable: Variable) -> bool:
    return bool(keras.backend.is_float_dtype(variable.dtype))
