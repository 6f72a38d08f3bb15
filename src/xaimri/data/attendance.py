"""Who of a recorded split is there: how much of each part a data set has, and who was trained on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from xaimri.data.case import Dataset, Origin
from xaimri.errors import InvalidInput
from xaimri.names import composed, first_names

SplitRecord: TypeAlias = Mapping[str, Any]
"""Who is in which part, as JSON types: what `xaimri.data.Split.record` returns."""

PARTS = ("train", "validation", "test")
"""Names of the parts."""

MADE = ("phantom", "anatomy")
"""Makers that name people themselves: the same names stand for others where the record is another."""

WORDS = {"train": "training", "validation": "validation", "test": "held-out"}
"""What a part's subjects are called in a sentence."""


def homes(record: SplitRecord) -> dict[str, str]:
    """Return the part of every recorded subject, or of every case where they were split by case.

    Raises
    ------
    InvalidInput
        If it is no such record, or has one in two parts.
    """
    if record.get("by") not in ("subject", "case") or any(name not in record for name in PARTS):
        raise InvalidInput(
            'a recorded split has the keys "by", "train", "validation" and "test": see `record`.'
        )
    found: dict[str, str] = {}
    for name in PARTS:
        for key in map(composed, record[name]):
            if found.setdefault(key, name) != name:
                raise InvalidInput(f"the record has `{key}` in both {found[key]} and {name}: keep one.")
    return found


def keys_of(dataset: Dataset, record: SplitRecord) -> list[str | None]:
    """Return what the record knows each case by: its subject, None where that is unknown, or its id."""
    return [case.subject if record["by"] == "subject" else case.id for case in dataset]


def absences(dataset: Dataset, record: SplitRecord, *, of: Sequence[str] = PARTS) -> tuple[str, ...]:
    """Say who of the recorded parts is not in a data set: a sentence for each part that is not complete.

    Parameters
    ----------
    dataset
        The cases that are there.
    record
        As of `xaimri.data.Split.record`.
    of
        The parts to look at.

    Examples
    --------
    >>> import numpy as np
    >>> from xaimri.data import Case
    >>> cases = [Case(name, 0, name, np.zeros((2, 3))) for name in ("S1", "S4")]
    >>> record = {"by": "subject", "train": ["S1"], "validation": [], "test": ["S2", "S3", "S4"]}
    >>> absences(Dataset(("a",), tuple(cases)), record)
    ('1 of 3 held-out subjects are there; missing: S2, S3.',)
    """
    present = set(keys_of(dataset, record))
    sentences = []
    for part in of:
        absent = [key for key in map(composed, record[part]) if key not in present]
        if absent:
            all_ = len(record[part])
            sentences.append(
                f"{all_ - len(absent)} of {all_} {WORDS[part]} {record['by']}s are there; missing: "
                f"{first_names(absent)}."
            )
    return tuple(sentences)


def absences_beside(dataset: Dataset, record: SplitRecord) -> tuple[str, ...]:
    """Say who is missing of those parts from which the cases are: what a report on them has to tell."""
    part_of = homes(record)
    met = {part_of.get(key) for key in keys_of(dataset, record) if key is not None}
    return absences(dataset, record, of=[part for part in PARTS if part in met])


def are_others(origin: Origin | None, other: Origin | None) -> bool:
    """Tell whether equal names of two data sets are surely of different people: of phantoms of other seeds.

    Folders that were read in two ways may hold the same people.

    Examples
    --------
    >>> are_others({"maker": "phantom", "seed": 0}, {"maker": "phantom", "seed": 1})
    True
    >>> are_others({"maker": "folder", "subject": "(?P<subject>.+)"}, {"maker": "folder", "subject": None})
    False
    """
    if origin is None or other is None or origin == other:
        return False
    return {origin["maker"], other["maker"]} <= set(MADE)


def trained_on(dataset: Dataset, record: SplitRecord, origin: Origin | None = None) -> tuple[str, ...]:
    """Say how many cases are named as the recorded training part is, if any are.

    Parameters
    ----------
    dataset
        The cases, known by their subjects, or by their ids where the record is by case. Another name for the
        same image is not seen; see `xaimri.data.copies.find_copies`.
    record
        As of `xaimri.data.Split.record`.
    origin
        How the recorded data were made; names of phantoms of another seed say nothing.

    Examples
    --------
    >>> import numpy as np
    >>> from xaimri.data import Case
    >>> cases = [Case(name, 0, name, np.zeros((2, 3))) for name in ("S1", "S4")]
    >>> record = {"by": "subject", "train": ["S1"], "validation": [], "test": ["S2", "S3", "S4"]}
    >>> print(*trained_on(Dataset(("a",), tuple(cases)), record))
    1 of 2 cases are named as what the network was trained on: S1. Figures on the same subjects are too good.
    """
    if are_others(origin, dataset.origin):
        return ()
    trained = set(map(composed, record["train"]))
    met = [key for key in keys_of(dataset, record) if key is not None and key in trained]
    if not met:
        return ()
    return (
        f"{len(met)} of {len(dataset)} cases are named as what the network was trained on: "
        f"{first_names(list(dict.fromkeys(met)))}. Figures on the same {record['by']}s are too good.",
    )


def strangers(dataset: Dataset, record: SplitRecord) -> tuple[str, ...]:
    """Say how many cases are in no recorded part, if any are."""
    part_of = homes(record)
    foreign = [
        case.id for case, key in zip(dataset, keys_of(dataset, record), strict=True) if key not in part_of
    ]
    if not foreign:
        return ()
    return (
        f"{len(foreign)} of {len(dataset)} cases are in no part of the record and are left out: "
        f"{first_names(foreign)}.",
    )
