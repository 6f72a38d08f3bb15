"""Planes of a volume: which to draw, what they are called, and how to cut them out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias, cast

import numpy as np
from jaxtyping import Float

from xaimri.arrays import Array
from xaimri.errors import InvalidInput
from xaimri.explanation import Explanation
from xaimri.images.foreground import foreground
from xaimri.kinds import Several
from xaimri.rules import WholeNumber

Plane: TypeAlias = tuple[int, int]
"""Axis and index of a plane of a volume."""

PLANE = Several(WholeNumber(), 2)
"""The rule for a plane: two whole numbers."""

ACROSS = ("sagittal", "coronal", "axial")
"""Planes across the first, second and third axis of the world: right to left, back to front, feet to head."""


def strongest_plane(explanation: Explanation, axis: int) -> Plane | None:
    """Return the plane of a volume whose absolute values sum to most within the object; None for a slice."""
    if explanation.values.ndim == 2:
        return None
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


def plane_name(plane: Plane, affine: Float[Array, "4 4"] | None) -> str:
    """Return what a plane is called: by the anatomy where the axes' directions are known.

    Oblique axes are called by the axis of the world that they are nearest to, each by another one.

    Examples
    --------
    >>> plane_name((2, 7), None), plane_name((2, 7), np.eye(4))
    ('axis 2, plane 7', 'axial, plane 7')
    """
    axis, index = plane
    if affine is None or axis not in range(3):
        return f"axis {axis}, plane {index}"
    return f"{ACROSS[_world(affine)[axis]]}, plane {index}"


def _world(affine: Float[Array, "4 4"]) -> list[int]:
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
        world = _world(affine)
        vertical = 1 if world[plane[0]] == 2 else 2
        down, right = (first, second) if world[first] == vertical else (second, first)
        ends = ("A", "P") if world[right] == 1 else ("R", "L")
        up, leftwards = (bool(affine[world[axis], axis] > 0) for axis in (down, right))
        return cls(down, right, up, leftwards, ends)

    def lay(self, plane: Array) -> Array:
        """Lay a plane that was cut out of a volume; channels stay last."""
        turned = plane if self.down < self.right else np.swapaxes(plane, 0, 1)
        return turned[:: -1 if self.up else 1, :: -1 if self.leftwards else 1]

    def place(self, axis: int, index: int, shape: tuple[int, ...]) -> int:
        """Return where an index along an axis lies on the page."""
        back = self.up if axis == self.down else self.leftwards
        return shape[axis] - 1 - index if back else index


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
