"""The average precision, one class against the rest, for many weightings of the cases at once."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float, Int, Num

from xaimri.arrays import Array
from xaimri.evaluation.auroc import rising


def average_precision(
    scores: Float[Array, " cases"],
    positive: Bool[Array, " cases"],
    weights: Num[Array, "weightings subjects"],
    owner: Int[Array, " cases"],
) -> Float[Array, " weightings"]:
    """Return the mean precision over positive cases, each at its own score as the threshold.

    Parameters
    ----------
    scores, positive, weights, owner
        As `xaimri.evaluation.auroc.auroc` takes them.

    Returns
    -------
    Float[Array, " weightings"]
        Chance is the share of positive cases. NaN where a weighting has no positive or no negative case.

    Notes
    -----
    The area under the curve of precision over recall by steps, without interpolation; equal scores are
    called positive together.

    Examples
    --------
    >>> once = np.ones((1, 4))
    >>> positive = np.array([False, False, True, True])
    >>> average_precision(np.array([0.1, 0.5, 0.4, 0.9]), positive, once, np.arange(4))
    array([0.83333333])
    """
    found = np.empty(len(weights))
    for rows, hits, others in rising(-scores, positive, weights, owner):
        called = np.cumsum(hits + others, axis=1)
        precision = np.cumsum(hits, axis=1) / np.maximum(called, 1)
        total = hits.sum(axis=1)
        able = (total > 0) & (others.sum(axis=1) > 0)
        mean = (hits * precision).sum(axis=1) / np.maximum(total, 1)
        found[rows] = np.where(able, mean, np.nan)
    return found
