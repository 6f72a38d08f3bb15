"""Which cases a cohort has: from a data set, a folder, a list of files, or a table of paths."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Sequence, Sized
from dataclasses import dataclass
from os import PathLike, fspath
from pathlib import Path
from typing import Any, cast

from xaimri.cohort.rows import About
from xaimri.cohort.schema import arrow
from xaimri.data.case import Case, Dataset
from xaimri.data.tsv import is_missing, whose
from xaimri.errors import InvalidInput, shown
from xaimri.images.intake import Intake
from xaimri.names import composed, first_names
from xaimri.regular_file import quoted
from xaimri.sources import Sources, is_folder, name_images, oddities, printable
from xaimri.text_file import cells_of

TABLES = (".csv", ".tsv", ".parquet")
"""Endings of tables of paths."""

KNOWN = ("path", "case", "subject", "label")
"""Columns of a table of paths; others are passed over."""


@dataclass(frozen=True, eq=False)
class Listed:
    """A case with its image, which is not read yet."""

    about: About
    image: object


def listed_cases(cases: Sources, intake: Intake) -> list[Listed]:
    """Return every case, in order.

    Parameters
    ----------
    cases
        A data set; a table (``.csv``, ``.tsv``, ``.parquet``) with the column ``path``, relative to the
        table's folder, and where they are known ``case``, ``subject`` and ``label``; else whatever holds
        several images, as of :func:`xaimri.explain_all`, but for what gives them one by one.

    Raises
    ------
    InvalidInput
        If there are none, two have one name, or a table lacks its column.
    """
    found = _listed(cases, intake)
    if not found:
        raise InvalidInput("there are no cases: give at least one.")
    twice = [name for name, count in Counter(one.about.case for one in found).items() if count > 1]
    if twice:
        raise InvalidInput(f"several cases are called {first_names(twice)}: give each a name of its own.")
    return found


def notes_of(cases: Sources, intake: Intake) -> tuple[str, ...]:
    """Return what is told of the cases beside them, such as which files of a folder are none of them."""
    if isinstance(cases, Dataset):
        return tuple(cases.notes)
    return oddities(Path(os.fsdecode(cast(str, cases))).absolute(), intake) if is_folder(cases) else ()


def digest(cases: Sequence[Listed]) -> str:
    """Return the SHA-256 of names, subjects and labels, in order."""
    found = hashlib.sha256()
    for one in cases:
        found.update(repr((one.about.case, one.about.subject, one.about.label)).encode())
    return found.hexdigest()


def _listed(cases: Sources, intake: Intake) -> list[Listed]:
    if isinstance(cases, str | PathLike) and Path(fspath(cases)).suffix.lower() in TABLES:
        return _of_table(Path(fspath(cases)).absolute())
    if isinstance(cases, Dataset):
        return [_of_case(case, cases.classes) for case in cases]
    if is_folder(cases):
        folder = os.fsdecode(cast(str, cases))
        cases = Path(folder).absolute()  # the process may go to another folder meanwhile
    images = name_images(cases, intake)
    if not isinstance(images, Sized):
        raise InvalidInput(
            "a cohort can go on after a stop, so its cases must be known beforehand: give a folder, a data "
            "set, a list or a table of paths, and no generator."
        )
    return [
        _of_case(each.source, ())
        if isinstance(each.source, Case)
        else Listed(About(composed(each.name), source=_place(each.source)), each.source)
        for each in images
    ]


def _of_case(case: Case, classes: Sequence[str]) -> Listed:
    """Return a case; of a list of cases the labels are numbers."""
    label = classes[case.label] if classes else str(case.label)
    subject = None if case.subject is None else printable(case.subject)
    return Listed(About(printable(case.id), subject, printable(label), _place(case.source)), case)


def _place(source: object) -> str | None:
    """Return the absolute path of a file; that of 100,000 is wanted whenever a cohort goes on."""
    if isinstance(source, Path) and source.is_absolute():
        return printable(str(source))
    if isinstance(source, str | PathLike):
        return printable(str(Path(os.fsdecode(source)).absolute()))
    return None


def _of_table(path: Path) -> list[Listed]:
    """Return the cases of a table of paths."""
    if not path.is_file():
        raise InvalidInput(f"there is no table `{path}`: check the path (from `{Path.cwd()}`).")
    heads, rows = _rows(path)
    place = {name: n for n, head in enumerate(heads) if (name := head.strip().casefold()) in KNOWN}
    if not rows or "path" not in place:
        names = ", ".join(heads) if rows else "no rows"
        raise InvalidInput(f"{quoted(path)} needs a column `path` and rows, and has {names}.")
    for name in place:
        if sum(head.strip().casefold() == name for head in heads) > 1:
            raise InvalidInput(f"{quoted(path)} has several columns called `{name}`: keep one.")
    found = []
    for number, row in enumerate(rows, 1):
        try:
            words = {name: word for name, n in place.items() if (word := _word(row[n]))}
        except (TypeError, ValueError) as odd:
            raise InvalidInput(f"row {number} of {quoted(path)} holds {odd}: write words.") from odd
        if "path" not in words:
            raise InvalidInput(f"row {number} of {quoted(path)} has no path: give one, or take the row out.")
        file = path.parent / words["path"]
        about = About(
            composed(words.get("case", words["path"])),
            whose(words.get("subject", "")),
            words.get("label"),
            _place(file),
        )
        found.append(Listed(about, file))
    return found


def _rows(path: Path) -> tuple[Sequence[str], Sequence[Sequence[Any]]]:
    """Return the names of a table's columns, and its rows."""
    if path.suffix.lower() != ".parquet":
        heads, *lines = cells_of(path) or [[]]
        return heads, lines
    arrow()
    import pyarrow.parquet as parquet

    try:
        table = parquet.read_table(path)
        return table.column_names, list(zip(*(column.to_pylist() for column in table.columns), strict=True))
    except Exception as fault:
        raise InvalidInput(
            f"{quoted(path)} is no Parquet file ({shown(str(fault))}): write it again."
        ) from fault


def _word(value: object) -> str:
    """Return a cell in words; nothing where it is missing, and a whole number as such.

    Raises
    ------
    TypeError, ValueError
        With what it holds, if that is no word.

    Examples
    --------
    >>> [_word(each) for each in (None, float("nan"), "NA", 2.0, 0.5, " ill ", b"a.png")]
    ['', '', '', '2', '0.5', 'ill', 'a.png']
    """
    if value is None or value != value:
        return ""
    if isinstance(value, list | tuple | dict):
        raise TypeError(f"a {type(value).__name__} in a cell")
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, bytes):
        try:
            value = value.decode()
        except UnicodeDecodeError as error:
            raise ValueError("bytes that are no text in UTF-8") from error
    words = str(value).strip()
    return "" if is_missing(words) else words
