"""Intervals over subjects from leaving one of them out at a time, for figures between 0 and a known top."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from jaxtyping import Float, Int

from xaimri.arrays import Array
from xaimri.evaluation.estimate import MINIMUM_SUBJECTS, Estimate
from xaimri.evaluation.student import quantile

GROUPS = 400
"""Of more subjects, so many groups are left out in turn."""

FLAT = 1e-9
"""Figures whose standard error is below this do not change, whoever is left out."""

Shape = Literal["score", "logit"]
"""How an interval is laid around a figure: by Wilson's score, or evenly on the scale of logits."""


@dataclass(frozen=True, eq=False)
class Jackknife:
    """What a figure would be without each subject in turn, and the interval that follows.

    A subject that is left out is made up for by the others of its stratum, so that each stratum keeps its
    weight: figures are those of as many subjects of every class.

    Parameters
    ----------
    strata
        Of every subject, such as its class. A stratum of one subject is never left out, so that an interval
        cannot show the error of so few.
    confidence
        Of the intervals.

    Examples
    --------
    >>> right = np.array([1.0] * 30 + [0.0] * 10)  # one per subject
    >>> jackknife = Jackknife(np.zeros(40, int))
    >>> print(jackknife.estimate(jackknife.weights @ right / 40, 40, single=True))
    0.75 [0.60, 0.86]
    """

    strata: Int[Array, " people"]
    confidence: float = 0.95

    @cached_property
    def _left(self) -> tuple[tuple[Int[Array, " some"], ...], Int[Array, " replicates"]]:
        """Who is left out in each replicate, and of which stratum."""
        generator = np.random.default_rng(0)
        share = min(GROUPS / len(self.strata), 1.0)
        groups, of = list[Array](), list[int]()
        for number, stratum in enumerate(np.unique(self.strata)):
            members = np.flatnonzero(self.strata == stratum)
            if len(members) < 2:
                continue
            count = max(min(len(members), 20), round(share * len(members)))
            dealt = members if count == len(members) else generator.permutation(members)
            groups += np.array_split(dealt, count)
            of += [number] * count
        return tuple(groups), np.array(of, dtype=np.int64)

    @cached_property
    def weights(self) -> Float[Array, "replicates people"]:
        """How much each subject counts: once in the first row, then with some left out in each."""
        groups, of = self._left
        weights = np.ones((1 + len(groups), len(self.strata)))
        names = np.unique(self.strata)
        for row, (left, stratum) in enumerate(zip(groups, of, strict=True), start=1):
            members = self.strata == names[stratum]
            weights[row, members] = members.sum() / (members.sum() - len(left))
            weights[row, left] = 0
        return weights

    def influence(
        self, figures: Float[Array, replicates * rest]
    ) -> tuple[Float[Array, some * rest], Int[Array, " some"]]:
        """Return what every subject moves figures by, so scaled that squares add up to the variance.

        Beside it, the stratum of each row.
        """
        of = self._left[1]
        moved = np.zeros((len(of), *figures.shape[1:]))
        for stratum in np.unique(of):
            rows = figures[1:][of == stratum]
            moved[of == stratum] = (rows - rows.mean(axis=0)) * math.sqrt((len(rows) - 1) / len(rows))
        return moved, of

    def freedom(self, moved: Float[Array, " some"], of: Int[Array, " some"]) -> float:
        """Return the degrees of freedom of a variance: few where few subjects make most of it."""
        squares, counts = np.bincount(of, moved**2), np.bincount(of)
        there = counts > 1
        squares, counts = squares[there], counts[there]
        total = squares.sum()
        if total == 0:
            return float((counts - 1).sum())
        normal = (squares**2 / (counts - 1)).sum()
        tails = max(0.0, float((moved**4).sum() - 3 * (squares**2 / counts).sum()))
        return max(1.0, float(2 * total**2 / (2 * normal + tails)))

    def estimate(
        self,
        figures: Float[Array, " replicates"],
        subjects: float,
        *,
        shape: Shape = "score",
        single: bool = False,
        top: float = 1.0,
    ) -> Estimate:
        """Return a figure with its interval.

        Parameters
        ----------
        figures
            With the `weights`: the figure itself, then with some left out.
        subjects
            How many make the figure. Where nobody moves it, as where all are right, the interval is that of
            so many independent answers.
        shape
            Wilson's score, with as many independent answers as have this variance; or the scale of logits.
        single
            Whether it is a share to which every subject gives one case at most: the share then tells its own
            variance, and the interval is Wilson's.
        top
            The largest value that the figure can have.

        Returns
        -------
        Estimate
            Without an interval where there are fewer subjects than `MINIMUM_SUBJECTS`.
        """
        value = float(figures[0])
        if math.isnan(value):
            return Estimate.none()
        if len(self.strata) < MINIMUM_SUBJECTS or len(figures) < 2 or np.isnan(figures).any():
            return Estimate.alone(value)
        moved, of = self.influence(figures / top)
        share, variance = value / top, float((moved**2).sum())
        flat = variance < FLAT**2 or not 0 < share < 1
        shares = (1 + self.confidence) / 2
        freedom = math.inf if flat or single else self.freedom(moved, of)
        width = quantile(shares, freedom)
        if shape == "logit" and not flat:
            low, high = on_logits(share, math.sqrt(variance), width)
        else:
            low, high = by_score(share, subjects if flat else share * (1 - share) / variance, width)
        return Estimate(value, low * top, high * top)

    def around(self, figures: Float[Array, " replicates"]) -> Estimate:
        """Return a figure without bounds, such as a difference, with Student's interval around it.

        Without one where there are too few subjects, or nobody moves it.
        """
        value = float(figures[0])
        if math.isnan(value):
            return Estimate.none()
        if len(self.strata) < MINIMUM_SUBJECTS or len(figures) < 2 or np.isnan(figures).any():
            return Estimate.alone(value)
        moved, of = self.influence(figures)
        error = math.sqrt((moved**2).sum())
        if error < FLAT:
            return Estimate.alone(value)
        half = quantile((1 + self.confidence) / 2, self.freedom(moved, of)) * error
        return Estimate(value, value - half, value + half)


def by_score(share: float, answers: float, width: float) -> tuple[float, float]:
    """Return the ends of Wilson's interval of a share among so many independent answers.

    Examples
    --------
    >>> [round(end, 3) for end in by_score(1.0, 12, 1.96)]
    [0.757, 1.0]
    """
    square = width**2 / answers
    middle = (share + square / 2) / (1 + square)
    half = width * math.sqrt(max(share * (1 - share), 0) / answers + square / answers / 4) / (1 + square)
    return min(max(middle - half, 0.0), share), max(min(middle + half, 1.0), share)


def on_logits(share: float, error: float, width: float) -> tuple[float, float]:
    """Return the ends of an interval of so many standard errors on either side, on the scale of logits.

    Examples
    --------
    >>> [round(end, 3) for end in on_logits(0.9, 0.03, 2.0)]
    [0.822, 0.946]
    """
    middle, half = math.log(share / (1 - share)), width * error / (share * (1 - share))
    low, high = ((1 + math.tanh((middle + side * half) / 2)) / 2 for side in (-1, 1))
    return low, high
