"""Targets: which class is explained, of one image or of each of several."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias, TypeGuard

import numpy as np

from xaimri.arrays import Array
from xaimri.errors import InvalidInput, UnusableImage, shown

Target: TypeAlias = int | str | None
"""A class by index or name; None is the predicted class."""


def resolve_targets(
    targets: Target | Sequence[Target], classes: tuple[str, ...], batch: int, name: str = "target"
) -> tuple[int | None, ...]:
    """Turn names and indices into one index (or None) per image."""
    return tuple(_index(target, classes, name) for target in each_target(targets, batch, name))


def resolve_against(
    against: Target | Sequence[Target],
    targets: Sequence[int | None],
    classes: tuple[str, ...],
) -> tuple[int, ...] | None:
    """Turn the classes that targets are held against into one index per image; None where there are none.

    Raises
    ------
    InvalidInput
        If a class is unknown, missing for some images only, or the target itself.

    Examples
    --------
    >>> resolve_against("no", (1, None), ("no", "yes")), resolve_against(None, (1, None), ("no", "yes"))
    ((0, 0), None)
    """
    if against is None:
        return None
    found = []
    for target, other in zip(targets, each_target(against, len(targets), "against"), strict=True):
        index = _index(other, classes, "against")
        if index is None:
            raise InvalidInput("`against` is None for some images and not for others: explain them apart.")
        if index == target:
            raise InvalidInput(
                f"`target` and `against` are both {classes[index]!r}: give two different classes."
            )
        found.append(index)
    return tuple(found)


def refuse_prediction(
    targets: Sequence[int | None],
    predicted: Array,
    against: Sequence[int] | None,
    classes: tuple[str, ...],
) -> None:
    """Say that an image is predicted to be of the very class that its prediction is to be held against.

    Raises
    ------
    UnusableImage
        If there is such a one.
    """
    for target, own, other in zip(targets, predicted, against or (), strict=False):
        if target is None and own == other:
            raise UnusableImage(
                f"the predicted class is {classes[other]!r}, the one that it is to be held against: name the "
                "class to explain with `target=`, or another one as `against=`."
            )


def is_listed(targets: object) -> TypeGuard[Sequence[Target]]:
    """Tell whether targets are a list, a tuple or a one-dimensional array."""
    return isinstance(targets, list | tuple) or (isinstance(targets, np.ndarray) and targets.ndim == 1)


def each_target(targets: object, count: int, name: str = "target") -> list[Target]:
    """Return one target per image, from one for all or a list, tuple or one-dimensional array."""
    each: list[Any] = list(targets) if is_listed(targets) else [targets] * count
    if len(each) != count:
        what = "targets" if name == "target" else f"classes in `{name}`"
        raise InvalidInput(
            f"{len(each)} {what} were given for {count} images: give one for all, or one each."
        )
    return each


def _index(target: Target, classes: tuple[str, ...], name: str = "target") -> int | None:
    if target is None:
        return None
    if isinstance(target, str):
        if target in classes:
            return classes.index(target)
    elif isinstance(target, int | np.integer) and not isinstance(target, bool) and 0 <= target < len(classes):
        return int(target)
    raise InvalidInput(
        f"`{name}` {shown(target)} is not one of the classes: use {', '.join(map(repr, classes))}, "
        f"or an index in 0..{len(classes) - 1}."
    )
