"""Grad-CAM++, HiResCAM, LayerCAM, Score-CAM and Eigen-CAM, written out cell by cell on a linear model."""

from dataclasses import replace

import numpy as np
import pytest

from xaimri import EigenCAM, GradCAM, GradCAMPlusPlus, HiResCAM, LayerCAM, LinearClassifier, ScoreCAM
from xaimri.classifier import FeatureMaps
from xaimri.errors import InvalidInput
from xaimri.grid import Grid
from xaimri.objective import Objective, softmax

SPACES = {"2d": (6, 8), "3d": (4, 6, 10)}


def subject(rank, positive=False):
    shape = (*SPACES[rank], 3)
    model = LinearClassifier.random(shape, classes=4, seed=1, patch=2)
    images = np.random.default_rng(2).normal(size=(3, *shape)).astype(np.float32)
    return model, np.abs(images) if positive else images


def maps_of(model, images, target):
    return model.feature_maps(images, Objective((target,) * len(images)))


def laid(cells, maps):
    return maps.grid.resample(np.asarray(cells, np.float32))


def names(explanation):
    return {c.name for c in explanation.caveats}


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


@pytest.mark.parametrize("rank", SPACES)
@pytest.mark.parametrize("of", ["logit", "log_odds", "probability"])
def test_scorecam_weighs_maps_by_the_score_of_the_image_seen_through_them(rank, of):
    model, images = subject(rank)
    maps = maps_of(model, images, 0)
    for i, found in enumerate(ScoreCAM(relu=False).explain(model, images, 0, of=of)):
        features = np.moveaxis(maps.values[i], -1, 0)
        scores = []
        for feature in features:
            mask = maps.grid.resample(feature)
            mask = (mask - mask.min()) / (mask.max() - mask.min())
            logits = model.logits((images[i] * mask[..., None])[None])
            scores.append(Objective((0,), of).scores(logits.astype(float))[0])
        weights = np.exp(scores) / np.exp(scores).sum()
        np.testing.assert_allclose(found.values, laid(np.tensordot(weights, features, 1), maps), atol=1e-5)
        assert found.diagnostics["model_calls"] == 1 + len(features)
        entropy = -(weights * np.log(weights)).sum()
        assert found.diagnostics["effective_features"] == pytest.approx(np.exp(entropy), rel=1e-4)


def test_scorecam_of_few_features_takes_those_that_vary_most():
    shape = (4, 6, 1)
    model = LinearClassifier(np.ones((2, *shape)), patch=2)
    image = np.zeros((1, *shape), np.float32)
    image[0, ::2, ::2, 0] = 9 * np.random.default_rng(0).random((2, 3))  # first in every patch
    image[0, 1::2, 1::2, 0] = np.random.default_rng(1).random(
        (2, 3)
    )  # the last, weaker; the others are constant
    (one,) = ScoreCAM(relu=False, features=1).explain(model, image)
    maps = maps_of(model, image, 0)
    np.testing.assert_allclose(one.values, laid(maps.values[0, ..., 0], maps), atol=1e-6)
    assert one.diagnostics["features"] == 1
    (both,) = ScoreCAM(relu=False).explain(model, image)
    assert both.diagnostics["features"] == 2


def test_scorecam_of_a_constant_image_has_nothing_to_mask_by():
    model, _ = subject("2d")
    (found,) = ScoreCAM().explain(model, np.ones((1, 6, 8, 3), np.float32))
    assert "constant_maps" in names(found)
    assert not found.values.any()
    model, images = subject("2d")
    assert "constant_maps" not in names(ScoreCAM().explain(model, images)[0])


@pytest.mark.parametrize("rank", SPACES)
def test_eigencam_is_the_leading_eigenvector_of_the_gram_matrix(rank):
    model, images = subject(rank, positive=True)
    maps = maps_of(model, images, 0)
    for i, found in enumerate(EigenCAM().explain(model, images)):
        rows = maps.values[i].reshape(-1, maps.values.shape[-1]).astype(float)
        values, vectors = np.linalg.eigh(rows @ rows.T)
        cells = vectors[:, -1] * np.sqrt(values[-1])
        cells *= np.sign(cells.sum())
        np.testing.assert_allclose(
            found.values, laid(cells.reshape(maps.grid.cells), maps), rtol=1e-4, atol=1e-5
        )
        assert found.diagnostics["explained"] == pytest.approx(values[-1] / values.sum(), rel=1e-5)


def test_eigencam_of_one_feature_is_that_feature_and_of_every_class_the_same():
    model = LinearClassifier.random((6, 8, 1), classes=3, seed=0)
    image = np.random.default_rng(0).random((1, 6, 8, 1), dtype=np.float32)
    maps = [EigenCAM().explain(model, image, target)[0] for target in range(3)]
    for found in maps:
        np.testing.assert_allclose(found.values, image[0, ..., 0], atol=1e-6)
        assert "class_independent" in names(found)
        assert not {"degenerate_gradient", "no_positive_evidence"} & names(found)
    assert "class_independent" not in names(GradCAM().explain(model, image)[0])


class Opened(LinearClassifier):
    """A classifier whose maps and gradients are given."""

    def __init__(self, values, gradients):
        super().__init__(np.ones((2, 6, 8, 1)))
        self.values, self.gradients = values.astype(np.float32), gradients.astype(np.float32)

    def feature_maps(self, images, objective, /, layer=None):
        grid = Grid.resized((6, 8), self.values.shape[:2])
        each = (len(images), 1, 1, 1)
        return FeatureMaps(
            np.tile(self.values, each),
            np.tile(self.gradients, each),
            self.logits(images),
            grid,
            "given",
            "given",
        )


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


def test_eigencam_is_turned_so_that_its_cells_add_up_to_at_least_0():
    """Also where most features are negative, and the first cell speaks the other way."""
    rows = np.outer([-3.0, 1, 1, 1, 2, 1, 1, 1, 2, 1, 1, 1], [-1.0, -2, 1, -1, -3])
    model = Opened(rows.reshape(3, 4, 5), np.ones((3, 4, 5)))
    (found,) = EigenCAM().explain(model, np.random.default_rng(0).random((1, 6, 8, 1), dtype=np.float32))
    assert found.values[0, 0] < 0 < found.values.sum()
    assert found.diagnostics["explained"] == pytest.approx(1)


def test_weights_of_gradcam_plus_plus_stay_bounded_whatever_the_sign_of_the_maps():
    gradients = np.full((3, 4, 5), 1.0)
    for total in (-1.9996, -1.99996, -2.0, -5.0, 0.5):
        values = np.full((3, 4, 5), total / 12)
        (found,) = GradCAMPlusPlus(relu=False).explain(
            Opened(values, gradients), np.eye(6, 8)[None, ..., None]
        )
        assert np.abs(found.values).max() <= 12 * 5 * np.abs(values).max() / 2
        assert ("negative_activations" in names(found)) == (total < 0)


@pytest.mark.parametrize("features", [0, -1, True])
def test_a_number_of_features_that_is_none_is_refused(features):
    with pytest.raises(InvalidInput, match="`features` must be a whole number of at least 1 or None"):
        ScoreCAM(features=features)


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


def cells_of(method, model, image):
    """The signed cells of a method: its map where the cells are the image."""
    whole = model.feature_maps(image, Objective())
    flat = Grid((3, 4), (3, 4), (0.0, 0.0), (1.0, 1.0))
    if method is ScoreCAM:  # masks the image itself, so its map is sampled where the cells lie
        features = np.moveaxis(whole.values[0], -1, 0)
        masks = whole.grid.resample(features)
        low, high = masks.min(axis=(1, 2), keepdims=True), masks.max(axis=(1, 2), keepdims=True)
        scores = model.logits(((masks - low) / (high - low))[..., None] * image)[:, 0]
        weights = softmax(scores[None].astype(float))[0]
        return np.tensordot(weights, features, 1).astype(np.float32)

    class Flat(Opened):
        def feature_maps(self, images, objective, /, layer=None):
            return replace(super().feature_maps(images, objective, layer), grid=flat)

    return method(relu=False).attribute(Flat(model.values, model.gradients), image, Objective()).values[0]


def test_softmax_weights_do_not_see_a_constant_added_to_all_scores():
    model, images = subject("2d")
    raised = LinearClassifier(model.weights, model.bias + np.float32(5), patch=2)
    a, b = (ScoreCAM(relu=False).explain(m, images, 1)[0].values for m in (model, raised))
    np.testing.assert_allclose(a, b, atol=1e-5)
