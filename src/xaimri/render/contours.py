"""Lines of equal value on a plane of an image."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from xaimri.arrays import Array
from xaimri.errors import InvalidInput
from xaimri.render.colour import COOL, WARM, Scale
from xaimri.render.fade import note
from xaimri.render.reduction import Reduction


def draw_contours(ax: Axes, values: Array, reduction: Reduction, scale: Scale, unit: str) -> None:
    """Draw three lines for the class, whole, and three against it, broken: told apart in grey print too."""
    if min(values.shape) < 2:
        size = " x ".join(map(str, values.shape))
        raise InvalidInput(f'contours need at least 2 x 2 pixels, and there are {size}: use style="overlay".')
    fractions = np.array([0.25, 0.5, 0.75])
    finite = np.nan_to_num(values)
    rows, columns = ((np.arange(n) + 0.5) * reduction.side - 0.5 for n in values.shape)
    said = []
    for sign, colour, dashes, words in ((1, WARM, "solid", "for"), (-1, COOL, "dashed", "against")):
        if (sign * finite).max() > fractions[0] * scale.limit:
            ax.contour(
                columns, rows, sign * finite, levels=fractions * scale.limit, colors=colour,
                linewidths=[0.8, 1.2, 1.8], linestyles=dashes,
            )  # fmt: skip
            said.append(f"{dashes}: {words} the class")
    levels = ", ".join(f"{level:.2g}" for level in fractions * scale.limit)
    note(ax, f"{'; '.join(said)}; at {levels} ({unit})" if said else f"no value reaches {levels} ({unit})")
