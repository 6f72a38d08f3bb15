"""The curves of a judgement: how the score falls, or rises, while images are hidden or shown."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float
from matplotlib.figure import Figure

from xaimri.arguments import check_arguments
from xaimri.arrays import Array
from xaimri.errors import InvalidInput
from xaimri.evaluation.estimate import MINIMUM_SUBJECTS
from xaimri.judgement import Judgement
from xaimri.judgement.rows import Summary
from xaimri.metric import Curve
from xaimri.render.panel import title_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
"""Those of Okabe & Ito (2008) that stand out from white, told apart by colour-blind readers."""

DASHES = ("solid", (0, (5, 1.5)), (0, (1.5, 1.2)), (0, (5, 1.5, 1.2, 1.5)))
"""Line styles: the second is used where all colours are, and so on."""

FINEST = 201
"""Points of a mean curve, at most."""


@dataclass(frozen=True, eq=False)
class Band:
    """A mean curve and its interval at every fraction; ``low`` and ``high`` are None where there is none."""

    fractions: Float[Array, " points"]
    mean: Float[Array, " points"]
    low: Float[Array, " points"] | None = None
    high: Float[Array, " points"] | None = None


@check_arguments()
def metric_curves(judgement: Judgement, metric: str = "deletion", confidence: float | None = None) -> Figure:
    """Draw the mean curve of every explainer, with its interval, and the area under it beside its name.

    The mean is over cases and the interval over resampled subjects, both as in the judgement's table, so the
    area under a line is the number beside it. The interval holds at each fraction by itself; that two bands
    overlap doesn't say that two explainers are alike: see :meth:`~xaimri.judging.Judgement.difference`.

    Parameters
    ----------
    judgement
        From :func:`xaimri.evaluate_explanations`.
    metric
        One that has curves, such as ``"deletion"`` or ``"insertion"``.
    confidence
        Of the intervals; None takes the judgement's.

    Returns
    -------
    matplotlib.figure.Figure
        Not registered with pyplot. The legend is ordered by area, the best first, and names those that have
        no value too: all lines end at the same image, so names at their ends would lie on each other.

    Raises
    ------
    InvalidInput
        If the metric is none of the judgement's, or no map has a curve of it.
    """
    if confidence is not None and not 0 < confidence < 1:
        raise InvalidInput(f"`confidence` must be above 0 and below 1, got {confidence}.")
    asked = replace(judgement, confidence=confidence or judgement.confidence)
    found = [asked.mean(explainer, metric) for explainer in asked.explainers]
    if not any((explainer, metric) in asked.curves for explainer in asked.explainers):
        raise InvalidInput(_why_none(asked, metric))
    labels = {
        summary.explainer: _label(summary, title_of(asked.records[summary.explainer], summary.explainer))
        for summary in _best_first(found, asked.metrics[metric].better)
    }
    height = 0.8 + sum(0.22 + 0.125 * label.count("\n") for label in labels.values())
    drawn = Figure(figsize=(8.2, max(3.6, height)), layout="constrained", facecolor="white")
    axes = drawn.subplots()
    handles = [
        _draw(axes, mean_band(asked, explainer, metric), asked.explainers.index(explainer), label, len(found))
        for explainer, label in labels.items()
    ]
    _dress(axes, asked, metric)
    legend = drawn.legend(
        handles=handles, title=_legend_title(asked, found, metric), loc="outside right upper", frameon=False,
        fontsize=8, title_fontsize=8, alignment="left", handlelength=2.6, labelspacing=0.7,
    )  # fmt: skip
    for text in legend.get_texts():
        text.set_parse_math(False)
    return drawn


def mean_band(judgement: Judgement, explainer: str, metric: str) -> Band | None:
    """Return an explainer's mean curve and interval; None where it has no curve.

    Curves of unequal points are read by linear interpolation at the points of all of them, or, where these
    are many, at 201 equal steps. There is no interval below five subjects.
    """
    curves = judgement.curves.get((explainer, metric), ())
    if not curves:
        return None
    fractions = _points(curves)
    scores = np.full((len(judgement.cases), len(fractions)), np.nan)
    known = np.isfinite(judgement.values(explainer, metric))
    scores[known] = [np.interp(fractions, curve.fractions, curve.scores) for curve in curves]
    low, high = judgement.interval(scores)
    mean = scores[known].mean(axis=0)
    return Band(fractions, mean) if np.isnan(low).any() else Band(fractions, mean, low, high)


def _points(curves: Sequence[Curve]) -> Float[Array, " points"]:
    every = np.unique(np.concatenate([curve.fractions for curve in curves]))
    return every if len(every) <= FINEST else np.linspace(0.0, 1.0, FINEST)


def _best_first(found: Sequence[Summary], better: str) -> list[Summary]:
    """Return the best first, and those without a value last."""
    known = [summary for summary in found if not math.isnan(summary.estimate.value)]
    known.sort(key=lambda summary: summary.estimate.value, reverse=better == "higher")
    return known + [summary for summary in found if math.isnan(summary.estimate.value)]


def _draw(axes: Axes, band: Band | None, place: int, label: str, count: int) -> Line2D:
    """Draw one of several lines with its band, and return what stands for it in the legend."""
    from matplotlib.lines import Line2D

    if band is None:
        return Line2D([], [], linestyle="none", label=label)
    colour, dashes = COLOURS[place % len(COLOURS)], DASHES[place // len(COLOURS) % len(DASHES)]
    if band.low is not None and band.high is not None:
        alpha = 0.15 * min(1.0, 5 / count)
        axes.fill_between(band.fractions, band.low, band.high, color=colour, alpha=alpha, linewidth=0)
    (line,) = axes.plot(band.fractions, band.mean, color=colour, linestyle=dashes, linewidth=1.7, label=label)
    return line


def _label(summary: Summary, title: str) -> str:
    """Return a name, the area with its interval, and what is missing."""
    estimate = summary.estimate
    name = textwrap.fill(title, 34)
    failed = f"{summary.failures} failed"
    if math.isnan(estimate.value):
        return f"{name}\nno value ({failed})"
    text = f"{name}\n{estimate.value:.3g}"
    if not math.isnan(estimate.low):
        text += f" [{estimate.low:.3g}, {estimate.high:.3g}]"
    return text + (f" ({failed})" if summary.failures else "")


def _legend_title(judgement: Judgement, found: Sequence[Summary], metric: str) -> str:
    lines = [f"area under the curve, {judgement.metrics[metric].better} is better"]
    if any(not math.isnan(summary.estimate.low) for summary in found):
        lines.append(f"[{judgement.confidence:.0%} interval over subjects]")
    elif all(summary.subjects < MINIMUM_SUBJECTS for summary in found):
        lines.append(f"(no intervals: fewer than {MINIMUM_SUBJECTS} subjects)")
    else:
        lines.append("(no intervals: subjects agree on every area)")
    return "\n".join(lines)


def _dress(axes: Axes, judgement: Judgement, metric: str) -> None:
    from matplotlib.ticker import PercentFormatter

    one = next(curves[0] for (_, name), curves in judgement.curves.items() if name == metric)
    axes.set_xlabel(f"share of the image {one.change}", fontsize=9)
    other = "" if judgement.against is None else f" against {judgement.against}"
    axes.set_ylabel(f"{one.unit} of the class{other}", fontsize=9, parse_math=False)
    axes.set_xlim(0, 1)
    if one.unit == "probability":
        axes.set_ylim(-0.015, 1.02)
    axes.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axes.tick_params(labelsize=8)
    axes.grid(axis="y", color="#e5e7eb", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    people = len({row.subject for row in judgement.rows})
    words = f"{metric}: mean of {_count(len(judgement.cases), 'case')} of {_count(people, 'subject')}"
    axes.set_title(textwrap.fill(words, 62), fontsize=9, loc="left", parse_math=False)


def _count(n: int, thing: str) -> str:
    return f"{n} {thing}{'' if n == 1 else 's'}"


def _why_none(judgement: Judgement, metric: str) -> str:
    """Return why there is no curve to draw."""
    reasons = [row.failure for row in judgement.rows if row.metric == metric and row.failure]
    if len(reasons) == sum(row.metric == metric for row in judgement.rows):
        most = max(set(reasons), key=reasons.count)
        return f"no map has a value of {metric!r}, so there is no curve to draw: {most}"
    having = sorted({name for _, name in judgement.curves})
    drawn = f"draw {' or '.join(map(repr, having))}" if having else 'judge by "deletion" or "insertion"'
    return f"{metric!r} is a number without a curve: {drawn}."
