"""How many images are held and run at once: by how many voxels they have, so that memory is bounded."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

MOST = 32
"""Images per batch, at most."""

VOXELS = 2**22
"""Voxels of a batch, at most; a larger image goes alone. 32 images of 362 x 362 pixels have fewer."""


def capacity(shape: Sequence[int], most: int = MOST) -> int:
    """Return how many images of ``(*space, channels)`` are held at once, at least 1 and at most ``most``.

    Examples
    --------
    >>> capacity((224, 224, 3)), capacity((1024, 1024, 1)), capacity((160, 192, 160, 1))
    (32, 4, 1)
    """
    voxels = int(np.prod([max(1, n) for n in shape[:-1]], dtype=np.int64))
    return max(1, min(most, VOXELS // voxels))


def even_batch(samples: int, most: int = MOST, waste: float = 0.01) -> int:
    """Return the largest batch size up to ``most`` that wastes at most that share of the predictions.

    Examples
    --------
    >>> even_batch(1000), even_batch(10), even_batch(64)
    (28, 10, 32)
    """
    if samples <= most:
        return samples
    wasted = {size: -samples % size for size in range(max(1, most // 2), most + 1)}
    good = [size for size, rest in wasted.items() if rest <= samples * waste]
    return max(good) if good else min(wasted, key=lambda size: (wasted[size], -size))
