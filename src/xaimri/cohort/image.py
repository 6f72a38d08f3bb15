"""The image of a row, read once more, and known to be the one that was explained."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import cast

from xaimri.arrays import Image
from xaimri.cohort.manifest import Manifest
from xaimri.cohort.rows import Row
from xaimri.cohort.sameness import image_sha256
from xaimri.data.case import Case
from xaimri.errors import InvalidInput
from xaimri.images.channels import Layout
from xaimri.images.read import read_picture


def image_of(row: Row, manifest: Manifest, given: object = None) -> Image:
    """Read the image of a row, from where it was or as it is given, and see that it is the one explained.

    Raises
    ------
    InvalidInput
        If it is another one, or was in memory and isn't given.
    UnusableImage
        If it can't be read.
    """
    own = given.source if isinstance(given, Case) else given
    source: object = row["source"] if own is None else own
    if source is None:
        raise InvalidInput(f"the image of `{row['case']}` was in memory: give it as `image=`.")
    layout = cast("Layout | None", manifest.layout)
    path = Path(source) if isinstance(source, str | PathLike) else None
    picture = read_picture(source, len(row["map_shape"]), manifest.channels, layout=layout)
    known = row["image_sha256"]  # of the file, or of the pixels of what was in memory
    if not (path and image_sha256(path, None) == known) and image_sha256(None, picture) != known:
        raise InvalidInput(
            f"the image of `{row['case']}` is another one than was explained: give that one as `image=`."
        )
    return picture.pixels
