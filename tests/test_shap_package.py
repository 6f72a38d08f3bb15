"""The shap package's explainers as ours: against definitions, closed forms and the package itself."""

import itertools
import subprocess
import sys
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import games
from xaimri import (
    ExpectedGradients,
    FunctionClassifier,
    GradientSHAP,
    InvalidInput,
    LinearClassifier,
    MissingExtra,
    PartitionSHAP,
)
from xaimri.classifier import Gradient, Objective
from xaimri.explainers.partition_shap import hierarchy, opened_by
from xaimri.explainers.shap_package import quietly

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


@settings(max_examples=15, deadline=None)
@given(st.lists(st.floats(-100, 100), min_size=1, max_size=9), st.integers(0, 99))
def test_additive_games_have_their_shapley_values_under_any_hierarchy(effects, seed):
    game, labels = games.Linear(np.array(effects), base=2.0), layout(len(effects), seed=seed)
    np.testing.assert_allclose(explained(game, labels).regions.values, effects, atol=1e-3)


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


# What both promise of the world around them


class Drawing:
    """Scores an image linearly, and draws from numpy's global generator, as an odd network may."""

    def __init__(self, shape):
        self._model = LinearClassifier.random(shape, classes=2, seed=1)
        self.classes, self.drawn = self._model.classes, []

    def logits(self, images, /):
        self.drawn.append(np.random.random_sample())  # noqa: NPY002
        return self._model.logits(images)

    def gradient(self, images, objective, /):
        self.drawn.append(np.random.random_sample())  # noqa: NPY002
        return self._model.gradient(images, objective)


@pytest.mark.parametrize("method", ["partition", "gradient"])
def test_numpys_global_generator_goes_on_as_if_nothing_were(method):
    """Another's draws from it in the meantime are neither seeded nor rewound."""
    model, images = Drawing((5, 6, 1)), np.random.default_rng(0).random((2, 5, 6, 1), dtype=np.float32)
    made = {"partition": PartitionSHAP(regions=6), "gradient": GradientSHAP(references=images, samples=70)}
    kept = np.random.get_state()  # noqa: NPY002
    try:
        np.random.seed(77)  # noqa: NPY002
        made[method].explain(model, images)
    finally:
        np.random.set_state(kept)  # noqa: NPY002
    assert len(model.drawn) > 4
    np.testing.assert_array_equal(model.drawn, np.random.RandomState(77).random_sample(len(model.drawn)))


def test_the_package_warns_nobody_and_the_model_may():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with quietly():
            warnings.warn_explicit("noise", UserWarning, "somewhere", 1, module="shap.explainers._partition")
            warnings.warn_explicit("noise", UserWarning, "somewhere", 1, module="numba.core")
            with pytest.raises(UserWarning, match="noise"):
                warnings.warn_explicit("noise", UserWarning, "somewhere", 1, module="shapes")

    def probabilities(images):
        warnings.warn("an odd network", stacklevel=1)
        return np.full((len(images), 2), 0.5)

    model = FunctionClassifier(probabilities, classes=("no", "yes"))
    with pytest.warns(UserWarning, match="an odd network"):
        PartitionSHAP(regions=3).explain(model, np.random.default_rng(0).random((1, 5, 6, 1)))


@pytest.mark.parametrize("method", ["partition", "gradient"])
def test_a_missing_package_is_named(method, monkeypatch):
    for name in ("shap", "shap.explainers", "shap.explainers._gradient"):
        monkeypatch.setitem(sys.modules, name, None)
    images = np.random.default_rng(0).random((1, 5, 6, 1), dtype=np.float32)
    explainer = PartitionSHAP() if method == "partition" else GradientSHAP(references=images)
    with pytest.raises(MissingExtra, match=r'needs the package `shap`.*pip install "xaimri\[shap\]"'):
        explainer.explain(LinearClassifier.random((5, 6, 1)), images)


def test_nothing_is_loaded_before_it_is_needed():
    code = (
        "import sys, numpy as np, xaimri\n"
        "images = np.random.default_rng(0).random((2, 3, 4, 1), dtype='float32')\n"
        "explainer = xaimri.GradientSHAP(references=images, samples=3)\n"
        "xaimri.PartitionSHAP()\n"
        "assert 'shap' not in sys.modules, 'shap was loaded'\n"
        "explainer.explain(xaimri.LinearClassifier.random((3, 4, 1)), images)\n"
        "assert not {'tensorflow', 'torch'} & set(sys.modules), 'a framework was loaded'\n"
    )
    run = subprocess.run(
        [sys.executable, "-W", "error::UserWarning", "-c", code], capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr
    assert not run.stdout + run.stderr


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: PartitionSHAP(samples=3), "`samples` must be a whole number of at least 4"),
        (lambda: PartitionSHAP(regions=0), "`regions` must be"),
        (lambda: PartitionSHAP(absent=float("nan")), "`absent` must be"),
        (lambda: PartitionSHAP(seed=2**32), "`seed` must be below"),
        (lambda: GradientSHAP(), "`references` must be an array of images"),
        (lambda: GradientSHAP(references=np.ones((2, 3, 4, 1)), samples=1), "`samples` must be"),
        (lambda: GradientSHAP(references=np.ones((2, 3, 4, 1)), smoothing=-1.0), "`smoothing` must be"),
    ],
)
def test_settings_that_cannot_be_are_refused(make, sentence):
    with pytest.raises(InvalidInput, match=sentence):
        make()


def test_references_of_another_shape_are_refused():
    explainer = GradientSHAP(references=np.ones((2, 3, 4, 1)))
    with pytest.raises(InvalidInput, match=r"`references` must be images of shape \(5, 6, 1\)"):
        explainer.explain(LinearClassifier.random((5, 6, 1)), np.ones((1, 5, 6, 1)))


# GradientSHAP


class Quadratic:
    """``logits = (0, sum of a * x**2 + b * x * next x)`` over the flat image: a gradient in closed form."""

    classes = ("rest", "value")

    def __init__(self, shape, seed=0):
        self.a, self.b = np.random.default_rng(seed).normal(size=(2, int(np.prod(shape))))

    def logits(self, images, /):
        x = images.reshape(len(images), -1).astype(np.float64)
        value = (self.a * x**2 + self.b * x * np.roll(x, -1, axis=1)).sum(axis=1)
        return np.stack([0 * value, value], axis=1)

    def gradient(self, images, objective, /):
        x = images.reshape(len(images), -1).astype(np.float64)
        slopes = 2 * self.a * x + self.b * np.roll(x, -1, axis=1) + np.roll(self.b * x, 1, axis=1)
        logits = self.logits(images)
        return Gradient((objective.cotangents(logits)[:, 1:] * slopes).reshape(images.shape), logits)


def setting(shape, references, seed=0):
    generator = np.random.default_rng(seed)
    images = generator.normal(1, 1, (2, *shape)).astype(np.float32)
    return images, generator.normal(size=(references, *shape)).astype(np.float32)


@pytest.mark.parametrize("shape", [(5, 6, 2), (3, 4, 5, 1)])
@pytest.mark.parametrize("seed", [0, 8])
def test_a_linear_model_gets_weights_times_the_way_from_the_drawn_references(shape, seed):
    model = LinearClassifier.random(shape, classes=3, seed=2)
    images, references = setting(shape, 7)
    found = GradientSHAP(references=references, samples=40, seed=seed).explain(model, images, [1, 2])
    draws = np.random.RandomState(seed)
    drawn = [(draws.choice(7), draws.uniform())[0] for _ in range(40)]
    for one, image, target in zip(found, images, [1, 2], strict=True):
        samples = (model.weights[target] * (image - references[drawn])).sum(axis=-1)
        np.testing.assert_allclose(one.values, samples.mean(axis=0), atol=1e-5)
        np.testing.assert_allclose(one.errors, samples.std(axis=0, ddof=1) / np.sqrt(40), atol=1e-5)
        assert one.diagnostics["sum"] == pytest.approx(one.values.sum(dtype=float), abs=1e-4)


@pytest.mark.parametrize("shape", [(5, 6, 2), (3, 4, 5, 1)])
def test_one_reference_and_a_linear_model_leave_no_error(shape):
    model, (images, references) = LinearClassifier.random(shape, seed=2), setting(shape, 1)
    for one in GradientSHAP(references=references, samples=5).explain(model, images, 0):
        truth = (model.weights[0] * (one.image - references[0])).sum(axis=-1)
        np.testing.assert_allclose(one.values, truth, atol=1e-6)
        assert one.errors.max() < 1e-7


def test_smoothing_scatters_as_the_weights_and_the_noise_say():
    shape, samples = (4, 5, 2), 4000
    model, (images, references) = LinearClassifier.random(shape, seed=2), setting(shape, 1)
    explainer = GradientSHAP(references=references, samples=samples, smoothing=0.7)
    one = explainer.explain(model, images[:1], 0)[0]
    truth = 0.7 * np.sqrt((model.weights[0] ** 2).sum(axis=-1) / samples)
    np.testing.assert_allclose(one.errors, truth, rtol=0.06)
    exact = (model.weights[0] * (images[0] - references[0])).sum(axis=-1)
    z = (one.values - exact) / one.errors
    assert np.abs(z).max() < 4
    assert 0.5 < np.sqrt((z**2).mean()) < 1.6


def test_errors_know_that_channels_go_together():
    """Grey images in two channels of opposite weights: their sum never varies, each channel does."""
    grey = np.random.default_rng(3).normal(size=(6, 4, 5, 1)).astype(np.float32).repeat(2, axis=-1)
    weights = np.zeros((2, 4, 5, 2))
    weights[1] = [3, -3]
    (one,) = GradientSHAP(references=grey[1:], samples=30).explain(LinearClassifier(weights), grey[:1], 1)
    assert np.abs(one.values).max() < 1e-6
    assert one.errors.max() < 1e-6


@pytest.mark.parametrize("smoothing", [0.0, 0.3])
def test_errors_are_what_other_seeds_scatter(smoothing):
    shape = (4, 5, 2)
    model, (images, references) = Quadratic(shape), setting(shape, 6)
    runs = [
        GradientSHAP(references=references, samples=50, smoothing=smoothing, seed=seed).explain(
            model, images[:1], 1
        )[0]
        for seed in range(150)
    ]
    scatter = np.std([r.values for r in runs], axis=0, ddof=1, dtype=float)
    stated = np.sqrt(np.mean([r.errors.astype(float) ** 2 for r in runs], axis=0))
    ratio = scatter / stated
    assert 0.93 < np.sqrt((ratio**2).mean()) < 1.07
    assert np.abs(ratio - 1).max() < 0.3


def test_it_agrees_with_expected_gradients_within_the_errors():
    shape = (4, 5, 2)
    model, (images, references) = Quadratic(shape), setting(shape, 6)
    ours = ExpectedGradients(references=references, samples=3000, seed=1).explain(model, images, 1)
    theirs = GradientSHAP(references=references, samples=3000, seed=2).explain(model, images, 1)
    for one, other, image in zip(ours, theirs, images, strict=True):
        z = (one.values - other.values) / np.hypot(one.errors, other.errors)
        assert np.abs(z).max() < 4
        np.testing.assert_allclose(one.errors, other.errors, rtol=0.2)
        gain = model.logits(image[None])[0, 1] - model.logits(references)[:, 1].mean()
        assert other.diagnostics["sum"] == pytest.approx(gain, abs=4 * ours[0].diagnostics["sum_error"])


@pytest.mark.parametrize("of", ["log_odds", "probability"])
def test_other_scores_are_explained_as_asked(of):
    """With one reference next to the image, the sum is the change of the score to first order."""
    shape = (4, 5, 2)
    model, (images, _) = Quadratic(shape), setting(shape, 1)
    image = images[:1] / 4
    near = (image + 1e-3 * np.random.default_rng(5).normal(size=image.shape)).astype(np.float32)
    (one,) = GradientSHAP(references=near, samples=200).explain(model, image, 1, of=of)
    objective = Objective((1,), of)
    gain = objective.scores(model.logits(image)) - objective.scores(model.logits(near))
    assert one.values.sum(dtype=float) == pytest.approx(float(gain[0]), rel=1e-2)


@pytest.mark.tensorflow
@pytest.mark.parametrize("smoothing", [0.0, 0.2])
@pytest.mark.parametrize("channels", [1, 3])
def test_it_is_the_package_itself_on_a_network_that_the_package_can_open(channels, smoothing):
    import keras
    import shap

    from xaimri.adapters import as_classifier

    keras.utils.set_random_seed(4)
    network = keras.Sequential(
        [
            keras.layers.Input((6, 7, channels)),
            keras.layers.Conv2D(4, 3, activation="softplus"),
            keras.layers.Flatten(),
            keras.layers.Dense(3),
        ]
    )
    images, references = setting((6, 7, channels), 5)
    explainer = GradientSHAP(references=references, samples=60, smoothing=smoothing, seed=11)
    (one,) = explainer.explain(as_classifier(network, outputs="logits"), images[:1], 2)
    kept = np.random.get_state()  # noqa: NPY002
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            package = shap.GradientExplainer(network, references, local_smoothing=smoothing)
            values, variances = package.shap_values(images[:1], nsamples=60, rseed=11, return_variances=True)
    finally:
        np.random.set_state(kept)  # noqa: NPY002
    np.testing.assert_allclose(one.values, values[0, ..., 2].sum(axis=-1), atol=1e-5)
    if channels == 1:
        theirs = variances[2][0, ..., 0] / np.sqrt(60) * 60 / 59
        np.testing.assert_allclose(one.errors, np.sqrt(theirs), atol=1e-5)
