"""NIfTI scans, read: voxels in canonical orientation, with the grid that the file has."""

from __future__ import annotations

import gzip
import io
import math
import zlib
from io import BufferedIOBase
from typing import Any

import numpy as np
from jaxtyping import Float

from xaimri.arrays import Array
from xaimri.errors import MissingExtra, UnusableImage, first_line
from xaimri.images.decoders import bounded
from xaimri.images.picture import Picture
from xaimri.images.turn import canonical

SUFFIXES = (".nii", ".nii.gz")
"""Endings of NIfTI files."""

GZIP = b"\x1f\x8b"
START = 544
"""Bytes that tell a NIfTI file: the header of the second version, and the mark behind it."""

FARTHEST = 2**26
"""Byte at which voxels may begin, at most: what lies before them are comments of other programs."""

CONTRASTS = "give one of them, or an array (*space, channels) where the model takes several contrasts"
"""What to do about a scan of several volumes."""

MILLIMETRES = {"mm": 1.0, "unknown": 1.0, "meter": 1e3, "micron": 1e-3}
"""How many millimetres a unit of length has; what isn't said is taken to be millimetres."""


def is_nifti(stream: BufferedIOBase) -> bool:
    """Tell whether a stream holds a NIfTI file, packed by gzip or not, by its first bytes."""
    stream.seek(0)
    head = stream.read(2 * START)
    stream.seek(0)
    if head.startswith(GZIP):
        try:
            head = zlib.decompressobj(wbits=31).decompress(head, START)
        except zlib.error:
            return False
    return head[344:348] in (b"n+1\0", b"ni1\0") or head[4:8] in (b"n+2\0", b"ni2\0")


def is_image(source: object) -> bool:
    """Tell whether this is an image of nibabel."""
    return all(hasattr(source, name) for name in ("affine", "header", "dataobj", "get_fdata"))


def read(
    stream: BufferedIOBase, name: str, *, kind: type[np.floating[Any]] = np.float32, several: str = CONTRASTS
) -> Picture:
    """Read a NIfTI file; its header is checked before a voxel is.

    Parameters
    ----------
    stream, name
        The file, and what to call it in a sentence.
    kind
        Of the voxels that are returned: single precision holds whole numbers up to 2**24, double all labels.
    several
        What to do about a file of several volumes.

    Returns
    -------
    Picture
        ``(*space, 1)``, axes to the right, to the front and upwards as nearly as the scan's own allow.
    """
    nibabel = package(f"reading {name}, a NIfTI scan,")
    content, header = _opened(stream, nibabel)
    if bytes(header["magic"])[:2] == b"ni":
        raise UnusableImage(f"{name} is a header without its voxels: give the file as .nii or .nii.gz.")
    shape, dtype = _shape(header, name, several), _kind(header, name)
    bounded(math.prod(shape), name)
    offset = float(header["vox_offset"])
    if not 348 <= offset <= FARTHEST:
        raise UnusableImage(f"{name} says that its voxels begin at byte {offset:.0f}: fetch the file again.")
    size = math.prod(shape) * dtype.itemsize
    if content is stream and stream.seek(0, io.SEEK_END) < offset + size:
        raise EOFError("the file ends before its last voxel")
    content.seek(0)
    voxels = np.asarray(nibabel.arrayproxy.ArrayProxy(content, header)).astype(kind)
    if content is not stream:  # its checksum is read at its end
        content.seek(int(offset) + size)
        content.read(FARTHEST)
    return _picture(voxels.reshape(shape), header, name, nibabel)


def sides(stream: BufferedIOBase) -> tuple[int, ...]:
    """Return the sides of a NIfTI file by its header, the smallest first."""
    name = "a scan"
    return tuple(sorted(_shape(_opened(stream, package(f"reading {name}"))[1], name)))


def _opened(stream: BufferedIOBase, nibabel: Any) -> tuple[Any, Any]:
    """Return the stream, unpacked where it is packed, and the header that it begins with."""
    stream.seek(0)
    packed = stream.read(2) == GZIP
    stream.seek(0)
    content: Any = gzip.GzipFile(fileobj=stream) if packed else stream
    two = content.read(4) in (b"\x1c\x02\0\0", b"\0\0\x02\x1c")
    content.seek(0)
    kind = nibabel.Nifti2Header if two else nibabel.Nifti1Header
    header = kind.from_fileobj(content, check=False)
    if float(header["pixdim"][0]) == 0:
        header["pixdim"][0] = 1  # as the standard reads it
    return content, header


def of_image(
    image: Any, name: str, *, kind: type[np.floating[Any]] = np.float32, several: str = CONTRASTS
) -> Picture:
    """Take an image of nibabel: one of NIfTI with its header, any other with its affine; else as `read`."""
    nibabel = package(f"reading {name}")
    _kind(image, name)
    header = image.header
    if not isinstance(header, nibabel.Nifti1Header):
        header = nibabel.Nifti1Image(np.zeros(image.shape[:3], np.uint8), image.affine).header
    elif image.affine is not None and not np.allclose(image.affine, header.get_best_affine()):
        header = header.copy()  # the affine was changed since the file was read: nibabel writes the new one
        header.set_sform(image.affine, 2)
    voxels = np.asarray(image.get_fdata(caching="unchanged", dtype=kind))
    return _picture(voxels.reshape(_space(tuple(image.shape), name, several)), header, name, nibabel)


def _shape(header: Any, name: str, several: str = CONTRASTS) -> tuple[int, int, int]:
    """Return the three sides that a header tells."""
    try:
        sides = tuple(int(side) for side in header.get_data_shape())
    except Exception as error:  # a count of axes that can't be
        raise UnusableImage(f"{name} has no shape ({first_line(error, 120)}): fetch it again.") from error
    return _space(sides, name, several)


def _space(sides: tuple[int, ...], name: str, several: str) -> tuple[int, int, int]:
    """Return three sides, of as many axes or of more that have one step alone."""
    told = " x ".join(map(str, sides)) or "nothing"
    if not sides or min(sides) < 1:
        raise UnusableImage(f"{name} says that it holds {told} voxels: fetch the file again.")
    if math.prod(sides[3:]) > 1:
        raise UnusableImage(f"{name} holds {math.prod(sides[3:])} volumes ({told}): {several}.")
    one, two, three = (*sides, 1, 1)[:3]
    return one, two, three


def _kind(header: Any, name: str) -> np.dtype[Any]:
    """Return what a voxel is: one real number."""
    try:
        dtype: np.dtype[Any] = np.dtype(header.get_data_dtype())
    except Exception as error:  # a code that means nothing
        told = first_line(error, 120)
        raise UnusableImage(f"{name} holds voxels of no known kind ({told}): fetch it again.") from error
    if dtype.kind not in "iuf":
        raise UnusableImage(f"{name} must hold one real number a voxel, and holds {dtype}: convert it.")
    return dtype


def _picture(voxels: Array, header: Any, name: str, nibabel: Any) -> Picture:
    """Turn voxels to canonical orientation where the header tells their own."""
    unit = _unit(header, name)
    factor = MILLIMETRES[unit]
    affine = _affine(header, name)
    sides = np.abs(np.asarray(header["pixdim"], float)[1:4]) * factor
    grid: dict[str, Any] = {
        "shape": list(voxels.shape), "affine": None if affine is None else affine.tolist(),
        "orientation": [[axis, 1] for axis in range(3)], "units": unit,
        "sform_code": int(header["sform_code"]), "qform_code": int(header["qform_code"]),
        "qform": _own_qform(header),
        "spacing": sides.tolist(), "version": 2 if isinstance(header, nibabel.Nifti2Header) else 1,
    }  # fmt: skip
    if affine is None:
        known = bool((sides > 0).all() and np.isfinite(sides).all())
        return Picture(voxels[..., None], tuple(sides.tolist()) if known else None).on(grid)
    grid["orientation"] = nibabel.orientations.io_orientation(affine).astype(int).tolist()
    return canonical(voxels, np.diag([factor, factor, factor, 1.0]) @ affine).on(grid)


def _unit(header: Any, name: str) -> str:
    """Return the unit of length."""
    try:
        return str(header.get_xyzt_units()[0])
    except KeyError as error:
        code = int(header["xyzt_units"])
        raise UnusableImage(
            f"{name} has a unit of length that NIfTI doesn't know (xyzt_units {code}): mend its header."
        ) from error


def _own_qform(header: Any) -> list[list[float]] | None:
    """Return the second way to the scanner, which may lead elsewhere than the first; None where unset."""
    try:
        qform = header.get_qform(coded=True)[0]
    except Exception:  # a quaternion that is none, beside a first form that is used
        return None
    return None if qform is None else np.asarray(qform, float).tolist()


def _affine(header: Any, name: str) -> Float[Array, "4 4"] | None:
    """Return the way to the scanner in the header's own unit; None where neither form is set."""
    try:
        affine = header.get_sform(coded=True)[0]
        affine = header.get_qform(coded=True)[0] if affine is None else affine
    except Exception as error:  # a quaternion that is none
        told = first_line(error, 120)
        raise UnusableImage(f"{name} has no valid orientation ({told}): mend its header.") from error
    if affine is None:
        return None
    affine = np.asarray(affine, float)
    lengths = np.linalg.norm(affine[:3, :3], axis=0)
    if not np.isfinite(affine).all() or abs(np.linalg.det(affine[:3, :3])) <= 1e-6 * np.prod(lengths):
        raise UnusableImage(
            f"{name} has an affine that takes different voxels to one place, or that is not finite: mend its "
            "header."
        )
    return affine


def package(purpose: str) -> Any:
    """Return the package that reads and writes scans.

    Raises
    ------
    MissingExtra
        If it is not installed.
    """
    try:
        import nibabel
    except ImportError as missing:
        raise MissingExtra("nibabel", "neuro", purpose) from missing
    return nibabel
