"""Where the cells of a map see the image, measured by changing it, against where their grid puts them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float

from xaimri.arrays import Array, Images
from xaimri.classifier import Convolutional, FeatureMaps
from xaimri.grid import Grid
from xaimri.objective import Objective
from xaimri.testing.claims import claim
from xaimri.testing.runs import ClassifierOnImages, classifier_promise

BANDS = 16
"""Bands of pixels that are changed along an axis, at most."""

CHANGE = 0.01
"""Size of a change, in units of the images' standard deviation."""

OFF, PIXELS = 0.35, 1.5
"""How far off the centre may be, in steps and in pixels: kernels are not symmetric."""


def cell_offsets(model: Convolutional, images: Images, layer: str | None = None) -> Float[Array, " axes"]:
    """Return how far the middle cells of a map see beside where its grid puts them, per axis, in pixels.

    Bands of pixels are changed by a little noise, one after the other. The squared change of a cell, as a
    function of the band, has its centre where the cell sees: with random signs it is on average the sum of
    the squared derivatives by the band's pixels.

    A receptive field may reach over the border, and its centre is then drawn inwards. So only a window that
    lies symmetrically around the grid's own centre counts, and only cells in the middle half of each axis.
    Where the field is wider than the image the offset is understated.

    Parameters
    ----------
    model
        Any convolutional classifier. It is asked for its maps once per band, 16 times per axis at most.
    images
        ``(batch, *space, channels)``: the offsets are a mean over them.
    layer
        As of ``feature_maps``.

    Returns
    -------
    array
        The median over the cells, ``(axes,)``, at least 0; NaN along an axis of one cell, or where
        nothing changes a cell.

    Examples
    --------
    >>> from xaimri import LinearClassifier
    >>> model = LinearClassifier.random((12, 16, 1), classes=3, seed=0, patch=4)
    >>> images = np.random.default_rng(0).random((2, 12, 16, 1), dtype=np.float32)
    >>> bool(cell_offsets(model, images).max() < 1e-3)
    True
    """
    plain = _maps(model, images, layer)
    return np.array([_offset(model, images, layer, plain, axis) for axis in range(images.ndim - 2)])


def _offset(model: Convolutional, images: Images, layer: str | None, plain: FeatureMaps, axis: int) -> float:
    """Return the median distance of the middle cells along one axis."""
    grid, pixels = plain.grid, images.shape[1 + axis]
    if grid.cells[axis] < 2:
        return float("nan")
    density = np.zeros((pixels, grid.cells[axis]))
    for band, changed in _changed(images, axis):
        change = _maps(model, changed, layer).values.astype(np.float64) - plain.values
        others = tuple(i for i in range(change.ndim) if i != 1 + axis)
        density[band] = (_middle(change, axis) ** 2).sum(axis=others) / len(range(pixels)[band])
    found = [
        abs(_centre(density[:, i], *_window(grid, axis, i)) - grid.start[axis] - grid.step[axis] * i)
        for i in _half(grid.cells[axis])
    ]
    return float(np.nanmedian(found)) if np.isfinite(found).any() else float("nan")


def _maps(model: Convolutional, images: Images, layer: str | None) -> FeatureMaps:
    return model.feature_maps(images.copy(), Objective((0,) * len(images)), layer=layer)


def _changed(images: Images, axis: int) -> Iterator[tuple[slice, Images]]:
    """Yield bands of pixels along an axis, and the images with the band changed."""
    generator, pixels = np.random.default_rng(0), images.shape[1 + axis]
    signs = generator.choice(np.array([-1, 1], np.float32), images.shape) * np.float32(CHANGE * images.std())
    width = -(-pixels // BANDS)
    for first in range(0, pixels, width):
        band = slice(first, min(first + width, pixels))
        where = (slice(None),) * (1 + axis) + (band,)
        changed = images.copy()
        changed[where] += signs[where]
        yield band, changed


def _half(count: int) -> range:
    """Return the indices of the middle half."""
    return range(count // 4, count - count // 4)


def _middle(change: Array, axis: int) -> Array:
    """Return the changes of cells in the middle half of every axis but one."""
    spans = [slice(None) if i == axis else slice(*_ends(n)) for i, n in enumerate(change.shape[1:-1])]
    return change[(slice(None), *spans)]


def _ends(count: int) -> tuple[int, int]:
    half = _half(count)
    return half.start, half.stop


def _window(grid: Grid, axis: int, cell: int) -> tuple[float, float]:
    """Return the largest span of pixels around a cell's centre that lies in the image."""
    centre = grid.start[axis] + grid.step[axis] * cell
    reach = min(centre + 0.5, grid.space[axis] - 0.5 - centre)
    return centre - reach, centre + reach


def _centre(density: Float[Array, " pixels"], low: float, high: float) -> float:
    """Return the centre of a density over the pixels within a span; NaN where there is none."""
    edges = np.arange(len(density) + 1) - 0.5
    left, right = np.clip(edges[:-1], low, high), np.clip(edges[1:], low, high)
    weights = density * np.maximum(right - left, 0)
    return float((weights * (left + right) / 2).sum() / weights.sum()) if weights.sum() > 0 else float("nan")


@classifier_promise(Convolutional)
def cells_see_where_they_lie(given: ClassifierOnImages) -> None:
    """The middle cells of the maps see the image around where the grid puts them, unless it is assumed."""
    grid = _maps(given.model, given.images, None).grid
    off = cell_offsets(given.model, given.images)
    doubt = np.array(grid.doubt or (0.0,) * len(off))
    allowed = np.maximum(OFF * np.array(grid.step), PIXELS) + doubt
    claim(
        grid.assumed or not (off > allowed).any(),
        f"cells see the image {off.round(1).tolist()} pixels beside where the grid puts them, more than "
        f"{allowed.round(1).tolist()}.",
    )
