"""Names that may be of one person: two tables write them in other case, with other strokes or zeros."""

from __future__ import annotations

import re
from collections.abc import Iterable

_PIECES = re.compile(r"[^\W\d_]+|\d+")

_BEFORE = ("sub", "subj", "subject", "patient")
"""Words before a name that say no more than that it is one."""


def alike_names(ones: Iterable[str], others: Iterable[str]) -> list[tuple[str, str]]:
    """Return names of either side that differ in case, strokes, zeros before numbers or a word before alone.

    Examples
    --------
    >>> alike_names(["S001", "sub-02", "S1-1", "b"], ["s1", "02", "S11", "b"])
    [('S001', 's1'), ('sub-02', '02')]
    """
    first, second = dict.fromkeys(ones), dict.fromkeys(others)
    known = {_plain(name): name for name in second if name not in first and _plain(name)}
    pairs = [(name, known.get(_plain(name))) for name in first if name not in second]
    return [(name, other) for name, other in pairs if other is not None]


def _plain(name: str) -> tuple[str, ...]:
    """Return the words and numbers of a name."""
    found = [
        piece.lstrip("0") or piece[-1] if piece.isdecimal() else piece.casefold()
        for piece in _PIECES.findall(name)
    ]
    return tuple(found[1:] if len(found) > 1 and found[0] in _BEFORE else found)
