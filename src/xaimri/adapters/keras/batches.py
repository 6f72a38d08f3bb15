"""How many images run through a network together."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from xaimri.adapters.keras.programs import Purpose
from xaimri.arrays import Array
from xaimri.capacity import capacity, even_batch

BATCH, GRADIENTS = 32, 8
"""Images per call of the network, at most: forward, and down to the pixels."""


def batch_size(count: int, purpose: Purpose, shape: Sequence[int]) -> int:
    """Return how many images run together: few sizes, so that little is traced, and little padding.

    Up to 8 images, the next power of two; above, the next multiple of 4. Gradients to the pixels hold every
    layer's output, so no more than 8 images run at once. Of large images and volumes, ``(*space, channels)``,
    fewer do; but a pair stays a pair, which tells whether images depend on each other.
    """
    most = capacity(shape, GRADIENTS if purpose == "gradient" else BATCH)
    if count <= min(most, GRADIENTS) or (count == 2 and purpose == "logits"):
        return 1 << (count - 1).bit_length()
    if purpose == "gradient" or most < BATCH:
        return even_batch(count, most, waste=1 / 12)
    return BATCH if count > BATCH else -(-count // 4) * 4


def pad(part: Array, size: int) -> Array:
    """Repeat the last entry until the batch has its full size."""
    return (
        part if len(part) == size else np.concatenate([part, np.repeat(part[-1:], size - len(part), axis=0)])
    )
