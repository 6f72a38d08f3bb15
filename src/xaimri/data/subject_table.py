"""A table of subjects: a CSV file that says of each case who was scanned; and a split in a JSON file."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

from xaimri.archive import write_text
from xaimri.arguments import check_arguments
from xaimri.data.attendance import PARTS, SplitRecord, homes
from xaimri.data.case import Dataset
from xaimri.data.splits import Split
from xaimri.errors import InvalidInput
from xaimri.names import composed, first_names, is_nobody
from xaimri.regular_file import quoted
from xaimri.text_file import cells_of, text_of

HEAD = ("case", "subject")
"""The columns of a table of subjects."""


@check_arguments()
def write_subjects(dataset: Dataset, path: str | Path) -> Path:
    r"""Write who was scanned in each case, as CSV with the columns case and subject.

    The subject of a case is empty where it is not known.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from xaimri.data import phantom
    >>> made = phantom.make(subjects=1, slices=1, size=(26, 22))
    >>> with TemporaryDirectory() as folder:
    ...     write_subjects(made, Path(folder, "subjects.csv")).read_text()
    'case,subject\nS000/slice 0,S000\n'
    """
    page = io.StringIO()
    table = csv.writer(page, lineterminator="\n")
    table.writerows([HEAD, *((case.id, case.subject or "") for case in dataset)])
    return write_text(path, page.getvalue())


@check_arguments()
def with_subjects(dataset: Dataset, path: str | Path) -> Dataset:
    """Return the same cases with the subjects that a table names.

    Parameters
    ----------
    dataset
        Cases, known by their ids.
    path
        CSV in UTF-8 with the columns ``case`` and ``subject``, with commas or semicolons, as `write_subjects`
        writes. Other columns are passed over. A case without a row, or whose subject is empty or ``n/a``, has
        None.

    Raises
    ------
    InvalidInput
        If a column is missing, a row has no case or another number of cells, a case has two rows, a row names
        a case that is not there, or no row has a subject; or if a case has another subject already.
    """
    name = quoted(path)
    rows = _rows(Path(path), name)
    ids = {case.id for case in dataset}
    twice = [key for key, count in Counter(key for key, _ in rows).items() if count > 1]
    if twice:
        raise InvalidInput(f"{name} has several rows for `{twice[0]}`: keep one.")
    foreign = [key for key, _ in rows if key not in ids]
    if foreign:
        raise InvalidInput(
            f"{name} names {len(foreign)} cases that the data have not ({first_names(foreign)}): the first "
            f"of the data is `{dataset[0].id if len(dataset) else 'none'}`."
        )
    told = {key: None if is_nobody(subject) else subject for key, subject in rows}
    if not any(told.values()):
        raise InvalidInput(f"{name} names no subject: fill its column `subject`.")
    for case in dataset:
        given = told.get(case.id)
        if None not in (case.subject, given) and case.subject != given:
            raise InvalidInput(
                f"`{case.id}` is of subject `{case.subject}` in the data, and of `{given}` in {name}: keep "
                "one."
            )
    cases = [replace(case, subject=told.get(case.id) or case.subject) for case in dataset]
    unknown = [case.id for case in cases if case.subject is None]
    notes = (f"{len(unknown)} cases have no subject in {name}: {first_names(unknown)}.",) if unknown else ()
    return replace(dataset, cases=tuple(cases), no_split=None, notes=(*dataset.notes, *notes))


@check_arguments()
def write_split(split: Split, path: str | Path) -> Path:
    """Write who is in which part of a split, as JSON: what `read_split` and ``xaimri train --split`` take."""
    return write_text(path, json.dumps(split.record(), indent=1) + "\n")


@check_arguments()
def read_split(path: str | Path) -> SplitRecord:
    """Read a split from a JSON file, for `xaimri.data.Split.from_record`.

    Raises
    ------
    InvalidInput
        If it is no such file, or has a subject in two parts.
    """
    name = quoted(path)
    if Path(path).is_dir():
        raise InvalidInput(
            f"{name} is a folder: give the file that `xaimri data subjects --split` writes; the record of a "
            "trained network is `xaimri.open_model(folder).split`."
        )
    try:
        record = json.loads(text_of(Path(path)))
    except ValueError as error:
        raise InvalidInput(
            f"{name} is no JSON ({error}): write it by `xaimri data subjects --split`."
        ) from None
    return checked_split(record, name)


def checked_split(record: object, name: str) -> SplitRecord:
    """Return what a file holds, once it is seen to be a recorded split.

    Raises
    ------
    InvalidInput
        If it is none, or has a subject in two parts.
    """
    parts = [record.get(part) for part in PARTS] if isinstance(record, dict) else []
    whole = [isinstance(part, list) and all(isinstance(key, str) for key in part) for part in parts]
    if not isinstance(record, dict) or not all(whole):
        raise InvalidInput(
            f'{name} must hold "by" ("subject" or "case") and lists of names "train", "validation", "test".'
        )
    try:
        homes(record)
    except InvalidInput as error:
        raise InvalidInput(f"{name} is no split: {error}") from None
    return dict(record)


def _rows(path: Path, name: str) -> list[tuple[str, str]]:
    """Return case and subject of every row."""
    lines = cells_of(path)
    columns = [cell.casefold() for cell in lines[0]] if lines else []
    for column in HEAD:
        if columns.count(column) != 1:
            raise InvalidInput(
                f"{name} must have one column `{column}`, and its first line names "
                f"{', '.join(columns) or 'none'}."
            )
    place = [columns.index(column) for column in HEAD]
    rows = []
    for number, line in enumerate(lines[1:], 2):
        case, subject = (composed(line[each]) for each in place)
        if not case:
            raise InvalidInput(f"row {number} of {name} has no case: give its id, or leave the row out.")
        rows.append((case, subject))
    return rows
