"""Where a map's cells lie whose branches disagree about it: settled by what each branch carries.

It is measured once per compiled function, and again when the weights have changed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import Lock
from weakref import WeakKeyDictionary

import keras
import numpy as np
import tensorflow as tf

from xaimri.adapters.keras.geometry.shares import noise, shares_of
from xaimri.adapters.keras.programs import Program, run
from xaimri.adapters.keras.tensors import Compiled, Network, Tensor
from xaimri.arrays import Array
from xaimri.grid import Grid

SAMPLED = 16
"""Entries of each weight by which a change of the weights is noticed."""

_settled: WeakKeyDictionary[Compiled, tuple[bytes, Grid]] = WeakKeyDictionary()
_samplers: WeakKeyDictionary[Network, tuple[tuple[int, ...], Callable[[], Tensor]]] = WeakKeyDictionary()
_lock = Lock()


def settled(compiled: Program, model: Network, others: Sequence[Tensor], known: Grid) -> Grid:
    """Return a map's grid by what its branches carry; as it is known where that can't be measured."""
    if compiled.place is None or not compiled.mergers:
        return known
    state = sample(model)
    with _lock:
        kept = _settled.get(compiled.run)
    if kept is None or kept[0] != state:
        kept = state, compiled.place(_shares(compiled, others))
        with _lock:
            _settled[compiled.run] = kept
    return kept[1]


def _shares(compiled: Program, others: Sequence[Tensor]) -> dict[str, Sequence[float]]:
    """Measure what the branches of every merger carry."""
    images = noise(tuple(compiled.run.inputs[0].shape[1:]))
    asked = np.full((len(images), 2), -1, np.int32)
    _, _, *found = run(compiled, (tf.constant(images), tf.constant(asked)), others)
    pairs = zip(compiled.mergers, found, strict=True)
    shares = {name: shares_of(np.asarray(energies)) for name, energies in pairs}
    return {name: told for name, told in shares.items() if told is not None}


def sample(model: Network) -> bytes:
    """Return some entries of every weight: others where the network was trained, loaded or edited."""
    weights = [v for v in model.variables if keras.backend.is_float_dtype(v.dtype)]
    ids = tuple(map(id, weights))
    with _lock:
        known = _samplers.get(model)
        if known is None or known[0] != ids:
            known = _samplers[model] = (ids, _sampler([getattr(v, "value", v) for v in weights]))
    entries: Array = known[1]().numpy()
    return entries.tobytes()


def _sampler(weights: Sequence[tf.Variable]) -> Callable[[], Tensor]:
    def entries() -> Tensor:
        flat = [tf.reshape(tf.cast(weight, tf.float32), [-1]) for weight in weights]
        return tf.concat([every[:: max(1, every.shape[0] // SAMPLED)] for every in flat], axis=0)

    compiled: Callable[[], Tensor] = tf.function(entries, autograph=False).get_concrete_function()
    return compiled
