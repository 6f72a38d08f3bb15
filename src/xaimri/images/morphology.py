"""Masks opened, closed, widened and filled: by OpenCV where there are two axes, in a tenth of the time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from xaimri.arrays import Array, Mask


def opened(mask: Mask) -> Mask:
    """Return the mask without what is narrower than three pixels; beside the image there is nothing."""
    return _widened(_narrowed(mask))


def closed(mask: Mask) -> Mask:
    """Return the mask with gaps of less than three pixels filled; beside the image there is nothing.

    Examples
    --------
    >>> ring = np.array([[0, 1, 1, 1, 0], [0, 1, 0, 1, 0], [0, 1, 1, 1, 0]], bool)
    >>> closed(np.pad(ring, 1)).astype(int)[2]
    array([0, 0, 1, 1, 1, 0, 0])
    """
    return _narrowed(_widened(mask))


def widened(mask: Mask, pixels: Sequence[int]) -> Mask:
    """Return the mask widened by so many pixels along each axis, to both sides."""
    size = [2 * each + 1 for each in pixels]
    if mask.ndim == 2:
        import cv2

        return _flat(mask, cv2.MORPH_DILATE, np.ones(size, np.uint8))
    from scipy.ndimage import maximum_filter

    found: Mask = maximum_filter(mask, size=size)
    return found


def filled(mask: Mask) -> Mask:
    """Return the mask with its holes: what can't be reached from the border, side by side.

    Examples
    --------
    >>> ring = np.array([[0, 1, 1, 1, 0], [0, 1, 0, 1, 0], [0, 1, 1, 1, 0]], bool)
    >>> filled(ring).astype(int)[1]
    array([0, 1, 1, 1, 0])
    """
    if mask.ndim == 2:
        import cv2

        beside = np.ascontiguousarray(np.pad(mask, 1), dtype=np.uint8)
        cv2.floodFill(beside, None, (0, 0), 2, flags=4)
        return np.asarray(beside[1:-1, 1:-1] != 2, dtype=bool)
    from scipy.ndimage import binary_fill_holes

    found: Mask = binary_fill_holes(mask)
    return found


def _widened(mask: Mask) -> Mask:
    if mask.ndim == 2:
        import cv2

        return _flat(mask, cv2.MORPH_DILATE, _cross())
    from scipy.ndimage import binary_dilation

    found: Mask = binary_dilation(mask)
    return found


def _narrowed(mask: Mask) -> Mask:
    if mask.ndim == 2:
        import cv2

        return _flat(mask, cv2.MORPH_ERODE, _cross())
    from scipy.ndimage import binary_erosion

    found: Mask = binary_erosion(mask)
    return found


def _cross() -> Array:
    """Return a pixel with its four neighbours."""
    return np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], np.uint8)


def _flat(mask: Mask, operation: int, element: Array) -> Mask:
    """Run an operation on a picture; what lies beside it counts as empty."""
    import cv2

    pixels = np.ascontiguousarray(mask).view(np.uint8)
    found = cv2.morphologyEx(pixels, operation, element, borderType=cv2.BORDER_CONSTANT, borderValue=0)
    return np.asarray(found, dtype=bool)
