"""The figures of one level, slices by themselves or subjects: of each class, and over all."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from jaxtyping import Int

from xaimri.arrays import Array
from xaimri.evaluation.estimate import Estimate
from xaimri.evaluation.reliability import Calibration


@dataclass(frozen=True)
class ClassFigures:
    """Precision, recall, F1, AUROC and average precision of one class, or their mean over classes.

    Attributes
    ----------
    name
        Of the class; empty for a mean.
    precision, recall, f1
        NaN where the class has too few subjects.
    auroc
        Area under the ROC curve, the class's probability against the rest; chance is 0.5. NaN where the class
        or the rest has too few subjects.
    average_precision
        Mean precision over the images of the class, each at its own probability as the threshold; chance is
        the class's share of the images. NaN where AUROC is.
    images, subjects
        How many there are in truth.
    others
        Subjects with images of another class; of a mean, all.
    """

    name: str
    precision: Estimate
    recall: Estimate
    f1: Estimate
    auroc: Estimate
    average_precision: Estimate
    images: int
    subjects: int
    others: int

    @property
    def note(self) -> str | None:
        """None, or why there are no figures."""
        if not math.isnan(self.recall.value):
            return None
        why = people(self.subjects) if self.name else "no class has enough subjects"
        return f"not estimable: {why}"

    @property
    def auroc_note(self) -> str | None:
        """None, or why there is no AUROC and no average precision."""
        if not math.isnan(self.auroc.value) or self.note is not None:
            return self.note
        return f"not estimable: {people(self.others)} of other classes"

    @property
    def figures(self) -> tuple[Estimate, ...]:
        """The five, in the order of the table."""
        return self.precision, self.recall, self.f1, self.auroc, self.average_precision

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as JSON types."""
        names = ("precision", "recall", "f1", "auroc", "average_precision")
        figures = {name: getattr(self, name).to_dict() for name in names}
        counts = {"images": self.images, "subjects": self.subjects, "others": self.others}
        return {**figures, **counts, "note": self.note, "auroc_note": self.auroc_note}


@dataclass(frozen=True, eq=False)
class Level:
    """The figures of one level: slices by themselves, or subjects.

    Attributes
    ----------
    accuracy
        Share of right predictions.
    balanced_accuracy
        Mean recall of the classes that are present; chance is 1 over their number.
    per_class
        In the order of the classes.
    macro, weighted
        Means over the classes present, plain and by the number of cases of each.
    macro_estimable
        Plain means over the classes with enough subjects; its recall is their balanced accuracy.
    confusion
        Counts, rows are the truth and columns the prediction.
    calibration
        How far probabilities are from how often they come true.
    """

    accuracy: Estimate
    balanced_accuracy: Estimate
    per_class: tuple[ClassFigures, ...]
    macro: ClassFigures
    weighted: ClassFigures
    macro_estimable: ClassFigures
    confusion: Int[Array, "classes classes"]
    calibration: Calibration

    @property
    def figures(self) -> tuple[Estimate, ...]:
        """All that the table holds."""
        means = self.macro, self.weighted, self.macro_estimable
        return (
            self.accuracy,
            self.balanced_accuracy,
            *(f for c in (*self.per_class, *means) for f in c.figures),
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as JSON types."""
        return {
            "accuracy": self.accuracy.to_dict(),
            "balanced_accuracy": self.balanced_accuracy.to_dict(),
            "classes": {figures.name: figures.to_dict() for figures in self.per_class},
            "macro": self.macro.to_dict(),
            "weighted": self.weighted.to_dict(),
            "macro_estimable": self.macro_estimable.to_dict(),
            "confusion": self.confusion.tolist(),
            "calibration": self.calibration.to_dict(),
        }


def people(count: int) -> str:
    """Return a number of subjects in words.

    Examples
    --------
    >>> people(1), people(3)
    ('1 subject', '3 subjects')
    """
    return f"{count} subject{'' if count == 1 else 's'}"
