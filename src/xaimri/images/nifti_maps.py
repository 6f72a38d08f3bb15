"""Maps as NIfTI: written on the scan's own grid, and over nothing that is no map."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from xaimri.archive import refuse_foreign, write_together
from xaimri.arrays import Array, Map
from xaimri.errors import InvalidInput
from xaimri.images import dicom
from xaimri.images.nifti import MILLIMETRES, START, SUFFIXES
from xaimri.images.turn import turned_back
from xaimri.images.voxels import FARTHEST, package

OURS = b"xaimri: "
"""How the description in the header of a map begins."""


def save(
    target: Path,
    values: Map,
    errors: Map | None,
    affine: Float[Array, "4 4"] | None,
    grid: Mapping[str, Any] | None,
    words: str,
    record: Mapping[str, Any],
) -> Path:
    """Write a map, its errors and its record beside each other; errors of another map there go.

    Raises
    ------
    InvalidInput
        If the name has another ending, a file there is no map of this package, or the place isn't known.
    """
    ending = next((end for end in reversed(SUFFIXES) if target.name.endswith(end)), None)
    if ending is None:
        raise InvalidInput(f"`{target.name}` must end in .nii or .nii.gz to be written as NIfTI.")
    stem = target.name[: -len(ending)]
    beside, told = target.with_name(f"{stem}_errors{ending}"), target.with_name(f"{stem}.json")
    refuse_foreign(target, told, beside, known=_is_ours)
    text = json.dumps(record, indent=2, allow_nan=False) + "\n"
    nibabel = package("writing NIfTI")
    files: dict[Path, str | partial[None]] = {told: text}
    if errors is not None:
        lies = image_of(errors, affine, grid, f"{words}, standard errors")
        files[beside] = partial(nibabel.save, lies)
    files[target] = partial(nibabel.save, image_of(values, affine, grid, words))
    write_together(files)
    if errors is None:
        beside.unlink(missing_ok=True)
    return target


def _is_ours(file: Path) -> bool:
    """Tell whether a file is a map or a record of this package."""
    opened: Any = gzip.open if file.suffix == ".gz" else Path.open
    try:
        if file.suffix == ".json":
            with file.open("rb") as stream:
                return b'"target_class"' in stream.read(FARTHEST)
        with opened(file, "rb") as stream:
            head = stream.read(START)
    except (OSError, EOFError, zlib.error):
        return False
    return OURS in (head[148 : 148 + len(OURS)], head[240 : 240 + len(OURS)])


def image_of(
    values: Float[Array, "*space"],
    affine: Float[Array, "4 4"] | None,
    grid: Mapping[str, Any] | None,
    words: str,
) -> Any:
    """Return a map in canonical orientation as float32 on the scan's own grid, or on its own by its affine.

    Raises
    ------
    InvalidInput
        If neither is known, or the map has another shape than the grid.
    """
    nibabel = package("writing NIfTI")
    grid = None if grid is not None and grid.get("format") == dicom.FORMAT else grid
    if grid is None and affine is None:
        raise InvalidInput(
            "where the pixels of this explanation lie is not known: explain a NIfTI file, or "
            "`xaimri.images.Picture(pixels, affine=...)`, whose maps can be written as NIfTI."
        )
    if grid is None:
        if abs(np.linalg.det(np.asarray(affine, float)[:3, :3])) < 1e-9:
            raise InvalidInput("the affine of this explanation takes different pixels to one place: mend it.")
        grid = {"units": "mm", "sform_code": 1, "qform_code": 0, "version": 1}
        own, matrix = np.asarray(values, np.float32), affine
        own = own if own.ndim == 3 else own[..., None]
    else:
        own, matrix = _undone(values, grid), grid["affine"]
    kind = nibabel.Nifti2Image if grid["version"] == 2 else nibabel.Nifti1Image
    made = kind(own, None if matrix is None else np.asarray(matrix, float))
    made.header.set_xyzt_units(grid["units"])
    made.header["descrip"] = OURS + words.encode("ascii", "replace")[: 79 - len(OURS)]
    if matrix is None:
        made.header["pixdim"][1:4] = np.asarray(grid["spacing"]) / MILLIMETRES[grid["units"]]
    else:
        qform = matrix if grid.get("qform") is None else grid["qform"]
        made.set_qform(np.asarray(qform, float), grid["qform_code"], update_affine=False)
        made.set_sform(np.asarray(matrix, float), grid["sform_code"], update_affine=False)
    return made


def _undone(values: Float[Array, "*space"], grid: Mapping[str, Any]) -> Array:
    """Turn a map back to the scan's own orientation."""
    own: Array = turned_back(np.asarray(values, np.float32), np.asarray(grid["orientation"], float))
    if list(own.shape) != list(grid["shape"]):
        raise InvalidInput(
            f"the map has the shape {own.shape}, and the scan {tuple(grid['shape'])}: explain the scan whole."
        )
    return own
