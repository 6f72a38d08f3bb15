"""Fill in removed pixels from around: each becomes the weighted mean of its neighbours, all at once."""

from __future__ import annotations

from itertools import product
from typing import TypeAlias

import numpy as np
from jaxtyping import Bool, Float

from xaimri.arguments import check_arguments
from xaimri.arrays import Array, Image, Images, Mask
from xaimri.errors import InvalidInput
from xaimri.rules import SEED

Planes: TypeAlias = Float[Array, "planes *space"]
"""One channel of one image each."""

Each: TypeAlias = Float[Array, " planes"]
"""A number for every plane."""

Removals: TypeAlias = Bool[Array, "batch *space"]
"""True where the pixels of an image, or of a plane, are removed."""

CHUNK = 2**17
"""Values that are solved for together: enough to keep NumPy busy, few enough for the processor's cache."""

ROUNDINGS = 4
"""By so many roundings of the largest level may a pixel be off the mean of its neighbours."""


@check_arguments()
def impute(image: Image, removed: Mask, noise: float = 0.0, seed: int = 0) -> Image:
    """Give removed pixels the weighted mean of their neighbours, all at once, and a little noise.

    Parameters
    ----------
    image
        ``(*space, channels)``.
    removed
        ``(*space)``, True where pixels are removed; where all are, the mean of the image is given.
    noise
        Standard deviation as a share of the image's.
    seed
        Of the noise.

    Examples
    --------
    >>> row = np.array([[[0.0], [5.0], [5.0], [3.0]]])
    >>> impute(row, np.array([[False, True, True, False]])).ravel().round(6).tolist()
    [0.0, 1.0, 2.0, 3.0]
    """
    if removed.shape != image.shape[:-1] or removed.dtype != bool:
        raise InvalidInput(
            f"`removed` must be a boolean mask of shape {image.shape[:-1]}, got {removed.dtype} of shape "
            f"{removed.shape}."
        )
    if not np.issubdtype(image.dtype, np.floating) or not np.isfinite(image[~removed]).all():
        raise InvalidInput("`image` must hold finite floating-point numbers where it is not removed.")
    added = grain(image.shape, noise, seed) if noise else None
    found: Image = fill_in(image[None], removed[None], added)[0]
    return found


def grain(shape: tuple[int, ...], noise: float, seed: int) -> Image:
    """Return noise for an image ``(*space, channels)`` whose own standard deviation is 1."""
    if not 0 <= noise < np.inf:
        raise InvalidInput(f"`noise` must be at least 0, got {noise}.")
    drawn: Image = noise * np.random.default_rng(SEED.convert(seed, "seed")).standard_normal(shape)
    return drawn


def fill_in(images: Images, removed: Removals, noise: Image | None = None) -> Images:
    """Return images ``(batch, *space, channels)`` with their removed pixels filled in.

    To each of these is added ``noise`` (:func:`grain`), in units of its image's standard deviation.

    Solved until the equations hold to a few roundings of the images' own type; with ``float32`` a pixel of
    an image up to 224 pixels wide is then within about 1e-5 of the largest level. The other images of a batch
    change nothing.
    """
    grey = bool((images == images[..., :1]).all())
    apart = np.moveaxis(images[..., :1] if grey else images, -1, 1)  # (batch, channels, *space)
    planes = apart.reshape(-1, *removed.shape[1:]).astype(np.promote_types(images.dtype, np.float32))
    gone = np.repeat(removed, apart.shape[1], axis=0)
    parts = min(len(planes), -(-planes.size // CHUNK))
    each = zip(np.array_split(planes, parts), np.array_split(gone, parts), strict=True)
    solved = np.concatenate([_solve(*part) for part in each]).reshape(apart.shape)
    filling = np.moveaxis(solved, 1, -1).astype(images.dtype)
    found: Images = np.where(removed[..., None], filling, images)
    if noise is not None:
        for out, gone, image in zip(found, removed, images, strict=True):
            out[gone] += (float(image.std(dtype=np.float64)) * noise).astype(images.dtype)[gone]
    return found


def _solve(planes: Planes, removed: Removals) -> Planes:
    """Solve for the removed pixels of every plane, by conjugate gradients; the known ones have no meaning.

    A neighbour along an axis weighs 2, a diagonal one 1 (in volumes 4, 2, 1): the product of 1, 2, 1 along
    every axis, but for the pixel itself.
    """
    space = tuple(range(1, planes.ndim))
    gone = removed.astype(planes.dtype)
    shown = ~removed | removed.all(axis=space, keepdims=True)
    centre = planes.mean(axis=space, where=shown, keepdims=True, dtype=np.float64).astype(planes.dtype)
    known = np.where(removed, 0, planes - centre)
    scale = np.abs(known).max(axis=space, keepdims=True)
    scale[scale == 0] = 1

    total = _near(np.ones((1, *planes.shape[1:]), dtype=planes.dtype))  # weights, own ones among them
    rest = gone * _near(known / scale)
    found, step, length = np.zeros_like(rest), np.zeros_like(rest), np.zeros(len(rest), dtype=rest.dtype)
    blocks = _Blocks(gone, total)
    tolerance = ROUNDINGS * np.finfo(rest.dtype).eps * total.max()
    while (going := np.abs(rest).max(axis=space) > tolerance).any():
        ahead = blocks.solve(rest)
        longer = _dot(rest, ahead)
        step *= _per_plane(_ratio(longer, length, going), step)
        step += ahead
        length = longer
        change = gone * (total * step - _near(step))
        share = _per_plane(_ratio(longer, _dot(step, change), going), step)
        found += share * step
        rest -= share * change
    solved: Planes = found * scale + centre
    return solved


class _Blocks:
    """A rough inverse of the equations: pixels, and blocks of 2, 4, 8, ... a side, each solved by itself.

    With it the number of steps hardly grows where what is removed is large and in one piece.

    References
    ----------
    Bramble, Pasciak & Xu (1990), doi:10.1090/S0025-5718-1990-1023042-6.
    """

    def __init__(self, gone: Planes, total: Array) -> None:
        axes = gone.ndim - 1
        own = 2**axes
        self._gone, self._inverse = gone, [gone / (total - own)]
        held, count, side = (
            gone * (total - _near(gone)),
            gone,
            1,
        )  # held: by weights to what is known
        while max(count.shape[1:]) > 2:
            held, count, side = _halve(held), _halve(count), 2 * side
            share = count / side**axes  # of the block that is gone
            across = axes * (4 * side) ** (axes - 1) * share**2  # weights between blocks, about half of them
            self._inverse.append(_ratio(np.ones_like(count), held + across, count > 0))

    def solve(self, rest: Planes) -> Planes:
        """Return about what would leave no rest."""
        rests = [rest]
        for _ in self._inverse[1:]:
            rests.append(_halve(rests[-1]))
        found: Planes = rests.pop() * self._inverse[-1]
        for rest, inverse in zip(reversed(rests), self._inverse[-2::-1], strict=True):
            found, coarse = rest * inverse, found
            _add_blocks(found, coarse)
        found *= self._gone
        return found


def _near(planes: Array) -> Array:
    """Return the sum of each pixel and its neighbours with the weights 1, 2, 1 along every axis."""
    for axis in range(1, planes.ndim):
        summed = planes + planes
        before, after = _along(axis, slice(None, -1)), _along(axis, slice(1, None))
        summed[after] += planes[before]
        summed[before] += planes[after]
        planes = summed
    return planes


def _halve(planes: Array) -> Array:
    """Return the sums over blocks of two pixels a side."""
    for axis in range(1, planes.ndim):
        even, odd = planes[_along(axis, slice(None, None, 2))], planes[_along(axis, slice(1, None, 2))]
        planes = even.copy()
        planes[_along(axis, slice(odd.shape[axis]))] += odd
    return planes


def _add_blocks(planes: Array, blocks: Array) -> None:
    """Add to every pixel the value of its block of two pixels a side."""
    rows = np.empty((*blocks.shape[:-1], planes.shape[-1]), dtype=planes.dtype)
    rows[..., ::2], rows[..., 1::2] = blocks, blocks[..., : planes.shape[-1] // 2]
    for corner in product((0, 1), repeat=planes.ndim - 2):
        part = planes[(slice(None), *(slice(first, None, 2) for first in corner))]
        part += rows[tuple(slice(length) for length in part.shape)]


def _along(axis: int, part: slice) -> tuple[slice, ...]:
    return (*(slice(None),) * axis, part)


def _dot(one: Planes, other: Planes) -> Each:
    products: Each = (one.reshape(len(one), 1, -1) @ other.reshape(len(one), -1, 1)).ravel()
    return products  # of each plane by itself: company changes no rounding


def _per_plane(each: Each, planes: Planes) -> Array:
    return each.reshape(-1, *(1,) * (planes.ndim - 1))


def _ratio(upper: Array, lower: Array, there: Array) -> Array:
    """Divide where there is something to divide by; 0 elsewhere."""
    found: Array = np.divide(upper, lower, out=np.zeros_like(upper), where=there & (lower > 0))
    return found
