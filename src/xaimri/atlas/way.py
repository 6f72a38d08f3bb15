"""The way from an image's indices to an atlas' own, or one sentence on why there is none."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from xaimri.arrays import Array
from xaimri.atlas.nearest import Space, is_same_grid
from xaimri.errors import InvalidInput, UnusableImage, shown
from xaimri.grid import Grid
from xaimri.images.picture import Picture


def way(
    space: tuple[int, ...],
    affine: Float[Array, "4 4"] | None,
    own: tuple[int, ...],
    own_affine: Float[Array, "4 4"] | None,
    same_space: bool,
) -> Float[Array, "4 4"]:
    """Return the matrix from an image's indices to those of an atlas (``own``).

    Raises
    ------
    InvalidInput
        If the atlas can't be laid on it, or nobody says that both are in one space.
    UnusableImage
        If it isn't known where the image lies.
    """
    if len(space) not in (2, 3) or min(space) < 1:
        raise InvalidInput(f"`space` must be 2 or 3 sides of at least 1 pixel, got {shown(space)}.")
    if own_affine is None:
        _check_array(space, affine, own)
        return np.eye(4)
    if affine is None:
        raise UnusableImage(
            "it isn't known where this image lies in the body, as it has no affine, so an atlas can't be "
            "laid on it: give a scan, or labels of the image's own shape as an array."
        )
    place = Picture(np.zeros((1, 1, 1)), affine=affine).affine
    assert place is not None
    if abs(np.linalg.det(place[:3, :3])) < 1e-9:
        raise UnusableImage("the affine of this image takes different pixels to one place: mend it.")
    matrix: Array = np.linalg.inv(own_affine) @ place
    if not same_space and not is_same_grid(matrix, space_of(space), space_of(own)):
        raise InvalidInput(
            f"the atlas has another grid than the image of {_sides(space)} pixels: give one on the scan's "
            "own grid, or say `same_space=True` if both are in one space, such as that of the MNI template, "
            "or the `affine_to_scan` that another program found; xaimri.Atlas.read takes both."
        )
    return matrix


def lattice(grid: Grid) -> Float[Array, "4 4"]:
    """Return the matrix from the indices of a grid's cells to pixels of its image."""
    matrix = np.eye(4)
    for axis, (start, step) in enumerate(zip(grid.start, grid.step, strict=True)):
        matrix[axis, axis], matrix[axis, 3] = step, start
    return matrix


def on_image(grid: Grid) -> Array:
    """Tell which cells of a grid lie on its image, rather than on what was padded."""
    inside = np.ones(grid.cells, bool)
    for axis, (start, step, size) in enumerate(zip(grid.start, grid.step, grid.space, strict=True)):
        where = start + step * np.arange(grid.cells[axis])
        on = (where >= -0.5) & (where <= size - 0.5)
        inside &= on.reshape([-1 if a == axis else 1 for a in range(inside.ndim)])
    return inside


def space_of(sides: tuple[int, ...]) -> Space:
    """Return three sides; a slice is one voxel thick."""
    one, two, three = (*sides, 1, 1)[:3]
    return one, two, three


def _check_array(space: tuple[int, ...], affine: Float[Array, "4 4"] | None, own: tuple[int, ...]) -> None:
    """See that labels without an affine can only lie on the image in one way."""
    if tuple(space) != own:
        raise InvalidInput(
            f"the atlas is an array of {_sides(own)} without an affine, and the image has {_sides(space)} "
            "pixels: give labels of the image's own shape, or the atlas as NIfTI where the image is a scan."
        )
    if affine is not None and len(space) == 3:
        raise InvalidInput(
            "the atlas is an array without an affine, and the scan has one: give the atlas as NIfTI or as "
            "xaimri.images.Picture(labels, affine=...), so that both can be laid on each other."
        )


def _sides(space: tuple[int, ...]) -> str:
    return " x ".join(map(str, space))
