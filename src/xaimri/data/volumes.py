"""Subjects as volumes: the slices of each, joined in their order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import cast

import numpy as np

from xaimri.arguments import check_arguments
from xaimri.arrays import Array
from xaimri.data.case import Case, Dataset
from xaimri.errors import InvalidInput
from xaimri.images.slice_files import SliceStack
from xaimri.names import first_names


@check_arguments()
def join_slices(dataset: Dataset) -> Dataset:
    """Make one case of every subject, whose source is the volume of its slices in their order.

    A network of slices explains such a subject with ``slices="all"``. How far apart the slices lie is not
    known, so a volume has no spacing and no anatomy. Masks that are arrays are stacked as well, and
    covariates stay in which all slices of a subject agree.

    Parameters
    ----------
    dataset
        Cases that know their subject and their place in its scan.

    Returns
    -------
    Dataset
        A case for each subject, in the order of their first slices; its id is the subject.

    Raises
    ------
    InvalidInput
        If a subject or a place is unknown, a subject's slices are of several classes, or a place is missing
        or taken twice.

    Examples
    --------
    >>> from xaimri.data import phantom
    >>> subjects = join_slices(phantom.make(subjects=3, slices=4, size=(26, 22)))
    >>> len(subjects), subjects[0].source
    (3, <SliceStack: 4 slices>)
    """
    unknown = [case.id for case in dataset if case.subject is None or case.slice is None]
    if unknown:
        raise InvalidInput(
            f"{len(unknown)} cases don't tell their subject or their place in its scan "
            f"({first_names(unknown)}): give `Case(..., subject=..., slice=...)`."
        )
    own: dict[str, list[Case]] = {}
    for case in dataset:
        own.setdefault(cast(str, case.subject), []).append(case)
    joined = tuple(_joined(subject, cases) for subject, cases in own.items())
    lost = sum(case.mask is None and any(one.mask is not None for one in own[case.id]) for case in joined)
    notes = (f"{lost} subjects have masks that are no arrays: these are left out.",) if lost else ()
    return replace(dataset, cases=joined, origin=None, no_split=None, notes=(*dataset.notes, *notes))


def _joined(subject: str, cases: Sequence[Case]) -> Case:
    """Return one subject's case."""
    slices = sorted(cases, key=lambda case: cast(int, case.slice))
    places = [cast(int, case.slice) for case in slices]
    if fault := _fault(places):
        raise InvalidInput(f"subject `{subject}` has {fault}: a volume needs every slice once.")
    labels = {case.label for case in cases}
    if len(labels) > 1:
        raise InvalidInput(
            f"the slices of subject `{subject}` are of {len(labels)} classes: mend the labels."
        )
    return Case(
        subject,
        slices[0].label,
        subject,
        SliceStack([case.source for case in slices]),
        mask=_masks(slices),
        covariates=dict(set.intersection(*(set(case.covariates.items()) for case in slices))),
    )


def _fault(places: Sequence[int]) -> str:
    """Say which place is missing or taken twice; nothing where every one is there once."""
    twice = sorted({place for place in places if places.count(place) > 1})
    missing = sorted(set(range(places[0], places[-1])) - set(places))
    if twice:
        return f"slices {first_names([str(place) for place in twice])} twice"
    if missing:
        return f"no slice {first_names([str(place) for place in missing])}"
    return "" if len(places) > 1 else "only one slice"


def _masks(slices: Sequence[Case]) -> Array | None:
    """Return the masks of slices as one of the volume; None where one is missing or is a file."""
    masks = [case.mask for case in slices if isinstance(case.mask, np.ndarray)]
    return np.stack(masks) if len(masks) == len(slices) else None
