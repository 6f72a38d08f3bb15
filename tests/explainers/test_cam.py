"""Grad-CAM, Grad-CAM++, HiResCAM and LayerCAM, written out cell by cell on a linear model."""

import numpy as np
import pytest

from cells import SPACES, Opened, cells_of, laid, maps_of, names, subject
from linear import Resting
from xaimri import EigenCAM, GradCAM, GradCAMPlusPlus, HiResCAM, LayerCAM, LinearClassifier, ScoreCAM
from xaimri.classifier import FeatureMaps, Gradient
from xaimri.errors import InvalidInput
from xaimri.grid import Grid
from xaimri.objective import Objective, softmax


def blocks(array, rank, patch):
    """Cells of an array `(*space, channels)`: one row of features each, by explicit slicing."""
    cells = np.ndindex(*(n // patch for n in SPACES[rank]))
    return {c: array[tuple(slice(patch * i, patch * (i + 1)) for i in c)].ravel() for c in cells}


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
    (nothing,) = GradCAM().explain(Resting((2, 6, 8, 3)), images[:1])
    assert "degenerate_gradient" in names(nothing)
    assert not {"no_positive_evidence", "constant_score"} & names(nothing)


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
    model, images = subject("3d")
    found = model.gradient(images, Objective((3, 0, 1)))
    assert isinstance(found, Gradient)
    np.testing.assert_array_equal(found.values, model.weights[[3, 0, 1]])


@pytest.mark.parametrize("rank", SPACES)
def test_hirescam_multiplies_each_activation_by_its_own_gradient(rank):
    model, images = subject(rank)
    maps = maps_of(model, images, 2)
    for i, found in enumerate(HiResCAM().explain(model, images, 2)):
        cells = np.zeros(maps.grid.cells)
        for cell in np.ndindex(*maps.grid.cells):
            cells[cell] = maps.values[(i, *cell)] @ maps.gradients[(i, *cell)]
        np.testing.assert_allclose(found.values, laid(cells, maps), atol=1e-6)
        total = found.diagnostics["positive"] + found.diagnostics["negative"]
        assert total == pytest.approx(found.logits[2] - model.bias[2], abs=1e-4)


@pytest.mark.parametrize("rank", SPACES)
def test_hirescam_is_unrectified_gradcam_where_the_gradient_is_the_same_in_all_cells(rank):
    _, images = subject(rank)
    one = np.random.default_rng(0).normal(size=(2, *[2] * len(SPACES[rank]), 3))
    tiles = (1, *(n // 2 for n in SPACES[rank]), 1)
    model = LinearClassifier(np.tile(one, tiles), patch=2)
    for a, b in zip(
        HiResCAM().explain(model, images, 1), GradCAM(relu=False).explain(model, images, 1), strict=True
    ):
        np.testing.assert_allclose(a.values, b.values, atol=1e-6 * np.abs(b.values).max())


@pytest.mark.parametrize("rank", SPACES)
def test_layercam_keeps_positive_gradients_only(rank):
    model, images = subject(rank)
    maps = maps_of(model, images, 1)
    for i, found in enumerate(LayerCAM(relu=False).explain(model, images, 1)):
        cells = np.zeros(maps.grid.cells)
        for index in np.ndindex(*maps.values.shape[1:]):
            slope = maps.gradients[(i, *index)]
            cells[index[:-1]] += maps.values[(i, *index)] * (slope if slope > 0 else 0)
        np.testing.assert_allclose(found.values, laid(cells, maps), atol=1e-6)


@pytest.mark.parametrize("rank", SPACES)
def test_gradcam_plus_plus_is_the_papers_formula(rank):
    """With the ratio of third to second derivative written out as published, on positive maps."""
    model, images = subject(rank, positive=True)
    maps = maps_of(model, images, 3)
    for i, found in enumerate(GradCAMPlusPlus(relu=False).explain(model, images, 3)):
        cells = np.zeros(maps.grid.cells)
        for k in range(maps.values.shape[-1]):
            feature, slope = maps.values[i, ..., k].astype(float), maps.gradients[i, ..., k].astype(float)
            share = slope**2 / (2 * slope**2 + feature.sum() * slope**3)
            cells += (share * np.maximum(slope, 0)).sum() * feature
        np.testing.assert_allclose(found.values, laid(cells, maps), rtol=1e-4, atol=1e-6)
        assert "negative_activations" not in names(found)


def test_gradcam_plus_plus_says_where_its_weights_are_not_defined():
    model = LinearClassifier(np.full((2, 6, 8, 1), 1.0), patch=2)
    (found,) = GradCAMPlusPlus().explain(model, np.full((1, 6, 8, 1), -1.0))
    assert "negative_activations" in names(found)
    assert np.isfinite(found.values).all()


@pytest.mark.parametrize("method", [GradCAM, GradCAMPlusPlus, HiResCAM, LayerCAM])
def test_where_all_gradients_are_one_constant_every_cam_is_the_sum_of_the_maps(method):
    """Up to a constant: with one gradient everywhere and positive maps the methods agree."""
    values = np.random.default_rng(0).random((3, 4, 5))
    values /= values.sum(axis=(0, 1), keepdims=True)
    model = Opened(values, np.ones((3, 4, 5)))
    (found,) = method().explain(model, np.ones((1, 6, 8, 1), np.float32))
    expected = model.feature_maps(np.ones((1, 6, 8, 1), np.float32), Objective()).grid.resample(
        values.sum(axis=-1).astype(np.float32)
    )
    np.testing.assert_allclose(found.values / found.values.sum(), expected / expected.sum(), rtol=1e-5)


def test_weights_of_gradcam_plus_plus_stay_bounded_whatever_the_sign_of_the_maps():
    gradients = np.full((3, 4, 5), 1.0)
    for total in (-1.9996, -1.99996, -2.0, -5.0, 0.5):
        values = np.full((3, 4, 5), total / 12)
        (found,) = GradCAMPlusPlus(relu=False).explain(
            Opened(values, gradients), np.eye(6, 8)[None, ..., None]
        )
        assert np.abs(found.values).max() <= 12 * 5 * np.abs(values).max() / 2
        assert ("negative_activations" in names(found)) == (total < 0)


def test_relu_acts_on_the_cells_before_they_are_laid_on_the_image():
    values, gradients = np.random.default_rng(0).normal(size=(2, 3, 4, 5))
    model = Opened(values, gradients)
    image = np.random.default_rng(1).random((1, 6, 8, 1), dtype=np.float32)
    grid = Grid.resized((6, 8), (3, 4))
    for method in (GradCAM, HiResCAM, LayerCAM, ScoreCAM, EigenCAM):
        (found,) = method(relu=True).explain(model, image)
        cells = cells_of(method, model, image)
        assert cells.min() < 0 < cells.max()
        np.testing.assert_allclose(
            found.values, grid.resample(np.maximum(cells, 0)), atol=1e-5 * np.abs(cells).max()
        )
