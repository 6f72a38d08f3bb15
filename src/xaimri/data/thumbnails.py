"""Thumbnails: every image of a data set as a small grey one, read once, to be held against the others."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32

from xaimri.arguments import check_arguments
from xaimri.arrays import Array
from xaimri.data.case import Case, Dataset
from xaimri.errors import UnusableImage
from xaimri.grid import Grid
from xaimri.images.channels import with_channels
from xaimri.images.contrasts import Contrasts
from xaimri.images.read import read_image
from xaimri.kinds import Several
from xaimri.rules import WholeNumber

SIDES = (52, 44)
"""Height and width of a thumbnail: what is the person's own still shows in it, and noise does not."""


@check_arguments(size=Several(WholeNumber(1, most=1024)))
def thumbnails(
    dataset: Dataset, size: tuple[int, int] = SIDES
) -> Float32[Array, "cases {size[0]} {size[1]}"]:
    """Read every case once, as a small grey image.

    Parameters
    ----------
    dataset
        Cases whose sources are slices.
    size
        Height and width of a thumbnail; images of any shape are stretched to it.

    Returns
    -------
    Array
        float32 ``(cases, height, width)``, grey values as stored, shrunk without aliasing. Of several
        contrasts the first is taken. A case that can't be read as a slice, such as a volume or a broken
        file, is NaN.

    Examples
    --------
    >>> from xaimri.data.case import Case
    >>> cases = [Case("x", 0, None, np.ones((8, 6))), Case("y", 0, None, np.ones((0, 6)))]
    >>> thumbnails(Dataset(("a",), tuple(cases)), (2, 3))[:, 0, 0].round(3)
    array([ 1., nan], dtype=float32)
    """
    found = np.full((len(dataset), *size), np.nan, np.float32)
    for place, case in enumerate(dataset):
        try:
            image = _grey(case)
        except UnusableImage:
            continue
        found[place] = Grid.resized(image.shape, size).sample(image)
    return found


def _grey(case: Case) -> Float32[Array, "height width"]:
    """Return a slice in one channel."""
    source: object = case.source
    if isinstance(source, Contrasts):
        source = next(iter(source.sources.values()))
    image = read_image(source, 2)
    grey: Array = with_channels(image, 1) if image.shape[-1] == 3 else image.mean(axis=-1, keepdims=True)
    return grey[..., 0]
