"""Shapley values: closed forms, exact where all is drawn, efficient always, errors that seeds confirm."""

import itertools
from math import factorial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from games import Trees
from xaimri import SHAP, Auto, LinearClassifier
from xaimri.errors import InvalidInput
from xaimri.perturb.coalitions import all_of, paired
from xaimri.perturb.control_variates import cross_fitted
from xaimri.perturb.kernel import fit_kernels
from xaimri.perturb.shapley import estimate, exact, from_sums, kernel_sizes
from xaimri.perturb.trees import Leaves, fit_trees


def by_orders(game, players):
    """The definition: the mean gain over all orders of arrival."""
    found = np.zeros(players)
    for order in itertools.permutations(range(players)):
        shown = np.zeros((players + 1, players), bool)
        for step, player in enumerate(order):
            shown[step + 1 :, player] = True
        gains = np.diff(game(shown))
        found[list(order)] += gains
    return found / factorial(players)


def forest(players, seed=0):
    """Random trees: the game, its Shapley values, and its leaves as the library writes them."""
    trees = Trees.random(players, trees=20, depth=4, seed=seed)
    return trees.value, trees.shapley, Leaves(trees.present, trees.absent, trees.heights)


def estimated(game, players, samples, seed=0, **options):
    pairs, population = paired(samples, players, seed)
    ends = game(np.array([[False], [True]]).repeat(players, axis=1))
    values = np.stack([game(pairs), game(~pairs)], axis=1)
    return estimate(pairs, population, values, (float(ends[0]), float(ends[1])), seed=seed, **options)


@pytest.mark.parametrize("players", [1, 2, 3, 5])
def test_exact_values_are_the_mean_gain_over_all_orders(players):
    game, truth, _ = forest(players)
    found = exact(all_of(players), game(all_of(players)))
    np.testing.assert_allclose(found.values, by_orders(game, players), atol=1e-10)
    np.testing.assert_allclose(found.values, truth, atol=1e-10)
    assert not found.errors.any()


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 7), st.integers(0, 10_000))
def test_axioms_hold_for_any_game(players, seed):
    generator = np.random.default_rng(seed)
    masks = all_of(players)
    v, w = generator.normal(size=(2, len(masks)))
    found = exact(masks, v).values
    assert found.sum() == pytest.approx(v[-1] - v[0], abs=1e-9)
    np.testing.assert_allclose(exact(masks, 2 * v - w).values, 2 * found - exact(masks, w).values, atol=1e-9)
    index = masks @ (1 << np.arange(players))
    null = v[index & ~1]  # the first player changes nothing
    assert exact(masks, null).values[0] == pytest.approx(0, abs=1e-9)
    swapped = index & ~3 | (index & 1) << 1 | (index & 2) >> 1
    symmetric = exact(masks, v + v[swapped]).values
    assert symmetric[0] == pytest.approx(symmetric[1], abs=1e-9)


@pytest.mark.slow
@settings(max_examples=30, deadline=None)
@given(st.integers(2, 9), st.integers(8, 200), st.integers(0, 99), st.booleans())
def test_estimates_add_up_and_are_exact_for_additive_games(players, samples, seed, adjust):
    effects = np.random.default_rng(seed).normal(size=players)
    found = estimated(lambda z: 3.0 + z @ effects, players, samples, seed, adjust=adjust)
    assert found.values.sum() == pytest.approx(effects.sum(), abs=1e-9)
    if (samples - 2) // 2 >= 2 * players:
        np.testing.assert_allclose(found.values, effects, atol=1e-8)
        assert found.errors.max() < 1e-8


@pytest.mark.parametrize("adjust", [False, True])
@pytest.mark.parametrize("players", [4, 7, 10])
def test_where_all_pairs_are_drawn_the_estimate_is_exact(players, adjust):
    game, truth, _ = forest(players, seed=2)
    found = estimated(game, players, 2**players, adjust=adjust)
    np.testing.assert_allclose(found.values, truth, atol=1e-9)
    assert found.errors.max() < 1e-9


@pytest.mark.slow
@pytest.mark.parametrize("adjust", [False, True])
@pytest.mark.parametrize(("players", "samples"), [(10, 300), (18, 250)])
def test_errors_are_what_other_seeds_scatter(players, samples, adjust):
    game, truth, _ = forest(players, seed=3)
    runs = [estimated(game, players, samples, seed, adjust=adjust) for seed in range(40)]
    values = np.stack([r.values for r in runs])
    stated = np.sqrt(np.mean([r.errors**2 for r in runs], axis=0))
    ratio = values.std(axis=0, ddof=1) / stated
    assert 0.8 < np.sqrt(np.mean(ratio**2)) < 1.2
    bias = (values.mean(axis=0) - truth) / (stated / np.sqrt(len(runs)))
    assert np.sqrt(np.mean(bias**2)) < 2
    held = np.mean([np.abs(r.values - truth) <= 1.96 * r.errors for r in runs])
    assert 0.91 < held < 0.985


@pytest.mark.slow
def test_adjustment_lowers_the_error():
    game, truth, _ = forest(14, seed=1)
    square = {
        adjust: np.mean([(estimated(game, 14, 800, s, adjust=adjust).values - truth) ** 2 for s in range(5)])
        for adjust in (False, True)
    }
    assert square[True] < square[False] / 2


@pytest.mark.parametrize("surrogate", ["trees", "kernel"])
@pytest.mark.parametrize("players", [3, 8])
def test_sums_of_surrogates_are_those_over_all_coalitions(players, surrogate):
    generator = np.random.default_rng(players)
    masks, seen = all_of(players), generator.random((60, players)) < 0.5
    responses, weights = generator.normal(size=60), generator.random(60) + 0.1
    fitted = (
        fit_trees(seen, responses, weights, seed=0)
        if surrogate == "trees"
        else fit_kernels(seen, responses, weights)
    )
    sizes = generator.random(players + 1)
    each = (sizes / np.bincount(masks.sum(axis=1)))[masks.sum(axis=1)] * fitted(masks)
    total, shown = fitted.moments(sizes)
    assert total == pytest.approx(each.sum(), abs=1e-9)
    np.testing.assert_allclose(shown, each @ masks, atol=1e-9)
    assert np.ptp(fitted(masks)) > 0.1


@pytest.mark.slow
def test_surrogates_are_blind_to_the_sample_they_predict():
    generator = np.random.default_rng(0)
    seen, noise = generator.random((300, 12)) < 0.5, generator.normal(size=300)
    control = cross_fitted(seen, noise, np.ones(300), np.ones(13), seed=0)
    for column in range(2):
        assert abs(np.corrcoef(control.blind[:, column], noise)[0, 1]) < 0.2
    assert np.corrcoef(control.mean[:, 0], noise)[0, 1] > 0.5  # whereas the mean of all folds has seen it


def test_shapley_values_of_trees_come_from_their_sums():
    game, truth, leaves = forest(9, seed=5)
    ends = game(np.array([[False], [True]]).repeat(9, axis=1))
    _, shown = leaves.moments(kernel_sizes(9))
    np.testing.assert_allclose(from_sums(shown, ends[1] - ends[0]), truth, atol=1e-10)


@pytest.mark.parametrize("samples", [8, 10, 12])
def test_too_few_pairs_tell_no_error(samples):
    game, *_ = forest(6, seed=1)
    found = estimated(game, 6, samples)
    ends = game(np.array([[False], [True]]).repeat(6, axis=1))
    assert found.values.sum() == pytest.approx(ends[1] - ends[0], abs=1e-9)
    assert np.isnan(found.errors).any()  # never a false certainty


@pytest.mark.parametrize("regions", [21, 40, 80])
def test_more_regions_than_can_be_enumerated_are_refused(regions):
    labels = np.arange(80).reshape(8, 10) * regions // 80
    model = LinearClassifier.random((8, 10, 1))
    with pytest.raises(InvalidInput, match=f"of {regions} regions are .*: set `exact` to at most 20"):
        SHAP(exact=100, regions=labels, absent=0.0).explain(model, np.ones((1, 8, 10, 1), np.float32))


def test_no_more_samples_are_told_than_there_are():
    labels, rule = np.arange(35).reshape(5, 7) // 5, Auto(by="error", tolerance=1e-9, ceiling=2000)
    model, image = LinearClassifier.random((5, 7, 1)), np.ones((1, 5, 7, 1), np.float32)
    (found,) = SHAP(samples=rule, exact=0, regions=labels, absent=0.0).explain(model, image, of="probability")
    assert found.diagnostics["samples"] <= 2**7
