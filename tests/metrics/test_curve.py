"""Deletion and insertion: closed forms on a linear model, orders, costs and regions."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jaxtyping import TypeCheckError

import maps
from xaimri import LIME, SHAP, LinearClassifier, Occlusion, Saliency
from xaimri.errors import InvalidInput
from xaimri.metrics import Curve, deletion, insertion
from xaimri.objective import softmax
from xaimri.perturb.absent import hidden

SHAPES = {"2d": (6, 8, 2), "3d": (3, 4, 5, 2)}  # 48 and 60 pixels: steps of 12 divide both


class Counting(LinearClassifier):
    """Counts the images that it is shown."""

    seen = 0

    def logits(self, images, /):
        self.seen += len(images)
        return super().logits(images)


def subject(shape, seed=0):
    """A model, an image, an explanation of class 1 and what each pixel adds to its logit."""
    model = Counting.random(shape, seed=seed)
    image = np.random.default_rng(seed).random((1, *shape), dtype=np.float32)
    (own,) = Saliency().explain(model, image, 1)
    model.seen = 0
    return model, own, (model.weights[1].astype(float) * image[0]).sum(axis=-1)


def mapped(own, values):
    return replace(own, values=np.asarray(values, float))


def falls(parts, start, steps):
    """The score as parts are taken away in this order, in equal steps."""
    gone = [len(parts) * k // steps for k in range(steps + 1)]
    return np.array([start - sum(parts[:n]) for n in gone])


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_on_a_linear_model_the_curves_are_sums_of_the_sorted_contributions(shape):
    model, own, adds = subject(shape)
    start, down = adds.sum() + model.bias[1], sorted(adds.ravel(), reverse=True)
    for sign, order in ((1, down), (-1, down[::-1])):
        fall = deletion(mapped(own, sign * adds), model, absent=0.0, steps=12, of="logit")
        shown = insertion(mapped(own, sign * adds), model, absent=0.0, steps=12, of="logit")
        np.testing.assert_allclose(fall.scores, falls(order, start, 12), atol=1e-5)
        np.testing.assert_allclose(shown.scores, model.bias[1] + start - fall.scores, atol=1e-5)
        np.testing.assert_allclose(fall.fractions, np.arange(13) / 12, atol=1e-12)


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("absent", ["blur", "mean", "noise", 0.5])
def test_inserting_a_map_is_deleting_its_inverse_the_other_way_round(shape, absent):
    """Whatever stands in, and whatever is watched: the same images in the opposite order."""
    model, own, adds = subject(shape)
    for of in ("logit", "probability", "log_odds"):
        shown = insertion(mapped(own, adds), model, absent=absent, steps=12, of=of, seed=3)
        gone = deletion(mapped(own, -adds), model, absent=absent, steps=12, of=of, seed=3)
        np.testing.assert_allclose(shown.scores, gone.scores[::-1], rtol=1e-6)
        assert shown.area == pytest.approx(gone.area)


@pytest.mark.parametrize("absent", ["blur", "mean", "noise", 0.5])
def test_at_the_end_all_looks_as_absent_does(absent):
    """Of single pixels the mean is the whole image's, of superpixels each one's own."""
    model, own, adds = subject(SHAPES["2d"])
    for labels in (None, np.arange(48).reshape(6, 8) // 9):
        gone = hidden(own.image, np.zeros((6, 8), int) if labels is None else labels, absent, seed=3)
        expected = model.logits(np.stack([own.image, gone]))[:, 1]
        way = {"absent": absent, "regions": labels, "of": "logit", "seed": 3}
        scores = deletion(mapped(own, adds), model, **way).scores
        np.testing.assert_allclose(scores[[0, -1]], expected, rtol=1e-5)
        scores = insertion(mapped(own, adds), model, **way).scores
        np.testing.assert_allclose(scores[[-1, 0]], expected, rtol=1e-5)


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_the_watched_score_is_that_of_the_explained_class(shape):
    model, own, adds = subject(shape)
    logits = [
        deletion(replace(mapped(own, adds), target=target), model, steps=6, of="logit").scores
        for target in (0, 1)
    ]
    likely = softmax(np.stack(logits, axis=1))
    for target in (0, 1):
        other = replace(mapped(own, adds), target=target)
        np.testing.assert_allclose(deletion(other, model, steps=6).scores, likely[:, target], rtol=1e-6)
        odds = np.log(likely[:, target] / likely[:, 1 - target])
        np.testing.assert_allclose(deletion(other, model, steps=6, of="log_odds").scores, odds, rtol=1e-4)


@pytest.mark.slow
@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([1, 5, 7, 48, 100]))
def test_no_map_deletes_faster_or_slower_than_the_contributions_and_their_inverse(seed, steps):
    model, own, adds = subject(SHAPES["2d"])
    some = np.random.default_rng(seed).normal(size=adds.shape)
    best, found, worst = (
        deletion(mapped(own, values), model, absent=0.0, steps=steps, of="logit")
        for values in (adds, some, -adds)
    )
    assert (best.scores <= found.scores + 1e-5).all()
    assert (found.scores <= worst.scores + 1e-5).all()
    likely = deletion(mapped(own, some), model, absent=0.0, steps=steps)
    assert 0 <= likely.scores.min() <= likely.area <= likely.scores.max() <= 1
    assert len(found.scores) == len(found.fractions) == min(steps, 48) + 1
    assert (np.diff(found.fractions) > 0).all()
    assert (found.fractions[0], found.fractions[-1]) == (0, 1)
    np.testing.assert_allclose(found.fractions * 48, np.rint(found.fractions * 48), atol=1e-9)
    assert np.ptp(np.diff(found.fractions * 48)) < 1.5  # equal steps, but for whole pixels


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.floats(1e-6, 1e6))
def test_only_the_order_of_the_values_counts(seed, scale):
    model, own, _ = subject(SHAPES["2d"])
    values = np.random.default_rng(seed).integers(-4, 5, (6, 8)).astype(float)  # with equal ones
    for measure in (deletion, insertion):
        expected = measure(mapped(own, values), model, steps=7)
        for same in (scale * values, np.exp(values), values**3 - 100):
            found = measure(mapped(own, same), model, steps=7)
            assert np.array_equal(found.scores, expected.scores)


@pytest.mark.slow
@pytest.mark.parametrize("values", ["random", "constant"])
def test_maps_that_know_nothing_have_the_mean_area_of_all_orders(values):
    """Each pixel is still there half the way: bias + sum / 2, within 4 standard errors of 60 maps."""
    model, own, adds = subject(SHAPES["2d"])
    generator = np.random.default_rng(1)
    areas = []
    for seed in range(60):
        some = generator.normal(size=adds.shape) if values == "random" else np.full(adds.shape, 2.0)
        areas.append(float(deletion(mapped(own, some), model, absent=0.0, steps=12, of="logit", seed=seed)))
    error = np.std(areas, ddof=1) / np.sqrt(60)
    assert abs(np.mean(areas) - (model.bias[1] + adds.sum() / 2)) < 4 * error
    assert error > 0


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_superpixels_go_in_the_order_of_their_mean(shape):
    """Parts of 1, 2, 3, ... pixels: fractions count pixels, the order is that of sum over size."""
    model, own, adds = subject(shape)
    count = adds.size
    labels = np.repeat(np.arange(12), np.arange(1, 13))[:count]
    labels = np.append(labels, np.full(count - len(labels), 11))[::-1].reshape(adds.shape)
    sizes = np.bincount(labels.ravel())
    sums = np.bincount(labels.ravel(), weights=adds.ravel())
    found = deletion(mapped(own, adds), model, absent=0.0, steps=99, regions=labels, of="logit")
    order = sorted(range(len(sizes)), key=lambda part: -sums[part] / sizes[part])
    assert order != sorted(range(len(sizes)), key=lambda part: -sums[part])
    expected = adds.sum() + model.bias[1] - np.cumsum([0, *sums[order]])
    np.testing.assert_allclose(found.scores, expected, atol=1e-5)
    np.testing.assert_allclose(found.fractions, np.cumsum([0, *sizes[order]]) / count)


def test_pixels_in_no_part_stay_and_numbers_may_be_skipped():
    model, own, adds = subject(SHAPES["2d"])
    labels = np.full(adds.shape, -1)
    labels[0], labels[1:3], labels[4, 2:] = 7, 2, 4
    part = {name: adds[labels == name].mean() for name in (7, 2, 4)}
    order = sorted(part, key=lambda name: -part[name])
    found = deletion(mapped(own, adds), model, absent=0.0, regions=labels, of="logit")
    steps = np.cumsum([0, *(adds[labels == name].sum() for name in order)])
    np.testing.assert_allclose(found.scores, adds.sum() + model.bias[1] - steps, atol=1e-5)
    sizes = np.cumsum([0, *((labels == name).sum() for name in order)])
    np.testing.assert_allclose(found.fractions, sizes / 30)


@pytest.mark.parametrize("method", [Occlusion, SHAP, LIME], ids=lambda m: m.name)
def test_a_regions_value_is_spread_over_its_pixels(method):
    """Of two regions the smaller with the smaller value goes first if it holds more per pixel."""
    model, own, _ = subject(SHAPES["2d"])
    labels = np.repeat([0, 1, 2], [4, 20, 24]).reshape(6, 8)
    (found,) = method(regions=labels, absent=0.0).explain(model, own.image[None], 1)
    values = np.array([1.0, 3.0, -1.0])  # per pixel 0.25, 0.15 and below 0
    regions = replace(found.regions, values=values)
    other = replace(found, regions=regions, values=values[labels])
    curve = deletion(other, model, absent=0.0, regions=labels, of="logit")
    np.testing.assert_allclose(curve.fractions, [0, 4 / 48, 24 / 48, 1])


def test_a_batch_equals_one_by_one_and_shares_the_ends_of_its_images():
    model, own, adds = subject(SHAPES["2d"])
    (other,) = Saliency().explain(model, own.image[None] + 1, 0)
    maps = [mapped(own, adds), mapped(own, -adds), mapped(other, adds), own]
    model.seen = 0
    found = deletion(maps, model, steps=5)
    assert model.seen == 4 * (5 - 1) + 2 * 2  # four maps of two images
    for each, curve in zip(maps, found, strict=True):
        alone = deletion(each, model, steps=5)
        assert np.array_equal(alone.scores, curve.scores)
    model.seen = 0
    assert len(insertion(maps, model, steps=1)) == 4
    assert model.seen == 4


def test_superpixels_are_cut_from_each_image():
    model, own, adds = subject(SHAPES["2d"])
    curve = deletion(mapped(own, adds), model, regions=5)
    assert 1 < len(curve.scores) <= 21
    assert np.array_equal(curve.scores, deletion(mapped(own, adds), model, regions=5).scores)


def test_a_way_on_which_nothing_changes_has_no_area():
    model, own, _ = subject((6, 7, 1))
    level = replace(own, image=np.full((6, 7, 1), 2.0, np.float32))
    for measure in (deletion, insertion):
        assert np.isnan(float(measure(level, model, absent="mean")))
        assert np.isfinite(float(measure(level, model, absent=0.0)))


def test_the_area_is_that_of_trapezoids():
    uneven = Curve(np.array([0.0, 0.1, 1.0]), np.array([1.0, 0.5, 0.0]))
    assert float(uneven) == uneven.area == pytest.approx(0.1 * 0.75 + 0.9 * 0.25)
    assert float(Curve(np.linspace(0, 1, 8), np.full(8, 0.3))) == pytest.approx(0.3)


def test_nothing_is_changed():
    model, own, adds = subject(SHAPES["2d"])
    one, labels = mapped(own, adds), np.arange(48).reshape(6, 8) // 7
    absent = np.random.default_rng(2).random((6, 8, 2), dtype=np.float32)
    kept = [array.copy() for array in (one.values, one.image, labels, absent)]
    np.random.seed(5)  # noqa: NPY002
    state = np.random.get_state()[1].copy()  # noqa: NPY002
    deletion(one, model, absent=absent, regions=labels)
    insertion(one, model, absent="noise")
    assert np.array_equal(np.random.get_state()[1], state)  # noqa: NPY002
    for before, after in zip(kept, (one.values, one.image, labels, absent), strict=True):
        assert np.array_equal(before, after)


def test_labels_of_another_shape_are_named():
    model, own, _ = subject(SHAPES["2d"])
    with pytest.raises((InvalidInput, TypeCheckError), match="regions"):
        deletion(own, model, regions=np.zeros((8, 6), int))


@pytest.mark.parametrize("measure", [deletion, insertion])
@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"steps": 0}, "`steps` must be at least 1, got 0"),
        ({"absent": float("nan")}, "`absent` must be"),
        ({"absent": np.zeros((8, 6, 2), np.float32)}, r"`absent` must be an image of shape \(6, 8, 2\)"),
        ({"regions": np.full((6, 8), -1)}, "at least one region"),
        ({"regions": 0}, "at least 1 superpixel"),
    ],
)
def test_errors_are_one_sentence(measure, given, sentence):
    model, own, _ = subject(SHAPES["2d"])
    with pytest.raises(InvalidInput, match=sentence):
        measure(own, model, **given)


@pytest.mark.parametrize(("measure", "change"), [(deletion, "hidden"), (insertion, "shown")])
def test_a_curve_says_what_was_done_and_which_score_it_is(measure, change):
    own, model = maps.mapped((4, 5, 1))
    assert (measure(own, model).change, measure(own, model).of) == (change, "probability")
    assert measure(own, model, of="log_odds").of == "log_odds"
