"""The image files below a folder, and the files that are passed over, counted by the reason."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from xaimri.images.pairs import is_voxels
from xaimri.images.series import is_series
from xaimri.images.suffixes import suffix_of

NAMED = 4
"""How many endings a sentence names."""


@dataclass(frozen=True)
class Listing:
    """What lies below a folder.

    Attributes
    ----------
    images
        The visible images at any depth, sorted by path: files, and folders of a DICOM series where asked for.
    passed
        Reason -> number of files that are passed over for it.
    endings
        Ending -> number of visible files that are no image by their ending.
    """

    images: tuple[Path, ...]
    passed: Counter[str] = field(default_factory=Counter)
    endings: Counter[str] = field(default_factory=Counter)

    def __add__(self, other: Listing) -> Listing:
        return Listing(self.images + other.images, self.passed + other.passed, self.endings + other.endings)

    def told(self) -> tuple[str, ...]:
        """Say how many files were passed over and why; nothing where none was."""
        number = self.passed.total() + self.endings.total()
        if not number:
            return ()
        reasons = [f"{n} {reason}" for reason, n in sorted(self.passed.items())]
        if self.endings:
            common = ", ".join(f"{n} {ending}" for ending, n in self.endings.most_common(NAMED))
            more = ", ..." if len(self.endings) > NAMED else ""
            reasons.append(f"{self.endings.total()} no image by the ending ({common}{more})")
        return (f"Passed over: {', '.join(reasons)}.",)


def list_images(folder: Path, *, deep: bool = True, named: bool = True, series: bool = False) -> Listing:
    """List the images below a folder, or in it alone; no file is opened, but for ``series``.

    A name that is no text is passed over where cases are to be called by it (``named``). A folder that holds
    DICOM files, however they are called, is one image where ``series`` are asked for.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as root:
    ...     for name in ("1.png", ".2.png", "notes.txt"):
    ...         Path(root, name).touch()
    ...     listing = list_images(Path(root))
    >>> len(listing.images), listing.told()
    (1, ('Passed over: 1 hidden, 1 no image by the ending (1 .txt).',))
    """
    images: list[Path] = []
    passed: Counter[str] = Counter()
    endings: Counter[str] = Counter()

    def unopened(error: OSError) -> None:
        passed["in folders that can't be opened"] += 1

    for place, folders, names in os.walk(folder, onerror=unopened):
        here = Path(place)
        hidden = any(part.startswith(".") for part in here.relative_to(folder).parts)
        if series and not hidden and is_series(here):
            images.append(here)
            names = []
        for name in names:
            file = here / name
            reason = "hidden" if hidden or name.startswith(".") else _fault(file, named)
            if reason == "" and is_voxels(file):
                continue  # its header stands for both
            if reason is None:
                images.append(file)
            elif reason:
                passed[reason] += 1
            else:
                endings[Path(name).suffix.lower() or "without ending"] += 1
        for name in folders:
            passed["linked folders" if (here / name).is_symlink() else ""] += 1
        if not deep:
            break
    passed.pop("", None)
    if not deep:
        passed.pop("linked folders", None)
    return Listing(tuple(sorted(images, key=lambda file: file.parts)), passed, endings)


def images_below(folder: Path, *, series: bool = False) -> list[Path]:
    """Return the visible images at any depth, sorted by path; see `list_images`."""
    return list(list_images(folder, named=False, series=series).images)


def is_text(name: str) -> bool:
    """Return whether a name can be written down: not where its bytes are no text of the file system."""
    return not any("\ud800" <= character <= "\udfff" for character in name)


def _fault(file: Path, named: bool) -> str | None:
    """Return why a visible file is passed over: an empty text for its ending, None where it is not."""
    if named and not is_text(file.as_posix()):
        return "with a name that can't be read"
    if not suffix_of(file.name):
        return ""
    return None if file.is_file() else "no regular file"
