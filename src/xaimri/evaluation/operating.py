"""What a classifier does at a threshold: sensitivity, specificity and predictive values."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from jaxtyping import Bool

from xaimri.arguments import check_arguments
from xaimri.arrays import Array, Scores
from xaimri.data.case import Dataset
from xaimri.data.epoch import Loader
from xaimri.errors import InvalidInput
from xaimri.evaluation.estimate import MINIMUM_SUBJECTS, Estimate
from xaimri.evaluation.jackknife import Jackknife
from xaimri.evaluation.threshold import Threshold, of_others
from xaimri.evaluation.truth import Compared, LevelName, compare
from xaimri.rules import Number

SHARES = (
    "sensitivity",
    "specificity",
    "positive_predictive_value",
    "negative_predictive_value",
)
"""The figures of an operating point."""


@dataclass(frozen=True)
class OperatingPoint:
    """What a classifier does at one threshold; see `operating_point`.

    Attributes
    ----------
    threshold
        A probability of at least this much counts as the class.
    positive
        The class.
    sensitivity, specificity
        Shares of the class and of the rest that are told right. NaN where either has too few subjects.
    positive_predictive_value, negative_predictive_value
        Shares of those called the class, and of those called none, for which it is so. They hold for the
        share of the class in these cases, and for no other. NaN where too few subjects are called so.
    true_positives, false_negatives, true_negatives, false_positives
        Counts of cases.
    subjects, others
        How many subjects have a case of the class, and of another one.
    called, uncalled
        How many subjects have a case that is called the class, and one that is not.
    level
        Whether a case is an image or a subject.
    chosen
        How the threshold was chosen, where `threshold_for` did.
    """

    threshold: float
    positive: str
    sensitivity: Estimate
    specificity: Estimate
    positive_predictive_value: Estimate
    negative_predictive_value: Estimate
    true_positives: int
    false_negatives: int
    true_negatives: int
    false_positives: int
    subjects: int
    others: int
    called: int
    uncalled: int
    level: LevelName
    chosen: Threshold | None = None

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences that say which share is not estimable, and why."""
        sides = (
            (SHARES[0], self.subjects, "of"),
            (SHARES[1], self.others, "not of"),
            (SHARES[2], self.called, "called"),
            (SHARES[3], self.uncalled, "not called"),
        )
        return tuple(
            f"{name.replace('_', ' ')} is not estimable: {count} subject{'' if count == 1 else 's'} {of} "
            f"`{self.positive}`."
            for name, count, of in sides
            if count < MINIMUM_SUBJECTS
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as JSON types; None stands for what is not estimable."""
        counts = ("true_positives", "false_negatives", "true_negatives", "false_positives")
        people = ("subjects", "others", "called", "uncalled", "level")
        return {
            "threshold": self.threshold,
            "positive": self.positive,
            **{name: getattr(self, name).to_dict() for name in SHARES},
            **{name: getattr(self, name) for name in (*counts, *people)},
            "chosen": None if self.chosen is None else self.chosen.to_dict(),
            "notes": list(self.notes),
        }

    def __str__(self) -> str:
        of = ""
        if self.chosen is not None:
            count = len(self.chosen.subjects)
            others = f"{count} other subjects" if count else "cases without subjects, which may be these"
            of = f" (chosen for a sensitivity of {self.chosen.wanted:g} on {others})"
        head = f"{self.positive}, at {self.threshold:.3g} and above{of}, by {self.level}"
        figures = ", ".join(f"{name.replace('_', ' ')} {getattr(self, name)}" for name in SHARES)
        return "\n".join([f"{head}: {figures}", *self.notes])


@check_arguments(confidence=Number(above=0, below=1))
def operating_point(
    probabilities: Scores,
    truth: Dataset | Loader | npt.ArrayLike,
    positive: str | int,
    threshold: float | Threshold,
    subjects: Sequence[Hashable] | None = None,
    classes: Sequence[str] | None = None,
    *,
    level: LevelName = "slice",
    independent: bool = False,
    confidence: float = 0.95,
) -> OperatingPoint:
    """Return sensitivity, specificity and predictive values where a probability from a threshold on counts.

    Parameters
    ----------
    probabilities, truth, subjects, classes, independent
        As `evaluate` takes them.
    positive
        The class, by name or number, against all others.
    threshold
        From 0 to 1, or what `threshold_for` chose on other people.
    level
        ``"slice"`` counts images; ``"subject"`` counts subjects by their mean probability.
    confidence
        Of the intervals over subjects, which are those of `evaluate`. The threshold is taken as given: its
        own uncertainty is not in them.

    Returns
    -------
    OperatingPoint

    Raises
    ------
    InvalidInput
        As `evaluate`; and if a threshold was chosen on one of these subjects, for another class or level.

    Examples
    --------
    >>> p = np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.35, 0.6, 0.7, 0.8, 0.9])
    >>> point = operating_point(np.stack([1 - p, p], axis=1), [0] * 5 + [1] * 5, 1, 0.4, range(10))
    >>> point.sensitivity.value, point.specificity.value, point.false_positives
    (0.8, 0.6, 2)
    """
    compared = compare(probabilities, truth, subjects, classes, independent, level)
    column = compared.class_named(positive)
    chosen = None if isinstance(threshold, int | float) else threshold
    name = compared.classes[column]
    value = threshold if isinstance(threshold, int | float) else of_others(threshold, compared, name, level)
    if not 0 <= value <= 1:
        raise InvalidInput(f"`threshold` must be at least 0 and at most 1, got {value}.")
    there, called = compared.labels == column, compared.p[:, column] >= value
    cells = [there & called, there & ~called, ~there & ~called, ~there & called]
    jackknife = Jackknife(compared.strata, confidence)
    sides = (there, ~there, called, ~called)
    right = (cells[0], cells[2], cells[0], cells[2])
    shares = [_share(r, of, compared, jackknife) for r, of in zip(right, sides, strict=True)]
    people = [compared.subjects_of(side) for side in sides]
    counts = [int(cell.sum()) for cell in cells]
    return OperatingPoint(
        float(value), name,
        shares[0], shares[1], shares[2], shares[3],
        counts[0], counts[1], counts[2], counts[3],
        people[0], people[1], people[2], people[3],
        level, chosen,
    )  # fmt: skip


def _share(
    right: Bool[Array, " cases"], of: Bool[Array, " cases"], compared: Compared, jackknife: Jackknife
) -> Estimate:
    """Return which share of some cases is right, if they are of enough subjects."""
    people = compared.subjects_of(of)
    if people < MINIMUM_SUBJECTS:
        return Estimate.none()
    counts = jackknife.weights @ compared.totals(np.stack([right, of], axis=1).astype(np.float64))
    return jackknife.estimate(counts[:, 0] / counts[:, 1], people, single=people == int(of.sum()))
