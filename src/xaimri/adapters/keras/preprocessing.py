"""Preprocessing that no graph can hold, done before the network runs."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from xaimri.adapters.options import Preprocess
from xaimri.arrays import Array, Images
from xaimri.errors import InvalidInput, shown
from xaimri.user_function import called


def prepare_outside(preprocess: Preprocess, batch: Images) -> Float[Array, "batch *space features"]:
    """Apply a function outside the graph; it must leave every pixel in its place."""
    given = called("`preprocess`", preprocess, batch.copy())
    try:
        prepared = np.asarray(given, dtype=np.float32)
    except (TypeError, ValueError) as failure:
        raise InvalidInput(
            f"`preprocess` must return the images as an array, got {shown(given)}."
        ) from failure
    if prepared.ndim != batch.ndim or len(prepared) != len(batch):
        raise InvalidInput(
            f"`preprocess` must return as many images as it is given, {batch.shape}, got {shown(given)}."
        )
    if prepared.shape[:-1] != batch.shape[:-1]:
        raise InvalidInput(
            f"`preprocess` turns images {batch.shape[1:-1]} into {prepared.shape[1:-1]}, so no map "
            "can be laid on the image: leave resizing to xaimri.explain, or do it in a layer of the network."
        )
    return prepared
