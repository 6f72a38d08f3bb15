"""The Alzheimer slices of Kaggle, with the subject and slice of every image recovered from its name.

6,400 grey JPEGs, 176 x 208: 32 axial slices of each of 200 people, most likely from OASIS-1. The set
ships without subjects, and its own ``train`` and ``test`` halves hold slices of the same people, so
every figure taken from them is one of recognition, not of diagnosis.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Literal, get_args

from xaimri.data.case import Case, Dataset
from xaimri.data.classfolders import folders_in
from xaimri.data.listing import Listing, list_images
from xaimri.data.spelling import is_part
from xaimri.errors import InvalidInput, MissingExtra, XaimriError, shown

CLASSES = ("MildDemented", "ModerateDemented", "NonDemented", "VeryMildDemented")
"""Names of the four classes; labels are indices into them."""

SUBJECTS = {"MildDemented": 28, "ModerateDemented": 2, "NonDemented": 100, "VeryMildDemented": 70}
"""How many people each class has."""

SLICES = 32
"""Slices per person, numbered from 1 at the bottom."""

CUT_SLICE = 26
"""The slice at which the "train" half ends, and the "test" half begins."""

LAST_OF_CUT = {"MildDemented": 18, "ModerateDemented": 2, "NonDemented": 61, "VeryMildDemented": 43}
"""In the cut slice, "train" has the subjects from 2 up to this one; all, where a class has only 2."""

Which = Literal["original", "augmented"]
"""The slices themselves, or a published copy with altered versions of each."""

HANDLES = {
    "original": "tourist55/alzheimers-dataset-4-class-of-images",
    "augmented": "uraninjo/augmented-alzheimer-mri-dataset",
}
"""Where Kaggle has them."""

NOTICE = (
    "These slices come from Kaggle. Third parties call them ODbL 1.0; they are most likely taken from "
    "OASIS-1 (https://sites.wustl.edu/oasisbrains), whose data-use agreement then holds. Do not "
    "redistribute them, and cite OASIS."
)
"""What to know before using them, shown at every download."""

NO_SPLIT = (
    "the augmented copy holds several altered versions of every slice under random names, so a split of "
    "it puts versions of one slice, and slices of one person, on both sides (in a random 80/20 split "
    "98.7 % of the test images have a sibling in training)"
)
"""Why the augmented copy must not be split without groups."""

UNNAMED = (
    "no file name follows the set's naming, so subjects are unknown: `xaimri.data.subjects_from_pixels` may "
    "tell them, and so may `subject=` of `xaimri.data.read_folder`."
)
"""What is said of images in the set's class folders under names of another scheme."""

ORIGIN = {"maker": "alzheimer"}
"""How `load` made a data set, as `Dataset.origin`."""

_NUMBERED = re.compile(r"(?P<slice>\d+)(?: \((?P<subject>\d+)\))?")
_RANDOM = re.compile(r"(?=.*[a-f])[0-9a-f-]+", re.IGNORECASE)
_LISTED = re.compile(r"(?P<stage>mild|moderate|non|verymild)dem(?P<k>\d+)", re.IGNORECASE)


def load(folder: str | os.PathLike[str]) -> Dataset:
    """List the slices with their subjects; no image is opened.

    Parameters
    ----------
    folder
        Holds ``train/<class>/`` and ``test/<class>/``, or ``<class>/`` with both halves merged, itself
        or up to two levels below (``OriginalDataset`` before others). Files may be missing.

    Returns
    -------
    Dataset
        Ordered by class, subject and slice; subjects are named ``"MildDemented/5"``, ids
        ``"MildDemented/27 (5).jpg"`` in either layout. Where no name follows the two schemes of the
        original, subjects are None; random names (of hexadecimal digits) are taken for those of the
        augmented copy, and ``no_split`` says why.

    Raises
    ------
    InvalidInput
        If the classes or images are missing, some names follow the schemes and others do not, or two
        files are the same slice of the same person.

    Notes
    -----
    ``27 (5).jpg`` is slice 27 of subject 5, and ``27.jpg`` of subject 1. ``mildDem139.jpg`` is number
    139, from 0, in the list of such names ordered by slice and then as text, in which 10 comes before
    2 and the bare name, subject 1, last. That this is right shows in the images: the most similar next
    slice, among those of all people, is the same person's 6,200 times of 6,200.
    """
    files, notes = _files(Path(folder))
    places = [place(name, file.stem) for name, file in files]
    if not any(places):
        return _nameless(files, notes)
    seen: dict[tuple[str, int], Path] = {}
    cases = []
    for (name, file), found in zip(files, places, strict=True):
        if found is None:
            raise InvalidInput(
                f"`{file}` follows neither naming scheme of the set while other files do: remove it, or "
                "read the folder with `xaimri.data.read_folder`."
            )
        number, position = found
        subject = f"{name}/{number}"
        twin = seen.setdefault((subject, position), file)
        if twin is not file:
            raise InvalidInput(f"`{twin}` and `{file}` are both slice {position} of {subject}: keep one.")
        cases.append((name, number, position, file))
    return Dataset(CLASSES, tuple(_case(*case) for case in sorted(cases)), origin=ORIGIN, notes=notes)


def fetch(which: Which = "original", *, announce: Callable[[str], object] = print) -> Dataset:
    """Download the slices from Kaggle with kagglehub, which keeps them, and load them.

    Parameters
    ----------
    which
        ``"original"``, 6,400 slices; or ``"augmented"``, 33,984 altered copies with unknown subjects.
    announce
        Takes the licence notice, `NOTICE`, before the download.

    Raises
    ------
    MissingExtra
        If kagglehub is not installed.
    InvalidInput
        If ``which`` is neither.
    XaimriError
        If the download fails; the sentence says how to do without it.
    """
    if which not in get_args(Which):
        raise InvalidInput(f'`which` must be "original" or "augmented", got {shown(which)}.')
    try:
        import kagglehub
    except ImportError as error:
        raise MissingExtra("kagglehub", "download", "downloading the Alzheimer slices") from error
    announce(NOTICE)
    handle = HANDLES[which]
    try:
        root = Path(kagglehub.dataset_download(handle))
    except Exception as error:
        raise XaimriError(
            f"the download of `{handle}` failed ({error}): fetch https://www.kaggle.com/datasets/{handle} "
            "by hand and pass its folder to `xaimri.data.alzheimer.load`."
        ) from error
    return load(next(root.rglob("AugmentedAlzheimerDataset"), root) if which == "augmented" else root)


def place(name: str, stem: str) -> tuple[int, int] | None:
    """Return the subject's number and the slice of a file, both from 1; None for a foreign name.

    Parameters
    ----------
    name
        The class.
    stem
        The file's name without its ending.

    Examples
    --------
    >>> place("MildDemented", "27 (5)"), place("MildDemented", "mildDem139")
    ((5, 27), (1, 5))
    """
    if found := _NUMBERED.fullmatch(stem):
        number, position = int(found["subject"] or 1), int(found["slice"])
        inside = 1 <= number <= SUBJECTS[name] and 1 <= position <= SLICES
        return (number, position) if inside else None
    found = _LISTED.fullmatch(stem)
    if found is None or f"{found['stage']}demented".lower() != name.lower():
        return None
    k = int(found["k"])
    listing = _listing(name)
    return listing[k] if k < len(listing) else None


@cache
def _listing(name: str) -> tuple[tuple[int, int], ...]:
    """Return (subject, slice) of every image of a class's "train" half, in the order of their numbers."""
    everyone = sorted(
        range(1, SUBJECTS[name] + 1), key=lambda subject: f"({subject})" if subject > 1 else "."
    )
    before = [subject for subject in everyone if 2 <= subject <= LAST_OF_CUT[name]]
    cut = everyone if SUBJECTS[name] == 2 else before
    listing = [(subject, position) for position in range(1, CUT_SLICE) for subject in everyone]
    return tuple(listing + [(subject, CUT_SLICE) for subject in cut])


def _files(root: Path) -> tuple[list[tuple[str, Path]], tuple[str, ...]]:
    """Return (class, file) of every image, from both halves or the merged folder, and what is passed over."""
    level = [root]
    for _ in range(3):
        for folder in level:
            found = _halves(folder)
            listings = [(name, list_images(home)) for name, home in found]
            files = [(name, file) for name, listing in listings for file in listing.images]
            if files:
                return files, sum((listing for _, listing in listings), Listing(())).told()
        level = sorted((below for folder in level for below in folders_in(folder)), key=_originals_first)
    raise InvalidInput(
        f"`{root}` holds no slices: give the folder with `train` and `test`, or the one with the class "
        f"folders {', '.join(CLASSES)}."
    )


def _originals_first(folder: Path) -> tuple[bool, str]:
    return folder.name != "OriginalDataset", folder.as_posix()


def _halves(folder: Path) -> list[tuple[str, Path]]:
    """Return (class, folder) of every class folder in the folder itself and in its halves."""
    inside = folders_in(folder)
    homes = [folder, *(half for half in inside if is_part(half.name))]
    return [(inner.name, inner) for home in homes for inner in folders_in(home) if inner.name in CLASSES]


def _case(name: str, number: int, position: int, file: Path) -> Case:
    subject = f"{name}/{number}"
    return Case(f"{name}/{file.name}", CLASSES.index(name), subject, file, slice=position)


def _nameless(files: list[tuple[str, Path]], notes: tuple[str, ...]) -> Dataset:
    """Return the cases of names that tell no subject: of the augmented copy, if some are random."""
    cases = [Case(f"{name}/{file.name}", CLASSES.index(name), None, file) for name, file in sorted(files)]
    if any(_RANDOM.fullmatch(file.stem) for _, file in files):
        return Dataset(CLASSES, tuple(cases), no_split=NO_SPLIT, origin=ORIGIN, notes=notes)
    return Dataset(CLASSES, tuple(cases), origin=ORIGIN, notes=(*notes, UNNAMED))
