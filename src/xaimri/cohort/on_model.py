"""A kept map back on the network's grid, where metrics ask the network about it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from xaimri.arrays import Array
from xaimri.cohort.cells import cells_of, layer_of, recovered
from xaimri.explanation import Explanation, Regions
from xaimri.grid import Grid
from xaimri.images.taken import Taken


def on_model(explanation: Explanation, taken: Taken) -> Explanation:
    """Return an explanation on the network's own grid, as it was before it was carried to the image.

    The map is the one that, carried to the image, comes nearest to the kept one: of a class activation map
    by its cells, else pixel by pixel. It is the network's own where the image has at least as many pixels;
    of a smaller image what its pixels leave open is not known any more. A region keeps its value, and each
    pixel of the network takes the image's nearest region.
    """
    grid, regions = taken.grid, explanation.regions
    if grid == Grid.fitted(grid.space, grid.space):
        return replace(explanation, image=taken.fitted)
    if regions is not None:
        laid = Regions(_nearest(regions.labels, grid), regions.values, regions.errors)
        errors = None if regions.errors is None else laid.paint(regions.errors)
        return replace(
            explanation, values=laid.paint(regions.values), errors=errors, regions=laid, image=taken.fitted
        )
    errors = None if explanation.errors is None else _back(explanation.errors, grid)
    return replace(explanation, values=_values(explanation, grid), errors=errors, image=taken.fitted)


def _values(explanation: Explanation, grid: Grid) -> Array:
    """Return the map on the network's grid, by the cells of a layer where it is one of cells."""
    layer = layer_of(explanation)
    if layer is not None and cells_of(explanation, grid) is not None:
        return layer.resample(recovered(explanation.values, (grid, layer)).astype(np.float32))
    return _back(explanation.values, grid)


def _back(values: Array, grid: Grid) -> Array:
    return recovered(np.nan_to_num(values), (grid,)).astype(np.float32)


def _nearest(labels: Array, grid: Grid) -> Array:
    """Return the label of the pixel that lies nearest to each cell; -1 of a cell off the image."""
    index, on = [], np.ones(grid.cells, bool)
    for axis, (start, step, size, cells) in enumerate(
        zip(grid.start, grid.step, grid.space, grid.cells, strict=True)
    ):
        places = np.floor(start + step * np.arange(cells) + 0.5).astype(int)
        index.append(np.clip(places, 0, size - 1))
        on &= np.expand_dims((places >= 0) & (places < size), tuple(n for n in range(on.ndim) if n != axis))
    return np.where(on, labels[np.ix_(*index)], -1)
