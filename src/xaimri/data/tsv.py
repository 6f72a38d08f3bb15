"""Tables of BIDS: rows of words with tabs between, as people and their spreadsheets write them."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from xaimri.errors import InvalidInput, shown
from xaimri.names import composed, first_names, is_nobody
from xaimri.regular_file import open_regular, quoted

MISSING = frozenset({"", "n/a", "na", "nan"})
"""What stands for a value that is missing, in any case: ``n/a`` in BIDS, and what programs make of it."""

EXACT = 2**53
"""Whole numbers below this are told apart in double precision; larger ones are names."""

NUMBER = re.compile(r"[+-]?(?:(?:0|[1-9][0-9]*)(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
"""A number; a name of digits that begins with 0, such as ``007``, is none."""

UTF16 = (b"\xff\xfe", b"\xfe\xff")
"""How a table begins that a spreadsheet has saved as "Unicode text"."""


@dataclass(frozen=True)
class Table:
    """Rows by the names that stand in their first column.

    Attributes
    ----------
    columns
        Names of the others.
    rows
        Name -> column -> words.
    notes
        Sentences on what was odd.
    """

    columns: tuple[str, ...]
    rows: Mapping[str, Mapping[str, str]]
    notes: tuple[str, ...] = ()


def read_table(path: Path, key: str, prefix: str) -> Table:
    r"""Read a table whose rows are called by a column, with a prefix that may be left out.

    Parameters
    ----------
    path
        UTF-8 with or without a mark at its beginning, or UTF-16; lines may end as anywhere.
    key
        Name of the column, such as ``"participant_id"``.
    prefix
        What a name begins with, such as ``"sub-"``.

    Raises
    ------
    InvalidInput
        If there is no such column, a row has other columns than the heading, or two rows of one name differ.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder, "participants.tsv")
    ...     _ = file.write_text("participant_id\tsex\nsub-01\tF\n02\tn/a\n")
    ...     table = read_table(file, "participant_id", "sub-")
    >>> dict(table.rows)
    {'sub-01': {'sex': 'F'}, 'sub-02': {'sex': 'n/a'}}
    """
    name = quoted(path)
    lines = [row for row in _lines(path, name) if any(row)]
    head = lines[0] if lines else []
    if key not in head:
        commas = " (it seems to have commas between its columns)" if any("," in word for word in head) else ""
        raise InvalidInput(
            f"{name} has no column `{key}`{commas}: the first line must name the columns, with tabs between."
        )
    while head and not head[-1]:
        head.pop()
    if twice := [column for column, count in Counter(head).items() if count > 1]:
        raise InvalidInput(f"{name} has several columns called {shown(twice[0])}: keep one.")
    columns = tuple(column for column in head if column != key)
    rows: dict[str, Mapping[str, str]] = {}
    again = []
    for number, line in enumerate(lines[1:], 2):
        while len(line) > len(head) and not line[-1]:
            line.pop()
        if len(line) != len(head):
            raise InvalidInput(
                f"row {number} of {name} has {len(line)} columns, and the heading {len(head)}: write n/a "
                "where a value is missing."
            )
        words = dict(zip(head, line, strict=True))
        own = prefix + words.pop(key).removeprefix(prefix)
        if own == prefix:
            raise InvalidInput(f"row {number} of {name} has no `{key}`: give it one, or leave it out.")
        if rows.setdefault(own, words) != words:
            raise InvalidInput(f"{name} has two rows for `{own}` that differ: keep one.")
        if rows[own] is not words:
            again.append(own)
    notes = (f"{name} has {first_names(again)} twice, with the same values.",) if again else ()
    return Table(columns, rows, notes)


def is_missing(words: str) -> bool:
    """Return whether a value is missing.

    Examples
    --------
    >>> is_missing("n/a"), is_missing("0")
    (True, False)
    """
    return words.casefold() in MISSING


def whose(words: str) -> str | None:
    """Return the subject that a cell names, None where it names none; of ``7.0`` programs have made 7.

    Examples
    --------
    >>> whose("S1"), whose("n/a"), whose("None"), whose("7.0"), whose("7.5")
    ('S1', None, None, '7', '7.5')
    """
    if is_nobody(words):
        return None
    whole, point, rest = words.partition(".")
    return whole if point and whole.isdecimal() and not rest.strip("0") else composed(words)


def typed(words: Iterable[str]) -> list[str | float | None]:
    """Return a column as numbers where all that are there are numbers, else as words; None where missing.

    Names of digits, such as ``007`` or one of 17 digits, are words.

    Examples
    --------
    >>> typed(["71", "n/a", "65.5"]), typed(["71", "old"]), typed(["007", "12"])
    ([71.0, None, 65.5], ['71', 'old'], ['007', '12'])
    """
    listed = [None if is_missing(each) else each for each in words]
    known = [each for each in listed if each is not None]
    if all(NUMBER.fullmatch(each) and abs(float(each)) < EXACT for each in known):
        return [None if each is None else float(each) for each in listed]
    return list(listed)


def _lines(path: Path, name: str) -> list[list[str]]:
    """Return the cells of every line, without what surrounds them."""
    with open_regular(path, "check the path.") as stream:
        content = stream.read()
    try:
        text = content.decode("utf-16" if content.startswith(UTF16) else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{name} is no text in UTF-8 ({error.reason}): save it as UTF-8.") from error
    if "\0" in text:
        raise InvalidInput(f"{name} is no text in UTF-8 (it holds zeros): save it as UTF-8.")
    plain = text.replace("\r\n", "\n").replace("\r", "\n")
    reader = csv.reader(io.StringIO(plain), delimiter="\t", quoting=csv.QUOTE_NONE)
    try:
        return [[_bare(cell) for cell in row] for row in reader]
    except csv.Error as error:
        raise InvalidInput(f"{name} is no table ({error}): save it with tabs between its columns.") from error


def _bare(cell: str) -> str:
    """Return a cell without spaces and quotation marks around it."""
    bare = cell.strip()
    quotes = len(bare) > 1 and bare[0] == bare[-1] == '"'
    return bare[1:-1].replace('""', '"').strip() if quotes else bare
