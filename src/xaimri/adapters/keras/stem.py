"""What a network's first batch norm gets from an image, beside what it got in training."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock, get_ident
from typing import Any, TypeAlias
from weakref import WeakKeyDictionary

import numpy as np
import tensorflow as tf
from jaxtyping import Float

from xaimri.adapters.keras.identity import identity_of
from xaimri.adapters.keras.tensors import Layer, Network, Structure, Tensor
from xaimri.adapters.keras.trace import TRACING, layers_by_path, recording
from xaimri.arrays import Array, Image, Images
from xaimri.caveats import Caveat, Reason

LARGE = 10.0
"""Root mean square, in units of the training's spread, from which on values are of another range."""

SMALL = 0.05
"""Spread, in the same unit, below which they are, where no value is farther than `NEAR` from the mean."""

NEAR = 0.5
"""Farthest value from the mean: an image that is black but for a small object goes beyond."""

MOST = 256
"""Ranges of images kept for a network."""

Fill: TypeAlias = Callable[[Images], Structure]
"""Returns what the network is called with for a batch of images."""


@dataclass(frozen=True, eq=False)
class Gets:
    """What a batch norm gets from one image: of every channel the mean, the variance, the farthest value."""

    mean: Float[Array, " channels"]
    variance: Float[Array, " channels"]
    farthest: Float[Array, " channels"]

    def factor(self, norm: Layer) -> float | None:
        """Return how many times as large as in training that is; None where it is not far off."""
        mean, variance = (np.asarray(each, np.float64) for each in (norm.moving_mean, norm.moving_variance))
        if not mean.any() and (variance == 1).all():
            return None  # as it was made: never trained
        unit = np.sqrt(np.maximum(variance, 0) + float(norm.epsilon))
        size = float(np.median(np.sqrt((self.mean - mean) ** 2 + self.variance) / unit))
        spread = float(np.median(np.sqrt(self.variance) / unit))
        if size > LARGE:
            return size
        return spread if spread < SMALL and float(np.median(self.farthest / unit)) < NEAR else None


@dataclass(eq=False)
class _Stem:
    """The first batch norm of a network as it is made now, and what it got from images of each range."""

    key: object
    norms: dict[str, Layer]
    known: dict[Hashable, tuple[str, Gets] | None] = field(default_factory=dict)


_stems: WeakKeyDictionary[Network, _Stem] = WeakKeyDictionary()
_lock = Lock()


def stem_doubts(model: Network, images: Images, fill: Fill, more: object = None) -> list[tuple[Caveat, ...]]:
    """Say of which images the first batch norm gets values of another size than in training.

    Parameters
    ----------
    model
        The network; it is run up to its first batch norm, once for every range of intensities.
    images
        ``(batch, *space, channels)`` as the network itself is given them.
    fill
        Returns what the network is called with.
    more
        What else the values depend on, such as the other inputs.
    """
    stem = _stem(model)
    if not stem.norms:
        return [()] * len(images)
    ranges = [_range_of(image) for image in images]
    keys: list[Hashable] = [(more, images.shape[1:], *(f"{value:.1g}" for value in each)) for each in ranges]
    with _lock:
        if len(stem.known) > MOST:
            stem.known.clear()
        known = {key: stem.known[key] for key in keys if key in stem.known}
    fresh = {key: place for place, key in enumerate(keys) if key not in known}
    if fresh:
        found = _run(model, stem, fill(images[list(fresh.values())]), len(fresh))
        known |= dict(zip(fresh, found, strict=True))
        with _lock:
            stem.known |= known
    return [_far_off(stem, known[key], low, high) for key, (low, high, *_) in zip(keys, ranges, strict=True)]


def _far_off(stem: _Stem, got: tuple[str, Gets] | None, low: float, high: float) -> tuple[Caveat, ...]:
    """Say that the first batch norm gets values of another size; nothing of an even image."""
    factor = None if got is None or low == high else got[1].factor(stem.norms[got[0]])
    if got is None or factor is None:
        return ()
    return (Reason.INPUT_RANGE.caveat(low=low, high=high, layer=got[0], factor=factor),)


def _range_of(image: Image) -> tuple[float, float, float, float]:
    return float(image.min()), float(image.max()), float(image.mean()), float(image.std())


def _stem(model: Network) -> _Stem:
    """Return a network's batch norms, and what is known of the first; anew after a layer was exchanged."""
    key = identity_of(model).key
    with _lock:
        stem = _stems.get(model)
    if stem is None or stem.key != key:
        norms = {path: layer for path, layer in layers_by_path(model).items() if _is_norm(layer)}
        stem = _Stem(key, norms)
        with _lock:
            _stems[model] = stem
    return stem


def _is_norm(layer: Layer) -> bool:
    parts = (getattr(layer, name, None) for name in ("moving_mean", "moving_variance", "axis", "epsilon"))
    return "call" not in vars(layer) and all(part is not None for part in parts)


class _Reached(BaseException):
    """Ends a run at the first batch norm: no `Exception`, which Keras would dress up."""

    def __init__(self, path: str, values: Tensor) -> None:
        self.path, self.values = path, values


def _run(model: Network, stem: _Stem, given: Structure, images: int) -> list[tuple[str, Gets] | None]:
    """Run a network up to its first batch norm, and return what that gets from every image."""
    try:
        path, values = _reach(model, stem.norms, given)
        axis = int(np.ravel(stem.norms[path].axis)[0]) % values.ndim
    except Exception:  # no batch norm on the way; what else it is, is told where the network is explained
        return [None] * images
    if len(values) != images or not np.isfinite(values).all():
        return [None] * images
    return [(path, _gets(np.moveaxis(each, axis - 1, -1))) for each in values]


def _reach(model: Network, norms: dict[str, Layer], given: Structure) -> tuple[str, Array]:
    """Return the path of the first batch norm that runs, and what it gets."""
    try:
        with _stopping(norms), recording(model):  # which opens a `call` that is compiled
            model(given, training=False)
    except _Reached as reached:
        return reached.path, np.asarray(tf.cast(reached.values, tf.float32))
    raise LookupError("no batch norm runs")


def _gets(values: Float[Array, "*place channels"]) -> Gets:
    flat = values.reshape(-1, values.shape[-1]).astype(np.float64)
    mean = flat.mean(axis=0)
    return Gets(mean, flat.var(axis=0), np.abs(flat - mean).max(axis=0))


@contextmanager
def _stopping(norms: dict[str, Layer]) -> Iterator[None]:
    """Stop this thread's run of the network at a batch norm while the block runs; others run on."""
    thread, changed = get_ident(), list[Layer]()

    def stop(path: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def stopped(values: Any, *args: Any, **kwargs: Any) -> Any:
            if get_ident() == thread:
                raise _Reached(path, values)
            return call(values, *args, **kwargs)

        return stopped

    with TRACING:
        try:
            for path, norm in norms.items():
                object.__setattr__(norm, "call", stop(path, norm.call))
                changed.append(norm)
            yield
        finally:
            for norm in changed:
                object.__delattr__(norm, "call")
