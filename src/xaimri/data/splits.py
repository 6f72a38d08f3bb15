"""Splits that keep every subject on one side, and refuse where they cannot know that they do."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from xaimri.arguments import check_arguments
from xaimri.arrays import Array
from xaimri.data.attendance import PARTS, WORDS, SplitRecord, absences, homes, keys_of, strangers
from xaimri.data.case import Dataset
from xaimri.data.copies import Copies, OnCopies, check_copies, find_copies
from xaimri.data.cross import tested_in
from xaimri.data.groups import Groups, deal
from xaimri.data.scarcity import few_for_folds, few_for_parts
from xaimri.errors import InvalidInput, shown


@dataclass(frozen=True, eq=False)
class Split:
    """Three parts of a data set that share no subject.

    Attributes
    ----------
    train, validation, test
        Each in the data set's order, with all its classes.
    notes
        Sentences that name the classes with too few subjects for every part, images in two parts, and of
        a recorded split, who is missing.
    """

    train: Dataset
    validation: Dataset
    test: Dataset
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "notes", tuple(self.notes))
        for what, of in (("case", _ids), ("subject", _subjects)):
            seen: dict[str, str] = {}
            for name, part in self.parts():
                for key in of(part):
                    if seen.setdefault(key, name) != name:
                        raise InvalidInput(
                            f"the {what} `{key}` is in both {seen[key]} and {name}: make splits with "
                            "`xaimri.data.split`."
                        )

    def __repr__(self) -> str:
        told = [f"{name} {len(part)} ({len(_subjects(part)) or '?'})" for name, part in self.parts()]
        return f"<Split, cases (subjects): {', '.join(told)}>"

    def parts(self) -> Iterator[tuple[str, Dataset]]:
        """Yield name and data set of train, validation and test."""
        yield from zip(PARTS, (self.train, self.validation, self.test), strict=True)

    @check_arguments()
    def part(self, name: str) -> Dataset:
        """Return train, validation or test by its name, if it holds a case.

        Raises
        ------
        InvalidInput
            If there is no such part, or nothing is in it.
        """
        if name not in PARTS:
            raise InvalidInput(f"the part must be one of {', '.join(PARTS)}, got {shown(name)}.")
        part = dict(self.parts())[name]
        if not len(part):
            told = next((f" ({n[:-1]})" for n in self.notes if f" {WORDS[name]} " in n), "")
            raise InvalidInput(
                f"the {name} part has no case in this data{told}: take another part, or the data that was "
                "split."
            )
        return part

    @check_arguments()
    def part_of(self, case_id: str) -> str:
        """Return ``"train"``, ``"validation"`` or ``"test"``.

        Raises
        ------
        InvalidInput
            If no part has such a case.
        """
        for name, part in self.parts():
            if case_id in _ids(part):
                return name
        raise InvalidInput(
            f"no part of the split has a case {shown(case_id)}: give the `id` of one of its cases."
        )

    def describe(self) -> str:
        """Return a table of the images and, where known, subjects of every class and part."""
        classes = self.train.classes
        width = max(len("all"), *(len(name) for name in classes)) + 2
        lines = [" " * width + "".join(f"{name:>21}" for name in PARTS)]
        lines.append(" " * width + f"{'images':>11}{'subjects':>10}" * 3)
        for label, name in [*enumerate(classes), (None, "all")]:
            row = ""
            for _, part in self.parts():
                cases = [case for case in part if label is None or case.label == label]
                people = {case.subject for case in cases}
                row += f"{len(cases):>11}{'?' if None in people else len(people):>10}"
            lines.append(f"{name:<{width}}{row}")
        return "\n".join([*lines, *self.notes])

    def record(self) -> dict[str, Any]:
        """Return who is in which part, as JSON types: subjects where all are known, else case ids."""
        known = all(case.subject is not None for _, part in self.parts() for case in part)
        of = _subjects if known else _ids
        parts = {name: sorted(of(part)) for name, part in self.parts()}
        return {"by": "subject" if known else "case", **parts, "notes": list(self.notes)}

    @classmethod
    @check_arguments()
    def from_record(cls, dataset: Dataset, record: SplitRecord) -> Split:
        """Split a data set as recorded, so that a later evaluation meets the same subjects.

        The data set may lack cases that were there before, and may have other images of the same subjects:
        ``notes`` says who is missing, part by part. Cases that the record knows no part for are left out,
        and counted there.

        Raises
        ------
        InvalidInput
            If the record is no such record, or names a subject twice; or if it goes by subject, and no
            case has one.
        """
        home, keys = homes(record), keys_of(dataset, record)
        if keys and all(key is None for key in keys):
            raise InvalidInput(
                "the split is recorded by subject, and none of these cases has one: say who was scanned, as "
                "by `subject=` of `xaimri.data.read_folder`, or `xaimri.data.with_subjects`."
            )
        indices: dict[str, list[int]] = {name: [] for name in PARTS}
        for index, key in enumerate(keys):
            if key is not None and key in home:
                indices[home[key]].append(index)
        taken = [dataset.take(indices[name]) for name in PARTS]
        notes = (*record.get("notes", ()), *absences(dataset, record), *strangers(dataset, record))
        return cls(taken[0], taken[1], taken[2], notes)


@check_arguments()
def split(
    dataset: Dataset,
    validation: float = 0.2,
    test: float = 0.2,
    *,
    seed: int = 0,
    groups: Sequence[Hashable] | str | None = None,
    independent: bool = False,
    copies: OnCopies = "refuse",
) -> Split:
    """Split by subject, each class by itself.

    Every class gives its own share of *subjects* to each part, drawn with scikit-learn's
    ``GroupShuffleSplit``. The draw depends on the seed and the names of the subjects, not on the order
    of the cases. A class with fewer subjects than there are parts goes to training first, then to
    test, and is named in ``notes``. A subject with images of several classes counts for the rarest.

    Parameters
    ----------
    dataset
        Cases with subjects.
    validation, test
        Shares of every class's subjects, at least 0 and below 1 together; a class with enough subjects
        gives at least one to every part whose share is not 0.
    seed
        Same seed, same split; no global generator is touched.
    groups
        One name per case of what must stay together, such as near-duplicates; or the name of a covariate,
        such as ``"family_id"`` or ``"site"``. Known subjects stay together as well.
    independent
        True states that every image without a subject is of a person of its own.
    copies
        An image that stands in two parts under two names (equal bytes or pixels, see
        `xaimri.data.copies.find_copies`) is refused; ``"tell"`` puts the sentence into ``notes``.

    Returns
    -------
    Split

    Raises
    ------
    InvalidInput
        If subjects are unknown, or ``dataset.no_split`` is set, and no ``groups`` are given; or if a
        share is out of range, or parts share an image.

    Examples
    --------
    >>> from xaimri.data.case import Case
    >>> cases = [Case(f"{s}/{i}", s % 2, str(s), np.zeros((2, 3))) for s in range(10) for i in range(3)]
    >>> parts = split(Dataset(("ill", "well"), tuple(cases)))
    >>> print(parts.describe())
                          train           validation                 test
               images  subjects     images  subjects     images  subjects
    ill             9         3          3         1          3         1
    well            9         3          3         1          3         1
    all            18         6          6         2          6         2
    """
    if min(validation, test) < 0 or not validation + test < 1:
        raise InvalidInput(
            f"`validation` and `test` must be at least 0 and below 1 together, got {validation} and {test}."
        )
    together = Groups.of(dataset, groups, independent)
    part = deal(together, (validation, test), seed)
    notes = few_for_parts(together, part, (validation, test))
    return _parted(dataset, together, part, notes, copies, find_copies(dataset.cases))


@check_arguments()
def folds(
    dataset: Dataset,
    k: int = 5,
    *,
    validation: float = 0.2,
    seed: int = 0,
    groups: Sequence[Hashable] | str | None = None,
    independent: bool = False,
    copies: OnCopies = "refuse",
) -> tuple[Split, ...]:
    """Split k times, so that every subject is tested once: cross-validation by subject.

    The folds are scikit-learn's ``StratifiedGroupKFold`` over subjects; of the others, the share
    ``validation`` of each class is held out as in `split`. A class with fewer subjects than folds, and one
    that this fold's training part lacks, is named in ``notes``: the only subject of a class cannot be
    trained on while it is tested. Where a class has several, they are not all tested in one fold if that
    can be had.

    Parameters
    ----------
    dataset, seed, groups, independent, copies
        As in `split`.
    k
        Number of folds, from 2 to the number of subjects of the largest class.
    validation
        Share of the subjects outside the fold.

    Returns
    -------
    tuple of Split

    Raises
    ------
    InvalidInput
        As in `split`, or if ``k`` is out of range.
    """
    if not 0 <= validation < 1:
        raise InvalidInput(f"`validation` is a share, at least 0 and below 1, got {validation}.")
    together = Groups.of(dataset, groups, independent)
    largest = int(np.bincount(together.stratum).max())
    if not 2 <= k <= largest:
        raise InvalidInput(
            f"`k` must be from 2 to the number of subjects of the largest class, {largest}, got {k}."
        )
    splits = []
    fold, found = tested_in(together, k, seed), find_copies(dataset.cases)
    for number in range(k):
        rest = np.flatnonzero(fold != number)
        part = np.full(len(together), PARTS.index("test"))
        part[rest] = deal(together.take(rest), (validation, 0.0), seed + number)
        notes = few_for_folds(together, part, k)
        splits.append(_parted(dataset, together, part, notes, copies, found))
    return tuple(splits)


def _parted(
    dataset: Dataset,
    together: Groups,
    part: Array,
    notes: tuple[str, ...],
    copies: OnCopies,
    found: Copies,
) -> Split:
    """Gather the cases of every part."""
    home = [PARTS[code] for code in part[together.of_case]]
    notes += check_copies(dataset.cases, home, copies, found)
    taken = [
        dataset.take(np.flatnonzero(part[together.of_case] == code).tolist()) for code in range(len(PARTS))
    ]
    return Split(taken[0], taken[1], taken[2], notes)


def _ids(part: Dataset) -> set[str]:
    return {case.id for case in part}


def _subjects(part: Dataset) -> set[str]:
    return {case.subject for case in part if case.subject is not None}
