"""DICOM images: pixels as the file's values mean, and where they lie.

Nothing but pixels and geometry is kept: no name, date or number of a patient leaves this module.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from io import BufferedIOBase
from typing import Any

import numpy as np
from jaxtyping import Float

from xaimri.arrays import Array
from xaimri.errors import MissingExtra, UnusableImage, first_line
from xaimri.images.decoders import Quiet, bounded
from xaimri.images.frames import both_ends
from xaimri.images.header_window import window_told
from xaimri.images.picture import Picture
from xaimri.images.turn import turn_of

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

RARE = ("ARGB", "CMYK", "HSV", "YBR_PARTIAL_420", "YBR_PARTIAL_422")
"""Those that the standard names beside them."""

STORED = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")
"""Elements that hold pixels."""

FORMAT = "dicom"
"""The format that `Picture.scan` names of a DICOM image."""


def is_bare(head: bytes) -> bool:
    """Tell whether bytes look like a data set without what comes before it in a file: by their first tag."""
    return head[:2] in (b"\x02\0", b"\x08\0") and head[3:4] == b"\0" and len(head) > 8


def is_dataset(source: object) -> bool:
    """Tell whether this is a data set of pydicom."""
    return all(hasattr(source, name) for name in ("group_dataset", "get_private_item", "to_json_dict"))


def of_dataset(dataset: Any, name: str, rank: int) -> Picture:
    """Take a plain data set of pydicom: a slice ``(rows, columns, channels)``, or its frames as a volume."""
    frames = frames_of(dataset)
    if frames > 1 and rank == 2:
        raise UnusableImage(
            f'{name} holds {frames} frames, and the model takes slices: give slices="all", or one of '
            "them as an array."
        )
    frame = pixels(dataset, name, frames)
    marks = {**marks_of([dataset]), "window": window_told([(dataset, 0)])}
    if rank == 3:
        return Picture(frame).on(grid(frame.shape[:3], None, marks))
    affine = slice_affine(geometry_of(dataset))
    return Picture(frame[0], _spacing(dataset), affine).on(grid(frame.shape[1:3], affine, marks))


def frames_of(dataset: Any) -> int:
    """Return how many frames a data set says that it holds."""
    return int(dataset.get("NumberOfFrames") or 1)


def marks_of(datasets: Iterable[Any]) -> dict[str, Any]:
    """Return what files say of the patient in them, and nothing of the patient.

    ``burned_in``: text is burned into pixels. ``identity_removed``: True or False where a file says so, else
    None; one that says no outweighs the others.
    """
    held = list(datasets)
    burned = {str(each.get("BurnedInAnnotation", "")).strip().upper() for each in held}
    removed = {str(each.get("PatientIdentityRemoved", "")).strip().upper() for each in held}
    told = False if "NO" in removed else True if removed == {"YES"} else None
    return {"burned_in": "YES" in burned, "identity_removed": told}


def grid(
    shape: Sequence[int], affine: Float[Array, "4 4"] | None, marks: Mapping[str, Any]
) -> dict[str, Any]:
    """Return what is kept of where a DICOM image lies, as plain numbers; a slice's axes are never turned."""
    turned = affine is not None and len(shape) == 3
    turn = turn_of(affine).astype(int).tolist() if turned else [[axis, 1] for axis in range(3)]  # type: ignore[arg-type]
    own = None if affine is None else np.asarray(affine).tolist()
    return {"format": FORMAT, "shape": list(shape), "affine": own, "orientation": turn, **marks}


def sides(stream: BufferedIOBase) -> tuple[int, ...]:
    """Return the sides of a DICOM image by its header, the smallest first; nothing of another file."""
    stream.seek(128)
    if stream.read(4) != MARK:
        return ()
    stream.seek(0)
    dataset = opened(stream, "a scan", whole=False)
    frames = [count] if (count := frames_of(dataset)) > 1 else []
    return tuple(sorted((int(dataset.Rows), int(dataset.Columns), *frames)))


def is_volume(stream: BufferedIOBase) -> bool:
    """Tell whether a stream holds a DICOM file of several frames."""
    stream.seek(128)
    if stream.read(4) != MARK:
        return False
    stream.seek(0)
    return frames_of(opened(stream, "a scan", whole=False)) > 1


def opened(stream: BufferedIOBase, name: str, *, whole: bool = True) -> Any:
    """Read a data set, whole or up to its pixels; what pydicom warns of is no matter of these."""
    try:
        import pydicom
    except ImportError as missing:
        raise MissingExtra("pydicom", "neuro", f"reading {name}, a DICOM file,") from missing
    with Quiet():
        return pydicom.dcmread(stream, stop_before_pixels=not whole)


def pixels(
    dataset: Any, name: str, frames: int, scales: Sequence[Any] | None = None
) -> Float[Array, "frames rows columns c"]:
    """Decode the frames: rescaled, grey with white as the largest value, colour as red, green and blue.

    ``scales`` are the data sets that hold the slope and intercept of each frame, where they have their own.
    """
    from pydicom.pixels.processing import apply_color_lut, apply_modality_lut

    if not any(each in dataset for each in STORED):
        raise UnusableImage(f"{name} is a DICOM file without pixels that can be shown: give an image.")
    if "MOSAIC" in (dataset.get("ImageType") or ()):
        raise UnusableImage(
            f"{name} is a mosaic, whose slices lie side by side in one picture: part it, as by the program "
            "dcm2niix, or give an array."
        )
    colours = int(dataset.get("SamplesPerPixel", 1))
    shape = (frames, int(dataset.Rows), int(dataset.Columns), colours)
    bounded(math.prod(shape[:3]), name)
    kind = str(dataset.get("PhotometricInterpretation", "MONOCHROME2"))
    if kind not in KINDS:
        told = kind if kind in RARE else "unknown"
        raise UnusableImage(f"{name} holds {told} values, which are not read: convert it to grey or RGB.")
    _check_bits(dataset, name)
    with Quiet():
        stored = _decoded(dataset, name)
        if kind == "PALETTE COLOR":
            stored, shape = apply_color_lut(stored, dataset), (*shape[:3], 3)
        elif colours == 1:
            if kind == "MONOCHROME1":
                stored = _reversed(stored, dataset)
            if scales is not None:
                each = zip(stored.reshape(shape[:3]), scales, strict=True)
                stored = np.stack([_rescaled(frame, scale, name) for frame, scale in each])
            elif "ModalityLUTSequence" in dataset:
                stored = apply_modality_lut(stored, dataset)
            else:
                stored = _rescaled(stored, dataset, name)
    return np.asarray(stored, np.float32).reshape(shape)


def _check_bits(dataset: Any, name: str) -> None:
    """See that values lie in the lowest bits, as the standard asks: pydicom reads those, whatever is said.

    Packed values are counted by their own format, those by RLE excepted.
    """
    from pydicom.uid import RLELossless

    syntax = getattr(getattr(dataset, "file_meta", None), "TransferSyntaxUID", None)
    bits, high = dataset.get("BitsStored"), dataset.get("HighBit")
    packed = syntax is not None and syntax.is_transfer_syntax and syntax.is_compressed
    if bits is None or high is None or high == bits - 1 or (packed and syntax != RLELossless):
        return
    raise UnusableImage(
        f"{name} holds values up to bit {int(high)}, and by the standard {int(bits)} bits lie up to bit "
        f"{int(bits) - 1}: mend its header or convert it, or give its values as an array."
    )


def _decoded(dataset: Any, name: str) -> Array:
    """Return the values as they are stored."""
    from pydicom.pixels.utils import pixel_array

    try:
        return np.asarray(pixel_array(dataset))
    except (RuntimeError, NotImplementedError) as error:
        raise UnusableImage(
            f"{name} is packed as {dataset.file_meta.TransferSyntaxUID.name}, and can't be unpacked here "
            f"({first_line(error, 80)}): install the decoders of pydicom, pylibjpeg with its plugins, or "
            "convert it."
        ) from None


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
    return both_ends(dataset) - stored.astype(np.int64)


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


def geometry_of(
    place: Any, orientation: Any = None, measures: Any = None
) -> tuple[Array, Array, Array] | None:
    """Return where the first pixel lies, and the ways from row to row and from column to column, in mm.

    By default one data set holds all of it; None where something is missing.
    """
    orientation = place if orientation is None else orientation
    measures = place if measures is None else measures
    origin, directions = (
        _numbers(place, "ImagePositionPatient", 3),
        _numbers(orientation, "ImageOrientationPatient", 6),
    )
    spacing = _numbers(measures, "PixelSpacing", 2)
    if origin is None or directions is None or spacing is None or not (spacing > 0).all():
        return None
    along, down = directions[:3], directions[3:]
    if not np.allclose([along @ along, down @ down, along @ down], [1, 1, 0], atol=1e-2):
        return None
    return origin, down * spacing[0], along * spacing[1]


def thickness_of(dataset: Any) -> float | None:
    """Return how thick a slice says that it is, in mm."""
    try:
        thickness = float(dataset.get("SliceThickness") or 0)
    except (TypeError, ValueError):
        return None
    return thickness if np.isfinite(thickness) and thickness > 0 else None


TO_RAS = np.diag([-1.0, -1.0, 1.0])
"""DICOM's axes point to the left and to the back; ours to the right and to the front."""


def slice_affine(geometry: tuple[Array, Array, Array] | None) -> Float[Array, "4 4"] | None:
    """Return the way from row and column of a slice to the scanner."""
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
