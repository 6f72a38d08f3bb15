"""A stack of DICOM slices: where each lies, and the order in which they make one volume."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from xaimri.arrays import Array
from xaimri.errors import UnusableImage
from xaimri.images import dicom
from xaimri.images.header_window import window_told
from xaimri.images.picture import Picture
from xaimri.images.turn import canonical

APART = 0.1
"""Share of the distance between two slices by which another one may differ, as places have few digits."""

PARALLEL = 1e-3
"""Share of a pixel by which the axes of two slices may differ."""


@dataclass(frozen=True, eq=False)
class Slice:
    """One slice in its place.

    Attributes
    ----------
    name
        What it is called in a sentence: its file, or the number of its frame.
    dataset
        The data set of pydicom that holds it.
    frame
        Which of the data set's frames it is, from 0.
    origin, down, along
        Where its first pixel lies, and the ways from row to row and from column to column, in DICOM's mm.
    thickness
        In mm; None where it isn't said.
    """

    name: str
    dataset: Any
    frame: int
    origin: Float[Array, " 3"]
    down: Float[Array, " 3"]
    along: Float[Array, " 3"]
    thickness: float | None = None

    @property
    def normal(self) -> Float[Array, " 3"]:
        """Of length 1, from one slice to the next above it."""
        normal = np.cross(self.along, self.down)
        return np.asarray(normal / np.linalg.norm(normal))


def ordered(slices: Sequence[Slice], name: str) -> list[Slice]:
    """Return slices in their order along their normal: parallel, evenly spaced, none twice, none missing.

    Raises
    ------
    UnusableImage
        If they are not; the sentence names two of them.
    """
    _check_parallel(slices, name)
    normal = slices[0].normal
    order = sorted(slices, key=lambda each: float(each.origin @ normal))
    steps = np.diff([each.origin @ normal for each in order])
    if not steps.size:
        return order
    usual = float(np.median(steps))
    for at, step in enumerate(steps.tolist()):
        pair = f"{order[at].name} and {order[at + 1].name}"
        if step <= 1e-3:
            raise UnusableImage(f"{name} holds two slices in one place, {pair}: give one series of one time.")
        if abs(step - usual) > APART * usual:
            raise UnusableImage(
                f"{name} has {len(order)} slices {usual:.3g} mm apart, but {step:.3g} mm between {pair}: "
                "slices are missing, or of two stacks."
            )
    way, first = step_of(order), order[0].origin
    for place, each in enumerate(order):
        if np.abs(each.origin - first - place * way).max() > APART * usual + PARALLEL * len(order):
            raise UnusableImage(
                f"{name} holds slices that are shifted against each other, such as {each.name}: "
                "give one stack."
            )
    return order


def _check_parallel(slices: Sequence[Slice], name: str) -> None:
    """See that all slices have the axes of the first."""
    first = slices[0]
    for each in slices:
        ways = np.array([each.down - first.down, each.along - first.along])
        if np.abs(ways).max() > PARALLEL * np.linalg.norm(first.down):
            raise UnusableImage(
                f"{name} holds slices of several directions or spacings, such as {first.name} and "
                f"{each.name}: give one stack."
            )


def step_of(slices: Sequence[Slice]) -> Float[Array, " 3"]:
    """Return the way from one slice to the next, which a tilted gantry shears."""
    first, last = slices[0], slices[-1]
    if len(slices) > 1:
        return np.asarray((last.origin - first.origin) / (len(slices) - 1))
    return first.normal * (first.thickness or 1.0)


def affine_of(slices: Sequence[Slice]) -> Float[Array, "4 4"]:
    """Return the way from (row, column, slice) to the scanner, to the right, to the front and upwards."""
    first = slices[0]
    return dicom.matrix(first.origin, first.down, first.along, step_of(slices))


def volume(slices: Sequence[Slice], voxels: Float[Array, "rows columns slices"]) -> Picture:
    """Return the voxels of slices in their order as a picture in canonical orientation."""
    affine = affine_of(slices)
    told = window_told((each.dataset, each.frame) for each in slices)
    found = {**dicom.marks_of(each.dataset for each in slices), "window": told}
    return canonical(voxels, affine).on(dicom.grid(voxels.shape, affine, found))
