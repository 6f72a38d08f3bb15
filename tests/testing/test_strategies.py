"""The strategies draw what they say, and closed forms hold on whatever they draw."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xaimri import Saliency
from xaimri.adapters.linear import LinearClassifier
from xaimri.arrays import Images
from xaimri.testing import CLASSIFIER_PROMISES, strategies
from xaimri.testing.strategies import (
    images,
    label_images,
    linear_classifiers,
    maps,
    masks,
    models_with_images,
    spaces,
)

FEW = settings(max_examples=25, deadline=None)


@FEW
@given(spaces())
def test_no_two_axes_have_one_length(space: tuple[int, ...]) -> None:
    assert len(space) in (2, 3)
    assert len(set(space)) == len(space)


@FEW
@given(images(), images((4, 5, 2), least=3, most=3))
def test_images_are_a_batch_of_different_ones(drawn: Images, three: Images) -> None:
    assert drawn.dtype == np.float32
    assert drawn.ndim in (4, 5)
    assert np.isfinite(drawn).all()
    assert np.abs(drawn).max() <= 8
    assert not np.array_equal(drawn[0], drawn[1])
    assert three.shape == (3, 4, 5, 2)


@FEW
@given(st.data(), spaces(), st.booleans())
def test_regions_are_numbered_and_none_is_empty(
    data: st.DataObject, space: tuple[int, ...], outside: bool
) -> None:
    labels = data.draw(label_images(space, outside=outside))
    assert labels.shape == space
    found = set(np.unique(labels).tolist()) - {-1}
    assert found == set(range(len(found)))
    assert outside or labels.min() >= 0


@FEW
@given(maps((5, 6)), masks((5, 6)))
def test_maps_are_finite_and_masks_have_both_sides(drawn: np.ndarray, mask: np.ndarray) -> None:
    assert np.isfinite(drawn).all()
    assert 0 < mask.sum() < mask.size


@FEW
@given(linear_classifiers())
def test_models_have_named_classes(model: LinearClassifier) -> None:
    assert 2 <= len(set(model.classes)) <= 5


@FEW
@given(models_with_images())
def test_the_gradient_of_whatever_linear_model_is_its_weights(
    drawn: tuple[LinearClassifier, Images],
) -> None:
    model, batch = drawn
    for explanation in Saliency(signed=True).explain(model, batch):
        expected = model.weights[explanation.target].sum(axis=-1)
        np.testing.assert_allclose(explanation.values, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("promise", CLASSIFIER_PROMISES)
@settings(max_examples=5, deadline=None)
@given(models_with_images())
def test_whatever_linear_model_keeps_every_promise(promise, drawn: tuple[LinearClassifier, Images]) -> None:
    model, batch = drawn
    promise(model, batch)


def test_without_hypothesis_one_sentence_says_what_to_install() -> None:
    program = (
        "import sys; sys.modules['hypothesis'] = None\n"
        "import xaimri.testing\n"
        "try: import xaimri.testing.strategies\n"
        "except xaimri.MissingExtra as error: print(error)"
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert 'pip install "xaimri[testing]"' in told


def test_all_strategies_are_listed() -> None:
    own = {
        n for n, thing in vars(strategies).items() if getattr(thing, "__module__", "") == strategies.__name__
    }
    assert set(strategies.__all__) == own
