"""Classes that have too few subjects for every part of a split, or every fold, in a sentence each."""

from __future__ import annotations

import numpy as np
from jaxtyping import Int

from xaimri.arrays import Array
from xaimri.data.attendance import PARTS
from xaimri.data.groups import Groups


def few_for_parts(
    together: Groups, part: Int[Array, " groups"], shares: tuple[float, float]
) -> tuple[str, ...]:
    """Name every class that some part lacks.

    Parameters
    ----------
    together
        The groups that were dealt.
    part
        Of each, 0 train, 1 validation, 2 test.
    shares
        Of validation and test; a part whose share is 0 lacks nothing.
    """
    wanted = [name for name, share in zip(PARTS, (1.0, *shares), strict=True) if share]
    notes = []
    for label, name in enumerate(together.classes):
        numbers = np.bincount(part[together.present[:, label]], minlength=3)
        counts = [int(numbers[PARTS.index(p)]) for p in wanted]
        if 0 in counts:
            places = ", ".join(f"{n or 'none'} in {p}" for n, p in zip(counts, wanted, strict=True))
            notes.append(f"`{name}` has {_subjects_of(sum(counts))} for {len(wanted)} parts: {places}.")
    return tuple(notes)


def few_for_folds(together: Groups, part: Int[Array, " groups"], k: int) -> tuple[str, ...]:
    """Name every class with fewer groups than folds, or none in this fold's training part.

    ``together`` and ``part`` are as of `few_for_parts`, ``k`` is the number of folds.
    """
    notes = []
    for label, name in enumerate(together.classes):
        having = together.present[:, label]
        untrained = not (part[having] == 0).any()
        if untrained or having.sum() < k:
            trained = "; none is in this fold's training part" if untrained else ""
            notes.append(f"`{name}` has {_subjects_of(int(having.sum()))} for {k} folds{trained}.")
    return tuple(notes)


def _subjects_of(n: int) -> str:
    return f"{n or 'no'} subject{'' if n == 1 else 's'}"
