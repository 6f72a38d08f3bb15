"""Preprocessing that no graph can hold, done before the network runs."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from xaimri.adapters.options import Preprocess
from xaimri.arrays import Array, Images
from xaimri.errors import InvalidInput


def prepare_outside(preprocess: Preprocess, batch: Images) -> Float[Array, "batch *space features"]:
    """Apply a function outside the graph; it must leave every pixel in its place."""
    prepared = np.asarray(preprocess(batch.copy()), dtype=np.float32)
    if prepared.shape[:-1] != batch.shape[:-1]:
        raise InvalidInput(
            f"`preprocess` turns images {batch.shape[1:-1]} into {prepared.shape[1:-1]}, so no map "
            "can be laid on the image: leave resizing to xaimri.explain, or do it in a layer of the network."
        )
    return prepared
