"""The audit of a split: whether the test is a test."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from jaxtyping import Int

from xaimri.arguments import check_arguments
from xaimri.arrays import Array
from xaimri.audit.controls import controls
from xaimri.audit.pair import Pair
from xaimri.audit.pairs import find_pairs
from xaimri.audit.split_audit import SplitAudit
from xaimri.audit.telltales import telltales
from xaimri.data.alike_names import alike_names
from xaimri.data.case import Dataset
from xaimri.data.families import beside, families
from xaimri.data.likeness import UNCERTAIN, similarity_of
from xaimri.data.looks import Looks
from xaimri.errors import InvalidInput
from xaimri.evaluation.bootstrap import Bootstrap
from xaimri.names import first_names

DRAWN = 100
"""Pairs of training images, drawn by chance, that show whether images can be told apart."""

ALIKE = 0.03
"""They can't if more of these pairs are alike, or, of few images, as many as if each had `PARTNERS`."""

PARTNERS = 12
"""So many images may be like each: its neighbours in a scan, and their copies."""


@check_arguments()
def audit_split(
    train: Dataset, test: Dataset, *, resamples: int = 2000, confidence: float = 0.95, seed: int = 0
) -> SplitAudit:
    """Say whether images of the test, or people in it, are in training too, and what that is worth.

    Looked for are subjects on both sides, files of equal bytes, images of equal pixels, altered copies
    (shifted, turned, mirrored, scaled, moderately cropped, of other contrast, compressed anew), and other
    slices of the same scan. Subjects may be unknown: then slices of one scan tell who is on both sides, and
    without them the verdict is "no leak found", never "subject-safe".

    Parameters
    ----------
    train, test
        Both sides, with or without subjects. Of a volume, the slice in the middle is compared.
    resamples, confidence, seed
        Of the intervals of the controls, over groups.

    Returns
    -------
    SplitAudit

    Raises
    ------
    InvalidInput
        If a side has no case, or none that can be read, or they have no class in common.

    Notes
    -----
    Costs no model call. Every image is read once or twice: 6,400 slices take some 45 s of one core.

    Examples
    --------
    >>> import xaimri
    >>> from xaimri.data import phantom
    >>> people = phantom.make(subjects=8, slices=2, seed=0)
    >>> xaimri.audit_split(people.take(range(8)), people.take(range(8, 16))).verdict
    'subject-safe'
    >>> xaimri.audit_split(people.take(range(0, 16, 2)), people.take(range(1, 16, 2))).verdict
    'unsafe'
    """
    for name, side in (("train", train), ("test", test)):
        if not len(side):
            raise InvalidInput(f"`{name}` has no case: give both sides of the split.")
    train, test = _with_common_classes(train, test)
    looks = Looks.of(train), Looks.of(test)
    for name, seen in zip(("train", "test"), looks, strict=True):
        if not seen.read.any():
            raise InvalidInput(f"no image of `{name}` can be read: give files or arrays that hold images.")
    apart = _told_apart(looks[0], seed)
    pairs = find_pairs(train, test, looks, apart)
    unknown = sum(case.subject is None for side in (train, test) for case in side)
    group = _groups(train, test, looks, pairs)
    labels, halves = (train.labels, test.labels), (group[: len(train)], group[len(train) :])
    worth = controls(looks, labels, halves, Bootstrap(resamples, confidence, seed))
    told = telltales([*train, *test], looks, np.concatenate(labels), group, seed)
    notes = (*_notes(looks, apart), *_called_alike(train, test), *_unknown(unknown))
    unread = sum(int((~side.read).sum()) for side in looks)
    return SplitAudit(pairs, worth, told, (len(train), len(test)), unknown, notes, (train, test), unread)


def _with_common_classes(train: Dataset, test: Dataset) -> tuple[Dataset, Dataset]:
    """Return both sides with labels that count in the same classes, those of training first."""
    if not set(train.classes) & set(test.classes):
        raise InvalidInput(
            f"`train` has the classes {', '.join(train.classes)}, and `test` {', '.join(test.classes)}: give "
            "two parts of one data set, whose classes have the same names."
        )
    names = tuple(dict.fromkeys((*train.classes, *test.classes)))
    return train.with_classes(names), test.with_classes(names)


def _groups(
    train: Dataset, test: Dataset, looks: tuple[Looks, Looks], pairs: tuple[Pair, ...]
) -> Int[Array, " cases"]:
    """Return the group of every case of both: the subjects, joined with what was found to be of one scan."""
    there = {case.id: place for place, case in enumerate(train)}
    here = {case.id: len(train) + place for place, case in enumerate(test)}
    links = [(there[pair.train], here[pair.test]) for pair in pairs if pair.certain]
    for side, start in zip(looks, (0, len(train)), strict=True):
        if None in (train.subjects, test.subjects)[start > 0]:
            links += [(start + one, start + other) for one, other in beside(side)]
    return families([*train.subjects, *test.subjects], links)


def _told_apart(looks: Looks, seed: int) -> bool:
    """Tell whether images of a set, drawn in twos, are seldom as alike as those of one scan."""
    some = np.flatnonzero(looks.told)
    if len(some) < 3:
        return True
    generator = np.random.default_rng(seed)
    drawn = min(DRAWN, len(some) * (len(some) - 1) // 2)
    twos = [generator.choice(some, 2, replace=False).tolist() for _ in range(drawn)]
    alike = [similarity_of(looks, looks, (one, other)) >= UNCERTAIN for one, other in twos]
    return float(np.mean(alike)) <= max(ALIKE, min(PARTNERS / len(some), 0.5))


def _called_alike(train: Dataset, test: Dataset) -> Iterator[str]:
    """Say whose names differ in how they are written alone."""
    known = ([subject for subject in side.subjects if subject is not None] for side in (train, test))
    alike = [f"{one} and {other}" for one, other in alike_names(*known)]
    if alike:
        yield (
            f"{len(alike)} subjects of training are called almost as ones of the test "
            f"({first_names(alike, 3)}): are these the same people, the split is unsafe."
        )


def _unknown(count: int) -> Iterator[str]:
    """Say what the figures "apart" can't leave out."""
    if count:
        yield (
            f"{count} images have no subject: other slices of one person that look unlike count as another "
            "person's, so the accuracy without images of the same person may be too high."
        )


def _notes(looks: tuple[Looks, Looks], apart: bool) -> Iterator[str]:
    """Yield sentences on what could not be told."""
    for name, side in zip(("training", "the test"), looks, strict=True):
        unread = int((~side.read).sum())
        plain = int((side.read & ~side.told).sum())
        if unread:
            yield f"{unread} of {len(side)} images of {name} can't be read, and were not compared."
        if plain:
            yield f"{plain} of {len(side)} images of {name} show too little to find altered copies of them."
    if not apart:
        yield (
            "Images of training, drawn by chance, are as alike as slices of one scan: what looks like a copy "
            "here may be none, so no altered copy is called certain."
        )
