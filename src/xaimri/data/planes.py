"""One plane of every case, of volumes and colour images too, and the same as a small square."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from jaxtyping import Float

from xaimri.arrays import Array
from xaimri.data.case import Case
from xaimri.data.copies import pixels_of

COLOURS = 4
"""An image's last axis holds channels if it is at most so long, else the slices of a volume."""


def planes(cases: Iterable[Case]) -> Iterator[Float[Array, "height width"]]:
    """Yield a plane of every case, as stored, float32; one without pixels stands for what can't be read.

    Examples
    --------
    >>> cases = [Case("x", 0, None, np.full((4, 6), 9, np.uint8)), Case("y", 0, None, np.zeros((0, 6)))]
    >>> [plane.shape for plane in planes(cases)]
    [(4, 6), (0, 6)]
    """
    for case in cases:
        image = pixels_of(case)
        plane = np.zeros((0, 0), np.float32) if image is None else flat(image)
        yield plane if plane.ndim == 2 else np.zeros((0, 0), np.float32)


def flat(image: Float[Array, ...]) -> Float[Array, "height width"]:
    """Return an image's plane: the mean of its channels, or the middle slice of a volume.

    Examples
    --------
    >>> flat(np.zeros((4, 6, 3), np.float32)).shape, flat(np.zeros((4, 6, 20), np.float32)).shape
    ((4, 6), (4, 6))
    """
    while image.ndim > 2:
        deep = image.shape[-1]
        image = image.mean(axis=-1) if deep <= COLOURS else image[..., deep // 2]
    return image


def shrunk(image: Float[Array, "height width"], size: int) -> Float[Array, "size size"]:
    """Return an image stretched to a square, each pixel the mean of what it covers; NaN where nothing is.

    Values that are not finite count as 0.
    """
    import cv2

    if not image.size:
        return np.full((size, size), np.nan, np.float32)
    how = cv2.INTER_AREA if min(image.shape) >= size else cv2.INTER_LINEAR
    finite = np.nan_to_num(np.asarray(image, np.float32), posinf=0, neginf=0)
    small: Array = cv2.resize(finite, (size, size), interpolation=how)
    return small
