"""Promises of a convolutional classifier: its inner layer carries the score, and lies on the image."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from xaimri.arrays import Array, Images
from xaimri.caveats import Reason
from xaimri.classifier import Convolutional, FeatureMaps
from xaimri.errors import InvalidInput
from xaimri.objective import Objective
from xaimri.testing.claims import claim, gap, identical
from xaimri.testing.differences import smallest_disagreement
from xaimri.testing.gradients import SCORES, against_next, predicted
from xaimri.testing.runs import ClassifierOnImages, classifier_promise
from xaimri.testing.scores import image_by_image


def _maps(given: ClassifierOnImages, layer: str | None = None) -> FeatureMaps:
    maps: FeatureMaps = given.model.feature_maps(given.images.copy(), Objective(), layer=layer)
    return maps


@classifier_promise(Convolutional)
def maps_lie_on_the_images(given: ClassifierOnImages) -> None:
    """Feature maps and their gradients have the cells of their grid, which lies on the images."""
    maps = _maps(given)
    claim(
        maps.values.shape == maps.gradients.shape
        and maps.values.shape[:-1] == (len(given.images), *maps.grid.cells),
        f"maps {maps.values.shape} and gradients {maps.gradients.shape} must have the shape (batch, *cells, "
        f"features) with the grid's cells {maps.grid.cells}.",
    )
    space = given.images.shape[1:-1]
    claim(maps.grid.space == space, f"the grid must lie on the images {space}, got {maps.grid.space}.")


@classifier_promise(Convolutional)
def maps_leave_the_images_alone(given: ClassifierOnImages) -> None:
    """The images stay as they are."""
    own = given.images.copy()
    given.model.feature_maps(own, Objective())
    claim(identical(own, given.images), "`feature_maps` changed the images that it was given.")


@classifier_promise(Convolutional)
def maps_come_with_the_logits(given: ClassifierOnImages) -> None:
    """The logits that come with feature maps are those of `logits`."""
    claim(
        gap(_maps(given).logits, given.model.logits(given.images.copy())) <= given.tolerance,
        "`feature_maps` hands out other logits than `logits`.",
    )


@classifier_promise(Convolutional)
def maps_name_their_layer(given: ClassifierOnImages) -> None:
    """Feature maps say of which layer they are, and why that one; asking for it by name gives the same."""
    maps = _maps(given)
    claim(maps.layer and maps.why, "the maps must say which layer they are of, and why that one.")
    again = _maps(given, maps.layer)
    apart = max(gap(maps.values, again.values), gap(maps.gradients, again.gradients))
    claim(apart <= given.tolerance, f"naming the default layer {maps.layer!r} gives other maps.")


@classifier_promise(Convolutional)
def maps_do_not_depend_on_the_batch(given: ClassifierOnImages) -> None:
    """An image's feature maps and their gradients are the same alone, in a batch, and in another order."""
    image_by_image("feature maps", lambda x: given.model.feature_maps(x, Objective()).values, given)
    image_by_image(
        "gradients of the maps", lambda x: given.model.feature_maps(x, Objective()).gradients, given
    )


@classifier_promise(Convolutional)
def maps_carry_the_score(given: ClassifierOnImages) -> None:
    """Gradient times change of the maps is the change of the score: everything flows through that layer.

    Not asked of tokens behind attention, which say by their caveat what a class token carries past them.
    """
    if any(caveat.reason is Reason.ATTENTION_MIXES for caveat in _maps(given).caveats):
        return
    targets = predicted(given)
    for objective in (*(Objective(targets, of) for of in SCORES), against_next(targets, given)):
        off = smallest_disagreement(given.model, given.images, objective, _Carried(given, objective))
        claim(
            off <= given.slope_tolerance,
            f"the maps' gradient does not carry their changes to the {objective.unit}'s: off by {off:.1e} of "
            "it.",
        )


class _Carried:
    """The slope of the score that the maps' gradient tells for the change of the maps along a direction."""

    def __init__(self, given: ClassifierOnImages, objective: Objective) -> None:
        self._given, self._objective = given, objective
        self._gradients = self._at(given.images).gradients.astype(np.float64)

    def __call__(self, direction: Images, step: float) -> Float[Array, " batch"]:
        shift = np.float32(step) * direction
        before, after = (self._at(self._given.images + sign * shift).values for sign in (-1, 1))
        change = after.astype(np.float64) - before
        axes = tuple(range(1, change.ndim))
        return np.asarray((self._gradients * change).sum(axis=axes) / (2 * step))

    def _at(self, images: Images) -> FeatureMaps:
        maps: FeatureMaps = self._given.model.feature_maps(images.copy(), self._objective)
        return maps


@classifier_promise(Convolutional)
def an_unknown_layer_is_refused(given: ClassifierOnImages) -> None:
    """A layer that is not there is refused with InvalidInput that names it."""
    try:
        _maps(given, "no such layer")
    except InvalidInput as refusal:
        claim("no such layer" in str(refusal), "an unknown layer is refused without being named.")
    else:
        raise AssertionError("an unknown layer must be refused with InvalidInput.")
