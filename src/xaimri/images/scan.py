"""A volume as a network of slices is given it: slice by slice, each laid as a picture of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from numbers import Number
from typing import Any

import numpy as np

from xaimri.arrays import Array, Image
from xaimri.caveats import Caveat, Reason
from xaimri.errors import UnusableImage
from xaimri.images.files import is_scan
from xaimri.images.foreground import foreground
from xaimri.images.intake import Intake, marks
from xaimri.images.picture import Picture
from xaimri.images.planes import Turn, plane_name
from xaimri.images.read import read_picture
from xaimri.images.series import is_series
from xaimri.images.slices import Slices
from xaimri.images.taken import Taken

UNEQUAL = 1.25
"""From how many times as high as wide, or as wide as high, a pixel of a slice is told of."""


@dataclass(frozen=True, eq=False)
class TakenScan:
    """One volume as it was given, and which of its slices the model is given.

    Attributes
    ----------
    picture
        ``(*space, channels)``: as it was given, in the model's number of channels, and where it lies.
    slices
        What was asked for.
    intake
        How one slice reaches the model.
    axis, places
        The axis that the slices lie across, and where along it.
    turn
        How each is laid.
    """

    picture: Picture
    slices: Slices
    intake: Intake
    axis: int
    places: tuple[int, ...]
    turn: Turn

    @classmethod
    def of(cls, source: object, slices: Slices, intake: Intake) -> TakenScan:
        """Read a volume for a model of slices.

        Raises
        ------
        UnusableImage
            If it can't be read, is no volume, or has none of the slices.
        """
        _refuse_shape(source, intake)
        channels = intake.shape[-1] if intake.shape else None
        picture = read_picture(source, 3, channels, layout=intake.layout, first=intake.first)
        _refuse_picture(source, picture, intake)
        intake = replace(intake.with_header(picture), layout=None, first=False)  # slices have channels last
        axis = slices.axis(picture.affine)
        places = slices.places(picture.pixels, axis)
        return cls(picture, slices, intake, axis, places, slices.turn(axis, picture.affine))

    @property
    def image(self) -> Image:
        """The volume as it was given."""
        return self.picture.pixels

    @property
    def outside(self) -> bool | None:
        """Whether the window misses the volume; None where there is no window."""
        return None if self.intake.window is None else bool(self.intake.missed(self.image))

    @cached_property
    def caveats(self) -> tuple[Caveat, ...]:
        """What is odd about the volume and its slices, beside what each slice tells of itself."""
        return (*marks(self.picture.scan), *self.intake.missed(self.image), *self._odd())

    @cached_property
    def even(self) -> Mapping[int, int]:
        """The slices of one value, such as those beside the head, each with the first that is like it."""
        planes = np.moveaxis(self.image, self.axis, 0)
        first: dict[bytes, int] = {}
        return {
            place: first.setdefault(planes[place, 0, 0].tobytes(), place)
            for place in self.places
            if _is_even(planes[place])
        }

    @property
    def unlike(self) -> Sequence[int]:
        """The slices but for those that are like one before."""
        return [place for place in self.places if self.even.get(place, place) == place]

    def _odd(self) -> Iterable[Caveat]:
        """Say which slices with tissue are left out, and that pixels are not square."""
        slices = self.image.shape[self.axis]
        left = sorted(set(range(slices)) - set(self.places))
        if left and (self.slices.which != "brain" or self.slices.every > 1):
            mask = np.moveaxis(foreground(self.image), self.axis, 0).reshape(slices, -1)
            tissue = int(mask[left].any(axis=1).sum())
            if tissue:
                yield Reason.SLICES_LEFT_OUT.caveat(left=len(left), slices=slices, tissue=tissue)
        spacing = self.picture.spacing
        if spacing is not None:
            high, wide = spacing[self.turn.down], spacing[self.turn.right]
            if max(high / wide, wide / high) > UNEQUAL:
                yield Reason.UNEQUAL_PIXELS.caveat(high=high, wide=wide)

    def cut(self, place: int) -> Picture:
        """Return one slice, laid as the model is given it, with where it lies in the scanner."""
        laid = np.ascontiguousarray(self.turn.lay(np.take(self.image, place, axis=self.axis)))
        spacing, affine = self.picture.spacing, self.picture.affine
        sides = None if spacing is None else (spacing[self.turn.down], spacing[self.turn.right])
        lies = None if affine is None else affine @ self.turn.indices((self.axis, place), self.image.shape)
        return Picture(laid, sides, lies).on(self.picture.scan).of_contrasts(self.picture.contrasts)

    def take(self, place: int) -> Taken:
        """Bring one slice to the model's grid.

        Raises
        ------
        UnusableImage
            If it can't be brought there, such as a constant one through percentiles.
        """
        try:
            return self.intake.take(self.cut(place))
        except UnusableImage as fault:
            raise UnusableImage(
                f"slice {place} of the volume can't be brought to the model ({str(fault).rstrip('.')}): "
                'leave it out, as slices="brain" leaves out slices beside the brain.'
            ) from fault

    def take_all(self, places: Sequence[int]) -> list[Taken]:
        """Bring some slices to the model's grid."""
        return [self.take(place) for place in places]

    def stacked(self, maps: Mapping[int, Array], empty: float) -> Array:
        """Lay maps of slices back into a volume; slices without one hold ``empty``."""
        first = next(iter(maps.values()))
        whole = np.full(self.image.shape[:-1], empty, first.dtype)
        view = np.moveaxis(whole, self.axis, 0)
        for place, one in maps.items():
            view[place] = self.turn.unlay(one)
        return whole

    def record(self) -> dict[str, Any]:
        """Say which slices were given, and how they were laid."""
        affine = self.picture.affine
        name = plane_name((self.axis, 0), affine).partition(",")[0]
        view = "array" if affine is None else self.slices.view
        told = {**self.slices.record(), "plane": name, "view": view}
        return {**told, "axis": self.axis, "places": list(self.places)}


def _is_even(plane: Array) -> bool:
    """Tell whether a slice has one value; most have another in the middle than in the corner."""
    corner, middle = plane[0, 0], plane[plane.shape[0] // 2, plane.shape[1] // 2]
    return bool((corner == middle).all() and (plane == corner).all())


def _refuse_shape(source: object, intake: Intake) -> None:
    """See that an array is no picture, whose channels would be taken for slices; a scan knows its axes."""
    if is_scan(source) or (isinstance(source, list | tuple) and is_series(source)):
        return
    if isinstance(source, Picture) and len(source.spacing or ()) == 3:
        return
    shape = _shape(source.pixels if isinstance(source, Picture) else source)
    channels = set(intake.ends(shape)) & {1, 3, 4}
    if (len(shape) < 3 and shape != ()) or (len(shape) == 3 and channels):
        raise _one_picture(tuple(shape))


def _shape(source: object) -> tuple[int, ...]:
    """Return the shape of an array or of nested lists of numbers; nothing of all else."""
    if not isinstance(source, list | tuple):
        return getattr(source, "shape", ())
    try:
        found = np.shape(source)
    except ValueError:  # of several lengths: whoever reads it says so
        return ()
    first: object = source
    while isinstance(first, list | tuple) and first:
        first = first[0]
    return found if isinstance(first, Number | np.number | np.bool_) else ()


def _refuse_picture(source: object, picture: Picture, intake: Intake) -> None:
    """See that a file of numbers is no picture either: of one, the last axis that is left has few places."""
    shape = picture.pixels.shape
    if isinstance(source, np.ndarray | Picture) or is_scan(source):
        return
    known = any(told is not None for told in (picture.affine, picture.spacing, picture.scan))
    if not known and shape[-1] == 1 and {shape[0], shape[-2]} & {1, 3, 4}:
        try:
            read_picture(source, 2, layout=intake.layout, first=intake.first)
        except UnusableImage:
            return
        raise _one_picture(shape[:-1])


def _one_picture(shape: tuple[int, ...]) -> UnusableImage:
    return UnusableImage(
        f"`slices` asks for slices of a volume, and an array of shape {shape} is one picture: "
        "leave `slices` out, or give the volume as (depth, height, width, channels)."
    )
