"""Which voxel of a label image lies nearest to each voxel of another grid, by their affines alone."""

from __future__ import annotations

from itertools import product
from typing import TypeAlias

import numpy as np
from jaxtyping import Float, Int

from xaimri.arrays import Array

NEAR = 0.1
"""Of a voxel: corners of two grids that lie nearer than this are one."""

DIGITS = 6
"""Decimals of a voxel that are kept, so that rounding doesn't decide between two that are equally near."""

Space: TypeAlias = tuple[int, int, int]
"""Sides of a grid of three axes."""


def is_same_grid(matrix: Float[Array, "4 4"], space: Space, other: Space) -> bool:
    """Tell whether voxels of one grid are those of another one, but for the order and direction of its axes.

    Examples
    --------
    >>> flip = np.array([[-1.0, 0, 0, 3], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
    >>> is_same_grid(flip, (4, 5, 6), (4, 5, 6)), is_same_grid(np.eye(4), (4, 5, 6), (4, 5, 7))
    (True, False)
    """
    turn = np.round(matrix[:3, :3])
    if (np.abs(turn).sum(axis=0) != 1).any() or (np.abs(turn).sum(axis=1) != 1).any():
        return False
    if tuple(int(side) for side in np.abs(turn) @ np.array(space)) != other:
        return False
    corners = np.array(list(product(*[(0, side - 1) for side in space])))
    there = corners @ matrix[:3, :3].T + matrix[:3, 3]
    edges = np.where(np.abs(there) < NEAR, 0, np.array(other) - 1)
    return bool((np.abs(there - edges) < NEAR).all())


def nearest(labels: Int[Array, "x y z"], matrix: Float[Array, "4 4"], space: Space) -> Int[Array, "i j k"]:
    """Return the label that lies nearest to each voxel of another grid; 0 off the label image.

    ``matrix`` takes indices of the other grid to those of the label image.

    Examples
    --------
    >>> labels = np.arange(1, 4).reshape(3, 1, 1)
    >>> nearest(labels, np.diag([0.5, 1, 1, 1.0]), (7, 1, 1)).ravel().tolist()
    [1, 2, 2, 3, 3, 0, 0]
    """
    along = np.abs(matrix[:3, :3]) > 1e-9 * np.abs(matrix[:3, :3]).max()
    if (along.sum(axis=0) == 1).all() and (along.sum(axis=1) == 1).all():
        return _axis_by_axis(labels, matrix, space, along.argmax(axis=1))
    found = np.zeros(space, labels.dtype)
    across = np.stack(np.meshgrid(np.arange(space[1]), np.arange(space[2]), indexing="ij"), axis=-1)
    plane = across @ matrix[:3, 1:3].T + matrix[:3, 3]
    for first in range(space[0]):
        index = _rounded(plane + first * matrix[:3, 0])
        inside = ((index >= 0) & (index < labels.shape)).all(axis=-1)
        one, two, three = index[inside].T
        found[first][inside] = labels[one, two, three]
    return found


def shares_within(
    labels: Int[Array, "x y z"], matrix: Float[Array, "4 4"], space: Space, count: int
) -> Float[Array, " count"]:
    """Return what share of each label's voxels, numbered from 0 without gaps, lies on the other grid.

    Voxels of the label -1 count for none.
    """
    places = np.argwhere(labels >= 0)
    own = labels[labels >= 0]
    back = np.linalg.inv(matrix)
    index = _rounded(places @ back[:3, :3].T + back[:3, 3])
    inside = ((index >= 0) & (index < space)).all(axis=-1)
    size = np.bincount(own, minlength=count)
    shares: Array = np.bincount(own, weights=inside, minlength=count) / np.maximum(size, 1)
    return shares


def _axis_by_axis(
    labels: Int[Array, "x y z"], matrix: Float[Array, "4 4"], space: Space, axes: Int[Array, " axes"]
) -> Int[Array, "i j k"]:
    """As `nearest`, where each axis of one grid runs along an axis of the other."""
    padded = np.pad(labels, [(0, 1)] * 3)
    where = []
    for own, axis in enumerate(axes.tolist()):
        index = _rounded(matrix[own, axis] * np.arange(space[axis]) + matrix[own, 3])
        size = labels.shape[own]
        where.append(np.where((index >= 0) & (index < size), index, size))
    found: Array = padded[np.ix_(*where)].transpose(np.argsort(axes))
    return np.ascontiguousarray(found)


def _rounded(places: Float[Array, "*any"]) -> Int[Array, "*any"]:
    """Return whole numbers; halves go up."""
    whole: Array = np.floor(np.round(places, DIGITS) + 0.5).astype(np.int64)
    return whole
