"""Draw the strongest regions of an explanation as bars with their confidence intervals."""

from __future__ import annotations

import textwrap
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba

from xaimri.explanation import Regions
from xaimri.render.colour import COOL, WARM
from xaimri.render.fade import NOTE, PALE, uncertain

FEW = 4
"""Bars get no thicker than where so many share the axes."""

INK = "0.2"


def draw_chart(ax: Axes, regions: Regions, unit: str, k: int, *, fade: bool = True) -> bool:
    """Draw a bar per region, the strongest on top, and return whether a legend stands above the axes.

    Parameters
    ----------
    ax
        Where to draw.
    regions
        Their numbers are the bars' labels.
    unit
        What one unit of the values is.
    k
        How many bars, at most.
    fade
        Draw bars whose 95 % interval holds 0 pale and hatched.
    """
    top = list(regions.strongest(k))
    pale = (uncertain(regions) & fade)[top]
    values, margins = regions.values[top], regions.margins()[top]
    for place, (value, weak) in enumerate(zip(values, pale, strict=True)):
        ax.barh(place, value, height=0.72, **_look(WARM if value > 0 else COOL, weak=bool(weak)))
    known = np.isfinite(margins)
    if known.any():
        ax.errorbar(
            values[known], np.flatnonzero(known), xerr=margins[known],
            fmt="none", ecolor=INK, elinewidth=0.9, capsize=2, capthick=0.9, zorder=3,
        )  # fmt: skip
    _frame(ax, top, unit)
    return _legend(ax, intervals=bool(known.any()), weak=bool(pale.any()))


def _look(colour: str, *, weak: bool) -> dict[str, Any]:
    """Return how a bar is filled; a pale one is hatched, to be seen in grey print too."""
    if weak:
        face, edge = to_rgba(colour, PALE), to_rgba(colour)
        return {"facecolor": face, "edgecolor": edge, "hatch": "////", "linewidth": 0.6}
    return {"facecolor": to_rgba(colour), "edgecolor": to_rgba(colour), "linewidth": 0.6}


def _frame(ax: Axes, top: list[int], unit: str) -> None:
    """Draw the axes around the bars."""
    spare = max(FEW - len(top), 0) / 2
    ax.set_ylim(max(len(top), 1) - 0.4 + spare, -0.6 - spare)
    ax.set_yticks(range(len(top)), [str(region) for region in top])
    ax.tick_params(labelsize=7, length=2)
    ax.tick_params(axis="y", length=0)
    ax.locator_params(axis="x", nbins=5)
    ax.ticklabel_format(axis="x", style="sci", scilimits=(-3, 4))
    ax.xaxis.get_offset_text().set_fontsize(7)
    ax.axvline(0, color=INK, linewidth=0.9, zorder=2.5)
    if not top:
        ax.set_xticks([0])
        ax.text(
            0.5, 0.5, "no region has a value", transform=ax.transAxes, ha="center", va="center",
            fontsize=8, color=INK, bbox={"facecolor": "white", "edgecolor": "none"}, zorder=3,
        )  # fmt: skip
    ax.grid(axis="x", color="0.9", linewidth=0.6)
    ax.set_axisbelow(True)
    ax.spines[["top", "right", "left"]].set_visible(False)
    ax.set_ylabel("region", fontsize=8)
    ax.set_xlabel(textwrap.fill(f"attribution ({unit})", 44), fontsize=8, parse_math=False)


def _legend(ax: Axes, *, intervals: bool, weak: bool) -> bool:
    """Say above the axes what the error bars and the pale bars are; nothing where there are none."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles: list[Any] = []
    if intervals:
        handles.append(Line2D([], [], color=INK, linewidth=0.9, marker="|", label="95 % interval"))
    if weak:
        look = {**_look("0.5", weak=True), "facecolor": "0.9"}
        handles.append(Patch(**look, label=NOTE))
    if handles:
        ax.legend(
            handles=handles, loc="lower center", bbox_to_anchor=(0.5, 1), borderaxespad=0.2, ncols=2,
            fontsize=6.5, frameon=False, handlelength=1.6, handletextpad=0.5, columnspacing=1.2,
        )  # fmt: skip
    return bool(handles)
