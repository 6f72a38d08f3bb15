"""Planes of a volume as the anatomy calls them, and how each is laid on a page."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from jaxtyping import Float

from xaimri.arrays import Array

Plane: TypeAlias = tuple[int, int]
"""Axis and index of a plane of a volume."""

ACROSS = ("sagittal", "coronal", "axial")
"""Planes across the first, second and third axis of the world: right to left, back to front, feet to head."""


CONVENTION = "Radiological convention: the patient's right is on the left."
"""What is said where sides are marked."""


def plane_name(plane: Plane, affine: Float[Array, "4 4"] | None, shape: tuple[int, ...] | None = None) -> str:
    """Return what a plane is called: by the anatomy where the axes' directions are known.

    Oblique axes are called by the axis of the world that they are nearest to, each by another one. With the
    volume's shape, a plane that lies across an axis of the world has its place there.

    Examples
    --------
    >>> plane_name((2, 7), None), plane_name((2, 7), np.eye(4))
    ('axis 2, plane 7', 'axial, plane 7')
    >>> plane_name((2, 7), np.diag([1.0, 1.0, 2.0, 1.0]), (9, 9, 9))
    'axial, plane 7, z = 14 mm'
    """
    axis, index = plane
    if affine is None or axis not in range(3):
        return f"axis {axis}, plane {index}"
    called = f"{ACROSS[world_axes(affine)[axis]]}, plane {index}"
    along = None if shape is None else millimetres(affine, shape, axis)
    if along is None:
        return called
    return f"{called}, {'xyz'[world_axes(affine)[axis]]} = {round(float(along[index]), 1) + 0.0:g} mm"


def millimetres(
    affine: Float[Array, "4 4"], shape: tuple[int, ...], axis: int
) -> Float[Array, " planes"] | None:
    """Return where the planes across an axis lie along the axis of the world that it is nearest to, in mm.

    None where a plane has no such place: where the grid is oblique, so that one end of a plane lies by more
    than half a voxel elsewhere than its middle.

    Examples
    --------
    >>> millimetres(np.diag([1.0, 1.0, 2.0, 1.0]), (9, 9, 4), 2)
    array([0., 2., 4., 6.])
    """
    row = affine[world_axes(affine)[axis]]
    middle = [(side - 1) / 2 for side in shape]
    drift = sum(abs(row[other]) * middle[other] for other in range(3) if other != axis)
    if drift > abs(row[axis]) / 2:
        return None
    start = row[3] + sum(row[other] * middle[other] for other in range(3) if other != axis)
    return np.asarray(start + row[axis] * np.arange(shape[axis]))


def world_axes(affine: Float[Array, "4 4"]) -> list[int]:
    """Return the axis of the world that each axis of a volume is nearest to, each another one."""
    from scipy.optimize import linear_sum_assignment

    lengths = np.linalg.norm(affine[:3, :3], axis=0)
    shares = np.abs(affine[:3, :3]) / np.where(lengths > 0, lengths, 1)
    return [int(axis) for axis in linear_sum_assignment(-shares.T)[1]]


@dataclass(frozen=True)
class Turn:
    """How a plane is laid on the page: which axis goes down and which to the right, and which are reversed.

    Where the affine tells the anatomy, as radiologists look at it: top and front upwards, the patient's right
    on the left (of a sagittal plane, the front on the left). Else the first axis goes down.

    Attributes
    ----------
    down, right
        Axes of the volume.
    up, leftwards
        Whether that axis is drawn reversed.
    ends
        The letters of what lies left and right; none where that isn't known.
    """

    down: int
    right: int
    up: bool = False
    leftwards: bool = False
    ends: tuple[str, str] | None = None

    @classmethod
    def of(cls, plane: Plane, affine: Float[Array, "4 4"] | None) -> Turn:
        """Return how a plane of a volume is laid."""
        first, second = (axis for axis in range(3) if axis != plane[0])
        if affine is None:
            return cls(first, second)
        world = world_axes(affine)
        vertical = 1 if world[plane[0]] == 2 else 2
        down, right = (first, second) if world[first] == vertical else (second, first)
        ends = ("A", "P") if world[right] == 1 else ("R", "L")
        up, leftwards = (bool(affine[world[axis], axis] > 0) for axis in (down, right))
        return cls(down, right, up, leftwards, ends)

    def lay(self, plane: Array) -> Array:
        """Lay a plane that was cut out of a volume; channels stay last."""
        turned = plane if self.down < self.right else np.swapaxes(plane, 0, 1)
        return turned[:: -1 if self.up else 1, :: -1 if self.leftwards else 1]

    def unlay(self, laid: Array) -> Array:
        """Undo `lay`: bring a plane from the page back to the volume's axes."""
        turned = laid[:: -1 if self.up else 1, :: -1 if self.leftwards else 1]
        return turned if self.down < self.right else np.swapaxes(turned, 0, 1)

    def indices(self, plane: Plane, shape: tuple[int, ...]) -> Float[Array, "4 4"]:
        """Return the matrix from row and column of a laid plane to the indices of the volume."""
        matrix = np.zeros((4, 4))
        matrix[plane[0], 2], matrix[plane[0], 3], matrix[3, 3] = 1, plane[1], 1
        for column, (axis, back) in enumerate(((self.down, self.up), (self.right, self.leftwards))):
            matrix[axis, column] = -1 if back else 1
            matrix[axis, 3] = shape[axis] - 1 if back else 0
        return matrix

    def mirrored(self) -> Turn:
        """Return the neurological view: the patient's right on the right; sagittal planes stay."""
        if self.ends != ("R", "L"):
            return self
        return replace(self, leftwards=not self.leftwards, ends=("L", "R"))

    def place(self, axis: int, index: int, shape: tuple[int, ...]) -> int:
        """Return where an index along an axis lies on the page."""
        back = self.up if axis == self.down else self.leftwards
        return shape[axis] - 1 - index if back else index
