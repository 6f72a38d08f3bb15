"""Arrays in one file (``.npz``, not compressed): read only where each is as large as its header says."""

from __future__ import annotations

import io
import math
import os
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from xaimri.arrays import Array
from xaimri.errors import InvalidInput, first_line
from xaimri.regular_file import open_regular, quoted

_ENDING = ".npy"

_ENCRYPTED = 1


def write(path: Path | io.BytesIO, arrays: Mapping[str, Array]) -> None:
    """Write arrays by their names, as ``numpy.load`` reads them too."""
    with zipfile.ZipFile(path, "w") as packed:
        for name, array in arrays.items():
            with packed.open(f"{name}{_ENDING}", "w", force_zip64=True) as entry:
                np.lib.format.write_array(entry, np.asanyarray(array), allow_pickle=False)


def read(path: Path, remedy: str, *, most: int = 2**40) -> dict[str, Array]:
    """Read what :func:`write` wrote; arrays come back bit for bit.

    Nothing is allocated beyond the size of the file: what unfolds is no file of ours, and what a header says
    is held against the bytes that are there.

    Parameters
    ----------
    path
        Of the file.
    remedy
        What to do where it can't be read, in words that end the sentence.
    most
        Bytes that a file may have.

    Raises
    ------
    InvalidInput
        If there is no such file, it is damaged, or holds anything but arrays of numbers.
    StorageFault
        If the system doesn't let it be read.
    """
    with open_regular(path, remedy) as stream:
        return read_stream(stream, quoted(path), remedy, most=most)


def read_stream(
    stream: io.BytesIO | io.BufferedReader, name: str, remedy: str, *, most: int = 2**40
) -> dict[str, Array]:
    """Read the same of an open file, which a sentence calls ``name``."""
    try:
        size = stream.seek(0, os.SEEK_END)
        if size > most:
            raise ValueError(f"it has {size:,} bytes, and at most {most:,} are read")
        with zipfile.ZipFile(stream) as packed:
            entries = packed.infolist()
            _check(entries, size)
            return {e.filename.removesuffix(_ENDING): _array(packed.read(e)) for e in entries}
    except Exception as damage:  # whatever broken bytes lead a reader to
        raise InvalidInput(f"{name} is damaged ({first_line(damage)}): {remedy}") from damage


def _check(entries: list[zipfile.ZipInfo], size: int) -> None:
    """See that the entries are such as we write, and fill no more than the file."""
    if any(e.compress_type != zipfile.ZIP_STORED or e.flag_bits & _ENCRYPTED for e in entries):
        raise ValueError("it is compressed or encrypted, and what is stored here never is")
    if sum(e.file_size for e in entries) > size:
        raise ValueError("its entries are larger than the file")
    if len({e.filename for e in entries}) < len(entries) or not all(
        e.filename.endswith(_ENDING) for e in entries
    ):
        raise ValueError("its entries are not arrays of different names")


def _array(content: bytes) -> Array:
    """Return the array of an entry, if its header says what follows."""
    stream = io.BytesIO(content)
    version = np.lib.format.read_magic(stream)
    header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, fortran, dtype = header(stream)
    if dtype.kind not in "buif":
        raise ValueError("it holds something else than numbers")
    start, count = stream.tell(), math.prod(shape)
    if min(shape, default=0) < 0 or count * dtype.itemsize != len(content) - start:
        raise ValueError("an array is not as large as its header says")
    flat = np.frombuffer(content, dtype, count, start)
    array: Array = flat.reshape(shape, order="F" if fortran else "C").copy(order="K")
    return array
