"""A series of DICOM slices as one volume, or one sentence that lists what is there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import islice
from os import PathLike, fsdecode
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from xaimri.arguments import check_arguments
from xaimri.errors import InvalidInput, MissingExtra, UnusableImage, shown
from xaimri.images import dicom, enhanced
from xaimri.images.decoders import Quiet, bounded
from xaimri.images.picture import Picture
from xaimri.images.stack import Slice, ordered, volume
from xaimri.kinds import Anything
from xaimri.names import first_names
from xaimri.regular_file import quoted

SeriesSource: TypeAlias = object
"""A folder of DICOM slices, or a list of their files or of data sets of pydicom."""

Named: TypeAlias = tuple[str, Any]
"""A data set, and what it is called in a sentence: its file."""

LOOKED = 64
"""Files of a folder by whose content it is known to be a series."""

FOLDERS = 200
"""Folders below one without slices in which these are looked for, to name them."""


@check_arguments(source=Anything())
def read_series(source: SeriesSource, *, series: int | str | None = None) -> Picture:
    """Read the DICOM slices of one series as one volume, in canonical orientation.

    Slices are sorted by where they lie, never by name or number. Values are as after rescaling, such as
    Hounsfield units of CT. Needs the extra ``neuro``.

    Parameters
    ----------
    source
        A folder that holds the files, or a list of files or of data sets of pydicom. One enhanced file, whose
        frames are the slices, is a series too.
    series
        Which one, where there are several: its index in the order of their numbers, or its UID.

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
    InvalidInput
        If there is no such series.
    """
    name = name_of(source)
    found = _one(source, series, name)
    try:
        with Quiet():
            return volume_of(found, name)[0]
    except (UnusableImage, MissingExtra):
        raise
    except Exception as error:  # elements that are missing, or no numbers
        raise damaged(name, error) from None


def is_series(source: object) -> bool:
    """Tell whether this is a folder that holds DICOM files, by their content, or a list of data sets.

    Of a folder the first `LOOKED` files are opened, so that one of many pictures costs no more.
    """
    if isinstance(source, list | tuple):
        return bool(source) and all(map(dicom.is_dataset, source))
    if not isinstance(source, str | PathLike):
        return False
    try:
        return any(map(_is_dicom, _files(Path(fsdecode(source)))[:LOOKED]))
    except (OSError, ValueError):
        return False


def sides(folder: Path) -> tuple[int, ...]:
    """Return the sides of the volume that a folder's slices make, by one header; nothing of other folders."""
    slices = [file for file in _files(folder) if _is_dicom(file)]
    if not slices:
        return ()
    with slices[0].open("rb") as stream:
        one = dicom.sides(stream)
    return tuple(sorted((len(slices), *one))) if len(slices) > 1 else one


def first_slice(folder: Path) -> Path | None:
    """Return the first DICOM file of a folder, by name; None where there is none."""
    return next((file for file in _files(folder) if _is_dicom(file)), None)


def _one(source: SeriesSource, series: int | str | None, name: str) -> list[Named]:
    """Return the data sets of one series, of those that the source holds.

    Raises
    ------
    UnusableImage, InvalidInput
        As of `read_series`.
    """
    try:
        with Quiet():
            return _chosen(_gathered(source, name), series, name)
    except (InvalidInput, MissingExtra):
        raise
    except Exception as error:  # files that can't be opened
        raise damaged(name, error) from None


def parts(source: SeriesSource, name: str) -> list[list[Named]]:
    """Return the data sets of every series that the source holds."""
    return list(_parted(_gathered(source, name)).values())


def damaged(name: str, error: Exception) -> UnusableImage:
    """Return what to say of data sets that pydicom can't make out, without its own words, which may quote."""
    return UnusableImage(
        f"{name} holds a file that is damaged or can't be opened ({type(error).__name__}): fetch the series "
        "again."
    )


def name_of(source: object) -> str:
    """Return what to call a series in a sentence."""
    return quoted(fsdecode(source)) if isinstance(source, str | PathLike) else "the list of slices"


def placed(found: Sequence[Named], name: str) -> list[Slice]:
    """Return the slices of one series in their order; see `read_series` for what is refused."""
    if len(found) == 1 and enhanced.is_enhanced(found[0][1]):
        return ordered(enhanced.placed(found[0][1], name), name)
    _check_one([dataset for _, dataset in found], name)
    _check_shared([dataset for _, dataset in found], name)
    known = [(file, dataset, dicom.geometry_of(dataset)) for file, dataset in found]
    bare = [file for file, _, geometry in known if geometry is None]
    if bare:
        raise UnusableImage(
            f"{name} holds {len(bare)} {'slice' if len(bare) == 1 else 'slices'} without a place "
            f"({first_names(bare)}): give files with position, orientation and spacing."
        )
    slices = [
        Slice(file, dataset, 0, *geometry, dicom.thickness_of(dataset))
        for file, dataset, geometry in known
        if geometry is not None
    ]
    return ordered(slices, name)


def volume_of(found: Sequence[Named], name: str) -> tuple[Picture, list[Slice]]:
    """Return one series as a volume, and its slices in their order."""
    slices = placed(found, name)
    first = slices[0].dataset
    bounded(len(slices) * int(first.Rows) * int(first.Columns), name)
    if enhanced.is_enhanced(first):
        values = enhanced.values_of(first, name)
        return volume(slices, np.stack([values[each.frame] for each in slices], axis=-1)), slices
    voxels = [dicom.pixels(each.dataset, quoted(each.name), 1)[0, ..., 0] for each in slices]
    return volume(slices, np.stack(voxels, axis=-1)), slices


def _gathered(source: SeriesSource, name: str) -> list[Named]:
    """Return every image of the source, with its name; refuse what is none."""
    if isinstance(source, list | tuple):
        given = [(f"slice {number}" if dicom.is_dataset(one) else Path(fsdecode(one)).name, one)
                 for number, one in enumerate(source)]  # fmt: skip
    elif not isinstance(source, str | PathLike):
        raise InvalidInput(f"a series is a folder or a list of DICOM files, got {shown(source)}.")
    elif not Path(fsdecode(source)).is_dir():
        raise UnusableImage(f"there is no folder {name}: give the one that holds the series.")
    else:
        given = [(file.name, file) for file in _files(Path(fsdecode(source))) if file.name != "DICOMDIR"]
    opened = [(file, one if dicom.is_dataset(one) else _opened(Path(fsdecode(one)))) for file, one in given]
    found = [(file, dataset) for file, dataset in opened if dataset is not None and "Rows" in dataset]
    other = [file for file, dataset in opened if dataset is None or "Rows" not in dataset]
    if not found:
        below = _below(source)
        remedy = (
            f"the slices lie deeper, give one of {first_names(below)}"
            if below
            else "give the folder of one series"
        )
        raise UnusableImage(f"{name} holds no DICOM image: {remedy}.")
    if other:
        raise UnusableImage(
            f"{name} holds what is no DICOM image beside its slices ({first_names(other)}): a slice may be "
            "damaged. Fetch it again, or leave alone the slices there."
        )
    return found


def _below(source: SeriesSource) -> list[str]:
    """Return the folders below one that hold slices, by their path below it: of the first that are there."""
    if not isinstance(source, str | PathLike):
        return []
    place = Path(fsdecode(source))
    inside = islice((each for each in place.rglob("*") if each.is_dir()), FOLDERS)
    return sorted(str(each.relative_to(place)) for each in inside if is_series(each))


def _files(place: Path) -> list[Path]:
    """Return what lies in a folder and is not hidden, by name."""
    return [file for file in sorted(place.iterdir()) if not file.name.startswith(".")]


def _is_dicom(file: Path) -> bool:
    if not file.is_file():
        return False
    with file.open("rb") as stream:
        return stream.read(132)[128:] == dicom.MARK


def _opened(file: Path) -> Any:
    """Return the data set of a file; None where it is no DICOM file."""
    if not _is_dicom(file):
        return None
    with file.open("rb") as stream:
        return dicom.opened(stream, quoted(file))


def _chosen(found: Sequence[Named], series: int | str | None, name: str) -> list[Named]:
    """Return the data sets of one series: the only one, or the one that is named."""
    held = _parted(found)
    order = list(held.values())
    if series is None and len(order) == 1:
        return order[0]
    if isinstance(series, str) and series in held:
        return held[series]
    if isinstance(series, int) and not isinstance(series, bool) and 0 <= series < len(order):
        return order[series]
    told = ", ".join(f"{at} of {_size(part)}" for at, part in enumerate(order))
    if series is None:
        raise UnusableImage(
            f"{name} holds {len(order)} series ({told}): choose one by its index, as in "
            "`xaimri.images.read_series(folder, series=0)`, or put each into a folder of its own."
        )
    raise InvalidInput(
        f"`series` must be the index or the UID of a series in {name} ({told}), got "
        f"{series if isinstance(series, int) else 'another'}."
    )


def _parted(found: Sequence[Named]) -> dict[str, list[Named]]:
    """Return the data sets of each series by its UID, in the order of their numbers."""
    parts: dict[str, list[Named]] = {}
    for file, dataset in found:
        parts.setdefault(str(dataset.get("SeriesInstanceUID", "")), []).append((file, dataset))
    order = sorted(parts, key=lambda uid: (_number(parts[uid][0][1]), uid))
    return {uid: parts[uid] for uid in order}


def _number(dataset: Any) -> float:
    """Return the number of a series, by which scanners count them; those without come last."""
    try:
        return float(dataset.get("SeriesNumber"))
    except (TypeError, ValueError):
        return float("inf")


def _size(part: Sequence[Named]) -> str:
    """Say how many slices a series has, and how large the first is."""
    frames = sum(dicom.frames_of(dataset) for _, dataset in part)
    first = part[0][1]
    return f"{frames} slice{'s' if frames > 1 else ''} of {int(first.Rows)} x {int(first.Columns)}"


def _check_one(datasets: Sequence[Any], name: str) -> None:
    """See that all are single slices of one shape and one value a pixel."""
    kinds = Counter(
        f"{int(each.Rows)} x {int(each.Columns)} x {int(each.get('SamplesPerPixel', 1))}"
        + (" reversed" if each.get("PhotometricInterpretation") == "MONOCHROME1" else "")
        + (f" x {frames} frames" if (frames := dicom.frames_of(each)) > 1 else "")
        for each in datasets
    )
    (kind, _), *others = kinds.most_common()
    if others or not kind.removesuffix(" reversed").endswith(" x 1"):
        told = ", ".join(f"{count} of {kind}" for kind, count in kinds.most_common())
        raise UnusableImage(f"{name} holds slices of {told} values: give single slices of one value a pixel.")


SHARED = {
    "patients": "PatientID",
    "studies": "StudyInstanceUID",
    "series numbers": "SeriesNumber",
    "frames of reference": "FrameOfReferenceUID",
    "modalities": "Modality",
}
"""What all slices of one series have in common by the standard, where they say it."""


def _check_shared(datasets: Sequence[Any], name: str) -> None:
    """See that slices are of one series: where UIDs were replaced, several may have one UID."""
    said = {
        what: {str(each.get(tag, "")).strip() for each in datasets} - {"", "None"}
        for what, tag in SHARED.items()
    }
    told = [f"{len(values)} {what}" for what, values in said.items() if len(values) > 1]
    if told:
        raise UnusableImage(
            f"{name} holds slices of {', '.join(told)}: one series has one of each, so put those of another "
            "into a folder of its own."
        )
