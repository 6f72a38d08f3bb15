"""Whether a file still has all of its frames: decoders take the place where it was cut for its end."""

from __future__ import annotations

import io
from io import BufferedIOBase
from typing import Literal


def check_chain(stream: BufferedIOBase, start: bytes) -> None:
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


def check_trailer(stream: BufferedIOBase) -> None:
    """Refuse a GIF without its last byte: frames may be missing."""
    size = stream.seek(0, io.SEEK_END)
    stream.seek(max(0, size - 4096))
    if not stream.read().rstrip(b"\0").endswith(b";"):
        raise EOFError("the end mark of the GIF file is missing")
