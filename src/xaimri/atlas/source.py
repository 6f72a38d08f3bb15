"""Reading label images: whole numbers, exactly as they are stored, and one for each voxel."""

from __future__ import annotations

import hashlib
import io
import os
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from jaxtyping import Float

from xaimri.arrays import Array, Labels, Stored
from xaimri.errors import InvalidInput, MissingExtra, first_line, shown
from xaimri.images import nifti
from xaimri.images.picture import Picture
from xaimri.regular_file import open_regular, quoted

LARGEST = 2**53
"""Labels below this are whole in double precision."""

Read: TypeAlias = tuple[Labels, Float[Array, "4 4"] | None, dict[int, str], str, str | None]
"""Labels, affine, names (none yet), SHA-256, and name of the file: what an `Atlas` begins with."""

PROBABLE = (
    "of a probabilistic atlas, give the label image of the likeliest region, as by `argmax` over its volumes"
)


def label_image(source: object) -> Read:
    """Read a label image from whatever holds one.

    Raises
    ------
    InvalidInput
        If it is none.
    """
    if isinstance(source, str | os.PathLike | bytes | bytearray):
        return _of_file(source)
    if nifti.is_image(source):
        name = "the atlas, an image of nibabel,"
        with _Sentence(name):
            picture = nifti.of_image(source, name, kind=np.float64, several=PROBABLE)
        return _of_picture(picture, name)
    if isinstance(source, Picture):
        return _of_picture(source, "the atlas")
    try:
        array = np.asarray(source)
    except Exception as error:  # whatever an object's own conversion raises
        raise InvalidInput(
            f"the atlas is no array ({first_line(error, 120)}): give whole numbers."
        ) from error
    if array.ndim not in (2, 3):
        raise InvalidInput(
            "`atlas` must be an xaimri.Atlas, a NIfTI file or an array of 2 or 3 axes of whole numbers, got "
            f"{shown(source)}."
        )
    labels = _whole(array, "the atlas")
    return labels, None, {}, Stored(labels).sha256, None


def _of_file(source: str | os.PathLike[str] | bytes | bytearray) -> Read:
    """Read a NIfTI file; its SHA-256 is that of the very bytes that were read."""
    if isinstance(source, bytes | bytearray):
        content, name, file = bytes(source), "the atlas given as bytes", None
    else:
        path = Path(os.fsdecode(source))
        name, file = quoted(path), path.name
        with open_regular(path, "check the path of the atlas.") as stream:
            content = stream.read()
    stored = io.BytesIO(content)
    if not nifti.is_nifti(stored):
        raise InvalidInput(
            f"{name} is no NIfTI file: give the atlas as .nii or .nii.gz, or an array of labels."
        )
    with _Sentence(name):
        picture = nifti.read(stored, name, kind=np.float64, several=PROBABLE)
    if picture.affine is None:
        raise InvalidInput(
            f"{name} has no affine, so it isn't known where its regions lie: mend its header, or give its "
            "labels as an array where they lie on the image as they are."
        )
    return (*_of_picture(picture, name)[:3], hashlib.sha256(content).hexdigest(), file)


class _Sentence:
    """Turn what a broken file raises into one sentence."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, error: BaseException | None, trace: object) -> None:
        if isinstance(
            error, InvalidInput
        ):  # an atlas is no image among others: whatever is wrong stops the call
            raise InvalidInput(str(error)) from error
        if isinstance(error, Exception) and not isinstance(error, MissingExtra):
            told = first_line(error, 120)
            raise InvalidInput(f"{self.name} is damaged or cut short ({told}): fetch it again.") from error


def _of_picture(picture: Picture, name: str) -> Read:
    """Take labels with their place."""
    pixels = picture.pixels
    if pixels.ndim == 4:
        if pixels.shape[-1] != 1:
            raise InvalidInput(
                f"{name} holds {pixels.shape[-1]} numbers a voxel, and an atlas one: {PROBABLE}."
            )
        pixels = pixels[..., 0]
    if pixels.ndim not in (2, 3):
        raise InvalidInput(f"{name} must have 2 or 3 axes, got the shape {pixels.shape}.")
    labels = _whole(pixels, name)
    affine = picture.affine
    if affine is not None and abs(np.linalg.det(affine[:3, :3])) < 1e-9:
        raise InvalidInput(f"{name} has an affine that takes different voxels to one place: mend it.")
    return labels, affine, {}, Stored(labels).sha256, None


def _whole(array: Array, name: str) -> Labels:
    """Return labels as whole numbers from 0 on, at least one of them a region."""
    if array.dtype.kind not in "buif" or not array.size:
        raise InvalidInput(f"{name} must hold whole numbers, got {array.dtype} of shape {array.shape}.")
    if array.dtype.kind == "f":
        if not np.isfinite(array).all():
            raise InvalidInput(f"{name} holds NaN or infinite labels: give 0 where there is no region.")
        odd = array[array != np.round(array)]
        if odd.size:
            raise InvalidInput(
                f"{name} holds {odd.flat[0]:.4g}, and labels are whole numbers: it may have been resampled "
                f"linearly, which mixes labels (take nearest neighbour); {PROBABLE}."
            )
    if array.min() < 0 or array.max() >= LARGEST:
        raise InvalidInput(
            f"{name} has labels from {array.min():.6g} to {array.max():.6g}: number regions from 1 on, and "
            "give 0 where there is none."
        )
    if not array.any():
        raise InvalidInput(f"{name} holds nothing but 0, so it has no region: give another file.")
    kind: Any = np.int32 if array.max() < 2**31 else np.int64
    return array.astype(kind)
