"""Draw the strongest regions of an explanation on a plane of its image."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Int
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba

from xaimri.arrays import Array
from xaimri.explanation import Regions
from xaimri.render.colour import COOL, LINE, WARM
from xaimri.render.fade import FADED, PALE, note, uncertain
from xaimri.render.reduction import Reduction

TINT = 0.45
"""Opacity of a region's colour."""

LETTERS = 6
"""Size of the regions' numbers in points."""


def draw_superpixels(
    ax: Axes, regions: Regions, labels: Int[Array, "height width"], k: int, *, fade: bool = True
) -> None:
    """Tint, border and number the ``k`` strongest regions; pale and dashed where they may be zero.

    ``labels`` are the regions of the plane drawn, numbered as in ``regions``.
    """
    reduction = Reduction.of(labels.shape)
    labels = reduction.central(labels)
    top = regions.strongest(k)
    pale = uncertain(regions) & fade
    tint = np.zeros((*labels.shape, 4))
    for region in top:
        opacity = TINT * PALE if pale[region] else TINT
        tint[labels == region] = to_rgba(WARM if regions.values[region] > 0 else COOL, opacity)
    ax.imshow(tint, interpolation="nearest", extent=reduction.extent)
    _outline(ax, labels, range(len(regions.values)), LINE, 0.35, side=reduction.side)
    for weak in (True, False):
        for sign, colour in ((1, WARM), (-1, COOL)):
            side = [r for r in top if regions.values[r] * sign > 0 and pale[r] == weak]
            _outline(ax, labels, side, colour, 0.9 if weak else 1.6, side=reduction.side, dashed=weak)
    _number(ax, labels, top, reduction.side)
    if any(pale[region] and (labels == region).any() for region in top):
        note(ax, FADED)


def _outline(
    ax: Axes,
    labels: Array,
    chosen: Sequence[int],
    colour: str,
    width: float,
    *,
    side: int,
    dashed: bool = False,
) -> None:
    """Draw the borders of regions along the pixels' edges."""
    from matplotlib.collections import LineCollection

    found = np.pad(np.where(np.isin(labels, chosen), labels, -1), 1, constant_values=-1)
    dash = max(1, round(max(labels.shape) / 60)) if dashed else 0
    lines = []
    for across in (found, found.T):
        rows, columns = np.nonzero(across[1:] != across[:-1])
        kept = _strokes(columns, dash)
        r, c = rows[kept], columns[kept]
        ends = np.stack([np.stack([c - 1, r], -1), np.stack([c, r], -1)], 1)
        lines.append((ends if across is found else ends[..., ::-1]) * side - 0.5)
    ax.add_collection(LineCollection(list(np.concatenate(lines)), colors=colour, linewidths=width))


def _strokes(places: Array, dash: int) -> Array:
    """Keep every edge of a border, or two thirds of them in strokes two ``dash`` edges long."""
    kept: Array = places // dash % 3 < 2 if dash else np.ones(len(places), bool)
    return kept


def _number(ax: Axes, labels: Array, chosen: Sequence[int], side: int) -> None:
    """Write the number of each region where it is widest, if there is room for it."""
    from matplotlib.patheffects import withStroke
    from scipy.ndimage import distance_transform_edt

    figure: Any = ax.figure
    points = ax.get_window_extent().width / figure.dpi * 72 / labels.shape[1]
    for region in chosen:
        room = distance_transform_edt(np.pad(labels == region, 1))[1:-1, 1:-1]
        needed = LETTERS * (0.4 + 0.15 * len(str(region)))
        if room.max() * points < needed:
            continue
        row, column = np.unravel_index(int(room.argmax()), room.shape)
        ax.text(
            int(column) * side + side // 2, int(row) * side + side // 2, str(region), ha="center",
            va="center_baseline", fontsize=LETTERS, color="white", clip_on=True,
            path_effects=[withStroke(linewidth=1.6, foreground="black")],
        )  # fmt: skip
