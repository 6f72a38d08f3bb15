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
    order = np.argsort(scores[~positive], kind="stable")
    negative, kept = scores[~positive][order], owner[~positive][order]
    lower, equal = (np.searchsorted(negative, scores[positive], side) for side in ("left", "right"))
    for rows in lots(weights, len(scores)):
        drawn = weights[rows].astype(np.float64)
        above, below = drawn[:, owner[positive]], np.zeros((len(drawn), len(kept) + 1))
        np.cumsum(drawn[:, kept], axis=1, out=below[:, 1:])
        pairs = above.sum(axis=1) * below[:, -1]
        # the negatives with a lower score, and half of the equal
        won = np.einsum("ij,ij->i", above, below[:, lower] + below[:, equal]) / 2
        found[rows] = np.where(pairs > 0, won / np.where(pairs > 0, pairs, 1), np.nan)
    return found


def lots(weights: Num[Array, "weightings subjects"], cases: int) -> Iterator[slice]:
    """Yield which weightings are looked at together, of so many cases."""
    count = max(1, AT_ONCE // cases)
    for first in range(0, len(weights), count):
        yield slice(first, first + count)
