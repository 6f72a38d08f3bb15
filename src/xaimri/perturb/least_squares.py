"""Weighted least squares that says how far each coefficient would scatter over other samples."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from xaimri.arrays import Array


@dataclass(frozen=True, eq=False)
class Sampled:
    """Values with what every independent sample contributed to their error.

    Attributes
    ----------
    values
        ``(regions,)``.
    influence
        ``(units, regions)``: by how much each sampling unit moved the values; the sum of their squares is
        the variance, of one value or of any difference.

    Examples
    --------
    >>> found = Sampled(np.array([2.0, 1.0]), np.array([[0.3, 0.3], [0.4, -0.4]]))
    >>> found.errors.tolist(), float(found.error_of(np.array([1.0, -1.0])))
    ([0.5, 0.5], 0.8)
    """

    values: Float[Array, " regions"]
    influence: Float[Array, "units regions"]

    @property
    def errors(self) -> Float[Array, " regions"]:
        """Standard error of every value."""
        return np.asarray(np.sqrt((self.influence**2).sum(axis=0)))

    def error_of(self, combination: Float[Array, "*some regions"]) -> Float[Array, "*some"]:
        """Return the standard error of linear combinations of the values, such as differences."""
        return np.asarray(np.sqrt(((self.influence @ combination.T) ** 2).sum(axis=0)))


def solve(
    design: Float[Array, "units regions"],
    responses: Float[Array, " units"],
    weights: Float[Array, " units"],
    *,
    penalty: float = 0.0,
    intercept: bool = True,
) -> tuple[Float[Array, " regions"], Float[Array, "units regions"]]:
    """Fit ``responses`` by ``design`` and return coefficients and influence.

    The influence is that of the heteroscedasticity-consistent estimator HC3: residuals are scaled up by
    their leverage, so that a fit with few units for its coefficients does not look better than it is. A unit
    that alone decides a coefficient (leverage 1) has no residual to tell an error from: NaN. The influence
    holds whether or not the responses are linear.

    Parameters
    ----------
    design
        One row per unit; rank-deficient designs give the solution of least norm.
    responses, weights
        ``(units,)``.
    penalty
        Of the squared coefficients, as a ridge has it.
    intercept
        Fit a constant too, which is not penalised.

    References
    ----------
    MacKinnon & White (1985), doi:10.1016/0304-4076(85)90158-7.
    """
    total = weights.sum()
    centre, level = (weights @ design / total, weights @ responses / total) if intercept else (0.0, 0.0)
    rows, answers = design - centre, responses - level
    gram = rows.T @ (weights[:, None] * rows) + penalty * np.eye(rows.shape[1])
    inverse = np.linalg.pinv(gram, rcond=1e-10, hermitian=True)
    coefficients = inverse @ (rows.T @ (weights * answers))
    projected = rows @ inverse
    leverage = weights * ((projected * rows).sum(axis=1) + (1 / total if intercept else 0.0))
    residual = weights * (answers - rows @ coefficients) / np.where(leverage < 1 - 1e-8, 1 - leverage, np.nan)
    return coefficients, projected * residual[:, None]
