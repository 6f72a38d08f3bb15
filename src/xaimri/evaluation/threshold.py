"""The threshold that gives a wanted sensitivity, which knows on whom it was chosen."""

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
from xaimri.evaluation.estimate import MINIMUM_SUBJECTS
from xaimri.evaluation.truth import Compared, LevelName, compare
from xaimri.rules import Number


class TooFewSubjects(InvalidInput):
    """A threshold was asked for on too few subjects of the class."""


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

    def __str__(self) -> str:
        return (
            f"{self.positive}, at {self.value:.3g} and above, by {self.level}: chosen for a sensitivity of "
            f"{self.wanted:g}; sensitivity {self.sensitivity:.2f}, specificity {self.specificity:.2f} on the "
            f"{len(self.subjects)} subjects on whom it was chosen, which flatters"
        )

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
        raise TooFewSubjects(
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


def _named(compared: Compared) -> frozenset[str]:
    """Return the names of subjects that have one."""
    return frozenset(one.removeprefix("subject ") for one in compared.people if one.startswith("subject "))


def of_others(threshold: Threshold, compared: Compared, positive: str, level: LevelName) -> float:
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
