"""Find the object on an image: the brain, not the black around it."""

from __future__ import annotations

from functools import reduce

import numpy as np

from xaimri.arguments import check_arguments
from xaimri.arrays import Array, Image, Mask
from xaimri.errors import InvalidInput, shown
from xaimri.images.morphology import filled, opened

SPIKE = 4.0
"""How many times further from the background than all other pixels spikes have to lie to be left out."""

RARE, LEAST = 0.005, 0.05
"""Share of an image that spikes, as of a metal clip, may be at most, and the object beside them at least."""


@check_arguments()
def foreground(image: Image) -> Mask:
    """Return the object's mask ``(*space)``: the brain in a skull-stripped scan.

    Where at least a tenth of the image is one constant value that also fills most of its border, that
    value is background, and the mask is what remains with its holes filled; any other image is all
    foreground. JPEG noise around the background value, up to a sixteenth of the image's range, counts
    as background. Few pixels that outshine the object several times over don't count for the range.
    """
    if image.ndim < 2 or not image.size:
        raise InvalidInput(f"an image must have the axes (*space, channels) and pixels, got {shown(image)}.")
    mask = ~is_background(image)
    if mask.all():
        return mask
    smooth = opened(mask)
    return filled(smooth if smooth.any() else mask)


def is_background(image: Image) -> Mask:
    """Return the pixels ``(*space)`` of the background's value, those inside the object among them.

    None where the image has no background.
    """
    kind = np.result_type(image.dtype, np.float32)
    level = reduce(np.add, np.moveaxis(image, -1, 0).astype(kind, copy=False)) / kind.type(image.shape[-1])
    border = np.concatenate([np.take(level, [0, -1], axis=axis).ravel() for axis in range(level.ndim)])
    outside = float(np.median(border))
    spread = float(level.max() - level.min())
    far = np.abs(level - outside) > spread / SPIKE
    if 0 < far.mean() < RARE:
        rest = level[~far]
        found = _near(level, border, outside, float(rest.max() - rest.min()))
        if found.any() and 1 - found.mean() >= LEAST:
            return found
    return _near(level, border, outside, spread)


def _near(level: Array, border: Array, outside: float, spread: float) -> Mask:
    """Return the pixels near the value of the border; none where too few are, or the border is of others."""
    mask: Mask = np.abs(level - outside) <= spread / 16
    near_border = np.abs(border - outside) <= spread / 16
    if spread == 0 or mask.mean() < 0.1 or near_border.mean() < 0.6:
        return np.zeros(level.shape, dtype=bool)
    return mask
