"""Spectra around an image's middle, which stay as they are when it is turned, mirrored, shifted or scaled."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Complex64, Float, Int

from xaimri.arrays import Array

RINGS, ANGLES, WAVES = 20, 64, 24
"""Samples from the middle outwards, samples on every ring, and waves around it that are kept."""

RADII = np.linspace(0.15, 2.0, RINGS)
"""Radii of the rings, in standard deviations of the brightness about its centre."""

BLUR = 0.0125
"""Standard deviation of the blur before sampling, as a share of the image's edge."""

BLOCK = 512
"""Images whose likeness to all others is held at once."""

LOT = 32
"""Images of which only the most similar one is looked at first."""

_THETA = np.arange(ANGLES) * 2 * np.pi / ANGLES
_RINGS = np.stack([np.outer(RADII, np.cos(_THETA)), np.outer(RADII, np.sin(_THETA))])
_COS, _SIN = np.cos(_THETA), np.sin(_THETA)
TURNS = np.concatenate(
    [np.array([[_COS, _SIN], [-_SIN, _COS]]), np.array([[_COS, -_SIN], [-_SIN, -_COS]])], axis=2
).transpose(2, 0, 1)
"""Every turn by a step around a ring, and then each of a mirror image: matrices of x and y."""


@dataclass(frozen=True, eq=False)
class Polar:
    """Images as waves around their middle.

    Attributes
    ----------
    waves
        Fourier coefficients of every ring of every image. A turn shifts their phases, and a mirror image
        has the conjugate ones.
    centre
        Middle of the brightness that differs from the border's, x and y in pixels of the thumbnail.
    frame
        Symmetric root of the brightness's second moments: takes the unit circle to the image's ellipse.
    """

    waves: Complex64[Array, "images rings waves"]
    centre: Float[Array, "images 2"]
    frame: Float[Array, "images 2 2"]

    @classmethod
    def of(cls, images: Iterable[Float[Array, "height width"]]) -> Polar:
        """Return the waves of images."""
        found = [_waves(image) for image in images]
        waves = np.zeros((0, RINGS, WAVES), np.complex64)
        if not found:
            return cls(waves, np.zeros((0, 2)), np.zeros((0, 2, 2)))
        each, centre, frame = zip(*found, strict=True)
        return cls(np.stack(each), np.stack(centre), np.stack(frame))

    def shifted(self, x: int, y: int) -> Polar:
        """Return the same of images whose corner lies at x and y of larger ones."""
        return Polar(self.waves, self.centre + np.array([x, y]), self.frame)

    def spectra(self) -> Float[Array, "images coefficients"]:
        """Return what no turn and no mirror changes: magnitudes, without their mean and of length 1."""
        flat = np.abs(self.waves).reshape(len(self.waves), -1)
        flat -= flat.mean(axis=1, keepdims=True)
        flat /= np.linalg.norm(flat, axis=1, keepdims=True) + 1e-12
        return flat

    def placed(self, one: int, others: Polar, many: Int[Array, " some"]) -> tuple[Array, Array]:
        """Return how well an image fits each of some others, turned at its best, and by which affine maps.

        Returns
        -------
        tuple
            The correlations ``(some,)``, and the maps ``(some, 2, 3)`` from pixels (x, y) of the one to
            pixels of the others.
        """
        own = self.waves[one]
        both = np.stack([own, own.conj()])[:, None] * others.waves[many].conj()
        around = np.fft.irfft(both.sum(axis=2), ANGLES, axis=2)
        flat = around.transpose(1, 0, 2).reshape(len(many), -1)
        best = flat.argmax(axis=1)
        matrix = others.frame[many] @ TURNS[best] @ np.linalg.inv(self.frame[one])
        shift = others.centre[many] - matrix @ self.centre[one]
        maps = np.concatenate([matrix, shift[:, :, None]], axis=2).astype(np.float32)
        return np.take_along_axis(flat, best[:, None], axis=1)[:, 0], maps


def nearest(
    test: Float[Array, "test coefficients"], train: Float[Array, "train coefficients"], most: int
) -> Int[Array, "test most"]:
    """Return which spectra of training are most like each of the test's, the best first.

    Nothing is left out. Time grows as the product of both numbers, memory as their sum.
    """
    most = min(most, len(train))
    found = np.zeros((len(test), most), np.int64)
    for start in range(0, len(test), BLOCK):
        like = test[start : start + BLOCK] @ train.T
        found[start : start + BLOCK] = _largest(like, most)
    return found


def _largest(values: Float[Array, "rows columns"], most: int) -> Int[Array, "rows most"]:
    """Return where each row has its largest values, the largest first.

    These lie in as many of the lots of 32 columns with the largest maxima: the others need not be sorted.
    """
    columns = values.shape[1]
    lots = columns // LOT
    if lots <= most:
        some = np.broadcast_to(np.arange(columns), values.shape)
    else:
        held = values[:, : lots * LOT].reshape(len(values), LOT, lots)
        best = np.argpartition(held.max(axis=1), lots - most, axis=1)[:, lots - most :]
        inside = (best[:, None, :] + lots * np.arange(LOT)[:, None]).reshape(len(values), -1)
        rest = np.broadcast_to(np.arange(lots * LOT, columns), (len(values), columns - lots * LOT))
        some = np.concatenate([inside, rest], axis=1)
    chosen = np.take_along_axis(values, some, axis=1)
    order = np.argsort(-chosen, axis=1, kind="stable")[:, :most]
    largest: Array = np.take_along_axis(some, order, axis=1)
    return largest


def _waves(image: Float[Array, "height width"]) -> tuple[Array, Array, Array]:
    """Return the waves of one image, its middle and its frame."""
    import cv2

    centre, frame = _moments(image)
    x, y = np.tensordot(frame, _RINGS, 1) + centre[:, None, None]
    soft = cv2.GaussianBlur(image, (0, 0), BLUR * len(image))
    rings = cv2.remap(
        soft, x.astype(np.float32), y.astype(np.float32), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    rings = (rings - rings.mean(axis=1, keepdims=True)) * np.sqrt(RADII)[:, None]
    rings /= np.linalg.norm(rings) + 1e-9
    return np.fft.rfft(rings, axis=1)[:, :WAVES].astype(np.complex64), centre, frame


def _moments(image: Float[Array, "height width"]) -> tuple[Array, Array]:
    """Return the middle of the brightness that differs from the border's, and the root of its moments."""
    border = np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]])
    mass = np.abs(image - np.median(border)).astype(np.float64)
    mass /= mass.sum() + 1e-12
    y, x = (np.arange(n, dtype=float) for n in image.shape)
    centre = np.array([mass.sum(axis=0) @ x, mass.sum(axis=1) @ y])
    dx, dy = x - centre[0], y - centre[1]
    slant = dy @ mass @ dx
    spread = np.array([[mass.sum(axis=0) @ dx**2, slant], [slant, mass.sum(axis=1) @ dy**2]])
    spread += 1e-3 * np.eye(2)
    root = np.sqrt(spread[0, 0] * spread[1, 1] - spread[0, 1] ** 2)
    return centre, (spread + root * np.eye(2)) / np.sqrt(np.trace(spread) + 2 * root)
