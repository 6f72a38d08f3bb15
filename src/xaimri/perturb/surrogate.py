"""The local linear surrogate of LIME, fitted by the ``lime`` package itself."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from xaimri.arrays import Array, Coalitions


@dataclass(frozen=True, eq=False)
class Surrogate:
    """A weighted linear fit: ``intercept + coalition . coefficients``.

    Attributes
    ----------
    coefficients
        ``(regions,)``: 0 for regions left out by feature selection.
    intercept
        The fit's value with every region hidden.
    r2
        Weighted share of the responses' variance that the fit explains, at most 1.
    """

    coefficients: Float[Array, " regions"]
    intercept: float
    r2: float


def cosine_distances(coalitions: Coalitions) -> Float[Array, " samples"]:
    """Return the cosine distance of every coalition from the first, as the ``lime`` package does."""
    from sklearn.metrics import pairwise_distances

    data = coalitions.astype(np.float64)
    distances: Array = pairwise_distances(data, data[:1], metric="cosine").ravel()
    return distances


def fit(
    coalitions: Coalitions,
    responses: Float[Array, " samples"],
    *,
    kernel_width: float,
    features: int,
    seed: int,
) -> Surrogate:
    """Fit the surrogate as ``lime.lime_image`` does.

    Parameters
    ----------
    coalitions
        ``(samples, regions)``, the first row showing all.
    responses
        ``(samples,)``: the explained score under each coalition.
    kernel_width
        Width of the exponential kernel on the cosine distance.
    features
        Most regions in the fit; the package's ``num_features``.
    seed
        Random state of the package's regressors.
    """
    from lime.lime_base import LimeBase

    def kernel(distance: Array) -> Array:
        weights: Array = np.sqrt(np.exp(-(distance**2) / kernel_width**2))
        return weights

    base = LimeBase(kernel, False, random_state=np.random.RandomState(seed))
    intercept, pairs, r2, _ = base.explain_instance_with_data(
        coalitions.astype(np.float64),
        np.asarray(responses, dtype=np.float64)[:, None],
        cosine_distances(coalitions),
        0,
        features,
        feature_selection="auto",
    )
    coefficients = np.zeros(coalitions.shape[1])
    for region, value in pairs:
        coefficients[region] = value
    return Surrogate(coefficients, float(intercept), float(r2))
