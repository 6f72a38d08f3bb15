"""All images of a data set, stacked into one array as a model takes them."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np

from xaimri.arrays import Images
from xaimri.data.case import Dataset
from xaimri.errors import UnusableImage
from xaimri.grid import Fit
from xaimri.images.intake import Intake
from xaimri.images.ranges import SHARE, Ranges
from xaimri.images.read import Layout
from xaimri.images.window import Window, as_window


def load_images(
    dataset: Dataset,
    space: Sequence[int],
    channels: int = 1,
    fit: Fit = "stretch",
    window: Window | tuple[float, float] | None = None,
    layout: Layout | None = None,
) -> Images:
    """Read every case and bring it to a model's input, as `xaimri.explain` does: the same bytes.

    Parameters
    ----------
    dataset
        Cases whose ``source`` is a file or an array.
    space
        Spatial shape of the model's input, 2 or 3 axes.
    channels
        Channels of the model's input.
    fit, window, layout
        As of :func:`xaimri.open_model`.

    Returns
    -------
    Images
        float32 ``(cases, *space, channels)``, intensities as stored or as the window spreads them.

    Raises
    ------
    UnusableImage
        If an image cannot be read; the sentence names it.
    InvalidInput
        If another argument is wrong, most images are next to black or white through the window, or, without
        one, images of 0 to 1 stand beside others of 0 to 255.

    Examples
    --------
    >>> from xaimri.data.case import Case
    >>> dataset = Dataset(("a",), (Case("x", 0, None, np.full((4, 6), 9, np.uint8)),))
    >>> load_images(dataset, (2, 3)).shape
    (1, 2, 3, 1)
    """
    shape = (*(int(n) for n in space), channels)
    intake = Intake(shape, fit, None if window is None else as_window(window), layout)
    images = np.empty((len(dataset), *shape), np.float32)
    seen = Ranges()
    for row, case in zip(images, dataset, strict=True):
        try:
            taken = intake.take(case.source)
        except UnusableImage as fault:
            raise UnusableImage(f"case `{case.id}` cannot be read: {fault}") from fault
        row[...] = taken.fitted
        seen.note(case.id, taken.image, intake.window)
    seen.check()
    if seen.missed >= SHARE * len(dataset) > 0:
        warnings.warn(f"{seen.told} are next to black or white through the window.", stacklevel=2)
    return images
