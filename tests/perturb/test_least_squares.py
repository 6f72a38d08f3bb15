"""The error of a fit: what each unit does when it is left out, and what scatter it stands for on average."""

import numpy as np
import pytest

from xaimri.perturb.least_squares import solve

UNITS = np.array([0, 3, 1, 1, 2, 3, 4, 5, 4, 6, 6, 6])


def problem(seed=0, regions=3):
    generator = np.random.default_rng(seed)
    design = generator.normal(size=(len(UNITS), regions))
    return design, generator.normal(size=len(UNITS)), generator.uniform(0.2, 2, len(UNITS))


@pytest.mark.parametrize("penalty", [0.0, 0.7])
@pytest.mark.parametrize("units", [None, UNITS], ids=["each its own", "units"])
def test_influence_is_what_leaving_a_unit_out_does(units, penalty):
    design, responses, weights = problem()
    columns = np.c_[np.ones(len(design)), design]
    ridge = np.diag([0.0, *[penalty] * design.shape[1]])

    def fit(kept):
        x, w = columns[kept], weights[kept]
        return np.linalg.solve(x.T @ (w[:, None] * x) + ridge, x.T @ (w * responses[kept]))

    whole = fit(np.full(len(design), True))
    coefficients, influence = solve(design, responses, weights, penalty=penalty, units=units)
    np.testing.assert_allclose(coefficients, whole[1:], atol=1e-10)
    of = np.arange(len(design)) if units is None else units
    for unit in range(of.max() + 1):
        np.testing.assert_allclose(influence[unit], (whole - fit(of != unit))[1:], atol=1e-10)


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("units", [None, UNITS], ids=["each its own", "units"])
def test_hc2_is_right_on_average_where_all_responses_scatter_alike(units, intercept):
    # the mean over scattered responses, summed over a basis of them, is exactly the textbook variance
    design, _, _ = problem(1)
    ones = np.ones(len(design))
    total = sum(
        (solve(design, one, ones, units=units, intercept=intercept, correction="HC2")[1] ** 2).sum(axis=0)
        for one in np.eye(len(design))
    )
    rows = design - design.mean(axis=0) if intercept else design
    np.testing.assert_allclose(total, np.diag(np.linalg.inv(rows.T @ rows)), atol=1e-10)


def test_a_unit_that_alone_decides_tells_no_error():
    design = np.array([[1.0, 0], [0, 0], [0, 1], [0, 1], [0, 0], [0, 0]])
    responses, ones = np.array([1.0, 2, 3, 4, 5, 6]), np.ones(6)
    alone = solve(design, responses, ones, units=np.array([0, 0, 1, 2, 3, 4]))[1]
    assert np.isnan(alone[0]).all()
    assert np.isfinite(alone[1:]).all()
