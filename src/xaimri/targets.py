"""Targets: which class is explained, of one image or of each of several."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias, TypeGuard

import numpy as np

from xaimri.errors import InvalidInput

Target: TypeAlias = int | str | None
"""A class by index or name; None is the predicted class."""


def resolve_targets(
    targets: Target | Sequence[Target], classes: tuple[str, ...], batch: int
) -> tuple[int | None, ...]:
    """Turn names and indices into one index (or None) per image."""
    return tuple(_index(target, classes) for target in each_target(targets, batch))


def is_listed(targets: object) -> TypeGuard[Sequence[Target]]:
    """Tell whether targets are a list, a tuple or a one-dimensional array."""
    return isinstance(targets, list | tuple) or (isinstance(targets, np.ndarray) and targets.ndim == 1)


def each_target(targets: object, count: int) -> list[Target]:
    """Return one target per image, from one for all or a list, tuple or one-dimensional array."""
    each: list[Any] = list(targets) if is_listed(targets) else [targets] * count
    if len(each) != count:
        raise InvalidInput(
            f"{len(each)} targets were given for {count} images: give one for all, or one each."
        )
    return each


def _index(target: Target, classes: tuple[str, ...]) -> int | None:
    if target is None:
        return None
    if isinstance(target, str):
        if target in classes:
            return classes.index(target)
    elif isinstance(target, int | np.integer) and not isinstance(target, bool) and 0 <= target < len(classes):
        return int(target)
    raise InvalidInput(
        f"`target` {target!r} is not one of the classes: use {', '.join(map(repr, classes))}, "
        f"or an index in 0..{len(classes) - 1}."
    )
