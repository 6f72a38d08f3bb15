"""Subjects from pixels alone, where no name and no header tells who was scanned."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from hashlib import sha256

import numpy as np

from xaimri.arguments import check_arguments
from xaimri.arrays import Array
from xaimri.data.case import Dataset
from xaimri.data.chains import Chains, chain
from xaimri.data.thumbnails import thumbnails
from xaimri.names import first_names

LARGE = 1.5
"""Scans of more than so many times the middle number of images may be of several people."""


@check_arguments()
def subjects_from_pixels(dataset: Dataset, *, join_unsure: bool = False) -> Dataset:
    """Chain slices into scans by their pixels alone, and return the same cases with each scan as a subject.

    Slices that lie beside each other in one head are more alike than any of two people. For that they have
    to be a few millimetres apart at most, and laid alike. This is for slices: volumes have no subject, and
    altered copies (turned, cropped, mirrored) are as a rule not chained to what they were made of. Nothing is
    known of a person's other scans: two visits are two subjects, unless they look the same.

    Parameters
    ----------
    dataset
        Slices of scans. Cases that have a subject keep it, and give it to those that are chained to them.
    join_unsure
        What becomes of a scan that may be a part of another one. By default its cases have no subject. True
        takes it as a scan of its own.

    Returns
    -------
    Dataset
        Subjects are called ``scan-`` and a digest of their pixels, which order and names of the files do not
        change. Cases that can't be told have None. ``notes`` count the scans, the cases without one, scans
        that may be parts, and scans that hold cases of two classes or of two known subjects.

    Notes
    -----
    Costs no model call. Of 6,400 slices of 200 people all 200 are found, and nobody is put together with
    anybody else; 198 are sure. With one slice of each person nothing is found. A gap of several slices
    parts a scan in two, of which nothing tells: `benchmarks/subjects_from_pixels.py` has the figures.

    Examples
    --------
    >>> from xaimri.data.case import Case
    >>> ends = np.random.default_rng(0).normal(size=(2, 2, 52, 44))
    >>> angles = [0.1 * i for i in range(6)]
    >>> scans = [[np.cos(a) * one + np.sin(a) * other for a in angles] for one, other in ends]
    >>> cases = [Case(f"{i}", 0, None, scans[i % 2][i // 2]) for i in range(12)]
    >>> found = subjects_from_pixels(Dataset(("a",), tuple(cases)))
    >>> found.subjects[0] == found.subjects[2], len(set(found.subjects))
    (True, 2)
    """
    small = thumbnails(dataset)
    found = chain(small)
    members: dict[int, list[int]] = defaultdict(list)
    for place, scan in enumerate(found.scan.tolist()):
        if scan >= 0 and (join_unsure or not found.unsure[place]):
            members[scan].append(place)
    subjects = list(dataset.subjects)
    torn = 0
    for places in members.values():
        known = {dataset[place].subject for place in places} - {None}
        torn += len(known) > 1
        name = _name(small[places]) if not known else min(str(each) for each in known)
        for place in places if len(known) < 2 else ():
            subjects[place] = name
    cases = [replace(case, subject=name) for case, name in zip(dataset, subjects, strict=True)]
    made = replace(dataset, cases=tuple(cases))
    return replace(made, notes=(*dataset.notes, *_told(made, found, list(members.values()), torn)))


def _name(small: Array) -> str:
    """Return a name that the images' pixels alone decide."""
    held = sorted(sha256(np.ascontiguousarray(one).tobytes()).digest() for one in small)
    return f"scan-{sha256(b''.join(held)).hexdigest()[:10]}"


def _lengths(sizes: list[int]) -> str:
    """Say how many images scans have."""
    if len(set(sizes)) < 2:
        return "".join(f", of {size} images each" for size in sizes[:1])
    return f", of {min(sizes)} to {max(sizes)} images (median {np.median(sizes):g})"


def _told(dataset: Dataset, found: Chains, scans: list[list[int]], torn: int) -> list[str]:
    """Say how sure it is, and what is not known."""
    sizes = [len(places) for places in scans]
    alone = [case.id for case in dataset if case.subject is None]
    notes = [
        f"Subjects from pixels: {len(sizes)} scans were chained{_lengths(sizes)}. Two scans of one person "
        "are two subjects, and so are the parts of a scan with a gap of several slices."
    ]
    if alone:
        notes.append(f"{len(alone)} of {len(dataset)} cases have no subject: {first_names(alone)}.")
    parts = len(set(found.scan[found.unsure].tolist()))
    if parts:
        without = sum(dataset[place].subject is None for place in np.flatnonzero(found.unsure).tolist())
        notes.append(
            f"{parts} scans may be parts of others, so their {without} cases have no subject: "
            "`join_unsure=True` keeps them as scans of their own."
            if without
            else f"{parts} scans may be parts of others: look at them before a split is believed."
        )
    notes += _together(sizes)
    if found.blank.any():
        notes.append(f"{int(found.blank.sum())} cases can't be read as a slice, or are of one value.")
    mixed = sum(len({dataset[place].label for place in places}) > 1 for places in scans)
    if mixed:
        notes.append(
            f"{mixed} of {len(sizes)} scans hold images of several classes: right where a slice has a label "
            "of its own, wrong where a person has."
        )
    if torn:
        notes.append(
            f"{torn} scans hold images of several known subjects: their cases are left as they were."
        )
    return notes


def _together(sizes: list[int]) -> list[str]:
    """Say how many scans may be of several people, by how many images they hold."""
    large = [size for size in sizes if size > LARGE * np.median(sizes)]
    if not large:
        return []
    most = f"up to {max(large)}" if len(large) > 1 else f"{large[0]}"
    return [
        f"{len(large)} of {len(sizes)} scans hold far more images than the others ({most}): slices of "
        "several people may be chained together there. Look at them before they count as one."
    ]
