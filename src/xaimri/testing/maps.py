"""Promises about the maps: their shape, their target, what is not finite, and the batch they come in."""

from __future__ import annotations

import numpy as np

from xaimri.arrays import Array
from xaimri.caveats import Caveat
from xaimri.explanation import Explanation
from xaimri.objective import softmax
from xaimri.testing.claims import claim, gap, identical
from xaimri.testing.runs import ExplainerOnImages, explainer_promise


@explainer_promise
def values_lie_on_the_image(given: ExplainerOnImages) -> None:
    """Values, errors and regions have the shape of the image, and one explanation comes back per image."""
    found = given.explanations()
    claim(len(found) == len(given.images), f"{len(given.images)} images gave {len(found)} explanations.")
    for explanation, image in zip(found, given.images, strict=True):
        wanted = image.shape[:-1]
        for name, array in _on_image(explanation).items():
            claim(array.shape == wanted, f"`{name}` must have the image's shape {wanted}, got {array.shape}.")
        claim(identical(explanation.image, image), "`image` is not the image that was given.")
        claim(explanation.classes == tuple(given.model.classes), "`classes` are not the model's.")
        claim(explanation.unit, "`unit` must say what one unit of the values is.")


def _on_image(explanation: Explanation) -> dict[str, Array]:
    """Return the arrays that lie on the image."""
    arrays = {"values": explanation.values, "errors": explanation.errors}
    if explanation.regions is not None:
        arrays["regions.labels"] = explanation.regions.labels
    return {name: array for name, array in arrays.items() if array is not None}


@explainer_promise
def finite_or_a_caveat(given: ExplainerOnImages) -> None:
    """Values are finite, or a caveat says why; a caveat of your own carries your package's name."""
    for explanation in given.explanations():
        claim(np.isfinite(explanation.logits).all(), "`logits` must be finite.")
        if not np.isfinite(explanation.values).all():
            claim(explanation.caveats, "some values are not finite, and no caveat says why.")
        for caveat in explanation.caveats:
            claim(
                isinstance(caveat, Caveat) and (caveat.reason is not None or "." in caveat.name),
                "a caveat needs the package before its name, such as `mypackage.low_contrast`, got "
                f"{caveat!r}.",
            )


@explainer_promise
def the_prediction_is_explained(given: ExplainerOnImages) -> None:
    """The default target is the predicted class, and naming it, by index or name, gives the same map."""
    predicted = [int(i) for i in given.model.logits(given.images.copy()).argmax(axis=1)]
    found = given.explanations()
    claim([e.target for e in found] == predicted, "the default target is not the predicted class.")
    names = [given.model.classes[i] for i in predicted]
    for which, targets in (("index", predicted), ("name", names)):
        for one, other in zip(found, given.explanations(targets=targets), strict=True):
            claim(
                gap(one.values, other.values) <= given.tolerance,
                f"the prediction, named by its {which}, gives another map than the default.",
            )


@explainer_promise
def the_target_is_the_one_asked_for(given: ExplainerOnImages) -> None:
    """Any class can be asked for, and the explanation says that it is of that class."""
    predicted = given.model.logits(given.images.copy()).argmax(axis=1)
    others = [(int(i) + 1) % len(given.model.classes) for i in predicted]
    asked = [e.target for e in given.explanations(targets=others)]
    claim(asked == others, "the target is not the one that was asked for.")


@explainer_promise
def another_class_can_stand_against_it(given: ExplainerOnImages) -> None:
    """A class held against another is said to be so, and is another map wherever the two classes have two."""
    count = len(given.model.classes)
    targets = [int(i) for i in given.model.logits(given.images.copy()).argmax(axis=1)]
    others = [(target + 1) % count for target in targets]
    found = given.explanations(targets=targets, against=others)
    claim(
        [(e.target, e.against) for e in found] == list(zip(targets, others, strict=True)),
        "the classes that were held against each other are not those that were asked for.",
    )
    alone = given.explanations(targets=targets, of="logit")
    other = given.explanations(targets=others, of="logit")
    for both, one, two in zip(found, alone, other, strict=True):
        has_two = np.any(two.values) and not np.array_equal(one.values, two.values)
        claim(
            not (has_two and np.array_equal(both.values, one.values)),
            "a class against another has the map of the class alone: let `Objective.scores`, `cotangents`, "
            "`settle` and `times` carry `against` along, rather than to read `targets` and `of`.",
        )


@explainer_promise
def scores_are_the_models(given: ExplainerOnImages) -> None:
    """The logits of an explanation are the model's, and its probabilities are their softmax."""
    logits = given.model.logits(given.images.copy())
    for explanation, row in zip(given.explanations(), logits, strict=True):
        claim(gap(explanation.logits, row) <= given.tolerance, "`logits` are not the model's.")
        own = softmax(explanation.logits[None].astype(np.float64))[0]
        apart = np.abs(explanation.probabilities - own).max()
        claim(apart < 1e-5, "`probabilities` are not softmax(logits).")


@explainer_promise
def a_batch_equals_one_by_one(given: ExplainerOnImages) -> None:
    """An image's map is the same alone, in a batch, and in another order."""
    together = given.explanations()
    backwards = given.explanations(given.images[::-1])[::-1]
    for i, (one, turned) in enumerate(zip(together, backwards, strict=True)):
        (alone,) = given.explanations(given.images[i : i + 1])
        apart = max(gap(one.values, alone.values), gap(one.values, turned.values))
        claim(
            apart <= given.tolerance,
            f"the map of image {i} depends on the other images of the batch ({apart:.1e} of its peak).",
        )
