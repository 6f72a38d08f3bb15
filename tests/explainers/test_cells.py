"""What is odd about the cells of a class activation map: their number, and a gradient that varies."""

import numpy as np
import pytest

from cells import Opened, names, subject
from xaimri import EigenCAM, GradCAM, GradCAMPlusPlus, HiResCAM, LayerCAM, LinearClassifier, ScoreCAM
from xaimri.classifier import FeatureMaps
from xaimri.explainers.cells import unevenness
from xaimri.grid import Grid

IMAGE = np.random.default_rng(0).uniform(0.5, 1, (1, 6, 8, 1)).astype(np.float32)


def maps(values, gradients):
    """One image's maps, `(cells, features)` along one axis."""
    values, gradients = (np.asarray(part, np.float32)[None] for part in (values, gradients))
    cells = values.shape[1:-1]
    return FeatureMaps(values, gradients, np.zeros((1, 2), np.float32), Grid.resized(cells, cells), "l", "")


def test_unevenness_is_the_share_in_which_grad_cam_and_hirescam_differ():
    assert unevenness(maps([[1], [1]], [[1], [-1]])) == [1.0]  # the mean is 0: one map empty, the other not
    assert unevenness(maps([[1], [1]], [[3], [1]])) == [0.25]  # (2, 2) against (3, 1)
    assert unevenness(maps([[2, 1], [5, 3]], [[0.1, -0.7]] * 2)) == [pytest.approx(0, abs=1e-7)]
    assert unevenness(maps([[0], [0]], [[3], [1]])) == [0.0]


def test_one_weight_per_feature_is_doubted_where_the_gradient_varies_and_nowhere_else():
    head = np.random.default_rng(1).normal(size=(2, 6, 8, 1))
    flatten = LinearClassifier(head)  # a weight of its own for every pixel
    pooled = LinearClassifier(np.broadcast_to(head[:, :1, :1], head.shape))
    for method in (GradCAM, GradCAMPlusPlus):
        assert "uneven_gradient" in names(method().explain(flatten, IMAGE)[0])
        assert "uneven_gradient" not in names(method().explain(pooled, IMAGE)[0])
    for method in (HiResCAM, LayerCAM, EigenCAM):
        assert "uneven_gradient" not in names(method().explain(flatten, IMAGE)[0])


def test_the_caveat_says_how_far_the_two_maps_lie_apart():
    model = Opened(np.ones((1, 2, 1)), np.array([[[3.0], [1.0]]]))
    (found,) = GradCAM(relu=False).explain(model, IMAGE, 0)
    (caveat,) = (c for c in found.caveats if c.name == "uneven_gradient")
    assert found.diagnostics["unevenness"] == 0.25
    assert "differs by 25 % of both maps" in caveat.text


def test_few_cells_are_told_with_the_layer_that_has_more():
    model, images = subject("2d")  # patches of 2 x 2 pixels: 3 x 4 cells
    for method in (GradCAM(), HiResCAM(), EigenCAM(), ScoreCAM()):
        (found, *_) = method.explain(model, images, 0)
        (caveat,) = (c for c in found.caveats if c.name == "coarse_cells")
        assert "`patches` has 3 x 4 cells" in caveat.text
        assert "compare the map with" in caveat.text

    class Deep(LinearClassifier):
        def feature_maps(self, images, objective, /, layer=None):
            found = super().feature_maps(images, objective, layer)
            return FeatureMaps(**{**vars(found), "finer": "block_4"})

    (found, *_) = GradCAM().explain(Deep(model.weights, model.bias, patch=2), images, 0)
    assert any('layer="block_4"' in c.text for c in found.caveats)
