"""Noise, seeds, other trainings and destroyed weights: closed forms on linear models."""

from dataclasses import dataclass, field, fields
from functools import partial
from itertools import combinations
from typing import ClassVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr

from xaimri import LIME, SHAP, FunctionClassifier, InputXGradient, LinearClassifier, Occlusion, Saliency
from xaimri.arrays import Stored
from xaimri.classifier import Classifier
from xaimri.errors import InvalidInput, MissingCapability
from xaimri.explainer import Attribution, Explainer
from xaimri.judging import Mutant
from xaimri.metrics import (
    label_randomisation,
    max_sensitivity,
    randomisation,
    repeatability,
    seed_stability,
    similarity,
)
from xaimri.objective import softmax

SHAPES = {"2d": (20, 24, 2), "3d": (7, 9, 11, 2)}
CALLS: list[object] = []


@dataclass(frozen=True)
class Noise(Explainer[Classifier]):
    """Maps that have nothing to do with the image, a seed for each; counts the images it explains."""

    seed: int = 0
    offset: float = 0.0
    name: ClassVar[str] = "noise"

    def attribute(self, model, images, objective, /):
        CALLS.append(len(images))
        drawn = [
            np.random.default_rng([self.seed, *x.tobytes()[:64]]).normal(size=x.shape[:-1]) for x in images
        ]
        return Attribution(np.stack(drawn).astype(np.float32) + self.offset, model.logits(images))


def subject(shape=SHAPES["2d"], seed=0):
    image = np.random.default_rng(seed).random(shape, dtype=np.float32)
    return LinearClassifier.random(shape, classes=3, seed=seed), image


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_a_constant_gradient_never_moves_and_gradient_times_image_moves_with_the_noise(shape):
    """Noise e, uniform to +-r: the map moves by weights . e, in the mean square r² / 3 of the weights'."""
    model, image = subject(shape)
    assert max_sensitivity(Saliency(), model, image) == 0
    own = (model.weights[1] * image).sum(axis=-1)
    for radius in (0.01, 0.3):
        reach = radius * (image.max() - image.min())
        found = max_sensitivity(InputXGradient(), model, image, target=1, radius=radius, samples=1)
        expected = reach / np.sqrt(3) * np.linalg.norm(model.weights[1]) / np.linalg.norm(own)
        assert found == pytest.approx(expected, rel=0.15)
        largest = max_sensitivity(InputXGradient(), model, image, target=1, radius=radius, samples=20)
        limit = reach * np.linalg.norm(np.abs(model.weights[1]).sum(axis=-1)) / np.linalg.norm(own)
        assert found < largest < limit


@pytest.mark.slow
@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 6), st.floats(0.001, 1))
def test_more_noise_moves_more_and_more_samples_never_less(seed, samples, radius):
    model, image = subject((6, 9, 2), seed)
    method = InputXGradient()
    found = max_sensitivity(method, model, image, radius=radius, samples=samples, seed=seed)
    double = max_sensitivity(method, model, image, radius=2 * radius, samples=samples, seed=seed)
    assert found > 0
    assert double == pytest.approx(2 * found, rel=1e-2)
    more = max_sensitivity(method, model, image, radius=radius, samples=samples + 3, seed=seed)
    assert more >= found - 1e-6
    brighter = max_sensitivity(method, LinearClassifier(5 * model.weights), image, radius=radius, seed=seed)
    assert brighter == pytest.approx(
        max_sensitivity(method, LinearClassifier(model.weights), image, radius=radius, seed=seed), rel=1e-3
    )


def test_unrelated_maps_of_equal_size_move_by_the_root_of_two():
    model, image = subject((60, 70, 1))
    CALLS.clear()
    assert max_sensitivity(Noise(), model, image, samples=3) == pytest.approx(np.sqrt(2), rel=0.05)
    assert sum(CALLS) == 3 + 1


def test_the_noise_is_a_share_of_the_images_range_and_the_class_is_kept():
    """The class of every noisy image is that of the image itself, though it would be another alone."""
    model, image = subject((6, 9, 2))
    image = 7 + 3 * image
    seen = []

    class Watching(LinearClassifier):
        def gradient(self, images, objective, /):
            seen.append((images.copy(), objective.targets))
            return super().gradient(images, objective)

    max_sensitivity(InputXGradient(), Watching(model.weights), image, radius=0.1, samples=400)
    noisy, targets = seen[1]
    noise, reach = noisy - image, 0.1 * (image.max() - image.min())
    assert np.abs(noise).max() == pytest.approx(reach, rel=0.01)
    assert noise.std() == pytest.approx(reach / np.sqrt(3), rel=0.01)
    assert set(targets) == {int(LinearClassifier(model.weights).logits(image[None]).argmax())}
    flat = np.full((6, 9, 2), 0.3, np.float32)
    assert max_sensitivity(InputXGradient(), model, flat) == 0  # a range of nothing
    assert np.isnan(max_sensitivity(InputXGradient(), model, 0 * flat))  # an empty map


@pytest.mark.parametrize("method", [LIME(samples=40, regions=5), SHAP(regions=4), Occlusion(regions=5)])
def test_superpixels_are_cut_once(method):
    model, image = subject((14, 17, 2))
    kept, fixed = [], []
    original = type(method).attribute

    class Kept(type(method)):
        def attribute(self, model, images, objective, /):
            result = original(self, model, images, objective)
            kept.extend(regions.labels for regions in result.regions)
            fixed.append(isinstance(self.regions, Stored))
            return result

    own = Kept(**{each.name: getattr(method, each.name) for each in fields(method)})
    max_sensitivity(own, model, image, samples=2, radius=0.8)
    seed_stability(own, model, image, seeds=(0, 1))
    repeatability(own, model, image, other=model)
    assert len(kept) == 3 + 2 + 2
    assert all(np.array_equal(labels, kept[0]) for labels in kept)
    assert fixed == [False, True] * 3


def test_seed_stability_is_the_mean_over_all_pairs():
    model, image = subject((9, 11, 1))
    CALLS.clear()
    found = seed_stability(Noise(), model, image, seeds=(3, 5, 8))
    assert sum(CALLS) == 3
    maps = [Noise(seed).explain(model, image[None])[0].values for seed in (3, 5, 8)]
    expected = np.mean([spearmanr(a.ravel(), b.ravel()).statistic for a, b in combinations(maps, 2)])
    assert found == pytest.approx(expected, abs=1e-6)
    structure = seed_stability(Noise(), model, image, seeds=(3, 5), by="ssim")
    assert structure == pytest.approx(similarity(maps[0], maps[1]), abs=1e-6)
    assert seed_stability(Noise(), model, image, seeds=(4, 4, 4)) == pytest.approx(1)
    CALLS.clear()
    assert seed_stability(Saliency(), model, image) == 1
    assert not CALLS


@pytest.mark.slow
def test_methods_that_draw_nothing_are_stable_and_noise_is_not():
    model, image = subject((12, 14, 1))
    labels = np.arange(168).reshape(12, 14) // 42
    assert seed_stability(SHAP(regions=labels), model, image) == pytest.approx(1)  # all coalitions of four
    values = [seed_stability(Noise(k), model, image, seeds=(2 * k, 2 * k + 1)) for k in range(80)]
    assert abs(np.mean(values)) < 4 * np.std(values, ddof=1) / np.sqrt(80)


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_repeatability_compares_the_two_networks_maps_of_one_class(shape):
    model, image = subject(shape)
    other = LinearClassifier.random(shape, classes=3, seed=9)
    top = int(model.logits(image[None]).argmax())
    signed = Saliency(signed=True)
    for measure, name in ((repeatability, "other"), (label_randomisation, "control")):
        for target in (None, 0, "class_2"):
            index = {None: top, "class_2": 2}.get(target, target)
            one, two = model.weights[index].sum(axis=-1), other.weights[index].sum(axis=-1)
            given = {name: other, "target": target}
            found = measure(signed, model, image, by="spearman", **given)
            assert found == pytest.approx(spearmanr(one.ravel(), two.ravel()).statistic, abs=1e-6)
            found = measure(signed, model, image, **given)
            assert found == pytest.approx(similarity(one, two), abs=1e-5)
        negative = LinearClassifier(-model.weights)
        assert measure(signed, model, image, by="spearman", **{name: negative}) == pytest.approx(-1)
        assert measure(signed, model, image, **{name: model}) == pytest.approx(1)


@dataclass
class Layered(LinearClassifier):
    """Three layers, each of which has its own map: the weights are the sum of those that are left."""

    parts: dict = field(default_factory=dict)
    gone: tuple = ()

    def __post_init__(self):
        kept = [part if name not in self.gone else part[::-1, ::-1] for name, part in self.parts.items()]
        super().__init__(np.stack([0 * kept[0], sum(kept)])[..., None])

    layers = ("top", "middle", "bottom")

    def randomised(self, layers, seed, /):
        return Layered(self.parts, (*self.gone, *layers))


@pytest.mark.parametrize(
    ("order", "steps", "gone"),
    [
        ("cascading", None, [("top",), ("top", "middle"), ("top", "middle", "bottom")]),
        ("cascading", 1, [("top", "middle", "bottom")]),
        ("cascading", 2, [("top", "middle"), ("top", "middle", "bottom")]),
        ("cascading", 99, [("top",), ("top", "middle"), ("top", "middle", "bottom")]),
        ("independent", None, [("top",), ("middle",), ("bottom",)]),
        ("independent", 1, [("bottom",)]),
    ],
)
def test_layers_are_destroyed_from_the_output_down(order, steps, gone):
    generator = np.random.default_rng(0)
    model = Layered({name: generator.normal(size=(8, 9)) for name in Layered.layers})
    image = generator.random((8, 9, 1), dtype=np.float32)
    signed = Saliency(signed=True)
    found = randomisation(signed, model, image, target=1, order=order, steps=steps, by="spearman")
    assert found.layers == tuple(layers[-1] for layers in gone)
    own = model.weights[1, ..., 0]
    np.testing.assert_allclose(found.own.values, own, atol=1e-6)
    for explanation, alike, layers in zip(found.explanations, found.similarities, gone, strict=True):
        weights = Layered(model.parts, layers).weights[1, ..., 0]
        np.testing.assert_allclose(explanation.values, weights, atol=1e-6)
        assert alike == pytest.approx(spearmanr(weights.ravel(), own.ravel()).statistic, abs=1e-6)
    assert float(found) == found.similarities[-1]


@pytest.mark.slow
def test_a_map_of_the_image_alone_survives_and_a_gradient_does_not():
    model, image = subject((16, 18, 1))
    before = model.weights.copy()

    @dataclass(frozen=True)
    class Brightness(Explainer[Classifier]):
        name: ClassVar[str] = "brightness"

        def attribute(self, model, images, objective, /):
            return Attribution(images.sum(axis=-1), model.logits(images))

    for by in ("ssim", "spearman"):
        assert float(randomisation(Brightness(), model, image, by=by)) == pytest.approx(1)
    left = [float(randomisation(Saliency(), model, image, by="spearman", seed=seed)) for seed in range(60)]
    assert abs(np.mean(left)) < 4 * np.std(left, ddof=1) / np.sqrt(60)
    assert np.array_equal(model.weights, before)
    found = randomisation(Saliency(), model, image)  # the class stays the network's own
    assert {e.target for e in (found.own, *found.explanations)} == {int(model.logits(image[None]).argmax())}


def test_nothing_is_changed():
    model, image = subject((9, 11, 2))
    kept = image.copy()
    np.random.seed(5)  # noqa: NPY002
    state = np.random.get_state()[1].copy()  # noqa: NPY002
    for measure in (max_sensitivity, seed_stability, randomisation):
        measure(InputXGradient(), model, image)
    repeatability(Saliency(), model, image, other=model)
    assert np.array_equal(np.random.get_state()[1], state)  # noqa: NPY002
    assert np.array_equal(image, kept)


@pytest.mark.parametrize(
    ("measure", "given", "sentence"),
    [
        (max_sensitivity, {"radius": 0.0}, "`radius` must be above 0 and `samples` at least 1, got 0.0"),
        (max_sensitivity, {"samples": 0}, "`radius` must be above 0 and `samples` at least 1"),
        (seed_stability, {"seeds": (3,)}, "at least two `seeds`"),
        (
            repeatability,
            {"other": LinearClassifier(np.ones((2, 6, 9, 1)))},
            "`other` has the classes class_0, cl",
        ),
        (randomisation, {"steps": 0}, "`steps` must be at least 1, got 0"),
    ],
)
def test_errors_are_one_sentence(measure, given, sentence):
    model, image = subject((6, 9, 1))
    with pytest.raises(InvalidInput, match=sentence):
        measure(Noise(), model, image, **given)


def test_a_model_without_weights_to_destroy_is_named():
    from xaimri import FunctionClassifier

    model = FunctionClassifier(lambda x: np.full((len(x), 2), 0.5), classes=("a", "b"))
    with pytest.raises(MissingCapability, match="needs a Randomisable model, and FunctionClassifier is not"):
        randomisation(Occlusion(), model, subject((6, 9, 1))[1])


@pytest.mark.slow
def test_a_wrapped_methods_seed_and_superpixels_are_its_own():
    model = LinearClassifier.random((30, 34, 1), seed=0)
    ramp = np.add.outer(np.arange(30), np.arange(34))[..., None] / 64
    image = (ramp + 0.2 * np.random.default_rng(0).random((30, 34, 1))).astype(np.float32)
    inner = LIME(samples=40, regions=8)
    turned = Mutant(inner, "negated")
    for measure in (seed_stability, max_sensitivity):
        one, other = (measure(each, model, image, of="logit") for each in (inner, turned))
        assert one == pytest.approx(other)
    assert seed_stability(inner, model, image) < 1


def test_a_function_is_asked_for_its_classes_before_the_first_comparison():
    model, image = subject((16, 18, 1))
    weights = LinearClassifier.random((16, 18, 1), classes=4).weights
    other = FunctionClassifier(lambda x: x.reshape(len(x), -1) @ weights.reshape(4, -1).T, outputs="logits")
    with pytest.raises(InvalidInput, match="`other` has the classes class_0, class_1, class_2, class_3"):
        repeatability(Occlusion(regions=4), model, image, other=other)


def test_the_other_network_may_be_whatever_is_made_into_a_classifier():
    model = LinearClassifier.random((6, 7, 1), classes=2, seed=0)
    image = np.random.default_rng(0).random((6, 7, 1), dtype=np.float32)

    def probabilities(images):
        return softmax(model.logits(images))

    for measure, name in ((repeatability, "other"), (label_randomisation, "control")):
        assert measure(
            Occlusion(window=2), model, image, of="probability", **{name: probabilities}
        ) == pytest.approx(1)
        with pytest.raises(InvalidInput, match="model"):
            measure(Occlusion(window=2), model, image, **{name: None})


class Weightless(LinearClassifier):
    """A network in which nothing can be destroyed."""

    layers = ()


def test_a_network_without_weights_has_none_to_destroy():
    model, image = Weightless.random((6, 7, 1)), np.ones((6, 7, 1), np.float32)
    with pytest.raises(MissingCapability, match="randomisation destroys weights, and the network has none"):
        randomisation(Saliency(), model, image)
    with pytest.raises(MissingCapability, match="the network has none"):
        Mutant("saliency", "untrained").explain(model, image[None])


def test_a_method_may_be_named():
    model, image = subject((12, 14, 1))
    for measure in (max_sensitivity, seed_stability, randomisation, partial(repeatability, other=model)):
        assert float(measure("saliency", model, image)) == float(measure(Saliency(), model, image))
