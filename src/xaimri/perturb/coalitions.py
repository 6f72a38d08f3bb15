"""Which regions are shown and which are hidden in each perturbed image."""

from __future__ import annotations

import numpy as np

from xaimri.arrays import Coalitions
from xaimri.errors import InvalidInput


def halves(samples: int, regions: int, seed: int) -> Coalitions:
    """Show every region with probability one half; the first row shows all, as in the ``lime`` package.

    Examples
    --------
    >>> halves(3, 4, seed=0).astype(int)
    array([[1, 1, 1, 1],
           [1, 1, 1, 1],
           [1, 1, 1, 0]])
    """
    if samples < 2:
        raise InvalidInput(f"`samples` must be at least 2, got {samples}.")
    drawn = (
        np.random.RandomState(seed).randint(0, 2, samples * regions).reshape(samples, regions).astype(bool)
    )
    drawn[0] = True
    return drawn
