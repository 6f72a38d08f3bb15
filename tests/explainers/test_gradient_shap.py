"""GradientSHAP: closed forms, errors that seeds confirm, and the shap package itself."""

import warnings

import numpy as np
import pytest

from xaimri import (
    ExpectedGradients,
    GradientSHAP,
    LinearClassifier,
)
from xaimri.classifier import Gradient
from xaimri.objective import Objective


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


@pytest.mark.slow
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


@pytest.mark.slow
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
