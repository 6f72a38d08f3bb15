"""Scans in two files: a header, and the voxels beside it (Analyze, and NIfTI in its older form)."""

from __future__ import annotations

from io import BufferedIOBase
from pathlib import Path

from xaimri.errors import UnusableImage
from xaimri.images.analyze import LENGTH, is_analyze
from xaimri.images.voxels import head_of
from xaimri.regular_file import open_regular, quoted

HEADERS = (".hdr", ".hdr.gz")
"""Endings of headers."""

VOXELS = (".img", ".img.gz")
"""Endings of what lies beside them."""

MARKS = (b"ni1\0", b"ni2\0")
"""How NIfTI marks a header whose voxels lie in another file."""


def is_header(stream: BufferedIOBase) -> bool:
    """Tell whether a stream holds the header of a pair, packed by gzip or not, by its first bytes."""
    head = head_of(stream, LENGTH)
    return is_analyze(stream) or head[344:348] == MARKS[0] or head[4:8] == MARKS[1]


def pair_of(path: Path) -> tuple[Path, Path] | None:
    """Return the header and the voxels of a scan in two files, by either; None of any other file.

    Raises
    ------
    UnusableImage
        If this is a header whose voxels are not there.
    """
    name = path.name.lower()
    if name.endswith(VOXELS):
        header = _beside(path, HEADERS)
        return None if header is None or not _holds_header(header) else (header, path)
    if not _holds_header(path):
        return None
    voxels = _beside(path, VOXELS)
    if voxels is None:
        raise UnusableImage(
            f"{quoted(path)} is a header without its voxels: put its .img of the same name beside it, or "
            "give the scan as .nii or .nii.gz."
        )
    return path, voxels


def is_voxels(path: Path) -> bool:
    """Tell whether a file holds the voxels of a header beside it, which stands for both."""
    return path.name.lower().endswith(VOXELS) and pair_of(path) is not None


def bytes_of(path: Path) -> Path:
    """Return the file that holds what a scan shows: of a header, the voxels beside it."""
    if not path.name.lower().endswith(HEADERS):
        return path
    try:
        pair = pair_of(path)
    except UnusableImage:
        return path
    return path if pair is None else pair[1]


def lonely(path: Path) -> str | None:
    """Say that voxels have no header beside them; None of any other file."""
    if not path.name.lower().endswith(VOXELS) or _beside(path, HEADERS) is not None:
        return None
    return (
        f"{quoted(path)} is no image by itself, and its header is not there: put its .hdr of the same name "
        "beside it, or give the scan as .nii or .nii.gz."
    )


def _beside(path: Path, endings: tuple[str, ...]) -> Path | None:
    """Return the file beside this one that has the same name and one of these endings."""
    name = path.name
    packed = name.lower().endswith(".gz")
    stem = name[:-7] if packed else name[:-4]
    order = sorted(endings, key=lambda ending: ending.endswith(".gz") is not packed)
    for ending in order:
        for spelled in (ending, ending.upper()):
            if (found := path.with_name(stem + spelled)).is_file():
                return found
    return None


def _holds_header(path: Path) -> bool:
    """Tell whether a file can be opened, and holds the header of a pair."""
    if not path.name.lower().endswith(HEADERS):
        return False
    try:
        with open_regular(path, "check the path.") as stream:
            return is_header(stream)
    except Exception:  # who reads it says why
        return False
