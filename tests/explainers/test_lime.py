"""LIME against the `lime` package and against the closed form of a ridge on a linear model."""

from dataclasses import replace

import numpy as np
import pytest
from jaxtyping import TypeCheckError
from lime.lime_image import LimeImageExplainer

from xaimri import LIME, SHAP, Auto, FunctionClassifier, LinearClassifier, Occlusion
from xaimri.arrays import Stored
from xaimri.errors import InvalidInput
from xaimri.objective import softmax
from xaimri.perturb.coalitions import all_of
from xaimri.perturb.least_squares import solve
from xaimri.perturb.surrogate import Locality

SHAPE = (12, 15, 3)


def model_of(seed=0, scale=1.0):
    linear = LinearClassifier.random(SHAPE, classes=3, seed=seed)
    return LinearClassifier(linear.weights * scale, linear.bias)


def blocks(shape=SHAPE[:-1], side=4):
    rows, columns = np.indices(shape) // side
    return rows * (columns.max() + 1) + columns


def image(seed=0):
    return np.random.default_rng(seed).random((1, *SHAPE), dtype=np.float32)


def package(model, picture, labels, target, samples, seed, hide=None, features=100_000, kernel_width=0.25):
    """Coefficients, intercept and R² that the package gives."""
    explainer = LimeImageExplainer(kernel_width=kernel_width, random_state=np.random.RandomState(seed))
    found = explainer.explain_instance(
        picture.astype(np.float64),
        lambda batch: softmax(model.logits(np.asarray(batch, np.float32)).astype(np.float64)),
        labels=(target,),
        hide_color=hide,
        top_labels=None,
        num_features=features,
        num_samples=samples,
        batch_size=10,
        segmentation_fn=lambda _: labels,
        random_seed=seed,
    )
    coefficients = np.zeros(labels.max() + 1)
    for region, value in found.local_exp[target]:
        coefficients[region] = value
    return (
        coefficients,
        found.intercept[target],
        found.score[target] if isinstance(found.score, dict) else found.score,
    )


@pytest.mark.parametrize(("seed", "hide", "features"), [(0, None, 100_000), (3, 0, 100_000), (5, None, 4)])
def test_coefficients_equal_the_packages(seed, hide, features):
    model, picture, labels = model_of(seed, scale=1.0), image(seed)[0], blocks()
    expected, intercept, score = package(model, picture, labels, 1, 150, seed, hide, features)
    explainer = LIME(
        samples=150, regions=labels, absent="mean" if hide is None else hide, features=features, seed=seed
    )
    (found,) = explainer.explain(model, picture[None], 1)
    np.testing.assert_allclose(found.regions.values, expected, atol=1e-6)
    assert found.diagnostics["intercept"] == pytest.approx(intercept, abs=1e-6)
    assert found.diagnostics["r2"] == pytest.approx(score, abs=1e-6)
    assert np.abs(expected).max() > 1e-3


def test_another_seed_gives_other_coefficients():
    model, picture, labels = model_of(scale=1.0), image()[0], blocks()
    expected, *_ = package(model, picture, labels, 1, 150, 1)
    (found,) = LIME(samples=150, regions=labels, absent="mean", seed=0).explain(model, picture[None], 1)
    assert np.abs(found.regions.values - expected).max() > 1e-5


def test_on_a_linear_model_the_coefficients_are_the_ridges_closed_form():
    model, picture, labels = model_of(), image()[0], blocks()
    samples, width, seed, target = 200, 0.25, 2, 2
    explainer = LIME(samples=samples, regions=labels, absent="mean", seed=seed, kernel_width=width)
    (found,) = explainer.explain(model, picture[None], target, of="logit")
    count = labels.max() + 1
    effects, mean = np.zeros(count), picture.astype(float).copy()
    for region in range(count):
        inside = labels == region
        mean[inside] = picture[inside].mean(axis=0)
        effects[region] = ((picture - mean)[inside] * model.weights[target][inside]).sum()
    base = float((mean * model.weights[target]).sum() + model.bias[target])
    shown = np.random.RandomState(seed).randint(0, 2, (samples, count)).astype(float)
    shown[0] = 1
    responses = base + shown @ effects
    norms = np.linalg.norm(shown, axis=1)
    cosine = np.divide(shown.sum(axis=1), norms * np.sqrt(count), out=np.zeros(samples), where=norms > 0)
    weights = np.sqrt(np.exp(-((1 - cosine) ** 2) / width**2))
    centred = shown - weights @ shown / weights.sum()
    gram = centred.T @ (weights[:, None] * centred) + np.eye(count)  # the package's penalty is 1
    expected = np.linalg.solve(
        gram, centred.T @ (weights * (responses - weights @ responses / weights.sum()))
    )
    np.testing.assert_allclose(found.regions.values, expected, atol=1e-6)
    assert np.corrcoef(found.regions.values, effects)[0, 1] > 0.999


def test_a_region_whose_hiding_changes_nothing_is_not_tested():
    picture, labels = image()[0], blocks()
    picture[labels == 3] = 0.5
    (found,) = LIME(samples=60, regions=labels, absent="mean").explain(model_of(), picture[None], 0)
    assert np.isnan(found.regions.values[3])
    assert not found.regions.tested[3]
    assert found.regions.tested.sum() == len(found.regions.values) - 1
    assert np.isnan(found.values[labels == 3]).all()
    assert np.isfinite(found.values[labels != 3]).all()
    assert {"untested_regions", "not_finite"} <= {c.name for c in found.caveats}
    assert found.diagnostics["untested"] == 1
    assert 3 not in found.regions.strongest(100)


def test_where_all_is_tested_no_caveat_says_otherwise():
    (found,) = LIME(samples=60, regions=blocks()).explain(model_of(), image(), 0, of="logit")
    assert not {"untested_regions", "not_finite", "poor_fit"} & {c.name for c in found.caveats}
    assert found.diagnostics["r2"] > 0.9


def test_a_score_in_which_regions_act_together_is_a_poor_fit():
    labels, picture = blocks(), image()[0]
    whole = picture.astype(float)

    def parity(batch):
        """Odd or even: how many of the first six regions are shown."""
        odd = [sum(np.allclose(x[labels == r], whole[labels == r]) for r in range(6)) % 2 for x in batch]
        return np.stack([1 - 0.9 * np.array(odd), 0.9 * np.array(odd)], axis=1)

    model = FunctionClassifier(parity, classes=("even", "odd"))
    (found,) = LIME(samples=300, regions=labels).explain(model, picture[None], "odd")
    assert "poor_fit" in [c.name for c in found.caveats]
    assert found.diagnostics["r2"] < 0.5


def test_pixels_outside_every_region_are_never_hidden():
    labels, picture = blocks(), image()[0]
    labels[labels < 4] = -1
    labels[labels >= 0] -= 4
    seen = []

    def watching(batch):
        if len(batch) > 2:  # those of the question whether it is a function of one image are of two
            seen.append(batch[:, :4].copy())
        p = 1 / (1 + batch.std(axis=(1, 2, 3)))
        return np.stack([1 - p, p], axis=1)

    LIME(samples=40, regions=labels).explain(FunctionClassifier(watching, classes=("a", "b")), picture[None])
    assert all(np.array_equal(x, picture[:4]) for x in np.concatenate(seen))


def test_a_constant_score_gives_zeros_that_can_be_stored(tmp_path):
    model = FunctionClassifier(lambda x: np.full((len(x), 2), 0.5), classes=("a", "b"))
    (found,) = LIME(samples=40, regions=blocks()).explain(model, image())
    np.testing.assert_allclose(found.regions.values, 0, atol=1e-7)
    found.store(tmp_path / "kept")


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"samples": 1}, "`samples` must be a whole number of at least 2"),
        ({"regions": np.zeros((3, 4), int)}, "`regions` must be integer labels"),
        ({"regions": np.zeros(SHAPE[:-1])}, "`regions` must be integer labels"),
        ({"regions": np.full(SHAPE[:-1], -1)}, "at least one region"),
        ({"regions": 0}, "at least 1"),
    ],
)
def test_errors_are_one_sentence(settings, sentence):
    from xaimri import explain

    with pytest.raises(InvalidInput, match=sentence):
        explain(model_of(), image()[0], "lime", **settings)


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("samples", 1),
        ("samples", 2.5),
        ("regions", 0),
        ("features", 0),
        ("seed", -1),
        ("kernel_width", 0.0),
        ("compactness", 0.0),
        ("absent", float("nan")),
    ],
)
def test_a_setting_out_of_range_is_named(setting, value):
    with pytest.raises((InvalidInput, TypeCheckError), match=setting):
        LIME(**{setting: value})


def test_labels_below_minus_one_are_refused():
    model = LinearClassifier.random((6, 8, 1))
    labels = np.where(np.arange(48).reshape(6, 8) < 10, -2, 0)
    with pytest.raises(InvalidInput, match="regions"):
        LIME(samples=8, regions=labels).explain(model, np.ones((1, 6, 8, 1), np.float32))


# Errors, adjustment and sampling


def game_of(seed=0, regions=8):
    """A function of the image whose log-odds are a random game of its blocks, and their labels."""
    labels = blocks((8, 16), 4)
    assert labels.max() + 1 == regions
    table = np.random.default_rng(seed).normal(size=2**regions)

    def probabilities(batch):
        shown = batch[:, ::4, ::4, 0].reshape(len(batch), -1) > 0.5
        odds = table[shown @ (1 << np.arange(regions))]
        return softmax(np.stack([np.zeros_like(odds), odds], axis=1)).astype(np.float32)

    return FunctionClassifier(probabilities, classes=("no", "yes")), labels, table


def limit(table, samples, sampling="halves"):
    """The ridge over all masks, its penalty scaled to the sample size."""
    masks = all_of(8)
    weights = Locality().weights(masks)
    weights = weights / (len(masks) if sampling in ("halves", "orthogonal") else weights.sum())
    design = masks.astype(float)
    coefficients, _ = solve(design, table, weights, penalty=1 / samples)
    return coefficients


WHOLE = np.ones((1, 8, 16, 1), np.float32)


@pytest.mark.slow
@pytest.mark.parametrize("adjust", [False, True])
@pytest.mark.parametrize("sampling", ["halves", "orthogonal", "local", "stratified"])
def test_values_scatter_about_the_fit_to_all_masks_by_their_errors(sampling, adjust):
    model, labels, table = game_of()
    found = [
        LIME(samples=300, regions=labels, absent=0.0, adjust=adjust, sampling=sampling, seed=seed)
        .explain(model, WHOLE, "yes", of="log_odds")[0]
        .regions
        for seed in range(30)
    ]
    values, truth = np.stack([f.values for f in found]), limit(table, 300, sampling)
    stated = np.sqrt(np.mean([f.errors**2 for f in found], axis=0))
    assert 0.8 < np.sqrt(np.mean((values.std(axis=0, ddof=1) / stated) ** 2)) < 1.2
    bias = (values.mean(axis=0) - truth) / (stated / np.sqrt(len(found)))
    assert np.sqrt(np.mean(bias**2)) < 2.2
    assert 0.9 < np.mean([np.abs(f.values - truth) <= 1.96 * f.errors for f in found]) <= 1


@pytest.mark.slow
def test_adjustment_finds_what_can_be_predicted():
    labels, table = game_of()[1], (all_of(8)[:, 0] & all_of(8)[:, 1]) * 4.0 + all_of(8)[:, 2]
    shown = lambda batch: batch[:, ::4, ::4, 0].reshape(len(batch), -1) > 0.5  # noqa: E731

    def probabilities(batch):
        odds = table[shown(batch) @ (1 << np.arange(8))]
        return softmax(np.stack([np.zeros_like(odds), odds], axis=1)).astype(np.float32)

    model = FunctionClassifier(probabilities, classes=("no", "yes"))
    square = {}
    for adjust in (False, True):
        found = [
            LIME(samples=300, regions=labels, absent=0.0, adjust=adjust, seed=s)
            .explain(model, WHOLE, "yes", of="log_odds")[0]
            .regions.values
            for s in range(6)
        ]
        square[adjust] = np.mean((np.stack(found) - limit(table, 300)) ** 2)
    assert square[True] < square[False] / 10


def test_regions_left_out_by_the_selection_have_no_error():
    model, labels, _ = game_of()
    (found,) = LIME(samples=200, regions=labels, absent=0.0, features=3).explain(model, WHOLE, "yes")
    chosen = found.regions.values != 0
    assert chosen.sum() == 3
    assert np.isfinite(found.regions.errors[chosen]).all()
    assert np.isnan(found.regions.errors[~chosen]).all()


@pytest.mark.parametrize("selection", ["none", "highest_weights", "forward_selection", "lasso_path"])
@pytest.mark.parametrize("distance", ["euclidean", "jaccard"])
def test_distances_and_selections_are_the_packages(distance, selection):
    from lime.lime_base import LimeBase
    from sklearn.metrics import pairwise_distances

    model, labels, table = game_of(seed=4)
    settings = {"samples": 150, "regions": labels, "absent": 0.0, "features": 4, "seed": 2}
    explainer = LIME(**settings, selection=selection, distance=distance, kernel_width=2.0)
    (found,) = explainer.explain(model, WHOLE, "yes", of="log_odds")
    masks = np.random.RandomState(2).randint(0, 2, 150 * 8).reshape(150, 8)
    masks[0] = 1
    data = masks.astype(bool) if distance == "jaccard" else masks
    base = LimeBase(lambda d: np.sqrt(np.exp(-(d**2) / 4.0)), random_state=np.random.RandomState(2))
    far = pairwise_distances(data, data[:1], metric=distance).ravel()
    odds = table[masks @ (1 << np.arange(8))][:, None]
    _, pairs, score, _ = base.explain_instance_with_data(
        masks.astype(float), odds, far, 0, 4, feature_selection=selection
    )
    expected = np.zeros(8)
    for region, value in pairs:
        expected[region] = value
    np.testing.assert_allclose(found.regions.values, expected, atol=2e-4)
    assert found.diagnostics["r2"] == pytest.approx(score, abs=1e-3)


def test_auto_stops_when_the_order_is_settled_and_says_when_it_never_was():
    model, labels, _ = game_of()
    clear = FunctionClassifier(
        lambda x: softmax(
            np.stack(
                [0 * x[:, 0, 0, 0], x[:, ::4, ::4, 0].reshape(len(x), -1) @ (3.0 ** np.arange(8) / 3**7)], 1
            )
        ),
        classes=("no", "yes"),
    )
    rule = Auto(top=2, floor=100, ceiling=400)
    (found,) = LIME(samples=rule, regions=labels, absent=0.0).explain(clear, WHOLE, "yes", of="log_odds")
    assert found.diagnostics["samples"] == 100
    assert "not_converged" not in [c.name for c in found.caveats]
    hard = Auto(top=8, tolerance=1e-6, floor=100, ceiling=150)
    (found,) = LIME(samples=hard, regions=labels, absent=0.0).explain(model, WHOLE, "yes", of="log_odds")
    assert found.diagnostics["samples"] == 150
    assert "not_converged" in [c.name for c in found.caveats]


@pytest.mark.slow
@pytest.mark.parametrize("regions", [9, 25, 48])
def test_orthogonal_errors_are_not_too_small_before_the_first_block_is_whole(regions):
    """Errors of a block cut short: what 60 seeds scatter, at most 1.1 times what is stated."""
    model, picture = (
        FunctionClassifier(_crossed),
        np.random.default_rng(0).random((24, 24, 1), dtype=np.float32),
    )
    labels = np.arange(576).reshape(24, 24) * regions // 576
    samples = 5 * regions // 4
    found = [
        LIME(samples=samples, regions=labels, seed=seed, absent=0.0, sampling="orthogonal")
        .explain(model, picture[None], 0)[0]
        .regions
        for seed in range(60)
    ]
    scatter = np.array([r.values for r in found]).var(axis=0, ddof=1).mean()
    stated = np.mean([r.errors**2 for r in found])
    assert np.sqrt(scatter / stated) < 1.1


def _crossed(images):
    """A function of two halves of the image, each of which matters only with the other."""
    half = images.shape[1] // 2
    score = 40 * images[:, :half].mean(axis=(1, 2, 3)) * images[:, half:].mean(axis=(1, 2, 3)) - 5
    return softmax(np.stack([score, -score], axis=1).astype(np.float64))


@pytest.mark.parametrize("method", [LIME(samples=60), SHAP(samples=60), Occlusion(regions=1)])
def test_numbers_with_gaps_are_only_names(method):
    """An atlas numbers its regions as it likes: values and cost are those of the same ones without gaps."""
    picture, names = image()[0], np.array([2, 4, 10, 11, 12, 17, 1002, 1003, 1004, 1005, 1006, 2035])
    compact = blocks()
    labels = np.where(compact == 3, -1, names[compact])  # one of them is no region
    closed = np.where(compact == 3, -1, compact - (compact > 3))
    (found,) = replace(method, regions=Stored(labels)).explain(model_of(), picture[None], 0)
    (same,) = replace(method, regions=Stored(closed)).explain(model_of(), picture[None], 0)
    assert np.array_equal(found.values, same.values)
    assert np.array_equal(found.regions.labels, labels)
    assert np.array_equal(found.regions.values[np.delete(names, 3)], same.regions.values)
    assert np.isfinite(found.regions.values).sum() == len(names) - 1
    assert found.diagnostics == same.diagnostics
    assert found.caveats == same.caveats == ()


def test_a_label_of_a_million_is_refused():
    labels = np.where(blocks() == 0, 2**40, blocks())
    with pytest.raises(InvalidInput, match="`regions` has the label 1099511627776: number regions below"):
        LIME(samples=8, regions=labels).explain(model_of(), image())


@pytest.mark.parametrize("sampling", ["halves", "orthogonal", "local", "stratified"])
def test_a_kernel_that_sees_nothing_is_refused(sampling):
    with pytest.raises(InvalidInput, match="`kernel_width` 1e-09 leaves perturbed images no weight"):
        LIME(samples=40, regions=blocks(), kernel_width=1e-9, sampling=sampling).explain(model_of(), image())


@pytest.mark.parametrize("level", [0.1, 1 / 3, 0.7])
@pytest.mark.parametrize("of", ["probability", "log_odds", "logit"])
def test_a_score_that_never_changes_is_settled_at_once_and_has_no_poor_fit(level, of):
    model = FunctionClassifier(lambda x: np.tile([level, 1 - level], (len(x), 1)))
    (found,) = LIME(samples="auto", regions=blocks()).explain(model, image(), 0, of=of)
    assert found.diagnostics["samples"] == Auto().floor
    assert not found.regions.values.any()
    assert not found.regions.errors.any()
    assert {c.name for c in found.caveats} & {"poor_fit", "not_converged"} == set()


def test_regions_that_a_fit_leaves_out_do_not_keep_it_from_settling():
    settings = {"regions": blocks(), "absent": 0.0, "features": 11}
    (found,) = LIME(samples=Auto(ceiling=5000), **settings).explain(model_of(scale=3.0), image(), 0)
    assert np.isnan(found.regions.errors).sum() == 1
    assert found.diagnostics["samples"] < 5000
