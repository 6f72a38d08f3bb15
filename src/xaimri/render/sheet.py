"""Explanations of many images: a sheet of small panels, and a table for notebooks."""

from __future__ import annotations

import html as escape
import textwrap
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

from matplotlib.figure import Figure

from xaimri.arguments import check_arguments
from xaimri.errors import InvalidInput
from xaimri.explanation import Explanation
from xaimri.render.colour import common_scales, scale_key
from xaimri.render.figure import embed
from xaimri.render.panel import COLUMNS, draw_colourbar, headline, plot
from xaimri.render.planes import strongest_plane

SIDE = 2.3
"""Width of a panel in inches."""

ACROSS = 6
"""Panels side by side, at most, unless the caller says otherwise."""

SHOWN = 12
"""Panels above a table in a notebook, at most."""

ROWS = 200
"""Rows of a table in a notebook, at most."""


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
    across = columns or -(-len(explanations) // -(-len(explanations) // ACROSS))
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
        plane = strongest_plane(explanation, 0)
        plot(explanation, ax, style=style, **{**shown, "plane": plane, **options})
        ax.title.set_fontsize(7)
    for ax in axes[len(explanations) :]:
        ax.set_axis_off()
    if len(scales) == 1 and style == "overlay" and any(e.values.any() for e in explanations.values()):
        (scale,) = scales.values()
        draw_colourbar(list(axes), scale, next(iter(explanations.values())).unit)
    return drawn


@check_arguments()
def html_table(
    columns: Sequence[str],
    rows: Sequence[Mapping[str, object]],
    explanations: Mapping[str, Explanation],
) -> str:
    """Return rows as an HTML table under a sheet of the first explanations, for notebooks."""
    some = dict(islice(explanations.items(), SHOWN))
    picture = embed(sheet(some), ", ".join(some)) if some else ""
    head = "".join(f"<th>{escape.escape(name)}</th>" for name in columns)
    body = "".join(
        f"<tr>{''.join(f'<td>{_cell(row.get(name))}</td>' for name in columns)}</tr>" for row in rows[:ROWS]
    )
    more = f"<p>and {len(rows) - ROWS} more</p>" if len(rows) > ROWS else ""
    return f"{picture}<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{more}"


def _cell(value: object) -> str:
    words = "" if value is None else f"{value:.3f}" if isinstance(value, float) else str(value)
    return escape.escape(words)
