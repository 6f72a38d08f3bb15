"""How the probabilities of the slices of a volume become those of its subject, and what each slice adds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, TypeAlias

import numpy as np
from jaxtyping import Float

from xaimri.arrays import Array, Scores
from xaimri.errors import InvalidInput, shown
from xaimri.user_function import called

Combine: TypeAlias = Literal["mean", "median", "product"] | Callable[[Scores], Float[Array, " classes"]]
"""How the probabilities of slices, ``(slices, classes)``, become those of the subject, ``(classes,)``."""

SUM = 1e-3
"""By how much probabilities that a rule gives may miss a sum of 1."""

SAME = 1e-6
"""By how much two answers of a rule to the same probabilities may differ."""


def pooled(rule: Combine, probabilities: Scores) -> Float[Array, " classes"]:
    """Return the subject's probabilities from those of the slices.

    Raises
    ------
    InvalidInput
        If a rule of the user's own fails, gives no probabilities, or others each time that it is asked.

    Examples
    --------
    >>> pooled("product", np.array([[0.9, 0.1], [0.5, 0.5]]))
    array([0.9, 0.1])
    """
    rows = np.asarray(probabilities, np.float64)
    if callable(rule):
        return _own(rule, rows)
    if rule == "mean":
        return np.asarray(rows.mean(axis=0))
    if rule == "median":
        found = np.median(rows, axis=0)
    else:
        logs = np.log(np.maximum(rows, 1e-300)).sum(axis=0)
        found = np.exp(logs - logs.max())
    return np.asarray(found / found.sum())


def influences(rule: Combine, probabilities: Scores, target: int) -> list[float | None]:
    """Return by how much the target's probability falls without each slice.

    None where it is the only one, and where a rule of the user's own takes no fewer slices.
    """
    whole = float(pooled(rule, probabilities)[target])
    found: list[float | None] = []
    for place in range(len(probabilities)):
        rest = _without(rule, probabilities, [place])
        found.append(None if rest is None else whole - float(rest[target]))
    return found


def needed(rule: Combine, probabilities: Scores, order: Sequence[int]) -> int | None:
    """Return how many slices, taken away in this order, change the predicted class; None if none do."""
    whole = int(pooled(rule, probabilities).argmax())
    for count in range(1, len(order)):
        rest = _without(rule, probabilities, order[:count])
        if rest is None:
            return None
        if int(rest.argmax()) != whole:
            return count
    return None


def _without(rule: Combine, probabilities: Scores, places: Sequence[int]) -> Float[Array, " classes"] | None:
    """Pool the other slices; None where there are none, or a rule of the user's own takes no fewer."""
    rest = np.delete(probabilities, list(places), axis=0)
    if not len(rest):
        return None
    try:
        return pooled(rule, rest)
    except InvalidInput:
        return None


def _own(rule: Callable[[Scores], object], rows: Scores) -> Float[Array, " classes"]:
    """Ask a rule of the user's own, twice: what it says of the same slices must be the same."""
    words = f"an array of {len(rows)} slices x {rows.shape[1]} classes"
    asked = (called("`combine`", rule, rows.copy(), words) for _ in range(2))
    found, again = (_checked(each, rows.shape[1]) for each in asked)
    if np.abs(found - again).max() > SAME:
        raise InvalidInput(
            "`combine` gives other probabilities each time that it is given the same slices: let it depend "
            "on them alone."
        )
    return found


def _checked(found: object, classes: int) -> Float[Array, " classes"]:
    """See that a rule of the user's own gives probabilities."""
    try:
        array = np.asarray(found, np.float64)
    except (TypeError, ValueError):
        array = np.zeros(0)
    if (
        array.shape != (classes,)
        or not (np.isfinite(array) & (array >= 0)).all()
        or abs(array.sum() - 1) > SUM
    ):
        raise InvalidInput(
            f"`combine` must give {classes} probabilities that sum to 1, one for each class, got "
            f"{shown(found)}."
        )
    return array
