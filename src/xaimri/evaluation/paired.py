"""Two classifiers on the same people: how far their figures differ, and whether by more than chance."""

from __future__ import annotations

import json
import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from jaxtyping import Float, Num

from xaimri import archive
from xaimri.arguments import check_arguments
from xaimri.arrays import Array, Scores
from xaimri.data.case import Dataset
from xaimri.data.epoch import Loader
from xaimri.evaluation.classification import macro_figures
from xaimri.evaluation.estimate import Estimate
from xaimri.evaluation.jackknife import Jackknife
from xaimri.evaluation.sign_flips import CLOSE, signs_of
from xaimri.evaluation.truth import Compared, LevelName, compare
from xaimri.rules import Number, Seed, WholeNumber

AT_ONCE = 256
"""Permutations whose figures are computed together."""


@dataclass(frozen=True)
class Difference:
    """One figure of two classifiers.

    Attributes
    ----------
    name
        Of the figure.
    a, b
        What it is of the first and of the second.
    difference
        Of the first from the second, ``a - b``, with its interval over subjects.
    p
        The share of swaps of whole subjects that make the figures differ at least as much; two-sided. NaN
        where the figure is not defined.
    """

    name: str
    a: float
    b: float
    difference: Estimate
    p: float

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as JSON types."""
        plain = {
            name: None if math.isnan(x) else x for name, x in (("a", self.a), ("b", self.b), ("p", self.p))
        }
        return {**plain, "difference": self.difference.to_dict()}


@dataclass(frozen=True)
class PairedComparison:
    """The result of `compare_predictions`; printing it gives a table.

    Attributes
    ----------
    names
        Of the two classifiers.
    differences
        Accuracy, balanced accuracy, means over classes of F1, AUROC and average precision, and the Brier
        score, of which less is better.
    level
        Whether a case is an image or a subject.
    cases, subjects
        How many.
    permutations
        How many swaps were looked at.
    confidence, seed
        Of the intervals, and of swaps that are drawn.
    notes
        What is odd, such as that a model was trained on some of these subjects.
    """

    names: tuple[str, str]
    differences: tuple[Difference, ...]
    level: LevelName
    cases: int
    subjects: int
    permutations: int
    confidence: float
    seed: int
    notes: tuple[str, ...] = ()

    def __getitem__(self, name: str) -> Difference:
        return {one.name: one for one in self.differences}[name]

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON types."""
        plain = ("level", "cases", "subjects", "permutations", "confidence", "seed")
        return {
            "names": list(self.names),
            "differences": {one.name: one.to_dict() for one in self.differences},
            **{name: getattr(self, name) for name in plain},
            "notes": list(self.notes),
        }

    @check_arguments()
    def save(self, path: str | Path) -> Path:
        """Write `to_dict` as a JSON file and return its path."""
        text = json.dumps(self.to_dict(), indent=2, allow_nan=False, ensure_ascii=False)
        return archive.write_text(path, text + "\n")

    def __str__(self) -> str:
        width = [max(9, len(name) + 2) for name in self.names]
        head = f"{'':>17}{self.names[0]:>{width[0]}}{self.names[1]:>{width[1]}}{'difference':>24}{'p':>9}"
        lines = [
            f"{one.name:>17}{_short(one.a):>{width[0]}}{_short(one.b):>{width[1]}}"
            f"{one.difference!s:>24}{'-' if math.isnan(one.p) else f'{one.p:.4f}':>9}"
            for one in self.differences
        ]
        count = f"{self.cases} {'images' if self.level == 'slice' else 'means'} of {self.subjects} subjects"
        told = (
            f"{count}. In brackets: {self.confidence:.0%} intervals by the jackknife over subjects; p of "
            f"{self.permutations:,} swaps of whole subjects, each figure by itself."
        )
        return "\n".join([head, *lines, told, *self.notes])


def _short(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.3f}"


@check_arguments(permutations=WholeNumber(1, most=10**6), confidence=Number(above=0, below=1), seed=Seed())
def compare_predictions(
    a: Scores,
    b: Scores,
    truth: Dataset | Loader | npt.ArrayLike,
    subjects: Sequence[Hashable] | None = None,
    classes: Sequence[str] | None = None,
    *,
    level: LevelName = "slice",
    independent: bool = False,
    permutations: int = 2000,
    confidence: float = 0.95,
    seed: int = 0,
) -> PairedComparison:
    """Compare the probabilities of two classifiers on the same cases, subject by subject.

    Parameters
    ----------
    a, b
        Of the first and the second classifier, ``(cases, classes)``, in the same order.
    truth, subjects, classes, independent
        As `evaluate` takes them.
    level
        ``"slice"`` counts images; ``"subject"`` counts subjects by their mean probability.
    permutations
        How many swaps are drawn at most. All are taken where there are no more: 11 subjects have 1,024.
    confidence, seed
        Of the intervals, and of the swaps.

    Returns
    -------
    PairedComparison

    Raises
    ------
    InvalidInput
        As `evaluate`.

    Notes
    -----
    Were both equally good, all that one says of a subject could as well be said by the other. So both swap
    whole subjects, whose slices are alike, and p is the share of swaps that make a figure differ at least as
    much [1]_. It is of each figure by itself: of six figures, one in four times some p is below 0.05 by
    chance if they went apart, so choose the figure beforehand. Another training of the same network would
    give another difference, and that is in neither interval nor p.

    References
    ----------
    .. [1] Nichols and Holmes, "Nonparametric permutation tests for functional neuroimaging", Human Brain
       Mapping 15, 2002. https://doi.org/10.1002/hbm.1058

    Examples
    --------
    The first is right for all of 6 people, the second for none; 2 of 64 swaps are as far apart:

    >>> truth = np.array([0, 0, 0, 1, 1, 1])
    >>> found = compare_predictions(np.eye(2)[truth], np.eye(2)[1 - truth], truth, range(6))
    >>> found["accuracy"].difference.value, found["accuracy"].p
    (1.0, 0.03125)
    """
    one, other = (compare(p, truth, subjects, classes, independent, level) for p in (a, b))
    jackknife = Jackknife(one.strata, confidence)
    weights = jackknife.weights
    first, second = macro_figures(one, weights), macro_figures(other, weights)
    p, count = _swapped(one, other, permutations, seed)
    differences = tuple(
        Difference(
            name,
            float(first[name][0]),
            float(second[name][0]),
            jackknife.around(first[name] - second[name]),
            p[name],
        )
        for name in first
    )
    return PairedComparison(
        ("a", "b"), differences, level, len(one.labels), len(one.people), count, confidence, seed
    )


def _swapped(one: Compared, other: Compared, permutations: int, seed: int) -> tuple[dict[str, float], int]:
    """Return how often swapped subjects make each figure differ as much, and of how many swaps."""
    people = len(one.people)
    both = one.beside(other)
    kept = np.concatenate([np.ones((1, people)), np.zeros((1, people))], axis=1)
    own = _apart(both, kept)
    reached, total = dict.fromkeys(own, 0), 0
    for signs in signs_of(people, permutations, seed, AT_ONCE):
        mine = (signs > 0).astype(np.float64)
        drawn = _apart(both, np.concatenate([mine, 1 - mine], axis=1))
        for name, values in drawn.items():
            reached[name] += int((np.abs(values) >= np.abs(own[name][0]) - CLOSE).sum())
        total += len(signs)
    p = {name: math.nan if math.isnan(own[name][0]) else count / total for name, count in reached.items()}
    return p, total


def _apart(both: Compared, mine: Num[Array, "swaps twice"]) -> dict[str, Float[Array, " swaps"]]:
    """Return how far the figures of those who are weighted lie above those of the others."""
    first, second = macro_figures(both, mine), macro_figures(both, 1 - mine)
    return {name: first[name] - second[name] for name in first}
