"""Names of regions, from a mapping or from a table as atlases bring it along."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping, Sequence

from xaimri.errors import InvalidInput, shown
from xaimri.regular_file import open_regular, path_of, quoted

LARGEST = 2**24
"""Bytes of a table of names, at most."""

NUMBER, NAME = (
    ("index", "label", "id", "value", "number", "no", "key"),
    ("name", "region", "structure", "roi"),
)
"""How the columns of numbers and of names are headed, in lower case."""


def names_of(given: object) -> dict[int, str]:
    """Return the name of each label.

    Parameters
    ----------
    given
        A mapping, or a text file with a line for each label: comma, semicolon, tab or space between the
        columns, a line of heads or none. Without heads, the first whole number is the label, and the first
        words are its name. ``#`` begins a remark.

    Raises
    ------
    InvalidInput
        If it is none, or gives one label two names.

    Examples
    --------
    >>> names_of({4: "Hippocampus_L"})
    {4: 'Hippocampus_L'}
    """
    if isinstance(given, Mapping):
        return _unique(given.items(), "`names`")
    path = path_of(given, "table of names")
    with open_regular(path, "check the path of `names`.") as stream:
        content = stream.read(LARGEST + 1)
    if len(content) > LARGEST or b"\0" in content:
        raise InvalidInput(f"{quoted(path)} is no table of names: give text with a label and a name a line.")
    return _unique(table_of(content.decode("utf-8-sig", "replace"), str(path)), quoted(path))


def matched(names: Mapping[int, str], own: set[int]) -> tuple[dict[int, str], tuple[str, ...]]:
    """Return the names of an atlas' own labels, and sentences on names and labels that don't match.

    Raises
    ------
    InvalidInput
        If none is of these labels, or all are numbered one lower, from 0 on.

    Examples
    --------
    >>> matched({0: "Unclassified", 1: "Pons", 9: "Fornix"}, {1, 2})[1][0]
    '1 regions of the atlas have no name, and are called by their number: 2.'
    """
    known = own & set(names)
    if not known or (set(names) != own and {label + 1 for label in names} == own):
        raise InvalidInput(
            f"the names are of the labels {_range(set(names))}, and the atlas has {_range(own)}: give "
            "names by the labels of this very atlas."
        )
    nameless, unused = sorted(own - known), sorted(set(names) - own - {0})
    told = []
    if nameless:
        told.append(
            f"{len(nameless)} regions of the atlas have no name, and are called by their number: "
            f"{_few([str(label) for label in nameless])}."
        )
    if unused:
        few = _few([names[label] for label in unused])
        told.append(f"{len(unused)} names are of labels that the atlas hasn't: {few}.")
    return {label: names[label] for label in sorted(known)}, tuple(told)


def _few(words: Sequence[str]) -> str:
    """Return the first three, for a sentence."""
    return ", ".join([*words[:3], *(["..."] if len(words) > 3 else [])])


def _range(labels: set[int]) -> str:
    """Return which labels there are, in a few words."""
    return f"{min(labels)} to {max(labels)}" if labels else "none"


def table_of(text: str, name: str = "the table") -> list[tuple[int, str]]:
    r"""Return the pairs of label and name that a text has.

    Examples
    --------
    >>> table_of("1 Precentral_L 2001\n2 Precentral_R 2002")
    [(1, 'Precentral_L'), (2, 'Precentral_R')]
    >>> table_of("index\tname\n17\tLeft Hippocampus")
    [(17, 'Left Hippocampus')]
    """
    lines = [line.strip() for line in text.splitlines()]
    lines = [line for line in lines if line and not line.startswith("#")]
    between = next((mark for mark in "\t;," if lines and all(mark in line for line in lines[:2])), None)
    rows = [_cells(line, between) for line in lines]
    number: int | None = None
    word: int | None = None
    if rows and not any(map(_is_whole, rows[0])):
        heads = [head.lower() for head in rows.pop(0)]
        number, word = (_column(heads, known) for known in (NUMBER, NAME))
        rows = [row if len(row) == len(heads) else [] for row in rows]
    elif between is None:
        rows = [_joined(row) for row in rows]
    found = [_pair(row, number, word) for row in rows]
    wrong = next(
        (line for line, pair in zip(lines[len(lines) - len(rows) :], found, strict=True) if pair is None),
        None,
    )
    if wrong is not None or not found:
        told = f"a line with {shown(wrong)}" if wrong is not None else "nothing"
        raise InvalidInput(
            f"{quoted(name)} must have a whole number and a name in each line, got {told}: name the columns "
            "`index` and `name`, or give a mapping such as {1: 'Precentral_L'}."
        )
    return [pair for pair in found if pair is not None]


def _cells(line: str, between: str | None) -> list[str]:
    """Cut a line into its columns."""
    cells = line.split() if between is None else next(csv.reader([line], delimiter=between))
    return [cell.strip() for cell in cells]


def _joined(cells: Sequence[str]) -> list[str]:
    """Put the words of one name together, which have spaces between them as columns have.

    Examples
    --------
    >>> _joined(["17", "Left", "Hippocampus", "220"])
    ['17', 'Left Hippocampus', '220']
    """
    found: list[str] = []
    for place, cell in enumerate(cells):
        if place and not _is_number(cell) and not _is_number(cells[place - 1]):
            found[-1] += f" {cell}"
        else:
            found.append(cell)
    return found


def _column(heads: Sequence[str], known: Sequence[str]) -> int | None:
    """Return the column of one of these heads, or of one that ends so."""
    for name in known:
        for place, head in enumerate(heads):
            if name in re.split(r"[\W_]+", head):
                return place
    return None


def _pair(row: Sequence[str], number: int | None, word: int | None) -> tuple[int, str] | None:
    """Return the label and the name of a line; None where it has not both."""
    if number is None:
        number = next((place for place, cell in enumerate(row) if _is_whole(cell)), None)
    if word is None:
        others = [place for place, cell in enumerate(row) if cell and place != number]
        word = next((place for place in others if not _is_number(row[place])), None)
    if number is None or word is None or max(number, word) >= len(row) or not _is_whole(row[number]):
        return None
    return int(float(row[number])), row[word]


def _is_whole(cell: str) -> bool:
    return re.fullmatch(r"\+?\d{1,15}(\.0*)?", cell) is not None


def _is_number(cell: str) -> bool:
    return re.fullmatch(r"[-+]?\d*\.?\d+([eE][-+]?\d+)?", cell) is not None


def _unique(pairs: Iterable[tuple[object, object]], source: str) -> dict[int, str]:
    """Return the pairs as a mapping from plain whole numbers to names of one line."""
    found: dict[int, str] = {}
    for label, name in pairs:
        if isinstance(label, bool) or not hasattr(label, "__index__") or not isinstance(name, str):
            raise InvalidInput(
                f"{source} must take whole numbers to names, such as {{1: 'Precentral_L'}}, got "
                f"{shown(label)}: {shown(name)}."
            )
        plain = " ".join("".join(c if c.isprintable() else " " for c in name).split())
        known = found.setdefault(int(label), plain)
        if known != plain:
            raise InvalidInput(
                f"{source} calls the label {int(label)} both {shown(known)} and {shown(plain)}: leave one."
            )
    return found
