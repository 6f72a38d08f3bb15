"""Large pictures become no larger than they can be seen, before they are drawn."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from xaimri.arrays import Array

LONGEST = 1200
"""Pixels that a side of a drawn picture keeps, at most: a panel is 3 inches wide, at 400 dots an inch."""


@dataclass(frozen=True)
class Reduction:
    """Square blocks of pixels, each drawn as one.

    Attributes
    ----------
    shape
        Height and width of the picture.
    side
        Side of a block in pixels; 1 draws the picture as it is.
    """

    shape: tuple[int, int]
    side: int

    @classmethod
    def of(cls, shape: tuple[int, ...]) -> Reduction:
        """Return the smallest blocks that keep both sides below :data:`LONGEST`."""
        height, width = shape
        return cls((height, width), -(-max(height, width) // LONGEST))

    @property
    def extent(self) -> tuple[float, float, float, float]:
        """Where the blocks lie, in pixels of the picture: left, right, bottom, top."""
        height, width = (-(-side // self.side) * self.side for side in self.shape)
        return -0.5, width - 0.5, height - 0.5, -0.5

    def mean(self, picture: Array) -> Array:
        """Return the mean of each block, for images."""
        return picture if self.side == 1 else np.asarray(self._blocks(picture).mean(axis=2))

    def extreme(self, values: Array, *others: Array) -> tuple[Array, ...]:
        """Return each block's value that is farthest from zero, and what others hold at that pixel."""
        if self.side == 1:
            return values, *others
        blocks = self._blocks(values)
        at = np.abs(np.nan_to_num(blocks)).argmax(axis=2)[..., None]
        return tuple(np.take_along_axis(self._blocks(each), at, 2)[..., 0] for each in (values, *others))

    def central(self, labels: Array) -> Array:
        """Return what the pixel in the middle of each block holds, for labels."""
        if self.side == 1:
            return labels
        rows, columns = (
            np.minimum(np.arange(self.side // 2, length + self.side // 2, self.side), length - 1)
            for length in self.shape
        )
        return np.asarray(labels[np.ix_(rows, columns)])

    def _blocks(self, picture: Array) -> Array:
        """Return ``(rows, columns, pixels of a block, *rest)``; blocks beyond the edge repeat its pixels."""
        beyond = [(0, -length % self.side) for length in self.shape]
        padded = np.pad(picture, [*beyond, *[(0, 0)] * (picture.ndim - 2)], mode="edge")
        rows, columns = (length // self.side for length in padded.shape[:2])
        split = padded.reshape(rows, self.side, columns, self.side, *picture.shape[2:]).swapaxes(1, 2)
        return split.reshape(rows, columns, self.side**2, *picture.shape[2:])
