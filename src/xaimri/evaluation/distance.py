"""The interval of a mean distance that chance makes larger: which true distances would look like this."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
from jaxtyping import Float

from xaimri.arrays import Array
from xaimri.evaluation.student import quantile

DRAWS = 2000
"""Of the noise."""

HALVINGS = 24
"""Of the range in which an end of an interval is looked for."""

Power = Literal[1, 2]


def distance_interval(
    differences: Float[Array, " bins"],
    share: Float[Array, " bins"],
    covariance: Float[Array, "bins bins"],
    unseen: Float[Array, " bins"],
    freedom: float,
    confidence: float,
    power: Power,
) -> tuple[float, float]:
    """Return the interval of the mean absolute, or squared, difference over bins.

    Parameters
    ----------
    differences
        As they were found, noise and all.
    share
        Of each bin; sums to 1.
    covariance, freedom
        Of the noise, and how many degrees of freedom it was estimated by.
    unseen
        Variance that must be reckoned with beside it, of people like none that have been seen.
    confidence
        Of the interval.
    power
        1 of the mean absolute difference, 2 of the mean square.

    Returns
    -------
    low, high
        Of the mean without noise. The found one, which noise makes too large, is never above ``high``.

    Notes
    -----
    True differences are taken to be a multiple of those found. The lower end is the smallest multiple with
    which noise makes the mean at least as large as it is in 2.5 % of draws, and 0 where noise alone does;
    the upper end the largest with which it stays as small in 2.5 %, and no less than what was found and
    Student's t times its standard error, which is enough since noise makes it too large.

    Examples
    --------
    One bin with a standard error of 1:

    >>> one = np.ones(1)
    >>> low, high = distance_interval(3 * one, one, np.eye(1), np.zeros(1), np.inf, 0.95, 1)
    >>> round(low, 1), round(high, 1)
    (1.1, 5.0)
    """
    found = float(_mean(differences, share, power))
    values, vectors = np.linalg.eigh(covariance + np.diag(unseen))
    generator = np.random.default_rng(0)
    noise = generator.normal(size=(DRAWS, len(share))) * np.sqrt(np.maximum(values, 0)) @ vectors.T
    if np.isfinite(freedom):
        noise /= np.sqrt(generator.chisquare(freedom, size=(DRAWS, 1)) / freedom)
    size = float(np.sqrt(share @ (np.maximum(np.diag(covariance), 0) + unseen)))
    ray = differences if np.abs(differences).max() > 1e-12 else np.full(len(share), size)
    one, tail = float(_mean(ray, share, power)), (1 - confidence) / 2
    if one == 0:
        return 0.0, found

    def larger(scale: float) -> float:
        return float((_mean(scale * ray + noise, share, power) >= found).mean())

    most = 1.0
    while larger(most) < 1 - tail and most < 1e6:
        most *= 2
    low = 0.0 if larger(0) > tail else _crossing(larger, tail, most)
    high = _crossing(larger, 1 - tail, most)
    above = _above(differences, share, covariance, unseen, power) * quantile(1 - tail, freedom)
    root = found ** (1 / power) + above
    return low**power * one, float(max(high**power * one, root**power))


def _above(
    differences: Float[Array, " bins"],
    share: Float[Array, " bins"],
    covariance: Float[Array, "bins bins"],
    unseen: Float[Array, " bins"],
    power: Power,
) -> float:
    """Return the standard error of the mean, or of its root; people not seen may err alike in all bins."""
    slope = share * np.sign(differences)
    if power == 2:
        slope = share * differences / max(float(np.sqrt(_mean(differences, share, 2))), 1e-12)
    return float(np.sqrt(slope @ covariance @ slope + (np.abs(slope) @ np.sqrt(unseen)) ** 2))


def _mean(
    differences: Float[Array, "*draws bins"], share: Float[Array, " bins"], power: Power
) -> Float[Array, "*draws"]:
    """Return the weighted mean of absolute or squared differences."""
    return np.asarray(np.abs(differences) ** power @ share)


def _crossing(rising: Callable[[float], float], level: float, most: float) -> float:
    """Return where a rising function reaches a level, between 0 and ``most``."""
    low, high = 0.0, most
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if rising(middle) < level else (low, middle)
    return high
