"""Whose each case is, by a name: its subject, or, where that is not known, a person of its own."""

from __future__ import annotations

from collections.abc import Sequence

from xaimri.errors import InvalidInput
from xaimri.names import composed


def known_persons(ids: Sequence[str], subjects: Sequence[str | None], independent: bool) -> list[str]:
    """Return `persons`, over whom intervals are taken.

    Raises
    ------
    InvalidInput
        If a subject is not known, and the cases are not said to be independent.
    """
    unknown = sum(subject is None for subject in subjects)
    if unknown and not independent:
        raise InvalidInput(
            f"{unknown} of {len(subjects)} cases have no subject, and the intervals are over subjects: give "
            "`independent=True` if each such image is of its own person."
        )
    return persons(ids, subjects)


def persons(ids: Sequence[str], subjects: Sequence[str | None]) -> list[str]:
    """Return a name for the person of every case; who is not known has one that nobody else has.

    Parameters
    ----------
    ids, subjects
        Of the cases, in the same order; ids are unique.

    Examples
    --------
    >>> persons(["1", "2", "3"], ["S1", None, "S1"])
    ['S1', 'case 2', 'S1']
    >>> persons(["1", "2", "case 2"], ["case 2", None, None])
    ['case 2', 'case case 2', 'case case case 2']
    """
    taken = {composed(str(subject)) for subject in subjects if subject is not None}
    found = []
    for case, subject in zip(ids, subjects, strict=True):
        name = f"case {case}" if subject is None else composed(str(subject))
        while subject is None and name in taken:
            name = f"case {name}"
        taken.add(name)
        found.append(name)
    return found
