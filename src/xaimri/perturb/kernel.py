"""Kernel ridge regression over coalitions, whose moments are known exactly: a surrogate to subtract."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from xaimri.arrays import Array, Coalitions
from xaimri.perturb.coalitions import log_binomial

SHARPNESS = 1.0
"""Of the kernel ``exp(SHARPNESS * (1 - 2 h / regions))``, ``h`` the number of regions that differ."""

TOGETHER = 1000
"""Coalitions whose kernel is held in memory at once."""

PENALTIES = np.logspace(-3, 1, 9)


@dataclass(frozen=True, eq=False)
class Kernels:
    """A sum of bumps, one around each coalition that it was fitted to, that fall with the Hamming distance.

    Attributes
    ----------
    centres
        ``(bumps, regions)``.
    heights
        ``(bumps,)``.

    Examples
    --------
    >>> one = Kernels(np.array([[True, True, False]]), np.array([1.0]))
    >>> half = np.array([1.0, 3.0, 3.0, 1.0]) / 8  # the sizes of random halves of three regions
    >>> mean, shown = one.moments(half)
    >>> bool(np.isclose(mean, np.cosh(1 / 3) ** 3))
    True
    """

    centres: Bool[Array, "bumps regions"]
    heights: Float[Array, " bumps"]

    def __call__(self, coalitions: Coalitions) -> Float[Array, " samples"]:
        """Return the sum at every coalition."""
        parts = [
            _kernel(coalitions[first : first + TOGETHER], self.centres) @ self.heights
            for first in range(0, len(coalitions), TOGETHER)
        ]
        return np.concatenate(parts)

    def moments(self, sizes: Float[Array, " sizes"]) -> tuple[float, Float[Array, " regions"]]:
        """Return the sums of the function, and of the function where each region is shown.

        ``sizes`` is as in :meth:`xaimri.perturb.trees.Trees.moments`.
        """
        every, inside, outside = _tables(sizes)[:, self.centres.sum(axis=1)] * self.heights
        first = inside @ self.centres + outside @ ~self.centres
        return float(every.sum()), np.asarray(first, dtype=np.float64)


def _kernel(
    a: Bool[Array, "first regions"], b: Bool[Array, "second regions"]
) -> Float[Array, "first second"]:
    """Return the kernel between all pairs of coalitions."""
    signs = [2.0 * x - 1 for x in (a, b)]
    return np.asarray(np.exp(SHARPNESS / a.shape[1] * (signs[0] @ signs[1].T)))


def _tables(sizes: Float[Array, " sizes"]) -> Float[Array, "3 sizes"]:
    """Sum a bump over all coalitions, by how many regions its centre shows.

    First as it is; then over the coalitions that show one given region of the centre; then over those that
    show one given region outside the centre.
    """
    d = len(sizes) - 1
    # how many regions the centre shows, the coalition shows, and both of them show
    centre, size, both = np.ogrid[: d + 1, : d + 1, : d + 1]
    possible = (both <= centre) & (both <= size) & (size - both <= d - centre)
    chance = log_binomial(centre, both) + log_binomial(d - centre, size - both) - log_binomial(d, size)
    with np.errstate(invalid="ignore"):
        bump = np.where(possible, np.exp(chance + SHARPNESS * (1 - 2 * (centre + size - 2 * both) / d)), 0.0)
    bump = bump * sizes[None, :, None]
    inside = both / np.maximum(centre, 1)
    outside = (size - both) / np.maximum(d - centre, 1)
    return np.stack([(bump * share).sum(axis=(1, 2)) for share in (1.0, inside, outside)])


def fit_kernels(
    coalitions: Coalitions, responses: Float[Array, " samples"], weights: Float[Array, " samples"]
) -> Kernels:
    """Fit a weighted kernel ridge whose penalty is chosen by leaving samples out."""
    root = np.sqrt(weights / weights.mean())
    powers, vectors = np.linalg.eigh(root[:, None] * _kernel(coalitions, coalitions) * root)
    turned = vectors.T @ (root * responses)
    best, heights = np.inf, np.zeros(len(responses))
    for penalty in PENALTIES:
        shrunk = 1 / (np.maximum(powers, 0) + penalty)
        dual = vectors @ (shrunk * turned)
        left_out = dual / np.maximum((vectors**2) @ shrunk, 1e-12)
        if (loss := float((left_out**2).mean())) < best:
            best, heights = loss, root * dual
    return Kernels(coalitions, heights)
