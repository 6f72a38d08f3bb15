"""The closed forms of the games, against the definition; and the games as images, against themselves."""

from itertools import permutations
from math import factorial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import games
from xaimri import SHAP
from xaimri.perturb.coalitions import all_of
from xaimri.perturb.responses import responses

NAMES = list(games.examples(4))


@pytest.mark.parametrize("players", [4, 5, 8])
@pytest.mark.parametrize("name", NAMES)
def test_closed_forms_are_the_definitions(name, players):
    game = games.examples(players)[name]
    found = games.shapley_by_enumeration(game.value, players)
    assert game.shapley.shape == (players,)
    np.testing.assert_allclose(game.shapley, found, atol=1e-12)
    masks = all_of(players)
    assert game.value(masks).shape == (len(masks),)
    gain = game.value(masks[-1:])[0] - game.value(masks[:1])[0]
    assert game.shapley.sum() == pytest.approx(gain, abs=1e-12)


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 5), st.integers(0, 1000))
def test_enumeration_is_the_mean_gain_over_all_orders(players, seed):
    """Of any game at all: its values are drawn."""
    drawn = np.random.default_rng(seed).normal(size=2**players)

    def value(coalitions):
        return drawn[coalitions @ (1 << np.arange(players))]

    found = np.zeros(players)
    for order in permutations(range(players)):
        shown = np.zeros((players + 1, players), bool)
        for step, player in enumerate(order):
            shown[step + 1 :, player] = True
        found[list(order)] += np.diff(value(shown))
    np.testing.assert_allclose(
        games.shapley_by_enumeration(value, players), found / factorial(players), atol=1e-12
    )


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 8), st.integers(1, 6), st.integers(1, 5), st.integers(0, 1000))
def test_trees_of_any_form_have_the_values_of_their_leaves(players, trees, depth, seed):
    game = games.Trees.random(players, trees, depth, seed)
    np.testing.assert_allclose(game.shapley, games.shapley_by_enumeration(game.value, players), atol=1e-12)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 6), min_size=1, max_size=8), st.integers(1, 12))
def test_a_ceiling_over_any_weights_has_the_values_that_were_counted(weights, most):
    game = games.SaturatedSum(tuple(weights), most)
    found = games.shapley_by_enumeration(game.value, len(weights))
    np.testing.assert_allclose(game.shapley, found, atol=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_only_the_null_game_is_constant(name):
    """A game in which nothing happens has its closed form too, and tests nothing."""
    spread = np.ptp(games.examples(5)[name].value(all_of(5)))
    assert (spread == 0) == (name == "null")


def test_the_games_are_what_they_are_called():
    masks = all_of(4)
    shown = {tuple(map(int, m)): m[None] for m in masks}
    assert games.And(4, (0, 2)).value(shown[1, 0, 1, 0])[0] == 1
    assert games.And(4, (0, 2)).value(shown[1, 1, 0, 1])[0] == 0
    assert games.Or(4, (0, 2)).value(shown[0, 0, 1, 0])[0] == 1
    assert games.Or(4, (0, 2)).value(shown[0, 1, 0, 1])[0] == 0
    assert games.Parity(4, (0, 1)).value(shown[1, 1, 1, 0])[0] == 0
    assert games.Parity(4, (0, 1)).value(shown[1, 0, 1, 0])[0] == 1
    assert games.Suppressor(4, 3, 0).value(shown[0, 0, 0, 1])[0] == 1
    assert games.Suppressor(4, 3, 0).value(shown[1, 0, 0, 1])[0] == 0
    assert games.Saturated(4, (0, 1, 2), 2).value(shown[1, 1, 1, 0])[0] == 1
    assert games.Saturated(4, (0, 1, 2), 2).value(shown[1, 0, 0, 1])[0] == 0.5
    np.testing.assert_array_equal(games.And(4, (0, 2)).shapley, [0.5, 0, 0.5, 0])
    np.testing.assert_array_equal(games.Suppressor(3, 2, 0).shapley, [-0.5, 0, 0.5])


@pytest.mark.parametrize("space", [(4, 7), (2, 3, 5)], ids=["2d", "3d"])
@pytest.mark.parametrize("name", NAMES)
def test_a_model_says_what_its_game_says(name, space):
    """Regions are not in the order of their first pixels, and some pixels lie in none."""
    labels = (np.arange(np.prod(space)) * 3 % 7 - 1).reshape(space)
    game, image = games.examples(6)[name], games.picture(labels, channels=2)[0]
    masks = all_of(6)
    found = responses(games.as_model(game, labels), image, 0 * image, labels, masks)
    np.testing.assert_allclose(found[:, 1] - found[:, 0], game.value(masks), atol=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_end_to_end_the_shapley_values_come_back(name):
    labels = np.arange(5 * 7).reshape(5, 7) // 5  # seven players
    game = games.examples(7)[name]
    (found,) = SHAP(regions=labels, absent=0.0).explain(
        games.as_model(game, labels), games.picture(labels), "game", of="logit"
    )
    assert found.diagnostics["exact"]
    np.testing.assert_allclose(found.regions.values, game.shapley, atol=1e-6)


@pytest.mark.parametrize("players", [14, 20])
@pytest.mark.parametrize("name", NAMES)
def test_what_is_estimated_holds_the_truth_within_its_errors(name, players):
    """Five standard errors: each of hundreds of values may be off by three."""
    labels = np.arange(4 * players).reshape(8, -1) // 4
    game = games.examples(players)[name]
    (found,) = SHAP(samples=600, regions=labels, absent=0.0, exact=0, adjust=False, seed=1).explain(
        games.as_model(game, labels), games.picture(labels), "game", of="logit"
    )
    assert not found.diagnostics["exact"]
    off = np.abs(found.regions.values - game.shapley)
    assert (off <= 5 * found.regions.errors + 1e-5).all()
    assert found.regions.values.sum() == pytest.approx(game.shapley.sum(), abs=1e-5)
