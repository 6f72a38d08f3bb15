"""Names as people write them: in any case, with other strokes; and the known one that a slip meant."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from difflib import get_close_matches
from math import isnan
from typing import Any, cast
from unicodedata import normalize

from xaimri.errors import InvalidInput, shown

MISSING = frozenset({"", "n/a", "na", "nan", "nat", "none", "<na>"})
"""Words, in any case, that are the name of nobody: what programs write where one is missing."""

_STROKES = str.maketrans("", "", " -_.")


def known_name(given: str, known: Iterable[str], what: str) -> str:
    """Return the known name that is meant: the same, or the only one but for case and strokes.

    Raises
    ------
    InvalidInput
        If none is; the sentence names the nearest, or where there is none such, all.

    Examples
    --------
    >>> known_name("Grad-CAM", ["gradcam", "lime"], "method")
    'gradcam'
    >>> known_name("limes", ["gradcam", "lime"], "method")
    Traceback (most recent call last):
        ...
    xaimri.errors.InvalidInput: the method 'limes' is not known: did you mean 'lime'?
    """
    names = list(known)
    if given in names:
        return given
    same = [name for name in names if _plain(name) == _plain(given)]
    if len(same) == 1:
        return same[0]
    plain = {_plain(name): name for name in names}
    near = get_close_matches(_plain(given), plain, 1)
    remedy = f"did you mean {plain[near[0]]!r}?" if near else f"use {_listed(names)}."
    raise InvalidInput(f"the {what} {shown(given, 30)} is not known: {remedy}")


def composed(name: str) -> str:
    """Return a name in the one form that Unicode has for its letters (NFC).

    A Mac gives the names of files with each accent as a sign of its own, other systems and tables mostly not:
    so written, one person would be two.

    Examples
    --------
    >>> composed("Zoe\N{COMBINING DIAERESIS}") == "Zo\N{LATIN SMALL LETTER E WITH DIAERESIS}"
    True
    """
    return normalize("NFC", name)


def is_nobody(words: str) -> bool:
    """Tell whether words name nobody: what programs write where a name is missing.

    Examples
    --------
    >>> is_nobody("NaN"), is_nobody(" "), is_nobody("S1")
    (True, True, False)
    """
    return words.strip().casefold() in MISSING


def stated(name: Hashable) -> Hashable:
    """Return whose something is as it was stated, and None where it is missing.

    Tables mark what is missing by None, NaN, ``pandas.NA`` or an empty cell, of which ``str`` makes
    words, and turn whole numbers into fractions where anything is: 7 and 7.0 are one name.

    Examples
    --------
    >>> stated("S1"), stated(7.0), stated(float("nan")), stated(" "), stated("nan")
    ('S1', 7, None, None, None)
    """
    plain: Any = name.item() if hasattr(name, "item") and getattr(name, "ndim", None) == 0 else name
    if isinstance(plain, str):
        return None if is_nobody(plain) else composed(plain)
    if plain is None or type(plain).__name__ in ("NAType", "NaTType"):
        return None
    if isinstance(plain, float):
        return None if isnan(plain) else int(plain) if plain.is_integer() else plain
    return cast(Hashable, plain)


def first_names(names: Sequence[str], most: int = 5) -> str:
    """List the first names, and say how many more there are.

    Examples
    --------
    >>> first_names(["a", "b", "c"], 2)
    'a, b and 1 more'
    """
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def _listed(names: list[str], most: int = 220) -> str:
    """Return the names with commas between, as many as a sentence can hold."""
    whole = ", ".join(map(repr, names))
    if len(whole) <= most:
        return whole
    held = whole[:most].rpartition(", ")[0]
    return f"{held} and {len(names) - held.count(', ') - 1} more"


def _plain(name: str) -> str:
    """Return a name without case and strokes."""
    return name.casefold().translate(_STROKES)
