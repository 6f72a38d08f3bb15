"""What may be read off a network's features: columns of a table, and what is measured of every image."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from jaxtyping import Bool, Float, Int

from xaimri.arrays import Array
from xaimri.data.case import Dataset
from xaimri.data.tsv import typed
from xaimri.errors import InvalidInput, shown
from xaimri.evaluation.estimate import MINIMUM_SUBJECTS
from xaimri.names import composed
from xaimri.regular_file import quoted
from xaimri.text_file import cells_of

Values: TypeAlias = Sequence[str | float | None] | npt.NDArray[Any]
"""One for each case; None where it is missing."""

Table: TypeAlias = Mapping[str, Values] | str | Path | None
"""Columns by name, or a file of them."""

NUMBERS = 3
"""Different numbers from which on they are a quantity, and fewer are names of groups."""


@dataclass(frozen=True, eq=False)
class Target:
    """What is to be read off the features of the cases of which it is known.

    Attributes
    ----------
    name
        Of the column.
    values
        ``(cases,)``: numbers, or indices of the groups.
    known
        The cases of which it is known; of groups, those of groups with enough people.
    groups
        Names, where it is no quantity.
    few
        Names of the groups with too few people, which are left out.
    """

    name: str
    values: Float[Array, " cases"]
    known: Bool[Array, " cases"]
    groups: tuple[str, ...] = ()
    few: tuple[str, ...] = ()

    @property
    def design(self) -> Float[Array, "known columns"]:
        """The known values as columns: numbers, or one column a group."""
        values: Array = self.values[self.known]
        if not self.groups:
            return values[:, None]
        columns: Array = (values[:, None] == np.arange(len(self.groups))).astype(np.float64)
        return columns


def targets_of(
    cases: Dataset, owner: Int[Array, " cases"], table: Table, measured: Mapping[str, Float[Array, " cases"]]
) -> tuple[Target, ...]:
    """Return what is known of the cases: their covariates, the table's columns, slice and measures.

    A column of the table replaces a covariate of the same name.
    """
    columns: dict[str, Values] = {}
    for name in dict.fromkeys(key for case in cases for key in case.covariates):
        columns[name] = cases.covariate(name)
    columns |= columns_of(table, cases)
    columns |= {"slice level": [case.slice for case in cases]} if "slice level" not in columns else {}
    columns |= {name: values.tolist() for name, values in measured.items()}
    return tuple(target_of(name, values, owner) for name, values in columns.items())


def target_of(name: str, values: Values, owner: Int[Array, " cases"]) -> Target:
    """Return a column as numbers, or as groups of at least 5 people.

    Examples
    --------
    >>> target_of("age", [70, None, 81.5, 66], np.arange(4)).known.tolist()
    [True, False, True, True]
    >>> target_of("sex", ["F", "M"] * 5 + ["X"], np.arange(11)).groups
    ('F', 'M')
    """
    values = _plain(values)
    missing = np.array([one is None or (isinstance(one, float) and np.isnan(one)) for one in values])
    if any(isinstance(one, float) and math.isinf(one) for one in values):
        raise InvalidInput(
            f"the covariate {shown(name)} holds a number without end: give None where unknown."
        )
    there = [one for one, gone in zip(values, missing, strict=True) if not gone]
    if all(isinstance(one, int | float) for one in there) and len(set(there)) >= NUMBERS:
        numbers = [np.nan if gone else float(one or 0) for one, gone in zip(values, missing, strict=True)]
        return Target(name, np.array(numbers), ~missing)
    words = np.array(["" if gone else _word(one) for one, gone in zip(values, missing, strict=True)])
    enough = [
        word
        for word in sorted(set(words[~missing].tolist()))
        if len(set(owner[(words == word) & ~missing].tolist())) >= MINIMUM_SUBJECTS
    ]
    few = tuple(sorted(set(words[~missing].tolist()) - set(enough)))
    known = ~missing & np.isin(words, enough)
    index = {word: float(n) for n, word in enumerate(enough)}
    return Target(name, np.array([index.get(w, np.nan) for w in words.tolist()]), known, tuple(enough), few)


def columns_of(table: Table, cases: Dataset) -> dict[str, Values]:
    """Return the columns of a table, in the order of the cases.

    A file is CSV with commas or semicolons or, by its ending ``.tsv``, has tabs; its first column holds the
    ids or the subjects of the cases.

    Raises
    ------
    InvalidInput
        If a column has not one value per case; or the file names none of them, has two rows of one name that
        differ, or a row of another length than the first.
    """
    if table is None:
        return {}
    if isinstance(table, str | Path):
        return _read(Path(table), cases)
    if not isinstance(table, Mapping):
        raise InvalidInput(
            f"`covariates` must be a mapping of columns by name, or the path of a table, got {shown(table)}."
        )
    for name, values in table.items():
        count = len(values) if isinstance(values, Sequence | np.ndarray) else "no list of"
        if count != len(cases):
            raise InvalidInput(
                f"the covariate {shown(name)} has {count} values for {len(cases)} cases: give one "
                "each, None where it is missing."
            )
    return {str(name): _plain(values) for name, values in table.items()}


def _plain(values: Iterable[Any]) -> list[str | float | None]:
    """Return values with numbers of numpy as Python's."""
    return [one.item() if isinstance(one, np.generic) else one for one in values]


def _read(path: Path, cases: Dataset) -> dict[str, Values]:
    heads, known = _rows(path)
    keys = [_key(case.id, case.subject, known, quoted(path)) for case in cases]
    if len(heads) < 2 or not any(keys):
        raise InvalidInput(
            f"{quoted(path)} tells nothing of these cases: its first line must name the columns, and the "
            "first column hold their ids or subjects."
        )
    found: dict[str, Values] = {}
    for place, name in enumerate(heads[1:], 1):
        found[name] = typed([known[key][place] if key else "" for key in keys])
    return found


def _rows(path: Path) -> tuple[list[str], dict[str, list[str]]]:
    """Return the names of a table's columns, and each row by the word in its first one."""
    name = quoted(path)
    lines = cells_of(path)
    heads = lines[0] if lines else []
    if twice := [head for head, count in Counter(heads[1:]).items() if count > 1]:
        raise InvalidInput(f"{name} has several columns called {shown(twice[0])}: keep one.")
    known: dict[str, list[str]] = {}
    for line in lines[1:]:
        line[0] = composed(line[0])
        if line[0] and known.setdefault(line[0], line) != line:
            raise InvalidInput(f"{name} has two rows for {shown(line[0])} that differ: keep one.")
    return heads, known


def _key(case: str, subject: str | None, known: Mapping[str, list[str]], table: str) -> str:
    """Return by which name a table has a case: its id or its subject; empty where it has neither.

    Raises
    ------
    InvalidInput
        If the two rows differ: a number may be the id of one case and the subject of others.
    """
    names = [name for name in dict.fromkeys((case, subject)) if name is not None and name in known]
    if len({tuple(known[name][1:]) for name in names}) > 1:
        raise InvalidInput(
            f"{table} has a row `{case}` and a row `{subject}` that differ, and the case `{case}` is of the "
            f"subject `{subject}`: name all cases by ids, or all by subjects, that are no names of others."
        )
    return names[0] if names else ""


def _word(value: object) -> str:
    return f"{value:g}" if isinstance(value, int | float) else str(value)
