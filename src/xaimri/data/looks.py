"""The images of a data set as they are compared with those of another."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, UInt8

from xaimri.arrays import Array
from xaimri.data.case import Case
from xaimri.data.planes import planes, shrunk
from xaimri.data.polar import Polar
from xaimri.data.registration import FINE, detail

SIDE = 96
"""Edge of the thumbnails that are compared, in pixels."""

WINDOW = 0.8
"""Edge of the parts of an image in which a cropped one is looked for, as a share of the image's edge."""

FEWEST = 40
"""An image of fewer pixels along an edge has no structure as fine as that by which images are told apart."""

PLAIN = 0.02
"""An image whose fine structure has less than this share of its spread shows too little to be told apart."""


@dataclass(frozen=True, eq=False)
class Looks:
    """The images of a data set as they are compared.

    Attributes
    ----------
    thumbnails
        Stretched to a square, from the darkest to the brightest value in 256 steps.
    polar
        Waves around the middle of each.
    told
        False where an image can't be read, or shows too little to be told apart from others.
    read
        False where it can't be read.
    mean, border
        Mean brightness of the whole image and of its rim, as stored; NaN where it can't be read.
    """

    thumbnails: UInt8[Array, "images size size"]
    polar: Polar
    told: Bool[Array, " images"]
    read: Bool[Array, " images"]
    mean: Float[Array, " images"]
    border: Float[Array, " images"]

    @classmethod
    def of(cls, cases: Iterable[Case]) -> Looks:
        """Read every case once; 9 kB and 4 kB of memory are held for each."""
        small, bright, large = [], [], []
        for plane in planes(cases):
            image = shrunk(plane, SIDE)
            large.append(min(plane.shape) >= FEWEST)
            rim = np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]])
            bright.append((float(image.mean()), float(rim.mean())))
            small.append(_in_steps(image))
        held = np.stack(small) if small else np.zeros((0, SIDE, SIDE), np.uint8)
        mean, border = np.array(bright).reshape(-1, 2).T
        told = np.array([_shows_structure(image) for image in held], bool) & np.array(large, bool)
        polar = Polar.of(image.astype(np.float32) for image in held)
        return cls(held, polar, told, np.isfinite(mean), mean, border)

    def __len__(self) -> int:
        return len(self.thumbnails)

    def windows(self) -> Iterator[Polar]:
        """Yield the waves around the middles of parts of the images: the four corners and the centre."""
        wide = round(WINDOW * SIDE)
        rest = SIDE - wide
        for x, y in ((0, 0), (rest, 0), (0, rest), (rest, rest), (rest // 2, rest // 2)):
            parts = (image[y : y + wide, x : x + wide].astype(np.float32) for image in self.thumbnails)
            yield Polar.of(parts).shifted(x, y)

    def image(self, place: int) -> Float[Array, "size size"]:
        """Return one thumbnail, float32."""
        plain: Array = self.thumbnails[place].astype(np.float32)
        return plain


def _in_steps(image: Float[Array, "size size"]) -> UInt8[Array, "size size"]:
    """Return an image from its darkest to its brightest value in 256 steps; zeros where it can't be read."""
    if not np.isfinite(image).all():
        return np.zeros(image.shape, np.uint8)
    low, high = float(image.min()), float(image.max())
    return np.round((image - low) * (255 / (high - low) if high > low else 0)).astype(np.uint8)


def _shows_structure(image: UInt8[Array, "size size"]) -> bool:
    plain = image.astype(np.float32)
    return bool(plain.std() > 0 and detail(plain, FINE).std() >= PLAIN * plain.std())
