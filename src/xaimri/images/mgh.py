"""MGH volumes of FreeSurfer: the header, read and checked before a voxel is."""

from __future__ import annotations

from io import BufferedIOBase
from typing import Any

import numpy as np

from xaimri.images.nifti import header_of, picture_of, sound
from xaimri.images.picture import Picture
from xaimri.images.voxels import CONTRASTS, head_of, package, read_voxels, shape_of, unpacked

SUFFIXES = (".mgh", ".mgz")
"""Endings of MGH files; those that end in z are packed by gzip."""

LENGTH = 90
"""Bytes of the header that are used: what the voxels are, and where they lie."""

START = 284
"""Byte at which voxels begin."""

KINDS = range(11)
"""Numbers that the format has for what a voxel is."""


def is_mgh(stream: BufferedIOBase) -> bool:
    """Tell whether a stream holds an MGH file, packed by gzip or not, by its first bytes."""
    head = head_of(stream, LENGTH)
    version, *sides, kind = np.frombuffer(head[:24].ljust(24, b"\0"), ">i4").tolist()
    return version == 1 and all(sides) and kind in KINDS


def read(stream: BufferedIOBase, name: str, *, kind: type[np.floating[Any]] = np.float32) -> Picture:
    """Read an MGH file; as of `read`."""
    nibabel = package(f"reading {name}, a scan,")
    content = unpacked(stream)
    header, placed = _opened(content, nibabel)
    found = read_voxels(content, header, name, kind, CONTRASTS, START)
    return picture_of(
        found,
        header_of(sound(np.asarray(header.get_affine(), float), name) if placed else None),
        name,
        nibabel,
    )


def sides(stream: BufferedIOBase) -> tuple[int, ...]:
    """Return the sides of an MGH file by its header, the smallest first."""
    header, _ = _opened(unpacked(stream), package("reading a scan"))
    return tuple(sorted(shape_of(header, "a scan")))


def _opened(content: BufferedIOBase, nibabel: Any) -> tuple[Any, bool]:
    """Return the header that a stream begins with, and whether it says where the voxels lie."""
    head = content.read(LENGTH)
    if len(head) < LENGTH:
        raise EOFError("the file ends within its header")
    placed = int.from_bytes(head[28:30], "big", signed=True) > 0
    content.seek(0)
    return nibabel.freesurfer.mghformat.MGHHeader(head, check=False), placed
