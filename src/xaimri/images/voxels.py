"""Voxels of a file: what its header says of their number and kind is seen to be sound before one is read."""

from __future__ import annotations

import gzip
import io
import math
import zlib
from io import BufferedIOBase
from typing import Any

import numpy as np

from xaimri.arrays import Array
from xaimri.errors import MissingExtra, UnusableImage, first_line
from xaimri.images.decoders import bounded

GZIP = b"\x1f\x8b"

HEAD = 1088
"""Bytes of a file, packed or not, in which its mark is looked for."""

FARTHEST = 2**26
"""Byte at which voxels may begin, at most: what lies before them are comments of other programs."""

CONTRASTS = (
    "give one of them (`nibabel.load(file).slicer[..., 0]`), or an array (*space, channels) where the model "
    "takes several contrasts"
)
"""What to do about a scan of several volumes."""


def head_of(stream: BufferedIOBase, length: int) -> bytes:
    """Return the first bytes of a stream, ``length`` or more, unpacked; none where that fails."""
    stream.seek(0)
    head = stream.read(HEAD)
    stream.seek(0)
    if head.startswith(GZIP):
        try:
            return zlib.decompressobj(wbits=31).decompress(head, length)
        except zlib.error:
            return b""
    return head


def unpacked(stream: BufferedIOBase) -> Any:
    """Return a stream, unpacked where it is packed."""
    stream.seek(0)
    packed = stream.read(2) == GZIP
    stream.seek(0)
    return gzip.GzipFile(fileobj=stream) if packed else stream


def read_voxels(
    content: Any, header: Any, name: str, kind: type[np.floating[Any]], several: str, least: int
) -> Array:
    """Read the voxels that a header tells of, once its sizes and kinds are found to be sound."""
    nibabel = package(f"reading {name}")
    shape, dtype = shape_of(header, name, several), kind_of(header, name)
    _check_bits(header, dtype, name)
    bounded(math.prod(shape), name)
    offset = float(header["vox_offset"]) if "vox_offset" in header.keys() else float(header.get_data_offset())  # noqa: SIM118
    if not least <= offset <= FARTHEST:
        raise UnusableImage(f"{name} says that its voxels begin at byte {offset:.0f}: fetch the file again.")
    size = math.prod(shape) * dtype.itemsize
    packed = isinstance(content, gzip.GzipFile)
    if not packed and content.seek(0, io.SEEK_END) < offset + size:
        raise EOFError("the file ends before its last voxel")
    content.seek(0)
    voxels = np.asarray(nibabel.arrayproxy.ArrayProxy(content, header)).astype(kind)
    if packed:  # its checksum is read at its end
        content.seek(int(offset) + size)
        content.read(FARTHEST)
    return voxels.reshape(shape)


def shape_of(header: Any, name: str, several: str = CONTRASTS) -> tuple[int, int, int]:
    """Return the three sides that a header tells."""
    try:
        sides = tuple(int(side) for side in header.get_data_shape())
    except Exception as error:  # a count of axes that can't be
        raise UnusableImage(f"{name} has no shape ({first_line(error, 120)}): fetch it again.") from error
    return space_of(sides, name, several)


def space_of(sides: tuple[int, ...], name: str, several: str) -> tuple[int, int, int]:
    """Return three sides, of as many axes or of more that have one step alone."""
    told = " x ".join(map(str, sides)) or "nothing"
    if not sides or min(sides) < 1:
        raise UnusableImage(f"{name} says that it holds {told} voxels: fetch the file again.")
    if math.prod(sides[3:]) > 1:
        raise UnusableImage(f"{name} holds {math.prod(sides[3:])} volumes ({told}): {several}.")
    one, two, three = (*sides, 1, 1)[:3]
    return one, two, three


def kind_of(header: Any, name: str) -> np.dtype[Any]:
    """Return what a voxel is: one real number."""
    try:
        dtype: np.dtype[Any] = np.dtype(header.get_data_dtype())
    except Exception as error:  # a code that means nothing
        told = first_line(error, 120)
        raise UnusableImage(f"{name} holds voxels of no known kind ({told}): fetch it again.") from error
    if dtype.kind not in "iuf":
        raise UnusableImage(f"{name} must hold one real number a voxel, and holds {dtype}: convert it.")
    return dtype


def _check_bits(header: Any, dtype: np.dtype[Any], name: str) -> None:
    """See that the size of a voxel, which some headers tell twice, is one."""
    bits = int(header["bitpix"]) if "bitpix" in header.keys() else 0  # noqa: SIM118 - a header is no mapping
    if bits not in (0, 8 * dtype.itemsize):
        raise UnusableImage(
            f"{name} says that a voxel has {bits} bits, and is of the kind {dtype}, which has "
            f"{8 * dtype.itemsize}: one of the two is wrong, so mend its header."
        )


def package(purpose: str) -> Any:
    """Return the package that reads and writes scans.

    Raises
    ------
    MissingExtra
        If it is not installed.
    """
    try:
        import nibabel
    except ImportError as missing:
        raise MissingExtra("nibabel", "neuro", purpose) from missing
    return nibabel
