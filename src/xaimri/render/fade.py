"""What can't be told from zero is drawn pale, and said to be so."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool
from matplotlib.axes import Axes

from xaimri.arrays import Array
from xaimri.explanation import Explanation, Regions

PALE = 0.3
"""Share of its opacity that a faded value keeps."""

NOTE = "can't be told from zero"
FADED = f"faded: {NOTE} (95 %)"


def certain(explanation: Explanation) -> Bool[Array, " *space"] | None:
    """Return where the map can be told from zero; None where the method tells no errors.

    A pixel of a region answers for its region; see :meth:`xaimri.explanation.Regions.certain`.
    """
    regions = explanation.regions
    if regions is not None and regions.errors is not None:
        return regions.paint(regions.certain().astype(float)).astype(bool)
    if explanation.errors is None:
        return None
    shape = explanation.values.shape
    pixels = np.arange(explanation.values.size).reshape(shape)
    alone = Regions(pixels, explanation.values.ravel(), explanation.errors.ravel())
    return alone.certain().reshape(shape)


def uncertain(regions: Regions) -> Bool[Array, " regions"]:
    """Return which regions are to be drawn pale: none where the method tells no errors."""
    if regions.errors is None:
        return np.zeros(len(regions.values), bool)
    return ~regions.certain()


def note(ax: Axes, words: str) -> None:
    """Write under a panel how it is read."""
    below = -20 if ax.axison else -3  # under the ticks
    ax.annotate(
        words, (0.5, 0), (0, below), xycoords="axes fraction", textcoords="offset points",
        ha="center", va="top", fontsize=6.5, color="0.35", annotation_clip=False, parse_math=False,
    )  # fmt: skip
