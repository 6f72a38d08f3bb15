"""The one bootstrap: subjects are drawn again, each with all that is theirs, and the ends are read off."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from xaimri.arrays import Array
from xaimri.evaluation.estimate import MINIMUM_SUBJECTS, Estimate
from xaimri.evaluation.student import tail_of
from xaimri.rules import Number, Seed, WholeNumber
from xaimri.settings import check, setting

ROUNDING = 1e-9
"""Ends of an interval that differ by less, in parts of themselves, are equal."""


@dataclass(frozen=True)
class Bootstrap:
    """How intervals over subjects are drawn; the same draws for every figure of the same subjects.

    Parameters
    ----------
    resamples
        How often as many subjects are drawn as there are, with replacement.
    confidence
        Of the intervals. They lie between percentiles that are so much further out as Student's t of so many
        people is wider than a normal: plain ones are too narrow for few. Of 10 people, 91 to 96 % of those of
        95 % hold a mean (plain percentiles 87 to 91; ``benchmarks/interval_coverage.py --only means``).
    seed
        Same seed, same intervals; no global generator is touched.

    Raises
    ------
    InvalidInput
        If one of them is out of range.

    Examples
    --------
    >>> values = np.arange(40.0)  # one per subject
    >>> bootstrap = Bootstrap(resamples=1000)
    >>> weights = bootstrap.weights(np.zeros(40, int))
    >>> print(bootstrap.estimate(values.mean(), weights @ values / 40, subjects=40))
    19.50 [15.62, 23.16]
    """

    resamples: int = setting(2000, WholeNumber(1, most=10**7))
    confidence: float = setting(0.95, Number(above=0, below=1))
    seed: int = setting(0, Seed())

    def __post_init__(self) -> None:
        check(self)

    def weights(self, strata: Int[Array, " subjects"]) -> Int[Array, "resamples subjects"]:
        """Return how often each resample has each subject, drawn within strata: as many of each as are."""
        generator = np.random.default_rng(self.seed)
        weights = np.zeros((self.resamples, len(strata)), dtype=np.int64)
        for stratum in np.unique(strata):
            members = np.flatnonzero(strata == stratum)
            share = np.full(len(members), 1 / len(members))
            weights[:, members] = generator.multinomial(len(members), share, size=self.resamples)
        return weights

    def ends(self, figures: Float[Array, resamples * figures], people: int) -> Float[Array, 2 * figures]:
        """Return the lower and the upper end of every figure's interval, made by so many people.

        A resample in which a figure is not defined, NaN, is left out of that figure's.
        """
        tail = tail_of((1 - self.confidence) / 2, people)
        shares = [tail, 1 - tail]
        quantile = np.nanquantile if np.isnan(figures).any() else np.quantile
        ends: Array = quantile(figures, shares, axis=0)
        return ends

    def estimate(self, value: float, figures: Float[Array, " resamples"], subjects: int) -> Estimate:
        """Return a figure with its interval from the same figure of every resample of so many subjects.

        Nothing of NaN, and no interval of fewer subjects than `MINIMUM_SUBJECTS`, or where all resamples
        agree, as they do where every subject is right: an interval without width would claim certainty.
        """
        if math.isnan(value):
            return Estimate.none()
        if subjects < MINIMUM_SUBJECTS or np.isnan(figures).all():
            return Estimate.alone(value)
        low, high = self.ends(figures, subjects)
        return between(value, float(low), float(high))


def between(value: float, low: float, high: float) -> Estimate:
    """Return a figure between the ends of its interval, without an interval that has no width.

    Examples
    --------
    >>> print(between(0.5, 0.4, 0.6), between(1.0, 1.0, 1.0))
    0.50 [0.40, 0.60] 1.00
    """
    wide = high - low > ROUNDING * max(abs(low), abs(high))
    return Estimate(value, low, high) if wide else Estimate.alone(value)
