"""NIfTI scans, read: voxels in canonical orientation, with the grid that the file has."""

from __future__ import annotations

from io import BufferedIOBase
from typing import Any

import numpy as np
from jaxtyping import Float

from xaimri.arrays import Array
from xaimri.errors import UnusableImage, first_line
from xaimri.images import analyze
from xaimri.images.picture import Picture
from xaimri.images.turn import canonical
from xaimri.images.voxels import (
    CONTRASTS,
    head_of,
    kind_of,
    package,
    read_voxels,
    shape_of,
    space_of,
    unpacked,
)

SUFFIXES = (".nii", ".nii.gz")
"""Endings of NIfTI files."""

START = 544
"""Bytes that tell a NIfTI file: the header of the second version, and the mark behind it."""

MILLIMETRES = {"mm": 1.0, "unknown": 1.0, "meter": 1e3, "micron": 1e-3}
"""How many millimetres a unit of length has; what isn't said is taken to be millimetres."""


LONGEST = 1e4
"""Side of a voxel, in mm, above which an affine is damaged: no scanner has one of ten metres."""


def is_nifti(stream: BufferedIOBase) -> bool:
    """Tell whether a stream holds a NIfTI file, packed by gzip or not, by its first bytes."""
    head = head_of(stream, START)
    return head[344:348] in (b"n+1\0", b"ni1\0") or head[4:8] in (b"n+2\0", b"ni2\0")


def is_image(source: object) -> bool:
    """Tell whether this is an image of nibabel."""
    return all(hasattr(source, name) for name in ("affine", "header", "dataobj", "get_fdata"))


def read(
    stream: BufferedIOBase,
    name: str,
    *,
    voxels: BufferedIOBase | None = None,
    kind: type[np.floating[Any]] = np.float32,
    several: str = CONTRASTS,
) -> Picture:
    """Read a NIfTI file; its header is checked before a voxel is.

    Parameters
    ----------
    stream, name
        The file, and what to call it in a sentence.
    voxels
        The file of the voxels, where they lie beside the header.
    kind
        Of the voxels that are returned: single precision holds whole numbers up to 2**24, double all labels.
    several
        What to do about a file of several volumes.

    Returns
    -------
    Picture
        ``(*space, 1)``, axes to the right, to the front and upwards as nearly as the scan's own allow.
    """
    nibabel = package(f"reading {name}, a scan,")
    content, header = _opened(stream, nibabel)
    if bytes(header["magic"])[:2] == b"ni" and voxels is None:
        raise UnusableImage(
            f"{name} is a header without its voxels: give its path, with the .img beside it, or the scan as "
            ".nii or .nii.gz."
        )
    if voxels is not None:
        content = unpacked(voxels)
    least = 348 if voxels is None else 0
    found = read_voxels(content, header, name, kind, several, least)
    return picture_of(found, header, name, nibabel)


def sides(stream: BufferedIOBase) -> tuple[int, ...]:
    """Return the sides of a NIfTI file by its header, the smallest first."""
    name = "a scan"
    _, header = _opened(stream, package(f"reading {name}"))
    return tuple(sorted(shape_of(header, name)))


def _opened(stream: BufferedIOBase, nibabel: Any) -> tuple[Any, Any]:
    """Return the stream, unpacked where it is packed, and the header that it begins with."""
    content = unpacked(stream)
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
    kind_of(image, name)
    header = image.header
    if not isinstance(header, nibabel.Nifti1Header):
        if isinstance(header, nibabel.AnalyzeHeader) and _is_convention(image):
            values = np.asarray(image.get_fdata(caching="unchanged", dtype=kind))
            values = values.reshape(space_of(tuple(image.shape), name, several))
            grid, spacing = analyze.grid_of(header, values.shape)
            return Picture(values[..., None], spacing).on(grid)
        header = header_of(image.affine)
    elif image.affine is not None and not np.allclose(image.affine, header.get_best_affine()):
        header = header.copy()  # the affine was changed since the file was read: nibabel writes the new one
        header.set_sform(image.affine, 2)
    voxels = np.asarray(image.get_fdata(caching="unchanged", dtype=kind))
    return picture_of(voxels.reshape(space_of(tuple(image.shape), name, several)), header, name, nibabel)


def header_of(affine: Float[Array, "4 4"] | None) -> Any:
    """Return a header of NIfTI that says what another format does: an affine in mm, or none."""
    header = package("reading a scan").Nifti1Image(np.zeros((1, 1, 1), np.uint8), affine).header
    if affine is None:
        header["pixdim"][1:4] = 0  # not known
    else:
        header.set_xyzt_units("mm")
    return header


def _is_convention(image: Any) -> bool:
    """Tell whether an affine is the one that nibabel lends to Analyze scans, which say nothing of sides."""
    return image.affine is None or bool(np.allclose(image.affine, image.header.get_best_affine()))


def picture_of(voxels: Array, header: Any, name: str, nibabel: Any) -> Picture:
    """Turn voxels to canonical orientation where the header tells their own."""
    unit = _unit(header, name)
    factor = MILLIMETRES[unit]
    affine = _affine(header, name)
    sides = np.nan_to_num(np.abs(np.asarray(header["pixdim"], float)[1:4]) * factor, posinf=0.0)
    grid: dict[str, Any] = {
        "shape": list(voxels.shape), "affine": None if affine is None else affine.tolist(),
        "orientation": [[axis, 1] for axis in range(3)], "units": unit,
        "sform_code": int(header["sform_code"]), "qform_code": int(header["qform_code"]),
        "qform": _own_qform(header),
        "spacing": sides.tolist(), "version": 2 if isinstance(header, nibabel.Nifti2Header) else 1,
    }  # fmt: skip
    if affine is None:
        known = bool((sides > 0).all())
        return Picture(voxels[..., None], tuple(sides.tolist()) if known else None).on(grid)
    sides = factor * np.linalg.norm(affine[:3, :3], axis=0)
    if sides.max() > LONGEST:
        told = " x ".join(f"{side:.3g}" for side in sides)
        raise UnusableImage(f"{name} has voxels of {told} mm by its affine: mend its header.")
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
    return sound(np.asarray(affine, float), name)


def sound(affine: Float[Array, "4 4"], name: str) -> Float[Array, "4 4"]:
    """Return an affine that is finite, and takes different voxels to different places.

    Raises
    ------
    UnusableImage
        If it is another.
    """
    lengths = np.linalg.norm(affine[:3, :3], axis=0)
    if not np.isfinite(affine).all() or abs(np.linalg.det(affine[:3, :3])) <= 1e-6 * np.prod(lengths):
        raise UnusableImage(
            f"{name} has an affine that takes different voxels to one place, or that is not finite: mend its "
            "header."
        )
    return affine
