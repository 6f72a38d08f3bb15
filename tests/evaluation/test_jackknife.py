"""A jackknife has the closed forms of its textbook: standard errors within strata, Wilson's interval, t."""

import math

import numpy as np
import pytest
from scipy import stats

from xaimri.evaluation.jackknife import GROUPS, Jackknife


def test_the_error_of_a_mean_is_its_standard_error_and_strata_keep_their_weight():
    values = np.random.default_rng(0).normal(0.5, 0.1, 30)
    for strata in (np.zeros(30, int), np.repeat([0, 1, 2], [5, 10, 15])):
        jackknife = Jackknife(strata)
        weights = jackknife.weights
        assert weights.shape == (31, 30)
        for stratum in np.unique(strata):
            assert weights[:, strata == stratum].sum(axis=1) == pytest.approx((strata == stratum).sum())
        moved, _ = jackknife.influence(weights @ values / 30)
        parts = [values[strata == stratum] for stratum in np.unique(strata)]
        right = sum(len(part) ** 2 * part.var(ddof=1) / len(part) for part in parts) / 30**2
        assert (moved**2).sum() == pytest.approx(right)


def test_groups_of_many_subjects_tell_about_the_same_error():
    values = np.random.default_rng(1).normal(size=3000)
    jackknife = Jackknife(np.repeat([0, 1], [40, 2960]))
    weights = jackknife.weights
    assert len(weights) <= GROUPS + 20
    assert (weights[1:] == 0).sum(axis=0).tolist() == [1] * 3000  # everybody is left out once
    moved, _ = jackknife.influence(weights @ values / 3000)
    assert math.sqrt((moved**2).sum()) == pytest.approx(values.std() / math.sqrt(3000), rel=0.1)


def test_freedom_is_that_of_the_strata_and_small_where_one_subject_makes_the_error():
    jackknife = Jackknife(np.repeat([0, 1], 10))
    even = np.tile([1.0, -1.0], 10)
    assert jackknife.freedom(even, np.repeat([0, 1], 10)) == pytest.approx(18)
    alone = np.zeros(20)
    alone[0] = 1.0
    assert 1 <= jackknife.freedom(alone, np.repeat([0, 1], 10)) < 3


def test_a_share_of_single_cases_has_wilsons_interval():
    right = np.repeat([1.0, 0.0], [31, 9])
    jackknife = Jackknife(np.zeros(40, int), confidence=0.9)
    found = jackknife.estimate(jackknife.weights @ right / 40, 40, single=True)
    wilson = stats.binomtest(31, 40).proportion_ci(0.9, "wilson")
    assert (found.low, found.high) == pytest.approx((wilson.low, wilson.high), abs=4e-3)


def test_on_logits_the_interval_is_even_there_and_a_top_scales_it():
    values = np.random.default_rng(2).uniform(0.5, 1, 25)
    jackknife = Jackknife(np.zeros(25, int))
    found = jackknife.estimate(jackknife.weights @ values / 25, 25, shape="logit")
    ends = [math.log(x / (1 - x)) for x in (found.low, found.value, found.high)]
    assert ends[1] == pytest.approx((ends[0] + ends[2]) / 2)
    twice = jackknife.estimate(jackknife.weights @ values * 2 / 25, 25, shape="logit", top=2.0)
    assert (twice.low, twice.high) == pytest.approx((2 * found.low, 2 * found.high))


@pytest.mark.parametrize("strata", [np.arange(6), np.zeros(4, int)])
def test_nobody_to_leave_out_or_too_few_give_no_interval(strata):
    jackknife = Jackknife(strata)
    found = jackknife.estimate(jackknife.weights @ np.linspace(0, 1, len(strata)) / len(strata), 6)
    assert found.value == pytest.approx(0.5)
    assert found.bare
