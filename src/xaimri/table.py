"""Rows as text: aligned columns for a terminal, CSV for a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
"""What a cell of words must not begin with: a spreadsheet would take it for a formula."""


def align(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return the lines of a table, each column as wide as its widest cell.

    Examples
    --------
    >>> align(["name", "p"], [["a.png", "0.9"]])
    ['name   p', 'a.png  0.9']
    """
    table = (heads, *rows)
    wide = [max(map(len, column)) for column in zip(*table, strict=True)]
    return ["  ".join(f"{x:<{n}}" for x, n in zip(row, wide, strict=True)).rstrip() for row in table]


def word(value: object) -> str:
    """Return a value as it stands in a table for people: a number in three digits, nothing for None.

    Examples
    --------
    >>> word(None), word(0.12345), word("a.png")
    ('', '0.123', 'a.png')
    """
    return "" if value is None else f"{value:.3f}" if isinstance(value, float) else str(value)


def csv_text(columns: Sequence[str], rows: Iterable[Mapping[str, object]]) -> str:
    r"""Return rows as CSV; words that a spreadsheet would take for a formula begin with an apostrophe.

    Examples
    --------
    >>> csv_text(["name", "p"], [{"name": "=1+1.png", "p": -0.5}])
    "name,p\n'=1+1.png,-0.5\n"
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_cell(row[column]) for column in columns] for row in rows)
    return text.getvalue()


def _cell(value: object) -> object:
    words = isinstance(value, str) and value.startswith(FORMULA)
    return "" if value is None else f"'{value}" if words else value
