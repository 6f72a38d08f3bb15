"""Endings of file names: which of them tell an image, and what a name is without."""

from __future__ import annotations

import os
from pathlib import PurePath

from xaimri.images import dicom, mgh, nifti, pairs

SUFFIXES = frozenset(
    {".bmp", ".gif", ".jpeg", ".jpg", ".npy", ".png", ".tif", ".tiff", ".webp", dicom.SUFFIX}
    | {*nifti.SUFFIXES, *mgh.SUFFIXES, *pairs.HEADERS}
)
"""Endings of file names, in lower case, that count as an image in a folder."""


def suffix_of(name: str) -> str:
    """Return the ending of a file's name that tells an image, as it is written there, or nothing.

    Examples
    --------
    >>> suffix_of("a.PNG"), suffix_of("sub-1.nii.gz"), suffix_of("notes.txt")
    ('.PNG', '.nii.gz', '')
    """
    ending = os.path.splitext(name)[1]  # noqa: PTH122 - of 100,000 names, where there are so many
    if ending.lower() == ".gz":
        ending = "".join(PurePath(name).suffixes[-2:])
    return ending if ending.lower() in SUFFIXES else ""


def stem_of(name: str) -> str:
    """Return the name of an image file without its ending; another file's name is kept whole.

    Examples
    --------
    >>> stem_of("sub-1.nii.gz"), stem_of("v2.0.1")
    ('sub-1', 'v2.0.1')
    """
    return name.removesuffix(suffix_of(name))
