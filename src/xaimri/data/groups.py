"""Groups that a split may not cut: the subjects, joined with whatever else must stay together."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int

from xaimri.arrays import Array
from xaimri.data.case import Dataset
from xaimri.data.connected import connected
from xaimri.errors import InvalidInput
from xaimri.names import stated


@dataclass(frozen=True, eq=False)
class Groups:
    """The groups of a data set, sorted by name, so that they do not depend on the order of the cases.

    Attributes
    ----------
    classes
        Names of the classes.
    of_case
        Group of every case of the data set.
    present
        True where a group has images of a class.
    stratum
        The class that a group counts for: of those it has, the one that fewest groups have.
    """

    classes: tuple[str, ...]
    of_case: Int[Array, " cases"]
    present: Bool[Array, "groups classes"]
    stratum: Int[Array, " groups"]

    def __len__(self) -> int:
        return len(self.stratum)

    @classmethod
    def of(cls, dataset: Dataset, names: Sequence[Hashable] | str | None, independent: bool) -> Groups:
        """Find the groups of a data set, or refuse.

        Raises
        ------
        InvalidInput
            If it is not known which cases belong together.
        """
        if isinstance(names, str):
            names = _of_covariate(dataset, names)
        _check(dataset, names, independent)
        of_case = _joined(dataset, names)
        present = np.zeros((int(of_case.max()) + 1, len(dataset.classes)), dtype=bool)
        present[of_case, dataset.labels] = True
        rarity = np.where(present, present.sum(axis=0), len(present) + 1)
        return cls(dataset.classes, of_case, present, rarity.argmin(axis=1))

    def take(self, some: Int[Array, " some"]) -> Groups:
        """Return some of the groups; `of_case` stays that of the whole data set."""
        return Groups(self.classes, self.of_case, self.present[some], self.stratum[some])


def deal(groups: Groups, shares: tuple[float, float], seed: int) -> Int[Array, " groups"]:
    """Return the part of every group, 0 train, 1 validation, 2 test, drawn from each class by itself.

    ``shares`` are those of validation and test. Every class that has a group has one in training.
    """
    from sklearn.model_selection import GroupShuffleSplit

    part = np.zeros(len(groups), dtype=np.int64)
    for label in range(len(groups.classes)):
        pool = np.flatnonzero(groups.stratum == label)
        validation, test = _sizes(len(pool), shares)
        state = state_of(seed, label)
        for code, size in ((2, test), (1, validation)):
            if size:
                splitter = GroupShuffleSplit(
                    1, test_size=size, train_size=len(pool) - size, random_state=state
                )
                kept, drawn = next(splitter.split(pool, groups=pool))
                part[pool[drawn]] = code
                pool = pool[kept]
    _train_every_class(groups, part)
    return part


def _sizes(n: int, shares: tuple[float, float]) -> tuple[int, int]:
    """Return how many of n subjects go to validation and test; training keeps at least one."""
    validation, test = (max(1, round(n * share)) if share else 0 for share in shares)
    while validation + test > max(n - 1, 0):
        if test > 1 and test >= validation:
            test -= 1
        elif validation:
            validation -= 1
        else:
            test -= 1
    return validation, test


def _train_every_class(groups: Groups, part: Array) -> None:
    """Move a group into training for a class that none has yet (where subjects have several classes)."""
    for label in range(len(groups.classes)):
        having = np.flatnonzero(groups.present[:, label])
        if len(having) and not (part[having] == 0).any():
            part[having[np.argmin(part[having])]] = 0


def state_of(seed: int, *branch: int) -> int:
    """Return a seed that scikit-learn takes, another one for every branch."""
    if seed < 0:
        raise InvalidInput(f"`seed` must be at least 0, got {seed}.")
    return int(np.random.SeedSequence([seed, *branch]).generate_state(1)[0])


def _check(dataset: Dataset, groups: Sequence[Hashable] | None, independent: bool) -> None:
    if not len(dataset):
        raise InvalidInput("an empty data set cannot be split: give one with cases.")
    if groups is not None:
        if len(groups) != len(dataset):
            raise InvalidInput(f"`groups` needs one entry per case, {len(dataset)}, got {len(groups)}.")
        if any(stated(group) is None for group in groups):
            raise InvalidInput(
                "`groups` has None for some case: give every case a group, its own if it is alone."
            )
        return
    if dataset.no_split is not None:
        raise InvalidInput(
            f"this data set must not be split: {dataset.no_split.rstrip('.')}; pass `groups=`, one name "
            "per case of what belongs together."
        )
    unknown = sum(subject is None for subject in dataset.subjects)
    if unknown and not independent:
        raise InvalidInput(
            f"{unknown} of {len(dataset)} cases have no subject, so a split could put one person on both "
            "sides: pass `groups=`, one per case, or `independent=True` if each is of its own person."
        )


def _of_covariate(dataset: Dataset, name: str) -> list[Hashable]:
    """Return a group for every case by a covariate; a subject without a value is a group of its own."""
    values = [stated(value) for value in dataset.covariate(name)]
    for case, value in zip(dataset, values, strict=True):
        if value is None and case.subject is None:
            raise InvalidInput(
                f"`{case.id}` has neither a subject nor a value of `{name}`: give it one of them, or "
                "`groups` as a list."
            )
    return [
        ("alone", case.subject) if value is None else ("group", value)
        for case, value in zip(dataset, values, strict=True)
    ]


def _joined(dataset: Dataset, groups: Sequence[Hashable] | None) -> Array:
    """Number the connected sets of cases that share a subject or a group, by their smallest name."""
    n = len(dataset)
    keys: dict[tuple[str, Hashable], int] = {}
    links: list[tuple[int, int]] = []
    for index, case in enumerate(dataset):
        own: list[tuple[str, Hashable]] = [] if case.subject is None else [("subject", case.subject)]
        if groups is not None:
            own.append(("group", stated(groups[index])))
        links += [(index, n + keys.setdefault(key, len(keys))) for key in own]
    component = connected(n + len(keys), links)[:n]
    name = [case.subject or case.id for case in dataset]
    smallest: dict[int, str] = {}
    for label, text in zip(component, name, strict=True):
        smallest[label] = min(text, smallest.get(label, text))
    order = {label: rank for rank, label in enumerate(sorted(smallest, key=lambda label: smallest[label]))}
    return np.array([order[label] for label in component], dtype=np.int64)
