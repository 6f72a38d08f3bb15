"""Class-per-folder data: every sub-folder is a class, every image in it a case."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from xaimri.arguments import check_arguments
from xaimri.data.case import Case, Dataset, Origin
from xaimri.data.classfolders import folders_in, home_of_classes, oddities
from xaimri.data.listing import Listing, list_images
from xaimri.data.masks import FOLDERS, attach_masks, pair, part_masks
from xaimri.errors import InvalidInput, first_line, shown
from xaimri.images.patients import hashed_patients
from xaimri.kinds import AnyOf, Function, Instance
from xaimri.names import composed
from xaimri.rules import Name, OrNone

SUBJECT = OrNone(AnyOf((Instance(re.Pattern), Name(), Function(("path",)))))
"""The rule for what tells subjects apart: a pattern, or a function of a path."""


@check_arguments(subject=SUBJECT)
def read_folder(
    path: str | os.PathLike[str],
    *,
    subject: str | re.Pattern[str] | Callable[[Path], str | None] | None = None,
    classes: Sequence[str] | None = None,
    masks: str | os.PathLike[str] | None = None,
    series: bool = False,
    patient_key: str | None = None,
) -> Dataset:
    """List the images of a folder that has one sub-folder per class; no image is opened, DICOM headers are.

    Parameters
    ----------
    path
        Its sub-folders are the classes, searched to any depth. A single folder around them whose name
        says so (``data``, ``Brain_Dataset``, ``train``) is entered. Hidden files and folders, files that
        are no image by their ending (`xaimri.images.suffixes.SUFFIXES`), images beside the class folders and
        names that are no text are passed over, and counted in ``notes``.
    subject
        Who was scanned: a regular expression with a group ``(?P<subject>...)``, and if wanted
        ``(?P<slice>[0-9]+)``, searched in the file name; or a function of the file's path. One name is
        one person, also where it turns up in two classes. None leaves the subjects unknown, but those of
        DICOM files: a keyed hash of their PatientID, of which the number can't be told.
    classes
        The sub-folders to read, in the order of their labels; by default all, sorted by name. Names of a
        split's parts (``Train_set``, ``fold1``, ``Pred``) are no classes unless they are given here.
    masks
        A folder with a mask of each image, called as the image, as :func:`attach_masks` says. By default
        what lies in folders named ``masks``, and ``03_mask.png`` beside ``03.png``, are masks and no cases.
    series
        Take each folder that holds DICOM files as one case, a volume; else each slice is one.
    patient_key
        A secret of your own for that hash: with it a patient has the same name in each data set, so give it
        where training and test lie in folders of their own. By default the key is made of one of the files,
        and names can't be compared between data sets.

    Returns
    -------
    Dataset
        Ordered by class and path; the ids are paths below the folder of the classes, such as
        ``"glioma/p1/03.png"``.

    Raises
    ------
    InvalidInput
        If there is no folder, class or image, the folders are parts of a split, a single folder may be
        a class or hold them, or the expression does not fit.

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
    home = home_of_classes(root, classes)
    apart = None if masks is None else Path(masks).resolve()
    inside = [folder.name for folder in folders_in(home) if folder.resolve() != apart]
    names = tuple(inside if classes is None else classes)
    if len(set(names)) < len(names):
        raise InvalidInput(f"`classes` must be folders that differ, got {shown(list(names))}.")
    if subject is not None and patient_key is not None:
        raise InvalidInput("`subject` and `patient_key` both say who was scanned: give one of them.")
    identify = identifier(subject)
    listing, cases, beside = _beside(home), [], _in_folders(root, home, names)
    for label, name in enumerate(names):
        found = list_images(home / name, series=series)
        images, own = part_masks([f for f in found.images if not _within(f, apart)], home / name)
        if not images and classes is None:
            passed = "".join(f" ({sentence.rstrip('.')})" for sentence in found.told())
            raise InvalidInput(
                f"the class folder `{home / name}` holds no image{passed}: remove it, or pass `classes=`."
            )
        listing += found
        beside += [(file.relative_to(home), file) for file in own]
        for file in images:
            person, position = identify(file)
            cases.append(Case(file.relative_to(home).as_posix(), label, person, file, slice=position))
    if not cases:
        raise InvalidInput(
            f"the class folders of `{home}` hold no image: put one into them, e.g. a PNG or JPEG."
        )
    entered = () if home == root else (f"The classes are the folders of `{home.relative_to(root)}`.",)
    notes = [*entered, *oddities(home, names), *listing.told()]
    if subject is None:
        cases, told = _patients(cases, patient_key)
        notes += told
    dataset = Dataset(names, tuple(cases), origin=_origin(subject, classes, series), notes=tuple(notes))
    if masks is not None:
        return attach_masks(dataset, masks)
    return pair(dataset, beside, str(home)) if beside else dataset


def _in_folders(root: Path, home: Path, names: Sequence[str]) -> list[tuple[Path, Path]]:
    """List the files of the folders of masks beside the class folders, with their paths in these."""
    apart = [folder for place in dict.fromkeys((root, home)) for folder in folders_in(place, masks=True)]
    held = [f for f in apart if f.name.casefold() in FOLDERS and not (f.parent == home and f.name in names)]
    return [(file.relative_to(folder), file) for folder in held for file in list_images(folder).images]


def _within(file: Path, folder: Path | None) -> bool:
    return folder is not None and file.resolve().is_relative_to(folder)


def _beside(home: Path) -> Listing:
    """Count what lies beside the class folders: images there are of no class."""
    found = list_images(home, deep=False)
    loose = Counter({"beside the class folders": len(found.images)} if found.images else {})
    return Listing((), found.passed + loose, found.endings)


def _patients(cases: list[Case], key: str | None) -> tuple[list[Case], list[str]]:
    """Give cases of DICOM files their patients, unless all of them name the same one."""
    files = [case.source for case in cases if isinstance(case.source, Path)]
    known = hashed_patients(files, None if key is None else key.encode())
    if len(known) > 1 and len(set(known.values())) == 1:
        return cases, [
            "All DICOM files name one patient, as where names were replaced: subjects are unknown."
        ]
    return [replace(case, subject=known.get(file)) for case, file in zip(cases, files, strict=True)], []


def _origin(
    subject: str | re.Pattern[str] | Callable[[Path], str | None] | None,
    classes: Sequence[str] | None,
    series: bool,
) -> Origin | None:
    """Return how the folder was read; a function can't be written down."""
    pattern = subject.pattern if isinstance(subject, re.Pattern) else subject
    if callable(pattern):
        return None
    named = None if classes is None else list(classes)
    own = {"series": True} if series else {}
    return {"maker": "folder", "subject": pattern, "classes": named, **own}


def _asked(subject: Callable[[Path], str | None], file: Path) -> str | None:
    """Return what a function says of a file, or which file it fails on."""
    try:
        return subject(file)
    except Exception as failure:
        raise InvalidInput(
            f"`subject` fails on `{file}` ({type(failure).__name__}: {first_line(failure)}): let it return "
            "the subject's name, or None."
        ) from failure


def identifier(
    subject: str | re.Pattern[str] | Callable[[Path], str | None] | None,
) -> Callable[[Path], tuple[str | None, int | None]]:
    """Return a function that gives subject and slice of a file."""
    if subject is None:
        return lambda file: (None, None)
    if not isinstance(subject, (str, re.Pattern)):
        return lambda file: (_asked(subject, file), None)
    try:
        pattern = re.compile(subject)
    except re.error as error:
        raise InvalidInput(f"`subject` is no regular expression ({error}): {shown(subject)}.") from error
    if "subject" not in pattern.groupindex:
        raise InvalidInput(
            f"`subject` needs a group named subject, as in '(?P<subject>[0-9]+)', got {shown(subject)}."
        )

    def match(file: Path) -> tuple[str | None, int | None]:
        found = pattern.search(composed(file.name))
        if found is None:
            raise InvalidInput(
                f"`subject` does not fit the file name of `{file}`: widen {shown(pattern.pattern)}."
            )
        if not found["subject"]:
            raise InvalidInput(
                f"`subject` finds an empty name in the file name of `{file}`: let its group match at least "
                f"one letter, got {shown(pattern.pattern)}."
            )
        position = found.groupdict().get("slice")
        return found["subject"], None if position is None else int(position)

    return match
