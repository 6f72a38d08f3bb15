"""The average precision, one class against the rest, for many weightings of the cases at once."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float, Int

from xaimri.arrays import Array
from xaimri.evaluation.auroc import AT_ONCE


def average_precision(
    scores: Float[Array, " cases"],
    positive: Bool[Array, " cases"],
    weights: Int[Array, "resamples subjects"],
    owner: Int[Array, " cases"],
) -> Float[Array, " resamples"]:
    """Return the mean precision over positive cases, each at its own score as the threshold.

    Parameters
    ----------
    scores, positive, weights, owner
        As `xaimri.evaluation.auroc.auroc` takes them.

    Returns
    -------
    Float[Array, " resamples"]
        Chance is the share of positive cases. NaN where a resample has no positive or no negative case.

    Notes
    -----
    The area under the curve of precision over recall by steps, without interpolation; equal scores are
    called positive together.

    Examples
    --------
    >>> once = np.ones((1, 4), int)
    >>> positive = np.array([False, False, True, True])
    >>> average_precision(np.array([0.1, 0.5, 0.4, 0.9]), positive, once, np.arange(4))
    array([0.83333333])
    """
    order = np.argsort(-scores, kind="stable")
    starts = np.flatnonzero(np.diff(-scores[order], prepend=-np.inf))
    owner, positive = owner[order], positive[order]
    found = np.empty(len(weights))
    rows = max(1, AT_ONCE // len(scores))
    for first in range(0, len(weights), rows):
        drawn = weights[first : first + rows, owner]
        hits = np.add.reduceat(np.where(positive, drawn, 0), starts, axis=1).astype(np.float64)
        called = np.cumsum(np.add.reduceat(drawn, starts, axis=1), axis=1)
        precision = np.cumsum(hits, axis=1) / np.maximum(called, 1)
        total = hits.sum(axis=1)
        able = (total > 0) & (total < called[:, -1])
        mean = (hits * precision).sum(axis=1) / np.maximum(total, 1)
        found[first : first + rows] = np.where(able, mean, np.nan)
    return found
