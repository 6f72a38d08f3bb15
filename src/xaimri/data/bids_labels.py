"""Classes from a column of words: which there are, which are left out, and what can't be a class."""

from __future__ import annotations

from collections.abc import Sequence

from xaimri.data.bids_tables import Visit
from xaimri.data.tsv import typed
from xaimri.errors import InvalidInput
from xaimri.names import first_names

MOST_CLASSES = 20
"""A column of more values is no label unless its classes are named."""


def labels_of(
    visits: Sequence[Visit], label: str, classes: Sequence[str] | None, notes: list[str]
) -> tuple[tuple[str, ...], list[int | None]]:
    """Return the classes, and the number of each visit's; None where it is left out."""
    words, chosen = [visit.label for visit in visits], set(classes or ())
    said = [_plain(each) if isinstance(each, float) else each for each in typed(words)]
    said = [own if own in chosen else name for own, name in zip(words, said, strict=True)]
    known = [name for name in said if name is not None]
    values = sorted(set(known), key=lambda name: (_number(name), name))
    if classes is None:
        names = tuple(values)
        _check_values(names, label, len({visit.first.subject for visit in visits}))
    else:
        names = tuple(classes)
        if unknown := [name for name in names if name not in values]:
            raise InvalidInput(
                f"no scan has the label {unknown[0]!r} in `{label}`: it has {first_names(values, 20)}."
            )
    unlabelled = [visit.first.visit for visit, name in zip(visits, said, strict=True) if name is None]
    if unlabelled:
        notes.append(f"Left out: {_scans(unlabelled)} without a `{label}`: {first_names(unlabelled)}.")
    others = [name for name in known if name not in names]
    if others:
        told = ", ".join(f"{name} ({others.count(name)})" for name in sorted(set(others)))
        notes.append(f"Left out: {_scans(others)} of other labels: {told}.")
    return names, [names.index(name) if name in names else None for name in said]


def _plain(number: float) -> str:
    """Return a number as a class is called, with all its digits: 1 however it was written, and 1000001."""
    return str(int(number)) if number.is_integer() else repr(number)


def _scans(some: Sequence[str]) -> str:
    return f"{len(some)} scan{'' if len(some) == 1 else 's'}"


def _number(name: str) -> float:
    value = typed([name])[0]
    return value if isinstance(value, float) else float("inf")


def _check_values(names: Sequence[str], label: str, people: int) -> None:
    """See that a column's values can be classes."""
    if not names:
        raise InvalidInput(f"no scan has a value in `{label}`: take another column.")
    folded: dict[str, str] = {}
    for name in names:
        if folded.setdefault(name.casefold(), name) != name:
            raise InvalidInput(
                f"`{label}` says {folded[name.casefold()]!r} and {name!r}, which differ in capitals alone: "
                "write them alike."
            )
    if len(names) > MOST_CLASSES or len(names) > max(2, people / 2):
        raise InvalidInput(
            f"`{label}` has {len(names)} values for {people} subjects ({first_names(names)}), so it names no "
            "classes: take another column, or name them by `classes=`."
        )
