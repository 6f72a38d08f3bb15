"""Regression adjustment: surrogates of the responses, each blind to the samples that it is taken from.

A surrogate whose sums over all coalitions are known exactly is subtracted from the responses; what is
estimated from samples is only the rest. Trees and kernels are fitted to part of the samples and predict the
others (cross-fitting), so that no sample is explained by itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from xaimri.arrays import Array, Coalitions
from xaimri.perturb.kernel import Kernels, fit_kernels
from xaimri.perturb.least_squares import solve
from xaimri.perturb.trees import Trees, fit_trees

FOLDS = 5
SHARED = 1.05
"""By how much errors read from blind predictions are widened.

The folds' fits share most of their samples, so what they leave is not quite independent: values are off
by 2 to 8 % more than that tells (``benchmarks/coverage.py`` with 1.0 here).
"""

MOST = 1500
"""Samples that a surrogate is fitted to, at most."""


@dataclass(frozen=True, eq=False)
class Control:
    """Cross-fitted surrogates, side by side.

    Attributes
    ----------
    blind
        ``(samples, surrogates)``: predictions by the surrogates that did not see the sample.
    mean
        ``(samples, surrogates)``: the mean of all folds' predictions.
    shown
        ``(surrogates, regions)``: sums over all coalitions that show a region, by the sizes given.
    total
        ``(surrogates,)``: sums over all coalitions.
    """

    blind: Float[Array, "samples surrogates"]
    mean: Float[Array, "samples surrogates"]
    shown: Float[Array, "surrogates regions"]
    total: Float[Array, " surrogates"]


def cross_fitted(
    coalitions: Coalitions,
    responses: Float[Array, " samples"],
    weights: Float[Array, " samples"],
    sizes: Float[Array, " sizes"],
    *,
    units: Int[Array, " samples"] | None = None,
    seed: int,
) -> Control:
    """Fit trees and kernels to each share of the samples and predict the rest.

    Parameters
    ----------
    coalitions, responses, weights
        The samples. What a linear fit explains is taken away first, since the estimators do that anyway.
    sizes
        ``(regions + 1,)``: weight of the coalitions of each size in the sums.
    units
        Samples of one unit stay together, such as the two of a pair.
    seed
        Of folds and trees.

    References
    ----------
    Witter, Liu & Musco (2025), arXiv:2506.11849.
    """
    generator = np.random.default_rng(seed)
    units = np.arange(len(responses)) if units is None else units
    fold = (generator.permutation(int(units.max()) + 1) % FOLDS)[units]
    blind, mean = np.zeros((len(responses), 2)), np.zeros((len(responses), 2))
    shown, total = np.zeros((2, coalitions.shape[1])), np.zeros(2)
    for number in range(FOLDS):
        inside = fold == number
        seen = generator.permutation(np.flatnonzero(~inside))[:MOST]
        share = inside.mean()
        given = coalitions[seen], _not_linear(coalitions[seen], responses[seen], weights[seen]), weights[seen]
        fitted: tuple[Trees | Kernels, ...] = (fit_trees(*given, seed=seed), fit_kernels(*given))
        for column, surrogate in enumerate(fitted):
            predicted = surrogate(coalitions)
            blind[inside, column] = predicted[inside]
            mean[:, column] += share * predicted
            mass, first = surrogate.moments(sizes)
            total[column] += share * mass
            shown[column] += share * first
    return Control(blind, mean, shown, total)


def _not_linear(
    coalitions: Coalitions, responses: Float[Array, " samples"], weights: Float[Array, " samples"]
) -> Float[Array, " samples"]:
    """Return what a linear fit of the responses leaves over."""
    design = coalitions.astype(np.float64)
    coefficients, _ = solve(design, responses, weights, penalty=float(weights.mean()))
    rest = responses - design @ coefficients
    return np.asarray(rest - np.average(rest, weights=weights))


def worth(
    blind: Float[Array, "samples surrogates"],
    responses: Float[Array, " samples"],
    weights: Float[Array, " samples"],
    unexplained: Callable[[Array], Array],
) -> Float[Array, " surrogates"]:
    """Return how much of each surrogate to subtract, 0 to 1: what leaves the least unexplained.

    ``unexplained`` takes away from a column what the final linear fit explains anyway.
    """
    from scipy.optimize import nnls

    root = np.sqrt(weights)
    columns = np.stack([root * unexplained(column) for column in blind.T], axis=1)
    factors, _ = nnls(columns, root * unexplained(responses))
    return np.minimum(factors, 1.0)
