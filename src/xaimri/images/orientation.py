"""Orientation: how an image was turned when it was stored, and its way back (EXIF 2.3, tag 274)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from xaimri.arrays import Array

if TYPE_CHECKING:
    from PIL.Image import Image as PILImage

ORIENTATION = 274
"""Number of the tag, in EXIF as in TIFF."""


def turn_of(picture: PILImage) -> object:
    """Return the orientation that is still to be applied; damaged metadata has none."""
    try:
        return picture.getexif().get(ORIENTATION, 1)
    except Exception:  # whatever the damage leads to
        return 1


def upright(pixels: Array, orientation: object) -> Array:
    """Turn an image by its EXIF orientation, 1 to 8."""
    if not isinstance(orientation, int) or not 2 <= orientation <= 8:
        return pixels
    turned = np.swapaxes(pixels, 0, 1) if orientation >= 5 else pixels
    down = -1 if orientation in (3, 4, 7, 8) else 1
    right = -1 if orientation in (2, 3, 6, 7) else 1
    return turned[::down, ::right]
