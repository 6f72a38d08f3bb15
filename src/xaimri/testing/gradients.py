"""Promises of a differentiable classifier: its gradient is the slope of the score, image by image."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import cast, get_args

import numpy as np
from jaxtyping import Float

from xaimri.arrays import Array, Images
from xaimri.classifier import Differentiable
from xaimri.objective import Objective, Of
from xaimri.testing.claims import claim, gap, identical
from xaimri.testing.differences import smallest_disagreement
from xaimri.testing.runs import ClassifierOnImages, classifier_promise
from xaimri.testing.scores import image_by_image

SCORES = cast(tuple[Of, ...], get_args(Of))
"""Every score that can be explained."""


def predicted(given: ClassifierOnImages) -> tuple[int, ...]:
    """Return the predicted class of every image."""
    return tuple(int(i) for i in given.model.logits(given.images.copy()).argmax(axis=1))


def against_next(targets: Sequence[int], given: ClassifierOnImages) -> Objective:
    """Return the difference between the logits of every target and of the class after it."""
    others = tuple((target + 1) % len(given.model.classes) for target in targets)
    return Objective(tuple(targets), against=others)


def _objectives(given: ClassifierOnImages) -> Iterator[Objective]:
    """Every score of the predicted classes and of the last class, and how far they exceed another's."""
    last = (len(given.model.classes) - 1,) * len(given.images)
    for targets in (predicted(given), last):
        for of in SCORES:
            yield Objective(targets, of)
        yield against_next(targets, given)


@classifier_promise(Differentiable)
def gradients_have_the_images_shape(given: ClassifierOnImages) -> None:
    """A gradient has one finite number per value of the images."""
    for objective in _objectives(given):
        values = given.model.gradient(given.images.copy(), objective).values
        claim(
            values.shape == given.images.shape,
            f"`gradient` must have the images' shape {given.images.shape}, got {values.shape}.",
        )
        claim(np.isfinite(values).all(), f"the gradient of the {objective.unit} is not finite.")


@classifier_promise(Differentiable)
def gradients_leave_the_images_alone(given: ClassifierOnImages) -> None:
    """The images stay as they are."""
    own = given.images.copy()
    given.model.gradient(own, Objective())
    claim(identical(own, given.images), "`gradient` changed the images that it was given.")


@classifier_promise(Differentiable)
def gradients_come_with_the_logits(given: ClassifierOnImages) -> None:
    """The logits that come with a gradient are those of `logits`."""
    logits = given.model.logits(given.images.copy())
    for objective in _objectives(given):
        found = given.model.gradient(given.images.copy(), objective).logits
        claim(gap(found, logits) <= given.tolerance, "`gradient` hands out other logits than `logits`.")


@classifier_promise(Differentiable)
def gradients_are_slopes(given: ClassifierOnImages) -> None:
    """The gradient of every score agrees with its finite differences."""
    for objective in _objectives(given):
        values = given.model.gradient(given.images.copy(), objective).values

        def slope(direction: Images, step: float, values: Images = values) -> Float[Array, " batch"]:
            return np.asarray((values * direction).sum(axis=tuple(range(1, values.ndim))))

        off = smallest_disagreement(given.model, given.images, objective, slope)
        claim(
            off <= given.slope_tolerance,
            f"the gradient of the {objective.unit} is not its slope: {off:.1e} off finite differences.",
        )


@classifier_promise(Differentiable)
def gradients_are_of_the_prediction(given: ClassifierOnImages) -> None:
    """Without a target, the gradient is that of the predicted class."""
    wanted = (*(Objective(predicted(given), of) for of in SCORES), against_next(predicted(given), given))
    for objective in wanted:
        default = given.model.gradient(given.images.copy(), replace(objective, targets=None)).values
        named = given.model.gradient(given.images.copy(), objective).values
        claim(
            gap(default, named) <= given.tolerance,
            "without a target, `gradient` is not that of the predicted class.",
        )


@classifier_promise(Differentiable)
def gradients_do_not_depend_on_the_batch(given: ClassifierOnImages) -> None:
    """An image's gradient is the same alone, in a batch, and in another order."""
    image_by_image("gradients", lambda x: given.model.gradient(x, Objective()).values, given)
