"""Mean maps of groups with errors over people, whose maps come one after the other."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import numpy as np

from xaimri.arrays import Array

GroupT = TypeVar("GroupT", bound=Hashable)


@dataclass(eq=False)
class Moments:
    """Mean and squared deviations of maps of one shape, one after the other (Welford's recurrence).

    Examples
    --------
    >>> found = Moments()
    >>> for value in (1.0, 2.0, 6.0):
    ...     found.add(np.array([value]))
    >>> found.count, found.mean.tolist(), found.error().round(3).tolist()
    (3, [3.0], [1.528])
    """

    count: int = 0
    mean: Array = field(default_factory=lambda: np.zeros(()))
    squares: Array = field(default_factory=lambda: np.zeros(()))

    def add(self, values: Array) -> None:
        """Count one more map."""
        self.count += 1
        step = values - self.mean
        self.mean = self.mean + step / self.count
        self.squares = self.squares + step * (values - self.mean)

    def error(self) -> Array:
        """Return the standard error of the mean; NaN of a single map."""
        if self.count < 2:
            return np.full_like(self.mean, np.nan)
        found: Array = np.sqrt(self.squares / (self.count - 1) / self.count)
        return found


@dataclass(eq=False)
class MeanMaps(Generic[GroupT]):
    """Mean maps of groups over their people, each of whom counts once in a group, by the mean of their maps.

    Only the maps of people who aren't closed yet are held, beside two for each group.
    """

    groups: dict[GroupT, Moments] = field(default_factory=dict)
    open: dict[tuple[GroupT, Hashable], Moments] = field(default_factory=dict)

    def add(self, group: GroupT, person: Hashable, values: Array) -> None:
        """Count one map of a person, in double precision."""
        self.open.setdefault((group, person), Moments()).add(np.asarray(values, np.float64))

    def close(self, group: GroupT, person: Hashable) -> None:
        """Count a person of whom no map is to come any more."""
        self.groups.setdefault(group, Moments()).add(self.open.pop((group, person)).mean)

    def closed(self) -> Iterator[tuple[GroupT, Moments]]:
        """Yield every group with its moments over people, all of whom are closed by that."""
        for group, person in list(self.open):
            self.close(group, person)
        yield from self.groups.items()
