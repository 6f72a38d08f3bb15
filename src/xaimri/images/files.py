"""Reading image files: bytes become pixels, or one sentence says why not."""

from __future__ import annotations

import io
import math
from io import BufferedIOBase
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from xaimri.arrays import Array
from xaimri.errors import InvalidInput, first_line
from xaimri.images import pictures

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

_STARTS = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"BM", b"RIFF", *pictures.TIFF)
_NUMPY = b"\x93NUMPY"


def of_path(path: Path, rank: int) -> tuple[Array, bool]:
    """Decode a file; see `decoded`."""
    name = quoted(path)
    try:
        if not path.exists():
            raise InvalidInput(
                f"there is no file {name}: check the path, relative ones start at {quoted(Path.cwd())}."
            )
        if path.is_dir():
            raise InvalidInput(
                f"{name} is a folder: pass one image of it, or the folder by itself to `xaimri.explain`."
            )
        if not path.is_file():
            raise InvalidInput(f"{name} is no regular file: read it yourself and pass its bytes.")
        stream = path.open("rb")
    except InvalidInput:
        raise
    except (OSError, ValueError) as error:
        raise InvalidInput(f"{name} cannot be opened ({first_line(error, 120)}): check the path.") from error
    with stream:
        return decoded(stream, name, rank)


def of_stream(source: Any, rank: int) -> tuple[Array, bool]:
    """Decode an open binary file, from its start where it can be wound back; see `decoded`."""
    name = quoted(source.name) if isinstance(getattr(source, "name", None), str) else "the file"
    try:
        if source.seekable():
            source.seek(0)
        content = source.read()
    except Exception as error:  # any object that has a method `read`
        raise InvalidInput(
            f"{name} cannot be read ({first_line(error, 120)}): open it again, or pass its path."
        ) from error
    if not isinstance(content, bytes | bytearray):
        raise InvalidInput(f'{name} is open as text: open it with `open(path, "rb")`, or pass its path.')
    return decoded(io.BytesIO(content), name, rank)


def decoded(stream: BufferedIOBase, name: str, rank: int) -> tuple[Array, bool]:
    """Decode a seekable stream by its content, whatever the file is called.

    Returns
    -------
    pixels, array
        True: an array of any shape, saved as ``.npy``. False: a picture, ``(*space, channels)`` of
        ``rank`` spatial axes.
    """
    head = stream.read(8)
    if not head:
        raise InvalidInput(f"{name} is empty: fetch the file again.")
    stream.seek(0)
    try:
        with pictures.Quiet():
            if head.startswith(_NUMPY):
                return _npy(stream, name), True
            return pictures.of_stream(stream, name, rank), False
    except InvalidInput:
        raise
    except Exception as error:  # decoders raise whatever a broken file leads them to
        raise InvalidInput(_why(error, name, head.startswith((*_STARTS, _NUMPY)))) from error


def of_picture(picture: Picture, rank: int) -> Array:
    """Return the pixels of a PIL image, ``(*space, channels)``."""
    try:
        with pictures.Quiet():
            return pictures.of_picture(picture, "the PIL image", rank)
    except InvalidInput:
        raise
    except Exception as error:  # it may be closed, or decoded only now
        raise InvalidInput(
            f"the PIL image cannot be decoded ({first_line(error, 120)}): open its file again."
        ) from error


def quoted(text: object, most: int = 200) -> str:
    """Return a name in backticks, on one line and not too long."""
    line = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in str(text))
    return f"`{line}`" if len(line) <= most else f"`...{line[-most:]}`"


def _why(error: Exception, name: str, known: bool) -> str:
    """Say what is wrong with a file that a decoder refused."""
    kind = type(error).__name__
    if kind == "DecompressionBombError":
        return f"{name} unfolds to more pixels than Pillow's limit: make it smaller, or pass an array."
    if kind == "UnidentifiedImageError" and not known:
        return (
            f"{name} is no image that can be read: give PNG, JPEG, TIFF, BMP, GIF, WebP or .npy, or pass "
            "an array."
        )
    reason = (
        "its first bytes can't be made out" if kind == "UnidentifiedImageError" else first_line(error, 120)
    )
    return f"{name} is damaged, cut short or of an unknown kind ({reason}): fetch it again, or pass an array."


def _npy(stream: BufferedIOBase, name: str) -> Array:
    """Read a ``.npy`` file, after a look at its header."""
    version = np.lib.format.read_magic(stream)
    header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = header(stream)
    if dtype.kind not in "buif":
        raise InvalidInput(
            f"{name} must hold real numbers, and its type is {quoted(dtype)}: save it as float32."
        )
    size = math.prod(shape)
    pictures.bounded(size, name)
    start = stream.tell()
    if stream.seek(0, io.SEEK_END) - start < size * dtype.itemsize:
        raise EOFError("the file ends before its last value")
    stream.seek(0)
    pixels: Array = np.load(stream, allow_pickle=False)
    return pixels
