"""Percentiles of an image: of all its pixels, or of the foreground."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import numpy as np
from jaxtyping import Shaped

from xaimri.arrays import Array
from xaimri.errors import UnusableImage
from xaimri.images.foreground import foreground

Inside: TypeAlias = Literal["image", "foreground"]
"""Of which pixels percentiles are taken."""

RARE = 0.5
"""Percentage of the values at either end that are cut off before the foreground is looked for.

A vessel or a spike that outshines the brain would make it look like background."""


def pixels_of(image: Shaped[Array, ...], inside: Inside) -> Any:
    """Return which pixels percentiles are of: an index of the image, ``(*space, channels)``.

    Raises
    ------
    UnusableImage
        If nothing tells the foreground from a background.
    """
    if inside == "image":
        return ...
    ends = np.percentile(image, [RARE, 100 - RARE])
    mask = foreground(np.clip(image, *ends).astype(np.float32))
    if mask.all():
        raise UnusableImage(
            "no background is found in the image (one value in a tenth of it and most of its border), "
            "so there are no percentiles of its foreground: take those of all pixels, "
            'inside="image", or give the window in intensities.'
        )
    return mask


def between(low: float, high: float, values: Shaped[Array, ...], inside: Inside) -> tuple[float, float]:
    """Return the intensities at two percentiles of values that lie inside.

    Raises
    ------
    UnusableImage
        If both are the same, as in a constant image.
    """
    least, most = (float(v) for v in np.percentile(values.astype(np.float64), [low, high]))
    if not least < most:
        raise UnusableImage(
            f"percentiles {low:g} and {high:g} of the {inside} are both {least:g}, so there is no "
            "range to spread: take percentiles further apart, or give the window in intensities."
        )
    return least, most
