"""How regions stand out against what lies around them, and how much of that hiding takes away."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias

import numpy as np
from jaxtyping import Bool, Float

from xaimri.arrays import Array, Image, Labels, Mask
from xaimri.images.foreground import foreground

Window: TypeAlias = tuple[slice, ...]

HIDES = 0.2
"""Part of a region's contrast by which hiding has to change its pixels: less hides next to nothing."""


@dataclass(frozen=True, eq=False)
class Contrast:
    """How far the regions of an image lie from the levels that they could be hidden by.

    A region's level is the median, channel by channel, of the object's pixels in the regions that touch it,
    or that of all the object's pixels in regions: whichever is farther from the region's own mean. The
    object is the image's foreground. Distances are root mean squares over pixels and channels.

    Attributes
    ----------
    mean, level
        ``(regions, channels)``.
    spread
        ``(regions,)``: of a region's pixels around their mean.
    distance
        ``(regions,)``: of the mean from the level.
    size
        ``(regions,)``: pixels.
    of_object
        ``(regions,)``: whether at least half of a region's pixels belong to the object.
    scale
        Spread of the object's pixels around their mean.
    """

    mean: Float[Array, "regions channels"]
    level: Float[Array, "regions channels"]
    spread: Float[Array, " regions"]
    distance: Float[Array, " regions"]
    size: Float[Array, " regions"]
    of_object: Bool[Array, " regions"]
    scale: float

    def kept(self, change: Float[Array, " regions"]) -> Bool[Array, " regions"]:
        """Of which regions of the object so small a change takes next to nothing away."""
        found: Array = self.of_object & (change < HIDES * self.distance)
        return found

    @property
    def blank(self) -> Bool[Array, " regions"]:
        """Of which regions of the object the mean takes next to nothing away."""
        return self.kept(self.spread)

    @property
    def mean_or_level(self) -> Float[Array, "regions channels"]:
        """Each region's mean, or its level where the mean takes next to nothing away."""
        found: Array = np.where(self.blank[:, None], self.level, self.mean)
        return found

    def barely(self, change: Float[Array, " regions"]) -> Bool[Array, " regions"]:
        """Of which of these the level is at least the object's spread away, so that they stand out."""
        found: Array = self.kept(change) & (self.distance >= self.scale)
        return found


def contrast_of(image: Image, labels: Labels, within: Mask | None = None) -> Contrast:
    """Measure how the regions of an image stand out.

    Parameters
    ----------
    image
        ``(*space, channels)``.
    labels
        ``(*space)``: the region of every pixel, numbered without gaps; -1 lies in none.
    within
        ``(*space)``: the object; None finds the foreground.

    Examples
    --------
    >>> image = np.array([[1.0, 5, 3, 9, 9, 1, 5]])[..., None]
    >>> found = contrast_of(image, np.array([[0, 0, 0, 1, 1, 2, 2]]))
    >>> found.level.ravel().tolist(), found.blank.tolist()
    ([9.0, 3.0, 9.0], [False, True, False])
    """
    inside = labels >= 0
    own = (foreground(image) if within is None else within) & inside
    own = own if own.any() else inside
    order = np.argsort(labels[inside], kind="stable")
    regions, pixels, counts = (
        labels[inside][order],
        image[inside][order].astype(np.float64),
        own[inside][order],
    )
    number = int(labels.max()) + 1
    ends = np.searchsorted(regions, np.arange(number + 1))
    size = np.maximum(np.diff(ends), 1).astype(np.float64)
    mean = np.stack([np.bincount(regions, column, number) for column in pixels.T], axis=1) / size[:, None]
    spread = np.sqrt(np.bincount(regions, ((pixels - mean[regions]) ** 2).mean(axis=1), number) / size)
    parts = [pixels[a:b][counts[a:b]] for a, b in pairwise(ends)]
    whole = np.median(pixels[counts], axis=0)
    near = [np.median(found, axis=0) if len(found) else whole for found in _around(labels, parts)]
    level = farther(mean, np.stack(near), whole)
    return Contrast(
        mean,
        level,
        spread,
        apart(mean, level),
        size,
        np.bincount(regions, counts, number) >= size / 2,
        float(np.sqrt(pixels[counts].var(axis=0).mean())),
    )


def contrast_of_windows(image: Image, windows: Sequence[Window]) -> Contrast:
    """Measure how windows of an image stand out; what touches one lies within half its side.

    Examples
    --------
    >>> image = np.array([[1.0, 5, 3, 9, 9, 1, 5]])[..., None]
    >>> contrast_of_windows(image, [(slice(0, 1), slice(3, 5))]).level.ravel().tolist()
    [2.0]
    """
    own = foreground(image)
    pixels = image.astype(np.float64)
    whole = np.median(pixels[own], axis=0)
    parts = [pixels[window].reshape(-1, image.shape[-1]) for window in windows]
    near = [_beside(pixels, own, window) for window in windows]
    mean = np.stack([part.mean(axis=0) for part in parts])
    level = farther(mean, np.stack([np.median(p, axis=0) if len(p) else whole for p in near]), whole)
    return Contrast(
        mean,
        level,
        np.array([np.sqrt(part.var(axis=0).mean()) for part in parts]),
        apart(mean, level),
        np.array([float(len(part)) for part in parts]),
        np.array([own[window].mean() >= 0.5 for window in windows]),
        float(np.sqrt(pixels[own].var(axis=0).mean())),
    )


def _beside(pixels: Array, own: Mask, window: Window) -> Array:
    """Return the object's pixels beside a window, within half its side and at least one pixel."""
    reach = [max((s.stop - s.start) // 2, 1) for s in window]
    wide = tuple(slice(max(s.start - r, 0), s.stop + r) for s, r in zip(window, reach, strict=True))
    near = own[wide].copy()
    near[tuple(slice(s.start - w.start, s.stop - w.start) for s, w in zip(window, wide, strict=True))] = False
    found: Array = pixels[wide][near]
    return found


def farther(mean: Array, near: Array, whole: Array) -> Array:
    """Return whichever of two levels is farther from a mean, the one nearby where they are as far."""
    found: Array = np.where((apart(mean, near) >= apart(mean, whole))[..., None], near, whole)
    return found


def apart(one: Array, other: Array) -> Array:
    """Return the root mean square over the channels of a difference."""
    found: Array = np.sqrt(((one - other) ** 2).mean(axis=-1))
    return found


def change_of(image: Image, gone: Image, labels: Labels) -> Float[Array, " regions"]:
    """Return by how much hiding changes a region's pixels: a root mean square over pixels and channels."""
    inside = labels >= 0
    square = (gone[inside].astype(np.float64) - image[inside]) ** 2
    number = int(labels.max()) + 1
    size = np.maximum(np.bincount(labels[inside], minlength=number), 1)
    return np.sqrt(np.bincount(labels[inside], square.mean(axis=-1), number) / size)


def _around(labels: Labels, parts: list[Array]) -> Iterator[Array]:
    """Yield, for every region, the pixels of those that touch it."""
    pairs = [np.zeros((0, 2), dtype=labels.dtype)]
    for axis in range(labels.ndim):
        along = np.moveaxis(labels, axis, 0)
        both = np.stack([along[:-1].ravel(), along[1:].ravel()], axis=1)
        both = both[(both.min(axis=1) >= 0) & (both[:, 0] != both[:, 1])]
        pairs += [both, both[:, ::-1]]
    touching = np.unique(np.concatenate(pairs), axis=0)
    ends = np.searchsorted(touching[:, 0], np.arange(len(parts) + 1))
    for first, last in pairwise(ends):
        yield np.concatenate([parts[n] for n in touching[first:last, 1]] or [parts[0][:0]])
