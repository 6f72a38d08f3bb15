"""The same image under two names: where it stands in two parts of a split, the test has been trained on."""

from __future__ import annotations

import hashlib
import os
from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Literal, TypeAlias, cast

import numpy as np

from xaimri.arrays import Array
from xaimri.data.case import Case, Dataset
from xaimri.errors import InvalidInput, UnusableImage, XaimriError
from xaimri.images.contrasts import Contrasts
from xaimri.images.files import holds_volume, is_scan, of_path, scan_shape
from xaimri.images.pairs import bytes_of
from xaimri.images.picture import Picture
from xaimri.images.read import read_image
from xaimri.images.slice_files import SliceStack
from xaimri.regular_file import sha256_of

OnCopies: TypeAlias = Literal["refuse", "tell"]
"""What is done where parts share an image: an error, or a sentence."""

Copies: TypeAlias = tuple[tuple[int, ...], ...]
"""Sets of positions that hold the same image."""

MOST_PIXELS = 500_000_000
"""Where the images of one size have more pixels together, only the bytes of their files are compared."""

BYTE, WIDE = np.float32(255), np.float32(257)
"""The largest value of 8 bits, and by what programs multiply them to store them in 16."""

JPEG = frozenset({".jpg", ".jpeg"})
"""Endings of files that tell an eighth of their size without being decoded whole."""


def find_copies(cases: Sequence[Case]) -> Copies:
    """Return which cases show the same image: files of equal bytes, or images of equal pixels.

    Files are hashed where another has their length. Pixels are compared among images of equal width and
    height, if these have at most `MOST_PIXELS` together: of JPEG files alone, those that are equal at an
    eighth of their size. One grey channel equals three that are alike.

    Not seen are near copies: what was compressed anew as JPEG, scaled, turned, mirrored, cropped, or windowed
    otherwise. An image of one value, such as a black slice, is no copy of another. Files that can't be read
    are none either, though their bytes be equal: whoever reads them says what is wrong.

    Costs no model call: of 6,400 JPEG slices about 3 s, of as many PNG slices, which are decoded, 8 s.

    Examples
    --------
    >>> a = np.arange(6.0).reshape(2, 3)
    >>> find_copies([Case("x", 0, "p", a), Case("y", 0, "q", a + 1), Case("z", 1, "r", a.copy())])
    ((0, 2),)
    """
    same: dict[Hashable, list[int]] = defaultdict(list)
    for position, key in (*_by_bytes(cases), *_by_pixels(cases)):
        same[key].append(position)
    sets = {tuple(found) for found in same.values() if len(found) > 1}
    return tuple(sorted(found for found in sets if _shows_something(cases[found[0]])))


def check_copies(
    cases: Sequence[Case], home: Sequence[str], copies: OnCopies = "refuse", found: Copies | None = None
) -> tuple[str, ...]:
    """Refuse cases that show one image in two parts, or return the sentence.

    Parameters
    ----------
    cases
        All of them.
    home
        Name of the part of each.
    copies
        ``"refuse"`` or ``"tell"``.
    found
        What `find_copies` found among the cases; None looks.

    Raises
    ------
    InvalidInput
        If an image is in two parts, and ``copies`` is ``"refuse"``.
    """
    if not (isinstance(copies, str) and copies in ("refuse", "tell")):
        raise InvalidInput(f'`copies` must be "refuse" or "tell", got {str(copies)[:40]!r}.')
    sets = find_copies(cases) if found is None else found
    shared = [members for members in sets if len({home[i] for i in members}) > 1]
    if not shared:
        return ()
    first = shared[0][0]
    other = next(i for i in shared[0] if home[i] != home[first])
    many = f"{len(shared)} image{'s are' if len(shared) > 1 else ' is'} in two parts"
    sentence = f"{many}: `{cases[first].id}` in {home[first]} is `{cases[other].id}` in {home[other]}"
    if copies == "tell":
        return (f"{sentence}.",)
    raise InvalidInput(
        f'{sentence}; keep one of them, give both one name in `groups=` of `split`, or pass copies="tell".'
    )


def copies_between(parts: Iterable[tuple[str, Dataset]], copies: OnCopies = "refuse") -> tuple[str, ...]:
    """Do as `check_copies` does, for parts that are there already."""
    placed = [(case, name) for name, part in parts for case in part]
    return check_copies([case for case, _ in placed], [name for _, name in placed], copies)


def copy_kind(one: Case, other: Case) -> Literal["bytes", "pixels"]:
    """Return what is equal of two cases that show the same image: the bytes of their files, or the pixels."""
    files = [bytes_of(file) for case in (one, other) if (file := _file_of(case)) is not None]
    if len(files) < 2 or None in files:
        return "pixels"
    digests = {sha256_of(file, "check the path.") for file in files if file is not None}
    return "bytes" if len(digests) == 1 else "pixels"


def _by_bytes(cases: Sequence[Case]) -> Iterator[tuple[int, Hashable]]:
    """Yield position and digest of every file that has the length of another."""
    sizes: dict[int, list[tuple[int, Path]]] = defaultdict(list)
    for position, case in enumerate(cases):
        file = _file_of(case)
        file = None if file is None else bytes_of(file)
        if file is not None and (size := _length(file)):
            sizes[size].append((position, file))
    for files in sizes.values():
        for position, file in files if len(files) > 1 else ():
            with suppress(XaimriError):  # whoever reads it says what is wrong with it
                yield position, ("bytes", sha256_of(file, "check the path."))


def _by_pixels(cases: Sequence[Case]) -> Iterator[tuple[int, Hashable]]:
    """Yield position and digest of the pixels of every image that another may equal."""
    shapes: dict[tuple[int, ...], list[int]] = defaultdict(list)
    for position, case in enumerate(cases):
        shape = _shape(case)
        if shape and np.prod(shape):
            shapes[shape].append(position)
    for shape, positions in shapes.items():
        if not 1 < len(positions) <= MOST_PIXELS / np.prod(shape):
            continue
        only_jpeg = all(_is_jpeg(cases[i]) for i in positions)
        for position in _equal_eighths(cases, positions) if only_jpeg else positions:
            image = pixels_of(cases[position])
            if image is not None:
                yield position, ("pixels", image.shape, hashlib.sha256(image.tobytes()).hexdigest())


def _equal_eighths(cases: Sequence[Case], positions: Sequence[int]) -> Iterator[int]:
    """Yield the positions of JPEG files whose brightness at an eighth of their size is another's too."""
    found: dict[Hashable, list[int]] = defaultdict(list)
    for position in positions:
        found[_eighth(cases[position])].append(position)
    for key, alike in found.items():
        yield from alike if key is not None and len(alike) > 1 else ()


def _eighth(case: Case) -> Hashable:
    """Return the digest of a JPEG file at an eighth of its size, None where it can't be read."""
    from PIL import Image

    try:
        with Image.open(cast(Path, _file_of(case))) as picture:
            picture.draft("L", (picture.width // 8, picture.height // 8))
            return picture.size, hashlib.sha256(picture.tobytes()).hexdigest()
    except Exception:  # a broken file; whoever reads it says so
        return None


def _file_of(case: Case) -> Path | None:
    """Return the file of a case, and of several contrasts that of the first."""
    source = case.source
    first = next(iter(source.sources.values())) if isinstance(source, Contrasts) else source
    return Path(first) if isinstance(first, str | os.PathLike) else None


def _is_jpeg(case: Case) -> bool:
    file = _file_of(case)
    return file is not None and file.suffix.lower() in JPEG


def _length(file: Path) -> int:
    """Return a file's length; 0 for what is no regular file."""
    try:
        return file.stat().st_size if file.is_file() else 0
    except (OSError, ValueError):
        return 0


def _shape(case: Case) -> tuple[int, ...]:
    """Return height and width as a file's first bytes tell them, or an array's first axes; or nothing."""
    from PIL import Image

    file = _file_of(case)
    if isinstance(case.source, SliceStack):
        return (len(case.source.slices),)
    if file is None:
        if isinstance(case.source, Picture):
            return case.source.pixels.shape[:2]
        shape = tuple(getattr(case.source, "shape", ()))
        return tuple(sorted(shape)) if is_scan(case.source) else shape[:2]
    try:
        if scan := scan_shape(file):
            return scan
        if not _length(file):
            return ()
        if file.suffix.lower() == ".npy":
            return tuple(np.load(file, mmap_mode="r", allow_pickle=False).shape[:2])
        with Image.open(file) as picture:
            return picture.size[::-1]
    except Exception:  # a broken file; whoever reads it says so
        return ()


def pixels_of(case: Case) -> Array | None:
    """Return the pixels as they are read, float32; of equal channels, one."""
    file = _file_of(case)
    try:
        rank = 3 if file is not None and holds_volume(file) else 2
        if isinstance(case.source, SliceStack) or is_scan(case.source):
            image = read_image(case.source, 3)
        elif isinstance(case.source, Picture):
            image = case.source.pixels
        else:
            image = np.asarray(case.source if file is None else read_image(file, rank))
    except (UnusableImage, InvalidInput):
        return None
    if image.dtype.kind not in "biuf":
        return None
    if image.ndim > 2 and image.shape[-1] in (1, 3) and (image == image[..., :1]).all():
        image = image[..., 0]
    plain = np.ascontiguousarray(image, dtype=np.float32) + np.float32(0)  # of two zeros, one
    widened = plain.max(initial=0) > BYTE and not (plain % WIDE).any()
    return plain / WIDE if widened else plain


def _shows_something(case: Case) -> bool:
    """Tell whether an image can be read, and has more than one value."""
    image = pixels_of(case)
    if image is None:
        return _is_decoded(case)
    return image.size == 0 or bool((image != image.flat[0]).any())


def _is_decoded(case: Case) -> bool:
    """Tell whether a decoder makes something of an image that is no slice, such as a volume."""
    file = _file_of(case)
    if file is None:
        return True
    for rank in (2, 3):
        with suppress(UnusableImage):
            of_path(file, rank)
            return True
    return False
