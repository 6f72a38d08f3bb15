"""The chart of decision curves."""

from __future__ import annotations

from textwrap import wrap
from typing import TYPE_CHECKING

import numpy as np

from xaimri.arguments import check_arguments
from xaimri.charts.canvas import MUTED, blank_figure
from xaimri.evaluation.decision_curve import DecisionCurve

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@check_arguments()
def decision_chart(curve: DecisionCurve) -> Figure:
    """Draw the net benefit of a classifier over thresholds, beside acting on everybody and on nobody.

    Parameters
    ----------
    curve
        From `xaimri.evaluation.decision_curve`.

    Returns
    -------
    matplotlib.figure.Figure
        Not registered with pyplot. The band is the interval at each threshold by itself.
    """
    figure = blank_figure(5.2, 3.4)
    axes = figure.subplots()
    thresholds = np.array(curve.thresholds)
    low, value, high = (
        np.array([getattr(one, name) for one in curve.model]) for name in ("low", "value", "high")
    )
    axes.fill_between(thresholds, low, high, color="#0072b2", alpha=0.18, linewidth=0)
    axes.plot(thresholds, value, color="#0072b2", linewidth=1.6, label="this classifier")
    axes.plot(thresholds, curve.everybody, color="#d55e00", linestyle=(0, (5, 1.5)), label="everybody")
    axes.axhline(0, color=MUTED, linewidth=0.9, label="nobody")
    top = max(curve.prevalence, float(np.nanmax(value)))
    axes.set(xlim=(0, 1), ylim=(-0.35 * top, 1.15 * top))
    axes.set_xlabel("threshold: the probability from which on one acts", fontsize=9)
    axes.set_ylabel("net benefit", fontsize=9)
    unit = "images" if curve.level == "slice" else "subjects"
    told = f"acting on `{curve.positive}`, {curve.prevalence:.0%} of the {unit}"
    lines = [told, *(wrap(curve.note, 66) if curve.note else [])]
    axes.set_title("\n".join(lines), fontsize=9, loc="left", parse_math=False)
    axes.legend(fontsize=8, frameon=False)
    axes.tick_params(labelsize=8)
    axes.spines[["top", "right"]].set_visible(False)
    return figure
