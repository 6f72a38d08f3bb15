"""What is settled before a network runs: names, precision, and preprocessing outside its graph."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

import keras
from xaimri.adapters.keras.trace import layers_by_path
from xaimri.arrays import Array, Images
from xaimri.classifier import class_names
from xaimri.errors import InvalidInput


def prepared_outside(
    preprocess: Callable[[Any], Any], batch: Images
) -> Float[Array, "batch *space features"]:
    """Apply a function outside the graph; it must leave every pixel in its place."""
    prepared = np.asarray(preprocess(batch.copy()), dtype=np.float32)
    if prepared.shape[:-1] != batch.shape[:-1]:
        raise InvalidInput(
            f"`preprocess` turns images {batch.shape[1:-1]} into {prepared.shape[1:-1]}, so no map "
            "can be laid on the image: leave resizing to xaimri.explain, or do it in a layer of the network."
        )
    return prepared


def computes_in(model: keras.Model, *kinds: str) -> bool:
    """Tell whether any layer computes in one of these kinds of number, such as ``"float16"``."""
    layers = (model, *layers_by_path(model).values())
    return any(getattr(layer, "compute_dtype", None) in kinds for layer in layers)


def names_of(units: int | None, classes: Sequence[str] | None, unit: int | None) -> tuple[str, ...]:
    """Return the names, none where they can't be counted yet."""
    count = 2 if units == 1 or unit is not None else units
    if classes is None:
        return tuple(f"class_{i}" for i in range(count or 0))
    names = class_names(classes)
    if count is not None and len(names) != count:
        raise InvalidInput(
            f"`classes` must be {count} different names, one per output, got {len(names)}: {names}."
        )
    return names
