"""Analyze scans: voxels and their spacing; the format says nothing of left and right."""

from __future__ import annotations

from io import BufferedIOBase
from typing import Any

import numpy as np

from xaimri.images.picture import Picture
from xaimri.images.voxels import CONTRASTS, head_of, package, read_voxels, shape_of, unpacked

LENGTH = 348
"""Bytes of an Analyze header, as its first number tells."""

UNITS = {"": 1.0, "mm": 1.0, "cm": 10.0, "m": 1e3, "um": 1e-3}
"""How many millimetres a unit of an Analyze header has; what isn't said is taken to be millimetres."""


def is_analyze(stream: BufferedIOBase) -> bool:
    """Tell whether a stream holds an Analyze header, which has no mark: by its length and count of axes."""
    return _is_header(head_of(stream, LENGTH))


def _is_header(head: bytes) -> bool:
    if len(head) < LENGTH or head[344:347] in (b"n+1", b"ni1"):
        return False
    little = head[:4] == LENGTH.to_bytes(4, "little")
    if not little and head[:4] != LENGTH.to_bytes(4, "big"):
        return False
    return 1 <= int.from_bytes(head[40:42], "little" if little else "big") <= 7


def read(
    stream: BufferedIOBase, voxels: BufferedIOBase, name: str, *, kind: type[np.floating[Any]] = np.float32
) -> Picture:
    """Read a scan by its Analyze header and its voxels: with the spacing, and in the order of the file."""
    header = package(f"reading {name}, a scan,").Spm2AnalyzeHeader.from_fileobj(unpacked(stream), check=False)
    found = read_voxels(unpacked(voxels), header, name, kind, CONTRASTS, 0)
    grid, spacing = grid_of(header, found.shape)
    return Picture(found[..., None], spacing).on(grid)


def sides(stream: BufferedIOBase) -> tuple[int, ...]:
    """Return the sides of an Analyze scan by its header, the smallest first."""
    nibabel = package("reading a scan")
    header = nibabel.Spm2AnalyzeHeader.from_fileobj(unpacked(stream), check=False)
    return tuple(sorted(shape_of(header, "a scan")))


def grid_of(header: Any, shape: tuple[int, ...]) -> tuple[dict[str, Any], tuple[float, ...] | None]:
    """Return the grid of an Analyze scan, and the sides of its voxels in mm where they are known.

    The format says nothing of left and right, and programs disagree: there is no affine.
    """
    unit = bytes(header["vox_units"]).split(b"\0")[0].decode("ascii", "replace").strip().lower()
    factor = UNITS.get(unit)
    sides = np.nan_to_num(np.abs(np.asarray(header["pixdim"], float)[1:4]), posinf=0.0) * (factor or 1.0)
    known = factor is not None and bool((sides > 0).all())
    grid = {
        "shape": list(shape), "affine": None, "orientation": [[axis, 1] for axis in range(3)],
        "units": "mm" if known else "unknown", "sform_code": 0, "qform_code": 0, "qform": None,
        "spacing": sides.tolist(), "version": 1,
    }  # fmt: skip
    return grid, tuple(sides.tolist()) if known else None
