"""The reliability diagram of a classifier: what came true against what was predicted."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from xaimri.arguments import check_arguments
from xaimri.charts.canvas import MUTED, blank_figure
from xaimri.evaluation.reliability import Calibration, Reliability

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLUMNS = 3
"""Panels beside each other, at most."""


@check_arguments()
def reliability_diagram(calibration: Calibration) -> Figure:
    """Draw, for the most probable class and for every class, the share that came true over the probability.

    Parameters
    ----------
    calibration
        From `xaimri.evaluation.calibration`.

    Returns
    -------
    matplotlib.figure.Figure
        Not registered with pyplot. One point for each bin, with its interval over subjects; points on the
        diagonal are calibrated, those beneath it too sure. A class with too few subjects is named without
        points.
    """
    panels = [("most probable class", calibration.top)]
    panels += [(one.name, one) for one in calibration.per_class]
    columns = min(COLUMNS, len(panels))
    rows = math.ceil(len(panels) / columns)
    figure = blank_figure(2.6 * columns, 2.9 * rows + 0.3)
    places = list(figure.subplots(rows, columns, squeeze=False).flat)
    for axes, (name, one) in zip(places, panels, strict=False):
        _draw(axes, name, one)
    for axes in places[len(panels) :]:
        axes.set_axis_off()
    by_image = calibration.level == "slice"
    figure.supxlabel(f"{'' if by_image else 'mean '}predicted probability", fontsize=9)
    unit = "images" if by_image else "subjects"
    figure.supylabel(f"share of {unit} for which it came true", fontsize=9)
    return figure


def _draw(axes: Axes, name: str, one: Reliability) -> None:
    """Draw one panel."""
    axes.plot([0, 1], [0, 1], color=MUTED, linewidth=0.8, linestyle=(0, (4, 2)))
    for each in one.bins:
        if not math.isnan(each.observed.low):
            ends = [each.observed.low, each.observed.high]
            axes.plot([each.predicted] * 2, ends, color="#0072b2", linewidth=1.2, alpha=0.6)
    known = [each.predicted for each in one.bins], [each.observed.value for each in one.bins]
    axes.plot(*known, color="#0072b2", marker="o", markersize=3.5, linewidth=1, label="bins")
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), aspect="equal", xticks=[0, 0.5, 1], yticks=[0, 0.5, 1])
    told = one.note or f"ECE {one.ece}\nof chance alone {one.ece_of_chance:.2f}"
    if one.note is None and math.isnan(one.ece_of_chance):
        told = f"ECE {one.ece}"
    axes.set_title(f"{name}\n{told}", fontsize=8, loc="left", parse_math=False)
    axes.tick_params(labelsize=8)
    axes.spines[["top", "right"]].set_visible(False)
