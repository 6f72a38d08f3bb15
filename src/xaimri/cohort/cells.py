"""A map by the cells that it was carried from: far fewer numbers, and the same map again."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import lru_cache, reduce
from typing import Any

import numpy as np

from xaimri.arrays import Array, Map
from xaimri.errors import InvalidInput
from xaimri.explanation import Explanation
from xaimri.grid import Grid

EXACT = 1e-6
"""Of the largest value: how far a map that is made of its cells may lie from itself."""

CERTAIN = 1e-4
"""Share of the most by which cells must reach the pixels, to be told from rounding."""


def cells_of(explanation: Explanation, image: Grid) -> tuple[Array, str] | None:
    """Return the cells of a map that a layer's cells were carried to, and their grids as JSON.

    Parameters
    ----------
    explanation
        On the grid of the image as it was given.
    image
        Where the network's input lies on that image.

    Returns
    -------
    tuple or None
        None where the map isn't one of cells, or they don't give it back to `EXACT`.
    """
    values, layer = explanation.values, layer_of(explanation)
    if layer is None or layer.space != image.cells or image.space != values.shape:
        return None
    if explanation.errors is not None or explanation.regions is not None or not np.isfinite(values).all():
        return None
    cells = recovered(values, (image, layer)).astype(np.float32)
    if np.abs(carried(cells, (image, layer)) - values).max() > EXACT * np.abs(values).max():
        return None
    return cells, json.dumps({"layer": layer.record(), "image": image.record()})


def map_of_cells(cells: Array, grids: str) -> Map:
    """Return the whole map of cells in a flat list, by the JSON of their grids."""
    told = json.loads(grids)
    layer, image = grid_of(told["layer"]), grid_of(told["image"])
    return carried(np.asarray(cells, np.float32).reshape(layer.cells), (image, layer))


def carried(cells: Array, grids: Sequence[Grid]) -> Array:
    """Carry cells through grids, the last of which is theirs."""
    for grid in reversed(grids):
        cells = grid.resample(cells)
    return cells


def recovered(values: Array, grids: Sequence[Grid]) -> Array:
    """Return the cells that come nearest to a map when they are carried to it: least squares along each axis.

    Examples
    --------
    >>> grid = Grid.resized((30, 40), (5, 8))
    >>> cells = np.random.default_rng(0).random((5, 8))
    >>> bool(np.allclose(recovered(grid.resample(cells), [grid]), cells))
    True
    """
    found = np.asarray(values, np.float64)
    for axis in range(found.ndim):
        back = _back(tuple(grids), axis)
        found = np.moveaxis(np.tensordot(back, found, axes=(1, axis)), 0, axis)
    return found


@lru_cache(maxsize=32)
def _back(grids: tuple[Grid, ...], axis: int) -> Array:
    """Return the matrix from the pixels to the cells of one axis, ``(cells, pixels)``."""
    found: Array = np.linalg.pinv(reduce(np.matmul, (_along(grid, axis) for grid in grids)), rcond=CERTAIN)
    return found


def grid_of(record: Any) -> Grid:
    """Return the grid that :meth:`Grid.record` wrote."""
    told: dict[str, Any] = {
        name: tuple(each) if isinstance(each, list | tuple) else each for name, each in record.items()
    }
    return Grid(**told)


def _along(grid: Grid, axis: int) -> Array:
    """Return what one axis does, ``(pixels, cells)``: axes are carried one by one."""
    own = (grid.space, grid.cells, grid.start, grid.step)
    one = Grid(*((each[axis],) for each in own))  # type: ignore[arg-type]
    matrix: Array = one.resample(np.eye(grid.cells[axis])).T
    return matrix


def layer_of(explanation: Explanation) -> Grid | None:
    """Return where a layer's cells lie on the network's input; None of a method without cells."""
    told = explanation.diagnostics.get("grid")
    try:
        return None if told is None else grid_of(told)
    except (AttributeError, TypeError, InvalidInput):
        return None  # of a method of the user's own, to whom the word means something else
