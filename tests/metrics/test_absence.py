"""How far an explanation moves with what absent looks like: closed forms on a linear model."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from xaimri import (
    LIME,
    RISE,
    SHAP,
    FunctionClassifier,
    GradCAM,
    LinearClassifier,
    Occlusion,
    Saliency,
)
from xaimri.arrays import Stored
from xaimri.errors import InvalidInput
from xaimri.metrics import absent_sensitivity

SHAPES = {"2d": (6, 9, 2), "3d": (4, 5, 6, 2)}


def subject(shape):
    labels = np.arange(np.prod(shape[:-1])).reshape(shape[:-1]) // 12 - 1
    image = np.random.default_rng(0).normal(1, 1, shape).astype(np.float32)
    return LinearClassifier.random(shape, classes=3, seed=3), image, labels


@pytest.mark.parametrize("method", [Occlusion, SHAP])
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_on_a_linear_model_it_is_the_spread_of_weight_times_change(shape, method):
    """A region is worth the sum of its weights times what hiding takes away, for any stand-in."""
    model, image, labels = subject(shape)
    reference = np.random.default_rng(4).random(shape, dtype=np.float32)
    choices = ["mean", 0.0, 2, reference]
    found = absent_sensitivity(method(regions=labels), model, image, choices, target=2)
    expected = np.zeros((4, labels.max() + 1))
    for row, gone in enumerate([None, 0.0, 2.0, reference]):
        for region in range(labels.max() + 1):
            inside = labels == region
            stand = image[inside].mean(axis=0) if gone is None else np.broadcast_to(gone, shape)[inside]
            expected[row, region] = (model.weights[2][inside] * (image[inside] - stand)).sum()
    np.testing.assert_allclose(found.values, expected, atol=1e-5)
    spread = expected.std(axis=0, ddof=1)
    np.testing.assert_allclose(found.spread, spread, atol=1e-5)
    ratio = np.sqrt((spread**2).mean() / (expected**2).mean())
    assert found.relative == pytest.approx(ratio, rel=1e-4)
    assert found.excess == pytest.approx(found.relative, rel=1e-6)  # neither method has a sampling error
    np.testing.assert_allclose(found.correlation, spearmanr(expected, axis=1).statistic, atol=1e-9)
    assert list(found.explanations) == ["mean", "0", "2", "reference"]
    for explanation in found.explanations.values():
        assert np.array_equal(explanation.regions.labels, labels)
        assert explanation.target == 2


@pytest.mark.parametrize(
    "method", [LIME(samples=60, regions=6), SHAP(regions=6), Occlusion(regions=6)], ids=lambda m: m.name
)
def test_equal_choices_make_no_difference(method):
    model, image, _ = subject(SHAPES["2d"])
    found = absent_sensitivity(method, model, image, ["mean", "mean", "mean"])
    assert found.relative == pytest.approx(0, abs=1e-12)
    assert found.excess == pytest.approx(0, abs=1e-12)
    np.testing.assert_allclose(found.spread, 0, atol=1e-12)
    assert np.array_equal(found.correlation, np.ones((3, 3)))
    assert list(found.explanations) == ["mean", "mean#1", "mean#2"]


def test_opposite_stand_ins_turn_the_order_round():
    """Of an image of ones, 0 takes one unit away and 2 adds one: the same values with the other sign."""
    shape, labels = (3, 4, 1), np.arange(12).reshape(3, 4) // 2
    model, image = LinearClassifier.random(shape, seed=2), np.ones(shape, np.float32)
    found = absent_sensitivity(Occlusion(regions=labels), model, image, [0, 2], target=1)
    np.testing.assert_allclose(found.values[0], -found.values[1], atol=1e-6)
    np.testing.assert_allclose(found.correlation, [[1, -1], [-1, 1]])
    assert found.relative == pytest.approx(np.sqrt(2), rel=1e-5)  # two rows +v and -v: sqrt(2) |v|


def test_the_predicted_class_and_the_regions_of_the_first_are_kept_throughout():
    """Superpixels are cut once, and the class is the image's, though the settings leave both open."""
    model, image, _ = subject((14, 17, 2))
    before = image.copy()
    found = absent_sensitivity(LIME(samples=40, regions=5), model, image)
    each = list(found.explanations.values())
    assert list(found.explanations) == ["mean", "blur", "noise", "0"]
    assert len({e.target for e in each}) == 1
    assert each[0].target == model.logits(image[None]).argmax()
    assert all(np.array_equal(e.regions.labels, each[0].regions.labels) for e in each)
    assert found.values.shape == (4, len(found.spread))
    assert np.array_equal(image, before)


def test_of_is_passed_on():
    model, image, labels = subject(SHAPES["2d"])
    found = absent_sensitivity(
        Occlusion(regions=labels), model, image, [0, 1], of="probability", target="class_1"
    )
    assert {e.of for e in found.explanations.values()} == {"probability"}
    assert {e.target_class for e in found.explanations.values()} == {"class_1"}


def test_the_sampling_error_is_taken_out_of_the_excess():
    """With the same stand-in and other names for it, all that is left is the estimator's own error."""
    model, image, labels = subject(SHAPES["2d"])
    found = absent_sensitivity(LIME(samples=60, regions=labels), model, image, ["mean", 0.0], target=1)
    errors = np.mean([e.regions.errors**2 for e in found.explanations.values()])
    square = (found.spread**2).mean()
    scale = np.sqrt((found.values**2).mean())
    assert found.excess == pytest.approx(np.sqrt(max(square - errors, 0)) / scale, rel=1e-5)
    assert 0 <= found.excess < found.relative


def test_the_ratio_is_the_spread_over_the_stated_errors():
    model, image, labels = subject(SHAPES["2d"])
    found = absent_sensitivity(LIME(samples=60, regions=labels), model, image, ["mean", 0.0], target=1)
    first, second = (e.regions for e in found.explanations.values())
    expected = np.abs(first.values - second.values) / np.sqrt(first.errors**2 + second.errors**2)
    np.testing.assert_allclose(found.ratio, expected, rtol=1e-6)  # of two: sqrt(2) cancels
    exact = absent_sensitivity(Occlusion(regions=labels), model, image, ["mean", 0.0], target=1)
    assert np.isnan(exact.ratio).all()


def test_the_excess_is_a_lower_bound_as_all_choices_see_the_same_masks():
    """The spread hardly depends on the samples; what is taken from it for their error does."""
    shape, labels = (6, 9, 1), np.arange(54).reshape(6, 9) // 6
    model = LinearClassifier.random(shape, seed=3)
    image = np.random.default_rng(0).normal(1, 1, shape).astype(np.float32)
    few, many = (
        absent_sensitivity(LIME(samples=n, regions=labels), model, image, ["mean", 0.0, 2.0], target=1)
        for n in (60, 4000)
    )
    assert few.relative == pytest.approx(many.relative, rel=0.1)
    assert few.excess < many.excess <= many.relative
    assert few.relative - few.excess > 10 * (many.relative - many.excess) > 0


def test_long_names_stand_whole_over_their_columns():
    model, image, labels = subject(SHAPES["2d"])
    references = np.random.default_rng(4).random((2, *image.shape), dtype=np.float32)
    found = absent_sensitivity(Occlusion(regions=labels), model, image, ["inpaint", *references, 0.0])
    lines = str(found).splitlines()
    assert lines[1].split() == ["inpaint", "reference", "reference#2", "0"]
    assert len({len(line) for line in lines[1:6]}) == 1


def test_a_region_that_some_choice_does_not_test_takes_no_part():
    model, image, labels = subject(SHAPES["2d"])
    image[labels == 1] = 0.0  # its mean and 0 change nothing there, 1 does
    found = absent_sensitivity(Occlusion(regions=labels), model, image, [1.0, "mean", 0.0], target=0)
    assert np.isnan(found.spread[1])
    assert np.isfinite(np.delete(found.spread, 1)).all()
    kept = np.delete(found.values, 1, axis=1)
    np.testing.assert_allclose(found.correlation, spearmanr(kept, axis=1).statistic, atol=1e-9)
    assert found.relative == pytest.approx(
        np.sqrt((kept.var(axis=0, ddof=1)).mean() / (kept**2).mean()), rel=1e-6
    )


def test_nothing_to_compare_gives_no_number_and_no_warning():
    model, image, _ = subject(SHAPES["2d"])
    one = absent_sensitivity(Occlusion(regions=np.zeros((6, 9), int)), model, image, [0.0, 1.0])
    assert np.isnan(one.correlation).all()  # one region has no order
    blank = np.zeros_like(image)
    none = absent_sensitivity(SHAP(regions=np.zeros((6, 9), int)), model, blank, ["mean", 0.0])
    assert none.relative == 0
    assert none.excess == 0
    assert np.isnan(none.spread).all()
    assert str(none)
    flat = FunctionClassifier(lambda x: np.full((len(x), 2), 0.5), classes=("a", "b"))
    with pytest.raises(InvalidInput, match="for this image and for 8 others"):
        absent_sensitivity(Occlusion(regions=4), flat, image, [0.0, 1.0])


def test_it_reads_as_a_table():
    model, image, labels = subject(SHAPES["2d"])
    found = absent_sensitivity(Occlusion(regions=labels), model, image, ["mean", 0.0])
    lines = str(found).splitlines()
    assert lines[1].split() == ["mean", "0"]
    assert lines[2].split() == ["mean", "1.00", f"{found.correlation[0, 1]:.2f}"]
    assert f"{100 * found.relative:.0f} % of the values" in lines[-1]


@pytest.mark.parametrize("method", [GradCAM(), Saliency(), RISE(samples=20)], ids=lambda m: m.name)
def test_a_method_that_hides_no_regions_is_one_sentence(method):
    model, image, _ = subject(SHAPES["2d"])
    with pytest.raises(
        InvalidInput, match=f"{type(method).__name__} hides no regions: take a method that does"
    ):
        absent_sensitivity(method, model, image)


def test_windows_are_no_regions_and_one_choice_is_no_comparison():
    model, image, _ = subject(SHAPES["2d"])
    with pytest.raises(InvalidInput, match="the method gave no regions: set its `regions`"):
        absent_sensitivity(Occlusion(), model, image)
    with pytest.raises(InvalidInput, match="at least two `choices`"):
        absent_sensitivity(LIME(samples=20), model, image, ["mean"])
    with pytest.raises((InvalidInput, TypeError), match=r"absent|choices\[1\]"):
        absent_sensitivity(LIME(samples=20), model, image, ["mean", "black"])
    with pytest.raises(InvalidInput, match=r"`absent` must be an image of shape \(6, 9, 2\)"):
        absent_sensitivity(LIME(samples=20), model, image, ["mean", Stored(np.zeros((9, 6, 2), np.float32))])
