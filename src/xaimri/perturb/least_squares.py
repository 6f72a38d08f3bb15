"""Weighted least squares that says how far each coefficient would scatter over other samples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float, Int

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
    design: Float[Array, "samples regions"],
    responses: Float[Array, " samples"],
    weights: Float[Array, " samples"],
    *,
    penalty: float = 0.0,
    intercept: bool = True,
    units: Int[Array, " samples"] | None = None,
    correction: Literal["HC2", "HC3"] = "HC3",
) -> tuple[Float[Array, " regions"], Float[Array, "units regions"]]:
    """Fit ``responses`` by ``design`` and return coefficients and influence.

    The influence is that of a heteroscedasticity-consistent estimator: residuals are scaled up by their
    leverage, so that a fit with few units for its coefficients does not look better than it is. A unit
    that alone decides a coefficient (leverage 1) has no residual to tell an error from: NaN. The influence
    holds whether or not the responses are linear.

    Parameters
    ----------
    design
        One row per sample; rank-deficient designs give the solution of least norm.
    responses, weights
        ``(samples,)``.
    penalty
        Of the squared coefficients, as a ridge has it.
    intercept
        Fit a constant too, which is not penalised.
    units
        Numbers, 0, 1, ..., of the sampling units that the samples belong to, such as the two of a pair: the
        samples of one may depend on each other. By default each is its own.
    correction
        ``"HC3"`` divides residuals by one less their leverage: right where the rows were drawn one by one,
        since by as much as a fit follows its residuals, chance correlation of the columns widens the
        scatter. ``"HC2"`` divides by the square root: right where the columns are orthogonal by design.

    References
    ----------
    MacKinnon & White (1985), doi:10.1016/0304-4076(85)90158-7; for units of several samples Bell & McCaffrey
    (2002), Survey Methodology 28, 169-181.

    Examples
    --------
    >>> design, weights = np.array([[1.0], [0.0], [1.0], [0.0]]), np.ones(4)
    >>> coefficients, influence = solve(design, np.array([3.0, 0.0, 5.0, 2.0]), weights)
    >>> coefficients.tolist(), bool(abs(influence.sum()) < 1e-12)
    ([3.0], True)
    """
    total = weights.sum()
    centre, level = (weights @ design / total, weights @ responses / total) if intercept else (0.0, 0.0)
    rows, answers = design - centre, responses - level
    gram = rows.T @ (weights[:, None] * rows) + penalty * np.eye(rows.shape[1])
    inverse = np.linalg.pinv(gram, rcond=1e-10, hermitian=True)
    coefficients = inverse @ (rows.T @ (weights * answers))
    root = np.sqrt(weights)
    influence = _influence(
        root[:, None] * rows,
        root * (answers - rows @ coefficients),
        inverse,
        root / np.sqrt(total) if intercept else 0 * root,
        np.arange(len(rows)) if units is None else units,
        -1.0 if correction == "HC3" else -0.5,
    )
    return coefficients, influence


def _influence(
    rows: Float[Array, "samples regions"],
    residuals: Float[Array, " samples"],
    inverse: Float[Array, "regions regions"],
    constant: Float[Array, " samples"],
    units: Int[Array, " samples"],
    power: float,
) -> Float[Array, "units regions"]:
    """Return every unit's influence, its residuals times ``(1 - leverage) ** power``.

    Rows, residuals and the constant's unit vector are multiplied by the square root of the weights.
    """
    counts, order = np.bincount(units), np.argsort(units, kind="stable")
    influence = np.empty((len(counts), rows.shape[1]))
    for count in np.unique(counts):
        here = counts == count
        members = order[here[units[order]]].reshape(-1, count)
        part, one = rows[members] @ inverse, constant[members]
        leverage = part @ rows[members].swapaxes(1, 2) + one[:, :, None] * one[:, None, :]
        left, axes = np.linalg.eigh(np.eye(count) - leverage)
        scale = np.where(left > 1e-8, np.maximum(left, 1e-8) ** power, np.nan)
        scaled = axes @ (scale[:, :, None] * (axes.swapaxes(1, 2) @ residuals[members][:, :, None]))
        influence[here] = (part * scaled).sum(axis=1)
    return influence
