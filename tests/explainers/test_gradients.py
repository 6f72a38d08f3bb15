"""Gradient methods against closed forms: linear, quadratic and kinked scores."""

import numpy as np
import pytest

from linear import Resting
from xaimri import (
    ExpectedGradients,
    FunctionClassifier,
    GradCAM,
    InputXGradient,
    IntegratedGradients,
    LinearClassifier,
    Saliency,
    SmoothGrad,
    VarGrad,
)
from xaimri.classifier import Gradient
from xaimri.errors import InvalidInput, MissingCapability
from xaimri.explainers import from_record
from xaimri.explainers.smoothgrad import _noisy
from xaimri.objective import softmax
from xaimri.perturb.running_mean import RunningMean

SPACES = {"2d": (5, 7), "3d": (3, 4, 6)}


def linear(rank, classes=3):
    shape = (*SPACES[rank], 2)
    model = LinearClassifier.random(shape, classes=classes, seed=4)
    return model, np.random.default_rng(5).normal(1, 2, (4, *shape)).astype(np.float32)


class PixelWise:
    """Logits ``(0, sum of f over pixels)``, with the derivative of f: gradients in closed form."""

    classes = ("no", "yes")

    def __init__(self, function, derivative):
        self.function, self.derivative = function, derivative
        self.passes = 0

    def logits(self, images, /):
        total = self.function(images.astype(np.float64)).reshape(len(images), -1).sum(axis=1)
        return np.stack([0 * total, total], axis=1).astype(np.float32)

    def gradient(self, images, objective, /):
        self.passes += len(images)
        logits = self.logits(images)
        slope = objective.cotangents(logits)[:, 1].reshape(-1, *[1] * (images.ndim - 1))
        return Gradient((slope * self.derivative(images.astype(np.float64))).astype(np.float32), logits)


def square():
    return PixelWise(lambda x: x**2, lambda x: 2 * x)


def kinked(place=0.37):
    return PixelWise(lambda x: np.maximum(x - place, 0), lambda x: (x > place).astype(float))


def wave():
    return PixelWise(lambda x: np.sin(9 * x), lambda x: 9 * np.cos(9 * x))


def names(explanation):
    return {c.name for c in explanation.caveats}


def of_weights(model, logits, of):
    p = softmax(logits[None].astype(float))[0]
    chosen = np.eye(len(p))[1]
    others = np.where(chosen > 0, 0, p) / (1 - p[1])
    slopes = {"logit": chosen, "log_odds": chosen - others, "probability": p[1] * (chosen - p)}[of]
    return np.tensordot(slopes, model.weights.astype(float), axes=1)


@pytest.mark.parametrize("rank", SPACES)
@pytest.mark.parametrize("of", ["logit", "log_odds", "probability"])
def test_saliency_and_input_x_gradient_of_a_linear_model(rank, of):
    model, images = linear(rank)
    for i, found in enumerate(Saliency().explain(model, images, 1, of=of)):
        weights = of_weights(model, found.logits, of)
        np.testing.assert_allclose(found.values, np.abs(weights).max(axis=-1), atol=1e-6)
        (signed,) = Saliency(signed=True).explain(model, images[i : i + 1], 1, of=of)
        np.testing.assert_allclose(signed.values, weights.sum(axis=-1), atol=1e-6)
        (product,) = InputXGradient().explain(model, images[i : i + 1], 1, of=of)
        np.testing.assert_allclose(product.values, (weights * images[i]).sum(axis=-1), atol=1e-5)
        assert (found.unit, product.unit) == (
            f"{of.replace('_', '-')} per unit of intensity",
            of.replace("_", "-"),
        )


@pytest.mark.parametrize("rank", SPACES)
def test_integrated_gradients_of_a_linear_model(rank):
    model, images = linear(rank)
    blank = np.random.default_rng(6).normal(size=images.shape[1:]).astype(np.float32)
    for baseline in (0.0, 1.5, blank):
        for i, found in enumerate(IntegratedGradients(baseline=baseline).explain(model, images, 2)):
            expected = ((images[i] - baseline) * model.weights[2]).sum(axis=-1)
            np.testing.assert_allclose(found.values, expected, atol=1e-5)
            assert found.diagnostics["steps"] == 15
            assert found.diagnostics["model_calls"] == 16
            assert "not_converged" not in names(found)


def test_integrated_gradients_of_a_square_is_exact_and_complete():
    model, image = square(), np.random.default_rng(0).normal(size=(1, 5, 7, 2)).astype(np.float32)
    (found,) = IntegratedGradients(baseline=0.5).explain(model, image, "yes")
    np.testing.assert_allclose(found.values, (image[0] ** 2 - 0.25).sum(axis=-1), atol=1e-5)
    assert found.diagnostics["difference"] == pytest.approx((image**2 - 0.25).sum(), rel=1e-5)
    assert found.diagnostics["completeness_gap"] < 1e-4


@pytest.mark.parametrize("tolerance", [0.05, 0.005])
def test_steps_are_added_until_the_values_add_up(tolerance):
    model, image = kinked(), np.full((1, 5, 7, 2), 1.0, np.float32)
    (found,) = IntegratedGradients(tolerance=tolerance, most=10_000).explain(model, image, "yes")
    steps = found.diagnostics["steps"]
    assert found.diagnostics["completeness_gap"] <= tolerance * found.diagnostics["difference"] * 1.001
    # A halving is skipped only where the values added up already, and then not one pass is spent on it.
    passed = 0.63 * 70
    half = steps // 2
    ends = np.arange(half + 1) / half
    weights = np.where((ends == 0) | (ends == 1), 0.5, 1.0)
    coarser = 70 * ((ends > 0.37) * weights).sum() / half
    assert steps == 15 or abs(coarser - passed) > tolerance * passed * 0.999
    assert model.passes == found.diagnostics["model_calls"] == steps + 1
    np.testing.assert_allclose(found.values, 2 * 0.63, rtol=2 * tolerance)


def test_a_path_that_does_not_add_up_says_so():
    image = np.full((1, 5, 7, 1), 1.0, np.float32)
    short = IntegratedGradients(steps=2, most=4, tolerance=1e-4)
    assert "not_converged" in names(short.explain(wave(), image, "yes")[0])
    long = IntegratedGradients(steps=2, most=4096, tolerance=1e-4)
    found = long.explain(wave(), image, "yes")[0]
    assert "not_converged" not in names(found)
    np.testing.assert_allclose(found.values, np.sin(9), rtol=2e-4)


def test_the_last_doublings_change_of_the_map_is_told():
    image = np.full((1, 5, 7, 1), 1.0, np.float32)
    (found,) = IntegratedGradients(steps=8, most=16, tolerance=1e-9).explain(wave(), image, "yes")
    (half,) = IntegratedGradients(steps=8, most=8).explain(wave(), image, "yes")
    moved = np.linalg.norm(found.values - half.values) / np.linalg.norm(found.values)
    assert found.diagnostics["change"] == pytest.approx(moved, rel=1e-5)
    assert "change" not in half.diagnostics


def test_every_image_of_a_batch_takes_the_steps_that_it_needs():
    images = np.stack([np.full((5, 7, 1), v, np.float32) for v in (0.2, 1.0)])
    still, moved = IntegratedGradients(tolerance=0.001).explain(kinked(), images, "yes")
    assert still.diagnostics["steps"] < moved.diagnostics["steps"]
    assert "degenerate_gradient" in names(still)
    assert "degenerate_gradient" not in names(moved)


def test_expected_gradients_of_one_reference_and_a_linear_model_is_integrated_gradients():
    model, images = linear("2d")
    blank = np.random.default_rng(6).normal(size=images.shape[1:]).astype(np.float32)
    expected = IntegratedGradients(baseline=blank).explain(model, images, 1)
    found = ExpectedGradients(references=blank[None], samples=5).explain(model, images, 1)
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a.values, b.values, atol=1e-5)
        np.testing.assert_allclose(a.errors, 0, atol=1e-6)


def test_expected_gradients_are_within_their_errors_of_the_truth():
    """Truth in closed form: a square's integrated gradient, averaged over the references."""
    generator = np.random.default_rng(0)
    references = generator.normal(size=(6, 12, 15, 1)).astype(np.float32)
    image = generator.normal(size=(1, 12, 15, 1)).astype(np.float32)
    truth = (image[0] ** 2 - (references**2).mean(axis=0))[..., 0]
    misses = []
    for seed in range(20):
        (found,) = ExpectedGradients(references, samples=200, seed=seed).explain(square(), image, "yes")
        misses.append((found.values - truth) / found.errors)
        gap = found.diagnostics["sum"] - truth.sum()
        assert abs(gap) < 4 * found.diagnostics["sum_error"]
    covered = (np.abs(misses) < 1.96).mean()
    assert 0.93 < covered < 0.97, covered


def test_smoothgrad_without_noise_is_its_inner_method():
    model, images = linear("3d")
    for inner in (InputXGradient(), Saliency(), IntegratedGradients(baseline=1.0), GradCAM(relu=False)):
        smooth = SmoothGrad(inner=inner, noise=0.0, copies=3).explain(model, images)
        for a, b in zip(smooth, inner.explain(model, images), strict=True):
            np.testing.assert_allclose(a.values, b.values, atol=1e-6)
            np.testing.assert_allclose(a.errors, 0, atol=1e-6)
            assert a.unit == b.unit
        for a in VarGrad(inner=inner, noise=0.0, copies=3).explain(model, images):
            np.testing.assert_allclose(a.values, 0, atol=1e-9)


def test_smoothgrad_and_vargrad_of_a_square_have_the_noises_moments():
    """The gradient of x**2 is 2 x: its mean over noise is 2 x, its variance 4 sigma**2."""
    image = np.random.default_rng(0).random((1, 40, 50, 1), dtype=np.float32)
    sigma = 0.2 * np.ptp(image)
    (mean,) = SmoothGrad(noise=0.2, copies=50).explain(square(), image, "yes")
    miss = (mean.values - 2 * image[0, ..., 0]) / mean.errors
    assert 0.93 < (np.abs(miss) < 1.96).mean() < 0.97
    (variance,) = VarGrad(noise=0.2, copies=50).explain(square(), image, "yes")
    assert variance.values.mean() == pytest.approx(4 * sigma**2, rel=0.02)
    assert variance.unit == "(logit per unit of intensity) squared"


def test_noise_is_the_same_for_every_image():
    model, images = linear("2d")
    together = SmoothGrad(inner="input_x_gradient", noise=3.0).explain(model, images)
    for one, image in zip(together, images, strict=True):
        (alone,) = SmoothGrad(inner="input_x_gradient", noise=3.0).explain(model, image[None])
        np.testing.assert_allclose(one.values, alone.values, atol=1e-4)
    other = SmoothGrad(inner="input_x_gradient", noise=3.0, seed=1).explain(model, images)
    assert not np.allclose(other[0].values, together[0].values)


def test_the_class_is_that_of_the_clean_image_whatever_the_copies_are_taken_for():
    """Signs of the two classes differ, so that copies of the other class would cancel the map."""
    weights = np.random.default_rng(0).normal(size=(5, 7, 1))
    model = LinearClassifier(np.stack([weights, -weights]), bias=[0.1, 0.0])
    image = np.zeros((1, 5, 7, 1), np.float32)
    image[0, 0, 0] = 1e-3  # of some range, so that noise flips the prediction
    predicted = [SmoothGrad(noise=2.0, copies=40), VarGrad(inner="input_x_gradient", noise=2.0, copies=40)]
    noisy = image + np.random.default_rng(1).normal(size=(40, 5, 7, 1)).astype(np.float32)
    assert 5 < model.logits(noisy).argmax(axis=1).sum() < 35
    for method in predicted:
        (default,), (named,) = method.explain(model, image * 1000), method.explain(model, image * 1000, 0)
        assert default.target in (0, 1)
        (asked,) = method.explain(model, image * 1000, default.target)
        np.testing.assert_allclose(default.values, asked.values, rtol=1e-5)
        assert named.target == 0


def test_a_wrapped_wrapper_draws_other_noise():
    image = np.random.default_rng(0).random((1, 5, 7, 1), dtype=np.float32)
    inner = SmoothGrad(inner="input_x_gradient", copies=2, noise=0.3)
    draws = {
        _noisy(explainer, image, 0).tobytes()
        for explainer in (inner, SmoothGrad(inner=inner, copies=2, noise=0.3))
    }
    assert len(draws) == 2


def test_the_layer_that_the_inner_method_opened_is_told():
    model, images = linear("2d")
    (found, *_) = SmoothGrad(inner=GradCAM(), copies=2).explain(model, images)
    assert found.diagnostics["layer"] == "patches"


def test_the_error_of_a_variance_is_what_other_seeds_scatter():
    image = np.random.default_rng(0).random((1, 20, 25, 1), dtype=np.float32)
    runs = [VarGrad(noise=0.2, copies=20, seed=s).explain(square(), image, "yes")[0] for s in range(30)]
    scatter = np.std([r.values for r in runs], axis=0, ddof=1).mean()
    assert np.mean([r.errors.mean() for r in runs]) == pytest.approx(scatter, rel=0.1)


def test_an_image_that_is_its_own_reference_has_a_gradient_all_the_same():
    image = np.random.default_rng(0).random((1, 5, 7, 1), dtype=np.float32)
    (found,) = ExpectedGradients(references=image, samples=3).explain(square(), image, "yes")
    assert not found.values.any()
    assert "degenerate_gradient" not in names(found)


def test_costs_are_counted():
    model, images = linear("2d")
    (found, *_) = SmoothGrad(copies=7).explain(model, images)
    assert found.diagnostics["model_calls"] == 8
    nested = SmoothGrad(inner=IntegratedGradients(), copies=3).explain(model, images)
    assert nested[0].diagnostics["model_calls"] == 1 + 3 * 16
    assert nested[0].diagnostics["copies"] == 3


def test_caveats_of_the_inner_method_count_where_most_copies_have_them():
    image = np.random.default_rng(0).random((1, 5, 7, 1), dtype=np.float32)
    for method in (Saliency(), InputXGradient(), SmoothGrad(copies=4), VarGrad(copies=4)):
        found = names(method.explain(Resting((2, 5, 7, 1)), image)[0])
        assert "degenerate_gradient" in found
        assert "constant_score" not in found
    seeing = LinearClassifier.random((5, 7, 1))
    for method in (Saliency(), InputXGradient(), SmoothGrad(copies=4)):
        assert "degenerate_gradient" not in names(method.explain(seeing, image)[0])


def test_a_wrapped_method_is_kept_with_its_own_settings():
    blank = np.random.default_rng(0).random((5, 7, 2)).astype(np.float32)
    given = SmoothGrad(
        inner=VarGrad(inner=IntegratedGradients(baseline=blank), copies=2), noise=0.0, copies=2
    )
    again = from_record(given.record(), given.arrays())
    assert again == given
    assert hash(again) == hash(given)
    with pytest.raises(InvalidInput, match="names an array"):
        from_record(given.record(), {})


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: SmoothGrad(inner="lime"), "`inner` must be a gradient method, and LIME is none"),
        (lambda: SmoothGrad(inner="gradcma"), "'gradcma' is not known"),
        (lambda: VarGrad(copies=1), "`copies` must be a whole number of at least 2"),
        (lambda: SmoothGrad(noise=-1), "`noise` must be a number of at least 0"),
        (lambda: SmoothGrad(noise=np.nan), "`noise`"),
        (lambda: IntegratedGradients(baseline=np.inf), "`baseline` must be a finite number or an image"),
        (
            lambda: IntegratedGradients(baseline=np.full((5, 7, 1), np.nan)),
            "`baseline` holds NaN, infinite",
        ),
        (lambda: IntegratedGradients(baseline=np.array([["a"]])), "`baseline` must be an array of numbers"),
        (
            lambda: IntegratedGradients(baseline=np.zeros((5, 7, 1), complex)),
            "`baseline` must be an array of",
        ),
        (lambda: IntegratedGradients(steps=0), "`steps` must be a whole number of at least 1"),
        (lambda: IntegratedGradients(steps=50, most=20), "`most` must be a whole number of at least 50"),
        (lambda: IntegratedGradients(tolerance=0), "`tolerance` must be a number above 0"),
        (lambda: ExpectedGradients(), "`references` must be an array of images"),
        (
            lambda: ExpectedGradients(references=np.zeros((5, 7))),
            r"`references` .* got an array of float64 of shape \(5, 7\)",
        ),
        (lambda: ExpectedGradients(references=np.full((2, 5, 7, 1), np.nan)), "NaN, infinite"),
        (lambda: ExpectedGradients(references=np.zeros((2, 5, 7, 1)), samples=1), "`samples`"),
    ],
)
def test_settings_that_cannot_be_used_are_named(make, sentence):
    with pytest.raises(InvalidInput, match=sentence) as refusal:
        make()
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    "method",
    [IntegratedGradients(baseline=np.zeros((2, 2, 1))), ExpectedGradients(references=np.zeros((3, 2, 2, 1)))],
    ids=["baseline", "references"],
)
def test_images_of_another_shape_are_refused(method):
    model, images = linear("2d")
    with pytest.raises(InvalidInput, match=r"\(5, 7, 2\), the model's grid"):
        method.explain(model, images)


def test_what_a_wrapped_method_needs_is_asked_of_the_model():
    image = np.ones((1, 5, 7, 1), np.float32)
    with pytest.raises(MissingCapability, match="GradCAM needs a Convolutional model, and PixelWise"):
        SmoothGrad(inner=GradCAM()).explain(square(), image)
    function = FunctionClassifier(lambda x: np.full((len(x), 2), 0.5))
    with pytest.raises(MissingCapability, match="SmoothGrad needs a Differentiable"):
        SmoothGrad().explain(function, image)


@pytest.mark.parametrize("cuts", [[], [1], [3, 4], [2, 2, 9]])
def test_moments_do_not_depend_on_how_the_samples_come(cuts):
    samples = np.random.default_rng(0).normal(5, 2, (10, 3, 4))
    moments = RunningMean()
    for part in np.split(samples, cuts):
        moments.add(part)
    np.testing.assert_allclose(moments.mean, samples.mean(axis=0))
    np.testing.assert_allclose(moments.variance, samples.var(axis=0, ddof=1))
    np.testing.assert_allclose(moments.error, samples.std(axis=0, ddof=1) / np.sqrt(10))
