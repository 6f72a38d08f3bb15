"""An image as the network is given it, parted into the object, its rim and what lies around it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float

from xaimri.arrays import Array, Fitted, Mask
from xaimri.images.foreground import foreground
from xaimri.images.taken import Taken

RIM = 24
"""The rim is as wide, to either side of the object's edge, as the shorter side of the image over this."""

NEAR = 12
"""What lies within the shorter side over this of the object's largest part belongs to the object."""

LEAST = 0.02
"""Share of an image that an object has at least."""

STEPS = 129
"""Grey values by which two distributions are matched."""


@dataclass(frozen=True, eq=False)
class Scene:
    """One image on the network's grid, and where on it the object lies.

    Attributes
    ----------
    image
        ``(*space, channels)``.
    sides
        Along which of the axes of space its two halves lie: from left to right where the scan tells; None is
        the last.
    """

    image: Fitted
    sides: int | None = None

    @classmethod
    def of(cls, taken: Taken) -> Scene:
        """Return the scene of an image that was brought to the grid."""
        rank = taken.fitted.ndim - 1
        told = taken.affine is not None and rank == 3
        sides = int(np.abs(np.asarray(taken.affine)[0, :3]).argmax()) if told else None
        return cls(np.asarray(taken.fitted, np.float32), sides)

    @property
    def axis(self) -> int:
        """The axis of the two halves, as a number of at least 0."""
        return self.image.ndim - 2 if self.sides is None else self.sides

    @cached_property
    def inside(self) -> Mask | None:
        """The object ``(*space)``, such as the brain; None where none can be told from a uniform background.

        It is the largest part of the foreground, with the parts near it: a mark in a corner is no object.
        """
        found = foreground(self.image)
        return None if found.all() else _largest(found)

    @cached_property
    def rim(self) -> Mask | None:
        """The object's edge, to either side of it; None where there is no object."""
        return None if self.inside is None else self._grown & ~_eroded(self.inside, self.width)

    @cached_property
    def around(self) -> Mask | None:
        """What lies beyond the object and its rim; None where there is no object."""
        return None if self.inside is None else ~self._grown

    @cached_property
    def _grown(self) -> Mask:
        return _dilated(np.asarray(self.inside), self.width)

    @property
    def width(self) -> int:
        """Pixels of the rim to either side of the edge."""
        width: int = max(1, round(min(self.image.shape[:-1]) / RIM))
        return width

    @cached_property
    def level(self) -> Float[Array, " channels"]:
        """The background's value: the median of the border."""
        axes = range(self.image.ndim - 1)
        border = [np.take(self.image, [0, -1], axis=axis).reshape(-1, self.image.shape[-1]) for axis in axes]
        median: Array = np.median(np.concatenate(border), axis=0).astype(np.float32)
        return median

    @property
    def pixels(self) -> Float[Array, "pixels channels"]:
        """The object's values, or all where there is none."""
        whole = self.image.reshape(-1, self.image.shape[-1])
        return whole if self.inside is None else whole[self.inside.ravel()]

    @cached_property
    def greys(self) -> Float[Array, "steps channels"]:
        """The object's grey values in even shares, from the darkest to the brightest."""
        found: Array = np.quantile(self.pixels, np.linspace(0, 1, STEPS), axis=0).astype(np.float32)
        return found


@dataclass(frozen=True, eq=False)
class Common:
    """What images of all classes have in common: distribution and background, each class counting once.

    Attributes
    ----------
    greys
        ``(steps, channels)``: the mean over classes of their objects' grey values in even shares.
    level
        The mean over classes of the background's value.
    """

    greys: Float[Array, "steps channels"]
    level: Float[Array, " channels"]

    @classmethod
    def of(cls, scenes: Sequence[Sequence[Scene]]) -> Common:
        """Return what scenes, listed by class, have in common."""
        classes = [each for each in scenes if each]
        greys = np.mean([np.mean([one.greys for one in each], axis=0) for each in classes], axis=0)
        level = np.mean([np.mean([one.level for one in each], axis=0) for each in classes], axis=0)
        return cls(greys.astype(np.float32), level.astype(np.float32))

    def share(self, share: float) -> Float[Array, " channels"]:
        """Return the grey value below which such a share of the object lies."""
        grey: Array = self.greys[round(share * (len(self.greys) - 1))]
        return grey

    @property
    def mean(self) -> Float[Array, " channels"]:
        """The objects' mean."""
        mean: Array = self.greys.mean(axis=0)
        return mean


def _largest(found: Mask) -> Mask | None:
    """Return the largest part of a foreground and the parts near it; None where it is next to nothing."""
    from scipy.ndimage import label

    parts, count = label(found)
    sizes = np.bincount(parts.ravel(), minlength=count + 1)[1:]
    if not count or sizes.max() < LEAST * found.size:
        return None
    largest = parts == 1 + int(sizes.argmax())
    near = _dilated(largest, max(1, round(min(found.shape) / NEAR)))
    met = np.unique(parts[near])
    inside: Mask = np.isin(parts, met[met > 0])
    return None if inside.all() else inside


def _dilated(mask: Mask, width: int) -> Mask:
    from scipy.ndimage import distance_transform_edt

    wider: Mask = distance_transform_edt(~mask) <= width
    return wider


def _eroded(mask: Mask, width: int) -> Mask:
    from scipy.ndimage import distance_transform_edt

    padded = np.pad(mask, 1)
    inner = distance_transform_edt(padded)[tuple(slice(1, -1) for _ in mask.shape)]
    narrower: Mask = inner > width
    return narrower
