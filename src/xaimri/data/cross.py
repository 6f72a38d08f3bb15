"""Folds of groups: every group is tested once, and what is tested is trained on wherever that can be."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import numpy as np
from jaxtyping import Int

from xaimri.arrays import Array
from xaimri.data.groups import Groups, state_of


def tested_in(groups: Groups, k: int, seed: int) -> Int[Array, " groups"]:
    """Return the fold in which every group is tested.

    The folds are those of scikit-learn's ``StratifiedGroupKFold``. It stratifies by one class per group, so
    a class that groups have beside others can end up in one fold alone, where no training part has it. Then
    a group moves to another fold, or two trade places, if that leaves fewer such classes and no fold empty.
    """
    from sklearn.model_selection import StratifiedGroupKFold

    everyone = np.arange(len(groups))
    splitter = StratifiedGroupKFold(k, shuffle=True, random_state=state_of(seed))
    fold = np.zeros(len(groups), dtype=np.int64)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The least populated class")
        for number, (_, tested) in enumerate(splitter.split(everyone, groups.stratum, groups=everyone)):
            fold[tested] = number
    while lone := _lone_classes(groups, fold):
        better = next(
            (new for new in _changes(groups, fold, k, lone) if len(_lone_classes(groups, new)) < len(lone)),
            None,
        )
        if better is None:
            break
        fold = better
    return fold


def _lone_classes(groups: Groups, fold: Array) -> list[int]:
    """Return the classes of two or more groups that are all tested in the same fold."""
    lone = []
    for label in range(len(groups.classes)):
        having = groups.present[:, label]
        if having.sum() > 1 and len(set(fold[having].tolist())) == 1:
            lone.append(label)
    return lone


def _changes(groups: Groups, fold: Array, k: int, lone: list[int]) -> Iterator[Array]:
    """Yield the folds with one group of a lone class elsewhere: the smaller folds first, then by trade."""
    size = np.bincount(fold, minlength=k)
    movable = np.flatnonzero(groups.present[:, lone].any(axis=1))
    for other in np.argsort(size, kind="stable"):
        for group in movable[fold[movable] != other]:
            if size[fold[group]] > 1:
                moved = fold.copy()
                moved[group] = other
                yield moved
    for group in movable:
        for partner in np.flatnonzero(fold != fold[group]):
            traded = fold.copy()
            traded[[group, partner]] = fold[[partner, group]]
            yield traded
