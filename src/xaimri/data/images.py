"""Reading images: whatever holds pixels becomes one float32 array, channels last, intensities as stored."""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float

from xaimri.arrays import Array, Image, Images
from xaimri.data.case import Dataset
from xaimri.errors import InvalidInput
from xaimri.grid import Fit, Grid

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

LUMINANCE = (0.299, 0.587, 0.114)
"""Weights of red, green and blue in the grey value (ITU-R BT.601-7, section 2.5.1)."""

SUFFIXES = frozenset({".bmp", ".gif", ".jpeg", ".jpg", ".npy", ".png", ".tif", ".tiff", ".webp"})
"""Endings of file names, in lower case, that count as an image in a folder."""

_GREY = {"1": "L", "L": "L", "LA": "L", "I": "I", "F": "F"}
_BROKEN = (OSError, SyntaxError, ValueError, EOFError, IndexError, struct.error, zlib.error)


def read(source: object, rank: int = 2, channels: int | None = None) -> Image:
    """Read one image; its intensities stay as they are stored, so 8-bit files give 0 to 255.

    Parameters
    ----------
    source
        A file's path (what Pillow opens, or ``.npy``), a PIL image, or an array. An array of ``rank``
        axes is grey; one more axis holds the channels: 1, 3, or 4 of which the last, alpha, is dropped.
    rank
        Spatial axes of the model, 2 or 3. For 3, the frames of a multi-page file are its first axis.
    channels
        How many the model takes: the image comes through `with_channels`, and an array that has this
        many is taken as it is (so four sequences are four channels, not colour and alpha). None leaves
        the image's own.

    Returns
    -------
    Image
        float32 ``(*space, channels)``, an array of its own. Files that are grey have one channel;
        palettes, CMYK and other colour spaces become red, green and blue; 16-bit grey and float files
        keep their values (Pillow reduces 16-bit *colour* to 8 bits); EXIF rotation is applied.

    Raises
    ------
    InvalidInput
        If the file is missing, broken or no image, or the array is empty, not numeric, not finite, or
        of another rank.

    Examples
    --------
    >>> read(np.arange(6, dtype=np.uint8).reshape(2, 3))[..., 0]
    array([[0., 1., 2.],
           [3., 4., 5.]], dtype=float32)
    >>> read(np.zeros((5, 6, 7), np.uint8), rank=3).shape
    (5, 6, 7, 1)
    """
    if rank not in (2, 3):
        raise InvalidInput(f"`rank` must be 2 for slices or 3 for volumes, got {rank}.")
    pixels, name = _pixels(source, rank)
    image = _channels_last(pixels, rank, channels, name)
    return _finite(image, name) if channels is None else with_channels(_finite(image, name), channels)


def with_channels(image: Image, channels: int | None) -> Float[Array, "*space given"]:
    """Give an image the number of channels that a model takes.

    Grey is repeated, colour becomes its ITU-R 601 luminance, and None or an equal number leaves the
    image as it is.

    Raises
    ------
    InvalidInput
        If there is no such conversion.

    Examples
    --------
    >>> with_channels(np.full((2, 4, 1), 7.0, np.float32), 3).shape
    (2, 4, 3)
    >>> round(with_channels(np.float32([[[255, 0, 0]]]), 1).item(), 3)
    76.245
    """
    present = image.shape[-1]
    if channels is None or channels == present:
        return image
    if present == 1 and channels > 1:
        return np.repeat(image, channels, axis=-1)
    if present == 3 and channels == 1:
        grey: Array = image @ np.asarray(LUMINANCE, image.dtype)
        return grey[..., None]
    raise InvalidInput(
        f"an image of {present} channels cannot be given {channels}: pass a grey image, or one of "
        f"{channels} channels."
    )


def load(dataset: Dataset, space: Sequence[int], channels: int = 1, fit: Fit = "stretch") -> Images:
    """Read every case and fit it to a model's input, by the transform that `xaimri.explain` uses.

    Parameters
    ----------
    dataset
        Cases whose ``source`` is a file or an array.
    space
        Spatial shape of the model's input, 2 or 3 axes.
    channels
        Channels of the model's input.
    fit
        ``"stretch"`` or ``"pad"``, see `xaimri.grid.Grid.fitted`.

    Returns
    -------
    Images
        float32 ``(cases, *space, channels)``, intensities as stored.

    Raises
    ------
    InvalidInput
        If an image cannot be read; the sentence names it.

    Examples
    --------
    >>> from xaimri.data.case import Case
    >>> dataset = Dataset(("a",), (Case("x", 0, None, np.full((4, 6), 9, np.uint8)),))
    >>> load(dataset, (2, 3)).shape
    (1, 2, 3, 1)
    """
    space = tuple(int(n) for n in space)
    images = np.empty((len(dataset), *space, channels), np.float32)
    for row, case in zip(images, dataset, strict=True):
        try:
            image = read(case.source, len(space), channels)
        except InvalidInput as error:
            raise InvalidInput(f"case `{case.id}` cannot be read: {error}") from error
        grid = Grid.fitted(image.shape[:-1], space, fit)
        row[...] = np.moveaxis(grid.sample(np.moveaxis(image, -1, 0)), 0, -1)
    return images


def _pixels(source: object, rank: int) -> tuple[Array, str]:
    """Return the pixels of any source and what to call it in a sentence."""
    if isinstance(source, (str, os.PathLike)):
        path = Path(source)
        return _of_file(path, rank), f"`{path}`"
    if not isinstance(source, np.ndarray) and hasattr(source, "getbands"):
        try:
            return _of_picture(source, rank), "the PIL image"  # type: ignore[arg-type]
        except _BROKEN as error:
            raise InvalidInput(f"the PIL image cannot be decoded ({error}): open its file again.") from error
    try:
        return np.asarray(source), "the image"
    except ValueError as error:
        raise InvalidInput("the image must be a rectangular array, and this one is ragged.") from error


def _of_file(path: Path, rank: int) -> Array:
    from PIL import Image as Pillow
    from PIL import UnidentifiedImageError

    if not path.exists():
        raise InvalidInput(
            f"there is no file `{path}`: check the path, relative ones start at `{Path.cwd()}`."
        )
    if path.is_dir():
        raise InvalidInput(
            f"`{path}` is a folder: pass one image, or read it with `xaimri.data.read_folder`."
        )
    try:
        if path.suffix.lower() == ".npy":
            pixels: Array = np.load(path, allow_pickle=False)
            return pixels
        with Pillow.open(path) as picture:
            return _of_picture(picture, rank)
    except InvalidInput:
        raise
    except UnidentifiedImageError as error:
        raise InvalidInput(
            f"`{path}` is no image that Pillow can read: give PNG, JPEG, TIFF, BMP or .npy, or pass an array."
        ) from error
    except _BROKEN as error:
        raise InvalidInput(f"`{path}` is damaged or cut short ({error}): fetch the file again.") from error


def _of_picture(picture: Picture, rank: int) -> Array:
    """Decode a PIL image, all frames where the model is 3-D."""
    frames = 1 if picture.format == "MPO" else getattr(picture, "n_frames", 1)
    if frames == 1:
        return _of_frame(picture)
    if rank == 2:
        raise InvalidInput(f"the file holds {frames} frames and one is needed: pass that frame as an array.")
    stack = []
    for index in range(frames):
        picture.seek(index)
        stack.append(_of_frame(picture))
    return np.stack(stack)


def _of_frame(picture: Picture) -> Array:
    from PIL import ImageOps

    upright = ImageOps.exif_transpose(picture)
    if upright.mode.startswith("I;16"):
        return np.array(upright)
    associated = {"P": "RGBA", "PA": "RGBA", "La": "LA", "RGBa": "RGBA"}
    if upright.mode in associated:
        upright = upright.convert(associated[upright.mode])
    mode = _GREY.get(upright.mode, "RGB")
    return np.array(upright if upright.mode == mode else upright.convert(mode))


def _channels_last(pixels: Array, rank: int, channels: int | None, name: str) -> Array:
    """Bring the array to `rank` spatial axes and one of channels."""
    if pixels.dtype.kind not in "buif":
        raise InvalidInput(f"{name} must hold real numbers, and this array is of type {pixels.dtype}.")
    if pixels.size == 0:
        raise InvalidInput(f"{name} is empty, of shape {pixels.shape}: pass one with at least one pixel.")
    if pixels.ndim == rank:
        return pixels[..., None]
    if pixels.ndim == rank + 1 and pixels.shape[-1] in (1, 3, channels):
        return pixels
    if pixels.ndim == rank + 1 and pixels.shape[-1] == 4:
        return pixels[..., :3]
    axes = "(height, width" if rank == 2 else "(depth, height, width"
    raise InvalidInput(
        f"{name} has the shape {pixels.shape}, and a {rank}-D model takes one image {axes}) or "
        f"{axes}, channels) of 1, 3 or 4 channels: pass one image at a time, channels last."
    )


def _finite(pixels: Array, name: str) -> Image:
    """Copy to float32 and refuse what is no number."""
    with np.errstate(over="ignore"):
        image: Array = np.array(pixels, dtype=np.float32, order="C")
    if not np.isfinite(image).all():
        bad: Any = int((~np.isfinite(image)).sum())
        raise InvalidInput(
            f"{name} has {bad} values that are NaN or infinite: replace them, e.g. by `np.nan_to_num(image)`."
        )
    return image
