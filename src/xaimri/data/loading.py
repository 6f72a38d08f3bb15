"""All images of a data set as one array."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from xaimri.arrays import Images
from xaimri.data.case import Dataset
from xaimri.errors import InvalidInput
from xaimri.grid import Fit, Grid
from xaimri.images.read import read_image


def load_images(dataset: Dataset, space: Sequence[int], channels: int = 1, fit: Fit = "stretch") -> Images:
    """Read every case and fit it to a model's input, by the transform that `xaimri.explain` uses.

    Parameters
    ----------
    dataset
        Cases whose ``source`` is a file or an array.
    space
        Spatial shape of the model's input, 2 or 3 axes.
    channels
        Channels of the model's input.
    fit
        ``"stretch"`` or ``"pad"``, see `xaimri.grid.Grid.fitted`.

    Returns
    -------
    Images
        float32 ``(cases, *space, channels)``, intensities as stored.

    Raises
    ------
    InvalidInput
        If an image cannot be read; the sentence names it.

    Examples
    --------
    >>> from xaimri.data.case import Case
    >>> dataset = Dataset(("a",), (Case("x", 0, None, np.full((4, 6), 9, np.uint8)),))
    >>> load_images(dataset, (2, 3)).shape
    (1, 2, 3, 1)
    """
    space = tuple(int(n) for n in space)
    images = np.empty((len(dataset), *space, channels), np.float32)
    for row, case in zip(images, dataset, strict=True):
        try:
            image = read_image(case.source, len(space), channels)
        except InvalidInput as error:
            raise InvalidInput(f"case `{case.id}` cannot be read: {error}") from error
        grid = Grid.fitted(image.shape[:-1], space, fit)
        row[...] = np.moveaxis(grid.sample(np.moveaxis(image, -1, 0)), 0, -1)
    return images
