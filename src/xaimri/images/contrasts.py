"""Several contrasts of one subject, such as T1 and FLAIR, as the channels of one image."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import product
from os import PathLike
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from jaxtyping import Float

from xaimri.arguments import check_arguments
from xaimri.arrays import Array
from xaimri.errors import InvalidInput, UnusableImage, shown
from xaimri.images.files import scan_shape
from xaimri.images.picture import Picture

APART = 0.05
"""Share of a voxel by which the grids of two contrasts may differ."""


class Contrasts:
    """Images of one subject on one grid: each becomes a channel, in the order in which they are given.

    A dictionary is several images by name; this is one image. The grids must agree in shape and, where they
    are known, in where their corners lie, to a twentieth of a voxel: nothing is resampled here. Maps lie on
    the grid of the first, and are written there.

    Parameters
    ----------
    sources
        Name -> whatever holds one grey image, such as the path of a scan.

    Raises
    ------
    InvalidInput
        If there is none, or one file stands for two contrasts.

    Examples
    --------
    >>> both = Contrasts({"T1w": np.ones((4, 5)), "FLAIR": np.zeros((4, 5))})
    >>> both
    Contrasts(T1w, FLAIR)
    >>> from xaimri.images import read_image
    >>> read_image(both).shape
    (4, 5, 2)
    """

    @check_arguments()
    def __init__(self, sources: Mapping[str, object]) -> None:
        if not sources or not all(map(_is_name, sources)):
            raise InvalidInput(
                '`sources` must be the contrasts by their names, such as {"T1w": "t1.nii.gz", "FLAIR": '
                f'"flair.nii.gz"}}, got {shown(sources)}.'
            )
        files: dict[Path, str] = {}
        for name, source in sources.items():
            if source is None or isinstance(source, Contrasts | Mapping):
                raise InvalidInput(
                    f"the contrast `{name}` must be one image, got {shown(source)}: give its path."
                )
            if isinstance(source, str | PathLike):
                other = files.setdefault(Path(source).resolve(), name)
                if other != name:
                    raise InvalidInput(
                        f"`{other}` and `{name}` are the same file: give that of each contrast."
                    )
        self.sources: Mapping[str, object] = MappingProxyType(dict(sources))

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the channels, in order."""
        return tuple(self.sources)

    def __repr__(self) -> str:
        return f"Contrasts({', '.join(self.names)})"

    def __getstate__(self) -> dict[str, Any]:
        return dict(self.sources)

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.sources = MappingProxyType(state)


def stacked(contrasts: Contrasts, rank: int, read: Callable[[object], Picture]) -> Picture:
    """Return the contrasts as one picture ``(*space, contrasts)`` that lies where the first does.

    Raises
    ------
    UnusableImage
        If one can't be read, is no grey image, or has another grid than the first.
    """
    if rank == 3:
        _check_sides(contrasts)
    first: Picture | None = None
    channels: list[Array] = []
    for name, source in contrasts.sources.items():
        try:
            picture = read(source)
        except UnusableImage as fault:
            raise UnusableImage(f"the contrast {name} of {', '.join(contrasts.names)}: {fault}") from fault
        if picture.pixels.shape[-1] != 1:
            raise UnusableImage(
                f"the contrast {name} has {picture.pixels.shape[-1]} channels: give a grey image for each."
            )
        if first is None:
            first = picture
        elif told := _apart(first, picture):
            raise UnusableImage(
                f"the contrast {name} lies on another grid than {contrasts.names[0]} ({told}): resample it "
                "onto that, as by nibabel.processing.resample_from_to."
            )
        channels.append(picture.pixels)
    if first is None:
        raise UnusableImage("there is no contrast: give at least one.")
    for place, channel in enumerate(channels):
        for other in range(place):
            if np.array_equal(channel, channels[other]) and channel.min() < channel.max():
                both = f"{contrasts.names[other]} and {contrasts.names[place]}"
                raise UnusableImage(f"the contrasts {both} are the same image: give that of each.")
    return first.with_pixels(np.concatenate(channels, axis=-1)).of_contrasts(contrasts.names)


def check_channels(names: tuple[str, ...], channels: int | None) -> None:
    """See that a model takes as many channels as there are contrasts.

    Raises
    ------
    UnusableImage
        If it takes another number: contrasts are no colours that could be mixed to grey.
    """
    if channels not in (None, len(names)) and len(names) > 1:
        raise UnusableImage(
            f"the image has {len(names)} contrasts ({', '.join(names)}), and the model takes {channels} "
            f"{'channel' if channels == 1 else 'channels'}: give as many as it was trained on."
        )


def _is_name(name: object) -> bool:
    return isinstance(name, str) and bool(name.strip())


def _check_sides(contrasts: Contrasts) -> None:
    """Compare the sides by the headers of files, before a voxel is read."""
    files = {name: each for name, each in contrasts.sources.items() if isinstance(each, str | PathLike)}
    sides = {name: shape for name, each in files.items() if len(shape := scan_shape(Path(each))) == 3}
    for name, shape in sides.items():
        first = next(iter(sides))
        if shape != sides[first]:
            both = [" x ".join(map(str, each)) for each in (shape, sides[first])]
            raise UnusableImage(
                f"the contrast {name} lies on another grid than {first} (sides of {both[0]} voxels, and of "
                f"{both[1]}): resample it onto that, as by nibabel.processing.resample_from_to."
            )


def _apart(first: Picture, other: Picture) -> str:
    """Say how the grids of two pictures differ; nothing where they agree."""
    shapes = [" x ".join(map(str, each.pixels.shape[:-1])) for each in (other, first)]
    if shapes[0] != shapes[1]:
        return f"{shapes[0]} voxels, and {shapes[1]}"
    if (first.affine is None) != (other.affine is None):
        return "the one knows where it lies, and the other doesn't"
    if first.affine is not None and other.affine is not None:
        far, edge = _distance(first.affine, other.affine, first.pixels.shape[:-1])
        return f"their corners are up to {far:.3g} mm apart" if far > APART * edge else ""
    if first.spacing is not None and other.spacing is not None:
        close = np.allclose(first.spacing, other.spacing, rtol=APART / max(first.pixels.shape[:-1]))
        return "" if close else f"a spacing of {other.spacing} mm, and {first.spacing} mm"
    return ""


def _distance(
    one: Float[Array, "4 4"], two: Float[Array, "4 4"], space: tuple[int, ...]
) -> tuple[float, float]:
    """Return the largest distance between corners of two grids, and the shortest edge of a voxel, in mm."""
    sides = (*space, 1)[:3]
    corners = np.array([(*corner, 1) for corner in product(*((0, side - 1) for side in sides))], np.float64)
    apart = np.linalg.norm((corners @ (one - two).T)[:, :3], axis=1)
    edges = np.linalg.norm(one[:3, : len(space)], axis=0)
    return float(apart.max()), float(edges.min())
