"""Slices of one scan that came as pictures of their own: together they are a volume again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from xaimri.arguments import check_fields
from xaimri.errors import UnusableImage
from xaimri.images.picture import Picture


@dataclass(frozen=True, eq=False)
class SliceStack:
    """Pictures of the slices of one scan, in their order: given to a model, they are a volume.

    Where the slices lie in the patient is not known, so the volume has no spacing, affine or anatomy.

    Parameters
    ----------
    slices
        Two or more paths or arrays, each one slice; all of one shape. The first axis of the volume goes
        through them.

    Raises
    ------
    InvalidInput
        If it is no list.

    Examples
    --------
    >>> from xaimri.images import read_image
    >>> read_image(SliceStack([np.ones((4, 6)), np.zeros((4, 6))]), rank=3).shape
    (2, 4, 6, 1)
    """

    slices: Sequence[Any] = field(repr=False)

    def __post_init__(self) -> None:
        check_fields(self)
        object.__setattr__(self, "slices", tuple(self.slices))

    def __repr__(self) -> str:
        return f"<SliceStack: {len(self.slices)} slices>"

    def joined(self, read: Callable[[Any], Picture]) -> Picture:
        """Read every slice, and stack them ``(slices, rows, columns, channels)``.

        Raises
        ------
        UnusableImage
            If there are fewer than two, one can't be read, or they differ in shape.
        """
        if len(self.slices) < 2:
            raise UnusableImage(f"a stack needs at least two slices, and this one has {len(self.slices)}.")
        found = [picture.pixels for picture in self._pictures(read)]
        shapes = sorted({image.shape for image in found})
        if len(shapes) > 1:
            told = " and ".join(" x ".join(map(str, shape)) for shape in shapes[:3])
            raise UnusableImage(f"the slices of a stack must be of one shape, and these are {told}.")
        return Picture(np.stack(found))

    def _pictures(self, read: Callable[[Any], Picture]) -> Iterator[Picture]:
        for place, source in enumerate(self.slices):
            try:
                yield read(source)
            except UnusableImage as fault:
                raise UnusableImage(f"slice {place} of the stack: {fault}") from fault
