"""What picture files say of themselves before anything is decoded: which of them OpenCV reads as stored.

These are whole PNG, JPEG and TIFF files of one frame, of 8 or 16 bits of grey or colour. OpenCV reads some
others too, but not as they are stored: it multiplies the colour of some TIFFs by their alpha, turns others,
mixes up planes, and passes over damage in packed ones. So whatever leaves a doubt has no header here, and
is left to Pillow.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from io import BufferedIOBase
from typing import Literal

import numpy as np

PNG = b"\x89PNG\r\n\x1a\n"
"""First bytes of a PNG file."""

_SOI = b"\xff\xd8"
_FRAMES = (0xC0, 0xC1, 0xC2)  # of Huffman codes, baseline to progressive
_OTHER_FRAMES = {*range(0xC3, 0xD0)} - {0xC4}
_SOS, _EOI = 0xDA, 0xD9
_SEGMENTS = {*_FRAMES, 0xC4, _SOS, 0xDB, 0xDD, 0xFE, *range(0xE0, 0xF0)}
_MOST_SEGMENTS = 1000
_MOST_STRIPS = 100_000
_TURNING = (b"eXIf", b"iTXt", b"zTXt", b"tEXtRaw profile", b"tEXtXML:")  # chunks that may hold an orientation
_BEYOND = {322, 324, 338, 700, 32995, 32996, 32997}  # tiles, alpha, XMP, and what came before the standard
_DEFAULTS = {254: 0, 259: 1, 266: 1, 274: 1, 277: 1, 284: 1}
_STRIPS, _STRIP_ROWS, _STRIP_BYTES = 273, 278, 279
_WIDTH, _HEIGHT, _BITS, _PHOTOMETRIC, _SAMPLES, _FORMAT = 256, 257, 258, 262, 277, 339


@dataclass(frozen=True)
class Header:
    """A file that OpenCV reads as it is stored.

    Attributes
    ----------
    kind
        Of the file.
    height, width, channels, bits
        Of its one frame: 1 or 3 channels beside alpha, 8 or 16 bits.
    turned
        Whether it may hold an orientation.
    """

    kind: Literal["PNG", "JPEG", "TIFF"]
    height: int
    width: int
    channels: int
    bits: int
    turned: bool = False


def header_of(stream: BufferedIOBase) -> Header | None:
    """Return what a file says of itself, None where Pillow is to read it; the stream is moved."""
    stream.seek(0)
    start = stream.read(8)
    for sign, read in _KINDS.items():
        if start.startswith(sign):
            try:
                header = read(stream)
            except (struct.error, ValueError, OverflowError):  # it ends too early, or no file can be so large
                return None
            return header if header is not None and header.height and header.width else None
    return None


def content_of(stream: BufferedIOBase, header: Header, turned: bool = False) -> bytes | None:
    """Return the bytes to decode, None where the file is not whole, or much longer than its pixels.

    Parameters
    ----------
    stream, header
        The file, and what it says of itself.
    turned
        Whether an orientation is seen to elsewhere: a PNG that may hold one is then taken too.
    """
    most = header.height * header.width * header.bits + 2**20
    size = stream.seek(0, io.SEEK_END)
    if size > most:
        return None
    stream.seek(0)
    content = stream.read(size)
    if header.kind == "PNG":
        return _pixel_chunks(content, (b"acTL",) if turned else (b"acTL", *_TURNING))
    return content if header.kind == "TIFF" or _runs_to_its_end(content) else None


def _png(stream: BufferedIOBase) -> Header | None:
    chunk = stream.read(25)
    size, name, width, height, bits, colour, *methods, check = struct.unpack(">I4sIIBBBBBI", chunk)
    channels = {0: 1, 4: 1, 2: 3, 6: 3}.get(colour)
    whole = (size, name, check) == (13, b"IHDR", zlib.crc32(chunk[4:21]))
    if not whole or channels is None or bits not in (8, 16) or methods not in ([0, 0, 0], [0, 0, 1]):
        return None
    return Header("PNG", height, width, channels, bits)


def _pixel_chunks(content: bytes, refused: tuple[bytes, ...]) -> bytes | None:
    """Return a PNG of its pixels alone, without profiles, texts and colours to be seen through.

    None where a chunk is damaged or missing, or begins as one that is refused.
    """
    view, at, kept, before = memoryview(content), len(PNG), [memoryview(PNG)], b""
    while before != b"IEND":
        if at + 12 > len(content):
            return None
        size, name = struct.unpack_from(">I4s", content, at)
        end = at + 12 + size
        if end > len(content) or zlib.crc32(view[at + 4 : end - 4]) != _whole(content[end - 4 : end]):
            return None
        if content.startswith(refused, at + 4):
            return None
        wanted = name in (b"IHDR", b"IDAT", b"IEND")
        again = name == b"IDAT" != before and len(kept) > 2
        if again or (name == b"IHDR" and before) or not (wanted or name == b"PLTE" or name[:1].islower()):
            return None
        kept += [view[at:end]] if wanted else []
        at, before = end, name
    if len(kept) < 4:
        return None
    return content if sum(map(len, kept)) == len(content) else b"".join(kept)


def _whole(content: bytes) -> int:
    return int.from_bytes(content, "big")


def _jpeg(stream: BufferedIOBase) -> Header | None:
    """Read a JPEG's segments up to its pixels."""
    stream.seek(2)
    frame: Header | None = None
    turned = False
    for _ in range(_MOST_SEGMENTS):
        mark, size = struct.unpack(">HH", stream.read(4))
        if mark == 0xFFDA:
            return frame and Header("JPEG", frame.height, frame.width, frame.channels, 8, turned)
        code, body = mark - 0xFF00, stream.read(6)
        more_frames = code == 0xE2 and body.startswith(b"MPF\0")
        if (
            not 0xC0 <= code <= 0xFE
            or 0xD0 <= code <= 0xDA
            or code in _OTHER_FRAMES
            or more_frames
            or size < 2
        ):
            return None
        if code in _FRAMES:
            bits, height, width, channels = struct.unpack(">BHHB", body)
            if frame or bits != 8 or channels not in (1, 3):
                return None
            frame = Header("JPEG", height, width, channels, 8)
        turned = turned or code == 0xE1
        stream.seek(size - 2 - len(body), io.SEEK_CUR)
    return None


def _runs_to_its_end(content: bytes) -> bool:
    """Tell whether a JPEG's pixels hold no mark that can't be there, and its end mark is the last."""
    values = np.frombuffer(content, np.uint8)
    places = np.flatnonzero(values[:-1] == 0xFF)
    codes = values[places + 1]
    at, scan = 2, False
    for place in places[(codes != 0) & (codes & 0xF8 != 0xD0)].tolist():  # no value 255, no restart
        if place < at:
            continue
        code = content[place + 1]
        if code == _EOI:
            return scan and place == len(content) - 2
        if code not in _SEGMENTS or not (scan or place == at):
            return False
        at, scan = place + 2 + _whole(content[place + 2 : place + 4]), code == _SOS
    return False


def _tiff(stream: BufferedIOBase) -> Header | None:
    """Read the one directory of a TIFF whose pixels lie in strips as they are."""
    stream.seek(0)
    start = stream.read(8)
    order: Literal["<", ">"] = "<" if start[:1] == b"I" else ">"
    tags = _directory(stream, order, struct.unpack(f"{order}I", start[4:])[0])
    if (
        tags is None
        or tags.keys() & _BEYOND
        or not {_WIDTH, _HEIGHT, _BITS, _STRIPS, _STRIP_BYTES} <= tags.keys()
    ):
        return None
    first = {tag: values[0] for tag, values in tags.items()}
    samples, bits = first.get(_SAMPLES, 1), first[_BITS]
    as_stored = all(first.get(tag, least) == least for tag, least in _DEFAULTS.items() if tag != _SAMPLES)
    plain = (samples, first.get(_PHOTOMETRIC)) in ((1, 1), (3, 2)) and bits in (8, 16)
    unsigned = {*tags.get(_FORMAT, (1,))} == {1} and tags[_BITS] == (bits,) * samples
    if not (as_stored and plain and unsigned):
        return None
    header = Header("TIFF", first[_HEIGHT], first[_WIDTH], samples, bits)
    return header if _fills(tags, header, stream.seek(0, io.SEEK_END)) else None


def _directory(
    stream: BufferedIOBase, order: Literal["<", ">"], offset: int
) -> dict[int, tuple[int, ...]] | None:
    """Return the whole numbers of a TIFF's only directory, by their tags."""
    stream.seek(offset)
    (count,) = struct.unpack(f"{order}H", stream.read(2))
    entries = stream.read(12 * count)
    if stream.read(4) != bytes(4):  # cut short, or another page follows
        return None
    tags: dict[int, tuple[int, ...]] = {}
    for tag, kind, length, value in struct.iter_unpack(f"{order}HHI4s", entries):
        if tag in tags or not 0 < length <= _MOST_STRIPS:
            return None
        letter = {3: "H", 4: "I"}.get(kind)
        if letter is None:
            tags[tag] = (0,)  # known to be there
            continue
        packed = struct.Struct(f"{order}{length}{letter}")
        if packed.size > 4:
            stream.seek(struct.unpack(f"{order}I", value)[0])
            value = stream.read(packed.size)
        tags[tag] = packed.unpack(value[: packed.size])
    return tags


def _fills(tags: dict[int, tuple[int, ...]], header: Header, size: int) -> bool:
    """Tell whether the strips lie in the file and hold each row, no less and no more."""
    offsets, counts = tags[_STRIPS], tags[_STRIP_BYTES]
    rows = min(tags.get(_STRIP_ROWS, (header.height,))[0], header.height)
    if not rows or not len(offsets) == len(counts) == -(-header.height // rows):
        return False
    row = header.width * header.channels * (header.bits // 8)
    last = header.height - rows * (len(counts) - 1)
    held = counts == (rows * row,) * (len(counts) - 1) + (last * row,)
    return held and max(map(sum, zip(offsets, counts, strict=True))) <= size


_KINDS: dict[bytes, Callable[[BufferedIOBase], Header | None]] = {
    PNG: _png,
    _SOI: _jpeg,
    b"II*\0": _tiff,
    b"MM\0*": _tiff,
}
