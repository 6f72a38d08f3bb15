"""How many images are held at once follows from their size, and nothing else does from that."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import xaimri
from xaimri import capacity as capacities
from xaimri.capacity import VOXELS, capacity, even_batch
from xaimri.explainers import EXPLAINERS

SHAPE = (5, 6, 7, 2)
FEW = {
    "integrated_gradients": {"steps": 9},
    "expected_gradients": {"samples": 9, "references": np.zeros((2, *SHAPE), np.float32)},
    "gradient_shap": {"samples": 9, "references": np.zeros((2, *SHAPE), np.float32), "smoothing": 0.2},
    "smoothgrad": {"copies": 9},
    "vargrad": {"copies": 9},
    "lime": {"samples": 40, "regions": 6},
    "shap": {"samples": 40, "regions": 6},
    "partition_shap": {"samples": 40, "regions": 6},
    "occlusion": {"window": 3},
    "rise": {"samples": 9, "cells": 2},
}


class Watched(xaimri.LinearClassifier):
    """A linear classifier that notes how many images it is given at once."""

    largest = 0

    def logits(self, images, /):
        self.note(images)
        return super().logits(images)

    def gradient(self, images, objective, /):
        self.note(images)
        return super().gradient(images, objective)

    def note(self, images):
        object.__setattr__(self, "largest", max(self.largest, len(images)))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 2000), min_size=1, max_size=3), st.integers(1, 3), st.integers(1, 64))
def test_a_batch_holds_no_more_voxels_than_said_or_one_image(space, channels, most):
    number = capacity((*space, channels), most)
    assert 1 <= number <= most
    assert number == 1 or number * np.prod(space) <= VOXELS
    assert number == most or (number + 1) * np.prod(space) > VOXELS


def test_ordinary_images_keep_their_batches():
    assert [capacity((side, side, 3)) for side in (96, 224, 299)] == [32, 32, 32]
    assert capacity((160, 192, 160, 1)) == 1


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 3000), st.integers(1, 64))
def test_batches_are_even_and_waste_little(samples, most):
    size = even_batch(samples, most)
    assert 1 <= size <= most
    wasted = -samples % size
    best = min(-samples % n for n in range(max(most // 2, 1), most + 1)) if samples > most else 0
    assert wasted <= max(samples / 100, best)


@pytest.mark.parametrize("name", [*FEW, "saliency", "input_x_gradient"])
def test_no_method_hands_over_more_than_that_and_no_map_shows_it(monkeypatch, name):
    """Two volumes at once, and the map is that of batches of 32."""
    image = np.random.default_rng(0).random((1, *SHAPE), dtype=np.float32)
    method = EXPLAINERS[name](**FEW.get(name, {}))
    (expected,) = method.explain(Watched.random(SHAPE, seed=1), image, 1)
    monkeypatch.setattr(capacities, "VOXELS", 2 * 5 * 6 * 7)
    model = Watched.random(SHAPE, seed=1)
    (found,) = method.explain(model, image, 1)
    assert 1 <= model.largest <= 2
    np.testing.assert_allclose(found.values, expected.values, atol=1e-5)
    if expected.errors is not None:
        np.testing.assert_allclose(found.errors, expected.errors, atol=1e-5)


def test_the_methods_that_are_left_open_a_layer():
    opened = {name for name, method in EXPLAINERS.items() if hasattr(method, "relu") or "cam" in name}
    assert opened | FEW.keys() | {"saliency", "input_x_gradient"} == EXPLAINERS.keys()
