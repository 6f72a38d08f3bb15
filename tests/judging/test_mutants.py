"""Methods made wrong on purpose are wrong in the one way that they name."""

from dataclasses import replace

import numpy as np
import pytest
from jaxtyping import TypeCheckError

from xaimri import LIME, SHAP, FunctionClassifier, InputXGradient, InvalidInput, LinearClassifier, Saliency
from xaimri.errors import MissingCapability
from xaimri.judging import MUTATIONS, Mutant
from xaimri.metrics import completeness_gap
from xaimri.metrics.values import pixel_shares
from xaimri.testing import check_explainer

SHAPES = [(24, 16, 2), (6, 24, 16, 1)]


def subject(shape, seed=0, classes=3):
    images = np.random.default_rng(seed).uniform(0.5, 1, (2, *shape)).astype(np.float32)
    images[:, ..., :4, :] = images[:, ..., -4:, :] = 0  # the object is 8 wide
    return LinearClassifier.random(shape, classes=classes, seed=seed), images


def both(inner, mutation, model, images):
    """Pairs of a method's map and its mutant's."""
    maps = [explainer.explain(model, images) for explainer in (inner, Mutant(inner, mutation))]
    return zip(*maps, strict=True)


@pytest.mark.slow
@pytest.mark.parametrize("mutation", MUTATIONS)
@pytest.mark.parametrize("inner", [Saliency(signed=True), SHAP(regions=5, samples=20)], ids=lambda m: m.name)
def test_a_mutant_keeps_what_every_explainer_promises(mutation, inner):
    model, images = subject((24, 16, 1))
    check_explainer(Mutant(inner, mutation), model, images)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("inner", [InputXGradient(), SHAP(regions=6, samples=30)], ids=lambda m: m.name)
def test_negated_maps_are_the_negative_and_keep_their_errors(shape, inner):
    model, images = subject(shape)
    for own, found in zip(
        *(e.explain(model, images) for e in (inner, Mutant(inner, "negated"))), strict=True
    ):
        assert np.array_equal(found.values, -own.values)
        assert (found.target, found.unit, found.of) == (own.target, own.unit, own.of)
        assert (found.errors is None) == (own.errors is None)
        if own.regions is not None:
            assert np.array_equal(found.regions.values, -own.regions.values, equal_nan=True)
            assert np.array_equal(found.errors, own.errors)


@pytest.mark.parametrize("shape", SHAPES)
def test_shifted_maps_lie_a_quarter_of_the_objects_longest_side_away(shape):
    model, images = subject(shape)
    inner = SHAP(regions=6, samples=30)
    for own, found in zip(
        *(e.explain(model, images) for e in (inner, Mutant(inner, "shifted"))), strict=True
    ):
        axis = own.values.ndim - 2  # 24 pixels, the longest
        np.testing.assert_allclose(found.values, np.roll(pixel_shares(own), 6, axis=axis), atol=1e-7)
        assert found.regions is None


@pytest.mark.parametrize("shape", SHAPES)
def test_flat_maps_have_the_same_mean_nearly_everywhere(shape):
    model, images = subject(shape)
    inner = InputXGradient()
    for own, found in both(inner, "flat", model, images):
        assert found.values.std() < 0.1 * own.values.std()
    level = LinearClassifier(np.full((2, *shape), 0.5, np.float32))
    (even,) = Mutant(Saliency(signed=True), "flat").explain(level, images[:1])
    np.testing.assert_allclose(even.values, 0.5 * shape[-1], rtol=1e-5)  # a flat map stays as it is


def test_the_other_class_is_the_most_probable_but_the_one_asked_for():
    model, images = subject((24, 16, 1))
    ranks = np.argsort(-model.logits(images), axis=1)
    inner = InputXGradient()
    for target, other in [(None, ranks[:, 1]), (ranks[:, 1].tolist(), ranks[:, 0])]:
        found = Mutant(inner, "other class").explain(model, images, target)
        right = inner.explain(model, images, other.tolist())
        for one, two, own in zip(found, right, inner.explain(model, images, target), strict=True):
            assert np.array_equal(one.values, two.values)
            assert one.target == own.target != two.target
            assert np.array_equal(one.probabilities, own.probabilities)


def test_the_untrained_networks_map_is_that_of_its_shuffled_weights_for_the_networks_own_class():
    model, images = subject((24, 16, 1))
    inner = InputXGradient()
    own = inner.explain(model, images)
    found = Mutant(inner, "untrained", shuffle=3).explain(model, images)
    shuffled = model.randomised(model.layers, 3)
    expected = inner.explain(shuffled, images, [each.target for each in own])
    for one, two, right in zip(found, expected, own, strict=True):
        assert np.array_equal(one.values, two.values)
        assert np.array_equal(one.logits, right.logits)
        assert not np.allclose(one.values, right.values)


def test_the_score_is_the_inner_methods_own_unless_asked_otherwise():
    model, images = subject((24, 16, 1))
    inner = LIME(samples=20, regions=4)
    own = inner.explain(model, images)[0]
    assert Mutant(inner, "negated").explain(model, images)[0].of == own.of == inner.of
    assert Mutant(inner, "shifted").explain(model, images, of="log_odds")[0].of == "log_odds"


def test_a_negated_map_that_added_up_is_off_by_twice_the_fall():
    model, images = subject((24, 16, 1))
    maps = Mutant(InputXGradient(), "negated").explain(model, images, 0)
    np.testing.assert_allclose(completeness_gap(maps, model), 2, rtol=1e-4)


def test_errors_are_one_sentence():
    with pytest.raises((InvalidInput, TypeCheckError), match="mutation"):
        Mutant(Saliency(), "wrong")
    with pytest.raises(InvalidInput, match="`shuffle` must be a whole number of at least 0"):
        Mutant("saliency", "flat", shuffle=-1)
    model = FunctionClassifier(lambda x: x.reshape(len(x), -1)[:, :2], ("a", "b"), outputs="logits")
    images = np.random.default_rng(0).random((1, 8, 9, 1), dtype=np.float32)
    with pytest.raises(MissingCapability, match="needs a Randomisable model, and FunctionClassifier is not"):
        Mutant(LIME(samples=10, regions=3), "untrained").explain(model, images)


def test_mutants_are_values():
    one, other = Mutant(Saliency(), "shifted", shuffle=1), Mutant(Saliency(), "shifted", shuffle=1)
    assert one == other
    assert hash(one) == hash(other)
    assert one != replace(one, mutation="flat")
    assert one.record()["settings"]["inner"] == Saliency().record()
