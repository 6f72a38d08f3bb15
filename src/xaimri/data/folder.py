"""Class-per-folder data: every sub-folder is a class, every image in it a case."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path

from xaimri.data.case import Case, Dataset, Origin
from xaimri.errors import InvalidInput
from xaimri.images.read import SUFFIXES

PARTS = frozenset({"test", "testing", "train", "training", "val", "valid", "validation"})
"""Folder names that are parts of a split rather than classes."""


def read_folder(
    path: str | os.PathLike[str],
    *,
    subject: str | re.Pattern[str] | Callable[[Path], str | None] | None = None,
    classes: Sequence[str] | None = None,
) -> Dataset:
    """List the images of a folder that has one sub-folder per class; no image is opened.

    Parameters
    ----------
    path
        Its sub-folders are the classes, searched to any depth. Hidden files and folders, and files
        that are no image by their ending (`xaimri.images.read.SUFFIXES`), are passed over.
    subject
        Who was scanned: a regular expression with a group ``(?P<subject>...)``, and if wanted
        ``(?P<slice>[0-9]+)``, searched in the file name; or a function of the file's path. One name is
        one person, also where it turns up in two classes. None leaves the subjects unknown.
    classes
        The sub-folders to read, in the order of their labels; by default all, sorted by name.

    Returns
    -------
    Dataset
        Ordered by class and path; the ids are paths below ``path``, such as ``"glioma/p1/03.png"``.

    Raises
    ------
    InvalidInput
        If there is no folder, class or image, or the expression does not fit.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as root:
    ...     for name in ("ill/p1-3.png", "well/p2-3.png"):
    ...         Path(root, name).parent.mkdir()
    ...         Path(root, name).touch()
    ...     dataset = read_folder(root, subject=r"(?P<subject>p[0-9]+)-(?P<slice>[0-9]+)")
    >>> dataset.classes, [(case.id, case.subject, case.slice) for case in dataset]
    (('ill', 'well'), [('ill/p1-3.png', 'p1', 3), ('well/p2-3.png', 'p2', 3)])
    """
    root = Path(path)
    names = _classes(root, classes)
    identify = _identifier(subject)
    cases = []
    for label, name in enumerate(names):
        files = images_below(root / name)
        if not files and classes is None:
            raise InvalidInput(
                f"the class folder `{root / name}` holds no image: remove it, or pass `classes=`."
            )
        for file in files:
            person, position = identify(file)
            cases.append(Case(file.relative_to(root).as_posix(), label, person, file, slice=position))
    if not cases:
        raise InvalidInput(
            f"the class folders of `{root}` hold no image: put one into them, e.g. a PNG or JPEG."
        )
    return Dataset(names, tuple(cases), origin=_origin(subject, classes))


def folders_in(root: Path) -> list[Path]:
    """Return the visible sub-folders, sorted by name."""
    if not root.is_dir():
        raise InvalidInput(f"there is no folder `{root}`: check the path (from `{Path.cwd()}`).")
    return sorted(p for p in root.iterdir() if p.is_dir() and not p.name.startswith((".", "__")))


def images_below(folder: Path) -> list[Path]:
    """Return the visible image files at any depth, sorted by path."""
    found = []
    for file in folder.rglob("*"):
        hidden = any(part.startswith(".") for part in file.relative_to(folder).parts)
        if file.suffix.lower() in SUFFIXES and not hidden and file.is_file():
            found.append(file)
    return sorted(found)


def _classes(root: Path, classes: Sequence[str] | None) -> tuple[str, ...]:
    present = tuple(folder.name for folder in folders_in(root))
    if classes is not None:
        missing = [name for name in classes if name not in present]
        if missing:
            raise InvalidInput(
                f"`{root}` has no folder `{missing[0]}`; its folders are {', '.join(present)}."
            )
        return tuple(classes)
    if not present:
        raise InvalidInput(f"`{root}` has no class folders: give it one sub-folder of images per class.")
    if all(name.lower() in PARTS for name in present):
        raise InvalidInput(
            f"the folders of `{root}` are parts of a split ({', '.join(present)}), not classes: read one."
        )
    return present


def _origin(
    subject: str | re.Pattern[str] | Callable[[Path], str | None] | None, classes: Sequence[str] | None
) -> Origin | None:
    """Return how the folder was read; a function can't be written down."""
    pattern = subject.pattern if isinstance(subject, re.Pattern) else subject
    if callable(pattern):
        return None
    return {"maker": "folder", "subject": pattern, "classes": None if classes is None else list(classes)}


def _identifier(
    subject: str | re.Pattern[str] | Callable[[Path], str | None] | None,
) -> Callable[[Path], tuple[str | None, int | None]]:
    """Return a function that gives subject and slice of a file."""
    if subject is None:
        return lambda file: (None, None)
    if not isinstance(subject, (str, re.Pattern)):
        return lambda file: (subject(file), None)
    try:
        pattern = re.compile(subject)
    except re.error as error:
        raise InvalidInput(f"`subject` is no regular expression ({error}): {subject!r}.") from error
    if "subject" not in pattern.groupindex:
        raise InvalidInput(f"`subject` needs a group named so, as in '(?P<subject>[0-9]+)', got {subject!r}.")

    def match(file: Path) -> tuple[str | None, int | None]:
        found = pattern.search(file.name)
        if found is None:
            raise InvalidInput(
                f"`subject` does not fit the file name of `{file}`: widen {pattern.pattern!r}."
            )
        position = found.groupdict().get("slice")
        return found["subject"], None if position is None else int(position)

    return match
