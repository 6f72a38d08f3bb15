"""The local linear surrogate of LIME: fitted by the ``lime`` package, with the error of its sample."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from jaxtyping import Float, Int

from xaimri.arrays import Array, Coalitions
from xaimri.perturb.coalitions import whole_block
from xaimri.perturb.control_variates import SHARED, cross_fitted, worth
from xaimri.perturb.least_squares import Sampled, solve

Kernel: TypeAlias = Literal["exponential", "uniform"]
"""``"exponential"``: ``sqrt(exp(-d**2 / width**2))``, the package's own; ``"uniform"``: no locality."""

Distance: TypeAlias = Literal["cosine", "euclidean", "manhattan", "hamming", "jaccard"]
"""From the image itself, by name as scikit-learn and the package have it."""

Selection: TypeAlias = Literal["auto", "none", "highest_weights", "forward_selection", "lasso_path"]
"""How the package chooses ``features`` regions for its fit."""

PENALTY = 1.0
"""Of the package's ridge."""


@dataclass(frozen=True)
class Locality:
    """How much a coalition counts, by its distance from the whole image."""

    kernel: Kernel = "exponential"
    distance: Distance = "cosine"
    width: float = 0.25

    def weights(self, coalitions: Coalitions) -> Float[Array, " samples"]:
        """Return the weight of every coalition, as the ``lime`` package has it."""
        from sklearn.metrics import pairwise_distances

        if self.kernel == "uniform":
            return np.ones(len(coalitions))
        boolean = self.distance in ("hamming", "jaccard")
        data = coalitions if boolean else coalitions.astype(np.float64)
        far = pairwise_distances(data, np.ones_like(data[:1]), metric=self.distance).ravel()
        return np.asarray(np.sqrt(np.exp(-(far**2) / self.width**2)))

    def of_sizes(self, regions: int) -> Float[Array, " sizes"]:
        """Return the weight of random halves by how many regions they show, ``(regions + 1,)``."""
        from scipy.stats import binom  # slow to load, and no other method needs it

        size = np.arange(regions + 1)
        ladder = np.tri(regions + 1, regions, -1, dtype=bool)  # row k shows the first k
        return np.asarray(binom.pmf(size, regions, 0.5) * self.weights(ladder))


@dataclass(frozen=True, eq=False)
class Design:
    """The coalitions that a surrogate is fitted to.

    Attributes
    ----------
    coalitions
        ``(samples, regions)``.
    weights
        ``(samples,)``.
    sizes
        ``(regions + 1,)``: expected weight of a sample by how many regions it shows.
    pairs
        ``(samples,)``: to which pair each belongs, of coalitions that are orthogonal by design
        (:func:`xaimri.perturb.coalitions.orthogonal`); None where each was drawn by itself.
    """

    coalitions: Coalitions
    weights: Float[Array, " samples"]
    sizes: Float[Array, " sizes"]
    pairs: Int[Array, " samples"] | None = None

    def influence(
        self, chosen: Int[Array, " chosen"], responses: Float[Array, " samples"]
    ) -> tuple[Float[Array, " chosen"], Float[Array, "units chosen"]]:
        """Fit responses by the chosen regions; return coefficients and influence."""
        columns = self.coalitions[:, chosen].astype(np.float64)
        correction: Literal["HC2", "HC3"] = "HC2" if self._balanced else "HC3"
        return solve(
            columns, responses, self.weights, penalty=PENALTY, units=self.pairs, correction=correction
        )

    @property
    def _balanced(self) -> bool:
        """Whether columns are orthogonal by design: not before the first block is whole."""
        return self.pairs is not None and len(self.coalitions) >= whole_block(self.coalitions.shape[1])


@dataclass(frozen=True, eq=False)
class Surrogate:
    """A weighted linear fit: ``intercept + coalition . coefficients``.

    Attributes
    ----------
    estimate
        Coefficients ``(regions,)``, 0 for regions left out by feature selection, and their influence, NaN
        for these.
    intercept
        The fit's value with every region hidden.
    r2
        Weighted share of the responses' variance that the fit explains, at most 1.
    """

    estimate: Sampled
    intercept: float
    r2: float

    @property
    def coefficients(self) -> Float[Array, " regions"]:
        """``(regions,)``."""
        return self.estimate.values


def fit(
    design: Design,
    responses: Float[Array, " samples"],
    *,
    features: int = 100_000,
    selection: Selection = "auto",
    seed: int = 0,
) -> Surrogate:
    """Fit the surrogate as ``lime.lime_image`` does, and add how it would scatter over other samples.

    Parameters
    ----------
    design
        Coalitions with the package's weights.
    responses
        The explained score under each.
    features, selection
        Most regions in the fit, and how they are chosen; errors hold for the choice that was made.
    seed
        Random state of the package's regressors.
    """
    from lime.lime_base import LimeBase

    base = LimeBase(lambda given: given, False, random_state=np.random.RandomState(seed))
    intercept, pairs, r2, _ = base.explain_instance_with_data(
        design.coalitions.astype(np.float64),
        np.asarray(responses, dtype=np.float64)[:, None],
        design.weights,
        0,
        features,
        feature_selection=selection,
    )
    values = np.zeros(design.coalitions.shape[1])
    chosen = np.array(sorted(int(region) for region, _ in pairs), dtype=np.int64)
    for region, value in pairs:
        values[region] = value
    influence = _widened(design.influence(chosen, responses)[1], chosen, len(values))
    return Surrogate(Sampled(values, influence), float(intercept), float(r2))


def constant(level: float, regions: int) -> Surrogate:
    """Return the fit to a score that no coalition changes."""
    return Surrogate(Sampled(np.zeros(regions), np.zeros((1, regions))), level, 1.0)


def _widened(
    influence: Float[Array, "units chosen"], chosen: Int[Array, " chosen"], regions: int
) -> Float[Array, "units regions"]:
    """Lay the influence on the chosen regions among all regions; the others have none (NaN)."""
    found = np.full((len(influence), regions), np.nan)
    found[:, chosen] = influence
    return found


def adjusted(
    plain: Surrogate, design: Design, responses: Float[Array, " samples"], *, seed: int = 0
) -> Surrogate:
    """Fit the same surrogate to what cross-fitted regressions leave of the responses, and add theirs back.

    The limit is the plain fit's, with its penalty and its choice of regions; the sampling error is smaller,
    by as much as the responses can be predicted.

    Parameters
    ----------
    plain
        What :func:`fit` found.
    """
    coalitions, weights = design.coalitions, design.weights
    samples, regions = coalitions.shape
    chosen = np.flatnonzero(np.isfinite(plain.estimate.influence).all(axis=0))
    if samples < 2 * regions or not len(chosen):
        return plain
    control = cross_fitted(coalitions, responses, weights, design.sizes, units=design.pairs, seed=seed)
    columns = coalitions[:, chosen].astype(np.float64)

    def unexplained(column: Array) -> Array:
        rest = column - columns @ solve(columns, column, weights, penalty=PENALTY)[0]
        return np.asarray(rest - np.average(rest, weights=weights))

    factors = worth(control.blind, responses, weights, unexplained)
    known = _limit(control.total, control.shown, design.sizes, chosen, PENALTY / samples)
    rest, influence = design.influence(chosen, responses - control.blind @ factors)
    values = np.zeros(regions)
    values[chosen] = factors @ known + rest
    centre = np.average(responses - coalitions @ values, weights=weights)
    return Surrogate(Sampled(values, _widened(SHARED * influence, chosen, regions)), float(centre), plain.r2)


def _limit(
    total: Float[Array, " functions"],
    shown: Float[Array, "functions regions"],
    sizes: Float[Array, " sizes"],
    chosen: Int[Array, " chosen"],
    penalty: float,
) -> Float[Array, "functions chosen"]:
    """Return the ridge fit of functions over all coalitions, from their sums; penalty is per sample."""
    regions, size = len(sizes) - 1, np.arange(len(sizes))
    mass, one = sizes.sum(), sizes @ size / regions
    two = sizes @ (size * (size - 1)) / (regions * max(regions - 1, 1))
    count = len(chosen)
    gram = (one - two + penalty) * np.eye(count) + (two - one**2 / mass)
    answers = shown[:, chosen] - total[:, None] * one / mass
    return np.asarray(np.linalg.solve(gram, answers.T).T)


def exhaustive(
    shown: Float[Array, " regions"], total: float, sizes: Float[Array, " sizes"], samples: int
) -> Float[Array, " regions"]:
    """Return the coefficients of a fit to all coalitions, penalised as the fit to ``samples`` of them is.

    Parameters
    ----------
    shown, total
        The responses' weighted sums over the coalitions that show each region, and over all.
    sizes
        ``(regions + 1,)``: weight of the coalitions of each size.
    samples
        To which the penalty is scaled.
    """
    found = _limit(np.array([total]), shown[None], sizes, np.arange(len(shown)), PENALTY / samples)
    return np.asarray(found[0])
