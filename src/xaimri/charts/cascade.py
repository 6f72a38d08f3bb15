"""What is left of a map while the network's weights are destroyed, layer by layer."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure

from xaimri.arguments import check_arguments
from xaimri.errors import InvalidInput
from xaimri.explanation import Explanation
from xaimri.images.planes import Plane
from xaimri.metrics.sanity import Cascade
from xaimri.render.colour import Scale
from xaimri.render.fade import NOTE, certain
from xaimri.render.panel import plot, title_of, verdict
from xaimri.render.planes import cut, strongest_plane

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.gridspec import GridSpec, SubplotSpec

LINE, MUTED = "#0072b2", "0.35"

PANEL, CHART = 1.75, 2.7
"""Width of a map, and of the chart, in inches."""


@check_arguments()
def cascade(
    found: Cascade | Mapping[str, Cascade], *, most: int = 6, plane: Plane | None = None, fade: bool = True
) -> Figure:
    """Draw the network's own map, the maps of its destroyed selves, and how alike they are to it.

    Every map has a colour scale of its own, as the similarity has: a destroyed network's scores, and with
    them its map, may be a hundred times weaker. So colours tell where, not how much.

    Parameters
    ----------
    found
        From :func:`xaimri.metrics.randomisation` with several ``steps``; or several by the names of their
        methods, a row for each.
    most
        How many destroyed networks' maps are shown at most, evenly spaced and always the last; the chart
        shows all.
    plane
        Of a volume: axis and index of the plane; None takes the strongest across the first axis, of
        the network's own map.
    fade
        As of :func:`xaimri.render.plot`.

    Returns
    -------
    matplotlib.figure.Figure
        Not registered with pyplot. All rows share the chart's similarity axis.
    """
    if isinstance(found, Cascade):
        rows = {title_of(found.own.method): found}
    else:
        rows = {title_of(one.own.method, str(name)): one for name, one in found.items()}
    if not rows:
        raise InvalidInput("there is no cascade to draw: give at least one, from `metrics.randomisation`.")
    if most < 1:
        raise InvalidInput(f"`most` must be at least 1, got {most}.")
    planes = [plane or strongest_plane(one.own) for one in rows.values()]
    shown = [_map_steps(len(one.layers), most) for one in rows.values()]
    drawn, axes = _canvas(list(rows.values()), planes, 1 + max(map(len, shown)))
    lowest = min([0.0, *(float(np.nanmin(one.similarities)) for one in rows.values() if _has_value(one))])
    for line, (name, one), at, places in zip(axes, rows.items(), planes, shown, strict=True):
        _maps(line[:-1], name, one, at, places, fade)
        _chart(line[-1], one, places, lowest, last=line is axes[-1])
    words = "Each map has a colour scale of its own."
    every = [explanation for one in rows.values() for explanation in (one.own, *one.explanations)]
    if fade and any(certain(explanation) is not None for explanation in every):
        words += f" Faded: {NOTE} (95 %)."
    drawn.supxlabel(words, fontsize=7, x=0.01, ha="left", color=MUTED, parse_math=False)
    return drawn


def _has_value(one: Cascade) -> bool:
    return bool(np.isfinite(one.similarities).any())


def _map_steps(count: int, most: int) -> list[int]:
    """Return which of the steps are shown as maps: evenly spaced, the last among them."""
    ends = np.linspace(0, count, min(count, most) + 1)[1:]
    return [round(float(end)) - 1 for end in ends]


def _canvas(
    cascades: Sequence[Cascade], planes: Sequence[Plane | None], columns: int
) -> tuple[Figure, list[list[Axes]]]:
    """Make a figure with a row of maps and a chart per cascade."""
    shapes = [cut(one.own.values, plane, one.own).shape for one, plane in zip(cascades, planes, strict=True)]
    aspects = [min(max(high / wide, 0.6), 1.6) for high, wide in shapes]
    size = (PANEL * columns + CHART + 0.9, sum(PANEL * aspect + 0.5 for aspect in aspects) + 0.5)
    drawn = Figure(figsize=size, layout="compressed", facecolor="white")
    shape = drawn.add_gridspec(
        len(cascades), columns + 1, width_ratios=[PANEL] * columns + [CHART], height_ratios=aspects
    )
    axes = [[drawn.add_subplot(cell) for cell in row] for row in _cells(shape, len(cascades), columns + 1)]
    for row, aspect in zip(axes, aspects, strict=True):
        row[-1].set_box_aspect(aspect * PANEL / CHART)
    return drawn, axes


def _cells(shape: GridSpec, rows: int, columns: int) -> list[list[SubplotSpec]]:
    return [[shape[row, column] for column in range(columns)] for row in range(rows)]


def _maps(
    axes: Sequence[Axes], name: str, one: Cascade, plane: Plane | None, places: Sequence[int], fade: bool
) -> None:
    """Draw a row of maps, its name beside it, and what is to be read of each beneath."""
    own = one.own
    _panel(axes[0], own, plane, "network's own", fade)
    _beneath(axes[0], textwrap.fill(verdict(own, 2), 34))
    where = f"\naxis {plane[0]}, plane {plane[1]}" if plane else ""
    axes[0].text(
        -0.06, 0.5, textwrap.fill(name, 20) + where, transform=axes[0].transAxes, rotation=90, ha="right",
        va="center", fontsize=9, multialignment="center", parse_math=False,
    )  # fmt: skip
    for ax, place in zip(axes[1:], places, strict=False):
        title = f"{place + 1}: {_short(one.layers[place])}"
        _panel(ax, one.explanations[place], plane, title, fade)
        alike = one.similarities[place]
        _beneath(ax, f"similarity {alike:.2f}" if np.isfinite(alike) else "similarity not defined")
    for ax in axes[1 + len(places) :]:
        ax.set_axis_off()


def _panel(ax: Axes, explanation: Explanation, plane: Plane | None, title: str, fade: bool) -> None:
    plot(
        explanation, ax, plane=plane, scale=Scale.of([explanation.values]), colourbar=False, title=title,
        fade=fade,
    )  # fmt: skip
    for text in list(ax.texts):
        text.remove()  # what pale means is said once, under all maps
    ax.set_title(textwrap.fill(title, 22), fontsize=8, parse_math=False)


def _beneath(ax: Axes, words: str) -> None:
    ax.text(0.5, -0.03, words, transform=ax.transAxes, ha="center", va="top", fontsize=8, parse_math=False)


def _short(layer: str) -> str:
    """Return the last part of a layer's path, its middle left out where it is long."""
    last = str(layer).rsplit("/", 1)[-1]
    return last if len(last) <= 40 else f"{last[:20]}…{last[-18:]}"


def _chart(ax: Axes, one: Cascade, places: Sequence[int], lowest: float, *, last: bool) -> None:
    """Draw the similarities of all steps; those whose maps are shown are filled and numbered."""
    steps = np.arange(1, len(one.layers) + 1)
    ax.plot([0, *steps], [1.0, *one.similarities], color=LINE, linewidth=1.4, zorder=2)
    ax.plot(0, 1.0, marker="o", markersize=4, color="white", markeredgecolor=LINE, zorder=3)
    chosen = np.array(places)
    ax.plot(steps[chosen], one.similarities[chosen], "o", color=LINE, markersize=4, zorder=3)
    ax.axhline(0, color="0.8", linewidth=0.8, zorder=1)
    ax.set_ylim(min(lowest - 0.05, -0.05), 1.05)
    ax.set_xlim(-0.35, steps[-1] + 0.35)
    ax.set_xticks([0, *(chosen + 1).tolist()], ["own", *(str(n + 1) for n in places)])
    ax.tick_params(labelsize=7.5)
    ax.grid(axis="y", color="#e5e7eb", linewidth=0.6)
    ax.set_axisbelow(True)
    ax.spines[["top", "right"]].set_visible(False)
    ax.set_ylabel("similarity to own map", fontsize=8)
    if last:
        ax.set_xlabel("layer, from the output down", fontsize=8)
