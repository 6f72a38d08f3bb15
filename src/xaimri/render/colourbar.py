"""The bar that says what the colours of a map mean."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable

from xaimri.render.colour import GROUNDS, LINE, Scale
from xaimri.render.hatching import FAINT, draw_hatching


def draw_colourbar(ax: Axes | list[Axes], scale: Scale, unit: str, *, hatch: bool = False) -> None:
    """Draw the scale beside one axes or several, on dark and on bright ground, with zero marked.

    ``hatch`` hatches what speaks against the class, as in the panels.
    """
    figure: Any = (ax[0] if isinstance(ax, list) else ax).figure
    ends = ("both" if scale.signed else "max") if scale.beyond else "neither"
    colours = ScalarMappable(scale.norm, scale.colours)
    bar = figure.colorbar(colours, ax=ax, fraction=0.06, pad=0.03, aspect=16, extend=ends)
    low, high = bar.ax.get_ylim()
    bar.ax.imshow(
        [GROUNDS], cmap="gray", vmin=0, vmax=1, extent=(0, 1, low, high), aspect="auto", zorder=-1,
        interpolation="nearest",
    )  # fmt: skip
    bar.ax.tick_params(labelsize=7)
    bar.ax.ticklabel_format(style="sci", scilimits=(-3, 4))
    bar.ax.yaxis.get_offset_text().set_fontsize(7)
    bar.set_label(f"attribution ({unit})", fontsize=8, parse_math=False)
    if scale.signed:
        bar.ax.axhline(0, color=LINE, linewidth=0.8)
    if scale.signed and hatch:
        draw_hatching(bar.ax, np.ones((16, 2), bool), (0, 1, low, -FAINT * scale.limit))
