"""Find the object on an image: the brain, not the black around it."""

from __future__ import annotations

from functools import reduce

import numpy as np

from xaimri.arguments import check_arguments
from xaimri.arrays import Image, Mask
from xaimri.errors import InvalidInput, shown


@check_arguments()
def foreground(image: Image) -> Mask:
    """Return the object's mask ``(*space)``: the brain in a skull-stripped scan.

    Where at least a tenth of the image is one constant value that also fills most of its border, that
    value is background, and the mask is what remains with its holes filled; any other image is all
    foreground. JPEG noise around the background value, up to a sixteenth of the image's range, counts
    as background.
    """
    if image.ndim < 2 or not image.size:
        raise InvalidInput(f"an image must have the axes (*space, channels) and pixels, got {shown(image)}.")
    mask = ~is_background(image)
    if mask.all():
        return mask
    from scipy.ndimage import binary_fill_holes, binary_opening

    opened = binary_opening(mask)
    filled: Mask = binary_fill_holes(opened if opened.any() else mask)
    return filled


def is_background(image: Image) -> Mask:
    """Return the pixels ``(*space)`` of the background's value, those inside the object among them.

    None where the image has no background.
    """
    kind = np.result_type(image.dtype, np.float32)
    level = reduce(np.add, np.moveaxis(image, -1, 0).astype(kind, copy=False)) / kind.type(image.shape[-1])
    border = np.concatenate([np.take(level, [0, -1], axis=axis).ravel() for axis in range(level.ndim)])
    outside = float(np.median(border))
    spread = float(level.max() - level.min())
    mask: Mask = np.abs(level - outside) <= spread / 16
    near_border = np.abs(border - outside) <= spread / 16
    if spread == 0 or mask.mean() < 0.1 or near_border.mean() < 0.6:
        return np.zeros(level.shape, dtype=bool)
    return mask
