"""Cells for tests of class activation maps: a linear model's patches, and maps that are given."""

from dataclasses import replace

import numpy as np

from xaimri import LinearClassifier, ScoreCAM
from xaimri.classifier import FeatureMaps
from xaimri.grid import Grid
from xaimri.objective import Objective, softmax

SPACES = {"2d": (6, 8), "3d": (4, 6, 10)}


def subject(rank, positive=False, patch=2, channels=3):
    shape = (*SPACES[rank], channels)
    model = LinearClassifier.random(shape, classes=4, seed=1, patch=patch)
    images = np.random.default_rng(2).normal(size=(3, *shape)).astype(np.float32)
    return model, np.abs(images) if positive else images


def maps_of(model, images, target):
    return model.feature_maps(images, Objective((target,) * len(images)))


def laid(cells, maps):
    return maps.grid.resample(np.asarray(cells, np.float32))


def names(explanation):
    return {c.name for c in explanation.caveats}


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
