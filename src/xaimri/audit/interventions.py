"""Interventions: each takes one thing away from an image, and the network is asked again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from jaxtyping import Float

from xaimri.arrays import Array, Fitted, Mask
from xaimri.audit.scene import Common, Scene
from xaimri.errors import InvalidInput, shown

Change: TypeAlias = Callable[[Scene, Common, Scene | None], Fitted | None]
"""Changes an image, given what all classes have in common and an image of another class; None where it can't
be made."""

BLUR = 24
"""The blur's width is the shorter side over this."""

BRIGHT, DARK = 0.75, 0.25
"""Shares of the objects' grey values that stand for bright and for dark."""


@dataclass(frozen=True)
class Intervention:
    """One way of changing images.

    Attributes
    ----------
    name
        As it is asked for.
    title
        As it stands in a table.
    anatomy
        Whether the object's inside stays. Where it goes, what is above chance comes from what is left; where
        it stays, a drop says that what went was used, or that the network is thrown by the look of it.
    left
        What is left to go by, or what went.
    """

    name: str
    title: str
    anatomy: bool
    left: str
    change: Change


def contours(scene: Scene, common: Common, other: Scene | None) -> Fitted | None:
    """Draw edges alone, all equally bright."""
    from scipy.ndimage import gaussian_gradient_magnitude

    grey = scene.image.mean(axis=-1)
    steep = gaussian_gradient_magnitude(grey, 1.0, mode="nearest")
    edges = steep > _threshold(steep) if np.ptp(steep) > 0 else np.zeros(grey.shape, bool)
    return _painted(_empty(scene), edges, common.share(BRIGHT))


def outline(scene: Scene, common: Common, other: Scene | None) -> Fitted | None:
    """Fill the object with one grey value, the same for all images, and empty what lies around it."""
    return None if scene.inside is None else _painted(_empty(scene), scene.inside, common.mean)


def erased(scene: Scene, common: Common, other: Scene | None) -> Fitted | None:
    """Put the background's value in the place of the object and its rim."""
    return None if scene.around is None else _painted(scene.image, ~scene.around, scene.level)


def without_rim(scene: Scene, common: Common, other: Scene | None) -> Fitted | None:
    """Put the background's value in the place of the rim."""
    return None if scene.rim is None else _painted(scene.image, scene.rim, scene.level)


def swapped(scene: Scene, common: Common, other: Scene | None) -> Fitted | None:
    """Lay the object on the background of an image of another class."""
    if scene.around is None or other is None or other.around is None:
        return None
    ground = _painted(other.image, ~other.around, other.level)
    return np.where(scene.around[..., None], ground, scene.image)


def binarised(scene: Scene, common: Common, other: Scene | None) -> Fitted | None:
    """Make the object of two grey values, the same for all images."""
    grey = scene.image.mean(axis=-1)
    own = grey if scene.inside is None else grey[scene.inside]
    bright = grey > _threshold(own) if np.ptp(own) > 0 else np.zeros(grey.shape, bool)
    image = _empty(scene)
    inside = np.ones(grey.shape, bool) if scene.inside is None else scene.inside
    image = _painted(image, inside & ~bright, common.share(DARK))
    return _painted(image, bright, common.share(BRIGHT))


def blurred(scene: Scene, common: Common, other: Scene | None) -> Fitted | None:
    """Blur by a Gaussian of a twenty-fourth of the shorter side."""
    from scipy.ndimage import gaussian_filter

    width = min(scene.image.shape[:-1]) / BLUR
    found: Array = gaussian_filter(scene.image, [width] * (scene.image.ndim - 1) + [0], mode="nearest")
    return found


def matched(scene: Scene, common: Common, other: Scene | None) -> Fitted | None:
    """Give the object the grey values of all classes together, and the background their level."""
    image = scene.image + (common.level - scene.level)
    inside = np.ones(scene.image.shape[:-1], bool) if scene.inside is None else scene.inside
    for channel in range(scene.image.shape[-1]):
        own = scene.greys[:, channel].astype(np.float64)
        rising, first = np.unique(own, return_index=True)
        last = len(own) - 1 - np.unique(own[::-1], return_index=True)[1]
        wanted = (common.greys[first, channel] + common.greys[last, channel]) / 2  # equal values stay equal
        image[inside, channel] = np.interp(scene.image[inside, channel], rising, wanted)
    found: Array = image.astype(np.float32)
    return found


def mirrored(scene: Scene, common: Common, other: Scene | None) -> Fitted | None:
    """Put the mirror image of one half in the place of the other, about the middle of the object."""
    image = np.moveaxis(scene.image, scene.axis, 0)
    count = len(image)
    middle = (count - 1) / 2
    if scene.inside is not None:
        across = np.moveaxis(scene.inside, scene.axis, 0).reshape(count, -1).any(axis=1)
        middle = float(np.flatnonzero(across)[[0, -1]].mean())
    places = np.arange(count)
    turned = np.round(2 * middle - places).astype(int)
    later = places > middle
    within = later & (turned >= 0)
    found = image.copy()
    found[within] = image[turned[within]]
    found[later & (turned < 0)] = scene.level
    return np.ascontiguousarray(np.moveaxis(found, 0, scene.axis))


INTERVENTIONS: Mapping[str, Intervention] = {
    each.name: each
    for each in (
        Intervention("contours", "contours alone", False, "edges without grey values", contours),
        Intervention("outline", "filled outline", False, "the size and the outline of the object", outline),
        Intervention("erased", "object erased", False, "what lies around the object", erased),
        Intervention("rim", "rim erased", True, "the object's edge", without_rim),
        Intervention("background", "background of another class", True, "the own background", swapped),
        Intervention("binarised", "binarised", True, "all grey values but two", binarised),
        Intervention("blurred", "blurred", True, "fine structure", blurred),
        Intervention("intensity", "intensity matched", True, "the own brightness and contrast", matched),
        Intervention("mirrored", "one half mirrored", True, "what differs from side to side", mirrored),
    )
}  # fmt: skip
"""All interventions by name, those that take the object's inside away first."""


def chosen(names: Iterable[str] | None) -> tuple[Intervention, ...]:
    """Return interventions by their names, all where None is given.

    Examples
    --------
    >>> [each.title for each in chosen(["rim", "blurred"])]
    ['rim erased', 'blurred']
    """
    if names is None:
        return tuple(INTERVENTIONS.values())
    listed = list(names) if isinstance(names, Iterable) and not isinstance(names, str) else [names]
    unknown = [name for name in listed if not isinstance(name, str) or name not in INTERVENTIONS]
    if unknown or not listed or len(set(listed)) < len(listed):
        raise InvalidInput(
            f"`interventions` must be different names of {', '.join(INTERVENTIONS)}, got {shown(listed)}."
        )
    return tuple(INTERVENTIONS[name] for name in listed)


def is_changed(scene: Scene, found: Fitted) -> bool:
    """Tell whether any pixel differs by more than rounding.

    Examples
    --------
    >>> scene = Scene(np.ones((4, 4, 1), np.float32))
    >>> is_changed(scene, scene.image + np.float32(1e-7)), is_changed(scene, scene.image + 1)
    (False, True)
    """
    scale = max(float(np.ptp(scene.image)), float(np.abs(scene.image).max()))
    return bool(np.abs(found - scene.image).max() > 1e-6 * scale)


def _empty(scene: Scene) -> Fitted:
    """Return an image of nothing but the background's value."""
    return np.broadcast_to(scene.level, scene.image.shape).astype(np.float32)


def _painted(image: Fitted, where: Mask, grey: Float[Array, " channels"]) -> Fitted:
    """Return a copy of an image with one grey value somewhere."""
    found = image.copy()
    found[where] = grey
    return found


def _threshold(values: Array) -> float:
    from skimage.filters import threshold_otsu

    return float(threshold_otsu(values))
