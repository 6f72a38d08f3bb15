"""DICOM images: pixels as the file's values mean, and where they lie.

Nothing but pixels and geometry is kept: no name, date or number of a patient leaves this module.
"""

from __future__ import annotations

import warnings
from io import BufferedIOBase
from typing import Any

import numpy as np
from jaxtyping import Float

from xaimri.arrays import Array
from xaimri.errors import MissingExtra, UnusableImage, first_line
from xaimri.images.decoders import bounded
from xaimri.images.picture import Picture

SUFFIX = ".dcm"
"""Ending of DICOM files in a folder; a file that is named may have any."""

MARK = b"DICM"
"""At byte 128 of a file."""

KINDS = (
    "MONOCHROME1",
    "MONOCHROME2",
    "PALETTE COLOR",
    "RGB",
    "YBR_FULL",
    "YBR_FULL_422",
    "YBR_ICT",
    "YBR_RCT",
)
"""Photometric interpretations that are read."""


def is_dataset(source: object) -> bool:
    """Tell whether this is a data set of pydicom."""
    return all(hasattr(source, name) for name in ("group_dataset", "get_private_item", "to_json_dict"))


def read(stream: BufferedIOBase, name: str, rank: int) -> Picture:
    """Read a file: a slice ``(rows, columns, channels)``, or its frames, the first axis of a volume."""
    return of_dataset(opened(stream, name), name, rank)


def of_dataset(dataset: Any, name: str, rank: int) -> Picture:
    """Take a data set of pydicom."""
    frames = int(dataset.get("NumberOfFrames") or 1)
    if "PerFrameFunctionalGroupsSequence" in dataset:
        raise UnusableImage(
            f"{name} is an enhanced file, whose frames have places and scales of their own: "
            "that is not read. Convert it to NIfTI, as by the program dcm2niix."
        )
    if frames > 1 and rank == 2:
        raise UnusableImage(
            f"{name} holds {frames} frames, and the model takes slices: give one of them as an array."
        )
    frame = pixels(dataset, name, frames)
    if rank == 2:
        return Picture(frame[0], _spacing(dataset), _affine(dataset))
    return Picture(frame)


def sides(stream: BufferedIOBase) -> tuple[int, ...]:
    """Return the sides of a DICOM slice by its header, the smaller first; nothing of another file."""
    stream.seek(128)
    if stream.read(4) != MARK:
        return ()
    stream.seek(0)
    dataset = opened(stream, "a scan", whole=False)
    return tuple(sorted((int(dataset.Rows), int(dataset.Columns))))


def opened(stream: BufferedIOBase, name: str, *, whole: bool = True) -> Any:
    """Read a data set, whole or up to its pixels; what pydicom warns of is no matter of these."""
    try:
        import pydicom
    except ImportError as missing:
        raise MissingExtra("pydicom", "neuro", f"reading {name}, a DICOM file,") from missing
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pydicom.dcmread(stream, stop_before_pixels=not whole)


def pixels(dataset: Any, name: str, frames: int) -> Float[Array, "frames rows columns c"]:
    """Decode the frames: rescaled, grey with white as the largest value, colour as red, green and blue."""
    from pydicom.pixels.processing import apply_color_lut, apply_modality_lut
    from pydicom.pixels.utils import pixel_array

    if "PixelData" not in dataset:
        raise UnusableImage(f"{name} is a DICOM file without pixels that can be shown: give an image.")
    colours = int(dataset.get("SamplesPerPixel", 1))
    bounded(frames * int(dataset.Rows) * int(dataset.Columns), name)
    kind = str(dataset.get("PhotometricInterpretation", "MONOCHROME2"))
    if kind not in KINDS:
        raise UnusableImage(f"{name} holds {kind} values, which are not read: convert it to grey or RGB.")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            stored = np.asarray(pixel_array(dataset))
        except (RuntimeError, NotImplementedError) as error:
            raise UnusableImage(
                f"{name} is packed as {dataset.file_meta.TransferSyntaxUID.name}, and can't be unpacked here "
                f"({first_line(error, 80)}): install the decoders of pydicom, pylibjpeg with its plugins, or "
                "convert it."
            ) from error
        if kind == "PALETTE COLOR":
            stored, colours = apply_color_lut(stored, dataset), 3
        elif colours == 1:
            if kind == "MONOCHROME1":
                stored = _reversed(stored, dataset)
            own = "ModalityLUTSequence" in dataset
            stored = apply_modality_lut(stored, dataset) if own else _rescaled(stored, dataset, name)
    shape = (frames, int(dataset.Rows), int(dataset.Columns), colours)
    return np.asarray(stored, np.float32).reshape(shape)


def _rescaled(stored: Array, dataset: Any, name: str) -> Array:
    """Return the values that stored ones stand for, by slope and intercept."""
    slope, intercept = (dataset.get(each) for each in ("RescaleSlope", "RescaleIntercept"))
    try:
        factor, shift = 1.0 if slope is None else float(slope), 0.0 if intercept is None else float(intercept)
    except (TypeError, ValueError):
        factor, shift = 0.0, 0.0
    if factor == 0 or not np.isfinite([factor, shift]).all():
        raise UnusableImage(
            f"{name} has a rescale slope or intercept that is no number but 0: mend its header."
        )
    return np.asarray(stored * factor + shift)


def _reversed(stored: Array, dataset: Any) -> Array:
    """Turn values of which the smallest is white, within the bits that are stored."""
    bits, signed = int(dataset.BitsStored), int(dataset.get("PixelRepresentation", 0))
    both = -1 if signed else 2**bits - 1
    return both - stored.astype(np.int64)


def _numbers(dataset: Any, name: str, count: int) -> Float[Array, " count"] | None:
    """Return the numbers of an element; None where they are missing or no numbers."""
    value = dataset.get(name)
    try:
        found = np.asarray([float(one) for one in value], float) if value is not None else np.empty(0)
    except (TypeError, ValueError):
        return None
    return found if found.shape == (count,) and np.isfinite(found).all() else None


def _spacing(dataset: Any) -> tuple[float, float] | None:
    """Return the distance between rows, and between columns, in mm."""
    for name in ("PixelSpacing", "ImagerPixelSpacing"):
        found = _numbers(dataset, name, 2)
        if found is not None and (found > 0).all():
            return float(found[0]), float(found[1])
    return None


def geometry_of(dataset: Any) -> tuple[Array, Array, Array] | None:
    """Return where the first pixel lies, and the ways from row to row and from column to column, in mm."""
    origin, directions = (
        _numbers(dataset, "ImagePositionPatient", 3),
        _numbers(dataset, "ImageOrientationPatient", 6),
    )
    spacing = _numbers(dataset, "PixelSpacing", 2)
    if origin is None or directions is None or spacing is None or not (spacing > 0).all():
        return None
    along, down = directions[:3], directions[3:]
    if not np.allclose([along @ along, down @ down, along @ down], [1, 1, 0], atol=1e-2):
        return None
    return origin, down * spacing[0], along * spacing[1]


TO_RAS = np.diag([-1.0, -1.0, 1.0])
"""DICOM's axes point to the left and to the back; ours to the right and to the front."""


def _affine(dataset: Any) -> Float[Array, "4 4"] | None:
    """Return the way from row and column of a slice to the scanner."""
    geometry = geometry_of(dataset)
    if geometry is None:
        return None
    origin, down, along = geometry
    normal = np.cross(along, down)
    return matrix(origin, down, along, normal / np.linalg.norm(normal))


def matrix(origin: Array, *ways: Array) -> Float[Array, "4 4"]:
    """Return the affine of indices along these ways, from DICOM's world (left, back, up) to ours."""
    affine = np.eye(4)
    affine[:3, :3] = TO_RAS @ np.stack(ways, axis=1)
    affine[:3, 3] = TO_RAS @ origin
    return affine
