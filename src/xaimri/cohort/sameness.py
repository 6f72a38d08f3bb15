"""Whether an image is still the one that was explained: by its files' stamps, else by its content."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from os import PathLike, fspath
from pathlib import Path

import numpy as np

from xaimri.cohort.cases import Listed
from xaimri.cohort.store import Store
from xaimri.data.case import Case
from xaimri.errors import XaimriError
from xaimri.failure import Failure
from xaimri.images.contrasts import Contrasts
from xaimri.images.intake import Intake, Taken
from xaimri.images.picture import Picture
from xaimri.images.scan import TakenScan
from xaimri.regular_file import sha256_of
from xaimri.sources import Named, attempt


def stamp_of(source: object) -> str | None:
    """Return when the files of an image were last written and how many bytes they have; None without files.

    Examples
    --------
    >>> stamp_of(np.ones((2, 3))), stamp_of("nowhere.png")
    (None, None)
    """
    try:
        told = [file.stat() for file in _files(source)]
    except OSError:
        return None
    if not told:
        return None
    return f"{max(each.st_mtime_ns for each in told)} {sum(each.st_size for each in told)} {len(told)}"


def image_sha256(source: object, read: Taken | TakenScan | Picture | Failure | None) -> str | None:
    """Return the SHA-256 of an image's file as it is, else of the pixels that were read."""
    own = source.source if isinstance(source, Case) else source
    if isinstance(own, str | PathLike) and Path(own).is_file():
        try:
            return sha256_of(Path(own), "check the path.")
        except XaimriError:
            return None
    if read is None or isinstance(read, Failure):
        return None
    pixels = np.ascontiguousarray(read.pixels if isinstance(read, Picture) else read.image)
    return hashlib.sha256(repr((pixels.shape, str(pixels.dtype))).encode() + pixels.tobytes()).hexdigest()


def other_images(store: Store, listed: Sequence[Listed], intake: Intake) -> list[str]:
    """Return the finished cases whose image isn't the one that was explained.

    A file that was not written since is not opened; one that lies elsewhere, or was written, is known by its
    content.
    """
    if not store.finished():
        return []
    from pyarrow import dataset

    first = next(iter(store.manifest.methods))
    columns = ["case", "stamp", "image_sha256"]
    table = store.dataset().to_table(columns=columns, filter=dataset.field("method") == first)
    case, stamp, sha256 = (table[name].to_pylist() for name in columns)
    known = {name: (one, other) for name, one, other in zip(case, stamp, sha256, strict=True)}
    return [
        one.about.case
        for one in listed
        if one.about.case in known and not _is_same(one, *known[one.about.case], intake)
    ]


def _is_same(one: Listed, stamp: str | None, sha256: str | None, intake: Intake) -> bool:
    """Tell whether an image has the stamp that a row has, or else its content."""
    now = stamp_of(one.image)
    if stamp is not None and now == stamp:
        return True
    if sha256 is None:  # what could not be read has no content to be known by
        return stamp is now is None
    own = image_sha256(one.image, None)
    if own is None:
        own = image_sha256(one.image, attempt(Named(one.about.case, one.image), intake))
    return own == sha256


def _files(source: object) -> Iterator[Path]:
    """Yield the files that an image is read from."""
    own = source.source if isinstance(source, Case) else source
    if isinstance(own, Contrasts):
        for each in own.sources.values():
            yield from _files(each)
    elif isinstance(own, str | PathLike):
        path = Path(os.fsdecode(fspath(own)))
        yield from sorted(path.iterdir()) if path.is_dir() else (path,)
