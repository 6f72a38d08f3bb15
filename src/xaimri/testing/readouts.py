"""Promises of a classifier with features: the last dense layer makes its logits of them, image by image."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

import numpy as np

from xaimri.classifier import Featured, Readout
from xaimri.errors import MissingCapability
from xaimri.testing.claims import claim, gap, identical
from xaimri.testing.runs import ClassifierOnImages, ClassifierPromise, classifier_promise
from xaimri.testing.scores import image_by_image


def features_promise(check: Callable[[ClassifierOnImages], None]) -> ClassifierPromise:
    """Make a check a promise of classifiers with features; one that says it has none keeps it."""

    @wraps(check)
    def unless_refused(given: ClassifierOnImages) -> None:
        try:
            given.model.features(given.images.copy())
        except MissingCapability:
            return
        check(given)

    return classifier_promise(Featured)(unless_refused)


@features_promise
def every_image_has_its_features(given: ClassifierOnImages) -> None:
    """There is one row of finite features per image."""
    found = given.model.features(given.images.copy())
    claim(
        found.ndim == 2 and len(found) == len(given.images) and found.shape[1] > 0,
        f"`features` must have the shape (batch, features) of {len(given.images)} images, got {found.shape}.",
    )
    claim(np.isfinite(found).all(), "`features` must be finite.")


@features_promise
def features_leave_the_images_alone(given: ClassifierOnImages) -> None:
    """The images stay as they are."""
    own = given.images.copy()
    given.model.features(own)
    given.model.readout(own)
    claim(identical(own, given.images), "`features` or `readout` changed the images that it was given.")


@features_promise
def features_make_the_logits(given: ClassifierOnImages) -> None:
    """The last dense layer, applied to the features, gives the logits."""
    readout: Readout = given.model.readout(given.images[:1].copy())
    made = readout.logits(given.model.features(given.images.copy()))
    apart = gap(made, given.model.logits(given.images.copy()))
    claim(
        apart <= given.tolerance,
        f"the last dense layer makes other logits of the features ({apart:.1e} of the peak).",
    )


@features_promise
def features_do_not_depend_on_the_batch(given: ClassifierOnImages) -> None:
    """An image's features are the same alone, in a batch, and in another order."""
    image_by_image("features", given.model.features, given)
