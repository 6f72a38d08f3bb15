"""A series of DICOM slices as one volume, or one sentence that lists what is there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike, fspath
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from xaimri.arguments import check_arguments
from xaimri.arrays import Array
from xaimri.errors import MissingExtra, UnusableImage, first_line
from xaimri.images import dicom
from xaimri.images.decoders import bounded
from xaimri.images.picture import Picture
from xaimri.images.turn import canonical
from xaimri.names import first_names
from xaimri.regular_file import quoted

APART = 0.01
"""Share of the distance between two slices by which another one may differ."""

PARALLEL = 1e-3
"""Share of a pixel by which the axes of two slices may differ."""


@dataclass(frozen=True, eq=False)
class _Slice:
    """A slice, the name of its file, and where it lies."""

    name: str
    dataset: Any
    origin: Array
    down: Array
    along: Array

    @property
    def normal(self) -> Array:
        """Of length 1."""
        normal = np.cross(self.along, self.down)
        return np.asarray(normal / np.linalg.norm(normal))


@check_arguments()
def read_series(folder: str | PathLike[str]) -> Picture:
    """Read a folder of DICOM slices as one volume, in canonical orientation.

    Slices are sorted by where they lie, never by name or number. Values are as after rescaling, such as
    Hounsfield units of CT. Needs the extra ``neuro``.

    Parameters
    ----------
    folder
        Holds the files of one series.

    Returns
    -------
    Picture
        ``(*space, 1)``, its axes to the patient's right, to the front and upwards as nearly as the slices
        allow; spacing and affine in mm.

    Raises
    ------
    UnusableImage
        If there is no DICOM image, or slices of several series, shapes or directions, two in one place, or a
        gap: the sentence lists what is there.
    """
    place = Path(fspath(folder))
    name = quoted(place)
    if not place.is_dir():
        raise UnusableImage(f"there is no folder {name}: give the one that holds the series.")
    try:
        return _read(place, name)
    except (UnusableImage, MissingExtra):
        raise
    except Exception as error:  # elements that are missing, or no numbers; files that can't be opened
        raise UnusableImage(
            f"{name} holds a file that is damaged or can't be opened ({first_line(error, 120)}): fetch the "
            "series again."
        ) from error


def _read(place: Path, name: str) -> Picture:
    """Read the slices of a folder that is there."""
    files = [file for file in sorted(place.iterdir()) if not file.name.startswith(".")]
    found = [(file.name, _opened(file)) for file in files if _is_dicom(file)]
    known = {name for name, _ in found}
    other = [file.name for file in files if file.name not in known | {"DICOMDIR"}]
    other += [file for file, dataset in found if "Rows" not in dataset]
    if len(other) == len(files):
        raise UnusableImage(f"{name} holds no DICOM image: give the folder of one series.")
    if other:
        raise UnusableImage(
            f"{name} holds what is no DICOM image beside its slices ({first_names(other)}): a slice may be "
            "damaged. Fetch it again, or leave alone the slices there."
        )
    _check_one([dataset for _, dataset in found], name)
    slices = _ordered(_placed(found, name), name)
    first = slices[0]
    bounded(len(slices) * int(first.dataset.Rows) * int(first.dataset.Columns), name)
    voxels = [dicom.pixels(each.dataset, quoted(each.name), 1)[0, ..., 0] for each in slices]
    affine = dicom.matrix(first.origin, first.down, first.along, _step(slices))
    return canonical(np.stack(voxels, axis=-1), affine)


def _is_dicom(file: Path) -> bool:
    if not file.is_file():
        return False
    with file.open("rb") as stream:
        return stream.read(132)[128:] == dicom.MARK


def _opened(file: Path) -> Any:
    with file.open("rb") as stream:
        return dicom.opened(stream, quoted(file))


def _check_one(datasets: Sequence[Any], name: str) -> None:
    """See that all slices are of one series, and single slices of one shape and one value a pixel."""
    series = Counter(str(each.get("SeriesInstanceUID", "")) for each in datasets)
    if len(series) > 1:
        told = ", ".join(str(count) for _, count in series.most_common())
        raise UnusableImage(
            f"{name} holds {len(series)} series, of {told} slices: put each into a folder of its own."
        )
    kinds = Counter(
        f"{int(each.Rows)} x {int(each.Columns)} x {int(each.get('SamplesPerPixel', 1))}"
        + (" reversed" if each.get("PhotometricInterpretation") == "MONOCHROME1" else "")
        + (f" x {frames} frames" if (frames := int(each.get("NumberOfFrames") or 1)) > 1 else "")
        for each in datasets
    )
    (kind, _), *others = kinds.most_common()
    if others or not kind.removesuffix(" reversed").endswith(" x 1"):
        told = ", ".join(f"{count} of {kind}" for kind, count in kinds.most_common())
        raise UnusableImage(f"{name} holds slices of {told} values: give single slices of one value a pixel.")


def _placed(found: Sequence[tuple[str, Any]], name: str) -> list[_Slice]:
    """Return where every slice lies; all are parallel."""
    known = [(file, dataset, dicom.geometry_of(dataset)) for file, dataset in found]
    bare = [file for file, _, geometry in known if geometry is None]
    if bare:
        raise UnusableImage(
            f"{name} holds {len(bare)} slices that don't say where they lie ({first_names(bare)}): give "
            "files with position, orientation and spacing."
        )
    slices = [_Slice(file, dataset, *geometry) for file, dataset, geometry in known if geometry is not None]
    first = slices[0]
    for each in slices:
        ways = np.array([each.down - first.down, each.along - first.along])
        if np.abs(ways).max() > PARALLEL * np.linalg.norm(first.down):
            raise UnusableImage(
                f"{name} holds slices of several directions or spacings, such as {first.name} and "
                f"{each.name}: give one stack."
            )
    return slices


def _ordered(slices: Sequence[_Slice], name: str) -> list[_Slice]:
    """Return the slices in their order along their normal: evenly spaced, none twice, none missing."""
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
    way, first = _step(order), order[0].origin
    for place, each in enumerate(order):
        if np.abs(each.origin - first - place * way).max() > APART * usual + PARALLEL * len(order):
            raise UnusableImage(
                f"{name} holds slices that are shifted against each other, such as {each.name}: "
                "give one stack."
            )
    return order


def _step(slices: Sequence[_Slice]) -> Float[Array, " 3"]:
    """Return the way from one slice to the next, which a tilted gantry shears."""
    first, last = slices[0], slices[-1]
    if len(slices) > 1:
        return np.asarray((last.origin - first.origin) / (len(slices) - 1))
    thickness = first.dataset.get("SliceThickness")
    return first.normal * (float(thickness) if thickness else 1.0)
