"""Promises about a classifier's scores: named classes, logits image by image, its own probabilities."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from xaimri.arrays import Array, Images
from xaimri.classifier import Classifier
from xaimri.objective import softmax
from xaimri.testing.claims import claim, gap, identical
from xaimri.testing.runs import ClassifierOnImages, classifier_promise


@classifier_promise()
def classes_have_names(given: ClassifierOnImages) -> None:
    """The classes, at the latest after the first call, are a tuple of two or more different names."""
    kind = type(given.model).__name__
    claim(isinstance(given.model, Classifier), f"a {kind} lacks `classes` or `logits(images)`.")
    given.model.logits(given.images.copy())
    names = given.model.classes
    claim(
        isinstance(names, tuple)
        and len(set(names)) == len(names) > 1
        and all(isinstance(n, str) for n in names),
        f"`classes` must be a tuple of two or more different names, got {names!r}.",
    )


@classifier_promise()
def every_image_has_its_logits(given: ClassifierOnImages) -> None:
    """There is one finite logit per image and class."""
    logits = given.model.logits(given.images.copy())
    wanted = (len(given.images), len(given.model.classes))
    claim(
        logits.shape == wanted,
        f"`logits` must have the shape (batch, classes) = {wanted}, got {logits.shape}.",
    )
    claim(np.isfinite(logits).all(), "`logits` must be finite; clip probabilities before their logarithm.")


@classifier_promise()
def logits_are_the_same_again(given: ClassifierOnImages) -> None:
    """The same images get the same logits, to the last bit."""
    one, other = (given.model.logits(given.images.copy()) for _ in range(2))
    claim(identical(one, other), "`logits` of the same images differ from call to call.")


@classifier_promise()
def logits_leave_the_images_alone(given: ClassifierOnImages) -> None:
    """The images stay as they are."""
    own = given.images.copy()
    given.model.logits(own)
    claim(identical(own, given.images), "`logits` changed the images that it was given.")


@classifier_promise()
def logits_do_not_depend_on_the_batch(given: ClassifierOnImages) -> None:
    """An image's logits are the same alone, in a batch, and in another order."""
    image_by_image("logits", given.model.logits, given)


@classifier_promise()
def softmax_of_the_logits_is_the_output(given: ClassifierOnImages) -> None:
    """The softmax of the logits is the network's own output, where ``outputs`` tells it."""
    if given.outputs is None:
        return
    outputs = np.asarray(given.outputs, dtype=np.float64)
    if outputs.ndim == 1 or outputs.shape[-1] == 1:
        second = outputs.reshape(len(outputs), 1)
        outputs = np.concatenate([1 - second, second], axis=1)
    own = softmax(given.model.logits(given.images.copy()).astype(np.float64))
    claim(own.shape == outputs.shape, f"`outputs` must have the shape {own.shape}, got {outputs.shape}.")
    worst = float(np.abs(own - outputs).max())
    claim(
        worst <= given.tolerance,
        f"softmax(logits) is not the network's own output (largest difference {worst:.1e}).",
    )


def image_by_image(what: str, answers: Callable[[Images], Array], given: ClassifierOnImages) -> None:
    """Claim that every image's answer is the same alone, in a batch and in another order."""
    together = answers(given.images.copy())
    backwards = answers(given.images[::-1].copy())[::-1]
    for i, (batched, turned) in enumerate(zip(together, backwards, strict=True)):
        single = answers(given.images[i : i + 1].copy())[0]
        apart = max(gap(batched, single), gap(batched, turned))
        claim(
            apart <= given.tolerance,
            f"{what} of image {i} depend on the other images of the batch ({apart:.1e} of the peak).",
        )
