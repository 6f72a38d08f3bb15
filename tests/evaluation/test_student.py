"""Quantiles of Student's t are those of SciPy's distribution, and of the normal without end."""

import math

import pytest
from scipy import stats

from xaimri.evaluation.student import quantile


@pytest.mark.parametrize("freedom", [1, 2, 3.7, 30, 1e4])
@pytest.mark.parametrize("share", [0.025, 0.5, 0.9, 0.975, 0.9995])
def test_quantiles_are_those_of_scipy(share, freedom):
    assert quantile(share, freedom) == pytest.approx(float(stats.t.ppf(share, freedom)), rel=1e-9, abs=1e-9)


def test_without_end_it_is_the_normal():
    assert quantile(0.975, math.inf) == pytest.approx(stats.norm.ppf(0.975), rel=1e-12)
