"""A judgement as a table of colours: methods by metrics, darker where better."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Bool, Float
from matplotlib import colormaps
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure

from xaimri.arguments import check_arguments
from xaimri.arrays import Array
from xaimri.evaluation.estimate import MINIMUM_SUBJECTS
from xaimri.judgement import Judgement
from xaimri.judgement.rows import Summary
from xaimri.metric import Better, Metric
from xaimri.render.panel import title_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

CELL = (1.34, 0.62)
"""Width and height of a cell in inches."""

INK, GREY = "#1f2937", "#eef0f2"


@check_arguments()
def heat_table(judgement: Judgement) -> Figure:
    """Draw a table of methods by metrics: mean and interval in words, good and bad as colour.

    A cell is the darker the better, whether higher or lower is better. Within a column the worst mean is the
    lightest and the best the darkest, and the others lie between in proportion (min-max). So a colour says
    nothing across columns, and a column of nearly equal means has the full range too: read the intervals.

    The best mean of a column is bold only where the interval of its paired difference to *every* other method
    that has a value does not contain zero; it isn't widened for the number of comparisons.

    Parameters
    ----------
    judgement
        From :func:`xaimri.evaluate_explanations`.

    Returns
    -------
    matplotlib.figure.Figure
        Not registered with pyplot. Cells without a value are grey and hatched, and say how many cases failed.
    """
    names = [textwrap.fill(title_of(judgement.records[name], name), 26) for name in judgement.explainers]
    means = [[judgement.mean(e, metric) for metric in judgement.metrics] for e in judgement.explainers]
    heads = [_head(metric) for metric in judgement.metrics.values()]
    notes = _notes(judgement, means)
    margin = 0.25 + 0.075 * max(len(line) for name in names for line in name.splitlines())
    wide = max(margin + CELL[0] * len(heads), 4.6)
    notes = [textwrap.fill(text, int(wide * 19), subsequent_indent="  ") for text in notes]
    above = 0.2 + 0.15 * max(head.count("\n") + 1 for head in heads)
    below = 0.15 + 0.14 * sum(text.count("\n") + 1 for text in notes)
    drawn = Figure(
        figsize=(wide, above + CELL[1] * len(names) + below), layout="constrained", facecolor="white"
    )
    axes = drawn.subplots()
    shades = np.array([[s.estimate.value for s in row] for row in means])
    shades = _shades(shades, [metric.better for metric in judgement.metrics.values()])
    axes.imshow(shades, cmap=_colours(), vmin=0, vmax=1, aspect="auto", interpolation="nearest")
    bold = np.array([_winners(judgement, metric) for metric in judgement.metrics]).T
    for row, column in np.ndindex(shades.shape):
        _cell(axes, row, column, means[row][column], float(shades[row, column]), bool(bold[row, column]))
    _frame(axes, heads, names)
    drawn.supxlabel("\n".join(notes), fontsize=7, x=0.01, ha="left", color="0.35", parse_math=False)
    return drawn


def _shades(values: Float[Array, "rows columns"], better: Sequence[Better]) -> Float[Array, "rows columns"]:
    """Return 0 for the worst and 1 for the best of each column, 0.5 where all are equal; NaN stays NaN."""
    found = np.full(values.shape, np.nan)
    for column, direction in enumerate(better):
        own = values[:, column] * (1 if direction == "higher" else -1)
        known = np.isfinite(own)
        if not known.any():
            continue
        low, high = own[known].min(), own[known].max()
        found[known, column] = (own[known] - low) / (high - low) if high > low else 0.5
    return found


def _colours() -> ListedColormap:
    """Return light to middling blues: dark ink is legible on all of them."""
    return ListedColormap(colormaps["Blues"](np.linspace(0.03, 0.6, 256)), name="xaimri_heat")


def _winners(judgement: Judgement, metric: str) -> Bool[Array, " rows"]:
    """Return True for the method that is surely better than every other that has a value."""
    sign = 1 if judgement.metrics[metric].better == "higher" else -1
    names = judgement.explainers
    values = np.array([sign * judgement.mean(name, metric).estimate.value for name in names])
    won = np.zeros(len(names), bool)
    known = np.flatnonzero(np.isfinite(values))
    if len(known) < 2:
        return won
    best = int(known[values[known].argmax()])
    gaps = [judgement.difference(names[best], names[n], metric) for n in known.tolist() if n != best]
    won[best] = all(gap.certain and sign * gap.estimate.value > 0 for gap in gaps)
    return won


def _head(metric: Metric) -> str:
    """Return a metric's name, and whether higher or lower is better."""
    arrow = "↑" if metric.better == "higher" else "↓"
    name = textwrap.fill(metric.name.replace("_", " "), 15)
    return f"{name}\n{arrow} {metric.better} is better"


def _cell(axes: Axes, row: int, column: int, summary: Summary, shade: float, bold: bool) -> None:
    estimate = summary.estimate
    failed = f"({summary.failures} failed)" if summary.failures else ""
    if math.isnan(estimate.value):
        _blank(axes, row, column, failed or "no value")
        return
    lines = [f"[{estimate.low:.3g}, {estimate.high:.3g}]"] if not math.isnan(estimate.low) else []
    lines += [failed] if failed else []
    lift = 0.13 * len(lines)
    axes.text(
        column, row - lift, f"{estimate.value:.3g}", ha="center", va="center", color=INK, fontsize=10,
        weight="bold" if bold else "normal", gid=f"mean {row} {column}",
    )  # fmt: skip
    if lines:
        axes.text(
            column, row - lift + 0.17, "\n".join(lines), ha="center", va="top", color=INK, fontsize=7,
            linespacing=1.15, gid=f"more {row} {column}",
        )  # fmt: skip


def _blank(axes: Axes, row: int, column: int, words: str) -> None:
    """Draw a cell that has no value."""
    from matplotlib.patches import Rectangle

    axes.add_patch(
        Rectangle(
            (column - 0.5, row - 0.5), 1, 1, facecolor=GREY, edgecolor="#c3c8ce", hatch="////", linewidth=0
        )
    )  # fmt: skip
    axes.text(
        column, row, f"–\n{words}", ha="center", va="center", color=INK, fontsize=7.5,
        gid=f"mean {row} {column}", bbox={"facecolor": GREY, "edgecolor": "none", "pad": 1.5},
    )  # fmt: skip


def _frame(axes: Axes, heads: list[str], names: list[str]) -> None:
    """Write the heads on top and the methods beside, with white lines between the cells."""
    axes.xaxis.tick_top()
    axes.set_xticks(range(len(heads)), heads, fontsize=8, linespacing=1.2, va="baseline", parse_math=False)
    axes.set_yticks(range(len(names)), names, fontsize=9, parse_math=False)
    axes.set_xticks(np.arange(len(heads) - 1) + 0.5, minor=True)
    axes.set_yticks(np.arange(len(names) - 1) + 0.5, minor=True)
    axes.grid(which="minor", color="white", linewidth=2)
    axes.tick_params(which="both", length=0)
    axes.tick_params(axis="x", pad=6)
    axes.spines[:].set_visible(False)


def _notes(judgement: Judgement, means: list[list[Summary]]) -> list[str]:
    """Say what colours, bold and brackets mean."""
    people = len({row.subject for row in judgement.rows})
    notes = [f"{len(judgement.cases)} cases of {people} subjects."]
    several = len(judgement.explainers) > 1
    if several:
        notes[0] += (
            " Darker is better within a column, from its worst mean to its best; colours of two columns "
            "can't be compared."
        )
    if any(not math.isnan(summary.estimate.low) for row in means for summary in row):
        bold = " Bold: better than every other, the interval of each paired difference contains no zero."
        notes.append(
            f"In brackets: {judgement.confidence:.0%} intervals over subjects.{bold if several else ''}"
        )
    elif all(summary.subjects < MINIMUM_SUBJECTS for row in means for summary in row):
        notes.append(f"No intervals: they need at least {MINIMUM_SUBJECTS} subjects with a value.")
    else:
        notes.append("No intervals: subjects agree on every mean, which is no certainty.")
    return notes
