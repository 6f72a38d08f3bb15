"""What a hidden region looks like."""

from __future__ import annotations

import numpy as np

from xaimri.arrays import Image, Labels


def segment_mean(image: Image, labels: Labels) -> Image:
    """Give every pixel its region's mean, channel by channel; pixels in no region stay."""
    count = int(labels.max()) + 1
    inside = labels >= 0
    index = labels[inside]
    size = np.maximum(np.bincount(index, minlength=count), 1)
    hidden = image.copy()
    for channel in range(image.shape[-1]):
        total = np.bincount(index, weights=image[..., channel][inside], minlength=count)
        hidden[..., channel][inside] = (total / size)[index]
    return hidden


def constant(image: Image, labels: Labels, value: float) -> Image:
    """Give every pixel of a region one value; pixels in no region stay."""
    hidden = image.copy()
    hidden[labels >= 0] = value
    return hidden
