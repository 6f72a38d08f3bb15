"""Sums of values against falls of the score: exact on linear models, chance levels, boxes, regions."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xaimri import LIME, SHAP, FunctionClassifier, LinearClassifier, Occlusion, Saliency
from xaimri.errors import InvalidInput
from xaimri.metrics import completeness_gap, faithfulness_correlation, infidelity, sensitivity_n
from xaimri.metrics.subsets import boxes

SHAPES = {"2d": (9, 12, 2), "3d": (5, 6, 8, 2)}
CORRELATIONS = [faithfulness_correlation, sensitivity_n]


class Counting(LinearClassifier):
    """Counts the images that it is shown."""

    seen = 0

    def logits(self, images, /):
        self.seen += len(images)
        return super().logits(images)


def subject(shape=SHAPES["2d"], seed=0, of="logit"):
    """A model, an explanation of class 1, and what each pixel adds to its logit."""
    model = Counting.random(shape, seed=seed)
    image = np.random.default_rng(seed).random((1, *shape), dtype=np.float32)
    (own,) = Saliency().explain(model, image, 1, of=of)
    model.seen = 0
    return model, own, (model.weights[1].astype(float) * image[0]).sum(axis=-1)


def mapped(own, values):
    return replace(own, values=np.asarray(values, float))


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_contributions_are_perfect_and_their_inverse_is_the_opposite(shape):
    model, own, adds = subject(shape)
    for factor in (1, 37.5):
        right, wrong = mapped(own, factor * adds), mapped(own, -factor * adds)
        assert infidelity(right, model, absent=0.0) == pytest.approx(0, abs=1e-9)
        assert infidelity(wrong, model, absent=0.0) == 1
        for measure in CORRELATIONS:
            assert measure(right, model, absent=0.0) == pytest.approx(1, abs=1e-9)
            assert measure(wrong, model, absent=0.0) == pytest.approx(-1, abs=1e-9)
    assert completeness_gap(mapped(own, adds), model) == pytest.approx(0, abs=1e-5)
    assert completeness_gap(mapped(own, -adds), model) == pytest.approx(2, abs=1e-5)
    assert completeness_gap(mapped(own, 5 * adds), model) == pytest.approx(4, abs=1e-4)
    assert completeness_gap(mapped(own, 0 * adds), model) == 1


@pytest.mark.parametrize("absent", ["blur", "mean", "noise", 0.4, "array"])
def test_contributions_are_relative_to_what_stands_in(absent):
    """What hiding takes away is weight times change; its sums are the falls, for any stand-in."""
    from xaimri.perturb.absent import hidden

    model, own, _ = subject()
    if absent == "array":
        absent = np.random.default_rng(4).random((9, 12, 2), dtype=np.float32)
    gone = hidden(own.image, np.zeros((9, 12), int), absent, seed=3)
    adds = (model.weights[1].astype(float) * (own.image - gone)).sum(axis=-1)
    right = mapped(own, adds)
    raw = infidelity(right, model, absent=absent, seed=3, normalised=False)
    assert raw == pytest.approx(0, abs=1e-10)
    assert faithfulness_correlation(right, model, absent=absent, seed=3) == pytest.approx(1, abs=1e-6)
    assert sensitivity_n(right, model, absent=absent, seed=3) == pytest.approx(1, abs=1e-6)
    assert completeness_gap(right, model, absent=absent, seed=3) == pytest.approx(0, abs=1e-4)


def test_infidelity_of_a_constant_map_is_how_much_the_falls_differ():
    """All boxes have one size, so sums are equal, and the best factor gives the mean fall."""
    model, own, adds = subject()
    inside = boxes((9, 12), 40, 0.25, 7)
    fall = inside @ adds.ravel()
    expected = 1 - max(fall.mean(), 0) ** 2 / (fall**2).mean()
    other = 1 - max(-fall.mean(), 0) ** 2 / (fall**2).mean()
    found = infidelity(mapped(own, 0 * adds + 3), model, absent=0.0, samples=40, seed=7)
    assert found == pytest.approx(expected, abs=1e-5)
    found = infidelity(mapped(own, 0 * adds - 3), model, absent=0.0, samples=40, seed=7)
    assert found == pytest.approx(other, abs=1e-5)
    assert expected != other
    unscaled = infidelity(mapped(own, 2 * adds), model, absent=0.0, samples=40, seed=7, normalised=False)
    assert unscaled == pytest.approx((fall**2).mean(), rel=1e-4)  # twice the fall, less the fall
    empty = mapped(own, 0 * adds)
    assert infidelity(empty, model, absent=0.0) == 1
    assert infidelity(empty, model, absent=0.0, samples=40, seed=7, normalised=False) == pytest.approx(
        (fall**2).mean(), rel=1e-4
    )


@pytest.mark.slow
def test_a_scaled_map_is_fitted_by_least_squares():
    """No positive factor of any map comes nearer to the falls than the one that is taken."""
    model, own, adds = subject()
    some = adds + np.random.default_rng(2).normal(0, adds.std(), adds.shape)
    found = infidelity(mapped(own, some), model, absent=0.0)
    null = infidelity(mapped(own, 0 * some), model, absent=0.0, normalised=False)
    tried = [
        infidelity(mapped(own, f * some), model, absent=0.0, normalised=False) / null
        for f in np.linspace(0, 1.5, 61)
    ]
    assert 0 < found <= min(tried) < found + 1e-3
    assert 0 < int(np.argmin(tried)) < 60


@pytest.mark.parametrize("measure", CORRELATIONS)
def test_random_maps_have_no_correlation(measure):
    """Within 4 standard errors of the mean over 60 maps."""
    model, own, adds = subject()
    generator = np.random.default_rng(1)
    maps = [mapped(own, generator.normal(size=adds.shape)) for _ in range(60)]
    found = measure(maps, model, absent=0.0)
    error = found.std(ddof=1) / np.sqrt(60)
    assert abs(found.mean()) < 4 * error < 0.2
    assert np.abs(found).max() <= 1


def test_random_maps_have_an_infidelity_of_a_little_less_than_one():
    model, own, adds = subject()
    generator = np.random.default_rng(1)
    found = infidelity([mapped(own, generator.normal(size=adds.shape)) for _ in range(60)], model, absent=0.0)
    assert found.max() <= 1
    assert 0.8 < found.mean() < 1


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.floats(-15, 6), st.floats(-5, 5))
def test_scale_does_not_matter_and_of_correlations_nor_does_offset(seed, power, offset):
    model, own, adds = subject()
    values = np.random.default_rng(seed).normal(size=adds.shape)
    same = 10.0**power * values
    fitted = infidelity(mapped(own, values), model)
    assert infidelity(mapped(own, same), model) == pytest.approx(fitted, rel=1e-9)
    assert 0 <= fitted <= 1
    for measure in CORRELATIONS:
        expected = measure(mapped(own, values), model)
        assert -1 <= expected <= 1
        assert measure(mapped(own, same), model) == pytest.approx(expected, abs=1e-9)
        assert measure(mapped(own, values + offset), model) == pytest.approx(expected, abs=1e-9)


def test_a_tiny_score_in_tiny_units_is_correlated_as_any_other():
    """A saturated probability: values and falls of 1e-9 and less are no rounding."""
    shape = SHAPES["2d"]
    linear = LinearClassifier.random(shape, seed=0)
    model = LinearClassifier(linear.weights, bias=[0.0, -25.0])
    image = np.random.default_rng(0).random((1, *shape), dtype=np.float32)
    (own,) = Saliency(signed=True).explain(model, image, 1, of="probability")
    gradient = (model.weights[1] - model.weights[0]) * image[0]
    assert np.abs(own.values).max() < 1e-9
    values = gradient.sum(axis=-1) * 1e-14
    assert faithfulness_correlation(mapped(own, values), model, absent=0.0) > 0.98


@pytest.mark.parametrize("measure", CORRELATIONS)
def test_equal_sums_or_equal_falls_have_no_correlation(measure):
    model, own, adds = subject()
    assert np.isnan(measure(mapped(own, 0 * adds + 0.1), model))
    assert np.isnan(measure(mapped(own, 0 * adds), model))
    flat = FunctionClassifier(lambda x: np.full((len(x), 2), 0.5), classes=("a", "b"))
    assert np.isnan(measure(mapped(own, adds), flat))
    assert np.isnan(infidelity(mapped(own, adds), flat))
    assert np.isnan(completeness_gap(mapped(own, adds), flat))


def test_sensitivity_n_is_the_mean_over_the_sizes():
    model, own, adds = subject()
    some = mapped(own, adds + np.random.default_rng(3).normal(0, adds.std(), adds.shape))
    both = sensitivity_n(some, model, samples=100, sizes=(0.3, 0.05), seed=2)
    first = faithfulness_correlation(some, model, samples=100, share=0.3, seed=2)
    assert sensitivity_n(some, model, samples=100, sizes=(0.3,), seed=2) == first
    halves = np.repeat([0, 1], 54).reshape(9, 12)
    assert first != both
    assert abs(both - first) < 0.5
    # one of two parts is hidden, whatever the share: the two sums differ, and so does every size's +-1
    signs = sensitivity_n(some, model, samples=20, sizes=(0.1, 0.9), regions=halves)
    assert abs(signs) == pytest.approx(1, abs=1e-9)
    # a size of one subset is left out of the mean, where another has a correlation
    single = np.zeros((9, 12), int)
    assert np.isnan(sensitivity_n(some, model, regions=single))


@pytest.mark.parametrize("share", [0.001, 0.1, 0.5, 0.999])
def test_subsets_have_the_size_that_was_asked_for(share):
    """A model that adds the pixels counts what was hidden; at least one is, and never all."""
    shape, sizes = (9, 12, 1), set()

    def count(images):
        sizes.update(np.rint(images.sum(axis=(1, 2, 3))).astype(int).tolist())
        return np.stack([images.sum(axis=(1, 2, 3)) / 200, 1 - images.sum(axis=(1, 2, 3)) / 200], axis=1)

    (own,) = Saliency().explain(LinearClassifier.random(shape), np.ones((1, *shape), np.float32))
    model = FunctionClassifier(count, classes=("a", "b"))
    faithfulness_correlation(own, model, absent=0.0, share=share, samples=7)
    assert sizes - {0} == {108, 108 - min(max(round(share * 108), 1), 107)}


@pytest.mark.parametrize(
    ("space", "side", "wide"),
    [((9, 12), 0.25, (2, 3)), ((5, 6, 8), 0.5, (2, 3, 4)), ((1, 30), 0.01, (1, 1)), ((4, 7), 1, (4, 7))],
)
def test_boxes_have_their_sides_and_lie_anywhere_inside(space, side, wide):
    found = boxes(space, 400, side, 1).reshape(400, *space)
    for box in found:
        for axis, width in enumerate(wide):
            place = np.flatnonzero(box.any(axis=tuple(a for a in range(len(space)) if a != axis)))
            assert len(place) == width == place[-1] - place[0] + 1
        assert box.sum() == np.prod(wide)
    assert found.any(axis=0).all()  # every pixel, corners too, is in some box
    assert np.array_equal(boxes(space, 400, side, 1), found.reshape(400, -1))


@pytest.mark.parametrize("method", [Occlusion, SHAP, LIME], ids=lambda m: m.name)
def test_each_region_counts_once(method):
    """Exact values of regions of unequal size add up to every fall, and their map painted would not."""
    model, own, adds = subject()
    labels = np.repeat(np.arange(6), [3, 5, 10, 20, 30, 40]).reshape(9, 12) - 1
    (found,) = method(regions=labels, absent=0.0).explain(model, own.image[None], 1, of="logit")
    truth = np.bincount(labels[labels >= 0], weights=adds[labels >= 0])
    regions = replace(found.regions, values=truth)
    exact = replace(found, regions=regions, values=regions.paint(truth))
    assert completeness_gap(exact, model) == pytest.approx(0, abs=1e-5)
    for measure in CORRELATIONS:
        assert measure(exact, model, absent=0.0, regions=labels) == pytest.approx(1, abs=1e-9)
        assert measure(replace(exact, regions=None), model, absent=0.0, regions=labels) < 0.99
    if method is not LIME:  # which shrinks
        assert completeness_gap(found, model) == pytest.approx(0, abs=1e-4)
    lost = replace(found.regions, values=np.append(truth[:-1], np.nan))  # a region that was not tested
    untested = replace(exact, regions=lost, values=lost.paint(lost.values))
    assert completeness_gap(untested, model) == pytest.approx(abs(truth[-1] / truth.sum()), rel=1e-4)


def test_a_batch_equals_one_by_one_and_maps_of_one_image_share_their_predictions():
    model, own, adds = subject()
    (other,) = Saliency().explain(model, own.image[None] + 1, 0, of="probability")
    maps = [mapped(own, adds), mapped(other, adds), mapped(own, adds**2), own]  # two images in turn
    for measure, options, per_image in [
        (infidelity, {"samples": 9}, 10),
        (faithfulness_correlation, {"samples": 9}, 10),
        (sensitivity_n, {"samples": 5, "sizes": (0.1, 0.4)}, 11),
    ]:
        model.seen = 0
        found = measure(maps, model, **options)
        assert model.seen == 2 * per_image
        assert found.tolist() == [measure(each, model, **options) for each in maps]
        assert len(set(found.tolist())) == 4
    model.seen = 0
    found = completeness_gap(maps, model)
    assert model.seen == 4 + 2  # everything hidden for each map, and the two images
    assert found.tolist() == [completeness_gap(each, model) for each in maps]


def test_the_score_is_that_which_was_explained_unless_another_is_named():
    model, own, adds = subject(of="probability")
    some = mapped(own, adds)
    for measure in (infidelity, completeness_gap, *CORRELATIONS):
        assert measure(some, model) == measure(some, model, of="probability")
        assert measure(some, model) != measure(some, model, of="logit")
        assert measure(replace(some, of="log_odds"), model) == measure(some, model, of="log_odds")


def test_nothing_is_changed():
    model, own, adds = subject()
    some, labels = mapped(own, adds), np.arange(108).reshape(9, 12) // 9
    kept = [array.copy() for array in (some.values, some.image, labels)]
    np.random.seed(5)  # noqa: NPY002
    state = np.random.get_state()[1].copy()  # noqa: NPY002
    for measure in (infidelity, completeness_gap):
        measure(some, model, absent="noise")
    for measure in CORRELATIONS:
        measure(some, model, regions=labels, absent="mean")
    assert np.array_equal(np.random.get_state()[1], state)  # noqa: NPY002
    for before, after in zip(kept, (some.values, some.image, labels), strict=True):
        assert np.array_equal(before, after)


@pytest.mark.parametrize(
    ("measure", "given", "sentence"),
    [
        (infidelity, {"side": 0.0}, "`side` must be above 0 and at most 1, got 0.0"),
        (infidelity, {"side": 1.01}, "`side` must be above 0 and at most 1"),
        (infidelity, {"samples": 1}, "`samples` must be at least 2, got 1"),
        (faithfulness_correlation, {"samples": 2}, "`samples` must be at least 3, got 2"),
        (faithfulness_correlation, {"share": 0.0}, "shares above 0 and below 1 of the image"),
        (faithfulness_correlation, {"share": 1.0}, "shares above 0 and below 1 of the image"),
        (sensitivity_n, {"sizes": ()}, "shares above 0 and below 1 of the image"),
        (sensitivity_n, {"sizes": (0.5, float("nan"))}, r"`sizes\[1\]` must be a finite number, got nan"),
        (completeness_gap, {"absent": float("inf")}, "`absent` must be"),
    ],
)
def test_errors_are_one_sentence(measure, given, sentence):
    model, own, _ = subject()
    with pytest.raises(InvalidInput, match=sentence):
        measure(own, model, **given)
