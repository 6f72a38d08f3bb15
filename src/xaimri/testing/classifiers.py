"""The contract of a classifier: the table of its promises, and one call that tries them all."""

from __future__ import annotations

from functools import partial

import numpy as np

from xaimri.arrays import Array, Images
from xaimri.classifier import Classifier
from xaimri.testing.claims import check_all, claim
from xaimri.testing.gradients import (
    gradients_are_of_the_prediction,
    gradients_are_slopes,
    gradients_come_with_the_logits,
    gradients_do_not_depend_on_the_batch,
    gradients_have_the_images_shape,
    gradients_leave_the_images_alone,
)
from xaimri.testing.layers import (
    an_unknown_layer_is_refused,
    maps_carry_the_score,
    maps_come_with_the_logits,
    maps_do_not_depend_on_the_batch,
    maps_leave_the_images_alone,
    maps_lie_on_the_images,
    maps_name_their_layer,
)
from xaimri.testing.places import cells_see_where_they_lie
from xaimri.testing.readouts import (
    every_image_has_its_features,
    features_do_not_depend_on_the_batch,
    features_leave_the_images_alone,
    features_make_the_logits,
)
from xaimri.testing.runs import SLOPE_TOLERANCE, TOLERANCE, ClassifierPromise
from xaimri.testing.scores import (
    classes_have_names,
    every_image_has_its_logits,
    logits_are_the_same_again,
    logits_do_not_depend_on_the_batch,
    logits_leave_the_images_alone,
    softmax_of_the_logits_is_the_output,
)

CLASSIFIER_PROMISES: tuple[ClassifierPromise, ...] = (
    classes_have_names,
    every_image_has_its_logits,
    logits_are_the_same_again,
    logits_do_not_depend_on_the_batch,
    logits_leave_the_images_alone,
    softmax_of_the_logits_is_the_output,
    gradients_have_the_images_shape,
    gradients_leave_the_images_alone,
    gradients_come_with_the_logits,
    gradients_are_slopes,
    gradients_are_of_the_prediction,
    gradients_do_not_depend_on_the_batch,
    maps_lie_on_the_images,
    maps_leave_the_images_alone,
    maps_come_with_the_logits,
    maps_name_their_layer,
    maps_do_not_depend_on_the_batch,
    maps_carry_the_score,
    cells_see_where_they_lie,
    an_unknown_layer_is_refused,
    every_image_has_its_features,
    features_leave_the_images_alone,
    features_make_the_logits,
    features_do_not_depend_on_the_batch,
)
"""What every classifier promises, as far as its capabilities go: functions of model, images and outputs."""


def check_classifier(
    model: Classifier,
    images: Images,
    outputs: Array | None = None,
    *,
    tolerance: float = TOLERANCE,
    slope_tolerance: float = SLOPE_TOLERANCE,
) -> None:
    """Check every promise of :data:`CLASSIFIER_PROMISES`, and say which are broken.

    A classifier names its classes, scores image by image whatever else is in the batch, says the same
    twice and leaves the images alone. A :class:`~xaimri.classifier.Differentiable` one gives the
    gradient that finite differences of logit, log-odds, probability and the difference of two logits give. A
    :class:`~xaimri.classifier.Convolutional` one opens a layer whose gradient carries the maps'
    changes to the score's change, which holds where everything flows through that layer, and whose cells
    see the image where they are said to lie. A :class:`~xaimri.classifier.Featured` one has features of which
    its last dense layer makes the logits.

    Parameters
    ----------
    model
        The classifier to check.
    images
        ``(batch, *space, channels)``: at least two different images that the model takes.
    outputs
        The network's own probabilities of these images, ``(batch, classes)``, or ``(batch,)`` or
        ``(batch, 1)`` for the second of two classes; None leaves that comparison out.
    tolerance
        For values that should agree, in units of the largest.
    slope_tolerance
        For finite differences, in units of the slope; single precision seldom allows less.

    Raises
    ------
    AssertionError
        If promises are broken: one line each, with its name and a sentence.

    Examples
    --------
    >>> from xaimri import LinearClassifier
    >>> model = LinearClassifier.random((4, 5, 3, 1), classes=3, seed=0)
    >>> check_classifier(model, np.random.default_rng(0).random((2, 4, 5, 3, 1), dtype=np.float32))
    """
    given = np.array(images, dtype=np.float32)
    claim(len(given) > 1 and given[:1].std() > 0, "give at least two images that are not constant.")
    limits = {"tolerance": tolerance, "slope_tolerance": slope_tolerance}
    check_all(
        (promise.__name__, partial(promise, model, given, outputs, **limits))
        for promise in CLASSIFIER_PROMISES
    )
