"""Reports on different people side by side: what a classifier does where it was made, and elsewhere."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from xaimri.arguments import check_arguments
from xaimri.errors import InvalidInput
from xaimri.evaluation.estimate import Estimate
from xaimri.evaluation.level import Level
from xaimri.evaluation.report import ClassificationReport
from xaimri.evaluation.truth import LevelName


@dataclass(frozen=True)
class Population:
    """One of several reports.

    Attributes
    ----------
    name
        Of the data.
    subjects, images
        How many.
    figures
        By name: accuracy, balanced accuracy, the means over classes of AUROC and average precision, the Brier
        score, and the recall of every class.
    differences
        Of each figure from that of the first report, with its interval. NaN where it is not comparable.
    """

    name: str
    subjects: int
    images: int
    figures: Mapping[str, Estimate]
    differences: Mapping[str, Estimate]

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as JSON types."""
        return {
            "name": self.name,
            "subjects": self.subjects,
            "images": self.images,
            "figures": {name: each.to_dict() for name, each in self.figures.items()},
            "differences": {name: each.to_dict() for name, each in self.differences.items()},
        }


@dataclass(frozen=True)
class Populations:
    """The result of `side_by_side`; printing it gives a table.

    Attributes
    ----------
    populations
        The first is what the others are held against.
    level
        Whether images count, or subjects.
    notes
        What can't be compared, and why.
    """

    populations: tuple[Population, ...]
    level: LevelName
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON types."""
        listed = [one.to_dict() for one in self.populations]
        return {"populations": listed, "level": self.level, "notes": list(self.notes)}

    def __str__(self) -> str:
        first, *others = self.populations
        heads = [f"{first.name} ({first.subjects})"]
        heads += [head for one in others for head in (f"{one.name} ({one.subjects})", "difference")]
        names = list(dict.fromkeys(name for one in self.populations for name in one.figures))
        none = Estimate.none()
        rows = [[name, str(first.figures.get(name, none))] for name in names]
        for row in rows:
            for one in others:
                row += [str(each.get(row[0], none)) for each in (one.figures, one.differences)]
        wide = [max(22, len(head) + 2) for head in heads]
        left = max(map(len, names))
        lines = [" " * left + "".join(f"{x:>{n}}" for x, n in zip(heads, wide, strict=True))]
        for name, *cells in rows:
            lines.append(f"{name:>{left}}" + "".join(f"{x:>{n}}" for x, n in zip(cells, wide, strict=True)))
        return "\n".join(
            [*lines, f"By {self.level}, with intervals over subjects. In parentheses: subjects.", *self.notes]
        )


@check_arguments()
def side_by_side(reports: Mapping[str, ClassificationReport], *, level: LevelName = "subject") -> Populations:
    """Lay reports on different people side by side, with the difference of each from the first.

    Parameters
    ----------
    reports
        By the name of the data, at least two, of one classifier on people who are in one of them only; the
        first is what others are held against. Classes are matched by name.
    level
        ``"slice"`` or ``"subject"``.

    Returns
    -------
    Populations
        Figures over classes are compared only where both data sets have cases of the same classes; recalls
        of each class that both have, always.

    Raises
    ------
    InvalidInput
        If there is one report, or they have other confidences or no class in common.

    Notes
    -----
    The interval of a difference comes from the two intervals of independent figures [1]_. Accuracy, average
    precision and the Brier score depend on how frequent each class is: they differ between data sets even
    where the classifier does the same to every image.

    References
    ----------
    .. [1] Zou and Donner, "Construction of confidence limits about effect measures: a general approach",
       Statistics in Medicine 27, 2008. https://doi.org/10.1002/sim.3095

    Examples
    --------
    >>> import numpy as np
    >>> from xaimri.evaluation import evaluate
    >>> truth = np.arange(20) % 2
    >>> inside = evaluate(np.eye(2)[truth], truth, range(20))
    >>> outside = evaluate(np.eye(2)[np.arange(20) // 10], truth, range(20))
    >>> found = side_by_side({"inside": inside, "outside": outside})
    >>> print(found.populations[1].differences["accuracy"])
    -0.50 [-0.71, -0.24]
    """
    if len(reports) < 2:
        raise InvalidInput(f"`reports` must hold at least two to compare, got {len(reports)}.")
    (name, first), *others = reports.items()
    figures = _figures(first.level(level))
    found, notes = [Population(name, first.subjects, first.images, figures, {})], list[str]()
    for other, report in others:
        if report.confidence != first.confidence:
            raise InvalidInput(
                f"`{name}` and `{other}` have intervals of {first.confidence} and {report.confidence}: "
                "evaluate both with one `confidence=`."
            )
        if not set(_present(first)) & set(_present(report)):
            raise InvalidInput(
                f"`{name}` and `{other}` have no class in common: name the same classes alike."
            )
        theirs = _figures(report.level(level))
        apart, told = _differences(figures, theirs, _present(first) == _present(report))
        if told:
            notes.append(
                f"`{other}` has cases of {_words(report)}, and `{name}` of {_words(first)}: only recalls are "
                "compared."
            )
        found.append(Population(other, report.subjects, report.images, theirs, apart))
    return Populations(tuple(found), level, tuple(notes))


def minus(a: Estimate, b: Estimate) -> Estimate:
    """Return the difference of two independent figures with its interval.

    Examples
    --------
    >>> print(minus(Estimate(0.8, 0.6, 0.9), Estimate(0.5, 0.4, 0.6)))
    0.30 [0.08, 0.44]
    """
    value = a.value - b.value
    low = value - math.hypot(a.value - a.low, b.high - b.value)
    return Estimate(value, low, value + math.hypot(a.high - a.value, b.value - b.low))


def _present(report: ClassificationReport) -> frozenset[str]:
    """Return the classes that have cases."""
    return frozenset(one.name for one in report.slice.per_class if one.images)


def _words(report: ClassificationReport) -> str:
    return ", ".join(f"`{name}`" for name in report.classes if name in _present(report))


def _figures(level: Level) -> dict[str, Estimate]:
    """Return the figures of a level that are laid side by side, by name."""
    found = {
        "accuracy": level.accuracy,
        "balanced accuracy": level.balanced_accuracy,
        "AUROC": level.macro.auroc,
        "average precision": level.macro.average_precision,
        "Brier score": level.calibration.brier,
    }
    return found | {f"recall of {one.name}": one.recall for one in level.per_class if one.images}


def _differences(
    first: Mapping[str, Estimate], other: Mapping[str, Estimate], alike: bool
) -> tuple[dict[str, Estimate], bool]:
    """Return what can be compared of two, and whether something can't."""
    shared = [name for name in other if name in first]
    apart = {
        name: minus(other[name], first[name]) if alike or name.startswith("recall of ") else Estimate.none()
        for name in shared
    }
    return apart, not alike
