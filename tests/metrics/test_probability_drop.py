"""The image seen through its map: what is lost in closed form, and what a rise counts."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from xaimri import LinearClassifier, Saliency
from xaimri.errors import InvalidInput
from xaimri.metrics import average_drop, average_increase
from xaimri.perturb.absent import hidden

SHAPES = {"2d": (6, 8, 2), "3d": (3, 4, 5, 2)}
numbers = st.floats(-1e3, 1e3).map(lambda x: round(x, 3))


class Counting(LinearClassifier):
    """Counts the images that it is shown."""

    seen = 0

    def logits(self, images, /):
        self.seen += len(images)
        return super().logits(images)


def subject(shape=SHAPES["2d"], seed=0):
    model = Counting.random(shape, seed=seed)
    image = np.random.default_rng(seed).random((1, *shape), dtype=np.float32)
    (own,) = Saliency().explain(model, image, 1)
    model.seen = 0
    return model, own


def mapped(own, values):
    return replace(own, values=np.asarray(values, float))


def probability(model, image, target=1):
    """Of a class of two, by the logistic function."""
    logits = [
        float((w.astype(float) * image).sum() + b) for w, b in zip(model.weights, model.bias, strict=True)
    ]
    return 1 / (1 + np.exp(logits[1 - target] - logits[target]))


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("absent", [0.0, 0.7, "blur", "mean", "noise"])
def test_the_loss_is_that_of_the_image_dimmed_by_the_map(shape, absent):
    model, own = subject(shape)
    gone = hidden(own.image, np.zeros(shape[:-1], int), absent, seed=3).astype(float)
    values = np.random.default_rng(5).normal(size=shape[:-1])
    signs = set()
    for target in (0, 1):
        for sign in (1, -1):
            one = replace(mapped(own, sign * values), target=target)
            seen = (np.clip(sign * values, 0, None) / (sign * values).max())[..., None]
            whole = probability(model, own.image, target)
            through = probability(model, seen * own.image + (1 - seen) * gone, target)
            found = average_drop(one, model, absent=absent, seed=3)
            assert found == pytest.approx(max(0, whole - through) / whole, abs=1e-5)
            assert average_increase(one, model, absent=absent, seed=3) == float(through > whole)
            signs.add(through > whole)
    assert signs == {True, False}


def test_a_perfect_an_inverted_a_constant_and_an_empty_map():
    """The answer is one pixel, and another speaks against it: alone, it is more probable than the whole."""
    weights = np.zeros((2, 2, 3, 1))
    weights[1, 0, 1], weights[1, 1, 2] = 3, -2
    model, image = LinearClassifier(weights), np.ones((1, 2, 3, 1), np.float32)
    (own,) = Saliency(signed=True).explain(model, image, 1)
    values, whole = own.values.astype(float), 1 / (1 + np.exp(-1))
    for map_, drop, rise in [
        (values, 0, 1),  # only what speaks for the class is seen
        (-values, 1 - 1 / (1 + np.exp(2)) / whole, 0),
        (np.full((2, 3), 4.0), 0, 0),
        (np.zeros((2, 3)), 1 - 0.5 / whole, 0),  # all black
        (np.full((2, 3), -4.0), 1 - 0.5 / whole, 0),
    ]:
        assert average_drop(mapped(own, map_), model) == pytest.approx(drop, abs=1e-6)
        assert average_increase(mapped(own, map_), model) == rise


@pytest.mark.slow
@settings(max_examples=50, deadline=None)
@given(arrays(float, (6, 8), elements=numbers), st.floats(1e-6, 1e6))
def test_scale_does_not_matter_nor_do_negative_values(values, scale):
    model, own = subject()
    found = average_drop(mapped(own, values), model)
    assert 0 <= found <= 1
    assert average_drop(mapped(own, scale * values), model) == pytest.approx(found, abs=1e-5)
    assert average_drop(mapped(own, np.maximum(values, 0)), model) == found
    rise = average_increase(mapped(own, values), model)
    assert rise in (0, 1)
    assert not (rise and found)


def test_a_class_of_no_probability_loses_nothing():
    weights = np.zeros((2, 2, 3, 1))
    weights[1, 0, 0] = -2000
    model, image = LinearClassifier(weights), np.ones((1, 2, 3, 1), np.float32)
    (own,) = Saliency().explain(model, image, 1)
    assert average_drop(own, model) == 0
    assert average_increase(mapped(own, 1 - own.values), model) == 1


def test_a_batch_equals_one_by_one_and_maps_of_one_image_share_it():
    model, own = subject()
    (other,) = Saliency().explain(model, own.image[None] + 1, 0)
    values = np.random.default_rng(1).normal(size=(4, 6, 8))
    maps = [replace(mapped(a, v), target=0) for a, v in zip([own, own, other, own], values, strict=True)]
    for measure in (average_drop, average_increase):
        model.seen = 0
        found = measure(maps, model)
        assert model.seen == 4 + 2
        assert found.tolist() == [measure(each, model) for each in maps]
    assert len(set(average_drop(maps, model).tolist())) > 2


def test_nothing_is_changed():
    model, own = subject()
    one = mapped(own, own.values)
    absent = np.random.default_rng(2).random((6, 8, 2), dtype=np.float32)
    kept = [array.copy() for array in (one.values, one.image, absent)]
    np.random.seed(5)  # noqa: NPY002
    state = np.random.get_state()[1].copy()  # noqa: NPY002
    average_drop(one, model, absent=absent)
    average_increase(one, model, absent="noise")
    assert np.array_equal(np.random.get_state()[1], state)  # noqa: NPY002
    for before, after in zip(kept, (one.values, one.image, absent), strict=True):
        assert np.array_equal(before, after)


@pytest.mark.parametrize("measure", [average_drop, average_increase])
def test_errors_are_one_sentence(measure):
    model, own = subject()
    with pytest.raises(InvalidInput, match=r"`absent` must be .* a finite number or an array, got nan"):
        measure(own, model, absent=float("nan"))
    with pytest.raises(InvalidInput, match=r"`absent` must be an image of shape \(6, 8, 2\)"):
        measure(own, model, absent=np.zeros((8, 6, 2), np.float32))
