"""PartitionSHAP: Owen values by their definition, closed forms, and the hierarchy of regions."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import games
from xaimri import (
    LinearClassifier,
    PartitionSHAP,
)
from xaimri.explainers.partition_shap import hierarchy, opened_by

pytestmark = pytest.mark.slow  # the package shap takes seconds to import

SHAPES = {"2d": (4, 9), "3d": (3, 2, 5)}
EVERYTHING = 100_000


def layout(players, rank="2d", seed=0):
    """Return labels whose regions are scattered; some pixels lie in none."""
    shape = SHAPES[rank]
    numbers = np.arange(np.prod(shape)) % (players + 1) - 1
    return np.random.default_rng(seed).permutation(numbers).reshape(shape)


def explained(game, labels, samples=EVERYTHING, **options):
    model, image = games.as_model(game, labels), games.picture(labels)
    (found,) = PartitionSHAP(samples=samples, regions=labels, absent=0.0, **options).explain(model, image, 1)
    return found


def orders(tree, group=None):
    """Yield every order of the players in which no group is broken up: either half first, at every join."""
    players = len(tree) + 1
    group = 2 * players - 2 if group is None else group
    if group < players:
        yield (group,)
        return
    left, right = (int(half) for half in tree[group - players, :2])
    for first, second in itertools.product(list(orders(tree, left)), list(orders(tree, right))):
        yield first + second
        yield second + first


def arrivals(tree):
    """Return the coalitions of every such order, ``(orders, players + 1, players)``, and the orders."""
    ways = np.array(list(orders(tree)))
    place = ways.argsort(axis=1)
    return place[:, None, :] < np.arange(ways.shape[1] + 1)[:, None], ways


def owen(game, tree):
    """The definition: the mean gain over the orders in which no group is broken up."""
    shown, ways = arrivals(tree)
    worth = game.value(shown.reshape(-1, ways.shape[1])).reshape(shown.shape[:2])
    gains = np.zeros(ways.shape)
    np.put_along_axis(gains, ways, np.diff(worth, axis=1), axis=1)
    return gains.mean(axis=0)


def tree_of(labels):
    return hierarchy(games.picture(labels)[0], labels, np.arange(labels.max() + 1))


@pytest.mark.slow
@pytest.mark.parametrize("rank", SHAPES)
@pytest.mark.parametrize("kind", games.examples(4))
@pytest.mark.parametrize("players", [4, 6])
def test_owen_values_are_the_mean_gain_over_unbroken_orders(kind, players, rank):
    game, labels = games.examples(players)[kind], layout(players, rank)
    found = explained(game, labels)
    np.testing.assert_allclose(found.regions.values, owen(game, tree_of(labels)), atol=1e-5)
    assert found.diagnostics["complete"]
    assert found.diagnostics["shared"] == 0
    assert found.errors is None
    assert found.regions.errors is None


def test_owen_values_are_no_shapley_values_where_regions_interact():
    """The test above would not tell the two apart in games that do not."""
    game, labels = games.Trees.random(6, seed=1), layout(6)
    assert np.abs(owen(game, tree_of(labels)) - game.shapley).max() > 0.1


@pytest.mark.slow
@settings(max_examples=15, deadline=None)
@given(st.lists(st.floats(-100, 100), min_size=1, max_size=9), st.integers(0, 99))
def test_additive_games_have_their_shapley_values_under_any_hierarchy(effects, seed):
    game, labels = games.Linear(np.array(effects), base=2.0), layout(len(effects), seed=seed)
    np.testing.assert_allclose(explained(game, labels).regions.values, effects, atol=1e-3)


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(st.integers(4, 120), st.integers(1, 10), st.integers(0, 99))
def test_values_add_up_however_few_the_samples(samples, players, seed):
    game, labels = games.Trees.random(players, seed=seed), layout(players)
    found = explained(game, labels, samples, seed=seed)
    ends = game.value(np.array([[False], [True]]).repeat(players, axis=1))
    assert found.regions.values.sum() == pytest.approx(ends[1] - ends[0], abs=1e-5)
    assert found.diagnostics["base"] == pytest.approx(ends[0], abs=1e-5)
    assert abs(found.diagnostics["gap"]) < 1e-9
    assert found.diagnostics["model_calls"] <= samples


@pytest.mark.parametrize("players", [2, 3, 5, 8])
def test_needed_samples_are_just_enough(players):
    game, labels = games.Trees.random(players, seed=4), layout(players)
    tree = tree_of(labels)
    needed = opened_by(tree)
    enough = explained(game, labels, max(needed, 4))
    assert enough.diagnostics["complete"]
    assert enough.diagnostics["needed"] == needed
    different = np.unique(arrivals(tree)[0].reshape(-1, players), axis=0)
    assert enough.diagnostics["model_calls"] == len(different)
    if needed > 5:
        assert not explained(game, labels, needed - 1).diagnostics["complete"]


def test_groups_that_were_not_opened_share_evenly():
    game, labels = games.Trees.random(7, seed=2), layout(7)
    tree = tree_of(labels)
    members = {i: [i] for i in range(7)}
    for n, (left, right) in enumerate(tree[:, :2].astype(int)):
        members[7 + n] = members[left] + members[right]
    halves = [members[int(half)] for half in tree[-1, :2]]
    shown = np.zeros((2, 7), bool)
    shown[0, halves[0]] = shown[1, halves[1]] = True
    first, second = game.value(shown)
    none, full = game.value(np.array([[False], [True]]).repeat(7, axis=1))
    truth = np.zeros(7)
    truth[halves[0]] = (first - none + full - second) / 2 / len(halves[0])
    truth[halves[1]] = (second - none + full - first) / 2 / len(halves[1])
    found = explained(game, labels, 4)
    np.testing.assert_allclose(found.regions.values, truth, atol=1e-5)
    assert found.diagnostics["shared"] == pytest.approx(1)
    assert "not_converged" in {c.name for c in found.caveats}
    assert "not_converged" not in {c.name for c in explained(game, labels).caveats}


def test_linear_models_have_their_closed_form():
    weights = np.random.default_rng(0).normal(size=(3, 6, 8, 2))
    model, labels = LinearClassifier(weights), np.arange(48).reshape(6, 8) // 7
    images = np.random.default_rng(1).random((2, 6, 8, 2), dtype=np.float32)
    found = PartitionSHAP(regions=labels, absent=0.25).explain(model, images, [2, 0])
    for one, image, target in zip(found, images, [2, 0], strict=True):
        effect = (model.weights[target] * (image - 0.25)).sum(axis=-1)
        truth = np.bincount(labels.ravel(), effect.ravel())
        np.testing.assert_allclose(one.regions.values, truth, atol=1e-5)


def test_regions_whose_hiding_changes_nothing_take_no_part():
    labels = np.arange(12).reshape(3, 4) // 2
    game = games.Trees.random(6, seed=3)
    model, image = games.as_model(game, labels), games.picture(labels)
    absent = np.zeros(image.shape[1:])
    absent[0] = 1  # regions 0 and 1 look the same when they are hidden
    (found,) = PartitionSHAP(regions=labels, absent=absent).explain(model, image, 1)
    assert np.isnan(found.regions.values[:2]).all()
    assert "untested_regions" in {c.name for c in found.caveats}
    rest = hierarchy(image[0], labels, np.arange(2, 6))

    class Rest:
        def value(self, coalitions):
            return game.value(np.concatenate([np.ones((len(coalitions), 2), bool), coalitions], axis=1))

    np.testing.assert_allclose(found.regions.values[2:], owen(Rest(), rest), atol=1e-5)


@pytest.mark.parametrize("tested", [0, 1])
def test_fewer_than_two_regions_need_no_hierarchy(tested):
    labels = np.arange(6).reshape(2, 3) // 3
    absent = np.ones((2, 3, 1))
    absent[:tested] = 0
    game = games.Linear(np.array([2.0, 5.0]))
    (found,) = PartitionSHAP(regions=labels, absent=absent).explain(
        games.as_model(game, labels), games.picture(labels), 1
    )
    np.testing.assert_array_equal(found.regions.values, [2.0 if tested else np.nan, np.nan])


def test_the_hierarchy_joins_what_is_near_and_alike():
    place = np.repeat([[0, 1, 2, 3]], 2, axis=0)
    flat = np.full((1, 9, 1), 4.0)
    labels = np.array([[0, 1, -1, -1, -1, -1, -1, 2, 3]])
    pairs = {frozenset(pair) for pair in hierarchy(flat, labels, np.arange(4))[:2, :2].astype(int).tolist()}
    assert pairs == {frozenset({0, 1}), frozenset({2, 3})}
    striped = np.array([0.0, 9.0, 0.0, 9.0])[place][..., None]
    pairs = {frozenset(pair) for pair in hierarchy(striped, place, np.arange(4))[:2, :2].astype(int).tolist()}
    assert pairs == {frozenset({0, 2}), frozenset({1, 3})}


def test_the_hierarchy_stays_balanced_where_regions_stand_in_a_row():
    """Wider and wider apart: nearest neighbours alone would make one chain, with 65,536 images to predict."""
    place = np.cumsum(np.arange(16))
    labels = np.full((1, place[-1] + 1), -1)
    labels[0, place] = np.arange(16)
    tree = hierarchy(np.full((*labels.shape, 1), 4.0), labels, np.arange(16))
    assert opened_by(tree) < 2 * 172  # a perfect binary tree of 16 takes 172


def test_the_hierarchy_knows_no_units_and_no_copies_of_channels():
    labels = layout(9)
    image = np.random.default_rng(2).random((*labels.shape, 1))
    tree = hierarchy(image, labels, np.arange(9))
    for same in (3 + 50 * image, np.repeat(image, 3, axis=-1)):
        np.testing.assert_allclose(hierarchy(same, labels, np.arange(9)), tree, atol=1e-9)
