"""Broken classifiers, each of which the suite must catch by the promise that it breaks."""

from dataclasses import replace

import numpy as np
import pytest

from xaimri import LinearClassifier
from xaimri.classifier import Convolutional, FeatureMaps, Gradient
from xaimri.objective import Objective, softmax
from xaimri.testing import check_classifier


def subject():
    """Return a linear model and images; no two axes of the images have one length."""
    model = LinearClassifier.random((6, 8, 2), classes=4, seed=3, patch=2)
    return model, np.random.default_rng(0).normal(1, 1, (3, 6, 8, 2)).astype(np.float32)


class Broken:
    """A linear classifier that breaks one promise, by name."""

    def __init__(self, promise):
        self.inner, self.promise, self.calls = subject()[0], promise, 0

    @property
    def classes(self):
        return ("a", "a", "b", "c") if self.promise == "names" else self.inner.classes

    def logits(self, images, /):
        logits = self.inner.logits(images)
        if self.promise == "alone":
            logits = logits - logits.mean(axis=0)
        elif self.promise == "drift":
            self.calls += 1
            logits = logits + np.float32(0.1 * self.calls)
        elif self.promise == "columns":
            logits = logits[:, :3]
        elif self.promise == "infinite":
            logits = np.where(logits > 0, logits, -np.inf).astype(np.float32)
        elif self.promise == "images":
            images += 1
        elif self.promise == "sharper":
            logits = 2 * logits
        return logits

    def gradient(self, images, objective, /):
        found = self.inner.gradient(images, objective)
        if self.promise == "scale":
            found = Gradient(found.values * np.float32(1.1), found.logits)
        elif self.promise == "always logit":
            found = self.inner.gradient(images, replace(objective, of="logit"))
        elif self.promise == "no target":
            found = self.inner.gradient(images, replace(objective, targets=(0,) * len(images)))
        elif self.promise == "flipped":
            found = Gradient(found.values[:, :, ::-1], found.logits)
        elif self.promise == "other logits":
            found = Gradient(found.values, found.logits + 1)
        return found

    def feature_maps(self, images, objective, /, layer=None):
        maps = self.inner.feature_maps(images, objective, None if self.promise == "any layer" else layer)
        if self.promise == "maps' gradient":
            maps = replace(maps, gradients=maps.gradients[:, ::-1])
        elif self.promise == "grid":
            maps = replace(maps, grid=type(maps.grid).resized((6, 8), (6, 8)))
        elif self.promise == "nameless":
            maps = replace(maps, why="")
        return maps


FAULTS = {
    "names": "different names",
    "alone": "depend on the other images",
    "drift": "differ from call to call",
    "columns": "must have the shape",
    "infinite": "must be finite",
    "images": "changed the images",
    "sharper": "own output",
    "scale": "not its slope",
    "always logit": "log_odds is not its slope",
    "no target": "not its slope|not that of the predicted class",
    "flipped": "not its slope",
    "other logits": "other logits",
    "maps' gradient": "does not carry",
    "grid": "must have the shape",
    "any layer": "unknown layer",
    "nameless": "why that one",
}


@pytest.mark.parametrize("promise", FAULTS)
def test_the_suite_catches_a_broken_classifier(promise):
    model, images = subject()
    outputs = softmax(model.logits(images))
    with pytest.raises(AssertionError, match=FAULTS[promise]):
        check_classifier(Broken(promise), images, outputs)


def test_the_suite_passes_the_same_classifier_unbroken():
    model, images = subject()
    honest = Broken("none")
    assert isinstance(honest, Convolutional)
    assert isinstance(honest.feature_maps(images, Objective()), FeatureMaps)
    check_classifier(honest, images, softmax(model.logits(images)))
