"""Reading images: whatever holds pixels becomes one float32 array, channels last, intensities as stored."""

from __future__ import annotations

import io
import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np

from xaimri.arguments import check_arguments
from xaimri.arrays import Array, Image
from xaimri.errors import InvalidInput, UnusableImage, first_line
from xaimri.images import dicom, files, nifti, series
from xaimri.images.channels import Layout, channels_last, check_layout, layout_of, with_channels
from xaimri.images.contrasts import Contrasts, check_channels, stacked
from xaimri.images.picture import Picture
from xaimri.images.slice_files import SliceStack
from xaimri.regular_file import quoted

if TYPE_CHECKING:
    from PIL.Image import Image as PILImage

LARGEST = 1e15
"""Largest magnitude of an intensity: sums of squares of such values still fit float32."""


@check_arguments()
def read_image(
    source: object, rank: int = 2, channels: int | None = None, *, layout: Layout | None = None
) -> Image:
    """Read one image; its intensities stay as they are stored, so 8-bit files give 0 to 255.

    Parameters
    ----------
    source
        A path, the bytes of a file or an open one (PNG, JPEG, TIFF, BMP, GIF, WebP, ``.npy``; NIfTI, Analyze,
        MGH and DICOM with the extra ``neuro``): the content decides, not the name. A folder of slices, as of
        `read_series`. A PIL image, an image of nibabel, a data set of pydicom or a list of them,
        a `Picture`, `Contrasts` or an array. An array of ``rank`` axes is grey; one more axis
        holds the channels: 1, 3, or 4 of which the last, alpha, is dropped.
    rank
        Spatial axes of the model, 2 or 3. For 3, the frames of a multi-page file are its first axis; the axes
        of a scan point to the right, to the front and upwards (canonical orientation).
    channels
        How many the model takes: the image comes through `with_channels`, and an array that has this
        many is taken as it is (so four sequences are four channels, not colour and alpha). None leaves
        the image's own.
    layout
        Where an array or ``.npy`` file has its channels; pictures know it themselves. None is channels
        last, and asks where an array can only have them first.

    Returns
    -------
    Image
        float32 ``(*space, channels)``, an array of its own. Files that are grey have one channel;
        palettes, CMYK and other colour spaces become red, green and blue; 16-bit and float files, grey
        or colour, keep their values; EXIF rotation is applied. A PIL image gives what Pillow holds,
        which is 8 bits for colour.

    Raises
    ------
    UnusableImage
        If the file is missing, broken, no image or of more than `xaimri.images.decoders.MOST_PIXELS`
        pixels, or the array is empty, not numeric, not finite, beyond `LARGEST`, of another rank, or of
        channels that can't be brought to the model's.
    InvalidInput
        If ``rank`` or ``layout`` is none.

    Examples
    --------
    >>> read_image(np.arange(6, dtype=np.uint8).reshape(2, 3))[..., 0]
    array([[0., 1., 2.],
           [3., 4., 5.]], dtype=float32)
    >>> read_image(np.zeros((5, 6, 7), np.uint8), rank=3).shape
    (5, 6, 7, 1)
    """
    return read_picture(source, rank, channels, layout=layout).pixels


@check_arguments()
def read_picture(
    source: object,
    rank: int = 2,
    channels: int | None = None,
    *,
    layout: Layout | None = None,
    first: bool = False,
) -> Picture:
    """Read one image with what is known of where it lies; arguments and errors as of `read_image`.

    Parameters
    ----------
    source, rank, channels, layout
        As of `read_image`.
    first
        Whether the model takes its channels first itself: without a ``layout``, an array that can only have
        them there is taken so.

    Returns
    -------
    Picture
        Pixels float32 ``(*space, channels)``; spacing and affine where the source has them.

    Examples
    --------
    >>> read_picture(Picture(np.zeros((4, 6), np.uint8), spacing=(1.0, 0.5)), channels=3)
    Picture(shape=(4, 6, 3), spacing=(1.0, 0.5), affine=None)
    """
    if rank not in (2, 3):
        raise InvalidInput(f"`rank` must be 2 for slices or 3 for volumes, got {rank}.")
    check_layout(layout)
    name = _name_of(source)
    if isinstance(source, Contrasts):
        check_channels(source.names, channels)
        source = stacked(source, rank, partial(read_picture, rank=rank, layout=layout, first=first))
    found = source if isinstance(source, Picture) else _opened(source, rank)
    if isinstance(found, Picture) and len(found.contrasts) > 1:
        check_channels(found.contrasts, channels)
        channels, layout = len(found.contrasts), "channels_last"
    if not isinstance(found, Picture):
        found = Picture(found)
    elif found is not source:  # from a decoder, which has put the channels there
        layout = "channels_last"
    if first and layout is None:
        layout = layout_of(np.shape(found.pixels), rank, channels, name)
    image = channels_last(_array(found.pixels), rank, channels, name, layout)
    if found.spacing is not None and len(found.spacing) != rank:
        raise UnusableImage(
            f"{name} has a spacing along {len(found.spacing)} axes, and the model takes {rank}-D images: "
            "give one length in mm for each axis."
        )
    given = with_channels(_finite(image, name), channels)
    if found.affine is None:
        return found.with_pixels(given)
    lengths = np.linalg.norm(found.affine[:3, :rank], axis=0)
    if found.spacing is None and (lengths > 0).all():
        return Picture(given, tuple(lengths.tolist()), found.affine).on(found.scan)
    if found.spacing is not None and not np.allclose(lengths, found.spacing, rtol=1e-2):
        raise UnusableImage(
            f"{name} has a spacing of {' x '.join(f'{mm:.3g}' for mm in found.spacing)} mm, and by its "
            f"affine of {' x '.join(f'{mm:.3g}' for mm in lengths)} mm: give one of them."
        )
    return found.with_pixels(given)


def _opened(source: object, rank: int) -> Picture | Array:
    """Return what any source holds: a picture, whose axes are known, or an array."""
    if isinstance(source, str | os.PathLike):
        return files.of_path(Path(os.fsdecode(source)), rank)
    if _is_content(source):
        return files.decoded(io.BytesIO(bytes(cast("bytes", source))), _name_of(source), rank)
    if nifti.is_image(source):
        return files.of_nibabel(source, rank)
    if dicom.is_dataset(source):
        return files.of_dicom(source, rank)
    if series.is_series(source):
        return files.of_series(source, rank)
    if isinstance(source, SliceStack):
        if rank == 2:
            raise UnusableImage(
                f'{source} is a volume, and the model takes slices: give slices="all", which explains each '
                "and stacks the maps."
            )
        return source.joined(read_picture)
    if hasattr(source, "getbands") and not isinstance(source, np.ndarray):
        return files.of_pil(cast("PILImage", source), rank)
    if hasattr(source, "read") and not isinstance(source, np.ndarray):
        return files.of_stream(source, rank)
    return _array(source)


def _name_of(source: object) -> str:
    """Return what to call an image in a sentence."""
    if isinstance(source, str | os.PathLike):
        return quoted(os.fsdecode(source))
    if _is_content(source):
        return "the file given as bytes"
    if isinstance(source, np.ndarray):
        return "the image"
    if series.is_series(source):
        return series.name_of(source)
    if hasattr(source, "getbands"):
        return "the PIL image"
    return "the file" if hasattr(source, "read") else "the image"


def _is_content(source: object) -> bool:
    """Tell whether these are the bytes of a file."""
    return isinstance(source, bytes | bytearray) or (isinstance(source, memoryview) and source.ndim == 1)


def _array(source: object) -> Array:
    if isinstance(source, np.ma.MaskedArray) and source.mask.any():
        raise UnusableImage("the image has masked pixels: give them a value, as by `image.filled(0)`.")
    try:
        return np.asarray(source)
    except Exception as error:  # whatever an object's own conversion raises
        if isinstance(source, list | tuple):
            raise UnusableImage("the image must be a rectangular array, and this one is ragged.") from error
        raise UnusableImage(
            f"the image, of type {type(source).__name__}, is no array ({first_line(error, 120)}): pass a "
            "NumPy array."
        ) from error


def _finite(pixels: Array, name: str) -> Image:
    """Copy to float32 and refuse what is no number, or none that can be computed with."""
    with np.errstate(all="ignore"):
        image: Array = np.array(pixels, dtype=np.float32, order="C", subok=False)
    if pixels.dtype.kind in "bui" and pixels.dtype.itemsize <= 4:
        return image  # whole numbers of at most 4 bytes, of which none is too large
    bad = int((~np.isfinite(pixels)).sum())
    if bad:
        raise UnusableImage(
            f"{name} has {bad} values that are NaN or infinite: replace them, e.g. by `np.nan_to_num(image)`."
        )
    if max(image.max(), -image.min()) > LARGEST:
        raise UnusableImage(
            f"{name} has values beyond {LARGEST:g}, with which float32 overflows: divide it by its largest."
        )
    return image
