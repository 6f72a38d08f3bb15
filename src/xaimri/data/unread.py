"""Cases whose images can't be read: left out, counted and told, so that one bad file never ends a run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from xaimri.data.case import Dataset
from xaimri.errors import InvalidInput
from xaimri.failure import Failure
from xaimri.names import first_names


def say_unread(failures: Sequence[Failure], total: int, what: str = "cases") -> tuple[str, ...]:
    """Say how many images could not be read, which, and why the first; nothing where all were.

    Examples
    --------
    >>> print(*say_unread([Failure("a/1.png", "read", "`a/1.png` is empty: fetch the file again.")], 40))
    1 of 40 cases can't be read and is left out: a/1.png. The first: `a/1.png` is empty: fetch the file again.
    """
    if not failures:
        return ()
    is_ = "is" if len(failures) == 1 else "are"
    names = first_names([failure.name for failure in failures])
    return (
        f"{len(failures)} of {total} {what} can't be read and {is_} left out: {names}. "
        f"The first: {failures[0].sentence}",
    )


def say_lost(dataset: Dataset, failures: Iterable[Failure]) -> tuple[str, ...]:
    """Name the subjects of whom no image could be read; nothing where none is lost."""
    unread = {failure.name for failure in failures}
    left = {case.subject for case in dataset if case.id not in unread}
    lost = dict.fromkeys(c.subject for c in dataset if c.subject is not None and c.subject not in left)
    if not lost:
        return ()
    return (f"Nothing is left of {len(lost)} subject{'s' if len(lost) > 1 else ''}: {first_names([*lost])}.",)


def without_unread(dataset: Dataset, failures: Sequence[Failure], what: str = "cases") -> Dataset:
    """Return the cases that could be read.

    Raises
    ------
    InvalidInput
        If nothing is left.
    """
    unread = {failure.name for failure in failures}
    left = dataset.take(place for place, case in enumerate(dataset) if case.id not in unread)
    if failures and not len(left):
        raise InvalidInput(f"none of {len(dataset)} {what} can be read; the first: {failures[0].sentence}")
    return left


def check_classes(dataset: Dataset, left: Dataset, failures: Sequence[Failure], what: str = "cases") -> None:
    """See that something is left of every class that has cases.

    Raises
    ------
    InvalidInput
        If it isn't.
    """
    there = set(left.labels.tolist())
    for label, number in Counter(dataset.labels.tolist()).items():
        if label not in there:
            first = next(failure for failure in failures if dataset.find(failure.name).label == label)
            raise InvalidInput(
                f"none of {number} {what} of the class {dataset.classes[label]!r} can be read; the first: "
                f"{first.sentence}"
            )
