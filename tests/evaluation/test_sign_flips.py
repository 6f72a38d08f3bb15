"""The test by the largest statistic: exact where all flips are listed, and right in how often it errs."""

from itertools import product

import numpy as np
import pytest

from xaimri import InvalidInput
from xaimri.evaluation import sign_flip_test


def listed(values):
    """Return t and p by going through every flip, two-sided."""

    def t_of(rows):
        return rows.mean(axis=0) / (rows.std(axis=0, ddof=1) / np.sqrt(len(rows)))

    own = t_of(values)
    largest = [
        np.abs(t_of(values * np.array(signs)[:, None])).max()
        for signs in product((1, -1), repeat=len(values))
    ]
    return own, np.array([(np.array(largest) >= abs(one) - 1e-9).mean() for one in own])


@pytest.mark.parametrize("subjects", [3, 4, 7])
def test_all_flips_are_taken_where_they_are_few(subjects):
    values = np.random.default_rng(subjects).standard_normal((subjects, 5)) + np.array([0, 0, 1, 2, 5])
    t, p = sign_flip_test(values)
    for found, truth in zip((t, p), listed(values), strict=True):
        np.testing.assert_allclose(found, truth)
    assert p.min() >= 2 / 2**subjects


def test_three_subjects_by_hand():
    """(1, 2, 3) has the largest t but with no sign flipped, or all: 2 of 8 flips."""
    t, p = sign_flip_test(np.array([[1.0], [2.0], [3.0]]))
    assert (t[0], p[0]) == (pytest.approx(2 / (1 / np.sqrt(3))), 0.25)
    t, p = sign_flip_test(np.array([[3.0], [4.0], [5.0]]), null=2.0)
    assert p[0] == 0.25


def test_many_flips_are_drawn_and_agree_with_all_of_them():
    values = np.random.default_rng(1).standard_normal((13, 6)) + np.linspace(0, 1, 6)
    _, exact = sign_flip_test(values, flips=4096)
    _, drawn = sign_flip_test(values, flips=4000, seed=3)
    np.testing.assert_allclose(drawn, exact, atol=0.03)
    assert (sign_flip_test(values, flips=4000, seed=3)[1] == drawn).all()
    assert (sign_flip_test(values + 9, flips=1000)[1] <= 3 / 1000).all()


def test_one_in_twenty_studies_errs_whatever_goes_together():
    """40 figures, of one common source and their own, all symmetric around nothing; uncorrected, most err."""
    generator, errs, naive = np.random.default_rng(0), 0, 0
    for _ in range(400):
        common = generator.standard_normal((10, 1))
        values = common + generator.laplace(size=(10, 40)) * np.linspace(0.2, 3, 40)
        t, p = sign_flip_test(values, flips=512)
        errs += p.min() <= 0.05
        naive += np.abs(t).max() > 2.262  # 5 % of one figure, of 9 degrees of freedom
    assert 0.02 < errs / 400 < 0.08
    assert naive / 400 > 0.3


def test_what_is_there_is_found():
    values = np.random.default_rng(2).standard_normal((12, 30))
    values[:, 4] += 3
    _, p = sign_flip_test(values)
    assert p[4] < 0.01
    assert np.delete(p, 4).min() > 0.05


def test_figures_without_a_value_are_left_out_and_those_that_are_all_alike_are_no_fault():
    values = np.random.default_rng(3).standard_normal((5, 4))
    values[:4, 0], values[:, 1], values[:, 2], values[0, 3] = np.nan, 0, 0.3, np.nan
    t, p = sign_flip_test(values)
    assert np.isnan([t[0], p[0], t[1], p[1]]).all()
    assert (t[2], p[2]) == (np.inf, 2 / 2**5)
    assert np.isfinite([t[3], p[3]]).all()
    alone = values[1:, 3]
    assert t[3] == pytest.approx(alone.mean() / (alone.std(ddof=1) / 2))
    assert np.isnan(sign_flip_test(np.full((3, 2), np.nan))[1]).all()
    for wrong in (np.zeros((0, 3)), np.array([[np.inf]])):
        with pytest.raises(InvalidInput, match="a row for each subject"):
            sign_flip_test(wrong)
