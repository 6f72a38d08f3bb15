"""The confusion matrix of a classifier."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from xaimri.arguments import check_arguments
from xaimri.charts.canvas import MUTED, blank_figure
from xaimri.evaluation.report import ClassificationReport
from xaimri.evaluation.truth import LevelName

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@check_arguments()
def confusion_matrix(report: ClassificationReport, level: LevelName = "slice") -> Figure:
    """Draw the confusion matrix: shares of each true class as shades and numbers, counts beneath.

    Parameters
    ----------
    report
        From `xaimri.evaluation.classification.evaluate`.
    level
        ``"slice"`` or ``"subject"``.

    Returns
    -------
    matplotlib.figure.Figure
        Not registered with pyplot. Rows are the truth; those of classes with too few subjects are
        grey and show counts alone.
    """
    counts = report.level(level).confusion
    n = len(counts)
    enough = np.array([figures.note is None for figures in report.level(level).per_class])
    share = np.full(counts.shape, np.nan)
    share[enough] = counts[enough] / counts[enough].sum(axis=1, keepdims=True)
    figure = blank_figure(2.9 + 0.82 * n, 1.9 + 0.74 * n)
    axes = figure.add_subplot()
    axes.set_facecolor("#eef0f2")
    shown = axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
    for row, column in np.ndindex(n, n):
        _cell(axes, row, column, float(share[row, column]), int(counts[row, column]))
    truth = [f"{name}\n{_people(report, i, level)}" for i, name in enumerate(report.classes)]
    leaning: dict[str, Any] = {"rotation": 30, "ha": "right", "rotation_mode": "anchor"}
    axes.set_xticks(range(n), report.classes, parse_math=False, **leaning)
    axes.set_yticks(range(n), truth, parse_math=False)
    axes.set_xticks(np.arange(n - 1) + 0.5, minor=True)
    axes.set_yticks(np.arange(n - 1) + 0.5, minor=True)
    axes.grid(which="minor", color="white", linewidth=1.5)
    axes.tick_params(which="both", length=0, labelsize=8)
    axes.spines[:].set_visible(False)
    axes.set_xlabel("predicted", fontsize=9)
    axes.set_ylabel("true", fontsize=9)
    axes.set_title(_headline(report, level), fontsize=9, loc="left")
    bar = figure.colorbar(shown, ax=axes, fraction=0.05, pad=0.03, ticks=[0, 0.5, 1], format="{x:.0%}")
    bar.set_label("share of the true class", fontsize=8)
    bar.ax.tick_params(labelsize=8, length=2)
    bar.outline.set_visible(False)
    return figure


def _cell(axes: Axes, row: int, column: int, share: float, count: int) -> None:
    ink = "white" if share > 0.65 else "#1f2937"
    if np.isnan(share):
        axes.text(column, row, f"{count:,}", ha="center", va="center", color=MUTED, fontsize=8)
        return
    axes.text(column, row - 0.1, f"{share:.0%}", ha="center", va="center", color=ink, fontsize=10)
    axes.text(column, row + 0.22, f"{count:,}", ha="center", va="center", color=ink, fontsize=7)


def _people(report: ClassificationReport, label: int, level: LevelName) -> str:
    """Return how many there are of a class, and whether they are too few."""
    figures = report.slice.per_class[label]
    if figures.note:
        return figures.note
    people = f"{figures.subjects} subject{'' if figures.subjects == 1 else 's'}"
    return people if level == "subject" else f"{figures.images:,} slices, {people}"


def _headline(report: ClassificationReport, level: LevelName) -> str:
    figures = report.level(level)
    unit = "By slice" if level == "slice" else "By subject, mean probability over slices"
    lines = [unit, f"accuracy {figures.accuracy}", f"balanced accuracy {figures.balanced_accuracy}"]
    if any(one.note for one in figures.per_class) and figures.macro_estimable.note is None:
        lines.append(f"without classes not estimable {figures.macro_estimable.recall}")
    return "\n".join(lines)
