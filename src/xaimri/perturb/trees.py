"""Gradient-boosted trees of coalitions, whose moments are known exactly: a surrogate to subtract."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from xaimri.arrays import Array, Coalitions
from xaimri.perturb.coalitions import log_binomial


@dataclass(frozen=True, eq=False)
class Leaves:
    """A sum of indicators: each leaf adds its value where some regions are shown and some are hidden.

    Attributes
    ----------
    shown, hidden
        ``(leaves, regions)``: regions that a leaf asks to be shown, and to be hidden.
    values
        ``(leaves,)``.

    Examples
    --------
    >>> both = Leaves(np.array([[True, True, False]]), np.zeros((1, 3), bool), np.array([6.0]))
    >>> half = np.array([1.0, 3.0, 3.0, 1.0]) / 8  # the sizes of random halves of three regions
    >>> mean, shown = both.moments(half)
    >>> float(mean), shown.tolist()
    (1.5, [1.5, 1.5, 0.75])
    """

    shown: Bool[Array, "leaves regions"]
    hidden: Bool[Array, "leaves regions"]
    values: Float[Array, " leaves"]

    def moments(self, sizes: Float[Array, " sizes"]) -> tuple[float, Float[Array, " regions"]]:
        """Return the sums of the function, and of the function where each region is shown.

        Parameters
        ----------
        sizes
            ``(regions + 1,)``: the weight of all coalitions that show 0, 1, ... regions, shared evenly
            among those of one size.
        """
        regions = self.shown.shape[1]
        if not len(self.values):
            return 0.0, np.zeros(regions)
        asked, refused = self.shown.sum(axis=1), self.hidden.sum(axis=1)
        pairs, kind = np.unique(np.stack([asked, refused], axis=1), axis=0, return_inverse=True)
        kind = kind.reshape(-1)
        here, one_more = (
            np.array([_share(sizes, p + more, q) for p, q in pairs.tolist()])[kind] * self.values
            for more in (0, 1)
        )
        first = one_more.sum() + (here - one_more) @ self.shown - one_more @ self.hidden
        return float(here.sum()), np.asarray(first, dtype=np.float64)


def _share(sizes: Float[Array, " sizes"], asked: int, refused: int) -> float:
    """Return the weight of the coalitions that show so many given regions and hide so many given others."""
    regions, free = len(sizes) - 1, len(sizes) - 1 - asked - refused
    if free < 0:
        return 0.0
    k = np.arange(asked, asked + free + 1)
    part = log_binomial(free, k - asked) - log_binomial(regions, k)
    return float(sizes[k] @ np.exp(part))


@dataclass(frozen=True, eq=False)
class Trees:
    """Boosted trees fitted to the responses of coalitions."""

    model: Any
    offset: float
    leaves: Leaves

    def __call__(self, coalitions: Coalitions) -> Float[Array, " samples"]:
        """Return the trees' answer to every coalition."""
        return np.asarray(self.model.predict(coalitions.astype(np.float32)), dtype=np.float64)

    def moments(self, sizes: Float[Array, " sizes"]) -> tuple[float, Float[Array, " regions"]]:
        """Return the sums over all coalitions, and over those that show each region; see `Leaves.moments`."""
        total, shown = self.leaves.moments(sizes)
        size = np.arange(len(sizes))
        return total + self.offset * float(sizes.sum()), shown + self.offset * float(sizes @ size) / size[-1]


def fit_trees(
    coalitions: Coalitions,
    responses: Float[Array, " samples"],
    weights: Float[Array, " samples"] | None = None,
    *,
    seed: int,
) -> Trees:
    """Fit boosted regression trees (scikit-learn's) to the responses."""
    from sklearn.ensemble import GradientBoostingRegressor

    model = GradientBoostingRegressor(
        n_estimators=100, learning_rate=0.1, max_depth=4, subsample=0.5, max_features=0.5, random_state=seed
    )
    model.fit(coalitions.astype(np.float32), responses, sample_weight=weights)
    offset = float(model.init_.constant_.ravel()[0])
    regions = coalitions.shape[1]
    parts = [leaf for tree in model.estimators_[:, 0] for leaf in _leaves(tree.tree_, regions)]
    shown, hidden, values = zip(*parts, strict=True)
    return Trees(
        model, offset, Leaves(np.array(shown), np.array(hidden), model.learning_rate * np.array(values))
    )


def _leaves(tree: Any, regions: int) -> Iterator[tuple[Array, Array, float]]:
    """Walk through one tree of scikit-learn: what each leaf asks of the regions, and its value."""
    left, right, feature = tree.children_left, tree.children_right, tree.feature
    values = tree.value.ravel()
    waiting = [(0, np.zeros(regions, bool), np.zeros(regions, bool))]
    while waiting:
        node, shown, hidden = waiting.pop()
        if left[node] < 0:
            yield shown, hidden, float(values[node])
            continue
        region = feature[node]
        below, above = hidden.copy(), shown.copy()
        below[region] = above[region] = True
        waiting += [(left[node], shown, below), (right[node], above, hidden)]
