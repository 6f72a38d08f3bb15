"""One bootstrap: subjects are drawn within their strata, and intervals of means hold what they say."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xaimri.errors import InvalidInput
from xaimri.evaluation import MINIMUM_SUBJECTS, Bootstrap


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 3), min_size=1, max_size=20), st.integers(0, 99))
def test_every_resample_has_as_many_of_each_stratum_as_there_are(strata, seed):
    strata = np.array(strata)
    bootstrap = Bootstrap(resamples=11, seed=seed)
    weights = bootstrap.weights(strata)
    assert weights.shape == (11, len(strata))
    assert weights.min() >= 0
    for stratum in np.unique(strata):
        assert (weights[:, strata == stratum].sum(axis=1) == (strata == stratum).sum()).all()
    assert np.array_equal(weights, bootstrap.weights(strata))


def test_each_subject_is_drawn_once_on_average():
    mean = Bootstrap(resamples=20_000).weights(np.zeros(7, int)).mean(axis=0)
    assert np.abs(mean - 1).max() < 4 * np.sqrt(6 / 7 / 20_000)  # four standard errors of a binomial count


def test_of_many_people_the_ends_are_percentiles_and_what_is_not_defined_is_left_out():
    figures = np.stack([np.arange(101.0), np.full(101, 3.0)], axis=1)
    holes = np.concatenate([figures, np.full((50, 2), np.nan)])
    for some in (figures, holes):
        np.testing.assert_allclose(Bootstrap(confidence=0.9).ends(some, 10**9), [[5, 3], [95, 3]])


@pytest.mark.parametrize("people", [10, 30])
@pytest.mark.parametrize(
    ("draw", "mean"),
    [
        (lambda generator, size: generator.normal(size=size), 0.0),
        (lambda generator, size: generator.gamma(4, size=size) / 4, 1.0),  # askew, as enrichments of regions
        (lambda generator, size: generator.binomial(8, generator.beta(2, 2, size)) / 8, 0.5),  # of 8 slices
    ],
)
def test_a_mean_over_few_people_is_held_as_often_as_is_said(draw, mean, people):
    """Plain percentiles hold 0.87 to 0.91 of 10 people's."""
    bootstrap, studies = Bootstrap(), 1000
    values = draw(np.random.default_rng(people), (people, studies))
    low, high = bootstrap.ends(bootstrap.weights(np.zeros(people, int)) @ values / people, people)
    held = ((low <= mean) & (mean <= high)).mean()
    assert 0.925 <= held <= 0.975


def test_an_estimate_is_the_figure_itself_between_its_ends_or_nothing():
    found = Bootstrap(confidence=0.9).estimate(40.0, np.arange(101.0), subjects=10**9)
    assert found.value == 40
    assert (found.low, found.high) == pytest.approx((5, 95))
    assert str(Bootstrap().estimate(float("nan"), np.arange(101.0), subjects=40)) == "-"


@pytest.mark.parametrize(
    ("figures", "subjects"),
    [
        (np.arange(101.0), MINIMUM_SUBJECTS - 1),  # too few
        (np.full(101, 40.0), 40),  # all resamples agree
        (40 + 1e-13 * np.arange(101), 40),  # they do, up to rounding
        (np.full(101, np.nan), 40),  # defined in none
    ],
)
def test_an_interval_has_a_width_or_is_none(figures, subjects):
    found = Bootstrap().estimate(40.0, figures, subjects)
    assert found.value == 40
    assert np.isnan([found.low, found.high]).all()
    assert found.bare
    assert str(found) == "40.00"


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"resamples": 0}, "`resamples` must be a whole number of at least 1"),
        ({"confidence": 95.0}, "`confidence` must be a number above 0 and below 1"),
        ({"seed": -1}, "`seed` must be a whole number of at least 0"),
    ],
)
def test_what_cannot_be_drawn_is_one_sentence(given, sentence):
    with pytest.raises(InvalidInput, match=sentence):
        Bootstrap(**given)
