"""Grad-CAM against its closed form on a linear model."""

import numpy as np
import pytest

from xaimri import GradCAM, LinearClassifier
from xaimri.classifier import FeatureMaps, Gradient
from xaimri.errors import InvalidInput
from xaimri.grid import Grid
from xaimri.objective import softmax

SPACES = {"2d": (6, 8), "3d": (4, 6, 10)}


def subject(rank, patch=2, channels=3):
    shape = (*SPACES[rank], channels)
    model = LinearClassifier.random(shape, classes=4, seed=1, patch=patch)
    return model, np.random.default_rng(2).normal(size=(3, *shape)).astype(np.float32)


def blocks(array, rank, patch):
    """Cells of an array `(*space, channels)`: one row of features each, by explicit slicing."""
    cells = np.ndindex(*(n // patch for n in SPACES[rank]))
    return {c: array[tuple(slice(patch * i, patch * (i + 1)) for i in c)].ravel() for c in cells}


def names(explanation):
    return {c.name for c in explanation.caveats}


@pytest.mark.parametrize("rank", SPACES)
@pytest.mark.parametrize("of", ["logit", "log_odds", "probability"])
def test_signed_map_is_the_closed_form(rank, of):
    model, images = subject(rank)
    found = GradCAM(relu=False).explain(model, images, 2, of=of)
    for explanation, image, logits in zip(found, images, model.logits(images), strict=True):
        p = softmax(logits[None].astype(float))[0]
        others = np.where(np.arange(4) == 2, 0, p) / (1 - p[2])
        chosen = np.eye(4)[2]
        slopes = {"logit": chosen, "log_odds": chosen - others, "probability": p[2] * (chosen - p)}[of]
        weights = np.tensordot(slopes, model.weights.astype(float), axes=1)
        mean = np.mean(list(blocks(weights, rank, 2).values()), axis=0)
        cells = np.zeros([n // 2 for n in SPACES[rank]])
        for index, features in blocks(image, rank, 2).items():
            cells[index] = features @ mean
        expected = Grid.resized(SPACES[rank], cells.shape).resample(cells)
        np.testing.assert_allclose(explanation.values, expected, atol=1e-6)
        assert explanation.diagnostics["positive"] == pytest.approx(cells[cells > 0].sum(), abs=1e-5)
        assert explanation.diagnostics["negative"] == pytest.approx(cells[cells < 0].sum(), abs=1e-5)


@pytest.mark.parametrize("rank", SPACES)
def test_with_one_cell_per_pixel_and_even_weights_the_map_is_the_input_times_gradient(rank):
    _, images = subject(rank)
    flat = np.random.default_rng(0).normal(size=(2, *[1] * len(SPACES[rank]), 3))
    model = LinearClassifier(np.broadcast_to(flat, (2, *SPACES[rank], 3)))
    (found, *_) = GradCAM(relu=False).explain(model, images, 1)
    np.testing.assert_allclose(
        found.values, (images[0] * model.weights[1]).sum(axis=-1), rtol=1e-5, atol=1e-6
    )
    assert found.values.sum() == pytest.approx(float(found.logits[1]), abs=1e-4)


@pytest.mark.parametrize("rank", SPACES)
def test_rectification_acts_on_the_cells_before_resampling(rank):
    model, images = subject(rank)
    for signed, positive in zip(
        GradCAM(relu=False, layer="patches").explain(model, images, 0),
        GradCAM().explain(model, images, 0),
        strict=True,
    ):
        assert signed.values.min() < 0
        assert positive.values.min() >= 0
        assert not np.allclose(positive.values, np.maximum(signed.values, 0))
        assert (positive.values >= signed.values - 1e-6).all()
        assert signed.diagnostics["why"] == "named by the caller"


def test_caveats_appear_where_they_should_and_nowhere_else():
    model, images = subject("2d")
    (fine, *_) = GradCAM(relu=False).explain(model, images, 0)
    assert not {"degenerate_gradient", "no_positive_evidence", "assumed_geometry"} & names(fine)
    against = LinearClassifier(-np.ones((2, 6, 8, 3)), patch=2)
    (empty,) = GradCAM().explain(against, np.ones((1, 6, 8, 3), np.float32))
    assert "no_positive_evidence" in names(empty)
    assert not empty.values.any()
    (signed,) = GradCAM(relu=False).explain(against, np.ones((1, 6, 8, 3), np.float32))
    assert "no_positive_evidence" not in names(signed)
    blind = LinearClassifier(np.zeros((2, 6, 8, 3)), bias=[0.0, 2.0], patch=2)
    (nothing,) = GradCAM().explain(blind, images[:1])
    assert "degenerate_gradient" in names(nothing)
    assert "no_positive_evidence" not in names(nothing)


def test_an_assumed_geometry_is_said():
    class Guessing(LinearClassifier):
        def feature_maps(self, images, objective, /, layer=None):
            maps = super().feature_maps(images, objective, layer)
            grid = Grid.resized(maps.grid.space, maps.grid.cells, assumed=True)
            return FeatureMaps(maps.values, maps.gradients, maps.logits, grid, maps.layer, maps.why)

    model, images = subject("2d")
    guessing = Guessing(model.weights, model.bias, patch=2)
    (found, *_) = GradCAM().explain(guessing, images)
    assert "assumed_geometry" in names(found)
    assert found.diagnostics["grid"]["assumed"]


def test_common_caveats_appear_and_stay_away():
    images = np.ones((1, 6, 8, 1), np.float32)
    sure = LinearClassifier(np.ones((2, 6, 8, 1)) * np.array([[[[0.0]]], [[[1.0]]]]))
    (found,) = GradCAM().explain(sure, images, of="probability")
    assert "saturated" in names(found)
    assert not {"saturated", "near_tie"} & names(GradCAM().explain(sure, images)[0])
    tie = LinearClassifier(np.ones((2, 6, 8, 1)))
    assert "near_tie" in names(GradCAM().explain(tie, images)[0])


def test_an_unknown_layer_is_refused():
    model, images = subject("2d")
    with pytest.raises(InvalidInput, match=r"`layer` must be .patches.*'conv'"):
        GradCAM(layer="conv").explain(model, images)


def test_gradient_of_a_linear_model_is_its_weights():
    from xaimri.objective import Objective

    model, images = subject("3d")
    found = model.gradient(images, Objective((3, 0, 1)))
    assert isinstance(found, Gradient)
    np.testing.assert_array_equal(found.values, model.weights[[3, 0, 1]])
