"""Sensitivity and specificity at a threshold, and the threshold that gives a wanted sensitivity."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from xaimri.arguments import check_arguments
from xaimri.arrays import Scores
from xaimri.data.case import Dataset
from xaimri.data.epoch import Loader
from xaimri.errors import InvalidInput
from xaimri.evaluation.bootstrap import MINIMUM_SUBJECTS, Bootstrap
from xaimri.evaluation.estimate import Estimate
from xaimri.evaluation.report import LevelName
from xaimri.evaluation.truth import Compared, compare
from xaimri.rules import Number


@dataclass(frozen=True)
class Threshold:
    """A threshold that was chosen for a sensitivity; see `threshold_for`.

    Attributes
    ----------
    value
        A probability of at least this much counts as the class.
    positive
        The class.
    wanted
        The sensitivity that was asked for.
    sensitivity, specificity
        Shares on the cases on which it was chosen. They flatter; figures come from other people.
    level
        Whether images or subjects were counted.
    subjects
        On whom it was chosen; cases without a subject are not among them.
    """

    value: float
    positive: str
    wanted: float
    sensitivity: float
    specificity: float
    level: LevelName
    subjects: frozenset[str]

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as JSON types, with the number of subjects for their names."""
        return {
            "value": self.value,
            "positive": self.positive,
            "wanted": self.wanted,
            "sensitivity": self.sensitivity,
            "specificity": None if math.isnan(self.specificity) else self.specificity,
            "level": self.level,
            "subjects": len(self.subjects),
        }


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
    true_positives, false_negatives, true_negatives, false_positives
        Counts of cases.
    subjects, others
        How many subjects have a case of the class, and of another one.
    level
        Whether a case is an image or a subject.
    """

    threshold: float
    positive: str
    sensitivity: Estimate
    specificity: Estimate
    true_positives: int
    false_negatives: int
    true_negatives: int
    false_positives: int
    subjects: int
    others: int
    level: LevelName

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences that say which share is not estimable, and why."""
        sides = (("sensitivity", self.subjects, "of"), ("specificity", self.others, "not of"))
        return tuple(
            f"{name} is not estimable: {count} subject{'' if count == 1 else 's'} {of} `{self.positive}`."
            for name, count, of in sides
            if count < MINIMUM_SUBJECTS
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as JSON types; None stands for what is not estimable."""
        counts = ("true_positives", "false_negatives", "true_negatives", "false_positives")
        return {
            "threshold": self.threshold,
            "positive": self.positive,
            "sensitivity": self.sensitivity.to_dict(),
            "specificity": self.specificity.to_dict(),
            **{name: getattr(self, name) for name in (*counts, "subjects", "others", "level")},
            "notes": list(self.notes),
        }

    def __str__(self) -> str:
        head = f"{self.positive}, at {self.threshold:.3g} and above, by {self.level}"
        figures = f"sensitivity {self.sensitivity}, specificity {self.specificity}"
        return "\n".join([f"{head}: {figures}", *self.notes])


@check_arguments(sensitivity=Number(above=0, most=1))
def threshold_for(
    probabilities: Scores,
    truth: Dataset | Loader | npt.ArrayLike,
    positive: str | int,
    sensitivity: float,
    subjects: Sequence[Hashable] | None = None,
    classes: Sequence[str] | None = None,
    *,
    level: LevelName = "slice",
    independent: bool = False,
) -> Threshold:
    """Choose the highest threshold at which at least so large a share of a class is found.

    Give it the *validation* part. Chosen on the people whose figures are reported, a threshold makes them too
    good; `operating_point` refuses that.

    Parameters
    ----------
    probabilities, truth, subjects, classes, independent
        As `evaluate` takes them.
    positive
        The class, by name or number, against all others.
    sensitivity
        Above 0, at most 1.
    level
        ``"slice"`` counts images; ``"subject"`` counts subjects by their mean probability.

    Returns
    -------
    Threshold

    Raises
    ------
    InvalidInput
        As `evaluate`; and if fewer than five subjects have the class.

    Examples
    --------
    >>> p = np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.35, 0.6, 0.7, 0.8, 0.9])
    >>> chosen = threshold_for(np.stack([1 - p, p], axis=1), [0] * 5 + [1] * 5, 1, 0.8, range(10))
    >>> chosen.value, chosen.sensitivity, chosen.specificity
    (0.6, 0.8, 1.0)
    """
    compared = compare(probabilities, truth, subjects, classes, independent, level)
    column = compared.class_named(positive)
    name, scores, there = compared.classes[column], compared.p[:, column], compared.labels == column
    people = compared.subjects_of(there)
    if people < MINIMUM_SUBJECTS:
        raise InvalidInput(
            f"a threshold needs at least {MINIMUM_SUBJECTS} subjects of `{name}`, and there "
            f"{'is' if people == 1 else 'are'} {people}: choose it on more people."
        )
    found = np.sort(scores[there])[::-1]
    value = float(found[math.ceil(sensitivity * len(found) * (1 - 1e-12)) - 1])
    rest = scores[~there]
    specificity = float((rest < value).mean()) if len(rest) else math.nan
    return Threshold(
        value, name, sensitivity, float((found >= value).mean()), specificity, level, _named(compared)
    )


@check_arguments()
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
    resamples: int = 2000,
    confidence: float = 0.95,
    seed: int = 0,
) -> OperatingPoint:
    """Return sensitivity and specificity where a probability at or above a threshold counts as a class.

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
    resamples, confidence, seed
        Of the intervals over subjects, drawn as `evaluate` draws them. The threshold is taken as given: its
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
    name = compared.classes[column]
    value = threshold if isinstance(threshold, int | float) else _of_others(threshold, compared, name, level)
    if not 0 <= value <= 1:
        raise InvalidInput(f"`threshold` must be at least 0 and at most 1, got {value}.")
    there, called = compared.labels == column, compared.p[:, column] >= value
    cells = [there & called, there & ~called, ~there & ~called, ~there & called]
    counts = compared.totals(np.stack(cells, axis=1).astype(np.float64))
    bootstrap = Bootstrap(resamples, confidence, seed)
    drawn, total = bootstrap.weights(compared.strata) @ counts, counts.sum(axis=0)
    people = [compared.subjects_of(there), compared.subjects_of(~there)]
    shares = []
    for right, enough in zip((0, 2), people, strict=True):
        all_of = drawn[:, right : right + 2].sum(axis=1)
        figures = np.where(all_of > 0, drawn[:, right] / np.maximum(all_of, 1), np.nan)
        point = total[right] / max(total[right : right + 2].sum(), 1)
        able = enough >= MINIMUM_SUBJECTS
        shares.append(bootstrap.estimate(float(point), figures, enough) if able else Estimate.none())
    found, missed, let_go, alarmed = (int(n) for n in total)
    return OperatingPoint(
        float(value), name, shares[0], shares[1], found, missed, let_go, alarmed, people[0], people[1], level
    )


def _named(compared: Compared) -> frozenset[str]:
    """Return the names of subjects that have one."""
    return frozenset(one.removeprefix("subject ") for one in compared.people if one.startswith("subject "))


def _of_others(threshold: Threshold, compared: Compared, positive: str, level: LevelName) -> float:
    """Return the value of a threshold that was chosen for the same, on nobody who is here."""
    shared = sorted(threshold.subjects & _named(compared))
    if shared:
        raise InvalidInput(
            f"the threshold was chosen on {len(shared)} of these subjects, such as {shared[0]!r}, so that "
            "its figures would be too good: choose it on the validation part."
        )
    if (threshold.positive, threshold.level) != (positive, level):
        raise InvalidInput(
            f"the threshold was chosen for `{threshold.positive}` by {threshold.level}, not for `{positive}` "
            f"by {level}: choose one for that."
        )
    return threshold.value
