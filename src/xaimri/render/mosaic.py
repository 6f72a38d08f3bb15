"""Many planes of a volume in one figure."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from xaimri.arguments import check_arguments
from xaimri.arrays import Array
from xaimri.errors import InvalidInput
from xaimri.explanation import Explanation
from xaimri.images.foreground import foreground
from xaimri.images.planes import Plane, plane_name
from xaimri.render.colour import Scale
from xaimri.render.colourbar import draw_colourbar
from xaimri.render.fade import FADED
from xaimri.render.frame import even_columns
from xaimri.render.panel import COLUMNS, headline, plot
from xaimri.render.planes import cut, pixel_aspect, usual_axis
from xaimri.rules import WholeNumber

SIDE = 1.9
"""Width of a panel in inches."""

ACROSS = 6
"""Panels side by side, at most, unless the caller says otherwise."""


@check_arguments(axis=WholeNumber(0, most=2), planes=WholeNumber(1, most=400), columns=COLUMNS)
def mosaic(
    explanation: Explanation,
    *,
    axis: int | None = None,
    planes: int = 12,
    columns: int | None = None,
    **options: Any,
) -> Figure:
    """Return a figure of evenly spaced planes of a volume, from one end of the object to the other.

    Parameters
    ----------
    explanation
        Of a volume.
    axis
        Across which the planes lie: of a scan 0 is sagittal, 1 coronal, 2 axial. None takes the plane of the
        slices that the network was given, else axial; of a volume without an affine, its first axis.
    planes
        How many; where the object has fewer, each of them once.
    columns
        Panels side by side; None takes up to six, in even rows.
    options
        Passed to :func:`xaimri.render.plot`.

    Raises
    ------
    InvalidInput
        If the explanation is of a slice.
    """
    if explanation.values.ndim != 3:
        raise InvalidInput('a mosaic shows planes of a volume, and this is a slice: use style="overlay".')
    for name in ("plane", "ax"):
        if name in options:
            raise InvalidInput(f"a mosaic has planes and axes of its own: leave `{name}` out.")
    scale = options.pop("scale", None) or Scale.of(
        [explanation.values], colours=options.pop("colours", None), limit=options.pop("limit", None)
    )
    bar, title = options.pop("colourbar", True), options.pop("title", None)
    across_axis = usual_axis(explanation) if axis is None else axis
    chosen: list[Plane] = [(across_axis, int(place)) for place in _places(explanation, across_axis, planes)]
    across = even_columns(len(chosen), columns, ACROSS)
    down = -(-len(chosen) // across)
    height, width = cut(explanation.values, chosen[0], explanation).shape
    aspect = min(max(height / width * pixel_aspect(explanation, chosen[0]), 0.5), 2.0)
    drawn = Figure(figsize=(SIDE * across + 0.8, (SIDE * aspect + 0.25) * down + 0.5), layout="compressed")
    axes = drawn.subplots(down, across, squeeze=False).ravel()
    options.setdefault("ticks", False)
    faded = False
    for ax, plane in zip(axes, chosen, strict=False):
        plot(explanation, ax, plane=plane, scale=scale, colourbar=False, title="", **options)
        ax.set_title(plane_name(plane, explanation.affine, explanation.values.shape), fontsize=7)
        for text in [each for each in ax.texts if each.get_text() == FADED]:
            text.remove()  # said once, over all planes
            faded = True
    for ax in axes[len(chosen) :]:
        ax.set_axis_off()
    if bar and options.get("style", "overlay") == "overlay" and explanation.values.any():
        draw_colourbar(list(axes), scale, explanation.unit, hatch=bool(options.get("hatch")))
    words = [headline(explanation) if title is None else title, *([FADED] if faded else [])]
    drawn.suptitle("\n".join(words), fontsize=9, parse_math=False)
    return drawn


def _places(explanation: Explanation, axis: int, count: int) -> Array:
    """Return evenly spaced places along an axis, from the object's first plane to its last."""
    others = tuple(other for other in range(3) if other != axis)
    there = np.flatnonzero(foreground(explanation.image).any(axis=others))
    first, last = (there[0], there[-1]) if there.size else (0, explanation.values.shape[axis] - 1)
    return np.unique(np.linspace(first, last, count).round().astype(int))
