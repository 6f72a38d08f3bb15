"""The average precision, one class against the rest, for many weightings of the cases at once."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float, Int, Num

from xaimri.arrays import Array
from xaimri.evaluation.auroc import lots

TINY = 1e-9
"""Weights that add up to less are none."""


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
    order = np.argsort(-scores, kind="stable")
    falling, kept, true = -scores[order], owner[order], positive[order]
    called = np.searchsorted(falling, falling[true], "right") - 1  # the last of those with an equal score
    hit = np.searchsorted(falling[true], falling[true], "right") - 1
    for rows in lots(weights, len(scores)):
        drawn = weights[rows].astype(np.float64)[:, kept]
        above = drawn[:, true]
        hits, total = np.cumsum(above, axis=1)[:, hit], above.sum(axis=1)
        everything = np.cumsum(drawn, axis=1)
        precision = hits / np.maximum(everything[:, called], TINY)
        able = (total > 0) & (everything[:, -1] - total > TINY)
        mean = np.einsum("ij,ij->i", above, precision) / np.where(total > 0, total, 1)
        found[rows] = np.where(able, mean, np.nan)
    return found
