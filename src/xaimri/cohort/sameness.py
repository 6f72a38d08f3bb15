"""Whether an image is still the one that was explained: by its files' stamps, else by its content."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Collection, Sequence
from os import PathLike
from pathlib import Path

import numpy as np

from xaimri.cohort.cases import Listed
from xaimri.cohort.part_files import file_of
from xaimri.cohort.store import OTHER_ROWS, ROWS, Store
from xaimri.data.case import Case
from xaimri.errors import InvalidInput, XaimriError
from xaimri.failure import Failure
from xaimri.images.contrasts import Contrasts
from xaimri.images.intake import Intake
from xaimri.images.picture import Picture
from xaimri.images.scan import TakenScan
from xaimri.images.taken import Taken
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
        told = _stats(source)
    except (OSError, ValueError):
        return None
    if not told:
        return None
    if len(told) == 1:
        return f"{told[0].st_mtime_ns} {told[0].st_size} 1"
    known = hashlib.sha256(repr([(each.st_mtime_ns, each.st_size) for each in told]).encode()).hexdigest()
    return f"{known} {sum(each.st_size for each in told)} {len(told)}"


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


def other_images(
    store: Store, listed: Sequence[Listed], intake: Intake, passed: Collection[str] = ()
) -> list[str]:
    """Return the finished cases, but for those passed over, whose image isn't the one that was explained.

    A file that was not written since is not opened; one that lies elsewhere, or was written, is known by its
    content.

    Raises
    ------
    InvalidInput
        If a part's file has other rows than those of its cases.
    """
    parts = sorted(store.finished())
    columns = ["case", "method", "stamp", "image_sha256"]
    case, method, stamp, sha256 = (column.to_pylist() for column in store.table(columns).columns)
    methods = list(store.manifest.methods)
    cases = [listed[place].about.case for part in parts for place in store.bounds(part)]
    if case != [name for name in cases for _ in methods] or method != methods * len(cases):
        for part in parts:  # says which it is
            _check_cases(store, part, [listed[place].about.case for place in store.bounds(part)])
    known = dict(zip(cases, zip(stamp[:: len(methods)], sha256[:: len(methods)], strict=True), strict=True))
    return [
        one.about.case
        for one in listed
        if one.about.case in known
        and one.about.case not in passed
        and not is_same(one, *known[one.about.case], intake)
    ]


def _check_cases(store: Store, part: int, cases: Sequence[str]) -> None:
    """See that a part's file has the rows of its cases."""
    if store.read(part)["case"].to_pylist()[:: len(store.manifest.methods)] != cases:
        raise InvalidInput(OTHER_ROWS.format(file_of(ROWS, part), store.place.name))


def is_same(one: Listed, stamp: str | None, sha256: str | None, intake: Intake) -> bool:
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


def _stats(source: object) -> list[os.stat_result]:
    """Return what the system tells of the files that an image is read from; each is asked for once."""
    own = source.source if isinstance(source, Case) else source
    if isinstance(own, Contrasts):
        return [told for each in own.sources.values() for told in _stats(each)]
    if not isinstance(own, str | PathLike):
        return []
    told = os.stat(own)  # noqa: PTH116 - 100,000 of them, when a cohort goes on
    if not stat.S_ISDIR(told.st_mode):
        return [told]
    return [each.stat() for each in sorted(Path(os.fsdecode(own)).iterdir())]
