"""Planes of a volume: which to draw, and how to cut them out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np

from xaimri.arrays import Array
from xaimri.errors import InvalidInput
from xaimri.explanation import Explanation
from xaimri.images.foreground import foreground
from xaimri.images.planes import Plane, Turn
from xaimri.kinds import Several
from xaimri.rules import Number, OrNone, WholeNumber

PLANE = Several(WholeNumber(), 2)
"""The rule for a plane: two whole numbers."""

VOXEL, PLACE = OrNone(Several(WholeNumber(), 3)), OrNone(Several(Number(), 3))
"""The rules for a point of a volume: its indices, or its place in mm."""


def usual_axis(explanation: Explanation) -> int:
    """Return the axis of the slices that the network was given, else axial, of mere voxels the first."""
    if "slices" in explanation.diagnostics:
        return int(explanation.diagnostics["slices"]["axis"])
    return 0 if explanation.affine is None else 2


def strongest_plane(explanation: Explanation, axis: int | None = None) -> Plane | None:
    """Return the plane of a volume whose absolute values sum to most within the object; None for a slice.

    It lies across the :func:`usual_axis`, unless another is named.
    """
    if explanation.values.ndim == 2:
        return None
    axis = usual_axis(explanation) if axis is None else axis
    return axis, int(_sums(explanation, (axis,))[0].argmax())


def strongest_planes(explanation: Explanation) -> list[Plane | None]:
    """Return the strongest plane across each axis of a volume; one None for a slice."""
    if explanation.values.ndim == 2:
        return [None]
    axes = tuple(range(explanation.values.ndim))
    return [(axis, int(sums.argmax())) for axis, sums in enumerate(_sums(explanation, axes))]


def _sums(explanation: Explanation, axes: tuple[int, ...]) -> list[Array]:
    """Return the sum of absolute values over each plane; of an empty map, 1 for the middle plane alone."""
    whole = np.abs(np.nan_to_num(explanation.values, posinf=0.0, neginf=0.0)).astype(float)
    within = whole * foreground(explanation.image)
    strength = within if within.any() else whole
    found = []
    for axis in axes:
        sums = strength.sum(axis=tuple(other for other in range(whole.ndim) if other != axis))
        found.append(sums if sums.any() else np.arange(len(sums)) == len(sums) // 2)
    return found


def point_of(
    explanation: Explanation, at: Sequence[int] | None, at_mm: Sequence[float] | None
) -> tuple[int, int, int] | None:
    """Return the voxel that was asked for, by its indices or as the one nearest to a place in mm.

    Raises
    ------
    InvalidInput
        If both are given, if there is no volume or no affine, or if the place lies outside.
    """
    if at is None and at_mm is None:
        return None
    shape, affine = explanation.values.shape, explanation.affine
    if at is not None and at_mm is not None:
        raise InvalidInput("`at` and `at_mm` both say where: give one of them.")
    if len(shape) != 3:
        raise InvalidInput("a slice has no planes to choose: leave `at` and `at_mm` out.")
    if at_mm is not None and (affine is None or abs(np.linalg.det(affine[:3, :3])) < 1e-9):
        raise InvalidInput("where the voxels lie in mm is not known: give `at`, the indices of a voxel.")
    if at is not None:
        found, asked = list(at), f"at = {tuple(at)}"
    else:
        place = tuple(cast(Sequence[float], at_mm))
        voxel = np.rint(np.linalg.solve(np.asarray(affine), [*place, 1.0])[:3])
        found, asked = [int(each) for each in voxel], f"at_mm = {place}"
    if not all(0 <= place < side for place, side in zip(found, shape, strict=True)):
        raise InvalidInput(f"`{asked}` must lie inside the volume of {' x '.join(map(str, shape))} voxels.")
    one, two, three = found
    return one, two, three


def cut(array: Array, plane: Plane | None, explanation: Explanation) -> Array:
    """Take a plane out of a volume, as `Turn` lays it; a slice is its own plane."""
    if plane is None:
        return array
    axis, index = cast(Plane, PLANE.convert(plane, "plane"))
    if not (
        0 <= axis < explanation.values.ndim
        and -explanation.values.shape[axis] <= index < explanation.values.shape[axis]
    ):
        raise InvalidInput(
            f"`plane` must be (axis, index) inside the volume {explanation.values.shape}, got {plane}."
        )
    return Turn.of((axis, index), explanation.affine).lay(np.take(array, index, axis=axis))


def pixel_aspect(explanation: Explanation, plane: Plane | None) -> float:
    """Return how many times as high as wide a pixel of a plane is, in mm; 1 where that isn't known."""
    spacing = explanation.spacing
    if spacing is None:
        return 1.0
    if plane is None:
        return spacing[0] / spacing[1]
    turn = Turn.of(plane, explanation.affine)
    return spacing[turn.down] / spacing[turn.right]
