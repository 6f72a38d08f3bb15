"""The area under the ROC curve, one class against the rest, for many weightings of the cases at once."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from jaxtyping import Bool, Float, Int, Num

from xaimri.arrays import Array

AT_ONCE = 1 << 17
"""Weights that are looked at together: 1 MB of them, which a processor keeps at hand."""


def auroc(
    scores: Float[Array, " cases"],
    positive: Bool[Array, " cases"],
    weights: Num[Array, "weightings subjects"],
    owner: Int[Array, " cases"],
) -> Float[Array, " weightings"]:
    """Return how often a positive case has the higher score than a negative one; equal scores count half.

    Parameters
    ----------
    scores
        Such as the probability of the class.
    positive
        Which cases are of the class.
    weights
        How often each subject counts, in every weighting.
    owner
        Whose case each is, as a column of ``weights``.

    Returns
    -------
    Float[Array, " weightings"]
        0.5 is chance. NaN where a weighting has no positive or no negative case.

    Notes
    -----
    By ranks, equal scores sharing their mean rank [1]_: one sort, whatever the number of weightings.

    References
    ----------
    .. [1] Hanley and McNeil, "The meaning and use of the area under a receiver operating characteristic
       (ROC) curve", Radiology 143, 1982. https://doi.org/10.1148/radiology.143.1.7063747

    Examples
    --------
    >>> once = np.ones((1, 4))
    >>> auroc(np.array([0.1, 0.5, 0.5, 0.9]), np.array([False, False, True, True]), once, np.arange(4))
    array([0.875])
    """
    found = np.empty(len(weights))
    for rows, above, below in rising(scores, positive, weights, owner):
        lower = np.cumsum(below, axis=1) - below / 2  # negatives with a lower score, and half of the equal
        pairs = above.sum(axis=1) * below.sum(axis=1)
        won = (above * lower).sum(axis=1)
        found[rows] = np.where(pairs > 0, won / np.where(pairs > 0, pairs, 1), np.nan)
    return found


def rising(
    scores: Float[Array, " cases"],
    positive: Bool[Array, " cases"],
    weights: Num[Array, "weightings subjects"],
    owner: Int[Array, " cases"],
) -> Iterator[tuple[slice, Float[Array, "some scores"], Float[Array, "some scores"]]]:
    """Yield, for some weightings at once, how many positives and negatives have each score, rising."""
    order = np.argsort(scores, kind="stable")
    starts = np.flatnonzero(np.diff(scores[order], prepend=-np.inf))
    owner, positive = owner[order], positive[order]
    count = max(1, AT_ONCE // len(scores))
    for first in range(0, len(weights), count):
        rows = slice(first, first + count)
        drawn = weights[rows][:, owner]
        kinds = (np.where(positive, drawn, 0), np.where(positive, 0, drawn))
        above, below = (np.add.reduceat(each, starts, axis=1).astype(np.float64) for each in kinds)
        yield rows, above, below
