"""Reading images: whatever holds pixels becomes one float32 array, channels last, intensities as stored."""

from __future__ import annotations

import io
import os
from functools import partial
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Literal, TypeAlias, cast, get_args

import numpy as np
from jaxtyping import Float

from xaimri.arguments import check_arguments
from xaimri.arrays import Array, Image
from xaimri.errors import InvalidInput, UnusableImage, first_line, shown
from xaimri.images import dicom, files, mgh, nifti, pairs, series
from xaimri.images.contrasts import Contrasts, check_channels, stacked
from xaimri.images.picture import Picture
from xaimri.images.slice_files import SliceStack
from xaimri.regular_file import quoted

if TYPE_CHECKING:
    from PIL.Image import Image as PILImage

LUMINANCE = (0.299, 0.587, 0.114)
"""Weights of red, green and blue in the grey value (ITU-R BT.601-7, section 2.5.1)."""

SUFFIXES = frozenset(
    {".bmp", ".gif", ".jpeg", ".jpg", ".npy", ".png", ".tif", ".tiff", ".webp", dicom.SUFFIX}
    | {*nifti.SUFFIXES, *mgh.SUFFIXES, *pairs.HEADERS}
)
"""Endings of file names, in lower case, that count as an image in a folder."""

LARGEST = 1e15
"""Largest magnitude of an intensity: sums of squares of such values still fit float32."""


def suffix_of(name: str) -> str:
    """Return the ending of a file's name that tells an image, as it is written there, or nothing.

    Examples
    --------
    >>> suffix_of("a.PNG"), suffix_of("sub-1.nii.gz"), suffix_of("notes.txt")
    ('.PNG', '.nii.gz', '')
    """
    path = PurePath(name)
    ending = "".join(path.suffixes[-2:]) if path.suffix.lower() == ".gz" else path.suffix
    return ending if ending.lower() in SUFFIXES else ""


def stem_of(name: str) -> str:
    """Return the name of an image file without its ending; another file's name is kept whole.

    Examples
    --------
    >>> stem_of("sub-1.nii.gz"), stem_of("v2.0.1")
    ('sub-1', 'v2.0.1')
    """
    return name.removesuffix(suffix_of(name))


Layout: TypeAlias = Literal["channels_last", "channels_first"]
"""Where an array has its axis of channels."""


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
        layout = _layout_of(np.shape(found.pixels), rank, channels, name)
    image = _channels_last(_array(found.pixels), rank, channels, name, layout)
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


def check_layout(layout: object) -> None:
    """See that there is such a place for an array's channels, or none is named."""
    if layout is not None and not (isinstance(layout, str) and layout in get_args(Layout)):
        raise InvalidInput(f'`layout` must be "channels_last" or "channels_first", got {shown(layout)}.')


@check_arguments()
def with_channels(image: Image, channels: int | None) -> Float[Array, "*space given"]:
    """Give an image the number of channels that a model takes.

    Grey is repeated, colour becomes its ITU-R 601 luminance, and None or an equal number leaves the
    image as it is.

    Raises
    ------
    UnusableImage
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
    raise UnusableImage(
        f"an image of {present} channels cannot be given {channels}: pass a grey image, or one of "
        f"{channels} channels."
    )


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


def _channels_last(pixels: Array, rank: int, channels: int | None, name: str, layout: Layout | None) -> Array:
    """Bring the array to `rank` spatial axes and one of channels."""
    if pixels.dtype.kind not in "buif":
        raise UnusableImage(
            f"{name} must hold real numbers, and this is of type {quoted(pixels.dtype)}: pass a path, "
            "the bytes of a file, a PIL image or an array of numbers."
        )
    if pixels.size == 0:
        raise UnusableImage(f"{name} is empty, of shape {pixels.shape}: pass one with at least one pixel.")
    if pixels.ndim == rank:
        return pixels[..., None]
    allowed = (1, 3, 4, channels)
    moved = np.moveaxis(pixels, 0, -1) if layout == "channels_first" and pixels.ndim > 1 else pixels
    if moved.ndim != rank + 1 or moved.shape[-1] not in allowed:
        raise UnusableImage(_misshaped(pixels.shape, rank, name, allowed, layout))
    return moved if moved.shape[-1] in (1, 3, channels) else moved[..., :3]


def _layout_of(shape: tuple[int, ...], rank: int, channels: int | None, name: str) -> Layout | None:
    """Tell where an array for a model that takes its channels first has them, or ask."""
    allowed = (1, 3, 4, channels)
    if len(shape) != rank + 1 or shape[0] not in allowed:
        return None
    if shape[-1] in allowed:
        raise UnusableImage(
            f"{name} has the shape {shape}, which can have its channels first or last, and the model takes "
            'them first: pass layout="channels_first" or layout="channels_last".'
        )
    return "channels_first"


def _misshaped(
    shape: tuple[int, ...], rank: int, name: str, allowed: tuple[int | None, ...], layout: Layout | None
) -> str:
    """Say what is wrong with a shape."""
    if len(shape) == rank + 1 and layout is None and shape[0] in allowed:
        return (
            f"{name} has the shape {shape}, which can only be channels first: pass "
            'layout="channels_first", or move the axis, as by `np.moveaxis(image, 0, -1)`.'
        )
    space = "height, width" if rank == 2 else "depth, height, width"
    axes = f"channels, {space}" if layout == "channels_first" else f"{space}, channels"
    last = layout.replace("_", " ") if layout else "channels last"
    return (
        f"{name} has the shape {shape}, and a {rank}-D model takes one image ({space}) or ({axes}) of 1, 3 "
        f"or 4 channels: pass one image at a time, {last}."
    )


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
