"""A level's figures as a table: in text, as scikit-learn's report lays it out, and as cells."""

from __future__ import annotations

import math

from xaimri.evaluation.level import ClassFigures, Level
from xaimri.evaluation.reliability import Calibration

HEADS = ("precision", "recall", "f1-score", "AUROC", "AP")
"""Of the columns with figures."""


def _means(level: Level) -> dict[str, ClassFigures]:
    """Return the averages of a level, by name."""
    means = {"macro avg": level.macro, "weighted avg": level.weighted}
    if any(figures.note for figures in level.per_class):
        means["macro avg, estimable"] = level.macro_estimable
    return means


def cells(level: Level) -> tuple[list[str], list[list[str]]]:
    """Return heads and rows of a level as cells: classes, accuracies, averages."""
    rows = [_line(each.name, each) for each in level.per_class]
    for name, figure in (("accuracy", level.accuracy), ("balanced accuracy", level.balanced_accuracy)):
        rows.append([name, "", "", str(figure), "", "", "", ""])
    rows += [_line(name, mean) for name, mean in _means(level).items()]
    return ["", *HEADS, "images", "subjects"], rows


def _line(name: str, figures: ClassFigures) -> list[str]:
    told = [str(figure) for figure in figures.figures]
    if figures.note:
        told = [figures.note, *[""] * (len(HEADS) - 1)]
    return [name, *told, str(figures.images), str(figures.subjects)]


def table(level: Level) -> str:
    """Lay out one level as scikit-learn's report does."""
    means = _means(level)
    width = max(len(name) for name in [*means, "balanced accuracy", *(c.name for c in level.per_class)])
    lines = [f"{'':>{width}}" + "".join(f"{head:>20}" for head in HEADS)]
    lines[0] += f"{'images':>9}{'subjects':>10}"
    lines += ["", *(_row(c.name, c, width) for c in level.per_class), ""]
    for name, figure in (("accuracy", level.accuracy), ("balanced accuracy", level.balanced_accuracy)):
        lines.append(f"{name:>{width}}{'':>40}{figure!s:>20}".rstrip())
    return "\n".join([*lines, *(_row(name, mean, width) for name, mean in means.items())])


def _row(name: str, figures: ClassFigures, width: int) -> str:
    if figures.note:
        middle = f"{figures.note:>100}"
    else:
        middle = "".join(f"{figure!s:>20}" for figure in figures.figures)
    return f"{name:>{width}}{middle}{figures.images:>9}{figures.subjects:>10}"


def calibration_line(calibration: Calibration) -> str:
    """Return the figures of calibration in a sentence, with what chance alone gives."""
    top = calibration.top
    chance = ""
    if not math.isnan(top.ece_of_chance):
        chance = f" (perfect probabilities would have {top.ece_of_chance:.2f} by chance)"
    return (
        f"Calibration: Brier score {calibration.brier} over all classes; expected calibration error of the "
        f"most probable class {top.ece}{chance}, root mean square less chance {top.rms}."
    )
