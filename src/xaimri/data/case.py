"""A case is one image with its label and its subject; a data set is a sequence of cases."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeAlias, cast, overload

import numpy as np

from xaimri.arguments import check_arguments, check_fields
from xaimri.arrays import Array
from xaimri.errors import InvalidInput, shown
from xaimri.images.contrasts import Contrasts
from xaimri.images.files import is_scan
from xaimri.images.mask import MaskSource
from xaimri.images.picture import Picture
from xaimri.images.slice_files import SliceStack
from xaimri.kinds import Several
from xaimri.names import composed
from xaimri.rules import WholeNumber
from xaimri.sealed import seal, unseal

Origin: TypeAlias = Mapping[str, Any]
"""How data were made, as JSON types: the maker's name under ``"maker"``, and its arguments."""

PLACES = Several(WholeNumber())
"""The rule for indices of cases."""


CaseSource: TypeAlias = Path | Array | Picture | Contrasts | SliceStack | Any
"""One image: a path, pixels, a scan in memory, several contrasts, or a stack of slices."""


@dataclass(frozen=True, eq=False)
class Case:
    """One image of one subject.

    Attributes
    ----------
    id
        Unique within its data set, such as ``"MildDemented/27 (5).jpg"``; as the subject in Unicode's NFC.
    label
        Index into the data set's ``classes``.
    subject
        Who was scanned; None where that is not known. Cases of one subject never part in a split.
    slice
        Position of the slice in the subject's scan, counted as the source counts; None if unknown.
    source
        The image: a file's path, the pixels ``(*space)`` or ``(*space, channels)``, a `Picture` of them, an
        image of nibabel, a data set of pydicom, several contrasts, or a stack of slices.
    mask
        The known answer on the image's own grid where there is one (the phantom's changed region), else None:
        ``(*space)`` of True and False, or of 0 and one other value, or the path of a file with such pixels,
        which is read when a metric asks for it.
    covariates
        What else is known of it, such as age, sex and site: a number, words, or None where it is missing.
        They reach no map, picture or message.
    """

    id: str
    label: int
    subject: str | None
    source: CaseSource = field(repr=False)
    slice: int | None = None
    mask: MaskSource | None = field(default=None, repr=False)
    covariates: Mapping[str, str | float | None] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        check_fields(self)
        if self.subject is not None and not self.subject.strip():
            raise InvalidInput(f"the subject of `{self.id}` is empty: give None where it is not known.")
        object.__setattr__(self, "id", composed(self.id))
        object.__setattr__(self, "subject", None if self.subject is None else composed(self.subject))
        object.__setattr__(self, "source", _source_of(self.source))
        object.__setattr__(self, "covariates", seal(self.covariates))

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "covariates": unseal(self.covariates)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        object.__setattr__(self, "covariates", seal(self.covariates))


@dataclass(frozen=True, eq=False, repr=False)
class Dataset(Sequence[Case]):
    """Labelled cases and the names of their classes.

    Attributes
    ----------
    classes
        Names; a case's ``label`` is an index into them.
    cases
        In a fixed order.
    no_split
        None, or one sentence saying why these cases must not be split without groups.
    origin
        How the whole was made, of which these cases may be a part: the maker's name and its arguments, as
        `xaimri.data.remake` takes them. None where that is not known.
    notes
        Sentences on how it was listed: what was passed over, and what may be meant otherwise.
    """

    classes: tuple[str, ...]
    cases: tuple[Case, ...]
    no_split: str | None = None
    origin: Origin | None = field(default=None, repr=False)
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_fields(self)
        object.__setattr__(self, "notes", tuple(self.notes))
        object.__setattr__(self, "origin", seal(self.origin))
        object.__setattr__(self, "classes", tuple(self.classes))
        object.__setattr__(self, "cases", tuple(self.cases))
        if len(set(self.classes)) < len(self.classes) or not all(map(str.strip, self.classes)):
            raise InvalidInput(
                f"`classes` must be different names, none of them empty, got {shown(self.classes)}."
            )
        check_ids(self.cases)

    def __getstate__(self) -> dict[str, Any]:
        return {name: unseal(value) for name, value in self.__dict__.items()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        object.__setattr__(self, "origin", seal(self.origin))

    def __len__(self) -> int:
        return len(self.cases)

    def __repr__(self) -> str:
        people = len({case.subject for case in self.cases} - {None})
        named = f"classes {', '.join(self.classes)}"
        return f"<Dataset: {len(self)} cases of {people or 'unknown'} subjects, {named}>"

    @overload
    def __getitem__(self, index: int) -> Case: ...
    @overload
    def __getitem__(self, index: slice) -> Dataset: ...
    def __getitem__(self, index: int | slice) -> Case | Dataset:
        if isinstance(index, slice):
            return replace(self, cases=self.cases[index])
        return self.cases[index]

    def __iter__(self) -> Iterator[Case]:
        return iter(self.cases)

    @property
    def labels(self) -> Array:
        """Integer labels, ``(cases,)``."""
        return np.array([case.label for case in self.cases], dtype=np.int64)

    @property
    def subjects(self) -> tuple[str | None, ...]:
        """The subject of every case, in order."""
        return tuple(case.subject for case in self.cases)

    @check_arguments()
    def covariate(self, name: str) -> tuple[str | float | None, ...]:
        """Return one of the covariates for every case, in order; None where a case lacks it.

        Raises
        ------
        InvalidInput
            If no case has it.
        """
        if not any(name in case.covariates for case in self.cases):
            known = dict.fromkeys(key for case in self.cases for key in case.covariates)
            raise InvalidInput(
                f"no case has the covariate {shown(name)}: there are {', '.join(known) or 'none'}."
            )
        return tuple(case.covariates.get(name) for case in self.cases)

    @check_arguments()
    def take(self, indices: Iterable[int]) -> Dataset:
        """Return the data set of these cases, in this order."""
        places = cast("Sequence[int]", PLACES.convert(list(indices), "indices"))
        outside = [place for place in places if not -len(self) <= place < len(self)]
        if outside:
            raise InvalidInput(f"`indices` must be below {len(self)}, the number of cases, got {outside[0]}.")
        return replace(self, cases=tuple(self.cases[place] for place in places))

    @check_arguments()
    def find(self, case_id: str) -> Case:
        """Return the case with this id."""
        for case in self.cases:
            if case.id == case_id:
                return case
        raise InvalidInput(
            f"no case has the id {shown(case_id)}; the first of {len(self)} is `{self.cases[0].id}`."
        )

    @check_arguments()
    def with_classes(self, classes: Sequence[str]) -> Dataset:
        """Return the same cases with labels that count in the order of these classes, matched by name.

        Raises
        ------
        InvalidInput
            If a case is of another class.
        """
        names = tuple(classes)
        held = [self.classes[label] for label in sorted(set(self.labels.tolist()))]
        unknown = [name for name in held if name not in names]
        if unknown:
            raise InvalidInput(
                f"the network knows {shown(names)}, and the data holds {unknown[0]!r}: name "
                "the data's classes as the network's (the folders, or `classes=` of read_loader), or the "
                "network's as the data's (`classes=` of open_model)."
            )
        cases = (replace(case, label=names.index(self.classes[case.label])) for case in self.cases)
        return replace(self, classes=names, cases=tuple(cases))

    @check_arguments()
    def with_shuffled_labels(self, seed: int = 0) -> Dataset:
        """Return the same cases with labels dealt out anew, by subject: a control that has nothing to learn.

        A subject's cases keep their labels together: it takes over those of another subject, in turn.
        Cases without a subject are subjects of their own.
        """
        owners = [("case", c.id) if c.subject is None else ("subject", c.subject) for c in self.cases]
        labels: dict[tuple[str, str], list[int]] = {}
        for owner, case in zip(owners, self.cases, strict=True):
            labels.setdefault(owner, []).append(case.label)
        order = np.random.default_rng(seed).permutation(len(labels))
        dealt = dict(zip(labels, [list(labels.values())[i] for i in order], strict=True))
        given: Counter[tuple[str, str]] = Counter()
        cases = []
        for owner, case in zip(owners, self.cases, strict=True):
            cases.append(replace(case, label=dealt[owner][given[owner] % len(dealt[owner])]))
            given[owner] += 1
        return replace(self, cases=tuple(cases), origin=None)

    def describe(self) -> str:
        """Return a table of images and subjects per class."""
        width = max(map(len, (*self.classes, "class")))
        rows = [f"{'class':<{width}}  images  subjects"]
        for label, name in enumerate(self.classes):
            cases = [case for case in self.cases if case.label == label]
            known = {case.subject for case in cases} - {None}
            rows.append(f"{name:<{width}}  {len(cases):>6}  {len(known) or 'unknown':>8}")
        return "\n".join([*rows, *([self.no_split] if self.no_split else []), *self.notes])


def _source_of(source: object) -> CaseSource:
    """Return a path as such, and all else that can be an image as it is."""
    if isinstance(source, str | os.PathLike):
        return Path(source)
    if isinstance(source, np.ndarray) and source.dtype.kind in "biuf":
        return source
    if isinstance(source, Picture | Contrasts | SliceStack) or is_scan(source):
        return source
    raise InvalidInput(
        "`source` must be one image: a path, an array of numbers, a Picture, an image of nibabel, a data set "
        f"of pydicom, Contrasts or a SliceStack, got {shown(source)}."
    )


def check_ids(cases: Iterable[Case]) -> None:
    """See that every case has an id of its own."""
    repeated = [name for name, count in Counter(case.id for case in cases).items() if count > 1]
    if repeated:
        raise InvalidInput(f"case ids must be unique, but `{repeated[0]}` stands for several cases.")
