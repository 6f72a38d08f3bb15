"""The interval of a mean distance holds the true one, in particular where there is none."""

import numpy as np
import pytest

from xaimri.evaluation.distance import distance_interval


@pytest.mark.parametrize("power", [1, 2])
@pytest.mark.parametrize("size", [0.0, 1.0, 6.0])
def test_it_holds_the_true_mean_distance_of_noisy_bins(power, size):
    rng = np.random.default_rng(0)
    true, share = size * np.array([1, -1, 0.5, 1.0, -0.3]), np.full(5, 0.2)
    truth, held, lows = float(share @ np.abs(true) ** power), 0, []
    for _ in range(60):
        found = true + rng.normal(size=5)
        low, high = distance_interval(found, share, np.eye(5), np.zeros(5), np.inf, 0.95, power)
        held += low <= truth <= high
        lows.append(low)
        assert low <= share @ np.abs(found) ** power <= high
    assert held >= 54
    assert (np.median(lows) == 0) == (size < 6)  # chance alone gives as much, or it doesn't


def test_a_distance_far_beyond_chance_has_the_interval_of_its_one_bin():
    one = np.ones(1)
    low, high = distance_interval(50 * one, one, np.eye(1), np.zeros(1), np.inf, 0.95, 1)
    assert (low, high) == pytest.approx((48, 52), abs=0.15)
    assert distance_interval(0 * one, one, 0 * np.eye(1), np.zeros(1), np.inf, 0.95, 1) == (0, 0)
