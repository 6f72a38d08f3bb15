"""Where hiding takes next to nothing away, so that a method that hides is blind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int

from xaimri.arrays import Array, Image, Labels, Mask
from xaimri.caveats import Caveat, Reason
from xaimri.perturb.absent import Absent, hidden, written
from xaimri.perturb.contrast import Contrast, change_of, contrast_of

WAYS: tuple[Absent, ...] = ("blur", "mean", "noise", 0.0)
"""What may stand for a whole image, in the order in which it is proposed."""

FEWEST = 3
"""Pixels that a cell has along each axis at least: one of fewer says little of what it shows."""

NAMED = 5
"""Most regions that a caveat names."""


@dataclass(frozen=True, eq=False)
class BlindSpots:
    """By how much hiding changes each region, window or cell of an image, beside what there is to change.

    Attributes
    ----------
    contrast
        How they stand out.
    change
        ``(regions,)``: root mean square of the change over a region's pixels and channels.
    """

    contrast: Contrast
    change: Float[Array, " regions"]

    @property
    def barely(self) -> Bool[Array, " regions"]:
        """Which of them stand out from what is around them and are hardly changed."""
        return self.contrast.barely(self.change)

    @property
    def share(self) -> float:
        """Part of the object's pixels that lie in those."""
        size, own = self.contrast.size, self.contrast.of_object
        return float(size[self.barely].sum() / size[own].sum()) if own.any() else 0.0

    def told(self) -> dict[str, Any]:
        """Return what is kept in the diagnostics; changes and contrasts in units of the object's spread."""
        scale = self.contrast.scale or 1.0
        return {
            "change": (self.change / scale).tolist(),
            "contrast": (self.contrast.distance / scale).tolist(),
            "barely_hidden": self.share,
        }

    def caveats(self, absent: Absent, numbers: Int[Array, " regions"]) -> list[Caveat]:
        """Return the caveat of regions that are barely hidden, by the numbers that they were given."""
        barely = numbers[self.barely]
        if not len(barely):
            return []
        names = ", ".join(map(str, barely[:NAMED])) + (", ..." if len(barely) > NAMED else "")
        parts = f"{len(barely)} of {len(numbers)} regions ({names})"
        return [barely_hidden(absent, parts, self.share, "auto")]


def barely_hidden(absent: Absent, parts: str, share: float, remedy: Absent) -> Caveat:
    """Say how much of an image's object hiding hardly changes, and what does."""
    return Reason.BARELY_HIDDEN.caveat(
        absent=written(absent), parts=parts, percent=100 * share, remedy=written(remedy)
    )


def blind_spots(image: Image, gone: Image, labels: Labels) -> BlindSpots:
    """Compare an image with itself hidden, region by region.

    Examples
    --------
    >>> image = np.array([[1.0, 5, 3, 9, 9, 1, 5]])[..., None]
    >>> labels = np.array([[0, 0, 0, 1, 1, 2, 2]])
    >>> blind_spots(image, hidden(image, labels, "mean"), labels).barely.tolist()
    [False, True, False]
    >>> blind_spots(image, hidden(image, labels, "auto"), labels).barely.tolist()
    [False, False, False]
    """
    return BlindSpots(contrast_of(image, labels), change_of(image, gone, labels))


def cells(space: Sequence[int], side: float) -> Labels:
    """Cut a grid into nearly square cells of about so many pixels a side, and at least three.

    Examples
    --------
    >>> cells((2, 6), side=1).tolist()
    [[0, 0, 0, 1, 1, 1], [0, 0, 0, 1, 1, 1]]
    """
    side = max(side, FEWEST)
    labels = np.zeros(tuple(space), dtype=np.int64)
    for axis, length in enumerate(space):
        count = min(max(1, round(length / side)), length)
        place = np.arange(length) * count // length
        labels = labels * count + place.reshape([-1 if a == axis else 1 for a in range(len(space))])
    return labels


def best_way(image: Image, labels: Labels, seed: int) -> Absent:
    """Return the way of hiding the whole image that leaves the least of these regions as they are."""
    whole = np.zeros(image.shape[:-1], dtype=np.int64)
    left = [blind_spots(image, hidden(image, whole, way, seed), labels).share for way in WAYS]
    return WAYS[int(np.argmin(left))]


def unseen(spots: BlindSpots, labels: Labels) -> Mask:
    """Return the pixels of regions that are barely hidden."""
    found: Mask = np.append(spots.barely, False)[labels]
    return found
