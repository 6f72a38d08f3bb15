"""Decoding pictures: every frame with the numbers that its file stores, 16-bit colour and float included.

OpenCV decodes what it reads as stored (see `xaimri.images.headers`), Pillow the rest. Pillow keeps 8 of 16
bits of colour and knows no float colour: such colour is OpenCV's too, if its high bytes are those of Pillow,
or tifffile reads the file.
"""

from __future__ import annotations

import logging
import math
import threading
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import BufferedIOBase
from typing import IO, TYPE_CHECKING, Any, cast

import numpy as np

from xaimri.arrays import Array
from xaimri.errors import UnusableImage
from xaimri.images import opencv
from xaimri.images.headers import content_of, header_of
from xaimri.images.integrity import check_chain, check_trailer
from xaimri.images.orientation import ORIENTATION, turn_of, upright

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
_BITS, _FORMAT, _PLANAR = 258, 339, 284


@dataclass(frozen=True, eq=False)
class _Frame:
    """The pixels of one frame, turned by its orientation; ``deep``: the high bytes of 16-bit colour."""

    pixels: Array
    turn: object = 1
    deep: bool = False


class _Unfaithful(Exception):  # noqa: N818
    """A decoder would give other numbers than the file stores."""


class Quiet:
    """Keep the warnings of decoders from the caller, and out of logs: a file is either read or refused.

    Those of pydicom quote what a file holds, such as a patient. Threads share one suppression, so that none
    restores the filters of another.
    """

    _lock = threading.Lock()
    _depth = 0
    _outer: Any = None
    _loggers = tuple(map(logging.getLogger, ("pydicom", "highdicom")))
    _levels: tuple[int, ...] = ()

    def __enter__(self) -> None:
        with Quiet._lock:
            if Quiet._depth == 0:
                Quiet._outer = warnings.catch_warnings()
                Quiet._outer.__enter__()
                warnings.simplefilter("ignore")
                Quiet._levels = tuple(logger.level for logger in Quiet._loggers)
                for logger in Quiet._loggers:
                    logger.setLevel(logging.CRITICAL + 1)
            Quiet._depth += 1

    def __exit__(self, *error: object) -> None:
        with Quiet._lock:
            Quiet._depth -= 1
            if Quiet._depth == 0:
                Quiet._outer.__exit__(*error)
                for logger, level in zip(Quiet._loggers, Quiet._levels, strict=True):
                    logger.setLevel(level)


def of_stream(stream: BufferedIOBase, name: str, rank: int) -> Array:
    """Decode a seekable file into ``(*space, channels)``; a volume is made of its frames."""
    pixels = _as_stored(stream, name) if rank == 2 else None
    if pixels is not None:
        return pixels
    with Quiet():
        return stacked(_frames(stream, name, rank), name, rank)


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


def _as_stored(stream: BufferedIOBase, name: str) -> Array | None:
    """Decode a slice by OpenCV, None where that is left to others."""
    header = header_of(stream)
    if header is None:
        return None
    bounded(header.height * header.width, name)
    content = content_of(stream, header)
    pixels = None if content is None else opencv.frame(content, header)
    if pixels is None or not header.turned:
        return pixels
    with Quiet(), _opened(stream) as picture:
        return upright(pixels, turn_of(picture))


def _frames(stream: BufferedIOBase, name: str, rank: int) -> list[Array]:
    """Decode every frame by Pillow, or by whatever reads it as stored."""
    from PIL import UnidentifiedImageError

    stream.seek(0)
    start = stream.read(4)
    if start in TIFF:
        check_chain(stream, start)
    if rank == 3 and start == b"GIF8":
        check_trailer(stream)
    try:
        with _opened(stream) as picture:
            frames = [_part(picture, name) for _ in _each_frame(picture, name, rank)]
        return _in_full(frames, stream) if any(f.deep for f in frames) else [f.pixels for f in frames]
    except (_Unfaithful, UnidentifiedImageError, SyntaxError):
        if start not in TIFF:
            raise
        return _by_tifffile(stream, name, rank)


def _opened(stream: BufferedIOBase) -> ImageFile:
    """Let Pillow read a file's header."""
    from PIL import Image as Pillow

    stream.seek(0)
    return Pillow.open(cast("IO[bytes]", stream), formats=FORMATS)


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


def _part(picture: ImageFile, name: str) -> _Frame:
    """Decode one frame by Pillow, of 16-bit colour the high bytes."""
    if picture.format == "TIFF":
        _check_tags(cast("TiffImageFile", picture).tag_v2)
    codes = [str(tile[3] if isinstance(tile[3], str) else tile[3][0]) for tile in picture.tile if tile[3]]
    deep = bool(codes) and not codes[0].startswith("I;") and codes[0][-4:-1] == ";16"
    if deep and codes[0][:-4] not in ("RGB", "RGBA", "RGBX", "LA"):
        raise UnusableImage(
            f"{name} holds 16-bit colour as {codes[0][:-4]}, which can't be read in full: save it as RGB."
        )
    pixels = _pixels(picture)
    return _Frame(pixels[..., :1] if deep and codes[0].startswith("LA") else pixels, turn_of(picture), deep)


def _in_full(frames: Sequence[_Frame], stream: BufferedIOBase) -> list[Array]:
    """Put OpenCV's 16 bits of colour in the place of their high bytes, which must be the same."""
    pages = _pages(stream)
    if len(pages) != len(frames):
        raise _Unfaithful("OpenCV refuses its 16 bits of colour")
    return [
        _full(frame, page) if frame.deep else frame.pixels for frame, page in zip(frames, pages, strict=True)
    ]


def _pages(stream: BufferedIOBase) -> Sequence[Array]:
    """Decode a file's frames of 16-bit colour by OpenCV; none where it refuses it."""
    header = header_of(stream)
    if header is None or header.kind != "PNG":
        stream.seek(0)
        return opencv.pages(stream.read())
    content = content_of(stream, header, turned=True)
    pixels = None if content is None else opencv.frame(content, header)
    return () if pixels is None else (pixels,)


def _full(frame: _Frame, page: Array) -> Array:
    full = upright(page[..., : frame.pixels.shape[-1]], frame.turn)
    if full.shape != frame.pixels.shape or full.dtype != np.uint16 or (full >> 8 != frame.pixels).any():
        raise _Unfaithful("its 16 bits of colour are not read alike by two decoders")
    return full


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
    return upright(pixels if pixels.ndim == 3 else pixels[..., None], turn_of(picture))


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
    parts = math.prod(page.chunked) if len(page.chunked) == len(page.shape) else None
    if not all(page.databytecounts) or len(page.databytecounts) != parts:
        raise ValueError("some of its strips are missing")
    if page.axes not in ("YX", "YXS", "SYX"):
        raise UnusableImage(
            f"{name} has pages with the axes {page.axes}: read it yourself and pass an array."
        )
    pixels: Array = page.asarray()
    pixels = np.moveaxis(pixels, 0, -1) if page.axes == "SYX" else pixels
    tag = page.tags.get(ORIENTATION)
    return upright(pixels if pixels.ndim == 3 else pixels[..., None], 1 if tag is None else int(tag.value))
