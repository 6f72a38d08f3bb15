"""Explanations of many images: a sheet of small panels."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import Any

from matplotlib.figure import Figure

from xaimri.arguments import check_arguments
from xaimri.errors import InvalidInput
from xaimri.explanation import Explanation
from xaimri.render.colour import common_scales, scale_key
from xaimri.render.colourbar import draw_colourbar
from xaimri.render.frame import even_columns
from xaimri.render.panel import COLUMNS, headline, plot
from xaimri.render.planes import strongest_plane

SIDE = 2.3
"""Width of a panel in inches."""

ACROSS = 6
"""Panels side by side, at most, unless the caller says otherwise."""


@check_arguments(columns=COLUMNS)
def sheet(
    explanations: Mapping[str, Explanation],
    *,
    style: str = "overlay",
    columns: int | None = None,
    **options: Any,
) -> Figure:
    """Return a figure with a panel for each of many images, one scale for all maps of one unit.

    Parameters
    ----------
    explanations
        By the name that stands above each panel.
    style
        As of :func:`xaimri.render.plot`.
    columns
        Panels side by side; None takes up to six, in even rows.
    options
        Passed to :func:`xaimri.render.plot`.

    Raises
    ------
    InvalidInput
        If there is none.
    """
    if not explanations:
        raise InvalidInput("there is no explanation to draw: give at least one.")
    across = even_columns(len(explanations), columns, ACROSS)
    down = -(-len(explanations) // across)
    scales = common_scales(
        list(explanations.values()),
        colours=options.pop("colours", None), limit=options.pop("limit", None),
    )  # fmt: skip
    drawn = Figure(figsize=(SIDE * across + 0.2, (SIDE + 0.55) * down + 0.1), layout="constrained")
    axes = drawn.subplots(down, across, squeeze=False).ravel()
    for ax, (name, explanation) in zip(axes, explanations.items(), strict=False):
        told = "\n".join([*textwrap.wrap(name, 34)[-2:], headline(explanation).rsplit("\n", 1)[-1]])
        shown = {"scale": scales[scale_key(explanation)], "title": told, "colourbar": False}
        plane = strongest_plane(explanation)
        plot(explanation, ax, style=style, **{**shown, "plane": plane, "ticks": False, **options})
        ax.title.set_fontsize(7)
    for ax in axes[len(explanations) :]:
        ax.set_axis_off()
    if len(scales) == 1 and style == "overlay" and any(e.values.any() for e in explanations.values()):
        (scale,) = scales.values()
        draw_colourbar(
            list(axes), scale, next(iter(explanations.values())).unit, hatch=bool(options.get("hatch"))
        )
    return drawn
