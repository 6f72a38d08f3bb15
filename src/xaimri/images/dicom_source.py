"""The DICOM slices that were explained, found again in a series by their geometry and their pixels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from os import PathLike, fsdecode
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from jaxtyping import Float

from xaimri.arrays import Array, Image
from xaimri.errors import InvalidInput, UnusableImage
from xaimri.images import dicom, enhanced, series
from xaimri.images.channels import with_channels
from xaimri.images.decoders import Quiet
from xaimri.images.picture import Picture
from xaimri.images.stack import Slice

DicomSource: TypeAlias = object
"""A folder of DICOM files, a file, a data set of pydicom, or a list of files or data sets."""


NEEDED = ("SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID")

EMPTY = (
    "PatientID",
    "PatientName",
    "PatientBirthDate",
    "PatientSex",
    "AccessionNumber",
    "StudyID",
    "StudyDate",
    "StudyTime",
    "ReferringPhysicianName",
)
"""Elements that an object has to have, if only empty."""

SEXES = ("M", "F", "O")


@dataclass(frozen=True, eq=False)
class Scanned:
    """What was explained: its pixels ``(*space, channels)``, and as much as is known of where they lie."""

    image: Image
    affine: Float[Array, "4 4"] | None
    scan: Mapping[str, Any] | None


@dataclass(frozen=True, eq=False)
class Origin:
    """The slices that were explained, in their order, and the header of each of their files.

    ``turn`` says how their own axes (row, column, slice) became those of the map; None of a single slice.
    """

    headers: tuple[Any, ...]
    slices: tuple[Slice, ...]
    turn: Float[Array, "3 2"] | None = None


def origin_of(scanned: Scanned, source: DicomSource) -> Origin:
    """Find what was explained in the files that it came from.

    Raises
    ------
    InvalidInput
        If it did not come from DICOM, or from none of these: shape, place and values must be the same.
    """
    if scanned.scan is not None and scanned.scan.get("format") != dicom.FORMAT:
        raise InvalidInput(
            "this explanation is of a NIfTI scan, which has no DICOM series to belong to: explain the series "
            "itself, or write the map by `to_nifti`."
        )
    if scanned.scan is None and scanned.affine is None:
        raise InvalidInput(
            "where the pixels of this explanation come from is not known: explain the DICOM file or folder "
            "itself, whose maps can be written as DICOM."
        )
    one = isinstance(source, str | PathLike) and not series.is_series(source)
    given = [source] if one or dicom.is_dataset(source) else source
    name = series.name_of(source)
    try:
        if one and not Path(fsdecode(source)).exists():  # type: ignore[arg-type]
            raise InvalidInput(f"there is no file or folder {name}: give what was explained.")
        with Quiet():
            return _found(scanned, given, name)
    except InvalidInput:
        raise
    except Exception as error:  # elements that are missing, or no numbers
        raise series.damaged(name, error) from None


def _found(scanned: Scanned, given: DicomSource, name: str) -> Origin:
    """Return the first series, or slice, that is what was explained."""
    faults: list[str] = []
    flat = scanned.image.ndim == 3
    for part in series.parts(given, name):
        for find in (_slices,) if flat else (_volumes,):
            for picture, origin in find(part, name, faults):
                fault = _difference(scanned, picture)
                if fault is None:
                    return origin
                faults.append(fault)
    why = f" ({faults[0].rstrip('.')})" if faults else ""
    what = "slice" if flat else "scan"
    raise InvalidInput(
        f"{name} is not the {what} that was explained{why}: give the DICOM files that `explain` was given."
    )


def _volumes(part: Sequence[series.Named], name: str, faults: list[str]) -> Iterator[tuple[Picture, Origin]]:
    """Yield a series, or a file of several plain frames, as a volume, or keep why it is none."""
    file, dataset = part[0]
    if len(part) == 1 and dicom.frames_of(dataset) > 1 and not enhanced.is_enhanced(dataset):
        nowhere = Slice(file, dataset, 0, np.zeros(3), np.zeros(3), np.zeros(3))
        yield dicom.of_dataset(dataset, file, 3), Origin(_headers([nowhere]), (nowhere,))
        return
    try:
        picture, slices = series.volume_of(part, name)
    except UnusableImage as fault:
        faults.append(str(fault))
        return
    turn = None if picture.scan is None else np.asarray(picture.scan["orientation"], float)
    yield picture, Origin(_headers(slices), tuple(slices), turn)


def _slices(part: Sequence[series.Named], name: str, faults: list[str]) -> Iterator[tuple[Picture, Origin]]:
    """Yield every slice that is an image by itself."""
    for file, dataset in part:
        try:
            if enhanced.is_enhanced(dataset):
                picture, slices = enhanced.of_dataset(dataset, file, 2), enhanced.placed(dataset, file)
            else:
                picture, geometry = dicom.of_dataset(dataset, file, 2), dicom.geometry_of(dataset)
                where: tuple[Array, Array, Array] = geometry or (np.zeros(3), np.zeros(3), np.zeros(3))
                slices = [Slice(file, dataset, 0, *where, dicom.thickness_of(dataset))]
        except UnusableImage as fault:
            faults.append(str(fault))
            continue
        yield picture, Origin(_headers(slices), tuple(slices))


def _headers(slices: Sequence[Slice]) -> tuple[Any, ...]:
    """Return the data set of each file without its pixels; those that were given stay as they are."""
    from pydicom import Dataset

    found: dict[int, Any] = {}
    for each in slices:
        if id(each.dataset) not in found:
            header = Dataset()
            for element in each.dataset:
                if element.keyword not in dicom.STORED:
                    header.add(element)
            found[id(each.dataset)] = header
    return tuple(found.values())


def _difference(scanned: Scanned, picture: Picture) -> str | None:
    """Say in what a picture differs from what was explained; None where it is the same."""
    own, other = scanned.image.shape[:-1], picture.pixels.shape[:-1]
    if own != other:
        return (
            f"it has {' x '.join(map(str, other))} voxels, and the explained one {' x '.join(map(str, own))}"
        )
    place, found = scanned.affine, picture.affine
    if place is None or found is None:
        if place is not found:
            return "one of the two doesn't say where it lies"
    elif not np.allclose(place, found, rtol=1e-6, atol=1e-4):
        return "it lies elsewhere in the scanner"
    if scanned.scan is None:  # pixels that the caller changed, and the place of the scan
        return None
    try:
        pixels = with_channels(picture.pixels, scanned.image.shape[-1])
    except UnusableImage:
        return "it has other channels"
    return None if np.array_equal(pixels, scanned.image) else "its values are others"


def check_complete(origin: Origin, *, placed: bool) -> None:
    """See that every header tells study, series and itself, and where it lies where the map is to lie there.

    Elements that may be empty are filled in, and those with values that no object may have are left empty.

    Raises
    ------
    InvalidInput
        If something is missing.
    """
    if placed and not origin.slices[0].along.any():
        raise InvalidInput(
            'the source does not say where it lies in the scanner: write kind="secondary_capture".'
        )
    needed = (*NEEDED, "FrameOfReferenceUID") if placed else NEEDED
    for header in origin.headers:
        missing = [name for name in needed if not header.get(name)]
        if missing:
            raise InvalidInput(
                f"the source series lacks {', '.join(missing)}, which a DICOM object of its patient must "
                "have: mend its headers, or write the map by `to_nifti`."
            )
        for name in EMPTY:
            if name not in header or _is_odd(name, header):
                setattr(header, name, None)


def _is_odd(name: str, header: Any) -> bool:
    """Tell whether a value is none that the standard allows there, so that it can't be passed on."""
    from pydicom.valuerep import DA, TM

    try:
        value = header.get(name)
        if name == "PatientSex":
            return value is not None and value not in ("", *SEXES)
        if name.endswith("Date") and value:
            return len(str(DA(value))) != 8 or not str(value).isdecimal()
        if name.endswith("Time") and value:
            TM(value)
    except ValueError:
        return True
    return False
