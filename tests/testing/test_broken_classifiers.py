"""Each promise of a classifier can be broken: somebody who breaks it, and what is said of them."""

from dataclasses import replace

import numpy as np
import pytest

from linear import model_and_images
from xaimri.classifier import Convolutional, FeatureMaps, Gradient
from xaimri.objective import Objective, softmax
from xaimri.testing import CLASSIFIER_PROMISES, check_classifier


class Broken:
    """A linear classifier that has one fault, by name."""

    def __init__(self, fault):
        self.inner, self.fault, self.calls = model_and_images()[0], fault, 0

    @property
    def classes(self):
        return ("a", "a", "b", "c") if self.fault == "names" else self.inner.classes

    def logits(self, images, /):
        logits = self.inner.logits(images)
        if self.fault == "alone":
            logits = logits - logits.mean(axis=0)
        elif self.fault == "drift":
            self.calls += 1
            logits = logits + np.float32(0.1 * self.calls)
        elif self.fault == "columns":
            logits = logits[:, :3]
        elif self.fault == "infinite":
            logits = np.where(logits > 0, logits, -np.inf).astype(np.float32)
        elif self.fault == "images":
            images += 1
        elif self.fault == "sharper":
            logits = 2 * logits
        return logits

    def gradient(self, images, objective, /):
        found = self.inner.gradient(images, objective)
        if self.fault == "scale":
            found = Gradient(found.values * np.float32(1.1), found.logits)
        elif self.fault == "always logit":
            found = self.inner.gradient(images, replace(objective, of="logit"))
        elif self.fault == "no other class":
            found = self.inner.gradient(images, replace(objective, against=None))
        elif self.fault == "no target" or (self.fault == "the first class" and objective.targets is None):
            found = self.inner.gradient(images, replace(objective, targets=(0,) * len(images)))
        elif self.fault == "flipped":
            found = Gradient(found.values[:, :, ::-1], found.logits)
        elif self.fault == "other logits":
            found = Gradient(found.values, found.logits + 1)
        elif self.fault == "infinite gradient":
            found = Gradient(found.values * np.float32(np.inf), found.logits)
        elif self.fault == "gradient's images":
            images += 1
        elif self.fault == "gradient of the batch":
            found = Gradient(found.values * np.float32(len(images)), found.logits)
        return found

    def feature_maps(self, images, objective, /, layer=None):
        maps = self.inner.feature_maps(images, objective, None if self.fault == "any layer" else layer)
        if self.fault == "maps' gradient":
            maps = replace(maps, gradients=maps.gradients[:, ::-1])
        elif self.fault == "grid":
            maps = replace(maps, grid=type(maps.grid).resized((6, 8), (6, 8)))
        elif self.fault == "mirrored cells":
            maps = replace(maps, values=maps.values[:, :, ::-1], gradients=maps.gradients[:, :, ::-1])
        elif self.fault == "nameless":
            maps = replace(maps, why="")
        elif self.fault == "maps' logits":
            maps = replace(maps, logits=maps.logits + 1)
        elif self.fault == "maps' images":
            images += 1
        elif self.fault == "maps of the batch":
            maps = replace(maps, values=maps.values * np.float32(len(images)))
        elif self.fault == "other maps by name" and layer is not None:
            maps = replace(maps, values=maps.values + 1)
        return maps

    def features(self, images, /):
        found = self.inner.features(images)
        if self.fault == "one row":
            found = found[:1]
        elif self.fault == "features' images":
            images += 1
        elif self.fault == "features of the batch":
            found = found * np.float32(len(images))
        return found

    def readout(self, images, /):
        found = self.inner.readout(images)
        return replace(found, bias=found.bias + 1) if self.fault == "bias" else found


BROKEN = {
    "names": ("classes_have_names", "different names"),
    "columns": ("every_image_has_its_logits", "must have the shape"),
    "infinite": ("every_image_has_its_logits", "must be finite"),
    "drift": ("logits_are_the_same_again", "differ from call to call"),
    "images": ("logits_leave_the_images_alone", "`logits` changed the images"),
    "alone": ("logits_do_not_depend_on_the_batch", "depend on the other images"),
    "sharper": ("softmax_of_the_logits_is_the_output", "own output"),
    "infinite gradient": ("gradients_have_the_images_shape", "not finite"),
    "gradient's images": ("gradients_leave_the_images_alone", "`gradient` changed the images"),
    "other logits": ("gradients_come_with_the_logits", "`gradient` hands out other logits"),
    "scale": ("gradients_are_slopes", "not its slope"),
    "always logit": ("gradients_are_slopes", "log-odds is not its slope"),
    "flipped": ("gradients_are_slopes", "not its slope"),
    "no target": ("gradients_are_slopes", "not its slope"),
    "no other class": ("gradients_are_slopes", "logit difference is not its slope"),
    "the first class": ("gradients_are_of_the_prediction", "not that of the predicted class"),
    "gradient of the batch": ("gradients_do_not_depend_on_the_batch", "gradients of image 0 depend"),
    "grid": ("maps_lie_on_the_images", "must have the shape"),
    "maps' images": ("maps_leave_the_images_alone", "`feature_maps` changed the images"),
    "maps' logits": ("maps_come_with_the_logits", "`feature_maps` hands out other logits"),
    "nameless": ("maps_name_their_layer", "why that one"),
    "other maps by name": ("maps_name_their_layer", "gives other maps"),
    "maps of the batch": ("maps_do_not_depend_on_the_batch", "feature maps of image 0 depend"),
    "maps' gradient": ("maps_carry_the_score", "does not carry"),
    "mirrored cells": ("cells_see_where_they_lie", "pixels beside"),
    "one row": ("every_image_has_its_features", "must have the shape"),
    "features' images": ("features_leave_the_images_alone", "`features` or `readout` changed the images"),
    "bias": ("features_make_the_logits", "makes other logits"),
    "features of the batch": ("features_do_not_depend_on_the_batch", "features of image 0 depend"),
    "any layer": ("an_unknown_layer_is_refused", "unknown layer"),
}
BY_NAME = {promise.__name__: promise for promise in CLASSIFIER_PROMISES}


@pytest.mark.parametrize("fault", BROKEN)
def test_a_broken_promise_is_told(fault):
    promise, sentence = BROKEN[fault]
    model, images = model_and_images()
    with pytest.raises(AssertionError, match=sentence) as told:
        BY_NAME[promise](Broken(fault), images, softmax(model.logits(images)))
    assert "\n" not in str(told.value)


def test_one_call_tells_all_that_are_broken():
    model, images = model_and_images()
    with pytest.raises(AssertionError) as told:
        check_classifier(Broken("sharper"), images, softmax(model.logits(images)))
    lines = str(told.value).splitlines()
    broken = {line.removeprefix("- ").partition(":")[0] for line in lines[1:]}
    assert {
        "softmax_of_the_logits_is_the_output",
        "gradients_come_with_the_logits",
        "gradients_are_slopes",
    } <= broken


def test_every_promise_is_broken_by_somebody():
    assert {promise for promise, _ in BROKEN.values()} == set(BY_NAME)


def test_the_same_classifier_without_a_fault_passes():
    model, images = model_and_images()
    honest = Broken("none")
    assert isinstance(honest, Convolutional)
    assert isinstance(honest.feature_maps(images, Objective()), FeatureMaps)
    check_classifier(honest, images, softmax(model.logits(images)))
