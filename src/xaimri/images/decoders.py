"""Decoding pictures: every frame with the numbers that its file stores, 16-bit colour and float included.

Pillow decodes most files. It keeps 8 of 16 bits of colour and knows no float colour; there the low bytes
are decoded in a second pass, or tifffile reads the file.
"""

from __future__ import annotations

import io
import logging
import math
import sys
import threading
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import BufferedIOBase
from typing import IO, TYPE_CHECKING, Any, Literal, cast

import numpy as np

from xaimri.arrays import Array
from xaimri.errors import UnusableImage

if TYPE_CHECKING:
    from PIL.Image import Image as PILImage
    from PIL.ImageFile import ImageFile
    from PIL.TiffImagePlugin import TiffImageFile
    from tifffile import TiffPage

MOST_PIXELS = 100_000_000
"""Most pixels of a file, all frames together: a slice of 10,000 x 10,000, or 464 voxels along each axis.

A file is asked for its size before it is decoded, so that a small file which unfolds to more than memory
holds is refused. Arrays are in memory already and may have any size.
"""

FORMATS = ("BMP", "DIB", "GIF", "JPEG", "PNG", "TIFF", "WEBP")
"""What Pillow may decode; other formats can be passed as PIL images or arrays."""

TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
"""First bytes of a TIFF file."""

_GREY = {"1": "L", "L": "L", "LA": "L", "I": "I", "F": "F"}
_ASSOCIATED = {"P": "RGBA", "PA": "RGBA", "La": "LA", "RGBa": "RGBA"}
_SWAPPED = {"B": "L", "L": "B", "N": "B" if sys.byteorder == "little" else "L"}
_ORIENTATION, _BITS, _FORMAT, _PLANAR = 274, 258, 339, 284


@dataclass(frozen=True, eq=False)
class _Frame:
    """The pixels of one frame; ``deep`` where they are one of the two bytes of 16-bit colour."""

    pixels: Array
    deep: bool = False


class _Unfaithful(Exception):  # noqa: N818
    """Pillow would give other numbers than the file stores."""


class Quiet:
    """Keep the warnings of decoders from the caller: a file is either read or refused.

    Threads share one suppression, so that none restores the filters of another.
    """

    _lock = threading.Lock()
    _depth = 0
    _outer: Any = None

    def __enter__(self) -> None:
        with Quiet._lock:
            if Quiet._depth == 0:
                Quiet._outer = warnings.catch_warnings()
                Quiet._outer.__enter__()
                warnings.simplefilter("ignore")
            Quiet._depth += 1

    def __exit__(self, *error: object) -> None:
        with Quiet._lock:
            Quiet._depth -= 1
            if Quiet._depth == 0:
                Quiet._outer.__exit__(*error)


def of_stream(stream: BufferedIOBase, name: str, rank: int) -> Array:
    """Decode a seekable file into ``(*space, channels)``; a volume is made of its frames."""
    from PIL import UnidentifiedImageError

    start = stream.read(4)
    tiff = start in TIFF
    if tiff:
        _check_chain(stream, start)
    if rank == 3 and start == b"GIF8":
        _check_trailer(stream)
    stream.seek(0)
    try:
        high = _decoded(stream, name, rank)
    except (_Unfaithful, UnidentifiedImageError, SyntaxError):
        if not tiff:
            raise
        return stacked(_by_tifffile(stream, name, rank), name, rank)
    frames = [frame.pixels for frame in high]
    if any(frame.deep for frame in high):
        low = _decoded(stream, name, rank, low=True)
        frames = [
            a.pixels.astype(np.uint16) << 8 | b.pixels if a.deep else a.pixels
            for a, b in zip(high, low, strict=True)
        ]
    return stacked(frames, name, rank)


def of_pil(picture: PILImage, name: str, rank: int) -> Array:
    """Return a PIL image as ``(*space, channels)``; a volume is made of its frames."""
    at = picture.tell()
    frames = [_pixels(picture) for _ in _each_frame(picture, name, rank)]
    if len(frames) > 1:
        picture.seek(at)
    return stacked(frames, name, rank)


def stacked(frames: Sequence[Array], name: str, rank: int) -> Array:
    """Return the one frame of a slice, or the frames of a volume as its first axis."""
    if rank == 2:
        return frames[0]
    if len({frame.shape[:2] for frame in frames}) > 1:
        raise UnusableImage(f"{name} holds frames of different sizes: bring them to one, and pass an array.")
    most = max(frame.shape[2] for frame in frames)
    return np.stack([f if f.shape[2] == most else np.repeat(f[..., :1], most, axis=2) for f in frames])


def bounded(pixels: int, name: str) -> None:
    """Refuse what is too large to be decoded."""
    if pixels > MOST_PIXELS:
        raise UnusableImage(
            f"{name} unfolds to {pixels:,} pixels, and files of up to {MOST_PIXELS:,} are read: make it "
            "smaller, or pass its pixels as an array."
        )


def _decoded(stream: BufferedIOBase, name: str, rank: int, *, low: bool = False) -> list[_Frame]:
    """Decode all frames by Pillow; of 16-bit colour, the high or the low bytes."""
    from PIL import Image as Pillow

    with Pillow.open(cast("IO[bytes]", stream), formats=FORMATS) as picture:
        return [_part(picture, low, name) for _ in _each_frame(picture, name, rank)]


def _each_frame(picture: PILImage, name: str, rank: int) -> Iterator[int]:
    """Go to one frame after the other, if there are as many as the model's rank allows."""
    frames = 1 if picture.format == "MPO" else getattr(picture, "n_frames", 1)
    _allowed(frames, name, rank)
    bounded(math.prod(picture.size) * frames, name)
    for index in range(frames):
        if frames > 1:
            picture.seek(index)
        bounded(math.prod(picture.size), name)
        yield index


def _allowed(frames: int, name: str, rank: int) -> None:
    if rank == 2 and frames > 1:
        raise UnusableImage(f"{name} holds {frames} frames and one is needed: pass that frame as an array.")
    if rank == 3 and frames == 1:
        raise UnusableImage(
            f"{name} holds one slice, and a 3-D model takes a volume: pass a file of many frames, or an "
            "array (depth, height, width)."
        )


def _part(picture: ImageFile, low: bool, name: str) -> _Frame:
    """Decode one frame, of 16-bit colour only one byte of each value."""
    if picture.format == "TIFF":
        _check_tags(cast("TiffImageFile", picture).tag_v2)
    tiles = list(picture.tile)
    codes = [str(tile[3] if isinstance(tile[3], str) else tile[3][0]) for tile in tiles if tile[3]]
    if not codes or codes[0].startswith("I;") or codes[0][-4:-1] != ";16":
        return _Frame(_pixels(picture))
    mode = codes[0][:-4]
    if mode not in ("RGB", "RGBA", "RGBX", "LA"):
        raise UnusableImage(
            f"{name} holds 16-bit colour as {mode}, which can't be read in full: save it as RGB."
        )
    swapped = [code[:-1] + _SWAPPED[code[-1]] if low else code for code in codes]
    picture.tile = [_as(tile, "RGBA" if mode == "LA" else c) for tile, c in zip(tiles, swapped, strict=True)]
    picture.load()
    pixels = np.array(picture)  # of grey and alpha these are the grey's two bytes, then the alpha's
    chosen = pixels[..., [int(low)]] if mode == "LA" else pixels[..., :3]
    return _Frame(_upright(chosen, _turn(picture)), deep=True)


def _check_chain(stream: BufferedIOBase, start: bytes) -> None:
    """Follow a TIFF's chain of directories to its end; decoders take a broken chain for its end."""
    order: Literal["little", "big"] = "little" if start[:1] == b"I" else "big"
    large = start[2:].strip(b"\0") == b"+"
    width, counted, entry = (8, 8, 20) if large else (4, 2, 12)
    stream.seek(8 if large else 4)
    seen: set[int] = set()
    while (offset := _whole_number(stream, width, order)) and offset not in seen:
        seen.add(offset)
        stream.seek(offset)
        stream.seek(offset + counted + entry * _whole_number(stream, counted, order))


def _whole_number(stream: BufferedIOBase, width: int, order: Literal["little", "big"]) -> int:
    content = stream.read(width)
    if len(content) < width:
        raise EOFError("a directory of the TIFF file is missing")
    return int.from_bytes(content, order)


def _check_trailer(stream: BufferedIOBase) -> None:
    """Refuse a GIF without its last byte: frames may be missing."""
    size = stream.seek(0, io.SEEK_END)
    stream.seek(max(0, size - 4096))
    if not stream.read().rstrip(b"\0").endswith(b";"):
        raise EOFError("the end mark of the GIF file is missing")


def _as(tile: tuple[Any, ...], code: str) -> Any:
    """Let Pillow unpack a tile's bytes by another of its raw modes."""
    args = code if isinstance(tile[3], str) else (code, *tile[3][1:])
    replace = getattr(tile, "_replace", None)  # Pillow's tiles are named tuples since version 11
    return (*tile[:3], args) if replace is None else replace(args=args)


def _check_tags(tags: Mapping[int, Any]) -> None:
    """Leave to tifffile what Pillow opens but doesn't read as stored."""
    bits, signs = tuple(tags.get(_BITS, (1,))), tuple(tags.get(_FORMAT, (1,)))
    signed_bytes = max(bits) == 8 and signs[0] == 2
    unsigned_words = bits == (32,) and signs == (1,)
    deep_planes = max(bits) > 8 and len(bits) > 1 and tags.get(_PLANAR, 1) == 2
    if signed_bytes or unsigned_words or deep_planes:
        raise _Unfaithful


def _pixels(picture: PILImage) -> Array:
    """Return a PIL image's current frame, upright, as ``(height, width, channels)`` of 1 or 3."""
    picture.load()
    plain = picture
    if not picture.mode.startswith("I;16"):
        plain = picture.convert(_ASSOCIATED[picture.mode]) if picture.mode in _ASSOCIATED else picture
        mode = _GREY.get(plain.mode, "RGB")
        plain = plain if plain.mode == mode else plain.convert(mode)
    pixels = np.array(plain)
    return _upright(pixels if pixels.ndim == 3 else pixels[..., None], _turn(picture))


def _turn(picture: PILImage) -> object:
    """Return the orientation that is still to be applied; damaged metadata has none."""
    try:
        return picture.getexif().get(_ORIENTATION, 1)
    except Exception:  # whatever the damage leads to
        return 1


def _upright(pixels: Array, orientation: object) -> Array:
    """Turn an image by its EXIF orientation, 1 to 8."""
    if not isinstance(orientation, int) or not 2 <= orientation <= 8:
        return pixels
    turned = np.swapaxes(pixels, 0, 1) if orientation >= 5 else pixels
    down = -1 if orientation in (3, 4, 7, 8) else 1
    right = -1 if orientation in (2, 3, 6, 7) else 1
    return turned[::down, ::right]


def _by_tifffile(stream: BufferedIOBase, name: str, rank: int) -> list[Array]:
    """Decode every page of a TIFF as it is stored."""
    import tifffile

    log = logging.getLogger("tifffile")
    if not log.handlers:
        log.addHandler(logging.NullHandler())  # else it prints, beside what it raises
    stream.seek(0)
    with tifffile.TiffFile(cast("IO[bytes]", stream)) as file:
        pages = cast("list[TiffPage]", list(file.pages))
        _allowed(len(pages), name, rank)
        bounded(sum(math.prod(page.shape) // page.samplesperpixel for page in pages), name)
        return [_page(page, name) for page in pages]


def _page(page: TiffPage, name: str) -> Array:
    if not all(page.databytecounts):
        raise ValueError("some of its strips are empty")
    if page.axes not in ("YX", "YXS", "SYX"):
        raise UnusableImage(
            f"{name} has pages with the axes {page.axes}: read it yourself and pass an array."
        )
    pixels: Array = page.asarray()
    pixels = np.moveaxis(pixels, 0, -1) if page.axes == "SYX" else pixels
    tag = page.tags.get(_ORIENTATION)
    return _upright(pixels if pixels.ndim == 3 else pixels[..., None], 1 if tag is None else int(tag.value))
