"""Stripes over what speaks against the class: both signs can be told in grey print."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool
from matplotlib.axes import Axes

from xaimri.arrays import Array

FAINT = 0.1
"""Share of the limit below which a value is too faint to be hatched."""

FINE = 600
"""Dots of the longer side, at least: stripes are of one width on small images and on large ones."""

PERIOD, STRIPE = 14, 3
"""From one stripe to the next, and how wide one is, in dots."""

INK = (0.05, 0.05, 0.05, 0.75)


def draw_hatching(
    ax: Axes, where: Bool[Array, "height width"], extent: tuple[float, float, float, float]
) -> None:
    """Draw stripes where ``where`` is True; ``extent`` is left, right, bottom and top of the whole."""
    if not where.any():
        return
    times = -(-FINE // max(where.shape))
    fine = np.kron(where, np.ones((times, times), bool))
    rows, columns = np.arange(fine.shape[0])[:, None], np.arange(fine.shape[1])
    stripes = np.zeros((*fine.shape, 4), np.float32)
    stripes[fine & ((rows + columns) % PERIOD < STRIPE)] = INK
    ax.imshow(stripes, extent=extent, interpolation="nearest", aspect="auto", zorder=1.5)
