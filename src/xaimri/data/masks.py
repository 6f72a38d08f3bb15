"""Masks in files: which file holds which image's known answer, by its name."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path, PurePath, PurePosixPath

from xaimri.arguments import check_arguments
from xaimri.data.case import Case, Dataset
from xaimri.data.listing import list_images
from xaimri.errors import InvalidInput
from xaimri.images.suffixes import stem_of, suffix_of
from xaimri.names import composed

FOLDERS, BESIDE, ENDING = frozenset({"mask", "masks"}), frozenset({"image", "images"}), "_mask"
"""Names of folders of masks, of the folders of images beside them, and the end of a mask's name."""


@check_arguments()
def attach_masks(dataset: Dataset, folder: str | os.PathLike[str]) -> Dataset:
    """Give every case the file in a folder that is called as its image: its mask.

    The mask of ``glioma/p1/03.jpg`` is ``glioma/p1/03`` or ``glioma/p1/03_mask`` in the folder, with the
    ending of any image. Folders named ``images`` and ``masks`` on the way don't count. No file is opened.

    Parameters
    ----------
    dataset
        Whose ids are paths, as those of `xaimri.data.read_folder`.
    folder
        Holds the masks. Images of the data set in it are none.

    Returns
    -------
    Dataset
        The same cases, those with a mask in the folder with its path as ``mask``, the others without.
        ``notes`` count both, and the files that are no image's mask.

    Raises
    ------
    InvalidInput
        If there is no folder or no mask in it, none is called as an image, or two are called as one image.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from xaimri.data import read_folder
    >>> with TemporaryDirectory() as root:
    ...     for name in ("scans/ill/1.jpg", "scans/well/2.jpg", "answers/ill/1_mask.png"):
    ...         Path(root, name).parent.mkdir(parents=True)
    ...         Path(root, name).touch()
    ...     found = attach_masks(read_folder(Path(root, "scans")), Path(root, "answers"))
    >>> [case.mask and case.mask.name for case in found], found.notes
    (['1_mask.png', None], ('Masks: 1 of 2 images have one.',))
    """
    home = Path(folder)
    if not home.is_dir():
        raise InvalidInput(f"there is no folder `{home}` of masks: check the path (from `{Path.cwd()}`).")
    own = {case.source.resolve() for case in dataset if isinstance(case.source, Path)}
    files = [file for file in list_images(home).images if file.resolve() not in own]
    if not files:
        raise InvalidInput(f"the folder `{home}` holds no mask: put one in for each image, e.g. a PNG.")
    return pair(dataset, [(file.relative_to(home), file) for file in files], str(home))


def pair(dataset: Dataset, masks: Iterable[tuple[PurePath, Path]], where: str) -> Dataset:
    """Give every case the mask that is called as its image; each has its path below the folder of masks."""
    named: dict[str, Path] = {}
    for path, file in masks:
        key = _key(path.with_name(stem_of(path.name).removesuffix(ENDING) + suffix_of(path.name)))
        if key in named:
            raise InvalidInput(
                f"`{named[key]}` and `{file}` are both called as the mask of `{key}`: keep one of them."
            )
        named[key] = file
    cases = tuple(replace(case, mask=named.get(_key(PurePosixPath(case.id)))) for case in dataset)
    known = [case for case in cases if case.mask is not None]
    if not known and cases:
        some = _key(PurePosixPath(cases[0].id))
        raise InvalidInput(
            f"none of {len(named)} masks in `{where}` is called as an image: that of `{cases[0].id}` must be "
            f"`{some}.*` or `{some}{ENDING}.*` in it (or name the classes with `classes=`, if it is one)."
        )
    return replace(dataset, cases=cases, notes=(*dataset.notes, *_told(known, cases, named)))


def part_masks(files: Sequence[Path], root: Path) -> tuple[list[Path], list[Path]]:
    """Part images from masks: what lies in a folder of masks, or beside the image of whose name it is one."""
    names = {(file.parent, stem_of(file.name)) for file in files}
    images: list[Path] = []
    masks: list[Path] = []
    for file in files:
        inside = any(part.casefold() in FOLDERS for part in file.relative_to(root).parts[:-1])
        stem = stem_of(file.name)
        beside = stem.endswith(ENDING) and (file.parent, stem.removesuffix(ENDING)) in names
        (masks if inside or beside else images).append(file)
    return images, masks


def _key(path: PurePath) -> str:
    """Return what an image and its mask are both called: the path without its ending."""
    folders = [part for part in path.parts[:-1] if part.casefold() not in FOLDERS | BESIDE]
    return composed("/".join([*folders, stem_of(path.name)]))


def _told(known: Sequence[Case], cases: Sequence[Case], named: dict[str, Path]) -> list[str]:
    """Say how many images have a mask, and how many files are no image's."""
    told = [f"Masks: {len(known)} of {len(cases)} images have one."]
    used = {case.mask for case in known}
    extra = sorted(file.name for file in named.values() if file not in used)
    if extra:
        told.append(f"Masks of no image, passed over: {len(extra)}, such as `{extra[0]}`.")
    return told
