"""Shapley values of regions, exactly or from samples, with the error of the sample."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

from xaimri.arrays import Array, Coalitions
from xaimri.perturb.control_variates import SHARED, cross_fitted, worth
from xaimri.perturb.least_squares import Sampled, solve


def kernel_sizes(regions: int) -> Float[Array, " sizes"]:
    """Return the Shapley kernel's weight of all coalitions of each size, 0 at the ends."""
    size = np.arange(1, regions)
    return np.concatenate([[0.0], (regions - 1) / (size * (regions - size)), [0.0]])


def from_sums(shown: Float[Array, "*some regions"], gain: Array | float) -> Float[Array, "*some regions"]:
    """Return Shapley values from the kernel-weighted sums of a game over coalitions that show each region.

    Parameters
    ----------
    shown
        Sums with the weights of :func:`kernel_sizes`.
    gain
        The game's value with all regions shown, less that with none.
    """
    regions = shown.shape[-1]
    share = np.asarray(gain)[..., None] / regions
    if regions == 1:
        return np.asarray(share + np.zeros_like(shown))
    return np.asarray(share + (shown - shown.mean(axis=-1, keepdims=True)) * (regions / (regions - 1)))


def exact(coalitions: Coalitions, values: Float[Array, " coalitions"]) -> Sampled:
    """Return the Shapley values of a game that is known for all coalitions.

    Parameters
    ----------
    coalitions
        All of them, ``(2 ** regions, regions)``, as :func:`xaimri.perturb.coalitions.all_of` lists them.
    values
        The game's value of each.

    References
    ----------
    Shapley (1953), doi:10.1515/9781400881970-018.
    """
    regions = coalitions.shape[1]
    size = coalitions.sum(axis=1)
    weights = kernel_sizes(regions)[size] / np.bincount(size)[size]
    found = from_sums((weights * values) @ coalitions, values[-1] - values[0])
    return Sampled(found, np.zeros((1, regions)))


def estimate(
    pairs: Coalitions,
    population: Int[Array, " sizes"],
    values: Float[Array, "pairs 2"],
    ends: tuple[float, float],
    *,
    adjust: bool = True,
    seed: int = 0,
) -> Sampled:
    """Sampled Shapley values from pairs of complementary coalitions; they add up exactly.

    Parameters
    ----------
    pairs, population
        As :func:`xaimri.perturb.coalitions.paired` gives them.
    values
        The game's value of each coalition, and of its complement.
    ends
        The game's value with no region shown, and with all.
    adjust
        Subtract cross-fitted surrogates whose Shapley values are known, and estimate the rest.
    seed
        Of the surrogates.

    Notes
    -----
    Least squares with the Shapley kernel's weights under the constraint that the values add up, where every
    pair stands for as many as were drawn of its size. Sizes that were drawn completely have no error; others
    have less the more of them was drawn.

    References
    ----------
    Lundberg & Lee (2017), arXiv:1705.07874; Musco & Witter (2025), arXiv:2410.01917; Witter, Liu & Musco
    (2025), arXiv:2506.11849.
    """
    regions = pairs.shape[1]
    size = pairs.sum(axis=1)
    drawn = np.bincount(size, minlength=len(population))
    sizes = kernel_sizes(regions)
    each = sizes[: len(population)] / np.maximum(population, 1)
    each[regions // 2] /= 2 if regions % 2 == 0 and regions > 1 else 1
    weights = (each * population / np.maximum(drawn, 1))[size]
    missing = (1 - drawn / np.maximum(population, 1))[size]
    design = pairs - size[:, None] / regions  # rows add up to 0
    gain = ends[1] - ends[0]
    differences = (values[:, 0] - values[:, 1] - (2 * size / regions - 1) * gain) / 2
    known, blind = np.zeros(regions), differences
    if adjust and len(pairs) >= regions and missing.any():
        known, differences, blind = _adjusted(
            pairs, design, values, ends, differences, weights, missing, seed
        )
    rest, influence = solve(design, differences, weights, intercept=False)
    if blind is not differences:
        influence = SHARED * solve(design, blind, weights, intercept=False)[1]
    influence = np.where(missing[:, None] > 0, influence * np.sqrt(missing)[:, None], 0.0)
    return Sampled(gain / regions + known + rest, influence)


def _adjusted(
    pairs: Coalitions,
    design: Float[Array, "pairs regions"],
    values: Float[Array, "pairs 2"],
    ends: tuple[float, float],
    differences: Float[Array, " pairs"],
    weights: Float[Array, " pairs"],
    missing: Float[Array, " pairs"],
    seed: int,
) -> tuple[Float[Array, " regions"], Float[Array, " pairs"], Float[Array, " pairs"]]:
    """Subtract surrogates from every pair's difference.

    Returns the Shapley values of what is subtracted, less their mean; what is left of the differences; and
    what is left where each pair's surrogate never saw it, from which the error is read. Drawing without
    replacement, the pairs that a surrogate has seen are part of the population that its rest is summed over:
    so much of the sum is known, and only the part of it that is missing rests on blind predictions.
    """
    count, regions = pairs.shape
    control = cross_fitted(
        np.concatenate([pairs, ~pairs, np.zeros((1, regions), bool), np.ones((1, regions), bool)]),
        np.concatenate([*values.T, ends]),
        np.concatenate([weights, weights, [weights.mean()] * 2]),
        kernel_sizes(regions),
        units=np.concatenate([np.arange(count), np.arange(count + 2)]),
        seed=seed,
    )
    gains = control.mean[-1] - control.mean[-2]
    share = (2 * pairs.sum(axis=1) / regions - 1)[:, None]

    def halved(predicted: Float[Array, "samples surrogates"]) -> Float[Array, "pairs surrogates"]:
        return np.asarray((predicted[:count] - predicted[count : 2 * count] - share * gains) / 2)

    blind, mean = halved(control.blind), halved(control.mean)

    def unexplained(column: Array) -> Array:
        return np.asarray(column - design @ solve(design, column, weights, intercept=False)[0])

    factors = worth(blind, differences, weights, unexplained)
    used = missing[:, None] * blind + (1 - missing[:, None]) * mean
    known = factors @ from_sums(control.shown, 0.0)
    return known, differences - used @ factors, differences - blind @ factors
