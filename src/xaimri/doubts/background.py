"""Whether a map's evidence lies on the uniform background, away from the object."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from xaimri.arrays import Image, Map
from xaimri.caveats import Caveat, Reason
from xaimri.images.foreground import foreground, is_background
from xaimri.images.morphology import closed, opened, widened

SHARE = 0.5
"""Of the positive evidence on the background, from which on it is told."""

REACH = 7
"""Where a method has no cells, the object is widened by the shorter side over this, a cell of RISE."""


def on_background(image: Image, values: Map, step: Sequence[float] | None = None) -> tuple[Caveat, ...]:
    """Say that most of a map's positive evidence lies on the background.

    Parameters
    ----------
    image
        ``(*space, channels)``. Where no object can be told from a uniform background nothing is said.
    values
        ``(*space)``: the map of the image.
    step
        Pixels from cell to cell, along each axis: a class activation map can't tell places that lie nearer.
    """
    share = background_share(image, values, step)
    return (Reason.ON_BACKGROUND.caveat(percent=100 * share),) if share > SHARE else ()


def background_share(image: Image, values: Map, step: Sequence[float] | None = None) -> float:
    """Return the share of the positive evidence beside the object widened by one cell; 0 where there is none.

    Examples
    --------
    >>> image = np.zeros((64, 64, 1), np.float32)
    >>> image[20:44, 20:44] = 1.0
    >>> heat = np.zeros((64, 64), np.float32)
    >>> heat[30, 30], heat[5, 5] = 1.0, 3.0
    >>> background_share(image, heat)
    0.75
    >>> background_share(image, heat, step=(16.0, 16.0))  # the neighbouring cell
    0.0
    """
    positive = np.where(np.isfinite(values), np.maximum(values, 0), 0)
    total = float(positive.sum(dtype=np.float64))
    outside = is_background(image)
    if total == 0 or float(positive[outside].sum(dtype=np.float64)) <= SHARE * total:
        return 0.0  # without the widening there is more on the background, so the dear part can be left out
    textured = opened(closed(~outside))  # a fine texture, but no specks
    reach = [min(values.shape) / REACH] * values.ndim if step is None else step
    near = widened(foreground(image) | textured, [round(pixels) for pixels in reach])
    return float(positive[~near].sum(dtype=np.float64)) / total


def step_of(diagnostics: Sequence[Mapping[str, Any]], image: int) -> Sequence[float] | None:
    """Return the pixels from cell to cell where a class activation map has any."""
    grid = diagnostics[image].get("grid") if diagnostics else None
    return None if grid is None else grid["step"]
