"""Names as people write them: in any case, with other strokes; and the known one that a slip meant."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches

from xaimri.errors import InvalidInput, shown

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
