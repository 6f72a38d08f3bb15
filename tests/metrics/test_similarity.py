"""How alike two maps are: ranks against SciPy, structure against its formula, limits of both."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import spearmanr

from xaimri.errors import InvalidInput
from xaimri.metrics import similarity

pairs = st.sampled_from([(5, 9), (3, 4, 5)]).flatmap(
    lambda space: arrays(float, (2, *space), elements=st.integers(-5, 5).map(float))
)


def structural(a, b):
    """Wang's index of one window with unbiased moments, values lying in -1 to 1."""
    a, b = a / np.abs(a).max(), b / np.abs(b).max()
    (v, c), (_, w) = np.cov(a.ravel(), b.ravel())
    one, two = (0.01 * 2) ** 2, (0.03 * 2) ** 2
    means = (2 * a.mean() * b.mean() + one) / (a.mean() ** 2 + b.mean() ** 2 + one)
    return means * (2 * c + two) / (v + w + two)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(pairs, st.floats(1e-3, 1e3), st.floats(1e-3, 1e3))
def test_bounds_symmetry_and_scale(maps, first, second):
    for by in ("ssim", "spearman"):
        found = similarity(*maps, by)
        if np.isnan(found):
            assert by == "spearman"
            assert min(np.ptp(maps[0]), np.ptp(maps[1])) == 0
            continue
        assert -1 - 1e-9 <= found <= 1 + 1e-9
        assert similarity(*maps[::-1], by) == pytest.approx(found, abs=1e-9)
        assert similarity(first * maps[0], second * maps[1], by) == pytest.approx(found, abs=1e-6)
        assert similarity(maps[0], maps[0], by) == pytest.approx(1)
        if by == "spearman":
            assert found == pytest.approx(spearmanr(*maps.reshape(2, -1)).statistic, abs=1e-9)
            assert similarity(np.exp(maps[0]), maps[1] ** 3 + 7, by) == pytest.approx(found, abs=1e-9)
            assert similarity(-maps[0], maps[1], by) == pytest.approx(-found, abs=1e-9)


@pytest.mark.parametrize("space", [(3, 3), (5, 5), (7, 7), (3, 3, 3)])
def test_structure_in_one_window_is_the_published_index(space):
    a, b = np.random.default_rng(0).normal(size=(2, *space))
    for other in (b, a + b, -a, a + 3):
        assert similarity(a, 5 * other) == pytest.approx(structural(a, other), abs=1e-9)


@pytest.mark.parametrize("space", [(3, 8), (4, 9), (8, 9), (6, 7, 8)])
def test_structure_is_the_mean_over_windows_of_up_to_seven(space):
    a, b = np.random.default_rng(0).normal(size=(2, *space))
    a, b = a / np.abs(a).max(), b / np.abs(b).max()
    a.flat[0] = b.flat[0] = 1  # so that the scale of a window is known
    side = min(7, *(n if n % 2 else n - 1 for n in space))
    windows = np.ndindex(*(n - side + 1 for n in space))
    each = []
    for corner in windows:
        cut = tuple(slice(c, c + side) for c in corner)
        one, two = a[cut], b[cut]
        (v, c), (_, w) = np.cov(one.ravel(), two.ravel())
        means = (2 * one.mean() * two.mean() + 4e-4) / (one.mean() ** 2 + two.mean() ** 2 + 4e-4)
        each.append(means * (2 * c + 36e-4) / (v + w + 36e-4))
    assert similarity(a, b) == pytest.approx(np.mean(each), abs=1e-9)


@pytest.mark.parametrize("by", ["ssim", "spearman"])
def test_unrelated_maps_are_not_alike(by):
    """Within 4 standard errors of the mean over 100 pairs of noise."""
    noise = np.random.default_rng(0).normal(size=(100, 2, 15, 18))
    found = np.array([similarity(a, b, by) for a, b in noise])
    assert abs(found.mean()) < 4 * found.std(ddof=1) / 10
    assert found.std() > 0


def test_empty_background_counts_as_alike_in_structure():
    a, b = np.zeros((40, 50)), np.zeros((40, 50))
    a[3:6, 3:6], b[30:34, 40:44] = 1, 1
    assert similarity(a, b) > 0.8
    assert abs(similarity(a, b, "spearman")) < 0.05
    assert similarity(0 * a, 0 * b) == pytest.approx(1)


def test_maps_without_an_order_or_a_number_have_none():
    a = np.random.default_rng(0).normal(size=(5, 6))
    assert np.isnan(similarity(a, np.full((5, 6), 0.1), "spearman"))
    for bad in (np.nan, np.inf):
        broken = a.copy()
        broken[0, 0] = bad
        for by in ("ssim", "spearman"):
            assert np.isnan(similarity(a, broken, by))
            assert np.isnan(similarity(broken, a, by))


def test_nothing_is_changed():
    maps = np.random.default_rng(0).normal(size=(2, 5, 6))
    kept = maps.copy()
    for by in ("ssim", "spearman"):
        similarity(*maps, by)
    assert np.array_equal(maps, kept)


@pytest.mark.parametrize("space", [(2, 9), (9, 1), (5, 6, 2)])
def test_maps_that_are_too_small_for_windows_are_one_sentence(space):
    a = np.random.default_rng(0).normal(size=space)
    with pytest.raises(InvalidInput, match='are too small for "ssim": compare by "spearman"'):
        similarity(a, a)
    assert similarity(a, a, "spearman") == pytest.approx(1)
